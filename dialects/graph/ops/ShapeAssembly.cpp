// Ops of Shape.td that put tensors together or take them apart.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Shape.h"

using namespace mlir;
using namespace tenon::graph;

/// Takes over what another operand of the same shape knows about sizes. Fails
/// when they contradict each other.
static LogicalResult mergeDims(Operation *op, Dims &dims,
                               ArrayRef<AffineExpr> other,
                               std::optional<size_t> except = std::nullopt) {
  if (other.size() != dims.size())
    return op->emitOpError()
           << "operands have different ranks: " << shapeString(dims) << " and "
           << shapeString(other);
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (i == except)
      continue;
    if (failed(expectSame(op, dim, other[i], "sizes of operands")))
      return failure();
    if (ShapeContext::asConstant(other[i]))
      dim = other[i];
  }
  return success();
}

/// An operand in the sizes that it must have: `dims`, but for one dimension.
static Value conforming(LoweringContext &lowering, Operation *op, Value operand,
                        ArrayRef<AffineExpr> dims,
                        std::optional<size_t> except = std::nullopt) {
  ArrayRef<AffineExpr> from = lowering.shapes.dims(operand);
  Dims to(dims);
  if (except)
    to[*except] = from[*except];
  return conform(lowering, op->getLoc(), lowering.get(operand), from, to,
                 "operands have different sizes");
}

//===----------------------------------------------------------------------===//
// pack, unpack
//===----------------------------------------------------------------------===//

LogicalResult PackOp::inferShapes(ShapeContext &shapes) {
  if (getInputs().empty())
    return emitOpError("has no operands");
  Dims dims(shapes.dims(getInputs().front()));
  for (Value input : getInputs().drop_front())
    if (failed(mergeDims(*this, dims, shapes.dims(input))))
      return failure();
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size() + 1);
  if (failed(axis))
    return failure();
  dims.insert(dims.begin() + *axis, shapes.constant(getInputs().size()));
  shapes.setDims(getResult(), dims);
  SmallVector<std::optional<ArrayRef<AffineExpr>>> contents;
  for (Value input : getInputs())
    contents.push_back(shapes.contents(input));
  setContentsBy(shapes, getResult(),
                [&](ArrayRef<int64_t> index) -> AffineExpr {
                  auto &elements = contents[index[*axis]];
                  int64_t linear = 0;
                  for (auto [i, at] : llvm::enumerate(index))
                    if (int64_t(i) != *axis)
                      linear = linear * *ShapeContext::asConstant(dims[i]) + at;
                  return elements ? (*elements)[linear] : AffineExpr();
                });
  return success();
}

LogicalResult PackOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> dims = shapes.dims(getResult());
  if (dims.size() == 1) {
    SmallVector<Value> scalars;
    for (Value input : getInputs())
      scalars.push_back(scalar(lowering, loc, input));
    RankedTensorType type = LoweringContext::type(getResult().getType());
    lowering.set(getResult(), tensor::FromElementsOp::create(
                                  b, loc,
                                  RankedTensorType::get(scalars.size(),
                                                        type.getElementType()),
                                  scalars));
    return success();
  }
  size_t axis = wrapAxis(getAxis(), dims.size());
  Dims part(dims);
  part.erase(part.begin() + axis);
  SmallVector<OpFoldResult> offsets(dims.size(), b.getIndexAttr(0)),
      sizes = lowering.sizes(getResult());
  sizes[axis] = b.getIndexAttr(1);
  RankedTensorType type = typeOf(
      part, LoweringContext::type(getResult().getType()).getElementType());
  SmallVector<Part> parts;
  for (auto [i, input] : llvm::enumerate(getInputs())) {
    Value value = conforming(lowering, *this, input, part);
    offsets[axis] = b.getIndexAttr(i);
    parts.push_back({castTo(b, loc, value, type), offsets, sizes});
  }
  lowering.set(getResult(),
               assemble(b, loc, lowering.empty(getResult()), parts));
  return success();
}

LogicalResult UnpackOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), from.size());
  if (failed(axis) ||
      failed(expectSame(*this, from[*axis], shapes.constant(getNumResults()),
                        "the dimension's size and the number of results")))
    return failure();
  Dims dims(from);
  dims.erase(dims.begin() + *axis);
  for (OpResult result : getResults()) {
    shapes.setDims(result, dims);
    setContentsFrom(shapes, result, getInput(), [&](ArrayRef<int64_t> index) {
      SmallVector<int64_t> at(index);
      at.insert(at.begin() + *axis, result.getResultNumber());
      return std::optional(at);
    });
  }
  return success();
}

LogicalResult UnpackOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput());
  size_t axis = wrapAxis(getAxis(), from.size());
  Dims cut(from);
  cut[axis] = lowering.shapes.constant(getNumResults());
  Value input = conform(lowering, loc, lowering.get(getInput()), from, cut,
                        "the dimension's size is not the number of results");
  SmallVector<OpFoldResult> offsets(from.size(), b.getIndexAttr(0)),
      ones(from.size(), b.getIndexAttr(1)), sizes = lowering.sizes(getInput());
  sizes[axis] = b.getIndexAttr(1);
  cut.erase(cut.begin() + axis);
  RankedTensorType type = typeOf(cut, getElementTypeOrSelf(input.getType()));
  for (OpResult result : getResults()) {
    offsets[axis] = b.getIndexAttr(result.getResultNumber());
    lowering.set(result, sliceAt(b, loc, type, input, offsets, sizes, ones));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// concat, split
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferShapes(ShapeContext &shapes) {
  if (getInputs().empty())
    return emitOpError("has no operands");
  Dims dims(shapes.dims(getInputs().front()));
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size());
  if (failed(axis))
    return failure();
  AffineExpr total = shapes.constant(0);
  SmallVector<Value> owner; // per place along the axis, while all are known
  SmallVector<int64_t> place;
  bool placed = true;
  for (Value input : getInputs()) {
    ArrayRef<AffineExpr> part = shapes.dims(input);
    if (failed(mergeDims(*this, dims, part, *axis)))
      return failure();
    total = total + part[*axis];
    std::optional<int64_t> size = ShapeContext::asConstant(part[*axis]);
    placed &= size && *size <= ShapeContext::maxContents;
    for (int64_t i = 0; placed && i < *size; ++i) {
      owner.push_back(input);
      place.push_back(i);
    }
  }
  dims[*axis] = total;
  shapes.setDims(getResult(), dims);
  if (!placed)
    return success();
  setContentsBy(shapes, getResult(),
                [&](ArrayRef<int64_t> index) -> AffineExpr {
                  Value input = owner[index[*axis]];
                  auto elements = shapes.contents(input);
                  auto sizes = constantDims(shapes, input);
                  if (!elements || !sizes)
                    return {};
                  int64_t linear = 0;
                  for (auto [i, at] : llvm::enumerate(index))
                    linear = linear * (*sizes)[i] +
                             (int64_t(i) == *axis ? place[at] : at);
                  return (*elements)[linear];
                });
  return success();
}

LogicalResult ConcatOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> dims = shapes.dims(getResult());
  size_t axis = wrapAxis(getAxis(), dims.size());
  SmallVector<OpFoldResult> offsets(dims.size(), b.getIndexAttr(0));
  AffineExpr offset = shapes.constant(0);
  if (getInputs().size() == 1) {
    lowering.set(getResult(), lowering.get(getInputs()[0]));
    return success();
  }
  Type element = LoweringContext::type(getResult().getType()).getElementType();
  SmallVector<Part> parts;
  for (Value input : getInputs()) {
    AffineExpr size = shapes.dim(input, axis);
    if (ShapeContext::asConstant(size) == 0)
      continue;
    Dims wanted(dims);
    wanted[axis] = size;
    offsets[axis] = lowering.size(offset);
    SmallVector<OpFoldResult> sizes = lowering.sizes(getResult());
    sizes[axis] = lowering.size(size);
    Value value = conforming(lowering, *this, input, dims, axis);
    parts.push_back(
        {castTo(b, loc, value, typeOf(wanted, element)), offsets, sizes});
    offset = offset + size;
  }
  lowering.set(getResult(),
               assemble(b, loc, lowering.empty(getResult()), parts));
  return success();
}

LogicalResult SplitOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), from.size());
  if (failed(axis))
    return failure();
  AffineExpr whole = from[*axis];
  std::optional<int64_t> known = ShapeContext::asConstant(whole);
  SmallVector<AffineExpr> parts;
  if (getSizes().empty()) {
    int64_t count = getNumResults();
    if (known && count && *known % count != 0)
      return emitOpError() << "cannot cut " << *known << " elements into "
                           << count << " equal parts";
    AffineExpr part = shapes.exactQuotient(whole, shapes.constant(count));
    parts.assign(count, part ? part : whole.floorDiv(count));
  } else {
    if (getSizes().size() != getNumResults())
      return emitOpError() << "has " << getSizes().size() << " sizes for "
                           << getNumResults() << " results";
    AffineExpr rest = whole;
    for (int64_t size : getSizes())
      if (size >= 0)
        rest = rest - size;
    int64_t open = llvm::count_if(getSizes(), [](int64_t s) { return s < 0; });
    std::optional<int64_t> left = ShapeContext::asConstant(rest);
    if (open > 1 || (left && (open ? *left < 0 : *left != 0)))
      return emitOpError() << "sizes [" << getSizes()
                           << "] do not cut a dimension of "
                           << shapeString(whole);
    for (int64_t size : getSizes())
      parts.push_back(size >= 0 ? shapes.constant(size)
                                : shapes.maximum(shapes.constant(0), rest));
  }
  AffineExpr offset = shapes.constant(0);
  for (auto [result, part] : llvm::zip(getResults(), parts)) {
    Dims dims(from);
    dims[*axis] = part;
    shapes.setDims(result, dims);
    std::optional<int64_t> start = ShapeContext::asConstant(offset);
    setContentsFrom(
        shapes, result, getInput(),
        [&](ArrayRef<int64_t> index) -> std::optional<SmallVector<int64_t>> {
          if (!start)
            return std::nullopt;
          SmallVector<int64_t> at(index);
          at[*axis] += *start;
          return at;
        });
    offset = offset + part;
  }
  return success();
}

LogicalResult SplitOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  size_t axis = wrapAxis(getAxis(), from.size());
  SmallVector<OpFoldResult> offsets(from.size(), b.getIndexAttr(0)),
      ones(from.size(), b.getIndexAttr(1));
  AffineExpr offset = shapes.constant(0);
  for (Value result : getResults())
    offset = offset + shapes.dim(result, axis);
  Dims cut(from);
  cut[axis] = offset;
  Value input = conform(lowering, loc, lowering.get(getInput()), from, cut,
                        "the parts' sizes do not add up to the dimension's");
  offset = shapes.constant(0);
  for (Value result : getResults()) {
    offsets[axis] = lowering.size(offset);
    SmallVector<OpFoldResult> sizes = lowering.sizes(result);
    lowering.set(result, sliceAt(b, loc,
                                 typeOf(lowering.shapes.dims(result),
                                        getElementTypeOrSelf(input.getType())),
                                 input, offsets, sizes, ones));
    offset = offset + shapes.dim(result, axis);
  }
  return success();
}
