// Arrays as text, exactly as NumPy 2 prints them with its default options.
#ifndef TENON_RUNTIME_IO_PRINT_H
#define TENON_RUNTIME_IO_PRINT_H

#include "io/Tensor.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

// The shortest decimal digits that stand for a number alone among those of
// its type: d1.d2d3... * 10^exponent.
struct Decimal {
  char digits[20];
  int count;
  int exponent;
  double value; // what the digits say (for 64 bits: the number itself)
};

// `value` is positive, finite, and one of the floating types of `bits` bits
// (16: float16).
Decimal shortestDecimal(double value, int bits);

// Adds print(tensor)'s text, without the last line's end. More than 1000
// elements are summarised, unless `full`.
void printTensor(Text &out, const tenon_tensor &tensor, bool full);

} // namespace tenon

#endif // TENON_RUNTIME_IO_PRINT_H
