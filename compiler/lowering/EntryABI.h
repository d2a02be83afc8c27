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
  Status = 48,
  CheckNumerics = 56
};
} // namespace abi

/// `i32 (ptr instance, ptr inputs, ptr outputs, ptr dims)`.
mlir::FunctionType entryType(mlir::MLIRContext *context);
/// `(ptr args, index begin, index end)`.
mlir::FunctionType kernelType(mlir::MLIRContext *context);

/// An index as i64.
mlir::Value toWord(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value index);
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
/// `strides` its dynamic strides, in order. Its offset is 0. One cast, which
/// `lower-to-llvm` makes a descriptor where one is needed.
mlir::Value memrefAt(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value pointer, mlir::MemRefType type,
                     mlir::ValueRange sizes, mlir::ValueRange strides = {});
/// What `memrefAt` was given for a memref; nothing for any other.
struct Memory {
  mlir::Value pointer;
  mlir::ValueRange sizes, strides;
};
std::optional<Memory> memoryOf(mlir::Value memref);
/// The size of a memref's dimension.
mlir::Value sizeOf(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value memref, int64_t dim);
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
/// the names of other entry points whose code this one's is, too; a version of
/// an entry point that the entry point itself calls; the version to call when
/// the sizes of a call are not those that this one is for; the function that
/// says how much memory a call needs, `i64 (ptr dims)`; a kernel.
inline constexpr llvm::StringLiteral kEntryAttr = "graph.entry",
                                     kAliasesAttr = "graph.aliases",
                                     kVersionAttr = "graph.version",
                                     kFallbackAttr = "graph.fallback",
                                     kReserveAttr = "tenon.reserve",
                                     kKernelAttr = "tenon.kernel";

/// Instead of the place of a variable's first value in the weights: zeros.
inline constexpr int64_t kInitialZeros = -2;

/// Attributes of the functions that a long entry is cut into: one of them; it
/// does for all CPUs; the number of its first kernel call; a call of one that
/// may end early with a status. Of code that is not worth much optimisation.
inline constexpr llvm::StringLiteral kPartAttr = "tenon.part",
                                     kSharedAttr = "tenon.shared",
                                     kFirstCallAttr = "tenon.first_call",
                                     kLeavesAttr = "tenon.leaves",
                                     kLightAttr = "tenon.light";

/// Attribute of a kernel whose tasks are points: how many words its arguments
/// are. The name of the module, inside the entries' one, with what a GPU runs:
/// its kernels in the order of their numbers.
inline constexpr llvm::StringLiteral kWordsAttr = "tenon.words",
                                     kDeviceModule = "device";

/// Calls all tasks of a kernel: `(instance, kernel, words, tasks, id)`.
inline constexpr llvm::StringLiteral kLaunchFunction = "launch";

/// Whether callers outside the program see the function.
bool isEntryPoint(mlir::func::FuncOp function);

/// The entry point `first` of the graph dialect and the versions that it falls
/// back to, in the order in which they are tried. Fails with an error when they
/// do not belong together.
mlir::FailureOr<llvm::SmallVector<mlir::func::FuncOp>>
versionsOf(mlir::func::FuncOp first);

/// Attributes of the module: the symbol of the pointer to the weights, when
/// code and weights come in one artifact; whether a kernel ever has several
/// tasks; that all kernels are called directly, where there are no threads and
/// no profile; whether all nodes are to be checked for NaN and infinities;
/// whether code is to know its nodes.
inline constexpr llvm::StringLiteral kWeightsAttr = "tenon.weights_symbol",
                                     kParallelAttr = "tenon.parallel",
                                     kDirectAttr = "tenon.direct",
                                     kCheckNumericsAttr =
                                         "tenon.check_numerics",
                                     kDebugAttr = "tenon.debug";

/// Attribute of the memory for results that the caller has no memory for, and
/// of the loads that find it.
inline constexpr llvm::StringLiteral kOutputAttr = "tenon.output";

/// Attribute of checks that count only when the instance wants them.
inline constexpr llvm::StringLiteral kNumericsAttr = "tenon.numerics";

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_ENTRYABI_H
