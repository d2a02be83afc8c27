#ifndef TENON_COMPILER_TRANSFORMS_EQUALOPS_H
#define TENON_COMPILER_TRANSFORMS_EQUALOPS_H

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// MLIR's elimination of common subexpressions. It tells ops apart by a hash
/// that does not look into bodies, and would compare each with each among
/// thousands of elementwise ops of one tensor; here bodies count.
void mergeEqualOps(mlir::ModuleOp module);

} // namespace tenon

#endif // TENON_COMPILER_TRANSFORMS_EQUALOPS_H
