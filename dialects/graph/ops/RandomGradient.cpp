// Random numbers depend on no other numbers: forward and backward see the same
// value.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Random.h"
#include "dialects/graph/ops/Sampling.h"

using namespace tenon::graph;

void tenon::graph::addRandomGradients(mlir::MLIRContext *context) {
  addZeroRules<RandomUniformOp, RandomNormalOp, RandomTruncatedNormalOp,
               RandomUniformIntOp, RandomKeyOp, RandomSkipOp,
               RandomPermutationOp>(context);
}
