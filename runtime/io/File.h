// Whole files.
#ifndef TENON_RUNTIME_IO_FILE_H
#define TENON_RUNTIME_IO_FILE_H

#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Reads all of a file (or pipe).
Text readFile(const char *path);

// Writes all bytes to a descriptor.
void writeAll(int descriptor, const void *bytes, size_t size);

// A file that appears under its name only when it is complete; "-" is stdout.
// What exists and is no plain file (a device, a pipe) is written directly.
int openOutput(const char *path);
void closeOutput(int descriptor, const char *path);

} // namespace tenon

#endif // TENON_RUNTIME_IO_FILE_H
