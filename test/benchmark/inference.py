"""The rows of race.py: models and kernels, written once for all frameworks.

A row makes weights and inputs from a seed and gives a function of (ops, inputs)
with the operations of frameworks.py. `flops` and `bytes` say what one call must
at least do: bytes count weights and tensors that have to come from, or go to,
memory once.
"""

import dataclasses
from collections.abc import Callable

import numpy as np


def normal(rng, shape, scale):
    return (rng.standard_normal(shape, np.float32) * np.float32(scale)).astype(np.float32)


class Draw:
    def __init__(self, rng):
        self.rng, self.count, self.flops = rng, 0, 0

    def tensor(self, shape, scale):
        value = normal(self.rng, shape, scale)
        self.count += value.size
        return value

    def dense(self, rows, columns, scale=None):
        return self.tensor((rows, columns), scale or rows**-0.5), self.tensor((columns,), 0.1)

    def conv(self, size, channels, columns, groups=1):
        fan = size * size * channels // groups
        return self.tensor((size, size, channels // groups, columns), (2 / fan)**0.5), self.tensor((columns,), 0.1)

    def norm(self, width):
        return 1 + self.tensor((width,), 0.1), self.tensor((width,), 0.1)


@dataclasses.dataclass
class Case:
    inputs: list  # NumPy arrays; four dimensions: images, NHWC
    call: Callable  # (ops, inputs): a tuple of results
    flops: float
    bytes: float
    images: bool = False
    image_results: bool = False
    primitive: tuple = ()  # what native/onednn.cpp calls it


def linear(rng):
    w, b = Draw(rng).dense(16, 1)
    return Case([normal(rng, (1, 16), 1)], lambda ops, x: (ops.dense(x[0], w, b),), 32, 132)


def mlp(rng, batch):
    draw = Draw(rng)
    layers = [draw.dense(784, 512), draw.dense(512, 512), draw.dense(512, 10)]

    def call(ops, x):
        x = ops.relu(ops.dense(x[0], *layers[0]))
        return (ops.dense(ops.relu(ops.dense(x, *layers[1])), *layers[2]),)

    return Case([normal(rng, (batch, 784), 1)], call, 2 * batch * draw.count, 4 * draw.count)


def lenet(rng):
    draw = Draw(rng)
    convolutions = [draw.conv(5, 1, 6), draw.conv(5, 6, 16), draw.conv(5, 16, 120)]
    up, head = draw.dense(120, 84), draw.dense(84, 10)

    def call(ops, x):
        x = ops.max_pool(ops.relu(ops.conv(x[0], *convolutions[0])), 2, 2)
        x = ops.max_pool(ops.relu(ops.conv(x, *convolutions[1], pads=False)), 2, 2)
        x = ops.reshape(ops.relu(ops.conv(x, *convolutions[2], pads=False)), (1, 120))
        return (ops.dense(ops.relu(ops.dense(x, *up)), *head),)

    flops = 2 * (28 * 28 * 25 * 6 + 100 * 150 * 16 + 400 * 120 + 120 * 84 + 840)
    return Case([normal(rng, (1, 28, 28, 1), 1)], call, flops, 4 * draw.count, images=True)


def resnet50(rng, batch):
    draw = Draw(rng)
    stem, blocks, channels = draw.conv(7, 3, 64), [], 64
    flops, size = 2 * 112 * 112 * 147 * 64, 56
    for stage, (width, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for i in range(count):
            stride = 2 if stage and not i else 1
            blocks.append((draw.conv(1, channels, width), draw.conv(3, width, width), draw.conv(1, width, 4 * width),
                           None if i else draw.conv(1, channels, 4 * width), stride))
            after = size // stride
            flops += 2 * width * (size * size * channels + after * after * (9 * width + 4 * width))
            flops += 0 if i else 2 * after * after * channels * 4 * width
            channels, size = 4 * width, after
    head = draw.dense(2048, 1000)

    def call(ops, x):
        x = ops.max_pool(ops.relu(ops.conv(x[0], *stem, stride=2)), 3, 2, 1)
        for a, b, c, shortcut, stride in blocks:
            y = ops.conv(ops.relu(ops.conv(ops.relu(ops.conv(x, *a)), *b, stride=stride)), *c)
            x = ops.relu(ops.add(y, x if shortcut is None else ops.conv(x, *shortcut, stride=stride)))
        return (ops.dense(ops.spatial_mean(x), *head),)

    return Case([normal(rng, (batch, 224, 224, 3), 1)], call, batch * (flops + 4096000), 4 * draw.count, images=True)


def mobilenet_v2(rng):
    draw = Draw(rng)
    stem, blocks, channels, size = draw.conv(3, 3, 32), [], 32, 112
    flops = 2 * 112 * 112 * 27 * 32
    for expansion, columns, count, first in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                             (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(count):
            inner, stride = channels * expansion, 1 if i else first
            expand = draw.conv(1, channels, inner) if expansion > 1 else None
            blocks.append((expand, draw.conv(3, inner, inner, inner), draw.conv(1, inner, columns), stride, i > 0))
            after = size // stride
            flops += 2 * inner * ((size * size * channels if expand else 0) + after * after * (9 + columns))
            channels, size = columns, after
    last, head = draw.conv(1, 320, 1280), draw.dense(1280, 1000)
    flops += 2 * (49 * 320 * 1280 + 1280000)

    def call(ops, x):
        x = ops.relu6(ops.conv(x[0], *stem, stride=2))
        for expand, depthwise, project, stride, adds in blocks:
            y = ops.relu6(ops.conv(x, *expand)) if expand else x
            y = ops.relu6(ops.conv(y, *depthwise, stride=stride, groups=len(depthwise[1])))
            y = ops.conv(y, *project)
            x = ops.add(x, y) if adds else y
        return (ops.dense(ops.spatial_mean(ops.relu6(ops.conv(x, *last))), *head),)

    return Case([normal(rng, (1, 224, 224, 3), 1)], call, flops, 4 * draw.count, images=True)


def efficientnet_b0(rng):
    draw = Draw(rng)
    stem, blocks, channels, size = draw.conv(3, 3, 32), [], 32, 112
    flops = 2 * 112 * 112 * 27 * 32
    for expansion, columns, count, first, width in [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5),
                                                    (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
                                                    (6, 320, 1, 1, 3)]:
        for i in range(count):
            inner, stride, squeezed = channels * expansion, 1 if i else first, channels // 4
            expand = draw.conv(1, channels, inner) if expansion > 1 else None
            blocks.append((expand, draw.conv(width, inner, inner, inner), draw.conv(1, inner, squeezed),
                           draw.conv(1, squeezed, inner), draw.conv(1, inner, columns), stride, i > 0))
            after = size // stride
            flops += 2 * inner * ((size * size * channels if expand else 0) + after * after *
                                  (width * width + columns) + 2 * squeezed)
            channels, size = columns, after
    last, head = draw.conv(1, 320, 1280), draw.dense(1280, 1000)
    flops += 2 * (49 * 320 * 1280 + 1280000)

    def call(ops, x):
        def swish(x):
            return ops.mul(x, ops.sigmoid(x))

        x = swish(ops.conv(x[0], *stem, stride=2))
        for expand, depthwise, squeeze, excite, project, stride, adds in blocks:
            y = swish(ops.conv(x, *expand)) if expand else x
            y = swish(ops.conv(y, *depthwise, stride=stride, groups=len(depthwise[1])))
            factor = ops.sigmoid(ops.conv(swish(ops.conv(ops.spatial_mean(y, keep=True), *squeeze)), *excite))
            y = ops.conv(ops.scale_channels(y, factor), *project)
            x = ops.add(x, y) if adds else y
        return (ops.dense(ops.spatial_mean(swish(ops.conv(x, *last))), *head),)

    return Case([normal(rng, (1, 224, 224, 3), 1)], call, flops, 4 * draw.count, images=True)


def bert(rng, length=128, width=768, heads=12, inner=3072, layers=12):
    draw = Draw(rng)
    blocks = [([draw.dense(width, width) for _ in range(4)], draw.norm(width), draw.dense(width, inner),
               draw.dense(inner, width), draw.norm(width)) for _ in range(layers)]

    def call(ops, x):
        x = ops.reshape(x[0], (length, width))

        def split(y):
            return ops.transpose(ops.reshape(y, (length, heads, width // heads)), (1, 0, 2))

        for (q, k, v, o), norm, up, down, last in blocks:
            a = ops.attention(split(ops.dense(x, *q)), split(ops.dense(x, *k)), split(ops.dense(x, *v)),
                              float((width // heads)**-0.5))
            a = ops.reshape(ops.transpose(a, (1, 0, 2)), (length, width))
            x = ops.layer_norm(ops.add(x, ops.dense(a, *o)), *norm, 1e-12)
            x = ops.layer_norm(ops.add(x, ops.dense(ops.gelu(ops.dense(x, *up)), *down)), *last, 1e-12)
        return (ops.reshape(x, (1, length, width)),)

    flops = 2 * length * draw.count + layers * 4 * length * length * width
    return Case([normal(rng, (1, length, width), 1)], call, flops, 4 * draw.count)


def gpt2(rng, context, width=768, heads=12, layers=12, words=50257):
    """One step of decoding: the keys and values of `context` earlier tokens are
    inputs, the new ones results."""
    draw = Draw(rng)
    size = width // heads
    blocks = [(draw.norm(width), draw.dense(width, 3 * width), draw.dense(width, width), draw.norm(width),
               draw.dense(width, 4 * width), draw.dense(4 * width, width)) for _ in range(layers)]
    norm, head = draw.norm(width), draw.tensor((width, words), 0.02)
    inputs = [normal(rng, (1, width), 1)] + [normal(rng, (heads, context, size), 1) for _ in range(2 * layers)]

    def call(ops, inputs):
        x, *cache = inputs
        results = []
        for i, (before, qkv, o, between, up, down) in enumerate(blocks):
            q, k, v = (ops.reshape(part, (heads, 1, size))
                       for part in ops.split(ops.dense(ops.layer_norm(x, *before, 1e-5), *qkv), 3))
            a = ops.attention(q, ops.concat([cache[2 * i], k], 1), ops.concat([cache[2 * i + 1], v], 1),
                              float(size**-0.5))
            x = ops.add(x, ops.dense(ops.reshape(a, (1, width)), *o))
            y = ops.gelu(ops.dense(ops.layer_norm(x, *between, 1e-5), *up), approximate=True)
            x = ops.add(x, ops.dense(y, *down))
            results += [k, v]
        return (ops.dense(ops.layer_norm(x, *norm, 1e-5), head), *results)

    cached = 2 * layers * context * width
    return Case(inputs, call, 2 * (draw.count + cached), 4 * (draw.count + cached))


def lstm(rng, units=512, steps=100, layers=2):
    draw = Draw(rng)
    weights = [(draw.tensor((units, 4 * units), units**-0.5), draw.tensor((units, 4 * units), units**-0.5),
                draw.tensor((4 * units,), 0.1)) for _ in range(layers)]

    def call(ops, x):
        x = x[0]
        for layer in weights:
            x = ops.lstm(x, *layer)
        return (x,)

    # The recurrent weights are read again in each step.
    return Case([normal(rng, (1, steps, units), 1)], call, 2 * steps * draw.count, 2 * steps * draw.count)


def elementwise(rng, rows, columns, kind):
    draw = Draw(rng)
    norm = draw.norm(columns)

    def call(ops, x):
        return ({"softmax": lambda: ops.softmax(x[0]), "gelu": lambda: ops.gelu(x[0]),
                 "layer_norm": lambda: ops.layer_norm(x[0], *norm, 1e-5),
                 "transpose": lambda: ops.transpose(x[0], (1, 0)),
                 "row_sums": lambda: ops.sum(x[0], 1), "column_sums": lambda: ops.sum(x[0], 0)}[kind](),)

    passes = 1 if "sums" in kind else 2
    operations = {"softmax": 20, "gelu": 20, "layer_norm": 8}.get(kind, 1)
    return Case([normal(rng, (rows, columns), 1)], call, rows * columns * operations, passes * 4 * rows * columns,
                primitive=(kind, rows, columns) if kind in ("softmax", "gelu", "layer_norm") else ())


def product(rng, rows, columns, depth, batch=None):
    """Of a tensor with a constant, or of `batch` pairs of tensors."""
    if batch:
        inputs = [normal(rng, (batch, rows, depth), 1), normal(rng, (batch, depth, columns), 1)]
        return Case(inputs, lambda ops, x: (ops.matmul(*x),), 2 * batch * rows * columns * depth,
                    4 * batch * (rows * depth + depth * columns + rows * columns))
    w = Draw(rng).tensor((depth, columns), depth**-0.5)
    return Case([normal(rng, (rows, depth), 1)], lambda ops, x: (ops.dense(x[0], w),), 2 * rows * columns * depth,
                4 * (rows * depth + depth * columns + rows * columns), primitive=("matmul", rows, columns, depth))


def convolution(rng, size, channels, columns, window, stride=1, groups=1, dilation=1):
    w = Draw(rng).conv(window, channels, columns, groups)
    after = -(-size // stride)
    moved = size * size * channels + after * after * columns + w[0].size
    return Case([normal(rng, (1, size, size, channels), 1)],
                lambda ops, x: (ops.conv(x[0], *w, stride=stride, groups=groups, dilation=dilation),),
                2 * after * after * columns * window * window * channels // groups, 4 * moved, images=True,
                image_results=True,
                primitive=("conv", size, channels, columns, window, stride, groups, dilation))


# name: how it is made
MODELS = {
    "linear": linear,
    "mlp_b1": lambda rng: mlp(rng, 1),
    "mlp_b128": lambda rng: mlp(rng, 128),
    "lenet": lenet,
    "resnet50_b1": lambda rng: resnet50(rng, 1),
    "resnet50_b32": lambda rng: resnet50(rng, 32),
    "mobilenet_v2": mobilenet_v2,
    "efficientnet_b0": efficientnet_b0,
    "bert": bert,
    "gpt2_128": lambda rng: gpt2(rng, 128),
    "gpt2_1024": lambda rng: gpt2(rng, 1024),
    "lstm": lstm,
}
KERNELS = {
    **{f"{kind}_{where}": lambda rng, kind=kind, rows=rows: elementwise(rng, rows, 1024, kind)
       for kind in ("softmax", "layer_norm", "gelu", "transpose", "row_sums", "column_sums")
       for where, rows in (("l2", 96), ("l3", 4096), ("dram", 32768))},
    "matmul_256": lambda rng: product(rng, 256, 256, 256),
    "matmul_512": lambda rng: product(rng, 512, 512, 512),
    "matmul_1024": lambda rng: product(rng, 1024, 1024, 1024),
    "matmul_128x768x3072": lambda rng: product(rng, 128, 768, 3072),
    "matmul_odd": lambda rng: product(rng, 127, 333, 251),
    "matmul_tall": lambda rng: product(rng, 16384, 8, 64),
    "matmul_thin": lambda rng: product(rng, 4, 4096, 1024),
    "matmul_tiny": lambda rng: product(rng, 8, 8, 8, batch=4096),
    "conv_3x3_56x64": lambda rng: convolution(rng, 56, 64, 64, 3),
    "conv_1x1_56_256_64": lambda rng: convolution(rng, 56, 256, 64, 1),
    "depthwise_3x3_112x32": lambda rng: convolution(rng, 112, 32, 32, 3, groups=32),
    "conv_first_224": lambda rng: convolution(rng, 224, 3, 64, 7, stride=2),
    "conv_1x1_spatial": lambda rng: convolution(rng, 1, 2048, 1000, 1),
    "conv_dilated": lambda rng: convolution(rng, 28, 128, 128, 3, dilation=2),
    "conv_grouped": lambda rng: convolution(rng, 28, 256, 256, 3, groups=8),
    "conv_odd": lambda rng: convolution(rng, 27, 35, 51, 3),
}
ROWS = {**MODELS, **KERNELS}


def make(name):
    return ROWS[name](np.random.default_rng(1))
