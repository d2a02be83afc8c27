#!/usr/bin/env python3
"""Checks derivatives against central differences; needs no TensorFlow and no expected results.

    central.py [--seed N] [--directions N] TENON FOLDER...

A folder holds graph.pb, entry.txt and in.npz as compare.py --export writes them for float64
(FAMILY-float64-1). Every loss L that its entry point names is moved along random directions v
of all of its inputs: (L(x + h v) - L(x - h v)) / 2 h must be the sum of the derivatives times v.
--forward also compares forward mode: jvp(L, x, x) must be the sum of the derivatives times x.
--except REGEX leaves losses out whose derivatives are others on purpose.

With h = 1e-5 the difference is exact to some 1e-9 of L's size for a smooth function; the bound
is 1e-6 of the larger one of both sides and of |L|. Where L has a kink within h, which the
second difference shows, nothing is compared, and that is said.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

STEP = 1e-5


class Program:
    """The losses of a folder's entry point and their derivatives by all inputs."""

    def __init__(self, tenon, folder, work, forward=False, without=None):
        entry = (folder / "entry.txt").read_text()
        arguments = re.match(r"\w+\((.*?)\) ->", entry).group(1)
        derivatives = re.findall(r"(\S+) = grad\((\S+?):0, (\S+?):0\)", entry)
        self.inputs = collections.defaultdict(dict)  # loss -> input -> name of the derivative
        derivatives = [d for d in derivatives if not (without and re.search(without, d[1]))]
        for name, loss, source in derivatives:
            self.inputs[loss][source] = name
        results = [f"{loss} = {loss}:0" for loss in self.inputs] + [f"{n} = grad({l}:0, {x}:0)" for n, l, x in derivatives]
        if forward:
            results += [f"forward_{n} = jvp({l}:0, {x}:0, {x}:0)" for n, l, x in derivatives]
        self.program, self.work = work / "program", work
        run([tenon, "compile", folder / "graph.pb", "-o", self.program, "--cpu", "native", "--entry",
             f"main({arguments}) -> {', '.join(results)}"])

    def __call__(self, values):
        np.savez(self.work / "in.npz", **values)
        run([self.program, self.work / "in.npz", "-o", self.work / "out.npz"])
        return np.load(self.work / "out.npz")


def run(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[:500] or f"status {done.returncode}")


def direction(rng, value):
    """A random direction; of integers, none."""
    if np.issubdtype(value.dtype, np.complexfloating):
        return rng.standard_normal(value.shape) + 1j * rng.standard_normal(value.shape)
    return rng.standard_normal(value.shape) if np.issubdtype(value.dtype, np.floating) else np.zeros_like(value)


def compare(program, values, rng):
    """What is wrong, by loss, and the losses that have a kink there."""
    steps = {x: direction(rng, value) for x, value in values.items()}
    at = [program({x: (value + scale * STEP * steps[x]).astype(value.dtype) for x, value in values.items()}) for scale in (0, 1, -1)]
    wrong, kinks = {}, []
    for loss, derivatives in program.inputs.items():
        middle, after, before = (float(result[loss]) for result in at)
        # A complex derivative is the one by the real part less i times that by the other.
        want = sum(float(np.sum(np.real(np.conj(at[0][name]) * steps[x]))) for x, name in derivatives.items())
        got = (after - before) / (2 * STEP)
        scale = max(abs(want), abs(got), abs(middle), 1e-3)
        if not np.isfinite([middle, after, before]).all() or abs(after - 2 * middle + before) > 1e-7 * scale:
            kinks.append(loss)
        elif not abs(got - want) <= 1e-6 * scale:
            wrong[loss] = f"the derivative is {want:.9g}, differences say {got:.9g}"
    return wrong, kinks


def compare_forward(program, values):
    results = program(values)
    wrong = {}
    for loss, derivatives in program.inputs.items():
        for x, name in derivatives.items():
            want, got = np.sum(np.real(np.conj(results[name]) * values[x])), results[f"forward_{name}"]
            scale = max(abs(want), float(np.sum(np.abs(results[name] * values[x]))), 1e-9)
            if np.isfinite(want) and not abs(got - want) <= 1e-9 * scale:
                wrong[loss] = f"by {x}: forward mode says {got:.9g}, reverse mode {want:.9g}"
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directions", type=int, default=3)
    parser.add_argument("--forward", action="store_true")
    parser.add_argument("--except", dest="without", metavar="REGEX")
    parser.add_argument("tenon")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    failures = 0
    for folder in args.folders:
        with tempfile.TemporaryDirectory(prefix="differentiation-") as work:
            program = Program(args.tenon, folder, pathlib.Path(work), args.forward, args.without)
            values = dict(np.load(folder / "in.npz"))
            rng = np.random.default_rng(args.seed)
            checked, skipped = set(), set()
            for _ in range(args.directions):
                wrong, kinks = compare(program, values, rng)
                for loss, text in wrong.items():
                    print(f"{folder.name} {loss}: {text}")
                failures += len(wrong)
                skipped.update(kinks)
                checked.update(set(program.inputs) - set(kinks))
            if args.forward:
                for loss, text in compare_forward(program, values).items():
                    print(f"{folder.name} {loss} {text}")
                    failures += 1
            note = f", kinks in {' '.join(sorted(skipped - checked))}" if skipped - checked else ""
            print(f"{folder.name}: {len(checked)} of {len(program.inputs)} functions{note}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
