#ifndef TENON_COMPILER_PIPELINE_SIGNATURE_H
#define TENON_COMPILER_PIPELINE_SIGNATURE_H

#include "compiler/backend/cpu/Artifact.h"

namespace tenon {

/// Describes the entries of a module of the graph dialect: names, dtypes,
/// shapes and symbols of inputs and outputs, in order. Fails with an error at
/// the entry when a type cannot cross the boundary.
llvm::LogicalResult describeEntries(mlir::ModuleOp module, ArtifactSpec &spec);

/// Says of entries that `merge-entries` took out of the module whose code they
/// have.
void describeAliases(mlir::ModuleOp module, ArtifactSpec &spec);

/// Describes the data of a lowered module (after lay-out-data): variables,
/// weights, failure messages.
llvm::LogicalResult describeData(mlir::ModuleOp module, ArtifactSpec &spec);

} // namespace tenon

#endif // TENON_COMPILER_PIPELINE_SIGNATURE_H
