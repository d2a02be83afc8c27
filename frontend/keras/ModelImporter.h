//===- ModelImporter.h - a Keras model becomes a module -------------------===//

#ifndef TENON_FRONTEND_KERAS_MODELIMPORTER_H
#define TENON_FRONTEND_KERAS_MODELIMPORTER_H

#include "frontend/keras/Layer.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tenon::keras {

/// Translates `model` to a module with the entry point `main`, which does what
/// Model.predict does; null after errors were reported to the context.
mlir::OwningOpRef<mlir::ModuleOp> importModel(KerasModel &model,
                                              const ImportOptions &options,
                                              mlir::MLIRContext &context);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_MODELIMPORTER_H
