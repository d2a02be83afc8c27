//===- Normalization.cpp - softmax, batch normalization, losses -----------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Layout.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
Row softmax(StringRef op) {
  return [op](Binder &b) {
    Value input = b.input(0);
    if (input && b.rank(input) < 1)
      b.fail("expected a tensor of at least one dimension");
    b.set(0, b.make(op, Binder::type(input), input,
                    b.attribute("axis", int64_t(-1))));
  };
}

/// Results: y, mean, variance, and what the gradient reserves.
void importFusedBatchNorm(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 5);
  if (b.failed())
    return;
  Layout layout = readLayout(b, b.rank(in[0]));
  Type type = Binder::type(in[0]), statistics = Binder::type(in[1]);
  bool training = b.flag("is_training", true);
  for (int i : {1, 2, 3, 4})
    if (i < 3 || !training) {
      if (b.rank(in[i]) != 1)
        return b.fail("expected a vector of numbers for the channels");
      expectSize(b, in[i], 0, in[0], layout.channelAxis(),
                 "a vector has another size than the channels");
    }
  SmallVector<NamedAttribute> attributes = {
      b.attribute("axis", layout.channelAxis()),
      b.realAttribute("epsilon", b.real("epsilon", 1e-4f))};
  if (!training) {
    // TensorFlow's derivatives by the statistics are zero then.
    SmallVector<Value> operands = in;
    for (int i : {3, 4})
      if (!matchPattern(in[i], m_Constant()))
        operands[i] = b.make("graph.stop_gradient", statistics, in[i]);
    Value y = b.make("graph.batch_norm", type, operands, attributes);
    b.setAll({y, in[3], in[4], in[3], in[4], in[3]});
    return;
  }
  SmallVector<Value> out = b.makeAll(
      "graph.batch_norm_training", {type, statistics, statistics, statistics},
      ArrayRef<Value>(in).take_front(3), attributes);
  b.setAll({out[0], out[1], out[2], out[1], out[3], out[1]});
  // Running averages move by a part of the way.
  double factor = b.real("exponential_avg_factor", 1.0);
  if (factor == 1 || b.failed())
    return;
  for (int i : {1, 2}) {
    Formula before(b, in[2 + i]), now(b, out[i]);
    b.set(i, before * before.number(1 - factor) + now * now.number(factor));
  }
}

/// Inputs: dy, x, scale, and the reserved mean and variance.
void importFusedBatchNormGrad(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 5);
  if (b.failed())
    return;
  Layout layout = readLayout(b, b.rank(in[1]));
  Type type = Binder::type(in[0]), statistics = Binder::type(in[2]);
  bool training = b.flag("is_training", true);
  SmallVector<Value> out =
      b.makeAll("graph.batch_norm_grad", {type, statistics, statistics}, in,
                {b.attribute("axis", layout.channelAxis()),
                 b.realAttribute("epsilon", b.real("epsilon", 1e-4f)),
                 b.attribute("training", b.builder().getBoolAttr(training))});
  b.setAll({out[0], out[1], out[2], in[3], in[4]});
}

/// Inputs: t, mean, variance, beta, gamma.
void importGlobalBatchNorm(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 5);
  if (b.failed())
    return;
  Value scale = in[4];
  if (!b.flag("scale_after_normalization", {})) {
    Value sizes = b.make("graph.shape_of", b.builder().getI32Type(), in[4]);
    scale = b.make("graph.fill", Binder::type(in[4]),
                   {sizes, b.scalar(Binder::type(in[4]), 1)});
  }
  b.set(0,
        b.make("graph.batch_norm", Binder::type(in[0]),
               {in[0], scale, in[3], in[1], in[2]},
               {b.attribute("axis", b.rank(in[0]) - 1),
                b.realAttribute("epsilon", b.real("variance_epsilon", {}))}));
}

void importLrn(Binder &b) {
  Value input = b.input(0);
  b.set(0, b.make("graph.lrn", Binder::type(input), input,
                  {b.attribute("radius", b.integer("depth_radius", 5)),
                   b.realAttribute("bias", b.real("bias", 1)),
                   b.realAttribute("alpha", b.real("alpha", 1)),
                   b.realAttribute("beta", b.real("beta", 0.5))}));
}

Row crossEntropy(StringRef op) {
  return [op](Binder &b) {
    Value logits = b.input(0), labels = b.input(1);
    Type type = Binder::type(logits);
    if (op == "graph.sparse_softmax_cross_entropy" && labels &&
        b.rank(logits) == 2) {
      Type i64 = b.builder().getI64Type();
      Value wide = b.cast(labels, i64),
            sizes = b.make("graph.shape_of", i64, logits);
      Value classes = b.make("graph.gather", i64, {sizes, b.scalar(i64, 1)},
                             b.attribute("axis", int64_t(0)));
      Type i1 = b.builder().getI1Type();
      Value low = b.make("graph.less_equal", i1, {b.scalar(i64, 0), wide}),
            high = b.make("graph.less", i1, {wide, classes});
      expect(b, b.make("graph.and", i1, {low, high}),
             "a label is outside the range of classes");
    }
    b.setAll(b.makeAll(op, {type, type}, {logits, labels}));
  };
}
} // namespace

void addNormalizationRows(RowTable &table) {
  table["Softmax"] = softmax("graph.softmax");
  table["LogSoftmax"] = softmax("graph.log_softmax");
  table["FusedBatchNorm"] = table["FusedBatchNormV2"] =
      table["FusedBatchNormV3"] = importFusedBatchNorm;
  table["FusedBatchNormGrad"] = table["FusedBatchNormGradV2"] =
      table["FusedBatchNormGradV3"] = importFusedBatchNormGrad;
  table["BatchNormWithGlobalNormalization"] = importGlobalBatchNorm;
  table["LRN"] = importLrn;
  table["SoftmaxCrossEntropyWithLogits"] =
      crossEntropy("graph.softmax_cross_entropy");
  table["SparseSoftmaxCrossEntropyWithLogits"] =
      crossEntropy("graph.sparse_softmax_cross_entropy");
}

} // namespace tenon::tf
