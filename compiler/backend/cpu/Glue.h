//===- Glue.h - descriptor and public functions of a model ----------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_GLUE_H
#define TENON_COMPILER_BACKEND_CPU_GLUE_H

#include "compiler/backend/cpu/Artifact.h"

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace tenon {

struct GlueOptions {
  bool isExecutable = false; // the descriptor is the runtime's main's
  std::string weightsFile;   // name of the external weights; empty: embedded
};

/// Whether all inputs and outputs of `entry` have sizes known at compile time,
/// so that its C function takes plain arrays.
bool isStaticEntry(const EntryInfo &entry);

/// Parameter names of the C function of `entry`: inputs, then outputs.
std::vector<std::string> getParameterIdentifiers(const EntryInfo &entry);

/// Symbols of the model that the inputs of `entry` mention, in order: the
/// parameters of its reserve function.
std::vector<unsigned> getReserveSymbols(const EntryInfo &entry);

/// C names of the reserve functions, without the model's prefix.
std::vector<std::string> getReserveIdentifiers(const ArtifactSpec &spec);

/// Whether there are variables that checkpoints hold. Then the model has
/// <name>_get_variable, _set_variable, _save and _restore.
bool hasVariables(const ArtifactSpec &spec);

/// Names of all public functions.
std::vector<std::string> getPublicSymbols(const ArtifactSpec &spec);

/// Makes the module with the model's descriptor, signature, tables of variants
/// and the public C functions.
llvm::Expected<std::unique_ptr<llvm::Module>>
createGlue(const ArtifactSpec &spec, const GlueOptions &options,
           llvm::LLVMContext &context);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_GLUE_H
