//===- KernelEpilogue.h - what happens to a finished element --------------===//

#ifndef TENON_COMPILER_LOWERING_KERNELEPILOGUE_H
#define TENON_COMPILER_LOWERING_KERNELEPILOGUE_H

#include "compiler/lowering/KernelEmitter.h"
#include "mlir/IR/AffineMap.h"

namespace tenon {

/// A place in the destination: dimensions before the rows, the row (its index
/// over all row dimensions), and the first column of a vector.
struct ElementPosition {
  llvm::SmallVector<mlir::Value> outer;
  mlir::Value row;
  mlir::Value column;
};

/// Applies the body of a kernel op and stores the result.
class KernelEpilogue {
public:
  /// Dimensions [firstRow, rank - 1) of `destination` are the rows, the last
  /// one the columns.
  KernelEpilogue(KernelEmitter &e, mlir::Block &body, mlir::ValueRange operands,
                 mlir::ArrayAttr maps, mlir::Value destination,
                 int64_t firstRow);

  /// Finishes `lanes` columns from `value`; `mask` limits them.
  void store(mlir::Value value, const ElementPosition &position, int64_t lanes,
             mlir::Value mask);

  /// Rough number of instructions for one vector.
  unsigned getCost() const;

  const Buffer &getDestination() const { return destination; }

private:
  mlir::Value offsetOf(const Buffer &buffer, mlir::AffineMap map,
                       const ElementPosition &position);

  KernelEmitter &e;
  mlir::Block &body;
  llvm::SmallVector<mlir::Value> scalars; // null where there is a buffer
  llvm::SmallVector<Buffer> buffers;
  llvm::SmallVector<mlir::AffineMap> maps;
  Buffer destination;
  int64_t firstRow;
};

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_KERNELEPILOGUE_H
