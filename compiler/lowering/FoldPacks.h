#ifndef TENON_COMPILER_LOWERING_FOLDPACKS_H
#define TENON_COMPILER_LOWERING_FOLDPACKS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tenon {

/// Writes the bytes of a global that `fold-packs` made: `how` is its
/// `tenon.pack` attribute, `type` its type.
void writePacked(mlir::DictionaryAttr how, mlir::MemRefType type,
                 llvm::MutableArrayRef<char> out);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_FOLDPACKS_H
