// Variables.
#ifndef TENON_GRAPH_STATE
#define TENON_GRAPH_STATE

include "dialects/graph/GraphTypes.td"

def Graph_VariableOp : Op<Graph_Dialect, "variable", [Symbol]> {
  let summary = "a variable of the module";
  let description = [{
    Lives as long as an instance of the compiled model. Without `initial` it is
    uninitialized until an entry assigns it. `original` is its name in the source
    where that could not be the symbol. A `generator` is the state of random
    numbers: no checkpoint holds it, and without `initial` it starts with bytes
    that no two instances share.

    ```mlir
    graph.variable @w : tensor<2xf32> = dense<0.0> : tensor<2xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type, OptionalAttr<ElementsAttr>:$initial,
      UnitAttr:$trainable, OptionalAttr<StrAttr>:$original, UnitAttr:$generator);
  let assemblyFormat = "$sym_name `:` $type (`=` $initial^)? (`trainable` $trainable^)? attr-dict";
  let hasVerifier = 1;
}

def Graph_ReadOp : Graph_Op<"read", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a variable at this point";
  let description = [{
    ```mlir
    %v = graph.read @w : tensor<2xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}

def Graph_AssignOp : Graph_Op<"assign", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "gives a variable a new value";
  let description = [{
    ```mlir
    graph.assign @w, %v : tensor<2xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable, Graph_Tensor:$value);
  let assemblyFormat = "$variable `,` $value attr-dict `:` type($value)";
}

def Graph_IsInitializedOp : Graph_Op<"is_initialized", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "whether a variable has a value";
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs RankedTensorOf<[I1]>:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}

def Graph_OptimizerStepOp : Graph_PureOp<"optimizer_step", [AttrSizedOperandSegments]> {
  let summary = "a variable and its slots after one step of an optimizer";
  let description = [{
    `states` are the variable and its slots, all of one shape; the results are
    their new values. `rule` names the optimizer, `parameters` are its numbers,
    scalars of the variable's element type, in the order of TensorFlow's
    operations; `variant` is Nesterov's momentum, a linear slot in units of the
    rate, or slots that stay as they are, whatever the rule has. With `indices`
    the gradient has rows for these rows of the variable only: they are changed
    one after another, so a row that is named twice takes two steps.

    ```mlir
    %v, %m = graph.optimizer_step momentum(%w, %a) by %g with (%rate, %momentum) {variant}
        : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>)
    ```
  }];
  let arguments = (ins Variadic<RankedTensorOf<[AnyFloat]>>:$states, RankedTensorOf<[AnyFloat]>:$gradient, Optional<Graph_IntTensor>:$indices,
      Variadic<RankedTensorOf<[AnyFloat]>>:$parameters, StrAttr:$rule, UnitAttr:$variant);
  let results = (outs Variadic<RankedTensorOf<[AnyFloat]>>:$results);
  let assemblyFormat = [{
    $rule `(` $states `)` `by` $gradient (`at` $indices^)? `with` `(` $parameters `)` attr-dict `:` functional-type(operands, results)
  }];
}

#endif // TENON_GRAPH_STATE
