// Random choices: TensorFlow's own, from Philox 4x32-10.
#ifndef TENON_GRAPH_SAMPLING
#define TENON_GRAPH_SAMPLING

include "dialects/graph/GraphTypes.td"

def Graph_RandomPermutationOp : Graph_PureOp<"random_permutation"> {
  let summary = "the numbers below `count` in random order";
  let description = [{
    By Fisher and Yates' method, with one number of the generator for each but
    the last. `key` has one element, `counter` two: the low and the high half of
    a 128-bit count of blocks of the generator.

    ```mlir
    %r = graph.random_permutation %n, %key, %counter : (tensor<i64>, tensor<1xui64>, tensor<2xui64>) -> tensor<?xi64>
    ```
  }];
  let arguments = (ins RankedTensorOf<[AnySignlessInteger]>:$count, RankedTensorOf<[UI<64>]>:$key,
      RankedTensorOf<[UI<64>]>:$counter);
  let results = (outs RankedTensorOf<[I64]>:$result);
  let assemblyFormat = "$count `,` $key `,` $counter attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_SAMPLING
