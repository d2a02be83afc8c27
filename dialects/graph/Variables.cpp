#include "dialects/graph/Variables.h"

#include <mutex>
#include <shared_mutex>

using namespace mlir;

namespace tenon::graph {

namespace {
struct Table {
  unsigned users = 0;
  llvm::DenseMap<StringAttr, Operation *> variables;
};

/// The tables of all modules that have one; functions of a module are worked on
/// by several threads.
struct Tables {
  std::shared_mutex mutex;
  llvm::DenseMap<Operation *, Table> tables;
};

Tables &getTables() {
  static Tables tables;
  return tables;
}

/// Variables stand before functions, a new one behind the others.
VariableOp searchBackwards(ModuleOp module, StringAttr name) {
  for (Operation &op : llvm::reverse(*module.getBody()))
    if (auto variable = dyn_cast<VariableOp>(op);
        variable && variable.getSymNameAttr() == name)
      return variable;
  return {};
}
} // namespace

VariableTable::VariableTable(ModuleOp module) : module(module) {
  Tables &all = getTables();
  std::unique_lock lock(all.mutex);
  Table &table = all.tables[module];
  if (table.users++)
    return;
  for (auto variable : module.getOps<VariableOp>())
    table.variables[variable.getSymNameAttr()] = variable;
}

VariableTable::~VariableTable() {
  Tables &all = getTables();
  std::unique_lock lock(all.mutex);
  auto table = all.tables.find(module);
  if (--table->second.users == 0)
    all.tables.erase(table);
}

VariableOp findVariable(Operation *from, StringAttr name) {
  auto module = dyn_cast<ModuleOp>(from);
  if (!module)
    module = from->getParentOfType<ModuleOp>();
  if (!module)
    return {};
  Tables &all = getTables();
  {
    std::shared_lock lock(all.mutex);
    auto table = all.tables.find(module);
    if (table == all.tables.end())
      return searchBackwards(module, name);
    if (Operation *known = table->second.variables.lookup(name))
      return cast<VariableOp>(known);
  }
  VariableOp variable = searchBackwards(module, name);
  std::unique_lock lock(all.mutex);
  if (auto table = all.tables.find(module);
      variable && table != all.tables.end())
    table->second.variables[name] = variable;
  return variable;
}

} // namespace tenon::graph
