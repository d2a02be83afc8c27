#include "dialects/graph/ops/Shape.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// shape_of
//===----------------------------------------------------------------------===//

LogicalResult ShapeOfOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  shapes.setDims(getResult(), shapes.constant(dims.size()));
  shapes.setContents(getResult(), dims);
  return success();
}

LogicalResult ShapeOfOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  RankedTensorType type = LoweringContext::type(getResult().getType());
  SmallVector<Value> sizes;
  for (AffineExpr dim : lowering.shapes.dims(getInput()))
    sizes.push_back(
        fromIndex(b, getLoc(), lowering.index(dim), type.getElementType()));
  type = RankedTensorType::get(sizes.size(), type.getElementType());
  lowering.set(getResult(),
               tensor::FromElementsOp::create(b, getLoc(), type, sizes));
  return success();
}

//===----------------------------------------------------------------------===//
// reshape
//===----------------------------------------------------------------------===//

/// Contents of a result with the same elements in the same order.
static void keepContents(ShapeContext &shapes, Value result, Value source) {
  auto sizes = constantDims(shapes, source),
       resultSizes = constantDims(shapes, result);
  if (!sizes || !resultSizes)
    return;
  setContentsFrom(shapes, result, source, [&](ArrayRef<int64_t> index) {
    int64_t linear = 0;
    for (auto [i, size] : llvm::zip(index, *resultSizes))
      linear = linear * size + i;
    return std::optional(delinearize(linear, computeStrides(*sizes)));
  });
}

LogicalResult ReshapeOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getShape(), "shape");
  if (failed(rank))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims dims = elementsOrNull(shapes, getShape(), *rank), known;
  size_t unknown = 0, place = 0;
  bool rest = false;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    std::optional<int64_t> size = ShapeContext::asConstant(dim);
    if (size && *size < -1)
      return emitOpError() << "element " << i << " of shape is " << *size;
    if (size == -1) {
      if (rest)
        return emitOpError("more than one element of shape is -1");
      rest = true;
      dim = {};
    }
    if (dim) {
      known.push_back(dim);
      continue;
    }
    ++unknown;
    place = i;
  }
  if (unknown == 1)
    dims[place] = shapes.exactQuotient(from, known);
  std::optional<int64_t> total = ShapeContext::asConstant(shapes.product(from)),
                         part = ShapeContext::asConstant(shapes.product(known));
  bool fits =
      !total || !part ||
      (unknown == 0 ? *total == *part
                    : *total == 0 || (*part != 0 && *total % *part == 0));
  if (!fits) {
    InFlightDiagnostic error = emitOpError() << "cannot give " << *total
                                             << " elements the shape ";
    llvm::interleave(
        llvm::enumerate(dims),
        [&](auto dim) {
          std::optional<int64_t> size = ShapeContext::asConstant(dim.value());
          error << (size && (!unknown || dim.index() != place)
                        ? std::to_string(*size)
                        : "?");
        },
        [&] { error << "x"; });
    return error;
  }
  for (auto [i, dim] : llvm::enumerate(dims))
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
  shapes.setDims(getResult(), dims);
  keepContents(shapes, getResult(), getInput());
  return success();
}

LogicalResult ReshapeOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       to = shapes.dims(getResult());
  bool fits = ShapeContext::asConstant(shapes.exactQuotient(from, to)) == 1 ||
              shapes.product(from) == shapes.product(to);
  if (!fits) {
    // Sizes that only the shape operand knows, of which one may be -1.
    Value one = constantIndex(b, loc, 1), minusOne = constantIndex(b, loc, -1);
    Value total = lowering.index(shapes.product(from)), given = one,
          zero = constantIndex(b, loc, 0);
    SmallVector<Value> sizes(to.size());
    auto isOwn = [&](AffineExpr dim) {
      auto symbol = dyn_cast<AffineSymbolExpr>(dim);
      return symbol && shapes.origin(symbol.getPosition()).value == getResult();
    };
    for (auto [i, dim] : llvm::enumerate(to)) {
      sizes[i] =
          isOwn(dim) ? lowering.element(getShape(), i) : lowering.index(dim);
      Value isRest = equal(b, loc, sizes[i], minusOne);
      given = mul(b, loc, given, select(b, loc, isRest, one, sizes[i]));
    }
    Value divisor = b.createOrFold<arith::MaxSIOp>(loc, given, one);
    Value rest = b.createOrFold<arith::DivUIOp>(loc, total, divisor);
    for (auto [i, dim] : llvm::enumerate(to)) {
      Value isRest = equal(b, loc, sizes[i], minusOne);
      if (isOwn(dim))
        lowering.bindDim(
            getResult(), i,
            b.createOrFold<arith::MaxSIOp>(
                loc, zero, select(b, loc, isRest, rest, sizes[i])));
    }
  }
  Value input = lowering.get(getInput());
  if (!fits) {
    AffineExpr have = shapes.product(from), want = shapes.product(to);
    input = reshapeTo(lowering, loc, input, from, have);
    input = conform(lowering, loc, input, have, want,
                    "the shape does not fit the number of elements");
    input = reshapeTo(lowering, loc, input, want, to);
  } else {
    input = reshapeTo(lowering, loc, input, from, to);
  }
  lowering.set(getResult(), input);
  return success();
}

//===----------------------------------------------------------------------===//
// expand_dims, squeeze, ensure_shape
//===----------------------------------------------------------------------===//

LogicalResult ExpandDimsOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  int64_t rank = from.size() + getAxes().size();
  Dims dims(rank, AffineExpr());
  for (int64_t given : getAxes()) {
    FailureOr<int64_t> axis = normalizeAxis(*this, given, rank);
    if (failed(axis))
      return failure();
    if (dims[*axis])
      return emitOpError() << "axis " << *axis << " is given twice";
    dims[*axis] = shapes.constant(1);
  }
  for (AffineExpr &dim : dims)
    if (!dim) {
      dim = from.front();
      from = from.drop_front();
    }
  shapes.setDims(getResult(), dims);
  keepContents(shapes, getResult(), getInput());
  return success();
}

LogicalResult ExpandDimsOp::lowerToLinalg(LoweringContext &lowering) {
  lowering.set(getResult(),
               reshapeTo(lowering, getLoc(), lowering.get(getInput()),
                         lowering.shapes.dims(getInput()),
                         lowering.shapes.dims(getResult())));
  return success();
}

LogicalResult SqueezeOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  llvm::SmallBitVector removed(from.size());
  for (int64_t given : getAxes()) {
    FailureOr<int64_t> axis = normalizeAxis(*this, given, from.size());
    if (failed(axis))
      return failure();
    std::optional<int64_t> size = ShapeContext::asConstant(from[*axis]);
    if (size && *size != 1)
      return emitOpError() << "dimension " << *axis << " of shape "
                           << shapeString(from) << " is not 1";
    removed.set(*axis);
  }
  Dims dims;
  for (auto [i, dim] : llvm::enumerate(from))
    if (getAxes().empty() ? ShapeContext::asConstant(dim) != 1 : !removed[i])
      dims.push_back(dim);
  shapes.setDims(getResult(), dims);
  keepContents(shapes, getResult(), getInput());
  return success();
}

LogicalResult SqueezeOp::lowerToLinalg(LoweringContext &lowering) {
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims squeezed(from);
  for (int64_t axis : getAxes())
    squeezed[axis < 0 ? axis + from.size() : axis] = shapes.constant(1);
  Value value = conform(lowering, getLoc(), lowering.get(getInput()), from,
                        squeezed, "a squeezed dimension is not 1");
  lowering.set(getResult(), reshapeTo(lowering, getLoc(), value, squeezed,
                                      shapes.dims(getResult())));
  return success();
}

LogicalResult EnsureShapeOp::inferShapes(ShapeContext &shapes) {
  if (failed(
          expectRank(*this, shapes, getInput(), getShape().size(), "operand")))
    return failure();
  Dims dims(shapes.dims(getInput()));
  for (auto [dim, size] : llvm::zip(dims, getShape())) {
    if (size < 0)
      continue;
    if (failed(expectSame(*this, dim, shapes.constant(size),
                          "size and expected size")))
      return failure();
    dim = shapes.constant(size);
  }
  shapes.setDims(getResult(), dims);
  keepContents(shapes, getResult(), getInput());
  return success();
}

LogicalResult EnsureShapeOp::lowerToLinalg(LoweringContext &lowering) {
  lowering.set(getResult(),
               conform(lowering, getLoc(), lowering.get(getInput()),
                       lowering.shapes.dims(getInput()),
                       lowering.shapes.dims(getResult()),
                       "a size is not the expected one"));
  return success();
}

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  if (!isPermutationVector(getPermutation()) ||
      getPermutation().size() != from.size())
    return emitOpError() << "[" << getPermutation()
                         << "] is not a permutation of the dimensions of "
                         << shapeString(from);
  Dims dims;
  for (int64_t p : getPermutation())
    dims.push_back(from[p]);
  shapes.setDims(getResult(), dims);
  setContentsFrom(shapes, getResult(), getInput(),
                  [&](ArrayRef<int64_t> index) {
                    SmallVector<int64_t> at(index.size());
                    for (auto [i, p] : llvm::zip(index, getPermutation()))
                      at[p] = i;
                    return std::optional(at);
                  });
  return success();
}

LogicalResult TransposeOp::lowerToLinalg(LoweringContext &lowering) {
  lowering.set(getResult(),
               transposed(lowering.builder, getLoc(), lowering.get(getInput()),
                          getPermutation()));
  return success();
}

//===----------------------------------------------------------------------===//
// broadcast_to, tile
//===----------------------------------------------------------------------===//

LogicalResult BroadcastToOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getShape(), "shape");
  if (failed(rank))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims dims = elementsOrNull(shapes, getShape(), *rank);
  if (from.size() > dims.size())
    return emitOpError() << "cannot broadcast " << shapeString(from)
                         << " to rank " << *rank;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
    if (ShapeContext::asConstant(dim).value_or(0) < 0)
      return emitOpError() << "shape has a negative size: "
                           << shapeString(dims);
  }
  for (auto [have, want] :
       llvm::zip(from, ArrayRef(dims).take_back(from.size()))) {
    std::optional<int64_t> known = ShapeContext::asConstant(have),
                           wanted = ShapeContext::asConstant(want);
    if (known && wanted && *known != *wanted && *known != 1)
      return emitOpError() << "cannot broadcast " << shapeString(from) << " to "
                           << shapeString(dims);
  }
  shapes.setDims(getResult(), dims);
  setContentsFrom(shapes, getResult(), getInput(),
                  [&](ArrayRef<int64_t> index) {
                    SmallVector<int64_t> at(index.take_back(from.size()));
                    for (auto [i, size] : llvm::zip(at, from))
                      i = ShapeContext::asConstant(size) == 1 ? 0 : i;
                    return std::optional(at);
                  });
  return success();
}

LogicalResult BroadcastToOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value result = getResult();
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput()),
                       to = lowering.shapes.dims(result);
  auto contents = elementsOrNull(lowering.shapes, getShape(), to.size());
  for (auto [i, dim] : llvm::enumerate(contents))
    if (!dim)
      lowering.bindDim(result, i, lowering.element(getShape(), i));
  AffineMap map;
  if (Value value = broadcastOperand(lowering, getInput(), result, map)) {
    lowering.set(result, lowering.generic(loc, result, value, map,
                                          [](OpBuilder &, Location,
                                             ValueRange v) { return v[0]; }));
    return success();
  }
  // Whether a dimension is repeated is known by the run only.
  Value one = constantIndex(b, loc, 1), zero = constantIndex(b, loc, 0);
  SmallVector<Value> repeated;
  for (auto [have, want] : llvm::zip(from, to.take_back(from.size()))) {
    Value size = lowering.index(have);
    repeated.push_back(equal(b, loc, size, one));
    require(
        lowering, loc,
        b.createOrFold<arith::OrIOp>(loc, repeated.back(),
                                     equal(b, loc, size, lowering.index(want))),
        "a size does not broadcast to the shape");
  }
  Value input = lowering.get(getInput());
  lowering.set(
      result,
      lowering.generate(
          loc, result, [&](OpBuilder &nested, Location at, ValueRange indices) {
            SmallVector<Value> position;
            for (auto [index, once] :
                 llvm::zip(indices.take_back(from.size()), repeated))
              position.push_back(select(nested, at, once, zero, index));
            return tensor::ExtractOp::create(nested, at, input, position)
                .getResult();
          }));
  return success();
}

LogicalResult TileOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank =
      vectorLength(*this, shapes, getMultiples(), "multiples");
  if (failed(rank) ||
      failed(expectRank(*this, shapes, getInput(), *rank, "operand")))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims dims;
  for (auto [i, multiple] :
       llvm::enumerate(elementsOrNull(shapes, getMultiples(), *rank)))
    dims.push_back(multiple ? from[i] * multiple
                            : shapes.freshSymbol(getResult(), i));
  shapes.setDims(getResult(), dims);
  setContentsFrom(shapes, getResult(), getInput(),
                  [&](ArrayRef<int64_t> index) {
                    SmallVector<int64_t> at(index);
                    for (auto [i, size] : llvm::zip(at, from))
                      i %= *ShapeContext::asConstant(size);
                    return std::optional(at);
                  });
  return success();
}

LogicalResult TileOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Value result = getResult(), input = lowering.get(getInput());
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims multiples = elementsOrNull(shapes, getMultiples(), from.size());
  if (llvm::is_contained(multiples, AffineExpr())) {
    SmallVector<Value> sizes;
    Value zero = lowering.constantIndex(0);
    for (auto [i, dim] : llvm::enumerate(from)) {
      sizes.push_back(lowering.index(dim));
      if (multiples[i])
        continue;
      Value multiple = lowering.element(getMultiples(), i);
      require(lowering, loc,
              b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge,
                                            multiple, zero),
              "a multiple is negative");
      lowering.bindDim(result, i, mul(b, loc, sizes[i], multiple));
    }
    lowering.set(result,
                 lowering.generate(
                     loc, result,
                     [&](OpBuilder &nested, Location at, ValueRange indices) {
                       SmallVector<Value> position;
                       for (auto [index, size] : llvm::zip(indices, sizes))
                         position.push_back(
                             arith::RemUIOp::create(nested, at, index, size));
                       return tensor::ExtractOp::create(nested, at, input,
                                                        position)
                           .getResult();
                     }));
    return success();
  }
  // A loop per repeated dimension, which the operand is not indexed by.
  Dims dims;
  SmallVector<AffineExpr> read;
  for (auto [size, multiple] : llvm::zip(from, multiples)) {
    if (ShapeContext::asConstant(multiple) != 1)
      dims.push_back(multiple);
    read.push_back(b.getAffineDimExpr(dims.size()));
    dims.push_back(size);
  }
  Value destination =
      lowering.empty(dims, getElementTypeOrSelf(input.getType()));
  unsigned rank = dims.size();
  Value tiled =
      linalg::GenericOp::create(
          b, loc, TypeRange{destination.getType()}, ValueRange{input},
          ValueRange{destination},
          {AffineMap::get(rank, 0, read, b.getContext()),
           b.getMultiDimIdentityMap(rank)},
          SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
          [](OpBuilder &nested, Location at, ValueRange v) {
            linalg::YieldOp::create(nested, at, v[0]);
          })
          .getResult(0);
  lowering.set(result,
               reshapeTo(lowering, loc, tiled, dims, shapes.dims(result)));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Shape.cpp.inc"

void GraphDialect::registerShapeOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Shape.cpp.inc"
      >();
}
