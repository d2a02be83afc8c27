"""Rules of windows over space with the channels in front, explicit padding, dilated volumes, and the types that are rarer there."""

import numpy as np
import tensorflow as tf

import cases
from cases import BF16, COMPLEX, F16, F32, F64, Const
from draw import INTS, REAL, Sized, chance, flag, maybe, number, pick, values
from rules import rule
from rules_windows import outputs, window

SMALL = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16]


def front(sizes, first):
    """[batch, *space, channels] or [batch, channels, *space]"""
    return [sizes[0], sizes[-1], *sizes[1:-1]] if first else list(sizes)


def layout(rank, first):
    return {2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[rank][first]


def around(padding, rank, first):
    """Explicit paddings, where they are asked for."""
    return {"explicit_paddings": [n for p in front([[0, 0], *[[number(0, 3), number(0, 3)] for _ in range(rank)], [0, 0]], first) for n in p]} if padding == "EXPLICIT" else {}


@rule("layouts", "Conv2D", [F32, F64, F16, BF16, np.int32], 4)
@rule("layouts", "DepthwiseConv2dNative", [F32, F64, F16, BF16], 3)
def conv(t):
    depthwise = flag()
    size, kernel, stride, dilation, padding = window(2)
    first = t != np.int32 and chance(0.7)
    if chance(0.3):
        padding = "EXPLICIT"
    channels, limit = pick([1, 2, 3, 8, 17]), (-4, 4) if np.dtype(t).kind == "i" else (-1, 1)
    stride = [stride[0]] * 2 if depthwise else stride
    w = values((*kernel, channels, pick([1, 2, 3]) if depthwise else pick([1, 3, 8, 19])), t, limit)
    x = values(tuple(front([number(1, 4), *size, channels], first)), t, limit)

    def build(feeds):
        more = {"strides": front([1, *stride, 1], first), "dilations": front([1, *dilation, 1], first), "padding": padding, "data_format": layout(2, first)} | around(padding, 2, first)
        given = feeds.tensor(x), feeds.tensor(Const(w) if flag() else Sized(w))
        if depthwise and t != np.int32:
            return [tf.raw_ops.DepthwiseConv2dNative(input=given[0], filter=given[1], **more)]
        return [tf.raw_ops.Conv2D(input=given[0], filter=given[1], use_cudnn_on_gpu=flag(), **more)]
    return build


@rule("layouts", "Conv3D", [F32, F64, F16, BF16], 3)
def conv3d(t):
    size, kernel, stride, dilation, padding = window(3, 7)
    first, channels = flag(), pick([1, 2, 3, 5])
    w = values((*kernel, channels, pick([1, 3, 8])), t, (-1, 1))
    return [values(tuple(front([number(1, 3), *size, channels], first)), t, (-1, 1)), Const(w) if flag() else Sized(w),
            {"strides": front([1, *stride, 1], first), "dilations": front([1, *dilation, 1], first), "padding": padding, "data_format": layout(3, first)}]


@rule("layouts", "Conv2DBackpropInput Conv2DBackpropFilter", [F32, F64, F16, BF16], 3)
def conv2d_back(t):
    size, kernel, stride, dilation, padding = window(2, 9)
    b, c, k, first = number(1, 3), pick([1, 3, 8]), pick([1, 4, 9]), flag()
    out = outputs(size, kernel, stride, dilation, padding)

    def build(feeds):
        more = {"strides": front([1, *stride, 1], first), "dilations": front([1, *dilation, 1], first), "padding": padding, "data_format": layout(2, first), "use_cudnn_on_gpu": flag()}
        dy, w, x = (feeds.tensor(f(values(tuple(s), t, (-1, 1)))) for f, s in zip((np.asarray, Sized, np.asarray), (
            front([b, *out, k], first), (*kernel, c, k), front([b, *size, c], first))))
        sizes = feeds.tensor(maybe(np.array(front([b, *size, c], first), np.int32)))
        return [tf.raw_ops.Conv2DBackpropInput(input_sizes=sizes, filter=w, out_backprop=dy, **more),
                tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=feeds.tensor(Const(np.array([*kernel, c, k], np.int32))), out_backprop=dy, **more)]
    return build


@rule("layouts", "DepthwiseConv2dNativeBackpropInput DepthwiseConv2dNativeBackpropFilter", [F32, F64, F16, BF16], 2)
def depthwise_back(t):
    size, kernel, stride, dilation, padding = window(2, 9)
    # TensorFlow's own kernels leave the dilations out.
    stride, dilation = [stride[0]] * 2, dilation if t == F32 else [1, 1]
    b, c, k = number(1, 3), pick([1, 3, 8]), pick([1, 2])
    out = outputs(size, kernel, stride, dilation, padding)

    def build(feeds):
        more = {"strides": [1, *stride, 1], "dilations": [1, *dilation, 1], "padding": padding}
        dy, w, x = (feeds.tensor(f(values(tuple(s), t, (-1, 1)))) for f, s in zip((np.asarray, Sized, np.asarray), ((b, *out, k * c), (*kernel, c, k), (b, *size, c))))
        return [tf.raw_ops.DepthwiseConv2dNativeBackpropInput(input_sizes=tf.constant([b, *size, c]), filter=w, out_backprop=dy, **more),
                tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(input=x, filter_sizes=tf.constant([*kernel, c, k]), out_backprop=dy, **more)]
    return build


@rule("layouts", "Conv3DBackpropInputV2 Conv3DBackpropFilterV2 Conv3DBackpropInput Conv3DBackpropFilter", [F32, F64, F16, BF16], 2)
def conv3d_back(t):
    size, kernel, stride, _, padding = window(3, 6)
    b, c, k, first, old = number(1, 3), pick([1, 3]), pick([1, 4]), flag(), chance(0.3)
    first = first and not old
    out = outputs(size, kernel, stride, (1, 1, 1), padding)

    def build(feeds):
        more = {"strides": front([1, *stride, 1], first), "padding": padding} | ({} if old else {"data_format": layout(3, first)})
        dy, w, x = (feeds.tensor(f(values(tuple(s), t, (-1, 1)))) for f, s in zip((np.asarray, Sized, np.asarray if not old else Sized), (
            front([b, *out, k], first), (*kernel, c, k), front([b, *size, c], first))))
        if old:
            return [tf.raw_ops.Conv3DBackpropInput(input=x, filter=w, out_backprop=dy, **more), tf.raw_ops.Conv3DBackpropFilter(input=x, filter=w, out_backprop=dy, **more)]
        return [tf.raw_ops.Conv3DBackpropInputV2(input_sizes=feeds.tensor(maybe(np.array(front([b, *size, c], first), pick([np.int32, np.int64])))), filter=w, out_backprop=dy, **more),
                tf.raw_ops.Conv3DBackpropFilterV2(input=x, filter_sizes=tf.constant([*kernel, c, k]), out_backprop=dy, **more)]
    return build


@rule("layouts", "MaxPool", [F32, F64, F16, BF16, *SMALL], 2)
@rule("layouts", "AvgPool", [F32, F64, F16, BF16], 3)
def pool(t):
    size, kernel, stride, _, padding = window(2)
    first, average = chance(0.5), np.dtype(t).kind not in "iu" and flag()
    channels = pick([1, 3, 8, 17])
    if padding == "VALID" and not average and chance(0.4):
        padding = "EXPLICIT"
    # Padding may not be as large as the window.
    low = [0, 0, *[number(0, k) for k in kernel for _ in "ab"], 0, 0]
    if first:
        low = low[:2] + low[-2:] + low[2:-2]
    more = {"ksize": front([1, *kernel, 1], first), "strides": front([1, *stride, 1], first), "padding": padding, "data_format": layout(2, first)}
    if padding == "EXPLICIT":
        more["explicit_paddings"] = low
    x = values(tuple(front([number(1, 4), *size, channels], first)), t, (0, 9) if np.dtype(t).kind == "u" else (-9, 9))
    return lambda feeds: [tf.raw_ops.AvgPool(value=feeds.tensor(x), **more) if average else tf.raw_ops.MaxPool(input=feeds.tensor(x), **more)]


@rule("layouts", "MaxPool", [F32, F16], 2)
def pool_channels(t):
    k = pick([2, 3])
    return [values((2, 3, 4, k * number(1, 4)), t, (-3, 3)), {"ksize": [1, 1, 1, k], "strides": [1, 1, 1, k], "padding": pick(["VALID", "SAME"])}]


@rule("layouts", "MaxPoolV2", [F32, F64, F16, BF16, *SMALL])
def pool_v2(t):
    size, kernel, stride, _, padding = window(2)
    first = chance(0.3)
    return [values(tuple(front([number(1, 4), *size, 3], first)), t, (0, 9)), Const(np.array(front([1, *kernel, 1], first), np.int32)),
            Const(np.array(front([1, *stride, 1], first), np.int32)), {"padding": padding, "data_format": layout(2, first)}]


@rule("layouts", "MaxPool3D AvgPool3D", [F32, F64, F16, BF16], 2)
def pool3d(t):
    size, kernel, stride, _, padding = window(3, 7)
    first = chance(0.7)
    return [values(tuple(front([number(1, 3), *size, pick([1, 3, 8])], first)), t, (-3, 3)),
            {"ksize": front([1, *kernel, 1], first), "strides": front([1, *stride, 1], first), "padding": padding, "data_format": layout(3, first)}]


@rule("layouts", "MaxPoolWithArgmax", [BF16, *SMALL, np.uint32, np.uint64])
def pool_argmax(t):
    size, kernel, stride, _, padding = window(2)
    return [values((number(1, 3), *size, 3), t, (0, 9)), {"ksize": [1, *kernel, 1], "strides": [1, *stride, 1], "padding": padding,
                                                          "Targmax": pick([tf.int32, tf.int64]), "include_batch_in_index": flag()}]


@rule("layouts", "MaxPoolGrad MaxPoolGradGrad AvgPoolGrad MaxPoolGradV2 MaxPoolGradGradV2", [F32, F64, F16, BF16, np.int32, np.uint8, np.int16], 2)
def pool_back(t):
    size, kernel, stride, _, padding = window(2)
    b, c, first = number(1, 3), pick([1, 5]), chance(0.3) and t in (F32, F16, BF16, F64)
    out = outputs(size, kernel, stride, (1, 1), padding)
    given = np.round(values(tuple(front([b, *size, c], first)), t, (0, 9))).astype(t)

    def build(feeds):
        more = {"padding": padding, "data_format": layout(2, first)}
        k, s = front([1, *kernel, 1], first), front([1, *stride, 1], first)
        x, dy = feeds.tensor(given), feeds.tensor(values(tuple(front([b, *out, c], first)), t, (0, 5)))
        y = tf.raw_ops.MaxPool(input=x, ksize=k, strides=s, **more)
        tensors = dict(ksize=tf.constant(k), strides=tf.constant(s))
        made = [tf.raw_ops.MaxPoolGrad(orig_input=x, orig_output=y, grad=dy, ksize=k, strides=s, **more),
                tf.raw_ops.MaxPoolGradV2(orig_input=x, orig_output=y, grad=dy, **tensors, **more)]
        if not first:
            back = feeds.tensor(values((b, *size, c), t, (0, 5)))
            made += [tf.raw_ops.MaxPoolGradGrad(orig_input=x, orig_output=y, grad=back, ksize=k, strides=s, **more),
                     tf.raw_ops.MaxPoolGradGradV2(orig_input=x, orig_output=y, grad=back, **tensors, **more)]
        if np.dtype(t).kind not in "iu":
            made.append(tf.raw_ops.AvgPoolGrad(orig_input_shape=feeds.tensor(maybe(np.array(front([b, *size, c], first), np.int32))), grad=dy, ksize=k, strides=s, **more))
        return made
    return build


@rule("layouts", "MaxPool3DGrad AvgPool3DGrad MaxPool3DGradGrad", [F32, F64, F16, BF16], 2)
def pool3d_back(t):
    size, kernel, stride, _, padding = window(3, 6)
    b, c, first = number(1, 3), pick([1, 3]), chance(0.4) and t in (F32, F64)
    out = outputs(size, kernel, stride, (1, 1, 1), padding)
    # Which of equal numbers is the maximum depends on the layout.
    given = values(tuple(front([b, *size, c], first)), t, (-3, 3))
    given = np.round(given).astype(t) if t == F64 and not first else given

    def build(feeds):
        more = {"ksize": front([1, *kernel, 1], first), "strides": front([1, *stride, 1], first), "padding": padding, "data_format": layout(3, first)}
        x, dy = feeds.tensor(given), feeds.tensor(values(tuple(front([b, *out, c], first)), t, (-1, 1)))
        y = tf.raw_ops.MaxPool3D(input=x, **more)
        return [tf.raw_ops.MaxPool3DGrad(orig_input=x, orig_output=y, grad=dy, **more),
                tf.raw_ops.AvgPool3DGrad(orig_input_shape=tf.constant(front([b, *size, c], first)), grad=dy, **more)]
    return build


rule("layouts", "ExtractImagePatches", [BF16, F16, *COMPLEX, np.int16, np.int64, np.int8, np.uint16, np.uint32, np.uint64])(lambda t: (lambda w: [
    values((number(1, 3), *w[0], 3), t, (0, 99)), {"ksizes": [1, *w[1], 1], "strides": [1, *w[2], 1], "rates": [1, *w[3], 1], "padding": w[4]}])(window(2)))


@rule("layouts", "ResizeBilinear ResizeNearestNeighbor ResizeBicubic", [np.int8, np.int64, np.uint16, F64], 2)
def resize(t):
    align, half = pick([(False, False), (True, False), (False, True)])
    return [values((number(1, 3), number(1, 9), number(1, 9), pick([1, 3, 4])), t, (0, 99)), maybe(np.array([number(1, 14), number(1, 14)], np.int32)),
            {"align_corners": align, "half_pixel_centers": half}]


@rule("layouts", "ResizeBilinearGrad ResizeBicubicGrad", [F32, F64, F16, BF16])
def resize_back(t):
    align, half = pick([(False, False), (True, False), (False, True)])
    return [values((2, number(1, 9), number(1, 9), 3), F32, (-3, 3)), values((2, number(1, 9), number(1, 9), 3), t, (-3, 3)), {"align_corners": align, "half_pixel_centers": half}]


@rule("layouts", "ResizeNearestNeighborGrad", [F32, F64, F16, BF16, np.int8, np.uint8, np.int32])
def nearest_back(t):
    align, half = pick([(False, False), (True, False), (False, True)])
    return [values((2, number(1, 9), number(1, 9), 3), t, (0, 3)), maybe(np.array([number(1, 9), number(1, 9)], np.int32)), {"align_corners": align, "half_pixel_centers": half}]


@rule("layouts", "CropAndResize", [np.int8, np.int16, np.uint16, np.int64, F32, np.uint8])
def crop(t):
    boxes = cases.rng.uniform(-0.3, 1.3, (4, 4)).astype(F32)
    return [values((2, number(1, 8), number(1, 8), 3), t, (0, 99)), boxes, cases.rng.integers(0, 2, 4).astype(np.int32), maybe(np.array([number(1, 6), number(1, 6)], np.int32)),
            {"method": pick(["bilinear", "nearest"]), "extrapolation_value": pick([0.0, 1.5])}]


@rule("layouts", "FusedBatchNormV3", [F16, BF16, F32], 4)
def batch_norm(t):
    training, channels = flag(), pick([1, 3, 8, 17])
    p = [values((channels,), F32, k) for k in ((0.5, 2), (-1, 1), (-1, 1), (0.2, 2))]
    factor = pick([1.0, 1.0, 0.25])
    if training and factor == 1.0:
        p[2] = p[3] = Const(np.zeros(0, F32))
    volume, first = chance(0.4), flag()
    shape = front([number(1, 4), *([number(1, 4)] if volume else []), number(1, 6), number(2, 6), channels], first)
    return [values(tuple(shape), t, (-3, 3)), *p, {"is_training": training, "epsilon": pick([1e-3, 1e-5]), "data_format": layout(3 if volume else 2, first), "exponential_avg_factor": factor}]


@rule("layouts", "FusedBatchNormGradV3 FusedBatchNormGradV2", [F16, BF16, F32], 3)
@rule("layouts", "FusedBatchNormGrad", [F32], 2)
def batch_norm_back(t):
    training, channels, first = flag(), pick([1, 3, 8]), chance(0.4)
    shape = tuple(front([number(1, 4), number(1, 6), number(2, 6), channels], first))
    x, dy, scale, offset = values(shape, t, (-3, 3)), values(shape, t, (-1, 1)), values((channels,), F32, (0.5, 2)), values((channels,), F32, (-1, 1))
    mean, variance = values((channels,), F32, (-1, 1)), values((channels,), F32, (0.5, 2))

    def build(feeds):
        more = {"is_training": training, "epsilon": 1e-3, "data_format": layout(2, first)}
        x_, dy_, s = feeds.tensor(x), feeds.tensor(dy), feeds.tensor(scale)
        if training:
            y = tf.raw_ops.FusedBatchNormV3(x=x_, scale=s, offset=feeds.tensor(offset), mean=tf.constant([], tf.float32), variance=tf.constant([], tf.float32), **more)
            r = [y.reserve_space_1, y.reserve_space_2, y.reserve_space_3]
        else:
            r = [feeds.tensor(mean), feeds.tensor(variance), tf.constant([], tf.float32)]
        made = tf.raw_ops.FusedBatchNormGradV3(y_backprop=dy_, x=x_, scale=s, reserve_space_1=r[0], reserve_space_2=r[1], reserve_space_3=r[2], **more)
        made2 = tf.raw_ops.FusedBatchNormGradV2(y_backprop=dy_, x=x_, scale=s, reserve_space_1=r[0], reserve_space_2=r[1], **more)
        result = [*made[:3], *made2[:3]]
        if t == F32:
            result += tf.raw_ops.FusedBatchNormGrad(y_backprop=dy_, x=x_, scale=s, reserve_space_1=r[0], reserve_space_2=r[1], **more)[:3]
        return result
    return build


rule("layouts", "BiasAddV1", REAL + COMPLEX)(lambda t: (lambda c: [values((2, 3, c), t, "plain"), values((c,), t, "plain")])(pick([1, 4, 7])))
rule("layouts", "BiasAddGrad", COMPLEX)(lambda t: [values((2, 3, 4), t), {"data_format": "NHWC"}])
rule("layouts", "BiasAdd", [F32, F64, np.int32])(lambda t: (lambda s: [values(s, t, "plain"), values(s[1:2], t, "plain"), {"data_format": "NCHW"}])(tuple(number(1, 5) for _ in range(number(2, 6)))))
rule("layouts", "SpaceToBatch", REAL)(lambda t: [values((2, 3, 4, 2), t), maybe(np.array([[1, 2], [0, 2]], pick([np.int32, np.int64]))), {"block_size": 2}])
rule("layouts", "BatchToSpace", REAL)(lambda t: [values((8, 3, 4, 2), t), maybe(np.array([[1, 2], [0, 2]], pick([np.int32, np.int64]))), {"block_size": 2}])
rule("layouts", "SpaceToDepth DepthToSpace", INTS + COMPLEX)(lambda t: [values((2, 4, 6, 8), t), {"block_size": 2}])
rule("layouts", "LRNGrad", [F32, F16, BF16])(lambda t: (lambda s: [values(s, t, (-1, 1)), values(s, t, (-1, 1)), values(s, t, (-1, 1)), {"depth_radius": 2}])((1, 2, 3, 7)))
rule("layouts", "BatchNormWithGlobalNormalization", [F32, F64])(lambda t: [values((2, 3, 4, 5), t), *[values((5,), t, (0.5, 2)) for _ in range(4)], {"variance_epsilon": 0.01, "scale_after_normalization": flag()}])
