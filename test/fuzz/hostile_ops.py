"""GraphDefs whose operations ask for the impossible: (name, bytes, what the message must say[, options])."""

import struct

from proto import *

F = dict(T=a_type(FLOAT))
X = placeholder("x")
IMAGE = placeholder("x", FLOAT, 1, 8, 8, 3)


def scalar(name, value, dtype=INT32):
    return const(name, dtype, (), struct.pack("<" + {INT32: "i", INT64: "q", FLOAT: "f"}[dtype], value))


def filled(name, *sizes):
    return const(name, FLOAT, sizes, None, floats(1.0))


def list_of(*numbers):
    return a_list(data(3, b"".join(varint(x) for x in numbers)))


def windows():
    conv = lambda **change: node("y", "Conv2D", ["x", "w"], **{**F, "strides": list_of(1, 1, 1, 1), "padding": a_text("VALID"), **change})
    w = filled("w", 3, 3, 3, 4)
    for name, change in (("strides-0", dict(strides=list_of(1, 0, 1, 1))), ("strides-negative", dict(strides=list_of(1, -2, 1, 1))), ("strides-few", dict(strides=list_of(1, 1))),
                         ("strides-many", dict(strides=list_of(*[1] * 900))), ("strides-huge", dict(strides=list_of(1, 1 << 62, 1 << 62, 1))), ("strides-batch", dict(strides=list_of(2, 1, 1, 2))),
                         ("dilations-0", dict(dilations=list_of(1, 0, 0, 1))), ("dilations-huge", dict(dilations=list_of(1, 1 << 62, 1, 1))), ("padding", dict(padding=a_text("NONSENSE"))),
                         ("explicit-missing", dict(padding=a_text("EXPLICIT"))), ("explicit-negative", dict(padding=a_text("EXPLICIT"), explicit_paddings=list_of(0, 0, -1, 0, 0, 0, 0, 0))),
                         ("explicit-huge", dict(padding=a_text("EXPLICIT"), explicit_paddings=list_of(0, 0, 1 << 62, 1 << 62, 0, 0, 0, 0))), ("format", dict(data_format=a_text("CHWN"))),
                         ("format-bytes", dict(data_format=a_text(b"\xff\0\xfe"))), ("padding-number", dict(padding=a_int(3)))):
        yield f"conv-{name}", graph(IMAGE, w, conv(**change)), "node 'y' (Conv2D)"
    yield "conv-channels", graph(IMAGE, filled("w", 3, 3, 5, 4), conv()), "node 'y' (Conv2D)"
    yield "conv-large-window", graph(IMAGE, filled("w", 30, 30, 3, 4), conv()), "node 'y' (Conv2D)"
    yield "conv-rank", graph(X, w, conv()), "node 'y' (Conv2D)"
    yield "conv-empty-window", graph(IMAGE, const("w", FLOAT, (0, 0, 3, 4), b""), conv()), "node 'y' (Conv2D)"
    pool = lambda **change: node("y", "MaxPool", ["x"], **{**F, "ksize": list_of(1, 2, 2, 1), "strides": list_of(1, 1, 1, 1), "padding": a_text("VALID"), **change})
    for name, change in (("window-0", dict(ksize=list_of(1, 0, 0, 1))), ("window-huge", dict(ksize=list_of(1, 1 << 40, 1 << 40, 1))), ("window-negative", dict(ksize=list_of(1, -2, 2, 1))),
                         ("window-missing", dict(ksize=list_of())), ("strides-0", dict(strides=list_of(1, 0, 0, 1)))):
        yield f"pool-{name}", graph(IMAGE, pool(**change)), "node 'y' (MaxPool)"
    block = lambda size: graph(IMAGE, node("y", "SpaceToDepth", ["x"], **F, block_size=a_int(size)))
    for name, size in (("0", 0), ("negative", -2), ("huge", 1 << 62), ("odd", 3)):
        yield f"block-{name}", block(size), "node 'y' (SpaceToDepth)"


def shapes():
    yield "concat-axis", graph(X, scalar("a", 9), node("y", "ConcatV2", ["x", "x", "a"], **F, N=a_int(2))), "node 'y' (ConcatV2)"
    yield "concat-none", graph(scalar("a", 0), node("y", "ConcatV2", ["a"], **F, N=a_int(0))), "node 'y' (ConcatV2)"
    yield "concat-float-axis", graph(X, scalar("a", 0.5, FLOAT), node("y", "ConcatV2", ["x", "x", "a"], **F, N=a_int(2))), "node 'y' (ConcatV2)"
    yield "split-0", graph(X, scalar("a", 0), node("y", "Split", ["a", "x"], **F, num_split=a_int(0))), "node 'y' (Split)"
    yield "split-odd", graph(X, scalar("a", 1), node("y", "Split", ["a", "x"], **F, num_split=a_int(2))), "node 'y' (Split)"
    yield "split-huge", graph(X, scalar("a", 1), node("y", "Split", ["a", "x"], **F, num_split=a_int(1 << 60))), "node 'y' (Split)"
    yield "split-sizes", graph(X, scalar("a", 1), indices("s", 1, 99), node("y", "SplitV", ["x", "s", "a"], **F, num_split=a_int(2))), "node 'y' (SplitV)"
    yield "unpack-huge", graph(X, node("y", "Unpack", ["x"], **F, num=a_int(1 << 40), axis=a_int(0))), "node 'y' (Unpack)"
    yield "unpack-negative", graph(X, node("y", "Unpack", ["x"], **F, num=a_int(-1), axis=a_int(0))), "node 'y' (Unpack)"
    yield "unpack-axis", graph(X, node("y", "Unpack", ["x"], **F, num=a_int(2), axis=a_int(-99))), "node 'y' (Unpack)"
    yield "pack-none", graph(X, node("y", "Pack", [], **F, N=a_int(0))), "node 'y' (Pack)"
    yield "pack-axis", graph(X, node("y", "Pack", ["x", "x"], **F, N=a_int(2), axis=a_int(1 << 62))), "node 'y' (Pack)"
    yield "transpose-twice", graph(X, indices("p", 0, 0), node("y", "Transpose", ["x", "p"], **F)), "node 'y' (Transpose)"
    yield "transpose-far", graph(X, indices("p", 0, 1 << 30), node("y", "Transpose", ["x", "p"], **F)), "node 'y' (Transpose)"
    yield "squeeze-far", graph(X, node("y", "Squeeze", ["x"], **F, squeeze_dims=list_of(7))), "node 'y' (Squeeze)"
    yield "squeeze-wide", graph(X, node("y", "Squeeze", ["x"], **F, squeeze_dims=list_of(0))), "node 'y' (Squeeze)"
    yield "expand-far", graph(X, scalar("a", -100), node("y", "ExpandDims", ["x", "a"], **F)), "node 'y' (ExpandDims)"
    deep = [node(f"d{i}", "ExpandDims", [f"d{i - 1}" if i else "x", "a"], **F) for i in range(300)]
    yield "expand-deep", graph(X, scalar("a", 0), *deep), "error: node 'd"
    yield "slice-beyond", graph(X, indices("b", 0, 9), indices("s", 1, 1), node("y", "Slice", ["x", "b", "s"], **F)), "node 'y' (Slice)"
    yield "slice-negative", graph(X, indices("b", -1, 0), indices("s", 1, 1), node("y", "Slice", ["x", "b", "s"], **F)), "node 'y' (Slice)"
    yield "slice-size", graph(X, indices("b", 0, 0), indices("s", -7, 1), node("y", "Slice", ["x", "b", "s"], **F)), "node 'y' (Slice)"
    yield "slice-overflow", graph(X, const("b", INT64, (2,), struct.pack("<2q", (1 << 63) - 1, 0)), const("s", INT64, (2,), struct.pack("<2q", (1 << 63) - 1, 1)),
                                  node("y", "Slice", ["x", "b", "s"], **F, Index=a_type(INT64))), "node 'y' (Slice)"
    strided = lambda step, **masks: graph(X, indices("b", 0, 0), indices("e", 2, 2), indices("s", *step), node("y", "StridedSlice", ["x", "b", "e", "s"], **F, **masks))
    yield "strided-0", strided((0, 1)), "node 'y' (StridedSlice)"
    yield "strided-rank", graph(X, indices("b", *[0] * 9), indices("e", *[1] * 9), indices("s", *[1] * 9), node("y", "StridedSlice", ["x", "b", "e", "s"], **F)), "node 'y' (StridedSlice)"
    yield "strided-ellipses", strided((1, 1), ellipsis_mask=a_int(3)), "node 'y' (StridedSlice)"
    yield "gather-axis", graph(X, indices("i", 0), scalar("a", 5), node("y", "GatherV2", ["x", "i", "a"], Tparams=a_type(FLOAT), Tindices=a_type(INT32), Taxis=a_type(INT32))), "node 'y' (GatherV2)"
    yield "gather-batch", graph(X, indices("i", 0), scalar("a", 0), node("y", "GatherV2", ["x", "i", "a"], Tparams=a_type(FLOAT), Tindices=a_type(INT32), Taxis=a_type(INT32), batch_dims=a_int(7))), "node 'y' (GatherV2)"
    yield "reduce-axis", graph(X, indices("a", 4), node("y", "Sum", ["x", "a"], **F, Tidx=a_type(INT32))), "node 'y' (Sum)"
    yield "argmax-axis", graph(X, scalar("a", 2), node("y", "ArgMax", ["x", "a"], **F, Tidx=a_type(INT32), output_type=a_type(INT64))), "node 'y' (ArgMax)"
    yield "top-k", graph(X, scalar("k", 9), node("y", "TopKV2", ["x", "k"], **F)), "node 'y' (TopKV2)"
    yield "top-negative", graph(X, scalar("k", -9), node("y", "TopKV2", ["x", "k"], **F)), "node 'y' (TopKV2)"
    yield "reverse-twice", graph(X, indices("a", 0, -2), node("y", "ReverseV2", ["x", "a"], **F, Tidx=a_type(INT32))), "node 'y' (ReverseV2)"
    yield "range-huge", graph(*[const(n, INT64, (), struct.pack("<q", v)) for n, v in (("b", -(1 << 62)), ("e", (1 << 62)), ("d", 1))], node("y", "Range", ["b", "e", "d"], Tidx=a_type(INT64))), "node 'y' (Range)"
    yield "range-away", graph(scalar("b", 0), scalar("e", 5), scalar("d", -1), node("y", "Range", ["b", "e", "d"], Tidx=a_type(INT32))), "node 'y' (Range)"
    yield "linspace", graph(scalar("b", 0., FLOAT), scalar("e", 1., FLOAT), scalar("n", -3), node("y", "LinSpace", ["b", "e", "n"], **F, Tidx=a_type(INT32))), "node 'y' (LinSpace)"
    yield "linspace-huge", graph(scalar("b", 0., FLOAT), scalar("e", 1., FLOAT), const("n", INT64, (), struct.pack("<q", 1 << 61)), node("y", "LinSpace", ["b", "e", "n"], **F, Tidx=a_type(INT64))), "node 'y' (LinSpace)"
    yield "broadcast-smaller", graph(X, indices("s", 1, 1), node("y", "BroadcastTo", ["x", "s"], **F, Tidx=a_type(INT32))), "node 'y' (BroadcastTo)"
    yield "broadcast-negative", graph(X, indices("s", -4, 2, 3), node("y", "BroadcastTo", ["x", "s"], **F, Tidx=a_type(INT32))), "node 'y' (BroadcastTo)"
    yield "diagonal", graph(scalar("n", 1 << 20), filled("v", 1 << 22), node("y", "Diag", ["v"], **F)), "node 'y' (Diag)"


def products():
    mat = lambda *shapes, **more: graph(*[placeholder(n, FLOAT, *s) for n, s in zip("ab", shapes)], node("y", "MatMul", ["a", "b"], **F, **more))
    yield "matmul-inner", mat((2, 3), (4, 5)), "node 'y' (MatMul)"
    yield "matmul-rank", mat((2, 3, 4), (4, 5)), "node 'y' (MatMul)"
    yield "matmul-transposed", mat((2, 3), (3, 5), transpose_a=a_bool(1)), "node 'y' (MatMul)"
    yield "matmul-flag-text", mat((2, 3), (3, 5), transpose_a=a_text("yes")), "node 'y' (MatMul)"
    yield "matmul-huge", mat((1 << 31, 1), (1, 1 << 31)), "error: "
    equation = lambda text, *names: graph(X, placeholder("z", FLOAT, 3, 4), node("y", "Einsum", list(names), **F, N=a_int(len(names)), equation=a_text(text)))
    for name, text in (("empty", ""), ("arrow", "->->"), ("letters", "ij,jk->il"), ("three", "ij,jk,kl->il"), ("rank", "ijkl,jk->ik"), ("dots", "...i...,jk->ik"), ("bytes", b"\xff\xfe,ij->"), ("long", "i" * 5000 + ",jk->k"), ("sizes", "ij,ik->jk")):
        yield f"einsum-{name}", equation(text, "x", "z"), "node 'y' (Einsum)"
    yield "add-shapes", graph(X, placeholder("z", FLOAT, 3, 4), node("y", "AddV2", ["x", "z"], **F)), "node 'y' (AddV2)"
    yield "add-types", graph(X, placeholder("z", INT32, 2, 3), node("y", "AddV2", ["x", "z"], **F)), "error: "
    yield "add-one", graph(X, node("y", "AddV2", ["x"], **F)), "node 'y' (AddV2)"
    yield "add-none", graph(X, node("y", "AddV2", [], **F)), "node 'y' (AddV2)"
    yield "add-three", graph(X, node("y", "AddV2", ["x", "x", "x"], **F)), "node 'y' (AddV2)"
    yield "not-of-floats", graph(X, node("y", "LogicalNot", ["x"])), "node 'y' (LogicalNot)"
    yield "cast-unknown", graph(X, node("y", "Cast", ["x"], SrcT=a_type(FLOAT), DstT=a_type(77))), "node 'y' (Cast)"
    yield "bitcast-width", graph(X, node("y", "Bitcast", ["x"], **F, type=a_type(DOUBLE))), "node 'y' (Bitcast)"
    yield "select-shapes", graph(X, placeholder("p", BOOL, 5), node("y", "Select", ["p", "x", "x"], **F)), "node 'y' (Select)"
    yield "norm-scale", graph(IMAGE, filled("s", 5), node("y", "FusedBatchNormV3", ["x", "s", "s", "s", "s"], **F, U=a_type(FLOAT), is_training=a_bool(0))), "node 'y' (FusedBatchNormV3)"
    yield "one-hot-overflow", graph(placeholder("i", INT32, 1 << 20), scalar("d", (1 << 31) - 1), scalar("on", 1., FLOAT), scalar("off", 0., FLOAT),
                                    *[node(f"h{k}", "OneHot", ["i" if k == 0 else "i", "d", "on", "off"], **F, TI=a_type(INT32)) for k in range(1)],
                                    node("y", "Tile", ["h0", "t"], **F), const("t", INT32, (2,), struct.pack("<2i", (1 << 31) - 1, (1 << 31) - 1))), "error: node '"


def cases():
    for family in (windows, shapes, products):
        yield from family()


def commands(tenon, scratch):
    for name, content, says, *options in cases():
        path = scratch / "m.pb"
        path.write_bytes(content)
        yield name, [tenon, "compile", path, "-o", scratch / "out.o", "--cpu", "native", *(options[0] if options else [])], says
