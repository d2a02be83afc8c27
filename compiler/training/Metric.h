//===- Metric.h - metrics by Keras's names --------------------------------===//

#ifndef TENON_COMPILER_TRAINING_METRIC_H
#define TENON_COMPILER_TRAINING_METRIC_H

#include "compiler/training/Loss.h"

namespace tenon::training {

/// A metric is a function of sums over samples: what each batch adds to its
/// accumulators, and what they say in the end.
struct Metric {
  std::string name; ///< as the history shows it
  /// Shapes of the float32 accumulators, which start with zeros.
  std::vector<std::vector<int64_t>> accumulators;
  /// What a batch adds. `weight` has one number per sample, or as many
  /// dimensions as it has; null: 1.
  std::function<llvm::SmallVector<graph::Tensor>(
      graph::GraphBuilder &, graph::Tensor target, graph::Tensor output,
      graph::Tensor weight)>
      update;
  /// The value: a scalar, or a vector where there are several results.
  std::function<graph::Tensor(graph::GraphBuilder &,
                              llvm::ArrayRef<graph::Tensor> sums)>
      result;
};

/// The weighted mean of `values` over samples, Keras's `Mean`: the increments
/// of a sum and of a count.
llvm::SmallVector<graph::Tensor> meanIncrements(graph::GraphBuilder &b,
                                                graph::Tensor values,
                                                graph::Tensor weight);

/// Keras's `metrics` module (Keras 3), by function or class name; any loss is a
/// metric, too. `accuracy` is the one that fits `target` and the output.
llvm::Expected<Metric> makeMetric(const Call &call, TargetKind target,
                                  graph::Tensor output);

/// Names of the metrics that are no losses, in Keras's spelling.
std::vector<std::string> metricNames();

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_METRIC_H
