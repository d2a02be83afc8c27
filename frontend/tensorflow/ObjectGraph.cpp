#include "frontend/tensorflow/ObjectGraph.h"

#include "llvm/ADT/StringMap.h"

namespace tenon::tf {

namespace {
using Tree = tfproto::TrackableObjectGraph;

/// The tensor of the object's value; empty when it has none.
std::string keyOf(const Tree::TrackableObject &object) {
  for (const auto &attribute : object.attributes())
    if (attribute.name() == "VARIABLE_VALUE")
      return attribute.checkpoint_key();
  return "";
}

/// Object of the model -> tensor of the checkpoint.
std::map<int, std::string> matchTrees(const tfproto::SavedObjectGraph &model,
                                      const Tree &saved) {
  std::map<int, std::string> keys;
  std::vector<std::pair<int, int>> work;
  auto reach = [&](int object, int place) {
    if (object < 0 || object >= model.nodes_size() || place < 0 ||
        place >= saved.nodes_size() ||
        !keys.emplace(object, keyOf(saved.nodes(place))).second)
      return;
    work.emplace_back(object, place);
  };
  reach(0, 0);
  for (size_t i = 0; i < work.size(); ++i) { // Grows while it runs.
    auto [object, place] = work[i];
    llvm::StringMap<int> children;
    for (const auto &child : saved.nodes(place).children())
      children[child.local_name()] = child.node_id();
    for (const auto &child : model.nodes(object).children())
      if (auto found = children.find(child.local_name());
          found != children.end())
        reach(child.node_id(), found->second);
  }
  return keys;
}
} // namespace

std::map<std::string, std::string>
findCapturedVariables(const tfproto::MetaGraphDef &meta,
                      Checkpoint &checkpoint) {
  const tfproto::SavedObjectGraph &model = meta.object_graph_def();
  if (!model.nodes_size())
    return {};
  auto bytes = checkpoint.read("_CHECKPOINTABLE_OBJECT_GRAPH");
  if (!bytes) { // Not every checkpoint has it, and not every model needs it.
    llvm::consumeError(bytes.takeError());
    return {};
  }
  Tree saved;
  if (bytes->strings.size() != 1 || !saved.ParseFromString(bytes->strings[0]))
    return {};
  std::map<int, std::string> keys = matchTrees(model, saved);

  std::map<std::string, std::string> result;
  for (const auto &node : meta.graph_def().node()) {
    auto callee = node.attr().find("f");
    if (callee == node.attr().end())
      continue;
    auto function =
        model.concrete_functions().find(callee->second.func().name());
    if (function == model.concrete_functions().end())
      continue;
    // What a function captures is given behind its own inputs.
    std::vector<std::string> inputs;
    for (const std::string &input : node.input())
      if (!llvm::StringRef(input).starts_with("^"))
        inputs.push_back(llvm::StringRef(input).rsplit(':').first.str());
    const auto &captured = function->second.bound_inputs();
    if (size_t(captured.size()) > inputs.size())
      continue;
    size_t first = inputs.size() - captured.size();
    for (int i = 0; i < captured.size(); ++i)
      if (auto key = keys.find(captured[i]);
          key != keys.end() && !key->second.empty())
        result.emplace(inputs[first + i], key->second);
  }
  return result;
}

} // namespace tenon::tf
