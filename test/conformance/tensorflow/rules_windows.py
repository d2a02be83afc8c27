"""Rules of windows over space: convolutions, pools, patches, resized images."""

import numpy as np
import tensorflow as tf

import cases
from cases import BF16, F16, F32, F64, Const
from draw import FLOATS, Sized, chance, flag, maybe, number, pick, values
from rules import rule


def window(rank, most=12):
    """Sizes, kernel, strides, dilations and padding whose result is not empty."""
    while True:
        size = [number(1, most) for _ in range(rank)]
        kernel = [pick([1, 1, 2, 3, 3, 4, 5]) for _ in range(rank)]
        stride, dilation = [1] * rank, [1] * rank
        if flag():
            stride = [pick([1, 2, 2, 3]) for _ in range(rank)]
        elif flag():
            dilation = [pick([1, 2, 3]) for _ in range(rank)]
        padding = pick(["SAME", "VALID"])
        extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
        if padding == "SAME" or all(s >= e for s, e in zip(size, extent)):
            return size, kernel, stride, dilation, padding


def outputs(size, kernel, stride, dilation, padding):
    return [-(-n // s) if padding == "SAME" else (n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation)]


@rule("convolution", "Conv2D", FLOATS, 8)
def conv2d(t):
    size, kernel, stride, dilation, padding = window(2)
    channels, groups = pick([1, 2, 3, 8, 16, 17]), 1
    if chance(0.2):
        groups = pick([2, 3])
    filters = groups * pick([1, 3, 8, 5])
    w = values((*kernel, channels, filters), t, (-1, 1))
    more = {"strides": [1, *stride, 1], "dilations": [1, *dilation, 1], "padding": padding}
    if chance(0.2):
        more |= {"padding": "EXPLICIT", "explicit_paddings": [0, 0, *[number(0, 3) for _ in range(4)], 0, 0]}
    x = values((number(1, 4), *size, channels * groups), t, (-1, 1))
    # The number of groups follows from the channels, which must be known.
    return [Const(x) if groups > 1 else x, Const(w) if chance(0.6) or groups > 1 else Sized(w), more]


@rule("convolution", "DepthwiseConv2dNative", FLOATS, 5)
def depthwise(t):
    size, kernel, stride, dilation, padding = window(2)
    stride = [stride[0]] * 2
    channels = pick([1, 3, 8, 17])
    w = values((*kernel, channels, pick([1, 1, 2, 3])), t, (-1, 1))
    more = {"strides": [1, *stride, 1], "dilations": [1, *dilation, 1], "padding": padding}
    if chance(0.2):
        more |= {"padding": "EXPLICIT", "explicit_paddings": [0, 0, *[number(0, 3) for _ in range(4)], 0, 0]}
    return [values((number(1, 3), *size, channels), t, (-1, 1)), Const(w) if chance(0.6) else Sized(w), more]


@rule("convolution", "Conv3D", FLOATS, 3)
def conv3d(t):
    size, kernel, stride, _, padding = window(3, 7)
    channels = pick([1, 2, 3, 5])
    w = values((*kernel, channels, pick([1, 3, 8])), t, (-1, 1))
    return [values((number(1, 3), *size, channels), t, (-1, 1)), Const(w) if flag() else Sized(w), {"strides": [1, *stride, 1], "padding": padding}]


@rule("convolution", "Conv2DBackpropInput Conv2DBackpropFilter", [F32, F64, F16], 3)
def conv2d_back(t):
    size, kernel, stride, dilation, padding = window(2, 9)
    b, c, k = number(1, 3), pick([1, 3, 8]), pick([1, 4, 9])
    out = outputs(size, kernel, stride, dilation, padding)

    def build(feeds):
        more = {"strides": [1, *stride, 1], "dilations": [1, *dilation, 1], "padding": padding}
        dy, w, x = (feeds.tensor(f(values(s, t, (-1, 1)))) for f, s in zip((np.asarray, Sized, np.asarray), ((b, *out, k), (*kernel, c, k), (b, *size, c))))
        return [tf.raw_ops.Conv2DBackpropInput(input_sizes=tf.constant([b, *size, c]), filter=w, out_backprop=dy, **more),
                tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=tf.constant([*kernel, c, k]), out_backprop=dy, **more)]
    return build


@rule("convolution", "Conv3DBackpropInputV2 Conv3DBackpropFilterV2", [F32, F64], 3)
def conv3d_back(t):
    size, kernel, stride, _, padding = window(3, 6)
    b, c, k = number(1, 3), pick([1, 3]), pick([1, 4])
    out = outputs(size, kernel, stride, (1, 1, 1), padding)

    def build(feeds):
        more = {"strides": [1, *stride, 1], "padding": padding}
        dy, w, x = (feeds.tensor(f(values(s, t, (-1, 1)))) for f, s in zip((np.asarray, Sized, np.asarray), ((b, *out, k), (*kernel, c, k), (b, *size, c))))
        return [tf.raw_ops.Conv3DBackpropInputV2(input_sizes=tf.constant([b, *size, c]), filter=w, out_backprop=dy, **more),
                tf.raw_ops.Conv3DBackpropFilterV2(input=x, filter_sizes=tf.constant([*kernel, c, k]), out_backprop=dy, **more)]
    return build


@rule("pooling", "MaxPool AvgPool", FLOATS, 4)
def pool(t):
    size, kernel, stride, _, padding = window(2)
    return [values((number(1, 4), *size, pick([1, 3, 8, 17])), t, (-3, 3)), {"ksize": [1, *kernel, 1], "strides": [1, *stride, 1], "padding": padding}]


@rule("pooling", "MaxPool", [F32, F64], 3)
def pool_explicit(t):
    size, kernel = [number(4, 9), number(4, 9)], [3, 4]
    return [values((2, *size, 3), t, (-3, -1)), {"ksize": [1, *kernel, 1], "strides": [1, number(1, 3), number(1, 3), 1], "padding": "EXPLICIT",
                                                 "explicit_paddings": [0, 0, *[number(0, 3) for _ in range(4)], 0, 0]}]


@rule("pooling", "MaxPoolV2", [F32, F64, np.int32], 2)
def pool_v2(t):
    size, kernel, stride, _, padding = window(2)
    return [values((number(1, 4), *size, 3), t, (-3, 3)), Const(np.array([1, *kernel, 1], np.int32)), Const(np.array([1, *stride, 1], np.int32)), {"padding": padding}]


@rule("pooling", "MaxPool3D AvgPool3D", FLOATS, 2)
def pool3d(t):
    size, kernel, stride, _, padding = window(3, 7)
    return [values((number(1, 3), *size, pick([1, 3, 8])), t, (-3, 3)), {"ksize": [1, *kernel, 1], "strides": [1, *stride, 1], "padding": padding}]


@rule("pooling", "MaxPoolWithArgmax", [F32, F64, F16], 3)
def pool_argmax(t):
    size, kernel, stride, _, padding = window(2)
    return [np.round(values((number(1, 3), *size, 3), t, (-3, 3))).astype(t), {"ksize": [1, *kernel, 1], "strides": [1, *stride, 1], "padding": padding,
                                                             "Targmax": pick([tf.int32, tf.int64]), "include_batch_in_index": flag()}]


@rule("pooling", "MaxPoolGrad MaxPoolGradGrad AvgPoolGrad", [F32, F64, F16], 3)
def pool_back(t):
    size, kernel, stride, _, padding = window(2)
    b, c = number(1, 3), pick([1, 5])
    out = outputs(size, kernel, stride, (1, 1), padding)
    given = np.round(values((b, *size, c), t, (-3, 3))).astype(t)

    def build(feeds):
        more = {"ksize": [1, *kernel, 1], "strides": [1, *stride, 1], "padding": padding}
        x, dy = feeds.tensor(given), feeds.tensor(values((b, *out, c), t, (-1, 1)))
        y = tf.raw_ops.MaxPool(input=x, **more)
        return [tf.raw_ops.MaxPoolGrad(orig_input=x, orig_output=y, grad=dy, **more), tf.raw_ops.AvgPoolGrad(orig_input_shape=tf.constant([b, *size, c]), grad=dy, **more),
                tf.raw_ops.MaxPoolGradGrad(orig_input=x, orig_output=y, grad=feeds.tensor(values((b, *size, c), t, (-1, 1))), **more)]
    return build


@rule("pooling", "ExtractImagePatches", [F32, F64, np.int32, np.uint8], 3)
def patches(t):
    size, kernel, stride, dilation, padding = window(2)
    return [values((number(1, 3), *size, 3), t, (0, 99)), {"ksizes": [1, *kernel, 1], "strides": [1, *stride, 1], "rates": [1, *dilation, 1], "padding": padding}]


@rule("images", "ResizeBilinear ResizeNearestNeighbor ResizeBicubic", [F32, F64, F16, BF16, np.uint8, np.int32, np.int16], 3)
def resize(t):
    align, half = pick([(False, False), (True, False), (False, True)])
    return [values((number(1, 3), number(1, 9), number(1, 9), pick([1, 3, 4])), t, (0, 99)), maybe(np.array([number(1, 14), number(1, 14)], np.int32)),
            {"align_corners": align, "half_pixel_centers": half}]


@rule("images", "CropAndResize", [F32, F64, F16, np.uint8, np.int32], 2)
def crop(t):
    boxes = cases.rng.uniform(-0.3, 1.3, (4, 4)).astype(F32)
    return [values((2, number(2, 8), number(2, 8), 3), t, (0, 99)), boxes, cases.rng.integers(0, 2, 4).astype(np.int32), Const(np.array([number(1, 6), number(1, 6)], np.int32)),
            {"method": pick(["bilinear", "nearest"]), "extrapolation_value": 1.5}]
