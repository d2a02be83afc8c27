#include "compiler/Pass.h"
#include "compiler/transforms/RewriteLoops.h"
#include "dialects/graph/Expression.h"
#include "dialects/graph/ops/Contraction.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Reduction.h"
#include "dialects/graph/ops/Sequence.h"

using namespace mlir;
using namespace tenon;
using graph::GraphBuilder;
using graph::ShapeContext;
using graph::Tensor;

namespace {

/// A loop from its trip count down to 0, as derivatives of loops are.
struct Countdown {
  unsigned counter;
  Value place; // of the iteration, in the body: from the last one to 0

  static std::optional<Countdown> match(graph::WhileOp loop) {
    Block &condition = loop.getCondition().front(),
          &body = loop.getBody().front();
    auto test = condition.getTerminator()
                    ->getOperand(0)
                    .getDefiningOp<graph::GreaterOp>();
    if (!test || !matchPattern(test->getOperand(1), m_Zero()))
      return std::nullopt;
    auto argument = dyn_cast<BlockArgument>(test->getOperand(0));
    if (!argument || argument.getOwner() != &condition)
      return std::nullopt;
    unsigned counter = argument.getArgNumber();
    auto step =
        body.getTerminator()->getOperand(counter).getDefiningOp<graph::SubOp>();
    if (!step || step->getOperand(0) != body.getArgument(counter) ||
        !matchPattern(step->getOperand(1), m_One()))
      return std::nullopt;
    return Countdown{counter, step->getResult(0)};
  }

  bool isPlace(Value index) const {
    while (Operation *op = index.getDefiningOp()) {
      bool addsNothing =
          isa<graph::AddOp>(op) && matchPattern(op->getOperand(1), m_Zero());
      if (!addsNothing && !isa<graph::CastOp>(op))
        break;
      index = op->getOperand(0);
    }
    return index == place;
  }
};

/// A value of a loop to which each iteration adds a term that could as well be
/// computed for all iterations at once.
struct LoopSum {
  unsigned number;
  Operation *add, *term;
};

class LoopRewriter {
public:
  LoopRewriter(graph::WhileOp loop, ShapeContext &shapes)
      : loop(loop), body(loop.getBody().front()), builder(loop),
        b(builder, shapes, loop.getLoc()) {}

  /// Puts what it takes out of the function in `dead`.
  LogicalResult run(SmallVectorImpl<Operation *> &dead) {
    auto found = Countdown::match(loop);
    if (!found)
      return success();
    countdown = *found;
    for (unsigned k = 0; k < loop->getNumResults(); ++k)
      if (auto sum = matchSum(k))
        sums.push_back(*sum);
    if (sums.empty())
      return success();
    for (const LoopSum &sum : sums)
      for (Value operand : rowsOf(sum.term))
        if (!listOf(operand))
          kept.insert({operand, Value()});
    return rebuild(dead);
  }

private:
  std::optional<LoopSum> matchSum(unsigned k) {
    Value total = body.getArgument(k);
    if (!loop.getCondition().front().getArgument(k).use_empty() ||
        !total.hasOneUse())
      return std::nullopt;
    Operation *add = *total.user_begin(), *yield = body.getTerminator();
    if (!isa<graph::AddOp>(add) || add->getBlock() != &body ||
        !add->getResult(0).hasOneUse() ||
        yield->getOperand(k) != add->getResult(0) ||
        !isa<FloatType>(getElementTypeOrSelf(total)))
      return std::nullopt;
    Value part = add->getOperand(add->getOperand(0) == total ? 1 : 0);
    Operation *term = part.getDefiningOp();
    if (!term || term->getBlock() != &body || !part.hasOneUse() ||
        !llvm::equal(b.shapes.dims(part), b.shapes.dims(total)) ||
        !(sumsRows(term) || setsOneItem(term)) ||
        !llvm::all_of(rowsOf(term),
                      [&](Value operand) { return canStack(operand); }))
      return std::nullopt;
    return LoopSum{k, add, term};
  }

  /// The operands of a term that differ from iteration to iteration.
  static SmallVector<Value> rowsOf(Operation *term) {
    if (auto set = dyn_cast<graph::ListSetItemOp>(term))
      return {set.getItem()};
    return SmallVector<Value>(term->getOperands());
  }

  /// Whether an op puts the iteration's item into a list of zeros, as many as
  /// there are iterations: the gradient of a list that they take items from.
  bool setsOneItem(Operation *op) {
    auto set = dyn_cast<graph::ListSetItemOp>(op);
    return set && countdown.isPlace(set.getIndex()) &&
           set.getList().getParentBlock() != &body &&
           hasAllItems(set.getList()) && Tensor(b, set.getList()).isAll(0);
  }

  /// Whether an op is a sum over the first dimension of its operands.
  bool sumsRows(Operation *op) {
    auto isMatrix = [&](Value value) {
      ArrayRef<AffineExpr> dims = b.shapes.dims(value);
      return dims.size() == 2 && ShapeContext::asConstant(dims[1]);
    };
    if (auto product = dyn_cast<graph::MatMulOp>(op))
      return product.getTransposeA() && !product.getTransposeB() &&
             isMatrix(product.getLhs()) && isMatrix(product.getRhs());
    auto sum = dyn_cast<graph::ReduceSumOp>(op);
    return sum && !sum.getKeepDims() && !sum.getAxes().empty();
  }

  /// Items of a list that the iterations take from the last one to the first.
  Value listOf(Value value) {
    auto item = value.getDefiningOp<graph::ListGetItemOp>();
    if (!item || item->getBlock() != &body ||
        !countdown.isPlace(item.getIndex()) ||
        item.getList().getParentBlock() == &body)
      return {};
    return hasAllItems(item.getList()) ? item.getList() : Value();
  }

  /// Whether a list has an item for each iteration.
  bool hasAllItems(Value list) {
    auto trips = b.shapes.contents(loop.getInits()[countdown.counter]);
    return trips && trips->size() == 1 && trips->front() &&
           trips->front() == b.shapes.dim(list, 0);
  }

  bool canStack(Value value) {
    return value.getParentBlock() == &body &&
           (listOf(value) ||
            llvm::all_of(b.shapes.dims(value), [&](AffineExpr size) {
              return ShapeContext::asConstant(size) || findSize(size);
            }));
  }

  /// A dimension of one of the loop's first values that has this size.
  std::optional<std::pair<Value, int64_t>> findSize(AffineExpr size) {
    for (Value init : loop.getInits())
      for (auto [d, dim] : llvm::enumerate(b.shapes.dims(init)))
        if (dim == size)
          return std::pair(init, int64_t(d));
    return std::nullopt;
  }

  /// A list of zeros for a value of all iterations, in front of the loop.
  Tensor newList(Value value) {
    Tensor trips = cast(Tensor(b, loop.getInits()[countdown.counter]), b.i64());
    SmallVector<Tensor> sizes = {expandDims(trips, int64_t(0))};
    for (AffineExpr size : b.shapes.dims(value)) {
      if (auto constant = ShapeContext::asConstant(size)) {
        sizes.push_back(b.integers(*constant));
        continue;
      }
      auto [init, d] = *findSize(size);
      sizes.push_back(expandDims(b.size(init, d), int64_t(0)));
    }
    return b.reserve(sizes.size() == 1 ? sizes[0] : graph::concat(sizes, 0),
                     getElementTypeOrSelf(value));
  }

  LogicalResult rebuild(SmallVectorImpl<Operation *> &dead) {
    Location loc = loop.getLoc();
    Operation *yield = body.getTerminator();
    llvm::BitVector summed(loop->getNumResults());
    for (const LoopSum &sum : sums)
      summed.set(sum.number);
    SmallVector<Value> inits, next;
    SmallVector<Type> types;
    for (unsigned k = 0; k < summed.size(); ++k)
      if (!summed[k]) {
        (void)b.shapes.dims(loop->getResult(k)); // while the body is there
        inits.push_back(loop.getInits()[k]);
        types.push_back(loop->getResult(k).getType());
        next.push_back(yield->getOperand(k));
      }
    // The lists are further values of the loop.
    OpBuilder inside(yield);
    GraphBuilder nested(inside, b.shapes, loc);
    size_t old = inits.size();
    for (auto &[value, unused] : kept) {
      Tensor list = newList(value);
      if (b.failed())
        return failure();
      inits.push_back(list.value());
      types.push_back(list.value().getType());
      for (Region &region : loop->getRegions())
        b.shapes.copyDims(region.front().addArgument(types.back(), loc),
                          list.value());
      Tensor longer =
          nested.make("graph.list_set_item", getElementTypeOrSelf(value),
                      {Tensor(nested, body.getArguments().back()),
                       Tensor(nested, countdown.place), Tensor(nested, value)});
      if (nested.failed())
        return failure();
      next.push_back(longer.value());
    }
    OperationState state(loc, loop->getName());
    state.addOperands(inits);
    state.addTypes(types);
    for (unsigned i = 0; i < loop->getNumRegions(); ++i)
      state.addRegion();
    Operation *rebuilt = builder.create(state);
    for (auto [from, to] : llvm::zip(loop->getRegions(), rebuilt->getRegions()))
      to.takeBody(from);
    for (unsigned k = 0, i = 0; k < summed.size(); ++k)
      if (!summed[k]) {
        b.shapes.copyDims(rebuilt->getResult(i), loop->getResult(k));
        loop->getResult(k).replaceAllUsesWith(rebuilt->getResult(i++));
      }
    for (auto &[value, list] : kept) {
      list = rebuilt->getResult(old);
      b.shapes.copyDims(list, inits[old++]);
    }
    for (const LoopSum &sum : sums) {
      Tensor total = Tensor(b, loop.getInits()[sum.number]) + sumAll(sum.term);
      if (b.failed())
        return failure();
      loop->getResult(sum.number).replaceAllUsesWith(total.value());
    }
    yield->setOperands(next);
    for (const LoopSum &sum : sums)
      for (Operation *op : {sum.add, sum.term}) {
        op->dropAllReferences();
        op->remove();
        dead.push_back(op);
      }
    for (Region &region : rebuilt->getRegions()) {
      llvm::BitVector arguments(summed);
      arguments.resize(region.getNumArguments());
      region.front().eraseArguments(arguments);
    }
    loop->remove();
    dead.push_back(loop);
    return success();
  }

  /// What a term gives for all iterations together.
  Tensor sumAll(Operation *term) {
    SmallVector<Tensor> lists;
    for (Value operand : rowsOf(term)) {
      Value list = listOf(operand);
      lists.push_back(Tensor(b, list ? list : kept.lookup(operand)));
    }
    if (isa<graph::ListSetItemOp>(term))
      return lists[0];
    if (auto product = dyn_cast<graph::MatMulOp>(term)) {
      for (Tensor &list : lists) {
        int64_t columns = *ShapeContext::asConstant(list.dims().back());
        list = reshape(list, b.integers({-1, columns}));
      }
      return b.make("graph.matmul", getElementTypeOrSelf(term->getResult(0)),
                    lists, term->getAttrs());
    }
    SmallVector<int64_t> axes = {0};
    for (int64_t axis : cast<graph::ReduceSumOp>(term).getAxes())
      axes.push_back(axis + 1);
    return sum(lists[0], axes);
  }

  graph::WhileOp loop;
  Block &body;
  OpBuilder builder;
  GraphBuilder b;
  Countdown countdown{};
  SmallVector<LoopSum> sums;
  /// Values of the body and the lists of them that the loop gives.
  llvm::MapVector<Value, Value> kept;
};

/// What every iteration of a loop adds to the same sum, a product with the
/// step's rows or a sum over them, is computed once behind the loop from all
/// steps' rows: one contraction instead of many small ones, and no large sum
/// that each iteration reads and writes. So are the gradients of a recurrent
/// layer's weights. The gradient of a list that each iteration takes its item
/// from is the list of the items' gradients.
///
/// ```mlir
/// // in a loop from T down to 0:
/// %p = graph.matmul %x, %g {transpose_a}   // [B, M], [B, N]
/// %next = graph.add %total, %p
/// // becomes, behind a loop that keeps %g (and %x) in lists:
/// %p = graph.matmul %xs, %gs {transpose_a} // [T * B, M], [T * B, N]
/// ```
struct SumAfterLoopsPass
    : PassBase<SumAfterLoopsPass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SumAfterLoopsPass)
  static constexpr StringLiteral kArgument = "sum-after-loops";
  static constexpr StringLiteral kSummary =
      "sums that loops add up become one contraction behind them";

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
std::unique_ptr<Pass> createSumAfterLoopsPass() {
  return std::make_unique<SumAfterLoopsPass>();
}
} // namespace tenon
