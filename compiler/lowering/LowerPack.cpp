// kernel.pack at run time; the same layout as PackPanels.h makes at compile
// time.

#include "compiler/lowering/LowerPack.h"
#include "compiler/lowering/KernelModels.h"

using namespace mlir;

namespace tenon {

/// Fewer elements than this are not worth sharing.
static constexpr int64_t kSmallPack = 1 << 15;

namespace {

/// Writes one panel.
class PanelWriter {
public:
  PanelWriter(KernelEmitter &e, Type element, const PanelSource &source,
              Value to)
      : e(e), element(element), source(source), to(to) {}

  void run() {
    bool isComplex = isa<ComplexType>(element);
    Value isWhole = e.less(e.index(kPanelWidth - 1), source.columns);
    if (!isComplex && getConstantIntValue(source.columnStride) == 1)
      return e.branch(
          isWhole, [&] { copyRows({}); },
          [&] { copyRows(e.laneMask(source.columns, kPanelWidth)); });
    if (isComplex || getConstantIntValue(source.channelStride) != 1)
      return copyColumns(e.index(0));
    Value whole =
        e.mul(e.div(source.channels, e.index(kPanelWidth)), kPanelWidth);
    e.branch(
        isWhole,
        [&] {
          e.loop(e.index(0), whole, kPanelWidth,
                 [&](Value c) { transposeBlock(c); });
          copyColumns(whole);
        },
        [&] { copyColumns(e.index(0)); });
  }

private:
  /// Column by column, the inner loop along the channels.
  void copyColumns(Value firstChannel) {
    e.loop(e.index(0), e.index(kPanelWidth), 1, [&](Value lane) {
      e.branch(
          e.less(lane, source.columns),
          [&] {
            e.loop(firstChannel, source.channels, 1, [&](Value c) {
              e.store(e.load(from(c, lane), element, 1), target(c, lane));
            });
          },
          [&] {
            e.loop(firstChannel, source.channels, 1, [&](Value c) {
              e.store(e.zero(element, 1), target(c, lane));
            });
          });
    });
  }

  /// 16 contiguous channels of 16 columns, transposed in registers.
  void transposeBlock(Value firstChannel) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < kPanelWidth; ++i)
      rows.push_back(
          e.load(from(firstChannel, e.index(i)), element, kPanelWidth));
    // Swaps the off-diagonal quarters of ever smaller squares.
    for (int64_t half = kPanelWidth / 2; half > 0; half /= 2) {
      SmallVector<int64_t> upper, lower;
      for (int64_t lane = 0; lane < kPanelWidth; ++lane) {
        bool right = lane & half;
        upper.push_back(right ? kPanelWidth + lane - half : lane);
        lower.push_back(right ? kPanelWidth + lane : lane + half);
      }
      for (int64_t i = 0; i < kPanelWidth; ++i) {
        if (i & half)
          continue;
        Value a = rows[i], b = rows[i + half];
        rows[i] = vector::ShuffleOp::create(e.b, e.loc, a, b, upper);
        rows[i + half] = vector::ShuffleOp::create(e.b, e.loc, a, b, lower);
      }
    }
    for (int64_t i = 0; i < kPanelWidth; ++i)
      e.store(rows[i], target(e.add(firstChannel, i), e.index(0)));
  }

  void copyRows(Value mask) {
    e.loop(e.index(0), source.channels, 1, [&](Value c) {
      Value row = e.load(from(c, e.index(0)), element, kPanelWidth, mask);
      e.store(row, target(c, e.index(0)));
    });
  }

  Value from(Value channel, Value column) {
    return e.at(source.pointer, element,
                e.add(e.mul(channel, source.channelStride),
                      e.mul(column, source.columnStride)));
  }

  Value target(Value channel, Value lane) {
    return e.at(to, element, e.add(e.mul(channel, kPanelWidth), lane));
  }

  KernelEmitter &e;
  Type element;
  const PanelSource &source;
  Value to;
};

class PackLowering {
public:
  PackLowering(OpBuilder &builder, kernel::PackOp op)
      : op(op), e(builder, op.getLoc(), false), source(e.open(op.getSource())),
        packed(e.open(op.getPacked())),
        batchRank(source.type.getRank() - 2 - op.getSpatial()) {
    int64_t rank = source.type.getRank();
    channelDim = op.getTransposeB() ? rank - 1 : rank - 2;
    columnDim = op.getTransposeB() ? rank - 2 : rank - 1;
    columns = e.div(source.sizes[columnDim], e.index(op.getGroups()));
  }

  Value countPanels() {
    return e.product(ArrayRef(packed.sizes).take_front(batchRank + 2));
  }

  Value countTasks() {
    Value small = e.less(e.product(packed.sizes), e.index(kSmallPack));
    return e.select(small, e.index(1), countPanels());
  }

  void run(Value begin, Value end) {
    Value small = e.less(e.product(packed.sizes), e.index(kSmallPack));
    e.loop(e.select(small, e.index(0), begin),
           e.select(small, countPanels(), end), 1,
           [&](Value number) { packNext(number); });
  }

private:
  void packNext(Value number) {
    SmallVector<Value> place =
        e.delinearize(number, ArrayRef(packed.sizes).take_front(batchRank + 2));
    Value from = e.index(0);
    for (int64_t i = 0; i < batchRank; ++i)
      from = e.add(from, e.mul(place[i], source.strides[i]));
    Value first = e.mul(place[batchRank + 1], kPanelWidth);
    from = e.add(from, e.mul(e.add(e.mul(place[batchRank], columns), first),
                             source.strides[columnDim]));
    Value to = e.mul(number, packed.strides[batchRank + 1]);
    Value count = e.sub(columns, first);
    overWindow(0, from, to, count);
  }

  void overWindow(int64_t dim, Value from, Value to, Value count) {
    if (dim == static_cast<int64_t>(op.getSpatial()))
      return packChannels(from, to, count);
    Value size = source.sizes[batchRank + dim];
    e.loop(e.index(0), size, 1, [&](Value k) {
      Value there = op.getReverse() ? e.sub(e.sub(size, e.index(1)), k) : k;
      overWindow(
          dim + 1, e.add(from, e.mul(there, source.strides[batchRank + dim])),
          e.add(to, e.mul(k, packed.strides[batchRank + 2 + dim])), count);
    });
  }

  void packChannels(Value from, Value to, Value count) {
    packPanel(e, source.element,
              {e.at(source.pointer, source.element, from),
               source.strides[channelDim], source.strides[columnDim],
               source.sizes[channelDim], e.min(count, e.index(kPanelWidth))},
              e.at(packed.pointer, packed.element, to));
  }

  kernel::PackOp op;
  KernelEmitter e;
  Buffer source, packed;
  int64_t batchRank, channelDim, columnDim;
  Value columns; // of a group
};

} // namespace

void packPanel(KernelEmitter &e, Type element, const PanelSource &source,
               Value to) {
  PanelWriter(e, element, source, to).run();
}

Value buildPackTaskCount(OpBuilder &b, Location loc, kernel::PackOp op) {
  return PackLowering(b, op).countTasks();
}

LogicalResult lowerPack(OpBuilder &b, kernel::PackOp op, Value begin, Value end,
                        const CpuTarget &) {
  if (!cast<MemRefType>(op.getPacked().getType()).getLayout().isIdentity())
    return op.emitOpError("needs a destination that is contiguous");
  PackLowering(b, op).run(begin, end);
  op.erase();
  return success();
}

} // namespace tenon
