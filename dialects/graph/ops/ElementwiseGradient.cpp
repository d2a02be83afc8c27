// Derivatives of elementwise ops; at kinks and poles they are TensorFlow's.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Elementwise.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kSqrtPi = 1.77245385090551602730;

/// A function of one operand by its derivative `Rule(x, y)`, where y is the
/// result.
template <typename OpTy, typename Rule> void unary(MLIRContext *context, Rule) {
  addRule<OpTy>(context, [](OpTy op, Gradient &g) {
    Tensor x = g(op.getInput()), y = g(op.getResult());
    g.add(op.getInput(), g.of() * conj(Rule()(x, y)));
  });
}

/// The same by what becomes of the cotangent: `Rule(g, x, y)`.
template <typename OpTy, typename Rule>
void pullback(MLIRContext *context, Rule) {
  addRule<OpTy>(context, [](OpTy op, Gradient &g) {
    g.add(op.getInput(), Rule()(g.of(), g(op.getInput()), g(op.getResult())));
  });
}

/// A function of two operands by what becomes of the cotangent for each of
/// them: `Rule(g, a, b, y)`.
template <typename OpTy, typename Lhs, typename Rhs>
void binary(MLIRContext *context, Lhs, Rhs) {
  addRule<OpTy>(context, [](OpTy op, Gradient &g) {
    Tensor a = conj(g(op.getLhs())), b = conj(g(op.getRhs())),
           y = conj(g(op.getResult()));
    if (g.wants(op.getLhs()))
      g.add(op.getLhs(), Lhs()(g.of(), a, b, y));
    if (g.wants(op.getRhs()))
      g.add(op.getRhs(), Rhs()(g.of(), a, b, y));
  });
}

/// Derivative of digamma: shifted upwards until the asymptotic series is exact,
/// and mirrored for small arguments.
Tensor trigamma(Tensor x) {
  Tensor small = x < 0.5, start = select(small, 1 - x, x), total, z = start;
  for (int i = 0; i < 8; ++i) {
    Tensor term = apply("reciprocal", square(z));
    total = total ? total + term : term;
    z = z + 1;
  }
  Tensor r = apply("reciprocal", z), r2 = square(r), series = r2 * (7. / 6);
  // Bernoulli's numbers.
  for (double b : {-691. / 2730, 5. / 66, -1. / 30, 1. / 42, -1. / 30, 1. / 6})
    series = r2 * (series + b);
  Tensor upper = total + r * (series + r * 0.5 + 1);
  return select(small, square(kPi / sin(x * kPi)) - upper, upper);
}

/// z = x + i * 0.
Tensor withZeroImaginary(Tensor x) {
  GraphBuilder &b = x.builder();
  return b.make("graph.complex", ComplexType::get(x.type()),
                {x, b.scalar(x.type(), 0)});
}

Tensor safeLog(Tensor x) {
  Tensor valid = x.isComplex() ? notEqual(x, 0) : x > 0;
  return select(valid, log(select(valid, x, 1)), 0);
}

/// The derivative of igamma(a, x) by x, in logarithms because gamma(a) is
/// large.
Tensor gammaDensity(Tensor a, Tensor x) {
  return exp((a - 1) * log(x) - x - apply("lgamma", a));
}

/// The derivative of igamma(a, x) by a.
Tensor byShape(Tensor a, Tensor x) {
  Type type = a.type(),
       wide = type.isF64() ? type : a.builder().builder.getF32Type();
  return cast(apply("igamma_grad_a", cast(a, wide), cast(x, wide)), type);
}

/// What becomes of a cotangent that is 0: 0, also at poles.
Tensor unlessZero(Tensor cotangent, Tensor value) {
  return select(equal(cotangent, 0), 0, value);
}

/// 1 where x is not 0.
Tensor isNonZero(Tensor x) { return cast(notEqual(x, 0), x.type()); }

void addArithmetic(MLIRContext *c) {
  using T = Tensor;
  binary<AddOp>(
      c, [](T g, T, T, T) { return g; }, [](T g, T, T, T) { return g; });
  binary<SubOp>(
      c, [](T g, T, T, T) { return g; }, [](T g, T, T, T) { return -g; });
  binary<MulOp>(
      c, [](T g, T, T b, T) { return g * b; },
      [](T g, T a, T, T) { return g * a; });
  binary<DivOp>(
      c, [](T g, T, T b, T) { return g / b; },
      [](T g, T a, T b, T) { return g * (-a / b / b); });
  binary<PowOp>(
      c, [](T g, T a, T b, T) { return g * b * pow(a, b - 1); },
      [](T g, T a, T, T y) { return g * y * safeLog(a); });
  binary<MaximumOp>(
      c, [](T g, T a, T b, T) { return select(a >= b, g, 0); },
      [](T g, T a, T b, T) { return select(a >= b, 0, g); });
  binary<MinimumOp>(
      c, [](T g, T a, T b, T) { return select(a <= b, g, 0); },
      [](T g, T a, T b, T) { return select(a <= b, 0, g); });
  binary<SquaredDifferenceOp>(
      c, [](T g, T a, T b, T) { return g * 2 * (conj(a) - conj(b)); },
      [](T g, T a, T b, T) { return -(g * 2 * (conj(a) - conj(b))); });
  binary<Atan2Op>(
      c, [](T g, T a, T b, T) { return b * (g / (square(a) + square(b))); },
      [](T g, T a, T b, T) { return -a * (g / (square(a) + square(b))); });
  binary<FloorModOp>(
      c, [](T g, T, T, T) { return g; },
      [](T g, T a, T b, T) { return -(g * apply("floor_div", a, b)); });
  binary<TruncModOp>(
      c, [](T g, T, T, T) { return g; },
      [](T g, T a, T b, T) { return -(g * apply("trunc_div", a, b)); });
  binary<XdivyOp>(
      c, [](T g, T a, T b, T) { return g * apply("xdivy", isNonZero(a), b); },
      [](T g, T a, T b, T) { return g * apply("xdivy", -a, square(b)); });
  binary<XlogyOp>(
      c, [](T g, T a, T b, T) { return g * apply("xlogy", isNonZero(a), b); },
      [](T g, T a, T b, T) { return g * apply("xdivy", a, b); });
  binary<Xlog1pyOp>(
      c, [](T g, T a, T b, T) { return g * apply("xlog1py", isNonZero(a), b); },
      [](T g, T a, T b, T) { return g * apply("xdivy", a, b + 1); });
  binary<DivNoNanOp>(
      c, [](T g, T, T b, T) { return apply("div_no_nan", g, b); },
      [](T g, T a, T b, T) {
        return g * apply("div_no_nan", apply("div_no_nan", -a, b), b);
      });
  binary<MulNoNanOp>(
      c, [](T g, T, T b, T) { return apply("mul_no_nan", g, b); },
      [](T g, T a, T, T) { return apply("mul_no_nan", a, g); });
  addRule<NextAfterOp>(
      c, [](NextAfterOp op, Gradient &g) { g.add(op.getLhs(), g.of()); });
  binary<IgammaOp>(
      c, [](T g, T a, T x, T) { return g * byShape(a, x); },
      [](T g, T a, T x, T) { return g * gammaDensity(a, x); });
  binary<IgammacOp>(
      c, [](T g, T a, T x, T) { return -(g * byShape(a, x)); },
      [](T g, T a, T x, T) { return -(g * gammaDensity(a, x)); });
}

void addFunctions(MLIRContext *c) {
  using T = Tensor;
  unary<SquareOp>(c, [](T x, T) { return x * 2; });
  pullback<SqrtOp>(
      c, [](T g, T, T y) { return unlessZero(g, g * 0.5 / conj(y)); });
  pullback<RsqrtOp>(c, [](T g, T, T y) {
    return unlessZero(g, g * conj(y * square(y) * -0.5));
  });
  pullback<ReciprocalOp>(
      c, [](T g, T, T y) { return unlessZero(g, -(g * square(conj(y)))); });
  unary<ExpOp>(c, [](T, T y) { return y; });
  unary<Expm1Op>(c, [](T x, T) { return exp(x); });
  unary<LogOp>(c, [](T x, T) { return 1 / x; });
  unary<Log1pOp>(c, [](T x, T) { return 1 / (1 + x); });
  unary<SinOp>(c, [](T x, T) { return cos(x); });
  unary<CosOp>(c, [](T x, T) { return -sin(x); });
  unary<TanOp>(c, [](T x, T) { return square(1 / cos(x)); });
  unary<AsinOp>(c, [](T x, T) { return 1 / sqrt(1 - square(x)); });
  unary<AcosOp>(c, [](T x, T) { return -(1 / sqrt(1 - square(x))); });
  unary<AtanOp>(c, [](T x, T) { return 1 / (1 + square(x)); });
  unary<SinhOp>(c, [](T x, T) { return apply("cosh", x); });
  unary<CoshOp>(c, [](T x, T) { return apply("sinh", x); });
  unary<TanhOp>(c, [](T, T y) { return 1 - square(y); });
  unary<AsinhOp>(c, [](T, T y) { return 1 / apply("cosh", y); });
  unary<AcoshOp>(c, [](T, T y) { return 1 / apply("sinh", y); });
  unary<AtanhOp>(c, [](T x, T) { return 1 / (1 - square(x)); });
  unary<ErfOp>(c, [](T x, T) { return exp(-square(x)) * (2 / kSqrtPi); });
  unary<ErfcOp>(c, [](T x, T) { return exp(-square(x)) * (-2 / kSqrtPi); });
  unary<ErfinvOp>(c, [](T, T y) { return exp(square(y)) * (kSqrtPi / 2); });
  unary<NdtriOp>(
      c, [](T, T y) { return exp(square(y) * 0.5) * 2.50662827463100050242; });
  unary<LgammaOp>(c, [](T x, T) { return apply("digamma", x); });
  unary<DigammaOp>(c, [](T x, T) { return trigamma(x); });
  unary<BesselI0Op>(c, [](T x, T) { return apply("bessel_i1", x); });
  unary<BesselI0eOp>(c, [](T x, T y) {
    return apply("bessel_i1e", x) - apply("sign", x) * y;
  });
  unary<BesselI1Op>(c, [](T x, T y) {
    Tensor zero = equal(x, 0);
    return select(zero, 1, apply("bessel_i0", x) - y / select(zero, 1, x));
  });
  unary<BesselI1eOp>(c, [](T x, T y) {
    Tensor zero = equal(x, 0),
           slope = apply("sign", x) + 1 / select(zero, 1, x);
    return select(zero, 0.5, apply("bessel_i0e", x) - y * slope);
  });
}

void addActivations(MLIRContext *c) {
  using T = Tensor;
  unary<SigmoidOp>(c, [](T, T y) { return y * (1 - y); });
  unary<SoftplusOp>(c, [](T x, T) { return apply("sigmoid", x); });
  unary<SoftsignOp>(c, [](T x, T) { return 1 / square(1 + apply("abs", x)); });
  pullback<ReluOp>(c, [](T g, T, T y) { return select(y > 0, g, 0); });
  pullback<Relu6Op>(
      c, [](T g, T, T y) { return select((y > 0) & (y < 6), g, 0); });
  pullback<EluOp>(c, [](T g, T, T y) { return select(y < 0, (y + 1) * g, g); });
  pullback<SeluOp>(c, [](T g, T, T y) {
    return select(y < 0, (y + 1.7580993408473768599) * g,
                  g * 1.0507009873554804934);
  });
  addRule<LeakyReluOp>(c, [](LeakyReluOp op, Gradient &g) {
    g.add(op.getInput(), select(g(op.getInput()) > 0, g.of(),
                                g.of() * op.getAlpha().convertToFloat()));
  });
}

void addChoices(MLIRContext *c) {
  using T = Tensor;
  pullback<NegOp>(c, [](T g, T, T) { return -g; });
  pullback<AbsOp>(c, [](T g, T x, T y) {
    if (!x.isComplex())
      return g * apply("sign", x);
    return apply("div_no_nan", withZeroImaginary(g) * x, withZeroImaginary(y));
  });
  addRule<SelectOp>(c, [](SelectOp op, Gradient &g) {
    Tensor condition = g(op.getCondition());
    if (g.wants(op.getOnTrue()))
      g.add(op.getOnTrue(), select(condition, g.of(), 0));
    if (g.wants(op.getOnFalse()))
      g.add(op.getOnFalse(), select(condition, 0, g.of()));
  });
  addRule<ClipOp>(c, [](ClipOp op, Gradient &g) {
    Tensor x = g(op.getInput()),
           below = x<g(op.getLow()), above = x> g(op.getHigh());
    if (g.wants(op.getInput()))
      g.add(op.getInput(), select(apply("or", below, above), 0, g.of()));
    if (g.wants(op.getLow()))
      g.add(op.getLow(), select(below, g.of(), 0));
    if (g.wants(op.getHigh()))
      g.add(op.getHigh(), select(above, g.of(), 0));
  });
  pullback<CastOp>(c, [](T g, T, T) { return g; });
}

void addComplex(MLIRContext *c) {
  using T = Tensor;
  addRule<ComplexOp>(c, [](ComplexOp op, Gradient &g) {
    Type real = getElementTypeOrSelf(op.getLhs());
    g.add(op.getLhs(), g.make("graph.real", real, g.of()));
    g.add(op.getRhs(), g.make("graph.imag", real, g.of()));
  });
  pullback<ConjOp>(c, [](T g, T, T) { return conj(g); });
  pullback<RealOp>(
      c, [](T g, T x, T) { return x.isComplex() ? withZeroImaginary(g) : g; });
  pullback<ImagOp>(c, [](T g, T x, T) {
    GraphBuilder &b = g.builder();
    return x.isComplex()
               ? b.make("graph.complex", x.type(), {b.scalar(g.type(), 0), g})
               : Tensor();
  });
  pullback<AngleOp>(c, [](T g, T x, T) {
    if (!x.isComplex())
      return Tensor();
    GraphBuilder &b = g.builder();
    Tensor swapped = b.make(
        "graph.complex", x.type(),
        {b.make("graph.imag", g.type(), x), b.make("graph.real", g.type(), x)});
    return -(withZeroImaginary(g) / swapped);
  });
}
} // namespace

void tenon::graph::addElementwiseGradients(MLIRContext *context) {
  addArithmetic(context);
  addFunctions(context);
  addActivations(context);
  addChoices(context);
  addComplex(context);
  addZeroRules<FloorDivOp, TruncDivOp, SignOp, FloorOp, CeilOp, RoundOp,
               EqualOp, NotEqualOp, LessOp, LessEqualOp, GreaterOp,
               GreaterEqualOp, IsNanOp, IsInfOp, IsFiniteOp, AndOp, OrOp, XorOp,
               NotOp, LeftShiftOp, RightShiftOp, PopulationCountOp>(context);
}
