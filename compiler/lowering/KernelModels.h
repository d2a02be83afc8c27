//===- KernelModels.h - kernel ops as loops -------------------------------===//

#ifndef TENON_COMPILER_LOWERING_KERNELMODELS_H
#define TENON_COMPILER_LOWERING_KERNELMODELS_H

#include "compiler/backend/cpu/Target.h"
#include "dialects/kernel/Rows.h"

namespace tenon {

/// Gives kernel.contract, kernel.window, kernel.pack and kernel.rows their
/// lowerings
/// (`KernelOpInterface`) when the dialect is loaded.
void registerKernelModels(mlir::DialectRegistry &registry);

mlir::Value buildContractTaskCount(mlir::OpBuilder &b, mlir::Location loc,
                                   kernel::ContractOp op,
                                   const CpuTarget &target);
/// Fails with an op error when a buffer's layout is not supported.
llvm::LogicalResult lowerContract(mlir::OpBuilder &b, kernel::ContractOp op,
                                  mlir::Value begin, mlir::Value end,
                                  const CpuTarget &target);

mlir::Value buildWindowTaskCount(mlir::OpBuilder &b, mlir::Location loc,
                                 kernel::WindowOp op, const CpuTarget &target);
llvm::LogicalResult lowerWindow(mlir::OpBuilder &b, kernel::WindowOp op,
                                mlir::Value begin, mlir::Value end,
                                const CpuTarget &target);

mlir::Value buildPackTaskCount(mlir::OpBuilder &b, mlir::Location loc,
                               kernel::PackOp op, const CpuTarget &target);
llvm::LogicalResult lowerPack(mlir::OpBuilder &b, kernel::PackOp op,
                              mlir::Value begin, mlir::Value end,
                              const CpuTarget &target);

mlir::Value buildRowsTaskCount(mlir::OpBuilder &b, mlir::Location loc,
                               kernel::RowsOp op, const CpuTarget &target);
llvm::LogicalResult lowerRows(mlir::OpBuilder &b, kernel::RowsOp op,
                              mlir::Value begin, mlir::Value end,
                              const CpuTarget &target);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_KERNELMODELS_H
