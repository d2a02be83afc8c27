// Whole files.
#ifndef TENON_RUNTIME_IO_FILE_H
#define TENON_RUNTIME_IO_FILE_H

#include "core/Message.h"
#include "io/Text.h"

namespace tenon {

// Reads all of a file (or pipe). False with the text, which names the file.
bool readFile(const char *path, Text &out, Message &message);

// Writes all bytes to a descriptor; false with errno set.
bool writeAll(int descriptor, const void *bytes, size_t size);

// A file that appears under its name only when it is complete; "-" is stdout.
// What exists and is no plain file (a device, a pipe) is written directly.
struct OutputFile {
  const char *path;
  int descriptor = -1;
  Text temporary = {}; // name of the unfinished file; empty: none

  bool open(const char *path, Message &message);
  // Ends the file: with `good` under its name, else it vanishes. False with
  // the text when anything failed, an earlier write too (errno).
  bool close(bool good, Message &message);
};

} // namespace tenon

#endif // TENON_RUNTIME_IO_FILE_H
