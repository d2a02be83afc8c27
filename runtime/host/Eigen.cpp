// Eigenvalues and singular values: iterations that converge.
#include "host/Matrix.h"

#include <float.h>

namespace tenon {

namespace {

// A plane rotation by the cosine and the sine.
struct Rotation {
  double c, s;
};

// Takes (p, q) to (r, 0).
Rotation givens(double p, double q) {
  if (q == 0)
    return {p < 0 ? -1.0 : 1.0, 0};
  if (p == 0)
    return {0, q < 0 ? 1.0 : -1.0};
  if (fabs(p) > fabs(q)) {
    double t = q / p, u = sqrt(1 + t * t);
    u = p < 0 ? -u : u;
    return {1 / u, -t / u};
  }
  double t = p / q, u = sqrt(1 + t * t);
  u = q < 0 ? -u : u;
  return {t / u, -1 / u};
}

// A symmetric tridiagonal matrix becomes diagonal; `vectors`' columns turn
// with it.
bool diagonalize(double *diagonal, double *beside, int64_t n,
                 const Matrix &vectors) {
  int64_t end = n - 1, start = 0, steps = 0;
  while (end > 0) {
    for (int64_t i = start; i < end; ++i) {
      double scaled = beside[i] / DBL_EPSILON;
      if (fabs(beside[i]) < DBL_MIN ||
          scaled * scaled <= fabs(diagonal[i]) + fabs(diagonal[i + 1]))
        beside[i] = 0;
    }
    while (end > 0 && beside[end - 1] == 0)
      --end;
    if (end <= 0)
      break;
    if (++steps > 30 * n)
      return false;
    start = end - 1;
    while (start > 0 && beside[start - 1] != 0)
      --start;
    double td = (diagonal[end - 1] - diagonal[end]) / 2, e = beside[end - 1],
           shift = diagonal[end];
    if (td == 0) {
      shift -= fabs(e);
    } else if (e != 0) {
      double h = hypot(td, e);
      double wide = td + (td > 0 ? h : -h);
      shift -= e * e == 0 ? e / (wide / e) : e * e / wide;
    }
    double x = diagonal[start] - shift, z = beside[start];
    for (int64_t k = start; k < end && z != 0; ++k) {
      Rotation g = givens(x, z);
      double sdk = g.s * diagonal[k] + g.c * beside[k],
             next = g.s * beside[k] + g.c * diagonal[k + 1];
      diagonal[k] = g.c * (g.c * diagonal[k] - g.s * beside[k]) -
                    g.s * (g.c * beside[k] - g.s * diagonal[k + 1]);
      diagonal[k + 1] = g.s * sdk + g.c * next;
      beside[k] = g.c * sdk - g.s * next;
      if (k > start)
        beside[k - 1] = g.c * beside[k - 1] - g.s * z;
      x = beside[k];
      if (k < end - 1) {
        z = -g.s * beside[k + 1];
        beside[k + 1] = g.c * beside[k + 1];
      }
      for (int64_t r = 0; r < vectors.rows; ++r) {
        Scalar a = vectors(r, k), b = vectors(r, k + 1);
        vectors(r, k) = a * g.c - b * g.s;
        vectors(r, k + 1) = a * g.s + b * g.c;
      }
    }
  }
  return true;
}

// Householder's reduction of the lower triangle to tridiagonal form; `a` keeps
// the reflections.
void tridiagonalize(const Matrix &a, Scalar *taus, Scalar *work) {
  int64_t n = a.rows;
  for (int64_t i = 0; i + 1 < n; ++i) {
    int64_t rest = n - i - 1;
    double beta;
    Scalar tau;
    makeReflection(&a(i + 1, i), n, rest, tau, beta);
    a(i + 1, i) = {1, 0};
    auto v = [&](int64_t k) { return a(i + 1 + k, i); };
    Scalar h = conj(tau);
    // work = A22 (h v), by the lower triangle.
    for (int64_t r = 0; r < rest; ++r) {
      Scalar sum;
      for (int64_t c = 0; c < rest; ++c) {
        Scalar element = c < r   ? a(i + 1 + r, i + 1 + c)
                         : c > r ? conj(a(i + 1 + c, i + 1 + r))
                                 : Scalar{a(i + 1 + r, i + 1 + r).re, 0};
        sum = sum + element * (h * v(c));
      }
      work[r] = sum;
    }
    Scalar dot;
    for (int64_t k = 0; k < rest; ++k)
      dot = dot + conj(work[k]) * v(k);
    for (int64_t k = 0; k < rest; ++k)
      work[k] = work[k] + h * -0.5 * dot * v(k);
    for (int64_t c = 0; c < rest; ++c)
      for (int64_t r = c; r < rest; ++r)
        a(i + 1 + r, i + 1 + c) = a(i + 1 + r, i + 1 + c) -
                                  v(r) * conj(work[c]) - work[r] * conj(v(c));
    a(i + 1, i) = {beta, 0};
    taus[i] = tau;
  }
}

void swapColumns(const Matrix &a, int64_t p, int64_t q) {
  for (int64_t r = 0; r < a.rows; ++r) {
    Scalar moved = a(r, p);
    a(r, p) = a(r, q);
    a(r, q) = moved;
  }
}

} // namespace

TENON_HOST(self_adjoint_eig) {
  Batch in(call, call.inputs[0]);
  int64_t n = in.rows;
  if (!expectSquare(call, in))
    return false;
  bool vectors = call.flag("compute_v");
  Workspace space(call);
  Matrix a = space.matrix(n, n), q = space.matrix(vectors ? n : 0, n),
         taus = space.matrix(1, n), work = space.matrix(1, n);
  double *diagonal = space.reals(n), *beside = space.reals(n);
  if (space.failed)
    return false;
  for (int64_t i = 0; i < in.count; ++i) {
    in.load(i, a);
    double scale = 0;
    for (int64_t r = 0; r < n; ++r)
      for (int64_t c = 0; c <= r; ++c) {
        double size = abs(a(r, c));
        if (!isFinite(size))
          return call.fail("matrix %lld has elements that are not finite",
                           (long long)i);
        scale = size > scale ? size : scale;
      }
    scale = scale == 0 ? 1 : scale;
    for (int64_t k = 0; k < n * n; ++k)
      a.data[k] = a.data[k] / scale;
    tridiagonalize(a, taus.data, work.data);
    for (int64_t k = 0; k < n; ++k) {
      diagonal[k] = a(k, k).re;
      beside[k] = k + 1 < n ? a(k + 1, k).re : 0;
    }
    if (vectors) {
      setIdentity(q);
      for (int64_t k = n - 1; k-- > 0;)
        for (int64_t c = 0; c < n; ++c) {
          Scalar sum = q(k + 1, c);
          for (int64_t r = k + 2; r < n; ++r)
            sum = sum + conj(a(r, k)) * q(r, c);
          sum = conj(taus(0, k)) * sum;
          q(k + 1, c) = q(k + 1, c) - sum;
          for (int64_t r = k + 2; r < n; ++r)
            q(r, c) = q(r, c) - a(r, k) * sum;
        }
    }
    if (!diagonalize(diagonal, beside, n, q))
      return call.fail("self-adjoint eigen decomposition of matrix %lld was "
                       "not successful",
                       (long long)i);
    for (int64_t k = 0; k + 1 < n; ++k) {
      int64_t least = k;
      for (int64_t m = k + 1; m < n; ++m)
        if (diagonal[m] < diagonal[least])
          least = m;
      if (least == k)
        continue;
      double moved = diagonal[k];
      diagonal[k] = diagonal[least];
      diagonal[least] = moved;
      swapColumns(q, k, least);
    }
    for (int64_t k = 0; k < n; ++k)
      storeScalar(call.outputs[0], i * n + k, {diagonal[k] * scale, 0});
    if (vectors)
      Batch(call, call.outputs[1]).store(i, q);
  }
  if (!vectors)
    clearScalar(call.outputs[1]);
  return true;
}

//===----------------------------------------------------------------------===//
// Singular values
//===----------------------------------------------------------------------===//

// Columns p and q of a: (c x - s y, s x + c y) with a phase on y.
static void turnColumns(const Matrix &a, int64_t p, int64_t q, double c,
                        Scalar s) {
  for (int64_t r = 0; r < a.rows; ++r) {
    Scalar x = a(r, p), y = a(r, q);
    a(r, p) = x * c - conj(s) * y;
    a(r, q) = s * x + y * c;
  }
}

// One-sided rotations make the columns of `work` (rows >= columns) orthogonal;
// v turns with them.
static bool orthogonalize(const Matrix &work, const Matrix &v) {
  int64_t n = work.columns;
  for (int sweep = 0; sweep < 80; ++sweep) {
    bool done = true;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        double alpha = 0, beta = 0;
        Scalar gamma;
        for (int64_t r = 0; r < work.rows; ++r) {
          alpha += norm(work(r, p));
          beta += norm(work(r, q));
          gamma = gamma + conj(work(r, p)) * work(r, q);
        }
        double size = abs(gamma);
        if (size == 0 || size <= 1e-15 * sqrt(alpha * beta))
          continue;
        done = false;
        double zeta = (beta - alpha) / (2 * size);
        double t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
        double c = 1 / sqrt(1 + t * t);
        Scalar s = gamma / size * (c * t);
        turnColumns(work, p, q, c, s);
        turnColumns(v, p, q, c, s);
      }
    if (done)
      return true;
  }
  return false;
}

// Makes columns from `from` on that are orthogonal to all before them.
static void completeBasis(const Matrix &u, int64_t from) {
  for (int64_t c = from; c < u.columns; ++c) {
    double best = 0;
    for (int64_t unit = 0; unit < u.rows && best < 0.5; ++unit) {
      // What is left of a unit vector; twice, for rounding.
      for (int64_t r = 0; r < u.rows; ++r)
        u(r, c) = {r == unit ? 1.0 : 0.0, 0};
      for (int pass = 0; pass < 2; ++pass)
        for (int64_t k = 0; k < c; ++k) {
          Scalar dot;
          for (int64_t r = 0; r < u.rows; ++r)
            dot = dot + conj(u(r, k)) * u(r, c);
          for (int64_t r = 0; r < u.rows; ++r)
            u(r, c) = u(r, c) - u(r, k) * dot;
        }
      double size = 0;
      for (int64_t r = 0; r < u.rows; ++r)
        size += norm(u(r, c));
      best = size * double(u.rows) >= 0.5 ? 1 : 0;
      if (best > 0)
        for (int64_t r = 0; r < u.rows; ++r)
          u(r, c) = u(r, c) / sqrt(size);
    }
  }
}

bool decompose(Workspace &space, const Matrix &a, double *s, const Matrix &u,
               const Matrix &v) {
  // Of a wide matrix the adjoint is decomposed.
  if (a.rows < a.columns) {
    Matrix adjoint = space.matrix(a.columns, a.rows);
    if (space.failed)
      return false;
    adjointOf(adjoint, a);
    return decompose(space, adjoint, s, v, u);
  }
  int64_t n = a.columns;
  Matrix work = space.matrix(a.rows, n), right = space.matrix(n, n);
  int64_t *order = space.call.array<int64_t>(n);
  if (space.failed || !order)
    return false;
  copy(work, a);
  setIdentity(right);
  if (!orthogonalize(work, right))
    return false;
  double *sizes = space.reals(n);
  if (space.failed)
    return false;
  for (int64_t c = 0; c < n; ++c) {
    double sum = 0;
    for (int64_t r = 0; r < a.rows; ++r)
      sum += norm(work(r, c));
    sizes[c] = sqrt(sum);
    int64_t at = c;
    for (; at > 0 && sizes[order[at - 1]] < sizes[c]; --at)
      order[at] = order[at - 1];
    order[at] = c;
  }
  int64_t rank = 0;
  for (int64_t c = 0; c < n; ++c) {
    s[c] = sizes[order[c]];
    for (int64_t r = 0; r < n; ++r)
      if (v.data)
        v(r, c) = right(r, order[c]);
    if (!u.data || s[c] <= s[0] * 1e-300)
      continue;
    for (int64_t r = 0; r < a.rows; ++r)
      u(r, c) = work(r, order[c]) / s[c];
    rank = c + 1;
  }
  if (u.data)
    completeBasis(u, rank);
  if (v.data && v.columns > n)
    completeBasis(v, n);
  return true;
}

TENON_HOST(svd) {
  Batch in(call, call.inputs[0]);
  bool vectors = call.flag("compute_uv"), full = call.flag("full_matrices");
  int64_t m = in.rows, n = in.columns, inner = m < n ? m : n;
  Workspace space(call);
  Matrix a = space.matrix(m, n), u, v;
  if (vectors) {
    u = space.matrix(m, full ? m : inner);
    v = space.matrix(n, full ? n : inner);
  }
  double *s = space.reals(inner);
  for (int64_t i = 0; i < in.count && !space.failed; ++i) {
    in.load(i, a);
    for (int64_t k = 0; k < m * n; ++k)
      if (!isFinite(abs(a.data[k])))
        return call.fail("matrix %lld has elements that are not finite",
                         (long long)i);
    if (!decompose(space, a, s, u, v))
      return call.fail("singular value decomposition of matrix %lld was not "
                       "successful",
                       (long long)i);
    for (int64_t k = 0; k < inner; ++k)
      storeScalar(call.outputs[0], i * inner + k, {s[k], 0});
    if (vectors) {
      Batch(call, call.outputs[1]).store(i, u);
      Batch(call, call.outputs[2]).store(i, v);
    }
  }
  if (!vectors) {
    clearScalar(call.outputs[1]);
    clearScalar(call.outputs[2]);
  }
  return !space.failed;
}

TENON_HOST(matrix_solve_ls) {
  Batch in(call, call.inputs[0]), rhs(call, call.inputs[1]),
      out(call, call.outputs[0]);
  int64_t m = in.rows, n = in.columns, columns = rhs.columns,
          inner = m < n ? m : n;
  double regularizer = call.in<double>(2)[0];
  bool fast = call.flag("fast"), single = in.tensor.dtype.bits == 32;
  if (rhs.rows != m || rhs.count != in.count)
    return call.fail("matrices and right sides do not fit each other");
  if (regularizer < 0)
    return call.fail("the regularizer is negative");
  Workspace space(call);
  Matrix a = space.matrix(m, n), b = space.matrix(m, columns),
         x = space.matrix(n, columns), u = space.matrix(m, inner),
         v = space.matrix(n, inner);
  double *s = space.reals(inner);
  for (int64_t i = 0; i < in.count && !space.failed; ++i) {
    in.load(i, a);
    rhs.load(i, b);
    if (!decompose(space, a, s, u, v))
      return call.fail("matrix %lld cannot be decomposed", (long long)i);
    double least = (single ? FLT_EPSILON : DBL_EPSILON) *
                   double(m > n ? m : n) * (inner ? s[0] : 0);
    if (fast && regularizer == 0 && inner && !(s[inner - 1] > least))
      return call.fail("matrix %lld is rank deficient", (long long)i);
    for (int64_t r = 0; r < n * columns; ++r)
      x.data[r] = {};
    for (int64_t k = 0; k < inner; ++k) {
      double bottom = fast ? s[k] * s[k] + regularizer : s[k] * s[k];
      if (!(fast && regularizer > 0) && s[k] <= least)
        continue;
      for (int64_t c = 0; c < columns; ++c) {
        Scalar dot;
        for (int64_t r = 0; r < m; ++r)
          dot = dot + conj(u(r, k)) * b(r, c);
        dot = dot * (s[k] / bottom);
        for (int64_t r = 0; r < n; ++r)
          x(r, c) = x(r, c) + v(r, k) * dot;
      }
    }
    out.store(i, x);
  }
  return !space.failed;
}

} // namespace tenon
