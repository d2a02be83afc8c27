// An array in memory, as files, literals and results have it: dense and
// row-major, with its own copy of the data.
#ifndef TENON_RUNTIME_IO_ARRAY_H
#define TENON_RUNTIME_IO_ARRAY_H

#include "core/Signature.h"

namespace tenon {

// The owner calls release(). All zero: no array.
struct Array {
  tenon_dtype dtype;
  int32_t rank;
  int64_t shape[maxRank];
  int64_t count; // elements
  char *data;    // never NULL in an array; strings: tenon_string
  char *text;    // the bytes that strings point to

  // Sets type and sizes and makes room for the elements. False with the text
  // when there is no memory for them.
  bool allocate(tenon_dtype type, int32_t rank, const int64_t *shape,
                Message &message);
  void release();

  size_t bytes() const { return size_t(count) * size_t(dtypeBytes(dtype)); }
  const tenon_string &string(int64_t index) const {
    return reinterpret_cast<const tenon_string *>(data)[index];
  }
  // The array as an argument of a call.
  tenon_tensor tensor() {
    return {data, {TENON_CPU, 0}, rank, dtype, shape, nullptr, 0};
  }
};

// Copies a dense tensor, strings included.
bool copyTensor(const tenon_tensor &tensor, Array &out, Message &message);

// Whether every value of `from` is one of `to` too.
bool convertsExactly(tenon_dtype from, tenon_dtype to);

// Converts to another type as C's casts do (NaN and what is too large for an
// integer become the nearest value; to bool: not zero). False with the text
// for strings.
bool convertArray(const Array &from, tenon_dtype to, Array &out,
                  Message &message);

// Numbers of 16 bits, which C does not know. Rounding is to nearest even.
double fromHalf(uint16_t bits);
uint16_t toHalf(double value);
inline double fromBrain(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  return __builtin_bit_cast(float, wide);
}
uint16_t toBrain(double value);

// Element `index` of a real floating type, and of the parts of a complex one,
// as if the array had twice as many elements.
double loadFloat(const Array &array, int64_t index);

// Stores a number as the floating type.
void storeFloat(tenon_dtype dtype, void *to, double value);

} // namespace tenon

#endif // TENON_RUNTIME_IO_ARRAY_H
