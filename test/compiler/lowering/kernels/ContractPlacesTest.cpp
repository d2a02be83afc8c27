// kernel.contract over images that are read where they lie, the gradient of a
// convolution's filter, against plain loops.

#include "test/compiler/lowering/kernels/KernelJit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

using namespace tenon;
using namespace tenon::test;

namespace {

using Sizes = std::vector<int64_t>;

/// x [images, input..., groups, channels], g [images, output..., groups,
/// columns], result [groups, channels, window..., columns].
struct Gradient {
  std::string element = "f32";
  int64_t images = 1, groups = 1, channels = 1, columns = 1;
  Sizes input, window, strides, dilations, low, high; // of the convolution
  bool dynamic = false;
  bool addsOld = false; // epilogue: old - sum

  Sizes output() const {
    Sizes result;
    for (size_t i = 0; i < input.size(); ++i) {
      int64_t room =
          input[i] + low[i] + high[i] - (window[i] - 1) * dilations[i] - 1;
      result.push_back(room < 0 ? 0 : room / strides[i] + 1);
    }
    return result;
  }
};

template <typename... Parts> Sizes concat(const Parts &...parts) {
  Sizes result;
  (result.insert(result.end(), parts.begin(), parts.end()), ...);
  return result;
}

std::string attribute(const Sizes &values) {
  std::string text = "array<i64";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : ": ") + std::to_string(values[i]);
  return text + ">";
}

template <typename Body> void positions(const Sizes &sizes, Body body) {
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  Sizes at(sizes.size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    for (size_t d = sizes.size(); d-- > 0; rest /= sizes[d])
      at[d] = rest % sizes[d];
    body(at);
  }
}

int64_t offset(const Array &array, const Sizes &at) {
  int64_t result = 0;
  for (size_t i = 0; i < at.size(); ++i)
    result += at[i] * array.strides[i];
  return result;
}

/// Images and their sizes are what may be unknown.
std::string typeOf(const Array &array, bool dynamic) {
  std::string text = "memref<";
  const Sizes &shape = array.getShape();
  for (size_t i = 0; i < shape.size(); ++i)
    text += (dynamic && i + 2 < shape.size() ? "?" : std::to_string(shape[i])) +
            "x";
  return text + array.getElement() + ">";
}

void check(const Gradient &test, const CpuTarget &target, uint64_t seed) {
  size_t spatial = test.input.size();
  Sizes output = test.output();
  std::ostringstream name;
  name << target.cpu << " " << test.element << " images " << test.images
       << " groups " << test.groups << " channels " << test.channels
       << " columns " << test.columns << " input " << attribute(test.input)
       << " window " << attribute(test.window) << " strides "
       << attribute(test.strides) << " dilations " << attribute(test.dilations)
       << " low " << attribute(test.low) << " high " << attribute(test.high)
       << (test.dynamic ? " dynamic" : "") << (test.addsOld ? " old" : "");
  SCOPED_TRACE(name.str());
  Array x(test.element, concat(Sizes{test.images}, test.input,
                               Sizes{test.groups, test.channels}));
  Array g(test.element,
          concat(Sizes{test.images}, output, Sizes{test.groups, test.columns}));
  Array c(test.element, concat(Sizes{test.groups, test.channels}, test.window,
                               Sizes{test.columns}));
  Array old(test.element, c.getShape());
  x.fillRandom(seed);
  g.fillRandom(seed + 1);
  old.fillRandom(seed + 2);
  c.fillBytes(char(0xff)); // it may not be read before it is written

  int64_t group = spatial + 1;
  Sizes aOrder{group, group + 1}, bOrder{group};
  for (size_t i = 0; i < spatial; ++i) {
    aOrder.push_back(1 + i);
    bOrder.push_back(1 + i);
  }
  aOrder.push_back(0);
  bOrder.push_back(0);
  bOrder.push_back(group + 1);
  bool narrow = test.element == "f16" || test.element == "bf16";
  bool integer = test.element[0] == 'i';
  std::string sum = narrow ? "f32" : test.element;
  std::vector<std::string> types{typeOf(x, test.dynamic),
                                 typeOf(g, test.dynamic)};
  if (test.addsOld)
    types.push_back(old.getType(false));
  types.push_back(c.getType(false));
  std::ostringstream op;
  op << "kernel.contract ins(%0, %1 : " << types[0] << ", " << types[1] << ")";
  if (test.addsOld)
    op << " epilogue(%2 : " << types[2] << ")";
  op << " outs(%" << types.size() - 1 << " : " << types.back()
     << ") attributes {strides = " << attribute(test.dilations)
     << ", dilations = " << attribute(test.strides)
     << ", padding = " << attribute(test.low)
     << ", input_dilation = " << attribute(Sizes(spatial, 1))
     << ", a_order = " << attribute(aOrder)
     << ", b_order = " << attribute(bOrder);
  if (test.addsOld) {
    std::string dims;
    for (size_t i = 0; i < spatial + 3; ++i)
      dims += (i ? ", d" : "d") + std::to_string(i);
    op << ", epilogue_maps = [affine_map<(" << dims << ") -> (" << dims
       << ")>]";
  }
  op << "} {\n^bb0(%s: " << sum;
  if (test.addsOld)
    op << ", %x: " << test.element;
  op << "):\n";
  std::string result = "%s";
  if (narrow) {
    op << " %n = arith.truncf %s : f32 to " << test.element << "\n";
    result = "%n";
  }
  if (test.addsOld) {
    op << " %r = arith.sub" << (integer ? "i" : "f") << " %x, " << result
       << " : " << test.element << "\n";
    result = "%r";
  }
  op << " kernel.yield " << result << " : " << test.element << "\n}";
  std::vector<Array *> arrays{&x, &g};
  if (test.addsOld)
    arrays.push_back(&old);
  arrays.push_back(&c);
  KernelJit(types, op.str(), target).runAll(arrays);
  EXPECT_TRUE(c.isGuardIntact());

  double precision = test.element == "f64"    ? 1e-15
                     : test.element == "f16"  ? 1e-3
                     : test.element == "bf16" ? 8e-3
                                              : 2e-7;
  int64_t wrong = 0;
  positions(c.getShape(), [&](const Sizes &at) {
    double total = 0, scale = 1e-30;
    positions(concat(Sizes{test.images}, output), [&](const Sizes &place) {
      Sizes xAt{place[0]};
      for (size_t d = 0; d < spatial; ++d) {
        int64_t position = place[1 + d] * test.strides[d] +
                           at[2 + d] * test.dilations[d] - test.low[d];
        if (position < 0 || position >= test.input[d])
          return;
        xAt.push_back(position);
      }
      xAt.insert(xAt.end(), {at[0], at[1]});
      double product =
          x.get(offset(x, xAt)).real() *
          g.get(offset(g, concat(place, Sizes{at[0], at.back()}))).real();
      total += product;
      scale += std::abs(product);
    });
    double before = test.addsOld ? old.get(offset(old, at)).real() : 0;
    double want = test.addsOld ? before - total : total;
    if (integer) {
      unsigned shift = 64 - std::stoi(test.element.substr(1));
      want = double(int64_t(uint64_t(int64_t(want)) << shift) >> shift);
    }
    double got = c.get(offset(c, at)).real();
    scale += std::abs(before) + std::abs(want);
    if (!(std::abs(got - want) <= (integer ? 0 : precision * 4 * scale)) &&
        wrong++ < 3)
      ADD_FAILURE() << "got " << got << ", want " << want << " at "
                    << offset(c, at);
  });
  EXPECT_EQ(wrong, 0);
}

class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed) {}
  int64_t range(int64_t low, int64_t high) {
    return low + int64_t(random() % uint64_t(high - low + 1));
  }
  int64_t pick(std::initializer_list<int64_t> values) {
    return values.begin()[range(0, values.size() - 1)];
  }

  Gradient next() {
    static const char *elements[] = {"f32", "f32", "f32",  "f32", "f64",
                                     "f16", "i32", "bf16", "i64", "i8"};
    Gradient test;
    test.element = elements[range(0, std::size(elements) - 1)];
    int spatial = pick({1, 2, 2, 2, 3});
    test.images = pick({0, 1, 2, 3, 5, 9});
    for (int i = 0; i < spatial; ++i) {
      test.window.push_back(pick({1, 2, 3, 3, 5}));
      test.input.push_back(spatial == 1 ? pick({1, 7, 33, 450}) : range(1, 16));
      test.strides.push_back(pick({1, 1, 2, 3}));
      test.dilations.push_back(pick({1, 1, 1, 2}));
      test.low.push_back(pick({0, 1, 1, 2, -1}));
      test.high.push_back(pick({0, 1, 1, 2}));
    }
    test.groups = pick({1, 1, 1, 2, 3});
    test.channels = pick({1, 2, 3, 5, 6, 7, 12, 13, 16, 33});
    test.columns = pick({1, 3, 15, 16, 17, 32, 48, 64, 65, 100, 130});
    test.dynamic = range(0, 2) == 0;
    test.addsOld = range(0, 1);
    return test;
  }

private:
  std::mt19937_64 random;
};

TEST(ContractPlaces, RandomShapes) {
  std::vector<CpuTarget> targets = getTestTargets();
  int64_t first = fromEnvironment("TENON_TEST_SEED", 0);
  int64_t count = fromEnvironment("TENON_TEST_COUNT", 40);
  for (int64_t i = first; i < first + count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(i));
    check(Generator(i).next(), targets[i % targets.size()], i);
  }
}

/// More tiles than wait on the stack at once, and several tasks.
TEST(ContractPlaces, ManyTiles) {
  for (const CpuTarget &target : getTestTargets()) {
    Gradient test;
    test.images = 3;
    test.input = {5, 4};
    test.window = {3, 3};
    test.strides = test.dilations = test.low = test.high = {1, 1};
    test.channels = 70;
    test.columns = 150;
    check(test, target, 1);
  }
}

} // namespace
