#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "dialects/graph/Variables.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace tenon;
using graph::LoweringContext;

namespace {

/// One entry's way from tensors as arguments and results to the runtime's ABI.
class EntryLowering {
public:
  explicit EntryLowering(func::FuncOp source)
      : source(source), loc(source.getLoc()), builder(source),
        shapes(source.getContext()), lowering(builder, shapes) {}

  LogicalResult run() {
    shapes.addEntry(source);
    isVersion = source->hasAttr(kVersionAttr);
    auto entry = func::FuncOp::create(builder, loc, source.getSymName(),
                                      entryType(builder.getContext()));
    entry->setAttr(kEntryAttr, builder.getUnitAttr());
    if (isVersion) {
      entry->setAttr(kVersionAttr, builder.getUnitAttr());
      entry.setPrivate();
    }
    builder.setInsertionPointToStart(entry.addEntryBlock());
    instance = entry.getArgument(abi::Instance);
    outputs = entry.getArgument(abi::Outputs);
    dims = entry.getArgument(abi::DimsArray);
    mapInputs(entry.getArgument(abi::Inputs));
    auto results = source.getBody().front().getTerminator()->getOperands();
    // Where the sizes of an output are known on entry, its destination is there
    // before the op that computes it, which can then write straight into it.
    SmallVector<Value> destinations;
    for (auto [i, result] : llvm::enumerate(results))
      destinations.push_back(knownOnEntry(result) ? destination(i, result)
                                                  : Value());
    if (failed(lowering.lowerBody(source.getBody().front()))) {
      entry.erase();
      return failure();
    }
    for (auto [i, result] : llvm::enumerate(results)) {
      Value buffer = destinations[i] ? destinations[i] : destination(i, result);
      auto store = bufferization::MaterializeInDestinationOp::create(
          builder, result.getLoc(), lowering.get(result), buffer);
      store.setRestrict(true);
      store.setWritable(true);
    }
    Value status =
        LLVM::LoadOp::create(builder, loc, builder.getI32Type(),
                             pointerAt(builder, loc, instance, abi::Status));
    func::ReturnOp::create(builder, loc, status);
    source.erase();
    return success();
  }

private:
  void mapInputs(Value inputs) {
    for (BlockArgument argument : source.getArguments()) {
      auto type = LoweringContext::type(argument.getType());
      Value pointer =
          loadPointer(builder, loc, inputs, 8 * argument.getArgNumber());
      SmallVector<Value> sizes;
      for (int64_t i = 0; i < type.getRank(); ++i) {
        if (!type.isDynamicDim(i))
          continue;
        // Equal symbols read the same word, so that equal sizes are one value.
        AffineExpr symbol = shapes.dim(argument, i);
        Value &size = known[symbol];
        if (!size)
          size = loadIndex(builder, loc, dims, 8 * (dimCount + i));
        lowering.bindDim(argument, i, size);
        sizes.push_back(size);
      }
      dimCount += type.getRank();
      auto memref = MemRefType::get(type.getShape(), type.getElementType());
      Value buffer =
          memrefAt(builder, argument.getLoc(), pointer, memref, sizes);
      lowering.map(argument,
                   bufferization::ToTensorOp::create(builder, loc, type, buffer,
                                                     /*restrict=*/true));
    }
  }

  /// Whether the sizes of a value follow from the entry's inputs.
  bool knownOnEntry(Value value) {
    return llvm::all_of(shapes.dims(value), [&](AffineExpr dim) {
      bool all = true;
      dim.walk([&](AffineExpr part) {
        all &= !isa<AffineSymbolExpr>(part) || known.count(part);
      });
      return all;
    });
  }

  /// The buffer of an output: the caller's memory, or the instance's, whose
  /// address the caller then gets. Tells the caller the dynamic sizes.
  Value destination(unsigned position, Value result) {
    auto type = LoweringContext::type(result.getType());
    SmallVector<Value> sizes;
    int64_t firstDim = dimCount;
    for (Value before :
         source.getBody().front().getTerminator()->getOperands().take_front(
             position))
      firstDim += cast<RankedTensorType>(before.getType()).getRank();
    for (int64_t i = 0; i < type.getRank(); ++i) {
      // What is one size here may be any in the signature that callers see.
      if (!type.isDynamicDim(i) && !isVersion)
        continue;
      Value size = lowering.dimIndex(result, i);
      storeIndex(builder, loc, size, dims, 8 * (firstDim + i));
      if (type.isDynamicDim(i))
        sizes.push_back(size);
    }
    auto memref = MemRefType::get(type.getShape(), type.getElementType());
    Value slot = pointerAt(builder, loc, outputs, 8 * position);
    Value given = LLVM::LoadOp::create(builder, loc, outputs.getType(), slot);
    Value null = LLVM::ZeroOp::create(builder, loc, outputs.getType());
    Value isNull = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                        given, null);
    auto choice = scf::IfOp::create(builder, loc, TypeRange{outputs.getType()},
                                    isNull, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(choice.thenBlock());
    auto own = memref::AllocOp::create(builder, loc, memref, sizes);
    own->setAttr(kOutputAttr, builder.getUnitAttr());
    Value address = pointerOf(builder, loc, own);
    LLVM::StoreOp::create(builder, loc, address, slot);
    scf::YieldOp::create(builder, loc, address);
    builder.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(builder, loc, given);
    builder.setInsertionPointAfter(choice);
    return memrefAt(builder, loc, choice.getResult(0), memref, sizes);
  }

  func::FuncOp source;
  Location loc;
  OpBuilder builder;
  graph::ShapeContext shapes;
  LoweringContext lowering;
  llvm::DenseMap<AffineExpr, Value> known;
  Value instance, outputs, dims;
  int64_t dimCount = 0; ///< of all inputs
  bool isVersion = false;
};

/// Makes a function out of an entry point that has versions for some sizes
/// only: it calls the first version that fits the sizes of its inputs. The last
/// version fits all that callers may pass.
class VersionChoice {
public:
  VersionChoice(ModuleOp module, ArrayRef<func::FuncOp> versions)
      : symbols(module), versions(versions) {}

  void run() {
    func::FuncOp first = versions.front();
    OpBuilder b(first);
    Location loc = first.getLoc();
    auto choice = func::FuncOp::create(b, loc, first.getSymName(),
                                       entryType(b.getContext()));
    choice->setAttr(kEntryAttr, b.getUnitAttr());
    // Takes a name that is free.
    symbols.remove(first);
    symbols.insert(choice);
    first.setSymName((first.getSymName() + ".first").str());
    symbols.insert(first);
    for (func::FuncOp version : versions) {
      version->removeAttr(kFallbackAttr);
      version->setAttr(kVersionAttr, b.getUnitAttr());
    }
    b.setInsertionPointToStart(choice.addEntryBlock());
    dims = choice.getArgument(abi::DimsArray);
    func::ReturnOp::create(b, loc,
                           call(b, loc, versions, choice.getArguments()));
  }

private:
  Value call(OpBuilder &b, Location loc, ArrayRef<func::FuncOp> rest,
             ValueRange arguments) {
    StringRef name = func::FuncOp(rest.front()).getSymName();
    Value fits = rest.size() > 1 ? matches(b, loc, rest.front()) : Value();
    if (!fits)
      return func::CallOp::create(b, loc, name, b.getI32Type(), arguments)
          .getResult(0);
    auto branch = scf::IfOp::create(b, loc, TypeRange{b.getI32Type()}, fits,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    auto direct = func::CallOp::create(b, loc, name, b.getI32Type(), arguments);
    scf::YieldOp::create(b, loc, direct.getResults());
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, call(b, loc, rest.drop_front(), arguments));
    return branch.getResult(0);
  }

  /// Whether the sizes of the call are those of a version, as far as the last
  /// version (which the runtime has checked) leaves them open; null: always.
  Value matches(OpBuilder &b, Location loc, func::FuncOp version) {
    graph::ShapeContext own(version.getContext()), last(version.getContext());
    own.addEntry(version);
    last.addEntry(versions.back());
    Value all;
    auto require = [&](Value one, Value other) {
      Value equal =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, one, other);
      all = all ? arith::AndIOp::create(b, loc, all, equal).getResult() : equal;
    };
    struct Seen {
      Value size;
      AffineExpr dim; // in the last version
    };
    llvm::DenseMap<AffineExpr, Seen> seen;
    int64_t position = 0;
    for (BlockArgument argument : version.getArguments()) {
      BlockArgument open = versions.back().getArgument(argument.getArgNumber());
      for (auto [dim, other] : llvm::zip(own.dims(argument), last.dims(open))) {
        int64_t offset = 8 * position++;
        if (graph::ShapeContext::asConstant(other))
          continue;
        auto load = [&] { return loadIndex(b, loc, dims, offset); };
        if (auto size = graph::ShapeContext::asConstant(dim)) {
          require(load(), arith::ConstantIndexOp::create(b, loc, *size));
          continue;
        }
        auto known = seen.find(dim);
        if (known == seen.end())
          seen[dim] = {load(), other};
        else if (known->second.dim != other)
          require(known->second.size, load());
      }
    }
    return all;
  }

  SymbolTable symbols;
  SmallVector<func::FuncOp> versions;
  Value dims;
};

/// Variables are memory of the instance; a flag says whether one has a value.
void lowerVariable(graph::VariableOp variable) {
  OpBuilder b(variable);
  auto type = LoweringContext::type(variable.getType());
  auto global = [&](StringRef name, MemRefType memref) {
    auto op = memref::GlobalOp::create(b, variable.getLoc(), name,
                                       b.getStringAttr("private"), memref,
                                       Attribute(),
                                       /*constant=*/false, IntegerAttr());
    op->setAttr("tenon.variable", variable.getOriginalAttr()
                                      ? variable.getOriginalAttr()
                                      : variable.getSymNameAttr());
    if (variable.getGenerator())
      op->setAttr("tenon.generator", b.getUnitAttr());
    return op;
  };
  std::string flag = (variable.getSymName() + ".initialized").str();
  auto value = global(variable.getSymName(),
                      MemRefType::get(type.getShape(), type.getElementType()));
  if (ElementsAttr initial = variable.getInitialAttr())
    value->setAttr("tenon.initial", initial);
  if (Attribute place = variable->getAttr("graph.place")) {
    value->setAttr("tenon.place", place);
    value.setSymVisibility("public"); // nothing need refer to it
  }
  global(flag, MemRefType::get({}, b.getI8Type()))
      ->setAttr("tenon.flag", b.getUnitAttr());
}

/// Every op lowers itself (`LinalgLowering`). An entry becomes a function of
/// the type that the runtime calls, `(instance, inputs, outputs, dims) -> i32`;
/// variables become `memref.global`s with a flag beside those that may be
/// uninitialized.
struct GraphToLinalgPass
    : PassBase<GraphToLinalgPass, ModuleOp, linalg::LinalgDialect,
               tensor::TensorDialect, bufferization::BufferizationDialect,
               memref::MemRefDialect, arith::ArithDialect, math::MathDialect,
               scf::SCFDialect, LLVM::LLVMDialect, affine::AffineDialect,
               cf::ControlFlowDialect, complex::ComplexDialect,
               kernel::KernelDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GraphToLinalgPass)
  static constexpr StringLiteral kArgument = "graph-to-linalg";
  static constexpr StringLiteral kSummary =
      "lower entries from graph ops to linalg on tensors";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<func::FuncOp> entries;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr))
        entries.push_back(function);
    for (func::FuncOp entry : entries) {
      if (!isEntryPoint(entry) || !entry->hasAttr(kFallbackAttr))
        continue;
      auto versions = versionsOf(entry);
      if (failed(versions))
        return signalPassFailure();
      VersionChoice(module, *versions).run();
    }
    {
      graph::VariableTable variables(module);
      for (func::FuncOp entry : entries)
        if (failed(EntryLowering(entry).run()))
          return signalPassFailure();
    }
    for (auto variable :
         llvm::make_early_inc_range(module.getOps<graph::VariableOp>())) {
      if (isa_and_present<DenseStringElementsAttr>(variable.getInitialAttr())) {
        variable.emitOpError("has strings as its first value, which is only "
                             "supported for a variable that nothing changes");
        return signalPassFailure();
      }
      // The global takes over the symbol's name.
      lowerVariable(variable);
      variable.erase();
    }
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createGraphToLinalgPass() {
  return std::make_unique<GraphToLinalgPass>();
}
} // namespace tenon
