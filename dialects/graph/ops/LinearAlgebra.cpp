#include "dialects/graph/ops/LinearAlgebra.h"
#include "dialects/graph/ShapeContents.h"

using namespace mlir;
using namespace tenon::graph;

/// The dims of matrices; fails when there are fewer than two.
static FailureOr<Dims> matrixDims(Operation *op, ShapeContext &shapes,
                                  Value value, bool square) {
  Dims dims(shapes.dims(value));
  if (dims.size() < 2)
    return op->emitOpError() << "an operand has shape " << shapeString(dims)
                             << ", expected matrices",
           failure();
  if (square && failed(expectSame(op, dims[dims.size() - 2], dims.back(),
                                  "rows and columns")))
    return failure();
  return dims;
}

static LogicalResult inferSquare(Operation *op, ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(op, shapes, op->getOperand(0), true);
  if (failed(dims))
    return failure();
  shapes.setDims(op->getResult(0), *dims);
  return success();
}

LogicalResult CholeskyOp::inferShapes(ShapeContext &shapes) {
  return inferSquare(*this, shapes);
}
LogicalResult MatrixInverseOp::inferShapes(ShapeContext &shapes) {
  return inferSquare(*this, shapes);
}
LogicalResult MatrixSqrtOp::inferShapes(ShapeContext &shapes) {
  return inferSquare(*this, shapes);
}
LogicalResult MatrixExpOp::inferShapes(ShapeContext &shapes) {
  return inferSquare(*this, shapes);
}
LogicalResult MatrixLogOp::inferShapes(ShapeContext &shapes) {
  return inferSquare(*this, shapes);
}

LogicalResult CholeskyGradOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> grad = matrixDims(*this, shapes, getGrad(), true);
  if (failed(grad) ||
      failed(expectRank(*this, shapes, getL(), grad->size(), "the factor")))
    return failure();
  return inferSquare(*this, shapes);
}

/// Dims with the last two replaced.
static Dims replaced(ArrayRef<AffineExpr> dims, AffineExpr rows,
                     AffineExpr columns) {
  Dims result(dims.drop_back(2));
  result.push_back(rows);
  result.push_back(columns);
  return result;
}

LogicalResult QrOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(*this, shapes, getInput(), false);
  if (failed(dims))
    return failure();
  AffineExpr rows = (*dims)[dims->size() - 2], columns = dims->back();
  AffineExpr inner = getFullMatrices() ? rows : shapes.minimum(rows, columns);
  shapes.setDims(getQ(), replaced(*dims, rows, inner));
  shapes.setDims(getR(), replaced(*dims, inner, columns));
  return success();
}

LogicalResult SvdOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(*this, shapes, getInput(), false);
  if (failed(dims))
    return failure();
  AffineExpr rows = (*dims)[dims->size() - 2], columns = dims->back();
  AffineExpr inner = shapes.minimum(rows, columns);
  Dims values(ArrayRef(*dims).drop_back(2));
  values.push_back(inner);
  shapes.setDims(getS(), values);
  if (!getComputeUv()) { // as TensorFlow's
    shapes.setDims(getU(), {});
    shapes.setDims(getV(), {});
    return success();
  }
  bool full = getFullMatrices();
  shapes.setDims(getU(), replaced(*dims, rows, full ? rows : inner));
  shapes.setDims(getV(), replaced(*dims, columns, full ? columns : inner));
  return success();
}

static LogicalResult inferEigen(Operation *op, bool vectors,
                                ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(op, shapes, op->getOperand(0), true);
  if (failed(dims))
    return failure();
  shapes.setDims(op->getResult(0), ArrayRef(*dims).drop_back());
  shapes.setDims(op->getResult(1), vectors ? *dims : Dims());
  return success();
}

LogicalResult SelfAdjointEigOp::inferShapes(ShapeContext &shapes) {
  return inferEigen(*this, getComputeV(), shapes);
}
LogicalResult EigOp::inferShapes(ShapeContext &shapes) {
  return inferEigen(*this, getComputeV(), shapes);
}

/// A solution has a row per column of the matrix and a column per column of
/// the right side.
static LogicalResult inferSolution(Operation *op, ShapeContext &shapes,
                                   bool square) {
  FailureOr<Dims> matrix = matrixDims(op, shapes, op->getOperand(0), square),
                  rhs = matrixDims(op, shapes, op->getOperand(1), false);
  if (failed(matrix) || failed(rhs))
    return failure();
  if (matrix->size() != rhs->size())
    return op->emitOpError()
           << "matrix and right side have shapes " << shapeString(*matrix)
           << " and " << shapeString(*rhs) << ", expected equal ranks";
  size_t rank = matrix->size();
  for (size_t i = 0; i + 1 < rank; ++i)
    if (failed(expectSame(op, (*matrix)[i], (*rhs)[i],
                          "sizes of matrix and right side")))
      return failure();
  shapes.setDims(op->getResult(0),
                 replaced(*matrix, matrix->back(), rhs->back()));
  return success();
}

LogicalResult MatrixSolveOp::inferShapes(ShapeContext &shapes) {
  return inferSolution(*this, shapes, true);
}
LogicalResult MatrixSolveLsOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getRegularizer(), "regularizer")))
    return failure();
  return inferSolution(*this, shapes, false);
}

LogicalResult TriangularSolveOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> matrix = matrixDims(*this, shapes, getMatrix(), !getBanded()),
                  rhs = matrixDims(*this, shapes, getRhs(), false);
  if (failed(matrix) || failed(rhs) ||
      failed(expectSame(*this, matrix->back(), (*rhs)[rhs->size() - 2],
                        "sizes of matrix and right side")))
    return failure();
  FailureOr<Dims> batch = shapes.broadcast(
      {ArrayRef(*matrix).drop_back(2), ArrayRef(*rhs).drop_back(2)},
      getResult());
  if (failed(batch))
    return emitOpError("batches cannot be broadcast against each other");
  batch->push_back(matrix->back());
  batch->push_back(rhs->back());
  shapes.setDims(getResult(), *batch);
  return success();
}

LogicalResult DeterminantOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(*this, shapes, getInput(), true);
  if (failed(dims))
    return failure();
  shapes.setDims(getResult(), ArrayRef(*dims).drop_back(2));
  return success();
}

LogicalResult LogDeterminantOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(*this, shapes, getInput(), true);
  if (failed(dims))
    return failure();
  shapes.setDims(getSign(), ArrayRef(*dims).drop_back(2));
  shapes.setDims(getLog(), ArrayRef(*dims).drop_back(2));
  return success();
}

LogicalResult LuOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(*this, shapes, getInput(), true);
  if (failed(dims))
    return failure();
  shapes.setDims(getLu(), *dims);
  shapes.setDims(getP(), ArrayRef(*dims).drop_back());
  return success();
}

LogicalResult TridiagonalSolveOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> dims = matrixDims(*this, shapes, getDiagonals(), false);
  if (failed(dims) ||
      failed(expectSame(*this, (*dims)[dims->size() - 2], shapes.constant(3),
                        "number of diagonals and 3")) ||
      failed(expectRank(*this, shapes, getRhs(), dims->size(), "rhs")) ||
      failed(expectSame(*this, dims->back(),
                        shapes.dims(getRhs())[dims->size() - 2],
                        "sizes of diagonals and right side")))
    return failure();
  shapes.copyDims(getResult(), getRhs());
  return success();
}

LogicalResult TridiagonalMatMulOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Dims> rhs = matrixDims(*this, shapes, getRhs(), false);
  if (failed(rhs))
    return failure();
  for (Value diagonal : {getAbove(), getMain(), getBelow()}) {
    if (failed(
            expectRank(*this, shapes, diagonal, rhs->size(), "a diagonal")) ||
        failed(expectSame(*this, shapes.dims(diagonal).back(),
                          (*rhs)[rhs->size() - 2],
                          "sizes of diagonals and right side")))
      return failure();
  }
  shapes.copyDims(getResult(), getRhs());
  return success();
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

static LogicalResult checkSequences(Operation *op, ShapeContext &shapes,
                                    Value input, Value lengths) {
  if (failed(expectRank(op, shapes, input, 3, "input")) ||
      failed(expectRank(op, shapes, lengths, 1, "lengths")))
    return failure();
  return expectSame(op, shapes.dim(input, 1), shapes.dim(lengths, 0),
                    "numbers of sequences and lengths");
}

LogicalResult CtcLossOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkSequences(*this, shapes, getInput(), getLengths())) ||
      failed(expectRank(*this, shapes, getIndices(), 2, "indices")) ||
      failed(expectRank(*this, shapes, getLabels(), 1, "labels")) ||
      failed(expectSame(*this, shapes.dim(getIndices(), 0),
                        shapes.dim(getLabels(), 0),
                        "numbers of indices and labels")))
    return failure();
  shapes.setDims(getLoss(), {shapes.dim(getInput(), 1)});
  shapes.copyDims(getGradient(), getInput());
  return success();
}

/// Labels of all sequences as a sparse matrix.
static void setSparse(ShapeContext &shapes, Value indices, Value values,
                      Value shape) {
  AffineExpr count = shapes.freshSymbol(values, 0);
  shapes.setDims(indices, {count, shapes.constant(2)});
  shapes.setDims(values, {count});
  shapes.setDims(shape, {shapes.constant(2)});
}

LogicalResult CtcGreedyOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkSequences(*this, shapes, getInput(), getLengths())))
    return failure();
  setSparse(shapes, getIndices(), getValues(), getShape());
  shapes.setDims(getScore(), {shapes.dim(getInput(), 1), shapes.constant(1)});
  return success();
}

LogicalResult CtcBeamOp::inferShapes(ShapeContext &shapes) {
  if (failed(checkSequences(*this, shapes, getInput(), getLengths())))
    return failure();
  int64_t paths = getPaths(), width = getWidth();
  if (paths < 1 || paths > width)
    return emitOpError() << "asks for " << paths << " paths of a beam of width "
                         << width;
  if (int64_t(getOutputs().size()) != 3 * paths + 1)
    return emitOpError() << "has " << getOutputs().size()
                         << " results, expected " << 3 * paths + 1;
  for (int64_t i = 0; i < paths; ++i)
    setSparse(shapes, getOutputs()[i], getOutputs()[paths + i],
              getOutputs()[2 * paths + i]);
  shapes.setDims(getOutputs()[3 * paths],
                 {shapes.dim(getInput(), 1), shapes.constant(paths)});
  return success();
}

#define GET_OP_CLASSES
#include "dialects/graph/ops/LinearAlgebra.cpp.inc"

void tenon::graph::registerLinearAlgebraOps(GraphDialect &dialect) {
  registerOps<
#define GET_OP_LIST
#include "dialects/graph/ops/LinearAlgebra.cpp.inc"
      >(dialect);
}
