//===- Normalization.cpp - normalizations ---------------------------------===//

#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

namespace {
/// Statistics are computed in f32 at least.
Type statisticsType(Call &c, Tensor x) {
  return x && x.type().isF64() ? x.type() : Type(c.g.builder.getF32Type());
}

/// A vector over `axis`, with dimensions of size 1 behind it.
Tensor along(Tensor vector, int64_t axis, int64_t rank) {
  if (!vector)
    return vector;
  SmallVector<int64_t> axes;
  for (int64_t i = 1; i < rank - axis; ++i)
    axes.push_back(i);
  return graph::expandDims(vector, axes);
}

//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

void declareBatchNormalization(Declaration &d) {
  if (d.config.flag("scale", true))
    d.weight("gamma");
  if (d.config.flag("center", true))
    d.weight("beta");
  d.weight("moving_mean", false);
  d.weight("moving_variance", false);
  if (d.config.flag("renorm", false)) {
    d.weight("moving_stddev", false);
    d.weight("renorm_mean", false);
    d.weight("renorm_stddev", false);
  }
}

/// Mean and variance (divided by the count) over `axes`, of the steps that the
/// mask keeps.
std::pair<Tensor, Tensor> moments(Tensor x, ArrayRef<int64_t> axes,
                                  Tensor mask) {
  if (!mask) {
    Tensor center = mean(x, axes, true);
    return {center, mean(graph::square(x - center), axes, true)};
  }
  Tensor weights = graph::cast(graph::expandDims(mask, x.rank() - 1), x.type());
  Tensor ones = broadcast(weights, sizesOf(x));
  Tensor count = reduce("sum", ones, axes, true);
  Tensor center =
      graph::apply("div_no_nan", reduce("sum", x * ones, axes, true), count);
  Tensor spread = reduce("sum", graph::square(x - center) * ones, axes, true);
  return {center, graph::apply("div_no_nan", spread, count)};
}

void callBatchNormalization(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  SmallVector<int64_t> axes = c.axes("axis", x.rank());
  if (axes.size() != 1)
    return c.fail("'axis' must be one axis");
  int64_t axis = axes[0], channels = c.staticDim(x, axis);
  double epsilon = c.config.real("epsilon", 1e-3),
         momentum = c.config.real("momentum", 0.99);
  Type type = statisticsType(c, x);
  auto vector = [&](StringRef name, double otherwise) {
    if (!c.hasWeight(name))
      return constant(c.g, type, SmallVector<double>(channels, otherwise),
                      channels);
    return graph::cast(c.weight(name, channels, /*cast=*/false), type);
  };
  Tensor gamma = vector("gamma", 1), beta = vector("beta", 0),
         center = vector("moving_mean", 0),
         variance = vector("moving_variance", 1);
  Tensor wide = graph::cast(x, type);
  if (c.training && c.layer.trainable && !c.failed()) {
    if (c.config.flag("renorm", false))
      return c.fail("training with renorm is not supported");
    SmallVector<int64_t> others;
    for (int64_t i = 0; i < x.rank(); ++i)
      if (i != axis)
        others.push_back(i);
    auto [batchMean, batchVariance] = moments(wide, others, c.mask());
    batchMean = squeeze(batchMean, others);
    batchVariance = squeeze(batchVariance, others);
    c.assign("moving_mean", center * momentum + batchMean * (1 - momentum));
    c.assign("moving_variance",
             variance * momentum + batchVariance * (1 - momentum));
    center = batchMean;
    variance = batchVariance;
  }
  if (c.failed())
    return;
  Tensor y =
      c.g.make("graph.batch_norm", type, {wide, gamma, beta, center, variance},
               {c.g.attr("axis", axis), c.g.real("epsilon", epsilon)});
  c.set(graph::cast(y, c.computeType()));
}

//===----------------------------------------------------------------------===//
// Layer, root mean square, unit
//===----------------------------------------------------------------------===//

void declareLayerNormalization(Declaration &d) {
  bool rms = d.config.flag("rms_scaling", false);
  if (rms || d.config.flag("scale", true))
    d.weight("gamma");
  if (!rms && d.config.flag("center", true))
    d.weight("beta");
}

/// A weight over `axes`, in its place among the dimensions of `x`.
Tensor overAxes(Call &c, StringRef name, Tensor x, ArrayRef<int64_t> axes,
                Type type) {
  SmallVector<int64_t> shape;
  SmallVector<Size> sizes(x.rank(), Size(1));
  for (int64_t axis : axes) {
    shape.push_back(c.staticDim(x, axis));
    sizes[axis] = Size(shape.back());
  }
  Tensor value = graph::cast(c.weight(name, shape, /*cast=*/false), type);
  return axes.size() == 1 && axes[0] == x.rank() - 1 ? value
                                                     : reshape(value, sizes);
}

void callLayerNormalization(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  SmallVector<int64_t> axes = c.axes("axis", x.rank());
  double epsilon = c.config.real("epsilon", 1e-3);
  bool rms = c.config.flag("rms_scaling", false);
  if (c.failed())
    return;
  Type type = statisticsType(c, x);
  Tensor wide = graph::cast(x, type);
  Tensor center = mean(wide, axes, true), moved = wide - center;
  Tensor variance = mean(graph::square(moved), axes, true);
  Tensor y = (rms ? wide : moved) * graph::apply("rsqrt", variance + epsilon);
  if (c.hasWeight("gamma"))
    y = y * overAxes(c, "gamma", x, axes, type);
  if (c.hasWeight("beta"))
    y = y + overAxes(c, "beta", x, axes, type);
  c.set(graph::cast(y, c.computeType()));
}

void callRmsNormalization(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  SmallVector<int64_t> axes = c.axes("axis", x.rank());
  double epsilon = c.config.real("epsilon", 1e-6);
  if (c.failed())
    return;
  Type type = statisticsType(c, x);
  Tensor wide = graph::cast(x, type);
  Tensor power = mean(graph::square(wide), axes, true);
  Tensor y = wide * graph::apply("rsqrt", power + epsilon) *
             overAxes(c, "scale", x, axes, type);
  c.set(graph::cast(y, c.computeType()));
}

void callUnitNormalization(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  SmallVector<int64_t> axes = c.axes("axis", x.rank());
  if (c.failed())
    return;
  c.set(unitLength(x, axes, 1e-12));
}

//===----------------------------------------------------------------------===//
// Group normalization
//===----------------------------------------------------------------------===//

void callGroupNormalization(Call &c) {
  Tensor x = c.input(2);
  if (!x)
    return;
  int64_t axis = c.axis(c.config.integer("axis", -1), x.rank()),
          groups = c.config.integer("groups", 32),
          channels = c.staticDim(x, axis);
  double epsilon = c.config.real("epsilon", 1e-3);
  if (groups == -1)
    groups = channels;
  if (c.failed())
    return;
  if (groups < 1 || channels % groups)
    return c.fail("'groups' (" + llvm::Twine(groups) + ") does not divide " +
                  llvm::Twine(channels) + " channels");
  Type type = statisticsType(c, x);
  SmallVector<Size> sizes = sizesOf(x), grouped = sizes;
  grouped[axis] = Size(channels / groups);
  grouped.insert(grouped.begin() + axis, Size(groups));
  Tensor parts = reshape(graph::cast(x, type), grouped);
  SmallVector<int64_t> axes;
  for (int64_t i = 1; i <= x.rank(); ++i)
    if (i != axis)
      axes.push_back(i);
  Tensor center = mean(parts, axes, true), moved = parts - center;
  Tensor variance = mean(graph::square(moved), axes, true);
  Tensor y = reshape(moved * graph::apply("rsqrt", variance + epsilon), sizes);
  if (c.hasWeight("gamma"))
    y = y * along(graph::cast(c.weight("gamma", channels, false), type), axis,
                  x.rank());
  if (c.hasWeight("beta"))
    y = y + along(graph::cast(c.weight("beta", channels, false), type), axis,
                  x.rank());
  c.set(graph::cast(y, c.computeType()));
}

void declareScaleAndCenter(Declaration &d) {
  if (d.config.flag("scale", true))
    d.weight("gamma");
  if (d.config.flag("center", true))
    d.weight("beta");
}

//===----------------------------------------------------------------------===//
// Spectral normalization
//===----------------------------------------------------------------------===//

void declareSpectral(Declaration &d) {
  // The inner layer's kernel counts as the first variable of this one, too.
  d.weight("vector_u", false, "", 1);
  if (const llvm::json::Value *inner = d.config.get("layer"))
    d.part("layer", *inner);
  else
    d.config.fail("'layer' is missing");
}

/// Divides the inner layer's kernel by its greatest singular value, which is
/// estimated anew, and keeps it so.
void normalizeKernel(Call &c, Layer &layer) {
  Call inner(c.importer, layer, c.g.loc, c.g.builder, c.g.shapes, c.training);
  StringRef name = inner.hasWeight("kernel") ? "kernel" : "embeddings";
  int64_t steps = c.config.size("power_iterations", 1);
  Tensor kernel = inner.weight(name);
  if (inner.failed() || !kernel || steps > 1000)
    return c.fail("the inner layer has no kernel to normalize");
  int64_t columns = c.staticDim(kernel, -1);
  Tensor matrix = reshape(kernel, {Size(-1), Size(columns)});
  Tensor before = c.weight("vector_u", {1, columns}), u = before, v;
  for (int64_t i = 0; i < steps; ++i) {
    v = unitLength(graph::matmul(u, matrix, false, true), {0, 1}, 1e-7);
    u = unitLength(graph::matmul(v, matrix, false, false), {0, 1}, 1e-7);
  }
  Tensor sigma =
      reduce("sum", graph::matmul(v, matrix, false, false) * u, {0, 1}, false);
  Tensor zero = reduce("all", graph::equal(kernel, 0),
                       graph::upTo(kernel ? kernel.rank() : 0));
  inner.assign(name, graph::select(zero, kernel, kernel / sigma));
  c.assign("vector_u", graph::select(zero, before, u));
  if (inner.failed())
    c.fail(inner.problem);
}

void callSpectral(Call &c) {
  Tensor x = c.input();
  Layer *layer = c.layer.part("layer");
  if (c.training && layer && x)
    normalizeKernel(c, *layer);
  if (c.failed())
    return;
  Argument y = c.callPart("layer", {c.arguments[0]});
  if (y.kind == Argument::Tensor && x)
    c.set(graph::cast(c.wrap(y.tensor), x.type()));
}

/// A factor for each channel (of keras.applications).
void callLayerScale(Call &c) {
  Tensor x = c.input(1);
  c.set(x * c.weight("gamma", c.staticDim(x, -1)));
}
} // namespace

void addNormalizationLayers(LayerTable &table) {
  table["BatchNormalization"] = {declareBatchNormalization,
                                 callBatchNormalization, MaskRule::Keep};
  table["LayerNormalization"] = {declareLayerNormalization,
                                 callLayerNormalization, MaskRule::Keep};
  table["GroupNormalization"] = {declareScaleAndCenter, callGroupNormalization,
                                 MaskRule::Keep};
  table["RMSNormalization"] = {[](Declaration &d) { d.weight("scale"); },
                               callRmsNormalization, MaskRule::Destroy};
  table["UnitNormalization"] = {nullptr, callUnitNormalization, MaskRule::Keep};
  table["LayerScale"] = {[](Declaration &d) { d.weight("gamma"); },
                         callLayerScale, MaskRule::Destroy};
  table["SpectralNormalization"] = {declareSpectral, callSpectral,
                                    MaskRule::Destroy};
}

} // namespace tenon::keras
