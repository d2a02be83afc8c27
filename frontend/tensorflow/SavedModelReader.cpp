//===- SavedModelReader.cpp - signatures and variables of a model ---------===//

#include "frontend/tensorflow/CheckpointReader.h"
#include "frontend/tensorflow/GraphReader.h"
#include "frontend/tensorflow/ObjectGraph.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSet.h"

namespace tenon::tf {

namespace {
llvm::Error failure(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

llvm::Expected<SignatureTensor> readInfo(const std::string &name,
                                         const tfproto::TensorInfo &info) {
  SignatureTensor tensor;
  tensor.name = name;
  if (info.name().empty())
    return failure("tensor '" + name + "' of a signature is not dense");
  tensor.tensor = info.name();
  tensor.dtype = info.dtype();
  tensor.unknownRank = info.tensor_shape().unknown_rank();
  for (const auto &dim : info.tensor_shape().dim())
    tensor.shape.push_back(dim.size() < 0 ? -1 : dim.size());
  return tensor;
}

template <typename Map>
llvm::Error readInfos(const Map &map, std::vector<SignatureTensor> &tensors) {
  for (const auto &[name, info] : map) {
    auto tensor = readInfo(name, info);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  // The message's map has no order; Python gives dictionaries sorted too.
  llvm::sort(tensors, [](const SignatureTensor &a, const SignatureTensor &b) {
    return a.name < b.name;
  });
  return llvm::Error::success();
}

/// The node that a tensor's name begins with.
std::string nodeOf(llvm::StringRef tensor) {
  return tensor.rsplit(':').first.str();
}

/// What a value inside the restore operation is, as far as that matters.
struct Known {
  enum Kind { Nothing, Handle, Restored, Names } kind = Nothing;
  std::string name; // of the handle's node, or the checkpoint's tensor
  std::string slice;
  std::vector<std::string> names;
};

/// Follows the restore operation through calls and records which variable is
/// given which tensor of the checkpoint.
class RestoreReader {
public:
  explicit RestoreReader(GraphModel &model) : model(model) {}

  llvm::Error run() {
    auto found = model.graph.index.find(model.restoreNode);
    if (found == model.graph.index.end())
      return failure("the saver's restore operation '" + model.restoreNode +
                     "' is not in the graph");
    Frame frame{model.graph, {}, {}, {}};
    return visit(frame, found->second);
  }

  /// Handle's node -> tensor of the checkpoint, with slice.
  std::map<std::string, std::pair<std::string, std::string>> keys;

private:
  struct Frame {
    const Graph &graph;
    std::vector<Known> arguments;
    std::map<std::pair<int, int>, Known> values;
    llvm::DenseSet<int> visited;
  };

  /// Everything that `start` runs.
  llvm::Error visit(Frame &frame, int start) {
    std::vector<int> work = {start};
    while (!work.empty()) {
      int index = work.back();
      work.pop_back();
      if (!frame.visited.insert(index).second)
        continue;
      const Node &node = frame.graph.nodes[index];
      for (const Edge &input : node.inputs)
        work.push_back(input.node);
      for (int control : node.controls)
        work.push_back(control);
      if (llvm::Error error = perform(frame, node))
        return error;
    }
    return llvm::Error::success();
  }

  llvm::Error perform(Frame &frame, const Node &node) {
    if ((node.op == "AssignVariableOp" || node.op == "Assign") &&
        node.inputs.size() >= 2) {
      auto handle = evaluate(frame, node.inputs[0], 0);
      if (!handle)
        return handle.takeError();
      auto value = evaluate(frame, node.inputs[1], 0);
      if (!value)
        return value.takeError();
      if (handle->kind == Known::Handle && value->kind == Known::Restored)
        keys[handle->name] = {value->name, value->slice};
      return llvm::Error::success();
    }
    const Graph *callee = calledFunction(node);
    if (!callee)
      return llvm::Error::success();
    if (++calls > 1000)
      return failure("the restore operation calls too many functions");
    Frame inner{*callee, {}, {}, {}};
    for (const Edge &input : node.inputs) {
      auto value = evaluate(frame, input, 0);
      if (!value)
        return value.takeError();
      inner.arguments.push_back(std::move(*value));
    }
    for (size_t i = 0; i < callee->nodes.size(); ++i)
      if (llvm::Error error = visit(inner, int(i)))
        return error;
    return llvm::Error::success();
  }

  const Graph *calledFunction(const Node &node) const {
    if (node.op != "StatefulPartitionedCall" && node.op != "PartitionedCall")
      return nullptr;
    const AttrValue *callee = node.attr("f");
    return callee ? model.function(callee->func().name()) : nullptr;
  }

  llvm::Expected<Known> evaluate(Frame &frame, Edge edge, int depth) {
    if (depth > 1000)
      return failure("the restore operation nests too deeply");
    const Node &node = frame.graph.nodes[edge.node];
    if (node.op == "_Arg")
      return size_t(edge.node) < frame.arguments.size()
                 ? frame.arguments[edge.node]
                 : Known();
    if (node.op == "VarHandleOp" || node.op == "VariableV2" ||
        node.op == "Variable")
      return Known{Known::Handle, node.name, "", {}};
    if ((node.op == "Identity" || node.op == "Cast") && !node.inputs.empty())
      return evaluate(frame, node.inputs[0], depth + 1);
    if (node.op == "Const") {
      const AttrValue *value = node.attr("value");
      if (!value || value->tensor().dtype() != DataType::DT_STRING)
        return Known();
      auto tensor = readTensor(value->tensor(), model.storage);
      if (!tensor)
        return failure("node '" + node.name +
                       "' (Const): " + llvm::toString(tensor.takeError()));
      return Known{Known::Names, "", "", std::move(tensor->strings)};
    }
    if (node.op == "RestoreV2" && node.inputs.size() == 3) {
      auto names = evaluate(frame, node.inputs[1], depth + 1);
      if (!names)
        return names.takeError();
      auto slices = evaluate(frame, node.inputs[2], depth + 1);
      if (!slices)
        return slices.takeError();
      if (size_t(edge.output) >= names->names.size())
        return Known();
      Known result{Known::Restored, names->names[edge.output], "", {}};
      if (size_t(edge.output) < slices->names.size())
        result.slice = slices->names[edge.output];
      return result;
    }
    return Known();
  }

  GraphModel &model;
  int calls = 0;
};

std::vector<int64_t> shapeOf(const AttrValue *attr) {
  std::vector<int64_t> shape;
  if (attr)
    for (const auto &dim : attr->shape().dim())
      shape.push_back(dim.size());
  return shape;
}

/// Variables that the file marks as trainable, by shared name.
llvm::StringSet<> trainableNames(const tfproto::MetaGraphDef &meta) {
  llvm::StringSet<> names;
  for (const auto &object : meta.object_graph_def().nodes())
    if (object.has_variable() && object.variable().trainable())
      names.insert(object.variable().name());
  auto found = meta.collection_def().find("trainable_variables");
  if (found != meta.collection_def().end())
    for (const std::string &bytes : found->second.bytes_list().value()) {
      tfproto::VariableDef variable;
      if (variable.ParseFromString(bytes))
        names.insert(nodeOf(variable.variable_name()));
    }
  return names;
}

llvm::Error declareVariables(const tfproto::MetaGraphDef &meta,
                             GraphModel &model) {
  llvm::StringSet<> trainable = trainableNames(meta);
  for (const Node &node : model.graph.nodes) {
    if (node.op != "VarHandleOp" && node.op != "VariableV2")
      continue;
    Variable variable;
    const AttrValue *shared = node.attr("shared_name");
    variable.name = shared && !shared->s().empty() ? shared->s() : node.name;
    if (const AttrValue *dtype = node.attr("dtype"))
      variable.dtype = dtype->type();
    variable.shape = shapeOf(node.attr("shape"));
    variable.trainable =
        trainable.contains(variable.name) || trainable.contains(node.name);
    model.variables[node.name] = std::move(variable);
  }
  return llvm::Error::success();
}

/// The operation that prepares a model before its first use.
std::string initNodeOf(const tfproto::MetaGraphDef &meta) {
  auto found = meta.signature_def().find("__saved_model_init_op");
  if (found != meta.signature_def().end())
    for (const auto &[name, info] : found->second.outputs())
      return nodeOf(info.name());
  for (const char *key : {"saved_model_main_op", "legacy_init_op"}) {
    auto collection = meta.collection_def().find(key);
    if (collection != meta.collection_def().end() &&
        collection->second.node_list().value_size())
      return nodeOf(collection->second.node_list().value(0));
  }
  return "";
}

llvm::Expected<TensorData> readVariable(Checkpoint &checkpoint,
                                        llvm::StringRef key,
                                        llvm::StringRef slice,
                                        const Variable &variable) {
  auto tensor = checkpoint.readSlice(key, slice);
  if (!tensor)
    return failure("variable '" + variable.name +
                   "': " + llvm::toString(tensor.takeError()));
  if (tensor->dtype != variable.dtype)
    return failure(
        "variable '" + variable.name + "' is " + dtypeName(variable.dtype) +
        ", its value in the checkpoint is " + dtypeName(tensor->dtype));
  return tensor;
}
} // namespace

llvm::Error readMetaGraph(const tfproto::MetaGraphDef &meta,
                          GraphModel &model) {
  if (llvm::Error error = buildGraph(meta.graph_def(), model))
    return error;
  std::map<std::string, const tfproto::SignatureDef *> sorted;
  for (const auto &[name, signature] : meta.signature_def())
    if (!llvm::StringRef(name).starts_with("__saved_model_"))
      sorted[name] = &signature;
  for (const auto &[name, source] : sorted) {
    Signature signature;
    signature.name = name;
    if (llvm::Error error = readInfos(source->inputs(), signature.inputs))
      return failure("signature '" + name +
                     "': " + llvm::toString(std::move(error)));
    if (llvm::Error error = readInfos(source->outputs(), signature.outputs))
      return failure("signature '" + name +
                     "': " + llvm::toString(std::move(error)));
    model.signatures.push_back(std::move(signature));
  }
  model.restoreNode = meta.saver_def().restore_op_name();
  model.initNode = initNodeOf(meta);
  return declareVariables(meta, model);
}

llvm::Error restoreVariables(const std::string &prefix,
                             const tfproto::MetaGraphDef &meta,
                             GraphModel &model) {
  if (model.variables.empty() || model.restoreNode.empty())
    return llvm::Error::success();
  auto checkpoint = Checkpoint::open(prefix);
  if (!checkpoint)
    return checkpoint.takeError();
  RestoreReader reader(model);
  if (llvm::Error error = reader.run())
    return error;
  std::shared_ptr<Checkpoint> shared = std::move(*checkpoint);
  for (auto &[node, key] : findCapturedVariables(meta, *shared))
    reader.keys.try_emplace(node, key, "");
  for (auto &[node, place] : reader.keys) {
    auto found = model.variables.find(node);
    if (found == model.variables.end())
      continue;
    Variable &variable = found->second;
    variable.read = [shared, place = place, &variable]() {
      return readVariable(*shared, place.first, place.second, variable);
    };
  }
  return llvm::Error::success();
}

} // namespace tenon::tf
