// Derivatives of normalizations and losses.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Normalization.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

Tensor mean(Tensor x, ArrayRef<int64_t> axes, bool keepDims) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.reduce_mean", x.type(), x,
                {b.attr("axes", axes), b.flag("keep_dims", keepDims)});
}

/// What a cotangent of softmax's result y gives: y (g - sum(g y)).
Tensor softmaxGradient(Tensor y, Tensor g, int64_t axis) {
  return y * (g - sum(g * y, axis, /*keepDims=*/true));
}

//===----------------------------------------------------------------------===//
// Batch norm
//===----------------------------------------------------------------------===//

/// Batch norm in simpler ops, over the dimensions other than `axis`.
struct ChannelWise {
  SmallVector<int64_t> others;

  ChannelWise(int64_t rank, int64_t axis) {
    for (int64_t d = 0; d < rank; ++d)
      if (d != axis)
        others.push_back(d);
  }
  Tensor spread(Tensor vector) const { return expandDims(vector, others); }
  Tensor total(Tensor x) const { return sum(x, others); }
  Tensor average(Tensor x) const { return mean(x, others, false); }
};

/// The gradients that batch_norm_grad gives, written out, with the statistics
/// as functions of x when training: they depend on it.
SmallVector<Tensor> batchNormGradients(BatchNormGradOp op, Gradient &g) {
  ChannelWise channels(g(op.getInput()).rank(), op.getAxis());
  Type type = g(op.getScale()).type();
  Tensor dy = cast(g(op.getGradient()), type), x = cast(g(op.getInput()), type),
         scale = g(op.getScale()), average = g(op.getMean()),
         variance = g(op.getVariance());
  if (op.getTraining()) {
    average = channels.average(x);
    variance = channels.average(square(x - channels.spread(average)));
  }
  Tensor inverse = apply("rsqrt", variance + op.getEpsilon().convertToFloat());
  Tensor normal = (x - channels.spread(average)) * channels.spread(inverse);
  Tensor dscale = channels.total(dy * normal), doffset = channels.total(dy);
  Tensor centered = dy;
  if (op.getTraining())
    centered = dy - channels.spread(channels.average(dy)) -
               normal * channels.spread(channels.average(dy * normal));
  Tensor dx = centered * channels.spread(scale * inverse);
  return {cast(dx, g(op.getInput()).type()), dscale, doffset};
}

SmallVector<Tensor> batchNormGrad(Gradient &g, Tensor dy, Value x, Value scale,
                                  Value mean, Value variance, int64_t axis,
                                  double epsilon, bool training) {
  Type type = getElementTypeOrSelf(scale);
  return g.makeAll("graph.batch_norm_grad", {dy.type(), type, type},
                   {dy, g(x), g(scale), g(mean), g(variance)},
                   {g.attr("axis", axis), g.real("epsilon", epsilon),
                    g.flag("training", training)});
}

void batchNormGradient(BatchNormOp op, Gradient &g) {
  double epsilon = op.getEpsilon().convertToFloat();
  auto grads = batchNormGrad(g, g.of(), op.getInput(), op.getScale(),
                             op.getMean(), op.getVariance(), op.getAxis(),
                             epsilon, /*training=*/false);
  g.add(op.getInput(), grads[0]);
  g.add(op.getScale(), grads[1]);
  g.add(op.getOffset(), grads[2]);
  Tensor scale = g(op.getScale());
  Tensor inverse = apply("rsqrt", g(op.getVariance()) + epsilon);
  if (g.wants(op.getMean()))
    g.add(op.getMean(), -(grads[2] * scale * inverse));
  if (g.wants(op.getVariance()))
    g.add(op.getVariance(), grads[1] * scale * square(inverse) * -0.5);
}

//===----------------------------------------------------------------------===//
// Layer norm, LRN
//===----------------------------------------------------------------------===//

SmallVector<Tensor> layerNorm(LayerNormOp op, Gradient &g) {
  Tensor x = g(op.getInput());
  SmallVector<int64_t> axes;
  for (int64_t d = wrapAxis(op.getAxis(), x.rank()); d < x.rank(); ++d)
    axes.push_back(d);
  Tensor centered = x - mean(x, axes, true);
  Tensor variance = mean(square(centered), axes, true);
  Tensor inverse = apply("rsqrt", variance + op.getEpsilon().convertToFloat());
  return {centered * inverse * g(op.getScale()) + g(op.getOffset())};
}

/// Sums over neighbours are products with a band of ones.
void lrnGradient(LrnOp op, Gradient &g) {
  Tensor x = g(op.getInput()), y = g(op.getResult());
  double alpha = op.getAlpha().convertToFloat(),
         beta = op.getBeta().convertToFloat();
  Tensor count = expandDims(g.size(op.getInput(), x.rank() - 1), int64_t(0));
  Tensor radius = g.integer(op.getRadius());
  Tensor band =
      g.make("graph.matrix_band_part", x.type(),
             {g.fill(concat({count, count}, 0), g.scalar(x.type(), 1)), radius,
              radius});
  Tensor norm = matmul(square(x), band, false, false) * alpha +
                op.getBias().convertToFloat();
  Tensor direct = g.of() * pow(norm, g.scalar(x.type(), -beta));
  Tensor around = matmul(g.of() * y / norm, band, false, false);
  g.add(op.getInput(), direct - x * around * (2 * alpha * beta));
}

//===----------------------------------------------------------------------===//
// Losses
//===----------------------------------------------------------------------===//

/// Result 1 is the derivative of result 0 by the logits, and the derivative of
/// that is softmax's.
template <typename OpTy> void crossEntropyGradient(OpTy op, Gradient &g) {
  if (g.of(0))
    g.add(op.getLogits(), expandDims(g.of(0), 1) * g(op.getGradient()));
  if (g.of(1))
    g.add(op.getLogits(),
          softmaxGradient(apply("softmax", g(op.getLogits())), g.of(1), 1));
}
} // namespace

void tenon::graph::addNormalizationGradients(MLIRContext *context) {
  addRule<SoftmaxOp>(context, [](SoftmaxOp op, Gradient &g) {
    Tensor y = g(op.getResult());
    g.add(op.getInput(),
          softmaxGradient(y, g.of(), wrapAxis(op.getAxis(), y.rank())));
  });
  addRule<LogSoftmaxOp>(context, [](LogSoftmaxOp op, Gradient &g) {
    Tensor y = g(op.getResult());
    Tensor total = sum(g.of(), wrapAxis(op.getAxis(), y.rank()), true);
    g.add(op.getInput(), g.of() - exp(y) * total);
  });
  addRule<BatchNormOp>(
      context, [](BatchNormOp op, Gradient &g) { batchNormGradient(op, g); });
  addRule<BatchNormTrainingOp>(
      context, [](BatchNormTrainingOp op, Gradient &g) {
        // The statistics are results for running averages, not for losses.
        if (!g.of())
          return;
        auto grads = batchNormGrad(g, g.of(), op.getInput(), op.getScale(),
                                   op.getMean(), op.getVariance(), op.getAxis(),
                                   op.getEpsilon().convertToFloat(),
                                   /*training=*/true);
        g.add(op.getInput(), grads[0]);
        g.add(op.getScale(), grads[1]);
        g.add(op.getOffset(), grads[2]);
      });
  addRule<BatchNormGradOp>(context, [](BatchNormGradOp op, Gradient &g) {
    differentiateAs(g, [&] { return batchNormGradients(op, g); });
  });
  addRule<LayerNormOp>(context, [](LayerNormOp op, Gradient &g) {
    differentiateAs(g, [&] { return layerNorm(op, g); });
  });
  addRule<LrnOp>(context, [](LrnOp op, Gradient &g) { lrnGradient(op, g); });
  addRule<SoftmaxCrossEntropyOp>(
      context, [](SoftmaxCrossEntropyOp op, Gradient &g) {
        crossEntropyGradient(op, g);
        if (g.wants(op.getLabels())) {
          if (g.of(0))
            g.add(op.getLabels(), -(expandDims(g.of(0), 1) *
                                    apply("log_softmax", g(op.getLogits()))));
          if (g.of(1))
            g.add(op.getLabels(), -g.of(1));
        }
      });
  addRule<SparseSoftmaxCrossEntropyOp>(
      context, [](SparseSoftmaxCrossEntropyOp op, Gradient &g) {
        crossEntropyGradient(op, g);
      });
}
