#include "compiler/training/Variables.h"
#include "dialects/graph/Graph.h"
#include "dialects/graph/ops/State.h"

using namespace mlir;

namespace tenon::training {

static DenseElementsAttr splat(RankedTensorType type, double number) {
  Type element = type.getElementType();
  if (auto of = dyn_cast<FloatType>(element)) {
    APFloat value(number);
    bool inexact;
    value.convert(of.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &inexact);
    return DenseElementsAttr::get(type, value);
  }
  return DenseElementsAttr::get(type, APInt(element.getIntOrFloatBitWidth(),
                                            uint64_t(int64_t(number)),
                                            /*isSigned=*/true));
}

Variable Variables::declare(StringRef name, RankedTensorType type,
                            double initial) {
  if (auto known = symbols.lookup<graph::VariableOp>(name))
    return {known.getSymNameAttr(), cast<RankedTensorType>(known.getType())};
  return declare(name, splat(type, initial));
}

Variable Variables::declare(StringRef name, ElementsAttr initial) {
  auto module = cast<ModuleOp>(symbols.getOp());
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto type = cast<RankedTensorType>(initial.getType());
  auto op = graph::VariableOp::create(
      builder, builder.getUnknownLoc(), builder.getStringAttr(name),
      TypeAttr::get(type), initial, /*trainable=*/UnitAttr(),
      /*original=*/StringAttr(), /*generator=*/UnitAttr());
  symbols.insert(op, module.getBody()->begin());
  return {op.getSymNameAttr(), type};
}

graph::Tensor Variables::read(graph::GraphBuilder &b, Variable variable) {
  return {b, graph::ReadOp::create(b.builder, b.loc, variable.type,
                                   FlatSymbolRefAttr::get(variable.symbol))};
}

void Variables::assign(graph::GraphBuilder &b, Variable variable,
                       graph::Tensor value) {
  if (value)
    graph::AssignOp::create(b.builder, b.loc,
                            FlatSymbolRefAttr::get(variable.symbol),
                            value.value());
}

} // namespace tenon::training
