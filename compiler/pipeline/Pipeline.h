#ifndef TENON_COMPILER_PIPELINE_PIPELINE_H
#define TENON_COMPILER_PIPELINE_PIPELINE_H

#include "compiler/backend/cpu/Artifact.h"
#include "compiler/pipeline/Options.h"
#include "mlir/IR/DialectRegistry.h"

namespace tenon {

/// Every dialect, interface and translation that compiling needs.
void registerDialects(mlir::DialectRegistry &registry);

/// A unit attribute of a module that has the entry points of training: its
/// executable is a training program (runtime/train).
inline constexpr llvm::StringLiteral kTrainingAttr = "graph.training";

/// Registers the project's passes for tenon-opt.
void registerPasses();

/// Compiles a module of the graph dialect, which is consumed: fills `spec` with
/// code for every CPU variant, the data, and the signature. The module and its
/// context must outlive `spec`, whose weights are written from them.
/// Errors go to the context's diagnostics.
llvm::LogicalResult compileToArtifact(mlir::ModuleOp module,
                                      const CompileOptions &options,
                                      ArtifactSpec &spec);

/// The same as far as it says what an artifact would need: signature, arena,
/// data and the names of the kernels of the first CPU variant. Generates no
/// code.
llvm::LogicalResult planArtifact(mlir::ModuleOp module,
                                 const CompileOptions &options,
                                 ArtifactSpec &spec);

} // namespace tenon

#endif // TENON_COMPILER_PIPELINE_PIPELINE_H
