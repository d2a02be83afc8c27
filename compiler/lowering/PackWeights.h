//===- PackWeights.h - constant weights in panels, at compile time --------===//

#ifndef TENON_COMPILER_LOWERING_PACKWEIGHTS_H
#define TENON_COMPILER_LOWERING_PACKWEIGHTS_H

#include "compiler/backend/cpu/Target.h"
#include "dialects/kernel/Kernel.h"

#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace tenon {

/// A `kernel.pack` of row-major weights in numbers. All dimensions at least 0.
struct PackGeometry {
  int64_t batches = 1;  // product of the batch dimensions
  int64_t groups = 1;   // at least 1
  int64_t window = 1;   // product of the window dimensions
  int64_t channels = 0; // Cg
  int64_t columns = 0;  // OCg, of one group
  int64_t panelWidth = kPanelWidth;
  bool pairs = false; // two channels by two
  bool transposed = false;
  bool reversed = false;

  /// Of a pack whose source has a static shape.
  static PackGeometry get(kernel::PackOp op);
  static PackGeometry get(llvm::ArrayRef<int64_t> sourceShape, int64_t spatial,
                          int64_t groups, bool transposed, bool reversed);

  int64_t getSourceElements() const;
  int64_t getPackedElements() const;
};

/// f32 as bf16, to nearest even.
std::vector<char> roundToBf16(llvm::ArrayRef<char> source);

/// Writes all panels of `source` (dense, row-major, `elementBytes` each; one
/// element alone is a splat) to `packed`, which holds getPackedElements() of
/// them. Every byte is written; the tails of last panels are zero.
void packWeights(llvm::ArrayRef<char> source, unsigned elementBytes,
                 const PackGeometry &geometry,
                 llvm::MutableArrayRef<char> packed);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_PACKWEIGHTS_H
