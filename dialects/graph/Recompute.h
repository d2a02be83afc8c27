//===- Recompute.h - what to keep and what to compute again ---------------===//

#ifndef TENON_DIALECTS_GRAPH_RECOMPUTE_H
#define TENON_DIALECTS_GRAPH_RECOMPUTE_H

#include "mlir/IR/Operation.h"

namespace tenon::graph {

/// On an op that computes again what another one does, with a number: what it
/// is lowered to is never merged with what the other one is lowered to.
inline constexpr llvm::StringLiteral kAgainAttr = "tenon.again";

/// Roughly what an op costs, in additions of single numbers.
double operationCost(mlir::Operation *op);

/// `repeated` are ops, in program order in one block, that compute again what
/// another place has computed before. Chooses which of their results are better
/// brought over from there: those that others use and that are dear to compute,
/// or what these are computed from where that is less. `mayKeep` says which
/// values can be brought over, `isUsed` which ops count as users.
llvm::SmallVector<mlir::Value>
chooseKept(llvm::ArrayRef<mlir::Operation *> repeated,
           llvm::function_ref<bool(mlir::Value)> mayKeep,
           llvm::function_ref<bool(mlir::Operation *)> isUsed);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_RECOMPUTE_H
