//===- Control.cpp - constants, calls, conditions, loops ------------------===//

#include "frontend/tensorflow/ops/Rows.h"

#include <numeric>

using namespace mlir;

namespace tenon::tf {

namespace {
void importCall(Binder &b) {
  SmallVector<ImportedValue> arguments;
  for (unsigned i = 0; i < b.inputCount(); ++i)
    arguments.push_back(b.raw(i));
  for (auto [i, value] : llvm::enumerate(b.inlineFunction("f", arguments)))
    b.set(i, value);
}

/// What goes in comes out: handles and lists too.
void importIdentity(Binder &b) {
  for (unsigned i = 0; i < b.inputCount(); ++i) {
    ImportedValue value = b.raw(i);
    // A copy of a variable is a reading of it.
    if (value.kind == ImportedValue::Variable && value.reference) {
      std::string symbol = value.symbol;
      value = ImportedValue::of(b.input(i));
      value.symbol = symbol;
      value.seen = b.state.writes.lookup(symbol);
    }
    b.set(i, value);
  }
}

/// The text that an assertion prints, from its constant parts.
std::string assertionText(Binder &b) {
  std::string text;
  for (unsigned i = 1; i < b.inputCount(); ++i) {
    DenseStringElementsAttr strings;
    if (b.raw(i).kind != ImportedValue::Tensor ||
        !matchPattern(b.raw(i).tensor, m_Constant(&strings)))
      continue;
    for (StringRef part : strings.getRawStringData())
      text += (text.empty() ? "" : " ") + part.str();
  }
  return text.empty() ? "assertion failed" : text;
}

void importAssert(Binder &b) {
  Value condition = b.input(0);
  if (b.failed())
    return;
  if (b.rank(condition) != 0)
    return b.fail("the condition must be a scalar");
  b.perform("graph.check", condition,
            b.textAttribute("message", "node '" + b.name().str() +
                                           "': " + assertionText(b)));
}

/// Ends the run when an element is not finite.
void importCheckNumerics(Binder &b) {
  Value input = b.input(0);
  Type boolean = b.builder().getI1Type();
  SmallVector<int64_t> axes(b.rank(input));
  std::iota(axes.begin(), axes.end(), 0);
  Value finite = b.make("graph.reduce_all", boolean,
                        b.make("graph.is_finite", boolean, input),
                        b.attribute("axes", axes));
  b.perform(
      "graph.check", finite,
      b.textAttribute("message", "node '" + b.name().str() +
                                     "': " + b.text("message", "") +
                                     ": the tensor has Inf or NaN elements"));
  b.set(0, input);
}

/// Only numbers that could have a derivative need to say that they have none.
void stopGradient(Binder &b, Binder::Attributes attributes) {
  Value input = b.input(0);
  if (b.failed())
    return;
  Type type = Binder::type(input);
  b.set(0, isa<FloatType, ComplexType>(type)
               ? b.make("graph.stop_gradient", type, input, attributes)
               : input);
}

void importNothing(Binder &b) {}

/// Which of the named kinds of devices runs this: the place of "CPU".
void importDeviceIndex(Binder &b) {
  SmallVector<std::string> names = b.texts("device_names");
  auto place = llvm::find(names, "CPU") - names.begin();
  b.set(0, b.scalar(b.builder().getI32Type(), double(place)));
}

/// What stands for a value that nobody reads; sizes that are not known are 0.
void importFakeParam(Binder &b) {
  Type type = b.elementType("dtype");
  auto shape = b.shape("shape");
  if (!b.failed() && !shape)
    b.fail("the number of its dimensions is not known");
  if (b.failed())
    return;
  for (int64_t &size : *shape)
    size = std::max<int64_t>(size, 0);
  b.set(0, b.make("graph.fill", type,
                  {b.integersConstant(*shape, b.builder().getI64Type()),
                   b.scalar(type, 0)}));
}
} // namespace

void addControlRows(RowTable &table) {
  table["DeviceIndex"] = importDeviceIndex;
  table["FakeParam"] = importFakeParam;
  table["Const"] = [](Binder &b) {
    ElementsAttr value = b.elements("value");
    if (value && b.has("dtype") && b.elementType("dtype") &&
        b.elementType("dtype") != value.getElementType())
      b.fail("attribute 'value' has another type than attribute 'dtype' says");
    b.set(0, b.constant(value));
  };
  table["NoOp"] = table["ControlTrigger"] = importNothing;
  table["Identity"] = table["IdentityN"] = importIdentity;
  for (const char *name : {"Snapshot", "RefIdentity", "PlaceholderWithDefault",
                           "DeepCopy", "GuaranteeConst"})
    table[name] = [](Binder &b) { b.set(0, b.input(0)); };
  table["StopGradient"] = [](Binder &b) { stopGradient(b, {}); };
  table["PreventGradient"] = [](Binder &b) {
    stopGradient(b, b.textAttribute("message", b.text("message", "")));
  };
  for (const char *name : {"Placeholder", "PlaceholderV2"})
    table[name] = [](Binder &b) {
      b.fail("the entry needs this input and does not feed it");
    };
  table["PartitionedCall"] = table["StatefulPartitionedCall"] = importCall;
  table["If"] = table["StatelessIf"] = [](Binder &b) {
    importIf(b, 0, 1, "then_branch", "else_branch");
  };
  table["Case"] = table["StatelessCase"] = [](Binder &b) {
    importCase(b, 0, 1, "branches");
  };
  table["While"] = table["StatelessWhile"] = [](Binder &b) {
    importWhile(b, "cond", "body");
  };
  table["Assert"] = importAssert;
  table["CheckNumerics"] = table["CheckNumericsV2"] = importCheckNumerics;
}

} // namespace tenon::tf
