"""Windows of every padding against NumPy, with sizes known and unknown."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

from itertools import product as grid  # noqa: E402

rng = np.random.default_rng(17)
program = Program()


def pool(op, x, window, strides, padding, explicit=None, first=False, free=False):
    name = f"{op}{len(program.results)}"
    places = []
    for i, (n, k, s) in enumerate(zip(x.shape[1:-1], window, strides)):
        if padding == "SAME":
            out = -(-n // s)
            places.append((out, max((out - 1) * s + k - n, 0) // 2))
        else:
            low, high = explicit[i] if explicit else (0, 0)
            places.append(((n + low + high - k) // s + 1, low))
    want = np.zeros((x.shape[0], *[p[0] for p in places], x.shape[-1]))
    for o in grid(*[range(p[0]) for p in places]):
        box = tuple(slice(max(i * s - p[1], 0), min(i * s - p[1] + k, n))
                    for i, s, p, k, n in zip(o, strides, places, window, x.shape[1:-1]))
        part = x[(slice(None), *box)].astype(np.float64)
        axes = tuple(range(1, x.ndim - 1))
        want[(slice(None), *o)] = part.max(axes) if op == "max_pool" else part.mean(axes)
    given = np.moveaxis(x, -1, 1).copy() if first else x
    want = np.moveaxis(want, -1, 1) if first else want
    if x.dtype.kind != "f":
        want = want.astype(x.dtype)
    integers = lambda values: "array<i64: " + ", ".join(map(str, values)) + ">"
    text = f'padding = "{padding}", strides = {integers(strides)}, window = {integers(window)}'
    if explicit:
        text += f", explicit_padding = {integers([v for pair in explicit for v in pair])}"
    text += ", channels_first" if first else ""
    kind = program.input(f"x{name}", given, ["?"] * x.ndim if free else None)
    result = tensor(["?"] * x.ndim if free else want.shape, NAMES[x.dtype])
    program.result(name, f"graph.{op} %x{name} {{{text}}} : ({kind}) -> {result}", result, want, atol=1e-5)


normal = lambda *shape: rng.normal(size=shape).astype(np.float32)
for free in (False, True):
    for op in ("max_pool", "avg_pool"):
        for padding in ("SAME", "VALID"):
            pool(op, normal(2, 9, 8, 19), (3, 3), (2, 2), padding, free=free)
            pool(op, normal(2, 9, 8, 3), (2, 3), (1, 2), padding, free=free)
        pool(op, normal(2, 9, 8, 3), (3, 3), (2, 2), "EXPLICIT", [(1, 1), (0, 2)], free=free)
        pool(op, normal(2, 9, 8, 3), (2, 2), (2, 2), "SAME", first=True, free=free)
        pool(op, normal(1, 5, 6, 7, 3), (2, 2, 2), (2, 2, 2), "SAME", free=free)
        pool(op, normal(0, 9, 8, 3), (3, 3), (2, 2), "SAME", free=free)
pool("max_pool", rng.integers(-99, 99, (1, 6, 6, 3)).astype(np.int32), (2, 2), (2, 2), "SAME")
pool("max_pool", -np.abs(normal(1, 6, 6, 3)), (3, 3), (1, 1), "SAME")
main(program)
