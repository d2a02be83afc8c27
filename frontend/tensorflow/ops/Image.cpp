//===- Image.cpp - colours, crops -----------------------------------------===//

#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Rows.h"

#include <limits>

using namespace mlir;

namespace tenon::tf {

namespace {
/// Channel `i` of the last dimension, which stays as one of size 1.
Formula channel(const Formula &image, int64_t i) {
  Binder &b = image.b();
  if (b.failed())
    return image;
  Type i32 = b.builder().getI32Type();
  int64_t rank = b.rank(image);
  SmallVector<int64_t> begin(rank, 0), size(rank, -1);
  begin.back() = i;
  size.back() = 1;
  return image.wrap(b.make(
      "graph.slice", image.type(),
      {image, b.integersConstant(begin, i32), b.integersConstant(size, i32)}));
}

Formula joined(ArrayRef<Formula> channels) {
  Binder &b = channels.front().b();
  SmallVector<Value> values(channels.begin(), channels.end());
  if (b.failed())
    return channels.front();
  return channels.front().wrap(
      b.make("graph.concat", channels.front().type(), values,
             b.attribute("axis", b.rank(values.front()) - 1)));
}

struct Colour {
  Formula hue, saturation, value;
};

Colour toHsv(const Formula &image) {
  Formula red = channel(image, 0), green = channel(image, 1),
          blue = channel(image, 2);
  Formula value = maximum(red, maximum(green, blue)),
          range = value - minimum(red, minimum(green, blue)),
          zero = image.number(0);
  Formula saturation = select(value > zero, range / value, zero);
  Formula norm = image.number(1) / (range * 6);
  auto is = [&](const Formula &part) {
    return part.test("graph.equal", value);
  };
  Formula hue = select(is(red), norm * (green - blue),
                       select(is(green), norm * (blue - red) + 2.0 / 6,
                              norm * (red - green) + 4.0 / 6));
  hue = select(range > zero, hue, zero);
  return {select(hue < zero, hue + 1, hue), saturation, value};
}

Formula toRgb(const Colour &colour) {
  Formula six = colour.hue * 6, one = six.number(1), zero = six.number(0);
  auto clipped = [&](const Formula &x) {
    return minimum(maximum(x, zero), one);
  };
  Formula red = clipped(abs(six - 3) - 1), green = clipped(2 - abs(six - 2)),
          blue = clipped(2 - abs(six - 4)), rest = 1 - colour.saturation;
  SmallVector<Formula> channels;
  for (const Formula &part : {red, green, blue})
    channels.push_back((rest + colour.saturation * part) * colour.value);
  return joined(channels);
}

/// A row over an image whose last dimension is three colours; halves are
/// computed in f32.
template <typename Function> Row colours(Function function) {
  return [function](Binder &b) {
    Formula image(b, b.input(0));
    if (b.failed())
      return;
    if (b.rank(image) < 1 ||
        graph::ShapeContext::asConstant(b.dims(image).back()).value_or(3) != 3)
      return b.fail("expected three colours in the last dimension");
    Type type = image.type();
    if (type.isF16() || type.isBF16())
      image = image.cast(b.builder().getF32Type());
    b.set(0, function(image).cast(type));
  };
}

/// Inputs: images, factor.
void importAdjustContrast(Binder &b) {
  Formula image(b, b.input(0)), factor(b, b.input(1));
  if (b.failed())
    return;
  int64_t rank = b.rank(image);
  if (rank < 3)
    return b.fail("expected an image of at least 3 dimensions");
  Type type = image.type(), f32 = b.builder().getF32Type();
  image = image.cast(f32);
  factor = factor.cast(f32);
  Formula mean = image.wrap(
      b.make("graph.reduce_mean", f32, Value(image),
             {b.attribute("axes", ArrayRef<int64_t>{rank - 3, rank - 2}),
              b.attribute("keep_dims", b.builder().getBoolAttr(true))}));
  b.set(0, ((image - mean) * factor + mean).cast(type));
}

//===----------------------------------------------------------------------===//
// Crops
//===----------------------------------------------------------------------===//

/// Where the elements of crops lie along one dimension: [boxes, size].
struct Samples {
  Formula position, inside;
};

/// Inputs: image, boxes [n, 4] (y1, x1, y2, x2), image numbers [n], crop sizes.
class Crop {
public:
  Crop(Binder &b, Value image, Value boxes, Value numbers,
       ArrayRef<AffineExpr> sizes)
      : b(b), image(image), boxes(b, boxes), numbers(numbers), sizes(sizes) {}

  Formula bilinear() {
    Samples y = samples(0), x = samples(1);
    Formula top = floor(y.position), left = floor(x.position);
    Formula bottom = y.position.unary("graph.ceil"),
            right = x.position.unary("graph.ceil");
    Formula down = asRows(y.position - top),
            along = asColumns(x.position - left);
    Formula upper = mixed(read(top, left), read(top, right), along),
            lower = mixed(read(bottom, left), read(bottom, right), along);
    return where(y, x, mixed(upper, lower, down));
  }

  Formula nearest() {
    Samples y = samples(0), x = samples(1);
    // Halves go away from zero, and no position that counts is negative.
    return where(y, x, read(floor(y.position + 0.5), floor(x.position + 0.5)));
  }

  Formula extrapolation() const {
    return boxes.number(b.real("extrapolation_value", 0));
  }

private:
  Formula column(int64_t i) const { return channel(boxes, i); }
  Formula size(AffineExpr dim) const {
    Value one = b.shapeTensor(dim);
    Value scalar =
        b.make("graph.reshape", b.builder().getI64Type(),
               {one, b.integersConstant({}, b.builder().getI64Type())});
    return Formula(b, scalar).cast(boxes.type());
  }

  Samples samples(int64_t dim) const {
    Formula first = column(dim), last = column(dim + 2);
    Formula most = size(b.dims(image)[1 + dim]) - 1;
    auto known = graph::ShapeContext::asConstant(sizes[dim]);
    Formula middle = (first + last) * most * 0.5, place = middle;
    if (known != 1) {
      Formula step = (last - first) * most / (size(sizes[dim]) - 1);
      Type type = boxes.type();
      Value count =
          b.make("graph.range", type,
                 {boxes.number(0), size(sizes[dim]), boxes.number(1)});
      count = b.failed()
                  ? Value()
                  : b.reshape(count, {b.shapes().constant(1), sizes[dim]});
      place = first * most + boxes.wrap(count) * step;
      if (!known)
        place = select(size(sizes[dim]) > 1, place, middle);
    }
    Formula inside = (place >= boxes.number(0)) & (place <= most);
    // What is outside reads the first element and is replaced.
    return {select(inside, place, boxes.number(0)), inside};
  }

  /// [n, h] or [n, w] as [n, h, w, 1] can be broadcast from it.
  Formula expanded(const Formula &value, ArrayRef<int64_t> axes) const {
    return Formula(b, b.make("graph.expand_dims", Binder::type(value),
                             Value(value), b.attribute("axes", axes)));
  }
  Formula asRows(const Formula &value) const { return expanded(value, {2, 3}); }
  Formula asColumns(const Formula &value) const {
    return expanded(value, {1, 3});
  }

  static Formula mixed(const Formula &from, const Formula &to,
                       const Formula &weight) {
    return from + (to - from) * weight;
  }

  /// The image's elements at rows [n, h] and columns [n, w].
  Formula read(const Formula &rows, const Formula &columns) const {
    Type i32 = b.builder().getI32Type();
    if (b.failed())
      return boxes;
    graph::Dims dims{b.dims(boxes)[0], sizes[0], sizes[1],
                     b.shapes().constant(1)};
    Value shape = b.shapeTensor(dims);
    auto spread = [&](Formula value) {
      return b.make("graph.broadcast_to", i32, {value.cast(i32), shape});
    };
    Value number = b.make("graph.expand_dims", i32, numbers,
                          b.attribute("axes", ArrayRef<int64_t>{1, 2, 3}));
    Value places = b.make("graph.concat", i32,
                          {spread(Formula(b, number)), spread(asRows(rows)),
                           spread(asColumns(columns))},
                          b.attribute("axis", int64_t(3)));
    Value values =
        b.make("graph.gather_nd", Binder::type(image), {image, places});
    return Formula(b, values).cast(boxes.type());
  }

  Formula where(const Samples &y, const Samples &x,
                const Formula &value) const {
    return select(asRows(y.inside) & asColumns(x.inside), value,
                  extrapolation());
  }

  Binder &b;
  Value image;
  Formula boxes;
  Value numbers;
  graph::Dims sizes;
};

/// The two sizes as dimensions; those that the run decides are the length of a
/// vector.
graph::Dims cropSizes(Binder &b, Value sizes) {
  auto length = graph::ShapeContext::asConstant(b.dims(sizes)[0]);
  if (length && *length != 2) {
    b.fail("expected two sizes of crops, got " + llvm::Twine(*length));
    return {};
  }
  graph::Dims dims(2);
  if (auto known = b.shapes().contents(sizes))
    dims.assign(known->begin(), known->end());
  Type i64 = b.builder().getI64Type();
  for (int64_t i = 0; i < 2 && !b.failed(); ++i) {
    if (dims[i])
      continue;
    Value size =
        b.make("graph.strided_slice", i64,
               {b.cast(sizes, i64), b.integersConstant(i, i64),
                b.integersConstant(i + 1, i64), b.integersConstant(1, i64)},
               b.attribute("shrink_axis_mask", int64_t(1)));
    Value numbers =
        b.make("graph.range", i64, {b.scalar(i64, 0), size, b.scalar(i64, 1)});
    if (!b.failed())
      dims[i] = b.dims(numbers)[0];
  }
  return dims;
}

void importCropAndResize(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 4);
  if (b.failed())
    return;
  if (b.rank(in[0]) != 4 || b.rank(in[1]) != 2 || b.rank(in[2]) != 1 ||
      b.rank(in[3]) != 1)
    return b.fail("expected images, boxes, a vector of image numbers and a "
                  "vector of two sizes");
  graph::Dims sizes = cropSizes(b, in[3]);
  if (b.failed())
    return;
  Crop crop(b, in[0], in[1], in[2], sizes);
  std::string method = b.text("method", "bilinear");
  if (method != "bilinear" && method != "nearest")
    return b.fail("method '" + method + "' is not supported");
  b.set(0, method == "bilinear" ? crop.bilinear() : crop.nearest());
}

/// Inputs: gradient, boxes, image numbers, the images' shape.
void importCropImageGrad(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.text("method", "bilinear") == "nearest")
    attributes.push_back(b.unit("nearest"));
  b.set(0, b.make("graph.crop_image_grad", b.elementType("T"),
                  b.inputList(0, 4), attributes));
}

/// Inputs: gradient, images, boxes, image numbers.
void importCropBoxesGrad(Binder &b) {
  b.set(0, b.make("graph.crop_boxes_grad", b.builder().getF32Type(),
                  b.inputList(0, 4)));
}

//===----------------------------------------------------------------------===//
// Sampling and morphology
//===----------------------------------------------------------------------===//

void importResizeArea(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("align_corners", false))
    attributes.push_back(b.unit("align_corners"));
  b.set(0, b.make("graph.resize_area", b.builder().getF32Type(),
                  b.inputList(0, 2), attributes));
}

/// Inputs: images, size or images' gradient and images; scale, translation.
Row scaleAndTranslate(StringRef op) {
  return [op](Binder &b) {
    SmallVector<NamedAttribute> attributes = {
        b.textAttribute("kernel", b.text("kernel_type", "lanczos3"))};
    if (b.flag("antialias", true))
      attributes.push_back(b.unit("antialias"));
    b.set(0,
          b.make(op, b.builder().getF32Type(), b.inputList(0, 4), attributes));
  };
}

/// Inputs: images, filter, and of a gradient that of the result.
Row dilation(StringRef op, unsigned count) {
  return [op, count](Binder &b) {
    SmallVector<Value> inputs = b.inputList(0, count);
    SmallVector<NamedAttribute> attributes;
    for (StringRef name : {"strides", "rates"}) {
      SmallVector<int64_t> list = b.integers(name);
      if (b.failed())
        return;
      if (list.size() != 4 || list[0] != 1 || list[3] != 1)
        return b.fail(name + " need four elements, the first and the last 1");
      attributes.push_back(b.attribute(name, ArrayRef(list).slice(1, 2)));
    }
    std::string padding = b.text("padding");
    if (padding == "SAME")
      attributes.push_back(b.unit("same"));
    else if (padding != "VALID")
      b.fail("padding is '" + padding + "', expected SAME or VALID");
    if (!b.failed())
      b.set(0, b.make(op, Binder::type(inputs[0]), inputs, attributes));
  };
}

/// Inputs: images, transforms, size, and of the third version what is outside.
void importProjectiveTransform(Binder &b) {
  SmallVector<Value> inputs = b.inputList(0);
  if (b.failed())
    return;
  if (inputs.size() == 3)
    inputs.push_back(b.scalar(b.builder().getF32Type(), 0));
  SmallVector<NamedAttribute> attributes = {
      b.textAttribute("mode", b.text("fill_mode", "CONSTANT"))};
  std::string interpolation = b.text("interpolation");
  if (interpolation == "BILINEAR")
    attributes.push_back(b.unit("bilinear"));
  else if (interpolation != "NEAREST")
    b.fail("interpolation '" + interpolation + "' is not supported");
  b.set(0, b.make("graph.projective_transform", Binder::type(inputs[0]), inputs,
                  attributes));
}

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

/// `value`, a vector, with zeros up to `size` elements.
Value filledUp(Binder &b, Value value, Value size) {
  Type i64 = b.builder().getI64Type();
  if (b.failed())
    return {};
  Value have = b.make(
      "graph.reshape", i64,
      {b.make("graph.shape_of", i64, value), b.integersConstant({}, i64)});
  Value missing = maximum(Formula(b, size).cast(i64) - Formula(b, have),
                          Formula(b, have).number(0));
  Value widths = b.make("graph.pack", i64, {b.scalar(i64, 0), missing},
                        b.attribute("axis", int64_t(0)));
  widths = b.make("graph.expand_dims", i64, widths,
                  b.attribute("axes", ArrayRef<int64_t>{0}));
  return b.make("graph.pad", Binder::type(value),
                {value, widths, b.scalar(Binder::type(value), 0)});
}

/// Inputs: boxes, scores, the greatest number of results, and by version the
/// overlap, the least score and sigma.
Row nonMaxSuppression(int version) {
  return [version](Binder &b) {
    Value boxes = b.input(0), scores = b.input(1), limit = b.input(2);
    if (b.failed())
      return;
    Type type = Binder::type(boxes), f32 = b.builder().getF32Type(),
         i32 = b.builder().getI32Type();
    Value overlap = version == 1 ? b.scalar(f32, b.real("iou_threshold", 0.5))
                                 : b.cast(b.input(3), f32);
    Value least = version < 3
                      ? b.scalar(f32, std::numeric_limits<float>::lowest())
                      : b.cast(b.input(4), f32);
    Value sigma = version < 5 ? b.scalar(f32, 0) : b.cast(b.input(5), f32);
    if (b.failed())
      return;
    SmallVector<Value> chosen =
        b.makeAll("graph.non_max_suppression", {i32, f32},
                  {b.cast(boxes, f32), b.cast(scores, f32), limit, overlap,
                   least, sigma});
    if (b.failed())
      return;
    Value count = b.make("graph.reshape", i32,
                         {b.make("graph.shape_of", i32, chosen[0]),
                          b.integersConstant({}, i32)});
    if (b.flag("pad_to_max_output_size", false))
      for (Value &part : chosen)
        part = filledUp(b, part, limit);
    b.set(0, chosen[0]);
    if (version == 5)
      b.set(1, b.failed() ? Value() : b.cast(chosen[1], type));
    if (version >= 4)
      b.set(version - 3, count);
  };
}
} // namespace

void addImageRows(RowTable &table) {
  table["RGBToHSV"] = colours([](const Formula &image) {
    Colour colour = toHsv(image);
    return joined({colour.hue, colour.saturation, colour.value});
  });
  table["HSVToRGB"] = colours([](const Formula &image) {
    return toRgb({channel(image, 0), channel(image, 1), channel(image, 2)});
  });
  table["AdjustHue"] = colours([](const Formula &image) {
    Colour colour = toHsv(image);
    Binder &b = image.b();
    Formula delta = Formula(b, b.input(1)).cast(image.type());
    Formula hue = colour.hue + delta;
    return toRgb({hue - floor(hue), colour.saturation, colour.value});
  });
  table["AdjustSaturation"] = colours([](const Formula &image) {
    Colour colour = toHsv(image);
    Binder &b = image.b();
    Formula scaled =
        colour.saturation * Formula(b, b.input(1)).cast(image.type());
    return toRgb({colour.hue,
                  minimum(maximum(scaled, image.number(0)), image.number(1)),
                  colour.value});
  });
  table["AdjustContrastv2"] = importAdjustContrast;
  table["CropAndResize"] = importCropAndResize;
  table["CropAndResizeGradImage"] = importCropImageGrad;
  table["CropAndResizeGradBoxes"] = importCropBoxesGrad;
  table["ResizeArea"] = importResizeArea;
  table["ScaleAndTranslate"] = scaleAndTranslate("graph.scale_translate");
  table["ScaleAndTranslateGrad"] =
      scaleAndTranslate("graph.scale_translate_grad");
  table["Dilation2D"] = dilation("graph.dilation", 2);
  table["Dilation2DBackpropInput"] = dilation("graph.dilation_image_grad", 3);
  table["Dilation2DBackpropFilter"] = dilation("graph.dilation_filter_grad", 3);
  table["ImageProjectiveTransformV2"] = table["ImageProjectiveTransformV3"] =
      importProjectiveTransform;
  table["NonMaxSuppression"] = nonMaxSuppression(1);
  table["NonMaxSuppressionV2"] = nonMaxSuppression(2);
  table["NonMaxSuppressionV3"] = nonMaxSuppression(3);
  table["NonMaxSuppressionV4"] = nonMaxSuppression(4);
  table["NonMaxSuppressionV5"] = nonMaxSuppression(5);
}

} // namespace tenon::tf
