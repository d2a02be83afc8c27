#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define UNFINISHED(Op) \
  LogicalResult Op::inferShapes(ShapeContext &) { return emitOpError("is not supported"); } \
  LogicalResult Op::lowerToLinalg(LoweringContext &) { return emitOpError("is not supported"); }
UNFINISHED(MaxPoolOp)
UNFINISHED(AvgPoolOp)

#define GET_OP_CLASSES
#include "dialects/graph/ops/Pooling.cpp.inc"

void GraphDialect::registerPoolingOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Pooling.cpp.inc"
      >();
}
