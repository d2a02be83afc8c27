//===- Reshaping.cpp - the same elements in other places ------------------===//

#include "frontend/keras/layers/Images.h"
#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

Tensor repeat(Tensor x, int64_t axis, int64_t times) {
  if (!x || times == 1)
    return x;
  SmallVector<Size> spread = sizesOf(x);
  spread.insert(spread.begin() + axis + 1, Size(times));
  GraphBuilder &g = x.builder();
  Tensor wide = broadcast(graph::expandDims(x, axis + 1), spread);
  // One size becomes that many times as large.
  SmallVector<Tensor> parts;
  for (int64_t i = 0; i < x.rank(); ++i) {
    Tensor size = g.size(x.value(), i);
    parts.push_back(i == axis ? size * g.integer(times) : size);
  }
  return graph::reshape(wide, stack(parts, 0));
}

namespace {
/// Pairs from "padding" or "cropping": a number, a list of numbers, or a list
/// of pairs, per spatial dimension.
SmallVector<std::pair<int64_t, int64_t>> amounts(Call &c, StringRef key,
                                                 unsigned spatial) {
  SmallVector<std::pair<int64_t, int64_t>> pairs;
  auto wrong = [&] {
    c.fail("'" + key + "' must hold amounts for " + llvm::Twine(spatial) +
           " dimensions");
    pairs.assign(spatial, {0, 0});
    return pairs;
  };
  auto add = [&](int64_t before, int64_t after) {
    pairs.emplace_back(before, after);
    return before >= 0 && after >= 0 && before <= INT32_MAX &&
           after <= INT32_MAX;
  };
  const llvm::json::Value *value = c.config.get(key);
  if (value && value->getAsInteger()) {
    for (unsigned i = 0; i < spatial; ++i)
      if (!add(*value->getAsInteger(), *value->getAsInteger()))
        return wrong();
    return pairs;
  }
  const llvm::json::Array *list = value ? value->getAsArray() : nullptr;
  if (!list)
    return wrong();
  if (spatial == 1 && list->size() == 2 && (*list)[0].getAsInteger() &&
      (*list)[1].getAsInteger()) {
    if (!add(*(*list)[0].getAsInteger(), *(*list)[1].getAsInteger()))
      return wrong();
    return pairs;
  }
  for (const llvm::json::Value &one : *list) {
    if (auto number = one.getAsInteger()) {
      if (!add(*number, *number))
        return wrong();
      continue;
    }
    const llvm::json::Array *pair = one.getAsArray();
    if (!pair || pair->size() != 2 || !(*pair)[0].getAsInteger() ||
        !(*pair)[1].getAsInteger() ||
        !add(*(*pair)[0].getAsInteger(), *(*pair)[1].getAsInteger()))
      return wrong();
  }
  return pairs.size() == spatial ? pairs : wrong();
}

template <unsigned spatial> void callPadding(Call &c) {
  auto pairs = amounts(c, "padding", spatial);
  Tensor x = c.inputOfRank(spatial + 2);
  bool first =
      spatial > 1 || c.config.has("data_format") ? c.channelsFirst() : false;
  pairs.insert(pairs.begin(), {0, 0});
  pairs.insert(first ? pairs.begin() + 1 : pairs.end(), {0, 0});
  c.set(pad(x, pairs));
}

template <unsigned spatial> void callCropping(Call &c) {
  auto pairs = amounts(c, "cropping", spatial);
  Tensor x = c.inputOfRank(spatial + 2);
  bool channelsFirst = spatial > 1 ? c.channelsFirst() : false;
  for (unsigned i = 0; i < spatial && x && !c.failed(); ++i) {
    int64_t axis = (channelsFirst ? 2 : 1) + i;
    auto [before, after] = pairs[i];
    auto known = knownDim(x, axis);
    if (known && before + after >= *known)
      return c.fail("'cropping' leaves nothing of dimension " +
                    llvm::Twine(axis) + " of " + graph::shapeString(x.dims()));
    if (before || after)
      x = slice(x, axis, before,
                after ? std::optional<int64_t>(-after) : std::nullopt);
  }
  c.set(x);
}

void callUpSampling1D(Call &c) {
  int64_t size = c.config.size("size");
  c.set(repeat(c.inputOfRank(3), 1, size));
}

void callUpSampling2D(Call &c) {
  SmallVector<int64_t> size = c.config.integers("size", 2);
  std::string mode = c.config.text("interpolation", "nearest");
  Tensor x = c.inputOfRank(4);
  if (!x)
    return;
  if (size[0] < 1 || size[1] < 1)
    return c.fail("'size' must be at least 1");
  bool first = c.channelsFirst();
  if (first)
    x = graph::transpose(x, {0, 2, 3, 1});
  if (mode == "nearest") {
    x = repeat(repeat(x, 1, size[0]), 2, size[1]);
  } else {
    Tensor sizes = stack({c.g.size(x.value(), 1) * c.g.integer(size[0]),
                          c.g.size(x.value(), 2) * c.g.integer(size[1])},
                         0);
    Type type = x.type();
    x = graph::cast(resizeImages(c, x, sizes, mode), type);
  }
  c.set(first ? graph::transpose(x, {0, 3, 1, 2}) : x);
}

void callUpSampling3D(Call &c) {
  SmallVector<int64_t> size = c.config.integers("size", 3);
  Tensor x = c.inputOfRank(5);
  for (unsigned i = 0; i < 3 && x; ++i) {
    if (size[i] < 1)
      return c.fail("'size' must be at least 1");
    x = repeat(x, (c.channelsFirst() ? 2 : 1) + i, size[i]);
  }
  c.set(x);
}

void callFlatten(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  if (c.channelsFirst() && x.rank() > 2)
    x = moveAxis(x, 1, x.rank() - 1);
  SmallVector<int64_t> others = graph::upTo(x.rank());
  others.erase(others.begin());
  c.set(graph::reshape(
      x, stack({c.g.size(x.value(), 0), c.g.size(x.value(), others)}, 0)));
}

void callReshape(Call &c) {
  Tensor x = c.input(1);
  const llvm::json::Value *value = c.config.get("target_shape");
  const llvm::json::Array *list = value ? value->getAsArray() : nullptr;
  if (!list)
    return c.fail("'target_shape' must be a list of sizes");
  if (!x)
    return;
  SmallVector<Size> sizes = {Size(x, 0)};
  SmallVector<int64_t> others;
  int64_t product = 1, unknown = -1;
  for (const llvm::json::Value &one : *list) {
    auto size = one.getAsInteger();
    if (!size || *size < 0) {
      if (unknown >= 0)
        return c.fail("'target_shape' has two unknown sizes");
      unknown = int64_t(sizes.size());
      sizes.emplace_back(-1);
      continue;
    }
    if (llvm::MulOverflow(product, *size, product))
      return c.fail("'target_shape' is impossibly large");
    sizes.emplace_back(*size);
  }
  std::optional<int64_t> given = 1;
  for (int64_t i = 1; i < x.rank(); ++i) {
    auto size = knownDim(x, i);
    given = given && size ? std::optional(*given * *size) : std::nullopt;
  }
  if (given &&
      (unknown < 0 ? *given != product : product == 0 || *given % product))
    return c.fail("an input of " + graph::shapeString(x.dims()) +
                  " does not fit 'target_shape'");
  if (given && unknown >= 0)
    sizes[unknown] = Size(*given / product);
  c.set(reshape(x, sizes));
}

void callPermute(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  SmallVector<int64_t> order = {0};
  llvm::append_range(order, c.config.integers("dims"));
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, graph::upTo(x.rank())))
    return c.fail("'dims' is no permutation of the input's dimensions");
  c.set(graph::transpose(x, order));
}

void callRepeatVector(Call &c) {
  int64_t times = c.config.size("n");
  Tensor x = c.inputOfRank(2);
  if (x)
    c.set(broadcast(graph::expandDims(x, 1),
                    {Size(x, 0), Size(times), Size(x, 1)}));
}
} // namespace

void addReshapingLayers(LayerTable &table) {
  auto add = [&](StringRef name, void (*call)(Call &)) {
    table[name] = {nullptr, call, MaskRule::Destroy};
  };
  add("ZeroPadding1D", callPadding<1>);
  add("ZeroPadding2D", callPadding<2>);
  add("ZeroPadding3D", callPadding<3>);
  add("Cropping1D", callCropping<1>);
  add("Cropping2D", callCropping<2>);
  add("Cropping3D", callCropping<3>);
  add("UpSampling1D", callUpSampling1D);
  add("UpSampling2D", callUpSampling2D);
  add("UpSampling3D", callUpSampling3D);
  add("Flatten", callFlatten);
  add("Reshape", callReshape);
  add("Permute", callPermute);
  add("RepeatVector", callRepeatVector);
}

} // namespace tenon::keras
