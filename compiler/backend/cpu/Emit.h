//===- Emit.h - from the compile result to files --------------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_EMIT_H
#define TENON_COMPILER_BACKEND_CPU_EMIT_H

#include "compiler/backend/cpu/Artifact.h"

#include "llvm/Support/Error.h"

#include <functional>

namespace tenon {

enum class OutputKind {
  Executable,
  Object,        // with <name>.h beside it
  Archive,       // with <name>.h beside it
  SharedLibrary, // with <name>.h beside it
  LlvmIr,
  Assembly,
  Ptx // the kernels for the first of the GPUs
};

struct EmitOptions {
  unsigned optLevel = 2;
  bool fastMath = false;  // NaN, Inf and the order of sums do not matter
  unsigned threads = 0;   // 0: all cores
  bool debugInfo = false; // keep the sections of debug information
  /// Weights go to <output without suffix>.weights instead of the artifact.
  bool externalWeights = false;
  /// Path of libtenon.a, for executables and shared libraries.
  std::string runtimeArchive;
  /// Folder that gets the LLVM dialect, LLVM IR and objects of every unit;
  /// empty: none.
  std::string saveTemps;
  /// When set, called after each phase with the seconds it took.
  std::function<void(llvm::StringRef phase, double seconds)> reportTime;
};

/// Compiles the units of `spec` and writes the artifact, its header and its
/// weights file. The files appear whole and together, or not at all.
llvm::Error emitArtifact(ArtifactSpec &spec, OutputKind kind,
                         llvm::StringRef path, const EmitOptions &options);

/// Where libtenon.a is for a tool whose executable is `tool`.
std::string findRuntimeArchive(llvm::StringRef tool);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_EMIT_H
