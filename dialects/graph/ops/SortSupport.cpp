// A merge sort of element numbers, from runs of one upwards.
#include "dialects/graph/ops/SortSupport.h"
#include "dialects/graph/LoweringSupport.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

using Before = function_ref<Value(OpBuilder &, Location, Value, Value)>;

/// Numbers of elements, in row `row` of a matrix or in a vector (no row).
struct Numbers {
  Value tensor, row;

  SmallVector<Value> at(Value i) const {
    return row ? SmallVector<Value>{row, i} : SmallVector<Value>{i};
  }
  Value get(OpBuilder &b, Location loc, Value i) const {
    return tensor::ExtractOp::create(b, loc, tensor, at(i));
  }
  Numbers with(Value next) const { return {next, row}; }
};

class Merger {
public:
  Merger(Value input, Value row, Value size, Before before)
      : input(input), row(row), size(size), before(before) {}

  /// Merges pairs of runs of `width` numbers of `from` into `to`.
  Numbers merge(OpBuilder &b, Location loc, const Numbers &from,
                const Numbers &to, Value width) {
    Value step = add(b, loc, width, width);
    auto runs = scf::ForOp::create(
        b, loc, constantIndex(b, loc, 0), size, step, to.tensor,
        [&](OpBuilder &rb, Location rl, Value begin, ValueRange state) {
          Value middle = least(rb, rl, add(rb, rl, begin, width), size);
          Value end = least(rb, rl, add(rb, rl, begin, step), size);
          Value merged =
              mergeRun(rb, rl, from, to.with(state[0]), begin, middle, end);
          scf::YieldOp::create(rb, rl, merged);
        });
    return to.with(runs.getResult(0));
  }

private:
  static Value least(OpBuilder &b, Location loc, Value x, Value y) {
    return arith::MinSIOp::create(b, loc, x, y);
  }

  Value element(OpBuilder &b, Location loc, Value number) {
    Value i = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
    return tensor::ExtractOp::create(b, loc, input, ValueRange{row, i});
  }

  Value mergeRun(OpBuilder &b, Location loc, const Numbers &from,
                 const Numbers &to, Value begin, Value middle, Value end) {
    Value one = constantIndex(b, loc, 1), last = sub(b, loc, size, one);
    return scf::ForOp::create(
               b, loc, begin, end, one, ValueRange{to.tensor, begin, middle},
               [&](OpBuilder &nb, Location nl, Value place, ValueRange state) {
                 Value left = state[1], right = state[2];
                 // A side that is done is still read, inside the row.
                 Value mine = from.get(nb, nl, least(nb, nl, left, last));
                 Value other = from.get(nb, nl, least(nb, nl, right, last));
                 Value take = both(nb, nl, less(nb, nl, right, end),
                                   before(nb, nl, element(nb, nl, other),
                                          element(nb, nl, mine)));
                 take = select(nb, nl, less(nb, nl, left, middle), take,
                               constantTrue(nb, nl));
                 Value number = select(nb, nl, take, other, mine);
                 Value next = tensor::InsertOp::create(nb, nl, number, state[0],
                                                       to.at(place));
                 Value isRight = arith::IndexCastUIOp::create(
                     nb, nl, nb.getIndexType(), take);
                 scf::YieldOp::create(
                     nb, nl,
                     ValueRange{next,
                                add(nb, nl, left, sub(nb, nl, one, isRight)),
                                add(nb, nl, right, isRight)});
               })
        .getResult(0);
  }

  static Value constantTrue(OpBuilder &b, Location loc) {
    return arith::ConstantIntOp::create(b, loc, 1, 1);
  }

  Value input, row, size;
  Before before;
};

/// How many times two passes merge runs until one run holds `size` numbers.
Value countRounds(LoweringContext &lowering, Location loc, AffineExpr size) {
  OpBuilder &b = lowering.builder;
  if (std::optional<int64_t> known = ShapeContext::asConstant(size))
    return lowering.constantIndex(
        *known < 2 ? 0 : (llvm::Log2_64_Ceil(*known) + 1) / 2);
  Type i64 = b.getI64Type();
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, loc, i64, value);
  };
  Value count = arith::IndexCastOp::create(b, loc, i64, lowering.index(size));
  Value highest = arith::SubIOp::create(
      b, loc, arith::MaxSIOp::create(b, loc, count, number(1)), number(1));
  Value zeros = math::CountLeadingZerosOp::create(b, loc, highest);
  Value passes = arith::SubIOp::create(b, loc, number(65), zeros);
  Value rounds = arith::ShRUIOp::create(b, loc, passes, number(1));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), rounds);
}

} // namespace

Value tenon::graph::sortRows(LoweringContext &lowering, Location loc,
                             Value input, AffineExpr rows, AffineExpr size,
                             Before before) {
  OpBuilder &b = lowering.builder;
  Type i64 = b.getI64Type();
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1),
        count = lowering.index(size), rounds = countRounds(lowering, loc, size);
  return scf::ForOp::create(
             b, loc, zero, lowering.index(rows), one,
             ValueRange{lowering.empty({rows, size}, i64),
                        lowering.empty(size, i64)},
             [&](OpBuilder &rb, Location rl, Value row, ValueRange tensors) {
               auto start = scf::ForOp::create(
                   rb, rl, zero, count, one, tensors[0],
                   [&](OpBuilder &nb, Location nl, Value i, ValueRange state) {
                     Value number = arith::IndexCastOp::create(nb, nl, i64, i);
                     scf::YieldOp::create(
                         nb, nl,
                         tensor::InsertOp::create(nb, nl, number, state[0],
                                                  ValueRange{row, i})
                             .getResult());
                   });
               Merger merger(input, row, count, before);
               auto sorted = scf::ForOp::create(
                   rb, rl, zero, rounds, one,
                   ValueRange{start.getResult(0), tensors[1]},
                   [&](OpBuilder &nb, Location nl, Value round,
                       ValueRange state) {
                     Value width = arith::ShLIOp::create(
                         nb, nl, one, add(nb, nl, round, round));
                     Numbers spare = merger.merge(nb, nl, {state[0], row},
                                                  {state[1], Value()}, width);
                     Numbers order =
                         merger.merge(nb, nl, spare, {state[0], row},
                                      add(nb, nl, width, width));
                     scf::YieldOp::create(
                         nb, nl, ValueRange{order.tensor, spare.tensor});
                   });
               scf::YieldOp::create(rb, rl, sorted.getResults());
             })
      .getResult(0);
}
