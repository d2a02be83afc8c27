//===- ShareKernels.h - one function for kernels that differ in numbers ---===//

#ifndef TENON_COMPILER_BACKEND_CPU_SHAREKERNELS_H
#define TENON_COMPILER_BACKEND_CPU_SHAREKERNELS_H

#include "mlir/IR/BuiltinOps.h"

namespace tenon {

/// Replaces kernels (functions marked `tenon.kernel`) that are equal but for
/// integer constants, such as sizes and strides, by one function that reads
/// those from a table. What is left of each kernel is a jump to it with its own
/// table. Zero and one are never taken out: loops over contiguous memory keep
/// being that.
///
/// A model's layers use the same few kernels at many sizes, and code generation
/// is most of the time that compiling takes.
void shareKernels(mlir::ModuleOp module);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_SHAREKERNELS_H
