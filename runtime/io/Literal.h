// Tensors written on the command line.
#ifndef TENON_RUNTIME_IO_LITERAL_H
#define TENON_RUNTIME_IO_LITERAL_H

#include "io/Tensor.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Whether the text is a literal for an input of this type: a bracketed list,
// or, unless strings are wanted, a number, true, false, nan or inf.
bool isLiteral(const char *text, tenon_dtype dtype);

// Reads a literal as a tensor of the type: JSON lists (blanks allowed) of
// numbers, true, false, nan, inf (NaN and Infinity too), complex numbers like
// 1+2j, or quoted strings. Only with `cast`: integers and bools from numbers
// that they do not hold, and infinity from numbers that are too large.
tenon_tensor readLiteral(const char *text, tenon_dtype dtype, bool cast);

} // namespace tenon

#endif // TENON_RUNTIME_IO_LITERAL_H
