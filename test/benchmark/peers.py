"""The programs that race.py lets take turns. Each has `facts` (with `error` if it
can not run), `results()`, `measure(seconds)` and `close()`; making one loads the
model, calls it once and writes the results."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import inference
import protocol

HERE = pathlib.Path(__file__).resolve().parent


def said(error):
    """What a program printed before it failed, shortened."""
    lines = [line for line in (error.stderr or "").splitlines() if "error" in line] or (error.stderr or "?").splitlines()
    return lines[-1][-300:] if lines else "?"


class Native(protocol.Worker):
    """A C program of native/: results are files of floats in the model's shapes."""

    def __init__(self, race, row, command):
        self.row, elapsed = row, []
        for again in reversed(range(race.starts(row))):
            super().__init__([race.binaries / command[0], *command[1:]], race.cores, race.environment)
            elapsed.append(self.facts["start_ms"])
            if again:
                self.close()
        self.facts["start_ms"] = min(elapsed)

    def results(self):
        return {name: np.fromfile(self.row.folder / f"{name}.bin", np.float32).reshape(shape)
                for name, shape in self.row.shapes["results"].items()}


def onnxruntime(race, row):
    def operand(name, shape):
        return f"{name}:{'x'.join(map(str, shape))}:{row.folder / name}.bin"

    library = next((race.package("inf", "onnxruntime") / "capi").glob("libonnxruntime.so.*"))
    return Native(race, row, ["onnxruntime", library, row.folder / "model.onnx", race.threads,
                              *[operand(*item) for item in row.shapes["inputs"].items()], "--",
                              *[operand(*item) for item in row.shapes["results"].items()]])


def openvino(race, row):
    library = next((race.package("inf", "openvino") / "libs").glob("libopenvino_c.so*"))
    files = [[row.folder / f"{name}.bin" for name in row.shapes[side]] for side in ("inputs", "results")]
    return Native(race, row, ["openvino", library, row.folder / "model.onnx", race.threads, race.precision,
                              *files[0], "--", *files[1]])


class OneDnn(Native):
    """A single primitive in its own layouts; its result is not compared."""

    def results(self):
        return None


def onednn(race, row):
    if row.name not in inference.KERNELS or not (primitive := inference.make(row.name).primitive):
        return None
    return OneDnn(race, row, ["onednn", race.precision, *primitive])


class Framework(protocol.Worker):
    def __init__(self, race, row, peer, venv):
        self.file = row.folder / f"{peer}.npz"
        super().__init__([race.python(venv), HERE / "framework_worker.py", peer, row.name, row.folder, race.threads],
                         race.cores, race.environment)

    def results(self):
        return np.load(self.file)


def framework(peer, venv):
    def start(race, row):
        if peer == "litert" and not (row.folder / "model.tflite").exists():
            race.export("export_tflite", [row.name])
        return Framework(race, row, peer, venv)

    return start


class Iree:
    """Has no worker: iree-run-module once, then iree-benchmark-module each time."""

    def __init__(self, race, row, flags):
        self.race, self.row, self.once = race, row, None
        self.tools = race.package("inf", "iree") / "_runtime_libs"
        name = "iree" + "".join(flags).replace("-", "").replace("=", "")[:8]
        module, source = row.folder / f"{name}.vmfb", row.folder / "iree.mlir"
        bin = race.python("inf").parent
        try:
            if not source.exists():
                self.run([bin / "iree-import-onnx", row.folder / "model.onnx", "-o", source])
            start = time.perf_counter()
            if not (row.folder / f"{name}.json").exists():
                self.run([bin / "iree-compile", source, "--iree-hal-target-device=local",
                          "--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host",
                          "--iree-opt-level=O3", *flags, "-o", module])
                (row.folder / f"{name}.json").write_text(json.dumps({"compile_s": time.perf_counter() - start}))
            self.facts = json.loads((row.folder / f"{name}.json").read_text())
            local = ["--device=local-sync"] if race.threads == 1 else [
                "--device=local-task", f"--task_topology_group_count={race.threads}"]
            self.arguments = [f"--module={module}", "--function=race", *local]
            for key, shape in row.shapes["inputs"].items():
                self.arguments.append(f"--input={'x'.join(map(str, shape))}xf32=@{row.folder / key}.bin")
            first = protocol.pinned([self.tools / "iree-run-module", *self.arguments,
                                     *[f"--output=@{row.folder / key}.npy" for key in row.shapes["results"]]],
                                    race.cores)
            elapsed = []
            for _ in range(race.starts(row)):
                start = time.perf_counter()
                self.run(first)
                elapsed.append((time.perf_counter() - start) * 1e3)
            self.facts["start_ms"] = min(elapsed)
        except subprocess.CalledProcessError as error:
            self.facts = {"error": said(error)}

    def run(self, command):
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout

    def bench(self, repetitions, least):
        text = self.run(protocol.pinned([self.tools / "iree-benchmark-module", *self.arguments,
                                         f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={least}",
                                         "--benchmark_format=json"], self.race.cores))
        units = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3}
        return [b["real_time"] * units[b["time_unit"]] for b in json.loads(text)["benchmarks"]
                if b.get("run_type") == "iteration"]

    def measure(self, seconds):
        try:
            if self.once is None:
                self.once = min(self.bench(3, "1x"))
            group = max(1, int(20 / self.once))
            times = self.bench(max(5, min(60, int(seconds * 1e3 / (group * self.once)))), f"{group}x")
        except subprocess.CalledProcessError as error:
            return {"error": said(error)}
        return {"min_ms": min(times), "median_ms": statistics.median(times), "calls": len(times) * group}

    def results(self):
        return {key: np.load(self.row.folder / f"{key}.npy") for key in self.row.shapes["results"]}

    def close(self):
        pass


def iree(race, row):
    return Iree(race, row, [])


def iree_ukernels(race, row):
    return Iree(race, row, ["--iree-opt-data-tiling", "--iree-llvmcpu-enable-ukernels=all"])


class Tenon:
    images_last = True  # as the source model has them

    def __init__(self, race, row, options=()):
        self.race, self.row = race, row
        self.program = row.folder / "tenon"
        results = ", ".join(f"{name}:0" for name in row.shapes["results"])
        inputs = ", ".join(row.shapes["inputs"])
        start = time.perf_counter()
        try:
            self.compile(self.program, results, inputs, options)
            seconds = time.perf_counter() - start
            elapsed = []
            for _ in range(race.starts(row)):
                start = time.perf_counter()
                peak = self.call("-o", self.row.folder / "tenon.npz")
                elapsed.append((time.perf_counter() - start) * 1e3)
            sizes = json.loads(subprocess.run([race.tenon, "inspect", "--json", self.program], check=True,
                                              capture_output=True, text=True).stdout)
        except subprocess.CalledProcessError as error:
            self.facts = {"error": said(error)}
            return
        weights = sizes["weights_bytes"]
        self.facts = {"compile_s": seconds, "start_ms": min(elapsed), "code_bytes": self.program.stat().st_size - weights,
                      "weights_bytes": weights, "arena_bytes": sizes["arena_bytes"],
                      "peak_kib": peak, "memory_above_weights": peak * 1024 - weights}

    def compile(self, output, results, inputs, options):
        subprocess.run([self.race.tenon, "compile", self.row.folder / "model.pb", "--cpu", "native", "--precision",
                        self.race.precision, "--entry", f"main({inputs}) -> {results}", *self.race.option, *options,
                        "-o", output], check=True, capture_output=True, text=True)

    def call(self, *arguments):
        """Runs the program; gives its peak memory in KiB."""
        command = protocol.pinned([self.program, self.row.folder / "inputs.npz", "--threads", self.race.threads,
                                   *arguments], self.race.cores)
        with tempfile.NamedTemporaryFile("r") as report:
            subprocess.run([self.race.binaries / "peakmemory", report.name, *command], check=True, capture_output=True,
                           text=True)
            return int(report.read())

    def results(self):
        got = np.load(self.row.folder / "tenon.npz")
        return {name: got[key] for name, key in zip(self.row.shapes["results"], got.files)}

    def measure(self, seconds):
        command = [self.program, self.row.folder / "inputs.npz", "--threads", self.race.threads, f"--bench={seconds}",
                   "--json"]
        done = subprocess.run(protocol.pinned(command, self.race.cores), capture_output=True, text=True)
        if done.returncode:
            return {"error": done.stderr.strip()[-300:]}
        return json.loads(done.stdout.strip().splitlines()[-1])

    def close(self):
        pass


PEERS = {
    "tenon": Tenon,
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "iree": iree,
    "iree_ukernels": iree_ukernels,
    "torch": framework("torch", "torch"),
    "torch_compile": framework("torch_compile", "torch"),
    "jax": framework("jax", "jax"),
    "tensorflow": framework("tensorflow", "tf"),
    "litert": framework("litert", "inf"),
    "onednn": onednn,
}
