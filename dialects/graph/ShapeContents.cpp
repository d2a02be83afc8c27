#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/Graph.h"

using namespace mlir;

namespace tenon::graph {

std::optional<SmallVector<int64_t>> constantDims(ShapeContext &shapes,
                                                 Value value) {
  SmallVector<int64_t> sizes;
  for (AffineExpr dim : shapes.dims(value)) {
    std::optional<int64_t> known = ShapeContext::asConstant(dim);
    if (!known || *known < 0)
      return std::nullopt;
    sizes.push_back(*known);
  }
  return sizes;
}

/// The sizes of an integer tensor small enough to track, and their product.
static std::optional<SmallVector<int64_t>>
trackedDims(ShapeContext &shapes, Value value, int64_t &count) {
  if (!getElementTypeOrSelf(value.getType()).isInteger())
    return std::nullopt;
  std::optional<SmallVector<int64_t>> sizes = constantDims(shapes, value);
  count = 1;
  if (sizes)
    for (int64_t size : *sizes) {
      if (size > ShapeContext::maxContents)
        return std::nullopt;
      count *= size;
      if (count > ShapeContext::maxContents)
        return std::nullopt;
    }
  return sizes;
}

void setContentsBy(ShapeContext &shapes, Value result,
                   function_ref<AffineExpr(ArrayRef<int64_t>)> element) {
  int64_t count;
  auto sizes = trackedDims(shapes, result, count);
  if (!sizes)
    return;
  Dims elements;
  SmallVector<int64_t> index(sizes->size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    elements.push_back(element(index));
    for (int64_t d = index.size() - 1; d >= 0 && ++index[d] == (*sizes)[d]; --d)
      index[d] = 0;
  }
  if (llvm::any_of(elements, [](AffineExpr e) { return bool(e); }) ||
      elements.empty())
    shapes.setContents(result, elements);
}

void setContentsFrom(
    ShapeContext &shapes, Value result, Value source,
    function_ref<std::optional<SmallVector<int64_t>>(ArrayRef<int64_t>)> from) {
  int64_t count;
  auto sizes = trackedDims(shapes, source, count);
  if (!sizes)
    return;
  auto elements = shapes.contents(source);
  if (!elements)
    return;
  setContentsBy(shapes, result, [&](ArrayRef<int64_t> index) -> AffineExpr {
    std::optional<SmallVector<int64_t>> at = from(index);
    if (!at)
      return {};
    int64_t linear = 0;
    for (auto [i, size] : llvm::zip(*at, *sizes)) {
      if (i < 0 || i >= size)
        return {};
      linear = linear * size + i;
    }
    return (*elements)[linear];
  });
}

Dims elementsOrNull(ShapeContext &shapes, Value value, int64_t count) {
  if (auto contents = shapes.contents(value);
      contents && int64_t(contents->size()) == count)
    return Dims(contents->begin(), contents->end());
  return Dims(count, AffineExpr());
}

FailureOr<int64_t> vectorLength(Operation *op, ShapeContext &shapes,
                                Value value, StringRef name) {
  ArrayRef<AffineExpr> dims = shapes.dims(value);
  if (dims.size() != 1)
    return op->emitOpError() << name << " has shape " << shapeString(dims)
                             << ", expected a vector";
  std::optional<int64_t> known = ShapeContext::asConstant(dims[0]);
  if (!known)
    return op->emitOpError()
           << "the length of " << name
           << " is not known at compile time, so the result has no known rank";
  return *known;
}

LogicalResult expectScalar(Operation *op, ShapeContext &shapes, Value value,
                           StringRef name) {
  return expectRank(op, shapes, value, 0, name);
}

LogicalResult expectRank(Operation *op, ShapeContext &shapes, Value value,
                         int64_t rank, StringRef name) {
  ArrayRef<AffineExpr> dims = shapes.dims(value);
  if (int64_t(dims.size()) == rank)
    return success();
  InFlightDiagnostic error = op->emitOpError()
                             << name << " has shape " << shapeString(dims)
                             << ", expected ";
  if (rank == 0)
    return error << "a scalar";
  return error << "rank " << rank;
}

LogicalResult expectSame(Operation *op, AffineExpr a, AffineExpr b,
                         StringRef what) {
  std::optional<int64_t> known = ShapeContext::asConstant(a),
                         other = ShapeContext::asConstant(b);
  if (!known || !other || *known == *other)
    return success();
  return op->emitOpError() << what << " differ: " << *known << " and "
                           << *other;
}

FailureOr<int64_t> normalizeAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return op->emitOpError()
           << "axis " << axis << " is out of range for rank " << rank;
  return axis < 0 ? axis + rank : axis;
}

bool lowerKnownContents(Operation *op, LoweringContext &lowering) {
  // More elements than a shape has are better computed by a loop.
  constexpr size_t maxElements = 32;
  ShapeContext &shapes = lowering.shapes;
  if (!isPure(op) || op->hasTrait<OpTrait::ConstantLike>() ||
      op->getNumResults() == 0)
    return false;
  for (Value result : op->getResults()) {
    int64_t count;
    if (!trackedDims(shapes, result, count))
      return false;
    auto contents = shapes.contents(result);
    if (!contents || contents->size() > maxElements ||
        int64_t(contents->size()) != count ||
        llvm::is_contained(*contents, AffineExpr()))
      return false;
  }
  OpBuilder &b = lowering.builder;
  Location loc = op->getLoc();
  for (Value result : op->getResults()) {
    RankedTensorType declared = LoweringContext::type(result.getType());
    auto type = RankedTensorType::get(*constantDims(shapes, result),
                                      declared.getElementType());
    ArrayRef<AffineExpr> elements = *shapes.contents(result);
    unsigned width = type.getElementTypeBitWidth();
    SmallVector<APInt> known;
    for (AffineExpr element : elements)
      if (auto constant = ShapeContext::asConstant(element))
        known.push_back(APInt(width, *constant, /*isSigned=*/true,
                              /*implicitTrunc=*/true));
    Value lowered;
    if (known.size() == elements.size()) {
      lowered = arith::ConstantOp::create(b, loc, type,
                                          DenseElementsAttr::get(type, known));
    } else {
      SmallVector<Value> scalars;
      for (AffineExpr element : elements)
        scalars.push_back(arith::IndexCastOp::create(
            b, loc, type.getElementType(), lowering.index(element)));
      lowered = tensor::FromElementsOp::create(b, loc, type, scalars);
    }
    lowering.set(result, lowered);
  }
  return true;
}

} // namespace tenon::graph
