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

#define GET_OP_CLASSES
#include "dialects/graph/ops/Elementwise.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Contraction.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Convolution.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Pooling.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Reduction.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Shape.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Indexing.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Normalization.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Random.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/State.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Control.h.inc"
#define GET_OP_CLASSES
#include "dialects/graph/ops/Sequence.h.inc"

namespace tenon::graph {

/// The shape rule of elementwise ops: operands broadcast against each other.
llvm::LogicalResult inferElementwiseShapes(mlir::Operation *op,
                                           ShapeContext &shapes);
/// The lowering of elementwise ops: one linalg.generic around buildScalar.
llvm::LogicalResult lowerElementwise(mlir::Operation *op,
                                     LoweringContext &lowering);

/// A lowered value as a linalg operand that is broadcast to `result`: dropped
/// unit dimensions become a projection in the map. Fails (null) when it is not
/// known at compile time whether a dimension is 1.
mlir::Value broadcastOperand(LoweringContext &lowering,
                             mlir::Value graphOperand, mlir::Value result,
                             mlir::AffineMap &map);

/// Signed unless declared `uiN` (or i1).
inline bool isUnsigned(mlir::Type elementType) {
  return elementType.isUnsignedInteger() || elementType.isSignlessInteger(1);
}

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_GRAPH_H
