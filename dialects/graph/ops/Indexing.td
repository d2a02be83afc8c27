// Elements chosen by indices.
#ifndef TENON_GRAPH_INDEXING
#define TENON_GRAPH_INDEXING

include "dialects/graph/GraphTypes.td"

def Graph_SliceOp : Graph_PureOp<"slice"> {
  let summary = "a box of a tensor";
  let description = [{
    Begins at `begin` and has `size` (-1: up to the end), integer vectors with
    one element per dimension. The run fails when the box leaves the tensor.

    ```mlir
    %r = graph.slice %x, %begin, %size : (tensor<4x3xf32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$begin, Graph_IntTensor:$size);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $begin `,` $size attr-dict `:` functional-type(operands, results)";
}

def Graph_StridedSliceOp : Graph_PureOp<"strided_slice"> {
  let summary = "NumPy's basic indexing: x[a:b:c, i, ..., newaxis]";
  let description = [{
    `begin`, `end`, `strides` are integer vectors of one known length, with one
    element per entry of the subscript. Bit i of `begin_mask` (`end_mask`): entry
    i begins (ends) where the dimension does; of `ellipsis_mask`: it is `...`; of
    `new_axis_mask`: a new dimension of size 1; of `shrink_axis_mask`: an index
    (`begin`), whose dimension goes. Ranges are clamped; strides are known at
    compile time. The run fails when an index is out of range.

    ```mlir
    %r = graph.strided_slice %x, %b, %e, %s {begin_mask = 1 : i64, end_mask = 1 : i64, shrink_axis_mask = 2 : i64}
        : (tensor<4x3xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$begin, Graph_IntTensor:$end, Graph_IntTensor:$strides,
      DefaultValuedAttr<I64Attr, "0">:$begin_mask, DefaultValuedAttr<I64Attr, "0">:$end_mask,
      DefaultValuedAttr<I64Attr, "0">:$ellipsis_mask, DefaultValuedAttr<I64Attr, "0">:$new_axis_mask,
      DefaultValuedAttr<I64Attr, "0">:$shrink_axis_mask);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $begin `,` $end `,` $strides attr-dict `:` functional-type(operands, results)";
}

def Graph_StridedSliceUpdateOp : Graph_PureOp<"strided_slice_update"> {
  let summary = "x with x[a:b:c, ...] replaced";
  let description = [{
    The subscript is that of `strided_slice`; `value` is broadcast to its shape.

    ```mlir
    %r = graph.strided_slice_update %x, %b, %e, %s, %v
        : (tensor<4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>, tensor<2xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$begin, Graph_IntTensor:$end, Graph_IntTensor:$strides,
      Graph_Tensor:$value, DefaultValuedAttr<I64Attr, "0">:$begin_mask, DefaultValuedAttr<I64Attr, "0">:$end_mask,
      DefaultValuedAttr<I64Attr, "0">:$ellipsis_mask, DefaultValuedAttr<I64Attr, "0">:$new_axis_mask,
      DefaultValuedAttr<I64Attr, "0">:$shrink_axis_mask);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $begin `,` $end `,` $strides `,` $value attr-dict `:` functional-type(operands, results)";
}

def Graph_GatherOp : Graph_PureOp<"gather"> {
  let summary = "slices of a tensor at indices along a dimension";
  let description = [{
    result[p..., i..., s...] = input[p..., indices[b..., i...], s...]: the dimensions of
    `indices` stand in place of dimension `axis`; the first `batch_dims`
    dimensions b are common to both operands. The run fails when an index is out
    of range.

    ```mlir
    %r = graph.gather %x, %i {axis = 0 : i64} : (tensor<4x3xf32>, tensor<5xi32>) -> tensor<5x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$indices, DefaultValuedAttr<I64Attr, "0">:$axis,
      DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
}

def Graph_GatherNdOp : Graph_PureOp<"gather_nd"> {
  let summary = "slices of a tensor at index vectors";
  let description = [{
    The last dimension of `indices` holds index vectors for the leading
    dimensions of the operand that follow the first `batch_dims` ones. The run
    fails when an index is out of range.

    ```mlir
    %r = graph.gather_nd %x, %i : (tensor<4x3xf32>, tensor<5x2xi32>) -> tensor<5xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$indices, DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $indices attr-dict `:` functional-type(operands, results)";
}

def Graph_ScatterNdOp : Graph_PureOp<"scatter_nd"> {
  let summary = "slices added up at index vectors of a tensor of zeros";
  let description = [{
    The inverse of `gather_nd`; `shape` is the result's. The run fails when an
    index is out of range.

    ```mlir
    %r = graph.scatter_nd %i, %u, %s : (tensor<5x1xi32>, tensor<5x3xf32>, tensor<2xi32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_IntTensor:$indices, Graph_Tensor:$updates, Graph_IntTensor:$shape);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$indices `,` $updates `,` $shape attr-dict `:` functional-type(operands, results)";
}

def Graph_TensorScatterOp : Graph_PureOp<"tensor_scatter"> {
  let summary = "a tensor with slices replaced or combined at index vectors";
  let description = [{
    `mode` is "update", "add", "sub", "mul", "div", "min" or "max"; updates of
    one place happen in order. The run fails when an index is out of range.

    ```mlir
    %r = graph.tensor_scatter %x, %i, %u {mode = "add"} : (tensor<4x3xf32>, tensor<5x1xi32>, tensor<5x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$indices, Graph_Tensor:$updates,
      DefaultValuedAttr<StrAttr, "\"update\"">:$mode);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $indices `,` $updates attr-dict `:` functional-type(operands, results)";
}

def Graph_OneHotOp : Graph_PureOp<"one_hot"> {
  let summary = "`on` where the index along a new dimension is the operand's element, else `off`";
  let description = [{
    `depth` (an integer scalar) is the size of the new dimension, `axis` its
    place (-1: the last). An index outside gives only `off`.

    ```mlir
    %r = graph.one_hot %i, %depth, %on, %off {axis = -1 : i64} : (tensor<5xi32>, tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<5x4xf32>
    ```
  }];
  let arguments = (ins Graph_IntTensor:$indices, Graph_IntTensor:$depth, Graph_Tensor:$on, Graph_Tensor:$off,
      DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$indices `,` $depth `,` $on `,` $off attr-dict `:` functional-type(operands, results)";
}

def Graph_PadOp : Graph_PureOp<"pad"> {
  let summary = "a tensor with a border of one value";
  let description = [{
    `paddings` is an integer matrix: elements before and after in each
    dimension; `value` a scalar.

    ```mlir
    %r = graph.pad %x, %p, %v : (tensor<4x3xf32>, tensor<2x2xi32>, tensor<f32>) -> tensor<6x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$paddings, Graph_Tensor:$value);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $paddings `,` $value attr-dict `:` functional-type(operands, results)";
}

def Graph_MirrorPadOp : Graph_PureOp<"mirror_pad"> {
  let summary = "a tensor with a mirrored border";
  let description = [{
    With `symmetric` the border's first element is the outermost element itself,
    otherwise the one inside of it. `paddings` as in `pad`.

    ```mlir
    %r = graph.mirror_pad %x, %p {symmetric} : (tensor<4xf32>, tensor<1x2xi32>) -> tensor<8xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$paddings, UnitAttr:$symmetric);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $paddings attr-dict `:` functional-type(operands, results)";
}

def Graph_ReverseOp : Graph_PureOp<"reverse"> {
  let summary = "the other way round along some dimensions";
  let description = [{
    ```mlir
    %r = graph.reverse %x {axes = array<i64: 1>} : (tensor<4x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DenseI64ArrayAttr:$axes);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_ReverseSequenceOp : Graph_PureOp<"reverse_sequence"> {
  let summary = "the first `lengths[b]` elements the other way round, for each b";
  let description = [{
    b runs over dimension `batch_axis`, the elements over dimension `axis`.

    ```mlir
    %r = graph.reverse_sequence %x, %n {axis = 1 : i64, batch_axis = 0 : i64} : (tensor<4x3xf32>, tensor<4xi32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$lengths, I64Attr:$axis, I64Attr:$batch_axis);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $lengths attr-dict `:` functional-type(operands, results)";
}

def Graph_RollOp : Graph_PureOp<"roll"> {
  let summary = "elements moved on cyclically";
  let description = [{
    By `shifts[k]` (an integer vector or scalar) along dimension `axes[k]`; a
    dimension named twice moves by the sum.

    ```mlir
    %r = graph.roll %x, %s {axes = array<i64: 0>} : (tensor<4x3xf32>, tensor<1xi32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$shifts, DenseI64ArrayAttr:$axes);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $shifts attr-dict `:` functional-type(operands, results)";
}

def Graph_MatrixBandPartOp : Graph_PureOp<"matrix_band_part"> {
  let summary = "matrices with zeros outside a band around the diagonal";
  let description = [{
    Keeps `lower` subdiagonals and `upper` superdiagonals, integer scalars; all
    of them when negative.

    ```mlir
    %r = graph.matrix_band_part %x, %l, %u : (tensor<4x4xf32>, tensor<i32>, tensor<i32>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$lower, Graph_IntTensor:$upper);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $lower `,` $upper attr-dict `:` functional-type(operands, results)";
}

def Graph_MatrixDiagOp : Graph_PureOp<"matrix_diag"> {
  let summary = "matrices with given diagonals";
  let description = [{
    Diagonals `lower`..`upper` (0 the main one, positive above) from a vector,
    or when there are several from rows, the uppermost first. `align` says where rows longer than
    their diagonal keep it: "RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT" or
    "RIGHT_RIGHT" (superdiagonals, subdiagonals). `rows` and `columns` are -1
    when they follow from the diagonals. Other elements are `padding`, a scalar.

    ```mlir
    %r = graph.matrix_diag %d, %p : (tensor<4xf32>, tensor<f32>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$diagonal, Graph_Tensor:$padding, DefaultValuedAttr<I64Attr, "0">:$lower,
      DefaultValuedAttr<I64Attr, "0">:$upper, DefaultValuedAttr<I64Attr, "-1">:$rows,
      DefaultValuedAttr<I64Attr, "-1">:$columns, DefaultValuedAttr<StrAttr, "\"RIGHT_LEFT\"">:$align);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$diagonal `,` $padding attr-dict `:` functional-type(operands, results)";
}

def Graph_MatrixDiagPartOp : Graph_PureOp<"matrix_diag_part"> {
  let summary = "diagonals of matrices";
  let description = [{
    The inverse of `matrix_diag`, with the same attributes.

    ```mlir
    %r = graph.matrix_diag_part %x, %p : (tensor<4x4xf32>, tensor<f32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$padding, DefaultValuedAttr<I64Attr, "0">:$lower,
      DefaultValuedAttr<I64Attr, "0">:$upper, DefaultValuedAttr<StrAttr, "\"RIGHT_LEFT\"">:$align);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $padding attr-dict `:` functional-type(operands, results)";
}

def Graph_MatrixSetDiagOp : Graph_PureOp<"matrix_set_diag"> {
  let summary = "matrices with diagonals replaced";
  let description = [{
    ```mlir
    %r = graph.matrix_set_diag %x, %d : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$diagonal, DefaultValuedAttr<I64Attr, "0">:$lower,
      DefaultValuedAttr<I64Attr, "0">:$upper, DefaultValuedAttr<StrAttr, "\"RIGHT_LEFT\"">:$align);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $diagonal attr-dict `:` functional-type(operands, results)";
}

def Graph_DepthToSpaceOp : Graph_PureOp<"depth_to_space"> {
  let summary = "channels become blocks of height and width";
  let description = [{
    [N, H, W, b*b*C] to [N, H*b, W*b, C], or [N, b*b*C, H, W] to [N, C, H*b, W*b]
    with `channels_first`.

    ```mlir
    %r = graph.depth_to_space %x {block = 2 : i64} : (tensor<1x4x4x12xf32>) -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, I64Attr:$block, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_SpaceToDepthOp : Graph_PureOp<"space_to_depth"> {
  let summary = "blocks of height and width become channels";
  let description = [{
    The inverse of `depth_to_space`.

    ```mlir
    %r = graph.space_to_depth %x {block = 2 : i64} : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x12xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, I64Attr:$block, UnitAttr:$channels_first);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_SpaceToBatchOp : Graph_PureOp<"space_to_batch"> {
  let summary = "every n-th element of the spatial dimensions becomes a batch element";
  let description = [{
    `block` is an integer vector known at compile time, one element per spatial
    dimension (those after the batch), `paddings` a matrix of zeros before and
    after in each of them.

    ```mlir
    %r = graph.space_to_batch %x, %b, %p : (tensor<1x4x4x3xf32>, tensor<2xi32>, tensor<2x2xi32>) -> tensor<4x2x2x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$block, Graph_IntTensor:$paddings);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $block `,` $paddings attr-dict `:` functional-type(operands, results)";
}

def Graph_BatchToSpaceOp : Graph_PureOp<"batch_to_space"> {
  let summary = "the inverse of space_to_batch";
  let description = [{
    `crops` elements are left out before and after in each spatial dimension.

    ```mlir
    %r = graph.batch_to_space %x, %b, %c : (tensor<4x2x2x3xf32>, tensor<2xi32>, tensor<2x2xi32>) -> tensor<1x4x4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$block, Graph_IntTensor:$crops);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $block `,` $crops attr-dict `:` functional-type(operands, results)";
}

def Graph_TopKOp : Graph_PureOp<"top_k"> {
  let summary = "the k largest elements of the last dimension, in order";
  let description = [{
    `k` is an integer scalar. Of equal elements the one with the lower index
    comes first.

    ```mlir
    %v, %i = graph.top_k %x, %k : (tensor<4x9xf32>, tensor<i32>) -> (tensor<4x3xf32>, tensor<4x3xi32>)
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$k);
  let results = (outs Graph_Tensor:$values, Graph_IntTensor:$indices);
  let assemblyFormat = "$input `,` $k attr-dict `:` functional-type(operands, results)";
}

def Graph_NonzeroOp : Graph_PureOp<"nonzero"> {
  let summary = "the indices of elements that are not zero, in row-major order";
  let description = [{
    One row per element, one column per dimension.

    ```mlir
    %r = graph.nonzero %x : (tensor<4x3xi1>) -> tensor<?x2xi64>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input);
  let results = (outs Graph_IntTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_UniqueOp : Graph_PureOp<"unique"> {
  let summary = "the different elements of a vector, in order of first appearance";
  let description = [{
    `index[i]` is the place of element i among them, `count` how often each
    appears.

    ```mlir
    %v, %i, %c = graph.unique %x : (tensor<9xi32>) -> (tensor<?xi32>, tensor<9xi32>, tensor<?xi32>)
    ```
  }];
  let arguments = (ins Graph_Tensor:$input);
  let results = (outs Graph_Tensor:$values, Graph_IntTensor:$index, Graph_IntTensor:$count);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_DynamicStitchOp : Graph_PureOp<"dynamic_stitch", [SameVariadicOperandSize]> {
  let summary = "slices put together by their indices";
  let description = [{
    result[indices[m][i...]] = data[m][i...]; the later ones win. The result is
    as long as the largest index says.

    ```mlir
    %r = graph.dynamic_stitch (%i, %j), (%a, %b) : (tensor<2xi32>, tensor<2xi32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Variadic<Graph_IntTensor>:$indices, Variadic<Graph_Tensor>:$data);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "`(` $indices `)` `,` `(` $data `)` attr-dict `:` functional-type(operands, results)";
}

def Graph_SegmentOp : Graph_PureOp<"segment"> {
  let summary = "slices of one segment id combined";
  let description = [{
    The dimensions of `ids` lead those of `input`. `mode` is "sum", "prod",
    "min", "max" or "mean". The number of segments is `count` (an integer
    scalar) or, without it, one more than the last id of a sorted vector. Empty
    segments hold 0 (sum, mean), 1 (prod), and of max and min the lowest and the
    highest finite value with a `count`, else 0. Negative ids are left out.

    ```mlir
    %r = graph.segment %x, %ids, %n {mode = "sum"} : (tensor<4x3xf32>, tensor<4xi32>, tensor<i32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$ids, Optional<Graph_IntTensor>:$count, StrAttr:$mode);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $ids (`,` $count^)? attr-dict `:` functional-type(operands, results)";
}

def Graph_ResizeOp : Graph_PureOp<"resize"> {
  let summary = "images of another size";
  let description = [{
    [N, H, W, C] to [N, size[0], size[1], C]. `mode` is "nearest", "bilinear" or
    "bicubic". Sample positions are TensorFlow's for `align_corners` and
    `half_pixel_centers`. The result of the last two modes is floating-point.

    ```mlir
    %r = graph.resize %x, %s {mode = "bilinear", half_pixel_centers} : (tensor<1x4x4x3xf32>, tensor<2xi32>) -> tensor<1x8x8x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_IntTensor:$size, StrAttr:$mode, UnitAttr:$align_corners,
      UnitAttr:$half_pixel_centers);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `,` $size attr-dict `:` functional-type(operands, results)";
}

def Graph_ExtractPatchesOp : Graph_PureOp<"extract_patches"> {
  let summary = "windows of images as channels";
  let description = [{
    [N, H, W, C] to [N, H', W', window * C]; places outside the image are 0.
    `padding` is "SAME" or "VALID".

    ```mlir
    %r = graph.extract_patches %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"}
        : (tensor<1x4x4x3xf32>) -> tensor<1x2x2x12xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, DenseI64ArrayAttr:$window,
      DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations, StrAttr:$padding);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_INDEXING
