//===- Variables.h - reading and writing variables ------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_VARIABLES_H
#define TENON_FRONTEND_TENSORFLOW_OPS_VARIABLES_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// The value of a variable here; null after a failure.
mlir::Value readVariable(Binder &binder, const ImportedValue &variable);

/// Gives a variable a value; fails when the element type is another one. What
/// was read from a reference to it changes, too.
void assignVariable(Binder &binder, const ImportedValue &variable,
                    mlir::Value value);

/// A reference operation's result is the variable again.
void setReference(Binder &binder, const ImportedValue &variable);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_VARIABLES_H
