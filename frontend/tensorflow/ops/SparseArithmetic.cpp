//===- SparseArithmetic.cpp - sums, parts and orders of sparse tensors ----===//

#include "frontend/tensorflow/ops/Coo.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon::tf {

namespace {
SmallVector<int64_t> allDims(const Coo &coo) {
  return llvm::to_vector(llvm::seq<int64_t>(0, coo.rank));
}

void importReorder(Binder &b) {
  CooMath n(b);
  Coo sorted = n.sorted(n.read(0));
  b.set(0, sorted.indices);
  b.set(1, sorted.values);
}

/// Two sorted sparse tensors as one: runs of equal indices.
struct Union {
  Coo all;
  Runs runs;
};

Union unite(CooMath &n, unsigned second) {
  Union both;
  both.all = n.merged(n.read(0), n.read(second));
  if (!n.b.failed())
    both.runs = n.runs(n.places(both.all, allDims(both.all)));
  return both;
}

/// Inputs: two sparse tensors, and what smaller sums of both are left out.
void importAdd(Binder &b) {
  CooMath n(b);
  auto [all, runs] = unite(n, 3);
  Value least = b.input(6);
  if (b.failed())
    return;
  Value sums = n.combined(all.values, runs.group, runs.count, "sum");
  Value size = b.make("graph.abs", Binder::type(least), sums);
  Formula times =
      n.combined(n.onesFor(all.values, n.i64), runs.group, runs.count, "sum");
  Value kept =
      n.trueOnes(Formula(b, n.equal(times, n.number(1))) |
                 Formula(b, b.make("graph.less_equal", n.i1, {least, size})));
  b.set(0, n.gathered(n.gathered(all.indices, runs.first), kept));
  b.set(1, n.gathered(sums, kept));
  b.set(2, all.shape);
}

/// What only one of them has is compared with 0.
Row extremum(StringRef op, StringRef mode) {
  return [op, mode](Binder &b) {
    CooMath n(b);
    auto [all, runs] = unite(n, 3);
    if (b.failed())
      return;
    Formula found = n.combined(all.values, runs.group, runs.count, mode),
            times = n.combined(n.onesFor(all.values, n.i64), runs.group,
                               runs.count, "sum");
    b.set(0, n.gathered(all.indices, runs.first));
    b.set(1, select(Formula(b, n.equal(times, n.number(1))),
                    found.binary(op, found.number(0)), found));
  };
}

/// Inputs: a sparse tensor and a dense one.
void importDenseAdd(Binder &b) {
  CooMath n(b);
  Coo coo = n.read(0);
  Value dense = b.input(3);
  if (b.failed())
    return;
  if (b.rank(dense) != coo.rank)
    return b.fail("operands have " + llvm::Twine(coo.rank) + " and " +
                  llvm::Twine(b.rank(dense)) + " dimensions");
  n.check(n.equal(coo.shape, n.sizes(dense)), "operands have different shapes");
  b.set(0, b.make("graph.tensor_scatter", Binder::type(dense),
                  {dense, coo.indices, coo.values},
                  b.textAttribute("mode", "add")));
}

/// Values by those of a dense tensor, which is broadcast.
Row byDense(StringRef op) {
  return [op](Binder &b) {
    CooMath n(b);
    Coo coo = n.read(0);
    Value dense = b.input(3);
    if (b.failed())
      return;
    int64_t rank = b.rank(dense), missing = coo.rank - rank;
    if (missing < 0)
      return b.fail(
          "the dense operand has more dimensions than the sparse one");
    Formula place = n.places(coo, {});
    for (int64_t d = 0; d < rank; ++d) {
      Formula size = n.Numbers::size(dense, d),
              whole = n.size(coo, missing + d);
      Formula isOne = n.equal(size, n.number(1));
      n.check(isOne | n.equal(size, whole),
              "the dense operand does not broadcast to the sparse one");
      place =
          place * size + select(isOne, n.number(0), n.column(coo, missing + d));
    }
    Value flat = n.reshaped(dense, n.vector({-1}));
    b.set(0, b.make(op, Binder::type(coo.values),
                    {coo.values, n.gathered(flat, place)}));
  };
}

/// Inputs: a sparse tensor and axes; none means all.
Row reduction(StringRef mode, bool sparse) {
  return [mode, sparse](Binder &b) {
    CooMath n(b);
    Coo coo = n.read(0);
    SmallVector<int64_t> given = b.constants(3);
    bool keep = b.flag("keep_dims", false);
    if (b.failed())
      return;
    llvm::SmallSetVector<int64_t, 8> axes;
    for (int64_t axis : given)
      axes.insert(b.axis(axis, coo.rank));
    SmallVector<int64_t> kept;
    SmallVector<Value> sizes;
    for (int64_t d = 0; d < coo.rank; ++d) {
      bool gone = given.empty() || axes.contains(d);
      if (!gone)
        kept.push_back(d);
      if (!gone || keep)
        sizes.push_back(gone ? Value(n.number(1)) : Value(n.size(coo, d)));
    }
    if (b.failed())
      return;
    Formula places = n.places(coo, kept), count = n.count(coo, kept);
    Formula found = n.combined(coo.values, places, count, mode),
            times =
                n.combined(n.onesFor(coo.values, n.i64), places, count, "sum");
    Formula some = times > n.number(0);
    Value shape = sizes.empty() ? Value(n.vector({})) : Value(n.packed(sizes));
    if (!sparse)
      return b.set(0, n.reshaped(select(some, found, found.number(0)), shape));
    Value chosen = n.trueOnes(some);
    b.set(0, n.indicesOf(chosen, sizes));
    b.set(1, n.gathered(found, chosen));
    b.set(2, shape);
  };
}

/// The part between `start` and `start + size`; `shape` becomes its own.
Coo partOf(CooMath &n, const Coo &coo, const Formula &start,
           const Formula &size) {
  Binder &b = n.b;
  Formula indices(b, coo.indices);
  Formula inside = (start <= indices) & (indices < start + size);
  Value all = b.make("graph.reduce_all", n.i1, Value(inside),
                     b.attribute("axes", ArrayRef<int64_t>{1}));
  Value chosen = n.trueOnes(all);
  Formula rest = Formula(b, coo.shape) - start;
  return {n.gathered(coo.indices, chosen) - start,
          n.gathered(coo.values, chosen),
          maximum(minimum(size, rest), n.number(0)), coo.rank};
}

/// Inputs: a sparse tensor, where a part begins, its size.
void importSlice(Binder &b) {
  CooMath n(b);
  Coo coo = n.read(0);
  Formula start(b, b.input(3)), size(b, b.input(4));
  if (b.failed())
    return;
  n.check(n.number(0) <= start, "a part begins at a negative index");
  n.check(n.number(0) <= size, "a size is negative");
  Coo part = partOf(n, coo, start, size);
  b.setAll({part.indices, part.values, part.shape});
}

/// Inputs: an axis and a sparse tensor. The first parts are larger by one where
/// parts cannot be equal.
void importSplit(Binder &b) {
  CooMath n(b);
  int64_t count = b.integer("num_split");
  Formula axis = n.one(0);
  Coo coo = n.read(1);
  if (b.failed())
    return;
  if (count < 1 || count > 10000)
    return b.fail("impossible number of parts: " + llvm::Twine(count));
  axis = select(axis < n.number(0), axis + n.number(coo.rank), axis);
  n.check((n.number(0) <= axis) & (axis < n.number(coo.rank)),
          "the axis is outside of the tensor");
  Formula parts = n.number(count), size = n.gathered(coo.shape, axis);
  n.check(parts <= size, "there are more parts than elements along the axis");
  Formula each = n.quotient(size, parts), more = size - each * parts;
  Formula here = n.equal(n.below(n.number(coo.rank)), axis);
  for (int64_t i = 0; i < count; ++i) {
    Formula place = n.number(i);
    Formula begin = place * each + minimum(place, more),
            length = each + Formula(b, b.cast(place < more, n.i64));
    Coo part = partOf(n, coo, select(here, begin, n.number(0)),
                      select(here, length, Formula(b, coo.shape)));
    b.set(i, part.indices);
    b.set(count + i, part.values);
    b.set(2 * count + i, part.shape);
  }
}

/// Along the last dimension.
void importSoftmax(Binder &b) {
  CooMath n(b);
  Coo coo = n.read(0);
  if (b.failed())
    return;
  if (coo.rank < 2)
    return b.fail("expected a sparse tensor of at least 2 dimensions");
  SmallVector<int64_t> rows = allDims(coo);
  rows.pop_back();
  Runs runs = n.runs(n.places(coo, rows));
  Formula values(b, coo.values);
  auto ofRows = [&](const Formula &x, StringRef mode) {
    return n.gathered(n.combined(x, runs.group, runs.count, mode), runs.group);
  };
  Formula powers = exp(values - ofRows(values, "max"));
  b.set(0, powers / ofRows(powers, "sum"));
}

/// Inputs: where values went, and gradients of what there is then.
void importFillGradient(Binder &b) {
  CooMath n(b);
  Value places = b.input(0);
  Formula grad(b, b.input(1));
  if (b.failed())
    return;
  Formula times = n.combined(n.onesFor(places, n.i64), places,
                             n.Numbers::size(grad, 0), "sum");
  b.set(0, n.gathered(grad, places));
  b.set(1, b.make("graph.reduce_sum", grad.type(),
                  Value(select(times > n.number(0), grad.number(0), grad)),
                  b.attribute("axes", ArrayRef<int64_t>{0})));
}

/// Inputs: classes of each row, classes drawn. Results: which row has which
/// drawn class, and a weight that removes it.
void importAccidentalHits(Binder &b) {
  CooMath n(b);
  Value rows = b.input(0), drawn = b.input(1);
  if (b.failed())
    return;
  if (b.rank(rows) != 2 || b.rank(drawn) != 1)
    return b.fail("expected a matrix of classes and a vector of drawn ones");
  Value apart = b.make("graph.expand_dims", Binder::type(rows), rows,
                       b.attribute("axes", ArrayRef<int64_t>{2}));
  Value hits = b.make("graph.nonzero", n.i64, Value(n.equal(apart, drawn)));
  Type f32 = b.builder().getF32Type();
  if (b.failed())
    return;
  Value row = n.gathered(hits, n.number(0), 1);
  b.set(0, b.cast(row, b.builder().getI32Type()));
  b.set(1, n.gathered(hits, n.number(2), 1));
  b.set(2, n.onesFor(row, f32) * double(std::numeric_limits<float>::lowest()));
}
} // namespace

void addSparseArithmeticRows(RowTable &table) {
  table["SparseReorder"] = importReorder;
  table["SparseAdd"] = importAdd;
  table["SparseSparseMaximum"] = extremum("graph.maximum", "max");
  table["SparseSparseMinimum"] = extremum("graph.minimum", "min");
  table["SparseTensorDenseAdd"] = importDenseAdd;
  table["SparseDenseCwiseAdd"] = byDense("graph.add");
  table["SparseDenseCwiseMul"] = byDense("graph.mul");
  table["SparseDenseCwiseDiv"] = byDense("graph.div");
  table["SparseReduceSum"] = reduction("sum", /*sparse=*/false);
  table["SparseReduceSumSparse"] = reduction("sum", /*sparse=*/true);
  table["SparseReduceMax"] = reduction("max", /*sparse=*/false);
  table["SparseReduceMaxSparse"] = reduction("max", /*sparse=*/true);
  table["SparseSlice"] = importSlice;
  table["SparseSplit"] = importSplit;
  table["SparseSoftmax"] = importSoftmax;
  table["SparseFillEmptyRowsGrad"] = importFillGradient;
  table["ComputeAccidentalHits"] = importAccidentalHits;
}

} // namespace tenon::tf
