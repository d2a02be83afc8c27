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

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_COMPILECONFIG_H
