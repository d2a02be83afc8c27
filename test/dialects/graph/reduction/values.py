"""Reductions and scans over every kind of axes, of every type."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import TYPES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(5)
np.seterr(all="ignore")


def array(shape, kind):
    dtype = np.dtype(TYPES[kind])
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return rng.integers(max(-9, np.iinfo(dtype).min), 9, shape).astype(dtype)
    values = rng.normal(size=shape)
    return (values + 1j * rng.normal(size=shape) if dtype.kind == "c" else values).astype(dtype)


def mean(x, axis):
    if x.dtype.kind in "fc":
        return np.mean(x, axis)
    count = np.prod([x.shape[i] for i in axis], dtype=np.int64)
    return np.trunc(x.sum(axis, dtype=x.dtype) / count)


NUMBERS = {"sum": lambda x, axis: x.sum(axis, dtype=x.dtype), "mean": mean, "prod": lambda x, axis: x.prod(axis, dtype=x.dtype)}
ORDERED = {"max": lambda x, axis: x.max(axis), "min": lambda x, axis: x.min(axis)}
BOOLEAN = {"all": lambda x, axis: x.all(axis), "any": lambda x, axis: x.any(axis)}
SHAPES = [((3, 4, 5), (0,)), ((3, 4, 5), (1,)), ((3, 4, 5), (2,)), ((3, 4, 5), (0, 2)), ((3, 4, 5), (0, 1, 2)),
          ((3, 4, 5), ()), ((7,), (0,)), ((), ()), ((2, 33, 17, 3), (1, 2)), ((1, 9, 1), (0, 2)), ((300,), (0,))]

program = Program()
count = 0


def reduce(op, x, axes, keep, want, dynamic=False, ulps=4):
    global count
    count += 1
    kind = next(k for k, v in TYPES.items() if np.dtype(v) == x.dtype)
    given = program.input(f"x{count}", x, ("?",) * x.ndim if dynamic else None)
    shape = [1 if i in axes else ("?" if dynamic else n) for i, n in enumerate(x.shape) if keep or i not in axes]
    result = tensor(shape, kind)
    text = ", ".join(map(str, axes))
    program.result(f"{op}{count}", f"graph.reduce_{op} %x{count} {{axes = array<i64{':' if axes else ''} {text}>, "
                   f"keep_dims = {'true' if keep else 'false'}}} : ({given}) -> {result}", result,
                   np.asarray(want).reshape([1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes]),
                   ulps=ulps, atol=1e-5 if op in ("sum", "mean") and x.dtype != np.float64 else 0)


for shape, axes in SHAPES:
    for keep, dynamic in ((False, False), (True, True)):
        for kind, ops in {"f32": {**NUMBERS, **ORDERED}, "i32": {**NUMBERS, **ORDERED}, "i1": BOOLEAN}.items():
            for op, oracle in ops.items():
                x = array(shape, kind)
                wide = x.astype(np.float64) if kind == "f32" else x
                reduce(op, x, axes, keep, oracle(wide, axes), dynamic, ulps=16)
for kind in ("f64", "f16", "i8", "i16", "i64", "ui8", "ui16", "ui32", "ui64", "complex<f32>", "complex<f64>"):
    for op, oracle in {**NUMBERS, **({} if "complex" in kind else ORDERED)}.items():
        x = array((3, 4, 5), kind)
        wide = x.astype(np.float64) if kind == "f16" else x
        reduce(op, x, (1,), False, oracle(wide, (1,)), ulps=64)
empty = np.zeros((2, 0), np.float32)
for op, want in {"sum": 0, "prod": 1, "max": -np.inf, "min": np.inf, "mean": np.nan}.items():
    reduce(op, empty, (1,), False, [want, want])
nan = array((3, 6), "f32")
nan[0, 2] = nan[1, :] = np.nan
for op, oracle in ORDERED.items():
    reduce(op, nan, (1,), False, oracle(nan, (1,)))

for kind in ("f32", "f64", "f16", "i8", "i64", "ui8", "ui64"):
    for axis in (0, 1, 2):
        x = array((3, 4, 5), kind)
        x[0, 0, 3] = x.max()
        given = program.input(f"a{kind}{axis}", x)
        for op, oracle in {"argmax": np.argmax, "argmin": np.argmin}.items():
            want = oracle(x, axis)
            result = tensor(want.shape, "i64")
            program.result(f"{op}{kind}{axis}", f"graph.{op} %a{kind}{axis} {{axis = {axis} : i64}} : ({given}) -> {result}", result, want)
given = program.input("nan", nan)
# NaN is never the greatest; of NaNs alone the first is taken.
program.result("argmax_nan", f"graph.argmax %nan {{axis = 1 : i64}} : ({given}) -> tensor<3xi32>", "tensor<3xi32>",
               np.array([np.nanargmax(nan[0]), 0, np.argmax(nan[2])], np.int32))


def scan(x, axis, exclusive, reverse, function, identity):
    x = np.flip(x, axis) if reverse else x
    result = function(x, axis)
    if exclusive:
        first = np.full_like(np.take(result, [0], axis), identity)
        result = np.concatenate([first, np.delete(result, -1, axis)], axis)
    return np.flip(result, axis) if reverse else result


for kind in ("f32", "i32", "complex<f32>"):
    x = array((3, 4, 5), kind)
    label = kind.replace("<", "").replace(">", "")
    given = program.input(f"s{label}", x)
    for axis in (0, 1, 2):
        for exclusive in (False, True):
            for reverse in (False, True):
                for op, function, identity in (("cumsum", lambda v, a: np.cumsum(v, a, dtype=v.dtype), 0),
                                               ("cumprod", lambda v, a: np.cumprod(v, a, dtype=v.dtype), 1),
                                               ("cumlogsumexp", np.logaddexp.accumulate, -np.inf)):
                    if op == "cumlogsumexp" and kind != "f32":
                        continue
                    wide = x.astype(np.float64) if kind == "f32" else x
                    program.result(f"{op}{label}{axis}{exclusive}{reverse}",
                                   f"graph.{op} %s{label} {{axis = {axis} : i64, exclusive = {str(exclusive).lower()}, "
                                   f"reverse = {str(reverse).lower()}}} : ({given}) -> {given}", given,
                                   scan(wide, axis, exclusive, reverse, function, identity), ulps=16, atol=1e-6)
main(program)
