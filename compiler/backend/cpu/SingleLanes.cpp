//===- SingleLanes.cpp - masked stores of one element ---------------------===//

#include "compiler/backend/cpu/SingleLanes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

#include <optional>

using namespace llvm;

namespace tenon {

/// The only lane of a constant mask.
static std::optional<unsigned> onlyLane(Value *mask) {
  auto *constant = dyn_cast<Constant>(mask);
  auto *type = dyn_cast<FixedVectorType>(mask->getType());
  if (!constant || !type)
    return std::nullopt;
  std::optional<unsigned> found;
  for (unsigned lane = 0; lane < type->getNumElements(); ++lane) {
    Constant *element = constant->getAggregateElement(lane);
    if (!element || (!element->isNullValue() && !element->isOneValue()))
      return std::nullopt;
    if (element->isNullValue())
      continue;
    if (found)
      return std::nullopt;
    found = lane;
  }
  return found;
}

void storeSingleLanes(Module &module) {
  for (Function &function : module)
    for (BasicBlock &block : function)
      for (Instruction &instruction : make_early_inc_range(block)) {
        auto *call = dyn_cast<IntrinsicInst>(&instruction);
        if (!call || call->getIntrinsicID() != Intrinsic::masked_store)
          continue;
        std::optional<unsigned> lane = onlyLane(call->getArgOperand(2));
        if (!lane)
          continue;
        IRBuilder<> builder(call);
        Value *element =
            builder.CreateExtractElement(call->getArgOperand(0), *lane);
        Value *pointer = call->getArgOperand(1);
        Align whole = call->getParamAlign(1).valueOrOne();
        uint64_t offset =
            *lane * module.getDataLayout().getTypeStoreSize(element->getType());
        if (*lane)
          pointer = builder.CreateConstInBoundsGEP1_64(element->getType(),
                                                       pointer, *lane);
        builder.CreateAlignedStore(element, pointer,
                                   commonAlignment(whole, offset));
        call->eraseFromParent();
      }
}

} // namespace tenon
