#include "compiler/Pass.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/State.h"

using namespace mlir;
using namespace tenon;

namespace {
/// A constant can be folded and packed; a variable is memory of each instance.
///
/// ```mlir
/// graph.variable @w : tensor<2xf32> = dense<1.0> : tensor<2xf32>
/// %v = graph.read @w : tensor<2xf32>
/// // becomes, but in a module that has `graph.training`
/// %v = graph.constant dense<1.0> : tensor<2xf32>
/// ```
struct FreezeVariablesPass
    : PassBase<FreezeVariablesPass, ModuleOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FreezeVariablesPass)
  static constexpr StringLiteral kArgument = "freeze-variables";
  static constexpr StringLiteral kSummary =
      "variables that no entry writes become constants";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::DenseSet<StringAttr> written;
    module.walk([&](graph::AssignOp assign) {
      written.insert(assign.getVariableAttr().getAttr());
    });
    // A training program changes variables between steps too: the learning
    // rate, and whatever a checkpoint or an export holds.
    bool isTraining = module->hasAttr("graph.training");
    SymbolTable symbols(module);
    auto frozen = [&](FlatSymbolRefAttr name) -> ElementsAttr {
      auto variable = symbols.lookup<graph::VariableOp>(name.getAttr());
      return variable && !isTraining && !written.contains(name.getAttr())
                 ? variable.getInitialAttr()
                 : ElementsAttr();
    };
    module.walk([&](Operation *op) {
      OpBuilder b(op);
      if (auto read = dyn_cast<graph::ReadOp>(op)) {
        if (ElementsAttr value = frozen(read.getVariableAttr())) {
          Value constant = graph::ConstantOp::create(b, op->getLoc(), value);
          read.getResult().replaceAllUsesWith(constant);
          read.erase();
        }
      } else if (auto query = dyn_cast<graph::IsInitializedOp>(op)) {
        if (frozen(query.getVariableAttr())) {
          auto type = RankedTensorType::get({}, b.getI1Type());
          query.getResult().replaceAllUsesWith(graph::ConstantOp::create(
              b, op->getLoc(), DenseElementsAttr::get(type, true)));
          query.erase();
        }
      }
    });
    // All uses at once: to ask for each variable is to read all code for each.
    llvm::DenseSet<StringAttr> used;
    if (auto uses = SymbolTable::getSymbolUses(&module.getBodyRegion()))
      for (SymbolTable::SymbolUse use : *uses)
        used.insert(use.getSymbolRef().getRootReference());
    for (auto variable :
         llvm::make_early_inc_range(module.getOps<graph::VariableOp>()))
      // One with a place in the model's file is exported, read or not.
      if (!used.contains(variable.getSymNameAttr()) &&
          !variable->hasAttr("graph.place"))
        variable.erase();
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createFreezeVariablesPass() {
  return std::make_unique<FreezeVariablesPass>();
}
} // namespace tenon
