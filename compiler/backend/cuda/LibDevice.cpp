//===- LibDevice.cpp - functions that a GPU has no instruction for --------===//

#include "compiler/backend/cuda/LibDevice.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace tenon {

namespace {

/// Where NVIDIA's and Debian's packages keep it.
constexpr const char *kPaths[] = {
    "/usr/local/cuda/nvvm/libdevice/libdevice.10.bc",
    "/usr/lib/nvidia-cuda-toolkit/libdevice/libdevice.10.bc",
    "/usr/lib/cuda/nvvm/libdevice/libdevice.10.bc"};

/// Names of the C library that libdevice has with __nv_ before them; those of
/// floats end in f.
constexpr const char *kFunctions[] = {
    "acos",  "acosh", "asin",   "asinh",    "atan",   "atan2", "atanh",
    "cbrt",  "cos",   "cosh",   "erf",      "erfc",   "exp",   "exp10",
    "exp2",  "expm1", "fmod",   "hypot",    "lgamma", "log",   "log10",
    "log1p", "log2",  "logb",   "pow",      "powi",   "sin",   "sinh",
    "tan",   "tanh",  "tgamma", "remainder"};

bool isKnown(StringRef name) { return llvm::is_contained(kFunctions, name); }

/// The C library's name, for doubles, of what `callee` computes; empty for
/// anything else.
StringRef getFunctionName(const Function &callee) {
  StringRef name = callee.getName();
  if (callee.isIntrinsic())
    return name.consume_front("llvm.") && isKnown(name.split('.').first)
               ? name.split('.').first
               : StringRef();
  if (!callee.isDeclaration())
    return {};
  if (isKnown(name))
    return name;
  name.consume_back("f");
  return isKnown(name) ? name : StringRef();
}

class Replacer {
public:
  Replacer(Module &module) : module(module), b(module.getContext()) {}

  /// Whether something is to be linked.
  Expected<bool> run() {
    SmallVector<Instruction *> found;
    for (Function &function : module)
      for (BasicBlock &block : function)
        for (Instruction &instruction : block)
          if (isa<CallInst>(instruction) ||
              instruction.getOpcode() == Instruction::FRem)
            found.push_back(&instruction);
    for (Instruction *instruction : found)
      if (Error error = replace(instruction))
        return error;
    return needed;
  }

private:
  Error replace(Instruction *instruction) {
    StringRef name = "fmod";
    SmallVector<Value *> operands(instruction->operands());
    if (auto *call = dyn_cast<CallInst>(instruction)) {
      Function *callee = call->getCalledFunction();
      if (!callee)
        return Error::success();
      name = getFunctionName(*callee);
      bool isUnknown = callee->isDeclaration() && !callee->isIntrinsic();
      if (name.empty() && isUnknown)
        return createStringError("a GPU's code cannot call '" +
                                 callee->getName() + "' (" +
                                 instruction->getFunction()->getName() + ")");
      if (name.empty())
        return Error::success();
      operands.assign(call->args().begin(), call->args().end());
    }
    b.SetInsertPoint(instruction);
    // Narrower floats are computed as f32.
    Type *type = instruction->getType();
    Type *wide = type->isDoubleTy() ? type : b.getFloatTy();
    SmallVector<Type *> types;
    for (Value *&operand : operands) {
      if (operand->getType()->isFloatingPointTy() && operand->getType() != wide)
        operand = b.CreateFPExt(operand, wide);
      types.push_back(operand->getType());
    }
    std::string symbol = ("__nv_" + name).str();
    if (!wide->isDoubleTy())
      symbol += 'f';
    FunctionCallee callee = module.getOrInsertFunction(
        symbol, FunctionType::get(wide, types, false));
    Value *result = b.CreateCall(callee, operands);
    if (wide != type)
      result = b.CreateFPTrunc(result, type);
    instruction->replaceAllUsesWith(result);
    instruction->eraseFromParent();
    needed = true;
    return Error::success();
  }

  Module &module;
  IRBuilder<> b;
  bool needed = false;
};

Expected<std::unique_ptr<Module>> readLibDevice(LLVMContext &context) {
  for (const char *path : kPaths) {
    auto buffer = MemoryBuffer::getFile(path);
    if (buffer)
      return parseBitcodeFile((*buffer)->getMemBufferRef(), context);
  }
  return createStringError(
      Twine("a kernel needs a function of CUDA's libdevice, which was not "
            "found at ") +
      kPaths[0] + " (NVIDIA's CUDA Toolkit, or Debian's nvidia-cuda-toolkit)");
}

} // namespace

Error linkLibDevice(Module &module) {
  Expected<bool> needed = Replacer(module).run();
  if (!needed)
    return needed.takeError();
  if (!*needed)
    return Error::success();
  auto library = readLibDevice(module.getContext());
  if (!library)
    return library.takeError();
  (*library)->setDataLayout(module.getDataLayout());
  (*library)->setTargetTriple(module.getTargetTriple());
  StringSet<> theirs;
  for (Function &function : **library)
    theirs.insert(function.getName());
  if (Linker::linkModules(module, std::move(*library), Linker::LinkOnlyNeeded))
    return createStringError("cannot link CUDA's libdevice");
  for (Function &function : module)
    if (theirs.contains(function.getName()) && !function.isDeclaration() &&
        !function.isIntrinsic())
      function.setLinkage(GlobalValue::InternalLinkage);
  // Denormal numbers stay what they are.
  module.addModuleFlag(Module::Override, "nvvm-reflect-ftz", 0u);
  return Error::success();
}

} // namespace tenon
