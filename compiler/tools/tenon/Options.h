//===- Options.h - the command line of tenon ------------------------------===//

#ifndef TENON_COMPILER_TOOLS_TENON_OPTIONS_H
#define TENON_COMPILER_TOOLS_TENON_OPTIONS_H

#include "compiler/backend/cpu/Emit.h"
#include "compiler/pipeline/Options.h"
#include "compiler/training/BuildTraining.h"
#include "frontend/Frontend.h"

#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// Status codes of the driver.
enum { kDone = 0, kFault = 1, kSyntax = 2 };

enum class Command { None, Compile, Inspect, Run, Verify, Export };

/// What the user typed, as plain values: the linker, which runs inside this
/// process, resets LLVM's options.
struct Options {
  Command command = Command::None;
  std::string model;
  std::vector<std::string> arguments; // of the program, for run and verify

  // How to read the model.
  std::vector<std::string> entries, shapes, specializations;
  std::string signature, format, loadWeights;
  std::optional<unsigned> batch;

  // How to train it.
  bool train = false;
  bool onlyExports = false; // what is minimized does not matter
  std::vector<std::string> losses, lossWeights, metrics;
  std::string optimizer, trainable;

  // How to compile it.
  std::string cpu, triple, precision, name;
  std::vector<std::string> cuda;
  unsigned optLevel = 2;
  bool fastMath = false, checkNumerics = false, debugInfo = false;
  uint64_t memoryBudget = 0;

  // What to write.
  std::string output, emit, weights, saveTemps;
  unsigned jobs = 0;
  bool timeReport = false, verbose = false, json = false;

  // What to compare.
  std::string reference, runEntry;
  double rtol = 0, atol = 0; // atol < 0: from the largest value

  /// The importer's options. An error is one of syntax.
  llvm::Expected<ImportOptions> getImportOptions() const;

  /// What --train asks for. An error is one of syntax.
  llvm::Expected<training::Request> getTrainingRequest() const;

  /// The compiler's options, all but the name.
  CompileOptions getCompileOptions() const;

  EmitOptions getEmitOptions() const;

  /// Checks values that LLVM's parser takes as any text. An error is one of
  /// syntax.
  llvm::Error check() const;

  /// A text that differs when any option of reading or compiling does.
  std::string describe() const;
};

/// Parses the command line. Returns none after printing an error of syntax.
std::optional<Options> parseOptions(int argc, char **argv);

} // namespace tenon

#endif // TENON_COMPILER_TOOLS_TENON_OPTIONS_H
