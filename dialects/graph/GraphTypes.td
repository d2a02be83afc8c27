#ifndef TENON_GRAPH_TYPES
#define TENON_GRAPH_TYPES

include "mlir/IR/BuiltinTypeInterfaces.td"
include "dialects/graph/GraphBase.td"

def Graph_StringType : TypeDef<Graph_Dialect, "String", [DeclareTypeInterfaceMethods<MemRefElementTypeInterface>]> {
  let mnemonic = "string";
  let summary = "a byte string, as an element of a tensor";
  let description = [{
    In buffers an element is a 16-byte pair of pointer and length.
  }];
}

#endif // TENON_GRAPH_TYPES
