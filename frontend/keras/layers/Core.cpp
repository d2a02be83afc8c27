//===- Core.cpp - inputs, dense layers, embeddings, masking ---------------===//

#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

Tensor dense(Tensor x, Tensor kernel, Tensor bias) {
  if (!x || !kernel)
    return {};
  // One product of matrices, whatever the number of leading dimensions.
  Tensor rows = x;
  int64_t rank = x.rank();
  SmallVector<Size> sizes = sizesOf(x);
  if (rank > 2)
    rows = reshape(x, {Size(-1), sizes.back()});
  Tensor y = graph::matmul(rows, kernel, false, false);
  if (rank > 2) {
    sizes.back() = Size(kernel, 1);
    y = reshape(y, sizes);
  }
  return bias ? y + bias : y;
}

namespace {
void passOn(Call &c) {
  std::vector<const Argument *> all;
  if (!c.arguments.empty())
    c.result = c.arguments[0];
}

//===----------------------------------------------------------------------===//
// Dense
//===----------------------------------------------------------------------===//

/// Files hold the kernel with low-rank weights (`lora_rank`) added to it.
void declareDense(Declaration &d) {
  d.weight("kernel");
  if (d.config.flag("use_bias", true))
    d.weight("bias");
}

void callDense(Call &c) {
  int64_t units = c.config.size("units");
  Tensor x = c.input(2);
  Tensor kernel = c.weight("kernel", {c.staticDim(x, -1), units});
  Tensor bias = c.hasWeight("bias") ? c.weight("bias", units) : Tensor();
  c.set(c.activation(dense(x, kernel, bias)));
}

void declareEinsumDense(Declaration &d) {
  d.weight("kernel");
  if (d.config.has("bias_axes"))
    d.weight("bias");
}

/// `equation` with labels in place of "...", which stands for `count`
/// dimensions. Empty when there are too many.
std::string withoutEllipsis(StringRef equation, int64_t count) {
  std::string labels;
  for (char c = 'A'; c <= 'z' && int64_t(labels.size()) < count; ++c)
    if (llvm::isAlpha(c) && !equation.contains(c))
      labels += c;
  if (int64_t(labels.size()) < count)
    return "";
  std::string result;
  while (!equation.empty()) {
    if (equation.consume_front("..."))
      result += labels;
    else {
      if (equation.front() != ' ')
        result += equation.front();
      equation = equation.drop_front();
    }
  }
  return result;
}

void callEinsumDense(Call &c) {
  std::string equation = c.config.text("equation");
  Tensor x = c.input(1), kernel = c.weight("kernel");
  if (c.failed())
    return;
  StringRef text = equation;
  auto [inputs, output] = text.split("->");
  auto [first, second] = inputs.split(",");
  int64_t labels = 0;
  bool elided = first.contains("...");
  for (char letter : first)
    labels += llvm::isAlpha(letter);
  int64_t rest = x.rank() - labels;
  if (second.contains("...") || output.empty() || second.empty() ||
      (elided ? rest < 0 : rest != 0))
    return c.fail("'equation' " + equation + " does not fit an input of " +
                  llvm::Twine(x.rank()) + " dimensions");
  std::string full = withoutEllipsis(equation, elided ? rest : 0);
  if (full.empty())
    return c.fail("the input has too many dimensions");
  Tensor y = einsum(full, x, kernel);
  if (c.hasWeight("bias"))
    y = y + c.weight("bias");
  c.set(c.activation(y));
}

//===----------------------------------------------------------------------===//
// Embedding
//===----------------------------------------------------------------------===//

void declareEmbedding(Declaration &d) { d.weight("embeddings"); }

Tensor embed(Call &c) {
  int64_t rows = c.config.size("input_dim"),
          columns = c.config.size("output_dim");
  Tensor x = c.input();
  if (!x)
    return x;
  Tensor table = c.weight("embeddings", {rows, columns}, /*cast=*/false);
  Type i32 = c.g.builder.getI32Type();
  if (!x.type().isInteger(32) && !x.type().isInteger(64))
    x = graph::cast(x, i32);
  return graph::cast(graph::gather(table, x), c.computeType());
}

/// Which elements of the input are not zero, when the layer masks these.
Tensor embeddingMask(Call &c) {
  if (!c.config.flag("mask_zero", false))
    return {};
  return graph::notEqual(c.input(), 0);
}

void callEmbedding(Call &c) {
  c.set(embed(c));
  c.setMask(embeddingMask(c));
}

void declareReversibleEmbedding(Declaration &d) {
  declareEmbedding(d);
  if (!d.config.flag("tie_weights", true))
    d.weight("reverse_embeddings");
}

void callReversibleEmbedding(Call &c) {
  const Argument &reverse = c.argument(1, "reverse");
  bool reversed =
      reverse.constant && reverse.constant->getAsBoolean().value_or(false);
  if (!reversed)
    return callEmbedding(c);
  int64_t rows = c.config.size("input_dim"),
          columns = c.config.size("output_dim");
  bool tied = c.config.flag("tie_weights", true);
  Tensor x = c.input(2);
  Tensor kernel =
      tied ? graph::transpose(c.weight("embeddings", {rows, columns}), {1, 0})
           : c.weight("reverse_embeddings", {columns, rows});
  if (c.config.has("reverse_dtype")) {
    Type type = c.typeNamed(c.config.text("reverse_dtype"));
    x = graph::cast(x, type);
    kernel = graph::cast(kernel, type);
  }
  Tensor y = dense(x, kernel, {});
  if (c.config.has("logit_soft_cap")) {
    double cap = c.config.real("logit_soft_cap");
    y = graph::apply("tanh", y / cap) * cap;
  }
  c.set(y);
}

//===----------------------------------------------------------------------===//
// Masking
//===----------------------------------------------------------------------===//

void callMasking(Call &c) {
  Tensor x = c.input(2);
  if (!x)
    return;
  double masked = c.config.real("mask_value", 0.0);
  Tensor kept = reduce("any", graph::notEqual(x, masked), -1, true);
  c.set(graph::select(kept, x, 0.0));
  c.setMask(squeeze(kept, -1));
}
} // namespace

void addCoreLayers(LayerTable &table) {
  table["InputLayer"] = {nullptr, passOn, MaskRule::Own};
  table["Identity"] = {nullptr, passOn, MaskRule::Keep};
  table["Dense"] = {declareDense, callDense, MaskRule::Keep};
  table["EinsumDense"] = {declareEinsumDense, callEinsumDense,
                          MaskRule::Destroy};
  table["Embedding"] = {declareEmbedding, callEmbedding, MaskRule::Own};
  table["ReversibleEmbedding"] = {declareReversibleEmbedding,
                                  callReversibleEmbedding, MaskRule::Own};
  table["Masking"] = {nullptr, callMasking, MaskRule::Own};
}

} // namespace tenon::keras
