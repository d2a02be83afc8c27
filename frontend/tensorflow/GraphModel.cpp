//===- GraphModel.cpp - names of a graph become indices -------------------===//

#include "frontend/tensorflow/Definitions.h"

namespace tenon::tf {

namespace {
/// Names are repeated for every copy of a function's body.
constexpr size_t kMaxNameBytes = 1 << 16;

llvm::Error failure(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

/// Adds the nodes of `defs` to `graph`, without their inputs.
template <typename Defs> llvm::Error addNodes(const Defs &defs, Graph &graph) {
  size_t first = graph.nodes.size();
  graph.nodes.resize(first + defs.size());
  for (const tfproto::NodeDef &def : defs) {
    if (def.name().empty())
      return failure("a node of operation '" + def.op() + "' has no name");
    if (def.name().size() > kMaxNameBytes)
      return failure("a node of operation '" + def.op() + "' has a name of " +
                     llvm::Twine(def.name().size()) + " bytes");
    if (def.op().empty())
      return failure("node '" + def.name() + "' has no operation");
    if (!graph.index.try_emplace(def.name(), first).second)
      return failure(describe(def, graph) + ": another node has this name");
    Node &node = graph.nodes[first++];
    node.name = def.name();
    node.op = def.op();
    node.def = &def;
  }
  return llvm::Error::success();
}

llvm::Error resolveGraphInputs(Graph &graph) {
  for (Node &node : graph.nodes) {
    for (const std::string &input : node.def->input()) {
      auto name = parseTensorName(input);
      if (!name)
        return failure(describe(*node.def, graph) + ": " +
                       llvm::toString(name.takeError()));
      auto source = graph.index.find(name->first);
      if (source == graph.index.end())
        return failure(describe(*node.def, graph) + ": input '" + input +
                       "' names no node");
      if (name->second < 0)
        node.controls.push_back(source->second);
      else if (!node.controls.empty())
        return failure(describe(*node.def, graph) + ": input '" + input +
                       "' stands after a control input");
      else
        node.inputs.push_back({source->second, name->second});
    }
  }
  return llvm::Error::success();
}

/// Resolves "argument", "node:output:2" and "node:output" inside a function.
llvm::Expected<Edge> resolveInFunction(llvm::StringRef text, const Graph &graph,
                                       const GraphModel &model) {
  auto [name, rest] = text.split(':');
  auto source = graph.index.find(name);
  if (source == graph.index.end())
    return failure("input '" + text + "' names no node");
  const Node &node = graph.nodes[source->second];
  Edge edge{source->second, 0};
  if (rest.empty())
    return edge;
  auto [output, number] = rest.split(':');
  unsigned position = 0;
  // "node:0" as in graphs occurs too.
  if (number.empty() && !output.getAsInteger(10, position)) {
    edge.output = position;
  } else {
    if (!number.empty() && number.getAsInteger(10, position))
      return failure("input '" + text + "' is malformed");
    int offset = outputOffset(node, output, model);
    if (offset < 0)
      return failure("input '" + text + "' names no output of operation '" +
                     node.op + "'");
    if (position > (1u << 20))
      return failure("input '" + text + "' has an impossible number");
    edge.output = offset + int(position);
  }
  if (edge.output < 0 || edge.output > (1 << 20))
    return failure("input '" + text + "' has an impossible number");
  return edge;
}

llvm::Error buildFunction(const tfproto::FunctionDef &def, GraphModel &model,
                          Graph &graph) {
  graph.def = &def;
  graph.name = def.signature().name();
  graph.argumentCount = def.signature().input_arg_size();
  graph.nodes.resize(graph.argumentCount);
  int position = 0;
  for (const auto &argument : def.signature().input_arg()) {
    if (!graph.index.try_emplace(argument.name(), position).second)
      return failure("function '" + graph.name +
                     "' has two arguments of the name '" + argument.name() +
                     "'");
    Node &node = graph.nodes[position++];
    node.name = argument.name();
    node.op = "_Arg";
  }
  return addNodes(def.node_def(), graph);
}

llvm::Error resolveFunction(GraphModel &model, Graph &graph) {
  for (Node &node : graph.nodes) {
    if (!node.def)
      continue;
    for (llvm::StringRef input : node.def->input()) {
      if (input.consume_front("^")) {
        auto source = graph.index.find(input);
        if (source == graph.index.end())
          return failure(describe(*node.def, graph) + ": input '^" + input +
                         "' names no node");
        node.controls.push_back(source->second);
        continue;
      }
      auto edge = resolveInFunction(input, graph, model);
      if (!edge)
        return failure(describe(*node.def, graph) + ": " +
                       llvm::toString(edge.takeError()));
      node.inputs.push_back(*edge);
    }
  }
  const auto &returned = graph.def->ret();
  for (const auto &result : graph.def->signature().output_arg()) {
    auto found = returned.find(result.name());
    if (found == returned.end())
      return failure("function '" + graph.name + "' does not return '" +
                     result.name() + "'");
    auto edge = resolveInFunction(found->second, graph, model);
    if (!edge)
      return failure("function '" + graph.name +
                     "': " + llvm::toString(edge.takeError()));
    graph.results.push_back(*edge);
  }
  // The map of the message has no order of its own.
  std::map<std::string, std::string> controls(graph.def->control_ret().begin(),
                                              graph.def->control_ret().end());
  for (const auto &[key, name] : controls) {
    auto source = graph.index.find(name);
    if (source == graph.index.end())
      return failure("function '" + graph.name + "': control result '" + name +
                     "' names no node");
    graph.controlResults.push_back(source->second);
  }
  return llvm::Error::success();
}
} // namespace

std::string describe(const tfproto::NodeDef &def, const Graph &graph) {
  std::string text = "node '" + def.name() + "' (" + def.op() + ")";
  if (!graph.name.empty())
    text += " of function '" + graph.name + "'";
  return text;
}

const AttrValue *Node::attr(llvm::StringRef name) const {
  if (!def)
    return nullptr;
  auto found = def->attr().find(name.str());
  return found == def->attr().end() ? nullptr : &found->second;
}

const Node *Graph::find(llvm::StringRef name) const {
  auto found = index.find(name);
  return found == index.end() ? nullptr : &nodes[found->second];
}

const Graph *GraphModel::function(llvm::StringRef name) const {
  auto found = functions.find(name.str());
  return found == functions.end() ? nullptr : found->second.get();
}

llvm::Expected<std::pair<llvm::StringRef, int>>
parseTensorName(llvm::StringRef text) {
  if (text.starts_with("^")) {
    if (text.size() == 1)
      return failure("'^' names no node");
    return std::pair(text.drop_front(), -1);
  }
  auto [name, number] = text.rsplit(':');
  if (name.size() == text.size()) {
    if (text.empty())
      return failure("an empty name");
    return std::pair(text, 0);
  }
  unsigned output = 0;
  if (name.empty() || number.getAsInteger(10, output) || output > (1u << 20))
    return failure("'" + text + "' is not of the form name:number");
  return std::pair(name, int(output));
}

llvm::Error buildGraph(const tfproto::GraphDef &def, GraphModel &model) {
  model.producer =
      def.has_versions() ? def.versions().producer() : def.version();
  if (llvm::Error error = addNodes(def.node(), model.graph))
    return error;
  if (llvm::Error error = resolveGraphInputs(model.graph))
    return error;
  // Calls may refer to functions further down: first all names, then inputs.
  for (const auto &function : def.library().function()) {
    auto graph = std::make_unique<Graph>();
    if (llvm::Error error = buildFunction(function, model, *graph))
      return error;
    std::string name = graph->name;
    if (!model.functions.try_emplace(name, std::move(graph)).second)
      return failure("two functions have the name '" + name + "'");
  }
  for (auto &[name, graph] : model.functions)
    if (llvm::Error error = resolveFunction(model, *graph))
      return error;
  for (auto &[name, graph] : model.functions)
    if (llvm::Error error = checkNodes(*graph))
      return error;
  return checkNodes(model.graph);
}

llvm::Expected<std::vector<int>>
orderNodes(const Graph &graph, llvm::ArrayRef<int> roots,
           llvm::function_ref<bool(const Node &, Edge)> skip) {
  enum : char { New, Open, Done };
  std::vector<char> states(graph.nodes.size(), New);
  std::vector<int> order;
  // An explicit stack: files may hold chains of any length.
  std::vector<std::pair<int, size_t>> stack;
  for (int root : roots) {
    if (states[root] != New)
      continue;
    stack.push_back({root, 0});
    states[root] = Open;
    while (!stack.empty()) {
      auto &[index, next] = stack.back();
      const Node &node = graph.nodes[index];
      if (next == node.inputs.size() + node.controls.size()) {
        states[index] = Done;
        order.push_back(index);
        stack.pop_back();
        continue;
      }
      // What only has to run before comes first: its effects precede ours.
      size_t position = next++;
      Edge edge = position < node.controls.size()
                      ? Edge{node.controls[position], -1}
                      : node.inputs[position - node.controls.size()];
      if (skip(node, edge))
        continue;
      int source = edge.node;
      if (states[source] == Open)
        return llvm::createStringError("node '" + node.name + "' (" + node.op +
                                       "): it is part of a cycle");
      if (states[source] == New) {
        states[source] = Open;
        stack.push_back({source, 0});
      }
    }
  }
  return order;
}

} // namespace tenon::tf
