#include "dialects/graph/Graph.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;
using namespace tenon::graph;

/// Item dims of a list; fails when it is no list.
template <typename OpTy>
static FailureOr<ArrayRef<AffineExpr>> itemDims(OpTy op, ShapeContext &shapes) {
  ArrayRef<AffineExpr> list = shapes.dims(op.getList());
  if (list.empty())
    return op.emitOpError("list is a scalar, expected a first dimension that "
                          "counts its items"),
           failure();
  if (failed(expectScalar(op, shapes, op.getIndex(), "index")))
    return failure();
  return list.drop_front();
}

/// Offsets and sizes of one item. The index is checked, and then kept inside
/// of the list so that nothing else is read or written.
template <typename OpTy>
static void locate(OpTy op, LoweringContext &lowering,
                   SmallVector<OpFoldResult> &offsets,
                   SmallVector<OpFoldResult> &sizes) {
  OpBuilder &b = lowering.builder;
  Location loc = op.getLoc();
  Value count = lowering.dimIndex(op.getList(), 0),
        zero = lowering.constantIndex(0),
        index = lowering.element(op.getIndex(), 0);
  require(lowering, loc, inRange(b, loc, index, count),
          "index is outside of the list");
  Value last = b.createOrFold<arith::MaxSIOp>(
      loc, sub(b, loc, count, lowering.constantIndex(1)), zero);
  sizes = lowering.sizes(op.getList());
  sizes[0] = b.getIndexAttr(1);
  offsets.assign(sizes.size(), b.getIndexAttr(0));
  offsets[0] = getAsOpFoldResult(clampIndex(b, loc, index, zero, last));
}

LogicalResult ListGetItemOp::inferShapes(ShapeContext &shapes) {
  FailureOr<ArrayRef<AffineExpr>> item = itemDims(*this, shapes);
  if (failed(item))
    return failure();
  shapes.setDims(getResult(), *item);
  return success();
}

LogicalResult ListGetItemOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  SmallVector<OpFoldResult> offsets, sizes;
  locate(*this, lowering, offsets, sizes);
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  Value list = lowering.get(getList());
  lowering.set(getResult(), tensor::ExtractSliceOp::create(
                                b, getLoc(),
                                typeOf(lowering.shapes.dims(getResult()),
                                       getElementTypeOrSelf(list.getType())),
                                list, offsets, sizes, ones));
  return success();
}

LogicalResult ListSetItemOp::inferShapes(ShapeContext &shapes) {
  FailureOr<ArrayRef<AffineExpr>> item = itemDims(*this, shapes);
  if (failed(item) ||
      failed(expectRank(*this, shapes, getItem(), item->size(), "item")))
    return failure();
  for (auto [have, want] : llvm::zip(shapes.dims(getItem()), *item))
    if (failed(expectSame(*this, have, want, "sizes of item and list")))
      return failure();
  shapes.copyDims(getResult(), getList());
  return success();
}

LogicalResult ListSetItemOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  SmallVector<OpFoldResult> offsets, sizes;
  locate(*this, lowering, offsets, sizes);
  ArrayRef<AffineExpr> item = lowering.shapes.dims(getList()).drop_front();
  Value value = conform(lowering, getLoc(), lowering.get(getItem()),
                        lowering.shapes.dims(getItem()), item,
                        "the item does not have the size of the list's items");
  value = castTo(b, getLoc(), value,
                 typeOf(item, getElementTypeOrSelf(value.getType())));
  lowering.set(getResult(), insertAt(b, getLoc(), value,
                                     lowering.get(getList()), offsets, sizes));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Sequence.cpp.inc"

void GraphDialect::registerSequenceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Sequence.cpp.inc"
      >();
}
