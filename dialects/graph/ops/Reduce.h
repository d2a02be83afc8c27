// What reductions, scans and normalizations are lowered with.
#ifndef TENON_DIALECTS_GRAPH_OPS_REDUCE_H
#define TENON_DIALECTS_GRAPH_OPS_REDUCE_H

#include "dialects/graph/LoweringContext.h"

namespace tenon::graph {

/// One linalg.generic over loops of sizes `dims` that reduces `axes`. `inputs`
/// are read through identity maps; there is one result per scalar of
/// `identities`, without the reduced dimensions. `combine` gets the inputs'
/// elements and the accumulators. Returns the first of `results`.
mlir::Value
reduceOver(LoweringContext &lowering, mlir::Location loc,
           mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineExpr> dims,
           llvm::ArrayRef<int64_t> axes, mlir::ValueRange identities,
           llvm::SmallVectorImpl<mlir::Value> &results,
           llvm::function_ref<llvm::SmallVector<mlir::Value>(
               mlir::OpBuilder &, mlir::Location, mlir::ValueRange inputs,
               mlir::ValueRange accumulators)>
               combine);

/// A reduced value in the shape of `graphResult`, which may have kept its
/// reduced `axes` as dimensions of size 1.
mlir::Value restoreUnitDims(LoweringContext &lowering, mlir::Value graphResult,
                            mlir::Value reduced, llvm::ArrayRef<int64_t> axes);

/// A parallel linalg.generic over one lowered tensor.
mlir::Value
mapElements(LoweringContext &lowering, mlir::Location loc, mlir::Value input,
            mlir::Type element,
            llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                           mlir::Value)>
                body);

/// The same over loops of sizes `dims`, with operands read through maps.
mlir::Value
parallelOver(LoweringContext &lowering, mlir::Location loc,
             llvm::ArrayRef<mlir::AffineExpr> dims, mlir::Type element,
             mlir::ValueRange operands, llvm::ArrayRef<mlir::AffineMap> maps,
             llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                            mlir::ValueRange)>
                 body);

/// The number of elements over `axes` of a graph value, as a scalar of an
/// integer or float type.
mlir::Value countOf(LoweringContext &lowering, mlir::Location loc,
                    mlir::Value input, llvm::ArrayRef<int64_t> axes,
                    mlir::Type type);

/// `value` in the type that a graph value's elements are accumulated in; an
/// integer type must hold it.
mlir::Value identityOf(LoweringContext &lowering, mlir::Value input,
                       double value);

/// f32 for half floats, which would lose small terms; other types themselves.
mlir::Type accumulatorType(mlir::Type elementType);
/// Floats of another width; everything else as it is.
mlir::Value convertFloat(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, mlir::Type type);
/// A sum whose floats may be reassociated, so that it vectorises.
mlir::Value addInAnyOrder(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value lhs, mlir::Value rhs);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_REDUCE_H
