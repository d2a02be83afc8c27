#include "compiler/training/Parameters.h"
#include "dialects/graph/Graph.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/State.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/Regex.h"

using namespace mlir;

namespace tenon::training {

/// The names that a constant has in the model file, one in another.
static bool hasMatch(llvm::Regex &pattern, Location location) {
  bool found = false;
  location->walk([&](Location inner) {
    if (auto named = dyn_cast<NameLoc>(inner))
      found |= pattern.match(named.getName().strref());
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

static std::string nameOf(Location location) {
  std::string name = "constant";
  location->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (named)
      name = named.getName().str();
    return named ? WalkResult::interrupt() : WalkResult::advance();
  });
  return name;
}

/// Makes variables of the constants of floats that `pattern` names.
static SmallVector<Variable> makeVariables(func::FuncOp forward,
                                           Variables &variables,
                                           llvm::Regex &pattern) {
  SmallVector<graph::ConstantOp> constants;
  forward.walk([&](graph::ConstantOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (type && isa<FloatType>(type.getElementType()) &&
        hasMatch(pattern, op.getLoc()))
      constants.push_back(op);
  });
  SmallVector<Variable> made;
  for (graph::ConstantOp op : constants) {
    made.push_back(variables.declare(nameOf(op.getLoc()), op.getValue()));
    OpBuilder builder(op);
    auto read =
        graph::ReadOp::create(builder, op.getLoc(), made.back().type,
                              FlatSymbolRefAttr::get(made.back().symbol));
    op.replaceAllUsesWith(read.getResult());
    op.erase();
  }
  return made;
}

llvm::Expected<SmallVector<Variable>> chooseParameters(ModuleOp module,
                                                       func::FuncOp forward,
                                                       Variables &variables,
                                                       StringRef pattern) {
  llvm::Regex regex(pattern);
  std::string wrong;
  if (!pattern.empty() && !regex.isValid(wrong))
    return llvm::createStringError("--trainable '" + pattern +
                                   "' is no regular expression: " + wrong);
  SymbolTable symbols(module);
  llvm::DenseSet<graph::VariableOp> read;
  bool anyMarked = false;
  forward.walk([&](graph::ReadOp op) {
    auto variable = symbols.lookup<graph::VariableOp>(op.getVariable());
    auto type = variable ? dyn_cast<RankedTensorType>(variable.getType())
                         : RankedTensorType();
    if (!type || !isa<FloatType>(type.getElementType()))
      return;
    read.insert(variable);
    anyMarked |= variable.getTrainable();
  });
  SmallVector<Variable> chosen;
  std::string names;
  // In the module's order, in which importers say what a file's order is.
  for (auto variable : module.getOps<graph::VariableOp>()) {
    if (!read.contains(variable))
      continue;
    if (anyMarked && !variable.getTrainable())
      continue;
    StringRef name = variable.getOriginal().value_or(variable.getSymName());
    names += (names.empty() ? "" : ", ") + name.str();
    if (pattern.empty() || regex.match(name))
      chosen.push_back({variable.getSymNameAttr(),
                        cast<RankedTensorType>(variable.getType())});
  }
  if (chosen.empty() && !pattern.empty())
    chosen = makeVariables(forward, variables, regex);
  if (!chosen.empty())
    return chosen;
  if (!pattern.empty())
    return llvm::createStringError(
        "--trainable '" + pattern + "' matches " +
        (names.empty()
             ? std::string("no constant of floats")
             : "none of the variables " + names + ", nor a constant"));
  return llvm::createStringError(
      "the model has no variable to train: name constants of a frozen graph "
      "with --trainable REGEX");
}

} // namespace tenon::training
