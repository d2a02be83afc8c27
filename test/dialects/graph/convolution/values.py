"""Convolutions of every kind against a direct sum in float64."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

from itertools import product as grid  # noqa: E402

rng = np.random.default_rng(13)
program = Program()


def geometry(size, window, stride, dilation, padding, given):
    extent = (window - 1) * dilation + 1
    if padding == "SAME":
        out = -(-size // stride)
        return out, max((out - 1) * stride + extent - size, 0) // 2
    low, high = given if padding == "EXPLICIT" else (0, 0)
    return (size + low + high - extent) // stride + 1, low


def convolve(x, w, strides, dilations, padding, given, groups):
    """[N, spatial..., C] by [window..., C / groups, K]."""
    spatial = x.shape[1:-1]
    places = [geometry(*a) for a in zip(spatial, w.shape, strides, dilations, [padding] * len(spatial), given)]
    out = [p[0] for p in places]
    result = np.zeros((x.shape[0], *out, w.shape[-1]))
    per, many = w.shape[-2], w.shape[-1] // groups
    for o in grid(*map(range, out)):
        for k in grid(*map(range, w.shape[:-2])):
            at = [i * s + j * d - p[1] for i, s, j, d, p in zip(o, strides, k, dilations, places)]
            if all(0 <= a < n for a, n in zip(at, spatial)):
                for g in range(groups):
                    result[(slice(None), *o, slice(g * many, g * many + many))] += (
                        x[(slice(None), *at, slice(g * per, g * per + per))] @ w[k][:, g * many:g * many + many])
    return result


def attributes(strides, dilations, padding, given, first):
    integers = lambda values: "array<i64: " + ", ".join(map(str, values)) + ">"
    text = f'padding = "{padding}", strides = {integers(strides)}, dilations = {integers(dilations)}'
    if padding == "EXPLICIT":
        text += f", explicit_padding = {integers([v for pair in given for v in pair])}"
    return text + (", channels_first" if first else "")


def case(op, x, w, strides, dilations, padding, given=None, first=False, free=False):
    name = f"{op}{len(program.results)}"
    given = given or [(0, 0)] * (x.ndim - 2)
    wx, ww = x.astype(np.float64), w.astype(np.float64)
    if op == "conv":
        want = convolve(wx, ww, strides, dilations, padding, given, x.shape[-1] // w.shape[-2])
    else:
        channels, many = w.shape[-2:]
        flat = ww.reshape(*w.shape[:-2], 1, channels * many)
        want = convolve(wx, flat, strides, dilations, padding, given, channels)
    if first:
        x, want = np.moveaxis(x, -1, 1).copy(), np.moveaxis(want, -1, 1)
    dims = ["?"] * x.ndim if free else None
    if free:  # channels of the filter decide
        dims[1 if first else -1] = x.shape[1 if first else -1]
    tx, tw = program.input(f"x{name}", x, dims), program.input(f"w{name}", w)
    result = list(want.shape) if not free else ["?"] * want.ndim
    if free:
        result[1 if first else -1] = want.shape[1 if first else -1]
    kind = tensor(result, NAMES[x.dtype])
    program.result(name, f"graph.{op} %x{name}, %w{name} {{{attributes(strides, dilations, padding, given, first)}}} : "
                   f"({tx}, {tw}) -> {kind}", kind, want, atol=1e-4 if x.dtype == np.float32 else 1e-11)


normal = lambda *shape: rng.normal(size=shape).astype(np.float32)
for free in (False, True):
    for padding in ("SAME", "VALID"):
        case("conv", normal(2, 9, 8, 3), normal(3, 3, 3, 18), (1, 1), (1, 1), padding, free=free)
        case("conv", normal(2, 9, 8, 3), normal(3, 2, 3, 5), (2, 2), (1, 1), padding, free=free)
        case("conv", normal(1, 11, 10, 3), normal(3, 3, 3, 5), (1, 1), (2, 3), padding, free=free)
        case("depthwise_conv", normal(2, 9, 8, 3), normal(3, 3, 3, 2), (2, 2), (1, 1), padding, free=free)
        for channels, multiplier in ((3, 8), (1, 32), (5, 4), (7, 3)):  # lanes share, repeat and mix channels
            case("depthwise_conv", normal(1, 6, 9, channels), normal(3, 3, channels, multiplier), (1, 1), (1, 1), padding, free=free)
        case("depthwise_conv", normal(2, 9, 8, 19), normal(3, 3, 19, 1), (1, 1), (2, 2), padding, free=free)
    case("conv", normal(2, 9, 8, 6), normal(3, 3, 2, 9), (2, 1), (1, 1), "SAME", free=free)
    case("conv", normal(2, 9, 8, 3), normal(3, 3, 3, 5), (2, 2), (1, 1), "EXPLICIT", [(1, 2), (0, 3)], free=free)
    case("conv", normal(2, 9, 8, 3), normal(3, 3, 3, 5), (2, 2), (1, 1), "SAME", first=True, free=free)
    case("conv", normal(2, 9, 3), normal(4, 3, 5), (2,), (1,), "SAME", free=free)
    case("conv", normal(1, 5, 6, 7, 2), normal(2, 3, 2, 2, 4), (1, 2, 1), (1, 1, 1), "SAME", free=free)
case("conv", normal(0, 9, 8, 3), normal(3, 3, 3, 5), (1, 1), (1, 1), "SAME")
case("conv", normal(2, 9, 8, 3).astype(np.float64), normal(3, 3, 3, 5).astype(np.float64), (1, 1), (1, 1), "SAME")


def transpose(x, w, shape, strides, dilations, padding, groups=1):
    """The derivative of the convolution from `shape` to `x` by its input."""
    name = f"transpose{len(program.results)}"
    want = np.zeros(shape)
    places = [geometry(n, k, s, d, padding, (0, 0)) for n, k, s, d in zip(shape[1:-1], w.shape, strides, dilations)]
    per, many = w.shape[-2], w.shape[-1] // groups
    for o in grid(*map(range, x.shape[1:-1])):
        for k in grid(*map(range, w.shape[:-2])):
            at = [i * s + j * d - p[1] for i, s, j, d, p in zip(o, strides, k, dilations, places)]
            if all(0 <= a < n for a, n in zip(at, shape[1:-1])):
                for g in range(groups):
                    want[(slice(None), *at, slice(g * per, g * per + per))] += (
                        x[(slice(None), *o, slice(g * many, g * many + many))].astype(np.float64)
                        @ w[k][:, g * many:g * many + many].astype(np.float64).T)
    tx, tw = program.input(f"x{name}", x), program.input(f"w{name}", w)
    program.lines.append(f"  %s{name} = graph.constant dense<{list(shape)}> : tensor<{len(shape)}xi32>")
    kind = tensor(shape, "f32")
    program.result(name, f"graph.conv_transpose %x{name}, %w{name}, %s{name} "
                   f"{{{attributes(strides, dilations, padding, None, False)}}} : "
                   f"({tx}, {tw}, tensor<{len(shape)}xi32>) -> {kind}", kind, want, atol=1e-4)


transpose(normal(2, 4, 5, 18), normal(3, 3, 3, 18), (2, 8, 10, 3), (2, 2), (1, 1), "SAME")
transpose(normal(2, 4, 5, 4), normal(3, 3, 19, 4), (2, 9, 11, 19), (2, 2), (1, 1), "VALID")
transpose(normal(2, 4, 5, 4), normal(2, 2, 3, 4), (2, 8, 10, 3), (2, 2), (1, 1), "VALID")
transpose(normal(1, 6, 6, 4), normal(3, 3, 3, 4), (1, 6, 6, 3), (1, 1), (2, 2), "SAME")
transpose(normal(1, 4, 4, 4), normal(3, 3, 3, 4), (1, 8, 8, 6), (2, 2), (1, 1), "SAME", groups=2)
transpose(normal(1, 3, 4, 2, 4), normal(3, 3, 3, 5, 4), (1, 6, 8, 4, 5), (2, 2, 2), (1, 1, 1), "SAME")
main(program)
