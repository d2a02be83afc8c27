// Arrays: memory and conversion between element types.
#include "io/Array.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

bool Array::allocate(tenon_dtype type, int32_t newRank, const int64_t *sizes,
                     Message &message) {
  dtype = type;
  rank = newRank;
  if (rank)
    memcpy(shape, sizes, size_t(rank) * sizeof *sizes);
  text = nullptr;
  count = countElements(rank, shape, dtypeBytes(dtype));
  if (count >= 0)
    data = static_cast<char *>(aligned_alloc(64, (bytes() + 64) & ~size_t(63)));
  if (count >= 0 && data)
    return true;
  char name[256];
  return message.fail("no memory for an array of %s",
                      formatType(name, sizeof name, dtype, rank, shape));
}

void Array::release() {
  free(data);
  free(text);
  data = text = nullptr;
}

bool copyTensor(const tenon_tensor &tensor, Array &out, Message &message) {
  if (!out.allocate(tensor.dtype, tensor.ndim, tensor.shape, message))
    return false;
  if (out.count)
    memcpy(out.data, static_cast<char *>(tensor.data) + tensor.byte_offset,
           out.bytes());
  if (out.dtype.code != TENON_STRING)
    return true;
  size_t total = 1;
  for (int64_t i = 0; i < out.count; ++i)
    total += out.string(i).size;
  out.text = static_cast<char *>(malloc(total));
  if (!out.text)
    return message.fail("no memory for %zu bytes of strings", total);
  char *to = out.text;
  for (int64_t i = 0; i < out.count; ++i) {
    tenon_string &string = reinterpret_cast<tenon_string *>(out.data)[i];
    if (string.size)
      memcpy(to, string.data, string.size);
    string.data = to;
    to += string.size;
  }
  return true;
}

double fromHalf(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  int mantissa = bits & 1023;
  double value;
  if (exponent == 31)
    value = mantissa ? __builtin_nan("") : __builtin_inf();
  else if (exponent == 0)
    value = mantissa * 0x1p-24;
  else
    value = (1024 + mantissa) *
            __builtin_bit_cast(double, uint64_t(exponent - 25 + 1023) << 52);
  return bits >> 15 ? -value : value;
}

namespace {

// Rounds to a format of 16 bits with `fraction` bits of mantissa, whose
// smallest normal exponent is `lowest` and largest is -lowest + 1.
uint16_t toSixteen(double value, int fraction, int lowest) {
  uint64_t bits = __builtin_bit_cast(uint64_t, value);
  uint16_t sign = uint16_t(bits >> 63 << 15);
  uint16_t infinity = uint16_t((0x7fff >> fraction) << fraction);
  if (value != value)
    return uint16_t(sign | infinity | 1u << (fraction - 1));
  int exponent = int(bits >> 52 & 2047) - 1023;
  if (exponent > 1 - lowest)
    return sign | infinity;
  if (exponent < lowest - fraction - 1)
    return sign;
  uint64_t mantissa = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  int drop = 52 - fraction;
  if (exponent < lowest) {
    drop += lowest - exponent;
    exponent = lowest - 1; // the field is 0: subnormal
  }
  uint64_t kept = mantissa >> drop;
  uint64_t rest = mantissa & ((uint64_t(1) << drop) - 1);
  uint64_t half = uint64_t(1) << (drop - 1);
  kept += rest > half || (rest == half && (kept & 1));
  // The hidden bit, when there is one, adds 1 to the field; so does a carry.
  uint64_t field = uint64_t(exponent - lowest + (exponent >= lowest ? 0 : 1));
  return uint16_t(sign | ((field << fraction) + kept));
}

} // namespace

uint16_t toHalf(double value) { return toSixteen(value, 10, -14); }
uint16_t toBrain(double value) { return toSixteen(value, 7, -126); }

double loadFloat(const Array &array, int64_t index) {
  int bits = array.dtype.bits;
  if (array.dtype.code == TENON_COMPLEX)
    bits /= 2;
  const char *at = array.data + index * (bits / 8);
  if (bits == 64) {
    double value;
    memcpy(&value, at, 8);
    return value;
  }
  if (bits == 32) {
    float value;
    memcpy(&value, at, 4);
    return value;
  }
  uint16_t value;
  memcpy(&value, at, 2);
  return array.dtype.code == TENON_BFLOAT ? fromBrain(value) : fromHalf(value);
}

void storeFloat(tenon_dtype dtype, void *to, double value) {
  if (dtype.bits == 64) {
    memcpy(to, &value, 8);
  } else if (dtype.bits == 32) {
    float narrow = float(value);
    memcpy(to, &narrow, 4);
  } else {
    uint16_t narrow =
        dtype.code == TENON_BFLOAT ? toBrain(value) : toHalf(value);
    memcpy(to, &narrow, 2);
  }
}

namespace {

// Bits of an integer that a type holds exactly, without the sign.
int exactBits(tenon_dtype type) {
  switch (type.code) {
  case TENON_BOOL:
    return 1;
  case TENON_INT:
    return type.bits - 1;
  case TENON_UINT:
    return type.bits;
  case TENON_BFLOAT:
    return 8;
  case TENON_FLOAT:
    return type.bits == 64 ? 53 : type.bits == 32 ? 24 : 11;
  case TENON_COMPLEX:
    return type.bits == 128 ? 53 : 24;
  default:
    return 0;
  }
}

bool isReal(tenon_dtype type) {
  return type.code == TENON_FLOAT || type.code == TENON_BFLOAT;
}

// A number of any type: an integer (with its sign apart, so that int64 and
// uint64 both fit) or a floating one.
struct Value {
  double real = 0, imaginary = 0;
  uint64_t magnitude = 0;
  bool negative = false, integer = false;
};

Value load(const Array &array, int64_t index) {
  Value value;
  int code = array.dtype.code, bytes = dtypeBytes(array.dtype);
  if (code == TENON_COMPLEX) {
    value.real = loadFloat(array, 2 * index);
    value.imaginary = loadFloat(array, 2 * index + 1);
  } else if (isReal(array.dtype)) {
    value.real = loadFloat(array, index);
  } else {
    value.integer = true;
    memcpy(&value.magnitude, array.data + index * bytes, size_t(bytes));
    if (code == TENON_INT) {
      int unused = 64 - 8 * bytes;
      int64_t extended = int64_t(value.magnitude << unused) >> unused;
      value.negative = extended < 0;
      value.magnitude =
          value.negative ? 0 - uint64_t(extended) : uint64_t(extended);
    } else if (code == TENON_BOOL) {
      value.magnitude = value.magnitude != 0;
    }
    value.real = double(value.magnitude);
    if (value.negative)
      value.real = -value.real;
  }
  return value;
}

void store(tenon_dtype type, char *to, const Value &value) {
  if (type.code == TENON_COMPLEX) {
    tenon_dtype half = {TENON_FLOAT, uint8_t(type.bits / 2), 1};
    storeFloat(half, to, value.real);
    storeFloat(half, to + type.bits / 16, value.imaginary);
    return;
  }
  if (isReal(type)) {
    storeFloat(type, to, value.real);
    return;
  }
  if (type.code == TENON_BOOL) {
    *to = value.integer ? value.magnitude != 0
                        : value.real != 0 || value.imaginary != 0;
    return;
  }
  uint64_t bits = value.magnitude;
  bool negative = value.negative;
  if (!value.integer) {
    // Out of range would be undefined: the nearest integer instead.
    negative = value.real < 0;
    double size = negative ? -value.real : value.real;
    bits = size >= 0x1p64 ? ~uint64_t(0) : size > 0 ? uint64_t(size) : 0;
    int width = type.bits - (type.code == TENON_INT);
    uint64_t largest = ~uint64_t(0) >> (64 - width);
    if (type.code == TENON_UINT && negative)
      bits = 0;
    else if (bits > largest)
      bits = largest + (negative ? 1 : 0);
  }
  if (negative)
    bits = 0 - bits;
  memcpy(to, &bits, size_t(dtypeBytes(type)));
}

} // namespace

bool convertsExactly(tenon_dtype from, tenon_dtype to) {
  if (sameDtype(from, to))
    return true;
  if (from.code == TENON_STRING || to.code == TENON_STRING ||
      to.code == TENON_BOOL)
    return false;
  if (from.code == TENON_COMPLEX)
    return to.code == TENON_COMPLEX && to.bits > from.bits;
  if (isReal(from)) {
    // bfloat16's exponents reach beyond float16's.
    bool range = from.code != TENON_BFLOAT || to.bits > 16;
    return (isReal(to) || to.code == TENON_COMPLEX) && range &&
           exactBits(to) > exactBits(from);
  }
  return exactBits(to) >= exactBits(from) &&
         !(from.code == TENON_INT && to.code == TENON_UINT);
}

bool convertArray(const Array &from, tenon_dtype to, Array &out,
                  Message &message) {
  if (from.dtype.code == TENON_STRING || to.code == TENON_STRING)
    return message.fail("strings and numbers do not convert");
  if (!out.allocate(to, from.rank, from.shape, message))
    return false;
  char *at = out.data;
  for (int64_t i = 0; i < from.count; ++i, at += dtypeBytes(to))
    store(to, at, load(from, i));
  return true;
}

} // namespace tenon
