#include "compiler/Pass.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon;

namespace {

/// With fewer rows than this, packing B in every block of them costs as much
/// as the products.
constexpr int64_t kFewRows = 16;

/// `order` after the permutation of a transpose that is looked through.
SmallVector<int64_t> composed(ArrayRef<int64_t> order,
                              ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector(order, [&](int64_t i) { return permutation[i]; });
}

/// Looks through transposes, changing `order` (which dimension of the value is
/// the i-th) with them.
Value throughTransposes(Value value, SmallVectorImpl<int64_t> &order) {
  while (auto transpose = value.getDefiningOp<linalg::TransposeOp>()) {
    order = composed(order, transpose.getPermutation());
    value = transpose.getInput();
  }
  return value;
}

SmallVector<int64_t> identity(int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

/// The gradient of a convolution's filter, to which batch and channels of the
/// images have changed places: both are read where they lie, channels last.
void readImagesInPlace(kernel::ContractOp op) {
  int64_t rank = op.getCType().getRank(), batch = op.getBatchRank();
  auto pack = op.getB().getDefiningOp<kernel::PackOp>();
  if (!pack || pack.getReverse() || pack.getTransposeB() || op.getPairs() ||
      llvm::any_of(op.getInputDilation(), [](int64_t d) { return d != 1; }) ||
      llvm::any_of(op.getCType().getShape().drop_front(batch),
                   ShapedType::isDynamic))
    return;
  SmallVector<int64_t> aOrder = identity(rank), bOrder = identity(rank);
  Value a = throughTransposes(op.getA(), aOrder),
        b = throughTransposes(pack.getSource(), bOrder);
  if (aOrder[batch] != rank - 1 || bOrder[rank - 1] != rank - 1)
    return;
  op.getAMutable().assign(a);
  op.setAOrder(aOrder);
  op.getBMutable().assign(b);
  op.setBOrder(bOrder);
}

void readInPlace(kernel::ContractOp op) {
  int64_t rank = op.getCType().getRank();
  Type element = op.getAType().getElementType();
  if (op.getGroups() != 1 || isa<ComplexType>(element))
    return;
  if (op.getSpatialRank() != 0)
    return readImagesInPlace(op);
  if (op.getAOrder().empty()) {
    SmallVector<int64_t> order = identity(rank);
    Value source = throughTransposes(op.getA(), order);
    if (source != op.getA()) {
      op.getAMutable().assign(source);
      op.setAOrder(order);
    }
  }
  auto pack = op.getB().getDefiningOp<kernel::PackOp>();
  int64_t rows = op.getCType().getDimSize(rank - 2);
  // What is packed in front of a loop is packed once for all its iterations.
  if (op.readsMatrix() || !pack || pack->getBlock() != op->getBlock() ||
      pack.getReverse() || (!ShapedType::isDynamic(rows) && rows < kFewRows))
    return;
  SmallVector<int64_t> order = identity(rank);
  if (pack.getTransposeB())
    std::swap(order[rank - 1], order[rank - 2]);
  Value source = throughTransposes(pack.getSource(), order);
  op.getBMutable().assign(source);
  op.setBOrder(order);
}

/// Operands that would only be rearranged for a matrix product, or for the
/// gradient of a convolution's filter, are read where they lie: transposes of
/// either operand, and the packing of a second one that is no constant. Nothing
/// of their size is written, and what is packed stays in the caches.
///
/// ```mlir
/// %t = linalg.transpose ins(%x) outs(..) permutation = [1, 0]
/// %p = kernel.pack ins(%g) outs(..)
/// %w = kernel.contract ins(%t, %p) outs(..)
/// // becomes
/// %w = kernel.contract ins(%x, %g) outs(..) attributes {
///     a_order = array<i64: 1, 0>, b_order = array<i64: 0, 1>}
/// ```
struct ReadInPlacePass
    : PassBase<ReadInPlacePass, ModuleOp, kernel::KernelDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReadInPlacePass)
  static constexpr StringLiteral kArgument = "read-in-place";
  static constexpr StringLiteral kSummary =
      "contractions read transposed and unpacked operands where they lie";

  void runOnOperation() override {
    getOperation().walk([](kernel::ContractOp op) { readInPlace(op); });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createReadInPlacePass() {
  return std::make_unique<ReadInPlacePass>();
}
} // namespace tenon
