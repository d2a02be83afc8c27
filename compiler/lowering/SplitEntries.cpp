#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

#include "llvm/ADT/StringSet.h"
#include <cmath>

using namespace mlir;
using namespace tenon;

namespace {

/// Of operations in a part, kernel bodies not counted: some 150 kernel calls.
/// LLVM takes more than linear time for longer functions.
constexpr int64_t kPartOps = 2000;
/// Parts shorter than this are not made to keep kinds of kernels apart.
constexpr int64_t kFewOps = 200;
/// Kernel calls of a program beyond which elementwise kernels are compiled once
/// for all CPUs whatever they do.
constexpr int64_t kGiantCalls = 2000;
/// Scalar operations (some ten microseconds) below which a kernel is light.
constexpr double kLightWork = 1 << 15;
/// Taken for a size that is not known, in a giant program and in others.
constexpr double kUnknownInGiant = 16, kUnknown = 1024;

bool isCompute(Operation *op) {
  return isa<linalg::LinalgOp, kernel::KernelOpInterface>(op);
}

double elementsOf(Type type, double unknown) {
  double count = 1;
  if (auto shaped = dyn_cast<ShapedType>(type))
    for (int64_t size : shaped.getShape())
      count *= ShapedType::isDynamic(size) ? unknown : double(size);
  return count;
}

/// About how many scalar operations a call of the kernel takes.
double workOf(Operation *op, double unknown) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    double work = llvm::range_size(*linalgOp.getBlock());
    for (int64_t range : linalgOp.getStaticLoopRanges())
      work *= ShapedType::isDynamic(range) ? unknown : double(range);
    return work;
  }
  // Exact for a product of matrices.
  double product = 1;
  for (Value operand : op->getOperands())
    product *= elementsOf(operand.getType(), unknown);
  return std::sqrt(product);
}

bool isLight(Operation *op, bool isGiant) {
  return workOf(op, isGiant ? kUnknownInGiant : kUnknown) <= kLightWork;
}

/// Ops of the function's own code; a kernel's call is several.
int64_t costOf(Operation *op) {
  int64_t cost = 0;
  op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
    bool compute = isCompute(inner);
    cost += compute ? 12 : 1;
    return compute ? WalkResult::skip() : WalkResult::advance();
  });
  return cost;
}

/// Cuts one entry. Values that several parts use are computed anew in each when
/// that is no more than taking an address, else they are kept in a frame that
/// all parts have a pointer to.
class Splitter {
public:
  Splitter(func::FuncOp entry, SymbolTable &symbols, bool isGiant)
      : entry(entry), symbols(symbols), converter(entry.getContext()),
        isGiant(isGiant) {}

  void run() {
    if (costOf(entry) < 2 * kPartOps)
      return;
    OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
    pointer = LLVM::LLVMPointerType::get(b.getContext());
    frameSize = LLVM::ConstantOp::create(b, entry.getLoc(), b.getI64Type(),
                                         b.getI64IntegerAttr(1));
    frame = LLVM::AllocaOp::create(b, entry.getLoc(), pointer, b.getI64Type(),
                                   frameSize, /*alignment=*/16);
    splitRegion(entry.getBody());
    for (func::FuncOp part : parts)
      connect(part);
    connect(entry);
    frameSize.setValueAttr(
        b.getI64IntegerAttr(std::max<int64_t>(frameWords, 1)));
    markLeaving();
  }

private:
  void splitRegion(Region &region) {
    for (Block &block : region) {
      for (Operation &op : block)
        if (!isCompute(&op) && op.getNumRegions() && costOf(&op) > kPartOps)
          for (Region &inner : op.getRegions())
            splitRegion(inner);
      splitBlock(block);
    }
  }

  /// Whether code for one CPU does for all: `None` when it has no kernels.
  enum class Kind { None, Shared, Own };

  Kind kindOf(Operation *op) {
    Kind kind = Kind::None;
    op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
      if (auto call = dyn_cast<func::CallOp>(inner)) {
        auto part = symbols.lookup<func::FuncOp>(call.getCallee());
        bool isShared = part && part->hasAttr(kSharedAttr);
        kind = isShared && kind != Kind::Own ? Kind::Shared : Kind::Own;
      }
      if (!isCompute(inner))
        return WalkResult::advance();
      bool isShared =
          isLight(inner, isGiant) || (isGiant && isa<linalg::LinalgOp>(inner));
      kind = isShared && kind != Kind::Own ? Kind::Shared : Kind::Own;
      return WalkResult::skip();
    });
    return kind;
  }

  void splitBlock(Block &block) {
    SmallVector<Operation *> segment;
    int64_t cost = 0, total = 0;
    Kind kind = Kind::None;
    for (Operation &op : block)
      total += costOf(&op);
    if (total < kPartOps)
      return;
    auto finish = [&] {
      if (cost >= kFewOps)
        outline(segment, kind);
      segment.clear();
      cost = 0;
      kind = Kind::None;
    };
    for (Operation &op : llvm::make_early_inc_range(block)) {
      // The frame of this function is the one that lives long enough.
      if (isa<LLVM::AllocaOp>(op) || op.hasTrait<OpTrait::IsTerminator>() ||
          &op == frameSize.getOperation()) {
        finish();
        continue;
      }
      Kind its = kindOf(&op);
      bool differs = its != Kind::None && kind != Kind::None && its != kind;
      if (cost >= kPartOps || (differs && cost >= kFewOps))
        finish();
      segment.push_back(&op);
      cost += costOf(&op);
      if (its != Kind::None)
        kind = kind == Kind::Own ? Kind::Own : its;
    }
    finish();
  }

  /// Moves ops into a function of their own and calls it.
  void outline(ArrayRef<Operation *> ops, Kind kind) {
    Location loc = entry.getLoc();
    OpBuilder b(ops.front());
    SmallVector<Type> inputs(entry.getArgumentTypes());
    inputs.push_back(pointer);
    auto part =
        func::FuncOp::create(loc, (entry.getSymName() + "_part").str(),
                             b.getFunctionType(inputs, {b.getI32Type()}));
    part.setPrivate();
    part->setAttr(kPartAttr, b.getUnitAttr());
    // In one piece again LLVM would not gain anything.
    part->setAttr("passthrough", b.getArrayAttr({b.getStringAttr("noinline")}));
    part->setAttr(kLightAttr, b.getUnitAttr());
    if (kind != Kind::Own)
      part->setAttr(kSharedAttr, b.getUnitAttr());
    symbols.insert(part);
    Block *body = part.addEntryBlock();
    SmallVector<Value> arguments(entry.getArguments());
    arguments.push_back(frame);
    func::CallOp::create(b, loc, part, arguments);
    for (Operation *op : ops) {
      op->moveBefore(body, body->end());
      if (op->walk([](func::CallOp) {
              return WalkResult::interrupt();
            }).wasInterrupted())
        callers.insert(part);
    }
    b.setInsertionPointToEnd(body);
    Value good = arith::ConstantIntOp::create(b, loc, 0, 32);
    func::ReturnOp::create(b, loc, good);
    parts.push_back(part);
  }

  // Values across functions.

  static func::FuncOp functionOf(Value value) {
    return value.getParentRegion()->getParentOfType<func::FuncOp>();
  }

  /// Makes every operand a value of the function itself.
  void connect(func::FuncOp function) {
    SmallVector<OpOperand *> foreign;
    function.walk([&](Operation *op) {
      for (OpOperand &operand : op->getOpOperands())
        if (functionOf(operand.get()) != function)
          foreign.push_back(&operand);
    });
    // A value that a part called from here makes is not there at the start.
    bool hasParts = function == entry || callers.contains(function);
    Operation *start = &function.getBody().front().front();
    llvm::DenseMap<Block *, llvm::DenseMap<Value, Value>> known;
    for (OpOperand *operand : foreign) {
      Operation *user = operand->getOwner();
      OpBuilder b(user);
      if (!hasParts)
        b.setInsertionPoint(start);
      operand->set(bring(b, operand->get(), user->getLoc(), function,
                         known[b.getInsertionBlock()], 0));
    }
  }

  static bool isAddress(Operation *op) {
    return isa<LLVM::UndefOp, LLVM::PoisonOp, LLVM::ZeroOp, LLVM::AddressOfOp,
               LLVM::GEPOp, LLVM::InsertValueOp, LLVM::ExtractValueOp,
               UnrealizedConversionCastOp>(op) ||
           (isa<ViewLikeOpInterface>(op) && isPure(op)) ||
           matchPattern(op, m_Constant());
  }

  /// The value in `function`, where `b` stands.
  Value bring(OpBuilder &b, Value value, Location loc, func::FuncOp function,
              llvm::DenseMap<Value, Value> &known, unsigned depth) {
    if (functionOf(value) == function)
      return value;
    if (Value here = known.lookup(value))
      return here;
    auto argument = dyn_cast<BlockArgument>(value);
    Value here;
    if (argument && argument.getOwner()->isEntryBlock() &&
        isa<func::FuncOp>(argument.getOwner()->getParentOp())) {
      here = function.getArgument(argument.getArgNumber());
    } else if (value == frame) {
      here = frameIn(function);
    } else if (Operation *op = value.getDefiningOp();
               op && isAddress(op) && depth < kDeepest) {
      IRMapping mapping;
      for (Value operand : op->getOperands())
        mapping.map(operand,
                    bring(b, operand, loc, function, known, depth + 1));
      Operation *clone = b.clone(*op, mapping);
      for (auto [from, to] : llvm::zip(op->getResults(), clone->getResults()))
        known[from] = to;
      return known.lookup(value);
    } else {
      Type type = converter.convertType(value.getType());
      Value address =
          pointerAt(b, loc, frameIn(function), 8 * slotOf(value, type));
      here = LLVM::LoadOp::create(b, loc, type, address, /*alignment=*/8);
      if (type != value.getType())
        here = UnrealizedConversionCastOp::create(b, loc, value.getType(), here)
                   .getResult(0);
    }
    known[value] = here;
    return here;
  }

  Value frameIn(func::FuncOp function) {
    return function == entry ? frame : function.getArguments().back();
  }

  /// The word of the frame where the value is kept from its definition on.
  int64_t slotOf(Value value, Type type) {
    auto [slot, isNew] = slots.try_emplace(value, frameWords);
    if (!isNew)
      return slot->second;
    int64_t word = frameWords;
    frameWords += wordsOf(type);
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(value);
    Location loc = entry.getLoc();
    func::FuncOp home = functionOf(value);
    Value address = pointerAt(b, loc, frameIn(home), 8 * word);
    Value kept = value;
    if (type != value.getType())
      kept =
          UnrealizedConversionCastOp::create(b, loc, type, kept).getResult(0);
    LLVM::StoreOp::create(b, loc, kept, address, /*alignment=*/8);
    return word;
  }

  static int64_t wordsOf(Type type) {
    if (auto structure = dyn_cast<LLVM::LLVMStructType>(type)) {
      int64_t words = 0;
      for (Type field : structure.getBody())
        words += wordsOf(field);
      return words;
    }
    if (auto array = dyn_cast<LLVM::LLVMArrayType>(type))
      return array.getNumElements() * wordsOf(array.getElementType());
    return type.isIntOrFloat()
               ? llvm::divideCeil(type.getIntOrFloatBitWidth(), 64)
               : 1;
  }

  /// Parts that may end early say so, and so do calls of such parts.
  void markLeaving() {
    llvm::StringSet<> leaving;
    UnitAttr unit = UnitAttr::get(entry.getContext());
    auto mark = [&](func::FuncOp function) {
      bool leaves = false;
      function.walk([&](Operation *op) {
        if (auto call = dyn_cast<LLVM::CallOp>(op))
          leaves |= call.getCallee() == StringRef("tenon_alloc");
        if (auto call = dyn_cast<func::CallOp>(op);
            call && leaving.contains(call.getCallee())) {
          call->setAttr(kLeavesAttr, unit);
          leaves = true;
        }
      });
      if (leaves)
        leaving.insert(function.getSymName());
    };
    for (func::FuncOp part : parts) // Inner ones come first.
      mark(part);
    mark(entry);
  }

  /// Of a chain of views: what is deeper is kept in the frame.
  static constexpr unsigned kDeepest = 64;
  func::FuncOp entry;
  SymbolTable &symbols;
  LLVMTypeConverter converter;
  bool isGiant;
  Type pointer;
  LLVM::ConstantOp frameSize;
  Value frame;
  int64_t frameWords = 0;
  llvm::DenseMap<Value, int64_t> slots;
  SmallVector<func::FuncOp> parts;
  llvm::DenseSet<Operation *> callers; ///< parts that call others
};

/// ```mlir
/// func.func @main(...) {          func.func @main(...) {
///   2,000 ops                       %frame = llvm.alloca ...
///   2,000 ops            ->         call @main_part(..., %frame)
/// }                                 call @main_part_0(..., %frame)
/// ```
/// Parts whose kernels take no time to speak of are marked: code for one CPU
/// does for all of them (`tenon.shared`). In a program that has parts, every
/// function knows the number of its first kernel call (`tenon.first_call`).
struct SplitEntriesPass
    : PassBase<SplitEntriesPass, ModuleOp, LLVM::LLVMDialect, func::FuncDialect,
               arith::ArithDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SplitEntriesPass)
  static constexpr StringLiteral kArgument = "split-entries";
  static constexpr StringLiteral kSummary =
      "cut entries of thousands of operations into functions";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<func::FuncOp> entries;
    int64_t calls = 0;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr)) {
        entries.push_back(function);
        function.walk([&](Operation *op) { calls += isCompute(op); });
      }
    bool isGiant = calls > kGiantCalls;
    for (func::FuncOp entry : entries)
      Splitter(entry, symbols, isGiant).run();
    numberCalls(module, isGiant);
  }

private:
  static void numberCalls(ModuleOp module, bool isGiant) {
    Builder b(module.getContext());
    bool hasParts = false;
    for (auto function : module.getOps<func::FuncOp>())
      hasParts |= function->hasAttr(kPartAttr);
    if (!hasParts)
      return;
    auto unit = b.getUnitAttr();
    int64_t calls = 0;
    for (auto function : module.getOps<func::FuncOp>()) {
      function->setAttr(kFirstCallAttr, b.getI64IntegerAttr(calls));
      function.walk<WalkOrder::PreOrder>([&](Operation *op) {
        bool compute = isCompute(op);
        calls += compute;
        if (compute && isLight(op, isGiant))
          op->setDiscardableAttr(kLightAttr, unit);
        return compute ? WalkResult::skip() : WalkResult::advance();
      });
    }
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createSplitEntriesPass() {
  return std::make_unique<SplitEntriesPass>();
}
} // namespace tenon
