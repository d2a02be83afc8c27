#ifndef TENON_DIALECTS_GRAPH_OPS_WINDOWSUPPORT_H
#define TENON_DIALECTS_GRAPH_OPS_WINDOWSUPPORT_H

#include "dialects/graph/LoweringSupport.h"

/// What convolutions and pooling share: layouts and the geometry of windows.
namespace tenon::graph {

/// A dimension's place: [N, spatial..., C] or [N, C, spatial...].
struct Layout {
  int64_t rank;
  bool channelsFirst;

  int64_t channels() const { return channelsFirst ? 1 : rank - 1; }
  int64_t spatial(int64_t i) const { return i + (channelsFirst ? 2 : 1); }
  /// The permutation that puts the channels last, and the one back.
  llvm::SmallVector<int64_t> toLast() const;
  llvm::SmallVector<int64_t> fromLast() const;
};

/// One spatial dimension of a window that moves over a tensor.
struct WindowDim {
  int64_t size = 1, stride = 1, dilation = 1;
  mlir::AffineExpr input, output;
  mlir::AffineExpr low; ///< padding before
  /// Elements from a window's first to its last.
  int64_t extent() const { return (size - 1) * dilation + 1; }
};

/// The attributes that windowed ops share.
struct WindowAttributes {
  llvm::ArrayRef<int64_t> window, strides, dilations;
  llvm::StringRef padding;
  llvm::ArrayRef<int64_t> explicitPadding;
};

/// Output sizes and padding of a window over `input` (sizes of the spatial
/// dimensions). Op errors for attributes that don't fit.
llvm::FailureOr<llvm::SmallVector<WindowDim>>
windowGeometry(mlir::Operation *op, ShapeContext &shapes,
               llvm::ArrayRef<mlir::AffineExpr> input,
               const WindowAttributes &attributes);

/// The low paddings as constants. Where one depends on sizes that the run
/// decides, `input` ([N, spatial..., C], dims in `dims`) is padded with `fill`
/// instead, and its padding becomes 0.
llvm::SmallVector<int64_t> constantPadding(LoweringContext &lowering,
                                           mlir::Location loc,
                                           mlir::Value &input, Dims &dims,
                                           llvm::ArrayRef<WindowDim> window,
                                           mlir::Attribute fill);

/// Per window dimension.
llvm::SmallVector<int64_t> sizesOf(llvm::ArrayRef<WindowDim> window);
llvm::SmallVector<int64_t> stridesOf(llvm::ArrayRef<WindowDim> window);
llvm::SmallVector<int64_t> dilationsOf(llvm::ArrayRef<WindowDim> window);

/// Dims, channels last, and back.
Dims permuted(llvm::ArrayRef<mlir::AffineExpr> dims,
              llvm::ArrayRef<int64_t> permutation);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_WINDOWSUPPORT_H
