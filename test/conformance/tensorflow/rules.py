"""One short rule per kind of operation: how its operands and attributes are drawn.

A rule is a function of an element type that gives the operands in order, and then attributes by name;
it is drawn from for each of its operations and types.
"""

import inspect

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

import cases
from cases import COMPLEX, F16, F32, F64, SIGNED, UNSIGNED, Const
from draw import (ALL, BOOL, FLOATS, INTS, REAL, Sized, axes_of, axis_of, chance, flag, index_type, maybe, number, pair, pick, sizes, special, tensor,
                  values)

TABLE = {}

# How near to TensorFlow's numbers results must be; what is not named moves elements, compares, counts, or
# rounds once: the same bits.
ULPS = {
    ("ulp", 4, 0): "Acos Asin Atan Exp Log Log1p Expm1 Rsqrt Sqrt Erf Softsign RsqrtGrad SqrtGrad SigmoidGrad TanhGrad InvGrad "
                   "ReciprocalGrad SoftplusGrad SoftsignGrad EluGrad SeluGrad LeakyRelu LeakyReluGrad SquaredDifference Xdivy MulNoNan AddN AccumulateNV2 "
                   "Reciprocal Inv LinSpace DivNoNan ApproximateEqual ClipByValue Angle ComplexAbs Range Complex Mod FloorMod "
                   "RGBToHSV HSVToRGB HistogramSummary",
    ("ulp", 0, 0): "ReluGrad Relu6Grad Relu Relu6 Maximum Minimum",
    ("ulp", 16, 2): "Elu Selu Sigmoid Tanh Acosh Asinh Atanh Atan2 Cos Cosh Sin Sinh Tan Erfc Pow Softplus Xlogy Xlog1py Softmax LogSoftmax Erfinv Ndtri "
                    "AdjustSaturation AdjustContrastv2 BesselI0e BesselI1e BesselI0 BesselI1 RandomStandardNormal TruncatedNormal "
                    "StatelessRandomNormal StatelessRandomNormalV2 StatelessTruncatedNormal StatelessTruncatedNormalV2 "
                    "CropAndResize ResizeBilinear RandomGamma StatelessRandomGammaV2 StatelessRandomGammaV3 ParameterizedTruncatedNormal "
                    "StatelessParameterizedTruncatedNormal FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxArgs",
    ("ulp", 64, 32): "AdjustHue Zeta Polygamma Betainc IgammaGradA RandomGammaGrad Digamma Lgamma Igamma Igammac CumulativeLogsumexp",
    ("sum", 84, 8): "",
}
EXACT = ("Add AddV2 Sub Mul Neg Abs Square Sign Cast Floor Ceil Rint Round Real Imag Conj RealDiv Div "
         "Max Min Equal NotEqual Less LessEqual Greater GreaterEqual Select SelectV2 IsNan IsInf IsFinite NextAfter "
         "RandomUniform StatelessRandomUniform StatelessRandomUniformV2 RandomUniformInt StatelessRandomUniformInt StatelessRandomUniformIntV2 "
         "RandomShuffle StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 Dilation2D MaxPool MaxPoolV2 MaxPool3D MaxPoolWithArgmax ArgMax ArgMin TopK TopKV2 Where Unique UniqueWithCounts ListDiff "
         "SegmentMax SegmentMin UnsortedSegmentMax UnsortedSegmentMin TensorScatterMax TensorScatterMin TensorScatterUpdate NthElement "
         "InvertPermutation OneHot Fill ZerosLike OnesLike DynamicStitch ParallelDynamicStitch DynamicPartition ResizeNearestNeighbor "
         "Identity IdentityN Snapshot DeepCopy StopGradient PreventGradient CheckNumerics").split()
MOVES = ("Reshape ExpandDims Squeeze Transpose ConjugateTranspose Concat ConcatV2 Pack Unpack Split SplitV Slice StridedSlice StridedSliceGrad Tile "
         "BroadcastTo Pad PadV2 MirrorPad Reverse ReverseV2 Roll ReverseSequence SpaceToDepth DepthToSpace SpaceToBatch SpaceToBatchND BatchToSpace "
         "BatchToSpaceND EnsureShape Diag DiagPart MatrixDiag MatrixDiagV2 MatrixDiagV3 MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 "
         "MatrixBandPart MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 Gather GatherV2 GatherNd ExtractImagePatches Bitcast "
         "TensorStridedSliceUpdate BiasAdd BiasAddV1").split()
NEAR = {op: list(rule) for rule, ops in ULPS.items() for op in ops.split()}
SAME = {*EXACT, *MOVES}
LINEAR = {*MOVES, *"Add AddV2 Sub Neg Conj Real Imag Equal NotEqual Select SelectV2 Fill ZerosLike OnesLike OneHot Identity Snapshot".split()}


def tolerance(op, dtype):
    if dtype.startswith("complex") and op not in LINEAR:
        return ["ulp", 256, 16] if op in (*NEAR, *SAME) else ["sum", 84, 8]
    return ["exact"] if op in SAME else NEAR.get(op, ["sum", 84, 8])


def rule(family, operations, dtypes, rounds=1):
    def add(function):
        TABLE.setdefault(family, []).extend((op, dtype, function, rounds) for op in operations.split() for dtype in dtypes)
        return function
    return add


def families(rounds):
    import rules_arrays  # noqa: F401 (each adds its rules)
    import rules_failures  # noqa: F401
    import rules_layouts  # noqa: F401
    import rules_programs  # noqa: F401
    import rules_sampling  # noqa: F401
    import rules_sparse  # noqa: F401
    import rules_types  # noqa: F401
    import rules_windows  # noqa: F401
    return {f"drawn_{name}": lambda entries=entries: drawn(entries, rounds) for name, entries in TABLE.items()}


def operands(op):
    """Names of an operation's inputs in tf.raw_ops, which are not always the definition's."""
    definition = op_def_registry.get(op)
    attributes = {a.name for a in definition.attr}
    return [n for n in inspect.signature(getattr(tf.raw_ops, op)).parameters if n not in attributes][:len(definition.input_arg)]


def drawn(entries, rounds):
    for op, dtype, function, more in entries:
        names = None
        for _ in range(rounds * more):
            made = function(dtype)
            if callable(made):
                made.dtype = getattr(made, "dtype", np.dtype(dtype).name)
                yield op, made
                continue
            made = made if isinstance(made, list) else [made]
            attributes = made.pop() if isinstance(made[-1], dict) else {}
            names = names or operands(op)
            yield op, dict(zip(names, made)) | attributes


def bytes_of(arguments):
    total = 0
    for value in arguments.values():
        for v in value if isinstance(value, (list, tuple)) else [value]:
            total += getattr(getattr(v, "value", v), "nbytes", 0)
    return total


# Elementwise

rule("elementwise", "Abs Neg Sign Square Round Floor Ceil Rint Exp Expm1 Log Log1p Sqrt Rsqrt Reciprocal Inv Sigmoid Tanh Acosh Asinh Atan "
     "IsNan IsInf IsFinite ZerosLike OnesLike Snapshot Acos Asin Atanh", FLOATS, 2)(lambda t: tensor(t))
rule("elementwise", "Erf", FLOATS, 2)(lambda t: tensor(t, (-5, 5)))
rule("elementwise", "Relu Relu6 Elu Selu Softplus Softsign", FLOATS, 2)(lambda t: tensor(t))
rule("elementwise", "Abs Neg Sign Square Relu Relu6 ZerosLike OnesLike Invert PopulationCount Snapshot Identity", INTS)(lambda t: tensor(t))
rule("elementwise", "Sin Cos Tan Sinh Cosh Erfc", FLOATS, 2)(lambda t: tensor(t, (-9, 9)))
rule("elementwise", "Digamma Lgamma BesselI0e BesselI1e BesselI0 BesselI1", FLOATS)(lambda t: tensor(t, (0.01, 12)))
rule("elementwise", "Ndtri", FLOATS)(lambda t: tensor(t, (0.001, 0.999)))
rule("elementwise", "Erfinv", FLOATS)(lambda t: tensor(t, (-0.999, 0.999)))
rule("elementwise", "Exp Log Sqrt Rsqrt Sin Cos Tan Sinh Cosh Tanh Sigmoid Square Reciprocal Neg Asinh Acosh Atanh Atan Asin Acos Log1p Expm1 Sign "
     "ZerosLike OnesLike Inv", COMPLEX)(lambda t: tensor(t, (-2, 2)))
rule("elementwise", "Real Imag Angle ComplexAbs", COMPLEX, 3)(lambda t: [tensor(t)] + (
    [{"Tout": tf.as_dtype({np.complex64: F32, np.complex128: F64}[t])}]))
rule("elementwise", "Conj", COMPLEX, 2)(lambda t: tensor(t))
rule("elementwise", "LogicalNot", BOOL, 3)(lambda t: tensor(t))
rule("elementwise", "LeakyRelu", FLOATS, 2)(lambda t: [tensor(t), {"alpha": pick([0.2, 0.0, 1.5, -0.5])}])
rule("elementwise_two", "Add AddV2 Sub Mul Maximum Minimum SquaredDifference", REAL + COMPLEX, 2)(lambda t: pair(t))
rule("elementwise_two", "Equal NotEqual", ALL, 2)(lambda t: pair(t))
rule("elementwise_two", "Less LessEqual Greater GreaterEqual", REAL, 2)(lambda t: pair(t))
rule("elementwise_two", "BitwiseAnd BitwiseOr BitwiseXor", INTS, 2)(lambda t: pair(t))
rule("elementwise_two", "LogicalAnd LogicalOr", BOOL, 3)(lambda t: pair(t))
rule("elementwise_two", "Div RealDiv DivNoNan Xdivy MulNoNan NextAfter Atan2", FLOATS, 2)(lambda t: pair(t))
rule("elementwise_two", "Div RealDiv DivNoNan Xdivy MulNoNan Pow Xlogy Xlog1py", COMPLEX)(lambda t: pair(t, (0.5, 2)))
rule("elementwise_two", "FloorDiv FloorMod TruncateMod Mod Pow", FLOATS, 2)(lambda t: [tensor(t, (-90, 90), 2, 2), Const(np.array(pick([3, -7, 0.5, 2]), t))])
rule("elementwise_two", "Xlogy Xlog1py Pow Igamma Igammac", FLOATS, 2)(lambda t: pair(t, (0.1, 5)))


@rule("elementwise_two", "Div FloorDiv TruncateDiv FloorMod TruncateMod Mod", INTS, 2)
def divided(t):
    x, y = pair(t)
    return [x, np.where(y == 0, t(3), y).astype(t)]


rule("elementwise_two", "Pow", INTS)(lambda t: [tensor(t, (0, 5), 2, 3), maybe(np.array(number(0, 4), t))])
rule("elementwise_two", "LeftShift RightShift", INTS, 2)(lambda t: [tensor(t, low=2, high=2), maybe(np.array(number(0, np.dtype(t).itemsize * 8), t))])
rule("elementwise_two", "Select", ALL)(lambda t: (lambda x: [values(x.shape, np.bool_), x, values(x.shape, t)])(tensor(t)))
rule("elementwise_two", "Select", ALL)(lambda t: (lambda x: [values(x.shape[:1], np.bool_), x, values(x.shape, t)])(tensor(t, low=1)))
rule("elementwise_two", "SelectV2", ALL, 2)(lambda t: (lambda v: [values(v[0].shape, np.bool_), *v[1:]])(pair(t, count=3)))
rule("elementwise_two", "ClipByValue", REAL)(lambda t: [tensor(t), Const(np.array(1, t)), Const(np.array(5, t))])
rule("elementwise_two", "AddN", REAL + COMPLEX)(lambda t: (lambda s: [[values(s, t, "plain") for _ in range(number(1, 6))]])(sizes()))
rule("elementwise_two", "ApproximateEqual", FLOATS)(lambda t: (lambda x: [x, values(x.shape, t), {"tolerance": 0.7}])(tensor(t)))
rule("elementwise_two", "Complex", [F32, F64], 2)(lambda t: [*pair(t), {"Tout": tf.as_dtype({F32: np.complex64, F64: np.complex128}[t])}])
rule("elementwise_two", "ReluGrad Relu6Grad LeakyReluGrad EluGrad SeluGrad SoftplusGrad SoftsignGrad SigmoidGrad TanhGrad SqrtGrad RsqrtGrad InvGrad "
     "ReciprocalGrad", FLOATS)(lambda t: (lambda x: [x, values(x.shape, t, (0.3, 3))])(tensor(t, (-3, 3))))


@rule("cast", "Cast", ALL, 8)
def cast(t):
    target = pick(ALL)
    kind = "any"
    # What lies outside the target's range is open.
    if np.dtype(target).kind in "iu" and np.dtype(t).kind not in "iub":
        kind = (0, 100)
    return [tensor(t, kind), {"DstT": tf.as_dtype(target), "Truncate": False}]


# Reductions and scans

def no_overflow(t):
    return "plain" if np.dtype(t).kind in "iu" else (-4, 4)


rule("reduction", "Sum Mean", REAL + COMPLEX, 3)(lambda t: (lambda x: [x, Const(axes_of(x.shape)), {"keep_dims": flag()}])(tensor(t, no_overflow(t), elements=900)))
rule("reduction", "EuclideanNorm", FLOATS + COMPLEX, 3)(lambda t: (lambda x: [x, Const(axes_of(x.shape)), {"keep_dims": flag()}])(tensor(t, no_overflow(t))))
rule("reduction", "Max Min", REAL, 3)(lambda t: (lambda x: [x, Const(axes_of(x.shape)), {"keep_dims": flag()}])(tensor(t)))
rule("reduction", "Prod", REAL + COMPLEX, 3)(lambda t: (lambda x: [x, Const(axes_of(x.shape)), {"keep_dims": flag()}])(tensor(t, (0.5, 2) if np.dtype(t).kind in "fc" else "plain", elements=60)))
rule("reduction", "All Any", BOOL, 6)(lambda t: (lambda x: [x, Const(axes_of(x.shape)), {"keep_dims": flag()}])(tensor(t)))
rule("fed", "Sum Mean Max Min Prod", [F32, F64, np.int32, np.int64, np.uint8], 2)(
    lambda t: (lambda x: [x, Sized(axes_of(x.shape)), {"keep_dims": True}])(tensor(t, (1, 3), low=1, high=4, elements=40)))
rule("reduction", "ArgMax ArgMin", REAL + BOOL, 3)(lambda t: (lambda x: [x, maybe(axis_of(x.shape)), {"output_type": pick([tf.int32, tf.int64])}])(
    tensor(t, "plain", low=1, high=6)))
rule("reduction", "Cumsum Cumprod CumulativeLogsumexp", REAL + COMPLEX, 2)(lambda t: (lambda x: [x, maybe(axis_of(x.shape)), {"exclusive": flag(), "reverse": flag()}])(
    tensor(t, (0.5, 2) if np.dtype(t).kind in "fc" else (1, 4), low=1, high=5, elements=60)))
rule("reduction", "L2Loss", FLOATS)(lambda t: tensor(t, (-3, 3)))


@rule("reduction", "SegmentMax SegmentMin SegmentProd", REAL)
@rule("reduction", "SegmentSum SegmentMean", REAL + COMPLEX)
def segments(t):
    x = tensor(t, (1, 4), low=1, high=4, elements=80)
    return [x, np.sort(cases.rng.integers(0, 5, x.shape[0])).astype(index_type())]


@rule("reduction", "UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd", REAL)
@rule("reduction", "UnsortedSegmentSum", REAL + COMPLEX)
def unsorted(t):
    x = tensor(t, (1, 4), low=1, high=4, elements=80)
    ids = cases.rng.integers(-1, 5, x.shape[:number(1, x.ndim + 1)]).astype(index_type())
    return [x, ids, maybe(index_type()(5))]


rule("reduction", "TopKV2", REAL, 2)(lambda t: (lambda x: [x, maybe(np.int32(number(0, x.shape[-1] + 1))), {"sorted": True}])(tensor(t, "plain", low=1, high=4)))
rule("reduction", "TopKV2", REAL)(lambda t: (lambda x: [x, maybe(np.int32(min(2, x.shape[-1]))), {"sorted": True}])(tensor(t, "plain", low=1, high=4)))
rule("reduction", "NthElement", REAL)(lambda t: [values((4, 7), t, "plain"), maybe(np.int32(number(0, 7))), {"reverse": flag()}])
rule("reduction", "InTopK", [np.int32, np.int64], 2)(lambda t: [values((6, 9), F32, "plain"), cases.rng.integers(0, 9, 6).astype(t), {"k": number(1, 9)}])
rule("reduction", "InTopKV2", [np.int32, np.int64], 2)(lambda t: [values((6, 9), F32, "plain"), cases.rng.integers(0, 9, 6).astype(t), maybe(t(number(1, 9)))])
rule("reduction", "Bincount", [np.int32, np.int64, F32, F64], 2)(lambda t: [cases.rng.integers(0, 9, 20).astype(np.int32), maybe(np.int32(7)), Sized(values((20,), t, (0, 5))) if flag() else Const(np.zeros(0, t))])
rule("reduction", "Bucketize", [np.int32, np.int64, F32, F64], 2)(lambda t: [tensor(t), {"boundaries": sorted(float(v) for v in cases.rng.normal(0, 4, number(0, 9)))}])

# Contractions

@rule("contraction", "MatMul", FLOATS + SIGNED[2:] + UNSIGNED[2:] + COMPLEX, 4)
def matmul(t):
    m, k, n = (pick([0] + [1, 2, 3, 5, 8, 13, 16, 17, 31, 40] * 2) for _ in range(3))
    ta, tb = flag(), flag()
    b = values((n, k) if tb else (k, n), t, (-3, 3) if np.dtype(t).kind != "u" else (0, 5))
    return [values((k, m) if ta else (m, k), t, (-3, 3) if np.dtype(t).kind != "u" else (0, 5)), Const(b) if flag() else b, {"transpose_a": ta, "transpose_b": tb}]


@rule("contraction", "BatchMatMul BatchMatMulV2", FLOATS + [np.int16, np.int32, np.int64] + COMPLEX, 3)
def batched(t):
    m, k, n = (pick([1, 2, 3, 5, 8, 13, 17]) for _ in range(3))
    batch = sizes(0, 3, 12)
    other = tuple(1 if chance(0.3) else d for d in batch)[number(0, len(batch) + 1) if chance(0.3) else 0:]
    ta, tb = flag(), flag()
    return [values((*batch, *((k, m) if ta else (m, k))), t, (-3, 3)), values((*other, *((n, k) if tb else (k, n))), t, (-3, 3)), {"adj_x": ta, "adj_y": tb}]


@rule("contraction", "Einsum", [F32, F64, np.int32, np.complex64], 6)
def einsum(t):
    equation = pick(["ij,jk->ik", "ij,kj->ki", "bij,bjk->bik", "...ij,...jk->...ik", "abc,cd->abd", "ab,ab->", "ab,ab->b", "i,j->ji", "iji->j", "abcd->dbca",
                     "abc->b", "aab->ab", "abc,abd->acd", "a,ab->b", "i...,i->...", "ab,cd->acbd", ",ab->ab", "bqhd,bkhd->bhqk"])
    size = {c: pick([1, 2, 3, 4, 5, 7]) for c in "abcdefghijklmnopqrstuvwxyz"}
    dots = sizes(0, 2, 6, 0)
    shape = lambda part: sum((dots if c == "." else (size[c],) for c in part.replace("...", ".")), ())
    return [[values(shape(part), t, (-3, 3)) for part in equation.split("->")[0].split(",")], {"equation": equation}]


rule("contraction", "Cross", REAL)(lambda t: (lambda s: [values((*s, 3), t, (0, 5)), values((*s, 3), t, (0, 5))])(sizes(0, 3, 20)))

# Normalization

rule("normalization", "Softmax LogSoftmax", FLOATS, 4)(lambda t: tensor(t, (-9, 9), low=1, high=4))
rule("normalization", "BiasAdd", REAL + COMPLEX)(lambda t: (lambda x: [x, values(x.shape[-1:], t, "plain")])(tensor(t, "plain", low=2, high=5)))
rule("normalization", "BiasAdd", FLOATS + [np.int32])(lambda t: (lambda x: [x, values(x.shape[1:2], t, "plain"), {"data_format": "NCHW"}])(tensor(t, "plain", low=3, high=5)))
rule("normalization", "BiasAddGrad", REAL)(lambda t: [tensor(t, (1, 4), low=2, high=5), {"data_format": "NHWC"}])
rule("normalization", "BiasAddGrad", FLOATS)(lambda t: [tensor(t, (-3, 3), low=3, high=5), {"data_format": "NCHW"}])
rule("normalization", "SoftmaxCrossEntropyWithLogits", FLOATS, 2)(lambda t: (lambda b, n: [values((b, n), t, (-4, 4)), values((b, n), t, (0, 1))])(number(1, 9), pick([1, 2, 5, 17, 40])))
rule("normalization", "SparseSoftmaxCrossEntropyWithLogits", FLOATS, 2)(lambda t: (lambda b, n: [values((b, n), t, (-4, 4)), cases.rng.integers(0, n, b).astype(index_type())])(number(1, 9), pick([1, 2, 5, 17, 40])))
rule("normalization", "LRN", [F32, F16, cases.BF16], 2)(lambda t: [values((2, 3, 2, pick([1, 5, 9, 17])), t, (-2, 2)), {"depth_radius": number(0, 6), "bias": 1.2, "alpha": pick([0.1, 1.0]), "beta": pick([0.5, 0.75, 1.0])}])


@rule("normalization", "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3", [F16, cases.BF16, F32], 4)
def batch_norm(t):
    training, channels = flag(), pick([1, 3, 8, 17])
    u = F32
    p = [values((channels,), u, k) for k in ((0.5, 2), (-1, 1), (-1, 1), (0.2, 2))]
    if training:
        p[2] = p[3] = Const(np.zeros(0, u))
    shape = (number(1, 4), number(1, 6), number(2, 6))
    nchw = chance(0.2)
    shape = (shape[0], channels, *shape[1:]) if nchw else (*shape, channels)
    return [values(shape, t, (-3, 3)), *p, {"is_training": training, "epsilon": pick([1e-3, 1e-5]), "data_format": "NCHW" if nchw else "NHWC"}]
