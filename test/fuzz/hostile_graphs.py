"""GraphDefs that must be refused: (name, bytes, what the message must say[, options])."""

import struct

from proto import *

HUGE = (1 << 31) - 1
X = placeholder("x")
ONE = a_list(data(6, b"\1"))
IF = dict(Tcond=a_type(BOOL), Tin=ONE, Tout=ONE)


def use(dtype=FLOAT):
    return node("y", "Identity", ["w"], T=a_type(dtype))


def relu(name, source):
    return node(name, "Relu", [source], T=a_type(FLOAT))


def names():
    yield "duplicate", graph(X, relu("y", "x"), relu("y", "x")), "node 'y' (Relu): another node has this name"
    yield "duplicate-input", graph(X, X, relu("y", "x")), "node 'x' (Placeholder): another node"
    yield "no-name", graph(X, relu("", "x")), "a node of operation 'Relu' has no name"
    yield "no-op", graph(X, node("y", "", ["x"])), "node 'y' has no operation"
    yield "dangling", graph(X, relu("y", "nowhere")), "node 'y' (Relu): input 'nowhere' names no node"
    yield "dangling-control", graph(X, node("y", "Relu", ["x", "^gone"], T=a_type(FLOAT))), "node 'y' (Relu): input '^gone' names no node"
    yield "empty-input", graph(X, relu("y", "")), "node 'y' (Relu): an empty name"
    yield "caret-only", graph(X, node("y", "Relu", ["x", "^"])), "node 'y' (Relu): '^' names no node"
    yield "negative-output", graph(X, relu("y", "x:-1")), "node 'y' (Relu): 'x:-1' is not of the form"
    yield "huge-output", graph(X, relu("y", "x:99999999999999999999")), "node 'y' (Relu): 'x:9999"
    yield "no-such-output", graph(X, relu("y", "x:7")), "input 'x:7': node 'x' (Placeholder) has one output"
    yield "far-output", graph(X, relu("y", "x:1048576")), "input 'x:1048576': node 'x' (Placeholder) has one output"
    yield "data-after-control", graph(X, node("y", "Relu", ["^x", "x"], T=a_type(FLOAT))), "stands after a control input"
    yield "zero-byte-name", graph(X, relu("y\0z", "x"), relu("w", "y")), "names no node"
    yield "not-utf8", graph(X, data(1, b"\xff\xfe") + data(2, "Relu") + data(3, "x")), "error: "
    yield "huge-name", graph(X, relu("n" * 3_000_000, "gone")), "has a name of 3000000 bytes"


def cycles():
    yield "self-loop", graph(relu("y", "y")), "node 'y' (Relu): it is part of a cycle"
    yield "cycle", graph(relu("a", "c"), relu("b", "a"), relu("c", "b"), relu("y", "c")), "it is part of a cycle"
    yield "control-cycle", graph(X, node("a", "Relu", ["x", "^b"], T=a_type(FLOAT)), node("b", "Relu", ["a"], T=a_type(FLOAT)),
                                 relu("y", "b")), "it is part of a cycle"
    yield "self-control", graph(X, node("y", "Relu", ["x", "^y"], T=a_type(FLOAT))), "it is part of a cycle"
    chain = [relu(f"n{i}", f"n{i - 1}" if i else "n49999") for i in range(50000)]
    yield "long-cycle", graph(*chain, relu("y", "n5")), "it is part of a cycle"
    yield "all-in-cycle", graph(X, relu("a", "b"), relu("b", "a")), "it is part of a cycle"


def bodies():
    call = lambda name, callee, source="x": node(
        name, "PartitionedCall", [source], f=a_func(callee), Tin=a_list(data(6, b"\1")), Tout=a_list(data(6, b"\1")))
    one = lambda name, *nodes, out="r:output:0": function(name, [("a", FLOAT)], [("o", FLOAT)], nodes, {"o": out})
    yield "recursion", graph(X, call("y", "f"), functions=[one("f", call("r", "f", "a"))]), "a function that calls itself"
    yield "mutual-recursion", graph(X, call("y", "f"), functions=[
        one("f", call("r", "g", "a")), one("g", call("r", "h", "a")), one("h", call("r", "f", "a"))]), "a function that calls itself"
    yield "recursion-by-name", graph(X, node("y", "f", ["x"]), functions=[one("f", node("r", "f", ["a"]), out="r:o:0")]), "a function that calls itself"
    loop = [node("r", "While", ["a"], cond=a_func("c"), body=a_func("f"), T=a_list(data(6, b"\1")))]
    yield "recursive-loop", graph(X, call("y", "f"), functions=[
        one("f", *loop), function("c", [("a", FLOAT)], [("o", BOOL)], [const("t", BOOL, (), b"\0")], {"o": "t:output:0"})]), "calls itself"
    yield "recursive-branch", graph(X, const("p", BOOL, (), b"\1"), node("y", "If", ["p", "x"], then_branch=a_func("f"), else_branch=a_func("g"), **IF),
                                    functions=[one("g", out="a"), one("f", const("p", BOOL, (), b"\0"), node(
                                        "r", "If", ["p:output:0", "a"], then_branch=a_func("g"), else_branch=a_func("f"), **IF))]), "calls itself"
    chain = [one(f"f{i}", call("r", f"f{i + 1}", "a")) for i in range(200)] + [one("f200", out="a")]
    yield "deep-calls", graph(X, call("y", "f0"), functions=chain), "calls nest more than"
    twice = [one(f"f{i}", call("l", f"f{i + 1}", "a"), call("m", f"f{i + 1}", "a"),
                 node("r", "Add", ["l:output:0", "m:output:0"], T=a_type(FLOAT)), out="r:z:0") for i in range(40)]
    yield "doubling-calls", graph(X, call("y", "f0"), functions=[*twice, one("f40", node("r", "Relu", ["a"], T=a_type(FLOAT)), out="r:activations:0")]), "expands to more than"
    yield "no-function", graph(X, call("y", "nowhere")), "node 'y' (PartitionedCall): there is no function 'nowhere'"
    yield "two-functions", graph(X, call("y", "f"), functions=[one("f", out="a"), one("f", out="a")]), "two functions have the name 'f'"
    yield "no-return", graph(X, call("y", "f"), functions=[function("f", [("a", FLOAT)], [("o", FLOAT)], [], {})]), "function 'f' does not return 'o'"
    yield "return-nowhere", graph(X, call("y", "f"), functions=[one("f", out="z:0:0")]), "function 'f': input 'z:0:0' names no node"
    yield "return-no-output", graph(X, call("y", "f"), functions=[one("f", node("r", "TopKV2", ["a", "a"]), out="r:what:0")]), "names no output of operation 'TopKV2'"
    yield "huge-return", graph(X, call("y", "f"), functions=[one("f", relu("r", "a"), out="r:activations:4294967295")]), "has an impossible number"
    yield "two-arguments", graph(X, call("y", "f"), functions=[function("f", [("a", FLOAT), ("a", FLOAT)], [("o", FLOAT)], [], {"o": "a"})]), "two arguments of the name 'a'"
    yield "arity", graph(X, call("y", "f"), functions=[function("f", [("a", FLOAT), ("b", FLOAT)], [("o", FLOAT)], [], {"o": "a"})]), "function 'f' takes 2 arguments, got 1"
    yield "body-duplicate", graph(X, call("y", "f"), functions=[one("f", relu("r", "a"), relu("r", "a"))]), "of function 'f': another node has this name"
    yield "body-cycle", graph(X, call("y", "f"), functions=[one("f", relu("r", "s:0"), relu("s", "r:0"), out="r:0")]), "it is part of a cycle"
    yield "control-return", graph(X, call("y", "f"), functions=[function("f", [("a", FLOAT)], [("o", FLOAT)], [], {"o": "a"}, {"c": "gone"})]), "control result 'gone' names no node"
    yield "function-is-number", graph(X, node("y", "PartitionedCall", ["x"], f=a_int(3), Tin=ONE, Tout=ONE)), "node 'y' (PartitionedCall): attribute 'f' has another kind"
    while_attr = dict(T=a_list(data(6, b"\1")))
    yes = function("c", [("a", FLOAT)], [("o", BOOL)], [const("t", BOOL, (), b"\1")], {"o": "t:output:0"})
    yield "while-no-body", graph(X, node("y", "While", ["x"], cond=a_func("c"), **while_attr), functions=[yes]), "node 'y' (While): attribute 'body' is missing"
    yield "while-no-condition", graph(X, node("y", "While", ["x"], body=a_func("b"), **while_attr), functions=[one("b", out="a")]), "node 'y' (While): attribute 'cond' is missing"
    yield "while-grows", graph(X, node("y", "While", ["x"], cond=a_func("c"), body=a_func("b"), **while_attr), functions=[yes, one(
        "b", const("z", INT32, (), b"\0\0\0\0"), node("r", "ExpandDims", ["a", "z:output:0"], T=a_type(FLOAT)))]), "has 2 dimensions before an iteration and 3 after"
    yield "while-no-values", graph(X, node("y", "While", ["x"], cond=a_func("c"), body=a_func("b"), **while_attr), functions=[yes, function("b", [("a", FLOAT)], [], [], {})]), "does not return 1 values"
    yield "while-condition-tensor", graph(X, node("y", "While", ["x"], cond=a_func("b"), body=a_func("b"), **while_attr), functions=[one("b", relu("r", "a"), out="r:0")]), "condition must return a scalar"
    yield "case-without-branches", graph(X, const("i", INT32, (), b"\0\0\0\0"), node("y", "Case", ["i", "x"], branches=a_list(), Tin=ONE, Tout=ONE)), "attribute 'branches' has a length of 0"
    yield "if-arity", graph(X, const("p", BOOL, (), b"\1"), node("y", "If", ["p"], then_branch=a_func("f"), else_branch=a_func("f"), **{**IF, "Tin": a_list()}), functions=[one("f", out="a")]), "takes 1 arguments, got 0"
    yield "if-differs", graph(X, node("q", "Placeholder", dtype=a_type(BOOL), shape=a_shape()), node("y", "If", ["q", "x"], then_branch=a_func("f"), else_branch=a_func("g"), **IF), functions=[
        one("f", out="a"), one("g", node("r", "Shape", ["a"], T=a_type(FLOAT)))]), "result 0 of node 'y' has another element type or rank in another branch", ["--entry", "main(x, q) -> y"]


def frames():
    t = dict(T=a_type(FLOAT))
    flag = placeholder("p", BOOL, None)
    flag = node("p", "Placeholder", dtype=a_type(BOOL), shape=a_shape())
    enter = lambda name, source="x", frame="w": node(name, "Enter", [source], frame_name=a_text(frame), **t)
    good = lambda **swap: [X, flag] + [swap.get(key, value) for key, value in {
        "enter": enter("e"), "merge": node("m", "Merge", ["e", "n"], N=a_int(2), **t),
        "condition": node("k", "LoopCond", ["pe"]), "flag": node("pe", "Enter", ["p"], frame_name=a_text("w"), T=a_type(BOOL), is_constant=a_bool(1)),
        "switch": node("s", "Switch", ["m", "k"], **t), "body": relu("b", "s:1"), "next": node("n", "NextIteration", ["b"], **t),
        "exit": node("y", "Exit", ["s"], **t)}.items() if swap.get(key, value)]
    yield "no-loop-condition", graph(*good(condition=node("k", "Identity", ["pe"], T=a_type(BOOL)))), "a loop without a condition"
    yield "two-loop-conditions", graph(*good(), node("k2", "LoopCond", ["pe"])), "a loop has two conditions"
    yield "loop-without-next", graph(*good(next=relu("n", "b"))), "cycle"
    yield "merge-of-one", graph(*good(merge=node("m", "Merge", ["n"], N=a_int(1), **t))), "loop variable of an unknown form"
    yield "merge-of-three", graph(*good(merge=node("m", "Merge", ["e", "n", "x"], N=a_int(3), **t))), "node 'm' (Merge): expected two inputs"
    yield "exit-outside", graph(X, node("e", "Exit", ["x"], **t), relu("y", "e")), "error: node 'e' (Exit)"
    yield "exit-of-nothing", graph(*good(exit=node("y", "Exit", ["b"], **t))), "node 'y' (Exit): it leaves no loop variable"
    yield "next-outside", graph(X, node("n", "NextIteration", ["x"], **t), relu("y", "n")), "node 'n' (NextIteration)"
    yield "merge-alone", graph(X, node("y", "Merge", ["x", "x"], N=a_int(2), **t)), "node 'y' (Merge)"
    yield "merge-empty", graph(X, node("y", "Merge", N=a_int(0), **t)), "node 'y' (Merge)"
    yield "enter-alone", graph(X, enter("e"), relu("y", "e")), "node 'e' (Enter)"
    yield "switch-alone", graph(X, node("s", "Switch", ["x"], **t), relu("y", "s")), "node 's' (Switch)"
    yield "deep-frames", graph(X, flag, *[enter(f"e{i}", f"e{i - 1}" if i else "x", f"w{i}") for i in range(40)], node("k", "LoopCond", ["p"]),
                               node("m", "Merge", ["e39", "n"], N=a_int(2), **t), node("s", "Switch", ["m", "k"], **t), node("n", "NextIteration", ["s:1"], **t), node("y", "Exit", ["s"], **t)), "nest too deeply"
    yield "switch-three", graph(X, flag, node("s", "Switch", ["x", "p", "p"], **t), node("y", "Merge", ["s:0", "s:1"], **t)), "error: node '"
    yield "switch-output-9", graph(X, flag, node("s", "Switch", ["x", "p"], **t), node("y", "Merge", ["s:0", "s:9"], **t)), "error: node '"
    yield "stack-alone", graph(X, flag, node("h", "StackV2", ["p"], elem_type=a_type(FLOAT)), node("y", "StackPopV2", ["h"], elem_type=a_type(FLOAT)),
                               node("m", "Merge", ["x", "y"], **t)), "error: node '"
    wide = [X, node("p", "StackV2", ["x"], elem_type=a_type(FLOAT)), node("u0", "StackPushV2", ["p", "x"], **t), node("v0", "StackPopV2", ["p"], elem_type=a_type(FLOAT))]
    wide += [node(f"v{i + 1}", "Identity", [f"v{i}"] * 12, **t) for i in range(14)] + [node("y", "Merge", ["v14", "u0"], **t)]
    yield "stack-fan-out", graph(*wide), "error: node '"


def attributes():
    w = const("w", FLOAT, (3, 2), struct.pack("<6f", *range(6)))
    yield "unknown-op", graph(X, node("y", "MakeCoffee", ["x"])), "node 'y' (MakeCoffee): the operation is not supported"
    yield "op-with-newline", graph(X, node("y", "Make\nCoffee", ["x"])), "not supported"
    yield "missing-dtype", graph(node("x", "Placeholder"), relu("y", "x")), "node 'x' (Placeholder)"
    yield "dtype-is-text", graph(node("x", "Placeholder", dtype=a_text("float"), shape=a_shape(2)), relu("y", "x")), "node 'x' (Placeholder)"
    yield "dtype-77", graph(node("x", "Placeholder", dtype=a_type(77), shape=a_shape(2)), relu("y", "x")), "node 'x' (Placeholder)"
    yield "dtype-negative", graph(node("x", "Placeholder", dtype=a_type(-3), shape=a_shape(2)), relu("y", "x")), "node 'x' (Placeholder)"
    yield "dtype-resource", graph(node("x", "Placeholder", dtype=a_type(RESOURCE), shape=a_shape()), node("y", "ReadVariableOp", ["x"], dtype=a_type(FLOAT))), "node 'x' (Placeholder)"
    yield "no-value", graph(node("w", "Const", dtype=a_type(FLOAT)), use()), "node 'w' (Const): attribute 'value' is missing"
    yield "value-is-int", graph(node("w", "Const", dtype=a_type(FLOAT), value=a_int(3)), use()), "node 'w' (Const): attribute 'value' has another kind"
    yield "too-few-inputs", graph(X, node("y", "MatMul", ["x"], T=a_type(FLOAT))), "node 'y' (MatMul): expected"
    yield "no-inputs", graph(node("y", "Conv2D", T=a_type(FLOAT), strides=a_list(data(3, b"\1\1\1\1")), padding=a_text("SAME"))), "node 'y' (Conv2D)"
    yield "ranks", graph(X, w, node("y", "MatMul", ["x", "x"], T=a_type(FLOAT))), "node 'y' (MatMul)"
    image = placeholder("i", FLOAT, 1, 8, 8, 3)
    kernel = const("k", FLOAT, (3, 3, 3, 4), None, floats(1.0))
    conv = lambda **more: graph(image, kernel, node("y", "Conv2D", ["i", "k"], **{"T": a_type(FLOAT), "padding": a_text("SAME"), "strides": a_list(data(3, b"\1\1\1\1")), **more}))
    yield "stride-0", conv(strides=a_list(data(3, b"\1\0\0\1"))), "node 'y' (Conv2D)"
    yield "stride-negative", conv(strides=a_list(data(3, varint(1) + varint(-1) + varint(-1) + varint(1)))), "node 'y' (Conv2D)"
    yield "strides-short", conv(strides=a_list(data(3, b"\1"))), "node 'y' (Conv2D)"
    yield "strides-missing", conv(strides=a_list()), "node 'y' (Conv2D)"
    yield "stride-huge", conv(strides=a_list(data(3, varint(1) + varint(1 << 62) + varint(1 << 62) + varint(1))), dilations=a_list(data(3, varint(1) + varint(1 << 62) + varint(1 << 62) + varint(1)))), "node 'y' (Conv2D)"
    yield "dilation-0", conv(dilations=a_list(data(3, b"\1\0\0\1"))), "node 'y' (Conv2D)"
    yield "padding-what", conv(padding=a_text("SIDEWAYS")), "node 'y' (Conv2D)"
    yield "padding-missing", graph(image, kernel, node("y", "Conv2D", ["i", "k"], T=a_type(FLOAT), strides=a_list(data(3, b"\1\1\1\1")))), "node 'y' (Conv2D): attribute 'padding' is missing"
    yield "padding-explicit", conv(padding=a_text("EXPLICIT"), explicit_paddings=a_list(data(3, b"\1\1\1"))), "node 'y' (Conv2D)"
    yield "padding-explicit-huge", conv(padding=a_text("EXPLICIT"), explicit_paddings=a_list(data(3, b"".join(map(varint, (0, 0, 1 << 62, 1 << 62, 1 << 62, 1 << 62, 0, 0)))))), "node 'y' (Conv2D)"
    yield "format-what", conv(data_format=a_text("XYZ")), "node 'y' (Conv2D)"
    pool = lambda size: graph(image, node("y", "MaxPool", ["i"], T=a_type(FLOAT), padding=a_text("VALID"), ksize=a_list(data(3, b"".join(map(varint, size)))), strides=a_list(data(3, b"\1\1\1\1"))))
    yield "window-0", pool((1, 0, 0, 1)), "node 'y' (MaxPool)"
    yield "window-large", pool((1, 12, 12, 1)), "node 'y' (MaxPool)"
    yield "window-negative", pool((1, -2, -2, 1)), "node 'y' (MaxPool)"
    axis = lambda op, *values, **more: graph(X, indices("a", *values), node("y", op, ["x", "a"], T=a_type(FLOAT), Tidx=a_type(INT32), **more))
    yield "axis-outside", axis("Sum", 5), "node 'y' (Sum)"
    yield "axis-minimum", axis("Sum", -1 << 31), "node 'y' (Sum)"
    yield "axis-twice", axis("Sum", 0, 0), "node 'y' (Sum)"
    yield "transpose-repeats", graph(X, indices("a", 0, 0), node("y", "Transpose", ["x", "a"], T=a_type(FLOAT), Tperm=a_type(INT32))), "node 'y' (Transpose)"
    yield "transpose-short", graph(X, indices("a", 0), node("y", "Transpose", ["x", "a"], T=a_type(FLOAT), Tperm=a_type(INT32))), "node 'y' (Transpose)"
    yield "transpose-outside", graph(X, indices("a", 0, 9), node("y", "Transpose", ["x", "a"], T=a_type(FLOAT), Tperm=a_type(INT32))), "node 'y' (Transpose)"
    yield "split-0", graph(X, const("a", INT32, (), b"\0\0\0\0"), node("y", "Split", ["a", "x"], T=a_type(FLOAT), num_split=a_int(0))), "node 'y' (Split)"
    yield "split-many", graph(X, const("a", INT32, (), b"\0\0\0\0"), node("y", "Split", ["a", "x"], T=a_type(FLOAT), num_split=a_int(1 << 40))), "node 'y' (Split)"
    yield "unpack-many", graph(X, node("y", "Unpack", ["x"], T=a_type(FLOAT), num=a_int(1 << 62), axis=a_int(0))), "node 'y' (Unpack)"
    yield "shrink-outside", graph(X, indices("b", 7, 0), indices("e", 8, 1), indices("s", 1, 1), node("y", "StridedSlice", ["x", "b", "e", "s"], T=a_type(FLOAT), Index=a_type(INT32), shrink_axis_mask=a_int(1))), "node 'y' (StridedSlice)"
    yield "slice-step-0", graph(X, indices("b", 0, 0), indices("e", 1, 1), indices("s", 0, 1), node("y", "StridedSlice", ["x", "b", "e", "s"], T=a_type(FLOAT), Index=a_type(INT32))), "node 'y' (StridedSlice)"
    yield "einsum", graph(X, node("y", "Einsum", ["x", "x"], T=a_type(FLOAT), N=a_int(2), equation=a_text("ij,jk->" + "i" * 1000))), "node 'y' (Einsum)"
    yield "einsum-blanks", graph(X, node("y", "Einsum", ["x"], T=a_type(FLOAT), N=a_int(1), equation=a_text("...,->\xff"))), "node 'y' (Einsum)"
    yield "types-differ", graph(X, indices("i", 1, 2, 3), node("y", "AddV2", ["x", "i"], T=a_type(FLOAT))), "node 'y' (AddV2)"
    yield "shapes-differ", graph(X, w, node("y", "AddV2", ["x", "w"], T=a_type(FLOAT))), "node 'y' (AddV2)"


def sizes():
    splat = lambda *dims: const("w", FLOAT, dims, None, floats(1.0))
    yield "product-overflows", graph(splat(1 << 32, 1 << 32), use()), "node 'w' (Const): a tensor with an impossible shape"
    yield "product-wraps", graph(splat(1 << 33, 1 << 31, 2), use()), "node 'w' (Const): a tensor with an impossible shape"
    yield "product-wraps-to-0", graph(splat(1 << 32, 1 << 32, 0), use()), "node 'w' (Const): a tensor with an impossible shape"
    yield "negative-size", graph(splat(-2), use()), "node 'w' (Const): a tensor with an impossible shape"
    yield "unknown-size", graph(splat(-1, 3), use()), "node 'w' (Const): a tensor with an impossible shape"
    yield "minimum-size", graph(splat(-1 << 63), use()), "node 'w' (Const): a tensor with an impossible shape"
    yield "unknown-rank", graph(node("w", "Const", dtype=a_type(FLOAT), value=data(8, number(1, FLOAT) + data(2, shape(None)))), use()), "node 'w' (Const): a constant tensor without a shape"
    yield "huge-splat", graph(splat(1 << 40), use()), "node 'w'"
    yield "huge-splat-added", graph(splat(1 << 42), node("y", "AddV2", ["w", "w"], T=a_type(FLOAT))), "error: "
    yield "huge-strings", graph(const("w", STRING, (1 << 40,), None, strings("a")), use(STRING)), "node 'w'"
    yield "many-strings", graph(const("w", STRING, (1 << 30,), None, strings("a", "b")), use(STRING)), "node 'w' (Const): a tensor of 1073741824 strings"
    yield "huge-list", graph(const("w", FLOAT, (1 << 34,), None, floats(1.0, 2.0)), use()), "node 'w' (Const)"
    yield "content-short", graph(const("w", FLOAT, (4,), b"\0" * 12), use()), "node 'w' (Const): a tensor of 16 bytes has 12"
    yield "content-long", graph(const("w", FLOAT, (2,), b"\0" * 12), use()), "node 'w' (Const): a tensor of 8 bytes has 12"
    yield "content-odd", graph(const("w", FLOAT, (3,), b"\0" * 11), use()), "node 'w' (Const): a tensor of 12 bytes has 11"
    yield "values-many", graph(const("w", FLOAT, (2,), None, floats(1, 2, 3)), use()), "node 'w' (Const): a tensor of 2 elements has 3 values"
    yield "strings-many", graph(const("w", STRING, (1,), None, strings("a", "b")), use(STRING)), "node 'w' (Const): a tensor of 1 strings has 2 values"
    yield "resource-constant", graph(const("w", RESOURCE, ()), use(RESOURCE)), "node 'w' (Const): a constant tensor of type resource"
    yield "dtype-invalid", graph(const("w", 0, (2,)), use(0)), "node 'w' (Const): attribute 'dtype' is no element type"
    yield "dtype-attr-differs", graph(node("w", "Const", dtype=a_type(INT32), value=a_tensor(FLOAT, (2,), b"\0" * 8)), use(INT32)), "node 'w' (Const)"
    yield "reference-constant", graph(const("w", 101, (2,), b"\0" * 8), use()), "node 'w' (Const)"
    yield "rank-300", graph(splat(*[1] * 300), use()), "node 'w' (Const)"
    yield "placeholder-rank", graph(placeholder("x", FLOAT, *[1] * 300), relu("y", "x")), "error: "
    yield "placeholder-overflows", graph(placeholder("x", FLOAT, 1 << 40, 1 << 40), relu("y", "x")), "input 'x' is impossibly large"
    yield "fill-overflows", graph(const("d", INT64, (2,), struct.pack("<2q", 1 << 40, 1 << 40)), const("v", FLOAT, (), b"\0\0\0\0"), node("y", "Fill", ["d", "v"], T=a_type(FLOAT), index_type=a_type(INT64))), "node 'y' (Fill)"
    yield "fill-huge", graph(const("d", INT64, (1,), struct.pack("<q", 1 << 50)), const("v", FLOAT, (), b"\0\0\0\0"), node("y", "Fill", ["d", "v"], T=a_type(FLOAT), index_type=a_type(INT64))), "'y'"
    yield "fill-negative", graph(const("d", INT64, (1,), struct.pack("<q", -2)), const("v", FLOAT, (), b"\0\0\0\0"), node("y", "Fill", ["d", "v"], T=a_type(FLOAT), index_type=a_type(INT64))), "node 'y' (Fill)"
    yield "reshape-negative", graph(X, indices("s", -2, 3), node("y", "Reshape", ["x", "s"], T=a_type(FLOAT), Tshape=a_type(INT32))), "node 'y' (Reshape)"
    yield "reshape-two-unknown", graph(X, indices("s", -1, -1), node("y", "Reshape", ["x", "s"], T=a_type(FLOAT), Tshape=a_type(INT32))), "node 'y' (Reshape)"
    yield "reshape-misfits", graph(X, indices("s", 4, 2), node("y", "Reshape", ["x", "s"], T=a_type(FLOAT), Tshape=a_type(INT32))), "node 'y' (Reshape)"
    yield "reshape-overflows", graph(X, indices("s", HUGE, HUGE, HUGE), node("y", "Reshape", ["x", "s"], T=a_type(FLOAT), Tshape=a_type(INT32))), "node 'y' (Reshape)"
    yield "tile-overflows", graph(X, indices("s", HUGE, HUGE), node("t", "Tile", ["x", "s"], T=a_type(FLOAT), Tmultiples=a_type(INT32)), node("y", "Tile", ["t", "s"], T=a_type(FLOAT), Tmultiples=a_type(INT32))), "node '"
    yield "tile-negative", graph(X, indices("s", -1, 2), node("y", "Tile", ["x", "s"], T=a_type(FLOAT), Tmultiples=a_type(INT32))), "node 'y' (Tile)"
    outer = graph(splat(1 << 24, 1), const("v", FLOAT, (1, 1 << 24), None, floats(2.0)), node("y", "AddV2", ["w", "v"], T=a_type(FLOAT)))
    yield "broadcast-overflows", outer, "node 'y' (AddV2)"
    yield "pad-overflows", graph(X, const("p", INT64, (2, 2), struct.pack("<4q", *[(1 << 62)] * 4)), node("y", "Pad", ["x", "p"], T=a_type(FLOAT), Tpaddings=a_type(INT64))), "node 'y' (Pad)"
    yield "pad-negative", graph(X, indices("q", -3, 0, 0, 0), indices("s", 2, 2), node("p", "Reshape", ["q", "s"], T=a_type(INT32)), node("y", "Pad", ["x", "p"], T=a_type(FLOAT), Tpaddings=a_type(INT32))), "node 'y' (Pad)"
    yield "range-step-0", graph(*[const(n, INT32, (), struct.pack("<i", v)) for n, v in (("b", 0), ("e", 5), ("d", 0))], node("y", "Range", ["b", "e", "d"], Tidx=a_type(INT32))), "node 'y' (Range)"
    yield "one-hot-huge", graph(indices("i", 1, 2), *[const(n, INT32, (), struct.pack("<i", v)) for n, v in (("d", -5),)], const("on", FLOAT, (), b"\0\0\x80\x3f"), const("off", FLOAT, (), b"\0\0\0\0"), node("y", "OneHot", ["i", "d", "on", "off"], T=a_type(FLOAT), TI=a_type(INT32))), "node 'y' (OneHot)"
    yield "variable-huge", graph(node("v", "VarHandleOp", dtype=a_type(FLOAT), shape=a_shape(1 << 40, 1 << 40), shared_name=a_text("v")), node("y", "ReadVariableOp", ["v"], dtype=a_type(FLOAT))), "node 'v' (VarHandleOp)"
    yield "variable-no-shape", graph(node("v", "VarHandleOp", dtype=a_type(FLOAT), shared_name=a_text("v")), node("y", "ReadVariableOp", ["v"], dtype=a_type(FLOAT))), "node 'v' (VarHandleOp): attribute 'shape' is missing"
    yield "many-inputs", graph(X, node("y", "AddN", ["x"] * 200000, T=a_type(FLOAT), N=a_int(200000)), node("z", "Gone", ["y"])), "node 'z' (Gone)"


def bytes_of_messages():
    deep = b""
    for _ in range(20000):
        deep = data(10, data(1, "f") + data(2, data(1, "a") + data(2, deep)))
    yield "deep-attributes", graph(X, node("y", "Relu", ["x"], f=deep)), "the message is malformed"
    good = graph(X, relu("y", "x"))
    yield "empty", b"", "not a model file"
    yield "zeros", b"\0" * 1000, "not a model file"
    yield "truncated", good[:-3], "the message is malformed"
    yield "truncated-node", good[:40], "error: "
    yield "length-beyond", data(1, data(1, "x") + data(2, "Relu")) + b"\x0a\xff\xff\xff\xff\x07", "error: "
    yield "length-negative", data(1, data(1, "x") + data(2, "Relu")) + b"\x0a" + varint(-1), "error: "
    yield "endless-varint", data(1, data(1, "x") + data(2, "Relu")) + b"\xff" * 64, "error: "
    yield "group-start", data(1, data(1, "x") + data(2, "Relu")) + b"\x0b" * 4000, "error: "
    yield "trailing-text", b"node {\n name: 'x' op: 'Relu' \n", "line 3, column"
    yield "text-deep", b"node { name: 'x' op: 'y' attr { key: 'f' value {" + b" func { attr { key: 'a' value {" * 5000, "too deep"
    yield "text-unknown", b"node { name: 'x' op: 'Const' attr { key: 'v' value { tensor { dtype: DT_NONSENSE } } } }", "line 1, column"
    yield "text-number", b"node { name: 'x' op: 'Const' attr { key: 'v' value { i: 99999999999999999999999 } } }", "line 1, column"
    yield "text-string", b"node { name: 'x", "line 1, column"
    yield "text-zero", b"node { name: 'x' \0 op: 'y' }", "error: "
    yield "zip", b"PK\3\4" + b"\0" * 100, "error: "
    yield "versions-only", data(4, number(1, 27)), "the graph has no node"


def entries():
    good = graph(X, relu("y", "x"))
    for name, text, says in (
            ("syntax", "main(x -> y", "expected ',' or ')' at column"), ("empty", "", "expected '('"), ("no-name", "(x) -> y", "expected the name"),
            ("no-node", "main(q) -> y", "the graph has no node 'q'"), ("no-fetch", "main(x) -> z", "the graph has no node 'z'"),
            ("no-output", "main(x) -> y:4", "node 'y' has no output 4"), ("twice", "main(x, x) -> y", "two arguments have the name 'x'"),
            ("results-twice", "main(x) -> y, y", "two results have the name 'y'"), ("same-feed", "main(x, z = x) -> y", "two inputs feed 'x:0'"),
            ("deep-grad", "main(x) -> g = " + "grad(" * 500 + "y", "derivatives of a lower order"), ("unfed", "main() -> y", "does not feed it"),
            ("huge-output", "main(x) -> y:99999999999", "is not of the form"), ("grad-of-nothing", "main(x) -> g = grad(y)", "expected ','"),
            ("only-arrow", "main() ->", "expected the name of a tensor"), ("cut", "main(", "expected the name of a tensor")):
        yield f"entry-{name}", good, says, ["--entry", text]
    for name, option, says in (("shape-name", ["--shape", "q=1"], "no entry has an input 'q'"), ("shape-huge", ["--shape", "x=99999999999x99999999999"], "impossibly large"),
                               ("shape-negative", ["--shape", "x=-5x3"], "--shape 'x=-5x3': expected"), ("shape-words", ["--shape", "x=axb"], "--shape 'x=axb': expected"),
                               ("shape-rank", ["--shape", "x=" + "x".join(["1"] * 300)], "error: "), ("batch", ["--batch", "99999999999999999999"], "--batch"),
                               ("batch-negative", ["--batch", "-3"], "--batch"), ("signature", ["--signature", "nope"], "no signature 'nope'"),
                               ("specialize", ["--specialize", "x=5x5"], "does not fit input 'x'")):
        yield f"option-{name}", good, says, option


def cases():
    for family in (names, cycles, bodies, frames, attributes, sizes, bytes_of_messages, entries):
        yield from family()


def commands(tenon, scratch):
    for name, content, says, *options in cases():
        path = scratch / ("m.pbtxt" if name.startswith(("text-", "trailing-text")) else "m.pb")
        path.write_bytes(content)
        yield name, [tenon, "compile", path, "-o", scratch / "out.o", "--cpu", "native", *(options[0] if options else [])], says
