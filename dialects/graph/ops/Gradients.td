// Derivatives of windows and images: what is left when they are not written as
// other ops.
//
// Layouts, strides, dilations and padding are those of the op they belong to, as in
// Convolution.td and Pooling.td: the attributes of a derivative are the op's own.
#ifndef TENON_GRAPH_GRADIENTS
#define TENON_GRAPH_GRADIENTS

include "dialects/graph/GraphTypes.td"

def Graph_ConvFilterGradOp : Graph_PureOp<"conv_filter_grad", [AllElementTypesMatch<["input", "gradient", "result"]>]> {
  let summary = "derivative of conv by its filter";
  let description = [{
    From the convolution's operand and the gradient of its result. `filter_shape`
    is the whole shape of the filter, an integer vector that is known at compile
    time: [spatial..., C / groups, K].

    ```mlir
    %s = graph.constant dense<[3, 3, 3, 16]> : tensor<4xi32>
    %r = graph.conv_filter_grad %x, %dy, %s {strides = array<i64: 2, 2>, padding = "SAME"}
        : (tensor<1x8x8x3xf32>, tensor<1x4x4x16xf32>, tensor<4xi32>) -> tensor<3x3x3x16xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$gradient, Graph_IntTensor:$filter_shape,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
      StrAttr:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $gradient `,` $filter_shape attr-dict `:` functional-type(operands, results)";
}

def Graph_DepthwiseConvFilterGradOp : Graph_PureOp<"depthwise_conv_filter_grad", [AllElementTypesMatch<["input", "gradient", "result"]>]> {
  let summary = "derivative of depthwise_conv by its filter";
  let description = [{
    As `conv_filter_grad`; the filter's shape is [spatial..., C, M].

    ```mlir
    %s = graph.constant dense<[3, 3, 3, 2]> : tensor<4xi32>
    %r = graph.depthwise_conv_filter_grad %x, %dy, %s {padding = "SAME"}
        : (tensor<1x8x8x3xf32>, tensor<1x8x8x6xf32>, tensor<4xi32>) -> tensor<3x3x3x2xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$gradient, Graph_IntTensor:$filter_shape,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
      StrAttr:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $gradient `,` $filter_shape attr-dict `:` functional-type(operands, results)";
}

def Graph_DepthwiseConvTransposeOp : Graph_PureOp<"depthwise_conv_transpose", [AllElementTypesMatch<["gradient", "filter", "result"]>]> {
  let summary = "derivative of depthwise_conv by its input";
  let description = [{
    `output_shape` is the whole shape of the result, an integer vector; the batch
    is the gradient's in any case. The filter is the convolution's.

    ```mlir
    %s = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
    %r = graph.depthwise_conv_transpose %dy, %w, %s {padding = "SAME"}
        : (tensor<1x8x8x6xf32>, tensor<3x3x3x2xf32>, tensor<4xi32>) -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$gradient, Graph_Tensor:$filter, Graph_IntTensor:$output_shape,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
      StrAttr:$padding, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$gradient `,` $filter `,` $output_shape attr-dict `:` functional-type(operands, results)";
}

def Graph_MaxPoolGradOp : Graph_PureOp<"max_pool_grad", [AllElementTypesMatch<["gradient", "result"]>]> {
  let summary = "derivative of max_pool";
  let description = [{
    From the operand of `max_pool` and the gradient of its result. A window's
    gradient goes to the first of its greatest elements, in row-major order; with
    `every` to all of them.

    ```mlir
    %r = graph.max_pool_grad %x, %dy {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"}
        : (tensor<1x8x8x3xf32>, tensor<1x4x4x3xf32>) -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$gradient, DenseI64ArrayAttr:$window,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, StrAttr:$padding,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first, UnitAttr:$every);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $gradient attr-dict `:` functional-type(operands, results)";
}

def Graph_MaxPoolPickOp : Graph_PureOp<"max_pool_pick", [AllElementTypesMatch<["values", "result"]>]> {
  let summary = "values at the places of the windows' greatest elements";
  let description = [{
    Each window of `input` gives the element of `values`, a tensor of the same
    shape, that stands where the first of the window's greatest elements is.
    `max_pool_grad`'s derivative by its gradient; with the elements' numbers as
    `values`, the places themselves. A window without elements gives 0.

    ```mlir
    %r = graph.max_pool_pick %x, %v {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"}
        : (tensor<1x8x8x3xf32>, tensor<1x8x8x3xi64>) -> tensor<1x4x4x3xi64>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$values, DenseI64ArrayAttr:$window,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, StrAttr:$padding,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $values attr-dict `:` functional-type(operands, results)";
}

def Graph_AvgPoolGradOp : Graph_PureOp<"avg_pool_grad", [AllElementTypesMatch<["gradient", "result"]>]> {
  let summary = "derivative of avg_pool";
  let description = [{
    `input_shape` is the whole shape of the pooled tensor, an integer vector; the
    batch and the channels are the gradient's in any case.

    ```mlir
    %s = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
    %r = graph.avg_pool_grad %dy, %s {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"}
        : (tensor<1x4x4x3xf32>, tensor<4xi32>) -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$gradient, Graph_IntTensor:$input_shape, DenseI64ArrayAttr:$window,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, StrAttr:$padding,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$explicit_padding, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$gradient `,` $input_shape attr-dict `:` functional-type(operands, results)";
}

def Graph_MirrorPadGradOp : Graph_PureOp<"mirror_pad_grad", [AllElementTypesMatch<["gradient", "result"]>]> {
  let summary = "derivative of mirror_pad";
  let description = [{
    The border is folded back and added. `paddings` as in `pad`.

    ```mlir
    %r = graph.mirror_pad_grad %dy, %p {symmetric} : (tensor<8xf32>, tensor<1x2xi32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$gradient, Graph_IntTensor:$paddings, UnitAttr:$symmetric);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$gradient `,` $paddings attr-dict `:` functional-type(operands, results)";
}

def Graph_ResizeGradOp : Graph_PureOp<"resize_grad"> {
  let summary = "derivative of resize";
  let description = [{
    [N, H', W', C] to [N, size[0], size[1], C], where `size` has height and width of
    the image that was resized. `mode` and the sample positions are `resize`'s.

    ```mlir
    %r = graph.resize_grad %dy, %s {mode = "bilinear", half_pixel_centers} : (tensor<1x8x8x3xf32>, tensor<2xi32>) -> tensor<1x4x4x3xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[AnyFloat, AnyInteger]>:$gradient, Graph_IntTensor:$size, StrAttr:$mode, UnitAttr:$align_corners,
      UnitAttr:$half_pixel_centers);
  let results = (outs RankedTensorOf<[AnyFloat, AnyInteger]>:$result);
  let assemblyFormat = "$gradient `,` $size attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_GRADIENTS
