#include "compiler/Pass.h"
#include "dialects/graph/ops/Control.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Whether its regions' values are looked at one by one.
bool isControl(Operation *op) { return isa<graph::IfOp, graph::WhileOp>(op); }

/// What anybody needs: what is returned, what has an effect, and what these are
/// computed from. Loops and conditions need what their condition does, and for
/// each of their values what it is computed from.
class LiveValues {
public:
  explicit LiveValues(Region &function) {
    need(function.front().getTerminator());
    needEffects(function);
    while (!pending.empty())
      follow(pending.pop_back_val());
  }

  bool isLive(Operation *op) const { return ops.contains(op); }
  bool isLive(Value value) const { return values.contains(value); }

private:
  void need(Operation *op) {
    if (!ops.insert(op).second)
      return;
    if (auto loop = dyn_cast<graph::WhileOp>(op))
      return need(loop.getCondition().front().getTerminator());
    if (auto choice = dyn_cast<graph::IfOp>(op))
      return pending.push_back(choice.getCondition());
    llvm::append_range(pending, op->getOperands());
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::append_range(pending, captured);
  }

  /// An op with all that stands around it.
  void needThere(Operation *op) {
    for (; !isa<func::FuncOp>(op); op = op->getParentOp())
      need(op);
  }

  void needEffects(Region &region) {
    for (Operation &op : region.front().without_terminator())
      if (isControl(&op))
        for (Region &inner : op.getRegions())
          needEffects(inner);
      else if (!isPure(&op))
        needThere(&op);
  }

  void needValue(graph::WhileOp loop, unsigned k) {
    values.insert(loop->getResult(k));
    for (Region &region : loop->getRegions())
      values.insert(region.getArgument(k));
    pending.push_back(loop.getInits()[k]);
    pending.push_back(loop.getBody().front().getTerminator()->getOperand(k));
  }

  void follow(Value value) {
    if (!values.insert(value).second)
      return;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (auto loop = dyn_cast<graph::WhileOp>(parent)) {
        needThere(loop);
        needValue(loop, argument.getArgNumber());
      }
      return;
    }
    Operation *op = value.getDefiningOp();
    needThere(op);
    unsigned k = cast<OpResult>(value).getResultNumber();
    if (auto loop = dyn_cast<graph::WhileOp>(op))
      needValue(loop, k);
    if (isa<graph::IfOp>(op))
      for (Region &branch : op->getRegions())
        pending.push_back(branch.front().getTerminator()->getOperand(k));
  }

  llvm::DenseSet<Operation *> ops;
  llvm::DenseSet<Value> values;
  SmallVector<Value> pending;
};

/// A loop or condition without some of its results.
void dropResults(Operation *op, const llvm::BitVector &dead) {
  SmallVector<Value> operands(op->getOperands());
  if (isa<graph::WhileOp>(op)) {
    operands.clear();
    for (unsigned k = 0; k < dead.size(); ++k)
      if (!dead[k])
        operands.push_back(op->getOperand(k));
  }
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  for (unsigned k = 0; k < dead.size(); ++k)
    if (!dead[k])
      state.addTypes(op->getResult(k).getType());
  state.addAttributes(op->getDiscardableAttrDictionary().getValue());
  for (unsigned i = 0; i < op->getNumRegions(); ++i)
    state.addRegion();
  OpBuilder b(op);
  Operation *rebuilt = b.create(state);
  for (auto [from, to] : llvm::zip(op->getRegions(), rebuilt->getRegions()))
    to.takeBody(from);
  for (unsigned k = 0, i = 0; k < dead.size(); ++k)
    if (!dead[k])
      op->getResult(k).replaceAllUsesWith(rebuilt->getResult(i++));
  op->erase();
}

/// Erases what nobody needs, users first.
void dropDead(Region &region, const LiveValues &live) {
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(region.front()))) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    if (!live.isLive(&op)) {
      op.erase();
      continue;
    }
    if (!isControl(&op))
      continue;
    llvm::BitVector dead(op.getNumResults());
    for (OpResult result : op.getResults())
      if (!live.isLive(result))
        dead.set(result.getResultNumber());
    for (auto [i, inner] : llvm::enumerate(op.getRegions())) {
      bool isTest = isa<graph::WhileOp>(op) && i == 0;
      if (!isTest)
        inner.front().getTerminator()->eraseOperands(dead);
      dropDead(inner, live);
      if (inner.getNumArguments())
        inner.front().eraseArguments(dead);
    }
    if (dead.any())
      dropResults(&op, dead);
  }
}

/// Loops carry only what somebody needs, and conditions give only that.
/// Derivatives ask loops for values of all iterations that turn out to be
/// needed for their shape only, or not at all.
struct DropLoopValuesPass
    : PassBase<DropLoopValuesPass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DropLoopValuesPass)
  static constexpr StringLiteral kArgument = "drop-loop-values";
  static constexpr StringLiteral kSummary =
      "loops carry only values that somebody needs";

  void runOnOperation() override {
    Region &body = getOperation().getBody();
    if (body.empty())
      return;
    LiveValues live(body);
    dropDead(body, live);
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createDropLoopValuesPass() {
  return std::make_unique<DropLoopValuesPass>();
}
} // namespace tenon
