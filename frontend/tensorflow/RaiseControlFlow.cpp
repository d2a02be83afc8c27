//===- RaiseControlFlow.cpp - pieces of graphs become functions -----------===//

#include "frontend/tensorflow/RaiseControlFlow.h"

namespace tenon::tf {

llvm::Expected<std::vector<int>> forwardOrder(const Graph &graph) {
  return orderNodes(
      graph, llvm::to_vector(llvm::seq<int>(0, graph.nodes.size())),
      [&](const Node &node, Edge edge) {
        return isMerge(node) && isNextIteration(graph.nodes[edge.node]);
      });
}

llvm::Error addFunction(GraphModel &model, Graph &graph, const Piece &piece) {
  auto function = std::make_unique<Graph>();
  function->name = piece.name;
  function->argumentCount = piece.argumentCount;
  function->raised = true;
  function->nodes.resize(piece.argumentCount);
  for (int i = 0; i < piece.argumentCount; ++i) {
    function->nodes[i].name = "argument" + std::to_string(i);
    function->nodes[i].op = "_Arg";
  }
  auto argument = [&](Edge edge) {
    auto found = piece.arguments.find({edge.node, edge.output});
    return found == piece.arguments.end() ? -1 : found->second;
  };
  // All nodes that the results need, in the graph's order.
  std::vector<char> needed(graph.nodes.size());
  std::vector<int> work(piece.controlResults);
  for (Edge edge : piece.results)
    if (argument(edge) < 0)
      work.push_back(edge.node);
  while (!work.empty()) {
    int index = work.back();
    work.pop_back();
    if (needed[index])
      continue;
    needed[index] = true;
    const Node &node = graph.nodes[index];
    if (piece.isBoundary(node))
      return llvm::createStringError("node '" + node.name + "' (" + node.op +
                                     "): control flow of an unknown form");
    for (Edge edge : node.inputs)
      if (argument(edge) < 0)
        work.push_back(edge.node);
    for (int control : node.controls)
      if (!piece.isBoundary(graph.nodes[control]))
        work.push_back(control);
  }
  std::vector<int> places(graph.nodes.size(), -1);
  for (int i = 0; i < int(graph.nodes.size()); ++i)
    if (needed[i]) {
      places[i] = function->nodes.size();
      function->nodes.push_back(graph.nodes[i]);
      function->index[graph.nodes[i].name] = places[i];
      graph.nodes[i].moved = true;
    }
  auto moved = [&](Edge edge) {
    int place = argument(edge);
    return place >= 0 ? Edge{place, 0} : Edge{places[edge.node], edge.output};
  };
  for (size_t i = piece.argumentCount; i < function->nodes.size(); ++i) {
    Node &node = function->nodes[i];
    for (Edge &edge : node.inputs)
      edge = moved(edge);
    llvm::SmallVector<int, 2> controls;
    for (int control : node.controls)
      if (places[control] >= 0)
        controls.push_back(places[control]);
    node.controls = controls;
  }
  for (Edge edge : piece.results)
    function->results.push_back(moved(edge));
  for (int control : piece.controlResults)
    function->controlResults.push_back(places[control]);
  if (llvm::Error error = raiseConditions(model, *function))
    return error;
  if (!model.functions.try_emplace(piece.name, std::move(function)).second)
    return llvm::createStringError("two functions have the name '" +
                                   piece.name + "'");
  return llvm::Error::success();
}

int addCall(GraphModel &model, Graph &graph, const std::string &name,
            const std::string &op,
            llvm::ArrayRef<std::pair<std::string, std::string>> functions,
            const std::string &list) {
  tfproto::NodeDef &def = model.synthetic.emplace_back();
  def.set_name(name);
  def.set_op(op);
  for (const auto &[attr, function] : functions) {
    if (list.empty())
      (*def.mutable_attr())[attr].mutable_func()->set_name(function);
    else
      (*def.mutable_attr())[list].mutable_list()->add_func()->set_name(
          function);
  }
  Node node;
  node.name = name;
  node.op = op;
  node.def = &def;
  graph.nodes.push_back(std::move(node));
  return graph.nodes.size() - 1;
}

llvm::Error raiseControlFlow(GraphModel &model) {
  std::vector<Graph *> graphs = {&model.graph};
  for (auto &[name, function] : model.functions)
    graphs.push_back(function.get());
  for (Graph *graph : graphs) {
    // Also of what no entry point needs: such a file is not what it was.
    if (auto order = forwardOrder(*graph); !order)
      return order.takeError();
    if (llvm::Error error = raiseStacks(model, *graph))
      return error;
    if (llvm::none_of(graph->nodes, isMerge))
      continue;
    if (llvm::Error error = raiseLoops(model, *graph))
      return error;
    if (llvm::Error error = raiseConditions(model, *graph))
      return error;
  }
  return llvm::Error::success();
}

} // namespace tenon::tf
