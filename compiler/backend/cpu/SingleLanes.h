//===- SingleLanes.h - masked stores of one element -----------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_SINGLELANES_H
#define TENON_COMPILER_BACKEND_CPU_SINGLELANES_H

namespace llvm {
class Module;
} // namespace llvm

namespace tenon {

/// Turns masked stores whose constant mask has one lane into stores of that
/// element. LLVM 22 does it by itself on its way to AVX-512 and then forgets a
/// truncation that it had made part of the store: 32 bits are written for 16.
void storeSingleLanes(llvm::Module &module);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_SINGLELANES_H
