//===- Coo.cpp - sparse tensors as indices and values ---------------------===//

#include "frontend/tensorflow/ops/Coo.h"

using namespace mlir;

namespace tenon::tf {

Coo CooMath::read(Value indices, Value values, Value shape) {
  if (b.failed())
    return {};
  if (b.rank(indices) != 2 || b.rank(values) != 1 || b.rank(shape) != 1) {
    b.fail("expected a matrix of indices, and vectors of values and sizes");
    return {};
  }
  auto rank = graph::ShapeContext::asConstant(b.dims(shape)[0]);
  if (!rank)
    rank = graph::ShapeContext::asConstant(b.dims(indices)[1]);
  if (!rank) {
    b.fail("the number of dimensions of a sparse tensor must be known");
    return {};
  }
  auto sized = [&](Value value, ArrayRef<int64_t> sizes) {
    return b.make("graph.ensure_shape", Binder::type(value), value,
                  b.attribute("shape", sizes));
  };
  Coo coo{sized(b.cast(indices, i64), {-1, *rank}), values,
          sized(b.cast(shape, i64), {*rank}), *rank};
  check(equal(Numbers::size(coo.indices, 0), Numbers::size(values, 0)),
        "there are not as many values as indices");
  return coo;
}

Coo CooMath::sorted(const Coo &coo) {
  SmallVector<Value> parts =
      b.makeAll("graph.sparse_concat", {i64, Binder::type(coo.values), i64},
                {coo.indices, coo.values, coo.shape},
                {b.attribute("axis", int64_t(0)),
                 b.attribute("operandSegmentSizes",
                             b.builder().getDenseI32ArrayAttr({1, 1, 1}))});
  return b.failed() ? Coo() : Coo{parts[0], parts[1], coo.shape, coo.rank};
}

Coo CooMath::merged(const Coo &x, const Coo &y) {
  if (b.failed())
    return {};
  if (x.rank != y.rank) {
    b.fail("operands have " + llvm::Twine(x.rank) + " and " +
           llvm::Twine(y.rank) + " dimensions");
    return {};
  }
  check(equal(x.shape, y.shape), "operands have different shapes");
  auto joinedRows = [&](Value first, Value second) {
    Value both[] = {first, second};
    return b.make("graph.concat", Binder::type(first), ValueRange(both),
                  b.attribute("axis", int64_t(0)));
  };
  return sorted({joinedRows(x.indices, y.indices),
                 joinedRows(x.values, y.values), x.shape, x.rank});
}

Formula CooMath::places(const Coo &coo, ArrayRef<int64_t> dims) {
  Formula place =
      b.failed() ? Formula(b, Value())
                 : Formula(b, b.make("graph.fill", i64,
                                     {sizes(coo.values), b.scalar(i64, 0)}));
  for (int64_t d : dims) {
    Formula at = column(coo, d), most = size(coo, d);
    check((number(0) <= at) & (at < most), "an index is outside of the shape");
    place = place * most + at;
  }
  return place;
}

Formula CooMath::count(const Coo &coo, ArrayRef<int64_t> dims) {
  Formula total = number(1);
  for (int64_t d : dims)
    total = total * size(coo, d);
  return total;
}

Value CooMath::indicesOf(Value places, ArrayRef<Value> sizes) {
  SmallVector<Value> columns(sizes.size());
  Value rest = places;
  for (size_t d = sizes.size(); d--;) {
    Formula size = maximum(Formula(b, sizes[d]), number(1));
    columns[d] = b.make("graph.floor_mod", i64, {rest, size});
    rest = quotient(rest, size);
  }
  if (!columns.empty())
    return b.make("graph.pack", i64, columns, b.attribute("axis", int64_t(1)));
  Value shape[] = {Numbers::size(places, 0), number(0)};
  return b.make("graph.fill", i64, {packed(shape), b.scalar(i64, 0)});
}

Runs CooMath::runs(Value numbers) {
  if (b.failed())
    return {};
  Value before = vector({-1}), both[] = {before, numbers};
  Value shifted =
      b.make("graph.slice", i64, {joined(both), vector({0}), sizes(numbers)});
  Runs runs;
  runs.isFirst = b.make("graph.not_equal", i1, {numbers, shifted});
  Formula begun(b, b.make("graph.cumsum", i64, b.cast(runs.isFirst, i64),
                          b.attribute("axis", int64_t(0))));
  runs.group = begun - number(1);
  runs.first = trueOnes(runs.isFirst);
  runs.count = Numbers::size(runs.first, 0);
  return runs;
}

Value CooMath::splitsOf(Value lengths) {
  Value parts[] = {vector({0}), b.make("graph.cumsum", i64, lengths,
                                       b.attribute("axis", int64_t(0)))};
  return joined(parts);
}

Value CooMath::rowsOf(Value splits) {
  if (b.failed())
    return {};
  // How many rows have ended before each element.
  Formula rows = Numbers::size(splits, 0) - number(1);
  Value from = vector({1});
  Value ends =
      b.make("graph.slice", i64, {splits, from, reshaped(rows, vector({1}))});
  Formula total = gathered(splits, rows);
  Value marks = combined(onesFor(ends, i64), ends, total + number(1), "sum");
  Value ended =
      b.make("graph.cumsum", i64, marks, b.attribute("axis", int64_t(0)));
  return b.make("graph.slice", i64,
                {ended, vector({0}), reshaped(total, vector({1}))});
}

} // namespace tenon::tf
