//===- State.cpp - variables ----------------------------------------------===//

#include "frontend/tensorflow/ops/Indexing.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
NamedAttribute symbolOf(Binder &b, const ImportedValue &variable) {
  return b.attribute("variable",
                     FlatSymbolRefAttr::get(b.context(), variable.symbol));
}

Value readVariable(Binder &b, const ImportedValue &variable) {
  if (b.failed())
    return {};
  return b.make("graph.read", variable.elementType, {}, symbolOf(b, variable));
}

void assign(Binder &b, const ImportedValue &variable, Value value) {
  if (b.failed())
    return;
  if (Binder::type(value) != variable.elementType)
    return b.fail("the value has another element type than variable '" +
                  variable.symbol + "'");
  b.perform("graph.assign", value, symbolOf(b, variable));
}

/// A reference operation's result is the variable again.
void setReference(Binder &b, const ImportedValue &variable) {
  if (variable.reference)
    b.set(0, variable);
}

void importAssign(Binder &b) {
  ImportedValue variable = b.variable(0);
  assign(b, variable, b.input(1));
  setReference(b, variable);
}

Row update(StringRef op) {
  return [op](Binder &b) {
    ImportedValue variable = b.variable(0);
    Value before = readVariable(b, variable);
    assign(b, variable, b.make(op, variable.elementType, {before, b.input(1)}));
    setReference(b, variable);
  };
}

void importIsInitialized(Binder &b) {
  ImportedValue variable = b.variable(0);
  if (!b.failed())
    b.set(0, b.make("graph.is_initialized", b.builder().getI1Type(), {},
                    symbolOf(b, variable)));
}

void importVariableShape(Binder &b) {
  Value value = readVariable(b, b.variable(0));
  Type type =
      b.has("out_type") ? b.elementType("out_type") : b.builder().getI32Type();
  b.set(0, b.make("graph.shape_of", type, value));
}

/// Rows of the variable at indices.
void importResourceGather(Binder &b) {
  Value value = readVariable(b, b.variable(0)), indices = b.input(1);
  int64_t batch = b.integer("batch_dims", 0);
  b.set(0,
        b.make("graph.gather", Binder::type(value), {value, indices},
               {b.attribute("axis", batch), b.attribute("batch_dims", batch)}));
}

/// Replaces or changes rows of the variable.
Row scatter(StringRef mode) {
  return [mode](Binder &b) {
    ImportedValue variable = b.variable(0);
    Value value = readVariable(b, variable), indices = b.input(1);
    Value rows = b.make("graph.expand_dims", Binder::type(indices), indices,
                        b.attribute("axes", ArrayRef<int64_t>(-1)));
    Value updates = b.input(2);
    // A scalar is written to every row.
    if (updates && b.rank(updates) == 0 && b.rank(value) > 0 && !b.failed()) {
      graph::Dims dims(b.dims(indices));
      llvm::append_range(dims, b.dims(value).drop_front());
      updates = b.make("graph.broadcast_to", Binder::type(updates),
                       {updates, b.shapeTensor(dims)});
    }
    assign(b, variable,
           b.make("graph.tensor_scatter", variable.elementType,
                  {value, rows, updates}, b.textAttribute("mode", mode)));
    setReference(b, variable);
  };
}

void importSliceAssign(Binder &b) {
  ImportedValue variable = b.variable(0);
  Value value = readVariable(b, variable);
  SmallVector<Value> operands = b.inputList(1, 4);
  operands.insert(operands.begin(), value);
  assign(b, variable,
         b.make("graph.strided_slice_update", variable.elementType, operands,
                sliceMasks(b)));
  setReference(b, variable);
}

/// var -= alpha * delta
void importGradientDescent(Binder &b) {
  ImportedValue variable = b.variable(0);
  Value value = readVariable(b, variable);
  Type type = variable.elementType;
  Value step = b.make("graph.mul", type, {b.input(1), b.input(2)});
  assign(b, variable, b.make("graph.sub", type, {value, step}));
  setReference(b, variable);
}

/// accum = accum * momentum + grad; var -= lr * accum
/// With Nesterov's: var -= lr * (grad + momentum * accum)
void importMomentum(Binder &b) {
  ImportedValue variable = b.variable(0), slot = b.variable(1);
  Value rate = b.input(2), gradient = b.input(3), momentum = b.input(4);
  Type type = variable.elementType;
  auto mul = [&](Value x, Value y) {
    return b.make("graph.mul", type, {x, y});
  };
  auto add = [&](Value x, Value y) {
    return b.make("graph.add", type, {x, y});
  };
  Value sum = add(mul(readVariable(b, slot), momentum), gradient);
  assign(b, slot, sum);
  Value direction =
      b.flag("use_nesterov", false) ? add(gradient, mul(sum, momentum)) : sum;
  assign(b, variable,
         b.make("graph.sub", type,
                {readVariable(b, variable), mul(rate, direction)}));
  setReference(b, variable);
}

/// Inputs: var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad
void importAdam(Binder &b) {
  ImportedValue variable = b.variable(0), m = b.variable(1), v = b.variable(2);
  SmallVector<Value> in = b.inputList(3, 7);
  if (b.failed())
    return;
  Type type = variable.elementType;
  auto binary = [&](StringRef op, Value x, Value y) {
    return b.make(op, type, {x, y});
  };
  auto mul = [&](Value x, Value y) { return binary("graph.mul", x, y); };
  auto add = [&](Value x, Value y) { return binary("graph.add", x, y); };
  auto sub = [&](Value x, Value y) { return binary("graph.sub", x, y); };
  Value one = b.scalar(type, 1), gradient = in[6];
  Value rate = binary("graph.div",
                      mul(in[2], b.make("graph.sqrt", type, sub(one, in[1]))),
                      sub(one, in[0]));
  Value oldM = readVariable(b, m), oldV = readVariable(b, v);
  Value newM = add(oldM, mul(sub(gradient, oldM), sub(one, in[3])));
  Value newV =
      add(oldV, mul(sub(mul(gradient, gradient), oldV), sub(one, in[4])));
  assign(b, m, newM);
  assign(b, v, newV);
  Value top = b.flag("use_nesterov", false)
                  ? add(mul(newM, in[3]), mul(sub(one, in[3]), gradient))
                  : newM;
  Value bottom = add(b.make("graph.sqrt", type, newV), in[5]);
  assign(b, variable,
         sub(readVariable(b, variable),
             binary("graph.div", mul(rate, top), bottom)));
  setReference(b, variable);
}
} // namespace

void addStateRows(RowTable &table) {
  table["VarHandleOp"] = [](Binder &b) { b.set(0, b.declareVariable(false)); };
  table["VariableV2"] =
      table["Variable"] = [](Binder &b) { b.set(0, b.declareVariable(true)); };
  table["ReadVariableOp"] = [](Binder &b) {
    b.set(0, readVariable(b, b.variable(0)));
  };
  table["Assign"] = table["AssignVariableOp"] = importAssign;
  table["AssignAdd"] = table["AssignAddVariableOp"] = update("graph.add");
  table["AssignSub"] = table["AssignSubVariableOp"] = update("graph.sub");
  table["VarIsInitializedOp"] = table["IsVariableInitialized"] =
      importIsInitialized;
  table["VariableShape"] = importVariableShape;
  table["ResourceGather"] = importResourceGather;
  table["ResourceGatherNd"] = [](Binder &b) {
    Value value = readVariable(b, b.variable(0));
    b.set(0,
          b.make("graph.gather_nd", Binder::type(value), {value, b.input(1)}));
  };
  struct Mode {
    const char *source, *name;
  };
  for (Mode mode : std::initializer_list<Mode>{{"ScatterUpdate", "update"},
                                               {"ScatterAdd", "add"},
                                               {"ScatterSub", "sub"},
                                               {"ScatterMul", "mul"},
                                               {"ScatterDiv", "div"},
                                               {"ScatterMin", "min"},
                                               {"ScatterMax", "max"}}) {
    table[mode.source] = scatter(mode.name);
    table[std::string("Resource") + mode.source] = scatter(mode.name);
  }
  table["StridedSliceAssign"] = table["ResourceStridedSliceAssign"] =
      importSliceAssign;
  table["DisableCopyOnRead"] = [](Binder &b) { b.variable(0); };
  table["ApplyGradientDescent"] = table["ResourceApplyGradientDescent"] =
      importGradientDescent;
  table["ApplyMomentum"] = table["ResourceApplyMomentum"] = importMomentum;
  table["ApplyAdam"] = table["ResourceApplyAdam"] = importAdam;
}

} // namespace tenon::tf
