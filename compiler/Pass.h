//===- Pass.h - a pass in one file ----------------------------------------===//
//
// A pass is one file: a struct over `PassBase` with its name and summary, and
// at the end of the file the function that makes it, `create<Name>Pass`. Its
// line in compiler/pipeline/Phases.def gives it its place and registers it
// with tenon-opt.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_PASS_H
#define TENON_COMPILER_PASS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

/// Base of `PassT`, a pass over `OpT` that makes ops of `Dialects`. PassT has
/// `kArgument` ("fold-shapes"), `kSummary`, and the explicit type id that MLIR
/// asks of classes in anonymous namespaces.
template <typename PassT, typename OpT, typename... Dialects>
struct PassBase : mlir::PassWrapper<PassT, mlir::OperationPass<OpT>> {
  llvm::StringRef getArgument() const final { return PassT::kArgument; }
  llvm::StringRef getDescription() const final { return PassT::kSummary; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<Dialects...>();
  }
};

/// A pass whose result depends on the CPU.
template <typename PassT, typename OpT, typename... Dialects>
struct CpuPassBase : PassBase<PassT, OpT, Dialects...> {
  CpuPassBase() = default;
  // The values of options are copied by mlir::Pass::clone.
  CpuPassBase(const CpuPassBase &other)
      : PassBase<PassT, OpT, Dialects...>(other) {}

  mlir::Pass::Option<std::string> triple{
      *this, "triple", llvm::cl::desc("LLVM's name of the platform"),
      llvm::cl::init("x86_64-linux-gnu")};
  mlir::Pass::Option<std::string> cpu{*this, "cpu",
                                      llvm::cl::desc("LLVM's name of the CPU"),
                                      llvm::cl::init("x86-64-v3")};
};

} // namespace tenon

#endif // TENON_COMPILER_PASS_H
