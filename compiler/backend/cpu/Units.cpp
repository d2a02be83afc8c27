//===- Units.cpp - cut the code into pieces that compile in parallel ------===//

#include "compiler/backend/cpu/Units.h"

#include "compiler/lowering/EntryABI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon {

namespace {

/// About 50 ms of code generation: enough to outweigh setting up a pipeline,
/// small enough to keep many cores busy to the end.
constexpr size_t kUnitOps = 2500;

bool isLocal(LLVM::Linkage linkage) {
  return linkage == LLVM::Linkage::Internal ||
         linkage == LLVM::Linkage::Private;
}

size_t countOps(LLVM::LLVMFuncOp func) {
  size_t count = 0;
  func.walk([&](Operation *) { ++count; });
  return count;
}

/// Cuts one module. Only functions and globals are understood; a module with
/// anything else (aliases, constructors) stays whole.
class Splitter {
public:
  Splitter(ModuleOp module) : module(module), symbols(module) {}

  SmallVector<OwningOpRef<ModuleOp>> run() {
    SmallVector<SmallVector<LLVM::LLVMFuncOp>> bins = fillBins();
    SmallVector<OwningOpRef<ModuleOp>> result;
    if (bins.size() < 2)
      return result;
    for (auto [index, bin] : llvm::enumerate(bins))
      for (LLVM::LLVMFuncOp func : bin)
        home[func] = index;
    shareSymbols(bins);
    for (auto [index, bin] : llvm::enumerate(bins))
      result.push_back(build(index, bin));
    return result;
  }

private:
  SmallVector<SmallVector<LLVM::LLVMFuncOp>> fillBins() {
    SmallVector<SmallVector<LLVM::LLVMFuncOp>> bins;
    if (fillBins(bins, Care::Full) && fillBins(bins, Care::Light))
      fillBins(bins, Care::Least);
    return bins;
  }

  /// How much optimisation a function is worth: a list of calls the least.
  enum class Care { Full, Light, Least };

  static Care careFor(LLVM::LLVMFuncOp func) {
    return func->hasAttr(kPartAttr)    ? Care::Least
           : func->hasAttr(kLightAttr) ? Care::Light
                                       : Care::Full;
  }

  /// Returns false when the module must stay whole.
  bool fillBins(SmallVectorImpl<SmallVector<LLVM::LLVMFuncOp>> &bins,
                Care care) {
    size_t filled = 0;
    bool isFirst = true;
    for (Operation &op : *module.getBody()) {
      if (isa<LLVM::GlobalOp>(op))
        continue;
      auto func = dyn_cast<LLVM::LLVMFuncOp>(op);
      if (!func) {
        bins.clear();
        return false;
      }
      if (func.isExternal() || careFor(func) != care)
        continue;
      size_t ops = countOps(func);
      if (isFirst || (filled && filled + ops > kUnitOps)) {
        bins.emplace_back();
        filled = 0;
        isFirst = false;
      }
      filled += ops;
      bins.back().push_back(func);
    }
    return true;
  }

  /// Symbols that `root` refers to, in order of appearance.
  void collectUses(Operation *root, llvm::SetVector<Operation *> &uses) {
    root->walk([&](Operation *op) {
      for (NamedAttribute attr : op->getAttrs())
        attr.getValue().walk([&](FlatSymbolRefAttr ref) {
          if (Operation *target = symbols.lookup(ref.getAttr()))
            uses.insert(target);
        });
    });
  }

  /// Functions and writable globals that more than one unit needs lose their
  /// local linkage. Local constants are copied instead: they are small, since
  /// weights are never among them.
  void shareSymbols(ArrayRef<SmallVector<LLVM::LLVMFuncOp>> bins) {
    for (auto [index, bin] : llvm::enumerate(bins))
      for (LLVM::LLVMFuncOp func : bin) {
        llvm::SetVector<Operation *> uses;
        collectUses(func, uses);
        for (Operation *use : uses) {
          if (auto callee = dyn_cast<LLVM::LLVMFuncOp>(use)) {
            if (!callee.isExternal() && home[callee] != index &&
                isLocal(callee.getLinkage()))
              callee.setLinkage(LLVM::Linkage::External);
          } else if (auto global = dyn_cast<LLVM::GlobalOp>(use)) {
            if (!global.getConstant() && isLocal(global.getLinkage()))
              global.setLinkage(LLVM::Linkage::External);
          }
        }
      }
  }

  OwningOpRef<ModuleOp> build(size_t index,
                              ArrayRef<LLVM::LLVMFuncOp> functions) {
    OpBuilder builder(module.getContext());
    OwningOpRef<ModuleOp> unit = ModuleOp::create(module.getLoc());
    (*unit)->setAttrs(module->getAttrs());
    for (StringRef attribute : {kLightAttr, kPartAttr})
      if (functions.front()->hasAttr(attribute))
        (*unit)->setAttr(attribute, builder.getUnitAttr());
    builder.setInsertionPointToEnd(unit->getBody());
    llvm::SetVector<Operation *> uses;
    for (LLVM::LLVMFuncOp func : functions)
      collectUses(func, uses);
    if (index == 0) // Globals that are visible outside have one home.
      for (auto global : module.getOps<LLVM::GlobalOp>())
        if (!isLocal(global.getLinkage()))
          uses.insert(global);
    for (size_t i = 0; i < uses.size(); ++i) // Grows while it runs.
      if (isa<LLVM::GlobalOp>(uses[i]))
        collectUses(uses[i], uses);
    for (Operation *use : uses) {
      if (auto global = dyn_cast<LLVM::GlobalOp>(use)) {
        auto copy = cast<LLVM::GlobalOp>(builder.clone(*global));
        if (index != 0 && !isLocal(global.getLinkage()))
          makeDeclaration(copy);
      } else if (auto callee = dyn_cast<LLVM::LLVMFuncOp>(use)) {
        if (callee.isExternal() || home[callee] != index)
          declare(builder, callee);
      }
    }
    for (LLVM::LLVMFuncOp func : functions) {
      func->remove(); // Others only ask for its name and type.
      builder.insert(func);
    }
    return unit;
  }

  static void makeDeclaration(LLVM::GlobalOp global) {
    global.removeValueAttr();
    global.getInitializer().getBlocks().clear();
    global.setLinkage(LLVM::Linkage::External);
  }

  static void declare(OpBuilder &builder, LLVM::LLVMFuncOp callee) {
    auto copy = cast<LLVM::LLVMFuncOp>(builder.cloneWithoutRegions(*callee));
    copy.setLinkage(LLVM::Linkage::External);
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::DenseMap<Operation *, size_t> home;
};

} // namespace

std::vector<CodeUnit> splitUnits(std::vector<CodeUnit> units) {
  std::vector<CodeUnit> result;
  for (CodeUnit &unit : units) {
    SmallVector<OwningOpRef<ModuleOp>> parts = Splitter(*unit.module).run();
    if (parts.empty()) {
      result.push_back(std::move(unit));
      continue;
    }
    for (OwningOpRef<ModuleOp> &part : parts)
      result.push_back(CodeUnit{unit.variant, std::move(part)});
  }
  return result;
}

llvm::StringSet<> collectDefinitions(llvm::ArrayRef<CodeUnit> units,
                                     unsigned variant) {
  llvm::StringSet<> names;
  for (const CodeUnit &unit : units) {
    if (unit.variant != variant)
      continue;
    ModuleOp module = *unit.module;
    for (auto func : module.getOps<LLVM::LLVMFuncOp>())
      if (!func.isExternal() && !isLocal(func.getLinkage()))
        names.insert(func.getName());
    for (auto global : module.getOps<LLVM::GlobalOp>())
      if ((global.getValueOrNull() || !global.getInitializer().empty()) &&
          !isLocal(global.getLinkage()))
        names.insert(global.getSymName());
  }
  return names;
}

} // namespace tenon
