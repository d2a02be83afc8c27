#include "dialects/graph/ops/State.h"
#include "dialects/graph/HostCall.h"
#include "dialects/graph/Variables.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace tenon::graph;

LogicalResult VariableOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type)
    return emitOpError() << "has type " << getType()
                         << ", expected a ranked tensor";
  if (ElementsAttr initial = getInitialAttr();
      initial && initial.getType() != getType())
    return emitOpError() << "has type " << type
                         << ", but its initial value has type "
                         << initial.getType();
  return success();
}

/// Finds the variable and checks that `type` fits it.
static LogicalResult verifyUse(Operation *op, SymbolTableCollection &symbols,
                               FlatSymbolRefAttr name, Type type) {
  auto variable = symbols.lookupNearestSymbolFrom<VariableOp>(op, name);
  if (!variable)
    return op->emitOpError()
           << "refers to " << name << ", which is not a variable";
  if (type && failed(verifyCompatibleShape(type, variable.getType())))
    return op->emitOpError() << "has type " << type << ", but variable " << name
                             << " has type " << variable.getType();
  return success();
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, symbols, getVariableAttr(), getResult().getType());
}
LogicalResult AssignOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, symbols, getVariableAttr(), getValue().getType());
}
LogicalResult
IsInitializedOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, symbols, getVariableAttr(), {});
}

static VariableOp variableOf(Operation *op, FlatSymbolRefAttr name) {
  return findVariable(op, name.getAttr());
}

LogicalResult ReadOp::inferShapes(ShapeContext &shapes) {
  VariableOp variable = variableOf(*this, getVariableAttr());
  if (!variable)
    return emitOpError() << "refers to " << getVariableAttr()
                         << ", which is not a variable";
  Dims dims;
  for (auto [i, size] :
       llvm::enumerate(cast<RankedTensorType>(variable.getType()).getShape()))
    dims.push_back(ShapedType::isDynamic(size)
                       ? shapes.freshSymbol(getResult(), i)
                       : shapes.constant(size));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult AssignOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult IsInitializedOp::inferShapes(ShapeContext &shapes) {
  shapes.setDims(getResult(), {});
  return success();
}

//===----------------------------------------------------------------------===//
// Lowering: a variable is a memref.global of its name, and a flag beside it
// that says whether it has a value.
//===----------------------------------------------------------------------===//

static Value storage(LoweringContext &lowering, Location loc,
                     VariableOp variable) {
  RankedTensorType type = LoweringContext::type(variable.getType());
  auto memref = MemRefType::get(type.getShape(), type.getElementType());
  return memref::GetGlobalOp::create(lowering.builder, loc, memref,
                                     variable.getSymName());
}

static Value flag(LoweringContext &lowering, Location loc,
                  VariableOp variable) {
  auto memref = MemRefType::get({}, lowering.builder.getI8Type());
  return memref::GetGlobalOp::create(
      lowering.builder, loc, memref,
      (variable.getSymName() + ".initialized").str());
}

static Value isInitialized(LoweringContext &lowering, Location loc,
                           VariableOp variable) {
  OpBuilder &b = lowering.builder;
  Value byte = memref::LoadOp::create(b, loc, flag(lowering, loc, variable),
                                      ValueRange());
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 8);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, byte, zero);
}

LogicalResult ReadOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  VariableOp variable = variableOf(*this, getVariableAttr());
  if (!variable.getInitialAttr())
    cf::AssertOp::create(
        b, getLoc(), isInitialized(lowering, getLoc(), variable),
        ("variable '" + variable.getSymName() + "' is uninitialized").str());
  Value tensor = bufferization::ToTensorOp::create(
      b, getLoc(), LoweringContext::type(variable.getType()),
      storage(lowering, getLoc(), variable), /*restrict=*/true);
  // A value that was read stays what it is when the variable changes.
  Value copy =
      linalg::CopyOp::create(b, getLoc(), tensor, lowering.empty(getResult()))
          .getResult(0);
  lowering.set(getResult(), copy);
  return success();
}

LogicalResult AssignOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  VariableOp variable = variableOf(*this, getVariableAttr());
  Value value = lowering.get(getValue());
  RankedTensorType type = LoweringContext::type(variable.getType());
  if (value.getType() != type)
    value = tensor::CastOp::create(b, getLoc(), type, value);
  if (Type strings = getElementTypeOrSelf(getValue().getType());
      isa<StringType>(strings)) // their bytes must outlive the call
    value = callHost(lowering, getLoc(), "keep_strings",
                     b.getNamedAttr("variable",
                                    b.getStringAttr(variable.getSymName())),
                     value,
                     tensor::EmptyOp::create(
                         b, getLoc(), tensor::getMixedSizes(b, getLoc(), value),
                         type.getElementType())
                         .getResult(),
                     {strings, strings})
                .front();
  auto store = bufferization::MaterializeInDestinationOp::create(
      b, getLoc(), value, storage(lowering, getLoc(), variable));
  store.setRestrict(true);
  store.setWritable(true);
  if (!variable.getInitialAttr())
    memref::StoreOp::create(b, getLoc(),
                            arith::ConstantIntOp::create(b, getLoc(), 1, 8),
                            flag(lowering, getLoc(), variable), ValueRange());
  return success();
}

LogicalResult IsInitializedOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  VariableOp variable = variableOf(*this, getVariableAttr());
  Value known =
      variable.getInitialAttr()
          ? arith::ConstantIntOp::create(b, getLoc(), 1, 1).getResult()
          : isInitialized(lowering, getLoc(), variable);
  lowering.set(
      getResult(),
      tensor::FromElementsOp::create(
          b, getLoc(), RankedTensorType::get({}, b.getI1Type()), known));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/State.cpp.inc"

void GraphDialect::registerStateOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/State.cpp.inc"
      >();
}
