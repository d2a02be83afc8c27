//===- Model.h - model files and diagnostics, for all subcommands ---------===//

#ifndef TENON_COMPILER_TOOLS_TENON_MODEL_H
#define TENON_COMPILER_TOOLS_TENON_MODEL_H

#include "compiler/tools/tenon/Options.h"

#include "mlir/IR/MLIRContext.h"

namespace tenon {

/// A model as a module of the graph dialect, with the context that it lives in.
/// Errors are printed as "MODEL: error: ...".
class Model {
public:
  /// Reads the model file `path` and adds training to it when that is asked
  /// for; the result's module is null on failure.
  Model(llvm::StringRef path, const ImportOptions &import,
        const Options &options);

  Model(const Model &) = delete;

  explicit operator bool() const { return bool(module); }
  mlir::ModuleOp getModule() { return *module; }
  const std::string &getPath() const { return path; }

  /// Prints "MODEL: error: `error`" and returns kFault.
  int fail(llvm::Error error);

  /// The model's name: that of the file or folder, without its suffix.
  static std::string getName(llvm::StringRef path);

private:
  void read(const ImportOptions &import);
  void print(mlir::Diagnostic &diagnostic);

  std::string path;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace tenon

#endif // TENON_COMPILER_TOOLS_TENON_MODEL_H
