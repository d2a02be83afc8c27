//===- Images.h - functions of images -------------------------------------===//

#ifndef TENON_FRONTEND_KERAS_LAYERS_IMAGES_H
#define TENON_FRONTEND_KERAS_LAYERS_IMAGES_H

#include "frontend/keras/Call.h"

namespace tenon::keras {

/// Images [N, H, W, C] of another size (two integers), as keras.ops.image
/// does it: "nearest", "bilinear" or "bicubic". The last two give floats.
Tensor resizeImages(Call &c, Tensor images, Tensor size, llvm::StringRef mode);

/// Numbers that may be nested in lists: elements and shape. False when lists
/// have different sizes or hold something else.
bool readArray(const llvm::json::Value &value,
               llvm::SmallVectorImpl<double> &elements,
               llvm::SmallVectorImpl<int64_t> &shape, unsigned depth = 0);

/// Each element `times` times along an axis.
Tensor repeat(Tensor x, int64_t axis, int64_t times);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_LAYERS_IMAGES_H
