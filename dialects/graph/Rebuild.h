//===- Rebuild.h - ops with regions, made anew ----------------------------===//

#ifndef TENON_DIALECTS_GRAPH_REBUILD_H
#define TENON_DIALECTS_GRAPH_REBUILD_H

#include "dialects/graph/Gradient.h"

namespace tenon::graph {

/// Gives the op in the making the bodies of `from`'s regions.
void takeRegions(mlir::OperationState &op, mlir::Operation *from);

/// An op with the regions of `from`, which is put away, other operands, and
/// results of these element types; null after a reported error.
mlir::Operation *rebuildWith(DifferentiationState &state,
                             mlir::OpBuilder &builder, mlir::Operation *from,
                             mlir::ValueRange operands,
                             llvm::ArrayRef<mlir::Type> elements);

/// The op once more, without effects.
mlir::Operation *cloneWithoutEffects(mlir::OpBuilder &builder,
                                     mlir::Operation *op);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_REBUILD_H
