// Derivatives of functions of matrices, and of matrices with little in them.
#include "dialects/graph/ops/LinearAlgebra.h"
#include "dialects/graph/ops/MatrixFormula.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

//===----------------------------------------------------------------------===//
// Functions of a matrix
//===----------------------------------------------------------------------===//

/// The size of the matrices of x, an i64 scalar.
Tensor orderOf(Gradient &g, Tensor x) {
  return g.size(x.value(), x.rank() - 1);
}

/// For a power series f: f([A^H G; 0 A^H]) has the cotangent for A in its right
/// upper corner.
template <typename OpTy> void seriesGradient(OpTy op, Gradient &g) {
  Tensor a = adjoint(g(op.getInput()));
  int64_t rank = a.rank();
  Tensor zero = g.filled(op.getInput(), 0);
  Tensor block = concat(
      {concat({a, g.of()}, rank - 1), concat({zero, a}, rank - 1)}, rank - 2);
  Tensor whole = g.make(op->getName().getStringRef(), a.type(), block);
  Tensor n = expandDims(orderOf(g, a), int64_t(0)), none = g.integers(0);
  SmallVector<Tensor> begin, size;
  for (int64_t d = 0; d + 2 < rank; ++d) {
    begin.push_back(none);
    size.push_back(g.integers(-1));
  }
  begin.append({none, n});
  size.append({n, n});
  g.add(op.getInput(), slice(whole, concat(begin, 0), concat(size, 0)));
}

/// With Y = sqrt(A): Y^H D + D Y^H = G, a system for the elements of D.
void squareRootGradient(MatrixSqrtOp op, Gradient &g) {
  Tensor y = adjoint(g(op.getResult()));
  int64_t rank = y.rank();
  Tensor n = orderOf(g, y);
  // Identity matrices.
  Tensor ones =
      cast(equal(expandDims(g.iota(n), 1), expandDims(g.iota(n), 0)), y.type());
  // Row i n + k, column j n + l: a_ij b_kl.
  auto kronecker = [&](Tensor a, Tensor b) {
    auto spread = [](Tensor x, ArrayRef<int64_t> fromEnd) {
      SmallVector<int64_t> axes;
      for (int64_t axis : fromEnd)
        axes.push_back(x.rank() + 2 - axis);
      return expandDims(x, axes);
    };
    return spread(a, {3, 1}) * spread(b, {4, 2});
  };
  SmallVector<int64_t> swapped = upTo(rank);
  std::swap(swapped[rank - 1], swapped[rank - 2]);
  Tensor system = kronecker(y, ones) + kronecker(ones, transpose(y, swapped));
  Tensor count = expandDims(n * n, int64_t(0));
  Tensor batch = part(g.shapeOf(y.value()), 0, rank - 2);
  auto shaped = [&](Tensor x, Tensor columns) {
    return reshape(x, rank == 2 ? concat({count, columns}, 0)
                                : concat({batch, count, columns}, 0));
  };
  Tensor d = g.make("graph.matrix_solve", y.type(),
                    {shaped(system, count), shaped(g.of(), g.integers(1))});
  g.add(op.getInput(), reshapeLike(d, op.getInput()));
}

/// Eigenvectors have length 1; their phase does not count.
void eigGradient(EigOp op, Gradient &g) {
  Tensor e = g(op.getE()), v = g(op.getV());
  if (!op.getComputeV())
    v = g.makeAll("graph.eig", {e.type(), e.type()}, g(op.getInput()),
                  g.unit("compute_v"))[1];
  Tensor middle;
  if (g.of(0))
    middle = diagonal(g.of(0));
  if (op.getComputeV() && g.of(1)) {
    Tensor factors = conj(
        withDiagonal(safeReciprocal(differences(e)), g.filled(op.getE(), 0)));
    Tensor turned = product(v, g.of(1), true);
    Tensor along = diagonalOf(turned);
    Tensor part =
        factors * (turned - product(product(v, v, true),
                                    diagonal((along + conj(along)) * 0.5)));
    middle = middle ? middle + part : part;
  }
  if (!middle)
    return;
  Tensor va = adjoint(v);
  Tensor d = g.make("graph.matrix_solve", v.type(), {va, product(middle, va)});
  Type type = getElementTypeOrSelf(op.getInput());
  g.add(op.getInput(),
        isa<ComplexType>(type) ? d : g.make("graph.real", type, d));
}

/// A[p] = L U.
void luGradient(LuOp op, Gradient &g) {
  Tensor lu = g(op.getLu()), d = g.of(0);
  if (!d)
    return;
  int64_t rank = lu.rank();
  Tensor upper = triangle(lu, false);
  auto strict = [&](Tensor x) { return x - triangle(x, false); };
  Tensor n = orderOf(g, lu);
  Tensor ones = cast(equal(expandDims(g.iota(n), 1), expandDims(g.iota(n), 0)),
                     lu.type());
  Tensor lower = strict(lu) + ones;
  Tensor middle =
      strict(product(lower, strict(d), true)) +
      triangle(product(triangle(d, false), upper, false, true), false);
  Tensor left = triangularSolve(g, lower, middle, true, true);
  // x U^-H
  Tensor both = adjoint(triangularSolve(g, upper, adjoint(left), false, false));
  Tensor place = cast(g(op.getP()), g.i64());
  Tensor chosen =
      cast(equal(expandDims(place, rank - 1), g.iota(n)), lu.type());
  g.add(op.getInput(), matmul(chosen, both, true, false));
}

//===----------------------------------------------------------------------===//
// Least squares
//===----------------------------------------------------------------------===//

/// By the normal equations of the longer side.
void leastSquaresGradient(MatrixSolveLsOp op, Gradient &g) {
  Tensor a = g(op.getMatrix());
  auto rows = ShapeContext::asConstant(a.dim(a.rank() - 2)),
       columns = ShapeContext::asConstant(a.dim(a.rank() - 1));
  if (!rows || !columns)
    return g.fail("the sizes of the matrix must be known for the derivative of "
                  "a least squares solution");
  differentiateAs(g, [&]() -> SmallVector<Tensor> {
    Tensor b = g(op.getRhs());
    bool tall = *rows >= *columns;
    Tensor n = g.integer(tall ? *columns : *rows);
    Tensor eye = cast(equal(expandDims(g.iota(n), 1), expandDims(g.iota(n), 0)),
                      a.type());
    Tensor square = tall ? product(a, a, true) : product(a, a, false, true);
    square = square + eye * cast(g(op.getRegularizer()), a.type());
    auto solve = [&](Tensor rhs) {
      return g.make("graph.matrix_solve", a.type(), {square, rhs});
    };
    return {tall ? solve(product(a, b, true)) : product(a, solve(b), true)};
  });
}

//===----------------------------------------------------------------------===//
// Three diagonals
//===----------------------------------------------------------------------===//

/// Row i + 1 of x (or i - 1) in row i, and 0 where there is none.
Tensor neighbours(Gradient &g, Tensor x, bool next) {
  int64_t rank = x.rank(), axis = rank - 2;
  Tensor n = g.size(x.value(), axis);
  SmallVector<int64_t> before(rank, 0), after(rank, 0);
  SmallVector<Tensor> begin, size;
  for (int64_t d = 0; d < rank; ++d) {
    begin.push_back(g.integers(d == axis && next ? 1 : 0));
    size.push_back(d == axis ? expandDims(n - g.integer(1), int64_t(0))
                             : g.integers(-1));
  }
  (next ? after : before)[axis] = 1;
  Tensor paddings =
      g.make("graph.pack", g.i64(), {g.integers(before), g.integers(after)},
             g.attr("axis", int64_t(1)));
  return g.make("graph.pad", x.type(),
                {slice(x, concat(begin, 0), concat(size, 0)), paddings,
                 g.scalar(x.type(), 0)});
}

/// The columns above, on and below the diagonal, [..., n, 1] each.
SmallVector<Tensor> columnsOf(Gradient &g, Tensor diagonals) {
  SmallVector<int64_t> swapped = upTo(diagonals.rank());
  std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
  Tensor columns = transpose(diagonals, swapped);
  SmallVector<Tensor> parts;
  for (int64_t i = 0; i < 3; ++i)
    parts.push_back(gather(columns, g.integers(i), columns.rank() - 1));
  return parts;
}

void tridiagonalSolveGradient(TridiagonalSolveOp op, Gradient &g) {
  Tensor diagonals = g(op.getDiagonals()), x = g(op.getResult());
  int64_t last = diagonals.rank() - 1;
  SmallVector<int64_t> swapped = upTo(last + 1);
  std::swap(swapped[last], swapped[last - 1]);
  SmallVector<Tensor> parts = columnsOf(g, diagonals);
  // What is above the diagonal of the transposed matrix was below it.
  Tensor turned = concat(
      {neighbours(g, parts[2], true), parts[1], neighbours(g, parts[0], false)},
      last);
  SmallVector<NamedAttribute> attributes = attributesOf(op);
  Tensor db = g.make("graph.tridiagonal_solve", x.type(),
                     {conj(transpose(turned, swapped)), g.of()}, attributes);
  g.add(op.getRhs(), db);
  if (!g.wants(op.getDiagonals()))
    return;
  auto along = [&](Tensor other) {
    return sum(db * conj(other), x.rank() - 1, /*keepDims=*/true);
  };
  Tensor columns = concat(
      {along(neighbours(g, x, true)), along(x), along(neighbours(g, x, false))},
      last);
  g.add(op.getDiagonals(), -transpose(columns, swapped));
}

void tridiagonalMatMulGradient(TridiagonalMatMulOp op, Gradient &g) {
  differentiateAs(g, [&]() -> SmallVector<Tensor> {
    Tensor x = g(op.getRhs());
    auto column = [&](Value row) {
      SmallVector<int64_t> swapped = upTo(g(row).rank());
      std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
      return transpose(g(row), swapped);
    };
    return {column(op.getMain()) * x +
            column(op.getAbove()) * neighbours(g, x, true) +
            column(op.getBelow()) * neighbours(g, x, false)};
  });
}
} // namespace

void tenon::graph::addMatrixFunctionGradients(MLIRContext *c) {
  addRule<MatrixSqrtOp>(
      c, [](MatrixSqrtOp op, Gradient &g) { squareRootGradient(op, g); });
  addRule<MatrixExpOp>(
      c, [](MatrixExpOp op, Gradient &g) { seriesGradient(op, g); });
  addRule<MatrixLogOp>(
      c, [](MatrixLogOp op, Gradient &g) { seriesGradient(op, g); });
  addRule<EigOp>(c, [](EigOp op, Gradient &g) { eigGradient(op, g); });
  addRule<LuOp>(c, [](LuOp op, Gradient &g) { luGradient(op, g); });
  addRule<CholeskyGradOp>(c, [](CholeskyGradOp op, Gradient &g) {
    differentiateAs(g, [&]() -> SmallVector<Tensor> {
      return {choleskyCotangent(g, g(op.getL()), g(op.getGrad()))};
    });
  });
  addRule<MatrixSolveLsOp>(
      c, [](MatrixSolveLsOp op, Gradient &g) { leastSquaresGradient(op, g); });
  addRule<TridiagonalSolveOp>(c, [](TridiagonalSolveOp op, Gradient &g) {
    tridiagonalSolveGradient(op, g);
  });
  addRule<TridiagonalMatMulOp>(c, [](TridiagonalMatMulOp op, Gradient &g) {
    tridiagonalMatMulGradient(op, g);
  });
}
