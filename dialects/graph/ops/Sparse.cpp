#include "dialects/graph/ops/Sparse.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;
using namespace tenon::graph;

/// Dims of a sparse tensor's three parts fit each other.
static LogicalResult checkSparse(Operation *op, ShapeContext &shapes,
                                 Value indices, Value values, Value shape) {
  if (failed(expectRank(op, shapes, indices, 2, "indices")) ||
      failed(expectRank(op, shapes, values, 1, "values")) ||
      failed(expectRank(op, shapes, shape, 1, "shape")) ||
      failed(expectSame(op, shapes.dim(indices, 0), shapes.dim(values, 0),
                        "numbers of indices and values")))
    return failure();
  return expectSame(op, shapes.dim(indices, 1), shapes.dim(shape, 0),
                    "ranks of indices and shape");
}

LogicalResult SparseReshapeOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getIndices(), 2, "indices")) ||
      failed(expectRank(*this, shapes, getShape(), 1, "shape")) ||
      failed(expectRank(*this, shapes, getNewShape(), 1, "new_shape")))
    return failure();
  AffineExpr rank = shapes.dim(getNewShape(), 0);
  shapes.setDims(getNewIndices(), {shapes.dim(getIndices(), 0), rank});
  shapes.setDims(getFullShape(), {rank});
  return success();
}

LogicalResult SparseFillEmptyRowsOp::inferShapes(ShapeContext &shapes) {
  if (failed(
          checkSparse(*this, shapes, getIndices(), getValues(), getShape())) ||
      failed(expectScalar(*this, shapes, getDefaultValue(), "default")))
    return failure();
  AffineExpr count = shapes.freshSymbol(getNewValues(), 0);
  shapes.setDims(getNewIndices(), {count, shapes.dim(getIndices(), 1)});
  shapes.setDims(getNewValues(), {count});
  auto sizes = shapes.contents(getShape());
  AffineExpr rows = sizes && !sizes->empty() ? sizes->front() : AffineExpr();
  shapes.setDims(getEmpty(), {rows ? rows : shapes.freshSymbol(getEmpty(), 0)});
  shapes.setDims(getReverse(), {shapes.dim(getIndices(), 0)});
  return success();
}

LogicalResult SparseSegmentOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getIndices(), 1, "indices")) ||
      failed(expectRank(*this, shapes, getSegments(), 1, "segments")) ||
      failed(expectSame(*this, shapes.dim(getIndices(), 0),
                        shapes.dim(getSegments(), 0),
                        "numbers of indices and segments")))
    return failure();
  ArrayRef<AffineExpr> data = shapes.dims(getData());
  if (data.empty())
    return emitOpError("data is a scalar, expected rows");
  Dims dims(data);
  AffineExpr rows;
  if (Value count = getCount()) {
    if (failed(expectScalar(*this, shapes, count, "count")))
      return failure();
    rows = elementsOrNull(shapes, count, 1)[0];
  }
  dims[0] = rows ? rows : shapes.freshSymbol(getResult(), 0);
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult SparseToDenseOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getShape(), 1, "shape")) ||
      failed(expectScalar(*this, shapes, getDefaultValue(), "default")))
    return failure();
  if (shapes.dims(getIndices()).size() > 2 ||
      shapes.dims(getValues()).size() > 1)
    return emitOpError("indices must be a matrix and values a vector, or less");
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getShape(), "shape");
  if (failed(rank))
    return failure();
  Dims dims = elementsOrNull(shapes, getShape(), *rank);
  for (auto [i, size] : llvm::enumerate(dims))
    if (!size || ShapeContext::asConstant(size).value_or(0) < 0)
      size = shapes.freshSymbol(getResult(), i);
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult SparseMatMulOp::inferShapes(ShapeContext &shapes) {
  if (failed(
          checkSparse(*this, shapes, getIndices(), getValues(), getShape())) ||
      failed(expectRank(*this, shapes, getDense(), 2, "dense")))
    return failure();
  AffineExpr rows = elementsOrNull(shapes, getShape(), 2)[getAdjointA()];
  shapes.setDims(getResult(), {rows ? rows : shapes.freshSymbol(getResult(), 0),
                               shapes.dim(getDense(), getAdjointB() ? 0 : 1)});
  return success();
}

LogicalResult EditDistanceOp::inferShapes(ShapeContext &shapes) {
  if (failed(
          checkSparse(*this, shapes, getIndices(), getValues(), getShape())) ||
      failed(checkSparse(*this, shapes, getTrueIndices(), getTrueValues(),
                         getTrueShape())))
    return failure();
  if (getElementTypeOrSelf(getValues()) !=
      getElementTypeOrSelf(getTrueValues()))
    return emitOpError("sequences have different element types");
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getShape(), "shape"),
                     other = vectorLength(*this, shapes, getTrueShape(),
                                          "true_shape");
  if (failed(rank) || failed(other))
    return failure();
  if (*rank != *other || *rank < 1)
    return emitOpError() << "sequences are in tensors of " << *rank << " and "
                         << *other << " dimensions";
  Dims dims;
  auto mine = shapes.constants(getShape()),
       its = shapes.constants(getTrueShape());
  for (int64_t d = 0; d + 1 < *rank; ++d)
    dims.push_back(mine && its ? shapes.constant(std::max<int64_t>(
                                     {(*mine)[d], (*its)[d], 0}))
                               : shapes.freshSymbol(getResult(), d));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult RaggedToDenseOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> values = shapes.dims(getValues());
  auto kinds = getKinds().getAsValueRange<StringAttr>();
  if (getKinds().size() != getPartitions().size() || getKinds().empty())
    return emitOpError("needs a kind for each of its partitions");
  int64_t ragged = 0;
  for (auto [i, kind] : llvm::enumerate(kinds)) {
    bool first = kind == "FIRST_DIM_SIZE";
    if (first ? i != 0 : kind != "VALUE_ROWIDS" && kind != "ROW_SPLITS")
      return emitOpError() << "partition " << i << " is of kind '" << kind
                           << "'";
    if (i == 0 && kind == "VALUE_ROWIDS")
      return emitOpError("the first partition must not be VALUE_ROWIDS");
    ragged += !first;
    if (failed(expectRank(*this, shapes, getPartitions()[i], first ? 0 : 1,
                          "a partition")))
      return failure();
  }
  if (values.empty())
    return emitOpError("values is a scalar, expected rows");
  if (failed(expectScalar(*this, shapes, getDefaultValue(), "default")))
    return failure();
  size_t rank = 1 + ragged + values.size() - 1;
  Dims dims;
  auto given = shapes.constants(getShape());
  for (size_t d = 0; d < rank; ++d) {
    bool known = given && given->size() == rank && (*given)[d] >= 0;
    dims.push_back(known ? shapes.constant((*given)[d])
                         : shapes.freshSymbol(getResult(), d));
  }
  // Inside of values, the values' own sizes.
  for (size_t d = 1; d < values.size(); ++d)
    dims[ragged + d] = values[d];
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult SparseConcatOp::inferShapes(ShapeContext &shapes) {
  if (getIndices().empty() || getIndices().size() != getValues().size() ||
      getIndices().size() != getShapes().size())
    return emitOpError("needs indices, values and a shape of each tensor");
  for (auto [indices, values, shape] :
       llvm::zip(getIndices(), getValues(), getShapes()))
    if (failed(checkSparse(*this, shapes, indices, values, shape)))
      return failure();
  AffineExpr count = shapes.constant(0);
  for (Value values : getValues())
    count = count + shapes.dim(values, 0);
  AffineExpr rank = shapes.dim(getIndices().front(), 1);
  shapes.setDims(getNewIndices(), {count, rank});
  shapes.setDims(getNewValues(), {count});
  shapes.setDims(getNewShape(), {rank});
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Sparse.cpp.inc"

void tenon::graph::registerSparseOps(GraphDialect &dialect) {
  registerOps<
#define GET_OP_LIST
#include "dialects/graph/ops/Sparse.cpp.inc"
      >(dialect);
}
