//===- EntryArguments.cpp - what the inputs of an entry point are ---------===//

#include "frontend/EntryArguments.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace tenon {

func::FuncOp startEntry(ModuleOp module, StringRef symbol,
                        ArrayRef<EntryArgument> arguments, OpBuilder &builder,
                        graph::ShapeContext &shapes) {
  SmallVector<Type> types;
  for (const EntryArgument &argument : arguments) {
    SmallVector<int64_t> sizes(argument.shape);
    for (int64_t &size : sizes)
      size = size < 0 ? ShapedType::kDynamic : size;
    types.push_back(RankedTensorType::get(sizes, argument.elementType));
  }
  builder.setInsertionPointToEnd(module.getBody());
  auto function =
      func::FuncOp::create(builder, UnknownLoc::get(builder.getContext()),
                           symbol, builder.getFunctionType(types, {}));
  function->setAttr("graph.entry", builder.getUnitAttr());
  Block *block = function.addEntryBlock();
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    SmallVector<Attribute> sizes;
    for (auto [size, label] : llvm::zip(argument.shape, argument.labels))
      sizes.push_back(size < 0 ? Attribute(builder.getStringAttr(label))
                               : Attribute(builder.getI64IntegerAttr(size)));
    function.setArgAttr(i, "graph.name", builder.getStringAttr(argument.name));
    function.setArgAttr(i, "graph.dims", builder.getArrayAttr(sizes));
    if (argument.byDefault)
      function.setArgAttr(i, "graph.default", argument.byDefault);
    block->getArgument(i).setLoc(
        NameLoc::get(builder.getStringAttr(argument.name)));
  }
  shapes.addEntry(function);
  builder.setInsertionPointToEnd(block);
  return function;
}

} // namespace tenon
