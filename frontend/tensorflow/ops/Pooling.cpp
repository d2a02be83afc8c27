//===- Pooling.cpp - windowed maxima and means ----------------------------===//

#include "frontend/tensorflow/ops/Layout.h"
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
  graph::Dims dims(b.dims(input));
  auto channels = graph::ShapeContext::asConstant(dims.back());
  if (!channels || *channels % size)
    return b.fail("the number of channels must be known and a multiple of " +
                  llvm::Twine(size));
  dims.back() = b.shapes().constant(*channels / size);
  dims.push_back(b.shapes().constant(size));
  b.set(0,
        b.make("graph.reduce_max", Binder::type(input), b.reshape(input, dims),
               b.attribute("axes", ArrayRef<int64_t>{layout.rank})));
}

void pool(Binder &b, StringRef op, int64_t rank, ArrayRef<int64_t> window,
          ArrayRef<int64_t> strides) {
  Value input = b.input(0);
  if (input && b.rank(input) != rank)
    b.fail("expected a tensor of " + llvm::Twine(rank) + " dimensions, got " +
           llvm::Twine(b.rank(input)));
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
    SmallVector<int64_t> window = b.constants(1), strides = b.constants(2);
    pool(b, "graph.max_pool", 4, window, strides);
  };
}

} // namespace tenon::tf
