// Cross entropies on top of softmax.
#include "dialects/graph/ops/Formula.h"
#include "dialects/graph/ops/Normalization.h"

using namespace mlir;
using namespace tenon::graph;

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

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
