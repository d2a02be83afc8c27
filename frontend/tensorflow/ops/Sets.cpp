//===- Sets.cpp - rows of numbers as sets ---------------------------------===//
//
// Members of all rows are sorted as pairs of row and number; a run of equal
// pairs is one member.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/ops/Coo.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// Members: their rows, the numbers themselves.
struct Members {
  Value rows, numbers;
  SmallVector<Value> sizes; // of the dimensions that number the rows
};

class Sets : public CooMath {
public:
  using CooMath::CooMath;

  Members ofDense(unsigned input) {
    Value dense = b.input(input);
    if (b.failed())
      return {};
    int64_t rank = b.rank(dense);
    if (!isNumber(dense))
      return {};
    if (rank < 2) {
      b.fail("expected at least 2 dimensions");
      return {};
    }
    Members members;
    for (int64_t d = 0; d + 1 < rank; ++d)
      members.sizes.push_back(Numbers::size(dense, d));
    members.numbers = b.cast(reshaped(dense, vector({-1})), i64);
    Formula width = maximum(Numbers::size(dense, rank - 1), number(1));
    members.rows = quotient(below(Numbers::size(members.numbers, 0)), width);
    return members;
  }

  Members ofSparse(unsigned first) {
    Coo coo = read(first);
    if (b.failed() || !isNumber(coo.values))
      return {};
    if (coo.rank < 2) {
      b.fail("expected at least 2 dimensions");
      return {};
    }
    Members members;
    auto dims = llvm::to_vector(llvm::seq<int64_t>(0, coo.rank - 1));
    for (int64_t d : dims)
      members.sizes.push_back(size(coo, d));
    members.numbers = b.cast(coo.values, i64);
    members.rows = places(coo, dims);
    return members;
  }

  /// How many rows there are.
  Formula rowCount(const Members &members) {
    Formula total = number(1);
    for (Value size : members.sizes)
      total = total * Formula(b, size);
    return total;
  }

  /// Sorted pairs; `marks` go with them.
  struct Sorted {
    Value rows, numbers, marks;
    Runs runs;
  };
  Sorted sort(Value rows, Value numbers, Value marks) {
    Value columns[] = {rows, numbers};
    Value pairs = b.make("graph.pack", i64, ValueRange(columns),
                         b.attribute("axis", int64_t(1)));
    Coo all = sorted({pairs, marks, vector({1, 1}), 2});
    if (b.failed())
      return {};
    Sorted result;
    result.rows = column(all, 0);
    result.numbers = column(all, 1);
    result.marks = all.values;
    // A run ends where either changes: number both kinds of runs together.
    Runs byRow = runs(result.rows), byNumber = changes(result.numbers);
    Formula first = Formula(b, byRow.isFirst) | Formula(b, byNumber.isFirst);
    Formula begun(b, b.make("graph.cumsum", i64, b.cast(first, i64),
                            b.attribute("axis", int64_t(0))));
    result.runs = {first, begun - number(1), trueOnes(first), {}};
    result.runs.count = Numbers::size(result.runs.first, 0);
    return result;
  }

private:
  /// Runs of any numbers, negative ones too; only `isFirst`.
  Runs changes(Value numbers) {
    Value before =
        b.make("graph.slice", i64,
               {numbers, vector({0}), minimum(sizes(numbers), number(1))});
    Value both[] = {before, numbers};
    Value shifted =
        b.make("graph.slice", i64, {joined(both), vector({0}), sizes(numbers)});
    Runs result;
    result.isFirst = b.make("graph.not_equal", i1, {numbers, shifted});
    return result;
  }

  bool isNumber(Value value) {
    if (Binder::type(value).isInteger())
      return true;
    b.fail("sets of elements that are not integers are not supported");
    return false;
  }
};

enum class Kind { Dense, Sparse };

/// Inputs: two sets. Results: a sparse tensor of their rows combined.
Row operation(Kind first, Kind second) {
  return [=](Binder &b) {
    Sets n(b);
    unsigned at = first == Kind::Dense ? 1 : 3;
    Type type = Binder::type(b.input(first == Kind::Dense ? 0 : 1));
    Members x = first == Kind::Dense ? n.ofDense(0) : n.ofSparse(0);
    Members y = second == Kind::Dense ? n.ofDense(at) : n.ofSparse(at);
    std::string what = b.text("set_operation", {});
    if (b.failed())
      return;
    if (x.sizes.size() != y.sizes.size())
      return b.fail("operands have different numbers of dimensions");
    for (auto [mine, its] : llvm::zip(x.sizes, y.sizes))
      n.check(n.equal(mine, its), "operands have different numbers of rows");
    Value rows[] = {x.rows, y.rows}, numbers[] = {x.numbers, y.numbers},
          marks[] = {n.onesFor(x.rows, n.i64), n.onesFor(y.rows, n.i64) * 2.0};
    auto sorted = n.sort(n.joined(rows), n.joined(numbers), n.joined(marks));
    if (b.failed())
      return;
    // Each mark once: 1 for the first set, 2 for the second.
    auto has = [&](double mark) {
      Formula is(b,
                 b.cast(n.equal(sorted.marks, n.number(int64_t(mark))), n.i64));
      return n.combined(is, sorted.runs.group, sorted.runs.count, "max") >
             n.number(0);
    };
    Formula inX = has(1), inY = has(2);
    auto without = [&](const Formula &a, const Formula &c) {
      return a & Formula(b, b.make("graph.not", n.i1, Value(c)));
    };
    Value kept;
    if (what == "intersection")
      kept = inX & inY;
    else if (what == "union")
      kept = inX | inY;
    else if (what == "a-b")
      kept = without(inX, inY);
    else if (what == "b-a")
      kept = without(inY, inX);
    else
      return b.fail("set operation '" + what + "' is not supported");
    Value chosen = n.gathered(sorted.runs.first, n.trueOnes(kept));
    Value row = n.gathered(sorted.rows, chosen),
          number = n.gathered(sorted.numbers, chosen);
    Formula counts =
        n.combined(n.onesFor(row, n.i64), row, n.rowCount(x), "sum");
    Value starts = n.splitsOf(counts);
    Formula place = n.below(n.Numbers::size(row, 0)) - n.gathered(starts, row);
    // A first 0 stands for the case that there is no row.
    Value all[] = {n.vector({0}), counts};
    Value longest = b.make("graph.reduce_max", n.i64, Value(n.joined(all)),
                           b.attribute("axes", ArrayRef<int64_t>{0}));
    Value columns[] = {n.indicesOf(row, x.sizes),
                       n.reshaped(place, n.vector({-1, 1}))};
    b.set(0, b.make("graph.concat", n.i64, ValueRange(columns),
                    b.attribute("axis", int64_t(1))));
    b.set(1, b.failed() ? Value() : b.cast(number, type));
    SmallVector<Value> shape(x.sizes);
    shape.push_back(longest);
    b.set(2, n.packed(shape));
  };
}

/// Inputs: a sparse tensor; how many members each row has.
void importSize(Binder &b) {
  Sets n(b);
  Members members = n.ofSparse(0);
  if (b.failed())
    return;
  auto sorted =
      n.sort(members.rows, members.numbers, n.onesFor(members.rows, n.i64));
  Value row = n.gathered(sorted.rows, sorted.runs.first);
  Value counts =
      n.combined(n.onesFor(row, n.i64), row, n.rowCount(members), "sum");
  counts = n.reshaped(counts, n.packed(members.sizes));
  if (!b.failed())
    b.set(0, b.cast(counts, b.builder().getI32Type()));
}
} // namespace

void addSetRows(RowTable &table) {
  table["DenseToDenseSetOperation"] = operation(Kind::Dense, Kind::Dense);
  table["DenseToSparseSetOperation"] = operation(Kind::Dense, Kind::Sparse);
  table["SparseToSparseSetOperation"] = operation(Kind::Sparse, Kind::Sparse);
  table["SetSize"] = importSize;
}

} // namespace tenon::tf
