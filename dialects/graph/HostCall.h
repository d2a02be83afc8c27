//===- HostCall.h - ops that a function of the runtime does ---------------===//
//
// A family of such ops registers itself: RegisteredOperationName::insert.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_GRAPH_HOSTCALL_H
#define TENON_DIALECTS_GRAPH_HOSTCALL_H

#include "dialects/graph/Graph.h"

#include "dialects/graph/HostCall.h.inc"

namespace tenon::graph {

/// The families' ops, added to the dialect beside their definitions.
template <typename... Ops> void registerOps(GraphDialect &dialect) {
  (mlir::RegisteredOperationName::insert<Ops>(dialect), ...);
}

/// Lowers an op to `kernel.host_call` of the function that its interface
/// names.
llvm::LogicalResult lowerHostCall(mlir::Operation *op,
                                  LoweringContext &lowering);

/// Builds the call of a function of the runtime by hand: `inputs` are lowered
/// values, `types` the graph's element types of inputs and then results; all
/// results are written into `destinations`.
llvm::SmallVector<mlir::Value> callHost(
    LoweringContext &lowering, mlir::Location loc, llvm::StringRef function,
    llvm::ArrayRef<mlir::NamedAttribute> attributes, mlir::ValueRange inputs,
    mlir::ValueRange destinations, llvm::ArrayRef<mlir::Type> types);

/// A tensor of strings that the program holds.
mlir::Value lowerStrings(LoweringContext &lowering, mlir::Location loc,
                         mlir::RankedTensorType type,
                         mlir::DenseStringElementsAttr value);

/// Whether an op may have operands or results that are strings: it moves
/// elements without looking at them, or the runtime does it.
bool takesStrings(mlir::Operation *op);

/// One per family, defined beside its ops in ops/<Family>.cpp.
void registerStringOps(GraphDialect &dialect);
void registerHostOps(GraphDialect &dialect);
void registerSparseOps(GraphDialect &dialect);
void registerLinearAlgebraOps(GraphDialect &dialect);
void registerImageOps(GraphDialect &dialect);
void registerDistributionOps(GraphDialect &dialect);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_HOSTCALL_H
