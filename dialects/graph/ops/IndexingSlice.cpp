// slice, strided_slice, strided_slice_update.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// slice
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getBegin(), "begin"),
                     count = vectorLength(*this, shapes, getSize(), "size");
  if (failed(rank) || failed(count) ||
      failed(expectRank(*this, shapes, getInput(), *rank, "operand")))
    return failure();
  if (*count != *rank)
    return emitOpError() << "begin has " << *rank << " elements, but size has "
                         << *count;
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims begins = elementsOrNull(shapes, getBegin(), *rank),
       sizes = elementsOrNull(shapes, getSize(), *rank), dims;
  for (int64_t i = 0; i < *rank; ++i) {
    std::optional<int64_t> begin = ShapeContext::asConstant(begins[i]),
                           size = ShapeContext::asConstant(sizes[i]),
                           whole = ShapeContext::asConstant(from[i]);
    if ((begin && *begin < 0) || (size && *size < -1) ||
        (begin && whole &&
         *begin + std::max<int64_t>(size.value_or(0), 0) > *whole))
      return emitOpError() << "dimension " << i << ": begin "
                           << begin.value_or(0) << " and size "
                           << size.value_or(-1) << " leave a dimension of "
                           << shapeString(from[i]);
    if (size == -1 && begins[i])
      dims.push_back(shapes.maximum(from[i] - begins[i], shapes.constant(0)));
    else if (sizes[i] && size != -1)
      dims.push_back(sizes[i]);
    else
      dims.push_back(shapes.freshSymbol(getResult(), i));
  }
  shapes.setDims(getResult(), dims);
  if (auto offsets = shapes.constants(getBegin()))
    setContentsFrom(shapes, getResult(), getInput(),
                    [&](ArrayRef<int64_t> index) {
                      SmallVector<int64_t> at(index);
                      for (auto [i, offset] : llvm::zip(at, *offsets))
                        i += offset;
                      return std::optional(at);
                    });
  return success();
}

LogicalResult SliceOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Value input = lowering.get(getInput()), result = getResult();
  ArrayRef<AffineExpr> from = shapes.dims(getInput()), to = shapes.dims(result);
  int64_t rank = from.size();
  Dims begins = elementsOrNull(shapes, getBegin(), rank),
       sizes = elementsOrNull(shapes, getSize(), rank);
  Value zero = lowering.constantIndex(0), good;
  SmallVector<OpFoldResult> offsets;
  bool inside = true; // whether every size is known not to exceed the whole
  for (int64_t i = 0; i < rank; ++i) {
    Value whole = lowering.index(from[i]),
          begin = lowering.element(getBegin(), i);
    std::optional<int64_t> size = ShapeContext::asConstant(sizes[i]);
    Value open = begins[i] ? lowering.index(begins[i]) : begin;
    if (!sizes[i] || (size == -1 && !begins[i])) {
      Value given = lowering.element(getSize(), i);
      Value rest = sub(b, loc, whole, open);
      Value minusOne = lowering.constantIndex(-1);
      require(lowering, loc,
              b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge,
                                            given, minusOne),
              "a size is negative");
      Value isRest = equal(b, loc, given, minusOne);
      lowering.bindDim(result, i,
                       b.createOrFold<arith::MaxSIOp>(
                           loc, zero, select(b, loc, isRest, rest, given)));
    }
    if (begins[i] && from[i] - begins[i] == to[i] &&
        shapes.isNonNegative(begins[i])) {
      offsets.push_back(lowering.size(begins[i]));
      continue;
    }
    // Somewhere inside, unless the run finds that it is not.
    inside &= shapes.isNonNegative(from[i] - to[i]);
    Value last = sub(b, loc, whole, lowering.index(to[i]));
    Value offset = clampIndex(b, loc, begin, zero,
                              b.createOrFold<arith::MaxSIOp>(loc, last, zero));
    offsets.push_back(getAsOpFoldResult(offset));
    if (begins[i] && ShapeContext::asConstant(begins[i]) &&
        ShapeContext::asConstant(from[i]) && ShapeContext::asConstant(to[i]))
      continue; // checked when shapes were inferred
    Value fits = both(b, loc, equal(b, loc, offset, begin),
                      b.createOrFold<arith::CmpIOp>(
                          loc, arith::CmpIPredicate::sge, last, zero));
    good = good ? both(b, loc, good, fits) : fits;
  }
  if (good)
    require(lowering, loc, good, "the slice leaves the tensor");
  if (inside) {
    SmallVector<OpFoldResult> ones(rank, b.getIndexAttr(1));
    lowering.set(result,
                 sliceAt(b, loc, LoweringContext::type(result.getType()), input,
                         offsets, lowering.sizes(result), ones));
    return success();
  }
  SmallVector<Value> starts, lasts;
  for (int64_t i = 0; i < rank; ++i) {
    starts.push_back(getValueOrCreateConstantIndexOp(b, loc, offsets[i]));
    lasts.push_back(
        sub(b, loc, lowering.index(from[i]), lowering.constantIndex(1)));
  }
  lowering.set(
      result,
      lowering.generate(
          loc, result, [&](OpBuilder &nested, Location at, ValueRange indices) {
            SmallVector<Value> position;
            for (auto [index, start, last] : llvm::zip(indices, starts, lasts))
              position.push_back(clampIndex(
                  nested, at, add(nested, at, index, start), zero, last));
            return tensor::ExtractOp::create(nested, at, input, position)
                .getResult();
          }));
  return success();
}

//===----------------------------------------------------------------------===//
// strided_slice
//===----------------------------------------------------------------------===//

namespace {

/// One dimension of the tensor under a subscript.
struct Span {
  int64_t entry = -1; ///< of begin, end and strides; -1: the whole dimension
  int64_t stride = 1; ///< 0: only the run knows it
  bool openBegin = true, openEnd = true;
  bool isIndex = false; ///< the dimension goes
  AffineExpr begin;     ///< first position; null when the run computes it
  AffineExpr size;      ///< of the result's dimension, null likewise
};

/// A subscript applied to a tensor: what x[...] means.
struct Subscript {
  SmallVector<Span> ranges;
  /// Per dimension of the result: the operand's dimension, -1: a new one.
  SmallVector<int64_t> order;

  /// The sizes before dimensions go and come.
  Dims kept(ShapeContext &shapes) const {
    Dims dims;
    for (const Span &range : ranges)
      dims.push_back(range.isIndex ? shapes.constant(1) : range.size);
    return dims;
  }
};

/// The ops that have a subscript share the names of its operands.
template <typename OpTy>
FailureOr<Subscript> parseSubscript(OpTy op, ShapeContext &shapes) {
  FailureOr<int64_t> count = vectorLength(op, shapes, op.getBegin(), "begin");
  if (failed(count))
    return failure();
  for (Value other : {op.getEnd(), op.getStrides()})
    if (failed(expectRank(op, shapes, other, 1, "end or strides")) ||
        failed(expectSame(op, shapes.dim(other, 0), shapes.constant(*count),
                          "lengths of begin, end and strides")))
      return failure();
  ArrayRef<AffineExpr> dims = shapes.dims(op.getInput());
  Dims begins = elementsOrNull(shapes, op.getBegin(), *count),
       ends = elementsOrNull(shapes, op.getEnd(), *count),
       strides = elementsOrNull(shapes, op.getStrides(), *count);
  auto has = [](int64_t mask, int64_t i) { return i < 64 && (mask >> i & 1); };
  int64_t used = 0;
  bool ellipsis = false;
  for (int64_t i = 0; i < *count; ++i) {
    if (has(op.getEllipsisMask(), i)) {
      if (ellipsis)
        return op.emitOpError("more than one ellipsis"), failure();
      ellipsis = true;
    } else if (!has(op.getNewAxisMask(), i)) {
      ++used;
    }
  }
  if (used > int64_t(dims.size()))
    return op.emitOpError()
               << "subscript has " << used << " entries for a tensor of shape "
               << shapeString(dims),
           failure();
  Subscript subscript;
  auto whole = [&](int64_t howMany) {
    for (int64_t i = 0; i < howMany; ++i) {
      subscript.order.push_back(subscript.ranges.size());
      subscript.ranges.emplace_back();
    }
  };
  for (int64_t i = 0; i < *count; ++i) {
    if (has(op.getEllipsisMask(), i)) {
      whole(dims.size() - used);
      continue;
    }
    if (has(op.getNewAxisMask(), i)) {
      subscript.order.push_back(-1);
      continue;
    }
    Span range;
    range.entry = i;
    range.isIndex = has(op.getShrinkAxisMask(), i);
    range.openBegin = has(op.getBeginMask(), i) && !range.isIndex;
    range.openEnd = has(op.getEndMask(), i);
    std::optional<int64_t> stride = ShapeContext::asConstant(strides[i]);
    if (!range.isIndex) {
      if (stride == 0)
        return op.emitOpError("has stride 0"), failure();
      // Beyond every size, and safe to negate.
      constexpr int64_t limit = int64_t(1) << 40;
      range.stride = std::clamp(stride.value_or(0), -limit, limit);
      subscript.order.push_back(subscript.ranges.size());
    }
    subscript.ranges.push_back(range);
  }
  if (!ellipsis)
    whole(dims.size() - used);

  AffineExpr zero = shapes.constant(0);
  for (auto [range, dim] : llvm::zip(subscript.ranges, dims)) {
    // A position from the front: negative ones count from the back. Null when
    // the sign is not known.
    auto fromFront = [&, dim = dim](AffineExpr given) -> AffineExpr {
      std::optional<int64_t> known = ShapeContext::asConstant(given);
      if (known)
        return *known < 0 ? dim + *known : given;
      return given && shapes.isNonNegative(given) ? given : AffineExpr();
    };
    AffineExpr begin = range.entry < 0 ? AffineExpr() : begins[range.entry],
               end = range.entry < 0 ? AffineExpr() : ends[range.entry];
    if (range.isIndex) {
      range.begin = fromFront(begin);
      std::optional<int64_t> at = ShapeContext::asConstant(range.begin),
                             size = ShapeContext::asConstant(dim);
      if (at && size && (*at < 0 || *at >= *size))
        return op.emitOpError()
                   << "index " << *ShapeContext::asConstant(begin)
                   << " is out of range for a dimension of " << *size,
               failure();
      continue;
    }
    if (range.stride == 0)
      continue;
    if (range.stride > 0) {
      begin = range.openBegin ? zero : fromFront(begin);
      end = range.openEnd ? dim : fromFront(end);
      if (!begin || !end)
        continue;
      begin = shapes.maximum(begin, zero);
      end = shapes.minimum(end, dim);
      range.size =
          shapes.ceilDiv(shapes.maximum(end - begin, zero), range.stride);
      range.begin = shapes.minimum(begin, dim);
      continue;
    }
    begin = range.openBegin ? dim - 1 : fromFront(begin);
    end = range.openEnd ? shapes.constant(-1) : fromFront(end);
    if (!begin || !end)
      continue;
    begin = shapes.minimum(begin, dim - 1);
    end = shapes.maximum(end, shapes.constant(-1));
    range.size =
        shapes.ceilDiv(shapes.maximum(begin - end, zero), -range.stride);
    range.begin = begin;
  }
  return subscript;
}

template <typename OpTy>
Value strideOf(OpTy op, LoweringContext &lowering, const Span &range) {
  return range.stride == 0 ? lowering.element(op.getStrides(), range.entry)
                           : lowering.constantIndex(range.stride);
}

/// Where the ranges begin; sizes that the run computes go to `bind`. Indices
/// are checked, and clamped so that nothing outside is read all the same.
template <typename OpTy>
SmallVector<Value> begins(OpTy op, LoweringContext &lowering,
                          const Subscript &subscript,
                          function_ref<void(size_t dim, Value size)> bind) {
  OpBuilder &b = lowering.builder;
  Location loc = op.getLoc();
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1),
        minusOne = lowering.constantIndex(-1), good;
  SmallVector<Value> result;
  for (auto [i, range] : llvm::enumerate(subscript.ranges)) {
    AffineExpr dim = lowering.shapes.dim(op.getInput(), i);
    Value size = lowering.index(dim), last = sub(b, loc, size, one);
    auto element = [&](Value vector) {
      Value given = lowering.element(vector, range.entry);
      return select(b, loc, less(b, loc, given, zero), add(b, loc, given, size),
                    given);
    };
    if (range.isIndex) {
      bool known = ShapeContext::asConstant(range.begin) &&
                   ShapeContext::asConstant(dim);
      Value at =
          range.begin ? lowering.index(range.begin) : element(op.getBegin());
      if (!known) {
        Value fits = inRange(b, loc, at, size);
        good = good ? both(b, loc, good, fits) : fits;
        at = clampIndex(b, loc, at, zero,
                        b.createOrFold<arith::MaxSIOp>(loc, last, zero));
      }
      result.push_back(at);
      continue;
    }
    if (range.entry < 0 || range.size) {
      result.push_back(range.entry < 0 ? zero : lowering.index(range.begin));
      continue;
    }
    Value stride = strideOf(op, lowering, range);
    Value up = less(b, loc, zero, stride);
    Value low = select(b, loc, up, zero, minusOne),
          high = select(b, loc, up, size, last);
    Value begin = range.openBegin
                      ? select(b, loc, up, zero, last)
                      : clampIndex(b, loc, element(op.getBegin()), low, high);
    Value end = range.openEnd
                    ? select(b, loc, up, size, minusOne)
                    : clampIndex(b, loc, element(op.getEnd()), low, high);
    Value length = sub(b, loc, end, begin);
    length = select(b, loc, up, length, sub(b, loc, zero, length));
    length = b.createOrFold<arith::MaxSIOp>(loc, length, zero);
    Value step = select(b, loc, up, stride, sub(b, loc, zero, stride));
    if (range.stride == 0) {
      Value isStep = less(b, loc, zero, step);
      good = good ? both(b, loc, good, isStep) : isStep;
      step = b.createOrFold<arith::MaxSIOp>(loc, step, one);
    }
    bind(i, b.createOrFold<arith::CeilDivSIOp>(loc, length, step));
    result.push_back(begin);
  }
  if (good)
    require(lowering, loc, good, "index is out of range, or a stride is 0");
  return result;
}

} // namespace

LogicalResult StridedSliceOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Subscript> subscript = parseSubscript(*this, shapes);
  if (failed(subscript))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  Dims dims;
  for (auto [i, source] : llvm::enumerate(subscript->order)) {
    if (source < 0)
      dims.push_back(shapes.constant(1));
    else if (subscript->ranges[source].entry < 0)
      dims.push_back(from[source]);
    else if (AffineExpr size = subscript->ranges[source].size)
      dims.push_back(size);
    else
      dims.push_back(shapes.freshSymbol(getResult(), i));
  }
  shapes.setDims(getResult(), dims);
  setContentsFrom(
      shapes, getResult(), getInput(),
      [&](ArrayRef<int64_t> index) -> std::optional<SmallVector<int64_t>> {
        SmallVector<int64_t> at;
        for (const Span &range : subscript->ranges) {
          if (range.entry < 0) {
            at.push_back(0);
            continue;
          }
          std::optional<int64_t> begin = ShapeContext::asConstant(range.begin);
          if (!begin || range.stride == 0)
            return std::nullopt;
          at.push_back(*begin);
        }
        for (auto [i, source] : llvm::zip(index, subscript->order))
          if (source >= 0)
            at[source] += i * subscript->ranges[source].stride;
        return at;
      });
  return success();
}

LogicalResult StridedSliceOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Subscript> subscript = parseSubscript(*this, shapes);
  if (failed(subscript))
    return failure();
  Value input = lowering.get(getInput()), result = getResult();
  SmallVector<int64_t> place(subscript->ranges.size(), -1);
  for (auto [i, source] : llvm::enumerate(subscript->order))
    if (source >= 0)
      place[source] = i;
  SmallVector<Value> starts =
      begins(*this, lowering, *subscript, [&](size_t dim, Value size) {
        lowering.bindDim(result, place[dim], size);
      });
  if (llvm::any_of(subscript->ranges,
                   [](const Span &range) { return range.stride <= 0; })) {
    SmallVector<Value> steps;
    for (const Span &range : subscript->ranges)
      steps.push_back(strideOf(*this, lowering, range));
    lowering.set(
        result, lowering.generate(
                    loc, result,
                    [&](OpBuilder &nested, Location at, ValueRange indices) {
                      SmallVector<Value> position(starts);
                      for (auto [i, source] : llvm::enumerate(subscript->order))
                        if (source >= 0)
                          position[source] =
                              add(nested, at, position[source],
                                  mul(nested, at, indices[i], steps[source]));
                      return tensor::ExtractOp::create(nested, at, input,
                                                       position)
                          .getResult();
                    }));
    return success();
  }
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(starts), sizes, strides;
  Dims all, kept;
  for (auto [i, range] : llvm::enumerate(subscript->ranges)) {
    AffineExpr size =
        range.isIndex ? shapes.constant(1) : shapes.dim(result, place[i]);
    sizes.push_back(lowering.size(size));
    strides.push_back(b.getIndexAttr(range.stride));
    all.push_back(size);
    if (!range.isIndex)
      kept.push_back(size);
  }
  // Which of several dimensions of one element is left out is not said by the
  // slice's type; leaving them out is then a step of its own.
  if (kept.size() < all.size() && llvm::is_contained(kept, shapes.constant(1)))
    kept = all;
  Value part =
      sliceAt(b, loc, typeOf(kept, getElementTypeOrSelf(input.getType())),
              input, offsets, sizes, strides);
  lowering.set(result,
               reshapeTo(lowering, loc, part, kept, shapes.dims(result)));
  return success();
}

LogicalResult StridedSliceUpdateOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Subscript> subscript = parseSubscript(*this, shapes);
  if (failed(subscript))
    return failure();
  if (shapes.dims(getValue()).size() > subscript->order.size())
    return emitOpError() << "value of shape "
                         << shapeString(shapes.dims(getValue()))
                         << " does not broadcast to the slice's rank "
                         << subscript->order.size();
  shapes.copyDims(getResult(), getInput());
  return success();
}

LogicalResult StridedSliceUpdateOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Subscript> subscript = parseSubscript(*this, shapes);
  if (failed(subscript))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       given = shapes.dims(getValue());
  Value input = lowering.get(getInput()), value = lowering.get(getValue()),
        zero = lowering.constantIndex(0);
  SmallVector<Value> sizes(from.size());
  SmallVector<Value> starts =
      begins(*this, lowering, *subscript,
             [&](size_t dim, Value size) { sizes[dim] = size; });
  Dims whole; // of the slice, null where the run computes a size
  for (int64_t source : subscript->order)
    whole.push_back(source < 0 ? shapes.constant(1)
                    : subscript->ranges[source].entry < 0
                        ? from[source]
                        : subscript->ranges[source].size);
  bool simple = llvm::none_of(
      subscript->ranges, [](const Span &range) { return range.stride <= 0; });
  if (simple && given == ArrayRef(whole)) {
    SmallVector<OpFoldResult> offsets = getAsOpFoldResult(starts), extent,
                              strides;
    Dims kept;
    for (auto [i, range] : llvm::enumerate(subscript->ranges)) {
      AffineExpr size = range.isIndex     ? shapes.constant(1)
                        : range.entry < 0 ? from[i]
                                          : range.size;
      extent.push_back(lowering.size(size));
      strides.push_back(b.getIndexAttr(range.stride));
      if (!range.isIndex)
        kept.push_back(size);
    }
    value = reshapeTo(lowering, loc, value, given, kept);
    lowering.set(getResult(),
                 tensor::InsertSliceOp::create(b, loc, value, input, offsets,
                                               extent, strides));
    return success();
  }
  // Every element asks whether the subscript reaches it.
  for (auto [i, range] : llvm::enumerate(subscript->ranges))
    if (!sizes[i])
      sizes[i] = range.isIndex
                     ? lowering.constantIndex(1)
                     : lowering.index(range.entry < 0 ? from[i] : range.size);
  Value one = lowering.constantIndex(1), fits;
  SmallVector<Value> extents, strides;
  for (const Span &range : subscript->ranges) {
    Value stride = strideOf(*this, lowering, range);
    // A stride of 0 fails the run; the division must not trap.
    strides.push_back(range.stride ? stride
                                   : select(b, loc, equal(b, loc, stride, zero),
                                            one, stride));
  }
  for (auto [i, source] :
       llvm::enumerate(ArrayRef(subscript->order).take_back(given.size()))) {
    extents.push_back(lowering.index(given[i]));
    Value size = source < 0 ? one : sizes[source];
    Value matches = b.createOrFold<arith::OrIOp>(
        loc, equal(b, loc, extents[i], one), equal(b, loc, extents[i], size));
    fits = fits ? both(b, loc, fits, matches) : matches;
  }
  if (fits)
    require(lowering, loc, fits, "the value does not broadcast to the slice");
  lowering.set(
      getResult(),
      lowering.generic(
          loc, getResult(), input, b.getMultiDimIdentityMap(from.size()),
          [&](OpBuilder &nested, Location at, ValueRange v) -> Value {
            Value inside = arith::ConstantIntOp::create(nested, at, 1, 1);
            SmallVector<Value> steps;
            for (auto [i, range] : llvm::enumerate(subscript->ranges)) {
              Value index = linalg::IndexOp::create(nested, at, i);
              Value offset = sub(nested, at, index, starts[i]);
              Value step =
                  nested.createOrFold<arith::DivSIOp>(at, offset, strides[i]);
              Value exact =
                  equal(nested, at, mul(nested, at, step, strides[i]), offset);
              inside = both(nested, at, inside, exact);
              inside =
                  both(nested, at, inside, inRange(nested, at, step, sizes[i]));
              steps.push_back(step);
            }
            SmallVector<Value> position;
            for (auto [i, source] : llvm::enumerate(
                     ArrayRef(subscript->order).take_back(given.size()))) {
              Value step = source < 0 ? zero : steps[source];
              position.push_back(clampIndex(nested, at, step, zero,
                                            sub(nested, at, extents[i], one)));
            }
            Value update =
                tensor::ExtractOp::create(nested, at, value, position);
            return select(nested, at, inside, update, v[0]);
          }));
  return success();
}
