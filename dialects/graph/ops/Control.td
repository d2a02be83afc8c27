// Constants, conditions, loops, checks.
#ifndef TENON_GRAPH_CONTROL
#define TENON_GRAPH_CONTROL

include "dialects/graph/GraphTypes.td"

def Graph_ConstantOp : Graph_PureOp<"constant", [ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "a tensor known at compile time";
  let description = [{
    Small values are dense attributes; weights are dense resources that stay
    where the model file has them.

    ```mlir
    %c = graph.constant dense<[1.0, 2.0]> : tensor<2xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, value.getType(), value);
  }]>];
}

def Graph_YieldOp : Op<Graph_Dialect, "yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a region of if or while with its values";
  let arguments = (ins Variadic<Graph_Tensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Graph_IfOp : Graph_Op<"if", [RecursiveMemoryEffects, NoRegionArguments, SingleBlock]> {
  let summary = "one of two regions, by a boolean scalar";
  let description = [{
    Both regions see the values around them and yield the same number of
    tensors of the same ranks and element types; where their sizes differ the
    result's size is dynamic.

    ```mlir
    %r = graph.if %p : (tensor<i1>) -> tensor<2xf32> {
      graph.yield %a : tensor<2xf32>
    } else {
      graph.yield %b : tensor<2xf32>
    }
    ```
  }];
  let arguments = (ins RankedTensorOf<[I1]>:$condition);
  let results = (outs Variadic<Graph_Tensor>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = "$condition attr-dict `:` functional-type($condition, $results) $thenRegion `else` $elseRegion";
  let hasRegionVerifier = 1;
}

def Graph_WhileOp : Graph_Op<"while", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "repeats a body while a condition on the loop's values holds";
  let description = [{
    Both regions take the loop's values as arguments; `condition` yields a
    boolean scalar, `body` the next values. Values around the loop are visible
    inside.

    ```mlir
    %r = graph.while (%i) : (tensor<i32>) -> tensor<i32> {
    ^bb0(%x: tensor<i32>):
      %more = graph.less %x, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      graph.yield %more : tensor<i1>
    } do {
    ^bb0(%x: tensor<i32>):
      %next = graph.add %x, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
      graph.yield %next : tensor<i32>
    }
    ```
  }];
  let arguments = (ins Variadic<Graph_Tensor>:$inits);
  let results = (outs Variadic<Graph_Tensor>:$results);
  let regions = (region SizedRegion<1>:$condition, SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inits `)` attr-dict `:` functional-type($inits, $results) $condition `do` $body";
  let hasRegionVerifier = 1;
}

def Graph_CheckOp : Graph_Op<"check", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "ends the run with a message when a condition does not hold";
  let description = [{
    Runs in program order with other effects; nothing deletes it.

    ```mlir
    graph.check %ok "x must be positive" : tensor<i1>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I1]>:$condition, StrAttr:$message);
  let assemblyFormat = "$condition $message attr-dict `:` type($condition)";
}

#endif // TENON_GRAPH_CONTROL
