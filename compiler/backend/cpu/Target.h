//===- Target.h - what code generation knows about a CPU ------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_TARGET_H
#define TENON_COMPILER_BACKEND_CPU_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <cstdint>
#include <string>

namespace tenon {

/// Columns of C that a panel of packed weights holds, for every CPU and element
/// type, so that all variants in an artifact read the same weights.
inline constexpr int64_t kPanelWidth = 16;

/// The same of a matrix with `columns` columns (of a group): a single one is
/// kept as it is.
constexpr int64_t getPanelWidth(int64_t columns) {
  return columns == 1 ? 1 : kPanelWidth;
}

/// A kind of machine that objects can be written for: 64-bit little-endian ELF.
struct Platform {
  llvm::Triple::ArchType arch;
  const char *linkerName;     // lld's name of the object format
  uint16_t elfMachine;        // EM_*
  uint32_t elfFlags;          // e_flags of its objects
  uint32_t pointerRelocation; // of a 64-bit address
  const char *baselineCpu;    // LLVM's name of the CPU that all programs run on
  const char *baselineFeatures;
  const char *abi; // LLVM's name; "": the only one
  bool hasRuntime; // libtenon.a and the link know it
};

/// All of them.
llvm::ArrayRef<Platform> getPlatforms();

/// Whether executables and shared libraries can be linked for a triple.
bool hasRuntime(const llvm::Triple &triple);

/// The platform of a triple; null when objects cannot be written for it.
const Platform *findPlatform(const llvm::Triple &triple);

/// Checks the triple that the user gave (empty: this machine's) and the CPU;
/// returns the triple in LLVM's form.
llvm::Expected<llvm::Triple> resolveTriple(llvm::StringRef triple,
                                           llvm::StringRef cpu);

/// The name by which passes know the target whose tasks are points (below).
inline constexpr llvm::StringLiteral kPointsCpu = "points";

/// The register tile of a contraction: `rows` rows of C times `panels` panels.
struct RegisterTile {
  unsigned rows = 1;
  unsigned panels = 1;
};

/// The facts about a CPU that lowering decides by. Everything else is LLVM's.
struct CpuTarget {
  /// x86-64 level 2, 3 or 4; 0 for a named or native CPU and other machines;
  /// more tells apart the named CPUs of an artifact with several variants.
  unsigned level = 0;
  std::string cpu;      // LLVM's name, e.g. "x86-64-v3" or "znver4"
  std::string features; // LLVM's feature string; empty: what `cpu` implies
  unsigned vectorBits = 128;
  unsigned vectorRegisters = 16;
  bool hasFma = false;
  bool hasBf16Dot = false; // sums of two products of bf16 into f32, 16 at once
  bool hasAmxBf16 = false; // the same of tiles of 16 rows, AMX
  bool hasStreaming = false; // stores past the caches, which a fence ends: x86
  /// No CPU but a thread of a GPU: each task is a point, one element or one row
  /// of the result, and code is scalar. As code of a CPU it does the same.
  bool byPoint = false;
  uint64_t l1Bytes = 32 << 10;
  uint64_t l2Bytes = 256 << 10;

  /// The baseline x86-64-v<level>, level 2 to 4.
  static CpuTarget getLevel(unsigned level);

  /// Tasks are points.
  static CpuTarget getPoints();

  /// The CPU `cpu` of `triple`, or kPointsCpu. "native" is the machine this
  /// runs on, "generic" the platform's baseline. Unknown names get the facts of
  /// the triple's oldest machine.
  static CpuTarget getNamed(const llvm::Triple &triple, llvm::StringRef cpu);

  /// Size of an output from which on stores should go past the caches: so much
  /// is not there any more when it is read, and its lines are not read before
  /// they are written.
  uint64_t getStreamedBytes() const { return 8 * l2Bytes; }

  /// Vector registers that one panel row takes, for accumulators of `bits`.
  unsigned getPanelRegisters(unsigned bits) const;

  /// The tile for many rows: as many rows, then panels, as leave a quarter of
  /// the registers for operands. f32: v4 6x4, v3 6x1, v2 3x1.
  RegisterTile getTile(unsigned bits) const;

  /// Panels to take at once for a tile of only `rows` rows: 1, 2 or 4, so that
  /// few rows still have enough independent sums.
  unsigned getPanels(unsigned rows, unsigned bits) const;
};

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_TARGET_H
