// NumPy's file of one array.
#ifndef TENON_RUNTIME_IO_NPY_H
#define TENON_RUNTIME_IO_NPY_H

#include "io/Tensor.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

// An array in an .npy file, as it is there.
struct NpyView {
  tenon_dtype dtype;
  int32_t rank;
  int64_t shape[maxRank];
  const char *data; // perhaps not aligned
  uint64_t width;   // bytes of an element
  int64_t count;    // of elements
  bool swapped, fortran;

  // Row-major, of this machine's byte order, no strings.
  bool isPlain() const {
    return dtype.code != TENON_STRING && !swapped && (!fortran || rank < 2);
  }
};

// Reads the header. Nothing in the bytes is trusted: the elements are there.
NpyView viewNpy(const char *bytes, size_t size);

// Reads an .npy file of version 1, 2 or 3 from memory: either byte order,
// either element order. |S<n> becomes strings, |V2 bfloat16. Nothing in the
// bytes is trusted.
tenon_tensor readNpy(const char *bytes, size_t size);

// An .npy file: `header`, then `bytes` bytes at `data`. bfloat16 is written as
// uint16, strings as |S<n>.
struct NpyFile {
  Text header;
  const char *data;
  size_t bytes;

  explicit NpyFile(const tenon_tensor &tensor);
};

} // namespace tenon

#endif // TENON_RUNTIME_IO_NPY_H
