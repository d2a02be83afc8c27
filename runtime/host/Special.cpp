// Special functions of probability: zeta, polygamma, the incomplete beta
// function, and derivatives of the incomplete gamma function by its shape. They
// are computed in the tensors' type, with the series and fractions of the
// Cephes library, so that they are as inexact as TensorFlow's.
#include "host/Host.h"

#include <math.h>

namespace tenon {

namespace {

// Half the distance from 1 to the next number.
template <typename T> constexpr T epsilon = __FLT_EPSILON__ / 2;
template <> constexpr double epsilon<double> = __DBL_EPSILON__ / 2;
// What numerators and denominators of fractions are scaled by.
template <typename T> constexpr T large = 2 / __FLT_EPSILON__;
template <> constexpr double large<double> = 1 / __DBL_EPSILON__;
template <typename T> constexpr T little = __FLT_EPSILON__ / 2;
template <> constexpr double little<double> = __DBL_EPSILON__;

constexpr float nan = __builtin_nanf("");

// The C library's functions by type.
struct Single {
  static float log(float x) { return logf(x); }
  static float log1p(float x) { return log1pf(x); }
  static float exp(float x) { return expf(x); }
  static float pow(float x, float y) { return powf(x, y); }
  static float tan(float x) { return tanf(x); }
  static float floor(float x) { return floorf(x); }
  static float rint(float x) { return rintf(x); }
  static float abs(float x) { return fabsf(x); }
  static float lgamma(float x) {
    int sign;
    return lgammaf_r(x, &sign);
  }
};
struct Double {
  static double log(double x) { return ::log(x); }
  static double log1p(double x) { return ::log1p(x); }
  static double exp(double x) { return ::exp(x); }
  static double pow(double x, double y) { return ::pow(x, y); }
  static double tan(double x) { return ::tan(x); }
  static double floor(double x) { return ::floor(x); }
  static double rint(double x) { return ::rint(x); }
  static double abs(double x) { return fabs(x); }
  static double lgamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
  }
};
template <typename T> struct Functions : Single {};
template <> struct Functions<double> : Double {};

// Hurwitz' zeta function by the Euler-Maclaurin formula.
template <typename T> T zeta(T x, T q) {
  using F = Functions<T>;
  if (x == 1)
    return __builtin_inff();
  if (!(x >= 1))
    return nan;
  if (q <= 0) {
    if (q == F::floor(q))
      return F::rint(x / 2) == x / 2 ? __builtin_inff() : nan;
    if (x != F::floor(x))
      return nan;
  }
  T sum = F::pow(q, -x), a = q, term = 0;
  for (int i = 0; i < 9 || (sizeof(T) == 8 && a <= 9); ++i) {
    a += 1;
    term = F::pow(a, -x);
    sum += term;
    if (F::abs(term / sum) < epsilon<T>)
      return sum;
  }
  if (term == 0)
    return sum;
  sum += term * a / (x - 1);
  sum -= term / 2;
  // (2j)! / B2j
  static constexpr T divisors[] = {T(12.0),
                                   T(-720.0),
                                   T(30240.0),
                                   T(-1209600.0),
                                   T(47900160.0),
                                   T(-1.8924375803183791606e9),
                                   T(7.47242496e10),
                                   T(-2.950130727918164224e12),
                                   T(1.1646782814350067249e14),
                                   T(-4.5979787224074726105e15),
                                   T(1.8152105401943546773e17),
                                   T(-7.1661652561756670113e18)};
  T rising = 1, k = 0;
  for (T divisor : divisors) {
    rising *= x + k;
    term /= a;
    T change = rising * term / divisor;
    sum += change;
    if (F::abs(change / sum) < epsilon<T>)
      break;
    k += 1;
    rising *= x + k;
    term /= a;
    k += 1;
  }
  return sum;
}

template <typename T> T digamma(T x) {
  using F = Functions<T>;
  constexpr T pi = T(M_PI);
  T reflected = 0;
  bool negative = x <= 0;
  if (negative) {
    T below = F::floor(x);
    if (below == x)
      return nan;
    T distance = x - below;
    if (distance > T(0.5))
      distance = x - (below + 1);
    reflected = distance == T(0.5) ? 0 : pi / F::tan(pi * distance);
    x = 1 - x;
  }
  T steps = 0;
  for (; x < 10; x += 1)
    steps += 1 / x;
  T series = 0, z = 1 / (x * x);
  if constexpr (sizeof(T) == 4)
    series =
        x < 1e8f
            ? z * (((T(-1.0 / 240) * z + T(1.0 / 252)) * z + T(-1.0 / 120)) *
                       z +
                   T(1.0 / 12))
            : 0;
  else
    series =
        x < 1e17
            ? z * ((((((1.0 / 12 * z - 691.0 / 32760) * z + 1.0 / 132) * z -
                      1.0 / 240) *
                         z +
                     1.0 / 252) *
                        z -
                    1.0 / 120) *
                       z +
                   1.0 / 12)
            : 0;
  T result = F::log(x) - T(0.5) / x - series - steps;
  return negative ? result - reflected : result;
}

template <typename T> T polygamma(T n, T x) {
  using F = Functions<T>;
  if (!(F::floor(n) == n && n >= 0))
    return nan;
  if (n == 0)
    return digamma(x);
  T factorial = F::exp(F::lgamma(n + 1));
  return F::pow(-1, n + 1) * factorial * zeta(n + 1, x);
}

//===----------------------------------------------------------------------===//
// Derivatives of the incomplete gamma function
//===----------------------------------------------------------------------===//

// With `sample` divided by minus the density at x.
template <typename T> T igammaByShape(T a, T x, bool sample) {
  using F = Functions<T>;
  if (x == 0)
    return 0;
  if (!(x > 0 && a > 0))
    return nan;
  bool byFraction = x > 1 && x > a;
  if (byFraction && x == T(__builtin_inff()))
    return 0;
  // x^a exp(-x) / gamma(a)
  T exponent = a * F::log(x) - x - F::lgamma(a);
  T most = sizeof(T) == 4 ? T(88.72283935546875) : T(709.782712893384);
  T factor = exponent >= -most ? F::exp(exponent) : 0;
  if (factor == 0)
    return 0;
  constexpr int steps = sizeof(T) == 4 ? 200 : 500;
  if (!byFraction) {
    factor /= a;
    T r = a, term = 1, sum = 1, termByShape = 0, sumByShape = 0;
    for (int i = 0; i < steps; ++i) {
      r += 1;
      T next = x / r;
      termByShape = next * termByShape + -x / (r * r) * term;
      sumByShape += termByShape;
      term *= next;
      sum += term;
      if (F::abs(termByShape) <= epsilon<T> * F::abs(sumByShape))
        break;
    }
    T byShape = F::log(x) - digamma(a + 1);
    return sample ? -(sumByShape + sum * byShape) * x / a
                  : sum * (factor * byShape) + sumByShape * factor;
  }
  // The upper function's continued fraction, and what it changes by with a.
  struct Part {
    T value, byShape;
  };
  T y = 1 - a, z = x + y + 1, c = 0;
  Part p2 = {1, 0}, q2 = {x, 0}, p1 = {x + 1, 0}, q1 = {z * x, -x};
  T result = p1.value / q1.value,
    resultByShape = (p1.byShape - result * q1.byShape) / q1.value;
  for (int i = 0; i < steps; ++i) {
    c += 1;
    y += 1;
    z += 2;
    T yc = y * c;
    auto next = [&](const Part &one, const Part &two) {
      return Part{one.value * z - two.value * yc, one.byShape * z - one.value -
                                                      two.byShape * yc +
                                                      two.value * c};
    };
    Part p = next(p1, p2), q = next(q1, q2);
    if (q.value != 0) {
      result = p.value / q.value;
      T former = resultByShape;
      resultByShape = (p.byShape - result * q.byShape) / q.value;
      if (F::abs(resultByShape - former) <= epsilon<T>)
        break;
    }
    p2 = p1, p1 = p, q2 = q1, q1 = q;
    if (F::abs(p.value) > large<T>) {
      Part *const all[] = {&p2, &p1, &q2, &q1};
      for (Part *part : all) {
        part->value *= little<T>;
        part->byShape *= little<T>;
      }
    }
  }
  T byShape = F::log(x) - digamma(a);
  T upper = sample ? -(resultByShape + result * byShape) * x
                   : result * (factor * byShape) + resultByShape * factor;
  return -upper;
}

//===----------------------------------------------------------------------===//
// The incomplete beta function
//===----------------------------------------------------------------------===//

// Its two continued fractions; the first one for x below the mean.
template <typename T> T betaFraction(T a, T b, T x, bool first) {
  using F = Functions<T>;
  constexpr int steps = sizeof(T) == 4 ? 100 : 300;
  constexpr T threshold = sizeof(T) == 4 ? epsilon<T> : 3 * epsilon<T>;
  T direction = first ? 1 : -1, k2 = first ? a + b : b - 1,
    k6 = first ? b - 1 : a + b;
  if (!first)
    x = x / (1 - x);
  T k1 = a, k3 = a, k4 = a + 1, k5 = 1, k7 = a + 1, k8 = a + 2;
  T p2 = 0, q2 = 1, p1 = 1, q1 = 1, result = 1;
  auto step = [&](T factor) {
    T p = p1 + p2 * factor, q = q1 + q2 * factor;
    p2 = p1, p1 = p, q2 = q1, q1 = q;
  };
  for (int i = 0; i < steps; ++i) {
    step(-(x * k1 * k2) / (k3 * k4));
    step((x * k5 * k6) / (k7 * k8));
    if (q1 != 0) {
      T ratio = p1 / q1;
      if (F::abs(result - ratio) < F::abs(ratio) * threshold)
        return ratio;
      result = ratio;
    }
    k1 += 1, k2 += direction, k3 += 2, k4 += 2;
    k5 += 1, k6 -= direction, k7 += 2, k8 += 2;
    auto scale = [&](T by) { p2 *= by, p1 *= by, q2 *= by, q1 *= by; };
    T p = p1, q = q1;
    if (F::abs(q) + F::abs(p) > large<T>)
      scale(little<T>);
    if (F::abs(q) < little<T> || F::abs(p) < little<T>)
      scale(large<T>);
  }
  return result;
}

float betaSeries(float a, float b, float x) {
  float y = a * logf(x) + (b - 1) * log1pf(-x) - logf(a);
  y -= Single::lgamma(a) + Single::lgamma(b);
  y += Single::lgamma(a + b);
  float t = x / (1 - x), sum = 0, u = 1;
  do {
    b -= 1;
    if (b == 0)
      break;
    a += 1;
    u *= t * b / a;
    sum += u;
  } while (fabsf(u) > epsilon<float>);
  return expf(y) * (1 + sum);
}

double betaSeries(double a, double b, double x) {
  double inverse = 1 / a, u = (1 - b) * x, v = u / (a + 1), first = v, t = u,
         sum = 0;
  for (double n = 2; fabs(v) > epsilon<double> * inverse; n += 1) {
    u = (n - b) * x / n;
    t *= u;
    v = t / (a + n);
    sum += v;
  }
  sum += first;
  sum += inverse;
  return exp(Double::lgamma(a + b) - Double::lgamma(a) - Double::lgamma(b) +
             a * log(x) + log(sum));
}

// For a > 1.
float betaOfLarge(float a, float b, float x) {
  float rest = 1 - x;
  bool reversed = x > a / (a + b);
  if (reversed) {
    float former = a;
    a = b;
    b = former;
    former = x;
    x = rest;
    rest = former;
  }
  auto result = [&](float t) { return reversed ? 1 - t : t; };
  if (b > 10 && fabsf(b * x / a) < 0.3f)
    return result(betaSeries(a, b, x));
  bool first = x * (a + b - 2) / (a - 1) < 1;
  float fraction = betaFraction(a, b, x, first);
  float t = (first ? b : b - 1) * logf(rest);
  t += a * logf(x) + Single::lgamma(a + b) - Single::lgamma(a) -
       Single::lgamma(b);
  t += logf(fraction / a);
  return result(expf(t));
}

float betaInside(float a, float b, float x) {
  if (a > 1)
    return betaOfLarge(a, b, x);
  float t = a * logf(x) + b * log1pf(-x) + Single::lgamma(a + b) -
            Single::lgamma(a + 1) - Single::lgamma(b);
  return betaOfLarge(a + 1, b, x) + expf(t);
}

double betaInside(double a, double b, double x) {
  if (b * x <= 1 && x <= 0.95)
    return betaSeries(a, b, x);
  double rest = 1 - x;
  bool reversed = x > a / (a + b);
  if (reversed) {
    double former = a;
    a = b;
    b = former;
    former = x;
    x = rest;
    rest = former;
  }
  auto result = [&](double t) {
    if (!reversed)
      return t;
    return t <= epsilon<double> ? 1 - epsilon<double> : 1 - t;
  };
  if (reversed && b * x <= 1 && x <= 0.95)
    return result(betaSeries(a, b, x));
  bool first = x * (a + b - 2) - (a - 1) < 0;
  double fraction = betaFraction(a, b, x, first);
  if (!first)
    fraction /= rest;
  double y = a * log(x) + (b * log(rest) + Double::lgamma(a + b) -
                           Double::lgamma(a) - Double::lgamma(b));
  return result(exp(y + log(fraction / a)));
}

template <typename T> T betainc(T a, T b, T x) {
  if (!(a > 0 && b > 0))
    return nan;
  if (x == 0 || x == 1)
    return x;
  constexpr T infinity = T(__builtin_inff());
  if (!(x > 0) || x > 1 || a == infinity || b == infinity)
    return nan;
  return betaInside(a, b, x);
}

// Calls `function` for each element with those of the operands.
template <typename Function>
bool eachElement(HostCall &call, Function function) {
  const tenon_tensor *operands[Broadcast::most];
  for (int32_t i = 0; i < call.inputCount; ++i)
    operands[i] = &call.inputs[i];
  Broadcast broadcast;
  if (!broadcast.init(operands, call.inputCount))
    return call.fail("operands do not broadcast");
  tenon_tensor &result = call.outputs[0];
  for (int32_t d = 0; d < result.ndim; ++d)
    result.shape[d] = broadcast.shape[d];
  if (!call.allocate(0))
    return false;
  auto all = [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, count = broadcast.size(); i < count; ++i)
      call.out<T>(0)[i] = function([&](int32_t operand) {
        return call.in<T>(operand)[broadcast.source(operand, i)];
      });
  };
  if (result.dtype.bits == 64)
    all(double());
  else
    all(float());
  return true;
}

} // namespace

TENON_HOST(zeta) {
  return eachElement(call, [](auto at) { return zeta(at(0), at(1)); });
}
TENON_HOST(polygamma) {
  return eachElement(call, [](auto at) { return polygamma(at(0), at(1)); });
}
TENON_HOST(igamma_grad_a) {
  return eachElement(
      call, [](auto at) { return igammaByShape(at(0), at(1), false); });
}
TENON_HOST(random_gamma_grad) {
  return eachElement(call,
                     [](auto at) { return igammaByShape(at(0), at(1), true); });
}
TENON_HOST(betainc) {
  return eachElement(call,
                     [](auto at) { return betainc(at(0), at(1), at(2)); });
}

} // namespace tenon
