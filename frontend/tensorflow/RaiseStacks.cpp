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
    std::vector<int> stacks, pushes, pops, closings;
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      const Node &node = graph.nodes[i];
      if (isStack(node))
        stacks.push_back(i);
      else if (isPush(node))
        pushes.push_back(i);
      else if (isPop(node))
        pops.push_back(i);
      else if (node.op == "StackCloseV2" || node.op == "StackClose")
        closings.push_back(i);
    }
    if (stacks.empty())
      return llvm::Error::success();
    findConditions();
    findDataUsers();
    if (llvm::Error error = findBranches())
      return error;
    std::map<int, std::vector<int>> pushesOf, popsOf;
    for (int push : pushes)
      pushesOf[stackOf(push)].push_back(push);
    for (int pop : pops)
      popsOf[stackOf(pop)].push_back(pop);
    for (int stack : stacks)
      if (llvm::Error error = raise(stack, pushesOf[stack], popsOf[stack]))
        return error;
    for (int closing : closings)
      replace(closing, "NoOp", {});
    // What ordered pushes and pops is data now.
    for (Node &node : graph.nodes)
      if (node.op == "ControlTrigger")
        node.controls.clear();
      else
        llvm::erase_if(node.controls,
                       [&](int control) { return raised.contains(control); });
    return llvm::Error::success();
  }

private:
  llvm::Error at(const Node &node, const llvm::Twine &text) {
    return llvm::createStringError("node '" + node.name + "' (" + node.op +
                                   "): " + text);
  }

  /// The Enter nodes and the LoopCond of each frame.
  void findConditions() {
    for (int i = 0; i < int(graph.nodes.size()); ++i)
      if (isEnter(graph.nodes[i]))
        enters[frameOf(graph.nodes[i])].push_back(i);
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

  /// Whether nothing but control inputs depends on a popped value, or on copies
  /// of it.
  bool isUnused(int index) const {
    llvm::DenseSet<int> seen = {index};
    std::vector<int> work = {index};
    while (!work.empty()) {
      int source = work.back();
      work.pop_back();
      for (int user : users[source]) {
        if (graph.nodes[user].op != "Identity")
          return false;
        if (seen.insert(user).second)
          work.push_back(user);
      }
    }
    return true;
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

  //===--- Ways from a stack to its push or pop ---------------------------===//

  /// Into a loop, or into a branch of a condition.
  struct Step {
    std::string name;
    std::string frame; // of a loop
    Edge predicate;    // of a condition
    int output = -1;   // the branch
    bool isLoop() const { return output < 0; }
  };

  /// Inserts a branch where its predicate is computed: a predicate that a loop
  /// does not change decides whether there is a loop at all.
  void addBranch(std::vector<Step> &steps, const std::string &name,
                 Edge predicate, int output) const {
    size_t place = steps.size();
    for (size_t i = steps.size(); i-- > 0;) {
      const Node &source = graph.nodes[predicate.node];
      if (!steps[i].isLoop())
        continue;
      if (!isEnter(source) || frameOf(source) != steps[i].frame ||
          source.inputs.empty())
        break;
      predicate = source.inputs[0];
      place = i;
    }
    if (llvm::none_of(steps, [&](const Step &step) {
          return !step.isLoop() && step.predicate == predicate;
        }))
      steps.insert(steps.begin() + place, Step{name, "", predicate, output});
  }

  bool isBranch(const Node &node) const {
    return isSwitch(node) && node.op != "_SwitchN" && node.inputs.size() == 2 &&
           graph.nodes[node.inputs[1].node].op != "LoopCond";
  }

  using Branches = llvm::SmallVector<Edge, 1>; // outputs of Switch nodes

  /// Finds for each node the branches in which alone it is computed, as far as
  /// its loop or the last Merge before it, outermost first.
  llvm::Error findBranches() {
    auto order = forwardOrder(graph);
    if (!order)
      return order.takeError();
    branches.resize(graph.nodes.size());
    place.resize(graph.nodes.size());
    for (auto [at, index] : llvm::enumerate(*order)) {
      place[index] = int(at);
      const Node &node = graph.nodes[index];
      if (isMerge(node) || isEnter(node) || (isSwitch(node) && !isBranch(node)))
        continue;
      for (Edge input : node.inputs)
        for (Edge branch : branchesOf(input))
          if (llvm::none_of(branches[index], [&](Edge known) {
                return graph.nodes[known.node].inputs[1] ==
                       graph.nodes[branch.node].inputs[1];
              }))
            branches[index].push_back(branch);
    }
    return llvm::Error::success();
  }

  Branches branchesOf(Edge edge) const {
    Branches result;
    if (size_t(edge.node) < branches.size())
      result = branches[edge.node];
    if (isBranch(graph.nodes[edge.node]))
      result.push_back(edge);
    return result;
  }

  /// Adds the branches in which alone the value of `edge` is computed.
  void addBranches(std::vector<Step> &steps, Edge edge) const {
    for (Edge branch : branchesOf(edge)) {
      const Node &node = graph.nodes[branch.node];
      addBranch(steps, node.name, node.inputs[1], branch.output);
    }
  }

  /// The steps along `way`, of which the first edge is the stack itself. A loop
  /// that is in a branch is entered through that branch.
  std::vector<Step> stepsAlong(llvm::ArrayRef<Edge> way) const {
    std::vector<Step> steps;
    for (Edge edge : way.drop_front()) {
      const Node &node = graph.nodes[edge.node];
      if (isEnter(node)) {
        std::string frame = frameOf(node);
        for (int enter : enters.at(frame))
          if (!graph.nodes[enter].inputs.empty())
            addBranches(steps, graph.nodes[enter].inputs[0]);
        steps.push_back({node.name, frame, {}, -1});
      } else if (isSwitch(node) && node.inputs.size() == 2) {
        // Where its predicate is known, that of a condition around it is, too.
        addBranches(steps, node.inputs[1]);
        addBranch(steps, node.name, node.inputs[1], edge.output);
      }
    }
    return steps;
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

  /// Edges at one place: what changes on the way, and what does not.
  struct Values {
    std::vector<Edge> changing, constant;
  };

  /// Brings values from the stack's place along `steps` to where `inside` makes
  /// new ones of those that change, and those back to the stack's place.
  llvm::Expected<std::vector<Edge>>
  through(llvm::ArrayRef<Step> steps, const Values &values,
          llvm::function_ref<std::vector<Edge>(const Values &)> inside) {
    if (steps.empty())
      return inside(values);
    const Step &step = steps.front();
    std::vector<Edge> after;
    Values next;
    if (step.isLoop()) {
      auto condition = conditions.find(step.frame);
      if (condition == conditions.end())
        return llvm::createStringError("node '" + step.name +
                                       "' (Enter): its loop has no condition");
      auto enter = [&](Edge value, bool isConstant) {
        int index = addNode(step.name + "/enter", "Enter", value);
        auto &attributes = *definition(index).mutable_attr();
        attributes["frame_name"].set_s(step.frame);
        attributes["is_constant"].set_b(isConstant);
        return Edge{index, 0};
      };
      std::vector<int> merges;
      for (Edge value : values.changing) {
        merges.push_back(
            addNode(step.name + "/merge", "Merge", enter(value, false)));
        next.changing.push_back(
            {addNode(step.name + "/switch", "Switch",
                     {Edge{merges.back(), 0}, Edge{condition->second, 0}}),
             1});
      }
      for (Edge value : values.constant)
        next.constant.push_back(enter(value, true));
      auto results = through(steps.drop_front(), next, inside);
      if (!results)
        return results;
      for (size_t i = 0; i < merges.size(); ++i) {
        int back = addNode(step.name + "/next", "NextIteration", (*results)[i]);
        graph.nodes[merges[i]].inputs.push_back({back, 0});
        after.push_back({addNode(step.name + "/exit", "Exit",
                                 Edge{next.changing[i].node, 0}),
                         0});
      }
      return after;
    }
    auto branch = [&](Edge value) {
      return Edge{
          addNode(step.name + "/switch", "Switch", {value, step.predicate}),
          step.output};
    };
    for (Edge value : values.changing)
      next.changing.push_back(branch(value));
    for (Edge value : values.constant)
      next.constant.push_back(branch(value));
    auto results = through(steps.drop_front(), next, inside);
    if (!results)
      return results;
    for (size_t i = 0; i < results->size(); ++i) {
      Edge other{next.changing[i].node, 1 - step.output};
      std::vector<Edge> inputs = {(*results)[i], other};
      if (step.output == 1)
        std::swap(inputs[0], inputs[1]);
      after.push_back({addNode(step.name + "/merged", "Merge", inputs), 0});
    }
    return after;
  }

  /// Whether nodes use the stack where it is made, in no loop or condition.
  bool isStraight(llvm::ArrayRef<int> users) const {
    return llvm::all_of(users, [&](int user) {
      return branches[user].empty() && stepsAlong(wayTo(user)).empty();
    });
  }

  /// Outside of loops and conditions pushes and pops follow one another.
  llvm::Error raiseStraight(int stack, llvm::ArrayRef<int> pushes,
                            llvm::ArrayRef<int> pops) {
    const std::string name = graph.nodes[stack].name;
    std::vector<int> all;
    for (int index : llvm::concat<const int>(pushes, pops))
      all.push_back(index);
    llvm::sort(all, [&](int a, int b) { return place[a] < place[b]; });
    const AttrValue *type = graph.nodes[stack].attr("elem_type");
    if (!all.empty() && !type)
      return at(graph.nodes[stack], "a stack of an unknown form");
    DataType elementType = type ? type->type() : DataType::DT_INVALID;
    auto add = [&](const std::string &part, const std::string &op,
                   llvm::ArrayRef<Edge> inputs) {
      int index = addNode(name + part, op, inputs);
      (*definition(index).mutable_attr())["element_dtype"].set_type(
          elementType);
      return index;
    };
    replace(stack, "Const", {});
    setInteger(definition(stack), 0);
    if (all.empty())
      return llvm::Error::success();
    Edge anyShape = addInteger(name + "/shape", -1),
         zero = addInteger(name + "/none", 0);
    Edge list{add("/list", "TensorListReserve", {anyShape, zero}), 0};
    for (int index : all) {
      raised.insert(index);
      Edge element;
      if (isPush(graph.nodes[index])) {
        if (graph.nodes[index].inputs.size() != 2)
          return at(graph.nodes[index], "a stack of an unknown form");
        element = graph.nodes[index].inputs[1];
        list = {add("/push", "TensorListPushBack", {list, element}), 0};
      } else {
        list = {add("/pop", "TensorListPopBack", {list, anyShape}), 0};
        element = {list.node, 1};
      }
      replace(index, "Identity", {element});
    }
    return llvm::Error::success();
  }

  llvm::Error raise(int stack, llvm::ArrayRef<int> pushes,
                    llvm::ArrayRef<int> pops) {
    if (isStraight(pushes) && isStraight(pops))
      return raiseStraight(stack, pushes, pops);
    if (pushes.size() > 1 || pops.size() > 1)
      return at(graph.nodes[stack], "a stack in loops or conditions must have "
                                    "one push and one pop");
    const std::string name = graph.nodes[stack].name;
    const AttrValue *type = graph.nodes[stack].attr("elem_type");
    std::optional<DataType> elementType;
    if (type)
      elementType = type->type();
    std::vector<Step> toPush, toPop;
    if (!pushes.empty()) {
      toPush = stepsAlong(wayTo(pushes.front()));
      // A value that is not computed is not pushed.
      if (graph.nodes[pushes.front()].inputs.size() == 2)
        addBranches(toPush, graph.nodes[pushes.front()].inputs[1]);
    }
    if (!pops.empty())
      toPop = stepsAlong(wayTo(pops.front()));
    // The loops that the handle enters keep a number in its place.
    replace(stack, "Const", {});
    setInteger(definition(stack), 0);
    if (pushes.empty() || pops.empty() || isUnused(pops.front())) {
      // Nothing is read from it.
      for (int index : llvm::concat<const int>(pushes, pops)) {
        raised.insert(index);
        replace(index, "NoOp", {});
        if (isUnused(index))
          for (int user : users[index])
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
    auto filled = through(
        toPush, {{{list, 0}, zero}, {}},
        [&](const Values &values) -> std::vector<Edge> {
          Edge pushed = graph.nodes[push].inputs[1];
          replace(push, "TensorListSetItem",
                  {values.changing[0], values.changing[1], pushed}, elementType,
                  /*grows=*/true);
          int count =
              addNode(name + "/count", "AddV2", {values.changing[1], one});
          return {{push, 0}, {count, 0}};
        });
    if (!filled)
      return filled.takeError();
    auto emptied = through(
        toPop, {{(*filled)[1]}, {(*filled)[0]}},
        [&](const Values &values) -> std::vector<Edge> {
          int top = addNode(name + "/top", "Sub", {values.changing[0], one});
          replace(pop, "TensorListGetItem",
                  {values.constant[0], {top, 0}, anyShape}, elementType);
          return {{top, 0}};
        });
    if (!emptied)
      return emptied.takeError();
    return llvm::Error::success();
  }

  GraphModel &model;
  Graph &graph;
  std::map<std::string, int> conditions; // by the frame's name
  std::map<std::string, std::vector<int>> enters;
  std::vector<llvm::SmallVector<int, 2>> users;
  std::vector<Branches> branches;
  std::vector<int> place; // of each node in the forward order
  llvm::DenseSet<int> raised;
};
} // namespace

llvm::Error raiseStacks(GraphModel &model, Graph &graph) {
  return StackRaiser(model, graph).run();
}

} // namespace tenon::tf
