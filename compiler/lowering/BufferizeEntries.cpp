#include "compiler/Pass.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;

namespace {
/// Gives every user a destination of its own: CSE shares empty tensors and
/// fills, but each is only the start of one user's destination. What starts
/// from one tensor is one alias set, whose analysis is quadratic. A user inside
/// a loop starts anew in every iteration.
void separateDestinations(RewriterBase &rewriter, func::FuncOp function) {
  SmallVector<Operation *> starts;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto fill = dyn_cast<linalg::FillOp>(op);
    if (!op->use_empty() &&
        (isa<tensor::EmptyOp>(op) || (fill && fill.hasPureTensorSemantics())))
      starts.push_back(op);
  });
  // Fills come after their empty tensors: from the last to the first, copies of
  // a fill are users of the tensor that is copied next.
  for (Operation *start : llvm::reverse(starts)) {
    bool taken = false;
    for (OpOperand &use :
         llvm::make_early_inc_range(start->getResult(0).getUses())) {
      if (!taken && use.getOwner()->getBlock() == start->getBlock()) {
        taken = true;
        continue;
      }
      rewriter.setInsertionPoint(use.getOwner());
      Operation *own = rewriter.clone(*start);
      rewriter.modifyOpInPlace(use.getOwner(),
                               [&] { use.set(own->getResult(0)); });
    }
    if (start->use_empty())
      rewriter.eraseOp(start);
  }
}

/// More parts than this are no chain of insertions, of which the analysis takes
/// cubic time.
constexpr size_t kMostParts = 16;
/// Fewer parts than this of one tensor are aliases.
constexpr size_t kManyReads = 64;
/// Of one variable: more are not looked at.
constexpr unsigned kMostAccesses = 64;

/// Where the computation of a part starts: the memory that it goes to must be
/// there by then.
Operation *startOf(Value part) {
  Operation *op = part.getDefiningOp();
  while (auto user = dyn_cast_if_present<DestinationStyleOpInterface>(op)) {
    OpResult result = cast<OpResult>(part);
    part = user.getTiedOpOperand(result)->get();
    Operation *next = part.getDefiningOp();
    if (!next || next->getBlock() != op->getBlock())
      break;
    op = next;
  }
  return op;
}

/// A long chain of insertions into an empty tensor becomes memory that each
/// part is written to. Nobody writes to that memory afterwards.
///
/// ```mlir
/// %1 = tensor.insert_slice %a into %0[0] [4] [1]
/// %2 = tensor.insert_slice %b into %1[4] [4] [1]
/// // ->
/// bufferization.materialize_in_destination %a in restrict writable %part0
/// bufferization.materialize_in_destination %b in restrict writable %part1
/// %2 = bufferization.to_tensor %memory restrict
/// ```
void writeParts(RewriterBase &rewriter, tensor::InsertSliceOp last) {
  SmallVector<tensor::InsertSliceOp> chain{last};
  while (auto before =
             chain.back().getDest().getDefiningOp<tensor::InsertSliceOp>()) {
    if (!before->hasOneUse() || before->getBlock() != last->getBlock())
      return;
    chain.push_back(before);
  }
  auto empty = chain.back().getDest().getDefiningOp<tensor::EmptyOp>();
  if (chain.size() <= kMostParts || !empty)
    return;
  std::reverse(chain.begin(), chain.end());
  Operation *first = chain.front();
  auto isConstant = [](tensor::InsertSliceOp part) {
    return !ShapedType::isDynamicShape(part.getStaticOffsets()) &&
           !ShapedType::isDynamicShape(part.getStaticSizes()) &&
           !ShapedType::isDynamicShape(part.getStaticStrides());
  };
  if (empty.getDynamicSizes().empty() && llvm::all_of(chain, isConstant))
    for (tensor::InsertSliceOp part : chain)
      if (Operation *start = startOf(part.getSource());
          start && start->getBlock() == first->getBlock() &&
          start->isBeforeInBlock(first))
        first = start;
  Location loc = last.getLoc();
  rewriter.setInsertionPoint(first);
  auto type = MemRefType::get(empty.getType().getShape(),
                              empty.getType().getElementType());
  Value memory =
      memref::AllocOp::create(rewriter, loc, type, empty.getDynamicSizes());
  SmallVector<Value> places;
  for (tensor::InsertSliceOp part : chain) {
    if (first == chain.front().getOperation())
      rewriter.setInsertionPoint(part);
    auto place = cast<MemRefType>(memref::SubViewOp::inferRankReducedResultType(
        part.getSourceType().getShape(), type, part.getMixedOffsets(),
        part.getMixedSizes(), part.getMixedStrides()));
    places.push_back(memref::SubViewOp::create(
        rewriter, loc, place, memory, part.getMixedOffsets(),
        part.getMixedSizes(), part.getMixedStrides()));
  }
  for (auto [part, place] : llvm::zip(chain, places)) {
    rewriter.setInsertionPoint(part);
    auto write = bufferization::MaterializeInDestinationOp::create(
        rewriter, loc, TypeRange(), part.getSource(), place);
    write.setRestrict(true);
    write.setWritable(true);
  }
  rewriter.setInsertionPoint(last);
  Value whole = bufferization::ToTensorOp::create(rewriter, loc, last.getType(),
                                                  memory, /*restrict=*/true);
  rewriter.replaceAllUsesWith(last.getResult(), whole);
  for (tensor::InsertSliceOp part : llvm::reverse(chain))
    rewriter.eraseOp(part);
}

void writeParts(RewriterBase &rewriter, func::FuncOp function) {
  SmallVector<tensor::InsertSliceOp> lasts;
  function.walk([&](tensor::InsertSliceOp op) {
    auto isNext = [&](OpOperand &use) {
      auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
      return next && &next.getDestMutable() == &use;
    };
    if (!op->hasOneUse() || !isNext(*op->use_begin()))
      lasts.push_back(op);
  });
  for (tensor::InsertSliceOp last : lasts)
    writeParts(rewriter, last);
}

/// A tensor that is cut into many parts is read from its memory: parts as
/// values of their own are no aliases, of which the analysis takes quadratic
/// time.
void readParts(RewriterBase &rewriter, Value whole,
               ArrayRef<tensor::ExtractSliceOp> parts) {
  Operation *op = whole.getDefiningOp();
  auto type = cast<RankedTensorType>(whole.getType());
  Location loc = whole.getLoc();
  Value memory;
  if (auto read = dyn_cast_if_present<bufferization::ToTensorOp>(op);
      read && !read.getWritable()) {
    memory = read.getBuffer();
  } else if (op && type.hasStaticShape()) {
    Operation *start = startOf(whole);
    rewriter.setInsertionPoint(start->getBlock() == op->getBlock() ? start
                                                                   : op);
    memory = memref::AllocOp::create(
        rewriter, loc, MemRefType::get(type.getShape(), type.getElementType()));
    rewriter.setInsertionPointAfter(op);
    auto write = bufferization::MaterializeInDestinationOp::create(
        rewriter, loc, TypeRange(), whole, memory);
    write.setRestrict(true);
    write.setWritable(true);
  } else {
    return;
  }
  for (tensor::ExtractSliceOp part : parts) {
    rewriter.setInsertionPoint(part);
    auto place = cast<MemRefType>(memref::SubViewOp::inferRankReducedResultType(
        part.getType().getShape(), cast<MemRefType>(memory.getType()),
        part.getMixedOffsets(), part.getMixedSizes(), part.getMixedStrides()));
    Value view = memref::SubViewOp::create(
        rewriter, loc, place, memory, part.getMixedOffsets(),
        part.getMixedSizes(), part.getMixedStrides());
    rewriter.replaceOpWithNewOp<bufferization::ToTensorOp>(
        part, part.getType(), view, /*restrict=*/true);
  }
}

void readParts(RewriterBase &rewriter, func::FuncOp function) {
  llvm::MapVector<Value, SmallVector<tensor::ExtractSliceOp>> parts;
  function.walk(
      [&](tensor::ExtractSliceOp op) { parts[op.getSource()].push_back(op); });
  for (auto &[whole, slices] : parts)
    if (slices.size() > kManyReads)
      readParts(rewriter, whole, slices);
}

/// What is read from memory by many is read by each for itself: one value with
/// thousands of users takes quadratic time as well.
void separateReads(RewriterBase &rewriter, func::FuncOp function) {
  SmallVector<bufferization::ToTensorOp> reads;
  function.walk([&](bufferization::ToTensorOp read) {
    if (!read.getWritable() && read.getRestrict() &&
        read.getResult().hasNUsesOrMore(kManyReads))
      reads.push_back(read);
  });
  for (bufferization::ToTensorOp read : reads) {
    rewriter.setInsertionPointAfter(read);
    for (OpOperand &use :
         llvm::make_early_inc_range(read->getResult(0).getUses())) {
      Operation *own = rewriter.clone(*read);
      rewriter.modifyOpInPlace(use.getOwner(),
                               [&] { use.set(own->getResult(0)); });
    }
  }
}

/// The memory of a variable, by name.
using Variables = llvm::StringMap<SmallVector<memref::GetGlobalOp>>;

/// Whether an operand's elements are read only where the result's element of
/// the same place is written: the two may be one piece of memory.
bool readsWhatItWrites(OpOperand &operand) {
  if (auto op = dyn_cast<linalg::GenericOp>(operand.getOwner()))
    return op.isDpsInput(&operand) &&
           op.getNumParallelLoops() == op.getNumLoops() &&
           op.getMatchingIndexingMap(&operand).isIdentity() &&
           llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
             return op.getMatchingIndexingMap(&init).isIdentity();
           });
  auto op = dyn_cast<kernel::ContractOp>(operand.getOwner());
  if (!op || op.getEpilogue().empty())
    return false;
  unsigned first = op.getEpilogue().getBeginOperandIndex(),
           number = operand.getOperandNumber();
  return number >= first && number < first + op.getEpilogue().size() &&
         cast<AffineMapAttr>(op.getEpilogueMaps()[number - first])
             .getValue()
             .isIdentity();
}

/// Whether nobody reads a variable's old value, or a part of it, after `first`
/// has begun to write its next one, up to `write`.
bool isReadBefore(Value old, Operation *first, Operation *write,
                  const bufferization::AnalysisState &state, unsigned &count) {
  return llvm::all_of(old.getUses(), [&](OpOperand &use) {
    Operation *user = write->getBlock()->findAncestorOpInBlock(*use.getOwner());
    if (!user || ++count > kMostAccesses)
      return false;
    if (!user->isBeforeInBlock(first) && !write->isBeforeInBlock(user) &&
        !(use.getOwner() == first && readsWhatItWrites(use)))
      return false;
    return llvm::all_of(state.getAliasingValues(use), [&](auto alias) {
      return isReadBefore(alias.value, first, write, state, count);
    });
  });
}

/// Whether a variable may get its next value where `first` begins to compute
/// it: nobody asks for the variable in between, and nobody reads the value when
/// the variable may have another one.
bool mayWriteEarly(bufferization::MaterializeInDestinationOp write,
                   Operation *first, const Variables &variables,
                   const bufferization::AnalysisState &state) {
  auto global = write.getDest().getDefiningOp<memref::GetGlobalOp>();
  if (!global)
    return true;
  Block *block = write->getBlock();
  if (first->getBlock() != block)
    return false;
  Operation *next = nullptr; // that changes the variable
  unsigned count = 0;
  auto known = variables.find(global.getName());
  for (memref::GetGlobalOp place : known->second)
    for (Operation *user : place->getUsers()) {
      Operation *access = block->findAncestorOpInBlock(*user);
      if (!access || ++count > kMostAccesses)
        return false;
      if (auto read = dyn_cast<bufferization::ToTensorOp>(user);
          read && !isReadBefore(read.getResult(), first, write, state, count))
        return false;
      if (access == write.getOperation() || access->isBeforeInBlock(first))
        continue;
      if (access->isBeforeInBlock(write))
        return false;
      bool reads = isa<bufferization::ToTensorOp>(access);
      if (!reads && (!next || access->isBeforeInBlock(next)))
        next = access;
    }
  return llvm::all_of(write.getSource().getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (user == write.getOperation() || !next)
      return true;
    auto op = dyn_cast<DestinationStyleOpInterface>(user);
    bool reads = (op && op.isDpsInput(&use)) ||
                 isa<bufferization::MaterializeInDestinationOp>(user);
    return reads && user->getBlock() == block && user->isBeforeInBlock(next);
  });
}

/// An empty tensor becomes a part of the place that its value goes to only if
/// nothing else starts from the values on the way: two of them would be
/// written to the same place.
Value replaceExclusively(RewriterBase &rewriter, SubsetInsertionOpInterface op,
                         tensor::EmptyOp empty, Operation *first,
                         const Variables &variables,
                         const bufferization::AnalysisState &state) {
  if (auto write = dyn_cast<bufferization::MaterializeInDestinationOp>(
          op.getOperation());
      write && !mayWriteEarly(write, first, variables, state))
    return {};
  Operation *user = first;
  Value value = empty.getResult(), source = op.getSourceOperand().get();
  while (user) {
    Value next;
    for (OpOperand &operand : user->getOpOperands()) {
      if (operand.get() != value)
        continue;
      auto destination = dyn_cast<DestinationStyleOpInterface>(user);
      if (destination && destination.isDpsInit(&operand))
        next = destination.getTiedOpResult(&operand);
      else if (!destination && user->getNumResults() == 1)
        next = user->getResult(0);
    }
    if (!next)
      return {};
    if (next == source)
      break;
    if (!next.hasOneUse())
      return {};
    value = next;
    user = *next.user_begin();
  }
  return bufferization::buildSubsetExtraction(rewriter, op, empty, first);
}

bool hasLoops(func::FuncOp function) {
  return function
      .walk([](LoopLikeOpInterface) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

struct BufferizeEntriesPass
    : PassBase<BufferizeEntriesPass, ModuleOp,
               bufferization::BufferizationDialect, memref::MemRefDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BufferizeEntriesPass)
  static constexpr StringLiteral kArgument = "bufferize-entries";
  static constexpr StringLiteral kSummary =
      "tensors become buffers, in place where nothing reads the old value";

  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    options.allowReturnAllocsFromLoops = true;
    options.bufferAlignment = 64;
    options.unknownTypeConverterFn =
        [](TensorType type, Attribute space,
           const bufferization::BufferizationOptions &) {
          return bufferization::getMemRefTypeWithStaticIdentityLayout(type,
                                                                      space);
        };
    // Copies are kernels like everything else.
    options.memCpyFn = [](OpBuilder &b, Location loc, Value from, Value to) {
      linalg::CopyOp::create(b, loc, from, to);
      return success();
    };
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    for (auto function : module.getOps<func::FuncOp>()) {
      // Producers write into the parts of a concatenation and into outputs.
      writeParts(rewriter, function);
      readParts(rewriter, function);
      separateReads(rewriter, function);
      separateDestinations(rewriter, function);
      Variables variables;
      function.walk([&](memref::GetGlobalOp global) {
        variables[global.getName()].push_back(global);
      });
      bufferization::OneShotAnalysisState analysis(function, options);
      // Without loops whatever goes to a place is only read there, which needs
      // no analysis to know.
      if (!hasLoops(function))
        function.walk([&](SubsetInsertionOpInterface op) {
          analysis.bufferizeInPlace(op.getSourceOperand());
        });
      else if (failed(bufferization::analyzeOp(function, analysis)))
        return signalPassFailure();
      auto replace = [&](RewriterBase &rewriter, SubsetInsertionOpInterface op,
                         tensor::EmptyOp empty, Operation *first) {
        return replaceExclusively(rewriter, op, empty, first, variables,
                                  analysis);
      };
      if (failed(bufferization::eliminateEmptyTensors(rewriter, function,
                                                      analysis, replace)))
        return signalPassFailure();
    }
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(module, options, state)))
      return signalPassFailure();
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createBufferizeEntriesPass() {
  return std::make_unique<BufferizeEntriesPass>();
}
} // namespace tenon
