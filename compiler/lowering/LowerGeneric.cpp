#include "compiler/lowering/LowerGeneric.h"

#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/KernelEmitter.h"
#include "compiler/lowering/TransposeBlock.h"

using namespace mlir;

namespace tenon {

/// Elements that a task should at least produce or read.
static constexpr int64_t kTaskElements = 16384;
/// Terms of a sum that are added up before they are added to other sums.
static constexpr int64_t kLongSum = 4096;
/// The same of sums that are finished themselves.
static constexpr int64_t kLongRun = 64;
/// Rows and columns of the blocks in which tensors are transposed, and of those
/// whose blocks are done one after the other, so that pages and lines next to
/// each other are.
static constexpr int64_t kTransposeBlock = TransposeBlock::size,
                         kTransposeArea = 64;

namespace {

/// Order of the loops and the dimension that tasks divide.
struct LoopPlan {
  SmallVector<unsigned> parallel, reduction;
  bool sumsInRegisters = false; ///< reduction loops inside all parallel ones
  bool canSumInRegisters = true;
  std::optional<unsigned> taskDim;
  /// A dimension that an operand runs along where the result takes strides:
  /// blocks of it and of the last one are done together, so that no cache line
  /// is fetched twice.
  std::optional<unsigned> across;

  explicit LoopPlan(linalg::LinalgOp op) {
    op.getParallelDims(parallel);
    op.getReductionDims(reduction);
    SmallVector<int64_t> sizes = op.getStaticLoopRanges();
    // The last dimension of the result runs innermost.
    AffineMap result = op.getIndexingMapsArray().back();
    auto rank = [&](unsigned dim) {
      auto position =
          result.getResultPosition(getAffineDimExpr(dim, op.getContext()));
      return position ? *position : 0;
    };
    llvm::stable_sort(
        parallel, [&](unsigned a, unsigned b) { return rank(a) < rank(b); });
    if (!reduction.empty()) {
      // Which dimension walks through the largest operand without strides?
      unsigned widest = 0;
      std::optional<unsigned> contiguous;
      for (OpOperand *operand : op.getDpsInputOperands()) {
        AffineMap map = op.getMatchingIndexingMap(operand);
        if (map.getNumResults() == 0 || map.getNumResults() < widest)
          continue;
        widest = map.getNumResults();
        if (auto dim = dyn_cast<AffineDimExpr>(map.getResults().back()))
          contiguous = dim.getPosition();
      }
      sumsInRegisters = parallel.empty() || !contiguous ||
                        llvm::is_contained(reduction, *contiguous);
      // Another result may have an element for each that is summed up.
      for (OpOperand &init : op.getDpsInitsMutable())
        for (unsigned dim : reduction)
          if (op.getMatchingIndexingMap(&init).isFunctionOfDim(dim))
            sumsInRegisters = canSumInRegisters = false;
    }
    if (reduction.empty() && !parallel.empty())
      findTransposed(op, sizes);
    for (unsigned dim : parallel)
      if (sizes[dim] != 1) {
        taskDim = dim;
        break;
      }
  }

private:
  void findTransposed(linalg::LinalgOp op, ArrayRef<int64_t> sizes) {
    unsigned last = parallel.back();
    auto isLong = [&](unsigned dim) {
      return ShapedType::isDynamic(sizes[dim]) ||
             sizes[dim] >= kTransposeBlock / 2;
    };
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      if (map.getNumResults() < 2)
        continue;
      auto contiguous = dyn_cast<AffineDimExpr>(map.getResults().back());
      if (contiguous && contiguous.getPosition() != last &&
          map.isFunctionOfDim(last) && isLong(last) &&
          isLong(contiguous.getPosition()))
        across = contiguous.getPosition();
    }
  }
};

Value constant(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

SmallVector<Value> loopSizes(OpBuilder &b, Location loc, linalg::LinalgOp op) {
  // Every dimension is that of some operand.
  auto find = [&](unsigned loop) {
    AffineExpr dim = getAffineDimExpr(loop, op.getContext());
    for (OpOperand &operand : op->getOpOperands())
      if (auto place =
              op.getMatchingIndexingMap(&operand).getResultPosition(dim))
        return sizeOf(b, loc, operand.get(), *place);
    llvm_unreachable("a loop whose size nothing says");
  };
  SmallVector<Value> sizes;
  for (auto [loop, size] : llvm::enumerate(op.getStaticLoopRanges()))
    sizes.push_back(ShapedType::isDynamic(size) ? find(loop)
                                                : constant(b, loc, size));
  return sizes;
}

/// How many parts of `size` sizes take, none of which is negative: LLVM is not
/// told that, and would round for all signs.
Value ceilDiv(OpBuilder &b, Location loc, Value count, Value size) {
  Value most = b.createOrFold<arith::SubIOp>(loc, size, constant(b, loc, 1));
  Value sum = b.createOrFold<arith::AddIOp>(loc, count, most);
  return b.createOrFold<arith::DivUIOp>(loc, sum, size);
}

/// Iterations of the task dimension that one task does.
Value chunk(OpBuilder &b, Location loc, const LoopPlan &plan,
            ArrayRef<Value> sizes) {
  Value inner = constant(b, loc, 1);
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (dim != plan.taskDim)
      inner = b.createOrFold<arith::MulIOp>(loc, inner, size);
  inner = b.createOrFold<arith::MaxSIOp>(loc, inner, constant(b, loc, 1));
  Value count = ceilDiv(b, loc, constant(b, loc, kTaskElements), inner);
  if (plan.across && plan.across == plan.taskDim) {
    Value block = constant(b, loc, kTransposeBlock);
    count = arith::MulIOp::create(b, loc, ceilDiv(b, loc, count, block), block);
  }
  return count;
}

class LoopEmitter {
public:
  LoopEmitter(OpBuilder &b, linalg::LinalgOp op)
      : b(b), op(op), loc(op.getLoc()), plan(op), sizes(loopSizes(b, loc, op)),
        indices(op.getNumLoops()) {
    zero = constant(b, loc, 0);
    one = constant(b, loc, 1);
    low.assign(sizes.size(), zero);
    high = sizes;
    isSum = addsUp();
  }

  void runPoints(Value begin, Value end) {
    SmallVector<Value> spaces = llvm::map_to_vector(
        plan.parallel, [&](unsigned dim) { return sizes[dim]; });
    KernelEmitter e(b, loc, /*hasFma=*/true);
    e.loop(begin, end, 1, [&](Value point) {
      for (auto [dim, index] :
           llvm::zip(plan.parallel, e.delinearize(point, spaces)))
        indices[dim] = index;
      if (plan.canSumInRegisters)
        reduceInRegisters();
      else
        nest(plan.reduction, [&] { storeOutputs(body(loadOutputs())); });
    });
  }

  void run(Value begin, Value end) {
    takeTasks(begin, end);
    SmallVector<unsigned> outer = plan.parallel;
    if (plan.across) {
      unsigned last = outer.pop_back_val();
      llvm::erase(outer, *plan.across);
      std::optional<TransposeBlock> whole =
          TransposeBlock::find(b, op, *plan.across, last);
      auto one = [&] {
        nest({*plan.across, last}, [&] { storeOutputs(body(loadOutputs())); });
      };
      nest(outer, [&] {
        block(*plan.across, kTransposeArea, [&] {
          block(last, kTransposeArea, [&] {
            block(*plan.across, kTransposeBlock, [&] {
              block(last, kTransposeBlock, [&] {
                if (whole)
                  transpose(*whole, *plan.across, last, one);
                else
                  one();
              });
            });
          });
        });
      });
      return;
    }
    if (plan.sumsInRegisters) {
      nest(outer, [&] { reduceInRegisters(); });
      return;
    }
    if (isSum && !outer.empty() && hasManyRows()) {
      unsigned last = outer.pop_back_val();
      outer.append(plan.reduction.begin(), plan.reduction.end() - 1);
      return nest(outer, [&] { addRows(plan.reduction.back(), last); });
    }
    if (!plan.reduction.empty())
      outer.insert(outer.empty() ? outer.end() : outer.end() - 1,
                   plan.reduction.begin(), plan.reduction.end());
    nest(outer, [&] {
      SmallVector<Value> results = body(loadOutputs());
      storeOutputs(results);
    });
  }

private:
  void takeTasks(Value begin, Value end) {
    if (!plan.taskDim)
      return;
    unsigned dim = *plan.taskDim;
    Value step = chunk(b, loc, plan, sizes);
    low[dim] = arith::MulIOp::create(b, loc, begin, step);
    high[dim] = arith::MinSIOp::create(
        b, loc, arith::MulIOp::create(b, loc, end, step), sizes[dim]);
  }

  void nest(ArrayRef<unsigned> dims, function_ref<void()> inside) {
    if (dims.empty())
      return inside();
    auto loop = scf::ForOp::create(b, loc, low[dims[0]], high[dims[0]], one);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    indices[dims[0]] = loop.getInductionVar();
    nest(dims.drop_front(), inside);
  }

  /// A block in registers if it is a whole one.
  void transpose(const TransposeBlock &whole, unsigned across, unsigned last,
                 function_ref<void()> otherwise) {
    Value isWhole;
    for (unsigned dim : {across, last}) {
      Value count = arith::SubIOp::create(b, loc, high[dim], low[dim]);
      Value fits =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, count,
                                constant(b, loc, kTransposeBlock));
      isWhole = isWhole ? arith::AndIOp::create(b, loc, isWhole, fits) : fits;
    }
    auto choice = scf::IfOp::create(b, loc, isWhole, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    indices[across] = low[across];
    indices[last] = low[last];
    whole.emit(b, indices);
    b.setInsertionPointToStart(choice.elseBlock());
    otherwise();
  }

  /// A loop over blocks of a dimension, within which `inside` stays.
  void block(unsigned dim, int64_t length, function_ref<void()> inside) {
    Value begin = low[dim], end = high[dim], size = constant(b, loc, length);
    auto loop = scf::ForOp::create(b, loc, begin, end, size);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    low[dim] = loop.getInductionVar();
    high[dim] = arith::MinSIOp::create(
        b, loc, arith::AddIOp::create(b, loc, low[dim], size), end);
    inside();
    low[dim] = begin;
    high[dim] = end;
  }

  /// Whether each result is a sum of floats. One after the other, terms would
  /// be lost in long sums: these are added in parts.
  bool addsUp() {
    Block *block = op.getBlock();
    ValueRange accumulators =
        block->getArguments().take_back(op.getNumDpsInits());
    return !plan.reduction.empty() &&
           llvm::all_of(
               llvm::zip(accumulators, block->getTerminator()->getOperands()),
               [](auto pair) {
                 auto [accumulator, value] = pair;
                 auto add = value.template getDefiningOp<arith::AddFOp>();
                 return add && accumulator.hasOneUse() && value.hasOneUse() &&
                        *accumulator.user_begin() == add;
               });
  }

  /// What is added to other sums starts at -0.0: adding that is nothing.
  SmallVector<Value> noSums() {
    SmallVector<Value> values;
    for (OpOperand &init : op.getDpsInitsMutable()) {
      Type type = getElementTypeOrSelf(init.get().getType());
      values.push_back(
          arith::ConstantOp::create(b, loc, b.getFloatAttr(type, -0.0)));
    }
    return values;
  }

  SmallVector<Value> plus(ArrayRef<Value> sums, ArrayRef<Value> parts) {
    SmallVector<Value> results;
    for (auto [sum, part] : llvm::zip(sums, parts))
      results.push_back(arith::AddFOp::create(b, loc, sum, part,
                                              arith::FastMathFlags::reassoc));
    return results;
  }

  /// Rows that are added to each other before they are added to the sums.
  int64_t rowsTogether() {
    size_t operations = llvm::range_size(op.getBlock()->without_terminator());
    return operations <= 6 ? 16 : operations <= 24 ? 8 : 4;
  }

  bool hasManyRows() {
    std::optional<int64_t> rows =
        getConstantIntValue(sizes[plan.reduction.back()]);
    return !rows || *rows >= 2 * rowsTogether();
  }

  /// Adds the rows along `dim`, each of which runs along `last`, to the
  /// results.
  void addRows(unsigned dim, unsigned last) {
    int64_t together = rowsTogether();
    Value begin = low[dim], end = high[dim];
    Value step = constant(b, loc, together);
    Value whole = arith::AddIOp::create(
        b, loc, begin,
        arith::MulIOp::create(
            b, loc,
            arith::DivUIOp::create(
                b, loc, arith::SubIOp::create(b, loc, end, begin), step),
            step));
    auto some = [&](Value from, Value to, int64_t count) {
      auto loop = scf::ForOp::create(b, loc, from, to, constant(b, loc, count));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      nest(last, [&] {
        SmallVector<SmallVector<Value>> parts;
        for (int64_t i = 0; i < count; ++i) {
          indices[dim] = arith::AddIOp::create(b, loc, loop.getInductionVar(),
                                               constant(b, loc, i));
          parts.push_back(body(noSums()));
        }
        for (; parts.size() > 1; parts.resize(parts.size() / 2))
          for (size_t i = 0; i < parts.size() / 2; ++i)
            parts[i] = plus(parts[i], parts[i + parts.size() / 2]);
        storeOutputs(plus(loadOutputs(), parts[0]));
      });
    };
    some(begin, whole, together);
    some(whole, end, 1);
  }

  void reduceInRegisters() {
    storeOutputs(reduce(plan.reduction, loadOutputs()));
  }

  SmallVector<Value> reduce(ArrayRef<unsigned> dims,
                            SmallVector<Value> values) {
    if (dims.empty())
      return body(values);
    unsigned dim = dims[0];
    int64_t length = dims.size() > 1 ? kLongRun : kLongSum;
    if (!isSum || !isAtLeast(dim, 2 * length))
      return reduceRun(dims, values);
    Value begin = low[dim], end = high[dim], step = constant(b, loc, length);
    SmallVector<Value> results =
        loop(begin, end, step, values, [&](Value first, ValueRange sums) {
          low[dim] = first;
          high[dim] = arith::MinSIOp::create(
              b, loc, arith::AddIOp::create(b, loc, first, step), end);
          return plus(SmallVector<Value>(sums), reduceRun(dims, noSums()));
        });
    low[dim] = begin;
    high[dim] = end;
    return results;
  }

  /// The first of `dims` as far as `low` and `high` go.
  SmallVector<Value> reduceRun(ArrayRef<unsigned> dims,
                               ArrayRef<Value> values) {
    unsigned dim = dims[0];
    return loop(
        low[dim], high[dim], one, values, [&](Value i, ValueRange carried) {
          indices[dim] = i;
          SmallVector<Value> sums(carried);
          ArrayRef<unsigned> inner = dims.drop_front();
          return isSum && !inner.empty() ? plus(sums, reduce(inner, noSums()))
                                         : reduce(inner, sums);
        });
  }

  SmallVector<Value>
  loop(Value begin, Value end, Value step, ArrayRef<Value> values,
       function_ref<SmallVector<Value>(Value, ValueRange)> inside) {
    auto op = scf::ForOp::create(b, loc, begin, end, step, values);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    scf::YieldOp::create(b, loc,
                         inside(op.getInductionVar(), op.getRegionIterArgs()));
    return SmallVector<Value>(op.getResults());
  }

  bool isAtLeast(unsigned dim, int64_t length) {
    std::optional<int64_t> size = getConstantIntValue(sizes[dim]);
    return size && *size >= length;
  }

  SmallVector<Value> position(AffineMap map) {
    SmallVector<Value> result;
    for (AffineExpr expr : map.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        result.push_back(indices[dim.getPosition()]);
      else
        result.push_back(affine::makeComposedAffineApply(
            b, loc, AffineMap::get(map.getNumDims(), 0, expr),
            getAsOpFoldResult(indices)));
    }
    return result;
  }

  Value load(OpOperand &operand) {
    if (!isa<MemRefType>(operand.get().getType()))
      return operand.get();
    return memref::LoadOp::create(
        b, loc, operand.get(), position(op.getMatchingIndexingMap(&operand)));
  }

  SmallVector<Value> loadOutputs() {
    SmallVector<Value> values;
    for (OpOperand &init : op.getDpsInitsMutable()) {
      bool used = !plan.reduction.empty() ||
                  !op.getMatchingBlockArgument(&init).use_empty();
      values.push_back(used ? load(init) : Value());
    }
    return values;
  }

  void storeOutputs(ArrayRef<Value> values) {
    for (auto [init, value] : llvm::zip(op.getDpsInitsMutable(), values))
      memref::StoreOp::create(b, loc, value, init.get(),
                              position(op.getMatchingIndexingMap(&init)));
  }

  SmallVector<Value> body(ArrayRef<Value> outputs) {
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands())
      if (BlockArgument argument = op.getMatchingBlockArgument(input);
          !argument.use_empty())
        mapping.map(argument, load(*input));
    for (auto [init, value] : llvm::zip(op.getDpsInitsMutable(), outputs))
      if (value)
        mapping.map(op.getMatchingBlockArgument(&init), value);
    Block *block = op.getBlock();
    for (Operation &inner : block->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        mapping.map(index.getResult(), indices[index.getDim()]);
      else
        b.clone(inner, mapping);
    }
    return llvm::map_to_vector(
        block->getTerminator()->getOperands(),
        [&](Value value) { return mapping.lookupOrDefault(value); });
  }

  OpBuilder &b;
  linalg::LinalgOp op;
  Location loc;
  LoopPlan plan;
  SmallVector<Value> sizes, indices, low, high;
  Value zero, one;
  bool isSum = false;
};
} // namespace

Value buildGenericTaskCount(OpBuilder &b, Location loc, linalg::LinalgOp op,
                            const CpuTarget &target) {
  LoopPlan plan(op);
  if (target.byPoint) {
    SmallVector<Value> sizes = loopSizes(b, loc, op);
    KernelEmitter e(b, loc, /*hasFma=*/true);
    return e.product(llvm::map_to_vector(
        plan.parallel, [&](unsigned dim) { return sizes[dim]; }));
  }
  int64_t elements = 1;
  for (int64_t size : op.getStaticLoopRanges())
    elements = ShapedType::isDynamic(size) || ShapedType::isDynamic(elements)
                   ? ShapedType::kDynamic
                   : elements * size;
  if (!plan.taskDim ||
      (!ShapedType::isDynamic(elements) && elements <= kTaskElements))
    return constant(b, loc, 1);
  SmallVector<Value> sizes = loopSizes(b, loc, op);
  return ceilDiv(b, loc, sizes[*plan.taskDim], chunk(b, loc, plan, sizes));
}

LogicalResult lowerGenericToLoops(OpBuilder &b, linalg::LinalgOp op,
                                  Value begin, Value end,
                                  const CpuTarget &target) {
  LoopEmitter emitter(b, op);
  target.byPoint ? emitter.runPoints(begin, end) : emitter.run(begin, end);
  op->erase();
  return success();
}

} // namespace tenon
