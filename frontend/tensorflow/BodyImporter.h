//===- BodyImporter.h - nodes of one entry point become graph ops ---------===//

#ifndef TENON_FRONTEND_TENSORFLOW_BODYIMPORTER_H
#define TENON_FRONTEND_TENSORFLOW_BODYIMPORTER_H

#include "frontend/OpImporter.h"
#include "frontend/tensorflow/GraphModel.h"

#include "llvm/ADT/StringSet.h"

#include <set>

namespace tenon::tf {

/// The rows of all families (ops/<Family>.cpp).
const RowTable &rows();

/// What entry points of one model share.
struct ModelState {
  const GraphModel &model;
  mlir::ModuleOp module;
  /// Names that no variable's symbol may have.
  llvm::StringSet<> reserved;
  /// Shared name of a variable -> its handle.
  std::map<std::string, ImportedValue> variables;
  /// Tensors of the file that were turned into attributes already.
  std::map<const void *, mlir::ElementsAttr> elements;
  /// Of constants that repeat values, which a file need not hold.
  int64_t repeatedBytes = 0;
};

/// Which outputs of the graph an entry point replaces by its arguments.
using Feeds = std::map<std::pair<int, int>, ImportedValue>;

/// A graph or function body in translation.
struct Frame {
  const Graph &graph;
  std::string prefix; // "call/" before the names of nodes
  llvm::ArrayRef<ImportedValue> arguments;
  const Feeds *feeds = nullptr;
  const Frame *caller = nullptr;
  std::vector<std::vector<ImportedValue>> results;
  std::vector<bool> done, broken; // by node; broken: could not be translated
  /// Tensors that derivatives are taken by: each becomes a value of its own.
  const std::set<std::pair<int, int>> *sources = nullptr;
};

class BodyImporter {
public:
  BodyImporter(ModelState &model, ImportState &state);

  /// Translates what `roots` need.
  void importNodes(Frame &frame, llvm::ArrayRef<int> roots);

  /// The value of an edge whose node was translated; reads no variable.
  ImportedValue value(Frame &frame, Edge edge);

  /// Translates a function's body at the builder's place.
  llvm::SmallVector<ImportedValue>
  importFunction(const Graph &function, llvm::ArrayRef<ImportedValue> arguments,
                 const std::string &prefix, const Frame &caller);

  void report(llvm::StringRef node, llvm::StringRef op,
              const llvm::Twine &reason);

  ModelState &model;
  ImportState &state;

private:
  void importNode(Frame &frame, int index);

  int64_t nodeCount = 0, maxNodes;
  bool exhausted = false; // there were more than `maxNodes`
  llvm::StringSet<> reported;
};

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_BODYIMPORTER_H
