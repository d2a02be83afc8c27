#include "compiler/lowering/KernelEpilogue.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace tenon {

KernelEpilogue::KernelEpilogue(KernelEmitter &e, Block &body,
                               ValueRange operands, ArrayAttr mapAttributes,
                               Value target, int64_t firstRow)
    : e(e), body(body), destination(e.open(target)), firstRow(firstRow) {
  for (auto [operand, map] : llvm::zip(operands, mapAttributes)) {
    maps.push_back(cast<AffineMapAttr>(map).getValue());
    bool isBuffer = isa<MemRefType>(operand.getType());
    scalars.push_back(isBuffer ? Value() : operand);
    buffers.push_back(isBuffer ? e.open(operand) : Buffer());
  }
}

unsigned KernelEpilogue::getCost() const {
  unsigned cost = 0;
  for (Operation &op : body.without_terminator()) {
    bool isFunction = isa<math::MathDialect>(op.getDialect()) &&
                      !isa<math::AbsFOp, math::FmaOp, math::SqrtOp>(op);
    cost += isFunction ? 24 : op.hasTrait<OpTrait::ConstantLike>() ? 0 : 1;
  }
  return cost + 1 + buffers.size();
}

Value KernelEpilogue::offsetOf(const Buffer &buffer, AffineMap map,
                               const ElementPosition &position) {
  int64_t lastRow = map.getNumDims() - 2;
  // Where all row dimensions appear in order and lie behind each other, the
  // row's own index leads there without divisions.
  int64_t rowResult = -1;
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      if (static_cast<int64_t>(dim.getPosition()) == firstRow)
        rowResult = i;
  int64_t count = lastRow - firstRow + 1;
  bool wholeRow =
      rowResult >= 0 &&
      rowResult + count <= static_cast<int64_t>(map.getNumResults());
  for (int64_t i = 0; wholeRow && i < count; ++i)
    wholeRow = map.getResult(rowResult + i) ==
               getAffineDimExpr(firstRow + i, map.getContext());
  wholeRow = wholeRow && buffer.isCollapsible(rowResult, rowResult + count - 1);

  SmallVector<Value> row;
  Value offset = e.index(0);
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      continue;
    int64_t d = dim.getPosition();
    Value coordinate;
    if (d < firstRow) {
      coordinate = position.outer[d];
    } else if (d > lastRow) {
      coordinate = position.column;
    } else if (wholeRow) {
      if (d != lastRow)
        continue;
      coordinate = position.row;
    } else {
      if (row.empty())
        row = e.delinearize(position.row,
                            ArrayRef(destination.sizes).slice(firstRow, count));
      coordinate = row[d - firstRow];
    }
    offset = e.add(offset, e.mul(coordinate, buffer.strides[i]));
  }
  return offset;
}

void KernelEpilogue::store(Value value, const ElementPosition &position,
                           int64_t lanes, Value mask) {
  SmallVector<Value> arguments{value};
  for (size_t i = 0; i < maps.size(); ++i) {
    if (body.getArgument(1 + i).use_empty()) {
      arguments.push_back(Value());
      continue;
    }
    if (scalars[i]) {
      arguments.push_back(e.splat(scalars[i], lanes));
      continue;
    }
    const Buffer &buffer = buffers[i];
    Value pointer = e.at(buffer.pointer, buffer.element,
                         offsetOf(buffer, maps[i], position));
    std::optional<unsigned> columnResult = maps[i].getResultPosition(
        getAffineDimExpr(maps[i].getNumDims() - 1, maps[i].getContext()));
    if (!columnResult)
      arguments.push_back(e.splat(e.load(pointer, buffer.element, 1), lanes));
    else if (lanes == 1 ||
             getConstantIntValue(buffer.strides[*columnResult]) == 1)
      arguments.push_back(e.load(pointer, buffer.element, lanes, mask));
    else
      arguments.push_back(e.gather(pointer, buffer.element, lanes,
                                   buffer.strides[*columnResult], mask));
  }
  Value result = e.inlineBody(body, arguments, lanes);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(
      destination.type.getRank(), e.b.getContext());
  Value pointer = e.at(destination.pointer, destination.element,
                       offsetOf(destination, identity, position));
  e.store(result, pointer, mask);
}

} // namespace tenon
