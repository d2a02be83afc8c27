//===- MatrixFormula.h - formulas over matrices ---------------------------===//
//
// Matrices are the last two dimensions of tensors.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_GRAPH_OPS_MATRIXFORMULA_H
#define TENON_DIALECTS_GRAPH_OPS_MATRIXFORMULA_H

#include "dialects/graph/Gradient.h"

namespace tenon::graph {

/// a b, or with an adjoint operand.
inline Tensor product(Tensor a, Tensor b, bool adjointA = false,
                      bool adjointB = false) {
  return matmul(adjointA ? conj(a) : a, adjointB ? conj(b) : b, adjointA,
                adjointB);
}

inline Tensor adjoint(Tensor x) {
  if (!x)
    return x;
  llvm::SmallVector<int64_t> order = upTo(x.rank());
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return conj(transpose(x, order));
}

inline Tensor diagonalOf(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.matrix_diag_part", x.type(), {x, b.scalar(x.type(), 0)});
}

inline Tensor diagonal(Tensor vector) {
  if (!vector)
    return vector;
  GraphBuilder &b = vector.builder();
  return b.make("graph.matrix_diag", vector.type(),
                {vector, b.scalar(vector.type(), 0)});
}

inline Tensor withDiagonal(Tensor x, Tensor vector) {
  if (!x || !vector)
    return {};
  return x.builder().make("graph.matrix_set_diag", x.type(), {x, vector});
}

/// The lower triangle with the diagonal, or the upper one.
inline Tensor triangle(Tensor x, bool lower) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.matrix_band_part", x.type(),
                {x, b.integer(lower ? -1 : 0), b.integer(lower ? 0 : -1)});
}

inline Tensor halfDiagonal(Tensor x) {
  return withDiagonal(x, diagonalOf(x) * 0.5);
}

inline Tensor
withAttribute(Gradient &g, llvm::StringRef name,
              llvm::ArrayRef<Tensor> operands,
              llvm::ArrayRef<std::pair<llvm::StringRef, bool>> flags) {
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  for (auto [flag, set] : flags)
    if (set)
      attributes.push_back(g.unit(flag));
  return g.make(name, operands[0].type(), operands, attributes);
}

inline Tensor triangularSolve(Gradient &g, Tensor a, Tensor b, bool lower,
                              bool adjointed) {
  return withAttribute(g, "graph.triangular_solve", {a, b},
                       {{"lower", lower}, {"adjoint", adjointed}});
}

inline Tensor inverseOf(Gradient &g, Tensor a, bool adjointed) {
  return withAttribute(g, "graph.matrix_inverse", a, {{"adjoint", adjointed}});
}

/// A scalar per matrix, to be multiplied with its elements.
inline Tensor perMatrix(Tensor x) {
  return expandDims(x, {x.rank(), x.rank() + 1});
}

/// 1 / x, and 0 where x is 0.
inline Tensor safeReciprocal(Tensor x) {
  return apply("div_no_nan", number(x, 1), x);
}

/// Differences v_j - v_i in row i and column j.
inline Tensor differences(Tensor v) {
  int64_t rank = v ? v.rank() : 1;
  return expandDims(v, rank - 1) - expandDims(v, rank);
}

/// The cotangent of a matrix from that of its Cholesky factor L:
/// L^-H phi(L^H G) L^-1 made symmetric, where phi keeps the lower triangle and
/// half of the diagonal.
inline Tensor choleskyCotangent(Gradient &g, Tensor l, Tensor d) {
  Tensor middle = triangle(halfDiagonal(product(l, d, true)), true);
  Tensor left = triangularSolve(g, l, middle, true, true);
  Tensor whole = adjoint(triangularSolve(g, l, adjoint(left), true, true));
  return (whole + adjoint(whole)) * 0.5;
}

/// Rules of a second file.
void addMatrixFunctionGradients(mlir::MLIRContext *context);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_MATRIXFORMULA_H
