#include "compiler/lowering/TransposeBlock.h"

#include "compiler/lowering/KernelEmitter.h"

using namespace mlir;

namespace tenon {

static constexpr int64_t n = TransposeBlock::size;

static bool hasVectors(Type type) {
  Type element = getElementTypeOrSelf(type);
  return isa<FloatType, IntegerType>(element) &&
         element.getIntOrFloatBitWidth() <= 64;
}

/// Where `dim` stands in a map; none if it does not.
static std::optional<unsigned> positionOf(AffineMap map, unsigned dim) {
  return map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
}

/// Whether steps along the last dimension of a memref are of one element.
static bool isDense(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getRank() > 0 &&
         succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides.back() == 1;
}

std::optional<TransposeBlock> TransposeBlock::find(OpBuilder &b,
                                                   linalg::LinalgOp op,
                                                   unsigned across,
                                                   unsigned last) {
  for (Operation &inner : op.getBlock()->without_terminator()) {
    bool simple = inner.getNumRegions() == 0 && inner.getNumResults() == 1 &&
                  (OpTrait::hasElementwiseMappableTraits(&inner) ||
                   inner.hasTrait<OpTrait::ConstantLike>());
    if (!simple || !hasVectors(inner.getResult(0).getType()) ||
        !llvm::all_of(inner.getOperandTypes(), hasVectors))
      return std::nullopt;
  }
  for (OpOperand &operand : op->getOpOperands()) {
    if (!hasVectors(operand.get().getType()))
      return std::nullopt;
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return std::nullopt;
    std::optional<unsigned> along = positionOf(map, last),
                            other = positionOf(map, across);
    bool isInit = op.isDpsInit(&operand);
    if (isInit && (!along || !other ||
                   !op.getMatchingBlockArgument(&operand).use_empty()))
      return std::nullopt;
    if (!along)
      continue;
    bool runsAlong = *along + 1 == map.getNumResults(),
         runsAcross = other && *other + 1 == map.getNumResults();
    if (!isDense(type) || !(runsAlong || (runsAcross && !isInit)))
      return std::nullopt;
  }
  return TransposeBlock(op, across, last);
}

/// Interleaves the first half of the rows with the second: after as many rounds
/// as a row's number has bits, rows and lanes have changed places.
static SmallVector<Value> turned(OpBuilder &b, Location loc,
                                 SmallVector<Value> rows) {
  SmallVector<int64_t> masks[2];
  for (int64_t half : {0, 1})
    for (int64_t i = 0; i < n / 2; ++i) {
      masks[half].push_back(half * n / 2 + i);
      masks[half].push_back(half * n / 2 + i + n);
    }
  for (int64_t round = 1; round < n; round *= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < n / 2; ++i)
      for (int64_t half : {0, 1})
        next.push_back(vector::ShuffleOp::create(b, loc, rows[i],
                                                 rows[i + n / 2], masks[half]));
    rows = next;
  }
  return rows;
}

void TransposeBlock::emit(OpBuilder &b, ArrayRef<Value> indices) const {
  linalg::LinalgOp linalg = op; // whose accessors are not const
  KernelEmitter e(b, linalg.getLoc(), /*hasFma=*/false);
  SmallVector<SmallVector<Value>> operands; // of each, by row of the square
  auto addressOf = [&](OpOperand &operand, const Buffer &buffer, unsigned dim,
                       int64_t i) {
    Value offset = e.index(0);
    for (auto [k, expr] :
         llvm::enumerate(linalg.getMatchingIndexingMap(&operand).getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
        Value index = indices[loop.getPosition()];
        if (loop.getPosition() == dim)
          index = e.add(index, i);
        offset = e.add(offset, e.mul(index, buffer.strides[k]));
      }
    return e.at(buffer.pointer, buffer.element, offset);
  };
  for (OpOperand *operand : linalg.getDpsInputOperands()) {
    SmallVector<Value> &rows = operands.emplace_back();
    if (linalg.getMatchingBlockArgument(operand).use_empty()) {
      rows.assign(n, Value());
      continue;
    }
    if (!isa<MemRefType>(operand->get().getType())) {
      rows.assign(n, e.splat(operand->get(), n));
      continue;
    }
    Buffer buffer = e.open(operand->get());
    AffineMap map = linalg.getMatchingIndexingMap(operand);
    std::optional<unsigned> along = positionOf(map, last);
    bool turns = along && *along + 1 != map.getNumResults();
    for (int64_t i = 0; i < n; ++i) {
      Value address = addressOf(*operand, buffer, turns ? last : across, i);
      rows.push_back(along ? e.load(address, buffer.element, n)
                           : e.splat(e.load(address, buffer.element, 1), n));
    }
    if (turns)
      rows = turned(b, e.loc, rows);
  }
  for (int64_t i = 0; i < n; ++i) {
    SmallVector<Value> arguments;
    for (const SmallVector<Value> &rows : operands)
      arguments.push_back(rows[i]);
    arguments.append(linalg.getNumDpsInits(), Value());
    SmallVector<Value> results =
        e.inlineBlock(*linalg.getBlock(), arguments, n);
    for (auto [init, result] : llvm::zip(linalg.getDpsInitsMutable(), results))
      e.store(result, addressOf(init, e.open(init.get()), across, i));
  }
}

} // namespace tenon
