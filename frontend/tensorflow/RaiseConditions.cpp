//===- RaiseConditions.cpp - Switch and Merge become If and Case ----------===//
//
// A Merge takes whichever of its inputs is computed. The nodes between a Switch
// and a Merge are one branch; which one says the output of the Switch that they
// depend on. All merges of one predicate that do not depend on each other
// become one If, so that the branches' effects happen once.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/RaiseControlFlow.h"

#include "llvm/Support/Endian.h"

namespace tenon::tf {

namespace {
/// The nodes behind one input of a Merge.
struct Branch {
  int polarity = -1; // output of the Switch; -1: not known
  Edge predicate;
  bool many = false;          // a _SwitchN
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
      passThrough(*order);
      // Groups by predicate, in the graph's order.
      std::vector<std::vector<Choice>> groups;
      for (int index : ready) {
        Choice choice;
        choice.merge = index;
        if (!split(choice))
          continue; // stays, and is reported where it is needed
        auto found = llvm::find_if(groups, [&](const auto &group) {
          return group.front().predicate == choice.predicate &&
                 group.front().branches.size() == choice.branches.size();
        });
        if (found == groups.end())
          found = groups.emplace(groups.end());
        found->push_back(std::move(choice));
      }
      if (groups.empty())
        return llvm::Error::success();
      for (const std::vector<Choice> &merges : groups)
        if (llvm::Error error = raise(merges))
          return error;
    }
  }

private:
  struct Choice {
    int merge = -1;
    Edge predicate;
    bool many = false;            // an index chooses, not a boolean
    std::vector<Branch> branches; // by output of the Switch
    std::vector<Edge> results;
    std::vector<int> inputs; // of the Merge, by output of the Switch
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
      if (isMerge(node) && !late && node.inputs.size() >= 2)
        ready.push_back(index);
    }
    llvm::sort(ready);
  }

  /// A Switch of what is computed in a branch of the same condition hands it
  /// on, as derivatives of derivatives do.
  void passThrough(llvm::ArrayRef<int> order) {
    std::map<std::pair<int, int>, Edge> same;
    auto handedOn = [&](Edge edge) {
      auto found = same.find({edge.node, edge.output});
      return found == same.end() ? edge : found->second;
    };
    for (int index : order) {
      Node &node = graph.nodes[index];
      for (Edge &input : node.inputs)
        input = handedOn(input);
      if (!isSwitch(node) || node.inputs.size() != 2 ||
          !conditional[node.inputs[0].node])
        continue;
      Branch branch;
      if (walk(node.inputs[0], branch) && branch.polarity >= 0 &&
          branch.predicate == origin(node.inputs[1]))
        same[{index, branch.polarity}] = node.inputs[0];
    }
    for (Edge &result : graph.results)
      result = handedOn(result);
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
        branch.many = node.op == "_SwitchN";
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

  bool split(Choice &choice) const {
    const Node &node = graph.nodes[choice.merge];
    size_t count = node.inputs.size();
    std::vector<Branch> found(count);
    std::vector<int> places(count, -1); // output of the Switch -> input
    int unknown = -1;
    for (size_t i = 0; i < count; ++i) {
      if (!walk(node.inputs[i], found[i]) ||
          !(found[i].predicate == found[0].predicate) ||
          found[i].many != found[0].many)
        return false;
      int polarity = found[i].polarity;
      if (polarity < 0 && unknown >= 0)
        return false;
      if (polarity < 0) {
        unknown = i;
        continue;
      }
      if (polarity >= int(count) || places[polarity] >= 0)
        return false;
      places[polarity] = i;
    }
    // What one input alone does not say follows from the others.
    if (unknown >= 0)
      *llvm::find(places, -1) = unknown;
    choice.predicate = found[0].predicate;
    choice.many = found[0].many;
    if (!choice.many && count != 2)
      return false;
    for (int place : places) {
      choice.branches.push_back(found[place]);
      choice.results.push_back(node.inputs[place]);
      choice.inputs.push_back(place);
    }
    return true;
  }

  llvm::Error raise(llvm::ArrayRef<Choice> merges) {
    const Choice &first = merges.front();
    size_t count = first.branches.size();
    std::string name = graph.nodes[first.merge].name;
    while (model.functions.count(name + "/branch0"))
      name += "_";
    std::vector<Edge> inputs;
    std::vector<Piece> pieces(count);
    auto capture = [&](Piece &piece, Edge edge) {
      // A Switch hands on its first input.
      const Node &node = graph.nodes[edge.node];
      Edge source = isSwitch(node) ? node.inputs[0] : edge;
      auto found = llvm::find(inputs, source);
      piece.arguments[{edge.node, edge.output}] = found - inputs.begin();
      if (found == inputs.end())
        inputs.push_back(source);
    };
    for (const Choice &choice : merges)
      for (size_t i = 0; i < count; ++i) {
        for (Edge edge : choice.branches[i].captured)
          capture(pieces[i], edge);
        pieces[i].results.push_back(choice.results[i]);
      }
    for (size_t i = 0; i < count; ++i) {
      Piece &piece = pieces[i];
      piece.name = name + "/branch" + std::to_string(i);
      piece.argumentCount = inputs.size();
      // What no Switch decides is computed before, also if only its effects
      // count.
      piece.isBoundary = [this](const Node &node) {
        return isSwitch(node) || !conditional[&node - graph.nodes.data()];
      };
      if (llvm::Error error = addFunction(model, graph, piece))
        return error;
    }
    std::vector<std::pair<std::string, std::string>> functions;
    for (const Piece &piece : pieces)
      functions.push_back({"", piece.name});
    if (!first.many) {
      functions[0].first = "else_branch";
      functions[1].first = "then_branch";
    }
    int call = addCall(model, graph, name + (first.many ? "/case" : "/if"),
                       first.many ? "Case" : "If", functions,
                       first.many ? "branches" : "");
    conditional.push_back(false);
    Node &node = graph.nodes[call];
    node.inputs.push_back(first.predicate);
    for (Edge input : inputs)
      node.inputs.push_back(input);
    for (auto [i, choice] : llvm::enumerate(merges)) {
      if (!choice.many) {
        replaceIndex(choice);
        computeIndex(choice);
      }
      Node &merge = graph.nodes[choice.merge];
      merge.op = "Identity";
      merge.inputs.assign(1, Edge{call, int(i)});
    }
    return llvm::Error::success();
  }

  /// A Merge also says which input it took. Gradients compare that with a
  /// number: such a predicate is the Merge's own one, or its opposite.
  void replaceIndex(const Choice &choice) {
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      const Node &test = graph.nodes[i];
      if (test.op != "Equal" || test.inputs.size() != 2 ||
          !(test.inputs[0] == Edge{choice.merge, 1}))
        continue;
      std::optional<int64_t> number =
          constantOf(graph.nodes[test.inputs[1].node]);
      if (!number)
        continue;
      auto place = llvm::find(choice.inputs, *number);
      if (place != choice.inputs.end())
        replacePredicate(i, choice.predicate,
                         /*opposite=*/place == choice.inputs.begin());
    }
  }

  /// Whoever else wants to know which input it was gets the predicate as a
  /// number.
  void computeIndex(const Choice &choice) {
    std::vector<Edge *> uses;
    for (Node &node : graph.nodes)
      for (Edge &input : node.inputs)
        if (input == Edge{choice.merge, 1} && !node.moved)
          uses.push_back(&input);
    for (Edge &result : graph.results)
      if (result == Edge{choice.merge, 1})
        uses.push_back(&result);
    if (uses.empty())
      return;
    // What `uses` points at must not move.
    size_t count = graph.nodes.size();
    Edge index = choice.predicate;
    std::vector<Node> made;
    auto add = [&](llvm::StringRef op, llvm::StringRef suffix) {
      tfproto::NodeDef &def = model.synthetic.emplace_back();
      def.set_name(graph.nodes[choice.merge].name + suffix.str());
      def.set_op(op.str());
      if (op == "Cast") {
        (*def.mutable_attr())["SrcT"].set_type(DataType::DT_BOOL);
        (*def.mutable_attr())["DstT"].set_type(DataType::DT_INT32);
      }
      Node node;
      node.name = def.name();
      node.op = def.op();
      node.def = &def;
      node.inputs.push_back(index);
      index = {int(count + made.size()), 0};
      made.push_back(std::move(node));
    };
    // Output 0 of the Switch is the one of false.
    if (choice.inputs[0] != 0)
      add("LogicalNot", "/taken");
    add("Cast", "/index");
    for (Edge *use : uses)
      *use = index;
    for (Node &node : made) {
      graph.nodes.push_back(std::move(node));
      conditional.push_back(false);
    }
  }

  std::optional<int64_t> constantOf(const Node &node) const {
    const AttrValue *value = node.op == "Const" ? node.attr("value") : nullptr;
    if (!value || !value->has_tensor())
      return std::nullopt;
    auto tensor = readTensor(value->tensor(), model.storage);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return std::nullopt;
    }
    if (tensor->dtype != DataType::DT_INT32 || !tensor->shape.empty() ||
        tensor->bytes.size() != sizeof(int32_t))
      return std::nullopt;
    return llvm::support::endian::read32le(tensor->bytes.data());
  }

  void replacePredicate(int test, Edge predicate, bool opposite) {
    std::vector<bool> turned(graph.nodes.size());
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      Node &node = graph.nodes[i];
      if (!isSwitch(node) || node.inputs.size() != 2 ||
          !(origin(node.inputs[1]) == Edge{test, 0}))
        continue;
      node.inputs[1] = predicate;
      turned[i] = opposite;
    }
    for (Node &node : graph.nodes)
      for (Edge &input : node.inputs)
        if (turned[input.node])
          input.output = 1 - input.output;
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
