#include "dialects/graph/ops/Distribution.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/RandomSupport.h"

using namespace mlir;
using namespace tenon::graph;

static LogicalResult inferBroadcast(Operation *op, ShapeContext &shapes) {
  SmallVector<ArrayRef<AffineExpr>> dims;
  for (Value operand : op->getOperands()) {
    if (operand.getType() != op->getOperand(0).getType() &&
        getElementTypeOrSelf(operand) !=
            getElementTypeOrSelf(op->getOperand(0)))
      return op->emitOpError("operands have different element types");
    dims.push_back(shapes.dims(operand));
  }
  FailureOr<Dims> result = shapes.broadcast(dims, op->getResult(0));
  if (failed(result))
    return op->emitOpError("operands do not broadcast");
  shapes.setDims(op->getResult(0), *result);
  return success();
}

LogicalResult ZetaOp::inferShapes(ShapeContext &shapes) {
  return inferBroadcast(*this, shapes);
}
LogicalResult PolygammaOp::inferShapes(ShapeContext &shapes) {
  return inferBroadcast(*this, shapes);
}
LogicalResult IgammaGradAOp::inferShapes(ShapeContext &shapes) {
  return inferBroadcast(*this, shapes);
}
LogicalResult RandomGammaGradOp::inferShapes(ShapeContext &shapes) {
  return inferBroadcast(*this, shapes);
}
LogicalResult BetaincOp::inferShapes(ShapeContext &shapes) {
  return inferBroadcast(*this, shapes);
}

/// The sizes that `shape` has, then `more`. What is not known the runtime
/// reads from it.
static LogicalResult inferDrawn(Operation *op, ShapeContext &shapes,
                                Value shape, Value key, Value counter,
                                ArrayRef<AffineExpr> more = {}) {
  FailureOr<int64_t> rank = vectorLength(op, shapes, shape, "shape");
  if (failed(rank) || failed(expectCount(op, shapes, key, 1, "key")) ||
      failed(expectCount(op, shapes, counter, 2, "counter")))
    return failure();
  Value result = op->getResult(0);
  Dims dims = elementsOrNull(shapes, shape, *rank);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!dim)
      dim = shapes.freshSymbol(result, i);
    if (auto size = ShapeContext::asConstant(dim); size && *size < 0)
      return op->emitOpError() << "size " << *size << " is negative";
  }
  llvm::append_range(dims, more);
  shapes.setDims(result, dims);
  for (Value next : op->getResults().drop_front())
    shapes.setDims(next, shapes.constant(2));
  return success();
}

LogicalResult RandomBitsOp::inferShapes(ShapeContext &shapes) {
  unsigned width =
      getElementTypeOrSelf(getResult().getType()).getIntOrFloatBitWidth();
  if (width != 32 && width != 64)
    return emitOpError() << "makes integers of 32 or 64 bits, not of " << width;
  return inferDrawn(*this, shapes, getShape(), getKey(), getCounter());
}

LogicalResult RandomGammaOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> alpha = shapes.dims(getAlpha());
  return inferDrawn(*this, shapes, getShape(), getKey(), getCounter(),
                    getWhole() ? ArrayRef<AffineExpr>() : alpha);
}

LogicalResult RandomTruncatedOp::inferShapes(ShapeContext &shapes) {
  for (Value parameter : {getMean(), getDeviation(), getLow(), getHigh()})
    if (!getStateless() && shapes.dims(parameter).size() > 1)
      return emitOpError() << "a parameter has shape "
                           << shapeString(shapes.dims(parameter))
                           << ", expected a scalar or a vector";
  return inferDrawn(*this, shapes, getShape(), getKey(), getCounter());
}

LogicalResult SpecialFunctionOp::inferShapes(ShapeContext &shapes) {
  static constexpr StringLiteral known[] = {
      "bessel_j0",   "bessel_j1",   "bessel_y0",  "bessel_y1", "bessel_k0",
      "bessel_k1",   "bessel_k0e",  "bessel_k1e", "dawsn",     "expint",
      "fresnel_cos", "fresnel_sin", "spence"};
  if (!llvm::is_contained(known, getFunction()))
    return emitOpError() << "there is no function '" << getFunction() << "'";
  shapes.setDims(getResult(), Dims(shapes.dims(getInput())));
  return success();
}

LogicalResult CandidateSamplerOp::inferShapes(ShapeContext &shapes) {
  if (getNumber() < 0 || int64_t(getNumber()) > int64_t(1) << 30 ||
      int64_t(getRange()) < 1)
    return emitOpError() << "cannot draw " << int64_t(getNumber()) << " of "
                         << int64_t(getRange()) << " classes";
  if (getUnique() && getNumber() > getRange())
    return emitOpError() << "there are only " << int64_t(getRange())
                         << " classes to draw " << int64_t(getNumber())
                         << " different ones from";
  if (failed(expectCount(*this, shapes, getKey(), 1, "key")) ||
      failed(expectCount(*this, shapes, getCounter(), 2, "counter")))
    return failure();
  shapes.setDims(getSampled(), {shapes.constant(getNumber())});
  shapes.setDims(getExpected(), Dims(shapes.dims(getClasses())));
  shapes.setDims(getExpectedSampled(), {shapes.constant(getNumber())});
  shapes.setDims(getNext(), {shapes.constant(2)});
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Distribution.cpp.inc"

void tenon::graph::registerDistributionOps(GraphDialect &dialect) {
  registerOps<
#define GET_OP_LIST
#include "dialects/graph/ops/Distribution.cpp.inc"
      >(dialect);
}
