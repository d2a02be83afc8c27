//===- Activation.cpp - activation functions, and layers that are one -----===//

#include "frontend/keras/layers/Layers.h"

#include <limits>

using namespace mlir;

namespace tenon::keras {

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Tensor leakyRelu(Tensor x, double slope) {
  if (!x)
    return x;
  GraphBuilder &g = x.builder();
  return g.make("graph.leaky_relu", x.type(), x, g.real("alpha", slope));
}

Tensor relu(Tensor x, double slope, std::optional<double> limit,
            double threshold) {
  if (!x)
    return x;
  if (slope != 0 && !limit && threshold == 0)
    return leakyRelu(x, slope);
  Tensor negative;
  if (slope != 0)
    negative = threshold != 0 ? graph::apply("relu", threshold - x)
                              : graph::apply("relu", -x);
  if (threshold != 0) {
    x = graph::select(x > threshold, x, 0.0);
  } else if (limit == 6) {
    x = graph::apply("relu6", x);
    limit.reset();
  } else {
    x = graph::apply("relu", x);
  }
  if (limit)
    x = minimum(maximum(x, 0.0), *limit);
  return negative ? x - negative * slope : x;
}

Tensor elu(Tensor x, double alpha) {
  Tensor y = graph::apply("elu", x);
  return alpha == 1 ? y : graph::select(x > 0.0, y, y * alpha);
}

namespace {
Tensor silu(Tensor x) { return x * graph::apply("sigmoid", x); }
Tensor relu6(Tensor x) { return graph::apply("relu6", x); }
Tensor hardSigmoid(Tensor x) { return relu6(x + 3.0) / 6.0; }
Tensor logSigmoid(Tensor x) { return -graph::apply("softplus", -x); }

Tensor gelu(Tensor x, bool approximate) {
  if (!approximate)
    return x * 0.5 * (graph::apply("erf", x * 0.70710678118654752) + 1.0);
  Tensor inner = (x + x * x * x * 0.044715) * 0.79788456080286536;
  return x * 0.5 * (graph::apply("tanh", inner) + 1.0);
}

Tensor celu(Tensor x, double alpha) {
  return maximum(x, 0.0) +
         graph::apply("expm1", minimum(x, 0.0) / alpha) * alpha;
}

Tensor glu(Tensor x, int64_t axis) {
  SmallVector<Tensor> halves = split(x, axis, 2u);
  return halves[0] * graph::apply("sigmoid", halves[1]);
}

Tensor logSoftmax(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &g = x.builder();
  return g.make("graph.log_softmax", x.type(), x, g.attr("axis", int64_t(-1)));
}

/// The point of the simplex next to x.
Tensor sparsemax(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &g = x.builder();
  int64_t last = x.rank() - 1;
  Tensor count = g.size(x.value(), last);
  SmallVector<Tensor> sorted =
      g.makeAll("graph.top_k", {x.type(), g.builder.getI32Type()}, {x, count});
  Tensor sums =
      g.make("graph.cumsum", x.type(), sorted[0], g.attr("axis", last));
  Tensor ranks = graph::cast(g.iota(count) + g.integer(1), x.type());
  Tensor support = sorted[0] - (sums - 1.0) / ranks > 0.0;
  Tensor number = reduce("sum", graph::cast(support, x.type()), -1, true);
  Tensor total = reduce("sum", graph::select(support, sums, 0.0), -1, true);
  return maximum(x - (total - 1.0) / number, 0.0);
}

Tensor constantOne(Tensor x) { return graph::number(x, 1); }

struct NamedActivation {
  StringRef name;
  Activation function;
};
const NamedActivation kActivations[] = {
    {"linear", [](Tensor x) { return x; }},
    {"relu", [](Tensor x) { return graph::apply("relu", x); }},
    {"relu6", relu6},
    {"leaky_relu", [](Tensor x) { return leakyRelu(x, 0.2); }},
    {"softmax", [](Tensor x) { return softmax(x); }},
    {"log_softmax", logSoftmax},
    {"elu", [](Tensor x) { return elu(x, 1); }},
    {"celu", [](Tensor x) { return celu(x, 1); }},
    {"selu", [](Tensor x) { return graph::apply("selu", x); }},
    {"softplus", [](Tensor x) { return graph::apply("softplus", x); }},
    {"softsign", [](Tensor x) { return graph::apply("softsign", x); }},
    {"squareplus",
     [](Tensor x) { return (x + graph::sqrt(graph::square(x) + 4.0)) / 2.0; }},
    {"soft_shrink",
     [](Tensor x) {
       return graph::select(x > 0.5, x - 0.5,
                            graph::select(x < -0.5, x + 0.5, x * 0.0));
     }},
    {"sparse_plus",
     [](Tensor x) {
       return graph::select(
           x <= graph::number(x, -1), graph::number(x, 0),
           graph::select(x < 1.0, graph::square(x + 1.0) * 0.25, x));
     }},
    {"silu", silu},
    {"swish", silu},
    {"gelu", [](Tensor x) { return gelu(x, false); }},
    {"glu", [](Tensor x) { return glu(x, -1); }},
    {"tanh", [](Tensor x) { return graph::apply("tanh", x); }},
    {"tanh_shrink", [](Tensor x) { return x - graph::apply("tanh", x); }},
    {"sigmoid", [](Tensor x) { return graph::apply("sigmoid", x); }},
    {"sparse_sigmoid",
     [](Tensor x) {
       return graph::select(
           x <= graph::number(x, -1), graph::number(x, 0),
           graph::select(x >= constantOne(x), constantOne(x), (x + 1.0) * 0.5));
     }},
    {"exponential", [](Tensor x) { return graph::exp(x); }},
    {"hard_sigmoid", hardSigmoid},
    {"hard_silu", [](Tensor x) { return x * hardSigmoid(x); }},
    {"hard_swish", [](Tensor x) { return x * hardSigmoid(x); }},
    {"hard_tanh", [](Tensor x) { return minimum(maximum(x, -1.0), 1.0); }},
    {"hard_shrink",
     [](Tensor x) {
       return graph::select(graph::apply("abs", x) > 0.5, x, 0.0);
     }},
    {"threshold", [](Tensor x) { return graph::select(x > 0.0, x, 0.0); }},
    {"mish",
     [](Tensor x) {
       return x * graph::apply("tanh", graph::apply("softplus", x));
     }},
    {"log_sigmoid", logSigmoid},
    {"sparsemax", sparsemax},
};
} // namespace

Activation activationNamed(StringRef name) {
  for (const NamedActivation &known : kActivations)
    if (known.name == name)
      return known.function;
  return nullptr;
}

Tensor Call::activation(Tensor x, StringRef key) {
  return activationOf(x, config.get(key));
}

/// A name, or a layer or function with arguments.
Tensor Call::activationOf(Tensor x, const llvm::json::Value *spec) {
  if (!spec || !x || failed())
    return x;
  StringRef name;
  static const llvm::json::Object empty;
  const llvm::json::Object *settings = &empty;
  if (auto text = spec->getAsString()) {
    name = *text;
  } else if (const llvm::json::Object *object = spec->getAsObject()) {
    name = object->getString("class_name").value_or("");
    if (const llvm::json::Object *fields = object->getObject("config"))
      settings = fields;
    if (name == "function" || name == "Activation")
      name = object->getString("config").value_or(
          settings->getString("activation").value_or(name));
  }
  Config inner(*settings, problem);
  if (name == "ReLU")
    return relu(x, inner.real("negative_slope", 0.0),
                inner.has("max_value")
                    ? std::optional<double>(inner.real("max_value"))
                    : std::nullopt,
                inner.real("threshold", 0.0));
  if (name == "LeakyReLU")
    return leakyRelu(x, inner.real("negative_slope", inner.real("alpha", 0.3)));
  if (name == "ELU")
    return elu(x, inner.real("alpha", 1.0));
  if (name == "Softmax" && inner.integer("axis", -1) == -1)
    return softmax(x);
  if (Activation known = activationNamed(name))
    return known(x);
  fail("the activation function '" + name +
       "' is not one of Keras's own; save the model with model.export() and "
       "compile the SavedModel");
  return wrap({});
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

namespace {
void callActivation(Call &c) { c.set(c.activation(c.input())); }

void callRelu(Call &c) {
  std::optional<double> limit;
  if (c.config.has("max_value"))
    limit = c.config.real("max_value");
  // Old files have lists of one number.
  c.set(relu(c.input(), c.config.real("negative_slope", 0.0), limit,
             c.config.real("threshold", 0.0)));
}

void callLeakyRelu(Call &c) {
  c.set(leakyRelu(
      c.input(), c.config.real("negative_slope", c.config.real("alpha", 0.3))));
}

void callElu(Call &c) { c.set(elu(c.input(), c.config.real("alpha", 1.0))); }

void callPrelu(Call &c) {
  Tensor x = c.input(1);
  if (!x)
    return;
  SmallVector<int64_t> shape;
  for (int64_t i = 1; i < x.rank(); ++i)
    shape.push_back(knownDim(x, i).value_or(-1));
  if (c.config.has("shared_axes"))
    for (int64_t axis : c.axes("shared_axes", x.rank()))
      if (axis > 0)
        shape[axis - 1] = 1;
  Tensor alpha = c.weight("alpha", shape);
  c.set(graph::apply("relu", x) - alpha * graph::apply("relu", -x));
}

void callSoftmax(Call &c) {
  Tensor x = c.input(1), mask = c.mask();
  if (!x)
    return;
  SmallVector<int64_t> axes = c.axes("axis", x.rank());
  if (c.failed())
    return;
  double low = x.type().isF16() ? -3e4 : -1e9;
  if (mask && !mask.type().isInteger(1))
    mask = mask > 0.5;
  if (mask)
    x = graph::select(mask, x, low);
  Tensor y;
  if (axes.size() == 1) {
    y = softmax(x, axes[0]);
  } else {
    Tensor powers = graph::exp(x - reduce("max", x, axes, true));
    y = powers / reduce("sum", powers, axes, true);
  }
  c.set(mask ? graph::select(mask, y, 0.0) : y);
}
} // namespace

void addActivationLayers(LayerTable &table) {
  table["Activation"] = {nullptr, callActivation, MaskRule::Keep};
  table["ReLU"] = {nullptr, callRelu, MaskRule::Keep};
  table["LeakyReLU"] = {nullptr, callLeakyRelu, MaskRule::Keep};
  table["ELU"] = {nullptr, callElu, MaskRule::Keep};
  table["PReLU"] = {[](Declaration &d) { d.weight("alpha"); }, callPrelu,
                    MaskRule::Keep};
  table["Softmax"] = {nullptr, callSoftmax, MaskRule::Keep};
}

} // namespace tenon::keras
