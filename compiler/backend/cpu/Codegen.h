//===- Codegen.h - LLVM dialect to optimised objects ----------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_CODEGEN_H
#define TENON_COMPILER_BACKEND_CPU_CODEGEN_H

#include "compiler/backend/cpu/Artifact.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <memory>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace tenon {

/// Makes LLVM's targets known, once.
void initializeTargets();

/// LLVM's machine description for `variant` of `triple` at -O`optLevel`:
/// position independent, small code model, one section per function.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef triple, const CodeVariant &variant,
                    unsigned optLevel);

/// Whether LLVM knows the CPU of that name; "portable" and "native" are known.
llvm::Error checkCpu(const llvm::Triple &triple, llvm::StringRef cpu);

/// Code that runs on every machine of `triple`.
CodeVariant getBaselineVariant(llvm::StringRef triple);

/// Makes `module` one for `machine`: triple, layout and the flags that all
/// modules of a link share.
void setMachine(llvm::Module &module, const llvm::TargetMachine &machine);

/// Runs the optimiser on a module of LLVM IR. Code that is `light` takes no
/// time to speak of when it runs: only what makes it smaller is done.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned optLevel, bool light = false);

/// Appends the object (or, with `assembly`, the text) of `module` to `out`.
llvm::Error emitModule(llvm::Module &module, llvm::TargetMachine &machine,
                       bool assembly, llvm::SmallVectorImpl<char> &out);

struct CodegenOptions {
  unsigned optLevel = 2;
  bool fastMath = false;  // NaN, Inf and the order of sums do not matter
  unsigned threads = 0;   // 0: all cores
  bool debugInfo = false; // line tables of the model's nodes
  /// When set, called with the optimised LLVM IR of every unit (by its number)
  /// as text; from any thread.
  std::function<llvm::Error(size_t unit, llvm::StringRef text)> saveUnit = {};
};

/// What compileUnits makes of every unit.
enum class UnitOutput { Object, Bitcode };

/// Translates, optimises and (for objects) generates code for all units, in
/// parallel. The results are in the order of the units and do not depend on the
/// number of threads.
llvm::Expected<std::vector<llvm::SmallVector<char, 0>>>
compileUnits(ArtifactSpec &spec, UnitOutput output,
             const CodegenOptions &options);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_CODEGEN_H
