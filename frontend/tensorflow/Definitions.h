//===- Definitions.h - TensorFlow's definitions of operations -------------===//
//
// What inputs, outputs and attributes an operation has. A graph that does not
// keep to them is refused before anything is made of it: rows read what they
// need, and would not see the rest.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_DEFINITIONS_H
#define TENON_FRONTEND_TENSORFLOW_DEFINITIONS_H

#include "frontend/tensorflow/GraphModel.h"

namespace tenon::tf {

/// Checks nodes of known operations: the number and types of their inputs, the
/// kinds of attributes, and that none is missing.
llvm::Error checkNodes(const Graph &graph);

/// Number of the outputs of `node` before the one called `output`, for
/// functions' bodies, where outputs are named. -1 when there is none.
int outputOffset(const Node &node, llvm::StringRef output,
                 const GraphModel &model);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_DEFINITIONS_H
