// kernel.pack at run time; the same layout as PackPanels.h makes at compile
// time.

#include "compiler/lowering/LowerPack.h"
#include "compiler/lowering/KernelModels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace tenon {

/// Fewer elements than this are not worth sharing.
static constexpr int64_t kSmallPack = 1 << 15;

namespace {

/// Writes one panel.
class PanelWriter {
public:
  PanelWriter(KernelEmitter &e, Type element, const PanelSource &source,
              Value to, int64_t width, bool pairs, bool byPoint)
      : e(e), element(element), source(source), to(to), width(width),
        pairs(pairs), byPoint(byPoint) {}

  void run() {
    if (isa<ComplexType>(element) || width == 1 || byPoint)
      return copyColumns(e.index(0));
    Value isWhole = e.less(e.index(width - 1), source.columns);
    if (getConstantIntValue(source.columnStride) == 1)
      return e.branch(
          isWhole, [&] { copyRows({}); },
          [&] { copyRows(e.laneMask(source.columns, width)); });
    if (getConstantIntValue(source.channelStride) != 1)
      return copyColumns(e.index(0));
    int64_t step = pairs ? 2 * width : width;
    Value whole = e.mul(e.div(source.channels, e.index(step)), step);
    e.branch(
        isWhole,
        [&] {
          e.loop(e.index(0), whole, step, [&](Value c) { transposeBlock(c); });
          copyColumns(whole);
        },
        [&] { copyColumns(e.index(0)); });
  }

private:
  /// Column by column, the inner loop along the channels.
  void copyColumns(Value firstChannel) {
    e.rolledLoop(e.index(0), e.index(width), 1, [&](Value lane) {
      e.branch(
          e.less(lane, source.columns),
          [&] {
            e.rolledLoop(firstChannel, source.channels, 1, [&](Value c) {
              e.store(e.load(from(c, lane), element, 1), target(c, lane));
            });
          },
          [&] {
            e.rolledLoop(firstChannel, source.channels, 1, [&](Value c) {
              e.store(e.zero(element, 1), target(c, lane));
            });
          });
    });
  }

  /// As many contiguous channels, or pairs of them, as columns, transposed in
  /// registers.
  void transposeBlock(Value firstChannel) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < width; ++i)
      rows.push_back(loadUnits(from(firstChannel, e.index(i))));
    // Swaps the off-diagonal quarters of ever smaller squares.
    for (int64_t half = width / 2; half > 0; half /= 2) {
      SmallVector<int64_t> upper, lower;
      for (int64_t lane = 0; lane < width; ++lane) {
        bool right = lane & half;
        upper.push_back(right ? width + lane - half : lane);
        lower.push_back(right ? width + lane : lane + half);
      }
      for (int64_t i = 0; i < width; ++i) {
        if (i & half)
          continue;
        Value a = rows[i], b = rows[i + half];
        rows[i] = vector::ShuffleOp::create(e.b, e.loc, a, b, upper);
        rows[i + half] = vector::ShuffleOp::create(e.b, e.loc, a, b, lower);
      }
    }
    for (int64_t i = 0; i < width; ++i)
      storeUnits(rows[i],
                 target(e.add(firstChannel, pairs ? 2 * i : i), e.index(0)));
  }

  /// As many elements or pairs of them as columns.
  Value loadUnits(Value pointer) {
    if (!pairs)
      return e.load(pointer, element, width);
    auto type = VectorType::get({width}, e.b.getI32Type());
    return LLVM::LoadOp::create(e.b, e.loc, type, pointer, /*alignment=*/2);
  }

  void storeUnits(Value units, Value pointer) {
    if (!pairs)
      return e.store(units, pointer);
    LLVM::StoreOp::create(e.b, e.loc, units, pointer, /*alignment=*/2);
  }

  void copyRows(Value mask) {
    if (pairs)
      return copyRowPairs(mask);
    e.loop(e.index(0), source.channels, 1, [&](Value c) {
      Value row = e.load(from(c, e.index(0)), element, width, mask);
      e.store(row, target(c, e.index(0)));
    });
  }

  void copyRowPairs(Value mask) {
    SmallVector<int64_t> lanes;
    for (int64_t i = 0; i < width; ++i)
      lanes.append({i, width + i});
    e.loop(e.index(0), source.channels, 2, [&](Value c) {
      Value rows[2];
      for (int64_t i : {0, 1})
        rows[i] = e.load(from(e.add(c, i), e.index(0)), element, width, mask);
      e.store(vector::ShuffleOp::create(e.b, e.loc, rows[0], rows[1], lanes),
              target(c, e.index(0)));
    });
  }

  Value from(Value channel, Value column) {
    return e.at(source.pointer, element,
                e.add(e.mul(channel, source.channelStride),
                      e.mul(column, source.columnStride)));
  }

  Value target(Value channel, Value lane) {
    if (pairs) {
      Value pair = e.mul(e.div(channel, e.index(2)), width);
      Value offset =
          e.add(e.mul(e.add(pair, lane), 2), e.rem(channel, e.index(2)));
      return e.at(to, element, offset);
    }
    return e.at(to, element, e.add(e.mul(channel, width), lane));
  }

  KernelEmitter &e;
  Type element;
  const PanelSource &source;
  Value to;
  int64_t width;
  bool pairs, byPoint;
};

class PackLowering {
public:
  PackLowering(OpBuilder &builder, kernel::PackOp op, bool byPoint)
      : op(op), e(builder, op.getLoc(), false), source(e.open(op.getSource())),
        packed(e.open(op.getPacked())), byPoint(byPoint),
        batchRank(source.type.getRank() - 2 - op.getSpatial()),
        width(op.getPackedType().getShape().back()), pairs(op.getPairs()) {
    int64_t rank = source.type.getRank();
    channelDim = op.getTransposeB() ? rank - 1 : rank - 2;
    columnDim = op.getTransposeB() ? rank - 2 : rank - 1;
    columns = e.div(source.sizes[columnDim], e.index(op.getGroups()));
  }

  Value countPanels() {
    return e.product(ArrayRef(packed.sizes).take_front(batchRank + 2));
  }

  Value countTasks() { return e.select(isSmall(), e.index(1), countPanels()); }

  void run(Value begin, Value end) {
    Value small = isSmall();
    e.loop(e.select(small, e.index(0), begin),
           e.select(small, countPanels(), end), 1,
           [&](Value number) { packNext(number); });
  }

private:
  /// A point is a panel.
  Value isSmall() {
    if (byPoint)
      return arith::ConstantIntOp::create(e.b, e.loc, 0, 1);
    return e.less(e.product(packed.sizes), e.index(kSmallPack));
  }

  void packNext(Value number) {
    SmallVector<Value> place =
        e.delinearize(number, ArrayRef(packed.sizes).take_front(batchRank + 2));
    Value from = e.index(0);
    for (int64_t i = 0; i < batchRank; ++i)
      from = e.add(from, e.mul(place[i], source.strides[i]));
    Value first = e.mul(place[batchRank + 1], width);
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
               source.sizes[channelDim], e.min(count, e.index(width))},
              e.at(packed.pointer, packed.element, to), width, pairs, byPoint);
  }

  kernel::PackOp op;
  KernelEmitter e;
  Buffer source, packed;
  bool byPoint;
  int64_t batchRank, width;
  bool pairs;
  int64_t channelDim, columnDim;
  Value columns; // of a group
};

} // namespace

void packPanel(KernelEmitter &e, Type element, const PanelSource &source,
               Value to, int64_t width, bool pairs, bool byPoint) {
  PanelWriter(e, element, source, to, width, pairs, byPoint).run();
}

Value buildPackTaskCount(OpBuilder &b, Location loc, kernel::PackOp op,
                         const CpuTarget &target) {
  return PackLowering(b, op, target.byPoint).countTasks();
}

LogicalResult lowerPack(OpBuilder &b, kernel::PackOp op, Value begin, Value end,
                        const CpuTarget &target) {
  if (!cast<MemRefType>(op.getPacked().getType()).getLayout().isIdentity())
    return op.emitOpError("needs a destination that is contiguous");
  PackLowering(b, op, target.byPoint).run(begin, end);
  op.erase();
  return success();
}

} // namespace tenon
