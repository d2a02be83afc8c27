//===- Loops.cpp - functions become the regions of while ------------------===//

#include "frontend/Regions.h"

using namespace mlir;

namespace tenon {

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
  Attempt settleForm(ImportedValue &init, const ImportedValue &argument,
                     const ImportedValue &next, const std::string &what);
  Attempt settleSizes(unsigned i, ImportedValue argument, ImportedValue next,
                      const std::string &what);
  Attempt fail(const llvm::Twine &reason) {
    binder.fail(reason);
    return Stop;
  }
  /// Nothing is known yet of what varies in value i.
  void restart(unsigned i) {
    varies[i].clear();
    forEachTensor(inits[i], [&](Value &tensor, bool) {
      varies[i].emplace_back(binder.rank(tensor), false);
    });
  }

  Binder &binder;
  StringRef conditionAttr, bodyAttr;
  SmallVector<ImportedValue> inits;
  SmallVector<bool> fixed; // stays outside the loop
  /// Of each value's tensors, the dimensions that change.
  SmallVector<SmallVector<SmallVector<bool>>> varies;
};

bool isMissing(const ImportedValue &value) {
  return value.kind == ImportedValue::Missing;
}

Block *LoopImporter::startRegion(Region &region,
                                 SmallVectorImpl<ImportedValue> &arguments) {
  Block *block = binder.builder().createBlock(&region);
  for (auto [i, init] : llvm::enumerate(inits)) {
    ImportedValue argument = init;
    size_t k = 0;
    auto enter = [&](Value &tensor, bool) {
      graph::Dims dims(binder.dims(tensor));
      auto type = cast<RankedTensorType>(tensor.getType());
      Value value = block->addArgument(type, binder.location());
      SmallVector<int64_t> shape(type.getShape());
      for (size_t d = 0; d < dims.size(); ++d)
        if (varies[i][k][d]) {
          dims[d] = binder.shapes().freshSymbol(value, d);
          shape[d] = ShapedType::kDynamic;
        }
      value.setType(RankedTensorType::get(shape, type.getElementType()));
      binder.shapes().setDims(value, dims);
      tensor = value;
      ++k;
    };
    if (!fixed[i]) {
      argument.condition = {};
      forEachTensor(argument, enter);
    }
    arguments.push_back(argument);
  }
  return block;
}

/// Compares the kinds of an argument and of what an iteration makes of it;
/// changes what the loop starts with where that makes them alike.
LoopImporter::Attempt LoopImporter::settleForm(ImportedValue &init,
                                               const ImportedValue &argument,
                                               const ImportedValue &next,
                                               const std::string &what) {
  if (isUnknownList(argument) && !(next == argument)) {
    if (next.kind == ImportedValue::Either) {
      // Two lists, each with elements of its own.
      ImportedValue list = init;
      init = next;
      init.condition = {};
      for (ImportedValue &part : init.parts) {
        part = list;
        part.listShape = std::make_shared<ListShape>();
      }
      return Again;
    }
    if (next.kind != ImportedValue::List || isUnknownList(next))
      return fail(what + "is a list of which nothing is known");
    init = filledLike(binder, init, next);
    return binder.failed() ? Stop : Again;
  }
  if (argument.kind == ImportedValue::Tensor &&
      next.kind == ImportedValue::List && next.tensor &&
      binder.rank(argument.tensor) == 0) {
    // The sum of a list's gradients, which starts as a zero.
    ImportedValue list;
    list.kind = ImportedValue::List;
    list.elementType = next.elementType;
    list.untouched = true;
    AffineExpr length = binder.dims(next.sizes ? next.sizes : next.tensor)[0];
    list.length = binder.make(
        "graph.reshape", binder.builder().getI64Type(),
        {binder.shapeTensor(
             isVisible(binder, length) ? length : binder.shapes().constant(0)),
         binder.integersConstant({}, binder.builder().getI64Type())});
    init = filledLike(binder, list, next);
    return binder.failed() ? Stop : Again;
  }
  if (next.kind != argument.kind)
    return fail(what + "is not a tensor of one kind");
  if (argument.kind == ImportedValue::List && next.sizes && !argument.sizes) {
    init = ragged(binder, init);
    return binder.failed() ? Stop : Again;
  }
  if (next.parts.size() != argument.parts.size() ||
      bool(next.tensor) != bool(argument.tensor))
    return fail(what + "is not a tensor of one kind");
  Attempt result = Done;
  for (size_t i = 0; i < next.parts.size(); ++i) {
    Attempt one =
        settleForm(init.parts[i], argument.parts[i], next.parts[i], what);
    if (one == Stop)
      return Stop;
    if (one == Again)
      result = Again;
  }
  if (result == Again)
    return result;
  // What is known of lists' elements must hold for all iterations.
  for (size_t d = 0; d < argument.itemDims.size(); ++d)
    if (argument.itemDims[d] && argument.itemDims[d] != next.itemDims[d]) {
      init.itemDims[d] = {};
      result = Again;
    }
  if (argument.elementContents && !argument.untouched &&
      argument.elementContents != next.elementContents) {
    init.elementContents.reset();
    result = Again;
  }
  if (argument.item) {
    if (!isAlike(binder, *argument.item, *next.item))
      return fail(what + "is a list of different things");
    ImportedValue item = *argument.item;
    mergeKnowledge(item, *next.item);
    if (!isEquallyKnown(item, *argument.item)) {
      init.item = std::make_shared<ImportedValue>(std::move(item));
      result = Again;
    }
  }
  return result;
}

LoopImporter::Attempt LoopImporter::settleSizes(unsigned i,
                                                ImportedValue argument,
                                                ImportedValue next,
                                                const std::string &what) {
  SmallVector<Value> before, after;
  forEachTensor(argument,
                [&](Value &tensor, bool) { before.push_back(tensor); });
  forEachTensor(next, [&](Value &tensor, bool) { after.push_back(tensor); });
  if (before.size() != after.size())
    return fail(what + "is not a tensor of one kind");
  Attempt result = Done;
  for (auto [k, pair] : llvm::enumerate(llvm::zip(before, after))) {
    auto [old, made] = pair;
    if (Binder::type(old) != Binder::type(made))
      return fail(what + "changes its element type");
    ArrayRef<AffineExpr> oldDims = binder.dims(old),
                         madeDims = binder.dims(made);
    if (oldDims.size() != madeDims.size())
      return fail(what + "has " + llvm::Twine(oldDims.size()) +
                  " dimensions before an iteration and " +
                  llvm::Twine(madeDims.size()) + " after it");
    for (size_t d = 0; d < oldDims.size(); ++d)
      if (oldDims[d] != madeDims[d] && !varies[i][k][d]) {
        varies[i][k][d] = true;
        result = Again;
      }
  }
  return result;
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
    restart(i);
    return Again;
  }
  if (next == argument) {
    bool any = false;
    forEachTensor(inits[i], [&](Value &, bool) { any = true; });
    fixed[i] = !any;
    return Done;
  }
  bool unknown = isUnknownList(argument);
  Attempt result = settleForm(inits[i], argument, next, what);
  if (result == Again) {
    // The loops around this one want to know, too.
    if (const auto &outer = binder.raw(i).listShape; outer && unknown)
      *outer = *argument.listShape;
    size_t count = 0;
    bool isAlike = true;
    forEachTensor(inits[i], [&](Value &tensor, bool) {
      isAlike &= count < varies[i].size() &&
                 varies[i][count].size() == size_t(binder.rank(tensor));
      ++count;
    });
    if (!isAlike || varies[i].size() != count)
      restart(i);
  }
  if (result != Done)
    return result;
  return settleSizes(i, argument, next, what);
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
      if (i < fixed.size() && !fixed[i])
        value = inFormOf(binder, binder.current(value), arguments[1][i]);
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
    forEachTensor(inits[i], [&](Value &init, bool) {
      state.addOperands(init);
      state.addTypes(UnrankedTensorType::get(Binder::type(init)));
    });
    forEachTensor(next[i],
                  [&](Value &value, bool) { yielded.push_back(value); });
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
    forEachTensor(value, [&](Value &tensor, bool) { tensor = *out++; });
    mergeKnowledge(value, next[i]);
    value.condition = {};
    // What only the body knows means nothing outside of it.
    forgetInvisible(binder, value);
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
  for (unsigned i = 0; i < binder.inputCount(); ++i) {
    ImportedValue init = binder.current(binder.raw(i));
    if (init.kind == ImportedValue::Tensor && !fixed[i])
      init.symbol.clear();
    // A reference that no iteration replaces stays one: all read what is there
    // when they do.
    if (init.kind == ImportedValue::Variable && init.reference && !fixed[i])
      init = ImportedValue::of(binder.input(i));
    if (isUnknownList(init))
      init.listShape = std::make_shared<ListShape>();
    if (init.kind != ImportedValue::Tensor &&
        init.kind != ImportedValue::List && init.kind != ImportedValue::Either)
      fixed[i] = true;
    inits.push_back(init);
    varies.emplace_back();
    restart(i);
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
