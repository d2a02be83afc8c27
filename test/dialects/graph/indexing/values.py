"""Slices, gathers and the rest with indices that only the run knows."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(23)
program = Program()


def case(name, line, kind, want, **extra):
    program.result(name, f"graph.{line} -> {kind}", kind, want, **extra)


def free(shape, element="f32"):
    return tensor(["?"] * len(shape), element)


x = rng.normal(size=(5, 6, 3)).astype(np.float32)
for label, dims in (("s", None), ("d", ["?", "?", "?"])):
    kx = program.input(f"x{label}", x, dims)
    for i, (begin, end, stride, masks) in enumerate((
            ([1, 0, 0], [4, 6, 3], [1, 2, 1], {}), ([-2, 4, 2], [9, 0, -9], [1, -1, -2], {}),
            ([1, 2, 1], [2, 9, 2], [1, 1, 1], {"shrink_axis": 5}), ([0, 1], [0, -1], [1, 1], {"ellipsis": 1}),
            ([0, 0, 1], [0, 0, 3], [1, 1, 1], {"new_axis": 1, "begin": 2, "end": 2}),
            ([9, 3, 0], [2, 1, 3], [1, 1, 1], {}))):
        index = []
        for k, (b, e, s) in enumerate(zip(begin, end, stride)):
            has = lambda m: masks.get(m, 0) >> k & 1
            index.append(Ellipsis if has("ellipsis") else None if has("new_axis") else b if has("shrink_axis")
                         else slice(None if has("begin") else b, None if has("end") else e, s))
        want = x[tuple(index)]
        text = ", ".join(f"{m}_mask = {v} : i64" for m, v in masks.items())
        name, n = f"slice{label}{i}", len(begin)
        kind = tensor((n,), "i32")
        # Known to the run only.
        for part, values in (("b", begin), ("e", end)):
            program.input(f"{part}{name}", np.array(values, np.int32))
        program.lines.append(f"  %s{name} = graph.constant dense<{stride}> : {kind}")
        case(name, f"strided_slice %x{label}, %b{name}, %e{name}, %s{name} {{{text}}} : ({kx}, {kind}, {kind}, {kind})",
             tensor([1 if index[k] is None else "?" for k in range(1)] + ["?"] * (want.ndim - 1), "f32")
             if index[0] is None or dims else
             tensor([n if index[0] is Ellipsis else "?" for n in want.shape], "f32") if index[0] is Ellipsis
             else free(want.shape), want)
        for part, values in (("c", begin), ("f", end)):
            program.lines.append(f"  %{part}{name} = graph.constant dense<{values}> : {kind}")
        case(name + "known", f"strided_slice %x{label}, %c{name}, %f{name}, %s{name} {{{text}}} : "
             f"({kx}, {kind}, {kind}, {kind})", tensor(want.shape, "f32") if not dims else
             tensor([1 if k == 0 and index[0] is None else "?" for k in range(want.ndim)], "f32"), want)
    i = rng.integers(0, 5, (2, 4)).astype(np.int32)
    ki = program.input(f"i{label}", i, ["?", "?"] if dims else None)
    want = x[i]
    case(f"gather{label}", f"gather %x{label}, %i{label} : ({kx}, {ki})", free(want.shape) if dims
         else tensor(want.shape, "f32"), want)
    want = x[:, :, np.clip(i, 0, 2)]
    j = np.clip(i, 0, 2).astype(np.int64)
    kj = program.input(f"j{label}", j, ["?", "?"] if dims else None)
    case(f"gather_last{label}", f"gather %x{label}, %j{label} {{axis = -1 : i64}} : ({kx}, {kj})",
         free(want.shape) if dims else tensor(want.shape, "f32"), want)
    rows = rng.integers(0, 5, (7, 2)).astype(np.int32)
    kr = program.input(f"r{label}", rows, ["?", 2] if dims else None)
    want = x[rows[:, 0], rows[:, 1]]
    case(f"gather_nd{label}", f"gather_nd %x{label}, %r{label} : ({kx}, {kr})",
         free(want.shape) if dims else tensor(want.shape, "f32"), want)
    u = rng.normal(size=(7, 3)).astype(np.float32)
    ku = program.input(f"u{label}", u, ["?", "?"] if dims else None)
    for mode, function in (("add", np.add), ("sub", np.subtract), ("min", np.minimum), ("max", np.maximum)):
        want = x.copy()
        function.at(want, (rows[:, 0], rows[:, 1]), u)
        case(f"scatter_{mode}{label}", f'tensor_scatter %x{label}, %r{label}, %u{label} {{mode = "{mode}"}} : '
             f"({kx}, {kr}, {ku})", kx, want)
    p = program.input(f"p{label}", np.array([[1, 0], [2, 3], [0, 1]], np.int32))
    v = program.input(f"v{label}", np.array(7, np.float32))
    case(f"pad{label}", f"pad %x{label}, %p{label}, %v{label} : ({kx}, {p}, {v})", free(x.shape),
         np.pad(x, [(1, 0), (2, 3), (0, 1)], constant_values=7))
    case(f"reflect{label}", f"mirror_pad %x{label}, %p{label} : ({kx}, {p})", free(x.shape),
         np.pad(x, [(1, 0), (2, 3), (0, 1)], "reflect"))
    case(f"symmetric{label}", f"mirror_pad %x{label}, %p{label} {{symmetric}} : ({kx}, {p})", free(x.shape),
         np.pad(x, [(1, 0), (2, 3), (0, 1)], "symmetric"))
    k = program.input(f"k{label}", np.array(2, np.int32))
    order = np.argsort(-x, -1, "stable")[..., :2]
    kinds = [tensor([*(kx_d if kx_d else [5, 6]), "?"], e) for kx_d, e in ((dims and ["?", "?"], "f32"),
                                                                        (dims and ["?", "?"], "i32"))]
    program.lines.append(f"  %top{label}:2 = graph.top_k %x{label}, %k{label} : ({kx}, {k}) -> ({kinds[0]}, {kinds[1]})")
    program.input(f"two{label}", np.array([0, 0, 0], np.int32))
    case(f"top{label}_index", f"add %top{label}#1, %k{label} : ({kinds[1]}, {k})", kinds[1], (order + 2).astype(np.int32))
    mask = x > 0.5
    km = program.input(f"m{label}", mask, dims)
    case(f"nonzero{label}", f"nonzero %m{label} : ({km})", "tensor<?x3xi64>", np.argwhere(mask))

# A whole sort, with equal elements.
t = rng.integers(0, 9, (3, 37)).astype(np.float32)
kt, kk = program.input("t", t), program.input("kk", np.array(37, np.int32))
program.lines.append(f"  %sorted:2 = graph.top_k %t, %kk : ({kt}, {kk}) -> (tensor<3x?xf32>, tensor<3x?xi32>)")
program.input("nought", np.array(0, np.int32))
case("sorted_index", f"add %sorted#1, %nought : (tensor<3x?xi32>, {kk})", "tensor<3x?xi32>", np.argsort(-t, -1, "stable").astype(np.int32))

e = np.zeros((0, 3), np.float32)
ke = program.input("e", e, ["?", 3])
none = program.input("none", np.zeros(0, np.int32), ["?"])
case("gather_none", f"gather %xs, %none : ({tensor(x.shape, 'f32')}, {none})", "tensor<?x6x3xf32>", x[[]])
case("nonzero_none", f"nonzero %e : ({ke})", "tensor<?x2xi64>", np.zeros((0, 2), np.int64))
main(program)
