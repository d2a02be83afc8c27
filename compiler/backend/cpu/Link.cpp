//===- Link.cpp - objects to executables and libraries --------------------===//

#include "compiler/backend/cpu/Link.h"

#include "compiler/backend/cpu/Files.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace tenon {

namespace {

/// Where Debian, Fedora, Arch and openSUSE keep libc's files.
constexpr const char *kLibraryFolders[] = {"/usr/lib/x86_64-linux-gnu",
                                           "/lib/x86_64-linux-gnu",
                                           "/usr/lib64",
                                           "/lib64",
                                           "/usr/lib",
                                           "/lib"};

std::string listFolders() {
  return join(std::begin(kLibraryFolders), std::end(kLibraryFolders), ", ");
}

/// Empty when no folder has the file.
std::string findLibraryFile(StringRef name) {
  for (const char *folder : kLibraryFolders) {
    SmallString<128> path(folder);
    sys::path::append(path, name);
    if (sys::fs::exists(path))
      return path.str().str();
  }
  return {};
}

Error runLinker(std::vector<std::string> arguments, unsigned threads) {
  arguments.insert(arguments.begin(), "ld.lld");
  if (threads)
    arguments.push_back("--threads=" + std::to_string(threads));
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result =
      lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return Error::success();
  return createStringError("linking failed: " +
                           StringRef(messages).trim().str());
}

/// What the executable and the library have in common.
Expected<std::vector<std::string>> makeArguments(const LinkInputs &inputs,
                                                 const std::string &out) {
  if (!sys::fs::exists(inputs.runtimeArchive))
    return createStringError("Tenon's runtime library was not found at '" +
                             inputs.runtimeArchive + "'");
  std::vector<std::string> arguments = {"-o",
                                        out,
                                        "-m",
                                        inputs.platform->linkerName,
                                        "-z",
                                        "relro",
                                        "-z",
                                        "now",
                                        "-z",
                                        "noexecstack",
                                        "--as-needed",
                                        "--gc-sections",
                                        "--icf=all",
                                        "-O2", // strings that end others, too
                                        "--hash-style=gnu",
                                        "--build-id=none"};
  if (!inputs.keepDebugInfo)
    arguments.push_back("-s");
  return arguments;
}

/// The C library by its run-time names: development files are not needed. The
/// loader is among them for thread-local variables.
Error addLibraries(std::vector<std::string> &arguments) {
#ifdef TENON_SANITIZER_LIBRARY // what a runtime built with checks calls
  arguments.insert(arguments.end(),
                   {TENON_SANITIZER_LIBRARY, "-rpath",
                    sys::path::parent_path(TENON_SANITIZER_LIBRARY).str()});
#endif
  for (const char *name : {"libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2"}) {
    std::string path = findLibraryFile(name);
    if (path.empty())
      return createStringError(Twine("the C library's ") + name +
                               " was not found in " + listFolders());
    arguments.push_back(path);
  }
  return Error::success();
}

} // namespace

Error linkExecutable(const LinkInputs &inputs, const std::string &out) {
  Expected<std::vector<std::string>> arguments = makeArguments(inputs, out);
  if (!arguments)
    return arguments.takeError();
  arguments->insert(arguments->end(),
                    {"-pie", "-e", "tenon_start", "-dynamic-linker",
                     "/lib64/ld-linux-x86-64.so.2"});
  llvm::append_range(*arguments, inputs.objects);
  arguments->push_back(inputs.runtimeArchive);
  if (Error error = addLibraries(*arguments))
    return error;
  if (Error error = runLinker(std::move(*arguments), inputs.threads))
    return error;
  return inputs.keepDebugInfo ? Error::success() : stripSections(out);
}

Error linkSharedLibrary(const LinkInputs &inputs, const std::string &out) {
  Expected<std::vector<std::string>> arguments = makeArguments(inputs, out);
  if (!arguments)
    return arguments.takeError();
  std::string script =
      "{ global: " + join(inputs.exports, "; ") + "; local: *; };\n";
  Expected<ScratchFile> scriptFile = ScratchFile::createInMemory(script);
  if (!scriptFile)
    return scriptFile.takeError();
  arguments->insert(arguments->end(),
                    {"-shared", "-z", "defs", "-soname", inputs.soname,
                     "--version-script", scriptFile->getPath()});
  llvm::append_range(*arguments, inputs.objects);
  arguments->push_back(inputs.runtimeArchive);
  if (Error error = addLibraries(*arguments))
    return error;
  return runLinker(std::move(*arguments), inputs.threads);
}

Error linkObject(const LinkInputs &inputs, const std::string &out) {
  std::vector<std::string> arguments = {"-r", "-m", inputs.platform->linkerName,
                                        "-o", out};
  llvm::append_range(arguments, inputs.objects);
  return runLinker(std::move(arguments), inputs.threads);
}

Error linkPlugin(const std::string &object, const std::string &out) {
  std::vector<std::string> arguments = {"-shared", "-o", out, object};
  if (Error error = addLibraries(arguments))
    return error;
  return runLinker(std::move(arguments), 0);
}

} // namespace tenon
