"""Written-out cases: the gradient operations of exported training graphs."""

import numpy as np
import tensorflow as tf

from cases import BF16, F16, F32, F64, FAMILIES, Const, I, family, i, normal


def _outputs(sizes, window, strides, dilations, padding):
    """Sizes of a convolution's result; `padding` is a name or (low, high) pairs."""
    out = []
    for n, size in enumerate(sizes):
        extent = (window[n] - 1) * dilations[n] + 1
        if padding == "SAME":
            out.append(-(-size // strides[n]))
        else:
            more = 0 if padding == "VALID" else sum(padding[n])
            out.append((size + more - extent) // strides[n] + 1)
    return out


def _convolutions():
    """(batch, sizes, window, channels, groups, filters, strides, dilations, padding)"""
    yield 2, (7, 8), (3, 3), 4, 1, 5, (1, 1), (1, 1), "SAME"
    yield 1, (9, 7), (3, 2), 3, 1, 17, (2, 2), (1, 1), "SAME"
    yield 3, (8, 8), (3, 3), 2, 1, 3, (2, 3), (1, 1), "VALID"
    yield 2, (10, 9), (3, 3), 2, 1, 4, (1, 1), (2, 3), "VALID"
    yield 2, (10, 9), (2, 3), 2, 1, 4, (1, 1), (2, 2), "SAME"
    yield 4, (5, 6), (1, 1), 7, 1, 6, (1, 1), (1, 1), "VALID"
    yield 2, (5, 6), (1, 1), 3, 1, 2, (2, 2), (1, 1), "SAME"
    yield 2, (6, 6), (3, 3), 3, 1, 4, (1, 1), (1, 1), ((1, 2), (0, 1))
    yield 2, (7, 6), (3, 3), 3, 1, 4, (2, 1), (1, 1), ((2, 1), (1, 1))
    yield 2, (6, 5), (3, 3), 6, 3, 9, (1, 1), (1, 1), "SAME"


def _attributes(strides, dilations, padding):
    result = {"strides": [1, *strides, 1], "dilations": [1, *dilations, 1],
              "padding": padding if isinstance(padding, str) else "EXPLICIT"}
    if not isinstance(padding, str):
        result["explicit_paddings"] = [0, 0, *[p for pair in padding for p in pair], 0, 0]
    return result


@family
def gradient_convolution():
    for dtype in (F32, F64, F16):
        for n, sizes, window, c, groups, k, strides, dilations, padding in _convolutions():
            out = _outputs(sizes, window, strides, dilations, padding)
            x, w, dy = normal((n, *sizes, c), dtype), normal((*window, c // groups, k), dtype), normal((n, *out, k), dtype)
            more = _attributes(strides, dilations, padding)
            # The number of groups follows from the channels, which must be known.
            given = x if groups == 1 else Const(x)
            yield "Conv2DBackpropFilter", {"input": given, "filter_sizes": I(*w.shape), "out_backprop": dy, **more}
            yield "Conv2DBackpropInput", {"input_sizes": I(*x.shape), "filter": Const(w), "out_backprop": dy, **more}
            # TensorFlow takes other strides, but leaves dilations out.
            if groups == 1 and strides[0] == strides[1] and dilations == (1, 1):
                dy = normal((n, *out, c * 2), dtype)
                w = normal((*window, c, 2), dtype)
                yield "DepthwiseConv2dNativeBackpropFilter", {"input": x, "filter_sizes": I(*w.shape), "out_backprop": dy, **more}
                yield "DepthwiseConv2dNativeBackpropInput", {"input_sizes": I(*x.shape), "filter": Const(w), "out_backprop": dy, **more}
                dy, w = dy[..., :c], w[..., :1]
                yield "DepthwiseConv2dNativeBackpropFilter", {"input": x, "filter_sizes": I(*w.shape), "out_backprop": dy, **more}
                yield "DepthwiseConv2dNativeBackpropInput", {"input_sizes": I(*x.shape), "filter": Const(w), "out_backprop": dy, **more}
    for dtype in (F32, F64):
        for n, sizes, window, c, k, strides, padding in [
                (2, (4, 5, 6), (2, 3, 2), 3, 4, (1, 1, 1), "SAME"), (1, (5, 5, 4), (3, 2, 2), 2, 3, (2, 1, 2), "VALID"),
                (2, (4, 5, 6), (1, 1, 1), 3, 4, (1, 1, 1), "SAME")]:
            out = _outputs(sizes, window, strides, (1, 1, 1), padding)
            x, w, dy = normal((n, *sizes, c), dtype), normal((*window, c, k), dtype), normal((n, *out, k), dtype)
            more = {"strides": [1, *strides, 1], "padding": padding}
            yield "Conv3DBackpropFilterV2", {"input": x, "filter_sizes": I(*w.shape), "out_backprop": dy, **more}
            yield "Conv3DBackpropInputV2", {"input_sizes": I(*x.shape), "filter": Const(w), "out_backprop": dy, **more}
            yield "Conv3DBackpropFilter", {"input": x, "filter": Const(w), "out_backprop": dy, **more}
            yield "Conv3DBackpropInput", {"input": x, "filter": Const(w), "out_backprop": dy, **more}


def _pools():
    """(sizes, window, strides, padding)"""
    yield (8, 6), (2, 2), (2, 2), "VALID"
    yield (7, 9), (2, 2), (2, 2), "SAME"
    yield (7, 8), (3, 3), (2, 2), "SAME"
    yield (7, 8), (3, 2), (1, 1), "VALID"
    yield (9, 7), (3, 3), (1, 1), "SAME"
    yield (9, 7), (2, 3), (3, 4), "VALID"
    yield (8, 8), (7, 7), (1, 1), "SAME"


@family
def gradient_pooling():
    for dtype in (F32, F64, F16):
        for sizes, window, strides, padding in _pools():
            out = _outputs(sizes, window, strides, (1, 1), padding)
            # Few different values: maxima that occur more than once.
            x = np.round(normal((2, *sizes, 3), F32)).astype(dtype)
            y = np.zeros((2, *out, 3), dtype)
            dy, dx = normal((2, *out, 3), dtype), normal((2, *sizes, 3), dtype)
            more = {"ksize": [1, *window, 1], "strides": [1, *strides, 1], "padding": padding}
            fed = {"ksize": I(1, *window, 1), "strides": I(1, *strides, 1), "padding": padding}
            y = tf.nn.max_pool(x, window, strides, padding).numpy()
            yield "MaxPoolGrad", {"orig_input": x, "orig_output": y, "grad": dy, **more}
            yield "MaxPoolGradGrad", {"orig_input": x, "orig_output": y, "grad": dx, **more}
            yield "MaxPoolGradV2", {"orig_input": x, "orig_output": y, "grad": dy, **fed}
            yield "MaxPoolGradGradV2", {"orig_input": x, "orig_output": y, "grad": dx, **fed}
            yield "AvgPoolGrad", {"orig_input_shape": I(*x.shape), "grad": dy, **more}
            for batch in (False, True):
                made = tf.raw_ops.MaxPoolWithArgmax(input=x, include_batch_in_index=batch, **more)
                yield "MaxPoolWithArgmax", {"input": x, "include_batch_in_index": batch, **more}
                yield "MaxPoolGradWithArgmax", {"input": x, "grad": dy, "argmax": made.argmax.numpy(), "include_batch_in_index": batch, **more}
                yield "MaxPoolGradGradWithArgmax", {"input": x, "grad": dx, "argmax": made.argmax.numpy(), "include_batch_in_index": batch, **more}
    for sizes, window, strides, padding in [((4, 5, 6), (2, 2, 2), (2, 2, 2), "SAME"), ((5, 4, 6), (3, 2, 2), (1, 2, 1), "VALID")]:
        out = _outputs(sizes, window, strides, (1, 1, 1), padding)
        x = np.round(normal((2, *sizes, 3), F32))
        dy, dx = normal((2, *out, 3), F32), normal((2, *sizes, 3), F32)
        more = {"ksize": [1, *window, 1], "strides": [1, *strides, 1], "padding": padding}
        y = tf.nn.max_pool(x, window, strides, padding).numpy()
        yield "MaxPool3DGrad", {"orig_input": x, "orig_output": y, "grad": dy, **more}
        yield "MaxPool3DGradGrad", {"orig_input": x, "orig_output": y, "grad": dx, **more}
        yield "AvgPool3DGrad", {"orig_input_shape": I(*x.shape), "grad": dy, **more}
    x = np.full((1, 4, 4, 2), -np.inf, F32)
    x[0, 1, 1, 0] = np.nan
    yield "MaxPoolGrad", {"orig_input": x, "orig_output": x[:, ::2, ::2], "grad": normal((1, 2, 2, 2), F32),
                          "ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}


@family
def gradient_image():
    for dtype in (F32, F64, np.int32):
        for mode, paddings in [("REFLECT", [[1, 0], [0, 2], [3, 1]]), ("SYMMETRIC", [[2, 1], [1, 3], [4, 4]]), ("REFLECT", [[0, 0], [0, 0], [2, 3]]),
                               ("SYMMETRIC", [[0, 0], [0, 0], [0, 0]])]:
            sizes = [n + sum(p) for n, p in zip((2, 3, 4), paddings)]
            for given in (Const(paddings, np.int32), np.array(paddings, np.int32)):
                yield "MirrorPadGrad", {"input": normal(sizes, dtype), "paddings": given, "mode": mode}
    for align, half in [(False, False), (True, False), (False, True)]:
        more = {"align_corners": align, "half_pixel_centers": half}
        for old, new in [((4, 5), (8, 9)), ((7, 6), (3, 2)), ((5, 5), (5, 5)), ((3, 4), (1, 11))]:
            for dtype in (F32, F64):
                dy, image = normal((2, *new, 3), dtype), normal((2, *old, 3), dtype)
                yield "ResizeNearestNeighborGrad", {"grads": dy, "size": I(*old), **more}
                if dtype == F32:  # TensorFlow rounds the terms of doubles to floats
                    yield "ResizeBilinearGrad", {"grads": dy, "original_image": image, **more}
                    yield "ResizeBicubicGrad", {"grads": dy, "original_image": image, **more}
    for dtype in (F32, F16, BF16):
        x = normal((2, 3, 3, 7), dtype)
        y = tf.raw_ops.LRN(input=x, depth_radius=2, bias=1.5, alpha=0.3, beta=0.7).numpy()
        yield "LRNGrad", {"input_grads": normal(x.shape, dtype), "input_image": x, "output_image": y, "depth_radius": 2, "bias": 1.5,
                          "alpha": 0.3, "beta": 0.7}
