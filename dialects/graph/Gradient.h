//===- Gradient.h - derivatives of graphs in reverse mode -----------------===//
//
// A derivative is a sweep over the ops of a block from the last to the first:
// each one's rule turns the cotangents of its results into contributions to
// those of its operands, which add up.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_GRAPH_GRADIENT_H
#define TENON_DIALECTS_GRAPH_GRADIENT_H

#include "dialects/graph/Expression.h"
#include "dialects/graph/Graph.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace tenon::graph {
class Gradient;
} // namespace tenon::graph

#include "dialects/graph/Differentiable.h.inc"

namespace tenon::graph {

/// What ops of one function share while it is differentiated. Nothing that
/// `shapes` has seen is destroyed before this is.
struct DifferentiationState {
  explicit DifferentiationState(ShapeContext &shapes) : shapes(shapes) {}
  DifferentiationState(const DifferentiationState &) = delete;
  ~DifferentiationState();

  ShapeContext &shapes;
  /// Ops that were replaced and taken out of their blocks.
  llvm::SmallVector<mlir::Operation *> replaced;
  /// What stands for a result of one of them.
  llvm::DenseMap<mlir::Value, mlir::Value> successors;

  /// A value that was noted down, whatever has been replaced since.
  mlir::Value current(mlir::Value value) const {
    while (mlir::Value next = successors.lookup(value))
      value = next;
    return value;
  }
};

/// One sweep over a block.
class Sweep {
public:
  /// `builder` stands where derivatives are to be computed: where all values of
  /// the swept ops are visible.
  Sweep(mlir::OpBuilder &builder, DifferentiationState &state,
        mlir::ValueRange sources);

  /// Adds a cotangent of `value`.
  void add(mlir::Value value, Tensor cotangent);
  /// Goes over `ops`, which are in program order. Fails after a reported error.
  llvm::LogicalResult run(llvm::ArrayRef<mlir::Operation *> ops);
  /// The cotangent of a source; null: zero.
  mlir::Value cotangent(mlir::Value value) const {
    return state.current(cotangents.lookup(value));
  }
  /// Whether a value depends on a source.
  bool isActive(mlir::Value value) const { return active.contains(value); }

  mlir::OpBuilder &builder;
  DifferentiationState &state;

  /// Finds out which values depend on a source; `run` does that, too.
  void activate(llvm::ArrayRef<mlir::Operation *> ops);

private:
  llvm::DenseSet<mlir::Value> active;
  llvm::DenseMap<mlir::Value, mlir::Value> cotangents;
};

/// What the rule of one op asks and tells.
class Gradient : public GraphBuilder {
public:
  Gradient(Sweep &sweep, mlir::Operation *op)
      : GraphBuilder(sweep.builder, sweep.state.shapes, op->getLoc()),
        sweep(sweep), op(op) {}

  Sweep &sweep;
  mlir::Operation *op;

  /// The cotangent of result `i`, of its shape; null when it is zero.
  Tensor of(unsigned i = 0) {
    return Tensor(*this, sweep.cotangent(op->getResult(i)));
  }
  /// Whether the cotangent of `operand` is of any use.
  bool wants(mlir::Value operand) const { return sweep.isActive(operand); }
  Tensor operator()(mlir::Value value) { return Tensor(*this, value); }
  /// Adds a contribution to the cotangent of `operand`; it is summed over the
  /// dimensions that broadcasting the operand repeats. Null: nothing.
  void add(mlir::Value operand, Tensor contribution) {
    if (contribution && wants(operand))
      sweep.add(operand, contribution);
  }
};

/// Whether a value can have a derivative: real or complex numbers.
inline bool hasDerivative(mlir::Value value) {
  return llvm::isa<mlir::FloatType, mlir::ComplexType>(
      mlir::getElementTypeOrSelf(value.getType()));
}

/// An op's attributes, for a related op that means the same by them.
inline llvm::SmallVector<mlir::NamedAttribute>
attributesOf(mlir::Operation *op) {
  return llvm::SmallVector<mlir::NamedAttribute>(
      op->getAttrDictionary().getValue());
}

/// The rule of an op that has a form in simpler ops: `build` gives its results
/// (null: not differentiated) from its operands, and these ops' rules do the
/// rest.
void differentiateAs(Gradient &gradient,
                     llvm::function_ref<llvm::SmallVector<Tensor>()> build);

/// Copies the ops of a forward block, terminator excluded, to the builder's
/// place, without their effects; not those whose results are in `mapping`.
llvm::SmallVector<mlir::Operation *> recompute(mlir::OpBuilder &builder,
                                               mlir::Block &block,
                                               mlir::IRMapping &mapping);

/// The values around `regions` that are used in them, in order of first use.
llvm::SmallVector<mlir::Value>
capturedValues(llvm::MutableArrayRef<mlir::Region> regions);

/// Moves a read of a variable out of regions to `block`, in front of the op
/// that it is in there; not when that op writes the variable, which fails.
llvm::LogicalResult hoistRead(mlir::Operation *read, mlir::Block &block);

namespace detail {
template <typename OpTy, typename Rule>
struct RuleModel : Differentiable::ExternalModel<RuleModel<OpTy, Rule>, OpTy> {
  void buildGradient(mlir::Operation *op, Gradient &gradient) const {
    Rule()(llvm::cast<OpTy>(op), gradient);
  }
  bool hasZeroGradient(mlir::Operation *) const { return false; }
  llvm::StringRef whyNotDifferentiable(mlir::Operation *) const { return ""; }
};

template <typename OpTy>
struct ZeroModel : Differentiable::ExternalModel<ZeroModel<OpTy>, OpTy> {
  void buildGradient(mlir::Operation *, Gradient &) const {}
  bool hasZeroGradient(mlir::Operation *) const { return true; }
  llvm::StringRef whyNotDifferentiable(mlir::Operation *) const { return ""; }
};

template <typename OpTy, typename Reason>
struct RefusalModel
    : Differentiable::ExternalModel<RefusalModel<OpTy, Reason>, OpTy> {
  void buildGradient(mlir::Operation *, Gradient &gradient) const {
    gradient.fail(Reason()());
  }
  bool hasZeroGradient(mlir::Operation *) const { return false; }
  llvm::StringRef whyNotDifferentiable(mlir::Operation *) const {
    return Reason()();
  }
};
} // namespace detail

/// Gives `OpTy` the rule `void(OpTy, Gradient &)`, a lambda without captures.
template <typename OpTy, typename Rule>
void addRule(mlir::MLIRContext *context, Rule) {
  OpTy::template attachInterface<detail::RuleModel<OpTy, Rule>>(*context);
}
/// Ops whose derivative is zero wherever it exists.
template <typename... OpTys> void addZeroRules(mlir::MLIRContext *context) {
  (OpTys::template attachInterface<detail::ZeroModel<OpTys>>(*context), ...);
}
/// An op without derivative: `reason` is a lambda that gives the text.
template <typename OpTy, typename Reason>
void refuseGradient(mlir::MLIRContext *context, Reason) {
  OpTy::template attachInterface<detail::RefusalModel<OpTy, Reason>>(*context);
}

/// The rules of all families.
void addGradients(mlir::MLIRContext *context);
/// Those of one, each in ops/<Family>Gradient.cpp.
void addElementwiseGradients(mlir::MLIRContext *context);
void addContractionGradients(mlir::MLIRContext *context);
void addReductionGradients(mlir::MLIRContext *context);
void addIndexingGradients(mlir::MLIRContext *context);
void addNormalizationGradients(mlir::MLIRContext *context);
void addWindowGradients(mlir::MLIRContext *context);
void addShapeGradients(mlir::MLIRContext *context);
void addLinearAlgebraGradients(mlir::MLIRContext *context);
void addRandomGradients(mlir::MLIRContext *context);
void addSparseGradients(mlir::MLIRContext *context);
void addControlGradients(mlir::MLIRContext *context);
void addDerivativeGradients(mlir::MLIRContext *context);
void addDistributionGradients(mlir::MLIRContext *context);
void addImageGradients(mlir::MLIRContext *context);
void addHostGradients(mlir::MLIRContext *context);

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_GRADIENT_H
