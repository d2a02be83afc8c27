// Formulas on scalars: operators that build arith and math ops, and the
// functions of one element that have no accurate op upstream.
#ifndef TENON_DIALECTS_GRAPH_OPS_SCALARMATH_H
#define TENON_DIALECTS_GRAPH_OPS_SCALARMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tenon::graph {

/// A float or integer value with the builder that extends its formula. Integer
/// operators are signed ones. The builder must outlive it.
class Scalar {
public:
  Scalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value)
      : builder(&builder), loc(loc), value(value) {}

  operator mlir::Value() const { return value; }
  mlir::Type type() const { return value.getType(); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(type()); }
  mlir::OpBuilder &b() const { return *builder; }
  mlir::Location at() const { return loc; }

  /// Another value of the same formula.
  Scalar wrap(mlir::Value other) const { return {*builder, loc, other}; }
  /// A constant of this value's type.
  Scalar constant(double number) const;
  /// A constant given by the bits of this value's (integer) type.
  Scalar bits(uint64_t pattern) const;

  template <typename OpTy> Scalar unary() const {
    return wrap(OpTy::create(*builder, loc, value));
  }
  template <typename OpTy, typename... Rest>
  Scalar apply(const Rest &...rest) const {
    return wrap(OpTy::create(*builder, loc, value, mlir::Value(rest)...));
  }
  Scalar compare(mlir::arith::CmpFPredicate onFloats,
                 mlir::arith::CmpIPredicate onIntegers,
                 const Scalar &other) const;

  Scalar abs() const;
  Scalar sqrt() const { return unary<mlir::math::SqrtOp>(); }
  Scalar floor() const { return unary<mlir::math::FloorOp>(); }
  Scalar copySign(const Scalar &sign) const {
    return apply<mlir::math::CopySignOp>(sign);
  }
  /// Float to float of another width, the same value when the type is equal.
  Scalar toFloat(mlir::Type type) const;
  Scalar bitcast(mlir::Type type) const {
    return wrap(mlir::arith::BitcastOp::create(*builder, loc, type, value));
  }
  Scalar isNan() const {
    return compare(mlir::arith::CmpFPredicate::UNO,
                   mlir::arith::CmpIPredicate::ne, *this);
  }

private:
  mlir::OpBuilder *builder;
  mlir::Location loc;
  mlir::Value value;
};

Scalar operator+(const Scalar &lhs, const Scalar &rhs);
Scalar operator-(const Scalar &lhs, const Scalar &rhs);
Scalar operator*(const Scalar &lhs, const Scalar &rhs);
Scalar operator/(const Scalar &lhs, const Scalar &rhs);
Scalar operator-(const Scalar &operand);
Scalar operator&(const Scalar &lhs, const Scalar &rhs);
Scalar operator|(const Scalar &lhs, const Scalar &rhs);
Scalar operator<(const Scalar &lhs, const Scalar &rhs);
Scalar operator<=(const Scalar &lhs, const Scalar &rhs);
Scalar operator>(const Scalar &lhs, const Scalar &rhs);
Scalar operator>=(const Scalar &lhs, const Scalar &rhs);
Scalar operator==(const Scalar &lhs, const Scalar &rhs);
Scalar operator!=(const Scalar &lhs, const Scalar &rhs);

inline Scalar operator+(const Scalar &l, double r) { return l + l.constant(r); }
inline Scalar operator-(const Scalar &l, double r) { return l - l.constant(r); }
inline Scalar operator*(const Scalar &l, double r) { return l * l.constant(r); }
inline Scalar operator/(const Scalar &l, double r) { return l / l.constant(r); }
inline Scalar operator+(double l, const Scalar &r) { return r.constant(l) + r; }
inline Scalar operator-(double l, const Scalar &r) { return r.constant(l) - r; }
inline Scalar operator*(double l, const Scalar &r) { return r.constant(l) * r; }
inline Scalar operator/(double l, const Scalar &r) { return r.constant(l) / r; }
inline Scalar operator<(const Scalar &l, double r) { return l < l.constant(r); }
inline Scalar operator<=(const Scalar &l, double r) {
  return l <= l.constant(r);
}
inline Scalar operator>(const Scalar &l, double r) { return l > l.constant(r); }
inline Scalar operator>=(const Scalar &l, double r) {
  return l >= l.constant(r);
}
inline Scalar operator==(const Scalar &l, double r) {
  return l == l.constant(r);
}
inline Scalar operator!=(const Scalar &l, double r) {
  return l != l.constant(r);
}

/// Either value, by an i1.
Scalar select(const Scalar &condition, const Scalar &onTrue,
              const Scalar &onFalse);
/// Horner's scheme; coefficients from the highest power down.
Scalar polynomial(const Scalar &x, llvm::ArrayRef<double> coefficients);

struct SineAndCosine {
  Scalar sine, cosine;
};
/// Of pi * (x - the integer next to x), of a double: sin(pi x) and cos(pi x)
/// but for the sign, which both have or neither.
SineAndCosine sineAndCosineOfPi(const Scalar &x);

/// Functions of f32 or f64 values, each to a few ulp.
Scalar exp(const Scalar &x);
Scalar log(const Scalar &x);
Scalar sin(const Scalar &x);
Scalar cos(const Scalar &x);
Scalar tan(const Scalar &x);
Scalar sinh(const Scalar &x);
Scalar cosh(const Scalar &x);
Scalar pow(const Scalar &base, const Scalar &exponent);
Scalar lgamma(const Scalar &x);
Scalar digamma(const Scalar &x);
/// Modified Bessel functions of order 0 or 1; `scaled` times exp(-|x|).
Scalar bessel(const Scalar &x, int order, bool scaled);
/// Regularized incomplete gamma function, the lower or the upper one.
Scalar igamma(const Scalar &shape, const Scalar &argument, bool upper);
Scalar ndtri(const Scalar &x);
Scalar erfinv(const Scalar &x);
Scalar asinh(const Scalar &x);
Scalar acosh(const Scalar &x);
Scalar atanh(const Scalar &x);
Scalar atan(const Scalar &x);
Scalar atan2(const Scalar &ordinate, const Scalar &abscissa);
Scalar log1p(const Scalar &x);
Scalar expm1(const Scalar &x);
/// log(1 + exp(x)).
Scalar softplus(const Scalar &x);
Scalar sigmoid(const Scalar &x);
Scalar nextAfter(const Scalar &from, const Scalar &to);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_SCALARMATH_H
