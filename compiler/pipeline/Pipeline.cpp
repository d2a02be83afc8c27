#include "compiler/pipeline/Pipeline.h"
#include "compiler/backend/cpu/Glue.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/backend/cpu/WeightsObject.h"
#include "compiler/backend/cuda/DeviceCode.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/LowerPrecision.h"
#include "compiler/lowering/Winograd.h"
#include "compiler/pipeline/FoldConstants.h"
#include "compiler/pipeline/Signature.h"
#include "compiler/transforms/FitBudget.h"
#include "dialects/graph/Variables.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/Threading.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Timer.h"
#include <chrono>

using namespace mlir;

namespace tenon {

// The passes that the phase list names.
#define PHASE(name)
#define END_PHASE
#define PASS(name) std::unique_ptr<Pass> create##name##Pass();
#define CPU_PASS(name) PASS(name)
#define MLIR_PASS(create)
#define MLIR_FUNCTION_PASS(create)
#include "compiler/pipeline/Phases.def"

namespace {

/// MLIR's canonicalizer, but for what it does to regions with branches: there
/// are none before code is lowered to blocks, and looking for them takes as
/// long as all the rest.
std::unique_ptr<Pass> createCanonicalizePass() {
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal().setRegionSimplificationLevel(
      GreedySimplifyRegionLevel::Disabled);
  return createCanonicalizerPass(config);
}

void addCpuPass(OpPassManager &pm, std::unique_ptr<Pass> pass,
                StringRef options) {
  [[maybe_unused]] LogicalResult known =
      pass->initializeOptions(options, [](const Twine &) { return failure(); });
  assert(succeeded(known) && "a CPU pass has the options of CpuPassBase");
  pm.addPass(std::move(pass));
}

// build<Name>Phase for each phase; `cpu` is the options of CPU passes.
#define PHASE(name)                                                            \
  void build##name##Phase(OpPassManager &pm, [[maybe_unused]] StringRef cpu) {
#define END_PHASE }
#define PASS(name) pm.addPass(create##name##Pass());
#define CPU_PASS(name) addCpuPass(pm, create##name##Pass(), cpu);
#define MLIR_PASS(create) pm.addPass(create());
#define MLIR_FUNCTION_PASS(create) pm.addNestedPass<func::FuncOp>(create());
#include "compiler/pipeline/Phases.def"

class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &options,
              ArtifactSpec &spec)
      : module(module), options(options), spec(spec) {}

  LogicalResult run() {
    return success(succeeded(lowerToBuffers()) && succeeded(lowerVariants()) &&
                   (options.cuda.empty() || succeeded(lowerForDevice())));
  }

  LogicalResult plan() {
    if (failed(lowerToBuffers()))
      return failure();
    auto outline = [](OpPassManager &pm, StringRef cpu) {
      addCpuPass(pm, createOutlineKernelsPass(), cpu);
    };
    CpuTarget target = targets().front();
    if (failed(phase(module, "kernels", outline, cpuOptions(target))))
      return failure();
    describeKernels(module);
    return success();
  }

private:
  LogicalResult lowerToBuffers() {
    if (options.checkNumerics)
      module->setAttr(kCheckNumericsAttr, UnitAttr::get(module.getContext()));
    if (options.precision != "f32")
      module->setAttr(kPrecisionAttr,
                      StringAttr::get(module.getContext(), options.precision));
    // A GPU's kernels read weights as they are.
    if (options.fastMath && options.cuda.empty())
      module->setAttr(kFastMathAttr, UnitAttr::get(module.getContext()));
    if (options.debugInfo)
      module->setAttr(kDebugAttr, UnitAttr::get(module.getContext()));
    // The device has its own copy.
    if (options.embedWeights && options.cuda.empty())
      module->setAttr(
          kWeightsAttr,
          StringAttr::get(module.getContext(),
                          getWeightsPointerSymbol(getModelIdentifier(spec))));
    if (options.memoryBudget &&
        failed(timed("budget", [&] { return fitBudget(); })))
      return failure();
    if (failed(describeEntries(module, spec)) ||
        failed(phase(module, "graph", buildGraphPhase)))
      return failure();
    describeAliases(module, spec);
    if ((options.evaluateConstants &&
         failed(timed("constants",
                      [&] { return foldConstants(module, options); }))) ||
        failed(phase(module, "linalg", buildLinalgPhase)) ||
        failed(phase(module, "buffers", buildBufferPhase)) ||
        failed(describeData(module, spec)))
      return failure();
    describeArena();
    reportBudget();
    if (targets().size() > 1)
      nameShared();
    return success();
  }

  /// The arena that the module would have with `budget` as an estimate of what
  /// it should take.
  FailureOr<uint64_t> tryBudget(uint64_t budget) {
    OwningOpRef<ModuleOp> trial = cast<ModuleOp>(module->clone());
    if (budget)
      setBudget(*trial, budget);
    PassManager pm(trial->getContext(), ModuleOp::getOperationName(),
                   OpPassManager::Nesting::Implicit);
    pm.enableVerifier(false);
    buildGraphPhase(pm, {});
    buildLinalgPhase(pm, {});
    buildBufferPhase(pm, {});
    if (failed(pm.run(*trial)))
      return failure();
    uint64_t most = 0;
    for (auto function : trial->getOps<func::FuncOp>())
      if (auto bytes =
              function->getAttrOfType<IntegerAttr>("tenon.arena_bytes"))
        most = std::max<uint64_t>(most, bytes.getInt());
    return most;
  }

  static void setBudget(ModuleOp on, uint64_t budget) {
    on->setAttr(kMemoryBudgetAttr,
                Builder(on.getContext()).getI64IntegerAttr(budget));
  }

  /// What is computed again is chosen by an estimate of the memory in use,
  /// which the plan then differs from: finds the largest estimate that does.
  LogicalResult fitBudget() {
    FailureOr<uint64_t> bytes = tryBudget(0);
    if (failed(bytes) || *bytes <= options.memoryBudget)
      return success(succeeded(bytes));
    constexpr unsigned attempts = 6;
    uint64_t best = 0, least = *bytes;
    double estimate = double(options.memoryBudget);
    for (unsigned i = 0; i < attempts; ++i) {
      bytes = tryBudget(uint64_t(std::max(estimate, 1.0)));
      if (failed(bytes))
        return failure();
      if (*bytes < least) {
        least = *bytes;
        best = uint64_t(std::max(estimate, 1.0));
      }
      if (*bytes <= options.memoryBudget)
        break;
      estimate *= std::min(0.9, double(options.memoryBudget) / double(*bytes));
    }
    if (best)
      setBudget(module, best);
    return success();
  }

  void reportBudget() {
    if (!options.memoryBudget)
      return;
    if (spec.arenaBytes > options.memoryBudget)
      llvm::errs() << spec.name << ": warning: calls need " << spec.arenaBytes
                   << " bytes of memory; computing values again does not "
                      "bring that down to "
                   << options.memoryBudget << '\n';
    auto lines = module->getAttrOfType<ArrayAttr>(kRecomputedAttr);
    if (!options.verbose || !lines)
      return;
    for (auto line : lines.getAsRange<StringAttr>())
      llvm::errs() << "computed again: " << line.getValue() << '\n';
  }

  /// Functions that all variants call have names that are unique in a link.
  void nameShared() {
    llvm::StringMap<FlatSymbolRefAttr> renamed;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function->hasAttr(kSharedAttr))
        continue;
      std::string name =
          getModelIdentifier(spec) + "__" + function.getSymName().str();
      renamed[function.getSymName()] =
          FlatSymbolRefAttr::get(module.getContext(), name);
      function.setSymName(name);
      spec.shared.push_back(name);
    }
    if (!renamed.empty())
      module.walk([&](func::CallOp call) {
        auto name = renamed.find(call.getCallee());
        if (name != renamed.end())
          call.setCalleeAttr(name->second);
      });
  }

  SmallVector<CpuTarget> portableTargets(const llvm::Triple &triple) const {
    SmallVector<CpuTarget> targets{CpuTarget::getLevel(2),
                                   CpuTarget::getLevel(3)};
    // Of those that a machine can run and that have a level the first is taken:
    // with tiles, with products of pairs, without.
    if (options.precision == "bf16")
      for (StringRef name : {"sapphirerapids", "cooperlake"}) {
        targets.push_back(CpuTarget::getNamed(triple, name));
        targets.back().level = 3 + targets.size();
      }
    targets.push_back(CpuTarget::getLevel(4));
    return targets;
  }

  SmallVector<CpuTarget> targets() const {
    llvm::Triple triple(spec.triple);
    if (options.cpu == "portable" && triple.getArch() == llvm::Triple::x86_64)
      return portableTargets(triple);
    return {CpuTarget::getNamed(
        triple, options.cpu == "portable" ? "generic" : options.cpu)};
  }

  LogicalResult timed(StringRef name, function_ref<LogicalResult()> work) {
    auto start = std::chrono::steady_clock::now();
    LogicalResult result = work();
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    if (options.reportTime)
      options.reportTime(name, seconds.count());
    return result;
  }

  using BuildPhase = function_ref<void(OpPassManager &, StringRef cpu)>;

  static LogicalResult runPasses(ModuleOp on, BuildPhase build, StringRef cpu) {
    PassManager pm(on.getContext(), ModuleOp::getOperationName(),
                   OpPassManager::Nesting::Implicit);
    // Verified once at the end of a phase instead of after each pass.
    pm.enableVerifier(false);
    build(pm, cpu);
    if (failed(pm.run(on)))
      return failure();
    graph::VariableTable variables(on);
    return verify(on);
  }

  LogicalResult phase(ModuleOp on, StringRef name, BuildPhase build,
                      StringRef cpu = {}) {
    LogicalResult result =
        timed(name, [&] { return runPasses(on, build, cpu); });
    if (succeeded(result) && options.saveStage)
      options.saveStage(name, on);
    return result;
  }

  /// One kind of CPU and the code for it.
  struct Variant {
    CpuTarget target;
    OwningOpRef<ModuleOp> unit;
  };

  /// The phase for all kinds of CPUs at the same time.
  LogicalResult phase(ArrayRef<Variant> variants, StringRef name,
                      BuildPhase build) {
    MLIRContext *context = module.getContext();
    // Nobody may load a dialect while others work.
    PassManager pm(context, ModuleOp::getOperationName(),
                   OpPassManager::Nesting::Implicit);
    build(pm, cpuOptions(variants.front().target));
    DialectRegistry needed;
    pm.getDependentDialects(needed);
    context->appendDialectRegistry(needed);
    for (StringRef dialect : needed.getDialectNames())
      context->getOrLoadDialect(dialect);
    // What is wrong for one kind mostly is for all: it is said once.
    llvm::StringSet<> said;
    ScopedDiagnosticHandler once(context, [&](Diagnostic &fault) {
      return success(!said.insert(fault.str()).second);
    });
    LogicalResult result = timed(name, [&] {
      return failableParallelForEach(
          context, variants, [&](const Variant &variant) {
            return runPasses(*variant.unit, build, cpuOptions(variant.target));
          });
    });
    for (const Variant &variant : variants)
      if (succeeded(result) && options.saveStage)
        options.saveStage((name + "-" + variant.target.cpu).str(),
                          *variant.unit);
    return result;
  }

  /// The entries that have code of their own, in the order of their functions.
  SmallVector<unsigned> entriesWithCode() const {
    SmallVector<unsigned> numbers;
    for (auto [i, entry] : llvm::enumerate(spec.entries))
      if (!entry.sameAs)
        numbers.push_back(i);
    return numbers;
  }

  void describeArena() {
    SmallVector<unsigned> numbers = entriesWithCode();
    size_t position = 0;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function->hasAttr(kEntryAttr))
        continue;
      uint64_t bytes =
          cast<IntegerAttr>(function->getAttr("tenon.arena_bytes")).getInt();
      spec.arenaBytes = std::max(spec.arenaBytes, bytes);
      if (isEntryPoint(function))
        spec.entries[numbers[position++]].arenaBytes = bytes;
    }
    for (EntryInfo &entry : spec.entries)
      if (entry.sameAs)
        entry.arenaBytes = spec.entries[*entry.sameAs].arenaBytes;
  }

  /// Entries with sizes that vary say how much memory a call needs, once for
  /// all variants.
  void nameReserves(ModuleOp unit, ArrayRef<func::FuncOp> entries,
                    unsigned variant) {
    for (auto [i, entry] : llvm::zip_equal(entriesWithCode(), entries)) {
      auto symbol = entry->getAttrOfType<FlatSymbolRefAttr>(kReserveAttr);
      if (!symbol || variant != 0 || getReserveSymbols(spec.entries[i]).empty())
        continue;
      auto reserve = unit.lookupSymbol<func::FuncOp>(symbol);
      reserve.setSymName(getEntrySymbol(spec, i, variant) + "_reserve");
      reserve.setPublic();
      entry->removeAttr(kReserveAttr);
      spec.entries[i].hasReserve = true;
    }
    for (EntryInfo &entry : spec.entries)
      if (entry.sameAs)
        entry.hasReserve = spec.entries[*entry.sameAs].hasReserve;
    // The others are there for these only.
    SymbolTable symbols(unit);
    SmallVector<Operation *> unneeded;
    for (auto function : unit.getOps<func::FuncOp>())
      if (auto symbol =
              function->getAttrOfType<FlatSymbolRefAttr>(kReserveAttr)) {
        function->removeAttr(kReserveAttr);
        unneeded.push_back(symbols.lookup(symbol.getAttr()));
      }
    for (Operation *reserve : unneeded)
      if (SymbolTable::symbolKnownUseEmpty(reserve, unit))
        symbols.erase(reserve);
  }

  /// Whether a call reads the instance when its results have places.
  static bool needsInstance(Value pointer) {
    return llvm::any_of(pointer.getUsers(), [](Operation *user) {
      return isa<LLVM::GEPOp>(user) ? needsInstance(user->getResult(0))
                                    : !user->hasAttr(kOutputAttr);
    });
  }

  std::string cpuOptions(const CpuTarget &target) const {
    return "triple=" + spec.triple + " cpu=" + target.cpu;
  }

  void describeKernels(ModuleOp unit) {
    for (Attribute kernel : cast<ArrayAttr>(unit->getAttr("tenon.kernels")))
      spec.kernels.push_back(cast<StringAttr>(kernel).str());
  }

  static bool usesTiles(ModuleOp unit) {
    return unit
        .walk([](LLVM::CallIntrinsicOp call) {
          return call.getIntrin() == "llvm.x86.ldtilecfg"
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  /// What the code for one kind of CPU is made of: functions that all call are
  /// compiled with the first.
  OwningOpRef<ModuleOp> copyFor(unsigned number) {
    OwningOpRef<ModuleOp> unit = cast<ModuleOp>(module->cloneWithoutRegions());
    OpBuilder b =
        OpBuilder::atBlockBegin(&unit->getBodyRegion().emplaceBlock());
    SmallVector<func::FuncOp> entries;
    for (Operation &op : *module.getBody()) {
      if (isa<memref::GlobalOp>(op))
        continue;
      bool isShared = !spec.shared.empty() && op.hasAttr(kSharedAttr);
      auto function = dyn_cast<func::FuncOp>(
          isShared && number ? b.cloneWithoutRegions(op) : b.clone(op));
      if (function && isShared && number == 0)
        function.setPublic();
      if (function && isEntryPoint(function))
        entries.push_back(function);
    }
    for (auto [i, entry] : llvm::zip_equal(entriesWithCode(), entries))
      entry.setSymName(getEntrySymbol(spec, i, number));
    nameReserves(*unit, entries, number);
    return unit;
  }

  LogicalResult lowerVariants() {
    std::vector<Variant> variants;
    for (auto [number, target] : llvm::enumerate(targets())) {
      spec.variants.push_back(
          {target.level, target.cpu, target.features, target.vectorBits});
      variants.push_back({target, copyFor(number)});
    }
    if (failed(phase(variants, "kernels", buildKernelPhase)))
      return failure();
    spec.parallel = false;
    describeKernels(*variants.front().unit);
    for (auto [variant, code] : llvm::zip(variants, spec.variants)) {
      ModuleOp unit = *variant.unit;
      // What is not used is not asked of the machine.
      if (variant.target.hasAmxBf16 && !usesTiles(unit))
        code.features += code.features.empty() ? "-amx-tile" : ",-amx-tile";
      spec.parallel |= cast<BoolAttr>(unit->getAttr(kParallelAttr)).getValue();
    }
    if (failed(phase(variants, "llvm", buildLlvmPhase)))
      return failure();
    for (auto [number, variant] : llvm::enumerate(variants)) {
      ModuleOp unit = *variant.unit;
      for (auto [i, entry] : llvm::enumerate(spec.entries)) {
        auto code = unit.lookupSymbol<LLVM::LLVMFuncOp>(
            getEntrySymbol(spec, i, number));
        bool needsNothing = isStaticEntry(entry) && code &&
                            !needsInstance(code.getArgument(abi::Instance));
        entry.stateless = (number == 0 || entry.stateless) && needsNothing &&
                          options.cuda.empty();
      }
      spec.units.push_back({unsigned(number), std::move(variant.unit)});
    }
    return success();
  }

  /// The entries once more, with kernels for a GPU.
  LogicalResult lowerForDevice() {
    unsigned number = spec.variants.size();
    CpuTarget host = CpuTarget::getLevel(3);
    spec.variants.push_back({host.level, host.cpu, host.features,
                             host.vectorBits, /*isForDevice=*/true});
    OwningOpRef<ModuleOp> unit = copyFor(number);
    CpuTarget points = CpuTarget::getPoints();
    if (failed(
            phase(*unit, "kernels-cuda", buildDevicePhase, cpuOptions(points))))
      return failure();
    DeviceCode code;
    auto device = cast<ModuleOp>(unit->lookupSymbol(kDeviceModule));
    device->remove();
    code.module = device;
    spec.device.emplace();
    for (auto kernel : device.getOps<func::FuncOp>()) {
      code.kernels.push_back(kernel.getSymName().str());
      code.words.push_back(
          kernel->getAttrOfType<IntegerAttr>(kWordsAttr).getInt());
    }
    if (failed(phase(*unit, "llvm-cuda", buildLlvmPhase)) ||
        failed(phase(device, "device", buildLlvmPhase)))
      return failure();
    spec.units.push_back({number, std::move(unit)});
    spec.device->kernels = code.kernels;
    for (const std::string &architecture : options.cuda) {
      llvm::Expected<std::string> image = compileDeviceCode(
          code, architecture, options.optLevel, options.fastMath);
      if (!image)
        return emitError(module.getLoc()) << llvm::toString(image.takeError());
      image->push_back('\0');
      spec.device->images.push_back({architecture, std::move(*image)});
    }
    return success();
  }

  ModuleOp module;
  const CompileOptions &options;
  ArtifactSpec &spec;
};
} // namespace

/// What is the same for all: the name and the platform.
static LogicalResult begin(ModuleOp module, const CompileOptions &options,
                           ArtifactSpec &spec) {
  if (!options.name.empty())
    spec.name = options.name;
  llvm::Expected<llvm::Triple> triple =
      resolveTriple(options.triple, options.cpu);
  if (!triple)
    return emitError(module.getLoc()) << llvm::toString(triple.takeError());
  spec.triple = triple->str();
  spec.isTraining = module->hasAttr(kTrainingAttr);
  return success();
}

LogicalResult compileToArtifact(ModuleOp module, const CompileOptions &options,
                                ArtifactSpec &spec) {
  if (failed(begin(module, options, spec)))
    return failure();
  return Compilation(module, options, spec).run();
}

LogicalResult planArtifact(ModuleOp module, const CompileOptions &options,
                           ArtifactSpec &spec) {
  if (failed(begin(module, options, spec)))
    return failure();
  return Compilation(module, options, spec).plan();
}

void registerPasses() {
#define PHASE(name)
#define END_PHASE
#define PASS(name) registerPass(create##name##Pass);
#define CPU_PASS(name) PASS(name)
#define MLIR_PASS(create)
#define MLIR_FUNCTION_PASS(create)
#include "compiler/pipeline/Phases.def"
}

} // namespace tenon
