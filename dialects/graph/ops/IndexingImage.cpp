// Ops of Indexing.td about images: blocks, sizes, patches.
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/WindowSupport.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// depth_to_space, space_to_depth
//===----------------------------------------------------------------------===//

/// More than any image needs, and little enough for products of two.
static constexpr int64_t maxBlock = 1 << 16;

/// Sizes with dimensions divided or multiplied by a block's.
static FailureOr<Dims> blockDims(Operation *op, ShapeContext &shapes,
                                 Value input, int64_t block, bool channelsFirst,
                                 bool toSpace) {
  if (failed(expectRank(op, shapes, input, 4, "operand")))
    return failure();
  if (block < 1 || block > maxBlock)
    return op->emitOpError() << "has block " << block, failure();
  Dims dims(shapes.dims(input));
  Layout layout{4, channelsFirst};
  auto divide = [&](int64_t i, int64_t by) {
    std::optional<int64_t> known = ShapeContext::asConstant(dims[i]);
    if (known && *known % by != 0)
      return op->emitOpError() << "dimension of size " << *known
                               << " is not a multiple of " << by,
             failure();
    AffineExpr part = shapes.exactQuotient(dims[i], shapes.constant(by));
    dims[i] = part ? part : dims[i].floorDiv(by);
    return success();
  };
  for (int64_t i : {0, 1}) {
    int64_t d = layout.spatial(i);
    if (toSpace)
      dims[d] = dims[d] * block;
    else if (failed(divide(d, block)))
      return failure();
  }
  int64_t c = layout.channels();
  if (toSpace && failed(divide(c, block * block)))
    return failure();
  if (!toSpace)
    dims[c] = dims[c] * (block * block);
  return dims;
}

/// Splits dimensions, permutes, and joins again.
static Value regroup(LoweringContext &lowering, Location loc, Value value,
                     ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> split,
                     ArrayRef<int64_t> permutation, ArrayRef<AffineExpr> to) {
  AffineExpr have = lowering.shapes.product(from),
             want = lowering.shapes.product(split);
  if (ShapeContext::asConstant(lowering.shapes.exactQuotient(from, split)) !=
          1 &&
      have != want) {
    value = reshapeTo(lowering, loc, value, from, have);
    value = conform(lowering, loc, value, have, want,
                    "a dimension is not a multiple of the block");
    value = reshapeTo(lowering, loc, value, want, split);
  } else {
    value = reshapeTo(lowering, loc, value, from, split);
  }
  value = transposed(lowering.builder, loc, value, permutation);
  return reshapeTo(lowering, loc, value, permuted(split, permutation), to);
}

LogicalResult DepthToSpaceOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = blockDims(*this, shapes, getInput(), getBlock(),
                                   getChannelsFirst(), /*toSpace=*/true);
  if (failed(dims))
    return failure();
  shapes.setDims(getResult(), *dims);
  return success();
}

LogicalResult DepthToSpaceOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput()),
                       to = lowering.shapes.dims(getResult());
  AffineExpr block = lowering.shapes.constant(getBlock());
  Value input = lowering.get(getInput());
  if (getChannelsFirst()) {
    AffineExpr split[] = {from[0], block, block, to[1], from[2], from[3]};
    lowering.set(getResult(), regroup(lowering, getLoc(), input, from, split,
                                      {0, 3, 4, 1, 5, 2}, to));
  } else {
    AffineExpr split[] = {from[0], from[1], from[2], block, block, to[3]};
    lowering.set(getResult(), regroup(lowering, getLoc(), input, from, split,
                                      {0, 1, 3, 2, 4, 5}, to));
  }
  return success();
}

LogicalResult SpaceToDepthOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = blockDims(*this, shapes, getInput(), getBlock(),
                                   getChannelsFirst(), /*toSpace=*/false);
  if (failed(dims))
    return failure();
  shapes.setDims(getResult(), *dims);
  return success();
}

LogicalResult SpaceToDepthOp::lowerToLinalg(LoweringContext &lowering) {
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput()),
                       to = lowering.shapes.dims(getResult());
  AffineExpr block = lowering.shapes.constant(getBlock());
  Value input = lowering.get(getInput());
  if (getChannelsFirst()) {
    AffineExpr split[] = {from[0], from[1], to[2], block, to[3], block};
    lowering.set(getResult(), regroup(lowering, getLoc(), input, from, split,
                                      {0, 3, 5, 1, 2, 4}, to));
  } else {
    AffineExpr split[] = {from[0], to[1], block, to[2], block, from[3]};
    lowering.set(getResult(), regroup(lowering, getLoc(), input, from, split,
                                      {0, 1, 3, 2, 4, 5}, to));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// space_to_batch, batch_to_space
//===----------------------------------------------------------------------===//

namespace {
struct Blocks {
  SmallVector<int64_t> sizes;
  Dims before, after; ///< padding or crops
};
} // namespace

static FailureOr<Blocks> blocks(Operation *op, ShapeContext &shapes,
                                Value input, Value block, Value border) {
  FailureOr<int64_t> count = vectorLength(op, shapes, block, "block");
  if (failed(count))
    return failure();
  if (failed(expectRank(op, shapes, border, 2, "paddings or crops")))
    return failure();
  if (int64_t(shapes.dims(input).size()) <= *count)
    return op->emitOpError()
               << "operand of shape " << shapeString(shapes.dims(input))
               << " has no " << *count << " spatial dimensions",
           failure();
  auto sizes = shapes.constants(block);
  Dims elements = elementsOrNull(shapes, border, 2 * *count);
  Blocks result;
  for (int64_t i = 0; i < *count; ++i) {
    if (!sizes || (*sizes)[i] < 1 || (*sizes)[i] > maxBlock)
      return op->emitOpError("blocks are not known at compile time, or out of "
                             "range"),
             failure();
    if (!elements[2 * i] || !elements[2 * i + 1])
      return op->emitOpError("borders are not known at compile time"),
             failure();
    result.sizes.push_back((*sizes)[i]);
    result.before.push_back(elements[2 * i]);
    result.after.push_back(elements[2 * i + 1]);
  }
  return result;
}

/// Verifiers don't see what is computed elsewhere; a static result type says
/// all that they need.
static bool isInferredAlready(ShapeContext &shapes, Value result, Value block,
                              Value border) {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || (shapes.constants(block) && shapes.contents(border)))
    return false;
  Dims dims;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    dims.push_back(ShapedType::isDynamic(size) ? shapes.freshSymbol(result, i)
                                               : shapes.constant(size));
  shapes.setDims(result, dims);
  return true;
}

LogicalResult SpaceToBatchOp::inferShapes(ShapeContext &shapes) {
  if (isInferredAlready(shapes, getResult(), getBlock(), getPaddings()))
    return success();
  FailureOr<Blocks> given =
      blocks(*this, shapes, getInput(), getBlock(), getPaddings());
  if (failed(given))
    return failure();
  Dims dims(shapes.dims(getInput()));
  for (auto [i, block] : llvm::enumerate(given->sizes)) {
    AffineExpr padded = dims[i + 1] + given->before[i] + given->after[i];
    std::optional<int64_t> known = ShapeContext::asConstant(padded);
    if (known && *known % block != 0)
      return emitOpError() << "padded dimension of size " << *known
                           << " is not a multiple of " << block;
    dims[i + 1] = padded.floorDiv(block);
    dims[0] = dims[0] * block;
  }
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult SpaceToBatchOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Blocks> given =
      blocks(*this, shapes, getInput(), getBlock(), getPaddings());
  if (failed(given))
    return failure();
  Value input = lowering.get(getInput());
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       to = shapes.dims(getResult());
  int64_t count = given->sizes.size(), rank = from.size();
  Dims padded(from), split;
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0));
  for (int64_t i = 0; i < count; ++i) {
    padded[i + 1] = padded[i + 1] + given->before[i] + given->after[i];
    offsets[i + 1] = lowering.size(given->before[i]);
  }
  if (padded != from) {
    Type element = getElementTypeOrSelf(input.getType());
    Value border = linalg::FillOp::create(b, loc, zeroOf(b, loc, element),
                                          lowering.empty(padded, element))
                       .getResult(0);
    input =
        insertAt(b, loc, input, border, offsets, lowering.sizes(getInput()));
  }
  split.push_back(from[0]);
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < count; ++i) {
    split.append({to[i + 1], shapes.constant(given->sizes[i])});
    order.push_back(2 * i + 2);
  }
  order.push_back(0);
  for (int64_t i = 0; i < count; ++i)
    order.push_back(2 * i + 1);
  for (int64_t i = count + 1; i < rank; ++i) {
    order.push_back(split.size());
    split.push_back(from[i]);
  }
  lowering.set(getResult(),
               regroup(lowering, loc, input, padded, split, order, to));
  return success();
}

/// Sizes before the crop.
static FailureOr<Dims> spreadDims(Operation *op, ShapeContext &shapes,
                                  ArrayRef<AffineExpr> from,
                                  ArrayRef<int64_t> sizes) {
  Dims dims(from);
  int64_t total = 1;
  for (auto [i, block] : llvm::enumerate(sizes)) {
    dims[i + 1] = dims[i + 1] * block;
    total *= block;
    if (total > maxBlock * maxBlock)
      return op->emitOpError("has blocks of too many elements"), failure();
  }
  std::optional<int64_t> batch = ShapeContext::asConstant(from[0]);
  if (batch && *batch % total != 0)
    return op->emitOpError() << "batch of size " << *batch
                             << " is not a multiple of " << total,
           failure();
  AffineExpr part = shapes.exactQuotient(from[0], shapes.constant(total));
  dims[0] = part ? part : from[0].floorDiv(total);
  return dims;
}

LogicalResult BatchToSpaceOp::inferShapes(ShapeContext &shapes) {
  if (isInferredAlready(shapes, getResult(), getBlock(), getCrops()))
    return success();
  FailureOr<Blocks> given =
      blocks(*this, shapes, getInput(), getBlock(), getCrops());
  if (failed(given))
    return failure();
  FailureOr<Dims> dims =
      spreadDims(*this, shapes, shapes.dims(getInput()), given->sizes);
  if (failed(dims))
    return failure();
  for (size_t i = 0; i < given->sizes.size(); ++i) {
    AffineExpr size = (*dims)[i + 1] - given->before[i] - given->after[i];
    if (std::optional<int64_t> known = ShapeContext::asConstant(size);
        known && *known < 0)
      return emitOpError("crops more than there is");
    (*dims)[i + 1] = shapes.maximum(size, shapes.constant(0));
  }
  shapes.setDims(getResult(), *dims);
  return success();
}

LogicalResult BatchToSpaceOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Blocks> given =
      blocks(*this, shapes, getInput(), getBlock(), getCrops());
  if (failed(given))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  FailureOr<Dims> spread = spreadDims(*this, shapes, from, given->sizes);
  if (failed(spread))
    return failure();
  int64_t count = given->sizes.size(), rank = from.size();
  Dims split;
  for (int64_t block : given->sizes)
    split.push_back(shapes.constant(block));
  split.push_back((*spread)[0]);
  SmallVector<int64_t> order{count};
  for (int64_t i = 0; i < count; ++i) {
    split.push_back(from[i + 1]);
    order.append({count + 1 + i, i});
  }
  for (int64_t i = count + 1; i < rank; ++i) {
    order.push_back(split.size());
    split.push_back(from[i]);
  }
  Value value = regroup(lowering, loc, lowering.get(getInput()), from, split,
                        order, *spread);
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)),
      ones(rank, b.getIndexAttr(1));
  for (int64_t i = 0; i < count; ++i)
    offsets[i + 1] = lowering.size(given->before[i]);
  lowering.set(getResult(),
               sliceAt(b, loc, LoweringContext::type(getResult().getType()),
                       value, offsets, lowering.sizes(getResult()), ones));
  return success();
}

//===----------------------------------------------------------------------===//
// extract_patches
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<WindowDim>> patchGeometry(ExtractPatchesOp op,
                                                       ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(op.getInput());
  if (from.size() < 3 || op.getWindow().size() != from.size() - 2)
    return op.emitOpError()
               << "operand of shape " << shapeString(from) << " does not have "
               << op.getWindow().size() << " spatial dimensions",
           failure();
  return windowGeometry(op, shapes, from.slice(1, from.size() - 2),
                        {op.getWindow(),
                         op.getStrides(),
                         op.getDilations(),
                         op.getPadding(),
                         {}});
}

LogicalResult ExtractPatchesOp::inferShapes(ShapeContext &shapes) {
  FailureOr<SmallVector<WindowDim>> window = patchGeometry(*this, shapes);
  if (failed(window))
    return failure();
  Dims dims(shapes.dims(getInput()));
  for (auto [i, dim] : llvm::enumerate(*window)) {
    dims[i + 1] = dim.output;
    dims.back() = dims.back() * dim.size;
  }
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult ExtractPatchesOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  FailureOr<SmallVector<WindowDim>> window =
      patchGeometry(*this, lowering.shapes);
  if (failed(window))
    return failure();
  Value input = lowering.get(getInput());
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput());
  Type element = getElementTypeOrSelf(input.getType());
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1),
        channels = lowering.index(from.back());
  SmallVector<Value> lows, sizes, lasts;
  for (const WindowDim &dim : *window) {
    lows.push_back(lowering.index(dim.low));
    sizes.push_back(lowering.index(dim.input));
    lasts.push_back(sub(b, loc, sizes.back(), one));
  }
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) {
            Value rest = indices.back();
            Value channel =
                nested.createOrFold<arith::RemUIOp>(at, rest, channels);
            rest = nested.createOrFold<arith::DivUIOp>(at, rest, channels);
            SmallVector<Value> position(indices);
            position.back() = channel;
            Value inside = arith::ConstantIntOp::create(nested, at, 1, 1);
            for (size_t i = window->size(); i-- > 0;) {
              const WindowDim &dim = (*window)[i];
              Value size = constantIndex(nested, at, dim.size);
              Value k = nested.createOrFold<arith::RemUIOp>(at, rest, size);
              rest = nested.createOrFold<arith::DivUIOp>(at, rest, size);
              Value place =
                  sub(nested, at,
                      add(nested, at,
                          mul(nested, at, indices[i + 1],
                              constantIndex(nested, at, dim.stride)),
                          mul(nested, at, k,
                              constantIndex(nested, at, dim.dilation))),
                      lows[i]);
              inside = both(nested, at, inside,
                            inRange(nested, at, place, sizes[i]));
              position[i + 1] = clampIndex(nested, at, place, zero, lasts[i]);
            }
            Value value =
                tensor::ExtractOp::create(nested, at, input, position);
            return select(nested, at, inside, value,
                          zeroOf(nested, at, element));
          }));
  return success();
}
