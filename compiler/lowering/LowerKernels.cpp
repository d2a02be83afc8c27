#include "compiler/backend/cpu/Target.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/LowerGeneric.h"
#include "compiler/lowering/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_LOWERKERNELSPASS
#include "compiler/lowering/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {

/// Without a fused instruction the fused operation would be a library call.
struct SplitFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op,
                                PatternRewriter &rewriter) const override {
    Value product = arith::MulFOp::create(rewriter, op.getLoc(), op.getA(),
                                          op.getB(), op.getFastmathAttr());
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getC(),
                                               op.getFastmathAttr());
    return success();
  }
};

struct LowerKernelsPass : tenon::impl::LowerKernelsPassBase<LowerKernelsPass> {
  using LowerKernelsPassBase::LowerKernelsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kKernelAttr))
      return;
    CpuTarget target = CpuTarget::getNamed(llvm::Triple(triple), cpu);
    Value begin = function.getArgument(1), end = function.getArgument(2);
    SmallVector<Operation *> ops;
    for (Operation &op : function.getBody().front())
      if (isa<linalg::LinalgOp, kernel::KernelOpInterface>(op))
        ops.push_back(&op);
    for (Operation *op : ops) {
      OpBuilder b(op);
      LogicalResult lowered =
          isa<linalg::LinalgOp>(op)
              ? lowerGenericToLoops(b, cast<linalg::LinalgOp>(op), begin, end)
              : cast<kernel::KernelOpInterface>(op).lowerToLoops(b, begin, end,
                                                                 target);
      if (failed(lowered))
        return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    if (!target.hasFma)
      patterns.add<SplitFma>(&getContext());
    if (failed(applyPatternsGreedily(function, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
