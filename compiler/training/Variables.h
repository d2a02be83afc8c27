//===- Variables.h - variables that training adds to a model --------------===//

#ifndef TENON_COMPILER_TRAINING_VARIABLES_H
#define TENON_COMPILER_TRAINING_VARIABLES_H

#include "dialects/graph/Expression.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace tenon::training {

/// A variable of a module, by its symbol.
struct Variable {
  mlir::StringAttr symbol;
  mlir::RankedTensorType type;
};

/// The variables of a module.
class Variables {
public:
  explicit Variables(mlir::ModuleOp module) : symbols(module) {}

  /// A new variable that starts as `initial` everywhere; one that was declared
  /// under this name before is given back.
  Variable declare(llvm::StringRef name, mlir::RankedTensorType type,
                   double initial = 0);
  Variable declare(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                   mlir::Type element, double initial = 0) {
    return declare(name, mlir::RankedTensorType::get(shape, element), initial);
  }
  /// A new variable with a first value, which takes another name if its own is
  /// taken.
  Variable declare(llvm::StringRef name, mlir::ElementsAttr initial);

  static graph::Tensor read(graph::GraphBuilder &b, Variable variable);
  static void assign(graph::GraphBuilder &b, Variable variable,
                     graph::Tensor value);

private:
  mlir::SymbolTable symbols;
};

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_VARIABLES_H
