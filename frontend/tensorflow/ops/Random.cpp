//===- Random.cpp - random numbers ----------------------------------------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Generator.h"
#include "frontend/tensorflow/ops/Rows.h"

#include <limits>

using namespace mlir;

namespace tenon::tf {

namespace {
Type drawnType(Binder &b) {
  return b.has("dtype") ? b.elementType("dtype")
                        : Type(b.builder().getF32Type());
}

/// Draws by `op` from shape, key, counter and `more` operands.
Value draw(Binder &b, StringRef op, Type type, Value shape, Value key,
           Value counter, ArrayRef<Value> more) {
  SmallVector<Value> operands = {shape, key, counter};
  llvm::append_range(operands, more);
  return b.make(op, type, operands);
}

/// Operands of the bounds of integers are inputs 1 and 2.
Row stateful(StringRef op, unsigned bounds) {
  return [op, bounds](Binder &b) {
    Value shape = b.input(0);
    SmallVector<Value> more = b.inputList(1, bounds);
    Type type =
        bounds ? Binder::type(more.empty() ? Value() : more[0]) : drawnType(b);
    if (bounds == 2 && more.size() == 2)
      expect(b, more[0], "graph.less", more[1],
             "the lower bound is not less than the upper bound");
    Generator generator(b);
    if (b.failed())
      return;
    b.set(0, draw(b, op, type, shape, generator.key, generator.counter, more));
    generator.skip(shape);
  };
}

/// Rows in random order.
void importRandomShuffle(Binder &b) {
  Value input = b.input(0);
  if (b.failed())
    return;
  if (b.rank(input) == 0)
    return b.set(0, input);
  Type i64 = b.builder().getI64Type();
  Generator generator(b);
  if (b.failed())
    return;
  Value sizes = b.shapeTensor(b.dims(input)[0]);
  Value count =
      b.make("graph.reshape", i64, {sizes, b.integersConstant({}, i64)});
  Value order = b.make("graph.random_permutation", i64,
                       {count, generator.key, generator.counter});
  b.set(0, b.make("graph.gather", Binder::type(input), {input, order},
                  b.attribute("axis", int64_t(0))));
  // A number for each row but one, four to a block; nothing without rows.
  Value blocks = b.make(
      "graph.floor_div", i64,
      {b.make("graph.add", i64, {sizes, b.scalar(i64, 2)}), b.scalar(i64, 4)});
  auto elements =
      graph::ShapeContext::asConstant(b.shapes().product(b.dims(input)));
  if (elements && *elements <= 1)
    return;
  Value steps = b.make("graph.concat", i64,
                       {blocks, b.integersConstant(ArrayRef<int64_t>{0}, i64)},
                       b.attribute("axis", int64_t(0)));
  Type word = wordType(b);
  generator.set(b.make("graph.add", word,
                       {generator.counter, b.make("graph.cast", word, steps)}));
}

/// Inputs: shape, seed, bounds.
Row stateless(StringRef op, unsigned bounds) {
  return [op, bounds](Binder &b) {
    Value shape = b.input(0), seed = b.input(1);
    SmallVector<Value> more = b.inputList(2, bounds);
    Type type = drawnType(b);
    SmallVector<Value> key =
        b.makeAll("graph.random_key", {wordType(b), wordType(b)}, seed);
    b.set(0, draw(b, op, type, shape, key[0], key[1], more));
  };
}

/// Numbers of classes by their unnormalized log probabilities: where a uniform
/// number falls among the sums of the probabilities.
Value drawClasses(Binder &b, Value logits, Value shape, Value key,
                  Value counter) {
  Type f64 = b.builder().getF64Type(), i1 = b.builder().getI1Type(),
       i64 = b.builder().getI64Type();
  if (b.failed())
    return {};
  auto last = b.attribute("axes", ArrayRef<int64_t>{1});
  auto keep = b.attribute("keep_dims", b.builder().getBoolAttr(true));
  Formula given = Formula(b, logits).cast(f64);
  Formula finite = given.wrap(b.make("graph.is_finite", i1, Value(given)));
  Formula lowest = given.number(std::numeric_limits<double>::lowest());
  Formula greatest =
      given.wrap(b.make("graph.reduce_max", f64,
                        Value(select(finite, given, lowest)), {last, keep}));
  Formula weight = select(finite, exp(given - greatest), given.number(0));
  Value sums = b.make("graph.cumsum", f64, Value(weight),
                      b.attribute("axis", int64_t(1)));
  Value total = b.make("graph.reduce_max", f64, sums, {last, keep});
  Formula uniform(
      b, draw(b, "graph.random_uniform", f64, shape, key, counter, {}));
  auto expanded = [&](Value value, int64_t axis) {
    return b.make("graph.expand_dims", f64, value,
                  b.attribute("axes", ArrayRef<int64_t>(axis)));
  };
  Formula place(b, expanded(uniform * uniform.wrap(total), 2)),
      end(b, expanded(sums, 1));
  return b.make("graph.reduce_sum", i64, Value((end <= place).cast(i64)),
                b.attribute("axes", ArrayRef<int64_t>{2}));
}

/// [rows of the logits, how often to draw]
Value classesShape(Binder &b, Value logits, Value count) {
  if (!b.failed() && (b.rank(logits) != 2 || b.rank(count) != 0))
    b.fail("expected a matrix of logits and a number");
  if (b.failed())
    return {};
  Type i64 = b.builder().getI64Type();
  Value columns = b.make("graph.expand_dims", i64, b.cast(count, i64),
                         b.attribute("axes", ArrayRef<int64_t>{0}));
  return b.make("graph.concat", i64,
                {b.shapeTensor(b.dims(logits)[0]), columns},
                b.attribute("axis", int64_t(0)));
}

Type classType(Binder &b) {
  return b.has("output_dtype") ? b.elementType("output_dtype")
                               : Type(b.builder().getI64Type());
}

/// Inputs: shape, rates.
void importPoisson(Binder &b) {
  Value shape = b.input(0), rate = b.input(1);
  Generator generator(b);
  if (b.failed())
    return;
  Type type = b.elementType("dtype");
  bool wide = !type.isF16() && !type.isBF16();
  Type compute =
      wide ? Type(b.builder().getF64Type()) : Type(b.builder().getF32Type());
  Value drawn =
      b.make("graph.random_poisson", compute,
             {shape, b.cast(rate, compute), generator.key, generator.counter});
  if (b.failed())
    return;
  b.set(0, b.cast(drawn, type));
  generator.skip(b.make("graph.shape_of", b.builder().getI64Type(), drawn));
}

void importMultinomial(Binder &b) {
  Value logits = b.input(0), count = b.input(1);
  Value shape = classesShape(b, logits, count);
  Generator generator(b);
  if (b.failed())
    return;
  Type i64 = b.builder().getI64Type();
  Value drawn = drawClasses(b, logits, shape, generator.key, generator.counter);
  // Twice as many numbers are reserved, of a multiple of four draws.
  Formula columns = Formula(b, count).cast(i64);
  Value fours =
      b.make("graph.floor_div", i64, {columns + 3, columns.number(4)});
  Formula reserved = columns.wrap(fours) * 8;
  Value extent = b.make("graph.concat", i64,
                        {b.shapeTensor(b.dims(logits)[0]),
                         b.make("graph.expand_dims", i64, Value(reserved),
                                b.attribute("axes", ArrayRef<int64_t>{0}))},
                        b.attribute("axis", int64_t(0)));
  if (!b.failed())
    b.set(0, b.cast(drawn, classType(b)));
  generator.skip(extent);
}

/// Inputs: logits, number of draws, seed.
void importStatelessMultinomial(Binder &b) {
  Value logits = b.input(0), seed = b.input(2);
  Value shape = classesShape(b, logits, b.input(1));
  SmallVector<Value> key =
      b.makeAll("graph.random_key", {wordType(b), wordType(b)}, seed);
  if (b.failed())
    return;
  Value drawn = drawClasses(b, logits, shape, key[0], key[1]);
  if (!b.failed())
    b.set(0, b.cast(drawn, classType(b)));
}

/// Inputs: shape, key, counter, algorithm, bounds.
Row statelessV2(StringRef op, unsigned bounds) {
  return [op, bounds](Binder &b) {
    Value shape = b.input(0), key = b.input(1), counter = b.input(2);
    // 1 is Philox, 3 leaves the choice.
    if (int64_t algorithm = b.constant(3); algorithm != 1 && algorithm != 3)
      b.fail("random algorithm " + llvm::Twine(algorithm) +
             " is not supported");
    SmallVector<Value> more = b.inputList(4, bounds);
    b.set(0, draw(b, op, drawnType(b), shape, key, counter, more));
  };
}
} // namespace

void addRandomRows(RowTable &table) {
  table["RandomUniform"] = stateful("graph.random_uniform", 0);
  table["RandomStandardNormal"] = stateful("graph.random_normal", 0);
  table["TruncatedNormal"] = stateful("graph.random_truncated_normal", 0);
  table["RandomShuffle"] = importRandomShuffle;
  table["RandomPoisson"] = table["RandomPoissonV2"] = importPoisson;
  table["Multinomial"] = importMultinomial;
  table["StatelessMultinomial"] = importStatelessMultinomial;
  table["RandomUniformInt"] = stateful("graph.random_uniform_int", 2);
  table["StatelessRandomUniform"] = stateless("graph.random_uniform", 0);
  table["StatelessRandomNormal"] = stateless("graph.random_normal", 0);
  table["StatelessTruncatedNormal"] =
      stateless("graph.random_truncated_normal", 0);
  table["StatelessRandomUniformInt"] = stateless("graph.random_uniform_int", 2);
  table["StatelessRandomUniformV2"] = statelessV2("graph.random_uniform", 0);
  table["StatelessRandomNormalV2"] = statelessV2("graph.random_normal", 0);
  table["StatelessTruncatedNormalV2"] =
      statelessV2("graph.random_truncated_normal", 0);
  table["StatelessRandomUniformIntV2"] =
      statelessV2("graph.random_uniform_int", 2);
  table["StatelessRandomGetKeyCounter"] = [](Binder &b) {
    b.setAll(
        b.makeAll("graph.random_key", {wordType(b), wordType(b)}, b.input(0)));
  };
  table["StatelessRandomGetKeyCounterAlg"] = [](Binder &b) {
    b.setAll(
        b.makeAll("graph.random_key", {wordType(b), wordType(b)}, b.input(0)));
    b.set(2, b.scalar(b.builder().getI32Type(), 1));
  };
  table["StatelessRandomGetAlg"] = [](Binder &b) {
    b.set(0, b.scalar(b.builder().getI32Type(), 1));
  };
}

} // namespace tenon::tf
