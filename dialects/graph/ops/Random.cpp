#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tenon::graph;

#define GET_OP_CLASSES
#include "dialects/graph/ops/Random.cpp.inc"

void GraphDialect::registerRandomOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Random.cpp.inc"
      >();
}
