#include "dialects/graph/Tangent.h"
#include "dialects/graph/Rebuild.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Derivative.h"

using namespace mlir;

namespace tenon::graph {

LogicalResult TangentSweep::run(OpBuilder &builder, ArrayRef<Operation *> ops) {
  for (Operation *op : ops) {
    auto moves = [&](Value value) { return bool(tangent(value)); };
    if (llvm::none_of(op->getOperands(), moves) &&
        (op->getNumRegions() == 0 ||
         llvm::none_of(capturedValues(op->getRegions()), moves)))
      continue;
    if (llvm::none_of(op->getResults(), hasDerivative))
      continue;
    auto rule = dyn_cast<Differentiable>(op);
    if (rule && rule.hasZeroGradient())
      continue;
    LogicalResult done = failure();
    if (auto condition = dyn_cast<IfOp>(op))
      done = runIf(builder, condition);
    else if (auto loop = dyn_cast<WhileOp>(op))
      done = runWhile(builder, loop);
    else
      done = transposeRule(builder, op);
    if (failed(done))
      return failure();
  }
  return success();
}

LogicalResult TangentSweep::transposeRule(OpBuilder &builder, Operation *op) {
  GraphBuilder b(builder, state.shapes, op->getLoc());
  Block *block = builder.getInsertionBlock();
  auto before = builder.getInsertionPoint();
  SmallVector<Value> moved;
  for (Value operand : op->getOperands())
    if (tangent(operand) && !llvm::is_contained(moved, operand))
      moved.push_back(operand);
  // What stands for the results' cotangents is no constant to formulas.
  SmallVector<std::pair<Value, Value>> cotangents;
  for (Value result : op->getResults())
    if (hasDerivative(result) && !result.use_empty())
      cotangents.push_back(
          {result, b.make("graph.source", getElementTypeOrSelf(result),
                          b.filled(result, 1))
                       .value()});
  if (b.failed())
    return failure();
  Operation *last = before == block->begin() ? nullptr : &*std::prev(before);
  Sweep backward(builder, state, moved);
  for (auto [result, cotangent] : cotangents)
    backward.add(result, Tensor(b, cotangent));
  if (failed(backward.run(op)))
    return failure();
  SmallVector<Operation *> steps;
  for (auto it = last ? std::next(last->getIterator()) : block->begin();
       it != before; ++it)
    steps.push_back(&*it);
  Sweep forward(builder, state,
                llvm::map_to_vector(cotangents, [](auto &pair) -> Value {
                  return pair.second;
                }));
  for (Value operand : moved)
    if (Value contribution = backward.cotangent(operand))
      forward.add(contribution, Tensor(b, tangent(operand)));
  if (failed(forward.run(steps)))
    return failure();
  for (auto [result, cotangent] : cotangents)
    if (Value moves = forward.cotangent(cotangent))
      tangents[result] = moves;
  return success();
}

//===----------------------------------------------------------------------===//
// Conditions and loops
//===----------------------------------------------------------------------===//

namespace {
SmallVector<Operation *> opsOf(Block &block) {
  return llvm::map_to_vector(block.without_terminator(),
                             [](Operation &op) { return &op; });
}
} // namespace

LogicalResult TangentSweep::runIf(OpBuilder &builder, IfOp op) {
  auto copy = cast<IfOp>(cloneWithoutEffects(builder, op));
  if (failed(inferResultTypes(copy, state.shapes)))
    return failure();
  size_t count = op->getNumResults();
  SmallVector<Value> found[2];
  for (auto [i, region] : llvm::enumerate(copy->getRegions())) {
    Operation *terminator = region.front().getTerminator();
    OpBuilder inside(terminator);
    if (failed(run(inside, opsOf(region.front()))))
      return failure();
    for (Value value : terminator->getOperands())
      found[i].push_back(tangent(value));
  }
  SmallVector<unsigned> moved;
  SmallVector<Type> elements;
  for (unsigned k = 0; k < count; ++k)
    if (found[0][k] || found[1][k]) {
      moved.push_back(k);
      elements.push_back(getElementTypeOrSelf(op->getResult(k)));
    }
  for (auto [i, region] : llvm::enumerate(copy->getRegions())) {
    Operation *terminator = region.front().getTerminator();
    OpBuilder inside(terminator);
    GraphBuilder b(inside, state.shapes, op.getLoc());
    SmallVector<Value> values;
    for (unsigned k : moved)
      values.push_back(found[i][k]
                           ? found[i][k]
                           : b.filled(terminator->getOperand(k), 0).value());
    if (b.failed())
      return failure();
    terminator->setOperands(values);
  }
  Operation *done =
      rebuildWith(state, builder, copy, op->getOperands(), elements);
  if (!done)
    return failure();
  for (auto [k, result] : llvm::zip(moved, done->getResults()))
    tangents[op->getResult(k)] = result;
  return success();
}

/// Which of the loop's values move, in any iteration.
SmallVector<bool> TangentSweep::movedByLoop(OpBuilder &builder, WhileOp op) {
  Block &body = op.getBody().front();
  SmallVector<Value> captured;
  for (Value value : capturedValues(op.getBody()))
    if (tangent(value))
      captured.push_back(value);
  SmallVector<bool> moved;
  for (Value init : op.getInits())
    moved.push_back(bool(tangent(init)));
  for (bool changed = true; changed;) {
    changed = false;
    SmallVector<Value> sources(captured);
    for (auto [argument, moves] : llvm::zip(body.getArguments(), moved))
      if (moves)
        sources.push_back(argument);
    Sweep sweep(builder, state, sources);
    sweep.activate(opsOf(body));
    for (auto [k, value] : llvm::enumerate(body.getTerminator()->getOperands()))
      if (!moved[k] && sweep.isActive(value))
        changed = moved[k] = true;
  }
  return moved;
}

LogicalResult TangentSweep::runWhile(OpBuilder &builder, WhileOp op) {
  SmallVector<bool> moved = movedByLoop(builder, op);
  auto copy = cast<WhileOp>(cloneWithoutEffects(builder, op));
  if (failed(inferResultTypes(copy, state.shapes)))
    return failure();
  GraphBuilder b(builder, state.shapes, op.getLoc());
  SmallVector<Value> inits(op.getInits());
  Block &body = copy.getBody().front();
  SmallVector<Value> arguments(body.getArguments());
  for (auto [k, moves] : llvm::enumerate(moved)) {
    if (!moves)
      continue;
    Value init = op.getInits()[k];
    inits.push_back(tangent(init) ? tangent(init) : b.filled(init, 0).value());
    for (Region *region : {&copy.getCondition(), &copy.getBody()}) {
      Block &block = region->front();
      Value argument = block.addArgument(arguments[k].getType(), op.getLoc());
      state.shapes.copyDims(argument, arguments[k]);
      if (region == &copy.getBody())
        tangents[arguments[k]] = argument;
    }
  }
  Operation *terminator = body.getTerminator();
  OpBuilder inside(terminator);
  if (b.failed() || failed(run(inside, opsOf(body))))
    return failure();
  GraphBuilder nested(inside, state.shapes, op.getLoc());
  SmallVector<Value> next(terminator->getOperands());
  for (auto [k, moves] : llvm::enumerate(moved))
    if (moves)
      next.push_back(tangent(next[k]) ? tangent(next[k])
                                      : nested.filled(next[k], 0).value());
  if (nested.failed())
    return failure();
  terminator->setOperands(next);
  SmallVector<Type> elements;
  for (Value init : inits)
    elements.push_back(getElementTypeOrSelf(init));
  Operation *done = rebuildWith(state, builder, copy, inits, elements);
  if (!done)
    return failure();
  size_t result = op->getNumResults();
  for (auto [k, moves] : llvm::enumerate(moved))
    if (moves)
      tangents[op->getResult(k)] = done->getResult(result++);
  return success();
}

} // namespace tenon::graph
