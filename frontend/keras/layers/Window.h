//===- Window.h - attributes of layers with windows -----------------------===//

#ifndef TENON_FRONTEND_KERAS_LAYERS_WINDOW_H
#define TENON_FRONTEND_KERAS_LAYERS_WINDOW_H

#include "frontend/keras/Call.h"

namespace tenon::keras {

/// Padding, strides, dilations and layout of a layer over `spatial`
/// dimensions, from its configuration.
struct Window {
  Window(Call &c, int64_t spatial);

  int64_t channelAxis() const { return channelsFirst ? 1 : spatial + 1; }
  int64_t firstSpatial() const { return channelsFirst ? 2 : 1; }
  /// Attributes for the ops on windows; `kernel` is for causal padding.
  llvm::SmallVector<mlir::NamedAttribute>
  attributes(Call &c, llvm::ArrayRef<int64_t> kernel, bool dilated) const;

  int64_t spatial;
  bool channelsFirst;
  llvm::SmallVector<int64_t> strides, dilations;
  std::string padding;
};

/// Sizes from configuration `key`, all at least 1.
llvm::SmallVector<int64_t> windowSizes(Call &c, llvm::StringRef key,
                                       size_t count);

/// Adds `bias` along the channels; null: nothing to add.
Tensor addBias(Tensor x, Tensor bias, int64_t channelAxis);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_LAYERS_WINDOW_H
