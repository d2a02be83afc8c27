// Derivatives of conditions and loops.
//
// What a region computed is computed again where its derivative is. A loop
// keeps what its iterations start from, and what is dear to compute again, in
// tensors with a leading dimension for the iterations, and runs backwards over
// them.
#include "dialects/graph/Rebuild.h"
#include "dialects/graph/Recompute.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/State.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

//===----------------------------------------------------------------------===//
// What regions compute
//===----------------------------------------------------------------------===//

/// Whether running the op once more may give something else.
bool isRepeatable(Operation *op) {
  return op->getNumResults() == 0 || op->getNumRegions() != 0 ||
         isMemoryEffectFree(op);
}

/// Reads of variables that the op does not write go in front of it.
void hoistReads(Operation *op) {
  SmallVector<ReadOp> reads;
  op->walk([&](ReadOp read) { reads.push_back(read); });
  for (ReadOp read : reads)
    (void)hoistRead(read, *op->getBlock());
}

/// Results of the ops of a block that have to be kept because they cannot be
/// computed again. Fails where such an op is deeper inside.
SmallVector<Value> unrepeatable(Block &block, Gradient &g) {
  SmallVector<Value> values;
  for (Operation &op : block.without_terminator()) {
    if (!isRepeatable(&op))
      llvm::append_range(values, op.getResults());
    op.walk([&](Operation *nested) {
      if (nested != &op && !isRepeatable(nested))
        g.fail("a derivative is asked for through nested regions with a value "
               "of '" +
               nested->getName().getStringRef() +
               "', which cannot be computed again");
    });
  }
  return values;
}

/// Ends the block at the builder.
void yield(OpBuilder &builder, Location loc, ArrayRef<Value> values) {
  YieldOp::create(builder, loc, values);
}

/// An op whose regions are those of `from`, which is put away, with other
/// operands and results.
Operation *rebuild(Operation *from, OpBuilder &builder, Gradient &g,
                   ValueRange operands, ArrayRef<Type> resultElements) {
  Operation *op =
      rebuildWith(g.sweep.state, builder, from, operands, resultElements);
  if (!op) {
    g.abandon();
    return nullptr;
  }
  for (auto [old, result] : llvm::zip(from->getResults(), op->getResults())) {
    old.replaceAllUsesWith(result);
    g.sweep.state.successors[old] = result;
  }
  return op;
}

/// Regions in the making, with one block each. They stand where their op will,
/// so that symbols and values around them are found.
class PendingRegions {
public:
  PendingRegions(Gradient &g, unsigned count) : g(g) {
    OperationState state(g.loc, "graph.if");
    for (unsigned i = 0; i < count; ++i)
      state.addRegion()->push_back(new Block);
    holder = g.builder.create(state);
  }
  PendingRegions(const PendingRegions &) = delete;
  /// What is left in them stays until all is done.
  ~PendingRegions() {
    holder->remove();
    g.sweep.state.replaced.push_back(holder);
  }

  Block &operator[](unsigned i) { return holder->getRegion(i).front(); }

  void moveTo(OperationState &state) { takeRegions(state, holder); }

private:
  Gradient &g;
  Operation *holder;
};

SmallVector<Type> elementTypes(ValueRange values) {
  return llvm::map_to_vector(
      values, [](Value value) { return getElementTypeOrSelf(value); });
}

//===----------------------------------------------------------------------===//
// if
//===----------------------------------------------------------------------===//

/// Makes values inside the branches results of the condition; zeros where the
/// other branch was taken.
IfOp keepResults(IfOp op, Gradient &g, ArrayRef<SmallVector<Value>> kept,
                 SmallVectorImpl<Value> &results) {
  SmallVector<Type> elements = elementTypes(op.getResults());
  for (auto [i, region] : llvm::enumerate(op->getRegions())) {
    Operation *terminator = region.front().getTerminator();
    OpBuilder inside(terminator);
    GraphBuilder b(inside, g.shapes, op.getLoc());
    SmallVector<Value> values(terminator->getOperands());
    for (auto [j, branch] : llvm::enumerate(kept))
      for (Value value : branch) {
        if (!cast<RankedTensorType>(value.getType()).hasStaticShape())
          g.fail("a derivative is asked for through a condition with a value "
                 "of unknown size that cannot be computed again");
        values.push_back(i == j ? value : b.filled(value, 0).value());
      }
    terminator->setOperands(values);
  }
  for (ArrayRef<Value> branch : kept)
    llvm::append_range(elements, elementTypes(branch));
  if (g.failed())
    return op;
  size_t before = op->getNumResults();
  OpBuilder builder(op);
  auto rebuilt =
      cast_or_null<IfOp>(rebuild(op, builder, g, op.getCondition(), elements));
  if (rebuilt)
    llvm::append_range(results, rebuilt.getResults().drop_front(before));
  return rebuilt;
}

void ifGradient(IfOp op, Gradient &g) {
  hoistReads(op);
  SmallVector<SmallVector<Value>> kept;
  for (Region &region : op->getRegions())
    kept.push_back(unrepeatable(region.front(), g));
  SmallVector<Value> saved;
  if (llvm::any_of(kept,
                   [](ArrayRef<Value> values) { return !values.empty(); }))
    op = keepResults(op, g, kept, saved);
  if (g.failed())
    return;
  // Only now: a cotangent may be a result of the op that has been replaced.
  SmallVector<Tensor> seeds;
  for (unsigned i = 0; i < g.op->getNumResults(); ++i)
    seeds.push_back(g.of(i));
  SmallVector<Value> wanted;
  for (Value value : capturedValues(op->getRegions()))
    if (g.wants(value))
      wanted.push_back(value);

  // Each branch: the forward ops once more, and their derivatives.
  PendingRegions pending(g, 2);
  SmallVector<Value> cotangents[2];
  size_t nextSaved = 0;
  for (auto [i, region] : llvm::enumerate(op->getRegions())) {
    OpBuilder builder = OpBuilder::atBlockEnd(&pending[i]);
    IRMapping mapping;
    for (Value value : kept[i])
      mapping.map(value, saved[nextSaved++]);
    auto ops = recompute(builder, region.front(), mapping);
    Sweep sweep(builder, g.sweep.state, wanted);
    GraphBuilder b(builder, g.shapes, op.getLoc());
    for (auto [value, seed] :
         llvm::zip(region.front().getTerminator()->getOperands(), seeds))
      if (seed)
        sweep.add(mapping.lookupOrDefault(value), Tensor(b, seed.value()));
    if (failed(sweep.run(ops)))
      return g.abandon();
    for (Value value : wanted)
      cotangents[i].push_back(sweep.cotangent(value));
  }
  SmallVector<Value> reached;
  SmallVector<Value> yielded[2];
  for (auto [value, a, b] : llvm::zip(wanted, cotangents[0], cotangents[1])) {
    if (!a && !b)
      continue;
    reached.push_back(value);
    yielded[0].push_back(a);
    yielded[1].push_back(b);
  }
  for (unsigned i = 0; i < 2; ++i) {
    OpBuilder builder = OpBuilder::atBlockEnd(&pending[i]);
    GraphBuilder b(builder, g.shapes, op.getLoc());
    for (auto [value, cotangent] : llvm::zip(reached, yielded[i]))
      if (!cotangent)
        cotangent = b.filled(value, 0).value();
    yield(builder, op.getLoc(), yielded[i]);
  }
  OperationState state(op.getLoc(), "graph.if");
  state.addOperands(op.getCondition());
  for (Type element : elementTypes(reached))
    state.addTypes(UnrankedTensorType::get(element));
  pending.moveTo(state);
  Operation *backward = g.builder.create(state);
  if (failed(inferResultTypes(backward, g.shapes)))
    return g.abandon();
  for (auto [value, cotangent] : llvm::zip(reached, backward->getResults()))
    g.add(value, g(cotangent));
}

//===----------------------------------------------------------------------===//
// while
//===----------------------------------------------------------------------===//

/// A loop with further values: `next` gives those of the next iteration, at the
/// end of the body, from the further arguments.
WhileOp extendLoop(
    WhileOp op, Gradient &g, ArrayRef<Value> inits,
    function_ref<SmallVector<Value>(OpBuilder &, ArrayRef<Value>)> next) {
  SmallVector<Value> arguments;
  for (Region *region : {&op.getCondition(), &op.getBody()}) {
    arguments.clear();
    for (Value init : inits) {
      Value argument =
          region->front().addArgument(init.getType(), init.getLoc());
      g.shapes.copyDims(argument, init);
      arguments.push_back(argument);
    }
  }
  Operation *terminator = op.getBody().front().getTerminator();
  OpBuilder inside(terminator);
  SmallVector<Value> values(terminator->getOperands());
  llvm::append_range(values, next(inside, arguments));
  if (g.failed() || llvm::is_contained(values, Value())) {
    g.abandon();
    return {};
  }
  terminator->setOperands(values);
  SmallVector<Value> operands(op.getInits());
  llvm::append_range(operands, inits);
  OpBuilder before(op);
  return cast_or_null<WhileOp>(
      rebuild(op, before, g, operands, elementTypes(operands)));
}

/// How often a loop runs, in front of it.
class TripCount {
public:
  TripCount(WhileOp op, Gradient &g)
      : op(op), g(g), before(op), b(before, g.shapes, op.getLoc()) {}

  /// An i64 scalar. From the bounds of counters where the condition compares
  /// these; else the loop runs once only to be counted.
  Value get() {
    std::optional<Tensor> count =
        fromCondition(op.getCondition().front().getTerminator()->getOperand(0));
    if (count)
      return count->value();
    for (Region &region : op->getRegions())
      if (!unrepeatable(region.front(), g).empty())
        g.fail("a derivative is asked for through a loop whose number of "
               "iterations is not known and which cannot be run twice");
    if (g.failed())
      return {};
    auto copy = cast<WhileOp>(cloneWithoutEffects(before, op));
    WhileOp counting = extendLoop(
        copy, g, b.integer(0).value(),
        [&](OpBuilder &inside, ArrayRef<Value> arguments) {
          GraphBuilder nested(inside, g.shapes, op.getLoc());
          return SmallVector<Value>{
              (Tensor(nested, arguments[0]) + nested.integer(1)).value()};
        });
    return counting ? counting.getResults().back() : Value();
  }

  /// What an iteration adds to value k of a loop, if that is always the same.
  static std::optional<int64_t> stepOf(WhileOp op, unsigned k,
                                       ShapeContext &shapes) {
    Block &body = op.getBody().front();
    Operation *update = body.getTerminator()->getOperand(k).getDefiningOp();
    Value counter = body.getArgument(k);
    if (isa_and_nonnull<AddOp>(update)) {
      for (unsigned i = 0; i < 2; ++i)
        if (update->getOperand(i) == counter)
          return shapes.constantScalar(update->getOperand(1 - i));
    } else if (isa_and_nonnull<SubOp>(update)) {
      if (auto step = shapes.constantScalar(update->getOperand(1));
          step && update->getOperand(0) == counter)
        return -*step;
    }
    return std::nullopt;
  }

private:
  std::optional<Tensor> fromCondition(Value condition) {
    Operation *test = condition.getDefiningOp();
    if (!test || test->getNumOperands() != 2)
      return std::nullopt;
    Value lhs = test->getOperand(0), rhs = test->getOperand(1);
    if (isa<AndOp>(test)) {
      auto first = fromCondition(lhs), second = fromCondition(rhs);
      if (!first || !second)
        return std::nullopt;
      return apply("minimum", *first, *second);
    }
    if (isa<LessOp>(test))
      return between(lhs, rhs, /*inclusive=*/false, /*up=*/true);
    if (isa<LessEqualOp>(test))
      return between(lhs, rhs, /*inclusive=*/true, /*up=*/true);
    if (isa<GreaterOp>(test))
      return between(lhs, rhs, /*inclusive=*/false, /*up=*/false);
    if (isa<GreaterEqualOp>(test))
      return between(lhs, rhs, /*inclusive=*/true, /*up=*/false);
    return std::nullopt;
  }

  /// lhs < rhs, or lhs > rhs when not `up`: either may be the counter.
  std::optional<Tensor> between(Value lhs, Value rhs, bool inclusive, bool up) {
    if (auto count = counted(lhs, rhs, inclusive, up))
      return count;
    return counted(rhs, lhs, inclusive, !up);
  }

  std::optional<Tensor> counted(Value counter, Value bound, bool inclusive,
                                bool up) {
    auto argument = dyn_cast<BlockArgument>(counter);
    if (!argument || argument.getOwner() != &op.getCondition().front() ||
        !getElementTypeOrSelf(counter).isSignlessInteger())
      return std::nullopt;
    unsigned k = argument.getArgNumber();
    std::optional<int64_t> step = stepOf(op, k, g.shapes);
    if (!step || *step == 0 || (*step > 0) != up)
      return std::nullopt;
    std::optional<Tensor> limit = invariant(bound);
    if (!limit)
      return std::nullopt;
    Tensor from = cast(Tensor(b, op.getInits()[k]), b.i64()),
           to = cast(*limit, b.i64());
    Tensor distance = up ? to - from : from - to;
    int64_t stride = std::abs(*step);
    distance = distance + b.integer(inclusive ? stride : stride - 1);
    if (stride != 1)
      distance = apply("floor_div", distance, b.integer(stride));
    return apply("maximum", distance, b.integer(0));
  }

  /// A scalar of the condition that all iterations see the same, in front of
  /// the loop.
  std::optional<Tensor> invariant(Value value) {
    Block &condition = op.getCondition().front(), &body = op.getBody().front();
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner() == &condition) {
      unsigned k = argument.getArgNumber();
      if (body.getTerminator()->getOperand(k) != body.getArgument(k))
        return std::nullopt;
      return Tensor(b, op.getInits()[k]);
    }
    if (value.getParentBlock() != &condition)
      return Tensor(b, value);
    auto constant = value.getDefiningOp<ConstantOp>();
    if (!constant)
      return std::nullopt;
    return Tensor(b, before.clone(*constant)->getResult(0));
  }

  WhileOp op;
  Gradient &g;
  OpBuilder before;
  GraphBuilder b;
};

class LoopGradient {
public:
  LoopGradient(WhileOp op, Gradient &g)
      : op(op), g(g), pending(g, 1), iteration(&pending[0]),
        body(&op.getBody().front()),
        next(body->getTerminator()->getOperands()) {}

  void run() {
    hoistReads(op);
    kept = unrepeatable(*body, g);
    if (g.failed())
      return;
    for (Value value : capturedValues(op.getBody()))
      if (g.wants(value))
        captured.push_back(value);
    findActive();
    findCarried();
    buildIteration();
    if (!g.failed())
      saveIterations();
    if (!g.failed())
      buildLoop();
  }

private:
  SmallVector<Operation *> bodyOps() {
    SmallVector<Operation *> ops;
    for (Operation &other : body->without_terminator())
      ops.push_back(&other);
    return ops;
  }

  /// Which of the loop's values depend on a source, in any iteration.
  void findActive() {
    active.assign(op->getNumResults(), false);
    for (auto [k, init] : llvm::enumerate(op.getInits()))
      active[k] = g.wants(init);
    for (bool changed = true; changed;) {
      changed = false;
      SmallVector<Value> sources(captured);
      for (auto [k, argument] : llvm::enumerate(body->getArguments()))
        if (active[k])
          sources.push_back(argument);
      Sweep sweep(g.builder, g.sweep.state, sources);
      sweep.activate(bodyOps());
      for (auto [k, value] : llvm::enumerate(next))
        if (!active[k] && sweep.isActive(value))
          changed = active[k] = true;
    }
  }

  /// Which of the loop's values have a cotangent, in any iteration.
  void findCarried() {
    carried.assign(op->getNumResults(), false);
    for (unsigned k = 0; k < carried.size(); ++k)
      carried[k] = active[k] && g.of(k);
    SmallVector<Operation *> ops = bodyOps();
    for (bool changed = true; changed;) {
      changed = false;
      llvm::DenseSet<Value> reached;
      for (auto [k, value] : llvm::enumerate(next))
        if (carried[k])
          reached.insert(value);
      for (Operation *other : llvm::reverse(ops)) {
        if (llvm::none_of(other->getResults(),
                          [&](Value v) { return reached.contains(v); }))
          continue;
        reached.insert(other->operand_begin(), other->operand_end());
        for (Value value : capturedValues(other->getRegions()))
          reached.insert(value);
      }
      for (auto [k, argument] : llvm::enumerate(body->getArguments()))
        if (active[k] && !carried[k] && reached.contains(argument))
          changed = carried[k] = true;
    }
  }

  /// One iteration of the backward loop, in a block of its own: its arguments
  /// stand for all that iterations could need.
  void buildIteration() {
    auto stand = [&](Value value) {
      Value argument = iteration->addArgument(value.getType(), value.getLoc());
      g.shapes.copyDims(argument, value);
      return argument;
    };
    IRMapping mapping;
    SmallVector<Value> sources(captured);
    for (Value argument : body->getArguments())
      mapping.map(argument, forward.emplace_back(stand(argument)));
    for (Value value : kept)
      mapping.map(value, forward.emplace_back(stand(value)));
    for (auto [k, value] : llvm::enumerate(body->getArguments())) {
      cotangents.push_back(carried[k] ? stand(value) : Value());
      if (active[k])
        sources.push_back(forward[k]);
    }
    OpBuilder inside = OpBuilder::atBlockEnd(iteration);
    GraphBuilder b(inside, g.shapes, op.getLoc());
    auto ops = recompute(inside, *body, mapping);
    Sweep sweep(inside, g.sweep.state, sources);
    for (auto [k, value] : llvm::enumerate(next))
      if (carried[k])
        sweep.add(mapping.lookupOrDefault(value), Tensor(b, cotangents[k]));
    if (failed(sweep.run(ops)))
      return g.abandon();
    SmallVector<Value> results;
    for (size_t k = 0; k < next.size(); ++k) {
      if (!carried[k])
        continue;
      Value cotangent = sweep.cotangent(forward[k]);
      results.push_back(cotangent ? cotangent
                                  : b.filled(forward[k], 0).value());
    }
    for (Value value : captured) {
      Value part = sweep.cotangent(value);
      if (!part)
        continue;
      sums.push_back({value, stand(value)});
      results.push_back(
          (Tensor(b, sums.back().second) + Tensor(b, part)).value());
    }
    yield(inside, op.getLoc(), results);
    keepDear(ops, mapping);
  }

  /// What the derivative uses of the ops that are done again, and what is dear
  /// to compute, is kept instead.
  void keepDear(ArrayRef<Operation *> repeated, const IRMapping &mapping) {
    llvm::DenseMap<Value, Value> original;
    for (Operation &other : body->without_terminator())
      for (Value result : other.getResults())
        if (Value copy = mapping.lookupOrNull(result))
          original[copy] = result;
    llvm::DenseSet<Value> live = liveValues();
    SmallVector<Value> dear = chooseKept(
        repeated,
        [&](Value value) {
          return original.contains(value) && hasSizesBefore(original[value]);
        },
        [&](Operation *user) {
          return user == iteration->getTerminator() ||
                 llvm::any_of(user->getResults(),
                              [&](Value v) { return live.contains(v); });
        });
    for (Value value : dear) {
      Value source = original[value];
      kept.push_back(source);
      Value standIn = forward.emplace_back(
          iteration->addArgument(source.getType(), source.getLoc()));
      g.shapes.copyDims(standIn, source);
      value.replaceAllUsesWith(standIn);
    }
  }

  /// A dimension of one of the loop's first values that has this size.
  std::optional<std::pair<Value, unsigned>> findSize(AffineExpr size) {
    for (Value init : op.getInits())
      for (auto [d, dim] : llvm::enumerate(g.shapes.dims(init)))
        if (dim == size)
          return std::pair(init, unsigned(d));
    return std::nullopt;
  }

  /// Whether the sizes of a value of the body are known in front of the loop.
  bool hasSizesBefore(Value value) {
    return llvm::all_of(g.shapes.dims(value), [&](AffineExpr dim) {
      return ShapeContext::asConstant(dim) || findSize(dim);
    });
  }

  /// The shape of the tensor that keeps such a value of all iterations.
  Tensor stackShape(GraphBuilder &b, Value value) {
    SmallVector<Tensor> sizes = {expandDims(Tensor(b, count), int64_t(0))};
    for (AffineExpr dim : g.shapes.dims(value)) {
      if (auto constant = ShapeContext::asConstant(dim)) {
        sizes.push_back(b.integers(*constant));
        continue;
      }
      auto [init, d] = *findSize(dim);
      sizes.push_back(expandDims(b.size(init, int64_t(d)), int64_t(0)));
    }
    return sizes.size() == 1 ? sizes[0] : concat(sizes, 0);
  }

  /// Which stand-ins an iteration really uses.
  llvm::DenseSet<Value> liveValues() {
    llvm::DenseSet<Value> live;
    auto use = [&](Operation *user) {
      live.insert(user->operand_begin(), user->operand_end());
      for (Value value : capturedValues(user->getRegions()))
        live.insert(value);
    };
    use(iteration->getTerminator());
    for (Operation &other : llvm::reverse(iteration->without_terminator()))
      if (llvm::any_of(other.getResults(),
                       [&](Value v) { return live.contains(v); }))
        use(&other);
    return live;
  }

  /// Whether value k of the loop follows from the number of the iteration.
  bool isCounter(unsigned k) {
    Value init = op.getInits()[k];
    return getElementTypeOrSelf(init).isSignlessInteger() &&
           g.shapes.dims(init).empty() && TripCount::stepOf(op, k, g.shapes);
  }

  /// The forward loop writes what its iterations start from.
  void saveIterations() {
    llvm::DenseSet<Value> live = liveValues();
    OpBuilder before(op);
    GraphBuilder b(before, g.shapes, op.getLoc());
    count = TripCount(op, g).get();
    if (!count)
      return g.abandon();
    SmallVector<Value> saved, inits = {b.integer(0).value()};
    for (auto [k, value] : llvm::enumerate(forward)) {
      if (!live.contains(value))
        continue;
      bool isArgument = k < body->getNumArguments();
      Value source =
          isArgument ? body->getArgument(k) : kept[k - body->getNumArguments()];
      if (isArgument && isCounter(k)) {
        counters.push_back({value, k});
        continue;
      }
      if (!isArgument && !hasSizesBefore(source))
        return g.fail("a derivative is asked for through a loop with a value "
                      "of unknown size that cannot be computed again");
      // Of an argument, the sizes that it has in front of the loop.
      Value like = isArgument ? op.getInits()[k] : source;
      Tensor shape = stackShape(b, like);
      Type element = getElementTypeOrSelf(like);
      inits.push_back(b.reserve(shape, element).value());
      saved.push_back(source);
      stacks.push_back({value, {}});
    }
    if (b.failed())
      return g.abandon();
    size_t known = op->getNumResults();
    WhileOp extended = extendLoop(
        op, g, inits, [&](OpBuilder &inside, ArrayRef<Value> arguments) {
          GraphBuilder nested(inside, g.shapes, op.getLoc());
          Tensor place(nested, arguments[0]);
          SmallVector<Value> values = {(place + nested.integer(1)).value()};
          for (auto [stack, value] : llvm::zip(arguments.drop_front(), saved))
            values.push_back(
                nested
                    .make("graph.list_set_item", getElementTypeOrSelf(value),
                          {Tensor(nested, stack), place, Tensor(nested, value)})
                    .value());
          return values;
        });
    if (!extended)
      return;
    op = extended;
    for (auto [stack, result] :
         llvm::zip(stacks, op.getResults().drop_front(known + 1)))
      stack.second = result;
  }

  /// The loop from the last iteration to the first.
  void buildLoop() {
    Location loc = op.getLoc();
    OperationState state(loc, "graph.while");
    SmallVector<Value> inits = {count}, standIns = {Value()};
    for (auto [k, cotangent] : llvm::enumerate(cotangents)) {
      if (!cotangent)
        continue;
      Tensor seed = g.of(k);
      inits.push_back((seed ? seed : g.filled(op.getResult(k), 0)).value());
      standIns.push_back(cotangent);
    }
    for (auto [value, sum] : sums) {
      inits.push_back(g.filled(value, 0).value());
      standIns.push_back(sum);
    }
    if (g.failed())
      return;
    state.addOperands(inits);
    for (Type element : elementTypes(inits))
      state.addTypes(UnrankedTensorType::get(element));
    Block *blocks[2];
    PendingRegions loopRegions(g, 2);
    for (unsigned i = 0; i < 2; ++i) {
      Block *block = blocks[i] = &loopRegions[i];
      for (auto [init, standIn] : llvm::zip(inits, standIns)) {
        Value like = standIn ? standIn : init;
        g.shapes.copyDims(block->addArgument(like.getType(), loc), like);
      }
    }
    OpBuilder inside = OpBuilder::atBlockEnd(blocks[0]);
    GraphBuilder condition(inside, g.shapes, loc);
    Tensor more =
        Tensor(condition, blocks[0]->getArgument(0)) > condition.integer(0);
    yield(inside, loc, more.value());

    inside.setInsertionPointToEnd(blocks[1]);
    GraphBuilder b(inside, g.shapes, loc);
    Tensor place = Tensor(b, blocks[1]->getArgument(0)) - b.integer(1);
    for (auto [standIn, argument] :
         llvm::zip(standIns, blocks[1]->getArguments()))
      if (standIn)
        standIn.replaceAllUsesWith(argument);
    for (auto [standIn, stack] : stacks)
      standIn.replaceAllUsesWith(b.make("graph.list_get_item",
                                        getElementTypeOrSelf(stack),
                                        {Tensor(b, stack), place})
                                     .value());
    for (auto [standIn, k] : counters) {
      Tensor init(b, op.getInits()[k]);
      int64_t step = *TripCount::stepOf(op, k, g.shapes);
      Tensor distance = cast(place, init.type());
      standIn.replaceAllUsesWith(
          ((step == 1 ? distance : distance * double(step)) + init).value());
    }
    // Ops that nobody uses keep their stand-ins alive.
    Operation *terminator = iteration->getTerminator();
    SmallVector<Value> values = {place.value()};
    llvm::append_range(values, terminator->getOperands());
    terminator->setOperands(values);
    removeDead();
    blocks[1]->getOperations().splice(blocks[1]->end(),
                                      iteration->getOperations());
    loopRegions.moveTo(state);
    Operation *loop = g.builder.create(state);
    if (failed(inferResultTypes(loop, g.shapes)))
      return g.abandon();
    auto result = std::next(loop->result_begin());
    for (auto [k, cotangent] : llvm::enumerate(cotangents))
      if (cotangent)
        g.add(op.getInits()[k], g(*result++));
    for (auto [value, sum] : sums)
      g.add(value, g(*result++));
  }

  /// Puts away what only unused values need; nothing that shapes are known of
  /// is destroyed yet.
  void removeDead() {
    llvm::DenseSet<Value> live = liveValues();
    for (Operation &other :
         llvm::make_early_inc_range(llvm::reverse(*iteration)))
      if (other.getNumResults() &&
          llvm::none_of(other.getResults(),
                        [&](Value v) { return live.contains(v); })) {
        other.dropAllReferences();
        other.remove();
        g.sweep.state.replaced.push_back(&other);
      }
  }

  WhileOp op;
  Gradient &g;
  PendingRegions pending;
  Block *iteration; // of the backward loop, in the making
  Block *body;
  SmallVector<Value> next; // what an iteration yields
  SmallVector<Value> captured, kept;
  SmallVector<bool> active, carried;
  /// Stand-ins in `iteration`: of the arguments and of kept values; of
  /// cotangents (null: none); of sums, with the value they belong to.
  SmallVector<Value> forward, cotangents;
  SmallVector<std::pair<Value, Value>> sums;
  /// Stand-ins and the forward loop's results with the values of all
  /// iterations.
  SmallVector<std::pair<Value, Value>> stacks;
  /// Stand-ins and which of the loop's values they are.
  SmallVector<std::pair<Value, unsigned>> counters;
  Value count;
};
} // namespace

void tenon::graph::addControlGradients(MLIRContext *context) {
  addRule<IfOp>(context, [](IfOp op, Gradient &g) { ifGradient(op, g); });
  addRule<WhileOp>(context,
                   [](WhileOp op, Gradient &g) { LoopGradient(op, g).run(); });
  addZeroRules<ConstantOp, ReadOp, IsInitializedOp>(context);
}
