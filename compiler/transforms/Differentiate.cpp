#include "compiler/Pass.h"
#include "dialects/graph/Gradient.h"
#include "dialects/graph/Tangent.h"
#include "dialects/graph/ops/Derivative.h"
#include "dialects/graph/ops/State.h"

using namespace mlir;
using namespace tenon;

namespace {

/// The derivatives that a function asks for become graphs, the innermost first:
/// those are in front of the ones that use them.
class Differentiator {
public:
  explicit Differentiator(func::FuncOp function)
      : function(function), builder(function), shapes(function.getContext()),
        state(shapes) {
    shapes.addEntry(function);
  }

  LogicalResult run() {
    SmallVector<Operation *> derivatives;
    function.walk([&](Operation *op) {
      if (isa<graph::GradientOp, graph::TangentOp>(op))
        derivatives.push_back(op);
    });
    llvm::SmallPtrSet<Operation *, 8> done;
    for (auto [i, op] : llvm::enumerate(derivatives)) {
      if (done.contains(op))
        continue;
      if (auto tangent = dyn_cast<graph::TangentOp>(op)) {
        if (failed(replace(tangent)))
          return failure();
        continue;
      }
      auto gradient = cast<graph::GradientOp>(op);
      SmallVector<graph::GradientOp> together = {gradient};
      for (Operation *later : ArrayRef(derivatives).drop_front(i + 1))
        if (auto other = dyn_cast<graph::GradientOp>(later);
            other && isSameSweep(gradient, other) && done.insert(other).second)
          together.push_back(other);
      if (failed(replace(together)))
        return failure();
    }
    removeMarks();
    function.setType(builder.getFunctionType(
        function.getArgumentTypes(),
        function.getBody().front().getTerminator()->getOperandTypes()));
    return success();
  }

private:
  /// The values that count as source `i`: the reads of a variable, or one
  /// tensor.
  template <typename OpTy>
  FailureOr<SmallVector<Value>> sourceValues(OpTy op, size_t i) {
    Value source = op.getSources()[i];
    auto variable = op.getVariables()
                        ? dyn_cast<FlatSymbolRefAttr>((*op.getVariables())[i])
                        : FlatSymbolRefAttr();
    if (!variable)
      return SmallVector<Value>{source};
    SmallVector<Value> reads = {source};
    WalkResult walked = function.walk([&](graph::ReadOp read) {
      if (read.getVariableAttr() != variable || read.getResult() == source)
        return WalkResult::advance();
      if (failed(graph::hoistRead(read, *op->getBlock()))) {
        emitError(read.getLoc())
            << "a derivative is asked for through a loop or condition that "
               "reads and writes the variable '"
            << variable.getValue() << "'";
        return WalkResult::interrupt();
      }
      reads.push_back(read.getResult());
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return failure();
    return reads;
  }

  /// Whether both differentiate the same tensors, and the second one's sources
  /// are there when the first one stands.
  static bool isSameSweep(graph::GradientOp op, graph::GradientOp other) {
    return op->getBlock() == other->getBlock() &&
           llvm::equal(op.getTargets(), other.getTargets()) &&
           llvm::equal(op.getWeights(), other.getWeights()) &&
           llvm::all_of(other.getSources(), [&](Value source) {
             Operation *producer = source.getDefiningOp();
             return !producer || producer->getBlock() != op->getBlock() ||
                    producer->isBeforeInBlock(op);
           });
  }

  /// `ops` differentiate the same tensors: one sweep does for all.
  LogicalResult replace(ArrayRef<graph::GradientOp> ops) {
    graph::GradientOp first = ops[0];
    builder.setInsertionPoint(first);
    SmallVector<std::pair<Value, SmallVector<Value>>> wanted;
    SmallVector<Value> sources;
    for (graph::GradientOp op : ops)
      for (auto [i, result] : llvm::enumerate(op.getResults())) {
        FailureOr<SmallVector<Value>> values = sourceValues(op, i);
        if (failed(values))
          return failure();
        llvm::append_range(sources, *values);
        wanted.push_back({result, std::move(*values)});
      }
    graph::GraphBuilder b(builder, shapes, first.getLoc());
    graph::Sweep sweep(builder, state, sources);
    SmallVector<Operation *> forward;
    for (Operation &op : *first->getBlock()) {
      if (&op == first)
        break;
      forward.push_back(&op);
    }
    for (auto [i, target] : llvm::enumerate(first.getTargets())) {
      if (!graph::hasDerivative(target))
        return emitError(target.getLoc())
               << "a derivative of a tensor of " << getElementTypeOrSelf(target)
               << " is asked for";
      sweep.add(target, first.getWeights().empty()
                            ? b.filled(target, 1)
                            : graph::Tensor(b, first.getWeights()[i]));
    }
    if (failed(sweep.run(forward)))
      return failure();
    for (auto &[result, values] : wanted) {
      graph::Tensor total;
      for (Value value : values)
        if (Value cotangent = sweep.cotangent(value)) {
          graph::Tensor part(b, cotangent);
          total = total ? total + part : part;
        }
      if (!total)
        total = b.filled(values.front(), 0);
      if (b.failed())
        return failure();
      result.replaceAllUsesWith(total.value());
    }
    for (graph::GradientOp op : ops) {
      op->remove();
      state.replaced.push_back(op);
    }
    return success();
  }

  LogicalResult replace(graph::TangentOp op) {
    builder.setInsertionPoint(op);
    graph::GraphBuilder b(builder, shapes, op.getLoc());
    graph::TangentSweep sweep(state);
    for (auto [i, direction] : llvm::enumerate(op.getDirections())) {
      FailureOr<SmallVector<Value>> values = sourceValues(op, i);
      if (failed(values))
        return failure();
      for (Value value : *values)
        if (graph::hasDerivative(value))
          sweep.set(value, direction);
    }
    // What the targets are computed from, and no more: tangents of everything
    // else would be computed in vain.
    llvm::DenseSet<Operation *> needed;
    SmallVector<Operation *> forward;
    auto need = [&](Value value) {
      if (Operation *source = value.getDefiningOp())
        needed.insert(source);
    };
    llvm::for_each(op.getTargets(), need);
    for (Operation *other = op->getPrevNode(); other;
         other = other->getPrevNode()) {
      if (!needed.contains(other))
        continue;
      forward.push_back(other);
      llvm::for_each(other->getOperands(), need);
      if (other->getNumRegions())
        llvm::for_each(graph::capturedValues(other->getRegions()), need);
    }
    std::reverse(forward.begin(), forward.end());
    if (failed(sweep.run(builder, forward)))
      return failure();
    for (auto [target, result] : llvm::zip(op.getTargets(), op.getResults())) {
      Value moves = sweep.tangent(target);
      result.replaceAllUsesWith(moves ? moves : b.filled(target, 0).value());
    }
    op->remove();
    state.replaced.push_back(op);
    return success();
  }

  /// What only derivatives ask for, and the parts of derivatives that nobody
  /// does.
  void removeMarks() {
    SmallVector<Operation *> ops;
    function.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops)) {
      if (isa<graph::SourceOp, graph::StopGradientOp, graph::SurrogateOp>(op))
        op->getResult(0).replaceAllUsesWith(op->getOperand(0));
      if (isOpTriviallyDead(op))
        op->erase();
    }
  }

  func::FuncOp function;
  OpBuilder builder;
  graph::ShapeContext shapes;
  graph::DifferentiationState state;
};

/// Reverse mode, by the `Differentiable` interface, and forward mode, by the
/// same rules. Every rule makes graph ops, so that derivatives are simplified,
/// fused and differentiated again like everything else.
///
/// ```mlir
/// %y = graph.square %x : (tensor<4xf32>) -> tensor<4xf32>
/// %d = graph.gradient of (%y) by (%x) weights ()
///     : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
/// // becomes
/// %two = graph.constant dense<2.0> : tensor<f32>
/// %d = graph.mul %x, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
/// ```
struct DifferentiatePass
    : PassBase<DifferentiatePass, func::FuncOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DifferentiatePass)
  static constexpr StringLiteral kArgument = "differentiate";
  static constexpr StringLiteral kSummary =
      "graph.gradient and graph.tangent become graphs of derivatives";

  void runOnOperation() override {
    if (failed(Differentiator(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createDifferentiatePass() {
  return std::make_unique<DifferentiatePass>();
}
} // namespace tenon
