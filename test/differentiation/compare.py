#!/usr/bin/env python3
"""Compares derivatives with TensorFlow's.

    compare.py [--tenon build/bin/tenon] [--only REGEX] [--orders 1,2] [--dtypes float64,float32]
               [--dynamic | --batch] [--v1] [--exported] [--seed N] [--export FOLDER]

All functions of a family become one graph, whose derivatives by all inputs are
results of one entry point (functions that are `untaught` have none by
TensorFlow; central.py checks them); a family that does not compile is tried function by
function. Order 2 is the derivative of the sum of the first derivative. A result
passes when |got - want| <= 1e-5 |want| + 1e-6 max|want| (ten times that for
order 2), and is infinite or NaN where TensorFlow's is. --dynamic leaves all sizes
unknown, --batch the first one of each input; --v1 uses TensorFlow 1's control flow.
--exported compiles TensorFlow's derivatives instead of asking for Tenon's: they are
part of the graph. --export also writes graphs, inputs and expected results.
"""

import argparse
import collections
import os
import pathlib
import re
import sys
import tempfile
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

from check import difference, run
import functions_more  # noqa: F401, adds its functions
from functions import FUNCTIONS

v1 = tf.compat.v1


class Case:
    """One function in the graph at hand."""

    def __init__(self, name, args, dtype, order):
        function, draws, self.options = FUNCTIONS[name]
        rng = np.random.default_rng([zlib.crc32(name.encode()), args.seed])
        label = re.sub(r"\W", "_", name)
        self.name, self.label = name, label
        self.values = [draw.array(rng, dtype) for draw in draws]
        self.inputs = []
        for i, value in enumerate(self.values):
            is_filter = (i > 0 and re.match("window|model/conv", name)) or name.endswith("ct2")  # its window is part of the program
            shape = list(value.shape)
            if not is_filter:
                shape[:value.ndim if args.dynamic else 1 if args.batch else 0] = [None] * (value.ndim if args.dynamic else min(args.batch, value.ndim))
            self.inputs.append(v1.placeholder(value.dtype, shape, f"{label}_x{i}"))
        y = function(*self.inputs)
        # Every element of the result counts differently.
        count = tf.cast(tf.range(1, tf.size(y) + 1), y.dtype)
        self.loss = tf.reduce_sum(y * tf.reshape(tf.sin(count) + 1.5, tf.shape(y)), name=f"{label}_loss")
        self.order, self.exported = order, args.exported
        self.results = self.make_derivatives()

    def make_derivatives(self):
        """TensorFlow's, in the graph at hand."""
        results = []
        for x in [] if self.options.get("untaught") else self.inputs:
            target = self.loss
            for _ in range(self.order):
                target = tf.convert_to_tensor(v1.gradients(target, x, unconnected_gradients="zero")[0])
            results.append(tf.identity(target, name=f"{self.label}_d{len(results)}"))
        return results

    def fetches(self):
        """Tenon's, or those of the graph."""
        for i in range(len(self.inputs)):
            if self.exported:
                yield f"d_{self.label}_{i} = {self.label}_d{i}:0"
                continue
            text = f"{self.label}_loss:0"
            for _ in range(self.order):
                text = f"grad({text}, {self.label}_x{i}:0)"
            yield f"d_{self.label}_{i} = {text}"


class Group:
    """Functions that share a graph."""

    def __init__(self, names, args, dtype, order):
        self.cases, self.skipped = [], {}
        with tf.Graph().as_default() as graph:
            (v1.disable_control_flow_v2 if args.v1 else v1.enable_control_flow_v2)()
            for name in names:
                try:
                    self.cases.append(Case(name, args, dtype, order))
                except Exception as error:
                    self.skipped[name] = error
            losses = [node for case in self.cases for node in [case.loss.op.name, *(x.op.name for x in case.inputs)]]
            if args.exported:
                losses += [result.op.name for case in self.cases for result in case.results]
            self.definition = v1.graph_util.extract_sub_graph(graph.as_graph_def(), losses) if losses else None
            self.want = {}
            with v1.Session() as session:
                for case in list(self.cases):
                    try:
                        values = session.run(case.results, dict(zip(case.inputs, case.values)))
                    except Exception as error:  # no such kernel or derivative there: the session is of no use any more
                        if len(names) > 1:
                            raise
                        self.skipped[case.name] = error
                        self.cases.remove(case)
                        continue
                    for i, value in enumerate(values):
                        self.want[f"d_{case.label}_{i}"] = value

    def entry(self):
        feeds = [f"{case.label}_x{i}" for case in self.cases for i in range(len(case.inputs))]
        return f"main({', '.join(feeds)}) -> {', '.join(f for case in self.cases for f in case.fetches())}"

    def write(self, folder):
        (folder / "graph.pb").write_bytes(self.definition.SerializeToString())
        np.savez(folder / "in.npz", **{f"{c.label}_x{i}": v for c in self.cases for i, v in enumerate(c.values)})
        np.savez_compressed(folder / "want.npz", **self.want)
        (folder / "entry.txt").write_text(self.entry() + "\n")

    def run(self, tenon, folder):
        self.write(folder)
        return run(tenon, folder)


def check(names, args, dtype, order, report):
    try:
        group = Group(names, args, dtype, order)
    except Exception:
        for name in names:
            check([name], args, dtype, order, report)
        return
    for name, error in group.skipped.items():
        report[name] = f"skip {str(error).splitlines()[0][:120]}"
    if not group.cases:
        return
    with tempfile.TemporaryDirectory(prefix="differentiation-") as folder:
        got = group.run(args.tenon, pathlib.Path(folder))
        if isinstance(got, str) and len(group.cases) > 1:
            for case in group.cases:
                check([case.name], args, dtype, order, report)
            return
        if args.export and not isinstance(got, str):
            whole = names[0].split("/")[0] if len(names) > 1 else group.cases[0].label
            target = args.export / f"{'exported_' * args.exported}{whole}-{dtype}-{order}"
            target.mkdir(parents=True, exist_ok=True)
            group.write(target)
        for case in group.cases:
            worst = 0.0
            for i in range(len(case.inputs)):
                name = f"d_{case.label}_{i}"
                if not isinstance(got, str) and name not in group.want:
                    continue
                found = got if isinstance(got, str) else difference(got[name], group.want[name], order)
                if isinstance(found, str):
                    worst = f"FAIL {i}: {found}"
                    break
                worst = max(worst, found)
            report[case.name] = worst if isinstance(worst, str) else f"pass {worst:.2g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--only", default="")
    parser.add_argument("--orders", default="1,2")
    parser.add_argument("--dtypes", default="float64,float32")
    parser.add_argument("--dynamic", action="store_true")
    parser.add_argument("--batch", action="store_true")
    parser.add_argument("--v1", action="store_true")
    parser.add_argument("--exported", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true", help="also the cases that pass or are skipped")
    args = parser.parse_args()
    counts = collections.Counter()
    for order in map(int, args.orders.split(",")):
        for dtype in args.dtypes.split(","):
            families = collections.defaultdict(list)
            for name, (_, _, options) in FUNCTIONS.items():
                if not re.search(args.only, name) or (order > 1 and not options["smooth"]):
                    continue
                if dtype != "float32" and options.get("f32_only"):
                    continue
                families[name.split("/")[0]].append(name)
            for family, names in families.items():
                report = {}
                for part in [[name] for name in names] if args.exported else [names]:
                    check(part, args, dtype, order, report)
                for name, text in report.items():
                    kind = text.split()[0]
                    counts[kind] += 1
                    if args.verbose or kind == "FAIL":
                        print(f"{name} {dtype} order {order}: {text}", flush=True)
                summary = collections.Counter(text.split()[0] for text in report.values())
                print(f"# {family} {dtype} order {order}: {dict(summary)}", flush=True)
    print(dict(counts))
    sys.exit(1 if counts["FAIL"] else 0)


if __name__ == "__main__":
    main()
