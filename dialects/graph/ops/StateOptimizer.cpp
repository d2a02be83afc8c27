// optimizer_step: the update rules, TensorFlow's formulas in its order.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/ScalarMath.h"
#include "dialects/graph/ops/State.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Rules: one element of the variable (s[0]) and its slots (s[1]...), of the
// gradient (g), and the parameters (p).
//===----------------------------------------------------------------------===//

namespace {
/// The values of a rule, which computes one new state after the other. Here it
/// is asked for one of them, number `wanted`: those before it are there
/// already, and what concerns the others is never used.
class States {
public:
  States(SmallVector<Scalar> values, unsigned wanted)
      : values(std::move(values)), wanted(wanted) {}

  const Scalar &operator[](unsigned i) const { return values[i]; }
  void set(unsigned i, const Scalar &value) {
    if (number++ == wanted)
      values[i] = value;
  }

private:
  SmallVector<Scalar> values;
  unsigned wanted, number = 0;
};
using Parameters = ArrayRef<Scalar>;

Scalar larger(const Scalar &x, const Scalar &y) { return select(x < y, y, x); }
Scalar sign(const Scalar &x) {
  Scalar one = x.constant(1), zero = x.constant(0);
  return select(x > 0, one, select(x < 0, x.constant(-1), zero));
}
Scalar inverseRoot(const Scalar &x) { return 1 / x.sqrt(); }
/// x moves to y by a part.
Scalar towards(const Scalar &x, const Scalar &y, const Scalar &part) {
  return x + (y - x) * part;
}

/// The proximal operator of l1 and l2 regularization.
Scalar shrunk(const Scalar &x, const Scalar &rate, const Scalar &l1,
              const Scalar &l2) {
  Scalar small = sign(x) * larger(x.abs() - rate * l1, x.constant(0));
  return select(l1 > 0, small, x) / (1 + l2 * rate);
}

/// p: rate, l1, l2
void proximalGradientDescent(States &s, const Scalar &g, Parameters p, bool) {
  s.set(0, shrunk(s[0] - g * p[0], p[0], p[1], p[2]));
}

/// p: rate, momentum
void momentum(States &s, const Scalar &g, Parameters p, bool nesterov) {
  s.set(1, s[1] * p[1] + g);
  s.set(0,
        nesterov ? s[0] - (g * p[0] + s[1] * p[1] * p[0]) : s[0] - s[1] * p[0]);
}
void kerasMomentum(States &s, const Scalar &g, Parameters p, bool nesterov) {
  s.set(1, s[1] * p[1] - g * p[0]);
  s.set(0, nesterov ? s[0] + (s[1] * p[1] - g * p[0]) : s[0] + s[1]);
}

/// p: rate
void adagrad(States &s, const Scalar &g, Parameters p, bool keepsSlot) {
  if (!keepsSlot)
    s.set(1, s[1] + g * g);
  s.set(0, s[0] - g * p[0] * inverseRoot(s[1]));
}
/// p: rate, epsilon
void adagradV2(States &s, const Scalar &g, Parameters p, bool keepsSlot) {
  if (!keepsSlot)
    s.set(1, s[1] + g * g);
  s.set(0, s[0] - g * p[0] / (s[1].sqrt() + p[1]));
}
/// p: rate, l1, l2
void proximalAdagrad(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, s[1] + g * g);
  Scalar rate = p[0] * inverseRoot(s[1]);
  s.set(0, shrunk(s[0] - g * rate, rate, p[1], p[2]));
}
/// s: variable, sums of gradients and of their squares; p: rate, l1, l2, step
void adagradDA(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, s[1] + g);
  s.set(2, s[2] + g * g);
  Scalar small =
      sign(s[1]) * larger(s[1].abs() - p[3] * p[1], s[1].constant(0));
  Scalar total = select(p[1] > 0, small, s[1]);
  s.set(0, -(p[0] * total / (p[3] * p[2] * p[0] + s[2].sqrt())));
}

/// s: variable, mean squares of gradients and of updates; p: rate, rho, epsilon
void adadelta(States &s, const Scalar &g, Parameters p, bool) {
  Scalar rest = 1 - p[1];
  s.set(1, s[1] * p[1] + g * g * rest);
  Scalar update = (s[2] + p[2]).sqrt() * inverseRoot(s[1] + p[2]) * g;
  s.set(0, s[0] - update * p[0]);
  s.set(2, s[2] * p[1] + update * update * rest);
}

/// The rate corrected for the first steps. p: powers of beta1 and beta2, rate
Scalar correctedRate(Parameters p) {
  return p[2] * (1 - p[1]).sqrt() / (1 - p[0]);
}
/// p: powers of beta1 and beta2, rate, beta1, beta2, epsilon
void adam(States &s, const Scalar &g, Parameters p, bool nesterov) {
  Scalar rest = 1 - p[3];
  s.set(1, towards(s[1], g, rest));
  s.set(2, towards(s[2], g * g, 1 - p[4]));
  Scalar top = nesterov ? g * rest + p[3] * s[1] : s[1];
  s.set(0, s[0] - top * correctedRate(p) / (s[2].sqrt() + p[5]));
}
void amsgrad(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, towards(s[1], g, 1 - p[3]));
  s.set(2, towards(s[2], g * g, 1 - p[4]));
  s.set(3, larger(s[3], s[2]));
  s.set(0, s[0] - s[1] * correctedRate(p) / (s[3].sqrt() + p[5]));
}
/// p: power of beta1, rate, beta1, beta2, epsilon
void adaMax(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, towards(s[1], g, 1 - p[2]));
  s.set(2, larger(p[3] * s[2], g.abs()));
  s.set(0, s[0] - p[1] / (1 - p[0]) * (s[1] / (s[2] + p[4])));
}

/// s: variable, sums of squares, linear part; p: rate, l1, l2, power
void ftrlBy(States &s, const Scalar &g, const Scalar &shrunkGradient,
            Parameters p, const Scalar &power, bool timesRate) {
  Scalar squares = s[1] + g * g;
  Scalar isRoot = power == -0.5;
  auto raised = [&](const Scalar &x) {
    return select(isRoot, x.sqrt(), pow(x, -power));
  };
  Scalar root = raised(squares), difference = root - raised(s[1]);
  s.set(2, timesRate ? s[2] + shrunkGradient * p[0] - difference * s[0]
                     : s[2] + shrunkGradient - difference / p[0] * s[0]);
  Scalar limit = timesRate ? p[1] * p[0] : p[1];
  Scalar top = limit * sign(s[2]) - s[2];
  Scalar bottom = timesRate ? root + 2 * p[2] * p[0] : root / p[0] + 2 * p[2];
  s.set(0, select(s[2].abs() > limit, top / bottom, s[0].constant(0)));
  s.set(1, squares);
}
void ftrl(States &s, const Scalar &g, Parameters p, bool timesRate) {
  ftrlBy(s, g, g, p, p[3], timesRate);
}
/// p: rate, l1, l2, shrinkage, power
void ftrlV2(States &s, const Scalar &g, Parameters p, bool timesRate) {
  ftrlBy(s, g, g + 2 * p[3] * s[0], p, p[4], timesRate);
}

/// s: variable, mean squares, momentum; p: rate, rho, momentum, epsilon
void rmsProp(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, towards(s[1], g * g, 1 - p[1]));
  s.set(2, s[2] * p[2] + g * p[0] / (s[1] + p[3]).sqrt());
  s.set(0, s[0] - s[2]);
}
/// s: variable, mean, mean squares, momentum
void centeredRmsProp(States &s, const Scalar &g, Parameters p, bool) {
  s.set(2, towards(s[2], g * g, 1 - p[1]));
  s.set(1, towards(s[1], g, 1 - p[1]));
  s.set(3, s[3] * p[2] + g * p[0] / ((s[2] - s[1] * s[1]) + p[3]).sqrt());
  s.set(0, s[0] - s[3]);
}

/// p: rate, alpha, decay of the sign, beta
void addSign(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, s[1] * p[3] + g * (1 - p[3]));
  s.set(0, s[0] - p[0] * (p[1] + p[2] * (sign(g) * sign(s[1]))) * g);
}
/// p: rate, log of the base, decay of the sign, beta
void powerSign(States &s, const Scalar &g, Parameters p, bool) {
  s.set(1, s[1] * p[3] + g * (1 - p[3]));
  s.set(0, s[0] - p[0] * exp(p[1] * p[2] * (sign(g) * sign(s[1]))) * g);
}

struct Rule {
  StringLiteral name;
  unsigned states, parameters;
  StringLiteral order; ///< of the states that it computes, a digit for each
  void (*step)(States &, const Scalar &, Parameters, bool);
  bool keepsSlot = false; ///< the variant changes the variable alone
};
constexpr Rule kRules[] = {
    {"proximal_gradient_descent", 1, 3, "0", proximalGradientDescent},
    {"momentum", 2, 2, "10", momentum},
    {"keras_momentum", 2, 2, "10", kerasMomentum},
    {"adagrad", 2, 1, "10", adagrad, true},
    {"adagrad_v2", 2, 2, "10", adagradV2, true},
    {"proximal_adagrad", 2, 3, "10", proximalAdagrad},
    {"adagrad_da", 3, 4, "120", adagradDA},
    {"adadelta", 3, 3, "102", adadelta},
    {"adam", 3, 6, "120", adam},
    {"amsgrad", 4, 6, "1230", amsgrad},
    {"adamax", 3, 5, "120", adaMax},
    {"ftrl", 3, 4, "201", ftrl},
    {"ftrl_v2", 3, 5, "201", ftrlV2},
    {"rmsprop", 3, 4, "120", rmsProp},
    {"centered_rmsprop", 4, 4, "2130", centeredRmsProp},
    {"add_sign", 2, 4, "10", addSign},
    {"power_sign", 2, 4, "10", powerSign},
};

const Rule *findRule(StringRef name) {
  const Rule *found = llvm::find_if(
      kRules, [&](const Rule &rule) { return rule.name == name; });
  return found == std::end(kRules) ? nullptr : found;
}
} // namespace

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

LogicalResult OptimizerStepOp::inferShapes(ShapeContext &shapes) {
  const Rule *rule = findRule(getRule());
  if (!rule)
    return emitOpError() << "has unknown rule '" << getRule() << "'";
  if (getStates().size() != rule->states ||
      getResults().size() != rule->states ||
      getParameters().size() != rule->parameters)
    return emitOpError() << "has " << getStates().size() << " states, "
                         << getParameters().size() << " parameters and "
                         << getResults().size() << " results, but '"
                         << getRule() << "' has " << rule->states << ", "
                         << rule->parameters << " and " << rule->states;
  Type element = getElementTypeOrSelf(getGradient().getType());
  for (Value value :
       llvm::concat<Value>(getStates(), getParameters(), getResults()))
    if (getElementTypeOrSelf(value.getType()) != element)
      return emitOpError() << "mixes elements of types " << element << " and "
                           << getElementTypeOrSelf(value.getType());
  for (Value parameter : getParameters())
    if (failed(expectScalar(*this, shapes, parameter, "parameter")))
      return failure();

  ArrayRef<AffineExpr> dims = shapes.dims(getStates().front());
  auto expectDims = [&](ArrayRef<AffineExpr> have, ArrayRef<AffineExpr> want,
                        StringRef what) -> LogicalResult {
    if (have.size() != want.size())
      return emitOpError() << what << " has shape " << shapeString(have)
                           << ", expected " << shapeString(want);
    for (auto [a, b] : llvm::zip(have, want))
      if (failed(expectSame(
              *this, a, b, ("sizes of the variable and of the " + what).str())))
        return failure();
    return success();
  };
  for (Value state : getStates().drop_front())
    if (failed(expectDims(shapes.dims(state), dims, "slot")))
      return failure();
  Dims wanted(dims);
  if (getIndices()) {
    if (failed(expectRank(*this, shapes, getIndices(), 1, "indices")))
      return failure();
    if (dims.empty())
      return emitOpError("the variable is a scalar, expected rows");
    wanted[0] = shapes.dim(getIndices(), 0);
  }
  if (failed(expectDims(shapes.dims(getGradient()), wanted, "gradient")))
    return failure();
  for (Value result : getResults())
    shapes.setDims(result, dims);
  return success();
}

/// Replaces `states` by their new values, from a gradient of their shape: an
/// elementwise op for each, in the order in which the rule computes them.
/// `destination` gives where the new value of a state goes.
static void updateElements(OptimizerStepOp op, OpBuilder &b,
                           MutableArrayRef<Value> states, Value gradient,
                           ArrayRef<Value> parameters,
                           function_ref<Value(unsigned state)> destination) {
  const Rule *rule = findRule(op.getRule());
  unsigned rank = cast<RankedTensorType>(gradient.getType()).getRank();
  StringRef order = rule->order;
  if (rule->keepsSlot && op.getVariant())
    order = order.take_back();
  Type element = getElementTypeOrSelf(gradient.getType());
  // Halves are computed in f32 and rounded once.
  Type compute = element.isF64() ? Type(b.getF64Type()) : Type(b.getF32Type());
  for (auto [number, digit] : llvm::enumerate(order)) {
    unsigned target = digit - '0';
    SmallVector<Value> operands(states);
    operands.push_back(gradient);
    SmallVector<AffineMap> maps(operands.size() + 1,
                                b.getMultiDimIdentityMap(rank));
    Value start = destination(target);
    auto generic = linalg::GenericOp::create(
        b, op.getLoc(), start.getType(), operands, start, maps,
        SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
        [&](OpBuilder &nested, Location at, ValueRange v) {
          auto wide = [&](Value value) {
            return Scalar(nested, at, value).toFloat(compute);
          };
          SmallVector<Scalar> values, p;
          for (Value value : v.take_front(states.size()))
            values.push_back(wide(value));
          for (Value parameter : parameters)
            p.push_back(wide(parameter));
          States s(values, number);
          rule->step(s, wide(v[states.size()]), p, op.getVariant());
          linalg::YieldOp::create(nested, at,
                                  Value(s[target].toFloat(element)));
        });
    states[target] = generic.getResult(0);
  }
}

LogicalResult OptimizerStepOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Dims dims(shapes.dims(getStates().front())), wanted(dims);
  if (getIndices())
    wanted[0] = shapes.dim(getIndices(), 0);
  SmallVector<Value> parameters, states;
  for (Value parameter : getParameters())
    parameters.push_back(scalar(lowering, loc, parameter));
  for (Value state : getStates())
    states.push_back(conform(lowering, loc, lowering.get(state),
                             shapes.dims(state), dims,
                             "a slot does not have the variable's size"));
  Value gradient =
      conform(lowering, loc, lowering.get(getGradient()),
              shapes.dims(getGradient()), wanted,
              getIndices() ? "the gradient does not have a row per index"
                           : "the gradient does not have the variable's size");
  Type element = getElementTypeOrSelf(gradient.getType());

  if (!getIndices()) {
    updateElements(*this, b, states, gradient, parameters,
                   [&](unsigned) { return lowering.empty(dims, element); });
    for (auto [result, value] : llvm::zip(getResults(), states))
      lowering.set(result, value);
    return success();
  }

  AffineExpr width = shapes.product(ArrayRef(dims).drop_front()),
             count = wanted[0];
  Value indices = lowering.get(getIndices()), rows = lowering.index(dims[0]),
        zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  Type integer = getElementTypeOrSelf(getIndices().getType());
  require(lowering, loc,
          allOf(lowering, loc, indices,
                [&](OpBuilder &nested, Location at, Value index, ValueRange) {
                  return inRange(nested, at,
                                 toIndex(nested, at, index, integer), rows);
                }),
          "index is out of range");
  for (Value &state : states)
    state = reshapeTo(lowering, loc, state, dims, {dims[0], width});
  gradient = reshapeTo(lowering, loc, gradient, wanted, {count, width});
  auto rowType = typeOf(width, element);
  SmallVector<OpFoldResult> ones(2, b.getIndexAttr(1)),
      sizes{b.getIndexAttr(1), lowering.size(width)};
  auto loop = scf::ForOp::create(
      b, loc, zero, lowering.index(count), one, states,
      [&](OpBuilder &nested, Location at, Value i, ValueRange carried) {
        Value index =
            toIndex(nested, at,
                    tensor::ExtractOp::create(nested, at, indices, i), integer);
        index = clampIndex(nested, at, index, zero, sub(nested, at, rows, one));
        SmallVector<OpFoldResult> from{i, nested.getIndexAttr(0)},
            to{index, nested.getIndexAttr(0)};
        auto row = [&](Value tensor, ArrayRef<OpFoldResult> place) -> Value {
          return tensor::ExtractSliceOp::create(nested, at, rowType, tensor,
                                                place, sizes, ones);
        };
        SmallVector<Value> old, next;
        for (Value state : carried)
          old.push_back(row(state, to));
        SmallVector<Value> values(old);
        updateElements(*this, nested, values, row(gradient, from), parameters,
                       [&](unsigned state) { return old[state]; });
        for (auto [state, value] : llvm::zip(carried, values))
          next.push_back(insertAt(nested, at, value, state, to, sizes));
        scf::YieldOp::create(nested, at, next);
      });
  for (auto [result, value] : llvm::zip(getResults(), loop.getResults()))
    lowering.set(result,
                 reshapeTo(lowering, loc, value, {dims[0], width}, dims));
  return success();
}
