#include "dialects/graph/ops/Contraction.h"
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/ContractionSupport.h"
#include "dialects/graph/ops/ScalarMath.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Complex/IR/Complex.h"

using namespace mlir;
using namespace tenon::graph;

Value tenon::graph::packed(OpBuilder &b, Location loc, Value source,
                           int64_t spatial, int64_t groups, bool transposeB,
                           bool reverse) {
  SmallVector<OpFoldResult> sizes = kernel::PackOp::getPackedSizes(
      b, loc, source, spatial, groups, transposeB);
  Value destination = tensor::EmptyOp::create(
      b, loc, sizes, getElementTypeOrSelf(source.getType()));
  return kernel::PackOp::create(b, loc, TypeRange{destination.getType()},
                                source, destination, spatial, groups,
                                transposeB, reverse)
      ->getResult(0);
}

LogicalResult tenon::graph::expectContractible(Operation *op) {
  for (Value operand : {op->getOperand(0), op->getOperand(1)}) {
    Type element = getElementTypeOrSelf(operand.getType());
    if (!kernel::ContractOp::getAccumulatorType(
            LoweringContext::elementType(element)))
      return op->emitOpError()
             << "cannot multiply elements of type " << element;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// matmul
//===----------------------------------------------------------------------===//

/// The dims of an operand as [batch..., rows, columns].
static Dims matrixDims(ShapeContext &shapes, Value operand, bool transposed) {
  Dims dims(shapes.dims(operand));
  if (transposed)
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  return dims;
}

LogicalResult MatMulOp::inferShapes(ShapeContext &shapes) {
  for (Value operand : {getLhs(), getRhs()})
    if (shapes.dims(operand).size() < 2)
      return emitOpError() << "operand of shape "
                           << shapeString(shapes.dims(operand))
                           << " is not a matrix";
  Dims lhs = matrixDims(shapes, getLhs(), getTransposeA()),
       rhs = matrixDims(shapes, getRhs(), getTransposeB());
  if (failed(expectContractible(*this)) ||
      failed(expectSame(*this, lhs.back(), rhs[rhs.size() - 2],
                        "columns of lhs and rows of rhs")))
    return failure();
  ArrayRef<AffineExpr> batches[] = {ArrayRef(lhs).drop_back(2),
                                    ArrayRef(rhs).drop_back(2)};
  FailureOr<Dims> dims = shapes.broadcast(batches, getResult());
  if (failed(dims))
    return emitOpError() << "batch dimensions of " << shapeString(lhs)
                         << " and " << shapeString(rhs) << " do not broadcast";
  dims->push_back(lhs[lhs.size() - 2]);
  dims->push_back(rhs.back());
  shapes.setDims(getResult(), *dims);
  return success();
}

/// Conjugates complex elements.
static Value conjugate(LoweringContext &lowering, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!isa<ComplexType>(type.getElementType()))
    return value;
  OpBuilder &b = lowering.builder;
  Value destination = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, value), type.getElementType());
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  return linalg::GenericOp::create(
             b, loc, TypeRange{destination.getType()}, value, destination,
             ArrayRef{identity, identity},
             SmallVector<utils::IteratorType>(type.getRank(),
                                              utils::IteratorType::parallel),
             [](OpBuilder &nested, Location at, ValueRange v) {
               linalg::YieldOp::create(
                   nested, at,
                   complex::ConjOp::create(nested, at, v[0]).getResult());
             })
      .getResult(0);
}

/// Gives an operand the batch dims that the kernel takes: as many as the
/// result, each 1 or the result's size.
static Value batched(LoweringContext &lowering, Location loc, Value value,
                     ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> result) {
  OpBuilder &b = lowering.builder;
  ShapeContext &shapes = lowering.shapes;
  Dims dims(result.size() - from.size(), shapes.constant(1));
  llvm::append_range(dims, from);
  value = reshapeTo(lowering, loc, value, from, dims);
  Dims wanted(dims);
  bool unknown = false;
  for (size_t i = 0; i + 2 < dims.size(); ++i)
    if (dims[i] != result[i] && ShapeContext::asConstant(dims[i]) != 1) {
      wanted[i] = result[i];
      unknown = true;
    }
  if (!unknown)
    return value;
  // Only the run knows whether a dimension is repeated.
  Value zero = lowering.constantIndex(0), one = lowering.constantIndex(1);
  SmallVector<Value> lasts;
  for (auto [have, want] : llvm::zip(dims, wanted)) {
    Value size = lowering.index(have);
    lasts.push_back(sub(b, loc, size, one));
    if (have != want)
      require(lowering, loc,
              b.createOrFold<arith::OrIOp>(
                  loc, equal(b, loc, size, one),
                  equal(b, loc, size, lowering.index(want))),
              "batch dimensions do not broadcast");
  }
  Type element = getElementTypeOrSelf(value.getType());
  Value destination = lowering.empty(wanted, element);
  unsigned rank = wanted.size();
  return linalg::GenericOp::create(
             b, loc, TypeRange{destination.getType()}, ValueRange(),
             destination, b.getMultiDimIdentityMap(rank),
             SmallVector<utils::IteratorType>(rank,
                                              utils::IteratorType::parallel),
             [&](OpBuilder &nested, Location at, ValueRange) {
               SmallVector<Value> position;
               for (unsigned i = 0; i < rank; ++i)
                 position.push_back(clampIndex(
                     nested, at, linalg::IndexOp::create(nested, at, i), zero,
                     lasts[i]));
               linalg::YieldOp::create(
                   nested, at,
                   tensor::ExtractOp::create(nested, at, value, position)
                       .getResult());
             })
      .getResult(0);
}

/// The number of terms of each sum of a product that is a few numbers, one
/// column of them. As a contraction, whose panels have 16 columns, it would
/// read and do 15 times too much, and what surrounds its few instructions would
/// be most of the code.
static std::optional<int64_t> shortSum(AffineExpr terms,
                                       RankedTensorType type) {
  std::optional<int64_t> count = ShapeContext::asConstant(terms);
  bool isShort = count && *count > 0 && type.hasStaticShape() &&
                 type.getRank() == 2 && type.getDimSize(1) == 1 &&
                 *count * type.getDimSize(0) <= 64 &&
                 isa<Float32Type, Float64Type>(type.getElementType());
  return isShort ? count : std::nullopt;
}

/// Each element is written out, so that it joins its consumers as elementwise
/// ops do.
static void lowerShortSums(MatMulOp op, LoweringContext &lowering, Value lhs,
                           Value rhs, int64_t terms) {
  lowering.set(
      op.getResult(),
      lowering.generate(
          op.getLoc(), op.getResult(),
          [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
            Value sum;
            for (int64_t i = 0; i < terms; ++i) {
              Value term = arith::ConstantIndexOp::create(b, loc, i);
              Value x = tensor::ExtractOp::create(b, loc, lhs,
                                                  ValueRange{indices[0], term});
              Value w = tensor::ExtractOp::create(
                  b, loc, rhs,
                  op.getTransposeB() ? ValueRange{indices[1], term}
                                     : ValueRange{term, indices[1]});
              Scalar product = Scalar(b, loc, x) * Scalar(b, loc, w);
              sum = sum ? Value(Scalar(b, loc, sum) + product) : Value(product);
            }
            return sum;
          }));
}

LogicalResult MatMulOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  Value lhs = lowering.get(getLhs()), rhs = lowering.get(getRhs());
  if (getConjugateA())
    lhs = conjugate(lowering, loc, lhs);
  if (getConjugateB())
    rhs = conjugate(lowering, loc, rhs);
  Dims lhsDims = matrixDims(shapes, getLhs(), getTransposeA()),
       rhsDims = matrixDims(shapes, getRhs(), getTransposeB());
  if (getTransposeA()) {
    auto order =
        llvm::to_vector(llvm::seq<int64_t>(0, int64_t(lhsDims.size())));
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    lhs = transposed(b, loc, lhs, order);
  }
  // The rows of rhs in the sizes of the columns of lhs.
  Dims rhsSource(shapes.dims(getRhs())), wanted(rhsSource);
  wanted[wanted.size() - (getTransposeB() ? 1 : 2)] = lhsDims.back();
  rhs = conform(lowering, loc, rhs, rhsSource, wanted,
                "columns of lhs and rows of rhs differ");
  // Sizes of broadcast dimensions that no operand decides alone.
  ArrayRef<AffineExpr> to = shapes.dims(getResult());
  Value one = lowering.constantIndex(1);
  for (size_t i = 0; i + 2 < to.size(); ++i) {
    auto symbol = dyn_cast<AffineSymbolExpr>(to[i]);
    if (!symbol || shapes.origin(symbol.getPosition()).value != getResult())
      continue;
    Value size = one;
    for (const Dims &dims : {lhsDims, rhsDims}) {
      if (i + dims.size() < to.size())
        continue;
      Value other = lowering.index(dims[i + dims.size() - to.size()]);
      size = select(b, loc, equal(b, loc, other, one), size, other);
    }
    lowering.bindDim(getResult(), i, size);
  }
  lhs = batched(lowering, loc, lhs, lhsDims, to);
  rhs = batched(lowering, loc, rhs, wanted, to);
  if (std::optional<int64_t> terms = shortSum(
          lhsDims.back(), cast<RankedTensorType>(getResult().getType()))) {
    lowerShortSums(*this, lowering, lhs, rhs, *terms);
    return success();
  }
  Value weights = packed(b, loc, rhs, 0, 1, getTransposeB());
  lowering.set(getResult(),
               kernel::ContractOp::create(b, loc, lhs, weights,
                                          lowering.empty(getResult()))
                   ->getResult(0));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/Contraction.cpp.inc"

void GraphDialect::registerContractionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Contraction.cpp.inc"
      >();
}
