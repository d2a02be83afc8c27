"""Integer, boolean and conversion ops at the ends of every type's range."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import TYPES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(3)
np.seterr(all="ignore")
INTEGERS = ["i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64"]


def integers(dtype):
    limits = np.iinfo(dtype)
    ends = [0, 1, 2, 3, limits.max, limits.max - 1, limits.min, limits.min + 1]
    small = rng.integers(max(limits.min, -9), 9, 40)
    wide = rng.integers(limits.min, limits.max, 24, dtype=dtype, endpoint=True)
    return np.concatenate([np.array(ends, dtype), small.astype(dtype), wide])


def exact(function):
    """The function on Python's integers, wrapped to the type."""
    def wrapped(x, y):
        bits = 8 * x.dtype.itemsize
        values = [function(int(a), int(b)) & (2 ** bits - 1) for a, b in zip(x, y)]
        return np.array(values, np.uint64).astype(x.dtype)
    return wrapped


def truncated(a, b):
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def power(a, b):
    if b >= 0:
        return pow(a, b, 2 ** 64)
    return {1: 1, -1: -1 if b % 2 else 1}.get(a, 0)


def shift(a, bits, distance, left):
    distance = min(max(distance, 0), bits - 1)
    return a << distance if left else a >> distance


ARITHMETIC = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "maximum": max, "minimum": min, "squared_difference": lambda a, b: (a - b) ** 2,
    "pow": power, "and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b,
}
DIVISION = {"trunc_div": truncated, "trunc_mod": lambda a, b: a - b * truncated(a, b),
            "floor_div": lambda a, b: a // b, "floor_mod": lambda a, b: a % b}
COMPARISONS = {"equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
               "greater": np.greater, "greater_equal": np.greater_equal}

program = Program()
arrays = {}
for kind in INTEGERS:
    x = integers(TYPES[kind])
    y = rng.permutation(x)
    arrays[kind] = x
    given = program.input(f"x_{kind}", x)
    divisor = np.where(y == 0, 7, y).astype(y.dtype)
    program.input(f"y_{kind}", y)
    program.input(f"d_{kind}", divisor)

    def binary(op, result, want, rhs="y"):
        program.result(f"{op}_{kind}", f"graph.{op} %x_{kind}, %{rhs}_{kind} : ({given}, {given}) -> {result}", result, want)

    for op, function in ARITHMETIC.items():
        binary(op, given, exact(function)(x, y))
    for op, function in DIVISION.items():
        binary(op, given, exact(function)(x, divisor), "d")
    bits = 8 * x.dtype.itemsize
    binary("left_shift", given, exact(lambda a, b: shift(a, bits, b, True))(x, y))
    binary("right_shift", given, exact(lambda a, b: shift(a, bits, b, False))(x, y))
    for op, function in COMPARISONS.items():
        binary(op, tensor(x.shape, "i1"), function(x, y))
    for op, want in {"neg": np.negative(x), "abs": np.abs(x), "sign": np.sign(x), "square": x * x, "not": ~x,
                     "relu": np.maximum(x, 0), "relu6": np.clip(x, 0, 6)}.items():
        program.result(f"{op}_{kind}", f"graph.{op} %x_{kind} : ({given}) -> {given}", given, want)
    count = tensor(x.shape, "ui8")
    program.result(f"population_count_{kind}", f"graph.population_count %x_{kind} : ({given}) -> {count}", count,
                   np.array([bin(int(v) & (2 ** bits - 1)).count("1") for v in x], np.uint8))

p, q = rng.integers(0, 2, 32).astype(bool), rng.integers(0, 2, 32).astype(bool)
given = program.input("p", p)
program.input("q", q)
for op, want in {"and": p & q, "or": p | q, "xor": p ^ q, "equal": p == q}.items():
    program.result(f"{op}_bool", f"graph.{op} %p, %q : ({given}, {given}) -> {given}", given, want)
program.result("not_bool", f"graph.not %p : ({given}) -> {given}", given, ~p)

# Conversions of numbers that both types can hold, and what x86 makes of others.
f = np.concatenate([rng.normal(size=40) * 100, [0.0, -0.0, 0.99, -0.99, 126.5]])
arrays["f32"], arrays["f64"], arrays["i1"] = f.astype(np.float32), f, p
program.input("x_f32", arrays["f32"])
program.input("x_f64", arrays["f64"])
for source, x in arrays.items():
    name = "p" if source == "i1" else f"x_{source}"
    given = tensor(x.shape, source)
    for target in INTEGERS + ["f16", "f32", "f64", "i1", "complex<f32>"]:
        if source in ("f32", "f64") and target.startswith("ui"):
            continue  # negative numbers: see below
        result = tensor(x.shape, target)
        whole = np.trunc(x).astype(np.int64) if source[0] == "f" and target[0] == "i" and target != "i1" else x
        program.result(f"cast_{source}_{target.replace('<', '_').replace('>', '')}", f"graph.cast %{name} : ({given}) -> {result}",
                       result, whole.astype(TYPES[target]), ulps=0)
far = np.array([np.inf, -np.inf, np.nan, 1e20, -1e20, 3e9, -3e9, -1.0], np.float32)
given = program.input("far", far)
least = {32: -2 ** 31, 64: -2 ** 63}
for target, want in {
        "i32": [least[32]] * 7 + [-1], "i64": [least[64]] * 5 + [3 * 10 ** 9, -3 * 10 ** 9, -1],
        "ui64": [2 ** 63] * 5 + [3 * 10 ** 9, 2 ** 64 - 3 * 10 ** 9, 2 ** 64 - 1]}.items():
    result = tensor(far.shape, target)
    program.result(f"cast_far_{target}", f"graph.cast %far : ({given}) -> {result}", result, np.array(want, TYPES[target]))
main(program)
