"""Rules of the element and index types and the attributes that the other rules leave out."""

import math

import numpy as np
import tensorflow as tf

import cases
from cases import BF16, COMPLEX, F16, F32, F64, Const
from draw import ALL, BOOL, FLOATS, INTS, REAL, Sized, axes_of, axis_of, chance, flag, index_type, maybe, number, pair, pick, sizes, tensor, values
from rules import rule

rule("types", "ReluGrad Relu6Grad", INTS)(lambda t: (lambda x: [values(x.shape, t), x])(tensor(t)))
rule("types", "ReluGrad Relu6Grad EluGrad SeluGrad LeakyReluGrad", FLOATS)(lambda t: (lambda x: [values(x.shape, t), x])(tensor(t)))
rule("types", "InvGrad ReciprocalGrad RsqrtGrad SqrtGrad SigmoidGrad TanhGrad", COMPLEX)(lambda t: (lambda x: [values(x.shape, t, (0.3, 2)), x])(tensor(t, (0.3, 2))))
rule("types", "Round", [np.int32, np.int64, np.int8, np.int16])(lambda t: tensor(t))
rule("types", "Neg Abs Sign Square", [np.int8, np.int16, np.int32, np.int64])(lambda t: tensor(t))
rule("types", "EuclideanNorm", INTS)(lambda t: (lambda x: [x, maybe(axes_of(x.shape)), {"keep_dims": True}])(tensor(t, (0, 3))))
rule("types", "CheckNumerics CheckNumericsV2", FLOATS)(lambda t: [tensor(t, (-9, 9)), {"message": "no number"}])
rule("types", "Equal NotEqual", ALL)(lambda t: (lambda v: [*v, {"incompatible_shape_error": False}])(pair(t)))
rule("types", "ClipByValue", REAL)(lambda t: (lambda x: [x, values(x.shape, t, (0, 3)), values((), t, (3, 9))])(tensor(t)))
rule("types", "Cast", ALL, 3)(lambda t: (lambda to: [tensor(t, (0, 100) if np.dtype(to).kind in "iu" and np.dtype(t).kind not in "iub" else "any"), {"DstT": tf.as_dtype(to), "Truncate": True}])(pick(FLOATS + (COMPLEX if np.dtype(t).kind == "c" else []))))
rule("types", "AddN", INTS + [np.complex64])(lambda t: (lambda s: [[values(s, t) for _ in range(number(1, 6))]])(sizes()))
rule("types", "AccumulateNV2", REAL + COMPLEX)(lambda t: (lambda s: [[values(s, t, "plain") for _ in range(number(1, 4))], {"shape": list(s)}])(sizes()))
rule("types", "FloorDiv FloorMod TruncateDiv", [np.int8, np.int32, np.int64])(lambda t: (lambda v: [v[0], np.where(v[1] == 0, t(-1), v[1]).astype(t)])(pair(t)))
rule("types", "FloorDiv FloorMod Mod TruncateMod", FLOATS, 2)(lambda t: pair(t))
rule("types", "Pow", FLOATS, 3)(lambda t: pair(t))
rule("types", "Pow", [np.int8, np.int16, np.int32, np.int64])(lambda t: [tensor(t), values((), t, (0, 9))])
rule("types", "LeftShift RightShift", INTS)(lambda t: (lambda x: [x, values(x.shape, t, (0, np.dtype(t).itemsize * 8))])(tensor(t)))
rule("types", "Maximum Minimum", REAL, 2)(lambda t: pair(t, "plain"))
rule("types", "Xlogy Xlog1py Xdivy Atan2 MulNoNan DivNoNan", FLOATS, 2)(lambda t: pair(t))
rule("types", "Softmax LogSoftmax", FLOATS)(lambda t: tensor(t, low=1, high=4))
rule("types", "Elu Selu Softplus Softsign Sigmoid Tanh LeakyRelu Relu Relu6", FLOATS, 2)(lambda t: tensor(t))

# Shapes

rule("types", "ArgMax ArgMin", REAL, 2)(lambda t: [tensor(t, low=1, high=6), Const(np.array(-1, pick([np.int16, np.int32, np.int64]))), {"output_type": pick([tf.int16, tf.uint16, tf.int32, tf.int64])}])
rule("types", "Concat", ALL)(lambda t: [Const(np.int32(1)), [values((2, number(0, 4), 3), t) for _ in range(number(2, 5))]])
rule("types", "ConcatOffset", [np.int32, np.int64])(lambda t: [maybe(np.int32(1)), [maybe(np.array([2, n, 3], t)) for n in (3, 1, 4)]])
rule("types", "ConjugateTranspose", ALL)(lambda t: (lambda x: [x, maybe(cases.rng.permutation(x.ndim).astype(index_type()))])(tensor(t, low=1)))
rule("types", "Gather GatherV2 GatherNd", SIGNED := [np.int16, np.int32, np.int64])(lambda t: lambda feeds: [
    tf.raw_ops.GatherV2(params=feeds.tensor(values((5, 3), F32)), indices=feeds.tensor(np.array([[1, 4], [0, 2]], t)), axis=tf.constant(0)),
    tf.raw_ops.GatherNd(params=feeds.tensor(values((5, 3), F32)), indices=feeds.tensor(np.array([[1, 2], [0, 2]], t)))])
rule("types", "Gather", REAL)(lambda t: [values((5, 2), t), np.array([[1, 4], [0, 2]], index_type()), {"validate_indices": False}])
rule("types", "LinSpace", FLOATS)(lambda t: [maybe(values((), t, (-3, 3))), maybe(values((), t, (4, 9))), maybe(np.array(number(1, 20), index_type()))])
rule("types", "Range", [F16, BF16, F32])(lambda t: [maybe(np.array(number(-9, 9), t)), maybe(np.array(number(9, 30), t)), maybe(np.array(pick([1, 2, 0.5]), t))])
rule("types", "SplitV", ALL)(lambda t: [values((3, 9), t), maybe(np.array(pick([[2, 3, 4], [0, 9, 0], [-1, 4, 2]]), index_type())), Const(np.int32(pick([1, -1]))), {"num_split": 3}])
rule("types", "Squeeze", ALL)(lambda t: [values((1, 3, 1, 2), t), {"axis": pick([[], [0], [-2], [0, 2]])}])
rule("types", "StridedSlice", ALL)(lambda t: [values((5, 6), t), *[Const(np.array(v, np.int16)) for v in ([1, -1], [5, -6], [2, -2])]])
rule("types", "EnsureShape", ALL)(lambda t: (lambda x: [x, {"shape": [n if flag() else None for n in x.shape]}])(tensor(t)))
rule("types", "Shape Size", ALL)(lambda t: [tensor(t), {"out_type": pick([tf.int32, tf.int64])}])
rule("types", "ShapeN", ALL)(lambda t: [[tensor(t), tensor(t)], {"out_type": pick([tf.int32, tf.int64])}])
rule("types", "Rank StopGradient PreventGradient DeepCopy Identity", ALL)(lambda t: tensor(t))
rule("types", "Bitcast", COMPLEX + [F64, np.int64])(lambda t: [tensor(t, high=3), {"type": tf.as_dtype(pick([F32, F64, np.int32, np.uint8, np.complex64, np.int64]))}])
rule("types", "OneHot", [np.int8, np.uint8, np.int32, np.int64], 3)(lambda t: (lambda x, to: [x, maybe(np.int32(number(0, 6))), maybe(values((), to)), maybe(values((), to)), {"axis": number(-1, x.ndim + 1)}])(tensor(t, (0, 7), high=4, elements=40), pick(ALL)))
rule("types", "RandomShuffle", BOOL + COMPLEX)(lambda t: [tensor(t, low=1, high=3), {"seed": 3, "seed2": number(1, 99)}])
rule("types", "DynamicPartition", INTS + BOOL)(lambda t: [values((7, 2), t), cases.rng.integers(0, 3, 7).astype(np.int32), {"num_partitions": 3}])
rule("types", "Unique UniqueWithCounts", BOOL + REAL)(lambda t: [values((number(0, 30),), t, (0, 6)), {"out_idx": pick([tf.int32, tf.int64])}])
rule("types", "UniqueV2 UniqueWithCountsV2", BOOL + REAL)(lambda t: [values((number(0, 30),), t, (0, 6)), Const(np.array(pick([[], [0]]), index_type())), {"out_idx": pick([tf.int32, tf.int64])}])
rule("types", "UniqueV2 UniqueWithCountsV2", [np.int32, F32, np.uint8])(lambda t: [values((number(1, 8), 2, 2), t, (0, 2)), Const(np.array([number(-3, 3)], index_type())), {"out_idx": pick([tf.int32, tf.int64])}])
rule("types", "TopKV2", REAL, 2)(lambda t: (lambda x: [x, maybe(np.array(number(0, x.shape[-1] + 1), pick([np.int16, np.int32, np.int64]))), {"sorted": True, "index_type": pick([tf.int16, tf.int32, tf.int64])}])(tensor(t, "plain", low=1, high=4)))
rule("types", "TopK", REAL)(lambda t: [values((3, 8), t, "plain"), {"k": number(0, 9), "sorted": True}])
rule("types", "UnsortedSegmentSum UnsortedSegmentProd UnsortedSegmentMax", [np.int16, np.int32, np.int64])(lambda t: lambda feeds: [
    tf.raw_ops.UnsortedSegmentSum(data=feeds.tensor(values((6, 2), F32, (1, 3))), segment_ids=feeds.tensor(np.array([0, 2, -1, 2, 3, 0], t)), num_segments=feeds.tensor(maybe(np.array(4, index_type()))))])
rule("types", "SegmentProd SegmentSum SegmentMean", COMPLEX)(lambda t: [values((6, 2), t, (0.5, 2)), np.array([0, 0, 2, 2, 2, 4], index_type())])
rule("types", "UnsortedSegmentProd UnsortedSegmentSum", COMPLEX)(lambda t: [values((6, 2), t, (0.5, 2)), np.array([0, 3, 2, -1, 2, 3], index_type()), maybe(index_type()(5))])
rule("types", "SegmentSum SegmentMean SegmentMax SegmentMin SegmentProd", REAL)(lambda t: [values((6, 2), t, (0, 4)), np.sort(cases.rng.integers(0, 9, 6)).astype(index_type())])
rule("types", "ScatterNd", BOOL + [np.uint8, np.int16])(lambda t: [np.array([[1], [3], [1]], index_type()), values((3, 2), t), maybe(np.array([5, 2], np.int32))])
rule("types", "MirrorPadGrad", REAL + COMPLEX)(lambda t: [values((7, 6), t, (0, 5)), maybe(np.array([[2, 1], [1, 1]], index_type())), {"mode": pick(["REFLECT", "SYMMETRIC"])}])
rule("types", "StridedSliceGrad", ALL)(lambda t: [maybe(np.array([4, 5], np.int32)), Const(np.array([1, 0], np.int32)), Const(np.array([4, 5], np.int32)), Const(np.array([1, 2], np.int32)), values((3, 3), t)])
rule("types", "MatrixDiagV3 MatrixDiagV2", INTS + BOOL)(lambda t: [values((2, 3), t), Const(np.int32(pick([0, 1, -2]))), Const(np.int32(-1)), Const(np.int32(-1)), maybe(values((), t))])
rule("types", "MatrixDiagPartV3 MatrixDiagPartV2", ALL)(lambda t: [values((2, 3, 4), t), maybe(np.int32(pick([0, 1, -2]))), maybe(values((), t))])
rule("types", "MatrixSetDiagV3 MatrixSetDiagV2", ALL)(lambda t: [values((2, 3, 4), t), values((2, 3), t), maybe(np.int32(pick([0, 1])))])
rule("types", "SpaceToBatchND", ALL)(lambda t: [values((2, 3, 4, 2), t), maybe(np.array([2, 3], index_type())), maybe(np.array([[1, 0], [0, 2]], index_type()))])
rule("types", "BatchToSpaceND", ALL)(lambda t: [values((12, 3, 4, 2), t), maybe(np.array([2, 3], index_type())), maybe(np.array([[1, 0], [0, 2]], index_type()))])
rule("types", "Diag", INTS)(lambda t: values((2, 3), t))
rule("types", "BroadcastGradientArgs", [np.int32, np.int64])(lambda t: [np.array([3, 1, 5], t), np.array([4, 1], t)])

# Contractions

rule("types", "BatchMatMulV3", FLOATS + [np.int16, np.int32, np.int64, np.int8, np.uint8])(lambda t: (lambda a, b: [
    values((2, 4, 3) if a else (2, 3, 4), t, (0, 4)), values((5, 4) if b else (4, 5), t, (0, 4)), {"Tout": tf.as_dtype(np.int32 if np.dtype(t).itemsize == 1 else t), "adj_x": a, "adj_y": b}])(flag(), flag()))
rule("types", "Einsum", [F16, BF16, np.int64, np.complex128])(lambda t: [[values((3, 4), t, (0, 3)), values((4, 5), t, (0, 3))], {"equation": "ab,bc->ca"}])
rule("types", "SparseMatMul", [F32, BF16])(lambda t: [values((3, 4), t, (-2, 2)), values((4, 5), pick([F32, BF16]), (-2, 2)), {"a_is_sparse": flag(), "b_is_sparse": flag()}])
rule("types", "MatMul BatchMatMulV2", FLOATS + COMPLEX, 2)(lambda t: lambda feeds: (lambda m, k, n: [
    tf.raw_ops.MatMul(a=feeds.tensor(values((m, k), t, (-2, 2))), b=feeds.tensor(values((k, n), t, (-2, 2)))),
    tf.raw_ops.BatchMatMulV2(x=feeds.tensor(values((2, 1, m, k), t, (-2, 2))), y=feeds.tensor(values((3, k, n), t, (-2, 2))))])(number(0, 40), number(0, 70), number(0, 40)))

# Sparse

SPARSE = [[0, 1], [1, 2], [3, 0]]
rule("types", "SparseToDense", ALL)(lambda t: [np.array(SPARSE, index_type()), np.array([4, 3]), values((3,), t), values((), t), {"validate_indices": flag()}] and
     (lambda i: [np.array(SPARSE, i), maybe(np.array([4, 3], i)), values((3,), t), values((), t), {"validate_indices": flag()}])(index_type()))
rule("types", "SparseTensorDenseMatMul", FLOATS + COMPLEX + [np.int32])(lambda t: (lambda a, b: [
    np.array(SPARSE, index_type()), values((3,), t, (-2, 2)), Const(np.array([4, 3], np.int64)), values({(0, 0): (3, 5), (1, 0): (4, 5), (0, 1): (5, 3), (1, 1): (5, 4)}[a, b], t, (-2, 2)), {"adjoint_a": bool(a), "adjoint_b": bool(b)}])(number(0, 2), number(0, 2)))
rule("types", "SparseConcat", ALL)(lambda t: [[np.array(SPARSE), np.array([[0, 0], [2, 1]])], [values((3,), t), values((2,), t)], [np.array([4, 3]), np.array([4, 2])], {"concat_dim": 1}])
rule("types", "SparseFillEmptyRows", ALL)(lambda t: [np.array(SPARSE), values((3,), t), np.array([5, 3]), values((), t)])


@rule("types", "SparseSegmentSum SparseSegmentMean SparseSegmentSqrtN", FLOATS + INTS)
def sparse_segments(t):
    x, at, ids = values((5, 3), t, (0, 4)), np.array([4, 0, 1, 1, 3], index_type()), np.array([0, 0, 1, 3, 3], index_type())

    def build(feeds):
        more = dict(data=feeds.tensor(x), indices=feeds.tensor(at), segment_ids=feeds.tensor(ids))
        count = feeds.tensor(maybe(np.array(6, index_type())))
        made = [tf.raw_ops.SparseSegmentSum(**more), tf.raw_ops.SparseSegmentSumWithNumSegments(num_segments=count, **more)]
        if np.dtype(t).kind not in "iu":
            for name in ("Mean", "SqrtN"):
                made += [getattr(tf.raw_ops, "SparseSegment" + name)(**more), getattr(tf.raw_ops, f"SparseSegment{name}WithNumSegments")(num_segments=count, **more)]
        return made
    return build


rule("types", "DenseBincount", [np.int32, np.int64])(lambda t: [cases.rng.integers(0, 9, pick([(20,), (3, 7)])).astype(t), maybe(t(7)), pick([Const(np.zeros(0, F32))]), {"binary_output": flag()}])
rule("types", "CTCLoss", [F32, F64], 2)(lambda t: [values((6, 2, 5), t, (-3, 3)), Const(np.array([[0, 0], [0, 1], [1, 0]])), Const(np.array([1, 2, 3], np.int32)), np.array([6, 5], np.int32),
                                                 {"preprocess_collapse_repeated": flag(), "ctc_merge_repeated": flag(), "ignore_longer_outputs_than_inputs": flag()}])
rule("types", "CTCLossV2", [F32], 2)(lambda t: [values((6, 2, 5), t, (-3, 3)), Const(np.array([[0, 0], [0, 1], [1, 0]])), Const(np.array([1, 2, 3], np.int32)), np.array([6, 5], np.int32), {"ctc_merge_repeated": flag()}])
rule("types", "CTCGreedyDecoder", [F32, F64])(lambda t: [values((6, 2, 5), t, (-3, 3)), np.array([6, 4], np.int32), {"merge_repeated": flag(), "blank_index": pick([-1, 0, 2])}])
rule("types", "CTCBeamSearchDecoder", [F32, F64])(lambda t: [values((6, 2, 5), t, (-3, 3)), np.array([6, 4], np.int32), {"beam_width": 4, "top_paths": 2, "merge_repeated": flag()}])
rule("types", "ScalarSummary", REAL)(lambda t: [Const(np.array("a tag")), values((), t, (0, 9))])
rule("types", "HistogramSummary", REAL)(lambda t: [Const(np.array("a tag")), values((7,), t, (0, 9))])
rule("types", "RGBToHSV", [F16, BF16, F32, F64])(lambda t: values((4, 3, 3), t, (0, 1)))
rule("types", "HSVToRGB", [F16, BF16, F32, F64])(lambda t: values((4, 3, 3), t, (0, 1)))
rule("types", "Qr", [F32, F64, np.complex64])(lambda t: (lambda x: lambda feeds: (lambda made: [tf.abs(made.r)])(tf.raw_ops.Qr(input=feeds.tensor(x), full_matrices=flag())))(values((2, number(1, 5), number(1, 5)), t, (-2, 2))))
rule("types", "Svd", [F32, F64])(lambda t: (lambda x: lambda feeds: [tf.raw_ops.Svd(input=feeds.tensor(x), compute_uv=True, full_matrices=flag()).s])(values((2, number(1, 5), number(1, 5)), t, (-2, 2))))
rule("types", "Multinomial", FLOATS)(lambda t: [values((3, 7), t, (-2, 2)), maybe(np.int32(5)), {"seed": 3, "seed2": number(1, 99), "output_dtype": pick([tf.int32, tf.int64])}])
rule("types", "RandomPoissonV2", FLOATS, 1)(lambda t: [maybe(np.array([4], index_type())), values((3,), t, (0, 20)), {"seed": 3, "seed2": number(1, 99), "dtype": pick([tf.float16, tf.float32, tf.float64, tf.int32, tf.int64])}])
rule("types", "StatelessRandomUniformFullInt StatelessRandomUniformInt", [np.int32, np.int64])(lambda t: [maybe(np.array([3, 2], index_type())), maybe(np.array([3, 9], index_type())), maybe(t(-4)), maybe(t(9))])
