//===- EntrySelection.cpp - which feeds and fetches an entry has ----------===//

#include "frontend/tensorflow/Elements.h"
#include "frontend/tensorflow/ModelImporter.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::tf {

namespace {
llvm::Error failure(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

/// Operations of checkpoints and summaries: plumbing around a model.
bool isPlumbing(llvm::StringRef op) {
  return llvm::StringSwitch<bool>(op)
      .Cases({"SaveV2", "RestoreV2", "Save", "SaveSlices", "Restore",
              "RestoreSlice", "MergeV2Checkpoints", "ShardedFilename",
              "MergeSummary", "ScalarSummary", "HistogramSummary",
              "ImageSummary", "TensorSummary", "TensorSummaryV2"},
             true)
      .Default(false);
}

/// Operations that give a table its contents, once.
bool fillsTable(llvm::StringRef op) {
  return llvm::StringSwitch<bool>(op)
      .Cases({"InitializeTable", "InitializeTableV2",
              "InitializeTableFromTextFile", "InitializeTableFromTextFileV2",
              "LookupTableImport", "LookupTableImportV2"},
             true)
      .Default(false);
}

/// What is left of loops and conditions that were raised.
bool isControlFlow(llvm::StringRef op) {
  return llvm::StringSwitch<bool>(op)
      .Cases({"Switch", "RefSwitch", "_SwitchN", "Enter", "RefEnter", "Exit",
              "RefExit", "NextIteration", "RefNextIteration", "LoopCond"},
             true)
      .Default(false);
}

/// Nodes that every variable brings along, used or not.
bool isVariablePlumbing(const Node &node) {
  return node.op == "VarIsInitializedOp" ||
         node.op == "IsVariableInitialized" ||
         (node.op == "ReadVariableOp" &&
          StringRef(node.name).ends_with("/Read/ReadVariableOp"));
}

class Selector {
public:
  Selector(const GraphModel &model, MLIRContext &context)
      : model(model), graph(model.graph), context(context) {
    for (const Node &node : graph.nodes) {
      for (Edge edge : node.inputs)
        consumed.insert(edge.node);
      for (int control : node.controls)
        consumed.insert(control);
    }
  }

  llvm::Expected<EntryPlan> explicitEntry(const std::string &text) {
    auto spec = parseEntry(text);
    if (!spec)
      return spec.takeError();
    EntryPlan plan;
    plan.name = spec->name;
    for (const EntrySpec::Item &item : spec->arguments) {
      auto edge = resolve(plan, item.source);
      if (!edge)
        return edge.takeError();
      auto feed = makeFeed(plan, item.name, *edge);
      if (!feed)
        return feed.takeError();
      plan.feeds.push_back(std::move(*feed));
    }
    for (const EntrySpec::Item &item : spec->results) {
      auto fetch = makeFetch(plan, item);
      if (!fetch)
        return fetch.takeError();
      plan.fetches.push_back(std::move(*fetch));
    }
    return plan;
  }

  llvm::Expected<EntryPlan> signatureEntry(const Signature &signature) {
    EntryPlan plan;
    plan.name = signature.name;
    for (const SignatureTensor &input : signature.inputs) {
      auto edge = resolve(plan, input.tensor);
      if (!edge)
        return edge.takeError();
      auto feed = makeFeed(plan, input.name, *edge);
      if (!feed)
        return feed.takeError();
      if (!input.unknownRank)
        refine(*feed, input.shape);
      plan.feeds.push_back(std::move(*feed));
    }
    for (const SignatureTensor &output : signature.outputs) {
      auto edge = resolve(plan, output.tensor);
      if (!edge)
        return edge.takeError();
      plan.fetches.push_back({output.name, *edge, false, false, false});
    }
    return plan;
  }

  /// Everything that nothing consumes, from all placeholders that it needs.
  llvm::Expected<EntryPlan> defaultEntry() {
    EntryPlan plan;
    plan.name = "main";
    int init = initNode();
    std::vector<int> roots;
    auto collect = [&](bool plumbingToo) {
      for (int i = 0; i < int(graph.nodes.size()); ++i) {
        const Node &node = graph.nodes[i];
        if (consumed.contains(i) || i == init || node.moved ||
            isControlFlow(node.op) || isPlaceholder(node) ||
            node.op == "Const" || node.op == "VarHandleOp" ||
            node.op == "VariableV2" || isInitializer(node) ||
            (!plumbingToo && needsPlumbing(i)) || isVariablePlumbing(node) ||
            (node.op == "NoOp" && node.controls.empty()))
          continue;
        roots.push_back(i);
        plan.fetches.push_back({node.name,
                                {i, 0},
                                false,
                                /*mayBeTarget=*/true,
                                /*allOutputs=*/true});
      }
    };
    collect(false);
    if (roots.empty()) // a graph of summaries
      collect(true);
    if (roots.empty())
      return failure("the graph has no node whose result is left over; say "
                     "what it computes with --entry");
    std::vector<bool> needed = closure(roots);
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      const Node &node = graph.nodes[i];
      if (!isPlaceholder(node))
        continue;
      // Freezing leaves placeholders behind that mean nothing.
      if (!needed[i] &&
          (consumed.contains(i) ||
           StringRef(node.name).starts_with("unused_control_flow_input")))
        continue;
      bool hasDefault = node.op == "PlaceholderWithDefault";
      auto feed = makeFeed(plan, node.name, {i, 0});
      if (!feed)
        return feed.takeError();
      if (hasDefault) {
        feed->byDefault = constantDefault(node);
        if (!feed->byDefault)
          continue; // computed: the graph does it
      }
      plan.feeds.push_back(std::move(*feed));
    }
    return plan;
  }

  /// The graph's initialization, when it has variables.
  std::optional<EntryPlan> initEntry() {
    EntryPlan plan;
    plan.name = "init";
    if (int node = initNode(); node >= 0) {
      plan.fetches.push_back({"", {node, 0}, true, false, false});
      return plan;
    }
    for (int i = 0; i < int(graph.nodes.size()); ++i)
      if (isInitializer(graph.nodes[i]))
        plan.fetches.push_back({"", {i, 0}, true, false, false});
    if (plan.fetches.empty())
      return std::nullopt;
    return plan;
  }

  /// What a SavedModel does before its first use, when it does anything.
  std::optional<EntryPlan> savedInitEntry() {
    auto found = graph.index.find(model.initNode);
    if (found == graph.index.end())
      return std::nullopt;
    std::vector<bool> needed = closure(found->second);
    bool idle = true;
    for (int i = 0; i < int(graph.nodes.size()); ++i)
      idle &= !needed[i] || graph.nodes[i].op == "NoOp";
    if (idle)
      return std::nullopt;
    EntryPlan plan;
    plan.name = "init";
    plan.fetches.push_back({"", {found->second, 0}, true, false, false});
    return plan;
  }

private:
  llvm::Expected<Fetch> makeFetch(const EntryPlan &plan,
                                  const EntrySpec::Item &item) {
    Fetch fetch{item.name, {}, item.target};
    for (const EntrySpec::Item &part : item.gradient) {
      auto operand = makeFetch(plan, part);
      if (!operand)
        return operand.takeError();
      operand->mayBeTarget = false;
      fetch.gradient.push_back(std::move(*operand));
    }
    if (!fetch.gradient.empty()) {
      fetch.edge = fetch.gradient[1].edge;
      fetch.forward = item.forward;
      return fetch;
    }
    auto edge = resolve(plan, item.source);
    if (!edge)
      return edge.takeError();
    fetch.edge = *edge;
    fetch.mayBeTarget = !llvm::StringRef(item.source).contains(':');
    return fetch;
  }

  llvm::Expected<Edge> resolve(const EntryPlan &plan,
                               const std::string &source) {
    auto name = parseTensorName(source);
    if (!name)
      return failure("entry '" + plan.name +
                     "': " + llvm::toString(name.takeError()));
    auto found = graph.index.find(name->first);
    if (found == graph.index.end())
      return failure("entry '" + plan.name + "': the graph has no node '" +
                     name->first + "'" + similar(name->first));
    return Edge{found->second, std::max(name->second, 0)};
  }

  /// A hint for a misspelt name, of which half at least is right.
  std::string similar(llvm::StringRef name) {
    unsigned best = std::min<size_t>(4, 1 + name.size() / 2);
    std::string result;
    for (const Node &node : graph.nodes) {
      unsigned distance =
          name.edit_distance(node.name, /*AllowReplacements=*/true, best);
      if (distance < best) {
        best = distance;
        result = ", did you mean '" + node.name + "'?";
      }
    }
    return result;
  }

  llvm::Expected<Feed> makeFeed(const EntryPlan &plan, const std::string &name,
                                Edge edge) {
    const Node &node = graph.nodes[edge.node];
    Feed feed{name, edge, {}, {}, {}};
    if (isPlaceholder(node)) {
      const AttrValue *dtype = node.attr("dtype");
      DataType number = dtype ? dtype->type() : DataType::DT_INVALID;
      feed.elementType = elementTypeOf(number, &context);
      if (!feed.elementType)
        return failure("entry '" + plan.name + "': node '" + node.name + "' (" +
                       node.op + "): element type " + dtypeName(number) +
                       " is not supported");
      feed.shape = placeholderShape(node, producer());
    }
    return feed;
  }

  /// Takes over the sizes that a signature knows and the node does not.
  static void refine(Feed &feed, llvm::ArrayRef<int64_t> shape) {
    if (!feed.shape) {
      feed.shape = llvm::SmallVector<int64_t>(shape);
      return;
    }
    if (feed.shape->size() != shape.size())
      return;
    for (size_t i = 0; i < shape.size(); ++i)
      if ((*feed.shape)[i] < 0)
        (*feed.shape)[i] = shape[i];
  }

  int producer() const { return model.producer; }

  ElementsAttr constantDefault(const Node &node) {
    if (node.inputs.empty())
      return {};
    const Node *source = &graph.nodes[node.inputs[0].node];
    for (int i = 0;
         i < 8 && source->op == "Identity" && !source->inputs.empty(); ++i)
      source = &graph.nodes[source->inputs[0].node];
    const AttrValue *value = source->attr("value");
    if (source->op != "Const" || !value)
      return {};
    auto tensor = readTensor(value->tensor(), model.storage);
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return {};
    }
    if (!elementTypeOf(tensor->dtype, &context))
      return {};
    return elementsOf(*tensor, source->name, &context);
  }

  int initNode() const {
    auto found = graph.index.find("init");
    if (found == graph.index.end() || graph.nodes[found->second].op != "NoOp" ||
        consumed.contains(found->second))
      return -1;
    return found->second;
  }

  /// `<variable>/Assign` that nothing runs, or what fills a table.
  bool isInitializer(const Node &node) const {
    if (fillsTable(node.op) &&
        !consumed.contains(graph.index.lookup(node.name)))
      return true;
    return (node.op == "Assign" || node.op == "AssignVariableOp") &&
           !node.inputs.empty() &&
           !consumed.contains(graph.index.lookup(node.name)) &&
           node.name == graph.nodes[node.inputs[0].node].name + "/Assign";
  }

  std::vector<bool> closure(llvm::ArrayRef<int> roots) const {
    std::vector<bool> needed(graph.nodes.size());
    std::vector<int> work(roots.begin(), roots.end());
    while (!work.empty()) {
      int index = work.back();
      work.pop_back();
      if (needed[index])
        continue;
      needed[index] = true;
      for (Edge edge : graph.nodes[index].inputs)
        work.push_back(edge.node);
      for (int control : graph.nodes[index].controls)
        work.push_back(control);
    }
    return needed;
  }

  /// Whether a node does nothing but save, restore or summarize.
  bool needsPlumbing(int root) {
    if (plumbing.empty()) {
      // Forward from the plumbing to everything that waits for it.
      plumbing.resize(graph.nodes.size());
      std::vector<std::vector<int>> users(graph.nodes.size());
      std::vector<int> work;
      for (int i = 0; i < int(graph.nodes.size()); ++i) {
        for (Edge edge : graph.nodes[i].inputs)
          users[edge.node].push_back(i);
        for (int control : graph.nodes[i].controls)
          users[control].push_back(i);
        if (isPlumbing(graph.nodes[i].op))
          work.push_back(i);
      }
      while (!work.empty()) {
        int index = work.back();
        work.pop_back();
        if (plumbing[index])
          continue;
        plumbing[index] = true;
        llvm::append_range(work, users[index]);
      }
    }
    return plumbing[root];
  }

  const GraphModel &model;
  const Graph &graph;
  MLIRContext &context;
  llvm::DenseSet<int> consumed;
  std::vector<bool> plumbing;
};
} // namespace

bool isPlaceholder(const Node &node) {
  return node.op == "Placeholder" || node.op == "PlaceholderV2" ||
         node.op == "PlaceholderWithDefault";
}

std::optional<llvm::SmallVector<int64_t>> placeholderShape(const Node &node,
                                                           int producer) {
  const tfproto::TensorShapeProto *shape = nullptr;
  if (const AttrValue *attr = node.attr("shape"))
    shape = &attr->shape();
  // Before version 24 an empty shape meant an unknown one.
  bool scalarMeansUnknown = producer < 24 && node.op == "Placeholder";
  if (!shape || shape->unknown_rank() ||
      (scalarMeansUnknown && shape->dim().empty())) {
    const AttrValue *outputs = node.attr("_output_shapes");
    if (!outputs || outputs->list().shape_size() != 1 ||
        outputs->list().shape(0).unknown_rank())
      return std::nullopt;
    shape = &outputs->list().shape(0);
  }
  llvm::SmallVector<int64_t> sizes;
  for (const auto &dim : shape->dim())
    sizes.push_back(dim.size() < 0 ? -1 : dim.size());
  return sizes;
}

llvm::Expected<std::vector<EntryPlan>>
selectEntries(const GraphModel &model, const ImportOptions &options,
              MLIRContext &context) {
  Selector selector(model, context);
  std::vector<EntryPlan> plans;
  auto add = [&](llvm::Expected<EntryPlan> plan) -> llvm::Error {
    if (!plan)
      return plan.takeError();
    for (const EntryPlan &other : plans)
      if (other.name == plan->name)
        return failure("two entries have the name '" + plan->name + "'");
    plans.push_back(std::move(*plan));
    return llvm::Error::success();
  };
  for (const std::string &text : options.entries)
    if (llvm::Error error = add(selector.explicitEntry(text)))
      return std::move(error);
  bool found = false;
  for (const Signature &signature : model.signatures) {
    if (options.signature.empty() ? !options.entries.empty()
                                  : options.signature != signature.name)
      continue;
    found = true;
    if (llvm::Error error = add(selector.signatureEntry(signature)))
      return std::move(error);
  }
  if (!options.signature.empty() && !found) {
    std::string known;
    for (const Signature &signature : model.signatures)
      known += (known.empty() ? "; it has '" : ", '") + signature.name + "'";
    return failure("the model has no signature '" + options.signature + "'" +
                   known);
  }
  if (found)
    if (auto init = selector.savedInitEntry())
      if (llvm::Error error = add(std::move(*init)))
        return std::move(error);
  if (!plans.empty())
    return plans;
  if (llvm::Error error = add(selector.defaultEntry()))
    return std::move(error);
  if (auto init = selector.initEntry())
    if (llvm::Error error = add(std::move(*init)))
      return std::move(error);
  return plans;
}

} // namespace tenon::tf
