//===- TileEmulator.h - AMX on machines without it ------------------------===//

#ifndef TENON_TEST_COMPILER_LOWERING_KERNELS_TILEEMULATOR_H
#define TENON_TEST_COMPILER_LOWERING_KERNELS_TILEEMULATOR_H

namespace llvm {
class Module;
} // namespace llvm

namespace tenon::test {

/// Replaces the tile instructions of code that will run in this process by
/// calls of functions that do the same. Ends the program when they are used
/// otherwise than the CPU allows.
void emulateTiles(llvm::Module &module);

} // namespace tenon::test

#endif // TENON_TEST_COMPILER_LOWERING_KERNELS_TILEEMULATOR_H
