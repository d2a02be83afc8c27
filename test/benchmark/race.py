#!/usr/bin/env python3
"""Races compiled models and kernels of Tenon against what people use instead.

    race.py TENON [ROW...] [--peers onnxruntime jax] [--rounds 5] [--seconds 1]
        [--cores 0] [--precision f32] [--folder FOLDER] [--venvs FOLDER]
        [--option=--fast-math] [--json FILE] [--note TEXT] [--urgent]

Rows are names of inference.py, or patterns such as 'softmax*' (default: all).
All programs of a row are started one after the other, each pinned to the cores
and with as many threads; the results of all are compared with TensorFlow's in
float64; then they take turns. The machine's rates are measured in between.
Exports of models stay in FOLDER. The first run makes a virtual environment there
from requirements.txt; --venvs names a folder with environments `tf`, `inf`,
`jax`, `torch` to use instead. Native programs need clang, and libdnnl-dev for
oneDNN. --urgent (as root) lets nothing else take the cores meanwhile.

The JSON has one object: `machine` and `rows`; page.py makes a page of it.
"""

import argparse
import fnmatch
import json
import os
import pathlib
import platform
import subprocess
import sys
import venv

import numpy as np

import inference
import peers
import protocol

HERE = pathlib.Path(__file__).resolve().parent
NATIVE = {
    "onnxruntime": ["clang-22", "-O2", "onnxruntime.c", "-ldl"],
    "openvino": ["clang-22", "-O2", "openvino.c", "-ldl"],
    "peakmemory": ["clang-22", "-O2", "peakmemory.c"],
    "peaks": ["clang++-22", "-std=c++20", "-O3", "-march=native", "-ffast-math", "peaks.cpp"],
    "onednn": ["clang++-22", "-std=c++20", "-O2", "onednn.cpp", "-ldnnl"],
}
# Where a set of this many bytes lies.
LEVELS = [(24 << 10, "l1"), (1 << 20, "l2"), (24 << 20, "l3"), (float("inf"), "dram")]


class Row:
    def __init__(self, race, name):
        self.name, self.folder = name, race.folder / "rows" / name
        self.shapes = json.loads((self.folder / "shapes.json").read_text())

    def error(self, runner):
        """The worst error of any result, in parts of its largest value."""
        got, worst = runner.results(), 0.0
        if got is None:
            return None
        reference = np.load(self.folder / "reference.npz")
        for name in self.shapes["results"]:
            want, have = reference[name], np.asarray(got[name], np.float64)
            if have.shape != want.shape and have.ndim == 4:
                have = have.transpose(0, 2, 3, 1)  # images of ONNX and PyTorch
            if have.shape != want.shape or not np.isfinite(have).all():
                return float("inf")
            worst = max(worst, float(np.abs(have - want).max() / max(np.abs(want).max(), 1e-30)))
        return worst

    def roofline_ms(self, machine):
        level = next(name for limit, name in LEVELS if self.shapes["bytes"] <= limit)
        reads = self.shapes["bytes"] / machine[f"{level}_read"] * 1e-6
        return max(self.shapes["flops"] / machine["gflops"] * 1e-6, reads)


class Race:
    def __init__(self, args):
        self.tenon, self.folder, self.cores = args.tenon.resolve(), args.folder.resolve(), args.cores
        self.threads, self.precision, self.venvs = protocol.threads_of(args.cores), args.precision, args.venvs
        self.option = args.option
        self.binaries = self.folder / "bin"
        self.binaries.mkdir(parents=True, exist_ok=True)
        self.environment = {"OMP_NUM_THREADS": str(self.threads), "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
        if self.threads == 1:
            self.environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        for name, (compiler, *words) in NATIVE.items():
            sources = [HERE / "native" / word for word in words if "." in word and not word.startswith("-")]
            newest = max(path.stat().st_mtime for path in [*sources, HERE / "native" / "protocol.h"])
            binary = self.binaries / name
            if not binary.exists() or binary.stat().st_mtime < newest:
                options = [word for word in words if HERE / "native" / word not in sources]
                done = subprocess.run([compiler, *[o for o in options if o[:2] != "-l"], *sources,
                                       *[o for o in options if o[:2] == "-l"], "-o", binary], capture_output=True,
                                      text=True)
                if done.returncode:
                    print(f"{name} is left out: {done.stderr.strip().splitlines()[0]}", file=sys.stderr)

    def python(self, name):
        """The interpreter of an environment."""
        if self.venvs:
            return self.venvs / name / "bin" / "python"
        home = self.folder / "venv"
        if not (home / "complete").exists():
            venv.create(home, with_pip=True, clear=True)
            subprocess.run([home / "bin" / "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
            (home / "complete").touch()
        return home / "bin" / "python"

    def package(self, name, package):
        home = self.python(name).parent.parent
        return next(home.glob(f"lib/python3*/site-packages/{package}"))

    def starts(self, row):
        """How often native programs are started to see how long that takes."""
        return 5 if row.name in inference.MODELS else 1

    def export(self, what, names):
        """In one process, since TensorFlow takes long to start."""
        subprocess.run([self.python("tf"), HERE / "framework_worker.py", what, ",".join(names), self.folder / "rows",
                        "1"], check=True, capture_output=True, text=True)

    def machine(self):
        text = subprocess.run(protocol.pinned([self.binaries / "peaks"], self.cores.split(",")[0]), check=True,
                              capture_output=True, text=True).stdout
        return json.loads(text)

    def run(self, name, wanted, rounds, seconds):
        row, runners, results = Row(self, name), {}, {}
        for peer in wanted:
            try:
                runner = peers.PEERS[peer](self, row)
            except (OSError, StopIteration) as error:
                results[peer] = {"error": f"not installed: {error}"}
                continue
            if runner is None:
                continue
            if "error" in runner.facts:
                results[peer] = {"error": runner.facts["error"]}
                runner.close()
                continue
            runners[peer] = runner
        errors = {peer: row.error(runner) for peer, runner in runners.items()}
        times = protocol.take_turns(runners, rounds, seconds)
        machine = self.machine()
        for peer, runner in runners.items():
            results[peer] = {**{k: v for k, v in runner.facts.items() if k != "ready"}, **times[peer],
                             "max_error": errors[peer]}
            runner.close()
        roofline = row.roofline_ms(machine) / self.threads
        for result in results.values():
            if "min_ms" in result:
                result["of_roofline"] = roofline / result["min_ms"]
        return {"row": name, "cores": self.cores, "precision": self.precision, "roofline_ms": roofline,
                "machine": machine, "peers": results, **best(results)}


def best(results):
    """The fastest peer, and how many times faster Tenon is."""
    others = {peer: result["min_ms"] for peer, result in results.items() if peer != "tenon" and "min_ms" in result}
    if not others:
        return {}
    name = min(others, key=others.get)
    own = results.get("tenon", {}).get("min_ms")
    return {"best_peer": name, "ratio": own and others[name] / own}


def describe(line):
    own = line["peers"].get("tenon", {})
    text = f"{line['row']:22}"
    if "min_ms" in own:
        error = own["max_error"]
        text += f"tenon {own['min_ms']:10.4f} ms  roofline {own['of_roofline']:4.0%}  error {error:.0e}"
    else:
        text += f"tenon FAILED {own.get('error', '')}"
    if line.get("ratio"):
        peer = line["best_peer"]
        text += f"  {line['ratio']:6.2f} x {peer} {line['peers'][peer]['min_ms']:.4f}"
    for peer, result in line["peers"].items():
        if "error" in result and peer != "tenon":
            text += f"\n{'':22}{peer}: {result['error']}"
        elif result.get("max_error") is not None and result["max_error"] > 1e-4 and line["precision"] == "f32":
            text += f"\n{'':22}{peer}: error {result['max_error']:.1e}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon", type=pathlib.Path)
    parser.add_argument("rows", nargs="*", default=["*"])
    parser.add_argument("--peers", nargs="*", default=[peer for peer in peers.PEERS if peer != "tenon"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--cores", default="0", help="such as 0,1: as many threads")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--option", action="append", default=[], help="of tenon compile")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("~/.cache/tenon-race").expanduser())
    parser.add_argument("--venvs", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--urgent", action="store_true")
    parser.add_argument("--note", default="", help="what the page should say about the run")
    args = parser.parse_args()
    protocol.urgent = args.urgent
    names = [name for name in inference.ROWS if any(fnmatch.fnmatch(name, pattern) for pattern in args.rows)]
    if not names:
        parser.error(f"no such row; there are {' '.join(inference.ROWS)}")
    race = Race(args)
    missing = [name for name in names if not (race.folder / "rows" / name / "shapes.json").exists()]
    if missing:
        race.export("export", missing)
    lines = []
    for name in names:
        lines.append(race.run(name, ["tenon", *args.peers], args.rounds, args.seconds))
        print(describe(lines[-1]), flush=True)
        if args.json:
            args.json.write_text(json.dumps({"note": args.note, "machine": {"cpu": cpu(), "cores": os.cpu_count(),
                                                         "system": platform.platform()}, "rows": lines}, indent=1))


def cpu():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")


if __name__ == "__main__":
    main()
