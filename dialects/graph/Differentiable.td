#ifndef TENON_GRAPH_DIFFERENTIABLE
#define TENON_GRAPH_DIFFERENTIABLE

include "mlir/IR/OpBase.td"

def Graph_Differentiable : OpInterface<"Differentiable"> {
  let cppNamespace = "::tenon::graph";
  let description = [{
    Derivatives in reverse mode. Rules stand in ops/<Family>Gradient.cpp and are
    attached there (`addRule`), so that an op's definition does not depend on
    them.
  }];
  let methods = [
    InterfaceMethod<[{
      Adds the cotangents of the operands (`gradient.add`) that follow from the
      cotangents of the results, as graph ops.
    }], "void", "buildGradient", (ins "::tenon::graph::Gradient &":$gradient)>,
    InterfaceMethod<[{
      Whether the results depend on no operand as far as derivatives go: steps,
      comparisons, what ends gradients on purpose.
    }], "bool", "hasZeroGradient">,
    InterfaceMethod<[{
      Why the op has no derivative; empty when it has one.
    }], "::llvm::StringRef", "whyNotDifferentiable">];
}

#endif // TENON_GRAPH_DIFFERENTIABLE
