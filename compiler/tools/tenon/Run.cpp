//===- Run.cpp - tenon run ------------------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "llvm/Support/Errno.h"

#include <unistd.h>

using namespace llvm;

namespace tenon {

int runCommand(const Options &options, StringRef tool) {
  std::string program = compileToCache(options.model, options, tool);
  if (program.empty())
    return kFault;
  std::vector<std::string> arguments = options.arguments;
  std::vector<char *> pointers = {program.data()};
  for (std::string &argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  outs().flush();
  ::execv(program.c_str(), pointers.data());
  errs() << options.model << ": error: cannot run '" << program
         << "': " << sys::StrError() << '\n';
  return kFault;
}

} // namespace tenon
