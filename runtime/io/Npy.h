// NumPy's file of one array.
#ifndef TENON_RUNTIME_IO_NPY_H
#define TENON_RUNTIME_IO_NPY_H

#include "io/Array.h"
#include "io/Text.h"

namespace tenon {

// Reads an .npy file of version 1, 2 or 3 from memory: either byte order,
// either element order. |S<n> becomes strings, |V2 bfloat16. Nothing in the
// bytes is trusted; on failure returns false with the text.
bool readNpy(const char *bytes, size_t size, Array &out, Message &message);

// Adds an .npy file's header for the array, and says in `bytes` how many bytes
// of data follow it. bfloat16 is written as uint16, strings as |S<n>.
void writeNpyHeader(Text &out, const Array &array, size_t &bytes);

// Data that writeNpyHeader announced: array.data, or, for strings, `scratch`
// filled. NULL when there is no memory.
const char *npyData(const Array &array, size_t bytes, Text &scratch);

} // namespace tenon

#endif // TENON_RUNTIME_IO_NPY_H
