// Special functions of one variable, in double precision: Bessel's, Dawson's
// and Fresnel's integrals, the exponential integral and the dilogarithm.
#include "host/Host.h"

#include <math.h>

namespace tenon {

namespace {

constexpr double pi = 3.14159265358979323846;

// Modified Bessel functions of the second kind times exp(x): the integral of
// exp(-x (cosh t - 1)) cosh(n t), whose sum over equal steps converges faster
// than any power of the step.
double besselK(double x, int order) {
  if (x != x)
    return x;
  if (x <= 0)
    return __builtin_inf();
  double narrow = 0.25 / sqrt(x), step = narrow < 0.0625 ? narrow : 0.0625;
  double sum = 0.5;
  for (int i = 1;; ++i) {
    double t = step * i, half = sinh(t / 2), power = 2 * x * half * half;
    if (power > 745)
      return sum * step;
    sum += exp(-power) * (order ? cosh(t) : 1);
  }
}

// By Rybicki's sum of Gaussians.
double dawson(double x) {
  double y = fabs(x);
  if (y < 0.5) {
    double sum = 0, term = x;
    for (int k = 0; k < 30; ++k) {
      sum += term;
      term *= -2 * x * x / (2 * k + 3);
    }
    return sum;
  }
  if (y > 1e4)
    return 0.5 / x;
  constexpr double step = 0.2;
  double even = 2 * rint(y / (2 * step)), rest = y - even * step, sum = 0;
  for (int n = -35; n <= 35; n += 2) {
    double distance = rest - n * step;
    sum += exp(-distance * distance) / (even + n);
  }
  return copysign(sum / sqrt(pi), x);
}

// The principal value, of positive numbers.
double exponentialIntegral(double x) {
  if (x < 0 || x != x)
    return __builtin_nan("");
  if (x == 0)
    return -__builtin_inf();
  if (x > 45) {
    double sum = 0, term = 1;
    for (int k = 1; k < 46; ++k) {
      sum += term;
      term *= k / x;
    }
    return exp(x) / x * sum;
  }
  double sum = 0, term = 1;
  for (int k = 1; k < 200; ++k) {
    term *= x / k;
    sum += term / k;
  }
  return 0.57721566490153286061 + log(x) + sum;
}

struct Complex {
  double real, imaginary;
  Complex operator*(Complex other) const {
    return {real * other.real - imaginary * other.imaginary,
            real * other.imaginary + imaginary * other.real};
  }
};
Complex inverse(Complex x) {
  double size = hypot(x.real, x.imaginary);
  return {x.real / size / size, -x.imaginary / size / size};
}

// Both integrals by a series, or by a continued fraction of complex numbers.
void fresnel(double x, double &cosine, double &sine) {
  double y = fabs(x);
  if (y != y) {
    cosine = sine = y;
  } else if (y < 1.5) {
    double square = pi / 2 * y * y, term = y;
    cosine = sine = 0;
    for (int k = 0; k < 40; ++k) { // terms go to both in turns
      double part = term / (2 * k + 1);
      (k & 1 ? sine : cosine) += k & 2 ? -part : part;
      term *= square / (k + 1);
    }
  } else if (y > 1e8) {
    cosine = sine = 0.5;
  } else {
    double square = pi * y * y;
    Complex b{1, -square}, c{1e300, 0}, d = inverse(b), h = d;
    for (int n = 1; n < 400; n += 2) {
      double a = -double(n) * (n + 1);
      b.real += 4;
      Complex scaled{a * d.real + b.real, a * d.imaginary + b.imaginary},
          turned = inverse(c);
      d = inverse(scaled);
      c = {b.real + a * turned.real, b.imaginary + a * turned.imaginary};
      Complex change = c * d;
      h = h * change;
      if (fabs(change.real - 1) + fabs(change.imaginary) < 1e-16)
        break;
    }
    h = h * Complex{y, -y} * Complex{cos(square / 2), sin(square / 2)};
    Complex result = Complex{0.5, 0.5} * Complex{1 - h.real, -h.imaginary};
    cosine = result.real;
    sine = result.imaginary;
  }
  cosine = copysign(cosine, x);
  sine = copysign(sine, x);
}

// The dilogarithm of 1 - x.
double dilogarithm(double x) {
  if (x < 0 || x != x)
    return __builtin_nan("");
  if (x == 0)
    return pi * pi / 6;
  if (x == __builtin_inf())
    return -x;
  auto series = [](double z) {
    double sum = 0, power = z;
    for (int k = 1; k < 64; ++k) {
      sum += power / (double(k) * k);
      power *= z;
    }
    return sum;
  };
  if (x < 0.5)
    return pi * pi / 6 - log(x) * log1p(-x) - series(x);
  if (x > 1.5)
    return -0.5 * log(x) * log(x) - dilogarithm(1 / x);
  return series(1 - x);
}

// TensorFlow's are infinite left of the pole, too.
double besselY(double x, int order) {
  if (x < 0)
    return -__builtin_inf();
  return order ? y1(x) : y0(x);
}

double evaluate(tenon_string name, double x) {
  auto is = [&](const char *other) { return equal(name, other); };
  if (is("bessel_j0"))
    return j0(x);
  if (is("bessel_j1"))
    return j1(x);
  if (is("bessel_y0") || is("bessel_y1"))
    return besselY(x, is("bessel_y1"));
  if (is("bessel_k0e") || is("bessel_k1e"))
    return besselK(x, is("bessel_k1e"));
  if (is("bessel_k0") || is("bessel_k1"))
    return exp(-x) * besselK(x, is("bessel_k1"));
  if (is("dawsn"))
    return dawson(x);
  if (is("expint"))
    return exponentialIntegral(x);
  if (is("spence"))
    return dilogarithm(x);
  double cosine, sine;
  fresnel(x, cosine, sine);
  return is("fresnel_cos") ? cosine : sine;
}

} // namespace

TENON_HOST(special_function) {
  tenon_string name = call.text("function");
  bool wide = call.outputs[0].dtype.bits == 64;
  for (int64_t i = 0, count = call.outSize(0); i < count; ++i)
    if (wide)
      call.out<double>(0)[i] = evaluate(name, call.in<double>(0)[i]);
    else
      call.out<float>(0)[i] = float(evaluate(name, call.in<float>(0)[i]));
  return true;
}

} // namespace tenon
