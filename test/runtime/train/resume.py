"""Kills runs, resumes them, and compares with runs that nobody disturbed."""
import glob
import os
import random
import shutil
import signal
import subprocess
import time

import numpy as np

from harness import fails, make_data, program, run

x, y = make_data(2003)
np.savez("train.npz", x=x, y=y)
np.savez("validation.npz", x=x[:997], y=y[:997])
random.seed(3)


def words(folder, steps):
    return ["fit", "train.npz", "--validation", "validation.npz", "--epochs", "6", "--seed", "5",
            "--batch", "1", "--early-stopping=patience=30,restore_best_weights",
            "--reduce-lr-on-plateau=patience=1,min_delta=10", "--checkpoint", folder, "--resume",
            "--checkpoint-steps", str(steps), "--history", folder + ".csv", "--export",
            folder + ".npz"]


def clear(folder):
    shutil.rmtree(folder, ignore_errors=True)
    for end in (".csv", ".npz"):
        if os.path.exists(folder + end):
            os.remove(folder + end)


def compare(first, second):
    a, b = np.load(first + ".npz"), np.load(second + ".npz")
    assert a.files == b.files and a.files
    for name in a.files:
        assert a[name].tobytes() == b[name].tobytes(), name
    assert open(first + ".csv").read() == open(second + ".csv").read()


for number, steps, most in (signal.SIGKILL, 37, 12), (signal.SIGTERM, 10**6, 8), (signal.SIGINT, 900, 4):
    clear("whole")
    clear("killed")
    start = time.time()
    run(*words("whole", steps))
    whole = time.time() - start
    for attempt in range(most + 1):
        child = subprocess.Popen([program, *words("killed", steps), "--threads", str(1 + attempt % 2)],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, error = child.communicate(timeout=None if attempt == most else random.uniform(0, whole / 3))
            assert child.returncode == 0, error
        except subprocess.TimeoutExpired:
            child.send_signal(number)
            out, error = child.communicate()
            # What was not ready for it yet is ended as usual.
            assert child.returncode in (0, -number, 128 + number), (child.returncode, error)
        assert not error, error
    compare("whole", "killed")
    left = {os.path.basename(path) for path in glob.glob("killed/*")}
    assert len(left) == 2 * 7 + 1, left  # five, the final one and the best, with the state file
    assert not [name for name in left if name.endswith(".tmp")], left

# --epochs counts from the start: two runs are one.
base = ["fit", "train.npz", "--seed", "9", "--checkpoint"]
run(*base, "parts", "--epochs", "2", "--history", "parts.csv")
assert run(*base, "parts", "--epochs", "2", "--history", "parts.csv", "--resume") == ""
run(*base, "parts", "--epochs", "5", "--history", "parts.csv", "--resume", "--export", "parts.npz")
run(*base, "once", "--epochs", "5", "--history", "once.csv", "--export", "once.npz", "--keep", "2")
compare("once", "parts")
assert len(glob.glob("parts/epoch-*.index")) == 5 and len(glob.glob("once/epoch-*.index")) == 2
assert run("predict", "x=[[1, 2, 3]]", "--restore", "parts") == run(
    "predict", "x=[[1, 2, 3]]", "--restore", "once.npz")

# What does not go together.
assert "the folder exists" in fails(*base, "parts")
assert "the run has --seed 9, not 8" in fails("fit", "train.npz", "--seed", "8", "--checkpoint",
                                             "parts", "--resume")
child = subprocess.Popen([program, *base, "inside", "--epochs", "1000000"], stdout=subprocess.PIPE)
child.stdout.readline()
child.send_signal(signal.SIGTERM)
child.communicate()
assert child.returncode == 128 + signal.SIGTERM
if glob.glob("inside/step-*"):
    assert "inside of an epoch" in fails(*base, "inside", "--epochs", "1000000", "--resume",
                                         "--batch", "33")

# Weights that training changes at its end are for predictions, not for going on.
run(*base, "averaged", "--epochs", "3", variant="_final")
run(*base, "averaged", "--epochs", "5", "--resume", "--export", "averaged.npz", variant="_final")
a, b = np.load("averaged.npz"), np.load("once.npz")
assert a["dense/kernel"].tobytes() == b["dense/kernel"].tobytes()
assert np.allclose(a["dense/bias"], b["dense/bias"] + 1000)
value = run("predict", "x=[[0, 0, 0]]", "--restore", "averaged", variant="_final")
assert float(value.strip("[]\n")) > 900, value
