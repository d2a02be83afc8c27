// Arithmetic in every number type of tensors, each result rounded to the type;
// integers wrap around.
#ifndef TENON_RUNTIME_HOST_SMALL_H
#define TENON_RUNTIME_HOST_SMALL_H

#include "io/Tensor.h"

namespace [[gnu::visibility("hidden")]] tenon {

// A float of 16 bits.
template <double (*load)(uint16_t), uint16_t (*round)(double)> struct Small {
  uint16_t bits;

  Small() = default;
  Small(double value) : bits(round(value)) {}
  operator float() const { return float(load(bits)); }
};
using Half = Small<fromHalf, toHalf>;
using Brain = Small<fromBrain, toBrain>;

template <typename T> struct IsFloating {
  static constexpr bool value = false;
};
template <> struct IsFloating<float> {
  static constexpr bool value = true;
};
template <> struct IsFloating<double> {
  static constexpr bool value = true;
};
template <> struct IsFloating<Half> {
  static constexpr bool value = true;
};
template <> struct IsFloating<Brain> {
  static constexpr bool value = true;
};

template <typename T> T sum(T a, T b) {
  if constexpr (IsFloating<T>::value) {
    return T(a + b);
  } else {
    T result;
    (void)__builtin_add_overflow(a, b, &result);
    return result;
  }
}

// The finite number that is less than all others.
template <typename T> T lowest() {
  if constexpr (__is_same(T, float))
    return -__FLT_MAX__;
  else if constexpr (__is_same(T, double))
    return -__DBL_MAX__;
  else if constexpr (__is_same(T, Half))
    return T(-65504.0);
  else if constexpr (__is_same(T, Brain))
    return T(-0x1.fep127);
  else if constexpr (T(-1) < T(0))
    return T(uint64_t(1) << (8 * sizeof(T) - 1));
  else
    return 0;
}

// Calls `function` with a value of the C++ type of real numbers of `dtype`;
// false when there is none.
template <typename Function>
bool withType(tenon_dtype dtype, const Function &function) {
  switch (dtype.code << 8 | dtype.bits) {
  case TENON_FLOAT << 8 | 16:
    return function(Half());
  case TENON_BFLOAT << 8 | 16:
    return function(Brain());
  case TENON_FLOAT << 8 | 32:
    return function(float());
  case TENON_FLOAT << 8 | 64:
    return function(double());
  case TENON_INT << 8 | 8:
    return function(int8_t());
  case TENON_INT << 8 | 16:
    return function(int16_t());
  case TENON_INT << 8 | 32:
    return function(int32_t());
  case TENON_INT << 8 | 64:
    return function(int64_t());
  case TENON_UINT << 8 | 8:
    return function(uint8_t());
  case TENON_UINT << 8 | 16:
    return function(uint16_t());
  case TENON_UINT << 8 | 32:
    return function(uint32_t());
  case TENON_UINT << 8 | 64:
    return function(uint64_t());
  default:
    return false;
  }
}

} // namespace tenon

#endif // TENON_RUNTIME_HOST_SMALL_H
