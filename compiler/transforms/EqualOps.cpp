#include "compiler/transforms/EqualOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/CSE.h"

using namespace mlir;

namespace tenon {

static constexpr llvm::StringLiteral kBodyAttr = "tenon.body";

/// A number that is the same for equal bodies.
static llvm::hash_code hashBody(Operation *op) {
  llvm::DenseMap<Value, size_t> inner;
  llvm::hash_code hash(0);
  op->walk<WalkOrder::PreOrder>([&](Operation *part) {
    for (Region &region : part->getRegions())
      for (Value argument : region.getArguments())
        inner.try_emplace(argument, inner.size());
    for (Value result : part->getResults())
      inner.try_emplace(result, inner.size());
    if (part == op)
      return;
    hash = llvm::hash_combine(hash, part->getName(), part->hashProperties(),
                              part->getDiscardableAttrDictionary());
    for (Value operand : part->getOperands()) {
      Attribute constant;
      if (auto known = inner.find(operand); known != inner.end())
        hash = llvm::hash_combine(hash, known->second);
      else if (matchPattern(operand, m_Constant(&constant)))
        hash = llvm::hash_combine(hash, constant);
    }
  });
  return hash;
}

void mergeEqualOps(ModuleOp module) {
  Builder b(module.getContext());
  module->walk([&](linalg::LinalgOp op) {
    op->setDiscardableAttr(kBodyAttr,
                           b.getI64IntegerAttr(size_t(hashBody(op))));
  });
  IRRewriter rewriter(module.getContext());
  DominanceInfo dominance(module);
  eliminateCommonSubExpressions(rewriter, dominance, module);
  module->walk(
      [](linalg::LinalgOp op) { op->removeDiscardableAttr(kBodyAttr); });
}

} // namespace tenon
