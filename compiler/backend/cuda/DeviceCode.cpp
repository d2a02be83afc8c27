//===- DeviceCode.cpp - kernels as code of GPUs ---------------------------===//

#include "compiler/backend/cuda/DeviceCode.h"

#include "compiler/backend/cpu/Codegen.h"
#include "compiler/backend/cpu/Files.h"
#include "compiler/backend/cpu/HalfExpand.h"
#include "compiler/backend/cpu/Link.h"
#include "compiler/backend/cuda/LibDevice.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace tenon {

namespace {

constexpr StringLiteral kTriple = "nvptx64-nvidia-cuda";
/// Threads of a block, as the runtime starts them.
constexpr unsigned kBlockThreads = 256;

Expected<std::unique_ptr<TargetMachine>>
createGpuMachine(StringRef architecture, unsigned optLevel) {
  if (Error error = checkArchitecture(architecture))
    return error;
  Triple triple(kTriple);
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, architecture, "", TargetOptions(), Reloc::PIC_, std::nullopt,
      CodeGenOpt::getLevel(optLevel).value_or(CodeGenOptLevel::Default)));
  if (!machine)
    return createStringError("LLVM has no code generator for " + kTriple);
  return machine;
}

/// The number of this thread among all that run the kernel, and how many those
/// are.
std::pair<Value *, Value *> emitThread(IRBuilder<> &b) {
  auto read = [&](Intrinsic::ID id) {
    return b.CreateZExt(b.CreateIntrinsic(id, {}), b.getInt64Ty());
  };
  Value *size = read(Intrinsic::nvvm_read_ptx_sreg_ntid_x);
  Value *thread = b.CreateNUWAdd(
      b.CreateNUWMul(read(Intrinsic::nvvm_read_ptx_sreg_ctaid_x), size),
      read(Intrinsic::nvvm_read_ptx_sreg_tid_x));
  return {thread,
          b.CreateNUWMul(read(Intrinsic::nvvm_read_ptx_sreg_nctaid_x), size)};
}

/// Threads take turns: the first takes the first point, and so on.
void emitTurns(IRBuilder<> &b, Function *entry, Function *kernel, Value *words,
               Value *tasks) {
  auto [thread, threads] = emitThread(b);
  BasicBlock *start = b.GetInsertBlock();
  BasicBlock *turn = BasicBlock::Create(b.getContext(), "turn", entry);
  BasicBlock *end = BasicBlock::Create(b.getContext(), "end", entry);
  b.CreateCondBr(b.CreateICmpSLT(thread, tasks), turn, end);
  b.SetInsertPoint(turn);
  PHINode *point = b.CreatePHI(b.getInt64Ty(), 2);
  Value *next = b.CreateNSWAdd(point, b.getInt64(1));
  b.CreateCall(kernel, {words, point, next});
  Value *after = b.CreateNSWAdd(point, threads);
  point->addIncoming(thread, start);
  point->addIncoming(after, turn);
  b.CreateCondBr(b.CreateICmpSLT(after, tasks), turn, end);
  b.SetInsertPoint(end);
}

/// The entry of a kernel, which gets the kernel's name; the kernel becomes a
/// part of it.
void addEntry(Module &module, Function *kernel, uint32_t words, bool isGpu) {
  std::string name = kernel->getName().str();
  kernel->setName(name + "_points");
  kernel->setLinkage(GlobalValue::InternalLinkage);
  kernel->addFnAttr(Attribute::AlwaysInline);
  IRBuilder<> b(module.getContext());
  Type *pointer = b.getPtrTy(), *list = ArrayType::get(b.getInt64Ty(), words);
  auto *entry = Function::Create(
      FunctionType::get(b.getVoidTy(), {pointer, b.getInt64Ty()}, false),
      GlobalValue::ExternalLinkage, name, module);
  entry->setDoesNotThrow();
  b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", entry));
  if (isGpu) {
    entry->setCallingConv(CallingConv::PTX_Kernel);
    entry->addFnAttr("nvvm.maxntid", std::to_string(kBlockThreads));
    entry->addParamAttr(0, Attribute::getWithByValType(b.getContext(), list));
    entry->addParamAttr(0,
                        Attribute::getWithAlignment(b.getContext(), Align(8)));
    emitTurns(b, entry, kernel, entry->getArg(0), entry->getArg(1));
  } else {
    b.CreateCall(kernel, {entry->getArg(0), b.getInt64(0), entry->getArg(1)});
    // What a driver reads from the code of a GPU.
    new GlobalVariable(module, b.getInt32Ty(), /*isConstant=*/true,
                       GlobalValue::ExternalLinkage, b.getInt32(words),
                       name + "_words");
  }
  b.CreateRetVoid();
}

void allowFastMath(Module &module) {
  for (Function &function : module)
    for (BasicBlock &block : function)
      for (Instruction &instruction : block)
        if (isa<FPMathOperator>(instruction))
          instruction.setFast(true);
}

/// A shared object of the machine's own code.
Expected<std::string> linkEmulated(StringRef object) {
  Expected<ScratchFile> in = ScratchFile::createInMemory(object);
  if (!in)
    return in.takeError();
  SmallString<128> out;
  if (std::error_code error =
          sys::fs::createTemporaryFile("tenon-device", "so", out))
    return createStringError(error, "cannot make a temporary file");
  FileRemover remover(out);
  if (Error error = linkPlugin(in->getPath(), out.str().str()))
    return error;
  auto image = MemoryBuffer::getFile(out);
  if (!image)
    return createStringError(image.getError(), "cannot read a linked object");
  return (*image)->getBuffer().str();
}

} // namespace

Error checkArchitecture(StringRef architecture) {
  if (architecture == kEmulated)
    return Error::success();
  initializeTargets();
  Triple triple(kTriple);
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError(message);
  std::unique_ptr<MCSubtargetInfo> known(
      target->createMCSubtargetInfo(triple, "", ""));
  unsigned number = 0;
  if (!architecture.starts_with("sm_") ||
      !known->isCPUStringValid(architecture))
    return createStringError("--cuda=" + architecture +
                             ": unknown architecture; known are sm_80, sm_90, "
                             "sm_90a, sm_100, sm_100a and others of LLVM's");
  if (architecture.drop_front(3).consumeInteger(10, number) || number < 70)
    return createStringError("--cuda=" + architecture +
                             ": the oldest GPUs with code are of sm_70");
  return Error::success();
}

Expected<std::string> compileDeviceCode(DeviceCode &code,
                                        StringRef architecture,
                                        unsigned optLevel, bool fastMath) {
  bool isGpu = architecture != kEmulated;
  auto machine =
      isGpu ? createGpuMachine(architecture, optLevel)
            : createTargetMachine(
                  sys::getDefaultTargetTriple(),
                  getBaselineVariant(sys::getDefaultTargetTriple()), optLevel);
  if (!machine)
    return machine.takeError();
  mlir::MLIRContext &context = *code.module->getContext();
  mlir::DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
  LLVMContext llvmContext;
  std::unique_ptr<Module> module =
      translateModuleToLLVMIR(*code.module, llvmContext, "device");
  if (!module)
    return createStringError("cannot translate the kernels to LLVM IR");
  setMachine(*module, **machine);
  for (auto [name, words] : llvm::zip(code.kernels, code.words))
    addEntry(*module, module->getFunction(name), words, isGpu);
  if (fastMath)
    allowFastMath(*module);
  if (isGpu) {
    if (Error error = linkLibDevice(*module))
      return error;
  } else {
    expandHalfTypes(*module, **machine);
  }
  optimize(*module, **machine, optLevel);
  SmallVector<char, 0> result;
  if (Error error = emitModule(*module, **machine, /*assembly=*/isGpu, result))
    return error;
  StringRef bytes(result.data(), result.size());
  return isGpu ? bytes.str() : linkEmulated(bytes);
}

} // namespace tenon
