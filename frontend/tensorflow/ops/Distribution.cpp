//===- Distribution.cpp - special functions, numbers drawn by tries -------===//

#include "frontend/tensorflow/ops/Generator.h"
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

/// Draws by an op whose last operands are a generator's seed and counter, and
/// whose last result is the counter after it; returns the other results.
SmallVector<Value> drawn(Binder &b, StringRef op, SmallVector<Type> types,
                         SmallVector<Value> operands,
                         ArrayRef<NamedAttribute> attributes = {}) {
  Generator generator(b);
  if (b.failed())
    return {};
  types.push_back(wordType(b));
  operands.push_back(generator.key);
  operands.push_back(generator.counter);
  SmallVector<Value> results = b.makeAll(op, types, operands, attributes);
  if (b.failed())
    return {};
  generator.set(results.pop_back_val());
  return results;
}

/// Inputs: shape, parameters.
Row stateful(StringRef op, unsigned parameters) {
  return [op, parameters](Binder &b) {
    SmallVector<Value> operands = b.inputList(0, 1 + parameters);
    if (b.failed())
      return;
    SmallVector<Value> results =
        drawn(b, op, {Binder::type(operands[1])}, operands);
    if (!b.failed())
      b.set(0, results[0]);
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

Row function(StringRef name) {
  return [name](Binder &b) {
    Value x = b.input(0);
    if (b.failed())
      return;
    Type type = Binder::type(x),
         wide = type.isF64() ? type : Type(b.builder().getF32Type());
    b.set(0, b.cast(b.make("graph.special_function", wide, b.cast(x, wide),
                           b.textAttribute("function", name)),
                    type));
  };
}

/// Input: classes of each row of a batch.
Row candidates(bool falling) {
  return [falling](Binder &b) {
    Value classes = b.input(0);
    SmallVector<NamedAttribute> attributes = {
        b.attribute("number", b.integer("num_sampled")),
        b.attribute("range", b.integer("range_max"))};
    if (b.flag("unique"))
      attributes.push_back(b.unit("unique"));
    if (falling)
      attributes.push_back(b.unit("falling"));
    if (b.failed())
      return;
    Type f32 = b.builder().getF32Type();
    SmallVector<Value> results =
        drawn(b, "graph.candidate_sampler",
              {b.builder().getI64Type(), f32, f32}, {classes}, attributes);
    for (auto [i, result] : llvm::enumerate(results))
      b.set(i, result);
  };
}
} // namespace

void addDistributionRows(RowTable &table) {
  struct Name {
    const char *source, *function;
  };
  for (Name name : std::initializer_list<Name>{{"BesselJ0", "bessel_j0"},
                                               {"BesselJ1", "bessel_j1"},
                                               {"BesselY0", "bessel_y0"},
                                               {"BesselY1", "bessel_y1"},
                                               {"BesselK0", "bessel_k0"},
                                               {"BesselK1", "bessel_k1"},
                                               {"BesselK0e", "bessel_k0e"},
                                               {"BesselK1e", "bessel_k1e"},
                                               {"Dawsn", "dawsn"},
                                               {"Expint", "expint"},
                                               {"FresnelCos", "fresnel_cos"},
                                               {"FresnelSin", "fresnel_sin"},
                                               {"Spence", "spence"}})
    table[name.source] = function(name.function);
  table["LogUniformCandidateSampler"] = candidates(/*falling=*/true);
  table["UniformCandidateSampler"] = candidates(/*falling=*/false);
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
