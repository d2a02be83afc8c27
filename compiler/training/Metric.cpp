// Keras 3's metrics: keras/src/metrics has the formulas.
#include "compiler/training/Metric.h"
#include "dialects/graph/ops/Control.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace tenon::training {
using namespace graph;

using Tensors = SmallVector<Tensor>;
using Sums = ArrayRef<Tensor>;

SmallVector<Tensor> meanIncrements(GraphBuilder &b, Tensor values,
                                   Tensor weight) {
  if (!values)
    return {{}, {}};
  int64_t rank = values.rank();
  if (!weight) {
    Tensor samples = rank ? cast(b.size(values.value(), 0), values.type())
                          : number(values, 1);
    values = mean(values, ArrayRef<int64_t>(upTo(rank)).drop_front(rank > 0));
    return {sum(values, upTo(rank > 0)), samples};
  }
  int64_t weighed = weight.rank();
  values = mean(values, ArrayRef<int64_t>(upTo(rank)).drop_front(weighed));
  values = values * weight;
  SmallVector<int64_t> each = upTo(weighed);
  ArrayRef<int64_t> axes = ArrayRef(each).drop_front();
  return {sum(mean(values, axes), 0), sum(mean(weight, axes), 0)};
}

static Tensor meanResult(GraphBuilder &, Sums sums) {
  return quotient(sums[0], sums[1]);
}

namespace {
/// What a metric takes of values per sample: their mean.
Metric meanOf(std::function<Tensor(Tensor y, Tensor p)> values) {
  Metric metric;
  metric.accumulators = {{}, {}};
  metric.update = [values](GraphBuilder &b, Tensor y, Tensor p, Tensor w) {
    return meanIncrements(b, values(y, p), w);
  };
  metric.result = meanResult;
  return metric;
}

/// 1 where a condition holds.
Tensor asNumber(Tensor condition, Tensor like) {
  return like ? cast(condition, like.type()) : like;
}

Tensor argmax(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.argmax", b.i64(), x, b.attr("axis", x.rank() - 1));
}

/// Class numbers of a target of either kind.
Tensor classesOf(Tensor y) {
  return y && isa<FloatType>(y.type()) ? argmax(y) : y;
}

Tensor categoricalAccuracy(Tensor y, Tensor p) {
  return asNumber(equal(classesOf(y), argmax(p)), p);
}

/// Whether fewer than k outputs are above that of the right class.
Tensor topK(Tensor y, Tensor p, int64_t k) {
  if (!y || !p)
    return {};
  GraphBuilder &b = p.builder();
  int64_t axis = p.rank() - 1;
  Tensor hot = b.make(
      "graph.one_hot", p.type(),
      {classesOf(y), b.size(p.value(), axis), number(p, 1), number(p, 0)},
      b.attr("axis", -1));
  Tensor right = sum(p * hot, axis, /*keepDims=*/true);
  Tensor above = sum(asNumber(p > right, p), axis);
  return asNumber(above < double(k), p);
}

/// `weight` for every element of `like`.
Tensor spread(GraphBuilder &b, Tensor weight, Tensor like) {
  return weight ? broadcastTo(withRank(weight, like.rank()),
                              b.shapeOf(like.value()))
                : b.filled(like.value(), 1);
}

Tensor column(Tensor x, int64_t index) {
  if (!x)
    return x;
  return gather(x, x.builder().integers(index), x.rank() - 1);
}

/// A part of x along its first dimension.
Tensor rows(Tensor x, int64_t begin, int64_t size) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  SmallVector<int64_t> begins(x.rank(), 0), sizes(x.rank(), -1);
  begins[0] = begin;
  sizes[0] = size;
  return slice(x, b.integers(begins), b.integers(sizes));
}

/// The largest element of a vector.
Tensor largest(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make(
      "graph.reduce_max", x.type(), x,
      {b.attr("axes", ArrayRef<int64_t>{0}), b.flag("keep_dims", false)});
}

/// Sums of the four kinds of decisions at thresholds: true and false positives,
/// true and false negatives; each a vector with one element per threshold, or,
/// with `labels`, one per threshold and label.
Tensors confusion(GraphBuilder &b, Tensor y, Tensor p, Tensor weight,
                  ArrayRef<double> thresholds, int64_t labels = 0) {
  if (!y || !p)
    return Tensors(4);
  auto flat = [&](Tensor x) {
    return labels ? reshape(x, b.integers({-1, 1, labels}))
                  : expandDims(reshape(x, b.integers(-1)), 1);
  };
  Tensor w = flat(spread(b, weight, p));
  SmallVector<float> values(thresholds.begin(), thresholds.end());
  auto type =
      RankedTensorType::get(int64_t(values.size()), b.builder.getF32Type());
  Tensor at(b, ConstantOp::create(
                   b.builder, b.loc,
                   DenseElementsAttr::get(type, ArrayRef<float>(values))));
  if (labels)
    at = expandDims(at, 1);
  Tensor positive = flat(asNumber(notEqual(y, 0), p)),
         said = asNumber(flat(cast(p, at.type())) > at, p);
  auto total = [&](Tensor a, Tensor c) { return sum(a * c * w, 0); };
  return {total(positive, said), total(1 - positive, said),
          total(1 - positive, 1 - said), total(positive, 1 - said)};
}

/// Threshold, class or the k best outputs: what counts as a positive.
struct Decision {
  std::vector<double> thresholds = {0.5};
  std::optional<double> classId, topK;
};

Metric counted(Arguments &arguments, std::function<Tensor(Sums)> result) {
  Decision decision;
  std::vector<double> thresholds = arguments.numbers("thresholds");
  if (!thresholds.empty())
    decision.thresholds = thresholds;
  int64_t count = int64_t(decision.thresholds.size());
  decision.topK = arguments.optionalNumber("top_k");
  decision.classId = arguments.optionalNumber("class_id");
  Metric metric;
  metric.accumulators.assign(4, {count});
  metric.update = [decision](GraphBuilder &b, Tensor y, Tensor p, Tensor w) {
    if (decision.topK && p) {
      // Outputs below the k-th best can not be positive.
      Tensor best = b.makeAll("graph.top_k", {p.type(), b.builder.getI32Type()},
                              {p, cast(b.integer(int64_t(*decision.topK)),
                                       b.builder.getI32Type())})[0];
      Tensor least = column(best, int64_t(*decision.topK) - 1);
      p = asNumber(p >= least, p);
    }
    if (decision.classId) {
      y = column(y, int64_t(*decision.classId));
      p = column(p, int64_t(*decision.classId));
    }
    return confusion(b, y, p, w, decision.thresholds);
  };
  metric.result = [=](GraphBuilder &b, Sums sums) {
    Tensor value = result(sums);
    return count == 1 ? reshape(value, b.integers({})) : value;
  };
  return metric;
}

Tensor precisionOf(Sums s) { return quotient(s[0], s[0] + s[1]); }
Tensor recallOf(Sums s) { return quotient(s[0], s[0] + s[3]); }
Tensor specificityOf(Sums s) { return quotient(s[2], s[2] + s[1]); }

/// The best `wanted` at any threshold where `bound` is at least the argument of
/// that name.
Metric makeBestAt(Arguments &arguments, std::function<Tensor(Sums)> wanted,
                  StringRef boundName, std::function<Tensor(Sums)> bound) {
  double least = arguments.number(boundName, -1);
  int64_t count = arguments.integer("num_thresholds", 200);
  std::optional<double> classId = arguments.optionalNumber("class_id");
  if (least < 0 || least > 1)
    arguments.fail("needs '" + boundName.str() + "', from 0 to 1");
  if (count < 1 || count > 100000)
    arguments.fail("has 'num_thresholds', which must be from 1 to 100000");
  // All are positives at the first threshold.
  std::vector<double> thresholds = {count == 1 ? 0.5 : -1e-7};
  for (int64_t i = 1; i < count; ++i)
    thresholds.push_back(double(i) / double(count - 1));
  Metric metric;
  metric.accumulators.assign(4, {count});
  metric.update = [=](GraphBuilder &b, Tensor y, Tensor p, Tensor w) {
    if (classId) {
      y = column(y, int64_t(*classId));
      p = column(p, int64_t(*classId));
    }
    return confusion(b, y, p, w, thresholds);
  };
  auto reaches = [=](Tensor x) { return x >= number(x, least); };
  metric.result = [=](GraphBuilder &, Sums sums) {
    return largest(select(reaches(bound(sums)), wanted(sums), 0));
  };
  return metric;
}

Metric makeAuc(Arguments &arguments, Tensor output) {
  int64_t count = arguments.integer("num_thresholds", 200);
  std::string curve = canonical(arguments.text("curve", "ROC"));
  std::string rule =
      canonical(arguments.text("summation_method", "interpolation"));
  std::vector<double> given = arguments.numbers("thresholds");
  std::vector<double> weights = arguments.numbers("label_weights");
  int64_t labels = 0;
  arguments.ignore({"num_labels"});
  if (arguments.flag("multi_label", false)) {
    labels = ShapeContext::asConstant(output.dims().back()).value_or(0);
    if (!labels)
      arguments.fail("needs to know the number of labels of its output");
    if (!weights.empty() && int64_t(weights.size()) != labels)
      arguments.fail("has 'label_weights', which must be one per label");
  } else if (!weights.empty()) {
    arguments.fail("has 'label_weights', which need multi_label");
  }
  bool fromLogits = arguments.flag("from_logits", false);
  if (count < 2 || count > 100000)
    arguments.fail("has 'num_thresholds', which must be from 2 to 100000");
  if (curve != "roc" && curve != "pr")
    arguments.fail("has 'curve', which must be ROC or PR");
  if (rule != "interpolation" && rule != "minoring" && rule != "majoring")
    arguments.fail("has 'summation_method', which must be interpolation, "
                   "minoring or majoring");
  std::vector<double> thresholds = given;
  for (int64_t i = 1; given.empty() && i + 1 < count; ++i)
    thresholds.push_back(double(i) / double(count - 1));
  llvm::sort(thresholds);
  thresholds.insert(thresholds.begin(), -1e-7);
  thresholds.push_back(1 + 1e-7);
  count = int64_t(thresholds.size());
  Metric metric;
  metric.accumulators.assign(4, labels ? std::vector<int64_t>{count, labels}
                                       : std::vector{count});
  metric.update = [=](GraphBuilder &b, Tensor y, Tensor p, Tensor w) {
    return confusion(b, y, fromLogits ? apply("sigmoid", p) : p, w, thresholds,
                     labels);
  };
  auto overLabels = [=](GraphBuilder &b, Tensor areas) {
    if (!labels || !areas)
      return areas;
    if (weights.empty())
      return mean(areas, 0);
    SmallVector<float> values(weights.begin(), weights.end());
    auto type = RankedTensorType::get({labels}, b.builder.getF32Type());
    Tensor each(b, ConstantOp::create(
                       b.builder, b.loc,
                       DenseElementsAttr::get(type, ArrayRef<float>(values))));
    return quotient(sum(areas * each, 0), sum(each, 0));
  };
  metric.result = [=](GraphBuilder &b, Sums sums) {
    Tensor tp = sums[0], fp = sums[1], tn = sums[2], fn = sums[3];
    auto left = [&](Tensor x) { return rows(x, 0, count - 1); };
    auto right = [&](Tensor x) { return rows(x, 1, count - 1); };
    if (curve == "pr" && rule == "interpolation") {
      // Davis and Goadrich, The relationship between precision-recall and ROC
      // curves: linear between points in counts, not in precision.
      auto positive = [](Tensor x) {
        return apply("maximum", x, number(x, 0));
      };
      Tensor said = tp + fp, step = left(tp) - right(tp);
      Tensor slope = quotient(step, positive(left(said) - right(said)));
      Tensor intercept = right(tp) - slope * right(said);
      Tensor ratio = select((left(said) > 0) & (right(said) > 0),
                            quotient(left(said), positive(right(said))), 1);
      return overLabels(b, sum(quotient(slope * (step + intercept * log(ratio)),
                                        positive(right(tp) + right(fn))),
                               0));
    }
    Tensor recall = quotient(tp, tp + fn);
    Tensor x = curve == "roc" ? quotient(fp, fp + tn) : recall,
           y = curve == "roc" ? recall : quotient(tp, tp + fp);
    Tensor height = rule == "interpolation"
                        ? (left(y) + right(y)) / 2
                        : apply(rule == "minoring" ? "minimum" : "maximum",
                                left(y), right(y));
    return overLabels(b, sum((left(x) - right(x)) * height, 0));
  };
  return metric;
}

/// F-beta over classes (columns), from one-hot targets.
Metric makeFBeta(Arguments &arguments, Tensor output, bool hasBeta) {
  std::string average = canonical(arguments.text("average", "none"));
  double beta = hasBeta ? arguments.number("beta", 1) : 1;
  std::optional<double> threshold = arguments.optionalNumber("threshold");
  auto classes = ShapeContext::asConstant(output.dims().back());
  if (average != "none" && average != "micro" && average != "macro" &&
      average != "weighted")
    arguments.fail("has 'average', which must be none, micro, macro or "
                   "weighted");
  if (!classes)
    arguments.fail("needs to know the number of classes of its output");
  Metric metric;
  std::vector<int64_t> shape;
  if (average != "micro")
    shape = {classes.value_or(1)};
  metric.accumulators.assign(3, shape);
  metric.update = [=](GraphBuilder &b, Tensor y, Tensor p, Tensor w) {
    if (!y || !p)
      return Tensors(3);
    int64_t last = p.rank() - 1;
    Tensor said;
    if (threshold) {
      said = p > *threshold;
    } else {
      Tensor best = b.make(
          "graph.reduce_max", p.type(), p,
          {b.attr("axes", ArrayRef<int64_t>(last)), b.flag("keep_dims", true)});
      said = (p >= best) & (apply("abs", p) > 1e-9);
    }
    Tensor positive = asNumber(said, p), weight = spread(b, w, p);
    SmallVector<int64_t> axes = upTo(average == "micro" ? last + 1 : last);
    auto total = [&](Tensor x) { return sum(x * weight, axes); };
    return Tensors{total(y * positive), total((1 - y) * positive),
                   total(y * (1 - positive))};
  };
  metric.result = [=](GraphBuilder &, Sums sums) {
    Tensor tp = sums[0], precision = quotient(tp, tp + sums[1]),
           recall = quotient(tp, tp + sums[2]);
    Tensor score = quotient(precision * recall * (1 + beta * beta),
                            beta * beta * precision + recall);
    if (average == "macro")
      return mean(score, 0);
    if (average == "weighted") {
      Tensor support = tp + sums[2];
      return sum(score * quotient(support, sum(support, 0)), 0);
    }
    return score;
  };
  return metric;
}

/// Intersection over union, averaged over all classes or those asked for: of a
/// confusion matrix.
Metric makeIou(Arguments &arguments, Tensor output, StringRef kind) {
  int64_t classes = 2;
  double threshold = 0.5;
  bool labels = false; // whether outputs are labels
  std::optional<double> ignored;
  if (kind == "binaryiou") {
    threshold = arguments.number("threshold", 0.5);
  } else {
    classes = arguments.integer("num_classes", 0);
    ignored = arguments.optionalNumber("ignore_class");
    arguments.ignore({"axis", "sparse_y_true"});
    labels =
        arguments.flag("sparse_y_pred", kind == "meaniou" || kind == "iou");
    if (classes < 2 || classes > 4096)
      arguments.fail("needs 'num_classes', from 2 to 4096");
  }
  SmallVector<int64_t> wanted;
  if (!kind.contains("mean"))
    for (double id : arguments.numbers("target_class_ids")) {
      wanted.push_back(int64_t(id));
      if (id < 0 || id >= double(classes))
        arguments.fail("has 'target_class_ids' outside of its classes");
    }
  if (kind.ends_with("iou") && !kind.contains("mean") && kind != "binaryiou" &&
      wanted.empty())
    arguments.fail("needs 'target_class_ids'");
  // Keras counts in whole numbers unless told otherwise.
  bool wholeWeights = !StringRef(arguments.text("dtype", "int")).contains("f");
  Metric metric;
  metric.accumulators = {{classes, classes}};
  metric.update = [=, binary = kind == "binaryiou"](GraphBuilder &b, Tensor y,
                                                    Tensor p, Tensor w) {
    if (!y || !p)
      return Tensors(1);
    Tensor truth, said;
    if (binary) {
      truth = cast(y > threshold, b.i64());
      said = cast(p >= number(p, threshold), b.i64());
    } else if (labels) {
      truth = cast(y, b.i64());
      said = cast(p, b.i64());
    } else {
      truth = classesOf(y);
      said = argmax(p);
    }
    Tensor weight = spread(b, w, cast(said, p.type()));
    if (wholeWeights)
      weight = cast(cast(weight, b.i64()), p.type());
    if (ignored)
      weight = weight * asNumber(notEqual(truth, *ignored), p);
    auto flat = [&](Tensor x) { return reshape(x, b.integers(-1)); };
    auto hot = [&](Tensor x) {
      return b.make("graph.one_hot", p.type(),
                    {flat(x), b.integer(classes), number(p, 1), number(p, 0)},
                    b.attr("axis", -1));
    };
    return Tensors{matmul(hot(truth) * expandDims(flat(weight), 1), hot(said),
                          /*transposeA=*/true, /*transposeB=*/false)};
  };
  metric.result = [wanted](GraphBuilder &b, Sums sums) {
    Tensor matrix = sums[0], rows = sum(matrix, 1), columns = sum(matrix, 0);
    Tensor diagonal = b.make(
        "graph.reduce_sum", matrix.type(),
        {b.make("graph.matrix_band_part", matrix.type(),
                {matrix, b.integer(0), b.integer(0)})},
        {b.attr("axes", ArrayRef<int64_t>{1}), b.flag("keep_dims", false)});
    Tensor total = rows + columns - diagonal;
    if (!wanted.empty()) {
      diagonal = gather(diagonal, b.integers(wanted), 0);
      total = gather(total, b.integers(wanted), 0);
    }
    Tensor valid = asNumber(notEqual(total, 0), matrix);
    return quotient(sum(quotient(diagonal, total), 0), sum(valid, 0));
  };
  return metric;
}

/// 1 - residuals / variance, of each output column or averaged.
Metric makeR2(Arguments &arguments, Tensor output) {
  std::string average =
      canonical(arguments.text("class_aggregation", "uniform_average"));
  if (arguments.isNone("class_aggregation"))
    average = "none";
  int64_t regressors = arguments.integer("num_regressors", 0);
  if (average != "none" && average != "uniformaverage" &&
      average != "varianceweightedaverage")
    arguments.fail("has 'class_aggregation', which must be none, "
                   "uniform_average or variance_weighted_average");
  if (regressors < 0)
    arguments.fail("has 'num_regressors', which must not be negative");
  auto columns = ShapeContext::asConstant(output.dims().back());
  if (!columns)
    arguments.fail("needs to know the number of columns of its output");
  int64_t n = columns.value_or(1);
  Metric metric;
  metric.accumulators = {{n}, {n}, {n}, {n}, {}};
  metric.update = [](GraphBuilder &b, Tensor y, Tensor p, Tensor w) {
    if (!y || !p)
      return Tensors(5);
    Tensor weight = spread(b, w, p);
    SmallVector<int64_t> axes = upTo(p.rank() - 1);
    return Tensors{sum(y * y * weight, axes), sum(y * weight, axes),
                   sum(square(y - p) * weight, axes), sum(weight, axes),
                   sum(b.filled(p.value(), 1), upTo(p.rank()))};
  };
  metric.result = [=](GraphBuilder &, Sums s) {
    Tensor total = s[0] - s[1] * quotient(s[1], s[3]);
    Tensor score = select(equal(total, 0), 0, 1 - quotient(s[2], total));
    if (average == "uniformaverage")
      score = mean(score, 0);
    else if (average == "varianceweightedaverage")
      score = sum(total * score, 0) / sum(total, 0);
    if (!regressors)
      return score;
    // Adjusted, where there are more samples than independent predictors.
    Tensor left = s[4] - double(regressors) - 1;
    return select(left > 0, 1 - (1 - score) * (s[4] - 1) / left, score);
  };
  return metric;
}

/// The mean along the last axis, which stays.
Tensor centre(Tensor x) {
  return expandDims(mean(x, x.rank() - 1), x.rank() - 1);
}

/// Along the last axis: how far targets and outputs are on a line.
Tensor pearson(Tensor y, Tensor p) {
  if (!y || !p)
    return {};
  auto normal = [](Tensor x) {
    x = x - centre(x);
    return x / sqrt(centre(square(x)));
  };
  return normal(y) * normal(p);
}

/// The same of the line where they are equal.
Tensor concordance(Tensor y, Tensor p) {
  if (!y || !p)
    return {};
  auto variance = [](Tensor x) { return centre(square(x - centre(x))); };
  Tensor middle = centre(p);
  return 2 * (y - middle) * (p - middle) /
         (variance(y) + variance(p) + square(centre(y) - middle) + 1e-7);
}

/// The accuracy that Keras picks for the shapes of target and output.
std::string pickAccuracy(TargetKind target, Tensor output) {
  if (target == TargetKind::Classes)
    return "sparse_categorical_accuracy";
  return ShapeContext::asConstant(output.dims().back()) == 1
             ? "binary_accuracy"
             : "categorical_accuracy";
}

constexpr StringLiteral kNames[] = {"accuracy",
                                    "binary_accuracy",
                                    "categorical_accuracy",
                                    "sparse_categorical_accuracy",
                                    "top_k_categorical_accuracy",
                                    "sparse_top_k_categorical_accuracy",
                                    "root_mean_squared_error",
                                    "precision",
                                    "recall",
                                    "auc",
                                    "f1_score",
                                    "fbeta_score",
                                    "r2_score",
                                    "cosine_similarity",
                                    "true_positives",
                                    "true_negatives",
                                    "false_positives",
                                    "false_negatives",
                                    "sensitivity_at_specificity",
                                    "specificity_at_sensitivity",
                                    "precision_at_recall",
                                    "recall_at_precision",
                                    "pearson_correlation",
                                    "concordance_correlation",
                                    "binary_io_u",
                                    "io_u",
                                    "one_hot_io_u",
                                    "mean_io_u",
                                    "one_hot_mean_io_u"};
} // namespace

std::vector<std::string> metricNames() {
  return {std::begin(kNames), std::end(kNames)};
}

llvm::Expected<Metric> makeMetric(const Call &call, TargetKind target,
                                  Tensor output) {
  std::string name = canonical(call.name);
  if (name == "accuracy" || name == "acc")
    name = canonical(pickAccuracy(target, output));
  Arguments arguments("metric", call);
  Metric metric;
  bool needsValues = false;
  if (name == "binaryaccuracy") {
    needsValues = true;
    double threshold = arguments.number("threshold", 0.5);
    metric = meanOf([=](Tensor y, Tensor p) {
      return asNumber(equal(y, asNumber(p > threshold, p)), p);
    });
  } else if (name == "categoricalaccuracy" ||
             name == "sparsecategoricalaccuracy") {
    metric = meanOf(categoricalAccuracy);
  } else if (name == "topkcategoricalaccuracy" ||
             name == "sparsetopkcategoricalaccuracy") {
    int64_t k = arguments.integer("k", 5);
    metric = meanOf([=](Tensor y, Tensor p) { return topK(y, p, k); });
  } else if (name == "rootmeansquarederror") {
    needsValues = true;
    metric = meanOf([](Tensor y, Tensor p) { return square(y - p); });
    metric.result = [](GraphBuilder &b, Sums sums) {
      return sqrt(meanResult(b, sums));
    };
  } else if (name == "precision") {
    needsValues = true;
    metric = counted(arguments, precisionOf);
  } else if (name == "recall") {
    needsValues = true;
    metric = counted(arguments, recallOf);
  } else if (name == "sensitivityatspecificity") {
    needsValues = true;
    metric = makeBestAt(arguments, recallOf, "specificity", specificityOf);
  } else if (name == "specificityatsensitivity") {
    needsValues = true;
    metric = makeBestAt(arguments, specificityOf, "sensitivity", recallOf);
  } else if (name == "precisionatrecall") {
    needsValues = true;
    metric = makeBestAt(arguments, precisionOf, "recall", recallOf);
  } else if (name == "recallatprecision") {
    needsValues = true;
    metric = makeBestAt(arguments, recallOf, "precision", precisionOf);
  } else if (name == "pearsoncorrelation" || name == "concordancecorrelation") {
    needsValues = true;
    arguments.ignore({"axis"});
    metric = meanOf(name == "pearsoncorrelation" ? pearson : concordance);
  } else if (name == "truepositives" || name == "falsepositives" ||
             name == "truenegatives" || name == "falsenegatives") {
    needsValues = true;
    unsigned which = name == "truepositives"    ? 0
                     : name == "falsepositives" ? 1
                     : name == "truenegatives"  ? 2
                                                : 3;
    metric = counted(arguments, [which](Sums s) { return s[which]; });
  } else if (name == "auc") {
    needsValues = true;
    metric = makeAuc(arguments, output);
  } else if (name == "f1score" || name == "fbetascore") {
    needsValues = true;
    metric = makeFBeta(arguments, output, name == "fbetascore");
  } else if (name == "binaryiou" || name == "iou" || name == "onehotiou" ||
             name == "meaniou" || name == "onehotmeaniou") {
    needsValues = name == "binaryiou";
    metric = makeIou(arguments, output, name);
  } else if (name == "r2score") {
    needsValues = true;
    metric = makeR2(arguments, output);
  } else {
    // Some losses have another name as classes of metrics.
    Call function = call;
    if (name == "logcosherror")
      function.name = "log_cosh";
    if (!isLoss(function.name))
      return llvm::createStringError(
          "there is no metric '" + call.name + "'; the metrics are: " +
          llvm::join(metricNames(), ", ") + ", and all losses");
    llvm::Expected<Loss> loss = makeLoss(function, output);
    if (!loss)
      return loss.takeError();
    if (loss->target != target)
      return llvm::createStringError("metric '" + call.name +
                                     "' and the loss do not take the same "
                                     "targets");
    // As a metric, similarity grows with what it measures.
    double sign = name == "cosinesimilarity" ? -1 : 1;
    metric.accumulators = {{}, {}};
    metric.update = [compare = loss->compare, sign](GraphBuilder &b, Tensor y,
                                                    Tensor p, Tensor w) {
      Compared compared = compare(b, y, p);
      if (compared.mask && compared.values) {
        Tensor counted = cast(compared.mask, compared.values.type());
        w = w ? withRank(w, counted.rank()) * counted : counted;
      }
      return meanIncrements(b, compared.values * sign, w);
    };
    metric.result = meanResult;
    metric.name = arguments.text("name", call.name);
    return metric;
  }
  if (needsValues && target != TargetKind::Values)
    return llvm::createStringError(
        "metric '" + call.name +
        "' compares numbers, but the loss's targets are class numbers");
  metric.name = arguments.text("name", call.name);
  arguments.ignore({"dtype"});
  if (llvm::Error error = arguments.finish())
    return error;
  return metric;
}

} // namespace tenon::training
