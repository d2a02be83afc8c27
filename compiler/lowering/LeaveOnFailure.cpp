#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Runs when branches may go anywhere: memory can be missing inside of loops,
/// which have to be left as well.
///
/// ```mlir
/// %0 = llvm.call @tenon_alloc(%instance, %bytes) : (!llvm.ptr, i64) ->
/// !llvm.ptr %1 = llvm.icmp "eq" %0, %null : !llvm.ptr cf.cond_br %1, ^leave,
/// ^rest
/// ```
struct LeaveOnFailurePass
    : PassBase<LeaveOnFailurePass, func::FuncOp, LLVM::LLVMDialect,
               cf::ControlFlowDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LeaveOnFailurePass)
  static constexpr StringLiteral kArgument = "leave-on-failure";
  static constexpr StringLiteral kSummary =
      "entries return their status when an allocation fails";

  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry->hasAttr(kEntryAttr) && !entry->hasAttr(kPartAttr))
      return;
    SmallVector<Operation *> calls;
    entry.walk([&](Operation *op) {
      auto call = dyn_cast<LLVM::CallOp>(op);
      if (op->hasAttr(kLeavesAttr) ||
          (call && call.getCallee() == StringRef("tenon_alloc")))
        calls.push_back(op);
    });
    if (calls.empty())
      return;
    Location loc = entry.getLoc();
    OpBuilder b(entry.getContext());
    Block *leave = b.createBlock(&entry.getBody(), entry.getBody().end());
    Value status = LLVM::LoadOp::create(
        b, loc, b.getI32Type(),
        pointerAt(b, loc, entry.getArgument(abi::Instance), abi::Status));
    func::ReturnOp::create(b, loc, status);
    for (Operation *call : calls) {
      Block *head = call->getBlock();
      Block *rest = head->splitBlock(std::next(call->getIterator()));
      b.setInsertionPointToEnd(head);
      // No memory, or the status of a part that had none.
      Value result = call->getResult(0);
      bool isStatus = result.getType().isInteger();
      Value zero = LLVM::ZeroOp::create(b, loc, result.getType());
      Value failed = LLVM::ICmpOp::create(
          b, loc, isStatus ? LLVM::ICmpPredicate::ne : LLVM::ICmpPredicate::eq,
          result, zero);
      cf::CondBranchOp::create(b, loc, failed, leave, rest);
    }
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLeaveOnFailurePass() {
  return std::make_unique<LeaveOnFailurePass>();
}
} // namespace tenon
