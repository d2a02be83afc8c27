// Asks cpuid for instruction sets, and xgetbv whether the operating system
// saves the registers that they need.
#include "cpu/Features.h"
#include "tenon/abi.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tenon {

#if defined(__x86_64__)
namespace {

struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  Leaf(uint32_t leaf, uint32_t part) {
    __cpuid_count(leaf, part, eax, ebx, ecx, edx);
  }
};

// Bits of a register, as a mask from their numbers.
template <typename... T> constexpr uint32_t bits(T... number) {
  return ((1u << number) | ...);
}

bool all(uint32_t value, uint32_t mask) { return (value & mask) == mask; }

uint32_t findLevel() {
  Leaf identity(0, 0), one(1, 0), extended(0x80000000, 0);
  uint32_t more = 0; // ecx of leaf 0x80000001
  if (extended.eax >= 0x80000001)
    more = Leaf(0x80000001, 0).ecx;
  Leaf seven(7, 0), sevenOne(7, 1);
  if (identity.eax < 7)
    seven.ebx = seven.ecx = seven.edx = seven.eax = 0;
  if (identity.eax < 7 || seven.eax < 1)
    sevenOne.eax = 0;
  uint32_t saved = 0; // state components that the operating system saves
  if (all(one.ecx, bits(27))) {
    uint32_t high;
    __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  }
  bool avx = all(saved, 0x6) && all(one.ecx, bits(28));
  bool avx512 = avx && all(saved, 0xe0) && all(seven.ebx, bits(16));

  // sse3 ssse3 cx16 sse4.1 sse4.2 popcnt; lahf
  uint32_t level = 1;
  if (all(one.ecx, bits(0, 9, 13, 19, 20, 23)) && all(more, bits(0)))
    level = 2;
  // fma movbe f16c; lzcnt; bmi1 avx2 bmi2
  if (level == 2 && avx && all(one.ecx, bits(12, 22, 29)) &&
      all(more, bits(5)) && all(seven.ebx, bits(3, 5, 8)))
    level = 3;
  // avx512f dq cd bw vl
  if (level == 3 && avx512 && all(seven.ebx, bits(16, 17, 28, 30, 31)))
    level = 4;

  // In the order of TENON_CPU_FEATURES.
  const struct {
    uint32_t value;
    uint8_t bit;
    bool usable;
  } features[] = {
      {seven.ebx, 21, avx512},   {seven.ecx, 1, avx512},
      {seven.ecx, 6, avx512},    {seven.ecx, 11, avx512},
      {seven.ecx, 12, avx512},   {seven.ecx, 14, avx512},
      {sevenOne.eax, 5, avx512}, {seven.edx, 23, avx512},
      {seven.ecx, 8, true},      {sevenOne.eax, 4, avx},
      {more, 6, true},           {more, 11, avx},
      {more, 16, avx},           {more, 21, true},
      {seven.ebx, 19, true},     {one.ecx, 25, true},
      {one.ecx, 1, true},        {seven.ecx, 9, avx},
      {seven.ecx, 10, avx},      {seven.ebx, 29, true},
      {sevenOne.eax, 23, avx},
  };
  unsigned index = TENON_CPU_FEATURE_SHIFT;
  for (const auto &feature : features)
    level |= uint32_t(feature.usable && (feature.value >> feature.bit & 1))
             << index++;
  return level;
}

} // namespace
#endif

uint32_t machineLevel() {
#if defined(__x86_64__)
  static uint32_t known; // cpuid costs microseconds in a virtual machine
  uint32_t level = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (!level) {
    level = findLevel();
    __atomic_store_n(&known, level, __ATOMIC_RELAXED);
  }
  return level;
#else
  return 0;
#endif
}

bool canRun(uint32_t required, uint32_t present) {
  uint32_t missing = (required & ~present) >> TENON_CPU_FEATURE_SHIFT;
  return !missing &&
         (required & TENON_CPU_LEVEL_MASK) <= (present & TENON_CPU_LEVEL_MASK);
}

} // namespace tenon
