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
  SmallVector<DictionaryAttr> attributes;
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    SmallVector<Attribute> sizes;
    for (auto [size, label] : llvm::zip(argument.shape, argument.labels))
      sizes.push_back(size < 0 ? Attribute(builder.getStringAttr(label))
                               : Attribute(builder.getI64IntegerAttr(size)));
    SmallVector<NamedAttribute> own{
        builder.getNamedAttr("graph.name",
                             builder.getStringAttr(argument.name)),
        builder.getNamedAttr("graph.dims", builder.getArrayAttr(sizes))};
    if (argument.byDefault)
      own.push_back(builder.getNamedAttr("graph.default", argument.byDefault));
    attributes.push_back(builder.getDictionaryAttr(own));
    block->getArgument(i).setLoc(
        NameLoc::get(builder.getStringAttr(argument.name)));
  }
  function.setAllArgAttrs(attributes);
  shapes.addEntry(function);
  builder.setInsertionPointToEnd(block);
  return function;
}

} // namespace tenon
