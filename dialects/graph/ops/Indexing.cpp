#include "dialects/graph/ops/Indexing.h"

using namespace mlir;
using namespace tenon::graph;

#define GET_OP_CLASSES
#include "dialects/graph/ops/Indexing.cpp.inc"

void GraphDialect::registerIndexingOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/ops/Indexing.cpp.inc"
      >();
}
