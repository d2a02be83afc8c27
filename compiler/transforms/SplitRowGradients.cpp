#include "compiler/Pass.h"
#include "dialects/graph/Expression.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Indexing.h"

using namespace mlir;
using namespace tenon;

namespace {
/// Function `op` of the rows that `value` is the sum of, and of its scalars,
/// summed; null when `value` is no such sum.
graph::Tensor overRows(Operation *op, graph::Tensor value) {
  graph::GraphBuilder &b = value.builder();
  if (auto sum = value.value().getDefiningOp<graph::AddOp>()) {
    graph::Tensor left = overRows(op, {b, sum.getLhs()}),
                  right = overRows(op, {b, sum.getRhs()});
    return left && right ? left + right : graph::Tensor();
  }
  auto rows = value.value().getDefiningOp<graph::ScatterNdOp>();
  if (!rows)
    return {};
  graph::Tensor updates(b, rows.getUpdates());
  SmallVector<graph::Tensor> operands = {updates};
  for (Value scalar : op->getOperands().drop_front())
    operands.push_back({b, scalar});
  graph::Tensor each =
      b.make(op->getName().getStringRef(), updates.type(), operands);
  return graph::scatter({b, rows.getIndices()}, each, {b, rows.getShape()});
}

/// Keras on TensorFlow keeps the gradient of a table that is looked up as rows,
/// and takes squares and absolute values, and clips, each row by itself: for a
/// row that is looked up twice, the sum of two squares and not the square of a
/// sum. An
/// optimizer marks the operations that are meant so.
///
/// ```mlir
/// %g = graph.scatter_nd %rows, %d, %shape
/// %s = graph.square %g {graph.by_rows}
/// // becomes
/// %q = graph.square %d
/// %s = graph.scatter_nd %rows, %q, %shape
/// ```
struct SplitRowGradientsPass
    : PassBase<SplitRowGradientsPass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SplitRowGradientsPass)
  static constexpr StringLiteral kArgument = "split-row-gradients";
  static constexpr StringLiteral kSummary =
      "functions of gradients that are rows are taken row by row";

  void runOnOperation() override {
    SmallVector<Operation *> marked;
    getOperation().walk([&](Operation *op) {
      if (op->hasAttr("graph.by_rows"))
        marked.push_back(op);
    });
    if (marked.empty())
      return;
    graph::ShapeContext shapes(&getContext());
    shapes.addEntry(getOperation());
    for (Operation *op : marked) {
      op->removeAttr("graph.by_rows");
      OpBuilder builder(op);
      graph::GraphBuilder b(builder, shapes, op->getLoc());
      if (graph::Tensor sum = overRows(op, {b, op->getOperand(0)}))
        op->getResult(0).replaceAllUsesWith(sum.value());
      if (b.failed())
        return signalPassFailure();
    }
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createSplitRowGradientsPass() {
  return std::make_unique<SplitRowGradientsPass>();
}
} // namespace tenon
