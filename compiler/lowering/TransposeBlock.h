//===- TransposeBlock.h - transposing in registers ------------------------===//

#ifndef TENON_COMPILER_LOWERING_TRANSPOSEBLOCK_H
#define TENON_COMPILER_LOWERING_TRANSPOSEBLOCK_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace tenon {

/// A square of elements of an elementwise op, some of whose operands run along
/// another dimension (`across`) than its results (`last`): their rows are
/// loaded as vectors and turned by shuffles.
class TransposeBlock {
public:
  static constexpr int64_t size = 16;

  /// For an op on memrefs; none if its body, types or strides do not allow
  /// vectors.
  static std::optional<TransposeBlock> find(mlir::OpBuilder &b,
                                            mlir::linalg::LinalgOp op,
                                            unsigned across, unsigned last);

  /// Does the square that begins at `indices`, one per loop.
  void emit(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> indices) const;

private:
  TransposeBlock(mlir::linalg::LinalgOp op, unsigned across, unsigned last)
      : op(op), across(across), last(last) {}

  mlir::linalg::LinalgOp op;
  unsigned across, last;
};

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_TRANSPOSEBLOCK_H
