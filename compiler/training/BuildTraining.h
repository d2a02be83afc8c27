//===- BuildTraining.h - a forward model becomes a program that trains ----===//

#ifndef TENON_COMPILER_TRAINING_BUILDTRAINING_H
#define TENON_COMPILER_TRAINING_BUILDTRAINING_H

#include "compiler/training/Call.h"
#include "mlir/IR/BuiltinOps.h"

namespace tenon::training {

/// What `tenon compile --train` is asked for. Names are of the model's outputs;
/// an empty one is the only output, or, for metrics, each.
struct Request {
  std::vector<std::pair<std::string, Call>> losses, metrics, weightedMetrics;
  std::vector<std::pair<std::string, double>> lossWeights;
  std::optional<Call> optimizer; ///< none: Keras's default, RMSprop
  /// Regular expression: trains only the variables, or constants of a frozen
  /// graph, that it finds a match in. Empty: all that are trainable.
  std::string trainable;
  bool anyLoss = false; ///< where nothing says which, take any
};

/// Parses `NAME=CALL` or `CALL`, a loss of --loss.
llvm::Expected<std::pair<std::string, Call>>
parseForOutput(llvm::StringRef text);
/// Parses `NAME=CALL, CALL, ...`, metrics of --metrics: the name holds for all.
llvm::Expected<std::vector<std::pair<std::string, Call>>>
parseForOutputs(llvm::StringRef text);

/// Gives a module with a forward entry (`main`, else `serving_default`, else
/// the only one besides `init`) the entries of a training program; the forward
/// entry is called `predict` then, and other entries than `init` are gone:
///
///   train_step(inputs, targets, sample_weight) -> loss
///   evaluate(inputs, targets, sample_weight) -> loss
///   metrics() -> loss, ...     values of this epoch, sorted by name
///   reset_metrics()
///   finalize()                 with moving averages of the weights only
///
/// A frontend that knows more than the forward entry says it so:
///
/// - Functions with `graph.forward = "train"` and "test" are what the two steps
///   compute: arguments of the forward entry, its results, and behind them,
///   with `graph.role`, "loss" (a scalar that adds to the loss: regularization)
///   and "mask" (booleans: which rows of the output named by `graph.of` count).
/// - `graph.constraint` of a variable, `NAME(arguments)` as Keras writes it, is
///   what a step does to its new value.
/// - `graph.compile` of the module is the request to train that the file itself
///   holds, Keras's `compile_config` as JSON; what is asked for here goes
///   first.
///
/// Targets have the names of the outputs that they belong to. New variables:
/// `optimizer/...` and `metrics/...`. Errors go to the module's diagnostics.
llvm::LogicalResult buildTraining(mlir::ModuleOp module,
                                  const Request &request);

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_BUILDTRAINING_H
