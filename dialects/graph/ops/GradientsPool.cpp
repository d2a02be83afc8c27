// Ops of Gradients.td that belong to pooling.
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/GradientSupport.h"
#include "dialects/graph/ops/Gradients.h"
#include "dialects/graph/ops/Reduce.h"

using namespace mlir;
using namespace tenon::graph;

namespace {
/// Pooling of a tensor, channels last.
struct Pooling {
  Layout layout;
  Dims input, output;
  SmallVector<WindowDim> window;
};

template <typename OpTy>
FailureOr<Pooling> poolingOf(OpTy op, ShapeContext &shapes,
                             ArrayRef<AffineExpr> dims) {
  Pooling result{{int64_t(dims.size()), op.getChannelsFirst()}, {}, {}, {}};
  if (result.layout.rank < 3 ||
      int64_t(op.getWindow().size()) != result.layout.rank - 2)
    return op.emitOpError()
               << "a tensor of shape " << shapeString(dims) << " does not have "
               << op.getWindow().size() << " spatial dimensions",
           failure();
  result.input = permuted(dims, result.layout.toLast());
  FailureOr<SmallVector<WindowDim>> window = windowGeometry(
      op, shapes, ArrayRef(result.input).drop_front().drop_back(),
      {op.getWindow(),
       op.getStrides(),
       {},
       op.getPadding(),
       op.getExplicitPadding()});
  if (failed(window))
    return failure();
  result.window = *window;
  result.output = result.input;
  for (auto [i, dim] : llvm::enumerate(result.window))
    result.output[i + 1] = dim.output;
  return result;
}

LogicalResult expectDims(Operation *op, ArrayRef<AffineExpr> have,
                         ArrayRef<AffineExpr> want, StringRef what) {
  if (have.size() != want.size())
    return op->emitOpError() << what << " has shape " << shapeString(have)
                             << ", expected " << shapeString(want);
  for (auto [a, b] : llvm::zip(have, want))
    if (failed(expectSame(op, a, b, (what + " and its expected sizes").str())))
      return failure();
  return success();
}

LogicalResult expectOrdered(Operation *op, Type element) {
  if (element.isInteger(1) || !element.isIntOrFloat())
    return op->emitOpError() << "cannot pool elements of type " << element;
  return success();
}

Value channelsLast(LoweringContext &lowering, Location loc, Value value,
                   const Layout &layout) {
  return transposed(lowering.builder, loc, lowering.get(value),
                    layout.toLast());
}

/// Finds the first of the greatest elements of a window, inside of a
/// linalg.generic whose loops are [N, window..., C].
class GreatestPlace {
public:
  GreatestPlace(LoweringContext &lowering, const Pooling &pooling, Value input,
                Type graphType)
      : pooling(pooling), input(input), graphType(graphType) {
    for (const WindowDim &dim : pooling.window) {
      lows.push_back(lowering.index(dim.low));
      sizes.push_back(lowering.index(dim.input));
    }
  }

  struct Found {
    Value greatest;
    Value number; ///< of the element in the window, an i32; -1: none
  };
  Found find(OpBuilder &b, Location loc) {
    // An index of the generic cannot be asked for inside of a loop.
    outer.clear();
    for (size_t i = 0; i < pooling.window.size() + 2; ++i)
      outer.push_back(linalg::IndexOp::create(b, loc, i));
    int64_t count = 1;
    for (const WindowDim &dim : pooling.window)
      count = std::min<int64_t>(count * dim.size, kUnrolledWindow + 1);
    Type type = accumulatorType(getElementTypeOrSelf(input.getType()));
    State start{zeroOf(b, loc, type), i32(b, loc, -1), true};
    State end = search(b, loc, 0, start, constantIndex(b, loc, 0), {}, Value(),
                       count <= kUnrolledWindow);
    return {end.greatest, end.best};
  }

private:
  struct State {
    Value greatest, best;
    bool first; ///< nothing was seen yet, for certain
  };

  static Value i32(OpBuilder &b, Location loc, int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 32);
  }

  Value isGreater(OpBuilder &b, Location loc, Value x, Value y) const {
    if (isa<FloatType>(x.getType()))
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
    return arith::CmpIOp::create(b, loc,
                                 isUnsigned(graphType)
                                     ? arith::CmpIPredicate::ugt
                                     : arith::CmpIPredicate::sgt,
                                 x, y);
  }

  State compare(OpBuilder &b, Location loc, const State &state, Value number,
                ArrayRef<Value> place, Value inside) const {
    SmallVector<Value> position{outer.front()};
    llvm::append_range(position, place);
    position.push_back(outer.back());
    Value x = tensor::ExtractOp::create(b, loc, input, position);
    x = convertFloat(b, loc, x, state.greatest.getType());
    Value here = arith::IndexCastOp::create(b, loc, b.getI32Type(), number);
    if (state.first && !inside)
      return {x, here, false};
    Value none = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                       state.best, i32(b, loc, 0));
    Value take = isGreater(b, loc, x, state.greatest);
    take = arith::OrIOp::create(b, loc, take, none);
    if (inside)
      take = both(b, loc, take, inside);
    return {select(b, loc, take, x, state.greatest),
            select(b, loc, take, here, state.best), false};
  }

  State search(OpBuilder &b, Location loc, unsigned dim, State state,
               Value number, SmallVector<Value> place, Value inside,
               bool unroll) const {
    if (dim == pooling.window.size())
      return compare(b, loc, state, number, place, inside);
    const WindowDim &along = pooling.window[dim];
    auto step = [&](OpBuilder &nested, Value element, const State &before) {
      Value size = constantIndex(nested, loc, along.size),
            next = add(nested, loc, mul(nested, loc, number, size), element),
            output = outer[dim + 1], counts = inside;
      SmallVector<Value> at(place);
      at.push_back(
          checkedPlace(nested, loc, along,
                       placeOf(nested, loc, along, output, element, lows[dim]),
                       sizes[dim], counts));
      return search(nested, loc, dim + 1, before, next, at, counts, unroll);
    };
    if (unroll) {
      for (int64_t k = 0; k < along.size; ++k)
        state = step(b, constantIndex(b, loc, k), state);
      return state;
    }
    auto loop = scf::ForOp::create(
        b, loc, constantIndex(b, loc, 0), constantIndex(b, loc, along.size),
        constantIndex(b, loc, 1), ValueRange{state.greatest, state.best},
        [&](OpBuilder &nested, Location at, Value element, ValueRange v) {
          State after = step(nested, element, {v[0], v[1], false});
          scf::YieldOp::create(nested, at,
                               ValueRange{after.greatest, after.best});
        });
    return {loop.getResult(0), loop.getResult(1), false};
  }

  const Pooling &pooling;
  Value input;
  Type graphType;
  SmallVector<Value> lows, sizes, outer;
};
} // namespace

//===----------------------------------------------------------------------===//
// max_pool_grad
//===----------------------------------------------------------------------===//

LogicalResult MaxPoolGradOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  FailureOr<Pooling> pooling = poolingOf(*this, shapes, dims);
  if (failed(pooling) ||
      failed(
          expectOrdered(*this, getElementTypeOrSelf(getInput().getType()))) ||
      failed(expectOrdered(*this,
                           getElementTypeOrSelf(getGradient().getType()))) ||
      failed(expectDims(*this, shapes.dims(getGradient()),
                        permuted(pooling->output, pooling->layout.fromLast()),
                        "gradient")))
    return failure();
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult MaxPoolGradOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Pooling> pooling =
      poolingOf(*this, shapes, shapes.dims(getInput()));
  if (failed(pooling))
    return failure();
  const Layout &layout = pooling->layout;
  Value input = channelsLast(lowering, loc, getInput(), layout),
        gradient = conform(
            lowering, loc, channelsLast(lowering, loc, getGradient(), layout),
            permuted(shapes.dims(getGradient()), layout.toLast()),
            pooling->output,
            "the gradient does not have the size of the result");
  GreatestPlace greatest(lowering, *pooling, input,
                         getElementTypeOrSelf(getInput().getType()));
  // Of each window the place of the first greatest element, or its value.
  Type compared = accumulatorType(getElementTypeOrSelf(input.getType()));
  Value found =
      parallelOver(lowering, loc, pooling->output,
                   getEvery() ? compared : Type(b.getI32Type()), {}, {},
                   [&](OpBuilder &nested, Location at, ValueRange) {
                     GreatestPlace::Found one = greatest.find(nested, at);
                     return getEvery() ? one.greatest : one.number;
                   });
  WindowIndices windows(lowering, pooling->window);
  Type type = getElementTypeOrSelf(gradient.getType()),
       accumulator = accumulatorType(type);
  Value result = parallelOver(
      lowering, loc, pooling->input, type, {}, {},
      [&](OpBuilder &nested, Location at, ValueRange) {
        Value image = linalg::IndexOp::create(nested, at, 0),
              channel = linalg::IndexOp::create(nested, at, layout.rank - 1);
        Value element;
        if (getEvery()) {
          SmallVector<Value> here;
          for (int64_t i = 0; i < layout.rank; ++i)
            here.push_back(linalg::IndexOp::create(nested, at, i));
          element = convertFloat(
              nested, at, tensor::ExtractOp::create(nested, at, input, here),
              compared);
        }
        Value total = windows.sumOver(
            nested, at, zeroOf(nested, at, accumulator),
            [&](OpBuilder &inner, Location where, ArrayRef<Value> window,
                ArrayRef<Value> elements) -> Value {
              SmallVector<Value> from{image};
              llvm::append_range(from, window);
              from.push_back(channel);
              Value of = tensor::ExtractOp::create(inner, where, found, from),
                    mine;
              if (!getEvery()) {
                Value number = constantIndex(inner, where, 0);
                for (auto [dim, index] : llvm::zip(pooling->window, elements))
                  number = add(inner, where,
                               mul(inner, where, number,
                                   constantIndex(inner, where, dim.size)),
                               index);
                mine = equal(inner, where, of,
                             arith::IndexCastOp::create(
                                 inner, where, inner.getI32Type(), number));
              } else if (isa<FloatType>(compared)) {
                mine = arith::CmpFOp::create(
                    inner, where, arith::CmpFPredicate::OEQ, of, element);
              } else {
                mine = equal(inner, where, of, element);
              }
              Value x = convertFloat(
                  inner, where,
                  tensor::ExtractOp::create(inner, where, gradient, from),
                  accumulator);
              return select(inner, where, mine, x,
                            zeroOf(inner, where, accumulator));
            });
        return convertFloat(nested, at, total, type);
      });
  lowering.set(getResult(), transposed(b, loc, result, layout.fromLast()));
  return success();
}

//===----------------------------------------------------------------------===//
// max_pool_pick
//===----------------------------------------------------------------------===//

LogicalResult MaxPoolPickOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  FailureOr<Pooling> pooling = poolingOf(*this, shapes, dims);
  if (failed(pooling) ||
      failed(
          expectOrdered(*this, getElementTypeOrSelf(getInput().getType()))) ||
      failed(expectDims(*this, shapes.dims(getValues()), dims, "values")))
    return failure();
  shapes.setDims(getResult(),
                 permuted(pooling->output, pooling->layout.fromLast()));
  return success();
}

LogicalResult MaxPoolPickOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Pooling> pooling =
      poolingOf(*this, shapes, shapes.dims(getInput()));
  if (failed(pooling))
    return failure();
  const Layout &layout = pooling->layout;
  Value input = channelsLast(lowering, loc, getInput(), layout),
        values = conform(
            lowering, loc, channelsLast(lowering, loc, getValues(), layout),
            permuted(shapes.dims(getValues()), layout.toLast()), pooling->input,
            "the values do not have the size of the operand");
  GreatestPlace greatest(lowering, *pooling, input,
                         getElementTypeOrSelf(getInput().getType()));
  SmallVector<Value> lows, sizes;
  for (const WindowDim &dim : pooling->window) {
    lows.push_back(lowering.index(dim.low));
    sizes.push_back(lowering.index(dim.input));
  }
  Value result = parallelOver(
      lowering, loc, pooling->output, getElementTypeOrSelf(values.getType()),
      {}, {}, [&](OpBuilder &nested, Location at, ValueRange) -> Value {
        Value number = greatest.find(nested, at).number,
              zero = constantIndex(nested, at, 0);
        Value none = arith::CmpIOp::create(
            nested, at, arith::CmpIPredicate::slt, number,
            arith::ConstantIntOp::create(nested, at, 0, 32));
        Value rest = arith::IndexCastOp::create(nested, at,
                                                nested.getIndexType(), number);
        rest = nested.createOrFold<arith::MaxSIOp>(at, rest, zero);
        SmallVector<Value> position(layout.rank);
        position.front() = linalg::IndexOp::create(nested, at, 0);
        position.back() = linalg::IndexOp::create(nested, at, layout.rank - 1);
        for (int64_t i = layout.rank - 3; i >= 0; --i) {
          const WindowDim &dim = pooling->window[i];
          Value size = constantIndex(nested, at, dim.size),
                element = nested.createOrFold<arith::RemUIOp>(at, rest, size),
                window = linalg::IndexOp::create(nested, at, i + 1), unused;
          rest = nested.createOrFold<arith::DivUIOp>(at, rest, size);
          position[i + 1] =
              checkedPlace(nested, at, dim,
                           placeOf(nested, at, dim, window, element, lows[i]),
                           sizes[i], unused);
        }
        Value picked = tensor::ExtractOp::create(nested, at, values, position);
        return arith::SelectOp::create(
            nested, at, none, zeroOf(nested, at, picked.getType()), picked);
      });
  lowering.set(getResult(), transposed(b, loc, result, layout.fromLast()));
  return success();
}

//===----------------------------------------------------------------------===//
// avg_pool_grad
//===----------------------------------------------------------------------===//

/// The pooled tensor's dims; null where only the run knows them.
static FailureOr<Dims> pooledDims(AvgPoolGradOp op, ShapeContext &shapes) {
  FailureOr<int64_t> rank =
      vectorLength(op, shapes, op.getInputShape(), "input_shape");
  if (failed(rank) ||
      failed(expectRank(op, shapes, op.getGradient(), *rank, "gradient")))
    return failure();
  Dims dims = elementsOrNull(shapes, op.getInputShape(), *rank);
  Layout layout{*rank, op.getChannelsFirst()};
  for (int64_t d : {int64_t(0), layout.channels()})
    dims[d] = shapes.dim(op.getGradient(), d);
  return dims;
}

LogicalResult AvgPoolGradOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = pooledDims(*this, shapes);
  if (failed(dims))
    return failure();
  if (!isa<FloatType>(getElementTypeOrSelf(getGradient().getType())))
    return emitOpError("means of integers are not defined");
  for (auto [i, dim] : llvm::enumerate(*dims))
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
  FailureOr<Pooling> pooling = poolingOf(*this, shapes, *dims);
  if (failed(pooling) ||
      failed(expectDims(*this, shapes.dims(getGradient()),
                        permuted(pooling->output, pooling->layout.fromLast()),
                        "gradient")))
    return failure();
  shapes.setDims(getResult(), *dims);
  return success();
}

LogicalResult AvgPoolGradOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Dims> known = pooledDims(*this, shapes);
  if (failed(known))
    return failure();
  for (auto [i, dim] : llvm::enumerate(*known))
    if (!dim)
      lowering.bindDim(getResult(), i,
                       b.createOrFold<arith::MaxSIOp>(
                           loc, lowering.element(getInputShape(), i),
                           lowering.constantIndex(0)));
  FailureOr<Pooling> pooling =
      poolingOf(*this, shapes, shapes.dims(getResult()));
  if (failed(pooling))
    return failure();
  const Layout &layout = pooling->layout;
  Value gradient = conform(
      lowering, loc, channelsLast(lowering, loc, getGradient(), layout),
      permuted(shapes.dims(getGradient()), layout.toLast()), pooling->output,
      "the gradient does not have the size of the result");
  WindowIndices windows(lowering, pooling->window);
  SmallVector<Value> lows, sizes;
  for (const WindowDim &dim : pooling->window) {
    lows.push_back(lowering.index(dim.low));
    sizes.push_back(lowering.index(dim.input));
  }
  Type element = getElementTypeOrSelf(gradient.getType()),
       accumulator = accumulatorType(element);
  Value result = parallelOver(
      lowering, loc, pooling->input, element, {}, {},
      [&](OpBuilder &nested, Location at, ValueRange) {
        Value image = linalg::IndexOp::create(nested, at, 0),
              channel = linalg::IndexOp::create(nested, at, layout.rank - 1);
        Value total = windows.sumOver(
            nested, at, zeroOf(nested, at, accumulator),
            [&](OpBuilder &inner, Location where, ArrayRef<Value> window,
                ArrayRef<Value>) -> Value {
              SmallVector<Value> from{image};
              llvm::append_range(from, window);
              from.push_back(channel);
              // Elements of the window that are inside of the input.
              Value count = constantIndex(inner, where, 1),
                    zero = constantIndex(inner, where, 0);
              for (auto [i, dim] : llvm::enumerate(pooling->window)) {
                Value first =
                    placeOf(inner, where, dim, window[i], zero, lows[i]);
                Value end = add(inner, where, first,
                                constantIndex(inner, where, dim.size));
                end = inner.createOrFold<arith::MinSIOp>(where, end, sizes[i]);
                first = inner.createOrFold<arith::MaxSIOp>(where, first, zero);
                count = mul(inner, where, count, sub(inner, where, end, first));
              }
              Value divisor = arith::SIToFPOp::create(
                  inner, where, accumulator,
                  arith::IndexCastOp::create(inner, where, inner.getI64Type(),
                                             count));
              Value x = convertFloat(
                  inner, where,
                  tensor::ExtractOp::create(inner, where, gradient, from),
                  accumulator);
              return arith::DivFOp::create(inner, where, x, divisor);
            });
        return convertFloat(nested, at, total, element);
      });
  lowering.set(getResult(), transposed(b, loc, result, layout.fromLast()));
  return success();
}
