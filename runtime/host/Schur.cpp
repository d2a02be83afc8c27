// The complex Schur form, and what follows from it: eigenvalues of any matrix,
// square root, logarithm; and the exponential.
#include "host/Matrix.h"

#include <float.h>

namespace tenon {

namespace {

double norm1(Scalar a) { return fabs(a.re) + fabs(a.im); }

struct Turn {
  double c;
  Scalar s;
};

// Takes (p, q) to (r, 0).
Turn givens(Scalar p, Scalar q, Scalar &r) {
  if (isZero(q)) {
    double c = p.re < 0 ? -1 : 1;
    r = p * c;
    return {c, {}};
  }
  if (isZero(p)) {
    r = {abs(q), 0};
    return {0, -(q / abs(q))};
  }
  double p1 = norm1(p), q1 = norm1(q);
  if (p1 >= q1) {
    Scalar ps = p / p1, qs = q / p1;
    double p2 = norm(ps), u = sqrt(1 + norm(qs) / p2);
    u = p.re < 0 ? -u : u;
    r = p * u;
    return {1 / u, -(qs * conj(ps) * (1 / u / p2))};
  }
  double u = q1 * sqrt(norm(p / q1) + norm(q / q1));
  u = p.re < 0 ? -u : u;
  double size = abs(p);
  Scalar ps = p / size;
  r = ps * u;
  return {size / u, -(conj(ps) * (q / u))};
}

// Rows p and p + 1, in columns from `from` on.
void turnRows(const Matrix &a, int64_t p, Turn g, int64_t from) {
  for (int64_t c = from; c < a.columns; ++c) {
    Scalar x = a(p, c), y = a(p + 1, c);
    a(p, c) = x * g.c - conj(g.s) * y;
    a(p + 1, c) = g.s * x + y * g.c;
  }
}

// Columns p and p + 1, in the first `rows` rows.
void turnColumns(const Matrix &a, int64_t p, Turn g, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r) {
    Scalar x = a(r, p), y = a(r, p + 1);
    a(r, p) = x * g.c - g.s * y;
    a(r, p + 1) = conj(g.s) * x + y * g.c;
  }
}

// I - tau v v^H over rows (columns) from `from` on; v is below the diagonal of
// column k, its first element 1.
void reflectRows(const Matrix &a, const Matrix &v, int64_t k, Scalar tau,
                 int64_t from) {
  int64_t n = v.rows;
  for (int64_t c = from; c < a.columns; ++c) {
    Scalar sum = a(k + 1, c);
    for (int64_t r = k + 2; r < n; ++r)
      sum = sum + conj(v(r, k)) * a(r, c);
    sum = tau * sum;
    a(k + 1, c) = a(k + 1, c) - sum;
    for (int64_t r = k + 2; r < n; ++r)
      a(r, c) = a(r, c) - v(r, k) * sum;
  }
}

// To upper Hessenberg form; u becomes what turns it back.
void reduce(const Matrix &a, const Matrix &u, Scalar *taus) {
  int64_t n = a.rows;
  for (int64_t k = 0; k + 1 < n; ++k) {
    double beta;
    makeReflection(&a(k + 1, k), n, n - k - 1, taus[k], beta);
    a(k + 1, k) = {beta, 0};
    reflectRows(a, a, k, taus[k], k + 1);
    for (int64_t r = 0; r < n; ++r) {
      Scalar sum = a(r, k + 1);
      for (int64_t c = k + 2; c < n; ++c)
        sum = sum + a(r, c) * a(c, k);
      sum = sum * conj(taus[k]);
      a(r, k + 1) = a(r, k + 1) - sum;
      for (int64_t c = k + 2; c < n; ++c)
        a(r, c) = a(r, c) - sum * conj(a(c, k));
    }
  }
  setIdentity(u);
  for (int64_t k = n - 1; k-- > 0;)
    reflectRows(u, a, k, conj(taus[k]), 0);
  for (int64_t r = 2; r < n; ++r)
    for (int64_t c = 0; c + 1 < r; ++c)
      a(r, c) = {};
}

bool negligible(const Matrix &t, int64_t i) {
  double around = norm1(t(i, i)) + norm1(t(i + 1, i + 1));
  if (norm1(t(i + 1, i)) > around * DBL_EPSILON)
    return false;
  t(i + 1, i) = {};
  return true;
}

// The eigenvalue of the last 2 x 2 block that is nearer to its last element.
Scalar shiftOf(const Matrix &t, int64_t last, int64_t step) {
  if ((step == 10 || step == 20) && last > 1)
    return {fabs(t(last, last - 1).re) + fabs(t(last - 1, last - 2).re), 0};
  Scalar a = t(last - 1, last - 1), b = t(last - 1, last),
         c = t(last, last - 1), d = t(last, last);
  double size = abs(a) + abs(b) + abs(c) + abs(d);
  a = a / size;
  b = b / size;
  c = c / size;
  d = d / size;
  Scalar product = b * c, difference = a - d;
  Scalar root = sqrtOf(difference * difference + product * 4);
  Scalar determinant = a * d - product;
  Scalar first = (a + d + root) / 2, second = (a + d - root) / 2;
  if (norm1(first) > norm1(second))
    second = determinant / first;
  else if (norm1(second) != 0)
    first = determinant / second;
  return (norm1(first - d) < norm1(second - d) ? first : second) * size;
}

// The principal square root of an upper triangle.
void triangularRoot(const Matrix &root, const Matrix &t) {
  int64_t n = t.rows;
  for (int64_t c = 0; c < n; ++c)
    for (int64_t r = n; r--;) {
      if (r > c) {
        root(r, c) = {};
        continue;
      }
      if (r == c) {
        root(r, c) = sqrtOf(t(r, c));
        continue;
      }
      Scalar sum = t(r, c);
      for (int64_t k = r + 1; k < c; ++k)
        sum = sum - root(r, k) * root(k, c);
      Scalar by = root(r, r) + root(c, c);
      root(r, c) = isZero(sum) ? sum : sum / by;
    }
}

double largest(const Matrix &a) {
  double most = 0;
  for (int64_t c = 0; c < a.columns; ++c) {
    double sum = 0;
    for (int64_t r = 0; r < a.rows; ++r)
      sum += abs(a(r, c));
    most = sum > most ? sum : most;
  }
  return most;
}

// u t u^H.
void turnBack(const Matrix &to, const Matrix &u, const Matrix &t,
              const Matrix &scratch, const Matrix &adjoint) {
  multiply(scratch, u, t);
  adjointOf(adjoint, u);
  multiply(to, scratch, adjoint);
}

bool isFinite(const Matrix &a) {
  for (int64_t i = 0; i < a.rows * a.columns; ++i)
    if (!tenon::isFinite(a.data[i].re) || !tenon::isFinite(a.data[i].im))
      return false;
  return true;
}

// A solution of a x = b with a general matrix; `b` is overwritten by x.
bool solveInPlace(const Matrix &a, const Matrix &b, const Matrix &x,
                  int64_t *order) {
  factorLu(a, order);
  if (!hasInverse(a))
    return false;
  for (int64_t r = 0; r < b.rows; ++r)
    for (int64_t c = 0; c < b.columns; ++c)
      x(r, c) = b(order[r], c);
  solveLu(a, x);
  copy(b, x);
  return true;
}

} // namespace

bool schurForm(const Matrix &t, const Matrix &u, Scalar *taus) {
  reduce(t, u, taus);
  int64_t last = t.rows - 1, step = 0, total = 0;
  while (true) {
    for (; last > 0 && negligible(t, last - 1); --last)
      step = 0;
    if (last <= 0)
      return true;
    ++step;
    if (++total > 30 * t.rows)
      return false;
    int64_t first = last - 1;
    while (first > 0 && !negligible(t, first - 1))
      --first;
    Scalar unused;
    Turn g = givens(t(first, first) - shiftOf(t, last, step),
                    t(first + 1, first), unused);
    auto rows = [&](int64_t i) { return (i + 2 < last ? i + 2 : last) + 1; };
    turnRows(t, first, g, first);
    turnColumns(t, first, g, rows(first));
    turnColumns(u, first, g, u.rows);
    for (int64_t i = first + 1; i < last; ++i) {
      Scalar r;
      g = givens(t(i, i - 1), t(i + 1, i - 1), r);
      t(i, i - 1) = r;
      t(i + 1, i - 1) = {};
      turnRows(t, i, g, i);
      turnColumns(t, i, g, rows(i));
      turnColumns(u, i, g, u.rows);
    }
  }
}

// What all functions of square matrices begin with.
namespace {
struct Squares {
  HostCall &call;
  Batch in;
  Workspace space;
  int64_t n;
  Matrix a, u, x, y, z;
  Scalar *taus = nullptr;
  int64_t *order = nullptr;
  bool good = false;

  explicit Squares(HostCall &call)
      : call(call), in(call, call.inputs[0]), space(call), n(in.rows) {
    if (!expectSquare(call, in))
      return;
    Matrix *all[] = {&a, &u, &x, &y, &z};
    for (Matrix *matrix : all)
      *matrix = space.matrix(n, n);
    taus = call.array<Scalar>(n + 1);
    order = call.array<int64_t>(n + 1);
    good = !space.failed && taus && order;
  }

  bool load(int64_t i) {
    in.load(i, a);
    return isFinite(a) ||
           call.fail("matrix %lld has elements that are not finite",
                     (long long)i);
  }
  bool schur(int64_t i) {
    return load(i) &&
           (schurForm(a, u, taus) ||
            call.fail("the eigenvalues of matrix %lld were not found",
                      (long long)i));
  }
};
} // namespace

TENON_HOST(eig) {
  Squares all(call);
  if (!all.good)
    return false;
  int64_t n = all.n;
  bool vectors = call.flag("compute_v");
  const Matrix &t = all.a, &x = all.x, &v = all.y;
  for (int64_t i = 0; i < all.in.count; ++i) {
    if (!all.schur(i))
      return false;
    double size = 0;
    for (int64_t k = 0; k < n * n; ++k)
      size += norm(t.data[k]);
    size = sqrt(size);
    for (int64_t k = 0; k < n * n; ++k)
      x.data[k] = {};
    for (int64_t k = n; vectors && k--;) {
      x(k, k) = {1, 0};
      for (int64_t r = k; r--;) {
        Scalar sum = -t(r, k);
        for (int64_t c = r + 1; c < k; ++c)
          sum = sum - t(r, c) * x(c, k);
        Scalar by = t(r, r) - t(k, k);
        if (isZero(by))
          by.re = DBL_EPSILON * (size > DBL_MIN ? size : DBL_MIN);
        x(r, k) = sum / by;
      }
    }
    if (vectors)
      multiply(v, all.u, x);
    for (int64_t c = 0; c < n; ++c)
      all.order[c] = c;
    // By ascending absolute value, exchanging as a selection sort does.
    for (int64_t c = 0; c < n; ++c) {
      int64_t least = c;
      for (int64_t k = c + 1; k < n; ++k)
        if (abs(t(all.order[k], all.order[k])) <
            abs(t(all.order[least], all.order[least])))
          least = k;
      int64_t from = all.order[least];
      all.order[least] = all.order[c];
      all.order[c] = from;
      storeScalar(call.outputs[0], i * n + c, t(from, from));
      if (!vectors)
        continue;
      double length = 0;
      for (int64_t r = 0; r < n; ++r)
        length += norm(v(r, from));
      length = sqrt(length);
      for (int64_t r = 0; r < n; ++r)
        storeScalar(call.outputs[1], (i * n + r) * n + c,
                    length > 0 ? v(r, from) / length : v(r, from));
    }
  }
  if (!vectors)
    clearScalar(call.outputs[1]);
  return true;
}

TENON_HOST(matrix_sqrt) {
  Squares all(call);
  if (!all.good)
    return false;
  Batch out(call, call.outputs[0]);
  for (int64_t i = 0; i < all.in.count; ++i) {
    if (!all.schur(i))
      return false;
    triangularRoot(all.x, all.a);
    turnBack(all.a, all.u, all.x, all.y, all.z);
    out.store(i, all.a);
  }
  return true;
}

// log(t) = 2^k log(t^(1/2^k)); near the identity by the series of
// 2 artanh((t - 1) / (t + 1)).
TENON_HOST(matrix_log) {
  Squares all(call);
  if (!all.good)
    return false;
  int64_t n = all.n;
  Batch out(call, call.outputs[0]);
  Matrix power = all.space.matrix(n, n), sum = all.space.matrix(n, n);
  if (all.space.failed)
    return false;
  for (int64_t i = 0; i < all.in.count; ++i) {
    if (!all.schur(i))
      return false;
    int roots = 0;
    for (;; ++roots) {
      copy(all.x, all.a);
      for (int64_t k = 0; k < n; ++k)
        all.x(k, k) = all.x(k, k) - Scalar{1, 0};
      if (largest(all.x) < 0.2 || roots == 100)
        break;
      triangularRoot(all.y, all.a);
      copy(all.a, all.y);
    }
    // x = (t + 1)^-1 (t - 1), then its odd powers.
    for (int64_t k = 0; k < n; ++k)
      all.a(k, k) = all.a(k, k) + Scalar{1, 0};
    if (!solveInPlace(all.a, all.x, all.y, all.order))
      return call.fail("matrix %lld has no logarithm", (long long)i);
    multiply(all.y, all.x, all.x);
    copy(power, all.x);
    copy(sum, all.x);
    for (int term = 3; term < 40; term += 2) {
      multiply(all.z, power, all.y);
      copy(power, all.z);
      for (int64_t k = 0; k < n * n; ++k)
        sum.data[k] = sum.data[k] + power.data[k] / double(term);
    }
    for (int64_t k = 0; k < n * n; ++k)
      sum.data[k] = sum.data[k] * ldexp(2.0, roots);
    turnBack(all.a, all.u, sum, all.y, all.z);
    out.store(i, all.a);
  }
  return true;
}

// exp(a) = exp(a / 2^k)^(2^k), by a quotient of polynomials of degree 13.
TENON_HOST(matrix_exp) {
  Squares all(call);
  if (!all.good)
    return false;
  static const double factors[] = {64764752532480000,
                                   32382376266240000,
                                   7771770303897600,
                                   1187353796428800,
                                   129060195264000,
                                   10559470521600,
                                   670442572800,
                                   33522128640,
                                   1323241920,
                                   40840800,
                                   960960,
                                   16380,
                                   182,
                                   1};
  int64_t n = all.n;
  Batch out(call, call.outputs[0]);
  for (int64_t i = 0; i < all.in.count; ++i) {
    if (!all.load(i))
      return false;
    int squarings = 0;
    for (double size = largest(all.a); size > 4 && squarings < 1100; size /= 2)
      ++squarings;
    for (int64_t k = 0; k < n * n; ++k)
      all.a.data[k] = all.a.data[k] * ldexp(1.0, -squarings);
    // Odd terms in x, even ones in y.
    setIdentity(all.u);
    for (int64_t k = 0; k < n * n; ++k)
      all.x.data[k] = all.y.data[k] = {};
    for (int term = 0; term < 14; ++term) {
      const Matrix &to = term % 2 ? all.x : all.y;
      for (int64_t k = 0; k < n * n; ++k)
        to.data[k] = to.data[k] + all.u.data[k] * factors[term];
      multiply(all.z, all.u, all.a);
      copy(all.u, all.z);
    }
    for (int64_t k = 0; k < n * n; ++k) {
      Scalar odd = all.x.data[k], even = all.y.data[k];
      all.x.data[k] = even + odd;
      all.y.data[k] = even - odd;
    }
    if (!solveInPlace(all.y, all.x, all.z, all.order))
      return call.fail("the exponential of matrix %lld was not found",
                       (long long)i);
    for (; squarings; --squarings) {
      multiply(all.z, all.x, all.x);
      copy(all.x, all.z);
    }
    out.store(i, all.x);
  }
  return true;
}

} // namespace tenon
