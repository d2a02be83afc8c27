//===- DeviceCode.h - kernels as code of GPUs -----------------------------===//

#ifndef TENON_COMPILER_BACKEND_CUDA_DEVICECODE_H
#define TENON_COMPILER_BACKEND_CUDA_DEVICECODE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace tenon {

/// What the GPU's part of an artifact is made of.
struct DeviceCode {
  /// In the LLVM dialect: functions `void (ptr words, i64 begin, i64 end)`,
  /// whose tasks are points (CpuTarget::byPoint).
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::string> kernels;       // the functions, by number
  std::vector<uint32_t> words;            // of their arguments
  std::vector<std::string> architectures; // "sm_80", ..., kEmulated
};

/// An architecture beside NVIDIA's: the kernels as a shared object for this
/// machine, `void (const uint64_t *words, int64_t tasks)` each. What stands in
/// for a driver in tests runs it.
inline constexpr llvm::StringLiteral kEmulated = "host";

/// Runs on all GPUs of now.
inline constexpr llvm::StringLiteral kDefaultArchitecture = "sm_80";

/// Whether code can be written for the architecture, in the user's words.
llvm::Error checkArchitecture(llvm::StringRef architecture);

/// The kernels for one architecture: PTX, a text, or a shared object. Kernel
/// `k` is an entry of that name that takes its words by value and the number of
/// its tasks: `(.align 8 .b8 words[8 * n], .u64 tasks)`.
llvm::Expected<std::string> compileDeviceCode(DeviceCode &code,
                                              llvm::StringRef architecture,
                                              unsigned optLevel, bool fastMath);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CUDA_DEVICECODE_H
