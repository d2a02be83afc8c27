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

static Value toI64(OpBuilder &b, Location loc, Value index) {
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
}

Value pointerAt(OpBuilder &b, Location loc, Value base, Value bytes) {
  return LLVM::GEPOp::create(
      b, loc, base.getType(), b.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(toI64(b, loc, bytes))});
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
  LLVM::StoreOp::create(b, loc, toI64(b, loc, index),
                        pointerAt(b, loc, base, bytes));
}

Value memrefAt(OpBuilder &b, Location loc, Value pointer, MemRefType type,
               ValueRange sizes, ValueRange strides) {
  SmallVector<int64_t> staticStrides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(staticStrides, offset)))
    return {};
  int64_t rank = type.getRank();
  Type i64 = b.getI64Type();
  SmallVector<Type> fields = {pointer.getType(), pointer.getType(), i64};
  if (rank > 0)
    fields.append(2, LLVM::LLVMArrayType::get(i64, rank));
  auto structType = LLVM::LLVMStructType::getLiteral(b.getContext(), fields);
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(value));
  };
  Value descriptor = LLVM::UndefOp::create(b, loc, structType);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    descriptor =
        LLVM::InsertValueOp::create(b, loc, descriptor, value, position);
  };
  insert(pointer, 0);
  insert(pointer, 1);
  insert(constant(0), 2);
  SmallVector<Value> sizeWords(rank), strideWords(rank);
  for (int64_t i = 0; i < rank; ++i) {
    if (type.isDynamicDim(i)) {
      sizeWords[i] = toI64(b, loc, sizes.front());
      sizes = sizes.drop_front();
    } else {
      sizeWords[i] = constant(type.getDimSize(i));
    }
  }
  if (type.getLayout().isIdentity()) {
    Value running = constant(1);
    for (int64_t i = rank - 1; i >= 0; --i) {
      strideWords[i] = running;
      if (i > 0)
        running = LLVM::MulOp::create(b, loc, running, sizeWords[i]);
    }
  } else {
    for (int64_t i = 0; i < rank; ++i) {
      if (ShapedType::isDynamic(staticStrides[i])) {
        strideWords[i] = toI64(b, loc, strides.front());
        strides = strides.drop_front();
      } else {
        strideWords[i] = constant(staticStrides[i]);
      }
    }
  }
  for (int64_t i = 0; i < rank; ++i) {
    insert(sizeWords[i], {3, i});
    insert(strideWords[i], {4, i});
  }
  return UnrealizedConversionCastOp::create(b, loc, type, descriptor)
      .getResult(0);
}

Value pointerOf(OpBuilder &b, Location loc, Value memref) {
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
                                  toI64(b, loc, sum));
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
