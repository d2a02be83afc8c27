#include "dialects/graph/ops/WindowSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;

namespace tenon::graph {

SmallVector<int64_t> Layout::toLast() const {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (channelsFirst)
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

SmallVector<int64_t> Layout::fromLast() const {
  return invertPermutationVector(toLast());
}

Dims permuted(ArrayRef<AffineExpr> dims, ArrayRef<int64_t> permutation) {
  Dims result;
  for (int64_t p : permutation)
    result.push_back(dims[p]);
  return result;
}

static LogicalResult expectPerDimension(Operation *op, StringRef name,
                                        ArrayRef<int64_t> values, size_t count,
                                        int64_t least) {
  if (!values.empty() && values.size() != count)
    return op->emitOpError() << name << " has " << values.size()
                             << " elements, expected " << count;
  for (int64_t value : values)
    if (value < least)
      return op->emitOpError() << name << " has element " << value
                               << ", expected at least " << least;
  return success();
}

FailureOr<SmallVector<WindowDim>>
windowGeometry(Operation *op, ShapeContext &shapes, ArrayRef<AffineExpr> input,
               const WindowAttributes &attributes) {
  bool isExplicit = attributes.padding == "EXPLICIT",
       same = attributes.padding == "SAME";
  if (!isExplicit && !same && attributes.padding != "VALID")
    return op->emitOpError() << "padding is '" << attributes.padding
                             << "', expected SAME, VALID or EXPLICIT";
  size_t count = input.size();
  if (failed(expectPerDimension(op, "window", attributes.window, count, 1)) ||
      failed(expectPerDimension(op, "strides", attributes.strides, count, 1)) ||
      failed(
          expectPerDimension(op, "dilations", attributes.dilations, count, 1)))
    return failure();
  if (isExplicit &&
      (failed(expectPerDimension(op, "explicit_padding",
                                 attributes.explicitPadding, 2 * count, 0)) ||
       attributes.explicitPadding.size() != 2 * count))
    return op->emitOpError("explicit_padding needs two elements per spatial "
                           "dimension");
  AffineExpr zero = shapes.constant(0);
  SmallVector<WindowDim> window;
  for (size_t i = 0; i < count; ++i) {
    WindowDim dim;
    dim.input = input[i];
    dim.size = attributes.window[i];
    if (!attributes.strides.empty())
      dim.stride = attributes.strides[i];
    if (!attributes.dilations.empty())
      dim.dilation = attributes.dilations[i];
    dim.low = zero;
    if (same) {
      dim.output = shapes.ceilDiv(dim.input, dim.stride);
      AffineExpr total =
          (dim.output - 1) * dim.stride + dim.extent() - dim.input;
      total = simplifyAffineExpr(total, 0, shapes.symbolCount());
      // At most extent - 1, and with stride 1 just that.
      if (dim.stride == 1)
        dim.low = shapes.constant((dim.extent() - 1) / 2);
      else if (dim.extent() > 2)
        dim.low = shapes.maximum(total, zero).floorDiv(2);
    } else {
      AffineExpr padded = dim.input;
      if (isExplicit) {
        dim.low = shapes.constant(attributes.explicitPadding[2 * i]);
        padded = padded + attributes.explicitPadding[2 * i] +
                 attributes.explicitPadding[2 * i + 1];
      }
      AffineExpr places = padded - dim.extent() + 1;
      if (std::optional<int64_t> known = ShapeContext::asConstant(places);
          known && *known < 0)
        return op->emitOpError() << "a window of " << dim.extent()
                                 << " does not fit a dimension of "
                                 << *ShapeContext::asConstant(padded);
      dim.output = shapes.maximum(shapes.ceilDiv(places, dim.stride), zero);
    }
    window.push_back(dim);
  }
  return window;
}

SmallVector<int64_t> constantPadding(LoweringContext &lowering, Location loc,
                                     Value &input, Dims &dims,
                                     ArrayRef<WindowDim> window,
                                     Attribute fill) {
  SmallVector<int64_t> padding;
  bool dynamic = false;
  for (const WindowDim &dim : window) {
    std::optional<int64_t> known = ShapeContext::asConstant(dim.low);
    dynamic |= !known;
    padding.push_back(known.value_or(0));
  }
  if (!dynamic)
    return padding;
  OpBuilder &b = lowering.builder;
  SmallVector<OpFoldResult> offsets(dims.size(), b.getIndexAttr(0)), sizes;
  for (AffineExpr dim : dims)
    sizes.push_back(lowering.size(dim));
  for (auto [i, dim] : llvm::enumerate(window))
    if (!ShapeContext::asConstant(dim.low)) {
      offsets[i + 1] = lowering.size(dim.low);
      dims[i + 1] = dims[i + 1] + dim.low;
    }
  Type element = getElementTypeOrSelf(input.getType());
  Value border = arith::ConstantOp::create(b, loc, cast<TypedAttr>(fill));
  Value destination =
      linalg::FillOp::create(b, loc, border, lowering.empty(dims, element))
          .getResult(0);
  input = insertAt(b, loc, input, destination, offsets, sizes);
  return padding;
}

SmallVector<int64_t> sizesOf(ArrayRef<WindowDim> window) {
  return llvm::map_to_vector(window, [](const WindowDim &d) { return d.size; });
}
SmallVector<int64_t> stridesOf(ArrayRef<WindowDim> window) {
  return llvm::map_to_vector(window,
                             [](const WindowDim &d) { return d.stride; });
}
SmallVector<int64_t> dilationsOf(ArrayRef<WindowDim> window) {
  return llvm::map_to_vector(window,
                             [](const WindowDim &d) { return d.dilation; });
}

} // namespace tenon::graph
