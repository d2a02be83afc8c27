"""Compiles one graph function with many results and compares each with NumPy.

A case is a line of the graph dialect that defines %NAME from the arguments,
its result type, and the array that is expected. Floats are compared with a
float64 oracle: `ulps` of the result's type, plus what is below its normal
numbers.
"""
import os
import subprocess
import sys

import numpy as np

TYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i1": np.bool_, "i8": np.int8,
         "i16": np.int16, "i32": np.int32, "i64": np.int64, "ui8": np.uint8, "ui16": np.uint16,
         "ui32": np.uint32, "ui64": np.uint64, "complex<f32>": np.complex64,
         "complex<f64>": np.complex128}
NAMES = {np.dtype(v): k for k, v in TYPES.items()}


def tensor(shape, element):
    return "tensor<" + "".join(f"{n}x" for n in shape) + element + ">"


class Program:
    def __init__(self):
        self.inputs, self.lines, self.results = {}, [], []

    def input(self, name, array, dims=None):
        """An argument; `dims` may replace sizes by '?'."""
        self.inputs[name] = (array, dims or array.shape)
        return tensor(dims or array.shape, NAMES[array.dtype])

    def result(self, name, line, kind, want, ulps=4, atol=0.0):
        self.lines.append(f"  %{name} = {line}")
        self.results.append((name, kind, np.asarray(want), ulps, atol))

    def text(self):
        arguments = []
        for name, (array, dims) in self.inputs.items():
            known = ", ".join(f'"{name}{i}"' if d == "?" else f'"{d}"' for i, d in enumerate(dims))
            arguments.append(f"%{name}: {tensor(dims, NAMES[array.dtype])} "
                             f'{{graph.name = "{name}", graph.dims = [{known}]}}')
        results = ", ".join(f'{kind} {{graph.name = "{name}"}}' for name, kind, *_ in self.results)
        values = ", ".join(f"%{name}" for name, *_ in self.results)
        kinds = ", ".join(kind for _, kind, *_ in self.results)
        return (f"func.func @main({', '.join(arguments)}) -> ({results}) attributes {{graph.entry}} {{\n"
                + "\n".join(self.lines) + f"\n  return {values} : {kinds}\n}}\n")

    def check(self, tenon, path):
        """Returns the number of results that differ, each of which it prints."""
        with open(path + ".mlir", "w") as file:
            file.write(self.text())
        np.savez(path + ".in.npz", **{name: array for name, (array, _) in self.inputs.items()})
        subprocess.run([tenon, "compile", path + ".mlir", "--cpu", "native", "-o", path + ".exe"], check=True)
        subprocess.run([path + ".exe", path + ".in.npz", "-o", path + ".out.npz"], check=True)
        got = np.load(path + ".out.npz")
        wrong = 0
        for name, _, want, ulps, atol in self.results:
            message = difference(got[name], want, ulps, atol)
            if message:
                wrong += 1
                print(f"{name}: {message}")
        print(f"{len(self.results) - wrong} of {len(self.results)} results are right")
        return wrong


def difference(got, want, ulps, atol):
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    if got.dtype.kind not in "fc":
        bad = got != want
    else:
        real = np.float64 if got.dtype.kind == "f" else np.complex128
        with np.errstate(all="ignore"):
            w = want.astype(got.dtype)
            g, wide = got.astype(real), want.astype(real)
            limits = np.finfo(got.dtype)
            step = np.spacing(np.maximum(np.abs(w), limits.tiny)).astype(np.float64)
            bad = ~((np.abs(g - wide) <= ulps * step + atol + limits.tiny) | (g == w)
                    | (np.isnan(g) & np.isnan(w)))
    if not bad.any():
        return ""
    at = tuple(np.argwhere(bad)[0])
    return f"{bad.sum()} elements differ; at {at} is {got[at]!r}, expected {want[at]!r}"


def main(program):
    """argv: the driver, a path for temporary files."""
    sys.exit(1 if program.check(sys.argv[1], sys.argv[2]) else 0)
