//===- LowerContractPlaces.h - sums over all places of an image -----------===//
//
// A kernel.contract whose window is as large as the image, as the gradient of
// a convolution's filter is one: few results, each a sum over every place and
// every image. Both operands are read where they lie, the rows of C being
// contiguous in `a` and its columns in `b`: nothing is transposed or packed.
//
// A task is a register tile of C at one output position. The tasks of a call
// take turns with a block of places, which stays in the caches meanwhile; their
// sums wait on the stack.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_LOWERING_LOWERCONTRACTPLACES_H
#define TENON_COMPILER_LOWERING_LOWERCONTRACTPLACES_H

#include "compiler/lowering/KernelEpilogue.h"
#include "compiler/lowering/KernelModels.h"

namespace tenon {

class ContractPlaces {
public:
  ContractPlaces(mlir::OpBuilder &b, kernel::ContractOp op,
                 const CpuTarget &target);

  mlir::Value countTasks();
  void run(mlir::Value begin, mlir::Value end);

private:
  /// What a dimension of the sum contributes: the places [low, high) of a
  /// block.
  struct Range {
    mlir::Value low, high;
  };
  /// A tile of C. Sizes are constants.
  struct Tile {
    llvm::SmallVector<mlir::Value> batch, position; // of the output
    mlir::Value firstRow, rows, firstColumn, isLastUnit;
  };

  void chooseTile(const CpuTarget &target);
  void chooseBlock();
  mlir::Value isSmall();
  Tile openTile(mlir::Value number);
  /// Calls `body` with the tile's rows and panels, and the columns of the last
  /// panel.
  void overCases(const Tile &tile,
                 llvm::function_ref<void(int64_t, int64_t, int64_t)> body);
  void overBlocks(unsigned dim, llvm::SmallVectorImpl<Range> &block,
                  llvm::function_ref<void()> body);
  /// The tile's sums over a block, added to those at `scratch`.
  void addBlock(const Tile &tile, llvm::ArrayRef<Range> block,
                mlir::Value scratch);
  llvm::SmallVector<mlir::Value>
  overPlaces(unsigned dim, const Tile &tile, llvm::ArrayRef<Range> block,
             mlir::Value aPointer, mlir::Value bPointer, int64_t rows,
             int64_t panels, int64_t columns, mlir::ValueRange sums);
  Range clip(const Tile &tile, unsigned dim, const Range &range);
  void finish(const Tile &tile, mlir::Value scratch);
  /// Which dimension of `a`, and but for the first of `b`, dimension `dim` of
  /// the sum is: images first, as they lie in memory.
  int64_t dimOfA(unsigned dim) const;
  int64_t dimOfB(unsigned dim) const;

  kernel::ContractOp op;
  KernelEmitter e;
  Buffer a, b;
  KernelEpilogue epilogue;
  mlir::Type accumulator;
  int64_t batchRank, spatial;
  int64_t rows, columns;
  int64_t tileRows, rowTiles; // rows are shared evenly
  int64_t tilePanels, units;  // and so are panels
  mlir::Value batches, tasks;
  unsigned blockDim;     // of the sum, which blocks cut
  int64_t blockSize = 1; // places of that dimension in a block
  int64_t tilesAtOnce;
};

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERCONTRACTPLACES_H
