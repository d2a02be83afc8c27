#ifndef TENON_DIALECTS_GRAPH_OPS_RANDOMSUPPORT_H
#define TENON_DIALECTS_GRAPH_OPS_RANDOMSUPPORT_H

#include "dialects/graph/LoweringContext.h"
#include "dialects/graph/ops/ScalarMath.h"

/// TensorFlow's generator, Philox 4x32-10.
namespace tenon::graph {

/// The generator's state in 64-bit words, read once per op.
struct GeneratorState {
  mlir::Value key, low, high;

  /// Of the operands of an op: one word, and the low and high half of a count
  /// of blocks.
  static GeneratorState of(LoweringContext &lowering, mlir::Value key,
                           mlir::Value counter);
  /// The four numbers (i32) of the block that is `distance` (i64) blocks ahead.
  llvm::SmallVector<Scalar, 4> at(const Scalar &distance) const;
};

/// Fails with an op error when the operand `name` has not `count` elements.
llvm::LogicalResult expectCount(mlir::Operation *op, ShapeContext &shapes,
                                mlir::Value value, int64_t count,
                                llvm::StringRef name);

/// Logical shift.
Scalar shiftRight(const Scalar &x, unsigned distance);
/// A number from 0 to below 1 from 32 random bits, or from 64.
Scalar uniformFloat(const Scalar &bits);
Scalar uniformDouble(const Scalar &high, const Scalar &low);
/// One of several values by an i64.
Scalar choose(const Scalar &index, llvm::ArrayRef<Scalar> values);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_RANDOMSUPPORT_H
