//===- Frontend.h - from a model file to a module of the graph dialect ----===//
//
// The one door of the frontend: which format a file has is found out from its
// contents, and no later stage knows it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_FRONTEND_H
#define TENON_FRONTEND_FRONTEND_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon {

/// A source node that the importer cannot translate.
struct UnsupportedNode {
  std::string node, op, reason;
};

/// What the user asks of the import.
struct ImportOptions {
  /// `NAME(args) -> results`, one entry point each (see parseEntry).
  std::vector<std::string> entries;
  /// Only this signature of a SavedModel; empty: all of them.
  std::string signature;
  /// Shapes of inputs by name; -1 is an unknown dimension.
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  /// Versions for inputs of these shapes, beside the one for all sizes: each
  /// holds shapes of inputs by name; -1 stays as it is.
  std::vector<std::vector<std::pair<std::string, std::vector<int64_t>>>>
      specializations;
  /// Value of every unknown leading dimension.
  std::optional<int64_t> batch;
  /// What the steps of training compute is wanted as well, where the format
  /// says it (see compiler/training/BuildTraining.h).
  bool training = false;
  /// The weights of a Keras model of which the file has the configuration.
  std::string loadWeights;
  /// Name of a format (see modelFormats); empty: recognised by contents.
  std::string format;
  /// When set, filled with the nodes that cannot be translated.
  std::vector<UnsupportedNode> *unsupported = nullptr;
};

/// Names that `ImportOptions::format` may have, sorted.
llvm::ArrayRef<llvm::StringRef> modelFormats();

/// Source operations of one family that have a translation, sorted.
struct OperationFamily {
  std::string name;
  std::vector<std::string> operations;
};

/// What of TensorFlow's operations is supported.
namespace tf {
std::vector<OperationFamily> operationFamilies();
} // namespace tf

/// Reads the model at `path`. The result holds `graph.variable` symbols and one
/// func.func per entry point, marked `graph.entry`; each argument has
/// `graph.name` and `graph.dims` (a name for a symbolic dimension, a number for
/// a static one), each result has `graph.name`. Constants over 1 KB refer to
/// the file's memory, which lives as long as they do.
///
/// An entry point for fewer sizes than callers may pass has `graph.fallback`,
/// the function (marked `graph.version`) for the calls that it does not fit;
/// that one may have a fallback too, and the last takes all.
///
/// Errors go to the context's diagnostics and make the result null.
mlir::OwningOpRef<mlir::ModuleOp> importModel(llvm::StringRef path,
                                              const ImportOptions &options,
                                              mlir::MLIRContext &context);

} // namespace tenon

#endif // TENON_FRONTEND_FRONTEND_H
