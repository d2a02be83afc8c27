//===- DebugInfo.h - which node of the model code came from ---------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_DEBUGINFO_H
#define TENON_COMPILER_BACKEND_CPU_DEBUGINFO_H

#include "compiler/backend/cpu/Artifact.h"

namespace tenon {

/// Gives all code of `spec` line numbers in a listing of the nodes that it came
/// from, which becomes ArtifactSpec::nodes, and functions the names of their
/// nodes.
void attachDebugInfo(ArtifactSpec &spec);

/// The name under which debug information refers to the listing.
std::string getNodesFile(const ArtifactSpec &spec);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_DEBUGINFO_H
