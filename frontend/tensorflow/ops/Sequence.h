//===- Sequence.h - lists where tensors are expected ----------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_SEQUENCE_H
#define TENON_FRONTEND_TENSORFLOW_OPS_SEQUENCE_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// Adds the inputs when one of them is a list, as gradients of arrays are;
/// false when none is.
bool importListSum(Binder &binder);

/// The same for a list of as many zeros as the input has elements.
bool importListZeros(Binder &binder);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_SEQUENCE_H
