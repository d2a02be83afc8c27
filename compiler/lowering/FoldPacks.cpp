#include "compiler/lowering/FoldPacks.h"
#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/LowerPrecision.h"
#include "compiler/lowering/PackWeights.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tenon;

void tenon::writePacked(DictionaryAttr how, MemRefType type,
                        MutableArrayRef<char> out) {
  auto geometry = how.getAs<DictionaryAttr>("geometry");
  auto integer = [&](StringRef name, int64_t otherwise) {
    auto attribute = geometry.getAs<IntegerAttr>(name);
    return attribute ? attribute.getInt() : otherwise;
  };
  auto source = how.getAs<ElementsAttr>("source");
  auto resource = dyn_cast<DenseResourceElementsAttr>(source);
  ArrayRef<char> bytes = resource
                             ? resource.getData()
                             : cast<DenseElementsAttr>(source).getRawData();
  PackGeometry packing = PackGeometry::get(
      cast<ShapedType>(source.getType()).getShape(), integer("spatial", 0),
      integer("groups", 1), geometry.contains("transpose_b"),
      geometry.contains("reverse"));
  packing.panelWidth = type.getShape().back();
  packing.pairs = geometry.contains("pairs");
  std::vector<char> rounded;
  if (source.getElementType() != type.getElementType())
    bytes = rounded = roundToBf16(bytes);
  packWeights(bytes, elementBytes(type.getElementType()), packing, out);
}

ElementsAttr tenon::constantOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  while (Operation *op = value.getDefiningOp()) {
    if (Value exact = getRounded(op)) {
      if (!type)
        return {};
      value = exact;
      type =
          type.clone(cast<RankedTensorType>(exact.getType()).getElementType());
      continue;
    }
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    auto constant = dyn_cast<arith::ConstantOp>(op);
    if (!constant || !type || !type.hasStaticShape())
      return {};
    if (auto resource =
            dyn_cast<DenseResourceElementsAttr>(constant.getValue()))
      return DenseResourceElementsAttr::get(type, resource.getRawHandle());
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    return dense ? dense.reshape(type) : DenseElementsAttr();
  }
  return {};
}

namespace {
/// A `kernel.pack` of a constant becomes a `memref.global` that carries what is
/// to be packed and how (`tenon.pack`); its bytes are produced when the weights
/// are written.
struct FoldPacksPass
    : PassBase<FoldPacksPass, ModuleOp, bufferization::BufferizationDialect,
               memref::MemRefDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FoldPacksPass)
  static constexpr StringLiteral kArgument = "fold-packs";
  static constexpr StringLiteral kSummary =
      "pack constant contraction operands at compile time";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    // The same weights packed the same way are one global.
    llvm::DenseMap<std::pair<Attribute, Attribute>, memref::GlobalOp> packed;
    module.walk([&](kernel::PackOp pack) {
      ElementsAttr constant = constantOf(pack.getSource());
      auto type = dyn_cast<RankedTensorType>(pack.getPacked().getType());
      if (!constant || !type || !type.hasStaticShape())
        return;
      OpBuilder b(pack);
      DictionaryAttr how = b.getDictionaryAttr(
          {b.getNamedAttr("source", constant),
           b.getNamedAttr("geometry", pack->getAttrDictionary())});
      auto &global = packed[{how, TypeAttr::get(type)}];
      auto memref = MemRefType::get(type.getShape(), type.getElementType());
      if (!global) {
        OpBuilder atTop = OpBuilder::atBlockBegin(module.getBody());
        global = memref::GlobalOp::create(
            atTop, pack.getLoc(), "packed", atTop.getStringAttr("private"),
            memref, Attribute(), /*constant=*/true, IntegerAttr());
        global->setAttr("tenon.pack", how);
        symbols.insert(global);
      }
      Value buffer = memref::GetGlobalOp::create(b, pack.getLoc(), memref,
                                                 global.getSymName());
      pack->getResult(0).replaceAllUsesWith(bufferization::ToTensorOp::create(
          b, pack.getLoc(), type, buffer, /*restrict=*/true));
      pack.erase();
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createFoldPacksPass() {
  return std::make_unique<FoldPacksPass>();
}
} // namespace tenon
