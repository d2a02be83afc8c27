//===- Codegen.cpp - LLVM dialect to optimised objects --------------------===//

#include "compiler/backend/cpu/Codegen.h"

#include "compiler/backend/cpu/DebugInfo.h"
#include "compiler/backend/cpu/HalfExpand.h"
#include "compiler/backend/cpu/ShareKernels.h"
#include "compiler/backend/cpu/SingleLanes.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/backend/cpu/Units.h"
#include "compiler/lowering/EntryABI.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Threading.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Operator.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"

#include <numeric>

using namespace mlir;

namespace tenon {

void initializeTargets() {
  static const bool initialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    return true;
  }();
  (void)initialized;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef tripleName, const CodeVariant &variant,
                    unsigned optLevel) {
  initializeTargets();
  llvm::Triple triple(tripleName);
  const Platform *platform = findPlatform(triple);
  if (!platform)
    return llvm::createStringError("no code can be written for " + tripleName);
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError(message);
  // Asked first, since LLVM takes an unknown CPU with no more than a warning.
  std::unique_ptr<llvm::MCSubtargetInfo> known(
      target->createMCSubtargetInfo(triple, "", ""));
  if (known && !known->isCPUStringValid(variant.cpu))
    return llvm::createStringError("unknown CPU '" + variant.cpu + "' (" +
                                   triple.getArchName() + ")");
  llvm::TargetOptions options;
  options.FunctionSections = true;
  options.DataSections = true;
  options.MCOptions.ABIName = platform->abi;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, variant.cpu, variant.features, options, llvm::Reloc::PIC_,
      llvm::CodeModel::Small,
      llvm::CodeGenOpt::getLevel(optLevel).value_or(
          llvm::CodeGenOptLevel::Default)));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for %s",
                                   triple.str().c_str());
  return machine;
}

llvm::Error checkCpu(const llvm::Triple &triple, llvm::StringRef cpu) {
  if (cpu == "portable" || cpu == "native")
    return llvm::Error::success();
  CodeVariant variant;
  variant.cpu = cpu;
  return createTargetMachine(triple.str(), variant, 0).takeError();
}

CodeVariant getBaselineVariant(llvm::StringRef triple) {
  const Platform *platform = findPlatform(llvm::Triple(triple));
  CodeVariant variant;
  variant.cpu = platform->baselineCpu;
  variant.features = platform->baselineFeatures;
  return variant;
}

void setMachine(llvm::Module &module, const llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  if (const std::string &abi = machine.Options.MCOptions.ABIName; !abi.empty())
    module.addModuleFlag(llvm::Module::Error, "target-abi",
                         llvm::MDString::get(module.getContext(), abi));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned optLevel, bool light) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = optLevel >= 2;
  tuning.SLPVectorization = optLevel >= 2;
  tuning.LoopInterleaving = optLevel >= 2;
  tuning.LoopUnrolling = optLevel >= 1;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::OptimizationLevel level = optLevel == 0   ? llvm::OptimizationLevel::O0
                                  : optLevel == 1 ? llvm::OptimizationLevel::O1
                                  : optLevel == 2 ? llvm::OptimizationLevel::O2
                                                  : llvm::OptimizationLevel::O3;
  llvm::ModulePassManager passes;
  if (light && optLevel > 0)
    llvm::cantFail(builder.parsePassPipeline(
        passes, "function(sroa,early-cse,instcombine<no-verify-fixpoint>,"
                "simplifycfg,loop-mssa(licm),gvn,"
                "instcombine<no-verify-fixpoint>)"));
  else
    passes = optLevel == 0 ? builder.buildO0DefaultPipeline(level)
                           : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

llvm::Error emitModule(llvm::Module &module, llvm::TargetMachine &machine,
                       bool assembly, llvm::SmallVectorImpl<char> &out) {
  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  assembly ? llvm::CodeGenFileType::AssemblyFile
                                           : llvm::CodeGenFileType::ObjectFile,
                                  /*DisableVerify=*/true))
    return llvm::createStringError("LLVM cannot write objects for %s",
                                   module.getTargetTriple().str().c_str());
  passes.run(module);
  return llvm::Error::success();
}

namespace {

/// Gives the functions of a unit the attributes of its variant, and all symbols
/// the names and visibility that let several variants and models share a link.
void prepareModule(llvm::Module &module, llvm::TargetMachine &machine,
                   const CodeVariant &variant,
                   const llvm::StringSet<> &definitions,
                   const llvm::StringSet<> &entries, llvm::StringRef prefix) {
  setMachine(module, machine);
  for (llvm::GlobalValue &value : module.global_values()) {
    llvm::StringRef name = value.getName();
    if (value.hasLocalLinkage() || name.starts_with("llvm."))
      continue;
    bool ours = definitions.contains(name);
    if (ours && !entries.contains(name))
      value.setName(prefix + name);
    if (ours || !value.isDeclaration() || name.starts_with("tenon_") ||
        entries.contains(name)) {
      value.setVisibility(llvm::GlobalValue::HiddenVisibility);
      value.setDSOLocal(true);
    }
  }
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", variant.cpu);
    if (!variant.features.empty())
      function.addFnAttr("target-features", variant.features);
    function.addFnAttr("prefer-vector-width",
                       std::to_string(variant.vectorBits));
    // lld needs no unwind tables of ours: nothing throws through this code.
    function.setDoesNotThrow();
    function.removeFnAttr(llvm::Attribute::UWTable);
  }
}

/// The user's word that NaN, Inf and the order of sums do not matter, given to
/// every operation.
void allowFastMath(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (isa<llvm::FPMathOperator>(instruction))
        instruction.setFast(true);
}

/// Half of the code generator's time is this pass of LLVM's, which finds little
/// to gain in kernels whose loops step through memory by design. A machine has
/// no switch for it, the process has.
void skipLoopStrengthReduction(bool skip) {
  auto &all = llvm::cl::getRegisteredOptions();
  auto option = all.find("disable-lsr");
  if (option != all.end())
    static_cast<llvm::cl::opt<bool> *>(option->second)->setValue(skip);
}

/// What one thread needs to compile its units.
class UnitCompiler {
public:
  UnitCompiler(const ArtifactSpec &spec, UnitOutput output,
               const CodegenOptions &options)
      : output(output), options(options), spec(spec) {
    std::string model = getModelIdentifier(spec);
    for (auto [index, variant] : llvm::enumerate(spec.variants)) {
      definitions.push_back(collectDefinitions(spec.units, index));
      prefixes.push_back(model + getVariantSuffix(variant) + "_");
      for (unsigned entry = 0; entry < spec.entries.size(); ++entry) {
        std::string symbol = getEntrySymbol(spec, entry, index);
        entries.insert(symbol);
        entries.insert(symbol + "_reserve");
      }
    }
    for (const std::string &symbol : spec.shared)
      entries.insert(symbol);
  }

  llvm::Error compile(size_t index, llvm::SmallVectorImpl<char> &out) const {
    const CodeUnit &unit = spec.units[index];
    const CodeVariant &variant = spec.variants[unit.variant];
    // A list of calls is as fast as it is written.
    bool isList = (*unit.module)->hasAttr(kPartAttr) && options.optLevel < 3;
    unsigned optLevel = isList ? 0 : options.optLevel;
    auto machine = createTargetMachine(spec.triple, variant, optLevel);
    if (!machine)
      return machine.takeError();
    if (isList)
      (*machine)->setO0WantsFastISel(true);
    llvm::LLVMContext context;
    std::string errors;
    context.setDiagnosticHandlerCallBack(
        [](const llvm::DiagnosticInfo *info, void *errors) {
          if (info->getSeverity() != llvm::DS_Error)
            return;
          llvm::raw_string_ostream stream(*static_cast<std::string *>(errors));
          llvm::DiagnosticPrinterRawOStream printer(stream);
          info->print(printer);
        },
        &errors);
    std::unique_ptr<llvm::Module> module =
        translateModuleToLLVMIR(*unit.module, context, spec.name);
    if (!module)
      return llvm::createStringError("cannot translate the code to LLVM IR");
    prepareModule(*module, **machine, variant, definitions[unit.variant],
                  entries, prefixes[unit.variant]);
    expandHalfTypes(*module, **machine);
    if (options.fastMath)
      allowFastMath(*module);
    if (!isList)
      optimize(*module, **machine, optLevel,
               (*unit.module)->hasAttr(kLightAttr));
    storeSingleLanes(*module);
    if (options.saveUnit) {
      std::string text;
      llvm::raw_string_ostream stream(text);
      module->print(stream, nullptr);
      if (llvm::Error error = options.saveUnit(index, text))
        return error;
    }
    if (output == UnitOutput::Bitcode) {
      llvm::raw_svector_ostream stream(out);
      llvm::WriteBitcodeToFile(*module, stream);
    } else if (llvm::Error error = emitModule(*module, **machine,
                                              /*assembly=*/false, out)) {
      return error;
    }
    if (!errors.empty())
      return llvm::createStringError(errors);
    return llvm::Error::success();
  }

private:
  UnitOutput output;
  CodegenOptions options;
  const ArtifactSpec &spec;
  std::vector<llvm::StringSet<>> definitions;
  std::vector<std::string> prefixes;
  llvm::StringSet<> entries;
};

} // namespace

llvm::Expected<std::vector<llvm::SmallVector<char, 0>>>
compileUnits(ArtifactSpec &spec, UnitOutput output,
             const CodegenOptions &options) {
  std::vector<llvm::SmallVector<char, 0>> results;
  if (spec.units.empty())
    return results;
  MLIRContext &context = *spec.units.front().module->getContext();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);

  // -O3 asks for the fastest code: every kernel for its own sizes.
  skipLoopStrengthReduction(options.optLevel < 3);
  if (options.optLevel < 3)
    parallelForEach(&context, spec.units,
                    [](CodeUnit &unit) { shareKernels(*unit.module); });
  spec.units = splitUnits(std::move(spec.units));
  results.resize(spec.units.size());
  if (options.debugInfo)
    attachDebugInfo(spec);
  UnitCompiler compiler(spec, output, options);
  // Longest first, so that no long one is left alone at the end.
  std::vector<size_t> order(spec.units.size()), sizes;
  for (CodeUnit &unit : spec.units) {
    size_t ops = 0;
    unit.module->walk([&](Operation *) { ++ops; });
    sizes.push_back(ops);
  }
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(sizes[b], a) < std::make_pair(sizes[a], b);
  });

  std::vector<std::string> errors(spec.units.size());
  auto compile = [&](size_t index) {
    if (llvm::Error error = compiler.compile(index, results[index]))
      errors[index] = llvm::toString(std::move(error));
  };
  // Several threads may read one MLIR context only if it was made for it.
  if (!context.isMultithreadingEnabled() || options.threads == 1) {
    llvm::for_each(order, compile);
  } else {
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency(options.threads));
    for (size_t index : order)
      pool.async(compile, index);
    pool.wait();
  }
  for (const std::string &error : errors)
    if (!error.empty())
      return llvm::createStringError(error);
  return results;
}

} // namespace tenon
