//===- Entry.h - what --entry says ----------------------------------------===//

#ifndef TENON_FRONTEND_ENTRY_H
#define TENON_FRONTEND_ENTRY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace tenon {

/// One entry point: `NAME(arguments) -> results`.
struct EntrySpec {
  /// A tensor of the model and the name that callers give it.
  struct Item {
    std::string name;   // public; empty for a target
    std::string source; // "x", "x:0"; empty for a derivative
    bool target = false;
    /// `grad(loss:0, x:0)`: of the sum of the first by the second, with an
    /// optional third as the weights of the sum. Only sources count in them.
    std::vector<Item> gradient;
    /// `jvp(y:0, x:0, v:0)`: of the first, when the second moves along the
    /// third.
    bool forward = false;
  };
  std::string name;
  std::vector<Item> arguments, results;
};

/// Parses `NAME(args) -> results`: arguments are `tensor` or `name = tensor`,
/// results the same, or `^operation`, or a derivative `grad(result, tensor)`
/// or `jvp(result, tensor, direction)` of a tensor or of a derivative. `:0` may
/// be left out, and a result called `x:0` is named `x`.
///
/// Errors say what was expected at which column; two arguments or two results
/// of one name are an error.
llvm::Expected<EntrySpec> parseEntry(llvm::StringRef text);

} // namespace tenon

#endif // TENON_FRONTEND_ENTRY_H
