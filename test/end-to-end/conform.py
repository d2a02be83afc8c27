#!/usr/bin/env python3
"""Compiles and runs what zoo.py exported and compares with TensorFlow's results.

    conform.py ZOO [--tenon build/bin/tenon] [--only REGEX] [--form REGEX]
               [--options '--cpu native'] [--report FILE]

One line per artifact: the largest error as a fraction of the tolerance, compile
seconds, peak memory of the compiler, run seconds. A result passes when
|got - want| <= 1e-4 |want| + 1e-5 max|want| (a tenth of that for small models),
or when it is as close to float64 as TensorFlow's own float32 is, within a factor of 2.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np


class Failure(Exception):
    """Why a case failed: a kind for the summary and the first words of the reason."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


def execute(what, command, timeout):
    """Returns (seconds, CPU seconds, peak MiB); raises Failure with the first line of stderr."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as err:
        child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=err)
        timer = threading.Timer(timeout, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
        err.seek(0)
        lines = err.read().decode(errors="replace").strip().splitlines()
    seconds = time.monotonic() - started
    if child.returncode < 0:
        if seconds >= timeout:
            raise Failure(f"{what} timeout", f"after {timeout} s")
        reason = next((x for x in lines if "ssert" in x or "error" in x or "UNREACHABLE" in x), lines[0] if lines else "")
        raise Failure(f"{what} crash", f"signal {-child.returncode} {reason[:300]}")
    if child.returncode:
        reason = next((x for x in lines if "error" in x), lines[0] if lines else f"status {child.returncode}")
        raise Failure(f"{what} error", reason[:300])
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(got, single, double, small):
    """The largest error as a fraction of the tolerance; raises Failure on mismatch."""
    if got.shape != single.shape or got.dtype != single.dtype:
        raise Failure("wrong type", f"{got.dtype}{list(got.shape)}, expected {single.dtype}{list(single.shape)}")
    if single.size == 0:
        return 0.0
    if single.dtype.kind not in "fc":
        wrong = np.count_nonzero(got != single)
        if wrong:
            raise Failure("wrong values", f"{wrong} of {got.size} integers differ")
        return 0.0
    same = (got == single) | (np.isnan(got) & np.isnan(single))
    finite = np.isfinite(single) & np.isfinite(got)
    if not np.all(same | finite):
        raise Failure("wrong values", f"{np.count_nonzero(~(same | finite))} of {got.size} are not finite where they should be, or the reverse")
    want = np.where(finite, single, 0).astype(np.float64)
    error = np.abs(np.where(finite, got, 0) - want)
    scale = 0.1 if small else 1.0
    worst = float(np.max(error / (scale * (1e-4 * np.abs(want) + 1e-5 * np.abs(want).max()) + 1e-300)))
    if worst > 1 and double is not None:
        theirs, ours = np.abs(single - double).max(), np.abs(got - double).max()
        if ours <= 2 * theirs:
            return 1.0
    if worst > 1:
        i = np.unravel_index(np.argmax(error), error.shape)
        raise Failure("wrong values", f"{worst:.3g} times the tolerance; largest at {list(map(int, i))}: "
                      f"{got[i]} for {single[i]}")
    return worst


def check(case, artifact, folder, args, work):
    options = shlex.split(args.options)
    program = work / "program"
    seconds, busy, memory = execute("compile", [args.tenon, "compile", folder / artifact["path"], "-o", program, *options], args.timeout)
    worst, run_seconds = 0.0, 0.0
    for key in artifact["io"]:
        drawn = np.load(folder / f"{key}.in.npz")
        np.savez(work / "in.npz", **{artifact["inputs"][n]: drawn[n] for n in drawn.files})
        spent, _, _ = execute(f"run {key}" if args.verbose else "run", [program, work / "in.npz", "-o", work / "out.npz"], args.timeout)
        run_seconds = max(run_seconds, spent)
        got, want = np.load(work / "out.npz"), np.load(folder / f"{key}.out.npz")
        for i, name in enumerate(artifact["outputs"]):
            if name not in got.files:
                raise Failure("missing output", f"{name}; the program gave {got.files}")
            double = want[f"f64_{i}"] if f"f64_{i}" in want.files else None
            try:
                worst = max(worst, compare(got[name], want[f"f32_{i}"], double, case["small"]))
            except Failure as failure:
                raise Failure(failure.kind, f"{key} {name}: {failure.text}") from None
    size = program.stat().st_size
    return f"err {worst:8.3g}  compile {seconds:6.2f} s ({busy:.1f} s of CPU)  {memory:6.0f} MiB  run {run_seconds:6.3f} s  {size / 1024:9.0f} KiB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zoo", type=pathlib.Path)
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--only", default="")
    parser.add_argument("--form", default="")
    parser.add_argument("--options", default="")
    parser.add_argument("--timeout", type=int, default=240)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--report", type=pathlib.Path, help="also write the lines, failures first by kind")
    args = parser.parse_args()
    passed, failures = [], collections.defaultdict(list)
    for description in sorted(args.zoo.glob("*/case.json")):
        case = json.loads(description.read_text())
        if not re.search(args.only, case["kind"]):
            continue
        for artifact in case["artifacts"]:
            if not re.search(args.form, artifact["form"]):
                continue
            name = f"{case['kind']}/{artifact['form']}"
            work = pathlib.Path(tempfile.mkdtemp(prefix="conform-"))
            try:
                line = f"pass {name:36} {check(case, artifact, description.parent, args, work)}"
                passed.append(line)
            except Failure as failure:
                line = f"FAIL {name:36} {failure}"
                failures[failure.kind].append(line)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            print(line, flush=True)
    count = sum(map(len, failures.values()))
    summary = f"{len(passed)} passed, {count} failed"
    if args.report:
        ordered = [line for kind in sorted(failures) for line in sorted(failures[kind], key=lambda x: x.split(" ", 2)[2].lstrip())]
        args.report.write_text("\n".join([summary, *ordered, *passed]) + "\n")
    print(summary)
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
