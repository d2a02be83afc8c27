//===- FedBlocks.cpp - blocks and diagonals that only the run knows -------===//

#include "frontend/tensorflow/ops/FedBlocks.h"
#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/Numbers.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// What both ways of blocks begin with.
struct Blocks : Numbers {
  Blocks(Binder &b, Value input, Value block, Value borders)
      : Numbers(b), rank(b.rank(input)),
        count(std::max<int64_t>(b.rank(block) == 1 ? length(block, borders) : 0,
                                0)),
        block(b, b.cast(block, i64)), borders(b, b.cast(borders, i64)) {
    if (!b.failed() && (b.rank(borders) != 2 || count >= rank))
      b.fail("expected a size and two borders for each spatial dimension");
    if (b.failed())
      return;
    check(number(0) < this->block, "expected blocks of at least one element");
    check(number(0) <= this->borders, "expected borders of 0 or more");
  }

  static int64_t length(Value block, Value borders) {
    for (Value value : {block, borders})
      if (auto type = dyn_cast<RankedTensorType>(value.getType());
          type && type.getRank() && !type.isDynamicDim(0))
        return type.getDimSize(0);
    return 0;
  }
  /// Column `i` of the borders.
  Formula border(int64_t i) { return gathered(borders, number(i), /*axis=*/1); }
  /// Pairs x0, y0, x1, y1, ...
  Formula paired(Value x, Value y) {
    Value both[] = {x, y};
    return reshaped(b.make("graph.pack", i64, ValueRange(both),
                           b.attribute("axis", int64_t(1))),
                    vector({2 * count}));
  }

  int64_t rank, count;
  Formula block, borders;
};

/// A diagonal's number, and where it begins in matrices of a size.
struct Diagonal : Numbers {
  Diagonal(Binder &b, unsigned input)
      : Numbers(b), k(one(input)), row(maximum(number(0) - k, number(0))),
        column(maximum(k, number(0))) {}

  Formula length(const Formula &rows, const Formula &columns) {
    check((number(0) - rows < k & k < columns) | equal(k, number(0)),
          "the diagonal is outside the matrix");
    return minimum(rows - row, columns - column);
  }
  /// Which elements of a matrix are on the diagonal, and the elements of the
  /// diagonal that they are.
  void grid(const Formula &rows, const Formula &columns, Formula &on,
            Formula &index) {
    Formula r = reshaped(below(rows), vector({-1, 1})), c = below(columns);
    on = equal(c - r, k);
    index = select(on, r - row, r.number(0));
  }

  Formula k, row, column;
};
} // namespace

Value spaceToBatchAtRun(Binder &b, Value input, Value block, Value borders) {
  if (b.failed())
    return {};
  Blocks n(b, input, block, borders);
  if (b.failed())
    return {};
  Value around[] = {
      n.reshaped(n.vector({0, 0}), n.vector({1, 2})), n.borders,
      b.integersConstant(SmallVector<int64_t>(2 * (n.rank - n.count - 1), 0),
                         n.i64)};
  around[2] = n.reshaped(around[2], n.vector({n.rank - n.count - 1, 2}));
  Value padded =
      b.make("graph.pad", Binder::type(input),
             {input, n.joined(around), b.scalar(Binder::type(input), 0)});
  Formula sizes = n.sizes(padded), space = n.part(sizes, 1, n.count + 1),
          rest = n.part(sizes, n.count + 1, n.rank);
  Formula parts = n.quotient(space, n.block);
  n.check(n.equal(parts * n.block, space),
          "a padded size is not a multiple of the block's");
  Value split[] = {n.part(sizes, 0, 1), n.paired(parts, n.block), rest};
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < n.count; ++i)
    order.push_back(2 * i + 2);
  order.push_back(0);
  for (int64_t i = 0; i < n.count; ++i)
    order.push_back(2 * i + 1);
  for (int64_t i = n.count + 1; i < n.rank; ++i)
    order.push_back(i + n.count);
  Value moved = b.transpose(n.reshaped(padded, n.joined(split)), order);
  Formula batch = n.part(sizes, 0, 1) * n.product(n.block);
  Value whole[] = {batch, parts, rest};
  return n.reshaped(moved, n.joined(whole));
}

Value batchToSpaceAtRun(Binder &b, Value input, Value block, Value borders) {
  if (b.failed())
    return {};
  Blocks n(b, input, block, borders);
  if (b.failed())
    return {};
  Formula sizes = n.sizes(input), space = n.part(sizes, 1, n.count + 1),
          rest = n.part(sizes, n.count + 1, n.rank);
  Formula total = n.product(n.block),
          batch = n.quotient(n.part(sizes, 0, 1), total);
  n.check(n.equal(batch * total, n.part(sizes, 0, 1)),
          "the batch is not a multiple of the blocks' elements");
  Value split[] = {n.block, batch, space, rest};
  SmallVector<int64_t> order = {n.count};
  for (int64_t i = 0; i < n.count; ++i)
    order.append({n.count + 1 + i, i});
  for (int64_t i = n.count + 1; i < n.rank; ++i)
    order.push_back(i + n.count);
  Value moved = b.transpose(n.reshaped(input, n.joined(split)), order);
  Formula spread = space * n.block, left = spread - n.border(0) - n.border(1);
  n.check(n.number(0) <= left, "the crops leave nothing");
  Value whole[] = {batch, spread, rest}, kept[] = {batch, left, rest},
        begin[] = {n.vector({0}), n.border(0),
                   n.vector(SmallVector<int64_t>(n.rank - n.count - 1, 0))};
  return b.make(
      "graph.slice", Binder::type(input),
      {n.reshaped(moved, n.joined(whole)), n.joined(begin), n.joined(kept)});
}

bool hasFedDiagonal(Binder &b, unsigned first, unsigned last) {
  for (unsigned i = first; i <= last && i < b.inputCount(); ++i)
    if (!isKnown(b, i)) {
      Value number = b.input(first);
      if (b.rank(number) && b.dims(number)[0] != b.shapes().constant(1))
        b.fail("several diagonals must be known at compile time, since their "
               "number decides the rank of the result");
      return true;
    }
  return false;
}

Value diagonalPartAtRun(Binder &b) {
  Value input = b.input(0);
  int64_t rank = b.rank(input);
  if (!b.failed() && rank < 2)
    b.fail("expected matrices");
  if (b.failed())
    return {};
  Diagonal n(b, 1);
  Formula rows = n.size(input, rank - 2), columns = n.size(input, rank - 1);
  Formula i = n.below(n.length(rows, columns));
  Value flat[] = {n.part(n.sizes(input), 0, rank - 2),
                  n.packed(Value(rows * columns))};
  return n.gathered(n.reshaped(input, n.joined(flat)),
                    (i + n.row) * columns + i + n.column, rank - 2);
}

Value setDiagonalAtRun(Binder &b) {
  Value input = b.input(0), diagonal = b.input(1);
  int64_t rank = b.rank(input);
  if (!b.failed() && (rank < 2 || b.rank(diagonal) != rank - 1))
    b.fail("expected matrices and a diagonal of each");
  if (b.failed())
    return {};
  Diagonal n(b, 2);
  Formula rows = n.size(input, rank - 2), columns = n.size(input, rank - 1);
  n.check(n.equal(n.size(diagonal, rank - 2), n.length(rows, columns)),
          "the diagonal has another length");
  Formula on = n.k, index = n.k;
  n.grid(rows, columns, on, index);
  return b.make("graph.select", Binder::type(input),
                {on, n.gathered(diagonal, index, rank - 2), input});
}

Value diagonalAtRun(Binder &b) {
  Value diagonal = b.input(0), padding = b.input(4);
  int64_t rank = b.rank(diagonal);
  if (!b.failed() && rank < 1)
    b.fail("expected a diagonal");
  if (b.failed())
    return {};
  Diagonal n(b, 1);
  Formula length = n.size(diagonal, rank - 1), rows = n.one(2),
          columns = n.one(3);
  Formula leastRows = length + n.row, leastColumns = length + n.column;
  Formula noRows = rows < n.number(0), noColumns = columns < n.number(0);
  Formula square = maximum(leastRows, leastColumns);
  Formula height = select(noRows, select(noColumns, square, leastRows), rows);
  Formula width =
      select(noColumns, select(noRows, square, leastColumns), columns);
  n.check((leastRows <= height) & (leastColumns <= width) &
              (n.equal(leastRows, height) | n.equal(leastColumns, width)),
          "the numbers of rows and columns do not fit the diagonal");
  Formula on = n.k, index = n.k;
  n.grid(height, width, on, index);
  return b.make("graph.select", Binder::type(diagonal),
                {on, n.gathered(diagonal, index, rank - 1), padding});
}

} // namespace tenon::tf
