//===- Optimizers.cpp - updates of variables ------------------------------===//

#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Rows.h"
#include "frontend/tensorflow/ops/Variables.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// var -= alpha * delta, of complex numbers too.
void importGradientDescent(Binder &b) {
  ImportedValue variable = b.variable(0);
  Formula value(b, readVariable(b, variable)), rate(b, b.input(1)),
      delta(b, b.input(2));
  assignVariable(b, variable, value - rate * delta);
  setReference(b, variable);
}

/// An operation's name without Resource and Sparse, its rule, and its inputs:
/// v for the variable and its slots, h for a parameter, g for the gradient, i
/// for the indices. The flag that makes the rule's variant; with a leading `!`
/// it is the flag's absence.
struct Optimizer {
  const char *name, *rule, *dense, *sparse, *flag;
};
constexpr Optimizer kOptimizers[] = {
    {"ApplyProximalGradientDescent", "proximal_gradient_descent", "vhhhg",
     "vhhhgi", nullptr},
    {"ApplyMomentum", "momentum", "vvhgh", "vvhgih", "use_nesterov"},
    {"ApplyKerasMomentum", "keras_momentum", "vvhgh", "vvhgih", "use_nesterov"},
    {"ApplyAdagrad", "adagrad", "vvhg", "vvhgi", "!update_slots"},
    {"ApplyAdagradV2", "adagrad_v2", "vvhhg", "vvhhgi", "!update_slots"},
    {"ApplyProximalAdagrad", "proximal_adagrad", "vvhhhg", "vvhhhgi", nullptr},
    {"ApplyAdagradDA", "adagrad_da", "vvvghhhh", "vvvgihhhh", nullptr},
    {"ApplyAdadelta", "adadelta", "vvvhhhg", "vvvhhhgi", nullptr},
    {"ApplyAdam", "adam", "vvvhhhhhhg", nullptr, "use_nesterov"},
    {"ApplyAdamWithAmsgrad", "amsgrad", "vvvvhhhhhhg", nullptr, nullptr},
    {"ApplyAdaMax", "adamax", "vvvhhhhhg", nullptr, nullptr},
    {"ApplyFtrl", "ftrl", "vvvghhhh", "vvvgihhhh", "multiply_linear_by_lr"},
    {"ApplyFtrlV2", "ftrl_v2", "vvvghhhhh", "vvvgihhhhh",
     "multiply_linear_by_lr"},
    {"ApplyRMSProp", "rmsprop", "vvvhhhhg", "vvvhhhhgi", nullptr},
    {"ApplyCenteredRMSProp", "centered_rmsprop", "vvvvhhhhg", "vvvvhhhhgi",
     nullptr},
    {"ApplyAddSign", "add_sign", "vvhhhhg", nullptr, nullptr},
    {"ApplyPowerSign", "power_sign", "vvhhhhg", nullptr, nullptr},
};

Row optimizer(const Optimizer &kind, StringRef inputs) {
  return [&kind, inputs](Binder &b) {
    SmallVector<ImportedValue> variables;
    SmallVector<Value> states, parameters, gradient, indices;
    for (auto [i, role] : llvm::enumerate(inputs)) {
      if (role == 'v') {
        variables.push_back(b.variable(i));
        states.push_back(readVariable(b, variables.back()));
      } else if (role == 'h') {
        parameters.push_back(b.input(i));
      } else {
        (role == 'g' ? gradient : indices).push_back(b.input(i));
      }
    }
    if (b.failed())
      return;
    Type type = variables.front().elementType;
    if (!isa<FloatType>(type))
      return b.fail("only variables of real numbers are supported");
    for (Value &parameter : parameters)
      parameter = b.cast(parameter, type); // a step is counted in i64
    SmallVector<NamedAttribute> attributes = {
        b.textAttribute("rule", kind.rule),
        b.attribute("operandSegmentSizes",
                    b.builder().getDenseI32ArrayAttr(
                        {int32_t(states.size()), 1, int32_t(indices.size()),
                         int32_t(parameters.size())}))};
    StringRef flag = kind.flag ? kind.flag : "";
    bool inverted = flag.consume_front("!");
    if (!flag.empty() && b.flag(flag, inverted) != inverted)
      attributes.push_back(b.unit("variant"));
    SmallVector<Value> operands(states);
    operands.append({gradient.front()});
    operands.append(indices);
    operands.append(parameters);
    SmallVector<Value> results =
        b.makeAll("graph.optimizer_step",
                  SmallVector<Type>(states.size(), type), operands, attributes);
    for (auto [variable, value] : llvm::zip(variables, results))
      assignVariable(b, variable, value);
    setReference(b, variables.front());
  };
}
} // namespace

void addOptimizerRows(RowTable &table) {
  table["ApplyGradientDescent"] = table["ResourceApplyGradientDescent"] =
      importGradientDescent;
  for (const Optimizer &kind : kOptimizers) {
    std::string name = kind.name;
    table[name] = table["Resource" + name] = optimizer(kind, kind.dense);
    if (kind.sparse)
      table["Sparse" + name] = table["ResourceSparse" + name] =
          optimizer(kind, kind.sparse);
  }
}

} // namespace tenon::tf
