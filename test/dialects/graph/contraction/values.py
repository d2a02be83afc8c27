"""Products of every element type, transposed, batched and broadcast; einsum against NumPy."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(7)
program = Program()


def array(shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return rng.integers(-9 if dtype.kind == "i" else 0, 9, shape).astype(dtype)
    values = rng.normal(size=shape)
    return (values + 1j * rng.normal(size=shape) if dtype.kind == "c" else values).astype(dtype)


def product(name, a, b, flags="", dims=(None, None)):
    kind = NAMES[a.dtype]
    ta, tb = program.input(f"a{name}", a, dims[0]), program.input(f"b{name}", b, dims[1])
    wide = np.complex128 if a.dtype.kind == "c" else np.float64 if a.dtype.kind == "f" else a.dtype
    x, y = a.astype(wide), b.astype(wide)
    x = np.swapaxes(x, -1, -2) if "transpose_a" in flags else x
    y = np.swapaxes(y, -1, -2) if "transpose_b" in flags else y
    x = x.conj() if "conjugate_a" in flags else x
    want = np.matmul(x, y)
    free = want.shape if dims == (None, None) else ["?"] * want.ndim
    program.result(name, f"graph.matmul %a{name}, %b{name} {{{flags}}} : ({ta}, {tb}) -> {tensor(free, kind)}",
                   tensor(free, kind), want, atol=1e-4 if kind != "f64" else 1e-12)


for dtype in (np.float32, np.float64, np.complex64, np.int32, np.uint8, np.int64):
    label = np.dtype(dtype).name
    product(f"plain{label}", array((5, 7), dtype), array((7, 19), dtype))
    product(f"both{label}", array((7, 5), dtype), array((19, 7), dtype), "transpose_a, transpose_b")
product("adjoint", array((7, 5), np.complex64), array((7, 3), np.complex64), "transpose_a, conjugate_a")
for batch_a, batch_b in (((2,), (2,)), ((2, 3), (3,)), ((1, 3), (2, 1)), ((), (4,)), ((4,), ())):
    name = "batch" + "x".join(map(str, batch_a)) + "_" + "x".join(map(str, batch_b))
    a, b = array((*batch_a, 4, 5), np.float32), array((*batch_b, 5, 6), np.float32)
    product(name, a, b)
    product(name + "free", a, b, dims=(["?"] * a.ndim, ["?"] * b.ndim))
product("empty", array((0, 4), np.float32), array((4, 3), np.float32))
product("nothing", array((3, 0), np.float32), array((0, 4), np.float32))

for i, (equation, *shapes) in enumerate((
        ("ab,bc->ac", (3, 4), (4, 5)), ("abc,cde->abde", (2, 3, 4), (4, 5, 6)),
        ("aecd,abcd->acbe", (2, 3, 4, 5), (2, 6, 4, 5)), ("acbe,aecd->abcd", (2, 4, 6, 3), (2, 3, 4, 5)),
        ("ab,cb->ac", (3, 4), (5, 4)), ("ab,ab->", (3, 4), (3, 4)), ("ab,cd->abcd", (2, 3), (4, 5)),
        ("ii->i", (4, 4)), ("ii->", (4, 4)), ("abc->cb", (2, 3, 4)), ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 6)),
        ("abc,bd->ad", (2, 3, 4), (3, 5)))):
    given = [array(shape, np.float32) for shape in shapes]
    want = np.einsum(equation, *[x.astype(np.float64) for x in given])
    for free in (False, True):
        label = f"einsum{i}{'free' if free else ''}"
        if free and "..." in equation:
            continue  # a broadcast dimension must be known to be 1
        types = [program.input(f"{label}_{k}", x, ["?"] * x.ndim if free else None) for k, x in enumerate(given)]
        result = tensor(["?"] * want.ndim if free else want.shape, "f32")
        names = ", ".join(f"%{label}_{k}" for k in range(len(given)))
        program.result(label, f'graph.einsum {names} {{equation = "{equation}"}} : ({", ".join(types)}) -> {result}',
                       result, want, atol=1e-4)
main(program)
