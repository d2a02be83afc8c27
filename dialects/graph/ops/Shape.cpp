#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define UNFINISHED(Op) \
  LogicalResult Op::inferShapes(ShapeContext &) { return emitOpError("is not supported"); } \
  LogicalResult Op::lowerToLinalg(LoweringContext &) { return emitOpError("is not supported"); }
UNFINISHED(ShapeOfOp)
UNFINISHED(ReshapeOp)
UNFINISHED(ExpandDimsOp)
UNFINISHED(SqueezeOp)
UNFINISHED(TransposeOp)
UNFINISHED(BroadcastToOp)
UNFINISHED(TileOp)
UNFINISHED(PackOp)
UNFINISHED(UnpackOp)
UNFINISHED(ConcatOp)
UNFINISHED(SplitOp)
UNFINISHED(FillOp)
UNFINISHED(RangeOp)
UNFINISHED(BitcastOp)
UNFINISHED(EnsureShapeOp)
UNFINISHED(InvertPermutationOp)
UNFINISHED(BroadcastArgsOp)

#define GET_OP_CLASSES
#include "dialects/graph/ops/Shape.cpp.inc"

void GraphDialect::registerShapeOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Shape.cpp.inc"
      >();
}
