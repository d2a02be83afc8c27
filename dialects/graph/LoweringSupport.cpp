#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/Graph.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;

namespace tenon::graph {

void require(LoweringContext &lowering, Location loc, Value condition,
             const Twine &message) {
  std::string text;
  if (auto name = dyn_cast<NameLoc>(loc))
    text = ("node '" + name.getName().getValue() + "': ").str();
  cf::AssertOp::create(lowering.builder, loc, condition, text + message.str());
}

Value zeroOf(OpBuilder &b, Location loc, Type type) {
  if (auto complex = dyn_cast<ComplexType>(type)) {
    Attribute zero = b.getZeroAttr(complex.getElementType());
    return complex::ConstantOp::create(b, loc, complex,
                                       b.getArrayAttr({zero, zero}));
  }
  return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
}

Value sum(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::AddFOp::create(b, loc, x, y);
  if (isa<ComplexType>(x.getType()))
    return complex::AddOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value toIndex(OpBuilder &b, Location loc, Value integer, Type graphType) {
  if (isUnsigned(graphType))
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), integer);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
}

Value fromIndex(OpBuilder &b, Location loc, Value index, Type type) {
  return arith::IndexCastOp::create(b, loc, LoweringContext::elementType(type),
                                    index);
}

Value scalar(LoweringContext &lowering, Location loc, Value graphValue) {
  return tensor::ExtractOp::create(lowering.builder, loc,
                                   lowering.get(graphValue), ValueRange());
}

Value add(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value sub(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y);
}
Value mul(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}
Value less(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}
Value equal(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, x, y);
}
Value select(OpBuilder &b, Location loc, Value c, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, c, x, y);
}
Value clampIndex(OpBuilder &b, Location loc, Value x, Value low, Value high) {
  Value raised = b.createOrFold<arith::MaxSIOp>(loc, x, low);
  return b.createOrFold<arith::MinSIOp>(loc, raised, high);
}
Value constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value both(OpBuilder &b, Location loc, Value x, Value y) {
  return b.createOrFold<arith::AndIOp>(loc, x, y);
}
Value inRange(OpBuilder &b, Location loc, Value x, Value size) {
  // As unsigned numbers, negative ones are above every size.
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x, size);
}

Value allOf(
    LoweringContext &lowering, Location loc, Value tensor,
    function_ref<Value(OpBuilder &, Location, Value, ValueRange)> body) {
  OpBuilder &b = lowering.builder;
  auto type = RankedTensorType::get({}, b.getI1Type());
  Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
  Value empty = tensor::EmptyOp::create(b, loc, type, ValueRange());
  Value start = linalg::FillOp::create(b, loc, yes, empty).getResult(0);
  unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
  auto reduce = linalg::GenericOp::create(
      b, loc, TypeRange{type}, ValueRange{tensor}, ValueRange{start},
      {b.getMultiDimIdentityMap(rank), AffineMap::get(rank, 0, b.getContext())},
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::reduction),
      [&](OpBuilder &nested, Location at, ValueRange arguments) {
        SmallVector<Value> indices;
        for (unsigned i = 0; i < rank; ++i)
          indices.push_back(linalg::IndexOp::create(nested, at, i));
        Value holds = body(nested, at, arguments[0], indices);
        linalg::YieldOp::create(nested, at,
                                both(nested, at, arguments[1], holds));
      });
  return tensor::ExtractOp::create(b, loc, reduce.getResult(0), ValueRange());
}

Value conform(LoweringContext &lowering, Location loc, Value value,
              ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> to,
              const Twine &message) {
  if (from == to)
    return value;
  OpBuilder &b = lowering.builder;
  Value same;
  SmallVector<OpFoldResult> common, origin(to.size(), b.getIndexAttr(0)),
      ones(to.size(), b.getIndexAttr(1));
  for (auto [have, want] : llvm::zip(from, to)) {
    common.push_back(lowering.size(lowering.shapes.minimum(have, want)));
    if (have == want)
      continue;
    Value fits = equal(b, loc, lowering.index(have), lowering.index(want));
    same = same ? both(b, loc, same, fits) : fits;
  }
  require(lowering, loc, same, message);
  Type element = getElementTypeOrSelf(value.getType());
  Value destination = linalg::FillOp::create(b, loc, zeroOf(b, loc, element),
                                             lowering.empty(to, element))
                          .getResult(0);
  Value part =
      tensor::ExtractSliceOp::create(b, loc, value, origin, common, ones);
  return insertAt(b, loc, part, destination, origin, common);
}

Value castTo(OpBuilder &b, Location loc, Value value, RankedTensorType to) {
  return value.getType() == to
             ? value
             : tensor::CastOp::create(b, loc, to, value).getResult();
}

RankedTensorType typeOf(ArrayRef<AffineExpr> dims, Type element) {
  SmallVector<int64_t> sizes;
  for (AffineExpr dim : dims)
    sizes.push_back(
        ShapeContext::asConstant(dim).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(sizes, element);
}

/// Pairs groups of dims that have the same number of elements.
static bool pairGroups(ShapeContext &shapes, ArrayRef<AffineExpr> from,
                       ArrayRef<AffineExpr> to,
                       SmallVectorImpl<ReassociationIndices> &fromGroups,
                       SmallVectorImpl<ReassociationIndices> &toGroups) {
  size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    size_t firstFrom = i++, firstTo = j++;
    while (true) {
      ArrayRef<AffineExpr> left = from.slice(firstFrom, i - firstFrom),
                           right = to.slice(firstTo, j - firstTo);
      AffineExpr ratio = shapes.exactQuotient(left, right);
      if (ShapeContext::asConstant(ratio) == 1)
        break;
      bool leftIsSmaller = bool(shapes.exactQuotient(right, left));
      bool moreLeft = i < from.size() && (leftIsSmaller || !ratio);
      bool moreRight = j < to.size() && !leftIsSmaller;
      if (!moreLeft && !moreRight)
        return false;
      i += moreLeft;
      j += moreRight;
    }
    fromGroups.push_back(llvm::to_vector<2>(llvm::seq<int64_t>(firstFrom, i)));
    toGroups.push_back(llvm::to_vector<2>(llvm::seq<int64_t>(firstTo, j)));
  }
  auto isOne = [](AffineExpr dim) {
    return ShapeContext::asConstant(dim) == 1;
  };
  if (!llvm::all_of(from.drop_front(i), isOne) ||
      !llvm::all_of(to.drop_front(j), isOne))
    return false;
  if (fromGroups.empty())
    return true;
  for (; i < from.size(); ++i)
    fromGroups.back().push_back(i);
  for (; j < to.size(); ++j)
    toGroups.back().push_back(j);
  return true;
}

/// A rank 0 tensor, or one whose sizes are all 1, in the shape of `rank` ones.
static Value reshapeSingle(OpBuilder &b, Location loc, Value value,
                           unsigned rank) {
  auto type = cast<RankedTensorType>(value.getType());
  Type element = type.getElementType();
  SmallVector<int64_t> ones(type.getRank(), 1);
  value = castTo(b, loc, value, RankedTensorType::get(ones, element));
  if (type.getRank() != 0)
    value = tensor::CollapseShapeOp::create(b, loc, value,
                                            ArrayRef<ReassociationIndices>());
  if (rank == 0)
    return value;
  ones.assign(rank, 1);
  return tensor::ExpandShapeOp::create(b, loc,
                                       RankedTensorType::get(ones, element),
                                       value, ArrayRef<ReassociationIndices>());
}

Value reshapeTo(LoweringContext &lowering, Location loc, Value value,
                ArrayRef<AffineExpr> from, ArrayRef<AffineExpr> to) {
  if (from == to)
    return value;
  OpBuilder &b = lowering.builder;
  ShapeContext &shapes = lowering.shapes;
  Type element = getElementTypeOrSelf(value.getType());
  SmallVector<int64_t> sizes;
  SmallVector<OpFoldResult> mixed;
  for (AffineExpr dim : to) {
    sizes.push_back(
        ShapeContext::asConstant(dim).value_or(ShapedType::kDynamic));
    mixed.push_back(lowering.size(dim));
  }
  // Groups of dimensions have no type that holds where one size of many is 0.
  if (llvm::is_contained(cast<RankedTensorType>(value.getType()).getShape(), 0))
    return castTo(b, loc, lowering.empty(to, element),
                  RankedTensorType::get(sizes, element));
  if (from.empty() || to.empty())
    return castTo(b, loc, reshapeSingle(b, loc, value, to.size()),
                  RankedTensorType::get(sizes, element));

  SmallVector<ReassociationIndices> fromGroups, toGroups;
  if (!pairGroups(shapes, from, to, fromGroups, toGroups)) {
    fromGroups = {
        llvm::to_vector<2>(llvm::seq<int64_t>(0, int64_t(from.size())))};
    toGroups = {llvm::to_vector<2>(llvm::seq<int64_t>(0, int64_t(to.size())))};
  }
  if (fromGroups.size() != from.size())
    value = tensor::CollapseShapeOp::create(b, loc, value, fromGroups);
  // Each group is static exactly when all of its new sizes are.
  auto collapsed = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> middle;
  for (const ReassociationIndices &group : toGroups) {
    int64_t size = 1;
    for (int64_t d : group)
      size = size == ShapedType::kDynamic || ShapedType::isDynamic(sizes[d])
                 ? ShapedType::kDynamic
                 : size * sizes[d];
    middle.push_back(size);
  }
  for (auto [have, want] : llvm::zip(collapsed.getShape(), middle))
    if (!ShapedType::isDynamic(have) && !ShapedType::isDynamic(want) &&
        have != want) {
      // Sizes that the run will refuse; the types must agree all the same.
      value =
          castTo(b, loc, value,
                 RankedTensorType::get(
                     SmallVector<int64_t>(middle.size(), ShapedType::kDynamic),
                     element));
      break;
    }
  value = castTo(b, loc, value, RankedTensorType::get(middle, element));
  if (toGroups.size() == to.size())
    return value;
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(sizes, element), value, toGroups, mixed);
}

Value transposed(OpBuilder &b, Location loc, Value value,
                 ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation,
                  llvm::seq<int64_t>(0, int64_t(permutation.size()))))
    return value;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value), moved;
  for (int64_t p : permutation)
    moved.push_back(sizes[p]);
  Value destination = tensor::EmptyOp::create(
      b, loc, moved, getElementTypeOrSelf(value.getType()));
  return linalg::TransposeOp::create(b, loc, value, destination, permutation)
      ->getResult(0);
}

/// Offsets of parts that are known to be empty become 0: one past the end is no
/// legal offset.
static SmallVector<OpFoldResult> legalOffsets(OpBuilder &b,
                                              RankedTensorType source,
                                              ArrayRef<OpFoldResult> offsets,
                                              ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> result(offsets);
  for (auto [offset, size, whole] :
       llvm::zip(result, sizes, source.getShape())) {
    std::optional<int64_t> start = getConstantIntValue(offset);
    // Behind the end only nothing can be cut out.
    if (getConstantIntValue(size) == 0 ||
        (start && !ShapedType::isDynamic(whole) && *start >= whole))
      offset = b.getIndexAttr(0);
  }
  return result;
}

/// Which dimensions of a part join which of a type that lacks some of size 1,
/// where that is not said by the types once they are those of memory: other
/// dimensions of size 1 are kept. Nothing otherwise.
static std::optional<SmallVector<ReassociationIndices>>
ambiguousUnits(RankedTensorType reduced, ArrayRef<OpFoldResult> sizes) {
  if (reduced.getRank() == int64_t(sizes.size()) ||
      !llvm::is_contained(reduced.getShape(), 1))
    return std::nullopt;
  SmallVector<int64_t> whole;
  for (OpFoldResult size : sizes)
    whole.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  auto dropped = computeRankReductionMask(whole, reduced.getShape());
  if (!dropped)
    return std::nullopt;
  SmallVector<ReassociationIndices> groups(1);
  for (int64_t i = 0; i < int64_t(whole.size()); ++i) {
    bool begun = llvm::any_of(groups.back(),
                              [&](int64_t d) { return !dropped->contains(d); });
    if (begun && !dropped->contains(i))
      groups.emplace_back();
    groups.back().push_back(i);
  }
  return groups;
}

Value sliceAt(OpBuilder &b, Location loc, RankedTensorType type, Value source,
              ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
              ArrayRef<OpFoldResult> strides) {
  auto from = cast<RankedTensorType>(source.getType());
  // Nothing can be cut out of nothing: every offset is illegal there.
  if (llvm::is_contained(from.getShape(), 0)) {
    SmallVector<Value> dynamic;
    for (OpFoldResult size : sizes)
      if (auto value = dyn_cast<Value>(size))
        dynamic.push_back(value);
    if (dynamic.size() == size_t(type.getNumDynamicDims()))
      return tensor::EmptyOp::create(b, loc, type, dynamic);
  }
  SmallVector<OpFoldResult> legal = legalOffsets(b, from, offsets, sizes);
  if (auto groups = ambiguousUnits(type, sizes)) {
    Value part =
        tensor::ExtractSliceOp::create(b, loc, source, legal, sizes, strides);
    return castTo(b, loc,
                  tensor::CollapseShapeOp::create(b, loc, part, *groups), type);
  }
  return tensor::ExtractSliceOp::create(b, loc, type, source, legal, sizes,
                                        strides);
}

Value filledWith(LoweringContext &lowering, Location loc, Value result,
                 Value graphScalar) {
  Value value = lowering.get(graphScalar);
  if (!isa<ComplexType>(getElementTypeOrSelf(value.getType())))
    return lowering.filled(result, scalar(lowering, loc, graphScalar));
  unsigned rank = cast<RankedTensorType>(result.getType()).getRank();
  return lowering.generic(
      loc, result, value,
      AffineMap::get(rank, 0, lowering.builder.getContext()),
      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// A part with all its dimensions, where those that it lacks are ambiguous.
static Value withUnits(OpBuilder &b, Location loc, Value part,
                       ArrayRef<OpFoldResult> sizes) {
  auto from = cast<RankedTensorType>(part.getType());
  auto groups = ambiguousUnits(from, sizes);
  if (!groups)
    return part;
  SmallVector<int64_t> whole;
  SmallVector<OpFoldResult> each(sizes);
  for (auto [group, size] : llvm::zip(*groups, from.getShape()))
    for (int64_t d : group) {
      std::optional<int64_t> known = getConstantIntValue(sizes[d]);
      whole.push_back(known.value_or(size));
      if (!ShapedType::isDynamic(whole.back()))
        each[d] = b.getIndexAttr(whole.back());
    }
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(whole, from.getElementType()), part,
      *groups, each);
}

Value insertAt(OpBuilder &b, Location loc, Value source, Value destination,
               ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> ones(offsets.size(), b.getIndexAttr(1));
  source = withUnits(b, loc, source, sizes);
  auto to = cast<RankedTensorType>(destination.getType());
  return tensor::InsertSliceOp::create(b, loc, source, destination,
                                       legalOffsets(b, to, offsets, sizes),
                                       sizes, ones);
}

/// Whether `op` can stand before `point`, a later op of its block or itself,
/// with the sizes that it needs moved along.
static bool canHoist(Operation *op, Operation *point) {
  if (!isPure(op) || op->getNumRegions() != 0)
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    Operation *source = operand.getDefiningOp();
    return !source || source->getBlock() != point->getBlock() ||
           source->isBeforeInBlock(point) || canHoist(source, point);
  });
}

static void hoist(Operation *op, Operation *point) {
  if (op == point || op->getBlock() != point->getBlock() ||
      op->isBeforeInBlock(point))
    return;
  for (Value operand : op->getOperands())
    if (Operation *source = operand.getDefiningOp())
      hoist(source, point);
  op->moveBefore(point);
}

/// The op that first writes to the buffer that `op`'s result ends up in.
static Operation *firstWriter(Operation *op) {
  while (auto writer = dyn_cast<DestinationStyleOpInterface>(op)) {
    if (writer.getNumDpsInits() != 1)
      break;
    Operation *before = writer.getDpsInitOperand(0)->get().getDefiningOp();
    if (!isa_and_nonnull<DestinationStyleOpInterface>(before) ||
        before->getBlock() != op->getBlock())
      break;
    op = before;
  }
  return op;
}

Value assemble(OpBuilder &b, Location loc, Value destination,
               ArrayRef<Part> parts) {
  Block *block = b.getInsertionBlock();
  auto localSource = [&](const Part &part) -> Operation * {
    Operation *source = part.source.getDefiningOp();
    return source && source->getBlock() == block ? source : nullptr;
  };
  SmallVector<Part> sorted(parts);
  for (Part &part : sorted)
    part.source = withUnits(b, loc, part.source, part.sizes);
  llvm::stable_sort(sorted, [&](const Part &x, const Part &y) {
    Operation *a = localSource(x), *c = localSource(y);
    return c && (!a || (a != c && a->isBeforeInBlock(c)));
  });
  Operation *previous = destination.getDefiningOp();
  for (const Part &part : sorted) {
    destination =
        insertAt(b, loc, part.source, destination, part.offsets, part.sizes);
    Operation *insert = destination.getDefiningOp(),
              *source = localSource(part);
    // The destination before anything is written, each insertion right behind
    // its source, as far as sizes are known there.
    if (!previous)
      continue;
    if (!source) {
      previous = insert; // the next one writes into its result
      continue;
    }
    Operation *start = firstWriter(source);
    if (isa<tensor::EmptyOp>(previous) && previous->getBlock() == block &&
        start->isBeforeInBlock(previous) && canHoist(previous, start))
      hoist(previous, start);
    Operation *point = source->getNextNode();
    if (previous->getBlock() == block && source->isBeforeInBlock(previous))
      point = previous->getNextNode();
    if (point != insert && canHoist(insert, point))
      hoist(insert, point);
    previous = insert;
  }
  return destination;
}

} // namespace tenon::graph
