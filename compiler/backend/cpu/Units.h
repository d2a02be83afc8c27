//===- Units.h - cut the code into pieces that compile in parallel --------===//

#ifndef TENON_COMPILER_BACKEND_CPU_UNITS_H
#define TENON_COMPILER_BACKEND_CPU_UNITS_H

#include "compiler/backend/cpu/Artifact.h"

#include "llvm/ADT/StringSet.h"

namespace tenon {

/// Cuts each module of `units` that is large into several. Where the cuts are
/// depends on the contents only, so that the output does not depend on the
/// number of threads.
std::vector<CodeUnit> splitUnits(std::vector<CodeUnit> units);

/// The names of all functions and globals with external linkage that the units
/// of `variant` define.
llvm::StringSet<> collectDefinitions(llvm::ArrayRef<CodeUnit> units,
                                     unsigned variant);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_UNITS_H
