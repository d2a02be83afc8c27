#include "compiler/pipeline/FoldConstants.h"
#include "compiler/backend/cpu/Codegen.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/pipeline/Pipeline.h"
#include "dialects/graph/HostCall.h"
#include "dialects/graph/ops/Control.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

namespace tenon {
namespace {

/// Results up to this size are folded whatever they are computed from.
constexpr uint64_t kSmallBytes = 64 << 10;
/// Larger constants than this stay where the model file has them.
constexpr uint64_t kInlineBytes = 1024;

uint64_t bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getNumElements() * elementBytes(tensor.getElementType());
}

/// The ops that can be computed now, in program order, and which of their
/// values the rest of the module needs.
struct ConstantSubgraph {
  llvm::SetVector<Operation *> ops;
  SmallVector<Value> needed;

  explicit ConstantSubgraph(ModuleOp module) {
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (canCompute(op))
        ops.insert(op);
    });
    for (Operation *op : ops)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(),
                         [&](Operation *user) { return !ops.contains(user); }))
          needed.push_back(result);
  }

private:
  bool canCompute(Operation *op) {
    if (!isa<graph::LinalgLowering>(op) ||
        isa<graph::ConstantOp, graph::HostCall>(op) || !isPure(op) ||
        op->getNumRegions() || op->getNumResults() == 0)
      return false;
    uint64_t read = 0, written = 0;
    for (Value operand : op->getOperands()) {
      Operation *source = operand.getDefiningOp();
      if (!source ||
          !(isa<graph::ConstantOp>(source) || ops.contains(source)) ||
          isa<graph::StringType>(getElementTypeOrSelf(operand.getType())))
        return false;
      read += bytesOf(operand.getType());
    }
    for (Type type : op->getResultTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !tensor.hasStaticShape() ||
          isa<graph::StringType>(tensor.getElementType()))
        return false;
      written += bytesOf(tensor);
    }
    return written <= std::max(kSmallBytes, read);
  }
};

/// What compiled code sees of an instance (tenon_instance of tenon/abi.h).
struct Instance {
  void *dispatch = nullptr;
  char *arena = nullptr;
  const char *weights = nullptr;
  char *state = nullptr;
  const char *zeros = nullptr;
  const void *entries = nullptr;
  int32_t status = 0, threads = 1, checkNumerics = 0;
  std::vector<std::unique_ptr<char[]>> blocks; // not seen by the code

  char *allocate(uint64_t bytes) {
    blocks.push_back(std::make_unique<char[]>(bytes + 64));
    return reinterpret_cast<char *>(
        llvm::alignAddr(blocks.back().get(), llvm::Align(64)));
  }
};

// The runtime's functions, for code that runs inside the compiler.
int32_t failInCompiler(Instance *instance, int32_t, int64_t, int64_t) {
  return instance->status = 1;
}
char *allocateInCompiler(Instance *instance, int64_t bytes) {
  return instance->allocate(bytes);
}
void freeInCompiler(Instance *, void *) {}

class Evaluation {
public:
  Evaluation(ConstantSubgraph &subgraph, const CompileOptions &options)
      : subgraph(subgraph), options(options),
        context(subgraph.needed.front().getContext()),
        module(ModuleOp::create(UnknownLoc::get(context))) {}

  /// The values of `needed`, in order; empty when a check in them fails (the
  /// program will say so when it runs).
  FailureOr<SmallVector<ElementsAttr>> run() {
    buildModule();
    ArtifactSpec spec;
    CompileOptions inner;
    inner.name = "fold";
    inner.cpu = "x86-64-v2";
    inner.evaluateConstants = false;
    if (llvm::Triple(llvm::sys::getProcessTriple()).getArch() !=
        llvm::Triple::x86_64)
      inner.cpu = "generic";
    if (failed(compileToArtifact(*module, inner, spec)))
      return failure();
    std::string symbol = getEntrySymbol(spec, 0, 0);
    auto objects =
        compileUnits(spec, UnitOutput::Object, {1, false, options.threads});
    if (!objects)
      return report(objects.takeError());
    auto jit = load(*objects);
    if (!jit)
      return report(jit.takeError());
    auto entry = (*jit)->lookup(symbol);
    if (!entry)
      return report(entry.takeError());
    return call(spec, entry->toPtr<int32_t (*)(Instance *, const void *const *,
                                               void **, int64_t *)>());
  }

private:
  FailureOr<SmallVector<ElementsAttr>> report(llvm::Error error) {
    return emitError(UnknownLoc::get(context))
           << "cannot compute constants: " << llvm::toString(std::move(error));
  }

  /// One entry without inputs that returns the needed values.
  void buildModule() {
    OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
    SmallVector<Type> types = llvm::map_to_vector(
        subgraph.needed, [](Value value) { return value.getType(); });
    auto entry = func::FuncOp::create(b, module->getLoc(), "main",
                                      b.getFunctionType({}, types));
    entry->setAttr(kEntryAttr, b.getUnitAttr());
    (*module)->setAttr(kDirectAttr, b.getUnitAttr());
    b.setInsertionPointToStart(entry.addEntryBlock());
    IRMapping mapping;
    for (Operation *op : subgraph.ops) {
      for (Value operand : op->getOperands())
        if (!mapping.contains(operand))
          b.clone(*operand.getDefiningOp(), mapping);
      b.clone(*op, mapping);
    }
    SmallVector<Value> results = llvm::map_to_vector(
        subgraph.needed, [&](Value value) { return mapping.lookup(value); });
    func::ReturnOp::create(b, module->getLoc(), results);
  }

  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
  load(ArrayRef<llvm::SmallVector<char, 0>> objects) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto jit = llvm::orc::LLJITBuilder().create();
    if (!jit)
      return jit.takeError();
    llvm::orc::SymbolMap runtime;
    auto define = [&](StringRef name, auto *function) {
      runtime[(*jit)->mangleAndIntern(name)] = {
          llvm::orc::ExecutorAddr::fromPtr(function),
          llvm::JITSymbolFlags::Exported};
    };
    define("tenon_fail", &failInCompiler);
    define("tenon_alloc", &allocateInCompiler);
    define("tenon_reserve", &allocateInCompiler);
    define("tenon_free", &freeInCompiler);
    auto &library = (*jit)->getMainJITDylib();
    if (auto error =
            library.define(llvm::orc::absoluteSymbols(std::move(runtime))))
      return error;
    auto process =
        llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
            (*jit)->getDataLayout().getGlobalPrefix());
    if (!process)
      return process.takeError();
    library.addGenerator(std::move(*process));
    for (const auto &object : objects)
      if (auto error = (*jit)->addObjectFile(llvm::MemoryBuffer::getMemBuffer(
              StringRef(object.data(), object.size()), "", false)))
        return error;
    return jit;
  }

  FailureOr<SmallVector<ElementsAttr>>
  call(ArtifactSpec &spec,
       int32_t (*entry)(Instance *, const void *const *, void **, int64_t *)) {
    Instance instance;
    instance.arena = instance.allocate(spec.arenaBytes);
    char *weights = instance.allocate(spec.weightsBytes);
    for (const WeightPiece &piece : spec.weights)
      piece.write(MutableArrayRef<char>(weights + piece.offset, piece.bytes));
    instance.weights = weights;
    instance.zeros = instance.allocate(spec.zerosBytes);
    SmallVector<void *> outputs;
    for (Value value : subgraph.needed)
      outputs.push_back(instance.allocate(bytesOf(value.getType())));
    if (entry(&instance, nullptr, outputs.data(), nullptr) != 0)
      return SmallVector<ElementsAttr>();
    SmallVector<ElementsAttr> values;
    for (auto [value, data] : llvm::zip(subgraph.needed, outputs)) {
      auto type = cast<RankedTensorType>(value.getType());
      values.push_back(attributeOf(
          type, ArrayRef<char>(static_cast<char *>(data), bytesOf(type))));
    }
    return values;
  }

  static ElementsAttr attributeOf(RankedTensorType type, ArrayRef<char> data) {
    if (data.size() > kInlineBytes)
      return DenseResourceElementsAttr::get(
          type, "folded",
          HeapAsmResourceBlob::allocateAndCopyWithAlign(data, 64));
    if (type.getElementType().isInteger(1))
      return DenseElementsAttr::get(
          type, ArrayRef<bool>(reinterpret_cast<const bool *>(data.data()),
                               data.size()));
    return DenseElementsAttr::getFromRawBuffer(type, data);
  }

  ConstantSubgraph &subgraph;
  const CompileOptions &options;
  MLIRContext *context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

LogicalResult foldConstants(ModuleOp module, const CompileOptions &options) {
  ConstantSubgraph subgraph(module);
  if (subgraph.needed.empty())
    return success();
  auto values = Evaluation(subgraph, options).run();
  if (failed(values))
    return failure();
  for (auto [old, value] : llvm::zip(subgraph.needed, *values)) {
    OpBuilder b(old.getDefiningOp());
    old.replaceAllUsesWith(graph::ConstantOp::create(b, old.getLoc(), value));
  }
  for (Operation *op : llvm::reverse(subgraph.ops))
    if (op->use_empty())
      op->erase();
  return success();
}

} // namespace tenon
