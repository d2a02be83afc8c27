#include "compiler/transforms/Passes.h"
#include "dialects/graph/Graph.h"

namespace tenon {
#define GEN_PASS_DEF_FREEZEVARIABLESPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
struct FreezeVariablesPass
    : tenon::impl::FreezeVariablesPassBase<FreezeVariablesPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::DenseSet<StringAttr> written;
    module.walk([&](graph::AssignOp assign) {
      written.insert(assign.getVariableAttr().getAttr());
    });
    SymbolTable symbols(module);
    auto frozen = [&](FlatSymbolRefAttr name) -> ElementsAttr {
      auto variable = symbols.lookup<graph::VariableOp>(name.getAttr());
      return variable && !written.contains(name.getAttr())
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
    for (auto variable :
         llvm::make_early_inc_range(module.getOps<graph::VariableOp>()))
      if (SymbolTable::symbolKnownUseEmpty(variable, module))
        variable.erase();
  }
};
} // namespace
