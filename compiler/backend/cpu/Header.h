//===- Header.h - the C header beside an object or library ----------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_HEADER_H
#define TENON_COMPILER_BACKEND_CPU_HEADER_H

#include "compiler/backend/cpu/Artifact.h"

namespace tenon {

/// The C and C++ declarations of the model's public functions.
std::string writeHeader(const ArtifactSpec &spec);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_HEADER_H
