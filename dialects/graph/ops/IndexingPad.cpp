// Ops of Indexing.td that move elements along dimensions.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// pad, mirror_pad
//===----------------------------------------------------------------------===//

/// Sizes with a border; `limit` is the widest border that a dimension allows
/// beyond its size (nothing: any width).
static LogicalResult inferPadding(Operation *op, ShapeContext &shapes,
                                  Value input, Value paddings,
                                  std::optional<int64_t> limit) {
  ArrayRef<AffineExpr> from = shapes.dims(input);
  int64_t rank = from.size();
  if (failed(expectRank(op, shapes, paddings, 2, "paddings")) ||
      failed(expectSame(op, shapes.dim(paddings, 0), shapes.constant(rank),
                        "the rank and the rows of paddings")) ||
      failed(expectSame(op, shapes.dim(paddings, 1), shapes.constant(2),
                        "the columns of paddings and 2")))
    return failure();
  Dims widths = elementsOrNull(shapes, paddings, 2 * rank), dims;
  for (int64_t i = 0; i < rank; ++i) {
    for (AffineExpr width : {widths[2 * i], widths[2 * i + 1]}) {
      std::optional<int64_t> known = ShapeContext::asConstant(width),
                             size = ShapeContext::asConstant(from[i]);
      // Beyond what any machine has; sums of smaller ones fit 64 bits.
      bool isHuge = known && *known > int64_t(1) << 40;
      if (known &&
          (*known < 0 || isHuge || (limit && size && *known > *size + *limit)))
        return op->emitOpError()
               << "padding " << *known << " of dimension " << i
               << (*known < 0 ? " is negative"
                   : isHuge   ? " is impossibly large"
                              : " is wider than the mirror");
    }
    if (widths[2 * i] && widths[2 * i + 1])
      dims.push_back(from[i] + widths[2 * i] + widths[2 * i + 1]);
    else
      dims.push_back(shapes.freshSymbol(op->getResult(0), i));
  }
  shapes.setDims(op->getResult(0), dims);
  return success();
}

/// The low paddings; binds sizes that the run computes.
static SmallVector<Value> lowPaddings(Operation *op, LoweringContext &lowering,
                                      Value input, Value paddings,
                                      std::optional<int64_t> limit) {
  OpBuilder &b = lowering.builder;
  Location loc = op->getLoc();
  ArrayRef<AffineExpr> from = lowering.shapes.dims(input);
  Dims widths = elementsOrNull(lowering.shapes, paddings, 2 * from.size());
  Value matrix = lowering.get(paddings), good, zero = lowering.constantIndex(0);
  SmallVector<Value> result;
  for (auto [i, dim] : llvm::enumerate(from)) {
    Value size = lowering.index(dim), ends[2];
    for (int64_t side : {0, 1}) {
      AffineExpr width = widths[2 * i + side];
      if (width) {
        ends[side] = lowering.index(width);
      } else {
        Value element =
            tensor::ExtractOp::create(b, loc, matrix,
                                      ValueRange{lowering.constantIndex(i),
                                                 lowering.constantIndex(side)});
        ends[side] =
            toIndex(b, loc, element, getElementTypeOrSelf(paddings.getType()));
      }
      if (ShapeContext::asConstant(width) &&
          (!limit || ShapeContext::asConstant(dim)))
        continue;
      Value most =
          limit ? add(b, loc, size, lowering.constantIndex(*limit)) : Value();
      Value fits = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge,
                                                 ends[side], zero);
      if (most)
        fits = both(b, loc, fits,
                    b.createOrFold<arith::CmpIOp>(
                        loc, arith::CmpIPredicate::sle, ends[side], most));
      good = good ? both(b, loc, good, fits) : fits;
      if (!width)
        ends[side] = b.createOrFold<arith::MaxSIOp>(loc, ends[side], zero);
    }
    if (!widths[2 * i] || !widths[2 * i + 1])
      lowering.bindDim(op->getResult(0), i,
                       add(b, loc, size, add(b, loc, ends[0], ends[1])));
    result.push_back(ends[0]);
  }
  if (good)
    require(lowering, loc, good,
            limit ? "a padding is negative or wider than the mirror"
                  : "a padding is negative");
  return result;
}

LogicalResult PadOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getValue(), "value")))
    return failure();
  return inferPadding(*this, shapes, getInput(), getPaddings(), std::nullopt);
}

LogicalResult PadOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  SmallVector<Value> low =
      lowPaddings(*this, lowering, getInput(), getPaddings(), std::nullopt);
  Value border = filledWith(lowering, loc, getResult(), getValue());
  lowering.set(getResult(),
               insertAt(b, loc, lowering.get(getInput()), border,
                        getAsOpFoldResult(low), lowering.sizes(getInput())));
  return success();
}

LogicalResult MirrorPadOp::inferShapes(ShapeContext &shapes) {
  return inferPadding(*this, shapes, getInput(), getPaddings(),
                      getSymmetric() ? 0 : -1);
}

LogicalResult MirrorPadOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  int64_t inner = getSymmetric() ? 0 : 1;
  SmallVector<Value> low =
      lowPaddings(*this, lowering, getInput(), getPaddings(), -inner);
  Value input = lowering.get(getInput()), zero = lowering.constantIndex(0);
  SmallVector<Value> lasts;
  for (AffineExpr dim : lowering.shapes.dims(getInput()))
    lasts.push_back(
        sub(b, loc, lowering.index(dim), lowering.constantIndex(1)));
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) {
            // Symmetric mirrors stand half an element further out.
            Value below = constantIndex(nested, at, inner - 1),
                  above = constantIndex(nested, at, 1 - inner);
            SmallVector<Value> position;
            for (auto [index, start, last] : llvm::zip(indices, low, lasts)) {
              Value i = sub(nested, at, index, start);
              i = select(nested, at, less(nested, at, i, zero),
                         sub(nested, at, below, i), i);
              Value mirrored =
                  sub(nested, at,
                      add(nested, at, add(nested, at, last, last), above), i);
              i = select(nested, at, less(nested, at, last, i), mirrored, i);
              position.push_back(clampIndex(nested, at, i, zero, last));
            }
            return tensor::ExtractOp::create(nested, at, input, position)
                .getResult();
          }));
  return success();
}

//===----------------------------------------------------------------------===//
// reverse, reverse_sequence, roll
//===----------------------------------------------------------------------===//

LogicalResult ReverseOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  llvm::SmallBitVector reversed(dims.size());
  for (int64_t given : getAxes()) {
    FailureOr<int64_t> axis = normalizeAxis(*this, given, dims.size());
    if (failed(axis))
      return failure();
    if (reversed[*axis])
      return emitOpError() << "axis " << *axis << " is given twice";
    reversed.set(*axis);
  }
  shapes.setDims(getResult(), dims);
  auto sizes = constantDims(shapes, getInput());
  if (sizes)
    setContentsFrom(shapes, getResult(), getInput(),
                    [&](ArrayRef<int64_t> index) {
                      SmallVector<int64_t> at(index);
                      for (int64_t axis : reversed.set_bits())
                        at[axis] = (*sizes)[axis] - 1 - at[axis];
                      return std::optional(at);
                    });
  return success();
}

LogicalResult ReverseOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value input = lowering.get(getInput());
  int64_t rank = lowering.shapes.dims(getInput()).size();
  SmallVector<Value> lasts(rank);
  for (int64_t axis : getAxes()) {
    axis = axis < 0 ? axis + rank : axis;
    lasts[axis] = sub(b, loc, lowering.dimIndex(getInput(), axis),
                      lowering.constantIndex(1));
  }
  lowering.set(getResult(),
               lowering.generate(
                   loc, getResult(),
                   [&](OpBuilder &nested, Location at, ValueRange indices) {
                     SmallVector<Value> position(indices);
                     for (auto [i, last] : llvm::zip(position, lasts))
                       if (last)
                         i = sub(nested, at, last, i);
                     return tensor::ExtractOp::create(nested, at, input,
                                                      position)
                         .getResult();
                   }));
  return success();
}

LogicalResult ReverseSequenceOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size()),
                     batch = normalizeAxis(*this, getBatchAxis(), dims.size());
  if (failed(axis) || failed(batch) ||
      failed(expectRank(*this, shapes, getLengths(), 1, "lengths")) ||
      failed(expectSame(*this, shapes.dim(getLengths(), 0), dims[*batch],
                        "the batch size and the number of lengths")))
    return failure();
  if (*axis == *batch)
    return emitOpError("axis and batch_axis are the same");
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult ReverseSequenceOp::lowerToLinalg(LoweringContext &lowering) {
  Location loc = getLoc();
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(getInput());
  int64_t rank = dims.size(), axis = wrapAxis(getAxis(), rank),
          batch = wrapAxis(getBatchAxis(), rank);
  Value input = lowering.get(getInput());
  Value lengths = conform(lowering, loc, lowering.get(getLengths()),
                          lowering.shapes.dims(getLengths()), dims[batch],
                          "the batch size is not the number of lengths");
  Type graphType = getElementTypeOrSelf(getLengths().getType());
  Value size = lowering.index(dims[axis]);
  auto lengthOf = [&](OpBuilder &nested, Location at, Value element) {
    return toIndex(nested, at, element, graphType);
  };
  require(lowering, loc,
          allOf(lowering, loc, lengths,
                [&](OpBuilder &nested, Location at, Value element, ValueRange) {
                  return arith::CmpIOp::create(
                             nested, at, arith::CmpIPredicate::ule,
                             lengthOf(nested, at, element), size)
                      .getResult();
                }),
          "a length is larger than the dimension");
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) {
            Value zero = constantIndex(nested, at, 0),
                  one = constantIndex(nested, at, 1);
            Value length =
                clampIndex(nested, at,
                           lengthOf(nested, at,
                                    tensor::ExtractOp::create(
                                        nested, at, lengths, indices[batch])),
                           zero, size);
            SmallVector<Value> position(indices);
            Value mirrored =
                sub(nested, at, sub(nested, at, length, one), position[axis]);
            position[axis] =
                select(nested, at, less(nested, at, position[axis], length),
                       mirrored, position[axis]);
            return tensor::ExtractOp::create(nested, at, input, position)
                .getResult();
          }));
  return success();
}

LogicalResult RollOp::inferShapes(ShapeContext &shapes) {
  ArrayRef<AffineExpr> shifts = shapes.dims(getShifts());
  if (shifts.size() > 1)
    return emitOpError() << "shifts have shape " << shapeString(shifts)
                         << ", expected a scalar or a vector";
  AffineExpr count = shifts.empty() ? shapes.constant(1) : shifts[0];
  if (failed(expectSame(*this, count, shapes.constant(getAxes().size()),
                        "the number of shifts and of axes")))
    return failure();
  ArrayRef<AffineExpr> dims = shapes.dims(getInput());
  for (int64_t axis : getAxes())
    if (failed(normalizeAxis(*this, axis, dims.size())))
      return failure();
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult RollOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  Value input = lowering.get(getInput()), zero = lowering.constantIndex(0);
  int64_t rank = lowering.shapes.dims(getInput()).size();
  SmallVector<Value> shifts(rank), sizes(rank);
  for (auto [i, given] : llvm::enumerate(getAxes())) {
    int64_t axis = given < 0 ? given + rank : given;
    Value shift = lowering.element(getShifts(), i);
    shifts[axis] = shifts[axis] ? add(b, loc, shifts[axis], shift) : shift;
    sizes[axis] = lowering.dimIndex(getInput(), axis);
  }
  for (auto [shift, size] : llvm::zip(shifts, sizes)) {
    if (!shift)
      continue;
    // 0 <= shift < size; a remainder by zero must not trap.
    Value divisor =
        b.createOrFold<arith::MaxSIOp>(loc, size, lowering.constantIndex(1));
    shift = b.createOrFold<arith::RemSIOp>(loc, shift, divisor);
    shift = select(b, loc, less(b, loc, shift, zero), add(b, loc, shift, size),
                   shift);
  }
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) {
            SmallVector<Value> position(indices);
            for (auto [i, shift, size] : llvm::zip(position, shifts, sizes)) {
              if (!shift)
                continue;
              Value back = sub(nested, at, i, shift);
              i = select(nested, at, less(nested, at, back, zero),
                         add(nested, at, back, size), back);
            }
            return tensor::ExtractOp::create(nested, at, input, position)
                .getResult();
          }));
  return success();
}
