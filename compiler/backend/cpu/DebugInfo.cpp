//===- DebugInfo.cpp - which node of the model code came from -------------===//

#include "compiler/backend/cpu/DebugInfo.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/BinaryFormat/Dwarf.h"

using namespace mlir;

namespace tenon {

namespace {

/// The nodes that a location stands for, as lines of the listing: "name (Op)".
void collectNodes(Location loc, SmallVectorImpl<std::string> &nodes) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    std::string line = name.getName().str();
    if (auto op = dyn_cast<NameLoc>(name.getChildLoc()))
      line += " (" + op.getName().str() + ")";
    for (char &c : line)
      if (c == '\n' || c == '\r')
        c = '?'; // Names may hold anything; a line is one.
    if (!llvm::is_contained(nodes, line))
      nodes.push_back(std::move(line));
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNodes(part, nodes);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNodes(call.getCallee(), nodes);
  }
}

class Attacher {
public:
  explicit Attacher(ArtifactSpec &spec)
      : spec(spec), context(spec.units.front().module->getContext()),
        fileName(getNodesFile(spec)) {}

  std::string run() {
    auto file = LLVM::DIFileAttr::get(context, fileName, "");
    for (CodeUnit &unit : spec.units) {
      auto compileUnit = LLVM::DICompileUnitAttr::get(
          DistinctAttr::create(UnitAttr::get(context)),
          llvm::dwarf::DW_LANG_C11, file, StringAttr::get(context, "tenon"),
          /*isOptimized=*/true, LLVM::DIEmissionKind::Full);
      for (auto function : unit.module->getOps<LLVM::LLVMFuncOp>())
        if (!function.isExternal())
          attach(function, compileUnit, file);
    }
    std::string listing;
    for (const auto &[line, number] : lines)
      listing += line + "\n";
    return listing;
  }

private:
  void attach(LLVM::LLVMFuncOp function, LLVM::DICompileUnitAttr compileUnit,
              LLVM::DIFileAttr file) {
    SmallVector<std::string> nodes;
    collectNodes(function.getLoc(), nodes);
    std::string name; // without the operations
    for (StringRef node : nodes)
      name += (name.empty() ? "" : " + ") + node.rsplit(" (").first.str();
    unsigned line = nodes.empty() ? 0 : lineOf(nodes.front());
    auto type = LLVM::DISubroutineTypeAttr::get(context, {});
    auto subprogram = LLVM::DISubprogramAttr::get(
        context, DistinctAttr::create(UnitAttr::get(context)), compileUnit,
        file,
        StringAttr::get(context, name.empty() ? function.getName() : name),
        StringAttr(), file, line, line,
        LLVM::DISubprogramFlags::Definition |
            LLVM::DISubprogramFlags::Optimized,
        type, {}, {});
    function.walk([&](Operation *op) {
      if (op == function.getOperation())
        return;
      SmallVector<std::string> own;
      collectNodes(op->getLoc(), own);
      op->setLoc(place(own.empty() ? line : lineOf(own.front())));
    });
    function->setLoc(FusedLoc::get(context, {place(line)}, subprogram));
  }

  Location place(unsigned line) {
    return FileLineColLoc::get(context, fileName, line, 0);
  }

  unsigned lineOf(const std::string &node) {
    return lines.try_emplace(node, lines.size() + 1).first->second;
  }

  ArtifactSpec &spec;
  MLIRContext *context;
  std::string fileName;
  llvm::MapVector<std::string, unsigned, std::map<std::string, unsigned>> lines;
};
} // namespace

void attachDebugInfo(ArtifactSpec &spec) {
  if (!spec.units.empty())
    spec.nodes = Attacher(spec).run();
}

std::string getNodesFile(const ArtifactSpec &spec) {
  return getModelIdentifier(spec) + ".nodes";
}

} // namespace tenon
