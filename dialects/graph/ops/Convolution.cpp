#include "dialects/graph/ops/Convolution.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/ContractionSupport.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/WindowSupport.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// What the three ops share
//===----------------------------------------------------------------------===//

namespace {

/// A convolution's geometry; `input` is the tensor that windows move over.
struct Geometry {
  Layout layout;
  Dims input; ///< channels last
  SmallVector<WindowDim> window;
  int64_t spatial() const { return window.size(); }
};

template <typename OpTy>
FailureOr<Geometry> geometry(OpTy op, ShapeContext &shapes,
                             ArrayRef<AffineExpr> input) {
  ArrayRef<AffineExpr> filter = shapes.dims(op.getFilter());
  int64_t rank = input.size();
  if (rank < 3 || int64_t(filter.size()) != rank)
    return op.emitOpError() << "operand of shape " << shapeString(input)
                            << " and filter of shape " << shapeString(filter)
                            << " must have one rank, at least 3",
           failure();
  Geometry result{{rank, op.getChannelsFirst()}, {}, {}};
  result.input = permuted(input, result.layout.toLast());
  SmallVector<int64_t> sizes;
  for (AffineExpr dim : filter.drop_back(2)) {
    std::optional<int64_t> known = ShapeContext::asConstant(dim);
    if (!known)
      return op.emitOpError("the filter's window is not known at compile time"),
             failure();
    sizes.push_back(*known);
  }
  FailureOr<SmallVector<WindowDim>> window =
      windowGeometry(op, shapes, ArrayRef(result.input).slice(1, rank - 2),
                     {sizes, op.getStrides(), op.getDilations(),
                      op.getPadding(), op.getExplicitPadding()});
  if (failed(window))
    return failure();
  result.window = *window;
  return result;
}

/// [N, spatial..., channels] of the result.
Dims resultDims(const Geometry &geometry, AffineExpr channels) {
  Dims dims{geometry.input.front()};
  for (const WindowDim &dim : geometry.window)
    dims.push_back(dim.output);
  dims.push_back(channels);
  return dims;
}

/// How many groups of filter channels the operand's channels are.
FailureOr<int64_t> groupCount(Operation *op, ShapeContext &shapes,
                              AffineExpr channels, AffineExpr perGroup,
                              AffineExpr results) {
  std::optional<int64_t> all = ShapeContext::asConstant(channels),
                         part = ShapeContext::asConstant(perGroup),
                         out = ShapeContext::asConstant(results);
  if (!all || !part || channels == perGroup)
    return 1;
  if (*all == 0 || *part == 0 || *all % *part != 0 ||
      (out && *out % (*all / *part) != 0))
    return op->emitOpError()
               << "operand has " << *all << " channels, but the filter takes "
               << *part << " and gives " << out.value_or(0),
           failure();
  return *all / *part;
}

/// An operand with its channels last.
Value channelsLast(LoweringContext &lowering, Location loc, Value operand,
                   const Layout &layout) {
  return transposed(lowering.builder, loc, lowering.get(operand),
                    layout.toLast());
}

void setChannelsLast(LoweringContext &lowering, Location loc, Value result,
                     Value value, const Layout &layout) {
  lowering.set(result,
               transposed(lowering.builder, loc, value, layout.fromLast()));
}

} // namespace

//===----------------------------------------------------------------------===//
// Borders of zeros become padding: nothing is copied then.
//===----------------------------------------------------------------------===//

namespace {
template <typename OpTy> struct JoinPad : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getInput().template getDefiningOp<PadOp>();
    DenseIntElementsAttr widths;
    if (!pad || op.getPadding() == "SAME" ||
        !matchPattern(pad.getPaddings(), m_Constant(&widths)) ||
        !(matchPattern(pad.getValue(), m_AnyZeroFloat()) ||
          matchPattern(pad.getValue(), m_Zero())))
      return failure();
    auto values = llvm::map_to_vector(widths.getValues<APInt>(),
                                      [](APInt v) { return v.getSExtValue(); });
    int64_t rank = values.size() / 2;
    Layout layout{rank, op.getChannelsFirst()};
    for (int64_t d : {int64_t(0), layout.channels()})
      if (values[2 * d] != 0 || values[2 * d + 1] != 0)
        return failure();
    SmallVector<int64_t> padding(op.getExplicitPadding());
    padding.resize(2 * (rank - 2), 0);
    for (int64_t i = 0; i < rank - 2; ++i)
      for (int64_t side : {0, 1})
        padding[2 * i + side] += values[2 * layout.spatial(i) + side];
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(pad.getInput());
      op.setPadding("EXPLICIT");
      op.setExplicitPadding(padding);
    });
    return success();
  }
};
} // namespace

void ConvOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<JoinPad<ConvOp>>(context);
}
void DepthwiseConvOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                  MLIRContext *context) {
  patterns.add<JoinPad<DepthwiseConvOp>>(context);
}

//===----------------------------------------------------------------------===//
// conv
//===----------------------------------------------------------------------===//

LogicalResult ConvOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Geometry> shape = geometry(*this, shapes, shapes.dims(getInput()));
  if (failed(shape) || failed(expectContractible(*this)))
    return failure();
  ArrayRef<AffineExpr> filter = shapes.dims(getFilter()).take_back(2);
  if (failed(
          groupCount(*this, shapes, shape->input.back(), filter[0], filter[1])))
    return failure();
  shapes.setDims(getResult(), permuted(resultDims(*shape, filter[1]),
                                       shape->layout.fromLast()));
  return success();
}

/// A depthwise convolution of `input` (channels last, of sizes `dims`) by
/// `filters` [window..., channels, multiplier], which gives `channels`.
static void lowerDepthwise(Operation *op, LoweringContext &lowering,
                           const Geometry &shape, Value input, Dims dims,
                           Value filters, AffineExpr channels) {
  OpBuilder &b = lowering.builder;
  Location loc = op->getLoc();
  Type element = getElementTypeOrSelf(input.getType());
  SmallVector<int64_t> padding = constantPadding(
      lowering, loc, input, dims, shape.window, b.getZeroAttr(element));
  Value destination = lowering.empty(resultDims(shape, channels), element);
  auto window = tenon::kernel::WindowOp::create(
      b, loc, tenon::kernel::WindowKind::Depthwise, input, filters, destination,
      sizesOf(shape.window), stridesOf(shape.window), dilationsOf(shape.window),
      padding);
  setChannelsLast(lowering, loc, op->getResult(0), window->getResult(0),
                  shape.layout);
}

LogicalResult ConvOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Geometry> shape = geometry(*this, shapes, shapes.dims(getInput()));
  if (failed(shape))
    return failure();
  ArrayRef<AffineExpr> filter = shapes.dims(getFilter()).take_back(2);
  FailureOr<int64_t> groups =
      groupCount(*this, shapes, shape->input.back(), filter[0], filter[1]);
  if (failed(groups))
    return failure();
  Value input = channelsLast(lowering, loc, getInput(), shape->layout);
  Dims dims = shape->input;
  Type element = getElementTypeOrSelf(input.getType());
  if (*groups == 1) {
    Dims wanted(dims);
    wanted.back() = filter[0];
    input = conform(lowering, loc, input, dims, wanted,
                    "the operand's channels are not the filter's");
    dims = wanted;
  }
  if (*groups > 1 && ShapeContext::asConstant(filter[0]) == 1) {
    // Groups of one channel are a depthwise convolution.
    Dims from(shapes.dims(getFilter())), to(from);
    AffineExpr count = shapes.constant(*groups);
    to[shape->spatial()] = count;
    to.back() = shapes.exactQuotient(from.back(), count);
    lowerDepthwise(
        *this, lowering, *shape, input, dims,
        reshapeTo(lowering, loc, lowering.get(getFilter()), from, to),
        filter[1]);
    return success();
  }
  SmallVector<int64_t> padding = constantPadding(
      lowering, loc, input, dims, shape->window, b.getZeroAttr(element));
  Value destination = lowering.empty(resultDims(*shape, filter[1]), element);
  Value weights = packed(b, loc, lowering.get(getFilter()), shape->spatial(),
                         *groups, /*transposeB=*/false);
  Value result = kernel::ContractOp::create(b, loc, input, weights, destination,
                                            stridesOf(shape->window),
                                            dilationsOf(shape->window), padding,
                                            ArrayRef<int64_t>(), *groups)
                     ->getResult(0);
  setChannelsLast(lowering, loc, getResult(), result, shape->layout);
  return success();
}

//===----------------------------------------------------------------------===//
// depthwise_conv
//===----------------------------------------------------------------------===//

LogicalResult DepthwiseConvOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Geometry> shape = geometry(*this, shapes, shapes.dims(getInput()));
  if (failed(shape) || failed(expectContractible(*this)))
    return failure();
  ArrayRef<AffineExpr> filter = shapes.dims(getFilter()).take_back(2);
  if (failed(expectSame(*this, shape->input.back(), filter[0],
                        "channels of operand and filter")))
    return failure();
  shapes.setDims(getResult(),
                 permuted(resultDims(*shape, filter[0] * filter[1]),
                          shape->layout.fromLast()));
  return success();
}

LogicalResult DepthwiseConvOp::lowerToLinalg(LoweringContext &lowering) {
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Geometry> shape = geometry(*this, shapes, shapes.dims(getInput()));
  if (failed(shape))
    return failure();
  ArrayRef<AffineExpr> filter = shapes.dims(getFilter()).take_back(2);
  Value input = channelsLast(lowering, loc, getInput(), shape->layout);
  Dims dims = shape->input, wanted(dims);
  wanted.back() = filter[0];
  input = conform(lowering, loc, input, dims, wanted,
                  "the operand's channels are not the filter's");
  lowerDepthwise(*this, lowering, *shape, input, wanted,
                 lowering.get(getFilter()), filter[0] * filter[1]);
  return success();
}

//===----------------------------------------------------------------------===//
// conv_transpose
//===----------------------------------------------------------------------===//

/// The dims of the result: given, or what the convolution's geometry and the
/// filter say.
static FailureOr<Dims> enlargedDims(ConvTransposeOp op, ShapeContext &shapes) {
  FailureOr<int64_t> rank =
      vectorLength(op, shapes, op.getOutputShape(), "output_shape");
  if (failed(rank) ||
      failed(expectRank(op, shapes, op.getInput(), *rank, "operand")))
    return failure();
  Dims dims = elementsOrNull(shapes, op.getOutputShape(), *rank);
  // The batch is the operand's in any case.
  dims[0] = shapes.dim(op.getInput(), 0);
  for (auto [i, dim] : llvm::enumerate(dims))
    if (!dim)
      dim = shapes.freshSymbol(op.getResult(), i);
  return dims;
}

static LogicalResult checkTransposed(ConvTransposeOp op, ShapeContext &shapes,
                                     const Geometry &shape) {
  ArrayRef<AffineExpr> filter = shapes.dims(op.getFilter()).take_back(2);
  Dims input = permuted(shapes.dims(op.getInput()), shape.layout.toLast());
  if (failed(expectSame(op, input.back(), filter[1],
                        "channels of operand and filter")))
    return failure();
  for (auto [i, dim] : llvm::enumerate(shape.window))
    if (failed(expectSame(op, input[i + 1], dim.output,
                          "sizes of the operand and of the convolution of "
                          "the result")))
      return failure();
  return success();
}

LogicalResult ConvTransposeOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = enlargedDims(*this, shapes);
  if (failed(dims) || failed(expectContractible(*this)))
    return failure();
  FailureOr<Geometry> shape = geometry(*this, shapes, *dims);
  if (failed(shape) || failed(checkTransposed(*this, shapes, *shape)))
    return failure();
  ArrayRef<AffineExpr> filter = shapes.dims(getFilter()).take_back(2);
  if (failed(
          groupCount(*this, shapes, shape->input.back(), filter[0], filter[1])))
    return failure();
  shapes.setDims(getResult(), *dims);
  return success();
}

LogicalResult ConvTransposeOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Dims known =
      elementsOrNull(shapes, getOutputShape(), shapes.dims(getResult()).size());
  for (auto [i, dim] : llvm::enumerate(known))
    if (!dim)
      lowering.bindDim(getResult(), i,
                       b.createOrFold<arith::MaxSIOp>(
                           loc, lowering.element(getOutputShape(), i),
                           lowering.constantIndex(0)));
  FailureOr<Geometry> shape = geometry(*this, shapes, shapes.dims(getResult()));
  if (failed(shape))
    return failure();
  ArrayRef<AffineExpr> filter = shapes.dims(getFilter()).take_back(2);
  FailureOr<int64_t> groups =
      groupCount(*this, shapes, shape->input.back(), filter[0], filter[1]);
  if (failed(groups))
    return failure();
  // The windows' places in the operand, read backwards: position p of the
  // result meets element (p + low - k * dilation) / stride.
  SmallVector<int64_t> padding, ones(shape->spatial(), 1);
  // Padding that only the run knows is cut off the result instead.
  Dims padded(shape->input);
  SmallVector<OpFoldResult> offsets(padded.size(), b.getIndexAttr(0)),
      steps(padded.size(), b.getIndexAttr(1));
  for (auto [i, dim] : llvm::enumerate(shape->window)) {
    std::optional<int64_t> constant = ShapeContext::asConstant(dim.low);
    padding.push_back(dim.extent() - 1 - constant.value_or(0));
    if (constant)
      continue;
    padded[i + 1] = padded[i + 1] + dim.low;
    offsets[i + 1] = lowering.size(dim.low);
  }
  Value input = channelsLast(lowering, loc, getInput(), shape->layout);
  Dims dims = permuted(shapes.dims(getInput()), shape->layout.toLast()),
       wanted(dims);
  wanted.back() = filter[1];
  wanted[0] = shape->input[0];
  input = conform(lowering, loc, input, dims, wanted,
                  "the operand's channels are not the filter's");
  auto requireSame = [&](AffineExpr x, AffineExpr y, const char *message) {
    if (x != y && !(ShapeContext::asConstant(x) && ShapeContext::asConstant(y)))
      require(lowering, loc,
              equal(b, loc, lowering.index(x), lowering.index(y)), message);
  };
  for (auto [i, dim] : llvm::enumerate(shape->window))
    requireSame(dims[i + 1], dim.output,
                "the operand has other sizes than the convolution of the "
                "result");
  if (*groups == 1)
    requireSame(shape->input.back(), filter[0],
                "the result's channels are not the filter's");
  Value weights = lowering.get(getFilter());
  if (*groups > 1) {
    // [window..., K / G, C] holds its groups in C; the kernel wants them first.
    Dims from(shapes.dims(getFilter())), split(from);
    int64_t spatial = shape->spatial();
    split.back() = shapes.exactQuotient(split.back(), shapes.constant(*groups));
    split.insert(split.begin() + spatial + 1, shapes.constant(*groups));
    weights = reshapeTo(lowering, loc, weights, from, split);
    auto order = llvm::to_vector(llvm::seq<int64_t>(0, spatial + 3));
    std::swap(order[spatial], order[spatial + 1]);
    weights = transposed(b, loc, weights, order);
    Dims moved = permuted(split, order), merged(moved);
    merged.erase(merged.begin() + spatial);
    merged[spatial] = merged[spatial] * *groups;
    weights = reshapeTo(lowering, loc, weights, moved, merged);
  }
  Value panels = packed(b, loc, weights, shape->spatial(), *groups,
                        /*transposeB=*/true, /*reverse=*/true);
  Type element = getElementTypeOrSelf(input.getType());
  Value result = kernel::ContractOp::create(
                     b, loc, input, panels, lowering.empty(padded, element),
                     ones, dilationsOf(shape->window), padding,
                     stridesOf(shape->window), *groups)
                     ->getResult(0);
  if (padded != shape->input) {
    SmallVector<OpFoldResult> sizes;
    for (AffineExpr dim : shape->input)
      sizes.push_back(lowering.size(dim));
    result = sliceAt(b, loc, typeOf(shape->input, element), result, offsets,
                     sizes, steps);
  }
  setChannelsLast(lowering, loc, getResult(), result, shape->layout);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Convolution.cpp.inc"

void GraphDialect::registerConvolutionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Convolution.cpp.inc"
      >();
}
