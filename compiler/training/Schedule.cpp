// Keras 3's schedules: keras/src/optimizers/schedules has the formulas.
#include "compiler/training/Schedule.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace tenon::training {
using namespace graph;

namespace {
Tensor rounded(StringRef op, Tensor x) { return apply(op, x); }
Tensor least(Tensor x, double y) { return apply("minimum", x, number(x, y)); }
Tensor powerOf(double base, Tensor x) { return pow(number(x, base), x); }

Schedule exponential(Arguments &a) {
  double rate = a.required("initial_learning_rate"),
         steps = a.required("decay_steps"), decay = a.required("decay_rate");
  bool stairs = a.flag("staircase", false);
  return [=](Tensor step) {
    Tensor p = step / steps;
    return rate * powerOf(decay, stairs ? rounded("floor", p) : p);
  };
}

Schedule inverseTime(Arguments &a) {
  double rate = a.required("initial_learning_rate"),
         steps = a.required("decay_steps"), decay = a.required("decay_rate");
  bool stairs = a.flag("staircase", false);
  return [=](Tensor step) {
    Tensor p = step / steps;
    return rate / (1 + decay * (stairs ? rounded("floor", p) : p));
  };
}

Schedule polynomial(Arguments &a) {
  double rate = a.required("initial_learning_rate"),
         steps = a.required("decay_steps"),
         end = a.number("end_learning_rate", 1e-4),
         exponent = a.number("power", 1);
  bool cycle = a.flag("cycle", false);
  return [=](Tensor step) {
    Tensor p;
    if (cycle) {
      Tensor rounds = select(equal(step, 0), 1, rounded("ceil", step / steps));
      p = step / (steps * rounds);
    } else {
      p = least(step, steps) / steps;
    }
    Tensor left = 1 - p;
    return (rate - end) * pow(left, number(left, exponent)) + end;
  };
}

Schedule piecewise(Arguments &a) {
  std::vector<double> bounds = a.numbers("boundaries"),
                      values = a.numbers("values");
  if (bounds.empty() || values.size() != bounds.size() + 1)
    a.fail("needs one value more than boundaries, and at least one boundary");
  return [=](Tensor step) {
    Tensor rate = number(step, values.back());
    for (size_t i = bounds.size(); i-- > 0;)
      rate = select(step <= number(step, bounds[i]), values[i], rate);
    return rate;
  };
}

/// From `rate` down to `alpha` of it along a half wave.
Tensor wave(Tensor step, double rate, double steps, double alpha) {
  Tensor cosine = 0.5 * (1 + cos(step / steps * std::numbers::pi));
  return rate * ((1 - alpha) * cosine + alpha);
}

Schedule cosine(Arguments &a) {
  double rate = a.required("initial_learning_rate"),
         steps = a.required("decay_steps"), alpha = a.number("alpha", 0);
  a.find("name"); // stands between the others
  std::optional<double> target = a.optionalNumber("warmup_target");
  double warmup = a.number("warmup_steps", 0);
  return [=](Tensor step) {
    if (!target)
      return wave(least(step, steps), rate, steps, alpha);
    step = least(step, steps + warmup);
    Tensor after = wave(step - warmup, *target, steps, alpha);
    if (warmup <= 0)
      return after;
    return select(step < warmup, step / warmup * (*target - rate) + rate,
                  after);
  };
}

Schedule cosineRestarts(Arguments &a) {
  double rate = a.required("initial_learning_rate"),
         first = a.required("first_decay_steps"), longer = a.number("t_mul", 2),
         lower = a.number("m_mul", 1), alpha = a.number("alpha", 0);
  return [=](Tensor step) {
    Tensor done = step / first, restart;
    if (longer == 1) {
      restart = rounded("floor", done);
      done = done - restart;
    } else {
      restart =
          rounded("floor", log(1 - done * (1 - longer)) / std::log(longer));
      Tensor scale = powerOf(longer, restart);
      done = (done - (1 - scale) / (1 - longer)) / scale;
    }
    Tensor wave =
        0.5 * powerOf(lower, restart) * (1 + cos(done * std::numbers::pi));
    return rate * ((1 - alpha) * wave + alpha);
  };
}

struct Row {
  StringLiteral name;
  Schedule (*make)(Arguments &);
};
constexpr Row kRows[] = {
    {"exponential_decay", exponential},
    {"inverse_time_decay", inverseTime},
    {"polynomial_decay", polynomial},
    {"piecewise_constant_decay", piecewise},
    {"piecewise_constant", piecewise},
    {"cosine_decay", cosine},
    {"cosine_decay_restarts", cosineRestarts},
};
} // namespace

std::vector<std::string> scheduleNames() {
  std::vector<std::string> names;
  for (const Row &row : kRows)
    names.push_back(row.name.str());
  return names;
}

llvm::Expected<Schedule> makeSchedule(const Call &call) {
  for (const Row &row : kRows) {
    if (canonical(row.name) != canonical(call.name))
      continue;
    Arguments arguments("schedule", call);
    Schedule schedule = row.make(arguments);
    arguments.ignore({"name"});
    if (llvm::Error error = arguments.finish())
      return error;
    return schedule;
  }
  return llvm::createStringError(
      "there is no schedule '" + call.name +
      "'; the schedules are: " + llvm::join(scheduleNames(), ", "));
}

} // namespace tenon::training
