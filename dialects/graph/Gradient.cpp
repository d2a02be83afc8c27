#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/State.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

#include "dialects/graph/Differentiable.cpp.inc"

namespace tenon::graph {

void addGradients(MLIRContext *context) {
  addElementwiseGradients(context);
  addContractionGradients(context);
  addReductionGradients(context);
  addShapeGradients(context);
  addIndexingGradients(context);
  addNormalizationGradients(context);
  addWindowGradients(context);
  addLinearAlgebraGradients(context);
  addRandomGradients(context);
  addSparseGradients(context);
  addControlGradients(context);
  addDerivativeGradients(context);
  addDistributionGradients(context);
  addImageGradients(context);
  addHostGradients(context);
}

DifferentiationState::~DifferentiationState() {
  for (Operation *op : replaced)
    op->dropAllReferences();
  for (Operation *op : replaced)
    op->erase();
}

SmallVector<Value> capturedValues(MutableArrayRef<Region> regions) {
  llvm::SetVector<Value> values;
  getUsedValuesDefinedAbove(regions, values);
  return values.takeVector();
}

Sweep::Sweep(OpBuilder &builder, DifferentiationState &state,
             ValueRange sources)
    : builder(builder), state(state) {
  for (Value source : sources)
    if (hasDerivative(source))
      active.insert(source);
}

void Sweep::add(Value value, Tensor cotangent) {
  Tensor fitting = conform(cast(cotangent, getElementTypeOrSelf(value)), value);
  if (!fitting)
    return;
  Value &total = cotangents[value];
  if (total)
    fitting = Tensor(fitting.builder(), state.current(total)) + fitting;
  total = fitting.value();
}

/// Whether an operand, or a value that its regions use, is active.
static bool dependsOn(Operation *op, function_ref<bool(Value)> isActive) {
  if (llvm::any_of(op->getOperands(), isActive))
    return true;
  return op->getNumRegions() &&
         llvm::any_of(capturedValues(op->getRegions()), isActive);
}

void Sweep::activate(ArrayRef<Operation *> ops) {
  for (Operation *op : ops) {
    auto rule = dyn_cast<Differentiable>(op);
    if ((rule && rule.hasZeroGradient()) ||
        !dependsOn(op, [&](Value value) { return isActive(value); }))
      continue;
    for (Value result : op->getResults())
      if (hasDerivative(result))
        active.insert(result);
  }
}

LogicalResult Sweep::run(ArrayRef<Operation *> ops) {
  activate(ops);
  for (Operation *op : llvm::reverse(ops)) {
    if (llvm::none_of(op->getResults(),
                      [&](Value result) { return cotangents.lookup(result); }))
      continue;
    auto rule = dyn_cast<Differentiable>(op);
    if ((rule && rule.hasZeroGradient()) ||
        !dependsOn(op, [&](Value value) { return isActive(value); }))
      continue;
    if (!rule)
      return emitError(op->getLoc())
             << "a derivative is asked for through '" << op->getName()
             << "', which has no rule for it";
    Gradient gradient(*this, op);
    if (StringRef reason = rule.whyNotDifferentiable(); !reason.empty())
      gradient.fail("'" + op->getName().getStringRef() +
                    "' has no derivative: " + reason);
    else
      rule.buildGradient(gradient);
    if (gradient.failed())
      return failure();
  }
  return success();
}

void differentiateAs(Gradient &gradient,
                     function_ref<SmallVector<Tensor>()> build) {
  OpBuilder &builder = gradient.builder;
  Block *block = builder.getInsertionBlock();
  auto before = builder.getInsertionPoint();
  Operation *last = before == block->begin() ? nullptr : &*std::prev(before);
  SmallVector<Tensor> results = build();
  SmallVector<Operation *> ops;
  for (auto it = last ? std::next(last->getIterator()) : block->begin();
       it != before; ++it)
    ops.push_back(&*it);
  SmallVector<Value> sources;
  for (Value operand : gradient.op->getOperands())
    if (gradient.wants(operand) && !llvm::is_contained(sources, operand))
      sources.push_back(operand);
  Sweep inner(builder, gradient.sweep.state, sources);
  for (auto [i, result] : llvm::enumerate(results))
    if (result && gradient.of(i))
      inner.add(result.value(), gradient.of(i));
  if (gradient.failed() || failed(inner.run(ops)))
    return gradient.abandon();
  for (Value source : sources)
    if (Value cotangent = inner.cotangent(source))
      gradient.add(source, Tensor(gradient, cotangent));
}

LogicalResult hoistRead(Operation *read, Block &block) {
  Operation *outer = block.findAncestorOpInBlock(*read);
  if (!outer || outer == read)
    return success();
  auto variable = cast<ReadOp>(read).getVariableAttr();
  WalkResult written = outer->walk([&](AssignOp assign) {
    return assign.getVariableAttr() == variable ? WalkResult::interrupt()
                                                : WalkResult::advance();
  });
  if (written.wasInterrupted())
    return failure();
  read->moveBefore(outer);
  return success();
}

SmallVector<Operation *> recompute(OpBuilder &builder, Block &block,
                                   IRMapping &mapping) {
  SmallVector<Operation *> copies;
  auto hasEffectAlone = [](Operation *op) {
    return op->getNumResults() == 0 && !op->hasTrait<OpTrait::IsTerminator>();
  };
  for (Operation &op : block.without_terminator()) {
    if (hasEffectAlone(&op) ||
        (op.getNumResults() && mapping.contains(op.getResult(0))))
      continue;
    Operation *copy = builder.clone(op, mapping);
    copy->walk([&](Operation *nested) {
      if (hasEffectAlone(nested))
        nested->erase();
    });
    copies.push_back(copy);
  }
  return copies;
}

} // namespace tenon::graph
