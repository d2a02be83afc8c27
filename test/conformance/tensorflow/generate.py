#!/usr/bin/env python3
"""Draws one-op cases, asks TensorFlow for their results, and writes packs for run.py.

    generate.py OUT [--seed N] [--rounds N] [--family REGEX] [--only REGEX] [--size N] [--limit N] [--share F] [--feed F] [--open F]

A pack is one GraphDef with up to `--size` cases of a family. Which sizes of a fed tensor are known to the graph is
drawn as well. What TensorFlow refuses, or has no CPU kernel for, is no case. Needs TensorFlow 2.21.
"""

import argparse
import collections
import io
import json
import os
import pathlib
import re
import zipfile
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import kernels

import cases
import cases_gradients  # noqa: F401 (adds its families)
import cases_images  # noqa: F401
import cases_matrices  # noqa: F401
import cases_strings  # noqa: F401
import draw
import rules

v1 = tf.compat.v1
CONFIG = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
CONFIG.graph_options.optimizer_options.opt_level = -1
CONFIG.graph_options.rewrite_options.disable_meta_optimizer = True


def typed(name, value):
    return (f"{name}__bf16", value.view(np.uint16)) if value.dtype == cases.BF16 else (name, value)


def arrays(values):
    """The bytes of an .npz file that depend on nothing else than the arrays."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in values.items():
            name, value = typed(name, value)
            if value.dtype.kind in "OU":
                value = value.astype("S")
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(value).reshape(value.shape), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue(), zipfile.ZIP_DEFLATED)
    return data.getvalue()


class Feeds:
    """Turns what a rule drew into tensors of the graph, and keeps what is fed."""

    feed = 0.0  # how likely a constant is fed instead
    open = 0.0  # how likely no size is known

    def __init__(self, name, known):
        self.name, self.known, self.fed = name, known, {}

    def tensor(self, value):
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], (np.ndarray, np.generic, cases.Const, draw.Sized)):
            return [self.tensor(v) for v in value]
        if isinstance(value, cases.Const):
            if not (value.value.size and cases.rng.random() < self.feed):
                return tf.constant(value.value)
            value = draw.Sized(value.value)
        sized = isinstance(value, draw.Sized)
        value = value.value if sized else value
        if not isinstance(value, (np.ndarray, np.generic)):
            return value
        value = np.asarray(value)
        name = f"{self.name}_x{len(self.fed)}"
        self.fed[name] = value
        # Where not even a size of 1 is known, what broadcasts is found by the run.
        known = {"static": lambda d, n: True, "batch": lambda d, n: d > 0 or n == 1, "dynamic": lambda d, n: n == 1, "open": lambda d, n: False}[self.known]
        return v1.placeholder(value.dtype, [n if sized or known(d, n) else None for d, n in enumerate(value.shape)], name)


def describe(arguments, fed, known):
    sizes = " ".join(f"{v.dtype}{list(v.shape)}" for v in fed.values())
    more = {k: v for k, v in arguments.items() if isinstance(v, (bool, int, float, str)) or (isinstance(v, list) and all(isinstance(x, (int, float)) for x in v))} \
        if isinstance(arguments, dict) else {}
    return " ".join([known, sizes, *(f"{k}={v}" for k, v in more.items())]).strip()


def type_of(arguments):
    for value in arguments.values() if isinstance(arguments, dict) else ():
        for v in value if isinstance(value, (list, tuple)) else [value]:
            v = getattr(v, "value", v)
            if isinstance(v, (np.ndarray, np.generic)):
                return "string" if v.dtype.kind in "SUO" else str(v.dtype)
    return ""


def open_output(op, arguments, i):
    """Outputs whose contents TensorFlow leaves open."""
    if op == "SelfAdjointEigV2":
        return i == 1 and not arguments.get("compute_v", True)
    if op == "Eig":
        return i == 1 and not arguments.get("compute_v", True)
    if op == "Svd" and isinstance(arguments, dict):
        return i > 0 and not arguments.get("compute_uv", True)
    return op.startswith("FusedBatchNorm") and i >= 3


def runs(node, found={}):  # noqa: B006 (remembers)
    """Whether the CPU has a kernel for a node; one without keeps a session from running all others."""
    types = {n: a.type for n, a in node.attr.items() if a.WhichOneof("value") == "type"}
    key = (node.op, *sorted(types.items()))
    if key not in found:
        all_of = kernels.get_registered_kernels_for_op(node.op).kernel
        found[key] = not all_of or any(
            k.device_type in ("CPU", "DEFAULT") and all(types.get(c.name) in c.allowed_values.list.type for c in k.constraint if c.name in types) for k in all_of)
    return found[key]


def why(error):
    """What TensorFlow says, without where."""
    lines = [x.strip() for x in str(error).splitlines() if x.strip()]
    return next((x for x in lines if "{{" in x or "No OpKernel" in x or "must be" in x), lines[-1])[:150]


def flat(made):
    for x in made if isinstance(made, (list, tuple)) else [made]:
        yield from flat(x) if isinstance(x, (list, tuple)) else [x] if x is not None and isinstance(x, tf.Tensor) else []


class Pack:
    def __init__(self, family, items, refused):
        self.family, self.cases, self.feeds, self.wanted = family, [], {}, {}
        with tf.Graph().as_default() as graph:
            v1.disable_control_flow_v2()
            built = []
            for number, (op, arguments) in enumerate(items):
                known = "open" if cases.rng.random() < Feeds.open else ("static", "dynamic", "batch")[cases.rng.integers(3)]
                feeds = Feeds(f"c{number}", known)
                tf.compat.v1.set_random_seed(None)
                try:
                    if callable(arguments):
                        made = arguments(feeds)
                    else:
                        made = getattr(tf.raw_ops, op)(**{k: feeds.tensor(v) for k, v in arguments.items()})
                    kept = [tf.identity(t, f"c{number}_y{i}") for i, t in enumerate(flat(made)) if not open_output(op, arguments, i)]
                except Exception as e:  # this TensorFlow refuses the combination: not a case
                    refused[op, why(e)] += 1
                    continue
                # A rank that only the run knows is no type of the compiler.
                if kept and all(t.shape.rank is not None for t in kept):
                    built.append((number, op, arguments, feeds, kept))
            definition = graph.as_graph_def()
            broken = {n.name for n in definition.node if not runs(n)}
            fine = []
            for case in built:
                part = v1.graph_util.extract_sub_graph(definition, [t.op.name for t in case[-1]])
                missing = [n.op for n in part.node if n.name in broken]
                if missing:
                    refused[case[1], f"no kernel of {missing[0]} for this type"] += 1
                else:
                    fine.append(case)
        if not fine:
            return
        definition = v1.graph_util.extract_sub_graph(definition, [t.op.name for case in fine for t in case[-1]])
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="")
            with v1.Session(graph=graph, config=CONFIG) as session:
                for number, op, arguments, feeds, kept in fine:
                    fails = getattr(arguments, "fails", False)
                    try:
                        given = session.run([t.name for t in kept], {k + ":0": v for k, v in feeds.fed.items()})
                    except Exception as e:  # no CPU kernel for this type
                        if fails and "No OpKernel" not in str(e):
                            self.failure(f"c{number}", op, definition, feeds, kept)
                        else:
                            refused[op, why(e)] += 1
                        continue
                    if fails:
                        refused[op, "no error"] += 1
                        continue
                    results = {t.op.name: np.asarray(v) for t, v in zip(kept, given)}
                    dtype = getattr(arguments, "dtype", "") or type_of(arguments) or str(next(iter(results.values())).dtype)
                    self.cases.append({"name": f"c{number}", "family": family, "op": op, "dtype": dtype, "what": describe(arguments, feeds.fed, feeds.known),
                                       "feeds": list(feeds.fed), "results": list(results), "tolerance": rules.tolerance(op, dtype)})
                    self.feeds |= feeds.fed
                    self.wanted |= results
            if self.cases:
                self.definition = v1.graph_util.extract_sub_graph(definition, [r for c in self.cases for r in c["results"]])

    def failure(self, name, op, definition, feeds, kept):
        """A case whose run ends with a line that names one of its nodes."""
        results = [t.op.name for t in kept]
        nodes = [n.name for n in v1.graph_util.extract_sub_graph(definition, results).node if n.name not in results]
        self.cases.append({"name": name, "family": self.family, "op": op, "dtype": str(next(iter(feeds.fed.values())).dtype) if feeds.fed else "", "fails": nodes,
                           "what": describe(None, feeds.fed, feeds.known), "feeds": list(feeds.fed), "results": results})
        self.feeds |= feeds.fed

    def write(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in [("model.pb", self.definition.SerializeToString(deterministic=True)), ("in.npz", arrays(self.feeds)),
                               ("want.npz", arrays(self.wanted)), ("cases.json", json.dumps(self.cases).encode())]:
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)


def seeded(seed, name):
    cases.rng = np.random.default_rng([seed, zlib.crc32(name.encode())])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="how often each rule is drawn from per op and type")
    parser.add_argument("--family", default="", help="regular expression on families")
    parser.add_argument("--only", default="", help="regular expression on ops")
    parser.add_argument("--size", type=int, default=64, help="cases of a pack")
    parser.add_argument("--limit", type=int, default=1 << 30, help="bytes of fed values that a case may have")
    parser.add_argument("--share", type=float, default=1.0, help="part of the cases that is kept")
    parser.add_argument("--feed", type=float, default=0.0, help="part of the constants (axes, sizes, filters) that is fed, in known sizes")
    parser.add_argument("--open", type=float, default=0.0, help="part of the cases in which not even sizes of 1 are known")
    args = parser.parse_args()
    Feeds.feed, Feeds.open = args.feed, args.open
    args.out.mkdir(parents=True, exist_ok=True)
    refused, total, kinds = collections.Counter(), 0, collections.Counter()
    for name, function in {**cases.FAMILIES, **rules.families(args.rounds)}.items():
        if not re.search(args.family, name):
            continue
        seeded(args.seed, name)
        items = [x for x in function() if re.fullmatch(args.only or ".*", x[0])]
        items = [x for x in items if callable(x[1]) or rules.bytes_of(x[1]) <= args.limit]
        if args.share < 1:
            items = [items[n] for n in np.flatnonzero(cases.rng.random(len(items)) < args.share)]
        for n in range(0, len(items), args.size):
            pack = Pack(name, items[n:n + args.size], refused)
            if pack.cases:
                pack.write(args.out / f"{name}-{n // args.size:02}.zip")
                total += len(pack.cases)
                kinds.update(c["op"] for c in pack.cases)
        print(f"{name}: {len(items)} drawn", flush=True)
    (args.out / "refused.txt").write_text("".join(f"{n} {op}: {why}\n" for (op, why), n in sorted(refused.items())))
    print(f"{total} cases of {len(kinds)} operations; {sum(refused.values())} refused by TensorFlow")


if __name__ == "__main__":
    main()
