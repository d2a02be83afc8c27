#include "compiler/Pass.h"
#include "compiler/transforms/BodyHashes.h"
#include "compiler/transforms/FitBudget.h"
#include "dialects/graph/Graph.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"

using namespace mlir;
using namespace tenon;

namespace {
/// Equal ops become one, as MLIR's CSE does; not where values are computed
/// again on purpose.
struct MergeEqualPass
    : PassBase<MergeEqualPass, ModuleOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MergeEqualPass)
  static constexpr StringLiteral kArgument = "merge-equal";
  static constexpr StringLiteral kSummary =
      "equal ops become one unless memory is short";

  void runOnOperation() override {
    if (getOperation()->hasAttr(kMemoryBudgetAttr))
      return;
    BodyHashes hashes(getOperation());
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(getOperation());
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createMergeEqualPass() {
  return std::make_unique<MergeEqualPass>();
}
} // namespace tenon
