#ifndef TENON_COMPILER_LOWERING_LOWERGENERIC_H
#define TENON_COMPILER_LOWERING_LOWERGENERIC_H

#include "compiler/backend/cpu/Target.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace tenon {

/// The number of tasks of a linalg op on memrefs: chunks of its outermost
/// parallel loop, each large enough to be worth a thread's attention, or points
/// if the target's tasks are. Depends on sizes only.
mlir::Value buildGenericTaskCount(mlir::OpBuilder &builder, mlir::Location loc,
                                  mlir::linalg::LinalgOp op,
                                  const CpuTarget &target);

/// Replaces a linalg op on memrefs by loops for tasks [begin, end). Sums run in
/// registers where the reduced dimension is the contiguous one; elsewhere the
/// contiguous parallel dimension is innermost, so that LLVM vectorises either.
llvm::LogicalResult lowerGenericToLoops(mlir::OpBuilder &builder,
                                        mlir::linalg::LinalgOp op,
                                        mlir::Value begin, mlir::Value end,
                                        const CpuTarget &target);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERGENERIC_H
