// Derivatives of convolutions.
#include "dialects/graph/ops/Gradients.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/ContractionSupport.h"
#include "dialects/graph/ops/GradientSupport.h"
#include "dialects/graph/ops/Reduce.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::graph;

namespace {
/// x * y of any two numbers.
Value product(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::MulFOp::create(b, loc, x, y);
  if (isa<ComplexType>(x.getType()))
    return complex::MulOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

/// A convolution in terms of what its derivatives are given.
struct Convolution {
  Layout layout;
  Dims input, gradient; ///< channels last
  Dims filter;          ///< [spatial..., C / groups or C, K or M]
  SmallVector<WindowDim> window;
  int64_t groups = 1;
  int64_t spatial() const { return window.size(); }
};

/// The sizes of a filter whose `window` sizes must be known.
LogicalResult setWindow(Operation *op, ShapeContext &shapes,
                        Convolution &convolution,
                        const WindowAttributes &attributes) {
  SmallVector<int64_t> sizes;
  for (AffineExpr dim : ArrayRef(convolution.filter).drop_back(2)) {
    std::optional<int64_t> known = ShapeContext::asConstant(dim);
    if (!known)
      return op->emitOpError(
          "the filter's window is not known at compile time");
    sizes.push_back(*known);
  }
  WindowAttributes all = attributes;
  all.window = sizes;
  FailureOr<SmallVector<WindowDim>> window = windowGeometry(
      op, shapes, ArrayRef(convolution.input).drop_front().drop_back(), all);
  if (failed(window))
    return failure();
  convolution.window = *window;
  for (auto [i, dim] : llvm::enumerate(convolution.window))
    if (failed(expectSame(op, convolution.gradient[i + 1], dim.output,
                          "sizes of the gradient and of the convolution's "
                          "result")))
      return failure();
  return success();
}

LogicalResult expectRanks(Operation *op, size_t rank, size_t other) {
  if (rank >= 3 && rank == other)
    return success();
  return op->emitOpError() << "operands of ranks " << rank << " and " << other
                           << " must have one rank, at least 3";
}

/// Of an op with operands input and gradient.
template <typename OpTy>
FailureOr<Convolution> filterGradient(OpTy op, ShapeContext &shapes) {
  ArrayRef<AffineExpr> input = shapes.dims(op.getInput()),
                       gradient = shapes.dims(op.getGradient());
  if (failed(expectRanks(op, input.size(), gradient.size())))
    return failure();
  FailureOr<int64_t> length =
      vectorLength(op, shapes, op.getFilterShape(), "filter_shape");
  if (failed(length))
    return failure();
  std::optional<SmallVector<int64_t>> filter =
      shapes.constants(op.getFilterShape());
  if (!filter)
    return op.emitOpError("filter_shape is not known at compile time"),
           failure();
  if (*length != int64_t(input.size()) ||
      llvm::any_of(*filter, [](int64_t size) { return size < 0; }))
    return op.emitOpError("filter_shape is no shape of a filter"), failure();
  Convolution result{
      {int64_t(input.size()), op.getChannelsFirst()}, {}, {}, {}, {}};
  result.input = permuted(input, result.layout.toLast());
  result.gradient = permuted(gradient, result.layout.toLast());
  for (int64_t size : *filter)
    result.filter.push_back(shapes.constant(size));
  if (failed(setWindow(op, shapes, result,
                       {{},
                        op.getStrides(),
                        op.getDilations(),
                        op.getPadding(),
                        op.getExplicitPadding()})) ||
      failed(expectSame(op, result.input[0], result.gradient[0],
                        "batches of operand and gradient")))
    return failure();
  return result;
}

/// Makes the gradient the one of a convolution of the input.
Value fittingGradient(LoweringContext &lowering, Location loc, Value gradient,
                      const Convolution &convolution, AffineExpr channels) {
  Dims wanted{convolution.input[0]};
  for (const WindowDim &dim : convolution.window)
    wanted.push_back(dim.output);
  wanted.push_back(channels);
  Value last = transposed(lowering.builder, loc, lowering.get(gradient),
                          convolution.layout.toLast());
  return conform(lowering, loc, last, convolution.gradient, wanted,
                 "the gradient does not have the convolution's size");
}
} // namespace

//===----------------------------------------------------------------------===//
// conv_filter_grad
//===----------------------------------------------------------------------===//

static LogicalResult setGroups(Operation *op, Convolution &convolution) {
  int64_t part = *ShapeContext::asConstant(convolution.filter.end()[-2]),
          columns = *ShapeContext::asConstant(convolution.filter.back());
  if (failed(expectSame(op, convolution.gradient.back(),
                        convolution.filter.back(),
                        "channels of gradient and filter")))
    return failure();
  std::optional<int64_t> all =
      ShapeContext::asConstant(convolution.input.back());
  if (!all || *all == part)
    return success();
  if (part == 0 || *all % part != 0 || columns % (*all / part) != 0)
    return op->emitOpError()
           << "operand has " << *all << " channels, but the filter takes "
           << part << " and gives " << columns;
  convolution.groups = *all / part;
  return success();
}

LogicalResult ConvFilterGradOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Convolution> convolution = filterGradient(*this, shapes);
  if (failed(convolution) || failed(expectContractible(*this)) ||
      failed(setGroups(*this, *convolution)))
    return failure();
  shapes.setDims(getResult(), convolution->filter);
  return success();
}

/// Whether each element of the gradient meets one place of the input.
static bool isPointwise(const Convolution &convolution) {
  return convolution.groups == 1 &&
         llvm::all_of(convolution.window, [](const WindowDim &dim) {
           return dim.size == 1 && dim.stride == 1 &&
                  ShapeContext::asConstant(dim.low) == 0 &&
                  dim.input == dim.output;
         });
}

/// The sum over all places is a contraction: of matrices where the window has
/// one element, else of a convolution in which batch and channels have changed
/// places and the gradient is the filter. Strides and dilations change places,
/// too.
LogicalResult ConvFilterGradOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Convolution> convolution = filterGradient(*this, shapes);
  if (failed(convolution) || failed(setGroups(*this, *convolution)))
    return failure();
  Value input = transposed(b, loc, lowering.get(getInput()),
                           convolution->layout.toLast());
  Type element = getElementTypeOrSelf(input.getType());
  Dims dims = convolution->input, filter = convolution->filter, wanted(dims);
  int64_t groups = convolution->groups, spatial = convolution->spatial(),
          rank = spatial + 2;
  AffineExpr part = filter[rank - 2], columns = filter[rank - 1];
  wanted.back() = part * groups;
  input = conform(lowering, loc, input, dims, wanted,
                  "the operand's channels are not the filter's");
  dims = wanted;
  Value gradient =
      fittingGradient(lowering, loc, getGradient(), *convolution, columns);
  Dims from{dims[0]};
  for (const WindowDim &dim : convolution->window)
    from.push_back(dim.output);
  from.push_back(columns);

  if (isPointwise(*convolution)) {
    AffineExpr places = shapes.product(ArrayRef(dims).drop_back());
    Value rows = transposed(
        b, loc, reshapeTo(lowering, loc, input, dims, {places, part}), {1, 0});
    Value panels = packed(
        b, loc, reshapeTo(lowering, loc, gradient, from, {places, columns}),
        /*spatial=*/0, /*groups=*/1, /*transposeB=*/false);
    Value result =
        kernel::ContractOp::create(b, loc, rows, panels,
                                   lowering.empty({part, columns}, element))
            ->getResult(0);
    lowering.set(getResult(),
                 reshapeTo(lowering, loc, result, {part, columns}, filter));
    return success();
  }

  SmallVector<int64_t> padding = constantPadding(
      lowering, loc, input, dims, convolution->window,
      b.getZeroAttr(isa<ComplexType>(element)
                        ? cast<ComplexType>(element).getElementType()
                        : element));
  // Groups lead as a batch dimension.
  int64_t first = groups > 1 ? 1 : 0;
  SmallVector<int64_t> inputOrder, gradientOrder, filterOrder;
  Dims split(dims), splitGradient(from), moved;
  if (first) {
    split.back() = shapes.constant(groups);
    split.push_back(part);
    splitGradient.back() = shapes.constant(groups);
    splitGradient.push_back(
        shapes.exactQuotient(columns, shapes.constant(groups)));
    inputOrder.push_back(rank - 1);
    gradientOrder.push_back(rank - 1);
    moved.push_back(shapes.constant(groups));
  }
  inputOrder.push_back(rank - 1 + first);
  moved.push_back(part);
  for (int64_t i = 1; i <= spatial; ++i) {
    inputOrder.push_back(i);
    gradientOrder.push_back(i);
    moved.push_back(filter[i - 1]);
    filterOrder.push_back(first + i);
  }
  inputOrder.push_back(0);
  gradientOrder.append({0, rank - 1 + first});
  moved.push_back(splitGradient.back());
  filterOrder.push_back(first);
  if (first)
    filterOrder.push_back(0);
  filterOrder.push_back(first + spatial + 1);

  Value places = transposed(
      b, loc, reshapeTo(lowering, loc, input, dims, split), inputOrder);
  Value weights = transposed(
      b, loc, reshapeTo(lowering, loc, gradient, from, splitGradient),
      gradientOrder);
  Value panels = packed(b, loc, weights, spatial, /*groups=*/1,
                        /*transposeB=*/false);
  Value result = kernel::ContractOp::create(
                     b, loc, places, panels, lowering.empty(moved, element),
                     dilationsOf(convolution->window),
                     stridesOf(convolution->window), padding)
                     ->getResult(0);
  lowering.set(getResult(),
               reshapeTo(lowering, loc, transposed(b, loc, result, filterOrder),
                         permuted(moved, filterOrder), filter));
  return success();
}

//===----------------------------------------------------------------------===//
// depthwise_conv_filter_grad
//===----------------------------------------------------------------------===//

LogicalResult DepthwiseConvFilterGradOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Convolution> convolution = filterGradient(*this, shapes);
  if (failed(convolution) || failed(expectContractible(*this)))
    return failure();
  AffineExpr channels = convolution->filter.end()[-2];
  if (failed(expectSame(*this, convolution->input.back(), channels,
                        "channels of operand and filter")) ||
      failed(expectSame(*this, convolution->gradient.back(),
                        channels * convolution->filter.back(),
                        "channels of gradient and filter")))
    return failure();
  shapes.setDims(getResult(), convolution->filter);
  return success();
}

/// Sums over the places of each image, then over the images: short sums keep
/// their digits.
LogicalResult
DepthwiseConvFilterGradOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  FailureOr<Convolution> convolution = filterGradient(*this, lowering.shapes);
  if (failed(convolution))
    return failure();
  ArrayRef<AffineExpr> filter = convolution->filter;
  int64_t spatial = convolution->spatial(), rank = spatial + 2;
  AffineExpr channels = filter[rank - 2] * filter[rank - 1];
  int64_t multiplier = *ShapeContext::asConstant(filter[rank - 1]);
  Dims dims = convolution->input, wanted(dims);
  wanted.back() = filter[rank - 2];
  Value input =
      conform(lowering, loc,
              transposed(b, loc, lowering.get(getInput()),
                         convolution->layout.toLast()),
              dims, wanted, "the operand's channels are not the filter's");
  Value gradient =
      fittingGradient(lowering, loc, getGradient(), *convolution, channels);
  Type element = getElementTypeOrSelf(input.getType()),
       accumulator = accumulatorType(element);

  // Loops: image, window..., channel, place....
  Dims partial{dims[0]};
  llvm::append_range(partial, filter.drop_back(2));
  partial.push_back(channels);
  int64_t loops = partial.size() + spatial;
  SmallVector<AffineExpr> gradientAt{b.getAffineDimExpr(0)};
  for (int64_t i = 0; i < spatial; ++i)
    gradientAt.push_back(b.getAffineDimExpr(rank + i));
  gradientAt.push_back(b.getAffineDimExpr(spatial + 1));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.append(spatial, utils::IteratorType::reduction);
  SmallVector<Value> lows, sizes;
  for (const WindowDim &dim : convolution->window) {
    lows.push_back(lowering.index(dim.low));
    sizes.push_back(lowering.index(dim.input));
  }
  Value start = linalg::FillOp::create(b, loc, zeroOf(b, loc, accumulator),
                                       lowering.empty(partial, accumulator))
                    .getResult(0);
  Value sums =
      linalg::GenericOp::create(
          b, loc, TypeRange{start.getType()}, gradient, start,
          ArrayRef{AffineMap::get(loops, 0, gradientAt, b.getContext()),
                   b.getMultiDimIdentityMap(loops).getMajorSubMap(rank)},
          iterators,
          [&](OpBuilder &nested, Location at, ValueRange v) {
            auto index = [&](int64_t loop) -> Value {
              return linalg::IndexOp::create(nested, at, loop);
            };
            SmallVector<Value> position{index(0)};
            Value inside;
            for (auto [i, dim] : llvm::enumerate(convolution->window)) {
              Value place = placeOf(nested, at, dim, index(rank + i),
                                    index(i + 1), lows[i]);
              position.push_back(
                  checkedPlace(nested, at, dim, place, sizes[i], inside));
            }
            Value channel = index(spatial + 1);
            if (multiplier != 1)
              channel = nested.createOrFold<arith::DivUIOp>(
                  at, channel,
                  constantIndex(nested, at, std::max<int64_t>(multiplier, 1)));
            position.push_back(channel);
            Value x = tensor::ExtractOp::create(nested, at, input, position);
            if (inside)
              x = arith::SelectOp::create(
                  nested, at, inside, x,
                  zeroOf(nested, at, getElementTypeOrSelf(x.getType())));
            Value term =
                product(nested, at, convertFloat(nested, at, x, accumulator),
                        convertFloat(nested, at, v[0], accumulator));
            linalg::YieldOp::create(nested, at, sum(nested, at, v[1], term));
          })
          .getResult(0);
  SmallVector<Value> totals;
  Value zero = zeroOf(b, loc, accumulator);
  Value total = reduceOver(lowering, loc, sums, partial, {0}, zero, totals,
                           [](OpBuilder &nested, Location at, ValueRange in,
                              ValueRange old) -> SmallVector<Value> {
                             return {sum(nested, at, old[0], in[0])};
                           });
  if (accumulator != element)
    total = mapElements(lowering, loc, total, element,
                        [&](OpBuilder &nested, Location at, Value value) {
                          return convertFloat(nested, at, value, element);
                        });
  lowering.set(getResult(), reshapeTo(lowering, loc, total,
                                      ArrayRef(partial).drop_front(), filter));
  return success();
}

//===----------------------------------------------------------------------===//
// depthwise_conv_transpose
//===----------------------------------------------------------------------===//

static FailureOr<Convolution> depthwiseOf(DepthwiseConvTransposeOp op,
                                          ShapeContext &shapes, Dims &dims) {
  FailureOr<int64_t> rank =
      vectorLength(op, shapes, op.getOutputShape(), "output_shape");
  ArrayRef<AffineExpr> gradient = shapes.dims(op.getGradient()),
                       filter = shapes.dims(op.getFilter());
  if (failed(rank) || failed(expectRanks(op, *rank, gradient.size())) ||
      failed(expectRanks(op, *rank, filter.size())))
    return failure();
  Convolution result{{*rank, op.getChannelsFirst()}, {}, {}, Dims(filter), {}};
  result.gradient = permuted(gradient, result.layout.toLast());
  dims = elementsOrNull(shapes, op.getOutputShape(), *rank);
  dims[0] = gradient[0];
  if (failed(expectSame(op,
                        dims[result.layout.channels()]
                            ? dims[result.layout.channels()]
                            : filter[*rank - 2],
                        filter[*rank - 2], "channels of result and filter")) ||
      failed(expectSame(op, result.gradient.back(),
                        filter[*rank - 2] * filter[*rank - 1],
                        "channels of gradient and filter")))
    return failure();
  dims[result.layout.channels()] = filter[*rank - 2];
  return result;
}

static LogicalResult setWindow(DepthwiseConvTransposeOp op,
                               ShapeContext &shapes, Convolution &convolution,
                               ArrayRef<AffineExpr> dims) {
  convolution.input = permuted(dims, convolution.layout.toLast());
  return setWindow(op, shapes, convolution,
                   {{},
                    op.getStrides(),
                    op.getDilations(),
                    op.getPadding(),
                    op.getExplicitPadding()});
}

LogicalResult DepthwiseConvTransposeOp::inferShapes(ShapeContext &shapes) {
  Dims dims;
  FailureOr<Convolution> convolution = depthwiseOf(*this, shapes, dims);
  if (failed(convolution) || failed(expectContractible(*this)))
    return failure();
  for (auto [i, dim] : llvm::enumerate(dims))
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
  if (failed(setWindow(*this, shapes, *convolution, dims)))
    return failure();
  shapes.setDims(getResult(), dims);
  return success();
}

/// With strides of 1 and one filter per channel, a depthwise convolution of the
/// gradient with the filter turned round.
static Value convolveBackwards(LoweringContext &lowering, Location loc,
                               Value gradient, Value filter,
                               const Convolution &convolution) {
  OpBuilder &b = lowering.builder;
  SmallVector<int64_t> padding;
  for (const WindowDim &dim : convolution.window) {
    std::optional<int64_t> low = ShapeContext::asConstant(dim.low);
    if (!low || dim.stride != 1)
      return {};
    padding.push_back(dim.extent() - 1 - *low);
  }
  if (ShapeContext::asConstant(convolution.filter.back()) != 1)
    return {};
  Type element = getElementTypeOrSelf(gradient.getType());
  Value turned = parallelOver(
      lowering, loc, convolution.filter, element, {}, {},
      [&](OpBuilder &nested, Location at, ValueRange) -> Value {
        SmallVector<Value> position;
        for (int64_t i = 0, e = convolution.filter.size(); i < e; ++i) {
          Value index = linalg::IndexOp::create(nested, at, i);
          if (i < convolution.spatial())
            index =
                sub(nested, at,
                    constantIndex(nested, at, convolution.window[i].size - 1),
                    index);
          position.push_back(index);
        }
        return tensor::ExtractOp::create(nested, at, filter, position);
      });
  return kernel::WindowOp::create(
             b, loc, kernel::WindowKind::Depthwise, gradient, turned,
             lowering.empty(convolution.input, element),
             sizesOf(convolution.window), stridesOf(convolution.window),
             dilationsOf(convolution.window), padding)
      ->getResult(0);
}

LogicalResult
DepthwiseConvTransposeOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Dims known;
  FailureOr<Convolution> convolution =
      depthwiseOf(*this, lowering.shapes, known);
  if (failed(convolution))
    return failure();
  for (auto [i, dim] : llvm::enumerate(known))
    if (!dim)
      lowering.bindDim(getResult(), i,
                       b.createOrFold<arith::MaxSIOp>(
                           loc, lowering.element(getOutputShape(), i),
                           lowering.constantIndex(0)));
  if (failed(setWindow(*this, lowering.shapes, *convolution,
                       lowering.shapes.dims(getResult()))))
    return failure();
  ArrayRef<AffineExpr> filter = convolution->filter;
  int64_t spatial = convolution->spatial();
  Value gradient = fittingGradient(lowering, loc, getGradient(), *convolution,
                                   filter[spatial] * filter[spatial + 1]);
  Value weights = lowering.get(getFilter());
  Value result =
      convolveBackwards(lowering, loc, gradient, weights, *convolution);
  Type element = getElementTypeOrSelf(gradient.getType()),
       accumulator = accumulatorType(element);
  if (!result) {
    Value multiplier = lowering.index(filter.back());
    WindowIndices windows(lowering, convolution->window);
    result = parallelOver(
        lowering, loc, convolution->input, element, {}, {},
        [&](OpBuilder &nested, Location at, ValueRange) -> Value {
          auto index = [&](int64_t loop) -> Value {
            return linalg::IndexOp::create(nested, at, loop);
          };
          Value image = index(0), channel = index(spatial + 1),
                first = mul(nested, at, channel, multiplier);
          Value total = windows.sumOver(
              nested, at, zeroOf(nested, at, accumulator),
              [&](OpBuilder &inner, Location where, ArrayRef<Value> window,
                  ArrayRef<Value> element) -> Value {
                // All filters of this channel.
                auto term = [&](OpBuilder &in, Value m) -> Value {
                  SmallVector<Value> from{image}, weight(element);
                  llvm::append_range(from, window);
                  from.push_back(add(in, where, first, m));
                  weight.append({channel, m});
                  Value x = tensor::ExtractOp::create(in, where, gradient,
                                                      from),
                        w = tensor::ExtractOp::create(in, where, weights,
                                                      weight);
                  return product(in, where,
                                 convertFloat(in, where, x, accumulator),
                                 convertFloat(in, where, w, accumulator));
                };
                Value zero = constantIndex(inner, where, 0);
                if (ShapeContext::asConstant(filter.back()) == 1)
                  return term(inner, zero);
                return scf::ForOp::create(
                           inner, where, zero, multiplier,
                           constantIndex(inner, where, 1),
                           zeroOf(inner, where, accumulator),
                           [&](OpBuilder &in, Location, Value m,
                               ValueRange state) {
                             scf::YieldOp::create(
                                 in, where,
                                 sum(in, where, state[0], term(in, m)));
                           })
                    .getResult(0);
              });
          return convertFloat(nested, at, total, element);
        });
  }
  lowering.set(getResult(),
               transposed(b, loc, result, convolution->layout.fromLast()));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Gradients.cpp.inc"

void GraphDialect::registerGradientsOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Gradients.cpp.inc"
      >();
}
