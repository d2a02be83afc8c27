//===- Run.cpp - tenon run ------------------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "llvm/BinaryFormat/Magic.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"

#include <unistd.h>

using namespace llvm;

namespace tenon {

/// Becomes the program.
static int execute(std::string program, std::vector<std::string> arguments,
                   const Options &options) {
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

int runCommand(const Options &options, StringRef tool) {
  std::string program = compileToCache(options.model, options, tool);
  return program.empty() ? kFault
                         : execute(program, options.arguments, options);
}

/// Training programs know how to write their weights; of a model one is made.
int exportCommand(const Options &options, StringRef tool) {
  file_magic magic;
  std::string program = options.model;
  if (!identify_magic(program, magic) &&
      (magic == file_magic::elf_executable ||
       magic == file_magic::elf_shared_object)) {
    SmallString<128> path(program); // as it stands, not one from PATH
    sys::fs::make_absolute(path);
    program = path.str().str();
  } else {
    Options training = options;
    training.train = training.onlyExports = true;
    program = compileToCache(options.model, training, tool);
  }
  std::vector<std::string> arguments = {"export"};
  append_range(arguments, options.arguments);
  return program.empty() ? kFault : execute(program, arguments, options);
}

} // namespace tenon
