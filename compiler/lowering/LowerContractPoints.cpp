// kernel.contract where tasks are points: an element of C is the sum of its
// products, one after the other.

#include "compiler/lowering/LowerContract.h"

using namespace mlir;

namespace tenon {

namespace {

class ContractPoints {
public:
  ContractPoints(OpBuilder &builder, kernel::ContractOp op)
      : op(op), e(builder, op.getLoc(), /*hasFma=*/true),
        a(ContractLowering::openA(e, op)), b(e.open(op.getB())),
        epilogue(e, op.getBody().front(), op.getEpilogue(),
                 op.getEpilogueMaps(), op.getC(), op.getBatchRank()),
        accumulator(op.getBody().front().getArgument(0).getType()),
        batchRank(op.getBatchRank()), spatial(op.getSpatialRank()) {
    if (op.readsMatrix())
      b = b.permuted(op.getBOrder());
    firstWindow = batchRank + (op.readsMatrix() ? 0 : 2);
    const Buffer &c = epilogue.getDestination();
    rows = e.product(ArrayRef(c.sizes).slice(batchRank, spatial + 1));
    Value groups = e.index(op.getGroups());
    columns = e.div(c.sizes.back(), groups);
    channels = e.div(a.sizes.back(), groups);
  }

  void run(Value begin, Value end) {
    e.loop(begin, end, 1, [&](Value point) { runPoint(point); });
  }

private:
  /// Where the products of an element are: of A at the image, of B at the
  /// group's column.
  struct Element {
    Value aOffset, bOffset;
    Value lane;               // of the panel
    SmallVector<Value> place; // output position
  };

  void runPoint(Value point) {
    const Buffer &c = epilogue.getDestination();
    Value allColumns = c.sizes.back();
    Value column = e.rem(point, allColumns);
    Value line = e.div(point, allColumns);
    ElementPosition position;
    position.row = e.rem(line, rows);
    position.column = column;
    position.outer = e.delinearize(e.div(line, rows),
                                   ArrayRef(c.sizes).take_front(batchRank));
    Element element;
    element.place = e.delinearize(
        position.row, ArrayRef(c.sizes).slice(batchRank, spatial + 1));
    element.aOffset = e.mul(element.place[0], a.strides[batchRank]);
    element.bOffset = e.index(0);
    for (int64_t i = 0; i < batchRank; ++i) {
      element.aOffset = e.add(element.aOffset, batchOffset(a, i, position));
      element.bOffset = e.add(element.bOffset, batchOffset(b, i, position));
    }
    openColumn(element, column);
    Value sum = overWindow(element, 0, e.index(0), e.index(0), {},
                           e.zero(accumulator, 1));
    epilogue.store(sum, position, 1, {});
  }

  /// A batch dimension of one is repeated.
  Value batchOffset(const Buffer &buffer, int64_t dim,
                    const ElementPosition &position) {
    Value isOne = e.equal(buffer.sizes[dim], e.index(1));
    return e.mul(e.select(isOne, e.index(0), position.outer[dim]),
                 buffer.strides[dim]);
  }

  void openColumn(Element &element, Value column) {
    Value group = e.div(column, columns);
    element.aOffset =
        e.add(element.aOffset, e.mul(e.mul(group, channels), a.strides.back()));
    Value ofGroup = e.rem(column, columns);
    if (op.readsMatrix()) {
      element.bOffset =
          e.add(element.bOffset, e.mul(ofGroup, b.strides.back()));
      return;
    }
    Value width = b.sizes.back();
    element.lane = e.rem(ofGroup, width);
    element.bOffset =
        e.add(element.bOffset, e.mul(group, b.strides[batchRank]));
    element.bOffset = e.add(element.bOffset, e.mul(e.div(ofGroup, width),
                                                   b.strides[batchRank + 1]));
  }

  /// Window dimensions from `dim` on; `inside` is null while all positions are.
  Value overWindow(const Element &element, int64_t dim, Value aOffset,
                   Value bOffset, Value inside, Value sum) {
    if (dim == spatial) // by themselves, so that long sums lose little
      return e.plus(sum, overChannels(element, aOffset, bOffset, inside,
                                      e.zero(accumulator, 1)));
    Value window = b.sizes[firstWindow + dim];
    return e.loop(e.index(0), window, 1, sum, [&](Value k, ValueRange carried) {
      Value at =
          e.sub(e.add(e.mul(element.place[1 + dim], op.getStrides()[dim]),
                      e.mul(k, op.getDilations()[dim])),
                e.index(op.getPadding()[dim]));
      Value step = e.index(op.getInputDilation()[dim]);
      Value position = e.div(at, step);
      Value isInside = e.lessUnsigned(position, a.sizes[batchRank + 1 + dim]);
      // Before the input a position is a huge number and stays one.
      isInside = e.both(isInside, e.less(e.index(-1), at));
      isInside = e.both(isInside, e.equal(e.rem(at, step), e.index(0)));
      return SmallVector<Value>{overWindow(
          element, dim + 1,
          e.add(aOffset, e.mul(position, a.strides[batchRank + 1 + dim])),
          e.add(bOffset, e.mul(k, b.strides[firstWindow + dim])),
          e.both(inside, isInside), carried.front())};
    })[0];
  }

  Value overChannels(const Element &element, Value aOffset, Value bOffset,
                     Value inside, Value sum) {
    Value count = inside ? e.select(inside, channels, e.index(0)) : channels;
    aOffset = e.add(aOffset, element.aOffset);
    bOffset = e.add(bOffset, element.bOffset);
    return e.loop(
        e.index(0), count, 1, sum, [&](Value channel, ValueRange carried) {
          Value x =
              e.load(e.at(a.pointer, a.element,
                          e.add(aOffset, e.mul(channel, a.strides.back()))),
                     a.element, 1);
          Value w = e.load(e.at(b.pointer, b.element,
                                e.add(bOffset, weightOffset(element, channel))),
                           b.element, 1);
          return SmallVector<Value>{e.mulAdd(e.widen(x, accumulator),
                                             e.widen(w, accumulator),
                                             carried.front())};
        })[0];
  }

  Value weightOffset(const Element &element, Value channel) {
    if (op.readsMatrix())
      return e.mul(channel, b.strides[b.strides.size() - 2]);
    Value width = b.sizes.back();
    if (!op.getPairs())
      return e.add(e.mul(channel, width), element.lane);
    Value pair = e.add(e.mul(e.div(channel, e.index(2)), width), element.lane);
    return e.add(e.mul(pair, 2), e.rem(channel, e.index(2)));
  }

  kernel::ContractOp op;
  KernelEmitter e;
  Buffer a, b;
  KernelEpilogue epilogue;
  Type accumulator;
  int64_t batchRank, spatial;
  int64_t firstWindow;           // dimension of B
  Value rows, columns, channels; // of a batch; of a group
};

} // namespace

Value countContractPoints(KernelEmitter &e, kernel::ContractOp op) {
  return e.product(e.open(op.getC()).sizes);
}

void lowerContractPoints(OpBuilder &b, kernel::ContractOp op, Value begin,
                         Value end) {
  ContractPoints(b, op).run(begin, end);
}

} // namespace tenon
