#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define GET_OP_CLASSES
#include "dialects/graph/ops/Reduction.cpp.inc"

void GraphDialect::registerReductionOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Reduction.cpp.inc"
      >();
}
