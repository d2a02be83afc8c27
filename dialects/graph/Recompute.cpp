#include "dialects/graph/Recompute.h"
#include "dialects/graph/Graph.h"
#include "dialects/graph/ops/Contraction.h"
#include "dialects/graph/ops/Convolution.h"
#include "dialects/graph/ops/Gradients.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon::graph {

/// To write an element and to read it again, in additions.
static constexpr double kKeepCost = 8;
/// A function such as exp.
static constexpr double kFunctionCost = 20;
/// Iterations that a loop is taken to have.
static constexpr double kTrips = 16;

/// Unknown sizes count as if they were this.
static double countElements(Value value) {
  constexpr double unknown = 32;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  double count = 1;
  for (int64_t size : type ? type.getShape() : ArrayRef<int64_t>())
    count *= ShapedType::isDynamic(size) ? unknown : double(size);
  return count;
}

/// The cost of an element of an elementwise op, from what it is made of.
static double elementCost(Elementwise op) {
  Operation *source = op.getOperation();
  Block block;
  OpBuilder b(source->getContext());
  b.setInsertionPointToStart(&block);
  SmallVector<Value> arguments;
  for (Value operand : source->getOperands())
    arguments.push_back(block.addArgument(
        LoweringContext::elementType(getElementTypeOrSelf(operand)),
        source->getLoc()));
  buildElement(source, b, arguments);
  double cost = 0;
  for (Operation &part : block) {
    if (isa<math::MathDialect>(part.getDialect()))
      cost += isa<math::AbsFOp, math::FmaOp>(part) ? 1 : kFunctionCost;
    else
      cost += isa<arith::DivFOp>(part) ? 4 : part.getNumRegions() ? 20 : 1;
  }
  block.dropAllReferences();
  return cost;
}

double operationCost(Operation *op) {
  double results = 0, operands = 0;
  for (Value result : op->getResults())
    results += countElements(result);
  for (Value operand : op->getOperands())
    operands += countElements(operand);
  if (auto elementwise = dyn_cast<Elementwise>(op))
    return results * elementCost(elementwise);
  if (isa<MatMulOp, EinsumOp>(op) && op->getNumOperands() == 2)
    // M K, K N and M N: the root of the product is M N K.
    return 2 * std::sqrt(countElements(op->getOperand(0)) *
                         countElements(op->getOperand(1)) * results);
  if (isa<ConvOp, ConvTransposeOp, ConvFilterGradOp, DepthwiseConvOp,
          DepthwiseConvTransposeOp, DepthwiseConvFilterGradOp>(op))
    return 16 * (results + operands);
  if (op->getNumRegions()) {
    double inside = 0;
    op->walk([&](Operation *nested) {
      if (nested != op)
        inside += operationCost(nested);
    });
    return kTrips * inside;
  }
  // Reductions read all that they are given; what has indices picks elements.
  bool picks = llvm::any_of(op->getOperands(), [](Value operand) {
    return getElementTypeOrSelf(operand).isIntOrIndex();
  });
  return picks ? results : std::max(results, operands);
}

namespace {
class Chooser {
public:
  Chooser(ArrayRef<Operation *> repeated, function_ref<bool(Value)> mayKeep,
          function_ref<bool(Operation *)> isUsed)
      : ops(repeated.begin(), repeated.end()), mayKeep(mayKeep) {
    for (Operation *op : repeated)
      for (Value result : op->getResults())
        if (isNeeded(result, isUsed))
          decide(result);
  }

  SmallVector<Value> takeKept() { return kept.takeVector(); }

private:
  bool isNeeded(Value value, function_ref<bool(Operation *)> isUsed) {
    Block *block = value.getParentBlock();
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      Operation *outer = block->findAncestorOpInBlock(*user);
      return outer && !ops.contains(outer) && isUsed(outer);
    });
  }

  void decide(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || !ops.contains(op) || kept.contains(value) ||
        !decided.insert(value).second)
      return;
    costs.clear();
    if (mayKeep(value) && keepCost(value) <= repeatCost(op)) {
      kept.insert(value);
      return;
    }
    for (Value operand : op->getOperands())
      decide(operand);
  }

  static double keepCost(Value value) {
    return kKeepCost * countElements(value);
  }

  /// Of the op and of what it is computed from.
  double repeatCost(Operation *op) {
    if (auto known = costs.find(op); known != costs.end())
      return known->second;
    double cost = operationCost(op);
    costs[op] = cost;
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!producer || !ops.contains(producer) || kept.contains(operand))
        continue;
      double again = repeatCost(producer);
      cost += mayKeep(operand) ? std::min(again, keepCost(operand)) : again;
    }
    return costs[op] = cost;
  }

  llvm::SmallPtrSet<Operation *, 32> ops;
  function_ref<bool(Value)> mayKeep;
  llvm::SetVector<Value> kept;
  llvm::DenseSet<Value> decided;
  llvm::DenseMap<Operation *, double> costs;
};
} // namespace

SmallVector<Value> chooseKept(ArrayRef<Operation *> repeated,
                              function_ref<bool(Value)> mayKeep,
                              function_ref<bool(Operation *)> isUsed) {
  return Chooser(repeated, mayKeep, isUsed).takeKept();
}

} // namespace tenon::graph
