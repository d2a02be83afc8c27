//===- Formula.h - operations that are formulas over others ---------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_FORMULA_H
#define TENON_FRONTEND_TENSORFLOW_OPS_FORMULA_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// A tensor in a formula: `x * exp(x) + 1`. Operands broadcast and have one
/// element type. After a failure of the binder all values are null.
class Formula {
public:
  Formula(Binder &binder, mlir::Value value)
      : binder(&binder), value(value), element(Binder::type(value)) {}

  operator mlir::Value() const { return value; }
  Binder &b() const { return *binder; }
  mlir::Type type() const { return element; }

  Formula wrap(mlir::Value other) const { return {*binder, other}; }
  Formula number(double constant) const {
    return wrap(binder->failed() ? mlir::Value()
                                 : binder->scalar(element, constant));
  }
  Formula unary(llvm::StringRef op) const {
    return wrap(binder->make(op, element, value));
  }
  Formula binary(llvm::StringRef op, const Formula &other) const {
    return wrap(binder->make(op, element, {value, other.value}));
  }
  Formula test(llvm::StringRef op, const Formula &other) const {
    return wrap(
        binder->make(op, binder->builder().getI1Type(), {value, other.value}));
  }
  Formula cast(mlir::Type to) const {
    return wrap(binder->failed() ? mlir::Value() : binder->cast(value, to));
  }

private:
  Binder *binder;
  mlir::Value value;
  mlir::Type element;
};

inline Formula operator+(const Formula &x, const Formula &y) {
  return x.binary("graph.add", y);
}
inline Formula operator-(const Formula &x, const Formula &y) {
  return x.binary("graph.sub", y);
}
inline Formula operator*(const Formula &x, const Formula &y) {
  return x.binary("graph.mul", y);
}
inline Formula operator/(const Formula &x, const Formula &y) {
  return x.binary("graph.div", y);
}
inline Formula operator+(const Formula &x, double y) { return x + x.number(y); }
inline Formula operator-(const Formula &x, double y) { return x - x.number(y); }
inline Formula operator*(const Formula &x, double y) { return x * x.number(y); }
inline Formula operator/(const Formula &x, double y) { return x / x.number(y); }
inline Formula operator-(double x, const Formula &y) { return y.number(x) - y; }
inline Formula operator<(const Formula &x, const Formula &y) {
  return x.test("graph.less", y);
}
inline Formula operator<=(const Formula &x, const Formula &y) {
  return x.test("graph.less_equal", y);
}
inline Formula operator>(const Formula &x, const Formula &y) {
  return x.test("graph.greater", y);
}
inline Formula operator>=(const Formula &x, const Formula &y) {
  return x.test("graph.greater_equal", y);
}
inline Formula operator>(const Formula &x, double y) { return x > x.number(y); }
inline Formula operator<(const Formula &x, double y) { return x < x.number(y); }
/// Booleans.
inline Formula operator&(const Formula &x, const Formula &y) {
  return x.test("graph.and", y);
}
inline Formula operator|(const Formula &x, const Formula &y) {
  return x.test("graph.or", y);
}
inline Formula power(const Formula &x, const Formula &y) {
  return x.binary("graph.pow", y);
}
inline Formula maximum(const Formula &x, const Formula &y) {
  return x.binary("graph.maximum", y);
}
inline Formula minimum(const Formula &x, const Formula &y) {
  return x.binary("graph.minimum", y);
}
inline Formula sqrt(const Formula &x) { return x.unary("graph.sqrt"); }
inline Formula abs(const Formula &x) { return x.unary("graph.abs"); }
inline Formula sign(const Formula &x) { return x.unary("graph.sign"); }
inline Formula exp(const Formula &x) { return x.unary("graph.exp"); }
inline Formula floor(const Formula &x) { return x.unary("graph.floor"); }
inline Formula select(const Formula &condition, const Formula &x,
                      const Formula &y) {
  return x.wrap(x.b().make("graph.select", x.type(), {condition, x, y}));
}

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_FORMULA_H
