// Arrays written on the command line.
#ifndef TENON_RUNTIME_IO_LITERAL_H
#define TENON_RUNTIME_IO_LITERAL_H

#include "io/Array.h"

namespace tenon {

// Whether the text is a literal for an input of this type: a bracketed list,
// or, unless strings are wanted, a number, true, false, nan or inf.
bool isLiteral(const char *text, tenon_dtype dtype);

// Reads a literal as an array of the type: JSON lists (blanks allowed) of
// numbers, true, false, nan, inf (NaN and Infinity too), complex numbers like
// 1+2j, or quoted strings. Integers must fit; numbers with a fraction become
// integers, and numbers besides 0 and 1 become bools, only with `cast`.
// On failure returns false with the text.
bool readLiteral(const char *text, tenon_dtype dtype, bool cast, Array &out,
                 Message &message);

// An array without dimensions that holds the text.
bool makeString(const char *text, Array &out, Message &message);

} // namespace tenon

#endif // TENON_RUNTIME_IO_LITERAL_H
