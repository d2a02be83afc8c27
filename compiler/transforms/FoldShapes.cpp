#include "compiler/Pass.h"
#include "dialects/graph/ops/Control.h"

using namespace mlir;
using namespace tenon;

namespace {

/// The constant that an integer tensor is known to be, if it is.
ElementsAttr knownValue(Value value, graph::ShapeContext &shapes) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isInteger())
    return {};
  std::optional<SmallVector<int64_t>> elements = shapes.constants(value);
  if (!elements || int64_t(elements->size()) != type.getNumElements())
    return {};
  unsigned width = type.getElementTypeBitWidth();
  auto bits = llvm::map_to_vector(*elements, [&](int64_t element) {
    return APInt(64, uint64_t(element)).zextOrTrunc(width);
  });
  return DenseElementsAttr::get(type, bits);
}

/// Chains such as shape_of, slice, pack, reshape vanish when sizes are static.
/// Result types are refined to what the analysis knows.
struct FoldShapesPass
    : PassBase<FoldShapesPass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FoldShapesPass)
  static constexpr StringLiteral kArgument = "fold-shapes";
  static constexpr StringLiteral kSummary =
      "integer tensors whose contents the shape analysis knows become "
      "constants";

  void runOnOperation() override {
    if (!getOperation()->hasAttr("graph.entry"))
      return;
    SmallVector<Operation *> dead;
    graph::ShapeContext shapes(&getContext());
    shapes.addEntry(getOperation());
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<graph::ShapeInference>(op) || isa<graph::ConstantOp>(op))
        return;
      OpBuilder b(op);
      for (Value result : op->getResults()) {
        auto type = dyn_cast<RankedTensorType>(result.getType());
        if (!type)
          continue;
        result.setType(shapes.typeOf(result, type.getElementType()));
        if (!isPure(op) || op->getNumRegions())
          continue;
        if (ElementsAttr value = knownValue(result, shapes))
          result.replaceAllUsesWith(
              graph::ConstantOp::create(b, op->getLoc(), value));
      }
      if (isOpTriviallyDead(op))
        dead.push_back(op);
    });
    for (Operation *op : llvm::reverse(dead))
      if (isOpTriviallyDead(op))
        op->erase();
    func::FuncOp entry = getOperation();
    entry.setType(FunctionType::get(
        &getContext(), entry.getArgumentTypes(),
        entry.getBody().front().getTerminator()->getOperandTypes()));
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createFoldShapesPass() {
  return std::make_unique<FoldShapesPass>();
}
} // namespace tenon
