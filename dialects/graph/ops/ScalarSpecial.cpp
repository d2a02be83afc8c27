// The special functions among those of one element.
#include "dialects/graph/ops/ScalarMath.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <limits>

using namespace mlir;

namespace tenon::graph {

static constexpr double inf = std::numeric_limits<double>::infinity();
static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
static constexpr double pi = 3.14159265358979323846;

/// A function of f32 or f64 whose formula is one of doubles.
static Scalar inDoubles(const Scalar &x,
                        function_ref<Scalar(const Scalar &)> formula) {
  return formula(x.toFloat(x.b().getF64Type())).toFloat(x.type());
}

/// Lanczos' approximation for x >= 0.5.
static Scalar lgammaRight(const Scalar &x) {
  static constexpr double g = 7;
  static constexpr double c[] = {0.99999999999980993227684700473478,
                                 676.520368121885098567009190444019,
                                 -1259.13921672240287047156078755283,
                                 771.3234287776530788486528258894,
                                 -176.61502916214059906584551354,
                                 12.507343278686904814458936853,
                                 -0.13857109526572011689554707,
                                 9.984369578019570859563e-6,
                                 1.50563273514931155834e-7};
  Scalar z = x - 1;
  Scalar sum = z.constant(c[0]);
  for (int i = 1; i < 9; ++i)
    sum = sum + c[i] / (z + i);
  Scalar t = z + (g + 0.5);
  return (z + 0.5) * (log(t) - 1) + (0.91893853320467274178 - g) + log(sum);
}

static Scalar lgammaDouble(const Scalar &d) {
  Scalar left = d < 0.5;
  Scalar right = lgammaRight(select(left, 1 - d, d));
  // Reflection: gamma(x) gamma(1 - x) = pi / sin(pi x).
  Scalar sine = sineAndCosineOfPi(d).sine.abs();
  Scalar reflected = 1.1447298858494001741 - log(sine) - right;
  Scalar isPole = (d <= 0) & (d.floor() == d);
  Scalar result = select(left, reflected, right);
  return select(isPole | (d.abs() == inf), d.constant(inf), result);
}

Scalar lgamma(const Scalar &x) { return inDoubles(x, lgammaDouble); }

Scalar digamma(const Scalar &x) {
  return inDoubles(x, [](const Scalar &d) {
    Scalar left = d < 0.5;
    Scalar y = select(left, 1 - d, d), steps = d.constant(0);
    // psi(y) = psi(y + 1) - 1 / y, up to where the asymptotic series holds.
    for (int i = 0; i < 10; ++i) {
      Scalar below = y < 10;
      steps = select(below, steps + 1 / y, steps);
      y = select(below, y + 1, y);
    }
    Scalar z = 1 / (y * y);
    Scalar series =
        z * polynomial(z, {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240,
                           1.0 / 252, -1.0 / 120, 1.0 / 12});
    Scalar right = log(y) - 0.5 / y - series - steps;
    SineAndCosine angle = sineAndCosineOfPi(d);
    Scalar result = select(left, right - pi * angle.cosine / angle.sine, right);
    Scalar isPole = (d <= 0) & (d.floor() == d);
    return select(isPole, d.constant(nan), result);
  });
}

Scalar bessel(const Scalar &x, int order, bool scaled) {
  return inDoubles(x, [&](const Scalar &d) {
    // The power series in x^2/4 has positive terms only.
    constexpr int terms = 48;
    double series[terms];
    double term = 1;
    for (int k = 0; k < terms; ++k) {
      if (k)
        term /= double(k) * (k + order);
      series[terms - 1 - k] = term;
    }
    // Beyond, the asymptotic series in 1/x, up to its least term.
    constexpr int tailTerms = 26;
    double tail[tailTerms];
    double mu = 4.0 * order * order;
    term = 1;
    for (int k = 0; k < tailTerms; ++k) {
      if (k)
        term *= -(mu - (2.0 * k - 1) * (2.0 * k - 1)) / (8.0 * k);
      tail[tailTerms - 1 - k] = term;
    }
    Scalar a = d.abs(), large = a > 16;
    Scalar near = select(large, a.constant(16), a), z = near * near * 0.25;
    Scalar small = polynomial(z, series);
    if (order == 1)
      small = small * near * 0.5;
    Scalar far = select(large, a, a.constant(16));
    Scalar scaledLarge =
        polynomial(1 / far, tail) / (far.sqrt() * 2.50662827463100050242);
    Scalar result = scaled ? select(large, scaledLarge, small * exp(-near))
                           : select(large, scaledLarge * exp(far), small);
    if (!scaled)
      result = select(a == inf, a, result);
    result = select(d.isNan(), d, result);
    return order == 1 ? result.copySign(d) : result;
  });
}

/// The normal distribution's quantile near its middle, at 1/2 + w.
static Scalar quantileCenter(const Scalar &w) {
  Scalar z = w * w;
  Scalar p = polynomial(z, {-5.99633501014107895267e1, 9.80010754185999661536e1,
                            -5.66762857469070293439e1, 1.39312609387279679503e1,
                            -1.23916583867381258016e0});
  Scalar q =
      polynomial(z, {1.0, 1.95448858338141759834e0, 4.67627912898881538453e0,
                     8.63602421390890590575e1, -2.25462687854119370527e2,
                     2.00260212380060660359e2, -8.20372256168333339912e1,
                     1.59056225126211695515e1, -1.18331621121330003142e0});
  return (w + w * (z * p / q)) * 2.50662827463100050242;
}

/// Its negative in the lower tail, at a small p.
static Scalar quantileTail(const Scalar &p) {
  Scalar x = (-2 * log(p)).sqrt();
  Scalar first = x - log(x) / x, z = 1 / x;
  Scalar near =
      z *
      polynomial(z, {4.05544892305962419923e0, 3.15251094599893866154e1,
                     5.71628192246421288162e1, 4.40805073893200834700e1,
                     1.46849561928858024014e1, 2.18663306850790267539e0,
                     -1.40256079171354495875e-1, -3.50424626827848203418e-2,
                     -8.57456785154685413611e-4}) /
      polynomial(z, {1.0, 1.57799883256466749731e1, 4.53907635128879210584e1,
                     4.13172038254672030440e1, 1.50425385692907503408e1,
                     2.50464946208309415979e0, -1.42182922854787788574e-1,
                     -3.80806407691578277194e-2, -9.33259480895457427372e-4});
  Scalar far =
      z *
      polynomial(z, {3.23774891776946035970e0, 6.91522889068984211695e0,
                     3.93881025292474443415e0, 1.33303460815807542389e0,
                     2.01485389549179081538e-1, 1.23716634817820021358e-2,
                     3.01581553508235416007e-4, 2.65806974686737550832e-6,
                     6.23974539184983293730e-9}) /
      polynomial(z, {1.0, 6.02427039364742014255e0, 3.67983563856160859403e0,
                     1.37702099489081330271e0, 2.16236993594496635890e-1,
                     1.34204006088543189037e-2, 3.28014464682127739104e-4,
                     2.89247864745380683936e-6, 6.79019408009981274425e-9});
  return select(p == 0, p.constant(inf), first - select(x < 8, near, far));
}

/// exp(-2): where the tail's formula takes over.
static constexpr double tailLimit = 0.13533528323661269189;

Scalar ndtri(const Scalar &x) {
  return inDoubles(x, [](const Scalar &d) {
    Scalar upper = d > 0.5, p = select(upper, 1 - d, d);
    Scalar tail = quantileTail(p);
    Scalar result = select(p > tailLimit, quantileCenter(d - 0.5),
                           select(upper, tail, -tail));
    return select(p >= 0, result, d.constant(nan));
  });
}

Scalar erfinv(const Scalar &x) {
  return inDoubles(x, [](const Scalar &d) {
    Scalar p = (1 - d.abs()) * 0.5;
    Scalar result = select(p > tailLimit, quantileCenter(d * 0.5),
                           quantileTail(p).copySign(d));
    return select(p >= 0, result * 0.70710678118654752440, d.constant(nan));
  });
}

/// What a loop of `scf.while` carries, as scalars.
static SmallVector<Scalar> scalars(OpBuilder &b, Location loc,
                                   ValueRange values) {
  SmallVector<Scalar> result;
  for (Value value : values)
    result.emplace_back(b, loc, value);
  return result;
}

/// Repeats `step` on doubles while the first of them is below a bound (it
/// counts) and `goesOn` holds.
static SmallVector<Scalar>
repeat(ArrayRef<Scalar> start, double bound,
       function_ref<Scalar(ArrayRef<Scalar>)> goesOn,
       function_ref<SmallVector<Scalar>(ArrayRef<Scalar>)> step) {
  OpBuilder &b = start[0].b();
  SmallVector<Value> initial(start.begin(), start.end());
  auto loop = scf::WhileOp::create(
      b, start[0].at(), TypeRange(ValueRange(initial)), initial,
      [&](OpBuilder &nested, Location at, ValueRange values) {
        SmallVector<Scalar> state = scalars(nested, at, values);
        scf::ConditionOp::create(nested, at, goesOn(state) & (state[0] < bound),
                                 values);
      },
      [&](OpBuilder &nested, Location at, ValueRange values) {
        SmallVector<Scalar> next = step(scalars(nested, at, values));
        scf::YieldOp::create(nested, at,
                             SmallVector<Value>(next.begin(), next.end()));
      });
  return scalars(b, start[0].at(), loop.getResults());
}

Scalar igamma(const Scalar &shape, const Scalar &argument, bool upper) {
  Type f64 = shape.b().getF64Type();
  Scalar a = shape.toFloat(f64), x = argument.toFloat(f64);
  constexpr double epsilon = 0x1p-53, maxSteps = 2000;
  auto in = [](const Scalar &inner, const Scalar &outer) {
    return inner.wrap(outer);
  };
  Scalar finite = (x < inf) & (a < inf);
  Scalar byFraction = (x > 1) & (x > a) & finite;
  Scalar bySeries = (x > 0) & (x <= select(a > 1, a, a.constant(1))) & finite;
  Scalar factor = exp(a * log(x) - x - lgammaDouble(a));

  // The lower function: sum of x^n / (a (a + 1) ... (a + n)).
  SmallVector<Scalar> series = repeat(
      {x.constant(0), 1 / a, 1 / a}, maxSteps,
      [&](ArrayRef<Scalar> v) {
        return (v[1] > v[2] * epsilon) & in(v[0], bySeries);
      },
      [&](ArrayRef<Scalar> v) -> SmallVector<Scalar> {
        Scalar n = v[0] + 1, term = v[1] * in(n, x) / (in(n, a) + n);
        return {n, term, v[2] + term};
      });
  // The upper one: its continued fraction, by Lentz's method.
  constexpr double tiny = 1e-300;
  Scalar b0 = x + 1 - a;
  SmallVector<Scalar> fraction = repeat(
      {x.constant(0), b0, x.constant(1 / tiny), 1 / b0, 1 / b0, x.constant(0)},
      maxSteps,
      [&](ArrayRef<Scalar> v) {
        return ((v[5] - 1).abs() > 4 * epsilon) & in(v[0], byFraction);
      },
      [&](ArrayRef<Scalar> v) -> SmallVector<Scalar> {
        auto nonZero = [](const Scalar &value) {
          return select(value.abs() < tiny, value.constant(tiny), value);
        };
        Scalar n = v[0] + 1, an = n * (in(n, a) - n), bn = v[1] + 2;
        Scalar d = 1 / nonZero(an * v[3] + bn), c = nonZero(bn + an / v[2]);
        Scalar change = d * c;
        return {n, bn, c, d, v[4] * change, change};
      });

  Scalar lower = series[2] * factor, rest = fraction[4] * factor;
  Scalar result = upper ? select(byFraction, rest, 1 - lower)
                        : select(byFraction, 1 - rest, lower);
  Scalar none = x.constant(upper ? 1 : 0), all = x.constant(upper ? 0 : 1);
  result = select((x == 0) | (a == inf), none, result);
  result = select(x == inf, all, result);
  Scalar valid = (x >= 0) & (a > 0) & ((x < inf) | (a < inf));
  return select(valid, result, x.constant(nan)).toFloat(shape.type());
}

} // namespace tenon::graph
