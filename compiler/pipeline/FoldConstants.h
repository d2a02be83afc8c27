#ifndef TENON_COMPILER_PIPELINE_FOLDCONSTANTS_H
#define TENON_COMPILER_PIPELINE_FOLDCONSTANTS_H

#include "compiler/pipeline/Options.h"

namespace tenon {

/// Replaces subgraphs whose operands are all constants by their values. They
/// are compiled like any model, for the oldest CPU that this machine's kind has
/// (so that equal inputs give equal bytes everywhere), and run once.
/// Constants that would take much more room than what they are computed from
/// stay computed at run time.
llvm::LogicalResult foldConstants(mlir::ModuleOp module,
                                  const CompileOptions &options);

} // namespace tenon

#endif // TENON_COMPILER_PIPELINE_FOLDCONSTANTS_H
