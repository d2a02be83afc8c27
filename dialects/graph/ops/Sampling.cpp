#include "dialects/graph/ops/Sampling.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/RandomSupport.h"
#include "dialects/graph/ops/Reduce.h"

using namespace mlir;
using namespace tenon::graph;

LogicalResult RandomPermutationOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getCount(), "count")) ||
      failed(expectCount(*this, shapes, getKey(), 1, "key")) ||
      failed(expectCount(*this, shapes, getCounter(), 2, "counter")))
    return failure();
  AffineExpr count = elementsOrNull(shapes, getCount(), 1)[0];
  if (std::optional<int64_t> known = ShapeContext::asConstant(count);
      known && *known < 0)
    return emitOpError() << "count " << *known << " is negative";
  shapes.setDims(getResult(), count ? count : shapes.freshSymbol(getResult()));
  return success();
}

LogicalResult RandomPermutationOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  if (!elementsOrNull(lowering.shapes, getCount(), 1)[0])
    lowering.bindDim(
        getResult(), 0,
        b.createOrFold<arith::MaxSIOp>(loc, lowering.element(getCount(), 0),
                                       lowering.constantIndex(0)));
  GeneratorState state = GeneratorState::of(lowering, getKey(), getCounter());
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getResult());
  Type i64 = b.getI64Type();
  Value inOrder = parallelOver(
      lowering, loc, dims, i64, {}, {},
      [&](OpBuilder &nested, Location at, ValueRange) -> Value {
        return arith::IndexCastOp::create(
            nested, at, i64, linalg::IndexOp::create(nested, at, 0));
      });
  Value count = lowering.index(dims[0]), one = lowering.constantIndex(1);
  auto loop = scf::ForOp::create(
      b, loc, lowering.constantIndex(0), sub(b, loc, count, one), one, inOrder,
      [&](OpBuilder &nested, Location at, Value i, ValueRange carried) {
        Scalar number(nested, at,
                      arith::IndexCastOp::create(nested, at, i64, i));
        Scalar word =
            choose(number & number.bits(3), state.at(shiftRight(number, 2)));
        Value left = arith::TruncIOp::create(
            nested, at, nested.getI32Type(),
            arith::IndexCastOp::create(nested, at, i64,
                                       sub(nested, at, count, i)));
        Value step = arith::RemUIOp::create(nested, at, word, left);
        Value other = add(nested, at, i,
                          arith::IndexCastUIOp::create(
                              nested, at, nested.getIndexType(), step));
        Value x = tensor::ExtractOp::create(nested, at, carried[0], i),
              y = tensor::ExtractOp::create(nested, at, carried[0], other);
        Value swapped = tensor::InsertOp::create(nested, at, y, carried[0], i);
        swapped = tensor::InsertOp::create(nested, at, x, swapped, other);
        scf::YieldOp::create(nested, at, swapped);
      });
  lowering.set(getResult(), loop.getResult(0));
  return success();
}

//===----------------------------------------------------------------------===//
// non_max_suppression
//===----------------------------------------------------------------------===//

LogicalResult NonMaxSuppressionOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getBoxes(), 2, "boxes")) ||
      failed(expectRank(*this, shapes, getScores(), 1, "scores")) ||
      failed(expectSame(*this, shapes.dim(getBoxes(), 1), shapes.constant(4),
                        "numbers of a box and 4")) ||
      failed(expectSame(*this, shapes.dim(getBoxes(), 0),
                        shapes.dim(getScores(), 0), "boxes and scores")))
    return failure();
  for (Value number :
       {getLimit(), getOverlap(), getScoreThreshold(), getSigma()})
    if (failed(expectScalar(*this, shapes, number, "a limit")))
      return failure();
  AffineExpr count = shapes.freshSymbol(getChosen());
  shapes.setDims(getChosen(), count);
  shapes.setDims(getChosenScores(), count);
  return success();
}

namespace {
/// Corners of a box in order, and its size.
struct Box {
  Scalar top, left, bottom, right, area;

  static Box read(OpBuilder &b, Location loc, Value boxes, Value number) {
    auto corner = [&](int64_t i) {
      return Scalar(
          b, loc,
          tensor::ExtractOp::create(
              b, loc, boxes, ValueRange{number, constantIndex(b, loc, i)}));
    };
    auto ordered = [](const Scalar &x, const Scalar &y) {
      return std::pair(select(x < y, x, y), select(x < y, y, x));
    };
    auto [top, bottom] = ordered(corner(0), corner(2));
    auto [left, right] = ordered(corner(1), corner(3));
    return {top, left, bottom, right, (bottom - top) * (right - left)};
  }

  /// Intersection over union; 0 where there is no area.
  Scalar overlapWith(const Box &other) const {
    auto lesser = [](const Scalar &x, const Scalar &y) {
      return select(x < y, x, y);
    };
    auto greater = [](const Scalar &x, const Scalar &y) {
      return select(x < y, y, x);
    };
    Scalar zero = top.constant(0);
    Scalar height =
        greater(lesser(bottom, other.bottom) - greater(top, other.top), zero);
    Scalar width =
        greater(lesser(right, other.right) - greater(left, other.left), zero);
    Scalar common = height * width;
    Scalar none = (area <= 0) | (other.area <= 0);
    return select(none, zero, common / (area + other.area - common));
  }
};
} // namespace

LogicalResult NonMaxSuppressionOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  AffineExpr boxCount = shapes.dim(getBoxes(), 0);
  Value boxes = conform(lowering, loc, lowering.get(getBoxes()),
                        shapes.dims(getBoxes()), {boxCount, shapes.constant(4)},
                        "a box does not have four numbers"),
        scores = conform(lowering, loc, lowering.get(getScores()),
                         shapes.dims(getScores()), boxCount,
                         "there is not a score for each box");
  Value count = lowering.index(boxCount), zero = lowering.constantIndex(0),
        one = lowering.constantIndex(1);
  Value limit =
      clampIndex(b, loc, lowering.element(getLimit(), 0), zero, count);
  Value overlap = scalar(lowering, loc, getOverlap()),
        threshold = scalar(lowering, loc, getScoreThreshold()),
        sigma = scalar(lowering, loc, getSigma());
  Value lowest = arith::ConstantOp::create(
      b, loc,
      b.getFloatAttr(f32, APFloat::getInf(APFloat::IEEEsingle(), true)));
  auto buffer = [&](Type type) -> Value {
    return linalg::FillOp::create(b, loc, zeroOf(b, loc, type),
                                  lowering.empty(boxCount, type))
        .getResult(0);
  };
  // How many are chosen, what is left of the scores, the results.
  auto loop = scf::ForOp::create(
      b, loc, zero, limit, one,
      ValueRange{zero, scores, buffer(i32), buffer(f32)},
      [&](OpBuilder &nested, Location at, Value, ValueRange v) {
        auto best = scf::ForOp::create(
            nested, at, zero, count, one, ValueRange{lowest, zero},
            [&](OpBuilder &inner, Location where, Value i, ValueRange found) {
              Scalar score(inner, where,
                           tensor::ExtractOp::create(inner, where, v[1], i));
              Scalar better = score > score.wrap(found[0]);
              scf::YieldOp::create(
                  inner, where,
                  ValueRange{select(better, score, score.wrap(found[0])),
                             select(inner, where, better, i, found[1])});
            });
        Scalar score(nested, at, best.getResult(0));
        Value chosen = best.getResult(1);
        Scalar good = score > score.wrap(threshold);
        auto record = [&](Value tensor, Value value) -> Value {
          Value old = tensor::ExtractOp::create(nested, at, tensor, v[0]);
          return tensor::InsertOp::create(
              nested, at, select(nested, at, good, value, old), tensor, v[0]);
        };
        Value numbers = record(
                  v[2], arith::IndexCastOp::create(nested, at, i32, chosen)),
              values = record(v[3], score);
        Box selected = Box::read(nested, at, boxes, chosen);
        AffineMap identity = nested.getMultiDimIdentityMap(1);
        Value rest =
            linalg::GenericOp::create(
                nested, at, TypeRange{v[1].getType()}, ValueRange{}, v[1],
                identity, utils::IteratorType::parallel,
                [&](OpBuilder &inner, Location where, ValueRange element) {
                  Value i = linalg::IndexOp::create(inner, where, 0);
                  Scalar old(inner, where, element[0]);
                  Box other = Box::read(inner, where, boxes, i);
                  auto outer = [&](const Scalar &x) { return old.wrap(x); };
                  Box first{outer(selected.top), outer(selected.left),
                            outer(selected.bottom), outer(selected.right),
                            outer(selected.area)};
                  Scalar common = first.overlapWith(other),
                         none = old.wrap(lowest), spread = old.wrap(sigma);
                  Scalar soft = old * exp(-(common * common) / (2 * spread));
                  Scalar hard = select(common > old.wrap(overlap), none, old);
                  Scalar next = select(spread > 0, soft, hard);
                  next = select(old.wrap(equal(inner, where, i, chosen)), none,
                                next);
                  next = select(old.wrap(good), next, old);
                  linalg::YieldOp::create(inner, where, Value(next));
                })
                .getResult(0);
        Value more = add(nested, at, v[0],
                         arith::IndexCastUIOp::create(
                             nested, at, nested.getIndexType(), good));
        scf::YieldOp::create(nested, at,
                             ValueRange{more, rest, numbers, values});
      });
  lowering.bindDim(getChosen(), 0, loop.getResult(0));
  auto front = [&](Value tensor, Value result) {
    lowering.set(result, tensor::ExtractSliceOp::create(
                             b, loc, tensor, {b.getIndexAttr(0)},
                             lowering.sizes(result), {b.getIndexAttr(1)}));
  };
  front(loop.getResult(2), getChosen());
  front(loop.getResult(3), getChosenScores());
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Sampling.cpp.inc"

void GraphDialect::registerSamplingOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Sampling.cpp.inc"
      >();
}
