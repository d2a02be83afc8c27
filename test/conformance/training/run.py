#!/usr/bin/env python3
"""Compiles models to programs that train, lets them train, and compares with Keras.

    run.py [--tenon build/bin/tenon] [--options '--cpu native'] [--only REGEX] trajectories.zip...

Epoch by epoch every loss and metric, and at the end the predictions and, in packs of draw.py, the weights, within 1e-4
of Keras's (relative to the value, or to the largest one of the predictions or of a weight). Needs NumPy.
"""

import argparse
import concurrent.futures
import csv
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

TOLERANCE = 1e-4


def execute(what, command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise ValueError(f"{what}: status {done.returncode}: {done.stderr.strip()[:500]}")


def away(got, wanted, least=0.0):
    """How far results are from what is wanted, of the largest value."""
    return np.max(np.abs(got - wanted), initial=0) / max(np.max(np.abs(wanted), initial=0), least, 1e-30)


def try_case(case, number, work, args):
    program, history, out = work / f"{number}", work / f"{number}.csv", work / f"{number}.npz"
    exported = work / f"{number}.weights.npz"
    execute("compile", [args.tenon, "compile", work / "models" / case["model"], "--train", *case["options"],
                        *shlex.split(args.options), "-o", program])
    validation = ["--validation", work / case["check"]] if case.get("validates") else []
    execute("fit", [program, "fit", work / case["data"], "--no-shuffle", *case.get("fit", ["--batch", "16"]), "--epochs", "3", *validation,
                    "--history", history, "--checkpoint", work / f"{number}.ckpt", "--export", exported])
    rows = list(csv.DictReader(history.open()))
    faults, worst = [], 0.0
    for name, wanted in case["history"].items():
        if name not in rows[0]:
            faults.append(f"no {name} among {', '.join(rows[0])}")
            continue
        got = np.array([json.loads(row[name]) for row in rows])  # numbers or vectors
        error = np.max(np.abs(got - wanted) / np.maximum(np.abs(wanted), 1e-6))
        worst = max(worst, error)
        if not error <= TOLERANCE:
            faults.append(f"{name} {got.tolist()} instead of {wanted}")
    if "weights" in case:
        weights, wanted = np.load(exported), np.load(work / case["weights"])
        most = max(np.max(np.abs(wanted[name]), initial=0) for name in wanted)
        for name in wanted:
            if name.endswith("key/bias"):  # of attention: its gradient is 0 but for rounding
                continue
            if name not in weights:
                faults.append(f"no weight {name} among {', '.join(weights)}")
                continue
            # Weights that began as zeros are small: their gradients' noise is that of the larger ones.
            error = away(weights[name].astype("float64"), wanted[name], 0.1 * most)
            worst = max(worst, error)
            if not error <= TOLERANCE:
                faults.append(f"weight {name} is {error:.1e} away")
    data = np.load(work / case["check" if "check" in case else "data"])
    targets = np.load(work / case["predictions"]) if "predictions" in case else case["predicted"]
    count = len(next(iter(targets.values())))
    np.savez(work / f"{number}.in.npz", **{k: v[:count] for k, v in data.items() if k == "x" or ("check" in case and not k.startswith("head_"))})
    execute("predict", [program, "predict", work / f"{number}.in.npz", "--restore", work / f"{number}.ckpt", "-o", out])
    results = np.load(out)
    for name, wanted in targets.items():
        error = away(results[name], np.array(wanted))
        worst = max(worst, error)
        if not error <= TOLERANCE:
            faults.append(f"prediction {name} is {error:.1e} away")
    if faults:
        raise ValueError("; ".join(faults))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", nargs="+", type=pathlib.Path)
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--options", default="")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    failed = passed = 0
    worst = 0.0
    for pack in args.packs:
        with tempfile.TemporaryDirectory(prefix="training-") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
            work = pathlib.Path(folder)
            zipfile.ZipFile(pack).extractall(work)
            cases = [c for c in json.loads((work / "cases.json").read_text()) if re.search(args.only, str(c))]
            runs = [pool.submit(try_case, case, i, work, args) for i, case in enumerate(cases)]
            for case, run in zip(cases, runs):
                try:
                    worst = max(worst, run.result())
                    passed += 1
                except (ValueError, subprocess.TimeoutExpired, KeyError) as error:
                    failed += 1
                    print(f"{case['model']} {' '.join(case['options'])}{case.get('body', '')}: {error}", flush=True)
    print(f"{passed} of {passed + failed} as Keras; largest difference {worst:.1e}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
