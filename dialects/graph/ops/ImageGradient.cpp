// Derivatives of ops on images.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Image.h"

using namespace mlir;
using namespace tenon::graph;

void tenon::graph::addImageGradients(MLIRContext *c) {
  addRule<ScaleTranslateOp>(c, [](ScaleTranslateOp op, Gradient &g) {
    if (g.wants(op.getScale()) || g.wants(op.getTranslation()))
      return g.fail("sampled images have a derivative by the images, not by "
                    "where they are sampled");
    SmallVector<NamedAttribute> attributes = attributesOf(op);
    g.add(op.getImages(),
          g.make("graph.scale_translate_grad", g.of().type(),
                 {g.of(), cast(g(op.getImages()), g.of().type()),
                  g(op.getScale()), g(op.getTranslation())},
                 attributes));
  });
  addRule<ScaleTranslateGradOp>(c, [](ScaleTranslateGradOp op, Gradient &g) {
    // Linear: what it undoes is done again. The images only have a shape.
    if (g.wants(op.getGrad()))
      g.add(op.getGrad(), g.make("graph.scale_translate", g.of().type(),
                                 {g.of(),
                                  cast(part(g.shapeOf(op.getGrad()), 1, 2),
                                       g.builder.getI32Type()),
                                  g(op.getScale()), g(op.getTranslation())},
                                 attributesOf(op)));
  });
  addRule<DilationOp>(c, [](DilationOp op, Gradient &g) {
    Tensor images = g(op.getImages()), filter = g(op.getFilter());
    if (g.wants(op.getImages()))
      g.add(op.getImages(), g.make("graph.dilation_image_grad", images.type(),
                                   {images, filter, g.of()}, attributesOf(op)));
    if (g.wants(op.getFilter()))
      g.add(op.getFilter(), g.make("graph.dilation_filter_grad", filter.type(),
                                   {images, filter, g.of()}, attributesOf(op)));
  });
  auto choosing = [] {
    return "which element of a window is the greatest has no rule for further "
           "derivatives";
  };
  refuseGradient<DilationImageGradOp>(c, choosing);
  refuseGradient<DilationFilterGradOp>(c, choosing);
  auto crops = [] { return "crops are differentiated once only"; };
  refuseGradient<CropImageGradOp>(c, crops);
  refuseGradient<CropBoxesGradOp>(c, crops);
  refuseGradient<ResizeAreaOp>(
      c, [] { return "means of areas have no rule, as in TensorFlow"; });
  refuseGradient<ProjectiveTransformOp>(
      c, [] { return "projections of images have no rule"; });
  addZeroRules<ImageSummaryOp>(c);
}
