#include "dialects/graph/Graph.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Reduce.h"
#include "dialects/graph/ops/ScalarMath.h"
#include <limits>

using namespace mlir;
using namespace tenon::graph;

namespace {
/// One op's lowering: tensors over the loops of a graph value, in the type
/// that sums are accumulated in, reduced over some axes and broadcast back.
class Formula {
public:
  using Body = function_ref<Scalar(ArrayRef<Scalar>)>;

  Formula(LoweringContext &lowering, Location loc, ArrayRef<AffineExpr> dims,
          ArrayRef<int64_t> axes, Type type)
      : lowering(lowering), loc(loc), dims(dims.begin(), dims.end()),
        axes(axes.begin(), axes.end()), type(type) {
    OpBuilder &b = lowering.builder;
    SmallVector<AffineExpr> loops;
    for (auto [i, dim] : llvm::enumerate(dims))
      if (!llvm::is_contained(axes, int64_t(i))) {
        kept.push_back(dim);
        loops.push_back(b.getAffineDimExpr(i));
      }
    full = b.getMultiDimIdentityMap(dims.size());
    broadcast = AffineMap::get(dims.size(), 0, loops, b.getContext());
  }

  /// How a tensor over all loops, or over the kept ones, is read.
  AffineMap full, broadcast;

  /// An element of each operand, converted, to an element over all loops.
  Value map(ValueRange operands, ArrayRef<AffineMap> maps, Body body,
            Type element = {}) {
    return build(dims, operands, maps, body, element);
  }
  /// The same over the kept loops, for operands that have only those.
  Value mapKept(ValueRange operands, Body body, Type element = {}) {
    SmallVector<AffineMap> maps(
        operands.size(), lowering.builder.getMultiDimIdentityMap(kept.size()));
    return build(kept, operands, maps, body, element);
  }
  Value sum(Value operand) {
    return reduce(operand, 0, [](OpBuilder &b, Location at, Value l, Value r) {
      return addInAnyOrder(b, at, l, r);
    });
  }
  Value maximum(Value operand) {
    return reduce(operand, -std::numeric_limits<double>::infinity(),
                  [](OpBuilder &b, Location at, Value l, Value r) -> Value {
                    return arith::MaximumFOp::create(b, at, l, r);
                  });
  }

private:
  Value build(ArrayRef<AffineExpr> over, ValueRange operands,
              ArrayRef<AffineMap> maps, Body body, Type element) {
    Type wanted = element ? element : type;
    return parallelOver(
        lowering, loc, over, wanted, operands, maps,
        [&](OpBuilder &b, Location at, ValueRange values) -> Value {
          SmallVector<Scalar> scalars;
          for (Value value : values)
            scalars.emplace_back(b, at, convertFloat(b, at, value, type));
          return convertFloat(b, at, body(scalars), wanted);
        });
  }
  Value
  reduce(Value operand, double identity,
         function_ref<Value(OpBuilder &, Location, Value, Value)> combine) {
    OpBuilder &b = lowering.builder;
    SmallVector<Value> results;
    Value start =
        arith::ConstantOp::create(b, loc, b.getFloatAttr(type, identity));
    return reduceOver(lowering, loc, operand, dims, axes, start, results,
                      [&](OpBuilder &nested, Location at, ValueRange in,
                          ValueRange accumulators) -> SmallVector<Value> {
                        return {combine(nested, at,
                                        convertFloat(nested, at, in[0], type),
                                        accumulators[0])};
                      });
  }

  LoweringContext &lowering;
  Location loc;
  Dims dims, kept;
  SmallVector<int64_t> axes;
  Type type;
};
} // namespace

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

LogicalResult SoftmaxOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  Type element = elementOf(getInput());
  Formula f(lowering, getLoc(), dims, normalized(getAxis(), dims),
            accumulatorType(element));
  Value input = lowering.get(getInput());
  Value greatest = f.maximum(input);
  Value powers = f.map({input, greatest}, {f.full, f.broadcast},
                       [](ArrayRef<Scalar> v) { return exp(v[0] - v[1]); });
  Value factor =
      f.mapKept(f.sum(powers), [](ArrayRef<Scalar> v) { return 1 / v[0]; });
  lowering.set(getResult(),
               f.map(
                   {powers, factor}, {f.full, f.broadcast},
                   [](ArrayRef<Scalar> v) { return v[0] * v[1]; }, element));
  return success();
}

LogicalResult LogSoftmaxOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  Type element = elementOf(getInput());
  Formula f(lowering, getLoc(), dims, normalized(getAxis(), dims),
            accumulatorType(element));
  Value input = lowering.get(getInput());
  Value greatest = f.maximum(input);
  Value powers = f.map({input, greatest}, {f.full, f.broadcast},
                       [](ArrayRef<Scalar> v) { return exp(v[0] - v[1]); });
  Value logSum =
      f.mapKept(f.sum(powers), [](ArrayRef<Scalar> v) { return log(v[0]); });
  lowering.set(
      getResult(),
      f.map(
          {input, greatest, logSum}, {f.full, f.broadcast, f.broadcast},
          [](ArrayRef<Scalar> v) { return (v[0] - v[1]) - v[2]; }, element));
  return success();
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

//===----------------------------------------------------------------------===//
// Losses
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxCrossEntropyOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> logits = shapes.dims(getLogits()),
                       labels = shapes.dims(getLabels());
  FailureOr<Dims> dims = shapes.broadcast({logits, labels}, getGradient());
  if (failed(dims) || dims->size() != 2)
    return emitOpError() << "logits of shape " << shapeString(logits)
                         << " and labels of shape " << shapeString(labels)
                         << " do not broadcast to rank 2";
  shapes.setDims(getGradient(), *dims);
  shapes.setDims(getLoss(), dims->front());
  return success();
}

/// An operand over the loops of `result`, as it is or spelt out.
static Value readBroadcast(LoweringContext &lowering, Value operand,
                           Value result, AffineMap &map) {
  if (Value value = broadcastOperand(lowering, operand, result, map))
    return value;
  map = lowering.builder.getMultiDimIdentityMap(
      lowering.shapes.dims(result).size());
  Location loc = operand.getLoc();
  return parallelOver(lowering, loc, lowering.shapes.dims(result),
                      elementOf(operand), {}, {},
                      [&](OpBuilder &b, Location at, ValueRange) {
                        SmallVector<Value> indices;
                        for (unsigned i = 0; i < map.getNumDims(); ++i)
                          indices.push_back(linalg::IndexOp::create(b, at, i));
                        return extractBroadcast(lowering, b, operand, indices);
                      });
}

LogicalResult SoftmaxCrossEntropyOp::lowerToLinalg(LoweringContext &lowering) {
  Type element = elementOf(getLogits());
  bindBroadcastDims({getLogits(), getLabels()}, getGradient(), lowering);
  AffineMap logitsMap, labelsMap;
  Value logits = readBroadcast(lowering, getLogits(), getGradient(), logitsMap);
  Value labels = readBroadcast(lowering, getLabels(), getGradient(), labelsMap);
  Formula f(lowering, getLoc(), lowering.shapes.dims(getGradient()), {1},
            accumulatorType(element));
  Value full =
      f.map(logits, logitsMap, [](ArrayRef<Scalar> v) { return v[0]; });
  Value shifted = f.map({full, f.maximum(full)}, {f.full, f.broadcast},
                        [](ArrayRef<Scalar> v) { return v[0] - v[1]; });
  Value powers =
      f.map(shifted, f.full, [](ArrayRef<Scalar> v) { return exp(v[0]); });
  Value sum = f.sum(powers);
  Value logSum = f.mapKept(sum, [](ArrayRef<Scalar> v) { return log(v[0]); });
  Value terms =
      f.map({shifted, logSum, labels}, {f.full, f.broadcast, labelsMap},
            [](ArrayRef<Scalar> v) { return v[2] * (v[1] - v[0]); });
  lowering.set(
      getLoss(),
      f.mapKept(
          f.sum(terms), [](ArrayRef<Scalar> v) { return v[0]; }, element));
  lowering.set(getGradient(),
               f.map(
                   {powers, sum, labels}, {f.full, f.broadcast, labelsMap},
                   [](ArrayRef<Scalar> v) { return v[0] / v[1] - v[2]; },
                   element));
  return success();
}

LogicalResult SparseSoftmaxCrossEntropyOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> logits = shapes.dims(getLogits()),
                       labels = shapes.dims(getLabels());
  auto rows =
      logits.empty() ? std::nullopt : ShapeContext::asConstant(logits[0]);
  auto count =
      labels.empty() ? std::nullopt : ShapeContext::asConstant(labels[0]);
  if (logits.size() != 2 || labels.size() != 1 ||
      (rows && count && *rows != *count))
    return emitOpError() << "expects a label for each row of logits, but "
                            "logits have shape "
                         << shapeString(logits) << " and labels "
                         << shapeString(labels);
  shapes.copyDims(getGradient(), getLogits());
  shapes.setDims(getLoss(), rows ? logits[0] : labels[0]);
  return success();
}

LogicalResult
SparseSoftmaxCrossEntropyOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Type element = elementOf(getLogits());
  Type type = accumulatorType(element);
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getLogits());
  Formula f(lowering, getLoc(), dims, {1}, type);
  Value logits = lowering.get(getLogits()), labels = lowering.get(getLabels());
  Value shifted = f.map({logits, f.maximum(logits)}, {f.full, f.broadcast},
                        [](ArrayRef<Scalar> v) { return v[0] - v[1]; });
  Value powers =
      f.map(shifted, f.full, [](ArrayRef<Scalar> v) { return exp(v[0]); });
  Value sum = f.sum(powers);
  Value logSum = f.mapKept(sum, [](ArrayRef<Scalar> v) { return log(v[0]); });
  Value classes = lowering.dimIndex(getLogits(), 1);
  // One element: whether the loop's class is the label, and whether the label
  // is a class at all.
  auto choose = [&](ArrayRef<Scalar> v, const Scalar &onLabel,
                    const Scalar &elsewhere) {
    OpBuilder &nested = v[0].b();
    Location at = v[0].at();
    Scalar label = v[2];
    Scalar wide = label.type().isInteger(64)
                      ? label
                      : label.wrap(arith::ExtSIOp::create(
                            nested, at, nested.getI64Type(), label));
    Scalar here = label.wrap(
        arith::IndexCastOp::create(nested, at, nested.getI64Type(),
                                   linalg::IndexOp::create(nested, at, 1)));
    Scalar limit = label.wrap(
        arith::IndexCastOp::create(nested, at, nested.getI64Type(), classes));
    Scalar valid = (wide >= wide.constant(0)) & (wide < limit);
    Scalar chosen = select(wide == here, onLabel, elsewhere);
    return select(valid, chosen,
                  onLabel.constant(std::numeric_limits<double>::quiet_NaN()));
  };
  AffineMap rowMap = AffineMap::get(2, 0, b.getAffineDimExpr(0));
  Value terms = f.map({shifted, logSum, labels}, {f.full, f.broadcast, rowMap},
                      [&](ArrayRef<Scalar> v) {
                        return choose(v, v[1] - v[0], v[0].constant(0));
                      });
  lowering.set(
      getLoss(),
      f.mapKept(
          f.sum(terms), [](ArrayRef<Scalar> v) { return v[0]; }, element));
  lowering.set(getGradient(),
               f.map(
                   {powers, sum, labels}, {f.full, f.broadcast, rowMap},
                   [&](ArrayRef<Scalar> v) {
                     Scalar p = v[0] / v[1];
                     return choose(v, p - 1, p);
                   },
                   element));
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
