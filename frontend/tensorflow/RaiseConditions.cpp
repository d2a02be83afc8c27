//===- RaiseConditions.cpp - Switch and Merge become If -------------------===//
//
// A Merge takes whichever of its inputs is computed. The nodes between a Switch
// and a Merge are one branch; which one says the output of the Switch that they
// depend on. All merges of one predicate that do not depend on each other
// become one If, so that the branches' effects happen once.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/RaiseControlFlow.h"

namespace tenon::tf {

namespace {
/// The nodes behind one input of a Merge.
struct Branch {
  int polarity = -1; // output of the Switch; -1: not known
  Edge predicate;
  std::vector<Edge> captured; // edges from outside; Switch outputs themselves
};

class ConditionRaiser {
public:
  ConditionRaiser(GraphModel &model, Graph &graph)
      : model(model), graph(graph) {}

  llvm::Error run() {
    if (llvm::none_of(graph.nodes, isMerge))
      return llvm::Error::success();
    while (true) {
      auto order = forwardOrder(graph);
      if (!order)
        return order.takeError();
      analyze(*order);
      // Groups by predicate, in the graph's order.
      std::vector<std::pair<Edge, std::vector<Pair>>> groups;
      for (int index : ready) {
        Pair pair;
        pair.merge = index;
        if (!split(pair))
          continue; // stays, and is reported where it is needed
        auto found = llvm::find_if(groups, [&](const auto &group) {
          return group.first == pair.no.predicate;
        });
        if (found == groups.end()) {
          groups.push_back({pair.no.predicate, {}});
          found = std::prev(groups.end());
        }
        found->second.push_back(std::move(pair));
      }
      if (groups.empty())
        return llvm::Error::success();
      for (auto &[predicate, merges] : groups)
        if (llvm::Error error = raise(predicate, merges))
          return error;
    }
  }

private:
  struct Pair {
    int merge = -1;
    Branch no, yes;
    Edge noResult, yesResult;
  };

  /// Finds the merges with no other merge before them, and what depends on a
  /// Switch.
  void analyze(llvm::ArrayRef<int> order) {
    ready.clear();
    conditional.assign(graph.nodes.size(), false);
    std::vector<bool> later(graph.nodes.size());
    for (int index : order) {
      const Node &node = graph.nodes[index];
      bool late = false, depends = isSwitch(node);
      auto meet = [&](int source) {
        late = late || later[source] || isMerge(graph.nodes[source]);
        depends = depends || conditional[source];
      };
      for (Edge edge : node.inputs)
        meet(edge.node);
      for (int control : node.controls)
        meet(control);
      later[index] = late;
      conditional[index] = depends;
      if (isMerge(node) && !late && node.inputs.size() == 2)
        ready.push_back(index);
    }
    llvm::sort(ready);
  }

  /// Follows copies: a predicate is handed on through Identity nodes.
  Edge origin(Edge edge) const {
    for (size_t step = 0; step < graph.nodes.size(); ++step) {
      const Node &node = graph.nodes[edge.node];
      if (node.op != "Identity" || node.inputs.size() != 1)
        break;
      edge = node.inputs[0];
    }
    return edge;
  }

  /// Walks back from an input of a Merge to the switches before it.
  bool walk(Edge start, Branch &branch) const {
    std::vector<char> seen(graph.nodes.size());
    std::vector<Edge> work = {start};
    bool any = false;
    while (!work.empty()) {
      Edge edge = work.back();
      work.pop_back();
      const Node &node = graph.nodes[edge.node];
      if (isSwitch(node)) {
        if (node.inputs.size() != 2)
          return false;
        Edge predicate = origin(node.inputs[1]);
        if (any && !(predicate == branch.predicate))
          return false;
        any = true;
        branch.predicate = predicate;
        if (edge.output >= 0) {
          if (branch.polarity >= 0 && branch.polarity != edge.output)
            return false;
          branch.polarity = edge.output;
          branch.captured.push_back(edge);
        }
        continue;
      }
      if (!conditional[edge.node]) {
        if (edge.output >= 0)
          branch.captured.push_back(edge);
        continue;
      }
      if (seen[edge.node])
        continue;
      seen[edge.node] = true;
      for (Edge input : node.inputs)
        work.push_back(input);
      for (int control : node.controls)
        work.push_back({control, -1});
    }
    return any;
  }

  bool split(Pair &pair) const {
    const Node &node = graph.nodes[pair.merge];
    Branch a, b;
    bool hasA = walk(node.inputs[0], a), hasB = walk(node.inputs[1], b);
    if (!hasA || !hasB || !(a.predicate == b.predicate))
      return false;
    if (a.polarity < 0)
      a.polarity = 1 - b.polarity;
    if (b.polarity < 0)
      b.polarity = 1 - a.polarity;
    if (a.polarity + b.polarity != 1)
      return false;
    bool first = a.polarity == 0;
    pair.no = first ? a : b;
    pair.yes = first ? b : a;
    pair.noResult = node.inputs[first ? 0 : 1];
    pair.yesResult = node.inputs[first ? 1 : 0];
    return true;
  }

  llvm::Error raise(Edge predicate, llvm::ArrayRef<Pair> merges) {
    std::string name = graph.nodes[merges.front().merge].name;
    while (model.functions.count(name + "/then"))
      name += "_";
    Piece yes, no;
    yes.name = name + "/then";
    no.name = name + "/else";
    std::vector<Edge> inputs;
    auto capture = [&](Piece &piece, Edge edge) {
      // A Switch hands on its first input.
      const Node &node = graph.nodes[edge.node];
      Edge source = isSwitch(node) ? node.inputs[0] : edge;
      auto found = llvm::find(inputs, source);
      piece.arguments[{edge.node, edge.output}] = found - inputs.begin();
      if (found == inputs.end())
        inputs.push_back(source);
    };
    for (const Pair &pair : merges) {
      for (Edge edge : pair.no.captured)
        capture(no, edge);
      for (Edge edge : pair.yes.captured)
        capture(yes, edge);
      no.results.push_back(pair.noResult);
      yes.results.push_back(pair.yesResult);
    }
    no.argumentCount = yes.argumentCount = inputs.size();
    // What no Switch decides is computed before, also if only its effects
    // count.
    yes.isBoundary = no.isBoundary = [this](const Node &node) {
      return isSwitch(node) || !conditional[&node - graph.nodes.data()];
    };
    if (llvm::Error error = addFunction(model, graph, yes))
      return error;
    if (llvm::Error error = addFunction(model, graph, no))
      return error;
    int call = addCall(model, graph, name + "/if", "If",
                       {{"then_branch", yes.name}, {"else_branch", no.name}});
    conditional.push_back(false);
    Node &node = graph.nodes[call];
    node.inputs.push_back(predicate);
    for (Edge input : inputs)
      node.inputs.push_back(input);
    for (auto [i, pair] : llvm::enumerate(merges)) {
      Node &merge = graph.nodes[pair.merge];
      merge.op = "Identity";
      merge.inputs.assign(1, Edge{call, int(i)});
    }
    return llvm::Error::success();
  }

  GraphModel &model;
  Graph &graph;
  std::vector<int> ready;
  std::vector<bool> conditional; // depends on a Switch
};
} // namespace

llvm::Error raiseConditions(GraphModel &model, Graph &graph) {
  return ConditionRaiser(model, graph).run();
}

} // namespace tenon::tf
