#ifndef TENON_COMPILER_LOWERING_LOWERPACK_H
#define TENON_COMPILER_LOWERING_LOWERPACK_H

#include "compiler/lowering/KernelEmitter.h"

namespace tenon {

/// At most 16 columns of a matrix: where the first element lies, distances
/// between elements, how many.
struct PanelSource {
  mlir::Value pointer, channelStride, columnStride;
  mlir::Value channels, columns;
};

/// Writes them as a panel, [channels, width], or with `pairs` (of bf16,
/// an even number of channels) [channels / 2, width, 2]; missing columns
/// are zero. `byPoint`: without vectors.
void packPanel(KernelEmitter &e, mlir::Type element, const PanelSource &source,
               mlir::Value to, int64_t width, bool pairs, bool byPoint = false);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERPACK_H
