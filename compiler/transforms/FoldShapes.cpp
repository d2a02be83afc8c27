#include "compiler/Pass.h"
#include "dialects/graph/Expression.h"
#include "dialects/graph/Variables.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Sequence.h"
#include "dialects/graph/ops/Shape.h"

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

/// A value with the same dims that is there without what `value` is computed
/// from: a loop's first value, an operand of elementwise ops.
Value withSameShape(Value value, graph::ShapeContext &shapes) {
  while (true) {
    Value source;
    Operation *op = value.getDefiningOp();
    unsigned number = 0;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      op = argument.getOwner()->getParentOp();
      number = argument.getArgNumber();
    } else {
      number = cast<OpResult>(value).getResultNumber();
    }
    auto isSame = [&](Value other) {
      return isa<RankedTensorType>(other.getType()) &&
             llvm::equal(shapes.dims(other), shapes.dims(value));
    };
    if (auto loop = dyn_cast_if_present<graph::WhileOp>(op)) {
      if (isSame(loop.getInits()[number]))
        source = loop.getInits()[number];
    } else if (isa_and_present<graph::Elementwise>(op)) {
      auto same = llvm::find_if(op->getOperands(), isSame);
      if (same != op->operand_end())
        source = *same;
    } else if (auto set = dyn_cast_if_present<graph::ListSetItemOp>(op)) {
      if (isSame(set.getList()))
        source = set.getList();
    }
    if (!source)
      return value;
    value = source;
  }
}

/// Asks a value for its shape that is not only kept for that question.
void askElsewhere(graph::ShapeOfOp op, graph::ShapeContext &shapes) {
  Value source = withSameShape(op.getInput(), shapes);
  OpBuilder builder(op);
  graph::GraphBuilder b(builder, shapes, op.getLoc());
  if (auto item = source.getDefiningOp<graph::ListGetItemOp>()) {
    Value list = withSameShape(item.getList(), shapes);
    if (!llvm::equal(shapes.dims(list).drop_front(), shapes.dims(source)))
      return;
    Type element = getElementTypeOrSelf(op.getResult());
    graph::Tensor sizes = cast(part(b.shapeOf(list), 1, -1), element);
    if (sizes && sizes.value().getType() == op.getResult().getType())
      op.getResult().replaceAllUsesWith(sizes.value());
  } else if (source != op.getInput()) {
    op.getInputMutable().assign(source);
  }
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
    graph::VariableTable variables(getOperation()->getParentOfType<ModuleOp>());
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
      if (auto shape = dyn_cast<graph::ShapeOfOp>(op))
        askElsewhere(shape, shapes);
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
