// Windowed maxima and means.
//
// Layouts, strides and padding as in Convolution.td; `window` has one element per
// spatial dimension.
#ifndef TENON_GRAPH_POOLING
#define TENON_GRAPH_POOLING

include "dialects/graph/GraphTypes.td"

class Graph_PoolOp<string mnemonic> : Graph_PureOp<mnemonic> {
  let arguments = (ins Graph_Tensor:$input, DenseI64ArrayAttr:$window,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, StrAttr:$padding,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_MaxPoolOp : Graph_PoolOp<"max_pool"> {
  let summary = "the maximum of each window";
  let description = [{
    Padding is no element of any window.

    ```mlir
    %r = graph.max_pool %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"}
        : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x3xf32>
    ```
  }];
}

def Graph_AvgPoolOp : Graph_PoolOp<"avg_pool"> {
  let summary = "the mean of each window";
  let description = [{
    Padding does not count: border windows divide by the elements they have.

    ```mlir
    %r = graph.avg_pool %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"}
        : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x3xf32>
    ```
  }];
}

#endif // TENON_GRAPH_POOLING
