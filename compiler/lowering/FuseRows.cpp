#include "compiler/Pass.h"
#include "dialects/kernel/Rows.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;

namespace {

using kernel::RowsOp;

/// Ops that one group has at most, and those around them that are looked at.
constexpr size_t kMostOps = 24, kMostBetween = 256;
/// Rows shorter than this gain nothing from vectors along them.
constexpr int64_t kShortRow = 16;
/// Few rows longer than this are better shared by threads, op by op.
constexpr int64_t kLongRow = 1 << 16;
/// Accumulators and values that fit registers.
constexpr size_t kMostSums = 4;

/// Dimensions of a tensor as those of a group's domain; -1: of size 1 only.
using Dims = SmallVector<int64_t>;

bool isVectorizable(Type type) {
  return isa<FloatType>(type)
             ? type.getIntOrFloatBitWidth() <= 64
             : isa<IntegerType>(type) && type.getIntOrFloatBitWidth() <= 64;
}

bool hasVectorBody(linalg::GenericOp op) {
  for (Value argument : op.getBody()->getArguments())
    if (!isVectorizable(argument.getType()))
      return false;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.getNumRegions() || inner.getNumResults() != 1 ||
        !isVectorizable(inner.getResult(0).getType()) ||
        (!OpTrait::hasElementwiseMappableTraits(&inner) &&
         !inner.hasTrait<OpTrait::ConstantLike>()))
      return false;
    // Of values for which there are no vectors.
    for (Value operand : inner.getOperands())
      if (!isVectorizable(operand.getType()))
        return false;
  }
  return true;
}

bool isElementwise(linalg::GenericOp op) {
  if (op.getNumParallelLoops() != op.getNumLoops())
    return false;
  return llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
    return op.getMatchingBlockArgument(&init).use_empty();
  });
}

bool isReduction(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0)
    return false;
  for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable()))
    if (!RowsOp::findCombiner(*op.getBody(), op.getMatchingBlockArgument(&init),
                              i))
      return false;
  return true;
}

/// A group of ops over the same rows.
class Group {
public:
  /// Begins with a reduction along the last dimensions of an operand.
  static std::optional<Group> startingWith(linalg::GenericOp op);
  /// Takes all neighbours that fit.
  void grow();
  bool isWorthwhile() const;
  bool knowsSizes() const;
  void replace(RewriterBase &rewriter);

private:
  struct Member {
    linalg::GenericOp op;
    Dims loops; // as those of the domain
    int64_t kind;
  };

  bool tryAdd(Operation *op);
  bool findLoops(linalg::GenericOp op, Dims &loops);
  std::optional<int64_t> kindOf(linalg::GenericOp op, ArrayRef<int64_t> loops);
  std::optional<Dims> dimsOf(linalg::GenericOp op, OpOperand &operand,
                             ArrayRef<int64_t> loops) const;
  bool fits(const Member &member);
  bool isConvexWith(Operation *op);
  bool contains(Operation *op) const { return ops.contains(op); }
  bool isInside(Value value) const {
    Operation *op = value.getDefiningOp();
    return op && ops.contains(op);
  }
  AffineMap mapOf(ArrayRef<int64_t> dims) const;
  bool isRowDim(int64_t dim) const { return dim < rowRank; }

  MLIRContext *context;
  Block *block;
  SmallVector<int64_t> sizes; // of the domain
  int64_t rowRank = 0;
  llvm::SmallSetVector<Operation *, 8> ops; // generics and reshapes
  DenseMap<Operation *, Member> members;
  DenseMap<Value, Dims> known; // dimensions of operands and results
};

} // namespace

std::optional<Group> Group::startingWith(linalg::GenericOp op) {
  if (!isReduction(op) || !hasVectorBody(op) || !op.hasPureTensorSemantics())
    return std::nullopt;
  Group group;
  group.context = op.getContext();
  group.block = op->getBlock();
  unsigned loops = op.getNumLoops();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (map.getNumResults() != loops || !map.isPermutation())
      continue;
    Dims order(loops);
    SmallVector<int64_t> sizes(loops);
    int64_t rowRank = 0;
    bool rowsFirst = true;
    for (unsigned i = 0; i < loops; ++i) {
      unsigned loop = map.getDimPosition(i);
      order[loop] = i;
      sizes[i] = ranges[loop];
      bool isRow = kinds[loop] == utils::IteratorType::parallel;
      rowsFirst &= !isRow || rowRank == i;
      rowRank += isRow;
    }
    if (!rowsFirst)
      continue;
    group.sizes = sizes;
    group.rowRank = rowRank;
    Member member{op, order, RowsOp::Reduction};
    if (!group.fits(member))
      return std::nullopt;
    return group;
  }
  return std::nullopt;
}

/// Dimensions of an operand or result, if they are what a step can have.
std::optional<Dims> Group::dimsOf(linalg::GenericOp op, OpOperand &operand,
                                  ArrayRef<int64_t> loops) const {
  Dims dims;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim && !isa<AffineConstantExpr>(expr))
      return std::nullopt;
    if (auto constant = dyn_cast<AffineConstantExpr>(expr);
        constant && constant.getValue() != 0)
      return std::nullopt;
    dims.push_back(dim ? loops[dim.getPosition()] : -1);
  }
  Dims sorted;
  for (int64_t dim : dims)
    if (dim >= 0)
      sorted.push_back(dim);
  llvm::sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return std::nullopt;
  return dims;
}

/// Which dimension of the domain each loop is, by the operands that are known.
bool Group::findLoops(linalg::GenericOp op, Dims &loops) {
  constexpr int64_t unknown = -2;
  loops.assign(op.getNumLoops(), unknown);
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = op.isDpsInit(&operand) ? Value(op.getTiedOpResult(&operand))
                                         : operand.get();
    auto found = known.find(value);
    if (found == known.end())
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [expr, dim] : llvm::zip(map.getResults(), found->second)) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      int64_t &known = loops[loop.getPosition()];
      if (dim == -1 && ranges[loop.getPosition()] != 1)
        return false;
      if (known >= 0 && dim >= 0 && known != dim)
        return false;
      known = std::max(known, dim);
    }
  }
  // What is left over by its size, in the order of the first result.
  Dims taken(loops);
  int64_t next = 0;
  auto result = op.getIndexingMapsArray()[op.getNumDpsInputs()];
  for (unsigned i = 0; i < loops.size(); ++i) {
    if (loops[i] != unknown)
      continue;
    if (ranges[i] == 1) {
      loops[i] = -1;
      continue;
    }
    if (ShapedType::isDynamic(ranges[i]))
      return false;
    while (next < static_cast<int64_t>(sizes.size()) &&
           (llvm::is_contained(taken, next) || sizes[next] == 1))
      ++next;
    if (next == static_cast<int64_t>(sizes.size()) || sizes[next] != ranges[i])
      return false;
    loops[i] = next++;
  }
  for (unsigned i = 0; i < loops.size(); ++i)
    if (loops[i] >= 0 && llvm::count(loops, loops[i]) > 1)
      return false;
  return result.getNumDims() == loops.size();
}

std::optional<int64_t> Group::kindOf(linalg::GenericOp op,
                                     ArrayRef<int64_t> loops) {
  bool elements = false, all = true, rows = true;
  for (int64_t dim = 0; dim < static_cast<int64_t>(sizes.size()); ++dim) {
    bool covered = sizes[dim] == 1 || llvm::is_contained(loops, dim);
    all &= covered;
    if (isRowDim(dim))
      rows &= covered;
    else
      elements |= llvm::is_contained(loops, dim) && sizes[dim] != 1;
  }
  if (isElementwise(op)) {
    if (all && elements)
      return RowsOp::Element;
    bool oneColumn = llvm::all_of(ArrayRef(sizes).drop_front(rowRank),
                                  [](int64_t size) { return size == 1; });
    if (rows && !elements && !oneColumn)
      return RowsOp::Row;
    return std::nullopt;
  }
  if (!isReduction(op) || !all)
    return std::nullopt;
  for (auto [loop, kind] : llvm::zip(loops, op.getIteratorTypesArray()))
    if (loop >= 0 && isRowDim(loop) != (kind == utils::IteratorType::parallel))
      return std::nullopt;
  return RowsOp::Reduction;
}

/// Checks operands and results, and adds the op.
bool Group::fits(const Member &member) {
  linalg::GenericOp op = member.op;
  SmallVector<std::pair<Value, Dims>> found;
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<Dims> dims = dimsOf(op, operand, member.loops);
    if (!dims)
      return false;
    bool isInit = op.isDpsInit(&operand);
    Value value = isInit ? Value(op.getTiedOpResult(&operand)) : operand.get();
    if (!isa<RankedTensorType>(value.getType())) {
      if (isInit || !isVectorizable(value.getType()))
        return false;
      continue;
    }
    if (isInit) {
      // In order, and of all dimensions that its values have.
      int64_t last = -1;
      for (int64_t dim : *dims) {
        if (dim < 0)
          continue;
        if (dim < last)
          return false;
        last = dim;
      }
      int64_t end = member.kind == RowsOp::Element ? sizes.size() : rowRank;
      for (int64_t dim = 0; dim < end; ++dim)
        if (sizes[dim] != 1 && !llvm::is_contained(*dims, dim))
          return false;
    }
    if (member.kind == RowsOp::Row &&
        llvm::any_of(*dims, [&](int64_t dim) { return dim >= rowRank; }))
      return false;
    auto other = known.find(value);
    // What the group computes is taken at the element at hand.
    if (other != known.end() && (isInside(value) || isInit) &&
        other->second != *dims)
      for (auto [i, j] : llvm::zip(other->second, *dims))
        if (i != j && !((i < 0 || sizes[i] == 1) && (j < 0 || sizes[j] == 1)))
          return false;
    found.push_back({value, *dims});
  }
  for (auto &[value, dims] : found)
    known.try_emplace(value, dims);
  members.try_emplace(op, member);
  ops.insert(op);
  return true;
}

/// Whether nothing outside lies on a way from one member to another, so that
/// the group can be one op; those between the members must be free to move.
bool Group::isConvexWith(Operation *op) {
  Operation *first = op, *last = op;
  for (Operation *member : ops) {
    if (member->isBeforeInBlock(first))
      first = member;
    if (last->isBeforeInBlock(member))
      last = member;
  }
  auto isMember = [&](Operation *other) {
    return other == op || contains(other);
  };
  llvm::SmallPtrSet<Operation *, 16> after;
  size_t between = 0;
  for (Operation *other = first; other != last->getNextNode();
       other = other->getNextNode()) {
    if (++between > kMostBetween)
      return false;
    bool depends = false;
    auto look = [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      if (source && source->getBlock() == block)
        depends |=
            after.contains(source) || (!isMember(other) && isMember(source));
    };
    other->walk(
        [&](Operation *inner) { llvm::for_each(inner->getOperands(), look); });
    if (!depends)
      continue;
    if (isMember(other) || !isPure(other))
      return false;
    after.insert(other);
  }
  return true;
}

bool Group::tryAdd(Operation *op) {
  if (op->getBlock() != block || contains(op) || ops.size() >= kMostOps)
    return false;
  // Reshapes that add or take dimensions of size 1.
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) {
    Value from = op->getOperand(0), to = op->getResult(0);
    auto narrow = isa<tensor::ExpandShapeOp>(op) ? from : to,
         wide = isa<tensor::ExpandShapeOp>(op) ? to : from;
    auto groups =
        isa<tensor::ExpandShapeOp>(op)
            ? cast<tensor::ExpandShapeOp>(op).getReassociationIndices()
            : cast<tensor::CollapseShapeOp>(op).getReassociationIndices();
    auto type = cast<RankedTensorType>(wide.getType());
    bool toWide = known.contains(narrow), toNarrow = known.contains(wide);
    if (toWide == toNarrow)
      return false;
    Dims dims(toWide ? type.getRank()
                     : cast<RankedTensorType>(narrow.getType()).getRank(),
              -1);
    const Dims given = known.lookup(toWide ? narrow : wide);
    for (auto [i, group] : llvm::enumerate(groups)) {
      int64_t real = -1;
      for (int64_t dim : group)
        if (type.isDynamicDim(dim) || type.getDimSize(dim) != 1) {
          if (real >= 0)
            return false;
          real = dim;
        }
      if (toWide && real >= 0)
        dims[real] = given[i];
      if (!toWide && real >= 0)
        dims[i] = given[real];
    }
    // Dimensions of size 1 lead nowhere: the rest is the same element.
    bool isBehind = isInside(from);
    if (!isBehind || !isConvexWith(op))
      return false;
    known.try_emplace(to, dims);
    ops.insert(op);
    return true;
  }
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || !generic.hasPureTensorSemantics() ||
      !hasVectorBody(generic) ||
      !(isElementwise(generic) || isReduction(generic)))
    return false;
  Member member{generic, {}, 0};
  if (!findLoops(generic, member.loops))
    return false;
  std::optional<int64_t> kind = kindOf(generic, member.loops);
  if (!kind)
    return false;
  member.kind = *kind;
  if (member.kind == RowsOp::Reduction) {
    size_t sums = generic.getNumDpsInits();
    for (auto &[other, seen] : members)
      sums += seen.kind == RowsOp::Reduction ? seen.op.getNumDpsInits() : 0;
    if (sums > kMostSums)
      return false;
  }
  return isConvexWith(op) && fits(member);
}

void Group::grow() {
  for (size_t i = 0; i < ops.size(); ++i) {
    Operation *op = ops[i];
    bool grew = false;
    // Users first: they save a pass over memory each.
    SmallVector<Operation *> candidates;
    for (Value result : op->getResults())
      if (std::distance(result.user_begin(), result.user_end()) <= 16)
        llvm::append_range(candidates, result.getUsers());
    for (Value operand : op->getOperands()) {
      Operation *source = operand.getDefiningOp();
      if (!source)
        continue;
      candidates.push_back(source);
      // Others over the same operand, such as a second statistic.
      if (isa<linalg::GenericOp>(source) &&
          std::distance(source->user_begin(), source->user_end()) <= 16)
        llvm::append_range(candidates, source->getUsers());
    }
    // In the order of the program: uses have no order of their own.
    llvm::sort(candidates, [&](Operation *a, Operation *b) {
      return a->getBlock() == block && b->getBlock() == block && a != b
                 ? a->isBeforeInBlock(b)
                 : a->getBlock() == block && b->getBlock() != block;
    });
    candidates.erase(llvm::unique(candidates), candidates.end());
    for (Operation *candidate : candidates)
      grew |= tryAdd(candidate);
    if (grew)
      i = -1; // what did not fit may fit now
  }
}

/// Whether operands that steps read have all sizes of the domain: of what is
/// not read, as constants, nothing is left that says how far loops go.
bool Group::knowsSizes() const {
  SmallVector<bool> covered(sizes.size());
  for (Operation *op : ops) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic)
      continue;
    const Member &member = members.find(op)->second;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      if (generic.getMatchingBlockArgument(operand).use_empty() ||
          isInside(operand->get()) ||
          !isa<RankedTensorType>(operand->get().getType()))
        continue;
      std::optional<Dims> dims = dimsOf(generic, *operand, member.loops);
      for (int64_t dim : *dims)
        if (dim >= 0)
          covered[dim] = true;
    }
  }
  return !llvm::is_contained(covered, false);
}

bool Group::isWorthwhile() const {
  if (!knowsSizes())
    return false;
  int64_t length = 1, rows = 1;
  for (auto [i, size] : llvm::enumerate(sizes)) {
    int64_t &product = static_cast<int64_t>(i) < rowRank ? rows : length;
    product = ShapedType::isDynamic(size) || product < 0 ? -1 : product * size;
  }
  if (length >= 0 && length < kShortRow)
    return false;
  if (length > kLongRow && rows >= 0 && rows < 4)
    return false;
  // The last dimension is the one that vectors run along.
  if (!ShapedType::isDynamic(sizes.back()) && sizes.back() < kShortRow)
    return false;
  return true;
}

AffineMap Group::mapOf(ArrayRef<int64_t> dims) const {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim : dims)
    exprs.push_back(dim < 0 ? getAffineConstantExpr(0, context)
                            : getAffineDimExpr(dim, context));
  return AffineMap::get(sizes.size(), 0, exprs, context);
}

void Group::replace(RewriterBase &rewriter) {
  SmallVector<Operation *> order(ops.begin(), ops.end());
  llvm::sort(order,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  Operation *last = order.back();
  auto leaves = [&](Value value) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      Operation *inBlock = block->findAncestorOpInBlock(*user);
      return !inBlock || !contains(inBlock);
    });
  };
  // A reshaped value that is used elsewhere is reshaped there.
  DenseMap<Value, Value> same; // a reshape's result is its operand
  auto original = [&](Value value) {
    while (same.contains(value))
      value = same.lookup(value);
    return value;
  };
  SmallVector<Operation *> reshapes;
  for (Operation *op : order)
    if (!isa<linalg::GenericOp>(op)) {
      same[op->getResult(0)] = op->getOperand(0);
      if (leaves(op->getResult(0)))
        reshapes.push_back(op);
    }
  auto isWanted = [&](Value value) {
    return leaves(value) || llvm::any_of(reshapes, [&](Operation *reshape) {
             return original(reshape->getResult(0)) == value;
           });
  };

  rewriter.setInsertionPointAfter(last);
  SmallVector<Location> locations;
  SmallVector<Value> inputs, outputs;
  SmallVector<AffineMap> inputMaps, outputMaps;
  SmallVector<int64_t> kinds, starts, yields;
  auto addInput = [&](Value value, AffineMap map) {
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] == value && inputMaps[i] == map)
        return static_cast<int64_t>(i);
    inputs.push_back(value);
    inputMaps.push_back(map);
    return static_cast<int64_t>(inputs.size() - 1);
  };
  auto none = AffineMap::get(sizes.size(), 0, context);
  DenseMap<OpOperand *, int64_t> inputOf;
  DenseMap<Value, int64_t> valueOf;
  SmallVector<Value> results;
  int64_t count = 0;
  for (Operation *op : order) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic)
      continue;
    const Member &member = members.find(op)->second;
    locations.push_back(op->getLoc());
    kinds.push_back(member.kind);
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      if (generic.getMatchingBlockArgument(operand).use_empty() ||
          isInside(operand->get()))
        continue;
      bool isTensor = isa<RankedTensorType>(operand->get().getType());
      inputOf[operand] = addInput(
          operand->get(),
          isTensor ? mapOf(*dimsOf(generic, *operand, member.loops)) : none);
    }
    for (OpOperand &init : generic.getDpsInitsMutable()) {
      if (member.kind == RowsOp::Reduction) {
        auto fill = init.get().getDefiningOp<linalg::FillOp>();
        starts.push_back(
            fill ? addInput(fill.getInputs()[0], none)
                 : addInput(init.get(),
                            mapOf(*dimsOf(generic, init, member.loops))));
      }
      Value result = generic.getTiedOpResult(&init);
      valueOf[result] = count++;
      if (!isWanted(result))
        continue;
      Value target = init.get();
      if (auto fill = target.getDefiningOp<linalg::FillOp>())
        target = fill.getOutputs()[0];
      if (!target.getDefiningOp<tensor::EmptyOp>())
        target = tensor::EmptyOp::create(
            rewriter, op->getLoc(),
            tensor::getMixedSizes(rewriter, op->getLoc(), init.get()),
            getElementTypeOrSelf(result.getType()));
      results.push_back(result);
      outputs.push_back(target);
      outputMaps.push_back(mapOf(*dimsOf(generic, init, member.loops)));
      yields.push_back(valueOf[result]);
    }
  }
  SmallVector<AffineMap> maps(inputMaps);
  llvm::append_range(maps, outputMaps);
  OperationState state(rewriter.getFusedLoc(locations),
                       RowsOp::getOperationName());
  state.addOperands(inputs);
  state.addOperands(outputs);
  for (Value output : outputs)
    state.addTypes(output.getType());
  state.addAttribute("row_rank", rewriter.getI64IntegerAttr(rowRank));
  state.addAttribute("kinds", rewriter.getDenseI64ArrayAttr(kinds));
  state.addAttribute("starts", rewriter.getDenseI64ArrayAttr(starts));
  state.addAttribute("yields", rewriter.getDenseI64ArrayAttr(yields));
  state.addAttribute("maps", rewriter.getAffineMapArrayAttr(maps));
  state.addAttribute(
      "operandSegmentSizes",
      rewriter.getDenseI32ArrayAttr({static_cast<int32_t>(inputs.size()),
                                     static_cast<int32_t>(outputs.size())}));
  // The steps.
  SmallVector<Type> types;
  for (Value input : inputs)
    types.push_back(getElementTypeOrSelf(input.getType()));
  Location loc = rewriter.getUnknownLoc();
  for (Operation *op : order) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic)
      continue;
    const Member &member = members.find(op)->second;
    Block *step = new Block();
    state.addRegion()->push_back(step);
    for (Type type : types)
      step->addArgument(type, loc);
    IRMapping mapping;
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = generic.getMatchingBlockArgument(&operand);
      if (generic.isDpsInit(&operand)) {
        if (member.kind == RowsOp::Reduction)
          mapping.map(argument, step->addArgument(argument.getType(), loc));
      } else if (isInside(operand.get())) {
        mapping.map(argument,
                    step->getArgument(inputs.size() +
                                      valueOf[original(operand.get())]));
      } else if (!argument.use_empty()) {
        mapping.map(argument, step->getArgument(inputOf[&operand]));
      }
    }
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToEnd(step);
    for (Operation &inner : generic.getBody()->without_terminator())
      rewriter.clone(inner, mapping);
    SmallVector<Value> values;
    for (Value value : generic.getBody()->getTerminator()->getOperands())
      values.push_back(mapping.lookupOrDefault(value));
    kernel::RowYieldOp::create(rewriter, loc, values);
    for (Value result : op->getResults())
      types.push_back(getElementTypeOrSelf(result.getType()));
  }
  Operation *rows = rewriter.create(state);
  IRMapping moved;
  for (auto [result, now] : llvm::zip(results, rows->getResults()))
    moved.map(result, now);
  Operation *end = rows;
  for (Operation *reshape : reshapes) {
    Value source = original(reshape->getResult(0));
    // A chain of reshapes is repeated from its beginning.
    SmallVector<Operation *> chain;
    for (Value value = reshape->getResult(0); value != source;
         value = same.lookup(value))
      chain.push_back(value.getDefiningOp());
    for (Operation *link : llvm::reverse(chain))
      if (!moved.contains(link->getResult(0)))
        end = rewriter.clone(*link, moved);
  }
  // What stands between and uses results goes behind.
  llvm::SmallPtrSet<Operation *, 16> after;
  for (Operation *other = order.front(); other != rows;) {
    Operation *next = other->getNextNode();
    bool depends = false;
    if (!contains(other)) {
      other->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          depends |=
              isInside(operand) || after.contains(operand.getDefiningOp());
      });
    }
    if (depends) {
      rewriter.moveOpAfter(other, end);
      after.insert(other);
      end = other;
    }
    other = next;
  }
  SmallVector<Operation *> fills; // a sum's start is in the op
  for (Operation *op : llvm::reverse(order)) {
    for (Value result : op->getResults())
      if (Value now = moved.lookupOrNull(result))
        rewriter.replaceAllUsesWith(result, now);
    for (Value operand : op->getOperands())
      if (auto fill = operand.getDefiningOp<linalg::FillOp>();
          fill && !llvm::is_contained(fills, fill))
        fills.push_back(fill);
    rewriter.eraseOp(op);
  }
  for (Operation *fill : fills)
    if (isOpTriviallyDead(fill))
      rewriter.eraseOp(fill);
}

namespace {

/// Reductions along rows, with the elementwise ops around them and the
/// reductions of what these compute, become one kernel.rows: softmax, layer
/// norm, losses, their gradients, and others that have no name. Each element
/// comes from memory once.
struct FuseRowsPass : PassBase<FuseRowsPass, func::FuncOp,
                               kernel::KernelDialect, tensor::TensorDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FuseRowsPass)
  static constexpr StringLiteral kArgument = "fuse-rows";
  static constexpr StringLiteral kSummary =
      "fuse reductions along rows with the elementwise ops around them";

  void runOnOperation() override {
    SmallVector<linalg::GenericOp> reductions;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op.getNumReductionLoops())
        reductions.push_back(op);
    });
    llvm::SmallPtrSet<Operation *, 16> done;
    IRRewriter rewriter(&getContext());
    struct Watch : RewriterBase::Listener {
      llvm::SmallPtrSet<Operation *, 16> &erased;
      explicit Watch(llvm::SmallPtrSet<Operation *, 16> &erased)
          : erased(erased) {}
      void notifyOperationErased(Operation *op) override { erased.insert(op); }
    } watch(done);
    rewriter.setListener(&watch);
    for (linalg::GenericOp op : reductions) {
      if (done.contains(op))
        continue;
      std::optional<Group> group = Group::startingWith(op);
      if (!group || !group->isWorthwhile())
        continue;
      group->grow();
      group->replace(rewriter);
    }
  }
};

} // namespace

namespace tenon {
std::unique_ptr<Pass> createFuseRowsPass() {
  return std::make_unique<FuseRowsPass>();
}
} // namespace tenon
