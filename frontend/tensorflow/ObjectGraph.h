//===- ObjectGraph.h - the tree of objects of a SavedModel ----------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OBJECTGRAPH_H
#define TENON_FRONTEND_TENSORFLOW_OBJECTGRAPH_H

#include "frontend/tensorflow/CheckpointReader.h"

namespace tenon::tf {

/// The checkpoint's tensors of the variables that a model's functions capture,
/// by the name of the handle's node. The captured objects are looked for in the
/// checkpoint's tree by the way from the root to them, as TensorFlow 2 does.
/// Keras models that are saved as objects have variables that are restored in
/// no other way. Empty when the file or the checkpoint has no such tree.
std::map<std::string, std::string>
findCapturedVariables(const tfproto::MetaGraphDef &meta,
                      Checkpoint &checkpoint);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OBJECTGRAPH_H
