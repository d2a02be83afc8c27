#ifndef TENON_COMPILER_TRANSFORMS_REWRITELOOPS_H
#define TENON_COMPILER_TRANSFORMS_REWRITELOOPS_H

#include "dialects/graph/ops/Control.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tenon {

/// Calls `rewrite` for each loop of `function` with what is known of sizes
/// around it. What it puts in `dead`, taken out of the function, is erased when
/// nobody asks for sizes any more.
llvm::LogicalResult
rewriteLoops(mlir::func::FuncOp function,
             llvm::function_ref<llvm::LogicalResult(
                 graph::WhileOp loop, graph::ShapeContext &shapes,
                 llvm::SmallVectorImpl<mlir::Operation *> &dead)>
                 rewrite);

} // namespace tenon

#endif // TENON_COMPILER_TRANSFORMS_REWRITELOOPS_H
