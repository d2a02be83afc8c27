"""Normalizations and losses against their formulas in float64."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import TYPES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(11)
program = Program()
EPSILON = float(np.float32(1e-3))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x, axis=-1):
    d = x - x.max(axis, keepdims=True)
    return d - np.log(np.exp(d).sum(axis, keepdims=True))


def close(name, line, kind, want, scale=1e-6):
    """Sums differ by a few roundings of their greatest terms."""
    program.result(name, line, kind, want, ulps=8, atol=scale * float(np.max(np.abs(want))))


for kind in ("f32", "f64", "f16"):
    for label, shape, axis, dims in (("a", (4, 7), -1, None), ("b", (2, 3, 10), -1, ("?", "?", 10)), ("c", (2, 5, 4), 1, None),
                                     ("d", (3, 200), -1, ("?", "?")), ("e", (1, 1), -1, None)):
        x = (rng.normal(size=shape) * 5).astype(TYPES[kind])
        x.flat[0] = 60
        given = program.input(f"x{label}_{kind}", x, dims)
        wide = x.astype(np.float64)
        scale = {"f32": 2e-7, "f64": 1e-15, "f16": 1e-3}[kind]
        close(f"softmax{label}_{kind}", f"graph.softmax %x{label}_{kind} {{axis = {axis} : i64}} : ({given}) -> {given}", given,
              softmax(wide, axis), scale)
        close(f"log_softmax{label}_{kind}", f"graph.log_softmax %x{label}_{kind} {{axis = {axis} : i64}} : ({given}) -> {given}",
              given, log_softmax(wide, axis), scale)

channels = tensor((6,), "f32")
scale, offset, mean = (rng.normal(size=6).astype(np.float32) for _ in range(3))
variance = rng.uniform(0.1, 2, 6).astype(np.float32)
for name, value in {"scale": scale, "offset": offset, "mean": mean, "variance": variance}.items():
    program.input(name, value)
s, o, m, v = (a.astype(np.float64) for a in (scale, offset, mean, variance))
for label, shape, axis, dims in (("nhwc", (2, 4, 5, 6), 3, ("?", 4, 5, 6)), ("nchw", (2, 6, 4, 5), 1, None), ("nc", (9, 6), 1, ("?", 6))):
    x, dy = (rng.normal(size=shape).astype(np.float32) for _ in range(2))
    given = program.input(f"x{label}", x, dims)
    program.input(f"dy{label}", dy, dims)
    wide, gradient = x.astype(np.float64), dy.astype(np.float64)
    axes = tuple(i for i in range(x.ndim) if i != axis)

    def spread(a):
        return a.reshape([-1 if i == axis else 1 for i in range(x.ndim)])

    attributes = f"axis = {axis} : i64, epsilon = 1.0e-3 : f32"
    close(f"bn_{label}", f"graph.batch_norm %x{label}, %scale, %offset, %mean, %variance {{{attributes}}} : "
          f"({given}, {channels}, {channels}, {channels}, {channels}) -> {given}", given,
          (wide - spread(m)) * spread(s) / np.sqrt(spread(v) + EPSILON) + spread(o))
    batch_mean, batch_variance = wide.mean(axes), wide.var(axes)
    n = wide.size // 6
    unit = (wide - spread(batch_mean)) / np.sqrt(spread(batch_variance) + EPSILON)
    names = [f"{part}_{label}" for part in ("bnt", "bmean", "bunbiased", "bvariance")]
    program.lines.append(f"  %{', %'.join(names)} = graph.batch_norm_training %x{label}, %scale, %offset {{{attributes}}} : "
                         f"({given}, {channels}, {channels}) -> ({given}, {channels}, {channels}, {channels})")
    wants = (unit * spread(s) + spread(o), batch_mean, batch_variance * n / (n - 1), batch_variance)
    for name, kind, want in zip(names, (given, channels, channels, channels), wants):
        program.results.append((name, kind, want, 8, 1e-6))
    d_scale, d_offset = (gradient * unit).sum(axes), gradient.sum(axes)
    d_input = spread(s) / np.sqrt(spread(batch_variance) + EPSILON) * (
        gradient - spread(d_offset) / n - unit * spread(d_scale) / n)
    program.input(f"m{label}", batch_mean.astype(np.float32))
    program.input(f"v{label}", batch_variance.astype(np.float32))
    names = [f"{part}_{label}" for part in ("dx", "dscale", "doffset")]
    program.lines.append(f"  %{', %'.join(names)} = graph.batch_norm_grad %dy{label}, %x{label}, %scale, %m{label}, %v{label} "
                         f"{{{attributes}}} : ({given}, {given}, {channels}, {channels}, {channels}) -> ({given}, {channels}, {channels})")
    for name, kind, want in zip(names, (given, channels, channels), (d_input, d_scale, d_offset)):
        program.results.append((name, kind, want, 16, 1e-5))

x = rng.normal(size=(3, 4, 6)).astype(np.float32)
given = program.input("ln", x, ("?", 4, 6))
wide = x.astype(np.float64)
unit = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + EPSILON)
close("layer_norm", f"graph.layer_norm %ln, %scale, %offset {{axis = -1 : i64, epsilon = 1.0e-3 : f32}} : "
      f"({given}, {channels}, {channels}) -> {given}", given, unit * s + o)
for i, (radius, bias, alpha, beta) in enumerate(((5, 1.0, 1.0, 0.5), (2, 1.0, 0.25, 0.75), (1, 2.0, 0.5, 1.0))):
    squares = np.pad(wide ** 2, ((0, 0), (0, 0), (radius, radius)))
    total = sum(squares[..., k:k + 6] for k in range(2 * radius + 1))
    close(f"lrn{i}", f"graph.lrn %ln {{radius = {radius} : i64, bias = {bias} : f32, alpha = {alpha} : f32, beta = {beta} : f32}} : "
          f"({given}) -> {given}", given, wide / (bias + alpha * total) ** beta)

for label, logits_shape, labels_shape in (("same", (5, 10), (5, 10)), ("one_row", (5, 10), (1, 10)), ("one", (1, 10), (5, 10))):
    for dynamic in (False, True):
        name = f"{label}{int(dynamic)}"
        x = rng.normal(size=logits_shape).astype(np.float32)
        p = softmax(rng.normal(size=labels_shape)).astype(np.float32)
        a = program.input(f"logits_{name}", x, ("?", 10) if dynamic else None)
        b = program.input(f"labels_{name}", p, ("?", 10) if dynamic else None)
        rows = "?" if dynamic else 5
        loss, gradient = tensor((rows,), "f32"), tensor((rows, 10), "f32")
        program.lines.append(f"  %loss_{name}, %grad_{name} = graph.softmax_cross_entropy %logits_{name}, %labels_{name} : "
                             f"({a}, {b}) -> ({loss}, {gradient})")
        wide, target = x.astype(np.float64), p.astype(np.float64)
        program.results.append((f"loss_{name}", loss, -(target * log_softmax(wide)).sum(-1), 8, 1e-6))
        program.results.append((f"grad_{name}", gradient, softmax(wide) - target, 8, 1e-6))
x = rng.normal(size=(6, 9)).astype(np.float32)
classes = np.array([0, 8, 3, 9, -1, 5], np.int32)
a, b = program.input("sparse", x, ("?", 9)), program.input("classes", classes, ("?",))
program.lines.append(f"  %sparse_loss, %sparse_grad = graph.sparse_softmax_cross_entropy %sparse, %classes : ({a}, {b}) -> "
                     f"(tensor<?xf32>, {a})")
wide = x.astype(np.float64)
valid = (classes >= 0) & (classes < 9)
picked = np.eye(9)[np.clip(classes, 0, 8)]
program.results.append(("sparse_loss", "tensor<?xf32>", np.where(valid, -(picked * log_softmax(wide)).sum(-1), np.nan), 8, 1e-6))
program.results.append(("sparse_grad", a, np.where(valid[:, None], softmax(wide) - picked, np.nan), 8, 1e-6))
main(program)
