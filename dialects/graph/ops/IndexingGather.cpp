// Ops of Indexing.td that read at indices from another tensor.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"

using namespace mlir;
using namespace tenon::graph;

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

//===----------------------------------------------------------------------===//
// gather
//===----------------------------------------------------------------------===//

/// The axis and batch_dims from 0 up; fails when they don't fit the operands.
static LogicalResult gatherAxes(GatherOp op, ShapeContext &shapes,
                                int64_t &axis, int64_t &batch) {
  int64_t rank = shapes.dims(op.getInput()).size(),
          indexRank = shapes.dims(op.getIndices()).size();
  FailureOr<int64_t> normalized = normalizeAxis(op, op.getAxis(), rank);
  if (failed(normalized))
    return failure();
  axis = *normalized;
  batch = op.getBatchDims();
  if (batch < 0)
    batch += indexRank;
  if (batch < 0 || batch > indexRank || batch > axis)
    return op.emitOpError()
           << "batch_dims " << op.getBatchDims() << " does not fit axis "
           << axis << " and indices of rank " << indexRank;
  for (int64_t i = 0; i < batch; ++i)
    if (failed(expectSame(op, shapes.dim(op.getInput(), i),
                          shapes.dim(op.getIndices(), i), "batch dimensions")))
      return failure();
  return success();
}

LogicalResult GatherOp::inferShapes(ShapeContext &shapes) {
  int64_t axis, batch;
  if (failed(gatherAxes(*this, shapes, axis, batch)))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       indices = shapes.dims(getIndices());
  Dims dims(from.take_front(axis));
  llvm::append_range(dims, indices.drop_front(batch));
  llvm::append_range(dims, from.drop_front(axis + 1));
  shapes.setDims(getResult(), dims);
  auto positions = shapes.constants(getIndices());
  auto sizes = constantDims(shapes, getIndices());
  if (!positions || !sizes)
    return success();
  setContentsFrom(
      shapes, getResult(), getInput(), [&](ArrayRef<int64_t> index) {
        int64_t linear = 0, i = 0;
        for (; i < batch; ++i)
          linear = linear * (*sizes)[i] + index[i];
        for (; i < int64_t(sizes->size()); ++i)
          linear = linear * (*sizes)[i] + index[axis - batch + i];
        SmallVector<int64_t> at(index.take_front(axis));
        at.push_back((*positions)[linear]);
        llvm::append_range(at, index.drop_front(axis + sizes->size() - batch));
        return std::optional(at);
      });
  return success();
}

LogicalResult GatherOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  int64_t axis, batch;
  if (failed(gatherAxes(*this, shapes, axis, batch)))
    return failure();
  Value input = lowering.get(getInput());
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       at = shapes.dims(getIndices());
  Dims conforming(at);
  llvm::copy(from.take_front(batch), conforming.begin());
  Value indices = conform(lowering, loc, lowering.get(getIndices()), at,
                          conforming, "batch dimensions differ");
  Type graphType = elementOf(getIndices());
  Value size = lowering.index(from[axis]), zero = lowering.constantIndex(0),
        last = sub(b, loc, size, lowering.constantIndex(1));
  auto known = shapes.constants(getIndices());
  std::optional<int64_t> knownSize = ShapeContext::asConstant(from[axis]);
  bool safe = known && knownSize && llvm::all_of(*known, [&](int64_t i) {
                return i >= 0 && i < *knownSize;
              });
  if (!safe)
    require(lowering, loc,
            allOf(lowering, loc, indices,
                  [&](OpBuilder &nested, Location where, Value element,
                      ValueRange) {
                    return inRange(nested, where,
                                   toIndex(nested, where, element, graphType),
                                   size);
                  }),
            "index is out of range");
  int64_t rank = shapes.dims(getResult()).size();
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i < int64_t(at.size()); ++i)
    read.push_back(b.getAffineDimExpr(i < batch ? i : axis + i - batch));
  int64_t inserted = at.size() - batch;
  lowering.set(
      getResult(),
      lowering.generic(
          loc, getResult(), indices,
          AffineMap::get(rank, 0, read, b.getContext()),
          [&](OpBuilder &nested, Location where, ValueRange v) {
            SmallVector<Value> position;
            for (int64_t i = 0; i < axis; ++i)
              position.push_back(linalg::IndexOp::create(nested, where, i));
            Value index = toIndex(nested, where, v[0], graphType);
            position.push_back(
                safe ? index : clampIndex(nested, where, index, zero, last));
            for (int64_t i = axis + inserted; i < rank; ++i)
              position.push_back(linalg::IndexOp::create(nested, where, i));
            return tensor::ExtractOp::create(nested, where, input, position)
                .getResult();
          }));
  return success();
}

//===----------------------------------------------------------------------===//
// gather_nd
//===----------------------------------------------------------------------===//

LogicalResult GatherNdOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       indices = shapes.dims(getIndices());
  if (indices.empty())
    return emitOpError("indices are a scalar, expected index vectors");
  std::optional<int64_t> depth = ShapeContext::asConstant(indices.back());
  if (!depth)
    return emitOpError("the length of index vectors is not known at compile "
                       "time");
  int64_t batch = getBatchDims();
  if (batch < 0 || batch >= int64_t(indices.size()) ||
      batch + *depth > int64_t(from.size()))
    return emitOpError() << "index vectors of length " << *depth << " with "
                         << batch << " batch dimensions do not fit shape "
                         << shapeString(from);
  for (int64_t i = 0; i < batch; ++i)
    if (failed(expectSame(*this, from[i], indices[i], "batch dimensions")))
      return failure();
  Dims dims(indices.drop_back());
  llvm::append_range(dims, from.drop_front(batch + *depth));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult GatherNdOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       at = shapes.dims(getIndices());
  int64_t depth = *ShapeContext::asConstant(at.back()), batch = getBatchDims(),
          outer = at.size() - 1;
  Value input = lowering.get(getInput());
  Dims conforming(at);
  llvm::copy(from.take_front(batch), conforming.begin());
  Value indices = conform(lowering, loc, lowering.get(getIndices()), at,
                          conforming, "batch dimensions differ");
  Type graphType = elementOf(getIndices());
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  SmallVector<Value> sizes, lasts;
  for (AffineExpr dim : from.slice(batch, depth)) {
    sizes.push_back(lowering.index(dim));
    lasts.push_back(sub(b, loc, sizes.back(), one));
  }
  if (depth > 0)
    require(lowering, loc,
            allOf(lowering, loc, indices,
                  [&](OpBuilder &nested, Location where, Value element,
                      ValueRange position) {
                    Value size = sizes[0];
                    for (int64_t i = 1; i < depth; ++i)
                      size = select(nested, where,
                                    equal(nested, where, position.back(),
                                          constantIndex(nested, where, i)),
                                    sizes[i], size);
                    return inRange(nested, where,
                                   toIndex(nested, where, element, graphType),
                                   size);
                  }),
            "index is out of range");
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location where, ValueRange loops) {
            SmallVector<Value> vector(loops.take_front(outer)),
                position(loops.take_front(batch));
            for (int64_t i = 0; i < depth; ++i) {
              vector.push_back(constantIndex(nested, where, i));
              Value element =
                  tensor::ExtractOp::create(nested, where, indices, vector);
              vector.pop_back();
              position.push_back(clampIndex(
                  nested, where, toIndex(nested, where, element, graphType),
                  zero, lasts[i]));
            }
            llvm::append_range(position, loops.drop_front(outer));
            return tensor::ExtractOp::create(nested, where, input, position)
                .getResult();
          }));
  return success();
}

//===----------------------------------------------------------------------===//
// one_hot
//===----------------------------------------------------------------------===//

LogicalResult OneHotOp::inferShapes(ShapeContext &shapes) {
  for (auto [value, name] :
       {std::pair(getDepth(), "depth"), std::pair(getOn(), "on"),
        std::pair(getOff(), "off")})
    if (failed(expectScalar(*this, shapes, value, name)))
      return failure();
  Dims dims(shapes.dims(getIndices()));
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size() + 1);
  if (failed(axis))
    return failure();
  AffineExpr depth = elementsOrNull(shapes, getDepth(), 1)[0];
  if (std::optional<int64_t> known = ShapeContext::asConstant(depth);
      known && *known < 0)
    return emitOpError() << "depth is " << *known;
  dims.insert(dims.begin() + *axis,
              depth ? depth : shapes.freshSymbol(getResult(), *axis));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult OneHotOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  int64_t rank = lowering.shapes.dims(getResult()).size();
  int64_t axis = wrapAxis(getAxis(), rank);
  if (!elementsOrNull(lowering.shapes, getDepth(), 1)[0])
    lowering.bindDim(
        getResult(), axis,
        b.createOrFold<arith::MaxSIOp>(loc, lowering.element(getDepth(), 0),
                                       lowering.constantIndex(0)));
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      read.push_back(b.getAffineDimExpr(i));
  AffineMap once = AffineMap::get(rank, 0, b.getContext());
  Type graphType = elementOf(getIndices());
  lowering.set(getResult(),
               lowering.generic(
                   loc, getResult(),
                   {lowering.get(getIndices()), lowering.get(getOn()),
                    lowering.get(getOff())},
                   {AffineMap::get(rank, 0, read, b.getContext()), once, once},
                   [&](OpBuilder &nested, Location at, ValueRange v) {
                     Value place = linalg::IndexOp::create(nested, at, axis);
                     Value hit = equal(nested, at, place,
                                       toIndex(nested, at, v[0], graphType));
                     return select(nested, at, hit, v[1], v[2]);
                   }));
  return success();
}
