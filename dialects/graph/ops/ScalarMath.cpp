#include "dialects/graph/ops/ScalarMath.h"
#include <limits>

using namespace mlir;

namespace tenon::graph {

static constexpr double inf = std::numeric_limits<double>::infinity();
static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
static constexpr double pi = 3.14159265358979323846;

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

Scalar Scalar::constant(double number) const {
  if (isFloat())
    return wrap(arith::ConstantOp::create(
        *builder, loc, builder->getFloatAttr(type(), number)));
  return wrap(arith::ConstantOp::create(
      *builder, loc,
      builder->getIntegerAttr(type(), static_cast<int64_t>(number))));
}

Scalar Scalar::bits(uint64_t pattern) const {
  APInt value(64, pattern);
  return wrap(arith::ConstantOp::create(
      *builder, loc,
      builder->getIntegerAttr(
          type(), value.zextOrTrunc(type().getIntOrFloatBitWidth()))));
}

Scalar Scalar::compare(arith::CmpFPredicate onFloats,
                       arith::CmpIPredicate onIntegers,
                       const Scalar &other) const {
  if (isFloat())
    return wrap(arith::CmpFOp::create(*builder, loc, onFloats, value, other));
  return wrap(arith::CmpIOp::create(*builder, loc, onIntegers, value, other));
}

Scalar Scalar::abs() const {
  if (isFloat())
    return unary<math::AbsFOp>();
  return select(*this < 0, -*this, *this);
}

Scalar Scalar::toFloat(Type wanted) const {
  unsigned from = type().getIntOrFloatBitWidth(),
           to = wanted.getIntOrFloatBitWidth();
  if (from < to)
    return wrap(arith::ExtFOp::create(*builder, loc, wanted, value));
  if (from > to)
    return wrap(arith::TruncFOp::create(*builder, loc, wanted, value));
  return *this;
}

template <typename FloatOp, typename IntOp>
static Scalar binary(const Scalar &lhs, const Scalar &rhs) {
  if (lhs.isFloat())
    return lhs.wrap(FloatOp::create(lhs.b(), lhs.at(), lhs, rhs));
  return lhs.wrap(IntOp::create(lhs.b(), lhs.at(), lhs, rhs));
}

Scalar operator+(const Scalar &lhs, const Scalar &rhs) {
  return binary<arith::AddFOp, arith::AddIOp>(lhs, rhs);
}
Scalar operator-(const Scalar &lhs, const Scalar &rhs) {
  return binary<arith::SubFOp, arith::SubIOp>(lhs, rhs);
}
Scalar operator*(const Scalar &lhs, const Scalar &rhs) {
  return binary<arith::MulFOp, arith::MulIOp>(lhs, rhs);
}
Scalar operator/(const Scalar &lhs, const Scalar &rhs) {
  return binary<arith::DivFOp, arith::DivSIOp>(lhs, rhs);
}
Scalar operator-(const Scalar &operand) {
  if (operand.isFloat())
    return operand.unary<arith::NegFOp>();
  return operand.constant(0) - operand;
}
Scalar operator&(const Scalar &lhs, const Scalar &rhs) {
  return lhs.apply<arith::AndIOp>(rhs);
}
Scalar operator|(const Scalar &lhs, const Scalar &rhs) {
  return lhs.apply<arith::OrIOp>(rhs);
}
Scalar operator<(const Scalar &lhs, const Scalar &rhs) {
  return lhs.compare(arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, rhs);
}
Scalar operator<=(const Scalar &lhs, const Scalar &rhs) {
  return lhs.compare(arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle, rhs);
}
Scalar operator>(const Scalar &lhs, const Scalar &rhs) {
  return lhs.compare(arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt, rhs);
}
Scalar operator>=(const Scalar &lhs, const Scalar &rhs) {
  return lhs.compare(arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge, rhs);
}
Scalar operator==(const Scalar &lhs, const Scalar &rhs) {
  return lhs.compare(arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq, rhs);
}
Scalar operator!=(const Scalar &lhs, const Scalar &rhs) {
  return lhs.compare(arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne, rhs);
}

Scalar select(const Scalar &condition, const Scalar &onTrue,
              const Scalar &onFalse) {
  return condition.apply<arith::SelectOp>(onTrue, onFalse);
}

Scalar polynomial(const Scalar &x, ArrayRef<double> coefficients) {
  Scalar result = x.constant(coefficients.front());
  for (double coefficient : coefficients.drop_front())
    result = result * x + coefficient;
  return result;
}

//===----------------------------------------------------------------------===//
// Doubles: exponential, logarithm, sine
//===----------------------------------------------------------------------===//
// What f32 functions are made of when f32 steps would add up to more than a few
// ulp. All are free of branches and tables, so that loops over them vectorise.

static Scalar toInt(const Scalar &x, unsigned width) {
  return x.wrap(
      arith::FPToSIOp::create(x.b(), x.at(), x.b().getIntegerType(width), x));
}
static Scalar toDouble(const Scalar &integer) {
  return integer.wrap(arith::SIToFPOp::create(
      integer.b(), integer.at(), integer.b().getF64Type(), integer));
}

/// 2^n for an i64 n in the range of normal numbers.
static Scalar powerOfTwo(const Scalar &n) {
  return (n + 1023)
      .apply<arith::ShLIOp>(n.constant(52))
      .bitcast(n.b().getF64Type());
}

static Scalar expDouble(const Scalar &x) {
  // Beyond these the result is infinite or zero anyway.
  Scalar bounded =
      select(x > 710, x.constant(710), select(x > -746, x, x.constant(-746)));
  Scalar n = (bounded * 1.4426950408889634074).unary<math::RoundEvenOp>();
  Scalar r = bounded - n * 0x1.62e42feep-1 - n * 0x1.a39ef35793c76p-33;
  // The series to r^13 / 13!; |r| < 0.347.
  double coefficients[14];
  double factorial = 1;
  for (int i = 0; i < 14; ++i) {
    factorial *= i ? i : 1;
    coefficients[13 - i] = 1 / factorial;
  }
  Scalar p = polynomial(r, coefficients);
  Scalar whole = toInt(n, 64);
  // Two steps: one power of two alone may be out of range.
  Scalar half = whole.apply<arith::ShRSIOp>(whole.constant(1));
  Scalar result = p * powerOfTwo(half) * powerOfTwo(whole - half);
  return select(x.isNan(), x, result);
}

static Scalar logDouble(const Scalar &x) {
  // Subnormal numbers are scaled into the normal range.
  Scalar small = x < 0x1p-1022;
  Scalar scaled = select(small, x * 0x1p54, x);
  Scalar bits = scaled.bitcast(x.b().getI64Type());
  // The exponent such that the mantissa is between sqrt(1/2) and sqrt(2).
  Scalar shifted = bits - bits.bits(0x3fe6a09e667f3bcdULL);
  Scalar exponent = shifted.apply<arith::ShRSIOp>(bits.constant(52));
  Scalar mantissa = (bits - exponent.apply<arith::ShLIOp>(bits.constant(52)))
                        .bitcast(x.type());
  Scalar e = toDouble(exponent) - select(small, x.constant(54), x.constant(0));
  // 2 atanh(s); |s| < 0.172.
  Scalar f = mantissa - 1;
  Scalar s = f / (mantissa + 1), z = s * s;
  Scalar series = z * polynomial(z, {2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17,
                                     2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9,
                                     2.0 / 7, 2.0 / 5, 2.0 / 3});
  // log(1 + f) = f - s (f - series): keeps f exact.
  Scalar result =
      e * 0x1.62e42feep-1 + (f - s * (f - series) + e * 0x1.a39ef35793c76p-33);
  result = select(x == inf, x, result);
  result = select(x == 0, x.constant(-inf), result);
  return select(x >= 0, result, x.constant(nan));
}

/// Taylor series around 0 for |r| <= pi/4.
static Scalar sineSeries(const Scalar &r) {
  Scalar z = r * r;
  return r + r * z *
                 polynomial(z, {1.0 / 355687428096000, -1.0 / 1307674368000,
                                1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880,
                                -1.0 / 5040, 1.0 / 120, -1.0 / 6});
}
static Scalar cosineSeries(const Scalar &r) {
  Scalar z = r * r;
  return 1 + z * polynomial(z, {1.0 / 20922789888000, -1.0 / 87178291200,
                                1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320,
                                -1.0 / 720, 1.0 / 24, -0.5});
}

/// Of an angle in quadrants (units of pi/2) that is small enough for an i32.
static SineAndCosine ofQuadrants(const Scalar &t, const Scalar &rest) {
  Scalar whole = t.unary<math::RoundEvenOp>();
  Scalar r = ((t - whole) + rest) * (pi / 2);
  Scalar s = sineSeries(r), c = cosineSeries(r);
  Scalar finite = whole.abs() < 1e9;
  Scalar n = toInt(select(finite, whole, whole.constant(0)), 32);
  Scalar odd = (n & n.constant(1)) != 0;
  Scalar sineNegative = (n & n.constant(2)) != 0;
  Scalar cosineNegative = ((n + 1) & n.constant(2)) != 0;
  Scalar sine = select(odd, c, s), cosine = select(odd, s, c);
  return {select(sineNegative, -sine, sine),
          select(cosineNegative, -cosine, cosine)};
}

/// Of a double that was an f32: 24 significant bits. x * 2/pi modulo 4 is
/// computed from three pieces of 2/pi * 2^(16j) modulo 4, where x is
/// X * 2^(16j): the products with the first two are exact.
static SineAndCosine ofFloat(const Scalar &x) {
  static constexpr double pieces[7][3] = {
      {0x1.45f306cp-1, 0x1.c9c882ap-29, 0x1.4fe13abe8fa9ap-59},
      {0x1.836e4e4p+0, 0x1.054a7fp-30, 0x1.3abe8fa9a6ee0p-59},
      {0x1.27220a9p+1, 0x1.3f84eaep-29, 0x1.a3ea69bb81b6cp-57},
      {0x1.529fc2p-4, 0x1.d5f47d4p-30, 0x1.a6ee06db14acdp-59},
      {0x1.fc2757cp+0, 0x1.1f534ddp-28, 0x1.81b6c52b32788p-57},
      {0x1.abe8fa9p+1, 0x1.4ddc0dbp-28, 0x1.8a5664f10e410p-58},
      {0x1.f534ddcp+0, 0x1.b6c52ap-33, 0x1.3278872083fcap-57}};
  Scalar magnitude = x.abs();
  Scalar scale = x.constant(1), c1 = x.constant(pieces[0][0]),
         c2 = x.constant(pieces[0][1]), c3 = x.constant(pieces[0][2]);
  for (int j = 1; j < 7; ++j) {
    Scalar beyond = magnitude >= std::ldexp(1.0, 23 + 16 * j);
    scale = select(beyond, x.constant(std::ldexp(1.0, -16 * j)), scale);
    c1 = select(beyond, x.constant(pieces[j][0]), c1);
    c2 = select(beyond, x.constant(pieces[j][1]), c2);
    c3 = select(beyond, x.constant(pieces[j][2]), c3);
  }
  // A whole number when scaled; multiples of four quadrants leave the product
  // with the first piece, multiples of one that with the second.
  Scalar scaled = x * scale;
  Scalar first = scaled * c1, second = scaled * c2;
  first = first - 4 * (first * 0.25).unary<math::RoundEvenOp>();
  Scalar whole = first.unary<math::RoundEvenOp>(),
         secondWhole = second.unary<math::RoundEvenOp>();
  Scalar fraction = (first - whole) + (second - secondWhole);
  Scalar more = fraction.unary<math::RoundEvenOp>();
  return ofQuadrants(whole + secondWhole + more,
                     (fraction - more) + scaled * c3);
}

SineAndCosine sineAndCosineOfPi(const Scalar &x) {
  return ofQuadrants(2 * (x - x.unary<math::RoundEvenOp>()), x.constant(0));
}

/// An f32 function computed in doubles, or upstream's op for f64.
template <typename OpTy>
static Scalar inDoubles(const Scalar &x,
                        function_ref<Scalar(const Scalar &)> formula) {
  if (x.type().isF64())
    return x.unary<OpTy>();
  return formula(x.toFloat(x.b().getF64Type())).toFloat(x.type());
}
//===----------------------------------------------------------------------===//
// The functions
//===----------------------------------------------------------------------===//

Scalar exp(const Scalar &x) {
  return x.type().isF64() ? expDouble(x) : x.unary<math::ExpOp>();
}
Scalar log(const Scalar &x) {
  return x.type().isF64() ? logDouble(x) : x.unary<math::LogOp>();
}
Scalar sin(const Scalar &x) {
  return inDoubles<math::SinOp>(
      x, [](const Scalar &d) { return ofFloat(d).sine; });
}
Scalar cos(const Scalar &x) {
  return inDoubles<math::CosOp>(
      x, [](const Scalar &d) { return ofFloat(d).cosine; });
}
Scalar tan(const Scalar &x) {
  return inDoubles<math::TanOp>(x, [](const Scalar &d) {
    SineAndCosine both = ofFloat(d);
    return both.sine / both.cosine;
  });
}

Scalar sinh(const Scalar &x) {
  return inDoubles<math::SinhOp>(x, [](const Scalar &d) {
    Scalar e = expDouble(d), z = d * d;
    Scalar series = d + d * z * polynomial(z, {1.0 / 5040, 1.0 / 120, 1.0 / 6});
    return select(d.abs() < 0.01, series, (e - 1 / e) * 0.5);
  });
}
Scalar cosh(const Scalar &x) {
  return inDoubles<math::CoshOp>(x, [](const Scalar &d) {
    Scalar e = expDouble(d);
    return (e + 1 / e) * 0.5;
  });
}
Scalar asinh(const Scalar &x) {
  return inDoubles<math::AsinhOp>(x, [](const Scalar &d) {
    Scalar a = d.abs();
    Scalar large = logDouble(a + (a * a + 1).sqrt()).copySign(d);
    return select(a < 1e-4, d - d * d * d * (1.0 / 6), large);
  });
}
Scalar acosh(const Scalar &x) {
  return inDoubles<math::AcoshOp>(x, [](const Scalar &d) {
    return select(d >= 1, logDouble(d + (d * d - 1).sqrt()), d.constant(nan));
  });
}
Scalar atanh(const Scalar &x) {
  return inDoubles<math::AtanhOp>(x, [](const Scalar &d) {
    return select(d.abs() < 1e-4, d + d * d * d * (1.0 / 3),
                  0.5 * logDouble((1 + d) / (1 - d)));
  });
}

Scalar pow(const Scalar &base, const Scalar &exponent) {
  if (base.type().isF64())
    return base.apply<math::PowFOp>(exponent);
  Type f64 = base.b().getF64Type();
  Scalar x = base.toFloat(f64), y = exponent.toFloat(f64), magnitude = x.abs();
  Scalar result = expDouble(y * logDouble(magnitude));
  Scalar isWhole = y.floor() == y, half = y * 0.5;
  Scalar isOdd = isWhole & (half.floor() != half);
  // The sign bit, so that -0 counts.
  Scalar negative = x.constant(1).copySign(x) < 0;
  result = select(negative & isOdd, -result, result);
  Scalar undefined =
      (x < 0) & (magnitude < inf) & (y.floor() != y) & (y.abs() < inf);
  result = select(undefined, x.constant(nan), result);
  // 1 to any power and anything to the power 0 are 1, NaN and infinity too.
  Scalar minusOneToInfinity = (magnitude == 1) & (y.abs() == inf);
  Scalar one = (x == 1) | (y == 0) | minusOneToInfinity;
  return select(one, x.constant(1), result).toFloat(base.type());
}

/// arc tangent of a double between 0 and 1.
static Scalar atanUnit(const Scalar &x) {
  // atan(x) = pi/4 + atan((x - 1) / (x + 1)) for x above tan(pi/8).
  Scalar upper = x > 0.41421356237309503;
  Scalar t = select(upper, (x - 1) / (x + 1), x), z = t * t;
  double coefficients[13];
  for (int i = 0; i < 13; ++i)
    coefficients[12 - i] = (i % 2 ? -1.0 : 1.0) / (2 * i + 1);
  return select(upper, x.constant(pi / 4), x.constant(0)) +
         t * polynomial(z, coefficients);
}

Scalar atan2(const Scalar &ordinate, const Scalar &abscissa) {
  if (ordinate.type().isF64())
    return ordinate.apply<math::Atan2Op>(abscissa);
  Type f64 = ordinate.b().getF64Type();
  Scalar y = ordinate.toFloat(f64), x = abscissa.toFloat(f64);
  Scalar ay = y.abs(), ax = x.abs(), steep = ay > ax;
  Scalar ratio = select(steep, ax, ay) / select(steep, ay, ax);
  // 0 / 0 is angle 0, infinity / infinity half a right angle.
  ratio = select(ay == ax, select(ay == 0, ay, ay.constant(1)), ratio);
  Scalar angle = atanUnit(ratio);
  angle = select(steep, pi / 2 - angle, angle);
  angle = select(x.constant(1).copySign(x) < 0, pi - angle, angle);
  angle = select(y.isNan(), y, select(x.isNan(), x, angle.copySign(y)));
  return angle.toFloat(ordinate.type());
}

Scalar atan(const Scalar &x) {
  return inDoubles<math::AtanOp>(x, [](const Scalar &d) {
    Scalar a = d.abs(), steep = a > 1;
    Scalar angle = atanUnit(select(steep, 1 / a, a));
    return select(steep, pi / 2 - angle, angle).copySign(d);
  });
}

/// The logarithm of the rounded 1 + x, corrected by the rounding.
Scalar log1p(const Scalar &x) {
  if (!x.type().isF64())
    return x.unary<math::Log1pOp>();
  Scalar u = 1 + x, less = u - 1;
  Scalar exact = (u == 1) | (u == inf);
  return select(exact, x, log(u) * (x / less));
}

/// The same for the rounded exp(x), which is 1 for small x and 0 far below.
Scalar expm1(const Scalar &x) {
  if (!x.type().isF64())
    return x.unary<math::ExpM1Op>();
  Scalar u = exp(x), less = u - 1;
  Scalar corrected = less * (x / log(u));
  Scalar exact = (less == -1) | (u == inf);
  return select(u == 1, x, select(exact, less, corrected));
}

Scalar softplus(const Scalar &x) {
  return select(x > 0, x, x.constant(0)) + log1p(exp(-x.abs()));
}

Scalar sigmoid(const Scalar &x) { return 1 / (1 + exp(-x)); }

Scalar nextAfter(const Scalar &from, const Scalar &to) {
  Type integer = from.b().getIntegerType(from.type().getIntOrFloatBitWidth());
  Scalar bits = from.bitcast(integer);
  // Away from zero the bits go up, whatever the sign.
  Scalar up = (from < to).apply<arith::XOrIOp>(from < 0);
  Scalar moved = select(up, bits + 1, bits - 1).bitcast(from.type());
  Scalar least = bits.constant(1).bitcast(from.type()).copySign(to);
  Scalar result = select(from == 0, least, moved);
  result = select(from == to, to, result);
  return select(from.isNan(), from, select(to.isNan(), to, result));
}

} // namespace tenon::graph
