//===- Commands.h - the subcommands of tenon ------------------------------===//

#ifndef TENON_COMPILER_TOOLS_TENON_COMMANDS_H
#define TENON_COMPILER_TOOLS_TENON_COMMANDS_H

#include "compiler/tools/tenon/Options.h"

namespace tenon {

/// Each returns the status of the process. `tool` is the path of tenon itself.
int compileCommand(const Options &options, llvm::StringRef tool);
int inspectCommand(const Options &options);
int runCommand(const Options &options, llvm::StringRef tool);
int verifyCommand(const Options &options, llvm::StringRef tool);
int exportCommand(const Options &options, llvm::StringRef tool);

/// Prints the support table of README.md.
int supportCommand();

/// Values of --emit.
std::vector<llvm::StringRef> getOutputKinds();

/// Compiles `model` to the artifact `path`.
int compileTo(llvm::StringRef model, OutputKind kind, llvm::StringRef path,
              const Options &options, llvm::StringRef tool);

/// Compiles `model` to an executable in the cache, unless it is there already.
/// Returns its path; an empty one after printing an error.
std::string compileToCache(llvm::StringRef model, const Options &options,
                           llvm::StringRef tool);

} // namespace tenon

#endif // TENON_COMPILER_TOOLS_TENON_COMMANDS_H
