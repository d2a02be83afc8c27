#include "host/Matrix.h"

#include <float.h>

namespace tenon {

Scalar sqrtOf(Scalar a) {
  if (a.im == 0)
    return a.re < 0 ? Scalar{0, sqrt(-a.re)} : Scalar{sqrt(a.re), 0};
  double size = abs(a), re = sqrt((size + fabs(a.re)) / 2),
         im = fabs(a.im) / (2 * re);
  if (a.re >= 0)
    return {re, a.im < 0 ? -im : im};
  return {im, a.im < 0 ? -re : re};
}

Matrix Workspace::matrix(int64_t rows, int64_t columns) {
  int64_t count;
  Matrix made{nullptr, rows, columns};
  if (!__builtin_mul_overflow(rows, columns, &count))
    made.data = call.array<Scalar>(count);
  failed |= !made.data;
  return made;
}

double *Workspace::reals(int64_t count) {
  double *made = call.array<double>(count);
  failed |= !made;
  return made;
}

Scalar loadScalar(const tenon_tensor &tensor, int64_t i) {
  if (tensor.dtype.code == TENON_COMPLEX)
    return {realAt(tensor, 2 * i), realAt(tensor, 2 * i + 1)};
  return {realAt(tensor, i), 0};
}

void storeScalar(const tenon_tensor &tensor, int64_t i, Scalar value) {
  bool complex = tensor.dtype.code == TENON_COMPLEX;
  tenon_dtype part = tensor.dtype;
  if (complex) {
    part.code = TENON_FLOAT;
    part.bits /= 2;
  }
  char *to = static_cast<char *>(tensor.data) + i * (tensor.dtype.bits / 8);
  storeFloat(part, to, value.re);
  if (complex)
    storeFloat(part, to + part.bits / 8, value.im);
}

bool expectSquare(HostCall &call, const Batch &batch) {
  return batch.rows == batch.columns ||
         call.fail("a matrix of %lld rows and %lld columns is not square",
                   (long long)batch.rows, (long long)batch.columns);
}

Batch::Batch(HostCall &call, const tenon_tensor &tensor)
    : tensor(tensor), rows(tensor.shape[tensor.ndim - 2]),
      columns(tensor.shape[tensor.ndim - 1]), count(1) {
  for (int32_t d = 0; d + 2 < tensor.ndim; ++d)
    count *= tensor.shape[d];
}

void Batch::load(int64_t which, const Matrix &to) const {
  for (int64_t i = 0; i < rows * columns; ++i)
    to.data[i] = loadScalar(tensor, which * rows * columns + i);
}

void Batch::store(int64_t which, const Matrix &from) const {
  for (int64_t i = 0; i < rows * columns; ++i)
    storeScalar(tensor, which * rows * columns + i, from.data[i]);
}

void setIdentity(const Matrix &to) {
  for (int64_t r = 0; r < to.rows; ++r)
    for (int64_t c = 0; c < to.columns; ++c)
      to(r, c) = {r == c ? 1.0 : 0.0, 0};
}

void copy(const Matrix &to, const Matrix &from) {
  for (int64_t i = 0; i < to.rows * to.columns; ++i)
    to.data[i] = from.data[i];
}

void multiply(const Matrix &to, const Matrix &a, const Matrix &b) {
  for (int64_t r = 0; r < to.rows; ++r) {
    for (int64_t c = 0; c < to.columns; ++c)
      to(r, c) = {};
    for (int64_t k = 0; k < a.columns; ++k)
      for (int64_t c = 0; c < to.columns; ++c)
        to(r, c) = to(r, c) + a(r, k) * b(k, c);
  }
}

void adjointOf(const Matrix &to, const Matrix &a) {
  for (int64_t r = 0; r < to.rows; ++r)
    for (int64_t c = 0; c < to.columns; ++c)
      to(r, c) = conj(a(c, r));
}

void makeReflection(Scalar *vector, int64_t step, int64_t count, Scalar &tau,
                    double &beta) {
  double tail = 0;
  for (int64_t i = 1; i < count; ++i)
    tail += norm(vector[i * step]);
  Scalar head = vector[0];
  if (tail <= DBL_MIN && head.im * head.im <= DBL_MIN) {
    tau = {};
    beta = head.re;
    for (int64_t i = 1; i < count; ++i)
      vector[i * step] = {};
    return;
  }
  beta = sqrt(norm(head) + tail);
  if (head.re >= 0)
    beta = -beta;
  for (int64_t i = 1; i < count; ++i)
    vector[i * step] = vector[i * step] / (head - Scalar{beta, 0});
  tau = conj((Scalar{beta, 0} - head) / beta);
}

double factorLu(const Matrix &a, int64_t *order) {
  double sign = 1;
  for (int64_t i = 0; i < a.rows; ++i)
    order[i] = i;
  for (int64_t k = 0; k < a.rows; ++k) {
    int64_t pivot = k;
    for (int64_t r = k + 1; r < a.rows; ++r)
      if (abs(a(r, k)) > abs(a(pivot, k)))
        pivot = r;
    if (pivot != k) {
      sign = -sign;
      int64_t number = order[k];
      order[k] = order[pivot];
      order[pivot] = number;
      for (int64_t c = 0; c < a.columns; ++c) {
        Scalar moved = a(k, c);
        a(k, c) = a(pivot, c);
        a(pivot, c) = moved;
      }
    }
    if (isZero(a(k, k)))
      continue;
    for (int64_t r = k + 1; r < a.rows; ++r) {
      Scalar factor = a(r, k) = a(r, k) / a(k, k);
      if (isZero(factor))
        continue;
      for (int64_t c = k + 1; c < a.columns; ++c)
        a(r, c) = a(r, c) - factor * a(k, c);
    }
  }
  return sign;
}

void solveLu(const Matrix &lu, const Matrix &x) {
  for (int64_t r = 0; r < lu.rows; ++r)
    for (int64_t k = 0; k < r; ++k)
      for (int64_t c = 0; c < x.columns; ++c)
        x(r, c) = x(r, c) - lu(r, k) * x(k, c);
  for (int64_t r = lu.rows; r--;) {
    for (int64_t k = r + 1; k < lu.rows; ++k)
      for (int64_t c = 0; c < x.columns; ++c)
        x(r, c) = x(r, c) - lu(r, k) * x(k, c);
    for (int64_t c = 0; c < x.columns; ++c)
      x(r, c) = x(r, c) / lu(r, r);
  }
}

bool hasInverse(const Matrix &lu) {
  for (int64_t i = 0; i < lu.rows; ++i)
    if (!(abs(lu(i, i)) > 0))
      return false;
  return true;
}

} // namespace tenon
