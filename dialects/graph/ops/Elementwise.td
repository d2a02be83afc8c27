// One element of the result from one element of each operand.
#ifndef TENON_GRAPH_ELEMENTWISE
#define TENON_GRAPH_ELEMENTWISE

include "dialects/graph/GraphTypes.td"

/// Shape rule and lowering are shared; an op adds `buildScalar`.
class Graph_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Graph_PureOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Graph_Elementwise>], traits)> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferShapes(ShapeContext &shapes) {
      return inferElementwiseShapes(*this, shapes);
    }
    ::llvm::LogicalResult $cppClass::lowerToLinalg(LoweringContext &lowering) {
      return lowerElementwise(*this, lowering);
    }
  }];
}

class Graph_UnaryOp<string mnemonic> : Graph_ElementwiseOp<mnemonic> {
  let arguments = (ins Graph_Tensor:$input);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

class Graph_BinaryOp<string mnemonic> : Graph_ElementwiseOp<mnemonic> {
  let arguments = (ins Graph_Tensor:$lhs, Graph_Tensor:$rhs);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Graph_AddOp : Graph_BinaryOp<"add"> {
  let summary = "sum; integers wrap around";
  let description = [{
    ```mlir
    %r = graph.add %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
    ```
  }];
}

def Graph_MulOp : Graph_BinaryOp<"mul"> {
  let summary = "product; integers wrap around";
  let description = [{
    ```mlir
    %r = graph.mul %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
    ```
  }];
}

def Graph_LessOp : Graph_BinaryOp<"less"> {
  let summary = "whether lhs < rhs; false when either is NaN";
  let description = [{
    ```mlir
    %r = graph.less %a, %b : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
    ```
  }];
}

def Graph_ReluOp : Graph_UnaryOp<"relu"> {
  let summary = "max(x, 0); NaN stays NaN";
  let description = [{
    ```mlir
    %r = graph.relu %a : (tensor<3xf32>) -> tensor<3xf32>
    ```
  }];
}

#endif // TENON_GRAPH_ELEMENTWISE
