#include "dialects/graph/ops/Pooling.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/WindowSupport.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// max_pool, avg_pool
//===----------------------------------------------------------------------===//

template <typename OpTy>
static FailureOr<SmallVector<WindowDim>>
poolGeometry(OpTy op, ShapeContext &shapes, Layout &layout, Dims &input) {
  ArrayRef<AffineExpr> dims = shapes.dims(op.getInput());
  layout = {int64_t(dims.size()), op.getChannelsFirst()};
  if (layout.rank < 3 || int64_t(op.getWindow().size()) != layout.rank - 2)
    return op.emitOpError()
               << "operand of shape " << shapeString(dims) << " does not have "
               << op.getWindow().size() << " spatial dimensions",
           failure();
  Type element = getElementTypeOrSelf(op.getInput().getType());
  if (element.isInteger(1) || !element.isIntOrFloat())
    return op.emitOpError() << "cannot pool elements of type " << element,
           failure();
  input = permuted(dims, layout.toLast());
  return windowGeometry(op, shapes, ArrayRef(input).slice(1, layout.rank - 2),
                        {op.getWindow(),
                         op.getStrides(),
                         {},
                         op.getPadding(),
                         op.getExplicitPadding()});
}

template <typename OpTy>
static LogicalResult inferPool(OpTy op, ShapeContext &shapes) {
  Layout layout;
  Dims dims;
  FailureOr<SmallVector<WindowDim>> window =
      poolGeometry(op, shapes, layout, dims);
  if (failed(window))
    return failure();
  for (auto [i, dim] : llvm::enumerate(*window))
    dims[i + 1] = dim.output;
  shapes.setDims(op.getResult(), permuted(dims, layout.fromLast()));
  return success();
}

/// The least value, which no maximum is changed by.
static Attribute lowest(Type type) {
  if (auto floating = dyn_cast<FloatType>(type))
    return FloatAttr::get(
        floating, APFloat::getLargest(floating.getFloatSemantics(), true));
  return IntegerAttr::get(
      type, APInt::getSignedMinValue(type.getIntOrFloatBitWidth()));
}

/// Divides sums of windows by how many elements each has inside of the input.
static Value divideByCounts(LoweringContext &lowering, Location loc, Value sums,
                            ArrayRef<AffineExpr> dims,
                            ArrayRef<WindowDim> window) {
  OpBuilder &b = lowering.builder;
  SmallVector<Value> lows, sizes;
  for (const WindowDim &dim : window) {
    lows.push_back(lowering.index(dim.low));
    sizes.push_back(lowering.index(dim.input));
  }
  Type element = getElementTypeOrSelf(sums.getType());
  AffineMap identity = b.getMultiDimIdentityMap(dims.size());
  return linalg::GenericOp::create(
             b, loc, TypeRange{sums.getType()}, sums,
             lowering.empty(dims, element), ArrayRef{identity, identity},
             SmallVector<utils::IteratorType>(dims.size(),
                                              utils::IteratorType::parallel),
             [&](OpBuilder &nested, Location at, ValueRange v) {
               Value count = constantIndex(nested, at, 1),
                     zero = constantIndex(nested, at, 0);
               for (auto [i, dim] : llvm::enumerate(window)) {
                 Value place = linalg::IndexOp::create(nested, at, i + 1);
                 Value first = sub(nested, at,
                                   mul(nested, at, place,
                                       constantIndex(nested, at, dim.stride)),
                                   lows[i]);
                 Value last = add(nested, at, first,
                                  constantIndex(nested, at, dim.size));
                 count =
                     mul(nested, at, count,
                         sub(nested, at,
                             arith::MinSIOp::create(nested, at, last, sizes[i]),
                             arith::MaxSIOp::create(nested, at, first, zero)));
               }
               Value divisor = arith::SIToFPOp::create(
                   nested, at, element,
                   arith::IndexCastOp::create(nested, at, nested.getI64Type(),
                                              count));
               linalg::YieldOp::create(
                   nested, at,
                   arith::DivFOp::create(nested, at, v[0], divisor)
                       .getResult());
             })
      .getResult(0);
}

template <typename OpTy>
static LogicalResult lowerPool(OpTy op, LoweringContext &lowering, bool isMax) {
  OpBuilder &b = lowering.builder;
  Location loc = op.getLoc();
  Layout layout;
  Dims dims;
  FailureOr<SmallVector<WindowDim>> window =
      poolGeometry(op, lowering.shapes, layout, dims);
  if (failed(window))
    return failure();
  Value input =
      transposed(b, loc, lowering.get(op.getInput()), layout.toLast());
  Type element = getElementTypeOrSelf(input.getType());
  Dims padded(dims), to(dims);
  for (auto [i, dim] : llvm::enumerate(*window))
    to[i + 1] = dim.output;
  SmallVector<int64_t> padding = constantPadding(
      lowering, loc, input, padded, *window,
      isMax ? lowest(element) : Attribute(b.getZeroAttr(element)));
  // Padded places would count; sums of theirs do not.
  bool countHere = !isMax && padded != dims;
  kernel::WindowKind kind = isMax       ? kernel::WindowKind::Max
                            : countHere ? kernel::WindowKind::Sum
                                        : kernel::WindowKind::Average;
  Value result = kernel::WindowOp::create(b, loc, kind, input, Value(),
                                          lowering.empty(to, element),
                                          sizesOf(*window), stridesOf(*window),
                                          dilationsOf(*window), padding)
                     ->getResult(0);
  if (countHere)
    result = divideByCounts(lowering, loc, result, to, *window);
  lowering.set(op.getResult(), transposed(b, loc, result, layout.fromLast()));
  return success();
}

LogicalResult MaxPoolOp::inferShapes(ShapeContext &shapes) {
  return inferPool(*this, shapes);
}
LogicalResult MaxPoolOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerPool(*this, lowering, /*isMax=*/true);
}

LogicalResult AvgPoolOp::inferShapes(ShapeContext &shapes) {
  if (!isa<FloatType>(getElementTypeOrSelf(getInput().getType())))
    return emitOpError("means of integers are not defined");
  return inferPool(*this, shapes);
}
LogicalResult AvgPoolOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerPool(*this, lowering, /*isMax=*/false);
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Pooling.cpp.inc"

void GraphDialect::registerPoolingOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Pooling.cpp.inc"
      >();
}
