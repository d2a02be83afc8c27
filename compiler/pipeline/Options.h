//===- Options.h - what the user asked the compiler for ------------------===//

#ifndef TENON_COMPILER_PIPELINE_OPTIONS_H
#define TENON_COMPILER_PIPELINE_OPTIONS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tenon {

/// Options of a compilation. Options of the importer are in
/// frontend/Frontend.h, those of the output in compiler/backend/cpu/Emit.h.
struct CompileOptions {
  std::string name;              // prefix of all C symbols
  std::string cpu = "portable";  // "portable", "native" or LLVM's name of a CPU
  std::string triple;            // LLVM name of the platform; empty: this one
  unsigned optLevel = 2;         // -O0 to -O3
  std::vector<std::string> cuda; // architectures of GPUs: "sm_80"
  std::string precision = "f32"; // of contractions: "f32" or "bf16"
  bool fastMath = false;         // NaN, Inf and order of sums do not matter
  bool checkNumerics = false;    // a check after every source node
  bool debugInfo = false;        // code knows the nodes that it came from
  /// The weights will be in the same artifact as the code, which then finds
  /// them without an instance.
  bool embedWeights = false;
  unsigned threads = 0;          // of the compiler itself; 0: all cores
  bool evaluateConstants = true; // compute constant subgraphs while compiling
  /// Bytes that the arena should not exceed: values that are kept for later are
  /// computed again until it fits; 0: no limit.
  uint64_t memoryBudget = 0;
  bool verbose = false; // say what was fused, planned and chosen

  /// When set, called after each stage with its name ("graph", "linalg", ...)
  /// and the module as it stands (--save-temps).
  std::function<void(llvm::StringRef stage, mlir::ModuleOp module)> saveStage;
  /// When set, called after each phase with the seconds it took.
  std::function<void(llvm::StringRef phase, double seconds)> reportTime;
};

} // namespace tenon

#endif // TENON_COMPILER_PIPELINE_OPTIONS_H
