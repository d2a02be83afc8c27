#include "compiler/Pass.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/LowerGeneric.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/TargetParser/Host.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

namespace {

/// The source nodes that a location stands for, in order, without repeats.
void collectNames(Location loc, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    if (!llvm::is_contained(names, name.getName().getValue()))
      names.push_back(name.getName().getValue());
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNames(call.getCallee(), names);
  }
}

/// What a profile calls a kernel call: the last node and how many others.
std::string profileName(Operation *op) {
  SmallVector<StringRef> names;
  collectNames(op->getLoc(), names);
  if (names.empty())
    return op->getName().stripDialect().str();
  std::string text = names.front().str();
  for (StringRef name : ArrayRef(names).drop_front())
    text += (" + " + name).str();
  return text;
}

/// Makes kernel functions of an entry's compute ops.
class Outliner {
public:
  Outliner(ModuleOp module, const CpuTarget &target)
      : module(module), target(target), symbols(module) {}

  void outline(func::FuncOp entry) {
    SmallVector<Operation *> ops;
    entry.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<linalg::LinalgOp, kernel::KernelOpInterface>(op))
        return WalkResult::advance();
      ops.push_back(op);
      return WalkResult::skip();
    });
    // The row of such an entry in a profile is that of its kernel.
    bool isPart = entry->hasAttr(kPartAttr);
    isOneKernel = ops.size() == 1 && !isPart;
    // Where some parts are another CPU's, calls have the same numbers.
    if (auto first = entry->getAttrOfType<IntegerAttr>(kFirstCallAttr))
      number = first.getInt();
    names.resize(std::max(names.size(), number + ops.size()),
                 StringAttr::get(module.getContext()));
    if (!ops.empty())
      replaceByCalls(entry, ops);
    if (!isPart && !mayFail(entry))
      returnSuccess(entry);
  }

  /// Whether a call of a kernel may have more than one task.
  bool isParallel() const { return parallel; }

  ArrayRef<Attribute> getNames() const { return names; }

private:
  /// One value of the caller and its place in the argument words.
  struct Argument {
    Value value;
    /// Pointer, dynamic sizes, dynamic strides; or the scalar; or a complex
    /// number's parts.
    SmallVector<Value> words;
  };

  /// A kernel function, and the op in it until it is lowered.
  struct Kernel {
    func::FuncOp function;
    Operation *op;
  };

  void replaceByCalls(func::FuncOp entry, ArrayRef<Operation *> ops) {
    // One place on the entry's frame for the words of all calls, each of which
    // is over when it returns; in a loop it must not grow the stack.
    OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
    auto count = LLVM::ConstantOp::create(b, entry.getLoc(), b.getI64Type(),
                                          b.getI64IntegerAttr(1));
    words = LLVM::AllocaOp::create(b, entry.getLoc(),
                                   LLVM::LLVMPointerType::get(b.getContext()),
                                   b.getI64Type(), count, /*alignment=*/8);
    mostWords = 1;
    for (Operation *op : ops)
      replaceByCall(entry, op);
    count.setValueAttr(b.getI64IntegerAttr(mostWords));
  }

  void replaceByCall(func::FuncOp entry, Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), values);
    SmallVector<Value> constants;
    SmallVector<Argument> arguments;
    // In a program of thousands of kernels, those that differ in a few numbers
    // are one.
    bool passNumbers = entry->hasAttr(kFirstCallAttr) &&
                       isa<linalg::GenericOp>(op) &&
                       llvm::count_if(values, isNumber) <= kMostNumbers;
    for (Value value : values) {
      if (matchPattern(value, m_Constant()) &&
          !(passNumbers && isNumber(value)))
        constants.push_back(value);
      else
        arguments.push_back({value, wordsOf(b, loc, value)});
    }
    Value tasks =
        isa<linalg::LinalgOp>(op)
            ? buildGenericTaskCount(b, loc, cast<linalg::LinalgOp>(op), target)
            : cast<kernel::KernelOpInterface>(op).buildTaskCount(b, loc,
                                                                 target);
    func::FuncOp kernel = getKernel(op, arguments, constants);
    emitCall(entry, b, loc, kernel, arguments, tasks, number);
    names[number++] = b.getStringAttr(profileName(op));
    op->erase();
    // What was there for this op only costs time in every pass that follows.
    SmallVector<Value> left = values.takeVector();
    while (!left.empty()) {
      Operation *made = left.pop_back_val().getDefiningOp();
      if (!made || !isOpTriviallyDead(made))
        continue;
      llvm::append_range(left, made->getOperands());
      llvm::erase_if(left, [&](Value v) { return v.getDefiningOp() == made; });
      made->erase();
    }
  }

  /// Whether a value is a constant that code gains nothing by knowing.
  static bool isNumber(Value value) {
    FloatAttr constant;
    if (!value.getType().isF32() || !matchPattern(value, m_Constant(&constant)))
      return false;
    double number = constant.getValueAsDouble();
    return std::isfinite(number) && number != 0 && std::abs(number) != 1 &&
           std::abs(number) != 2 && std::abs(number) != 0.5;
  }

  static bool hasDynamicStrides(MemRefType type,
                                SmallVectorImpl<int64_t> &strides) {
    int64_t offset;
    return !type.getLayout().isIdentity() &&
           succeeded(type.getStridesAndOffset(strides, offset));
  }

  static SmallVector<Value> wordsOf(OpBuilder &b, Location loc, Value value) {
    if (auto complex = dyn_cast<ComplexType>(value.getType())) {
      Type part = complex.getElementType();
      return {complex::ReOp::create(b, loc, part, value),
              complex::ImOp::create(b, loc, part, value)};
    }
    if (value.getType().isInteger(128)) { // a string
      Type half = b.getI64Type();
      Value shift = arith::ConstantIntOp::create(b, loc, value.getType(), 64);
      Value high = arith::ShRUIOp::create(b, loc, value, shift);
      return {arith::TruncIOp::create(b, loc, half, value),
              arith::TruncIOp::create(b, loc, half, high)};
    }
    auto type = dyn_cast<MemRefType>(value.getType());
    if (!type)
      return {value};
    SmallVector<Value> words{pointerOf(b, loc, value)};
    SmallVector<int64_t> strides;
    bool strided = hasDynamicStrides(type, strides);
    if (!strided && type.hasStaticShape())
      return words;
    if (std::optional<Memory> memory = memoryOf(value)) {
      llvm::append_range(words, memory->sizes);
      llvm::append_range(words, memory->strides);
      return words;
    }
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, value);
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (type.isDynamicDim(i))
        words.push_back(metadata.getSizes()[i]);
    for (auto [i, stride] : llvm::enumerate(strides))
      if (strided && ShapedType::isDynamic(stride))
        words.push_back(metadata.getStrides()[i]);
    return words;
  }

  /// A memref type whose offset is part of the pointer.
  static MemRefType withoutOffset(MemRefType type) {
    SmallVector<int64_t> strides;
    int64_t offset;
    if (type.getLayout().isIdentity() ||
        failed(type.getStridesAndOffset(strides, offset)))
      return type;
    return MemRefType::get(
        type.getShape(), type.getElementType(),
        StridedLayoutAttr::get(type.getContext(), 0, strides));
  }

  /// The kernel function for an op; equal ops get the same one.
  func::FuncOp getKernel(Operation *op, ArrayRef<Argument> arguments,
                         ArrayRef<Value> constants) {
    std::vector<Kernel> &candidates = kernels[keyOf(op, arguments, constants)];
    for (const Kernel &kernel : candidates)
      if (haveSameProperties(op, kernel.op))
        return kernel.function;
    candidates.push_back(makeKernel(op, arguments, constants));
    ++kernelCount;
    return candidates.back().function;
  }

  /// What a kernel function is made of, as bytes: two ops for which these are
  /// the same have the same kernel, unless properties differ that have one
  /// hash.
  static std::string keyOf(Operation *root, ArrayRef<Argument> arguments,
                           ArrayRef<Value> constants) {
    std::string key;
    auto add = [&](const void *word) {
      auto bits = reinterpret_cast<uintptr_t>(word);
      key.append(reinterpret_cast<const char *>(&bits), sizeof(bits));
    };
    auto addNumber = [&](size_t number) {
      key.append(reinterpret_cast<const char *>(&number), sizeof(number));
    };
    llvm::DenseMap<Value, size_t> numbers;
    auto name = [&](Value value, Type type) {
      numbers.try_emplace(value, numbers.size());
      add(type.getAsOpaquePointer());
    };
    for (const Argument &argument : arguments) {
      auto memref = dyn_cast<MemRefType>(argument.value.getType());
      name(argument.value,
           memref ? withoutOffset(memref) : argument.value.getType());
    }
    for (Value constant : constants) {
      Attribute value;
      matchPattern(constant, m_Constant(&value));
      name(constant, constant.getType());
      add(value.getAsOpaquePointer());
    }
    root->walk<WalkOrder::PreOrder>([&](Operation *op) {
      add(op->getName().getAsOpaquePointer());
      add(op->getRawDictionaryAttrs().getAsOpaquePointer());
      addNumber(op->hashProperties());
      for (Value operand : op->getOperands())
        addNumber(numbers.lookup(operand));
      for (Value result : op->getResults())
        name(result, result.getType());
      for (Region &region : op->getRegions()) {
        addNumber(region.getBlocks().size());
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            name(argument, argument.getType());
      }
    });
    return key;
  }

  /// Whether ops of which all else is the same have the same properties.
  static bool haveSameProperties(Operation *one, Operation *other) {
    SmallVector<Operation *> ops;
    one->walk([&](Operation *op) { ops.push_back(op); });
    auto next = ops.begin();
    return !other
                ->walk([&](Operation *op) {
                  Operation *its = *next++;
                  bool same = !op->getPropertiesStorageSize() ||
                              op->getName().compareOpProperties(
                                  op->getPropertiesStorage(),
                                  its->getPropertiesStorage());
                  return same ? WalkResult::advance() : WalkResult::interrupt();
                })
                .wasInterrupted();
  }

  Kernel makeKernel(Operation *op, ArrayRef<Argument> arguments,
                    ArrayRef<Value> constants) {
    MLIRContext *context = op->getContext();
    OpBuilder b(context);
    Location loc = b.getUnknownLoc();
    auto function = func::FuncOp::create(loc, "kernel", kernelType(context));
    function.setPrivate();
    function->setAttr(kKernelAttr, b.getUnitAttr());
    b.setInsertionPointToStart(function.addEntryBlock());
    Value words = function.getArgument(0);
    IRMapping mapping;
    int64_t word = 0;
    for (const Argument &argument : arguments) {
      auto type = dyn_cast<MemRefType>(argument.value.getType());
      if (!type) {
        Type scalar = argument.value.getType();
        Value address = pointerAt(b, loc, words, 8 * word++);
        if (scalar.isInteger(128)) {
          mapping.map(argument.value,
                      LLVM::LoadOp::create(b, loc, scalar, address,
                                           /*alignment=*/8));
          ++word;
          continue;
        }
        if (auto complex = dyn_cast<ComplexType>(scalar)) {
          Type part = complex.getElementType();
          Value re = LLVM::LoadOp::create(b, loc, part, address);
          Value im = LLVM::LoadOp::create(b, loc, part,
                                          pointerAt(b, loc, words, 8 * word++));
          mapping.map(argument.value,
                      complex::CreateOp::create(b, loc, complex, re, im));
          continue;
        }
        mapping.map(
            argument.value,
            scalar.isIndex()
                ? loadIndex(b, loc, address, 0)
                : LLVM::LoadOp::create(b, loc, scalar, address).getResult());
        continue;
      }
      Value pointer = loadPointer(b, loc, words, 8 * word++);
      SmallVector<Value> rest;
      for (size_t i = 1; i < argument.words.size(); ++i)
        rest.push_back(loadIndex(b, loc, words, 8 * word++));
      ValueRange sizes = ValueRange(rest).take_front(type.getNumDynamicDims());
      mapping.map(
          argument.value,
          memrefAt(b, loc, pointer, withoutOffset(type), sizes,
                   ValueRange(rest).drop_front(type.getNumDynamicDims())));
    }
    for (Value constant : constants)
      mapping.map(constant, b.clone(*constant.getDefiningOp())->getResult(0));
    Operation *inside = b.clone(*op, mapping);
    if (inside->removeDiscardableAttr(kLightAttr))
      function->setAttr(kLightAttr, b.getUnitAttr());
    func::ReturnOp::create(b, loc);
    // Places cost time in every pass that follows.
    if (!module->hasAttr(kDebugAttr))
      function.walk([&](Operation *inner) { inner->setLoc(loc); });

    if (target.byPoint)
      function->setAttr(kWordsAttr, b.getI64IntegerAttr(word));

    function->setLoc(op->getLoc());
    function.setSymName(symbolName(op));
    symbols.insert(function);
    return {function, inside};
  }

  /// The source node that a kernel begins with, as a symbol; kernels that
  /// several nodes share have the name of the first.
  std::string symbolName(Operation *op) const {
    SmallVector<StringRef> nodes;
    collectNames(op->getLoc(), nodes);
    std::string name = "kernel_" + std::to_string(kernelCount + 1) + "_";
    StringRef node =
        nodes.empty() ? op->getName().stripDialect() : nodes.front();
    for (char c : node.take_back(80))
      name += llvm::isAlnum(c) ? c : '_';
    return name;
  }

  /// Whether something in the entry can set the instance's status: kernels
  /// cannot, functions of the runtime can.
  bool mayFail(func::FuncOp entry) const {
    return entry
        .walk([&](Operation *op) {
          bool isKernel = false;
          if (auto call = dyn_cast<func::CallOp>(op)) {
            Operation *callee = symbols.lookup(call.getCallee());
            isKernel = callee && callee->hasAttr(kKernelAttr);
          }
          if (auto call = dyn_cast<LLVM::CallOp>(op))
            isKernel = call.getCallee() == kLaunchFunction;
          bool isCall =
              isa<CallOpInterface, kernel::KernelOpInterface>(op) ||
              isa_and_present<kernel::KernelDialect>(op->getDialect());
          return isCall && !isKernel ? WalkResult::interrupt()
                                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  /// The status is known, so that nothing has to be asked of the instance.
  static void returnSuccess(func::FuncOp entry) {
    entry.walk([](func::ReturnOp end) {
      if (!end.getOperand(0).getDefiningOp<LLVM::LoadOp>())
        return;
      OpBuilder b(end);
      end->setOperand(0, arith::ConstantIntOp::create(b, end.getLoc(), 0, 32));
    });
  }

  void emitCall(func::FuncOp entry, OpBuilder &b, Location loc,
                func::FuncOp kernel, ArrayRef<Argument> arguments, Value tasks,
                int64_t id) {
    int64_t word = 0;
    for (const Argument &argument : arguments)
      for (Value value : argument.words) {
        if (value.getType().isIndex()) {
          storeIndex(b, loc, value, words, 8 * word++);
          continue;
        }
        // A GPU gets copies of words: of whole ones.
        if (target.byPoint && value.getType().isIntOrFloat() &&
            value.getType().getIntOrFloatBitWidth() < 64)
          LLVM::StoreOp::create(b, loc,
                                arith::ConstantIntOp::create(b, loc, 0, 64),
                                pointerAt(b, loc, words, 8 * word));
        LLVM::StoreOp::create(b, loc, value,
                              pointerAt(b, loc, words, 8 * word++));
      }
    mostWords = std::max(mostWords, word);
    bool isOneTask = isConstantIntValue(tasks, 1);
    parallel |= !isOneTask;
    if (!target.byPoint &&
        ((isOneTask && isOneKernel) || module->hasAttr(kDirectAttr))) {
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      func::CallOp::create(b, loc, kernel, ValueRange{words, zero, tasks});
      return;
    }
    Value function = func::ConstantOp::create(b, loc, kernel.getFunctionType(),
                                              kernel.getSymName());
    Value address =
        UnrealizedConversionCastOp::create(
            b, loc, LLVM::LLVMPointerType::get(b.getContext()), function)
            .getResult(0);
    Value taskWord = toWord(b, loc, tasks);
    Value idWord = LLVM::ConstantOp::create(b, loc, b.getI32Type(),
                                            b.getI32IntegerAttr(id));
    LLVM::CallOp::create(b, loc, getLaunch(),
                         ValueRange{entry.getArgument(abi::Instance), address,
                                    words, taskWord, idWord});
  }

  /// `launch(instance, kernel, words, tasks, id)`: does all tasks of a kernel,
  /// through the instance's dispatch function when it has one. A function, so
  /// that entries with thousands of calls stay one block.
  LLVM::LLVMFuncOp getLaunch() {
    if (launch)
      return launch;
    MLIRContext *context = module.getContext();
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    Location loc = b.getUnknownLoc();
    Type pointer = LLVM::LLVMPointerType::get(context), word = b.getI64Type();
    auto none = LLVM::LLVMVoidType::get(context);
    launch = LLVM::LLVMFuncOp::create(
        b, loc, kLaunchFunction,
        LLVM::LLVMFunctionType::get(
            none, {pointer, pointer, pointer, word, b.getI32Type()}),
        LLVM::Linkage::Internal);
    launch.setNoInline(true);
    symbols.insert(launch);
    Block *start = launch.addEntryBlock(b);
    Block *direct = b.createBlock(&launch.getBody());
    Block *dispatched = b.createBlock(&launch.getBody());
    ValueRange arguments = start->getArguments();
    b.setInsertionPointToStart(start);
    Value dispatch = loadPointer(b, loc, arguments[0], abi::Dispatch);
    Value null = LLVM::ZeroOp::create(b, loc, pointer);
    Value isNull =
        LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, dispatch, null);
    LLVM::CondBrOp::create(b, loc, isNull, direct, dispatched);
    b.setInsertionPointToStart(direct);
    Value zero = LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
    auto call = LLVM::CallOp::create(
        b, loc, LLVM::LLVMFunctionType::get(none, {pointer, word, word}),
        ValueRange{arguments[1], arguments[2], zero, arguments[3]});
    call.setNoInline(true); // a model's only kernel would be there twice
    LLVM::ReturnOp::create(b, loc, ValueRange());
    b.setInsertionPointToStart(dispatched);
    LLVM::CallOp::create(
        b, loc,
        LLVM::LLVMFunctionType::get(
            none, {pointer, pointer, pointer, word, b.getI32Type()}),
        ValueRange{dispatch, arguments[0], arguments[1], arguments[2],
                   arguments[3], arguments[4]});
    LLVM::ReturnOp::create(b, loc, ValueRange());
    return launch;
  }

  /// More numbers than this are coefficients of a formula.
  static constexpr int64_t kMostNumbers = 8;
  ModuleOp module;
  const CpuTarget &target;
  SymbolTable symbols;
  llvm::StringMap<std::vector<Kernel>> kernels; ///< by what they are made of
  size_t kernelCount = 0;
  SmallVector<Attribute> names;
  size_t number = 0; ///< of the next call
  LLVM::LLVMFuncOp launch;
  // Of the entry at hand:
  bool isOneKernel = false; ///< it has no other
  Value words;
  int64_t mostWords = 0;
  bool parallel = false;
};

/// A kernel is `(args, begin, end)`: pointers and sizes as words, and the range
/// of tasks to do. The entry becomes a list of calls, through the instance's
/// dispatch function when there is one. The module's `tenon.kernels` names the
/// calls by the source nodes that they compute.
struct OutlineKernelsPass
    : CpuPassBase<OutlineKernelsPass, ModuleOp, LLVM::LLVMDialect,
                  func::FuncDialect, scf::SCFDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OutlineKernelsPass)
  static constexpr StringLiteral kArgument = "outline-kernels";
  static constexpr StringLiteral kSummary =
      "move every compute op into a kernel function, shared by equal ones";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    CpuTarget target = CpuTarget::getNamed(llvm::Triple(triple), cpu);
    Outliner outliner(module, target);
    SmallVector<func::FuncOp> entries;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() &&
          (function->hasAttr(kEntryAttr) || function->hasAttr(kPartAttr)))
        entries.push_back(function);
    for (func::FuncOp entry : entries)
      outliner.outline(entry);
    module->setAttr("tenon.kernels",
                    ArrayAttr::get(&getContext(), outliner.getNames()));
    module->setAttr(kParallelAttr,
                    BoolAttr::get(&getContext(), outliner.isParallel()));
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createOutlineKernelsPass() {
  return std::make_unique<OutlineKernelsPass>();
}
} // namespace tenon
