//===- RaiseControlFlow.h - dataflow control flow becomes functions -------===//
//
// TensorFlow 1 (and freezing) writes loops and conditions as Switch, Merge,
// Enter, Exit and NextIteration nodes among all others. The importer knows only
// While and If nodes with functions, so such groups are turned into those
// first.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_RAISECONTROLFLOW_H
#define TENON_FRONTEND_TENSORFLOW_RAISECONTROLFLOW_H

#include "frontend/tensorflow/GraphModel.h"

namespace tenon::tf {

/// Rewrites the model's graph. Groups that do not have the expected form stay
/// as they are, unless they make the graph cyclic.
///
/// Errors name the node: a cycle that is no loop, a loop without a condition.
llvm::Error raiseControlFlow(GraphModel &model);

/// Operations that become functions, and calls of them.
inline constexpr llvm::StringLiteral kRaisedOperations[] = {
    "Enter",       "Exit",          "LoopCond",
    "Merge",       "NextIteration", "RefEnter",
    "RefExit",     "RefMerge",      "RefNextIteration",
    "RefSwitch",   "StackCloseV2",  "StackPopV2",
    "StackPushV2", "StackV2",       "Switch",
    "_SwitchN"};

/// The steps: stacks and loops of `graph`, then conditions of any graph.
llvm::Error raiseStacks(GraphModel &model, Graph &graph);
llvm::Error raiseLoops(GraphModel &model, Graph &graph);
llvm::Error raiseConditions(GraphModel &model, Graph &graph);

inline bool isMerge(const Node &node) {
  return node.op == "Merge" || node.op == "RefMerge";
}
inline bool isSwitch(const Node &node) {
  return node.op == "Switch" || node.op == "RefSwitch" || node.op == "_SwitchN";
}
inline bool isNextIteration(const Node &node) {
  return node.op == "NextIteration" || node.op == "RefNextIteration";
}

/// Nodes of `graph`, each after its inputs; edges from an iteration to the next
/// do not count.
llvm::Expected<std::vector<int>> forwardOrder(const Graph &graph);

/// Where a piece of a graph that becomes a function begins and ends.
struct Piece {
  std::string name;
  /// Edges that become arguments; several may become the same one.
  std::map<std::pair<int, int>, int> arguments;
  int argumentCount = 0;
  std::vector<Edge> results;       // edges of the graph, or arguments
  std::vector<int> controlResults; // nodes
  /// Control inputs from these nodes are fulfilled by the call itself.
  std::function<bool(const Node &)> isBoundary;
};

/// Copies a piece into a function of the model and marks its nodes as moved.
llvm::Error addFunction(GraphModel &model, Graph &graph, const Piece &piece);

/// Appends a node with operation `op` whose attributes name functions; `list`
/// is the name of one list of them all.
int addCall(GraphModel &model, Graph &graph, const std::string &name,
            const std::string &op,
            llvm::ArrayRef<std::pair<std::string, std::string>> functions,
            const std::string &list = "");

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_RAISECONTROLFLOW_H
