//===- LowerPrecision.h - contractions in less than f32 -------------------===//

#ifndef TENON_COMPILER_LOWERING_LOWERPRECISION_H
#define TENON_COMPILER_LOWERING_LOWERPRECISION_H

#include "mlir/IR/Operation.h"

namespace tenon {

/// The module's attribute with the precision that was asked for ("bf16").
inline constexpr llvm::StringLiteral kPrecisionAttr = "tenon.precision";

/// The f32 tensor whose elements `op` rounds to bf16, one by one; null when it
/// does anything else.
mlir::Value getRounded(mlir::Operation *op);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERPRECISION_H
