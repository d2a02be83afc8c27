#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/ScalarMath.h"
#include <limits>

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

/// The op for floats, for complex numbers, or for integers.
template <typename FloatOp, typename IntOp, typename ComplexOp>
static Value arithmetic(OpBuilder &b, Location loc, ValueRange v) {
  if (isa<FloatType>(v[0].getType()))
    return FloatOp::create(b, loc, v[0], v[1]);
  if (isa<ComplexType>(v[0].getType()))
    return ComplexOp::create(b, loc, v[0], v[1]);
  return IntOp::create(b, loc, v[0], v[1]);
}

static Value zeroOf(OpBuilder &b, Location loc, Type type) {
  if (auto complex = dyn_cast<ComplexType>(type)) {
    Attribute zero = b.getZeroAttr(complex.getElementType());
    return complex::ConstantOp::create(b, loc, type,
                                       b.getArrayAttr({zero, zero}));
  }
  return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
}

static Value isZero(OpBuilder &b, Location loc, Value value) {
  Value zero = zeroOf(b, loc, value.getType());
  if (isa<ComplexType>(value.getType()))
    return complex::EqualOp::create(b, loc, value, zero);
  return Scalar(b, loc, value) == Scalar(b, loc, zero);
}

/// `value`, and zero where `condition` is.
static Value zeroWhere(OpBuilder &b, Location loc, Value condition,
                       Value value) {
  return arith::SelectOp::create(b, loc, condition,
                                 zeroOf(b, loc, value.getType()), value);
}

Value AddOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arithmetic<arith::AddFOp, arith::AddIOp, complex::AddOp>(b, getLoc(),
                                                                  v);
}
Value SubOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arithmetic<arith::SubFOp, arith::SubIOp, complex::SubOp>(b, getLoc(),
                                                                  v);
}
Value MulOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(b, getLoc(),
                                                                  v);
}
static Value quotient(OpBuilder &b, Location loc, ValueRange v) {
  return arithmetic<arith::DivFOp, arith::DivSIOp, complex::DivOp>(b, loc, v);
}
Value DivOp::buildScalar(OpBuilder &b, ValueRange v) {
  return quotient(b, getLoc(), v);
}

namespace {
struct IntegerDivision {
  Value quotient, remainder; ///< rounded towards zero
};
} // namespace

/// Division that never traps: by zero it gives 0 and 0; the least integer by -1
/// wraps around.
static IntegerDivision divide(OpBuilder &b, Location loc, bool isUnsigned,
                              Value numerator, Value denominator) {
  Scalar x(b, loc, numerator), y(b, loc, denominator);
  Scalar zero = x.constant(0), one = x.constant(1);
  Scalar byZero = y == zero;
  if (isUnsigned) {
    Scalar safe = select(byZero, one, y);
    return {select(byZero, zero, x.apply<arith::DivUIOp>(safe)),
            select(byZero, zero, x.apply<arith::RemUIOp>(safe))};
  }
  Scalar byMinusOne = y == -1;
  Scalar safe = select(byZero | byMinusOne, one, y);
  Scalar general = x.apply<arith::DivSIOp>(safe);
  return {select(byZero, zero, select(byMinusOne, -x, general)),
          select(byZero, zero, x - general * safe)};
}

Value TruncDivOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<FloatType>(v[0].getType()))
    return divide(b, getLoc(), isUnsigned(elementOf(getLhs())), v[0], v[1])
        .quotient;
  // What is rounded is the quotient that the element type holds.
  Scalar q(b, getLoc(), arith::DivFOp::create(b, getLoc(), v[0], v[1]));
  return q.toFloat(elementOf(getResult()))
      .toFloat(q.type())
      .unary<math::TruncOp>();
}

Value TruncModOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<FloatType>(v[0].getType()))
    return divide(b, getLoc(), isUnsigned(elementOf(getLhs())), v[0], v[1])
        .remainder;
  return arith::RemFOp::create(b, getLoc(), v[0], v[1]);
}

/// Whether a remainder needs the divisor added to have its sign.
static Scalar wrongSign(const Scalar &remainder, const Scalar &divisor) {
  Scalar differ = remainder.wrap(arith::XOrIOp::create(
      remainder.b(), remainder.at(), remainder < 0, divisor < 0));
  return differ & (remainder != 0);
}

Value FloorDivOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<FloatType>(v[0].getType())) {
    Scalar q(b, getLoc(), arith::DivFOp::create(b, getLoc(), v[0], v[1]));
    // What is rounded down is the quotient that the element type holds.
    Type element = elementOf(getResult());
    return q.toFloat(element).toFloat(q.type()).floor();
  }
  bool isUnsignedInteger = isUnsigned(elementOf(getLhs()));
  IntegerDivision division = divide(b, getLoc(), isUnsignedInteger, v[0], v[1]);
  if (isUnsignedInteger)
    return division.quotient;
  Scalar q(b, getLoc(), division.quotient);
  return select(wrongSign(q.wrap(division.remainder), q.wrap(v[1])), q - 1, q);
}

Value FloorModOp::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar y(b, getLoc(), v[1]);
  if (isa<FloatType>(v[0].getType())) {
    Scalar r = y.wrap(arith::RemFOp::create(b, getLoc(), v[0], v[1]));
    return select(wrongSign(r, y), r + y, r);
  }
  bool isUnsignedInteger = isUnsigned(elementOf(getLhs()));
  IntegerDivision division = divide(b, getLoc(), isUnsignedInteger, v[0], v[1]);
  if (isUnsignedInteger)
    return division.remainder;
  Scalar r = y.wrap(division.remainder);
  return select(wrongSign(r, y), r + y, r);
}

/// Square and multiply; without branches, so that it vectorises.
static Value integerPower(OpBuilder &b, Location loc, bool isUnsigned,
                          Value baseValue, Value exponentValue) {
  Scalar base(b, loc, baseValue), exponent(b, loc, exponentValue);
  Scalar one = base.constant(1), zero = base.constant(0);
  Scalar result = one, square = base;
  unsigned width = base.type().getIntOrFloatBitWidth();
  for (unsigned i = 0; i < width; ++i) {
    Scalar bit = exponent & exponent.bits(uint64_t(1) << i);
    result = select(bit != zero, result * square, result);
    if (i + 1 < width)
      square = square * square;
  }
  if (isUnsigned)
    return result;
  // Only 1 and -1 have a power of negative exponent that is not a fraction.
  Scalar odd = (exponent & one) != zero;
  Scalar ofMinusOne = select(odd, base, one);
  Scalar fraction =
      select(base == -1, ofMinusOne, select(base == 1, one, zero));
  return select(exponent < 0, fraction, result);
}

Value PowOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::PowOp::create(b, getLoc(), v[0], v[1]);
  if (isa<FloatType>(v[0].getType()))
    return pow(Scalar(b, getLoc(), v[0]), Scalar(b, getLoc(), v[1]));
  return integerPower(b, getLoc(), isUnsigned(elementOf(getLhs())), v[0], v[1]);
}

/// Small whole exponents are products, exact to a rounding each.
LogicalResult PowOp::canonicalize(PowOp op, PatternRewriter &rewriter) {
  DenseFPElementsAttr exponents;
  if (op.getType() != op.getLhs().getType() ||
      !matchPattern(op.getRhs(), m_Constant(&exponents)) ||
      exponents.getNumElements() != 1)
    return failure();
  double exponent = exponents.getSplatValue<APFloat>().convertToDouble();
  Value base = op.getLhs();
  Type type = op.getType();
  auto square = [&] {
    return SquareOp::create(rewriter, op.getLoc(), type, base);
  };
  if (exponent == 1)
    rewriter.replaceOp(op, base);
  else if (exponent == 2)
    rewriter.replaceOp(op, square());
  else if (exponent == 3)
    rewriter.replaceOpWithNewOp<MulOp>(op, type, square(), base);
  else if (exponent == -1)
    rewriter.replaceOpWithNewOp<ReciprocalOp>(op, type, base);
  else
    return failure();
  return success();
}

static Value maximum(OpBuilder &b, Location loc, Type type, Value lhs,
                     Value rhs) {
  if (isa<FloatType>(type))
    return arith::MaximumFOp::create(b, loc, lhs, rhs);
  if (isUnsigned(type))
    return arith::MaxUIOp::create(b, loc, lhs, rhs);
  return arith::MaxSIOp::create(b, loc, lhs, rhs);
}
static Value minimum(OpBuilder &b, Location loc, Type type, Value lhs,
                     Value rhs) {
  if (isa<FloatType>(type))
    return arith::MinimumFOp::create(b, loc, lhs, rhs);
  if (isUnsigned(type))
    return arith::MinUIOp::create(b, loc, lhs, rhs);
  return arith::MinSIOp::create(b, loc, lhs, rhs);
}

Value MaximumOp::buildScalar(OpBuilder &b, ValueRange v) {
  return maximum(b, getLoc(), elementOf(getLhs()), v[0], v[1]);
}
Value MinimumOp::buildScalar(OpBuilder &b, ValueRange v) {
  return minimum(b, getLoc(), elementOf(getLhs()), v[0], v[1]);
}
Value ClipOp::buildScalar(OpBuilder &b, ValueRange v) {
  Type type = elementOf(getInput());
  return minimum(b, getLoc(), type, maximum(b, getLoc(), type, v[0], v[1]),
                 v[2]);
}

Value SquaredDifferenceOp::buildScalar(OpBuilder &b, ValueRange v) {
  Value difference =
      arithmetic<arith::SubFOp, arith::SubIOp, complex::SubOp>(b, getLoc(), v);
  Value other = difference;
  if (isa<ComplexType>(difference.getType()))
    other = complex::ConjOp::create(b, getLoc(), difference);
  return arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(
      b, getLoc(), {difference, other});
}

Value XdivyOp::buildScalar(OpBuilder &b, ValueRange v) {
  return zeroWhere(b, getLoc(), isZero(b, getLoc(), v[0]),
                   quotient(b, getLoc(), v));
}
Value DivNoNanOp::buildScalar(OpBuilder &b, ValueRange v) {
  return zeroWhere(b, getLoc(), isZero(b, getLoc(), v[1]),
                   quotient(b, getLoc(), v));
}
Value MulNoNanOp::buildScalar(OpBuilder &b, ValueRange v) {
  return zeroWhere(
      b, getLoc(), isZero(b, getLoc(), v[1]),
      arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(b, getLoc(), v));
}
Value XlogyOp::buildScalar(OpBuilder &b, ValueRange v) {
  Value logarithm = isa<ComplexType>(v[1].getType())
                        ? complex::LogOp::create(b, getLoc(), v[1]).getResult()
                        : Value(log(Scalar(b, getLoc(), v[1])));
  return zeroWhere(b, getLoc(), isZero(b, getLoc(), v[0]),
                   arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(
                       b, getLoc(), {v[0], logarithm}));
}
Value Xlog1pyOp::buildScalar(OpBuilder &b, ValueRange v) {
  Value logarithm =
      isa<ComplexType>(v[1].getType())
          ? complex::Log1pOp::create(b, getLoc(), v[1]).getResult()
          : Value(log1p(Scalar(b, getLoc(), v[1])));
  return zeroWhere(b, getLoc(), isZero(b, getLoc(), v[0]),
                   arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(
                       b, getLoc(), {v[0], logarithm}));
}
Value NextAfterOp::buildScalar(OpBuilder &b, ValueRange v) {
  return nextAfter(Scalar(b, getLoc(), v[0]), Scalar(b, getLoc(), v[1]));
}

Value NegOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::NegOp::create(b, getLoc(), v[0]);
  return -Scalar(b, getLoc(), v[0]);
}
Value AbsOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (auto complex = dyn_cast<ComplexType>(v[0].getType()))
    return complex::AbsOp::create(b, getLoc(), complex.getElementType(), v[0]);
  if (isUnsigned(elementOf(getInput())))
    return v[0];
  return Scalar(b, getLoc(), v[0]).abs();
}
Value SignOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::SignOp::create(b, getLoc(), v[0]);
  Scalar x(b, getLoc(), v[0]);
  if (isUnsigned(elementOf(getInput())))
    return select(x == 0, x, x.constant(1));
  // The sign of -0 is 0, that of NaN is NaN.
  return select(
      x > 0, x.constant(1),
      select(x < 0, x.constant(-1), select(x == 0, x.constant(0), x)));
}
Value ReciprocalOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (auto type = dyn_cast<ComplexType>(v[0].getType())) {
    Attribute one = b.getFloatAttr(type.getElementType(), 1),
              zero = b.getFloatAttr(type.getElementType(), 0);
    return complex::DivOp::create(
        b, getLoc(),
        complex::ConstantOp::create(b, getLoc(), type,
                                    b.getArrayAttr({one, zero})),
        v[0]);
  }
  Scalar x(b, getLoc(), v[0]);
  if (x.isFloat())
    return 1 / x;
  return divide(b, getLoc(), isUnsigned(elementOf(getInput())), x.constant(1),
                x)
      .quotient;
}
Value SquareOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(b, getLoc(),
                                                                  {v[0], v[0]});
}

//===----------------------------------------------------------------------===//
// Comparisons, logic and bits
//===----------------------------------------------------------------------===//

static Value compare(OpBuilder &b, Location loc, Type type,
                     arith::CmpFPredicate onFloats,
                     arith::CmpIPredicate onSigned,
                     arith::CmpIPredicate onUnsigned, ValueRange values) {
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(b, loc, onFloats, values[0], values[1]);
  return arith::CmpIOp::create(b, loc, isUnsigned(type) ? onUnsigned : onSigned,
                               values[0], values[1]);
}

Value LessOp::buildScalar(OpBuilder &b, ValueRange v) {
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::OLT,
                 arith::CmpIPredicate::slt, arith::CmpIPredicate::ult, v);
}
Value LessEqualOp::buildScalar(OpBuilder &b, ValueRange v) {
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::OLE,
                 arith::CmpIPredicate::sle, arith::CmpIPredicate::ule, v);
}
Value GreaterOp::buildScalar(OpBuilder &b, ValueRange v) {
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::OGT,
                 arith::CmpIPredicate::sgt, arith::CmpIPredicate::ugt, v);
}
Value GreaterEqualOp::buildScalar(OpBuilder &b, ValueRange v) {
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::OGE,
                 arith::CmpIPredicate::sge, arith::CmpIPredicate::uge, v);
}
Value EqualOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::EqualOp::create(b, getLoc(), v[0], v[1]);
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::OEQ,
                 arith::CmpIPredicate::eq, arith::CmpIPredicate::eq, v);
}
Value NotEqualOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::NotEqualOp::create(b, getLoc(), v[0], v[1]);
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::UNE,
                 arith::CmpIPredicate::ne, arith::CmpIPredicate::ne, v);
}

static Scalar infinity(const Scalar &like) {
  return like.constant(std::numeric_limits<double>::infinity());
}
Value IsNanOp::buildScalar(OpBuilder &b, ValueRange v) {
  return Scalar(b, getLoc(), v[0]).isNan();
}
Value IsInfOp::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar x = Scalar(b, getLoc(), v[0]).abs();
  return x == infinity(x);
}
Value IsFiniteOp::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar x = Scalar(b, getLoc(), v[0]).abs();
  return x < infinity(x);
}

Value AndOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arith::AndIOp::create(b, getLoc(), v[0], v[1]);
}
Value OrOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arith::OrIOp::create(b, getLoc(), v[0], v[1]);
}
Value XorOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arith::XOrIOp::create(b, getLoc(), v[0], v[1]);
}
Value NotOp::buildScalar(OpBuilder &b, ValueRange v) {
  Value ones = arith::ConstantOp::create(b, getLoc(),
                                         b.getIntegerAttr(v[0].getType(), -1));
  return arith::XOrIOp::create(b, getLoc(), v[0], ones);
}
/// A distance beyond the width would be undefined.
static Value clampShift(OpBuilder &b, Location loc, bool isUnsigned,
                        Value distance) {
  Type type = distance.getType();
  Value most = arith::ConstantOp::create(
      b, loc, b.getIntegerAttr(type, type.getIntOrFloatBitWidth() - 1));
  if (isUnsigned)
    return arith::MinUIOp::create(b, loc, distance, most);
  return arith::MinSIOp::create(
      b, loc, arith::MaxSIOp::create(b, loc, distance, zeroOf(b, loc, type)),
      most);
}
Value LeftShiftOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arith::ShLIOp::create(
      b, getLoc(), v[0],
      clampShift(b, getLoc(), isUnsigned(elementOf(getLhs())), v[1]));
}
Value RightShiftOp::buildScalar(OpBuilder &b, ValueRange v) {
  bool isUnsignedInteger = isUnsigned(elementOf(getLhs()));
  Value distance = clampShift(b, getLoc(), isUnsignedInteger, v[1]);
  if (isUnsignedInteger)
    return arith::ShRUIOp::create(b, getLoc(), v[0], distance);
  return arith::ShRSIOp::create(b, getLoc(), v[0], distance);
}
Value PopulationCountOp::buildScalar(OpBuilder &b, ValueRange v) {
  Value count = math::CtPopOp::create(b, getLoc(), v[0]);
  Type wanted = LoweringContext::elementType(elementOf(getResult()));
  unsigned from = count.getType().getIntOrFloatBitWidth(),
           to = wanted.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtUIOp::create(b, getLoc(), wanted, count);
  if (from > to)
    return arith::TruncIOp::create(b, getLoc(), wanted, count);
  return count;
}
Value SelectOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arith::SelectOp::create(b, getLoc(), v[0], v[1], v[2]);
}
