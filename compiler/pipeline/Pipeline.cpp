#include "compiler/pipeline/Pipeline.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/Passes.h"
#include "compiler/pipeline/FoldConstants.h"
#include "compiler/pipeline/Signature.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/Timer.h"
#include "llvm/TargetParser/Host.h"
#include <chrono>

using namespace mlir;

namespace tenon {
namespace {

/// The phases in order. Everything about order is here; why an order matters
/// stands beside it.
void buildGraphPhase(OpPassManager &pm) {
  pm.addPass(createFreezeVariablesPass());
  // Sizes first: folding below sees static shapes and constant operands.
  pm.addNestedPass<func::FuncOp>(createFoldShapesPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildLinalgPhase(OpPassManager &pm) {
  pm.addPass(createGraphToLinalgPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // After CSE, so that weights used twice are packed once.
  pm.addPass(createFoldPacksPass());
  pm.addNestedPass<func::FuncOp>(createFuseElementwisePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildBufferPhase(OpPassManager &pm) {
  pm.addPass(createBufferizeEntriesPass());
  // A copy of a part onto itself is only seen when equal parts are one value.
  pm.addPass(createCSEPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLowerChecksPass());
  pm.addPass(createPlanMemoryPass());
  // Data that nothing uses gets no place; afterwards nothing refers to data by
  // name any more.
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createLayOutDataPass());
}

void buildKernelPhase(OpPassManager &pm, const CpuTarget &target,
                      StringRef triple) {
  pm.addPass(createOutlineKernelsPass({triple.str(), target.cpu}));
  auto &functions = pm.nest<func::FuncOp>();
  functions.addPass(createLowerKernelsPass({triple.str(), target.cpu}));
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

void buildLlvmPhase(OpPassManager &pm) {
  auto &functions = pm.nest<func::FuncOp>();
  functions.addPass(createSplitDynamicDimsPass());
  functions.addPass(memref::createExpandStridedMetadataPass());
  functions.addPass(createLowerAffinePass());
  functions.addPass(arith::createArithExpandOpsPass());
  functions.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertComplexToStandardPass());
  pm.addPass(createConvertComplexToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &options,
              ArtifactSpec &spec)
      : module(module), options(options), spec(spec) {}

  LogicalResult run() {
    if (failed(describeEntries(module, spec)) ||
        failed(phase(module, "graph",
                     [](OpPassManager &pm) { buildGraphPhase(pm); })) ||
        (options.evaluateConstants &&
         failed(timed("constants",
                      [&] { return foldConstants(module, options); }))) ||
        failed(phase(module, "linalg",
                     [](OpPassManager &pm) { buildLinalgPhase(pm); })) ||
        failed(phase(module, "buffers",
                     [](OpPassManager &pm) { buildBufferPhase(pm); })) ||
        failed(describeData(module, spec)))
      return failure();
    describeArena();
    for (const CpuTarget &target : targets())
      if (failed(compileVariant(target)))
        return failure();
    return success();
  }

private:
  std::string triple() const {
    return options.triple.empty() ? llvm::sys::getDefaultTargetTriple()
                                  : options.triple;
  }

  SmallVector<CpuTarget> targets() const {
    llvm::Triple platform(triple());
    if (options.cpu == "portable" && platform.isX86() && platform.isArch64Bit())
      return {CpuTarget::getLevel(2), CpuTarget::getLevel(3),
              CpuTarget::getLevel(4)};
    return {CpuTarget::getNamed(
        platform, options.cpu == "portable" ? "generic" : options.cpu)};
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

  LogicalResult phase(ModuleOp on, StringRef name,
                      function_ref<void(OpPassManager &)> build) {
    LogicalResult result = timed(name, [&] {
      PassManager pm(on.getContext());
      // Verified once at the end of a phase instead of after each pass.
      pm.enableVerifier(false);
      build(pm);
      return success(succeeded(pm.run(on)) && succeeded(verify(on)));
    });
    if (succeeded(result) && options.saveStage)
      options.saveStage(name, on);
    return result;
  }

  void describeArena() {
    size_t position = 0;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (!function->hasAttr(kEntryAttr))
        continue;
      uint64_t bytes =
          cast<IntegerAttr>(function->getAttr("tenon.arena_bytes")).getInt();
      spec.arenaBytes = std::max(spec.arenaBytes, bytes);
      if (isEntryPoint(function))
        spec.entries[position++].arenaBytes = bytes;
    }
  }

  LogicalResult compileVariant(const CpuTarget &target) {
    unsigned number = spec.variants.size();
    spec.variants.push_back(
        {target.level, target.cpu, target.features, target.vectorBits});
    OwningOpRef<ModuleOp> unit = cast<ModuleOp>(module->clone());
    SmallVector<func::FuncOp> entries;
    for (auto function : unit->getOps<func::FuncOp>())
      if (isEntryPoint(function))
        entries.push_back(function);
    for (auto [i, entry] : llvm::enumerate(entries))
      entry.setSymName(getEntrySymbol(spec, i, number));
    for (auto global :
         llvm::make_early_inc_range(unit->getOps<memref::GlobalOp>()))
      global.erase();
    std::string name = "kernels-" + target.cpu;
    if (failed(phase(*unit, name, [&](OpPassManager &pm) {
          buildKernelPhase(pm, target, triple());
        })))
      return failure();
    if (number == 0)
      for (Attribute kernel :
           cast<ArrayAttr>((*unit)->getAttr("tenon.kernels")))
        spec.kernels.push_back(cast<StringAttr>(kernel).str());
    if (failed(phase(*unit, "llvm-" + target.cpu,
                     [](OpPassManager &pm) { buildLlvmPhase(pm); })))
      return failure();
    spec.units.push_back({number, std::move(unit)});
    return success();
  }

  ModuleOp module;
  const CompileOptions &options;
  ArtifactSpec &spec;
};
} // namespace

LogicalResult compileToArtifact(ModuleOp module, const CompileOptions &options,
                                ArtifactSpec &spec) {
  if (!options.name.empty())
    spec.name = options.name;
  return Compilation(module, options, spec).run();
}

void registerPasses() {
  registerTenonTransformsPasses();
  registerTenonLoweringPasses();
}

} // namespace tenon
