//===- Ragged.cpp - rows of different lengths -----------------------------===//

#include "frontend/tensorflow/ops/Coo.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// Inputs: starts, limits, steps, each one for all rows or one for each.
void importRange(Binder &b) {
  CooMath n(b);
  SmallVector<Value> in = b.inputList(0, 3);
  Type splits = b.elementType("Tsplits");
  if (b.failed())
    return;
  Type type = Binder::type(in[0]);
  Value rows = n.vector({});
  for (Value value : in) {
    if (b.rank(value) > 1)
      return b.fail("expected scalars or vectors");
    rows = b.make("graph.broadcast_args", n.i64, {rows, n.sizes(value)});
    if (b.failed())
      return;
  }
  if (b.failed() || b.shapes().constants(rows) == SmallVector<int64_t>())
    rows = n.vector({1});
  Formula start(b, b.make("graph.broadcast_to", type, {in[0], rows})),
      limit(b, b.make("graph.broadcast_to", type, {in[1], rows})),
      step(b, b.make("graph.broadcast_to", type, {in[2], rows}));
  n.check(b.make("graph.not_equal", n.i1, {step, step.number(0)}),
          "a step is 0");
  Formula distance = limit - start, none = step.number(0);
  Formula lengths(b, Value());
  if (type.isInteger()) {
    Formula further = sign(step);
    lengths = n.quotient(b.cast(distance + step - further, n.i64),
                         b.cast(step, n.i64));
  } else {
    lengths = abs(distance / step).unary("graph.ceil").cast(n.i64);
  }
  Formula runs =
      ((step > none) & (start < limit)) | ((step < none) & (limit < start));
  lengths = select(runs, lengths, n.number(0));
  Value ends = n.splitsOf(lengths), row = n.rowsOf(ends);
  Formula place = n.below(n.Numbers::size(row, 0)) - n.gathered(ends, row);
  b.set(0, b.failed() ? Value() : b.cast(ends, splits));
  b.set(1, n.gathered(start, row) + place.cast(type) * n.gathered(step, row));
}

/// Inputs: where rows begin, from the outermost dimension to the innermost,
/// and the values.
void importToSparse(Binder &b) {
  CooMath n(b);
  int64_t depth = b.integer("RAGGED_RANK");
  SmallVector<Value> in = b.inputList(0);
  if (b.failed())
    return;
  if (depth < 1 || int64_t(in.size()) != depth + 1)
    return b.fail("the inputs do not fit RAGGED_RANK");
  Value values = in.back();
  int64_t inner = b.rank(values) - 1;
  SmallVector<Value> columns, sizes;
  Value flat = n.reshaped(values, n.vector({-1}));
  Formula place = n.below(n.Numbers::size(flat, 0));
  for (int64_t d = inner; d > 0; --d) {
    Formula size = n.Numbers::size(values, d);
    columns.push_back(
        b.make("graph.floor_mod", n.i64, {place, maximum(size, n.number(1))}));
    sizes.push_back(size);
    place = n.quotient(place, maximum(size, n.number(1)));
  }
  for (int64_t i = depth; i--;) {
    Value splits = b.cast(in[i], n.i64);
    Formula begin = n.gathered(n.rowsOf(splits), place);
    columns.push_back(place - n.gathered(splits, begin));
    Formula rows = n.Numbers::size(splits, 0) - n.number(1);
    Value length = n.reshaped(rows, n.vector({1}));
    Formula lengths =
        Formula(b,
                b.make("graph.slice", n.i64, {splits, n.vector({1}), length})) -
        Formula(b,
                b.make("graph.slice", n.i64, {splits, n.vector({0}), length}));
    Value all[] = {n.vector({0}), lengths};
    sizes.push_back(b.make("graph.reduce_max", n.i64, Value(n.joined(all)),
                           b.attribute("axes", ArrayRef<int64_t>{0})));
    place = begin;
    if (!i) {
      columns.push_back(place);
      sizes.push_back(rows);
    }
  }
  std::reverse(columns.begin(), columns.end());
  std::reverse(sizes.begin(), sizes.end());
  b.set(0,
        b.make("graph.pack", n.i64, columns, b.attribute("axis", int64_t(1))));
  b.set(1, flat);
  b.set(2, n.packed(sizes));
}

/// Inputs: where rows begin, from the outermost dimension to the innermost,
/// the values, and which rows of the outermost are wanted.
void importGather(Binder &b) {
  CooMath n(b);
  int64_t depth = b.integer("PARAMS_RAGGED_RANK");
  SmallVector<Value> in = b.inputList(0);
  if (b.failed())
    return;
  if (depth < 1 || int64_t(in.size()) != depth + 2)
    return b.fail("the inputs do not fit PARAMS_RAGGED_RANK");
  if (b.rank(in.back()) != 1)
    return b.fail("expected a vector of indices");
  Formula rows(b, b.cast(in.back(), n.i64));
  for (int64_t i = 0; i < depth; ++i) {
    Value splits = b.cast(in[i], n.i64);
    if (!i)
      n.check((n.number(0) <= rows) &
                  (rows + n.number(1) < n.Numbers::size(splits, 0)),
              "an index is outside of the rows");
    Formula begin = n.gathered(splits, rows);
    Formula lengths = n.gathered(splits, rows + n.number(1)) - begin;
    Value ends = n.splitsOf(lengths), row = n.rowsOf(ends);
    if (b.failed())
      return;
    b.set(i, b.cast(ends, Binder::type(in[i])));
    rows = n.gathered(begin, row) + n.below(n.Numbers::size(row, 0)) -
           n.gathered(ends, row);
  }
  b.set(depth, n.gathered(in[depth], rows));
}
} // namespace

void addRaggedRows(RowTable &table) {
  table["RaggedRange"] = importRange;
  table["RaggedTensorToSparse"] = importToSparse;
  table["RaggedGather"] = importGather;
}

} // namespace tenon::tf
