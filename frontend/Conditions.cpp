//===- Conditions.cpp - functions become the regions of if ----------------===//

#include "frontend/Regions.h"

using namespace mlir;

namespace tenon {

namespace {
using BranchImporter = function_ref<SmallVector<ImportedValue>()>;

bool isMissing(const ImportedValue &value) {
  return value.kind == ImportedValue::Missing;
}

bool isNothing(const ImportedValue &value) {
  return value.kind == ImportedValue::Absent && value.symbol.empty();
}

/// Whether more is known of an optional's value than a result of both branches
/// would tell.
bool isKnownInside(Binder &binder, const ImportedValue &value) {
  if (value.kind != ImportedValue::Tensor || !value.optional)
    return false;
  auto contents = binder.shapes().contents(value.tensor);
  return contents && llvm::all_of(*contents, [](AffineExpr element) {
           return bool(element);
         });
}

/// An if of two branches in the making. What is the same on both sides passes
/// by, tensors become results.
class Choice {
public:
  Choice(Binder &binder, Value condition, bool named)
      : binder(binder), condition(condition), named(named),
        regions(binder, "graph.if") {}

  SmallVector<ImportedValue> run(BranchImporter thenBranch,
                                 BranchImporter elseBranch);

private:
  void prepare(unsigned i);
  void join(unsigned i);
  std::string differenceOf(const ImportedValue &a, const ImportedValue &b);
  void split(ImportedValue &result, const ImportedValue &a,
             const ImportedValue &b);
  void carry(Value &result, Value thenValue, Value elseValue) {
    carried.push_back(&result);
    yielded[0].push_back(thenValue);
    yielded[1].push_back(elseValue);
  }
  /// Runs `action` at the end of a branch.
  template <typename Action> auto inBranch(int side, Action action) {
    OpBuilder::InsertionGuard guard(binder.builder());
    binder.builder().setInsertionPointToEnd(&regions[side].front());
    return action();
  }

  /// A small integer tensor whose elements are known outside, too.
  struct Remade {
    Value *place;
    graph::Dims contents;
    Type type;
    int64_t rank;
  };

  Binder &binder;
  Value condition;
  bool named; // one that other conditions may share
  PendingRegions regions;
  SmallVector<ImportedValue> returned[2], results;
  SmallVector<Value *> carried;
  SmallVector<Value> yielded[2];
  SmallVector<Remade> remade;
};

/// Gives both sides of a result the same form where one knows more of it.
void Choice::prepare(unsigned i) {
  for (int side : {0, 1}) {
    ImportedValue &value = returned[side][i];
    const ImportedValue &other = returned[1 - side][i];
    // Nobody looks at what an optional without a value is.
    if (isNothing(value) && !isMissing(other) && !isKnownInside(binder, other))
      value = inBranch(side, [&] { return standIn(binder, other); });
  }
  for (int side : {0, 1})
    returned[side][i] = inBranch(side, [&] {
      return inFormOf(binder, returned[side][i], returned[1 - side][i]);
    });
}

/// Why a tensor of one side cannot stand for one of the other; empty if it can.
std::string Choice::differenceOf(const ImportedValue &a,
                                 const ImportedValue &b) {
  if (a.kind != b.kind || a.parts.size() != b.parts.size() ||
      bool(a.tensor) != bool(b.tensor))
    return "is not a tensor of the same kind in all branches";
  if (!isAlike(binder, a, b))
    return "has another element type or rank in another branch";
  // Optionals of different conditions' insides keep their own sizes.
  if (a.kind != ImportedValue::Tensor || !a.optional || !b.optional)
    return {};
  if (binder.dims(a.tensor) != binder.dims(b.tensor))
    return "has another shape in another branch";
  if (binder.shapes().contents(a.tensor) != binder.shapes().contents(b.tensor))
    return "has other contents in another branch";
  return {};
}

/// Keeps both values: each branch of a condition that has this result as an
/// input takes its own.
void Choice::split(ImportedValue &result, const ImportedValue &a,
                   const ImportedValue &b) {
  result.kind = ImportedValue::Either;
  result.parts = {a, b};
  if (named)
    result.condition = condition;
  for (int side : {0, 1}) {
    auto keep = [&](Value &value) {
      if (isVisible(binder, value))
        return;
      auto contents = binder.shapes().contents(value);
      if (contents && !contents->empty() && binder.rank(value) <= 1 &&
          llvm::all_of(*contents, [&](AffineExpr element) {
            return element && isVisible(binder, element);
          })) {
        remade.push_back({&value, graph::Dims(*contents), Binder::type(value),
                          binder.rank(value)});
        return;
      }
      Value other = inBranch(1 - side, [&] {
        return standIn(binder, ImportedValue::of(value)).tensor;
      });
      side == 0 ? carry(value, value, other) : carry(value, other, value);
    };
    ImportedValue &part = result.parts[side];
    forEachTensor(part, [&](Value &value, bool) { keep(value); });
    if (isUnknownList(part))
      keep(part.length);
  }
}

void Choice::join(unsigned i) {
  ImportedValue &a = returned[0][i], &b = returned[1][i];
  if (isMissing(a) || isMissing(b))
    return;
  ImportedValue &result = results[i];
  bool passes = a == b;
  forEachTensor(
      a, [&](Value &value, bool) { passes &= isVisible(binder, value); });
  if (passes) {
    result = a;
    mergeKnowledge(result, b);
    return;
  }
  std::string difference = differenceOf(a, b);
  if (!difference.empty()) {
    split(result, a, b);
    result.symbol = "result " + std::to_string(i) + " of node '" +
                    binder.name().str() + "' " + difference;
    return;
  }
  result = a;
  result.listShape = nullptr;
  mergeKnowledge(result, b);
  if (a.kind == ImportedValue::Tensor)
    result.symbol.clear();
  SmallVector<Value> values[2];
  forEachTensor(a, [&](Value &value, bool) { values[0].push_back(value); });
  forEachTensor(b, [&](Value &value, bool) { values[1].push_back(value); });
  size_t k = 0;
  forEachTensor(result, [&](Value &value, bool) {
    carry(value, values[0][k], values[1][k]);
    ++k;
  });
}

SmallVector<ImportedValue> Choice::run(BranchImporter thenBranch,
                                       BranchImporter elseBranch) {
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
  results.resize(returned[0].size());
  for (unsigned i = 0; !binder.failed() && i < results.size(); ++i) {
    prepare(i);
    if (!binder.failed())
      join(i);
  }
  if (binder.failed())
    return {};
  OperationState state(binder.location(), "graph.if");
  state.addOperands(condition);
  for (int i = 0; i < 2; ++i)
    inBranch(i, [&] { yield(binder, yielded[i]); });
  regions.moveTo(state);
  for (Value value : yielded[0])
    state.addTypes(UnrankedTensorType::get(Binder::type(value)));
  Operation *op = finish(binder, state);
  if (!op)
    return {};
  for (auto [value, result] : llvm::zip(carried, op->getResults()))
    *value = result;
  for (const Remade &known : remade) {
    Value value = binder.shapeTensor(known.contents);
    if (known.rank == 0)
      value = binder.make(
          "graph.reshape", Binder::type(value),
          {value, binder.integersConstant({}, binder.builder().getI64Type())});
    *known.place = binder.cast(value, known.type);
  }
  for (ImportedValue &result : results)
    forgetInvisible(binder, result);
  return binder.failed() ? SmallVector<ImportedValue>() : std::move(results);
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

/// What is one of two values is the one that belongs to a branch. Of a value
/// that went through a loop nobody knows the condition; the derivative of a
/// condition asks the same one.
SmallVector<ImportedValue> inBranchOf(ArrayRef<ImportedValue> arguments,
                                      Value condition, int side) {
  SmallVector<ImportedValue> chosen(arguments);
  for (ImportedValue &value : chosen)
    if (value.kind == ImportedValue::Either &&
        (!value.condition || value.condition == condition)) {
      ImportedValue part = value.parts[side];
      value = std::move(part);
    }
  return chosen;
}
} // namespace

void importIf(Binder &binder, unsigned condition, unsigned first,
              Callee thenBranch, Callee elseBranch) {
  Value given = scalarInput(binder, condition), chosen = given;
  if (binder.failed())
    return;
  if (!Binder::type(chosen).isInteger(1))
    chosen = binder.make("graph.not_equal", binder.builder().getI1Type(),
                         {chosen, binder.scalar(Binder::type(chosen), 0)});
  if (binder.failed())
    return;
  SmallVector<ImportedValue> arguments = inputsFrom(binder, first);
  // Derivatives ask for what is known of constants and shapes, too.
  if (auto known = binder.shapes().constantScalar(chosen)) {
    for (ImportedValue &value :
         binder.inlineFunction(*known ? thenBranch : elseBranch,
                               inBranchOf(arguments, chosen, *known ? 0 : 1)))
      binder.results.push_back(std::move(value));
    return;
  }
  auto branch = [&](Callee callee, int side) {
    return [&, callee, side] {
      return binder.inlineFunction(callee, inBranchOf(arguments, chosen, side));
    };
  };
  Choice choice(binder, chosen, /*named=*/chosen == given);
  for (ImportedValue &value :
       choice.run(branch(thenBranch, 0), branch(elseBranch, 1)))
    binder.results.push_back(std::move(value));
}

void importCase(Binder &binder, unsigned index, unsigned first,
                StringRef branchesAttr) {
  Value chosen = scalarInput(binder, index);
  int count = binder.functionCount(branchesAttr);
  if (!binder.failed() && (count < 1 || count > 100))
    binder.fail("impossible number of branches: " + llvm::Twine(count));
  std::optional<int64_t> known;
  if (!binder.failed())
    known = binder.shapes().constantScalar(chosen);
  // A chain of ifs; an index that is none takes the last branch.
  std::function<SmallVector<ImportedValue>(int, ArrayRef<ImportedValue>)> from =
      [&](int i, ArrayRef<ImportedValue> arguments) {
        if (i == count - 1 || (known && *known == i))
          return binder.inlineFunction(
              {branchesAttr, i}, i == count - 1
                                     ? SmallVector<ImportedValue>(arguments)
                                     : inBranchOf(arguments, {}, 0));
        if (known)
          return from(i + 1, inBranchOf(arguments, {}, 1));
        Value here = binder.make(
            "graph.equal", binder.builder().getI1Type(),
            {chosen, binder.scalar(Binder::type(chosen), double(i))});
        if (binder.failed())
          return SmallVector<ImportedValue>();
        return Choice(binder, here, /*named=*/false)
            .run(
                [&] {
                  return binder.inlineFunction({branchesAttr, i},
                                               inBranchOf(arguments, here, 0));
                },
                [&] { return from(i + 1, inBranchOf(arguments, here, 1)); });
      };
  if (!binder.failed())
    for (ImportedValue &value : from(0, inputsFrom(binder, first)))
      binder.results.push_back(std::move(value));
}

} // namespace tenon
