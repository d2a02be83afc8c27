//===- FedBlocks.h - blocks and diagonals that only the run knows ---------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_FEDBLOCKS_H
#define TENON_FRONTEND_TENSORFLOW_OPS_FEDBLOCKS_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// Spatial dimensions of `input` cut into blocks of the sizes `block`, which go
/// to the batch, after zeros were put around by `borders`; the number of
/// spatial dimensions is known.
mlir::Value spaceToBatchAtRun(Binder &b, mlir::Value input, mlir::Value block,
                              mlir::Value borders);

/// The way back; `borders` are cut off in the end.
mlir::Value batchToSpaceAtRun(Binder &b, mlir::Value input, mlir::Value block,
                              mlir::Value borders);

/// Whether one of the inputs `first` to `last` of an operation on diagonals is
/// not known when the graph is compiled.
bool hasFedDiagonal(Binder &b, unsigned first, unsigned last);

/// One diagonal, whose number is input 1, of the matrices in input 0.
mlir::Value diagonalPartAtRun(Binder &b);

/// The matrices in input 0 with the diagonal in input 1, whose number is input
/// 2.
mlir::Value setDiagonalAtRun(Binder &b);

/// Matrices with the diagonal in input 0, whose number is input 1; inputs 2 to
/// 4 are rows, columns and padding.
mlir::Value diagonalAtRun(Binder &b);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_FEDBLOCKS_H
