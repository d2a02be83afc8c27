"""Written-out cases: images, rounding to integers, sorting out and looking up."""

import numpy as np
import tensorflow as tf

import cases
from cases import F32, F64, SOME, Const, I, family, i, normal


@family
def image():
    for dtype in (F32, F64):
        x = np.abs(normal((2, 3, 4, 3), dtype)) % dtype(1)
        x[0, 0, 0] = 0
        x[0, 0, 1] = 0.5
        yield "RGBToHSV", {"images": x}
        yield "HSVToRGB", {"images": x}
    x = np.abs(normal((2, 3, 4, 3), F32)) % F32(1)
    for delta in (0.1, -0.4, 0.7):
        yield "AdjustHue", {"images": x, "delta": np.array(delta, F32)}
        yield "AdjustSaturation", {"images": x, "scale": np.array(delta * delta * 4, F32)}
        yield "AdjustContrastv2", {"images": x, "contrast_factor": np.array(delta, F32)}
    for method in ("bilinear", "nearest"):
        for crop in ((3, 4), (1, 5), (6, 1)):
            for dtype in (F32, np.uint8, F64):
                image = (np.abs(normal((2, 7, 6, 3), F64)) * 50).astype(dtype)
                boxes = np.array([[0, 0, 1, 1], [0.2, 0.1, 0.7, 0.9], [0.5, 0.6, -0.2, 1.3], [0.9, 0.9, 0.1, 0.2]], F32)
                yield "CropAndResize", {"image": image, "boxes": boxes, "box_ind": np.array([0, 1, 1, 0], np.int32), "crop_size": I(*crop),
                                        "method": method, "extrapolation_value": 2.5}


@family
def boxes():
    for n, limit in ((9, 4), (30, 50), (1, 1), (12, 0)):
        corners = cases.rng.random((n, 2, 2))
        boxes = np.concatenate([corners[:, 0], corners[:, 1]], 1).astype(F32)
        if n == 30:
            boxes = np.repeat(boxes[:10], 3, 0)
        scores = np.round(np.abs(normal((n,), F32)), 1)
        more = {"boxes": boxes, "scores": scores, "max_output_size": i(limit)}
        overlap, least = np.array(0.4, F32), np.array(0.3, F32)
        yield "NonMaxSuppression", {**more, "iou_threshold": 0.3}
        yield "NonMaxSuppressionV2", {**more, "iou_threshold": overlap}
        yield "NonMaxSuppressionV3", {**more, "iou_threshold": overlap, "score_threshold": least}
        for pad in (False, True):
            yield "NonMaxSuppressionV4", {**more, "iou_threshold": overlap, "score_threshold": least, "pad_to_max_output_size": pad}
            for sigma in (0.0, 0.5):
                yield "NonMaxSuppressionV5", {**more, "iou_threshold": overlap, "score_threshold": least, "soft_nms_sigma": np.array(sigma, F32),
                                              "pad_to_max_output_size": pad}


@family
def quantization():
    x = np.concatenate([normal((40,), F32) * 4, np.array([-6, 6, 0, -7, 7.5, 0.0117, 1e-9], F32)])
    for low, high in [(-6, 6), (0, 6), (-1.5, 4.2), (1, 5), (-5, -0.5)]:
        for bits, narrow in [(8, False), (8, True), (4, False), (16, True)]:
            more = {"num_bits": bits, "narrow_range": narrow}
            if low < 0 < high:
                yield "FakeQuantWithMinMaxArgs", {"inputs": x, "min": low, "max": high, **more}
                yield "FakeQuantWithMinMaxArgsGradient", {"gradients": normal(x.shape, F32), "inputs": x, "min": low, "max": high, **more}
            ends = {"min": np.array(low, F32), "max": np.array(high, F32)}
            yield "FakeQuantWithMinMaxVars", {"inputs": x, **ends, **more}
            yield "FakeQuantWithMinMaxVarsGradient", {"gradients": normal(x.shape, F32), "inputs": x, **ends, **more}
    wide = normal((3, 5, 4), F32) * 3
    ends = {"min": np.array([-1, -2, 0, -3], F32), "max": np.array([1, 0.5, 2, 3], F32)}
    yield "FakeQuantWithMinMaxVarsPerChannel", {"inputs": wide, **ends}
    yield "FakeQuantWithMinMaxVarsPerChannelGradient", {"gradients": normal(wide.shape, F32), "inputs": wide, **ends}
    none = {"min": np.array(0, F32), "max": np.array(0, F32)}
    yield "FakeQuantWithMinMaxVars", {"inputs": x, **none}
    yield "FakeQuantWithMinMaxVarsGradient", {"gradients": normal(x.shape, F32), "inputs": x, **none}


@family
def partition():
    for dtype in SOME:
        yield "DynamicPartition", {"data": normal((6, 3), dtype), "partitions": np.array([0, 2, 1, 0, 2, 2], np.int32), "num_partitions": 4}
        yield "DynamicPartition", {"data": normal((2, 3, 4), dtype), "partitions": np.array([[0, 1, 1], [0, 1, 0]], np.int32), "num_partitions": 2}
        for t in (tf.int32, tf.int64):
            yield "ListDiff", {"x": np.array([1, 5, 2, 2, 7, 1, 0], dtype), "y": np.array([2, 0, 9], dtype), "out_idx": t}
            for op in ("LowerBound", "UpperBound"):
                rows = np.sort(normal((3, 9), dtype), 1)
                values = np.concatenate([rows[:, ::3], normal((3, 4), dtype)], 1)
                yield op, {"sorted_inputs": rows, "values": values, "out_type": t}
        for n in (0, 2, 5):
            for reverse in (False, True):
                yield "NthElement", {"input": normal((4, 6), dtype), "n": i(n), "reverse": reverse}
                yield "NthElement", {"input": normal((6,), dtype), "n": np.array(n, np.int32), "reverse": reverse}
    for binary in (False, True):
        for dtype in (np.int32, np.int64):
            for weights in (Const(np.zeros(0, F32)), normal((5,), F32)):
                yield "DenseBincount", {"input": np.array([1, 2, 2, 9, 0], dtype), "size": Const(7, dtype), "weights": weights, "binary_output": binary}
            for weights in (Const(np.zeros((0,), F32)), normal((2, 5), F32)):
                yield "DenseBincount", {"input": np.array([[1, 2, 2, 9, 0], [0, 1, 1, 1, 6]], dtype), "size": Const(7, dtype), "weights": weights,
                                        "binary_output": binary}


@family
def signal():
    for dtype in (np.complex64, np.complex128):
        for n in (1, 2, 5, 12, 32, 33, 37, 64, 100, 210, 1024):
            for op in ("FFT", "IFFT"):
                yield op, {"input": Const(normal((2, n), dtype))}
        for op in ("FFT2D", "IFFT2D", "FFT3D", "IFFT3D"):
            yield op, {"input": Const(normal((2, 6, 40, 9), dtype))}
    for dtype, t in ((F32, tf.complex64), (F64, tf.complex128)):
        for n, length in ((8, 8), (9, 9), (9, 12), (100, 64), (100, 65), (1, 1), (5, 2)):
            yield "RFFT", {"input": Const(normal((3, n), dtype)), "fft_length": I(length), "Tcomplex": t}
            yield "IRFFT", {"input": Const(normal((3, n), np.complex64 if dtype == F32 else np.complex128)), "fft_length": I(length), "Treal": tf.as_dtype(dtype)}
        x = normal((2, 5, 7, 8), dtype)
        c = normal((2, 5, 7, 8), np.complex64 if dtype == F32 else np.complex128)
        yield "RFFT2D", {"input": Const(x), "fft_length": I(6, 10), "Tcomplex": t}
        yield "RFFT3D", {"input": Const(x), "fft_length": I(5, 6, 9), "Tcomplex": t}
        yield "IRFFT2D", {"input": Const(c), "fft_length": I(6, 10), "Treal": tf.as_dtype(dtype)}
        yield "IRFFT3D", {"input": Const(c), "fft_length": I(5, 6, 9), "Treal": tf.as_dtype(dtype)}


@family
def shuffle():
    for seeds in ((1, 2), (7, 0)):
        for shape in ((1,), (2,), (9,), (100, 3), (0, 4), (5, 2, 2)):
            yield "RandomShuffle", {"value": normal(shape, F32), "seed": seeds[0], "seed2": seeds[1]}
    for a, b in ((F32, F32), (F32, tf.bfloat16.as_numpy_dtype)):
        yield "SparseMatMul", {"a": normal((5, 7), a), "b": normal((7, 3), b), "transpose_a": False, "transpose_b": False}
        yield "SparseMatMul", {"a": normal((7, 5), a), "b": normal((3, 7), b), "transpose_a": True, "transpose_b": True}


@family
def batch_norm_factor():
    for factor in (1.0, 0.25):
        x = normal((3, 4, 5, 6), F32)
        yield "FusedBatchNormV3", {"x": x, "scale": normal((6,), F32), "offset": normal((6,), F32), "mean": normal((6,), F32),
                                   "variance": np.abs(normal((6,), F32)), "is_training": True, "exponential_avg_factor": factor}
    yield "UniqueV2", {"x": np.array([3, 1, 3, 2, 1], np.int32), "axis": I(0), "out_idx": tf.int64}
    yield "UniqueWithCountsV2", {"x": np.array([3, 1, 3, 2, 1], np.int32), "axis": I(), "out_idx": tf.int32}


@family
def multinomial():
    for dtype in (F32, F64):
        logits = normal((3, 7), dtype) * dtype(3)
        logits[1, 2] = -np.inf
        for t in (tf.int32, tf.int64):
            for count in (1, 4, 9):
                yield "Multinomial", {"logits": logits, "num_samples": i(count), "seed": 5, "seed2": 11, "output_dtype": t}
                yield "StatelessMultinomial", {"logits": logits, "num_samples": i(count), "seed": np.array([3, 4], np.int32), "output_dtype": t}
    for shape in ((5,), (2, 3)):
        for dtype in (F32, F64):
            for rate in (np.array(0.7, dtype), np.array([2.5, 9.9, 10, 30, 1000], dtype)):
                yield "RandomPoissonV2", {"shape": I(*shape), "rate": rate, "seed": 5, "seed2": 11, "dtype": tf.as_dtype(dtype)}
                yield "RandomPoissonV2", {"shape": I(*shape), "rate": rate, "seed": 5, "seed2": 11, "dtype": tf.int64}
