//===- Elements.h - TensorFlow's types and tensors in MLIR ----------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_ELEMENTS_H
#define TENON_FRONTEND_TENSORFLOW_ELEMENTS_H

#include "frontend/tensorflow/GraphModel.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tenon::tf {

/// Null for types that no tensor of a program has (resources, quantized).
/// References to variables have their variable's type.
mlir::Type elementTypeOf(DataType dtype, mlir::MLIRContext *context);

/// "float32", "bool": TensorFlow's name of an element type.
std::string typeName(mlir::Type elementType);

/// Small tensors are copied, large ones refer to the file's memory under the
/// name `name`.
mlir::ElementsAttr elementsOf(const TensorData &tensor, llvm::StringRef name,
                              mlir::MLIRContext *context);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_ELEMENTS_H
