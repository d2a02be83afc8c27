// Derivatives of convolutions, pooling and images: each is another op of the
// same window.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Convolution.h"
#include "dialects/graph/ops/Gradients.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/Pooling.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// An op over the same window: it has all of this op's attributes.
Tensor related(Gradient &g, StringRef name, ArrayRef<Tensor> operands) {
  return g.make(("graph." + name).str(), g.of().type(), operands,
                attributesOf(g.op));
}

void addConvolutions(MLIRContext *c) {
  addRule<ConvOp>(c, [](ConvOp op, Gradient &g) {
    Tensor x = g(op.getInput()), w = g(op.getFilter());
    if (g.wants(op.getInput()))
      g.add(op.getInput(),
            related(g, "conv_transpose", {g.of(), w, g.shapeOf(x.value())}));
    if (g.wants(op.getFilter()))
      g.add(op.getFilter(),
            related(g, "conv_filter_grad", {x, g.of(), g.shapeOf(w.value())}));
  });
  addRule<ConvTransposeOp>(c, [](ConvTransposeOp op, Gradient &g) {
    Tensor x = g(op.getInput()), w = g(op.getFilter());
    if (g.wants(op.getInput()))
      g.add(op.getInput(), related(g, "conv", {g.of(), w}));
    if (g.wants(op.getFilter()))
      g.add(op.getFilter(),
            related(g, "conv_filter_grad", {g.of(), x, g.shapeOf(w.value())}));
  });
  addRule<ConvFilterGradOp>(c, [](ConvFilterGradOp op, Gradient &g) {
    Tensor x = g(op.getInput()), dy = g(op.getGradient());
    if (g.wants(op.getInput()))
      g.add(op.getInput(),
            related(g, "conv_transpose", {dy, g.of(), g.shapeOf(x.value())}));
    if (g.wants(op.getGradient()))
      g.add(op.getGradient(), related(g, "conv", {x, g.of()}));
  });
  addRule<DepthwiseConvOp>(c, [](DepthwiseConvOp op, Gradient &g) {
    Tensor x = g(op.getInput()), w = g(op.getFilter());
    if (g.wants(op.getInput()))
      g.add(op.getInput(), related(g, "depthwise_conv_transpose",
                                   {g.of(), w, g.shapeOf(x.value())}));
    if (g.wants(op.getFilter()))
      g.add(op.getFilter(), related(g, "depthwise_conv_filter_grad",
                                    {x, g.of(), g.shapeOf(w.value())}));
  });
  addRule<DepthwiseConvTransposeOp>(
      c, [](DepthwiseConvTransposeOp op, Gradient &g) {
        Tensor dy = g(op.getGradient()), w = g(op.getFilter());
        if (g.wants(op.getGradient()))
          g.add(op.getGradient(), related(g, "depthwise_conv", {g.of(), w}));
        if (g.wants(op.getFilter()))
          g.add(op.getFilter(), related(g, "depthwise_conv_filter_grad",
                                        {g.of(), dy, g.shapeOf(w.value())}));
      });
  addRule<DepthwiseConvFilterGradOp>(
      c, [](DepthwiseConvFilterGradOp op, Gradient &g) {
        Tensor x = g(op.getInput()), dy = g(op.getGradient());
        if (g.wants(op.getInput()))
          g.add(op.getInput(), related(g, "depthwise_conv_transpose",
                                       {dy, g.of(), g.shapeOf(x.value())}));
        if (g.wants(op.getGradient()))
          g.add(op.getGradient(), related(g, "depthwise_conv", {x, g.of()}));
      });
}

void addPools(MLIRContext *c) {
  addRule<MaxPoolOp>(c, [](MaxPoolOp op, Gradient &g) {
    g.add(op.getInput(),
          related(g, "max_pool_grad", {g(op.getInput()), g.of()}));
  });
  // Where the greatest elements are does not change.
  addRule<MaxPoolGradOp>(c, [](MaxPoolGradOp op, Gradient &g) {
    g.add(op.getGradient(),
          related(g, "max_pool_pick", {g(op.getInput()), g.of()}));
  });
  addRule<MaxPoolPickOp>(c, [](MaxPoolPickOp op, Gradient &g) {
    g.add(op.getValues(),
          related(g, "max_pool_grad", {g(op.getInput()), g.of()}));
  });
  addRule<AvgPoolOp>(c, [](AvgPoolOp op, Gradient &g) {
    g.add(op.getInput(),
          related(g, "avg_pool_grad", {g.of(), g.shapeOf(op.getInput())}));
  });
  addRule<AvgPoolGradOp>(c, [](AvgPoolGradOp op, Gradient &g) {
    g.add(op.getGradient(), related(g, "avg_pool", g.of()));
  });
}

/// Height and width.
Tensor imageSize(Gradient &g, Value image) {
  return part(g.shapeOf(image), 1, 2);
}

void addImages(MLIRContext *c) {
  addRule<MirrorPadOp>(c, [](MirrorPadOp op, Gradient &g) {
    g.add(op.getInput(),
          related(g, "mirror_pad_grad", {g.of(), g(op.getPaddings())}));
  });
  addRule<MirrorPadGradOp>(c, [](MirrorPadGradOp op, Gradient &g) {
    g.add(op.getGradient(),
          related(g, "mirror_pad", {g.of(), g(op.getPaddings())}));
  });
  addRule<ResizeOp>(c, [](ResizeOp op, Gradient &g) {
    g.add(op.getInput(),
          related(g, "resize_grad", {g.of(), imageSize(g, op.getInput())}));
  });
  addRule<ResizeGradOp>(c, [](ResizeGradOp op, Gradient &g) {
    g.add(op.getGradient(),
          related(g, "resize", {g.of(), imageSize(g, op.getGradient())}));
  });
}
} // namespace

void tenon::graph::addWindowGradients(MLIRContext *context) {
  addConvolutions(context);
  addPools(context);
  addImages(context);
}
