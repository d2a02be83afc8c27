// The sums of a register tile: rows of A, window positions, channels.

#include "compiler/lowering/LowerContract.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace tenon {

/// Channels per iteration of the innermost loop.
static constexpr int64_t kUnroll = 4;
/// Most products of vectors in a run without a loop.
static constexpr int64_t kMostProducts = 256;
static_assert(kUnroll % 2 == 0, "pairs of channels are not torn apart");

int64_t ContractLowering::staticSize(const Buffer &buffer, int64_t dim) {
  return buffer.type.getDimSize(dim);
}

/// Whether row r + 1 of A lies one fixed step behind row r.
bool ContractLowering::isFlat() {
  if (spatial == 0)
    return true;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t input = staticSize(a, batchRank + 1 + i);
    int64_t output = staticSize(epilogue.getDestination(), batchRank + 1 + i);
    if (staticSize(b, batchRank + 2 + i) != 1 || op.getStrides()[i] != 1 ||
        op.getPadding()[i] != 0 || op.getInputDilation()[i] != 1 ||
        ShapedType::isDynamic(input) || input != output)
      return false;
  }
  return a.isCollapsible(batchRank, batchRank + spatial);
}

bool ContractLowering::mayLeaveInput(unsigned dim) {
  if (lines)
    return false;
  int64_t input = staticSize(a, batchRank + 1 + dim);
  int64_t output = staticSize(epilogue.getDestination(), batchRank + 1 + dim);
  int64_t window = staticSize(b, batchRank + 2 + dim);
  if (op.getInputDilation()[dim] != 1 || op.getPadding()[dim] > 0 ||
      ShapedType::isDynamic(input) || ShapedType::isDynamic(output) ||
      ShapedType::isDynamic(window))
    return true;
  int64_t last = (output - 1) * op.getStrides()[dim] - op.getPadding()[dim] +
                 (window - 1) * op.getDilations()[dim];
  return last >= input;
}

ContractRows ContractLowering::openRows(const Task &task, Value first,
                                        unsigned count) {
  if (lines)
    return openLineRows(task, first, count);
  ContractRows rows;
  rows.count = count;
  if (flat) {
    Value step = a.strides[batchRank + spatial];
    for (unsigned r = 0; r < count; ++r)
      rows.pointers.push_back(
          e.at(task.aBase, a.element, e.mul(e.add(first, r), step)));
    rows.inside.assign(count, Value());
    return rows;
  }
  ArrayRef<Value> sizes =
      ArrayRef(epilogue.getDestination().sizes).slice(batchRank, spatial + 1);
  SmallVector<Value> place = e.delinearize(first, sizes);
  for (unsigned r = 0; r < count; ++r) {
    if (r) {
      // The next position, with carries instead of divisions.
      Value carry = e.index(1);
      for (int64_t i = spatial; i >= 0; --i) {
        place[i] = e.add(place[i], carry);
        if (i == 0)
          break;
        Value over = e.equal(place[i], sizes[i]);
        place[i] = e.select(over, e.index(0), place[i]);
        carry = e.select(over, e.index(1), e.index(0));
      }
    }
    SmallVector<Value> starts;
    Value offset = e.mul(place[0], a.strides[batchRank]);
    for (int64_t i = 0; i < spatial; ++i) {
      Value start = e.sub(e.mul(place[1 + i], op.getStrides()[i]),
                          e.index(op.getPadding()[i]));
      starts.push_back(start);
      if (op.getInputDilation()[i] == 1)
        offset = e.add(offset, e.mul(start, a.strides[batchRank + 1 + i]));
    }
    rows.pointers.push_back(e.at(task.aBase, a.element, offset));
    rows.starts.push_back(starts);
  }
  rows.inside.assign(count, Value());
  return rows;
}

/// The rows at window position `k` of dimension `dim`.
ContractRows ContractLowering::step(const ContractRows &rows, unsigned dim,
                                    Value k) {
  if (flat)
    return rows;
  ContractRows result = rows;
  int64_t inputDilation = op.getInputDilation()[dim];
  Value distance = e.mul(k, op.getDilations()[dim]);
  Value stride = a.strides[batchRank + 1 + dim];
  Value size = a.sizes[batchRank + 1 + dim];
  for (unsigned r = 0; r < rows.count; ++r) {
    if (lines) {
      result.pointers[r] =
          e.at(rows.pointers[r], a.element, e.mul(distance, stride));
      continue;
    }
    Value position = e.add(rows.starts[r][dim], distance);
    Value &inside = result.inside[r];
    Value offset = e.mul(distance, stride);
    if (inputDilation != 1) {
      Value every = e.index(inputDilation);
      inside = e.both(inside, e.equal(e.rem(position, every), e.index(0)));
      position = e.div(position, every);
      offset = e.mul(position, stride);
    }
    if (mayLeaveInput(dim))
      inside = e.both(inside, e.lessUnsigned(position, size));
    result.pointers[r] = e.at(rows.pointers[r], a.element, offset);
  }
  return result;
}

/// Whether all rows' windows lie inside the input's last spatial dimension.
Value ContractLowering::isInsideLastDim(const ContractRows &rows) {
  int64_t dim = spatial - 1;
  Value room = e.sub(a.sizes[batchRank + spatial],
                     e.index(staticSize(b, batchRank + 2 + dim) - 1));
  Value inside = e.less(e.index(0), room);
  for (const SmallVector<Value> &starts : rows.starts)
    inside = e.both(inside, e.lessUnsigned(starts[dim], room));
  return inside;
}

SmallVector<Value> ContractLowering::accumulate(const ContractRows &rows,
                                                ArrayRef<Value> bPointers,
                                                ValueRange sums,
                                                const ContractPart &part) {
  return overWindow(rows, 0, e.index(0), sums, part, bPointers);
}

SmallVector<Value> ContractLowering::overWindow(const ContractRows &rows,
                                                unsigned dim, Value linear,
                                                ValueRange sums,
                                                const ContractPart &part,
                                                ArrayRef<Value> bPointers) {
  if (dim == spatial)
    return overChannels(rows, linear, sums, part, bPointers);
  Value size = b.sizes[batchRank + 2 + dim];
  if (rows.merged && dim == spatial - 1) {
    ContractPart run{{}, e.index(0), e.mul(size, grid.channels)};
    return overChannels(rows, e.mul(linear, size), sums, run, bPointers);
  }
  auto body = [&](Value k, ValueRange carried) {
    Value next = e.add(e.mul(linear, size), k);
    return overWindow(step(rows, dim, k), dim + 1, next, carried, part,
                      bPointers);
  };
  if (dim < part.fixed.size())
    return body(part.fixed[dim], sums);
  auto [low, high] = clipWindow(rows, dim, size);
  return e.loop(low, high, 1, sums, body);
}

/// The positions of an outer window dimension at which some row lies inside the
/// input: the first and last lines of an image have fewer.
std::pair<Value, Value> ContractLowering::clipWindow(const ContractRows &rows,
                                                     unsigned dim, Value size) {
  if (dim + 1 >= spatial || !mayLeaveInput(dim) ||
      op.getInputDilation()[dim] != 1)
    return {e.index(0), size};
  Value least = rows.starts[0][dim], most = least, zero = e.index(0);
  for (const SmallVector<Value> &starts : ArrayRef(rows.starts).drop_front()) {
    least = e.min(least, starts[dim]);
    most = e.max(most, starts[dim]);
  }
  int64_t dilation = op.getDilations()[dim];
  Value low = e.ceilDiv(e.max(e.sub(zero, most), zero), dilation);
  Value room = e.max(e.sub(a.sizes[batchRank + 1 + dim], least), zero);
  return {low, e.min(e.ceilDiv(room, dilation), size)};
}

static int64_t lanesOf(Value vector) {
  auto type = dyn_cast<VectorType>(vector.getType());
  return type ? type.getNumElements() : 1;
}

void ContractLowering::addProducts(ArrayRef<Value> aPointers,
                                   ArrayRef<Value> steps,
                                   ArrayRef<Value> bPointers, int64_t count,
                                   MutableArrayRef<Value> sums) {
  for (int64_t u = 0; u < count; ++u) {
    SmallVector<Value> columns;
    for (auto [j, panel] : llvm::enumerate(bPointers))
      columns.push_back(
          e.widen(e.load(e.at(panel, b.element, e.index(u * panelWidth)),
                         b.element, lanesOf(sums[j])),
                  accumulator));
    for (auto [r, pointer] : llvm::enumerate(aPointers)) {
      Value place = e.at(pointer, a.element, e.mul(e.index(u), steps[r]));
      Value scalar = e.widen(e.load(place, a.element, 1), accumulator);
      for (auto [j, column] : llvm::enumerate(columns)) {
        Value &sum = sums[r * columns.size() + j];
        sum = e.mulAdd(e.splat(scalar, lanesOf(sum)), column, sum);
      }
    }
  }
}

Value ContractLowering::loadPair(Value pointer, Value step) {
  Type pair = e.b.getI32Type(), half = e.b.getI16Type();
  if (getConstantIntValue(step) == 1)
    return LLVM::LoadOp::create(e.b, e.loc, pair, pointer, /*alignment=*/2);
  Value parts[2];
  for (int i : {0, 1}) {
    Value place = e.at(pointer, half, e.mul(step, i));
    Value bits = LLVM::LoadOp::create(e.b, e.loc, half, place, /*alignment=*/2);
    parts[i] = arith::ExtUIOp::create(e.b, e.loc, pair, bits);
  }
  Value shift = arith::ConstantIntOp::create(e.b, e.loc, pair, 16);
  Value high = arith::ShLIOp::create(e.b, e.loc, parts[1], shift);
  return arith::OrIOp::create(e.b, e.loc, parts[0], high);
}

void ContractLowering::addPairs(ArrayRef<Value> aPointers,
                                ArrayRef<Value> steps,
                                ArrayRef<Value> bPointers, int64_t count,
                                MutableArrayRef<Value> sums) {
  auto pairs = VectorType::get({lanes}, e.b.getI32Type()),
       numbers = VectorType::get({2 * lanes}, e.b.getBF16Type()),
       wide = VectorType::get({lanes}, e.b.getF32Type());
  // The first or the second of all pairs, as f32.
  auto part = [&](Value bits, bool second) -> Value {
    if (second) {
      Value mask = e.constant(e.b.getI32IntegerAttr(-65536), lanes);
      bits = arith::AndIOp::create(e.b, e.loc, bits, mask);
    } else {
      Value shift = e.constant(e.b.getI32IntegerAttr(16), lanes);
      bits = arith::ShLIOp::create(e.b, e.loc, bits, shift);
    }
    return arith::BitcastOp::create(e.b, e.loc, wide, bits);
  };
  for (int64_t u = 0; u < count; u += 2) {
    SmallVector<Value> columns, rows;
    for (Value panel : bPointers)
      columns.push_back(LLVM::LoadOp::create(
          e.b, e.loc, pairs, e.at(panel, b.element, e.index(u * panelWidth)),
          /*alignment=*/2));
    for (auto [pointer, step] : llvm::zip(aPointers, steps))
      rows.push_back(e.splat(
          loadPair(e.at(pointer, a.element, e.mul(e.index(u), step)), step),
          lanes));
    if (target.hasBf16Dot) {
      for (Value &column : columns)
        column = LLVM::BitcastOp::create(e.b, e.loc, numbers, column);
      for (auto [r, row] : llvm::enumerate(rows)) {
        Value own = LLVM::BitcastOp::create(e.b, e.loc, numbers, row);
        for (auto [j, column] : llvm::enumerate(columns)) {
          Value &sum = sums[r * columns.size() + j];
          sum = LLVM::CallIntrinsicOp::create(
                    e.b, e.loc, wide,
                    e.b.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                    ValueRange{sum, own, column})
                    .getResult(0);
        }
      }
      continue;
    }
    for (bool second : {false, true}) {
      SmallVector<Value> parts;
      for (Value column : columns)
        parts.push_back(part(column, second));
      for (auto [r, row] : llvm::enumerate(rows)) {
        Value own = part(row, second);
        for (auto [j, column] : llvm::enumerate(parts)) {
          Value &sum = sums[r * columns.size() + j];
          sum = e.mulAdd(own, column, sum);
        }
      }
    }
  }
}

SmallVector<Value> ContractLowering::overChannels(const ContractRows &rows,
                                                  Value linear, ValueRange sums,
                                                  const ContractPart &part,
                                                  ArrayRef<Value> bPointers) {
  Value panelOffset = e.mul(e.mul(linear, grid.channels), panelWidth);
  SmallVector<Value> panels;
  for (Value pointer : bPointers)
    panels.push_back(e.at(pointer, b.element, panelOffset));

  // Sums over channels [from, to); `zeroFrom` is where zeros start.
  auto run = [&](Value from, Value to, ValueRange carried) {
    SmallVector<Value> pointers, steps;
    for (unsigned r = 0; r < rows.count; ++r) {
      Value step = a.strides.back();
      Value pointer = e.at(rows.pointers[r], a.element, e.mul(from, step));
      if (Value inside = rows.inside[r]) {
        pointer = arith::SelectOp::create(e.b, e.loc, inside, pointer, zeroRow);
        if (zeroCount == 1 && getConstantIntValue(step) != 1)
          step = e.select(inside, step, e.index(0));
      }
      pointers.push_back(pointer);
      steps.push_back(step);
    }
    auto body = [&](Value c, int64_t unroll, ValueRange carried) {
      SmallVector<Value> result(carried), aPointers, bNow;
      Value local = e.sub(c, from);
      for (auto [pointer, step] : llvm::zip(pointers, steps))
        aPointers.push_back(e.at(pointer, a.element, e.mul(local, step)));
      for (Value panel : panels)
        bNow.push_back(e.at(panel, b.element, e.mul(c, panelWidth)));
      if (op.getPairs())
        addPairs(aPointers, steps, bNow, unroll, result);
      else
        addProducts(aPointers, steps, bNow, unroll, result);
      return result;
    };
    // Whole iterations, then what is left.
    std::optional<int64_t> first = getConstantIntValue(from),
                           last = getConstantIntValue(to);
    if (first && last) {
      // A run that a loop around it repeats is one block of code.
      if (rows.merged &&
          (*last - *first) * static_cast<int64_t>(carried.size()) <=
              kMostProducts)
        return body(from, *last - *first, carried);
      int64_t whole = *first + (*last - *first) / kUnroll * kUnroll;
      SmallVector<Value> result = e.loop(
          from, e.index(whole), kUnroll, carried,
          [&](Value c, ValueRange now) { return body(c, kUnroll, now); });
      return whole < *last ? body(e.index(whole), *last - whole, result)
                           : result;
    }
    Value whole = to;
    if (channelBlock % kUnroll || !getConstantIntValue(grid.channels) ||
        *getConstantIntValue(grid.channels) % kUnroll)
      whole =
          e.add(from, e.mul(e.div(e.sub(to, from), e.index(kUnroll)), kUnroll));
    SmallVector<Value> result =
        e.loop(from, whole, kUnroll, carried,
               [&](Value c, ValueRange now) { return body(c, kUnroll, now); });
    int64_t least = op.getPairs() ? 2 : 1;
    return e.loop(whole, to, least, result,
                  [&](Value c, ValueRange now) { return body(c, least, now); });
  };

  // The zeros are only so long.
  std::optional<int64_t> channels = getConstantIntValue(grid.channels);
  bool needsChunks = padded && getConstantIntValue(a.strides.back()) == 1 &&
                     !rows.merged && !(channels && *channels <= zeroCount) &&
                     !(channelBlock && channelBlock <= zeroCount);
  if (!needsChunks)
    return run(part.firstChannel, part.lastChannel, sums);
  return e.loop(part.firstChannel, part.lastChannel, zeroCount, sums,
                [&](Value from, ValueRange carried) {
                  Value to = e.min(e.add(from, zeroCount), part.lastChannel);
                  return run(from, to, carried);
                });
}

} // namespace tenon
