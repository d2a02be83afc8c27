// Ops of Gradients.td that belong to borders and sizes of images.
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/ContractionSupport.h"
#include "dialects/graph/ops/Gradients.h"
#include "dialects/graph/ops/Reduce.h"
#include "dialects/graph/ops/ResizeSupport.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// mirror_pad_grad
//===----------------------------------------------------------------------===//

LogicalResult MirrorPadGradOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getGradient());
  int64_t rank = from.size();
  if (failed(expectRank(*this, shapes, getPaddings(), 2, "paddings")) ||
      failed(expectSame(*this, shapes.dim(getPaddings(), 0),
                        shapes.constant(rank),
                        "the rank and the rows of paddings")) ||
      failed(expectSame(*this, shapes.dim(getPaddings(), 1), shapes.constant(2),
                        "the columns of paddings and 2")))
    return failure();
  Dims widths = elementsOrNull(shapes, getPaddings(), 2 * rank), dims;
  int64_t inner = getSymmetric() ? 0 : 1;
  for (int64_t i = 0; i < rank; ++i) {
    AffineExpr low = widths[2 * i], high = widths[2 * i + 1];
    if (!low || !high) {
      dims.push_back(shapes.freshSymbol(getResult(), i));
      continue;
    }
    AffineExpr size =
        simplifyAffineExpr(from[i] - low - high, 0, shapes.symbolCount());
    std::optional<int64_t> known = ShapeContext::asConstant(size);
    for (AffineExpr width : {low, high}) {
      std::optional<int64_t> border = ShapeContext::asConstant(width);
      if ((border && *border < 0) ||
          (border && known && *border > *known - inner && *border > 0))
        return emitOpError()
               << "padding " << *border << " of dimension " << i
               << (*border < 0 ? " is negative" : " is wider than the mirror");
    }
    if (known && *known < 0)
      return emitOpError() << "paddings of dimension " << i
                           << " are wider than the gradient";
    dims.push_back(known ? size : shapes.maximum(size, shapes.constant(0)));
  }
  shapes.setDims(getResult(), dims);
  return success();
}

/// Folds the border of one dimension after another.
LogicalResult MirrorPadGradOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Value value = lowering.get(getGradient()),
        matrix = lowering.get(getPaddings()), zero = lowering.constantIndex(0),
        one = lowering.constantIndex(1);
  Type element = getElementTypeOrSelf(value.getType()),
       integer = getElementTypeOrSelf(getPaddings().getType());
  Dims dims(shapes.dims(getGradient()));
  int64_t rank = dims.size(), inner = getSymmetric() ? 0 : 1;
  Dims widths = elementsOrNull(shapes, getPaddings(), 2 * rank);
  for (int64_t i = 0; i < rank; ++i) {
    if (ShapeContext::asConstant(widths[2 * i]) == 0 &&
        ShapeContext::asConstant(widths[2 * i + 1]) == 0)
      continue;
    Value ends[2], padded = lowering.index(dims[i]);
    for (int64_t side : {0, 1})
      ends[side] = widths[2 * i + side]
                       ? lowering.index(widths[2 * i + side])
                       : toIndex(b, loc,
                                 tensor::ExtractOp::create(
                                     b, loc, matrix,
                                     ValueRange{lowering.constantIndex(i),
                                                lowering.constantIndex(side)}),
                                 integer);
    Value size = sub(b, loc, padded, add(b, loc, ends[0], ends[1]));
    // Everything below stays inside the gradient whatever the paddings are.
    if (!ShapeContext::asConstant(shapes.dim(getResult(), i))) {
      Value good = both(b, loc, less(b, loc, sub(b, loc, zero, one), ends[0]),
                        less(b, loc, sub(b, loc, zero, one), ends[1]));
      Value room = add(b, loc, size, lowering.constantIndex(1 - inner));
      for (Value end : ends)
        good = both(b, loc, good,
                    b.createOrFold<arith::OrIOp>(loc, equal(b, loc, end, zero),
                                                 less(b, loc, end, room)));
      require(lowering, loc, good,
              "a padding is negative or wider than the "
              "mirror");
      size = b.createOrFold<arith::MaxSIOp>(loc, size, zero);
    }
    lowering.bindDim(getResult(), i, size);
    Value last = sub(b, loc, padded, one);
    dims[i] = shapes.dim(getResult(), i);
    Value source = value;
    value = parallelOver(
        lowering, loc, dims, element, {}, {},
        [&](OpBuilder &nested, Location at, ValueRange) -> Value {
          SmallVector<Value> position;
          for (int64_t d = 0; d < rank; ++d)
            position.push_back(linalg::IndexOp::create(nested, at, d));
          Value index = position[i], mirror = constantIndex(nested, at, inner);
          auto read = [&](Value from) -> Value {
            position[i] = clampIndex(nested, at, from, zero, last);
            return tensor::ExtractOp::create(nested, at, source, position);
          };
          auto readIf = [&](Value condition, Value from) -> Value {
            return arith::SelectOp::create(nested, at, condition, read(from),
                                           zeroOf(nested, at, element));
          };
          Value total = read(add(nested, at, index, ends[0]));
          // Elements of the border count from the one next to the mirror.
          Value below = sub(nested, at, index, mirror);
          Value lower =
              readIf(inRange(nested, at, below, ends[0]),
                     sub(nested, at, sub(nested, at, ends[0], one), below));
          Value above =
              sub(nested, at,
                  sub(nested, at, sub(nested, at, size, one), index), mirror);
          Value upper =
              readIf(inRange(nested, at, above, ends[1]),
                     add(nested, at, add(nested, at, ends[0], size), above));
          return sum(nested, at, sum(nested, at, total, lower), upper);
        });
  }
  lowering.set(getResult(), value);
  return success();
}

//===----------------------------------------------------------------------===//
// resize_grad
//===----------------------------------------------------------------------===//

LogicalResult ResizeGradOp::inferShapes(ShapeContext &shapes) {
  Type from = getElementTypeOrSelf(getGradient().getType()),
       to = getElementTypeOrSelf(getResult().getType());
  if (getMode() == "nearest" ? from != to || from.isInteger(1)
                             : !isa<FloatType>(from) || !isa<FloatType>(to))
    return emitOpError() << "cannot make elements of type " << to << " from "
                         << from;
  return inferResized(*this, getGradient(), shapes);
}

/// [image, resized]: how much of each element of the image is in each one of
/// the resized image, along a dimension.
static Value weightMatrix(ResizeGradOp op, LoweringContext &lowering,
                          unsigned dim, Type element) {
  Location loc = op.getLoc();
  AffineExpr image = lowering.shapes.dim(op.getResult(), dim),
             resized = lowering.shapes.dim(op.getGradient(), dim);
  Sampling along = Sampling::of(lowering, loc, image, resized,
                                op.getAlignCorners(), op.getHalfPixelCenters());
  return parallelOver(
      lowering, loc, {image, resized}, element, {}, {},
      [&](OpBuilder &b, Location at, ValueRange) -> Value {
        Value row = linalg::IndexOp::create(b, at, 0),
              column = linalg::IndexOp::create(b, at, 1);
        Value zero = Sampling::number(b, at, 0),
              one = Sampling::number(b, at, 1), total = zero;
        auto addTap = [&](Value index, Value weight) {
          Value part = select(b, at, equal(b, at, index, row), weight, zero);
          total = arith::AddFOp::create(b, at, total, part);
        };
        if (op.getMode() == "nearest") {
          addTap(along.nearest(b, at, column), one);
        } else if (op.getMode() == "bilinear") {
          LinearTaps taps = linearTaps(b, at, along, column);
          addTap(taps.low, arith::SubFOp::create(b, at, one, taps.weight));
          addTap(taps.high, taps.weight);
        } else {
          CubicTaps taps = cubicTaps(b, at, along, column);
          for (int64_t k = 0; k < 4; ++k)
            addTap(taps.index[k], taps.weight[k]);
        }
        if (isa<FloatType>(element))
          return convertFloat(b, at, total, element);
        return arith::FPToSIOp::create(b, at, element, total);
      });
}

/// Resizing is linear and separable: two products with matrices.
LogicalResult ResizeGradOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Dims known = elementsOrNull(shapes, getSize(), 2);
  for (int64_t i : {0, 1})
    if (!known[i])
      lowering.bindDim(
          getResult(), i + 1,
          b.createOrFold<arith::MaxSIOp>(loc, lowering.element(getSize(), i),
                                         lowering.constantIndex(0)));
  Value gradient = lowering.get(getGradient());
  Dims from(shapes.dims(getGradient())), to(shapes.dims(getResult()));
  Type element = LoweringContext::type(getResult().getType()).getElementType(),
       number = getElementTypeOrSelf(gradient.getType());
  // Sums of halves and mixed types are f32, or f64 if one is.
  Type compute = number;
  if (isa<FloatType>(number))
    compute = number.isF64() || element.isF64() ? Type(b.getF64Type())
                                                : Type(b.getF32Type());
  auto converted = [&](Value value, Type type) {
    if (getElementTypeOrSelf(value.getType()) == type)
      return value;
    return mapElements(lowering, loc, value, type,
                       [&](OpBuilder &nested, Location at, Value x) {
                         return convertFloat(nested, at, x, type);
                       });
  };
  auto withOne = [&](Value matrix, AffineExpr rows, AffineExpr columns) {
    return reshapeTo(lowering, loc, matrix, {rows, columns},
                     {shapes.constant(1), rows, columns});
  };
  auto multiply = [&](Value matrix, Value values, ArrayRef<AffineExpr> dims) {
    Value panels = packed(b, loc, values, /*spatial=*/0, /*groups=*/1,
                          /*transposeB=*/false);
    return kernel::ContractOp::create(b, loc, matrix, panels,
                                      lowering.empty(dims, compute))
        ->getResult(0);
  };
  gradient = converted(gradient, compute);
  AffineExpr row = from[2] * from[3], images = to[0] * to[1];
  Value rows = multiply(
      withOne(weightMatrix(*this, lowering, 1, compute), to[1], from[1]),
      reshapeTo(lowering, loc, gradient, from, {from[0], from[1], row}),
      {to[0], to[1], row});
  Value result = multiply(
      withOne(weightMatrix(*this, lowering, 2, compute), to[2], from[2]),
      reshapeTo(lowering, loc, rows, {to[0], to[1], row},
                {images, from[2], from[3]}),
      {images, to[2], to[3]});
  result = reshapeTo(lowering, loc, result, {images, to[2], to[3]}, to);
  lowering.set(getResult(), converted(result, element));
  return success();
}
