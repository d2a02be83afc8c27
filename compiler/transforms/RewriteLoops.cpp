#include "compiler/transforms/RewriteLoops.h"

using namespace mlir;

namespace tenon {

/// What is known of a loop's values in its body comes from the loop.
static void inferAround(Operation *loop, graph::ShapeContext &shapes) {
  if (Operation *outer = loop->getParentOp())
    inferAround(outer, shapes);
  if (isa<graph::WhileOp>(loop) && loop->getNumResults())
    (void)shapes.dims(loop->getResult(0));
}

LogicalResult rewriteLoops(
    func::FuncOp function,
    llvm::function_ref<LogicalResult(graph::WhileOp, graph::ShapeContext &,
                                     SmallVectorImpl<Operation *> &)>
        rewrite) {
  SmallVector<graph::WhileOp> loops;
  function.walk([&](graph::WhileOp loop) { loops.push_back(loop); });
  for (graph::WhileOp loop : loops) {
    SmallVector<Operation *> dead;
    {
      graph::ShapeContext shapes(function.getContext());
      shapes.addEntry(function);
      inferAround(loop, shapes);
      if (failed(rewrite(loop, shapes, dead)))
        return failure();
    }
    for (Operation *op : dead)
      op->erase();
  }
  return success();
}

} // namespace tenon
