#!/usr/bin/env python3
"""Compiles graphs of many nodes, runs them, and compares with NumPy.

    nodes.py TENON [--kinds chain,layers] [--sizes 5000,50000] [--keep FOLDER]

Prints, for each kind of graph and number of nodes, the compiler's CPU seconds
(user + system), CPU milliseconds per node, peak memory, the size of the
program and whether its results are right. Time per node that grows from one
size to the next is a pass that is not linear.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile

import numpy as np

FLOAT, INT, RESOURCE = "DT_FLOAT", "DT_INT32", "DT_RESOURCE"


def shape_text(shape):
    return " ".join(f"dim{{size:{size}}}" for size in shape)


def tensor_text(value):
    dtype, field = (FLOAT, "float_val") if value.dtype == np.float32 else (INT, "int_val")
    values = " ".join(f"{field}:{x!r}" for x in value.ravel().tolist())
    return f"tensor{{dtype:{dtype} tensor_shape{{{shape_text(value.shape)}}} {values}}}"


class Graph:
    """A GraphDef in text form, and the values of its nodes."""

    def __init__(self):
        self.lines, self.values, self.feeds, self.count = [], {}, {}, 0
        self.functions = []
        self.entries = []

    def node(self, op, inputs=(), value=None, attrs="", name=None):
        name = name or f"n{self.count}"
        self.count += 1
        text = " ".join(f'input:"{x}"' for x in inputs)
        self.lines.append(f'node{{name:"{name}" op:"{op}" {text} {attrs}}}')
        self.values[name] = value
        return name

    def attr(self, key, value):
        return f'attr{{key:"{key}" value{{{value}}}}}'

    def t(self, key="T", dtype=FLOAT):
        return self.attr(key, f"type:{dtype}")

    def const(self, value):
        value = np.asarray(value, np.int32 if isinstance(value, int) else np.float32) if not isinstance(value, np.ndarray) else value
        dtype = FLOAT if value.dtype == np.float32 else INT
        return self.node("Const", (), value, self.t("dtype", dtype) + self.attr("value", tensor_text(value)))

    def feed(self, shape, name=None, dynamic=False):
        value = np.random.default_rng(self.count).uniform(-1, 1, shape).astype(np.float32)
        declared = [-1] + list(shape[1:]) if dynamic else shape
        name = self.node("Placeholder", (), value, self.t("dtype") + self.attr("shape", f"shape{{{shape_text(declared)}}}"), name or "x")
        self.feeds[name] = value
        return name

    def unary(self, op, a):
        functions = {
            "Relu": lambda x: np.maximum(x, 0),
            "Tanh": np.tanh,
            "Neg": np.negative,
            "Identity": lambda x: x,
            "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
            "Abs": np.abs,
            "Softmax": lambda x: np.exp(x - x.max(-1, keepdims=True)) / np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True),
        }
        return self.node(op, (a,), functions[op](self.values[a]).astype(np.float32), self.t())

    def binary(self, op, a, b):
        functions = {"AddV2": np.add, "Sub": np.subtract, "Mul": np.multiply, "Maximum": np.maximum, "Minimum": np.minimum, "MatMul": np.matmul, "BiasAdd": np.add}
        return self.node(op, (a, b), functions[op](self.values[a], self.values[b]), self.t())

    def sum_of(self, parts):
        value = np.sum([self.values[x] for x in parts], axis=0, dtype=np.float32)
        return self.node("AddN", parts, value, self.attr("N", f"i:{len(parts)}") + self.t())

    def concat(self, parts, axis):
        value = np.concatenate([self.values[x] for x in parts], axis)
        at = self.const(axis)
        return self.node("ConcatV2", [*parts, at], value, self.attr("N", f"i:{len(parts)}") + self.t() + self.t("Tidx", INT))

    def write(self, path):
        with open(path, "w") as out:
            out.write("\n".join(self.lines))
            if self.functions:
                out.write("\nlibrary{" + "\n".join(self.functions) + "}")
            out.write("\nversions{producer:1000}\n")


def step(g, i, a, b):
    op = ["AddV2", "Sub", "Maximum", "Tanh", "Neg"][i % 5]
    return g.unary(op, a) if op in ("Tanh", "Neg") else g.binary(op, a, b)


def chain(g, n, dynamic=False):
    """x + 1, * 0.5, relu, ... on a fed tensor"""
    a, one, half = g.feed([4, 8], dynamic=dynamic), g.const(1.0), g.const(0.5)
    while g.count < n:
        a = g.binary("AddV2", a, one)
        a = g.binary("Mul", a, half)
        a = g.unary("Relu", a)
    return [a]


def dynamic_chain(g, n):
    """the same with an unknown batch"""
    return chain(g, n, dynamic=True)


def web(g, n):
    """elementwise operations of values some steps back"""
    values = [g.feed([4, 8])]
    while g.count < n:
        values.append(step(g, g.count, values[-1], random.choice(values[-50:])))
    return values[-1:]


def scalars(g, n):
    """the same with scalars"""
    values = [g.feed([])]
    while g.count < n:
        values.append(step(g, g.count, values[-1], random.choice(values[-50:])))
    return values[-1:]


def mixed(g, n, dynamic=False):
    """elementwise operations, matmuls and softmax"""
    values, w = [g.feed([4, 8], dynamic=dynamic)], g.const(np.full([8, 8], 0.1, np.float32))
    while g.count < n:
        i, a, b = g.count, values[-1], random.choice(values[-50:])
        if i % 10 == 0:
            values.append(g.binary("MatMul", a, w))
        elif i % 6 == 5:
            values.append(g.unary("Softmax", a))
        else:
            values.append(step(g, i % 6, a, b))
    return values[-1:]


def dynamic_mixed(g, n):
    """the same with an unknown batch"""
    return mixed(g, n, dynamic=True)


def layers(g, n):
    """MatMul, BiasAdd, Relu with weights of their own"""
    random_numbers = np.random.default_rng(0)
    a = g.feed([4, 8])
    while g.count < n:
        w = g.const(random_numbers.normal(0, 0.4, [8, 8]).astype(np.float32))
        a = g.binary("MatMul", a, w)
        a = g.binary("BiasAdd", a, g.const(random_numbers.normal(0, 0.1, [8]).astype(np.float32)))
        a = g.unary("Relu", a)
    return [a]


def branches(g, n):
    """short independent chains, all added up"""
    x, ends = g.feed([4, 8]), []
    while g.count < n:
        a = g.binary("Mul", x, g.const(1.0 / (1 + len(ends))))
        for _ in range(3):
            a = g.unary("Tanh", a)
        ends.append(a)
    return [g.sum_of(ends)]


def outputs(g, n):
    """short independent chains, each a result"""
    x, ends = g.feed([4, 8]), []
    while g.count < n:
        a = g.binary("Mul", x, g.const(1.0 / (1 + len(ends))))
        for op in ("Tanh", "Neg", "Sigmoid"):
            a = g.unary(op, a)
        ends.append(a)
    return ends


def inputs(g, n):
    """thousands of placeholders"""
    a = g.feed([4])
    while g.count < n:
        a = g.binary("AddV2", a, g.feed([4], f"x{g.count}"))
    return [a]


def sums(g, n):
    """a tree of AddN over one tensor's multiples"""
    x = g.feed([4, 8])
    level = [g.binary("Mul", x, g.const(i / n)) for i in range(n // 2)]
    while len(level) > 1:
        level = [g.sum_of(level[i : i + 4]) for i in range(0, len(level), 4)]
    return level


def concats(g, n):
    """concatenations of thousands of parts"""
    x, parts = g.feed([2, 3]), []
    while g.count < n:
        parts.append(g.unary("Tanh", g.binary("Mul", x, g.const(g.count / n))))
    return [g.concat(parts, 1)]


def constants(g, n):
    """sums of constants only"""
    a = g.const(0.0)
    while g.count < n:
        a = g.binary("AddV2", a, g.const(1.0 / g.count))
    return [g.binary("Mul", g.feed([2]), a)]


def identities(g, n):
    """a chain of Identity"""
    a = g.unary("Tanh", g.feed([2]))
    while g.count < n:
        a = g.unary("Identity", a)
    return [g.unary("Neg", a)]


def controls(g, n):
    """control dependencies from node to node"""
    a = g.unary("Tanh", g.feed([2]))
    last = a
    while g.count < n:
        last = g.node("NoOp", ["^" + last])
    return [g.node("Neg", [a, "^" + last], -g.values[a], g.t())]


def reshapes(g, n):
    """transposes, reshapes, slices and paddings of one tensor"""
    a = g.feed([4, 8])
    perm, shape = g.const(np.array([1, 0], np.int32)), g.const(np.array([4, 8], np.int32))
    begin, size = g.const(np.array([1, 0], np.int32)), g.const(np.array([-1, 8], np.int32))
    pads = g.const(np.array([[1, 0], [0, 0]], np.int32))
    while g.count < n:
        a = g.node("Transpose", (a, perm), g.values[a].T, g.t() + g.t("Tperm", INT))
        a = g.node("Reshape", (a, shape), g.values[a].reshape(4, 8), g.t() + g.t("Tshape", INT))
        a = g.node("Slice", (a, begin, size), g.values[a][1:], g.t() + g.t("Index", INT))
        a = g.node("Pad", (a, pads), np.pad(g.values[a], [[1, 0], [0, 0]]), g.t() + g.t("Tpaddings", INT))
        a = g.unary("Tanh", a)
    return [a]


def reductions(g, n):
    """sums over an axis, added again"""
    a, axis = g.feed([4, 8]), g.const(1)
    while g.count < n:
        m = g.node("Mean", (a, axis), g.values[a].mean(1, keepdims=True, dtype=np.float32), g.t() + g.t("Tidx", INT) + g.attr("keep_dims", "b:true"))
        a = g.unary("Tanh", g.binary("Sub", a, m))
    return [a]


def variables(g, n):
    """variables, each assigned and read"""
    x, ends = g.feed([4]), []
    while g.count < n:
        i = len(ends)
        v = g.node("VarHandleOp", (), None, g.t("dtype") + g.attr("shape", "shape{dim{size:4}}") + g.attr("shared_name", f's:"v{i}"'), f"v{i}")
        value = g.binary("Mul", x, g.const(float(i % 7)))
        assign = g.node("AssignVariableOp", (v, value), None, g.t("dtype"))
        add = g.node("AssignAddVariableOp", (v, x, "^" + assign), None, g.t("dtype"))
        ends.append(g.node("ReadVariableOp", (v, "^" + add), g.values[value] + g.values[x], g.t("dtype")))
    return [g.sum_of(ends)]


def function(g, name, body, result):
    g.functions.append(
        f'function{{signature{{name:"{name}" input_arg{{name:"x" type:{FLOAT}}} output_arg{{name:"y" type:{FLOAT}}}}} {body} ret{{key:"y" value:"{result}"}}}}'
    )


def call(g, name, a, value):
    types, callee = f"list{{type:{FLOAT}}}", f'func{{name:"{name}"}}'
    return g.node("StatefulPartitionedCall", (a,), value, g.attr("Tin", types) + g.attr("Tout", types) + g.attr("f", callee))


def calls(g, n):
    """one function called again and again"""
    function(g, "f", f'node_def{{name:"t" op:"Tanh" input:"x" {g.t()}}} node_def{{name:"s" op:"Neg" input:"t:y:0" {g.t()}}}', "s:y:0")
    a = g.feed([4])
    while 3 * g.count < n:
        a = call(g, "f", a, -np.tanh(g.values[a]))
    return [a]


def nests(g, n):
    """functions in functions"""
    depth = 50
    for i in range(depth):
        types = f"list{{type:{FLOAT}}}"
        callee = f'func{{name:"f{i + 1}"}}'
        inner = f'node_def{{name:"c" op:"StatefulPartitionedCall" input:"x" {g.attr("Tin", types)} {g.attr("Tout", types)} {g.attr("f", callee)}}}'
        last = i + 1 == depth
        body = f'node_def{{name:"t" op:"Neg" input:"{"x" if last else "c:output:0"}" {g.t()}}}'
        function(g, f"f{i}", body if last else inner + body, "t:y:0")
    a = g.feed([4])
    while 2 * depth * g.count < n:
        a = call(g, "f0", g.unary("Tanh", a), np.tanh(g.values[a]) * (-1) ** depth)
    return [a]


def loop(g, n):
    """a while loop with a long body"""
    x = g.feed([4, 8])
    i64 = f"type:{INT}"
    arguments = f'input_arg{{name:"i" {i64}}} input_arg{{name:"x" type:{FLOAT}}}'
    const = lambda name, value: f'node_def{{name:"{name}" op:"Const" {g.t("dtype", INT)} {g.attr("value", tensor_text(np.int32(value)))}}}'
    g.functions.append(f'function{{signature{{name:"cond" {arguments} output_arg{{name:"y" type:DT_BOOL}}}} {const("n", 3)} node_def{{name:"l" op:"Less" input:"i" input:"n:output:0" {g.t("T", INT)}}} ret{{key:"y" value:"l:z:0"}}}}')
    lines, a, value = [], "x", g.values[x]
    operations = []
    while len(lines) < n:
        op = ["Tanh", "Neg", "AddV2"][len(lines) % 3]
        operations.append(op)
        second = 'input:"x"' if op == "AddV2" else ""
        lines.append(f'node_def{{name:"b{len(lines)}" op:"{op}" input:"{a}" {second} {g.t()}}}')
        a = f"b{len(lines) - 1}:{'z' if op == 'AddV2' else 'y'}:0"
    for _ in range(3):
        start = value
        for op in operations:
            value = np.tanh(value) if op == "Tanh" else -value if op == "Neg" else value + start
    g.functions.append(
        f'function{{signature{{name:"body" {arguments} output_arg{{name:"j" {i64}}} output_arg{{name:"y" type:{FLOAT}}}}} {const("o", 1)} node_def{{name:"a" op:"AddV2" input:"i" input:"o:output:0" {g.t("T", INT)}}} '
        + " ".join(lines)
        + f' ret{{key:"j" value:"a:z:0"}} ret{{key:"y" value:"{a}"}}}}'
    )
    zero = g.const(0)
    types = f"list{{type:{INT} type:{FLOAT}}}"
    w = g.node("StatelessWhile", (zero, x), None, g.attr("T", types) + g.attr("cond", 'func{name:"cond"}') + g.attr("body", 'func{name:"body"}'))
    return [g.node("Neg", (w + ":1",), -value, g.t())]


def conditions(g, n):
    """If after If"""
    for name, op in (("yes", "Tanh"), ("no", "Neg")):
        function(g, name, f'node_def{{name:"t" op:"{op}" input:"x" {g.t()}}}', "t:y:0")
    a = g.feed([4])
    zero, axis = g.const(0.0), g.const(0)
    types = f"list{{type:{FLOAT}}}"
    while g.count < n:
        total = g.values[a].sum(dtype=np.float32)
        s = g.node("Sum", (a, axis), total, g.t() + g.t("Tidx", INT))
        less = g.node("Less", (zero, s), None, g.t())
        value = np.tanh(g.values[a]) if total > 0 else -g.values[a]
        a = g.node("StatelessIf", (less, a), value, g.t("Tcond", "DT_BOOL") + g.attr("Tin", types) + g.attr("Tout", types) + g.attr("then_branch", 'func{name:"yes"}') + g.attr("else_branch", 'func{name:"no"}'))
    return [a]


def splits(g, n):
    """a tensor unpacked into thousands of parts and packed again"""
    width = n // 4
    x = g.feed([width, 3])
    u = g.node("Unpack", (x,), None, g.attr("num", f"i:{width}") + g.t())
    parts = []
    for i in range(width):
        part = f"{u}:{i}" if i else u
        g.values[part] = g.values[x][i]
        parts.append(g.unary("Neg", g.unary("Tanh", part)))
    value = np.stack([g.values[p] for p in parts])
    return [g.node("Pack", parts, value, g.attr("N", f"i:{width}") + g.t())]


KINDS = [
    chain, dynamic_chain, web, scalars, mixed, dynamic_mixed, layers, branches, outputs, inputs, sums, concats, constants, identities, controls,
    reshapes, reductions, variables, calls, nests, loop, conditions, splits,
]  # fmt: skip


def measure(tenon, kind, n, folder, options):
    random.seed(1)
    g = Graph()
    fetches = kind(g, n)
    base = os.path.join(folder, f"{kind.__name__}{n}")
    g.write(base + ".pbtxt")
    results = ", ".join(f"r{i} = {name}" for i, name in enumerate(fetches))
    entry = f"main({', '.join(g.feeds)}) -> {results}"
    command = [tenon, "compile", base + ".pbtxt", "-o", base + ".exe", *options]
    if len(entry) < 100000:
        command += ["--entry", entry]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = usage.ru_utime + usage.ru_stime
    line = f"{kind.__name__:14} {n:6} {seconds:8.2f} s {1000 * seconds / n:8.3f} ms/node {usage.ru_maxrss // 1024:6} MiB"
    if status:
        print(line, "failed:", errors.strip()[:300], flush=True)
        return False
    np.savez(base + ".npz", **g.feeds)
    process = subprocess.run([base + ".exe", base + ".npz", "-o", base + ".out.npz"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if process.returncode:
        print(line, "does not run:", process.stderr.strip()[:300], flush=True)
        return False
    got = np.load(base + ".out.npz")
    right = True
    for i, name in enumerate(fetches):
        value = got[f"r{i}" if f"r{i}" in got else name]
        right &= np.allclose(value, g.values[name], rtol=1e-3, atol=1e-4)
    print(line, f"{os.path.getsize(base + '.exe') // 1024:6} KiB", "right" if right else "WRONG", flush=True)
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon")
    parser.add_argument("--kinds", default=",".join(kind.__name__ for kind in KINDS))
    parser.add_argument("--sizes", default="5000,10000,50000")
    parser.add_argument("--keep")
    parser.add_argument("options", nargs="*", help="of the compiler, after --")
    arguments = parser.parse_args()
    names = arguments.kinds.split(",")
    fine = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or scratch
        os.makedirs(folder, exist_ok=True)
        for kind in KINDS:
            if kind.__name__ in names:
                for size in arguments.sizes.split(","):
                    fine &= measure(arguments.tenon, kind, int(size), folder, arguments.options)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
