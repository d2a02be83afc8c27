//===- Attention.cpp - attention ------------------------------------------===//

#include "frontend/keras/layers/Images.h"
#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

namespace {
Tensor asMask(Tensor mask) {
  return mask && !mask.type().isInteger(1) ? graph::notEqual(mask, 0) : mask;
}

/// Both, where either may be missing.
Tensor both(Tensor a, Tensor b) {
  if (!a || !b)
    return a ? a : b;
  return a & b;
}

bool isSet(Call &c, StringRef name) {
  auto found = c.keywords.find(name.str());
  return found != c.keywords.end() && found->second.constant &&
         found->second.constant->getAsBoolean().value_or(false);
}

/// [1, rows, columns]: row r sees the columns up to r, or those nearer than
/// `window`.
Tensor pattern(Call &c, Tensor query, Tensor value,
               std::optional<int64_t> window) {
  Tensor rows = graph::expandDims(c.g.iota(c.g.size(query.value(), 1)), {0, 2});
  Tensor columns =
      graph::expandDims(c.g.iota(c.g.size(value.value(), 1)), {0, 1});
  if (!window)
    return rows >= columns;
  return graph::apply("abs", rows - columns) < double(*window);
}

/// Zeros with the layer's rate while it is trained.
Tensor drop(Call &c, Tensor weights) {
  double rate = c.config.real("dropout", 0.0);
  if (!c.training || rate <= 0 || !weights)
    return weights;
  Tensor drawn = c.randomUniform(sizesOf(weights), c.g.builder.getF32Type());
  Tensor kept =
      graph::cast(drawn >= c.g.scalar(drawn.type(), rate), weights.type());
  return weights * kept * (1 / (1 - rate));
}

//===----------------------------------------------------------------------===//
// Attention over given scores
//===----------------------------------------------------------------------===//

/// Inputs are [query, value] or [query, value, key].
void attend(Call &c, llvm::function_ref<Tensor(Tensor, Tensor)> score) {
  SmallVector<Tensor> all = c.inputs(), masks = c.masks();
  if (all.size() < 2 || all.size() > 3)
    return c.fail("expected [query, value] or [query, value, key]");
  if (auto given = c.keywords.find("mask");
      given != c.keywords.end() && given->second.kind == Argument::List)
    for (auto [mask, item] : llvm::zip(masks, given->second.items))
      mask = item.kind == Argument::Tensor ? c.wrap(item.tensor) : c.wrap({});
  Tensor query = all[0], value = all[1], key = all.back();
  if (all.size() == 2)
    key = value;
  if (c.failed() || query.rank() != 3 || value.rank() != 3 || key.rank() != 3)
    return c.fail("expected tensors of batch, time and features");
  Tensor scores = score(query, key);
  Tensor mask = asMask(masks[1]);
  if (mask)
    mask = graph::expandDims(mask, 1);
  if (isSet(c, "use_causal_mask"))
    mask = both(mask, pattern(c, query, value, std::nullopt));
  if (mask) {
    double low = query.type().isF16() ? 65504.0 : 1e9;
    scores = graph::select(mask, scores, scores - low);
  }
  Tensor weights = softmax(scores);
  Tensor y = graph::matmul(drop(c, weights), value, false, false);
  if (Tensor queryMask = asMask(masks[0]))
    y = graph::select(graph::expandDims(queryMask, 2), y, 0.0);
  if (isSet(c, "return_attention_scores"))
    c.setList({y, weights});
  else
    c.set(y);
  c.setMask(masks[0]);
}

void callAttention(Call &c) {
  bool concat = c.config.text("score_mode", "dot") == "concat";
  attend(c, [&](Tensor query, Tensor key) {
    Tensor scale = c.hasWeight("scale") ? c.weight("scale", {}) : Tensor();
    if (!concat) {
      Tensor scores = graph::matmul(query, key, false, true);
      return scale ? scores * scale : scores;
    }
    Tensor sums = graph::expandDims(query, 2) + graph::expandDims(key, 1);
    if (scale)
      sums = sums * scale;
    return reduce("sum", graph::apply("tanh", sums), -1) *
           c.weight("concat_score_weight", {});
  });
}

void callAdditiveAttention(Call &c) {
  attend(c, [&](Tensor query, Tensor key) {
    Tensor sums = graph::apply("tanh", graph::expandDims(query, 2) +
                                           graph::expandDims(key, 1));
    if (c.hasWeight("scale"))
      sums = sums * c.weight("scale", c.staticDim(query, -1));
    return reduce("sum", sums, -1);
  });
}

//===----------------------------------------------------------------------===//
// Projected attention
//===----------------------------------------------------------------------===//

void declareProjections(Declaration &d) {
  bool bias = d.config.flag("use_bias", true);
  auto add = [&](StringRef name, StringRef part) {
    d.weight((name + "/kernel").str(), true, part);
    if (bias)
      d.weight((name + "/bias").str(), true, part);
  };
  add("query", "query_dense");
  add("key", "key_dense");
  if (d.config.flag("use_gate", false))
    add("gate", "gate_dense");
  add("value", "value_dense");
  add("attention_output", "output_dense");
}

/// [..., features] to [..., heads, size].
Tensor toHeads(Call &c, StringRef name, Tensor x, int64_t heads, int64_t size) {
  int64_t features = c.staticDim(x, -1);
  Tensor kernel = c.weight((name + "/kernel").str(), {features, heads, size});
  if (c.failed())
    return {};
  Tensor y = dense(x, reshape(kernel, {features, heads * size}), {});
  SmallVector<Size> sizes = sizesOf(x);
  sizes.back() = Size(heads);
  sizes.emplace_back(size);
  y = reshape(y, sizes);
  if (c.hasWeight((name + "/bias").str()))
    y = y + c.weight((name + "/bias").str(), {heads, size});
  return y;
}

/// [..., heads, size] to the layer's result.
Tensor fromHeads(Call &c, Tensor x) {
  Tensor kernel = c.weight("attention_output/kernel");
  if (c.failed() || !x || kernel.rank() < 3) {
    c.fail("weight 'attention_output/kernel' must have 3 dimensions");
    return {};
  }
  int64_t heads = c.staticDim(x, -2), size = c.staticDim(x, -1),
          results = kernel.rank() - 2, width = 1;
  SmallVector<int64_t> shape = {heads, size};
  SmallVector<Size> sizes = sizesOf(x), flat;
  sizes.pop_back_n(2);
  flat = sizes;
  flat.emplace_back(heads * size);
  for (int64_t i = 0; i < results; ++i) {
    shape.push_back(c.staticDim(kernel, 2 + i));
    sizes.emplace_back(shape.back());
    width *= shape.back();
  }
  kernel = c.weight("attention_output/kernel", shape);
  Tensor y =
      dense(reshape(x, flat), reshape(kernel, {heads * size, width}), {});
  y = reshape(y, sizes);
  if (c.hasWeight("attention_output/bias"))
    y = y + c.weight("attention_output/bias",
                     ArrayRef<int64_t>(shape).drop_front(2));
  return y;
}

/// What a call of attention with projections is about.
struct Heads {
  Tensor query, value, key, mask;
  bool returnScores = false;
  /// Scores are computed as the fused function of keras.ops does it: rows
  /// without anything to attend to get the mean of all values.
  bool fused = false;
};

std::optional<Heads> readHeads(Call &c) {
  Heads heads;
  heads.query = c.tensor(0, "query");
  heads.value = c.tensor(1, "value");
  heads.key = c.tensor(2, "key", /*required=*/false);
  if (c.failed())
    return std::nullopt;
  auto maskOf = [&](unsigned position, StringRef name) -> Tensor {
    const Argument &given = c.argument(99, (name + "_mask").str());
    if (given.kind == Argument::Tensor)
      return asMask(c.wrap(given.tensor));
    const Argument &from = c.argument(position, name);
    return from.kind == Argument::Tensor && from.mask
               ? asMask(c.wrap(from.mask))
               : Tensor();
  };
  Tensor queryMask = maskOf(0, "query"), valueMask = maskOf(1, "value"),
         keyMask = heads.key ? maskOf(2, "key") : Tensor();
  Tensor mask;
  if (queryMask)
    mask = graph::expandDims(queryMask, queryMask.rank());
  for (Tensor other : {valueMask, keyMask})
    if (other)
      mask = both(mask, graph::expandDims(other, other.rank() - 1));
  if (isSet(c, "use_causal_mask"))
    mask = both(mask, pattern(c, heads.query, heads.value, std::nullopt));
  if (c.config.has("sliding_window"))
    mask = both(mask, pattern(c, heads.query, heads.value,
                              c.config.integer("sliding_window")));
  Tensor given = c.tensor(99, "attention_mask", /*required=*/false);
  heads.mask = both(given ? asMask(given) : Tensor(), mask);
  heads.returnScores = isSet(c, "return_attention_scores");
  if (!heads.key)
    heads.key = heads.value;
  heads.fused = c.config.real("dropout", 0.0) == 0 && !heads.returnScores &&
                heads.query.rank() == 3;
  return heads;
}

/// exp(scores) divided by its sum over the last dimension, where the mask
/// holds.
Tensor normalize(Call &c, const Heads &heads, Tensor scores, Tensor mask) {
  Type type = scores.type();
  Type f32 = c.g.builder.getF32Type();
  if (heads.fused && !type.isF64())
    scores = graph::cast(scores, f32);
  double low = heads.fused             ? (type.isF64() ? -1.2e308 : -2.38e38)
               : scores.type().isF16() ? -3e4
                                       : -1e9;
  if (!mask)
    return graph::cast(softmax(scores), type);
  Tensor weights = softmax(graph::select(mask, scores, low));
  if (!heads.fused)
    weights = graph::select(mask, weights, 0.0);
  return graph::cast(weights, type);
}

/// Attention over `axes` of [batch, ..., heads, size]; sets the scores.
Tensor attendOver(Call &c, const Heads &heads, Tensor query, Tensor key,
                  Tensor value, ArrayRef<int64_t> axes, Tensor &scores) {
  if (!query || !key || !value)
    return {};
  int64_t rank = query.rank();
  // To [batch..., heads, steps, size], all attended dimensions in one.
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < rank - 1; ++i)
    if (!llvm::is_contained(axes, i))
      order.push_back(i);
  int64_t batches = int64_t(order.size());
  llvm::append_range(order, axes);
  order.push_back(rank - 1);
  auto arranged = [&](Tensor x, Tensor &wide) {
    wide = graph::transpose(x, order);
    SmallVector<Size> sizes = sizesOf(wide);
    if (axes.size() == 1)
      return wide;
    SmallVector<Size> flat(sizes.begin(), sizes.begin() + batches);
    flat.emplace_back(-1);
    flat.push_back(sizes.back());
    return reshape(wide, flat);
  };
  Tensor wideQuery, wideKey, wideValue;
  double scale = 1 / std::sqrt(double(c.staticDim(query, -1)));
  Tensor q = arranged(query * scale, wideQuery), k = arranged(key, wideKey),
         v = arranged(value, wideValue);
  scores = graph::matmul(q, k, false, true);
  if (!scores)
    return {};
  // Masks are written over the dimensions one by one.
  SmallVector<Size> wide;
  for (int64_t i = 0; i < batches + int64_t(axes.size()); ++i)
    wide.emplace_back(wideQuery, i);
  for (size_t i = 0; i < axes.size(); ++i)
    wide.emplace_back(wideKey, batches + i);
  Tensor mask = heads.mask;
  if (mask) {
    SmallVector<int64_t> added;
    int64_t missing = int64_t(wide.size()) - mask.rank(),
            place = mask.rank() - 2 * int64_t(axes.size());
    for (int64_t i = 0; i < missing; ++i)
      added.push_back(std::max<int64_t>(place, 0) + i);
    mask = graph::expandDims(mask, added);
    if (axes.size() > 1)
      mask = reshape(broadcast(mask, wide), sizesOf(scores));
  }
  scores = normalize(c, heads, scores, mask);
  Tensor y = graph::matmul(drop(c, scores), v, false, false);
  if (axes.size() > 1) {
    scores = reshape(scores, wide);
    SmallVector<Size> sizes = sizesOf(wideQuery);
    sizes.back() = Size(wideValue, wideValue.rank() - 1);
    y = reshape(y, sizes);
  }
  return graph::transpose(y, graph::inverse(order));
}

void finish(Call &c, const Heads &heads, Tensor y, Tensor scores, int64_t count,
            int64_t size) {
  if (c.config.flag("use_gate", false))
    y = y *
        graph::apply("sigmoid", toHeads(c, "gate", heads.query, count, size));
  y = fromHeads(c, y);
  if (heads.returnScores)
    c.setList({y, scores});
  else
    c.set(y);
}

void callMultiHead(Call &c) {
  int64_t count = c.config.size("num_heads"), size = c.config.size("key_dim"),
          valueSize = c.config.size("value_dim", size);
  std::optional<Heads> heads = readHeads(c);
  if (!heads)
    return;
  int64_t rank = heads->query.rank();
  SmallVector<int64_t> axes;
  if (c.config.has("attention_axes"))
    axes = c.axes("attention_axes", rank);
  else
    for (int64_t i = 1; i < rank - 1; ++i)
      axes.push_back(i);
  if (c.failed() || axes.empty() || axes.front() < 1 ||
      axes.back() >= rank - 1 || heads->value.rank() != rank ||
      heads->key.rank() != rank)
    return c.fail("'attention_axes' or the inputs' dimensions do not fit");
  Tensor query = toHeads(c, "query", heads->query, count, size),
         key = toHeads(c, "key", heads->key, count, size),
         value = toHeads(c, "value", heads->value, count, valueSize), scores;
  Tensor y = attendOver(c, *heads, query, key, value, axes, scores);
  finish(c, *heads, y, scores, count, valueSize);
}

void callGroupedQuery(Call &c) {
  int64_t size = c.config.size("head_dim"),
          count = c.config.size("num_query_heads"),
          shared = c.config.size("num_key_value_heads");
  std::optional<Heads> heads = readHeads(c);
  if (!heads)
    return;
  if (count % shared || heads->query.rank() != 3 || heads->value.rank() != 3 ||
      heads->key.rank() != 3)
    return c.fail("expected batch, time and features, and heads in groups");
  Tensor query = toHeads(c, "query", heads->query, count, size);
  Tensor key =
      repeat(toHeads(c, "key", heads->key, shared, size), 2, count / shared);
  Tensor value = repeat(toHeads(c, "value", heads->value, shared, size), 2,
                        count / shared);
  Tensor scores;
  Tensor y = attendOver(c, *heads, query, key, value, {1}, scores);
  finish(c, *heads, y, scores, count, size);
}

void declareScale(Declaration &d) {
  if (d.config.flag("use_scale", d.layerClass() == "AdditiveAttention"))
    d.weight("scale");
  if (d.config.text("score_mode", "dot") == "concat")
    d.weight("concat_score_weight");
}
} // namespace

void addAttentionLayers(LayerTable &table) {
  table["Attention"] = {declareScale, callAttention, MaskRule::Own};
  table["AdditiveAttention"] = {declareScale, callAdditiveAttention,
                                MaskRule::Own};
  table["MultiHeadAttention"] = {declareProjections, callMultiHead,
                                 MaskRule::Keep};
  table["GroupedQueryAttention"] = {declareProjections, callGroupedQuery,
                                    MaskRule::Keep};
  // Keras's registered name.
  table["GroupQueryAttention"] = table["GroupedQueryAttention"];
}

} // namespace tenon::keras
