//===- Convolution.cpp - convolutions of all kinds ------------------------===//

#include "frontend/keras/layers/Layers.h"
#include "frontend/keras/layers/Window.h"

using namespace mlir;

namespace tenon::keras {

SmallVector<int64_t> windowSizes(Call &c, StringRef key, size_t count) {
  SmallVector<int64_t> sizes = c.config.integers(key, count);
  for (int64_t &size : sizes)
    if (size < 1 || size > INT32_MAX) {
      c.config.fail("'" + key + "' must be at least 1");
      size = 1;
    }
  return sizes;
}

Window::Window(Call &c, int64_t spatial)
    : spatial(spatial), channelsFirst(c.channelsFirst()) {
  if (c.config.has("strides"))
    strides = windowSizes(c, "strides", spatial);
  dilations.assign(spatial, 1);
  if (c.config.has("dilation_rate"))
    dilations = windowSizes(c, "dilation_rate", spatial);
  padding = StringRef(c.config.text("padding", "valid")).upper();
  if (padding != "SAME" && padding != "VALID" && padding != "CAUSAL")
    c.config.fail("'padding' is not one of valid, same, causal");
}

SmallVector<NamedAttribute>
Window::attributes(Call &c, ArrayRef<int64_t> kernel, bool dilated) const {
  SmallVector<NamedAttribute> list = {
      c.g.attr("strides", ArrayRef<int64_t>(strides))};
  if (dilated)
    list.push_back(c.g.attr("dilations", ArrayRef<int64_t>(dilations)));
  if (padding == "CAUSAL") {
    SmallVector<int64_t> amounts;
    for (auto [size, dilation] : llvm::zip(kernel, dilations))
      llvm::append_values(amounts, dilation * (size - 1), 0);
    list.push_back(c.g.attr("padding", StringRef("EXPLICIT")));
    list.push_back(c.g.attr("explicit_padding", ArrayRef<int64_t>(amounts)));
  } else {
    list.push_back(c.g.attr("padding", StringRef(padding)));
  }
  if (channelsFirst)
    list.push_back(c.g.unit("channels_first"));
  return list;
}

Tensor addBias(Tensor x, Tensor bias, int64_t channelAxis) {
  if (!x || !bias)
    return x;
  SmallVector<int64_t> axes;
  for (int64_t i = 1; i < x.rank() - channelAxis; ++i)
    axes.push_back(i);
  return x + graph::expandDims(bias, axes);
}

namespace {
int64_t channelsOf(Call &c, Tensor x, const Window &window) {
  return c.staticDim(x, window.channelAxis());
}

Tensor biasOf(Call &c, int64_t count) {
  return c.hasWeight("bias") ? c.weight("bias", count) : Tensor();
}

void finish(Call &c, Tensor y, int64_t filters, const Window &window) {
  c.set(c.activation(addBias(y, biasOf(c, filters), window.channelAxis())));
}

template <int64_t spatial> void callConvolution(Call &c) {
  Window window(c, spatial);
  SmallVector<int64_t> kernel = windowSizes(c, "kernel_size", spatial);
  int64_t filters = c.config.size("filters"),
          groups = c.config.size("groups", 1);
  Tensor x = c.inputOfRank(spatial + 2);
  int64_t channels = channelsOf(c, x, window);
  if (!c.failed() && (channels % groups || filters % groups))
    c.fail("groups (" + llvm::Twine(groups) + ") do not divide " +
           llvm::Twine(channels) + " channels and " + llvm::Twine(filters) +
           " filters");
  SmallVector<int64_t> shape(kernel);
  llvm::append_values(shape, channels / groups, filters);
  Tensor weights = c.weight("kernel", shape);
  if (c.failed())
    return;
  Tensor y = c.g.make("graph.conv", x.type(), {x, weights},
                      window.attributes(c, kernel, true));
  finish(c, y, filters, window);
}

template <int64_t spatial> void callTranspose(Call &c) {
  Window window(c, spatial);
  SmallVector<int64_t> kernel = windowSizes(c, "kernel_size", spatial), extra;
  if (c.config.has("output_padding"))
    extra = c.config.integers("output_padding", spatial);
  int64_t filters = c.config.size("filters");
  Tensor x = c.inputOfRank(spatial + 2);
  int64_t channels = channelsOf(c, x, window);
  SmallVector<int64_t> shape(kernel);
  llvm::append_values(shape, filters, channels);
  Tensor weights = c.weight("kernel", shape);
  if (c.failed())
    return;
  // The sizes of the result.
  Tensor input = c.g.shapeOf(x.value());
  SmallVector<Tensor> sizes = {graph::gather(input, c.g.integer(0))};
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t reach = (kernel[i] - 1) * window.dilations[i] + 1,
            stride = window.strides[i];
    Tensor size = c.g.size(x.value(), window.firstSpatial() + i);
    if (window.padding == "VALID")
      size =
          (size - c.g.integer(1)) * c.g.integer(stride) +
          c.g.integer(reach + (extra.empty() ? std::max(reach, stride) - reach
                                             : extra[i]));
    else if (extra.empty())
      size = size * c.g.integer(stride);
    else
      size = (size - c.g.integer(1)) * c.g.integer(stride) +
             c.g.integer(reach % 2 + extra[i]);
    sizes.push_back(size);
  }
  sizes.insert(window.channelsFirst ? sizes.begin() + 1 : sizes.end(),
               c.g.integer(filters));
  Tensor output = stack(sizes, 0);
  Tensor y = c.g.make("graph.conv_transpose", x.type(), {x, weights, output},
                      window.attributes(c, kernel, true));
  finish(c, y, filters, window);
}

Tensor depthwise(Call &c, Tensor x, Tensor weights, const Window &window,
                 ArrayRef<int64_t> kernel) {
  if (!x || !weights)
    return {};
  return c.g.make("graph.depthwise_conv", x.type(), {x, weights},
                  window.attributes(c, kernel, true));
}

template <int64_t spatial> void callDepthwise(Call &c) {
  Window window(c, spatial);
  SmallVector<int64_t> kernel = windowSizes(c, "kernel_size", spatial);
  int64_t multiplier = c.config.size("depth_multiplier", 1);
  Tensor x = c.inputOfRank(spatial + 2);
  int64_t channels = channelsOf(c, x, window);
  SmallVector<int64_t> shape(kernel);
  llvm::append_values(shape, channels, multiplier);
  Tensor y = depthwise(c, x, c.weight("kernel", shape), window, kernel);
  finish(c, y, channels * multiplier, window);
}

template <int64_t spatial> void callSeparable(Call &c) {
  Window window(c, spatial);
  SmallVector<int64_t> kernel = windowSizes(c, "kernel_size", spatial);
  int64_t multiplier = c.config.size("depth_multiplier", 1),
          filters = c.config.size("filters");
  Tensor x = c.inputOfRank(spatial + 2);
  int64_t channels = channelsOf(c, x, window);
  SmallVector<int64_t> shape(kernel), points(spatial, 1);
  llvm::append_values(shape, channels, multiplier);
  llvm::append_values(points, channels * multiplier, filters);
  Tensor y =
      depthwise(c, x, c.weight("depthwise_kernel", shape), window, kernel);
  Tensor pointwise = c.weight("pointwise_kernel", points);
  if (c.failed())
    return;
  SmallVector<NamedAttribute> attributes = {
      c.g.attr("padding", StringRef("VALID"))};
  if (window.channelsFirst)
    attributes.push_back(c.g.unit("channels_first"));
  y = c.g.make("graph.conv", y.type(), {y, pointwise}, attributes);
  finish(c, y, filters, window);
}

void declareConvolution(Declaration &d) {
  d.weight("kernel");
  if (d.config.flag("use_bias", true))
    d.weight("bias");
}

void declareSeparable(Declaration &d) {
  d.weight("depthwise_kernel");
  d.weight("pointwise_kernel");
  if (d.config.flag("use_bias", true))
    d.weight("bias");
}
} // namespace

void addConvolutionLayers(LayerTable &table) {
  auto add = [&](StringRef name, void (*declare)(Declaration &),
                 void (*call)(Call &)) {
    table[name] = {declare, call, MaskRule::Destroy};
  };
  add("Conv1D", declareConvolution, callConvolution<1>);
  add("Conv2D", declareConvolution, callConvolution<2>);
  add("Conv3D", declareConvolution, callConvolution<3>);
  add("Conv1DTranspose", declareConvolution, callTranspose<1>);
  add("Conv2DTranspose", declareConvolution, callTranspose<2>);
  add("Conv3DTranspose", declareConvolution, callTranspose<3>);
  add("DepthwiseConv1D", declareConvolution, callDepthwise<1>);
  add("DepthwiseConv2D", declareConvolution, callDepthwise<2>);
  add("SeparableConv1D", declareSeparable, callSeparable<1>);
  add("SeparableConv2D", declareSeparable, callSeparable<2>);
}

} // namespace tenon::keras
