//===- Quantization.cpp - values rounded as if they were integers ---------===//

#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// The range of values that integers stand for, moved so that one of them is 0.
struct Range {
  Formula low, high, scale;
  Formula empty; ///< low and high were both given as 0
};

Range nudged(Binder &b, const Formula &low, const Formula &high) {
  int64_t bits = b.integer("num_bits", 8);
  if (bits < 2 || bits > 16)
    b.fail("expected 2 to 16 bits, got " + llvm::Twine(bits));
  double least = b.flag("narrow_range", false) ? 1 : 0,
         most = double((int64_t(1) << (bits < 2 || bits > 16 ? 8 : bits)) - 1);
  Formula scale = (high - low) / (most - least);
  Formula place = low.number(least) - low / scale;
  Formula zero =
      minimum(maximum(floor(place + 0.5), low.number(least)), low.number(most));
  Formula none = low.number(0);
  return {(least - zero) * scale, (most - zero) * scale, scale,
          low.test("graph.equal", none) & high.test("graph.equal", none)};
}

/// Ends from inputs 1 and 2 (`first`), or attributes.
Range rangeOf(Binder &b, const Formula &values, std::optional<unsigned> first) {
  if (first)
    return nudged(b, Formula(b, b.input(*first)),
                  Formula(b, b.input(*first + 1)));
  return nudged(b, values.number(b.real("min", -6)),
                values.number(b.real("max", 6)));
}

void expectFloat(Binder &b, const Formula &values) {
  if (!b.failed() && !values.type().isF32())
    b.fail("expected values of type float");
}

Row fakeQuant(bool fed) {
  return [fed](Binder &b) {
    Formula x(b, b.input(0));
    expectFloat(b, x);
    if (b.failed())
      return;
    Range range =
        rangeOf(b, x, fed ? std::optional<unsigned>(1) : std::nullopt);
    Formula inverse = x.number(1) / range.scale;
    Formula offset = floor((0 - range.low) * inverse + 0.5);
    Formula shifted = minimum(maximum(x, range.low), range.high) - range.low;
    Formula result = floor(shifted * inverse - offset + 0.5) * range.scale;
    if (fed)
      result = select(range.empty, x.number(0), result);
    // Inside of the range the derivative is that of x, beyond it that of the
    // ends; where there is none, of x again.
    Formula zero = x.number(0), low = fed ? Formula(b, b.input(1)) : zero,
            high = fed ? Formula(b, b.input(2)) : zero;
    Formula like = select(x < range.low, low, select(x > range.high, high, x));
    if (fed)
      like = select(range.empty, x, like);
    b.set(0, b.make("graph.surrogate", x.type(), {result, like}));
  };
}

/// Inputs: gradients, values, and with `fed` the ends of the range, whose
/// gradients are results, too: of each channel with `perChannel`.
Row gradient(bool fed, bool perChannel) {
  return [=](Binder &b) {
    Formula dy(b, b.input(0)), x(b, b.input(1));
    expectFloat(b, x);
    if (b.failed())
      return;
    Range range =
        rangeOf(b, x, fed ? std::optional<unsigned>(2) : std::nullopt);
    Formula zero = x.number(0), below = x<range.low, above = x> range.high;
    Formula kept = select(below | above, zero, dy);
    if (!fed)
      return b.set(0, kept);
    b.set(0, select(range.empty, dy, kept));
    SmallVector<int64_t> axes(std::max<int64_t>(b.rank(x) - perChannel, 0));
    std::iota(axes.begin(), axes.end(), 0);
    auto sum = [&](const Formula &where) {
      Formula all = x.wrap(b.make("graph.reduce_sum", x.type(),
                                  Value(select(where, dy, zero)),
                                  b.attribute("axes", axes)));
      return select(range.empty, zero, all);
    };
    b.set(1, sum(below));
    b.set(2, sum(above));
  };
}
} // namespace

void addQuantizationRows(RowTable &table) {
  table["FakeQuantWithMinMaxArgs"] = fakeQuant(false);
  table["FakeQuantWithMinMaxVars"] =
      table["FakeQuantWithMinMaxVarsPerChannel"] = fakeQuant(true);
  table["FakeQuantWithMinMaxArgsGradient"] = gradient(false, false);
  table["FakeQuantWithMinMaxVarsGradient"] = gradient(true, false);
  table["FakeQuantWithMinMaxVarsPerChannelGradient"] = gradient(true, true);
}

} // namespace tenon::tf
