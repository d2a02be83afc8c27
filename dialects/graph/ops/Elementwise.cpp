#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// Shapes and lowering of all elementwise ops
//===----------------------------------------------------------------------===//

/// Contents of a small integer result, from the operands' contents.
static void inferContents(Operation *op, ShapeContext &shapes) {
  auto isCount = [](Value value) {
    return getElementTypeOrSelf(value.getType()).isIntOrIndex();
  };
  if (!isCount(op->getResult(0)) || !llvm::all_of(op->getOperands(), isCount))
    return;
  SmallVector<std::optional<ArrayRef<AffineExpr>>> contents;
  SmallVector<SmallVector<int64_t>> sizes;
  bool known = false;
  for (Value operand : op->getOperands()) {
    known |= contents.emplace_back(shapes.contents(operand)).has_value();
    auto constant = constantDims(shapes, operand);
    if (!constant)
      return;
    sizes.push_back(*constant);
  }
  if (!known)
    return;
  setContentsBy(
      shapes, op->getResult(0), [&](ArrayRef<int64_t> index) -> AffineExpr {
        SmallVector<AffineExpr> scalars;
        for (auto [values, size] : llvm::zip(contents, sizes)) {
          int64_t position = 0;
          for (auto [i, extent] : llvm::zip(index.take_back(size.size()), size))
            position = position * extent + (extent == 1 ? 0 : i);
          scalars.push_back(values ? (*values)[position] : AffineExpr());
        }
        return cast<Elementwise>(op).foldElement(shapes, scalars);
      });
}

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
  shapes.setDims(op->getResult(0), *dims);
  inferContents(op, shapes);
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

Value tenon::graph::buildElement(Operation *op, OpBuilder &b,
                                 ValueRange operands) {
  // Choosing rounds nothing.
  if (auto choice = dyn_cast<SelectOp>(op))
    return choice.buildScalar(b, operands);
  SmallVector<Value> scalars;
  for (Value operand : operands) {
    Type type = operand.getType();
    bool half = type.isF16() || type.isBF16();
    scalars.push_back(
        half ? arith::ExtFOp::create(b, op->getLoc(), b.getF32Type(), operand)
             : operand);
  }
  Value result = cast<Elementwise>(op).buildScalar(b, scalars);
  Type wanted = getElementTypeOrSelf(op->getResult(0).getType());
  if (wanted.isF16() || wanted.isBF16())
    return arith::TruncFOp::create(b, op->getLoc(), wanted, result);
  return result;
}

void tenon::graph::bindBroadcastDims(ValueRange graphOperands, Value result,
                                     LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = result.getLoc();
  size_t rank = lowering.shapes.dims(result).size();
  Value one = lowering.constantIndex(1), fits;
  for (size_t d = 0; d < rank; ++d) {
    Value size = one;
    SmallVector<AffineExpr> exprs;
    for (Value operand : graphOperands) {
      ArrayRef<AffineExpr> dims = lowering.shapes.dims(operand);
      if (d + dims.size() < rank)
        continue;
      AffineExpr expr = dims[d + dims.size() - rank];
      if (ShapeContext::asConstant(expr) == 1 ||
          llvm::is_contained(exprs, expr))
        continue;
      exprs.push_back(expr);
      Value other = lowering.index(expr);
      size = select(b, loc, equal(b, loc, other, one), size, other);
    }
    for (size_t i = 0; exprs.size() > 1 && i < exprs.size(); ++i) {
      Value other = lowering.index(exprs[i]);
      Value good = b.createOrFold<arith::OrIOp>(loc, equal(b, loc, other, one),
                                                equal(b, loc, other, size));
      fits = fits ? both(b, loc, fits, good) : good;
    }
    lowering.bindDim(result, d, size);
  }
  if (fits)
    require(lowering, loc, fits, "the operands' shapes do not broadcast");
}

Value tenon::graph::extractBroadcast(LoweringContext &lowering, OpBuilder &b,
                                     Value graphOperand, ValueRange indices) {
  Location loc = graphOperand.getLoc();
  Value source = lowering.get(graphOperand);
  int64_t rank = cast<RankedTensorType>(source.getType()).getRank();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  SmallVector<Value> at;
  for (int64_t i = 0; i < rank; ++i) {
    Value size = tensor::DimOp::create(b, loc, source, i);
    Value isOne =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, size, one);
    at.push_back(arith::SelectOp::create(b, loc, isOne, zero,
                                         indices[indices.size() - rank + i]));
  }
  return tensor::ExtractOp::create(b, loc, source, at);
}

/// When a dimension may or may not be 1, its index is chosen at run time.
static LogicalResult lowerGeneralBroadcast(Operation *op,
                                           LoweringContext &lowering) {
  Value result = op->getResult(0);
  bindBroadcastDims(op->getOperands(), result, lowering);
  lowering.set(result, lowering.generate(
                           op->getLoc(), result,
                           [&](OpBuilder &b, Location, ValueRange indices) {
                             SmallVector<Value> scalars;
                             for (Value operand : op->getOperands())
                               scalars.push_back(extractBroadcast(
                                   lowering, b, operand, indices));
                             return buildElement(op, b, scalars);
                           }));
  return success();
}

/// Fails the run when an integer divisor has a zero; what is divided by it goes
/// on without trapping.
static void requireNonZero(Operation *op, Value divisor,
                           LoweringContext &lowering) {
  if (!getElementTypeOrSelf(divisor.getType()).isInteger())
    return;
  if (auto known = lowering.shapes.constants(divisor);
      known && !llvm::is_contained(*known, 0))
    return;
  Location loc = op->getLoc();
  Value holds = allOf(lowering, loc, lowering.get(divisor),
                      [](OpBuilder &b, Location at, Value element, ValueRange) {
                        Value zero = zeroOf(b, at, element.getType());
                        return arith::CmpIOp::create(
                            b, at, arith::CmpIPredicate::ne, element, zero);
                      });
  require(lowering, loc, holds, "integer division by zero");
}

LogicalResult tenon::graph::lowerElementwise(Operation *op,
                                             LoweringContext &lowering) {
  Value result = op->getResult(0);
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (Value operand : op->getOperands()) {
    Value value =
        broadcastOperand(lowering, operand, result, maps.emplace_back());
    if (!value)
      return lowerGeneralBroadcast(op, lowering);
    operands.push_back(value);
  }
  lowering.set(
      result, lowering.generic(op->getLoc(), result, operands, maps,
                               [&](OpBuilder &b, Location, ValueRange scalars) {
                                 return buildElement(op, b, scalars);
                               }));
  return success();
}

//===----------------------------------------------------------------------===//
// Sizes that elementwise ops compute
//===----------------------------------------------------------------------===//

/// A number as the element type keeps it.
static AffineExpr wrapped(Value value, AffineExpr expr) {
  std::optional<int64_t> known = ShapeContext::asConstant(expr);
  auto type = dyn_cast<IntegerType>(getElementTypeOrSelf(value.getType()));
  if (!known || !type || type.getWidth() >= 64)
    return expr;
  APInt bits(64, *known, /*isSigned=*/true);
  bits = bits.trunc(type.getWidth());
  return getAffineConstantExpr(isUnsigned(type) ? int64_t(bits.getZExtValue())
                                                : bits.getSExtValue(),
                               value.getContext());
}

static std::optional<std::pair<int64_t, int64_t>>
bothKnown(ArrayRef<AffineExpr> operands) {
  auto lhs = ShapeContext::asConstant(operands[0]),
       rhs = ShapeContext::asConstant(operands[1]);
  if (!lhs || !rhs)
    return std::nullopt;
  return std::pair(*lhs, *rhs);
}

AffineExpr AddOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return v[0] && v[1] ? wrapped(getResult(), v[0] + v[1]) : AffineExpr();
}
AffineExpr SubOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return v[0] && v[1] ? wrapped(getResult(), v[0] - v[1]) : AffineExpr();
}
AffineExpr MulOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return v[0] && v[1] ? wrapped(getResult(), v[0] * v[1]) : AffineExpr();
}
AffineExpr NegOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return v[0] ? wrapped(getResult(), -v[0]) : AffineExpr();
}

/// Quotient and remainder where rounding down and towards zero agree.
static AffineExpr foldDivision(ShapeContext &shapes, Value result,
                               ArrayRef<AffineExpr> v, bool roundDown,
                               bool remainder) {
  if (!v[0] || !v[1])
    return {};
  if (auto known = bothKnown(v)) {
    auto [x, y] = *known;
    if (y == 0 || y == -1)
      return {}; // left to the code, which guards these
    int64_t q = x / y, r = x % y;
    if (roundDown && r != 0 && (r < 0) != (y < 0)) {
      --q;
      r += y;
    }
    return getAffineConstantExpr(remainder ? r : q, result.getContext());
  }
  auto divisor = ShapeContext::asConstant(v[1]);
  if (!divisor || *divisor <= 0 || !(roundDown || shapes.isNonNegative(v[0])))
    return {};
  return remainder ? v[0] % *divisor : v[0].floorDiv(*divisor);
}
AffineExpr FloorDivOp::foldElement(ShapeContext &shapes,
                                   ArrayRef<AffineExpr> v) {
  return foldDivision(shapes, getResult(), v, true, false);
}
AffineExpr TruncDivOp::foldElement(ShapeContext &shapes,
                                   ArrayRef<AffineExpr> v) {
  return foldDivision(shapes, getResult(), v, false, false);
}
AffineExpr FloorModOp::foldElement(ShapeContext &shapes,
                                   ArrayRef<AffineExpr> v) {
  return foldDivision(shapes, getResult(), v, true, true);
}
AffineExpr TruncModOp::foldElement(ShapeContext &shapes,
                                   ArrayRef<AffineExpr> v) {
  return foldDivision(shapes, getResult(), v, false, true);
}

/// Whether lhs <= rhs always (true), never (false), or who knows.
static std::optional<bool> isAtMost(ShapeContext &shapes, AffineExpr lhs,
                                    AffineExpr rhs) {
  if (!lhs || !rhs)
    return std::nullopt;
  if (shapes.isNonNegative(rhs - lhs))
    return true;
  if (shapes.isNonNegative(lhs - rhs - 1))
    return false;
  return std::nullopt;
}
AffineExpr MaximumOp::foldElement(ShapeContext &shapes,
                                  ArrayRef<AffineExpr> v) {
  return v[0] && v[1] ? shapes.maximum(v[0], v[1]) : AffineExpr();
}
AffineExpr MinimumOp::foldElement(ShapeContext &shapes,
                                  ArrayRef<AffineExpr> v) {
  return v[0] && v[1] ? shapes.minimum(v[0], v[1]) : AffineExpr();
}
AffineExpr ClipOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return v[0] && v[1] && v[2] ? shapes.minimum(shapes.maximum(v[0], v[1]), v[2])
                              : AffineExpr();
}

static AffineExpr truth(Value result, std::optional<bool> value,
                        bool negated = false) {
  return value ? getAffineConstantExpr(*value != negated, result.getContext())
               : AffineExpr();
}
static std::optional<bool> isSame(ShapeContext &shapes,
                                  ArrayRef<AffineExpr> v) {
  std::optional<bool> upTo = isAtMost(shapes, v[0], v[1]),
                      from = isAtMost(shapes, v[1], v[0]);
  if (upTo == false || from == false)
    return false;
  if (upTo == true && from == true)
    return true;
  return std::nullopt;
}
AffineExpr LessOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return truth(getResult(), isAtMost(shapes, v[1], v[0]), true);
}
AffineExpr LessEqualOp::foldElement(ShapeContext &shapes,
                                    ArrayRef<AffineExpr> v) {
  return truth(getResult(), isAtMost(shapes, v[0], v[1]));
}
AffineExpr GreaterOp::foldElement(ShapeContext &shapes,
                                  ArrayRef<AffineExpr> v) {
  return truth(getResult(), isAtMost(shapes, v[0], v[1]), true);
}
AffineExpr GreaterEqualOp::foldElement(ShapeContext &shapes,
                                       ArrayRef<AffineExpr> v) {
  return truth(getResult(), isAtMost(shapes, v[1], v[0]));
}
AffineExpr EqualOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  return truth(getResult(), isSame(shapes, v));
}
AffineExpr NotEqualOp::foldElement(ShapeContext &shapes,
                                   ArrayRef<AffineExpr> v) {
  return truth(getResult(), isSame(shapes, v), true);
}

/// Booleans are 0 and 1 in contents, -1 never.
AffineExpr AndOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  for (AffineExpr operand : v)
    if (ShapeContext::asConstant(operand) == 0)
      return operand;
  auto known = bothKnown(v);
  return known
             ? getAffineConstantExpr(known->first & known->second, getContext())
             : AffineExpr();
}
AffineExpr OrOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  bool isBool = getElementTypeOrSelf(getResult().getType()).isInteger(1);
  for (AffineExpr operand : v)
    if (isBool && ShapeContext::asConstant(operand) == 1)
      return operand;
  auto known = bothKnown(v);
  return known
             ? getAffineConstantExpr(known->first | known->second, getContext())
             : AffineExpr();
}
AffineExpr NotOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  auto known = ShapeContext::asConstant(v[0]);
  return known ? wrapped(getResult(),
                         getAffineConstantExpr(~*known, getContext()))
               : AffineExpr();
}
AffineExpr SelectOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  if (auto condition = ShapeContext::asConstant(v[0]))
    return v[*condition ? 1 : 2];
  return v[1] == v[2] ? v[1] : AffineExpr();
}
AffineExpr CastOp::foldElement(ShapeContext &shapes, ArrayRef<AffineExpr> v) {
  if (!v[0] || !getElementTypeOrSelf(getResult().getType()).isInteger(1))
    return v[0] ? wrapped(getResult(), v[0]) : AffineExpr();
  auto known = ShapeContext::asConstant(v[0]);
  return known ? getAffineConstantExpr(*known != 0, getContext())
               : AffineExpr();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Elementwise.cpp.inc"

void GraphDialect::registerElementwiseOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Elementwise.cpp.inc"
      >();
}
