// Running sums and products.
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Reduce.h"
#include "dialects/graph/ops/Reduction.h"
#include "dialects/graph/ops/ScalarMath.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include <limits>

using namespace mlir;
using namespace tenon::graph;

static LogicalResult inferScan(Operation *op, Value input, int64_t axis,
                               ShapeContext &shapes) {
  if (failed(normalizeAxis(op, axis, shapes.dims(input).size())))
    return failure();
  shapes.copyDims(op->getResult(0), input);
  return success();
}

/// A loop along the axis that carries the result and the running slice; one
/// generic per step combines a slice of the input into both. Linear in time,
/// and the other dimensions vectorise.
static LogicalResult
lowerScan(Operation *op, LoweringContext &lowering, Value input, int64_t axis,
          bool exclusive, bool reverse, Value identity,
          function_ref<Value(OpBuilder &, Location, Value, Value)> combine) {
  OpBuilder &b = lowering.builder;
  Location loc = op->getLoc();
  Value result = op->getResult(0), source = lowering.get(input);
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(input);
  int64_t rank = dims.size();
  axis = axis < 0 ? axis + rank : axis;
  Type element = cast<RankedTensorType>(source.getType()).getElementType();
  Type accumulator = identity.getType();

  // Slices keep the axis: which of several dimensions of one element is left
  // out would be ambiguous.
  Dims others(dims);
  others[axis] = lowering.shapes.constant(1);
  Value running = linalg::FillOp::create(b, loc, identity,
                                         lowering.empty(others, accumulator))
                      .getResult(0);
  Value length = lowering.index(dims[axis]);
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  SmallVector<OpFoldResult> sizes = lowering.sizes(input);
  sizes[axis] = b.getIndexAttr(1);
  SmallVector<OpFoldResult> strides(rank, b.getIndexAttr(1));
  Value sliceDestination = lowering.empty(others, element);
  auto loop = scf::ForOp::create(b, loc, zero, length, one,
                                 ValueRange{lowering.empty(result), running});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value position = loop.getInductionVar();
    if (reverse)
      position = arith::SubIOp::create(
          b, loc, arith::SubIOp::create(b, loc, length, one), position);
    SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0));
    offsets[axis] = position;
    auto sliceType = cast<RankedTensorType>(sliceDestination.getType());
    Value slice = tensor::ExtractSliceOp::create(b, loc, sliceType, source,
                                                 offsets, sizes, strides);
    SmallVector<AffineMap> maps(3, b.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> iterators(rank,
                                               utils::IteratorType::parallel);
    auto step = linalg::GenericOp::create(
        b, loc, TypeRange{sliceType, running.getType()}, slice,
        ValueRange{sliceDestination, loop.getRegionIterArg(1)}, maps, iterators,
        [&](OpBuilder &nested, Location at, ValueRange v) {
          Value next = combine(
              nested, at, convertFloat(nested, at, v[0], accumulator), v[2]);
          Value here =
              convertFloat(nested, at, exclusive ? v[2] : next, element);
          linalg::YieldOp::create(nested, at, ValueRange{here, next});
        });
    Value inserted = tensor::InsertSliceOp::create(b, loc, step.getResult(0),
                                                   loop.getRegionIterArg(0),
                                                   offsets, sizes, strides);
    scf::YieldOp::create(b, loc, ValueRange{inserted, step.getResult(1)});
  }
  lowering.set(result, loop.getResult(0));
  return success();
}

LogicalResult CumSumOp::inferShapes(ShapeContext &shapes) {
  return inferScan(*this, getInput(), getAxis(), shapes);
}
LogicalResult CumProdOp::inferShapes(ShapeContext &shapes) {
  return inferScan(*this, getInput(), getAxis(), shapes);
}
LogicalResult CumLogSumExpOp::inferShapes(ShapeContext &shapes) {
  return inferScan(*this, getInput(), getAxis(), shapes);
}

LogicalResult CumSumOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerScan(
      *this, lowering, getInput(), getAxis(), getExclusive(), getReverse(),
      identityOf(lowering, getInput(), 0),
      [](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        if (isa<ComplexType>(lhs.getType()))
          return complex::AddOp::create(b, loc, lhs, rhs);
        return Scalar(b, loc, rhs) + Scalar(b, loc, lhs);
      });
}

LogicalResult CumProdOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerScan(
      *this, lowering, getInput(), getAxis(), getExclusive(), getReverse(),
      identityOf(lowering, getInput(), 1),
      [](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        if (isa<ComplexType>(lhs.getType()))
          return complex::MulOp::create(b, loc, lhs, rhs);
        return Scalar(b, loc, rhs) * Scalar(b, loc, lhs);
      });
}

LogicalResult CumLogSumExpOp::lowerToLinalg(LoweringContext &lowering) {
  double identity = -std::numeric_limits<double>::infinity();
  return lowerScan(
      *this, lowering, getInput(), getAxis(), getExclusive(), getReverse(),
      identityOf(lowering, getInput(), identity),
      [](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        Scalar x(b, loc, lhs), y(b, loc, rhs);
        Scalar greater = x.apply<arith::MaximumFOp>(y),
               lesser = x.apply<arith::MinimumFOp>(y);
        Scalar sum = greater + log1p(exp(lesser - greater));
        // The difference of two equal infinities would be NaN.
        return select(lesser == greater, greater + 0.69314718055994530942, sum);
      });
}
