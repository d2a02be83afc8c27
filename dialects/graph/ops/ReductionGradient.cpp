// Derivatives of reductions and scans.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Reduction.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// A tensor of a reduction's result shape with the reduced dimensions kept.
template <typename OpTy> Tensor kept(OpTy op, Tensor x) {
  return op.getKeepDims() ? x : expandDims(x, op.getAxes());
}

/// Elements that are the greatest (least) ones share the cotangent equally.
template <typename OpTy> void extremumGradient(OpTy op, Gradient &g) {
  Tensor x = g(op.getInput()), y = kept(op, g(op.getResult()));
  Tensor chosen = cast(equal(x, y), x.type());
  Tensor count = sum(chosen, op.getAxes(), /*keepDims=*/true);
  g.add(op.getInput(), chosen / count * kept(op, g.of()));
}

Tensor scan(StringRef name, Tensor x, int64_t axis, bool exclusive,
            bool reverse) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make(("graph." + name).str(), x.type(), x,
                {b.attr("axis", axis), b.flag("exclusive", exclusive),
                 b.flag("reverse", reverse)});
}

/// The product of all other elements, without a division: of those before and
/// of those after.
void productGradient(ReduceProdOp op, Gradient &g) {
  Value input = op.getInput();
  ArrayRef<int64_t> axes = op.getAxes();
  if (axes.empty())
    return g.add(input, g.of());
  int64_t rank = g(input).rank();
  SmallVector<int64_t> order(axes), others;
  for (int64_t d = 0; d < rank; ++d)
    if (!llvm::is_contained(axes, d))
      others.push_back(d);
  llvm::append_range(order, others);
  Tensor permuted = transpose(g(input), order);
  auto count = [&](ArrayRef<int64_t> dims) {
    return expandDims(g.size(input, dims), int64_t(0));
  };
  Tensor flat = reshape(permuted, concat({count(axes), count(others)}, 0));
  Tensor before = scan("cumprod", flat, 0, /*exclusive=*/true, false),
         after = scan("cumprod", flat, 0, /*exclusive=*/true, true);
  Tensor rest = conj(before * after);
  if (permuted)
    rest = transpose(reshapeLike(rest, permuted.value()), inverse(order));
  g.add(input, rest * kept(op, g.of()));
}

void cumLogSumExpGradient(CumLogSumExpOp op, Gradient &g) {
  Tensor x = g(op.getInput()), y = g(op.getResult()), d = g.of();
  // In logarithms, the positive and the negative part by themselves. A sum of
  // nothing, whose logarithm is -inf, has no derivative.
  constexpr double none = -std::numeric_limits<double>::infinity();
  Tensor valid = y > none, finite = select(valid, y, 0);
  auto part = [&](Tensor magnitude, Tensor chosen) {
    Tensor logs = select(chosen & valid,
                         log(select(chosen, magnitude, 1)) - finite, none);
    return exp(scan("cumlogsumexp", logs, op.getAxis(), op.getExclusive(),
                    !op.getReverse()) +
               x);
  };
  g.add(op.getInput(), part(d, d > 0) - part(-d, d < 0));
}
} // namespace

void tenon::graph::addReductionGradients(MLIRContext *context) {
  addRule<ReduceSumOp>(context, [](ReduceSumOp op, Gradient &g) {
    g.add(op.getInput(), kept(op, g.of()));
  });
  addRule<ReduceMeanOp>(context, [](ReduceMeanOp op, Gradient &g) {
    Tensor count = g.size(op.getInput(), op.getAxes());
    g.add(op.getInput(), kept(op, g.of() / cast(count, g.of().type())));
  });
  addRule<ReduceProdOp>(
      context, [](ReduceProdOp op, Gradient &g) { productGradient(op, g); });
  addRule<ReduceMaxOp>(
      context, [](ReduceMaxOp op, Gradient &g) { extremumGradient(op, g); });
  addRule<ReduceMinOp>(
      context, [](ReduceMinOp op, Gradient &g) { extremumGradient(op, g); });
  addRule<CumSumOp>(context, [](CumSumOp op, Gradient &g) {
    g.add(op.getInput(), scan("cumsum", g.of(), op.getAxis(), op.getExclusive(),
                              !op.getReverse()));
  });
  addRule<CumProdOp>(context, [](CumProdOp op, Gradient &g) {
    Tensor x = conj(g(op.getInput())), y = conj(g(op.getResult()));
    Tensor sums = scan("cumsum", y * g.of(), op.getAxis(), op.getExclusive(),
                       !op.getReverse());
    g.add(op.getInput(), apply("div_no_nan", sums, x));
  });
  addRule<CumLogSumExpOp>(context, [](CumLogSumExpOp op, Gradient &g) {
    cumLogSumExpGradient(op, g);
  });
  addZeroRules<ArgMaxOp, ArgMinOp, ReduceAllOp, ReduceAnyOp>(context);
}
