// Derivatives of ops that choose elements by indices. What is read at an index
// gives its cotangent back by adding it there.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/Sequence.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// The op once more, over other operands: ops that undo themselves, or that do
/// the same to cotangents.
Tensor again(Gradient &g, ArrayRef<Tensor> operands) {
  return g.make(g.op->getName().getStringRef(), operands[0].type(), operands,
                attributesOf(g.op));
}

Tensor zerosLike(Gradient &g, Value value) { return g.filled(value, 0); }

//===----------------------------------------------------------------------===//
// Gathers and scatters
//===----------------------------------------------------------------------===//

/// Index vectors [..., k] for whole tensors from those of the dimensions after
/// the first `batchDims`, which the dimensions of `indices` lead with.
Tensor withBatch(Gradient &g, Tensor indices, int64_t batchDims) {
  if (batchDims == 0 || !indices)
    return indices;
  int64_t rank = indices.rank();
  Tensor shape =
      concat({part(g.shapeOf(indices.value()), 0, rank - 1), g.integers(1)}, 0);
  SmallVector<Tensor> columns;
  for (int64_t d = 0; d < batchDims; ++d) {
    SmallVector<int64_t> others;
    for (int64_t k = 0; k < rank; ++k)
      if (k != d)
        others.push_back(k);
    Tensor place = cast(g.iota(g.size(indices.value(), d)), indices.type());
    columns.push_back(broadcastTo(expandDims(place, others), shape));
  }
  columns.push_back(indices);
  return concat(columns, rank - 1);
}

void gatherGradient(GatherOp op, Gradient &g) {
  Tensor x = g(op.getInput()), indices = g(op.getIndices());
  int64_t rank = x.rank(), batch = op.getBatchDims(),
          axis = wrapAxis(op.getAxis(), rank);
  batch = batch < 0 ? batch + indices.rank() : batch;
  int64_t inner = indices.rank() - batch;
  // [batch, p, i, s] to [batch, i, p, s], and back from [batch, n, p, s].
  SmallVector<int64_t> forward = upTo(batch), order = upTo(batch);
  auto append = [](SmallVector<int64_t> &to, int64_t begin, int64_t end) {
    for (int64_t d = begin; d < end; ++d)
      to.push_back(d);
  };
  append(forward, axis, axis + inner);
  append(forward, batch, axis);
  append(forward, axis + inner, g.of().rank());
  append(order, axis, axis + 1);
  append(order, batch, axis);
  append(order, axis + 1, rank);
  Tensor vectors = withBatch(g, expandDims(indices, indices.rank()), batch);
  Tensor shape = gather(g.shapeOf(x.value()), g.integers(order));
  Tensor sums = scatter(vectors, transpose(g.of(), forward), shape);
  g.add(op.getInput(), transpose(sums, inverse(order)));
}

Tensor gatherNd(Tensor x, Tensor indices) {
  return x.builder().make("graph.gather_nd", x.type(), {x, indices});
}

void tensorScatterGradient(TensorScatterOp op, Gradient &g) {
  StringRef mode = op.getMode();
  Tensor x = g(op.getInput()), indices = g(op.getIndices()),
         updates = g(op.getUpdates()), y = g(op.getResult());
  if (mode == "add" || mode == "sub") {
    g.add(op.getInput(), g.of());
    Tensor read = gatherNd(g.of(), indices);
    g.add(op.getUpdates(), mode == "add" ? read : -read);
  } else if (mode == "update") {
    if (g.wants(op.getInput()))
      g.add(op.getInput(),
            again(g, {g.of(), indices, zerosLike(g, op.getUpdates())}));
    g.add(op.getUpdates(), gatherNd(g.of(), indices));
  } else if (mode == "min" || mode == "max") {
    // All that are equal to the result share.
    Tensor kept = cast(equal(x, y), x.type()),
           chosen = cast(equal(updates, gatherNd(y, indices)), x.type());
    Tensor count = kept + scatter(indices, chosen, g.shapeOf(x.value()));
    Tensor share = g.of() / count;
    g.add(op.getInput(), share * kept);
    g.add(op.getUpdates(), gatherNd(share, indices) * chosen);
  } else {
    g.fail("a scatter of products or quotients has no derivative: the order "
           "of updates of one place matters");
  }
}

/// Each element of the first result stands at the place that the second one
/// gives.
void topKGradient(TopKOp op, Gradient &g) {
  Tensor x = g(op.getInput()), indices = g(op.getIndices());
  if (!g.of())
    return;
  Tensor vectors =
      withBatch(g, expandDims(indices, indices.rank()), indices.rank() - 1);
  g.add(op.getInput(), scatter(vectors, g.of(), g.shapeOf(x.value())));
}

//===----------------------------------------------------------------------===//
// Slices and borders
//===----------------------------------------------------------------------===//

Tensor padding(Tensor x, Tensor before, Tensor after) {
  GraphBuilder &b = x.builder();
  Tensor paddings = b.make("graph.pack", b.i64(), {before, after},
                           b.attr("axis", int64_t(1)));
  return b.make("graph.pad", x.type(), {x, paddings, b.scalar(x.type(), 0)});
}

void sliceGradient(SliceOp op, Gradient &g) {
  if (g.of().rank() == 0)
    return g.add(op.getInput(), g.of());
  Tensor begin = cast(g(op.getBegin()), g.i64());
  Tensor after = g.shapeOf(op.getInput()) - begin - g.shapeOf(op.getResult());
  g.add(op.getInput(), padding(g.of(), begin, after));
}

void padGradient(PadOp op, Gradient &g) {
  int64_t rank = g.of().rank();
  if (rank == 0)
    return g.add(op.getInput(), g.of());
  Tensor paddings = cast(g(op.getPaddings()), g.i64());
  Tensor begin = gather(paddings, g.integer(0), 1);
  Tensor inside = slice(g.of(), begin, g.shapeOf(op.getInput()));
  g.add(op.getInput(), inside);
  if (g.wants(op.getValue()))
    g.add(op.getValue(), sum(g.of(), upTo(rank)) - sum(inside, upTo(rank)));
}

void stridedUpdateGradient(StridedSliceUpdateOp op, Gradient &g) {
  Tensor begin = g(op.getBegin()), end = g(op.getEnd()),
         strides = g(op.getStrides());
  if (g.wants(op.getInput()))
    g.add(op.getInput(),
          again(g, {g.of(), begin, end, strides, zerosLike(g, op.getValue())}));
  if (g.wants(op.getValue()))
    g.add(op.getValue(),
          g.make("graph.strided_slice", g.of().type(),
                 {g.of(), begin, end, strides}, attributesOf(op)));
}

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

/// Rows of `x` by segment; zeros for ids that belong to none.
struct Segments {
  Gradient &g;
  Tensor ids, count, valid;

  Segments(SegmentOp op, Gradient &g) : g(g), ids(g(op.getIds())) {
    if (op.getCount())
      count = g(op.getCount());
    int64_t rank = g(op.getInput()).rank();
    SmallVector<int64_t> trailing;
    for (int64_t d = ids.rank(); d < rank; ++d)
      trailing.push_back(d);
    valid = expandDims(ids >= g.scalar(ids.type(), 0), trailing);
  }

  Tensor spread(Tensor x) {
    Tensor inside = apply("maximum", ids, g.scalar(ids.type(), 0));
    return select(valid, gather(x, inside), 0);
  }

  Tensor collect(Tensor x, StringRef mode) {
    SmallVector<Tensor> operands = {x, ids};
    if (count)
      operands.push_back(count);
    return g.make("graph.segment", x.type(), operands, g.attr("mode", mode));
  }
};

void segmentGradient(SegmentOp op, Gradient &g) {
  Segments segments(op, g);
  Tensor x = g(op.getInput()), y = g(op.getResult());
  StringRef mode = op.getMode();
  if (mode == "sum")
    return g.add(op.getInput(), segments.spread(g.of()));
  if (mode == "mean") {
    Tensor counts = segments.collect(g.filled(op.getInput(), 1), "sum");
    Tensor one = g.scalar(x.type(), 1);
    return g.add(op.getInput(),
                 segments.spread(g.of() / apply("maximum", counts, one)));
  }
  if (mode == "prod") {
    // The product of the others: by division, except for the only zero.
    Tensor zero = equal(x, 0);
    Tensor zeros = segments.collect(cast(zero, x.type()), "sum");
    Tensor cotangent = select(zeros > 1, 0, g.of());
    Tensor others = segments.collect(select(zero, 1, x), "prod");
    Tensor rest = select(zero, segments.spread(others),
                         segments.spread(y) / select(zero, 1, x));
    return g.add(op.getInput(), segments.spread(cotangent) * rest);
  }
  Tensor chosen = segments.valid & equal(x, segments.spread(y));
  // A segment without elements gives nobody anything.
  Tensor count =
      apply("maximum", segments.collect(cast(chosen, x.type()), "sum"),
            g.scalar(x.type(), 1));
  g.add(op.getInput(), select(chosen, segments.spread(g.of() / count), 0));
}

//===----------------------------------------------------------------------===//
// Any op that only moves elements
//===----------------------------------------------------------------------===//

/// Moves the elements' numbers, from 1 on, as the op moves the elements, and
/// adds every cotangent at the number that came to its place. Number 0 is what
/// is no element of the operand.
void movedGradient(Gradient &g) {
  Value input = g.op->getOperand(0);
  Tensor total = g.size(input, upTo(g(input).rank())), one = g.integer(1);
  Tensor numbers = reshapeLike(g.iota(total) + one, input);
  SmallVector<Tensor> operands = {numbers};
  for (Value operand : llvm::drop_begin(g.op->getOperands()))
    operands.push_back(g(operand));
  Tensor from = again(g, operands), flat = g.integers(-1);
  Tensor sums =
      scatter(expandDims(reshape(from, flat), 1), reshape(g.of(), flat),
              expandDims(total + one, int64_t(0)));
  g.add(input, reshapeLike(slice(sums, g.integers(1), g.integers(-1)), input));
}

void addGathers(MLIRContext *c) {
  addRule<GatherOp>(c, [](GatherOp op, Gradient &g) { gatherGradient(op, g); });
  addRule<GatherNdOp>(c, [](GatherNdOp op, Gradient &g) {
    Tensor indices = withBatch(g, g(op.getIndices()), op.getBatchDims());
    g.add(op.getInput(), scatter(indices, g.of(), g.shapeOf(op.getInput())));
  });
  addRule<ScatterNdOp>(c, [](ScatterNdOp op, Gradient &g) {
    g.add(op.getUpdates(), gatherNd(g.of(), g(op.getIndices())));
  });
  addRule<TensorScatterOp>(
      c, [](TensorScatterOp op, Gradient &g) { tensorScatterGradient(op, g); });
  addRule<TopKOp>(c, [](TopKOp op, Gradient &g) { topKGradient(op, g); });
  addRule<DynamicStitchOp>(c, [](DynamicStitchOp op, Gradient &g) {
    for (auto [indices, data] : llvm::zip(op.getIndices(), op.getData()))
      if (g.wants(data))
        g.add(data, gather(g.of(), g(indices)));
  });
  addRule<SegmentOp>(c,
                     [](SegmentOp op, Gradient &g) { segmentGradient(op, g); });
  addRule<ListGetItemOp>(c, [](ListGetItemOp op, Gradient &g) {
    g.add(op.getList(),
          g.make("graph.list_set_item", g.of().type(),
                 {zerosLike(g, op.getList()), g(op.getIndex()), g.of()}));
  });
  addRule<ListSetItemOp>(c, [](ListSetItemOp op, Gradient &g) {
    if (g.wants(op.getItem()))
      g.add(op.getItem(), g.make("graph.list_get_item", g.of().type(),
                                 {g.of(), g(op.getIndex())}));
    if (!g.wants(op.getList()))
      return;
    Tensor rest =
        g.make("graph.list_set_item", g.of().type(),
               {g.of(), g(op.getIndex()), zerosLike(g, op.getItem())});
    if (op.getGrow())
      rest = slice(rest,
                   g.integers(SmallVector<int64_t>(rest ? rest.rank() : 1, 0)),
                   g.shapeOf(op.getList()));
    g.add(op.getList(), rest);
  });
}

void addSlices(MLIRContext *c) {
  addRule<SliceOp>(c, [](SliceOp op, Gradient &g) { sliceGradient(op, g); });
  addRule<StridedSliceOp>(c, [](StridedSliceOp op, Gradient &g) {
    g.add(op.getInput(), g.make("graph.strided_slice_update", g.of().type(),
                                {zerosLike(g, op.getInput()), g(op.getBegin()),
                                 g(op.getEnd()), g(op.getStrides()), g.of()},
                                attributesOf(op)));
  });
  addRule<StridedSliceUpdateOp>(c, [](StridedSliceUpdateOp op, Gradient &g) {
    stridedUpdateGradient(op, g);
  });
  addRule<PadOp>(c, [](PadOp op, Gradient &g) { padGradient(op, g); });
  addRule<ReverseOp>(c, [](ReverseOp op, Gradient &g) {
    g.add(op.getInput(), again(g, g.of()));
  });
  addRule<ReverseSequenceOp>(c, [](ReverseSequenceOp op, Gradient &g) {
    g.add(op.getInput(), again(g, {g.of(), g(op.getLengths())}));
  });
  addRule<RollOp>(c, [](RollOp op, Gradient &g) {
    g.add(op.getInput(), again(g, {g.of(), -g(op.getShifts())}));
  });
}

/// What diagonals are meant, for a related op.
template <typename OpTy>
SmallVector<NamedAttribute> diagonalsOf(OpTy op, Gradient &g) {
  return {g.attr("lower", int64_t(op.getLower())),
          g.attr("upper", int64_t(op.getUpper())),
          g.attr("align", op.getAlign())};
}

void addMatrices(MLIRContext *c) {
  addRule<MatrixBandPartOp>(c, [](MatrixBandPartOp op, Gradient &g) {
    g.add(op.getInput(),
          again(g, {g.of(), g(op.getLower()), g(op.getUpper())}));
  });
  addRule<MatrixDiagOp>(c, [](MatrixDiagOp op, Gradient &g) {
    Tensor zero = g.scalar(g.of().type(), 0);
    Tensor part = g.make("graph.matrix_diag_part", g.of().type(),
                         {g.of(), zero}, diagonalsOf(op, g));
    g.add(op.getDiagonal(), part);
    if (g.wants(op.getPadding()))
      g.add(op.getPadding(), sum(g.of(), upTo(g.of().rank())) -
                                 sum(part, upTo(g(op.getDiagonal()).rank())));
  });
  addRule<MatrixDiagPartOp>(c, [](MatrixDiagPartOp op, Gradient &g) {
    g.add(op.getInput(),
          g.make("graph.matrix_set_diag", g.of().type(),
                 {zerosLike(g, op.getInput()), g.of()}, diagonalsOf(op, g)));
  });
  addRule<MatrixSetDiagOp>(c, [](MatrixSetDiagOp op, Gradient &g) {
    if (g.wants(op.getInput()))
      g.add(op.getInput(), again(g, {g.of(), zerosLike(g, op.getDiagonal())}));
    Tensor zero = g.scalar(g.of().type(), 0);
    if (g.wants(op.getDiagonal()))
      g.add(op.getDiagonal(), g.make("graph.matrix_diag_part", g.of().type(),
                                     {g.of(), zero}, diagonalsOf(op, g)));
  });
}

void addBlocks(MLIRContext *c) {
  addRule<DepthToSpaceOp>(c, [](DepthToSpaceOp op, Gradient &g) {
    g.add(op.getInput(), g.make("graph.space_to_depth", g.of().type(), g.of(),
                                attributesOf(op)));
  });
  addRule<SpaceToDepthOp>(c, [](SpaceToDepthOp op, Gradient &g) {
    g.add(op.getInput(), g.make("graph.depth_to_space", g.of().type(), g.of(),
                                attributesOf(op)));
  });
  addRule<SpaceToBatchOp>(c, [](SpaceToBatchOp op, Gradient &g) {
    g.add(op.getInput(),
          g.make("graph.batch_to_space", g.of().type(),
                 {g.of(), g(op.getBlock()), g(op.getPaddings())}));
  });
  addRule<BatchToSpaceOp>(c, [](BatchToSpaceOp op, Gradient &g) {
    g.add(op.getInput(), g.make("graph.space_to_batch", g.of().type(),
                                {g.of(), g(op.getBlock()), g(op.getCrops())}));
  });
  addRule<ExtractPatchesOp>(
      c, [](ExtractPatchesOp, Gradient &g) { movedGradient(g); });
}
} // namespace

void tenon::graph::addIndexingGradients(MLIRContext *context) {
  addGathers(context);
  addSlices(context);
  addMatrices(context);
  addBlocks(context);
  // TensorFlow takes the values of one_hot for constants.
  addZeroRules<NonzeroOp, OneHotOp>(context);
  refuseGradient<UniqueOp>(context, [] {
    return "which elements are equal decides what its result is";
  });
}
