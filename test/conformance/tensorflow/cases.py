"""One-op cases that are written out, grouped by family.

A case is (op, arguments): keyword arguments of tf.raw_ops.<op>. NumPy arrays are
fed at run time, Const-wrapped arrays are constants of the graph, lists of either
are list arguments, everything else is an attribute.
"""

import itertools

import numpy as np
import tensorflow as tf

BF16 = tf.bfloat16.as_numpy_dtype
F32, F64, F16 = np.float32, np.float64, np.float16
FLOATS = [F32, F64, F16, BF16]
SIGNED = [np.int8, np.int16, np.int32, np.int64]
UNSIGNED = [np.uint8, np.uint16, np.uint32, np.uint64]
COMPLEX = [np.complex64, np.complex128]
NUMBERS = FLOATS + SIGNED + UNSIGNED
SOME = [F32, F64, np.int32, np.int64]
rng = np.random.default_rng(11)


class Const:
    def __init__(self, value, dtype=None):
        self.value = np.asarray(value, dtype)


def I(*values):
    """A constant of indices, axes or sizes."""
    return Const(np.array(values, np.int32))


def i(value):
    return Const(np.int32(value))


def normal(shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        return rng.integers(0 if dtype.kind == "u" else -9, 10, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def special(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.array([0, 1, 2, 3, info.max, info.max - 1, info.min, info.min + 1, 7, 100], dtype)
    if dtype.kind == "b":
        return np.array([True, False])
    values = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-3, -1e-3, 1e-30, 3.0, -3.0, 10.5, -10.5, 30.0,
              88.0, -88.0, 1e5, -1e5, np.inf, -np.inf, np.nan, 0.9999, -0.9999]
    return np.array(values).astype(dtype)


def unary_shapes(dtype):
    yield special(dtype)
    for shape in [(), (1,), (37,), (3, 5, 7), (0, 4), (1037,)]:
        yield normal(shape, dtype)


def binary_shapes(dtype):
    for a, b in [((5,), (5,)), ((3, 1, 7), (4, 1)), ((), (6,)), ((2, 3, 4, 5), (5,)), ((0, 3), (3,)), ((129,), ()),
                 ((2, 1), (1, 3)), ((17, 33), (17, 33))]:
        yield normal(a, dtype), normal(b, dtype)


FAMILIES = {}


def family(function):
    FAMILIES[function.__name__] = function
    return function


@family
def elementwise_unary():
    for op in ("Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Digamma Elu Erf Erfc Erfinv Exp Expm1 Floor Inv IsFinite "
               "IsInf IsNan Lgamma Log Log1p Ndtri Reciprocal Rint Rsqrt Selu Sigmoid Sin Sinh Softplus "
               "Softsign Sqrt Tan Tanh BesselI0e BesselI1e BesselI0 BesselI1").split():
        for dtype in FLOATS:
            for x in unary_shapes(dtype):
                if op == "Erf" and dtype == F64:  # TensorFlow's erf of an infinite double is NaN
                    x = x[np.isfinite(x)] if x.ndim == 1 else x
                if op in ("Sin", "Cos", "Tan"):
                    x = np.where(np.isfinite(x.astype(F64)) & (np.abs(x.astype(F64)) < 100), x, 1).astype(dtype)
                if op in ("Digamma", "Lgamma", "Ndtri", "BesselI0", "BesselI1", "Cosh", "Sinh"):
                    x = np.where(np.isfinite(x.astype(F64)), np.clip(np.abs(x.astype(F64)), 0.01, 20), 1).astype(dtype)
                    x = np.minimum(x, dtype(0.99)) if op == "Ndtri" else x
                yield op, {"x" if op not in ("Elu", "Selu", "Softplus", "Softsign") else "features": x}
    for op in "Abs Neg Sign Square Round".split():
        # TensorFlow's Round of integers is not the integer: no oracle.
        for dtype in FLOATS + ([] if op == "Round" else SIGNED):
            for x in unary_shapes(dtype):
                yield op, {"x": x}
    for op in "Relu Relu6 LeakyRelu".split():
        for dtype in FLOATS + ([] if op == "LeakyRelu" else SIGNED):
            for x in unary_shapes(dtype):
                yield op, {"features": x, **({"alpha": 0.3} if op == "LeakyRelu" else {})}
    for op, name in [("ZerosLike", "x"), ("OnesLike", "x"), ("Identity", "input"), ("StopGradient", "input"),
                     ("PreventGradient", "input"), ("Snapshot", "input"), ("DeepCopy", "x")]:
        for dtype in NUMBERS + COMPLEX + [np.bool_]:
            yield op, {name: normal((3, 4), dtype)}
    for op in "Invert PopulationCount".split():
        for dtype in SIGNED + UNSIGNED:
            yield op, {"x": special(dtype)}
    for x in ([True, False], [[True], [False]]):
        yield "LogicalNot", {"x": np.array(x)}
    for op in "Real Imag Angle".split():
        yield op, {"input": normal((3, 5), np.complex64), "Tout": tf.float32}
    for op, name in [("Conj", "input"), ("ComplexAbs", "x"), ("Exp", "x"), ("Neg", "x"), ("Square", "x"), ("Sqrt", "x"), ("Log", "x"),
                     ("Tanh", "x"), ("Sigmoid", "x"), ("Sin", "x"), ("Reciprocal", "x"), ("Rsqrt", "x")]:
        for dtype in COMPLEX:
            yield op, {name: normal((3, 5), dtype)}
    yield "CheckNumerics", {"tensor": normal((3,), F32), "message": "m"}


@family
def elementwise_binary():
    for op in "Add AddV2 Sub Mul Maximum Minimum SquaredDifference".split():
        for dtype in NUMBERS + (COMPLEX if op in ("AddV2", "Sub", "Mul", "Add", "SquaredDifference") else []):
            for x, y in binary_shapes(dtype):
                yield op, {"x": x, "y": y}
            if np.dtype(dtype).kind != "c":
                s = special(dtype)
                yield op, {"x": s[:, None], "y": s[None, :]}
    for op in "Equal NotEqual Less LessEqual Greater GreaterEqual".split():
        for dtype in NUMBERS + ([np.bool_, *COMPLEX] if "qual" in op and len(op) < 9 and op != "LessEqual" else []):
            for x, y in itertools.islice(binary_shapes(dtype), 4):
                yield op, {"x": x, "y": y}
            if np.dtype(dtype).kind != "c":
                s = special(dtype)
                yield op, {"x": s[:, None], "y": s[None, :]}
    for op in "Div RealDiv FloorDiv TruncateDiv FloorMod Mod TruncateMod DivNoNan".split():
        for dtype in NUMBERS:
            for x, y in binary_shapes(dtype):
                y = np.where(y == 0, dtype(3), y).astype(dtype)
                yield op, {"x": x, "y": y}
            if np.dtype(dtype).kind == "f":
                s = np.array([-7.5, -1, -0.0, 0.0, 1, 7.5, 3, -3, 1e5], dtype)
                yield op, {"x": s[:, None], "y": s[None, :]}
    for op in "Pow Atan2 Xdivy Xlogy Xlog1py MulNoNan NextAfter".split():
        for dtype in FLOATS:
            for x, y in binary_shapes(dtype):
                x = np.abs(x) if op in ("Pow", "Xlogy") else x
                y = np.abs(y) if op in ("Xlogy", "Xlog1py") else y
                yield op, {"x": x.astype(dtype), "y": y.astype(dtype)}
            s = np.array([0.0, 1.0, -1.0, 2.0, 0.5, np.inf, -np.inf, np.nan, 3.0, -2.0], dtype)
            yield op, {"x": s[:, None], "y": s[None, :]}
    for dtype in (np.int32, np.int64):
        yield "Pow", {"x": normal((4, 3), dtype), "y": np.abs(normal((3,), dtype)) % dtype(5)}
    for op in "Igamma Igammac".split():
        for dtype in (F32, F64):
            yield op, {"a": np.abs(normal((20,), dtype)) + dtype(0.1), "x": np.abs(normal((20,), dtype)) * dtype(3)}
    for op in "BitwiseAnd BitwiseOr BitwiseXor".split():
        for dtype in SIGNED + UNSIGNED:
            s = special(dtype)
            yield op, {"x": s[:, None], "y": s[None, :]}
    for op in "LeftShift RightShift".split():
        for dtype in SIGNED + UNSIGNED:
            yield op, {"x": special(dtype)[:, None], "y": np.array([0, 1, 2, 7], dtype)}
    for op in "LogicalAnd LogicalOr".split():
        yield op, {"x": normal((3, 1), np.bool_), "y": normal((4,), np.bool_)}
    yield "ApproximateEqual", {"x": normal((9,), F32), "y": normal((9,), F32), "tolerance": 0.5}
    for dtype in SOME:
        yield "AddN", {"inputs": [normal((3, 4), dtype) for _ in range(3)]}
    yield "Complex", {"real": normal((3,), F32), "imag": normal((3,), F32), "Tout": tf.complex64}


@family
def elementwise_gradients():
    for op, names in [("ReluGrad", ("gradients", "features")), ("Relu6Grad", ("gradients", "features")),
                      ("LeakyReluGrad", ("gradients", "features")), ("EluGrad", ("gradients", "outputs")),
                      ("SeluGrad", ("gradients", "outputs")), ("SoftplusGrad", ("gradients", "features")),
                      ("SoftsignGrad", ("gradients", "features")), ("SigmoidGrad", ("y", "dy")), ("TanhGrad", ("y", "dy")),
                      ("SqrtGrad", ("y", "dy")), ("RsqrtGrad", ("y", "dy")), ("InvGrad", ("y", "dy")), ("ReciprocalGrad", ("y", "dy"))]:
        for dtype in (F32, F64):
            yield op, {n: normal((4, 5), dtype) for n in names}


@family
def selection():
    for dtype in NUMBERS + [np.bool_, np.complex64]:
        yield "Select", {"condition": normal((4,), np.bool_), "x": normal((4, 3), dtype), "y": normal((4, 3), dtype)}
        yield "Select", {"condition": normal((4, 3), np.bool_), "x": normal((4, 3), dtype), "y": normal((4, 3), dtype)}
        yield "Select", {"condition": np.array(True), "x": normal((4, 3), dtype), "y": normal((4, 3), dtype)}
        yield "SelectV2", {"condition": normal((4, 1), np.bool_), "t": normal((3,), dtype), "e": normal((2, 1, 1), dtype)}
    for dtype in SOME:
        yield "ClipByValue", {"t": normal((4, 9), dtype), "clip_value_min": Const(-1, dtype), "clip_value_max": Const(2, dtype)}
    yield "Where", {"condition": normal((4, 5), np.bool_)}
    yield "Where", {"condition": normal((7,), np.int32)}


@family
def cast():
    for a in NUMBERS + [np.bool_, np.complex64]:
        for b in NUMBERS + [np.bool_, np.complex64]:
            x = normal((3, 7), a)
            if np.dtype(b).kind == "u" and np.dtype(a).kind not in "bc":
                x = np.abs(x)
            yield "Cast", {"x": x, "DstT": tf.as_dtype(b)}
            if np.dtype(a).kind in "iu" and np.dtype(b).kind in "iufb":
                yield "Cast", {"x": special(a), "DstT": tf.as_dtype(b)}
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 1e-8, 65504, 65519, 1e6, np.inf, -np.inf, np.nan, 3.3895e38], F32)
    for b in (F64, F16, BF16, np.bool_):
        yield "Cast", {"x": x, "DstT": tf.as_dtype(b)}
    for a, b in [(F32, np.int32), (np.int32, F32), (F64, np.int64), (np.int64, np.int32), (F32, np.uint8)]:
        yield "Bitcast", {"input": normal((3, 4), a), "type": tf.as_dtype(b)}


@family
def reduction():
    axes = [((4, 5, 6), (0, 1, 2)), ((4, 5, 6), (0,)), ((4, 5, 6), (-1,)), ((4, 5, 6), (1,)), ((4, 5, 6), (0, 2)), ((4, 5, 6), ()),
            ((1037,), (0,)), ((3, 129), (1,)), ((129, 3), (0,)), ((0, 3), (0,)), ((), ()), ((2, 3, 4, 5), (1, 2)), ((2, 3, 4, 5), (2, 3))]
    for op in "Sum Mean Prod Max Min EuclideanNorm".split():
        for dtype in NUMBERS + (COMPLEX if op in ("Sum", "Mean", "Prod") else []):
            for number, (shape, axis) in enumerate(axes):
                x = normal(shape, dtype)
                if op == "Mean" and np.dtype(dtype).kind in "iu" and 0 in shape:
                    continue
                if op == "Prod" and x.size > 60:
                    continue
                # TensorFlow sums halves one by one in halves, overflows int8 norms, and calls an empty complex mean 0.
                if dtype in (F16, BF16) and x.size > 500 or op == "EuclideanNorm" and np.dtype(dtype).kind in "iu":
                    continue
                if op == "Mean" and np.dtype(dtype).kind == "c" and 0 in shape:
                    continue
                yield op, {"input": x, "axis": Const(np.array(axis, np.int32)), "keep_dims": number % 2 == 1}
    for op in "Max Min Sum Mean".split():
        yield op, {"input": np.array([[1, np.nan, 3], [np.inf, 2, 1], [-np.inf, -1, 1]], F32), "axis": I(1)}
    for op in "All Any".split():
        for number, (shape, axis) in enumerate(axes):
            yield op, {"input": normal(shape, np.bool_), "axis": Const(np.array(axis, np.int32)), "keep_dims": number % 2 == 1}
    for op in "ArgMax ArgMin".split():
        for dtype in NUMBERS + [np.bool_]:
            for shape, axis in [((7,), 0), ((3, 4, 5), 1), ((3, 4, 5), -1), ((3, 4, 5), 0), ((2, 100), 1)]:
                yield op, {"input": normal(shape, dtype), "dimension": i(axis), "output_type": tf.int32 if axis else tf.int64}
    for op in "Cumsum Cumprod".split():
        for dtype in SOME + [F16]:
            for exclusive, reverse, axis in itertools.product([False, True], [False, True], [0, 1, -1]):
                yield op, {"x": normal((3, 4, 2), dtype), "axis": i(axis), "exclusive": exclusive, "reverse": reverse}
    for dtype in (F32, F64):
        yield "CumulativeLogsumexp", {"x": normal((3, 4), dtype), "axis": i(1)}
        yield "L2Loss", {"t": normal((3, 50), dtype)}
    for dtype in SOME:
        data, ids = normal((6, 3), dtype), np.array([0, 0, 2, 2, 2, 3], np.int32)
        for op in "SegmentSum SegmentMean SegmentMax SegmentMin SegmentProd".split():
            yield op, {"data": data, "segment_ids": ids}
        for op in "UnsortedSegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd".split():
            yield op, {"data": data, "segment_ids": np.array([3, 0, -1, 2, 0, 3], np.int32), "num_segments": i(5)}
    for dtype in (F32, np.float64, np.int32, np.int64):
        yield "Bucketize", {"input": normal((3, 5), dtype), "boundaries": [-1.5, -0.25, 0.0, 0.0, 2.0]}
    yield "Bucketize", {"input": np.array([-np.inf, -1, 0.5, np.nan, np.inf], F32), "boundaries": [-1.0, 0.5]}
    yield "Bincount", {"arr": np.array([1, 2, 2, 5, 0], np.int32), "size": i(7), "weights": Const(np.zeros(0, F32))}
    for dtype in SOME:
        for k, s in [(1, True), (3, True), (5, True)]:
            yield "TopKV2", {"input": normal((4, 5), dtype), "k": i(k), "sorted": s}
        yield "TopKV2", {"input": normal((300,), dtype), "k": i(20), "sorted": True}
    yield "InTopKV2", {"predictions": normal((4, 6), F32), "targets": np.array([0, 5, 2, 3], np.int32), "k": i(3)}
    yield "NthElement", {"input": normal((4, 6), F32), "n": i(2)}


@family
def shape():
    for dtype in SOME + [np.bool_, np.uint8, F16, np.complex64]:
        x = normal((2, 3, 4), dtype)
        for out in [(24,), (4, 6), (-1, 8), (2, -1, 2, 2), (2, 3, 4, 1)]:
            yield "Reshape", {"tensor": x, "shape": I(*out)}
        for axis in (0, 1, -1, 3):
            yield "ExpandDims", {"input": x, "axis": i(axis)}
        y = normal((1, 3, 1, 2, 1), dtype)
        for axis in ([], [0], [-1, 2], [0, 2, 4]):
            yield "Squeeze", {"input": y, "axis": axis}
        for p in ((0, 1, 2), (2, 0, 1), (1, 0, 2), (2, 1, 0), (0, 2, 1)):
            yield "Transpose", {"x": x, "perm": I(*p)}
        yield "Transpose", {"x": normal((17, 33), dtype), "perm": I(1, 0)}
        for axis in (0, 1, -1):
            yield "ConcatV2", {"values": [x, normal((2, 3, 4), dtype), x], "axis": i(axis)}
            yield "Pack", {"values": [x, x], "axis": axis}
            yield "Unpack", {"value": x, "num": x.shape[axis], "axis": axis}
            yield "Split", {"axis": i(axis), "value": normal((4, 8, 2), dtype), "num_split": 2}
        yield "ConcatV2", {"values": [normal((0, 4), dtype), normal((3, 4), dtype), normal((5, 4), dtype)], "axis": i(0)}
        yield "Concat", {"concat_dim": i(1), "values": [x, x]}
        yield "SplitV", {"value": normal((2, 9), dtype), "size_splits": I(2, -1, 3), "axis": i(1), "num_split": 3}
        for begin, size in [((0, 1, 2), (2, 1, 2)), ((1, 0, 0), (-1, 2, -1))]:
            yield "Slice", {"input": x, "begin": I(*begin), "size": I(*size)}
        for n, (b, e, s, masks) in enumerate([
                ((0, 1), (2, 3), (1, 1), {}), ((1, 0, 3), (0, 3, 0), (-1, 2, -1), {}), ((0,), (1,), (1,), {"shrink_axis_mask": 1}),
                ((0, 1), (0, 2), (1, 1), {"ellipsis_mask": 1}), ((0, 0, 1), (0, 0, 3), (1, 1, 1), {"new_axis_mask": 2, "begin_mask": 1, "end_mask": 1}),
                ((-1, -2), (-5, 9), (-1, 1), {}), ((5, 0), (9, 2), (1, 1), {}), ((0, -1), (2, 0), (1, 1), {"shrink_axis_mask": 2}),
                ((0, 2, 1), (0, 0, 4), (1, -1, 2), {"begin_mask": 1, "end_mask": 3})]):
            yield "StridedSlice", {"input": x, "begin": I(*b), "end": I(*e), "strides": I(*s), **masks}
        for m in ((1, 2, 1), (2, 1, 3), (0, 1, 1), (1, 1, 1)):
            yield "Tile", {"input": x, "multiples": I(*m)}
        yield "BroadcastTo", {"input": normal((3, 1), dtype), "shape": I(2, 3, 4)}
        yield "Fill", {"dims": I(2, 3), "value": normal((), dtype)}
        yield "Pad", {"input": x, "paddings": Const([[1, 0], [0, 2], [1, 1]], np.int32)}
        yield "PadV2", {"input": x, "paddings": Const([[1, 0], [0, 2], [1, 1]], np.int32), "constant_values": normal((), dtype)}
        if np.dtype(dtype).kind != "b":
            yield "MirrorPad", {"input": x, "paddings": Const([[1, 0], [0, 2], [1, 1]], np.int32), "mode": "REFLECT"}
            yield "MirrorPad", {"input": x, "paddings": Const([[1, 2], [3, 2], [1, 4]], np.int32), "mode": "SYMMETRIC"}
        for axis in ((0,), (1, -1), ()):
            yield "ReverseV2", {"tensor": x, "axis": Const(np.array(axis, np.int32))}
        yield "Reverse", {"tensor": x, "dims": Const([True, False, True])}
        yield "Roll", {"input": x, "shift": I(1, -2), "axis": I(0, 2)}
        yield "ReverseSequence", {"input": normal((3, 5, 2), dtype), "seq_lengths": np.array([1, 5, 3], np.int32), "seq_dim": 1, "batch_dim": 0}
        for op in ("SpaceToDepth", "DepthToSpace"):
            yield op, {"input": normal((2, 4, 6, 8), dtype), "block_size": 2}
        yield "SpaceToBatchND", {"input": normal((2, 5, 6, 3), dtype), "block_shape": I(2, 3), "paddings": Const([[1, 0], [0, 3]], np.int32)}
        yield "BatchToSpaceND", {"input": normal((12, 3, 2, 3), dtype), "block_shape": I(2, 3), "crops": Const([[1, 0], [0, 2]], np.int32)}
        yield "EnsureShape", {"input": x, "shape": [2, None, 4]}
        yield "Diag", {"diagonal": normal((4,), dtype)}
        yield "MatrixDiagV3", {"diagonal": normal((2, 3), dtype), "k": i(0), "num_rows": i(-1), "num_cols": i(-1), "padding_value": Const(0, dtype)}
        yield "MatrixDiagPartV3", {"input": normal((2, 4, 3), dtype), "k": i(0), "padding_value": Const(0, dtype)}
        yield "MatrixBandPart", {"input": normal((2, 4, 5), dtype), "num_lower": i(1), "num_upper": i(-1)}
        yield "MatrixSetDiagV3", {"input": normal((2, 4, 5), dtype), "diagonal": normal((2, 4), dtype), "k": i(0)}
        yield "IdentityN", {"input": [x, normal((3,), F32)]}
    x = normal((2, 3, 4), F32)
    for t in (tf.int32, tf.int64):
        yield "Shape", {"input": x, "out_type": t}
        yield "ShapeN", {"input": [x, x[0]], "out_type": t}
        yield "Size", {"input": x, "out_type": t}
    yield "Rank", {"input": x}
    yield "InvertPermutation", {"x": np.array([2, 0, 1, 3], np.int32)}
    yield "ConcatOffset", {"concat_dim": i(1), "shape": [I(2, 3), I(2, 5)]}
    for a, b, c, dtype in [(0, 10, 3, np.int32), (5, -4, -2, np.int64), (0.5, 3.2, 0.4, F32), (0, 0, 1, np.int32)]:
        yield "Range", {"start": Const(a, dtype), "limit": Const(b, dtype), "delta": Const(c, dtype)}
        yield "Range", {"start": np.array(a, dtype), "limit": np.array(b, dtype), "delta": np.array(c, dtype)}
    yield "LinSpace", {"start": Const(1, F32), "stop": Const(3, F32), "num": i(7)}
    yield "BroadcastArgs", {"s0": np.array([3, 1, 4], np.int32), "s1": np.array([2, 1], np.int32)}
    yield "BroadcastGradientArgs", {"s0": I(3, 1, 4), "s1": I(2, 1)}


@family
def indexing():
    for dtype in SOME + [np.bool_, np.uint8, F16]:
        x = normal((5, 4, 3), dtype)
        for t in (np.int32, np.int64):
            for axis in (0, 1, -1):
                yield "GatherV2", {"params": x, "indices": np.array([[0, 2], [1, 1]], t), "axis": i(axis)}
            yield "GatherV2", {"params": x, "indices": np.array(2, t), "axis": i(0)}
            yield "Gather", {"params": x, "indices": np.array([4, 0], t)}
            yield "GatherNd", {"params": x, "indices": np.array([[0, 1], [4, 3], [2, 2]], t)}
            yield "GatherNd", {"params": x, "indices": np.array([[[0, 1, 2]], [[4, 3, 0]]], t)}
            yield "OneHot", {"indices": np.array([[0, 2, -1], [5, 1, 4]], t), "depth": i(5), "on_value": Const(1, dtype), "off_value": Const(0, dtype), "axis": -1}
            yield "OneHot", {"indices": np.array([0, 2], t), "depth": i(3), "on_value": Const(1, dtype), "off_value": Const(0, dtype), "axis": 0}
        yield "GatherV2", {"params": x, "indices": np.array([[0, 2], [1, 1], [3, 0], [0, 0], [2, 2]], np.int32), "axis": i(1), "batch_dims": 1}
        if np.dtype(dtype).kind != "b":
            at, up = np.array([[1], [3], [1]], np.int32), normal((3, 4), dtype)
            yield "ScatterNd", {"indices": at, "updates": up, "shape": I(5, 4)}
            for op in "TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin".split():
                yield op, {"tensor": normal((5, 4), dtype), "indices": at, "updates": up}
        yield "TensorScatterUpdate", {"tensor": normal((5, 4), dtype), "indices": np.array([[1], [3]], np.int32), "updates": normal((2, 4), dtype)}
        yield "DynamicStitch", {"indices": [np.array([0, 3], np.int32), np.array([[1, 2], [4, 5]], np.int32)], "data": [normal((2, 3), dtype), normal((2, 2, 3), dtype)]}
        yield "DynamicPartition", {"data": normal((5, 2), dtype), "partitions": np.array([0, 1, 1, 0, 2], np.int32), "num_partitions": 3}
    for dtype in (np.int32, np.int64, F32):
        yield "Unique", {"x": np.array([3, 1, 3, 2, 1, 7], dtype)}


@family
def contraction():
    sizes = [(1, 1, 1), (1, 5, 3), (4, 7, 9), (16, 16, 16), (33, 65, 17), (6, 64, 100), (2, 0, 3), (129, 3, 31)]
    for dtype in FLOATS + [np.int32, np.int64] + COMPLEX:
        for m, k, n in sizes:
            for ta, tb in itertools.product([False, True], repeat=2) if (m, k, n) == (4, 7, 9) else [(False, False)]:
                a, b = normal((k, m) if ta else (m, k), dtype), normal((n, k) if tb else (k, n), dtype)
                yield "MatMul", {"a": a, "b": b, "transpose_a": ta, "transpose_b": tb}
                yield "MatMul", {"a": a, "b": Const(b), "transpose_a": ta, "transpose_b": tb}
        for sa, sb in [((3, 4, 5), (3, 5, 6)), ((2, 1, 4, 5), (3, 5, 6)), ((4, 5), (2, 5, 3)), ((2, 3, 4, 5), (2, 3, 5, 2))]:
            yield "BatchMatMulV2", {"x": normal(sa, dtype), "y": normal(sb, dtype)}
            yield "BatchMatMulV2", {"x": normal(sa, dtype), "y": Const(normal(sb, dtype))}
        yield "BatchMatMulV2", {"x": normal((3, 5, 4), dtype), "y": normal((3, 6, 5), dtype), "adj_x": True, "adj_y": True}
        yield "BatchMatMul", {"x": normal((3, 4, 5), dtype), "y": normal((3, 5, 6), dtype)}
    yield "BatchMatMulV3", {"x": normal((3, 4, 5), F32), "y": normal((3, 5, 6), F32), "Tout": tf.float32}
    for dtype in (F32, F64):
        for equation, shapes in [("ij,jk->ik", [(3, 4), (4, 5)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("abc,cde->abde", [(2, 3, 4), (4, 5, 6)]),
                                 ("abcd,cde->abe", [(2, 3, 4, 5), (4, 5, 6)]), ("bqhd,bkhd->bhqk", [(2, 3, 4, 5), (2, 6, 4, 5)]),
                                 ("bhqk,bkhd->bqhd", [(2, 4, 3, 6), (2, 6, 4, 5)]), ("ij->ji", [(3, 4)]), ("ij->", [(3, 4)]), ("ii->i", [(4, 4)]),
                                 ("i,j->ij", [(3,), (4,)]), ("...ij,jk->...ik", [(2, 3, 4), (4, 5)]), ("ij,ij->i", [(3, 4), (3, 4)])]:
            yield "Einsum", {"inputs": [normal(s, dtype) for s in shapes], "equation": equation}
    yield "Cross", {"a": normal((4, 3), F32), "b": normal((4, 3), F32)}
    yield "Cholesky", {"input": np.eye(4, dtype=F32) * 5 + 1}
    yield "MatrixInverse", {"input": np.eye(4, dtype=F32) * 5 + normal((4, 4), F32)}
    yield "MatrixDeterminant", {"input": np.eye(3, dtype=F32) * 5 + normal((3, 3), F32)}
    yield "MatrixSolve", {"matrix": np.eye(4, dtype=F32) * 5 + normal((4, 4), F32), "rhs": normal((4, 2), F32)}
    yield "MatrixTriangularSolve", {"matrix": np.tril(np.eye(4, dtype=F32) * 5 + 1), "rhs": normal((4, 2), F32)}


@family
def convolution():
    for dtype in (F32, F64, F16, BF16):
        for size, window, stride, dilation, padding, channels, filters in [
                ((7, 9), (3, 3), (1, 1), (1, 1), "SAME", 3, 5), ((7, 9), (3, 3), (2, 2), (1, 1), "VALID", 4, 16),
                ((8, 8), (2, 4), (2, 1), (1, 1), "SAME", 1, 17), ((12, 11), (3, 3), (1, 1), (2, 3), "SAME", 3, 4),
                ((6, 6), (1, 1), (1, 1), (1, 1), "VALID", 20, 33), ((5, 5), (5, 5), (1, 1), (1, 1), "VALID", 2, 3),
                ((9, 9), (1, 1), (2, 2), (1, 1), "SAME", 3, 7), ((15, 14), (7, 7), (2, 2), (1, 1), "SAME", 3, 8)]:
            x = normal((2, *size, channels), dtype)
            w = normal((*window, channels, filters), dtype)
            common = {"strides": [1, *stride, 1], "padding": padding, "dilations": [1, *dilation, 1]}
            yield "Conv2D", {"input": x, "filter": Const(w), **common}
            if dtype in (F32, F64):
                yield "Conv2D", {"input": x, "filter": w, **common}
                d = normal((*window, channels, 2), dtype)
                if stride[0] == stride[1]:
                    yield "DepthwiseConv2dNative", {"input": x, "filter": Const(d), **common}
                    yield "DepthwiseConv2dNative", {"input": x, "filter": d, **common}
        yield "Conv2D", {"input": normal((2, 6, 7, 3), dtype), "filter": Const(normal((3, 3, 3, 4), dtype)), "strides": [1, 2, 1, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 2, 0, 3, 0, 0]}
        yield "Conv2D", {"input": normal((2, 6, 7, 8), dtype), "filter": Const(normal((3, 3, 2, 12), dtype)), "strides": [1, 1, 1, 1], "padding": "SAME"}
    for dtype in (F32, F64):
        for size, window, stride, padding in [((4, 5), (3, 3), 2, "SAME"), ((4, 5), (2, 2), 2, "SAME"), ((4, 5), (3, 3), 1, "VALID"), ((4, 5), (4, 4), 2, "SAME"), ((4, 5), (3, 2), 3, "VALID")]:
            out = [(s - 1) * stride + k if padding == "VALID" else s * stride for s, k in zip(size, window)]
            yield "Conv2DBackpropInput", {"input_sizes": I(2, *out, 3), "filter": Const(normal((*window, 3, 6), dtype)), "out_backprop": normal((2, *size, 6), dtype), "strides": [1, stride, stride, 1], "padding": padding}
            yield "Conv2DBackpropFilter", {"input": normal((2, *out, 3), dtype), "filter_sizes": I(*window, 3, 6), "out_backprop": normal((2, *size, 6), dtype), "strides": [1, stride, stride, 1], "padding": padding}
        for stride, padding in [(1, "SAME"), (2, "SAME"), (2, "VALID")]:
            yield "Conv3D", {"input": normal((2, 5, 6, 7, 3), dtype), "filter": Const(normal((2, 3, 3, 3, 4), dtype)), "strides": [1, stride, stride, stride, 1], "padding": padding}
        yield "Conv3DBackpropInputV2", {"input_sizes": I(2, 6, 8, 4, 3), "filter": Const(normal((3, 3, 3, 3, 4), dtype)), "out_backprop": normal((2, 3, 4, 2, 4), dtype), "strides": [1, 2, 2, 2, 1], "padding": "SAME"}


@family
def pooling():
    for dtype in (F32, F64, F16, BF16):
        for size, k, s, padding in [((8, 8), (2, 2), (2, 2), "VALID"), ((7, 9), (3, 3), (2, 2), "SAME"), ((7, 9), (3, 2), (1, 2), "SAME"), ((5, 6), (5, 6), (1, 1), "VALID")]:
            for op in ("MaxPool", "AvgPool"):
                x = normal((2, *size, 5), dtype)
                yield op, {"input" if op == "MaxPool" else "value": x, "ksize": [1, *k, 1], "strides": [1, *s, 1], "padding": padding}
            if dtype in (F32, F64):
                x = normal((2, *size, 19), dtype)
                yield "MaxPoolWithArgmax", {"input": x, "ksize": [1, *k, 1], "strides": [1, *s, 1], "padding": padding}
                yield "MaxPoolV2", {"input": x, "ksize": I(1, *k, 1), "strides": I(1, *s, 1), "padding": padding}
    for dtype in (F32, F64):
        for padding in ("SAME", "VALID"):
            for op in ("MaxPool3D", "AvgPool3D"):
                yield op, {"input": normal((2, 5, 6, 7, 3), dtype), "ksize": [1, 2, 3, 2, 1], "strides": [1, 2, 2, 1, 1], "padding": padding}
        x = normal((2, 6, 6, 3), dtype)
        yield "MaxPoolGrad", {"orig_input": x, "orig_output": x.reshape(2, 3, 2, 3, 2, 3).max((2, 4)), "grad": normal((2, 3, 3, 3), dtype), "ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}
        yield "AvgPoolGrad", {"orig_input_shape": I(2, 6, 6, 3), "grad": normal((2, 3, 3, 3), dtype), "ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}


@family
def resize():
    for op in ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea"):
        for dtype in [F32] + ([np.uint8, F64, np.int32, F16] if op != "ResizeArea" else []):
            for size in [(4, 5), (11, 7), (8, 10), (1, 1)]:
                for align, half in [(False, False), (True, False), (False, True)]:
                    if op == "ResizeArea" and half:
                        continue
                    options = {"align_corners": align} | ({} if op == "ResizeArea" else {"half_pixel_centers": half})
                    yield op, {"images": normal((2, 4, 5, 3), dtype), "size": I(*size), **options}
    for dtype in (F32,):
        yield "CropAndResize", {"image": normal((2, 6, 7, 3), dtype), "boxes": np.array([[0, 0, 1, 1], [0.2, 0.1, 0.7, 1.2]], F32), "box_ind": np.array([0, 1], np.int32), "crop_size": I(4, 3)}
    yield "ResizeNearestNeighborGrad", {"grads": normal((1, 6, 6, 2), F32), "size": I(3, 3)}


@family
def normalization():
    for dtype in FLOATS:
        for shape in [(5,), (4, 7), (2, 3, 129), (3, 1), (1, 1000)]:
            for op in ("Softmax", "LogSoftmax"):
                yield op, {"logits": normal(shape, dtype) * dtype(4)}
        yield "Softmax", {"logits": np.array([[1e4, 0, -1e4], [-np.inf, 0, 1]], dtype)}
        for shape in [(4, 5), (2, 3, 4, 5), (2, 7)]:
            yield "BiasAdd", {"value": normal(shape, dtype), "bias": normal(shape[-1:], dtype)}
    yield "BiasAdd", {"value": normal((2, 3, 4, 5), F32), "bias": normal((3,), F32), "data_format": "NCHW"}
    yield "BiasAddV1", {"value": normal((2, 3), F32), "bias": normal((3,), F32)}
    yield "BiasAddGrad", {"out_backprop": normal((2, 3, 4), F32)}
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        for training in (False, True):
            p = [normal((3,), F32), normal((3,), F32), normal((3,), F32), np.abs(normal((3,), F32)) + F32(0.1)]
            if training:
                p[2] = p[3] = np.zeros(0, F32)
            yield op, {"x": normal((2, 4, 5, 3), F32), "scale": p[0], "offset": p[1], "mean": p[2], "variance": p[3], "is_training": training, "epsilon": 0.001}
    for dtype in (F32, F64):
        yield "SoftmaxCrossEntropyWithLogits", {"features": normal((4, 6), dtype), "labels": np.abs(normal((4, 6), dtype))}
        yield "SparseSoftmaxCrossEntropyWithLogits", {"features": normal((4, 6), dtype), "labels": np.array([0, 5, 2, 2], np.int64)}
    yield "LRN", {"input": normal((2, 3, 4, 9), F32), "depth_radius": 2, "bias": 1.5, "alpha": 0.3, "beta": 0.75}
    yield "FakeQuantWithMinMaxArgs", {"inputs": normal((20,), F32), "min": -2.0, "max": 3.0}
    yield "FakeQuantWithMinMaxVars", {"inputs": normal((20,), F32), "min": Const(F32(-1)), "max": Const(F32(2))}


@family
def grads_of_norms():
    x, s = normal((2, 3, 3, 4), F32), np.abs(normal((4,), F32)) + F32(0.5)
    yield "FusedBatchNormGradV3", {"y_backprop": normal((2, 3, 3, 4), F32), "x": x, "scale": s, "reserve_space_1": normal((4,), F32),
                                   "reserve_space_2": s, "reserve_space_3": Const(np.zeros(0, F32)), "is_training": False}
    yield "StridedSliceGrad", {"shape": I(4, 5), "begin": I(1, 0), "end": I(3, 4), "strides": I(1, 2), "dy": normal((2, 2), F32)}
    yield "MirrorPadGrad", {"input": normal((6, 7), F32), "paddings": Const([[1, 1], [2, 1]], np.int32), "mode": "REFLECT"}
