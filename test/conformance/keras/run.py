#!/usr/bin/env python3
"""Compiles the cases that generate.py wrote and compares with Keras's results.

run.py TENON CASES... [--keep DIR]     a case is a folder or a .zip of folders

Tolerance: 1e-5 of the largest value of a result (other orders of summation), 2e-2 where it has 16-bit floats inside (their
rounding is 4e-3, and Keras rounds after other operations).
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import zipfile

import numpy as np


def model_of(folder):
    for name in ("model.keras", "model.h5", "model.json"):
        if os.path.exists(f"{folder}/{name}"):
            return f"{folder}/{name}"
    raise FileNotFoundError(folder)


def compare(got, want, half):
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    if not want.size:
        return ""
    if want.dtype.kind in "biu":
        return "" if np.array_equal(got, want) else f"{np.sum(got != want)} of {want.size} elements differ"
    got, want = got.astype(np.float64), want.astype(np.float64)
    if not np.array_equal(np.isfinite(got), np.isfinite(want)):
        return "not finite in other places"
    finite = np.isfinite(want)
    scale = max(np.max(np.abs(want[finite]), initial=0), 1e-3)
    error = np.max(np.abs(got[finite] - want[finite]), initial=0) / scale
    return "" if error <= (2e-2 if half else 1e-5) else f"differs by {error:.2e} of the largest value"


def check(tenon, folder, work):
    exe = f"{work}/exe"
    made = subprocess.run([tenon, "compile", model_of(folder), "-o", exe, "--cpu", "native"], capture_output=True, text=True, timeout=600)
    if made.returncode:
        return f"compile ({made.returncode}): {made.stderr.strip()[:500]}"
    out = f"{work}/out.npz"
    ran = subprocess.run([exe, f"{folder}/in.npz", "-o", out], capture_output=True, text=True, timeout=600)
    if ran.returncode:
        return f"run ({ran.returncode}): {ran.stderr.strip()[:500]}"
    got, want = np.load(out), np.load(f"{folder}/out.npz")
    plain = {re.sub("__bf16$", "", k): k for k in got.files}
    if sorted(plain) != sorted(want.files):
        return f"results {sorted(plain)}, expected {sorted(want.files)}"
    half = "16" in os.path.basename(folder.rstrip("/"))
    for name, key in plain.items():
        value = got[key]
        if key.endswith("__bf16"):
            value = (value.astype(np.uint32) << 16).view(np.float32)
        wrong = compare(value, want[name], half)
        if wrong:
            return f"result '{name}' {wrong}"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tenon")
    parser.add_argument("cases", nargs="+")
    args = parser.parse_args()
    bad = count = 0
    with tempfile.TemporaryDirectory() as unpacked:
        folders = []
        for place in args.cases:
            if place.endswith(".zip"):
                with zipfile.ZipFile(place) as archive:
                    archive.extractall(unpacked)
                place = unpacked
            folders += [place] if os.path.exists(f"{place}/in.npz") else sorted(os.path.dirname(p) for p in glob.glob(f"{place}/*/in.npz"))
        for folder in folders:
            with tempfile.TemporaryDirectory() as work:
                try:
                    wrong = check(args.tenon, folder, work)
                except subprocess.TimeoutExpired:
                    wrong = "takes too long"
            count += 1
            if wrong:
                bad += 1
                print(f"{os.path.basename(folder)}: {wrong}", flush=True)
    print(f"{count} models, {bad} wrong")
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main())
