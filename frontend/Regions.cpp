//===- Regions.cpp - functions become the regions of if and while ---------===//

#include "frontend/OpImporter.h"

using namespace mlir;

namespace tenon {

namespace {
/// Ends the builder's block with the tensors of `values`.
void yield(Binder &binder, ArrayRef<Value> values) {
  OperationState state(binder.location(), "graph.yield");
  state.addOperands(values);
  binder.builder().create(state);
}

/// Regions in the making. They stand where their op will, so that symbols and
/// values around them are found.
class PendingRegions {
public:
  PendingRegions(Binder &binder, StringRef op) : binder(binder) {
    OperationState state(binder.location(), op);
    state.addRegion();
    state.addRegion();
    holder = binder.builder().create(state);
  }
  /// What was read in vain goes out of the way; see `discarded`.
  ~PendingRegions() {
    if (!holder)
      return;
    holder->remove();
    binder.state.discarded.push_back(holder);
  }

  Region &operator[](unsigned i) { return holder->getRegion(i); }

  /// Hands the regions to the op that is built next.
  void moveTo(OperationState &state) {
    for (Region &region : holder->getRegions()) {
      auto moved = std::make_unique<Region>();
      moved->takeBody(region);
      state.addRegion(std::move(moved));
    }
    holder->erase();
    holder = nullptr;
  }

private:
  Binder &binder;
  Operation *holder;
};

/// Infers the result types of an op with regions.
Operation *finish(Binder &binder, OperationState &state) {
  Operation *op = binder.builder().create(state);
  std::string message;
  ScopedDiagnosticHandler capture(binder.context(), [&](Diagnostic &text) {
    if (message.empty())
      message = text.str();
  });
  if (succeeded(graph::inferResultTypes(op, binder.shapes())))
    return op;
  binder.fail(message);
  return nullptr;
}

bool isMissing(const ImportedValue &value) {
  return value.kind == ImportedValue::Missing;
}
} // namespace

//===----------------------------------------------------------------------===//
// Sizes as values
//===----------------------------------------------------------------------===//

namespace {
/// Whether `value` can be used where the builder stands.
bool isVisible(Binder &binder, Value value) {
  Block *here = binder.builder().getInsertionBlock();
  return value && value.getParentRegion()->isAncestor(here->getParent());
}

/// A size as an i64 scalar tensor.
Value sizeValue(Binder &binder, AffineExpr size) {
  Type i64 = binder.builder().getI64Type();
  if (auto known = graph::ShapeContext::asConstant(size))
    return binder.scalar(i64, double(*known));
  if (auto symbol = dyn_cast<AffineSymbolExpr>(size)) {
    auto origin = binder.shapes().origin(symbol.getPosition());
    if (!isVisible(binder, origin.value)) {
      binder.fail("a size that only a loop's body knows is needed before it");
      return {};
    }
    Value all = binder.make("graph.shape_of", i64, origin.value);
    int64_t dim = origin.dim;
    return binder.make("graph.strided_slice", i64,
                       {all, binder.integersConstant(dim, i64),
                        binder.integersConstant(dim + 1, i64),
                        binder.integersConstant(1, i64)},
                       binder.attribute("shrink_axis_mask", int64_t(1)));
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(size);
  StringRef op;
  switch (size.getKind()) {
  case AffineExprKind::Add:
    op = "graph.add";
    break;
  case AffineExprKind::Mul:
    op = "graph.mul";
    break;
  case AffineExprKind::FloorDiv:
    op = "graph.floor_div";
    break;
  case AffineExprKind::Mod:
    op = "graph.floor_mod";
    break;
  default:
    binder.fail("a size is too complicated to be computed before a loop");
    return {};
  }
  return binder.make(
      op, i64,
      {sizeValue(binder, binary.getLHS()), sizeValue(binder, binary.getRHS())});
}
} // namespace

Value Binder::shapeTensor(ArrayRef<AffineExpr> sizes) {
  Type i64 = builder().getI64Type();
  SmallVector<int64_t> known;
  for (AffineExpr size : sizes)
    if (auto number = graph::ShapeContext::asConstant(size))
      known.push_back(*number);
  if (known.size() == sizes.size())
    return integersConstant(known, i64);
  SmallVector<Value> parts;
  for (AffineExpr size : sizes)
    parts.push_back(sizeValue(*this, size));
  return make("graph.pack", i64, parts, attribute("axis", int64_t(0)));
}

ImportedValue filledList(Binder &binder, ImportedValue list,
                         ArrayRef<AffineExpr> element) {
  if (list.tensor || binder.failed())
    return list;
  if (list.listShape) {
    if (!list.elementType)
      list.elementType = list.listShape->elementType;
    for (unsigned i = 1; i < list.listShape->depth; ++i)
      list.lengths.push_back(
          binder.integersConstant({}, binder.builder().getI64Type()));
  }
  list.listShape = nullptr;
  if (!list.elementType) {
    binder.fail("nothing is known of the list's elements");
    return list;
  }
  Type i64 = binder.builder().getI64Type();
  Value length = binder.cast(list.length, i64);
  Value sizes = binder.make("graph.expand_dims", i64, length,
                            binder.attribute("axes", ArrayRef<int64_t>{0}));
  if (!element.empty())
    sizes =
        binder.make("graph.concat", i64, {sizes, binder.shapeTensor(element)},
                    binder.attribute("axis", int64_t(0)));
  Value zero = binder.scalar(list.elementType, 0);
  list.tensor = binder.make("graph.fill", list.elementType, {sizes, zero});
  return list;
}

Value listTensor(Binder &binder, const ImportedValue &list,
                 ArrayRef<AffineExpr> element) {
  return filledList(binder, list, element).tensor;
}

//===----------------------------------------------------------------------===//
// if
//===----------------------------------------------------------------------===//

namespace {
/// Zeros in place of a value of which the branch that was not taken knows
/// nothing: sizes that only the other one knows are 0.
Value zerosFor(Binder &binder, Value other) {
  graph::Dims dims;
  for (AffineExpr size : binder.dims(other)) {
    bool visible = true;
    size.walk([&](AffineExpr part) {
      if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
        visible &= isVisible(
            binder, binder.shapes().origin(symbol.getPosition()).value);
    });
    dims.push_back(visible ? size : binder.shapes().constant(0));
  }
  Type type = Binder::type(other);
  return binder.make("graph.fill", type,
                     {binder.shapeTensor(dims), binder.scalar(type, 0)});
}

/// An optional that holds something in the other branch only: nobody looks at
/// what it is here.
void presentLike(Binder &binder, Block &branch, ImportedValue &absent,
                 const ImportedValue &other) {
  if (absent.kind != ImportedValue::Absent || !absent.symbol.empty())
    return;
  OpBuilder::InsertionGuard guard(binder.builder());
  binder.builder().setInsertionPointToEnd(&branch);
  absent = other;
  if (other.tensor && !isVisible(binder, other.tensor)) {
    absent.tensor = zerosFor(binder, other.tensor);
    for (Value &lengths : absent.lengths)
      lengths = binder.integersConstant({}, binder.builder().getI64Type());
  }
}

using BranchImporter = llvm::function_ref<SmallVector<ImportedValue>()>;

/// A list that got elements in the other branch only becomes one of zeros.
void fillLike(Binder &binder, Block &branch, ImportedValue &list,
              const ImportedValue &other) {
  if (list.kind != ImportedValue::List || list.tensor ||
      other.kind != ImportedValue::List || !other.tensor)
    return;
  OpBuilder::InsertionGuard guard(binder.builder());
  binder.builder().setInsertionPointToEnd(&branch);
  graph::Dims element(binder.dims(other.tensor).drop_front());
  if (list.listShape)
    list.listShape->element = element;
  if (!list.elementType)
    list.elementType = other.elementType;
  if (list.listShape)
    list.listShape->depth = other.lengths.size() + 1;
  list = filledList(binder, list, element);
}

/// What is known of the elements of a list that is one of two.
void mergeContents(ImportedValue &list, const ImportedValue &other) {
  if (list.untouched)
    list.elementContents = other.elementContents;
  else if (!other.untouched && list.elementContents != other.elementContents)
    list.elementContents.reset();
  list.untouched = list.untouched && other.untouched;
}

/// Builds an if of two branches. What is the same on both sides passes by,
/// tensors become results.
SmallVector<ImportedValue> choose(Binder &binder, Value condition,
                                  BranchImporter thenBranch,
                                  BranchImporter elseBranch) {
  if (binder.failed())
    return {};
  PendingRegions regions(binder, "graph.if");
  SmallVector<ImportedValue> returned[2];
  BranchImporter branches[2] = {thenBranch, elseBranch};
  for (int i = 0; i < 2; ++i) {
    OpBuilder::InsertionGuard guard(binder.builder());
    binder.builder().createBlock(&regions[i]);
    returned[i] = branches[i]();
    for (ImportedValue &value : returned[i])
      value = binder.current(value);
  }
  if (returned[0].size() != returned[1].size())
    binder.fail("branches return " + llvm::Twine(returned[0].size()) + " and " +
                llvm::Twine(returned[1].size()) + " values");

  for (size_t i = 0; !binder.failed() && i < returned[0].size(); ++i)
    for (int side : {0, 1}) {
      presentLike(binder, regions[side].front(), returned[side][i],
                  returned[1 - side][i]);
      fillLike(binder, regions[side].front(), returned[side][i],
               returned[1 - side][i]);
    }

  SmallVector<ImportedValue> results(returned[0].size());
  SmallVector<Value *> carried;
  SmallVector<Value> yielded[2];
  for (unsigned i = 0; !binder.failed() && i < results.size(); ++i) {
    const ImportedValue &a = returned[0][i], &b = returned[1][i];
    if (isMissing(a) || isMissing(b))
      continue;
    results[i] = a;
    if (a == b && (!a.tensor || isVisible(binder, a.tensor)))
      continue;
    results[i].listShape = nullptr;
    if (a.kind == ImportedValue::Tensor)
      results[i].symbol.clear();
    mergeContents(results[i], b);
    std::string difference;
    if (a.kind != b.kind || !a.tensor || !b.tensor)
      difference = "is not a tensor of the same kind in all branches";
    else if (a.lengths.size() != b.lengths.size())
      difference = "is a list of other lists in another branch";
    else if (Binder::type(a.tensor) != Binder::type(b.tensor) ||
             binder.rank(a.tensor) != binder.rank(b.tensor))
      difference = "has another element type or rank in another branch";
    // Gradients of conditions return things that nobody uses.
    if (!difference.empty()) {
      results[i] = ImportedValue();
      results[i].kind = ImportedValue::Absent;
      results[i].symbol = "result " + std::to_string(i) + " of node '" +
                          binder.name().str() + "' " + difference;
      continue;
    }
    carried.push_back(&results[i].tensor);
    yielded[0].push_back(a.tensor);
    yielded[1].push_back(b.tensor);
    for (size_t k = 0; !binder.failed() && k < a.lengths.size(); ++k) {
      carried.push_back(&results[i].lengths[k]);
      yielded[0].push_back(a.lengths[k]);
      yielded[1].push_back(b.lengths[k]);
    }
  }
  if (binder.failed())
    return {};
  OperationState state(binder.location(), "graph.if");
  state.addOperands(condition);
  for (int i = 0; i < 2; ++i) {
    OpBuilder::InsertionGuard guard(binder.builder());
    binder.builder().setInsertionPointToEnd(&regions[i].front());
    yield(binder, yielded[i]);
  }
  regions.moveTo(state);
  for (Value value : yielded[0])
    state.addTypes(UnrankedTensorType::get(Binder::type(value)));
  Operation *op = finish(binder, state);
  if (!op)
    return {};
  for (auto [value, result] : llvm::zip(carried, op->getResults()))
    *value = result;
  return results;
}

/// Input `i`, a scalar.
Value scalarInput(Binder &binder, unsigned i) {
  Value value = binder.input(i);
  if (value && binder.rank(value) != 0)
    binder.fail("input " + llvm::Twine(i) + " must be a scalar");
  return binder.failed() ? Value() : value;
}

SmallVector<ImportedValue> inputsFrom(Binder &binder, unsigned first) {
  SmallVector<ImportedValue> arguments;
  for (unsigned i = first; i < binder.inputCount(); ++i)
    arguments.push_back(binder.raw(i));
  return arguments;
}
} // namespace

void importIf(Binder &binder, unsigned condition, unsigned first,
              Callee thenBranch, Callee elseBranch) {
  Value chosen = scalarInput(binder, condition);
  if (binder.failed())
    return;
  if (!Binder::type(chosen).isInteger(1))
    chosen = binder.make("graph.not_equal", binder.builder().getI1Type(),
                         {chosen, binder.scalar(Binder::type(chosen), 0)});
  SmallVector<ImportedValue> arguments = inputsFrom(binder, first);
  auto branch = [&](Callee callee) {
    return [&, callee] { return binder.inlineFunction(callee, arguments); };
  };
  for (ImportedValue &value :
       choose(binder, chosen, branch(thenBranch), branch(elseBranch)))
    binder.results.push_back(std::move(value));
}

void importCase(Binder &binder, unsigned index, unsigned first,
                StringRef branchesAttr) {
  Value chosen = scalarInput(binder, index);
  int count = binder.functionCount(branchesAttr);
  if (!binder.failed() && (count < 1 || count > 100))
    binder.fail("impossible number of branches: " + llvm::Twine(count));
  SmallVector<ImportedValue> arguments = inputsFrom(binder, first);
  // A chain of ifs; an index that is none takes the last branch.
  std::function<SmallVector<ImportedValue>(int)> from = [&](int i) {
    auto branch = [&, i] {
      return binder.inlineFunction({branchesAttr, i}, arguments);
    };
    if (i == count - 1)
      return branch();
    Value here =
        binder.make("graph.equal", binder.builder().getI1Type(),
                    {chosen, binder.scalar(Binder::type(chosen), double(i))});
    return choose(binder, here, branch, [&, i] { return from(i + 1); });
  };
  if (!binder.failed())
    for (ImportedValue &value : from(0))
      binder.results.push_back(std::move(value));
}

//===----------------------------------------------------------------------===//
// while
//===----------------------------------------------------------------------===//

namespace {
/// One loop in translation; bodies are read until the assumptions hold.
class LoopImporter {
public:
  LoopImporter(Binder &binder, StringRef conditionAttr, StringRef bodyAttr)
      : binder(binder), conditionAttr(conditionAttr), bodyAttr(bodyAttr) {}

  void run();

private:
  enum Attempt { Again, Done, Stop };
  Attempt attempt();
  Block *startRegion(Region &region, SmallVectorImpl<ImportedValue> &arguments);
  Attempt settle(unsigned i, const ImportedValue &argument,
                 const ImportedValue &next);

  /// Whether a size has symbols that came up inside of the loop.
  bool isInner(AffineExpr size) const {
    bool found = false;
    size.walk([&](AffineExpr part) {
      if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
        found |= symbol.getPosition() >= outerSymbols;
    });
    return found;
  }

  Binder &binder;
  StringRef conditionAttr, bodyAttr;
  unsigned outerSymbols = 0;
  SmallVector<ImportedValue> inits;
  SmallVector<bool> fixed;               // stays outside the loop
  SmallVector<SmallVector<bool>> varies; // dimensions that change
};

Block *LoopImporter::startRegion(Region &region,
                                 SmallVectorImpl<ImportedValue> &arguments) {
  Block *block = binder.builder().createBlock(&region);
  for (auto [i, init] : llvm::enumerate(inits)) {
    ImportedValue argument = init;
    if (!fixed[i] && init.tensor) {
      graph::Dims dims(binder.dims(init.tensor));
      Value value =
          block->addArgument(init.tensor.getType(), binder.location());
      auto type = cast<RankedTensorType>(init.tensor.getType());
      SmallVector<int64_t> shape(type.getShape());
      for (size_t d = 0; d < dims.size(); ++d)
        if (varies[i][d]) {
          dims[d] = binder.shapes().freshSymbol(value, d);
          shape[d] = ShapedType::kDynamic;
        }
      value.setType(RankedTensorType::get(shape, type.getElementType()));
      binder.shapes().setDims(value, dims);
      argument.tensor = value;
      for (Value &lengths : argument.lengths) {
        lengths = block->addArgument(
            RankedTensorType::get(ShapedType::kDynamic, Binder::type(lengths)),
            binder.location());
        binder.shapes().setDims(lengths,
                                {binder.shapes().freshSymbol(lengths, 0)});
      }
    }
    arguments.push_back(argument);
  }
  return block;
}

/// Compares what an iteration makes of value `i` with what was assumed.
LoopImporter::Attempt LoopImporter::settle(unsigned i,
                                           const ImportedValue &argument,
                                           const ImportedValue &next) {
  std::string what = "value " + std::to_string(i) + " of the loop ";
  if (isMissing(next))
    return Stop; // reported where it went wrong
  if (next.kind == ImportedValue::Absent && !next.symbol.empty() &&
      argument.kind == ImportedValue::List) {
    inits[i] = next;
    fixed[i] = true;
    return Again;
  }
  if (next == argument) {
    if (argument.tensor)
      return Done;
    fixed[i] = true;
    return Done;
  }
  if (argument.listShape && !argument.tensor &&
      next.kind == ImportedValue::List) {
    if (!argument.listShape->element) {
      binder.fail(what + "is a list of which nothing is known");
      return Stop;
    }
    ImportedValue filled =
        filledList(binder, argument, *argument.listShape->element);
    if (!filled.tensor)
      return Stop;
    // The loops around this one want to know, too.
    if (const auto &outer = binder.raw(i).listShape)
      *outer = *argument.listShape;
    inits[i] = filled;
    varies[i].assign(binder.rank(filled.tensor), false);
    return Again;
  }
  if (argument.kind == ImportedValue::Tensor &&
      next.kind == ImportedValue::List && next.tensor &&
      binder.rank(argument.tensor) == 0) {
    // The sum of a list's gradients, which starts as a zero.
    Value sizes = binder.shapeTensor(binder.dims(next.tensor));
    Value zeros = binder.make("graph.fill", next.elementType,
                              {sizes, binder.scalar(next.elementType, 0)});
    if (!zeros)
      return Stop;
    inits[i] = ImportedValue();
    inits[i].kind = ImportedValue::List;
    inits[i].tensor = zeros;
    inits[i].elementType = next.elementType;
    varies[i].assign(binder.rank(zeros), false);
    return Again;
  }
  if (argument.elementContents && !argument.untouched &&
      next.elementContents != argument.elementContents) {
    inits[i].elementContents.reset();
    return Again;
  }
  if (next.kind != argument.kind || !next.tensor || !argument.tensor) {
    binder.fail(what + "is not a tensor of one kind");
    return Stop;
  }
  if (Binder::type(next.tensor) != Binder::type(argument.tensor)) {
    binder.fail(what + "changes its element type");
    return Stop;
  }
  if (next.lengths.size() != argument.lengths.size()) {
    binder.fail(what + "is a list of other lists after an iteration");
    return Stop;
  }
  ArrayRef<AffineExpr> before = binder.dims(argument.tensor),
                       after = binder.dims(next.tensor);
  if (before.size() != after.size()) {
    binder.fail(what + "has " + llvm::Twine(before.size()) +
                " dimensions before an iteration and " +
                llvm::Twine(after.size()) + " after it");
    return Stop;
  }
  Attempt result = Done;
  for (size_t d = 0; d < before.size(); ++d)
    if (before[d] != after[d] && !varies[i][d]) {
      varies[i][d] = true;
      result = Again;
    }
  return result;
}

LoopImporter::Attempt LoopImporter::attempt() {
  PendingRegions regions(binder, "graph.while");
  SmallVector<ImportedValue> arguments[2], tested, next;
  {
    OpBuilder::InsertionGuard guard(binder.builder());
    startRegion(regions[0], arguments[0]);
    tested = binder.inlineFunction(conditionAttr, arguments[0]);
    if (!binder.failed() &&
        (tested.size() != 1 ||
         (tested[0].kind != ImportedValue::Tensor && !isMissing(tested[0]))))
      binder.fail("the loop's condition must return one tensor");
    if (!binder.failed() && !isMissing(tested[0])) {
      Value more = tested[0].tensor;
      if (binder.rank(more) != 0)
        binder.fail("the loop's condition must return a scalar");
      else if (!Binder::type(more).isInteger(1))
        more = binder.make("graph.not_equal", binder.builder().getI1Type(),
                           {more, binder.scalar(Binder::type(more), 0)});
      if (!binder.failed())
        yield(binder, more);
    }
    startRegion(regions[1], arguments[1]);
    next = binder.inlineFunction(bodyAttr, arguments[1]);
    for (auto [i, value] : llvm::enumerate(next))
      if (i >= fixed.size() || !fixed[i])
        value = binder.current(value);
    if (!binder.failed() && next.size() != inits.size())
      binder.fail("the loop's body returns " + llvm::Twine(next.size()) +
                  " values, expected " + llvm::Twine(inits.size()));
  }
  Attempt result = Done;
  if (!binder.failed() && isMissing(tested[0]))
    result = Stop;
  for (unsigned i = 0; !binder.failed() && i < inits.size(); ++i) {
    if (fixed[i])
      continue;
    Attempt one = settle(i, arguments[1][i], next[i]);
    if (one == Stop || result == Stop)
      result = Stop;
    else if (one == Again)
      result = Again;
  }
  if (binder.failed())
    result = Stop;
  if (result != Done)
    return result;

  OperationState state(binder.location(), "graph.while");
  SmallVector<Value> yielded;
  SmallVector<unsigned> carried;
  for (unsigned i = 0; i < inits.size(); ++i) {
    if (fixed[i])
      continue;
    carried.push_back(i);
    auto carry = [&](Value init, Value value) {
      state.addOperands(init);
      state.addTypes(UnrankedTensorType::get(Binder::type(init)));
      yielded.push_back(value);
    };
    carry(inits[i].tensor, next[i].tensor);
    for (auto [init, value] : llvm::zip(inits[i].lengths, next[i].lengths))
      carry(init, value);
  }
  {
    OpBuilder::InsertionGuard guard(binder.builder());
    binder.builder().setInsertionPointToEnd(&regions[1].front());
    yield(binder, yielded);
  }
  regions.moveTo(state);
  Operation *op = finish(binder, state);
  if (!op)
    return Stop;
  for (auto [i, init] : llvm::enumerate(inits))
    binder.set(i, init);
  auto out = op->result_begin();
  for (unsigned i : carried) {
    ImportedValue value = inits[i];
    value.tensor = *out++;
    for (Value &lengths : value.lengths)
      lengths = *out++;
    if (value.kind == ImportedValue::List) {
      mergeContents(value, next[i]);
      // Sizes that only the body knows mean nothing outside of it.
      if (value.elementContents &&
          llvm::any_of(*value.elementContents,
                       [&](AffineExpr size) { return isInner(size); }))
        value.elementContents.reset();
    }
    binder.set(i, value);
  }
  return Done;
}

void LoopImporter::run() {
  if (binder.functionArity(conditionAttr) != binder.inputCount() ||
      binder.functionArity(bodyAttr) != binder.inputCount())
    binder.fail("the loop's functions do not take " +
                llvm::Twine(binder.inputCount()) + " arguments");
  fixed = binder.passedThrough(bodyAttr);
  if (fixed.size() != binder.inputCount())
    binder.fail("the loop's body does not return " +
                llvm::Twine(binder.inputCount()) + " values");
  // Each level may be read several times.
  if (binder.state.loopDepth >= 8)
    binder.fail("loops nest too deeply");
  if (binder.failed())
    return;
  ++binder.state.loopDepth;
  outerSymbols = binder.shapes().symbolCount();
  for (unsigned i = 0; i < binder.inputCount(); ++i) {
    ImportedValue init = binder.current(binder.raw(i));
    if (init.kind == ImportedValue::Tensor && !fixed[i])
      init.symbol.clear();
    // A reference that no iteration replaces stays one: all read what is there
    // when they do.
    if (init.kind == ImportedValue::Variable && init.reference && !fixed[i])
      init = ImportedValue::of(binder.input(i));
    if (init.kind == ImportedValue::List && !init.tensor)
      init.listShape = std::make_shared<ListShape>();
    if (init.kind != ImportedValue::Tensor && init.kind != ImportedValue::List)
      fixed[i] = true;
    varies.emplace_back(init.tensor ? binder.rank(init.tensor) : 0, false);
    inits.push_back(init);
  }
  Attempt result = Again;
  // Every attempt settles at least one dimension or list.
  for (int i = 0; result == Again && i < 64; ++i)
    result = attempt();
  --binder.state.loopDepth;
  if (result == Again)
    binder.fail("the shapes of the loop's values do not settle");
  if (result == Stop)
    for (unsigned i = 0; i < binder.inputCount(); ++i)
      binder.set(i, ImportedValue());
}
} // namespace

void importWhile(Binder &binder, StringRef conditionAttr, StringRef bodyAttr) {
  LoopImporter(binder, conditionAttr, bodyAttr).run();
}

} // namespace tenon
