//===- WeightsObject.h - weights as an ELF object or a file ---------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_WEIGHTSOBJECT_H
#define TENON_COMPILER_BACKEND_CPU_WEIGHTSOBJECT_H

#include "compiler/backend/cpu/Artifact.h"

#include "llvm/Support/Error.h"

namespace tenon {

/// Symbol of the pointer to the weights of model `id`, in the weights object.
std::string getWeightsPointerSymbol(llvm::StringRef id);

/// Writes an x86-64 ELF object with the weights into the open file `fd`. The
/// bytes go piece by piece from their source into the file; at no time is more
/// than one piece per thread in memory.
llvm::Error writeWeightsObject(const ArtifactSpec &spec, int fd,
                               unsigned threads);

/// Writes the weights with the header that the runtime checks (--weights
/// external) into the open file `fd`.
llvm::Error writeWeightsFile(const ArtifactSpec &spec, int fd,
                             unsigned threads);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_WEIGHTSOBJECT_H
