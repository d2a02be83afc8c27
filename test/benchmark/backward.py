#!/usr/bin/env python3
"""Races whole gradients (the loss and the gradients of all weights) of Tenon
against JAX's jit and TensorFlow's jit_compile.

    backward.py TENON --python JAX_AND_TENSORFLOW_PYTHON [--models lenet lstm]
        [--rounds 5] [--seconds 1] [--core 0] [--json FILE] [--keep FOLDER]

Each takes turns in its own process, pinned to one core with one thread. First
the results of all are compared with TensorFlow's in float64. Memory is what a
call needs beyond weights, inputs and results: Tenon's arena against the
temporaries that XLA reports for JAX. requirements.txt has what the other
Python needs; this one needs NumPy.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def error(folder, name, got):
    """The worst error of any result, in parts of the result's largest value (of
    a ten-thousandth of all gradients' for one that is zero but for rounding)."""
    want, got = np.load(folder / "reference.npz"), np.load(got)
    largest = {key: float(np.abs(want[key]).max()) for key in want.files}
    worst = 0.0
    for key in want.files:
        scale = max(largest[key], 1e-4 * max(largest.values()))
        worst = max(worst, float(np.abs(got[key] - want[key]).max()) / scale)
    return worst


class Tenon:
    def __init__(self, args, name, folder):
        self.folder, self.core = folder, args.core
        weights = sum(key.startswith("w") for key in np.load(folder / "inputs.npz").files)
        results = ", ".join(f"d{i} = grad(loss:0, w{i}:0)" for i in range(weights))
        inputs = ", ".join(np.load(folder / "inputs.npz").files)
        command = [args.tenon, "compile", folder / f"{name}.pb", "-o", folder / "tenon", "--cpu", "native",
                   "--entry", f"main({inputs}) -> loss, {results}", *args.option]
        subprocess.run(command, check=True)
        report = subprocess.run([args.tenon, "inspect", "--json", folder / "tenon"], check=True,
                                capture_output=True, text=True)
        self.facts = {"temporary_bytes": json.loads(report.stdout)["arena_bytes"]}
        self.run("-o", self.result())

    def result(self):
        return self.folder / "tenon.npz"

    def run(self, *arguments):
        command = ["taskset", "-c", str(self.core), self.folder / "tenon", self.folder / "inputs.npz",
                   "--threads", "1", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def measure(self, seconds):
        return json.loads(self.run(f"--bench={seconds}", "--json").strip().splitlines()[-1])


class Peer:
    def __init__(self, args, name, folder, peer):
        self.file = folder / f"{peer}.npz"
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
        self.process = subprocess.Popen(
            ["taskset", "-c", str(args.core), args.python, HERE / "worker.py", peer, name, folder,
             json.dumps(args.sizes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.facts = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.file.stem} ended with status {self.process.wait()}")
        return json.loads(line)

    def result(self):
        return self.file

    def measure(self, seconds):
        print("measure", seconds, file=self.process.stdin, flush=True)
        return self.answer()


def race(args, name, folder):
    if not (folder / "reference.npz").exists():
        subprocess.run([args.python, HERE / "worker.py", "export", name, folder, json.dumps(args.sizes)], check=True)
    runners = {"tenon": Tenon(args, name, folder)}
    for peer in args.peers:
        runners[peer] = Peer(args, name, folder, peer)
    rounds = {peer: [] for peer in runners}
    for _ in range(args.rounds):
        for peer, runner in runners.items():
            rounds[peer].append(runner.measure(args.seconds))
    lines = []
    for peer, runner in runners.items():
        medians = [r["median_ms"] for r in rounds[peer]]
        ratios = [a["median_ms"] / b["median_ms"] for a, b in zip(rounds["tenon"], rounds[peer])]
        line = {"model": name, "peer": peer, "error": error(folder, name, runner.result()),
                "min_ms": min(r["min_ms"] for r in rounds[peer]), "median_ms": statistics.median(medians),
                "round_medians": medians, "tenon_over_peer": statistics.median(ratios), **runner.facts}
        lines.append(line)
        print(f"{name:14}{peer:12} min {line['min_ms']:9.3f} ms  median {line['median_ms']:9.3f} ms  "
              f"tenon/{peer} {line['tenon_over_peer']:.2f}  error {line['error']:.1e}  "
              f"temporaries {line.get('temporary_bytes', 0) / 2**20:.1f} MiB", flush=True)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="one with what requirements.txt names")
    parser.add_argument("--models", nargs="+", default=["lenet", "mobilenet_v2", "bert_block", "lstm"])
    parser.add_argument("--peers", nargs="*", default=["jax", "tensorflow"])
    parser.add_argument("--sizes", type=json.loads, default={}, help='such as {"size": 96}')
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--option", action="append", default=[], help="of tenon compile")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for exported models and results")
    args = parser.parse_args()
    args.tenon = args.tenon.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        lines = []
        for name in args.models:
            folder = (args.keep or pathlib.Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            lines += race(args, name, folder)
    if args.json:
        args.json.write_text("".join(json.dumps(line) + "\n" for line in lines))


if __name__ == "__main__":
    main()
