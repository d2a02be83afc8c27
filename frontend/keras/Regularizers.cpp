#include "frontend/keras/Regularizers.h"

#include "frontend/keras/Config.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace tenon::keras {

static Tensor total(Tensor x) {
  return graph::sum(x, graph::upTo(x ? x.rank() : 0));
}

/// Rows (or columns) that are not orthogonal cost the cosine of their angle:
/// keras/src/regularizers/regularizers.py.
static Tensor orthogonality(Tensor x, bool rows) {
  if (!x || x.rank() != 2)
    return {};
  if (!rows)
    x = graph::transpose(x, {1, 0});
  Tensor inverse = graph::apply("rsqrt", reduce("sum", graph::square(x), 1,
                                                /*keepDims=*/true));
  x = x * minimum(inverse, 1e7);
  Tensor products = graph::matmul(x, x, false, true);
  std::optional<int64_t> size = knownDim(x, 0);
  if (!size || *size < 2)
    return {};
  GraphBuilder &g = x.builder();
  Tensor index = g.iota(g.integer(*size));
  Tensor isOther = graph::cast(
      graph::notEqual(graph::expandDims(index, 1) - index, 0), x.type());
  return total(graph::apply("abs", products * isOther)) *
         (0.5 / (double(*size) * double(*size - 1) / 2));
}

Tensor penalty(Tensor x, const llvm::json::Value &regularizer,
               std::string &problem) {
  static const llvm::json::Object none;
  const llvm::json::Object *object = regularizer.getAsObject(), *fields = &none;
  StringRef name = regularizer.getAsString().value_or("");
  if (object) {
    name = object->getString("class_name").value_or("");
    if (const llvm::json::Object *config = object->getObject("config"))
      fields = config;
  }
  Config config(*fields, problem);
  std::string key = name.lower();
  llvm::erase(key, '_');
  Tensor sum;
  auto add = [&](StringRef which, double otherwise, Tensor part) {
    double factor = config.real(which, otherwise);
    if (factor != 0)
      sum = sum ? sum + part * factor : part * factor;
  };
  bool known = true;
  if (key == "l1" || key == "l1l2")
    add("l1", key == "l1" || !object ? 0.01 : 0, total(graph::apply("abs", x)));
  if (key == "l2" || key == "l1l2")
    add("l2", key == "l2" || !object ? 0.01 : 0, total(graph::square(x)));
  if (key == "orthogonal" || key == "orthogonalregularizer")
    sum = orthogonality(x, config.text("mode", "rows") == "rows") *
          config.real("factor", 0.01);
  else
    known = key == "l1" || key == "l2" || key == "l1l2";
  if (!known && problem.empty())
    problem = "regularizer '" + name.str() + "' is not supported";
  return sum;
}

const llvm::json::Value *settingOf(const Layer &layer, const Weight &weight,
                                   StringRef suffix) {
  std::string problem;
  StringRef name = StringRef(weight.name).rsplit('/').second;
  if (name.empty())
    name = weight.name;
  return Config(layer.config, problem).get((name + "_" + suffix).str());
}

std::string asCall(const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto name = value.getAsString()) {
    os << *name;
  } else if (const llvm::json::Object *object = value.getAsObject()) {
    os << object->getString("class_name").value_or("") << '(';
    if (const llvm::json::Object *config = object->getObject("config")) {
      std::vector<StringRef> keys;
      for (const auto &entry : *config)
        keys.push_back(entry.first);
      llvm::sort(keys);
      llvm::interleave(
          keys, os,
          [&](StringRef key) { os << key << '=' << asCall(*config->get(key)); },
          ",");
    }
    os << ')';
  } else {
    os << value;
  }
  return text;
}

} // namespace tenon::keras
