// Derivatives of ops that move elements.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Shape.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// The same elements in another shape.
template <typename OpTy> void sameElements(MLIRContext *context) {
  addRule<OpTy>(context, [](OpTy op, Gradient &g) {
    g.add(op.getInput(), reshapeLike(g.of(), op.getInput()));
  });
}

/// The result is [m0 d0, m1 d1, ...] where the operand is [d0, d1, ...].
void tileGradient(TileOp op, Gradient &g) {
  Tensor multiples = cast(g(op.getMultiples()), g.i64());
  int64_t rank = g(op.getInput()).rank();
  if (rank == 0)
    return g.add(op.getInput(), g.of());
  Tensor shape =
      g.make("graph.pack", g.i64(), {multiples, g.shapeOf(op.getInput())},
             g.attr("axis", int64_t(1)));
  SmallVector<int64_t> copies;
  for (int64_t d = 0; d < rank; ++d)
    copies.push_back(2 * d);
  Tensor parts = reshape(g.of(), reshape(shape, g.integers(2 * rank)));
  g.add(op.getInput(), sum(parts, copies));
}

/// Cotangents of all results, zeros where there is none.
template <typename OpTy>
SmallVector<Tensor> allCotangents(OpTy op, Gradient &g) {
  SmallVector<Tensor> all;
  for (auto [i, result] : llvm::enumerate(op.getResults()))
    all.push_back(g.of(i) ? g.of(i) : g.filled(result, 0));
  return all;
}

void concatGradient(ConcatOp op, Gradient &g) {
  int64_t rank = g.shapes.dims(op.getResult()).size();
  int64_t axis = wrapAxis(op.getAxis(), rank);
  Tensor begin = g.integer(0), unit;
  SmallVector<int64_t> place(rank, 0);
  place[axis] = 1;
  unit = g.integers(place);
  for (Value input : op.getInputs()) {
    if (g.wants(input))
      g.add(input, slice(g.of(), begin * unit, g.shapeOf(input)));
    begin = begin + g.size(input, axis);
  }
}
} // namespace

void tenon::graph::addShapeGradients(MLIRContext *context) {
  sameElements<ReshapeOp>(context);
  sameElements<ExpandDimsOp>(context);
  sameElements<SqueezeOp>(context);
  sameElements<EnsureShapeOp>(context);
  addRule<TransposeOp>(context, [](TransposeOp op, Gradient &g) {
    g.add(op.getInput(), transpose(g.of(), inverse(op.getPermutation())));
  });
  addRule<BroadcastToOp>(context, [](BroadcastToOp op, Gradient &g) {
    g.add(op.getInput(), g.of());
  });
  addRule<TileOp>(context, [](TileOp op, Gradient &g) { tileGradient(op, g); });
  addRule<PackOp>(context, [](PackOp op, Gradient &g) {
    SmallVector<Type> types(op.getInputs().size(), g.of().type());
    for (auto [input, part] : llvm::zip(
             op.getInputs(), g.makeAll("graph.unpack", types, g.of(),
                                       g.attr("axis", int64_t(op.getAxis())))))
      g.add(input, part);
  });
  addRule<UnpackOp>(context, [](UnpackOp op, Gradient &g) {
    g.add(op.getInput(),
          g.make("graph.pack", g(op.getInput()).type(), allCotangents(op, g),
                 g.attr("axis", int64_t(op.getAxis()))));
  });
  addRule<ConcatOp>(context,
                    [](ConcatOp op, Gradient &g) { concatGradient(op, g); });
  addRule<SplitOp>(context, [](SplitOp op, Gradient &g) {
    g.add(op.getInput(), concat(allCotangents(op, g), op.getAxis()));
  });
  addRule<FillOp>(context, [](FillOp op, Gradient &g) {
    g.add(op.getValue(), sum(g.of(), upTo(g.of().rank())));
  });
  addZeroRules<ShapeOfOp, RangeOp, BitcastOp, InvertPermutationOp,
               BroadcastArgsOp>(context);
}
