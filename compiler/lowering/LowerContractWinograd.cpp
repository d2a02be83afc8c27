#include "compiler/lowering/LowerContractWinograd.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace tenon {

/// Most rows of a task: more do not make anything cheaper.
static constexpr int64_t kMostRows = 96;
/// Channels per iteration of the innermost loop.
static constexpr int64_t kUnroll = 4;
/// Keeps numbers of neighbouring points out of one set of the caches.
static constexpr int64_t kPad = kPanelWidth;

ContractWinograd::ContractWinograd(OpBuilder &builder, kernel::ContractOp op,
                                   const CpuTarget &target)
    : op(op), e(builder, op.getLoc(), target.hasFma), a(e.open(op.getA())),
      b(e.open(op.getB())),
      epilogue(e, op.getBody().front(), op.getEpilogue(), op.getEpilogueMaps(),
               op.getC(), /*firstRow=*/0),
      element(a.element), matrices(Winograd::get(op.getWinograd())),
      tile(op.getWinograd()), side(tile + 2), points(side * side),
      channels(op.getBType().getDimSize(4)) {
  ArrayRef<Value> sizes = epilogue.getDestination().sizes;
  unsigned bits = getAccumulatorBits(element);
  RegisterTile registers = target.getTile(bits);
  columns = sizes.back();
  Value panels = e.ceilDiv(columns, kPanelWidth);
  unitPanels = registers.panels;
  if (std::optional<int64_t> known = getConstantIntValue(panels))
    unitPanels = std::max<int64_t>(1, std::min(unitPanels, *known));
  units = e.ceilDiv(panels, unitPanels);
  tileRows = registers.rows;
  lines = e.ceilDiv(sizes[1], tile);
  lineTiles = e.ceilDiv(sizes[2], tile);
  tiles = e.product({sizes[0], lines, lineTiles});

  int64_t perRow =
      points * (channels + unitPanels * kPanelWidth) * int64_t(bits) / 8;
  int64_t most = std::clamp<int64_t>(kWinogradBytes / perRow, 1, kMostRows);
  rows = std::max<int64_t>(tileRows, most / tileRows * tileRows);
  if (std::optional<int64_t> known = getConstantIntValue(tiles);
      known && *known > 0) {
    // Tasks of equal size.
    int64_t count = llvm::divideCeil(*known, rows);
    rows = llvm::alignTo(llvm::divideCeil(*known, count), tileRows);
  }
  inputStep = rows * channels + kPad;
  sumStep = rows * unitPanels * kPanelWidth + kPad;
}

Value ContractWinograd::countTasks() { return e.ceilDiv(tiles, rows); }

Value ContractWinograd::inputAt(Value point, Value row, Value channel) {
  Value offset = e.add(e.mul(point, inputStep), e.mul(row, channels));
  return e.at(input, element, e.add(offset, channel));
}

Value ContractWinograd::sumAt(Value point, Value row, Value column) {
  Value offset =
      e.add(e.mul(point, sumStep), e.mul(row, unitPanels * kPanelWidth));
  return e.at(sums, element, e.add(offset, column));
}

void ContractWinograd::run(Value begin, Value end) {
  input = e.stackScratch(element, points * inputStep);
  sums = e.stackScratch(element, points * sumStep);
  places = e.stackScratch(element, tile * tile * kPanelWidth);
  zeros = e.stackZeros(element, channels);
  e.loop(begin, end, 1, [&](Value task) {
    Value first = e.mul(task, rows);
    Value count = e.min(e.sub(tiles, first), e.index(rows));
    Value whole = e.mul(e.ceilDiv(count, tileRows), tileRows);
    // The last rows of a register tile may repeat the last tile.
    e.loop(e.index(0), whole, 1, [&](Value row) {
      Value number = e.add(first, row);
      transformInput(e.min(number, e.sub(tiles, e.index(1))), row);
    });
    e.loop(e.index(0), units, 1, [&](Value unit) {
      auto run = [&](int64_t panels) {
        e.loop(e.index(0), e.index(points), 1, [&](Value point) {
          e.loop(e.index(0), whole, tileRows,
                 [&](Value row) { multiply(unit, point, row, panels); });
        });
        e.loop(e.index(0), count, 1, [&](Value row) {
          finish(e.add(first, row), unit, row, panels);
        });
      };
      // The last unit has fewer panels.
      Value left = e.sub(b.sizes[1], e.mul(unit, unitPanels));
      SmallVector<int64_t> cases;
      if (std::optional<int64_t> known = getConstantIntValue(b.sizes[1])) {
        if (*known % unitPanels)
          cases.push_back(*known % unitPanels);
      } else {
        for (int64_t panels = 1; panels < unitPanels; ++panels)
          cases.push_back(panels);
      }
      cases.push_back(unitPanels);
      e.choose(e.min(left, e.index(unitPanels)), cases, run);
    });
  });
}

ContractWinograd::Tile ContractWinograd::openTile(Value number) {
  ArrayRef<Value> sizes = epilogue.getDestination().sizes;
  SmallVector<Value> place =
      e.delinearize(number, {sizes[0], lines, lineTiles});
  return {place[0], e.mul(place[1], tile), e.mul(place[2], tile)};
}

Value ContractWinograd::scaled(Value value, double factor, Value sum) {
  if (sum && factor == 1)
    return e.plus(sum, value);
  if (sum && factor == -1)
    return arith::SubFOp::create(e.b, e.loc, sum, value);
  if (factor == 1)
    return value;
  if (factor == -1)
    return arith::NegFOp::create(e.b, e.loc, value);
  Value constant = e.constant(e.b.getFloatAttr(element, factor), kPanelWidth);
  return sum ? e.mulAdd(value, constant, sum)
             : arith::MulFOp::create(e.b, e.loc, value, constant).getResult();
}

SmallVector<Value> ContractWinograd::apply(const WinogradMatrix &matrix,
                                           ArrayRef<Value> values) {
  SmallVector<Value> terms(values);
  WinogradMatrix rows = matrix;
  size_t count = terms.size();
  // Of two columns that differ in signs alone the sum and the difference do.
  for (size_t j = 0; j + 1 < count; ++j) {
    bool differ = false, agree = false, fits = true;
    for (const SmallVector<double> &row : matrix) {
      fits &= std::abs(row[j]) == std::abs(row[j + 1]);
      (row[j] == row[j + 1] ? agree : differ) |= row[j] != 0;
    }
    if (!fits || !agree || !differ)
      continue;
    Value x = terms[j], y = terms[j + 1];
    terms[j] = e.plus(x, y);
    terms[j + 1] = arith::SubFOp::create(e.b, e.loc, x, y);
    for (auto [row, old] : llvm::zip(rows, matrix)) {
      row[j] = old[j] == old[j + 1] ? old[j] : 0;
      row[j + 1] = old[j] == old[j + 1] ? 0 : old[j];
    }
    ++j;
  }
  // Positive terms first, so that nothing is negated.
  auto sumOf = [&](const SmallVector<double> &row) {
    Value sum;
    for (bool negative : {false, true})
      for (size_t j = 0; j < count; ++j)
        if (row[j] != 0 && (row[j] < 0) == negative)
          sum = scaled(terms[j], row[j], sum);
    return sum;
  };
  // So of two rows.
  SmallVector<Value> result;
  for (size_t i = 0; i < rows.size(); ++i) {
    SmallVector<double> even(count), odd(count);
    bool fits = i + 1 < rows.size(), hasEven = false, hasOdd = false;
    for (size_t j = 0; fits && j < count; ++j) {
      fits = std::abs(rows[i][j]) == std::abs(rows[i + 1][j]);
      bool same = rows[i][j] == rows[i + 1][j];
      (same ? even : odd)[j] = rows[i][j];
      (same ? hasEven : hasOdd) |= rows[i][j] != 0;
    }
    if (!fits || !hasEven || !hasOdd) {
      result.push_back(sumOf(rows[i]));
      continue;
    }
    Value x = sumOf(even), y = sumOf(odd);
    result.push_back(e.plus(x, y));
    result.push_back(arith::SubFOp::create(e.b, e.loc, x, y));
    ++i;
  }
  return result;
}

SmallVector<Value> ContractWinograd::applyBoth(const WinogradMatrix &matrix,
                                               ArrayRef<Value> values) {
  size_t from = matrix.front().size(), to = matrix.size();
  SmallVector<Value> half(to * from), result;
  for (size_t j = 0; j < from; ++j) {
    SmallVector<Value> column;
    for (size_t i = 0; i < from; ++i)
      column.push_back(values[i * from + j]);
    for (auto [i, value] : llvm::enumerate(apply(matrix, column)))
      half[i * from + j] = value;
  }
  for (size_t i = 0; i < to; ++i)
    llvm::append_range(result,
                       apply(matrix, ArrayRef(half).slice(i * from, from)));
  return result;
}

void ContractWinograd::transformInput(Value number, Value row) {
  Tile at = openTile(number);
  Value y = e.sub(at.y, e.index(op.getPadding()[0])),
        x = e.sub(at.x, e.index(op.getPadding()[1]));
  Value offset = e.add(e.mul(at.image, a.strides[0]),
                       e.add(e.mul(y, a.strides[1]), e.mul(x, a.strides[2])));
  Value corner = e.at(a.pointer, element, offset);
  auto placeOf = [&](int64_t i, int64_t j) {
    return e.at(corner, element,
                e.add(e.mul(a.strides[1], i), e.mul(a.strides[2], j)));
  };
  auto run = [&](ArrayRef<Value> pointers) {
    e.loop(e.index(0), e.index(channels), kPanelWidth, [&](Value channel) {
      SmallVector<Value> values;
      for (Value pointer : pointers)
        values.push_back(
            e.load(e.at(pointer, element, channel), element, kPanelWidth));
      for (auto [point, value] :
           llvm::enumerate(applyBoth(matrices.input, values)))
        e.store(value, inputAt(e.index(point), row, channel));
    });
  };
  // Differences that cannot be negative stand for both comparisons.
  auto inside = [&](Value first, Value size) {
    return e.both(e.less(e.index(-1), first),
                  e.less(e.add(first, side - 1), size));
  };
  SmallVector<Value> pointers;
  e.branch(
      e.both(inside(y, a.sizes[1]), inside(x, a.sizes[2])),
      [&] {
        for (int64_t i = 0; i < points; ++i)
          pointers.push_back(placeOf(i / side, i % side));
        run(pointers);
      },
      [&] {
        pointers.clear();
        for (int64_t i = 0; i < points; ++i) {
          Value isInside =
              e.both(e.lessUnsigned(e.add(y, i / side), a.sizes[1]),
                     e.lessUnsigned(e.add(x, i % side), a.sizes[2]));
          pointers.push_back(arith::SelectOp::create(
              e.b, e.loc, isInside, placeOf(i / side, i % side), zeros));
        }
        run(pointers);
      });
}

void ContractWinograd::multiply(Value unit, Value point, Value firstRow,
                                int64_t panels) {
  SmallVector<Value> aPointers, bPointers;
  for (int64_t r = 0; r < tileRows; ++r)
    aPointers.push_back(inputAt(point, e.add(firstRow, r), e.index(0)));
  for (int64_t j = 0; j < panels; ++j) {
    Value panel = e.add(e.mul(unit, unitPanels), j);
    Value offset =
        e.add(e.mul(panel, b.strides[1]), e.mul(point, channels * kPanelWidth));
    bPointers.push_back(e.at(b.pointer, element, offset));
  }
  SmallVector<Value> start(tileRows * panels, e.zero(element, kPanelWidth));
  SmallVector<Value> totals =
      e.loop(e.index(0), e.index(channels), kUnroll, start,
             [&](Value channel, ValueRange carried) {
               SmallVector<Value> now(carried);
               for (int64_t u = 0; u < kUnroll; ++u) {
                 Value c = e.add(channel, u);
                 SmallVector<Value> parts;
                 for (Value pointer : bPointers)
                   parts.push_back(
                       e.load(e.at(pointer, element, e.mul(c, kPanelWidth)),
                              element, kPanelWidth));
                 for (auto [r, pointer] : llvm::enumerate(aPointers)) {
                   Value number =
                       e.splat(e.load(e.at(pointer, element, c), element, 1),
                               kPanelWidth);
                   for (auto [j, part] : llvm::enumerate(parts)) {
                     Value &sum = now[r * panels + j];
                     sum = e.mulAdd(number, part, sum);
                   }
                 }
               }
               return now;
             });
  for (auto [i, sum] : llvm::enumerate(totals))
    e.store(sum, sumAt(point, e.add(firstRow, int64_t(i) / panels),
                       e.index(int64_t(i) % panels * kPanelWidth)));
}

void ContractWinograd::finish(Value number, Value unit, Value row,
                              int64_t panels) {
  ArrayRef<Value> sizes = epilogue.getDestination().sizes;
  Tile at = openTile(number);
  e.loop(e.index(0), e.index(panels), 1, [&](Value panel) {
    Value local = e.mul(panel, kPanelWidth);
    SmallVector<Value> values;
    for (int64_t point = 0; point < points; ++point)
      values.push_back(
          e.load(sumAt(e.index(point), row, local), element, kPanelWidth));
    for (auto [i, value] : llvm::enumerate(applyBoth(matrices.output, values)))
      e.store(value, e.at(places, element, e.index(int64_t(i) * kPanelWidth)));
    Value column = e.add(e.mul(unit, unitPanels * kPanelWidth), local);
    Value mask;
    if (std::optional<int64_t> known = getConstantIntValue(columns);
        !known || *known % kPanelWidth)
      mask = e.laneMask(e.sub(columns, column), kPanelWidth);
    // Places of the last tiles may lie behind the result.
    Value height = e.min(e.sub(sizes[1], at.y), e.index(tile)),
          width = e.min(e.sub(sizes[2], at.x), e.index(tile));
    e.loop(e.index(0), height, 1, [&](Value y) {
      Value line = e.add(e.mul(at.image, sizes[1]), e.add(at.y, y));
      e.loop(e.index(0), width, 1, [&](Value x) {
        Value from = e.mul(e.add(e.mul(y, tile), x), kPanelWidth);
        epilogue.store(
            e.load(e.at(places, element, from), element, kPanelWidth),
            {{}, e.add(e.mul(line, sizes[2]), e.add(at.x, x)), column},
            kPanelWidth, mask);
      });
    });
  });
}

} // namespace tenon
