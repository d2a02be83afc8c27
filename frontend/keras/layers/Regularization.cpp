//===- Regularization.cpp - layers that do something in training only -----===//

#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

namespace {
/// The sizes of the random numbers: 1 where they are shared.
SmallVector<Size> noiseSizes(Call &c, Tensor x) {
  SmallVector<Size> sizes = sizesOf(x);
  const llvm::json::Value *given = c.config.get("noise_shape");
  const llvm::json::Array *list = given ? given->getAsArray() : nullptr;
  if (!list)
    return sizes;
  if (list->size() != sizes.size()) {
    c.fail("'noise_shape' has another number of dimensions than the input");
    return sizes;
  }
  for (auto [size, element] : llvm::zip(sizes, *list))
    if (auto known = element.getAsInteger())
      size = Size(*known);
  return sizes;
}

/// Zeros with probability `rate`, all else scaled up to the same mean.
Tensor drop(Call &c, Tensor x, ArrayRef<Size> sizes, double rate) {
  if (rate >= 1)
    return x * 0.0;
  Tensor drawn = c.randomUniform(sizes, c.g.builder.getF32Type());
  Tensor kept = graph::cast(drawn >= c.g.scalar(drawn.type(), rate), x.type());
  return x * kept * (1 / (1 - rate));
}

/// What part is dropped, as Keras takes it.
double rateOf(Call &c, StringRef key = "rate") {
  double rate = c.config.real(key);
  if (!(rate >= 0 && rate <= 1))
    c.fail("'" + key + "' must be from 0 to 1");
  return rate;
}

void callDropout(Call &c) {
  double rate = rateOf(c);
  Tensor x = c.input();
  if (x && c.training && rate > 0)
    x = drop(c, x, noiseSizes(c, x), rate);
  c.set(x);
}

template <int64_t spatial> void callSpatialDropout(Call &c) {
  double rate = rateOf(c);
  Tensor x = c.inputOfRank(spatial + 2);
  if (x && c.training && rate > 0) {
    SmallVector<Size> sizes = sizesOf(x);
    int64_t first = spatial > 1 && c.channelsFirst() ? 2 : 1;
    for (int64_t i = 0; i < spatial; ++i)
      sizes[first + i] = Size(1);
    x = drop(c, x, sizes, rate);
  }
  c.set(x);
}

void callAlphaDropout(Call &c) {
  double rate = rateOf(c);
  Tensor x = c.input();
  if (x && c.training && rate > 0 && rate < 1) {
    double low = -1.6732632423543772848 * 1.0507009873554804935;
    double a = 1 / std::sqrt((1 - rate) * (1 + rate * low * low));
    Tensor drawn = c.randomUniform(noiseSizes(c, x), c.g.builder.getF32Type());
    Tensor kept =
        graph::cast(drawn >= c.g.scalar(drawn.type(), rate), x.type());
    x = (x * kept + (1.0 - kept) * low) * a - a * low * rate;
  }
  c.set(x);
}

void callGaussianDropout(Call &c) {
  double rate = rateOf(c);
  Tensor x = c.input();
  if (x && c.training && rate > 0 && rate < 1)
    x = x *
        (c.randomNormal(sizesOf(x), x.type()) * std::sqrt(rate / (1 - rate)) +
         1.0);
  c.set(x);
}

void callGaussianNoise(Call &c) {
  double deviation = c.config.real("stddev");
  Tensor x = c.input();
  if (x && c.training && deviation > 0)
    x = x + c.randomNormal(sizesOf(x), x.type()) * deviation;
  c.set(x);
}

void callNothing(Call &c) { c.set(c.input()); }

/// Whole samples dropped.
void callStochasticDepth(Call &c) {
  double rate = rateOf(c, "drop_path_rate");
  Tensor x = c.input(1);
  if (x && c.training && rate > 0) {
    SmallVector<Size> sizes(x.rank(), Size(1));
    sizes[0] = Size(x, 0);
    x = drop(c, x, sizes, rate);
  }
  c.set(x);
}

/// Pictures are changed in training only.
void callAugmentation(Call &c) {
  if (c.training)
    return c.fail("training with random changes of pictures is not supported");
  c.set(graph::cast(c.input(), c.computeType()));
}
} // namespace

void addRegularizationLayers(LayerTable &table) {
  auto add = [&](StringRef name, void (*call)(Call &), bool masks) {
    table[name] = {nullptr, call, masks ? MaskRule::Keep : MaskRule::Destroy};
  };
  add("Dropout", callDropout, true);
  add("SpatialDropout1D", callSpatialDropout<1>, true);
  add("SpatialDropout2D", callSpatialDropout<2>, true);
  add("SpatialDropout3D", callSpatialDropout<3>, true);
  add("AlphaDropout", callAlphaDropout, true);
  add("GaussianDropout", callGaussianDropout, true);
  add("GaussianNoise", callGaussianNoise, true);
  add("ActivityRegularization", callNothing, true);
  add("StochasticDepth", callStochasticDepth, false);
  for (StringRef name : {"AugMix",
                         "CutMix",
                         "MixUp",
                         "RandAugment",
                         "RandomBrightness",
                         "RandomColorDegeneration",
                         "RandomColorJitter",
                         "RandomContrast",
                         "RandomElasticTransform",
                         "RandomErasing",
                         "RandomFlip",
                         "RandomGaussianBlur",
                         "RandomGrayscale",
                         "RandomHue",
                         "RandomInvert",
                         "RandomPerspective",
                         "RandomPosterization",
                         "RandomRotation",
                         "RandomSaturation",
                         "RandomSharpness",
                         "RandomShear",
                         "RandomTranslation",
                         "RandomZoom"})
    add(name, callAugmentation, false);
}

} // namespace tenon::keras
