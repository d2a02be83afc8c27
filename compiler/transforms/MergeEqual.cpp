#include "compiler/Pass.h"
#include "compiler/transforms/EqualOps.h"
#include "compiler/transforms/FitBudget.h"
#include "dialects/graph/Graph.h"

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
    mergeEqualOps(getOperation());
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createMergeEqualPass() {
  return std::make_unique<MergeEqualPass>();
}
} // namespace tenon
