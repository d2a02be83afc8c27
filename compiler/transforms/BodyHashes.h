#ifndef TENON_COMPILER_TRANSFORMS_BODYHASHES_H
#define TENON_COMPILER_TRANSFORMS_BODYHASHES_H

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// While it lives, linalg ops have an attribute that depends on their bodies.
/// MLIR's elimination of common subexpressions tells ops apart by a hash that
/// does not look into bodies: among thousands of elementwise ops of one tensor
/// it would compare each with each.
class BodyHashes {
public:
  explicit BodyHashes(mlir::ModuleOp module);
  ~BodyHashes();
  BodyHashes(const BodyHashes &) = delete;
  BodyHashes &operator=(const BodyHashes &) = delete;

private:
  mlir::ModuleOp module;
};

} // namespace tenon

#endif // TENON_COMPILER_TRANSFORMS_BODYHASHES_H
