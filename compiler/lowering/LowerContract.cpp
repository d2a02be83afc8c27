#include "compiler/lowering/LowerContract.h"

#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/LowerContractPlaces.h"
#include "compiler/lowering/LowerContractTiles.h"
#include "compiler/lowering/LowerContractWinograd.h"
#include "compiler/lowering/LowerPack.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

#include <set>

using namespace mlir;

namespace tenon {

/// Rows of a task. Enough to use what is loaded of B many times, few enough for
/// A's rows to stay in L2.
static constexpr int64_t kBlockRows = 96;
/// The same where B's part has to be packed for them first.
static constexpr int64_t kPackingRows = 192;
/// Bytes of the stack that a packed part of a unit takes.
static constexpr int64_t kPackedBytes = 1 << 16;
/// Fewest columns of a panel that are computed at once.
static constexpr int64_t kFewestLanes = 4;
/// Most rows of a tile with few panels.
static constexpr int64_t kMostRows = 12, kMostLineRows = 14;
/// Fewer multiplications than this are not worth sharing.
static constexpr int64_t kSmallWork = 1 << 17;
/// Vectors of epilogue code in a kernel beyond which it becomes a loop.
static constexpr unsigned kInlineCost = 320;

//===----------------------------------------------------------------------===//
// The grid
//===----------------------------------------------------------------------===//

/// Rows whose sums are this short are bound by memory, and the CPU works on
/// several of them at once by itself: one row per tile and one task are as good
/// as many, and a fraction of the code.
static bool hasShortSums(kernel::ContractOp op) {
  int64_t last = op.getCType().getRank() - 1;
  int64_t columns = op.getCType().getDimSize(last),
          channels = op.getBType().getDimSize(op.getBChannelDim());
  return op.getSpatialRank() == 0 && op.getGroups() == 1 && columns > 0 &&
         channels > 0 && columns * channels <= 16;
}

static int64_t blockRows(kernel::ContractOp op) {
  return op.readsMatrix() ? kPackingRows : kBlockRows;
}

ContractGrid ContractLowering::buildGrid(KernelEmitter &e,
                                         kernel::ContractOp op) {
  int64_t batchRank = op.getBatchRank(), last = op.getCType().getRank() - 1;
  ContractGrid grid;
  grid.batches = grid.rows = e.index(1);
  for (int64_t i = 0; i < batchRank; ++i)
    grid.batches = e.mul(grid.batches, sizeOf(e.b, e.loc, op.getC(), i));
  for (int64_t i = batchRank; i < last; ++i)
    grid.rows = e.mul(grid.rows, sizeOf(e.b, e.loc, op.getC(), i));
  grid.groups = e.index(op.getGroups());
  grid.columns = e.div(sizeOf(e.b, e.loc, op.getC(), last), grid.groups);
  // Either operand may be the one whose type knows the channels.
  grid.channels =
      op.getBType().isDynamicDim(op.getBChannelDim())
          ? e.div(sizeOf(e.b, e.loc, op.getA(), op.getADim(last)), grid.groups)
          : sizeOf(e.b, e.loc, op.getB(), op.getBChannelDim());
  grid.panels = e.ceilDiv(grid.columns, getPanelWidth(op));
  if (std::optional<ContractLines> lines = ContractLines::find(op))
    grid.rowBlocks =
        e.mul(sizeOf(e.b, e.loc, op.getC(), batchRank), lines->blocks);
  else
    grid.rowBlocks =
        hasShortSums(op) ? e.index(1) : e.ceilDiv(grid.rows, blockRows(op));
  grid.units = e.ceilDiv(grid.panels, kUnitPanels);
  grid.tasks =
      e.product({grid.batches, grid.groups, grid.rowBlocks, grid.units});

  Value work = e.product(
      {grid.batches, grid.groups, grid.rows, grid.columns, grid.channels});
  for (int64_t i = 0; i < op.getSpatialRank(); ++i)
    work = e.mul(work, sizeOf(e.b, e.loc, op.getB(), batchRank + 2 + i));
  grid.small = hasShortSums(op)
                   ? arith::ConstantIntOp::create(e.b, e.loc, 1, 1).getResult()
                   : e.less(work, e.index(kSmallWork));
  return grid;
}

Value buildContractTaskCount(OpBuilder &b, Location loc, kernel::ContractOp op,
                             const CpuTarget &target) {
  KernelEmitter e(b, loc, false);
  if (target.byPoint)
    return countContractPoints(e, op);
  if (op.sumsOverPlaces())
    return ContractPlaces(b, op, target).countTasks();
  if (op.getWinograd())
    return ContractWinograd(b, op, target).countTasks();
  ContractGrid grid = ContractLowering::buildGrid(e, op);
  return e.select(grid.small, e.index(1), grid.tasks);
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

int64_t ContractLowering::getPanelWidth(kernel::ContractOp op) {
  return op.readsMatrix() ? kPanelWidth : op.getBType().getShape().back();
}

Buffer ContractLowering::openA(KernelEmitter &e, kernel::ContractOp op) {
  Buffer buffer = e.open(op.getA());
  return op.getAOrder().empty() ? buffer : buffer.permuted(op.getAOrder());
}

Buffer ContractLowering::openB() {
  Buffer buffer = e.open(op.getB());
  if (!op.readsMatrix())
    return buffer;
  matrix = buffer.permuted(op.getBOrder());
  int64_t unit = kUnitPanels * panelWidth *
                 std::max<int64_t>(1, getAccumulatorBits(matrix.element) / 8);
  int64_t channels = llvm::alignDown(kPackedBytes / unit, panelWidth);
  if (std::optional<int64_t> known = getConstantIntValue(grid.channels)) {
    // Parts of equal size.
    int64_t parts = std::max<int64_t>(1, llvm::divideCeil(*known, channels));
    int64_t each = llvm::alignTo(llvm::divideCeil(*known, parts), panelWidth);
    channels =
        parts == 1 ? std::max<int64_t>(*known, 1) : std::min(channels, each);
  }
  SmallVector<int64_t> shape(batchRank, 1);
  shape.append({1, kUnitPanels, channels, panelWidth});
  Buffer panels{
      MemRefType::get(shape, matrix.element), {}, matrix.element, {}, {}};
  for (auto [size, stride] : llvm::zip(shape, computeSuffixProduct(shape))) {
    panels.sizes.push_back(e.index(size));
    panels.strides.push_back(e.index(stride));
  }
  return panels;
}

ContractLowering::ContractLowering(OpBuilder &builder, kernel::ContractOp op,
                                   const CpuTarget &target)
    : op(op), e(builder, op.getLoc(), target.hasFma), target(target),
      a(openA(e, op)), grid(buildGrid(e, op)),
      epilogue(e, op.getBody().front(), op.getEpilogue(), op.getEpilogueMaps(),
               op.getC(), op.getBatchRank()),
      accumulator(op.getBody().front().getArgument(0).getType()),
      panelWidth(getPanelWidth(op)),
      lanes(isa<ComplexType>(accumulator) ? 1 : panelWidth),
      batchRank(op.getBatchRank()), spatial(op.getSpatialRank()) {
  b = openB();
  e.keepsLoopsScalar = panelWidth == 1;
  flat = isFlat();
  padded = false;
  for (int64_t i = 0; !flat && i < spatial; ++i)
    padded |= mayLeaveInput(i);
  lines = ContractLines::find(op);
  if (lines && lines->isCopied) {
    a.strides[batchRank + 1] = e.index(lines->getCopiedStride());
    padded = false;
  }
  chooseBlocking();
}

ContractLowering::~ContractLowering() = default;

/// The row counts, ascending, that tiles of at most `limit` rows can have.
SmallVector<int64_t> ContractLowering::possibleRows(unsigned limit) {
  std::set<int64_t> counts;
  if (lines) {
    int64_t tiles = llvm::divideCeil(lines->width, limit);
    counts.insert(lines->width / tiles);
    counts.insert(llvm::divideCeil(lines->width, tiles));
    return llvm::to_vector(counts);
  }
  auto addBlock = [&](int64_t rows) {
    if (rows == 0)
      return;
    int64_t tiles = llvm::divideCeil(rows, limit);
    counts.insert(rows / tiles);
    if (rows % tiles)
      counts.insert(rows / tiles + 1);
  };
  auto addAll = [&](int64_t rows) {
    int64_t most = blockRows(op);
    int64_t blocks = std::max<int64_t>(1, llvm::divideCeil(rows, most));
    addBlock(rows / blocks);
    if (rows % blocks)
      addBlock(rows / blocks + 1);
  };
  if (std::optional<int64_t> rows = getConstantIntValue(grid.rows)) {
    addAll(*rows);
  } else {
    // Any multiple of what is known. Blocks of more than one are never small.
    int64_t step = 1;
    for (int64_t i = batchRank; i <= batchRank + spatial; ++i)
      if (int64_t size = staticSize(epilogue.getDestination(), i); size > 0)
        step *= size;
    int64_t most = blockRows(op);
    for (int64_t rows = step; rows <= most; rows += step)
      addAll(rows);
    for (int64_t rows = most / 2; rows <= most; ++rows)
      addBlock(rows);
  }
  if (counts.empty())
    counts.insert(1);
  return llvm::to_vector(counts);
}

unsigned ContractLowering::getTileRows() {
  if (hasShortSums(op))
    return 1;
  RegisterTile tile = target.getTile(getAccumulatorBits(accumulator));
  // Where there are few panels, rows take the registers; rows that need an
  // address each have not enough of those.
  std::optional<int64_t> panels = getConstantIntValue(grid.panels);
  if (!(flat || lines) || !panels || *panels < 1 || *panels * 2 > tile.panels ||
      !getConstantIntValue(grid.rows))
    return tile.rows;
  return std::min<unsigned>(lines ? kMostLineRows : kMostRows,
                            tile.rows * tile.panels / *panels);
}

unsigned ContractLowering::getVectorCount() {
  unsigned limit = getTileRows(), sum = 0;
  for (int64_t rows : possibleRows(limit))
    sum += rows * std::min<int64_t>(
                      kUnitPanels,
                      getConstantIntValue(grid.panels).value_or(kUnitPanels));
  return sum;
}

/// Whether the last window dimension adds to runs of memory that are too short
/// to be loops of their own, as in a model's first layer.
bool ContractLowering::hasShortRuns() {
  if (lines)
    return true;
  if (flat || lanes == 1 || op.getGroups() != 1)
    return false;
  int64_t last = spatial - 1, window = staticSize(b, batchRank + 2 + last);
  std::optional<int64_t> channels = getConstantIntValue(grid.channels);
  return channels && window > 1 &&
         *channels * window <= ContractLines::kShortRun &&
         *channels < kPanelWidth && op.getDilations()[last] == 1 &&
         op.getInputDilation()[last] == 1 &&
         getConstantIntValue(a.strides.back()) == 1 &&
         getConstantIntValue(a.strides[batchRank + spatial]) == *channels;
}

void ContractLowering::chooseBlocking() {
  if (op.readsMatrix()) {
    channelBlock = b.type.getDimSize(batchRank + 2);
    isBlocked = getConstantIntValue(grid.channels) != channelBlock;
    inlineEpilogue =
        !isBlocked && epilogue.getCost() * getVectorCount() <= kInlineCost;
  }
  if (ContractTiles::canRun(*this)) {
    tileSums = std::make_unique<ContractTiles>(*this);
    inlineEpilogue = false;
    return;
  }
  if (op.readsMatrix())
    return;
  // A unit of B is read once per tile: it must stay in L2 next to A's rows.
  std::optional<int64_t> channels = getConstantIntValue(grid.channels);
  std::optional<int64_t> rows = getConstantIntValue(grid.rows);
  int64_t limit = target.l2Bytes / 4;
  int64_t perChannel = kUnitPanels * panelWidth *
                       std::max<int64_t>(1, getAccumulatorBits(a.element) / 8);
  int64_t bytes = channels.value_or(limit) * perChannel;
  for (int64_t i = 0; i < spatial; ++i)
    bytes *= std::max<int64_t>(1, staticSize(b, batchRank + 2 + i));
  bool oneTile = rows && *rows <= getTileRows() && bytes <= 16 * limit;
  if (!oneTile && lanes > 1 && bytes > 2 * limit) {
    isBlocked = true;
    while (fixedDims < spatial && bytes > limit)
      bytes /= std::max<int64_t>(1, staticSize(b, batchRank + 2 + fixedDims++));
    if (bytes > limit) {
      channelBlock = limit / perChannel;
      if (channels) {
        // Parts of equal size, a multiple of the unrolling.
        int64_t parts = llvm::divideCeil(*channels, channelBlock);
        channelBlock = llvm::alignTo(llvm::divideCeil(*channels, parts), 4);
      }
    }
  }
  mergesLastDim = !isBlocked && hasShortRuns();
  inlineEpilogue =
      !isBlocked &&
      (lanes == 1 || epilogue.getCost() * getVectorCount() <= kInlineCost);
}

//===----------------------------------------------------------------------===//
// Tasks
//===----------------------------------------------------------------------===//

void ContractLowering::run(Value begin, Value end) {
  if (op.readsMatrix())
    panelScratch = e.stackScratch(b.element, b.type.getNumElements());
  int64_t rows = isBlocked  ? blockRows(op)
                 : tileSums ? ContractTiles::kRows
                            : getTileRows();
  if (!inlineEpilogue)
    scratch = e.stackScratch(accumulator, rows * kUnitPanels * panelWidth);
  if (padded) {
    // Rows outside the input are read here. With channels apart, their step
    // becomes 0 instead.
    constexpr int64_t most = 1024;
    zeroCount =
        getConstantIntValue(a.strides.back()) == 1
            ? std::min(most, getConstantIntValue(grid.channels).value_or(most))
            : 1;
    if (tileSums)
      zeroCount = *getConstantIntValue(grid.channels);
    if (mergesLastDim)
      zeroCount *= staticSize(b, batchRank + 1 + spatial);
    zeroRow = e.stackZeros(a.element, std::max<int64_t>(zeroCount, 1));
  }
  if (lines && lines->isCopied)
    copiedLines = e.stackScratch(
        a.element, ContractLines::getSpan(
                       op, llvm::divideCeil(lines->height, lines->blocks)) *
                       lines->getCopiedStride());
  Value from = e.select(grid.small, e.index(0), begin);
  Value to = e.select(grid.small, grid.tasks, end);
  if (std::optional<int64_t> tasks = getConstantIntValue(grid.tasks);
      tasks && *tasks <= 1) {
    from = e.index(0);
    to = e.index(*tasks);
  }
  if (tileSums)
    tileSums->begin();
  e.loop(from, to, 1, [&](Value number) { runTask(number); });
  if (tileSums)
    tileSums->end();
}

void ContractLowering::runTask(Value number) {
  SmallVector<Value> place = e.delinearize(
      number, {grid.batches, grid.groups, grid.rowBlocks, grid.units});
  Task task;
  task.batch = e.delinearize(
      place[0],
      ArrayRef(epilogue.getDestination().sizes).take_front(batchRank));
  auto batchOffset = [&](const Buffer &buffer) {
    Value offset = e.index(0);
    for (int64_t i = 0; i < batchRank; ++i)
      if (buffer.type.getDimSize(i) != 1)
        offset = e.add(offset, e.mul(task.batch[i], buffer.strides[i]));
    return offset;
  };
  task.aBase = e.at(a.pointer, a.element,
                    e.add(batchOffset(a), e.mul(e.mul(place[1], grid.channels),
                                                a.strides.back())));
  task.firstPanel = e.mul(place[3], kUnitPanels);
  if (op.readsMatrix()) {
    Value column = e.mul(task.firstPanel, panelWidth);
    Value offset = e.mul(column, matrix.strides.back());
    task.matrixBase = e.at(matrix.pointer, matrix.element,
                           e.add(batchOffset(matrix), offset));
  } else {
    Value offset = e.add(batchOffset(b), e.mul(place[1], b.strides[batchRank]));
    offset = e.add(offset, e.mul(task.firstPanel, b.strides[batchRank + 1]));
    task.bBase = e.at(b.pointer, b.element, offset);
  }
  task.firstColumn = e.mul(place[1], grid.columns);

  if (lines) {
    openLines(task, place[2]);
  } else {
    // Blocks share the rows evenly; the first ones get what is left over.
    Value blocks = e.max(grid.rowBlocks, e.index(1));
    Value each = e.div(grid.rows, blocks), more = e.rem(grid.rows, blocks);
    task.firstRow = e.add(e.mul(place[2], each), e.min(place[2], more));
    task.rows =
        e.add(each, e.select(e.less(place[2], more), e.index(1), e.index(0)));
  }
  if (isa<ComplexType>(accumulator))
    return runScalar(task);

  Unit whole{e.index(kUnitPanels), e.index(0)};
  Value left = e.sub(grid.columns, e.mul(task.firstPanel, panelWidth));
  Value isWhole = e.less(e.index(kUnitPanels * panelWidth - 1), left);
  Unit last;
  if (std::optional<int64_t> columns = getConstantIntValue(grid.columns)) {
    int64_t unit = kUnitPanels * panelWidth;
    int64_t rest = *columns % unit;
    if (rest == 0)
      return runUnit(task, whole);
    last = {e.index(rest / panelWidth), e.index(rest % panelWidth),
            rest % panelWidth != 0};
    if (*columns < unit)
      return runUnit(task, last);
  } else {
    last = {e.div(left, e.index(panelWidth)), e.rem(left, e.index(panelWidth)),
            true};
  }
  e.branch(
      isWhole, [&] { runUnit(task, whole); }, [&] { runUnit(task, last); });
}

void ContractLowering::runUnit(const Task &task, const Unit &unit) {
  if (isBlocked)
    blocked(task, unit);
  else
    direct(task, unit);
}

/// Complex numbers: one element at a time.
void ContractLowering::runScalar(const Task &task) {
  Value left = e.sub(grid.columns, e.mul(task.firstPanel, panelWidth));
  Value columns = e.min(left, e.index(kUnitPanels * panelWidth));
  ContractPart all{{}, e.index(0), grid.channels};
  e.loop(e.index(0), task.rows, 1, [&](Value i) {
    Value row = e.add(task.firstRow, i);
    ContractRows rows = openRows(task, row, 1);
    e.loop(e.index(0), columns, 1, [&](Value column) {
      Value panel = e.div(column, e.index(panelWidth));
      Value offset = e.add(e.mul(panel, b.strides[batchRank + 1]),
                           e.rem(column, e.index(panelWidth)));
      Value sum = accumulate(rows, e.at(task.bBase, b.element, offset),
                             zeros(1), all)[0];
      Value place = e.add(task.firstColumn,
                          e.add(e.mul(task.firstPanel, panelWidth), column));
      epilogue.store(sum, {task.batch, row, place}, 1, {});
    });
  });
}

SmallVector<Value>
ContractLowering::panelPointers(const Task &task, Value panel, unsigned width) {
  SmallVector<Value> pointers;
  for (unsigned j = 0; j < width; ++j)
    pointers.push_back(e.at(task.bBase, b.element,
                            e.mul(e.add(panel, j), b.strides[batchRank + 1])));
  return pointers;
}

/// Whether a few elements of everything are a vector that CPUs have masks for.
bool ContractLowering::hasWideElements() {
  return llvm::all_of(op->getOperandTypes(), [](Type type) {
    Type element = getElementTypeOrSelf(type);
    return element.isF32() || element.isF64();
  });
}

SmallVector<Value> ContractLowering::zeros(unsigned rows, unsigned width,
                                           Value tail) {
  Value whole = e.zero(accumulator, lanes), last = whole;
  // Half a panel takes half the time.
  std::optional<int64_t> columns =
      tail ? getConstantIntValue(tail) : std::nullopt;
  if (columns && *columns * 2 <= lanes && hasWideElements())
    last = e.zero(accumulator, std::max<int64_t>(llvm::PowerOf2Ceil(*columns),
                                                 kFewestLanes));
  SmallVector<Value> result;
  for (unsigned r = 0; r < rows; ++r) {
    result.append(width - 1, whole);
    result.push_back(last);
  }
  return result;
}

Value ContractLowering::scratchAt(Value row, Value panel) {
  Value place = e.mul(e.add(e.mul(row, kUnitPanels), panel), panelWidth);
  return e.at(scratch, accumulator, place);
}

void ContractLowering::tiles(const Task &task,
                             llvm::function_ref<void(Value, Value)> body) {
  unsigned limit = getTileRows();
  if (limit == 1)
    return e.loop(e.index(0), task.rows, 1,
                  [&](Value i) { body(e.add(task.firstRow, i), e.index(1)); });
  auto share = [&](Value start, Value whole) {
    Value count = e.max(e.ceilDiv(whole, limit), e.index(1));
    Value each = e.div(whole, count), more = e.rem(whole, count);
    // Without rows there is no tile.
    Value tiles = e.min(count, whole);
    e.loop(e.index(0), tiles, 1, [&](Value i) {
      Value first = e.add(e.mul(i, each), e.min(i, more));
      Value rows =
          e.add(each, e.select(e.less(i, more), e.index(1), e.index(0)));
      body(e.add(start, first), rows);
    });
  };
  if (!lines)
    return share(task.firstRow, task.rows);
  e.loop(e.index(0), task.rows, lines->width, [&](Value line) {
    share(e.add(task.firstRow, line), e.index(lines->width));
  });
}

void ContractLowering::panelGroups(
    const Unit &unit, unsigned rows,
    llvm::function_ref<void(Value, unsigned, Value)> body) {
  int64_t width = target.getPanels(rows, getAccumulatorBits(accumulator));
  std::optional<int64_t> full = getConstantIntValue(unit.full);
  if (full) {
    int64_t together = *full / width * width;
    e.loop(e.index(0), e.index(together), width,
           [&](Value panel) { body(panel, width, {}); });
    int64_t rest = *full - together + unit.mayHaveTail;
    if (rest)
      body(e.index(together), rest, unit.mayHaveTail ? unit.tail : Value());
    return;
  }
  Value together = e.mul(e.div(unit.full, e.index(width)), width);
  e.loop(e.index(0), together, width,
         [&](Value panel) { body(panel, width, {}); });
  Value end = e.add(unit.full, e.min(unit.tail, e.index(1)));
  e.loop(together, end, 1, [&](Value panel) {
    body(panel, 1,
         e.select(e.less(panel, unit.full), e.index(panelWidth), unit.tail));
  });
}

ContractLowering::Task ContractLowering::packed(const Task &task,
                                                const Unit &unit,
                                                const ContractPart &part) {
  Value channelStride = matrix.strides[batchRank],
        columnStride = matrix.strides[batchRank + 1];
  Value channels = e.sub(part.lastChannel, part.firstChannel);
  Value left = e.sub(grid.columns, e.mul(task.firstPanel, panelWidth));
  Value panels = e.add(unit.full, e.min(unit.tail, e.index(1)));
  e.rolledLoop(e.index(0), panels, 1, [&](Value panel) {
    Value column = e.mul(panel, panelWidth);
    Value offset = e.add(e.mul(part.firstChannel, channelStride),
                         e.mul(column, columnStride));
    packPanel(
        e, b.element,
        {e.at(task.matrixBase, b.element, offset), channelStride, columnStride,
         channels, e.min(e.sub(left, column), e.index(panelWidth))},
        e.at(panelScratch, b.element, e.mul(panel, b.strides[batchRank + 1])),
        panelWidth, op.getPairs());
  });
  Task result = task;
  // Channels are counted from the operand's first one.
  result.bBase = e.at(panelScratch, b.element,
                      e.sub(e.index(0), e.mul(part.firstChannel, panelWidth)));
  return result;
}

/// The whole sum in registers, tile by tile.
void ContractLowering::direct(const Task &whole, const Unit &unit) {
  ContractPart all{{}, e.index(0), grid.channels};
  Task task = op.readsMatrix() ? packed(whole, unit, all) : whole;
  if (tileSums)
    return tileSums->run(task, unit);
  unsigned limit = getTileRows();
  SmallVector<int64_t> cases = possibleRows(limit);
  tiles(task, [&](Value first, Value rowCount) {
    e.choose(rowCount, cases, [&](int64_t count) {
      ContractRows rows = openRows(task, first, count);
      auto run = [&] {
        panelGroups(unit, count, [&](Value panel, unsigned width, Value tail) {
          SmallVector<Value> sums =
              accumulate(rows, panelPointers(task, panel, width),
                         zeros(count, width, tail), all);
          for (unsigned i = 0; i < count * width; ++i) {
            Value column = e.add(panel, i % width);
            if (inlineEpilogue)
              finishOne(task, sums[i], e.add(first, i / width), column,
                        i % width == width - 1 ? tail : Value());
            else
              e.store(sums[i], scratchAt(e.index(i / width), column));
          }
        });
      };
      if (!mergesLastDim)
        return run();
      rows.merged = true;
      if (!mayLeaveInput(spatial - 1))
        return run();
      e.branch(isInsideLastDim(rows), run, [&] {
        rows.merged = false;
        run();
      });
    });
    if (!inlineEpilogue)
      finish(task, unit, first, rowCount);
  });
}

/// The sum part by part, so that the part of B in use stays in L2; sums wait in
/// memory meanwhile.
void ContractLowering::blocked(const Task &whole, const Unit &unit) {
  unsigned limit = getTileRows();
  SmallVector<int64_t> cases = possibleRows(limit);
  e.loop(e.index(0), e.mul(whole.rows, kUnitPanels), 1, [&](Value i) {
    e.store(e.zero(accumulator, lanes),
            e.at(scratch, accumulator, e.mul(i, panelWidth)));
  });
  overParts([&](const ContractPart &part) {
    Task task = op.readsMatrix() ? packed(whole, unit, part) : whole;
    tiles(task, [&](Value first, Value rowCount) {
      Value local = e.sub(first, task.firstRow);
      e.choose(rowCount, cases, [&](int64_t count) {
        ContractRows rows = openRows(task, first, count);
        panelGroups(unit, count, [&](Value panel, unsigned width, Value) {
          // Each part's sum by itself: terms are not lost in long sums.
          SmallVector<Value> sums =
              accumulate(rows, panelPointers(task, panel, width),
                         zeros(count * width), part);
          for (unsigned i = 0; i < count * width; ++i) {
            Value place =
                scratchAt(e.add(local, i / width), e.add(panel, i % width));
            e.store(e.plus(e.load(place, accumulator, lanes), sums[i]), place);
          }
        });
      });
    });
  });
  finish(whole, unit, whole.firstRow, whole.rows);
}

void ContractLowering::overParts(
    llvm::function_ref<void(const ContractPart &)> body) {
  ContractPart part;
  std::function<void()> next = [&] {
    if (part.fixed.size() < fixedDims) {
      Value size = b.sizes[batchRank + 2 + part.fixed.size()];
      e.loop(e.index(0), size, 1, [&](Value k) {
        part.fixed.push_back(k);
        next();
        part.fixed.pop_back();
      });
      return;
    }
    if (!channelBlock) {
      part.firstChannel = e.index(0);
      part.lastChannel = grid.channels;
      return body(part);
    }
    e.loop(e.index(0), grid.channels, channelBlock, [&](Value first) {
      part.firstChannel = first;
      part.lastChannel = e.min(e.add(first, channelBlock), grid.channels);
      body(part);
    });
  };
  next();
}

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

void ContractLowering::finishOne(const Task &task, Value value, Value row,
                                 Value panel, Value columns) {
  Value place = e.mul(e.add(task.firstPanel, panel), panelWidth);
  auto type = dyn_cast<VectorType>(value.getType());
  int64_t count = type ? type.getNumElements() : 1;
  Value mask = columns ? e.laneMask(columns, count) : Value();
  epilogue.store(value, {task.batch, row, e.add(task.firstColumn, place)},
                 count, mask);
}

void ContractLowering::finish(const Task &task, const Unit &unit,
                              Value firstRow, Value rows) {
  e.loop(e.index(0), rows, 1, [&](Value i) {
    // Scratch holds a whole block, or one tile only.
    Value row = e.add(firstRow, i);
    auto finishPanel = [&](Value panel, Value columns) {
      Value value = e.load(scratchAt(i, panel), accumulator, lanes);
      finishOne(task, value, row, panel, columns);
    };
    e.loop(e.index(0), unit.full, 1,
           [&](Value panel) { finishPanel(panel, {}); });
    if (unit.mayHaveTail)
      e.branch(e.less(e.index(0), unit.tail),
               [&] { finishPanel(unit.full, unit.tail); });
  });
}

LogicalResult lowerContract(OpBuilder &b, kernel::ContractOp op, Value begin,
                            Value end, const CpuTarget &target) {
  auto type = cast<MemRefType>(op.getC().getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (strides.back() != 1)
    return op.emitOpError("needs a destination with contiguous columns");
  if (!op.readsMatrix() &&
      !cast<MemRefType>(op.getB().getType()).getLayout().isIdentity())
    return op.emitOpError("needs packed weights that are contiguous");
  if (target.byPoint)
    lowerContractPoints(b, op, begin, end);
  else if (op.sumsOverPlaces())
    ContractPlaces(b, op, target).run(begin, end);
  else if (op.getWinograd())
    ContractWinograd(b, op, target).run(begin, end);
  else
    ContractLowering(b, op, target).run(begin, end);
  op.erase();
  return success();
}

} // namespace tenon
