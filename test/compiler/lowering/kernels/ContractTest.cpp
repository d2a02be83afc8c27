// kernel.contract and kernel.pack against plain loops, over shapes, geometries,
// element types, epilogues and CPUs.

#include "compiler/lowering/PackWeights.h"
#include "test/compiler/lowering/kernels/KernelJit.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <sstream>

using namespace tenon;
using namespace tenon::test;

namespace {

using Sizes = std::vector<int64_t>;
using Complex = std::complex<double>;

enum class Epilogue { None, BiasRelu, Residual, RowScale, Transposed, Heavy };

struct Contract {
  std::string element = "f32";
  Sizes aBatch, bBatch; // of equal rank; 1 repeats
  int64_t rows = 1;     // N
  Sizes input, window, strides, dilations, padding, highPadding, inputDilation;
  int64_t groups = 1, channels = 1, columns = 1; // per group
  bool dynamic = false, transposedA = false, transposedB = false,
       reversed = false;
  Epilogue epilogue = Epilogue::None;

  Sizes batch() const {
    Sizes result = aBatch;
    for (size_t i = 0; i < result.size(); ++i)
      if (result[i] == 1)
        result[i] = bBatch[i];
    return result;
  }
  Sizes output() const {
    Sizes result;
    for (size_t i = 0; i < input.size(); ++i) {
      int64_t extent = (input[i] - 1) * inputDilation[i] + 1 + padding[i] +
                       highPadding[i] - (window[i] - 1) * dilations[i];
      result.push_back(extent <= 0 ? 0 : (extent - 1) / strides[i] + 1);
    }
    return result;
  }
  std::string describe() const {
    std::ostringstream out;
    auto list = [&](const char *name, const Sizes &sizes) {
      out << " " << name;
      for (int64_t size : sizes)
        out << " " << size;
    };
    out << element << " N " << rows << " groups " << groups << " channels "
        << channels << " columns " << columns << " epilogue " << int(epilogue)
        << (dynamic ? " dynamic" : "") << (transposedA ? " ta" : "")
        << (transposedB ? " tb" : "") << (reversed ? " reversed" : "");
    list("aBatch", aBatch);
    list("bBatch", bBatch);
    list("input", input);
    list("window", window);
    list("strides", strides);
    list("dilations", dilations);
    list("padding", padding);
    list("high", highPadding);
    list("inputDilation", inputDilation);
    return out.str();
  }
};

template <typename... Parts> Sizes concat(const Parts &...parts) {
  Sizes result;
  (result.insert(result.end(), parts.begin(), parts.end()), ...);
  return result;
}

int64_t product(const Sizes &sizes) {
  int64_t result = 1;
  for (int64_t size : sizes)
    result *= size;
  return result;
}

/// Calls `body` with every position in `sizes`.
template <typename Body> void positions(const Sizes &sizes, Body body) {
  Sizes at(sizes.size());
  for (int64_t i = 0, count = product(sizes); i < count; ++i) {
    int64_t rest = i;
    for (size_t d = sizes.size(); d-- > 0; rest /= sizes[d])
      at[d] = rest % sizes[d];
    body(at);
  }
}

int64_t offset(const Array &array, const Sizes &at) {
  int64_t result = 0;
  for (size_t i = 0; i < at.size(); ++i)
    result += (array.getShape()[i] == 1 ? 0 : at[i]) * array.strides[i];
  return result;
}

std::string attribute(const Sizes &values) {
  std::string text = "array<i64";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : ": ") + std::to_string(values[i]);
  return text + ">";
}

/// The operand that an epilogue adds, as dimensions of C.
std::vector<int> extraDims(const Contract &test, int rank) {
  std::vector<int> dims;
  switch (test.epilogue) {
  case Epilogue::None:
    break;
  case Epilogue::BiasRelu:
  case Epilogue::Heavy:
    dims = {rank - 1};
    break;
  case Epilogue::Residual:
    for (int i = 0; i < rank; ++i)
      dims.push_back(i);
    break;
  case Epilogue::RowScale:
    dims = {rank - 2};
    break;
  case Epilogue::Transposed:
    dims = {rank - 1, rank - 2};
    break;
  }
  return dims;
}

void check(const Contract &test, const CpuTarget &target, uint64_t seed) {
  SCOPED_TRACE(target.cpu + ": " + test.describe());
  Sizes batch = test.batch(), output = test.output();
  int64_t g = test.groups;
  Array a(test.element, concat(test.aBatch, Sizes{test.rows}, test.input,
                               Sizes{g * test.channels}));
  if (test.transposedA) {
    Sizes shape = a.getShape();
    std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
    a = Array(test.element, shape);
    a.transposeLast();
  }
  Array w(test.element, test.transposedB
                            ? concat(test.bBatch, test.window,
                                     Sizes{g * test.columns, test.channels})
                            : concat(test.bBatch, test.window,
                                     Sizes{test.channels, g * test.columns}));
  int64_t width = test.dynamic ? kPanelWidth : getPanelWidth(test.columns);
  // Two channels by two wherever that is possible.
  std::string pairs = test.element == "bf16" && test.channels % 2 == 0 &&
                              width == kPanelWidth && !test.dynamic
                          ? ", pairs"
                          : "";
  Array b(test.element,
          concat(test.bBatch, Sizes{g, (test.columns + width - 1) / width},
                 test.window, Sizes{test.channels, width}));
  Array c(test.element,
          concat(batch, Sizes{test.rows}, output, Sizes{g * test.columns}));
  int rank = c.getShape().size();
  std::vector<int> dims = extraDims(test, rank);
  Sizes extraShape;
  for (int dim : dims)
    extraShape.push_back(c.getShape()[dim]);
  Array extra(test.element, extraShape);
  a.fillRandom(seed);
  w.fillRandom(seed + 1);
  extra.fillRandom(seed + 2);
  // Neither may be read before it is written.
  b.fillBytes(char(0xff));
  c.fillBytes(char(0xff));

  // Pack.
  std::string wType = w.getType(test.dynamic), bType = b.getType(test.dynamic);
  std::ostringstream pack;
  pack << "kernel.pack ins(%0 : " << wType << ") outs(%1 : " << bType
       << ") {spatial = " << test.window.size() << " : i64, groups = " << g
       << " : i64" << (test.transposedB ? ", transpose_b" : "")
       << (test.reversed ? ", reverse" : "") << pairs << "}";
  if (test.dynamic) {
    // The last dimension is always known.
    bType = bType.substr(0, bType.rfind('?')) + "16x" + test.element + ">";
    pack.str("");
    pack << "kernel.pack ins(%0 : " << wType << ") outs(%1 : " << bType
         << ") {spatial = " << test.window.size() << " : i64, groups = " << g
         << " : i64" << (test.transposedB ? ", transpose_b" : "")
         << (test.reversed ? ", reverse" : "") << "}";
  }
  KernelJit({wType, bType}, pack.str(), target).runAll({&w, &b});
  EXPECT_TRUE(b.isGuardIntact());
  // At compile time the same bytes come out.
  PackGeometry geometry = PackGeometry::get(w.getShape(), test.window.size(), g,
                                            test.transposedB, test.reversed);
  geometry.panelWidth = width;
  geometry.pairs = !pairs.empty();
  std::vector<char> constant(b.getByteSize(), char(0xee));
  packWeights({w.data(), w.getByteSize()},
              b.size() ? b.getByteSize() / b.size() : 1, geometry, constant);
  EXPECT_EQ(geometry.getPackedElements(), b.size());
  EXPECT_TRUE(std::equal(constant.begin(), constant.end(), b.data()));

  // Contract.
  bool hasExtra = test.epilogue != Epilogue::None;
  bool narrow = test.element == "f16" || test.element == "bf16";
  std::string sum = narrow ? "f32" : test.element;
  std::string aType = a.getType(test.dynamic), cType = c.getType(test.dynamic),
              extraType = extra.getType(test.dynamic);
  std::vector<std::string> types{aType, bType};
  if (hasExtra)
    types.push_back(extraType);
  types.push_back(cType);
  std::ostringstream op;
  op << "kernel.contract ins(%0, %1 : " << aType << ", " << bType << ")";
  if (hasExtra)
    op << " epilogue(%2 : " << extraType << ")";
  op << " outs(%" << types.size() - 1 << " : " << cType
     << ") attributes {strides = " << attribute(test.strides)
     << ", dilations = " << attribute(test.dilations)
     << ", padding = " << attribute(test.padding)
     << ", input_dilation = " << attribute(test.inputDilation)
     << ", groups = " << g << " : i64" << pairs;
  if (hasExtra) {
    op << ", epilogue_maps = [affine_map<(";
    for (int i = 0; i < rank; ++i)
      op << (i ? ", d" : "d") << i;
    op << ") -> (";
    for (size_t i = 0; i < dims.size(); ++i)
      op << (i ? ", d" : "d") << dims[i];
    op << ")>]";
  }
  op << "} {\n^bb0(%s: " << sum;
  if (hasExtra)
    op << ", %x: " << test.element;
  op << "):\n";
  std::string result = "%s", x = "%x";
  if (narrow && hasExtra) {
    op << " %xf = arith.extf %x : " << test.element << " to f32\n";
    x = "%xf";
  }
  bool integer = test.element[0] == 'i', complex = test.element[0] == 'c';
  std::string dialect = complex ? "complex." : "arith.";
  std::string suffix = complex ? "" : integer ? "i" : "f";
  if (test.epilogue == Epilogue::RowScale) {
    op << " %r0 = " << dialect << "mul" << suffix << " %s, " << x << " : "
       << sum << "\n";
    result = "%r0";
  } else if (hasExtra) {
    op << " %r0 = " << dialect << "add" << suffix << " %s, " << x << " : "
       << sum << "\n";
    result = "%r0";
  }
  if (test.epilogue == Epilogue::BiasRelu && !complex) {
    op << " %z = arith.constant " << (integer ? "0" : "0.0") << " : " << sum
       << "\n %r1 = arith." << (integer ? "maxsi" : "maximumf")
       << " %r0, %z : " << sum << "\n";
    result = "%r1";
  }
  if (test.epilogue == Epilogue::Heavy && !complex && !integer)
    for (int i = 1; i < 24; ++i) {
      op << " %r" << i << " = arith.addf %r" << i - 1 << ", " << x << " : "
         << sum << "\n";
      result = "%r" + std::to_string(i);
    }
  if (narrow) {
    op << " %n = arith.truncf " << result << " : f32 to " << test.element
       << "\n";
    result = "%n";
  }
  op << " kernel.yield " << result << " : " << test.element << "\n}";
  std::vector<Array *> arrays{&a, &b};
  if (hasExtra)
    arrays.push_back(&extra);
  arrays.push_back(&c);
  KernelJit(types, op.str(), target).runAll(arrays);
  EXPECT_TRUE(c.isGuardIntact());

  // The same in plain loops.
  double precision = test.element == "f64" || test.element == "complex<f64>"
                         ? 1e-15
                     : test.element == "f16"  ? 1e-3
                     : test.element == "bf16" ? 8e-3
                                              : 2e-7;
  int64_t wrong = 0;
  size_t spatial = output.size(), rowDim = batch.size();
  positions(c.getShape(), [&](const Sizes &at) {
    Complex sum = 0;
    double scale = 1e-30;
    uint64_t wrapped = 0;
    int64_t group = at.back() / test.columns;
    positions(test.window, [&](const Sizes &k) {
      Sizes aAt(at.begin(), at.begin() + rowDim + 1);
      Sizes wAt(at.begin(), at.begin() + rowDim);
      for (size_t d = 0; d < spatial; ++d) {
        int64_t position = at[rowDim + 1 + d] * test.strides[d] +
                           k[d] * test.dilations[d] - test.padding[d];
        if (position < 0 || position % test.inputDilation[d] ||
            position / test.inputDilation[d] >= test.input[d])
          return;
        aAt.push_back(position / test.inputDilation[d]);
        wAt.push_back(test.reversed ? test.window[d] - 1 - k[d] : k[d]);
      }
      aAt.push_back(0);
      wAt.resize(wAt.size() + 2);
      for (int64_t channel = 0; channel < test.channels; ++channel) {
        aAt.back() = group * test.channels + channel;
        wAt[wAt.size() - 2] = test.transposedB ? at.back() : channel;
        wAt.back() = test.transposedB ? channel : at.back();
        // One group and one column are still indices, not repeats.
        Complex x = a.get(offset(a, aAt)), y = w.get(offset(w, wAt));
        sum += x * y;
        scale += std::abs(x) * std::abs(y);
        wrapped += uint64_t(int64_t(x.real())) * uint64_t(int64_t(y.real()));
      }
    });
    Complex extraValue = 0;
    if (hasExtra) {
      Sizes extraAt;
      for (int dim : dims)
        extraAt.push_back(at[dim]);
      extraValue = extra.get(offset(extra, extraAt));
    }
    Complex got = c.get(offset(c, at));
    if (integer) {
      uint64_t y = int64_t(extraValue.real());
      if (test.epilogue == Epilogue::RowScale)
        wrapped *= y;
      else
        wrapped += y;
      unsigned shift = 64 - std::stoi(test.element.substr(1));
      int64_t want = int64_t(wrapped << shift) >> shift;
      if (test.epilogue == Epilogue::BiasRelu)
        want = std::max<int64_t>(want, 0);
      if (got.real() != double(want) && wrong++ < 3)
        ADD_FAILURE() << "got " << got << ", want " << want;
      return;
    }
    Complex want = test.epilogue == Epilogue::RowScale ? sum * extraValue
                   : test.epilogue == Epilogue::Heavy && !complex
                       ? sum + extraValue * 24.0
                       : sum + extraValue;
    if (test.epilogue == Epilogue::BiasRelu && !complex)
      want = std::max(want.real(), 0.0);
    scale += 24 * std::abs(extraValue) + std::abs(want);
    if (!(std::abs(got - want) <= precision * 4 * scale) && wrong++ < 3)
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
  bool chance(int percent) { return range(0, 99) < percent; }

  Contract next() {
    static const char *elements[] = {
        "f32", "f32", "f32",  "f32", "f64",          "f16",
        "i32", "i8",  "bf16", "i64", "complex<f32>", "complex<f64>"};
    Contract test;
    test.element = elements[range(0, std::size(elements) - 1)];
    int spatial = pick({0, 0, 1, 2, 2, 3});
    for (int i = 0, count = pick({0, 0, 0, 1, 2}); i < count; ++i) {
      int64_t size = range(1, 3);
      test.aBatch.push_back(chance(20) ? 1 : size);
      test.bBatch.push_back(chance(40) ? 1 : size);
    }
    test.rows = spatial ? pick({1, 1, 2, 3})
                        : pick({0, 1, 2, 3, 5, 6, 7, 11, 13, 31, 97, 101, 194});
    for (int i = 0; i < spatial; ++i) {
      test.window.push_back(pick({1, 1, 2, 3, 3, 5}));
      test.input.push_back(range(1, spatial == 3 ? 7 : 12));
      test.strides.push_back(pick({1, 1, 2, 3}));
      test.dilations.push_back(pick({1, 1, 1, 2}));
      test.padding.push_back(pick({0, 0, 1, 2, -1}));
      test.highPadding.push_back(pick({0, 0, 1, 2}));
      test.inputDilation.push_back(pick({1, 1, 1, 2, 3}));
    }
    test.groups = chance(20) ? range(2, 3) : 1;
    test.channels = pick({1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 0});
    test.columns = pick({1, 3, 10, 15, 16, 17, 31, 48, 64, 65, 100, 128, 130});
    test.dynamic = chance(35);
    if (test.dynamic) // only a size known to be 1 repeats
      test.bBatch = test.aBatch;
    test.transposedA = chance(15);
    test.transposedB = chance(40);
    test.reversed = spatial && chance(20);
    test.epilogue = Epilogue(range(0, 5));
    return test;
  }

private:
  std::mt19937_64 random;
};

TEST(Contract, RandomShapes) {
  std::vector<CpuTarget> targets = getTestTargets();
  int64_t first = fromEnvironment("TENON_TEST_SEED", 0);
  int64_t count = fromEnvironment("TENON_TEST_COUNT", 60);
  for (int64_t i = first; i < first + count; ++i) {
    SCOPED_TRACE("seed " + std::to_string(i));
    check(Generator(i).next(), targets[i % targets.size()], i);
  }
}

/// Pairs of bf16: of one row to many, windows, long sums, both orders in
/// memory.
TEST(Contract, Bf16) {
  for (const CpuTarget &target : getTestTargets())
    for (uint64_t seed = 1000; seed < 1006; ++seed) {
      Generator generator(seed);
      Contract test = generator.next();
      test.element = "bf16";
      test.channels = 2 * generator.pick({1, 3, 4, 8, 9, 18, 33, 1300});
      test.columns = generator.pick({3, 16, 40, 64, 130});
      test.dynamic = false;
      check(test, target, seed);
    }
}

/// A panel's only column, and few of them, of elements of every size.
TEST(Contract, Tails) {
  for (const CpuTarget &target : getTestTargets())
    for (const char *element : {"f32", "f64", "f16", "bf16", "i8", "i64"})
      for (int64_t columns : {17, 20, 38}) {
        Contract test;
        test.element = element;
        test.rows = 7;
        test.channels = 5;
        test.columns = columns;
        test.epilogue = Epilogue::BiasRelu;
        check(test, target, columns);
      }
}

/// Few channels: lines of the result, copied lines of the operand or not.
TEST(Contract, FirstLayers) {
  for (const CpuTarget &target : getTestTargets())
    for (uint64_t seed = 2000; seed < 2008; ++seed) {
      Generator generator(seed);
      Contract test;
      test.rows = generator.range(1, 2);
      bool isPadded = seed % 4;
      for (int i = 0; i < 2; ++i) {
        test.window.push_back(generator.pick({2, 3, 5, 7}));
        test.input.push_back(generator.range(9, i ? 41 : 21));
        test.strides.push_back(generator.range(1, 3));
        test.padding.push_back(isPadded ? generator.range(0, 3) : 0);
        test.highPadding.push_back(isPadded ? generator.range(0, 3) : 0);
        test.dilations.push_back(i ? 1 : generator.pick({1, 1, 2}));
        test.inputDilation.push_back(1);
      }
      test.element = generator.pick({0, 0, 1}) ? "f64" : "f32";
      test.channels = generator.range(1, 7);
      test.columns = generator.pick({6, 8, 16, 24, 32, 64, 70});
      test.epilogue = Epilogue(generator.range(0, 3));
      check(test, target, seed);
    }
}

TEST(Contract, LongSumsAreBlocked) {
  for (const CpuTarget &target : getTestTargets()) {
    Contract matmul;
    matmul.rows = 20;
    matmul.channels = 5003;
    matmul.columns = 83;
    matmul.epilogue = Epilogue::BiasRelu;
    check(matmul, target, 1);
    Contract conv;
    conv.rows = 1;
    conv.input = {4, 5};
    conv.window = {3, 3};
    conv.strides = conv.dilations = conv.inputDilation = conv.padding =
        conv.highPadding = {1, 1};
    conv.channels = 1030;
    conv.columns = 20;
    conv.transposedB = true;
    check(conv, target, 2);
    conv.dynamic = true;
    check(conv, target, 3);
  }
}

/// Padding contributes nothing, even next to infinities.
TEST(Contract, PaddingIsExact) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Array a("f32", {1, 2, 2, 1}), b("f32", {1, 1, 3, 3, 1, 16}),
      c("f32", {1, 6, 6, 1});
  for (int i = 0; i < 4; ++i)
    a.set(i, infinity);
  for (int i = 0; i < 9; ++i)
    b.set(i * 16, 1);
  std::vector<std::string> types{a.getType(false), b.getType(false),
                                 c.getType(false)};
  std::string op =
      "kernel.contract ins(%0, %1 : " + types[0] + ", " + types[1] +
      ") outs(%2 : " + types[2] +
      ") attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, "
      "padding = array<i64: 3, 3>, input_dilation = array<i64: 1, 1>} {\n"
      "^bb0(%s: f32):\n kernel.yield %s : f32\n}";
  for (const CpuTarget &target : getTestTargets()) {
    c.fillBytes(char(0xff));
    KernelJit(types, op, target).runAll({&a, &b, &c});
    // The first and last lines see only padding.
    for (int y = 0; y < 6; ++y)
      for (int x = 0; x < 6; ++x)
        EXPECT_EQ(c.get(y * 6 + x).real(),
                  y % 5 == 0 || x % 5 == 0 ? 0 : infinity);
  }
}

} // namespace
