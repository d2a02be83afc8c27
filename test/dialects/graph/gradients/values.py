"""Derivatives of windows and images against sums over all places, with sizes known and unknown."""
import os
import sys
from itertools import product as grid

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(23)
program = Program()
normal = lambda *shape: rng.normal(size=shape).astype(np.float32)


def integers(values):
    return "array<i64: " + ", ".join(map(str, values)) + ">"


def constant(name, values):
    program.lines.append(f"  %{name} = graph.constant dense<{list(values)}> : tensor<{len(values)}xi32>")
    return f"tensor<{len(values)}xi32>"


class Windows:
    def __init__(self, sizes, window, strides, dilations, padding, explicit=None):
        self.sizes, self.window, self.strides, self.dilations = sizes, window, strides, dilations
        self.out, self.low = [], []
        for i, (n, k, s, d) in enumerate(zip(sizes, window, strides, dilations)):
            extent = (k - 1) * d + 1
            low, high = explicit[i] if explicit else (0, 0)
            self.out.append(-(-n // s) if padding == "SAME" else (n + low + high - extent) // s + 1)
            self.low.append(max((self.out[-1] - 1) * s + extent - n, 0) // 2 if padding == "SAME" else low)
        self.text = f'padding = "{padding}", strides = {integers(strides)}'
        if explicit:
            self.text += f", explicit_padding = {integers([v for pair in explicit for v in pair])}"

    def places(self):
        """(output, element of the window, place in the input), in row-major order."""
        for o in grid(*map(range, self.out)):
            for k in grid(*map(range, self.window)):
                at = tuple(i * s + e * d - p for i, s, e, d, p in zip(o, self.strides, k, self.dilations, self.low))
                if all(0 <= a < n for a, n in zip(at, self.sizes)):
                    yield o, k, at


def add(op, operands, text, want, free, first=False, kind=None):
    """Operands: arrays that are fed, or (vectors,) of constants."""
    name, kinds, names = f"{op}{len(program.results)}", [], []
    for i, operand in enumerate(operands):
        label = f"{name}_{i}"
        names.append(f"%{label}")
        if isinstance(operand, tuple):
            kinds.append(constant(label, operand[0]))
        else:
            kinds.append(program.input(label, operand, ["?"] * operand.ndim if free else None))
    unknown = ["?"] * want.ndim if free and not op.endswith("filter_grad") else want.shape
    result = tensor(unknown, NAMES[want.dtype]) if kind is None else kind
    program.result(name, f"graph.{op} {', '.join(names)} {{{text}}} : ({', '.join(kinds)}) -> {result}", result, want, atol=2e-4)


def front(x, first):
    return np.moveaxis(x, -1, 1).copy() if first else x


def convolution(n, sizes, window, c, k, strides, dilations, padding, explicit=None, first=False, free=False):
    w = Windows(sizes, window, strides, dilations, padding, explicit)
    x, dy = normal(n, *sizes, c), normal(n, *w.out, k)
    want = np.zeros((*window, c, k))
    for o, e, at in w.places():
        want[e] += x[(slice(None), *at)].astype(np.float64).T @ dy[(slice(None), *o)]
    text = f"{w.text}, dilations = {integers(dilations)}" + (", channels_first" if first else "")
    add("conv_filter_grad", [front(x, first), front(dy, first), (want.shape,)], text, want.astype(np.float32), free)


def depthwise(n, sizes, window, c, m, strides, dilations, padding, first=False, free=False):
    w = Windows(sizes, window, strides, dilations, padding)
    x, dy, f = normal(n, *sizes, c), normal(n, *w.out, c * m), normal(*window, c, m)
    by_filter, by_input = np.zeros(f.shape), np.zeros(x.shape)
    for o, e, at in w.places():
        d = dy[(slice(None), *o)].astype(np.float64).reshape(n, c, m)
        by_filter[e] += (x[(slice(None), *at)][..., None] * d).sum(0)
        by_input[(slice(None), *at)] += (f[e] * d).sum(-1)
    text = f"{w.text}, dilations = {integers(dilations)}" + (", channels_first" if first else "")
    add("depthwise_conv_filter_grad", [front(x, first), front(dy, first), (f.shape,)], text, by_filter.astype(np.float32), free)
    if not free:  # the filter's window must be known
        want = front(by_input.astype(np.float32), first)
        add("depthwise_conv_transpose", [front(dy, first), f, (want.shape,)], text, want, free)


def pool(n, sizes, window, strides, padding, explicit=None, first=False, free=False):
    w = Windows(sizes, window, strides, (1,) * len(sizes), padding, explicit)
    # Few different values, so that maxima occur more than once.
    x, dy, v = np.round(normal(n, *sizes, 3)), normal(n, *w.out, 3), normal(n, *sizes, 3)
    best, where, count = np.full(dy.shape, -np.inf), {}, np.zeros(w.out)
    for o, e, at in w.places():
        count[o] += 1
        for i, c in grid(range(n), range(3)):
            if (i, *o, c) not in where or x[(i, *at, c)] > best[(i, *o, c)]:
                best[(i, *o, c)], where[i, *o, c] = x[(i, *at, c)], at
    one, every, mean, picked = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape), np.zeros(dy.shape, np.float32)
    for (i, *rest), at in where.items():
        *o, c = rest
        one[(i, *at, c)] += dy[(i, *o, c)]
        picked[(i, *o, c)] = v[(i, *at, c)]
    for o, e, at in w.places():
        part = (slice(None), *at)
        every[part] += np.where(x[part] == best[(slice(None), *o)], dy[(slice(None), *o)], 0)
        mean[part] += dy[(slice(None), *o)] / count[o]
    text = f"{w.text}, window = {integers(window)}" + (", channels_first" if first else "")
    x, dy, v = front(x, first), front(dy, first), front(v, first)
    add("max_pool_grad", [x, dy], text, front(one, first).astype(np.float32), free)
    add("max_pool_grad", [x, dy], text + ", every", front(every, first).astype(np.float32), free)
    add("max_pool_pick", [x, v], text, front(picked, first), free)
    add("avg_pool_grad", [dy, (x.shape,)], text, front(mean, first).astype(np.float32), free,
        kind=tensor([n if not free else "?", *x.shape[1:]] if not first else x.shape, "f32") if free else None)


def mirror(shape, paddings, symmetric, free):
    x = np.arange(np.prod(shape)).reshape(shape)
    from_where = np.pad(x, paddings, "symmetric" if symmetric else "reflect")
    dy = normal(*from_where.shape)
    want = np.bincount(from_where.ravel(), dy.ravel().astype(np.float64), x.size).reshape(shape).astype(np.float32)
    name = f"mirror{len(program.results)}"
    kinds = [program.input(f"{name}_x", dy, ["?"] * dy.ndim if free else None),
             program.input(f"{name}_p", np.array(paddings, np.int32))]
    result = tensor(["?"] * dy.ndim, "f32")
    program.result(name, f"graph.mirror_pad_grad %{name}_x, %{name}_p {'{symmetric}' if symmetric else ''} : ({', '.join(kinds)}) -> {result}",
                   result, want, atol=1e-5)


for free in (False, True):
    convolution(2, (7, 8), (3, 3), 4, 5, (1, 1), (1, 1), "SAME", free=free)
    convolution(3, (9, 7), (3, 2), 3, 17, (2, 2), (1, 1), "SAME", free=free)
    convolution(2, (9, 9), (2, 3), 3, 4, (2, 1), (1, 2), "VALID", free=free)
    convolution(2, (6, 5), (3, 3), 3, 4, (1, 1), (1, 1), "EXPLICIT", [(1, 2), (0, 1)], free=free)
    convolution(3, (5, 6), (1, 1), 7, 6, (1, 1), (1, 1), "VALID", free=free)
    convolution(2, (5, 6), (3, 3), 3, 4, (1, 1), (1, 1), "SAME", first=True, free=free)
    convolution(2, (4, 5, 6), (2, 2, 3), 2, 3, (1, 2, 1), (1, 1, 1), "SAME", free=free)
    depthwise(2, (7, 8), (3, 3), 5, 1, (1, 1), (1, 1), "SAME", free=free)
    depthwise(2, (7, 8), (3, 3), 3, 2, (2, 2), (1, 1), "SAME", free=free)
    depthwise(2, (9, 8), (2, 3), 3, 2, (1, 1), (2, 2), "VALID", first=True, free=free)
    pool(2, (8, 6), (2, 2), (2, 2), "VALID", free=free)
    pool(2, (7, 9), (3, 3), (2, 2), "SAME", free=free)
    pool(1, (6, 7), (3, 2), (1, 1), "EXPLICIT", [(1, 1), (0, 1)], first=True, free=free)
    pool(1, (9, 9), (7, 7), (1, 1), "SAME", free=free)
    pool(1, (4, 3, 5), (2, 2, 2), (2, 1, 2), "SAME", free=free)
    mirror((3, 4), ((1, 2), (0, 3)), False, free)
    mirror((3, 4), ((3, 2), (4, 1)), True, free)
main(program)
