#include "dialects/graph/ops/Image.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/ResizeSupport.h"

using namespace mlir;
using namespace tenon::graph;

static LogicalResult expectVector(Operation *op, ShapeContext &shapes,
                                  Value value, int64_t length, StringRef name) {
  if (failed(expectRank(op, shapes, value, 1, name)))
    return failure();
  auto known = ShapeContext::asConstant(shapes.dim(value, 0));
  if (!known || *known == length)
    return success();
  return op->emitOpError() << name << " has " << *known
                           << " elements, expected " << length;
}

LogicalResult ResizeAreaOp::inferShapes(ShapeContext &shapes) {
  return inferResizedDims(*this, getImages(), getSize(), shapes);
}

static LogicalResult checkKernel(Operation *op, ShapeContext &shapes,
                                 StringRef kernel, Value scale,
                                 Value translation) {
  if (!llvm::is_contained({"lanczos1", "lanczos3", "lanczos5", "gaussian",
                           "box", "triangle", "keyscubic", "mitchellcubic"},
                          kernel))
    return op->emitOpError() << "has unknown kernel '" << kernel << "'";
  if (failed(expectVector(op, shapes, scale, 2, "scale")))
    return failure();
  return expectVector(op, shapes, translation, 2, "translation");
}

LogicalResult ScaleTranslateOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkKernel(*this, shapes, getKernel(), getScale(),
                         getTranslation())))
    return failure();
  return inferResizedDims(*this, getImages(), getSize(), shapes);
}

LogicalResult ScaleTranslateGradOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkKernel(*this, shapes, getKernel(), getScale(),
                         getTranslation())) ||
      failed(expectRank(*this, shapes, getGrad(), 4, "gradient")) ||
      failed(expectRank(*this, shapes, getImages(), 4, "images")))
    return failure();
  ArrayRef<AffineExpr> images = shapes.dims(getImages());
  shapes.setDims(getResult(), {shapes.dim(getGrad(), 0), images[1], images[2],
                               shapes.dim(getGrad(), 3)});
  return success();
}

static LogicalResult checkCrops(Operation *op, ShapeContext &shapes, Value grad,
                                Value boxes, Value numbers) {
  if (failed(expectRank(op, shapes, grad, 4, "gradient")) ||
      failed(expectRank(op, shapes, boxes, 2, "boxes")) ||
      failed(expectRank(op, shapes, numbers, 1, "image numbers")) ||
      failed(expectSame(op, shapes.dim(boxes, 1), shapes.constant(4),
                        "numbers of a box and 4")) ||
      failed(expectSame(op, shapes.dim(boxes, 0), shapes.dim(numbers, 0),
                        "boxes and image numbers")))
    return failure();
  return expectSame(op, shapes.dim(boxes, 0), shapes.dim(grad, 0),
                    "boxes and crops");
}

LogicalResult CropImageGradOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkCrops(*this, shapes, getGrad(), getBoxes(), getNumbers())) ||
      failed(expectVector(*this, shapes, getSize(), 4, "size")))
    return failure();
  Dims dims = elementsOrNull(shapes, getSize(), 4);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
    if (auto known = ShapeContext::asConstant(dim); known && *known < 0)
      return emitOpError() << "size " << *known << " is negative";
  }
  if (failed(expectSame(*this, dims[3], shapes.dim(getGrad(), 3),
                        "channels of images and crops")))
    return failure();
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult CropBoxesGradOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkCrops(*this, shapes, getGrad(), getBoxes(), getNumbers())) ||
      failed(expectRank(*this, shapes, getImages(), 4, "images")) ||
      failed(expectSame(*this, shapes.dim(getImages(), 3),
                        shapes.dim(getGrad(), 3),
                        "channels of images and crops")))
    return failure();
  shapes.setDims(getResult(), {shapes.dim(getBoxes(), 0), shapes.constant(4)});
  return success();
}

/// The dims of what a dilation gives.
static FailureOr<Dims> dilatedDims(Operation *op, ShapeContext &shapes,
                                   Value images, Value filter,
                                   ArrayRef<int64_t> strides,
                                   ArrayRef<int64_t> rates, bool same) {
  if (getElementTypeOrSelf(images) != getElementTypeOrSelf(filter))
    return op->emitOpError("images and filter have different element types");
  if (failed(expectRank(op, shapes, images, 4, "images")) ||
      failed(expectRank(op, shapes, filter, 3, "filter")) ||
      failed(expectSame(op, shapes.dim(images, 3), shapes.dim(filter, 2),
                        "channels of images and filter")))
    return failure();
  for (ArrayRef<int64_t> list : {strides, rates})
    if (list.size() != 2 || list[0] < 1 || list[1] < 1 || list[0] > INT32_MAX ||
        list[1] > INT32_MAX)
      return op->emitOpError("strides and rates need two elements of at least "
                             "1, of 32 bits");
  Dims dims(shapes.dims(images));
  for (int i = 0; i < 2; ++i) {
    AffineExpr extent = (shapes.dim(filter, i) - 1) * rates[i] + 1;
    AffineExpr places = same ? dims[i + 1] : dims[i + 1] - extent + 1;
    if (auto known = ShapeContext::asConstant(places); known && *known < 0)
      return op->emitOpError("the filter does not fit the images");
    dims[i + 1] =
        shapes.maximum(shapes.ceilDiv(places, strides[i]), shapes.constant(0));
  }
  return dims;
}

LogicalResult DilationOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = dilatedDims(*this, shapes, getImages(), getFilter(),
                                     getStrides(), getRates(), getSame());
  if (failed(dims))
    return failure();
  shapes.setDims(getResult(), *dims);
  return success();
}

/// Of a dilation's gradient: the shape of operand `like`.
template <typename OpTy>
static LogicalResult inferDilationGrad(OpTy op, ShapeContext &shapes,
                                       Value like) {
  FailureOr<Dims> dims =
      dilatedDims(op, shapes, op.getImages(), op.getFilter(), op.getStrides(),
                  op.getRates(), op.getSame());
  if (failed(dims) ||
      failed(expectRank(op, shapes, op.getGrad(), 4, "gradient")))
    return failure();
  for (int i = 0; i < 4; ++i)
    if (failed(expectSame(op, (*dims)[i], shapes.dim(op.getGrad(), i),
                          "sizes of the result and its gradient")))
      return failure();
  shapes.copyDims(op.getResult(), like);
  return success();
}

LogicalResult DilationImageGradOp::inferShapes(ShapeContext &shapes) {
  return inferDilationGrad(*this, shapes, getImages());
}
LogicalResult DilationFilterGradOp::inferShapes(ShapeContext &shapes) {
  return inferDilationGrad(*this, shapes, getFilter());
}

LogicalResult ProjectiveTransformOp::inferShapes(ShapeContext &shapes) {
  if (!llvm::is_contained({"CONSTANT", "REFLECT", "WRAP", "NEAREST"},
                          getMode()))
    return emitOpError() << "has unknown mode '" << getMode() << "'";
  if (failed(expectRank(*this, shapes, getTransforms(), 2, "transforms")) ||
      failed(expectSame(*this, shapes.dim(getTransforms(), 1),
                        shapes.constant(8), "numbers of a transform and 8")) ||
      failed(expectScalar(*this, shapes, getFill(), "fill")))
    return failure();
  return inferResizedDims(*this, getImages(), getSize(), shapes);
}

LogicalResult ImageSummaryOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getTag(), "tag")) ||
      failed(expectRank(*this, shapes, getImages(), 4, "images")) ||
      failed(expectRank(*this, shapes, getBadColor(), 1, "bad_color")))
    return failure();
  shapes.setDims(getResult(), {});
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Image.cpp.inc"

void tenon::graph::registerImageOps(GraphDialect &dialect) {
  registerOps<
#define GET_OP_LIST
#include "dialects/graph/ops/Image.cpp.inc"
      >(dialect);
}
