//===- Sparse.cpp - sparse tensors ----------------------------------------===//

#include "frontend/tensorflow/ops/Rows.h"

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
    Value data = b.input(0);
    b.set(0, b.make("graph.sparse_segment", Binder::type(data), b.inputList(0),
                    b.textAttribute("mode", mode)));
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
  SmallVector<NamedAttribute> attributes;
  for (StringRef side : {"adjoint_a", "adjoint_b"})
    if (b.flag(side, false))
      attributes.push_back(b.unit(side));
  Value values = b.input(1);
  b.set(0, b.make("graph.sparse_matmul", Binder::type(values),
                  b.inputList(0, 4), attributes));
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
  table["SparseToDense"] = importToDense;
  table["SparseTensorDenseMatMul"] = importMatMul;
  table["SparseConcat"] = importConcat;
  table["RaggedTensorToTensor"] = importRaggedToDense;
}

} // namespace tenon::tf
