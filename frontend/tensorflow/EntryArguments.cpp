//===- EntryArguments.cpp - what the inputs of an entry are ---------------===//

#include "frontend/tensorflow/EntryArguments.h"

#include <map>

using namespace mlir;

namespace tenon::tf {

bool isNamed(const Graph &graph, const Feed &feed, StringRef name) {
  return feed.name == name || graph.nodes[feed.edge.node].name == name;
}

static llvm::Error misfit(StringRef name, ArrayRef<int64_t> shape) {
  std::string has;
  for (int64_t size : shape)
    has += (has.empty() ? "" : "x") +
           (size < 0 ? std::string("?") : std::to_string(size));
  return llvm::createStringError("--specialize does not fit input '" + name +
                                 "', whose shape is " +
                                 (has.empty() ? "that of a scalar" : has));
}

llvm::Expected<std::vector<Argument>>
specialize(const Graph &graph, const EntryPlan &plan, const ShapeList &shapes,
           ArrayRef<Argument> equal, ArrayRef<Argument> general,
           bool &changes) {
  changes = false;
  std::map<std::string, int64_t> sizes; // of labels
  bool agree = true;
  std::vector<Argument> together = equal.vec(), alone = general.vec();
  for (auto [i, feed] : llvm::enumerate(plan.feeds))
    for (const auto &[name, shape] : shapes) {
      if (!isNamed(graph, feed, name))
        continue;
      const Argument &argument = equal[i];
      if (shape.size() != argument.shape.size())
        return misfit(name, argument.shape);
      for (auto [d, size] : llvm::enumerate(shape)) {
        if (size < 0 || size == argument.shape[d])
          continue;
        if (argument.shape[d] >= 0)
          return misfit(name, argument.shape);
        changes = true;
        alone[i].shape[d] = size;
        auto [it, isNew] = sizes.try_emplace(argument.labels[d], size);
        agree &= isNew || it->second == size;
      }
    }
  if (!agree)
    return alone;
  for (Argument &argument : together)
    for (auto [size, label] : llvm::zip(argument.shape, argument.labels))
      if (auto known = sizes.find(label); size < 0 && known != sizes.end())
        size = known->second;
  return together;
}

} // namespace tenon::tf
