#include "dialects/kernel/Rows.h"

using namespace mlir;
using namespace tenon::kernel;

AffineMap RowsOp::getMap(unsigned i) {
  return cast<AffineMapAttr>(getMaps()[i]).getValue();
}

Operation::operand_range RowsOp::getStepYields(unsigned step) {
  return getSteps()[step].front().getTerminator()->getOperands();
}

Operation *RowsOp::findCombiner(Block &block, BlockArgument accumulator,
                                unsigned i) {
  Value result = block.getTerminator()->getOperand(i);
  Operation *op = result.getDefiningOp();
  if (!op || op->getBlock() != &block || !accumulator.hasOneUse() ||
      !result.hasOneUse() || *accumulator.user_begin() != op)
    return nullptr;
  return isa<arith::AddFOp, arith::AddIOp, arith::MulFOp, arith::MulIOp,
             arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
             arith::MinNumFOp, arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp,
             arith::MinUIOp, arith::AndIOp, arith::OrIOp>(op)
             ? op
             : nullptr;
}

unsigned RowsOp::findWalks(SmallVectorImpl<unsigned> &ofValues) {
  unsigned walks = 0;
  for (auto [step, kind] : llvm::enumerate(getKinds())) {
    unsigned first = 0;
    for (auto [value, walk] : llvm::enumerate(ofValues))
      if (!getSteps()[step]
               .front()
               .getArgument(getInputs().size() + value)
               .use_empty())
        first = std::max(first, walk);
    if (kind != Kind::Row)
      walks = std::max(walks, first + 1);
    ofValues.append(getStepYields(step).size(),
                    first + (kind == Kind::Reduction));
  }
  return walks;
}

bool RowsOp::mayReplace(unsigned input, unsigned output) {
  SmallVector<unsigned> ofValues;
  unsigned walks = findWalks(ofValues), value = getYields()[output], step = 0;
  for (unsigned before = 0;; ++step) {
    before += getStepYields(step).size();
    if (value < before)
      break;
  }
  AffineMap map = getMap(input);
  return getKinds()[step] == Kind::Element && ofValues[value] + 1 == walks &&
         map == getMap(getInputs().size() + output) && map.isPermutation();
}

static bool isElementwise(Block &block) {
  return llvm::all_of(block.without_terminator(), [](Operation &op) {
    return op.getNumRegions() == 0 && op.getNumResults() == 1 &&
           (OpTrait::hasElementwiseMappableTraits(&op) ||
            op.hasTrait<OpTrait::ConstantLike>());
  });
}

/// Whether results are dimensions, each at most once, or 0, also more of these
/// than there are dimensions: that is the element of a tensor of ones.
static bool isElementOfDomain(AffineMap map) {
  llvm::SmallDenseSet<unsigned> seen;
  return llvm::all_of(map.getResults(), [&](AffineExpr result) {
    if (auto dim = dyn_cast<AffineDimExpr>(result))
      return seen.insert(dim.getPosition()).second;
    auto constant = dyn_cast<AffineConstantExpr>(result);
    return constant && constant.getValue() == 0;
  });
}

LogicalResult RowsOp::verify() {
  size_t inputs = getInputs().size(), outputs = getOutputs().size();
  if (getMaps().size() != inputs + outputs || inputs == 0)
    return emitOpError("needs an input, and a map of each operand");
  if (getKinds().size() != getSteps().size())
    return emitOpError("needs a kind of each step");
  unsigned rank = getRank();
  if (getRowRank() > rank)
    return emitOpError() << "has " << getRowRank()
                         << " dimensions of rows, but " << rank
                         << " dimensions";
  for (auto [i, operand] : llvm::enumerate(getOperands())) {
    AffineMap map = getMap(i);
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (map.getNumDims() != rank || map.getNumSymbols() ||
        !isElementOfDomain(map) ||
        map.getNumResults() != (type ? type.getRank() : 0))
      return emitOpError() << "map " << i << " does not fit its operand";
  }
  // Values of rows, and types, of what each step can see.
  SmallVector<std::pair<Type, bool>> seen;
  for (auto [i, input] : llvm::enumerate(getInputs())) {
    AffineMap map = getMap(i);
    bool isRow = llvm::none_of(map.getResults(), [&](AffineExpr expr) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      return dim && dim.getPosition() >= getRowRank();
    });
    seen.push_back({getElementTypeOrSelf(input.getType()), isRow});
  }
  size_t start = 0;
  for (auto [i, kind] : llvm::enumerate(getKinds())) {
    Block &block = getSteps()[i].front();
    auto end = dyn_cast<RowYieldOp>(block.getTerminator());
    if (!end || !isElementwise(block))
      return emitOpError() << "step " << i
                           << " must yield values of elementwise ops";
    size_t count = end.getValues().size(),
           sums = kind == Kind::Reduction ? count : 0;
    if (block.getNumArguments() != seen.size() + sums)
      return emitOpError() << "step " << i << " has " << block.getNumArguments()
                           << " arguments, expected " << seen.size() + sums;
    for (auto [argument, value] : llvm::zip(block.getArguments(), seen)) {
      if (argument.getType() != value.first)
        return emitOpError()
               << "step " << i << " has an argument of type "
               << argument.getType() << ", expected " << value.first;
      if (kind == Kind::Row && !value.second && !argument.use_empty())
        return emitOpError() << "step " << i << " of rows uses an element";
    }
    for (size_t k = 0; k < sums; ++k, ++start) {
      BlockArgument sum = block.getArgument(seen.size() + k);
      if (!findCombiner(block, sum, k))
        return emitOpError()
               << "step " << i << " does not combine terms in any order";
      if (start >= getStarts().size() || getStarts()[start] < 0 ||
          getStarts()[start] >= static_cast<int64_t>(inputs) ||
          seen[getStarts()[start]] != std::pair(sum.getType(), true))
        return emitOpError()
               << "step " << i << " needs the input that a sum starts with";
    }
    for (Value value : end.getValues())
      seen.push_back({value.getType(), kind != Kind::Element});
  }
  if (getYields().size() != outputs)
    return emitOpError("needs a value for each output");
  for (auto [i, value] : llvm::enumerate(getYields())) {
    if (value < 0 || inputs + value >= seen.size() ||
        seen[inputs + value].first !=
            getElementTypeOrSelf(getOutputs()[i].getType()))
      return emitOpError() << "output " << i << " is no value of its type";
    AffineMap map = getMap(inputs + i);
    unsigned next = 0;
    for (AffineExpr expr : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        if (dim.getPosition() < next)
          return emitOpError() << "output " << i << " changes the order";
        next = dim.getPosition() + 1;
      }
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialects/kernel/Rows.cpp.inc"

void tenon::kernel::registerRowsOp(KernelDialect &dialect) {
  RegisteredOperationName::insert<RowsOp>(dialect);
  RegisteredOperationName::insert<RowYieldOp>(dialect);
}
