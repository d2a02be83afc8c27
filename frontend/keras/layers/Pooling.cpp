//===- Pooling.cpp - windowed and global maxima and means -----------------===//

#include "frontend/keras/layers/Layers.h"
#include "frontend/keras/layers/Window.h"

using namespace mlir;

namespace tenon::keras {

namespace {
Tensor pool(Call &c, Tensor x, const Window &window, ArrayRef<int64_t> sizes,
            bool maximum) {
  if (!x || c.failed())
    return {};
  SmallVector<NamedAttribute> attributes = window.attributes(c, sizes, false);
  attributes.push_back(c.g.attr("window", sizes));
  return c.g.make(maximum ? "graph.max_pool" : "graph.avg_pool", x.type(), x,
                  attributes);
}

template <int64_t spatial, bool maximum> void callPooling(Call &c) {
  Window window(c, spatial);
  SmallVector<int64_t> sizes = windowSizes(c, "pool_size", spatial);
  if (window.strides.empty())
    window.strides = sizes;
  c.set(pool(c, c.inputOfRank(spatial + 2), window, sizes, maximum));
}

template <int64_t spatial, bool maximum> void callGlobal(Call &c) {
  bool keep = c.config.flag("keepdims", false);
  Tensor x = c.inputOfRank(spatial + 2);
  int64_t first = c.channelsFirst() ? 2 : 1;
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < spatial; ++i)
    axes.push_back(first + i);
  Tensor mask;
  if constexpr (spatial == 1 && !maximum)
    mask = c.mask();
  if (!mask)
    return c.set(reduce(maximum ? "max" : "mean", x, axes, keep));
  // The mean over the steps that count.
  Tensor counted = graph::expandDims(mask, c.channelsFirst() ? 1 : 2);
  if (!mask.type().isInteger(1))
    counted = graph::notEqual(counted, 0);
  Tensor kept = graph::select(counted, x, 0.0);
  c.set(reduce("sum", kept, axes, keep) /
        reduce("sum", graph::cast(counted, c.computeType()), axes, keep));
}

/// Windows that end and begin at rounded places, one per element of the
/// result: means or maxima of slices.
Tensor adapt(Tensor x, int64_t axis, int64_t input, int64_t output,
             bool maximum) {
  SmallVector<Tensor> parts;
  for (int64_t i = 0; i < output; ++i) {
    int64_t begin = i * input / output,
            end = (i + 1) * input / output + ((i + 1) * input % output != 0);
    parts.push_back(reduce(maximum ? "max" : "mean", slice(x, axis, begin, end),
                           axis, true));
  }
  return graph::concat(parts, axis);
}

template <int64_t spatial, bool maximum> void callAdaptive(Call &c) {
  SmallVector<int64_t> sizes = windowSizes(c, "output_size", spatial);
  Tensor x = c.inputOfRank(spatial + 2);
  int64_t first = c.channelsFirst() ? 2 : 1;
  for (int64_t i = 0; i < spatial && x && !c.failed(); ++i) {
    int64_t input = c.staticDim(x, first + i);
    if (sizes[i] > 4096)
      return c.fail("'output_size' is impossibly large");
    if (!c.failed())
      x = adapt(x, first + i, input, sizes[i], maximum);
  }
  c.set(x);
}
} // namespace

void addPoolingLayers(LayerTable &table) {
  auto add = [&](StringRef name, void (*call)(Call &)) {
    table[name] = {nullptr, call, MaskRule::Destroy};
  };
  add("MaxPooling1D", callPooling<1, true>);
  add("MaxPooling2D", callPooling<2, true>);
  add("MaxPooling3D", callPooling<3, true>);
  add("AveragePooling1D", callPooling<1, false>);
  add("AveragePooling2D", callPooling<2, false>);
  add("AveragePooling3D", callPooling<3, false>);
  add("GlobalMaxPooling1D", callGlobal<1, true>);
  add("GlobalMaxPooling2D", callGlobal<2, true>);
  add("GlobalMaxPooling3D", callGlobal<3, true>);
  add("GlobalAveragePooling1D", callGlobal<1, false>);
  add("GlobalAveragePooling2D", callGlobal<2, false>);
  add("GlobalAveragePooling3D", callGlobal<3, false>);
  add("AdaptiveMaxPooling1D", callAdaptive<1, true>);
  add("AdaptiveMaxPooling2D", callAdaptive<2, true>);
  add("AdaptiveMaxPooling3D", callAdaptive<3, true>);
  add("AdaptiveAveragePooling1D", callAdaptive<1, false>);
  add("AdaptiveAveragePooling2D", callAdaptive<2, false>);
  add("AdaptiveAveragePooling3D", callAdaptive<3, false>);
}

} // namespace tenon::keras
