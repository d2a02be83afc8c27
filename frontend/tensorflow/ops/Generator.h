//===- Generator.h - what stateful operations draw from -------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_GENERATOR_H
#define TENON_FRONTEND_TENSORFLOW_OPS_GENERATOR_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// Of keys and counters: unsigned, of 64 bits.
mlir::Type wordType(Binder &b);

/// The generator of a stateful operation is a variable of the model: the count
/// of blocks that it has used, whose upper half is the second seed. Without
/// seeds it is the count that no two starts share.
class Generator {
public:
  /// By the operation's attributes seed and seed2.
  explicit Generator(Binder &b);

  mlir::Value key, counter; // null when the binder has failed

  /// What the next call starts from.
  void set(mlir::Value next);
  /// The next call starts behind the numbers of a tensor of this shape.
  void skip(mlir::Value shape);

private:
  Binder &b;
  llvm::SmallVector<mlir::NamedAttribute, 1> variable;
};

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_GENERATOR_H
