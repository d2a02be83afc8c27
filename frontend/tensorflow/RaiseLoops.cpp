//===- RaiseLoops.cpp - Enter, NextIteration and Exit become While --------===//
//
// The nodes of one loop are a frame: what can be reached from its Enter nodes
// before its Exit nodes. Each loop variable is Enter -> Merge -> Switch, from
// where it goes to an Exit, or through the body to a NextIteration and back to
// its Merge.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/RaiseControlFlow.h"

#include "llvm/ADT/DenseSet.h"

namespace tenon::tf {

namespace {
bool isEnter(const Node &node) {
  return node.op == "Enter" || node.op == "RefEnter";
}
bool isExit(const Node &node) {
  return node.op == "Exit" || node.op == "RefExit";
}

struct FrameInfo {
  std::string name;
  int parent = -1, depth = 0;
  int condition = -1; // LoopCond
  std::vector<int> merges, enters, switches, exits;
};

class LoopRaiser {
public:
  LoopRaiser(GraphModel &model, Graph &graph) : model(model), graph(graph) {}

  llvm::Error run() {
    if (llvm::none_of(graph.nodes, isEnter))
      return llvm::Error::success();
    if (llvm::Error error = findFrames())
      return error;
    std::vector<int> order;
    for (int i = 1; i < int(frames.size()); ++i)
      order.push_back(i);
    llvm::stable_sort(
        order, [&](int a, int b) { return frames[a].depth > frames[b].depth; });
    for (int frame : order)
      if (llvm::Error error = raise(frame))
        return error;
    return llvm::Error::success();
  }

private:
  llvm::Error at(const Node &node, const llvm::Twine &text) {
    return llvm::createStringError("node '" + node.name + "' (" + node.op +
                                   "): " + text);
  }

  llvm::Error findFrames() {
    auto order = forwardOrder(graph);
    if (!order)
      return order.takeError();
    frames.emplace_back(); // what is in no loop
    std::map<std::pair<int, std::string>, int> known;
    after.resize(graph.nodes.size());
    for (int index : *order) {
      const Node &node = graph.nodes[index];
      int frame = 0;
      auto meet = [&](int source) {
        if (isMerge(node) && isNextIteration(graph.nodes[source]))
          return;
        if (frames[after[source]].depth > frames[frame].depth)
          frame = after[source];
      };
      for (Edge edge : node.inputs)
        meet(edge.node);
      for (int control : node.controls)
        meet(control);
      after[index] = frame;
      if (isEnter(node)) {
        const AttrValue *name = node.attr("frame_name");
        std::string text = name ? name->s() : "";
        auto [place, isNew] = known.try_emplace({frame, text}, frames.size());
        if (isNew) {
          if (frames[frame].depth >= 16)
            return at(node, "loops nest too deeply");
          frames.push_back(
              {text, frame, frames[frame].depth + 1, -1, {}, {}, {}, {}});
        }
        after[index] = place->second;
        frames[place->second].enters.push_back(index);
      } else if (isExit(node)) {
        if (frame == 0)
          return at(node, "it leaves no loop");
        after[index] = frames[frame].parent;
        frames[frame].exits.push_back(index);
      } else if (node.op == "LoopCond") {
        if (frames[frame].condition >= 0)
          return at(node, "a loop has two conditions");
        frames[frame].condition = index;
      } else if (isMerge(node)) {
        bool loops = llvm::any_of(node.inputs, [&](Edge edge) {
          return isNextIteration(graph.nodes[edge.node]);
        });
        if (loops)
          frames[frame].merges.push_back(index);
      } else if (isSwitch(node)) {
        frames[frame].switches.push_back(index);
      }
    }
    return llvm::Error::success();
  }

  /// Position of the loop variable that `merge` belongs to.
  static int variableOf(const FrameInfo &frame, int merge) {
    auto found = llvm::find(frame.merges, merge);
    return found == frame.merges.end() ? -1 : int(found - frame.merges.begin());
  }

  /// What an edge is a copy of.
  Edge throughCopies(Edge edge) const {
    for (size_t step = 0; step < graph.nodes.size(); ++step) {
      const Node &node = graph.nodes[edge.node];
      if (node.op != "Identity" || node.inputs.size() != 1)
        break;
      edge = node.inputs[0];
    }
    return edge;
  }

  llvm::Error raise(int number) {
    FrameInfo &frame = frames[number];
    const Node &first = graph.nodes[frame.enters.front()];
    if (frame.condition < 0 || graph.nodes[frame.condition].inputs.size() != 1)
      return at(first, "a loop without a condition");
    llvm::sort(frame.merges); // the file's order, not the search's
    llvm::sort(frame.enters);

    std::string name = frame.name;
    llvm::StringRef stripped = name;
    if (stripped.consume_back("/while_context"))
      name = stripped.str();
    std::string unique = name;
    while (model.functions.count(unique + "/body") || graph.find(unique))
      unique += "_";

    Piece condition, body;
    condition.name = unique + "/condition";
    body.name = unique + "/body";
    std::vector<Edge> inits;
    llvm::DenseSet<int> carried; // Enter nodes of loop variables
    for (int merge : frame.merges) {
      const Node &node = graph.nodes[merge];
      if (node.inputs.size() != 2)
        return at(node, "expected two inputs");
      Edge enter = node.inputs[0], next = node.inputs[1];
      if (isNextIteration(graph.nodes[enter.node]))
        std::swap(enter, next);
      const Node &source = graph.nodes[enter.node],
                 &back = graph.nodes[next.node];
      if (!isEnter(source) || source.inputs.size() != 1 ||
          !isNextIteration(back) || back.inputs.size() != 1)
        return at(node, "a loop variable of an unknown form");
      carried.insert(enter.node);
      int argument = inits.size();
      condition.arguments[{merge, 0}] = argument;
      body.arguments[{merge, 0}] = argument;
      inits.push_back(source.inputs[0]);
      body.results.push_back(back.inputs[0]);
      for (int control : back.controls)
        body.controlResults.push_back(control);
    }
    for (int index : frame.enters) {
      const Node &node = graph.nodes[index];
      if (carried.contains(index))
        continue;
      if (node.inputs.size() != 1)
        return at(node, "expected one input");
      int argument = inits.size();
      condition.arguments[{index, 0}] = argument;
      body.arguments[{index, 0}] = argument;
      body.results.push_back({index, 0});
      inits.push_back(node.inputs[0]);
    }
    // Switches of the loop itself: those that LoopCond decides.
    llvm::DenseSet<int> deciding;
    for (int index : frame.switches) {
      const Node &node = graph.nodes[index];
      if (node.inputs.size() != 2 || node.inputs[1].node != frame.condition)
        continue;
      int variable = variableOf(frame, node.inputs[0].node);
      if (variable < 0)
        return at(node, "a loop variable of an unknown form");
      deciding.insert(index);
      body.arguments[{index, 1}] = variable;
    }
    condition.argumentCount = body.argumentCount = inits.size();
    condition.results.push_back(graph.nodes[frame.condition].inputs[0]);
    auto isBoundary = [&, this](const Node &node) {
      int index = int(&node - graph.nodes.data());
      return isEnter(node) || isExit(node) || isNextIteration(node) ||
             node.op == "LoopCond" || deciding.contains(index) ||
             variableOf(frame, index) >= 0;
    };
    condition.isBoundary = body.isBoundary = isBoundary;
    llvm::erase_if(body.controlResults,
                   [&](int index) { return isBoundary(graph.nodes[index]); });
    if (llvm::Error error = addFunction(model, graph, condition))
      return error;
    if (llvm::Error error = addFunction(model, graph, body))
      return error;

    int loop = addCall(model, graph, unique, "While",
                       {{"cond", condition.name}, {"body", body.name}});
    for (Edge init : inits)
      graph.nodes[loop].inputs.push_back(init);
    for (int index : frame.enters)
      for (int control : graph.nodes[index].controls)
        graph.nodes[loop].controls.push_back(control);
    for (int index : frame.exits) {
      Node &node = graph.nodes[index];
      int variable = -1;
      Edge last =
          node.inputs.size() == 1 ? throughCopies(node.inputs[0]) : Edge();
      if (last.node >= 0 && last.output == 0 && deciding.contains(last.node))
        variable = variableOf(frame, graph.nodes[last.node].inputs[0].node);
      if (variable < 0)
        return at(node, "it leaves no loop variable");
      node.op = "Identity";
      node.inputs.assign(1, Edge{loop, variable});
    }
    // What is left of the loop has been copied and must not look alive.
    after.resize(graph.nodes.size(), frame.parent);
    for (size_t i = 0; i < after.size(); ++i)
      if (after[i] == number) {
        graph.nodes[i].inputs.clear();
        graph.nodes[i].controls.clear();
        graph.nodes[i].op = "NoOp";
      }
    return llvm::Error::success();
  }

  GraphModel &model;
  Graph &graph;
  std::vector<FrameInfo> frames;
  std::vector<int> after; // frame of a node's outputs
};
} // namespace

llvm::Error raiseLoops(GraphModel &model, Graph &graph) {
  return LoopRaiser(model, graph).run();
}

} // namespace tenon::tf
