#ifndef TENON_GRAPH_INTERFACES
#define TENON_GRAPH_INTERFACES

include "mlir/IR/OpBase.td"

def Graph_ShapeInference : OpInterface<"ShapeInference"> {
  let cppNamespace = "::tenon::graph";
  let description = [{
    Result shapes as affine expressions over dimension symbols, and contents of
    small integer tensors. The only place where an op's shape rule is written:
    builders, the verifier and every pass use it.
  }];
  let methods = [InterfaceMethod<[{
      Sets the dims of every result (`shapes.setDims`), and where they can be
      known the contents of small integer results (`shapes.setContents`). Fails
      with an op error when operands don't fit; the error says what was
      expected and what came.
    }], "::llvm::LogicalResult", "inferShapes", (ins "::tenon::graph::ShapeContext &":$shapes)>];
  let verify = [{ return ::tenon::graph::detail::verifyInferredShapes($_op); }];
}

def Graph_LinalgLowering : OpInterface<"LinalgLowering"> {
  let cppNamespace = "::tenon::graph";
  let description = [{
    The op's meaning in linalg on tensors (or in kernel ops, where a target has
    a better form for a whole contraction or window).
  }];
  let methods = [InterfaceMethod<[{
      Builds the op at `lowering.builder` from `lowering.operand(i)` and gives
      each result's value to `lowering.setResult`.
    }], "::llvm::LogicalResult", "lowerToLinalg", (ins "::tenon::graph::LoweringContext &":$lowering)>];
}

def Graph_Elementwise : OpInterface<"Elementwise"> {
  let cppNamespace = "::tenon::graph";
  let description = [{
    Result element i depends on element i of the (broadcast) operands only.
  }];
  let methods = [InterfaceMethod<[{
      Builds the value of one element from one element of each operand. Integer
      scalars are signless; the op's own types tell signed from unsigned. Half
      floats come, and go, as f32: call `graph::buildElement`, which converts.
    }], "::mlir::Value", "buildScalar", (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$operands)>,
    InterfaceMethod<[{
      An element of an integer or boolean result as an expression over dimension
      symbols, from such elements of the operands; null when it is unknown. The
      operands' expressions may be null, too.
    }], "::mlir::AffineExpr", "foldElement", (ins "::tenon::graph::ShapeContext &":$shapes, "::llvm::ArrayRef<::mlir::AffineExpr>":$operands),
      /*methodBody=*/[{}], /*defaultImplementation=*/[{ return {}; }]>];
}

#endif // TENON_GRAPH_INTERFACES
