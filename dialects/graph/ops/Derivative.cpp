#include "dialects/graph/ops/Derivative.h"
#include "dialects/graph/Gradient.h"

using namespace mlir;
using namespace tenon::graph;

LogicalResult GradientOp::inferShapes(ShapeContext &shapes) {
  if (getSources().size() != getNumResults())
    return emitOpError() << "has " << getNumResults() << " results for "
                         << getSources().size() << " sources";
  if (!getWeights().empty() && getWeights().size() != getTargets().size())
    return emitOpError() << "has " << getWeights().size() << " weights for "
                         << getTargets().size() << " targets";
  if (getVariables() && getVariables()->size() != getNumResults())
    return emitOpError() << "names " << getVariables()->size()
                         << " variables for " << getNumResults() << " sources";
  for (auto [target, weight] : llvm::zip(getTargets(), getWeights()))
    if (getElementTypeOrSelf(target) != getElementTypeOrSelf(weight))
      return emitOpError() << "target of type " << target.getType()
                           << " has a weight of type " << weight.getType();
  for (auto [source, result] : llvm::zip(getSources(), getResults())) {
    if (getElementTypeOrSelf(source) != getElementTypeOrSelf(result))
      return emitOpError() << "result of type " << result.getType()
                           << " for a source of type " << source.getType();
    shapes.copyDims(result, source);
  }
  return success();
}

LogicalResult GradientOp::lowerToLinalg(LoweringContext &) {
  return emitOpError("was not differentiated");
}

LogicalResult TangentOp::inferShapes(ShapeContext &shapes) {
  if (getTargets().size() != getNumResults())
    return emitOpError() << "has " << getNumResults() << " results for "
                         << getTargets().size() << " targets";
  if (getSources().size() != getDirections().size())
    return emitOpError() << "has " << getDirections().size()
                         << " directions for " << getSources().size()
                         << " sources";
  if (getVariables() && getVariables()->size() != getSources().size())
    return emitOpError() << "names " << getVariables()->size()
                         << " variables for " << getSources().size()
                         << " sources";
  for (auto [source, direction] : llvm::zip(getSources(), getDirections()))
    if (getElementTypeOrSelf(source) != getElementTypeOrSelf(direction))
      return emitOpError() << "source of type " << source.getType()
                           << " has a direction of type "
                           << direction.getType();
  for (auto [target, result] : llvm::zip(getTargets(), getResults())) {
    if (getElementTypeOrSelf(target) != getElementTypeOrSelf(result))
      return emitOpError() << "result of type " << result.getType()
                           << " for a target of type " << target.getType();
    shapes.copyDims(result, target);
  }
  return success();
}

LogicalResult TangentOp::lowerToLinalg(LoweringContext &) {
  return emitOpError("was not differentiated");
}

static LogicalResult inferIdentity(Value input, Value result,
                                   ShapeContext &shapes) {
  shapes.copyDims(result, input);
  if (auto contents = shapes.contents(input))
    shapes.setContents(result, *contents);
  return success();
}

LogicalResult SourceOp::inferShapes(ShapeContext &shapes) {
  return inferIdentity(getInput(), getResult(), shapes);
}

LogicalResult SourceOp::lowerToLinalg(LoweringContext &lowering) {
  lowering.set(getResult(), lowering.get(getInput()));
  return success();
}

LogicalResult StopGradientOp::inferShapes(ShapeContext &shapes) {
  return inferIdentity(getInput(), getResult(), shapes);
}

LogicalResult StopGradientOp::lowerToLinalg(LoweringContext &lowering) {
  lowering.set(getResult(), lowering.get(getInput()));
  return success();
}

LogicalResult SurrogateOp::inferShapes(ShapeContext &shapes) {
  if (shapes.dims(getInput()).size() != shapes.dims(getLike()).size())
    return emitOpError() << "operands of types " << getInput().getType()
                         << " and " << getLike().getType()
                         << " have different ranks";
  return inferIdentity(getInput(), getResult(), shapes);
}

LogicalResult SurrogateOp::lowerToLinalg(LoweringContext &lowering) {
  lowering.set(getResult(), lowering.get(getInput()));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Derivative.cpp.inc"

void GraphDialect::registerDerivativeOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Derivative.cpp.inc"
      >();
}

namespace tenon::graph {
void addDerivativeGradients(MLIRContext *context) {
  addRule<SourceOp>(
      context, [](SourceOp op, Gradient &g) { g.add(op.getInput(), g.of()); });
  addRule<StopGradientOp>(context, [](StopGradientOp op, Gradient &g) {
    if (std::optional<StringRef> message = op.getMessage())
      g.fail("a derivative is asked for where the model forbids it: " +
             *message);
  });
  addRule<SurrogateOp>(context, [](SurrogateOp op, Gradient &g) {
    g.add(op.getLike(), g.of());
  });
  auto order = [] { return "inner derivatives are taken first"; };
  refuseGradient<GradientOp>(context, order);
  refuseGradient<TangentOp>(context, order);
}
} // namespace tenon::graph
