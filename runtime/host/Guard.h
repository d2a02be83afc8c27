// Operations that use what ends a program when it fails (io/, checkpoint/).
#ifndef TENON_RUNTIME_HOST_GUARD_H
#define TENON_RUNTIME_HOST_GUARD_H

#include "host/Host.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Runs `function` so that a failure inside of it (io/Fail.h) is one of this
// call, and gives back all memory that it had. One at a time in a process:
// io/ keeps what a failure says in one place.
bool guarded(HostCall &call, bool (*function)(HostCall &));

} // namespace tenon

#endif // TENON_RUNTIME_HOST_GUARD_H
