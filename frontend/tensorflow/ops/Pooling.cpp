//===- Pooling.cpp - windowed maxima and means ----------------------------===//

#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/FedWindows.h"
#include "frontend/tensorflow/ops/Numbers.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// The maximum of every so many channels.
void poolChannels(Binder &b, const Layout &layout, ArrayRef<int64_t> window,
                  ArrayRef<int64_t> strides) {
  Value input = b.input(0);
  int64_t channel = layout.channelAxis(), size = window[channel];
  for (int64_t i = 0; i < layout.rank; ++i)
    if (i != channel &&
        (window[i] != 1 || i >= int64_t(strides.size()) || strides[i] != 1))
      b.fail("pooling over channels and other dimensions is not supported");
  if (b.failed())
    return;
  if (channel + 1 != layout.rank || strides[channel] != size)
    return b.fail("pooling over channels expects them to be last and a stride "
                  "of the window's size");
  Numbers n(b);
  Formula shape = n.sizes(input), each = n.number(size);
  Formula groups = n.quotient(n.size(input, channel), each);
  n.check(n.equal(groups * each, n.size(input, channel)),
          "the channels are no multiple of the window");
  Value parts[] = {n.part(shape, 0, channel), n.reshaped(groups, n.vector({1})),
                   n.vector({size})};
  b.set(0, b.make("graph.reduce_max", Binder::type(input),
                  Value(n.reshaped(input, n.joined(parts))),
                  b.attribute("axes", ArrayRef<int64_t>{layout.rank})));
}

void checkRank(Binder &b, int64_t rank) {
  Value input = b.input(0);
  if (input && b.rank(input) != rank)
    b.fail("expected a tensor of " + llvm::Twine(rank) + " dimensions, got " +
           llvm::Twine(b.rank(input)));
}

void pool(Binder &b, StringRef op, int64_t rank, ArrayRef<int64_t> window,
          ArrayRef<int64_t> strides) {
  Value input = b.input(0);
  checkRank(b, rank);
  Layout layout = readLayout(b, rank);
  if (b.failed())
    return;
  if (op == "graph.max_pool" && int64_t(window.size()) == rank &&
      window[layout.channelAxis()] > 1)
    return poolChannels(b, layout, window, strides);
  auto attributes = movementAttributes(b, layout, false, strides);
  attributes.push_back(
      b.attribute("window", spatialPart(b, layout, window, "window sizes")));
  b.set(0, b.make(op, Binder::type(input), input, attributes));
}

Row pooling(StringRef op, int64_t rank) {
  return [op, rank](Binder &b) {
    SmallVector<int64_t> window = b.integers("ksize", {}),
                         strides = b.integers("strides", {});
    pool(b, op, rank, window, strides);
  };
}
} // namespace

void addPoolingRows(RowTable &table) {
  table["MaxPool"] = pooling("graph.max_pool", 4);
  table["MaxPool3D"] = pooling("graph.max_pool", 5);
  table["AvgPool"] = pooling("graph.avg_pool", 4);
  table["AvgPool3D"] = pooling("graph.avg_pool", 5);
  table["MaxPoolV2"] = [](Binder &b) {
    if (isKnown(b, 1) && isKnown(b, 2))
      return pool(b, "graph.max_pool", 4, b.constants(1), b.constants(2));
    checkRank(b, 4);
    Layout layout = readLayout(b, 4);
    if (!b.failed())
      b.set(0, maxPoolAtRun(b, layout));
  };
}

} // namespace tenon::tf
