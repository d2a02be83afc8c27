#!/usr/bin/env python3
"""Runs a program on emulated CPUs and compares its results.

    emulate.py PROGRAM INPUTS.npz REFERENCE.npz [--rtol R --atol A]

PROGRAM has code for several levels of x86-64; CPUs that lack some of them must
get along with what is left, whatever instructions the machine itself has.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

# Without AVX, and with AVX2: the emulator knows no AVX-512.
CPUS = ["Nehalem", "Haswell"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("inputs")
    parser.add_argument("reference")
    parser.add_argument("--rtol", type=float, default=1e-4)
    parser.add_argument("--atol", type=float, default=1e-5)
    args = parser.parse_args()
    want = np.load(args.reference)
    failed = False
    for cpu in CPUS:
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out.npz")
            run = subprocess.run(["qemu-x86_64-static", "-cpu", cpu, args.program, args.inputs, "-o", out],
                                 stderr=subprocess.PIPE, text=True)
            if run.returncode:
                print(f"{cpu}: status {run.returncode}: {run.stderr.strip().splitlines()[-1:]}")
                failed = True
                continue
            got = np.load(out)
            close = sorted(got) == sorted(want) and all(
                np.allclose(got[name], want[name], rtol=args.rtol, atol=args.atol) for name in want)
            print(f"{cpu}: {'equal' if close else 'differs'}")
            failed |= not close
    sys.exit(failed)


if __name__ == "__main__":
    main()
