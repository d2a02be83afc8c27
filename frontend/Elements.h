//===- Elements.h - tensors of a model file as attributes -----------------===//

#ifndef TENON_FRONTEND_ELEMENTS_H
#define TENON_FRONTEND_ELEMENTS_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"

#include <memory>

namespace tenon {

/// Little-endian elements in row-major order (one byte per bool; `splat`: one
/// element for all) as an attribute. Large ones stay where they are, as long as
/// `owner` lives, which the attribute holds; unaligned ones are copied.
mlir::ElementsAttr elementsFromBytes(mlir::RankedTensorType type,
                                     llvm::ArrayRef<char> bytes, bool splat,
                                     std::shared_ptr<const void> owner,
                                     llvm::StringRef name);

} // namespace tenon

#endif // TENON_FRONTEND_ELEMENTS_H
