#include "dialects/graph/ops/Strings.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;
using namespace tenon::graph;

/// The shape of operands that are broadcast against each other.
static LogicalResult inferBroadcast(Operation *op, ValueRange operands,
                                    ShapeContext &shapes) {
  SmallVector<ArrayRef<AffineExpr>> dims;
  for (Value operand : operands)
    dims.push_back(shapes.dims(operand));
  FailureOr<Dims> result = shapes.broadcast(dims, op->getResult(0));
  if (failed(result))
    return op->emitOpError()
           << "operands of shapes " << shapeString(dims[0]) << " and "
           << shapeString(dims[1]) << " cannot be broadcast against each other";
  shapes.setDims(op->getResult(0), *result);
  return success();
}

static LogicalResult copyShape(Operation *op, ShapeContext &shapes) {
  shapes.copyDims(op->getResult(0), op->getOperand(0));
  return success();
}

LogicalResult StringCompareOp::inferShapes(ShapeContext &shapes) {
  return inferBroadcast(*this, getOperands(), shapes);
}

LogicalResult AsStringOp::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult StringToNumberOp::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult StringLengthOp::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult StringCaseOp::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult StringStripOp::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult EncodeBase64Op::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult DecodeBase64Op::inferShapes(ShapeContext &shapes) {
  return copyShape(*this, shapes);
}
LogicalResult StringHashOp::inferShapes(ShapeContext &shapes) {
  if (int64_t(getBuckets()) < 1)
    return emitOpError() << "buckets is " << int64_t(getBuckets())
                         << ", expected at least 1";
  if (getMethod() == "strong" && getKey().size() != 2)
    return emitOpError() << "key has " << getKey().size()
                         << " words, expected 2";
  return copyShape(*this, shapes);
}

LogicalResult RegexReplaceOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getPattern(), "pattern")) ||
      failed(expectScalar(*this, shapes, getRewrite(), "rewrite")))
    return failure();
  return copyShape(*this, shapes);
}

LogicalResult RegexMatchOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getPattern(), "pattern")))
    return failure();
  return copyShape(*this, shapes);
}

LogicalResult StringJoinOp::inferShapes(ShapeContext &shapes) {
  // Scalars are repeated, all others have one shape.
  Dims dims;
  bool known = false;
  for (Value input : getInputs()) {
    ArrayRef<AffineExpr> other = shapes.dims(input);
    if (other.empty())
      continue;
    if (!known) {
      dims = Dims(other);
      known = true;
      continue;
    }
    if (other.size() != dims.size())
      return emitOpError() << "inputs have shapes " << shapeString(dims)
                           << " and " << shapeString(other)
                           << ", expected equal ones or scalars";
    for (auto [mine, its] : llvm::zip(dims, other)) {
      if (failed(expectSame(*this, mine, its, "sizes of inputs")))
        return failure();
      if (ShapeContext::asConstant(its))
        mine = its;
    }
  }
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult ReduceJoinOp::inferShapes(ShapeContext &shapes) {
  return inferReductionShapes(*this, getInput(), getAxes(), getKeepDims(),
                              shapes);
}

LogicalResult StringFormatOp::inferShapes(ShapeContext &shapes) {
  shapes.setDims(getResult(), {});
  return success();
}

LogicalResult SubstrOp::inferShapes(ShapeContext &shapes) {
  if (getElementTypeOrSelf(getPosition().getType()) !=
      getElementTypeOrSelf(getLength().getType()))
    return emitOpError("position and length have different element types");
  return inferBroadcast(*this, {getInput(), getPosition()}, shapes);
}

LogicalResult StringSplitOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getInput(), 1, "input")) ||
      failed(expectScalar(*this, shapes, getSeparator(), "separator")))
    return failure();
  AffineExpr pieces = shapes.freshSymbol(getValues(), 0);
  shapes.setDims(getIndices(), {pieces, shapes.constant(2)});
  shapes.setDims(getValues(), {pieces});
  shapes.setDims(getShape(), {shapes.constant(2)});
  return success();
}

LogicalResult StringNGramsOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getValues(), 1, "values")) ||
      failed(expectRank(*this, shapes, getSplits(), 1, "splits")))
    return failure();
  constexpr int64_t kMost = int64_t(1) << 31;
  for (int64_t width : getWidths())
    if (width < 1 || width > kMost)
      return emitOpError() << "width " << width << " is outside of [1, 2^31]";
  if (int64_t(getPadWidth()) > kMost)
    return emitOpError() << "pad_width is above 2^31";
  shapes.setDims(getNgrams(), {shapes.freshSymbol(getNgrams(), 0)});
  shapes.copyDims(getNgramSplits(), getSplits());
  return success();
}

LogicalResult DecodeRawOp::inferShapes(ShapeContext &shapes) {
  if (isa<StringType>(getElementTypeOrSelf(getResult().getType())))
    return emitOpError("the result cannot be strings");
  Dims dims(shapes.dims(getInput()));
  dims.push_back(shapes.freshSymbol(getResult(), dims.size()));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult DecodeCsvOp::inferShapes(ShapeContext &shapes) {
  if (getDefaults().size() != getFields().size())
    return emitOpError() << "has " << getDefaults().size()
                         << " defaults, expected " << getFields().size();
  if (getDelimiter().size() != 1)
    return emitOpError("the delimiter must be one character");
  if (!getColumns().empty() && getColumns().size() != getFields().size())
    return emitOpError() << "selects " << getColumns().size()
                         << " columns, expected " << getFields().size();
  for (Value value : getDefaults())
    if (shapes.dims(value).size() > 1)
      return emitOpError("a default must be a scalar or a vector");
  for (Value field : getFields())
    shapes.copyDims(field, getRecords());
  return success();
}

LogicalResult UnicodeDecodeOp::inferShapes(ShapeContext &shapes) {
  AffineExpr count = shapes.product(shapes.dims(getInput()));
  shapes.setDims(getSplits(), {count + 1});
  AffineExpr characters = shapes.freshSymbol(getValues(), 0);
  shapes.setDims(getValues(), {characters});
  shapes.setDims(getOffsets(), {characters});
  return success();
}

LogicalResult UnicodeEncodeOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectRank(*this, shapes, getValues(), 1, "values")) ||
      failed(expectRank(*this, shapes, getSplits(), 1, "splits")))
    return failure();
  AffineExpr splits = shapes.dim(getSplits(), 0);
  if (ShapeContext::asConstant(splits) == 0)
    return emitOpError("splits is empty");
  shapes.setDims(getResult(), {ShapeContext::asConstant(splits)
                                   ? splits - 1
                                   : shapes.freshSymbol(getResult(), 0)});
  return success();
}

LogicalResult SerializeTensorOp::inferShapes(ShapeContext &shapes) {
  shapes.setDims(getResult(), {});
  return success();
}

LogicalResult ParseTensorOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getSerialized(), "serialized")))
    return failure();
  Dims dims;
  for (auto [i, size] : llvm::enumerate(getShape()))
    dims.push_back(size < 0 ? shapes.freshSymbol(getResult(), i)
                            : shapes.constant(size));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult ParseExampleOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> batch = shapes.dims(getSerialized());
  if (batch.size() > 1)
    return emitOpError() << "serialized has shape " << shapeString(batch)
                         << ", expected a scalar or a vector";
  size_t sparse = getSparseKeys().size(), dense = getDenseKeys().size();
  if (getFeatures().size() != 3 * sparse + dense ||
      getDefaults().size() != dense || getDenseRanks().size() != dense)
    return emitOpError() << "has " << getFeatures().size()
                         << " results, expected " << 3 * sparse + dense;
  int64_t rank = batch.size() + 1;
  for (size_t i = 0; i < sparse; ++i) {
    Value indices = getFeatures()[i], values = getFeatures()[sparse + i];
    AffineExpr count = shapes.freshSymbol(values, 0);
    shapes.setDims(indices, {count, shapes.constant(rank)});
    shapes.setDims(values, {count});
    shapes.setDims(getFeatures()[2 * sparse + i], {shapes.constant(rank)});
  }
  ArrayRef<int64_t> sizes = getDenseSizes();
  for (size_t i = 0; i < dense; ++i) {
    Value feature = getFeatures()[3 * sparse + i];
    Dims dims(batch);
    int64_t count = getDenseRanks()[i];
    if (count < 0 || count > int64_t(sizes.size()))
      return emitOpError("dense_sizes does not fit dense_ranks");
    for (auto [d, size] : llvm::enumerate(sizes.take_front(count))) {
      if (size < 0 && d)
        return emitOpError("only the first size of a feature can be unknown");
      dims.push_back(size < 0 ? shapes.freshSymbol(feature, dims.size())
                              : shapes.constant(size));
    }
    sizes = sizes.drop_front(count);
    shapes.setDims(feature, dims);
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Strings.cpp.inc"

void tenon::graph::registerStringOps(GraphDialect &dialect) {
  registerOps<
#define GET_OP_LIST
#include "dialects/graph/ops/Strings.cpp.inc"
      >(dialect);
}
