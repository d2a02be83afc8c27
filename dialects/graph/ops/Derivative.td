// Asking for derivatives. `--differentiate` leaves none of these ops behind.
#ifndef TENON_GRAPH_DERIVATIVE
#define TENON_GRAPH_DERIVATIVE

include "dialects/graph/GraphTypes.td"

def Graph_GradientOp : Graph_PureOp<"gradient", [AttrSizedOperandSegments]> {
  let summary = "derivatives of the sum of some tensors by others";
  let description = [{
    One result per source, of its shape: the derivative of the sum of all
    elements of all targets, each weighted by the element of its `weights` when
    these are given. Zeros where no target depends on the source. Reads of a
    variable are one source when `variables` has its name (else a unit attribute)
    in the source's place.

    ```mlir
    %d = graph.gradient of (%loss) by (%x) weights () : (tensor<f32>, tensor<4x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$targets, Variadic<Graph_Tensor>:$sources, Variadic<Graph_Tensor>:$weights,
      OptionalAttr<ArrayAttr>:$variables);
  let results = (outs Variadic<Graph_Tensor>:$results);
  let assemblyFormat = "`of` `(` $targets `)` `by` `(` $sources `)` `weights` `(` $weights `)` attr-dict `:` functional-type(operands, results)";
}

def Graph_SourceOp : Graph_PureOp<"source", [AllElementTypesMatch<["input", "result"]>]> {
  let summary = "the operand, as a tensor that derivatives are taken by";
  let description = [{
    Tells the uses of a tensor of the model from the uses of another one that
    happens to be the same value.

    ```mlir
    %r = graph.source %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_StopGradientOp : Graph_PureOp<"stop_gradient", [AllElementTypesMatch<["input", "result"]>]> {
  let summary = "the operand, taken for a constant by derivatives";
  let description = [{
    With `message`, asking for a derivative through it is an error.

    ```mlir
    %r = graph.stop_gradient %x : (tensor<4x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, OptionalAttr<StrAttr>:$message);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_SurrogateOp : Graph_PureOp<"surrogate", [AllElementTypesMatch<["input", "like", "result"]>]> {
  let summary = "the first operand, with the derivatives of the second";
  let description = [{
    For functions such as rounding whose derivative is that of another one. Both
    have the same shape.

    ```mlir
    %r = graph.surrogate %rounded like %x : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$input, Graph_Tensor:$like);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input `like` $like attr-dict `:` functional-type(operands, results)";
}

def Graph_TangentOp : Graph_PureOp<"tangent", [AttrSizedOperandSegments]> {
  let summary = "derivatives of tensors along directions";
  let description = [{
    One result per target, of its shape: how it changes when each source moves
    along its direction, a tensor of the source's shape. Zeros where a target
    depends on no source. `variables` as in `gradient`.

    ```mlir
    %t = graph.tangent of (%y) by (%x) along (%v) : (tensor<2xf32>, tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<2xf32>
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$targets, Variadic<Graph_Tensor>:$sources, Variadic<Graph_Tensor>:$directions,
      OptionalAttr<ArrayAttr>:$variables);
  let results = (outs Variadic<Graph_Tensor>:$results);
  let assemblyFormat = "`of` `(` $targets `)` `by` `(` $sources `)` `along` `(` $directions `)` attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_DERIVATIVE
