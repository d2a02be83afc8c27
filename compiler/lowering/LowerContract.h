//===- LowerContract.h - kernel.contract as register tiles ----------------===//
//
// The rows of C (all its dimensions but batch and channels) are cut into blocks
// of up to 96, its columns into units of four panels; a block times a unit is a
// task. Inside, rows are split evenly into register tiles of at most the
// target's height, so that every tile is exact: no row is masked and none is
// computed twice. Code exists only for the row counts that the sizes allow.
//
// A `b` that is a matrix in memory is packed part by part of a unit, into
// memory on the stack that stays in the caches.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_LOWERING_LOWERCONTRACT_H
#define TENON_COMPILER_LOWERING_LOWERCONTRACT_H

#include "compiler/lowering/KernelEpilogue.h"
#include "compiler/lowering/KernelModels.h"

namespace tenon {

/// How the work is cut. Everything an index, constant where sizes are static.
struct ContractGrid {
  mlir::Value batches, groups, rowBlocks, units;
  mlir::Value rows, columns, channels, panels; // per batch; per group
  mlir::Value small; // too little work to share: one task does it all
  mlir::Value tasks; // before `small` is considered
};

/// A operand rows of one tile: where they start and whether a position lies
/// inside the input.
struct ContractRows {
  unsigned count = 0;
  llvm::SmallVector<mlir::Value> pointers;
  /// Input position of window position 0, per row and spatial dimension; empty
  /// when rows are evenly spaced in memory.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> starts;
  llvm::SmallVector<mlir::Value> inside; // null: yes
  /// The last window dimension and the channels are one run of memory, and all
  /// of it lies inside as far as that dimension goes.
  bool merged = false;
};

/// Part of the sum: window positions fixed by outer loops, then channels.
struct ContractPart {
  llvm::SmallVector<mlir::Value> fixed; // of the first window dimensions
  mlir::Value firstChannel, lastChannel;
};

/// A convolution whose window's lines are short runs of memory, as a model's
/// first layer: tiles stay in a line of the result, so that their rows lie a
/// fixed step apart. Where windows leave the image, the lines of it that a task
/// reads are copied first, with zeros around them.
struct ContractLines {
  int64_t height, width;          // of an image of the result
  int64_t blocks;                 // tasks of an image
  int64_t inputHeight, inputLine; // of the operand; a line's elements
  int64_t before;                 // zeros in front of a line
  int64_t reach;                  // elements that windows of one line span
  bool isCopied;                  // else lines are read where they are

  /// Longest run of window positions and channels that is merged.
  static constexpr int64_t kShortRun = 128;
  static std::optional<ContractLines> find(kernel::ContractOp op);
  int64_t getCopiedStride() const { return llvm::alignTo(reach, 16); }
  /// Lines of the operand that so many of the result span.
  static int64_t getSpan(kernel::ContractOp op, int64_t lines);
};

// LowerContractPoints.cpp: each element of C by itself.
mlir::Value countContractPoints(KernelEmitter &e, kernel::ContractOp op);
void lowerContractPoints(mlir::OpBuilder &b, kernel::ContractOp op,
                         mlir::Value begin, mlir::Value end);

class ContractTiles;

class ContractLowering {
public:
  ContractLowering(mlir::OpBuilder &b, kernel::ContractOp op,
                   const CpuTarget &target);
  ~ContractLowering();

  static ContractGrid buildGrid(KernelEmitter &e, kernel::ContractOp op);
  /// The operand `a`, its dimensions in the order of the op's description.
  static Buffer openA(KernelEmitter &e, kernel::ContractOp op);
  void run(mlir::Value begin, mlir::Value end);

private:
  friend class ContractTiles;

  /// Panels of a task, and the most that a tile takes at once.
  static constexpr int64_t kUnitPanels = 4;

  struct Task {
    llvm::SmallVector<mlir::Value> batch;
    mlir::Value aBase, bBase;   // of batch and group; b also of the unit
    mlir::Value matrixBase;     // where b is packed from
    mlir::Value firstRow, rows; // of the block
    mlir::Value firstPanel;     // in the group
    mlir::Value firstColumn;    // of the group in C
  };

  /// Panels of a unit: `full` of them whole, then one with `tail` columns.
  /// Constants, unless columns are dynamic (then `tail` may be 0 at run time).
  struct Unit {
    mlir::Value full, tail;
    bool mayHaveTail = false;
  };

  // LowerContract.cpp
  static int64_t getPanelWidth(kernel::ContractOp op);
  /// The panels; of a matrix those of the part that is packed.
  Buffer openB();
  /// Packs `part` of the unit's panels; the task then reads them.
  Task packed(const Task &task, const Unit &unit, const ContractPart &part);
  void chooseBlocking();
  void runTask(mlir::Value number);
  void runUnit(const Task &task, const Unit &unit);
  void runScalar(const Task &task);
  void direct(const Task &task, const Unit &unit);
  void blocked(const Task &task, const Unit &unit);
  void overParts(llvm::function_ref<void(const ContractPart &)> body);
  /// `body` gets the first row of a tile and how many rows it has.
  void tiles(const Task &task,
             llvm::function_ref<void(mlir::Value, mlir::Value)> body);
  /// Groups of panels that a tile of `rows` rows takes at once: first panel in
  /// the unit, how many, and the last one's columns (null: whole).
  void panelGroups(
      const Unit &unit, unsigned rows,
      llvm::function_ref<void(mlir::Value, unsigned, mlir::Value)> body);
  void finish(const Task &task, const Unit &unit, mlir::Value firstRow,
              mlir::Value rows);
  void finishOne(const Task &task, mlir::Value value, mlir::Value row,
                 mlir::Value panel, mlir::Value columns);
  mlir::Value scratchAt(mlir::Value row, mlir::Value panel);
  bool hasWideElements();
  /// Sums of a tile to begin with, row by row; `tail` is how many columns the
  /// last panel has (null: all).
  llvm::SmallVector<mlir::Value> zeros(unsigned rows, unsigned width = 1,
                                       mlir::Value tail = {});
  llvm::SmallVector<mlir::Value>
  panelPointers(const Task &task, mlir::Value panel, unsigned width);
  /// The most rows of a tile.
  unsigned getTileRows();
  llvm::SmallVector<int64_t> possibleRows(unsigned limit);
  unsigned getVectorCount();

  // LowerContractLines.cpp
  /// The task's lines and rows; its `aBase` is where they begin.
  void openLines(Task &task, mlir::Value block);
  void copyLine(mlir::Value from, mlir::Value to);
  ContractRows openLineRows(const Task &task, mlir::Value first,
                            unsigned count);

  // LowerContractSum.cpp
  ContractRows openRows(const Task &task, mlir::Value first, unsigned count);
  /// sums += the part's products; `bPointers` are the panels' (at window
  /// position 0 and channel 0), `sums` row by row.
  llvm::SmallVector<mlir::Value>
  accumulate(const ContractRows &rows, llvm::ArrayRef<mlir::Value> bPointers,
             mlir::ValueRange sums, const ContractPart &part);
  llvm::SmallVector<mlir::Value>
  overWindow(const ContractRows &rows, unsigned dim, mlir::Value linear,
             mlir::ValueRange sums, const ContractPart &part,
             llvm::ArrayRef<mlir::Value> bPointers);
  std::pair<mlir::Value, mlir::Value>
  clipWindow(const ContractRows &rows, unsigned dim, mlir::Value size);
  ContractRows step(const ContractRows &rows, unsigned dim, mlir::Value k);
  llvm::SmallVector<mlir::Value>
  overChannels(const ContractRows &rows, mlir::Value linear,
               mlir::ValueRange sums, const ContractPart &part,
               llvm::ArrayRef<mlir::Value> bPointers);
  /// sums += the products of `count` channels; row r's lie `steps[r]` apart.
  void addProducts(llvm::ArrayRef<mlir::Value> aPointers,
                   llvm::ArrayRef<mlir::Value> steps,
                   llvm::ArrayRef<mlir::Value> bPointers, int64_t count,
                   llvm::MutableArrayRef<mlir::Value> sums);
  /// The same of pairs.
  void addPairs(llvm::ArrayRef<mlir::Value> aPointers,
                llvm::ArrayRef<mlir::Value> steps,
                llvm::ArrayRef<mlir::Value> bPointers, int64_t count,
                llvm::MutableArrayRef<mlir::Value> sums);
  /// Two bf16, `step` elements apart, as the halves of one number.
  mlir::Value loadPair(mlir::Value pointer, mlir::Value step);
  mlir::Value isInsideLastDim(const ContractRows &rows);
  bool isFlat();
  bool hasShortRuns();
  bool mayLeaveInput(unsigned dim);
  int64_t staticSize(const Buffer &buffer, int64_t dim);

  kernel::ContractOp op;
  KernelEmitter e;
  const CpuTarget &target;
  Buffer a, b, matrix; // `matrix`: what b is packed from, if anything
  ContractGrid grid;
  KernelEpilogue epilogue;
  mlir::Type accumulator;
  int64_t panelWidth;
  int64_t lanes; // those of a panel, or 1 for complex numbers
  int64_t batchRank, spatial;
  bool flat;                // rows of A are evenly spaced
  bool padded;              // some position may lie outside the input
  unsigned fixedDims = 0;   // window dimensions that blocking moves outside
  int64_t channelBlock = 0; // channels of a part; 0: all
  bool isBlocked = false;
  bool inlineEpilogue = true;
  bool mergesLastDim = false; // in tiles whose rows are all inside
  std::optional<ContractLines> lines;
  mlir::Value copiedLines;
  mlir::Value scratch, zeroRow, panelScratch;
  int64_t zeroCount = 0;
  std::unique_ptr<ContractTiles> tileSums; // null: sums are in registers
};

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERCONTRACT_H
