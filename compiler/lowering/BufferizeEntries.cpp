#include "compiler/Pass.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"

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

/// An empty tensor becomes a part of the place that its value goes to only if
/// nothing else starts from the values on the way: two of them would be
/// written to the same place.
Value replaceExclusively(RewriterBase &rewriter, SubsetInsertionOpInterface op,
                         tensor::EmptyOp empty, Operation *first) {
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
      separateDestinations(rewriter, function);
      bufferization::OneShotAnalysisState analysis(function, options);
      if (failed(bufferization::analyzeOp(function, analysis)) ||
          failed(bufferization::eliminateEmptyTensors(
              rewriter, function, analysis, replaceExclusively)))
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
