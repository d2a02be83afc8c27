#include "compiler/training/BuildTraining.h"
#include "compiler/training/CompileConfig.h"
#include "compiler/training/Constraint.h"
#include "compiler/training/Metric.h"
#include "compiler/training/Optimizer.h"
#include "compiler/training/Parameters.h"
#include "dialects/graph/Graph.h"
#include "dialects/graph/ops/Derivative.h"
#include "dialects/graph/ops/State.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <map>

using namespace mlir;

namespace tenon::training {
using namespace graph;

/// Takes `NAME=` from the front; a call's own arguments have their '=' in
/// parentheses.
static std::string takeOutput(StringRef &text) {
  auto [name, rest] = text.split('=');
  if (rest.empty() || name.contains('('))
    return "";
  text = rest;
  return name.trim().str();
}

llvm::Expected<std::pair<std::string, Call>> parseForOutput(StringRef text) {
  std::string name = takeOutput(text);
  llvm::Expected<Call> call = parseCall(text);
  if (!call)
    return call.takeError();
  return std::make_pair(name, std::move(*call));
}

llvm::Expected<std::vector<std::pair<std::string, Call>>>
parseForOutputs(StringRef text) {
  std::string name = takeOutput(text);
  llvm::Expected<std::vector<Call>> calls = parseCalls(text);
  if (!calls)
    return calls.takeError();
  std::vector<std::pair<std::string, Call>> result;
  for (Call &call : *calls)
    result.emplace_back(name, std::move(call));
  return result;
}

namespace {
/// A loss with the output that it is of.
struct OutputLoss {
  std::string output;
  size_t index; // of the output
  Loss loss;
  double weight = 1;
};

/// A metric with what it looks at, and its accumulators.
struct Tracked {
  Metric metric;
  size_t index; // of the output
  bool weighted;
  std::vector<Variable> sums;
};

class TrainingBuilder {
public:
  TrainingBuilder(ModuleOp module, const Request &request)
      : module(module), request(request), variables(module),
        builder(module.getContext()) {}

  LogicalResult run() {
    if (failed(findForward()) || failed(readFile()) ||
        failed(findParameters()) || failed(resolveLosses()) ||
        failed(resolveMetrics()))
      return failure();
    if (failed(buildStep("train_step", /*trains=*/true)) ||
        failed(buildStep("evaluate", /*trains=*/false)))
      return failure();
    for (auto &[name, function] : steps)
      function.erase();
    buildMetrics();
    buildReset();
    if (optimizer.average)
      buildFinalize();
    exchangeOptimizer();
    describeOptimizer();
    module->setAttr("graph.training", builder.getUnitAttr());
    return success();
  }

private:
  LogicalResult fail(const Twine &reason) {
    return emitError(builder.getUnknownLoc()) << reason.str();
  }
  LogicalResult fail(llvm::Error error) {
    return fail(llvm::toString(std::move(error)));
  }

  //===--------------------------------------------------------------------===//
  // What is there
  //===--------------------------------------------------------------------===//

  LogicalResult findForward() {
    SmallVector<func::FuncOp> entries;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("graph.entry") && function.getName() != "init")
        entries.push_back(function);
    auto named = [&](StringRef name) {
      auto found = llvm::find_if(entries, [&](func::FuncOp function) {
        return function.getName() == name;
      });
      return found == entries.end() ? func::FuncOp() : *found;
    };
    forward = named("main");
    if (!forward)
      forward = named("serving_default");
    if (!forward && entries.size() == 1)
      forward = entries[0];
    if (!forward)
      return fail("which entry is to be trained is not clear: expected 'main', "
                  "'serving_default' or a single one");
    // Inputs of one batch have one size: what other sizes need is of no use.
    forward->removeAttr("graph.fallback");
    for (func::FuncOp function :
         llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
      if (auto step = function->getAttrOfType<StringAttr>("graph.forward"))
        steps[step.str()] = function;
      else if (function != forward && function.getName() != "init")
        function.erase();
    forward.setName("predict");
    for (unsigned i = 0; i < forward.getNumResults(); ++i) {
      auto name = forward.getResultAttrOfType<StringAttr>(i, "graph.name");
      outputs.push_back(name ? name.str() : "output_" + std::to_string(i));
    }
    if (outputs.empty())
      return fail("the model has no output to train");
    return success();
  }

  /// What the file itself asks for, where the user does not.
  LogicalResult readFile() {
    auto config = module->getAttrOfType<StringAttr>("graph.compile");
    if (!config)
      return success();
    module->removeAttr("graph.compile");
    llvm::Expected<Request> own = readCompileConfig(config.getValue(), outputs);
    if (!own)
      return fail(own.takeError());
    if (request.losses.empty()) {
      request.losses = std::move(own->losses);
      if (request.lossWeights.empty())
        request.lossWeights = std::move(own->lossWeights);
    }
    if (request.metrics.empty()) {
      request.metrics = std::move(own->metrics);
      request.weightedMetrics = std::move(own->weightedMetrics);
    }
    if (!request.optimizer) {
      request.optimizer = std::move(own->optimizer);
      fileOptimizer = request.optimizer.has_value();
    }
    return success();
  }

  /// In what Keras is to read: the user's, instead of the file's.
  void describeOptimizer() {
    auto archive = module->getAttrOfType<DictionaryAttr>("graph.archive");
    if (!archive || fileOptimizer || !request.optimizer)
      return;
    NamedAttrList about(archive);
    about.set("config", builder.getStringAttr(withOptimizer(
                            archive.getAs<StringAttr>("config").getValue(),
                            *request.optimizer)));
    module->setAttr("graph.archive", about.getDictionary(module.getContext()));
  }

  LogicalResult findParameters() {
    llvm::Expected<SmallVector<Variable>> found =
        chooseParameters(module, forward, variables, request.trainable);
    if (!found)
      return fail(found.takeError());
    parameters = std::move(*found);
    for (Variable parameter : parameters) {
      auto variable = module.lookupSymbol<VariableOp>(parameter.symbol);
      auto text = variable->getAttrOfType<StringAttr>("graph.constraint");
      constraints.emplace_back();
      if (!text)
        continue;
      llvm::Expected<Call> call = parseCall(text.getValue());
      if (!call)
        return fail(call.takeError());
      llvm::Expected<Constraint> made = makeConstraint(*call);
      if (!made)
        return fail(made.takeError());
      constraints.back() = std::move(*made);
    }
    return success();
  }

  std::optional<size_t> outputNamed(StringRef name) {
    if (name.empty() && outputs.size() == 1)
      return 0;
    auto found = llvm::find(outputs, name);
    return found == outputs.end()
               ? std::nullopt
               : std::optional<size_t>(found - outputs.begin());
  }
  LogicalResult noOutput(StringRef what, StringRef name) {
    return fail(Twine(what) +
                (name.empty() ? " without an output's name"
                              : " for '" + name.str() + "'") +
                ": the model's outputs are " + llvm::join(outputs, ", "));
  }

  /// The outputs of the forward entry, for their shapes.
  LogicalResult resolveLosses() {
    ShapeContext shapes(module.getContext());
    shapes.addEntry(forward);
    GraphBuilder b(builder, shapes, builder.getUnknownLoc());
    auto results = forward.getBody().front().getTerminator()->getOperands();
    Call any;
    any.name = "mean_squared_error";
    if (request.losses.empty() && request.anyLoss)
      for (const std::string &output : outputs)
        request.losses.emplace_back(output, any);
    if (request.losses.empty())
      return fail("no loss: name one with --loss");
    for (const auto &[name, call] : request.losses) {
      std::optional<size_t> index = outputNamed(name);
      if (!index)
        return noOutput("loss", name);
      Tensor output(b, results[*index]);
      if (!isa<FloatType>(output.type()))
        return fail("output '" + outputs[*index] +
                    "' has no floats, which a loss needs");
      if (output.rank() == 0)
        return fail("output '" + outputs[*index] +
                    "' is a scalar, a loss needs one row per sample");
      llvm::Expected<Loss> loss = makeLoss(call, output);
      if (!loss)
        return fail(loss.takeError());
      OutputLoss made{outputs[*index], *index, std::move(*loss)};
      for (const auto &[output, weight] : request.lossWeights)
        if (outputNamed(output) == index)
          made.weight = weight;
      losses.push_back(std::move(made));
    }
    for (const auto &[name, weight] : request.lossWeights)
      if (!outputNamed(name))
        return noOutput("loss weight", name);
    Call standard;
    standard.name = "rmsprop";
    llvm::Expected<Optimizer> made =
        makeOptimizer(request.optimizer.value_or(standard));
    if (!made)
      return fail(made.takeError());
    optimizer = std::move(*made);
    return success();
  }

  LogicalResult resolveMetrics() {
    // The loss, and with several outputs that of each, is tracked as Keras
    // does: weighted by the number of samples.
    tracked.emplace("loss", makeTracked(Metric(), 0, true, "loss"));
    if (losses.size() > 1)
      for (const OutputLoss &loss : losses)
        tracked.emplace(
            loss.output + "_loss",
            makeTracked(Metric(), loss.index, true, loss.output + "_loss"));
    ShapeContext shapes(module.getContext());
    shapes.addEntry(forward);
    GraphBuilder b(builder, shapes, builder.getUnknownLoc());
    auto results = forward.getBody().front().getTerminator()->getOperands();
    std::map<std::string, unsigned> used; // names, as Keras tells them apart
    for (bool weighted : {false, true})
      for (const auto &[name, call] :
           weighted ? request.weightedMetrics : request.metrics) {
        bool any = false;
        for (const OutputLoss &loss : losses) {
          if (!name.empty() && name != loss.output)
            continue;
          any = true;
          llvm::Expected<Metric> metric = makeMetric(
              call, loss.loss.target, Tensor(b, results[loss.index]));
          if (!metric)
            return fail(metric.takeError());
          std::string prefix = outputs.size() > 1 ? loss.output + "_" : "";
          std::string key = prefix + metric->name;
          if (weighted && used.count(key))
            key = prefix + "weighted_" + metric->name;
          if (unsigned before = used[key]++)
            key += "_" + std::to_string(before);
          if (tracked.count(key))
            return fail("two metrics are called '" + key + "'");
          tracked.emplace(
              key, makeTracked(std::move(*metric), loss.index, weighted, key));
        }
        if (!any)
          return noOutput("metric", name);
      }
    return success();
  }

  Tracked makeTracked(Metric metric, size_t index, bool weighted,
                      StringRef key) {
    if (!metric.result) { // a mean that the step itself adds to
      metric.accumulators = {{}, {}};
      metric.result = [](GraphBuilder &, ArrayRef<Tensor> sums) {
        return quotient(sums[0], sums[1]);
      };
    }
    Tracked made{std::move(metric), index, weighted, {}};
    for (auto [i, shape] : llvm::enumerate(made.metric.accumulators))
      made.sums.push_back(
          variables.declare(("metrics/" + key + "/" + Twine(i)).str(), shape,
                            builder.getF32Type()));
    return made;
  }

  //===--------------------------------------------------------------------===//
  // Entries
  //===--------------------------------------------------------------------===//

  /// A new entry with results of these names; its body is to be filled.
  func::FuncOp makeEntry(StringRef name, ArrayRef<std::string> results) {
    builder.setInsertionPointToEnd(module.getBody());
    SmallVector<Type> types(results.size(),
                            RankedTensorType::get({}, builder.getF32Type()));
    auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), name,
                                         builder.getFunctionType({}, types));
    function->setAttr("graph.entry", builder.getUnitAttr());
    for (auto [i, result] : llvm::enumerate(results))
      function.setResultAttr(i, "graph.name", builder.getStringAttr(result));
    builder.setInsertionPointToStart(function.addEntryBlock());
    return function;
  }

  /// An argument whose sizes are those of `like`, up to `rank`, by name where
  /// they are an input's.
  Value addArgument(func::FuncOp function, ShapeContext &shapes, StringRef name,
                    Type element, ArrayRef<AffineExpr> dims) {
    SmallVector<int64_t> sizes;
    SmallVector<Attribute> names;
    for (AffineExpr dim : dims) {
      std::optional<int64_t> size =
          dim ? ShapeContext::asConstant(dim) : std::nullopt;
      sizes.push_back(size.value_or(ShapedType::kDynamic));
      if (size)
        names.push_back(builder.getI64IntegerAttr(*size));
      else
        names.push_back(builder.getStringAttr(
            sizeName(function, shapes, dim)
                .value_or((name + "." + Twine(names.size())).str())));
    }
    unsigned index = function.getNumArguments();
    auto type = RankedTensorType::get(sizes, element);
    (void)function.insertArgument(index, type, {}, builder.getUnknownLoc());
    function.setArgAttr(index, "graph.name", builder.getStringAttr(name));
    function.setArgAttr(index, "graph.dims", builder.getArrayAttr(names));
    Value argument = function.getArgument(index);
    Dims known;
    for (auto [dim, size] : llvm::zip(dims, sizes))
      known.push_back(dim ? dim : shapes.freshSymbol(argument, known.size()));
    shapes.setDims(argument, known);
    return argument;
  }

  /// The name in `graph.dims` of a size that an input has.
  static std::optional<std::string>
  sizeName(func::FuncOp function, ShapeContext &shapes, AffineExpr dim) {
    if (!dim)
      return std::nullopt;
    for (BlockArgument argument : function.getArguments()) {
      auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                        "graph.dims");
      for (auto [i, size] : llvm::enumerate(shapes.dims(argument)))
        if (auto name = names && size == dim && i < names.size()
                            ? dyn_cast<StringAttr>(names[i])
                            : StringAttr())
          return name.str();
    }
    return std::nullopt;
  }

  Tensor addTarget(func::FuncOp function, GraphBuilder &b,
                   const OutputLoss &loss, Tensor output) {
    Dims dims(output.dims());
    Type element = builder.getF32Type();
    if (loss.loss.target != TargetKind::Values)
      element = b.i64();
    if (loss.loss.target == TargetKind::Classes)
      dims.pop_back();
    if (loss.loss.target == TargetKind::Sequences)
      dims = {dims[0], AffineExpr()};
    std::string name = loss.output;
    for (unsigned i = 0; i < forward.getNumArguments(); ++i)
      if (forward.getArgAttrOfType<StringAttr>(i, "graph.name") ==
          StringRef(name)) {
        name += "_target";
        break;
      }
    return {b, addArgument(function, b.shapes, name, element, dims)};
  }

  LogicalResult buildStep(StringRef name, bool trains) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module.getBody());
    auto known = steps.find(trains ? "train" : "test");
    func::FuncOp function =
        (known == steps.end() ? forward : known->second).clone();
    function->removeAttr("graph.forward");
    function->setAttr("graph.entry", builder.getUnitAttr());
    function.setName(name);
    builder.insert(function);
    Operation *end = function.getBody().front().getTerminator();
    builder.setInsertionPoint(end);
    ShapeContext shapes(module.getContext());
    shapes.addEntry(function);
    GraphBuilder b(builder, shapes, builder.getUnknownLoc());
    Type f32 = builder.getF32Type();

    SmallVector<Tensor> results, targets;
    Tensor total; // of what adds to the loss beside the outputs' losses
    std::map<std::string, Tensor> masks;
    for (auto [i, value] : llvm::enumerate(end->getOperands())) {
      Tensor result(b, value);
      if (isa<FloatType>(result.type()))
        result = cast(result, f32);
      auto role = function.getResultAttrOfType<StringAttr>(i, "graph.role");
      if (role && role == "loss")
        total = total ? total + result : result;
      else if (role)
        masks[function.getResultAttrOfType<StringAttr>(i, "graph.of").str()] =
            result;
      else
        results.push_back(result);
    }
    for (const OutputLoss &loss : losses)
      targets.push_back(addTarget(function, b, loss, results[loss.index]));
    Tensor first = results[losses[0].index];
    Tensor weight(
        b, addArgument(function, shapes, "sample_weight", f32, first.dim(0)));
    Tensor samples = cast(b.size(weight.value(), 0), f32);

    for (auto [loss, target] : llvm::zip(losses, targets)) {
      Compared compared = loss.loss.compare(b, target, results[loss.index]);
      if (Tensor mask = masks[loss.output])
        compared.mask = compared.mask ? compared.mask & mask : mask;
      Tensor part = loss.loss.reduce(b, compared, weight);
      if (losses.size() > 1)
        // Keras counts batches here, not samples.
        accumulate(b, tracked.at(loss.output + "_loss"),
                   {part, number(part, 1)});
      part = part * loss.weight;
      total = total ? total + part : part;
    }
    for (auto &[key, each] : tracked)
      if (each.metric.update)
        for (auto [loss, target] : llvm::zip(losses, targets))
          if (loss.index == each.index)
            accumulate(
                b, each,
                each.metric.update(b, target, results[loss.index],
                                   masked(each.weighted ? weight : Tensor(),
                                          masks[loss.output])));
    accumulate(b, tracked.at("loss"), {total * samples, samples});
    if (trains && !b.failed())
      train(b, total);
    if (b.failed())
      return failure();
    // The loss takes the place of the model's outputs.
    builder.create<func::ReturnOp>(end->getLoc(), total.value());
    end->erase();
    llvm::BitVector all(function.getNumResults(), true);
    (void)function.eraseResults(all);
    (void)function.insertResult(0, total.value().getType(), {});
    function.setResultAttr(0, "graph.name", builder.getStringAttr("loss"));
    return success();
  }

  /// A weight for each row that a mask keeps; null: 1 for all.
  Tensor masked(Tensor weight, Tensor mask) {
    if (!mask)
      return weight;
    Tensor kept = cast(mask, builder.getF32Type());
    return weight ? kept * withRank(weight, kept.rank()) : kept;
  }

  void accumulate(GraphBuilder &b, Tracked &into, ArrayRef<Tensor> increments) {
    for (auto [sum, more] : llvm::zip(into.sums, increments))
      Variables::assign(b, sum, Variables::read(b, sum) + more);
  }

  void train(GraphBuilder &b, Tensor loss) {
    SmallVector<Value> sources;
    SmallVector<Attribute> names;
    for (Variable parameter : parameters) {
      sources.push_back(Variables::read(b, parameter).value());
      names.push_back(FlatSymbolRefAttr::get(parameter.symbol));
    }
    Value target = loss.value();
    SmallVector<Type> types(ValueRange(sources).getTypes());
    auto gradient =
        GradientOp::create(b.builder, b.loc, types, target, sources,
                           ValueRange(), b.builder.getArrayAttr(names));
    SmallVector<Tensor> gradients;
    for (auto [value, source] : llvm::zip(gradient.getResults(), sources)) {
      b.shapes.copyDims(value, source);
      gradients.emplace_back(b, value);
    }
    optimizer.apply(b, variables, parameters, gradients, constraints);
  }

  void buildMetrics() {
    std::vector<std::string> names;
    for (const auto &[key, each] : tracked)
      names.push_back(key);
    func::FuncOp function = makeEntry("metrics", names);
    ShapeContext shapes(module.getContext());
    GraphBuilder b(builder, shapes, builder.getUnknownLoc());
    SmallVector<Value> values;
    for (auto &[key, each] : tracked) {
      SmallVector<Tensor> sums;
      for (Variable sum : each.sums)
        sums.push_back(Variables::read(b, sum));
      values.push_back(each.metric.result(b, sums).value());
    }
    func::ReturnOp::create(builder, function.getLoc(), values);
  }

  void buildReset() {
    func::FuncOp function = makeEntry("reset_metrics", {});
    ShapeContext shapes(module.getContext());
    GraphBuilder b(builder, shapes, builder.getUnknownLoc());
    for (auto &[key, each] : tracked)
      for (Variable sum : each.sums)
        Variables::assign(b, sum, b.filled(Variables::read(b, sum).value(), 0));
    func::ReturnOp::create(builder, function.getLoc());
  }

  void buildFinalize() {
    func::FuncOp function = makeEntry("finalize", {});
    ShapeContext shapes(module.getContext());
    GraphBuilder b(builder, shapes, builder.getUnknownLoc());
    optimizer.finish(b, variables, parameters);
    func::ReturnOp::create(builder, function.getLoc());
  }

  /// The optimizer's variables go to and come from the model's file, when it
  /// is of Keras and the optimizer is the one that Keras would make.
  void exchangeOptimizer() {
    auto kept = module->getAttrOfType<ArrayAttr>("graph.optimizer");
    module->removeAttr("graph.optimizer");
    unsigned trainable = 0;
    for (auto variable : module.getOps<VariableOp>())
      trainable += variable.getTrainable();
    if (!kept || !request.optimizer || trainable != parameters.size())
      return;
    std::vector<VariableOp> order;
    for (const std::string &name : optimizer.inFile(parameters))
      order.push_back(module.lookupSymbol<VariableOp>(name));
    bool fits = fileOptimizer && kept.size() == order.size();
    for (auto [i, variable] : llvm::enumerate(order)) {
      variable->setAttr(
          "graph.place",
          builder.getStringAttr("optimizer/vars/" + std::to_string(i)));
      fits &= i < kept.size() &&
              cast<ElementsAttr>(kept[i]).getType() == variable.getType();
    }
    for (size_t i = 0; fits && i < order.size(); ++i)
      order[i].setInitialAttr(cast<ElementsAttr>(kept[i]));
  }

  ModuleOp module;
  Request request;
  Variables variables;
  OpBuilder builder;
  func::FuncOp forward;
  std::vector<std::string> outputs;
  std::map<std::string, func::FuncOp> steps; // what they compute, by kind
  SmallVector<Variable> parameters;
  std::vector<Constraint> constraints; // of the parameters; may be empty
  std::vector<OutputLoss> losses;
  Optimizer optimizer;
  bool fileOptimizer = false;             // it is what the file asks for
  std::map<std::string, Tracked> tracked; // sorted, as Keras's logs are
};
} // namespace

LogicalResult buildTraining(ModuleOp module, const Request &request) {
  return TrainingBuilder(module, request).run();
}

} // namespace tenon::training
