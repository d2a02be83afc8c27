// Tensors in memory, as files, literals and results have them: dense and
// row-major; data and shape live as long as the process, or until free().
#ifndef TENON_RUNTIME_IO_TENSOR_H
#define TENON_RUNTIME_IO_TENSOR_H

#include "core/Signature.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Room for a tensor. Fails when there is none; data is not NULL even without
// elements.
tenon_tensor makeTensor(tenon_dtype dtype, int32_t rank, const int64_t *shape);

inline int64_t elementCount(const tenon_tensor &tensor) {
  return countElements(tensor.ndim, tensor.shape, dtypeBytes(tensor.dtype));
}
inline size_t byteCount(const tenon_tensor &tensor) {
  return size_t(elementCount(tensor) * dtypeBytes(tensor.dtype));
}
inline char *bytesOf(const tenon_tensor &tensor) {
  return static_cast<char *>(tensor.data);
}
inline tenon_string *stringsOf(const tenon_tensor &tensor) {
  return static_cast<tenon_string *>(tensor.data);
}
inline bool isReal(tenon_dtype dtype) {
  return dtype.code == TENON_FLOAT || dtype.code == TENON_BFLOAT;
}

inline bool isFinite(double value) {
  return __builtin_fabs(value) < __builtin_inf();
}

// Copies a dense tensor, the bytes of strings included.
tenon_tensor copyTensor(const tenon_tensor &tensor);

// A number of any type: an integer, as its size and its sign (so that int64
// and uint64 both fit), or a floating one. `real` is set for both.
struct Number {
  double real, imaginary;
  uint64_t size;
  bool negative, integer;
};

// Element `index` of a tensor of numbers.
Number loadNumber(const tenon_tensor &tensor, int64_t index);

// Writes a number as the type, as C's casts do; but NaN and what is too large
// for an integer type become the nearest value, and anything but 0 is true.
void storeNumber(tenon_dtype dtype, char *to, const Number &number);

// Whether every value of `from` is one of `to` too.
bool convertsExactly(tenon_dtype from, tenon_dtype to);

// The tensor of numbers as another type, by storeNumber.
tenon_tensor convertTensor(const tenon_tensor &from, tenon_dtype to);

// Floats of 16 bits, which C does not know: loaded as C's, and rounded to
// nearest even.
double fromHalf(uint16_t bits);
uint16_t toHalf(double value);
double fromBrain(uint16_t bits);
uint16_t toBrain(double value);

// Element `index` of a floating type, and of the parts of a complex one, as if
// the tensor had twice as many elements.
double loadFloat(const tenon_tensor &tensor, int64_t index);
// Stores a number as the floating type.
void storeFloat(tenon_dtype dtype, void *to, double value);

} // namespace tenon

#endif // TENON_RUNTIME_IO_TENSOR_H
