//===- Partition.cpp - elements sorted out and looked up ------------------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/Formula.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
Type i64Of(Binder &b) { return b.builder().getI64Type(); }
Type boolOf(Binder &b) { return b.builder().getI1Type(); }

/// The numbers of the true elements of a vector.
Value trueElements(Binder &b, Value flags) {
  Value places = b.make("graph.nonzero", i64Of(b), flags);
  return b.make("graph.squeeze", i64Of(b), places,
                b.attribute("axes", ArrayRef<int64_t>{1}));
}

Value expanded(Binder &b, Value value, int64_t axis) {
  return b.make("graph.expand_dims", Binder::type(value), value,
                b.attribute("axes", ArrayRef<int64_t>(axis)));
}

Value rowsAt(Binder &b, Value tensor, Value places) {
  return b.make("graph.gather", Binder::type(tensor), {tensor, places},
                b.attribute("axis", int64_t(0)));
}

/// Inputs: data, partitions, of which the first dimensions are the same.
void importDynamicPartition(Binder &b) {
  Value data = b.input(0), partitions = b.input(1);
  int64_t count = b.integer("num_partitions");
  if (b.failed())
    return;
  int64_t rank = b.rank(partitions);
  if (count < 1 || count > 10000)
    return b.fail("impossible number of partitions: " + llvm::Twine(count));
  if (b.rank(data) < rank)
    return b.fail("data has fewer dimensions than partitions");
  graph::Dims rows{b.shapes().product(b.dims(partitions))};
  llvm::append_range(rows, b.dims(data).drop_front(rank));
  data = b.reshape(data, rows);
  partitions = b.reshape(partitions, rows[0]);
  Formula numbers(b, partitions);
  expect(b, (numbers >= numbers.number(0)) & (numbers < double(count)),
         "a partition is outside the range of partitions");
  for (int64_t i = 0; i < count; ++i) {
    Value mine =
        b.make("graph.equal", boolOf(b),
               {partitions, b.scalar(Binder::type(partitions), double(i))});
    b.set(i, rowsAt(b, data, trueElements(b, mine)));
  }
}

/// What of the vector x is not in y, and where it was.
void importListDiff(Binder &b) {
  Value x = b.input(0), y = b.input(1);
  if (b.failed())
    return;
  if (b.rank(x) != 1 || b.rank(y) != 1)
    return b.fail("expected two vectors");
  // Of axes, which the graph must know.
  if (auto xs = b.shapes().constants(x), ys = b.shapes().constants(y);
      xs && ys) {
    SmallVector<int64_t> rest, where;
    for (auto [i, element] : llvm::enumerate(*xs))
      if (!llvm::is_contained(*ys, element)) {
        rest.push_back(element);
        where.push_back(i);
      }
    b.set(0, b.integersConstant(rest, Binder::type(x)));
    b.set(1, b.integersConstant(where, b.elementType("out_idx")));
    return;
  }
  Value same =
      b.make("graph.equal", boolOf(b), {expanded(b, x, 1), expanded(b, y, 0)});
  Value found = b.make("graph.reduce_any", boolOf(b), same,
                       b.attribute("axes", ArrayRef<int64_t>{1}));
  Value places = trueElements(b, b.make("graph.not", boolOf(b), found));
  b.set(0, rowsAt(b, x, places));
  b.set(1, b.failed() ? Value() : b.cast(places, b.elementType("out_idx")));
}

/// How many elements of each sorted row are less than each value (`op`).
Row bound(StringRef op) {
  return [op](Binder &b) {
    Value sorted = b.input(0), values = b.input(1);
    if (b.failed())
      return;
    if (b.rank(sorted) != 2 || b.rank(values) != 2)
      return b.fail("expected two matrices");
    Type type = b.elementType("out_type");
    Value below =
        b.make(op, boolOf(b), {expanded(b, sorted, 1), expanded(b, values, 2)});
    if (!b.failed())
      b.set(0, b.make("graph.reduce_sum", type, b.cast(below, type),
                      b.attribute("axes", ArrayRef<int64_t>{2})));
  };
}

/// The element that would stand at place n of each sorted row.
void importNthElement(Binder &b) {
  Value input = b.input(0), place = b.input(1);
  if (b.failed())
    return;
  int64_t rank = b.rank(input);
  if (rank < 1)
    return b.fail("expected a tensor of at least one dimension");
  Type type = Binder::type(input), i32 = b.builder().getI32Type();
  Value size = b.cast(b.shapeTensor(b.dims(input).back()), i32);
  size = b.make("graph.reshape", i32, {size, b.integersConstant({}, i32)});
  SmallVector<Value> sorted =
      b.makeAll("graph.top_k", {type, i32}, {input, size});
  // top_k has the greatest first.
  if (!b.flag("reverse", false)) {
    Formula last = Formula(b, size) - 1;
    place = last - Formula(b, place).cast(i32);
  }
  if (!b.failed())
    b.set(0, b.make("graph.gather", type, {sorted[0], place},
                    b.attribute("axis", rank - 1)));
}

/// Numbers of elements in a tensor of the sizes in input 1 as indices, a row
/// for each dimension.
void importUnravelIndex(Binder &b) {
  Value places = b.input(0), sizes = b.input(1);
  if (b.failed())
    return;
  int64_t rank = b.rank(sizes) == 1 ? b.staticDim(sizes, 0) : 0;
  if (rank < 1 || b.rank(places) > 1)
    return b.fail(
        "expected at most a vector of numbers, and a vector of sizes");
  Type type = Binder::type(places);
  Formula rest(b, places), total = rest.number(1);
  SmallVector<Value> rows(rank);
  for (int64_t d = rank; d--;) {
    Formula size(b, rowsAt(b, sizes, b.scalar(i64Of(b), double(d))));
    Formula atLeastOne = maximum(size, size.number(1));
    rows[d] = b.make("graph.floor_mod", type, {rest, atLeastOne});
    rest = rest.wrap(b.make("graph.trunc_div", type, {rest, atLeastOne}));
    total = total * size;
  }
  Formula given(b, places);
  expect(b, (given >= given.number(0)) & (given < total),
         "an index is outside of the tensor");
  b.set(0, b.make("graph.pack", type, rows, b.attribute("axis", int64_t(0))));
}

/// How many values are in each of so many equal parts of a range; those beyond
/// its ends count at the ends.
void importHistogram(Binder &b) {
  Formula values(b, b.input(0)), range(b, b.input(1));
  Value count = b.input(2);
  Type type = b.elementType("dtype"), f64 = b.builder().getF64Type(),
       i32 = b.builder().getI32Type();
  if (b.failed())
    return;
  auto end = [&](int64_t i) {
    return Formula(b, rowsAt(b, range, b.scalar(i64Of(b), double(i))));
  };
  Formula low = end(0), high = end(1), bins(b, b.cast(count, i32));
  expect(b, low < high, "the range is empty");
  expect(b, bins > 0.0, "the number of bins is not positive");
  Formula step = (high - low).cast(f64) / bins.cast(f64);
  Formula offset = (minimum(maximum(values, low), high) - low).cast(f64) / step;
  Formula last = bins - bins.number(1);
  Formula bin = minimum(floor(offset), last.cast(f64)).cast(i32);
  if (b.failed())
    return;
  AffineExpr all = b.shapes().product(b.dims(bin));
  Value flat = b.reshape(bin, all);
  Value ones =
      b.make("graph.fill", type,
             {b.make("graph.shape_of", i64Of(b), flat), b.scalar(type, 1)});
  b.set(0, b.make("graph.segment", type, {ones, flat, bins},
                  b.textAttribute("mode", "sum")));
}

/// How often each number below `size` appears in a vector or in each row.
void importDenseBincount(Binder &b) {
  Value numbers = b.input(0), size = b.input(1), weights = b.input(2);
  bool binary = b.flag("binary_output", false);
  if (b.failed())
    return;
  int64_t rank = b.rank(numbers);
  if (rank != 1 && rank != 2)
    return b.fail("expected a vector or a matrix");
  Type type = Binder::type(weights), id = Binder::type(numbers);
  auto count =
      graph::ShapeContext::asConstant(b.shapes().product(b.dims(weights)));
  // Weights of unknown number are taken to be there.
  if (count == 0 || binary)
    weights = b.make(
        "graph.fill", type,
        {b.make("graph.shape_of", i64Of(b), numbers), b.scalar(type, 1)});
  Formula ids(b, numbers), bins = Formula(b, size).cast(id);
  expect(b, ids >= ids.number(0), "a number to be counted is negative");
  expect(b, bins >= bins.number(0), "the number of bins is negative");
  Formula inside = (ids < bins) & (ids >= ids.number(0));
  Formula total = bins;
  AffineExpr all = b.shapes().product(b.dims(numbers));
  if (rank == 2) {
    // Each row has bins of its own.
    AffineExpr rows = b.dims(numbers)[0];
    Value count =
        b.make("graph.reshape", i64Of(b),
               {b.shapeTensor(rows), b.integersConstant({}, i64Of(b))});
    Formula wide = Formula(b, count).cast(id);
    Value row = b.make("graph.range", id, {ids.number(0), wide, ids.number(1)});
    ids = ids + ids.wrap(expanded(b, row, 1)) * bins;
    total = wide * bins;
  }
  ids = select(inside, ids, ids.number(-1));
  if (b.failed())
    return;
  Value sums = b.make("graph.segment", type,
                      {b.reshape(weights, all), b.reshape(ids, all), total},
                      b.textAttribute("mode", "sum"));
  if (rank == 2) {
    Value rows = b.shapeTensor(b.dims(numbers)[0]);
    Value columns = b.make(
        "graph.reshape", i64Of(b),
        {Formula(b, size).cast(i64Of(b)), b.integersConstant(1, i64Of(b))});
    Value shape = b.make("graph.concat", i64Of(b), {rows, columns},
                         b.attribute("axis", int64_t(0)));
    sums = b.make("graph.reshape", type, {sums, shape});
  }
  if (binary)
    sums = minimum(Formula(b, sums), Formula(b, sums).number(1));
  b.set(0, sums);
}
} // namespace

void addPartitionRows(RowTable &table) {
  table["DynamicPartition"] = importDynamicPartition;
  table["ListDiff"] = importListDiff;
  table["LowerBound"] = bound("graph.less");
  table["UpperBound"] = bound("graph.less_equal");
  table["NthElement"] = importNthElement;
  table["DenseBincount"] = importDenseBincount;
  table["UnravelIndex"] = importUnravelIndex;
  table["HistogramFixedWidth"] = importHistogram;
}

} // namespace tenon::tf
