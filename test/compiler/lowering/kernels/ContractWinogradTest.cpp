// kernel.contract with `winograd` against plain loops.

#include "compiler/lowering/PackWeights.h"
#include "compiler/lowering/Winograd.h"
#include "test/compiler/lowering/kernels/KernelJit.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace tenon;
using namespace tenon::test;

namespace {

struct Convolution {
  int64_t tile = 2, images = 1, height = 1, width = 1, channels = 16,
          columns = 16, top = 1, bottom = 1, left = 1, right = 1;
  bool dynamic = false;
};

void check(const Convolution &test, const CpuTarget &target, uint64_t seed) {
  int64_t side = test.tile + 2,
          height = test.height + test.top + test.bottom - 2,
          width = test.width + test.left + test.right - 2;
  SCOPED_TRACE(target.cpu + " tile " + std::to_string(test.tile) + ": " +
               std::to_string(test.images) + "x" + std::to_string(height) +
               "x" + std::to_string(width) + ", " +
               std::to_string(test.channels) + " to " +
               std::to_string(test.columns));
  Array x("f32", {test.images, test.height, test.width, test.channels});
  Array w("f32", {3, 3, test.channels, test.columns});
  Array u("f32", {side, side, test.channels, test.columns});
  int64_t panels = (test.columns + kPanelWidth - 1) / kPanelWidth;
  Array b("f32", {1, panels, side, side, test.channels, kPanelWidth});
  Array bias("f32", {test.columns});
  Array c("f32", {test.images, height, width, test.columns});
  x.fillRandom(seed);
  w.fillRandom(seed + 1);
  bias.fillRandom(seed + 2);
  c.fillBytes(char(0xff)); // it may not be read before it is written

  const WinogradMatrix &g = Winograd::get(test.tile).filter;
  int64_t each = test.channels * test.columns;
  for (int64_t point = 0; point < side * side; ++point)
    for (int64_t i = 0; i < each; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < 9; ++k)
        sum += g[point / side][k / 3] * g[point % side][k % 3] *
               w.get(k * each + i).real();
      u.set(point * each + i, sum);
    }
  packWeights({u.data(), u.getByteSize()}, 4,
              PackGeometry::get(u.getShape(), 2, 1, false, false),
              {b.data(), b.getByteSize()});

  // Images and their sizes are what may be unknown.
  auto typeOf = [&](const Array &array) {
    std::string text = "memref<";
    for (size_t i = 0; i < 4; ++i)
      text +=
          (test.dynamic && i < 3 ? "?" : std::to_string(array.getShape()[i])) +
          "x";
    return text + "f32>";
  };
  std::vector<std::string> types{typeOf(x), b.getType(false),
                                 bias.getType(false), typeOf(c)};
  std::string op =
      "kernel.contract ins(%0, %1 : " + types[0] + ", " + types[1] +
      ") epilogue(%2 : " + types[2] + ") outs(%3 : " + types[3] +
      ") attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, "
      "input_dilation = array<i64: 1, 1>, padding = array<i64: " +
      std::to_string(test.top) + ", " + std::to_string(test.left) +
      ">, winograd = " + std::to_string(test.tile) +
      " : i64, epilogue_maps = [affine_map<(n, y, x, c) -> (c)>]} {\n"
      "^bb0(%s: f32, %x: f32):\n %r = arith.addf %s, %x : f32\n"
      " kernel.yield %r : f32\n}";
  KernelJit(types, op, target).runAll({&x, &b, &bias, &c});
  EXPECT_TRUE(c.isGuardIntact());

  double precision = test.tile == 2 ? 1e-6 : 4e-6;
  int64_t wrong = 0;
  for (int64_t i = 0; i < c.size(); ++i) {
    int64_t column = i % test.columns, place = i / test.columns,
            left = place % width, line = place / width;
    double want = bias.get(column).real(), scale = std::abs(want);
    for (int64_t k = 0; k < 9; ++k) {
      int64_t py = line % height + k / 3 - test.top,
              px = left + k % 3 - test.left;
      if (py < 0 || py >= test.height || px < 0 || px >= test.width)
        continue;
      for (int64_t channel = 0; channel < test.channels; ++channel) {
        int64_t from = ((line / height * test.height + py) * test.width + px) *
                           test.channels +
                       channel;
        double product =
            x.get(from).real() *
            w.get((k * test.channels + channel) * test.columns + column).real();
        want += product;
        scale += std::abs(product);
      }
    }
    // Neighbours outside of the place's own window count, too.
    scale = std::max(scale, double(test.channels));
    double got = c.get(i).real();
    if (!(std::abs(got - want) <= precision * scale) && wrong++ < 3)
      ADD_FAILURE() << "got " << got << ", want " << want << " at " << i;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(ContractWinograd, RandomShapes) {
  std::vector<CpuTarget> targets = getTestTargets();
  for (uint64_t seed = 0; seed < 24; ++seed) {
    std::mt19937_64 random(seed);
    auto range = [&](int64_t low, int64_t high) {
      return low + int64_t(random() % uint64_t(high - low + 1));
    };
    Convolution test;
    test.tile = seed % 2 ? 2 : 4;
    test.images = range(0, 9) ? range(1, 3) : 0;
    test.height = range(1, 19);
    test.width = range(1, 19);
    test.channels = 16 * range(1, 4);
    test.columns = range(1, 3) == 1 ? range(16, 140) : 16 * range(1, 9);
    test.top = range(1, 2);
    test.bottom = range(1, 2);
    test.left = range(1, 2);
    test.right = range(1, 2);
    test.dynamic = range(0, 1);
    check(test, targets[seed / 2 % targets.size()], seed);
  }
}

/// Several tasks, whose last one is not full.
TEST(ContractWinograd, ManyTiles) {
  for (const CpuTarget &target : getTestTargets())
    for (int64_t tile : {2, 4}) {
      Convolution test;
      test.tile = tile;
      test.images = 2;
      test.height = test.width = 31;
      test.channels = 128;
      test.columns = 24;
      check(test, target, tile);
    }
}

} // namespace
