// Factorizations that end after a known number of steps, and what is solved
// with them.
#include "host/Matrix.h"

namespace tenon {

// The factor of the matrix whose lower triangle is given, in place; false when
// it is not positive definite.
static bool factorCholesky(const Matrix &a) {
  for (int64_t c = 0; c < a.columns; ++c) {
    double pivot = a(c, c).re;
    for (int64_t k = 0; k < c; ++k)
      pivot -= norm(a(c, k));
    if (!(pivot > 0))
      return false;
    pivot = sqrt(pivot);
    a(c, c) = {pivot, 0};
    for (int64_t r = c + 1; r < a.rows; ++r) {
      Scalar sum = a(r, c);
      for (int64_t k = 0; k < c; ++k)
        sum = sum - a(r, k) * conj(a(c, k));
      a(r, c) = sum / pivot;
    }
    for (int64_t r = 0; r < c; ++r)
      a(r, c) = {};
  }
  return true;
}

TENON_HOST(cholesky) {
  Batch in(call, call.inputs[0]), out(call, call.outputs[0]);
  if (!expectSquare(call, in))
    return false;
  Workspace space(call);
  Matrix a = space.matrix(in.rows, in.columns);
  for (int64_t i = 0; i < in.count && !space.failed; ++i) {
    in.load(i, a);
    if (!factorCholesky(a)) // as TensorFlow's: no error
      for (int64_t r = 0; r < a.rows; ++r)
        for (int64_t c = 0; c < a.columns; ++c)
          a(r, c) = {c <= r ? __builtin_nan("") : 0, 0};
    out.store(i, a);
  }
  return !space.failed;
}

// Solves with a triangle of `a`, or of its adjoint, in place.
static void solveTriangle(const Matrix &a, const Matrix &x, bool lower,
                          bool adjoint) {
  bool forward = lower != adjoint;
  int64_t n = a.rows;
  for (int64_t i = 0; i < n; ++i) {
    int64_t r = forward ? i : n - 1 - i;
    for (int64_t k = forward ? 0 : r + 1; k < (forward ? r : n); ++k) {
      Scalar factor = adjoint ? conj(a(k, r)) : a(r, k);
      for (int64_t c = 0; c < x.columns; ++c)
        x(r, c) = x(r, c) - factor * x(k, c);
    }
    Scalar pivot = adjoint ? conj(a(r, r)) : a(r, r);
    for (int64_t c = 0; c < x.columns; ++c)
      x(r, c) = x(r, c) / pivot;
  }
}

// S = L^-H P(L^H dL) L^-1, where P takes the lower triangle and half of the
// diagonal; the result is (S + S^H) / 2.
TENON_HOST(cholesky_grad) {
  Batch factors(call, call.inputs[0]), grads(call, call.inputs[1]),
      out(call, call.outputs[0]);
  int64_t n = factors.rows;
  if (factors.columns != n || grads.rows != n || grads.columns != n ||
      grads.count != factors.count)
    return call.fail("factor and derivative do not fit each other");
  Workspace space(call);
  Matrix l = space.matrix(n, n), grad = space.matrix(n, n),
         adjoint = space.matrix(n, n), s = space.matrix(n, n);
  for (int64_t i = 0; i < factors.count && !space.failed; ++i) {
    factors.load(i, l);
    grads.load(i, grad);
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = r + 1; c < n; ++c)
        l(r, c) = grad(r, c) = {};
    adjointOf(adjoint, l);
    multiply(s, adjoint, grad);
    for (int64_t r = 0; r < n; ++r) {
      s(r, r) = s(r, r) * 0.5;
      for (int64_t c = r + 1; c < n; ++c)
        s(r, c) = {};
    }
    solveTriangle(l, s, true, true); // L^-H S
    adjointOf(adjoint, s);
    solveTriangle(l, adjoint, true, true); // (S L^-1)^H
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c < n; ++c)
        s(r, c) = (adjoint(r, c) + conj(adjoint(c, r))) * 0.5;
    out.store(i, s);
  }
  return !space.failed;
}

TENON_HOST(qr) {
  Batch in(call, call.inputs[0]), outQ(call, call.outputs[0]),
      outR(call, call.outputs[1]);
  int64_t m = in.rows, n = in.columns, steps = m < n ? m : n;
  Workspace space(call);
  Matrix a = space.matrix(m, n), taus = space.matrix(1, steps),
         q = space.matrix(m, outQ.columns), r = space.matrix(outR.rows, n);
  if (space.failed)
    return false;
  // Applies I - tau v v^H, whose v is in column k of `a`, to rows from k on.
  auto apply = [&](const Matrix &to, int64_t k, Scalar tau, int64_t from) {
    for (int64_t c = from; c < to.columns; ++c) {
      Scalar sum = to(k, c);
      for (int64_t i = k + 1; i < m; ++i)
        sum = sum + conj(a(i, k)) * to(i, c);
      sum = tau * sum;
      to(k, c) = to(k, c) - sum;
      for (int64_t i = k + 1; i < m; ++i)
        to(i, c) = to(i, c) - a(i, k) * sum;
    }
  };
  for (int64_t i = 0; i < in.count; ++i) {
    in.load(i, a);
    for (int64_t k = 0; k < steps; ++k) {
      double beta;
      makeReflection(&a(k, k), n, m - k, taus(0, k), beta);
      a(k, k) = {beta, 0};
      apply(a, k, taus(0, k), k + 1);
    }
    setIdentity(q);
    for (int64_t k = steps; k--;)
      apply(q, k, conj(taus(0, k)), 0);
    for (int64_t row = 0; row < r.rows; ++row)
      for (int64_t c = 0; c < n; ++c)
        r(row, c) = c < row ? Scalar{} : a(row, c);
    outQ.store(i, q);
    outR.store(i, r);
  }
  return true;
}

// Solves A X = B for each matrix of a batch; without right sides B is the
// identity.
static bool solve(HostCall &call, bool inverse) {
  Batch in(call, call.inputs[0]), out(call, call.outputs[0]);
  const tenon_tensor &right = inverse ? call.inputs[0] : call.inputs[1];
  Batch rhs(call, right);
  int64_t n = in.rows, columns = inverse ? n : rhs.columns;
  if (in.columns != n || rhs.rows != n || rhs.count != in.count)
    return call.fail("a matrix of %lld rows and %lld columns cannot be solved "
                     "for %lld rows",
                     (long long)n, (long long)in.columns, (long long)rhs.rows);
  Workspace space(call);
  Matrix a = space.matrix(n, n), other = space.matrix(n, n),
         b = space.matrix(n, columns), x = space.matrix(n, columns);
  int64_t *order = call.array<int64_t>(n);
  if (space.failed || !order)
    return false;
  for (int64_t i = 0; i < in.count; ++i) {
    in.load(i, a);
    if (call.flag("adjoint")) {
      adjointOf(other, a);
      copy(a, other);
    }
    factorLu(a, order);
    if (!hasInverse(a))
      return call.fail("matrix %lld is not invertible", (long long)i);
    if (inverse)
      setIdentity(b);
    else
      rhs.load(i, b);
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c < columns; ++c)
        x(r, c) = b(order[r], c);
    solveLu(a, x);
    out.store(i, x);
  }
  return true;
}

TENON_HOST(matrix_inverse) { return solve(call, true); }
TENON_HOST(matrix_solve) { return solve(call, false); }

TENON_HOST(triangular_solve) {
  Batch in(call, call.inputs[0]), rhs(call, call.inputs[1]);
  int64_t n = in.columns, columns = rhs.columns;
  bool banded = call.flag("banded"), lower = call.flag("lower");
  if ((!banded && in.rows != n) || rhs.rows != n)
    return call.fail("a matrix of %lld rows and %lld columns cannot be solved "
                     "for %lld rows",
                     (long long)in.rows, (long long)n, (long long)rhs.rows);
  // Batches broadcast against each other, as if each matrix were an element.
  tenon_tensor first = call.inputs[0], second = call.inputs[1];
  first.ndim -= 2;
  second.ndim -= 2;
  const tenon_tensor *both[] = {&first, &second};
  Broadcast broadcast;
  tenon_tensor &result = call.outputs[0];
  if (!broadcast.init(both, 2))
    return call.fail("batches cannot be broadcast against each other");
  for (int32_t d = 0; d < broadcast.rank; ++d)
    result.shape[d] = broadcast.shape[d];
  result.shape[result.ndim - 2] = n;
  result.shape[result.ndim - 1] = columns;
  if (!call.allocate(0))
    return false;
  Batch out(call, result);
  Workspace space(call);
  Matrix a = space.matrix(n, n), band = space.matrix(in.rows, n),
         x = space.matrix(n, columns);
  for (int64_t i = 0; i < out.count && !space.failed; ++i) {
    in.load(broadcast.source(0, i), band);
    rhs.load(broadcast.source(1, i), x);
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c < n; ++c) {
        // Row k of a band is the k-th diagonal from the main one (of the upper
        // form: from the last).
        int64_t diagonal = lower ? r - c : in.rows - 1 - (c - r);
        bool inside =
            diagonal >= 0 && diagonal < in.rows && (lower ? r >= c : c >= r);
        a(r, c) = !banded ? band(r, c) : inside ? band(diagonal, r) : Scalar{};
      }
    solveTriangle(a, x, lower, call.flag("adjoint"));
    out.store(i, x);
  }
  return !space.failed;
}

// A determinant as a unit times the exponential of a logarithm.
static bool determinants(HostCall &call, bool logarithm) {
  Batch in(call, call.inputs[0]);
  int64_t n = in.rows;
  if (!expectSquare(call, in))
    return false;
  Workspace space(call);
  Matrix a = space.matrix(n, n);
  int64_t *order = call.array<int64_t>(n);
  if (space.failed || !order)
    return false;
  for (int64_t i = 0; i < in.count; ++i) {
    in.load(i, a);
    Scalar unit = {factorLu(a, order), 0}, product = unit;
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) {
      double size = abs(a(k, k));
      product = product * a(k, k);
      sum += log(size);
      unit = size > 0 ? unit * (a(k, k) / size) : Scalar{};
    }
    if (!logarithm) {
      storeScalar(call.outputs[0], i, product);
      continue;
    }
    storeScalar(call.outputs[0], i, unit);
    storeScalar(call.outputs[1], i, {isZero(unit) ? -__builtin_inf() : sum, 0});
  }
  return true;
}

TENON_HOST(determinant) { return determinants(call, false); }
TENON_HOST(log_determinant) { return determinants(call, true); }

TENON_HOST(lu) {
  Batch in(call, call.inputs[0]), out(call, call.outputs[0]);
  int64_t n = in.rows;
  if (!expectSquare(call, in))
    return false;
  Workspace space(call);
  Matrix a = space.matrix(n, n);
  int64_t *order = call.array<int64_t>(n);
  if (space.failed || !order)
    return false;
  for (int64_t i = 0; i < in.count; ++i) {
    in.load(i, a);
    factorLu(a, order);
    if (!hasInverse(a))
      return call.fail("matrix %lld is not invertible", (long long)i);
    out.store(i, a);
    for (int64_t k = 0; k < n; ++k)
      if (call.outputs[1].dtype.bits == 64)
        call.out<int64_t>(1)[i * n + k] = order[k];
      else
        call.out<int32_t>(1)[i * n + k] = int32_t(order[k]);
  }
  return true;
}

TENON_HOST(tridiagonal_solve) {
  Batch in(call, call.inputs[0]), rhs(call, call.inputs[1]),
      out(call, call.outputs[0]);
  int64_t n = in.columns, columns = rhs.columns;
  if (in.rows != 3 || rhs.rows != n || rhs.count != in.count)
    return call.fail("diagonals and right sides do not fit each other");
  Workspace space(call);
  Matrix given = space.matrix(3, n), upper = space.matrix(n, 3),
         x = space.matrix(n, columns);
  if (space.failed)
    return false;
  bool pivoting = call.flag("pivoting");
  for (int64_t i = 0; i < in.count; ++i) {
    in.load(i, given);
    rhs.load(i, x);
    auto above = [&](int64_t r) { return r + 1 < n ? given(0, r) : Scalar{}; };
    // Rows of an upper triangle with three diagonals, from the first to the
    // last.
    for (int64_t r = 0; r < n; ++r) {
      if (r == 0) {
        upper(0, 0) = given(1, 0);
        upper(0, 1) = above(0);
        upper(0, 2) = {};
        continue;
      }
      Scalar below = given(2, r), pivot = upper(r - 1, 0);
      if (pivoting && abs(pivot) < abs(below)) { // exchanges the two rows
        Scalar factor = pivot / below, right = upper(r - 1, 1);
        upper(r - 1, 0) = below;
        upper(r - 1, 1) = given(1, r);
        upper(r - 1, 2) = above(r);
        upper(r, 0) = right - factor * given(1, r);
        upper(r, 1) = -(factor * above(r));
        for (int64_t c = 0; c < columns; ++c) {
          Scalar former = x(r - 1, c);
          x(r - 1, c) = x(r, c);
          x(r, c) = former - factor * x(r, c);
        }
      } else {
        if (isZero(pivot))
          return call.fail("matrix %lld is not invertible", (long long)i);
        Scalar factor = below / pivot;
        upper(r, 0) = given(1, r) - factor * upper(r - 1, 1);
        upper(r, 1) = above(r);
        for (int64_t c = 0; c < columns; ++c)
          x(r, c) = x(r, c) - factor * x(r - 1, c);
      }
      upper(r, 2) = {};
    }
    if (n && isZero(upper(n - 1, 0)))
      return call.fail("matrix %lld is not invertible", (long long)i);
    for (int64_t r = n; r--;)
      for (int64_t c = 0; c < columns; ++c) {
        Scalar sum = x(r, c);
        if (r + 1 < n)
          sum = sum - upper(r, 1) * x(r + 1, c);
        if (r + 2 < n)
          sum = sum - upper(r, 2) * x(r + 2, c);
        x(r, c) = sum / upper(r, 0);
      }
    out.store(i, x);
  }
  return true;
}

TENON_HOST(tridiagonal_matmul) {
  Batch rhs(call, call.inputs[3]);
  int64_t n = rhs.rows, columns = rhs.columns;
  for (int32_t d = 0; d < 3; ++d)
    if (call.inSize(d) != rhs.count * n)
      return call.fail("diagonals and right side do not fit each other");
  for (int64_t i = 0; i < rhs.count; ++i)
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        auto at = [&](int64_t row) {
          return loadScalar(call.inputs[3], (i * n + row) * columns + c);
        };
        auto diagonal = [&](int32_t d) {
          return loadScalar(call.inputs[d], i * n + r);
        };
        Scalar sum = diagonal(1) * at(r);
        if (r + 1 < n)
          sum = sum + diagonal(0) * at(r + 1);
        if (r)
          sum = sum + diagonal(2) * at(r - 1);
        storeScalar(call.outputs[0], (i * n + r) * columns + c, sum);
      }
  return true;
}

} // namespace tenon
