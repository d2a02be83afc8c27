//===- Distribution.cpp - special functions, numbers drawn by tries -------===//

#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
Row special(StringRef op, unsigned count) {
  return [op, count](Binder &b) {
    SmallVector<Value> inputs = b.inputList(0, count);
    if (!b.failed())
      b.set(0, b.make(op, Binder::type(inputs[0]), inputs));
  };
}

Type wordType(Binder &b) {
  return b.builder().getIntegerType(64, /*isSigned=*/false);
}

Value words(Binder &b, ArrayRef<uint64_t> values) {
  SmallVector<APInt> elements;
  for (uint64_t value : values)
    elements.push_back(APInt(64, value));
  return b.constant(DenseElementsAttr::get(
      RankedTensorType::get({int64_t(values.size())}, wordType(b)), elements));
}

/// Draws by an op that also gives the generator's counter after it. Inputs:
/// shape, parameters.
Row stateful(StringRef op, unsigned parameters) {
  return [op, parameters](Binder &b) {
    uint64_t seed = b.integer("seed", 0), seed2 = b.integer("seed2", 0);
    SmallVector<Value> operands = b.inputList(0, 1 + parameters);
    if (b.failed())
      return;
    Type word = wordType(b);
    auto type = RankedTensorType::get({2}, word);
    ElementsAttr initial;
    if (seed || seed2)
      initial = DenseElementsAttr::get(type, {APInt(64, 0), APInt(64, seed2)});
    ImportedValue state = b.declareGenerator(type, initial);
    auto symbol = b.attribute(
        "variable", FlatSymbolRefAttr::get(b.context(), state.symbol));
    operands.push_back(words(b, seed));
    operands.push_back(b.make("graph.read", word, {}, symbol));
    SmallVector<Value> drawn =
        b.makeAll(op, {Binder::type(operands[1]), word}, operands);
    if (b.failed())
      return;
    b.set(0, drawn[0]);
    b.perform("graph.assign", drawn[1], symbol);
  };
}

/// Key and counter from input `i`, the two seeds.
SmallVector<Value> keyOf(Binder &b, unsigned i) {
  return b.makeAll("graph.random_key", {wordType(b), wordType(b)}, b.input(i));
}

/// Inputs `first` and the next: key, counter, algorithm.
SmallVector<Value> givenKey(Binder &b, unsigned first) {
  SmallVector<Value> key = b.inputList(first, 2);
  // 1 is Philox, 3 leaves the choice.
  if (int64_t algorithm = b.constant(first + 2);
      !b.failed() && algorithm != 1 && algorithm != 3)
    b.fail("random algorithm " + llvm::Twine(algorithm) + " is not supported");
  return key;
}

/// Inputs: shape, seed, alpha; or shape, key, counter, algorithm, alpha.
Row statelessGamma(bool hasKey) {
  return [hasKey](Binder &b) {
    SmallVector<Value> key = hasKey ? givenKey(b, 1) : keyOf(b, 1);
    Value shape = b.input(0), alpha = b.input(hasKey ? 4 : 2);
    if (!b.failed())
      b.set(0,
            b.makeAll("graph.random_gamma", {Binder::type(alpha), wordType(b)},
                      {shape, alpha, key[0], key[1]}, b.unit("whole"))
                .front());
  };
}

/// Inputs: shape, seed, mean, deviation, bounds.
void importStatelessTruncated(Binder &b) {
  SmallVector<Value> key = keyOf(b, 1), operands = b.inputList(2, 4);
  Value shape = b.input(0);
  if (b.failed())
    return;
  Type type = Binder::type(operands[0]);
  operands.insert(operands.begin(), shape);
  operands.append(key);
  SmallVector<Value> drawn =
      b.makeAll("graph.random_truncated", {type, wordType(b)}, operands,
                b.unit("stateless"));
  if (!b.failed())
    b.set(0, drawn[0]);
}

/// Inputs: shape, seed; or shape, key, counter, algorithm.
Row bits(bool hasKey) {
  return [hasKey](Binder &b) {
    SmallVector<Value> key = hasKey ? givenKey(b, 1) : keyOf(b, 1);
    Value shape = b.input(0);
    if (!b.failed())
      b.set(0, b.make("graph.random_bits", b.elementType("dtype"),
                      {shape, key[0], key[1]}));
  };
}
} // namespace

void addDistributionRows(RowTable &table) {
  table["Zeta"] = special("graph.zeta", 2);
  table["Polygamma"] = special("graph.polygamma", 2);
  table["Betainc"] = special("graph.betainc", 3);
  table["IgammaGradA"] = special("graph.igamma_grad_a", 2);
  table["RandomGammaGrad"] = special("graph.random_gamma_grad", 2);
  table["RandomGamma"] = stateful("graph.random_gamma", 1);
  table["ParameterizedTruncatedNormal"] = stateful("graph.random_truncated", 4);
  table["StatelessRandomGammaV2"] = statelessGamma(/*hasKey=*/false);
  table["StatelessRandomGammaV3"] = statelessGamma(/*hasKey=*/true);
  table["StatelessParameterizedTruncatedNormal"] = importStatelessTruncated;
  table["StatelessRandomUniformFullInt"] = bits(/*hasKey=*/false);
  table["StatelessRandomUniformFullIntV2"] = bits(/*hasKey=*/true);
}

} // namespace tenon::tf
