#include "dialects/graph/ops/Normalization.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Formula.h"

using namespace mlir;
using namespace tenon::graph;

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}
static int64_t normalized(int64_t axis, ArrayRef<AffineExpr> dims) {
  return axis < 0 ? axis + int64_t(dims.size()) : axis;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static LogicalResult inferSoftmax(Operation *op, int64_t axis,
                                  ShapeContext &shapes) {
  if (failed(normalizeAxis(op, axis, shapes.dims(op->getOperand(0)).size())))
    return failure();
  shapes.copyDims(op->getResult(0), op->getOperand(0));
  return success();
}

LogicalResult SoftmaxOp::inferShapes(ShapeContext &shapes) {
  return inferSoftmax(*this, getAxis(), shapes);
}
LogicalResult LogSoftmaxOp::inferShapes(ShapeContext &shapes) {
  return inferSoftmax(*this, getAxis(), shapes);
}

/// Both start alike: what `finish` makes of the formula, the input, its
/// greatest element `m` along the axis and exp(input - m), in the input's
/// element type.
template <typename OpTy>
static LogicalResult
lowerSoftmax(OpTy op, LoweringContext &lowering,
             function_ref<Value(Formula &, Value input, Value greatest,
                                Value powers, Type element)>
                 finish) {
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(op.getInput());
  Type element = elementOf(op.getInput());
  Formula f(lowering, op.getLoc(), dims, normalized(op.getAxis(), dims),
            accumulatorType(element));
  Value input = lowering.get(op.getInput()), greatest = f.maximum(input);
  Value powers = f.map({input, greatest}, {f.full, f.broadcast},
                       [](ArrayRef<Scalar> v) { return exp(v[0] - v[1]); });
  lowering.set(op.getResult(), finish(f, input, greatest, powers, element));
  return success();
}

LogicalResult SoftmaxOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerSoftmax(
      *this, lowering,
      [](Formula &f, Value, Value, Value powers, Type element) {
        Value factor = f.mapKept(f.sum(powers),
                                 [](ArrayRef<Scalar> v) { return 1 / v[0]; });
        return f.map(
            {powers, factor}, {f.full, f.broadcast},
            [](ArrayRef<Scalar> v) { return v[0] * v[1]; }, element);
      });
}

LogicalResult LogSoftmaxOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerSoftmax(
      *this, lowering,
      [](Formula &f, Value input, Value greatest, Value powers, Type element) {
        Value logSum = f.mapKept(f.sum(powers),
                                 [](ArrayRef<Scalar> v) { return log(v[0]); });
        return f.map(
            {input, greatest, logSum}, {f.full, f.broadcast, f.broadcast},
            [](ArrayRef<Scalar> v) { return (v[0] - v[1]) - v[2]; }, element);
      });
}

//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

/// Checks the operands that have one element per channel.
static LogicalResult checkChannels(Operation *op, ShapeContext &shapes,
                                   Value input, int64_t axis,
                                   ValueRange perChannel) {
  ArrayRef<AffineExpr> dims = shapes.dims(input);
  if (axis < 0 || axis >= int64_t(dims.size()))
    return op->emitOpError() << "axis " << axis << " is outside [0, "
                             << dims.size() << "), the input's rank";
  for (Value operand : perChannel) {
    ArrayRef<AffineExpr> sizes = shapes.dims(operand);
    auto known =
        sizes.size() == 1 ? ShapeContext::asConstant(sizes[0]) : std::nullopt;
    auto channels = ShapeContext::asConstant(dims[axis]);
    if (sizes.size() != 1 || (known && channels && *known != *channels))
      return op->emitOpError()
             << "has " << shapeString(dims[axis])
             << " channels, but an operand with one element per channel has "
                "shape "
             << shapeString(sizes);
  }
  return success();
}

static SmallVector<int64_t> allBut(int64_t axis, int64_t rank) {
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      axes.push_back(i);
  return axes;
}

LogicalResult BatchNormOp::inferShapes(ShapeContext &shapes) {
  if (failed(
          checkChannels(*this, shapes, getInput(), getAxis(),
                        {getScale(), getOffset(), getMean(), getVariance()})))
    return failure();
  shapes.copyDims(getResult(), getInput());
  return success();
}

static Scalar inverseDeviation(const Scalar &variance, double epsilon) {
  return 1 / (variance + epsilon).sqrt();
}

LogicalResult BatchNormOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  double epsilon = getEpsilon().convertToDouble();
  Formula f(lowering, getLoc(), dims, allBut(getAxis(), dims.size()),
            accumulatorType(elementOf(getScale())));
  Value factor =
      f.mapKept({lowering.get(getScale()), lowering.get(getVariance())},
                [&](ArrayRef<Scalar> v) {
                  return v[0] * inverseDeviation(v[1], epsilon);
                });
  Value shift =
      f.mapKept({lowering.get(getOffset()), lowering.get(getMean()), factor},
                [](ArrayRef<Scalar> v) { return v[0] - v[1] * v[2]; });
  lowering.set(getResult(),
               f.map(
                   {lowering.get(getInput()), factor, shift},
                   {f.full, f.broadcast, f.broadcast},
                   [](ArrayRef<Scalar> v) { return v[0] * v[1] + v[2]; },
                   elementOf(getResult())));
  return success();
}

LogicalResult BatchNormTrainingOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkChannels(*this, shapes, getInput(), getAxis(),
                           {getScale(), getOffset()})))
    return failure();
  shapes.copyDims(getResult(), getInput());
  for (Value statistic : {getMean(), getUnbiasedVariance(), getVariance()})
    shapes.setDims(statistic, shapes.dim(getInput(), getAxis()));
  return success();
}

LogicalResult BatchNormTrainingOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  double epsilon = getEpsilon().convertToDouble();
  SmallVector<int64_t> axes = allBut(getAxis(), dims.size());
  Type type = accumulatorType(elementOf(getScale()));
  Formula f(lowering, getLoc(), dims, axes, type);
  Value input = lowering.get(getInput());
  Value count = countOf(lowering, getLoc(), getInput(), axes, type);
  auto overCount = [&](ArrayRef<Scalar> v) { return v[0] / v[0].wrap(count); };
  Value mean = f.mapKept(f.sum(input), overCount);
  Value squares =
      f.map({input, mean}, {f.full, f.broadcast}, [](ArrayRef<Scalar> v) {
        Scalar difference = v[0] - v[1];
        return difference * difference;
      });
  Value variance = f.mapKept(f.sum(squares), overCount);
  Value unbiased = f.mapKept(
      variance,
      [&](ArrayRef<Scalar> v) {
        Scalar n = v[0].wrap(count), less = n - 1;
        return v[0] * (n / select(less > 1, less, n.constant(1)));
      },
      elementOf(getUnbiasedVariance()));
  Value factor =
      f.mapKept({lowering.get(getScale()), variance}, [&](ArrayRef<Scalar> v) {
        return v[0] * inverseDeviation(v[1], epsilon);
      });
  lowering.set(
      getResult(),
      f.map(
          {input, mean, factor, lowering.get(getOffset())},
          {f.full, f.broadcast, f.broadcast, f.broadcast},
          [](ArrayRef<Scalar> v) { return (v[0] - v[1]) * v[2] + v[3]; },
          elementOf(getResult())));
  auto store = [&](Value result, Value value) {
    Type element = elementOf(result);
    if (elementOf(value) != element)
      value =
          f.mapKept(value, [](ArrayRef<Scalar> v) { return v[0]; }, element);
    lowering.set(result, value);
  };
  store(getMean(), mean);
  store(getUnbiasedVariance(), unbiased);
  store(getVariance(), variance);
  return success();
}

LogicalResult BatchNormGradOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkChannels(*this, shapes, getInput(), getAxis(),
                           {getScale(), getMean(), getVariance()})))
    return failure();
  if (shapes.dims(getGradient()).size() != shapes.dims(getInput()).size())
    return emitOpError() << "the gradient has shape "
                         << shapeString(shapes.dims(getGradient()))
                         << ", but the input has shape "
                         << shapeString(shapes.dims(getInput()));
  shapes.copyDims(getInputGradient(), getInput());
  for (Value gradient : {getScaleGradient(), getOffsetGradient()})
    shapes.setDims(gradient, shapes.dim(getInput(), getAxis()));
  return success();
}

LogicalResult BatchNormGradOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  double epsilon = getEpsilon().convertToDouble();
  SmallVector<int64_t> axes = allBut(getAxis(), dims.size());
  Type type = accumulatorType(elementOf(getScale()));
  Formula f(lowering, getLoc(), dims, axes, type);
  Value input = lowering.get(getInput()),
        gradient = lowering.get(getGradient()),
        scale = lowering.get(getScale()), mean = lowering.get(getMean());
  Value inverse =
      f.mapKept(lowering.get(getVariance()), [&](ArrayRef<Scalar> v) {
        return inverseDeviation(v[0], epsilon);
      });
  Value offsetGradient = f.sum(gradient);
  Value products =
      f.map({gradient, input, mean, inverse},
            {f.full, f.full, f.broadcast, f.broadcast},
            [](ArrayRef<Scalar> v) { return v[0] * ((v[1] - v[2]) * v[3]); });
  Value scaleGradient = f.sum(products);
  Value inputGradient;
  if (getTraining()) {
    // The mean and variance depend on every element of the channel.
    Value count = countOf(lowering, getLoc(), getInput(), axes, type);
    inputGradient = f.map(
        {gradient, input, mean, inverse, scale, offsetGradient, scaleGradient},
        {f.full, f.full, f.broadcast, f.broadcast, f.broadcast, f.broadcast,
         f.broadcast},
        [&](ArrayRef<Scalar> v) {
          Scalar n = v[0].wrap(count);
          Scalar unit = (v[1] - v[2]) * v[3];
          return v[4] * v[3] * (v[0] - v[5] / n - unit * (v[6] / n));
        },
        elementOf(getInputGradient()));
  } else {
    inputGradient = f.map(
        {gradient, inverse, scale}, {f.full, f.broadcast, f.broadcast},
        [](ArrayRef<Scalar> v) { return v[0] * (v[1] * v[2]); },
        elementOf(getInputGradient()));
  }
  lowering.set(getInputGradient(), inputGradient);
  lowering.set(getScaleGradient(), scaleGradient);
  lowering.set(getOffsetGradient(), offsetGradient);
  return success();
}

//===----------------------------------------------------------------------===//
// Layer normalization, local response normalization
//===----------------------------------------------------------------------===//

LogicalResult LayerNormOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size());
  if (failed(axis))
    return failure();
  for (Value operand : {getScale(), getOffset()})
    if (shapes.dims(operand).size() != dims.size() - *axis)
      return emitOpError() << "normalizes over "
                           << shapeString(dims.drop_front(*axis))
                           << ", but scale or offset has shape "
                           << shapeString(shapes.dims(operand));
  shapes.copyDims(getResult(), getInput());
  return success();
}

LogicalResult LayerNormOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  int64_t rank = dims.size(), axis = normalized(getAxis(), dims);
  double epsilon = getEpsilon().convertToDouble();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(axis, rank));
  Type type = accumulatorType(elementOf(getInput()));
  Formula f(lowering, getLoc(), dims, axes, type);
  Value input = lowering.get(getInput());
  Value count = countOf(lowering, getLoc(), getInput(), axes, type);
  auto overCount = [&](ArrayRef<Scalar> v) { return v[0] / v[0].wrap(count); };
  Value mean = f.mapKept(f.sum(input), overCount);
  Value squares =
      f.map({input, mean}, {f.full, f.broadcast}, [](ArrayRef<Scalar> v) {
        Scalar difference = v[0] - v[1];
        return difference * difference;
      });
  Value inverse = f.mapKept(f.sum(squares), [&](ArrayRef<Scalar> v) {
    return inverseDeviation(v[0] / v[0].wrap(count), epsilon);
  });
  AffineMap trailing =
      b.getMultiDimIdentityMap(rank).getMinorSubMap(rank - axis);
  lowering.set(
      getResult(),
      f.map(
          {input, mean, inverse, lowering.get(getScale()),
           lowering.get(getOffset())},
          {f.full, f.broadcast, f.broadcast, trailing, trailing},
          [](ArrayRef<Scalar> v) { return (v[0] - v[1]) * v[2] * v[3] + v[4]; },
          elementOf(getResult())));
  return success();
}

LogicalResult LrnOp::inferShapes(ShapeContext &shapes) {
  if (shapes.dims(getInput()).empty())
    return emitOpError() << "expects a dimension to normalize along, but the "
                            "input is a scalar";
  // Far beyond what any model has, and small enough to compute with.
  constexpr int64_t maxRadius = 1 << 20;
  int64_t radius = getRadius();
  if (radius < 0 || radius > maxRadius)
    return emitOpError() << "radius " << radius << " is outside [0, "
                         << maxRadius << "]";
  shapes.copyDims(getResult(), getInput());
  return success();
}

/// The windows' sums are a reduction over their positions, in squares padded
/// with zeros.
LogicalResult LrnOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  unsigned rank = dims.size();
  int64_t radius = getRadius();
  Type type = accumulatorType(elementOf(getInput()));
  Formula f(lowering, loc, dims, {}, type);
  Value input = lowering.get(getInput());
  Value squares =
      f.map(input, f.full, [](ArrayRef<Scalar> v) { return v[0] * v[0]; });
  Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 0));
  SmallVector<OpFoldResult> padding(rank, b.getIndexAttr(0));
  padding.back() = b.getIndexAttr(radius);
  SmallVector<int64_t> paddedShape(
      cast<RankedTensorType>(squares.getType()).getShape());
  if (!ShapedType::isDynamic(paddedShape.back()))
    paddedShape.back() += 2 * radius;
  Value padded =
      tensor::PadOp::create(b, loc, RankedTensorType::get(paddedShape, type),
                            squares, padding, padding, zero);
  Value window =
      tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{2 * radius + 1}, type);
  SmallVector<AffineExpr> at;
  for (unsigned i = 0; i < rank; ++i)
    at.push_back(b.getAffineDimExpr(i));
  auto outputMap = AffineMap::get(rank + 1, 0, at, b.getContext());
  at.back() = at.back() + b.getAffineDimExpr(rank);
  SmallVector<AffineMap> maps{
      AffineMap::get(rank + 1, 0, at, b.getContext()),
      AffineMap::get(rank + 1, 0, b.getAffineDimExpr(rank)), outputMap};
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value sums = linalg::FillOp::create(b, loc, zero, lowering.empty(dims, type))
                   .getResult(0);
  sums = linalg::GenericOp::create(
             b, loc, sums.getType(), ValueRange{padded, window}, sums, maps,
             iterators,
             [](OpBuilder &nested, Location where, ValueRange v) {
               linalg::YieldOp::create(
                   nested, where, addInAnyOrder(nested, where, v[0], v[2]));
             })
             .getResult(0);
  double bias = getBias().convertToDouble(),
         alpha = getAlpha().convertToDouble(),
         beta = getBeta().convertToDouble();
  lowering.set(getResult(), f.map(
                                {input, sums}, {f.full, f.full},
                                [&](ArrayRef<Scalar> v) {
                                  Scalar norm = alpha * v[1] + bias;
                                  if (beta == 0.5)
                                    return v[0] / norm.sqrt();
                                  if (beta == 1)
                                    return v[0] / norm;
                                  return v[0] * pow(norm, norm.constant(-beta));
                                },
                                elementOf(getResult())));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Normalization.cpp.inc"

void GraphDialect::registerNormalizationOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Normalization.cpp.inc"
      >();
}
