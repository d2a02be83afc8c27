// Graph to graph. One pass per file of the same name.
#ifndef TENON_COMPILER_TRANSFORMS_PASSES
#define TENON_COMPILER_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def FreezeVariablesPass : Pass<"freeze-variables", "::mlir::ModuleOp"> {
  let summary = "variables that no entry writes become constants";
  let description = [{
    A constant can be folded and packed; a variable is memory of each instance.

    ```mlir
    graph.variable @w : tensor<2xf32> = dense<1.0> : tensor<2xf32>
    %v = graph.read @w : tensor<2xf32>
    // becomes
    %v = graph.constant dense<1.0> : tensor<2xf32>
    ```
  }];
  let dependentDialects = ["::tenon::graph::GraphDialect"];
}

def FoldShapesPass : Pass<"fold-shapes", "::mlir::func::FuncOp"> {
  let summary = "integer tensors whose contents the shape analysis knows become constants";
  let description = [{
    Chains such as shape_of, slice, pack, reshape vanish when sizes are static.
    Result types are refined to what the analysis knows.
  }];
  let dependentDialects = ["::tenon::graph::GraphDialect"];
}

#endif // TENON_COMPILER_TRANSFORMS_PASSES
