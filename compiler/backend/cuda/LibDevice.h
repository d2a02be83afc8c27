//===- LibDevice.h - functions that a GPU has no instruction for ----------===//

#ifndef TENON_COMPILER_BACKEND_CUDA_LIBDEVICE_H
#define TENON_COMPILER_BACKEND_CUDA_LIBDEVICE_H

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace tenon {

/// Gives `module` the bodies of what it calls of the C library's mathematics
/// (sinf, llvm.pow.f64, frem ...), from CUDA's libdevice. Fails with the name
/// of a function that is not there, or when it needs one and the CUDA Toolkit
/// is not installed.
llvm::Error linkLibDevice(llvm::Module &module);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CUDA_LIBDEVICE_H
