// Single elements of tensors of numbers, whatever their type.
#ifndef TENON_RUNTIME_HOST_ELEMENT_H
#define TENON_RUNTIME_HOST_ELEMENT_H

#include "io/Tensor.h"

namespace [[gnu::visibility("hidden")]] tenon {

// An integer or boolean; unsigned ones by their bits.
inline int64_t integerAt(const tenon_tensor &tensor, int64_t i) {
  const char *at =
      static_cast<const char *>(tensor.data) + i * (tensor.dtype.bits / 8);
  bool sign = tensor.dtype.code == TENON_INT;
  switch (tensor.dtype.bits) {
  case 8:
    return sign ? int64_t(*reinterpret_cast<const int8_t *>(at))
                : int64_t(*reinterpret_cast<const uint8_t *>(at));
  case 16:
    return sign ? int64_t(*reinterpret_cast<const int16_t *>(at))
                : int64_t(*reinterpret_cast<const uint16_t *>(at));
  case 32:
    return sign ? int64_t(*reinterpret_cast<const int32_t *>(at))
                : int64_t(*reinterpret_cast<const uint32_t *>(at));
  default:
    return *reinterpret_cast<const int64_t *>(at);
  }
}

// A floating number, or part i of complex ones.
inline double realAt(const tenon_tensor &tensor, int64_t i) {
  return loadFloat(tensor, i);
}

// Any number as a double.
inline double numberAt(const tenon_tensor &tensor, int64_t i) {
  if (isReal(tensor.dtype) || tensor.dtype.code == TENON_COMPLEX)
    return realAt(tensor, i);
  int64_t value = integerAt(tensor, i);
  return tensor.dtype.code == TENON_UINT ? double(uint64_t(value))
                                         : double(value);
}

// The number that a text stands for, written as the type; false when it stands
// for none.
bool parseNumber(tenon_string text, tenon_dtype dtype, char *to);

} // namespace tenon

#endif // TENON_RUNTIME_HOST_ELEMENT_H
