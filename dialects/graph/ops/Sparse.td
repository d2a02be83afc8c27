// Sparse matrices as indices, values and shape.
#ifndef TENON_GRAPH_SPARSE
#define TENON_GRAPH_SPARSE

include "dialects/graph/HostCall.td"

class Graph_SparseOp<string mnemonic, string text, dag operands, dag outputs> : Graph_HostOp<mnemonic, [Pure]> {
  let summary = text;
  let arguments = operands;
  let results = outputs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Graph_SparseReshapeOp : Graph_SparseOp<"sparse_reshape", "indices in another shape of as many elements; one size may be -1",
    (ins RankedTensorOf<[I64]>:$indices, RankedTensorOf<[I64]>:$shape, RankedTensorOf<[I64]>:$new_shape),
    (outs RankedTensorOf<[I64]>:$new_indices, RankedTensorOf<[I64]>:$full_shape)>;

def Graph_SparseFillEmptyRowsOp : Graph_SparseOp<"sparse_fill_empty_rows", "puts a default into the first column of rows without values",
    (ins RankedTensorOf<[I64]>:$indices, Graph_Tensor:$values, RankedTensorOf<[I64]>:$shape, Graph_Tensor:$default_value),
    (outs RankedTensorOf<[I64]>:$new_indices, Graph_Tensor:$new_values, RankedTensorOf<[I1]>:$empty, RankedTensorOf<[I64]>:$reverse)>;

def Graph_SparseSegmentOp : Graph_SparseOp<"sparse_segment", "`sum`, `mean` or `sqrtn` of rows of a tensor by ascending segment",
    (ins Graph_Tensor:$data, Graph_IntTensor:$indices, Graph_IntTensor:$segments, Optional<Graph_IntTensor>:$count, StrAttr:$mode),
    (outs Graph_Tensor:$result)>;

def Graph_SparseToDenseOp : Graph_SparseOp<"sparse_to_dense", "a dense tensor with values at indices; `validate`: in order and once each",
    (ins Graph_IntTensor:$indices, Graph_IntTensor:$shape, Graph_Tensor:$values, Graph_Tensor:$default_value, UnitAttr:$validate),
    (outs Graph_Tensor:$result)>;

def Graph_SparseMatMulOp : Graph_SparseOp<"sparse_matmul", "a sparse matrix times a dense one",
    (ins Graph_IntTensor:$indices, Graph_Tensor:$values, RankedTensorOf<[I64]>:$shape, Graph_Tensor:$dense, UnitAttr:$adjoint_a, UnitAttr:$adjoint_b),
    (outs Graph_Tensor:$result)>;

def Graph_EditDistanceOp : Graph_SparseOp<"edit_distance", "how many elements of sequences differ; `normalize`: as part of the second's length",
    (ins RankedTensorOf<[I64]>:$indices, Graph_Tensor:$values, RankedTensorOf<[I64]>:$shape,
     RankedTensorOf<[I64]>:$true_indices, Graph_Tensor:$true_values, RankedTensorOf<[I64]>:$true_shape, UnitAttr:$normalize),
    (outs RankedTensorOf<[F32]>:$result)> {
  let description = [{
    Both are sparse, in order; sequences go along the last dimension. The other
    dimensions, the larger ones of both, are those of the result.
  }];
}

def Graph_RaggedToDenseOp : Graph_SparseOp<"ragged_to_dense", "a ragged tensor filled up with a default to a dense one",
    (ins Graph_IntTensor:$shape, Graph_Tensor:$values, Graph_Tensor:$default_value, Variadic<Graph_IntTensor>:$partitions, StrArrayAttr:$kinds),
    (outs Graph_Tensor:$result)> {
  let description = [{
    Each partition is of a kind: FIRST_DIM_SIZE (only the first: the number of
    rows), VALUE_ROWIDS (the row of each value) or ROW_SPLITS (where rows begin,
    and the end). A size of `shape` that is -1, and all of a scalar, is as large
    as the longest row.
  }];
}

def Graph_SparseConcatOp : Graph_HostOp<"sparse_concat", [Pure, AttrSizedOperandSegments]> {
  let summary = "sparse tensors one after the other along an axis";
  let arguments = (ins Variadic<RankedTensorOf<[I64]>>:$indices, Variadic<Graph_Tensor>:$values, Variadic<RankedTensorOf<[I64]>>:$shapes, I64Attr:$axis);
  let results = (outs RankedTensorOf<[I64]>:$new_indices, Graph_Tensor:$new_values, RankedTensorOf<[I64]>:$new_shape);
  let assemblyFormat = "`(` $indices `)` `(` $values `)` `(` $shapes `)` attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_SPARSE
