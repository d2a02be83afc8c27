#ifndef TENON_DIALECTS_GRAPH_LOWERINGCONTEXT_H
#define TENON_DIALECTS_GRAPH_LOWERINGCONTEXT_H

#include "dialects/graph/ShapeContext.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace tenon::graph {

/// The state of one function's way from graph ops to linalg on tensors:
/// lowered values, and the run-time value of every dimension symbol.
class LoweringContext {
public:
  LoweringContext(mlir::OpBuilder &builder, ShapeContext &shapes)
      : builder(builder), shapes(shapes) {}

  mlir::OpBuilder &builder;
  ShapeContext &shapes;

  /// The lowered form of a graph value: same shape, signless element type.
  mlir::Value get(mlir::Value graphValue) { return mapping.lookup(graphValue); }
  bool has(mlir::Value graphValue) const {
    return mapping.contains(graphValue);
  }
  /// Gives a graph value its lowered form; a tensor of another static shape is
  /// cast to the type that the graph value's type lowers to.
  void set(mlir::Value graphValue, mlir::Value lowered);
  /// For values without a graph counterpart to check against (arguments).
  void map(mlir::Value graphValue, mlir::Value lowered) {
    mapping.map(graphValue, lowered);
  }

  /// `ui8` becomes `i8` and a string `i128` (pointer and length); all other
  /// element types stay.
  static mlir::Type elementType(mlir::Type graphElementType);
  static mlir::RankedTensorType type(mlir::Type graphType);

  /// The size of a dimension of a graph value: an attribute when static, else
  /// an index computed from the symbols.
  mlir::OpFoldResult size(mlir::AffineExpr expr);
  mlir::OpFoldResult dim(mlir::Value graphValue, unsigned i) {
    return size(shapes.dim(graphValue, i));
  }
  llvm::SmallVector<mlir::OpFoldResult> sizes(mlir::Value graphValue);
  /// The same as an SSA index.
  mlir::Value index(mlir::AffineExpr expr);
  mlir::Value dimIndex(mlir::Value graphValue, unsigned i) {
    return index(shapes.dim(graphValue, i));
  }
  mlir::Value constantIndex(int64_t value);

  /// An op whose result has a size that its own code computes says so before
  /// it asks for it. No effect when the dimension is known already.
  void bindDim(mlir::Value graphValue, unsigned i, mlir::Value size);

  /// A tensor without contents, of the shape (and lowered type) of a graph
  /// value: the destination of the op that computes it.
  mlir::Value empty(mlir::Value graphValue);
  mlir::Value empty(llvm::ArrayRef<mlir::AffineExpr> dims,
                    mlir::Type elementType);
  /// A destination filled with a scalar.
  mlir::Value filled(mlir::Value graphValue, mlir::Value scalar);

  /// An element of an integer graph value as an index: known contents when the
  /// shape analysis has them, else extracted. `position` is row-major in a
  /// tensor of rank 0 or 1.
  mlir::Value element(mlir::Value graphValue, int64_t position);

  /// A linalg.generic whose loops are the dims of `result`, all parallel; the
  /// body gets the values of the operands (through `maps`) and yields one.
  mlir::Value
  generic(mlir::Location loc, mlir::Value result, mlir::ValueRange operands,
          llvm::ArrayRef<mlir::AffineMap> maps,
          llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                         mlir::ValueRange)>
              body);
  /// The same for a result that is described by its loop indices: the body
  /// gets one index per dimension and yields the element (gathers,
  /// tensor.extract).
  mlir::Value
  generate(mlir::Location loc, mlir::Value result,
           llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                          mlir::ValueRange indices)>
               body);

  /// Lowers the ops of a block, terminator excluded, at the builder.
  llvm::LogicalResult lowerBody(mlir::Block &block);

private:
  /// A symbol's value: bound, read from its tensor, or chosen from two sizes.
  mlir::Value symbolValue(unsigned symbol);

  mlir::IRMapping mapping;
  llvm::DenseMap<unsigned, mlir::Value> symbols;
};

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_LOWERINGCONTEXT_H
