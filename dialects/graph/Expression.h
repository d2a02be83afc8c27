//===- Expression.h - formulas over graph values --------------------------===//

#ifndef TENON_DIALECTS_GRAPH_EXPRESSION_H
#define TENON_DIALECTS_GRAPH_EXPRESSION_H

#include "dialects/graph/ShapeContext.h"
#include "mlir/IR/Builders.h"

namespace tenon::graph {

class GraphBuilder;

/// A graph value in a formula: `x * exp(-x) + 1`. A null tensor (of an op that
/// could not be built) makes every formula with it null.
class Tensor {
public:
  Tensor() = default;
  Tensor(GraphBuilder &builder, mlir::Value value) : b(&builder), v(value) {}

  mlir::Value value() const { return v; }
  explicit operator bool() const { return bool(v); }
  GraphBuilder &builder() const { return *b; }

  mlir::Type type() const { return mlir::getElementTypeOrSelf(v.getType()); }
  bool isComplex() const { return llvm::isa<mlir::ComplexType>(type()); }
  llvm::ArrayRef<mlir::AffineExpr> dims() const;
  mlir::AffineExpr dim(int64_t i) const { return dims()[i]; }
  int64_t rank() const { return dims().size(); }
  /// Whether every element is known to be `number`.
  bool isAll(double number) const;

private:
  GraphBuilder *b = nullptr;
  mlir::Value v;
};

/// Builds graph ops at one place, with inferred shapes. The first error is
/// reported by the op that it concerns; from then on everything is null.
class GraphBuilder {
public:
  GraphBuilder(mlir::OpBuilder &builder, ShapeContext &shapes,
               mlir::Location loc)
      : builder(builder), shapes(shapes), loc(loc) {}

  mlir::OpBuilder &builder;
  ShapeContext &shapes;
  mlir::Location loc;

  bool failed() const { return broken; }
  /// Reports `reason` at the op's node; everything built from now on is null.
  void fail(const llvm::Twine &reason);
  /// The same after an error that was reported.
  void abandon() { broken = true; }

  using Attributes = llvm::ArrayRef<mlir::NamedAttribute>;
  /// The op `name` ("graph.add") with one result of `elementType`.
  Tensor make(llvm::StringRef name, mlir::Type elementType,
              llvm::ArrayRef<Tensor> operands, Attributes attributes = {});
  llvm::SmallVector<Tensor> makeAll(llvm::StringRef name,
                                    llvm::ArrayRef<mlir::Type> elementTypes,
                                    llvm::ArrayRef<Tensor> operands,
                                    Attributes attributes = {});

  mlir::NamedAttribute attr(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute attr(llvm::StringRef name,
                            llvm::ArrayRef<int64_t> value);
  mlir::NamedAttribute attr(llvm::StringRef name, llvm::StringRef text);
  mlir::NamedAttribute flag(llvm::StringRef name, bool value);
  mlir::NamedAttribute real(llvm::StringRef name, double value);
  mlir::NamedAttribute unit(llvm::StringRef name);

  mlir::Type i64() { return builder.getI64Type(); }
  /// A scalar of any number type.
  Tensor scalar(mlir::Type elementType, double value);
  Tensor integer(int64_t value) { return scalar(i64(), double(value)); }
  /// An i64 vector.
  Tensor integers(llvm::ArrayRef<int64_t> values);
  /// An i64 vector of the sizes of a tensor.
  Tensor shapeOf(mlir::Value value);
  /// Scalar i64: the size of one dimension; of several, their product.
  Tensor size(mlir::Value value, llvm::ArrayRef<int64_t> dims);
  /// A tensor of the shape and element type of `like`.
  Tensor filled(mlir::Value like, double number);
  Tensor fill(Tensor shape, Tensor scalar);
  /// A tensor that is written whole before it is read.
  Tensor reserve(Tensor shape, mlir::Type elementType);
  /// 0, 1, ... as i64.
  Tensor iota(Tensor count);

private:
  bool broken = false;
};

/// A scalar of the type of `like`'s elements.
Tensor number(Tensor like, double value);

/// Elementwise, broadcasting; simplified where an operand is known to be 0
/// or 1.
Tensor operator+(Tensor a, Tensor b);
Tensor operator-(Tensor a, Tensor b);
Tensor operator*(Tensor a, Tensor b);
Tensor operator/(Tensor a, Tensor b);
Tensor operator-(Tensor a);
Tensor operator+(Tensor a, double b);
Tensor operator-(Tensor a, double b);
Tensor operator*(Tensor a, double b);
Tensor operator/(Tensor a, double b);
inline Tensor operator+(double a, Tensor b) { return b + a; }
inline Tensor operator*(double a, Tensor b) { return b * a; }
Tensor operator-(double a, Tensor b);
Tensor operator/(double a, Tensor b);

/// Booleans.
Tensor operator<(Tensor a, Tensor b);
Tensor operator<=(Tensor a, Tensor b);
Tensor operator>(Tensor a, Tensor b);
Tensor operator>=(Tensor a, Tensor b);
Tensor operator<(Tensor a, double b);
Tensor operator>(Tensor a, double b);
Tensor equal(Tensor a, Tensor b);
Tensor equal(Tensor a, double b);
Tensor notEqual(Tensor a, double b);
Tensor operator&(Tensor a, Tensor b);

/// The op `graph.NAME` of one operand.
Tensor apply(llvm::StringRef name, Tensor x);
/// The op `graph.NAME` of two operands of one type.
Tensor apply(llvm::StringRef name, Tensor x, Tensor y);
/// What makes a derivative of a complex function a cotangent's factor.
Tensor conj(Tensor x);
Tensor select(Tensor condition, Tensor a, Tensor b);
Tensor select(Tensor condition, Tensor a, double b);
Tensor select(Tensor condition, double a, Tensor b);
Tensor cast(Tensor x, mlir::Type elementType);
inline Tensor exp(Tensor x) { return apply("exp", x); }
inline Tensor log(Tensor x) { return apply("log", x); }
inline Tensor sqrt(Tensor x) { return apply("sqrt", x); }
inline Tensor square(Tensor x) { return apply("square", x); }
inline Tensor sin(Tensor x) { return apply("sin", x); }
inline Tensor cos(Tensor x) { return apply("cos", x); }
inline Tensor pow(Tensor x, Tensor y) { return apply("pow", x, y); }

/// Reductions; no axes: the tensor itself.
Tensor sum(Tensor x, llvm::ArrayRef<int64_t> axes, bool keepDims = false);
/// Rearrangements.
Tensor transpose(Tensor x, llvm::ArrayRef<int64_t> permutation);
Tensor reshape(Tensor x, Tensor shape);
Tensor reshapeLike(Tensor x, mlir::Value like);
Tensor expandDims(Tensor x, llvm::ArrayRef<int64_t> axes);
Tensor broadcastTo(Tensor x, Tensor shape);
Tensor concat(llvm::ArrayRef<Tensor> parts, int64_t axis);
/// Elements `begin` up to `begin + size` (a negative one: all) of a vector.
Tensor part(Tensor vector, int64_t begin, int64_t size);
Tensor slice(Tensor x, Tensor begin, Tensor size);
Tensor gather(Tensor x, Tensor indices, int64_t axis = 0);
Tensor scatter(Tensor indices, Tensor updates, Tensor shape);
/// The matrix product of the last two dimensions.
Tensor matmul(Tensor a, Tensor b, bool transposeA, bool transposeB);
/// Puts x, a tensor over the different labels of `term` in their order, on the
/// diagonals of one over all of them, which has the sizes of `like`. Where x
/// has size 1 it is repeated.
Tensor spreadDiagonals(Tensor x, llvm::StringRef term, mlir::Value like = {});
/// `x` with the shape of `like`: repeated where `like` is larger, summed up
/// where broadcasting `like` made it larger.
Tensor conform(Tensor x, mlir::Value like);

/// 0, 1, ..., count - 1.
llvm::SmallVector<int64_t> upTo(int64_t count);
/// What undoes a permutation.
llvm::SmallVector<int64_t> inverse(llvm::ArrayRef<int64_t> permutation);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_EXPRESSION_H
