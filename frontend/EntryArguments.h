//===- EntryArguments.h - what the inputs of an entry point are -----------===//

#ifndef TENON_FRONTEND_ENTRYARGUMENTS_H
#define TENON_FRONTEND_ENTRYARGUMENTS_H

#include "dialects/graph/ShapeContext.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace tenon {

/// One argument while its entry is built.
struct EntryArgument {
  std::string name;
  mlir::Type elementType;
  llvm::SmallVector<int64_t> shape; // -1: unknown
  /// Of unknown sizes: equal ones are equal.
  llvm::SmallVector<std::string> labels;
  mlir::ElementsAttr byDefault = {}; // null: none
};

/// Begins the function `symbol` of an entry point at the module's end; the
/// builder then stands in it.
mlir::func::FuncOp startEntry(mlir::ModuleOp module, llvm::StringRef symbol,
                              llvm::ArrayRef<EntryArgument> arguments,
                              mlir::OpBuilder &builder,
                              graph::ShapeContext &shapes);

} // namespace tenon

#endif // TENON_FRONTEND_ENTRYARGUMENTS_H
