// Complex matrices for factorizations: everything is computed in double
// precision, real numbers as complex ones without imaginary part.
#ifndef TENON_RUNTIME_HOST_MATRIX_H
#define TENON_RUNTIME_HOST_MATRIX_H

#include "host/Element.h"
#include "host/Host.h"

#include <math.h>

namespace [[gnu::visibility("hidden")]] tenon {

struct Scalar {
  double re = 0, im = 0;
};

inline Scalar operator+(Scalar a, Scalar b) {
  return {a.re + b.re, a.im + b.im};
}
inline Scalar operator-(Scalar a, Scalar b) {
  return {a.re - b.re, a.im - b.im};
}
inline Scalar operator-(Scalar a) { return {-a.re, -a.im}; }
inline Scalar operator*(Scalar a, Scalar b) {
  if (a.im == 0 && b.im == 0)
    return {a.re * b.re, 0};
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
inline Scalar operator*(Scalar a, double b) { return {a.re * b, a.im * b}; }
inline Scalar operator/(Scalar a, double b) { return {a.re / b, a.im / b}; }
inline Scalar conj(Scalar a) { return {a.re, -a.im}; }
inline double norm(Scalar a) { return a.re * a.re + a.im * a.im; }
inline double abs(Scalar a) {
  return a.im == 0 ? fabs(a.re) : hypot(a.re, a.im);
}
inline Scalar operator/(Scalar a, Scalar b) {
  if (b.im == 0)
    return a / b.re;
  double size = norm(b);
  return a * conj(b) / size;
}
inline bool isZero(Scalar a) { return a.re == 0 && a.im == 0; }
Scalar sqrtOf(Scalar a);

struct Matrix {
  Scalar *data = nullptr;
  int64_t rows = 0, columns = 0;

  Scalar &operator()(int64_t r, int64_t c) const {
    return data[r * columns + c];
  }
};

// Memory of the call that is taken once and used for each matrix of a batch.
struct Workspace {
  HostCall &call;
  bool failed = false;

  explicit Workspace(HostCall &call) : call(call) {}
  Matrix matrix(int64_t rows, int64_t columns);
  double *reals(int64_t count);
};

// The matrices in the last two dimensions of a tensor.
struct Batch {
  const tenon_tensor &tensor;
  int64_t rows, columns, count;

  Batch(HostCall &call, const tenon_tensor &tensor);
  void load(int64_t which, const Matrix &to) const;
  void store(int64_t which, const Matrix &from) const;
};
// Fails the call when the matrices are not square.
bool expectSquare(HostCall &call, const Batch &batch);
void storeScalar(const tenon_tensor &tensor, int64_t i, Scalar value);
// What stands for vectors that are not wanted.
inline void clearScalar(const tenon_tensor &tensor) {
  storeScalar(tensor, 0, {});
}
Scalar loadScalar(const tenon_tensor &tensor, int64_t i);

void setIdentity(const Matrix &to);
void copy(const Matrix &to, const Matrix &from);
// to = a b; `to` is neither.
void multiply(const Matrix &to, const Matrix &a, const Matrix &b);
// to = the adjoint of a; `to` is not a.
void adjointOf(const Matrix &to, const Matrix &a);

// Householder's reflection of a vector of `count` elements that are `step`
// apart: I - tau v v^H takes it to beta times the first unit vector. v's first
// element is 1, the others replace the vector's.
void makeReflection(Scalar *vector, int64_t step, int64_t count, Scalar &tau,
                    double &beta);

// LU with row exchanges, in place; `order` gets the rows' numbers. Returns the
// permutation's sign.
double factorLu(const Matrix &a, int64_t *order);
// Solves with the factors; `x` holds the right sides in `order` already.
void solveLu(const Matrix &lu, const Matrix &x);
// Whether all pivots differ from 0.
bool hasInverse(const Matrix &lu);

// a = u diag(s) v^H by Jacobi's rotations of both sides. u is rows x rows (or
// its first columns), v likewise; both are set up by the function.
bool decompose(Workspace &space, const Matrix &a, double *s, const Matrix &u,
               const Matrix &v);

// The complex Schur form: t upper triangular, u unitary, a = u t u^H. False
// when the iteration does not end. `taus` is room for as many elements as rows.
bool schurForm(const Matrix &t, const Matrix &u, Scalar *taus);

} // namespace tenon

#endif // TENON_RUNTIME_HOST_MATRIX_H
