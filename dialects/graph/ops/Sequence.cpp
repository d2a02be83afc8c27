#include "dialects/graph/ops/Sequence.h"
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
  lowering.set(getResult(),
               sliceAt(b, getLoc(),
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
  Dims dims(shapes.dims(getList()));
  if (getGrow()) {
    AffineExpr index = elementsOrNull(shapes, getIndex(), 1)[0];
    std::optional<int64_t> known = ShapeContext::asConstant(index);
    dims[0] = known && *known >= 0 ? shapes.maximum(dims[0], index + 1)
                                   : shapes.freshSymbol(getResult(), 0);
  }
  shapes.setDims(getResult(), dims);
  return success();
}

/// A copy of the list that has room for the item, and where that goes.
static Value grown(ListSetItemOp op, LoweringContext &lowering, Value list,
                   SmallVector<OpFoldResult> &offsets,
                   SmallVector<OpFoldResult> &sizes) {
  OpBuilder &b = lowering.builder;
  Location loc = op.getLoc();
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  Value given = lowering.element(op.getIndex(), 0);
  require(lowering, loc,
          b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge, given,
                                        zero),
          "index is negative");
  Value index = b.createOrFold<arith::MaxSIOp>(loc, given, zero);
  lowering.bindDim(
      op.getResult(), 0,
      b.createOrFold<arith::MaxSIOp>(loc, lowering.dimIndex(op.getList(), 0),
                                     add(b, loc, index, one)));
  Value destination = lowering.filled(
      op.getResult(), zeroOf(b, loc, getElementTypeOrSelf(list.getType())));
  sizes = lowering.sizes(op.getList());
  offsets.assign(sizes.size(), b.getIndexAttr(0));
  destination = insertAt(b, loc, list, destination, offsets, sizes);
  sizes[0] = b.getIndexAttr(1);
  offsets[0] = getAsOpFoldResult(index);
  return destination;
}

LogicalResult ListSetItemOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Value list = lowering.get(getList());
  SmallVector<OpFoldResult> offsets, sizes;
  if (getGrow())
    list = grown(*this, lowering, list, offsets, sizes);
  else
    locate(*this, lowering, offsets, sizes);
  ArrayRef<AffineExpr> item = lowering.shapes.dims(getList()).drop_front();
  Value value = conform(lowering, getLoc(), lowering.get(getItem()),
                        lowering.shapes.dims(getItem()), item,
                        "the item does not have the size of the list's items");
  value = castTo(b, getLoc(), value,
                 typeOf(item, getElementTypeOrSelf(value.getType())));
  lowering.set(getResult(), insertAt(b, getLoc(), value, list, offsets, sizes));
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
