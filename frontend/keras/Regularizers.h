//===- Regularizers.h - what weights and outputs add to the loss ----------===//

#ifndef TENON_FRONTEND_KERAS_REGULARIZERS_H
#define TENON_FRONTEND_KERAS_REGULARIZERS_H

#include "frontend/keras/Formulas.h"
#include "frontend/keras/Layer.h"

namespace tenon::keras {

/// The penalty of a regularizer of Keras (L1, L2, L1L2, OrthogonalRegularizer,
/// by name or as a serialized object), a scalar; null with a text in `problem`
/// when there is no such regularizer.
Tensor penalty(Tensor x, const llvm::json::Value &regularizer,
               std::string &problem);

/// What configuration says about a weight in `<name>_SUFFIX`, "regularizer" or
/// "constraint"; null when it says nothing.
const llvm::json::Value *settingOf(const Layer &layer, const Weight &weight,
                                   llvm::StringRef suffix);

/// A serialized object as Keras would write its construction:
/// `MaxNorm(axis=0,max_value=2)`.
std::string asCall(const llvm::json::Value &value);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_REGULARIZERS_H
