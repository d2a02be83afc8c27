//===- Optimizer.h - optimizers by Keras's names --------------------------===//

#ifndef TENON_COMPILER_TRAINING_OPTIMIZER_H
#define TENON_COMPILER_TRAINING_OPTIMIZER_H

#include "compiler/training/Constraint.h"
#include "compiler/training/Schedule.h"
#include "compiler/training/Variables.h"

#include <functional>

namespace tenon::training {

/// What an optimizer's formula sees of a step; float32 scalars.
struct Step {
  graph::GraphBuilder &b;
  graph::Tensor rate;   ///< the learning rate
  graph::Tensor number; ///< of this step, from 1
  bool constantRate;    ///< the rate is no schedule
  /// What all variables share.
  llvm::SmallVector<graph::Tensor> shared;
};

/// A value that an optimizer keeps.
struct Slot {
  enum class Shape {
    Whole,   ///< the variable's
    Rows,    ///< without the last dimension
    Columns, ///< without the last but one
    None     ///< only a number in Keras's files
  };
  std::string name;
  double initial = 0;
  Shape shape = Shape::Whole;
  /// Slots with the same number follow each other for each variable in Keras's
  /// files; others stand behind those of all variables.
  unsigned group = 0;
};

/// Keras's `optimizers` (Keras 3), by class or function name, and TensorFlow
/// 1's own: momentum, adagrad_da, centered_rms_prop.
struct Optimizer {
  /// By the rank of the variable.
  std::function<std::vector<Slot>(int64_t rank)> slots;
  /// Scalars for all variables, and how a step changes them before anything.
  std::vector<Slot> sharedSlots;
  std::function<void(Step &)> prepare;
  /// The new value of a variable; `slots` become their new values.
  std::function<graph::Tensor(Step &, graph::Tensor variable,
                              graph::Tensor gradient,
                              llvm::MutableArrayRef<graph::Tensor> slots)>
      update;

  double rate = 0; ///< unless there is a schedule
  Schedule schedule;
  std::optional<double> weightDecay, clipNorm, clipValue, globalClipNorm;
  std::string withoutDecay; ///< regular expression over variables' names
  bool average = false;     ///< use_ema
  double averageMomentum = 0.99;
  int64_t overwriteEvery = 0, accumulate = 0; ///< steps; 0: never
  /// LossScaleOptimizer: steps whose gradients are not finite, when scaled, are
  /// left out; the scale halves then, and doubles after so many others.
  struct LossScale {
    double initial;
    int64_t growthSteps;
  };
  std::optional<LossScale> lossScale;

  /// One step for all variables at the builder's place; a variable that has a
  /// constraint follows it.
  void apply(graph::GraphBuilder &b, Variables &variables,
             llvm::ArrayRef<Variable> trained,
             llvm::ArrayRef<graph::Tensor> gradients,
             llvm::ArrayRef<Constraint> constraints) const;
  /// The optimizer's variables in the order in which Keras's files have them.
  std::vector<std::string> inFile(llvm::ArrayRef<Variable> trained) const;
  /// Whether gradients are finite; sets the scale for the next step. Null
  /// without a scale.
  graph::Tensor adjustScale(graph::GraphBuilder &b, Variables &variables,
                            llvm::ArrayRef<graph::Tensor> gradients) const;
  /// Variables become their averages.
  void finish(graph::GraphBuilder &b, Variables &variables,
              llvm::ArrayRef<Variable> trained) const;
};

llvm::Expected<Optimizer> makeOptimizer(const Call &call);
std::vector<std::string> optimizerNames();

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_OPTIMIZER_H
