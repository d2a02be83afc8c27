// Derivatives of factorizations and solutions of matrices.
#include "dialects/graph/ops/LinearAlgebra.h"
#include "dialects/graph/ops/MatrixFormula.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

//===----------------------------------------------------------------------===//
// Factorizations
//===----------------------------------------------------------------------===//

/// For at least as many rows as columns.
Tensor deepQr(Gradient &g, Tensor q, Tensor r, Tensor dq, Tensor dr) {
  // x R^-H
  auto divide = [&](Tensor x) {
    return adjoint(triangularSolve(g, r, adjoint(x), false, false));
  };
  Tensor qdq = product(q, dq, true), rdr = product(r, dr, false, true);
  Tensor lower = triangle(qdq - adjoint(qdq) + rdr - adjoint(rdr), true);
  Tensor d = product(q, dr + divide(lower)) + divide(dq - product(q, qdq));
  if (!d || !q.isComplex())
    return d;
  // R has a real diagonal.
  Tensor m = diagonalOf(rdr - adjoint(qdq));
  Tensor turn = diagonal((m - conj(m)) * 0.5);
  return d + divide(product(q, adjoint(turn)));
}

void qrGradient(QrOp op, Gradient &g) {
  Tensor q = g(op.getQ()), r = g(op.getR());
  auto sizeOf = [&](Tensor x, int64_t fromEnd) {
    return ShapeContext::asConstant(x.dim(x.rank() - fromEnd));
  };
  std::optional<int64_t> rows = sizeOf(q, 2), inner = sizeOf(r, 2),
                         columns = sizeOf(r, 1);
  if (!rows || !inner || !columns || *inner > *columns)
    return g.fail("the QR factorization has a derivative for sizes that are "
                  "known, and for more rows than columns without "
                  "full_matrices");
  Tensor dq = g.of(0) ? g.of(0) : g.filled(op.getQ(), 0),
         dr = g.of(1) ? g.of(1) : g.filled(op.getR(), 0);
  if (*inner == *columns)
    return g.add(op.getInput(), deepQr(g, q, r, dq, dr));
  // A = [X, Y] and R = [U, V]: X = Q U, Y = Q V.
  auto columnsOf = [&](Tensor x, int64_t begin) {
    SmallVector<int64_t> first(x.rank(), 0), sizes(x.rank(), -1);
    first.back() = begin;
    if (begin == 0)
      sizes.back() = *inner;
    return slice(x, g.integers(first), g.integers(sizes));
  };
  Tensor y = columnsOf(g(op.getInput()), *inner), dv = columnsOf(dr, *inner);
  Tensor dx = deepQr(g, q, columnsOf(r, 0), dq + product(y, dv, false, true),
                     columnsOf(dr, 0));
  g.add(op.getInput(), concat({dx, product(q, dv)}, r.rank() - 1));
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
  bool isSquare = op.getComputeUv() && s.dims().back() == u.dims().back() &&
                  s.dims().back() == v.dims().back();
  if (!op.getComputeUv() || (op.getFullMatrices() && !isSquare)) {
    auto parts = g.makeAll("graph.svd", {s.type(), u.type(), v.type()},
                           g(op.getInput()), g.unit("compute_uv"));
    if (op.getComputeUv() && (g.of(1) || g.of(2)))
      return g.fail("singular vectors of a matrix that is not square have a "
                    "derivative without full_matrices only");
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

/// The diagonals of a full matrix that its banded form `like` has.
Tensor bandsOf(Gradient &g, Tensor full, Value like, bool lower) {
  auto bands = ShapeContext::asConstant(
      g.shapes.dims(like)[g.shapes.dims(like).size() - 2]);
  if (!bands) {
    g.fail("the number of diagonals of a banded matrix must be known for its "
           "derivative");
    return {};
  }
  int64_t others = *bands - 1;
  Tensor parts = g.make("graph.matrix_diag_part", full.type(),
                        {full, g.scalar(full.type(), 0)},
                        {g.attr("lower", lower ? -others : 0),
                         g.attr("upper", lower ? 0 : others),
                         g.attr("align", StringRef("LEFT_RIGHT"))});
  // One diagonal alone comes without a dimension for them.
  return others == 0 && parts ? expandDims(parts, parts.rank() - 1) : parts;
}

void triangularSolveGradient(TriangularSolveOp op, Gradient &g) {
  Tensor x = g(op.getResult());
  bool adjointed = op.getAdjoint(), lower = op.getLower();
  Tensor db = withAttribute(
      g, "graph.triangular_solve", {g(op.getMatrix()), g.of()},
      {{"lower", lower}, {"adjoint", !adjointed}, {"banded", op.getBanded()}});
  g.add(op.getRhs(), db);
  if (!g.wants(op.getMatrix()))
    return;
  Tensor da =
      -(adjointed ? product(x, db, false, true) : product(db, x, false, true));
  g.add(op.getMatrix(), op.getBanded() ? bandsOf(g, da, op.getMatrix(), lower)
                                       : triangle(da, lower));
}
} // namespace

void tenon::graph::addLinearAlgebraGradients(MLIRContext *c) {
  addRule<CholeskyOp>(c, [](CholeskyOp op, Gradient &g) {
    g.add(op.getInput(), choleskyCotangent(g, g(op.getResult()), g.of()));
  });
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
  addMatrixFunctionGradients(c);
  auto decoding = [] { return "it chooses among labels"; };
  refuseGradient<CtcGreedyOp>(c, decoding);
  refuseGradient<CtcBeamOp>(c, decoding);
}
