// Ops of Indexing.td that write at indices.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Rows written one after another
//===----------------------------------------------------------------------===//

namespace {

/// The new element from the old one and the update.
using Combine =
    function_ref<Value(OpBuilder &, Location, Value old, Value update)>;
/// The row that update number i goes to, and whether (null: always) it counts.
using RowOf =
    function_ref<std::pair<Value, Value>(OpBuilder &, Location, Value i)>;

/// Combines row i of `updates` [n, s] with a row of `base` [p, s], for i from 0
/// to n - 1. Without `combine` rows are replaced.
Value scatterRows(LoweringContext &lowering, Location loc, Value base,
                  Value updates, AffineExpr count, AffineExpr rowSize,
                  RowOf rowOf, Combine combine) {
  OpBuilder &b = lowering.builder;
  Type element = getElementTypeOrSelf(base.getType());
  auto rowType = typeOf(rowSize, element);
  OpFoldResult width = lowering.size(rowSize), zero = b.getIndexAttr(0),
               one = b.getIndexAttr(1);
  auto loop = scf::ForOp::create(
      b, loc, lowering.constantIndex(0), lowering.index(count),
      lowering.constantIndex(1), base,
      [&](OpBuilder &nested, Location at, Value i, ValueRange state) {
        auto [row, counts] = rowOf(nested, at, i);
        SmallVector<OpFoldResult> ones{one, one}, sizes{one, width},
            from{i, zero}, to{row, zero};
        Value next = tensor::ExtractSliceOp::create(nested, at, rowType,
                                                    updates, from, sizes, ones);
        if (combine || counts) {
          Value old = tensor::ExtractSliceOp::create(nested, at, rowType,
                                                     state[0], to, sizes, ones);
          AffineMap identity = nested.getMultiDimIdentityMap(1);
          next =
              linalg::GenericOp::create(
                  nested, at, TypeRange{rowType}, ValueRange{next}, old,
                  ArrayRef{identity, identity}, utils::IteratorType::parallel,
                  [&, counts = counts](OpBuilder &inner, Location where,
                                       ValueRange v) {
                    Value result =
                        combine ? combine(inner, where, v[1], v[0]) : v[0];
                    if (counts)
                      result = select(inner, where, counts, result, v[1]);
                    linalg::YieldOp::create(inner, where, result);
                  })
                  .getResult(0);
        }
        scf::YieldOp::create(nested, at,
                             insertAt(nested, at, next, state[0], to, sizes));
      });
  return loop.getResult(0);
}

/// `mode` of numbers of a graph's element type; null for another mode.
Value combineBy(StringRef mode, Type graphType, OpBuilder &b, Location loc,
                Value old, Value update) {
  bool isFloat = isa<FloatType>(graphType),
       isComplex = isa<ComplexType>(graphType);
  if (mode == "update")
    return update;
  if (mode == "add" || mode == "sum" || mode == "mean")
    return sum(b, loc, old, update);
  if (mode == "sub") {
    if (isComplex)
      return complex::SubOp::create(b, loc, old, update);
    if (isFloat)
      return arith::SubFOp::create(b, loc, old, update);
    return arith::SubIOp::create(b, loc, old, update);
  }
  if (mode == "mul" || mode == "prod") {
    if (isComplex)
      return complex::MulOp::create(b, loc, old, update);
    if (isFloat)
      return arith::MulFOp::create(b, loc, old, update);
    return arith::MulIOp::create(b, loc, old, update);
  }
  if (mode == "div" && isFloat)
    return arith::DivFOp::create(b, loc, old, update);
  if (mode == "div" && isComplex)
    return complex::DivOp::create(b, loc, old, update);
  if (isComplex)
    return {};
  if (mode == "div") {
    // What the processor cannot divide: by 0, and the least number by -1.
    Type type = old.getType();
    Value zero = zeroOf(b, loc, type),
          unit = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, 1));
    Value none = equal(b, loc, update, zero);
    if (isUnsigned(graphType))
      return select(b, loc, none, zero,
                    arith::DivUIOp::create(b, loc, old,
                                           select(b, loc, none, unit, update)));
    Value minus = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, -1));
    Value negates = equal(b, loc, update, minus);
    Value safe =
        select(b, loc, none, unit, select(b, loc, negates, unit, update));
    Value quotient = arith::DivSIOp::create(b, loc, old, safe);
    Value negated = arith::SubIOp::create(b, loc, zero, old);
    return select(b, loc, none, zero,
                  select(b, loc, negates, negated, quotient));
  }
  if (mode == "max") {
    if (isFloat)
      return arith::MaximumFOp::create(b, loc, old, update);
    if (isUnsigned(graphType))
      return arith::MaxUIOp::create(b, loc, old, update);
    return arith::MaxSIOp::create(b, loc, old, update);
  }
  if (mode == "min") {
    if (isFloat)
      return arith::MinimumFOp::create(b, loc, old, update);
    if (isUnsigned(graphType))
      return arith::MinUIOp::create(b, loc, old, update);
    return arith::MinSIOp::create(b, loc, old, update);
  }
  return {};
}

/// Index vectors [n, depth] as rows of a tensor whose leading dimensions are
/// `leading`. All indices are checked first, and clamped.
struct IndexVectors {
  Value flat;
  Type graphType;
  SmallVector<Value> sizes;

  Value row(OpBuilder &b, Location loc, Value i) const {
    Value zero = constantIndex(b, loc, 0), one = constantIndex(b, loc, 1),
          row = zero;
    for (auto [k, size] : llvm::enumerate(sizes)) {
      Value element = tensor::ExtractOp::create(
          b, loc, flat, ValueRange{i, constantIndex(b, loc, k)});
      Value index = clampIndex(b, loc, toIndex(b, loc, element, graphType),
                               zero, sub(b, loc, size, one));
      row = add(b, loc, mul(b, loc, row, size), index);
    }
    return row;
  }
};

IndexVectors indexVectors(LoweringContext &lowering, Location loc,
                          Value indices, ArrayRef<AffineExpr> leading) {
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> from = shapes.dims(indices);
  IndexVectors result;
  result.graphType = getElementTypeOrSelf(indices.getType());
  result.flat = reshapeTo(lowering, loc, lowering.get(indices), from,
                          {shapes.product(from.drop_back()), from.back()});
  for (AffineExpr dim : leading)
    result.sizes.push_back(lowering.index(dim));
  if (leading.empty())
    return result;
  require(lowering, loc,
          allOf(lowering, loc, result.flat,
                [&](OpBuilder &nested, Location at, Value element,
                    ValueRange position) {
                  Value size = result.sizes[0];
                  for (size_t i = 1; i < leading.size(); ++i)
                    size = select(nested, at,
                                  equal(nested, at, position[1],
                                        constantIndex(nested, at, i)),
                                  result.sizes[i], size);
                  return inRange(nested, at,
                                 toIndex(nested, at, element, result.graphType),
                                 size);
                }),
          "index is out of range");
  return result;
}

/// Shapes of index vectors, updates and the tensor they go to.
LogicalResult checkScatter(Operation *op, ShapeContext &shapes,
                           ArrayRef<AffineExpr> indices,
                           ArrayRef<AffineExpr> updates,
                           ArrayRef<AffineExpr> target) {
  if (indices.empty())
    return op->emitOpError("indices are a scalar, expected index vectors");
  std::optional<int64_t> depth = ShapeContext::asConstant(indices.back());
  if (!depth)
    return op->emitOpError(
        "the length of index vectors is not known at compile time");
  if (*depth > int64_t(target.size()) ||
      updates.size() != indices.size() - 1 + target.size() - *depth)
    return op->emitOpError() << "indices of shape " << shapeString(indices)
                             << " and updates of shape " << shapeString(updates)
                             << " do not fit shape " << shapeString(target);
  Dims wanted(indices.drop_back());
  llvm::append_range(wanted, target.drop_front(*depth));
  for (auto [have, want] : llvm::zip(updates, wanted))
    if (failed(expectSame(op, have, want, "sizes of updates")))
      return failure();
  return success();
}

/// Scatters the op's updates into `base`, which has the result's dims.
void lowerScatter(Operation *op, LoweringContext &lowering, Value base,
                  Value indices, Value updates, Combine combine) {
  Location loc = op->getLoc();
  ShapeContext &shapes = lowering.shapes;
  Value result = op->getResult(0);
  ArrayRef<AffineExpr> target = shapes.dims(result), at = shapes.dims(indices);
  int64_t depth = *ShapeContext::asConstant(at.back());
  IndexVectors vectors =
      indexVectors(lowering, loc, indices, target.take_front(depth));
  Dims wanted(at.drop_back());
  llvm::append_range(wanted, target.drop_front(depth));
  Value values =
      conform(lowering, loc, lowering.get(updates), shapes.dims(updates),
              wanted, "updates do not have the size of the slices");
  AffineExpr count = shapes.product(at.drop_back()),
             rows = shapes.product(target.take_front(depth)),
             width = shapes.product(target.drop_front(depth));
  values = reshapeTo(lowering, loc, values, wanted, {count, width});
  base = reshapeTo(lowering, loc, base, target, {rows, width});
  base = scatterRows(
      lowering, loc, base, values, count, width,
      [&](OpBuilder &b, Location where, Value i) {
        return std::pair(vectors.row(b, where, i), Value());
      },
      combine);
  lowering.set(result, reshapeTo(lowering, loc, base, {rows, width}, target));
}

} // namespace

//===----------------------------------------------------------------------===//
// scatter_nd, tensor_scatter
//===----------------------------------------------------------------------===//

LogicalResult ScatterNdOp::inferShapes(ShapeContext &shapes) {
  FailureOr<int64_t> rank = vectorLength(*this, shapes, getShape(), "shape");
  if (failed(rank))
    return failure();
  Dims dims = elementsOrNull(shapes, getShape(), *rank);
  for (auto [i, dim] : llvm::enumerate(dims))
    if (!dim)
      dim = shapes.freshSymbol(getResult(), i);
  shapes.setDims(getResult(), dims);
  return checkScatter(*this, shapes, shapes.dims(getIndices()),
                      shapes.dims(getUpdates()), dims);
}

LogicalResult ScatterNdOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  int64_t rank = lowering.shapes.dims(getResult()).size();
  for (auto [i, dim] :
       llvm::enumerate(elementsOrNull(lowering.shapes, getShape(), rank)))
    if (!dim)
      lowering.bindDim(
          getResult(), i,
          b.createOrFold<arith::MaxSIOp>(loc, lowering.element(getShape(), i),
                                         lowering.constantIndex(0)));
  Type type = LoweringContext::type(getResult().getType()).getElementType();
  lowerScatter(*this, lowering,
               lowering.filled(getResult(), zeroOf(b, loc, type)), getIndices(),
               getUpdates(), sum);
  return success();
}

LogicalResult TensorScatterOp::inferShapes(ShapeContext &shapes) {
  static constexpr StringRef modes[] = {"update", "add", "sub", "mul",
                                        "div",    "min", "max"};
  if (!llvm::is_contained(modes, getMode()))
    return emitOpError() << "has unknown mode '" << getMode() << "'";
  shapes.copyDims(getResult(), getInput());
  return checkScatter(*this, shapes, shapes.dims(getIndices()),
                      shapes.dims(getUpdates()), shapes.dims(getInput()));
}

LogicalResult TensorScatterOp::lowerToLinalg(LoweringContext &lowering) {
  Type graphType = getElementTypeOrSelf(getInput().getType());
  if (isa<ComplexType>(graphType) && (getMode() == "min" || getMode() == "max"))
    return emitOpError() << "cannot combine elements of type " << graphType
                         << " by '" << getMode() << "'";
  auto combine = [&](OpBuilder &b, Location loc, Value old, Value update) {
    return combineBy(getMode(), graphType, b, loc, old, update);
  };
  lowerScatter(*this, lowering, lowering.get(getInput()), getIndices(),
               getUpdates(), getMode() == "update" ? Combine() : combine);
  return success();
}

//===----------------------------------------------------------------------===//
// dynamic_stitch
//===----------------------------------------------------------------------===//

LogicalResult DynamicStitchOp::inferShapes(ShapeContext &shapes) {
  if (getIndices().empty())
    return emitOpError("has no operands");
  int64_t largest = -1;
  bool known = true;
  std::optional<Dims> slice;
  for (auto [indices, data] : llvm::zip(getIndices(), getData())) {
    ArrayRef<AffineExpr> at = shapes.dims(indices), from = shapes.dims(data);
    if (from.size() < at.size() ||
        (slice && from.size() - at.size() != slice->size()))
      return emitOpError() << "indices of shape " << shapeString(at)
                           << " do not fit data of shape " << shapeString(from);
    for (auto [have, want] : llvm::zip(from, at))
      if (failed(expectSame(*this, have, want, "sizes of indices and data")))
        return failure();
    if (!slice)
      slice = Dims(from.drop_front(at.size()));
    if (auto elements = shapes.constants(indices)) {
      for (int64_t element : *elements) {
        if (element < 0)
          return emitOpError() << "index " << element << " is negative";
        largest = std::max(largest, element);
      }
    } else {
      known = false;
    }
  }
  slice->insert(slice->begin(), known ? shapes.constant(largest + 1)
                                      : shapes.freshSymbol(getResult(), 0));
  shapes.setDims(getResult(), *slice);
  // The sizes of a tensor, some of them replaced.
  constexpr int64_t most = 64;
  if (!known || slice->size() != 1 || largest >= most)
    return success();
  Dims contents(largest + 1, AffineExpr());
  for (auto [indices, data] : llvm::zip(getIndices(), getData())) {
    SmallVector<int64_t> places = *shapes.constants(indices);
    for (auto [place, element] :
         llvm::zip(places, elementsOrNull(shapes, data, places.size())))
      contents[place] = element;
  }
  setContentsBy(shapes, getResult(),
                [&](ArrayRef<int64_t> at) { return contents[at[0]]; });
  return success();
}

LogicalResult DynamicStitchOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Value size = lowering.constantIndex(0), zero = size,
        one = lowering.constantIndex(1);
  SmallVector<Value> places;
  for (Value indices : getIndices()) {
    AffineExpr count = shapes.product(shapes.dims(indices));
    Value flat = reshapeTo(lowering, loc, lowering.get(indices),
                           shapes.dims(indices), count);
    places.push_back(flat);
    Type graphType = getElementTypeOrSelf(indices.getType());
    if (!lowering.shapes.constants(indices))
      require(
          lowering, loc,
          allOf(lowering, loc, flat,
                [&](OpBuilder &nested, Location at, Value index, ValueRange) {
                  return arith::CmpIOp::create(
                             nested, at, arith::CmpIPredicate::sge,
                             toIndex(nested, at, index, graphType), zero)
                      .getResult();
                }),
          "an index is negative");
    if (ShapeContext::asConstant(shapes.dim(getResult(), 0)))
      continue;
    auto largest = scf::ForOp::create(
        b, loc, zero, lowering.index(count), one, size,
        [&](OpBuilder &nested, Location at, Value i, ValueRange state) {
          Value element = tensor::ExtractOp::create(nested, at, flat, i);
          Value end = add(nested, at, toIndex(nested, at, element, graphType),
                          constantIndex(nested, at, 1));
          scf::YieldOp::create(
              nested, at,
              arith::MaxSIOp::create(nested, at, state[0], end).getResult());
        });
    size = largest.getResult(0);
  }
  lowering.bindDim(getResult(), 0, size);
  ArrayRef<AffineExpr> target = shapes.dims(getResult());
  AffineExpr width = shapes.product(target.drop_front());
  Value rows = lowering.index(target[0]), last = sub(b, loc, rows, one);
  Type element = LoweringContext::type(getResult().getType()).getElementType();
  Value base = reshapeTo(lowering, loc,
                         lowering.filled(getResult(), zeroOf(b, loc, element)),
                         target, {target[0], width});
  for (auto [indices, data, flat] :
       llvm::zip(getIndices(), getData(), places)) {
    ArrayRef<AffineExpr> at = shapes.dims(indices);
    Dims wanted(at);
    llvm::append_range(wanted, target.drop_front());
    Value values = conform(lowering, loc, lowering.get(data), shapes.dims(data),
                           wanted, "sizes of indices and data differ");
    AffineExpr count = shapes.product(at);
    values = reshapeTo(lowering, loc, values, wanted, {count, width});
    Type graphType = getElementTypeOrSelf(indices.getType());
    base = scatterRows(
        lowering, loc, base, values, count, width,
        [&, flat = flat](OpBuilder &nested, Location where, Value i) {
          Value index = toIndex(
              nested, where, tensor::ExtractOp::create(nested, where, flat, i),
              graphType);
          return std::pair(clampIndex(nested, where, index, zero, last),
                           inRange(nested, where, index, rows));
        },
        Combine());
  }
  lowering.set(getResult(),
               reshapeTo(lowering, loc, base, {target[0], width}, target));
  return success();
}

//===----------------------------------------------------------------------===//
// segment
//===----------------------------------------------------------------------===//

LogicalResult SegmentOp::inferShapes(ShapeContext &shapes) {
  static constexpr StringRef modes[] = {"sum", "prod", "min", "max", "mean"};
  if (!llvm::is_contained(modes, getMode()))
    return emitOpError() << "has unknown mode '" << getMode() << "'";
  ArrayRef<AffineExpr> from = shapes.dims(getInput()),
                       ids = shapes.dims(getIds());
  if (ids.size() > from.size() || (!getCount() && ids.size() != 1))
    return emitOpError() << "ids of shape " << shapeString(ids)
                         << " do not fit shape " << shapeString(from);
  for (auto [have, want] : llvm::zip(ids, from))
    if (failed(expectSame(*this, have, want, "sizes of ids and operand")))
      return failure();
  AffineExpr count;
  if (getCount()) {
    if (failed(expectScalar(*this, shapes, getCount(), "count")))
      return failure();
    count = elementsOrNull(shapes, getCount(), 1)[0];
  } else if (auto known = shapes.constants(getIds())) {
    count = shapes.constant(known->empty() ? 0 : known->back() + 1);
  }
  Dims dims{count ? count : shapes.freshSymbol(getResult(), 0)};
  llvm::append_range(dims, from.drop_front(ids.size()));
  shapes.setDims(getResult(), dims);
  return success();
}

/// What combining nothing gives.
static Attribute neutral(StringRef mode, Type graphType, Builder &b) {
  Type type = LoweringContext::elementType(graphType);
  if (mode == "prod" || mode == "max" || mode == "min") {
    if (auto floating = dyn_cast<FloatType>(type)) {
      const auto &semantics = floating.getFloatSemantics();
      return FloatAttr::get(
          floating, mode == "prod"
                        ? APFloat::getOne(semantics)
                        : APFloat::getLargest(semantics, mode == "max"));
    }
    unsigned width = type.getIntOrFloatBitWidth();
    bool isUnsignedType = isUnsigned(graphType);
    if (mode == "prod")
      return IntegerAttr::get(type, 1);
    if (mode == "max")
      return IntegerAttr::get(type, isUnsignedType
                                        ? APInt::getMinValue(width)
                                        : APInt::getSignedMinValue(width));
    return IntegerAttr::get(type, isUnsignedType
                                      ? APInt::getMaxValue(width)
                                      : APInt::getSignedMaxValue(width));
  }
  return b.getZeroAttr(type);
}

LogicalResult SegmentOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Type graphType = getElementTypeOrSelf(getInput().getType()),
       type = LoweringContext::elementType(graphType),
       idType = getElementTypeOrSelf(getIds().getType());
  bool isComplex = isa<ComplexType>(graphType);
  if (isComplex && getMode() != "prod")
    return emitOpError("cannot combine complex elements");
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  ArrayRef<AffineExpr> at = shapes.dims(getIds());
  AffineExpr total = shapes.product(at);
  Value ids = reshapeTo(lowering, loc, lowering.get(getIds()), at, total);
  if (!ShapeContext::asConstant(shapes.dim(getResult(), 0))) {
    Value count;
    if (getCount()) {
      count = lowering.element(getCount(), 0);
    } else {
      Value length = lowering.index(total);
      auto known = scf::IfOp::create(
          b, loc, less(b, loc, zero, length),
          [&](OpBuilder &nested, Location where) {
            Value last = tensor::ExtractOp::create(
                nested, where, ids, sub(nested, where, length, one));
            scf::YieldOp::create(nested, where,
                                 add(nested, where,
                                     toIndex(nested, where, last, idType),
                                     constantIndex(nested, where, 1)));
          },
          [&](OpBuilder &nested, Location where) {
            scf::YieldOp::create(nested, where, zero);
          });
      count = known.getResult(0);
    }
    lowering.bindDim(getResult(), 0,
                     b.createOrFold<arith::MaxSIOp>(loc, count, zero));
  }
  ArrayRef<AffineExpr> target = shapes.dims(getResult());
  AffineExpr width = shapes.product(target.drop_front());
  Value rows = lowering.index(target[0]), last = sub(b, loc, rows, one);
  Dims wanted(at);
  llvm::append_range(wanted, target.drop_front());
  Value values =
      conform(lowering, loc, lowering.get(getInput()), shapes.dims(getInput()),
              wanted, "sizes of ids and operand differ");
  values = reshapeTo(lowering, loc, values, wanted, {total, width});
  require(lowering, loc,
          allOf(lowering, loc, ids,
                [&](OpBuilder &nested, Location where, Value id, ValueRange) {
                  return less(nested, where, toIndex(nested, where, id, idType),
                              rows);
                }),
          "a segment id is out of range");
  // Without a number of segments the ids are sorted.
  if (!getCount())
    require(
        lowering, loc,
        allOf(lowering, loc, ids,
              [&](OpBuilder &nested, Location where, Value id, ValueRange at) {
                Value before = arith::MaxSIOp::create(
                    nested, where, zero, sub(nested, where, at[0], one));
                Value previous =
                    tensor::ExtractOp::create(nested, where, ids, before);
                Value least = arith::MaxSIOp::create(
                    nested, where, zero,
                    toIndex(nested, where, previous, idType));
                return arith::CmpIOp::create(
                           nested, where, arith::CmpIPredicate::sge,
                           toIndex(nested, where, id, idType), least)
                    .getResult();
              }),
        "segment ids are negative or not sorted");
  auto rowOf = [&](OpBuilder &nested, Location where, Value i) {
    Value id =
        toIndex(nested, where, tensor::ExtractOp::create(nested, where, ids, i),
                idType);
    return std::pair(clampIndex(nested, where, id, zero, last),
                     inRange(nested, where, id, rows));
  };
  Dims flat{target[0], width};
  auto filledWith = [&](ArrayRef<AffineExpr> dims, Value value) {
    return linalg::FillOp::create(b, loc, value,
                                  lowering.empty(dims, value.getType()))
        .getResult(0);
  };
  auto filled = [&](ArrayRef<AffineExpr> dims, Attribute value) {
    return filledWith(
        dims, arith::ConstantOp::create(b, loc, cast<TypedAttr>(value)));
  };
  Value start;
  if (isComplex) {
    auto part = cast<FloatType>(cast<ComplexType>(type).getElementType());
    start = filledWith(flat, complex::ConstantOp::create(
                                 b, loc, type,
                                 b.getArrayAttr({b.getFloatAttr(part, 1),
                                                 b.getFloatAttr(part, 0)})));
  } else {
    start = filled(flat, neutral(getMode(), graphType, b));
  }
  Value result = scatterRows(
      lowering, loc, start, values, total, width, rowOf,
      [&](OpBuilder &nested, Location where, Value old, Value update) {
        return combineBy(getMode(), graphType, nested, where, old, update);
      });
  bool isMean = getMode() == "mean";
  if (isMean || (!getCount() && (getMode() == "max" || getMode() == "min"))) {
    // How many elements each segment has: the divisor, or whether it is empty.
    AffineExpr single = shapes.constant(1);
    Value counts = scatterRows(
        lowering, loc, filled({target[0], single}, b.getZeroAttr(type)),
        filled({total, single}, b.getOneAttr(type)), total, single, rowOf, sum);
    counts = reshapeTo(lowering, loc, counts, {target[0], single}, target[0]);
    AffineMap identity = b.getMultiDimIdentityMap(2);
    result =
        linalg::GenericOp::create(
            b, loc, TypeRange{result.getType()}, ValueRange{result, counts},
            lowering.empty(flat, type),
            ArrayRef{identity, identity.getMajorSubMap(1), identity},
            SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
            [&](OpBuilder &nested, Location where, ValueRange v) {
              Value nothing = zeroOf(nested, where, type), isEmpty,
                    value = v[0];
              if (isa<FloatType>(type))
                isEmpty = arith::CmpFOp::create(
                    nested, where, arith::CmpFPredicate::OEQ, v[1], nothing);
              else
                isEmpty = equal(nested, where, v[1], nothing);
              if (isMean) {
                Value unit = arith::ConstantOp::create(
                    nested, where, cast<TypedAttr>(nested.getOneAttr(type)));
                Value divisor = select(nested, where, isEmpty, unit, v[1]);
                value =
                    isa<FloatType>(type)
                        ? arith::DivFOp::create(nested, where, value, divisor)
                              .getResult()
                    : isUnsigned(graphType)
                        ? arith::DivUIOp::create(nested, where, value, divisor)
                              .getResult()
                        : arith::DivSIOp::create(nested, where, value, divisor)
                              .getResult();
              }
              linalg::YieldOp::create(
                  nested, where,
                  select(nested, where, isEmpty, nothing, value));
            })
            .getResult(0);
  }
  lowering.set(getResult(), reshapeTo(lowering, loc, result, flat, target));
  return success();
}
