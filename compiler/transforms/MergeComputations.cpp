#include "compiler/Pass.h"
#include "compiler/transforms/EqualOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace tenon;

namespace {
/// MLIR's elimination of common subexpressions, in time that is linear also
/// when thousands of ops differ in their bodies only.
struct MergeComputationsPass
    : PassBase<MergeComputationsPass, ModuleOp, linalg::LinalgDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MergeComputationsPass)
  static constexpr StringLiteral kArgument = "merge-computations";
  static constexpr StringLiteral kSummary =
      "compute once what several ops compute alike";

  void runOnOperation() override { mergeEqualOps(getOperation()); }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createMergeComputationsPass() {
  return std::make_unique<MergeComputationsPass>();
}
} // namespace tenon
