#ifndef TENON_DIALECTS_GRAPH_GRAPH_H
#define TENON_DIALECTS_GRAPH_GRAPH_H

#include "dialects/graph/LoweringContext.h"
#include "dialects/graph/ShapeContext.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace tenon::graph::detail {
llvm::LogicalResult verifyInferredShapes(mlir::Operation *op);
} // namespace tenon::graph::detail

#include "dialects/graph/GraphDialect.h.inc"
#include "dialects/graph/GraphInterfaces.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/graph/GraphTypes.h.inc"

namespace tenon::graph {

/// The shape rule of elementwise ops: operands broadcast against each other.
llvm::LogicalResult inferElementwiseShapes(mlir::Operation *op,
                                           ShapeContext &shapes);
/// The lowering of elementwise ops: one linalg.generic around buildScalar.
llvm::LogicalResult lowerElementwise(mlir::Operation *op,
                                     LoweringContext &lowering);

/// One element of an elementwise op's result from elements of its operands, in
/// the ops' element types. Half floats are computed in f32 and rounded once.
mlir::Value buildElement(mlir::Operation *op, mlir::OpBuilder &builder,
                         mlir::ValueRange operands);

/// A lowered value as a linalg operand that is broadcast to `result`: dropped
/// unit dimensions become a projection in the map. Fails (null) when it is not
/// known at compile time whether a dimension is 1.
mlir::Value broadcastOperand(LoweringContext &lowering,
                             mlir::Value graphOperand, mlir::Value result,
                             mlir::AffineMap &map);

/// Where it is not known at compile time which dimensions are 1: computes the
/// sizes of an elementwise result at run time, and reads an operand's element
/// for given indices of the result.
void bindBroadcastDims(mlir::ValueRange graphOperands, mlir::Value result,
                       LoweringContext &lowering);
mlir::Value extractBroadcast(LoweringContext &lowering,
                             mlir::OpBuilder &builder, mlir::Value graphOperand,
                             mlir::ValueRange indices);

/// The shape rule of reductions over `axes`.
llvm::LogicalResult inferReductionShapes(mlir::Operation *op, mlir::Value input,
                                         llvm::ArrayRef<int64_t> axes,
                                         bool keepDims, ShapeContext &shapes);

/// Signed unless declared `uiN` (or i1).
inline bool isUnsigned(mlir::Type elementType) {
  return elementType.isUnsignedInteger() || elementType.isSignlessInteger(1);
}

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_GRAPH_H
