//===- ModuleFile.h - modules of the graph dialect as files ---------------===//
//
// A module is written as MLIR text or bytecode without its large constants.
// Those go to <stem>.weights beside it, in the format of external weights (a
// page with a header, then the data, 64-aligned); the module's attribute
// `graph.weights` names the file and says where in it each constant stands.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_TOOLS_TENON_MODULEFILE_H
#define TENON_COMPILER_TOOLS_TENON_MODULEFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace tenon {

/// Whether the contents of `path` look like MLIR, text or bytecode.
bool isModuleFile(llvm::StringRef path);

/// Reads a module and maps its weights, which then are checked against the
/// sizes that the module wants. Errors go to the context's diagnostics and make
/// the result null.
mlir::OwningOpRef<mlir::ModuleOp> readModuleFile(llvm::StringRef path,
                                                 mlir::MLIRContext &context);

/// Writes `module` to `path`, and to <stem>.weights if it has large constants.
llvm::Error writeModuleFile(mlir::ModuleOp module, llvm::StringRef path,
                            bool bytecode);

} // namespace tenon

#endif // TENON_COMPILER_TOOLS_TENON_MODULEFILE_H
