//===- Layout.h - attributes of operations on images ----------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_LAYOUT_H
#define TENON_FRONTEND_TENSORFLOW_OPS_LAYOUT_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// Where batch, channels and spatial dimensions are ("NHWC", "NCHW", "NDHWC").
struct Layout {
  bool channelsFirst = false;
  int64_t rank = 4;

  int64_t channelAxis() const { return channelsFirst ? 1 : rank - 1; }
  int64_t firstSpatial() const { return channelsFirst ? 2 : 1; }
  int64_t spatialCount() const { return rank - 2; }
};

/// From attribute `data_format`, for tensors of `rank` dimensions.
Layout readLayout(Binder &binder, int64_t rank);

/// The spatial elements of a list with one element per dimension; fails when
/// those of batch and channels are not 1.
llvm::SmallVector<int64_t> spatialPart(Binder &binder, const Layout &layout,
                                       llvm::ArrayRef<int64_t> list,
                                       llvm::StringRef what);

/// The attributes of a window's movement: strides, dilations (when
/// `dilations`), padding and channels_first.
llvm::SmallVector<mlir::NamedAttribute>
movementAttributes(Binder &binder, const Layout &layout, bool dilations,
                   llvm::ArrayRef<int64_t> strides);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_LAYOUT_H
