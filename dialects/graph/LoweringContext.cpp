#include "dialects/graph/LoweringContext.h"
#include "dialects/graph/HostCall.h"
#include "dialects/graph/Recompute.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;

namespace tenon::graph {

Type LoweringContext::elementType(Type graphElementType) {
  if (isa<StringType>(graphElementType))
    return IntegerType::get(graphElementType.getContext(), 128);
  auto integer = dyn_cast<IntegerType>(graphElementType);
  return integer && !integer.isSignless()
             ? IntegerType::get(integer.getContext(), integer.getWidth())
             : graphElementType;
}

RankedTensorType LoweringContext::type(Type graphType) {
  auto tensor = cast<RankedTensorType>(graphType);
  return RankedTensorType::get(tensor.getShape(),
                               elementType(tensor.getElementType()));
}

void LoweringContext::set(Value graphValue, Value lowered) {
  RankedTensorType wanted = type(graphValue.getType());
  if (lowered.getType() != wanted)
    lowered =
        tensor::CastOp::create(builder, graphValue.getLoc(), wanted, lowered);
  mapping.map(graphValue, lowered);
}

Value LoweringContext::constantIndex(int64_t value) {
  return arith::ConstantIndexOp::create(builder, builder.getUnknownLoc(),
                                        value);
}

Value LoweringContext::symbolValue(unsigned symbol) {
  if (Value bound = symbols.lookup(symbol))
    return bound;
  ShapeContext::Origin origin = shapes.origin(symbol);
  if (origin.lhs) {
    // Not remembered: the place may be inside of a region.
    Value lhs = index(origin.lhs), rhs = index(origin.rhs);
    Location loc = builder.getUnknownLoc();
    if (origin.greater)
      return arith::MaxSIOp::create(builder, loc, lhs, rhs);
    return arith::MinSIOp::create(builder, loc, lhs, rhs);
  }
  assert(origin.value && has(origin.value) &&
         "an op that makes a size binds it");
  // Beside the tensor, where all later uses can see it.
  OpBuilder::InsertionGuard guard(builder);
  Value tensor = get(origin.value);
  builder.setInsertionPointAfterValue(tensor);
  return symbols[symbol] = tensor::DimOp::create(builder, origin.value.getLoc(),
                                                 tensor, origin.dim);
}

OpFoldResult LoweringContext::size(AffineExpr expr) {
  if (auto known = ShapeContext::asConstant(expr))
    return builder.getIndexAttr(*known);
  // Only the symbols that occur become operands, numbered from 0.
  SmallVector<Value> operands;
  DenseMap<AffineExpr, AffineExpr> renumbered;
  expr.walk([&](AffineExpr part) {
    auto symbol = dyn_cast<AffineSymbolExpr>(part);
    if (!symbol || renumbered.contains(part))
      return;
    renumbered[part] = builder.getAffineSymbolExpr(operands.size());
    operands.push_back(symbolValue(symbol.getPosition()));
  });
  auto map = AffineMap::get(0, operands.size(), expr.replace(renumbered));
  return affine::makeComposedFoldedAffineApply(
      builder, builder.getUnknownLoc(), map, getAsOpFoldResult(operands));
}

SmallVector<OpFoldResult> LoweringContext::sizes(Value graphValue) {
  SmallVector<OpFoldResult> result;
  for (AffineExpr dim : shapes.dims(graphValue))
    result.push_back(size(dim));
  return result;
}

Value LoweringContext::index(AffineExpr expr) {
  return getValueOrCreateConstantIndexOp(builder, builder.getUnknownLoc(),
                                         size(expr));
}

void LoweringContext::bindDim(Value graphValue, unsigned i, Value size) {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(shapes.dim(graphValue, i)))
    symbols.try_emplace(symbol.getPosition(), size);
}

Value LoweringContext::empty(Value graphValue) {
  Type element = elementType(getElementTypeOrSelf(graphValue.getType()));
  return tensor::EmptyOp::create(builder, graphValue.getLoc(),
                                 sizes(graphValue), element);
}

Value LoweringContext::empty(ArrayRef<AffineExpr> dims, Type element) {
  SmallVector<OpFoldResult> sizes;
  for (AffineExpr dim : dims)
    sizes.push_back(size(dim));
  return tensor::EmptyOp::create(builder, builder.getUnknownLoc(), sizes,
                                 element);
}

Value LoweringContext::filled(Value graphValue, Value scalar) {
  return linalg::FillOp::create(builder, graphValue.getLoc(), scalar,
                                empty(graphValue))
      .getResult(0);
}

Value LoweringContext::element(Value graphValue, int64_t position) {
  if (auto contents = shapes.contents(graphValue))
    if (AffineExpr expr = (*contents)[position])
      return index(expr);
  Location loc = graphValue.getLoc();
  Value source = get(graphValue);
  SmallVector<Value> indices;
  if (cast<RankedTensorType>(source.getType()).getRank() == 1)
    indices.push_back(constantIndex(position));
  Value scalar = tensor::ExtractOp::create(builder, loc, source, indices);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                    scalar);
}

Value LoweringContext::generic(
    Location loc, Value result, ValueRange operands, ArrayRef<AffineMap> maps,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  Value destination = empty(result);
  auto resultType = cast<RankedTensorType>(destination.getType());
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(builder.getMultiDimIdentityMap(resultType.getRank()));
  SmallVector<utils::IteratorType> iterators(resultType.getRank(),
                                             utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      builder, loc, TypeRange{resultType}, operands, ValueRange{destination},
      allMaps, iterators,
      [&](OpBuilder &nested, Location at, ValueRange arguments) {
        linalg::YieldOp::create(nested, at,
                                body(nested, at, arguments.drop_back()));
      });
  return op.getResult(0);
}

Value LoweringContext::generate(
    Location loc, Value result,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  return generic(
      loc, result, {}, {}, [&](OpBuilder &nested, Location at, ValueRange) {
        SmallVector<Value> indices;
        int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
        for (int64_t i = 0; i < rank; ++i)
          indices.push_back(linalg::IndexOp::create(nested, at, i));
        return body(nested, at, indices);
      });
}

/// Elements that code can be made for.
static bool isComputable(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isIntOrFloat() || isa<ComplexType, StringType>(element);
}

static bool isString(Type type) {
  return isa<StringType>(getElementTypeOrSelf(type));
}

LogicalResult LoweringContext::lowerBody(Block &block) {
  for (BlockArgument argument : block.getArguments())
    if (!isComputable(argument.getType()))
      return emitError(argument.getLoc())
             << "an input of type " << argument.getType()
             << " is not supported";
  for (Operation &op : block.without_terminator()) {
    for (Type type : op.getResultTypes())
      if (!isComputable(type))
        return op.emitOpError()
               << "a result of type " << type << " is not supported";
    if ((llvm::any_of(op.getOperandTypes(), isString) ||
         llvm::any_of(op.getResultTypes(), isString)) &&
        !takesStrings(&op))
      return op.emitOpError("does not take strings");
    auto lowering = dyn_cast<LinalgLowering>(op);
    if (!lowering)
      return op.emitOpError("has no lowering to linalg");
    if (lowerKnownContents(&op, *this))
      continue;
    Block *into = builder.getInsertionBlock();
    auto place = builder.getInsertionPoint();
    Operation *last = place == into->begin() ? nullptr : &*std::prev(place);
    if (failed(lowering.lowerToLinalg(*this)))
      return failure();
    if (Attribute again = op.getAttr(kAgainAttr))
      for (auto it = last ? std::next(last->getIterator()) : into->begin();
           it != place; ++it)
        it->setAttr(kAgainAttr, again);
  }
  return success();
}

} // namespace tenon::graph
