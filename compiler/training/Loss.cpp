// Keras 3's losses: keras/src/losses/losses.py and backend/tensorflow/nn.py
// have the formulas; loss.py the reductions.
#include "compiler/training/Loss.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Normalization.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;

namespace tenon::training {
using namespace graph;

/// Keras's `epsilon()`.
static constexpr double kEpsilon = 1e-7;

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

Tensor withRank(Tensor x, int64_t rank) {
  SmallVector<int64_t> axes;
  for (int64_t i = x ? x.rank() : rank; i < rank; ++i)
    axes.push_back(i);
  return expandDims(x, axes);
}

Tensor mean(Tensor x, ArrayRef<int64_t> axes) {
  if (!x || axes.empty())
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.reduce_mean", x.type(), x,
                {b.attr("axes", axes), b.flag("keep_dims", false)});
}

Tensor quotient(Tensor x, Tensor y) { return apply("div_no_nan", x, y); }

Tensor clip(Tensor x, double low, double high) {
  if (!x)
    return x;
  return x.builder().make("graph.clip", x.type(),
                          {x, number(x, low), number(x, high)});
}

Tensor count(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return cast(b.size(x.value(), upTo(x.rank())), x.type());
}

static int64_t last(Tensor x) { return x ? x.rank() - 1 : 0; }
static Tensor largest(Tensor x, Tensor y) { return apply("maximum", x, y); }
static Tensor atLeast(Tensor x, double low) {
  return x ? largest(x, number(x, low)) : x;
}
static Tensor absolute(Tensor x) { return apply("abs", x); }
static Tensor meanOfLast(Tensor x) { return mean(x, last(x)); }
static Tensor sumOfLast(Tensor x, bool keep = false) {
  return sum(x, last(x), keep);
}
static Tensor reduceLast(StringRef op, Tensor x, bool keep = false) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make(
      ("graph.reduce_" + op).str(), x.type(), x,
      {b.attr("axes", ArrayRef<int64_t>(last(x))), b.flag("keep_dims", keep)});
}

/// What softmax made `output` from, so that its logarithm needs no exponential;
/// null when it is no softmax over the last dimension.
static Tensor softmaxInput(Tensor output) {
  auto op = output ? output.value().getDefiningOp<SoftmaxOp>() : SoftmaxOp();
  return op ? Tensor(output.builder(), op->getOperand(0)) : Tensor();
}
static Tensor sigmoidInput(Tensor output) {
  auto op = output ? output.value().getDefiningOp<SigmoidOp>() : SigmoidOp();
  return op ? Tensor(output.builder(), op->getOperand(0)) : Tensor();
}

/// All dimensions but the last as one.
static Tensor asRows(Tensor x) {
  if (!x || x.rank() == 2)
    return x;
  GraphBuilder &b = x.builder();
  return reshape(
      x, concat({b.integers(-1), part(b.shapeOf(x.value()), last(x), 1)}, 0));
}
static Tensor asVector(Tensor x) {
  return !x || x.rank() == 1 ? x : reshape(x, x.builder().integers(-1));
}

static Tensor binaryCrossEntropy(Tensor target, Tensor output,
                                 bool fromLogits) {
  Tensor logits = fromLogits ? output : sigmoidInput(output);
  if (logits)
    return atLeast(logits, 0) - logits * target +
           apply("log1p", exp(-absolute(logits)));
  Tensor p = clip(output, kEpsilon, 1 - kEpsilon);
  return -(target * log(p) + (1 - target) * log(1 - p));
}

static Tensor sparseCrossEntropy(Tensor classes, Tensor output,
                                 bool fromLogits) {
  Tensor logits = fromLogits ? output : softmaxInput(output);
  if (!logits)
    logits = log(clip(output, kEpsilon, 1 - kEpsilon));
  if (!logits || !classes)
    return {};
  GraphBuilder &b = logits.builder();
  Tensor losses = b.makeAll("graph.sparse_softmax_cross_entropy",
                            {logits.type(), logits.type()},
                            {asRows(logits), asVector(classes)})[0];
  return reshapeLike(losses, classes.value());
}

/// x / |x| along the last dimension.
static Tensor normalized(Tensor x) {
  Tensor inverse = apply("rsqrt", sumOfLast(square(x), /*keep=*/true));
  return x * apply("minimum", inverse, number(x, 1 / kEpsilon));
}

/// Labels 0 and 1 become -1 and 1; others stay.
static Tensor asSigns(Tensor labels) {
  if (!labels)
    return labels;
  GraphBuilder &b = labels.builder();
  Tensor each = apply("or", equal(labels, 0), equal(labels, 1));
  Tensor all = b.make("graph.reduce_all", b.builder.getI1Type(), each,
                      {b.attr("axes", ArrayRef<int64_t>(upTo(labels.rank()))),
                       b.flag("keep_dims", false)});
  return select(all, labels * 2 - 1, labels);
}

static Tensor smoothed(Tensor target, double smoothing, Tensor classes) {
  return smoothing == 0 ? target
                        : target * (1 - smoothing) + smoothing / classes;
}

/// The size of the last dimension.
static Tensor classCount(Tensor x) {
  return x ? cast(x.builder().size(x.value(), last(x)), x.type()) : x;
}

static Tensor power(Tensor x, double exponent) {
  return exponent == 2   ? square(x)
         : exponent == 1 ? x
                         : pow(x, number(x, exponent));
}

//===----------------------------------------------------------------------===//
// The losses
//===----------------------------------------------------------------------===//

namespace {
using Function = std::function<Compared(GraphBuilder &, Tensor, Tensor)>;

/// A loss: its names (the function's and others that Keras knows), what it is
/// compared with, and how its arguments make the function.
struct Row {
  std::vector<StringRef> names;
  TargetKind target;
  Function (*make)(Arguments &);
};

template <typename Formula> Function plain(Formula formula) {
  return [formula](GraphBuilder &, Tensor y, Tensor p) {
    return Compared{formula(y, p), {}};
  };
}

/// The axis of classes can only be the last one.
void expectLastAxis(Arguments &arguments) {
  if (arguments.integer("axis", -1) != -1)
    arguments.fail("has 'axis', which must be -1");
}

Function makeCategorical(Arguments &arguments) {
  bool fromLogits = arguments.flag("from_logits", false);
  double smoothing = arguments.number("label_smoothing", 0);
  expectLastAxis(arguments);
  return plain([=](Tensor y, Tensor p) {
    y = smoothed(y, smoothing, classCount(p));
    Tensor logits = fromLogits ? p : softmaxInput(p);
    if (logits)
      return -sumOfLast(y * apply("log_softmax", logits));
    p = clip(p / sumOfLast(p, true), kEpsilon, 1 - kEpsilon);
    return -sumOfLast(y * log(p));
  });
}

Function makeSparse(Arguments &arguments) {
  bool fromLogits = arguments.flag("from_logits", false);
  std::optional<double> ignored = arguments.optionalNumber("ignore_class");
  expectLastAxis(arguments);
  return [=](GraphBuilder &, Tensor y, Tensor p) {
    if (!ignored)
      return Compared{sparseCrossEntropy(y, p, fromLogits), {}};
    Tensor valid = notEqual(y, *ignored);
    Tensor losses = sparseCrossEntropy(select(valid, y, 0), p, fromLogits);
    return Compared{select(valid, losses, 0), valid};
  };
}

Function makeBinary(Arguments &arguments) {
  bool fromLogits = arguments.flag("from_logits", false);
  double smoothing = arguments.number("label_smoothing", 0);
  expectLastAxis(arguments);
  return plain([=](Tensor y, Tensor p) {
    y = smoothed(y, smoothing, number(p, 2));
    return meanOfLast(binaryCrossEntropy(y, p, fromLogits));
  });
}

Function makeCategoricalFocal(Arguments &arguments) {
  double alpha = arguments.number("alpha", 0.25),
         gamma = arguments.number("gamma", 2);
  bool fromLogits = arguments.flag("from_logits", false);
  double smoothing = arguments.number("label_smoothing", 0);
  expectLastAxis(arguments);
  return plain([=](Tensor y, Tensor p) {
    y = smoothed(y, smoothing, classCount(p));
    if (fromLogits)
      p = apply("softmax", p);
    p = clip(p / sumOfLast(p, true), kEpsilon, 1 - kEpsilon);
    return sumOfLast(power(1 - p, gamma) * alpha * (-y * log(p)));
  });
}

Function makeBinaryFocal(Arguments &arguments) {
  bool balanced = arguments.flag("apply_class_balancing", false);
  double alpha = arguments.number("alpha", 0.25),
         gamma = arguments.number("gamma", 2);
  bool fromLogits = arguments.flag("from_logits", false);
  double smoothing = arguments.number("label_smoothing", 0);
  expectLastAxis(arguments);
  return plain([=](Tensor y, Tensor p) {
    y = smoothed(y, smoothing, number(p, 2));
    if (fromLogits)
      p = apply("sigmoid", p);
    Tensor entropy = binaryCrossEntropy(y, p, false);
    Tensor hit = y * p + (1 - y) * (1 - p);
    Tensor loss = power(1 - hit, gamma) * entropy;
    if (balanced)
      loss = (y * alpha + (1 - y) * (1 - alpha)) * loss;
    return meanOfLast(loss);
  });
}

/// Dice and Tversky are over all elements (no axis) or over the last one.
bool isOverAll(Arguments &arguments) {
  const Call *axis = arguments.find("axis");
  if (axis && (axis->kind != Call::Kind::Number || axis->number != -1))
    arguments.fail("has 'axis', which must be -1 or none");
  return !axis;
}
SmallVector<int64_t> axesOf(Tensor x, bool all) {
  return all ? upTo(x.rank()) : SmallVector<int64_t>{x.rank() - 1};
}

Function makeDice(Arguments &arguments) {
  bool all = isOverAll(arguments);
  return plain([=](Tensor y, Tensor p) {
    if (!y || !p)
      return Tensor();
    SmallVector<int64_t> axes = axesOf(p, all);
    Tensor both = sum(y * p, axes);
    return 1 - 2 * both / (sum(y, axes) + sum(p, axes) + kEpsilon);
  });
}

Function makeTversky(Arguments &arguments) {
  double alpha = arguments.number("alpha", 0.5),
         beta = arguments.number("beta", 0.5);
  bool all = isOverAll(arguments);
  return plain([=](Tensor y, Tensor p) {
    if (!y || !p)
      return Tensor();
    SmallVector<int64_t> axes = axesOf(p, all);
    Tensor both = sum(y * p, axes), onlyLabel = sum((1 - p) * y, axes),
           onlyOutput = sum(p * (1 - y), axes);
    return 1 - both / (both + onlyLabel * alpha + onlyOutput * beta + kEpsilon);
  });
}

Function makeGeneralized(Arguments &arguments) {
  double q = arguments.number("q", 0.5);
  return [=](GraphBuilder &b, Tensor y, Tensor p) {
    if (!y || !p)
      return Compared{};
    Tensor hot =
        b.make("graph.one_hot", p.type(),
               {y, b.size(p.value(), last(p)), number(p, 1), number(p, 0)},
               b.attr("axis", -1));
    Tensor hit = sumOfLast(p * hot);
    return Compared{(1 - pow(hit, number(hit, q))) / q, {}};
  };
}

Function makeHuber(Arguments &arguments) {
  double delta = arguments.number("delta", 1);
  return plain([=](Tensor y, Tensor p) {
    Tensor error = absolute(p - y);
    return meanOfLast(select(error <= number(error, delta), 0.5 * square(error),
                             delta * error - 0.5 * delta * delta));
  });
}

template <Tensor (*formula)(Tensor, Tensor)> Function makePlain(Arguments &) {
  return plain(formula);
}

Tensor squaredError(Tensor y, Tensor p) { return meanOfLast(square(y - p)); }
Tensor absoluteError(Tensor y, Tensor p) { return meanOfLast(absolute(y - p)); }
Tensor percentageError(Tensor y, Tensor p) {
  return 100 * meanOfLast(absolute((y - p) / atLeast(absolute(y), kEpsilon)));
}
Tensor squaredLogError(Tensor y, Tensor p) {
  auto logarithm = [](Tensor x) { return log(atLeast(x, kEpsilon) + 1); };
  return meanOfLast(square(logarithm(p) - logarithm(y)));
}
Tensor logCosh(Tensor y, Tensor p) {
  Tensor x = p - y;
  return meanOfLast(x + apply("softplus", x * -2) - std::log(2.0));
}
Tensor divergence(Tensor y, Tensor p) {
  y = clip(y, kEpsilon, 1);
  return sumOfLast(y * log(y / clip(p, kEpsilon, 1)));
}
Tensor poisson(Tensor y, Tensor p) {
  return meanOfLast(p - y * log(p + kEpsilon));
}
Tensor hinge(Tensor y, Tensor p) {
  return meanOfLast(atLeast(1 - asSigns(y) * p, 0));
}
Tensor squaredHinge(Tensor y, Tensor p) {
  return meanOfLast(square(atLeast(1 - asSigns(y) * p, 0)));
}
Tensor categoricalHinge(Tensor y, Tensor p) {
  return atLeast(reduceLast("max", (1 - y) * p) - sumOfLast(y * p) + 1, 0);
}

Function makeCosine(Arguments &arguments) {
  expectLastAxis(arguments);
  return plain([](Tensor y, Tensor p) {
    return -sumOfLast(normalized(y) * normalized(p));
  });
}

/// Connectionist temporal classification with class 0 as the blank, as Keras
/// has it: labels end at their first 0.
Function makeCtc(Arguments &) {
  return [](GraphBuilder &b, Tensor y, Tensor p) {
    if (!y || !p)
      return Compared{};
    Type i32 = b.builder.getI32Type();
    Tensor real = notEqual(y, 0);
    Tensor indices = b.make("graph.nonzero", b.i64(), real);
    Tensor labels =
        cast(b.make("graph.gather_nd", y.type(), {y, indices}), i32);
    Tensor lengths = b.fill(part(b.shapeOf(p.value()), 0, 1),
                            cast(b.size(p.value(), 1), i32));
    Tensor steps = transpose(p, {1, 0, 2});
    return Compared{b.makeAll("graph.ctc_loss", {p.type(), p.type()},
                              {steps, indices, labels, lengths},
                              {b.unit("merge"), b.unit("blank_first")})[0],
                    {}};
  };
}

const std::vector<Row> &rows() {
  using enum TargetKind;
  static const std::vector<Row> table = {
      {{"mean_squared_error", "mse"}, Values, makePlain<squaredError>},
      {{"mean_absolute_error", "mae"}, Values, makePlain<absoluteError>},
      {{"mean_absolute_percentage_error", "mape"},
       Values,
       makePlain<percentageError>},
      {{"mean_squared_logarithmic_error", "msle"},
       Values,
       makePlain<squaredLogError>},
      {{"huber"}, Values, makeHuber},
      {{"log_cosh"}, Values, makePlain<logCosh>},
      {{"binary_crossentropy", "bce"}, Values, makeBinary},
      {{"binary_focal_crossentropy"}, Values, makeBinaryFocal},
      {{"categorical_crossentropy"}, Values, makeCategorical},
      {{"categorical_focal_crossentropy"}, Values, makeCategoricalFocal},
      {{"sparse_categorical_crossentropy"}, Classes, makeSparse},
      {{"categorical_generalized_cross_entropy"}, Classes, makeGeneralized},
      {{"kl_divergence", "kld", "kullback_leibler_divergence"},
       Values,
       makePlain<divergence>},
      {{"poisson"}, Values, makePlain<poisson>},
      {{"hinge"}, Values, makePlain<hinge>},
      {{"squared_hinge"}, Values, makePlain<squaredHinge>},
      {{"categorical_hinge"}, Values, makePlain<categoricalHinge>},
      {{"cosine_similarity"}, Values, makeCosine},
      {{"dice"}, Values, makeDice},
      {{"tversky"}, Values, makeTversky},
      {{"ctc"}, Sequences, makeCtc},
  };
  return table;
}

const Row *findRow(StringRef name) {
  std::string wanted = canonical(name);
  for (const Row &row : rows())
    for (StringRef known : row.names)
      if (canonical(known) == wanted)
        return &row;
  return nullptr;
}
} // namespace

bool isLoss(StringRef name) { return findRow(name); }

std::vector<std::string> lossNames() {
  std::vector<std::string> names;
  for (const Row &row : rows())
    names.push_back(row.names[0].str());
  return names;
}

llvm::Expected<Loss> makeLoss(const Call &call, Tensor output) {
  Call resolved = call;
  std::string name = canonical(call.name);
  if (name == "crossentropy" || name == "ce")
    resolved.name = ShapeContext::asConstant(output.dims().back()) == 1
                        ? "binary_crossentropy"
                        : "sparse_categorical_crossentropy";
  const Row *row =
      call.kind == Call::Kind::Call || call.kind == Call::Kind::Text
          ? findRow(resolved.name)
          : nullptr;
  if (!row)
    return llvm::createStringError(
        "there is no loss '" + call.name +
        "'; the losses are: " + llvm::join(lossNames(), ", "));
  Arguments arguments("loss", resolved);
  Loss loss;
  loss.name = resolved.name;
  loss.target = row->target;
  // Classes take the reduction and a name before a function's arguments.
  loss.compare = row->make(arguments);
  loss.reduction = arguments.text("reduction", "sum_over_batch_size");
  arguments.ignore({"name", "dtype"});
  if (loss.reduction == "mean")
    loss.reduction = "sum_over_batch_size";
  if (loss.reduction != "sum_over_batch_size" && loss.reduction != "sum" &&
      loss.reduction != "mean_with_sample_weight")
    arguments.fail("has the reduction '" + loss.reduction +
                   "', expected sum_over_batch_size, sum or "
                   "mean_with_sample_weight");
  if (llvm::Error error = arguments.finish())
    return error;
  return loss;
}

Tensor Loss::reduce(GraphBuilder &b, Compared compared, Tensor weight) const {
  auto [values, mask] = compared;
  if (!values)
    return values;
  bool isMean = reduction == "sum_over_batch_size";
  if (values.rank() == 0)
    return values; // already one number: weights have nothing to weigh
  Tensor weights = withRank(weight, values.rank());
  if (mask) {
    Tensor counted = cast(withRank(mask, values.rank()), values.type());
    // The mean is over what counts.
    if (isMean)
      counted = counted *
                quotient(count(counted), sum(counted, upTo(counted.rank())));
    weights = weights * counted;
  }
  values = values * weights;
  Tensor total = sum(values, upTo(values.rank()));
  if (reduction == "sum")
    return total;
  if (isMean)
    return quotient(total, count(values));
  return quotient(total, sum(weights, upTo(weights.rank())));
}

} // namespace tenon::training
