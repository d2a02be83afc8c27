#include "compiler/lowering/PackWeights.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace tenon {

PackGeometry PackGeometry::get(ArrayRef<int64_t> shape, int64_t spatial,
                               int64_t groups, bool transposed, bool reversed) {
  PackGeometry result;
  int64_t rank = shape.size(), batch = rank - 2 - spatial;
  for (int64_t size : shape.take_front(batch))
    result.batches *= size;
  for (int64_t size : shape.slice(batch, spatial))
    result.window *= size;
  result.groups = groups;
  result.channels = shape[transposed ? rank - 1 : rank - 2];
  result.columns = shape[transposed ? rank - 2 : rank - 1] / groups;
  result.panelWidth = getPanelWidth(result.columns);
  result.transposed = transposed;
  result.reversed = reversed;
  return result;
}

PackGeometry PackGeometry::get(kernel::PackOp op) {
  PackGeometry result =
      get(op.getSourceType().getShape(), op.getSpatial(), op.getGroups(),
          op.getTransposeB(), op.getReverse());
  result.panelWidth = op.getPackedType().getShape().back();
  result.pairs = op.getPairs();
  return result;
}

int64_t PackGeometry::getSourceElements() const {
  return batches * window * channels * columns * groups;
}

int64_t PackGeometry::getPackedElements() const {
  return batches * groups * llvm::divideCeil(columns, panelWidth) * window *
         channels * panelWidth;
}

namespace {

/// Writes one window position of one panel, whose first element is `base` of
/// the source; returns where the next one goes.
template <size_t size>
char *packChannels(const char *source, bool isSplat, const PackGeometry &g,
                   int64_t base, int64_t width, char *to) {
  int64_t allColumns = g.columns * g.groups;
  int64_t channelStep = g.transposed ? 1 : allColumns;
  int64_t columnStep = g.transposed ? g.channels : 1;
  for (int64_t c = 0; c < g.channels; ++c) {
    const char *row = source + (isSplat ? 0 : base + c * channelStep) * size;
    size_t step = isSplat ? 0 : columnStep * size;
    for (int64_t lane = 0; lane < width; ++lane)
      std::memcpy(to + lane * size, row + lane * step, size);
    std::memset(to + width * size, 0, (g.panelWidth - width) * size);
    to += g.panelWidth * size;
  }
  return to;
}

/// The same two channels by two.
char *packPairs(const char *source, bool isSplat, const PackGeometry &g,
                int64_t base, int64_t width, char *to) {
  constexpr size_t size = 2;
  int64_t allColumns = g.columns * g.groups;
  int64_t channelStep = g.transposed ? 1 : allColumns;
  int64_t columnStep = g.transposed ? g.channels : 1;
  std::memset(to, 0, g.channels * g.panelWidth * size);
  for (int64_t c = 0; c < g.channels; c += 2, to += 2 * g.panelWidth * size)
    for (int64_t lane = 0; lane < width; ++lane)
      for (int64_t i : {0, 1}) {
        int64_t from = base + (c + i) * channelStep + lane * columnStep;
        std::memcpy(to + (2 * lane + i) * size,
                    source + (isSplat ? 0 : from) * size, size);
      }
  return to;
}

template <size_t size>
void packAll(ArrayRef<char> source, const PackGeometry &g, char *to) {
  bool isSplat = source.size() == size;
  int64_t allColumns = g.columns * g.groups;
  for (int64_t batch = 0; batch < g.batches; ++batch)
    for (int64_t group = 0; group < g.groups; ++group)
      for (int64_t first = 0; first < g.columns; first += g.panelWidth)
        for (int64_t k = 0; k < g.window; ++k) {
          int64_t position = g.reversed ? g.window - 1 - k : k;
          int64_t column = group * g.columns + first;
          int64_t base =
              (batch * g.window + position) * g.channels * allColumns +
              column * (g.transposed ? g.channels : 1);
          int64_t width = std::min(g.panelWidth, g.columns - first);
          if constexpr (size == 2)
            if (g.pairs) {
              to = packPairs(source.data(), isSplat, g, base, width, to);
              continue;
            }
          to = packChannels<size>(source.data(), isSplat, g, base, width, to);
        }
}

} // namespace

std::vector<char> roundToBf16(ArrayRef<char> source) {
  std::vector<char> result(source.size() / 2);
  for (size_t i = 0, count = source.size() / 4; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, source.data() + 4 * i, 4);
    bool isNan = (bits & 0x7fffffff) > 0x7f800000;
    uint32_t rounded =
        isNan ? bits | 0x00400000 : bits + 0x7fff + (bits >> 16 & 1);
    auto high = uint16_t(rounded >> 16);
    std::memcpy(result.data() + 2 * i, &high, 2);
  }
  return result;
}

void packWeights(ArrayRef<char> source, unsigned elementBytes,
                 const PackGeometry &geometry, MutableArrayRef<char> packed) {
  switch (elementBytes) {
  case 1:
    return packAll<1>(source, geometry, packed.data());
  case 2:
    return packAll<2>(source, geometry, packed.data());
  case 4:
    return packAll<4>(source, geometry, packed.data());
  case 8:
    return packAll<8>(source, geometry, packed.data());
  default:
    return packAll<16>(source, geometry, packed.data());
  }
}

} // namespace tenon
