#include "dialects/graph/ops/Reduction.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Reduce.h"
#include "dialects/graph/ops/ScalarMath.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include <limits>

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Reductions over axes
//===----------------------------------------------------------------------===//

/// Shapes are vectors; their products and so on are sizes, too.
static void inferContents(Operation *op, Value input, ShapeContext &shapes) {
  auto contents = shapes.contents(input);
  if (!contents || contents->empty() || shapes.dims(input).size() != 1)
    return;
  AffineExpr result;
  for (AffineExpr element : *contents) {
    if (!element)
      return;
    if (!result)
      result = element;
    else if (isa<ReduceSumOp>(op))
      result = result + element;
    else if (isa<ReduceProdOp>(op))
      result = result * element;
    else if (isa<ReduceMaxOp>(op))
      result = shapes.maximum(result, element);
    else if (isa<ReduceMinOp>(op))
      result = shapes.minimum(result, element);
    else
      return;
  }
  shapes.setContents(op->getResult(0), result);
}

LogicalResult tenon::graph::inferReductionShapes(Operation *op, Value input,
                                                 ArrayRef<int64_t> axes,
                                                 bool keepDims,
                                                 ShapeContext &shapes) {
  ArrayRef<AffineExpr> from = shapes.dims(input);
  llvm::SmallBitVector reduced(from.size());
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= int64_t(from.size()))
      return op->emitOpError() << "axis " << axis << " is outside [0, "
                               << from.size() << "), the input's rank";
    if (reduced[axis])
      return op->emitOpError() << "axis " << axis << " is given twice";
    reduced.set(axis);
  }
  Dims dims;
  for (size_t i = 0; i < from.size(); ++i) {
    if (!reduced[i])
      dims.push_back(from[i]);
    else if (keepDims)
      dims.push_back(shapes.constant(1));
  }
  shapes.setDims(op->getResult(0), dims);
  if (axes.size() == 1)
    inferContents(op, input, shapes);
  return success();
}

namespace tenon::graph {

Value reduceOver(LoweringContext &lowering, Location loc, ValueRange inputs,
                 ArrayRef<AffineExpr> dims, ArrayRef<int64_t> axes,
                 ValueRange identities, SmallVectorImpl<Value> &results,
                 function_ref<SmallVector<Value>(OpBuilder &, Location,
                                                 ValueRange, ValueRange)>
                     combine) {
  OpBuilder &b = lowering.builder;
  unsigned rank = dims.size();
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  for (int64_t axis : axes)
    iterators[axis] = utils::IteratorType::reduction;
  Dims kept;
  SmallVector<AffineExpr> keptLoops;
  for (unsigned i = 0; i < rank; ++i)
    if (iterators[i] == utils::IteratorType::parallel) {
      kept.push_back(dims[i]);
      keptLoops.push_back(b.getAffineDimExpr(i));
    }
  auto outputMap = AffineMap::get(rank, 0, keptLoops, b.getContext());
  SmallVector<Value> destinations;
  SmallVector<Type> types;
  for (Value identity : identities) {
    Value destination =
        linalg::FillOp::create(b, loc, identity,
                               lowering.empty(kept, identity.getType()))
            .getResult(0);
    destinations.push_back(destination);
    types.push_back(destination.getType());
  }
  SmallVector<AffineMap> maps(inputs.size(), b.getMultiDimIdentityMap(rank));
  maps.append(destinations.size(), outputMap);
  auto op = linalg::GenericOp::create(
      b, loc, types, inputs, destinations, maps, iterators,
      [&](OpBuilder &nested, Location at, ValueRange arguments) {
        linalg::YieldOp::create(nested, at,
                                combine(nested, at,
                                        arguments.take_front(inputs.size()),
                                        arguments.drop_front(inputs.size())));
      });
  results.append(op.getResults().begin(), op.getResults().end());
  return results.front();
}

Value restoreUnitDims(LoweringContext &lowering, Value graphResult,
                      Value reduced, ArrayRef<int64_t> axes) {
  OpBuilder &b = lowering.builder;
  auto type = cast<RankedTensorType>(reduced.getType());
  int64_t rank = cast<RankedTensorType>(graphResult.getType()).getRank();
  if (type.getRank() == rank)
    return reduced;
  // Each unit dimension joins the kept one before it, or the first.
  SmallVector<ReassociationIndices> groups(type.getRank());
  int64_t group = -1;
  for (int64_t i = 0; i < rank && !groups.empty(); ++i) {
    if (!llvm::is_contained(axes, i))
      ++group;
    groups[std::max<int64_t>(group, 0)].push_back(i);
  }
  SmallVector<OpFoldResult> sizes = lowering.sizes(graphResult);
  SmallVector<int64_t> shape;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  return tensor::ExpandShapeOp::create(
      b, graphResult.getLoc(),
      RankedTensorType::get(shape, type.getElementType()), reduced, groups,
      sizes);
}

Type accumulatorType(Type elementType) {
  return elementType.isF16() || elementType.isBF16()
             ? Float32Type::get(elementType.getContext())
             : elementType;
}

Value convertFloat(OpBuilder &b, Location loc, Value value, Type type) {
  if (!isa<FloatType>(value.getType()))
    return value;
  return Scalar(b, loc, value).toFloat(type);
}

Value addInAnyOrder(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  if (isa<ComplexType>(lhs.getType()))
    return complex::AddOp::create(b, loc, lhs, rhs);
  if (!isa<FloatType>(lhs.getType()))
    return arith::AddIOp::create(b, loc, lhs, rhs);
  return arith::AddFOp::create(b, loc, lhs, rhs, arith::FastMathFlags::reassoc);
}

static Value
parallelGeneric(OpBuilder &b, Location loc, Value destination,
                ValueRange operands, ArrayRef<AffineMap> operandMaps,
                function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  int64_t rank = cast<RankedTensorType>(destination.getType()).getRank();
  SmallVector<AffineMap> maps(operandMaps);
  maps.push_back(b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, destination.getType(), operands, destination, maps,
             iterators,
             [&](OpBuilder &nested, Location at, ValueRange v) {
               linalg::YieldOp::create(nested, at,
                                       body(nested, at, v.drop_back()));
             })
      .getResult(0);
}

Value mapElements(LoweringContext &lowering, Location loc, Value input,
                  Type element,
                  function_ref<Value(OpBuilder &, Location, Value)> body) {
  OpBuilder &b = lowering.builder;
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  Value destination = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, input), element);
  return parallelGeneric(b, loc, destination, input,
                         b.getMultiDimIdentityMap(rank),
                         [&](OpBuilder &nested, Location at, ValueRange v) {
                           return body(nested, at, v[0]);
                         });
}

Value parallelOver(
    LoweringContext &lowering, Location loc, ArrayRef<AffineExpr> dims,
    Type element, ValueRange operands, ArrayRef<AffineMap> maps,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  return parallelGeneric(lowering.builder, loc, lowering.empty(dims, element),
                         operands, maps, body);
}

} // namespace tenon::graph

static Value multiplyInAnyOrder(OpBuilder &b, Location loc, Value lhs,
                                Value rhs) {
  if (isa<ComplexType>(lhs.getType()))
    return complex::MulOp::create(b, loc, lhs, rhs);
  if (!isa<FloatType>(lhs.getType()))
    return arith::MulIOp::create(b, loc, lhs, rhs);
  return arith::MulFOp::create(b, loc, lhs, rhs, arith::FastMathFlags::reassoc);
}

using Combine = function_ref<Value(OpBuilder &, Location, Value, Value)>;
using Finish = function_ref<Value(OpBuilder &, Location, Value)>;

/// One generic that combines, one that finishes each result if there is more
/// to do, and the unit dimensions.
static LogicalResult lowerReduction(Operation *op, LoweringContext &lowering,
                                    Value input, ArrayRef<int64_t> axes,
                                    Value identity, Combine combine,
                                    Finish finish = {}) {
  Location loc = op->getLoc();
  Type element =
      LoweringContext::elementType(getElementTypeOrSelf(input.getType()));
  SmallVector<Value> results;
  Type accumulator = identity.getType();
  auto combined = [&](OpBuilder &b, Location at, Value value, Value sum) {
    return combine(b, at, convertFloat(b, at, value, accumulator), sum);
  };
  Value reduced;
  if (!axes.empty())
    reduced = reduceOver(lowering, loc, lowering.get(input),
                         lowering.shapes.dims(input), axes, identity, results,
                         [&](OpBuilder &b, Location at, ValueRange in,
                             ValueRange sum) -> SmallVector<Value> {
                           return {combined(b, at, in[0], sum[0])};
                         });
  else if (finish || accumulator != element)
    reduced = mapElements(lowering, loc, lowering.get(input), accumulator,
                          [&](OpBuilder &b, Location at, Value value) {
                            return combined(b, at, value, identity);
                          });
  else
    reduced = lowering.get(input);
  if (finish || getElementTypeOrSelf(reduced.getType()) != element)
    reduced = mapElements(lowering, loc, reduced, element,
                          [&](OpBuilder &b, Location at, Value value) {
                            Value last = finish ? finish(b, at, value) : value;
                            return convertFloat(b, at, last, element);
                          });
  lowering.set(op->getResult(0),
               restoreUnitDims(lowering, op->getResult(0), reduced, axes));
  return success();
}

LogicalResult ReduceSumOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerReduction(*this, lowering, getInput(), getAxes(),
                        identityOf(lowering, getInput(), 0), addInAnyOrder);
}

LogicalResult ReduceProdOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerReduction(*this, lowering, getInput(), getAxes(),
                        identityOf(lowering, getInput(), 1),
                        multiplyInAnyOrder);
}

namespace tenon::graph {
Value identityOf(LoweringContext &lowering, Value input, double value) {
  OpBuilder &b = lowering.builder;
  Location loc = input.getLoc();
  Type element = accumulatorType(
      LoweringContext::elementType(getElementTypeOrSelf(input.getType())));
  if (auto complex = dyn_cast<ComplexType>(element)) {
    Type part = complex.getElementType();
    return complex::ConstantOp::create(
        b, loc, complex,
        b.getArrayAttr({b.getFloatAttr(part, value), b.getFloatAttr(part, 0)}));
  }
  if (isa<FloatType>(element))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
  return arith::ConstantOp::create(
      b, loc,
      b.getIntegerAttr(element.isInteger() ? element : b.getI64Type(),
                       static_cast<int64_t>(value)));
}

Value countOf(LoweringContext &lowering, Location loc, Value input,
              ArrayRef<int64_t> axes, Type type) {
  OpBuilder &b = lowering.builder;
  SmallVector<AffineExpr> sizes;
  for (int64_t axis : axes)
    sizes.push_back(lowering.shapes.dim(input, axis));
  AffineExpr product = lowering.shapes.product(sizes);
  std::optional<int64_t> known = ShapeContext::asConstant(product);
  if (isa<FloatType>(type) && known)
    return arith::ConstantOp::create(
        b, loc, b.getFloatAttr(type, static_cast<double>(*known)));
  Value count = lowering.index(product);
  if (!isa<FloatType>(type))
    return arith::IndexCastOp::create(b, loc, type, count);
  count = arith::IndexCastOp::create(b, loc, b.getI64Type(), count);
  return arith::SIToFPOp::create(b, loc, type, count);
}
} // namespace tenon::graph

LogicalResult ReduceMeanOp::lowerToLinalg(LoweringContext &lowering) {
  Type graphElement = getElementTypeOrSelf(getInput().getType());
  bool isUnsignedInteger = isUnsigned(graphElement);
  Type element = LoweringContext::elementType(graphElement);
  Type i64 = lowering.builder.getI64Type();
  // The sum of integers is one of 64 bits.
  Type accumulator = element.isInteger() ? i64 : accumulatorType(element);
  auto complexType = dyn_cast<ComplexType>(accumulator);
  Value count =
      countOf(lowering, getLoc(), getInput(), getAxes(),
              complexType ? complexType.getElementType() : accumulator);
  Value identity =
      element.isInteger()
          ? arith::ConstantIntOp::create(lowering.builder, getLoc(), 0, 64)
                .getResult()
          : identityOf(lowering, getInput(), 0);
  auto combine = [&](OpBuilder &b, Location loc, Value lhs, Value rhs) {
    if (lhs.getType().isInteger() && lhs.getType() != i64)
      lhs = isUnsignedInteger
                ? arith::ExtUIOp::create(b, loc, i64, lhs).getResult()
                : arith::ExtSIOp::create(b, loc, i64, lhs).getResult();
    return addInAnyOrder(b, loc, lhs, rhs);
  };
  auto finish = [&](OpBuilder &b, Location loc, Value sum) -> Value {
    if (complexType) {
      Value zero = Scalar(b, loc, count).constant(0);
      return complex::DivOp::create(
          b, loc, sum,
          complex::CreateOp::create(b, loc, complexType, count, zero));
    }
    if (isa<FloatType>(accumulator))
      return arith::DivFOp::create(b, loc, sum, count);
    // Of no elements: the quotient is not to trap.
    Scalar divisor(b, loc, count);
    Scalar safe = select(divisor == 0, divisor.constant(1), divisor);
    Value quotient =
        isUnsignedInteger
            ? arith::DivUIOp::create(b, loc, sum, safe).getResult()
            : arith::DivSIOp::create(b, loc, sum, safe).getResult();
    if (element == i64)
      return quotient;
    return arith::TruncIOp::create(b, loc, element, quotient);
  };
  return lowerReduction(*this, lowering, getInput(), getAxes(), identity,
                        combine, finish);
}

/// The value below (or above) all others.
static Value extreme(LoweringContext &lowering, Type graphElement,
                     bool greatest) {
  OpBuilder &b = lowering.builder;
  Type element = accumulatorType(LoweringContext::elementType(graphElement));
  if (isa<FloatType>(element)) {
    double infinity = std::numeric_limits<double>::infinity();
    return arith::ConstantOp::create(
        b, b.getUnknownLoc(),
        b.getFloatAttr(element, greatest ? infinity : -infinity));
  }
  unsigned width = element.getIntOrFloatBitWidth();
  bool isUnsignedInteger = isUnsigned(graphElement);
  APInt value = greatest
                    ? (isUnsignedInteger ? APInt::getMaxValue(width)
                                         : APInt::getSignedMaxValue(width))
                    : (isUnsignedInteger ? APInt::getMinValue(width)
                                         : APInt::getSignedMinValue(width));
  return arith::ConstantOp::create(b, b.getUnknownLoc(),
                                   b.getIntegerAttr(element, value));
}

LogicalResult ReduceMaxOp::lowerToLinalg(LoweringContext &lowering) {
  Type element = getElementTypeOrSelf(getInput().getType());
  return lowerReduction(
      *this, lowering, getInput(), getAxes(),
      extreme(lowering, element, /*greatest=*/false),
      [&](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        if (isa<FloatType>(element))
          return arith::MaximumFOp::create(b, loc, lhs, rhs);
        if (isUnsigned(element))
          return arith::MaxUIOp::create(b, loc, lhs, rhs);
        return arith::MaxSIOp::create(b, loc, lhs, rhs);
      });
}

LogicalResult ReduceMinOp::lowerToLinalg(LoweringContext &lowering) {
  Type element = getElementTypeOrSelf(getInput().getType());
  return lowerReduction(
      *this, lowering, getInput(), getAxes(),
      extreme(lowering, element, /*greatest=*/true),
      [&](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        if (isa<FloatType>(element))
          return arith::MinimumFOp::create(b, loc, lhs, rhs);
        if (isUnsigned(element))
          return arith::MinUIOp::create(b, loc, lhs, rhs);
        return arith::MinSIOp::create(b, loc, lhs, rhs);
      });
}

LogicalResult ReduceAllOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerReduction(
      *this, lowering, getInput(), getAxes(),
      identityOf(lowering, getInput(), 1),
      [](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        return arith::AndIOp::create(b, loc, lhs, rhs);
      });
}

LogicalResult ReduceAnyOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerReduction(
      *this, lowering, getInput(), getAxes(),
      identityOf(lowering, getInput(), 0),
      [](OpBuilder &b, Location loc, Value lhs, Value rhs) -> Value {
        return arith::OrIOp::create(b, loc, lhs, rhs);
      });
}

//===----------------------------------------------------------------------===//
// Positions of extreme elements
//===----------------------------------------------------------------------===//

static LogicalResult inferArg(Operation *op, Value input, int64_t axis,
                              ShapeContext &shapes) {
  return inferReductionShapes(op, input, {axis}, false, shapes);
}

/// Two accumulators: the best element and its index. Greater or equal never
/// replaces, so the first wins; a NaN is not better than anything.
static LogicalResult lowerArg(Operation *op, LoweringContext &lowering,
                              Value input, int64_t axis, bool isMax) {
  Type graphElement = getElementTypeOrSelf(input.getType());
  Type indexType = LoweringContext::elementType(
      getElementTypeOrSelf(op->getResult(0).getType()));
  Value worst = extreme(lowering, graphElement, /*greatest=*/!isMax);
  Type accumulator = worst.getType();
  SmallVector<Value> results;
  reduceOver(
      lowering, op->getLoc(), lowering.get(input), lowering.shapes.dims(input),
      {axis},
      {worst, arith::ConstantOp::create(
                  lowering.builder, op->getLoc(),
                  lowering.builder.getIntegerAttr(indexType, 0))},
      results,
      [&](OpBuilder &b, Location at, ValueRange in,
          ValueRange best) -> SmallVector<Value> {
        Value element = convertFloat(b, at, in[0], accumulator);
        Value better;
        if (isa<FloatType>(accumulator))
          better = arith::CmpFOp::create(b, at,
                                         isMax ? arith::CmpFPredicate::OGT
                                               : arith::CmpFPredicate::OLT,
                                         element, best[0]);
        else if (isUnsigned(graphElement))
          better = arith::CmpIOp::create(b, at,
                                         isMax ? arith::CmpIPredicate::ugt
                                               : arith::CmpIPredicate::ult,
                                         element, best[0]);
        else
          better = arith::CmpIOp::create(b, at,
                                         isMax ? arith::CmpIPredicate::sgt
                                               : arith::CmpIPredicate::slt,
                                         element, best[0]);
        Value index = arith::IndexCastOp::create(
            b, at, indexType, linalg::IndexOp::create(b, at, axis));
        return {arith::SelectOp::create(b, at, better, element, best[0]),
                arith::SelectOp::create(b, at, better, index, best[1])};
      });
  lowering.set(op->getResult(0), results[1]);
  return success();
}

LogicalResult ArgMaxOp::inferShapes(ShapeContext &shapes) {
  return inferArg(*this, getInput(), getAxis(), shapes);
}
LogicalResult ArgMinOp::inferShapes(ShapeContext &shapes) {
  return inferArg(*this, getInput(), getAxis(), shapes);
}
LogicalResult ArgMaxOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerArg(*this, lowering, getInput(), getAxis(), /*isMax=*/true);
}
LogicalResult ArgMinOp::lowerToLinalg(LoweringContext &lowering) {
  return lowerArg(*this, lowering, getInput(), getAxis(), /*isMax=*/false);
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Reduction.cpp.inc"

void GraphDialect::registerReductionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Reduction.cpp.inc"
      >();
}
