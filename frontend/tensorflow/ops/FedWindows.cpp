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

/// What a window covers at each place: [batch, places..., window..., channels].
struct Patches {
  Value value;
  Formula places; // how many in each spatial dimension
};

/// Of `input`, whose channels are last. `around` has the explicit paddings.
Patches gatherPatches(Numbers &n, const Layout &layout, Value input,
                      const Formula &kernel, const Formula &stride,
                      const Formula &dilation, StringRef padding,
                      ArrayRef<int64_t> around, Value filler) {
  Binder &b = n.b;
  Type type = Binder::type(input);
  int64_t count = layout.spatialCount();
  Formula sizes = n.part(n.sizes(input), 1, count + 1);
  Formula extent = (kernel - n.number(1)) * dilation + n.number(1);
  Formula low = n.vector(SmallVector<int64_t>(count, 0)), high = low, out = low;
  if (padding == "SAME") {
    out = n.quotient(sizes + stride - n.number(1), stride);
    Formula total =
        maximum((out - n.number(1)) * stride + extent - sizes, n.number(0));
    low = n.quotient(total, n.number(2));
    high = total - low;
  } else {
    if (padding == "EXPLICIT") {
      SmallVector<int64_t> before, after;
      for (int64_t i = 0; i < count; ++i) {
        before.push_back(around[2 * (layout.firstSpatial() + i)]);
        after.push_back(around[2 * (layout.firstSpatial() + i) + 1]);
      }
      low = n.vector(before);
      high = n.vector(after);
    }
    Formula rest = sizes + low + high - extent;
    expect(b, n.number(0) <= rest + stride,
           "the window is larger than the operand");
    out = maximum(n.quotient(rest + stride, stride), n.number(0));
  }
  auto widths = [&](const Formula &side) {
    Value parts[] = {n.vector({0}), side, n.vector({0})};
    return n.joined(parts);
  };
  Value sides[] = {widths(low), widths(high)};
  Value paddings = b.make("graph.pack", n.i64, ValueRange(sides),
                          b.attribute("axis", int64_t(1)));
  Value patches = b.make("graph.pad", type, {input, paddings, filler});
  // Places [out, window] in each spatial dimension.
  for (int64_t i = 0; i < count; ++i) {
    auto at = [&](const Formula &vector) {
      return n.gathered(vector, n.number(i));
    };
    Formula places =
        n.reshaped(n.below(at(out)) * at(stride), n.vector({-1, 1})) +
        n.below(at(kernel)) * at(dilation);
    patches = n.gathered(patches, places, 2 * i + 1);
  }
  SmallVector<int64_t> order = {0};
  for (int64_t i = 0; i < count; ++i)
    order.push_back(2 * i + 1);
  for (int64_t i = 0; i < count; ++i)
    order.push_back(2 * i + 2);
  order.push_back(2 * count + 1);
  return {b.transpose(patches, order), out};
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
  std::string padding = b.text("padding", {});
  if (padding == "EXPLICIT")
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
  Patches patches =
      gatherPatches(n, layout, b.transpose(input, orders.last), kernel, stride,
                    n.vector(SmallVector<int64_t>(count, 1)), padding, {},
                    b.scalar(type, least));
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
  SmallVector<int64_t> strides = spatialPart(b, layout, b.integers("strides"),
                                             "strides"),
                       dilations = spatialPart(
                           b, layout,
                           b.integers("dilations",
                                      SmallVector<int64_t>(layout.rank, 1)),
                           "dilations"),
                       around;
  std::string padding = b.text("padding", {});
  if (padding == "EXPLICIT")
    around = b.integers("explicit_paddings", SmallVector<int64_t>());
  if (padding == "EXPLICIT" && int64_t(around.size()) != 2 * layout.rank)
    b.fail("expected " + llvm::Twine(2 * layout.rank) + " explicit paddings");
  if (b.failed())
    return {};
  Type type = Binder::type(input);
  Numbers n(b);
  Orders orders(layout);
  Value patches = b.transpose(input, orders.last);
  if (depthwise)
    expectSize(b, patches, layout.rank - 1, filter, layout.rank - 2,
               "the operand's channels are not the filter's");
  Formula kernel = n.part(n.sizes(filter), 0, count);
  Patches gathered =
      gatherPatches(n, layout, patches, kernel, n.vector(strides),
                    n.vector(dilations), padding, around, b.scalar(type, 0));
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

} // namespace tenon::tf
