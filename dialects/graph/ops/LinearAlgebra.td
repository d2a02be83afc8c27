// Factorizations and solutions of the matrices in the last two dimensions, and
// decoding of sequences. Done by the runtime (runtime/host/).
#ifndef TENON_GRAPH_LINEARALGEBRA
#define TENON_GRAPH_LINEARALGEBRA

include "dialects/graph/HostCall.td"

def Graph_FloatTensor : RankedTensorOf<[AnyFloat, AnyComplex]>;

class Graph_MatrixOp<string mnemonic, string text, dag operands, dag outputs> : Graph_HostOp<mnemonic, [Pure]> {
  let summary = text;
  let arguments = operands;
  let results = outputs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

/// A matrix of the same size per square matrix.
class Graph_SquareOp<string mnemonic, string text, dag attributes = (ins)>
    : Graph_MatrixOp<mnemonic, text, !con((ins Graph_FloatTensor:$input), attributes), (outs Graph_FloatTensor:$result)>;

def Graph_CholeskyOp : Graph_SquareOp<"cholesky", "lower triangular L with L L^H the matrix, whose lower triangle is read; NaN when it is not positive definite">;
def Graph_MatrixInverseOp : Graph_SquareOp<"matrix_inverse", "the inverse, or with `adjoint` that of the adjoint; fails when there is none", (ins UnitAttr:$adjoint)>;
def Graph_MatrixSqrtOp : Graph_SquareOp<"matrix_sqrt", "the principal square root">;
def Graph_MatrixExpOp : Graph_SquareOp<"matrix_exp", "the exponential">;
def Graph_MatrixLogOp : Graph_SquareOp<"matrix_log", "the principal logarithm">;

def Graph_CholeskyGradOp : Graph_MatrixOp<"cholesky_grad", "derivative by the matrix, from its factor and the derivative by that",
    (ins Graph_FloatTensor:$l, Graph_FloatTensor:$grad), (outs Graph_FloatTensor:$result)>;

def Graph_QrOp : Graph_MatrixOp<"qr", "unitary Q and upper triangular R with Q R the matrix",
    (ins Graph_FloatTensor:$input, UnitAttr:$full_matrices), (outs Graph_FloatTensor:$q, Graph_FloatTensor:$r)>;

def Graph_SvdOp : Graph_MatrixOp<"svd", "singular values, descending, and with `compute_uv` the vectors of both sides",
    (ins Graph_FloatTensor:$input, UnitAttr:$compute_uv, UnitAttr:$full_matrices),
    (outs Graph_FloatTensor:$s, Graph_FloatTensor:$u, Graph_FloatTensor:$v)>;

def Graph_SelfAdjointEigOp : Graph_MatrixOp<"self_adjoint_eig", "eigenvalues, ascending, and with `compute_v` vectors of the matrix whose lower triangle is read",
    (ins Graph_FloatTensor:$input, UnitAttr:$compute_v), (outs Graph_FloatTensor:$e, Graph_FloatTensor:$v)>;

def Graph_EigOp : Graph_MatrixOp<"eig", "complex eigenvalues, and with `compute_v` vectors",
    (ins Graph_FloatTensor:$input, UnitAttr:$compute_v), (outs Graph_FloatTensor:$e, Graph_FloatTensor:$v)>;

def Graph_MatrixSolveOp : Graph_MatrixOp<"matrix_solve", "X with A X = B, or A^H X = B; fails when A has no inverse",
    (ins Graph_FloatTensor:$matrix, Graph_FloatTensor:$rhs, UnitAttr:$adjoint), (outs Graph_FloatTensor:$result)>;

def Graph_MatrixSolveLsOp : Graph_MatrixOp<"matrix_solve_ls", "X with the least |A X - B|^2 + regularizer |X|^2",
    (ins Graph_FloatTensor:$matrix, Graph_FloatTensor:$rhs, RankedTensorOf<[F64]>:$regularizer, UnitAttr:$fast),
    (outs Graph_FloatTensor:$result)>;

def Graph_TriangularSolveOp : Graph_MatrixOp<"triangular_solve", "X with A X = B for a triangular A, in full or in `banded` form; batches broadcast",
    (ins Graph_FloatTensor:$matrix, Graph_FloatTensor:$rhs, UnitAttr:$lower, UnitAttr:$adjoint, UnitAttr:$banded),
    (outs Graph_FloatTensor:$result)>;

def Graph_DeterminantOp : Graph_MatrixOp<"determinant", "the determinant",
    (ins Graph_FloatTensor:$input), (outs Graph_FloatTensor:$result)>;

def Graph_LogDeterminantOp : Graph_MatrixOp<"log_determinant", "sign of the determinant, and the logarithm of its absolute value",
    (ins Graph_FloatTensor:$input), (outs Graph_FloatTensor:$sign, Graph_FloatTensor:$log)>;

def Graph_LuOp : Graph_MatrixOp<"lu", "unit lower and upper triangular factors in one matrix, and the permutation of rows",
    (ins Graph_FloatTensor:$input), (outs Graph_FloatTensor:$lu, Graph_IntTensor:$p)>;

def Graph_TridiagonalSolveOp : Graph_MatrixOp<"tridiagonal_solve", "X with A X = B for the diagonals above, on and below the main one",
    (ins Graph_FloatTensor:$diagonals, Graph_FloatTensor:$rhs, UnitAttr:$pivoting), (outs Graph_FloatTensor:$result)>;

def Graph_TridiagonalMatMulOp : Graph_MatrixOp<"tridiagonal_matmul", "a tridiagonal matrix times a matrix",
    (ins Graph_FloatTensor:$above, Graph_FloatTensor:$main, Graph_FloatTensor:$below, Graph_FloatTensor:$rhs), (outs Graph_FloatTensor:$result)>;

// Connectionist temporal classification: inputs [time, batch, classes].

def Graph_CtcLossOp : Graph_MatrixOp<"ctc_loss", "loss per sequence, and its derivative by the inputs",
    (ins Graph_FloatTensor:$input, RankedTensorOf<[I64]>:$indices, RankedTensorOf<[I32]>:$labels, RankedTensorOf<[I32]>:$lengths,
     UnitAttr:$collapse, UnitAttr:$merge, UnitAttr:$ignore_longer, UnitAttr:$blank_first),
    (outs Graph_FloatTensor:$loss, Graph_FloatTensor:$gradient)>;

def Graph_CtcGreedyOp : Graph_MatrixOp<"ctc_greedy", "the best class at each step, as a sparse matrix, and the negative sum of their inputs",
    (ins Graph_FloatTensor:$input, RankedTensorOf<[I32]>:$lengths, UnitAttr:$merge, I64Attr:$blank),
    (outs RankedTensorOf<[I64]>:$indices, RankedTensorOf<[I64]>:$values, RankedTensorOf<[I64]>:$shape, Graph_FloatTensor:$score)>;

def Graph_CtcBeamOp : Graph_MatrixOp<"ctc_beam", "the `paths` best label sequences of a beam search: indices of each, values of each, shapes of each, and their logarithmic probabilities",
    (ins Graph_FloatTensor:$input, RankedTensorOf<[I32]>:$lengths, UnitAttr:$merge, I64Attr:$width, I64Attr:$paths),
    (outs Variadic<Graph_Tensor>:$outputs)>;

#endif // TENON_GRAPH_LINEARALGEBRA
