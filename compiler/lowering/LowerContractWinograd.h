//===- LowerContractWinograd.h - kernel.contract by Winograd's tiles ------===//
//
// A task is a run of tiles of m by m places, of all images. The numbers of the
// input that they see are transformed to the stack, [point][tile][channel];
// for every point these rows are multiplied with the panels of the transformed
// filter; and the sums of a unit of panels, [point][tile][column], are
// transformed back before the epilogue.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_LOWERING_LOWERCONTRACTWINOGRAD_H
#define TENON_COMPILER_LOWERING_LOWERCONTRACTWINOGRAD_H

#include "compiler/lowering/KernelEpilogue.h"
#include "compiler/lowering/KernelModels.h"
#include "compiler/lowering/Winograd.h"

namespace tenon {

class ContractWinograd {
public:
  ContractWinograd(mlir::OpBuilder &b, kernel::ContractOp op,
                   const CpuTarget &target);

  mlir::Value countTasks();
  void run(mlir::Value begin, mlir::Value end);

private:
  /// A tile of places: its image and its first place.
  struct Tile {
    mlir::Value image, y, x;
  };

  Tile openTile(mlir::Value number);
  void transformInput(mlir::Value number, mlir::Value row);
  void multiply(mlir::Value unit, mlir::Value point, mlir::Value firstRow,
                int64_t panels);
  void finish(mlir::Value number, mlir::Value unit, mlir::Value row,
              int64_t panels);
  /// matrix * values, where each value is a vector.
  llvm::SmallVector<mlir::Value> apply(const WinogradMatrix &matrix,
                                       llvm::ArrayRef<mlir::Value> values);
  /// matrix * values * matrix^T of a square of values.
  llvm::SmallVector<mlir::Value> applyBoth(const WinogradMatrix &matrix,
                                           llvm::ArrayRef<mlir::Value> values);
  mlir::Value scaled(mlir::Value value, double factor, mlir::Value sum);
  mlir::Value inputAt(mlir::Value point, mlir::Value row, mlir::Value channel);
  mlir::Value sumAt(mlir::Value point, mlir::Value row, mlir::Value column);

  kernel::ContractOp op;
  KernelEmitter e;
  Buffer a, b;
  KernelEpilogue epilogue;
  mlir::Type element;
  const Winograd &matrices;
  int64_t tile, side, points; // side = tile + 2, points = side * side
  int64_t channels, tileRows, unitPanels;
  int64_t rows;               // of a task; a multiple of tileRows
  int64_t inputStep, sumStep; // between points
  mlir::Value columns, units, lines, lineTiles, tiles;
  mlir::Value input, sums, places, zeros;
};

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERCONTRACTWINOGRAD_H
