//===- FedAxes.cpp - axes that only the run knows
//--------------------------===//

#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/Expect.h"

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

  /// Which dimensions the axes name, an i1 each. The run checks that they are
  /// dimensions and that none is named twice.
  Value named(Value axes) {
    axes = inside(b.make("graph.reshape", i64,
                         {fromFront(axes), b.integersConstant({-1, 1}, i64)}));
    auto first = b.attribute("axes", ArrayRef<int64_t>{0});
    Value here = b.make("graph.equal", i1, {axes, places});
    Value times = b.make("graph.reduce_sum", i64, b.cast(here, i64), first);
    expect(b, b.make("graph.less", i1, {times, b.scalar(i64, 2)}),
           "an axis is named twice");
    return b.make("graph.reduce_any", i1, here, first);
  }

  /// Axes counted from the front, which the run checks to be dimensions.
  Value inside(Value axes) {
    Value low = b.make("graph.less_equal", i1, {b.scalar(i64, 0), axes});
    Value high = b.make("graph.less", i1, {axes, b.scalar(i64, double(rank))});
    expect(b, b.make("graph.and", i1, {low, high}),
           "an axis is outside a tensor of " + llvm::Twine(rank) +
               " dimensions");
    return axes;
  }

  /// `here` at the axis, `elsewhere` at other dimensions.
  Value at(Value axis, Value here, Value elsewhere) {
    return b.make("graph.select", i64,
                  {is("graph.equal", axis), here, elsewhere});
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

/// A scalar, or a vector of one element.
Value scalarAxis(Binder &b, unsigned i = 1) {
  Value axis = b.input(i);
  if (axis && b.rank(axis) == 1)
    return reshaped(b, axis, b.integersConstant({}, b.builder().getI64Type()));
  if (axis && b.rank(axis) != 0)
    b.fail("expected one axis");
  return axis;
}
} // namespace

bool isKnown(Binder &b, unsigned i) {
  Value value = b.input(i);
  return !value || b.shapes().constants(value);
}

Value sizedInput(Binder &b, unsigned i, int64_t count) {
  Value value = b.input(i);
  if (b.failed() || b.rank(value) != 1 ||
      graph::ShapeContext::asConstant(b.dims(value)[0]))
    return value;
  return b.make("graph.ensure_shape", Binder::type(value), value,
                b.attribute("shape", ArrayRef<int64_t>{count}));
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

Value alongFedAxis(Binder &b, function_ref<Value(Value view)> function) {
  Value input = b.input(0), axis = scalarAxis(b);
  if (b.failed())
    return {};
  Sizes of(b, input);
  axis = of.fromFront(axis);
  Value result = function(reshaped(b, input, of.threeAround(axis)));
  if (b.failed())
    return {};
  Value size =
      of.chosen(b.scalar(of.i64, 1), b.make("graph.shape_of", of.i64, result));
  return reshaped(b, result, of.at(axis, size, of.sizes));
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

/// Which dimensions axes marked so (see kBroadcastAxes) are.
static Value broadcastMask(Value axes) {
  Operation *source = axes.getDefiningOp();
  if (!source || !source->hasAttr(kBroadcastAxes))
    return {};
  while (source && source->getName().getStringRef() != "graph.nonzero")
    source = source->getNumOperands() ? source->getOperand(0).getDefiningOp()
                                      : nullptr;
  return source ? source->getOperand(0) : Value();
}

Value reduceAtRun(Binder &b, StringRef op, Value input) {
  Value axes = b.input(1);
  if (b.failed())
    return {};
  bool keep = b.flag("keep_dims", false);
  std::optional<int64_t> count = 1;
  if (b.rank(axes))
    count = graph::ShapeContext::asConstant(b.dims(axes)[0]);
  Value broadcast = broadcastMask(axes);
  keep |= bool(broadcast);
  Sizes of(b, input);
  if (!keep && !count) {
    b.fail("the number of axes is not known at compile time, so the result has "
           "no known rank");
    return {};
  }
  if (of.rank == 0)
    return input;
  // Every dimension becomes two, of which one is 1: one that stays and one that
  // is reduced.
  Type type = Binder::type(input);
  Value mask = broadcast ? broadcast : of.named(axes),
        one = b.scalar(of.i64, 1);
  // Of matrices only the dimensions in front of them are broadcast.
  if (int64_t missing =
          broadcast ? of.rank - b.staticDim(broadcast, 0) : int64_t(0);
      missing > 0) {
    Value parts[] = {mask, b.constant(DenseElementsAttr::get(
                               RankedTensorType::get({missing}, of.i1),
                               ArrayRef<bool>{false}))};
    mask = b.make("graph.concat", of.i1, ValueRange(parts),
                  b.attribute("axis", int64_t(0)));
  }
  Value parts[] = {b.make("graph.select", of.i64, {mask, one, of.sizes}),
                   b.make("graph.select", of.i64, {mask, of.sizes, one})};
  Value pairs = b.make("graph.pack", of.i64, ValueRange(parts),
                       b.attribute("axis", int64_t(1)));
  Value view = reshaped(
      b, input, reshaped(b, pairs, b.integersConstant({2 * of.rank}, of.i64)));
  SmallVector<int64_t> reduced;
  for (int64_t d = 0; d < of.rank; ++d)
    reduced.push_back(2 * d + 1);
  Value value = b.make(op, type, view, b.attribute("axes", reduced));
  if (keep)
    return value;
  Value places =
      b.make("graph.nonzero", of.i64, b.make("graph.not", of.i1, mask));
  places = reshaped(
      b, places,
      b.integersConstant({std::max<int64_t>(of.rank - *count, 0)}, of.i64));
  return reshaped(b, value, of.chosen(places, of.sizes));
}

Value transposeAtRun(Binder &b) {
  Value input = b.input(0), permutation = sizedInput(b, 1, b.rank(input));
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
                      reshaped(b, of.inside(of.fromFront(axes)), one),
                      b.scalar(of.i64, double(of.rank))},
                     b.textAttribute("mode", "sum"));
  SmallVector<int64_t> numbers(of.rank);
  std::iota(numbers.begin(), numbers.end(), 0);
  b.set(0, b.make("graph.roll", Binder::type(input), {input, all},
                  b.attribute("axes", numbers)));
}

Value concatAtRun(Binder &b, ArrayRef<Value> parts, unsigned axisInput) {
  Value axis = scalarAxis(b, axisInput);
  if (b.failed())
    return {};
  Sizes first(b, parts[0]);
  axis = first.fromFront(axis);
  SmallVector<Value> views;
  Value total = b.scalar(first.i64, 0);
  for (Value part : parts) {
    if (b.rank(part) != first.rank) {
      b.fail("operands have different ranks");
      return {};
    }
    Sizes of(b, part);
    views.push_back(reshaped(b, part, of.threeAround(axis)));
    total = b.make("graph.add", of.i64, {total, of.chosen(axis, of.sizes)});
  }
  Value whole = b.make("graph.concat", Binder::type(parts[0]), views,
                       b.attribute("axis", int64_t(1)));
  return reshaped(b, whole, first.at(axis, total, first.sizes));
}

Value expandDimsAtRun(Binder &b) {
  Value input = b.input(0), axis = scalarAxis(b, 1);
  if (b.failed())
    return {};
  Sizes of(b, input);
  Value zero = b.scalar(of.i64, 0), one = b.scalar(of.i64, 1);
  Value count = b.scalar(of.i64, double(of.rank + 1));
  axis = b.cast(axis, of.i64);
  Value negative = b.make("graph.less", of.i1, {axis, zero});
  axis =
      b.make("graph.add", of.i64,
             {axis, b.make("graph.select", of.i64, {negative, count, zero})});
  Value low = b.make("graph.less_equal", of.i1, {zero, axis});
  Value high = b.make("graph.less", of.i1, {axis, count});
  expect(b, b.make("graph.and", of.i1, {low, high}),
         "the axis is outside a result of " + llvm::Twine(of.rank + 1) +
             " dimensions");
  // Dimensions behind the new one come from one place before.
  SmallVector<int64_t> numbers(of.rank + 1);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value places = b.integersConstant(numbers, of.i64);
  Value behind = b.cast(b.make("graph.less", of.i1, {axis, places}), of.i64);
  Value from = b.make("graph.sub", of.i64, {places, behind});
  Value one1 = b.integersConstant({1}, of.i64);
  Value sizes[] = {of.sizes, one1};
  Value padded = b.make("graph.concat", of.i64, ValueRange(sizes),
                        b.attribute("axis", int64_t(0)));
  Value isNew = b.make("graph.equal", of.i1, {places, axis});
  return reshaped(
      b, input,
      b.make("graph.select", of.i64, {isNew, one, of.chosen(from, padded)}));
}

void splitAtRun(Binder &b, Value input, unsigned axisInput, int64_t count) {
  Value axis = scalarAxis(b, axisInput);
  if (b.failed())
    return;
  Sizes of(b, input);
  axis = of.fromFront(axis);
  Type type = Binder::type(input);
  SmallVector<Type> types(count, type);
  SmallVector<Value> parts =
      b.makeAll("graph.split", types, reshaped(b, input, of.threeAround(axis)),
                b.attribute("axis", int64_t(1)));
  Value part = b.make("graph.trunc_div", of.i64,
                      {of.sizes, b.scalar(of.i64, double(count))});
  Value sizes = of.at(axis, part, of.sizes);
  for (auto [i, value] : llvm::enumerate(parts))
    b.set(i, reshaped(b, value, sizes));
}

void splitBySizes(Binder &b, Value input, int64_t count) {
  Value given = sizedInput(b, 1, count), axis = scalarAxis(b, 2);
  if (b.failed())
    return;
  if (b.rank(given) != 1 || b.staticDim(given, 0) != count)
    b.fail("expected " + llvm::Twine(count) + " sizes");
  if (b.failed())
    return;
  Sizes of(b, input);
  Type type = Binder::type(input);
  given = b.cast(given, of.i64);
  std::optional<int64_t> known = b.shapes().constantScalar(axis);
  axis = known ? b.scalar(of.i64, double(b.axis(*known, of.rank)))
               : of.fromFront(axis);
  // One of them may be -1: what the others leave.
  Value zero = b.scalar(of.i64, 0), minus = b.scalar(of.i64, -1),
        whole = of.chosen(axis, of.sizes);
  auto first = b.attribute("axes", ArrayRef<int64_t>{0});
  Value open = b.make("graph.equal", of.i1, {given, minus});
  Value closed = b.make("graph.select", of.i64, {open, zero, given});
  Value rest =
      b.make("graph.sub", of.i64,
             {whole, b.make("graph.reduce_sum", of.i64, closed, first)});
  given = b.make("graph.select", of.i64, {open, rest, given});
  Value sum = b.make("graph.reduce_sum", of.i64, given, first);
  Value good[] = {b.make("graph.reduce_all", of.i1,
                         b.make("graph.less_equal", of.i1, {zero, given}),
                         first),
                  b.make("graph.equal", of.i1, {sum, whole})};
  expect(b,
         b.make("graph.pack", of.i1, ValueRange(good),
                b.attribute("axis", int64_t(0))),
         "the parts' sizes do not add up to the dimension's");
  Value view = known ? input : reshaped(b, input, of.threeAround(axis));
  Sizes in(b, view);
  Value place = known ? axis : b.scalar(of.i64, 1);
  Value begin = zero,
        zeros = b.integersConstant(SmallVector<int64_t>(in.rank, 0), of.i64);
  for (int64_t i = 0; i < count; ++i) {
    Value size = of.chosen(b.scalar(of.i64, double(i)), given);
    Value part = b.make(
        "graph.slice", type,
        {view, in.at(place, begin, zeros), in.at(place, size, in.sizes)});
    b.set(i, known ? part : reshaped(b, part, of.at(axis, size, of.sizes)));
    begin = b.make("graph.add", of.i64, {begin, size});
  }
}

Value gatherAtRun(Binder &b, int64_t batch) {
  Value input = b.input(0), indices = b.input(1), axis = scalarAxis(b, 2);
  if (b.failed())
    return {};
  Sizes of(b, input), at(b, indices);
  if (batch < 0 || batch > at.rank || batch > of.rank) {
    b.fail("impossible number of batch dimensions");
    return {};
  }
  axis = of.fromFront(axis);
  // The batch dimensions, those before the axis, it, and those after it.
  Value three = of.threeAround(axis);
  SmallVector<int64_t> numbers(batch);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value lead = of.chosen(b.integersConstant(numbers, of.i64), of.sizes);
  if (batch) {
    Value isLead = b.make("graph.less", of.i1,
                          {of.places, b.scalar(of.i64, double(batch))});
    Value before =
        b.make("graph.and", of.i1,
               {b.make("graph.not", of.i1, isLead), of.is("graph.less", axis)});
    Value sizes[] = {of.product(before), of.chosen(axis, of.sizes),
                     of.product(of.is("graph.greater", axis))};
    three = b.make("graph.pack", of.i64, ValueRange(sizes),
                   b.attribute("axis", int64_t(0)));
  }
  auto joined = [&](Value x, Value y) {
    Value both[] = {x, y};
    return b.make("graph.concat", of.i64, ValueRange(both),
                  b.attribute("axis", int64_t(0)));
  };
  Type type = Binder::type(input);
  Value found = b.make(
      "graph.gather", type, {reshaped(b, input, joined(lead, three)), indices},
      {b.attribute("axis", batch + 1), b.attribute("batch_dims", batch)});
  // The axis is replaced by the other dimensions of the indices.
  int64_t more = at.rank - batch;
  numbers.resize(of.rank - 1 + more);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value places = b.integersConstant(numbers, of.i64);
  Value past =
      b.make("graph.add", of.i64, {axis, b.scalar(of.i64, double(more))});
  // Sizes of the indices stand behind those of the input.
  Value inIndices =
      b.make("graph.sub", of.i64,
             {b.make("graph.add", of.i64,
                     {places, b.scalar(of.i64, double(of.rank + batch))}),
              axis});
  Value after =
      b.make("graph.sub", of.i64, {places, b.scalar(of.i64, double(more - 1))});
  Value isBefore = b.make("graph.less", of.i1, {places, axis}),
        isInside = b.make("graph.less", of.i1, {places, past});
  Value from = b.make("graph.select", of.i64, {isInside, inIndices, after});
  from = b.make("graph.select", of.i64, {isBefore, places, from});
  return reshaped(b, found, of.chosen(from, joined(of.sizes, at.sizes)));
}

Value reverseAtRun(Binder &b, bool byFlags) {
  Value input = b.input(0);
  Value which = byFlags ? sizedInput(b, 1, b.rank(input)) : b.input(1);
  if (b.failed() || !b.rank(input))
    return input;
  Sizes of(b, input);
  if (byFlags && (b.rank(which) != 1 || b.staticDim(which, 0) != of.rank)) {
    b.fail("expected one flag per dimension");
    return {};
  }
  Value mask = byFlags ? which : of.named(which);
  Value zero = b.scalar(of.i64, 0), one = b.scalar(of.i64, 1);
  for (int64_t d = 0; d < of.rank; ++d) {
    Value place = b.scalar(of.i64, double(d)),
          size = of.chosen(place, of.sizes);
    Value range = b.make("graph.range", of.i64, {zero, size, one});
    Value last = b.make("graph.sub", of.i64, {size, one});
    Value turned = b.make("graph.sub", of.i64, {last, range});
    Value turn = b.make("graph.gather", of.i1, {mask, place},
                        b.attribute("axis", int64_t(0)));
    Value from = b.make("graph.select", of.i64, {turn, turned, range});
    input = b.make("graph.gather", Binder::type(input), {input, from},
                   b.attribute("axis", d));
  }
  return input;
}

} // namespace tenon::tf
