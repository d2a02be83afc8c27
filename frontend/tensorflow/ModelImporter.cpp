//===- ModelImporter.cpp - a TensorFlow model becomes a module ------------===//

#include "frontend/tensorflow/ModelImporter.h"
#include "frontend/tensorflow/Elements.h"
#include "frontend/tensorflow/EntryArguments.h"

#include "dialects/graph/Variables.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace tenon::tf {

namespace {
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
  /// Whether the model or --shape says how many dimensions an input has.
  bool hasRank(const Feed &feed) const;
  /// Gives inputs of which nothing does the fewest dimensions with which all
  /// nodes of the entry can be translated.
  LogicalResult chooseRanks(const EntryPlan &plan);
  /// Whether they can be, with the ranks at hand.
  bool isPossible(const EntryPlan &plan);
  LogicalResult inferInnerFeed(const EntryPlan &plan, const Feed &feed,
                               Argument &argument);
  void overrideShape(const Feed &feed, Argument &argument);
  LogicalResult importEntry(const EntryPlan &plan);
  /// One translation. With `assumeEqual`, unknown sizes of inputs that meet in
  /// an operation become one, and `again` says that it has to be repeated.
  LogicalResult importOnce(const EntryPlan &plan, bool assumeEqual,
                           bool &again);
  class Results;
  LogicalResult finishFunction(const EntryPlan &plan, func::FuncOp function,
                               BodyImporter &importer, Frame &frame);
  /// Gives equal names to sizes that operations take to be equal. False when
  /// there is nothing to do.
  bool unify(const ImportState &state);
  std::string labelOf(const ImportState &state, unsigned symbol);
  /// Translates the entry anew as the version `name`, with the arguments at
  /// hand; null when that fails.
  func::FuncOp importVersion(const EntryPlan &plan, const llvm::Twine &name,
                             bool assumeEqual);
  /// The version that assumes no sizes of inputs to be equal.
  void addGeneralVersion(const EntryPlan &plan, func::FuncOp equal);
  LogicalResult addSpecialVersions(const EntryPlan &plan, func::FuncOp dynamic,
                                   ArrayRef<Argument> general);
  bool isNamed(const Feed &feed, StringRef name) const {
    return tf::isNamed(shared.model.graph, feed, name);
  }

  const ImportOptions &options;
  MLIRContext &context;
  Location unknown;
  OwningOpRef<ModuleOp> module;
  ModelState shared;
  std::map<std::string, int64_t> ranks; // of inputs of the entry at hand
  std::vector<Argument> arguments;      // of the entry at hand
  std::string symbol;                   // of the function to make for it
  std::vector<UnsupportedNode> unsupported;
};

/// Nobody reads more.
constexpr size_t kMaxReports = 1000;

/// Names in --shape and --specialize that no entry has are mistakes.
LogicalResult ModelImporter::checkOptions(ArrayRef<EntryPlan> plans) {
  auto check = [&](const ShapeList &shapes, StringRef option) {
    for (const auto &[name, shape] : shapes)
      if (llvm::none_of(plans, [&, &name = name](const EntryPlan &plan) {
            return llvm::any_of(plan.feeds, [&](const Feed &feed) {
              return isNamed(feed, name);
            });
          }))
        return error("no entry has an input '" + name + "' (" + option + ")");
    return success();
  };
  if (failed(check(options.shapes, "--shape")))
    return failure();
  for (const ShapeList &shapes : options.specializations)
    if (failed(check(shapes, "--specialize")))
      return failure();
  return success();
}

void ModelImporter::overrideShape(const Feed &feed, Argument &argument) {
  if (options.batch && !argument.shape.empty() && argument.shape[0] < 0)
    argument.shape[0] = *options.batch;
  for (const auto &[name, shape] : options.shapes)
    if (isNamed(feed, name))
      argument.shape.assign(shape.begin(), shape.end());
  argument.labels.clear();
  for (size_t d = 0; d < argument.shape.size(); ++d)
    argument.labels.push_back(
        argument.shape[d] < 0 ? feed.name + "." + std::to_string(d) : "");
}

bool ModelImporter::hasRank(const Feed &feed) const {
  return feed.shape || llvm::any_of(options.shapes, [&](const auto &shape) {
           return isNamed(feed, shape.first);
         });
}

/// Which ranks are tried, how many combinations of them for an entry, and how
/// many nodes are translated for that.
constexpr int64_t kMostTriedRank = 8, kMostTrials = 300,
                  kMostTrialNodes = 200'000;

bool ModelImporter::isPossible(const EntryPlan &plan) {
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  if (failed(prepareArguments(plan)))
    return false;
  symbol = plan.name;
  for (bool again = true; again;)
    if (failed(importOnce(plan, /*assumeEqual=*/true, again)))
      return false;
  return unsupported.empty();
}

LogicalResult ModelImporter::chooseRanks(const EntryPlan &plan) {
  ranks.clear();
  SmallVector<std::string> open;
  for (const Feed &feed : plan.feeds)
    if (feed.elementType && !hasRank(feed))
      open.push_back(feed.name);
  if (open.empty())
    return success();
  int64_t nodes = shared.model.graph.nodes.size();
  int64_t trials =
      std::min(kMostTrials, kMostTrialNodes / std::max<int64_t>(nodes, 1));
  std::vector<UnsupportedNode> fewest; // of all trials
  for (int64_t most = 0; most <= kMostTriedRank && trials > 0; ++most) {
    // All combinations whose greatest number is `most`.
    SmallVector<int64_t> tried(open.size(), 0);
    for (bool more = true; more && trials > 0;) {
      if (llvm::is_contained(tried, most)) {
        --trials;
        ModelImporter trial(shared.model, options, context);
        for (auto [name, rank] : llvm::zip(open, tried))
          trial.ranks[name] = rank;
        if (trial.isPossible(plan)) {
          ranks = std::move(trial.ranks);
          for (const std::string &name : open) {
            std::string shape = "a scalar";
            if (int64_t rank = ranks[name])
              shape = std::to_string(rank) + "-dimensional";
            emitWarning(unknown)
                << "entry '" << plan.name << "': input '" << name
                << "' states no number of dimensions and is taken to be "
                << shape << "; --shape " << name << "=... says otherwise";
          }
          return success();
        }
        if (fewest.empty() || trial.unsupported.size() < fewest.size())
          fewest = std::move(trial.unsupported);
      }
      size_t i = 0;
      while (i < tried.size() && ++tried[i] > most)
        tried[i++] = 0;
      more = i < tried.size();
    }
  }
  llvm::append_range(unsupported, fewest);
  return error(plan, "input '" + open.front() +
                         "' has no known number of dimensions; give them with "
                         "--shape " +
                         open.front() + "=...");
}

LogicalResult ModelImporter::prepareArguments(const EntryPlan &plan) {
  arguments.clear();
  for (const Feed &feed : plan.feeds) {
    Argument argument{feed.name, feed.elementType, {}, {}, feed.byDefault};
    if (!argument.elementType) {
      if (failed(inferInnerFeed(plan, feed, argument)))
        return failure();
    } else if (feed.shape) {
      argument.shape = *feed.shape;
    } else if (auto rank = ranks.find(feed.name); rank != ranks.end()) {
      argument.shape.assign(rank->second, -1);
    }
    overrideShape(feed, argument);
    if (argument.shape.size() > kMaxRank)
      return error(plan, "input '" + feed.name + "' has " +
                             llvm::Twine(argument.shape.size()) +
                             " dimensions, at most " + llvm::Twine(kMaxRank) +
                             " are possible");
    SmallVector<int64_t> sizes;
    for (int64_t size : argument.shape)
      sizes.push_back(size < 0 ? 1 : size);
    if (!elementCount(sizes))
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

/// What branches of a condition give in kinds that do not fit each other.
static bool isMixed(const ImportedValue &value) {
  return value.kind == ImportedValue::Either ||
         (value.kind == ImportedValue::Absent && !value.symbol.empty());
}

/// The values that the results of one entry are.
class ModelImporter::Results {
public:
  Results(ModelImporter &owner, const EntryPlan &plan, BodyImporter &importer,
          Frame &frame, Location loc)
      : owner(owner), plan(plan), importer(importer), frame(frame), loc(loc) {}

  /// The tensor of an edge. Null when its node could not be translated, which
  /// is reported elsewhere.
  FailureOr<Value> tensor(const std::string &name, Edge edge) {
    ImportedValue value = importer.value(frame, edge);
    if (value.kind == ImportedValue::Missing)
      return Value();
    if (value.kind == ImportedValue::Variable)
      return read(value.symbol);
    if (value.kind == ImportedValue::Tensor)
      return value.tensor;
    (void)owner.error(plan, isMixed(value)
                                ? "result '" + name + "': " + value.symbol
                                : "result '" + name + "' is not a tensor");
    return failure();
  }

  FailureOr<Value> of(const Fetch &fetch) {
    if (fetch.gradient.empty()) {
      if (failed(checkOutput(fetch.edge)))
        return failure();
      return tensor(fetch.name, fetch.edge);
    }
    SmallVector<Value> operands;
    for (const Fetch &part : fetch.gradient) {
      FailureOr<Value> operand = of(part);
      if (failed(operand) || !*operand)
        return operand;
      operands.push_back(*operand);
    }
    OpBuilder &b = importer.state.builder;
    ImportedValue source = importer.value(frame, fetch.edge);
    Attribute variable = b.getUnitAttr();
    if (source.kind == ImportedValue::Variable)
      variable = FlatSymbolRefAttr::get(b.getContext(), source.symbol);
    int32_t weights = operands.size() - 2;
    Operation *op = graph::createOp(
        b, loc, importer.state.shapes,
        fetch.forward ? "graph.tangent" : "graph.gradient",
        getElementTypeOrSelf(operands[fetch.forward ? 0 : 1]), operands,
        {b.getNamedAttr("operandSegmentSizes",
                        b.getDenseI32ArrayAttr({1, 1, weights})),
         b.getNamedAttr("variables", b.getArrayAttr(variable))});
    if (!op)
      return failure();
    return op->getResult(0);
  }

  /// Reads the variables that derivatives are taken by, before any derivative:
  /// those of one tensor then stand together.
  void readSources(const Fetch &fetch) {
    if (fetch.gradient.empty())
      return;
    for (const Fetch &part : fetch.gradient)
      readSources(part);
    if (!hasOutput(fetch.edge))
      return;
    ImportedValue source = importer.value(frame, fetch.edge);
    if (source.kind == ImportedValue::Variable)
      reads[source.symbol] = read(source.symbol);
  }

private:
  bool hasOutput(Edge edge) const {
    return frame.feeds->count({edge.node, edge.output}) ||
           size_t(edge.output) < frame.results[edge.node].size();
  }

  LogicalResult checkOutput(Edge edge) {
    if (hasOutput(edge) || frame.broken[edge.node])
      return success();
    return owner.error(plan, "node '" + frame.graph.nodes[edge.node].name +
                                 "' has no output " + llvm::Twine(edge.output));
  }

  Value read(const std::string &symbol) {
    if (Value known = reads[symbol])
      return known;
    MLIRContext *context = loc.getContext();
    OpBuilder &b = importer.state.builder;
    Type type =
        graph::findVariable(*owner.module, b.getStringAttr(symbol)).getType();
    Operation *op = graph::createOp(
        b, loc, importer.state.shapes, "graph.read", getElementTypeOrSelf(type),
        {},
        b.getNamedAttr("variable", FlatSymbolRefAttr::get(context, symbol)));
    return op ? op->getResult(0) : Value();
  }

  ModelImporter &owner;
  const EntryPlan &plan;
  BodyImporter &importer;
  Frame &frame;
  Location loc;
  std::map<std::string, Value> reads;
};

LogicalResult ModelImporter::finishFunction(const EntryPlan &plan,
                                            func::FuncOp function,
                                            BodyImporter &importer,
                                            Frame &frame) {
  OpBuilder &builder = importer.state.builder;
  Results results(*this, plan, importer, frame, function.getLoc());
  SmallVector<Value> values;
  SmallVector<std::string> names;
  auto addResult = [&](const std::string &name,
                       FailureOr<Value> value) -> LogicalResult {
    if (succeeded(value) && *value) {
      values.push_back(*value);
      names.push_back(name);
    }
    return value;
  };
  for (const Fetch &fetch : plan.fetches)
    results.readSources(fetch);
  for (const Fetch &fetch : plan.fetches) {
    if (fetch.target)
      continue;
    if (!fetch.gradient.empty()) {
      if (failed(addResult(fetch.name, results.of(fetch))))
        return failure();
      continue;
    }
    size_t outputs = frame.results[fetch.edge.node].size();
    bool fed = frame.feeds->count({fetch.edge.node, fetch.edge.output});
    if (fetch.mayBeTarget && outputs == 0 && !fed)
      continue;
    if (!fetch.allOutputs) {
      if (failed(addResult(fetch.name, results.of(fetch))))
        return failure();
      continue;
    }
    for (int i = 0; i < int(outputs); ++i) {
      const ImportedValue &value = frame.results[fetch.edge.node][i];
      if (auto kind = value.kind;
          kind == ImportedValue::Text || kind == ImportedValue::Table ||
          (kind == ImportedValue::Absent && !isMixed(value)) ||
          kind == ImportedValue::Restored)
        continue;
      std::string name = i ? fetch.name + ":" + std::to_string(i) : fetch.name;
      if (failed(addResult(name, results.tensor(name, {fetch.edge.node, i}))))
        return failure();
    }
  }
  func::ReturnOp::create(builder, function.getLoc(), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(),
                                           ValueRange(values).getTypes()));
  SmallVector<DictionaryAttr> attributes;
  for (StringRef name : names)
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("graph.name", builder.getStringAttr(name))));
  function.setAllResultAttrs(attributes);
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
  func::FuncOp function =
      startEntry(*module, symbol, arguments, builder, shapes);
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
  std::set<std::pair<int, int>> sources;
  std::function<void(const Fetch &)> addRoots = [&](const Fetch &fetch) {
    auto place = std::pair(fetch.edge.node, fetch.edge.output);
    if (!fetch.gradient.empty()) {
      sources.insert(place);
      llvm::for_each(fetch.gradient, addRoots);
    } else if (!feeds.count(place) || fetch.target) {
      roots.push_back(fetch.edge.node);
    }
  };
  llvm::for_each(plan.fetches, addRoots);
  frame.sources = &sources;
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

func::FuncOp ModelImporter::importVersion(const EntryPlan &plan,
                                          const llvm::Twine &name,
                                          bool assumeEqual) {
  symbol = name.str();
  bool again = true;
  while (again)
    if (failed(importOnce(plan, assumeEqual, again)))
      return {};
  auto function = module->lookupSymbol<func::FuncOp>(symbol);
  if (function)
    function->setAttr("graph.version", UnitAttr::get(&context));
  return function;
}

LogicalResult ModelImporter::importEntry(const EntryPlan &plan) {
  if (failed(chooseRanks(plan)) || failed(prepareArguments(plan)))
    return failure();
  std::vector<Argument> general = arguments;
  symbol = plan.name;
  bool again = true, assumed = false;
  // Every round makes two sizes one, so it ends.
  while (again) {
    if (failed(importOnce(plan, /*assumeEqual=*/true, again)))
      return failure();
    assumed |= again;
  }
  auto dynamic = module->lookupSymbol<func::FuncOp>(plan.name);
  if (!dynamic)
    return success();
  std::vector<Argument> equal = arguments;
  if (assumed) {
    arguments = general;
    addGeneralVersion(plan, dynamic);
  }
  arguments = std::move(equal);
  return addSpecialVersions(plan, dynamic, general);
}

void ModelImporter::addGeneralVersion(const EntryPlan &plan,
                                      func::FuncOp equal) {
  // Unknown sizes that meet in an operation are most often equal, but one of
  // them may be 1: a second translation, which assumes nothing, is there for
  // the calls in which they are not equal. Some models make sense only with
  // equal sizes: then calls check them.
  size_t known = unsupported.size();
  std::string reason;
  func::FuncOp general;
  {
    ScopedDiagnosticHandler quiet(&context, [&](Diagnostic &diagnostic) {
      if (!reason.empty() ||
          diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return;
      if (auto node = dyn_cast<NameLoc>(diagnostic.getLocation()))
        reason = "node '" + node.getName().str() + "': ";
      reason += diagnostic.str();
    });
    general = importVersion(plan, plan.name + ".general",
                            /*assumeEqual=*/false);
  }
  if (reason.empty() && unsupported.size() > known) {
    const UnsupportedNode &node = unsupported[known];
    reason = "node '" + node.node + "' (" + node.op + "): " + node.reason;
  }
  unsupported.resize(known);
  if (general)
    equal->setAttr("graph.fallback",
                   FlatSymbolRefAttr::get(general.getSymNameAttr()));
  else
    emitWarning(unknown) << "entry '" << plan.name
                         << "': unknown sizes of inputs that meet in an "
                            "operation have to be equal in every call, since "
                            "the model cannot be compiled for others: "
                         << reason;
}

LogicalResult ModelImporter::addSpecialVersions(const EntryPlan &plan,
                                                func::FuncOp dynamic,
                                                ArrayRef<Argument> general) {
  const std::vector<Argument> equal = arguments;
  SmallVector<func::FuncOp> chain;
  for (const ShapeList &shapes : options.specializations) {
    bool changes = false;
    auto special =
        specialize(shared.model.graph, plan, shapes, equal, general, changes);
    if (!special)
      return error(plan, llvm::toString(special.takeError()));
    if (!changes)
      continue;
    arguments = std::move(*special);
    size_t known = unsupported.size();
    auto version =
        importVersion(plan, plan.name + ".special" + llvm::Twine(chain.size()),
                      /*assumeEqual=*/true);
    if (!version) {
      std::string inputs;
      for (const auto &[name, shape] : shapes)
        inputs += (inputs.empty() ? "'" : ", '") + name + "'";
      return unsupported.size() > known
                 ? success() // reported with all others
                 : error(plan, "the model cannot have the sizes that "
                               "--specialize gives to " +
                                   inputs);
    }
    chain.push_back(version);
  }
  if (chain.empty())
    return success();
  // The entry point is the version that is tried first.
  dynamic.setSymName(plan.name + ".dynamic");
  dynamic->setAttr("graph.version", UnitAttr::get(&context));
  chain.front().setSymName(plan.name);
  chain.front()->removeAttr("graph.version");
  chain.push_back(dynamic);
  for (size_t i = 0; i + 1 < chain.size(); ++i) {
    if (chain[i].getResultTypes().size() != dynamic.getResultTypes().size())
      return error(plan, "--specialize changes the number of results");
    for (auto [mine, its] :
         llvm::zip(chain[i].getResultTypes(), dynamic.getResultTypes()))
      if (failed(verifyCompatibleShape(mine, its)))
        return error(plan, "--specialize changes the type of a result");
    chain[i]->setAttr("graph.fallback",
                      FlatSymbolRefAttr::get(chain[i + 1].getSymNameAttr()));
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
    for (const char *suffix : {"", ".general", ".dynamic"})
      shared.reserved.insert(plan.name + suffix);
  bool good = true;
  graph::VariableTable variables(*module);
  for (const EntryPlan &plan : *plans)
    good &= succeeded(importEntry(plan));
  // Entries share nodes: each is reported once.
  std::map<std::string, size_t> seen;
  for (const UnsupportedNode &node : unsupported) {
    good = false;
    if (!seen.try_emplace(node.node, seen.size()).second)
      continue;
    if (options.unsupported)
      options.unsupported->push_back(node);
    if (seen.size() > kMaxReports)
      continue;
    (void)error("node '" + node.node + "' (" + node.op + "): " + node.reason);
  }
  if (seen.size() > kMaxReports)
    (void)error(llvm::Twine(seen.size() - kMaxReports) +
                " more nodes cannot be translated");
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
