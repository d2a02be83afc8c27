#!/usr/bin/env python3
"""Runs programs several times in a row and compares each run with TensorFlow's.

    run_programs.py [--tenon build/bin/tenon] PACK.zip...

programs.py writes the packs. Needs Python alone.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance" / "tensorflow"))

import values  # noqa: E402

# Sums of single numbers in any order, over several steps.
TOLERANCE = ["sum", 200, 40]


def attempt(tenon, work):
    plan = json.loads((work / "runs.json").read_text())
    program, out = work / "program", work / "out.npz"
    command = [tenon, "compile", work / "model.pb", "-o", program, "--cpu", "native", "-O1"]
    for entry in plan["entries"]:
        command += ["--entry", entry]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        return f"compile: {done.stderr[:300]}"
    command = [program]
    for n, call in enumerate(plan["calls"]):
        command += ["--run", call["entry"], *(f"{feed}={work / f'{n}-{feed}.npy'}" for feed in call["feeds"])]
    done = subprocess.run([str(c) for c in command + ["-o", out]], capture_output=True, text=True)
    if done.returncode:
        return f"run: {done.stderr[:300]}"
    got = values.load(out)
    for n, call in enumerate(plan["calls"]):
        for name in call["results"]:
            wanted = values.parse((work / "want" / str(n) / f"{name}.npy").read_bytes(), False)
            reason = values.differ(got.get(f"{n}/{name}", got.get(name)), wanted, TOLERANCE)
            if reason:
                return f"run {n} {call['entry']} {name} {reason}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packs", nargs="+")
    parser.add_argument("--tenon", default="build/bin/tenon")
    args = parser.parse_args()
    failed = 0
    for path in args.packs:
        with tempfile.TemporaryDirectory(prefix="program-") as folder:
            work = pathlib.Path(folder)
            with zipfile.ZipFile(path) as archive:
                archive.extractall(work)
            reason = attempt(args.tenon, work)
        failed += bool(reason)
        print(f"{pathlib.Path(path).stem}: {reason or 'ok'}", flush=True)
    if failed:
        sys.exit(f"{failed} of {len(args.packs)} programs failed")


if __name__ == "__main__":
    main()
