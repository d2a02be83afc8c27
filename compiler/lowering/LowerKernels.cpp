#include "compiler/Pass.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/FloatFunctions.h"
#include "compiler/lowering/LowerGeneric.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

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

/// As the intrinsic, which LLVM reduces in vectors, unlike the comparisons and
/// choices that it would be expanded to.
template <typename ArithOp, typename IntrinsicOp>
struct KeepExtremum : OpRewritePattern<ArithOp> {
  using OpRewritePattern<ArithOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(ArithOp op,
                                PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getType());
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!(element.isF32() || element.isF64()) ||
        (vector && vector.getRank() != 1))
      return failure();
    rewriter.replaceOpWithNewOp<IntrinsicOp>(op, op.getType(), op.getLhs(),
                                             op.getRhs());
    return success();
  }
};

struct LowerKernelsPass
    : CpuPassBase<LowerKernelsPass, func::FuncOp, scf::SCFDialect,
                  vector::VectorDialect, memref::MemRefDialect,
                  arith::ArithDialect, math::MathDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerKernelsPass)
  static constexpr StringLiteral kArgument = "lower-kernels";
  static constexpr StringLiteral kSummary =
      "lower the compute op of a kernel function to loops for a CPU";

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
              ? lowerGenericToLoops(b, cast<linalg::LinalgOp>(op), begin, end,
                                    target)
              : cast<kernel::KernelOpInterface>(op).lowerToLoops(b, begin, end,
                                                                 target);
      if (failed(lowered))
        return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    populateFloatFunctionPatterns(patterns, target.hasFma,
                                  llvm::Triple(triple).isX86() &&
                                      target.vectorBits >= 512);
    populateMathPolynomialApproximationPatterns(patterns);
    patterns.add<KeepExtremum<arith::MaximumFOp, LLVM::MaximumOp>,
                 KeepExtremum<arith::MinimumFOp, LLVM::MinimumOp>>(
        &getContext());
    if (!target.hasFma)
      patterns.add<SplitFma>(&getContext());
    if (failed(applyPatternsGreedily(function, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLowerKernelsPass() {
  return std::make_unique<LowerKernelsPass>();
}
} // namespace tenon
