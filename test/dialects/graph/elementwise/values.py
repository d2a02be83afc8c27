"""Every elementwise op on floats, special values among them, against float64."""
import math
import os
import statistics
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import TYPES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(7)
np.seterr(all="ignore")


def floats(dtype):
    limits = np.finfo(dtype)
    special = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 3, -3, np.inf, -np.inf, np.nan, float(limits.max),
               float(limits.min), float(limits.tiny), 1e-5, -1e-5, 20, -20, 80, -80, 100, -100, 1e4, -1e4]
    if dtype != np.float16:
        special += [1e-20, -1e-20, 1e6, -1e6, 1e10, 1e20]
    rest = np.concatenate([rng.normal(size=150), rng.normal(size=150) * 10, rng.uniform(-1, 1, 150)])
    return np.concatenate([np.array(special), rest]).astype(dtype)


def vector(function):
    def checked(x):
        try:
            return function(x)
        except (ValueError, OverflowError, statistics.StatisticsError):
            return math.nan
    return np.vectorize(checked, otypes=[np.float64])


def lgamma(x):
    if math.isinf(x) or (x <= 0 and x == math.floor(x)) or x > 1e300:
        return math.inf
    return math.lgamma(x)


def quantile(p):
    if p in (0, 1):
        return math.inf if p else -math.inf
    return statistics.NormalDist().inv_cdf(p)


def softplus(x):
    return np.where(x > 0, x, 0) + np.log1p(np.exp(-np.abs(x)))


UNARY = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "reciprocal": np.reciprocal, "square": np.square,
    "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "exp": np.exp, "expm1": np.expm1, "log": np.log,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "erf": vector(math.erf), "erfc": vector(math.erfc), "ndtri": vector(quantile),
    "lgamma": vector(lgamma), "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "softplus": softplus, "softsign": lambda x: x / (1 + np.abs(x)),
    "relu": lambda x: np.where(x < 0, 0, x), "relu6": lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)),
    "elu": lambda x: np.where(x < 0, np.expm1(x), x),
    "selu": lambda x: np.where(x < 0, 1.7580993408473766 * np.expm1(x), 1.0507009873554805 * x),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.25 * x), "is_nan": np.isnan, "is_inf": np.isinf,
    "is_finite": np.isfinite,
}


def zero_where(condition, value):
    return np.where(condition, 0, value)


BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "floor_mod": None, "trunc_mod": np.fmod,
    "pow": np.power, "maximum": np.maximum, "minimum": np.minimum, "squared_difference": lambda x, y: (x - y) ** 2,
    "atan2": np.arctan2, "xdivy": lambda x, y: zero_where(x == 0, x / y),
    "xlogy": lambda x, y: zero_where(x == 0, x * np.log(y)), "xlog1py": lambda x, y: zero_where(x == 0, x * np.log1p(y)),
    "div_no_nan": lambda x, y: zero_where(y == 0, x / y), "mul_no_nan": lambda x, y: zero_where(y == 0, x * y),
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal,
}


def floor_mod(x, y):
    r = np.fmod(x, y)
    return np.where((r != 0) & ((r < 0) != (y < 0)), r + y, r)


BINARY["floor_mod"] = floor_mod

program = Program()
for kind in ("f32", "f64", "f16"):
    dtype = TYPES[kind]
    x = floats(dtype)
    y = rng.permutation(x)
    given = program.input(f"x_{kind}", x)
    program.input(f"y_{kind}", y)
    for op, oracle in UNARY.items():
        result = "i1" if op.startswith("is_") else kind
        attributes = " {alpha = 0.25 : f32}" if op == "leaky_relu" else ""
        want = oracle(x.astype(np.float64))
        # Without fused multiply and add, erfc's products round once more.
        ulps = 16 if kind == "f64" else 8 if op == "erfc" else 4
        # lgamma has zeros, near which only the absolute error is small.
        atol = 3e-15 if op == "lgamma" else 0
        program.result(f"{op}_{kind}", f"graph.{op} %x_{kind}{attributes} : ({given}) -> {tensor(x.shape, result)}",
                       tensor(x.shape, result), want, ulps=ulps, atol=atol)
    for op, oracle in BINARY.items():
        result = "i1" if oracle(x[:1], y[:1]).dtype == bool else kind
        want = oracle(x.astype(np.float64), y.astype(np.float64))
        program.result(f"{op}_{kind}", f"graph.{op} %x_{kind}, %y_{kind} : ({given}, {given}) -> "
                       f"{tensor(x.shape, result)}", tensor(x.shape, result), want, ulps=16 if kind == "f64" else 4)

# Special functions, from integrals and identities.
x = np.concatenate([rng.uniform(0, 30, 100), [0, 15.99, 16.01, 60]]).astype(np.float32)
given = program.input("positive", x)
angles = (np.arange(400) + 0.5) * np.pi / 400
wide = x.astype(np.float64)[:, None]
for order in (0, 1):
    scaled = (np.exp(wide * (np.cos(angles) - 1)) * np.cos(order * angles)).mean(1)
    for op, want in ((f"bessel_i{order}e", scaled), (f"bessel_i{order}", scaled * np.exp(wide[:, 0]))):
        program.result(op, f"graph.{op} %positive : ({given}) -> {given}", given, want, atol=1e-16)
harmonic = np.array([sum(1 / k for k in range(1, n)) for n in range(1, 41)]) - 0.57721566490153286
whole = program.input("whole", np.arange(1, 41).astype(np.float64))
program.result("digamma", f"graph.digamma %whole : ({whole}) -> {whole}", whole, harmonic, ulps=16)
for shape, lower, upper in ((1.0, lambda v: -np.expm1(-v), lambda v: np.exp(-v)),
                            (0.5, lambda v: vector(math.erf)(np.sqrt(v)), lambda v: vector(math.erfc)(np.sqrt(v)))):
    name = f"shape{int(2 * shape)}"
    program.input(name, np.full_like(x, shape))
    for op, oracle in (("igamma", lower), ("igammac", upper)):
        program.result(f"{op}_{name}", f"graph.{op} %{name}, %positive : ({given}, {given}) -> {given}", given, oracle(wide[:, 0]))

z = (rng.normal(size=60) * 2 + 2j * rng.normal(size=60)).astype(np.complex64)
w = rng.permutation(z)
given = program.input("z", z)
program.input("w", w)
COMPLEX = {"neg": np.negative, "conj": np.conj, "reciprocal": np.reciprocal, "square": np.square, "sqrt": np.sqrt,
           "rsqrt": lambda x: 1 / np.sqrt(x), "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos,
           "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
           "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
           "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "sign": lambda x: x / np.abs(x)}
for op, oracle in COMPLEX.items():
    program.result(f"{op}_z", f"graph.{op} %z : ({given}) -> {given}", given, oracle(z.astype(np.complex128)), ulps=24)
for op, oracle in {"abs": np.abs, "real": np.real, "imag": np.imag, "angle": np.angle}.items():
    part = tensor(z.shape, "f32")
    program.result(f"{op}_z", f"graph.{op} %z : ({given}) -> {part}", part, oracle(z.astype(np.complex128)), ulps=4)
for op, oracle in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}.items():
    program.result(f"{op}_z", f"graph.{op} %z, %w : ({given}, {given}) -> {given}", given,
                   oracle(z.astype(np.complex128), w.astype(np.complex128)), ulps=24)
main(program)
