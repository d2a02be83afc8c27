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

/// Values rounded to integers times a scale, which one end of the range gives.
/// Inputs: values, the ends, and with `fedBits` the number of bits.
Row roundTrip(bool fedBits) {
  return [fedBits](Binder &b) {
    Formula x(b, b.input(0)), low(b, b.input(1)), high(b, b.input(2));
    int64_t bits = fedBits ? b.constant(3) : b.integer("num_bits", 8),
            axis = b.integer("axis", -1);
    bool isSigned = b.flag("signed_input", true),
         given = b.flag("range_given", fedBits),
         narrow = b.flag("narrow_range", false);
    std::string mode = b.text("round_mode", "HALF_TO_EVEN");
    if (mode != "HALF_TO_EVEN" && mode != "HALF_UP")
      b.fail("round_mode is '" + mode + "', expected HALF_TO_EVEN or HALF_UP");
    if (bits < 1 || bits > 62)
      b.fail("impossible number of bits: " + llvm::Twine(bits));
    if (b.failed())
      return;
    int64_t rank = b.rank(x);
    if (axis < -1 || axis >= rank)
      return b.fail("axis " + llvm::Twine(axis) +
                    " is outside of a tensor of " + llvm::Twine(rank) +
                    " dimensions");
    SmallVector<int64_t> others;
    for (int64_t d = 0; d < rank; ++d)
      if (axis < 0 || d != axis)
        others.push_back(d);
    if (!given) {
      auto end = [&](StringRef op) {
        return x.wrap(
            b.make(op, x.type(), Value(x), b.attribute("axes", others)));
      };
      low = end("graph.reduce_min");
      high = end("graph.reduce_max");
    }
    double least = 0, most = std::ldexp(1.0, int(bits)) - 1;
    if (isSigned) {
      most = std::ldexp(1.0, int(bits) - 1) - 1;
      least = narrow ? -most : -most - 1;
    }
    Formula none =
        x.number(x.type().isF64() ? std::numeric_limits<double>::max()
                                  : double(std::numeric_limits<float>::max()));
    if (x.type().isF16())
      none = x.number(65504);
    auto scaleBy = [&](double count, const Formula &end) {
      return select(end * count > 0.0, x.number(count) / end, none);
    };
    Formula fromLow = scaleBy(least, low), fromHigh = scaleBy(most, high);
    Formula useLow = fromLow < fromHigh;
    Formula scale = select(useLow, fromLow, fromHigh);
    Formula inverse =
        select(useLow, low / (least == 0 ? 1 : least), high / x.number(most));
    Formula top = select(useLow, inverse * most, high),
            bottom = select(useLow, low, inverse * least);
    // One range for each slice along the axis.
    auto spread = [&](const Formula &value) {
      if (axis < 0)
        return value;
      SmallVector<int64_t> behind;
      for (int64_t d = axis + 1; d < rank; ++d)
        behind.push_back(d - axis);
      return behind.empty() ? value
                            : value.wrap(b.make("graph.expand_dims",
                                                value.type(), Value(value),
                                                b.attribute("axes", behind)));
    };
    Formula inside =
        given ? maximum(minimum(x, spread(top)), spread(bottom)) : x;
    Formula scaled = inside * spread(scale);
    Formula whole =
        mode == "HALF_UP" ? floor(scaled + 0.5) : scaled.unary("graph.round");
    Formula result = whole * spread(inverse);
    // The derivative is that of the values, where they are inside.
    b.set(0, b.make("graph.surrogate", x.type(), {result, inside}));
  };
}
} // namespace

void addQuantizationRows(RowTable &table) {
  table["FakeQuantWithMinMaxArgs"] = fakeQuant(false);
  table["QuantizeAndDequantizeV2"] = table["QuantizeAndDequantizeV4"] =
      roundTrip(/*fedBits=*/false);
  table["QuantizeAndDequantizeV3"] = roundTrip(/*fedBits=*/true);
  table["FakeQuantWithMinMaxVars"] =
      table["FakeQuantWithMinMaxVarsPerChannel"] = fakeQuant(true);
  table["FakeQuantWithMinMaxArgsGradient"] = gradient(false, false);
  table["FakeQuantWithMinMaxVarsGradient"] = gradient(true, false);
  table["FakeQuantWithMinMaxVarsPerChannelGradient"] = gradient(true, true);
}

} // namespace tenon::tf
