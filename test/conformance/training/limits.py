#!/usr/bin/env python3
"""What a training program may take: limits.py TENON MODEL.keras DATA.npz ROWS

Compiles for batches of ROWS with Adam and checks that a step allocates nothing,
that the program's peak memory stays below parameters x (2 + slots), the planned
memory and 20 MB, and that code and runtime are small.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

SLOTS = 2  # of Adam
ROOM = 20_000_000
CODE = 300_000  # bytes beside the weights


def output(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def peak_bytes(*command):
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(command[0], list(map(str, command)))
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"ended with status {status}")
    return usage.ru_maxrss * 1024


def main():
    tenon, model, data, rows = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        trainer = pathlib.Path(folder) / "trainer"
        output(tenon, "compile", model, "--train", "--optimizer", "adam", "--batch", rows, "--cpu", "x86-64-v3",
               "-o", trainer)
        facts = json.loads(output(tenon, "inspect", "--json", trainer))
        trained = [v for v in facts["variables"] if not v["name"].startswith(("optimizer/", "metrics/"))]
        parameters = 4 * sum(math.prod(v["shape"]) for v in trained)
        common = ["fit", data, "--batch", rows, "--threads", "1"]
        peak = peak_bytes(trainer, *common, "--epochs", "2")
        bench = json.loads(output(trainer, *common, "--bench=0.05", "--json").strip().splitlines()[-1])
        checks = {
            "allocations per step": (bench["allocations"], 0),
            "peak memory": (peak, parameters * (2 + SLOTS) + facts["arena_bytes"] + ROOM),
            "code": (trainer.stat().st_size - facts["weights_bytes"], CODE),
        }
        for name, (value, limit) in checks.items():
            print(f"{name}: {value:.0f} of {limit}")
        sys.exit(any(value > limit for value, limit in checks.values()))


if __name__ == "__main__":
    main()
