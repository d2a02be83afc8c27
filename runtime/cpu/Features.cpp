// Asks cpuid for instruction sets, and xgetbv whether the operating system
// saves the registers that they need.
#include "cpu/Features.h"
#include "core/System.h"
#include "tenon/abi.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
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

struct Machine {
  Leaf one = Leaf(1, 0), seven = Leaf(7, 0);
  uint32_t more = 0;  // ecx of leaf 0x80000001
  uint32_t saved = 0; // registers that the operating system saves
  bool avx, avx512;   // with their registers

  [[gnu::noinline]] Machine() {
    Leaf identity(0, 0), extended(0x80000000, 0);
    if (extended.eax >= 0x80000001)
      more = Leaf(0x80000001, 0).ecx;
    if (identity.eax < 7)
      seven.ebx = seven.ecx = seven.edx = seven.eax = 0;
    if (all(one.ecx, bits(27))) {
      uint32_t high;
      __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    }
    avx = all(saved, 0x6) && all(one.ecx, bits(28));
    avx512 = avx && all(saved, 0xe0) && all(seven.ebx, bits(16));
  }
};

uint32_t findLevel() {
  Machine machine;
  const Leaf &one = machine.one, &seven = machine.seven;
  // sse3 ssse3 cx16 sse4.1 sse4.2 popcnt; lahf
  if (!all(one.ecx, bits(0, 9, 13, 19, 20, 23)) || !all(machine.more, bits(0)))
    return 1;
  // fma movbe f16c; lzcnt; bmi1 avx2 bmi2
  if (!machine.avx || !all(one.ecx, bits(12, 22, 29)) ||
      !all(machine.more, bits(5)) || !all(seven.ebx, bits(3, 5, 8)))
    return 2;
  // avx512f dq cd bw vl
  return machine.avx512 && all(seven.ebx, bits(16, 17, 28, 30, 31)) ? 4 : 3;
}

// Linux lets a process use the tiles' registers, which its threads then have
// room for, only when it asks.
bool askForTiles() {
  constexpr long askForComponent = 0x1023, tileData = 18;
  return systemCall(SYS_arch_prctl, askForComponent, tileData) == 0;
}

uint32_t findFeatures() {
  Machine machine;
  // Where the features of TENON_CPU_FEATURES stand, in their order: the word,
  // its bit, and the registers that they need.
  enum : uint8_t { OneC, MoreC, SevenB, SevenC, SevenD, SevenOneA };
  enum : uint8_t { None, Avx, Avx512, Amx };
  const uint32_t words[] = {
      machine.one.ecx,   machine.more,
      machine.seven.ebx, machine.seven.ecx,
      machine.seven.edx, machine.seven.eax ? Leaf(7, 1).eax : 0};
  static const struct {
    uint8_t word, bit, needs;
  } features[] = {
      {SevenB, 21, Avx512},   {SevenC, 1, Avx512},  {SevenC, 6, Avx512},
      {SevenC, 11, Avx512},   {SevenC, 12, Avx512}, {SevenC, 14, Avx512},
      {SevenOneA, 5, Avx512}, {SevenD, 23, Avx512}, {SevenC, 8, None},
      {SevenOneA, 4, Avx},    {MoreC, 6, None},     {MoreC, 11, Avx},
      {MoreC, 16, Avx},       {MoreC, 21, None},    {SevenB, 19, None},
      {OneC, 25, None},       {OneC, 1, None},      {SevenC, 9, Avx},
      {SevenC, 10, Avx},      {SevenB, 29, None},   {SevenOneA, 23, Avx},
      {SevenD, 24, Amx},      {SevenD, 22, Amx},
  };
  bool amx = machine.avx512 && all(machine.saved, 0x60000) &&
             all(machine.seven.edx, bits(22, 24)) && askForTiles();
  uint32_t found = 0, bit = 1 << TENON_CPU_FEATURE_SHIFT;
  for (const auto &feature : features) {
    if (feature.needs <= machine.avx + machine.avx512 + amx &&
        words[feature.word] >> feature.bit & 1)
      found |= bit;
    bit <<= 1;
  }
  return found;
}

// Remembers what `find` finds, which is not 0: cpuid costs microseconds in a
// virtual machine.
uint32_t remember(uint32_t &known, uint32_t (*find)()) {
  uint32_t value = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (!value) {
    value = find();
    __atomic_store_n(&known, value, __ATOMIC_RELAXED);
  }
  return value;
}

} // namespace

uint32_t machineLevel() {
  static uint32_t known;
  return remember(known, findLevel);
}
#else
uint32_t machineLevel() { return 0; }
#endif

bool canRun(uint32_t required, uint32_t present) {
  uint32_t missing = (required & ~present) >> TENON_CPU_FEATURE_SHIFT;
  return !missing &&
         (required & TENON_CPU_LEVEL_MASK) <= (present & TENON_CPU_LEVEL_MASK);
}

} // namespace tenon

uint32_t tenon_cpu_features(void) {
#if defined(__x86_64__)
  static uint32_t known;
  return tenon::remember(known, tenon::findFeatures);
#else
  return 0;
#endif
}
