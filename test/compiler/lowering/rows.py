#!/usr/bin/env python3
"""Draws graphs of reductions along rows and elementwise ops around them, and
compares what the compiled programs give with NumPy in float64.

    rows.py TENON FOLDER [--count 20] [--seed 1] [--cpus x86-64-v2 x86-64-v3 native]
"""

import argparse
import pathlib
import subprocess
import sys

import numpy as np

UNARY = {"Tanh": np.tanh, "Neg": np.negative, "Abs": np.abs, "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
         "Square": np.square, "Relu": lambda x: np.where(x >= 0, x, np.where(np.isnan(x), x, 0)),
         "Exp": lambda x: np.exp(np.minimum(x, 50))}
BINARY = {"Sub": np.subtract, "Mul": np.multiply, "AddV2": np.add, "Maximum": np.maximum, "Minimum": np.minimum}
REDUCE = {"Sum": np.sum, "Max": np.max, "Min": np.min, "Mean": np.mean}


def node(name, op, inputs, **attributes):
    attr = "".join(f' attr {{ key: "{key}" value {{ {value} }} }}' for key, value in attributes.items())
    return f'node {{ name: "{name}" op: "{op}"' + "".join(f' input: "{i}"' for i in inputs) + attr + " }\n"


class Graph:
    """Values are names and what NumPy says."""

    def __init__(self, rng, shape, axes, dynamic):
        self.rng, self.text, self.count, self.axes, self.shape = rng, "", 0, axes, shape
        dims = "".join(f"dim {{ size: {-1 if dynamic and i < len(shape) - axes else size} }} "
                       for i, size in enumerate(shape))
        self.inputs = {}
        self.full, self.rows = [], []
        for name in ("x", "y"):
            value = rng.standard_normal(shape).astype(np.float32)
            self.inputs[name] = value
            self.text += node(name, "Placeholder", [], dtype="type: DT_FLOAT", shape=f"shape {{ {dims}}}")
            self.full.append((name, value.astype(np.float64)))
        for i in range(2):
            value = rng.standard_normal(shape[-1]).astype(np.float32)
            name = f"c{i}"
            numbers = " ".join(f"float_val: {v!r}" for v in value.tolist())
            self.text += node(name, "Const", [], dtype="type: DT_FLOAT", value="tensor { dtype: DT_FLOAT tensor_shape { "
                              f"dim {{ size: {shape[-1]} }} }} {numbers} }}")
            self.full.append((name, value.astype(np.float64)))
        self.text += node("axes", "Const", [], dtype="type: DT_INT32", value=(
            f"tensor {{ dtype: DT_INT32 tensor_shape {{ dim {{ size: {axes} }} }} " +
            " ".join(f"int_val: {-1 - i}" for i in range(axes)) + " }"))
        self.text += node("last", "Const", [], dtype="type: DT_INT32",
                          value="tensor { dtype: DT_INT32 tensor_shape { } int_val: -1 }")

    def add(self, op, operands, value, **attributes):
        name = f"n{self.count}"
        self.count += 1
        self.text += node(name, op, operands, **{"T": "type: DT_FLOAT", **attributes})
        return name, value

    def step(self):
        rng, pick = self.rng, lambda values: values[rng.integers(len(values))]
        kind = rng.integers(4)
        if kind == 0:
            op, (name, value) = pick(list(REDUCE)), pick([v for v in self.full if v[1].ndim == len(self.shape)])
            keep = bool(rng.integers(2))
            axes = tuple(range(-self.axes, 0))
            result = self.add(op, [name, "axes"], REDUCE[op](value, axis=axes, keepdims=True), Tidx="type: DT_INT32",
                              keep_dims=f"b: {'true' if keep else 'false'}")
            for _ in range(0 if keep else self.axes):
                result = self.add("ExpandDims", [result[0], "last"], result[1], Tdim="type: DT_INT32")
            self.rows.append(result)
        elif kind == 1 or not self.rows:
            op, (name, value) = pick(list(UNARY)), pick(self.full)
            self.full.append(self.bounded(self.add(op, [name], UNARY[op](value))))
        elif kind == 2:
            op, (name, value), (other, second) = pick(list(BINARY)), pick(self.full), pick(self.rows + self.full)
            self.full.append(self.bounded(self.add(op, [name, other], BINARY[op](value, second))))
        else:
            op, (name, value), (other, second) = pick(list(BINARY)), pick(self.rows), pick(self.rows)
            self.rows.append(self.bounded(self.add(op, [name, other], BINARY[op](value, second))))

    def bounded(self, value):
        """Large numbers would only show how rounding grows."""
        if value[1].size and np.nanmax(np.abs(value[1])) > 20:
            value = self.add("Tanh", [value[0]], np.tanh(value[1]))
        return value


def check(args, number, rng):
    axes = int(rng.integers(1, 3))
    last = int(rng.choice([1, 2, 7, 16, 17, 31, 33, 64, 100, 257, 1024, 4099]))
    shape = [int(rng.integers(1, 7)) for _ in range(axes if last < 1000 else 1)] + [last]
    axes = min(axes, len(shape) - 1)
    if len(shape) == axes + 1 and rng.integers(2) and last < 1000:
        shape = [int(rng.integers(1, 4))] + shape
    if number % 12 == 5:  # outputs that go past the caches, if their rows are aligned
        shape, axes = [2100, int(rng.choice([1024, 1040]))], 1
    dynamic = bool(rng.integers(2))
    graph = Graph(rng, shape, axes, dynamic)
    for _ in range(int(rng.integers(3, 14))):
        graph.step()
    values = [v for v in graph.full + graph.rows if v[0].startswith("n")]
    # Elements that do not lie side by side.
    columns = [v for v in graph.full if v[1].shape == tuple(shape)][-2:]
    if shape[0] < 1000:
        values.append(graph.add("Pack", [name for name, _ in columns], np.stack([v for _, v in columns], -1), N="i: 2", axis="i: -1"))
    wanted = dict([values[-1]] + [v for v in values if rng.integers(3) == 0]) if values else {}
    if not wanted:
        return True
    model, inputs = args.folder / "graph.pbtxt", args.folder / "in.npz"
    model.write_text(graph.text)
    np.savez(inputs, **graph.inputs)
    entry = f"main(x, y) -> {', '.join(f'{name}:0' for name in wanted)}"
    for cpu in args.cpus:
        program, out = args.folder / "program", args.folder / "out.npz"
        for command in ([args.tenon, "compile", model, "-o", program, "--cpu", cpu, "--entry", entry],
                        [program, inputs, "-o", out]):
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            if done.returncode:
                print(f"case {number}, {cpu}: {done.stderr.strip()[:500]}")
                return False
        got = np.load(out)
        for (name, want), key in zip(wanted.items(), got.files):
            have = got[key].astype(np.float64).reshape(want.shape)
            scale = max(1.0, float(np.max(np.abs(want), initial=0)))
            error = float(np.max(np.abs(have - want), initial=0)) / scale
            if not error < 2e-5:  # NaN is no number that is asked for
                print(f"case {number}, {cpu}, shape {shape}, {axes} axes, unknown {dynamic}: {name} is {error:.1e} off")
                return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cpus", nargs="+", default=["x86-64-v2", "x86-64-v3", "native"])
    parser.add_argument("--only", type=int)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    bad = 0
    for number in range(args.count):
        if args.only in (None, number):
            bad += not check(args, number, np.random.default_rng([args.seed, number]))
    print(f"{args.count - bad} of {args.count} are right")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
