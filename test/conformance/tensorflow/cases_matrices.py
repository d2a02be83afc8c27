"""Written-out cases: factorizations, solutions and sequence decoding: operations that the runtime does."""

import numpy as np
import tensorflow as tf

from cases import F32, F64, Const, family, normal

SHAPES = [(1, 1), (4, 4), (2, 3, 3), (2, 2, 5, 5), (0, 3, 3)]


def definite(shape, dtype):
    a = normal(shape, dtype)
    return (a @ np.conj(np.swapaxes(a, -1, -2)) + shape[-1] * np.eye(shape[-1])).astype(dtype)


def regular(shape, dtype):
    return (normal(shape, dtype) + 3 * np.eye(shape[-2], shape[-1])).astype(dtype)


@family
def matrices_factored():
    for dtype in (F32, F64, np.complex64, np.complex128):
        for shape in SHAPES:
            a = definite(shape, dtype)
            yield "Cholesky", {"input": a}
            if not np.issubdtype(dtype, np.complexfloating):
                yield "CholeskyGrad", {"l": np.linalg.cholesky(a).astype(dtype), "grad": normal(shape, dtype)}
            b = regular(shape, dtype)
            yield "MatrixInverse", {"input": b, "adjoint": False}
            yield "MatrixInverse", {"input": b, "adjoint": True}
            yield "MatrixDeterminant", {"input": b}
            yield "LogMatrixDeterminant", {"input": b}
            yield "Lu", {"input": b}
        for shape in [(4, 4), (5, 3), (3, 5), (2, 6, 4), (7, 1), (1, 7)]:
            for full in (False, True):
                yield "Qr", {"input": normal(shape, dtype), "full_matrices": full}
            yield "Svd", {"input": normal(shape, dtype), "compute_uv": False}
    for dtype in (F32, F64):
        for n in (1, 2, 3, 5, 9):
            a = normal((2, n, n), dtype)
            if dtype == F64:  # signs of vectors are a matter of rounding
                yield "SelfAdjointEigV2", {"input": a + np.swapaxes(a, 1, 2), "compute_v": True}
            yield "SelfAdjointEigV2", {"input": a + np.swapaxes(a, 1, 2), "compute_v": False}
    for dtype in (np.complex64, np.complex128):
        a = normal((2, 4, 4), dtype)
        yield "SelfAdjointEigV2", {"input": a + np.conj(np.swapaxes(a, 1, 2)), "compute_v": dtype == np.complex128}
        yield "MatrixLogarithm", {"input": definite((2, 3, 3), dtype)}
        yield "MatrixSquareRoot", {"input": definite((2, 3, 3), dtype)}
        for n in (2, 4):
            yield "Eig", {"input": normal((2, n, n), dtype), "compute_v": dtype == np.complex128, "Tout": tf.as_dtype(dtype)}
    for dtype in (F32, F64):
        yield "MatrixSquareRoot", {"input": definite((2, 4, 4), dtype)}
        yield "MatrixExponential", {"input": normal((2, 4, 4), dtype)}


@family
def matrices_solved():
    for dtype in (F32, F64, np.complex64, np.complex128):
        for batch, n, k in [((), 3, 2), ((2,), 4, 1), ((2, 2), 2, 3)]:
            a, b = regular((*batch, n, n), dtype), normal((*batch, n, k), dtype)
            for adjoint in (False, True):
                yield "MatrixSolve", {"matrix": a, "rhs": b, "adjoint": adjoint}
                for lower in (False, True):
                    yield "MatrixTriangularSolve", {"matrix": a, "rhs": b, "lower": lower, "adjoint": adjoint}
            for pivot in (True, False):
                yield "TridiagonalSolve", {"diagonals": (normal((*batch, 3, n), dtype) + np.array([0, 4, 0]).reshape(3, 1)).astype(dtype), "rhs": b,
                                           "partial_pivoting": pivot}
            yield "TridiagonalMatMul", {"superdiag": normal((*batch, 1, n), dtype), "maindiag": normal((*batch, 1, n), dtype),
                                        "subdiag": normal((*batch, 1, n), dtype), "rhs": b}
            band = normal((*batch, 2, n), dtype) + 2
            for lower in (False, True):
                for adjoint in (False, True):
                    yield "BandedTriangularSolve", {"matrix": band.astype(dtype), "rhs": b, "lower": lower, "adjoint": adjoint}
        yield "TridiagonalSolve", {"diagonals": normal((3, 6), dtype), "rhs": normal((6, 2), dtype), "partial_pivoting": True}
        yield "MatrixTriangularSolve", {"matrix": regular((3, 1, 4, 4), dtype), "rhs": normal((2, 4, 2), dtype), "lower": True, "adjoint": False}
    for dtype in (F32, F64):
        for m, n in [(5, 3), (3, 5), (4, 4)]:
            for fast in (True, False):
                for regularizer in (0.0, 0.5) if fast else (0.0,):
                    yield "MatrixSolveLs", {"matrix": normal((2, m, n), dtype), "rhs": normal((2, m, 2), dtype), "l2_regularizer": Const(np.float64(regularizer)),
                                            "fast": fast}


@family
def sequences_decoded():
    for dtype in (F32,):  # TensorFlow's logarithms of doubles are single ones
        for steps, batch, classes in [(6, 3, 4), (9, 2, 6), (1, 1, 3), (20, 2, 3)]:
            x = normal((steps, batch, classes), dtype)
            lengths = np.array([steps, max(1, steps - 2), max(1, steps // 2)][:batch], np.int32)
            labels = [(b, i, int(abs(hash_of(b, i))) % (classes - 1)) for b in range(batch) for i in range(max(1, min(3, int(lengths[b]) // 2)))]
            indices, values = np.array([v[:2] for v in labels], np.int64), np.array([v[2] for v in labels], np.int32)
            for merge in (True, False):
                yield "CTCLoss", {"inputs": x, "labels_indices": indices, "labels_values": values, "sequence_length": lengths, "ctc_merge_repeated": merge}
            yield "CTCLoss", {"inputs": x, "labels_indices": indices, "labels_values": np.zeros_like(values), "sequence_length": lengths,
                              "preprocess_collapse_repeated": True}
            for merge in (True, False):
                yield "CTCGreedyDecoder", {"inputs": x, "sequence_length": lengths, "merge_repeated": merge}
                yield "CTCGreedyDecoder", {"inputs": x, "sequence_length": lengths, "merge_repeated": merge, "blank_index": 0}
                for width, paths in [(1, 1), (4, 2), (50, 3)]:
                    if steps > 1:
                        yield "CTCBeamSearchDecoder", {"inputs": x, "sequence_length": lengths, "beam_width": width, "top_paths": paths, "merge_repeated": merge}


def hash_of(b, i):
    return 7 * b + 5 * i + 3
