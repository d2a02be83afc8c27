//===- OptimizerRules.h - the formulas of optimizers ----------------------===//

#ifndef TENON_COMPILER_TRAINING_OPTIMIZERRULES_H
#define TENON_COMPILER_TRAINING_OPTIMIZERRULES_H

#include "compiler/training/Optimizer.h"

namespace tenon::training {

/// The formula of the optimizer that `arguments` name, with its rate and its
/// own arguments; none when there is no such optimizer.
std::optional<Optimizer> makeRule(Arguments &arguments);

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_OPTIMIZERRULES_H
