// The same elements in another shape, and shapes as values.
#ifndef TENON_GRAPH_SHAPE
#define TENON_GRAPH_SHAPE

include "dialects/graph/GraphTypes.td"

def Graph_ShapeOfOp : Graph_PureOp<"shape_of"> {
  let summary = "the sizes of a tensor as an integer vector";
  let description = [{
    ```mlir
    %r = graph.shape_of %x : (tensor<?x3xf32>) -> tensor<2xi32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input);
  let results = (outs Graph_IntTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_ReshapeOp : Graph_PureOp<"reshape"> {
  let summary = "the same elements, in row-major order, in another shape";
  let description = [{
    `shape` is an integer vector of known length; one element may be -1: what
    is left. The run fails when the number of elements differs.

    ```mlir
    %s = graph.constant dense<[-1, 6]> : tensor<2xi32>
    %r = graph.reshape %x, %s : (tensor<4x3xf32>, tensor<2xi32>) -> tensor<2x6xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$shape);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $shape attr-dict `:` functional-type(operands, results)";
}

def Graph_ExpandDimsOp : Graph_PureOp<"expand_dims"> {
  let summary = "adds dimensions of size 1";
  let description = [{
    `axes` are the new dimensions' places in the result; negative ones count
    from its end.

    ```mlir
    %r = graph.expand_dims %x {axes = array<i64: 1>} : (tensor<4x3xf32>) -> tensor<4x1x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DenseI64ArrayAttr:$axes);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_SqueezeOp : Graph_PureOp<"squeeze"> {
  let summary = "removes dimensions of size 1";
  let description = [{
    `axes` are dimensions of the operand, negative ones counted from the end;
    without `axes` all dimensions known to be 1 go. The run fails when one of
    `axes` is not 1.

    ```mlir
    %r = graph.squeeze %x {axes = array<i64: 1>} : (tensor<4x1x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$axes);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_TransposeOp : Graph_PureOp<"transpose"> {
  let summary = "permutes dimensions";
  let description = [{
    Dimension i of the result is dimension `permutation[i]` of the operand.

    ```mlir
    %r = graph.transpose %x {permutation = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<3x4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_BroadcastToOp : Graph_PureOp<"broadcast_to"> {
  let summary = "repeats dimensions of size 1 to a given shape";
  let description = [{
    NumPy's rule; `shape` is an integer vector of known length.

    ```mlir
    %r = graph.broadcast_to %x, %s : (tensor<3xf32>, tensor<2xi32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$shape);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $shape attr-dict `:` functional-type(operands, results)";
}

def Graph_TileOp : Graph_PureOp<"tile"> {
  let summary = "repeats a tensor along each dimension";
  let description = [{
    `multiples` has one element per dimension.

    ```mlir
    %m = graph.constant dense<[2, 1]> : tensor<2xi32>
    %r = graph.tile %x, %m : (tensor<4x3xf32>, tensor<2xi32>) -> tensor<8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$multiples);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $multiples attr-dict `:` functional-type(operands, results)";
}

def Graph_PackOp : Graph_PureOp<"pack"> {
  let summary = "stacks tensors of one shape along a new dimension";
  let description = [{
    ```mlir
    %r = graph.pack %a, %b {axis = 0} : (tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$inputs, DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
}

def Graph_UnpackOp : Graph_PureOp<"unpack"> {
  let summary = "the slices of a tensor along a dimension, without it";
  let description = [{
    One result per element of dimension `axis`.

    ```mlir
    %a, %b = graph.unpack %x {axis = 0} : (tensor<2x3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs Variadic<Graph_Tensor>:$results);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_ConcatOp : Graph_PureOp<"concat"> {
  let summary = "tensors one after another along a dimension";
  let description = [{
    All other dimensions have the same size. Negative `axis` counts from the
    end.

    ```mlir
    %r = graph.concat %a, %b {axis = 0} : (tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<6x3xf32>
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` functional-type(operands, results)";
}

def Graph_SplitOp : Graph_PureOp<"split"> {
  let summary = "cuts a tensor along a dimension";
  let description = [{
    Into parts of equal size, one per result, or into parts of `sizes`, of
    which one may be -1: what is left.

    ```mlir
    %a, %b = graph.split %x {axis = 1, sizes = array<i64: 1, -1>} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>)
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, I64Attr:$axis, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$sizes);
  let results = (outs Variadic<Graph_Tensor>:$results);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_FillOp : Graph_PureOp<"fill"> {
  let summary = "a tensor of a given shape, all elements the same";
  let description = [{
    `dims` is an integer vector of known length, `value` a scalar. Zeros of the
    shape of x are `fill(shape_of(x), 0)`.

    ```mlir
    %r = graph.fill %dims, %v : (tensor<2xi32>, tensor<f32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_IntTensor:$dims, Graph_Tensor:$value);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$dims `,` $value attr-dict `:` functional-type(operands, results)";
}

def Graph_RangeOp : Graph_PureOp<"range"> {
  let summary = "start, start + delta, ... up to limit, which is left out";
  let description = [{
    Scalars of one integer or floating-point type. The run fails when `delta`
    is zero.

    ```mlir
    %r = graph.range %start, %limit, %delta : (tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<?xi32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$start, Graph_Tensor:$limit, Graph_Tensor:$delta);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$start `,` $limit `,` $delta attr-dict `:` functional-type(operands, results)";
}

def Graph_BitcastOp : Graph_PureOp<"bitcast"> {
  let summary = "the same bits as another element type";
  let description = [{
    To a narrower type a last dimension is added, to a wider one the last
    dimension (whose size is the ratio of the widths) goes. Little-endian.

    ```mlir
    %r = graph.bitcast %x : (tensor<4xf32>) -> tensor<4xi32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_EnsureShapeOp : Graph_PureOp<"ensure_shape"> {
  let summary = "the operand, whose shape is checked";
  let description = [{
    `shape` has one element per dimension, -1 where any size will do. The run
    fails when a size differs.

    ```mlir
    %r = graph.ensure_shape %x {shape = array<i64: -1, 3>} : (tensor<?x?xf32>) -> tensor<?x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DenseI64ArrayAttr:$shape);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_InvertPermutationOp : Graph_PureOp<"invert_permutation"> {
  let summary = "result[x[i]] = i for a permutation x of 0..n-1";
  let description = [{
    ```mlir
    %r = graph.invert_permutation %x : (tensor<4xi32>) -> tensor<4xi32>
    ```
  }];
  let arguments = (ins Graph_IntTensor:$input);
  let results = (outs Graph_IntTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_BroadcastArgsOp : Graph_PureOp<"broadcast_args"> {
  let summary = "the shape of tensors of two shapes broadcast to each other";
  let description = [{
    ```mlir
    %r = graph.broadcast_args %s, %t : (tensor<2xi32>, tensor<1xi32>) -> tensor<2xi32>
    ```
  }];
  let arguments = (ins Graph_IntTensor:$lhs, Graph_IntTensor:$rhs);
  let results = (outs Graph_IntTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_SHAPE
