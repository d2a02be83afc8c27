#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define UNFINISHED(Op)                                                         \
  LogicalResult Op::inferShapes(ShapeContext &) {                              \
    return emitOpError("is not supported");                                    \
  }                                                                            \
  LogicalResult Op::lowerToLinalg(LoweringContext &) {                         \
    return emitOpError("is not supported");                                    \
  }
UNFINISHED(ScatterNdOp)
UNFINISHED(TensorScatterOp)
UNFINISHED(MatrixBandPartOp)
UNFINISHED(MatrixDiagOp)
UNFINISHED(MatrixDiagPartOp)
UNFINISHED(MatrixSetDiagOp)
UNFINISHED(DepthToSpaceOp)
UNFINISHED(SpaceToDepthOp)
UNFINISHED(SpaceToBatchOp)
UNFINISHED(BatchToSpaceOp)
UNFINISHED(TopKOp)
UNFINISHED(NonzeroOp)
UNFINISHED(UniqueOp)
UNFINISHED(DynamicStitchOp)
UNFINISHED(SegmentOp)
UNFINISHED(ResizeOp)
UNFINISHED(ExtractPatchesOp)

#define GET_OP_CLASSES
#include "dialects/graph/ops/Indexing.cpp.inc"

void GraphDialect::registerIndexingOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Indexing.cpp.inc"
      >();
}
