#!/usr/bin/env python3
"""Races whole training steps (forward, backward, update) against what people
train with instead.

    steps.py TENON [ROW...] [--peers jax torch] [--rounds 5] [--seconds 1]
        [--core 0] [--precision f32] [--folder FOLDER] [--venvs FOLDER]
        [--json FILE] [--urgent]

Rows are names of step_worker.py (default: all). Everybody trains the same Keras
model from the same weights on the same batch; first the losses of a few steps
are compared with those of TensorFlow in float64. Then they take turns, pinned to
one core with one thread each. Tenon's step is `fit --bench` of the program that
`tenon compile --train` makes, batches taken from a file included. Ratios are of
the processor's time for a step, unless a step is shorter than the clock likes.
What the machine can do is measured in the same run. Options are those of
race.py.
"""

import argparse
import json
import pathlib
import resource
import subprocess

import numpy as np

import models
import protocol
import race
import step_worker

HERE = pathlib.Path(__file__).resolve().parent
VENVS = {"jax": "jax", "tensorflow": "tf", "tensorflow_graph": "tf", "keras": "tf", "torch": "torch",
         "torch_compile": "torch"}
# Below this the processor's time of a whole program says little.
SHORT_MS = 0.1


def flops(name):
    """Multiplications and additions of a step's products: each is done forward,
    and for the gradients of both operands but those of the model's input."""
    if name == "linreg":
        return 2 * 32 * 2
    weights, (x, _), _ = models.build(name)
    products = [w for w in weights if w.ndim > 1]
    if name == "lstm":
        rows = [x.shape[0] * x.shape[1]] * 2 + [x.shape[0]]
    elif name == "cnn":
        rows = [x.shape[0] * size * size for size in (32, 32, 16, 16)] + [x.shape[0]] * 2
    else:
        rows = [x.shape[0]] * len(products)
    forward = [2 * r * w.size for r, w in zip(rows, products)]
    return 3 * sum(forward) - forward[0]


class Trainer:
    """The program that Tenon makes of model.keras."""

    def __init__(self, args, row, folder):
        self.folder, self.core, self.program = folder, args.core, folder / "trainer"
        rows = len(np.load(folder / "batch.npz")["x"])
        self.common = ["--batch", str(rows), "--no-shuffle", "--threads", "1"]
        try:
            self.run(args.tenon, "compile", folder / "model.keras", "--train", "--cpu", "native", "--precision",
                     args.precision, *args.option, "-o", self.program)
            sizes = json.loads(self.run(args.tenon, "inspect", "--json", self.program))
            self.run(self.program, "fit", folder / "batch.npz", "--epochs", step_worker.STEPS, "--history",
                     folder / "history.csv", *self.common)
        except subprocess.CalledProcessError as error:
            self.facts = {"error": (error.stderr or "?").strip().splitlines()[-1]}
            return
        self.facts = {"steps": 1, "arena_bytes": sizes["arena_bytes"],
                      "code_bytes": self.program.stat().st_size - sizes["weights_bytes"]}

    @staticmethod
    def run(*command):
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout

    def losses(self):
        lines = [line.split(",") for line in (self.folder / "history.csv").read_text().splitlines()]
        column = lines[0].index("loss")
        return np.array([float(line[column]) for line in lines[1:]])

    def fit(self, epochs, *options):
        """Gives what it printed and the processor's time in ms."""
        def used():
            times = resource.getrusage(resource.RUSAGE_CHILDREN)
            return (times.ru_utime + times.ru_stime) * 1e3

        before = used()
        text = self.run(*protocol.pinned([self.program, "fit", self.folder / "data.npz", "--epochs", epochs,
                                          *self.common, *options], self.core))
        return text, used() - before

    def measure(self, seconds):
        times = json.loads(self.fit(1, f"--bench={seconds}", "--json")[0].strip().splitlines()[-1])
        if times["min_ms"] < SHORT_MS:
            return times
        epochs = max(1, int(seconds * 1e3 / times["min_ms"] / step_worker.BATCHES))
        steps = epochs * step_worker.BATCHES
        return {**times, "cpu_ms": (self.fit(epochs + 1)[1] - self.fit(1)[1]) / steps}

    def close(self):
        (self.folder / "history.csv").unlink(missing_ok=True)


class Peer(protocol.Worker):
    def __init__(self, args, row, folder, peer):
        self.file = folder / f"{peer}.npz"
        self.file.unlink(missing_ok=True)
        super().__init__([args.race.python(VENVS[peer]), HERE / "step_worker.py", peer, row, folder,
                          args.precision], args.core,
                         {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1",
                          "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"})

    def losses(self):
        return np.load(self.file)["losses"]

    def measure(self, seconds):
        answer = super().measure(seconds)
        return {key: value / self.facts["steps"] if key.endswith("_ms") else value for key, value in answer.items()}


def run(args, row):
    folder = args.folder / row
    runners, results = {"tenon": Trainer(args, row, folder)}, {}
    for peer in args.peers:
        try:
            runners[peer] = Peer(args, row, folder, peer)
        except OSError as error:
            results[peer] = {"error": f"not installed: {error}"}
    for peer in [peer for peer, runner in runners.items() if "error" in runner.facts]:
        results[peer] = runners.pop(peer).facts
    reference = np.load(folder / "reference.npz")["losses"]
    for peer, runner in runners.items():
        error = float(np.abs(runner.losses() / reference - 1).max())
        results[peer] = {**runner.facts, "loss_error": error}
    for peer, times in protocol.take_turns(runners, args.rounds, args.seconds).items():
        results[peer].update(times)
        runners[peer].close()
    machine = args.race.machine()
    work = flops(step_worker.ROWS[row][0])
    short = results["tenon"].get("min_ms", 0) < SHORT_MS
    for result in results.values():
        if "min_ms" in result:
            result["step_ms"] = result["min_ms"] if short else result["cpu_ms"]
            result["of_peak"] = work / result["step_ms"] * 1e-6 / machine["gflops"]
    others = {peer: result["step_ms"] for peer, result in results.items() if peer != "tenon" and "step_ms" in result}
    line = {"row": row, "precision": args.precision, "machine": machine, "peers": results}
    if others and "step_ms" in results["tenon"]:
        best = min(others, key=others.get)
        line.update(best_peer=best, ratio=others[best] / results["tenon"]["step_ms"])
    return line


def describe(line):
    text = [f"{line['row']:12}" + (f"{line['ratio']:.2f} times as fast as {line['best_peer']}"
                                   if line.get("ratio") else "")]
    for peer, result in line["peers"].items():
        if "error" in result:
            text.append(f"    {peer:18}{result['error']}")
            continue
        text.append(f"    {peer:18}{result['step_ms']:10.5f} ms  (wall: min {result['min_ms']:.5f}, median "
                    f"{result['median_ms']:.5f})  {result['of_peak']:4.0%} of the peak  losses off by "
                    f"{result['loss_error']:.0e}")
    return "\n".join(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon", type=pathlib.Path)
    parser.add_argument("rows", nargs="*", default=list(step_worker.ROWS))
    parser.add_argument("--peers", nargs="*", default=list(VENVS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--core", default="0")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--option", action="append", default=[], help="of tenon compile")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("~/.cache/tenon-race").expanduser())
    parser.add_argument("--venvs", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--urgent", action="store_true")
    args = parser.parse_args()
    if unknown := set(args.rows) - set(step_worker.ROWS):
        parser.error(f"no such row: {' '.join(sorted(unknown))}; there are {' '.join(step_worker.ROWS)}")
    protocol.urgent, args.tenon = args.urgent, args.tenon.resolve()
    args.cores = args.core
    args.race = race.Race(args)
    args.folder = args.race.folder / "steps"
    if missing := [row for row in args.rows if not (args.folder / row / "reference.npz").exists()]:
        subprocess.run([args.race.python("tf"), HERE / "step_worker.py", "export", ",".join(missing), args.folder,
                        args.precision], check=True, capture_output=True, text=True)
    lines = []
    for row in args.rows:
        lines.append(run(args, row))
        print(describe(lines[-1]), flush=True)
        if args.json:
            args.json.write_text(json.dumps({"rows": lines}, indent=1))


if __name__ == "__main__":
    main()
