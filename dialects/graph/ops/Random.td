// Random numbers: TensorFlow's own, from Philox 4x32-10.
#ifndef TENON_GRAPH_RANDOM
#define TENON_GRAPH_RANDOM

include "dialects/graph/GraphTypes.td"

def Graph_RandomState : RankedTensorOf<[UI<64>]>;
def Graph_RandomFloats : RankedTensorOf<[AnyFloat]>;
def Graph_RandomIntegers : RankedTensorOf<[AnyInteger]>;

/// Element i is made from the generator's output at a place that follows from i
/// alone, so the numbers don't depend on how the work is divided.
class Graph_RandomOp<string mnemonic, string about, string meaning> : Graph_PureOp<mnemonic> {
  let summary = about;
  let description = "\n" # meaning # [{
`key` has one element, `counter` two: the low and the high half of a 128-bit
count of blocks of the generator.

```mlir
%r = graph.}] # mnemonic # [{ %shape, %key, %counter : (tensor<2xi32>, tensor<1xui64>, tensor<2xui64>) -> tensor<4x3xf32>
```
}];
  let arguments = (ins Graph_RandomIntegers:$shape, Graph_RandomState:$key, Graph_RandomState:$counter);
  let results = (outs Graph_RandomFloats:$result);
  let assemblyFormat = "$shape `,` $key `,` $counter attr-dict `:` functional-type(operands, results)";
}

def Graph_RandomUniformOp : Graph_RandomOp<"random_uniform", "uniform random numbers from 0 to below 1", "">;
def Graph_RandomNormalOp : Graph_RandomOp<"random_normal", "normally distributed random numbers", "By Box and Muller's method.\n">;
def Graph_RandomTruncatedNormalOp : Graph_RandomOp<"random_truncated_normal", "normally distributed random numbers between -2 and 2",
    "Numbers outside are drawn again.\n">;

def Graph_RandomUniformIntOp : Graph_PureOp<"random_uniform_int", [AllElementTypesMatch<["low", "high", "result"]>]> {
  let summary = "uniform random integers from low to below high";
  let description = [{
    Of 32 or 64 bits. Low when the range is empty.

    ```mlir
    %r = graph.random_uniform_int %shape, %key, %counter, %low, %high
        : (tensor<2xi32>, tensor<1xui64>, tensor<2xui64>, tensor<i32>, tensor<i32>) -> tensor<4x3xi32>
    ```
  }];
  let arguments = (ins Graph_RandomIntegers:$shape, Graph_RandomState:$key, Graph_RandomState:$counter,
      Graph_RandomIntegers:$low, Graph_RandomIntegers:$high);
  let results = (outs RankedTensorOf<[AnySignlessInteger, UI<32>, UI<64>]>:$result);
  let assemblyFormat = "$shape `,` $key `,` $counter `,` $low `,` $high attr-dict `:` functional-type(operands, results)";
}

def Graph_RandomKeyOp : Graph_PureOp<"random_key"> {
  let summary = "key and counter from the two seeds of a stateless op";
  let description = [{
    ```mlir
    %key, %counter = graph.random_key %seed : (tensor<2xi32>) -> (tensor<1xui64>, tensor<2xui64>)
    ```
  }];
  let arguments = (ins Graph_RandomIntegers:$seed);
  let results = (outs Graph_RandomState:$key, Graph_RandomState:$counter);
  let assemblyFormat = "$seed attr-dict `:` functional-type(operands, results)";
}

def Graph_RandomSkipOp : Graph_PureOp<"random_skip"> {
  let summary = "the counter after a stateful op has drawn a tensor of a shape";
  let description = [{
    256 blocks are reserved for each element, whatever is drawn.

    ```mlir
    %next = graph.random_skip %counter, %shape : (tensor<2xui64>, tensor<2xi32>) -> tensor<2xui64>
    ```
  }];
  let arguments = (ins Graph_RandomState:$counter, Graph_RandomIntegers:$shape);
  let results = (outs Graph_RandomState:$result);
  let assemblyFormat = "$counter `,` $shape attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_RANDOM
