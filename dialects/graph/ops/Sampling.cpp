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

#define GET_OP_CLASSES
#include "dialects/graph/ops/Sampling.cpp.inc"

void GraphDialect::registerSamplingOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Sampling.cpp.inc"
      >();
}
