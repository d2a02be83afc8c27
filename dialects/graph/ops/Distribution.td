// Special functions of probability, and numbers drawn from distributions that
// take a number of tries. Done by the runtime (runtime/host/).
#ifndef TENON_GRAPH_DISTRIBUTION
#define TENON_GRAPH_DISTRIBUTION

include "dialects/graph/HostCall.td"

def Graph_WordTensor : RankedTensorOf<[UI<64>]>;
def Graph_RealNumbers : RankedTensorOf<[F16, BF16, F32, F64]>;
def Graph_WideNumbers : RankedTensorOf<[F32, F64]>;

class Graph_SpecialOp<string mnemonic, string text, dag operands, dag outputs> : Graph_HostOp<mnemonic, [Pure]> {
  let summary = text;
  let arguments = operands;
  let results = outputs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

/// Operands broadcast.
class Graph_SpecialBinaryOp<string mnemonic, string text>
    : Graph_SpecialOp<mnemonic, text, (ins Graph_WideNumbers:$lhs, Graph_WideNumbers:$rhs), (outs Graph_WideNumbers:$result)>;

def Graph_ZetaOp : Graph_SpecialBinaryOp<"zeta", "Hurwitz' zeta function: sum of (rhs + k)^-lhs for k = 0, 1, ...">;
def Graph_PolygammaOp : Graph_SpecialBinaryOp<"polygamma", "derivative number lhs of digamma at rhs; NaN unless lhs is one of 0, 1, 2, ...">;
def Graph_IgammaGradAOp : Graph_SpecialBinaryOp<"igamma_grad_a", "derivative of igamma(lhs, rhs) by lhs">;
def Graph_RandomGammaGradOp : Graph_SpecialBinaryOp<"random_gamma_grad", "derivative of rhs, drawn from the gamma distribution of shape lhs, by lhs">;
def Graph_BetaincOp : Graph_SpecialOp<"betainc", "regularized incomplete beta function; operands broadcast",
    (ins Graph_WideNumbers:$a, Graph_WideNumbers:$b, Graph_WideNumbers:$x), (outs Graph_WideNumbers:$result)>;

def Graph_SpecialFunctionOp : Graph_SpecialOp<"special_function", "a special function of one variable",
    (ins Graph_WideNumbers:$input, StrAttr:$function), (outs Graph_WideNumbers:$result)> {
  let description = [{
    `function` is "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "bessel_k0",
    "bessel_k1", "bessel_k0e", "bessel_k1e" (those of the second kind times
    exp(x)), "dawsn", "expint", "fresnel_cos", "fresnel_sin" or "spence".

    ```mlir
    %r = graph.special_function %x {function = "dawsn"} : (tensor<3xf32>) -> tensor<3xf32>
    ```
  }];
}

def Graph_CandidateSamplerOp : Graph_SpecialOp<"candidate_sampler", "classes drawn from so many, and how often classes are expected among them",
    (ins RankedTensorOf<[I64]>:$classes, Graph_WordTensor:$key, Graph_WordTensor:$counter, I64Attr:$number, I64Attr:$range, UnitAttr:$unique, UnitAttr:$falling),
    (outs RankedTensorOf<[I64]>:$sampled, RankedTensorOf<[F32]>:$expected, RankedTensorOf<[F32]>:$expected_sampled, Graph_WordTensor:$next)> {
  let description = [{
    Draws `number` of the classes 0 up to `range`: all with the same chance, or
    with `falling` the less the larger they are, log((c + 2) / (c + 1)) over
    log(range + 1). With `unique` each at most once. `expected` is for each of
    `classes`. The generator is that of `random_gamma`.
  }];
}

def Graph_RandomBitsOp : Graph_SpecialOp<"random_bits", "integers of 32 or 64 random bits",
    (ins Graph_IntTensor:$shape, Graph_WordTensor:$key, Graph_WordTensor:$counter), (outs Graph_IntTensor:$result)>;

def Graph_RandomGammaOp : Graph_SpecialOp<"random_gamma", "gamma distributed numbers, and the generator's counter after them",
    (ins Graph_IntTensor:$shape, Graph_RealNumbers:$alpha, Graph_WordTensor:$key, Graph_WordTensor:$counter, UnitAttr:$whole),
    (outs Graph_RealNumbers:$result, Graph_WordTensor:$next)> {
  let description = [{
    By Marsaglia and Tsang's method, in f64. The result has the dimensions of
    `shape`, then those of `alpha`; with `whole` those are the last ones of
    `shape`. `key` has one element, `counter` two: the low and the high half of a
    128-bit count of blocks of the generator.

    ```mlir
    %r, %n = graph.random_gamma %shape, %alpha, %key, %counter : (tensor<1xi32>, tensor<3xf32>, tensor<1xui64>, tensor<2xui64>) -> (tensor<4x3xf32>, tensor<2xui64>)
    ```
  }];
}

def Graph_RandomTruncatedOp : Graph_SpecialOp<"random_truncated", "normally distributed numbers between bounds, and the generator's counter after them",
    (ins Graph_IntTensor:$shape, Graph_RealNumbers:$mean, Graph_RealNumbers:$deviation, Graph_RealNumbers:$low, Graph_RealNumbers:$high,
     Graph_WordTensor:$key, Graph_WordTensor:$counter, UnitAttr:$stateless),
    (outs Graph_RealNumbers:$result, Graph_WordTensor:$next)> {
  let description = [{
    Parameters are scalars or one for each row; with `stateless` they broadcast,
    and the result's shape ends with theirs. Fails where a deviation is not
    positive or a lower bound not below the upper one. Else as `random_gamma`.
  }];
}

#endif // TENON_GRAPH_DISTRIBUTION
