#ifndef TENON_COMPILER_LOWERING_FOLDPACKS_H
#define TENON_COMPILER_LOWERING_FOLDPACKS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace tenon {

/// Writes the bytes of a global that `fold-packs` made: `how` is its
/// `tenon.pack` attribute, `type` its type.
void writePacked(mlir::DictionaryAttr how, mlir::MemRefType type,
                 llvm::MutableArrayRef<char> out);

/// The constant that a value is, as an attribute of the value's shape; looks
/// through reshapes, which move no element, and through rounding to bf16, which
/// is done when the weights are written. Null when there is none.
mlir::ElementsAttr constantOf(mlir::Value value);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_FOLDPACKS_H
