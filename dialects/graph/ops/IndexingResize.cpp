// resize: images of another size, sample positions as TensorFlow has them.
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/ResizeSupport.h"

using namespace mlir;
using namespace tenon::graph;

LogicalResult tenon::graph::inferResizedDims(Operation *op, Value images,
                                             Value size, ShapeContext &shapes) {
  if (failed(expectRank(op, shapes, images, 4, "operand")) ||
      failed(expectRank(op, shapes, size, 1, "size")) ||
      failed(expectSame(op, shapes.dim(size, 0), shapes.constant(2),
                        "the length of size and 2")))
    return failure();
  Value result = op->getResult(0);
  Dims dims(shapes.dims(images));
  for (auto [i, wanted] : llvm::enumerate(elementsOrNull(shapes, size, 2))) {
    if (std::optional<int64_t> known = ShapeContext::asConstant(wanted);
        known && *known < 0)
      return op->emitOpError() << "size " << *known << " is negative";
    dims[i + 1] = wanted ? wanted : shapes.freshSymbol(result, i + 1);
  }
  shapes.setDims(result, dims);
  return success();
}

LogicalResult ResizeOp::inferShapes(ShapeContext &shapes) {
  Type from = getElementTypeOrSelf(getInput().getType()),
       to = getElementTypeOrSelf(getResult().getType());
  if (getMode() == "nearest" ? from != to : !isa<FloatType>(to))
    return emitOpError() << "cannot make elements of type " << to << " from "
                         << from;
  if (!from.isIntOrFloat())
    return emitOpError() << "cannot resize elements of type " << from;
  return inferResized(*this, getInput(), shapes);
}

namespace tenon::graph {

Value Sampling::number(OpBuilder &b, Location loc, double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value Sampling::toFloat(OpBuilder &b, Location loc, Value index) {
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  return arith::SIToFPOp::create(b, loc, b.getF32Type(), integer);
}

Value Sampling::toClampedIndex(OpBuilder &b, Location loc, Value real) const {
  Value integer = arith::FPToSIOp::create(b, loc, b.getI64Type(), real);
  return clampIndex(
      b, loc, arith::IndexCastOp::create(b, loc, b.getIndexType(), integer),
      constantIndex(b, loc, 0), last);
}

Value Sampling::position(OpBuilder &b, Location loc, Value index) const {
  Value x = toFloat(b, loc, index);
  if (!halfPixel)
    return arith::MulFOp::create(b, loc, x, scale);
  Value half = number(b, loc, 0.5);
  Value center = arith::AddFOp::create(b, loc, x, half);
  return arith::SubFOp::create(
      b, loc, arith::MulFOp::create(b, loc, center, scale), half);
}

Value Sampling::nearest(OpBuilder &b, Location loc, Value index) const {
  Value x = toFloat(b, loc, index);
  if (halfPixel)
    x = arith::AddFOp::create(b, loc, x, number(b, loc, 0.5));
  x = arith::MulFOp::create(b, loc, x, scale);
  x = alignCorners ? math::RoundOp::create(b, loc, x).getResult()
                   : math::FloorOp::create(b, loc, x).getResult();
  return toClampedIndex(b, loc, x);
}

Sampling Sampling::of(LoweringContext &lowering, Location loc, AffineExpr input,
                      AffineExpr output, bool alignCorners, bool halfPixel) {
  OpBuilder &b = lowering.builder;
  Value one = lowering.constantIndex(1), to = lowering.index(output);
  Sampling result{alignCorners, halfPixel, lowering.index(input), {}, {}};
  result.last = sub(b, loc, result.input, one);
  auto ratio = [&](Value x, Value y) -> Value {
    return arith::DivFOp::create(b, loc, toFloat(b, loc, x),
                                 toFloat(b, loc, y));
  };
  result.scale = ratio(result.input, to);
  if (alignCorners)
    result.scale =
        select(b, loc, less(b, loc, one, to),
               ratio(result.last, sub(b, loc, to, one)), result.scale);
  return result;
}

LinearTaps linearTaps(OpBuilder &b, Location loc, const Sampling &along,
                      Value index) {
  Value at = along.position(b, loc, index);
  Value floor = math::FloorOp::create(b, loc, at);
  return {along.toClampedIndex(b, loc, floor),
          along.toClampedIndex(b, loc, math::CeilOp::create(b, loc, at)),
          arith::SubFOp::create(b, loc, at, floor)};
}

CubicTaps cubicTaps(OpBuilder &b, Location loc, const Sampling &along,
                    Value i) {
  auto number = [&](double value) { return Sampling::number(b, loc, value); };
  auto plus = [&](Value x, Value y) -> Value {
    return arith::AddFOp::create(b, loc, x, y);
  };
  auto times = [&](Value x, Value y) -> Value {
    return arith::MulFOp::create(b, loc, x, y);
  };
  bool keys = along.halfPixel;
  double a = keys ? -0.5 : -0.75;
  Value at = along.position(b, loc, i);
  Value floor = math::FloorOp::create(b, loc, at);
  Value steps = math::RoundEvenOp::create(
      b, loc, times(arith::SubFOp::create(b, loc, at, floor), number(1024)));
  Value near = times(steps, number(1.0 / 1024)),
        far = arith::SubFOp::create(b, loc, number(1), near);
  // The kernel at distances 0..1 and 1..2.
  auto inner = [&](Value x) {
    return plus(
        times(times(plus(times(number(a + 2), x), number(-(a + 3))), x), x),
        number(1));
  };
  auto outer = [&](Value x) {
    x = plus(x, number(1));
    return plus(times(plus(times(plus(times(number(a), x), number(-5 * a)), x),
                           number(8 * a)),
                      x),
                number(-4 * a));
  };
  CubicTaps taps{{}, {outer(near), inner(near), inner(far), outer(far)}};
  Value first = arith::IndexCastOp::create(
      b, loc, b.getIndexType(),
      arith::FPToSIOp::create(b, loc, b.getI64Type(), floor));
  Value zero = constantIndex(b, loc, 0), total;
  for (int64_t k = 0; k < 4; ++k) {
    Value place = add(b, loc, first, constantIndex(b, loc, k - 1));
    taps.index[k] = clampIndex(b, loc, place, zero, along.last);
    if (!keys)
      continue;
    taps.weight[k] = select(b, loc, inRange(b, loc, place, along.input),
                            taps.weight[k], number(0));
    total = total ? plus(total, taps.weight[k]) : taps.weight[k];
  }
  if (!keys)
    return taps;
  // TensorFlow leaves the weights alone when their sum is nearly zero.
  Value size = math::AbsFOp::create(b, loc, total);
  Value normal = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, size,
                                       number(1000 * 1.17549435e-38));
  Value divisor = select(b, loc, normal, total, number(1));
  for (Value &weight : taps.weight)
    weight = arith::DivFOp::create(b, loc, weight, divisor);
  return taps;
}

} // namespace tenon::graph

namespace {

/// The element at a row and a column, as f32.
using Read = function_ref<Value(Value row, Value column)>;

Value bilinear(OpBuilder &b, Location loc, const Sampling &vertical,
               const Sampling &horizontal, Value y, Value x, Read read) {
  auto mix = [&](Value from, Value to, Value weight) -> Value {
    Value difference = arith::SubFOp::create(b, loc, to, from);
    return arith::AddFOp::create(
        b, loc, from, arith::MulFOp::create(b, loc, difference, weight));
  };
  LinearTaps rows = linearTaps(b, loc, vertical, y),
             columns = linearTaps(b, loc, horizontal, x);
  Value top = mix(read(rows.low, columns.low), read(rows.low, columns.high),
                  columns.weight);
  Value bottom = mix(read(rows.high, columns.low),
                     read(rows.high, columns.high), columns.weight);
  return mix(top, bottom, rows.weight);
}

Value bicubic(OpBuilder &b, Location loc, const Sampling &vertical,
              const Sampling &horizontal, Value y, Value x, Read read) {
  CubicTaps rows = cubicTaps(b, loc, vertical, y),
            columns = cubicTaps(b, loc, horizontal, x);
  auto dot = [&](const CubicTaps &taps, function_ref<Value(Value)> at) {
    Value result;
    for (int64_t k = 0; k < 4; ++k) {
      Value part =
          arith::MulFOp::create(b, loc, taps.weight[k], at(taps.index[k]));
      result = result ? arith::AddFOp::create(b, loc, result, part).getResult()
                      : part;
    }
    return result;
  };
  return dot(rows, [&](Value row) {
    return dot(columns, [&](Value column) { return read(row, column); });
  });
}

} // namespace

LogicalResult ResizeOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Dims known = elementsOrNull(lowering.shapes, getSize(), 2);
  for (int64_t i : {0, 1})
    if (!known[i])
      lowering.bindDim(
          getResult(), i + 1,
          b.createOrFold<arith::MaxSIOp>(loc, lowering.element(getSize(), i),
                                         lowering.constantIndex(0)));
  auto sampling = [&](unsigned dim) {
    return Sampling::of(lowering, loc, lowering.shapes.dim(getInput(), dim),
                        lowering.shapes.dim(getResult(), dim),
                        getAlignCorners(), getHalfPixelCenters());
  };
  Sampling vertical = sampling(1), horizontal = sampling(2);
  Value input = lowering.get(getInput());
  Type from = getElementTypeOrSelf(getInput().getType()),
       to = LoweringContext::type(getResult().getType()).getElementType();
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange i) -> Value {
            auto element = [&](Value row, Value column) -> Value {
              return tensor::ExtractOp::create(
                  nested, at, input, ValueRange{i[0], row, column, i[3]});
            };
            if (getMode() == "nearest")
              return element(vertical.nearest(nested, at, i[1]),
                             horizontal.nearest(nested, at, i[2]));
            Type f32 = nested.getF32Type();
            auto read = [&](Value row, Value column) -> Value {
              Value value = element(row, column);
              if (value.getType() == f32)
                return value;
              if (isa<IntegerType>(value.getType()))
                return isUnsigned(from)
                           ? arith::UIToFPOp::create(nested, at, f32, value)
                                 .getResult()
                           : arith::SIToFPOp::create(nested, at, f32, value)
                                 .getResult();
              return value.getType().isF64()
                         ? arith::TruncFOp::create(nested, at, f32, value)
                               .getResult()
                         : arith::ExtFOp::create(nested, at, f32, value)
                               .getResult();
            };
            Value result = getMode() == "bilinear"
                               ? bilinear(nested, at, vertical, horizontal,
                                          i[1], i[2], read)
                               : bicubic(nested, at, vertical, horizontal, i[1],
                                         i[2], read);
            if (to == f32)
              return result;
            return to.isF64() ? arith::ExtFOp::create(nested, at, to, result)
                                    .getResult()
                              : arith::TruncFOp::create(nested, at, to, result)
                                    .getResult();
          }));
  return success();
}
