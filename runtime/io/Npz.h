// NumPy's file of several arrays: a zip archive of .npy files.
#ifndef TENON_RUNTIME_IO_NPZ_H
#define TENON_RUNTIME_IO_NPZ_H

#include "io/Array.h"
#include "io/Text.h"

namespace tenon {

// The entries of an archive in memory. Nothing in the bytes is trusted.
struct Npz {
  const char *bytes;
  size_t size;
  uint64_t directory;     // offset of the central directory
  uint64_t directorySize; // its length
  uint64_t count;

  // Finds the central directory.
  bool open(const char *bytes, size_t size, Message &message);

  // Steps through the entries: `cursor` starts at 0; the name is not
  // terminated, and has no ".npy". False at the end, and, with a text, when
  // the directory is damaged.
  struct Entry {
    const char *name;
    size_t nameSize;
    uint16_t method;
    uint16_t flags;
    uint32_t crc;
    uint64_t packed, unpacked, offset;
  };
  bool next(uint64_t &cursor, Entry &entry, Message &message) const;

  // Whether the archive holds an array of that name; with the entry.
  // A damaged directory counts as not.
  bool find(const char *name, Entry &entry) const;

  // Reads one array; stored or deflated (by libz, loaded when needed).
  bool read(const Entry &entry, Array &out, Message &message) const;
};

// Writes an archive of stored entries. `write` gets all bytes in order and
// returns false when it cannot go on (errno tells).
struct NpzWriter {
  bool (*write)(void *context, const void *bytes, size_t size);
  void *context;
  Text directory;
  uint64_t offset = 0, count = 0;

  // Adds an array under a name ("x" becomes x.npy; bfloat16 x becomes
  // x__bf16.npy). False when writing failed or there is no memory.
  bool add(const char *name, const Array &array);
  // Ends the archive, and releases the directory.
  bool finish();
};

uint32_t crc32(const char *bytes, size_t size);

} // namespace tenon

#endif // TENON_RUNTIME_IO_NPZ_H
