//===- Constraint.h - constraints of weights by Keras's names -------------===//

#ifndef TENON_COMPILER_TRAINING_CONSTRAINT_H
#define TENON_COMPILER_TRAINING_CONSTRAINT_H

#include "compiler/training/Call.h"
#include "dialects/graph/Expression.h"

#include <functional>

namespace tenon::training {

/// What becomes of a weight's new value.
using Constraint = std::function<graph::Tensor(graph::Tensor)>;

/// Keras's `constraints` (Keras 3): max_norm, min_max_norm, unit_norm, non_neg.
llvm::Expected<Constraint> makeConstraint(const Call &call);

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_CONSTRAINT_H
