//===- RaiseStacks.cpp - stacks of loops become lists ---------------------===//
//
// The gradient of a loop finds what an iteration computed on a stack: the loop
// pushes, the loop of the gradient pops. Ordered by control inputs, that is no
// dataflow. Here a stack becomes a list and the number of its elements, which
// go through the loops (and the branches of conditions) around the push as
// loop variables do; the number goes through those around the pop, too.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/RaiseControlFlow.h"

#include "llvm/ADT/DenseSet.h"

namespace tenon::tf {

namespace {
bool isEnter(const Node &node) {
  return node.op == "Enter" || node.op == "RefEnter";
}
bool isStack(const Node &node) {
  return node.op == "StackV2" || node.op == "Stack";
}
bool isPush(const Node &node) {
  return node.op == "StackPushV2" || node.op == "StackPush";
}
bool isPop(const Node &node) {
  return node.op == "StackPopV2" || node.op == "StackPop";
}

class StackRaiser {
public:
  StackRaiser(GraphModel &model, Graph &graph) : model(model), graph(graph) {}

  llvm::Error run() {
    std::vector<int> stacks, pushes, pops;
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      const Node &node = graph.nodes[i];
      if (isStack(node))
        stacks.push_back(i);
      else if (isPush(node))
        pushes.push_back(i);
      else if (isPop(node))
        pops.push_back(i);
    }
    if (stacks.empty())
      return llvm::Error::success();
    findConditions();
    findDataUsers();
    std::map<int, std::vector<int>> pushesOf, popsOf;
    for (int push : pushes)
      pushesOf[stackOf(push)].push_back(push);
    for (int pop : pops)
      popsOf[stackOf(pop)].push_back(pop);
    for (int stack : stacks)
      if (llvm::Error error = raise(stack, pushesOf[stack], popsOf[stack]))
        return error;
    // What ordered pushes and pops is data now.
    for (Node &node : graph.nodes)
      llvm::erase_if(node.controls,
                     [&](int control) { return raised.contains(control); });
    return llvm::Error::success();
  }

private:
  llvm::Error at(const Node &node, const llvm::Twine &text) {
    return llvm::createStringError("node '" + node.name + "' (" + node.op +
                                   "): " + text);
  }

  /// The LoopCond of each frame.
  void findConditions() {
    for (const Node &node : graph.nodes) {
      if (!isSwitch(node) || node.inputs.size() != 2 ||
          graph.nodes[node.inputs[1].node].op != "LoopCond")
        continue;
      const Node &merge = graph.nodes[node.inputs[0].node];
      if (!isMerge(merge))
        continue;
      for (Edge edge : merge.inputs)
        if (const Node &enter = graph.nodes[edge.node]; isEnter(enter))
          conditions[frameOf(enter)] = node.inputs[1].node;
    }
  }

  static std::string frameOf(const Node &enter) {
    const AttrValue *name = enter.attr("frame_name");
    return name ? name->s() : "";
  }

  void findDataUsers() {
    users.resize(graph.nodes.size());
    for (int i = 0; i < int(graph.nodes.size()); ++i)
      for (Edge edge : graph.nodes[i].inputs)
        users[edge.node].push_back(i);
  }

  /// Whether nothing but control inputs depends on a popped value.
  bool isUnused(int index, int depth = 0) const {
    return llvm::all_of(users[index], [&](int user) {
      return graph.nodes[user].op == "Identity" && depth < 16 &&
             isUnused(user, depth + 1);
    });
  }

  /// The way of a handle from the stack to `index`, outermost first.
  std::vector<Edge> wayTo(int index) const {
    std::vector<Edge> way;
    Edge edge = graph.nodes[index].inputs.empty()
                    ? Edge{}
                    : graph.nodes[index].inputs[0];
    while (edge.node >= 0 && way.size() < 64) {
      const Node &node = graph.nodes[edge.node];
      way.push_back(edge);
      if (isStack(node))
        break;
      if (node.inputs.empty() ||
          !(isEnter(node) || isSwitch(node) || node.op == "Identity" ||
            node.op == "RefIdentity"))
        return {};
      edge = node.inputs[0];
    }
    std::reverse(way.begin(), way.end());
    return way;
  }

  int stackOf(int index) const {
    std::vector<Edge> way = wayTo(index);
    return way.empty() ? -1 : way.front().node;
  }

  //===--- New nodes ------------------------------------------------------===//

  int addNode(const std::string &name, const std::string &op,
              llvm::ArrayRef<Edge> inputs) {
    std::string unique = name;
    while (graph.find(unique))
      unique += "_";
    tfproto::NodeDef &def = model.synthetic.emplace_back();
    def.set_name(unique);
    def.set_op(op);
    Node node;
    node.name = unique;
    node.op = op;
    node.def = &def;
    node.inputs.append(inputs.begin(), inputs.end());
    int index = graph.nodes.size();
    graph.index[unique] = index;
    graph.nodes.push_back(std::move(node));
    return index;
  }
  tfproto::NodeDef &definition(int index) {
    for (tfproto::NodeDef &def : llvm::reverse(model.synthetic))
      if (&def == graph.nodes[index].def)
        return def;
    return model.synthetic.back();
  }

  static void setInteger(tfproto::NodeDef &def, int value) {
    auto &attributes = *def.mutable_attr();
    attributes["dtype"].set_type(DataType::DT_INT32);
    tfproto::TensorProto &tensor = *attributes["value"].mutable_tensor();
    tensor.set_dtype(DataType::DT_INT32);
    tensor.mutable_tensor_shape();
    tensor.add_int_val(value);
  }
  Edge addInteger(const std::string &name, int value) {
    int index = addNode(name, "Const", {});
    setInteger(definition(index), value);
    return {index, 0};
  }

  /// Takes the place of a node, whose name and control inputs stay.
  void replace(int index, const std::string &op, llvm::ArrayRef<Edge> inputs,
               std::optional<DataType> elementType = {}, bool grows = false) {
    tfproto::NodeDef &def = model.synthetic.emplace_back();
    Node &node = graph.nodes[index];
    def.set_name(node.name);
    def.set_op(op);
    if (elementType)
      (*def.mutable_attr())["element_dtype"].set_type(*elementType);
    if (grows)
      (*def.mutable_attr())["resize_if_index_out_of_bounds"].set_b(true);
    node.op = op;
    node.def = &def;
    node.inputs.assign(inputs.begin(), inputs.end());
  }

  //===--- Loops and conditions -------------------------------------------===//

  using Values = std::vector<Edge>;

  /// Brings values from the stack's place along `way` to where `inside` makes
  /// new ones of them, and those back to the stack's place.
  llvm::Expected<Values> through(llvm::ArrayRef<Edge> way, Values values,
                                 llvm::function_ref<Values(Values)> inside) {
    if (way.empty())
      return inside(std::move(values));
    Edge step = way.front();
    way = way.drop_front();
    const std::string name = graph.nodes[step.node].name,
                      op = graph.nodes[step.node].op;
    if (isEnter(graph.nodes[step.node])) {
      std::string frame = frameOf(graph.nodes[step.node]);
      auto condition = conditions.find(frame);
      if (condition == conditions.end())
        return at(graph.nodes[step.node], "its loop has no condition");
      Values body;
      std::vector<int> merges;
      for (Edge value : values) {
        int enter = addNode(name + "/enter", "Enter", value);
        (*definition(enter).mutable_attr())["frame_name"].set_s(frame);
        int merge = addNode(name + "/merge", "Merge", Edge{enter, 0});
        merges.push_back(merge);
        body.push_back({addNode(name + "/switch", "Switch",
                                {Edge{merge, 0}, Edge{condition->second, 0}}),
                        1});
      }
      llvm::Expected<Values> next = through(way, body, inside);
      if (!next)
        return next;
      Values after;
      for (size_t i = 0; i < values.size(); ++i) {
        int back = addNode(name + "/next", "NextIteration", (*next)[i]);
        graph.nodes[merges[i]].inputs.push_back({back, 0});
        after.push_back(
            {addNode(name + "/exit", "Exit", Edge{body[i].node, 0}), 0});
      }
      return after;
    }
    if (isSwitch(graph.nodes[step.node])) {
      if (graph.nodes[step.node].inputs.size() != 2 || op == "_SwitchN")
        return at(graph.nodes[step.node],
                  "a stack's way is of an unknown form");
      Edge predicate = graph.nodes[step.node].inputs[1];
      Values branch;
      for (Edge value : values)
        branch.push_back(
            {addNode(name + "/switch", "Switch", {value, predicate}),
             step.output});
      llvm::Expected<Values> next = through(way, branch, inside);
      if (!next)
        return next;
      Values merged;
      for (size_t i = 0; i < values.size(); ++i) {
        Edge other{branch[i].node, 1 - step.output};
        std::vector<Edge> inputs = {(*next)[i], other};
        if (step.output == 1)
          std::swap(inputs[0], inputs[1]);
        merged.push_back({addNode(name + "/merged", "Merge", inputs), 0});
      }
      return merged;
    }
    return through(way, std::move(values), inside);
  }

  llvm::Error raise(int stack, llvm::ArrayRef<int> pushes,
                    llvm::ArrayRef<int> pops) {
    if (pushes.size() > 1 || pops.size() > 1)
      return at(graph.nodes[stack], "only stacks with one push and one pop are "
                                    "supported");
    const std::string name = graph.nodes[stack].name;
    const AttrValue *type = graph.nodes[stack].attr("elem_type");
    std::optional<DataType> elementType;
    if (type)
      elementType = type->type();
    std::vector<Edge> toPush, toPop;
    if (!pushes.empty())
      toPush = wayTo(pushes.front());
    if (!pops.empty())
      toPop = wayTo(pops.front());
    // The loops that the handle enters keep a number in its place.
    replace(stack, "Const", {});
    setInteger(definition(stack), 0);
    if (pushes.empty() || pops.empty() || isUnused(pops.front())) {
      // Nothing is read from it.
      for (int index : llvm::concat<const int>(pushes, pops)) {
        raised.insert(index);
        replace(index, "NoOp", {});
        for (int user : users[index])
          if (isUnused(index))
            replace(user, "NoOp", {});
      }
      return llvm::Error::success();
    }
    int push = pushes.front(), pop = pops.front();
    raised.insert(push);
    raised.insert(pop);
    if (!elementType || graph.nodes[push].inputs.size() != 2)
      return at(graph.nodes[push], "a stack of an unknown form");
    Edge zero = addInteger(name + "/none", 0),
         one = addInteger(name + "/one", 1),
         anyShape = addInteger(name + "/shape", -1);
    int list = addNode(name + "/list", "TensorListReserve", {anyShape, zero});
    (*definition(list).mutable_attr())["element_dtype"].set_type(*elementType);
    llvm::Expected<Values> filled = through(
        llvm::ArrayRef(toPush).drop_front(), {{list, 0}, zero},
        [&](Values values) -> Values {
          Edge pushed = graph.nodes[push].inputs[1];
          replace(push, "TensorListSetItem", {values[0], values[1], pushed},
                  elementType, /*grows=*/true);
          int count = addNode(name + "/count", "AddV2", {values[1], one});
          return {{push, 0}, {count, 0}};
        });
    if (!filled)
      return filled.takeError();
    llvm::Expected<Values> emptied =
        through(llvm::ArrayRef(toPop).drop_front(), {(*filled)[1]},
                [&](Values values) -> Values {
                  int top = addNode(name + "/top", "Sub", {values[0], one});
                  Edge handle = graph.nodes[pop].inputs[0];
                  replace(pop, "TensorListGetItem",
                          {handle, {top, 0}, anyShape}, elementType);
                  return {{top, 0}};
                });
    if (!emptied)
      return emptied.takeError();
    // The handle's way to the pop is the list's now.
    if (toPop.size() > 1)
      graph.nodes[toPop[1].node].inputs[0] = (*filled)[0];
    else
      graph.nodes[pop].inputs[0] = (*filled)[0];
    return llvm::Error::success();
  }

  GraphModel &model;
  Graph &graph;
  std::map<std::string, int> conditions; // by the frame's name
  std::vector<llvm::SmallVector<int, 2>> users;
  llvm::DenseSet<int> raised;
};
} // namespace

llvm::Error raiseStacks(GraphModel &model, Graph &graph) {
  return StackRaiser(model, graph).run();
}

} // namespace tenon::tf
