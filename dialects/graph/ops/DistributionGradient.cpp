// Derivatives of special functions and of draws from distributions.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Distribution.h"

using namespace mlir;
using namespace tenon::graph;

/// The derivative of a special function.
static Tensor slope(SpecialFunctionOp op, Gradient &g) {
  Tensor x = g(op.getInput()), y = g(op.getResult());
  auto of = [&](StringRef name) {
    return g.make(
        "graph.special_function", x.type(), {x},
        {g.builder.getNamedAttr("function", g.builder.getStringAttr(name))});
  };
  StringRef name = op.getFunction();
  if (name == "bessel_j0")
    return -of("bessel_j1");
  if (name == "bessel_j1")
    return of("bessel_j0") - y / x;
  if (name == "bessel_y0")
    return -of("bessel_y1");
  if (name == "bessel_y1")
    return of("bessel_y0") - y / x;
  if (name == "bessel_k0")
    return -of("bessel_k1");
  if (name == "bessel_k1")
    return -of("bessel_k0") - y / x;
  if (name == "bessel_k0e")
    return y - of("bessel_k1e");
  if (name == "bessel_k1e")
    return y - y / x - of("bessel_k0e");
  if (name == "dawsn")
    return 1 - x * y * 2;
  if (name == "expint")
    return exp(x) / x;
  constexpr double quarter = 1.5707963267948966;
  if (name == "fresnel_cos")
    return apply("cos", x * x * quarter);
  if (name == "fresnel_sin")
    return apply("sin", x * x * quarter);
  return apply("log", x) / (1 - x); // spence
}

void tenon::graph::addDistributionGradients(MLIRContext *c) {
  addRule<ZetaOp>(c, [](ZetaOp op, Gradient &g) {
    Tensor x = g(op.getLhs()), q = g(op.getRhs());
    if (g.wants(op.getLhs()))
      g.fail("the zeta function has no derivative by its first operand: it is "
             "no elementary function");
    g.add(op.getRhs(), -(g.of() * x * apply("zeta", x + 1, q)));
  });
  addRule<PolygammaOp>(c, [](PolygammaOp op, Gradient &g) {
    // The order is a whole number.
    Tensor n = g(op.getLhs()), x = g(op.getRhs());
    g.add(op.getRhs(), g.of() * apply("polygamma", n + 1, x));
  });
  addRule<BetaincOp>(c, [](BetaincOp op, Gradient &g) {
    if (g.wants(op.getA()) || g.wants(op.getB()))
      return g.fail("the incomplete beta function has a derivative by its "
                    "last operand only: the others are no elementary function");
    Tensor a = g(op.getA()), b = g(op.getB()), x = g(op.getX());
    Tensor scale =
        apply("lgamma", a) + apply("lgamma", b) - apply("lgamma", a + b);
    g.add(op.getX(), g.of() * exp(apply("xlog1py", b - 1, -x) +
                                  apply("xlogy", a - 1, x) - scale));
  });
  addRule<RandomGammaOp>(c, [](RandomGammaOp op, Gradient &g) {
    // Drawn numbers move with the shape of the distribution.
    Type type = g.of().type(),
         wide = type.isF64() ? type : g.builder.getF32Type();
    Tensor rate = apply("random_gamma_grad", cast(g(op.getAlpha()), wide),
                        cast(g(op.getResult()), wide));
    g.add(op.getAlpha(), g.of() * cast(rate, type));
  });
  refuseGradient<IgammaGradAOp>(c, [] {
    return "the incomplete gamma function has one derivative by its first "
           "operand only: further ones are no elementary functions";
  });
  refuseGradient<RandomGammaGradOp>(
      c, [] { return "numbers that are drawn have first derivatives only"; });
  refuseGradient<RandomTruncatedOp>(c, [] {
    return "how numbers between bounds move with their distribution has no "
           "rule";
  });
  addZeroRules<RandomBitsOp, CandidateSamplerOp>(c);
  addRule<SpecialFunctionOp>(c, [](SpecialFunctionOp op, Gradient &g) {
    g.add(op.getInput(), g.of() * slope(op, g));
  });
}
