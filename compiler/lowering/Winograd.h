//===- Winograd.h - convolutions of 3 by 3 with fewer products ------------===//
//
// Winograd's F(m x m, 3 x 3): with matrices A, B and G, m by m places of a
// convolution are A^T [(G w G^T) * (B^T d B)] A, where w is the filter, d are
// the m+2 by m+2 numbers of the input that the places see, and * multiplies
// element by element (and sums over channels).
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_LOWERING_WINOGRAD_H
#define TENON_COMPILER_LOWERING_WINOGRAD_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace tenon {

/// The module's attribute with which the user said that NaN, Inf and the order
/// of sums do not matter.
inline constexpr llvm::StringLiteral kFastMathAttr = "tenon.fast_math";

using WinogradMatrix = llvm::SmallVector<llvm::SmallVector<double>>;

struct Winograd {
  WinogradMatrix input;  // B^T, m+2 by m+2
  WinogradMatrix filter; // G, m+2 by 3
  WinogradMatrix output; // A^T, m by m+2

  /// Of tiles of m by m, 2 or 4.
  static const Winograd &get(int64_t tile);
};

/// Bytes of the stack that the input of some tiles and the sums of a unit of
/// columns take.
inline constexpr int64_t kWinogradBytes = 384 << 10;

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_WINOGRAD_H
