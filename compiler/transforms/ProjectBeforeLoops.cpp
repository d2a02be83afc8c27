#include "compiler/Pass.h"
#include "compiler/transforms/RewriteLoops.h"
#include "dialects/graph/Expression.h"
#include "dialects/graph/ops/Contraction.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Sequence.h"

using namespace mlir;
using namespace tenon;
using graph::GraphBuilder;
using graph::ShapeContext;
using graph::Tensor;

namespace {

/// The products of all items may take this many bytes where their number is
/// known.
constexpr uint64_t kMostBytes = uint64_t(64) << 20;
/// How much wider than an item its product may be: what is gained is that the
/// weights are read once, what is lost is memory for all products.
constexpr int64_t kMostWidening = 4;

class LoopRewriter {
public:
  LoopRewriter(graph::WhileOp loop, ShapeContext &shapes)
      : loop(loop), body(loop.getBody().front()), builder(loop),
        b(builder, shapes, loop.getLoc()) {}

  /// Puts what it takes out of the function in `dead`.
  LogicalResult run(SmallVectorImpl<Operation *> &dead) {
    SmallVector<graph::MatMulOp> products;
    for (auto product : body.getOps<graph::MatMulOp>())
      if (canMove(product))
        products.push_back(product);
    for (graph::MatMulOp product : products) {
      Tensor moved = move(product);
      if (b.failed())
        return failure();
      if (!moved)
        continue;
      product.getResult().replaceAllUsesWith(moved.value());
      product->dropAllReferences();
      product->remove();
      dead.push_back(product);
    }
    return success();
  }

private:
  /// The value in front of the loop that `value` has in every iteration, null
  /// when there is none.
  Value outside(Value value) {
    if (!loop.getBody().isAncestor(value.getParentRegion()))
      return value;
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getOwner() != &body)
      return {};
    unsigned number = argument.getArgNumber();
    return body.getTerminator()->getOperand(number) == value
               ? loop.getInits()[number]
               : Value();
  }

  /// Whether a value is one more or one less in each iteration: no item is
  /// taken twice.
  bool isCounter(Value index) {
    auto stepOf = [&](Value next) -> Value {
      Operation *op = next.getDefiningOp();
      return isa_and_present<graph::AddOp, graph::SubOp>(op) &&
                     matchPattern(op->getOperand(1), m_One())
                 ? op->getOperand(0)
                 : Value();
    };
    while (auto cast = index.getDefiningOp<graph::CastOp>())
      index = cast->getOperand(0);
    Value before = isa<BlockArgument>(index) ? index : stepOf(index);
    auto argument = dyn_cast_or_null<BlockArgument>(before);
    if (!argument || argument.getOwner() != &body)
      return false;
    Value next = body.getTerminator()->getOperand(argument.getArgNumber());
    return stepOf(next) == before && (index == before || index == next);
  }

  bool canMove(graph::MatMulOp product) {
    auto item = product.getLhs().getDefiningOp<graph::ListGetItemOp>();
    if (!item || item->getBlock() != &body || product.getTransposeA() ||
        product.getConjugateA() || !isCounter(item.getIndex()) ||
        !outside(item.getList()) || !outside(product.getRhs()))
      return false;
    ArrayRef<AffineExpr> list = b.shapes.dims(item.getList()),
                         weights = b.shapes.dims(product.getRhs());
    if (list.size() != 3 || weights.size() != 2)
      return false;
    bool transposed = product.getTransposeB();
    std::optional<int64_t> width = ShapeContext::asConstant(list[2]),
                           columns = ShapeContext::asConstant(
                               weights[transposed ? 0 : 1]);
    if (!width || !columns || *columns > kMostWidening * *width)
      return false;
    uint64_t bytes = 4 * *columns;
    for (AffineExpr size : list.take_front(2))
      bytes = llvm::SaturatingMultiply<uint64_t>(
          bytes, ShapeContext::asConstant(size).value_or(1));
    return bytes <= kMostBytes;
  }

  /// The item of the product of all items, in place of the item's product.
  Tensor move(graph::MatMulOp product) {
    auto item = product.getLhs().getDefiningOp<graph::ListGetItemOp>();
    Tensor list(b, outside(item.getList())),
        weights(b, outside(product.getRhs()));
    int64_t width = *ShapeContext::asConstant(list.dim(2));
    Type element = getElementTypeOrSelf(product.getResult());
    b.loc = product.getLoc();
    Tensor rows = reshape(list, b.integers({-1, width}));
    Tensor all =
        b.make("graph.matmul", element, {rows, weights}, product->getAttrs());
    if (!all)
      return {};
    int64_t columns = *ShapeContext::asConstant(all.dim(1));
    Tensor shape = graph::concat({expandDims(b.size(list.value(), {0}), {0}),
                                  expandDims(b.size(list.value(), {1}), {0}),
                                  b.integers({columns})},
                                 0);
    Tensor items = reshape(all, shape);
    OpBuilder inside(product);
    GraphBuilder nested(inside, b.shapes, item.getLoc());
    if (!items)
      return {};
    Tensor result = nested.make(
        "graph.list_get_item", element,
        {Tensor(nested, items.value()), Tensor(nested, item.getIndex())});
    if (nested.failed())
      b.abandon();
    return result;
  }

  graph::WhileOp loop;
  Block &body;
  OpBuilder builder;
  GraphBuilder b;
};

/// What a loop multiplies each item of a list with is multiplied with the whole
/// list in front of the loop: one contraction that reads the weights once. So
/// are the inputs of a recurrent layer.
///
/// ```mlir
/// // in a loop over %i:
/// %x = graph.list_get_item %xs, %i
/// %p = graph.matmul %x, %w              // [B, K], [K, N]
/// // becomes, with %ps = graph.matmul %xs, %w in front of it:
/// %p = graph.list_get_item %ps, %i
/// ```
struct ProjectBeforeLoopsPass
    : PassBase<ProjectBeforeLoopsPass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ProjectBeforeLoopsPass)
  static constexpr StringLiteral kArgument = "project-before-loops";
  static constexpr StringLiteral kSummary =
      "products of a list's items become one contraction in front of the loop";

  void runOnOperation() override {
    auto rewrite = [](graph::WhileOp loop, ShapeContext &shapes,
                      SmallVectorImpl<Operation *> &dead) {
      return LoopRewriter(loop, shapes).run(dead);
    };
    if (failed(rewriteLoops(getOperation(), rewrite)))
      signalPassFailure();
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createProjectBeforeLoopsPass() {
  return std::make_unique<ProjectBeforeLoopsPass>();
}
} // namespace tenon
