//===- BodyImporter.cpp - nodes of one entry point become graph ops -------===//

#include "frontend/tensorflow/BodyImporter.h"
#include "frontend/tensorflow/Elements.h"
#include "frontend/tensorflow/NodeBinder.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// Calls are copied into their callers, and loops' bodies are read several
/// times; a file can make that explode. Long names count as several nodes.
constexpr int64_t kMaxNodes = 250'000, kMaxCopies = 64;
constexpr size_t kNameBytes = 1024;
constexpr int kMaxCallDepth = 64;

int64_t nodesOf(const GraphModel &model) {
  int64_t count = model.graph.nodes.size();
  for (const auto &[name, function] : model.functions)
    count += function->nodes.size();
  return count;
}

/// "float32 2x3, int32 scalar" for reports.
std::string describeInputs(BodyImporter &importer,
                           ArrayRef<ImportedValue> inputs) {
  std::string text;
  for (const ImportedValue &input : inputs) {
    text += text.empty() ? "" : ", ";
    if (input.kind == ImportedValue::Tensor)
      text += typeName(getElementTypeOrSelf(input.tensor.getType())) + " " +
              graph::shapeString(importer.state.shapes.dims(input.tensor));
    else if (input.kind == ImportedValue::Variable)
      text += "variable";
    else
      text += "resource";
  }
  return text;
}
} // namespace

BodyImporter::BodyImporter(ModelState &model, ImportState &state)
    : model(model), state(state),
      maxNodes(kMaxNodes + kMaxCopies * nodesOf(model.model)) {}

void BodyImporter::report(StringRef node, StringRef op,
                          const llvm::Twine &reason) {
  // A loop's body is read several times.
  if (reported.insert(node).second)
    state.unsupported.push_back({node.str(), op.str(), reason.str()});
}

ImportedValue BodyImporter::value(Frame &frame, Edge edge) {
  if (frame.feeds)
    if (auto fed = frame.feeds->find({edge.node, edge.output});
        fed != frame.feeds->end())
      return fed->second;
  const std::vector<ImportedValue> &results = frame.results[edge.node];
  if (size_t(edge.output) < results.size())
    return results[edge.output];
  const Node &node = frame.graph.nodes[edge.node];
  if (frame.done[edge.node] && !frame.broken[edge.node])
    report(frame.prefix + node.name, node.op,
           "output " + llvm::Twine(edge.output) + " is used, it has " +
               llvm::Twine(results.size()));
  return {};
}

void BodyImporter::importNodes(Frame &frame, ArrayRef<int> roots) {
  frame.results.resize(frame.graph.nodes.size());
  frame.done.resize(frame.graph.nodes.size());
  frame.broken.resize(frame.graph.nodes.size());
  auto order = orderNodes(frame.graph, roots, [&](const Node &, Edge edge) {
    return frame.feeds && frame.feeds->count({edge.node, edge.output});
  });
  if (!order) {
    std::string text = llvm::toString(order.takeError());
    // The message begins with the node, as reports do.
    StringRef rest = text;
    rest.consume_front("node '");
    auto [node, after] = rest.split("' (");
    auto [op, reason] = after.split("): ");
    return report(node, op, reason);
  }
  for (int index : *order)
    if (!frame.done[index] && !exhausted)
      importNode(frame, index);
}

void BodyImporter::importNode(Frame &frame, int index) {
  const Node &node = frame.graph.nodes[index];
  frame.done[index] = true;
  std::vector<ImportedValue> &results = frame.results[index];
  if (!node.def) { // an argument
    results.push_back(size_t(index) < frame.arguments.size()
                          ? frame.arguments[index]
                          : ImportedValue());
    return;
  }
  std::string name = frame.prefix + node.name;
  nodeCount += 1 + name.size() / kNameBytes;
  if (nodeCount > maxNodes) {
    frame.broken[index] = exhausted = true;
    return report(name, node.op,
                  "the model expands to more than " + llvm::Twine(maxNodes) +
                      " operations");
  }
  SmallVector<ImportedValue> inputs;
  for (Edge edge : node.inputs)
    inputs.push_back(value(frame, edge));
  bool complete = llvm::none_of(inputs, [](const ImportedValue &input) {
    return input.kind == ImportedValue::Missing;
  });
  auto row = rows().find(node.op);
  bool isCall = row == rows().end() && model.model.function(node.op);
  if (row == rows().end() && !isCall) {
    frame.broken[index] = true;
    std::string described =
        complete && !inputs.empty()
            ? " (inputs: " + describeInputs(*this, inputs) + ")"
            : "";
    return report(name, node.op, "the operation is not supported" + described);
  }
  if (!complete) {
    frame.broken[index] = true; // the cause has been reported
    return;
  }
  MLIRContext *context = state.builder.getContext();
  auto opLocation = NameLoc::get(StringAttr::get(context, node.op));
  Location location = NameLoc::get(StringAttr::get(context, name), opLocation);
  NodeBinder binder(*this, frame, node, location, name, inputs);
  if (isCall)
    binder.callByName(node.op);
  else
    row->second(binder);
  if (binder.failed()) {
    frame.broken[index] = true;
    return report(name, node.op, binder.failure());
  }
  results = std::move(binder.results);
  for (auto [i, result] : llvm::enumerate(results))
    if (frame.sources && frame.sources->count({index, int(i)}) && result.tensor)
      result.tensor = binder.make("graph.source", Binder::type(result.tensor),
                                  result.tensor);
}

SmallVector<ImportedValue>
BodyImporter::importFunction(const Graph &function,
                             ArrayRef<ImportedValue> arguments,
                             const std::string &prefix, const Frame &caller) {
  SmallVector<ImportedValue> results(function.results.size());
  if (exhausted)
    return results;
  int depth = 0;
  for (const Frame *frame = &caller; frame; frame = frame->caller) {
    if (&frame->graph == &function || ++depth > kMaxCallDepth) {
      report(prefix + function.name, "function",
             depth > kMaxCallDepth
                 ? "calls nest more than " + llvm::Twine(kMaxCallDepth) +
                       " deep"
                 : "a function that calls itself is not supported");
      return results;
    }
  }
  Frame frame{function, prefix, arguments, nullptr, &caller, {}, {}, {}};
  SmallVector<int> roots;
  for (Edge edge : function.results)
    roots.push_back(edge.node);
  llvm::append_range(roots, function.controlResults);
  importNodes(frame, roots);
  for (auto [i, edge] : llvm::enumerate(function.results))
    results[i] = value(frame, edge);
  return results;
}

} // namespace tenon::tf
