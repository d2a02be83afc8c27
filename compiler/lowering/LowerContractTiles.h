//===- LowerContractTiles.h - sums of bf16 by AMX -------------------------===//
//
// 32 rows of C times two panels are four tiles of 16 by 16 sums, and 16 pairs
// of channels of a panel are a tile as they lie in memory. So are rows of A
// that are evenly spaced; others, and what is left of rows and channels, are
// copied to the stack first. Sums go through the scratch memory of the
// epilogue.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_LOWERING_LOWERCONTRACTTILES_H
#define TENON_COMPILER_LOWERING_LOWERCONTRACTTILES_H

#include "compiler/lowering/LowerContract.h"

namespace tenon {

class ContractTiles {
public:
  /// Rows of C that are summed at once.
  static constexpr int64_t kRows = 32;

  explicit ContractTiles(ContractLowering &contract)
      : c(contract), e(contract.e) {}

  /// Whether the CPU has tiles, and the contraction suits them.
  static bool canRun(const ContractLowering &contract);

  /// Takes memory and configures the tiles; before all units.
  void begin();
  /// All rows of a task.
  void run(const ContractLowering::Task &task,
           const ContractLowering::Unit &unit);
  /// Gives the tiles back; after all units.
  void end();

private:
  /// Where the rows at hand lie: evenly behind `first`, or in a table.
  struct Rows {
    mlir::Value first, step;
    bool areEven = false;
  };

  Rows openRows(const ContractLowering::Task &task, mlir::Value first,
                mlir::Value count);
  void sum(const ContractLowering::Task &task,
           const ContractLowering::Unit &unit, const Rows &rows);
  void overWindow(const Rows &rows, unsigned dim, mlir::Value linear,
                  llvm::ArrayRef<mlir::Value> position,
                  llvm::ArrayRef<mlir::Value> panels);
  void placeRows(llvm::ArrayRef<mlir::Value> position);
  void step(const Rows &rows, mlir::Value channel, int64_t count,
            llvm::ArrayRef<mlir::Value> panels);
  void call(llvm::StringRef name, mlir::ValueRange operands = {});
  mlir::Value tile(int64_t number);
  mlir::Value bytes(mlir::Value elements);
  mlir::Value loadAddress(mlir::Value table, mlir::Value row);
  void storeAddress(mlir::Value address, mlir::Value table, mlir::Value row);
  void copyLanes(mlir::Value from, mlir::Value to, int64_t count);

  ContractLowering &c;
  KernelEmitter &e;
  mlir::Value config;
  mlir::Value bases, starts; // of the rows, at window position 0
  mlir::Value places;        // at the position at hand
  mlir::Value copiedA, copiedB;
};

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_LOWERCONTRACTTILES_H
