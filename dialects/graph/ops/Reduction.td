// Reductions and scans.
#ifndef TENON_GRAPH_REDUCTION
#define TENON_GRAPH_REDUCTION

include "dialects/graph/GraphTypes.td"

/// Shape rule is shared; an op says how two elements combine.
class Graph_ReduceOp<string mnemonic, string about, string meaning, TypeConstraint type, string element = "f32">
    : Graph_PureOp<"reduce_" # mnemonic, [AllElementTypesMatch<["input", "result"]>]> {
  let summary = about;
  let description = "\n" # meaning # [{
`axes` are distinct, from 0 to the rank less one; `keep_dims` leaves dimensions
of size 1 in their places.

```mlir
%r = graph.reduce_}] # mnemonic # " %a {axes = array<i64: 1>} : (tensor<2x3x" # element # ">) -> tensor<2x" # element # ">\n```\n";
  let arguments = (ins type:$input, DenseI64ArrayAttr:$axes, DefaultValuedAttr<BoolAttr, "false">:$keep_dims);
  let results = (outs type:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferShapes(ShapeContext &shapes) {
      return inferReductionShapes(*this, getInput(), getAxes(), getKeepDims(), shapes);
    }
  }];
}

def Graph_ReduceNumber : RankedTensorOf<[AnyInteger, AnyFloat, AnyComplex]>;
def Graph_ReduceReal : RankedTensorOf<[AnyInteger, AnyFloat]>;
def Graph_ReduceBool : RankedTensorOf<[I1]>;

def Graph_ReduceSumOp : Graph_ReduceOp<"sum", "sum over axes", "Of no elements: 0. Floats may be added in any order; half floats are added in f32.\n", Graph_ReduceNumber>;
def Graph_ReduceMeanOp : Graph_ReduceOp<"mean", "mean over axes", "Of no elements: NaN, or 0 for integers, whose sum has 64 bits and whose quotient is rounded towards zero.\n", Graph_ReduceNumber>;
def Graph_ReduceProdOp : Graph_ReduceOp<"prod", "product over axes", "Of no elements: 1.\n", Graph_ReduceNumber>;
def Graph_ReduceMaxOp : Graph_ReduceOp<"max", "maximum over axes", "Of no elements: minus infinity, or the least integer. NaN when any element is NaN.\n", Graph_ReduceReal>;
def Graph_ReduceMinOp : Graph_ReduceOp<"min", "minimum over axes", "Of no elements: infinity, or the greatest integer. NaN when any element is NaN.\n", Graph_ReduceReal>;
def Graph_ReduceAllOp : Graph_ReduceOp<"all", "whether all elements over axes are true", "Of no elements: true.\n", Graph_ReduceBool, "i1">;
def Graph_ReduceAnyOp : Graph_ReduceOp<"any", "whether any element over axes is true", "Of no elements: false.\n", Graph_ReduceBool, "i1">;

class Graph_ArgOp<string mnemonic, string about> : Graph_PureOp<mnemonic> {
  let summary = about;
  let description = [{
The first one wins; NaN is never chosen, and of NaNs alone it is index 0. The
axis must not be empty. The result's element type is any integer.

```mlir
%r = graph.}] # mnemonic # [{ %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
```
}];
  let arguments = (ins Graph_ReduceReal:$input, I64Attr:$axis);
  let results = (outs Graph_IntTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_ArgMaxOp : Graph_ArgOp<"argmax", "index of the greatest element along an axis">;
def Graph_ArgMinOp : Graph_ArgOp<"argmin", "index of the least element along an axis">;

/// Element i of the result combines the elements up to i along an axis.
class Graph_ScanOp<string mnemonic, string about, TypeConstraint type> : Graph_PureOp<mnemonic, [AllElementTypesMatch<["input", "result"]>]> {
  let summary = about;
  let description = [{
Element i of the result combines the elements 0 to i; without element i when
`exclusive` (the first is then the identity), from the end when `reverse`.

```mlir
%r = graph.}] # mnemonic # [{ %a {axis = 1 : i64, exclusive = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
```
}];
  let arguments = (ins type:$input, I64Attr:$axis, DefaultValuedAttr<BoolAttr, "false">:$exclusive,
      DefaultValuedAttr<BoolAttr, "false">:$reverse);
  let results = (outs type:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Graph_CumSumOp : Graph_ScanOp<"cumsum", "running sum along an axis", Graph_ReduceNumber>;
def Graph_CumProdOp : Graph_ScanOp<"cumprod", "running product along an axis", Graph_ReduceNumber>;
def Graph_CumLogSumExpOp : Graph_ScanOp<"cumlogsumexp", "logarithm of the running sum of exponentials along an axis", RankedTensorOf<[AnyFloat]>>;

#endif // TENON_GRAPH_REDUCTION
