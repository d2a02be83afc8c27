#ifndef TENON_DIALECTS_GRAPH_SHAPECONTEXT_H
#define TENON_DIALECTS_GRAPH_SHAPECONTEXT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <deque>
#include <optional>

namespace tenon::graph {

using Dims = llvm::SmallVector<mlir::AffineExpr, 4>;

/// What is known about sizes: every dimension of every tensor is an affine
/// expression over symbols, so "these two are the same N" is a comparison of
/// two expressions. The elements of small integer tensors (shapes, indices,
/// paddings) are tracked in the same form; a null expression is an unknown one.
class ShapeContext {
public:
  enum class Scope {
    Function, ///< values not yet seen are inferred through their defining ops
    Op        ///< only types and constants are looked at (for verifiers)
  };
  /// Integer tensors of at most this many elements have tracked contents.
  static constexpr int64_t maxContents = 1024;

  explicit ShapeContext(mlir::MLIRContext *context,
                        Scope scope = Scope::Function)
      : context(context), scope(scope) {}

  /// Gives the arguments of an entry their symbols: dimensions with the same
  /// name in `graph.dims` share one.
  void addEntry(mlir::func::FuncOp entry);

  /// The dims of a ranked tensor.
  llvm::ArrayRef<mlir::AffineExpr> dims(mlir::Value value);
  mlir::AffineExpr dim(mlir::Value value, unsigned i) { return dims(value)[i]; }
  void setDims(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> dims);
  /// Same dims as another value.
  void copyDims(mlir::Value to, mlir::Value from);

  /// The elements of an integer (or boolean) tensor in row-major order, if
  /// something is known about them. Single elements may be null (unknown).
  std::optional<llvm::ArrayRef<mlir::AffineExpr>> contents(mlir::Value value);
  void setContents(mlir::Value value,
                   llvm::ArrayRef<mlir::AffineExpr> elements);
  /// The elements when all of them are known constants.
  std::optional<llvm::SmallVector<int64_t>> constants(mlir::Value value);
  std::optional<int64_t> constantScalar(mlir::Value value);

  mlir::AffineExpr constant(int64_t value);
  /// A size about which nothing is known yet. `owner` is the tensor whose
  /// dimension it is, if any: the lowering reads the size from there.
  mlir::AffineExpr freshSymbol(mlir::Value owner = {}, unsigned dim = 0);
  static std::optional<int64_t> asConstant(mlir::AffineExpr expr);
  /// Number of elements.
  mlir::AffineExpr product(llvm::ArrayRef<mlir::AffineExpr> exprs);
  /// lhs / rhs when it is known to be exact, else null. Knows products of
  /// symbols, which affine simplification does not.
  mlir::AffineExpr exactQuotient(llvm::ArrayRef<mlir::AffineExpr> numerator,
                                 llvm::ArrayRef<mlir::AffineExpr> denominator);
  /// ceil(expr / divisor) of a size, divisor >= 1.
  mlir::AffineExpr ceilDiv(mlir::AffineExpr expr, int64_t divisor);

  /// The greater (lesser) of two expressions; where it is not known which one
  /// that is, a symbol that stands for the choice, always the same one.
  mlir::AffineExpr maximum(mlir::AffineExpr lhs, mlir::AffineExpr rhs) {
    return choose(lhs, rhs, /*greater=*/true);
  }
  mlir::AffineExpr minimum(mlir::AffineExpr lhs, mlir::AffineExpr rhs) {
    return choose(lhs, rhs, /*greater=*/false);
  }
  /// Whether an expression is known to be 0 or more, as all sizes are.
  bool isNonNegative(mlir::AffineExpr expr) const;

  /// Dims of an operation on values broadcast against each other (NumPy's
  /// rule). Fails when two known sizes differ and neither is 1. `result` owns
  /// the symbols of dimensions of which nothing is known.
  llvm::FailureOr<Dims>
  broadcast(llvm::ArrayRef<llvm::ArrayRef<mlir::AffineExpr>> shapes,
            mlir::Value result);

  /// The type that the dims give, with `elementType`.
  mlir::RankedTensorType typeOf(mlir::Value value, mlir::Type elementType);

  struct Origin {
    mlir::Value value;
    unsigned dim = 0;
    /// Instead of a value's dimension: the greater or lesser of the two.
    mlir::AffineExpr lhs = {}, rhs = {};
    bool greater = false;
  };
  /// Where a symbol's size can be read from.
  Origin origin(unsigned symbol) const { return origins[symbol]; }
  unsigned symbolCount() const { return origins.size(); }
  mlir::MLIRContext *getContext() const { return context; }

private:
  void inferDefiningOp(mlir::Value value);
  mlir::AffineExpr choose(mlir::AffineExpr lhs, mlir::AffineExpr rhs,
                          bool greater);

  mlir::MLIRContext *context;
  Scope scope;
  std::deque<Dims> storage; // stable addresses: callers hold ArrayRefs
  llvm::DenseMap<mlir::Value, llvm::ArrayRef<mlir::AffineExpr>> dimsOf,
      contentsOf;
  llvm::SmallVector<Origin> origins;
  llvm::DenseMap<std::pair<mlir::AffineExpr, mlir::AffineExpr>,
                 mlir::AffineExpr>
      maxima, minima;
};

/// "2x?x3" for messages.
std::string shapeString(llvm::ArrayRef<mlir::AffineExpr> dims);

/// Infers the op's result shapes and sets its result types to match; element
/// types stay as they are. For ops just created with unknown shapes.
llvm::LogicalResult inferResultTypes(mlir::Operation *op, ShapeContext &shapes);

/// Creates an op whose result types are `elementTypes` with inferred shapes.
/// Null after an error that was reported at `loc`.
mlir::Operation *createOp(mlir::OpBuilder &builder, mlir::Location loc,
                          ShapeContext &shapes, llvm::StringRef name,
                          llvm::ArrayRef<mlir::Type> elementTypes,
                          mlir::ValueRange operands,
                          llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

template <typename OpTy>
OpTy create(mlir::OpBuilder &builder, mlir::Location loc, ShapeContext &shapes,
            llvm::ArrayRef<mlir::Type> elementTypes, mlir::ValueRange operands,
            llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  mlir::Operation *op = createOp(builder, loc, shapes, OpTy::getOperationName(),
                                 elementTypes, operands, attributes);
  return llvm::cast_or_null<OpTy>(op);
}

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_SHAPECONTEXT_H
