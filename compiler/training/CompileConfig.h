//===- CompileConfig.h - what a Keras file asks for in training -----------===//

#ifndef TENON_COMPILER_TRAINING_COMPILECONFIG_H
#define TENON_COMPILER_TRAINING_COMPILECONFIG_H

#include "compiler/training/BuildTraining.h"

#include "llvm/Support/JSON.h"

namespace tenon::training {

/// A serialized object of Keras: a name, `{"class_name", "config"}`, or a
/// number, list or null inside of one.
Call toCall(const llvm::json::Value &value);

/// The request in `compile_config` (or `training_config` of an .h5 file), of a
/// model with these outputs. An error when it is not what Keras writes.
llvm::Expected<Request> readCompileConfig(llvm::StringRef json,
                                          llvm::ArrayRef<std::string> outputs);

/// The configuration of a model, with another optimizer in its compile
/// settings: Keras gives the optimizer's values in a file to the one that is
/// named there. Without compile settings it stays as it is; it loses them where
/// Keras has no such optimizer.
std::string withOptimizer(llvm::StringRef config, const Call &optimizer);

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_COMPILECONFIG_H
