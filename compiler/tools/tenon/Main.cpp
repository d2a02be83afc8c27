//===- Main.cpp - the driver ----------------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  setBugReportMsg("this is a bug in tenon; the model makes it reproducible\n");
  if (argc == 2 && StringRef(argv[1]) == "--support-table")
    return tenon::supportCommand();
  std::optional<tenon::Options> options = tenon::parseOptions(argc, argv);
  if (!options)
    return tenon::kSyntax;
  if (Error error = options->check()) {
    errs() << "tenon: " << toString(std::move(error)) << '\n';
    return tenon::kSyntax;
  }
  static int anchor;
  std::string tool = sys::fs::getMainExecutable(argv[0], &anchor);
  switch (options->command) {
  case tenon::Command::Compile:
    return tenon::compileCommand(*options, tool);
  case tenon::Command::Inspect:
    return tenon::inspectCommand(*options);
  case tenon::Command::Run:
    return tenon::runCommand(*options, tool);
  case tenon::Command::Export:
    return tenon::exportCommand(*options, tool);
  case tenon::Command::Verify:
    return tenon::verifyCommand(*options, tool);
  case tenon::Command::None:
    break;
  }
  errs() << "tenon: expected compile, inspect, run, verify or export; see "
            "tenon --help\n";
  return tenon::kSyntax;
}
