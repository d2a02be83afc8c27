#!/usr/bin/env python3
"""Checks functions of floats in units of the last place.

    functions.py TENON FOLDER [--step 4099] [--cpus x86-64-v3 native]

Every STEP-th of all floats (1: each) goes through a compiled program; its
results are compared with those in float64, whose own error does not count.
"""

import argparse
import math
import pathlib
import subprocess
import sys

import numpy as np

# name: (in float64, units that a result may be off)
FUNCTIONS = {
    "Exp": (np.exp, 2),
    "Tanh": (np.tanh, 2),
    "Erf": (lambda x: np.array([math.erf(v) for v in x.tolist()]), 2),
    "Erfc": (lambda x: np.array([math.erfc(v) for v in x.tolist()]), 4.5),
}
CHUNK = 1 << 22


COLUMNS = 64
# Functions that are also computed beside sums of rows, where kernels write vectors themselves.
IN_ROWS = {f"{name}InRows": name for name in FUNCTIONS}


def graph():
    shape = f'attr {{ key: "shape" value {{ shape {{ dim {{ size: -1 }} dim {{ size: {COLUMNS} }} }} }} }}'
    kind = 'attr { key: "T" value { type: DT_FLOAT } }'
    text = ('node { name: "axis" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { '
            'tensor { dtype: DT_INT32 tensor_shape { } int_val: 1 } } } }\n')
    for name in "xy":
        text += f'node {{ name: "{name}" op: "Placeholder" attr {{ key: "dtype" value {{ type: DT_FLOAT }} }} {shape} }}\n'
    for name in FUNCTIONS:
        text += f'node {{ name: "{name}" op: "{name}" input: "x" {kind} }}\n'
    for name, function in IN_ROWS.items():
        text += f'node {{ name: "{name}" op: "{function}" input: "y" {kind} }}\n'
        text += (f'node {{ name: "{name}Sum" op: "Sum" input: "{name}" input: "axis" {kind} '
                 f'attr {{ key: "Tidx" value {{ type: DT_INT32 }} }} }}\n')
    return text


def units(have, want):
    """How far each result is off; the smallest unit is that of subnormal numbers."""
    with np.errstate(all="ignore"):
        near = np.clip(np.abs(want), 2.0**-126, float(np.finfo(np.float32).max)).astype(np.float32)
        off = np.abs(have.astype(np.float64) - want) / np.spacing(near).astype(np.float64)
        rounded = want.astype(np.float32)
    return np.where((have == rounded) | (np.isnan(have) & np.isnan(want)), 0, off)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--step", type=int, default=4099)
    parser.add_argument("--cpus", nargs="+", default=["x86-64-v3", "native"])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    model, program, out = args.folder / "functions.pbtxt", args.folder / "program", args.folder / "out.npz"
    model.write_text(graph())
    bad = False
    limits = {**{name: limit for name, (_, limit) in FUNCTIONS.items()},
              **{name: FUNCTIONS[function][1] for name, function in IN_ROWS.items()}}
    for cpu in args.cpus:
        results = ", ".join([*(f"{name}:0" for name in limits), *(f"{name}Sum:0" for name in IN_ROWS)])
        subprocess.run([args.tenon, "compile", model, "-o", program, "--cpu", cpu, "--entry", f"main(x, y) -> {results}"],
                       check=True)
        worst = {name: (0.0, 0.0) for name in limits}
        for start in range(0, 1 << 32, CHUNK * args.step):
            numbers = np.arange(start, min(start + CHUNK * args.step, 1 << 32), args.step, np.uint64)
            x = numbers.astype(np.uint32).view(np.float32)
            x = np.pad(x, (0, -len(x) % COLUMNS))
            np.save(args.folder / "x.npy", x.reshape(-1, COLUMNS))
            subprocess.run([program, *(f"{name}={args.folder / 'x.npy'}" for name in "xy"), "-o", out], check=True)
            got = np.load(out)
            with np.errstate(all="ignore"):
                want = {name: function(x.astype(np.float64)) for name, (function, _) in FUNCTIONS.items()}
            for name, key in zip(limits, got.files):
                off = units(got[key].reshape(-1), want[IN_ROWS.get(name, name)])
                at = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
                if not off[at] <= worst[name][0]:
                    worst[name] = float(off[at]), float(x[at])
        for name, (off, at) in worst.items():
            right = off <= limits[name]
            bad |= not right
            print(f"{cpu}: {name} is at most {off:.2f} units off, at {at!r}{'' if right else ': too far'}")
    sys.exit(bad)


if __name__ == "__main__":
    main()
