"""Shape ops on sizes that only the run knows, and on empty tensors."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import Program, main, tensor  # noqa: E402

rng = np.random.default_rng(3)
program = Program()
counter = 0


def constant(array):
    """Defines a constant; returns its name and type."""
    global counter
    counter += 1
    array = np.asarray(array, np.int32)
    kind = tensor(array.shape, "i32")
    text = str(array.tolist())
    program.lines.append(f"  %k{counter} = graph.constant dense<{text}> : {kind}")
    return f"%k{counter}", kind


for label, shape, dims in (("s", (2, 3, 4), None), ("d", (2, 3, 4), ("?", "?", "?")), ("e", (0, 3, 4), ("?", 3, 4)),
                           ("b", (5, 3, 4), ("?", 3, 4))):
    x = rng.normal(size=shape).astype(np.float32)
    kind = program.input(f"x{label}", x, dims)
    free = dims or shape
    known = lambda *sizes: tensor(sizes, "f32")

    def case(op, rest, operand_types, result, want):
        name = f"{op}{label}{len(program.results)}"
        types = ", ".join([kind, *operand_types])
        program.result(name, f"graph.{op} %x{label}{rest} : ({types}) -> {result}", result, want)

    k, kt = constant([-1, 12] if label != "e" else [0, 12])
    case("reshape", f", {k}", [kt], known({"s": 2, "e": 0}.get(label, "?"), 12), x.reshape(shape[0], 12))
    k, kt = constant([-1])
    case("reshape", f", {k}", [kt], known("?" if dims else 24), x.reshape(-1))
    # A shape that only the run knows, with a rest.
    given = program.input(f"shape{label}", np.array([3, -1] if label != "e" else [3, 0], np.int32))
    case("reshape", f", %shape{label}", [given], known("?", "?"), x.reshape(3, -1 if label != "e" else 0))
    case("transpose", " {permutation = array<i64: 2, 0, 1>}", [], known(free[2], free[0], free[1]),
         x.transpose(2, 0, 1))
    case("expand_dims", " {axes = array<i64: 1, -1>}", [], known(free[0], 1, free[1], free[2], 1),
         x[:, None, :, :, None])
    k, kt = constant([2, 1, 3])
    case("tile", f", {k}", [kt], known(*("?" if f == "?" or (f == 0 and label == "e") else f * m
                                         for f, m in zip(free, (2, 1, 3)))), np.tile(x, (2, 1, 3)))
    times = program.input(f"times{label}", np.array([1, 2, 0], np.int32))
    case("tile", f", %times{label}", [times], known("?", "?", "?"), np.tile(x, (1, 2, 0)))
    wide = program.input(f"wide{label}", np.array([2, *shape], np.int32))
    case("broadcast_to", f", %wide{label}", [wide], known("?", "?", "?", "?"), np.broadcast_to(x, (2, *shape)))
    case("concat", f", %x{label} {{axis = 0 : i64}}", [kind], known(*(["?" if dims else 4, *free[1:]])),
         np.concatenate([x, x]))
    case("concat", f", %x{label} {{axis = -1 : i64}}", [kind], known(*free[:2], "?" if free[2] == "?" else 8),
         np.concatenate([x, x], -1))
    case("pack", f", %x{label} {{axis = 1 : i64}}", [kind], known(free[0], 2, *free[1:]), np.stack([x, x], 1))
    case("pack", f", %x{label} {{axis = -1 : i64}}", [kind], known(*free, 2), np.stack([x, x], -1))
    case("shape_of", "", [], "tensor<3xi32>", np.array(shape, np.int32))
    case("bitcast", "", [], tensor(free, "i32"), x.view(np.int32))

for kind, dtype, (start, limit, delta) in (("i32", np.int32, (2, 17, 5)), ("i32", np.int32, (9, -4, -3)),
                                           ("i32", np.int32, (4, 4, 1)), ("f32", np.float32, (1, 3, 0.25)),
                                           ("f32", np.float32, (5, 6, -1))):
    i = len(program.results)
    for name, value in (("start", start), ("limit", limit), ("delta", delta)):
        program.input(f"{name}{i}", np.array(value, dtype))
    scalar = tensor((), kind)
    program.result(f"range{i}", f"graph.range %start{i}, %limit{i}, %delta{i} : ({scalar}, {scalar}, {scalar}) -> "
                   f"tensor<?x{kind}>", f"tensor<?x{kind}>", np.arange(start, limit, delta, dtype))
main(program)
