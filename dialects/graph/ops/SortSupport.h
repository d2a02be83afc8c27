#ifndef TENON_DIALECTS_GRAPH_OPS_SORTSUPPORT_H
#define TENON_DIALECTS_GRAPH_OPS_SORTSUPPORT_H

#include "dialects/graph/LoweringContext.h"

namespace tenon::graph {

/// The numbers (i64, rows x size) of each row's elements in the order that
/// `before` (of two elements, to i1) gives; of equal ones the lower first.
/// `input` is rows x size. Whatever `before` says, every number is there once.
mlir::Value
sortRows(LoweringContext &lowering, mlir::Location loc, mlir::Value input,
         mlir::AffineExpr rows, mlir::AffineExpr size,
         llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                        mlir::Value, mlir::Value)>
             before);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_SORTSUPPORT_H
