#!/usr/bin/env python3
"""Changes GraphDefs in ways that still parse, and checks that tenon never crashes.

    mutate.py TENON MODEL.pb... [--count N] [--seed N] [--command inspect|compile] [--keep DIR]

fuzz.py damages bytes, which mostly stops at the reader; this goes deeper: other
attributes, types, shapes, constants, inputs and operations. Needs TensorFlow's
message classes.
"""

import argparse
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

INTEGERS = [-1, 0, 1, 2, 3, 7, -2, 2**31 - 1, -2**31, 2**40, -2**63, 2**63 - 1]


def change_constant(tensor, rng):
    try:
        value = tf.make_ndarray(tensor)
    except Exception:  # already malformed
        return
    way = rng.randrange(4)
    if way == 0 and value.dtype.kind in "iu" and value.size:
        flat = value.reshape(-1).copy()
        info = np.iinfo(value.dtype)
        flat[rng.randrange(flat.size)] = min(max(rng.choice(INTEGERS), info.min), info.max)
        value = flat.reshape(value.shape)
    elif way == 1:
        value = value.reshape(-1)
    elif way == 2:
        value = value[None]
    elif value.size:
        value = value.reshape(-1)[:rng.randrange(value.size + 1)]
    if value.dtype != object:
        tensor.CopyFrom(tf.make_tensor_proto(value))


def change_attribute(attribute, rng):
    kind = attribute.WhichOneof("value")
    if kind == "i":
        attribute.i = rng.choice(INTEGERS)
    elif kind == "f":
        attribute.f = rng.choice([0.0, -1.0, float("nan"), float("inf"), 1e30])
    elif kind == "b":
        attribute.b = not attribute.b
    elif kind == "s":
        attribute.s = rng.choice([b"", b"SAME", b"VALID", b"EXPLICIT", b"NCHW", b"NHWC", b"max", b"\xff" * 5])
    elif kind == "type":
        attribute.type = rng.randrange(24)
    elif kind == "shape":
        dims = attribute.shape.dim
        if dims and rng.random() < 0.6:
            rng.choice(dims).size = rng.choice(INTEGERS)
        else:
            dims.add().size = rng.choice([-1, 0, 1, 5])
    elif kind == "tensor":
        change_constant(attribute.tensor, rng)
    elif kind == "list" and attribute.list.i:
        numbers = attribute.list.i
        if rng.random() < 0.7:
            numbers[rng.randrange(len(numbers))] = rng.choice(INTEGERS)
        else:
            del numbers[-1]
    elif kind == "func":
        attribute.func.name = "nowhere"


def mutate(graph, rng):
    nodes = list(graph.node)
    if rng.random() < 0.3:
        nodes = [n for function in graph.library.function for n in function.node_def] or nodes
    for _ in range(rng.randrange(1, 4)):
        node = rng.choice(nodes)
        way = rng.randrange(8)
        if way < 4 and node.attr:
            change_attribute(node.attr[rng.choice(sorted(node.attr))], rng)
        elif way == 4 and node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(rng.choice(nodes).input or [node.name])
        elif way == 5 and node.input:
            del node.input[rng.randrange(len(node.input))]
        elif way == 6:
            node.op = rng.choice(nodes).op
        elif node.attr:
            del node.attr[rng.choice(sorted(node.attr))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tenon")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--command", default="inspect")
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    tally, bad = {0: 0, 1: 0}, []
    with tempfile.TemporaryDirectory() as scratch:
        for model in args.models:
            original = tf.compat.v1.GraphDef()
            original.ParseFromString(pathlib.Path(model).read_bytes())
            for number in range(args.count):
                graph = tf.compat.v1.GraphDef()
                graph.CopyFrom(original)
                mutate(graph, rng)
                target = pathlib.Path(scratch) / "m.pb"
                target.write_bytes(graph.SerializeToString(deterministic=True))
                command = [args.tenon, args.command, target]
                if args.command == "compile":
                    command += ["-o", f"{scratch}/out.o", "--cpu", "native"]
                try:
                    done = subprocess.run(command, capture_output=True, timeout=120)
                    status, text = done.returncode, done.stderr.decode(errors="replace")
                except subprocess.TimeoutExpired:
                    status, text = "timeout", ""
                if status == 0 or status == 1 and "error:" in text:
                    tally[status] += 1
                    continue
                lines = text.splitlines()
                first = next((x for x in lines if "ssert" in x or "UNREACH" in x or "ERROR" in x), lines[0] if lines else "")
                bad.append(f"{model} {number}: status {status}: {first[:250]}")
                print(bad[-1], flush=True)
                if args.keep:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    (args.keep / f"{pathlib.Path(model).parent.name}-{number}.pb").write_bytes(target.read_bytes())
    print(f"{tally[0]} accepted, {tally[1]} refused, {len(bad)} crashed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
