//===- Generator.cpp - what stateful operations draw from -----------------===//

#include "frontend/tensorflow/ops/Generator.h"

using namespace mlir;

namespace tenon::tf {

Type wordType(Binder &b) {
  return b.builder().getIntegerType(64, /*isSigned=*/false);
}

static ElementsAttr words(Binder &b, ArrayRef<uint64_t> values) {
  SmallVector<APInt> elements;
  for (uint64_t value : values)
    elements.push_back(APInt(64, value));
  return DenseElementsAttr::get(
      RankedTensorType::get({int64_t(values.size())}, wordType(b)), elements);
}

Generator::Generator(Binder &b) : b(b) {
  uint64_t seed = b.integer("seed", 0), seed2 = b.integer("seed2", 0);
  if (b.failed())
    return;
  ImportedValue state =
      b.declareGenerator(RankedTensorType::get({2}, wordType(b)),
                         seed || seed2 ? words(b, {0, seed2}) : nullptr);
  variable.push_back(b.attribute(
      "variable", FlatSymbolRefAttr::get(b.context(), state.symbol)));
  counter = b.make("graph.read", wordType(b), {}, variable);
  key = b.constant(words(b, {seed}));
}

void Generator::set(Value next) {
  if (!b.failed())
    b.perform("graph.assign", next, variable);
}

void Generator::skip(Value shape) {
  set(b.make("graph.random_skip", wordType(b), {counter, shape}));
}

} // namespace tenon::tf
