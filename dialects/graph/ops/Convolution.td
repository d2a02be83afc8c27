// Convolutions.
//
// Tensors are [N, spatial..., C], or [N, C, spatial...] with `channels_first`;
// windows are [spatial..., C, K]. `padding` is "SAME", "VALID" or "EXPLICIT";
// `explicit_padding` is low and high of each spatial dimension in turn. Strides and
// dilations have one element per spatial dimension and default to ones.
#ifndef TENON_GRAPH_CONVOLUTION
#define TENON_GRAPH_CONVOLUTION

include "dialects/graph/GraphTypes.td"

def Graph_ConvOp : Graph_PureOp<"conv"> {
  let summary = "convolution with any number of spatial dimensions";
  let description = [{
    The filter is [spatial..., C / groups, K]; the number of groups follows
    from the channels. Strides and dilations may go together.

    ```mlir
    %r = graph.conv %x, %w {strides = array<i64: 2, 2>, padding = "SAME"}
        : (tensor<1x8x8x3xf32>, tensor<3x3x3x16xf32>) -> tensor<1x4x4x16xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$filter,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
      StrAttr:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $filter attr-dict `:` functional-type(operands, results)";
  let hasCanonicalizer = 1;
}

def Graph_DepthwiseConvOp : Graph_PureOp<"depthwise_conv"> {
  let summary = "each channel convolved with filters of its own";
  let description = [{
    The filter is [spatial..., C, M]; result channel c * M + m is channel c of
    the operand with filter m of that channel.

    ```mlir
    %r = graph.depthwise_conv %x, %w {padding = "SAME"}
        : (tensor<1x8x8x3xf32>, tensor<3x3x3x2xf32>) -> tensor<1x8x8x6xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$filter,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
      StrAttr:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $filter attr-dict `:` functional-type(operands, results)";
  let hasCanonicalizer = 1;
}

def Graph_ConvTransposeOp : Graph_PureOp<"conv_transpose"> {
  let summary = "transposed convolution";
  let description = [{
    The derivative of `conv` by its input, as a layer that enlarges: `padding`,
    strides and dilations are those of the convolution from `output_shape` (the
    whole shape of the result, an integer vector) to the operand. The filter is
    that convolution's: [spatial..., channels of the result / groups, channels of the operand].

    ```mlir
    %s = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
    %r = graph.conv_transpose %x, %w, %s {strides = array<i64: 2, 2>, padding = "SAME"}
        : (tensor<1x4x4x16xf32>, tensor<3x3x3x16xf32>, tensor<4xi32>) -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$filter, Graph_IntTensor:$output_shape,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
      StrAttr:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $filter `,` $output_shape attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_CONVOLUTION
