"""Rules of sparse and ragged tensors, sets, classes drawn for a loss, and special functions of one variable."""

import numpy as np
import tensorflow as tf

import cases
from cases import F16, F32, F64
from draw import Sized, flag, index_type, maybe, number, pick, sizes, tensor, values
from rules import rule

raw = tf.raw_ops
NUMBERS = [F32, F64, np.int32, np.int64]


class Coo:
    """A sparse tensor of drawn sizes: indices in order, values, shape."""

    def __init__(self, feeds, t, shape=None):
        shape = shape or (number(1, 5), number(1, 6))
        places = np.flatnonzero(cases.rng.random(int(np.prod(shape))) < 0.4)
        self.shape = shape
        self.indices = feeds.tensor(np.stack(np.unravel_index(places, shape), -1).astype(np.int64).reshape(-1, len(shape)))
        self.values = feeds.tensor(values((len(places),), t, (-4, 5)))
        self.size = feeds.tensor(maybe(np.array(shape, np.int64)))

    def named(self, prefix="sp_", last="shape"):
        return {prefix + "indices": self.indices, prefix + "values": self.values, prefix + last: self.size}


def coo(name, types=NUMBERS, rounds=2):
    def add(function):
        rule("coo", name, types, rounds)(lambda t: lambda feeds: function(feeds, t, Coo(feeds, t, pick([None, (3, 2, 4)]))))
        return function
    return add


@coo("SparseAdd")
def added(feeds, t, x):
    y = Coo(feeds, t, x.shape)
    return list(raw.SparseAdd(**x.named("a_"), **y.named("b_"), thresh=feeds.tensor(maybe(np.array(pick([0, 1]), t)))))


@coo("SparseSparseMaximum SparseSparseMinimum", rounds=1)
def extrema(feeds, t, x):
    y = Coo(feeds, t, x.shape)
    both = {**x.named("a_"), **y.named("b_")}
    return [*raw.SparseSparseMaximum(**both), *raw.SparseSparseMinimum(**both)]


coo("SparseReorder", rounds=1)(lambda feeds, t, x: list(raw.SparseReorder(input_indices=tf.reverse(x.indices, [0]), input_values=tf.reverse(x.values, [0]), input_shape=x.size)))
coo("SparseTensorDenseAdd", rounds=1)(lambda feeds, t, x: raw.SparseTensorDenseAdd(**x.named("a_"), b=feeds.tensor(values(x.shape, t, (-3, 3)))))
coo("SparseSoftmax", [F16, F32, F64])(lambda feeds, t, x: raw.SparseSoftmax(**x.named()))
coo("SparseSlice")(lambda feeds, t, x: list(raw.SparseSlice(**x.named(""), start=feeds.tensor(maybe(np.array([number(0, n + 1) for n in x.shape]))), size=feeds.tensor(maybe(np.array([number(0, n + 1) for n in x.shape]))))))


@coo("SparseSplit", rounds=1)
def split(feeds, t, x):
    axis = number(0, len(x.shape))
    made = raw.SparseSplit(split_dim=feeds.tensor(maybe(np.int64(axis))), **x.named(""), num_split=number(1, x.shape[axis] + 1))
    return [y for part in made for y in part]


@coo("SparseReduceSum SparseReduceMax")
def reduced(feeds, t, x):
    chosen = cases.rng.permutation(len(x.shape))[:number(0, len(x.shape) + 1)]
    more = dict(input_indices=x.indices, input_values=x.values, input_shape=x.size, keep_dims=flag(),
                reduction_axes=tf.constant(np.array([d - len(x.shape) if flag() else d for d in chosen], np.int32)))
    return [raw.SparseReduceSum(**more), raw.SparseReduceMax(**more), *raw.SparseReduceSumSparse(**more), *raw.SparseReduceMaxSparse(**more)]


@coo("SparseDenseCwiseMul SparseDenseCwiseDiv SparseDenseCwiseAdd", [F32, F64])
def by_dense(feeds, t, x):
    shape = tuple(1 if flag() else n for n in x.shape)[number(0, 2):]
    more = {**x.named(), "dense": feeds.tensor(values(shape, t, (1, 4)))}
    return [raw.SparseDenseCwiseMul(**more), raw.SparseDenseCwiseDiv(**more), raw.SparseDenseCwiseAdd(**more)]


rule("coo", "SparseFillEmptyRowsGrad", [F32, F64])(lambda t: [np.array([0, 3, 4]), values((6,), t, (-3, 3))])
rule("coo", "ComputeAccidentalHits", [np.int64], 3)(lambda t: [cases.rng.integers(0, 9, (5, 2)), cases.rng.permutation(9)[:4].astype(t), {"num_true": 2}])


@rule("coo", "EditDistance", [np.int32, np.int64, F32, np.uint8], 2)
def distance(t):
    def build(feeds):
        x, y = Coo(feeds, t, (3, 5)), Coo(feeds, t, (3, 4))
        return [raw.EditDistance(**x.named("hypothesis_"), **y.named("truth_"), normalize=flag())]
    return build


@rule("coo", "DenseToDenseSetOperation DenseToSparseSetOperation SparseToSparseSetOperation SetSize", [np.int32, np.int64, np.int8])
def sets(t):
    rows = sizes(1, 2, 6, 0)
    x, y = (values((*rows, number(1, 6)), t, (0, 5)) for _ in "xy")

    def build(feeds):
        made, a, b = [], feeds.tensor(x), feeds.tensor(y)
        p, q = Coo(feeds, t, (3, 4)), Coo(feeds, t, (3, 5))
        for operation in ("intersection", "union", "a-b", "b-a"):
            made += raw.DenseToDenseSetOperation(set1=a, set2=b, set_operation=operation)
            made += raw.SparseToSparseSetOperation(**p.named("set1_"), **q.named("set2_"), set_operation=operation)
        made += raw.DenseToSparseSetOperation(set1=feeds.tensor(values((3, 4), t, (0, 5))), **q.named("set2_"), set_operation="union")
        return [*made, raw.SetSize(**p.named("set_"))]
    return build


# Ragged tensors

def splits(rows, t):
    return np.concatenate([[0], np.cumsum(cases.rng.integers(0, 4, rows))]).astype(t)


@rule("ragged", "RaggedTensorToSparse RaggedGather", NUMBERS)
def ragged(t):
    kind = index_type()
    outer = splits(number(1, 5), np.int64)
    inner = splits(int(outer[-1]), np.int64)
    flat, rows, chosen = values((int(inner[-1]),), t), values((int(outer[-1]), 2), t), cases.rng.integers(0, len(outer) - 1, number(0, 6)).astype(kind)

    def build(feeds):
        o, i, x, r, at = (feeds.tensor(v) for v in (outer, inner, flat, rows, chosen))
        return [*raw.RaggedTensorToSparse(rt_nested_splits=[o, i], rt_dense_values=x), *raw.RaggedTensorToSparse(rt_nested_splits=[o], rt_dense_values=r),
                *raw.RaggedGather(params_nested_splits=[o], params_dense_values=r, indices=at, OUTPUT_RAGGED_RANK=1)[0],
                raw.RaggedGather(params_nested_splits=[o, i], params_dense_values=x, indices=at, OUTPUT_RAGGED_RANK=2)[1]]
    return build


rule("ragged", "RaggedRange", [np.int32, np.int64, F32, F64], 2)(lambda t: [values((4,), t, (-5, 5)), values((4,) if flag() else (), t, (-5, 12)), np.array(pick([1, 2, -1, 3]), t)])

# Classes that are drawn, functions, and others

rule("candidates", "LogUniformCandidateSampler UniformCandidateSampler", [np.int64], 4)(lambda t: (lambda n: [
    cases.rng.integers(0, n, (number(1, 5), 2)), {"num_true": 2, "num_sampled": number(1, min(n, 9) + 1), "unique": flag(), "range_max": n, "seed": number(0, 99), "seed2": number(1, 99)}])(pick([1, 7, 16, 1000])))
rule("functions", "BesselJ0 BesselJ1 BesselY0 BesselY1 BesselK0 BesselK1 BesselK0e BesselK1e Dawsn Expint FresnelCos FresnelSin Spence", [F16, F32, F64])(lambda t: tensor(t, (0.05, 9)))
rule("functions", "BesselJ0 BesselJ1 Dawsn FresnelCos FresnelSin", [F32, F64])(lambda t: tensor(t, (-12, 12)))
rule("functions", "UnravelIndex", [np.int32, np.int64], 2)(lambda t: [cases.rng.integers(0, 60, pick([(), (7,)])).astype(t), maybe(np.array([3, 4, 5], t))])
rule("functions", "HistogramFixedWidth", NUMBERS, 2)(lambda t: [tensor(t, (-9, 9)), maybe(np.array([-5, 6], t)), maybe(np.int32(number(1, 9))), {"dtype": pick([tf.int32, tf.int64])}])
rule("functions", "QuantizeAndDequantizeV2 QuantizeAndDequantizeV4", [F32, F64], 3)(lambda t: (lambda given: [tensor(t, (-3, 3), low=1, elements=60), t(-1.5), t(2), {
    "range_given": given, "signed_input": flag(), "num_bits": pick([8, 4, 5]), "narrow_range": flag(), "round_mode": pick(["HALF_TO_EVEN", "HALF_UP"])}])(flag()))
rule("functions", "ParallelConcat", NUMBERS)(lambda t: [[Sized(values((1, 3), t)) for _ in range(3)], {"shape": [3, 3]}])
rule("functions", "Add AddV2", [np.str_], 3)(lambda t: (lambda a, b: lambda feeds: [tf.raw_ops.Add(x=feeds.tensor(a), y=feeds.tensor(b))])(*(texts(pick([(), (3,), (2, 1), (1, 3)])) for _ in "ab")))
rule("functions", "MaxPoolV2", [F32, np.int32])(lambda t: (lambda k, s: [values((2, 7, 6, 3), t, (-9, 9)), Sized(np.array([1, *k, 1], np.int32)), Sized(np.array([1, *s, 1], np.int32)), {"padding": pick(["SAME", "VALID"])}])(
    [number(1, 4), number(1, 4)], [number(1, 3), number(1, 3)]))
rule("functions", "RFFT RFFT2D FFT IRFFT IFFT", [F32, F64])(lambda t: lambda feeds: [
    tf.signal.rfft(feeds.tensor(values((3, number(2, 40)), t, (-2, 2)))), tf.signal.rfft2d(feeds.tensor(values((2, 6, 9), t, (-2, 2))), feeds.tensor(maybe(np.array([5, 10], np.int32)))),
    tf.signal.fft(tf.cast(feeds.tensor(values((2, number(2, 40)), t, (-2, 2))), {F32: tf.complex64, F64: tf.complex128}[t])),
    tf.signal.irfft(tf.signal.rfft(feeds.tensor(values((2, 12), t, (-2, 2)))), feeds.tensor(maybe(np.array([number(1, 15)], np.int32))))])


def texts(shape):
    return np.array([pick([b"a", b"tensor", b"", b"x y"]) for _ in range(int(np.prod(shape)))], object).reshape(shape)


