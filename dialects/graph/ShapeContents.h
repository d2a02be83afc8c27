#ifndef TENON_DIALECTS_GRAPH_SHAPECONTENTS_H
#define TENON_DIALECTS_GRAPH_SHAPECONTENTS_H

#include "dialects/graph/LoweringContext.h"
#include "dialects/graph/ShapeContext.h"
#include "llvm/ADT/STLFunctionalExtras.h"

/// How ops that rearrange small integer tensors pass on what is known about
/// their elements, and read their integer operands.
namespace tenon::graph {

/// The sizes, when all are known.
std::optional<llvm::SmallVector<int64_t>> constantDims(ShapeContext &shapes,
                                                       mlir::Value value);

/// Sets the contents of an integer result element by element: `element` gets an
/// index per dimension. No effect for results that are large, of unknown size,
/// or no integers. Call it after `setDims`.
void setContentsBy(
    ShapeContext &shapes, mlir::Value result,
    llvm::function_ref<mlir::AffineExpr(llvm::ArrayRef<int64_t>)> element);

/// The same where element `index` of the result is an element of `source`:
/// `from` gives its index, empty optional for an unknown one.
void setContentsFrom(
    ShapeContext &shapes, mlir::Value result, mlir::Value source,
    llvm::function_ref<
        std::optional<llvm::SmallVector<int64_t>>(llvm::ArrayRef<int64_t>)>
        from);

/// The operand's elements in row-major order, `count` of them; null where
/// unknown.
Dims elementsOrNull(ShapeContext &shapes, mlir::Value value, int64_t count);

/// The length of a vector operand, which must be known: it is the rank of
/// something. An op error that calls the operand `name` otherwise.
llvm::FailureOr<int64_t> vectorLength(mlir::Operation *op, ShapeContext &shapes,
                                      mlir::Value value, llvm::StringRef name);

/// Fails with an op error when the operand `name` is not a scalar.
llvm::LogicalResult expectScalar(mlir::Operation *op, ShapeContext &shapes,
                                 mlir::Value value, llvm::StringRef name);

/// Fails with an op error when the rank is not `rank`.
llvm::LogicalResult expectRank(mlir::Operation *op, ShapeContext &shapes,
                               mlir::Value value, int64_t rank,
                               llvm::StringRef name);

/// Fails with an op error when two sizes are known and different. `what` says
/// whose sizes they are.
llvm::LogicalResult expectSame(mlir::Operation *op, mlir::AffineExpr a,
                               mlir::AffineExpr b, llvm::StringRef what);

/// An axis attribute as 0..rank-1; fails with an op error when it is out of
/// range.
llvm::FailureOr<int64_t> normalizeAxis(mlir::Operation *op, int64_t axis,
                                       int64_t rank);

/// The same for an axis that was checked before.
inline int64_t wrapAxis(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

/// Lowers a pure op all of whose results have known contents to these: shape
/// computations become a few index operations, or nothing. False if not all are
/// known.
bool lowerKnownContents(mlir::Operation *op, LoweringContext &lowering);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_SHAPECONTENTS_H
