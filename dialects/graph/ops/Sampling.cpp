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
// random_poisson
//===----------------------------------------------------------------------===//

LogicalResult RandomPoissonOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getShape(), "shape");
  if (failed(rank) || failed(expectCount(*this, shapes, getKey(), 1, "key")) ||
      failed(expectCount(*this, shapes, getCounter(), 2, "counter")))
    return failure();
  Dims dims = elementsOrNull(shapes, getShape(), *rank);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
    if (std::optional<int64_t> size = ShapeContext::asConstant(dim);
        size && *size < 0)
      return emitOpError() << "size " << *size << " is negative";
  }
  llvm::append_range(dims, shapes.dims(getRate()));
  shapes.setDims(getResult(), dims);
  return success();
}

namespace {
/// The uniform numbers of one element: blocks from the last number to the
/// first.
struct UniformNumbers {
  const GeneratorState &state;
  Scalar start; ///< block, i64
  Type type;

  Scalar at(const Scalar &number) const {
    bool wide = type.isF64();
    unsigned perBlock = wide ? 2 : 4;
    Scalar first = number.wrap(start);
    SmallVector<Scalar, 4> words =
        state.at(first + shiftRight(number, wide ? 1 : 2));
    Scalar place = number & number.bits(perBlock - 1);
    if (wide)
      return choose(place, {uniformDouble(words[2], words[3]),
                            uniformDouble(words[0], words[1])});
    std::reverse(words.begin(), words.end());
    return uniformFloat(choose(place, words));
  }
};

/// Knuth: how many uniform numbers have a product above exp(-rate).
Value knuth(OpBuilder &b, Location loc, const UniformNumbers &uniform,
            const Scalar &rate) {
  Scalar end = exp(-rate);
  Type i64 = b.getI64Type();
  Value none = arith::ConstantIntOp::create(b, loc, 0, 64);
  auto loop = scf::WhileOp::create(
      b, loc, TypeRange{i64, rate.type()}, ValueRange{none, rate.constant(1)},
      [&](OpBuilder &nested, Location at, ValueRange v) {
        Scalar drawn(nested, at, v[0]), product = drawn.wrap(v[1]);
        Scalar next = product * uniform.at(drawn);
        Scalar more = next > next.wrap(end);
        scf::ConditionOp::create(
            nested, at, more,
            ValueRange{select(more, drawn + drawn.constant(1), drawn), next});
      },
      [&](OpBuilder &nested, Location at, ValueRange v) {
        scf::YieldOp::create(nested, at, v);
      });
  return arith::SIToFPOp::create(b, loc, rate.type(), loop.getResult(0));
}

/// Hoermann: points under a curve around the distribution, until one is below
/// the distribution itself.
Value hoermann(OpBuilder &b, Location loc, const UniformNumbers &uniform,
               const Scalar &rate) {
  Scalar logRate = log(rate), wide = 0.931 + 2.53 * rate.sqrt();
  Scalar narrow = -0.059 + 0.02483 * wide;
  Scalar inverse = 1.1239 + 1.1328 / (wide - 3.4);
  Scalar sure = 0.9277 - 3.6224 / (wide - 2);
  Type i64 = b.getI64Type();
  Value none = arith::ConstantIntOp::create(b, loc, 0, 64);
  auto loop = scf::WhileOp::create(
      b, loc, TypeRange{i64, rate.type()}, ValueRange{none, rate.constant(0)},
      [&](OpBuilder &nested, Location at, ValueRange v) {
        Scalar drawn(nested, at, v[0]);
        Scalar u = uniform.at(drawn) - 0.5,
               height = uniform.at(drawn + drawn.constant(1));
        auto here = [&](const Scalar &x) { return drawn.wrap(x); };
        Scalar a = here(narrow), w = here(wide);
        Scalar left = 0.5 - u.abs();
        Scalar k = ((2 * a / left + w) * u + here(rate) + 0.43).floor();
        Scalar inside = (left >= 0.07) & (height <= here(sure));
        Scalar outside = (k < 0) | ((left < 0.013) & (height > left));
        Scalar density = log(height * here(inverse) / (a / (left * left) + w));
        Scalar wanted = k * here(logRate) - here(rate) - lgamma(k + 1);
        Scalar below = density <= wanted;
        Scalar yes = drawn.wrap(arith::ConstantIntOp::create(nested, at, 1, 1)),
               no = drawn.wrap(arith::ConstantIntOp::create(nested, at, 0, 1));
        Scalar accepted = select(inside, yes, select(outside, no, below));
        Scalar more = select(accepted, no, yes);
        scf::ConditionOp::create(nested, at, more,
                                 ValueRange{drawn + drawn.constant(2), k});
      },
      [&](OpBuilder &nested, Location at, ValueRange v) {
        scf::YieldOp::create(nested, at, v);
      });
  return loop.getResult(1);
}
} // namespace

LogicalResult RandomPoissonOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> rates = shapes.dims(getRate());
  int64_t rank = shapes.dims(getResult()).size() - rates.size();
  for (auto [i, dim] :
       llvm::enumerate(elementsOrNull(shapes, getShape(), rank)))
    if (!dim)
      lowering.bindDim(
          getResult(), i,
          b.createOrFold<arith::MaxSIOp>(loc, lowering.element(getShape(), i),
                                         lowering.constantIndex(0)));
  ArrayRef<AffineExpr> dims = shapes.dims(getResult());
  SmallVector<Value> sizes;
  for (AffineExpr dim : dims)
    sizes.push_back(lowering.index(dim));
  Value samples = lowering.index(shapes.product(dims.take_front(rank)));
  GeneratorState state = GeneratorState::of(lowering, getKey(), getCounter());
  Value given = lowering.get(getRate());
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) -> Value {
            auto flat = [&](size_t from, size_t to) {
              Value position = constantIndex(nested, at, 0);
              for (size_t i = from; i < to; ++i)
                position = add(nested, at, mul(nested, at, position, sizes[i]),
                               indices[i]);
              return position;
            };
            // Numbers are drawn for one rate after the other.
            Value number =
                add(nested, at,
                    mul(nested, at, flat(rank, indices.size()), samples),
                    flat(0, rank));
            Scalar place(nested, at,
                         arith::IndexCastOp::create(
                             nested, at, nested.getI64Type(), number));
            Scalar rate(nested, at,
                        tensor::ExtractOp::create(nested, at, given,
                                                  indices.drop_front(rank)));
            UniformNumbers uniform{state, place * place.bits(256), rate.type()};
            auto choice = scf::IfOp::create(
                nested, at, rate < 10,
                [&](OpBuilder &inner, Location where) {
                  scf::YieldOp::create(
                      inner, where,
                      knuth(inner, where, uniform, Scalar(inner, where, rate)));
                },
                [&](OpBuilder &inner, Location where) {
                  scf::YieldOp::create(inner, where,
                                       hoermann(inner, where, uniform,
                                                Scalar(inner, where, rate)));
                });
            return choice.getResult(0);
          }));
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
