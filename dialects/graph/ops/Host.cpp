#include "dialects/graph/ops/Host.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;
using namespace tenon::graph;

static LogicalResult scalarResult(Operation *op, ShapeContext &shapes) {
  shapes.setDims(op->getResult(0), {});
  return success();
}

LogicalResult PrintOp::inferShapes(ShapeContext &) { return success(); }
LogicalResult PrintTextOp::inferShapes(ShapeContext &shapes) {
  return expectScalar(*this, shapes, getText(), "text");
}

LogicalResult ScalarSummaryOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> tags = shapes.dims(getTags()),
                       values = shapes.dims(getValues());
  if (tags.size() != values.size())
    return emitOpError() << "tags and values have shapes " << shapeString(tags)
                         << " and " << shapeString(values)
                         << ", expected equal ones";
  for (auto [tag, value] : llvm::zip(tags, values))
    if (failed(expectSame(*this, tag, value, "sizes of tags and values")))
      return failure();
  return scalarResult(*this, shapes);
}

LogicalResult HistogramSummaryOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getTag(), "tag")))
    return failure();
  return scalarResult(*this, shapes);
}

LogicalResult MergeSummaryOp::inferShapes(ShapeContext &shapes) {
  return scalarResult(*this, shapes);
}

LogicalResult ReadFileOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getPath(), "path")))
    return failure();
  return scalarResult(*this, shapes);
}

LogicalResult WriteFileOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getPath(), "path")))
    return failure();
  return expectScalar(*this, shapes, getContents(), "contents");
}

LogicalResult ShardedFilenameOp::inferShapes(ShapeContext &shapes) {
  return scalarResult(*this, shapes);
}

LogicalResult TimestampOp::inferShapes(ShapeContext &shapes) {
  return scalarResult(*this, shapes);
}

//===----------------------------------------------------------------------===//
// Savers
//===----------------------------------------------------------------------===//

LogicalResult SaveTensorsOp::inferShapes(ShapeContext &shapes) {
  if (getNames().size() != getTensors().size())
    return emitOpError() << "has " << getNames().size() << " names for "
                         << getTensors().size() << " tensors";
  return expectScalar(*this, shapes, getPrefix(), "prefix");
}

LogicalResult RestoreTensorOp::inferShapes(ShapeContext &shapes) {
  Dims dims;
  for (int64_t size : getShape()) {
    if (size < 0)
      return emitOpError("needs a shape that is known");
    dims.push_back(shapes.constant(size));
  }
  shapes.setDims(getResult(), dims);
  return expectScalar(*this, shapes, getPrefix(), "prefix");
}

LogicalResult MergeCheckpointsOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getPrefixes(), 1, "prefixes")))
    return failure();
  return expectScalar(*this, shapes, getDestination(), "destination");
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

LogicalResult TableInsertOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> keys = shapes.dims(getKeys()),
                       values = shapes.dims(getValues());
  if (values.size() < keys.size())
    return emitOpError() << "keys and values have shapes " << shapeString(keys)
                         << " and " << shapeString(values)
                         << ", expected a value per key";
  for (auto [key, value] : llvm::zip(keys, values))
    if (failed(expectSame(*this, key, value, "sizes of keys and values")))
      return failure();
  return success();
}

LogicalResult TableReadTextOp::inferShapes(ShapeContext &shapes) {
  return expectScalar(*this, shapes, getPath(), "path");
}

LogicalResult TableRemoveOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult TableFindOp::inferShapes(ShapeContext &shapes) {
  // A value may be a vector: the default has its shape.
  Dims dims(shapes.dims(getKeys()));
  llvm::append_range(dims, shapes.dims(getDefaultValue()));
  shapes.setDims(getValues(), dims);
  return success();
}

LogicalResult TableSizeOp::inferShapes(ShapeContext &shapes) {
  return scalarResult(*this, shapes);
}

LogicalResult TableExportOp::inferShapes(ShapeContext &shapes) {
  AffineExpr count = shapes.freshSymbol(getKeys(), 0);
  shapes.setDims(getKeys(), {count});
  Dims values{count};
  for (int64_t size : getValueShape())
    values.push_back(shapes.constant(size));
  shapes.setDims(getValues(), values);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Host.cpp.inc"

void tenon::graph::registerHostOps(GraphDialect &dialect) {
  registerOps<
#define GET_OP_LIST
#include "dialects/graph/ops/Host.cpp.inc"
      >(dialect);
}
