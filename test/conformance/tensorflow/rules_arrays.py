"""Rules of what moves elements: shapes, slices, padding, gathers and scatters."""

import math

import numpy as np
import tensorflow as tf

import cases
from cases import COMPLEX, F16, F32, F64, Const
from draw import (ALL, BOOL, FLOATS, INTS, REAL, Sized, axes_of, axis_of, chance, flag, index_type, maybe, number, pick, sizes, tensor, values)
from rules import rule

SOME = [F32, F64, F16, cases.BF16, np.int32, np.int64, np.int8, np.uint16, np.bool_, np.complex64, np.complex128]


def other_shape(shape):
    """The same elements in other dimensions, one of them now and then left to the operation."""
    left, result = math.prod(shape), []
    if not left:
        return [*shape] if flag() else [0, 3]
    while left > 1 and len(result) < 6:
        divisor = pick([d for d in range(1, left + 1) if left % d == 0])
        result.append(divisor)
        left //= divisor
    result += [left] if left > 1 else []
    if result and chance(0.4):
        result[number(0, len(result))] = -1
    return result


rule("shape", "Reshape", ALL, 3)(lambda t: (lambda x: [x, maybe(np.array(other_shape(x.shape), index_type()))])(tensor(t)))
rule("shape", "ExpandDims", ALL)(lambda t: (lambda x: [x, Const(index_type()(number(-x.ndim - 1, x.ndim + 1)))])(tensor(t, high=7)))
# TensorFlow ends itself when it transposes a scalar of float32.
rule("shape", "Transpose", ALL, 3)(lambda t: (lambda x: [x, Const(cases.rng.permutation(x.ndim).astype(index_type()))])(tensor(t, low=1)))
rule("shape", "ConjugateTranspose", COMPLEX + [F32])(lambda t: (lambda x: [x, Const(cases.rng.permutation(x.ndim).astype(index_type()))])(tensor(t, low=1)))
rule("fed", "Transpose", [F32, F64, np.int32, np.bool_], 2)(lambda t: (lambda x: [x, Sized(cases.rng.permutation(x.ndim).astype(index_type()))])(tensor(t, low=2, high=5)))
rule("shape", "Rank Size Shape", SOME)(lambda t: tensor(t))
rule("shape", "ShapeN", SOME)(lambda t: [[tensor(t), tensor(t)], {"out_type": pick([tf.int32, tf.int64])}])
rule("shape", "Fill", ALL)(lambda t: [maybe(np.array(sizes(), index_type())), values((), t)])
rule("shape", "IdentityN", SOME)(lambda t: [[tensor(t), tensor(F32)]])
rule("shape", "BroadcastArgs BroadcastGradientArgs", [np.int32, np.int64], 3)(lambda t: (lambda s: [maybe(np.array([1 if chance(0.3) else d for d in s], t)), maybe(np.array(s[number(0, len(s) + 1):], t))])(sizes(0, 5)))
rule("shape", "InvertPermutation", [np.int32, np.int64], 2)(lambda t: maybe(cases.rng.permutation(number(0, 9)).astype(t)))
rule("shape", "LinSpace", FLOATS)(lambda t: [maybe(values((), t, (-3, 3))), maybe(values((), t, (4, 9))), Const(np.int32(number(1, 20)))])
rule("shape", "Range", [np.int32, np.int64, F32, F64], 3)(lambda t: [maybe(np.array(number(-9, 9), t)), maybe(np.array(number(9, 30), t)), maybe(np.array(pick([1, 2, 5]), t))])
rule("shape", "Range", [np.int32, np.int64, F32, F64], 2)(lambda t: [maybe(np.array(number(9, 30), t)), maybe(np.array(number(-9, 9), t)), maybe(np.array(pick([-1, -3]), t))])


@rule("shape", "Squeeze", ALL)
def squeeze(t):
    x = values(tuple(1 if chance(0.5) else n for n in sizes(1, 7, 60)), t)
    ones = [d - x.ndim if flag() else d for d in range(x.ndim) if x.shape[d] == 1 and flag()]
    return [x, {"axis": ones}]


@rule("shape", "BroadcastTo", ALL)
def broadcast_to(t):
    whole = sizes(0, 7)
    part = tuple(1 if chance(0.4) else d for d in whole)[number(0, len(whole) + 1) if flag() else 0:]
    return [values(part, t), maybe(np.array(whole, index_type()))]


@rule("shape", "ConcatV2", ALL, 2)
def concat(t):
    shape = list(sizes(1, 6, 100))
    axis = axis_of(shape)
    parts = [values(tuple(number(0, 6) if d == axis % len(shape) else n for d, n in enumerate(shape)), t) for _ in range(number(2, 6))]
    return [parts, Const(axis)]


rule("shape", "Pack", ALL)(lambda t: (lambda s: [[values(s, t) for _ in range(number(1, 6))], {"axis": number(-len(s) - 1, len(s) + 1)}])(sizes(0, 6, 100)))
rule("shape", "Unpack", ALL)(lambda t: (lambda x: (lambda a: [Const(x) if chance(0.2) else x, {"num": x.shape[a], "axis": a}])(number(-x.ndim, x.ndim)))(tensor(t, low=1, high=6, elements=100)))


@rule("shape", "Split", ALL)
def split(t):
    shape, count = list(sizes(1, 6, 60)), number(1, 5)
    axis = axis_of(shape, np.int32)
    shape[axis] *= count
    return [Const(axis), values(tuple(shape), t), {"num_split": count}]


@rule("shape", "SplitV", ALL)
def split_v(t):
    shape, parts = list(sizes(1, 6, 60)), [number(0, 5) for _ in range(number(1, 5))]
    axis = axis_of(shape, np.int32)
    shape[axis] = sum(parts)
    if flag():
        parts[number(0, len(parts))] = -1
    return [values(tuple(shape), t), Const(np.array(parts, index_type())), Const(axis), {"num_split": len(parts)}]


rule("shape", "Tile", ALL)(lambda t: (lambda x: [x, maybe(np.array([number(0, 4) for _ in x.shape], index_type()))])(tensor(t, high=5, elements=40)))


def paddings(shape, low=0, high=4):
    return np.array([[number(low, high), number(low, high)] for _ in shape], index_type()).reshape(-1, 2)


rule("shape", "Pad", ALL)(lambda t: (lambda x: [x, maybe(paddings(x.shape))])(tensor(t, high=6, elements=60)))
rule("shape", "PadV2", ALL)(lambda t: (lambda x: [x, maybe(paddings(x.shape)), maybe(values((), t))])(tensor(t, high=6, elements=60)))
rule("shape", "MirrorPad", ALL, 2)(lambda t: (lambda x: [x, maybe(np.array([[number(0, n), number(0, n)] for n in x.shape], index_type()).reshape(-1, 2)), {"mode": pick(["REFLECT", "SYMMETRIC"])}])(
    values(sizes(0, 5, 60, 0), t)))


@rule("slices", "Slice", ALL, 2)
def slice_(t):
    x, dtype = tensor(t, high=6), index_type()
    begin = [number(0, n + 1) for n in x.shape]
    size = [-1 if chance(0.3) else number(0, n - b + 1) for n, b in zip(x.shape, begin)]
    return [x, maybe(np.array(begin, dtype)), maybe(np.array(size, dtype))]


def strided(shape):
    """begin, end, strides and masks for a shape."""
    dtype, begin, end, strides = index_type(), [], [], []
    masks = dict.fromkeys(["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"], 0)
    d = 0
    dots = number(0, len(shape) + 1) if chance(0.3) else None
    count = number(0, len(shape) + 1) if chance(0.3) else len(shape)
    while d < count:
        bit = 1 << len(begin)
        if dots == d:
            skip = number(0, count - d + 1)
            masks["ellipsis_mask"] |= bit
            begin.append(0), end.append(0), strides.append(1)
            # What the ellipsis stands for follows from the rest: dimensions left out there must not come again.
            d, count, dots = d + skip + (len(shape) - count), len(shape), None
            continue
        n = shape[d]
        if chance(0.12):
            masks["new_axis_mask"] |= bit
            begin.append(0), end.append(0), strides.append(1)
            continue
        if n and chance(0.2):
            masks["shrink_axis_mask"] |= bit
            at = number(-n, n)
            begin.append(at), end.append(at + 1), strides.append(1)
        else:
            step = pick([1, 1, 1, 2, 3, -1, -2])
            begin.append(number(-n - 2, n + 3)), end.append(number(-n - 2, n + 3)), strides.append(step)
            masks["begin_mask"] |= bit * flag()
            masks["end_mask"] |= bit * flag()
        d += 1
    return [np.array(v, dtype) for v in (begin, end, strides)], masks


@rule("slices", "StridedSlice", ALL, 6)
def strided_slice(t):
    x = tensor(t, high=5)
    (begin, end, strides), masks = strided(x.shape)
    known = chance(0.7)
    wrap = Const if known else Sized
    return [x, wrap(begin), wrap(end), Const(strides), masks]


@rule("slices", "TensorStridedSliceUpdate StridedSliceGrad", SOME, 2)
def strided_update(t):
    shape = sizes(1, 4, 100)
    (begin, end, strides), masks = strided(shape)
    part = tf.raw_ops.StridedSlice(input=np.zeros(shape, np.bool_), begin=begin, end=end, strides=strides, **masks).shape
    return lambda feeds: strided_program(feeds, t, shape, tuple(part), begin, end, strides, masks)


def strided_program(feeds, t, shape, part, begin, end, strides, masks):
    more = dict(begin=tf.constant(begin), end=tf.constant(end), strides=tf.constant(strides), **masks)
    given = feeds.tensor(values(part, t))
    return [tf.raw_ops.TensorStridedSliceUpdate(input=feeds.tensor(values(shape, t)), value=given, **more),
            tf.raw_ops.StridedSliceGrad(shape=tf.constant(np.array(shape, begin.dtype)), dy=given, **more)]


rule("slices", "ReverseV2", ALL)(lambda t: (lambda x: [x, Const(axes_of(x.shape))])(tensor(t)))
rule("slices", "Reverse", ALL)(lambda t: (lambda x: [x, Const(values((x.ndim,), np.bool_))])(tensor(t)))


@rule("slices", "Roll", ALL)
def roll(t):
    x = tensor(t, low=1)
    axes = axes_of(x.shape)
    return [x, maybe(np.array([number(-9, 9) for _ in axes], index_type())), maybe(axes)]


@rule("slices", "ReverseSequence", ALL)
def reverse_sequence(t):
    shape = sizes(2, 5, 200, 0)
    batch, sequence = (int(d) for d in cases.rng.permutation(len(shape))[:2])
    return [values(shape, t), cases.rng.integers(0, shape[sequence] + 1, shape[batch]).astype(index_type()), {"seq_dim": sequence, "batch_dim": batch}]


@rule("slices", "SpaceToDepth DepthToSpace", SOME)
def depth(t):
    b = pick([2, 3])
    return [values((number(1, 3), b * number(1, 4), b * number(1, 4), b * b * number(1, 3)), t), {"block_size": b}]


@rule("slices", "SpaceToBatchND BatchToSpaceND", SOME)
def space_to_batch(t):
    rank = number(1, 3)
    block, low = [number(1, 4) for _ in range(rank)], [[number(0, 3), number(0, 2)] for _ in range(rank)]
    space = [b * number(2, 4) for b in block]
    shape = [s - sum(p) for s, p in zip(space, low)]
    batch, last = number(1, 3), sizes(0, 2, 6)

    def build(feeds):
        given = [tf.constant(np.array(block, np.int32)), tf.constant(np.array(low, np.int32))]
        packed = values((batch * math.prod(block), *[s // b for s, b in zip(space, block)], *last), t)
        return [tf.raw_ops.SpaceToBatchND(input=feeds.tensor(values((batch, *shape, *last), t)), block_shape=given[0], paddings=given[1]),
                tf.raw_ops.BatchToSpaceND(input=feeds.tensor(packed), block_shape=given[0], crops=given[1])]
    return build


# Diagonals

rule("diagonals", "Diag", ALL)(lambda t: tensor(t, low=1, high=3, elements=12))
rule("diagonals", "DiagPart", ALL)(lambda t: (lambda s: values((*s, *s), t))(sizes(1, 2, 12)))
rule("diagonals", "MatrixDiag", ALL)(lambda t: tensor(t, low=1, high=4, elements=60))
rule("diagonals", "MatrixDiagPart", ALL)(lambda t: tensor(t, low=2, high=4))
rule("diagonals", "MatrixSetDiag", ALL)(lambda t: (lambda s: [values(s, t), values((*s[:-2], min(s[-2:])), t)])(sizes(2, 4)))
rule("diagonals", "MatrixBandPart", ALL)(lambda t: (lambda i: [tensor(t, low=2, high=4), maybe(i(number(-1, 4))), maybe(i(number(-1, 4)))])(index_type()))


@rule("diagonals", "MatrixDiagV2 MatrixDiagV3 MatrixDiagPartV2 MatrixDiagPartV3 MatrixSetDiagV2 MatrixSetDiagV3", SOME)
def bands(t):
    m, n = number(1, 8), number(1, 8)
    low = number(-m + 1, n)
    high = low if flag() else number(low, n)
    batch, align = sizes(0, 2, 6), pick(["LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"])
    longest = min(m + min(high, 0), n - max(low, 0))
    band = (longest,) if low == high else (high - low + 1, longest)

    def build(feeds):
        k = tf.constant(np.array(low if low == high else [low, high], np.int32))
        diagonal, matrix, filler = feeds.tensor(values((*batch, *band), t)), feeds.tensor(values((*batch, m, n), t)), tf.constant(values((), t))
        sizes_ = dict(num_rows=tf.constant(m), num_cols=tf.constant(n), padding_value=filler)
        return [tf.raw_ops.MatrixDiagV3(diagonal=diagonal, k=k, align=align, **sizes_), tf.raw_ops.MatrixDiagV2(diagonal=diagonal, k=k, **sizes_),
                tf.raw_ops.MatrixDiagPartV3(input=matrix, k=k, padding_value=filler, align=align), tf.raw_ops.MatrixDiagPartV2(input=matrix, k=k, padding_value=filler),
                tf.raw_ops.MatrixSetDiagV3(input=matrix, diagonal=diagonal, k=k, align=align), tf.raw_ops.MatrixSetDiagV2(input=matrix, diagonal=diagonal, k=k)]
    return build


# Indices

@rule("indices", "GatherV2", ALL, 3)
def gather(t):
    shape = sizes(1, 5, 200, 0)
    axis = axis_of(shape)
    lead = number(0, axis % len(shape) + 1) if flag() else 0
    i = (*shape[:lead], *sizes(0, 3, 12))
    return [values(shape, t), cases.rng.integers(0, shape[axis], i).astype(index_type()), Const(axis), {"batch_dims": lead}]


rule("indices", "Gather", ALL)(lambda t: (lambda s: [values(s, t), maybe(cases.rng.integers(0, s[0], sizes(0, 3, 30)).astype(index_type()))])(sizes(1, 5, 200, 0)))


def places(shape, depth, count):
    return np.stack([cases.rng.integers(0, n, count) for n in shape[:depth]], -1) if depth else np.zeros((*count, 0), np.int64)


@rule("indices", "GatherNd", ALL, 2)
def gather_nd(t):
    shape = sizes(1, 5, 200, 0)
    return [values(shape, t), maybe(places(shape, number(0, len(shape) + 1), sizes(0, 3, 20)).astype(index_type()))]


@rule("indices", "ScatterNd TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin TensorScatterUpdate", ALL)
def scatter_nd(t):
    shape = sizes(1, 4, 200, 0)
    depth = number(1, len(shape) + 1)
    at = places(shape, depth, (number(0, 6),)).astype(index_type())
    updates, initial = values((len(at), *shape[depth:]), t, "plain"), values(shape, t, "plain")

    def build(feeds):
        indices, made = feeds.tensor(Sized(at)), []
        u, x = feeds.tensor(updates), feeds.tensor(initial)
        kind = np.dtype(t).kind
        if kind != "b":
            made.append(tf.raw_ops.ScatterNd(indices=indices, updates=u, shape=tf.constant(np.array(shape, at.dtype))))
            made += [tf.raw_ops.TensorScatterAdd(tensor=x, indices=indices, updates=u), tf.raw_ops.TensorScatterSub(tensor=x, indices=indices, updates=u)]
        if kind in "fiu" or t == cases.BF16:
            made += [tf.raw_ops.TensorScatterMax(tensor=x, indices=indices, updates=u), tf.raw_ops.TensorScatterMin(tensor=x, indices=indices, updates=u)]
        # Which of several updates of a place is last is TensorFlow's order.
        return made + [tf.raw_ops.TensorScatterUpdate(tensor=x, indices=indices, updates=u)]
    return build


rule("indices", "OneHot", ALL, 2)(lambda t: (lambda x: [x, Const(np.int32(number(0, 6))), Const(values((), t)), Const(values((), t)), {"axis": number(-1, x.ndim + 1)}])(
    tensor(pick([np.uint8, np.int32, np.int64]), (0, 7), high=4, elements=40)))


@rule("indices", "DynamicStitch ParallelDynamicStitch", SOME)
def stitch(t):
    more, order = sizes(0, 2, 8), cases.rng.permutation(9).astype(np.int32)
    return [[order[:4], order[4:6].reshape(2, 1), order[6:]], [values((4, *more), t), values((2, 1, *more), t), values((3, *more), t)]]


@rule("indices", "DynamicPartition", SOME)
def partition(t):
    x = tensor(t, low=1, high=4)
    return [x, cases.rng.integers(0, 4, x.shape[:number(1, x.ndim + 1)]).astype(np.int32), {"num_partitions": 4}]


rule("indices", "Where", ALL, 2)(lambda t: values(sizes(1, 5), t, (0, 2)))
rule("indices", "Unique UniqueWithCounts", REAL, 2)(lambda t: [values((number(0, 30),), t, (0, 6)), {"out_idx": pick([tf.int32, tf.int64])}])
rule("indices", "ListDiff", REAL)(lambda t: [values((number(0, 20),), t, (0, 9)), values((number(0, 6),), t, (0, 9)), {"out_idx": pick([tf.int32, tf.int64])}])
rule("indices", "LowerBound UpperBound", REAL)(lambda t: [np.sort(values((3, 9), t, (0, 9)), 1), values((3, 5), t, (0, 9)), {"out_type": pick([tf.int32, tf.int64])}])
rule("indices", "Bitcast", REAL, 2)(lambda t: (lambda to, x: [x, {"type": tf.as_dtype(to)}])(*bitcast(t)))


def bitcast(t):
    to = pick(REAL)
    have, want = np.dtype(t).itemsize, np.dtype(to).itemsize
    shape = sizes(0, 5, 100)
    return to, values((*shape, want // have) if want > have else shape, t, "plain")
