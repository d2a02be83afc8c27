//===- Tangent.h - derivatives of graphs in forward mode ------------------===//
//
// How values change when sources move along directions: a sweep over the ops
// from the first to the last. An op's rule for reverse mode is linear in the
// cotangents of its results; transposed it gives the tangents of the results,
// so that no op needs a second rule. Conditions and loops carry tangents beside
// their values and keep nothing of their iterations.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_GRAPH_TANGENT_H
#define TENON_DIALECTS_GRAPH_TANGENT_H

#include "dialects/graph/Gradient.h"

namespace tenon::graph {
class IfOp;
class WhileOp;

class TangentSweep {
public:
  explicit TangentSweep(DifferentiationState &state) : state(state) {}

  /// Moves a source. Its tangent is of its shape.
  void set(mlir::Value source, mlir::Value tangent) {
    tangents[source] = tangent;
  }
  /// Null: zero.
  mlir::Value tangent(mlir::Value value) const {
    return tangents.lookup(value);
  }
  /// Goes over `ops`, which are in program order, and computes tangents at
  /// `builder`, where all of their values are visible. Fails after a reported
  /// error.
  llvm::LogicalResult run(mlir::OpBuilder &builder,
                          llvm::ArrayRef<mlir::Operation *> ops);

private:
  llvm::LogicalResult transposeRule(mlir::OpBuilder &builder,
                                    mlir::Operation *op);
  llvm::LogicalResult runIf(mlir::OpBuilder &builder, IfOp op);
  llvm::LogicalResult runWhile(mlir::OpBuilder &builder, WhileOp op);
  llvm::SmallVector<bool> movedByLoop(mlir::OpBuilder &builder, WhileOp op);

  DifferentiationState &state;
  llvm::DenseMap<mlir::Value, mlir::Value> tangents;
};

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_TANGENT_H
