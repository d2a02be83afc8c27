//===- Bytes.h - a stretch of a file in memory ----------------------------===//

#ifndef TENON_FRONTEND_KERAS_BYTES_H
#define TENON_FRONTEND_KERAS_BYTES_H

#include "llvm/ADT/StringRef.h"

#include <memory>

namespace tenon::keras {

/// Bytes and what keeps them alive.
struct Bytes {
  llvm::StringRef data;
  std::shared_ptr<const void> owner;
};

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_BYTES_H
