//===- Main.cpp - the driver ----------------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;

static void printVersion(raw_ostream &os) {
  os << "tenon " TENON_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  setBugReportMsg("this is a bug in tenon; the model makes it reproducible\n");
  tenon::Options options;
  cl::SubCommand *subs[] = {&cl::SubCommand::getTopLevel(), &options.compile,
                            &options.inspect, &options.run, &options.verify};
  for (cl::SubCommand *sub : subs)
    cl::HideUnrelatedOptions(options.category, *sub);
  cl::SetVersionPrinter(printVersion);
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "tenon: compiles a model file ahead of time into a native program\n",
          &errs()))
    return tenon::kSyntax;
  if (Error error = options.check()) {
    errs() << "tenon: " << toString(std::move(error)) << '\n';
    return tenon::kSyntax;
  }
  static int anchor;
  std::string tool = sys::fs::getMainExecutable(argv[0], &anchor);
  if (options.compile)
    return tenon::compileCommand(options, tool);
  if (options.inspect)
    return tenon::inspectCommand(options);
  if (options.run)
    return tenon::runCommand(options, tool);
  if (options.verify)
    return tenon::verifyCommand(options, tool);
  errs() << "tenon: expected compile, inspect, run or verify; see tenon "
            "--help\n";
  return tenon::kSyntax;
}
