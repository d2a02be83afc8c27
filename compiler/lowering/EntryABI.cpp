#include "compiler/lowering/EntryABI.h"

using namespace mlir;

namespace tenon {

static LLVM::LLVMPointerType pointerType(MLIRContext *context) {
  return LLVM::LLVMPointerType::get(context);
}

FunctionType entryType(MLIRContext *context) {
  Type pointer = pointerType(context);
  return FunctionType::get(context, {pointer, pointer, pointer, pointer},
                           {IntegerType::get(context, 32)});
}

FunctionType kernelType(MLIRContext *context) {
  Type index = IndexType::get(context);
  return FunctionType::get(context, {pointerType(context), index, index}, {});
}

Value pointerAt(OpBuilder &b, Location loc, Value base, int64_t bytes) {
  if (bytes == 0)
    return base;
  // A constant index of the op has few bits; larger offsets are values.
  LLVM::GEPArg offset =
      llvm::isInt<LLVM::kGEPConstantBitWidth>(bytes)
          ? LLVM::GEPArg(int32_t(bytes))
          : LLVM::GEPArg(LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                                  b.getI64IntegerAttr(bytes)));
  return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value toWord(OpBuilder &b, Location loc, Value index) {
  if (IntegerAttr number; matchPattern(index, m_Constant(&number)))
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                    b.getI64IntegerAttr(number.getInt()));
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
}

Value pointerAt(OpBuilder &b, Location loc, Value base, Value bytes) {
  return LLVM::GEPOp::create(
      b, loc, base.getType(), b.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(toWord(b, loc, bytes))});
}

Value loadPointer(OpBuilder &b, Location loc, Value base, int64_t bytes) {
  return LLVM::LoadOp::create(b, loc, base.getType(),
                              pointerAt(b, loc, base, bytes));
}

Value loadIndex(OpBuilder &b, Location loc, Value base, int64_t bytes) {
  Value word = LLVM::LoadOp::create(b, loc, b.getI64Type(),
                                    pointerAt(b, loc, base, bytes));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), word);
}

void storeIndex(OpBuilder &b, Location loc, Value index, Value base,
                int64_t bytes) {
  LLVM::StoreOp::create(b, loc, toWord(b, loc, index),
                        pointerAt(b, loc, base, bytes));
}

Value memrefAt(OpBuilder &b, Location loc, Value pointer, MemRefType type,
               ValueRange sizes, ValueRange strides) {
  SmallVector<Value> parts{pointer};
  llvm::append_range(parts, sizes);
  llvm::append_range(parts, strides);
  return UnrealizedConversionCastOp::create(b, loc, type, parts).getResult(0);
}

std::optional<Memory> memoryOf(Value memref) {
  auto type = dyn_cast<MemRefType>(memref.getType());
  auto cast = memref.getDefiningOp<UnrealizedConversionCastOp>();
  if (!type || !cast || cast.getInputs().empty() ||
      !isa<LLVM::LLVMPointerType>(cast.getInputs()[0].getType()))
    return std::nullopt;
  ValueRange rest = cast.getInputs().drop_front();
  int64_t sizes = type.getNumDynamicDims();
  return Memory{cast.getInputs()[0], rest.take_front(sizes),
                rest.drop_front(sizes)};
}

Value sizeOf(OpBuilder &b, Location loc, Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return arith::ConstantIndexOp::create(b, loc, type.getDimSize(dim));
  if (std::optional<Memory> memory = memoryOf(memref))
    return memory->sizes[type.getDynamicDimIndex(dim)];
  return memref::DimOp::create(b, loc, memref, dim);
}

/// The address of a memref's first element, where that takes no more than
/// looking at what made it; else null.
static Value knownPointer(OpBuilder &b, Location loc, Value memref) {
  if (std::optional<Memory> memory = memoryOf(memref))
    return memory->pointer;
  Operation *op = memref.getDefiningOp();
  if (isa_and_present<memref::CastOp, memref::CollapseShapeOp,
                      memref::ExpandShapeOp>(op))
    return knownPointer(b, loc, op->getOperand(0));
  auto part = dyn_cast_or_null<memref::SubViewOp>(op);
  if (!part || !llvm::none_of(part.getStaticOffsets(), ShapedType::isDynamic))
    return {};
  MemRefType type = part.getSourceType();
  SmallVector<int64_t> strides;
  int64_t offset, elements = 0;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return {};
  for (auto [start, stride] : llvm::zip(part.getStaticOffsets(), strides)) {
    if (start && ShapedType::isDynamic(stride))
      return {};
    elements += start ? start * stride : 0;
  }
  Value base = knownPointer(b, loc, part.getSource());
  return base ? pointerAt(b, loc, base,
                          elements * elementBytes(type.getElementType()))
              : Value();
}

Value pointerOf(OpBuilder &b, Location loc, Value memref) {
  if (Value known = knownPointer(b, loc, memref))
    return known;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  Value bytes = arith::MulIOp::create(
      b, loc, metadata.getOffset(),
      arith::ConstantIndexOp::create(
          b, loc,
          elementBytes(cast<MemRefType>(memref.getType()).getElementType())));
  Value sum = arith::AddIOp::create(b, loc, address, bytes);
  return LLVM::IntToPtrOp::create(b, loc, pointerType(b.getContext()),
                                  toWord(b, loc, sum));
}

int64_t elementBytes(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * elementBytes(complex.getElementType());
  if (type.isIndex())
    return 8;
  if (type.isIntOrFloat())
    return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
  return 16; // strings: pointer and length
}

bool isEntryPoint(func::FuncOp function) {
  return function->hasAttr(kEntryAttr) && !function->hasAttr(kVersionAttr);
}

FailureOr<SmallVector<func::FuncOp>> versionsOf(func::FuncOp first) {
  SmallVector<func::FuncOp> versions{first};
  while (Attribute next = versions.back()->getAttr(kFallbackAttr)) {
    auto name = dyn_cast<FlatSymbolRefAttr>(next);
    auto version =
        name ? first->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>(
                   name.getAttr())
             : func::FuncOp();
    if (!version || !version->hasAttr(kVersionAttr) ||
        !version->hasAttr(kEntryAttr) || version.isExternal())
      return first.emitError()
             << "entry '" << first.getSymName() << "' has " << kFallbackAttr
             << " " << next << ", which is no version of an entry";
    if (llvm::is_contained(versions, version))
      return first.emitError() << "entry '" << first.getSymName()
                               << "' falls back to versions in a circle";
    versions.push_back(version);
  }
  auto fits = [](TypeRange mine, TypeRange its) {
    return mine.size() == its.size() &&
           llvm::all_of_zip(mine, its, [](Type one, Type other) {
             return getElementTypeOrSelf(one) == getElementTypeOrSelf(other) &&
                    succeeded(verifyCompatibleShape(one, other));
           });
  };
  for (func::FuncOp version : versions)
    if (!fits(version.getArgumentTypes(), versions.back().getArgumentTypes()) ||
        !fits(version.getResultTypes(), versions.back().getResultTypes()))
      return first.emitError()
             << "the versions '" << version.getSymName() << "' and '"
             << versions.back().getSymName() << "' of entry '"
             << first.getSymName() << "' have different types";
  return versions;
}

LLVM::LLVMFuncOp runtimeFunction(ModuleOp module, StringRef name, Type result,
                                 ArrayRef<Type> arguments) {
  if (auto existing = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return existing;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  return LLVM::LLVMFuncOp::create(
      b, module.getLoc(), name, LLVM::LLVMFunctionType::get(result, arguments));
}

} // namespace tenon
