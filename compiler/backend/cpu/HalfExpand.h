//===- HalfExpand.h - f16 and bf16 without helper functions ---------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_HALFEXPAND_H
#define TENON_COMPILER_BACKEND_CPU_HALFEXPAND_H

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace tenon {

/// Rewrites arithmetic on half and bfloat to float, and the conversions that
/// `machine` has no instruction for to integer arithmetic (which vectorises),
/// so that the code needs none of libgcc's conversion functions. What is only
/// moved is moved as integers, and llvm.powi becomes pow, for the same reason.
void expandHalfTypes(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_HALFEXPAND_H
