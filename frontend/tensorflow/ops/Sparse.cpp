//===- Sparse.cpp - sparse tensors ----------------------------------------===//

#include "frontend/tensorflow/ops/Coo.h"

using namespace mlir;

namespace tenon::tf {

namespace {
void importReshape(Binder &b) {
  Type i64 = b.builder().getI64Type();
  b.setAll(b.makeAll("graph.sparse_reshape", {i64, i64}, b.inputList(0, 3)));
}

void importFillEmptyRows(Binder &b) {
  Type i64 = b.builder().getI64Type();
  Value values = b.input(1);
  b.setAll(b.makeAll("graph.sparse_fill_empty_rows",
                     {i64, Binder::type(values), b.builder().getI1Type(), i64},
                     {b.input(0), values, b.input(2), b.input(3)}));
}

Row segment(StringRef mode) {
  return [mode](Binder &b) {
    SmallVector<Value> in = b.inputList(0);
    if (b.failed() || in.empty())
      return b.fail("expected data, indices and segments");
    // Narrow numbers are summed as wide ones.
    Type type = Binder::type(in[0]), wide = type;
    OpBuilder &builder = b.builder();
    if (type.isF16() || type.isBF16())
      wide = builder.getF32Type();
    else if (type.isInteger() && type.getIntOrFloatBitWidth() < 32)
      wide = builder.getI32Type();
    else if (type.isUnsignedInteger())
      wide = builder.getI64Type();
    in[0] = b.cast(in[0], wide);
    b.set(0, b.cast(b.make("graph.sparse_segment", wide, in,
                           b.textAttribute("mode", mode)),
                    type));
  };
}

/// Inputs: gradient of the rows' sums, indices, segments, number of rows. Rows
/// of a segment get its gradient, divided by their number or its root. The
/// second version gives the rows that are not 0, and where they are.
Row segmentGradient(StringRef mode, bool second) {
  return [mode, second](Binder &b) {
    Value grad = b.input(0), indices = b.input(1), segments = b.input(2),
          count = b.input(3);
    if (b.failed())
      return;
    if (b.rank(grad) < 1 || b.rank(indices) != 1 || b.rank(segments) != 1)
      return b.fail("expected rows, and vectors of indices and segments");
    Type type = Binder::type(grad), i64 = b.builder().getI64Type();
    auto along = b.attribute("axis", int64_t(0));
    auto sums = [&](Value rows, Value ids, Value number) {
      return b.make("graph.segment", Binder::type(rows), {rows, ids, number},
                    b.textAttribute("mode", "sum"));
    };
    Value sizes = b.make("graph.shape_of", i64, indices);
    Value rows = b.make("graph.gather", type, {grad, segments}, along);
    Value ones = b.make("graph.fill", type, {sizes, b.scalar(type, 1)});
    if (mode != "sum") {
      Value groups =
          b.make("graph.reshape", i64,
                 {b.shapeTensor(b.dims(grad)[0]), b.integersConstant({}, i64)});
      Value number = b.make("graph.gather", type,
                            {sums(ones, segments, groups), segments}, along);
      if (mode == "sqrtn")
        number = b.make("graph.sqrt", type, number);
      SmallVector<int64_t> axes;
      for (int64_t i = 1; !b.failed() && i < b.rank(grad); ++i)
        axes.push_back(i);
      if (!axes.empty())
        number = b.make("graph.expand_dims", type, number,
                        b.attribute("axes", axes));
      rows = b.make("graph.div", type, {rows, number});
    }
    Value all = sums(rows, indices, count);
    if (!second)
      return b.set(0, all);
    Value used = b.make("graph.greater", b.builder().getI1Type(),
                        {sums(ones, indices, count), b.scalar(type, 0)});
    Value places = b.make("graph.nonzero", i64, used);
    if (b.failed())
      return;
    places = b.reshape(places, b.dims(places)[0]);
    b.set(0, b.make("graph.gather", type, {all, places}, along));
    b.set(1, b.failed() ? Value() : b.cast(places, Binder::type(indices)));
  };
}

void importToDense(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("validate_indices", true))
    attributes.push_back(b.unit("validate"));
  Value values = b.input(2);
  b.set(0, b.make("graph.sparse_to_dense", Binder::type(values),
                  b.inputList(0, 4), attributes));
}

void importMatMul(Binder &b) {
  bool adjoint[] = {b.flag("adjoint_a", false), b.flag("adjoint_b", false)};
  SmallVector<NamedAttribute> attributes;
  if (adjoint[0])
    attributes.push_back(b.unit("adjoint_a"));
  if (adjoint[1])
    attributes.push_back(b.unit("adjoint_b"));
  Value indices = b.input(0), values = b.input(1), shape = b.input(2),
        dense = b.input(3);
  if (b.failed())
    return;
  Type type = Binder::type(values);
  // Narrow numbers are summed as wide ones, complex ones by their parts.
  auto multiply = [&](Value x, Value y) {
    Type wide = Binder::type(x);
    if (wide.isF16() || wide.isBF16())
      wide = b.builder().getF32Type();
    return b.cast(b.make("graph.sparse_matmul", wide,
                         {indices, b.cast(x, wide), shape, b.cast(y, wide)},
                         attributes),
                  Binder::type(x));
  };
  auto complex = dyn_cast<ComplexType>(type);
  if (!complex)
    return b.set(0, multiply(values, dense));
  Type part = complex.getElementType();
  auto parts = [&](Value value, bool conjugate) {
    Formula imaginary(b, b.make("graph.imag", part, value));
    return std::pair(Formula(b, b.make("graph.real", part, value)),
                     conjugate ? imaginary.unary("graph.neg") : imaginary);
  };
  auto [xr, xi] = parts(values, adjoint[0]);
  auto [yr, yi] = parts(dense, adjoint[1]);
  auto product = [&](const Formula &x, const Formula &y) {
    return Formula(b, multiply(x, y));
  };
  Formula real = product(xr, yr) - product(xi, yi),
          imaginary = product(xr, yi) + product(xi, yr);
  b.set(0, b.make("graph.complex", type, {real, imaginary}));
}

void importConcat(Binder &b) {
  int64_t count = b.integer("N");
  if (b.failed())
    return;
  if (count < 1 || b.inputCount() != 3 * count)
    return b.fail("N does not fit the inputs");
  int64_t axis = b.integer("concat_dim");
  int32_t segment = int32_t(count);
  Type i64 = b.builder().getI64Type();
  b.setAll(b.makeAll(
      "graph.sparse_concat", {i64, Binder::type(b.input(count)), i64},
      b.inputList(0),
      {b.attribute("axis", axis),
       b.attribute("operandSegmentSizes", b.builder().getDenseI32ArrayAttr(
                                              {segment, segment, segment}))}));
}

void importEditDistance(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("normalize", true))
    attributes.push_back(b.unit("normalize"));
  b.set(0, b.make("graph.edit_distance", b.builder().getF32Type(),
                  b.inputList(0, 6), attributes));
}

void importRaggedToDense(Binder &b) {
  SmallVector<std::string> kinds = b.texts("row_partition_types");
  SmallVector<StringRef> all(kinds.begin(), kinds.end());
  Value values = b.input(1);
  b.set(0, b.make("graph.ragged_to_dense", Binder::type(values), b.inputList(0),
                  b.attribute("kinds", b.builder().getStrArrayAttr(all))));
}
} // namespace

void addSparseRows(RowTable &table) {
  table["SparseReshape"] = importReshape;
  table["SparseFillEmptyRows"] = importFillEmptyRows;
  for (const char *suffix : {"", "WithNumSegments"}) {
    table[std::string("SparseSegmentSum") + suffix] = segment("sum");
    table[std::string("SparseSegmentMean") + suffix] = segment("mean");
    table[std::string("SparseSegmentSqrtN") + suffix] = segment("sqrtn");
  }
  struct Mode {
    const char *source, *name;
  };
  for (Mode mode : std::initializer_list<Mode>{
           {"Sum", "sum"}, {"Mean", "mean"}, {"SqrtN", "sqrtn"}}) {
    std::string name = std::string("SparseSegment") + mode.source + "Grad";
    table[name] = segmentGradient(mode.name, /*second=*/false);
    table[name + "V2"] = segmentGradient(mode.name, /*second=*/true);
  }
  table["SparseToDense"] = importToDense;
  table["SparseTensorDenseMatMul"] = importMatMul;
  table["SparseConcat"] = importConcat;
  table["EditDistance"] = importEditDistance;
  table["RaggedTensorToTensor"] = importRaggedToDense;
  addSparseArithmeticRows(table);
  addSetRows(table);
  addRaggedRows(table);
}

} // namespace tenon::tf
