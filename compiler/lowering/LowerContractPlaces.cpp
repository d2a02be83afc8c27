#include "compiler/lowering/LowerContractPlaces.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace tenon {

/// Places of a block: a tile's sums are fetched and put back once for so many.
static constexpr int64_t kBlockPlaces = 192;
/// The same in lines where nobody knows how long they are.
static constexpr int64_t kBlockLines = 8;
/// Most rows of a tile with few panels.
static constexpr int64_t kMostRows = 12;
/// Fewer multiplications than this are not worth sharing.
static constexpr int64_t kSmallWork = 1 << 17;

ContractPlaces::ContractPlaces(OpBuilder &builder, kernel::ContractOp op,
                               const CpuTarget &target)
    : op(op), e(builder, op.getLoc(), target.hasFma),
      a(e.open(op.getA()).permuted(op.getAOrder())),
      b(e.open(op.getB()).permuted(op.getBOrder())),
      epilogue(e, op.getBody().front(), op.getEpilogue(), op.getEpilogueMaps(),
               op.getC(), op.getBatchRank()),
      accumulator(op.getBody().front().getArgument(0).getType()),
      batchRank(op.getBatchRank()), spatial(op.getSpatialRank()),
      rows(op.getCType().getDimSize(batchRank)),
      columns(op.getCType().getShape().back()) {
  chooseTile(target);
  chooseBlock();
  ArrayRef<Value> sizes = epilogue.getDestination().sizes;
  batches = e.product(sizes.take_front(batchRank));
  tasks = e.product({batches, e.index(units), e.index(rowTiles),
                     e.product(sizes.slice(batchRank + 1, spatial))});
}

/// Panels and rows in tiles as equal as they can be.
void ContractPlaces::chooseTile(const CpuTarget &target) {
  RegisterTile tile = target.getTile(getAccumulatorBits(accumulator));
  int64_t panels = llvm::divideCeil(columns, kPanelWidth);
  units = std::max<int64_t>(1, llvm::divideCeil(panels, tile.panels));
  tilePanels = std::max<int64_t>(1, llvm::divideCeil(panels, units));
  int64_t most =
      std::min<int64_t>(kMostRows, tile.rows * tile.panels / tilePanels);
  rowTiles = std::max<int64_t>(1, llvm::divideCeil(rows, most));
  tileRows = llvm::divideCeil(rows, rowTiles);
  int64_t bytes =
      tileRows * tilePanels * kPanelWidth * getAccumulatorBits(accumulator) / 8;
  tilesAtOnce = std::max<int64_t>(1, target.l2Bytes / 4 / bytes);
}

int64_t ContractPlaces::dimOfA(unsigned dim) const {
  return dim == 0 ? batchRank + 1 + spatial : batchRank + dim;
}

int64_t ContractPlaces::dimOfB(unsigned dim) const {
  return dim == 0 ? batchRank + spatial : batchRank + dim - 1;
}

/// Inner dimensions whole, as many of them as a block has places for.
void ContractPlaces::chooseBlock() {
  int64_t places = 1;
  for (blockDim = spatial;; --blockDim) {
    int64_t size = b.type.getDimSize(dimOfB(blockDim));
    if (ShapedType::isDynamic(size) && blockDim == spatial && spatial > 1) {
      blockDim = spatial - 1;
      blockSize = kBlockLines;
      return;
    }
    blockSize = std::max<int64_t>(1, kBlockPlaces / places);
    if (blockDim == 0 || ShapedType::isDynamic(size) || size > blockSize)
      return;
    places *= std::max<int64_t>(size, 1);
  }
}

Value ContractPlaces::isSmall() {
  Value work = e.mul(tasks, tileRows * tilePanels * kPanelWidth);
  for (int64_t dim = 0; dim <= spatial; ++dim)
    work = e.mul(work, b.sizes[dimOfB(dim)]);
  return e.less(work, e.index(kSmallWork));
}

Value ContractPlaces::countTasks() {
  return e.select(isSmall(), e.index(1), tasks);
}

void ContractPlaces::run(Value begin, Value end) {
  Value small = isSmall();
  begin = e.select(small, e.index(0), begin);
  end = e.select(small, tasks, end);
  int64_t vectors = tileRows * tilePanels;
  int64_t most = std::min<int64_t>(
      tilesAtOnce, getConstantIntValue(tasks).value_or(tilesAtOnce));
  most = std::max<int64_t>(most, 1);
  Value memory = e.stackScratch(accumulator, most * vectors * kPanelWidth);
  auto scratchOf = [&](Value local) {
    return e.at(memory, accumulator, e.mul(local, vectors * kPanelWidth));
  };
  e.loop(begin, end, most, [&](Value first) {
    Value count = e.min(e.sub(end, first), e.index(most));
    Value zero = e.zero(accumulator, kPanelWidth);
    e.loop(e.index(0), e.mul(count, vectors), 1, [&](Value i) {
      e.store(zero, e.at(memory, accumulator, e.mul(i, kPanelWidth)));
    });
    SmallVector<Range> block;
    overBlocks(0, block, [&] {
      e.loop(e.index(0), count, 1, [&](Value local) {
        addBlock(openTile(e.add(first, local)), block, scratchOf(local));
      });
    });
    e.loop(e.index(0), count, 1, [&](Value local) {
      finish(openTile(e.add(first, local)), scratchOf(local));
    });
  });
}

ContractPlaces::Tile ContractPlaces::openTile(Value number) {
  ArrayRef<Value> sizes = epilogue.getDestination().sizes;
  SmallVector<Value> counts{batches, e.index(units), e.index(rowTiles)};
  llvm::append_range(counts, sizes.slice(batchRank + 1, spatial));
  SmallVector<Value> place = e.delinearize(number, counts);
  Tile tile;
  tile.batch = e.delinearize(place[0], sizes.take_front(batchRank));
  tile.position.assign(place.begin() + 3, place.end());
  tile.firstColumn = e.mul(place[1], tilePanels * kPanelWidth);
  tile.isLastUnit = e.equal(place[1], e.index(units - 1));
  // The first tiles have one row more.
  Value each = e.index(rows / rowTiles), more = e.index(rows % rowTiles);
  tile.firstRow = e.add(e.mul(place[2], each), e.min(place[2], more));
  tile.rows =
      e.add(each, e.select(e.less(place[2], more), e.index(1), e.index(0)));
  return tile;
}

void ContractPlaces::overCases(
    const Tile &tile, function_ref<void(int64_t, int64_t, int64_t)> body) {
  SmallVector<int64_t> cases{rows / rowTiles};
  if (rows % rowTiles)
    cases.push_back(rows / rowTiles + 1);
  int64_t unit = tilePanels * kPanelWidth, rest = columns - (units - 1) * unit;
  e.choose(tile.rows, cases, [&](int64_t count) {
    auto run = [&](int64_t width) {
      int64_t panels = llvm::divideCeil(width, kPanelWidth);
      body(count, panels, width - (panels - 1) * kPanelWidth);
    };
    if (rest == unit)
      return run(unit);
    if (units == 1)
      return run(rest);
    e.branch(tile.isLastUnit, [&] { run(rest); }, [&] { run(unit); });
  });
}

void ContractPlaces::overBlocks(unsigned dim, SmallVectorImpl<Range> &block,
                                function_ref<void()> body) {
  Value size = b.sizes[dimOfB(dim)];
  int64_t step = dim == blockDim ? blockSize : 1;
  e.loop(e.index(0), size, step, [&](Value low) {
    block.push_back(
        {low, step == 1 ? e.add(low, 1) : e.min(e.add(low, step), size)});
    if (dim < blockDim) {
      overBlocks(dim + 1, block, body);
    } else {
      for (unsigned inner = dim + 1; inner <= spatial; ++inner)
        block.push_back({e.index(0), b.sizes[dimOfB(inner)]});
      body();
    }
    block.truncate(dim);
  });
}

/// The places that meet the input at the tile's position.
ContractPlaces::Range ContractPlaces::clip(const Tile &tile, unsigned dim,
                                           const Range &range) {
  if (dim == 0)
    return range;
  int64_t step = op.getDilations()[dim - 1];
  Value start = e.sub(e.mul(tile.position[dim - 1], op.getStrides()[dim - 1]),
                      e.index(op.getPadding()[dim - 1]));
  Value zero = e.index(0);
  Value low = e.ceilDiv(e.max(e.sub(zero, start), zero), step);
  Value room = e.max(e.sub(a.sizes[dimOfA(dim)], start), zero);
  return {e.max(range.low, low), e.min(range.high, e.ceilDiv(room, step))};
}

void ContractPlaces::addBlock(const Tile &tile, ArrayRef<Range> block,
                              Value scratch) {
  Value aOffset = e.mul(tile.firstRow, a.strides[batchRank]),
        bOffset = e.mul(tile.firstColumn, b.strides.back());
  for (int64_t i = 0; i < batchRank; ++i) {
    if (a.type.getDimSize(i) != 1)
      aOffset = e.add(aOffset, e.mul(tile.batch[i], a.strides[i]));
    if (b.type.getDimSize(i) != 1)
      bOffset = e.add(bOffset, e.mul(tile.batch[i], b.strides[i]));
  }
  for (int64_t i = 0; i < spatial; ++i) {
    Value start = e.sub(e.mul(tile.position[i], op.getStrides()[i]),
                        e.index(op.getPadding()[i]));
    aOffset = e.add(aOffset, e.mul(start, a.strides[dimOfA(1 + i)]));
  }
  Value aPointer = e.at(a.pointer, a.element, aOffset),
        bPointer = e.at(b.pointer, b.element, bOffset);
  overCases(tile, [&](int64_t count, int64_t panels, int64_t last) {
    SmallVector<Value> sums(count * panels, e.zero(accumulator, kPanelWidth));
    sums = overPlaces(0, tile, block, aPointer, bPointer, count, panels, last,
                      sums);
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value place =
          e.at(scratch, accumulator, e.index(int64_t(i) * kPanelWidth));
      e.store(e.plus(e.load(place, accumulator, kPanelWidth), sum), place);
    }
  });
}

SmallVector<Value> ContractPlaces::overPlaces(unsigned dim, const Tile &tile,
                                              ArrayRef<Range> block,
                                              Value aPointer, Value bPointer,
                                              int64_t count, int64_t panels,
                                              int64_t last, ValueRange sums) {
  if (dim > spatial) {
    SmallVector<Value> parts, result(sums);
    for (int64_t j = 0; j < panels; ++j) {
      Value mask =
          j == panels - 1 ? e.laneMask(e.index(last), kPanelWidth) : Value();
      Value step = b.strides.back(),
            from = e.at(bPointer, b.element, e.mul(step, j * kPanelWidth));
      Value part = getConstantIntValue(step) == 1
                       ? e.load(from, b.element, kPanelWidth, mask)
                       : e.gather(from, b.element, kPanelWidth, step, mask);
      parts.push_back(e.widen(part, accumulator));
    }
    for (int64_t r = 0; r < count; ++r) {
      Value scalar =
          e.load(e.at(aPointer, a.element, e.mul(a.strides[batchRank], r)),
                 a.element, 1);
      Value row = e.splat(e.widen(scalar, accumulator), kPanelWidth);
      for (int64_t j = 0; j < panels; ++j) {
        Value &sum = result[r * panels + j];
        sum = e.mulAdd(row, parts[j], sum);
      }
    }
    return result;
  }
  Range range = clip(tile, dim, block[dim]);
  Value aStep = a.strides[dimOfA(dim)], bStep = b.strides[dimOfB(dim)];
  if (dim > 0)
    aStep = e.mul(aStep, op.getDilations()[dim - 1]);
  return e.loop(
      range.low, range.high, 1, sums, [&](Value place, ValueRange carried) {
        return overPlaces(dim + 1, tile, block,
                          e.at(aPointer, a.element, e.mul(place, aStep)),
                          e.at(bPointer, b.element, e.mul(place, bStep)), count,
                          panels, last, carried);
      });
}

void ContractPlaces::finish(const Tile &tile, Value scratch) {
  ArrayRef<Value> sizes =
      ArrayRef(epilogue.getDestination().sizes).slice(batchRank + 1, spatial);
  Value position = e.index(0);
  for (auto [place, size] : llvm::zip(tile.position, sizes))
    position = e.add(e.mul(position, size), place);
  Value positions = e.product(sizes);
  overCases(tile, [&](int64_t count, int64_t panels, int64_t last) {
    e.loop(e.index(0), e.index(count), 1, [&](Value r) {
      Value row = e.add(e.mul(e.add(tile.firstRow, r), positions), position);
      for (int64_t j = 0; j < panels; ++j) {
        Value from = e.mul(e.add(e.mul(r, panels), j), kPanelWidth);
        Value mask =
            j == panels - 1 ? e.laneMask(e.index(last), kPanelWidth) : Value();
        epilogue.store(
            e.load(e.at(scratch, accumulator, from), accumulator, kPanelWidth),
            {tile.batch, row, e.add(tile.firstColumn, j * kPanelWidth)},
            kPanelWidth, mask);
      }
    });
  });
}

} // namespace tenon
