#!/usr/bin/env python3
"""Checks derivatives against results that are there already; needs no TensorFlow.

    check.py TENON FOLDER...

A folder, as compare.py --export writes it and called FAMILY-DTYPE-ORDER, holds
graph.pb, entry.txt (the entry point with its derivatives), in.npz and want.npz.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np


def run(tenon, folder, work=None):
    """The results of a folder's entry point by name, or the reason why there are none."""
    work = work or folder
    entry = (folder / "entry.txt").read_text().strip()
    for command in ([tenon, "compile", folder / "graph.pb", "-o", work / "program", "--cpu", "native", "--entry", entry],
                    [work / "program", folder / "in.npz", "-o", work / "out.npz"]):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return f"status {done.returncode}: {next((l for l in lines if 'error' in l), lines[0] if lines else '')[:300]}"
    return np.load(work / "out.npz")


def difference(got, want, order):
    """The largest error as a fraction of the tolerance, or what is wrong.

    1e-5 |want| + 1e-6 max|want|, ten times that for each further order, is what derivatives
    of float32 functions lose; what would be zero without rounding may be a few units off.
    """
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    finite = np.isfinite(want)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    if np.any(np.isfinite(got) != finite) or np.any(~finite & ~same):
        return f"not finite in other places: {got.ravel()[:8]} for {want.ravel()[:8]}"
    if not finite.any():
        return 0.0
    want, got = np.where(finite, want, 0), np.where(finite, got, 0)
    bound = 10.0 ** (order - 1) * (1e-5 * np.abs(want) + 1e-6 * np.abs(want).max())
    bound = bound + (1e-6 if want.dtype in (np.float32, np.complex64) else 1e-12)
    error = np.abs(got - want)
    worst = float(np.max(np.where(error == 0, 0, error / bound)))
    if worst > 1:
        at = np.unravel_index(np.argmax(error - bound), error.shape)
        return f"{worst:.3g} times the tolerance, {got[at]} for {want[at]} at {list(map(int, at))}"
    return worst


def main():
    tenon, *folders = sys.argv[1:]
    failures = 0
    for folder in map(pathlib.Path, folders):
        with tempfile.TemporaryDirectory(prefix="differentiation-") as work:
            got, want = run(tenon, folder, pathlib.Path(work)), np.load(folder / "want.npz")
            for name in want.files:
                found = got if isinstance(got, str) else difference(got[name], want[name], int(folder.name.split("-")[2]))
                if isinstance(found, str):
                    print(f"{folder.name} {name}: {found}")
                    failures += 1
        print(f"{folder.name}: {len(want.files)} derivatives")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
