#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define GET_OP_CLASSES
#include "dialects/graph/ops/Sequence.cpp.inc"

void GraphDialect::registerSequenceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Sequence.cpp.inc"
      >();
}
