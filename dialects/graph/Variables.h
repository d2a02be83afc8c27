#ifndef TENON_DIALECTS_GRAPH_VARIABLES_H
#define TENON_DIALECTS_GRAPH_VARIABLES_H

#include "dialects/graph/ops/State.h"
#include "mlir/IR/BuiltinOps.h"

namespace tenon::graph {

/// While one lives, variables of the module are found in a table: looking
/// through a module for each of thousands takes quadratic time. Nothing may
/// erase or rename a variable meanwhile; new ones are found.
class VariableTable {
public:
  explicit VariableTable(mlir::ModuleOp module);
  ~VariableTable();
  VariableTable(const VariableTable &) = delete;
  VariableTable &operator=(const VariableTable &) = delete;

private:
  mlir::Operation *module;
};

/// The variable of this name in the module that `from` is in; null when there
/// is none.
VariableOp findVariable(mlir::Operation *from, mlir::StringAttr name);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_VARIABLES_H
