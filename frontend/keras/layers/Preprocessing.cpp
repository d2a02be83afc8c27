//===- Preprocessing.cpp - preprocessing that is arithmetic ---------------===//

#include "frontend/keras/layers/Images.h"
#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

bool readArray(const llvm::json::Value &value, SmallVectorImpl<double> &all,
               SmallVectorImpl<int64_t> &shape, unsigned depth) {
  if (auto number = asNumber(value)) {
    all.push_back(*number);
    return shape.size() == depth;
  }
  const llvm::json::Array *list = value.getAsArray();
  if (!list || list->empty())
    return false;
  if (shape.size() == depth && all.empty())
    shape.push_back(int64_t(list->size()));
  if (depth >= shape.size() || shape[depth] != int64_t(list->size()))
    return false;
  for (const llvm::json::Value &element : *list)
    if (!readArray(element, all, shape, depth + 1))
      return false;
  return true;
}

Tensor resizeImages(Call &c, Tensor images, Tensor size, StringRef mode) {
  if (!images || !size || c.failed())
    return {};
  if (mode != "nearest" && mode != "bilinear" && mode != "bicubic") {
    c.fail("interpolation '" + mode +
           "' is not supported, expected nearest, bilinear or bicubic");
    return {};
  }
  Type type = mode == "nearest" || isa<FloatType>(images.type())
                  ? images.type()
                  : Type(c.g.builder.getF32Type());
  return c.g.make("graph.resize", type, {images, size},
                  {c.g.attr("mode", mode), c.g.unit("half_pixel_centers")});
}

namespace {
//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Configuration `key` as a tensor.
Tensor arrayOf(Call &c, StringRef key, Type type,
               SmallVectorImpl<int64_t> &shape) {
  SmallVector<double> all;
  const llvm::json::Value *value = c.config.get(key);
  if (!value || !readArray(*value, all, shape)) {
    c.fail("'" + key + "' must be a number or an array of numbers");
    return c.wrap({});
  }
  return constant(c.g, type, all, shape);
}

void callRescaling(Call &c) {
  Tensor x = graph::cast(c.input(), c.computeType());
  SmallVector<int64_t> scaleShape, offsetShape;
  Tensor scale = arrayOf(c, "scale", c.computeType(), scaleShape);
  Tensor offset = c.config.has("offset")
                      ? arrayOf(c, "offset", c.computeType(), offsetShape)
                      : c.g.scalar(c.computeType(), 0);
  if (!c.failed())
    c.set(x * scale + offset);
}

void declareNormalization(Declaration &d) {
  if (d.config.has("mean"))
    return;
  d.weight("mean", false);
  d.weight("variance", false);
  d.weight("count", false);
}

void callNormalization(Call &c) {
  Tensor x = graph::cast(c.input(), c.computeType());
  if (!x)
    return;
  SmallVector<int64_t> axes, shape;
  if (c.config.has("axis"))
    axes = c.axes("axis", x.rank());
  SmallVector<Size> sizes(x.rank(), Size(1));
  for (int64_t axis : axes) {
    shape.push_back(c.staticDim(x, axis));
    sizes[axis] = Size(shape.back());
  }
  if (c.failed())
    return;
  Tensor center, variance;
  if (c.hasWeight("mean")) {
    center = reshape(c.weight("mean", shape), sizes);
    variance = reshape(c.weight("variance", shape), sizes);
  } else {
    auto given = [&](StringRef key) {
      SmallVector<int64_t> own;
      Tensor value = arrayOf(c, key, c.computeType(), own);
      if (own.size() > axes.size()) {
        c.fail("'" + key + "' has more dimensions than 'axis' names");
        return c.wrap({});
      }
      SmallVector<Size> places(x.rank(), Size(1));
      for (size_t i = 1; i <= own.size(); ++i)
        places[axes[axes.size() - i]] = Size(own[own.size() - i]);
      return reshape(value, places);
    };
    center = given("mean");
    variance = given("variance");
  }
  Tensor deviation = maximum(graph::sqrt(variance), 1e-7);
  c.set(c.config.flag("invert", false) ? center + x * deviation
                                       : (x - center) / deviation);
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// Indices as they are, or as vectors of `depth` numbers.
Tensor encode(Call &c, Tensor indices, int64_t depth, Type type,
              Tensor weights = {}) {
  std::string mode = c.config.text("output_mode", "int");
  if (!indices || c.failed())
    return {};
  if (c.config.flag("sparse", false)) {
    c.fail("sparse results are not supported");
    return {};
  }
  if (mode == "int")
    return graph::cast(indices, type);
  if (!indices.type().isInteger(32) && !indices.type().isInteger(64))
    indices = graph::cast(indices, c.g.i64());
  if (indices.rank() == 0)
    indices = graph::expandDims(indices, 0);
  auto oneHot = [&](Tensor x) {
    return c.g.make(
        "graph.one_hot", type,
        {x, c.g.integer(depth), c.g.scalar(type, 1), c.g.scalar(type, 0)},
        c.g.attr("axis", int64_t(-1)));
  };
  int64_t axis = indices.rank() > 1 ? 1 : 0;
  if (mode == "one_hot") {
    if (indices.rank() > 1 && knownDim(indices, -1) == 1)
      indices = squeeze(indices, -1);
    return oneHot(indices);
  }
  Tensor encoded = oneHot(indices);
  if (mode == "multi_hot" || mode == "binary")
    return reduce("max", encoded, axis);
  if (mode == "count") {
    if (weights)
      encoded = encoded * graph::expandDims(weights, weights.rank());
    return reduce("sum", encoded, axis);
  }
  c.fail("'output_mode' " + mode + " is not supported");
  return {};
}

void callCategoryEncoding(Call &c) {
  int64_t depth = c.config.size("num_tokens");
  Tensor x = c.input();
  Tensor weights = c.tensor(1, "count_weights", /*required=*/false);
  c.set(encode(c, x, depth, c.computeType(), weights));
}

void callDiscretization(Call &c) {
  SmallVector<double> bounds = c.config.reals("bin_boundaries");
  Tensor x = c.input();
  if (!x || c.failed())
    return;
  if (!isa<FloatType>(x.type()) || !x.type().isF64())
    x = graph::cast(x, c.g.builder.getF32Type());
  // How many bounds are not greater.
  Tensor all = constant(c.g, x.type(), bounds, int64_t(bounds.size()));
  Type i32 = c.g.builder.getI32Type();
  Tensor passed = graph::cast(graph::expandDims(x, x.rank()) >= all, i32);
  Tensor indices = reduce("sum", passed, -1);
  bool isIndex = c.config.text("output_mode", "int") == "int";
  c.set(encode(c, indices, int64_t(bounds.size()) + 1,
               isIndex ? i32 : c.computeType()));
}

//===----------------------------------------------------------------------===//
// Hashing
//===----------------------------------------------------------------------===//

void callHashing(Call &c) {
  int64_t bins = c.config.size("num_bins");
  Tensor x = c.input();
  if (!x)
    return;
  std::string mode = c.config.text("output_mode", "int");
  if (mode == "one_hot" && x.rank() && knownDim(x, -1) == 1)
    x = squeeze(x, -1);
  Tensor masked;
  Type i64 = c.g.i64(), text = c.typeNamed("string");
  if (c.config.has("mask_value") && bins > 1) {
    --bins;
    if (x.type() == text) {
      std::string value = c.config.text("mask_value");
      auto type = RankedTensorType::get({}, text);
      Tensor word =
          c.g.make("graph.constant", text, {},
                   c.g.builder.getNamedAttr(
                       "value", DenseStringElementsAttr::get(type, {value})));
      if (!c.failed())
        masked = c.g.make("graph.string_compare", c.g.builder.getI1Type(),
                          {x, word});
    } else {
      masked = graph::equal(x, c.config.real("mask_value"));
    }
  }
  if (isa<FloatType>(x.type()))
    x = graph::cast(x, i64);
  if (x.type() != text)
    x = c.g.make("graph.as_string", text, x,
                 {c.g.attr("precision", int64_t(-1)),
                  c.g.attr("width", int64_t(-1)),
                  c.g.attr("fill", StringRef(""))});
  SmallVector<int64_t> key;
  if (const llvm::json::Value *salt = c.config.get("salt")) {
    if (auto number = salt->getAsInteger())
      key.assign(2, *number);
    else
      key = c.config.integers("salt", 2);
  }
  Tensor hashed =
      c.g.make("graph.string_hash", i64, x,
               {c.g.attr("buckets", bins),
                c.g.attr("method", StringRef(key.empty() ? "fast" : "strong")),
                c.g.attr("key", ArrayRef<int64_t>(key))});
  if (masked)
    hashed = graph::select(masked, 0.0, hashed + 1.0);
  c.set(encode(c, hashed, bins + (masked ? 1 : 0), c.computeType()));
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

/// [N, H, W, C] whatever the layout and with or without a batch.
Tensor toImages(Tensor x, bool channelsFirst) {
  if (x && x.rank() == 3)
    x = graph::expandDims(x, 0);
  return channelsFirst ? graph::transpose(x, {0, 2, 3, 1}) : x;
}

Tensor fromImages(Tensor x, bool channelsFirst, bool batched) {
  if (channelsFirst)
    x = graph::transpose(x, {0, 3, 1, 2});
  return batched ? x : squeeze(x, 0);
}

/// The greatest part in the middle with the aspect ratio of the target.
Tensor cropToAspect(Call &c, Tensor x, int64_t height, int64_t width) {
  int64_t h = c.staticDim(x, 1), w = c.staticDim(x, 2);
  if (c.failed())
    return {};
  int64_t cropHeight = int64_t(float(w * height) / float(width)),
          cropWidth = int64_t(float(h * width) / float(height));
  cropHeight = std::max<int64_t>(std::min(h, cropHeight), 1);
  cropWidth = std::max<int64_t>(std::min(w, cropWidth), 1);
  int64_t top = (h - cropHeight) / 2, left = (w - cropWidth) / 2;
  return slice(slice(x, 1, top, top + cropHeight), 2, left, left + cropWidth);
}

Tensor padToAspect(Call &c, Tensor x, int64_t height, int64_t width,
                   double value) {
  int64_t h = c.staticDim(x, 1), w = c.staticDim(x, 2);
  if (c.failed())
    return {};
  int64_t padHeight = std::max(h, int64_t(float(w * height) / float(width))),
          padWidth = std::max(w, int64_t(float(h * width) / float(height)));
  int64_t top = (padHeight - h) / 2, left = (padWidth - w) / 2;
  return pad(x, {{0, 0}, {top, top}, {left, left}, {0, 0}}, value);
}

void callResizing(Call &c) {
  int64_t height = c.config.size("height"), width = c.config.size("width");
  std::string mode = c.config.text("interpolation", "bilinear");
  if (c.config.flag("antialias", false))
    return c.fail("antialias is not supported");
  Tensor x = c.input(3);
  if (!x)
    return;
  bool first = c.channelsFirst(), batched = x.rank() == 4;
  Type type = x.type();
  Tensor images = toImages(x, first);
  if (c.config.flag("crop_to_aspect_ratio", false))
    images = cropToAspect(c, images, height, width);
  else if (c.config.flag("pad_to_aspect_ratio", false))
    images =
        padToAspect(c, images, height, width, c.config.real("fill_value", 0.0));
  Tensor y = resizeImages(c, images, c.g.integers({height, width}), mode);
  if (!y)
    return;
  if (y.type() != type && isa<IntegerType>(type)) {
    auto integer = cast<IntegerType>(type);
    unsigned bits = integer.getWidth();
    double top = std::pow(2.0, integer.isUnsigned() ? bits : bits - 1),
           low = integer.isUnsigned() ? 0 : -top;
    y = minimum(maximum(graph::apply("round", y), low),
                bits > 24 ? std::nextafter(float(top), 0.0f) : top - 1);
  }
  c.set(fromImages(graph::cast(y, type), first, batched));
}

void callCenterCrop(Call &c) {
  int64_t height = c.config.size("height"), width = c.config.size("width");
  Tensor x = graph::cast(c.input(3), c.computeType());
  if (!x)
    return;
  bool first = c.channelsFirst(), batched = x.rank() == 4;
  Tensor images = toImages(x, first);
  int64_t h = c.staticDim(images, 1), w = c.staticDim(images, 2);
  if (c.failed())
    return;
  if (h >= height && w >= width) {
    int64_t top = (h - height) / 2, left = (w - width) / 2;
    images = slice(slice(images, 1, top, top + height), 2, left, left + width);
  } else {
    images = resizeImages(c, cropToAspect(c, images, height, width),
                          c.g.integers({height, width}), "bilinear");
  }
  c.set(fromImages(images, first, batched));
}
} // namespace

void addPreprocessingLayers(LayerTable &table) {
  auto add = [&](StringRef name, void (*call)(Call &)) {
    table[name] = {nullptr, call, MaskRule::Destroy};
  };
  table["Rescaling"] = {nullptr, callRescaling, MaskRule::Keep};
  table["Normalization"] = {declareNormalization, callNormalization,
                            MaskRule::Keep};
  add("CategoryEncoding", callCategoryEncoding);
  add("Discretization", callDiscretization);
  add("Hashing", callHashing);
  add("Resizing", callResizing);
  add("CenterCrop", callCenterCrop);
}

} // namespace tenon::keras
