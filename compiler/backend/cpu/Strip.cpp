//===- Strip.cpp - executables without what only linkers read -------------===//
//
// A program is loaded by its segments; the description of its sections, which
// follows them in the file, is longer than a small model's code.
//
//===----------------------------------------------------------------------===//

#include "compiler/backend/cpu/Link.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"

#include <unistd.h>

using namespace llvm;
using namespace llvm::ELF;

namespace tenon {

Error stripSections(const std::string &path) {
  Expected<sys::fs::file_t> file = sys::fs::openNativeFileForReadWrite(
      path, sys::fs::CD_OpenExisting, sys::fs::OF_None);
  if (!file)
    return file.takeError();
  auto transfer = [&](auto function, auto *value, uint64_t offset) {
    return function(*file, value, sizeof *value, offset) ==
           ssize_t(sizeof *value);
  };
  Elf64_Ehdr header;
  uint64_t end = 0; // of the segments
  bool done = transfer(::pread, &header, 0);
  for (unsigned i = 0; done && i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    done = transfer(::pread, &segment, header.e_phoff + i * sizeof segment);
    end = std::max(end, segment.p_offset + segment.p_filesz);
  }
  header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
  done = done && transfer(::pwrite, &header, 0) && !::ftruncate(*file, end);
  std::error_code code = errnoAsErrorCode();
  sys::fs::closeFile(*file);
  return done ? Error::success()
              : createStringError(code, "cannot change '" + path + "'");
}

} // namespace tenon
