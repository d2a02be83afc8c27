#ifndef TENON_DIALECTS_GRAPH_LOWERINGSUPPORT_H
#define TENON_DIALECTS_GRAPH_LOWERINGSUPPORT_H

#include "dialects/graph/LoweringContext.h"

/// Pieces that lowerings of several families are made of.
namespace tenon::graph {

/// Fails the run with `message`, after the node's name, when `condition` (i1)
/// does not hold. What follows is still executed and must do no harm.
void require(LoweringContext &lowering, mlir::Location loc,
             mlir::Value condition, const llvm::Twine &message);
/// `value`, whose dims are `from`, as a tensor of the dims `to`, which the run
/// must find to be the same sizes. Where that is not known at compile time it
/// is checked, and since a run goes on after a failed check, the value is cut
/// and filled up so that no memory outside of it is ever touched.
mlir::Value conform(LoweringContext &lowering, mlir::Location loc,
                    mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> from,
                    llvm::ArrayRef<mlir::AffineExpr> to,
                    const llvm::Twine &message);

/// The zero of any element type, as a constant.
mlir::Value zeroOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type);

/// x + y of any two numbers.
mlir::Value sum(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                mlir::Value y);

/// An integer element as an index and back; `graphType` is the graph's element
/// type, which tells unsigned integers.
mlir::Value toIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value integer,
                    mlir::Type graphType);
mlir::Value fromIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index,
                      mlir::Type type);
/// The element of a rank 0 graph value.
mlir::Value scalar(LoweringContext &lowering, mlir::Location loc,
                   mlir::Value graphValue);

/// A destination of a graph value's shape whose elements are all a scalar of
/// the graph.
mlir::Value filledWith(LoweringContext &lowering, mlir::Location loc,
                       mlir::Value result, mlir::Value graphScalar);

/// Index arithmetic.
mlir::Value add(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                mlir::Value y);
mlir::Value sub(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                mlir::Value y);
mlir::Value mul(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                mlir::Value y);
mlir::Value less(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                 mlir::Value y);
mlir::Value equal(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                  mlir::Value y);
mlir::Value select(mlir::OpBuilder &b, mlir::Location loc, mlir::Value c,
                   mlir::Value x, mlir::Value y);
mlir::Value clampIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                       mlir::Value low, mlir::Value high);
mlir::Value constantIndex(mlir::OpBuilder &b, mlir::Location loc,
                          int64_t value);
/// Both hold (i1).
mlir::Value both(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                 mlir::Value y);
/// 0 <= x < size.
mlir::Value inRange(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                    mlir::Value size);

/// Whether `body` (element and indices to i1) holds for all elements of a
/// lowered tensor: one reduction.
mlir::Value
allOf(LoweringContext &lowering, mlir::Location loc, mlir::Value tensor,
      llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                     mlir::Value element,
                                     mlir::ValueRange indices)>
          body);

/// The same elements in the shape `to`, whose number of elements is that of
/// `from`, the value's dims.
mlir::Value reshapeTo(LoweringContext &lowering, mlir::Location loc,
                      mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> from,
                      llvm::ArrayRef<mlir::AffineExpr> to);
/// Dimension i of the result is dimension permutation[i].
mlir::Value transposed(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value value, llvm::ArrayRef<int64_t> permutation);
/// The tensor type of known and unknown sizes.
mlir::RankedTensorType typeOf(llvm::ArrayRef<mlir::AffineExpr> dims,
                              mlir::Type element);
/// `value` between constant sizes of `to` and `?`; nothing if equal.
mlir::Value castTo(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                   mlir::RankedTensorType to);
/// The part of `source` that begins at `offsets`, of type `type` (which may
/// lack dimensions of size 1). Where a part is empty, its offset does not
/// matter.
mlir::Value sliceAt(mlir::OpBuilder &b, mlir::Location loc,
                    mlir::RankedTensorType type, mlir::Value source,
                    llvm::ArrayRef<mlir::OpFoldResult> offsets,
                    llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    llvm::ArrayRef<mlir::OpFoldResult> strides);
/// The part of a destination that begins at `offsets` with unit steps is
/// `source`, whose rank may lack dimensions of size 1.
mlir::Value insertAt(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source,
                     mlir::Value destination,
                     llvm::ArrayRef<mlir::OpFoldResult> offsets,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// One part of a tensor that is put together.
struct Part {
  mlir::Value source;
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes;
};
/// `destination` with disjoint parts inserted. Each is inserted as soon as it
/// is there, so that bufferization can let its producer write in place.
mlir::Value assemble(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value destination, llvm::ArrayRef<Part> parts);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_LOWERINGSUPPORT_H
