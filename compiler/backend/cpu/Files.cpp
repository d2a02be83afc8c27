//===- Files.cpp - temporary files, and outputs that appear whole ---------===//

#include "compiler/backend/cpu/Files.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace llvm;

namespace tenon {

static std::string getFolder(StringRef path) {
  StringRef folder = sys::path::parent_path(path);
  return folder.empty() ? "." : folder.str();
}

ScratchFile::~ScratchFile() {
  if (fd >= 0)
    ::close(fd);
}

Expected<ScratchFile> ScratchFile::createInMemory(StringRef contents) {
  ScratchFile file;
  file.fd = ::memfd_create("tenon", MFD_CLOEXEC);
  if (file.fd < 0)
    return createStringError("cannot make a temporary file: " +
                             sys::StrError());
  raw_fd_ostream stream(file.fd, /*shouldClose=*/false);
  stream << contents;
  stream.flush();
  if (stream.has_error()) {
    std::string message = stream.error().message();
    stream.clear_error();
    return createStringError("cannot write a temporary file: " + message);
  }
  return file;
}

Expected<ScratchFile> ScratchFile::createOnDisk(StringRef beside) {
  ScratchFile file;
  std::string folder = getFolder(beside);
  file.fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file.fd < 0) { // Not every file system has nameless files.
    std::string name = folder + "/.tenon-XXXXXX";
    file.fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (file.fd >= 0)
      ::unlink(name.c_str());
  }
  if (file.fd < 0)
    return createStringError("cannot make a temporary file in '" + folder +
                             "': " + sys::StrError());
  return file;
}

std::string ScratchFile::getPath() const {
  return "/proc/self/fd/" + std::to_string(fd);
}

Expected<OutputFile> OutputFile::create(StringRef path) {
  if (sys::fs::is_directory(path))
    return createStringError("cannot write '" + path + "': is a directory");
  OutputFile file;
  file.path = path.str();
  SmallString<128> unique;
  int fd = -1;
  // The random part keeps two compilations of one output apart.
  if (std::error_code code =
          sys::fs::createUniqueFile(path + ".tmp-%%%%%%%%", fd, unique))
    return createStringError("cannot write '" + path + "': " + code.message());
  ::close(fd);
  file.temporary = unique.str().str();
  sys::RemoveFileOnSignal(file.temporary);
  return file;
}

OutputFile::~OutputFile() {
  if (temporary.empty())
    return;
  sys::fs::remove(temporary);
  sys::DontRemoveFileOnSignal(temporary);
}

Error OutputFile::write(StringRef contents) {
  std::error_code code;
  raw_fd_ostream stream(temporary, code);
  if (!code) {
    stream << contents;
    stream.flush();
    code = stream.error();
    stream.clear_error();
  }
  if (code)
    return createStringError("cannot write '" + path + "': " + code.message());
  return Error::success();
}

Error OutputFile::commit() {
  if (std::error_code code = sys::fs::rename(temporary, path))
    return createStringError("cannot write '" + path + "': " + code.message());
  sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return Error::success();
}

} // namespace tenon
