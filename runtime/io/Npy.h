// NumPy's file of one array.
#ifndef TENON_RUNTIME_IO_NPY_H
#define TENON_RUNTIME_IO_NPY_H

#include "io/Tensor.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

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
