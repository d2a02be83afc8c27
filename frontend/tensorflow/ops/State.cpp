//===- State.cpp - variables ----------------------------------------------===//

#include "dialects/graph/Variables.h"
#include "frontend/tensorflow/ops/Indexing.h"
#include "frontend/tensorflow/ops/Rows.h"
#include "frontend/tensorflow/ops/Variables.h"

using namespace mlir;

namespace tenon::tf {

static NamedAttribute symbolOf(Binder &b, const ImportedValue &variable) {
  return b.attribute("variable",
                     FlatSymbolRefAttr::get(b.context(), variable.symbol));
}

Value readVariable(Binder &b, const ImportedValue &variable) {
  if (b.failed())
    return {};
  return b.make("graph.read", variable.elementType, {}, symbolOf(b, variable));
}

void assignVariable(Binder &b, const ImportedValue &variable, Value value) {
  if (b.failed())
    return;
  if (Binder::type(value) != variable.elementType)
    return b.fail("the value has another element type than variable '" +
                  variable.symbol + "'");
  b.perform("graph.assign", value, symbolOf(b, variable));
  if (variable.reference)
    ++b.state.writes[variable.symbol];
}

void setReference(Binder &b, const ImportedValue &variable) {
  if (variable.reference)
    b.set(0, variable);
}

namespace {
void importAssign(Binder &b) {
  ImportedValue variable = b.variable(0);
  Value value;
  if (!b.failed() && b.raw(1).kind == ImportedValue::Restored) {
    // The variable knows what a checkpoint's tensor must be.
    auto type = cast<RankedTensorType>(
        graph::findVariable(b.state.module,
                            b.state.builder.getStringAttr(variable.symbol))
            .getType());
    SmallVector<int64_t> shape(type.getShape());
    value = parsedTensor(b, 1, shape).value_or(Value());
    if (!value)
      value =
          b.make("graph.restore_tensor", variable.elementType, b.raw(1).tensor,
                 {b.textAttribute("name", b.raw(1).symbol),
                  b.attribute("shape", shape)});
  } else {
    value = b.input(1);
  }
  // Into the memory that it has: nobody reads it before it has any.
  assignVariable(b, variable, value);
  setReference(b, variable);
}

Row update(StringRef op) {
  return [op](Binder &b) {
    ImportedValue variable = b.variable(0);
    Value before = readVariable(b, variable);
    assignVariable(b, variable,
                   b.make(op, variable.elementType, {before, b.input(1)}));
    setReference(b, variable);
  };
}

/// The count before, which must be below the limit.
void importCountUpTo(Binder &b) {
  ImportedValue variable = b.variable(0);
  Value count = readVariable(b, variable);
  if (b.failed())
    return;
  Type type = variable.elementType;
  int64_t limit = b.integer("limit");
  b.perform("graph.check",
            b.make("graph.less", b.builder().getI1Type(),
                   {count, b.scalar(type, double(limit))}),
            b.textAttribute("message", "node '" + b.name().str() +
                                           "': reached limit of " +
                                           std::to_string(limit)));
  assignVariable(b, variable,
                 b.make("graph.add", type, {count, b.scalar(type, 1)}));
  b.set(0, count);
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
    assignVariable(b, variable,
                   b.make("graph.tensor_scatter", variable.elementType,
                          {value, rows, updates},
                          b.textAttribute("mode", mode)));
    setReference(b, variable);
  };
}

/// The same of elements or parts, by vectors of indices.
Row scatterNd(StringRef mode) {
  return [mode](Binder &b) {
    ImportedValue variable = b.variable(0);
    Value value = readVariable(b, variable);
    assignVariable(b, variable,
                   b.make("graph.tensor_scatter", variable.elementType,
                          {value, b.input(1), b.input(2)},
                          b.textAttribute("mode", mode)));
    setReference(b, variable);
  };
}

void importSliceAssign(Binder &b) {
  ImportedValue variable = b.variable(0);
  Value value = readVariable(b, variable);
  SmallVector<Value> operands = b.inputList(1, 4);
  operands.insert(operands.begin(), value);
  assignVariable(b, variable,
                 b.make("graph.strided_slice_update", variable.elementType,
                        operands, sliceMasks(b)));
  setReference(b, variable);
}

} // namespace

void addStateRows(RowTable &table) {
  table["VarHandleOp"] = [](Binder &b) { b.set(0, b.declareVariable(false)); };
  table["VariableV2"] =
      table["Variable"] = [](Binder &b) { b.set(0, b.declareVariable(true)); };
  table["TemporaryVariable"] = [](Binder &b) {
    b.set(0, b.declareVariable(true));
  };
  table["DestroyTemporaryVariable"] = [](Binder &b) { b.set(0, b.input(0)); };
  table["CountUpTo"] = table["ResourceCountUpTo"] = importCountUpTo;
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
  for (Mode mode : std::initializer_list<Mode>{{"ScatterNdUpdate", "update"},
                                               {"ScatterNdAdd", "add"},
                                               {"ScatterNdSub", "sub"},
                                               {"ScatterNdMin", "min"},
                                               {"ScatterNdMax", "max"}}) {
    table[mode.source] = scatterNd(mode.name);
    table[std::string("Resource") + mode.source] = scatterNd(mode.name);
  }
  table["DestroyResourceOp"] = [](Binder &b) { b.raw(0); };
  table["StridedSliceAssign"] = table["ResourceStridedSliceAssign"] =
      importSliceAssign;
  table["DisableCopyOnRead"] = [](Binder &b) { b.variable(0); };
}

} // namespace tenon::tf
