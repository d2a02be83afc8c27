//===- Link.h - objects to executables and libraries ----------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_LINK_H
#define TENON_COMPILER_BACKEND_CPU_LINK_H

#include "compiler/backend/cpu/Target.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace tenon {

struct LinkInputs {
  std::vector<std::string> objects; // paths
  std::string runtimeArchive;       // path of libtenon.a
  std::vector<std::string> exports; // what a shared library shows
  std::string soname;
  unsigned threads = 0;
  const Platform *platform = nullptr;
  bool keepDebugInfo = false; // in executables and shared libraries
};

/// Links a dynamic, position independent executable.
llvm::Error linkExecutable(const LinkInputs &inputs, const std::string &out);

/// Links a shared library that shows `exports` only and has the runtime inside.
llvm::Error linkSharedLibrary(const LinkInputs &inputs, const std::string &out);

/// Removes the description of the sections from an executable.
llvm::Error stripSections(const std::string &path);

/// Puts the objects together into one relocatable object.
llvm::Error linkObject(const LinkInputs &inputs, const std::string &out);

/// Links a shared object that shows all of `object`, for a program that has the
/// C library.
llvm::Error linkPlugin(const std::string &object, const std::string &out);

/// Makes every hidden global symbol that the object `path` defines a
/// local one, in place, so that no two objects can clash over them.
llvm::Error localizeHiddenSymbols(const std::string &path);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_LINK_H
