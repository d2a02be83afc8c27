// Normalizations and losses as formulas over whole tensors.
#ifndef TENON_DIALECTS_GRAPH_OPS_FORMULA_H
#define TENON_DIALECTS_GRAPH_OPS_FORMULA_H

#include "dialects/graph/ops/Reduce.h"
#include "dialects/graph/ops/ScalarMath.h"
#include <limits>

namespace tenon::graph {

/// One op's lowering: tensors over the loops of a graph value, in the type
/// that sums are accumulated in, reduced over some axes and broadcast back.
class Formula {
public:
  using Body = llvm::function_ref<Scalar(llvm::ArrayRef<Scalar>)>;

  Formula(LoweringContext &lowering, mlir::Location loc,
          llvm::ArrayRef<mlir::AffineExpr> dims, llvm::ArrayRef<int64_t> axes,
          mlir::Type type)
      : lowering(lowering), loc(loc), dims(dims.begin(), dims.end()),
        axes(axes.begin(), axes.end()), type(type) {
    mlir::OpBuilder &b = lowering.builder;
    llvm::SmallVector<mlir::AffineExpr> loops;
    for (auto [i, dim] : llvm::enumerate(dims))
      if (!llvm::is_contained(axes, int64_t(i))) {
        kept.push_back(dim);
        loops.push_back(b.getAffineDimExpr(i));
      }
    full = b.getMultiDimIdentityMap(dims.size());
    broadcast = mlir::AffineMap::get(dims.size(), 0, loops, b.getContext());
  }

  /// How a tensor over all loops, or over the kept ones, is read.
  mlir::AffineMap full, broadcast;

  /// An element of each operand, converted, to an element over all loops.
  mlir::Value map(mlir::ValueRange operands,
                  llvm::ArrayRef<mlir::AffineMap> maps, Body body,
                  mlir::Type element = {}) {
    return build(dims, operands, maps, body, element);
  }
  /// The same over the kept loops, for operands that have only those.
  mlir::Value mapKept(mlir::ValueRange operands, Body body,
                      mlir::Type element = {}) {
    llvm::SmallVector<mlir::AffineMap> maps(
        operands.size(), lowering.builder.getMultiDimIdentityMap(kept.size()));
    return build(kept, operands, maps, body, element);
  }
  mlir::Value sum(mlir::Value operand) {
    return reduce(operand, 0,
                  [](mlir::OpBuilder &b, mlir::Location at, mlir::Value l,
                     mlir::Value r) { return addInAnyOrder(b, at, l, r); });
  }
  mlir::Value maximum(mlir::Value operand) {
    return reduce(operand, -std::numeric_limits<double>::infinity(),
                  [](mlir::OpBuilder &b, mlir::Location at, mlir::Value l,
                     mlir::Value r) -> mlir::Value {
                    return mlir::arith::MaximumFOp::create(b, at, l, r);
                  });
  }

private:
  mlir::Value build(llvm::ArrayRef<mlir::AffineExpr> over,
                    mlir::ValueRange operands,
                    llvm::ArrayRef<mlir::AffineMap> maps, Body body,
                    mlir::Type element) {
    mlir::Type wanted = element ? element : type;
    return parallelOver(lowering, loc, over, wanted, operands, maps,
                        [&](mlir::OpBuilder &b, mlir::Location at,
                            mlir::ValueRange values) -> mlir::Value {
                          llvm::SmallVector<Scalar> scalars;
                          for (mlir::Value value : values)
                            scalars.emplace_back(
                                b, at, convertFloat(b, at, value, type));
                          return convertFloat(b, at, body(scalars), wanted);
                        });
  }
  mlir::Value
  reduce(mlir::Value operand, double identity,
         llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                        mlir::Value, mlir::Value)>
             combine) {
    mlir::OpBuilder &b = lowering.builder;
    llvm::SmallVector<mlir::Value> results;
    mlir::Value start =
        mlir::arith::ConstantOp::create(b, loc, b.getFloatAttr(type, identity));
    return reduceOver(
        lowering, loc, operand, dims, axes, start, results,
        [&](mlir::OpBuilder &nested, mlir::Location at, mlir::ValueRange in,
            mlir::ValueRange accumulators) -> llvm::SmallVector<mlir::Value> {
          return {combine(nested, at, convertFloat(nested, at, in[0], type),
                          accumulators[0])};
        });
  }

  LoweringContext &lowering;
  mlir::Location loc;
  Dims dims, kept;
  llvm::SmallVector<int64_t> axes;
  mlir::Type type;
};

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_FORMULA_H
