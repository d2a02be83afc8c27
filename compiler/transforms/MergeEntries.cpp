#include "compiler/Pass.h"
#include "dialects/graph/Graph.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace tenon;

namespace {
/// Names of sizes of two entries that stand for each other.
class SizeNames {
public:
  /// Compares `graph.dims` of two arguments.
  bool equal(ArrayAttr mine, ArrayAttr its) {
    if (!mine || !its)
      return mine == its;
    return llvm::equal(mine, its, [&](Attribute one, Attribute other) {
      auto name = dyn_cast<StringAttr>(one);
      auto otherName = dyn_cast<StringAttr>(other);
      if (!name || !otherName)
        return one == other;
      return there.try_emplace(name, otherName).first->second == otherName &&
             back.try_emplace(otherName, name).first->second == name;
    });
  }

private:
  llvm::DenseMap<StringAttr, StringAttr> there, back;
};

/// A dictionary without names and what else is not code.
SmallVector<NamedAttribute> codeAttributes(DictionaryAttr all,
                                           ArrayRef<StringRef> ignored) {
  SmallVector<NamedAttribute> kept;
  if (!all)
    return kept;
  for (NamedAttribute attribute : all)
    if (!llvm::is_contained(ignored, attribute.getName().strref()))
      kept.push_back(attribute);
  return kept;
}

/// What errors call the nodes of a function, without the outermost scope or
/// call: entry points with the same code call one function by several nodes.
SmallVector<StringRef> nodeNames(func::FuncOp function) {
  SmallVector<StringRef> names;
  function.getBody().walk([&](Operation *op) {
    auto named = dyn_cast<NameLoc>(op->getLoc());
    StringRef name = named ? named.getName().strref() : StringRef();
    auto [scope, inner] = name.split('/');
    names.push_back(inner.empty() ? scope : inner);
  });
  return names;
}

bool haveSameCode(func::FuncOp one, func::FuncOp other) {
  auto discardable = [](func::FuncOp function) {
    return function->getDiscardableAttrDictionary();
  };
  if (one.getFunctionType() != other.getFunctionType() ||
      discardable(one) != discardable(other))
    return false;
  SizeNames names;
  for (unsigned i = 0; i < one.getNumArguments(); ++i) {
    auto attributes = [&](func::FuncOp function) {
      return codeAttributes(function.getArgAttrDict(i),
                            {"graph.name", "graph.dims", "graph.default"});
    };
    auto dims = [&](func::FuncOp function) {
      return function.getArgAttrOfType<ArrayAttr>(i, "graph.dims");
    };
    if (attributes(one) != attributes(other) ||
        !names.equal(dims(one), dims(other)))
      return false;
  }
  for (unsigned i = 0; i < one.getNumResults(); ++i) {
    auto attributes = [&](func::FuncOp function) {
      return codeAttributes(function.getResultAttrDict(i), {"graph.name"});
    };
    if (attributes(one) != attributes(other))
      return false;
  }
  return OperationEquivalence::isRegionEquivalentTo(
             &one.getBody(), &other.getBody(),
             OperationEquivalence::IgnoreLocations) &&
         nodeNames(one) == nodeNames(other);
}

/// A SavedModel often holds one function under several names, as `serve` and
/// `serving_default`: it is compiled once. The entry that stays knows who else
/// it does for.
///
/// ```mlir
/// func.func @serve(%x: tensor<4xf32>) -> tensor<4xf32>
///     attributes {graph.entry} { ... }
/// func.func @serving_default(%y: tensor<4xf32>) -> tensor<4xf32>
///     attributes {graph.entry} { ...the same... }
/// // becomes
/// func.func @serve(%x: tensor<4xf32>) -> tensor<4xf32>
///     attributes {graph.entry, graph.aliases = ["serving_default"]} { ... }
/// ```
struct MergeEntriesPass
    : PassBase<MergeEntriesPass, ModuleOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MergeEntriesPass)
  static constexpr StringLiteral kArgument = "merge-entries";
  static constexpr StringLiteral kSummary =
      "entry points with the same code become one";

  void runOnOperation() override {
    SmallVector<func::FuncOp> kept;
    SmallVector<SmallVector<Attribute>> aliases;
    for (auto entry :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      // Versions of an entry are called by their names.
      if (!entry->hasAttr("graph.entry") || entry->hasAttr("graph.version"))
        continue;
      auto *same = llvm::find_if(
          kept, [&](func::FuncOp other) { return haveSameCode(other, entry); });
      if (same == kept.end()) {
        kept.push_back(entry);
        aliases.emplace_back();
        continue;
      }
      aliases[same - kept.begin()].push_back(entry.getSymNameAttr());
      entry.erase();
    }
    for (auto [entry, names] : llvm::zip_equal(kept, aliases))
      if (!names.empty())
        entry->setAttr("graph.aliases", ArrayAttr::get(&getContext(), names));
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createMergeEntriesPass() {
  return std::make_unique<MergeEntriesPass>();
}
} // namespace tenon
