//===- FedWindows.cpp - windows that only the run knows -------------------===//

#include "frontend/tensorflow/ops/FedWindows.h"
#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/Numbers.h"

using namespace mlir;

namespace tenon::tf {

bool hasFedWindow(Binder &b, Value filter) {
  return !b.failed() &&
         llvm::any_of(b.dims(filter).drop_back(2), [](AffineExpr size) {
           return !graph::ShapeContext::asConstant(size);
         });
}

namespace {
/// Orders of dimensions that move the channels to the end, and back.
struct Orders {
  SmallVector<int64_t> last, first;
  explicit Orders(const Layout &layout) {
    for (int64_t i = 0; i < layout.rank; ++i) {
      last.push_back(!layout.channelsFirst || !i ? i
                     : i + 1 < layout.rank       ? i + 1
                                                 : 1);
      first.push_back(!layout.channelsFirst || !i ? i
                      : i == 1                    ? layout.rank - 1
                                                  : i - 1);
    }
  }
};

/// How a window moves.
struct Movement {
  Formula strides, dilations;
  std::string padding;
  SmallVector<int64_t> around; // explicit paddings
};

Movement readMovement(Numbers &n, const Layout &layout) {
  Binder &b = n.b;
  SmallVector<int64_t> ones(layout.rank, 1), around;
  SmallVector<int64_t> strides =
      spatialPart(b, layout, b.integers("strides"), "strides");
  SmallVector<int64_t> dilations =
      spatialPart(b, layout, b.integers("dilations", ones), "dilations");
  std::string padding = b.text("padding", {});
  if (padding == "EXPLICIT")
    around = b.integers("explicit_paddings", SmallVector<int64_t>());
  if (padding == "EXPLICIT" && int64_t(around.size()) != 2 * layout.rank)
    b.fail("expected " + llvm::Twine(2 * layout.rank) + " explicit paddings");
  if (b.failed())
    return {Formula(b, Value()), Formula(b, Value()), padding, around};
  return {n.vector(strides), n.vector(dilations), padding, around};
}

/// Of each spatial dimension: how many places a window has, and what is added
/// on both sides.
struct Span {
  Formula places, low, high;
};

Span spanOf(Numbers &n, const Layout &layout, const Formula &sizes,
            const Formula &kernel, const Movement &move) {
  int64_t count = layout.spatialCount();
  const Formula &stride = move.strides;
  Formula extent = (kernel - n.number(1)) * move.dilations + n.number(1);
  Formula low = n.vector(SmallVector<int64_t>(count, 0)), high = low;
  if (move.padding == "SAME") {
    Formula out = n.quotient(sizes + stride - n.number(1), stride);
    Formula total =
        maximum((out - n.number(1)) * stride + extent - sizes, n.number(0));
    low = n.quotient(total, n.number(2));
    return {out, low, total - low};
  }
  if (move.padding == "EXPLICIT") {
    SmallVector<int64_t> before, after;
    for (int64_t i = 0; i < count; ++i) {
      before.push_back(move.around[2 * (layout.firstSpatial() + i)]);
      after.push_back(move.around[2 * (layout.firstSpatial() + i) + 1]);
    }
    low = n.vector(before);
    high = n.vector(after);
  }
  Formula rest = sizes + low + high - extent;
  expect(n.b, n.number(0) <= rest + stride,
         "the window is larger than the operand");
  return {maximum(n.quotient(rest + stride, stride), n.number(0)), low, high};
}

/// Of a gradient whose channels are last.
void checkPlaces(Numbers &n, const Formula &places, Value grad, int64_t count) {
  n.check(n.equal(places, n.part(n.sizes(grad), 1, count + 1)),
          "the gradient's sizes are not those of the convolution");
}

/// What a window covers at each place: [batch, places..., window..., channels].
struct Patches {
  Value value;
  Formula places; // how many in each spatial dimension
};

/// Of `input`, whose channels are last.
Patches gatherPatches(Numbers &n, const Layout &layout, Value input,
                      const Formula &kernel, const Movement &move,
                      Value filler) {
  Binder &b = n.b;
  Type type = Binder::type(input);
  int64_t count = layout.spatialCount();
  Span span =
      spanOf(n, layout, n.part(n.sizes(input), 1, count + 1), kernel, move);
  auto widths = [&](const Formula &side) {
    Value parts[] = {n.vector({0}), side, n.vector({0})};
    return n.joined(parts);
  };
  Value sides[] = {widths(span.low), widths(span.high)};
  Value paddings = b.make("graph.pack", n.i64, ValueRange(sides),
                          b.attribute("axis", int64_t(1)));
  Value patches = b.make("graph.pad", type, {input, paddings, filler});
  // Places [out, window] in each spatial dimension.
  for (int64_t i = 0; i < count; ++i) {
    auto at = [&](const Formula &vector) {
      return n.gathered(vector, n.number(i));
    };
    Formula places = n.reshaped(n.below(at(span.places)) * at(move.strides),
                                n.vector({-1, 1})) +
                     n.below(at(kernel)) * at(move.dilations);
    patches = n.gathered(patches, places, 2 * i + 1);
  }
  SmallVector<int64_t> order = {0};
  for (int64_t i = 0; i < count; ++i)
    order.push_back(2 * i + 1);
  for (int64_t i = 0; i < count; ++i)
    order.push_back(2 * i + 2);
  order.push_back(2 * count + 1);
  return {b.transpose(patches, order), span.places};
}
} // namespace

Value maxPoolAtRun(Binder &b, const Layout &layout) {
  Value input = b.input(0);
  if (b.failed())
    return {};
  Numbers n(b);
  int64_t count = layout.spatialCount();
  auto spatial = [&](unsigned i, const char *message) {
    Formula all(b, sizedInput(b, i, layout.rank));
    all = all.cast(n.i64);
    Value outer[] = {n.part(all, 0, 1), n.part(all, layout.channelAxis(),
                                               layout.channelAxis() + 1)};
    n.check(n.equal(n.joined(outer), n.number(1)), message);
    Formula part =
        n.part(all, layout.firstSpatial(), layout.firstSpatial() + count);
    n.check(part > 0.0, "a window or stride is not positive");
    return maximum(part, n.number(1));
  };
  Formula kernel = spatial(1, "windows over batch or channels that only the "
                              "run knows are not supported"),
          stride = spatial(2, "strides over batch or channels are not 1");
  Movement move{stride,
                n.vector(SmallVector<int64_t>(count, 1)),
                b.text("padding", {}),
                {}};
  if (move.padding == "EXPLICIT")
    b.fail("explicit padding is not supported where only the run knows the "
           "window");
  if (b.failed())
    return {};
  Type type = Binder::type(input);
  double least = -std::numeric_limits<double>::infinity();
  if (type.isInteger())
    least = type.isUnsignedInteger()
                ? 0.0
                : -std::ldexp(1.0, int(type.getIntOrFloatBitWidth()) - 1);
  Orders orders(layout);
  Patches patches = gatherPatches(n, layout, b.transpose(input, orders.last),
                                  kernel, move, b.scalar(type, least));
  SmallVector<int64_t> windows;
  for (int64_t i = 0; i < count; ++i)
    windows.push_back(1 + count + i);
  return b.transpose(b.make("graph.reduce_max", type, patches.value,
                            b.attribute("axes", windows)),
                     orders.first);
}

Value convolutionAtRun(Binder &b, const Layout &layout, bool depthwise) {
  Value input = b.input(0), filter = b.input(1);
  int64_t count = layout.spatialCount();
  Numbers n(b);
  Movement move = readMovement(n, layout);
  if (b.failed())
    return {};
  Type type = Binder::type(input);
  Orders orders(layout);
  Value patches = b.transpose(input, orders.last);
  if (depthwise)
    expectSize(b, patches, layout.rank - 1, filter, layout.rank - 2,
               "the operand's channels are not the filter's");
  Formula kernel = n.part(n.sizes(filter), 0, count);
  Patches gathered =
      gatherPatches(n, layout, patches, kernel, move, b.scalar(type, 0));
  patches = gathered.value;
  const Formula &out = gathered.places;
  Formula batch = n.part(n.sizes(patches), 0, 1);
  Formula window = n.product(kernel), places = n.product(out);
  Formula channels = n.size(filter, layout.rank - 2),
          results = n.size(filter, layout.rank - 1);
  Formula rows = n.gathered(batch, n.number(0)) * places;
  Value product;
  if (depthwise) {
    Value shape[] = {rows, window, channels, n.number(1)},
          of[] = {n.number(1), window, channels, results};
    product = b.make("graph.mul", type,
                     {n.reshaped(patches, n.packed(shape)),
                      n.reshaped(filter, n.packed(of))});
    product = b.make("graph.reduce_sum", type, product,
                     b.attribute("axes", ArrayRef<int64_t>{1}));
    results = channels * results;
  } else {
    // Groups of channels have filters of their own.
    Formula all = n.size(patches, 2 * count + 1),
            groups = n.quotient(all, maximum(channels, n.number(1))),
            each = n.quotient(results, maximum(groups, n.number(1)));
    expect(b, n.equal(groups * channels, all) & n.equal(groups * each, results),
           "the operand's channels are not the filter's");
    Value shape[] = {rows, window, groups, channels},
          joined[] = {groups, rows, window * channels},
          of[] = {window * channels, groups, each};
    Value lhs = b.transpose(n.reshaped(patches, n.packed(shape)), {2, 0, 1, 3});
    product =
        b.make("graph.matmul", type,
               {n.reshaped(lhs, n.packed(joined)),
                b.transpose(n.reshaped(filter, n.packed(of)), {1, 0, 2})});
    product = b.transpose(product, {1, 0, 2});
  }
  Value whole[] = {batch, out, n.reshaped(results, n.vector({1}))};
  return b.transpose(n.reshaped(product, n.joined(whole)), orders.first);
}

Value filterGradientAtRun(Binder &b, const Layout &layout) {
  Numbers n(b);
  Movement move = readMovement(n, layout);
  Value input = b.input(0), grad = b.input(2),
        given = sizedInput(b, 1, layout.rank);
  if (b.failed())
    return {};
  int64_t count = layout.spatialCount();
  Formula sizes(b, b.cast(given, n.i64));
  Type type = Binder::type(input);
  Orders orders(layout);
  Patches patches =
      gatherPatches(n, layout, b.transpose(input, orders.last),
                    n.part(sizes, 0, count), move, b.scalar(type, 0));
  grad = b.transpose(grad, orders.last);
  checkPlaces(n, patches.places, grad, count);
  Value channels[] = {n.size(patches.value, 2 * count + 1),
                      n.size(grad, count + 1)};
  n.check(n.equal(n.packed(channels), n.part(sizes, count, count + 2)),
          "filter sizes that only the run knows must have the channels of the "
          "operands");
  Formula places = n.size(grad, 0) * n.product(patches.places),
          window = n.product(n.part(sizes, 0, count + 1));
  Value left[] = {places, window}, right[] = {places, channels[1]};
  Value product =
      b.make("graph.matmul", type,
             {b.transpose(n.reshaped(patches.value, n.packed(left)), {1, 0}),
              n.reshaped(grad, n.packed(right))});
  return n.reshaped(product, sizes);
}

Value inputGradientAtRun(Binder &b, const Layout &layout) {
  Numbers n(b);
  Movement move = readMovement(n, layout);
  Value filter = b.input(1), grad = b.input(2),
        given = sizedInput(b, 0, layout.rank);
  if (b.failed())
    return {};
  int64_t count = layout.spatialCount();
  Type type = Binder::type(grad), wide = type;
  if (type.isF16() || type.isBF16())
    wide = b.builder().getF32Type();
  Formula sizes(b, b.cast(given, n.i64));
  Formula space = n.part(sizes, layout.firstSpatial(),
                         layout.firstSpatial() + count),
          kernel = n.part(n.sizes(filter), 0, count);
  Span span = spanOf(n, layout, space, kernel, move);
  Orders orders(layout);
  grad = b.cast(b.transpose(grad, orders.last), wide);
  checkPlaces(n, span.places, grad, count);
  Formula batch = n.size(grad, 0), channels = n.size(filter, count),
          results = n.size(filter, count + 1);
  Value mine[] = {batch, channels, results},
        its[] = {n.gathered(sizes, n.number(0)),
                 n.gathered(sizes, n.number(layout.channelAxis())),
                 n.size(grad, count + 1)};
  n.check(n.equal(n.packed(mine), n.packed(its)),
          "the batch or channels of the sizes, the filter and the gradient "
          "do not fit each other");
  // What each place gives to each element of its window, added where that is.
  Value left[] = {batch * n.product(span.places), results},
        right[] = {n.product(kernel) * channels, results};
  Value parts = b.make(
      "graph.matmul", wide,
      {n.reshaped(grad, n.packed(left)),
       b.transpose(n.reshaped(b.cast(filter, wide), n.packed(right)), {1, 0})});
  Value apart[] = {n.reshaped(batch, n.vector({1})), span.places, kernel,
                   n.reshaped(channels, n.vector({1}))};
  parts = n.reshaped(parts, n.joined(apart));
  SmallVector<int64_t> order, back = {count};
  for (int64_t i = 1; i <= 2 * count; ++i)
    order.push_back(i);
  order.push_back(0);
  order.push_back(2 * count + 1);
  Value flat[] = {n.product(span.places) * n.product(kernel), batch * channels};
  parts = n.reshaped(b.transpose(parts, order), n.packed(flat));
  Formula ids = n.number(0), inside(b, Value());
  for (int64_t i = 0; i < count; ++i) {
    auto at = [&](const Formula &vector) {
      return n.gathered(vector, n.number(i));
    };
    SmallVector<int64_t> along(2 * count, 1), across(2 * count, 1);
    along[i] = -1;
    across[count + i] = -1;
    Formula place =
        n.reshaped(n.below(at(span.places)) * at(move.strides) - at(span.low),
                   n.vector(along)) +
        n.reshaped(n.below(at(kernel)) * at(move.dilations), n.vector(across));
    Formula good = (n.number(0) <= place) & (place < at(space));
    inside = i ? inside & good : good;
    ids = ids * at(space) + place;
    back.push_back(i);
  }
  ids = n.reshaped(select(inside, ids, n.number(-1)), n.vector({-1}));
  Value sum = b.make("graph.segment", wide, {parts, ids, n.product(space)},
                     b.textAttribute("mode", "sum"));
  Value whole[] = {space, n.reshaped(batch, n.vector({1})),
                   n.reshaped(channels, n.vector({1}))};
  back.push_back(count + 1);
  sum = b.transpose(n.reshaped(sum, n.joined(whole)), back);
  return b.cast(b.transpose(sum, orders.first), type);
}

} // namespace tenon::tf
