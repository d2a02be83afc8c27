"""What rules draw from: element types, sizes, values, axes and indices, seeded through `cases.rng`."""

import math

import numpy as np

import cases
from cases import BF16, COMPLEX, F16, F32, F64, Const, SIGNED, UNSIGNED

FLOATS = [F16, BF16, F32, F64]
INTS = SIGNED + UNSIGNED
BOOL = [np.bool_]
REAL = FLOATS + INTS
ALL = REAL + COMPLEX + BOOL
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 19, 31, 32, 33, 65]


def chance(p):
    return bool(cases.rng.random() < p)


def pick(values):
    return values[int(cases.rng.integers(len(values)))]


def number(low, high):
    """low <= n < high"""
    return int(cases.rng.integers(low, high))


def sizes(low=0, high=8, elements=400, empty=0.04):
    """A shape of low to high dimensions, small ranks more often."""
    rank = number(low, high + 1) if chance(0.25) else number(low, min(high, max(4, low)) + 1)
    shape, left = [], elements
    for _ in range(rank):
        if chance(empty / max(rank, 1)):
            shape.append(0)
            continue
        fitting = [n for n in SIZES if n <= left] if rank < 5 else [n for n in (1, 2, 3) if n <= left]
        shape.append(pick(fitting))
        left //= max(shape[-1], 1)
    cases.rng.shuffle(shape)
    return tuple(shape)


def special(dtype):
    """Values at the ends of a type. Subnormal numbers are left out: whether TensorFlow takes them for 0 depends on the thread."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.array([True, False])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.array([info.min, info.max, info.min + 1, info.max - 1, 0, 1, info.max // 2, 1 << (dtype.itemsize * 4), 3, 100], dtype)
    single = {"complex64": np.float32, "complex128": np.float64}.get(str(dtype), dtype)
    bits, low = {"float16": (11, -14), "bfloat16": (8, -126), "float32": (24, -126), "float64": (53, -1022)}[str(np.dtype(single))]
    with np.errstate(all="ignore"):
        values = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2.0**low, -(2.0**low),
                           2.0**(bits - 1) + 1, 1 - 2.0**-bits, 100.0, -100.0, 6.0, 3.0], F64).astype(single)
    return values


def values(shape, dtype, kind="any"):
    """any: normal numbers, now and then special ones among them; plain: without those; else a range of numbers."""
    dtype = np.dtype(dtype)
    if kind == "any" and chance(0.7):
        kind = "plain"
    n = math.prod(shape)
    if dtype.kind == "b":
        return cases.rng.random(shape) < 0.5
    if isinstance(kind, tuple):
        low, high = kind
        if dtype.kind in "iu":
            return cases.rng.integers(low, high, shape).astype(dtype)
        if dtype.kind == "c":
            return (cases.rng.uniform(low, high, shape) + 1j * cases.rng.uniform(low, high, shape)).astype(dtype)
        return np.asarray(cases.rng.uniform(low, high, shape)).astype(dtype)
    if dtype.kind == "c":
        return np.asarray(cases.rng.standard_normal(shape) + 1j * cases.rng.standard_normal(shape)).astype(dtype)
    if dtype.kind in "iu":
        x = cases.rng.integers(0 if dtype.kind == "u" else -20, 21, shape).astype(dtype)
    else:
        x = np.asarray(cases.rng.standard_normal(shape) * pick([1, 1, 4, 30])).astype(dtype)
    if kind == "any" and n:
        pool = special(dtype)
        where = cases.rng.random(shape) < 0.5
        x = np.where(where, pool[cases.rng.integers(len(pool), size=shape)], x).astype(dtype)
    return np.asarray(x).astype(dtype)


def tensor(dtype, kind="any", low=0, high=8, elements=400):
    return values(sizes(low, high, elements), dtype, kind)


def pair(dtype, kind="any", count=2):
    """Operands that broadcast with one another."""
    whole = sizes(0, 8)
    result = []
    for n in range(count):
        part = [1 if chance(0.25) else d for d in whole]
        result.append(values(tuple(part[number(0, len(part) + 1) if chance(0.3) else 0:]), dtype, kind))
    return result


class Sized:
    """Fed, in a size that the graph knows."""

    def __init__(self, value):
        self.value = np.asarray(value)


def maybe(value):
    """Known when the graph is compiled, or fed."""
    return Const(value) if chance(0.6) else Sized(value)


def axis_of(shape, dtype=None):
    """A dimension, counted from either end."""
    return (dtype or pick([np.int32, np.int64]))(number(-len(shape), len(shape)))


def axes_of(shape):
    """Some dimensions, each once, counted from either end."""
    rank = len(shape)
    chosen = cases.rng.permutation(rank)[:number(0, rank + 1)]
    return np.array([d - rank if chance(0.4) else d for d in chosen], pick([np.int32, np.int64]))


def flag():
    return chance(0.5)


def index_type():
    return pick([np.int32, np.int64])
