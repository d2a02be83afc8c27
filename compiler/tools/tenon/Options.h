//===- Options.h - the command line of tenon ------------------------------===//

#ifndef TENON_COMPILER_TOOLS_TENON_OPTIONS_H
#define TENON_COMPILER_TOOLS_TENON_OPTIONS_H

#include "compiler/backend/cpu/Emit.h"
#include "compiler/pipeline/Options.h"
#include "frontend/Frontend.h"

#include "llvm/Support/CommandLine.h"

namespace tenon {

/// Status codes of the driver.
enum { kDone = 0, kFault = 1, kSyntax = 2 };

/// All options. They live in one object that main makes, because LLVM's parser
/// wants them to exist before it runs and nothing else should see them.
class Options {
public:
  Options();

  llvm::cl::OptionCategory category;
  llvm::cl::SubCommand compile, inspect, run, verify;

  // The model, per subcommand.
  llvm::cl::opt<std::string> compileModel, inspectModel, runModel, verifyModel;
  llvm::cl::list<std::string> runArguments, verifyInputs;

  // How to read it.
  llvm::cl::list<std::string> entries, shapes;
  llvm::cl::opt<std::string> signature, format;
  llvm::cl::opt<unsigned> batch;

  // How to compile it.
  llvm::cl::opt<std::string> cpu, name;
  llvm::cl::opt<unsigned> optLevel;
  llvm::cl::opt<bool> fastMath;

  // What to write.
  llvm::cl::opt<std::string> output, emit, weights, saveTemps;
  llvm::cl::opt<unsigned> jobs;
  llvm::cl::opt<bool> timeReport, verbose, json;

  // What to compare.
  llvm::cl::opt<std::string> reference, runEntry;
  llvm::cl::opt<double> rtol, atol;

  /// The importer's options. An error is one of syntax.
  llvm::Expected<ImportOptions> getImportOptions() const;

  /// The compiler's options, all but the name.
  CompileOptions getCompileOptions() const;

  EmitOptions getEmitOptions() const;

  /// Checks values that LLVM's parser takes as any text. An error is one of
  /// syntax.
  llvm::Error check() const;

  /// A text that differs when any option of reading or compiling does.
  std::string describe() const;
};

} // namespace tenon

#endif // TENON_COMPILER_TOOLS_TENON_OPTIONS_H
