//===- FedWindows.h - windows that only the run knows ---------------------===//
//
// Also convolutions of an unknown number of channels, which says how many
// groups there are.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_FEDWINDOWS_H
#define TENON_FRONTEND_TENSORFLOW_OPS_FEDWINDOWS_H

#include "frontend/tensorflow/ops/Layout.h"

namespace tenon::tf {

/// Whether a size of the filter's window is not known when the graph is
/// compiled.
bool hasFedWindow(Binder &b, mlir::Value filter);

/// A convolution as a product of patches, which are gathered, with the filter;
/// of each channel by itself if `depthwise`.
mlir::Value convolutionAtRun(Binder &b, const Layout &layout, bool depthwise);

/// The maximum of windows; inputs: images, sizes of the window, strides, one
/// for each dimension.
mlir::Value maxPoolAtRun(Binder &b, const Layout &layout);

/// The gradient of a convolution's filter, whose sizes are input 1; the other
/// inputs are images and the gradient of what they became.
mlir::Value filterGradientAtRun(Binder &b, const Layout &layout);

/// The gradient of a convolution's images, whose sizes are input 0; the other
/// inputs are the filter and the gradient of what they became.
mlir::Value inputGradientAtRun(Binder &b, const Layout &layout);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_FEDWINDOWS_H
