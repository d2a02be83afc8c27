//===- FileMapping.h - a file's bytes in memory ---------------------------===//

#ifndef TENON_FRONTEND_FILEMAPPING_H
#define TENON_FRONTEND_FILEMAPPING_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace tenon {

/// The bytes of a file, mapped when it is large. Tensors that point into it
/// share the ownership.
using FileMapping = std::shared_ptr<const llvm::MemoryBuffer>;

inline llvm::Expected<FileMapping> mapFile(const llvm::Twine &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError("cannot read '" + path +
                                   "': " + buffer.getError().message());
  return FileMapping(std::move(*buffer));
}

} // namespace tenon

#endif // TENON_FRONTEND_FILEMAPPING_H
