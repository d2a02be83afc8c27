#ifndef TENON_COMPILER_LOWERING_ENTRYABI_H
#define TENON_COMPILER_LOWERING_ENTRYABI_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tenon {

/// What generated code knows of runtime/include/tenon/abi.h: the arguments of
/// an entry function and the fields of tenon_instance.
namespace abi {
enum Argument { Instance, Inputs, Outputs, DimsArray };
enum Field : int64_t {
  Dispatch = 0,
  Arena = 8,
  Weights = 16,
  State = 24,
  Zeros = 32,
  Status = 48
};
} // namespace abi

/// `i32 (ptr instance, ptr inputs, ptr outputs, ptr dims)`.
mlir::FunctionType entryType(mlir::MLIRContext *context);
/// `(ptr args, index begin, index end)`.
mlir::FunctionType kernelType(mlir::MLIRContext *context);

/// base + bytes.
mlir::Value pointerAt(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value base, int64_t bytes);
mlir::Value pointerAt(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value base, mlir::Value bytes);
mlir::Value loadPointer(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value base, int64_t bytes);
mlir::Value loadIndex(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value base, int64_t bytes);
void storeIndex(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value index,
                mlir::Value base, int64_t bytes);

/// A memref over memory at `pointer`; `sizes` are its dynamic sizes and
/// `strides` its dynamic strides, in order. Its offset is 0.
mlir::Value memrefAt(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value pointer, mlir::MemRefType type,
                     mlir::ValueRange sizes, mlir::ValueRange strides = {});
/// The address of a memref's first element.
mlir::Value pointerOf(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value memref);

/// Bytes of one element in a buffer: i1 takes one.
int64_t elementBytes(mlir::Type elementType);

/// Declares a function of the runtime in the module, once.
mlir::LLVM::LLVMFuncOp runtimeFunction(mlir::ModuleOp module,
                                       llvm::StringRef name, mlir::Type result,
                                       llvm::ArrayRef<mlir::Type> arguments);

/// Attributes of functions: one in the runtime's form or to be lowered to it;
/// a version of an entry point that the entry point itself calls; the version
/// to call when sizes that this one takes for equal are not; a kernel.
inline constexpr llvm::StringLiteral kEntryAttr = "graph.entry",
                                     kVersionAttr = "graph.version",
                                     kFallbackAttr = "graph.fallback",
                                     kKernelAttr = "tenon.kernel";

/// Whether callers outside the program see the function.
bool isEntryPoint(mlir::func::FuncOp function);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_ENTRYABI_H
