//===- Shape.cpp - other shapes, and shapes as values ---------------------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/Rows.h"
#include "frontend/tensorflow/ops/Sequence.h"

using namespace mlir;

namespace tenon::tf {

namespace {
Type sizeType(Binder &b, StringRef attr) {
  return b.has(attr) ? b.elementType(attr) : Type(b.builder().getI32Type());
}

void importShape(Binder &b) {
  Type type = sizeType(b, "out_type");
  for (unsigned i = 0; i < b.inputCount(); ++i)
    b.set(i, b.make("graph.shape_of", type, b.input(i)));
}

/// Product of the sizes, a scalar.
void importSize(Binder &b) {
  Value input = b.input(0);
  Type type = sizeType(b, "out_type");
  if (b.failed())
    return;
  if (b.rank(input) == 0)
    return b.set(0, b.scalar(type, 1));
  Value sizes = b.make("graph.shape_of", type, input);
  b.set(0, b.make("graph.reduce_prod", type, sizes,
                  b.attribute("axes", ArrayRef<int64_t>{0})));
}

void importSqueeze(Binder &b) {
  SmallVector<int64_t> axes = b.integers(
      b.has("squeeze_dims") ? "squeeze_dims" : "axis", SmallVector<int64_t>());
  Value input = b.input(0);
  for (int64_t &axis : axes)
    axis = b.axis(axis, b.rank(input));
  // Sizes that are not known are taken not to be 1, which gives a known rank.
  SmallVector<int64_t> open;
  if (axes.empty())
    for (auto [i, size] : llvm::enumerate(b.dims(input)))
      if (!graph::ShapeContext::asConstant(size))
        open.push_back(i);
  if (!open.empty()) {
    Type i64 = b.builder().getI64Type();
    Value sizes = b.make(
        "graph.gather", i64,
        {b.make("graph.shape_of", i64, input), b.integersConstant(open, i64)},
        b.attribute("axis", int64_t(0)));
    expect(
        b, sizes, "graph.not_equal", b.scalar(i64, 1),
        "a dimension whose size was not known to the compiler is 1, expected "
        "another size: give it with --shape");
  }
  b.set(0, b.make("graph.squeeze", Binder::type(input), input,
                  b.attribute("axes", axes)));
}

void importTranspose(Binder &b) {
  if (!isKnown(b, 1))
    return b.set(0, transposeAtRun(b));
  Value input = b.input(0);
  SmallVector<int64_t> permutation = b.constants(1);
  if (int64_t(permutation.size()) != b.rank(input))
    b.fail("the permutation has " + llvm::Twine(permutation.size()) +
           " elements, the input " + llvm::Twine(b.rank(input)) +
           " dimensions");
  SmallVector<bool> seen(permutation.size());
  for (int64_t &axis : permutation) {
    axis = b.axis(axis, permutation.size());
    if (b.failed())
      return;
    if (seen[axis])
      return b.fail("the permutation names dimension " + llvm::Twine(axis) +
                    " twice");
    seen[axis] = true;
  }
  b.set(0, b.transpose(input, permutation));
}

void importConcat(Binder &b, unsigned axisInput, unsigned first,
                  unsigned count) {
  SmallVector<Value> parts = b.inputList(first, count);
  if (parts.empty())
    b.fail("expected at least one tensor");
  Type axisType = Binder::type(b.input(axisInput));
  if (axisType && !axisType.isInteger())
    b.fail("the axis is not an integer");
  if (b.failed())
    return;
  if (!isKnown(b, axisInput))
    return b.set(0, concatAtRun(b, parts, axisInput));
  int64_t axis = b.constant(axisInput);
  axis = b.axis(axis, b.rank(parts[0]));
  b.set(0, b.make("graph.concat", Binder::type(parts[0]), parts,
                  b.attribute("axis", axis)));
}

void importPack(Binder &b) {
  SmallVector<Value> parts = b.inputList(0);
  if (parts.empty())
    b.fail("expected at least one tensor");
  if (b.failed())
    return;
  int64_t axis = b.axis(b.integer("axis", 0), b.rank(parts[0]) + 1);
  b.set(0, b.make("graph.pack", Binder::type(parts[0]), parts,
                  b.attribute("axis", axis)));
}

/// Number of results from attribute `attr`: files may ask for any number.
int64_t partCount(Binder &b, StringRef attr) {
  int64_t count = b.integer(attr);
  if (count < 0 || count > 65536) {
    b.fail("impossible number of results: " + llvm::Twine(count));
    return 0;
  }
  return count;
}

void importUnpack(Binder &b) {
  Value input = b.input(0);
  int64_t count = partCount(b, "num");
  int64_t axis = b.axis(b.integer("axis", 0), b.rank(input));
  if (b.failed())
    return;
  SmallVector<Type> types(count, Binder::type(input));
  b.setAll(b.makeAll("graph.unpack", types, input, b.attribute("axis", axis)));
}

void split(Binder &b, Value input, int64_t axis, ArrayRef<int64_t> sizes) {
  int64_t count = partCount(b, "num_split");
  axis = b.axis(axis, b.rank(input));
  if (b.failed())
    return;
  if (count == 0 || (!sizes.empty() && int64_t(sizes.size()) != count))
    return b.fail("expected " + llvm::Twine(count) + " sizes");
  SmallVector<Type> types(count, Binder::type(input));
  SmallVector<NamedAttribute> attributes = {b.attribute("axis", axis)};
  if (!sizes.empty())
    attributes.push_back(b.attribute("sizes", sizes));
  b.setAll(b.makeAll("graph.split", types, input, attributes));
}

void importConcatOffset(Binder &b) {
  SmallVector<Value> shapes = b.inputList(1);
  if (shapes.empty())
    b.fail("expected at least one shape");
  if (b.failed())
    return;
  int64_t rank = b.staticDim(shapes[0], 0);
  Type type = Binder::type(shapes[0]);
  Value chosen;
  if (isKnown(b, 0)) {
    int64_t axis = b.axis(b.constant(0), rank);
    SmallVector<int64_t> mask(rank, 0);
    if (!b.failed() && rank)
      mask[axis] = 1;
    chosen = b.integersConstant(mask, type);
  } else {
    SmallVector<int64_t> numbers(rank);
    std::iota(numbers.begin(), numbers.end(), 0);
    Type i32 = b.builder().getI32Type();
    chosen = b.cast(b.make("graph.equal", b.builder().getI1Type(),
                           {b.integersConstant(numbers, i32), b.input(0)}),
                    type);
  }
  Value offset = b.integersConstant(SmallVector<int64_t>(rank, 0), type);
  for (auto [i, shape] : llvm::enumerate(shapes)) {
    b.set(i, offset);
    offset = b.make("graph.add", type,
                    {offset, b.make("graph.mul", type, {shape, chosen})});
  }
}

/// Whether a value is given to the program, rather than computed by it.
bool isFed(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && isa<func::FuncOp>(argument.getOwner()->getParentOp());
}

/// Two vectors of sizes with as many ones before them as makes them equally
/// long.
std::array<Value, 2> equallyLong(Binder &b, std::array<Value, 2> sizes) {
  Type i64 = b.builder().getI64Type(), type = Binder::type(sizes[0]);
  std::array<Value, 2> result, counts;
  for (int i : {0, 1})
    counts[i] = b.make("graph.shape_of", i64, sizes[i]);
  for (int i : {0, 1}) {
    Value missing =
        b.make("graph.maximum", i64,
               {b.make("graph.sub", i64, {counts[1 - i], counts[i]}),
                b.scalar(i64, 0)});
    Value ones = b.make("graph.fill", type, {missing, b.scalar(type, 1)});
    result[i] = b.make("graph.concat", type, {ones, sizes[i]},
                       b.attribute("axis", int64_t(0)));
  }
  return result;
}

void expectBroadcast(Binder &b, std::array<Value, 2> sizes) {
  Type i1 = b.builder().getI1Type();
  auto equal = [&](Value x, Value y) {
    return b.make("graph.equal", i1, {x, y});
  };
  auto either = [&](Value x, Value y) {
    return b.make("graph.or", i1, {x, y});
  };
  Value one = b.scalar(Binder::type(sizes[0]), 1);
  expect(b,
         either(either(equal(sizes[0], one), equal(sizes[1], one)),
                equal(sizes[0], sizes[1])),
         "the shapes do not broadcast to each other");
}

/// The axes below for sizes that are fed.
void broadcastAxesAtRun(Binder &b, std::array<Value, 2> inputs) {
  Type type = Binder::type(inputs[0]), i1 = b.builder().getI1Type(),
       i64 = b.builder().getI64Type();
  auto sizes = equallyLong(b, inputs);
  auto all = [&](Value x, Value y) {
    return b.make("graph.reduce_all", i1, b.make("graph.equal", i1, {x, y}),
                  b.attribute("axes", ArrayRef<int64_t>{0}));
  };
  if (isFed(inputs[0]) || isFed(inputs[1]))
    expectBroadcast(b, sizes);
  // Equal shapes need no sum at all.
  Value same = b.make(
      "graph.and", i1,
      {all(sizes[0], sizes[1]), all(b.make("graph.shape_of", i64, inputs[0]),
                                    b.make("graph.shape_of", i64, inputs[1]))});
  Value summed = b.make("graph.not", i1, same);
  for (int i = 0; i < 2; ++i) {
    Value single = b.make("graph.equal", i1, {sizes[i], b.scalar(type, 1)});
    Value places =
        b.make("graph.nonzero", i64, b.make("graph.and", i1, {single, summed}));
    Value axes = b.cast(b.make("graph.squeeze", Binder::type(places), places,
                               b.attribute("axes", ArrayRef<int64_t>{1})),
                        type);
    if (axes)
      axes.getDefiningOp()->setAttr(kBroadcastAxes, b.builder().getUnitAttr());
    b.set(i, axes);
  }
}

/// The shape of tensors of two shapes broadcast to each other.
void importBroadcastArgs(Binder &b) {
  std::array<Value, 2> inputs = {b.input(0), b.input(1)};
  bool known = true;
  for (Value input : inputs) {
    if (input && b.rank(input) != 1)
      b.fail("expected vectors");
    known &= b.failed() || graph::ShapeContext::asConstant(b.dims(input)[0]);
  }
  if (b.failed())
    return;
  Type type = Binder::type(inputs[0]);
  if (known)
    return b.set(0, b.make("graph.broadcast_args", type, inputs));
  auto sizes = equallyLong(b, inputs);
  expectBroadcast(b, sizes);
  Value isOne = b.make("graph.equal", b.builder().getI1Type(),
                       {sizes[0], b.scalar(type, 1)});
  b.set(0, b.make("graph.select", type, {isOne, sizes[1], sizes[0]}));
}

/// The axes over which the gradients of broadcast operands are summed.
void importBroadcastGradientArgs(Binder &b) {
  std::array<Value, 2> inputs = {b.input(0), b.input(1)};
  graph::Dims shapes[2];
  SmallVector<int64_t> axes[2];
  for (int i = 0; i < 2; ++i) {
    if (inputs[i] && b.rank(inputs[i]) != 1)
      b.fail("expected vectors");
    if (b.failed())
      return;
    auto count = graph::ShapeContext::asConstant(b.dims(inputs[i])[0]);
    if (!count)
      return broadcastAxesAtRun(b, inputs);
    auto contents = b.shapes().contents(inputs[i]);
    shapes[i] =
        contents ? graph::Dims(*contents) : graph::Dims(*count, AffineExpr());
  }
  int64_t counts[2] = {int64_t(shapes[0].size()), int64_t(shapes[1].size())};
  if (isFed(inputs[0]) || isFed(inputs[1]))
    return broadcastAxesAtRun(b, inputs);
  int64_t rank = std::max(counts[0], counts[1]);
  // Where one size may be 1 and the other not only the run knows.
  for (int64_t back = 1; back <= std::min(counts[0], counts[1]); ++back) {
    AffineExpr sizes[2] = {shapes[0][counts[0] - back],
                           shapes[1][counts[1] - back]};
    std::optional<int64_t> known[2];
    for (int i = 0; i < 2; ++i)
      known[i] = graph::ShapeContext::asConstant(sizes[i]);
    bool same = sizes[0] && sizes[0] == sizes[1];
    if (!same && !(known[0] && known[1]) && known[0] != 1 && known[1] != 1)
      return broadcastAxesAtRun(b, inputs);
  }
  // Equal shapes need no sum at all.
  bool equal =
      shapes[0] == shapes[1] && !llvm::is_contained(shapes[0], AffineExpr());
  AffineExpr one = b.shapes().constant(1);
  for (auto &shape : shapes)
    shape.insert(shape.begin(), rank - shape.size(), one);
  for (int64_t axis = 0; axis < rank; ++axis) {
    AffineExpr sizes[2] = {shapes[0][axis], shapes[1][axis]};
    std::optional<int64_t> known[2];
    for (int i = 0; i < 2; ++i)
      known[i] = graph::ShapeContext::asConstant(sizes[i]);
    if (known[0] && known[1] && *known[0] != *known[1] && *known[0] != 1 &&
        *known[1] != 1)
      return b.fail("shapes do not broadcast: sizes " + llvm::Twine(*known[0]) +
                    " and " + llvm::Twine(*known[1]));
    for (int i = 0; i < 2; ++i)
      if (known[i] == 1)
        axes[i].push_back(axis);
  }
  for (int i = 0; i < 2; ++i)
    b.set(i, b.integersConstant(equal ? SmallVector<int64_t>() : axes[i],
                                Binder::type(inputs[0])));
}

/// `value` in the shape of the input.
Row like(double value) {
  return [value](Binder &b) {
    if (value == 0 && importListZeros(b))
      return;
    Value input = b.input(0);
    Type type = Binder::type(input);
    Value sizes = b.make("graph.shape_of", b.builder().getI32Type(), input);
    b.set(0, b.make("graph.fill", type, {sizes, b.scalar(type, value)}));
  };
}

/// Steps lead from the start to the limit.
void importRange(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 3);
  if (b.failed())
    return;
  Type i1 = b.builder().getI1Type(), type = Binder::type(in[0]);
  if (!isKnown(b, 0) || !isKnown(b, 1) || !isKnown(b, 2)) {
    Value up = b.make("graph.less_equal", i1, {in[0], in[1]}),
          down = b.make("graph.less_equal", i1, {in[1], in[0]}),
          rises = b.make("graph.less", i1, {b.scalar(type, 0), in[2]});
    expect(b, b.make("graph.select", i1, {rises, up, down}),
           "delta leads away from the limit");
  } else if (type.isSignlessInteger()) {
    int64_t start = b.constant(0), limit = b.constant(1), delta = b.constant(2);
    if ((delta > 0 && start > limit) || (delta < 0 && start < limit))
      return b.fail("delta leads away from the limit: from " +
                    llvm::Twine(start) + " to " + llvm::Twine(limit) + " by " +
                    llvm::Twine(delta));
  }
  b.set(0, b.make("graph.range", type, in));
}

void importLinSpace(Binder &b) {
  Value start = b.input(0), stop = b.input(1), number = b.input(2);
  if (b.failed())
    return;
  Type type = Binder::type(start), i64 = b.builder().getI64Type();
  Value count = b.cast(number, i64), one = b.scalar(i64, 1);
  if (isKnown(b, 2)) {
    int64_t known = b.constant(2);
    if (known <= 0 || known > (1 << 24))
      return b.fail("impossible number of elements: " + llvm::Twine(known));
  } else {
    expect(b, one, "graph.less_equal", count, "expected at least one element");
  }
  Value steps = b.make("graph.range", i64, {b.scalar(i64, 0), count, one});
  Value gaps = b.make("graph.maximum", i64,
                      {b.make("graph.sub", i64, {count, one}), one});
  Value step =
      b.make("graph.div", type,
             {b.make("graph.sub", type, {stop, start}), b.cast(gaps, type)});
  Value offsets = b.make("graph.mul", type, {b.cast(steps, type), step});
  Value numbers = b.make("graph.add", type, {start, offsets});
  // The last number is exact, unless it is the first one.
  Value isLast = b.make("graph.equal", b.builder().getI1Type(), {steps, gaps});
  b.set(0, b.make("graph.select", type, {isLast, stop, numbers}));
}

void importEnsureShape(Binder &b) {
  std::optional<SmallVector<int64_t>> shape = b.shape("shape");
  if (std::optional<Value> parsed = parsedTensor(b, 0, shape))
    return b.set(0, *parsed);
  Value input = b.input(0);
  if (!shape)
    return b.set(0, input);
  if (int64_t(shape->size()) != b.rank(input))
    b.fail("expected a tensor of " + llvm::Twine(shape->size()) +
           " dimensions");
  b.set(0, b.make("graph.ensure_shape", Binder::type(input), input,
                  b.attribute("shape", *shape)));
}

/// Complex numbers are read as two floats in a last dimension of their own.
void importBitcast(Binder &b) {
  Value value = b.input(0);
  Type type = b.elementType("type");
  if (b.failed())
    return;
  auto from = dyn_cast<ComplexType>(Binder::type(value)),
       to = dyn_cast<ComplexType>(type);
  if (from == to && (from || type == Binder::type(value)))
    return b.set(0, value);
  auto last = b.attribute("axis", int64_t(-1));
  Type part = from ? from.getElementType() : Type();
  if (from)
    value = b.make(
        "graph.pack", part,
        {b.make("graph.real", part, value), b.make("graph.imag", part, value)},
        last);
  if (b.failed())
    return;
  Type target = to ? to.getElementType() : type;
  int64_t width = Binder::type(value).getIntOrFloatBitWidth(),
          newWidth = target.getIntOrFloatBitWidth();
  // A last dimension for the two parts, and one for what they are made of.
  if (to && !from && width < newWidth) {
    if (b.rank(value) == 0)
      return b.fail("a scalar has no last dimension");
    SmallVector<int64_t> wanted(b.rank(value), -1);
    wanted.back() = 2 * newWidth / width;
    value = b.make("graph.ensure_shape", Binder::type(value), value,
                   b.attribute("shape", wanted));
    if (b.failed())
      return;
    graph::Dims dims(b.dims(value));
    dims.back() = b.shapes().constant(2);
    dims.push_back(b.shapes().constant(newWidth / width));
    value = b.reshape(value, dims);
  }
  if (Binder::type(value) != target)
    value = b.make("graph.bitcast", target, value);
  if (b.failed())
    return;
  graph::Dims dims(b.dims(value));
  if (from && !to && newWidth < width) {
    dims.pop_back();
    dims.back() = b.shapes().constant(2 * width / newWidth);
    return b.set(0, b.reshape(value, dims));
  }
  if (!to)
    return b.set(0, value);
  if (dims.empty() ||
      graph::ShapeContext::asConstant(dims.back()).value_or(2) != 2)
    return b.fail("expected a last dimension of 2");
  Type i32 = b.builder().getI32Type();
  auto at = [&](int64_t i) {
    return b.make("graph.gather", target, {value, b.scalar(i32, double(i))},
                  b.attribute("axis", int64_t(dims.size()) - 1));
  };
  b.set(0, b.make("graph.complex", to, {at(0), at(1)}));
}

/// Which letter of `from` stands at each place of `to`.
SmallVector<int64_t> placesOf(Binder &b, StringRef from, StringRef to) {
  SmallVector<int64_t> places;
  for (char letter : to)
    places.push_back(from.find(letter));
  if (from.size() != to.size() || llvm::is_contained(places, -1))
    b.fail("'" + from + "' and '" + to + "' have other dimensions");
  return places;
}

/// Elements per dimension in another order; vectors of two are those of the
/// spatial dimensions.
void importFormatPermute(Binder &b) {
  Value input = b.input(0);
  std::string from = b.text("src_format", "NHWC"),
              to = b.text("dst_format", "NCHW");
  if (b.failed())
    return;
  auto length = b.rank(input) < 1
                    ? std::nullopt
                    : graph::ShapeContext::asConstant(b.dims(input)[0]);
  if (!length)
    return b.fail("the number of its dimensions must be known");
  if (*length != int64_t(from.size()))
    for (std::string *format : {&from, &to})
      llvm::erase_if(*format, [](char c) { return c == 'N' || c == 'C'; });
  SmallVector<int64_t> places = placesOf(b, from, to);
  if (!b.failed() && *length != int64_t(places.size()))
    b.fail("expected a vector of " + llvm::Twine(places.size()) + " elements");
  b.set(0, b.make("graph.gather", Binder::type(input),
                  {input, b.integersConstant(places, b.builder().getI32Type())},
                  b.attribute("axis", int64_t(0))));
}

/// The number that a dimension has in another order.
void importFormatDimMap(Binder &b) {
  Value input = b.input(0);
  SmallVector<int64_t> places =
      placesOf(b, b.text("dst_format", "NCHW"), b.text("src_format", "NHWC"));
  if (b.failed())
    return;
  Type type = Binder::type(input);
  Value index = b.make("graph.floor_mod", type,
                       {input, b.scalar(type, double(places.size()))});
  b.set(0,
        b.make("graph.gather", type, {b.integersConstant(places, type), index},
               b.attribute("axis", int64_t(0))));
}

/// An op of the first input's type over `count` inputs.
Row plain(StringRef op, unsigned count) {
  return [op, count](Binder &b) {
    SmallVector<Value> inputs = b.inputList(0, count);
    b.set(0, b.make(op, Binder::type(inputs.empty() ? Value() : inputs[0]),
                    inputs));
  };
}
} // namespace

void addShapeRows(RowTable &table) {
  table["Shape"] = table["ShapeN"] = importShape;
  table["Size"] = importSize;
  table["Rank"] = [](Binder &b) {
    Value input = b.input(0);
    b.set(0, b.scalar(b.builder().getI32Type(), double(b.rank(input))));
  };
  table["Reshape"] = [](Binder &b) {
    std::optional<Value> parsed = parsedElements(b, 0);
    Value input = parsed ? *parsed : b.input(0);
    b.set(0, b.make("graph.reshape", Binder::type(input), {input, b.input(1)}));
  };
  table["BroadcastTo"] = plain("graph.broadcast_to", 2);
  table["BroadcastArgs"] = importBroadcastArgs;
  table["Tile"] = [](Binder &b) {
    Value input = b.input(0), multiples = sizedInput(b, 1, b.rank(input));
    b.set(0, b.make("graph.tile", Binder::type(input), {input, multiples}));
  };
  table["Range"] = importRange;
  table["BroadcastGradientArgs"] = importBroadcastGradientArgs;
  table["InvertPermutation"] = plain("graph.invert_permutation", 1);
  table["Squeeze"] = importSqueeze;
  table["Transpose"] = importTranspose;
  table["ConjugateTranspose"] = [](Binder &b) {
    importTranspose(b);
    if (!b.failed()) {
      Value value = b.results[0].tensor;
      if (isa<ComplexType>(Binder::type(value)))
        b.set(0, b.make("graph.conj", Binder::type(value), value));
    }
  };
  table["ExpandDims"] = [](Binder &b) {
    if (!isKnown(b, 1))
      return b.set(0, expandDimsAtRun(b));
    Value input = b.input(0);
    int64_t axis = b.axis(b.constant(1), b.rank(input) + 1);
    b.set(0, b.make("graph.expand_dims", Binder::type(input), input,
                    b.attribute("axes", ArrayRef<int64_t>(axis))));
  };
  table["ParallelConcat"] = [](Binder &b) {
    SmallVector<Value> parts = b.inputList(0);
    if (!b.failed())
      b.set(0, b.make("graph.concat", Binder::type(parts[0]), parts,
                      b.attribute("axis", int64_t(0))));
  };
  table["ConcatV2"] = [](Binder &b) {
    unsigned parts = b.inputCount() ? b.inputCount() - 1 : 0;
    importConcat(b, parts, 0, parts);
  };
  table["Concat"] = [](Binder &b) {
    importConcat(b, 0, 1, b.inputCount() ? b.inputCount() - 1 : 0);
  };
  table["ConcatOffset"] = importConcatOffset;
  table["Pack"] = importPack;
  table["Unpack"] = importUnpack;
  table["Split"] = [](Binder &b) {
    if (!isKnown(b, 0))
      return splitAtRun(b, b.input(1), 0, partCount(b, "num_split"));
    split(b, b.input(1), b.constant(0), {});
  };
  table["SplitV"] = [](Binder &b) {
    Value input = b.input(0);
    if (!isKnown(b, 1) || !isKnown(b, 2))
      return splitBySizes(b, input, partCount(b, "num_split"));
    split(b, input, b.constant(2), b.constants(1));
  };
  table["Fill"] = [](Binder &b) {
    Value sizes = b.input(0), value = b.input(1);
    b.set(0, b.make("graph.fill", Binder::type(value), {sizes, value}));
  };
  table["Empty"] = [](Binder &b) {
    Type type = b.elementType("dtype");
    b.set(0, b.make("graph.fill", type, {b.input(0), b.scalar(type, 0)}));
  };
  table["ZerosLike"] = like(0);
  table["OnesLike"] = like(1);
  table["LinSpace"] = importLinSpace;
  table["EnsureShape"] = importEnsureShape;
  table["DataFormatVecPermute"] = importFormatPermute;
  table["DataFormatDimMap"] = importFormatDimMap;
  table["Bitcast"] = importBitcast;
}

} // namespace tenon::tf
