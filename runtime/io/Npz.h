// NumPy's file of several arrays: a zip archive of .npy files.
#ifndef TENON_RUNTIME_IO_NPZ_H
#define TENON_RUNTIME_IO_NPZ_H

#include "io/Tensor.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

// An archive in memory. Nothing in the bytes is trusted.
struct Npz {
  const char *bytes;
  size_t size;
  uint64_t count;     // of arrays
  const char *cursor; // in the directory
  const char *end;    // of the directory

  // The array at hand, without ".npy"; not terminated.
  const char *name;
  size_t nameSize;

  // Finds the directory. Fails when this is no archive.
  Npz(const char *bytes, size_t size);

  // Steps to the next array, or to the first one; false at the end.
  bool next();
  bool first() {
    cursor = directory;
    return next();
  }

  // Steps to the array of that name; false when there is none.
  bool find(const char *name);

  // The bytes of the array's .npy file: where they are when they are stored,
  // else inflated (by libz, loaded when needed). Their check sum is `crc`.
  const char *open(size_t &length);

  // Reads the array at hand.
  tenon_tensor read();

  uint32_t crc; // of the array at hand

private:
  const char *directory;
  uint16_t method, flags;
  uint64_t packed, unpacked, offset;
};

// Writes an archive of stored entries to a descriptor.
struct NpzWriter {
  int descriptor;
  Text directory;
  uint64_t offset = 0, count = 0;

  // Begins a file, whose bytes are to be written to the descriptor next.
  [[gnu::noinline]] void begin(const Text &name, uint32_t crc, uint64_t size);
  // Adds a tensor under a name ("x" becomes x.npy; bfloat16 x becomes
  // x__bf16.npy).
  [[gnu::noinline]] void add(const char *name, const tenon_tensor &tensor);
  void finish();
};

uint32_t crc32(uint32_t crc, const char *bytes, size_t size);

} // namespace tenon

#endif // TENON_RUNTIME_IO_NPZ_H
