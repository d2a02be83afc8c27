#include "compiler/Pass.h"
#include "dialects/graph/ops/Control.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Which of a loop's values anybody needs: behind the loop, for its condition,
/// for an effect, or for another one that is needed.
class LiveValues {
public:
  explicit LiveValues(graph::WhileOp loop)
      : loop(loop), values(loop->getNumResults()) {
    for (Region &region : loop->getRegions())
      for (Operation &op : region.front().without_terminator())
        if (!isPure(&op))
          need(&op);
    need(loop.getCondition().front().getTerminator());
    for (unsigned k = 0; k < values.size(); ++k)
      if (!loop->getResult(k).use_empty())
        need(k);
    while (!pending.empty())
      follow(pending.pop_back_val());
  }

  bool isLive(unsigned k) const { return values[k]; }
  bool isLive(Operation *op) const { return ops.contains(op); }
  bool isAll() const { return values.all(); }

private:
  void need(unsigned k) {
    if (values[k])
      return;
    values.set(k);
    pending.push_back(loop.getBody().front().getTerminator()->getOperand(k));
  }

  void need(Operation *op) {
    if (!ops.insert(op).second)
      return;
    llvm::append_range(pending, op->getOperands());
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::append_range(pending, captured);
  }

  void follow(Value value) {
    Region *region = value.getParentRegion();
    if (region->getParentOp() != loop)
      return;
    if (auto argument = dyn_cast<BlockArgument>(value))
      need(argument.getArgNumber());
    else
      need(value.getDefiningOp());
  }

  graph::WhileOp loop;
  llvm::BitVector values;
  llvm::DenseSet<Operation *> ops;
  SmallVector<Value> pending;
};

/// Gives the loop that is there afterwards.
graph::WhileOp dropValues(graph::WhileOp loop) {
  LiveValues live(loop);
  if (live.isAll())
    return loop;
  SmallVector<Value> inits, yielded;
  SmallVector<Type> types;
  llvm::BitVector dead(loop->getNumResults());
  Operation *yield = loop.getBody().front().getTerminator();
  for (unsigned k = 0; k < dead.size(); ++k) {
    if (!live.isLive(k)) {
      dead.set(k);
      continue;
    }
    inits.push_back(loop.getInits()[k]);
    yielded.push_back(yield->getOperand(k));
    types.push_back(loop->getResult(k).getType());
  }
  yield->setOperands(yielded);
  for (Region &region : loop->getRegions()) {
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(region.front())))
      if (!live.isLive(&op) && !op.hasTrait<OpTrait::IsTerminator>())
        op.erase();
    region.front().eraseArguments(dead);
  }
  OperationState state(loop.getLoc(), loop->getName());
  state.addOperands(inits);
  state.addTypes(types);
  state.addAttributes(loop->getDiscardableAttrDictionary().getValue());
  for (unsigned i = 0; i < loop->getNumRegions(); ++i)
    state.addRegion();
  OpBuilder b(loop);
  auto rebuilt = cast<graph::WhileOp>(b.create(state));
  for (auto [from, to] : llvm::zip(loop->getRegions(), rebuilt->getRegions()))
    to.takeBody(from);
  for (unsigned k = 0, i = 0; k < dead.size(); ++k)
    if (!dead[k])
      loop->getResult(k).replaceAllUsesWith(rebuilt->getResult(i++));
  loop->erase();
  return rebuilt;
}

/// What is behind a loop, and around it, asks for less then.
void dropValues(Region &region) {
  for (Block &block : region)
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
      Operation *left = &op;
      if (auto loop = dyn_cast<graph::WhileOp>(op))
        left = dropValues(loop);
      for (Region &inner : left->getRegions())
        dropValues(inner);
    }
}

/// Loops carry only what somebody needs. Derivatives ask loops for values of
/// all iterations that turn out to be needed for their shape only, or not at
/// all.
struct DropLoopValuesPass
    : PassBase<DropLoopValuesPass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DropLoopValuesPass)
  static constexpr StringLiteral kArgument = "drop-loop-values";
  static constexpr StringLiteral kSummary =
      "loops carry only values that somebody needs";

  void runOnOperation() override { dropValues(getOperation().getBody()); }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createDropLoopValuesPass() {
  return std::make_unique<DropLoopValuesPass>();
}
} // namespace tenon
