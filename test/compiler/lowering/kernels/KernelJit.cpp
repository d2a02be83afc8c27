#include "test/compiler/lowering/kernels/KernelJit.h"
#include "test/compiler/lowering/kernels/TileEmulator.h"

#include "compiler/backend/cpu/HalfExpand.h"
#include "compiler/lowering/KernelModels.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

using namespace mlir;

namespace tenon::test {

//===----------------------------------------------------------------------===//
// Array
//===----------------------------------------------------------------------===//

static size_t bytesOf(const std::string &element) {
  if (element.starts_with("complex<"))
    return element == "complex<f32>" ? 8 : 16;
  if (element == "i1")
    return 1;
  size_t digits = element.find_first_of("0123456789");
  return std::stoul(element.substr(digits)) / 8;
}

Array::Array(std::string element, std::vector<int64_t> shape)
    : strides(shape.size(), 1), element(std::move(element)),
      shape(std::move(shape)), elementBytes(bytesOf(this->element)) {
  for (size_t i = this->shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * this->shape[i];
  bytes.assign(size() * elementBytes + 2 * kGuard, char(0x5a));
}

int64_t Array::size() const {
  int64_t result = 1;
  for (int64_t extent : shape)
    result *= extent;
  return result;
}

template <typename T> static T read(const char *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T> static void write(char *to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

void Array::set(int64_t index, std::complex<double> value) {
  char *to = data() + index * elementBytes;
  double real = value.real();
  if (element == "f32")
    write<float>(to, real);
  else if (element == "f64")
    write<double>(to, real);
  else if (element == "f16")
    write<_Float16>(to, real);
  else if (element == "bf16")
    write<uint16_t>(to, llvm::bit_cast<uint32_t>(float(real)) >> 16);
  else if (element == "complex<f32>")
    write<std::complex<float>>(to, std::complex<float>(value));
  else if (element == "complex<f64>")
    write<std::complex<double>>(to, value);
  else
    for (size_t i = 0, bits = int64_t(real); i < elementBytes; ++i, bits >>= 8)
      to[i] = char(bits);
}

std::complex<double> Array::get(int64_t index) const {
  const char *from = bytes.data() + kGuard + index * elementBytes;
  if (element == "f32")
    return read<float>(from);
  if (element == "f64")
    return read<double>(from);
  if (element == "f16")
    return read<_Float16>(from);
  if (element == "bf16")
    return llvm::bit_cast<float>(uint32_t(read<uint16_t>(from)) << 16);
  if (element == "complex<f32>")
    return std::complex<double>(read<std::complex<float>>(from));
  if (element == "complex<f64>")
    return read<std::complex<double>>(from);
  uint64_t value = 0;
  for (size_t i = 0; i < elementBytes; ++i)
    value |= uint64_t(uint8_t(from[i])) << (8 * i);
  unsigned shift = 64 - 8 * elementBytes;
  return double(int64_t(value << shift) >> shift);
}

void Array::fillRandom(uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int64_t i = 0, count = size(); i < count; ++i) {
    auto real = [&] {
      return double(int64_t(random() >> 32)) / 2147483648.0 - 1;
    };
    if (element[0] == 'i')
      set(i, double(int64_t(random() % 11) - 5));
    else if (element[0] == 'c')
      set(i, {real(), real()});
    else
      set(i, real());
  }
}

void Array::fillBytes(char value) { std::memset(data(), value, getByteSize()); }

bool Array::isGuardIntact() const {
  for (size_t i = 0; i < kGuard; ++i)
    if (bytes[i] != 0x5a || bytes[bytes.size() - 1 - i] != 0x5a)
      return false;
  return true;
}

void Array::transposeLast() {
  size_t rank = shape.size();
  std::swap(shape[rank - 1], shape[rank - 2]);
  std::swap(strides[rank - 1], strides[rank - 2]);
  rowMajor = false;
}

std::string Array::getType(bool dynamic) const {
  std::string type = "memref<", layout;
  for (size_t i = 0; i < shape.size(); ++i) {
    type += (dynamic ? "?" : std::to_string(shape[i])) + "x";
    layout += (i ? ", " : "") + (dynamic ? "?" : std::to_string(strides[i]));
  }
  type += element;
  if (!rowMajor)
    type += ", strided<[" + layout + "]>";
  return type + ">";
}

//===----------------------------------------------------------------------===//
// KernelJit
//===----------------------------------------------------------------------===//

int64_t fromEnvironment(const char *name, int64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::stoll(text) : otherwise;
}

std::vector<CpuTarget> getTestTargets() {
  std::vector<CpuTarget> result;
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  if (host.lookup("avx512f") && host.lookup("avx512vl") &&
      host.lookup("avx512bw") && host.lookup("avx512dq")) {
    result.push_back(CpuTarget::getLevel(4));
    result.push_back(CpuTarget::getLevel(4));
    result.back().hasAmxBf16 = true; // see emulateTiles
    if (host.lookup("avx512bf16"))
      result.push_back(CpuTarget::getNamed(
          llvm::Triple(llvm::sys::getDefaultTargetTriple()), "cooperlake"));
  }
  if (host.lookup("avx2") && host.lookup("fma"))
    result.push_back(CpuTarget::getLevel(3));
  result.push_back(CpuTarget::getLevel(2));
  return result;
}

struct KernelJit::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  void *kernel = nullptr, *tasks = nullptr;
};

static void check(bool ok, const char *what) {
  if (ok)
    return;
  llvm::errs() << what << " failed\n";
  std::exit(1);
}

template <typename T> static T orExit(llvm::Expected<T> value) {
  if (!value) {
    llvm::errs() << llvm::toString(value.takeError()) << "\n";
    std::exit(1);
  }
  return std::move(*value);
}

/// Seconds that this thread has run.
static double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void lower(ModuleOp module, const CpuTarget &target) {
  for (StringRef name : {"kernel", "tasks"}) {
    auto function = module.lookupSymbol<func::FuncOp>(name);
    function->setAttr("llvm.emit_c_interface",
                      UnitAttr::get(module.getContext()));
    kernel::KernelOpInterface op;
    function.walk([&](kernel::KernelOpInterface found) { op = found; });
    OpBuilder b(op);
    if (name == "kernel") {
      unsigned count = function.getNumArguments();
      check(succeeded(op.lowerToLoops(b, function.getArgument(count - 2),
                                      function.getArgument(count - 1), target)),
            "lowering");
    } else {
      Value tasks = op.buildTaskCount(b, op.getLoc(), target);
      auto result = cast<func::ReturnOp>(function.front().getTerminator());
      result.setOperand(0, tasks);
      op.erase();
    }
  }
  PassManager pm(module.getContext());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertComplexToLLVMPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  check(succeeded(pm.run(module)), "conversion to LLVM");
}

static void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

KernelJit::KernelJit(const std::vector<std::string> &arguments,
                     const std::string &op, const CpuTarget &target)
    : impl(std::make_unique<Impl>()) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  std::string list;
  for (size_t i = 0; i < arguments.size(); ++i)
    list += (i ? ", %" : "%") + std::to_string(i) + ": " + arguments[i];
  std::string text =
      "func.func @kernel(" + list + ", %begin: index, %end: index) {\n" + op +
      "\n return\n}\nfunc.func @tasks(" + list + ") -> index {\n" + op +
      "\n %none = arith.constant 0 : index\n return %none : index\n}\n";

  DialectRegistry registry;
  registry.insert<kernel::KernelDialect, func::FuncDialect,
                  memref::MemRefDialect, arith::ArithDialect, math::MathDialect,
                  complex::ComplexDialect>();
  registerKernelModels(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  double start = now();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    llvm::errs() << text;
  check(static_cast<bool>(module), "parsing");
  lower(*module, target);
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(*module, *llvmContext);
  check(static_cast<bool>(code), "translation to LLVM IR");
  double lowered = now();

  llvm::orc::JITTargetMachineBuilder machineBuilder{
      llvm::Triple(llvm::sys::getProcessTriple())};
  machineBuilder.setCPU(target.cpu);
  machineBuilder.setRelocationModel(llvm::Reloc::PIC_);
  auto machine = orExit(machineBuilder.createTargetMachine());
  code->setDataLayout(machine->createDataLayout());
  code->setTargetTriple(machine->getTargetTriple());
  if (std::getenv("TENON_DUMP"))
    code->print(llvm::errs(), nullptr);
  emulateTiles(*code);
  expandHalfTypes(*code, *machine);
  optimise(*code, *machine);
  if (std::getenv("TENON_DUMP_OPT"))
    code->print(llvm::errs(), nullptr);
  double optimised = now();
  if (const char *path = std::getenv("TENON_DUMP_OBJ")) {
    std::error_code error;
    llvm::raw_fd_ostream out(path, error);
    llvm::legacy::PassManager emit;
    machine->addPassesToEmitFile(emit, out, nullptr,
                                 llvm::CodeGenFileType::ObjectFile);
    emit.run(*code);
    optimised = now();
  }

  impl->jit = orExit(llvm::orc::LLJITBuilder()
                         .setJITTargetMachineBuilder(machineBuilder)
                         .create());
  impl->jit->getMainJITDylib().addGenerator(
      orExit(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          impl->jit->getDataLayout().getGlobalPrefix())));
  if (llvm::Error error = impl->jit->addIRModule(
          llvm::orc::ThreadSafeModule(std::move(code), std::move(llvmContext))))
    check(false, llvm::toString(std::move(error)).c_str());
  auto find = [&](const char *name) {
    return orExit(impl->jit->lookup(name)).toPtr<void *>();
  };
  impl->kernel = find("_mlir_ciface_kernel");
  impl->tasks = find("_mlir_ciface_tasks");
  loweringSeconds = lowered - start;
  optimiseSeconds = optimised - lowered;
  codegenSeconds = now() - optimised;
}

KernelJit::~KernelJit() = default;

/// MLIR's memref descriptor.
static std::vector<int64_t> describe(Array &array) {
  int64_t address = reinterpret_cast<int64_t>(array.data());
  std::vector<int64_t> result{address, address, 0};
  llvm::append_range(result, array.getShape());
  llvm::append_range(result, array.strides);
  return result;
}

/// Calls with the words that `words` holds, which must be at most eight.
static int64_t call(void *function, std::vector<int64_t> words) {
  check(words.size() <= 8, "passing arguments");
  words.resize(8);
  using Function = int64_t (*)(int64_t, int64_t, int64_t, int64_t, int64_t,
                               int64_t, int64_t, int64_t);
  return reinterpret_cast<Function>(function)(words[0], words[1], words[2],
                                              words[3], words[4], words[5],
                                              words[6], words[7]);
}

static std::vector<int64_t>
pointTo(const std::vector<std::vector<int64_t>> &descriptors) {
  std::vector<int64_t> words;
  for (const std::vector<int64_t> &descriptor : descriptors)
    words.push_back(reinterpret_cast<int64_t>(descriptor.data()));
  return words;
}

int64_t KernelJit::countTasks(const std::vector<Array *> &arrays) const {
  std::vector<std::vector<int64_t>> descriptors;
  for (Array *array : arrays)
    descriptors.push_back(describe(*array));
  return call(impl->tasks, pointTo(descriptors));
}

void KernelJit::run(const std::vector<Array *> &arrays, int64_t begin,
                    int64_t end) const {
  std::vector<std::vector<int64_t>> descriptors;
  for (Array *array : arrays)
    descriptors.push_back(describe(*array));
  std::vector<int64_t> words = pointTo(descriptors);
  words.push_back(begin);
  words.push_back(end);
  call(impl->kernel, words);
}

void KernelJit::runAll(const std::vector<Array *> &arrays) const {
  int64_t tasks = countTasks(arrays), half = tasks / 2;
  if (half)
    run(arrays, half, tasks);
  run(arrays, 0, half ? half : tasks);
}

} // namespace tenon::test
