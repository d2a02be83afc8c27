//===- LayerImporter.cpp - layers of one entry point become graph ops -----===//

#include "frontend/keras/LayerImporter.h"

#include "dialects/graph/Graph.h"
#include "frontend/Elements.h"
#include "frontend/keras/Regularizers.h"
#include "frontend/keras/TopologyReader.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace tenon::keras {

namespace {
constexpr unsigned kMaxDepth = 100;

/// The type of a weight's elements; null for those that no model has.
Type elementTypeOf(const Hdf5Type &type, MLIRContext *context) {
  Builder b(context);
  unsigned bits = unsigned(type.size * 8);
  bool isInteger = bits == 8 || bits == 16 || bits == 32 || bits == 64;
  switch (type.kind) {
  case Hdf5Type::Signed:
    return isInteger ? b.getIntegerType(bits) : Type();
  case Hdf5Type::Unsigned:
    return isInteger ? b.getIntegerType(bits, /*isSigned=*/false) : Type();
  case Hdf5Type::Float:
    return bits == 16   ? Type(b.getF16Type())
           : bits == 32 ? Type(b.getF32Type())
           : bits == 64 ? Type(b.getF64Type())
                        : Type();
  case Hdf5Type::BFloat:
    return b.getBF16Type();
  case Hdf5Type::Bool:
    return b.getI1Type();
  default:
    return {};
  }
}

Argument missing() {
  Argument argument;
  argument.kind = Argument::Missing;
  return argument;
}
} // namespace

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

std::string LayerImporter::freeSymbol(StringRef name) {
  std::string symbol = name.str();
  while (SymbolTable::lookupSymbolIn(module, symbol) || symbol == "main" ||
         StringRef(symbol).starts_with("main."))
    symbol += "_variable";
  return symbol;
}

void LayerImporter::build(OperationState &state) {
  // Variables stand before all entries, in the order in which they are met.
  Block *body = module.getBody();
  OpBuilder b(module.getContext());
  b.setInsertionPoint(body, llvm::find_if(*body, [](Operation &op) {
                        return isa<func::FuncOp>(op);
                      }));
  b.create(state);
}

ElementsAttr LayerImporter::valueOf(const Hdf5Array &array, StringRef name) {
  Type element = elementTypeOf(array.type, module.getContext());
  if (!element)
    return {};
  return elementsFromBytes(RankedTensorType::get(array.shape, element),
                           ArrayRef<char>(array.data.data(), array.data.size()),
                           /*splat=*/false, model.weights->owner(), name);
}

void LayerImporter::declareAll() {
  exports = true;
  forAllLayers(*model.root, [&](Layer &layer) {
    for (Weight &weight : layer.weights)
      variable(layer, weight);
  });
}

FlatSymbolRefAttr LayerImporter::variable(Layer &layer, Weight &weight) {
  MLIRContext *context = module.getContext();
  if (!weight.symbol.empty())
    return FlatSymbolRefAttr::get(context, weight.symbol);
  Type element = elementTypeOf(weight.value->type, context);
  if (!element)
    return {};
  weight.symbol = freeSymbol(weight.path);
  auto type = RankedTensorType::get(weight.value->shape, element);
  OperationState state(UnknownLoc::get(context), "graph.variable");
  Builder b(context);
  state.addAttribute("sym_name", b.getStringAttr(weight.symbol));
  state.addAttribute("type", TypeAttr::get(type));
  state.addAttribute("initial", valueOf(*weight.value, weight.path));
  if (weight.trainable)
    state.addAttribute("trainable", b.getUnitAttr());
  if (weight.symbol != weight.path)
    state.addAttribute("original", b.getStringAttr(weight.path));
  if (exports)
    state.addAttribute("graph.place", b.getStringAttr(weight.place));
  if (const llvm::json::Value *constraint =
          settingOf(layer, weight, "constraint"))
    state.addAttribute("graph.constraint",
                       b.getStringAttr(asCall(*constraint)));
  build(state);
  return FlatSymbolRefAttr::get(context, weight.symbol);
}

FlatSymbolRefAttr LayerImporter::stateVariable(Layer &layer, StringRef name,
                                               RankedTensorType type,
                                               bool generator) {
  MLIRContext *context = module.getContext();
  std::string symbol = layer.scope + "/" + name.str();
  if (!SymbolTable::lookupSymbolIn(module, symbol)) {
    OperationState state(UnknownLoc::get(context), "graph.variable");
    Builder b(context);
    state.addAttribute("sym_name", b.getStringAttr(symbol));
    state.addAttribute("type", TypeAttr::get(type));
    bool seeded = layer.config.getInteger("seed").has_value();
    if (!generator || seeded)
      state.addAttribute("initial", cast<ElementsAttr>(b.getZeroAttr(type)));
    if (generator)
      state.addAttribute("generator", b.getUnitAttr());
    build(state);
  }
  return FlatSymbolRefAttr::get(context, symbol);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

void LayerImporter::report(const Layer &layer, StringRef reason) {
  std::string name = prefix + layer.name;
  for (const UnsupportedNode &known : unsupported)
    if (known.node == name)
      return;
  unsupported.push_back({name, layer.className, reason.str()});
}

/// Floats in the type that the layer computes in, masks kept.
static void convertFloats(Call &call, Argument &argument) {
  for (Argument &item : argument.items)
    convertFloats(call, item);
  if (argument.kind != Argument::Tensor)
    return;
  Tensor x = call.wrap(argument.tensor);
  if (isa<FloatType>(x.type()) && x.type() != call.computeType())
    argument.tensor = graph::cast(x, call.computeType()).value();
}

static void copyMasks(const Argument &from, Argument &to) {
  std::vector<const Argument *> masks, results;
  from.flatten(masks);
  to.flatten(results);
  for (auto [mask, result] : llvm::zip(masks, results))
    const_cast<Argument *>(result)->mask = mask->mask;
}

Argument LayerImporter::call(Layer &layer, std::vector<Argument> arguments,
                             std::map<std::string, Argument> keywords,
                             OpBuilder &at) {
  for (const Argument &argument : arguments)
    if (argument.isMissing())
      return missing();
  for (const auto &[name, argument] : keywords)
    if (argument.isMissing())
      return missing();
  if (!layer.kind)
    return missing(); // was reported
  if (depth >= kMaxDepth) {
    report(layer, "layers nest too deeply");
    return missing();
  }
  llvm::SaveAndRestore<unsigned> nested(depth, depth + 1);
  if (layer.topology)
    return callModel(layer, std::move(arguments), at);
  MLIRContext *context = module.getContext();
  auto className = NameLoc::get(StringAttr::get(context, layer.className));
  Location loc =
      NameLoc::get(StringAttr::get(context, prefix + layer.name), className);
  std::string message;
  Argument result = missing();
  {
    // An op's own errors become the layer's.
    ScopedDiagnosticHandler capture(context, [&](Diagnostic &diagnostic) {
      if (message.empty() &&
          diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message = diagnostic.str();
    });
    Call call(*this, layer, loc, at, shapes, training);
    call.arguments = std::move(arguments);
    call.keywords = std::move(keywords);
    bool autocast = !layer.isOperation && layer.className != "Embedding" &&
                    isa<FloatType>(call.computeType());
    if (autocast && !call.failed()) {
      for (Argument &argument : call.arguments)
        convertFloats(call, argument);
      for (auto &[name, argument] : call.keywords)
        convertFloats(call, argument);
    }
    if (!call.failed())
      layer.kind->call(call);
    if (!call.failed())
      addActivityLoss(call);
    if (!call.failed()) {
      result = std::move(call.result);
      if (layer.kind->masks == MaskRule::Keep && !call.arguments.empty()) {
        if (auto given = call.keywords.find("mask");
            given != call.keywords.end() &&
            given->second.kind == Argument::Tensor && result.tensor)
          result.mask = given->second.tensor;
        else
          copyMasks(call.arguments[0], result);
      }
      return result;
    }
    if (!call.problem.empty())
      message = call.problem;
  }
  StringRef text = message;
  if (text.consume_front("'graph."))
    text = text.substr(text.find("' op ") + strlen("' op "));
  // Without a message a part of the layer has reported it.
  if (!text.empty())
    report(layer, text);
  else if (unsupported.empty() && model.unsupported.empty())
    report(layer, "it cannot be built");
  return missing();
}

//===----------------------------------------------------------------------===//
// Regularization
//===----------------------------------------------------------------------===//

void LayerImporter::addActivityLoss(Call &call) {
  // As a layer it has its factors in its own configuration.
  const llvm::json::Value *regularizer =
      call.config.get("activity_regularizer");
  std::optional<llvm::json::Value> made;
  if (call.layer.className == "ActivityRegularization") {
    made = llvm::json::Object{
        {"class_name", "L1L2"},
        {"config", llvm::json::Object{{"l1", call.config.real("l1", 0.0)},
                                      {"l2", call.config.real("l2", 0.0)}}}};
    regularizer = &*made;
  }
  if (!regularizer)
    return;
  std::vector<const Argument *> results;
  call.result.flatten(results);
  for (const Argument *result : results) {
    Tensor x = call.wrap(result->tensor);
    if (!x || x.rank() == 0 || !isa<FloatType>(x.type()))
      continue;
    Tensor part = penalty(x, *regularizer, call.problem);
    if (!part)
      continue;
    Tensor batch = graph::cast(call.g.size(x.value(), 0), part.type());
    activityLosses.push_back((part / batch).value());
  }
}

std::vector<Tensor> LayerImporter::takeLosses(GraphBuilder &g) {
  std::vector<Tensor> losses;
  for (Layer &layer : model.layers)
    for (Weight &weight : layer.weights) {
      const llvm::json::Value *regularizer =
          settingOf(layer, weight, "regularizer");
      if (!regularizer || !weight.trainable || weight.symbol.empty())
        continue;
      FlatSymbolRefAttr symbol = variable(layer, weight);
      Operation *op = SymbolTable::lookupSymbolIn(module, symbol.getAttr());
      auto type = cast<RankedTensorType>(
          op->getAttrOfType<TypeAttr>("type").getValue());
      Tensor value = g.make("graph.read", type.getElementType(), {},
                            g.builder.getNamedAttr("variable", symbol));
      std::string problem;
      if (Tensor part = penalty(value, *regularizer, problem))
        losses.push_back(part);
      if (!problem.empty())
        report(layer, problem);
    }
  for (Value value : activityLosses)
    losses.emplace_back(g, value);
  activityLosses.clear();
  return losses;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

Argument LayerImporter::callModel(Layer &layer, std::vector<Argument> arguments,
                                  OpBuilder &at) {
  if (arguments.empty()) {
    report(layer, "the model is called without inputs");
    return missing();
  }
  std::string before = prefix;
  if (&layer != model.root)
    prefix += layer.name + "/";
  Argument result;
  if (layer.topology->sequential) {
    result = callSequential(layer, std::move(arguments[0]), at);
  } else {
    std::vector<const Argument *> flat;
    arguments[0].flatten(flat);
    std::vector<Argument> inputs;
    for (const Argument *one : flat)
      inputs.push_back(*one);
    result = callFunctional(layer, inputs, at);
  }
  prefix = before;
  return result;
}

Argument LayerImporter::callSequential(Layer &layer, Argument value,
                                       OpBuilder &at) {
  for (Layer *inner : layer.topology->layers) {
    if (inner->className == "InputLayer")
      continue;
    std::vector<Argument> arguments;
    arguments.push_back(std::move(value));
    value = call(*inner, std::move(arguments), {}, at);
  }
  return value;
}

namespace {
/// A functional model's calls in the order in which they can be made.
class Schedule {
public:
  Schedule(Topology &topology) : topology(topology) {}

  using Key = std::pair<unsigned, unsigned>; // layer, call

  /// The tensors that a call's arguments name.
  static bool isRef(const llvm::json::Value &value, bool legacy,
                    const llvm::json::Array *&list) {
    if (const llvm::json::Object *object = value.getAsObject()) {
      if (object->getString("class_name") != "__keras_tensor__")
        return false;
      const llvm::json::Object *config = object->getObject("config");
      list = config ? config->getArray("keras_history") : nullptr;
      return list;
    }
    list = value.getAsArray();
    return legacy && list && list->size() >= 3 && (*list)[0].getAsString() &&
           (*list)[1].getAsInteger() && (*list)[2].getAsInteger();
  }

  bool collect(const llvm::json::Value &value, bool legacy,
               std::vector<TensorRef> &refs) const {
    const llvm::json::Array *list = nullptr;
    if (isRef(value, legacy, list)) {
      auto ref = TopologyReader::readRef(topology, *list, legacy);
      if (ref)
        refs.push_back(*ref);
      return bool(ref);
    }
    if (const llvm::json::Object *object = value.getAsObject()) {
      for (const auto &[key, element] : *object)
        if (!collect(element, legacy, refs))
          return false;
    } else if (const llvm::json::Array *elements = value.getAsArray()) {
      for (const llvm::json::Value &element : *elements)
        if (!collect(element, legacy, refs))
          return false;
    }
    return true;
  }

  /// Says in `problem` what is wrong.
  std::vector<Key> order(std::string &problem) {
    struct Visit {
      Key key;
      std::vector<TensorRef> needs;
      size_t next = 0;
    };
    std::vector<Key> result;
    std::map<Key, bool> done; // false: in progress
    std::vector<Visit> stack;
    auto enter = [&](Key key) {
      done[key] = false;
      Visit visit{key, {}, 0};
      const std::vector<LayerCall> &calls = topology.calls[key.first];
      if (key.second < calls.size()) {
        const LayerCall &call = calls[key.second];
        if (!collect(*call.arguments, call.legacy, visit.needs) ||
            (call.keywords &&
             !collect(*call.keywords, call.legacy, visit.needs)))
          problem = "call " + std::to_string(key.second) + " of layer '" +
                    topology.layers[key.first]->name +
                    "' names a tensor that is not in the model";
      }
      stack.push_back(std::move(visit));
    };
    for (const TensorRef &output : topology.outputs) {
      if (!done.count({output.layer, output.call}))
        enter({output.layer, output.call});
      while (!stack.empty() && problem.empty()) {
        Visit &top = stack.back();
        if (top.next == top.needs.size()) {
          done[top.key] = true;
          result.push_back(top.key);
          stack.pop_back();
          continue;
        }
        TensorRef need = top.needs[top.next++];
        auto known = done.find({need.layer, need.call});
        if (known == done.end())
          enter({need.layer, need.call});
        else if (!known->second)
          problem = "layer '" + topology.layers[need.layer]->name +
                    "' depends on its own result";
      }
      if (!problem.empty())
        break;
    }
    return result;
  }

private:
  Topology &topology;
};
} // namespace

/// What is passed to an input of a model: in the input's type, and with a last
/// dimension of size 1 more or less where the input's rank asks for it.
Argument LayerImporter::asInput(const Layer &input, const Argument &given,
                                OpBuilder &at) {
  Location loc =
      NameLoc::get(StringAttr::get(module.getContext(), prefix + input.name));
  GraphBuilder g(at, shapes, loc);
  Tensor x(g, given.tensor);
  Type want =
      elementTypeNamed(computeTypeName(input.config), module.getContext());
  if (want && isa<FloatType, IntegerType>(want) &&
      isa<FloatType, IntegerType>(x.type()))
    x = graph::cast(x, want);
  if (const llvm::json::Array *shape = input.config.getArray("batch_shape")) {
    int64_t rank = int64_t(shape->size());
    if (x && x.rank() == rank + 1 && knownDim(x, -1) == 1)
      x = squeeze(x, -1);
    else if (x && x.rank() + 1 == rank && shape->back().getAsInteger() == 1)
      x = graph::expandDims(x, x.rank());
  }
  return x ? Argument::of(x.value(), given.mask) : missing();
}

Argument LayerImporter::callFunctional(Layer &layer,
                                       const std::vector<Argument> &inputs,
                                       OpBuilder &at) {
  Topology &topology = *layer.topology;
  if (inputs.size() != topology.inputs.size()) {
    report(layer, "it has " + std::to_string(topology.inputs.size()) +
                      " inputs and is called with " +
                      std::to_string(inputs.size()));
    return missing();
  }
  Schedule schedule(topology);
  std::string problem;
  std::vector<Schedule::Key> order = schedule.order(problem);
  if (!problem.empty()) {
    report(layer, problem);
    return missing();
  }
  std::map<Schedule::Key, Argument> values;
  for (auto [ref, input] : llvm::zip(topology.inputs, inputs))
    values[{ref.layer, ref.call}] =
        asInput(*topology.layers[ref.layer], input, at);

  auto output = [&](const TensorRef &ref) -> Argument {
    auto found = values.find({ref.layer, ref.call});
    if (found == values.end())
      return missing();
    std::vector<const Argument *> all;
    found->second.flatten(all);
    if (ref.tensor < all.size())
      return *all[ref.tensor];
    if (!found->second.isMissing())
      report(*topology.layers[ref.layer],
             "result " + std::to_string(ref.tensor) + " is used, it has " +
                 std::to_string(all.size()));
    return missing();
  };
  std::function<Argument(const llvm::json::Value &, bool)> convert =
      [&](const llvm::json::Value &value, bool legacy) -> Argument {
    const llvm::json::Array *list = nullptr;
    if (Schedule::isRef(value, legacy, list)) {
      auto ref = TopologyReader::readRef(topology, *list, legacy);
      return ref ? output(*ref) : missing();
    }
    Argument argument;
    std::vector<const Argument *> tensors;
    if (const llvm::json::Array *elements = value.getAsArray()) {
      argument.kind = Argument::List;
      for (const llvm::json::Value &element : *elements)
        argument.items.push_back(convert(element, legacy));
    } else if (const llvm::json::Object *object = value.getAsObject()) {
      argument.kind = Argument::List;
      std::map<std::string, const llvm::json::Value *> sorted;
      for (const auto &[key, element] : *object)
        sorted[key.str()] = &element;
      for (const auto &[key, element] : sorted) {
        argument.keys.push_back(key);
        argument.items.push_back(convert(*element, legacy));
      }
    } else if (value.kind() != llvm::json::Value::Null) {
      argument.kind = Argument::Constant;
    }
    // What holds no tensor is read as it is written.
    argument.flatten(tensors);
    if (argument.kind == Argument::List && tensors.empty())
      argument.kind = Argument::Constant;
    argument.constant = &value;
    return argument;
  };
  for (Schedule::Key key : order) {
    Layer &inner = *topology.layers[key.first];
    if (values.count(key))
      continue;
    if (key.second >= topology.calls[key.first].size()) {
      if (inner.kind)
        report(inner, "it is no input of the model, and nothing is passed to "
                      "it");
      values[key] = missing();
      continue;
    }
    const LayerCall &made = topology.calls[key.first][key.second];
    std::vector<Argument> arguments;
    std::map<std::string, Argument> keywords;
    Argument all = convert(*made.arguments, made.legacy);
    auto addKeywords = [&](const llvm::json::Value *value) {
      const llvm::json::Object *object = value ? value->getAsObject() : nullptr;
      if (object)
        for (const auto &[name, element] : *object)
          keywords[name.str()] = convert(element, made.legacy);
    };
    if (!made.legacy) {
      arguments = std::move(all.items);
      addKeywords(made.keywords);
    } else {
      // One argument, or a list of them; keywords stand with a tensor.
      if (all.items.size() == 1)
        arguments.push_back(std::move(all.items[0]));
      else
        arguments.push_back(std::move(all));
      for (const llvm::json::Value &one : *made.arguments->getAsArray())
        if (const llvm::json::Array *parts = one.getAsArray())
          if (parts->size() > 3)
            addKeywords(&(*parts)[3]);
    }
    values[key] = call(inner, std::move(arguments), std::move(keywords), at);
  }
  std::vector<Argument> outputs;
  for (const TensorRef &ref : topology.outputs)
    outputs.push_back(output(ref));
  if (!topology.manyOutputs && outputs.size() == 1)
    return outputs[0];
  Argument result = Argument::list(std::move(outputs));
  result.keys = topology.outputKeys;
  return result;
}

} // namespace tenon::keras
