//===- HalfExpand.cpp - f16 and bf16 without helper functions -------------===//

#include "compiler/backend/cpu/HalfExpand.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;

namespace tenon {

namespace {

bool isSmallFloat(Type *type) {
  Type *scalar = type->getScalarType();
  return scalar->isHalfTy() || scalar->isBFloatTy();
}

Type *withScalar(Type *type, Type *scalar) {
  if (auto *vector = dyn_cast<VectorType>(type))
    return VectorType::get(scalar, vector->getElementCount());
  return scalar;
}

class HalfExpander {
public:
  HalfExpander(Function &function, bool hasF16C, bool hasBf16)
      : function(function), builder(function.getContext()), hasF16C(hasF16C),
        hasBf16(hasBf16) {}

  void run() {
    SmallVector<Instruction *> work;
    for (Instruction &instruction : instructions(function))
      work.push_back(&instruction);
    for (Instruction *instruction : work) {
      builder.SetInsertPoint(instruction);
      Value *replacement = rewrite(*instruction);
      if (!replacement)
        continue;
      replacement->takeName(instruction);
      instruction->replaceAllUsesWith(replacement);
      instruction->eraseFromParent();
    }
  }

private:
  /// The value that replaces `instruction`; null when it stays.
  Value *rewrite(Instruction &instruction) {
    if (auto *extend = dyn_cast<FPExtInst>(&instruction)) {
      if (!isSmallFloat(extend->getSrcTy()))
        return nullptr;
      Value *single = extendToFloat(extend->getOperand(0));
      return extend->getDestTy()->getScalarType()->isFloatTy()
                 ? single
                 : builder.CreateFPExt(single, extend->getDestTy());
    }
    if (auto *truncate = dyn_cast<FPTruncInst>(&instruction)) {
      if (!isSmallFloat(truncate->getDestTy()))
        return nullptr;
      return truncateTo(truncate->getOperand(0), truncate->getDestTy());
    }
    if (auto *call = dyn_cast<IntrinsicInst>(&instruction))
      return rewriteIntrinsic(*call);
    if (isArithmetic(instruction))
      return promote(instruction);
    return nullptr;
  }

  static bool isArithmetic(Instruction &instruction) {
    switch (instruction.getOpcode()) {
    case Instruction::FAdd:
    case Instruction::FSub:
    case Instruction::FMul:
    case Instruction::FDiv:
    case Instruction::FRem:
    case Instruction::FNeg:
    case Instruction::FCmp:
    case Instruction::FPToSI:
    case Instruction::FPToUI:
    case Instruction::SIToFP:
    case Instruction::UIToFP:
      return isSmallFloat(instruction.getType()) ||
             isSmallFloat(instruction.getOperand(0)->getType());
    default:
      return false;
    }
  }

  /// The same instruction on float, its result rounded back.
  Value *promote(Instruction &instruction) {
    Type *type = instruction.getType();
    Instruction *copy = instruction.clone();
    for (Use &operand : copy->operands())
      if (isSmallFloat(operand->getType()))
        operand.set(extendToFloat(operand));
    if (isSmallFloat(type))
      copy->mutateType(withScalar(type, builder.getFloatTy()));
    builder.Insert(copy);
    return isSmallFloat(type) ? truncateTo(copy, type) : copy;
  }

  Value *rewriteIntrinsic(IntrinsicInst &call) {
    Intrinsic::ID id = call.getIntrinsicID();
    if (id == Intrinsic::powi)
      return expandPowi(call);
    switch (id) {
    case Intrinsic::fma:
    case Intrinsic::fmuladd:
    case Intrinsic::sqrt:
    case Intrinsic::fabs:
    case Intrinsic::copysign:
    case Intrinsic::minnum:
    case Intrinsic::maxnum:
    case Intrinsic::minimum:
    case Intrinsic::maximum:
    case Intrinsic::floor:
    case Intrinsic::ceil:
    case Intrinsic::trunc:
    case Intrinsic::rint:
    case Intrinsic::nearbyint:
    case Intrinsic::round:
    case Intrinsic::roundeven:
    case Intrinsic::exp:
    case Intrinsic::exp2:
    case Intrinsic::log:
    case Intrinsic::log2:
    case Intrinsic::log10:
    case Intrinsic::sin:
    case Intrinsic::cos:
    case Intrinsic::tan:
    case Intrinsic::tanh:
    case Intrinsic::pow:
    case Intrinsic::canonicalize:
    case Intrinsic::fptosi_sat:
    case Intrinsic::fptoui_sat:
    case Intrinsic::is_fpclass:
    case Intrinsic::vector_reduce_fadd:
    case Intrinsic::vector_reduce_fmul:
    case Intrinsic::vector_reduce_fmin:
    case Intrinsic::vector_reduce_fmax:
    case Intrinsic::vector_reduce_fminimum:
    case Intrinsic::vector_reduce_fmaximum:
      break;
    default: // Moves, masked ones too, need no arithmetic.
      return nullptr;
    }
    Type *type = call.getType();
    bool concerned = isSmallFloat(type);
    SmallVector<Value *> arguments;
    for (Value *argument : call.args()) {
      bool small = isSmallFloat(argument->getType());
      concerned |= small;
      arguments.push_back(small ? extendToFloat(argument) : argument);
    }
    if (!concerned)
      return nullptr;
    Type *wide =
        isSmallFloat(type) ? withScalar(type, builder.getFloatTy()) : type;
    Value *result =
        builder.CreateIntrinsic(wide, id, arguments, FMFSource(&call));
    return isSmallFloat(type) ? truncateTo(result, type) : result;
  }

  Value *expandPowi(IntrinsicInst &call) {
    Type *type = call.getType();
    Value *base = call.getArgOperand(0);
    if (isSmallFloat(type))
      base = extendToFloat(base);
    Value *exponent = call.getArgOperand(1);
    if (auto *vector = dyn_cast<VectorType>(base->getType()))
      exponent = builder.CreateVectorSplat(vector->getElementCount(), exponent);
    exponent = builder.CreateSIToFP(exponent, base->getType());
    Value *result = builder.CreateBinaryIntrinsic(Intrinsic::pow, base,
                                                  exponent, FMFSource(&call));
    return isSmallFloat(type) ? truncateTo(result, type) : result;
  }

  Type *intType(Value *shape, unsigned bits) {
    return withScalar(shape->getType(), builder.getIntNTy(bits));
  }

  Value *constant(Value *shape, uint32_t bits) {
    return ConstantInt::get(intType(shape, 32), bits);
  }

  Value *asFloat(Value *bits) {
    return builder.CreateBitCast(
        bits, withScalar(bits->getType(), builder.getFloatTy()));
  }

  Value *asInt(Value *value) {
    return builder.CreateBitCast(
        value, intType(value, value->getType()->getScalarSizeInBits()));
  }

  /// half or bfloat -> float, exact.
  Value *extendToFloat(Value *value) {
    bool isHalf = value->getType()->getScalarType()->isHalfTy();
    if (isHalf && hasF16C)
      return builder.CreateFPExt(
          value, withScalar(value->getType(), builder.getFloatTy()));
    Value *bits = builder.CreateZExt(asInt(value), intType(value, 32));
    if (!isHalf)
      return asFloat(builder.CreateShl(bits, 16));
    Value *sign =
        builder.CreateShl(builder.CreateAnd(bits, constant(bits, 0x8000)), 16);
    Value *rest =
        builder.CreateShl(builder.CreateAnd(bits, constant(bits, 0x7fff)), 13);
    Value *exponent = builder.CreateAnd(rest, constant(bits, 0x0f800000));
    Value *normal = builder.CreateAdd(rest, constant(bits, 0x38000000));
    Value *special = builder.CreateAdd(rest, constant(bits, 0x70000000));
    // 2^-14 with the subnormal's bits behind it, minus 2^-14.
    Value *base = asFloat(constant(bits, 0x38800000));
    Value *small = asInt(builder.CreateFSub(
        asFloat(builder.CreateAdd(rest, constant(bits, 0x38800000))), base));
    Value *isSpecial =
        builder.CreateICmpEQ(exponent, constant(bits, 0x0f800000));
    Value *isSmall = builder.CreateICmpEQ(exponent, constant(bits, 0));
    Value *result = builder.CreateSelect(isSpecial, special, normal);
    result = builder.CreateSelect(isSmall, small, result);
    return asFloat(builder.CreateOr(result, sign));
  }

  /// float or double -> half or bfloat, to nearest even.
  Value *truncateTo(Value *value, Type *type) {
    if (value->getType()->getScalarType()->isDoubleTy())
      value = roundToOdd(value);
    if (type->getScalarType()->isBFloatTy())
      return hasBf16 && type->isVectorTy() ? builder.CreateFPTrunc(value, type)
                                           : truncateToBFloat(value, type);
    if (hasF16C)
      return builder.CreateFPTrunc(value, type);
    return truncateToHalf(value, type);
  }

  /// double -> float with the last bit set when inexact, so that rounding the
  /// float once more gives what rounding the double once would have given.
  Value *roundToOdd(Value *value) {
    Value *nearest = builder.CreateFPTrunc(
        value, withScalar(value->getType(), builder.getFloatTy()));
    Value *back = builder.CreateFPExt(nearest, value->getType());
    Value *bits = asInt(nearest);
    Value *inexact = builder.CreateFCmpONE(back, value);
    Value *away = builder.CreateFCmpOGT(
        builder.CreateUnaryIntrinsic(Intrinsic::fabs, back),
        builder.CreateUnaryIntrinsic(Intrinsic::fabs, value));
    Value *toZero =
        builder.CreateSub(bits, builder.CreateZExt(away, bits->getType()));
    Value *odd = builder.CreateOr(toZero, constant(bits, 1));
    return asFloat(builder.CreateSelect(inexact, odd, bits));
  }

  Value *lowBit(Value *bits, unsigned position) {
    return builder.CreateAnd(builder.CreateLShr(bits, position),
                             constant(bits, 1));
  }

  Value *truncateToBFloat(Value *value, Type *type) {
    Value *bits = asInt(value);
    Value *rounded = builder.CreateAdd(
        builder.CreateAdd(bits, constant(bits, 0x7fff)), lowBit(bits, 16));
    Value *quiet = builder.CreateOr(bits, constant(bits, 0x00400000));
    Value *isNan = builder.CreateFCmpUNO(value, value);
    Value *result = builder.CreateSelect(isNan, quiet, rounded);
    return narrow(builder.CreateLShr(result, 16), type);
  }

  Value *truncateToHalf(Value *value, Type *type) {
    Value *bits = asInt(value);
    Value *sign = builder.CreateAnd(bits, constant(bits, 0x80000000));
    Value *rest = builder.CreateXor(bits, sign);
    // Rebias the exponent by 15 - 127, round at bit 13.
    Value *normal = builder.CreateAdd(
        builder.CreateAdd(rest, constant(bits, 0xc8000fff)), lowBit(rest, 13));
    normal = builder.CreateLShr(normal, 13);
    // Below 2^-14, adding 0.5 makes the FPU round at the last subnormal bit.
    Value *half = asFloat(constant(bits, 0x3f000000));
    Value *small =
        builder.CreateSub(asInt(builder.CreateFAdd(asFloat(rest), half)),
                          constant(bits, 0x3f000000));
    Value *payload =
        builder.CreateAnd(builder.CreateLShr(rest, 13), constant(bits, 0x3ff));
    Value *nan = builder.CreateOr(payload, constant(bits, 0x7e00));
    Value *isNan = builder.CreateICmpUGT(rest, constant(bits, 0x7f800000));
    Value *isLarge = builder.CreateICmpUGE(rest, constant(bits, 0x47800000));
    Value *isSmall = builder.CreateICmpULT(rest, constant(bits, 0x38800000));
    Value *result = builder.CreateSelect(isSmall, small, normal);
    result = builder.CreateSelect(isLarge, constant(bits, 0x7c00), result);
    result = builder.CreateSelect(isNan, nan, result);
    return narrow(builder.CreateOr(result, builder.CreateLShr(sign, 16)), type);
  }

  Value *narrow(Value *bits, Type *type) {
    return builder.CreateBitCast(builder.CreateTrunc(bits, intType(bits, 16)),
                                 type);
  }

  Function &function;
  IRBuilder<> builder;
  bool hasF16C, hasBf16;
};

/// Lets values that are only moved travel as integers: in a register of a type
/// that it does not have LLVM keeps a float, which it makes of what is loaded
/// and rounds, by a helper function, to what is stored.
class IntegerMoves {
public:
  explicit IntegerMoves(Function &function)
      : function(function), builder(function.getContext()) {}

  void run() {
    SmallVector<Instruction *> ends;
    for (Instruction &instruction : instructions(function)) {
      Value *moved = getMoved(instruction);
      if (moved && isMove(moved))
        ends.push_back(&instruction);
    }
    for (Instruction *end : ends) {
      Value *bits = asInteger(getMoved(*end));
      if (auto *store = dyn_cast<StoreInst>(end)) {
        store->setOperand(0, bits);
        continue;
      }
      end->replaceAllUsesWith(bits);
      end->eraseFromParent();
    }
    for (WeakTrackingVH &handle : replaced) {
      if (auto *phi = dyn_cast_or_null<PHINode>(handle))
        RecursivelyDeleteDeadPHINode(phi);
      else if (auto *instruction = dyn_cast_or_null<Instruction>(handle))
        RecursivelyDeleteTriviallyDeadInstructions(instruction);
    }
  }

private:
  /// What an instruction takes as it is: the value of a store, or bits.
  static Value *getMoved(Instruction &instruction) {
    Value *moved = nullptr;
    if (auto *store = dyn_cast<StoreInst>(&instruction))
      moved = store->getValueOperand();
    else if (auto *cast = dyn_cast<BitCastInst>(&instruction))
      moved = cast->getOperand(0);
    bool isSmall = moved && isSmallFloat(moved->getType());
    bool keepsLanes =
        isSmall && (isa<StoreInst>(instruction) ||
                    instruction.getType() == getIntegerType(moved->getType()));
    return keepsLanes ? moved : nullptr;
  }

  static bool isMove(Value *value) {
    return isa<LoadInst, PHINode, SelectInst, BitCastInst>(value);
  }

  static Type *getIntegerType(Type *type) {
    return withScalar(type, Type::getInt16Ty(type->getContext()));
  }

  Value *asInteger(Value *value) {
    if (Value *known = bits.lookup(value))
      return known;
    Type *type = getIntegerType(value->getType());
    auto *instruction = dyn_cast<Instruction>(value);
    if (instruction && isMove(value))
      replaced.push_back(instruction);
    if (auto *cast = dyn_cast<BitCastInst>(value);
        cast && cast->getSrcTy() == type)
      return bits[value] = cast->getOperand(0);
    if (auto *load = dyn_cast<LoadInst>(value)) {
      builder.SetInsertPoint(load);
      return bits[value] = builder.CreateAlignedLoad(
                 type, load->getPointerOperand(), load->getAlign(),
                 load->isVolatile());
    }
    if (auto *phi = dyn_cast<PHINode>(value)) {
      builder.SetInsertPoint(phi);
      PHINode *result = builder.CreatePHI(type, phi->getNumIncomingValues());
      bits[value] = result;
      for (auto [incoming, block] :
           llvm::zip(phi->incoming_values(), phi->blocks()))
        result->addIncoming(asInteger(incoming), block);
      return result;
    }
    if (auto *select = dyn_cast<SelectInst>(value)) {
      Value *first = asInteger(select->getTrueValue());
      Value *second = asInteger(select->getFalseValue());
      builder.SetInsertPoint(select);
      return bits[value] =
                 builder.CreateSelect(select->getCondition(), first, second);
    }
    if (instruction)
      builder.SetInsertPoint(*instruction->getInsertionPointAfterDef());
    else
      builder.SetInsertPoint(function.getEntryBlock().getFirstNonPHIIt());
    return bits[value] = builder.CreateBitCast(value, type);
  }

  Function &function;
  IRBuilder<> builder;
  DenseMap<Value *, Value *> bits;
  SmallVector<WeakTrackingVH> replaced;
};

} // namespace

void expandHalfTypes(Module &module, TargetMachine &machine) {
  const MCSubtargetInfo &subtarget = *machine.getMCSubtargetInfo();
  bool hasF16C =
      machine.getTargetTriple().isX86() && subtarget.checkFeatures("+f16c");
  bool hasBf16 = machine.getTargetTriple().isX86() &&
                 subtarget.checkFeatures("+avx512bf16,+avx512vl");
  for (Function &function : module)
    if (!function.isDeclaration()) {
      HalfExpander(function, hasF16C, hasBf16).run();
      IntegerMoves(function).run();
    }
}

} // namespace tenon
