//===- ModelImporter.h - a TensorFlow model becomes a module --------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_MODELIMPORTER_H
#define TENON_FRONTEND_TENSORFLOW_MODELIMPORTER_H

#include "frontend/Entry.h"
#include "frontend/Frontend.h"
#include "frontend/tensorflow/BodyImporter.h"

namespace tenon::tf {

/// An argument of an entry point.
struct Feed {
  std::string name; // public
  Edge edge;
  mlir::Type elementType;
  std::optional<llvm::SmallVector<int64_t>> shape; // -1: unknown
  mlir::ElementsAttr byDefault;                    // null: none
};

/// A result of an entry point, or something that has to run.
struct Fetch {
  std::string name; // public
  Edge edge;
  bool target = false;
  /// A node named without a number: a target when it has no outputs.
  bool mayBeTarget = false;
  /// All outputs of the node are results: `name`, `name:1`, ...
  bool allOutputs = false;
  /// A derivative of the first by the second (`edge` is the second's), with the
  /// third, if any, as weights.
  std::vector<Fetch> gradient = {};
  /// Not that, but the change of the first when the second moves along the
  /// third.
  bool forward = false;
};

struct EntryPlan {
  std::string name;
  std::vector<Feed> feeds;
  std::vector<Fetch> fetches;
};

/// Chooses the entry points of `model` that `options` ask for; default: its
/// signatures, or `main` (and `init`) of a graph without them.
///
/// Errors: an entry that does not parse, names of no node, unknown signatures.
llvm::Expected<std::vector<EntryPlan>>
selectEntries(const GraphModel &model, const ImportOptions &options,
              mlir::MLIRContext &context);

/// Declared element type and shape of output `edge` of a placeholder; nothing
/// when the rank is unknown.
std::optional<llvm::SmallVector<int64_t>> placeholderShape(const Node &node,
                                                           int producer);
bool isPlaceholder(const Node &node);

/// Translates `model`; null after errors were reported to the context.
mlir::OwningOpRef<mlir::ModuleOp> importGraphModel(const GraphModel &model,
                                                   const ImportOptions &options,
                                                   mlir::MLIRContext &context);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_MODELIMPORTER_H
