#include "compiler/Pass.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Whether nothing between two ops of a block writes memory.
bool keepsMemory(Operation *from, Operation *to) {
  for (Operation *op = from->getNextNode(); op != to; op = op->getNextNode())
    if (!isMemoryEffectFree(op) && !isa<memref::AllocOp>(op))
      return false;
  return true;
}

/// The memory of `source`, its dimensions in another order.
Value permuted(OpBuilder &b, Location loc, Value source,
               ArrayRef<int64_t> permutation) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, source);
  SmallVector<OpFoldResult> sizes, strides,
      givenSizes = metadata.getConstifiedMixedSizes(),
      givenStrides = metadata.getConstifiedMixedStrides();
  for (int64_t dim : permutation) {
    sizes.push_back(givenSizes[dim]);
    strides.push_back(givenStrides[dim]);
  }
  Value result = memref::ReinterpretCastOp::create(
      b, loc, source, metadata.getConstifiedMixedOffset(), sizes, strides);
  if (metadata->use_empty())
    metadata->erase();
  return result;
}

/// Packing reads with any strides: what is only transposed to be packed, as
/// the gradients that filters' gradients are computed from, is packed from
/// where it lies.
///
/// ```mlir
/// linalg.transpose ins(%x) outs(%t) permutation = [1, 2, 0, 3]
/// kernel.pack ins(%t) outs(%p)
/// // becomes
/// %v = memref.reinterpret_cast %x ...
/// kernel.pack ins(%v) outs(%p)
/// ```
struct PackInPlacePass
    : PassBase<PackInPlacePass, func::FuncOp, memref::MemRefDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PackInPlacePass)
  static constexpr StringLiteral kArgument = "pack-in-place";
  static constexpr StringLiteral kSummary =
      "operands that are only transposed to be packed are packed directly";

  void runOnOperation() override {
    getOperation().walk([](kernel::PackOp pack) {
      auto memory = pack.getSource().getDefiningOp<memref::AllocOp>();
      if (!memory || !llvm::hasNItems(memory->getUsers(), 2))
        return;
      for (Operation *user : memory->getUsers()) {
        auto transpose = dyn_cast<linalg::TransposeOp>(user);
        if (!transpose || transpose.getInit() != memory.getResult() ||
            transpose->getBlock() != pack->getBlock() ||
            !transpose->isBeforeInBlock(pack) || !keepsMemory(transpose, pack))
          continue;
        OpBuilder b(pack);
        pack.getSourceMutable().assign(permuted(b, pack.getLoc(),
                                                transpose.getInput(),
                                                transpose.getPermutation()));
        transpose.erase();
        memory.erase();
        return;
      }
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createPackInPlacePass() {
  return std::make_unique<PackInPlacePass>();
}
} // namespace tenon
