// kernel.pack at run time; the same layout as PackPanels.h makes at compile
// time.

#include "compiler/lowering/KernelEmitter.h"
#include "compiler/lowering/KernelModels.h"

using namespace mlir;

namespace tenon {

/// Fewer elements than this are not worth sharing.
static constexpr int64_t kSmallPack = 1 << 15;

namespace {

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
           [&](Value number) { packPanel(number); });
  }

private:
  void packPanel(Value number) {
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
    bool isComplex = isa<ComplexType>(source.element);
    Value channels = source.sizes[channelDim];
    Value width = e.min(count, e.index(kPanelWidth));
    if (!isComplex && getConstantIntValue(source.strides[columnDim]) == 1) {
      e.branch(
          e.less(e.index(kPanelWidth - 1), count),
          [&] { copyRows(from, to, channels, {}); },
          [&] {
            copyRows(from, to, channels, e.laneMask(width, kPanelWidth));
          });
      return;
    }
    if (isComplex || getConstantIntValue(source.strides[channelDim]) != 1)
      return copyColumns(from, to, width, e.index(0), channels);
    Value whole = e.mul(e.div(channels, e.index(kPanelWidth)), kPanelWidth);
    e.branch(
        e.less(e.index(kPanelWidth - 1), count),
        [&] {
          e.loop(e.index(0), whole, kPanelWidth,
                 [&](Value c) { transposeBlock(from, to, c); });
          copyColumns(from, to, width, whole, channels);
        },
        [&] { copyColumns(from, to, width, e.index(0), channels); });
  }

  /// Column by column, the inner loop along the channels.
  void copyColumns(Value from, Value to, Value width, Value firstChannel,
                   Value channels) {
    e.loop(e.index(0), e.index(kPanelWidth), 1, [&](Value lane) {
      Value column = e.add(from, e.mul(lane, source.strides[columnDim]));
      e.branch(
          e.less(lane, width),
          [&] {
            e.loop(firstChannel, channels, 1, [&](Value c) {
              Value value = e.load(
                  e.at(source.pointer, source.element,
                       e.add(column, e.mul(c, source.strides[channelDim]))),
                  source.element, 1);
              e.store(value, target(to, c, lane));
            });
          },
          [&] {
            e.loop(firstChannel, channels, 1, [&](Value c) {
              e.store(e.zero(source.element, 1), target(to, c, lane));
            });
          });
    });
  }

  /// 16 contiguous channels of 16 columns, transposed in registers.
  void transposeBlock(Value from, Value to, Value firstChannel) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < kPanelWidth; ++i) {
      Value place = e.add(from, e.mul(e.index(i), source.strides[columnDim]));
      rows.push_back(e.load(
          e.at(source.pointer, source.element, e.add(place, firstChannel)),
          source.element, kPanelWidth));
    }
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
      e.store(rows[i], target(to, e.add(firstChannel, i), e.index(0)));
  }

  void copyRows(Value from, Value to, Value channels, Value mask) {
    e.loop(e.index(0), channels, 1, [&](Value c) {
      Value place = e.add(from, e.mul(c, source.strides[channelDim]));
      Value row = e.load(e.at(source.pointer, source.element, place),
                         source.element, kPanelWidth, mask);
      e.store(row, target(to, c, e.index(0)));
    });
  }

  Value target(Value to, Value channel, Value lane) {
    return e.at(packed.pointer, packed.element,
                e.add(to, e.add(e.mul(channel, kPanelWidth), lane)));
  }

  kernel::PackOp op;
  KernelEmitter e;
  Buffer source, packed;
  int64_t batchRank, channelDim, columnDim;
  Value columns; // of a group
};

} // namespace

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
