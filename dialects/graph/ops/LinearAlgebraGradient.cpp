// Derivatives of factorizations and solutions of matrices.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/LinearAlgebra.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

//===----------------------------------------------------------------------===//
// Matrices in the last two dimensions
//===----------------------------------------------------------------------===//

/// a b, or with an adjoint operand.
Tensor product(Tensor a, Tensor b, bool adjointA = false,
               bool adjointB = false) {
  return matmul(adjointA ? conj(a) : a, adjointB ? conj(b) : b, adjointA,
                adjointB);
}

Tensor adjoint(Tensor x) {
  if (!x)
    return x;
  SmallVector<int64_t> order = upTo(x.rank());
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return conj(transpose(x, order));
}

Tensor diagonalOf(Tensor x) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.matrix_diag_part", x.type(), {x, b.scalar(x.type(), 0)});
}

Tensor diagonal(Tensor vector) {
  if (!vector)
    return vector;
  GraphBuilder &b = vector.builder();
  return b.make("graph.matrix_diag", vector.type(),
                {vector, b.scalar(vector.type(), 0)});
}

Tensor withDiagonal(Tensor x, Tensor vector) {
  if (!x || !vector)
    return {};
  return x.builder().make("graph.matrix_set_diag", x.type(), {x, vector});
}

/// The lower triangle with the diagonal, or the upper one.
Tensor triangle(Tensor x, bool lower) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.matrix_band_part", x.type(),
                {x, b.integer(lower ? -1 : 0), b.integer(lower ? 0 : -1)});
}

Tensor halfDiagonal(Tensor x) { return withDiagonal(x, diagonalOf(x) * 0.5); }

Tensor withAttribute(Gradient &g, StringRef name, ArrayRef<Tensor> operands,
                     ArrayRef<std::pair<StringRef, bool>> flags) {
  SmallVector<NamedAttribute> attributes;
  for (auto [flag, set] : flags)
    if (set)
      attributes.push_back(g.unit(flag));
  return g.make(name, operands[0].type(), operands, attributes);
}

Tensor triangularSolve(Gradient &g, Tensor a, Tensor b, bool lower,
                       bool adjointed) {
  return withAttribute(g, "graph.triangular_solve", {a, b},
                       {{"lower", lower}, {"adjoint", adjointed}});
}

Tensor inverseOf(Gradient &g, Tensor a, bool adjointed) {
  return withAttribute(g, "graph.matrix_inverse", a, {{"adjoint", adjointed}});
}

/// A scalar per matrix, to be multiplied with its elements.
Tensor perMatrix(Tensor x) { return expandDims(x, {x.rank(), x.rank() + 1}); }

//===----------------------------------------------------------------------===//
// Factorizations
//===----------------------------------------------------------------------===//

/// L^-H phi(L^H G) L^-1 made symmetric, where phi keeps the lower triangle and
/// half of the diagonal.
void choleskyGradient(CholeskyOp op, Gradient &g) {
  Tensor l = g(op.getResult());
  Tensor middle = triangle(halfDiagonal(product(l, g.of(), true)), true);
  Tensor left = triangularSolve(g, l, middle, true, true);
  Tensor whole = adjoint(triangularSolve(g, l, adjoint(left), true, true));
  g.add(op.getInput(), (whole + adjoint(whole)) * 0.5);
}

void qrGradient(QrOp op, Gradient &g) {
  Tensor q = g(op.getQ()), r = g(op.getR());
  auto sizeOf = [&](Tensor x, int64_t fromEnd) {
    return ShapeContext::asConstant(x.dim(x.rank() - fromEnd));
  };
  std::optional<int64_t> rows = sizeOf(q, 2), inner = sizeOf(r, 2),
                         columns = sizeOf(r, 1);
  if (!rows || !inner || !columns || *inner != *columns || q.isComplex())
    return g.fail("the QR factorization has a derivative for real matrices "
                  "with at least as many rows as columns, without "
                  "full_matrices, of sizes that are known");
  Tensor dq = g.of(0) ? g.of(0) : g.filled(op.getQ(), 0),
         dr = g.of(1) ? g.of(1) : g.filled(op.getR(), 0);
  // x R^-H
  auto divide = [&](Tensor x) {
    return adjoint(triangularSolve(g, r, adjoint(x), false, false));
  };
  Tensor qdq = product(q, dq, true), rdr = product(r, dr, false, true);
  Tensor lower = triangle(qdq - adjoint(qdq) + rdr - adjoint(rdr), true);
  g.add(op.getInput(),
        product(q, dr + divide(lower)) + divide(dq - product(q, qdq)));
}

/// 1 / x, and 0 where x is 0.
Tensor safeReciprocal(Tensor x) { return apply("div_no_nan", number(x, 1), x); }

/// Differences v_j - v_i in row i and column j.
Tensor differences(Tensor v) {
  int64_t rank = v.rank();
  return expandDims(v, rank - 1) - expandDims(v, rank);
}

void selfAdjointEigGradient(SelfAdjointEigOp op, Gradient &g) {
  Tensor e = g(op.getE()), v = g(op.getV());
  if (!op.getComputeV())
    v = g.makeAll("graph.self_adjoint_eig", {e.type(), v.type()},
                  g(op.getInput()), g.unit("compute_v"))[1];
  Tensor middle;
  if (g.of(0))
    middle = diagonal(cast(g.of(0), v.type()));
  if (op.getComputeV() && g.of(1)) {
    Tensor f = cast(safeReciprocal(differences(e)), v.type());
    Tensor turned = f * product(v, g.of(1), true);
    middle = middle ? middle + turned : turned;
  }
  if (!middle)
    return;
  Tensor whole = product(v, product(middle, v, false, true));
  // Only the lower triangle is read.
  g.add(op.getInput(),
        halfDiagonal(triangle(whole + adjoint(whole), /*lower=*/true)));
}

void svdGradient(SvdOp op, Gradient &g) {
  Tensor s = g(op.getS()), u = g(op.getU()), v = g(op.getV());
  if (!op.getComputeUv() || op.getFullMatrices()) {
    auto parts = g.makeAll("graph.svd", {s.type(), u.type(), v.type()},
                           g(op.getInput()), g.unit("compute_uv"));
    if (op.getComputeUv() && (g.of(1) || g.of(2)))
      return g.fail("singular vectors have a derivative without "
                    "full_matrices only");
    u = parts[1];
    v = parts[2];
  }
  bool vectors = op.getComputeUv() && (g.of(1) || g.of(2));
  if (vectors && u.isComplex())
    return g.fail("complex singular vectors have no derivative: their phase "
                  "is arbitrary");
  Tensor middle = g.of(0) ? diagonal(cast(g.of(0), u.type())) : Tensor();
  auto addTo = [](Tensor &total, Tensor part) {
    total = total ? total + part : part;
  };
  Tensor rest;
  if (vectors) {
    Tensor row = expandDims(s, s.rank() - 1), column = expandDims(s, s.rank());
    Tensor f = safeReciprocal(differences(square(s)));
    Tensor inverted = safeReciprocal(row);
    if (Tensor du = g.of(1)) {
      Tensor turned = product(u, du, true);
      addTo(middle, f * (turned - adjoint(turned)) * row);
      rest = product((du - product(u, turned)) * inverted, v, false, true);
    }
    if (Tensor dv = g.of(2)) {
      Tensor turned = product(v, dv, true);
      addTo(middle, column * (f * (turned - adjoint(turned))));
      addTo(rest,
            product(u, (dv - product(v, turned)) * inverted, false, true));
    }
  }
  if (!middle)
    return;
  Tensor whole = product(product(u, middle), v, false, true);
  g.add(op.getInput(), rest ? whole + rest : whole);
}

//===----------------------------------------------------------------------===//
// Solutions
//===----------------------------------------------------------------------===//

void solveGradient(MatrixSolveOp op, Gradient &g) {
  Tensor x = g(op.getResult());
  bool adjointed = op.getAdjoint();
  Tensor db =
      withAttribute(g, "graph.matrix_solve", {g(op.getMatrix()), g.of()},
                    {{"adjoint", !adjointed}});
  g.add(op.getRhs(), db);
  if (g.wants(op.getMatrix()))
    g.add(op.getMatrix(), -(adjointed ? product(x, db, false, true)
                                      : product(db, x, false, true)));
}

void triangularSolveGradient(TriangularSolveOp op, Gradient &g) {
  if (op.getBanded())
    return g.fail("the solution with a matrix in banded form has no "
                  "derivative rule");
  Tensor x = g(op.getResult());
  bool adjointed = op.getAdjoint(), lower = op.getLower();
  Tensor db = triangularSolve(g, g(op.getMatrix()), g.of(), lower, !adjointed);
  g.add(op.getRhs(), db);
  if (g.wants(op.getMatrix()))
    g.add(op.getMatrix(), triangle(-(adjointed ? product(x, db, false, true)
                                               : product(db, x, false, true)),
                                   lower));
}
} // namespace

void tenon::graph::addLinearAlgebraGradients(MLIRContext *c) {
  addRule<CholeskyOp>(
      c, [](CholeskyOp op, Gradient &g) { choleskyGradient(op, g); });
  addRule<QrOp>(c, [](QrOp op, Gradient &g) { qrGradient(op, g); });
  addRule<SelfAdjointEigOp>(c, [](SelfAdjointEigOp op, Gradient &g) {
    selfAdjointEigGradient(op, g);
  });
  addRule<SvdOp>(c, [](SvdOp op, Gradient &g) { svdGradient(op, g); });
  addRule<MatrixInverseOp>(c, [](MatrixInverseOp op, Gradient &g) {
    Tensor y = g(op.getResult());
    Tensor d = op.getAdjoint() ? adjoint(g.of()) : g.of();
    Tensor straight = op.getAdjoint() ? adjoint(y) : y;
    g.add(op.getInput(),
          -product(product(straight, d, true), straight, false, true));
  });
  addRule<MatrixSolveOp>(
      c, [](MatrixSolveOp op, Gradient &g) { solveGradient(op, g); });
  addRule<TriangularSolveOp>(c, [](TriangularSolveOp op, Gradient &g) {
    triangularSolveGradient(op, g);
  });
  addRule<DeterminantOp>(c, [](DeterminantOp op, Gradient &g) {
    Tensor factor = g.of() * conj(g(op.getResult()));
    g.add(op.getInput(),
          perMatrix(factor) * inverseOf(g, g(op.getInput()), true));
  });
  addRule<LogDeterminantOp>(c, [](LogDeterminantOp op, Gradient &g) {
    if (g.of(1))
      g.add(op.getInput(),
            perMatrix(g.of(1)) * inverseOf(g, g(op.getInput()), true));
  });
  addRule<CtcLossOp>(c, [](CtcLossOp op, Gradient &g) {
    if (g.of(1))
      g.fail("the derivative of the CTC loss has no derivative itself");
    else
      g.add(op.getInput(), expandDims(g.of(0), {0, 2}) * g(op.getGradient()));
  });
  auto noRule = [] {
    return "the function of a matrix has no rule for its derivative";
  };
  refuseGradient<MatrixSqrtOp>(c, noRule);
  refuseGradient<MatrixExpOp>(c, noRule);
  refuseGradient<MatrixLogOp>(c, noRule);
  refuseGradient<EigOp>(c, noRule);
  refuseGradient<LuOp>(c, noRule);
  refuseGradient<CholeskyGradOp>(c, noRule);
  refuseGradient<MatrixSolveLsOp>(c, noRule);
  refuseGradient<TridiagonalSolveOp>(c, noRule);
  refuseGradient<TridiagonalMatMulOp>(c, noRule);
  auto decoding = [] { return "it chooses among labels"; };
  refuseGradient<CtcGreedyOp>(c, decoding);
  refuseGradient<CtcBeamOp>(c, decoding);
}
