// Choices: random ones, TensorFlow's own from Philox 4x32-10, and those of boxes.
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

def Graph_RandomPoissonOp : Graph_PureOp<"random_poisson", [AllElementTypesMatch<["rate", "result"]>]> {
  let summary = "Poisson distributed random numbers";
  let description = [{
    The result has the dimensions of `shape`, then those of `rate`. By Knuth's
    method for rates below 10, else by Hoermann's transformed rejection. `key` and
    `counter` as in `random_permutation`.

    ```mlir
    %r = graph.random_poisson %shape, %rate, %key, %counter : (tensor<1xi32>, tensor<3xf32>, tensor<1xui64>, tensor<2xui64>) -> tensor<?x3xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[AnySignlessInteger]>:$shape, RankedTensorOf<[F32, F64]>:$rate,
      RankedTensorOf<[UI<64>]>:$key, RankedTensorOf<[UI<64>]>:$counter);
  let results = (outs RankedTensorOf<[F32, F64]>:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Graph_NonMaxSuppressionOp : Graph_PureOp<"non_max_suppression"> {
  let summary = "the best boxes that do not overlap much";
  let description = [{
    Boxes are [n, 4], two corners each; a box is chosen by the greatest score
    above `score_threshold`, the first of equal ones, at most `limit` times. Each
    choice removes the boxes of which intersection over union with it is greater
    than `overlap`, or, with a `sigma` above 0, multiplies their scores by
    exp(-overlap^2 / (2 sigma)). Results are the numbers of the chosen boxes and
    their scores.

    ```mlir
    %i, %s = graph.non_max_suppression %boxes, %scores, %limit, %overlap, %threshold, %sigma
        : (tensor<9x4xf32>, tensor<9xf32>, tensor<i32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<?xi32>, tensor<?xf32>)
    ```
  }];
  let arguments = (ins RankedTensorOf<[F32]>:$boxes, RankedTensorOf<[F32]>:$scores, RankedTensorOf<[AnySignlessInteger]>:$limit,
      RankedTensorOf<[F32]>:$overlap, RankedTensorOf<[F32]>:$score_threshold, RankedTensorOf<[F32]>:$sigma);
  let results = (outs RankedTensorOf<[I32]>:$chosen, RankedTensorOf<[F32]>:$chosen_scores);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_SAMPLING
