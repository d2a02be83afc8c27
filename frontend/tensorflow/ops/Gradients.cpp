//===- Gradients.cpp - derivatives in exported training graphs ------------===//

#include "frontend/tensorflow/ops/FedWindows.h"
#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
void expectRank(Binder &b, ArrayRef<Value> values, int64_t rank) {
  for (Value value : values) {
    if (value && b.rank(value) != rank)
      b.fail("expected tensors of " + llvm::Twine(rank) + " dimensions, got " +
             llvm::Twine(b.rank(value)));
    if (value && Binder::type(value) != Binder::type(values.front()))
      b.fail("inputs have different element types");
  }
}

/// The shape of a tensor as an integer vector.
Value shapeOf(Binder &b, Value value) {
  return b.make("graph.shape_of", b.builder().getI64Type(), value);
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Whether all but the last two of a filter's sizes are known.
bool knowsWindow(Binder &b, Value sizes) {
  auto contents = b.shapes().contents(sizes);
  return contents && contents->size() > 2 &&
         llvm::all_of(ArrayRef(*contents).drop_back(2), [](AffineExpr size) {
           return size && graph::ShapeContext::asConstant(size);
         });
}

/// Inputs: what was convolved (or its shape with `sizes` == 0), filter (or its
/// shape with `sizes` == 1), gradient. `asTensor`: instead of the shape there
/// is a tensor that has it.
Row convolution(StringRef op, int64_t rank, unsigned sizes,
                bool asTensor = false) {
  return [=](Binder &b) {
    Value shape = b.input(sizes), other = b.input(1 - sizes),
          gradient = b.input(2);
    expectRank(b, {other, gradient}, rank);
    Layout layout = readLayout(b, rank);
    if (b.failed())
      return;
    if (asTensor)
      shape = shapeOf(b, shape);
    // What follows needs to know the window.
    if (op == "graph.conv_filter_grad" && !asTensor && !knowsWindow(b, shape))
      return b.set(0, filterGradientAtRun(b, layout));
    if (op == "graph.conv_transpose" && !asTensor && hasFedWindow(b, other))
      return b.set(0, inputGradientAtRun(b, layout));
    auto attributes =
        movementAttributes(b, layout, true, b.integers("strides"));
    SmallVector<Value> operands = {other, gradient, shape};
    if (sizes == 0)
      std::swap(operands[0], operands[1]);
    b.set(0, b.make(op, Binder::type(gradient), operands, attributes));
  };
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

SmallVector<NamedAttribute> poolAttributes(Binder &b, int64_t rank,
                                           ArrayRef<int64_t> window,
                                           ArrayRef<int64_t> strides) {
  Layout layout = readLayout(b, rank);
  if (b.failed())
    return {};
  auto attributes = movementAttributes(b, layout, false, strides);
  attributes.push_back(
      b.attribute("window", spatialPart(b, layout, window, "window sizes")));
  return attributes;
}

/// The same with the window in attributes, or in inputs `first` and the next.
SmallVector<NamedAttribute> poolAttributes(Binder &b, int64_t rank,
                                           std::optional<unsigned> first = {}) {
  SmallVector<int64_t> window, strides;
  if (first) {
    window = b.constants(*first);
    strides = b.constants(*first + 1);
  } else {
    window = b.integers("ksize", {});
    strides = b.integers("strides", {});
  }
  return poolAttributes(b, rank, window, strides);
}

/// Inputs: what was pooled, the result, and the gradient of the result
/// (max_pool_grad) or of that operation's gradient (max_pool_pick).
Row maxPool(StringRef op, int64_t rank, bool fed = false) {
  return [=](Binder &b) {
    Value input = b.input(0), gradient = b.input(2);
    expectRank(b, {input, gradient}, rank);
    auto attributes = poolAttributes(
        b, rank, fed ? std::optional<unsigned>(3) : std::nullopt);
    // In three dimensions TensorFlow has no first maximum.
    if (rank == 5 && op == "graph.max_pool_grad")
      attributes.push_back(b.unit("every"));
    if (!b.failed())
      b.set(0,
            b.make(op, Binder::type(gradient), {input, gradient}, attributes));
  };
}

Row avgPool(int64_t rank) {
  return [rank](Binder &b) {
    Value shape = b.input(0), gradient = b.input(1);
    expectRank(b, gradient, rank);
    auto attributes = poolAttributes(b, rank);
    if (!b.failed())
      b.set(0, b.make("graph.avg_pool_grad", Binder::type(gradient),
                      {gradient, shape}, attributes));
  };
}

/// 0, 1, ... in the shape `dims`.
Value countedUp(Binder &b, ArrayRef<AffineExpr> dims) {
  if (b.failed())
    return {};
  Type i64 = b.builder().getI64Type();
  Value size = b.shapeTensor(b.shapes().product(dims));
  size = b.make("graph.reshape", i64, {size, b.integersConstant({}, i64)});
  Value numbers =
      b.make("graph.range", i64, {b.scalar(i64, 0), size, b.scalar(i64, 1)});
  return b.reshape(numbers, dims);
}

void importMaxPoolWithArgmax(Binder &b) {
  Value input = b.input(0);
  expectRank(b, input, 4);
  auto attributes = poolAttributes(b, 4);
  if (b.failed())
    return;
  Type type = Binder::type(input), i64 = b.builder().getI64Type();
  graph::Dims dims(b.dims(input));
  bool batch = b.flag("include_batch_in_index", false);
  if (!batch)
    dims[0] = b.shapes().constant(1);
  Value places = countedUp(b, dims);
  if (!batch)
    places = b.make("graph.broadcast_to", i64, {places, shapeOf(b, input)});
  Value argmax =
      b.make("graph.max_pool_pick", i64, {input, places}, attributes);
  b.set(0, b.make("graph.max_pool_pick", type, {input, input}, attributes));
  b.set(1, b.cast(argmax, b.elementType("Targmax")));
}

/// Numbers of elements, as MaxPoolWithArgmax gives them, in the whole batch:
/// the elements of a vector.
Value flatPlaces(Binder &b, Value places, Value image) {
  Type i64 = b.builder().getI64Type();
  places = b.cast(places, i64);
  if (!b.flag("include_batch_in_index", false)) {
    graph::Dims one(b.dims(places).size(), b.shapes().constant(1));
    one[0] = b.dims(places)[0];
    graph::Dims rest(b.dims(image).drop_front());
    Value size = b.shapeTensor(b.shapes().product(rest));
    Value start = b.make("graph.mul", i64, {countedUp(b, one), size});
    places = b.make("graph.add", i64, {places, start});
  }
  if (b.failed())
    return {};
  return b.reshape(places, b.shapes().product(b.dims(places)));
}

/// Inputs: what was pooled, gradient, places.
void importMaxPoolGradWithArgmax(Binder &b) {
  Value input = b.input(0), gradient = b.input(1), places = b.input(2);
  expectRank(b, {input, gradient}, 4);
  if (places && b.rank(places) != 4)
    b.fail("expected places of 4 dimensions");
  if (b.failed())
    return;
  Type type = Binder::type(gradient), i64 = b.builder().getI64Type();
  Value flat = flatPlaces(b, places, input);
  if (b.failed())
    return;
  Value column = b.make("graph.expand_dims", i64, flat,
                        b.attribute("axes", ArrayRef<int64_t>(-1)));
  Value values = b.reshape(gradient, b.shapes().product(b.dims(gradient)));
  Value size = b.shapeTensor(b.shapes().product(b.dims(input)));
  Value sum = b.make("graph.scatter_nd", type, {column, values, size});
  if (!b.failed())
    b.set(0, b.reshape(sum, b.dims(input)));
}

/// Inputs: what was pooled, gradient of its shape, places.
void importMaxPoolGradGradWithArgmax(Binder &b) {
  Value input = b.input(0), gradient = b.input(1), places = b.input(2);
  expectRank(b, {input, gradient}, 4);
  if (places && b.rank(places) != 4)
    b.fail("expected places of 4 dimensions");
  if (b.failed())
    return;
  Value flat = flatPlaces(b, places, input);
  if (b.failed())
    return;
  Value values = b.reshape(gradient, b.shapes().product(b.dims(gradient)));
  Value picked = b.make("graph.gather", Binder::type(gradient), {values, flat});
  if (!b.failed())
    b.set(0, b.reshape(picked, b.dims(places)));
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

void importMirrorPadGrad(Binder &b) {
  Value gradient = b.input(0), paddings = b.input(1);
  SmallVector<NamedAttribute> attributes;
  if (b.text("mode", {}) == "SYMMETRIC")
    attributes.push_back(b.unit("symmetric"));
  b.set(0, b.make("graph.mirror_pad_grad", Binder::type(gradient),
                  {gradient, paddings}, attributes));
}

/// Inputs: gradient, and the image's height and width or the image itself.
Row resize(StringRef mode, bool hasImage) {
  return [=](Binder &b) {
    Value gradient = b.input(0), size = b.input(1);
    if (b.failed())
      return;
    Type type = Binder::type(hasImage ? size : gradient);
    if (hasImage) {
      expectRank(b, gradient, 4);
      if (b.rank(size) != 4)
        b.fail("expected an image of 4 dimensions");
      if (b.failed())
        return;
      size = b.shapeTensor(b.dims(size).slice(1, 2));
    }
    SmallVector<NamedAttribute> attributes = {b.textAttribute("mode", mode)};
    if (b.flag("align_corners", false))
      attributes.push_back(b.unit("align_corners"));
    if (b.flag("half_pixel_centers", false))
      attributes.push_back(b.unit("half_pixel_centers"));
    b.set(0, b.make("graph.resize_grad", type, {gradient, size}, attributes));
  };
}

/// Inputs: gradient, the normalized tensor, the result. A channel's neighbours
/// are added by a product with a band matrix.
void importLrnGrad(Binder &b) {
  Value gradient = b.input(0), input = b.input(1), output = b.input(2);
  expectRank(b, {gradient, input, output}, 4);
  if (b.failed())
    return;
  Type type = Binder::type(input), i64 = b.builder().getI64Type(),
       i1 = b.builder().getI1Type();
  // Whether two channels are neighbours.
  Formula number(b, countedUp(b, b.dims(input)[3]));
  auto expanded = [&](int64_t axis) {
    return number.wrap(b.make("graph.expand_dims", i64, Value(number),
                              b.attribute("axes", ArrayRef<int64_t>(axis))));
  };
  Formula distance = abs(expanded(0) - expanded(1));
  Value near = distance.wrap(b.make(
      "graph.less_equal", i1,
      {distance, distance.number(double(b.integer("depth_radius", 5)))}));
  if (b.failed())
    return;
  Value matrix = b.cast(near, type);
  double alpha = b.real("alpha", 1), beta = b.real("beta", 0.5);
  Formula x(b, input), dy(b, gradient), y(b, output);
  auto overNeighbours = [&](const Formula &value) {
    return value.wrap(b.make("graph.matmul", type, {value, matrix}));
  };
  Formula norm = overNeighbours(x * x) * alpha + b.real("bias", 1);
  Formula direct = dy * power(norm, norm.number(-beta));
  b.set(0, direct - x * overNeighbours(dy * y / norm) * (2 * alpha * beta));
}
} // namespace

void addGradientRows(RowTable &table) {
  table["Conv2DBackpropFilter"] = convolution("graph.conv_filter_grad", 4, 1);
  table["Conv3DBackpropFilterV2"] = convolution("graph.conv_filter_grad", 5, 1);
  table["Conv3DBackpropFilter"] =
      convolution("graph.conv_filter_grad", 5, 1, true);
  table["Conv2DBackpropInput"] = convolution("graph.conv_transpose", 4, 0);
  table["Conv3DBackpropInputV2"] = convolution("graph.conv_transpose", 5, 0);
  table["Conv3DBackpropInput"] =
      convolution("graph.conv_transpose", 5, 0, true);
  table["DepthwiseConv2dNativeBackpropFilter"] =
      convolution("graph.depthwise_conv_filter_grad", 4, 1);
  table["DepthwiseConv2dNativeBackpropInput"] =
      convolution("graph.depthwise_conv_transpose", 4, 0);
  table["MaxPoolGrad"] = maxPool("graph.max_pool_grad", 4);
  table["MaxPoolGradV2"] = maxPool("graph.max_pool_grad", 4, true);
  table["MaxPool3DGrad"] = maxPool("graph.max_pool_grad", 5);
  table["MaxPoolGradGrad"] = maxPool("graph.max_pool_pick", 4);
  table["MaxPoolGradGradV2"] = maxPool("graph.max_pool_pick", 4, true);
  table["MaxPool3DGradGrad"] = maxPool("graph.max_pool_pick", 5);
  table["MaxPoolWithArgmax"] = importMaxPoolWithArgmax;
  table["MaxPoolGradWithArgmax"] = importMaxPoolGradWithArgmax;
  table["MaxPoolGradGradWithArgmax"] = importMaxPoolGradGradWithArgmax;
  table["AvgPoolGrad"] = avgPool(4);
  table["AvgPool3DGrad"] = avgPool(5);
  table["MirrorPadGrad"] = importMirrorPadGrad;
  table["ResizeNearestNeighborGrad"] = resize("nearest", false);
  table["ResizeBilinearGrad"] = resize("bilinear", true);
  table["ResizeBicubicGrad"] = resize("bicubic", true);
  table["LRNGrad"] = importLrnGrad;
}

} // namespace tenon::tf
