#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/Reserve.h"
#include "dialects/kernel/Rows.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include <map>
#include <set>

using namespace mlir;
using namespace tenon;

namespace {

constexpr int64_t kAlignment = 64;
/// Of any address; sums of thousands of such sizes fit in a word.
constexpr int64_t kAddressBits = 48;

/// A buffer and the part of the function during which it holds a value, as
/// positions in program order.
struct Buffer {
  memref::AllocOp alloc;
  int64_t begin, end;
  bool survivesIteration =
      false; ///< made in a loop, read by its next iteration
  int64_t offset = 0;
};

/// Positions of ops in program order; a region's ops come between its op and
/// the op after it.
class Positions {
public:
  explicit Positions(func::FuncOp function) {
    function.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { first[op] = next++; });
    function.walk([&](Operation *op) {
      // Copies: another entry may move all of them.
      int64_t end = std::max(last.lookup(op), first.lookup(op));
      last[op] = end;
      if (Operation *parent = op->getParentOp()) {
        int64_t &outer = last[parent];
        outer = std::max(outer, end);
      }
    });
  }
  int64_t begin(Operation *op) const { return first.lookup(op); }
  int64_t end(Operation *op) const { return last.lookup(op); }
  int64_t count() const { return next; }

private:
  llvm::DenseMap<Operation *, int64_t> first, last;
  int64_t next = 0;
};

/// Whether the address of a buffer is what the branch around it gives.
bool isYielded(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    if (isa<scf::YieldOp>(user))
      return isa<LLVM::LLVMPointerType>(user->getOperandTypes().front());
    return isa<memref::CastOp, memref::ExtractAlignedPointerAsIndexOp,
               arith::IndexCastOp, LLVM::IntToPtrOp>(user) &&
           isYielded(user->getResult(0));
  });
}

/// Marks memory for results again: folding a size into an allocation's type
/// makes another allocation, without attributes.
void markOutputs(func::FuncOp function) {
  function.walk([](memref::AllocOp alloc) {
    if (isa<scf::IfOp>(alloc->getParentOp()) && isYielded(alloc))
      alloc->setAttr(kOutputAttr, UnitAttr::get(alloc.getContext()));
  });
}

/// Follows a buffer through views and loop values to its last use.
Buffer liveness(memref::AllocOp alloc, const Positions &positions) {
  Buffer buffer{alloc, positions.begin(alloc), positions.begin(alloc)};
  if (alloc->hasAttr(kOutputAttr)) {
    // The caller reads it after the call.
    buffer.begin = 0;
    buffer.end = positions.count();
    return buffer;
  }
  llvm::SmallPtrSet<Value, 8> seen;
  SmallVector<Value> work{alloc.getResult()};
  auto alias = [&](Value value) {
    if (isa<BaseMemRefType>(value.getType()) && seen.insert(value).second)
      work.push_back(value);
  };
  while (!work.empty()) {
    Value value = work.pop_back_val();
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      int64_t end = positions.begin(user);
      // A loop that the buffer is older than reads it again in every iteration.
      for (Operation *parent = user->getParentOp();
           parent && !parent->isAncestor(alloc); parent = parent->getParentOp())
        if (isa<LoopLikeOpInterface>(parent))
          end = std::max(end, positions.end(parent));
      buffer.end = std::max(buffer.end, end);
      unsigned number = use.getOperandNumber();
      if (isa<ViewLikeOpInterface, arith::SelectOp>(user)) {
        llvm::for_each(user->getResults(), alias);
      } else if (auto loop = dyn_cast<scf::WhileOp>(user)) {
        alias(loop.getBeforeArguments()[number]);
      } else if (auto condition = dyn_cast<scf::ConditionOp>(user)) {
        auto parent = cast<scf::WhileOp>(user->getParentOp());
        alias(parent.getAfterArguments()[number - 1]);
        alias(parent.getResult(number - 1));
      } else if (auto loop = dyn_cast<scf::ForOp>(user)) {
        if (BlockArgument argument = loop.getTiedLoopRegionIterArg(&use)) {
          alias(argument);
          alias(loop.getTiedLoopResult(&use));
        }
      } else if (isa<scf::YieldOp>(user)) {
        Operation *parent = user->getParentOp();
        buffer.survivesIteration |=
            isa<LoopLikeOpInterface>(parent) && parent->isAncestor(alloc);
        if (auto loop = dyn_cast<scf::WhileOp>(parent))
          alias(loop.getBeforeArguments()[number]);
        else
          alias(parent->getResult(number));
      }
    }
  }
  return buffer;
}

/// Buffers that have places, found by the time in which they live: most live
/// for a few operations of thousands.
class PlacedBuffers {
public:
  explicit PlacedBuffers(int64_t count)
      : span(std::max<int64_t>(llvm::divideCeil(count, kSpans), 1)),
        spans(kSpans) {}

  /// The lowest place that is free from `begin` to `end`, now taken.
  int64_t place(int64_t begin, int64_t end, int64_t size) {
    int64_t first = begin / span, last = std::min(end / span, kSpans - 1);
    bool isLong = last - first >= kFewSpans;
    std::vector<Taken> near;
    for (int64_t i = first; i <= last; ++i)
      if (!isLong)
        llvm::append_range(near, spans[i]);
    if (first != last)
      llvm::sort(near);
    const std::vector<Taken> &others = isLong ? sortedShort() : near;
    Taken taken{0, size, begin, end};
    auto one = others.begin(), two = longLived.cbegin();
    while (one != others.end() || two != longLived.cend()) {
      bool isOne = two == longLived.cend() ||
                   (one != others.end() && one->offset < two->offset);
      const Taken &other = isOne ? *one++ : *two++;
      if (other.begin > end || begin > other.end)
        continue;
      if (taken.offset + size <= other.offset)
        break;
      taken.offset = std::max(taken.offset, other.offset + other.size);
    }
    if (isLong) {
      insert(longLived, taken);
    } else {
      allShort.push_back(taken);
      for (int64_t i = first; i <= last; ++i)
        insert(spans[i], taken);
    }
    return taken.offset;
  }

private:
  struct Taken {
    int64_t offset, size, begin, end;
    bool operator<(const Taken &other) const { return offset < other.offset; }
  };

  static void insert(std::vector<Taken> &list, const Taken &taken) {
    list.insert(llvm::upper_bound(list, taken), taken);
  }

  const std::vector<Taken> &sortedShort() {
    auto middle = allShort.begin() + sortedCount;
    std::sort(middle, allShort.end());
    std::inplace_merge(allShort.begin(), middle, allShort.end());
    sortedCount = allShort.size();
    return allShort;
  }

  static constexpr int64_t kSpans = 256, kFewSpans = 8;
  int64_t span;
  // By offset: what lives in one of the spans and the next few, and all the
  // rest.
  std::vector<std::vector<Taken>> spans;
  std::vector<Taken> longLived;
  std::vector<Taken> allShort; ///< the first `sortedCount` by offset
  size_t sortedCount = 0;
};

class Planner {
public:
  explicit Planner(func::FuncOp function)
      : function(function), builder(function.getContext()) {}

  void run() {
    markOutputs(function);
    reuseOperands();
    Positions positions(function);
    SmallVector<Buffer> fixed;
    SmallVector<std::pair<Buffer, Value>> sized;
    builder.setInsertionPointToStart(&function.getBody().front());
    function.walk([&](memref::AllocOp alloc) {
      Buffer buffer = liveness(alloc, positions);
      if (buffer.survivesIteration) {
        allocate(alloc);
      } else if (alloc.getType().hasStaticShape()) {
        fixed.push_back(buffer);
      } else if (Value bytes = bytesOnEntry(alloc)) {
        sized.push_back({buffer, bytes});
      } else {
        allocate(alloc);
      }
    });
    int64_t bytes = placeFixed(fixed, positions.count());
    function->setAttr("tenon.arena_bytes", builder.getI64IntegerAttr(bytes));
    Value total;
    if (!fixed.empty() || !sized.empty())
      total = placeAll(fixed, sized, bytes);
    // Entries without a size that varies need no more than they have.
    if (function->hasAttr(kVersionAttr) ||
        !function.getArgument(abi::DimsArray).use_empty())
      addReserve(function, total, bytes);
  }

private:
  static int64_t staticBytes(MemRefType type) {
    return llvm::alignTo(type.getNumElements() *
                             elementBytes(type.getElementType()),
                         kAlignment);
  }

  /// Pairs of an operand of an op and a destination that may be one place, by
  /// what the op does with them.
  static SmallVector<std::pair<OpOperand *, OpOperand *>>
  findReplaceable(Operation *op) {
    SmallVector<std::pair<OpOperand *, OpOperand *>> pairs;
    if (auto rows = dyn_cast<kernel::RowsOp>(op)) {
      unsigned inputs = rows.getInputs().size();
      for (unsigned output = 0; output < rows.getOutputs().size(); ++output)
        for (unsigned input = 0; input < inputs; ++input)
          if (rows.mayReplace(input, output))
            pairs.push_back(
                {&op->getOpOperand(input), &op->getOpOperand(inputs + output)});
    }
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      if (generic.getNumParallelLoops() == generic.getNumLoops() &&
          generic.getNumDpsInits() == 1 &&
          generic.getIndexingMapsArray().back().isIdentity())
        for (OpOperand *operand : generic.getDpsInputOperands())
          if (generic.getMatchingIndexingMap(operand).isIdentity())
            pairs.push_back({operand, generic.getDpsInitOperand(0)});
    return pairs;
  }

  /// An elementwise op writes over an operand that nobody reads afterwards.
  void reuseOperands() {
    Positions positions(function);
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<linalg::GenericOp, kernel::RowsOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      for (auto [operand, init] : findReplaceable(op))
        reuse(op, *operand, *init, positions);
  }

  /// Gives `init` the memory of `operand` if that holds nothing later on.
  void reuse(Operation *op, OpOperand &operand, OpOperand &init,
             const Positions &positions) {
    auto target = init.get().getDefiningOp<memref::AllocOp>();
    auto source = operand.get().getDefiningOp<memref::AllocOp>();
    if (!target || target->hasAttr(kOutputAttr) || !source ||
        source == target || source->hasAttr(kOutputAttr) ||
        source.getType() != target.getType() ||
        source->getOperands() != target->getOperands() ||
        source->getBlock() != target->getBlock())
      return;
    Buffer written = liveness(target, positions);
    bool firstUse = llvm::all_of(target->getUsers(), [&](Operation *user) {
      return positions.begin(user) >= positions.begin(op);
    });
    if (!firstUse || written.survivesIteration)
      return;
    // Its other operands must not be views of the same memory.
    Buffer read = liveness(source, positions);
    bool onlyUseHere = llvm::count_if(source->getUses(), [&](OpOperand &use) {
                         return use.getOwner() == op;
                       }) == 1;
    bool direct = llvm::all_of(source->getUsers(), [&](Operation *user) {
      return user == op || !isa<ViewLikeOpInterface>(user) ||
             positions.begin(user) < positions.begin(op);
    });
    if (read.end != positions.begin(op) || read.survivesIteration ||
        !onlyUseHere || !direct || readsThroughView(op, source))
      return;
    target.getResult().replaceAllUsesWith(source.getResult());
    target.erase();
  }

  /// Whether an operand or a value used in the body is a view of `source`.
  static bool readsThroughView(Operation *op, memref::AllocOp source) {
    bool found = false;
    op->walk([&](Operation *inner) {
      for (Value value : inner->getOperands()) {
        while (Operation *view = value.getDefiningOp()) {
          if (!isa<ViewLikeOpInterface>(view))
            break;
          value = view->getOperand(0);
          found |= value == source.getResult();
        }
        found |= inner != op && value == source.getResult();
      }
    });
    return found;
  }

  /// Largest first, each at the lowest place that is free while it lives.
  static int64_t placeFixed(SmallVectorImpl<Buffer> &buffers, int64_t count) {
    SmallVector<Buffer *> order =
        llvm::map_to_vector(buffers, [](Buffer &buffer) { return &buffer; });
    llvm::stable_sort(order, [](Buffer *a, Buffer *b) {
      return staticBytes(a->alloc.getType()) > staticBytes(b->alloc.getType());
    });
    int64_t total = 0;
    PlacedBuffers placed(count);
    for (Buffer *buffer : order) {
      int64_t size = staticBytes(buffer->alloc.getType());
      buffer->offset = placed.place(buffer->begin, buffer->end, size);
      total = std::max(total, buffer->offset + size);
    }
    return total;
  }

  /// The value computed again at the start of the function, if it follows from
  /// the entry's dimensions.
  Value onEntry(Value value) {
    auto known = hoisted.find(value);
    if (known != hoisted.end())
      return known->second;
    Value early = computeOnEntry(value);
    hoisted[value] = early;
    return early;
  }

  Value computeOnEntry(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return isa<LLVM::LLVMPointerType>(value.getType()) ? value : Value();
    bool loadsDim = isa<LLVM::LoadOp>(op) && value.getType().isInteger(64);
    if (!loadsDim && !isPure(op))
      return {};
    if (op->getNumRegions())
      return {};
    IRMapping mapping;
    for (Value operand : op->getOperands()) {
      Value early = onEntry(operand);
      if (!early)
        return {};
      mapping.map(operand, early);
    }
    Operation *clone = builder.clone(*op, mapping);
    for (auto [from, to] : llvm::zip(op->getResults(), clone->getResults()))
      hoisted[from] = to;
    return hoisted.lookup(value);
  }

  /// The bytes of a buffer. Sets bits of `excess` when they are more than any
  /// machine has; the product may be wrong then.
  Value computeBytes(OpBuilder &b, memref::AllocOp alloc, ValueRange sizes,
                     Value &excess) {
    Location loc = alloc.getLoc();
    MemRefType type = alloc.getType();
    int64_t unit = elementBytes(type.getElementType());
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        unit *= size;
    Value bytes = arith::ConstantIndexOp::create(b, loc, unit);
    auto note = [&](Value bits) {
      excess = excess ? arith::OrIOp::create(b, loc, excess, bits).getResult()
                      : bits;
    };
    for (Value size : sizes) {
      auto product = arith::MulUIExtendedOp::create(b, loc, bytes, size);
      bytes = product.getLow();
      note(product.getHigh());
    }
    Value limit = arith::ConstantIndexOp::create(b, loc, kAddressBits);
    note(arith::ShRUIOp::create(b, loc, bytes, limit));
    return bytes;
  }

  /// `bytes`, or -1, which the runtime refuses, when there is excess.
  static Value refuseExcess(OpBuilder &b, Location loc, Value bytes,
                            Value excess) {
    Value none = arith::ConstantIndexOp::create(b, loc, 0);
    Value fits =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, excess, none);
    return arith::SelectOp::create(b, loc, fits, bytes,
                                   arith::ConstantIndexOp::create(b, loc, -1));
  }

  /// The same value for buffers of one size.
  Value bytesOnEntry(memref::AllocOp alloc) {
    SmallVector<Value> sizes;
    for (Value size : alloc.getDynamicSizes()) {
      sizes.push_back(onEntry(size));
      if (!sizes.back())
        return {};
    }
    MemRefType type = alloc.getType();
    SmallVector<const void *> key;
    for (Value size : sizes)
      key.push_back(size.getAsOpaquePointer());
    int64_t unit = elementBytes(type.getElementType());
    for (int64_t size : type.getShape())
      unit *= ShapedType::isDynamic(size) ? 1 : size;
    Value &bytes = bytesOf[{unit, std::move(key)}];
    if (!bytes)
      bytes = computeBytes(builder, alloc, sizes, excess);
    return bytes;
  }

  Value aligned(Location loc, Value bytes) {
    auto constant = [&](int64_t value) {
      return arith::ConstantIndexOp::create(builder, loc, value);
    };
    Value rounded =
        arith::AddIOp::create(builder, loc, bytes, constant(kAlignment - 1));
    return arith::AndIOp::create(builder, loc, rounded, constant(-kAlignment));
  }

  static void replace(memref::AllocOp alloc, Value pointer) {
    OpBuilder b(alloc);
    alloc.getResult().replaceAllUsesWith(memrefAt(
        b, alloc.getLoc(), pointer, alloc.getType(), alloc.getDynamicSizes()));
    alloc.erase();
  }

  /// Memory whose size only the moment knows.
  void allocate(memref::AllocOp alloc) {
    OpBuilder b(alloc);
    Location loc = alloc.getLoc();
    Type pointer = function.getArgument(abi::Instance).getType();
    auto callee =
        runtimeFunction(function->getParentOfType<ModuleOp>(), "tenon_alloc",
                        pointer, {pointer, b.getI64Type()});
    Value tooMuch;
    Value bytes = computeBytes(b, alloc, alloc.getDynamicSizes(), tooMuch);
    Value word = arith::IndexCastOp::create(
        b, loc, b.getI64Type(), refuseExcess(b, loc, bytes, tooMuch));
    auto call = LLVM::CallOp::create(
        b, loc, callee, ValueRange{function.getArgument(abi::Instance), word});
    replace(alloc, call.getResult());
  }

  /// Returns the bytes that a call needs; null when they are `fixedBytes`.
  Value placeAll(ArrayRef<Buffer> fixed,
                 ArrayRef<std::pair<Buffer, Value>> sized, int64_t fixedBytes) {
    Location loc = function.getLoc();
    Value instance = function.getArgument(abi::Instance);
    if (sized.empty()) {
      Value arena;
      for (const Buffer &buffer : fixed) {
        // The place of a result that the caller has no memory for: nothing is
        // asked of the instance for others.
        if (buffer.alloc->hasAttr(kOutputAttr)) {
          OpBuilder b(buffer.alloc);
          Value own = loadPointer(b, loc, instance, abi::Arena);
          own.getDefiningOp()->setAttr(kOutputAttr, b.getUnitAttr());
          replace(buffer.alloc, pointerIn(own, buffer));
          continue;
        }
        if (!arena)
          arena = loadPointer(builder, loc, instance, abi::Arena);
        replace(buffer.alloc, pointerIn(arena, buffer));
      }
      return {};
    }
    // Buffers that never live together share a slot as large as the largest.
    struct Slot {
      Value bytes, offset, pointer;
      llvm::SmallDenseSet<Value> sizes;
    };
    std::vector<Slot> slots;
    SmallVector<size_t> slotOf;
    // In program order, so that a slot is free when its last buffer is dead.
    std::set<size_t> free;
    std::multimap<int64_t, size_t> busy; // by the end of the last buffer
    for (auto &[buffer, bytes] : sized) {
      size_t slot = slots.size();
      if (!buffer.alloc->hasAttr(kOutputAttr)) {
        while (!busy.empty() && busy.begin()->first < buffer.begin)
          free.insert(busy.extract(busy.begin()).mapped());
        if (!free.empty())
          slot = free.extract(free.begin()).value();
        busy.insert({buffer.end, slot});
      }
      if (slot == slots.size())
        slots.emplace_back();
      slotOf.push_back(slot);
      if (!slots[slot].sizes.insert(bytes).second)
        continue;
      Value most = slots[slot].bytes;
      slots[slot].bytes =
          most ? arith::MaxUIOp::create(builder, loc, most, bytes) : bytes;
    }
    Value total = arith::ConstantIndexOp::create(builder, loc, fixedBytes);
    for (Slot &slot : slots) {
      slot.offset = total;
      total =
          arith::AddIOp::create(builder, loc, total, aligned(loc, slot.bytes));
    }
    total = refuseExcess(builder, loc, total, excess);
    Value arena = reserve(loc, instance, total);
    for (const Buffer &buffer : fixed)
      replace(buffer.alloc, pointerIn(arena, buffer));
    for (Slot &slot : slots)
      slot.pointer = pointerAt(builder, loc, arena, slot.offset);
    for (auto [entry, slot] : llvm::zip(sized, slotOf))
      replace(entry.first.alloc, slots[slot].pointer);
    return total;
  }

  static Value pointerIn(Value arena, const Buffer &buffer) {
    OpBuilder b(buffer.alloc);
    return pointerAt(b, buffer.alloc->getLoc(), arena, buffer.offset);
  }

  /// Asks for the arena; leaves the entry with its status when there is none.
  Value reserve(Location loc, Value instance, Value total) {
    Type pointer = instance.getType();
    auto callee =
        runtimeFunction(function->getParentOfType<ModuleOp>(), "tenon_reserve",
                        pointer, {pointer, builder.getI64Type()});
    Value word =
        arith::IndexCastOp::create(builder, loc, builder.getI64Type(), total);
    Value arena =
        LLVM::CallOp::create(builder, loc, callee, ValueRange{instance, word})
            .getResult();
    Value null = LLVM::ZeroOp::create(builder, loc, pointer);
    Value failed = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                        arena, null);
    Block *head = builder.getInsertionBlock();
    Block *rest = head->splitBlock(builder.getInsertionPoint());
    Block *leave = builder.createBlock(&function.getBody());
    Value status =
        LLVM::LoadOp::create(builder, loc, builder.getI32Type(),
                             pointerAt(builder, loc, instance, abi::Status));
    func::ReturnOp::create(builder, loc, status);
    builder.setInsertionPointToEnd(head);
    cf::CondBranchOp::create(builder, loc, failed, leave, rest);
    builder.setInsertionPointToStart(rest);
    return arena;
  }

  func::FuncOp function;
  OpBuilder builder;
  llvm::DenseMap<Value, Value> hoisted; ///< null where they do not follow
  /// By the bytes of what is static of a shape, and the sizes that are not.
  std::map<std::pair<int64_t, SmallVector<const void *>>, Value> bytesOf;
  Value excess; ///< bits that are set when a buffer is impossibly large
};

/// Buffers with static sizes get offsets (largest first, reusing what is dead);
/// buffers whose sizes follow from the entry's dimensions share slots whose
/// sizes are computed on entry, in one reservation; buffers whose sizes depend
/// on data are allocated where they are made. An elementwise kernel whose
/// operand dies writes over it. Sets `tenon.arena_bytes`.
struct PlanMemoryPass : PassBase<PlanMemoryPass, ModuleOp, LLVM::LLVMDialect,
                                 memref::MemRefDialect, arith::ArithDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PlanMemoryPass)
  static constexpr StringLiteral kArgument = "plan-memory";
  static constexpr StringLiteral kSummary =
      "give every buffer its place in the arena";

  void runOnOperation() override {
    // On the module: runtime functions are declared in it.
    SmallVector<func::FuncOp> entries, choices;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr))
        (choosesVersion(function) ? choices : entries).push_back(function);
    for (func::FuncOp entry : entries)
      Planner(entry).run();
    for (func::FuncOp choice : choices)
      addReserveOfChoice(choice);
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createPlanMemoryPass() {
  return std::make_unique<PlanMemoryPass>();
}
} // namespace tenon
