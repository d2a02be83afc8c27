"""Nodes that are not what TensorFlow's definition of their operation says: (name, bytes, what the message must say)."""

import struct

from proto import *

T = dict(T=a_type(FLOAT))
X = placeholder("x")
INDEX = const("i", INT32, (), b"\0\0\0\0")
ONE = a_list(data(6, b"\1"))


def inputs():
    two = ["x", "x"]
    for op, sources, more, says in (
            ("Relu", two, T, "expected one input, got 2"), ("Identity", two, T, "expected one input, got 2"), ("MatMul", ["x"] * 3, T, "expected 2 inputs, got 3"),
            ("AddV2", ["x"], T, "expected 2 inputs, got 1"), ("ConcatV2", ["x", "x", "i"], {**T, "N": a_int(3), "Tidx": a_type(INT32)}, "expected 4 inputs, got 3"),
            ("Pack", two, {**T, "N": a_int(5)}, "expected 5 inputs, got 2"), ("AddN", two, {**T, "N": a_int(1)}, "expected one input, got 2"),
            ("AddN", two, {**T, "N": a_int(0)}, "attribute 'N' is 0, expected at least 1"), ("AddN", two, {**T, "N": a_int(-2)}, "attribute 'N' is -2"),
            ("AddN", two, {**T, "N": a_int(1 << 62)}, "attribute 'N' is 4611686018427387904, an impossible number of tensors"), ("Einsum", two, {**T, "N": a_int(3), "equation": a_text("ab,cb->ac")}, "expected 3 inputs"),
            ("IdentityN", two, dict(T=ONE), "expected one input, got 2"), ("IdentityN", two, dict(T=a_list()), "attribute 'T' has a length of 0, expected at least 1"),
            ("ShapeN", two, {**T, "N": a_int(3)}, "expected 3 inputs, got 2"), ("NoOp", ["x"], {}, "expected 0 inputs, got 1"),
            ("Const", ["x"], dict(dtype=a_type(FLOAT), value=a_tensor(FLOAT, (1,), b"\0" * 4)), "expected 0 inputs, got 1"),
            ("Placeholder", ["x"], dict(dtype=a_type(FLOAT)), "expected 0 inputs, got 1")):
        yield f"inputs-{op}", graph(X, INDEX, node("y", op, sources, **more)), f"node 'y' ({op}): {says}"
    yield "unused", graph(X, node("bad", "Relu", two, **T), node("y", "Relu", ["x"], **T)), "node 'bad' (Relu): expected one input, got 2"


def types():
    for op, sources, more, says in (
            ("Relu", ["x"], dict(T=a_type(INT32)), "input 'x' is float32, expected int32"), ("Relu", ["x"], dict(T=a_type(STRING)), "input 'x' is float32, expected string"),
            ("AddV2", ["x", "i"], T, "input 'i' is int32, expected float32"), ("Cast", ["x"], dict(SrcT=a_type(INT32), DstT=a_type(DOUBLE)), "input 'x' is float32, expected int32"),
            ("Reshape", ["x", "i"], {**T, "Tshape": a_type(INT64)}, "input 'i' is int32, expected int64"), ("Sum", ["x", "x"], {**T, "Tidx": a_type(INT32)}, "input 'x' is float32, expected int32"),
            ("Sum", ["x", "x"], T, "input 'x' is float32, expected int32"), ("SelectV2", ["x"] * 3, T, "input 'x' is float32, expected bool"),
            ("IdentityN", ["x", "x"], dict(T=a_list(data(6, b"\1\3"))), "input 'x' is float32, expected int32"), ("ReadVariableOp", ["x"], dict(dtype=a_type(FLOAT)), "input 'x' is float32, expected resource"),
            ("StringLength", ["x"], {}, "input 'x' is float32, expected string"), ("Relu", ["x"], dict(T=a_type(77)), "attribute 'T' is no element type"),
            ("Relu", ["x"], dict(T=a_type(0)), "attribute 'T' is no element type"), ("Relu", ["x:1"], T, "input 'x:1': node 'x' (Placeholder) has one output"),
            ("Relu", ["s:2"], T, "input 's:2': node 's' (Switch) has 2 outputs")):
        extra = [const("p", BOOL, (), b"\0"), node("s", "Switch", ["x", "p"], **T)] if "s:2" in sources else []
        yield f"types-{op}", graph(X, INDEX, *extra, node("y", op, sources, **more)), f"node 'y' ({op}): {says}"
    body = [node("r", "Relu", ["a"], T=a_type(INT32))]
    yield "types-in-function", graph(X, node("y", "PartitionedCall", ["x"], f=a_func("f"), Tin=ONE, Tout=ONE), functions=[
        function("f", [("a", FLOAT)], [("o", FLOAT)], body, {"o": "r:activations:0"})]), "node 'r' (Relu) of function 'f': input 'a' is float32, expected int32"


def attributes():
    for op, sources, more, says in (
            ("Relu", ["x"], {}, "attribute 'T' is missing"), ("Relu", ["x"], dict(T=a_int(1)), "attribute 'T' has another kind"), ("AddN", ["x"], T, "attribute 'N' is missing"),
            ("MatMul", ["x", "x"], {**T, "transpose_b": a_int(1)}, "attribute 'transpose_b' has another kind"), ("Pack", ["x"], {**T, "N": a_int(1), "axis": a_text("0")}, "attribute 'axis' has another kind"),
            ("Sum", ["x", "i"], {**T, "keep_dims": a_text("yes")}, "attribute 'keep_dims' has another kind"), ("LeakyRelu", ["x"], {**T, "alpha": a_text("x")}, "attribute 'alpha' has another kind"),
            ("LeakyRelu", ["x"], {**T, "alpha": a_list()}, "attribute 'alpha' has another kind"), ("Placeholder", [], dict(dtype=a_type(FLOAT), shape=a_int(3)), "attribute 'shape' has another kind"),
            ("Placeholder", [], dict(dtype=a_type(FLOAT), shape=a_shape(-5, 3)), "attribute 'shape' has a size below -1"),
            ("Squeeze", ["x"], {**T, "squeeze_dims": a_int(0)}, "attribute 'squeeze_dims' has another kind"),
            ("Squeeze", ["x"], {**T, "squeeze_dims": a_list(data(2, "0"))}, "attribute 'squeeze_dims' has another kind"), ("Split", ["i", "x"], {**T, "num_split": a_int(-2)}, "attribute 'num_split' is -2"),
            ("IdentityN", ["x"], dict(T=a_type(FLOAT)), "attribute 'T' has another kind"), ("RealDiv", ["x", "x"], dict(T=a_func("f")), "attribute 'T' has another kind"),
            ("Unpack", ["x"], {**T, "num": a_int(-1)}, "attribute 'num' is -1, expected at least 0")):
        yield f"attributes-{op}", graph(X, INDEX, node("y", op, sources, **more)), f"node 'y' ({op}): {says}"


def commands(tenon, scratch):
    for family in (inputs, types, attributes):
        for name, content, says in family():
            path = scratch / "m.pb"
            path.write_bytes(content)
            yield name, [tenon, "compile", path, "-o", scratch / "out.o", "--cpu", "native"], says
