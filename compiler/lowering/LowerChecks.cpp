#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "dialects/kernel/HostCall.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Loops end when a check inside them has failed.
void stopLoops(func::FuncOp entry, llvm::SetVector<Operation *> &loops) {
  for (Operation *op : loops) {
    scf::ConditionOp condition = cast<scf::WhileOp>(op).getConditionOp();
    OpBuilder b(condition);
    Location loc = condition.getLoc();
    Value status = LLVM::LoadOp::create(
        b, loc, b.getI32Type(),
        pointerAt(b, loc, entry.getArgument(abi::Instance), abi::Status));
    Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
    Value good =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, status, zero);
    condition.getConditionMutable().assign(
        arith::AndIOp::create(b, loc, condition.getCondition(), good));
  }
}

/// Whether `condition` holds or the instance does not want to know.
Value orUnasked(OpBuilder &b, Location loc, Value condition, Value instance) {
  Value asked = LLVM::LoadOp::create(
      b, loc, b.getI32Type(), pointerAt(b, loc, instance, abi::CheckNumerics));
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
  Value unasked =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, asked, zero);
  return arith::OrIOp::create(b, loc, condition, unasked);
}

/// `cf.assert` becomes a call of the runtime, after which the entry is left
/// with the status as soon as branches may do that; until then the run seems to
/// go on (loops end). The module's `tenon.failures` has the messages.
struct LowerChecksPass : PassBase<LowerChecksPass, ModuleOp, LLVM::LLVMDialect,
                                  arith::ArithDialect, scf::SCFDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerChecksPass)
  static constexpr StringLiteral kArgument = "lower-checks";
  static constexpr StringLiteral kSummary =
      "checks report their failure to the instance";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder attributes(&getContext());
    SmallVector<Attribute> messages;
    for (auto entry : module.getOps<func::FuncOp>()) {
      if (!entry->hasAttr(kEntryAttr))
        continue;
      llvm::SetVector<Operation *> loops;
      auto endLoopsAround = [&](Operation *op) {
        for (Operation *parent = op->getParentOp(); parent != entry;
             parent = parent->getParentOp())
          if (isa<scf::WhileOp>(parent))
            loops.insert(parent);
      };
      // The runtime's functions fail by themselves.
      entry.walk([&](kernel::HostCallOp call) { endLoopsAround(call); });
      entry.walk([&](cf::AssertOp check) {
        OpBuilder b(check);
        Location loc = check.getLoc();
        endLoopsAround(check);
        Value instance = entry.getArgument(abi::Instance);
        auto callee = runtimeFunction(module, "tenon_fail", b.getI32Type(),
                                      {instance.getType(), b.getI32Type(),
                                       b.getI64Type(), b.getI64Type()});
        Value condition = check.getArg();
        if (check->hasAttr(kNumericsAttr))
          condition = orUnasked(b, loc, condition, instance);
        auto branch =
            scf::IfOp::create(b, loc, condition, /*withElseRegion=*/true);
        b.setInsertionPointToStart(branch.elseBlock());
        Value site = arith::ConstantIntOp::create(b, loc, messages.size(), 32);
        Value none = arith::ConstantIntOp::create(b, loc, 0, 64);
        auto call = LLVM::CallOp::create(
            b, loc, callee, ValueRange{instance, site, none, none});
        // Sizes and indices that a check is about hold behind it.
        call->setAttr(kLeavesAttr, b.getUnitAttr());
        // A percent sign introduces a value in the runtime's templates.
        std::string text;
        for (char c : check.getMsg())
          text += c == '%' ? std::string("%%") : std::string(1, c);
        messages.push_back(attributes.getStringAttr(text));
        check.erase();
      });
      stopLoops(entry, loops);
    }
    module->setAttr("tenon.failures", attributes.getArrayAttr(messages));
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLowerChecksPass() {
  return std::make_unique<LowerChecksPass>();
}
} // namespace tenon
