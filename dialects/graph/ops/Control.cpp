#include "dialects/graph/ops/Control.h"
#include "dialects/graph/HostCall.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// constant
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ConstantOp::inferShapes(ShapeContext &shapes) {
  auto type = cast<RankedTensorType>(getValue().getType());
  Dims dims;
  for (int64_t size : type.getShape())
    dims.push_back(shapes.constant(size));
  shapes.setDims(getResult(), dims);
  auto integers = dyn_cast<DenseIntElementsAttr>(getValue());
  if (!integers || integers.getNumElements() > ShapeContext::maxContents)
    return success();
  Dims elements;
  for (const APInt &element : integers)
    elements.push_back(shapes.constant(isUnsigned(type.getElementType())
                                           ? int64_t(element.getZExtValue())
                                           : element.getSExtValue()));
  shapes.setContents(getResult(), elements);
  return success();
}

LogicalResult ConstantOp::lowerToLinalg(LoweringContext &lowering) {
  auto type = cast<RankedTensorType>(getValue().getType());
  if (auto strings = dyn_cast<DenseStringElementsAttr>(getValue())) {
    lowering.set(getResult(), lowerStrings(lowering, getLoc(), type, strings));
    return success();
  }
  RankedTensorType lowered = LoweringContext::type(type);
  ElementsAttr value = getValue();
  if (lowered != type) {
    auto dense = dyn_cast<DenseElementsAttr>(value);
    if (dense) {
      value = dense.bitcast(lowered.getElementType());
    } else {
      auto resource = cast<DenseResourceElementsAttr>(value);
      value = DenseResourceElementsAttr::get(lowered, resource.getRawHandle());
    }
  }
  lowering.set(getResult(), arith::ConstantOp::create(
                                lowering.builder, getLoc(), lowered, value));
  return success();
}

//===----------------------------------------------------------------------===//
// if
//===----------------------------------------------------------------------===//

static LogicalResult verifyYield(Operation *op, Region &region,
                                 TypeRange expected) {
  Operation *yield = region.front().getTerminator();
  if (yield->getNumOperands() != expected.size())
    return op->emitOpError()
           << "has " << expected.size() << " results, but a region yields "
           << yield->getNumOperands() << " values";
  for (auto [i, pair] :
       llvm::enumerate(llvm::zip(yield->getOperandTypes(), expected))) {
    auto have = cast<RankedTensorType>(std::get<0>(pair)),
         want = dyn_cast<RankedTensorType>(std::get<1>(pair));
    if (want && (have.getRank() != want.getRank() ||
                 have.getElementType() != want.getElementType()))
      return op->emitOpError() << "value " << i << " of a region has type "
                               << have << ", expected " << want;
  }
  return success();
}

LogicalResult IfOp::verifyRegions() {
  if (failed(verifyYield(*this, getThenRegion(), getResultTypes())))
    return failure();
  return verifyYield(*this, getElseRegion(), getResultTypes());
}

LogicalResult IfOp::inferShapes(ShapeContext &shapes) {
  auto thenYield = getThenRegion().front().getTerminator()->getOperands();
  auto elseYield = getElseRegion().front().getTerminator()->getOperands();
  if (thenYield.size() != getNumResults() ||
      elseYield.size() != getNumResults())
    return emitOpError() << "branches yield " << thenYield.size() << " and "
                         << elseYield.size() << " values, expected "
                         << getNumResults();
  for (auto [result, a, b] : llvm::zip(getResults(), thenYield, elseYield)) {
    ArrayRef<AffineExpr> thenDims = shapes.dims(a), elseDims = shapes.dims(b);
    if (thenDims.size() != elseDims.size())
      return emitOpError() << "branches yield ranks " << thenDims.size()
                           << " and " << elseDims.size() << " for result "
                           << result.getResultNumber();
    Dims dims;
    for (auto [i, x, y] : llvm::enumerate(thenDims, elseDims))
      dims.push_back(x == y ? x : shapes.freshSymbol(result, i));
    shapes.setDims(result, dims);
  }
  return success();
}

/// Lowers a region's ops and hands its yielded values, cast to `types`, to scf.
static LogicalResult lowerRegion(LoweringContext &lowering, Region &region,
                                 TypeRange types,
                                 SmallVectorImpl<Value> &yielded) {
  if (failed(lowering.lowerBody(region.front())))
    return failure();
  for (auto [value, type] :
       llvm::zip(region.front().getTerminator()->getOperands(), types)) {
    Value lowered = lowering.get(value);
    if (lowered.getType() != type)
      lowered = tensor::CastOp::create(lowering.builder, value.getLoc(), type,
                                       lowered);
    yielded.push_back(lowered);
  }
  return success();
}

static SmallVector<Type> loweredTypes(TypeRange types) {
  return llvm::map_to_vector(
      types, [](Type type) -> Type { return LoweringContext::type(type); });
}

LogicalResult IfOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  SmallVector<Type> types = loweredTypes(getResultTypes());
  Value condition = tensor::ExtractOp::create(
      b, getLoc(), lowering.get(getCondition()), ValueRange());
  auto lowered =
      scf::IfOp::create(b, getLoc(), types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  for (auto [from, to] : llvm::zip(getRegions(), lowered->getRegions())) {
    to.front().clear(); // without results there is a terminator already
    b.setInsertionPointToStart(&to.front());
    SmallVector<Value> yielded;
    if (failed(lowerRegion(lowering, *from, types, yielded)))
      return failure();
    scf::YieldOp::create(b, getLoc(), yielded);
  }
  for (auto [result, value] : llvm::zip(getResults(), lowered.getResults()))
    lowering.set(result, value);
  return success();
}

//===----------------------------------------------------------------------===//
// while
//===----------------------------------------------------------------------===//

LogicalResult WhileOp::verifyRegions() {
  for (Region *region : getRegions()) {
    if (region->getArgumentTypes() != getInits().getTypes() &&
        region->getNumArguments() != getInits().size())
      return emitOpError() << "has " << getInits().size()
                           << " values, but a region takes "
                           << region->getNumArguments();
    for (auto [i, argument, init] :
         llvm::enumerate(region->getArguments(), getInits())) {
      auto have = dyn_cast<RankedTensorType>(argument.getType()),
           want = cast<RankedTensorType>(init.getType());
      if (!have || have.getRank() != want.getRank() ||
          have.getElementType() != want.getElementType())
        return emitOpError() << "argument " << i << " of a region has type "
                             << argument.getType() << ", expected " << want;
    }
  }
  Operation *condition = getCondition().front().getTerminator();
  if (condition->getNumOperands() != 1 ||
      !getElementTypeOrSelf(condition->getOperandTypes()[0]).isInteger(1))
    return emitOpError("condition must yield one boolean scalar");
  return verifyYield(*this, getBody(), getResultTypes());
}

/// A loop's sizes: those of the initial values where the body keeps them, a
/// symbol of their own where it does not. Guesses that all are kept, and takes
/// back what the body contradicts.
LogicalResult WhileOp::inferShapes(ShapeContext &shapes) {
  Operation *yield = getBody().front().getTerminator();
  if (yield->getNumOperands() != getNumResults() ||
      getInits().size() != getNumResults())
    return emitOpError() << "has " << getInits().size()
                         << " values, but its body yields "
                         << yield->getNumOperands();
  SmallVector<SmallVector<bool>> varies;
  for (Value init : getInits())
    varies.emplace_back(shapes.dims(init).size(), false);
  auto assume = [&](ShapeContext &context) {
    for (auto [i, init] : llvm::enumerate(getInits())) {
      Dims bodyDims, conditionDims, resultDims;
      ArrayRef<AffineExpr> initDims = context.dims(init);
      Value inBody = getBody().getArgument(i),
            inCondition = getCondition().getArgument(i), result = getResult(i);
      for (auto [d, dim] : llvm::enumerate(initDims)) {
        bodyDims.push_back(varies[i][d] ? context.freshSymbol(inBody, d) : dim);
        conditionDims.push_back(
            varies[i][d] ? context.freshSymbol(inCondition, d) : dim);
        resultDims.push_back(varies[i][d] ? context.freshSymbol(result, d)
                                          : dim);
      }
      context.setDims(inBody, bodyDims);
      context.setDims(inCondition, conditionDims);
      context.setDims(result, resultDims);
    }
  };
  for (bool changed = true; changed;) {
    changed = false;
    ShapeContext trial = shapes;
    assume(trial);
    for (auto [i, next] : llvm::enumerate(yield->getOperands())) {
      ArrayRef<AffineExpr> before = trial.dims(getBody().getArgument(i)),
                           after = trial.dims(next);
      if (before.size() != after.size())
        return emitOpError()
               << "value " << i << " has rank " << before.size()
               << " before an iteration and " << after.size() << " after it";
      for (size_t d = 0; d < before.size(); ++d)
        if (before[d] != after[d] && !varies[i][d])
          changed = varies[i][d] = true;
    }
  }
  assume(shapes);
  return success();
}

/// The tensor that a chain of insertions started from.
static Value insertionBase(Value value) {
  while (auto insert = value.getDefiningOp<tensor::InsertSliceOp>())
    value = insert.getDest();
  return value;
}

static Value copyInto(OpBuilder &b, Value value, Value destination) {
  return linalg::CopyOp::create(b, value.getLoc(), value, destination)
      .getResult(0);
}

LogicalResult WhileOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  // What is known of sizes in the body comes from here.
  if (getNumResults())
    (void)lowering.shapes.dims(getResult(0));
  SmallVector<Type> types = loweredTypes(getResultTypes());
  SmallVector<Value> inits;
  for (auto [init, type] : llvm::zip(getInits(), types)) {
    Value value = lowering.get(init);
    inits.push_back(
        value.getType() == type
            ? value
            : tensor::CastOp::create(b, loc, type, value).getResult());
  }
  auto loop = scf::WhileOp::create(b, loc, types, inits);
  SmallVector<Location> locations(types.size(), loc);
  OpBuilder::InsertionGuard guard(b);
  auto enter = [&](Region &from, Region &to) {
    Block *block = b.createBlock(&to, {}, types, locations);
    for (auto [source, target] :
         llvm::zip(from.getArguments(), block->getArguments())) {
      Value value = target;
      RankedTensorType wanted = LoweringContext::type(source.getType());
      if (target.getType() != wanted)
        value = tensor::CastOp::create(b, loc, wanted, target);
      lowering.map(source, value);
    }
    return block;
  };
  Block *before = enter(getCondition(), loop.getBefore());
  if (failed(lowering.lowerBody(getCondition().front())))
    return failure();
  Value more = tensor::ExtractOp::create(
      b, loc,
      lowering.get(getCondition().front().getTerminator()->getOperand(0)),
      ValueRange());
  scf::ConditionOp::create(b, loc, more, before->getArguments());

  Block *after = enter(getBody(), loop.getAfter());
  SmallVector<Value> next;
  if (failed(lowerRegion(lowering, getBody(), types, next)))
    return failure();
  // The next value must be in the loop value's own buffer when an iteration
  // ends; a chain of insertions into the argument is there already. Values that
  // move from one loop variable to another leave their place before anything is
  // written there.
  auto inPlace = [&](size_t i) {
    return insertionBase(next[i]) == after->getArgument(i);
  };
  for (size_t i = 0; i < next.size(); ++i)
    if (!inPlace(i) && !next[i].getDefiningOp<DestinationStyleOpInterface>())
      next[i] = copyInto(b, next[i],
                         tensor::EmptyOp::create(
                             b, loc, tensor::getMixedSizes(b, loc, next[i]),
                             getElementTypeOrSelf(next[i].getType())));
  Operation *yield = getBody().front().getTerminator();
  for (size_t i = 0; i < next.size(); ++i)
    if (!inPlace(i) &&
        llvm::equal(lowering.shapes.dims(yield->getOperand(i)),
                    lowering.shapes.dims(getBody().getArgument(i))))
      next[i] = copyInto(b, next[i], after->getArgument(i));
  scf::YieldOp::create(b, loc, next);
  for (auto [result, value] : llvm::zip(getResults(), loop.getResults()))
    lowering.set(result, value);
  return success();
}

//===----------------------------------------------------------------------===//
// check
//===----------------------------------------------------------------------===//

LogicalResult CheckOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult CheckOp::lowerToLinalg(LoweringContext &lowering) {
  Value condition = tensor::ExtractOp::create(
      lowering.builder, getLoc(), lowering.get(getCondition()), ValueRange());
  auto check =
      cf::AssertOp::create(lowering.builder, getLoc(), condition, getMessage());
  // What says when the check counts stays with it.
  check->setDiscardableAttrs((*this)->getDiscardableAttrDictionary());
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Control.cpp.inc"

void GraphDialect::registerControlOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Control.cpp.inc"
      >();
}
