//===- Pooling.cpp - windowed maxima and means ----------------------------===//

#include "frontend/tensorflow/ops/Layout.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
void pool(Binder &b, StringRef op, int64_t rank, ArrayRef<int64_t> window,
          ArrayRef<int64_t> strides) {
  Value input = b.input(0);
  if (input && b.rank(input) != rank)
    b.fail("expected a tensor of " + llvm::Twine(rank) + " dimensions, got " +
           llvm::Twine(b.rank(input)));
  Layout layout = readLayout(b, rank);
  if (b.failed())
    return;
  auto attributes = movementAttributes(b, layout, false, strides);
  attributes.push_back(
      b.attribute("window", spatialPart(b, layout, window, "window sizes")));
  b.set(0, b.make(op, Binder::type(input), input, attributes));
}

Row pooling(StringRef op, int64_t rank) {
  return [op, rank](Binder &b) {
    SmallVector<int64_t> window = b.integers("ksize", {}),
                         strides = b.integers("strides", {});
    pool(b, op, rank, window, strides);
  };
}
} // namespace

void addPoolingRows(RowTable &table) {
  table["MaxPool"] = pooling("graph.max_pool", 4);
  table["MaxPool3D"] = pooling("graph.max_pool", 5);
  table["AvgPool"] = pooling("graph.avg_pool", 4);
  table["AvgPool3D"] = pooling("graph.avg_pool", 5);
  table["MaxPoolV2"] = [](Binder &b) {
    SmallVector<int64_t> window = b.constants(1), strides = b.constants(2);
    pool(b, "graph.max_pool", 4, window, strides);
  };
}

} // namespace tenon::tf
