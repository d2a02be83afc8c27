//===- GraphReader.h - GraphDef, MetaGraphDef and SavedModel files --------===//

#ifndef TENON_FRONTEND_TENSORFLOW_GRAPHREADER_H
#define TENON_FRONTEND_TENSORFLOW_GRAPHREADER_H

#include "frontend/tensorflow/GraphModel.h"

namespace tenon::tf {

enum class FileKind { Unknown, GraphDef, TextGraphDef, MetaGraph, SavedModel };

/// What `path` (a file, or a directory with a SavedModel) is, by its contents.
/// Errors: the path cannot be read.
llvm::Expected<FileKind> recognize(const std::string &path);

/// Reads a file of the given kind.
llvm::Expected<std::unique_ptr<GraphModel>> readGraph(const std::string &path,
                                                      FileKind kind);

/// Makes the files that tensors of a SavedModel name constants of the graph.
///
/// Errors: a name that leads out of the model, a missing file or node.
llvm::Error embedAssets(const tfproto::MetaGraphDef &meta,
                        const std::string &directory, GraphModel &model);

/// Takes over graph, signatures and collections of `meta`, which
/// `model.storage` owns.
llvm::Error readMetaGraph(const tfproto::MetaGraphDef &meta, GraphModel &model);

/// Finds the variables that the saver's restore operation assigns, by following
/// what it does without running it, and those that the tree of objects names;
/// and their values in the checkpoint `prefix`.
llvm::Error restoreVariables(const std::string &prefix,
                             const tfproto::MetaGraphDef &meta,
                             GraphModel &model);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_GRAPHREADER_H
