#include "compiler/transforms/FitBudget.h"
#include "compiler/Pass.h"
#include "dialects/graph/Graph.h"
#include "dialects/graph/Recompute.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Shape.h"
#include "dialects/graph/ops/State.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;

namespace {

int64_t bytesOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return 0;
  return type.getNumElements() *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// When values are computed and how long they are kept, as far as can be told
/// before anything is fused: what one elementwise op alone uses is computed
/// with it and takes no memory.
class Lifetimes {
public:
  explicit Lifetimes(Block &block) {
    for (Operation &op : block)
      order.push_back(&op);
    for (auto [i, op] : llvm::enumerate(order))
      position[op] = i;
    for (Operation *op : llvm::reverse(order)) {
      int64_t when = position[op];
      if (op->getNumResults() == 1 && joinsUser(op->getResult(0)))
        when = runs[userOf(op->getResult(0))];
      runs[op] = when;
      for (Value result : op->getResults()) {
        int64_t end = when;
        for (Operation *user : result.getUsers()) {
          Operation *outer = block.findAncestorOpInBlock(*user);
          end = std::max(end, isView(outer) ? ends[outer->getResult(0)]
                                            : runs[outer]);
        }
        ends[result] = end;
      }
    }
  }

  static bool isView(Operation *op) {
    return isa<graph::ReshapeOp, graph::ExpandDimsOp>(op);
  }
  /// Values that take no memory of the arena.
  bool isFree(Value value) const {
    Operation *op = value.getDefiningOp();
    return !op || isa<graph::ConstantOp, graph::ReadOp>(op);
  }
  int64_t size(Value value) const {
    Operation *op = value.getDefiningOp();
    if (isFree(value) || isView(op) || joinsUser(value) ||
        llvm::any_of(value.getUsers(),
                     [](Operation *user) { return isa<func::ReturnOp>(user); }))
      return 0;
    return bytesOf(value);
  }
  int64_t run(Operation *op) const { return runs.lookup(op); }
  int64_t end(Value value) const { return ends.lookup(value); }
  /// The place with the most memory in use, and how much that is.
  std::pair<int64_t, int64_t> peak() const {
    std::vector<int64_t> change(order.size() + 2);
    for (Operation *op : order)
      for (Value result : op->getResults()) {
        change[run(op)] += size(result);
        change[end(result) + 1] -= size(result);
      }
    int64_t now = 0, most = 0, place = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      now += change[i];
      if (now > most) {
        most = now;
        place = i;
      }
    }
    return {place, most};
  }

  std::vector<Operation *> order;

private:
  static Operation *userOf(Value value) { return *value.user_begin(); }
  bool joinsUser(Value value) const {
    Operation *op = value.getDefiningOp();
    return op && value.hasOneUse() &&
           userOf(value)->getBlock() == op->getBlock() &&
           isa<graph::Elementwise>(userOf(value)) && !op->getNumRegions() &&
           bytesOf(value) == bytesOf(userOf(value)->getResult(0));
  }

  llvm::DenseMap<Operation *, int64_t> position, runs;
  llvm::DenseMap<Value, int64_t> ends;
};

class BudgetFitter {
public:
  BudgetFitter(func::FuncOp entry, int64_t budget)
      : block(entry.getBody().front()), budget(budget) {}

  void run(SmallVectorImpl<std::string> &report) {
    constexpr unsigned mostRounds = 1000;
    for (unsigned round = 0; round < mostRounds; ++round) {
      Lifetimes lifetimes(block);
      auto [place, bytes] = lifetimes.peak();
      if (bytes <= budget || !recomputeBest(lifetimes, place, report))
        return;
    }
  }

private:
  /// What it takes to have a value again behind `place`.
  struct Plan {
    llvm::SetVector<Operation *> ops; // in program order
    double cost = 0;
    bool possible = true;
  };

  void addTo(Plan &plan, Value value, const Lifetimes &lifetimes,
             int64_t place) {
    constexpr size_t mostOps = 64;
    Operation *op = value.getDefiningOp();
    if (!isPure(op) || op->getNumRegions() || again.contains(op) ||
        plan.ops.size() >= mostOps) {
      plan.possible = false;
      return;
    }
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      bool isThere =
          lifetimes.isFree(operand) ||
          (lifetimes.size(operand) != 0 && lifetimes.end(operand) >= place &&
           lifetimes.run(producer) < place);
      if (!isThere && !plan.ops.contains(producer))
        addTo(plan, operand, lifetimes, place);
      if (!plan.possible)
        return;
    }
    plan.ops.insert(op);
    plan.cost += graph::operationCost(op);
  }

  bool recomputeBest(const Lifetimes &lifetimes, int64_t place,
                     SmallVectorImpl<std::string> &report) {
    Value best;
    Plan bestPlan;
    double bestScore = 0;
    for (Operation *op : lifetimes.order) {
      if (lifetimes.run(op) >= place)
        continue;
      for (Value value : op->getResults()) {
        int64_t size = lifetimes.size(value);
        if (size == 0 || lifetimes.end(value) <= place ||
            done.contains(value) || isUsedAt(value, lifetimes, place))
          continue;
        Plan plan;
        addTo(plan, value, lifetimes, place);
        double score = double(size) / (plan.cost + 1);
        if (!plan.possible || score <= bestScore)
          continue;
        best = value;
        bestPlan = std::move(plan);
        bestScore = score;
      }
    }
    if (!best)
      return false;
    recompute(best, bestPlan, lifetimes, place);
    report.push_back(describe(best));
    return true;
  }

  bool isUsedAt(Value value, const Lifetimes &lifetimes, int64_t place) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      return lifetimes.run(block.findAncestorOpInBlock(*user)) == place;
    });
  }

  void recompute(Value value, const Plan &plan, const Lifetimes &lifetimes,
                 int64_t place) {
    SmallVector<OpOperand *> late;
    Operation *first = nullptr;
    for (OpOperand &use : value.getUses()) {
      Operation *user = block.findAncestorOpInBlock(*use.getOwner());
      if (lifetimes.run(user) <= place)
        continue;
      late.push_back(&use);
      if (!first || user->isBeforeInBlock(first))
        first = user;
    }
    OpBuilder b(first);
    IRMapping mapping;
    for (Operation *op : plan.ops) {
      Operation *copy = b.clone(*op, mapping);
      copy->setAttr(graph::kAgainAttr, b.getI64IntegerAttr(again.size()));
      again.insert(copy);
      for (Value result : copy->getResults())
        done.insert(result);
    }
    for (OpOperand *use : late)
      use->set(mapping.lookup(value));
    done.insert(value);
  }

  static std::string describe(Value value) {
    std::string text;
    llvm::raw_string_ostream os(text);
    std::string name;
    value.getLoc()->walk([&](Location inner) {
      auto named = dyn_cast<NameLoc>(inner);
      if (named)
        name = named.getName().str();
      return named ? WalkResult::interrupt() : WalkResult::advance();
    });
    os << name << " (" << value.getDefiningOp()->getName().stripDialect()
       << "), " << bytesOf(value) << " bytes";
    return text;
  }

  Block &block;
  int64_t budget;
  llvm::DenseSet<Operation *> again;
  llvm::DenseSet<Value> done;
};

/// With `tenon.memory_budget` on the module: values that are kept for later,
/// as derivatives do, are computed again there instead, the largest and
/// cheapest first, until the rest fits. Lists what in `tenon.recomputed`.
///
/// ```mlir
/// %y = graph.relu %x                        %y = graph.relu %x
/// ... the rest of the model       becomes   ...
/// %d = graph.mul %y, %g                     %z = graph.relu %x
///                                           %d = graph.mul %z, %g
/// ```
struct FitBudgetPass : PassBase<FitBudgetPass, ModuleOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FitBudgetPass)
  static constexpr StringLiteral kArgument = "fit-budget";
  static constexpr StringLiteral kSummary =
      "compute values again instead of keeping them";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto budget = module->getAttrOfType<IntegerAttr>(kMemoryBudgetAttr);
    if (!budget)
      return;
    SmallVector<std::string> report;
    for (auto entry : module.getOps<func::FuncOp>())
      if (entry->hasAttr("graph.entry"))
        BudgetFitter(entry, budget.getInt()).run(report);
    SmallVector<StringRef> lines(report.begin(), report.end());
    module->setAttr(kRecomputedAttr,
                    Builder(&getContext()).getStrArrayAttr(lines));
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createFitBudgetPass() {
  return std::make_unique<FitBudgetPass>();
}
} // namespace tenon
