#include "compiler/Pass.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Of one variable in an entry: more are not looked at.
constexpr unsigned kMostAccesses = 64;
/// Of one value and its parts.
constexpr unsigned kMostUses = 256;

using bufferization::MaterializeInDestinationOp;
using bufferization::ToTensorOp;

/// Where the variables of an entry change, and where they are looked at.
class Accesses {
public:
  explicit Accesses(func::FuncOp entry) {
    entry.walk([&](memref::GetGlobalOp place) {
      for (Operation *user : place->getUsers())
        if (auto read = dyn_cast<ToTensorOp>(user))
          reads[place.getName()].push_back(read);
        else
          of[place.getName()].push_back(user);
    });
  }

  /// The first op behind `read`, in its block, that changes the variable while
  /// the block runs: null when there is none. Fails when that is not known.
  FailureOr<Operation *> next(StringRef variable, Operation *read) const {
    auto known = of.find(variable);
    if (known == of.end())
      return nullptr;
    if (known->second.size() > kMostAccesses)
      return failure();
    Operation *first = nullptr;
    for (Operation *write : known->second) {
      // Memory that goes on as a value may be written anywhere.
      if (!isa<MaterializeInDestinationOp, memref::StoreOp>(write))
        return failure();
      Operation *here = read->getBlock()->findAncestorOpInBlock(*write);
      if (here && read->isBeforeInBlock(here) &&
          (!first || here->isBeforeInBlock(first)))
        first = here;
    }
    return first;
  }

  ArrayRef<ToTensorOp> readsOf(StringRef variable) const {
    auto known = reads.find(variable);
    return known == reads.end() ? ArrayRef<ToTensorOp>() : known->second;
  }

private:
  llvm::StringMap<SmallVector<Operation *>> of;
  llvm::StringMap<SmallVector<ToTensorOp>> reads;
};

/// The uses of a value and of those that may share its memory, up to `end`.
class Lifetime {
public:
  Lifetime(Block *block, const bufferization::AnalysisState &state)
      : block(block), state(state) {}

  /// Whether all come before `end` (null: there is no such op), and none leaves
  /// the block.
  bool endsBefore(Value value, Operation *end) {
    if (!aliases.insert(value).second)
      return true;
    return llvm::all_of(value.getUses(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      Operation *here = block->findAncestorOpInBlock(*user);
      if (++uses > kMostUses || !here || (end && !here->isBeforeInBlock(end)))
        return false;
      if (isa<tensor::DimOp>(user))
        return true;
      // Values go in and out of regions in ways of their own.
      if (user->hasTrait<OpTrait::IsTerminator>())
        return user->getBlock() != block &&
               allEndBefore(user->getParentOp(), end);
      if (isa<RegionBranchOpInterface>(user))
        return allEndBefore(user, end);
      return state.getOptions().dynCastBufferizableOp(user) &&
             llvm::all_of(state.getAliasingValues(use), [&](auto alias) {
               return endsBefore(alias.value, end);
             });
    });
  }

  bool contains(Value value) const { return aliases.contains(value); }

private:
  /// The same of all tensors that an op with regions has.
  bool allEndBefore(Operation *op, Operation *end) {
    auto ends = [&](Value value) {
      return !isa<TensorType>(value.getType()) || endsBefore(value, end);
    };
    return llvm::all_of(op->getResults(), ends) &&
           llvm::all_of(op->getRegions(), [&](Region &region) {
             return llvm::all_of(region.getArguments(), ends);
           });
  }

  Block *block;
  const bufferization::AnalysisState &state;
  llvm::SmallPtrSet<Value, 16> aliases;
  unsigned uses = 0;
};

/// A variable that was read keeps its value when the variable changes, so a
/// read is a copy. Where nobody looks at the value any more by then, the
/// variable's own memory is the value. Where what changes it is made of this
/// very value, that may be done in the variable's memory, too: rows are added
/// to a table without a copy of it.
///
/// ```mlir
/// %0 = bufferization.to_tensor %variable restrict
/// %1 = linalg.copy ins(%0) outs(..)
/// %2 = linalg.generic ins(%1, %gradient) outs(..)   // reads %0 instead
/// bufferization.materialize_in_destination %2 in restrict writable %variable
/// ```
struct ReadVariablesPass
    : PassBase<ReadVariablesPass, func::FuncOp, linalg::LinalgDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReadVariablesPass)
  static constexpr StringLiteral kArgument = "read-variables";
  static constexpr StringLiteral kSummary =
      "variables are read where they lie when they change afterwards only";

  void runOnOperation() override {
    Accesses accesses(getOperation());
    bufferization::BufferizationOptions options;
    bufferization::AnalysisState state(options);
    getOperation().walk([&](linalg::CopyOp copy) {
      auto read = copy.getInputs()[0].getDefiningOp<ToTensorOp>();
      auto place = read && !read.getWritable()
                       ? read.getBuffer().getDefiningOp<memref::GetGlobalOp>()
                       : nullptr;
      if (!place || copy->getNumResults() != 1 ||
          copy->getResult(0).getType() != read.getType())
        return;
      FailureOr<Operation *> end = accesses.next(place.getName(), copy);
      if (failed(end))
        return;
      Value value = copy->getResult(0);
      if (Lifetime(copy->getBlock(), state).endsBefore(value, *end)) {
        value.replaceAllUsesWith(read.getResult());
        copy->erase();
      } else if (mayChangeInPlace(copy, place.getName(), *end, accesses,
                                  state)) {
        OpBuilder b(copy);
        value.replaceAllUsesWith(
            ToTensorOp::create(b, read.getLoc(), value.getType(), place,
                               /*restrict=*/true, /*writable=*/true));
        copy->erase();
      }
    });
  }

private:
  /// Whether the variable's next value, which `end` writes, is made of what
  /// `copy` has read, nobody looks at the variable in between, and nobody at
  /// that value when the variable has another one.
  static bool mayChangeInPlace(linalg::CopyOp copy, StringRef variable,
                               Operation *end, const Accesses &accesses,
                               const bufferization::AnalysisState &state) {
    Block *block = copy->getBlock();
    auto write = dyn_cast_if_present<MaterializeInDestinationOp>(end);
    if (!write || write->getBlock() != block)
      return false;
    FailureOr<Operation *> after = accesses.next(variable, write);
    Lifetime lifetime(block, state);
    if (failed(after) || !lifetime.endsBefore(copy->getResult(0), *after) ||
        !lifetime.contains(write.getSource()))
      return false;
    ArrayRef<ToTensorOp> reads = accesses.readsOf(variable);
    return reads.size() <= kMostAccesses &&
           llvm::all_of(reads, [&](ToTensorOp read) {
             Operation *here = block->findAncestorOpInBlock(*read);
             return here && (write->isBeforeInBlock(here) ||
                             (read->getBlock() == block &&
                              Lifetime(block, state)
                                  .endsBefore(read, copy->getNextNode())));
           });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createReadVariablesPass() {
  return std::make_unique<ReadVariablesPass>();
}
} // namespace tenon
