//===- Indexing.cpp - elements chosen by indices --------------------------===//

#include "frontend/tensorflow/ops/Indexing.h"
#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/FedBlocks.h"
#include "frontend/tensorflow/ops/Numbers.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

SmallVector<NamedAttribute> sliceMasks(Binder &b) {
  SmallVector<NamedAttribute> masks;
  for (const char *name : {"begin_mask", "end_mask", "ellipsis_mask",
                           "new_axis_mask", "shrink_axis_mask"})
    if (int64_t mask = b.integer(name, 0))
      masks.push_back(b.attribute(name, mask));
  return masks;
}

namespace {
/// An op of the first input's type over `count` inputs.
Row plain(StringRef op, unsigned count) {
  return [op, count](Binder &b) {
    SmallVector<Value> inputs = b.inputList(0, count);
    b.set(0, b.make(op, Binder::type(inputs.empty() ? Value() : inputs[0]),
                    inputs));
  };
}

void importStridedSlice(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 4);
  if (!b.failed())
    b.set(0, b.make("graph.strided_slice", Binder::type(in[0]), in,
                    sliceMasks(b)));
}

/// Inputs: tensor, begin, end, strides, value.
void importSliceUpdate(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 5);
  if (!b.failed())
    b.set(0, b.make("graph.strided_slice_update", Binder::type(in[0]), in,
                    sliceMasks(b)));
}

/// Inputs: shape, begin, end, strides, dy.
void importSliceGrad(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 5);
  if (b.failed())
    return;
  Type type = Binder::type(in[4]);
  Value zeros = b.make("graph.fill", type, {in[0], b.scalar(type, 0)});
  b.set(0, b.make("graph.strided_slice_update", type,
                  {zeros, in[1], in[2], in[3], in[4]}, sliceMasks(b)));
}

void importGatherV2(Binder &b) {
  Value input = b.input(0), indices = b.input(1);
  int64_t batch = b.integer("batch_dims", 0);
  if (batch < 0)
    batch += b.rank(indices);
  if (!isKnown(b, 2))
    return b.set(0, gatherAtRun(b, batch));
  int64_t axis = b.constant(2);
  if (b.failed())
    return;
  axis = b.axis(axis, b.rank(input));
  b.set(0,
        b.make("graph.gather", Binder::type(input), {input, indices},
               {b.attribute("axis", axis), b.attribute("batch_dims", batch)}));
}

/// Vectors of indices into a tensor of `rank` dimensions. Where their length is
/// not known it follows from the updates: the dimensions that an index leaves.
Value sizedIndices(Binder &b, Value indices, Value updates, int64_t rank) {
  int64_t own = b.rank(indices), length = rank - b.rank(updates) + own - 1;
  if (own < 1 || graph::ShapeContext::asConstant(b.dims(indices).back()) ||
      length < 0 || length > rank)
    return indices;
  SmallVector<int64_t> sizes(own, -1);
  sizes.back() = length;
  return b.make("graph.ensure_shape", Binder::type(indices), indices,
                b.attribute("shape", sizes));
}

Row tensorScatter(StringRef mode) {
  return [mode](Binder &b) {
    SmallVector<Value> in = b.inputList(0, 3);
    if (b.failed())
      return;
    in[1] = sizedIndices(b, in[1], in[2], b.rank(in[0]));
    b.set(0, b.make("graph.tensor_scatter", Binder::type(in[0]), in,
                    b.textAttribute("mode", mode)));
  };
}

void importOneHot(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 4);
  if (!b.failed())
    b.set(0, b.make("graph.one_hot", Binder::type(in[2]), in,
                    b.attribute("axis", b.integer("axis", -1))));
}

void importPad(Binder &b) {
  Value input = b.input(0), paddings = b.input(1);
  Type type = Binder::type(input);
  Value value = b.inputCount() > 2 ? b.input(2) : b.scalar(type, 0);
  b.set(0, b.make("graph.pad", type, {input, paddings, value}));
}

void importMirrorPad(Binder &b) {
  Value input = b.input(0), paddings = b.input(1);
  SmallVector<NamedAttribute> attributes;
  if (b.text("mode", {}) == "SYMMETRIC")
    attributes.push_back(b.unit("symmetric"));
  b.set(0, b.make("graph.mirror_pad", Binder::type(input), {input, paddings},
                  attributes));
}

void reverse(Binder &b, Value input, ArrayRef<int64_t> axes) {
  b.set(0, b.make("graph.reverse", Binder::type(input), input,
                  b.attribute("axes", axes)));
}

/// Input 1 says true or false for each dimension.
void importReverse(Binder &b) {
  if (!isKnown(b, 1))
    return b.set(0, reverseAtRun(b, /*byFlags=*/true));
  Value input = b.input(0);
  SmallVector<int64_t> axes;
  for (auto [i, turn] : llvm::enumerate(b.constants(1)))
    if (turn)
      axes.push_back(i);
  reverse(b, input, axes);
}

void importReverseV2(Binder &b) {
  if (!isKnown(b, 1))
    return b.set(0, reverseAtRun(b, /*byFlags=*/false));
  Value input = b.input(0);
  SmallVector<int64_t> axes = b.constants(1);
  for (int64_t &axis : axes)
    axis = b.axis(axis, b.rank(input));
  reverse(b, input, axes);
}

void importReverseSequence(Binder &b) {
  Value input = b.input(0), lengths = b.input(1);
  b.set(0,
        b.make("graph.reverse_sequence", Binder::type(input), {input, lengths},
               {b.attribute("axis", b.integer("seq_dim")),
                b.attribute("batch_axis", b.integer("batch_dim", 0))}));
}

void importRoll(Binder &b) {
  Value input = b.input(0), shifts = b.input(1);
  if (!isKnown(b, 2)) {
    rollAtRun(b);
    return;
  }
  SmallVector<int64_t> axes = b.constants(2);
  for (int64_t &axis : axes)
    axis = b.axis(axis, b.rank(input));
  b.set(0, b.make("graph.roll", Binder::type(input), {input, shifts},
                  b.attribute("axes", axes)));
}

//===----------------------------------------------------------------------===//
// Diagonals
//===----------------------------------------------------------------------===//

/// Diagonals `lower` to `upper` from input `i`: one number or two.
SmallVector<NamedAttribute> diagonals(Binder &b, std::optional<unsigned> i) {
  SmallVector<int64_t> range = {0, 0};
  if (i)
    range = b.constants(*i);
  if (range.size() == 1)
    range.push_back(range[0]);
  if (range.size() != 2) {
    b.fail("expected one or two diagonals");
    return {};
  }
  return {b.attribute("lower", range[0]), b.attribute("upper", range[1]),
          b.textAttribute("align", b.text("align", b.op().ends_with("V3")
                                                       ? "RIGHT_LEFT"
                                                       : "LEFT_LEFT"))};
}

/// MatrixDiagV2/V3 have k, rows, columns and padding as inputs 1 to 4.
void importMatrixDiag(Binder &b) {
  Value diagonal = b.input(0);
  Type type = Binder::type(diagonal);
  bool full = b.inputCount() >= 5;
  if (full && hasFedDiagonal(b, 1, 3))
    return b.set(0, diagonalAtRun(b));
  auto attributes =
      diagonals(b, full ? std::optional<unsigned>(1) : std::nullopt);
  if (full) {
    attributes.push_back(b.attribute("rows", b.constant(2)));
    attributes.push_back(b.attribute("columns", b.constant(3)));
  }
  Value padding = full ? b.input(4) : b.scalar(type, 0);
  b.set(0, b.make("graph.matrix_diag", type, {diagonal, padding}, attributes));
}

void importMatrixDiagPart(Binder &b) {
  Value input = b.input(0);
  Type type = Binder::type(input);
  bool full = b.inputCount() >= 3;
  if (full && hasFedDiagonal(b, 1, 1))
    return b.set(0, diagonalPartAtRun(b));
  auto attributes =
      diagonals(b, full ? std::optional<unsigned>(1) : std::nullopt);
  Value padding = full ? b.input(2) : b.scalar(type, 0);
  b.set(0,
        b.make("graph.matrix_diag_part", type, {input, padding}, attributes));
}

void importMatrixSetDiag(Binder &b) {
  Value input = b.input(0), diagonal = b.input(1);
  if (b.inputCount() >= 3 && hasFedDiagonal(b, 2, 2))
    return b.set(0, setDiagonalAtRun(b));
  auto attributes = diagonals(
      b, b.inputCount() >= 3 ? std::optional<unsigned>(2) : std::nullopt);
  b.set(0, b.make("graph.matrix_set_diag", Binder::type(input),
                  {input, diagonal}, attributes));
}

void importBandPart(Binder &b) {
  SmallVector<Value> in = b.inputList(0, 3);
  if (b.failed())
    return;
  int64_t rank = b.rank(in[0]);
  if (rank < 2)
    return b.fail("expected matrices");
  Type i64 = b.builder().getI64Type();
  Value sizes = b.make("graph.shape_of", i64, in[0]);
  for (int i : {1, 2})
    expect(b, b.cast(in[i], i64), "graph.less_equal",
           b.make("graph.gather", i64,
                  {sizes, b.scalar(i64, double(rank - 3 + i))},
                  b.attribute("axis", int64_t(0))),
           "the band is wider than the matrix");
  b.set(0, b.make("graph.matrix_band_part", Binder::type(in[0]), in));
}

/// Diag and DiagPart take all dimensions, or halves of them, for one.
void importDiag(Binder &b) {
  Value input = b.input(0);
  if (b.failed())
    return;
  Type type = Binder::type(input);
  graph::Dims dims(b.dims(input));
  AffineExpr count = b.shapes().product(dims);
  Value matrix =
      b.make("graph.matrix_diag", type,
             {b.reshape(input, count), b.scalar(type, 0)}, diagonals(b, {}));
  graph::Dims twice(dims);
  llvm::append_range(twice, dims);
  b.set(0, b.reshape(matrix, twice));
}

void importDiagPart(Binder &b) {
  Value input = b.input(0);
  if (b.failed())
    return;
  Type type = Binder::type(input);
  graph::Dims dims(b.dims(input));
  if (dims.size() % 2)
    return b.fail("expected an even number of dimensions");
  ArrayRef<AffineExpr> half = ArrayRef(dims).take_front(dims.size() / 2);
  for (size_t i = 0; i < half.size(); ++i)
    expectSize(b, input, i, input, i + half.size(),
               "the first and the second half of the dimensions differ");
  AffineExpr rows = b.shapes().product(half),
             columns =
                 b.shapes().product(ArrayRef(dims).drop_front(half.size()));
  Value part = b.make("graph.matrix_diag_part", type,
                      {b.reshape(input, {rows, columns}), b.scalar(type, 0)},
                      diagonals(b, {}));
  b.set(0, b.reshape(part, half));
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Row depthSpace(StringRef op) {
  return [op](Binder &b) {
    Value input = b.input(0);
    std::string format = b.text("data_format", "NHWC");
    SmallVector<NamedAttribute> attributes = {
        b.attribute("block", b.integer("block_size"))};
    if (format == "NCHW")
      attributes.push_back(b.unit("channels_first"));
    else if (format != "NHWC")
      b.fail("data format '" + format + "' is not supported");
    b.set(0, b.make(op, Binder::type(input), input, attributes));
  };
}

/// Blocks that go to the batch, or come from there. The older forms have one
/// size for height and width.
Row blocks(bool toBatch) {
  return [toBatch](Binder &b) {
    bool square = b.inputCount() == 2;
    Value input = b.input(0), borders = b.input(square ? 1 : 2), block;
    if (square) {
      int64_t size = b.integer("block_size");
      block = b.integersConstant({size, size}, b.builder().getI32Type());
    } else {
      block = b.input(1);
    }
    if (b.failed())
      return;
    auto known = b.shapes().contents(borders);
    if (b.shapes().constants(block) && known &&
        !llvm::is_contained(*known, AffineExpr()))
      return b.set(
          0, b.make(toBatch ? "graph.space_to_batch" : "graph.batch_to_space",
                    Binder::type(input), {input, block, borders}));
    b.set(0, toBatch ? spaceToBatchAtRun(b, input, block, borders)
                     : batchToSpaceAtRun(b, input, block, borders));
  };
}

//===----------------------------------------------------------------------===//
// Results of other sizes
//===----------------------------------------------------------------------===//

void topK(Binder &b, Value k) {
  Value input = b.input(0);
  Type index = b.has("index_type") ? b.elementType("index_type")
                                   : Type(b.builder().getI32Type());
  b.setAll(b.makeAll("graph.top_k", {Binder::type(input), index}, {input, k}));
}

void importUnique(Binder &b) {
  Value input = b.input(0);
  Type index = b.has("out_idx") ? b.elementType("out_idx")
                                : Type(b.builder().getI32Type());
  if (input && b.rank(input) != 1)
    b.fail("expected a vector");
  b.setAll(
      b.makeAll("graph.unique", {Binder::type(input), index, index}, input));
}

/// Parts along `axis` that differ, in the order in which they come first: each
/// is compared with each. Result 0 is only returned.
Value uniqueParts(Binder &b, Value input, int64_t axis) {
  Type type = Binder::type(input);
  Type index = b.has("out_idx") ? b.elementType("out_idx")
                                : Type(b.builder().getI32Type());
  Numbers n(b);
  SmallVector<int64_t> order = {axis};
  for (int64_t i = 0; i < b.rank(input); ++i)
    if (i != axis)
      order.push_back(i);
  Formula count = n.size(input, axis);
  Value length[] = {count, n.product(n.part(n.sizes(input), 0, b.rank(input)))};
  Value width = n.quotient(length[1], maximum(count, n.number(1)));
  Value shape[] = {count, width};
  Value rows = n.reshaped(b.transpose(input, order), n.packed(shape));
  auto expanded = [&](int64_t at) {
    return b.make("graph.expand_dims", type, rows,
                  b.attribute("axes", ArrayRef<int64_t>(at)));
  };
  auto along = [&](int64_t at) {
    return b.attribute("axes", ArrayRef<int64_t>(at));
  };
  Value same =
      b.make("graph.reduce_all", n.i1,
             b.make("graph.equal", n.i1, {expanded(1), expanded(0)}), along(2));
  // Not a number is equal to nothing, but is the first of itself.
  same = b.make("graph.or", n.i1,
                {same, n.equal(n.reshaped(n.below(count), n.vector({-1, 1})),
                               n.below(count))});
  Formula first(b, b.make("graph.argmax", n.i64, b.cast(same, n.i64),
                          b.attribute("axis", int64_t(1))));
  Value isFirst = n.equal(first, n.below(count));
  Value places =
      n.reshaped(b.make("graph.nonzero", n.i64, isFirst), n.vector({-1}));
  Formula found = n.size(places, 0);
  Value numbers = b.make("graph.cumsum", n.i64, b.cast(isFirst, n.i64),
                         b.attribute("axis", int64_t(0)));
  Formula ids = n.gathered(numbers, first) - n.number(1);
  Value ones = b.make("graph.fill", n.i64, {n.sizes(first), n.number(1)});
  Value counts = b.make("graph.segment", n.i64, {ones, ids, found},
                        b.textAttribute("mode", "sum"));
  b.set(1, b.cast(ids, index));
  b.set(2, b.cast(counts, index));
  return n.gathered(input, places, axis);
}

/// Input 1 names a dimension, or none of a vector.
void importUniqueV2(Binder &b) {
  Value input = b.input(0);
  if (b.failed())
    return;
  if (!isKnown(b, 1) && b.rank(input) == 1)
    return importUnique(b);
  if (!isKnown(b, 1))
    return b.set(0, alongFedAxis(b, [&](Value view) {
                   return uniqueParts(b, view, 1);
                 }));
  SmallVector<int64_t> axes = b.constants(1);
  if (axes.size() > 1)
    b.fail("expected one axis or none");
  if (axes.empty() || b.rank(input) == 1) {
    if (!axes.empty())
      b.axis(axes[0], 1);
    return importUnique(b);
  }
  int64_t axis = b.axis(axes[0], b.rank(input));
  if (!b.failed())
    b.set(0, uniqueParts(b, input, axis));
}

/// A size that some elements of a tensor replace, wherever these are: indices
/// that are remainders are inside of the first vector, which is whole.
Value replacedElements(Binder &b, ArrayRef<Value> in) {
  if (in.size() != 4 || b.rank(in[0]) != 1 || b.rank(in[1]) != 1 ||
      b.rank(in[2]) != 1 || b.rank(in[3]) != 1 ||
      !b.shapes().constants(in[0]) || b.shapes().constants(in[1]))
    return {};
  SmallVector<int64_t> places = *b.shapes().constants(in[0]);
  for (auto [i, place] : llvm::enumerate(places))
    if (place != int64_t(i))
      return {};
  Operation *remainder = in[1].getDefiningOp();
  if (!remainder || remainder->getName().getStringRef() != "graph.floor_mod")
    return {};
  auto divisor = b.shapes().constants(remainder->getOperand(1));
  if (!divisor || divisor->size() != 1 || divisor->front() < 1 ||
      divisor->front() > int64_t(places.size()))
    return {};
  Value rows = b.make("graph.expand_dims", Binder::type(in[1]), in[1],
                      b.attribute("axes", ArrayRef<int64_t>{1}));
  return b.make("graph.tensor_scatter", Binder::type(in[2]),
                {in[2], rows, in[3]}, b.textAttribute("mode", "update"));
}

void importDynamicStitch(Binder &b) {
  SmallVector<Value> all = b.inputList(0);
  if (all.empty() || all.size() % 2)
    b.fail("expected as many indices as data");
  if (b.failed())
    return;
  if (Value replaced = replacedElements(b, all))
    return b.set(0, replaced);
  b.set(0, b.make("graph.dynamic_stitch", Binder::type(all.back()), all));
}

Row segment(StringRef mode, bool counted) {
  return [mode, counted](Binder &b) {
    SmallVector<Value> in = b.inputList(0, counted ? 3 : 2);
    if (b.failed())
      return;
    auto complex = dyn_cast<ComplexType>(Binder::type(in[0]));
    if (complex && (mode == "sum" || mode == "mean")) {
      Value whole = in[0];
      Type part = complex.getElementType();
      auto combined = [&](StringRef op) {
        in[0] = b.make(op, part, whole);
        return b.make("graph.segment", part, in, b.textAttribute("mode", mode));
      };
      Value real = combined("graph.real"), imaginary = combined("graph.imag");
      b.set(0, b.make("graph.complex", complex, {real, imaginary}));
    } else
      b.set(0, b.make("graph.segment", Binder::type(in[0]), in,
                      b.textAttribute("mode", mode)));
  };
}

Row resize(StringRef mode) {
  return [mode](Binder &b) {
    Value input = b.input(0), size = b.input(1);
    SmallVector<NamedAttribute> attributes = {b.textAttribute("mode", mode)};
    if (b.flag("align_corners", false))
      attributes.push_back(b.unit("align_corners"));
    if (b.flag("half_pixel_centers", false))
      attributes.push_back(b.unit("half_pixel_centers"));
    expect(b, b.scalar(b.builder().getI32Type(), 0), "graph.less",
           b.cast(size, b.builder().getI32Type()),
           "the size of the result must be positive");
    Type type = mode == "nearest" ? Binder::type(input)
                                  : Type(b.builder().getF32Type());
    // The linear modes compute in float32 whatever comes in.
    if (mode != "nearest")
      input = b.cast(input, type);
    b.set(0, b.make("graph.resize", type, {input, size}, attributes));
  };
}

void importExtractPatches(Binder &b) {
  Value input = b.input(0);
  auto part = [&](StringRef attr) {
    SmallVector<int64_t> list = b.integers(attr, {});
    if (list.size() != 4 || list[0] != 1 || list[3] != 1) {
      b.fail("attribute '" + attr + "' must be [1, height, width, 1]");
      return SmallVector<int64_t>();
    }
    return SmallVector<int64_t>{list[1], list[2]};
  };
  b.set(0, b.make("graph.extract_patches", Binder::type(input), input,
                  {b.attribute("window", part("ksizes")),
                   b.attribute("strides", part("strides")),
                   b.attribute("dilations", part("rates")),
                   b.textAttribute("padding", b.text("padding", {}))}));
}
} // namespace

void addIndexingRows(RowTable &table) {
  table["Slice"] = [](Binder &b) {
    Value input = b.input(0), begin = sizedInput(b, 1, b.rank(input)),
          size = sizedInput(b, 2, b.rank(input));
    b.set(0, b.make("graph.slice", Binder::type(input), {input, begin, size}));
  };
  table["StridedSlice"] = importStridedSlice;
  table["StridedSliceGrad"] = importSliceGrad;
  table["TensorStridedSliceUpdate"] = importSliceUpdate;
  table["Gather"] = plain("graph.gather", 2);
  table["GatherV2"] = importGatherV2;
  table["GatherNd"] = plain("graph.gather_nd", 2);
  table["ScatterNd"] = [](Binder &b) {
    SmallVector<Value> in = b.inputList(0, 3);
    if (b.failed())
      return;
    if (b.rank(in[2]) == 1)
      if (auto rank = graph::ShapeContext::asConstant(b.dims(in[2])[0]))
        in[0] = sizedIndices(b, in[0], in[1], *rank);
    b.set(0, b.make("graph.scatter_nd", Binder::type(in[1]), in));
  };
  table["TensorScatterUpdate"] = tensorScatter("update");
  table["TensorScatterAdd"] = tensorScatter("add");
  table["TensorScatterSub"] = tensorScatter("sub");
  table["TensorScatterMax"] = tensorScatter("max");
  table["TensorScatterMin"] = tensorScatter("min");
  table["OneHot"] = importOneHot;
  table["Pad"] = table["PadV2"] = importPad;
  table["MirrorPad"] = importMirrorPad;
  table["Reverse"] = importReverse;
  table["ReverseV2"] = importReverseV2;
  table["ReverseSequence"] = importReverseSequence;
  table["Roll"] = importRoll;
  table["MatrixBandPart"] = importBandPart;
  table["MatrixDiag"] = table["MatrixDiagV2"] = table["MatrixDiagV3"] =
      importMatrixDiag;
  table["MatrixDiagPart"] = table["MatrixDiagPartV2"] =
      table["MatrixDiagPartV3"] = importMatrixDiagPart;
  table["MatrixSetDiag"] = table["MatrixSetDiagV2"] = table["MatrixSetDiagV3"] =
      importMatrixSetDiag;
  for (const char *name :
       {"MatrixBandPart", "MatrixDiag", "MatrixDiagPart", "MatrixSetDiag"})
    table[std::string("Batch") + name] = table[name];
  table["ScatterNdNonAliasingAdd"] = [](Binder &b) {
    Value input = b.input(0);
    b.set(0, b.make("graph.tensor_scatter", Binder::type(input),
                    {input, b.input(1), b.input(2)},
                    b.textAttribute("mode", "add")));
  };
  table["Diag"] = importDiag;
  table["DiagPart"] = importDiagPart;
  table["DepthToSpace"] = depthSpace("graph.depth_to_space");
  table["SpaceToDepth"] = depthSpace("graph.space_to_depth");
  table["SpaceToBatchND"] = table["SpaceToBatch"] = blocks(true);
  table["BatchToSpaceND"] = table["BatchToSpace"] = blocks(false);
  table["TopKV2"] = [](Binder &b) { topK(b, b.input(1)); };
  table["TopK"] = [](Binder &b) {
    topK(b, b.scalar(b.builder().getI32Type(), double(b.integer("k"))));
  };
  table["Where"] = [](Binder &b) {
    b.set(0, b.make("graph.nonzero", b.builder().getI64Type(), b.input(0)));
  };
  table["Unique"] = table["UniqueWithCounts"] = importUnique;
  table["UniqueV2"] = table["UniqueWithCountsV2"] = importUniqueV2;
  table["DynamicStitch"] = table["ParallelDynamicStitch"] = importDynamicStitch;
  struct Mode {
    const char *source, *name;
  };
  for (Mode mode : std::initializer_list<Mode>{
           {"Sum", "sum"}, {"Prod", "prod"}, {"Min", "min"}, {"Max", "max"}}) {
    table[std::string("Segment") + mode.source] = segment(mode.name, false);
    table[std::string("UnsortedSegment") + mode.source] =
        segment(mode.name, true);
  }
  table["SegmentMean"] = segment("mean", false);
  table["ResizeBilinear"] = resize("bilinear");
  table["ResizeBicubic"] = resize("bicubic");
  table["ResizeNearestNeighbor"] = resize("nearest");
  table["ExtractImagePatches"] = importExtractPatches;
}

} // namespace tenon::tf
