#ifndef TENON_GRAPH_BASE
#define TENON_GRAPH_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "dialects/graph/GraphInterfaces.td"

def Graph_Dialect : Dialect {
  let name = "graph";
  let cppNamespace = "::tenon::graph";
  let summary = "Models as graphs of tensor operations";
  let description = [{
    The dialect that every frontend writes and every target reads. Values are
    ranked tensors; `?` dimensions carry symbols (see `ShapeContext`). Unsigned
    integers are `ui8`..`ui64`, signed ones the signless `i8`..`i64`, booleans
    `i1`. Elementwise ops broadcast as NumPy does.
  }];
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// One per family, each defined beside its ops in ops/<Family>.cpp.
    void registerElementwiseOps();
    void registerContractionOps();
    void registerConvolutionOps();
    void registerPoolingOps();
    void registerReductionOps();
    void registerShapeOps();
    void registerIndexingOps();
    void registerNormalizationOps();
    void registerRandomOps();
    void registerStateOps();
    void registerControlOps();
    void registerSequenceOps();
    void registerDerivativeOps();
    void registerGradientsOps();
    void registerSamplingOps();
  }];
  let dependentDialects = [];
}

def Graph_Tensor : Type<IsRankedTensorTypePred, "ranked tensor", "::mlir::RankedTensorType">;
def Graph_IntTensor : RankedTensorOf<[AnyInteger]>;

/// Every op infers its result shapes and lowers itself to linalg.
class Graph_Op<string mnemonic, list<Trait> traits = []>
    : Op<Graph_Dialect, mnemonic, !listconcat([
          DeclareOpInterfaceMethods<Graph_ShapeInference>,
          DeclareOpInterfaceMethods<Graph_LinalgLowering>], traits)>;

/// A function of its operands alone.
class Graph_PureOp<string mnemonic, list<Trait> traits = []>
    : Graph_Op<mnemonic, !listconcat([Pure], traits)>;

#endif // TENON_GRAPH_BASE
