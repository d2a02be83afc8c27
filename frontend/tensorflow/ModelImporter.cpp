//===- ModelImporter.cpp - a TensorFlow model becomes a module ------------===//

#include "frontend/tensorflow/ModelImporter.h"
#include "frontend/tensorflow/Elements.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// One argument while its entry is built.
struct Argument {
  std::string name;
  Type elementType;
  SmallVector<int64_t> shape;      // -1: unknown
  SmallVector<std::string> labels; // of unknown sizes: equal ones are equal
};

class ModelImporter {
public:
  ModelImporter(const GraphModel &model, const ImportOptions &options,
                MLIRContext &context)
      : options(options), context(context), unknown(UnknownLoc::get(&context)),
        module(ModuleOp::create(unknown)), shared{model, *module, {}, {}, {}} {}

  OwningOpRef<ModuleOp> run();

private:
  LogicalResult error(const llvm::Twine &text) {
    return emitError(unknown) << text.str();
  }
  LogicalResult error(const EntryPlan &plan, const llvm::Twine &text) {
    return error("entry '" + plan.name + "': " + text);
  }

  LogicalResult checkOptions(ArrayRef<EntryPlan> plans);
  LogicalResult prepareArguments(const EntryPlan &plan);
  LogicalResult inferInnerFeed(const EntryPlan &plan, const Feed &feed,
                               Argument &argument);
  void overrideShape(const Feed &feed, Argument &argument);
  LogicalResult importEntry(const EntryPlan &plan);
  /// One translation. With `assumeEqual`, unknown sizes of inputs that meet in
  /// an operation become one, and `again` says that it has to be repeated.
  LogicalResult importOnce(const EntryPlan &plan, bool assumeEqual,
                           bool &again);
  func::FuncOp startFunction(const EntryPlan &plan, OpBuilder &builder,
                             graph::ShapeContext &shapes);
  LogicalResult finishFunction(const EntryPlan &plan, func::FuncOp function,
                               BodyImporter &importer, Frame &frame);
  /// Gives equal names to sizes that operations take to be equal. False when
  /// there is nothing to do.
  bool unify(const ImportState &state);
  std::string labelOf(const ImportState &state, unsigned symbol);

  const ImportOptions &options;
  MLIRContext &context;
  Location unknown;
  OwningOpRef<ModuleOp> module;
  ModelState shared;
  std::vector<Argument> arguments; // of the entry at hand
  std::vector<UnsupportedNode> unsupported;
};

/// Names in --shape that no entry has are mistakes.
LogicalResult ModelImporter::checkOptions(ArrayRef<EntryPlan> plans) {
  for (const auto &[name, shape] : options.shapes) {
    bool known = false;
    for (const EntryPlan &plan : plans)
      for (const Feed &feed : plan.feeds)
        known |= feed.name == name ||
                 shared.model.graph.nodes[feed.edge.node].name == name;
    if (!known)
      return error("no entry has an input '" + name + "' (--shape)");
  }
  return success();
}

void ModelImporter::overrideShape(const Feed &feed, Argument &argument) {
  if (options.batch && !argument.shape.empty() && argument.shape[0] < 0)
    argument.shape[0] = *options.batch;
  for (const auto &[name, shape] : options.shapes)
    if (name == feed.name ||
        name == shared.model.graph.nodes[feed.edge.node].name)
      argument.shape.assign(shape.begin(), shape.end());
  argument.labels.clear();
  for (size_t d = 0; d < argument.shape.size(); ++d)
    argument.labels.push_back(
        argument.shape[d] < 0 ? feed.name + "." + std::to_string(d) : "");
}

LogicalResult ModelImporter::prepareArguments(const EntryPlan &plan) {
  arguments.clear();
  for (const Feed &feed : plan.feeds) {
    Argument argument{feed.name, feed.elementType, {}, {}};
    bool given = llvm::any_of(options.shapes, [&](const auto &shape) {
      return shape.first == feed.name ||
             shape.first == shared.model.graph.nodes[feed.edge.node].name;
    });
    if (!argument.elementType || (!feed.shape && !given)) {
      if (argument.elementType)
        return error(plan, "input '" + feed.name +
                               "' has no known number of dimensions; give "
                               "them with --shape " +
                               feed.name + "=...");
      if (failed(inferInnerFeed(plan, feed, argument)))
        return failure();
    } else if (feed.shape) {
      argument.shape = *feed.shape;
    }
    overrideShape(feed, argument);
    int64_t unit = 16;
    SmallVector<int64_t> sizes;
    for (int64_t size : argument.shape)
      sizes.push_back(size < 0 ? 1 : size);
    if (!elementCount(sizes, unit))
      return error(plan, "input '" + feed.name + "' is impossibly large");
    arguments.push_back(std::move(argument));
  }
  return success();
}

/// The type of a tensor inside the graph: what it would be if the graph were
/// not cut there.
LogicalResult ModelImporter::inferInnerFeed(const EntryPlan &plan,
                                            const Feed &feed,
                                            Argument &argument) {
  const Graph &graph = shared.model.graph;
  const Node &node = graph.nodes[feed.edge.node];
  OwningOpRef<ModuleOp> scratch(ModuleOp::create(unknown));
  ModelState state{shared.model, *scratch, {}, {}, {}};
  OpBuilder builder(&context);
  graph::ShapeContext shapes(&context);
  builder.setInsertionPointToEnd(scratch->getBody());
  auto function = func::FuncOp::create(builder, unknown, "infer",
                                       builder.getFunctionType({}, {}));
  Block *block = function.addEntryBlock();
  Feeds feeds;
  for (int i = 0; i < int(graph.nodes.size()); ++i) {
    const Node &source = graph.nodes[i];
    const AttrValue *dtype = source.attr("dtype");
    auto shape = placeholderShape(source, shared.model.producer);
    if (!isPlaceholder(source) || !dtype || !shape)
      continue;
    Type elementType = elementTypeOf(dtype->type(), &context);
    if (!elementType)
      continue;
    for (int64_t &size : *shape)
      size = size < 0 ? ShapedType::kDynamic : size;
    feeds[{i, 0}] = ImportedValue::of(block->addArgument(
        RankedTensorType::get(*shape, elementType), unknown));
  }
  builder.setInsertionPointToEnd(block);
  ImportState import(*scratch, builder, shapes);
  BodyImporter importer(state, import);
  Frame frame{graph, "", {}, &feeds, nullptr, {}, {}, {}};
  importer.importNodes(frame, feed.edge.node);
  ImportedValue value = importer.value(frame, feed.edge);
  if (value.kind == ImportedValue::Variable && value.reference)
    return error(plan, "'" + node.name + "' is a variable, it cannot be fed");
  if (value.kind != ImportedValue::Tensor) {
    for (const UnsupportedNode &bad : import.unsupported)
      (void)error("node '" + bad.node + "' (" + bad.op + "): " + bad.reason);
    return error(plan,
                 "the type of input '" + feed.name + "' cannot be found out");
  }
  argument.elementType = getElementTypeOrSelf(value.tensor.getType());
  for (AffineExpr size : shapes.dims(value.tensor))
    argument.shape.push_back(
        graph::ShapeContext::asConstant(size).value_or(-1));
  return success();
}

func::FuncOp ModelImporter::startFunction(const EntryPlan &plan,
                                          OpBuilder &builder,
                                          graph::ShapeContext &shapes) {
  SmallVector<Type> types;
  for (const Argument &argument : arguments) {
    SmallVector<int64_t> sizes(argument.shape);
    for (int64_t &size : sizes)
      size = size < 0 ? ShapedType::kDynamic : size;
    types.push_back(RankedTensorType::get(sizes, argument.elementType));
  }
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, unknown, plan.name,
                                       builder.getFunctionType(types, {}));
  function->setAttr("graph.entry", builder.getUnitAttr());
  Block *block = function.addEntryBlock();
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    SmallVector<Attribute> sizes;
    for (auto [size, label] : llvm::zip(argument.shape, argument.labels))
      sizes.push_back(size < 0 ? Attribute(builder.getStringAttr(label))
                               : Attribute(builder.getI64IntegerAttr(size)));
    function.setArgAttr(i, "graph.name", builder.getStringAttr(argument.name));
    function.setArgAttr(i, "graph.dims", builder.getArrayAttr(sizes));
    if (plan.feeds[i].byDefault)
      function.setArgAttr(i, "graph.default", plan.feeds[i].byDefault);
    block->getArgument(i).setLoc(
        NameLoc::get(builder.getStringAttr(argument.name)));
  }
  shapes.addEntry(function);
  builder.setInsertionPointToEnd(block);
  return function;
}

LogicalResult ModelImporter::finishFunction(const EntryPlan &plan,
                                            func::FuncOp function,
                                            BodyImporter &importer,
                                            Frame &frame) {
  OpBuilder &builder = importer.state.builder;
  SmallVector<Value> values;
  SmallVector<std::string> names;
  auto addResult = [&](const std::string &name, Edge edge) -> LogicalResult {
    ImportedValue value = importer.value(frame, edge);
    if (value.kind == ImportedValue::Missing)
      return success(); // reported
    if (value.kind == ImportedValue::Variable) {
      SmallVector<ImportedValue> inputs = {value};
      auto type = SymbolTable::lookupSymbolIn(*module, value.symbol)
                      ->getAttrOfType<TypeAttr>("type");
      Operation *read = graph::createOp(
          builder, function.getLoc(), importer.state.shapes, "graph.read",
          getElementTypeOrSelf(type.getValue()), {},
          builder.getNamedAttr("variable",
                               FlatSymbolRefAttr::get(&context, value.symbol)));
      if (!read)
        return failure();
      value = ImportedValue::of(read->getResult(0));
    }
    if (value.kind != ImportedValue::Tensor)
      return error(plan, "result '" + name + "' is not a tensor");
    values.push_back(value.tensor);
    names.push_back(name);
    return success();
  };
  for (const Fetch &fetch : plan.fetches) {
    if (fetch.target)
      continue;
    size_t outputs = frame.results[fetch.edge.node].size();
    bool fed = frame.feeds->count({fetch.edge.node, fetch.edge.output});
    if (fetch.mayBeTarget && outputs == 0 && !fed)
      continue;
    if (!fetch.allOutputs) {
      if (size_t(fetch.edge.output) >= outputs && !fed)
        return error(plan, "node '" + frame.graph.nodes[fetch.edge.node].name +
                               "' has no output " +
                               llvm::Twine(fetch.edge.output));
      if (failed(addResult(fetch.name, fetch.edge)))
        return failure();
      continue;
    }
    for (int i = 0; i < int(outputs); ++i) {
      if (auto kind = frame.results[fetch.edge.node][i].kind;
          kind == ImportedValue::Text || kind == ImportedValue::Table)
        continue;
      std::string name = i ? fetch.name + ":" + std::to_string(i) : fetch.name;
      if (failed(addResult(name, {fetch.edge.node, i})))
        return failure();
    }
  }
  func::ReturnOp::create(builder, function.getLoc(), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(values).getTypes()));
  for (auto [i, name] : llvm::enumerate(names))
    function.setResultAttr(i, "graph.name", builder.getStringAttr(name));
  return success();
}

std::string ModelImporter::labelOf(const ImportState &state, unsigned symbol) {
  auto origin = state.shapes.origin(symbol);
  unsigned argument = cast<BlockArgument>(origin.value).getArgNumber();
  return arguments[argument].labels[origin.dim];
}

bool ModelImporter::unify(const ImportState &state) {
  bool changed = false;
  for (DimEquality equality : state.equalities) {
    std::string kept = labelOf(state, equality.a),
                other = labelOf(state, equality.b);
    if (kept == other)
      continue;
    changed = true;
    for (Argument &argument : arguments)
      for (std::string &label : argument.labels)
        if (label == other)
          label = kept;
  }
  return changed;
}

LogicalResult ModelImporter::importOnce(const EntryPlan &plan, bool assumeEqual,
                                        bool &again) {
  OpBuilder builder(&context);
  graph::ShapeContext shapes(&context);
  func::FuncOp function = startFunction(plan, builder, shapes);
  Feeds feeds;
  for (auto [i, feed] : llvm::enumerate(plan.feeds)) {
    auto place = std::pair(feed.edge.node, feed.edge.output);
    if (!feeds.try_emplace(place, ImportedValue::of(function.getArgument(i)))
             .second)
      return error(plan, "two inputs feed '" +
                             shared.model.graph.nodes[place.first].name + ":" +
                             llvm::Twine(place.second) + "'");
  }
  ImportState state(*module, builder, shapes);
  BodyImporter importer(shared, state);
  Frame frame{shared.model.graph, "", {}, &feeds, nullptr, {}, {}, {}};
  SmallVector<int> roots;
  for (const Fetch &fetch : plan.fetches)
    if (!feeds.count({fetch.edge.node, fetch.edge.output}) || fetch.target)
      roots.push_back(fetch.edge.node);
  importer.importNodes(frame, roots);
  bool broken = !state.unsupported.empty();
  again = assumeEqual && unify(state);
  if (again) {
    state.release();
    function.erase();
    return success();
  }
  LogicalResult finished =
      broken ? success() : finishFunction(plan, function, importer, frame);
  llvm::append_range(unsupported, state.unsupported);
  state.release();
  if (failed(finished) || !state.unsupported.empty())
    function.erase();
  return finished;
}

LogicalResult ModelImporter::importEntry(const EntryPlan &plan) {
  if (failed(prepareArguments(plan)))
    return failure();
  auto general = arguments;
  bool again = true, assumed = false;
  // Every round makes two sizes one, so it ends.
  while (again) {
    if (failed(importOnce(plan, /*assumeEqual=*/true, again)))
      return failure();
    assumed |= again;
  }
  auto fast = module->lookupSymbol<func::FuncOp>(plan.name);
  if (!assumed || !fast)
    return success();
  // Unknown sizes that meet in an operation are most often equal, but one of
  // them may be 1: a second translation, which assumes nothing, is there for
  // the calls in which they are not equal.
  arguments = general;
  EntryPlan second = plan;
  second.name = plan.name + ".general";
  // Some models make sense only with equal sizes: then calls check them.
  size_t known = unsupported.size();
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  (void)importOnce(second, /*assumeEqual=*/false, again);
  unsupported.resize(known);
  if (auto function = module->lookupSymbol<func::FuncOp>(second.name)) {
    function->setAttr("graph.version", UnitAttr::get(&context));
    fast->setAttr("graph.fallback",
                  FlatSymbolRefAttr::get(&context, second.name));
  }
  return success();
}

OwningOpRef<ModuleOp> ModelImporter::run() {
  auto plans = selectEntries(shared.model, options, context);
  if (!plans) {
    (void)error(llvm::toString(plans.takeError()));
    return nullptr;
  }
  if (failed(checkOptions(*plans)))
    return nullptr;
  for (const EntryPlan &plan : *plans)
    shared.reserved.insert(plan.name);
  bool good = true;
  for (const EntryPlan &plan : *plans)
    good &= succeeded(importEntry(plan));
  // Entries share nodes: each is reported once.
  std::map<std::string, size_t> seen;
  for (const UnsupportedNode &node : unsupported) {
    if (!seen.try_emplace(node.node, seen.size()).second)
      continue;
    (void)error("node '" + node.node + "' (" + node.op + "): " + node.reason);
    if (options.unsupported)
      options.unsupported->push_back(node);
    good = false;
  }
  if (!good || failed(verify(*module)))
    return nullptr;
  return std::move(module);
}
} // namespace

OwningOpRef<ModuleOp> importGraphModel(const GraphModel &model,
                                       const ImportOptions &options,
                                       MLIRContext &context) {
  return ModelImporter(model, options, context).run();
}

} // namespace tenon::tf
