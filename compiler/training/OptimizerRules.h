//===- OptimizerRules.h - the formulas of optimizers ----------------------===//

#ifndef TENON_COMPILER_TRAINING_OPTIMIZERRULES_H
#define TENON_COMPILER_TRAINING_OPTIMIZERRULES_H

#include "compiler/training/Optimizer.h"

namespace tenon::training {

/// The formula of the optimizer that `arguments` name, with its rate and its
/// own arguments; none when there is no such optimizer.
std::optional<Optimizer> makeRule(Arguments &arguments);

/// `op` of a gradient and of `scalars`, of each row by itself where the
/// gradient consists of rows (SplitRowGradients).
graph::Tensor ofRows(llvm::StringRef op, graph::Tensor gradient,
                     llvm::ArrayRef<graph::Tensor> scalars = {});

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_OPTIMIZERRULES_H
