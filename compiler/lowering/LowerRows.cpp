// kernel.rows: row by row, with as few walks along a row as its reductions ask
// for. A walk does what only needs the reductions of earlier walks. What a walk
// needs of an earlier one's elements is computed again when that is cheap, and
// otherwise kept: in the output that it becomes, on the stack, or where an
// output of a later walk goes.

#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/KernelEmitter.h"
#include "compiler/lowering/KernelModels.h"
#include "dialects/kernel/Rows.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;

namespace tenon {

/// Elements that a task should at least have.
static constexpr int64_t kTaskElements = 16384;
/// Bytes of a row's elements that may be kept on the stack, of all together.
static constexpr int64_t kStackBytes = 128 << 10;
/// Operations that are computed again rather than kept.
static constexpr unsigned kCheap = 4;
static constexpr int64_t kLanes = 16;
/// Lanes of a sum are added to the row's after this many elements of each, so
/// that long sums do not lose small terms.
static constexpr int64_t kLongSum = 256;

namespace {

using kernel::RowsOp;

unsigned costOf(Block &block) {
  unsigned cost = 0;
  for (Operation &op : block.without_terminator()) {
    bool isFunction = isa<math::MathDialect>(op.getDialect()) &&
                      !isa<math::AbsFOp, math::FmaOp>(op);
    bool divides = isa<arith::DivFOp, arith::RemFOp, arith::DivSIOp,
                       arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op);
    cost += isFunction                             ? 24
            : divides                              ? 8
            : op.hasTrait<OpTrait::ConstantLike>() ? 0
                                                   : 1;
  }
  return cost;
}

class RowsLowering {
public:
  RowsLowering(OpBuilder &builder, RowsOp op, const CpuTarget &target);
  void run(Value begin, Value end);

  static SmallVector<Value> sizesOf(KernelEmitter &e, RowsOp op);
  static Value rowsPerTask(KernelEmitter &e, RowsOp op, ValueRange sizes,
                           const CpuTarget &target);

private:
  /// A value of a step.
  struct Element {
    unsigned step = 0, result = 0;
    bool isRow = false;
    /// The walk that computes it; of a row's value the first that can use it.
    unsigned walk = 0;
    /// Where later walks find it: an output's buffer, or the stack.
    std::optional<unsigned> output;
    Value stack;
    bool isKept() const { return output || stack; }
  };
  /// Place along the row: all of its dimensions, and the lanes from there.
  struct Place {
    SmallVector<Value> columns;
    int64_t lanes;
    Value mask;
  };
  using Memo = DenseMap<unsigned, Value>;

  unsigned argumentOf(unsigned value) const { return inputs.size() + value; }
  void schedule();
  void keep();
  bool isUsedBy(unsigned value, unsigned step) {
    return value < firstValues[step] && !op.getSteps()[step]
                                             .front()
                                             .getArgument(argumentOf(value))
                                             .use_empty();
  }
  Value canStream();
  void walkRow();
  void finishRows(unsigned walk);
  void walkAlong(unsigned walk);
  SmallVector<Value> along(unsigned walk, unsigned dim,
                           SmallVector<Value> columns, ArrayRef<Value> sums);
  SmallVector<Value> alongLast(unsigned walk, SmallVector<Value> columns,
                               ArrayRef<Value> sums);
  SmallVector<Value> at(unsigned walk, const Place &place, ValueRange sums);
  void fetchAhead(const Place &place);
  Value valueAt(unsigned value, unsigned walk, const Place &place, Memo &memo);
  Value inputAt(unsigned input, const Place &place);
  Value laneStride(const Buffer &buffer, AffineMap map, const Place &place);
  Value loadAt(const Buffer &buffer, AffineMap map, const Place &place);
  void storeAt(Value lanes, const Buffer &buffer, AffineMap map,
               const Place &place);
  AffineMap outputMap(unsigned output) {
    return op.getMap(inputs.size() + output);
  }
  SmallVector<Value> inlineStep(unsigned step, unsigned walk,
                                const Place &place, Memo &memo,
                                ValueRange sums);
  Value offsetOf(const Buffer &buffer, AffineMap map, ValueRange columns);
  Value stackPointer(unsigned value, ValueRange columns);
  SmallVector<Value> neutral(unsigned walk, int64_t lanes);
  SmallVector<Value> combined(unsigned walk, ValueRange a, ValueRange b);
  bool hasFlag(Operation *combiner, bool isVector) const;
  Value combineTwo(Operation *combiner, Value a, Value b);
  SmallVector<Value> acrossLanes(unsigned walk, ValueRange sums);
  void addTerms(unsigned step, unsigned walk, const Place &place, Memo &memo,
                ValueRange sums, SmallVectorImpl<Value> &results);
  template <typename Visit> void eachSum(unsigned walk, Visit visit);

  RowsOp op;
  KernelEmitter e;
  const CpuTarget &target;
  SmallVector<Buffer> inputs; // without a pointer: a scalar
  SmallVector<Buffer> outputs;
  SmallVector<Value> sizes;
  SmallVector<Element> elements;
  SmallVector<SmallVector<unsigned>> valuesOf; // of a step
  SmallVector<unsigned> firstValues;           // of a step
  unsigned walks = 0, rowRank, rank;
  BitVector streamed; // outputs that go past the caches
  // Of the row at hand:
  SmallVector<Value> row;   // its place
  SmallVector<Value> ofRow; // values of the row, null where not known yet
};

} // namespace

SmallVector<Value> RowsLowering::sizesOf(KernelEmitter &e, RowsOp op) {
  SmallVector<Value> sizes(op.getRank());
  // Known ones first.
  for (bool known : {true, false})
    for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
      auto type = dyn_cast<MemRefType>(operand.getType());
      AffineMap map = op.getMap(i);
      for (unsigned k = 0; type && k < map.getNumResults(); ++k) {
        auto dim = dyn_cast<AffineDimExpr>(map.getResult(k));
        if (!dim || sizes[dim.getPosition()] || type.isDynamicDim(k) == known)
          continue;
        sizes[dim.getPosition()] = sizeOf(e.b, e.loc, operand, k);
      }
    }
  for (Value &size : sizes)
    if (!size)
      size = e.index(1);
  return sizes;
}

Value RowsLowering::rowsPerTask(KernelEmitter &e, RowsOp op, ValueRange sizes,
                                const CpuTarget &target) {
  if (target.byPoint)
    return e.index(1);
  Value length =
      e.max(e.product(sizes.drop_front(op.getRowRank())), e.index(1));
  return e.max(e.div(e.add(length, kTaskElements - 1), length), e.index(1));
}

RowsLowering::RowsLowering(OpBuilder &builder, RowsOp op,
                           const CpuTarget &target)
    : op(op), e(builder, op.getLoc(), target.hasFma), target(target),
      rowRank(op.getRowRank()), rank(op.getRank()) {
  for (Value input : op.getInputs()) {
    inputs.push_back(isa<MemRefType>(input.getType()) ? e.open(input)
                                                      : Buffer());
    inputs.back().element = getElementTypeOrSelf(input.getType());
  }
  for (Value output : op.getOutputs())
    outputs.push_back(e.open(output));
  sizes = sizesOf(e, op);
  schedule();
  keep();
}

/// Which walk does what.
void RowsLowering::schedule() {
  SmallVector<unsigned> ofValues;
  walks = op.findWalks(ofValues);
  for (auto [step, kind] : llvm::enumerate(op.getKinds())) {
    firstValues.push_back(elements.size());
    valuesOf.emplace_back();
    for (unsigned i = 0; i < op.getStepYields(step).size(); ++i) {
      valuesOf.back().push_back(elements.size());
      Element element;
      element.step = step;
      element.result = i;
      element.isRow = kind != RowsOp::Element;
      element.walk = ofValues[elements.size()];
      elements.push_back(element);
    }
  }
}

/// Decides what later walks find in memory.
void RowsLowering::keep() {
  // The last walk that uses a value, directly or through what it computes
  // again.
  SmallVector<unsigned> last(elements.size()), cost(elements.size());
  auto findUses = [&] {
    for (unsigned value = 0; value < elements.size(); ++value)
      last[value] = elements[value].walk;
    for (unsigned value = elements.size(); value-- > 0;)
      for (unsigned step = 0; step < valuesOf.size(); ++step) {
        if (!isUsedBy(value, step) || op.getKinds()[step] == RowsOp::Row)
          continue;
        for (unsigned user : valuesOf[step]) {
          bool sums = op.getKinds()[step] == RowsOp::Reduction;
          unsigned at = sums                      ? elements[user].walk - 1
                        : elements[user].isKept() ? elements[user].walk
                                                  : last[user];
          last[value] = std::max(last[value], at);
        }
      }
  };
  int64_t length = 1, left = target.byPoint ? 0 : kStackBytes;
  for (Value size : ArrayRef(sizes).drop_front(rowRank)) {
    std::optional<int64_t> known = getConstantIntValue(size);
    length =
        known && length >= 0 && *known <= kStackBytes ? length * *known : -1;
    length = length > kStackBytes ? -1 : length;
  }
  BitVector taken(outputs.size());
  for (unsigned value = 0; value < elements.size(); ++value) {
    Element &element = elements[value];
    if (element.isRow)
      continue;
    cost[value] = costOf(op.getSteps()[element.step].front());
    for (unsigned other = 0; other < value; ++other)
      if (isUsedBy(other, element.step) && !elements[other].isRow &&
          !elements[other].isKept())
        cost[value] += cost[other];
    findUses();
    if (last[value] == element.walk)
      continue;
    for (auto [i, yielded] : llvm::enumerate(op.getYields()))
      if (yielded == static_cast<int64_t>(value))
        element.output = i;
    if (element.isKept() || cost[value] <= kCheap)
      continue;
    Type type = op.getStepYields(element.step)[element.result].getType();
    int64_t bytes =
        length *
        std::max<int64_t>(getStorageType(type).getIntOrFloatBitWidth() / 8, 1);
    if (length >= 0 && bytes <= left) {
      left -= llvm::alignTo(bytes, 64);
      element.stack =
          e.stackScratch(getStorageType(type), std::max<int64_t>(length, 1));
      continue;
    }
    for (auto [i, yielded] : llvm::enumerate(op.getYields())) {
      const Element &later = elements[yielded];
      // An output in the place of an input is not free before.
      bool isFree = !llvm::is_contained(op.getInputs(), op.getOutputs()[i]);
      if (!later.isRow && !taken[i] && isFree && outputs[i].element == type &&
          later.walk >= last[value] && later.walk > element.walk) {
        element.output = i;
        taken.set(i);
        break;
      }
    }
  }
}

void RowsLowering::run(Value begin, Value end) {
  Value count = e.product(ArrayRef(sizes).take_front(rowRank));
  Value step = rowsPerTask(e, op, sizes, target);
  auto walkRows = [&] {
    // One task does all that one call covers.
    e.loop(e.mul(begin, step), e.min(e.mul(end, step), count), 1,
           [&](Value number) {
             row = e.delinearize(number, ArrayRef(sizes).take_front(rowRank));
             ofRow.assign(elements.size(), Value());
             walkRow();
           });
  };
  Value streams = canStream();
  BitVector chosen = streamed;
  streamed.reset();
  if (!streams)
    return walkRows();
  e.branch(streams, walkRows, [&] {
    streamed = chosen;
    walkRows();
    e.endStreams();
  });
}

/// Finds the outputs that may go past the caches: those whose elements are
/// written once, in whole vectors. Gives whether they are small or not aligned
/// in this call; null when that is always so.
Value RowsLowering::canStream() {
  streamed.resize(outputs.size());
  if (!target.hasStreaming || rank == rowRank)
    return {};
  Value bytes, misaligned;
  for (auto [i, value] : llvm::enumerate(op.getYields())) {
    const Buffer &buffer = outputs[i];
    AffineMap map = op.getMap(inputs.size() + i);
    std::optional<unsigned> last =
        map.getResultPosition(e.b.getAffineDimExpr(rank - 1));
    bool isReadAgain = llvm::any_of(elements, [&](const Element &element) {
      return element.output == static_cast<unsigned>(i);
    });
    if (elements[value].isRow || isReadAgain || !last ||
        getConstantIntValue(buffer.strides[*last]) != 1)
      continue;
    int64_t width = std::max<int64_t>(
        getStorageType(buffer.element).getIntOrFloatBitWidth() / 8, 1);
    Value size = e.mul(e.product(sizes), width);
    if (std::optional<int64_t> known = getConstantIntValue(size);
        known && static_cast<uint64_t>(*known) < target.getStreamedBytes())
      continue;
    streamed.set(i);
    bytes = bytes ? e.min(bytes, size) : size;
    auto addOffset = [&](Value offset) {
      misaligned =
          misaligned ? e.b.createOrFold<arith::OrIOp>(e.loc, misaligned, offset)
                     : offset;
    };
    Value address =
        LLVM::PtrToIntOp::create(e.b, e.loc, e.b.getI64Type(), buffer.pointer);
    addOffset(
        arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), address));
    for (auto [k, stride] : llvm::enumerate(buffer.strides))
      if (k != *last)
        addOffset(e.mul(stride, width));
  }
  if (!bytes)
    return {};
  Value least = e.index(static_cast<int64_t>(target.getStreamedBytes()));
  misaligned = e.rem(misaligned, e.index(64));
  return e.b.createOrFold<arith::OrIOp>(e.loc, e.less(bytes, least),
                                        e.lessUnsigned(e.index(0), misaligned));
}

void RowsLowering::walkRow() {
  for (unsigned walk = 0; walk < walks; ++walk) {
    finishRows(walk);
    walkAlong(walk);
  }
  finishRows(walks);
}

/// Values of rows that need the reductions before this walk, and no later ones.
void RowsLowering::finishRows(unsigned walk) {
  Place place{SmallVector<Value>(rank - rowRank, e.index(0)), 1, {}};
  for (unsigned step = 0; step < valuesOf.size(); ++step) {
    bool isDue = op.getKinds()[step] == RowsOp::Row &&
                 !valuesOf[step].empty() &&
                 elements[valuesOf[step][0]].walk == walk;
    if (!isDue)
      continue;
    Memo memo;
    SmallVector<Value> results = inlineStep(step, walk, place, memo, {});
    for (auto [value, result] : llvm::zip(valuesOf[step], results))
      ofRow[value] = result;
  }
  for (auto [i, value] : llvm::enumerate(op.getYields()))
    if (elements[value].isRow && elements[value].walk == walk) {
      const Buffer &buffer = outputs[i];
      Value offset = offsetOf(buffer, outputMap(i), place.columns);
      e.store(ofRow[value], e.at(buffer.pointer, buffer.element, offset));
    }
}

/// Accumulators of the reductions of a walk: (step, which of its values, number
/// among all sums).
template <typename Visit>
void RowsLowering::eachSum(unsigned walk, Visit visit) {
  unsigned start = 0;
  for (unsigned step = 0; step < valuesOf.size(); ++step) {
    if (op.getKinds()[step] != RowsOp::Reduction)
      continue;
    for (auto [i, value] : llvm::enumerate(valuesOf[step])) {
      if (elements[value].walk == walk + 1)
        visit(step, static_cast<unsigned>(i), start);
      ++start;
    }
  }
}

static BlockArgument accumulatorOf(RowsOp op, unsigned step, unsigned i) {
  Block &block = op.getSteps()[step].front();
  return block.getArgument(block.getNumArguments() -
                           op.getStepYields(step).size() + i);
}

static Operation *combinerOf(RowsOp op, unsigned step, unsigned i) {
  return RowsOp::findCombiner(op.getSteps()[step].front(),
                              accumulatorOf(op, step, i), i);
}

/// Largest and smallest values of vectors are found without their NaNs, of
/// which a flag for each lane tells: half the instructions.
bool RowsLowering::hasFlag(Operation *combiner, bool isVector) const {
  return isVector && target.vectorBits >= 512 &&
         isa<arith::MaximumFOp, arith::MinimumFOp>(combiner);
}

static Value extremum(KernelEmitter &e, Operation *combiner, Value value,
                      Value other) {
  auto order = isa<arith::MaximumFOp>(combiner) ? arith::CmpFPredicate::OGT
                                                : arith::CmpFPredicate::OLT;
  Value better = arith::CmpFOp::create(e.b, e.loc, order, value, other);
  return arith::SelectOp::create(e.b, e.loc, better, value, other);
}

SmallVector<Value> RowsLowering::neutral(unsigned walk, int64_t lanes) {
  SmallVector<Value> values;
  eachSum(walk, [&](unsigned step, unsigned i, unsigned) {
    Operation *combiner = combinerOf(op, step, i);
    std::optional<TypedAttr> attribute = arith::getNeutralElement(combiner);
    values.push_back(e.constant(*attribute, lanes));
    if (hasFlag(combiner, lanes > 1))
      values.push_back(e.constant(e.b.getBoolAttr(false), lanes));
  });
  return values;
}

Value RowsLowering::combineTwo(Operation *combiner, Value a, Value b) {
  OperationState state(e.loc, combiner->getName());
  state.addOperands({a, b});
  state.addTypes(a.getType());
  state.attributes = combiner->getDiscardableAttrDictionary();
  state.propertiesAttr = combiner->getPropertiesAsAttribute();
  return e.b.create(state)->getResult(0);
}

SmallVector<Value> RowsLowering::combined(unsigned walk, ValueRange a,
                                          ValueRange b) {
  SmallVector<Value> values;
  eachSum(walk, [&](unsigned step, unsigned i, unsigned) {
    Operation *combiner = combinerOf(op, step, i);
    size_t at = values.size();
    if (hasFlag(combiner, isa<VectorType>(a[at].getType()))) {
      values.push_back(extremum(e, combiner, a[at], b[at]));
      values.push_back(arith::OrIOp::create(e.b, e.loc, a[at + 1], b[at + 1]));
      return;
    }
    values.push_back(combineTwo(combiner, a[at], b[at]));
  });
  return values;
}

/// Halves until one lane is left.
SmallVector<Value> RowsLowering::acrossLanes(unsigned walk, ValueRange sums) {
  SmallVector<Value> results;
  size_t at = 0;
  eachSum(walk, [&](unsigned step, unsigned i, unsigned) {
    Operation *combiner = combinerOf(op, step, i);
    bool flagged = hasFlag(combiner, true);
    Value value = sums[at++];
    for (int64_t lanes = kLanes / 2; lanes >= 1; lanes /= 2) {
      Value halves[2];
      for (int64_t half : {0, 1})
        halves[half] =
            vector::ShuffleOp::create(e.b, e.loc, value, value,
                                      llvm::to_vector(llvm::seq<int64_t>(
                                          half * lanes, (half + 1) * lanes)));
      value = flagged ? extremum(e, combiner, halves[0], halves[1])
                      : combineTwo(combiner, halves[0], halves[1]);
    }
    value = vector::ExtractOp::create(e.b, e.loc, value, int64_t(0));
    if (flagged) {
      Value isNan = vector::ReductionOp::create(
          e.b, e.loc, vector::CombiningKind::OR, sums[at++]);
      auto type = cast<FloatType>(value.getType());
      Value nan = arith::ConstantOp::create(
          e.b, e.loc,
          e.b.getFloatAttr(type, APFloat::getNaN(type.getFloatSemantics())));
      value = arith::SelectOp::create(e.b, e.loc, isNan, nan, value);
    }
    results.push_back(value);
  });
  return results;
}

void RowsLowering::walkAlong(unsigned walk) {
  SmallVector<Value> starts, sums;
  eachSum(walk, [&](unsigned, unsigned, unsigned number) {
    Place place{SmallVector<Value>(rank - rowRank, e.index(0)), 1, {}};
    starts.push_back(inputAt(op.getStarts()[number], place));
  });
  sums = along(walk, rowRank, {}, starts);
  size_t next = 0;
  eachSum(walk, [&](unsigned step, unsigned i, unsigned) {
    ofRow[valuesOf[step][i]] = sums[next++];
  });
}

/// Dimension `dim` of the row and those inside it; takes and gives sums of one
/// lane.
SmallVector<Value> RowsLowering::along(unsigned walk, unsigned dim,
                                       SmallVector<Value> columns,
                                       ArrayRef<Value> sums) {
  if (dim == rank) // a row of one element
    return at(walk, {columns, 1, {}}, sums);
  if (dim + 1 == rank)
    return alongLast(walk, columns, sums);
  return e.loop(
      e.index(0), sizes[dim], 1, sums, [&](Value i, ValueRange carried) {
        SmallVector<Value> inner(columns);
        inner.push_back(i);
        return along(walk, dim + 1, inner, SmallVector<Value>(carried));
      });
}

SmallVector<Value> RowsLowering::alongLast(unsigned walk,
                                           SmallVector<Value> columns,
                                           ArrayRef<Value> sums) {
  Value size = sizes[rank - 1], zero = e.index(0);
  std::optional<int64_t> known = getConstantIntValue(size);
  unsigned cost = 0;
  for (unsigned step = 0; step < valuesOf.size(); ++step)
    for (unsigned value : valuesOf[step])
      if (op.getKinds()[step] != RowsOp::Row &&
          elements[value].walk - (op.getKinds()[step] == RowsOp::Reduction) ==
              walk)
        cost += costOf(op.getSteps()[step].front());
  SmallVector<Value> results(sums);
  auto placeAt = [&](Value column, int64_t lanes, Value mask = {}) {
    Place place{columns, lanes, mask};
    place.columns.push_back(column);
    return place;
  };
  auto oneByOne = [&](Value from) {
    return e.loop(from, size, 1, results,
                  [&](Value column, ValueRange carried) {
                    return at(walk, placeAt(column, 1), carried);
                  });
  };
  if (target.byPoint)
    return oneByOne(zero);
  // Several vectors at once, so that one sum does not wait for another.
  auto vectors = [&](Value from, Value to, int64_t together) {
    int64_t step = together * kLanes;
    SmallVector<Value> wide;
    for (int64_t i = 0; i < together; ++i)
      llvm::append_range(wide, neutral(walk, kLanes));
    size_t count = wide.size() / together;
    SmallVector<bool> isFlag;
    eachSum(walk, [&](unsigned step, unsigned i, unsigned) {
      isFlag.push_back(false);
      if (hasFlag(combinerOf(op, step, i), /*isVector=*/true))
        isFlag.push_back(true);
    });
    // A long body fills the registers: several would only be longer.
    auto several = [&](Value column, ValueRange carried) {
      SmallVector<Value> next;
      for (int64_t i = 0; i < together; ++i)
        llvm::append_range(next,
                           at(walk, placeAt(e.add(column, i * kLanes), kLanes),
                              carried.slice(i * count, count)));
      // One flag for all: LLVM then compares two vectors at once.
      for (size_t i = count; i < next.size(); ++i)
        if (isFlag[i % count]) {
          Value &first = next[i % count];
          first = arith::OrIOp::create(e.b, e.loc, first, next[i]);
          next[i] = carried[i];
        }
      return next;
    };
    wide = known && *known <= 2 * step
               ? e.loop(from, to, step, wide, several)
               : e.rolledLoop(from, to, step, wide, several);
    SmallVector<Value> total(ArrayRef(wide).take_front(count));
    for (int64_t i = 1; i < together; ++i)
      total = combined(walk, total, ArrayRef(wide).slice(i * count, count));
    return total;
  };
  int64_t together = cost > 40 ? 1 : cost > 12 ? 2 : cost > 2 ? 4 : 8;
  Value done = zero;
  for (int64_t number : {together, int64_t(1)}) {
    int64_t step = number * kLanes;
    if (known && *known - *getConstantIntValue(done) < step)
      continue;
    Value until = e.mul(e.div(size, e.index(step)), step);
    int64_t longest = step * kLongSum;
    bool isLong = !results.empty() && (!known || *known > 2 * longest);
    if (isLong && number == together) {
      results = e.loop(
          done, until, longest, results, [&](Value from, ValueRange carried) {
            SmallVector<Value> part =
                vectors(from, e.min(e.add(from, longest), until), number);
            return combined(walk, carried, acrossLanes(walk, part));
          });
    } else {
      SmallVector<Value> part = vectors(done, until, number);
      results = combined(walk, results, acrossLanes(walk, part));
    }
    done = until;
    if (together == 1)
      break;
  }
  if (known && *getConstantIntValue(done) == *known)
    return results;
  if (target.vectorBits >= 512) {
    Value left = e.sub(size, done);
    Value mask = e.laneMask(left, kLanes);
    auto tail = [&](ValueRange carried) {
      SmallVector<Value> before = neutral(walk, kLanes);
      SmallVector<Value> after = at(walk, placeAt(done, kLanes, mask), before);
      for (auto [value, old] : llvm::zip(after, before))
        value = arith::SelectOp::create(e.b, e.loc, mask, value, old);
      return combined(walk, carried, acrossLanes(walk, after));
    };
    if (known)
      return tail(results);
    return e.loop(done, size, kLanes, results,
                  [&](Value, ValueRange carried) { return tail(carried); });
  }
  return oneByOne(done);
}

/// Adds the terms of a step's reductions to those of `sums` that `results` has
/// no new value of yet.
void RowsLowering::addTerms(unsigned step, unsigned walk, const Place &place,
                            Memo &memo, ValueRange sums,
                            SmallVectorImpl<Value> &results) {
  SmallVector<Value> before;
  size_t at = results.size();
  bool isVector = place.lanes > 1;
  for (unsigned i = 0; i < valuesOf[step].size(); ++i) {
    before.push_back(sums[at++]);
    at += hasFlag(combinerOf(op, step, i), isVector);
  }
  SmallVector<Value> after = inlineStep(step, walk, place, memo, before);
  for (auto [i, value] : llvm::enumerate(after)) {
    Operation *combiner = combinerOf(op, step, i);
    if (!hasFlag(combiner, isVector)) {
      results.push_back(value);
      continue;
    }
    // In place of the copy of the combiner, which has the term.
    Operation *copy = value.getDefiningOp();
    Value term = copy->getOperand(copy->getOperand(0) == before[i]);
    copy->erase();
    Value flag = sums[results.size() + 1];
    results.push_back(extremum(e, combiner, term, before[i]));
    Value isNan = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::UNO,
                                        term, term);
    results.push_back(arith::OrIOp::create(e.b, e.loc, flag, isNan));
  }
}

/// All that a walk does at some elements; gives the sums with their terms.
SmallVector<Value> RowsLowering::at(unsigned walk, const Place &place,
                                    ValueRange sums) {
  Memo memo;
  SmallVector<Value> results;
  // Sums first: an output may replace what they need.
  for (unsigned step = 0; step < valuesOf.size(); ++step) {
    if (op.getKinds()[step] != RowsOp::Reduction || valuesOf[step].empty() ||
        elements[valuesOf[step][0]].walk != walk + 1)
      continue;
    addTerms(step, walk, place, memo, sums, results);
  }
  SmallVector<std::pair<unsigned, Value>> stored;
  for (unsigned value = 0; value < elements.size(); ++value) {
    const Element &element = elements[value];
    if (element.isRow || element.walk != walk)
      continue;
    if (element.stack || element.output)
      stored.push_back({value, valueAt(value, walk, place, memo)});
  }
  SmallVector<std::pair<unsigned, Value>> yielded;
  for (auto [i, value] : llvm::enumerate(op.getYields()))
    if (!elements[value].isRow && elements[value].walk == walk &&
        elements[value].output != static_cast<unsigned>(i))
      yielded.push_back({i, valueAt(value, walk, place, memo)});
  if (place.lanes == kLanes && walk + 2 == walks)
    fetchAhead(place);
  for (auto [value, lanes] : stored)
    if (std::optional<unsigned> output = elements[value].output)
      storeAt(lanes, outputs[*output], outputMap(*output), place);
    else
      e.store(lanes, stackPointer(value, place.columns), place.mask);
  for (auto [i, lanes] : yielded) {
    const Buffer &buffer = outputs[i];
    if (streamed[i] && place.lanes == kLanes && !place.mask)
      e.stream(lanes, e.at(buffer.pointer, buffer.element,
                           offsetOf(buffer, outputMap(i), place.columns)));
    else
      storeAt(lanes, buffer, outputMap(i), place);
  }
  return results;
}

/// The next row's inputs and this row's outputs come from memory while there is
/// something to compute: hardware looks no further than a page ahead.
void RowsLowering::fetchAhead(const Place &place) {
  auto fetch = [&](const Buffer &buffer, AffineMap map, bool next) {
    Value offset = offsetOf(buffer, map, place.columns);
    std::optional<unsigned> column, line;
    if (buffer.pointer && rank > rowRank && rowRank > 0) {
      column = map.getResultPosition(e.b.getAffineDimExpr(rank - 1));
      line = map.getResultPosition(e.b.getAffineDimExpr(rowRank - 1));
    }
    if (!column || !line || getConstantIntValue(buffer.strides[*column]) != 1)
      return;
    if (next)
      offset = e.add(offset, buffer.strides[*line]);
    LLVM::Prefetch::create(e.b, e.loc,
                           e.at(buffer.pointer, buffer.element, offset),
                           /*rw=*/!next, /*hint=*/3, /*cache=*/1);
  };
  for (auto [i, buffer] : llvm::enumerate(inputs))
    fetch(buffer, op.getMap(i), /*next=*/true);
  for (auto [i, value] : llvm::enumerate(op.getYields()))
    if (!elements[value].isRow && elements[value].walk + 1 == walks &&
        !streamed[i])
      fetch(outputs[i], outputMap(i), /*next=*/false);
}

Value RowsLowering::valueAt(unsigned value, unsigned walk, const Place &place,
                            Memo &memo) {
  const Element &element = elements[value];
  if (element.isRow)
    return e.splat(ofRow[value], place.lanes);
  if (Value known = memo.lookup(value))
    return known;
  if (element.isKept() && walk > element.walk) {
    if (element.output)
      return memo[value] = loadAt(outputs[*element.output],
                                  outputMap(*element.output), place);
    Type type = op.getStepYields(element.step)[element.result].getType();
    return memo[value] = e.load(stackPointer(value, place.columns), type,
                                place.lanes, place.mask);
  }
  SmallVector<Value> results = inlineStep(element.step, walk, place, memo, {});
  for (auto [other, result] : llvm::zip(valuesOf[element.step], results))
    if (!memo.lookup(other))
      memo[other] = result;
  return memo.lookup(value);
}

SmallVector<Value> RowsLowering::inlineStep(unsigned step, unsigned walk,
                                            const Place &place, Memo &memo,
                                            ValueRange sums) {
  Block &block = op.getSteps()[step].front();
  SmallVector<Value> arguments;
  for (unsigned i = 0; i < block.getNumArguments() - sums.size(); ++i) {
    bool isUsed = !block.getArgument(i).use_empty();
    if (!isUsed)
      arguments.push_back({});
    else if (i < inputs.size())
      arguments.push_back(inputAt(i, place));
    else
      arguments.push_back(valueAt(i - inputs.size(), walk, place, memo));
  }
  llvm::append_range(arguments, sums);
  return e.inlineBlock(block, arguments, place.lanes);
}

Value RowsLowering::inputAt(unsigned input, const Place &place) {
  const Buffer &buffer = inputs[input];
  if (!buffer.pointer)
    return e.splat(op.getInputs()[input], place.lanes);
  return loadAt(buffer, op.getMap(input), place);
}

/// From one lane to the next, in elements, where lanes are not neighbours.
Value RowsLowering::laneStride(const Buffer &buffer, AffineMap map,
                               const Place &place) {
  if (place.lanes == 1)
    return {};
  if (rank > rowRank)
    if (auto last = map.getResultPosition(e.b.getAffineDimExpr(rank - 1)))
      return getConstantIntValue(buffer.strides[*last]) == 1
                 ? Value()
                 : buffer.strides[*last];
  return e.index(0);
}

Value RowsLowering::loadAt(const Buffer &buffer, AffineMap map,
                           const Place &place) {
  Value pointer = e.at(buffer.pointer, buffer.element,
                       offsetOf(buffer, map, place.columns));
  Value stride = laneStride(buffer, map, place);
  if (!stride)
    return e.load(pointer, buffer.element, place.lanes, place.mask);
  if (getConstantIntValue(stride) == 0)
    return e.splat(e.load(pointer, buffer.element, 1), place.lanes);
  return e.gather(pointer, buffer.element, place.lanes, stride, place.mask);
}

void RowsLowering::storeAt(Value lanes, const Buffer &buffer, AffineMap map,
                           const Place &place) {
  Value pointer = e.at(buffer.pointer, buffer.element,
                       offsetOf(buffer, map, place.columns));
  if (Value stride = laneStride(buffer, map, place))
    e.scatter(lanes, pointer, stride, place.mask);
  else
    e.store(lanes, pointer, place.mask);
}

Value RowsLowering::offsetOf(const Buffer &buffer, AffineMap map,
                             ValueRange columns) {
  Value offset = e.index(0);
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      unsigned at = dim.getPosition();
      Value index = at < rowRank ? row[at] : columns[at - rowRank];
      offset = e.add(offset, e.mul(index, buffer.strides[i]));
    }
  return offset;
}

/// Where an element is kept that is no output.
Value RowsLowering::stackPointer(unsigned value, ValueRange columns) {
  const Element &element = elements[value];
  Value offset = e.index(0);
  for (auto [i, column] : llvm::enumerate(columns))
    offset = e.add(e.mul(offset, sizes[rowRank + i]), column);
  Type type = op.getStepYields(element.step)[element.result].getType();
  return e.at(element.stack, getStorageType(type), offset);
}

Value buildRowsTaskCount(OpBuilder &b, Location loc, RowsOp op,
                         const CpuTarget &target) {
  KernelEmitter e(b, loc, false);
  SmallVector<Value> sizes = RowsLowering::sizesOf(e, op);
  Value rows = e.product(ArrayRef(sizes).take_front(op.getRowRank()));
  Value step = RowsLowering::rowsPerTask(e, op, sizes, target);
  return e.div(e.add(rows, e.sub(step, e.index(1))), step);
}

LogicalResult lowerRows(OpBuilder &b, RowsOp op, Value begin, Value end,
                        const CpuTarget &target) {
  RowsLowering(b, op, target).run(begin, end);
  op->erase();
  return success();
}

} // namespace tenon
