// TensorFlow's random numbers: Philox 4x32-10 and what is made of its bits.
#ifndef TENON_RUNTIME_HOST_PHILOX_H
#define TENON_RUNTIME_HOST_PHILOX_H

#include "host/Small.h"

#include <math.h>

namespace [[gnu::visibility("hidden")]] tenon {

struct Philox {
  uint64_t key, low, high; // the count of blocks in two halves

  // From the words of two operands: one of a key, two of a counter.
  Philox(const uint64_t *key, const uint64_t *counter)
      : key(*key), low(counter[0]), high(counter[1]) {}

  void skip(uint64_t blocks) {
    high += low + blocks < low;
    low += blocks;
  }

  // The next block: four numbers.
  void next(uint32_t (&to)[4]) {
    uint32_t c[] = {uint32_t(low), uint32_t(low >> 32), uint32_t(high),
                    uint32_t(high >> 32)};
    uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
      uint64_t first = uint64_t(0xD2511F53) * c[0],
               second = uint64_t(0xCD9E8D57) * c[2];
      uint32_t mixed[] = {uint32_t(second >> 32) ^ c[1] ^ k0, uint32_t(second),
                          uint32_t(first >> 32) ^ c[3] ^ k1, uint32_t(first)};
      for (int i = 0; i < 4; ++i)
        c[i] = mixed[i];
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    for (int i = 0; i < 4; ++i)
      to[i] = c[i];
    skip(1);
  }
};

inline float uniformSingle(uint32_t bits) {
  return __builtin_bit_cast(float, (bits & 0x7fffff) | 0x3f800000) - 1;
}
inline double uniformDouble(uint32_t high, uint32_t low) {
  uint64_t bits = uint64_t(high & 0xfffff) << 32 | low;
  return __builtin_bit_cast(double, bits | uint64_t(1023) << 52) - 1;
}

// How many numbers of a type are made of a block.
template <typename T> constexpr int blockNumbers = sizeof(T) == 8 ? 2 : 4;

// Uniform numbers from 0 to below 1.
template <typename T>
void drawUniform(Philox &generator, T (&to)[blockNumbers<T>]) {
  uint32_t bits[4];
  generator.next(bits);
  for (int i = 0; i < blockNumbers<T>; ++i) {
    if constexpr (__is_same(T, double)) {
      to[i] = uniformDouble(bits[2 * i], bits[2 * i + 1]);
    } else if constexpr (__is_same(T, Half)) {
      T number;
      number.bits = uint16_t((bits[i] & 0x3ff) | 15 << 10);
      to[i] = T(number - 1.0);
    } else if constexpr (__is_same(T, Brain)) {
      T number;
      number.bits = uint16_t((bits[i] & 0x7f) | 127 << 7);
      to[i] = T(number - 1.0);
    } else {
      to[i] = uniformSingle(bits[i]);
    }
  }
}

// Normal numbers, by Box and Muller's method.
template <typename T>
void drawNormal(Philox &generator, T (&to)[blockNumbers<T>]) {
  uint32_t bits[4];
  generator.next(bits);
  if constexpr (__is_same(T, double)) {
    double u = uniformDouble(bits[0], bits[1]);
    u = u < 1.0e-7 ? 1.0e-7 : u;
    double angle = 2 * M_PI * uniformDouble(bits[2], bits[3]);
    double radius = sqrt(-2.0 * log(u));
    to[0] = sin(angle) * radius;
    to[1] = cos(angle) * radius;
  } else {
    for (int i = 0; i < 4; i += 2) {
      float u = uniformSingle(bits[i]);
      u = u < 1.0e-7f ? 1.0e-7f : u;
      float angle = float(2.0f * M_PI * double(uniformSingle(bits[i + 1])));
      float radius = sqrtf(-2.0f * logf(u));
      to[i] = T(sinf(angle) * radius);
      to[i + 1] = T(cosf(angle) * radius);
    }
  }
}

} // namespace tenon

#endif // TENON_RUNTIME_HOST_PHILOX_H
