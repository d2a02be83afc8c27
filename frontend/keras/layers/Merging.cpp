//===- Merging.cpp - layers of several inputs -----------------------------===//

#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

namespace {
/// Inputs of one rank: dimensions of size 1 are added behind the batch's.
SmallVector<Tensor> aligned(Call &c) {
  SmallVector<Tensor> all = c.inputs();
  if (all.empty())
    c.fail("expected a list of tensors");
  int64_t rank = 0;
  for (Tensor x : all)
    rank = std::max(rank, x.rank());
  for (Tensor &x : all) {
    if (c.failed())
      return {};
    SmallVector<int64_t> axes;
    for (int64_t i = 0; i < rank - x.rank(); ++i)
      axes.push_back(1 + i);
    x = graph::expandDims(x, axes);
  }
  return all;
}

/// Masks or-ed when all inputs have one.
void mergeMasks(Call &c) {
  SmallVector<Tensor> masks = c.masks();
  if (c.failed() || masks.empty() ||
      llvm::any_of(masks, [](Tensor mask) { return !mask; }))
    return;
  Tensor all = masks[0];
  for (Tensor mask : llvm::drop_begin(masks))
    all = graph::apply("or", all, mask);
  c.setMask(all);
}

template <Tensor (*combine)(Tensor, Tensor)> void callMerge(Call &c) {
  SmallVector<Tensor> all = aligned(c);
  if (c.failed())
    return;
  Tensor result = all[0];
  for (Tensor x : llvm::drop_begin(all))
    result = combine(result, x);
  c.set(result);
  mergeMasks(c);
}

Tensor add(Tensor a, Tensor b) { return a + b; }
Tensor multiply(Tensor a, Tensor b) { return a * b; }
Tensor subtract(Tensor a, Tensor b) { return a - b; }
Tensor greater(Tensor a, Tensor b) { return maximum(a, b); }
Tensor lesser(Tensor a, Tensor b) { return minimum(a, b); }

void callAverage(Call &c) {
  SmallVector<Tensor> all = aligned(c);
  if (c.failed())
    return;
  Tensor result = all[0];
  for (Tensor x : llvm::drop_begin(all))
    result = result + x;
  c.set(result / double(all.size()));
  mergeMasks(c);
}

void callConcatenate(Call &c) {
  SmallVector<Tensor> all = c.inputs();
  if (all.empty())
    return c.fail("expected a list of tensors");
  int64_t axis = c.axis(c.config.integer("axis", -1), all[0].rank());
  if (c.failed())
    return;
  c.set(graph::concat(all, axis));
  SmallVector<Tensor> masks = c.masks();
  if (llvm::none_of(masks, [](Tensor mask) { return bool(mask); }))
    return;
  for (auto [mask, x] : llvm::zip(masks, all)) {
    if (!mask)
      mask = c.g.fill(c.g.shapeOf(x.value()),
                      c.g.scalar(c.g.builder.getI1Type(), 1));
    else if (mask.rank() < x.rank())
      mask = broadcast(graph::expandDims(mask, mask.rank()), sizesOf(x));
  }
  c.setMask(reduce("any", graph::concat(masks, axis), -1));
}

void callDot(Call &c) {
  SmallVector<Tensor> all = c.inputs();
  if (all.size() != 2)
    return c.fail("expected two tensors, got " + llvm::Twine(all.size()));
  SmallVector<int64_t> axes = c.config.integers("axes", 2);
  for (unsigned i = 0; i < 2; ++i) {
    axes[i] = c.axis(axes[i], all[i].rank());
    if (!c.failed() && (axes[i] == 0 || all[i].rank() < 2))
      return c.fail("'axes' must not be the batch's");
  }
  if (c.failed())
    return;
  if (c.config.flag("normalize", false))
    for (unsigned i = 0; i < 2; ++i)
      all[i] = unitLength(all[i], axes[i], 1e-7);
  // a: the batch, l: the summed dimension.
  std::string labels[2], kept;
  char next = 'm';
  for (unsigned i = 0; i < 2; ++i)
    for (int64_t d = 0; d < all[i].rank(); ++d) {
      char label = d == 0 ? 'a' : d == axes[i] ? 'l' : next++;
      labels[i] += label;
      if (label != 'l' && (d || i == 0))
        kept += label;
    }
  if (next > 'z')
    return c.fail("the inputs have too many dimensions");
  Tensor y = einsum(labels[0] + "," + labels[1] + "->" + kept, all[0], all[1]);
  c.set(kept.size() == 1 ? graph::expandDims(y, 1) : y);
}
} // namespace

void addMergingLayers(LayerTable &table) {
  auto add = [&](StringRef name, void (*call)(Call &)) {
    table[name] = {nullptr, call, MaskRule::Own};
  };
  add("Add", callMerge<keras::add>);
  add("Multiply", callMerge<multiply>);
  add("Subtract", callMerge<subtract>);
  add("Maximum", callMerge<greater>);
  add("Minimum", callMerge<lesser>);
  add("Average", callAverage);
  add("Concatenate", callConcatenate);
  add("Dot", callDot);
}

} // namespace tenon::keras
