// Derivatives of ops on sparse tensors, by their values and by dense operands.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Sparse.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// Every row that a segment adds up gets the segment's cotangent.
void segmentGradient(SparseSegmentOp op, Gradient &g) {
  Tensor indices = g(op.getIndices()), segments = g(op.getSegments());
  Tensor d = g.of();
  if (op.getMode() != "sum") {
    Tensor ones = g.fill(g.shapeOf(op.getSegments()), g.scalar(d.type(), 1));
    Tensor rows = g.size(op.getResult(), int64_t(0));
    Tensor count = g.make("graph.segment", d.type(), {ones, segments, rows},
                          g.attr("mode", StringRef("sum")));
    count = apply("maximum", count, g.scalar(d.type(), 1));
    SmallVector<int64_t> others;
    for (int64_t i = 1; i < d.rank(); ++i)
      others.push_back(i);
    d = d / expandDims(op.getMode() == "mean" ? count : sqrt(count), others);
  }
  g.add(op.getData(), scatter(expandDims(indices, 1), gather(d, segments),
                              g.shapeOf(op.getData())));
}

void matMulGradient(SparseMatMulOp op, Gradient &g) {
  Tensor indices = g(op.getIndices()), dense = g(op.getDense());
  auto turned = [](Tensor x) { return conj(transpose(x, {1, 0})); };
  if (g.wants(op.getValues())) {
    Tensor rows = gather(indices, g.integer(op.getAdjointA() ? 1 : 0), 1),
           columns = gather(indices, g.integer(op.getAdjointA() ? 0 : 1), 1);
    Tensor factors = op.getAdjointB() ? turned(dense) : dense;
    Tensor d =
        sum(gather(g.of(), rows) * conj(gather(factors, columns)), int64_t(1));
    g.add(op.getValues(), op.getAdjointA() ? conj(d) : d);
  }
  if (!g.wants(op.getDense()))
    return;
  SmallVector<NamedAttribute> attributes;
  if (!op.getAdjointA())
    attributes.push_back(g.unit("adjoint_a"));
  Tensor d = g.make("graph.sparse_matmul", g.of().type(),
                    {indices, g(op.getValues()), g(op.getShape()), g.of()},
                    attributes);
  g.add(op.getDense(), op.getAdjointB() ? turned(d) : d);
}

/// `total` less what went to the values is the default's.
void addDefault(Gradient &g, Value byDefault, Tensor total, Tensor values) {
  if (g.wants(byDefault))
    g.add(byDefault,
          sum(total, upTo(total.rank())) - sum(values, upTo(values.rank())));
}
} // namespace

void tenon::graph::addSparseGradients(MLIRContext *c) {
  addRule<SparseSegmentOp>(
      c, [](SparseSegmentOp op, Gradient &g) { segmentGradient(op, g); });
  addRule<SparseMatMulOp>(
      c, [](SparseMatMulOp op, Gradient &g) { matMulGradient(op, g); });
  addRule<SparseFillEmptyRowsOp>(c, [](SparseFillEmptyRowsOp op, Gradient &g) {
    if (!g.of(1))
      return;
    Tensor values = gather(g.of(1), g(op.getReverse()));
    g.add(op.getValues(), values);
    addDefault(g, op.getDefaultValue(), g.of(1), values);
  });
  addRule<SparseToDenseOp>(c, [](SparseToDenseOp op, Gradient &g) {
    Tensor indices = g(op.getIndices()), y = g.of();
    if (indices.rank() < 2)
      indices = expandDims(indices, indices.rank());
    Tensor read = g.make("graph.gather_nd", y.type(), {y, indices});
    g.add(op.getValues(), read);
    addDefault(g, op.getDefaultValue(), y, read);
  });
  addZeroRules<SparseReshapeOp, EditDistanceOp>(c);
  refuseGradient<RaggedToDenseOp>(
      c, [] { return "ragged tensors have no derivative rules"; });
  refuseGradient<SparseConcatOp>(
      c, [] { return "the order of its values is found when it runs"; });
}
