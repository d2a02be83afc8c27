//===- ModelReader.h - Keras's files --------------------------------------===//

#ifndef TENON_FRONTEND_KERAS_MODELREADER_H
#define TENON_FRONTEND_KERAS_MODELREADER_H

#include "frontend/keras/Layer.h"

namespace tenon::keras {

enum class FileKind { Unknown, Archive, Hdf5, Json };

/// What the file at `path` is, by its first bytes.
FileKind recognize(const std::string &path);

/// Reads the model at `path`; `weights` names a file with its weights, which a
/// JSON file may have beside it as NAME.weights.h5 instead.
///
/// Errors: what is damaged, and where; a configuration that is not that of a
/// model; weights that are missing.
llvm::Expected<std::unique_ptr<KerasModel>>
readModel(const std::string &path, FileKind kind, const std::string &weights);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_MODELREADER_H
