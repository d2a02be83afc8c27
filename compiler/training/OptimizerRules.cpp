// The formulas stand in keras/src/optimizers, one file each; TensorFlow 1's in
// tensorflow/core/kernels/training_ops.cc.
#include "compiler/training/OptimizerRules.h"
#include "compiler/training/Loss.h"

using namespace mlir;

namespace tenon::training {
using namespace graph;

namespace {
using States = MutableArrayRef<Tensor>;

Tensor larger(Tensor x, Tensor y) { return apply("maximum", x, y); }
Tensor smaller(Tensor x, Tensor y) { return apply("minimum", x, y); }
Tensor sign(Tensor x) { return apply("sign", x); }
Tensor squared(Tensor gradient) { return ofRows("square", gradient); }

/// x moves to y by a part.
void move(Tensor &x, Tensor y, double part) { x = x + (y - x) * part; }
/// x keeps a part and gets the rest from y.
void blend(Tensor &x, Tensor y, double keeps) {
  x = keeps * x + (1 - keeps) * y;
}
/// 1 - base^step
Tensor correction(const Step &s, double base) {
  return 1 - pow(number(s.number, base), s.number);
}

std::function<std::vector<Slot>(int64_t)> slots(std::vector<Slot> list) {
  return [list](int64_t) { return list; };
}

/// `learning_rate` is a number or a schedule.
void readRate(Arguments &a, Optimizer &o, double otherwise) {
  const Call *value = a.find("learning_rate");
  o.rate = otherwise;
  if (value && value->kind == Call::Kind::Number) {
    o.rate = value->number;
  } else if (value) {
    llvm::Expected<Schedule> schedule = makeSchedule(*value);
    if (schedule)
      o.schedule = *schedule;
    else
      a.fail("has 'learning_rate': " + llvm::toString(schedule.takeError()));
  }
}

void sgd(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.01);
  double momentum = a.number("momentum", 0);
  bool nesterov = a.flag("nesterov", false);
  if (momentum != 0)
    o.slots = slots({{"momentum"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    if (m.empty())
      return w - g * s.rate;
    m[0] = m[0] * momentum - g * s.rate;
    return nesterov ? w + (m[0] * momentum - g * s.rate) : w + m[0];
  };
}

/// TensorFlow 1's, whose slot is in units of the gradient.
void momentum(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.01);
  double momentum = a.number("momentum", 0.9);
  bool nesterov = a.flag("use_nesterov", false);
  o.slots = slots({{"momentum"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    m[0] = m[0] * momentum + g;
    return nesterov ? w - (g * s.rate + m[0] * momentum * s.rate)
                    : w - m[0] * s.rate;
  };
}

void rmsProp(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double rho = a.number("rho", 0.9), momentum = a.number("momentum", 0),
         epsilon = a.number("epsilon", 1e-7);
  bool centered = a.flag("centered", false);
  std::vector<Slot> list = {{"velocity"}};
  if (momentum > 0)
    list.push_back({"momentum", 0, Slot::Shape::Whole, 1});
  if (centered)
    list.push_back({"average_gradient", 0, Slot::Shape::Whole, 2});
  o.slots = slots(list);
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    blend(m[0], squared(g), rho);
    Tensor denominator = m[0] + epsilon;
    if (centered) {
      blend(m.back(), g, rho);
      denominator = m[0] - square(m.back()) + epsilon;
    }
    Tensor step = s.rate * g * apply("rsqrt", denominator);
    if (momentum <= 0)
      return w - step;
    m[1] = momentum * m[1] + step;
    return w - m[1];
  };
}

/// TensorFlow 1's `RMSPropOptimizer(centered=True)`.
void centeredRmsProp(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double decay = a.number("decay", 0.9), momentum = a.number("momentum", 0),
         epsilon = a.number("epsilon", 1e-10);
  o.slots = slots({{"rms", 1}, {"mg"}, {"momentum"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    move(m[0], squared(g), 1 - decay);
    move(m[1], g, 1 - decay);
    m[2] = m[2] * momentum +
           s.rate * g * apply("rsqrt", m[0] - square(m[1]) + epsilon);
    return w - m[2];
  };
}

struct Betas {
  double first, second, epsilon;
  explicit Betas(Arguments &a)
      : first(a.number("beta_1", 0.9)), second(a.number("beta_2", 0.999)),
        epsilon(a.number("epsilon", 1e-7)) {}
};

void adam(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  bool isAdamW = canonical(a.name()) == "adamw";
  if (isAdamW) // its third argument; read with those of all optimizers
    o.weightDecay = a.number("weight_decay", 0.004);
  Betas betas(a);
  bool greatest = a.flag("amsgrad", false);
  std::vector<Slot> list = {{"momentum"}, {"velocity"}};
  if (greatest)
    list.push_back({"velocity_hat", 0, Slot::Shape::Whole, 1});
  o.slots = slots(list);
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    Tensor rate =
        s.rate * sqrt(correction(s, betas.second)) / correction(s, betas.first);
    move(m[0], g, 1 - betas.first);
    move(m[1], squared(g), 1 - betas.second);
    Tensor velocity = m[1];
    if (greatest)
      velocity = m[2] = larger(m[2], m[1]);
    return w - m[0] * rate / (sqrt(velocity) + betas.epsilon);
  };
}

void adamax(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  Betas betas(a);
  o.slots = slots({{"momentum"}, {"norm"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    move(m[0], g, 1 - betas.first);
    m[1] = larger(betas.second * m[1], ofRows("abs", g));
    return w - s.rate * m[0] /
                   (correction(s, betas.first) * (m[1] + betas.epsilon));
  };
}

void nadam(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  Betas betas(a);
  o.slots = slots({{"momentum"}, {"velocity"}});
  o.sharedSlots = {{"u_product", 1}};
  auto decayed = [=](Tensor step) {
    return betas.first * (1 - 0.5 * pow(number(step, 0.96), step));
  };
  o.prepare = [=](Step &s) { s.shared[0] = s.shared[0] * decayed(s.number); };
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    Tensor now = decayed(s.number), next = decayed(s.number + 1),
           product = s.shared[0];
    move(m[0], g, 1 - betas.first);
    move(m[1], squared(g), 1 - betas.second);
    Tensor first =
        next * m[0] / (1 - product * next) + (1 - now) * g / (1 - product);
    Tensor second = m[1] / correction(s, betas.second);
    return w - first * s.rate / (sqrt(second) + betas.epsilon);
  };
}

void adagrad(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double initial = a.number("initial_accumulator_value", 0.1),
         epsilon = a.number("epsilon", 1e-7);
  o.slots = slots({{"accumulator", initial}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    m[0] = m[0] + squared(g);
    return w - s.rate * g / sqrt(m[0] + epsilon);
  };
}

/// TensorFlow 1's dual averaging: the variable follows from its slots alone.
void adagradDA(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double initial = a.number("initial_gradient_squared_accumulator_value", 0.1),
         l1 = a.number("l1_regularization_strength", 0),
         l2 = a.number("l2_regularization_strength", 0);
  o.slots = slots(
      {{"gradient_accumulator"}, {"gradient_squared_accumulator", initial}});
  o.update = [=](Step &s, Tensor, Tensor g, States m) {
    m[0] = m[0] + g;
    m[1] = m[1] + squared(g);
    Tensor total = m[0];
    if (l1 > 0)
      total = sign(total) *
              larger(apply("abs", total) - s.number * l1, number(total, 0));
    return -(s.rate * total) / (s.number * l2 * s.rate + sqrt(m[1]));
  };
}

void adadelta(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double rho = a.number("rho", 0.95), epsilon = a.number("epsilon", 1e-7);
  o.slots = slots({{"accumulated_grad"}, {"accumulated_delta_var"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    blend(m[0], squared(g), rho);
    Tensor stride = m[1] + epsilon, roughness = m[0] + epsilon;
    Tensor change = -(sqrt(stride) * g / sqrt(roughness));
    // The change's square, of rows before they are summed.
    blend(m[1], stride * squared(g) / roughness, rho);
    return w + s.rate * change;
  };
}

void ftrl(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double power = a.number("learning_rate_power", -0.5),
         initial = a.number("initial_accumulator_value", 0.1),
         l1 = a.number("l1_regularization_strength", 0),
         l2 = a.number("l2_regularization_strength", 0),
         shrinkage = a.number("l2_shrinkage_regularization_strength", 0),
         beta = a.number("beta", 0);
  o.slots = slots({{"accumulator", initial}, {"linear"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    auto raised = [&](Tensor x) {
      return power == -0.5 ? sqrt(x) : pow(x, number(x, -power));
    };
    Tensor squares = m[0] + squared(g), root = raised(squares);
    m[1] =
        m[1] + (g + w * (2 * shrinkage) - (root - raised(m[0])) / s.rate * w);
    m[0] = squares;
    Tensor quadratic = root / s.rate + 2 * (l2 + beta / (2 * s.rate));
    return (clip(m[1], -l1, l1) - m[1]) / quadratic;
  };
}

void lion(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double first = a.number("beta_1", 0.9), second = a.number("beta_2", 0.99);
  o.slots = slots({{"momentum"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    Tensor next = w - s.rate * sign(m[0] * first + g * (1 - first));
    m[0] = m[0] * second + g * (1 - second);
    return next;
  };
}

void lamb(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  Betas betas(a);
  o.slots = slots({{"momentum"}, {"velocity"}});
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    move(m[0], g, 1 - betas.first);
    move(m[1], squared(g), 1 - betas.second);
    Tensor change = m[0] / correction(s, betas.first) /
                    (sqrt(m[1] / correction(s, betas.second)) + betas.epsilon);
    auto length = [](Tensor x) {
      return sqrt(sum(square(x), upTo(x ? x.rank() : 0)));
    };
    Tensor size = length(w), stride = length(change);
    Tensor ratio = select((size > 0) & (stride > 0), size / stride, 1);
    return w - ratio * s.rate * change;
  };
}

void adafactor(Arguments &a, Optimizer &o) {
  readRate(a, o, 0.001);
  double decay = a.number("beta_2_decay", -0.8),
         first = a.number("epsilon_1", 1e-30),
         second = a.number("epsilon_2", 1e-3),
         threshold = a.number("clip_threshold", 1);
  bool relative = a.flag("relative_step", true);
  o.slots = [](int64_t rank) -> std::vector<Slot> {
    if (rank < 2)
      return {{"rows", 0, Slot::Shape::None},
              {"columns", 0, Slot::Shape::None},
              {"velocity"}};
    return {{"rows", 0, Slot::Shape::Rows},
            {"columns", 0, Slot::Shape::Columns},
            {"velocity"}};
  };
  o.update = [=](Step &s, Tensor w, Tensor g, States m) {
    auto spread = [](Tensor x) {
      return sqrt(mean(square(x), upTo(x ? x.rank() : 0)));
    };
    Tensor limit = 1 / sqrt(s.number), rate = s.rate;
    if (s.constantRate && relative)
      rate = smaller(rate, limit);
    rate = larger(spread(w), number(w, second)) * smaller(rate, limit);
    Tensor squares = squared(g) + first;
    Tensor keeps = 1 - pow(s.number, number(s.number, decay));
    int64_t last = w ? w.rank() - 1 : 0;
    if (last < 1) {
      m[2] = keeps * m[2] + (1 - keeps) * squares;
    } else {
      m[0] = keeps * m[0] + (1 - keeps) * mean(squares, last);
      m[1] = keeps * m[1] + (1 - keeps) * mean(squares, last - 1);
      Tensor rows = m[0] / expandDims(mean(m[0], last - 1), last - 1);
      m[2] = expandDims(rows, last) * expandDims(m[1], last - 1);
    }
    Tensor change = g / sqrt(m[2]);
    // Its spread: that of rows before they are summed, where it has rows.
    Tensor wide = sqrt(mean(squared(g) / m[2], upTo(g ? g.rank() : 0)));
    change = change / larger(wide / threshold, number(change, 1));
    return w - rate * change;
  };
}

struct Row {
  StringLiteral name;
  void (*make)(Arguments &, Optimizer &);
};
constexpr Row kRows[] = {
    {"sgd", sgd},
    {"rmsprop", rmsProp},
    {"adam", adam},
    {"adamw", adam},
    {"adamax", adamax},
    {"nadam", nadam},
    {"adagrad", adagrad},
    {"adadelta", adadelta},
    {"ftrl", ftrl},
    {"lion", lion},
    {"lamb", lamb},
    {"adafactor", adafactor},
    {"momentum", momentum},
    {"adagrad_da", adagradDA},
    {"centered_rms_prop", centeredRmsProp},
};
} // namespace

Tensor ofRows(StringRef op, Tensor gradient, ArrayRef<Tensor> scalars) {
  if (!gradient)
    return gradient;
  GraphBuilder &b = gradient.builder();
  SmallVector<Tensor> operands = {gradient};
  operands.append(scalars.begin(), scalars.end());
  return b.make(("graph." + op).str(), gradient.type(), operands,
                b.unit("graph.by_rows"));
}

std::vector<std::string> optimizerNames() {
  std::vector<std::string> names;
  for (const Row &row : kRows)
    names.push_back(row.name.str());
  names.push_back("loss_scale_optimizer");
  return names;
}

std::optional<Optimizer> makeRule(Arguments &arguments) {
  for (const Row &row : kRows) {
    if (canonical(row.name) != canonical(arguments.name()))
      continue;
    Optimizer optimizer;
    optimizer.slots = slots({});
    row.make(arguments, optimizer);
    return optimizer;
  }
  return std::nullopt;
}

} // namespace tenon::training
