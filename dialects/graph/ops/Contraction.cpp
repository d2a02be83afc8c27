#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define UNFINISHED(Op) \
  LogicalResult Op::inferShapes(ShapeContext &) { return emitOpError("is not supported"); } \
  LogicalResult Op::lowerToLinalg(LoweringContext &) { return emitOpError("is not supported"); }
UNFINISHED(MatMulOp)
UNFINISHED(EinsumOp)

#define GET_OP_CLASSES
#include "dialects/graph/ops/Contraction.cpp.inc"

void GraphDialect::registerContractionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Contraction.cpp.inc"
      >();
}
