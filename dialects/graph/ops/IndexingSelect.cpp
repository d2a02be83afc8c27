// Ops of Indexing.td that choose elements by their values.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/SortSupport.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace tenon::graph;

/// x > y of two elements of a graph's type.
static Value greater(OpBuilder &b, Location loc, Type graphType, Value x,
                     Value y) {
  if (isa<FloatType>(graphType))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
  return arith::CmpIOp::create(b, loc,
                               isUnsigned(graphType)
                                   ? arith::CmpIPredicate::ugt
                                   : arith::CmpIPredicate::sgt,
                               x, y);
}

static Value same(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  if (isa<ComplexType>(x.getType()))
    return complex::EqualOp::create(b, loc, x, y);
  return equal(b, loc, x, y);
}

static Value either(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::OrIOp>(loc, x, y);
}

//===----------------------------------------------------------------------===//
// top_k
//===----------------------------------------------------------------------===//

LogicalResult TopKOp::inferShapes(ShapeContext &shapes) {
  Dims dims(shapes.dims(getInput()));
  if (failed(expectScalar(*this, shapes, getK(), "k")))
    return failure();
  if (dims.empty())
    return emitOpError("operand is a scalar");
  if (isa<ComplexType>(getElementTypeOrSelf(getInput().getType())))
    return emitOpError("complex elements have no order");
  AffineExpr k = elementsOrNull(shapes, getK(), 1)[0];
  std::optional<int64_t> known = ShapeContext::asConstant(k),
                         size = ShapeContext::asConstant(dims.back());
  if (known && (*known < 0 || (size && *known > *size)))
    return emitOpError() << "cannot choose " << *known
                         << " elements of a dimension of "
                         << shapeString(dims.back());
  dims.back() = k ? k : shapes.freshSymbol(getValues(), dims.size() - 1);
  shapes.setDims(getValues(), dims);
  shapes.setDims(getIndices(), dims);
  return success();
}

/// Up to this many elements are found one after the other.
static constexpr int64_t kFew = 8;

/// k times the best one of those after the previous one in the order. Each row
/// is a loop of its own.
static std::pair<Value, Value> pickFew(LoweringContext &lowering, Location loc,
                                       Type graphType, Value input, Dims from,
                                       Dims to, Type indexType) {
  OpBuilder &b = lowering.builder;
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1),
        minusOne = lowering.constantIndex(-1), size = lowering.index(from[1]),
        k = lowering.index(to[1]);
  Type type = getElementTypeOrSelf(input.getType());
  auto rowLoop = scf::ForOp::create(
      b, loc, zero, lowering.index(to[0]), one,
      ValueRange{lowering.empty(to, type), lowering.empty(to, indexType)},
      [&](OpBuilder &rb, Location rl, Value row, ValueRange tensors) {
        auto pick = scf::ForOp::create(
            rb, rl, zero, k, one,
            ValueRange{tensors[0], tensors[1], zeroOf(rb, rl, type), minusOne},
            [&](OpBuilder &pb, Location pl, Value place, ValueRange state) {
              Value previous = state[2], previousIndex = state[3];
              Value isFirst = less(pb, pl, previousIndex, zero);
              auto best = scf::ForOp::create(
                  pb, pl, zero, size, one,
                  ValueRange{zeroOf(pb, pl, type), minusOne},
                  [&](OpBuilder &nb, Location nl, Value i, ValueRange found) {
                    Value element = tensor::ExtractOp::create(
                        nb, nl, input, ValueRange{row, i});
                    Value after = both(nb, nl, same(nb, nl, element, previous),
                                       less(nb, nl, previousIndex, i));
                    after =
                        either(nb, nl, after,
                               greater(nb, nl, graphType, previous, element));
                    after = either(nb, nl, after, isFirst);
                    Value better =
                        either(nb, nl, less(nb, nl, found[1], zero),
                               greater(nb, nl, graphType, element, found[0]));
                    Value take = both(nb, nl, after, better);
                    scf::YieldOp::create(
                        nb, nl,
                        ValueRange{select(nb, nl, take, element, found[0]),
                                   select(nb, nl, take, i, found[1])});
                  });
              Value index = best.getResult(1);
              Value values = tensor::InsertOp::create(
                  pb, pl, best.getResult(0), state[0], ValueRange{row, place});
              Value indices = tensor::InsertOp::create(
                  pb, pl, fromIndex(pb, pl, index, indexType), state[1],
                  ValueRange{row, place});
              scf::YieldOp::create(
                  pb, pl,
                  ValueRange{values, indices, best.getResult(0), index});
            });
        scf::YieldOp::create(rb, rl, pick.getResults().take_front(2));
      });
  return {rowLoop.getResult(0), rowLoop.getResult(1)};
}

/// The first k of each sorted row.
static std::pair<Value, Value> pickSorted(LoweringContext &lowering,
                                          Location loc, Type graphType,
                                          Value input, Dims from, Dims to,
                                          Type indexType) {
  OpBuilder &b = lowering.builder;
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  // After a failed check k may be larger.
  Value count = b.createOrFold<arith::MinSIOp>(loc, lowering.index(to[1]),
                                               lowering.index(from[1]));
  Value order = sortRows(lowering, loc, input, from[0], from[1],
                         [&](OpBuilder &nested, Location at, Value x, Value y) {
                           return greater(nested, at, graphType, x, y);
                         });
  auto rowLoop = scf::ForOp::create(
      b, loc, zero, lowering.index(to[0]), one,
      ValueRange{lowering.empty(to, getElementTypeOrSelf(input.getType())),
                 lowering.empty(to, indexType)},
      [&](OpBuilder &rb, Location rl, Value row, ValueRange tensors) {
        auto take = scf::ForOp::create(
            rb, rl, zero, count, one, tensors,
            [&](OpBuilder &nb, Location nl, Value place, ValueRange state) {
              Value number = tensor::ExtractOp::create(nb, nl, order,
                                                       ValueRange{row, place});
              Value i =
                  arith::IndexCastOp::create(nb, nl, nb.getIndexType(), number);
              Value element =
                  tensor::ExtractOp::create(nb, nl, input, ValueRange{row, i});
              Value values = tensor::InsertOp::create(nb, nl, element, state[0],
                                                      ValueRange{row, place});
              Value indices = tensor::InsertOp::create(
                  nb, nl, fromIndex(nb, nl, i, indexType), state[1],
                  ValueRange{row, place});
              scf::YieldOp::create(nb, nl, ValueRange{values, indices});
            });
        scf::YieldOp::create(rb, rl, take.getResults());
      });
  return {rowLoop.getResult(0), rowLoop.getResult(1)};
}

LogicalResult TopKOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  if (!elementsOrNull(shapes, getK(), 1)[0]) {
    Value given = lowering.element(getK(), 0), zero = lowering.constantIndex(0);
    require(lowering, loc,
            b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge, given,
                                          zero),
            "k is negative");
    lowering.bindDim(getValues(), from.size() - 1,
                     b.createOrFold<arith::MaxSIOp>(loc, given, zero));
  }
  ArrayRef<AffineExpr> to = shapes.dims(getValues());
  AffineExpr rows = shapes.product(from.drop_back());
  Value size = lowering.index(from.back()), k = lowering.index(to.back());
  if (!ShapeContext::asConstant(from.back()) ||
      !ShapeContext::asConstant(to.back()))
    require(
        lowering, loc,
        b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sle, k, size),
        "k is larger than the last dimension");
  Value input = reshapeTo(lowering, loc, lowering.get(getInput()), from,
                          {rows, from.back()});
  Dims flat{rows, to.back()};
  Type graphType = getElementTypeOrSelf(getInput().getType()),
       indexType =
           LoweringContext::type(getIndices().getType()).getElementType();
  std::optional<int64_t> known = ShapeContext::asConstant(to.back());
  auto [values, indices] = (known && *known <= kFew ? pickFew : pickSorted)(
      lowering, loc, graphType, input, {rows, from.back()}, flat, indexType);
  lowering.set(getValues(), reshapeTo(lowering, loc, values, flat, to));
  lowering.set(getIndices(), reshapeTo(lowering, loc, indices, flat, to));
  return success();
}

//===----------------------------------------------------------------------===//
// nonzero
//===----------------------------------------------------------------------===//

LogicalResult NonzeroOp::inferShapes(ShapeContext &shapes) {
  int64_t rank = shapes.dims(getInput()).size();
  shapes.setDims(getResult(),
                 {shapes.freshSymbol(getResult(), 0), shapes.constant(rank)});
  return success();
}

LogicalResult NonzeroOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  AffineExpr total = shapes.product(from);
  Value input = reshapeTo(lowering, loc, lowering.get(getInput()), from, total);
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1),
        size = lowering.index(total);
  auto isNonzero = [&](OpBuilder &nested, Location at, Value i) -> Value {
    Value element = tensor::ExtractOp::create(nested, at, input, i);
    Value isZero =
        same(nested, at, element, zeroOf(nested, at, element.getType()));
    return arith::XOrIOp::create(
        nested, at, isZero, arith::ConstantIntOp::create(nested, at, 1, 1));
  };
  auto count = scf::ForOp::create(
      b, loc, zero, size, one, zero,
      [&](OpBuilder &nested, Location at, Value i, ValueRange state) {
        Value next = add(nested, at, state[0], one);
        scf::YieldOp::create(
            nested, at,
            select(nested, at, isNonzero(nested, at, i), next, state[0]));
      });
  lowering.bindDim(getResult(), 0, count.getResult(0));
  Type type = LoweringContext::type(getResult().getType()).getElementType();
  SmallVector<Value> sizes;
  for (AffineExpr dim : from)
    sizes.push_back(lowering.index(dim));
  auto fill = scf::ForOp::create(
      b, loc, zero, size, one, ValueRange{lowering.empty(getResult()), zero},
      [&](OpBuilder &nested, Location at, Value i, ValueRange state) {
        auto write = scf::IfOp::create(
            nested, at, isNonzero(nested, at, i),
            [&](OpBuilder &inner, Location where) {
              Value tensor = state[0], rest = i;
              for (size_t d = sizes.size(); d-- > 0;) {
                Value index =
                    arith::RemUIOp::create(inner, where, rest, sizes[d]);
                rest = arith::DivUIOp::create(inner, where, rest, sizes[d]);
                tensor = tensor::InsertOp::create(
                    inner, where, fromIndex(inner, where, index, type), tensor,
                    ValueRange{state[1], constantIndex(inner, where, d)});
              }
              scf::YieldOp::create(
                  inner, where,
                  ValueRange{tensor, add(inner, where, state[1], one)});
            },
            [&](OpBuilder &inner, Location where) {
              scf::YieldOp::create(inner, where, state);
            });
        scf::YieldOp::create(nested, at, write.getResults());
      });
  lowering.set(getResult(), fill.getResult(0));
  return success();
}

//===----------------------------------------------------------------------===//
// unique
//===----------------------------------------------------------------------===//

LogicalResult UniqueOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getInput(), 1, "operand")))
    return failure();
  AffineExpr count = shapes.freshSymbol(getValues(), 0);
  shapes.setDims(getValues(), count);
  shapes.copyDims(getIndex(), getInput());
  shapes.setDims(getCount(), count);
  return success();
}

LogicalResult UniqueOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value input = lowering.get(getInput());
  AffineExpr total = lowering.shapes.dim(getInput(), 0);
  Type type = getElementTypeOrSelf(input.getType()),
       indexType = LoweringContext::type(getIndex().getType()).getElementType(),
       countType = LoweringContext::type(getCount().getType()).getElementType();
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1),
        minusOne = lowering.constantIndex(-1), size = lowering.index(total);
  auto loop = scf::ForOp::create(
      b, loc, zero, size, one,
      ValueRange{lowering.empty(total, type), lowering.empty(total, indexType),
                 lowering.empty(total, countType), zero},
      [&](OpBuilder &nested, Location at, Value i, ValueRange state) {
        Value element = tensor::ExtractOp::create(nested, at, input, i);
        auto search = scf::ForOp::create(
            nested, at, zero, state[3], one, minusOne,
            [&](OpBuilder &inner, Location where, Value j, ValueRange found) {
              Value known =
                  tensor::ExtractOp::create(inner, where, state[0], j);
              scf::YieldOp::create(inner, where,
                                   select(inner, where,
                                          same(inner, where, known, element), j,
                                          found[0]));
            });
        Value isNew = less(nested, at, search.getResult(0), zero);
        Value place = select(nested, at, isNew, state[3], search.getResult(0));
        Value values =
            tensor::InsertOp::create(nested, at, element, state[0], place);
        Value index = tensor::InsertOp::create(
            nested, at, fromIndex(nested, at, place, indexType), state[1], i);
        Value before =
            select(nested, at, isNew, zeroOf(nested, at, countType),
                   tensor::ExtractOp::create(nested, at, state[2], place));
        Value unit = arith::ConstantIntOp::create(
            nested, at, 1, countType.getIntOrFloatBitWidth());
        Value counts = tensor::InsertOp::create(
            nested, at, arith::AddIOp::create(nested, at, before, unit),
            state[2], place);
        Value count =
            select(nested, at, isNew, add(nested, at, state[3], one), state[3]);
        scf::YieldOp::create(nested, at,
                             ValueRange{values, index, counts, count});
      });
  lowering.bindDim(getValues(), 0, loop.getResult(3));
  OpFoldResult begin = b.getIndexAttr(0), step = b.getIndexAttr(1);
  for (auto [result, tensor] : {std::pair(getValues(), loop.getResult(0)),
                                std::pair(getCount(), loop.getResult(2))})
    lowering.set(result,
                 sliceAt(b, loc, LoweringContext::type(result.getType()),
                         tensor, begin, lowering.sizes(result), step));
  lowering.set(getIndex(), loop.getResult(1));
  return success();
}
