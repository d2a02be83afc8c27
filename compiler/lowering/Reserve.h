#ifndef TENON_COMPILER_LOWERING_RESERVE_H
#define TENON_COMPILER_LOWERING_RESERVE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tenon {

/// Adds the function that says how much memory a call of `entry` needs, as a
/// function of its dimensions (kReserveAttr): what `total`, which follows from
/// them, is in the entry; `fixedBytes` where that is null.
void addReserve(mlir::func::FuncOp entry, mlir::Value total,
                int64_t fixedBytes);

/// Whether the entry only calls the version of it that fits.
bool choosesVersion(mlir::func::FuncOp entry);

/// The same for such an entry, whose versions have theirs.
void addReserveOfChoice(mlir::func::FuncOp entry);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_RESERVE_H
