//===- FedAxes.cpp - axes that only the run knows
//--------------------------===//

#include "frontend/tensorflow/ops/FedAxes.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// i64 vectors of one element per dimension of a tensor.
class Sizes {
public:
  Sizes(Binder &b, Value input)
      : b(b), i64(b.builder().getI64Type()), i1(b.builder().getI1Type()),
        rank(b.rank(input)), sizes(b.make("graph.shape_of", i64, input)) {
    SmallVector<int64_t> numbers(rank);
    std::iota(numbers.begin(), numbers.end(), 0);
    places = b.integersConstant(numbers, i64);
  }

  /// Axes counted from the front.
  Value fromFront(Value axes) {
    axes = b.cast(axes, i64);
    Value zero = b.scalar(i64, 0), count = b.scalar(i64, double(rank));
    Value negative = b.make("graph.less", i1, {axes, zero});
    Value more = b.make("graph.select", i64, {negative, count, zero});
    return b.make("graph.add", i64, {axes, more});
  }

  Value chosen(Value indices, Value from) {
    return b.make("graph.gather", Binder::type(from), {from, indices},
                  b.attribute("axis", int64_t(0)));
  }

  /// The product of the sizes of those dimensions.
  Value product(Value mask) {
    Value kept = b.make("graph.select", i64, {mask, sizes, b.scalar(i64, 1)});
    return b.make("graph.reduce_prod", i64, kept,
                  b.attribute("axes", ArrayRef<int64_t>{0}));
  }

  Value is(StringRef comparison, Value axis) {
    return b.make(comparison, i1, {places, axis});
  }

  /// The sizes before, at and after the axis; the one in the middle is checked.
  Value threeAround(Value axis) {
    Value parts[] = {product(is("graph.less", axis)), chosen(axis, sizes),
                     product(is("graph.greater", axis))};
    return b.make("graph.pack", i64, ValueRange(parts),
                  b.attribute("axis", int64_t(0)));
  }

  Binder &b;
  Type i64, i1;
  int64_t rank;
  Value sizes, places;
};

Value reshaped(Binder &b, Value value, Value sizes) {
  return b.make("graph.reshape", Binder::type(value), {value, sizes});
}

Value scalarAxis(Binder &b) {
  Value axis = b.input(1);
  if (axis && b.rank(axis) != 0)
    b.fail("expected one axis");
  return axis;
}
} // namespace

bool isKnown(Binder &b, unsigned i) {
  Value value = b.input(i);
  return !value || b.shapes().constants(value);
}

Value scanAtRun(Binder &b, StringRef op, ArrayRef<NamedAttribute> attributes) {
  Value input = b.input(0), axis = scalarAxis(b);
  if (b.failed())
    return {};
  Sizes of(b, input);
  SmallVector<NamedAttribute> all(attributes);
  all.push_back(b.attribute("axis", int64_t(1)));
  Value view = reshaped(b, input, of.threeAround(of.fromFront(axis)));
  return reshaped(b, b.make(op, Binder::type(input), view, all), of.sizes);
}

Value extremumAtRun(Binder &b, StringRef op, Type type) {
  Value input = b.input(0), axis = scalarAxis(b);
  if (b.failed())
    return {};
  Sizes of(b, input);
  axis = of.fromFront(axis);
  Value view = reshaped(b, input, of.threeAround(axis));
  Value found = b.make(op, type, view, b.attribute("axis", int64_t(1)));
  // Dimensions behind the axis move up.
  SmallVector<int64_t> numbers(of.rank ? of.rank - 1 : 0);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value places = b.integersConstant(numbers, of.i64);
  Value behind = b.make("graph.greater_equal", of.i1, {places, axis});
  Value from = b.make("graph.add", of.i64, {places, b.cast(behind, of.i64)});
  return reshaped(b, found, of.chosen(from, of.sizes));
}

Value reduceAtRun(Binder &b, StringRef op, Value input) {
  Value axes = b.input(1);
  if (b.failed())
    return {};
  int64_t count = b.rank(axes) ? b.staticDim(axes, 0) : 1;
  if (b.failed())
    return {};
  Type type = Binder::type(input);
  // The mean of a fed number of elements: their sum, divided by it.
  bool isMean = op == "graph.reduce_mean";
  Type sumType = isMean && (type.isF16() || type.isBF16())
                     ? Type(b.builder().getF32Type())
                     : type;
  Value value = b.cast(input, sumType);
  Sizes of(b, input);
  axes = reshaped(b, of.fromFront(axes), b.integersConstant({count}, of.i64));
  Value sizes = of.sizes;
  Value one = b.scalar(of.i64, 1), none = b.scalar(of.i1, 0);
  Value reduced = b.make("graph.fill", of.i1,
                         {b.integersConstant({of.rank}, of.i64), none});
  for (int64_t i = 0; i < count; ++i) {
    Value axis = of.chosen(b.scalar(of.i64, double(i)), axes);
    Value here = of.is("graph.equal", axis);
    Sizes now(b, value);
    Value view = reshaped(b, value, now.threeAround(axis));
    view = b.make(isMean ? "graph.reduce_sum" : op, sumType, view,
                  b.attribute("axes", ArrayRef<int64_t>{1}));
    sizes = b.make("graph.select", of.i64, {here, one, sizes});
    value = reshaped(b, view, sizes);
    reduced = b.make("graph.or", of.i1, {reduced, here});
  }
  if (isMean) {
    Value number = b.cast(of.product(reduced), sumType);
    bool isInteger = sumType.isInteger();
    value = b.make(isInteger ? "graph.trunc_div" : "graph.div", sumType,
                   {value, number});
    value = b.cast(value, type);
  }
  if (b.flag("keep_dims", false))
    return value;
  // An axis that is named twice leaves more dimensions than that.
  Value places =
      b.make("graph.nonzero", of.i64, b.make("graph.not", of.i1, reduced));
  places = reshaped(
      b, places,
      b.integersConstant({std::max<int64_t>(of.rank - count, 0)}, of.i64));
  return reshaped(b, value, of.chosen(places, of.sizes));
}

Value transposeAtRun(Binder &b) {
  Value input = b.input(0), permutation = b.input(1);
  if (b.failed())
    return {};
  Type type = Binder::type(input);
  Sizes of(b, input);
  if (b.rank(permutation) != 1)
    b.fail("expected a vector of axes");
  int64_t count = b.staticDim(permutation, 0);
  if (!b.failed() && count != of.rank)
    b.fail("the permutation has " + llvm::Twine(count) +
           " elements, the input " + llvm::Twine(of.rank) + " dimensions");
  if (b.failed() || !of.rank)
    return input;
  // That no axis is named twice is checked by inverting.
  Value axes = b.make(
      "graph.invert_permutation", of.i64,
      b.make("graph.invert_permutation", of.i64, of.fromFront(permutation)));
  auto flag = [&](StringRef name) {
    return b.attribute(name, b.builder().getBoolAttr(true));
  };
  Value steps = b.make(
      "graph.cumprod", of.i64, of.sizes,
      {b.attribute("axis", int64_t(0)), flag("exclusive"), flag("reverse")});
  Value sizes = of.chosen(axes, of.sizes);
  steps = of.chosen(axes, steps);
  Value from = b.scalar(of.i64, 0), zero = from, one = b.scalar(of.i64, 1);
  for (int64_t d = 0; d < of.rank; ++d) {
    Value place = b.scalar(of.i64, double(d));
    Value range =
        b.make("graph.range", of.i64, {zero, of.chosen(place, sizes), one});
    range = b.make("graph.mul", of.i64, {range, of.chosen(place, steps)});
    SmallVector<int64_t> alone(of.rank, 1);
    alone[d] = -1;
    range = reshaped(b, range, b.integersConstant(alone, of.i64));
    from = b.make("graph.add", of.i64, {from, range});
  }
  Value flat = reshaped(b, input, b.integersConstant({-1}, of.i64));
  return b.make("graph.gather", type, {flat, from},
                b.attribute("axis", int64_t(0)));
}

void rollAtRun(Binder &b) {
  Value input = b.input(0), shifts = b.input(1), axes = b.input(2);
  if (b.failed())
    return;
  Sizes of(b, input);
  Value one = b.integersConstant({-1}, of.i64);
  // Every dimension is shifted by the sum of what is said about it.
  Value all = b.make("graph.segment", of.i64,
                     {reshaped(b, b.cast(shifts, of.i64), one),
                      reshaped(b, of.fromFront(axes), one),
                      b.scalar(of.i64, double(of.rank))},
                     b.textAttribute("mode", "sum"));
  SmallVector<int64_t> numbers(of.rank);
  std::iota(numbers.begin(), numbers.end(), 0);
  b.set(0, b.make("graph.roll", Binder::type(input), {input, all},
                  b.attribute("axes", numbers)));
}

} // namespace tenon::tf
