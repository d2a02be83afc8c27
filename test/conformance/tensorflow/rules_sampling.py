"""Rules of what samples: images at places between elements, special functions of probability and numbers drawn from distributions."""

import numpy as np
import tensorflow as tf

import cases
from cases import F16, F32, F64, Const
from draw import REAL, Sized, chance, flag, index_type, maybe, number, pair, pick, sizes, tensor, values
from rules import rule

WIDE = [F32, F64]


def many(t, low, high, count=2):
    return pair(t, (low, high), count)


# Special functions

rule("special", "Zeta", WIDE, 4)(lambda t: many(t, 1, 20))
rule("special", "Zeta", WIDE, 2)(lambda t: [np.array([1, 0.5, 2, 3, 3.5, 1e9, 2, np.nan, np.inf], t), np.array([2, 2, -1.5, -2, -1.5, 3, np.inf, 1, 2], t)])


@rule("special", "Polygamma", WIDE, 4)
def polygamma(t):
    n, x = many(t, 0, 9)
    return [np.floor(n) if chance(0.9) else n, x]


@rule("special", "Betainc", WIDE, 6)
def betainc(t):
    shape = sizes(0, 5)
    a, b, x = (values((), t, (0.01, 1)) if chance(0.2) else values(shape, t, (0.01, 1)) for _ in range(3))
    return [(a * t(pick([1, 8, 40]))).astype(t), (b * t(pick([1, 8, 40]))).astype(t), x]


rule("special", "Betainc", WIDE)(lambda t: [np.array([1, 1, 2, 0, 1, 2, np.nan, 3], t), np.array([1, 2, 2, 1, -1, 5, 1, 1], t), np.array([0, 1, -0.5, 0.5, 0.5, 1.5, 0.5, np.nan], t)])
rule("special", "IgammaGradA RandomGammaGrad", WIDE, 4)(lambda t: many(t, 0.05, pick([1, 6, 20])))
rule("special", "IgammaGradA RandomGammaGrad", WIDE)(lambda t: [np.array([1, 0, -1, np.nan, 2, 3], t), np.array([0, 1, 1, 1, -1, np.inf], t)])


# Numbers drawn from distributions

def seeds():
    return {"seed": number(0, 1 << 40), "seed2": number(1, 1 << 40)}


def drawn_shape():
    return maybe(np.array(sizes(0, 3, 60, 0), index_type()))


def stateless_seed():
    return maybe(np.array([number(0, 1 << 31), number(0, 1 << 31)], index_type()))


rule("distribution", "RandomGamma", [F16, F32, F64], 4)(lambda t: [drawn_shape(), values(sizes(0, 2, 9, 0), t, (0.1, pick([1, 4, 50]))), seeds()])


def key_and_counter(feeds):
    made = tf.raw_ops.StatelessRandomGetKeyCounter(seed=feeds.tensor(stateless_seed()))
    return {"key": made.key, "counter": made.counter, "alg": tf.constant(pick([1, 3]))}


@rule("distribution", "StatelessRandomGammaV2 StatelessRandomGammaV3", [F16, cases.BF16, F32, F64], 4)
def gamma(t):
    alpha = values(sizes(0, 2, 9, 0), t, (0.1, pick([1, 4, 50])))
    if flag() and alpha.size:
        alpha.flat[0] = 1
    shape = maybe(np.array((*sizes(0, 2, 20, 0), *alpha.shape), index_type()))
    version = flag()

    def build(feeds):
        if version:
            return [tf.raw_ops.StatelessRandomGammaV2(shape=feeds.tensor(shape), seed=feeds.tensor(stateless_seed()), alpha=feeds.tensor(alpha))]
        return [tf.raw_ops.StatelessRandomGammaV3(shape=feeds.tensor(shape), alpha=feeds.tensor(alpha), **key_and_counter(feeds))]
    return build


@rule("distribution", "StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2", [np.int32, np.int64, np.uint32, np.uint64], 2)
def integers(t):
    def build(feeds):
        shape = feeds.tensor(drawn_shape())
        return [tf.raw_ops.StatelessRandomUniformFullInt(shape=shape, seed=feeds.tensor(stateless_seed()), dtype=tf.as_dtype(t)),
                tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, dtype=tf.as_dtype(t), **key_and_counter(feeds))]
    return build


def bounds(t, rows):
    def parameter(value):
        if not rows:
            return t(value)
        return np.full((rows,), value, t) if flag() else np.full((1,), value, t)
    low = pick([-np.inf, -3, -1, 0.2, 4])
    high = low + pick([0.3, 1, 6]) if np.isfinite(low) else pick([-2, 0, 1])
    if np.isfinite(low) and chance(0.3):
        high = np.inf
    return [parameter(v) for v in (pick([0, 0.5, -1]), pick([0.5, 1, 2]), low, high)]


@rule("distribution", "ParameterizedTruncatedNormal", [F16, F32, F64], 5)
def truncated(t):
    shape = np.array(sizes(1, 3, 60, 0), np.int32)
    return [maybe(shape), *bounds(t, pick([0, int(shape[0])])), seeds()]


@rule("distribution", "StatelessParameterizedTruncatedNormal", [F16, F32, F64], 5)
def stateless_truncated(t):
    rows = pick([0, 1, 3])
    shape = [*sizes(0, 2, 20, 0), *([rows] if rows else [])]
    return [maybe(np.array(shape, index_type())), stateless_seed(), *bounds(t, rows)]


# Bits of complex numbers, and their products

@rule("complex", "Bitcast", [np.complex64, np.complex128, F32, F64, np.int64, np.uint8, F16], 5)
def bits(t):
    narrow = np.dtype(t).itemsize
    targets = {np.complex64, np.complex128} if np.dtype(t).kind != "c" else {np.complex64, np.complex128, F32, F64, np.int64, np.int32, np.uint8, np.int16}
    target = pick(sorted(targets, key=str))
    wide = np.dtype(target).itemsize
    shape = sizes(0, 3, 20, 0.1) + ((wide // narrow,) if wide > narrow else ())
    return [values(shape, t, "plain"), {"type": tf.as_dtype(target)}]


@rule("complex", "SegmentProd", [np.complex64, np.complex128], 4)
def products(t):
    x = tensor(t, (0.5, 2), low=1, high=3, elements=40)
    ids = np.sort(cases.rng.integers(0, 4, x.shape[0])).astype(index_type())
    return [x, ids]


@rule("complex", "UnsortedSegmentProd", [np.complex64, np.complex128], 4)
def scattered_products(t):
    return [*products(t), maybe(np.int32(5))]


# Other orders of dimensions

rule("complex", "DataFormatVecPermute", [np.int32, np.int64], 3)(lambda t: [Sized(cases.rng.integers(0, 9, pick([(4,), (2,), (4, 2), (2, 2)])).astype(t)),
                                                                           dict(zip(("src_format", "dst_format"), pick([("NHWC", "NCHW"), ("NCHW", "NHWC"), ("HWNC", "NHWC")])))])
rule("complex", "DataFormatDimMap", [np.int32, np.int64], 3)(lambda t: [cases.rng.integers(-4, 4, sizes(0, 2, 9)).astype(t),
                                                                       dict(zip(("src_format", "dst_format"), pick([("NHWC", "NCHW"), ("NCHW", "NHWC")])))])

# Images

PIXELS = [t for t in REAL if t is not np.uint32 and t is not np.uint64]


def images(t, batch=(1, 3), low=1, high=8, channels=(1, 3, 4)):
    return values((number(*batch), number(low, high), number(low, high), pick(channels)), t, (0, 100) if np.dtype(t).kind in "iu" else (-2, 2))


def size(low=1, high=12):
    return maybe(np.array([number(low, high), number(low, high)], np.int32))


rule("image", "ResizeArea", PIXELS, 2)(lambda t: [images(t), size(), {"align_corners": flag()}])
KERNELS = ["lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"]


def movement():
    return [maybe(np.array([pick([0.4, 1, 1.7, 2.5]), pick([0.3, 1, 2])], F32)), maybe(np.array([pick([0, -1.5, 2]), pick([0, 0.7])], F32)),
            {"kernel_type": pick(KERNELS), "antialias": flag()}]


rule("image", "ScaleAndTranslate", PIXELS, 2)(lambda t: [images(t), size(), *movement()])
rule("image", "ScaleAndTranslateGrad", [F32], 12)(lambda t: (lambda x: [values((x.shape[0], number(1, 9), number(1, 9), x.shape[3]), t, (-1, 1)), x, *movement()])(images(t)))


def boxes(count):
    return cases.rng.uniform(-0.3, 1.3, (count, 4)).astype(F32)


def crops(x, count):
    return values((count, number(1, 6), number(1, 6), x.shape[3]), F32, (-1, 1))


@rule("image", "CropAndResize", PIXELS)
def cropped(t):
    x, count = images(t), number(1, 5)
    return [x, boxes(count), cases.rng.integers(0, x.shape[0], count).astype(np.int32), Sized(np.array([number(1, 6), number(1, 6)], np.int32)),
            {"method": pick(["bilinear", "nearest"]), "extrapolation_value": 1.5}]


@rule("image", "CropAndResizeGradImage", [F16, F32, F64], 5)
def crop_image(t):
    x, count = images(t), number(1, 5)
    return [crops(x, count), boxes(count), cases.rng.integers(0, x.shape[0], count).astype(np.int32), maybe(np.array(x.shape, np.int32)),
            {"T": tf.as_dtype(t), "method": pick(["bilinear", "nearest"])}]


@rule("image", "CropAndResizeGradBoxes", PIXELS, 2)
def crop_boxes(t):
    x, count = images(t), number(1, 5)
    return [crops(x, count), x, boxes(count), cases.rng.integers(0, x.shape[0], count).astype(np.int32)]


def windows(t):
    x = images(t, low=3, high=9)
    rates = [number(1, 3), number(1, 3)]
    filters = values((number(1, 3), number(1, 3), x.shape[3]), t, (0, 5) if np.dtype(t).kind in "iu" else (-1, 1))
    more = {"strides": [1, number(1, 3), number(1, 3), 1], "rates": [1, *rates, 1], "padding": pick(["SAME", "VALID"])}
    return x, filters, more


@rule("image", "Dilation2D", REAL, 2)
def dilation(t):
    return list(windows(t))


@rule("image", "Dilation2DBackpropInput Dilation2DBackpropFilter", REAL)
def dilation_grad(t):
    x, filters, more = windows(t)
    made = []
    for d in (0, 1):
        extent, stride, n = (filters.shape[d] - 1) * more["rates"][d + 1] + 1, more["strides"][d + 1], x.shape[d + 1]
        made.append(-(-n // stride) if more["padding"] == "SAME" else (n - extent + stride) // stride)
    return [x, filters, values((x.shape[0], *made, x.shape[3]), t, (0, 5) if np.dtype(t).kind in "iu" else (-1, 1)), more]


@rule("image", "ImageProjectiveTransformV3", [np.uint8, np.int32, np.int64, F16, cases.BF16, F32, F64], 4)
def projected(t):
    x = images(t, low=2)
    transforms = np.array([[1, 0, 0, 0, 1, 0, 0, 0]], F32) + cases.rng.uniform(-0.4, 0.4, (pick([1, x.shape[0]]), 8)).astype(F32) * F32(1)
    transforms[:, 2] *= 10
    transforms[:, 5] *= 10
    transforms[:, 6:] *= F32(0.1)
    return [x, transforms, size(2, 9), maybe(F32(pick([0, 3]))),
            {"interpolation": pick(["NEAREST", "BILINEAR"]), "fill_mode": pick(["CONSTANT", "REFLECT", "WRAP", "NEAREST"])}]
