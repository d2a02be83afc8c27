#include "compiler/Pass.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Whether an op does enough to be worth a buffer that lives as long as a loop.
bool isWorthwhile(Operation *op) {
  if (isa<kernel::PackOp, kernel::ContractOp, kernel::WindowOp>(op))
    return true;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumReductionLoops() != 0;
}

class Hoister {
public:
  explicit Hoister(LoopLikeOpInterface loop) : loop(loop) {}

  void run() {
    for (Region *region : loop.getLoopRegions())
      for (Operation &op : llvm::make_early_inc_range(region->getOps())) {
        needed.clear();
        if (!isWorthwhile(&op) || !collect(&op))
          continue;
        for (Operation *part : needed)
          part->moveBefore(loop);
      }
  }

private:
  /// Adds the op and what it needs of the loop's body to `needed`, in order;
  /// false when that depends on the iteration.
  bool collect(Operation *op) {
    if (needed.contains(op))
      return true;
    if (op->getNumRegions() &&
        !isa<linalg::LinalgOp, kernel::ContractOp, kernel::WindowOp>(op))
      return false;
    if (!isMemoryEffectFree(op) || !isSpeculatable(op))
      return false;
    bool isInvariant = true;
    op->walk([&](Operation *inner) {
      for (Value value : inner->getOperands())
        isInvariant = isInvariant && isOutside(value, op);
    });
    if (isInvariant)
      needed.insert(op);
    return isInvariant;
  }

  bool isOutside(Value value, Operation *user) {
    if (user->isAncestor(value.getParentBlock()->getParentOp()))
      return true; // its own region
    if (loop.isDefinedOutsideOfLoop(value))
      return true;
    Operation *producer = value.getDefiningOp();
    return producer && producer->getBlock() == user->getBlock() &&
           collect(producer);
  }

  LoopLikeOpInterface loop;
  llvm::SetVector<Operation *> needed;
};

/// Matrix products, and packings of their operands, that come out the same in
/// every iteration move in front of the loop: so are a recurrent layer's
/// weights packed once. Cheap ops stay: a buffer that lives as long as the loop
/// costs more than they do.
struct HoistInvariantsPass
    : PassBase<HoistInvariantsPass, ModuleOp, kernel::KernelDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(HoistInvariantsPass)
  static constexpr StringLiteral kArgument = "hoist-invariants";
  static constexpr StringLiteral kSummary =
      "move contractions and packings out of loops";

  void runOnOperation() override {
    // Inner loops first: what leaves them may leave the outer ones, too.
    getOperation().walk([](LoopLikeOpInterface loop) {
      if (isa<scf::WhileOp, scf::ForOp>(loop.getOperation()) &&
          llvm::any_of(loop->getResultTypes(), llvm::IsaPred<RankedTensorType>))
        Hoister(loop).run();
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createHoistInvariantsPass() {
  return std::make_unique<HoistInvariantsPass>();
}
} // namespace tenon
