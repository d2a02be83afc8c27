#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/ScalarMath.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// The upstream op for floats or for complex numbers.
template <typename FloatOp, typename ComplexOp>
static Value function(OpBuilder &b, Location loc, Value x) {
  if (isa<ComplexType>(x.getType()))
    return ComplexOp::create(b, loc, x);
  return FloatOp::create(b, loc, x);
}

namespace {
/// Complex formulas from the complex ops there are.
struct Complex {
  OpBuilder &b;
  Location loc;
  Value v;

  Complex wrap(Value other) const { return {b, loc, other}; }
  Complex constant(double re, double im) const {
    Type part = cast<ComplexType>(v.getType()).getElementType();
    return wrap(complex::ConstantOp::create(
        b, loc, cast<ComplexType>(v.getType()),
        b.getArrayAttr({b.getFloatAttr(part, re), b.getFloatAttr(part, im)})));
  }
  template <typename OpTy> Complex unary() const {
    return wrap(OpTy::create(b, loc, v));
  }
  Complex operator+(const Complex &o) const {
    return wrap(complex::AddOp::create(b, loc, v, o.v));
  }
  Complex operator-(const Complex &o) const {
    return wrap(complex::SubOp::create(b, loc, v, o.v));
  }
  Complex operator*(const Complex &o) const {
    return wrap(complex::MulOp::create(b, loc, v, o.v));
  }
  Complex operator/(const Complex &o) const {
    return wrap(complex::DivOp::create(b, loc, v, o.v));
  }
  Complex log() const { return unary<complex::LogOp>(); }
  Complex sqrt() const { return unary<complex::SqrtOp>(); }
  Complex exp() const { return unary<complex::ExpOp>(); }
  Complex timesI() const { return *this * constant(0, 1); }
  Complex overI() const { return *this * constant(0, -1); }
};
} // namespace

/// A complex<f32> function computed in complex<f64>: these formulas subtract
/// numbers of nearly the same size.
static Value inDoubles(OpBuilder &b, Location loc, Value x,
                       function_ref<Complex(const Complex &)> formula) {
  Type part = cast<ComplexType>(x.getType()).getElementType();
  auto convert = [&](Value value, Type wanted) -> Value {
    Type from = cast<ComplexType>(value.getType()).getElementType();
    Scalar re(b, loc, complex::ReOp::create(b, loc, from, value)),
        im(b, loc, complex::ImOp::create(b, loc, from, value));
    return complex::CreateOp::create(b, loc, ComplexType::get(wanted),
                                     re.toFloat(wanted), im.toFloat(wanted));
  };
  Complex result = formula({b, loc, convert(x, b.getF64Type())});
  return convert(result.v, part);
}

static Complex complexAsinh(const Complex &z) {
  return (z + (z * z + z.constant(1, 0)).sqrt()).log();
}
static Complex complexAcosh(const Complex &z) {
  Complex one = z.constant(1, 0);
  return (z + (z + one).sqrt() * (z - one).sqrt()).log();
}
static Complex complexAtanh(const Complex &z) {
  Complex one = z.constant(1, 0);
  return ((one + z).log() - (one - z).log()) * z.constant(0.5, 0);
}

Value SqrtOp::buildScalar(OpBuilder &b, ValueRange v) {
  return function<math::SqrtOp, complex::SqrtOp>(b, getLoc(), v[0]);
}
Value RsqrtOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::RsqrtOp::create(b, getLoc(), v[0]);
  // Exact to an ulp, unlike the approximations of math.rsqrt.
  return 1 / Scalar(b, getLoc(), v[0]).sqrt();
}
Value ExpOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::ExpOp::create(b, getLoc(), v[0]);
  return exp(Scalar(b, getLoc(), v[0]));
}
Value Expm1Op::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::Expm1Op::create(b, getLoc(), v[0]);
  return expm1(Scalar(b, getLoc(), v[0]));
}
Value LogOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::LogOp::create(b, getLoc(), v[0]);
  return log(Scalar(b, getLoc(), v[0]));
}
Value Log1pOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::Log1pOp::create(b, getLoc(), v[0]);
  return log1p(Scalar(b, getLoc(), v[0]));
}
Value SinOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::SinOp::create(b, getLoc(), v[0]);
  return sin(Scalar(b, getLoc(), v[0]));
}
Value CosOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::CosOp::create(b, getLoc(), v[0]);
  return cos(Scalar(b, getLoc(), v[0]));
}
Value TanOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::TanOp::create(b, getLoc(), v[0]);
  return tan(Scalar(b, getLoc(), v[0]));
}
Value AsinOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return math::AsinOp::create(b, getLoc(), v[0]);
  return inDoubles(b, getLoc(), v[0], [](const Complex &z) {
    return complexAsinh(z.timesI()).overI();
  });
}
Value AcosOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return math::AcosOp::create(b, getLoc(), v[0]);
  return inDoubles(b, getLoc(), v[0], [](const Complex &z) {
    return z.constant(1.5707963267948966, 0) - complexAsinh(z.timesI()).overI();
  });
}
Value AtanOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return atan(Scalar(b, getLoc(), v[0]));
  return inDoubles(b, getLoc(), v[0], [](const Complex &z) {
    return complexAtanh(z.timesI()).overI();
  });
}
Value SinhOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return sinh(Scalar(b, getLoc(), v[0]));
  Complex z{b, getLoc(), v[0]};
  return ((z.exp() - z.unary<complex::NegOp>().exp()) * z.constant(0.5, 0)).v;
}
Value CoshOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return cosh(Scalar(b, getLoc(), v[0]));
  Complex z{b, getLoc(), v[0]};
  return ((z.exp() + z.unary<complex::NegOp>().exp()) * z.constant(0.5, 0)).v;
}
Value TanhOp::buildScalar(OpBuilder &b, ValueRange v) {
  return function<math::TanhOp, complex::TanhOp>(b, getLoc(), v[0]);
}
Value AsinhOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return inDoubles(b, getLoc(), v[0], complexAsinh);
  return asinh(Scalar(b, getLoc(), v[0]));
}
Value AcoshOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return inDoubles(b, getLoc(), v[0], complexAcosh);
  return acosh(Scalar(b, getLoc(), v[0]));
}
Value AtanhOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return inDoubles(b, getLoc(), v[0], complexAtanh);
  return atanh(Scalar(b, getLoc(), v[0]));
}
Value Atan2Op::buildScalar(OpBuilder &b, ValueRange v) {
  return atan2(Scalar(b, getLoc(), v[0]), Scalar(b, getLoc(), v[1]));
}
Value ErfOp::buildScalar(OpBuilder &b, ValueRange v) {
  return math::ErfOp::create(b, getLoc(), v[0]);
}
Value ErfcOp::buildScalar(OpBuilder &b, ValueRange v) {
  return math::ErfcOp::create(b, getLoc(), v[0]);
}
Value NdtriOp::buildScalar(OpBuilder &b, ValueRange v) {
  return ndtri(Scalar(b, getLoc(), v[0]));
}
Value ErfinvOp::buildScalar(OpBuilder &b, ValueRange v) {
  return erfinv(Scalar(b, getLoc(), v[0]));
}
Value LgammaOp::buildScalar(OpBuilder &b, ValueRange v) {
  return lgamma(Scalar(b, getLoc(), v[0]));
}
Value IgammaOp::buildScalar(OpBuilder &b, ValueRange v) {
  return igamma(Scalar(b, getLoc(), v[0]), Scalar(b, getLoc(), v[1]),
                /*upper=*/false);
}
Value IgammacOp::buildScalar(OpBuilder &b, ValueRange v) {
  return igamma(Scalar(b, getLoc(), v[0]), Scalar(b, getLoc(), v[1]),
                /*upper=*/true);
}
Value DigammaOp::buildScalar(OpBuilder &b, ValueRange v) {
  return digamma(Scalar(b, getLoc(), v[0]));
}
Value BesselI0Op::buildScalar(OpBuilder &b, ValueRange v) {
  return bessel(Scalar(b, getLoc(), v[0]), 0, /*scaled=*/false);
}
Value BesselI1Op::buildScalar(OpBuilder &b, ValueRange v) {
  return bessel(Scalar(b, getLoc(), v[0]), 1, /*scaled=*/false);
}
Value BesselI0eOp::buildScalar(OpBuilder &b, ValueRange v) {
  return bessel(Scalar(b, getLoc(), v[0]), 0, /*scaled=*/true);
}
Value BesselI1eOp::buildScalar(OpBuilder &b, ValueRange v) {
  return bessel(Scalar(b, getLoc(), v[0]), 1, /*scaled=*/true);
}
Value FloorOp::buildScalar(OpBuilder &b, ValueRange v) {
  return math::FloorOp::create(b, getLoc(), v[0]);
}
Value CeilOp::buildScalar(OpBuilder &b, ValueRange v) {
  return math::CeilOp::create(b, getLoc(), v[0]);
}
Value RoundOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<FloatType>(v[0].getType()))
    return v[0];
  return math::RoundEvenOp::create(b, getLoc(), v[0]);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value SigmoidOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return sigmoid(Scalar(b, getLoc(), v[0]));
  Complex z{b, getLoc(), v[0]}, one = z.constant(1, 0);
  return (one / (one + z.unary<complex::NegOp>().exp())).v;
}
Value SoftplusOp::buildScalar(OpBuilder &b, ValueRange v) {
  return softplus(Scalar(b, getLoc(), v[0]));
}
Value SoftsignOp::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar x(b, getLoc(), v[0]);
  return x / (x.abs() + 1);
}
/// Compares with the constant first: x86's max gives the second operand when
/// one is NaN, so this is one instruction and NaN stays.
static Scalar positivePart(const Scalar &x) {
  return select(x.constant(0) > x, x.constant(0), x);
}
Value ReluOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isUnsigned(getElementTypeOrSelf(getInput().getType())))
    return v[0];
  return positivePart(Scalar(b, getLoc(), v[0]));
}
Value Relu6Op::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar x(b, getLoc(), v[0]), six = x.constant(6);
  if (isUnsigned(getElementTypeOrSelf(getInput().getType())))
    return arith::MinUIOp::create(b, getLoc(), x, six);
  Scalar positive = positivePart(x);
  return select(six < positive, six, positive);
}
Value EluOp::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar x(b, getLoc(), v[0]);
  return select(x < 0, expm1(x), x);
}
Value SeluOp::buildScalar(OpBuilder &b, ValueRange v) {
  constexpr double scale = 1.0507009873554804934193349852946;
  constexpr double scaleAlpha = 1.7580993408473768599402175208123;
  Scalar x(b, getLoc(), v[0]);
  return select(x < 0, scaleAlpha * expm1(x), scale * x);
}
Value LeakyReluOp::buildScalar(OpBuilder &b, ValueRange v) {
  Scalar x(b, getLoc(), v[0]);
  return select(x > 0, x, getAlpha().convertToDouble() * x);
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

/// Float to integer with x86's result where the number does not fit: the least
/// number of 32 or 64 bits, of which narrower types keep the low bits.
static Value toInteger(const Scalar &x, IntegerType type) {
  OpBuilder &b = x.b();
  bool viaWide =
      type.getWidth() == 64 || (type.getWidth() == 32 && type.isUnsigned());
  auto signedType = b.getIntegerType(viaWide ? 64 : 32);
  double limit = viaWide ? 0x1p63 : 0x1p31;
  Value least = arith::ConstantOp::create(
      b, x.at(),
      b.getIntegerAttr(signedType,
                       APInt::getSignedMinValue(signedType.getWidth())));
  // Truncation happens before the range check that the hardware makes.
  Scalar whole = x.unary<math::TruncOp>();
  auto convert = [&](const Scalar &number) {
    Scalar fits = (number >= -limit) & (number < limit);
    Scalar safe = select(fits, number, number.constant(0));
    return select(fits,
                  x.wrap(arith::FPToSIOp::create(b, x.at(), signedType, safe)),
                  x.wrap(least));
  };
  Scalar result = convert(whole);
  if (type.getWidth() == 64 && type.isUnsigned()) {
    // The upper half of the range: shifted down, and its bit put back.
    Scalar upper = convert(whole - limit).apply<arith::XOrIOp>(x.wrap(least));
    Scalar isUpper = (whole >= limit) & (whole < 2 * limit);
    result = select(isUpper, upper, result);
  }
  if (type.getWidth() < signedType.getWidth())
    return arith::TruncIOp::create(b, x.at(), b.getIntegerType(type.getWidth()),
                                   result);
  return result;
}

static Value convertReal(OpBuilder &b, Location loc, Value value, Type from,
                         Type to) {
  if (from == to)
    return value;
  if (auto toFloat = dyn_cast<FloatType>(to)) {
    if (isa<FloatType>(from))
      return Scalar(b, loc, value).toFloat(toFloat);
    if (isUnsigned(from))
      return arith::UIToFPOp::create(b, loc, to, value);
    return arith::SIToFPOp::create(b, loc, to, value);
  }
  auto toType = cast<IntegerType>(to);
  Scalar x(b, loc, value);
  if (toType.getWidth() == 1)
    return x != 0;
  if (isa<FloatType>(from))
    return toInteger(x, toType);
  unsigned width = cast<IntegerType>(from).getWidth();
  Type signless = b.getIntegerType(toType.getWidth());
  if (width > toType.getWidth())
    return arith::TruncIOp::create(b, loc, signless, value);
  if (width == toType.getWidth())
    return value;
  if (isUnsigned(from))
    return arith::ExtUIOp::create(b, loc, signless, value);
  return arith::ExtSIOp::create(b, loc, signless, value);
}

/// The type that half floats are computed in.
static Type computed(Type type) {
  return type.isF16() || type.isBF16() ? Float32Type::get(type.getContext())
                                       : type;
}

Value CastOp::buildScalar(OpBuilder &b, ValueRange v) {
  Type from = computed(getElementTypeOrSelf(getInput().getType())),
       to = computed(getElementTypeOrSelf(getResult().getType()));
  Value value = v[0];
  auto toComplex = dyn_cast<ComplexType>(to);
  if (auto fromComplex = dyn_cast<ComplexType>(from)) {
    from = fromComplex.getElementType();
    Value re = complex::ReOp::create(b, getLoc(), from, value);
    if (!toComplex)
      return convertReal(b, getLoc(), re, from, to);
    Value im = complex::ImOp::create(b, getLoc(), from, value);
    Type part = toComplex.getElementType();
    return complex::CreateOp::create(b, getLoc(), toComplex,
                                     convertReal(b, getLoc(), re, from, part),
                                     convertReal(b, getLoc(), im, from, part));
  }
  if (!toComplex)
    return convertReal(b, getLoc(), value, from, to);
  Type part = toComplex.getElementType();
  Value re = convertReal(b, getLoc(), value, from, part);
  return complex::CreateOp::create(b, getLoc(), toComplex, re,
                                   Scalar(b, getLoc(), re).constant(0));
}

//===----------------------------------------------------------------------===//
// Complex numbers
//===----------------------------------------------------------------------===//

static Type partType(Value complexNumber) {
  return cast<ComplexType>(complexNumber.getType()).getElementType();
}

Value ComplexOp::buildScalar(OpBuilder &b, ValueRange v) {
  return complex::CreateOp::create(
      b, getLoc(), ComplexType::get(v[0].getType()), v[0], v[1]);
}
Value RealOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return v[0];
  return complex::ReOp::create(b, getLoc(), partType(v[0]), v[0]);
}
Value ImagOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return Scalar(b, getLoc(), v[0]).constant(0);
  return complex::ImOp::create(b, getLoc(), partType(v[0]), v[0]);
}
Value AngleOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (isa<ComplexType>(v[0].getType()))
    return complex::AngleOp::create(b, getLoc(), partType(v[0]), v[0]);
  Scalar x(b, getLoc(), v[0]);
  return select(x < 0, x.constant(3.14159265358979323846), x.constant(0));
}
Value ConjOp::buildScalar(OpBuilder &b, ValueRange v) {
  if (!isa<ComplexType>(v[0].getType()))
    return v[0];
  return complex::ConjOp::create(b, getLoc(), v[0]);
}
