#ifndef TENON_COMPILER_TRANSFORMS_FITBUDGET_H
#define TENON_COMPILER_TRANSFORMS_FITBUDGET_H

#include "llvm/ADT/StringRef.h"

namespace tenon {

/// On a module: the bytes that its entries should make do with.
inline constexpr llvm::StringLiteral kMemoryBudgetAttr = "tenon.memory_budget";
/// On a module: what is computed again for that, as strings.
inline constexpr llvm::StringLiteral kRecomputedAttr = "tenon.recomputed";

} // namespace tenon

#endif // TENON_COMPILER_TRANSFORMS_FITBUDGET_H
