//===- BackendTest.h - models made by hand for the backend's tests --------===//

#ifndef TENON_TEST_COMPILER_BACKEND_CPU_BACKENDTEST_H
#define TENON_TEST_COMPILER_BACKEND_CPU_BACKENDTEST_H

#include "compiler/backend/cpu/Artifact.h"
#include "compiler/backend/cpu/Emit.h"

#include <gtest/gtest.h>

#include <string>

/// A folder of its own for each test, gone at its end.
class BackendTest : public testing::Test {
protected:
  BackendTest();
  ~BackendTest() override;

  /// y = a * x + w over 4 floats, with w from the weights: one static entry
  /// "main" and a dynamic one "scale", for x86-64-v2 and v3.
  tenon::ArtifactSpec makeSaxpy(std::string name, float weight);

  /// Parses modules in the LLVM dialect.
  mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &text);

  /// Writes the artifact to <folder>/<file>; returns the error's text.
  std::string emit(tenon::ArtifactSpec &spec, tenon::OutputKind kind,
                   const std::string &file, tenon::EmitOptions options = {});

  void writeFile(const std::string &file, const std::string &contents);
  std::string readFile(const std::string &file);

  /// Runs a shell command in the folder; returns its output, then "[status]"
  /// when the status is not 0.
  std::string run(const std::string &command);

  mlir::MLIRContext context;
  std::string folder;
};

#endif // TENON_TEST_COMPILER_BACKEND_CPU_BACKENDTEST_H
