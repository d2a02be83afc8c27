"""Compiles a graph that training.py kept, trains it, and compares its variables with TensorFlow's.

    trajectory.py TENON FOLDER SCRATCH
"""
import json
import os
import subprocess
import sys

import numpy as np

tenon, folder, scratch = sys.argv[1:]
kept = json.load(open(os.path.join(folder, "options.json")))
subprocess.run([tenon, "compile", os.path.join(folder, "m.pb"), "-o", f"{scratch}.exe", "--cpu", "native", *kept["options"]], check=True)
steps = [x for _ in range(kept["steps"]) for x in ("--run", "step")]
subprocess.run([f"{scratch}.exe", "--run", "init", *steps, "--run", "values", "-o", f"{scratch}.npz"], check=True)
got, want = np.load(f"{scratch}.npz"), np.load(os.path.join(folder, "values.npz"))
wrong = 0
for name in want.files:
    key = name if name in got.files else f"{kept['steps'] + 1}/{name}"
    # Ten steps in float32: rounding errors add up.
    limit = 1e-5 * np.abs(want[name]) + 1e-5 * max(1, np.abs(want[name]).max(initial=0))
    if (np.abs(got[key] - want[name]) > limit).any():
        print(f"{name}: got {got[key]}, expected {want[name]}")
        wrong += 1
print(f"{len(want.files) - wrong} of {len(want.files)} variables are right")
sys.exit(1 if wrong or not want.files else 0)
