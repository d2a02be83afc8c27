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

/// Where the variables of an entry change.
class Writes {
public:
  explicit Writes(func::FuncOp entry) {
    entry.walk([&](memref::GetGlobalOp place) {
      for (Operation *user : place->getUsers())
        if (!isa<bufferization::ToTensorOp>(user))
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
      if (!isa<bufferization::MaterializeInDestinationOp, memref::StoreOp>(
              write))
        return failure();
      Operation *here = read->getBlock()->findAncestorOpInBlock(*write);
      if (here && read->isBeforeInBlock(here) &&
          (!first || here->isBeforeInBlock(first)))
        first = here;
    }
    return first;
  }

private:
  llvm::StringMap<SmallVector<Operation *>> of;
};

/// Whether all uses of a value, and of those that may share its memory, come
/// before `end` (null: there is no such op), and none leaves the block.
bool isDoneBefore(Value value, Block *block, Operation *end,
                  const bufferization::AnalysisState &state, unsigned &uses) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    Operation *here = block->findAncestorOpInBlock(*user);
    if (++uses > kMostUses || !here || (end && !here->isBeforeInBlock(end)) ||
        user->hasTrait<OpTrait::IsTerminator>() ||
        isa<RegionBranchOpInterface>(user))
      return false;
    if (isa<tensor::DimOp>(user))
      continue;
    if (!state.getOptions().dynCastBufferizableOp(user))
      return false;
    for (bufferization::AliasingValue alias : state.getAliasingValues(use))
      if (!isDoneBefore(alias.value, block, end, state, uses))
        return false;
  }
  return true;
}

/// A variable that was read keeps its value when the variable changes, so a
/// read is a copy. Where nobody looks at the value any more by then, the
/// variable's own memory is the value.
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
    Writes writes(getOperation());
    bufferization::BufferizationOptions options;
    bufferization::AnalysisState state(options);
    getOperation().walk([&](linalg::CopyOp copy) {
      auto read =
          copy.getInputs()[0].getDefiningOp<bufferization::ToTensorOp>();
      auto place = read && !read.getWritable()
                       ? read.getBuffer().getDefiningOp<memref::GetGlobalOp>()
                       : nullptr;
      if (!place || copy->getNumResults() != 1 ||
          copy->getResult(0).getType() != read.getType())
        return;
      FailureOr<Operation *> end = writes.next(place.getName(), copy);
      unsigned uses = 0;
      if (failed(end) || !isDoneBefore(copy->getResult(0), copy->getBlock(),
                                       *end, state, uses))
        return;
      copy->getResult(0).replaceAllUsesWith(read.getResult());
      copy->erase();
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createReadVariablesPass() {
  return std::make_unique<ReadVariablesPass>();
}
} // namespace tenon
