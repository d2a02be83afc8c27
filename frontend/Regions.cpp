//===- Regions.cpp - what conditions and loops share ----------------------===//

#include "frontend/Regions.h"

using namespace mlir;

namespace tenon {

void yield(Binder &binder, ArrayRef<Value> values) {
  OperationState state(binder.location(), "graph.yield");
  state.addOperands(values);
  binder.builder().create(state);
}

PendingRegions::PendingRegions(Binder &binder, StringRef op) : binder(binder) {
  OperationState state(binder.location(), op);
  state.addRegion();
  state.addRegion();
  holder = binder.builder().create(state);
}

PendingRegions::~PendingRegions() {
  if (!holder)
    return;
  holder->remove();
  binder.state.discarded.push_back(holder);
}

void PendingRegions::moveTo(OperationState &state) {
  for (Region &region : holder->getRegions()) {
    auto moved = std::make_unique<Region>();
    moved->takeBody(region);
    state.addRegion(std::move(moved));
  }
  holder->erase();
  holder = nullptr;
}

Operation *finish(Binder &binder, OperationState &state) {
  Operation *op = binder.builder().create(state);
  std::string message;
  ScopedDiagnosticHandler capture(binder.context(), [&](Diagnostic &text) {
    if (message.empty())
      message = text.str();
  });
  if (succeeded(graph::inferResultTypes(op, binder.shapes())))
    return op;
  binder.fail(message);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Sizes as values
//===----------------------------------------------------------------------===//

/// A size as an i64 scalar tensor.
static Value sizeValue(Binder &binder, AffineExpr size) {
  Type i64 = binder.builder().getI64Type();
  if (auto known = graph::ShapeContext::asConstant(size))
    return binder.scalar(i64, double(*known));
  if (auto symbol = dyn_cast<AffineSymbolExpr>(size)) {
    auto origin = binder.shapes().origin(symbol.getPosition());
    if (origin.lhs)
      return binder.make(
          origin.greater ? "graph.maximum" : "graph.minimum", i64,
          {sizeValue(binder, origin.lhs), sizeValue(binder, origin.rhs)});
    if (!isVisible(binder, origin.value)) {
      binder.fail("a size that only a loop's body knows is needed before it");
      return {};
    }
    Value all = binder.make("graph.shape_of", i64, origin.value);
    int64_t dim = origin.dim;
    return binder.make("graph.strided_slice", i64,
                       {all, binder.integersConstant(dim, i64),
                        binder.integersConstant(dim + 1, i64),
                        binder.integersConstant(1, i64)},
                       binder.attribute("shrink_axis_mask", int64_t(1)));
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(size);
  StringRef op;
  switch (size.getKind()) {
  case AffineExprKind::Add:
    op = "graph.add";
    break;
  case AffineExprKind::Mul:
    op = "graph.mul";
    break;
  case AffineExprKind::FloorDiv:
    op = "graph.floor_div";
    break;
  case AffineExprKind::Mod:
    op = "graph.floor_mod";
    break;
  default:
    binder.fail("a size is too complicated to be computed before a loop");
    return {};
  }
  return binder.make(
      op, i64,
      {sizeValue(binder, binary.getLHS()), sizeValue(binder, binary.getRHS())});
}

Value Binder::shapeTensor(ArrayRef<AffineExpr> sizes) {
  Type i64 = builder().getI64Type();
  SmallVector<int64_t> known;
  for (AffineExpr size : sizes)
    if (auto number = graph::ShapeContext::asConstant(size))
      known.push_back(*number);
  if (known.size() == sizes.size())
    return integersConstant(known, i64);
  SmallVector<Value> parts;
  for (AffineExpr size : sizes)
    parts.push_back(sizeValue(*this, size));
  return make("graph.pack", i64, parts, attribute("axis", int64_t(0)));
}

} // namespace tenon
