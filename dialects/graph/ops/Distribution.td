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
