#include "compiler/Pass.h"

using namespace mlir;
using namespace tenon;

namespace {

/// The upstream lowering of memref.expand_shape computes one dynamic size per
/// group from the others; ops with more of them state their sizes, from which
/// the strides follow.
void expand(memref::ExpandShapeOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto source = memref::ExtractStridedMetadataOp::create(b, loc, op.getSrc());
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(),
                            strides(sizes.size());
  for (auto [group, stride] : llvm::zip(op.getReassociationIndices(),
                                        source.getConstifiedMixedStrides())) {
    OpFoldResult next = stride;
    for (int64_t dim : llvm::reverse(group)) {
      strides[dim] = next;
      AffineExpr lhs = b.getAffineSymbolExpr(0), rhs = b.getAffineSymbolExpr(1);
      next = affine::makeComposedFoldedAffineApply(b, loc, lhs * rhs,
                                                   {next, sizes[dim]});
    }
  }
  auto [staticStrides, staticOffset] = op.getResultType().getStridesAndOffset();
  for (auto [stride, known] : llvm::zip(strides, staticStrides))
    if (!ShapedType::isDynamic(known))
      stride = b.getIndexAttr(known);
    else
      stride = getValueOrCreateConstantIndexOp(b, loc, stride);
  OpFoldResult offset = ShapedType::isDynamic(staticOffset)
                            ? OpFoldResult(source.getOffset())
                            : OpFoldResult(b.getIndexAttr(staticOffset));
  op.replaceAllUsesWith(memref::ReinterpretCastOp::create(
                            b, loc, op.getResultType(), source.getBaseBuffer(),
                            offset, sizes, strides)
                            .getResult());
  op.erase();
}

struct SplitDynamicDimsPass
    : PassBase<SplitDynamicDimsPass, func::FuncOp, memref::MemRefDialect,
               affine::AffineDialect, arith::ArithDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SplitDynamicDimsPass)
  static constexpr StringLiteral kArgument = "split-dynamic-dims";
  static constexpr StringLiteral kSummary =
      "lower memref.expand_shape with several dynamic sizes in a group";

  void runOnOperation() override {
    getOperation()->walk([](memref::ExpandShapeOp op) {
      ArrayRef<int64_t> shape = op.getResultType().getShape();
      bool several = llvm::any_of(
          op.getReassociationIndices(), [&](ArrayRef<int64_t> group) {
            return llvm::count_if(group, [&](int64_t dim) {
                     return ShapedType::isDynamic(shape[dim]);
                   }) > 1;
          });
      if (several)
        expand(op);
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createSplitDynamicDimsPass() {
  return std::make_unique<SplitDynamicDimsPass>();
}
} // namespace tenon
