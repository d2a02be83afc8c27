#ifndef TENON_DIALECTS_GRAPH_OPS_CONTRACTIONSUPPORT_H
#define TENON_DIALECTS_GRAPH_OPS_CONTRACTIONSUPPORT_H

#include "dialects/graph/Graph.h"

namespace tenon::graph {

/// `source` (a lowered value) in the panels that kernel.contract reads; see
/// kernel.pack for the layouts.
mlir::Value packed(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source,
                   int64_t spatial, int64_t groups, bool transposeB,
                   bool reverse = false);

/// Fails with an op error when the first two operands have elements that
/// kernel.contract cannot multiply.
llvm::LogicalResult expectContractible(mlir::Operation *op);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_CONTRACTIONSUPPORT_H
