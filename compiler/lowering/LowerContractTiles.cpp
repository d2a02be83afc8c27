#include "compiler/lowering/LowerContractTiles.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace tenon {

/// Rows, pairs of channels and columns of a tile, and its bytes in a row.
static constexpr int64_t kTile = 16, kTileBytes = 64;
/// Channels of a step.
static constexpr int64_t kStep = 2 * kTile;
/// Fewer rows than these leave most of a tile unused.
static constexpr int64_t kFewestRows = 8;
/// Most channels that rows outside the input have memory for.
static constexpr int64_t kMostChannels = 1 << 13;

bool ContractTiles::canRun(const ContractLowering &contract) {
  std::optional<int64_t> rows = getConstantIntValue(contract.grid.rows),
                         channels = getConstantIntValue(contract.grid.channels);
  kernel::ContractOp op = contract.op;
  return op.getPairs() && contract.target.hasAmxBf16 &&
         getConstantIntValue(contract.a.strides.back()) == 1 &&
         (!rows || *rows >= kFewestRows) && channels &&
         *channels <= kMostChannels &&
         !(op.readsMatrix() && contract.isBlocked);
}

void ContractTiles::call(StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(
      e.b, e.loc, e.b.getStringAttr(("llvm.x86." + name).str()), operands);
}

Value ContractTiles::tile(int64_t number) {
  return LLVM::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(number));
}

Value ContractTiles::bytes(Value elements) {
  return arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(),
                                    e.mul(elements, 2));
}

void ContractTiles::begin() {
  Type word = e.b.getI64Type(), element = c.a.element;
  // Palette 1; 64 bytes in a row and 16 rows for each of the eight tiles.
  const uint64_t words[8] = {1, 0, 0x0040004000400040, 0x0040004000400040,
                             0, 0, 0x1010101010101010, 0};
  config = e.stackScratch(word, 8);
  for (auto [i, value] : llvm::enumerate(words))
    LLVM::StoreOp::create(
        e.b, e.loc,
        LLVM::ConstantOp::create(e.b, e.loc, e.b.getI64IntegerAttr(value)),
        e.at(config, word, e.index(i)), /*alignment=*/8);
  bases = e.stackScratch(word, kRows);
  starts = e.stackScratch(word, kRows * std::max<int64_t>(c.spatial, 1));
  places = e.stackScratch(word, kRows);
  copiedA = e.stackScratch(element, kRows * kStep);
  copiedB = e.stackZeros(element, 2 * kTile * kStep);
  call("ldtilecfg", config);
}

void ContractTiles::end() { call("tilerelease"); }

Value ContractTiles::loadAddress(Value table, Value row) {
  Type word = e.b.getI64Type();
  return LLVM::LoadOp::create(e.b, e.loc, table.getType(),
                              e.at(table, word, row), /*alignment=*/8);
}

void ContractTiles::storeAddress(Value address, Value table, Value row) {
  LLVM::StoreOp::create(e.b, e.loc, address, e.at(table, e.b.getI64Type(), row),
                        /*alignment=*/8);
}

void ContractTiles::run(const ContractLowering::Task &task,
                        const ContractLowering::Unit &unit) {
  e.loop(e.index(0), task.rows, kRows, [&](Value i) {
    Value first = e.add(task.firstRow, i);
    Value count = e.min(e.sub(task.rows, i), e.index(kRows));
    auto copied = [&] { sum(task, unit, openRows(task, first, count)); };
    if (c.flat) {
      Value step = c.a.strides[c.batchRank + c.spatial];
      Value start = e.at(task.aBase, c.a.element, e.mul(first, step));
      e.branch(
          e.equal(count, e.index(kRows)),
          [&] { sum(task, unit, {start, step, true}); }, copied);
    } else {
      copied();
    }
    c.finish(task, unit, first, count);
  });
}

/// Fills the tables; rows that are not there repeat the last one.
ContractTiles::Rows ContractTiles::openRows(const ContractLowering::Task &task,
                                            Value first, Value count) {
  Type element = c.a.element, word = e.b.getI64Type();
  if (c.flat) {
    Value step = c.a.strides[c.batchRank + c.spatial];
    e.loop(e.index(0), e.index(kRows), 1, [&](Value r) {
      Value row = e.add(first, e.min(r, e.sub(count, e.index(1))));
      storeAddress(e.at(task.aBase, element, e.mul(row, step)), places, r);
    });
    return {};
  }
  ArrayRef<Value> sizes = ArrayRef(c.epilogue.getDestination().sizes)
                              .slice(c.batchRank, c.spatial + 1);
  SmallVector<Value> place = e.delinearize(first, sizes);
  e.loop(e.index(0), e.index(kRows), 1, place, [&](Value r, ValueRange now) {
    Value offset = e.mul(now[0], c.a.strides[c.batchRank]);
    for (int64_t i = 0; i < c.spatial; ++i) {
      Value start = e.sub(e.mul(now[1 + i], c.op.getStrides()[i]),
                          e.index(c.op.getPadding()[i]));
      if (c.op.getInputDilation()[i] == 1)
        offset = e.add(offset, e.mul(start, c.a.strides[c.batchRank + 1 + i]));
      Value number = arith::IndexCastOp::create(e.b, e.loc, word, start);
      storeAddress(number, starts, e.add(e.mul(r, c.spatial), i));
    }
    storeAddress(e.at(task.aBase, element, offset), bases, r);
    // The next position, with carries instead of divisions.
    SmallVector<Value> next(now);
    Value carry = e.select(e.less(e.add(r, 1), count), e.index(1), e.index(0));
    for (int64_t i = c.spatial; i >= 0; --i) {
      next[i] = e.add(next[i], carry);
      if (i == 0)
        break;
      Value over = e.equal(next[i], sizes[i]);
      next[i] = e.select(over, e.index(0), next[i]);
      carry = e.select(over, e.index(1), e.index(0));
    }
    return next;
  });
  return {};
}

void ContractTiles::sum(const ContractLowering::Task &task,
                        const ContractLowering::Unit &unit, const Rows &rows) {
  Value panels = e.add(unit.full, e.min(unit.tail, e.index(1)));
  e.loop(e.index(0), panels, 2, [&](Value panel) {
    Value other = e.min(e.add(panel, 1), e.sub(panels, e.index(1)));
    Value pointers[2] = {c.panelPointers(task, panel, 1)[0],
                         c.panelPointers(task, other, 1)[0]};
    for (int64_t i = 0; i < 4; ++i)
      call("tilezero", tile(i));
    overWindow(rows, 0, e.index(0), {}, pointers);
    Value step = LLVM::ConstantOp::create(
        e.b, e.loc, e.b.getI64IntegerAttr(c.kUnitPanels * kTileBytes));
    for (int64_t i = 0; i < 4; ++i)
      call("tilestored64",
           {tile(i), c.scratchAt(e.index(i / 2 * kTile), e.add(panel, i % 2)),
            step});
  });
}

void ContractTiles::overWindow(const Rows &rows, unsigned dim, Value linear,
                               ArrayRef<Value> position,
                               ArrayRef<Value> panels) {
  if (dim < c.spatial) {
    Value size = c.b.sizes[c.batchRank + 2 + dim];
    e.loop(e.index(0), size, 1, [&](Value k) {
      SmallVector<Value> next(position);
      next.push_back(k);
      overWindow(rows, dim + 1, e.add(e.mul(linear, size), k), next, panels);
    });
    return;
  }
  if (!c.flat)
    placeRows(position);
  SmallVector<Value> here;
  for (Value panel : panels)
    here.push_back(e.at(panel, c.b.element,
                        e.mul(e.mul(linear, c.grid.channels), kPanelWidth)));
  int64_t channels = *getConstantIntValue(c.grid.channels);
  int64_t whole = channels / kStep * kStep;
  e.loop(e.index(0), e.index(whole), kStep,
         [&](Value channel) { step(rows, channel, kStep, here); });
  if (whole < channels)
    step(rows, e.index(whole), channels - whole, here);
}

/// The rows' addresses at a position of the window; zeros outside the input.
void ContractTiles::placeRows(ArrayRef<Value> position) {
  Type element = c.a.element, word = e.b.getI64Type();
  e.loop(e.index(0), e.index(kRows), 1, [&](Value r) {
    Value address = loadAddress(bases, r), inside;
    for (int64_t i = 0; i < c.spatial; ++i) {
      Value distance = e.mul(position[i], c.op.getDilations()[i]);
      Value number = LLVM::LoadOp::create(
          e.b, e.loc, word, e.at(starts, word, e.add(e.mul(r, c.spatial), i)),
          /*alignment=*/8);
      Value start =
          arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), number);
      Value place = e.add(start, distance);
      int64_t inputDilation = c.op.getInputDilation()[i];
      if (inputDilation != 1) {
        Value every = e.index(inputDilation);
        inside = e.both(inside, e.equal(e.rem(place, every), e.index(0)));
        distance = place = e.div(place, every);
      }
      if (c.mayLeaveInput(i))
        inside = e.both(inside,
                        e.lessUnsigned(place, c.a.sizes[c.batchRank + 1 + i]));
      address = e.at(address, element,
                     e.mul(distance, c.a.strides[c.batchRank + 1 + i]));
    }
    if (inside)
      address = arith::SelectOp::create(e.b, e.loc, inside, address, c.zeroRow);
    storeAddress(address, places, r);
  });
}

/// 32 elements, the first `count` of which are copied, zeros behind them.
void ContractTiles::copyLanes(Value from, Value to, int64_t count) {
  Value mask = e.laneMask(e.index(count), kStep);
  e.store(e.load(from, c.a.element, kStep, mask), to);
}

void ContractTiles::step(const Rows &rows, Value channel, int64_t count,
                         ArrayRef<Value> panels) {
  Type element = c.a.element;
  Value a = copiedA, aStep = e.index(kStep);
  if (rows.areEven && count == kStep) {
    a = e.at(rows.first, element, channel);
    aStep = rows.step;
  } else {
    e.loop(e.index(0), e.index(kRows), 1, [&](Value r) {
      Value row = rows.areEven ? e.at(rows.first, element, e.mul(r, rows.step))
                               : loadAddress(places, r);
      copyLanes(e.at(row, element, channel),
                e.at(copiedA, element, e.mul(r, kStep)), count);
    });
  }
  Value bRows[2];
  for (auto [i, panel] : llvm::enumerate(panels)) {
    bRows[i] = e.at(panel, c.b.element, e.mul(channel, kPanelWidth));
    if (count == kStep)
      continue;
    Value from = bRows[i];
    bRows[i] = e.at(copiedB, element, e.index(i * kTile * kStep));
    e.loop(e.index(0), e.index(count / 2), 1, [&](Value pair) {
      Value offset = e.mul(pair, kStep);
      copyLanes(e.at(from, element, offset), e.at(bRows[i], element, offset),
                kStep);
    });
  }
  Value aBytes = bytes(aStep), bBytes = bytes(e.index(kStep));
  Value lower = e.at(a, element, e.mul(aStep, kTile));
  call("tileloadd64", {tile(4), a, aBytes});
  call("tileloadd64", {tile(5), lower, aBytes});
  call("tileloadd64", {tile(6), bRows[0], bBytes});
  call("tileloadd64", {tile(7), bRows[1], bBytes});
  for (int64_t i = 0; i < 4; ++i)
    call("tdpbf16ps", {tile(i), tile(4 + i / 2), tile(6 + i % 2)});
}

} // namespace tenon
