#!/usr/bin/env python3
"""Makes the corpus that the fuzzers start from: corpus.py [FOLDER]

Small inputs that are right, and the hostile ones that are small. What fuzzers
found (`found-*`), and small models that Keras saved (`kept-*`), stay as they
are. Deterministic.
"""

import gzip
import pathlib
import struct
import sys
import zipfile
import zlib

import hostile_graphs
import hostile_models
import hostile_programs
from proto import *

HERE = pathlib.Path(__file__).parent
INPUTS = HERE.parent / "end-to-end/Inputs"
FIXTURES = HERE.parent / "frontend/tensorflow/fixtures"


def packed(*parts):
    return b"".join(len(part).to_bytes(3, "big") + part for part in parts)


def saved(folder):
    variables = folder / "variables/variables"
    read = lambda suffix: pathlib.Path(f"{variables}{suffix}").read_bytes()
    return packed((folder / "saved_model.pb").read_bytes(), read(".index"), read(".data-00000-of-00001"), b"")


def inputs():
    """(target, name, bytes)"""
    for path in sorted(FIXTURES.glob("*.pb")):
        yield "graphdef", path.stem, path.read_bytes()
    yield "graphdef-text", "linear", (FIXTURES / "linear.pbtxt").read_bytes()
    for name, content, _, *options in hostile_graphs.cases():
        if options or len(content) > 2000:
            continue
        yield "graphdef-text" if name.startswith(("text-", "trailing-")) else "graphdef", name, content
    for name in ("graph", "text", "saved", "zip", "empty"):
        content = {"graph": (FIXTURES / "linear.pb").read_bytes(), "text": (FIXTURES / "linear.pbtxt").read_bytes(),
                   "saved": hostile_models.model(), "zip": b"PK\3\4" + b"\0" * 40, "empty": b""}[name]
        yield "recognition", name, content
    yield "metagraph", "small", meta_graph(hostile_models.graph_def(), hostile_models.SERVE)
    for path in sorted(FIXTURES.glob("saved_*")):
        content = saved(path)
        if len(content) < 30000:
            yield "savedmodel", path.name, content
    right = hostile_models.index()
    for name, content, _ in hostile_models.messages():
        if len(content) < 2500:
            yield "savedmodel", name, packed(content, right, hostile_models.VALUES, b"words")
    for name, content, _ in [("right", right, ""), *hostile_models.indices()]:
        if len(content) < 2000:
            yield "checkpoint", name, packed(content, hostile_models.VALUES)
            yield "restore", name, packed(content, hostile_models.VALUES)
            yield "restore-file", name, content
    # The variables of test/runtime/FakeModel.cpp; a slice of two parts.
    extent = lambda begin, length: data(1, number(1, begin) + number(2, length))
    for name, more in (("variables", b""), ("slices", data(7, extent(0, 1)) + data(7, extent(1, 1))), ("slice", data(7, extent(5, -1)))):
        content = table([("", bundle_header()), ("bias", bundle_entry(FLOAT, (2,), 0, 8, 0, more=more)), ("total", bundle_entry(FLOAT, (), 8, 4, 0))])
        yield "restore", name, packed(content, hostile_models.VALUES)
        yield "checkpoint", name, packed(content, hostile_models.VALUES)
    meta = data(1, data(1, data(1, "bias") + data(2, shape(2)) + number(3, FLOAT) + data(4, b"")))
    value = data(2, data(1, "bias") + data(3, number(1, FLOAT) + data(2, shape(2)) + floats(1, 2)))
    yield "restore-file", "first", table([("", meta), (b"\0bias\0\1\1\1\x80\x7f", value)])
    for place, text in enumerate(("main(x) -> y", "f(a = x:0, b) -> c = y:1, ^init", "g() -> d = grad(loss:0, w), e = grad(grad(a, b), c, v)", "main(", "a()->b,b")):
        yield "entry", str(place), text.encode()
    for name, content, _ in [("right", hostile_programs.npy(), ""), *hostile_programs.arrays()]:
        if len(content) < 1000:
            yield "npy", name, content
    for order, swapped in (("True", "'<i4'"), ("False", "'>c16'")):
        yield "npy", f"order-{order}", hostile_programs.npy(order=order, descr=swapped, content=b"\0" * 96)
    array = hostile_programs.npy()
    for name, content, _ in [("right", hostile_programs.archive(("v.npy", array), ("w.npy", array), method=zipfile.ZIP_DEFLATED), ""), *hostile_programs.archives()]:
        if len(content) < 1000:
            yield "npz", name, content
            yield "restore-file", f"npz-{name}", content
    for place, text in enumerate(("[[1,2],[3,4.5e-3]]", "-inf", "[nan, NaN, Infinity]", "[true,false]", "[1+2j, -3j]", '["a\\n\\u00e9\\ud83d\\ude00", "b"]', "[[[[]]]]", "[" * 300, "[1,[2]]", "0x10", "1e400", "5")):
        for dtype in range(9):
            yield "literal", f"{place}-{dtype}", bytes([dtype]) + text.encode()
    for place, (pattern, text) in enumerate((("a+b*(c|d)?", "aabcd"), ("^(?i:he)llo\\b.*$", "Hello world"), ("[[:alpha:]]{2,5}\\d+?[^a-z]", "abc12X"), ("(?P<n>x)|\\x{1F600}|\\pL", "x"),
                                              ("((((a{10}){10}){10}){10})", "aaaa"), ("(", ""), ("[z-a]", ""), ("\\Q.*\\E\\C", ".*"), ("a**", "a"), ("(?s).\\z", "\n"))):
        yield "regex", str(place), packed(pattern.encode()) + text.encode()
    rows = "x0,x1,x2,y\n1,2,3,4\n5e-1,-.5,nan,inf\n"
    for place, text in enumerate((rows, rows.replace("\n", "\r\n"), '"x0","x1","x2","y"\n"1","2",3,4\n', "1;2;3;4\n", "x0,x1,x2,y\n1,2\n", "x0,x1,x2,y\n1,,3,4\n", "\ufeff" + rows, '"a""b', "", "y\n1\n", "x0,x0,x2,y\n1,2,3,4\n")):
        yield "csv", str(place), text.encode()
    feature = lambda key, *numbers: data(1, data(1, key) + data(2, data(2, data(1, struct.pack(f"<{len(numbers)}f", *numbers)))))
    example = data(1, feature("x", 1, 2, 3) + feature("y", 4))
    record = lambda content: struct.pack("<QI", len(content), masked(crc32c(struct.pack("<Q", len(content))))) + content + struct.pack("<I", masked(crc32c(content)))
    right = record(example)
    for name, content in (("right", right * 2), ("cut", right[:-3]), ("crc", right[:-1] + b"\0"), ("long", struct.pack("<QI", 1 << 60, 0) + right), ("short", record(data(1, feature("x", 1) + feature("y", 4)))),
                          ("no-target", record(data(1, feature("x", 1, 2, 3)))), ("garbage", record(b"\x0a\xff\xff")), ("empty", b""), ("zip", zlib.compress(right)), ("gzip", gzip.compress(right, mtime=0))):
        yield "records", name, content
    small = lambda order, sizes, values: hostile_programs.npy(sizes=sizes, content=struct.pack(f"<{len(values)}f", *values))
    x, y = small("False", "(2, 3)", range(6)), small("False", "(2, 1)", range(2))
    for name, members in (("right", (("x.npy", x), ("y.npy", y))), ("rows", (("x.npy", x), ("y.npy", small("False", "(3, 1)", range(3))))), ("no-target", (("x.npy", x),))):
        yield "arrays", name, hostile_programs.archive(*members)
    chunk = lambda kind, content: struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    for name, depth, color, width in (("rgb", 8, 2, 15), ("gray", 8, 0, 5), ("wide", 16, 2, 30), ("bits", 1, 0, 1)):
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 4, depth, color, 0, 0, 0)) + chunk(b"IDAT", zlib.compress((b"\1" + bytes(range(width))) * 4)) + chunk(b"IEND", b"")
        yield "pictures", name, packed(png, png)
        yield "pictures", f"{name}-cut", packed(png[:-20], b"\xff\xd8\xff\xe0" + bytes(40))


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    for old in root.glob("*/*"):
        if not old.name.startswith(("found-", "kept-")):
            old.unlink()
    total = 0
    for target, name, content in inputs():
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        total += len(content)
    print(f"{total} bytes")


if __name__ == "__main__":
    main()
