// kernel.window against plain loops, over shapes, geometries, element types and
// CPUs.

#include "test/compiler/lowering/kernels/KernelJit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <sstream>

using namespace tenon;
using namespace tenon::test;

namespace {

using Sizes = std::vector<int64_t>;

struct Window {
  std::string kind, element;
  int64_t images = 1, channels = 1, multiplier = 1;
  Sizes input, window, strides, dilations, padding, highPadding;
  bool dynamic = false, bias = false;

  Sizes output() const {
    Sizes result;
    for (size_t i = 0; i < input.size(); ++i) {
      int64_t extent = input[i] + padding[i] + highPadding[i] -
                       (window[i] - 1) * dilations[i];
      result.push_back(extent <= 0 ? 0 : (extent - 1) / strides[i] + 1);
    }
    return result;
  }
};

std::string text(const Sizes &values) {
  std::string result = "array<i64";
  for (size_t i = 0; i < values.size(); ++i)
    result += (i ? ", " : ": ") + std::to_string(values[i]);
  return result + ">";
}

Sizes unflatten(int64_t index, const Sizes &sizes) {
  Sizes at(sizes.size());
  for (size_t d = sizes.size(); d-- > 0; index /= sizes[d])
    at[d] = index % sizes[d];
  return at;
}

int64_t flatten(const Sizes &at, const Sizes &sizes) {
  int64_t index = 0;
  for (size_t d = 0; d < sizes.size(); ++d)
    index = index * sizes[d] + at[d];
  return index;
}

int64_t product(const Sizes &sizes) {
  int64_t result = 1;
  for (int64_t size : sizes)
    result *= size;
  return result;
}

void check(const Window &test, const CpuTarget &target, uint64_t seed) {
  std::ostringstream name;
  name << target.cpu << " " << test.kind << " " << test.element << " images "
       << test.images << " channels " << test.channels << " multiplier "
       << test.multiplier << " input " << text(test.input) << " window "
       << text(test.window) << " strides " << text(test.strides)
       << " dilations " << text(test.dilations) << " padding "
       << text(test.padding) << (test.dynamic ? " dynamic" : "");
  SCOPED_TRACE(name.str());
  bool depthwise = test.kind == "depthwise";
  Sizes xShape{test.images}, wShape = test.window, yShape{test.images};
  for (int64_t size : test.input)
    xShape.push_back(size);
  for (int64_t size : test.output())
    yShape.push_back(size);
  xShape.push_back(test.channels);
  wShape.push_back(test.channels);
  wShape.push_back(test.multiplier);
  yShape.push_back(test.channels * test.multiplier);
  Array x(test.element, xShape), w(test.element, wShape),
      bias(test.element, {yShape.back()}), y(test.element, yShape);
  x.fillRandom(seed);
  w.fillRandom(seed + 1);
  bias.fillRandom(seed + 2);
  y.fillBytes(char(0xff));

  bool narrow = test.element == "f16" || test.element == "bf16";
  bool integer = test.element[0] == 'i';
  std::string sum = narrow ? "f32" : test.element;
  std::vector<Array *> arrays{&x};
  std::vector<std::string> types{x.getType(test.dynamic)};
  std::ostringstream op;
  op << "kernel.window " << test.kind << " ins(%0 : " << types[0] << ")";
  auto operand = [&](const char *what, Array &array, bool dynamic) {
    op << " " << what << "(%" << types.size() << " : " << array.getType(dynamic)
       << ")";
    types.push_back(array.getType(dynamic));
    arrays.push_back(&array);
  };
  if (depthwise)
    operand("weights", w, false);
  if (test.bias)
    operand("epilogue", bias, test.dynamic);
  operand("outs", y, test.dynamic);
  op << " attributes {window = " << text(test.window)
     << ", strides = " << text(test.strides)
     << ", dilations = " << text(test.dilations)
     << ", padding = " << text(test.padding);
  if (test.bias) {
    op << ", epilogue_maps = [affine_map<(";
    for (size_t i = 0; i < yShape.size(); ++i)
      op << (i ? ", d" : "d") << i;
    op << ") -> (d" << yShape.size() - 1 << ")>]";
  }
  op << "} {\n^bb0(%s: " << sum;
  if (test.bias)
    op << ", %x: " << test.element;
  op << "):\n";
  std::string result = "%s", extra = "%x";
  if (narrow && test.bias) {
    op << " %xf = arith.extf %x : " << test.element << " to f32\n";
    extra = "%xf";
  }
  if (test.bias) {
    op << " %r = arith.add" << (integer ? "i" : "f") << " %s, " << extra
       << " : " << sum << "\n";
    result = "%r";
  }
  if (narrow) {
    op << " %n = arith.truncf " << result << " : f32 to " << test.element
       << "\n";
    result = "%n";
  }
  op << " kernel.yield " << result << " : " << test.element << "\n}";
  KernelJit(types, op.str(), target).runAll(arrays);
  EXPECT_TRUE(y.isGuardIntact());

  double precision = test.element == "f64"    ? 1e-14
                     : test.element == "f16"  ? 2e-3
                     : test.element == "bf16" ? 2e-2
                                              : 2e-6;
  int64_t wrong = 0;
  for (int64_t i = 0; i < product(yShape); ++i) {
    Sizes at = unflatten(i, yShape);
    double total = 0, most = -std::numeric_limits<double>::infinity();
    int64_t count = 0;
    for (int64_t k = 0; k < product(test.window); ++k) {
      Sizes kAt = unflatten(k, test.window), xAt{at[0]};
      bool inside = true;
      for (size_t d = 0; d < test.input.size(); ++d) {
        int64_t position = at[1 + d] * test.strides[d] +
                           kAt[d] * test.dilations[d] - test.padding[d];
        inside = inside && position >= 0 && position < test.input[d];
        xAt.push_back(position);
      }
      if (!inside)
        continue;
      xAt.push_back(at.back() / test.multiplier);
      double value = x.get(flatten(xAt, xShape)).real();
      double weight = 1;
      if (depthwise) {
        kAt.push_back(at.back() / test.multiplier);
        kAt.push_back(at.back() % test.multiplier);
        weight = w.get(flatten(kAt, wShape)).real();
      }
      total += value * weight;
      most = std::max(most, value);
      ++count;
    }
    double want = test.kind == "max"       ? most
                  : test.kind == "average" ? total / count
                                           : total;
    // With nothing inside, average and max have no meaning worth a test.
    if (count == 0 && !depthwise && test.kind != "sum")
      continue;
    if (integer && test.kind == "average")
      want = std::trunc(want);
    if (test.bias)
      want += bias.get(at.back()).real();
    if (test.element == "i8")
      want = double(int8_t(int64_t(want)));
    double got = y.get(i).real();
    bool close = integer ? got == want
                         : std::abs(got - want) <=
                               precision * (4 + std::abs(want) + count);
    if (!close && wrong++ < 3)
      ADD_FAILURE() << "got " << got << ", want " << want << " at " << i;
  }
  EXPECT_EQ(wrong, 0);
}

Window generate(uint64_t seed) {
  std::mt19937_64 random(seed);
  auto pick = [&](std::initializer_list<int64_t> values) {
    return values.begin()[random() % values.size()];
  };
  static const char *kinds[] = {"depthwise", "max", "sum", "average"};
  static const char *elements[] = {"f32", "f32",  "f32", "f64",
                                   "f16", "bf16", "i32", "i8"};
  Window test;
  test.kind = kinds[random() % std::size(kinds)];
  test.element = elements[random() % std::size(elements)];
  test.images = pick({1, 2, 3});
  test.channels = pick({1, 2, 3, 7, 8, 15, 16, 17, 24, 32, 40, 64, 100, 129});
  test.multiplier = test.kind == "depthwise" ? pick({1, 1, 1, 2, 3}) : 1;
  for (int64_t i = 0, count = pick({1, 2, 2, 2, 3}); i < count; ++i) {
    test.input.push_back(1 + random() % 14);
    test.window.push_back(pick({1, 2, 3, 3, 5, 9}));
    test.strides.push_back(pick({1, 1, 2, 3}));
    test.dilations.push_back(pick({1, 1, 2}));
    test.padding.push_back(pick({0, 0, 1, 2, 3, -1}));
    test.highPadding.push_back(pick({0, 0, 1, 2}));
  }
  test.dynamic = random() % 3 == 0;
  test.bias = random() % 2 == 0;
  return test;
}

TEST(Window, RandomShapes) {
  std::vector<CpuTarget> targets = getTestTargets();
  int64_t first = fromEnvironment("TENON_TEST_SEED", 0);
  int64_t count = fromEnvironment("TENON_TEST_COUNT", 60);
  for (int64_t i = first; i < first + count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(i));
    check(generate(i), targets[i % targets.size()], i);
  }
}

/// As TensorFlow's: NaN loses against every number, and alone gives the lowest
/// finite value.
TEST(Window, MaxPassesOverNan) {
  Array x("f32", {1, 4, 16}), y("f32", {1, 2, 16});
  double nan = std::numeric_limits<double>::quiet_NaN();
  for (int64_t c = 0; c < 16; ++c) {
    x.set(c, c % 2 ? nan : -3.0);
    x.set(16 + c, c % 2 ? -3.0 : nan);
    x.set(32 + c, nan);
    x.set(48 + c, nan);
  }
  for (const CpuTarget &target : getTestTargets()) {
    KernelJit({x.getType(false), y.getType(false)},
              "kernel.window max ins(%0 : " + x.getType(false) +
                  ") outs(%1 : " + y.getType(false) +
                  ") attributes {window = array<i64: 2>, strides = array<i64: "
                  "2>, dilations = array<i64: 1>, padding = array<i64: 0>} {\n"
                  "^bb0(%v: f32):\n kernel.yield %v : f32\n}",
              target)
        .runAll({&x, &y});
    for (int64_t c = 0; c < 16; ++c) {
      EXPECT_EQ(y.get(c).real(), -3.0);
      EXPECT_EQ(y.get(16 + c).real(), std::numeric_limits<float>::lowest());
    }
  }
}

} // namespace
