//===- Signature.h - the embedded description of a model ------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_SIGNATURE_H
#define TENON_COMPILER_BACKEND_CPU_SIGNATURE_H

#include "compiler/backend/cpu/Artifact.h"

#include "llvm/Support/Error.h"

namespace tenon {

/// Name of the section that holds the signature in objects and executables, so
/// that tools find it in a stripped file.
inline constexpr const char *kSignatureSection = ".tenon.signature";

/// The FlatBuffers table of runtime/signature.fbs.
std::string writeSignature(const ArtifactSpec &spec);

/// Reads a table back: everything of `ArtifactSpec` but code and weights'
/// contents. Fails when `bytes` is not a valid signature.
llvm::Expected<ArtifactSpec> readSignature(llvm::StringRef bytes);

/// Finds the signature in an executable, shared library, object or archive
/// that Tenon made. Fails with a message when `path` is no such file.
llvm::Expected<ArtifactSpec> readArtifact(llvm::StringRef path);

/// Whether `path` is an ELF file or an archive (and so no model).
bool isNativeFile(llvm::StringRef path);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_SIGNATURE_H
