//===- EntryArguments.h - what the inputs of an entry are -----------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_ENTRYARGUMENTS_H
#define TENON_FRONTEND_TENSORFLOW_ENTRYARGUMENTS_H

#include "frontend/EntryArguments.h"
#include "frontend/tensorflow/ModelImporter.h"

#include "llvm/Support/Error.h"

namespace tenon::tf {

using Argument = EntryArgument;

/// Shapes of inputs by name; -1 is an unknown dimension.
using ShapeList = std::vector<std::pair<std::string, std::vector<int64_t>>>;

/// Whether an option that says `name` means this input.
bool isNamed(const Graph &graph, const Feed &feed, llvm::StringRef name);

/// The arguments of an entry's version for inputs of the sizes in `shapes`:
/// those of `equal`, in which sizes that meet in an operation are one, so that
/// one of them is known from the other; those of `general` when `shapes` makes
/// them differ. Sets `changes` when an argument gets a size that it did not
/// have. Fails where a shape does not fit its input.
llvm::Expected<std::vector<Argument>>
specialize(const Graph &graph, const EntryPlan &plan, const ShapeList &shapes,
           llvm::ArrayRef<Argument> equal, llvm::ArrayRef<Argument> general,
           bool &changes);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_ENTRYARGUMENTS_H
