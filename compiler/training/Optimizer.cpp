// What all optimizers do: keras/src/optimizers/base_optimizer.py.
#include "compiler/training/Optimizer.h"
#include "compiler/training/OptimizerRules.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"

using namespace mlir;

namespace tenon::training {
using namespace graph;

static RankedTensorType slotType(RankedTensorType type, Slot::Shape shape) {
  if (shape == Slot::Shape::None)
    return RankedTensorType::get({}, IntegerType::get(type.getContext(), 32));
  SmallVector<int64_t> sizes(type.getShape());
  if (shape == Slot::Shape::Rows)
    sizes.pop_back();
  if (shape == Slot::Shape::Columns)
    sizes.erase(sizes.end() - 2);
  return RankedTensorType::get(sizes, type.getElementType());
}

static std::string slotName(Variable variable, StringRef slot) {
  return ("optimizer/" + variable.symbol.getValue() + "/" + slot).str();
}

/// x shortened to a length of at most `limit`, given the square of its length.
static Tensor shortened(Tensor x, Tensor squared, double limit) {
  if (!x)
    return x;
  Tensor isPositive = squared > 0;
  Tensor length =
      select(isPositive, sqrt(select(isPositive, squared, 1)), squared);
  return ofRows("div", ofRows("mul", x, number(x, limit)),
                graph::apply("maximum", length, number(length, limit)));
}

void Optimizer::apply(GraphBuilder &b, Variables &variables,
                      ArrayRef<Variable> trained, ArrayRef<Tensor> gradients,
                      ArrayRef<Constraint> constraints) const {
  Type f32 = b.builder.getF32Type();
  Variable counter = variables.declare("optimizer/iteration", {}, b.i64());
  Tensor calls = Variables::read(b, counter), next = calls + 1;
  Tensor done = calls, isStep;
  if (accumulate) {
    done = graph::apply("floor_div", calls, number(calls, double(accumulate)));
    isStep = equal(
        graph::apply("floor_mod", next, number(next, double(accumulate))), 0);
  }
  Step step{b, {}, cast(done + 1, f32), !schedule, {}};
  if (schedule)
    step.rate = schedule(cast(calls, f32)); // also while gradients gather
  else
    step.rate = Variables::read(
        b, variables.declare("optimizer/learning_rate", {}, f32, rate));
  Tensor finite = adjustScale(b, variables, gradients);
  auto whenFinite = [&](Tensor changed, Tensor old) {
    return finite ? select(finite, changed, old) : changed;
  };
  /// The new value in a step, the old one between steps.
  auto inStep = [&](Tensor changed, Tensor old) {
    return whenFinite(isStep ? select(isStep, changed, old) : changed, old);
  };

  SmallVector<Variable> shared;
  for (const Slot &slot : sharedSlots) {
    shared.push_back(
        variables.declare("optimizer/" + slot.name, {}, f32, slot.initial));
    step.shared.push_back(Variables::read(b, shared.back()));
  }
  if (prepare) {
    SmallVector<Tensor> old(step.shared);
    prepare(step);
    for (auto [variable, before, after] : llvm::zip(shared, old, step.shared))
      Variables::assign(b, variable, inStep(after, before));
  }

  SmallVector<Tensor> changes(gradients);
  if (accumulate)
    for (auto [variable, change] : llvm::zip(trained, changes)) {
      Variable sum = variables.declare(
          slotName(variable, "gradient_accumulator"), variable.type);
      Tensor old = Variables::read(b, sum), total = old + change;
      Variables::assign(b, sum, whenFinite(select(isStep, 0, total), old));
      change = total / double(accumulate);
    }
  auto squares = [](Tensor x) {
    return sum(ofRows("square", x), upTo(x ? x.rank() : 0));
  };
  if (clipNorm && *clipNorm > 0)
    for (Tensor &change : changes)
      change = shortened(change, squares(change), *clipNorm);
  if (globalClipNorm && *globalClipNorm > 0) {
    Tensor total;
    for (Tensor change : changes) {
      Tensor part = cast(squares(change), f32);
      total = total ? total + part : part;
    }
    // A length that is no number makes everything NaN.
    Tensor length = sqrt(total);
    Tensor scale =
        *globalClipNorm * graph::apply("minimum", 1 / length,
                                       number(length, 1 / *globalClipNorm));
    scale = scale + (length - length);
    for (Tensor &change : changes)
      change = change * cast(scale, change.type());
  }
  if (clipValue && *clipValue > 0)
    for (Tensor &change : changes)
      change =
          ofRows("clip", change,
                 {number(change, -*clipValue), number(change, *clipValue)});

  Tensor momentum; // of the averages: the first one is the variable itself
  if (average)
    momentum = averageMomentum * cast(notEqual(done, 0), f32);
  llvm::Regex excluded(withoutDecay);
  for (auto [variable, change, constraint] :
       llvm::zip(trained, changes, constraints)) {
    Tensor old = Variables::read(b, variable), value = old;
    Type element = variable.type.getElementType();
    Step own{b,
             cast(step.rate, element),
             cast(step.number, element),
             step.constantRate,
             {}};
    for (Tensor each : step.shared)
      own.shared.push_back(cast(each, element));
    if (weightDecay &&
        (withoutDecay.empty() || !excluded.match(variable.symbol.getValue())))
      value = value - value * *weightDecay * own.rate;
    SmallVector<Variable> kept;
    SmallVector<Tensor> states, before;
    for (const Slot &slot : slots(variable.type.getRank())) {
      kept.push_back(variables.declare(slotName(variable, slot.name),
                                       slotType(variable.type, slot.shape),
                                       slot.initial));
      states.push_back(Variables::read(b, kept.back()));
    }
    before = states;
    value = inStep(update(own, value, change, states), old);
    for (auto [slot, from, to] : llvm::zip(kept, before, states))
      if (to.value() != from.value())
        Variables::assign(b, slot, inStep(to, from));
    if (average) {
      Variable mean =
          variables.declare(slotName(variable, "average"), variable.type);
      Tensor part = cast(momentum, element), before = Variables::read(b, mean);
      Tensor now = part * before + (1 - part) * value;
      Variables::assign(b, mean, whenFinite(now, before));
      if (overwriteEvery) {
        Tensor due = equal(graph::apply("floor_mod", done + 1,
                                        number(done, double(overwriteEvery))),
                           0);
        value = select(due, now, value);
      }
    }
    if (constraint)
      value = constraint(value);
    Variables::assign(b, variable, whenFinite(value, old));
  }
  Variables::assign(b, counter, whenFinite(next, calls));
}

Tensor Optimizer::adjustScale(GraphBuilder &b, Variables &variables,
                              ArrayRef<Tensor> gradients) const {
  if (!lossScale)
    return {};
  Type f32 = b.builder.getF32Type();
  Variable scale =
      variables.declare("optimizer/dynamic_scale", {}, f32, lossScale->initial);
  Variable counter = variables.declare("optimizer/step_counter", {}, b.i64());
  Tensor factor = Variables::read(b, scale),
         count = Variables::read(b, counter);
  // What is not finite makes a NaN of the sum.
  Tensor total = number(factor, 0);
  for (Tensor gradient : gradients) {
    Tensor scaled = cast(gradient, f32) * factor;
    total = total + sum(scaled - scaled, upTo(scaled ? scaled.rank() : 0));
  }
  Tensor finite = equal(total, 0);
  Tensor grows = equal(count, double(lossScale->growthSteps - 1));
  Variables::assign(
      b, scale,
      factor * select(finite, select(grows, number(factor, 2), 1), 0.5));
  Variables::assign(b, counter, select(finite, select(grows, 0, count + 1), 0));
  return finite;
}

std::vector<std::string> Optimizer::inFile(ArrayRef<Variable> trained) const {
  if (lossScale) // Keras has two of some
    return {};
  std::vector<std::string> names = {"optimizer/iteration"};
  if (!schedule)
    names.push_back("optimizer/learning_rate");
  auto forAll = [&](StringRef slot) {
    for (Variable variable : trained)
      names.push_back(slotName(variable, slot));
  };
  if (average)
    forAll("average");
  if (accumulate)
    forAll("gradient_accumulator");
  unsigned groups = 1;
  for (unsigned group = 0; group < groups; ++group)
    for (Variable variable : trained)
      for (const Slot &slot : slots(variable.type.getRank())) {
        groups = std::max(groups, slot.group + 1);
        if (slot.group == group)
          names.push_back(slotName(variable, slot.name));
      }
  for (const Slot &slot : sharedSlots)
    names.push_back("optimizer/" + slot.name);
  return names;
}

void Optimizer::finish(GraphBuilder &b, Variables &variables,
                       ArrayRef<Variable> trained) const {
  for (Variable variable : trained)
    if (average)
      Variables::assign(
          b, variable,
          Variables::read(b, variables.declare(slotName(variable, "average"),
                                               variable.type)));
}

llvm::Expected<Optimizer> makeOptimizer(const Call &call) {
  Arguments arguments("optimizer", call);
  if (canonical(call.name) == "lossscaleoptimizer") {
    const Call *inner = arguments.find("inner_optimizer");
    if (!inner)
      return llvm::createStringError(
          "optimizer 'loss_scale_optimizer' needs an 'inner_optimizer'");
    llvm::Expected<Optimizer> optimizer = makeOptimizer(*inner);
    if (!optimizer)
      return optimizer.takeError();
    optimizer->lossScale = {arguments.number("initial_scale", 32768),
                            arguments.integer("dynamic_growth_steps", 2000)};
    arguments.ignore({"name"});
    if (llvm::Error error = arguments.finish())
      return error;
    return optimizer;
  }
  std::optional<Optimizer> made = makeRule(arguments);
  if (!made)
    return llvm::createStringError(
        "there is no optimizer '" + call.name +
        "'; the optimizers are: " + llvm::join(optimizerNames(), ", "));
  Optimizer &optimizer = *made;
  if (!optimizer.weightDecay)
    optimizer.weightDecay = arguments.optionalNumber("weight_decay");
  optimizer.clipNorm = arguments.optionalNumber("clipnorm");
  optimizer.clipValue = arguments.optionalNumber("clipvalue");
  optimizer.globalClipNorm = arguments.optionalNumber("global_clipnorm");
  if (optimizer.clipNorm.has_value() + optimizer.clipValue.has_value() +
          optimizer.globalClipNorm.has_value() >
      1)
    arguments.fail("has several of 'clipnorm', 'clipvalue' and "
                   "'global_clipnorm', expected one");
  optimizer.average = arguments.flag("use_ema", false);
  optimizer.averageMomentum = arguments.number("ema_momentum", 0.99);
  optimizer.overwriteEvery = arguments.integer("ema_overwrite_frequency", 0);
  // Gradients of a scaled loss are divided by the scale: nothing changes in
  // f32, whose exponent has room.
  arguments.ignore({"loss_scale_factor", "name", "dtype", "jit_compile",
                    "is_legacy_optimizer"});
  optimizer.accumulate = arguments.integer("gradient_accumulation_steps", 0);
  optimizer.withoutDecay = arguments.text("exclude_from_weight_decay", "");
  if (optimizer.overwriteEvery < 0 || optimizer.accumulate < 0 ||
      optimizer.accumulate == 1)
    arguments.fail("has a number of steps that is too small");
  std::string wrong;
  if (!optimizer.withoutDecay.empty() &&
      !llvm::Regex(optimizer.withoutDecay).isValid(wrong))
    arguments.fail("has 'exclude_from_weight_decay', which is no regular "
                   "expression: " +
                   wrong);
  if (llvm::Error error = arguments.finish())
    return error;
  return std::move(optimizer);
}

} // namespace tenon::training
