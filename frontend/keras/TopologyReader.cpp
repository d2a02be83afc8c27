//===- TopologyReader.cpp - from a configuration to connected layers ------===//

#include "frontend/keras/TopologyReader.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tenon::keras {

namespace {
constexpr unsigned kMaxNesting = 32;
constexpr size_t kMaxLayers = 200'000;

/// The member `key` of an object, when it has the type of one.
const json::Object *objectOf(const json::Value *value) {
  return value ? value->getAsObject() : nullptr;
}

bool isModelClass(StringRef name) {
  return name == "Sequential" || name == "Functional" || name == "Model";
}

/// Modules whose classes are Keras's own.
bool isKerasModule(StringRef module) {
  for (StringRef prefix :
       {"keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras"})
    if (module == prefix || module.starts_with((prefix + ".").str()))
      return true;
  return false;
}

std::string unique(std::string name, StringMap<unsigned> &used) {
  auto [known, isNew] = used.try_emplace(name, 0);
  return isNew ? name : name + "_" + std::to_string(++known->second);
}
} // namespace

std::string snakeCase(StringRef className) {
  // Exported under another name than its class has.
  if (className == "GroupQueryAttention")
    className = "GroupedQueryAttention";
  // As two regular expressions do it: before a capital that begins a word, and
  // between a small letter and a capital.
  std::string text, result;
  for (char c : className)
    if (isAlnum(c) || c == '_')
      text += c;
  for (size_t i = 0; i < text.size(); ++i) {
    bool capital = isUpper(text[i]);
    bool begins = capital && i + 1 < text.size() && isLower(text[i + 1]);
    if (i && capital && (begins || isLower(text[i - 1])) &&
        (result.empty() || result.back() != '_'))
      result += '_';
    result += toLower(text[i]);
  }
  return result;
}

void Declaration::weight(StringRef name, bool trainable, StringRef part,
                         std::optional<unsigned> index) {
  Weight weight;
  weight.name = name.str();
  weight.trainable = trainable && layer.trainable;
  weight.part = part.str();
  for (const Weight &other : layer.weights)
    weight.index += other.part == weight.part;
  weight.index = index.value_or(weight.index);
  weight.path = layer.scope + "/" + weight.name;
  layer.weights.push_back(std::move(weight));
}

void Declaration::part(StringRef attribute, const json::Value &config,
                       StringRef place) {
  if (Layer *inner =
          reader.readLayer(config, layer.scope,
                           (layer.place + "/" + place).str(), layer.trainable))
    layer.parts.emplace_back(attribute.str(), inner);
  else
    this->config.fail("'" + attribute + "' is not a layer");
}

void TopologyReader::refuse(const Layer &layer, const Twine &reason) {
  for (const UnsupportedNode &known : model.unsupported)
    if (known.node == layer.name && known.op == layer.className)
      return;
  model.unsupported.push_back({layer.name, layer.className, reason.str()});
}

Layer *TopologyReader::readLayer(const json::Value &value, StringRef scope,
                                 StringRef place, bool trainable) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return nullptr;
  // The same object at several places is one layer.
  std::optional<int64_t> shared = object->getInteger("shared_object_id");
  if (shared)
    if (auto known = sharedLayers.find(*shared); known != sharedLayers.end())
      return known->second;
  std::optional<StringRef> className = object->getString("class_name");
  const json::Object *config = object->getObject("config");
  if (!className || !config)
    return nullptr;
  if (model.layers.size() >= kMaxLayers || nesting >= kMaxNesting) {
    tooLarge = true;
    return nullptr;
  }
  Layer &layer = model.layers.emplace_back();
  if (shared)
    sharedLayers[*shared] = &layer;
  layer.className = className->str();
  layer.config = *config;
  std::string fallback = snakeCase(*className);
  layer.name = object->getString("name")
                   .value_or(config->getString("name").value_or(fallback))
                   .str();
  layer.trainable = trainable && config->getBoolean("trainable").value_or(true);
  layer.scope = scope.empty() ? layer.name : (scope + "/" + layer.name).str();
  layer.place = place.str();
  ++nesting;
  fill(layer, *object);
  --nesting;
  return &layer;
}

void TopologyReader::fill(Layer &layer, const json::Object &object) {
  StringRef module = object.getString("module").value_or("keras.layers");
  StringRef name = layer.className;
  layer.isOperation = module.contains(".ops");
  const LayerTable &table = layer.isOperation ? operationKinds() : layerKinds();
  auto kind = table.find(name);
  if (isModelClass(name) && isKerasModule(module))
    return readModel(layer);
  if (name == "Lambda")
    return refuse(layer, "it holds Python code, which cannot be compiled; use "
                         "layers or keras.ops instead, or save the model with "
                         "model.export() and compile the SavedModel");
  if (!isKerasModule(module))
    return refuse(layer, "a class of your own (module '" + module +
                             "') is Python code, which the file does not hold; "
                             "save the model with model.export() and compile "
                             "the SavedModel");
  if (kind == table.end())
    return refuse(layer, layer.isOperation ? "the function is not supported"
                                           : "the layer is not supported");
  layer.kind = &kind->second;
  if (!layer.kind->declare)
    return;
  std::string problem;
  Declaration declaration(*this, layer, problem);
  layer.kind->declare(declaration);
  if (!problem.empty())
    refuse(layer, problem);
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

void TopologyReader::readModel(Layer &layer) {
  static const LayerKind kModel{};
  layer.kind = &kModel;
  layer.topology = std::make_unique<Topology>();
  Topology &topology = *layer.topology;
  topology.sequential = layer.className == "Sequential";
  const json::Array *list = layer.config.getArray("layers");
  if (!list)
    return refuse(layer, "the configuration has no list of layers; a subclass "
                         "of Model is Python code: save it with model.export() "
                         "and compile the SavedModel");
  StringMap<unsigned> used;
  for (const json::Value &value : *list) {
    const json::Object *object = value.getAsObject();
    StringRef className =
        object ? object->getString("class_name").value_or("") : "";
    StringRef module =
        object ? object->getString("module").value_or("keras.layers") : "";
    // Files have no place for functions, and none for a Sequential's input.
    std::string place = layer.place;
    if (!module.contains(".ops") &&
        !(topology.sequential && className == "InputLayer"))
      place += (place.empty() ? "layers/" : "/layers/") +
               unique(snakeCase(className), used);
    Layer *inner = readLayer(value, topology.sequential ? layer.scope : "",
                             place, layer.trainable);
    if (!inner)
      return refuse(layer, tooLarge
                               ? "the model has too many layers, or they "
                                 "nest too deeply"
                               : "element " +
                                     std::to_string(topology.layers.size()) +
                                     " of 'layers' is not a layer");
    StringRef name = inner->name;
    if (object->getString("name"))
      name = *object->getString("name");
    if (!topology.index.try_emplace(name, topology.layers.size()).second)
      return refuse(layer, "it has two layers '" + name + "'");
    topology.layers.push_back(inner);
    topology.calls.emplace_back();
    if (!topology.sequential && !readCalls(topology.calls.back(), *object))
      return refuse(*inner, "'inbound_nodes' is not a list of calls");
  }
  if (topology.sequential)
    return;
  bool legacy = llvm::any_of(topology.calls, [](const auto &calls) {
    return llvm::any_of(calls, [](const LayerCall &c) { return c.legacy; });
  });
  bool single = true;
  if (!readRefs(topology, layer.config.get("input_layers"), legacy,
                topology.inputs, topology.inputKeys, single))
    return refuse(layer, "'input_layers' names no tensors of the model");
  if (!readRefs(topology, layer.config.get("output_layers"), legacy,
                topology.outputs, topology.outputKeys, single))
    return refuse(layer, "'output_layers' names no tensors of the model");
  if (topology.outputs.empty())
    return refuse(layer, "it has no outputs");
  topology.manyOutputs = !single;
}

bool TopologyReader::readCalls(std::vector<LayerCall> &calls,
                               const json::Object &object) {
  const json::Array *nodes = object.getArray("inbound_nodes");
  if (!nodes)
    return false;
  for (const json::Value &node : *nodes) {
    LayerCall call;
    if (const json::Object *fields = node.getAsObject()) {
      call.arguments = fields->get("args");
      call.keywords = fields->get("kwargs");
      if (!call.arguments || !call.arguments->getAsArray())
        return false;
    } else if (node.getAsArray()) {
      call.arguments = &node;
      call.legacy = true;
    } else {
      return false;
    }
    calls.push_back(call);
  }
  return true;
}

std::optional<TensorRef> TopologyReader::readRef(const Topology &topology,
                                                 const json::Array &list,
                                                 bool shifted) {
  if (list.size() < 3)
    return std::nullopt;
  std::optional<StringRef> name = list[0].getAsString();
  std::optional<int64_t> call = list[1].getAsInteger(),
                         tensor = list[2].getAsInteger();
  if (!name || !call || !tensor)
    return std::nullopt;
  auto found = topology.index.find(*name);
  if (found == topology.index.end())
    return std::nullopt;
  // Models count the call that made them, too.
  const Layer &layer = *topology.layers[found->second];
  if (shifted && layer.topology && *call > 0)
    --*call;
  int64_t calls = std::max<size_t>(topology.calls[found->second].size(), 1);
  if (*call < 0 || *call >= calls || *tensor < 0 || *tensor > INT32_MAX)
    return std::nullopt;
  return TensorRef{found->second, unsigned(*call), unsigned(*tensor)};
}

bool TopologyReader::readRefs(const Topology &topology,
                              const json::Value *value, bool legacy,
                              std::vector<TensorRef> &refs,
                              std::vector<std::string> &keys, bool &single) {
  single = true;
  if (const json::Object *object = objectOf(value)) {
    single = false;
    std::map<std::string, const json::Value *> sorted;
    for (const auto &[key, element] : *object)
      sorted[key.str()] = &element;
    for (const auto &[key, element] : sorted) {
      size_t before = refs.size();
      std::vector<std::string> inner;
      bool innerSingle = true;
      if (!readRefs(topology, element, legacy, refs, inner, innerSingle))
        return false;
      for (size_t i = before; i < refs.size(); ++i)
        keys.push_back(refs.size() == before + 1
                           ? key
                           : key + "_" + std::to_string(i - before));
    }
    return true;
  }
  const json::Array *list = value ? value->getAsArray() : nullptr;
  if (!list)
    return false;
  if (list->size() == 3 && (*list)[0].getAsString()) {
    // Functional models are counted from 1 here, sequential ones only in old
    // files.
    const json::Value &name = (*list)[0];
    auto found = topology.index.find(*name.getAsString());
    bool shifted =
        legacy || (found != topology.index.end() &&
                   topology.layers[found->second]->topology &&
                   !topology.layers[found->second]->topology->sequential);
    auto ref = readRef(topology, *list, shifted);
    if (ref)
      refs.push_back(*ref);
    return bool(ref);
  }
  single = false;
  bool innerSingle = true;
  for (const json::Value &element : *list)
    if (!readRefs(topology, &element, legacy, refs, keys, innerSingle))
      return false;
  return true;
}

Error TopologyReader::run() {
  json::Value whole(json::Object(model.config));
  model.root = readLayer(whole, "", "", true);
  if (!model.root)
    return createStringError(
        "the configuration is not that of a model: expected an object with "
        "'class_name' and 'config'");
  if (!model.root->topology && model.unsupported.empty())
    return createStringError("the configuration is that of a layer (" +
                             model.root->className +
                             "), expected a Sequential or Functional model");
  return Error::success();
}

Error readTopology(KerasModel &model) { return TopologyReader(model).run(); }

} // namespace tenon::keras
