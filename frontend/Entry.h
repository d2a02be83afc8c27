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
    std::string source; // "x", "x:0"
    bool target = false;
  };
  std::string name;
  std::vector<Item> arguments, results;
};

/// Parses `NAME(args) -> results`: arguments are `tensor` or `name = tensor`,
/// results the same or `^operation`. `:0` may be left out, and a result called
/// `x:0` is named `x`.
///
/// Errors say what was expected at which column; two arguments or two results
/// of one name are an error.
llvm::Expected<EntrySpec> parseEntry(llvm::StringRef text);

} // namespace tenon

#endif // TENON_FRONTEND_ENTRY_H
