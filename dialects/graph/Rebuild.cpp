#include "dialects/graph/Rebuild.h"

using namespace mlir;

namespace tenon::graph {

void takeRegions(OperationState &op, Operation *from) {
  for (Region &region : from->getRegions()) {
    auto moved = std::make_unique<Region>();
    moved->takeBody(region);
    op.addRegion(std::move(moved));
  }
}

Operation *rebuildWith(DifferentiationState &state, OpBuilder &builder,
                       Operation *from, ValueRange operands,
                       ArrayRef<Type> elements) {
  OperationState made(from->getLoc(), from->getName());
  made.addOperands(operands);
  for (Type element : elements)
    made.addTypes(UnrankedTensorType::get(element));
  takeRegions(made, from);
  Operation *op = builder.create(made);
  from->remove();
  state.replaced.push_back(from);
  return succeeded(inferResultTypes(op, state.shapes)) ? op : nullptr;
}

Operation *cloneWithoutEffects(OpBuilder &builder, Operation *op) {
  Operation *copy = builder.clone(*op);
  SmallVector<Operation *> effects;
  copy->walk([&](Operation *nested) {
    if (nested->getNumResults() == 0 &&
        !nested->hasTrait<OpTrait::IsTerminator>())
      effects.push_back(nested);
  });
  for (Operation *effect : effects)
    effect->erase();
  return copy;
}

} // namespace tenon::graph
