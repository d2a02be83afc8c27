// Ops of Shape.td that make new values.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Shape.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// fill, range
//===----------------------------------------------------------------------===//

LogicalResult FillOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getDims(), "dims");
  if (failed(rank) || failed(expectScalar(*this, shapes, getValue(), "value")))
    return failure();
  Dims dims = elementsOrNull(shapes, getDims(), *rank);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
    if (std::optional<int64_t> size = ShapeContext::asConstant(dim);
        size && *size < 0)
      return emitOpError() << "size " << *size << " is negative";
  }
  shapes.setDims(getResult(), dims);
  AffineExpr value = elementsOrNull(shapes, getValue(), 1)[0];
  setContentsBy(shapes, getResult(), [&](ArrayRef<int64_t>) { return value; });
  return success();
}

LogicalResult FillOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  int64_t rank = lowering.shapes.dims(getResult()).size();
  Dims known = elementsOrNull(lowering.shapes, getDims(), rank);
  Value zero = lowering.constantIndex(0);
  for (int64_t i = 0; i < rank; ++i) {
    if (known[i])
      continue;
    Value size = lowering.element(getDims(), i);
    require(lowering, loc,
            b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge, size,
                                          zero),
            "a size is negative");
    lowering.bindDim(getResult(), i, size);
  }
  // A list that a loop writes whole before anybody reads it.
  lowering.set(getResult(),
               (*this)->hasAttr("overwritten")
                   ? lowering.empty(getResult())
                   : filledWith(lowering, loc, getResult(), getValue()));
  return success();
}

/// The value of a floating-point constant.
static std::optional<double> floatConstant(Value value) {
  DenseFPElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      elements.getNumElements() != 1)
    return std::nullopt;
  APFloat element = *elements.begin();
  bool lost;
  element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return element.convertToDouble();
}

LogicalResult RangeOp::inferShapes(ShapeContext &shapes) {
  for (auto [value, name] :
       {std::pair(getStart(), "start"), std::pair(getLimit(), "limit"),
        std::pair(getDelta(), "delta")})
    if (failed(expectScalar(*this, shapes, value, name)))
      return failure();
  AffineExpr start = elementsOrNull(shapes, getStart(), 1)[0],
             limit = elementsOrNull(shapes, getLimit(), 1)[0],
             delta = elementsOrNull(shapes, getDelta(), 1)[0];
  std::optional<int64_t> step = ShapeContext::asConstant(delta);
  std::optional<double> first = floatConstant(getStart()),
                        last = floatConstant(getLimit()),
                        by = floatConstant(getDelta());
  if (step == 0 || by == 0.0)
    return emitOpError("delta is zero");
  AffineExpr size;
  if (start && limit && step) {
    std::optional<int64_t> from = ShapeContext::asConstant(start),
                           to = ShapeContext::asConstant(limit);
    int64_t length;
    if (from && to && llvm::SubOverflow(*to, *from, length))
      return emitOpError("has more elements than memory can hold");
    AffineExpr distance = *step > 0 ? limit - start : start - limit;
    size = shapes.maximum(shapes.constant(0),
                          shapes.ceilDiv(distance, std::abs(*step)));
  } else if (first && last && by) {
    // The quotient is rounded to the elements' type before it is rounded up.
    bool isDouble = getElementTypeOrSelf(getResult().getType()).isF64();
    double quotient = isDouble ? (*last - *first) / *by
                               : (float(*last) - float(*first)) / float(*by);
    double count = std::max(0.0, std::ceil(quotient));
    if (!(count < double(int64_t(1) << 40)))
      return emitOpError("has more elements than memory can hold");
    size = shapes.constant(int64_t(count));
  } else {
    size = shapes.freshSymbol(getResult(), 0);
  }
  shapes.setDims(getResult(), size);
  if (start && delta)
    setContentsBy(shapes, getResult(), [&](ArrayRef<int64_t> index) {
      return start + delta * index[0];
    });
  return success();
}

LogicalResult RangeOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value start = scalar(lowering, loc, getStart()),
        limit = scalar(lowering, loc, getLimit()),
        delta = scalar(lowering, loc, getDelta());
  Type type = start.getType(),
       graphType = getElementTypeOrSelf(getResult().getType());
  bool isFloat = isa<FloatType>(type);
  auto symbol = dyn_cast<AffineSymbolExpr>(lowering.shapes.dim(getResult(), 0));
  if (symbol &&
      lowering.shapes.origin(symbol.getPosition()).value == getResult()) {
    Value zeroIndex = lowering.constantIndex(0), size, isZero;
    if (isFloat) {
      Value zero = zeroOf(b, loc, type);
      isZero =
          arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UEQ, delta, zero);
      Type wide = b.getF64Type();
      auto widen = [&](Value v) {
        return type == wide
                   ? v
                   : arith::ExtFOp::create(b, loc, wide, v).getResult();
      };
      Value quotient = arith::DivFOp::create(
          b, loc, arith::SubFOp::create(b, loc, limit, start), delta);
      Value count = math::CeilOp::create(b, loc, widen(quotient));
      size = arith::IndexCastOp::create(
          b, loc, b.getIndexType(),
          arith::FPToSIOp::create(b, loc, b.getI64Type(), count));
    } else {
      Value from = toIndex(b, loc, start, graphType),
            to = toIndex(b, loc, limit, graphType),
            by = toIndex(b, loc, delta, graphType);
      isZero = equal(b, loc, by, zeroIndex);
      // A zero divisor ends the run below; the division must not trap.
      Value divisor = select(b, loc, isZero, lowering.constantIndex(1), by);
      size = arith::CeilDivSIOp::create(b, loc, sub(b, loc, to, from), divisor);
    }
    Value isGood = arith::XOrIOp::create(
        b, loc, isZero, arith::ConstantIntOp::create(b, loc, 1, 1));
    require(lowering, loc, isGood, "delta is zero");
    lowering.bindDim(getResult(), 0,
                     arith::MaxSIOp::create(b, loc, size, zeroIndex));
  }
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) -> Value {
            Value i = arith::IndexCastOp::create(
                nested, at, isFloat ? nested.getI64Type() : type, indices[0]);
            if (!isFloat)
              return arith::AddIOp::create(
                  nested, at, start,
                  arith::MulIOp::create(nested, at, i, delta));
            i = arith::SIToFPOp::create(nested, at, type, i);
            return arith::AddFOp::create(
                nested, at, start, arith::MulFOp::create(nested, at, i, delta));
          }));
  return success();
}

//===----------------------------------------------------------------------===//
// bitcast
//===----------------------------------------------------------------------===//

LogicalResult BitcastOp::inferShapes(ShapeContext &shapes) {
  Type from = getElementTypeOrSelf(getInput().getType()),
       to = getElementTypeOrSelf(getResult().getType());
  if (!from.isIntOrFloat() || !to.isIntOrFloat())
    return emitOpError() << "cannot reinterpret " << from << " as " << to;
  int64_t width = from.getIntOrFloatBitWidth(),
          newWidth = to.getIntOrFloatBitWidth();
  if (width < 8 || newWidth < 8)
    return emitOpError() << "cannot reinterpret " << from << " as " << to;
  Dims dims(shapes.dims(getInput()));
  if (newWidth < width) {
    dims.push_back(shapes.constant(width / newWidth));
  } else if (newWidth > width) {
    if (dims.empty() ||
        failed(expectSame(*this, dims.back(), shapes.constant(newWidth / width),
                          "the last dimension and the ratio of the widths")))
      return dims.empty() ? emitOpError("a scalar has no last dimension")
                          : failure();
    dims.pop_back();
  }
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult BitcastOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value input = lowering.get(getInput());
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput());
  Type narrow = getElementTypeOrSelf(input.getType()),
       type = LoweringContext::type(getResult().getType()).getElementType();
  unsigned width = narrow.getIntOrFloatBitWidth(),
           newWidth = type.getIntOrFloatBitWidth();
  auto cast = [](OpBuilder &nested, Location at, Type to, Value v) {
    return v.getType() == to
               ? v
               : arith::BitcastOp::create(nested, at, to, v).getResult();
  };
  if (newWidth > width) {
    Dims to(from);
    to.back() = lowering.shapes.constant(newWidth / width);
    input = conform(lowering, loc, input, from, to,
                    "the last dimension is not the ratio of the widths");
  }
  auto build = [&](OpBuilder &nested, Location at, ValueRange indices) {
    Type bits = nested.getIntegerType(width),
         newBits = nested.getIntegerType(newWidth);
    SmallVector<Value> position(indices);
    if (newWidth < width) {
      Value part = position.pop_back_val();
      Value word = cast(nested, at, bits,
                        tensor::ExtractOp::create(nested, at, input, position));
      Value shift = arith::MulIOp::create(
          nested, at, arith::IndexCastOp::create(nested, at, bits, part),
          arith::ConstantIntOp::create(nested, at, newWidth, width));
      Value moved = arith::ShRUIOp::create(nested, at, word, shift);
      return cast(nested, at, type,
                  arith::TruncIOp::create(nested, at, newBits, moved));
    }
    if (newWidth == width)
      return cast(nested, at, type,
                  tensor::ExtractOp::create(nested, at, input, position));
    Value word = arith::ConstantIntOp::create(nested, at, 0, newWidth);
    for (unsigned i = 0; i < newWidth / width; ++i) {
      position.push_back(arith::ConstantIndexOp::create(nested, at, i));
      Value part = arith::ExtUIOp::create(
          nested, at, newBits,
          cast(nested, at, bits,
               tensor::ExtractOp::create(nested, at, input, position)));
      position.pop_back();
      word = arith::OrIOp::create(
          nested, at, word,
          arith::ShLIOp::create(
              nested, at, part,
              arith::ConstantIntOp::create(nested, at, i * width, newWidth)));
    }
    return cast(nested, at, type, word);
  };
  if (newWidth != width) {
    lowering.set(getResult(), lowering.generate(loc, getResult(), build));
    return success();
  }
  lowering.set(
      getResult(),
      lowering.generic(loc, getResult(), input,
                       b.getMultiDimIdentityMap(from.size()),
                       [&](OpBuilder &nested, Location at, ValueRange v) {
                         return cast(nested, at, type, v[0]);
                       }));
  return success();
}

//===----------------------------------------------------------------------===//
// invert_permutation, broadcast_args
//===----------------------------------------------------------------------===//

LogicalResult InvertPermutationOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getInput(), 1, "operand")))
    return failure();
  shapes.copyDims(getResult(), getInput());
  auto elements = shapes.constants(getInput());
  if (!elements)
    return success();
  if (!isPermutationVector(*elements))
    return emitOpError() << "[" << *elements << "] is no permutation";
  Dims inverse;
  for (int64_t i : invertPermutationVector(*elements))
    inverse.push_back(shapes.constant(i));
  shapes.setContents(getResult(), inverse);
  return success();
}

LogicalResult InvertPermutationOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value input = lowering.get(getInput());
  Value size = lowering.dimIndex(getInput(), 0),
        zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  Type graphType = getElementTypeOrSelf(getInput().getType());
  require(lowering, loc,
          allOf(lowering, loc, input,
                [&](OpBuilder &nested, Location at, Value element, ValueRange) {
                  return inRange(nested, at,
                                 toIndex(nested, at, element, graphType), size);
                }),
          "an element is out of range");
  auto loop = scf::ForOp::create(
      b, loc, zero, size, one, ValueRange{lowering.empty(getResult())},
      [&](OpBuilder &nested, Location at, Value i, ValueRange state) {
        Value element = tensor::ExtractOp::create(nested, at, input, i);
        Value place =
            clampIndex(nested, at, toIndex(nested, at, element, graphType),
                       zero, sub(nested, at, size, one));
        Value next = tensor::InsertOp::create(
            nested, at, fromIndex(nested, at, i, graphType), state[0], place);
        scf::YieldOp::create(nested, at, next);
      });
  Value result = loop.getResult(0);
  auto isInverse = [&](OpBuilder &nested, Location at, Value element,
                       ValueRange index) -> Value {
    Value place =
        clampIndex(nested, at, toIndex(nested, at, element, graphType), zero,
                   sub(nested, at, size, one));
    Value back = tensor::ExtractOp::create(nested, at, result, place);
    return equal(nested, at, toIndex(nested, at, back, graphType), index[0]);
  };
  require(lowering, loc, allOf(lowering, loc, input, isInverse),
          "an element is there twice");
  lowering.set(getResult(), result);
  return success();
}

LogicalResult BroadcastArgsOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getLhs(), "lhs"),
                     otherRank = vectorLength(*this, shapes, getRhs(), "rhs");
  if (failed(rank) || failed(otherRank))
    return failure();
  shapes.setDims(getResult(), shapes.constant(std::max(*rank, *otherRank)));
  Dims lhs = elementsOrNull(shapes, getLhs(), *rank),
       rhs = elementsOrNull(shapes, getRhs(), *otherRank);
  bool fits = true;
  setContentsBy(
      shapes, getResult(), [&](ArrayRef<int64_t> index) -> AffineExpr {
        int64_t back = std::max(*rank, *otherRank) - index[0];
        AffineExpr one = shapes.constant(1),
                   a = back > *rank ? one : lhs[*rank - back],
                   b = back > *otherRank ? one : rhs[*otherRank - back];
        if (a == b || b == one)
          return a;
        if (a == one)
          return b;
        std::optional<int64_t> known = ShapeContext::asConstant(a),
                               other = ShapeContext::asConstant(b);
        fits &= !known || !other;
        return known ? a : other ? b : AffineExpr();
      });
  if (!fits)
    return emitOpError("the shapes do not broadcast to each other");
  return success();
}

LogicalResult BroadcastArgsOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  int64_t rank = *ShapeContext::asConstant(shapes.dim(getLhs(), 0)),
          otherRank = *ShapeContext::asConstant(shapes.dim(getRhs(), 0)),
          length = std::max(rank, otherRank);
  RankedTensorType type = LoweringContext::type(getResult().getType());
  Value one = lowering.constantIndex(1);
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < length; ++i) {
    int64_t back = length - i;
    Value x = back > rank ? one : lowering.element(getLhs(), rank - back);
    Value y =
        back > otherRank ? one : lowering.element(getRhs(), otherRank - back);
    Value size = select(b, loc, equal(b, loc, x, one), y, x);
    Value fits = b.createOrFold<arith::OrIOp>(loc, equal(b, loc, size, y),
                                              equal(b, loc, y, one));
    require(lowering, loc, fits, "the shapes do not broadcast to each other");
    sizes.push_back(fromIndex(b, loc, size, type.getElementType()));
  }
  lowering.set(
      getResult(),
      tensor::FromElementsOp::create(
          b, loc, RankedTensorType::get(length, type.getElementType()), sizes));
  return success();
}
