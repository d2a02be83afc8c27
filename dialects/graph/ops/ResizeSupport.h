#ifndef TENON_DIALECTS_GRAPH_OPS_RESIZESUPPORT_H
#define TENON_DIALECTS_GRAPH_OPS_RESIZESUPPORT_H

#include "dialects/graph/LoweringSupport.h"

/// Where resized images sample the ones they come from.
namespace tenon::graph {

llvm::LogicalResult inferResizedDims(mlir::Operation *op, mlir::Value images,
                                     mlir::Value size, ShapeContext &shapes);

/// The shape rule of resizes and their gradients, ops with the attributes mode,
/// align_corners and half_pixel_centers: `images` [n, height, width, channels]
/// become the first result, of `size` [height, width].
template <typename OpTy>
llvm::LogicalResult inferResized(OpTy op, mlir::Value images,
                                 ShapeContext &shapes) {
  if (op.getMode() != "nearest" && op.getMode() != "bilinear" &&
      op.getMode() != "bicubic")
    return op.emitOpError() << "has unknown mode '" << op.getMode() << "'";
  if (op.getAlignCorners() && op.getHalfPixelCenters())
    return op.emitOpError("align_corners and half_pixel_centers exclude each "
                          "other");
  return inferResizedDims(op, images, op.getSize(), shapes);
}

/// Arithmetic of one dimension's sample positions, in f32 as TensorFlow does.
struct Sampling {
  bool alignCorners, halfPixel;
  mlir::Value input, last, scale; ///< size, size - 1, step per result element

  /// Of a dimension of size `input` that becomes one of size `output`.
  static Sampling of(LoweringContext &lowering, mlir::Location loc,
                     mlir::AffineExpr input, mlir::AffineExpr output,
                     bool alignCorners, bool halfPixel);

  static mlir::Value number(mlir::OpBuilder &b, mlir::Location loc,
                            double value);
  static mlir::Value toFloat(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value index);
  mlir::Value toClampedIndex(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value real) const;
  /// Where result element `index` samples the image.
  mlir::Value position(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value index) const;
  /// The element that result element `index` is.
  mlir::Value nearest(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::Value index) const;
};

/// Two elements and the weight of the second.
struct LinearTaps {
  mlir::Value low, high, weight;
};
LinearTaps linearTaps(mlir::OpBuilder &b, mlir::Location loc,
                      const Sampling &along, mlir::Value index);

/// Four taps of a cubic kernel; weights are those of 1024 steps between two
/// elements. With half-pixel centers (Keys' kernel) taps outside the image have
/// no weight, and the others make up for it.
struct CubicTaps {
  mlir::Value index[4], weight[4];
};
CubicTaps cubicTaps(mlir::OpBuilder &b, mlir::Location loc,
                    const Sampling &along, mlir::Value index);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_RESIZESUPPORT_H
