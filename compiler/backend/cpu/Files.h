//===- Files.h - temporary files, and outputs that appear whole -----------===//

#ifndef TENON_COMPILER_BACKEND_CPU_FILES_H
#define TENON_COMPILER_BACKEND_CPU_FILES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace tenon {

/// A file without a name: it vanishes with the process, however that ends.
class ScratchFile {
public:
  ScratchFile() = default;
  ScratchFile(ScratchFile &&other) : fd(other.fd) { other.fd = -1; }
  ScratchFile &operator=(ScratchFile &&other) {
    std::swap(fd, other.fd);
    return *this;
  }
  ~ScratchFile();

  /// In memory, with the given contents.
  static llvm::Expected<ScratchFile> createInMemory(llvm::StringRef contents);

  /// On the disk, in the folder of the file `beside`.
  static llvm::Expected<ScratchFile> createOnDisk(llvm::StringRef beside);

  int getFd() const { return fd; }

  /// A path under which this process can open the file.
  std::string getPath() const;

private:
  int fd = -1;
};

/// An output file: written under a temporary name beside its final one, and
/// removed when the program fails or is interrupted before commit().
class OutputFile {
public:
  OutputFile() = default;
  OutputFile(OutputFile &&other) { *this = std::move(other); }
  OutputFile &operator=(OutputFile &&other) {
    std::swap(path, other.path);
    std::swap(temporary, other.temporary);
    return *this;
  }
  ~OutputFile();

  static llvm::Expected<OutputFile> create(llvm::StringRef path);

  const std::string &getTemporaryPath() const { return temporary; }

  llvm::Error write(llvm::StringRef contents);

  /// Gives the file its final name.
  llvm::Error commit();

private:
  std::string path, temporary;
};

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_FILES_H
