#include "dialects/graph/ops/Random.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/RandomSupport.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult tenon::graph::expectCount(Operation *op, ShapeContext &shapes,
                                        Value value, int64_t count,
                                        StringRef name) {
  auto known = ShapeContext::asConstant(shapes.product(shapes.dims(value)));
  if (!known || *known == count)
    return success();
  return op->emitOpError() << name << " has shape "
                           << shapeString(shapes.dims(value)) << ", expected "
                           << count << " elements";
}

static LogicalResult inferRandom(Operation *op, ShapeContext &shapes,
                                 Value shape, Value key, Value counter) {
  FailureOr<int64_t> rank = vectorLength(op, shapes, shape, "shape");
  if (failed(rank) || failed(expectCount(op, shapes, key, 1, "key")) ||
      failed(expectCount(op, shapes, counter, 2, "counter")))
    return failure();
  Dims dims = elementsOrNull(shapes, shape, *rank);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!dim)
      dim = shapes.freshSymbol(op->getResult(0), i);
    if (std::optional<int64_t> size = ShapeContext::asConstant(dim);
        size && *size < 0)
      return op->emitOpError() << "size " << *size << " is negative";
  }
  shapes.setDims(op->getResult(0), dims);
  return success();
}

LogicalResult RandomUniformOp::inferShapes(ShapeContext &shapes) {
  return inferRandom(*this, shapes, getShape(), getKey(), getCounter());
}
LogicalResult RandomNormalOp::inferShapes(ShapeContext &shapes) {
  return inferRandom(*this, shapes, getShape(), getKey(), getCounter());
}
LogicalResult RandomTruncatedNormalOp::inferShapes(ShapeContext &shapes) {
  return inferRandom(*this, shapes, getShape(), getKey(), getCounter());
}
LogicalResult RandomUniformIntOp::inferShapes(ShapeContext &shapes) {
  unsigned width =
      getElementTypeOrSelf(getResult().getType()).getIntOrFloatBitWidth();
  if (width != 32 && width != 64)
    return emitOpError() << "makes integers of 32 or 64 bits, not of " << width;
  return inferRandom(*this, shapes, getShape(), getKey(), getCounter());
}
LogicalResult RandomKeyOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectCount(*this, shapes, getSeed(), 2, "seed")))
    return failure();
  shapes.setDims(getKey(), shapes.constant(1));
  shapes.setDims(getCounter(), shapes.constant(2));
  return success();
}
LogicalResult RandomSkipOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectCount(*this, shapes, getCounter(), 2, "counter")) ||
      failed(vectorLength(*this, shapes, getShape(), "shape")))
    return failure();
  shapes.setDims(getResult(), shapes.constant(2));
  return success();
}

//===----------------------------------------------------------------------===//
// The generator
//===----------------------------------------------------------------------===//

namespace {
/// One block of Philox 4x32-10: counter and key, or its four numbers (i32).
struct GeneratorBlock {
  SmallVector<Scalar, 4> counter;
  SmallVector<Scalar, 2> key;
};
} // namespace

Scalar tenon::graph::shiftRight(const Scalar &x, unsigned distance) {
  return x.apply<arith::ShRUIOp>(x.bits(distance));
}
static Scalar truncated(const Scalar &x, unsigned width) {
  return x.wrap(
      arith::TruncIOp::create(x.b(), x.at(), x.b().getIntegerType(width), x));
}
static Scalar extended(const Scalar &x) {
  return x.wrap(arith::ExtUIOp::create(x.b(), x.at(), x.b().getI64Type(), x));
}
static Scalar exclusiveOr(const Scalar &x, const Scalar &y) {
  return x.apply<arith::XOrIOp>(y);
}

static SmallVector<Scalar, 2> halves(const Scalar &wide) {
  return {truncated(wide, 32), truncated(shiftRight(wide, 32), 32)};
}
static Scalar joined(const Scalar &low, const Scalar &high) {
  Scalar wide = extended(high);
  return extended(low) | wide.apply<arith::ShLIOp>(wide.bits(32));
}

/// The four numbers of a block.
static SmallVector<Scalar, 4> philox(GeneratorBlock block) {
  SmallVector<Scalar, 4> c = block.counter;
  for (int round = 0; round < 10; ++round) {
    auto multiply = [](const Scalar &x, uint64_t by) {
      Scalar wide = extended(x);
      return halves(wide * wide.bits(by));
    };
    SmallVector<Scalar, 2> first = multiply(c[0], 0xD2511F53),
                           second = multiply(c[2], 0xCD9E8D57);
    c = {exclusiveOr(exclusiveOr(second[1], c[1]), block.key[0]), second[0],
         exclusiveOr(exclusiveOr(first[1], c[3]), block.key[1]), first[0]};
    block.key[0] = block.key[0] + block.key[0].bits(0x9E3779B9);
    block.key[1] = block.key[1] + block.key[1].bits(0xBB67AE85);
  }
  return c;
}

SmallVector<Scalar, 4> GeneratorState::at(const Scalar &distance) const {
  Scalar start = distance.wrap(low), sum = start + distance;
  Scalar carry = extended(distance.wrap(arith::CmpIOp::create(
      distance.b(), distance.at(), arith::CmpIPredicate::ult, sum, start)));
  SmallVector<Scalar, 4> counter = halves(sum);
  counter.append(halves(distance.wrap(high) + carry));
  return philox({counter, halves(distance.wrap(key))});
}

static Value extractAt(LoweringContext &lowering, Value graphValue,
                       int64_t position) {
  Value tensor = lowering.get(graphValue);
  SmallVector<Value> indices(cast<RankedTensorType>(tensor.getType()).getRank(),
                             lowering.constantIndex(position));
  return tensor::ExtractOp::create(lowering.builder, graphValue.getLoc(),
                                   tensor, indices);
}

GeneratorState GeneratorState::of(LoweringContext &lowering, Value key,
                                  Value counter) {
  return {extractAt(lowering, key, 0), extractAt(lowering, counter, 0),
          extractAt(lowering, counter, 1)};
}

/// Lowers an op of `shape`: `element` makes a scalar from its row-major
/// position (i64).
static void generateRandom(LoweringContext &lowering, Operation *op,
                           Value shape,
                           function_ref<Value(const Scalar &)> element) {
  Value result = op->getResult(0);
  Location loc = op->getLoc();
  int64_t rank = lowering.shapes.dims(result).size();
  Dims known = elementsOrNull(lowering.shapes, shape, rank);
  for (int64_t i = 0; i < rank; ++i) {
    if (known[i])
      continue;
    Value size = lowering.element(shape, i);
    require(lowering, loc,
            arith::CmpIOp::create(lowering.builder, loc,
                                  arith::CmpIPredicate::sge, size,
                                  lowering.constantIndex(0)),
            "a size is negative");
    lowering.bindDim(result, i, size);
  }
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < rank; ++i)
    sizes.push_back(lowering.dimIndex(result, i));
  lowering.set(
      result,
      lowering.generate(
          loc, result, [&](OpBuilder &b, Location at, ValueRange indices) {
            Value position = arith::ConstantIndexOp::create(b, at, 0);
            for (auto [index, size] : llvm::zip(indices, sizes))
              position = arith::AddIOp::create(
                  b, at, arith::MulIOp::create(b, at, position, size), index);
            return element(
                {b, at,
                 arith::IndexCastOp::create(b, at, b.getI64Type(), position)});
          }));
}

Scalar tenon::graph::choose(const Scalar &index, ArrayRef<Scalar> values) {
  Scalar result = values[0];
  for (size_t i = 1; i < values.size(); ++i)
    result = select(index == static_cast<double>(i), values[i], result);
  return result;
}

//===----------------------------------------------------------------------===//
// Uniform numbers
//===----------------------------------------------------------------------===//

/// Bits become the fraction of a number between 1 and 2, less 1.
Scalar tenon::graph::uniformFloat(const Scalar &bits) {
  Scalar mantissa = bits & bits.bits(0x7fffff);
  return (mantissa | bits.bits(0x3f800000)).bitcast(bits.b().getF32Type()) - 1;
}
Scalar tenon::graph::uniformDouble(const Scalar &high, const Scalar &low) {
  Scalar mantissa = joined(low, high & high.bits(0xfffff));
  return (mantissa | mantissa.bits(uint64_t(1023) << 52))
             .bitcast(high.b().getF64Type()) -
         1;
}
/// A half float has few bits of its own; taken from the low end.
static Scalar uniformHalf(const Scalar &bits, FloatType type) {
  unsigned fraction = type.isBF16() ? 7 : 10;
  uint64_t one = type.isBF16() ? 127 << 7 : 15 << 10;
  Scalar low = truncated(bits, 16);
  Scalar mantissa = low & low.bits((1 << fraction) - 1);
  Scalar number = (mantissa | low.bits(one)).bitcast(type);
  return (number.toFloat(bits.b().getF32Type()) - 1).toFloat(type);
}

LogicalResult RandomUniformOp::lowerToLinalg(LoweringContext &lowering) {
  GeneratorState state = GeneratorState::of(lowering, getKey(), getCounter());
  auto type = cast<FloatType>(getElementTypeOrSelf(getResult().getType()));
  generateRandom(lowering, *this, getShape(), [&](const Scalar &i) -> Value {
    if (type.isF64()) {
      SmallVector<Scalar, 4> block = state.at(shiftRight(i, 1));
      Scalar second = i & i.bits(1);
      return uniformDouble(choose(second, {block[0], block[2]}),
                           choose(second, {block[1], block[3]}));
    }
    Scalar bits = choose(i & i.bits(3), state.at(shiftRight(i, 2)));
    return type.isF32() ? uniformFloat(bits) : uniformHalf(bits, type);
  });
  return success();
}

LogicalResult RandomUniformIntOp::lowerToLinalg(LoweringContext &lowering) {
  GeneratorState state = GeneratorState::of(lowering, getKey(), getCounter());
  Value low = extractAt(lowering, getLow(), 0),
        high = extractAt(lowering, getHigh(), 0);
  bool wide = low.getType().isInteger(64);
  generateRandom(lowering, *this, getShape(), [&](const Scalar &i) -> Value {
    SmallVector<Scalar, 4> block = state.at(shiftRight(i, wide ? 1 : 2));
    Scalar bits = block[0];
    if (wide) {
      Scalar second = i & i.bits(1);
      bits = joined(choose(second, {block[0], block[2]}),
                    choose(second, {block[1], block[3]}));
    } else {
      bits = choose(i & i.bits(3), block);
    }
    Scalar start = i.wrap(low), range = i.wrap(high) - start;
    Scalar safe = select(range == 0, range.constant(1), range);
    return start + bits.apply<arith::RemUIOp>(safe);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Normal numbers
//===----------------------------------------------------------------------===//

/// Two independent normal numbers from two uniform ones. Single numbers are
/// those that TensorFlow computes with the C library's functions, whose results
/// are rounded once: doubles rounded in between.
static SmallVector<Scalar, 2> boxMuller(Scalar first, const Scalar &second) {
  first = select(first < 1e-7, first.constant(1e-7), first);
  Type type = first.type(), wide = first.b().getF64Type();
  auto rounded = [&](const Scalar &x) { return x.toFloat(type).toFloat(wide); };
  Scalar angle =
      rounded(6.283185307179586476925286766559 * second.toFloat(wide));
  Scalar squared = (-2.0 * rounded(log(first.toFloat(wide)))).toFloat(type);
  Scalar radius = squared.sqrt();
  return {sin(angle).toFloat(type) * radius, cos(angle).toFloat(type) * radius};
}

LogicalResult RandomNormalOp::lowerToLinalg(LoweringContext &lowering) {
  GeneratorState state = GeneratorState::of(lowering, getKey(), getCounter());
  auto type = cast<FloatType>(getElementTypeOrSelf(getResult().getType()));
  generateRandom(lowering, *this, getShape(), [&](const Scalar &i) -> Value {
    Scalar odd = i & i.bits(1);
    if (type.isF64()) {
      SmallVector<Scalar, 4> block = state.at(shiftRight(i, 1));
      return choose(odd, boxMuller(uniformDouble(block[0], block[1]),
                                   uniformDouble(block[2], block[3])));
    }
    SmallVector<Scalar, 4> block = state.at(shiftRight(i, 2));
    Scalar pair = shiftRight(i, 1) & i.bits(1);
    Scalar number = choose(
        odd, boxMuller(uniformFloat(choose(pair, {block[0], block[2]})),
                       uniformFloat(choose(pair, {block[1], block[3]}))));
    return number.toFloat(type);
  });
  return success();
}

/// A group of elements has its own stretch of the generator: pairs of normal
/// numbers are drawn from it until enough of them are within bounds, so an
/// element repeats what the group's elements before it have drawn.
LogicalResult
RandomTruncatedNormalOp::lowerToLinalg(LoweringContext &lowering) {
  GeneratorState state = GeneratorState::of(lowering, getKey(), getCounter());
  auto type = cast<FloatType>(getElementTypeOrSelf(getResult().getType()));
  bool isDouble = type.isF64();
  unsigned groupBits = isDouble ? 1 : 2;
  generateRandom(lowering, *this, getShape(), [&](const Scalar &i) -> Value {
    OpBuilder &b = i.b();
    Location loc = i.at();
    Scalar group = shiftRight(i, groupBits),
           wanted = i & i.bits((1 << groupBits) - 1);
    // 256 numbers of 32 bits are reserved per element, four to a block.
    Scalar start = group * i.bits((256 << groupBits) / 4);
    Type number = isDouble ? b.getF64Type() : b.getF32Type();
    Value none = arith::ConstantOp::create(b, loc, b.getFloatAttr(number, 0));
    // Values of the loop: pairs drawn, numbers accepted, the last result.
    auto loop = scf::WhileOp::create(
        b, loc, TypeRange{b.getI64Type(), b.getI64Type(), number},
        ValueRange{i.constant(0), i.constant(0), none},
        [&](OpBuilder &nested, Location at, ValueRange v) {
          Scalar accepted(nested, at, v[1]);
          Scalar count = accepted.wrap(wanted);
          scf::ConditionOp::create(nested, at, accepted <= count, v);
        },
        [&](OpBuilder &nested, Location at, ValueRange v) {
          Scalar drawn(nested, at, v[0]), accepted = drawn.wrap(v[1]),
                                          result = drawn.wrap(v[2]);
          Scalar count = drawn.wrap(wanted);
          SmallVector<Scalar, 2> pair;
          Scalar first = drawn.wrap(start);
          if (isDouble) {
            SmallVector<Scalar, 4> block = state.at(first + drawn);
            pair = boxMuller(uniformDouble(block[0], block[1]),
                             uniformDouble(block[2], block[3]));
          } else {
            SmallVector<Scalar, 4> block =
                state.at(first + shiftRight(drawn, 1));
            Scalar second = drawn & drawn.bits(1);
            pair =
                boxMuller(uniformFloat(choose(second, {block[0], block[2]})),
                          uniformFloat(choose(second, {block[1], block[3]})));
          }
          for (const Scalar &candidate : pair) {
            Scalar inside = candidate.abs() < 2;
            result = select(inside & (accepted <= count), candidate, result);
            accepted = accepted + extended(inside);
          }
          scf::YieldOp::create(
              nested, at,
              ValueRange{drawn + drawn.constant(1), accepted, result});
        });
    return i.wrap(loop.getResult(2)).toFloat(type);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

static Value vectorOf(LoweringContext &lowering, Location loc,
                      ArrayRef<Value> elements) {
  return tensor::FromElementsOp::create(
      lowering.builder, loc,
      RankedTensorType::get(elements.size(), elements[0].getType()), elements);
}

LogicalResult RandomKeyOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  auto seed = [&](int64_t i) {
    Scalar word(b, getLoc(), extractAt(lowering, getSeed(), i));
    if (word.type().isInteger(64))
      return word;
    return word.wrap(arith::ExtSIOp::create(b, getLoc(), b.getI64Type(), word));
  };
  // The seeds are scrambled by the generator itself, under a fixed key.
  SmallVector<Scalar, 4> counter = halves(seed(0));
  counter.append(halves(seed(1)));
  SmallVector<Scalar, 4> mix = philox(
      {counter, {counter[0].bits(0x3ec8f720), counter[0].bits(0x02461e29)}});
  Scalar key = joined(mix[0], mix[1]);
  lowering.set(getKey(), vectorOf(lowering, getLoc(), {key}));
  lowering.set(
      getCounter(),
      vectorOf(lowering, getLoc(), {key.constant(0), joined(mix[2], mix[3])}));
  return success();
}

LogicalResult RandomSkipOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Scalar low(b, getLoc(), extractAt(lowering, getCounter(), 0)),
      high = low.wrap(extractAt(lowering, getCounter(), 1));
  Scalar distance = low.bits(256);
  int64_t rank = *ShapeContext::asConstant(lowering.shapes.dim(getShape(), 0));
  for (int64_t i = 0; i < rank; ++i)
    distance =
        distance *
        low.wrap(arith::IndexCastOp::create(b, getLoc(), b.getI64Type(),
                                            lowering.element(getShape(), i)));
  Scalar sum = low + distance;
  Scalar carry = extended(low.wrap(
      arith::CmpIOp::create(b, getLoc(), arith::CmpIPredicate::ult, sum, low)));
  lowering.set(getResult(), vectorOf(lowering, getLoc(), {sum, high + carry}));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Random.cpp.inc"

void GraphDialect::registerRandomOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Random.cpp.inc"
      >();
}
