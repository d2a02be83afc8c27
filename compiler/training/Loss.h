//===- Loss.h - losses by Keras's names -----------------------------------===//

#ifndef TENON_COMPILER_TRAINING_LOSS_H
#define TENON_COMPILER_TRAINING_LOSS_H

#include "compiler/training/Call.h"
#include "dialects/graph/Expression.h"

#include <functional>

namespace tenon::training {

/// What a loss or metric compares an output with.
enum class TargetKind {
  Values,   ///< numbers of the output's shape
  Classes,  ///< class numbers, of the output's shape without its last dimension
  Sequences ///< class numbers, one row per sample, as long as the data's
};

/// A function of a target and an output, with one value per sample (and per
/// step, pixel, ...): the output's shape without its last dimension, unless the
/// function says otherwise.
struct Compared {
  graph::Tensor values;
  /// False where a value does not count; null: all count.
  graph::Tensor mask;
};

/// Keras's `losses` module (Keras 3), by function or class name.
struct Loss {
  std::string name; ///< as the history shows it
  TargetKind target = TargetKind::Values;
  std::function<Compared(graph::GraphBuilder &, graph::Tensor target,
                         graph::Tensor output)>
      compare;
  /// `sum_over_batch_size` (the mean), `sum` or `mean_with_sample_weight`.
  std::string reduction;

  /// The scalar that is minimized. `weight` has one number per sample.
  graph::Tensor reduce(graph::GraphBuilder &b, Compared compared,
                       graph::Tensor weight) const;
};

/// Errors say which losses there are, or which arguments one has.
llvm::Expected<Loss> makeLoss(const Call &call, graph::Tensor output);

/// Whether a name is that of a loss: metrics may be losses, too.
bool isLoss(llvm::StringRef name);
/// Names of all losses, in Keras's spelling.
std::vector<std::string> lossNames();

/// `x` with dimensions of size 1 behind, up to `rank`.
graph::Tensor withRank(graph::Tensor x, int64_t rank);
graph::Tensor mean(graph::Tensor x, llvm::ArrayRef<int64_t> axes);
/// x / y, 0 where y is 0.
graph::Tensor quotient(graph::Tensor x, graph::Tensor y);
graph::Tensor clip(graph::Tensor x, double low, double high);
/// The number of elements, as a scalar of x's type.
graph::Tensor count(graph::Tensor x);

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_LOSS_H
