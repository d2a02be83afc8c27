// Normalizations, softmax and the losses on top of it.
#ifndef TENON_GRAPH_NORMALIZATION
#define TENON_GRAPH_NORMALIZATION

include "dialects/graph/GraphTypes.td"

def Graph_NormTensor : RankedTensorOf<[AnyFloat]>;

class Graph_SoftmaxLikeOp<string mnemonic, string about> : Graph_PureOp<mnemonic, [AllElementTypesMatch<["input", "result"]>]> {
  let summary = about;
  let description = [{
Exact for elements of any size: the greatest one is subtracted first. A
negative `axis` counts from the end.

```mlir
%r = graph.}] # mnemonic # [{ %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
```
}];
  let arguments = (ins Graph_NormTensor:$input, DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Graph_NormTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_SoftmaxOp : Graph_SoftmaxLikeOp<"softmax", "exp(x) divided by its sum along an axis">;
def Graph_LogSoftmaxOp : Graph_SoftmaxLikeOp<"log_softmax", "logarithm of softmax">;

def Graph_BatchNormOp : Graph_PureOp<"batch_norm"> {
  let summary = "normalization with given mean and variance per channel";
  let description = [{
    (x - mean) * scale / sqrt(variance + epsilon) + offset, with scale, offset,
    mean and variance of the size of dimension `axis`. Computed as one multiply
    and add per element. Half floats are computed in the type of `scale`.

    ```mlir
    %r = graph.batch_norm %x, %scale, %offset, %mean, %variance {axis = 3 : i64, epsilon = 1.0e-3 : f32}
        : (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x4x4x8xf32>
    ```
  }];
  let arguments = (ins Graph_NormTensor:$input, Graph_NormTensor:$scale, Graph_NormTensor:$offset, Graph_NormTensor:$mean,
      Graph_NormTensor:$variance, I64Attr:$axis, DefaultValuedAttr<F32Attr, "1.0e-4f">:$epsilon);
  let results = (outs Graph_NormTensor:$result);
  let assemblyFormat = "$input `,` $scale `,` $offset `,` $mean `,` $variance attr-dict `:` functional-type(operands, results)";
}

def Graph_BatchNormTrainingOp : Graph_PureOp<"batch_norm_training"> {
  let summary = "normalization with the batch's own mean and variance per channel";
  let description = [{
    Results: the normalized tensor; the mean; the unbiased variance (divided by
    n - 1, or by 1 when n is 1), for running averages; the variance divided by
    n, for the gradient.

    ```mlir
    %r, %mean, %unbiased, %variance = graph.batch_norm_training %x, %scale, %offset {axis = 3 : i64, epsilon = 1.0e-3 : f32}
        : (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
    ```
  }];
  let arguments = (ins Graph_NormTensor:$input, Graph_NormTensor:$scale, Graph_NormTensor:$offset, I64Attr:$axis,
      DefaultValuedAttr<F32Attr, "1.0e-4f">:$epsilon);
  let results = (outs Graph_NormTensor:$result, Graph_NormTensor:$mean, Graph_NormTensor:$unbiased_variance, Graph_NormTensor:$variance);
  let assemblyFormat = "$input `,` $scale `,` $offset attr-dict `:` functional-type(operands, results)";
}

def Graph_BatchNormGradOp : Graph_PureOp<"batch_norm_grad"> {
  let summary = "gradients of batch_norm_training, or of batch_norm when not training";
  let description = [{
    `mean` and `variance` (divided by n) are those that the forward op used.
    Results: gradients of input, scale and offset.

    ```mlir
    %dx, %dscale, %doffset = graph.batch_norm_grad %dy, %x, %scale, %mean, %variance {axis = 3 : i64, epsilon = 1.0e-3 : f32, training = true}
        : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>)
    ```
  }];
  let arguments = (ins Graph_NormTensor:$gradient, Graph_NormTensor:$input, Graph_NormTensor:$scale, Graph_NormTensor:$mean,
      Graph_NormTensor:$variance, I64Attr:$axis, DefaultValuedAttr<F32Attr, "1.0e-4f">:$epsilon, DefaultValuedAttr<BoolAttr, "true">:$training);
  let results = (outs Graph_NormTensor:$input_gradient, Graph_NormTensor:$scale_gradient, Graph_NormTensor:$offset_gradient);
  let assemblyFormat = "$gradient `,` $input `,` $scale `,` $mean `,` $variance attr-dict `:` functional-type(operands, results)";
}

def Graph_LayerNormOp : Graph_PureOp<"layer_norm", [AllElementTypesMatch<["input", "scale", "offset", "result"]>]> {
  let summary = "normalization over the trailing dimensions of each element of the leading ones";
  let description = [{
    (x - mean) / sqrt(variance + epsilon) * scale + offset, with mean and
    variance over the dimensions from `axis` on (negative counts from the end);
    scale and offset have the shape of those dimensions.

    ```mlir
    %r = graph.layer_norm %x, %scale, %offset {axis = -1 : i64, epsilon = 1.0e-5 : f32}
        : (tensor<2x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x4x8xf32>
    ```
  }];
  let arguments = (ins Graph_NormTensor:$input, Graph_NormTensor:$scale, Graph_NormTensor:$offset, DefaultValuedAttr<I64Attr, "-1">:$axis,
      DefaultValuedAttr<F32Attr, "1.0e-5f">:$epsilon);
  let results = (outs Graph_NormTensor:$result);
  let assemblyFormat = "$input `,` $scale `,` $offset attr-dict `:` functional-type(operands, results)";
}

def Graph_LrnOp : Graph_PureOp<"lrn", [AllElementTypesMatch<["input", "result"]>]> {
  let summary = "local response normalization along the last dimension";
  let description = [{
    x / (bias + alpha * sum of squares of the elements at most `radius` away) ^ beta.

    ```mlir
    %r = graph.lrn %x {radius = 2 : i64, bias = 1.0 : f32, alpha = 1.0 : f32, beta = 0.5 : f32} : (tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
    ```
  }];
  let arguments = (ins Graph_NormTensor:$input, DefaultValuedAttr<I64Attr, "5">:$radius, DefaultValuedAttr<F32Attr, "1.0f">:$bias,
      DefaultValuedAttr<F32Attr, "1.0f">:$alpha, DefaultValuedAttr<F32Attr, "0.5f">:$beta);
  let results = (outs Graph_NormTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_SoftmaxCrossEntropyOp : Graph_PureOp<"softmax_cross_entropy", [AllElementTypesMatch<["logits", "labels", "loss", "gradient"]>]> {
  let summary = "cross entropy of softmax(logits) with the distribution `labels`, per row";
  let description = [{
    Logits and labels broadcast against each other to rank 2. Results: the loss
    of each row; its gradient softmax(logits) - labels.

    ```mlir
    %loss, %d = graph.softmax_cross_entropy %logits, %labels : (tensor<4x10xf32>, tensor<4x10xf32>) -> (tensor<4xf32>, tensor<4x10xf32>)
    ```
  }];
  let arguments = (ins Graph_NormTensor:$logits, Graph_NormTensor:$labels);
  let results = (outs Graph_NormTensor:$loss, Graph_NormTensor:$gradient);
  let assemblyFormat = "$logits `,` $labels attr-dict `:` functional-type(operands, results)";
}

def Graph_SparseSoftmaxCrossEntropyOp : Graph_PureOp<"sparse_softmax_cross_entropy", [AllElementTypesMatch<["logits", "loss", "gradient"]>]> {
  let summary = "cross entropy of softmax(logits) with the class `labels`, per row";
  let description = [{
    Logits have rank 2, labels one class index per row. Results: the loss of
    each row; its gradient softmax(logits) - onehot(labels). Both are NaN in a
    row whose label is no class.

    ```mlir
    %loss, %d = graph.sparse_softmax_cross_entropy %logits, %labels : (tensor<4x10xf32>, tensor<4xi64>) -> (tensor<4xf32>, tensor<4x10xf32>)
    ```
  }];
  let arguments = (ins Graph_NormTensor:$logits, RankedTensorOf<[AnyInteger]>:$labels);
  let results = (outs Graph_NormTensor:$loss, Graph_NormTensor:$gradient);
  let assemblyFormat = "$logits `,` $labels attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_NORMALIZATION
