// Matrix products.
#ifndef TENON_GRAPH_CONTRACTION
#define TENON_GRAPH_CONTRACTION

include "dialects/graph/GraphTypes.td"

def Graph_MatMulOp : Graph_PureOp<"matmul"> {
  let summary = "matrix product of the last two dimensions";
  let description = [{
    [batch..., M, K] times [batch..., K, N] gives [batch..., M, N]; batch
    dimensions broadcast as NumPy does. `transpose_a`/`transpose_b`: that
    operand has its last two dimensions exchanged; `conjugate_a`/`conjugate_b`:
    it is conjugated as well.

    ```mlir
    %r = graph.matmul %a, %b {transpose_b} : (tensor<4x3xf32>, tensor<5x3xf32>) -> tensor<4x5xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$lhs, Graph_Tensor:$rhs,
      UnitAttr:$transpose_a, UnitAttr:$transpose_b, UnitAttr:$conjugate_a,
      UnitAttr:$conjugate_b);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat =
      "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Graph_EinsumOp : Graph_PureOp<"einsum"> {
  let summary = "Einstein's sum of one or two tensors";
  let description = [{
    `equation` in NumPy's notation with an explicit result (`ab,bc->ac`). `...`
    stands for leading broadcast dimensions; a label twice in one operand takes
    the diagonal.

    ```mlir
    %r = graph.einsum %a, %b {equation = "abc,cde->abde"} : (tensor<2x4x3xf32>, tensor<3x5x6xf32>) -> tensor<2x4x5x6xf32>
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$inputs, StrAttr:$equation);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat =
      "$inputs attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_CONTRACTION
