#ifndef TENON_GRAPH_HOST_CALL
#define TENON_GRAPH_HOST_CALL

include "dialects/graph/GraphTypes.td"

def Graph_HostCall : OpInterface<"HostCall"> {
  let cppNamespace = "::tenon::graph";
  let description = [{
    The op is done by a function of the runtime library instead of generated
    code: `tenon_host_<name>`, which gets the operands, the op's attributes by
    name, and the results. A result whose sizes are known when the op starts is
    memory that the function fills; one with a size that `inferShapes` made a
    fresh symbol of its own is allocated, and sized, by the function.
  }];
  let methods = [InterfaceMethod<[{
      The function's name behind `tenon_host_`.
    }], "::llvm::StringRef", "getHostFunction", (ins), /*methodBody=*/[{}],
      /*defaultImplementation=*/[{ return $_op->getName().stripDialect(); }]>];
}

/// An op that a function of the runtime does. Give it `Pure`, or the effects on
/// state (`MemRead`, `MemWrite`) that keep it in its place.
class Graph_HostOp<string mnemonic, list<Trait> traits = []>
    : Op<Graph_Dialect, mnemonic, !listconcat([
          DeclareOpInterfaceMethods<Graph_ShapeInference>,
          DeclareOpInterfaceMethods<Graph_LinalgLowering>,
          Graph_HostCall], traits)> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::lowerToLinalg(::tenon::graph::LoweringContext &lowering) {
      return ::tenon::graph::lowerHostCall(*this, lowering);
    }
  }];
}

def Graph_StringTensor : RankedTensorOf<[Graph_StringType]>;
def Graph_String : Type<CPred<"::llvm::isa<::tenon::graph::StringType>($_self)">, "string", "::tenon::graph::StringType">;

#endif // TENON_GRAPH_HOST_CALL
