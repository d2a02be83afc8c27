// Files that a model reads.
#ifndef TENON_RUNTIME_HOST_FILEBYTES_H
#define TENON_RUNTIME_HOST_FILEBYTES_H

#include "host/Host.h"

namespace [[gnu::visibility("hidden")]] tenon {

// A path as C takes it, in memory of the call; NULL after a failure.
const char *pathOf(HostCall &call, tenon_string path);
// All bytes of a file; false after a failure.
bool readWholeFile(HostCall &call, tenon_string path, Bytes &into);

} // namespace tenon

#endif // TENON_RUNTIME_HOST_FILEBYTES_H
