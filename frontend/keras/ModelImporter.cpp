//===- ModelImporter.cpp - a Keras model becomes a module -----------------===//

#include "frontend/keras/ModelImporter.h"

#include "frontend/EntryArguments.h"
#include "frontend/keras/LayerImporter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tenon::keras {

namespace {
std::string asText(const llvm::json::Object &object) {
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::json::Value(llvm::json::Object(object));
  return text;
}

class ModelImporter {
public:
  ModelImporter(KerasModel &model, const ImportOptions &options,
                MLIRContext &context)
      : model(model), options(options), context(context),
        module(ModuleOp::create(UnknownLoc::get(&context))) {}

  OwningOpRef<ModuleOp> run();

private:
  using Shape = std::vector<int64_t>;

  LogicalResult error(const llvm::Twine &text) {
    return emitError(UnknownLoc::get(&context)) << text.str();
  }
  LogicalResult findInputs();
  LogicalResult addInput(const Layer &layer, StringRef name,
                         const llvm::json::Object &config);
  LogicalResult applyOptions();
  Argument callRoot(LayerImporter &importer, func::FuncOp function,
                    OpBuilder &builder);
  func::FuncOp importVersion(StringRef symbol,
                             ArrayRef<EntryArgument> versionArguments);
  LogicalResult importStep(StringRef kind, bool training);
  void describeFile();
  LogicalResult importAll();
  LogicalResult reportUnsupported();
  std::vector<std::string> outputNames(const Argument &result) const;

  KerasModel &model;
  const ImportOptions &options;
  MLIRContext &context;
  OwningOpRef<ModuleOp> module;
  std::vector<EntryArgument> arguments;
  std::vector<UnsupportedNode> unsupported;
};

LogicalResult ModelImporter::addInput(const Layer &layer, StringRef name,
                                      const llvm::json::Object &fields) {
  std::string problem;
  Config config(fields, problem);
  EntryArgument argument;
  argument.name = name.str();
  argument.elementType = elementTypeNamed(computeTypeName(fields), &context);
  StringRef key = config.has("batch_shape")         ? "batch_shape"
                  : config.has("batch_input_shape") ? "batch_input_shape"
                                                    : "build_input_shape";
  const llvm::json::Value *value = config.get(key);
  const llvm::json::Array *list = value ? value->getAsArray() : nullptr;
  auto wrong = [&](const llvm::Twine &text) {
    return error("node '" + layer.name + "' (" + layer.className +
                 "): " + text);
  };
  if (!list)
    return wrong("the shape of the model's input is not in the file; build "
                 "the model (call it once) before saving it");
  if (!argument.elementType)
    return wrong("an input of type '" + computeTypeName(fields) +
                 "' is not supported");
  if (config.flag("sparse", false) || config.flag("ragged", false))
    return wrong("sparse and ragged inputs are not supported");
  int64_t elements = 16;
  for (const llvm::json::Value &size : *list) {
    std::optional<int64_t> known = size.getAsInteger();
    bool unknown = size.kind() == llvm::json::Value::Null;
    if ((!known && !unknown) || (known && *known < 0))
      return wrong("'" + key + "' must be a list of sizes");
    argument.shape.push_back(known.value_or(-1));
    bool overflow = false;
    elements = llvm::SaturatingMultiply<uint64_t>(
        elements, std::max<int64_t>(known.value_or(1), 1), &overflow);
    if (overflow || elements < 0)
      return wrong("the input is impossibly large");
  }
  if (!problem.empty())
    return wrong(problem);
  arguments.push_back(std::move(argument));
  return success();
}

LogicalResult ModelImporter::findInputs() {
  // The first layer of a sequential model may be a model.
  const Layer *layer = model.root;
  while (layer->topology->sequential) {
    const Topology &topology = *layer->topology;
    if (topology.layers.empty())
      return error("node '" + layer->name + "' (Sequential): it has no layers");
    const Layer *first = topology.layers[0];
    if (first->className == "InputLayer")
      return addInput(*first, first->name, first->config);
    if (layer->config.getArray("build_input_shape"))
      return addInput(*layer, layer->name + "_input", layer->config);
    if (!first->topology)
      return addInput(*first, first->name + "_input", first->config);
    layer = first;
  }
  for (const TensorRef &input : layer->topology->inputs) {
    const Layer *inner = layer->topology->layers[input.layer];
    if (failed(addInput(*inner, inner->name, inner->config)))
      return failure();
  }
  return success();
}

LogicalResult ModelImporter::applyOptions() {
  if (!options.entries.empty())
    return error("--entry is for graphs; a Keras model has the entry 'main'");
  if (!options.signature.empty() && options.signature != "main")
    return error("there is no signature '" + options.signature +
                 "'; a Keras model has the entry 'main'");
  auto known = [&](StringRef name) {
    return llvm::any_of(arguments, [&](const EntryArgument &argument) {
      return argument.name == name;
    });
  };
  llvm::StringSet<> names;
  for (const EntryArgument &argument : arguments)
    if (!names.insert(argument.name).second)
      return error("the model has two inputs '" + argument.name + "'");
  for (const auto &[name, shape] : options.shapes)
    if (!known(name))
      return error("no entry has an input '" + name + "' (--shape)");
  for (const auto &shapes : options.specializations)
    for (const auto &[name, shape] : shapes)
      if (!known(name))
        return error("no entry has an input '" + name + "' (--specialize)");
  for (EntryArgument &argument : arguments) {
    if (options.batch && !argument.shape.empty() && argument.shape[0] < 0)
      argument.shape[0] = *options.batch;
    for (const auto &[name, shape] : options.shapes)
      if (name == argument.name)
        argument.shape.assign(shape.begin(), shape.end());
    argument.labels.clear();
    // All inputs have one batch size.
    for (size_t d = 0; d < argument.shape.size(); ++d)
      argument.labels.push_back(argument.shape[d] >= 0
                                    ? ""
                                    : (d ? argument.name : arguments[0].name) +
                                          "." + std::to_string(d));
  }
  return success();
}

std::vector<std::string>
ModelImporter::outputNames(const Argument &result) const {
  std::vector<const Argument *> all;
  result.flatten(all);
  std::vector<std::string> names;
  const Topology *topology = model.root->topology.get();
  if (topology->sequential) {
    if (all.size() == 1)
      names.push_back(topology->layers.back()->name);
  } else if (!topology->outputKeys.empty()) {
    names = topology->outputKeys;
  } else {
    for (const TensorRef &output : topology->outputs)
      names.push_back(topology->layers[output.layer]->name);
  }
  llvm::StringSet<> distinct;
  bool clash = names.size() != all.size();
  for (const std::string &name : names)
    clash |= !distinct.insert(name).second;
  if (clash) {
    names.clear();
    for (size_t i = 0; i < all.size(); ++i)
      names.push_back("output_" + std::to_string(i));
  }
  return names;
}

Argument ModelImporter::callRoot(LayerImporter &importer, func::FuncOp function,
                                 OpBuilder &builder) {
  std::vector<Argument> inputs;
  for (BlockArgument argument : function.getArguments())
    inputs.push_back(Argument::of(argument));
  std::vector<Argument> given;
  if (inputs.size() == 1)
    given.push_back(inputs[0]);
  else
    given.push_back(Argument::list(std::move(inputs)));
  Argument result = importer.call(*model.root, std::move(given), {}, builder);
  llvm::append_range(unsupported, importer.unsupported);
  return result;
}

/// What a step of training or of evaluation computes: the outputs, their masks,
/// and what adds to the loss.
LogicalResult ModelImporter::importStep(StringRef kind, bool training) {
  OpBuilder builder(&context);
  graph::ShapeContext shapes(&context);
  func::FuncOp function =
      startEntry(*module, ("main." + kind).str(), arguments, builder, shapes);
  function->removeAttr("graph.entry");
  function->setAttr("graph.forward", builder.getStringAttr(kind));
  LayerImporter importer(model, *module, shapes, training);
  Argument result = callRoot(importer, function, builder);
  if (result.isMissing() || !unsupported.empty()) {
    function.erase();
    return failure();
  }
  std::vector<const Argument *> all;
  result.flatten(all);
  std::vector<std::string> names = outputNames(result);
  SmallVector<Value> values;
  SmallVector<DictionaryAttr> attributes;
  auto add = [&](Value value, ArrayRef<NamedAttribute> about) {
    values.push_back(value);
    attributes.push_back(builder.getDictionaryAttr(about));
  };
  auto named = [&](StringRef key, StringRef text) {
    return builder.getNamedAttr(key, builder.getStringAttr(text));
  };
  for (auto [name, one] : llvm::zip(names, all))
    add(one->tensor, named("graph.name", name));
  for (auto [name, one] : llvm::zip(names, all))
    if (one->mask)
      add(one->mask, {named("graph.role", "mask"), named("graph.of", name)});
  graph::GraphBuilder g(builder, shapes, function.getLoc());
  for (Tensor loss : importer.takeLosses(g))
    if (loss)
      add(loss.value(), named("graph.role", "loss"));
  llvm::append_range(unsupported, importer.unsupported);
  if (g.failed() || !unsupported.empty()) {
    function.erase();
    return failure();
  }
  func::ReturnOp::create(builder, function.getLoc(), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(values).getTypes()));
  function.setAllResultAttrs(attributes);
  return success();
}

func::FuncOp
ModelImporter::importVersion(StringRef symbol,
                             ArrayRef<EntryArgument> versionArguments) {
  OpBuilder builder(&context);
  graph::ShapeContext shapes(&context);
  func::FuncOp function =
      startEntry(*module, symbol, versionArguments, builder, shapes);
  LayerImporter importer(model, *module, shapes, /*training=*/false);
  Argument result = callRoot(importer, function, builder);
  std::vector<const Argument *> all;
  if (result.isMissing() || !unsupported.empty()) {
    function.erase();
    return {};
  }
  result.flatten(all);
  SmallVector<Value> values;
  for (const Argument *one : all)
    values.push_back(one->tensor);
  func::ReturnOp::create(builder, function.getLoc(), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(values).getTypes()));
  for (auto [i, name] : llvm::enumerate(outputNames(result)))
    function.setResultAttr(i, "graph.name", builder.getStringAttr(name));
  return function;
}

/// What training adds to, and what it makes files of: variables in Keras's
/// order, the file's other parts, what its optimizer kept.
void ModelImporter::describeFile() {
  graph::ShapeContext shapes(&context);
  LayerImporter importer(model, *module, shapes, /*training=*/true);
  importer.declareAll();
  Builder b(&context);
  StringRef metadata = model.metadataText;
  if (metadata.empty())
    metadata = R"({"keras_version": "3.0.0", "date_saved": ""})";
  (*module)->setAttr(
      "graph.archive",
      b.getDictionaryAttr(
          {b.getNamedAttr("config", b.getStringAttr(model.configText)),
           b.getNamedAttr("metadata", b.getStringAttr(metadata))}));
  SmallVector<Attribute> kept;
  for (const Hdf5Array *array : model.optimizer)
    if (ElementsAttr value = importer.valueOf(*array, "optimizer"))
      kept.push_back(value);
  (*module)->setAttr("graph.optimizer", b.getArrayAttr(kept));
  (*module)->setAttr("graph.compile",
                     b.getStringAttr(asText(model.compileConfig)));
}

LogicalResult ModelImporter::importAll() {
  if (options.training)
    describeFile();
  // Versions for some sizes are tried first, the one for all sizes last.
  std::vector<func::FuncOp> chain;
  for (const auto &shapes : options.specializations) {
    std::vector<EntryArgument> special = arguments;
    bool changes = false;
    for (const auto &[name, shape] : shapes)
      for (size_t i = 0; i < arguments.size(); ++i) {
        const EntryArgument &argument = arguments[i];
        if (argument.name != name)
          continue;
        bool fits = shape.size() == argument.shape.size();
        for (size_t d = 0; fits && d < shape.size(); ++d) {
          if (shape[d] < 0 || shape[d] == argument.shape[d])
            continue;
          fits = argument.shape[d] < 0;
          changes = true;
          for (EntryArgument &other : special)
            for (auto [size, label] : llvm::zip(other.shape, other.labels))
              if (label == argument.labels[d])
                size = shape[d];
        }
        if (!fits)
          return error("--specialize does not fit input '" + name + "'");
      }
    if (!changes)
      continue;
    auto version =
        importVersion("main.special" + std::to_string(chain.size()), special);
    if (!version)
      return failure();
    chain.push_back(version);
  }
  auto dynamic =
      importVersion(chain.empty() ? "main" : "main.dynamic", arguments);
  if (!dynamic)
    return failure();
  chain.push_back(dynamic);
  for (size_t i = 0; i < chain.size(); ++i) {
    if (i)
      chain[i]->setAttr("graph.version", UnitAttr::get(&context));
    if (i + 1 < chain.size())
      chain[i]->setAttr("graph.fallback",
                        FlatSymbolRefAttr::get(chain[i + 1].getSymNameAttr()));
  }
  chain[0].setSymName("main");
  if (!options.training)
    return success();
  if (failed(importStep("train", /*training=*/true)))
    return failure();
  return importStep("test", /*training=*/false);
}

LogicalResult ModelImporter::reportUnsupported() {
  if (unsupported.empty())
    return success();
  llvm::StringSet<> seen;
  for (const UnsupportedNode &node : unsupported) {
    if (!seen.insert(node.node + "\n" + node.op).second)
      continue;
    (void)error("node '" + node.node + "' (" + node.op + "): " + node.reason);
    if (options.unsupported)
      options.unsupported->push_back(node);
  }
  return failure();
}

OwningOpRef<ModuleOp> ModelImporter::run() {
  unsupported = model.unsupported;
  if (failed(reportUnsupported()))
    return nullptr;
  if (failed(findInputs()) || failed(applyOptions()))
    return nullptr;
  LogicalResult imported = importAll();
  if (failed(reportUnsupported()) || failed(imported) ||
      failed(verify(*module)))
    return nullptr;
  return std::move(module);
}
} // namespace

OwningOpRef<ModuleOp> importModel(KerasModel &model,
                                  const ImportOptions &options,
                                  MLIRContext &context) {
  return ModelImporter(model, options, context).run();
}

} // namespace tenon::keras
