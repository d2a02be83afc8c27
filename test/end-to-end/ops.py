#!/usr/bin/env python3
"""Compiles one-op graphs from cases.py and compares with TensorFlow.

    ops.py [--tenon build/bin/tenon] [--family REGEX] [--only REGEX] [--report FILE]

All cases of one op and dtype share a graph (one compile); every graph is tried
with static shapes and with unknown ones. Prints one line per graph,
then how many cases passed per op.
"""

import argparse
import collections
import os
import pathlib
import re
import shlex
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

import cases
import cases_gradients  # noqa: F401 (adds its families)
import cases_images  # noqa: F401
import cases_matrices  # noqa: F401
import cases_strings  # noqa: F401
from conform import Failure, execute

v1 = tf.compat.v1
# Relative and absolute tolerance per dtype; TensorFlow's own elementwise error is below.
TOLERANCE = {"float32": (1e-5, 2e-6), "float64": (1e-11, 1e-13), "float16": (4e-3, 2e-3), "bfloat16": (3e-2, 1e-2),
             "complex64": (1e-5, 1e-5), "complex128": (1e-11, 1e-12)}


def to_file(name, value):
    if value.dtype == cases.BF16:
        return f"{name}__bf16", value.view(np.uint16)
    return name, value


def from_file(archive, name):
    if f"{name}__bf16" in archive.files:
        return archive[f"{name}__bf16"].view(cases.BF16)
    return archive[name] if name in archive.files else None


class Graph:
    """All cases of one op and dtype, as one GraphDef."""

    def __init__(self, op, items, dynamic):
        self.op, self.dynamic = op, dynamic
        self.feeds, self.results, self.skipped = {}, [], 0
        with tf.Graph().as_default() as graph:
            v1.disable_control_flow_v2()
            for number, arguments in enumerate(items):
                feeds = {}
                try:
                    given = {k: self.argument(f"c{number}_{k}", v, feeds) for k, v in arguments.items()}
                    made = getattr(tf.raw_ops, op)(**given)
                    fields = [x for x in (made if isinstance(made, (list, tuple)) else [made])]
                    fields = [t for x in fields for t in (x if isinstance(x, (list, tuple)) else [x])]
                    kept = [tf.identity(t, f"c{number}_y{i}") for i, t in enumerate(fields) if not self.scratch(op, i, t)]
                except Exception:  # this TensorFlow rejects the combination: not a case
                    self.skipped += 1
                    continue
                if any(t.shape.rank is None for t in kept):  # a rank that only the run knows: no type of the compiler
                    self.skipped += 1
                    continue
                self.results.append((number, feeds, kept))
            self.compute(graph)
            kept = [t.op.name for _, _, ts, _ in self.results for t in ts]
            self.definition = v1.graph_util.extract_sub_graph(graph.as_graph_def(), kept) if kept else None

    @staticmethod
    def scratch(op, i, tensor):
        """Outputs whose contents TensorFlow leaves open."""
        unwanted = op in ("Svd", "Eig", "SelfAdjointEigV2") and i and tensor.shape.as_list() == [0]
        return unwanted or op.startswith("FusedBatchNorm") and i >= 3

    def argument(self, name, value, feeds):
        if isinstance(value, list) and value and isinstance(value[0], (np.ndarray, np.generic, cases.Const)):
            return [self.argument(f"{name}{i}", v, feeds) for i, v in enumerate(value)]
        if isinstance(value, cases.Const):
            return tf.constant(value.value)
        if isinstance(value, (np.ndarray, np.generic)):
            value = np.asarray(value)
            feeds[name] = value
            # A size of 1 stays known: whether it broadcasts must be known for unknown sizes.
            return v1.placeholder(value.dtype, [d if d == 1 or not self.dynamic else None for d in value.shape], name)
        return value

    def compute(self, graph):
        done = []
        with v1.Session(graph=graph) as session:
            for number, feeds, kept in self.results:
                try:
                    values = session.run(kept, {k + ":0": v for k, v in feeds.items()})
                except Exception:  # no CPU kernel for this dtype
                    self.skipped += 1
                    continue
                self.feeds |= feeds
                done.append((number, feeds, kept, values))
        self.results = done


def matches(got, want):
    """None, or what differs."""
    if got is None:
        return "missing"
    if want.dtype.kind in "OS":  # NumPy's fixed width is no part of the value
        want = want.astype("S")
        if got.dtype.kind == "S":
            got = got.astype(want.dtype if want.itemsize > got.itemsize else got.dtype)
            want = want.astype(got.dtype)
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"got {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    kind = str(want.dtype)
    if kind not in TOLERANCE:
        bad = got != want
    else:
        rtol, atol = TOLERANCE[kind]
        wide = np.complex128 if want.dtype.kind == "c" else np.float64
        a, b = got.astype(wide), want.astype(wide)
        finite = np.isfinite(b)
        scale = np.abs(np.where(finite, b, 0))
        # Sums may be reordered: the largest element sets the absolute part, up to a limit.
        floor = atol * min(max(1.0, scale.max(initial=0)), 1e3) + (1.2e-38 if kind == "float32" else 0)
        with np.errstate(all="ignore"):
            bad = ~((a == b) | (np.isnan(a) & np.isnan(b)) | (finite & (np.abs(a - b) <= rtol * scale + floor)))
    if not bad.any():
        return None
    at = tuple(int(k[0]) for k in np.nonzero(bad)) if bad.ndim else ()
    return f"{np.count_nonzero(bad)} of {bad.size} wrong, first at {list(at)}: {got[at]} for {want[at]}"


def check(graph, args):
    """Returns (passed, [(case, reason)])."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="ops-"))
    count = len(graph.results)
    try:
        (work / "m.pb").write_bytes(graph.definition.SerializeToString(deterministic=True))
        if args.keep:
            shutil.copy(work / "m.pb", pathlib.Path(args.keep) / f"{graph.label}.pb")
        execute("compile", [args.tenon, "compile", work / "m.pb", "-o", work / "m", *shlex.split(args.options)], 120)
        np.savez(work / "in.npz", **dict(to_file(k, v) for k, v in graph.feeds.items()))
        command = [work / "m", "-o", work / "out.npz"] if not graph.feeds else [work / "m", work / "in.npz", "-o", work / "out.npz"]
        execute("run", command, 60)
        out = np.load(work / "out.npz")
        wrong = []
        for number, feeds, kept, values in graph.results:
            for tensor, want in zip(kept, values):
                reason = matches(from_file(out, tensor.op.name), np.asarray(want))
                if reason:
                    shapes = " ".join(f"{v.dtype}{list(v.shape)}" for v in feeds.values())
                    wrong.append((number, f"({shapes}) {tensor.op.name}: {reason}"))
                    break
        return count - len(wrong), wrong
    except Failure as failure:
        return 0, [(number, str(failure)) for number, *_ in graph.results]
    finally:
        shutil.rmtree(work, ignore_errors=True)


def dtype_of(arguments):
    for value in arguments.values():
        for v in value if isinstance(value, list) else [value]:
            v = v.value if isinstance(v, cases.Const) else v
            if isinstance(v, (np.ndarray, np.generic)):
                return str(v.dtype)
    return "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--family", default="")
    parser.add_argument("--only", default="", help="regular expression on Op/dtype/mode")
    parser.add_argument("--options", default="--cpu native")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--keep", help="copy every graph into this folder")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    groups = collections.OrderedDict()
    for name, function in cases.FAMILIES.items():
        cases.rng = np.random.default_rng(11)
        if re.search(args.family, name):
            for op, arguments in function():
                groups.setdefault((op, dtype_of(arguments)), []).append(arguments)
    totals, lines = collections.OrderedDict(), []

    def prepare():
        for (op, dtype), items in groups.items():
            for dynamic in (False, True):
                label = f"{op}/{dtype}/{'dynamic' if dynamic else 'static'}"
                if not re.search(args.only, label):
                    continue
                graph = Graph(op, items, dynamic)
                graph.label = label.replace("/", "-")
                # Without a fed array both modes are the same graph.
                if graph.results and (graph.feeds or not dynamic):
                    yield op, label, graph

    def report(op, label, result):
        passed, wrong = result
        total = totals.setdefault(op, [0, 0])
        total[0] += passed
        total[1] += len(wrong)
        line = f"pass {label:44} {passed}" if not wrong else f"FAIL {label:44} {len(wrong)} of {passed + len(wrong)}: case {wrong[0][0]} {wrong[0][1]}"
        lines.append(line)
        print(line, flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        waiting = collections.deque()
        for op, label, graph in prepare():
            waiting.append((op, label, pool.submit(check, graph, args)))
            while len(waiting) > args.jobs:
                op, label, future = waiting.popleft()
                report(op, label, future.result())
        for op, label, future in waiting:
            report(op, label, future.result())
    summary = [f"{op}: {p} passed, {f} failed" for op, (p, f) in totals.items() if f]
    all_passed, all_failed = sum(p for p, _ in totals.values()), sum(f for _, f in totals.values())
    summary.append(f"{len(totals)} ops, {all_passed} passed, {all_failed} failed")
    print("\n".join(summary))
    if args.report:
        failures = sorted((x for x in lines if x.startswith("FAIL")), key=lambda x: x.split(":", 1)[1][:60])
        args.report.write_text("\n".join([summary[-1], *failures, *summary[:-1]]) + "\n")
    sys.exit(1 if all_failed else 0)


if __name__ == "__main__":
    main()
