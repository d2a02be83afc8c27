//===- ZipReader.h - the entries of a zip archive -------------------------===//

#ifndef TENON_FRONTEND_KERAS_ZIPREADER_H
#define TENON_FRONTEND_KERAS_ZIPREADER_H

#include "frontend/keras/Bytes.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <string>

namespace tenon::keras {

/// A zip archive: stored and deflated entries, also of more than 4 GiB.
class ZipArchive {
public:
  /// Reads the directory. Errors: not a zip archive, places outside the file,
  /// several entries of one name, encrypted or split archives.
  static llvm::Expected<ZipArchive> open(Bytes file);

  bool has(llvm::StringRef name) const { return entries.count(name.str()); }

  /// The contents of an entry: the file's own memory when it is stored.
  /// Errors: no such entry, a wrong checksum, an entry that expands to more
  /// than a hundred times its size and more than 1 GiB.
  llvm::Expected<Bytes> read(llvm::StringRef name) const;

private:
  struct Entry {
    uint64_t header = 0, packed = 0, size = 0;
    uint32_t checksum = 0;
    uint16_t method = 0;
  };
  llvm::Error readDirectory(uint64_t begin, uint64_t size, uint64_t count);

  Bytes file;
  std::map<std::string, Entry> entries;
};

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_ZIPREADER_H
