//===- Convolution.cpp - convolutions and biases --------------------------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/FedWindows.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

Layout readLayout(Binder &b, int64_t rank) {
  std::string format = b.text("data_format", rank == 5 ? "NDHWC" : "NHWC");
  Layout layout;
  layout.rank = rank;
  layout.channelsFirst =
      format == "NCHW" || format == "NCDHW" || format == "NCW";
  if (!layout.channelsFirst && format != "NHWC" && format != "NDHWC" &&
      format != "NWC")
    b.fail("data format '" + format + "' is not supported");
  return layout;
}

SmallVector<int64_t> spatialPart(Binder &b, const Layout &layout,
                                 ArrayRef<int64_t> list, StringRef what) {
  SmallVector<int64_t> part;
  if (int64_t(list.size()) != layout.rank) {
    b.fail("expected " + llvm::Twine(layout.rank) + " " + what + ", got " +
           llvm::Twine(list.size()));
    return part;
  }
  for (auto [i, element] : llvm::enumerate(list)) {
    bool spatial = int64_t(i) >= layout.firstSpatial() &&
                   int64_t(i) < layout.firstSpatial() + layout.spatialCount();
    if (!spatial && element != 1)
      b.fail(what + " of batch and channels must be 1");
    else if (element < 1 || element > INT32_MAX)
      b.fail("impossible " + what + ": " + llvm::Twine(element));
    if (spatial)
      part.push_back(element);
  }
  return part;
}

SmallVector<NamedAttribute> movementAttributes(Binder &b, const Layout &layout,
                                               bool dilations,
                                               ArrayRef<int64_t> strides) {
  SmallVector<NamedAttribute> attributes;
  attributes.push_back(
      b.attribute("strides", spatialPart(b, layout, strides, "strides")));
  if (dilations)
    attributes.push_back(b.attribute(
        "dilations", spatialPart(b, layout,
                                 b.integers("dilations", SmallVector<int64_t>(
                                                             layout.rank, 1)),
                                 "dilations")));
  std::string padding = b.text("padding", {});
  if (padding != "SAME" && padding != "VALID" && padding != "EXPLICIT")
    b.fail("padding '" + padding + "' is not supported");
  attributes.push_back(b.textAttribute("padding", padding));
  if (padding == "EXPLICIT") {
    SmallVector<int64_t> all =
        b.integers("explicit_paddings", SmallVector<int64_t>());
    if (int64_t(all.size()) != 2 * layout.rank) {
      b.fail("expected " + llvm::Twine(2 * layout.rank) +
             " explicit paddings, got " + llvm::Twine(all.size()));
      return attributes;
    }
    for (int64_t amount : all)
      if (amount < 0 || amount > INT32_MAX)
        b.fail("impossible padding: " + llvm::Twine(amount));
    attributes.push_back(
        b.attribute("explicit_padding",
                    ArrayRef<int64_t>(all).slice(2 * layout.firstSpatial(),
                                                 2 * layout.spatialCount())));
  }
  if (layout.channelsFirst)
    attributes.push_back(b.unit("channels_first"));
  return attributes;
}

namespace {
void checkRanks(Binder &b, ArrayRef<Value> values, int64_t rank) {
  for (Value value : values) {
    if (value && b.rank(value) != rank)
      b.fail("expected tensors of " + llvm::Twine(rank) + " dimensions, got " +
             llvm::Twine(b.rank(value)));
    if (value && Binder::type(value) != Binder::type(values.front()))
      b.fail("inputs have different element types");
  }
}

Row convolution(StringRef op, int64_t rank) {
  return [op, rank](Binder &b) {
    Value input = b.input(0), filter = b.input(1);
    checkRanks(b, {input, filter}, rank);
    Layout layout = readLayout(b, rank);
    if (b.failed())
      return;
    bool depthwise = op == "graph.depthwise_conv";
    bool hasOpenChannels =
        !graph::ShapeContext::asConstant(b.dims(input)[layout.channelAxis()]);
    if (hasFedWindow(b, filter) || (!depthwise && hasOpenChannels))
      return b.set(0, convolutionAtRun(b, layout, depthwise));
    auto attributes =
        movementAttributes(b, layout, true, b.integers("strides"));
    b.set(0, b.make(op, Binder::type(input), {input, filter}, attributes));
  };
}

/// Adds a vector along the channels.
void importBiasAdd(Binder &b) {
  Value input = b.input(0), bias = b.input(1);
  if (b.failed())
    return;
  if (b.rank(bias) != 1 || b.rank(input) < 2)
    return b.fail("expected a tensor and a vector");
  if (Binder::type(input) != Binder::type(bias))
    return b.fail("inputs have different element types");
  bool channelsFirst = b.text("data_format", "NHWC") == "NCHW";
  expectSize(b, bias, 0, input, channelsFirst ? 1 : b.rank(input) - 1,
             "the bias has another size than the channels");
  if (channelsFirst && b.rank(input) > 2) {
    SmallVector<int64_t> axes;
    for (int64_t i = 1; i < b.rank(input) - 1; ++i)
      axes.push_back(i);
    bias = b.make("graph.expand_dims", Binder::type(bias), bias,
                  b.attribute("axes", axes));
  }
  b.set(0, b.make("graph.add", Binder::type(input), {input, bias}));
}

void importBiasAddGrad(Binder &b) {
  Value gradient = b.input(0);
  if (b.failed())
    return;
  int64_t rank = b.rank(gradient);
  int64_t channel = b.text("data_format", "NHWC") == "NCHW" ? 1 : rank - 1;
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < rank; ++i)
    if (i != channel)
      axes.push_back(i);
  b.set(0, b.make("graph.reduce_sum", Binder::type(gradient), gradient,
                  b.attribute("axes", axes)));
}
} // namespace

void addConvolutionRows(RowTable &table) {
  table["Conv2D"] = convolution("graph.conv", 4);
  table["Conv3D"] = convolution("graph.conv", 5);
  table["DepthwiseConv2dNative"] = convolution("graph.depthwise_conv", 4);
  table["BiasAdd"] = table["BiasAddV1"] = importBiasAdd;
  table["BiasAddGrad"] = importBiasAddGrad;
}

} // namespace tenon::tf
