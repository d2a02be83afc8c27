// Keras 3's constraints: keras/src/constraints/constraints.py.
#include "compiler/training/Constraint.h"
#include "compiler/training/Loss.h"

using namespace mlir;

namespace tenon::training {
using namespace graph;

static constexpr double kEpsilon = 1e-7;

/// The length of vectors along `axes`, as a factor for each of their elements.
static Tensor length(Tensor x, ArrayRef<double> axes) {
  if (!x)
    return x;
  SmallVector<int64_t> dims;
  for (double axis : axes)
    dims.push_back(int64_t(axis) + (axis < 0 ? x.rank() : 0));
  return sqrt(sum(square(x), dims, /*keepDims=*/true));
}

llvm::Expected<Constraint> makeConstraint(const Call &call) {
  Arguments arguments("constraint", call);
  auto readAxes = [&]() -> std::vector<double> {
    std::vector<double> axes = arguments.numbers("axis");
    return axes.empty() ? std::vector<double>{0} : axes;
  };
  std::string name = canonical(call.name);
  Constraint constraint;
  if (name == "nonneg" || name == "nonnegative") {
    constraint = [](Tensor w) { return apply("maximum", w, number(w, 0)); };
  } else if (name == "maxnorm") {
    double limit = arguments.number("max_value", 2);
    constraint = [limit, axes = readAxes()](Tensor w) {
      Tensor norm = length(w, axes);
      return w * (clip(norm, 0, limit) / (norm + kEpsilon));
    };
  } else if (name == "unitnorm") {
    constraint = [axes = readAxes()](Tensor w) {
      return w / (length(w, axes) + kEpsilon);
    };
  } else if (name == "minmaxnorm") {
    double low = arguments.number("min_value", 0),
           high = arguments.number("max_value", 1),
           rate = arguments.number("rate", 1);
    constraint = [=, axes = readAxes()](Tensor w) {
      Tensor norm = length(w, axes);
      Tensor wanted = rate * clip(norm, low, high) + (1 - rate) * norm;
      return w * (wanted / (norm + kEpsilon));
    };
  } else {
    return llvm::createStringError(
        "there is no constraint '" + call.name +
        "'; the constraints are: max_norm, min_max_norm, unit_norm, non_neg");
  }
  if (llvm::Error error = arguments.finish())
    return error;
  return constraint;
}

} // namespace tenon::training
