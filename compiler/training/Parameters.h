//===- Parameters.h - what of a model is trained --------------------------===//

#ifndef TENON_COMPILER_TRAINING_PARAMETERS_H
#define TENON_COMPILER_TRAINING_PARAMETERS_H

#include "compiler/training/Variables.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace tenon::training {

/// The variables that `forward` reads and that are trainable (all of floats
/// when none is marked so), in the order of the reads. `pattern`, a regular
/// expression, keeps those in whose name it finds a match; in a model without
/// variables it names constants, which become variables of the module. An error
/// when nothing is left.
llvm::Expected<llvm::SmallVector<Variable>>
chooseParameters(mlir::ModuleOp module, mlir::func::FuncOp forward,
                 Variables &variables, llvm::StringRef pattern);

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_PARAMETERS_H
