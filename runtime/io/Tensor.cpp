// Tensors: memory and conversion between element types.
#include "io/Tensor.h"
#include "io/Fail.h"
#include "io/Strings.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

tenon_tensor makeTensor(tenon_dtype dtype, int32_t rank, const int64_t *shape) {
  tenon_tensor tensor = {};
  tensor.dtype = dtype;
  tensor.ndim = rank;
  tensor.shape = static_cast<int64_t *>(allocate(size_t(rank) * 8));
  for (int32_t i = 0; i < rank; ++i)
    tensor.shape[i] = shape[i];
  if (elementCount(tensor) >= 0)
    tensor.data = aligned_alloc(64, (byteCount(tensor) + 64) & ~size_t(63));
  if (!tensor.data) {
    char name[256];
    fail("no memory for %s", formatType(name, sizeof name, dtype, rank, shape));
  }
  return tensor;
}

tenon_tensor copyTensor(const tenon_tensor &tensor) {
  tenon_tensor copy = makeTensor(tensor.dtype, tensor.ndim, tensor.shape);
  memcpy(copy.data, tensor.data, byteCount(copy));
  if (tensor.dtype.code == TENON_STRING)
    stringFunctions()->copy(copy);
  return copy;
}

double fromBrain(uint16_t bits) {
  return __builtin_bit_cast(float, uint32_t(bits) << 16);
}

double fromHalf(uint16_t bits) {
  // The exponent's field as that of a float that is 2^112 too small; for the
  // largest, infinity and NaN.
  uint32_t wide = uint32_t(bits & 0x7fff) << 13;
  if ((bits & 0x7c00) == 0x7c00)
    wide |= 0x7f800000;
  double value = double(__builtin_bit_cast(float, wide)) * 0x1p112;
  return bits >> 15 ? -value : value;
}

// Rounds to a format of 16 bits with `fraction` bits of mantissa, whose
// smallest normal exponent is `lowest` and largest is 1 - lowest.
static uint16_t toSixteen(double value, int fraction, int lowest) {
  uint64_t bits = __builtin_bit_cast(uint64_t, value);
  unsigned sign = unsigned(bits >> 63) << 15;
  unsigned infinity = 0x7fffu >> fraction << fraction;
  if (value != value)
    return uint16_t(sign | infinity | 1u << (fraction - 1));
  int exponent = int(bits >> 52 & 2047) - 1023;
  if (exponent > 1 - lowest)
    return uint16_t(sign | infinity);
  if (exponent < lowest - fraction - 1)
    return uint16_t(sign);
  int drop = 52 - fraction, field = exponent - lowest;
  if (field < 0) { // subnormal: more bits go, and there is no hidden one
    drop -= field;
    field = -1;
  }
  uint64_t mantissa = (bits << 12 >> 12) + (uint64_t(1) << 52);
  uint64_t kept = mantissa >> drop;
  uint64_t rest = mantissa << (64 - drop), half = uint64_t(1) << 63;
  kept += rest > half || (rest == half && (kept & 1));
  // The hidden bit, when there is one, adds 1 to the field; so does a carry.
  return uint16_t(sign + (unsigned(field + (field < 0)) << fraction) + kept);
}

uint16_t toHalf(double value) { return toSixteen(value, 10, -14); }
uint16_t toBrain(double value) { return toSixteen(value, 7, -126); }

double loadFloat(const tenon_tensor &tensor, int64_t index) {
  bool complex = tensor.dtype.code == TENON_COMPLEX;
  int bytes = tensor.dtype.bits >> (3 + complex);
  const void *at = bytesOf(tensor) + index * bytes;
  // Elements are aligned.
  if (bytes == 8)
    return *static_cast<const double *>(at);
  if (bytes == 4)
    return *static_cast<const float *>(at);
  uint16_t bits = *static_cast<const uint16_t *>(at);
  return tensor.dtype.code == TENON_BFLOAT ? fromBrain(bits) : fromHalf(bits);
}

void storeFloat(tenon_dtype dtype, void *to, double value) {
  if (dtype.bits == 64)
    *static_cast<double *>(to) = value;
  else if (dtype.bits == 32)
    *static_cast<float *>(to) = float(value);
  else
    *static_cast<uint16_t *>(to) =
        dtype.code == TENON_BFLOAT ? toBrain(value) : toHalf(value);
}

Number loadNumber(const tenon_tensor &tensor, int64_t index) {
  Number number = {};
  tenon_dtype dtype = tensor.dtype;
  bool complex = dtype.code == TENON_COMPLEX;
  if (complex || isReal(dtype)) {
    number.real = loadFloat(tensor, index << complex);
    if (complex)
      number.imaginary = loadFloat(tensor, 2 * index + 1);
    return number;
  }
  number.integer = true;
  int bytes = dtypeBytes(dtype), unused = 64 - dtype.bits;
  memcpy(&number.size, bytesOf(tensor) + index * bytes, size_t(bytes));
  int64_t extended = int64_t(number.size << unused) >> unused;
  if (dtype.code == TENON_INT && extended < 0) {
    number.negative = true;
    number.size = 0 - uint64_t(extended);
  }
  number.real = double(number.size);
  if (number.negative)
    number.real = -number.real;
  return number;
}

void storeNumber(tenon_dtype dtype, char *to, const Number &number) {
  if (dtype.code == TENON_COMPLEX) {
    dtype.code = TENON_FLOAT;
    dtype.bits /= 2;
    storeFloat(dtype, to + dtype.bits / 8, number.imaginary);
  }
  if (isReal(dtype)) {
    storeFloat(dtype, to, number.real);
    return;
  }
  uint64_t size = number.size;
  bool negative = number.negative;
  int width = dtype.bits - (dtype.code == TENON_INT);
  uint64_t most = ~uint64_t(0) >> (64 - width);
  if (dtype.code == TENON_BOOL) {
    size = number.real != 0 || number.imaginary != 0;
    negative = false;
  } else if (!number.integer) {
    // Out of range would be undefined.
    negative = number.real < 0;
    double real = negative ? -number.real : number.real;
    size = real >= 0x1p64 ? ~uint64_t(0) : real > 0 ? uint64_t(real) : 0;
    if (negative && dtype.code == TENON_UINT)
      size = 0;
    else if (size > most)
      size = most + negative;
  }
  if (negative)
    size = 0 - size;
  memcpy(to, &size, size_t(dtypeBytes(dtype)));
}

// Bits of an integer that a type holds exactly, without the sign.
static int exactBits(tenon_dtype dtype) {
  int bits = dtype.bits;
  if (dtype.code == TENON_COMPLEX)
    bits /= 2;
  else if (dtype.code < TENON_FLOAT)
    return bits - (dtype.code == TENON_INT);
  return dtype.code == TENON_BOOL     ? 1
         : dtype.code == TENON_BFLOAT ? 8
         : bits == 64                 ? 53
         : bits == 32                 ? 24
                                      : 11;
}

bool convertsExactly(tenon_dtype from, tenon_dtype to) {
  if (sameDtype(from, to))
    return true;
  bool fromComplex = from.code == TENON_COMPLEX;
  bool toFloat = isReal(to) || to.code == TENON_COMPLEX;
  if (to.code == TENON_BOOL || (fromComplex && to.code != TENON_COMPLEX))
    return false;
  int gain = exactBits(to) - exactBits(from);
  if (!fromComplex && !isReal(from))
    return gain >= 0 && !(from.code == TENON_INT && to.code == TENON_UINT);
  // A float as wide as the other's part is the other's real part; bfloat16's
  // exponents reach beyond float16's.
  return toFloat &&
         gain >= (isReal(from) && to.code == TENON_COMPLEX ? 0 : 1) &&
         !(from.code == TENON_BFLOAT && to.bits == 16);
}

tenon_tensor convertTensor(const tenon_tensor &from, tenon_dtype to) {
  tenon_tensor out = makeTensor(to, from.ndim, from.shape);
  int64_t count = elementCount(out);
  for (int64_t i = 0; i < count; ++i)
    storeNumber(to, bytesOf(out) + i * dtypeBytes(to), loadNumber(from, i));
  return out;
}

} // namespace tenon
