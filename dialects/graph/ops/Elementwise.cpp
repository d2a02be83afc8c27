#include "dialects/graph/Graph.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Shapes and lowering of all elementwise ops
//===----------------------------------------------------------------------===//

LogicalResult tenon::graph::inferElementwiseShapes(Operation *op,
                                                   ShapeContext &shapes) {
  SmallVector<ArrayRef<AffineExpr>> operands;
  for (Value operand : op->getOperands())
    operands.push_back(shapes.dims(operand));
  FailureOr<Dims> dims = shapes.broadcast(operands, op->getResult(0));
  if (failed(dims)) {
    InFlightDiagnostic error = op->emitOpError("operands of shapes ");
    llvm::interleave(
        operands,
        [&](ArrayRef<AffineExpr> shape) { error << shapeString(shape); },
        [&] { error << " and "; });
    return error << " do not broadcast";
  }
  for (Value result : op->getResults())
    shapes.setDims(result, *dims);
  return success();
}

Value tenon::graph::broadcastOperand(LoweringContext &lowering,
                                     Value graphOperand, Value result,
                                     AffineMap &map) {
  OpBuilder &b = lowering.builder;
  ArrayRef<AffineExpr> from = lowering.shapes.dims(graphOperand),
                       to = lowering.shapes.dims(result);
  Value value = lowering.get(graphOperand);
  SmallVector<AffineExpr> exprs;
  SmallVector<int64_t> kept;
  size_t offset = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == to[i + offset]) {
      exprs.push_back(b.getAffineDimExpr(i + offset));
      kept.push_back(i);
    } else if (ShapeContext::asConstant(from[i]) != 1) {
      return {};
    }
  }
  map = AffineMap::get(to.size(), 0, exprs, b.getContext());
  if (kept.size() == from.size())
    return value;
  // Drop the unit dimensions: each joins the next kept one.
  SmallVector<ReassociationIndices> groups(kept.size());
  size_t group = 0;
  for (size_t i = 0; i < from.size() && !kept.empty(); ++i) {
    groups[std::min(group, kept.size() - 1)].push_back(i);
    if (group < kept.size() && kept[group] == int64_t(i))
      ++group;
  }
  return tensor::CollapseShapeOp::create(b, graphOperand.getLoc(), value,
                                         groups);
}

/// When a dimension may or may not be 1, its index is chosen at run time.
static LogicalResult lowerGeneralBroadcast(Operation *op,
                                           Elementwise elementwise,
                                           LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Value result = op->getResult(0);
  SmallVector<SmallVector<Value>> sizes;
  for (Value operand : op->getOperands()) {
    sizes.emplace_back();
    for (AffineExpr dim : lowering.shapes.dims(operand))
      sizes.back().push_back(lowering.index(dim));
  }
  ArrayRef<AffineExpr> dims = lowering.shapes.dims(result);
  Value one = lowering.constantIndex(1);
  for (size_t d = 0; d < dims.size(); ++d) {
    Value size = one;
    for (auto &operand : sizes)
      if (d + operand.size() >= dims.size()) {
        Value other = operand[d + operand.size() - dims.size()];
        Value isOne = arith::CmpIOp::create(
            b, op->getLoc(), arith::CmpIPredicate::eq, other, one);
        size = arith::SelectOp::create(b, op->getLoc(), isOne, size, other);
      }
    lowering.bindDim(result, d, size);
  }
  Value zero = lowering.constantIndex(0);
  lowering.set(
      result, lowering.generate(
                  op->getLoc(), result,
                  [&](OpBuilder &nested, Location loc, ValueRange indices) {
                    SmallVector<Value> scalars;
                    for (auto [operand, operandSizes] :
                         llvm::zip(op->getOperands(), sizes)) {
                      SmallVector<Value> at;
                      for (auto [i, size] : llvm::enumerate(operandSizes)) {
                        Value isOne = arith::CmpIOp::create(
                            nested, loc, arith::CmpIPredicate::eq, size, one);
                        at.push_back(arith::SelectOp::create(
                            nested, loc, isOne, zero,
                            indices[i + indices.size() - operandSizes.size()]));
                      }
                      scalars.push_back(tensor::ExtractOp::create(
                          nested, loc, lowering.get(operand), at));
                    }
                    return elementwise.buildScalar(nested, scalars);
                  }));
  return success();
}

LogicalResult tenon::graph::lowerElementwise(Operation *op,
                                             LoweringContext &lowering) {
  auto elementwise = cast<Elementwise>(op);
  Value result = op->getResult(0);
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (Value operand : op->getOperands()) {
    Value value =
        broadcastOperand(lowering, operand, result, maps.emplace_back());
    if (!value)
      return lowerGeneralBroadcast(op, elementwise, lowering);
    operands.push_back(value);
  }
  lowering.set(
      result, lowering.generic(op->getLoc(), result, operands, maps,
                               [&](OpBuilder &b, Location, ValueRange scalars) {
                                 return elementwise.buildScalar(b, scalars);
                               }));
  return success();
}

//===----------------------------------------------------------------------===//
// The ops' scalars
//===----------------------------------------------------------------------===//

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

/// The op for floats, for complex numbers, or for integers.
template <typename FloatOp, typename IntOp, typename ComplexOp>
static Value arithmetic(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  if (isa<FloatType>(lhs.getType()))
    return FloatOp::create(b, loc, lhs, rhs);
  if (isa<ComplexType>(lhs.getType()))
    return ComplexOp::create(b, loc, lhs, rhs);
  return IntOp::create(b, loc, lhs, rhs);
}

static Value compare(OpBuilder &b, Location loc, Type type,
                     arith::CmpFPredicate onFloats,
                     arith::CmpIPredicate onSigned,
                     arith::CmpIPredicate onUnsigned, ValueRange values) {
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(b, loc, onFloats, values[0], values[1]);
  return arith::CmpIOp::create(b, loc, isUnsigned(type) ? onUnsigned : onSigned,
                               values[0], values[1]);
}

Value AddOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arithmetic<arith::AddFOp, arith::AddIOp, complex::AddOp>(b, getLoc(),
                                                                  v[0], v[1]);
}

Value MulOp::buildScalar(OpBuilder &b, ValueRange v) {
  return arithmetic<arith::MulFOp, arith::MulIOp, complex::MulOp>(b, getLoc(),
                                                                  v[0], v[1]);
}

Value LessOp::buildScalar(OpBuilder &b, ValueRange v) {
  return compare(b, getLoc(), elementOf(getLhs()), arith::CmpFPredicate::OLT,
                 arith::CmpIPredicate::slt, arith::CmpIPredicate::ult, v);
}

Value ReluOp::buildScalar(OpBuilder &b, ValueRange v) {
  Value zero =
      arith::ConstantOp::create(b, getLoc(), b.getZeroAttr(v[0].getType()));
  if (isa<FloatType>(v[0].getType()))
    return arith::MaximumFOp::create(b, getLoc(), v[0], zero);
  return arith::MaxSIOp::create(b, getLoc(), v[0], zero);
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Elementwise.cpp.inc"

void GraphDialect::registerElementwiseOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Elementwise.cpp.inc"
      >();
}
