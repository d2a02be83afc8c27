"""What compiled programs are fed with and must refuse."""

import io
import struct
import subprocess
import zipfile

from hostile_models import index
from proto import *

VALUES = struct.pack("<6f", *range(6))


def npy(header=None, content=VALUES, version=b"\1\0", length=None, descr="'<f4'", order="False", sizes="(2, 3)", more=""):
    if header is None:
        header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {sizes}, {more}}}\n"
    text = header if isinstance(header, bytes) else header.encode()
    size = len(text) if length is None else length
    return b"\x93NUMPY" + version + (struct.pack("<H", size) if version[0] == 1 else struct.pack("<I", size)) + text + content


def arrays():
    good = npy()
    yield "empty", b"", "not an .npy file"
    yield "magic", b"\x93NUMPI" + good[6:], "not an .npy file"
    yield "cut-magic", good[:8], "not an .npy file"
    yield "cut-header", good[:30], "the file ends inside its header"
    yield "cut-data", good[:-1], "the file ends early"
    yield "version", npy(version=b"\x09\0"), "unknown .npy version 9.0"
    yield "header-long", npy(length=65535), "the file ends inside its header"
    yield "header-longer", npy(version=b"\2\0", length=(1 << 32) - 1), "the file ends inside its header"
    for name, header in (("python", "__import__('os').system('touch hacked')"), ("call", "{'descr': open('/etc/passwd').read(), 'fortran_order': False, 'shape': (2, 3)}"),
                         ("lambda", "(lambda: {'descr': '<f4'})()"), ("empty", ""), ("brace", "{"), ("braces", "{}"), ("list", "['descr']"), ("quote", "{'descr"),
                         ("zeros", "\0" * 64), ("blanks", " " * 5000), ("nested", "{" * 4000), ("keys-missing", "{'descr': '<f4'}"),
                         ("comprehension", "{'descr': '<f4', 'fortran_order': False, 'shape': tuple(i for i in range(2))}")):
        yield f"header-{name}", npy(header), "damaged .npy header"
    yield "key-twice", npy(more="'descr': '<f8',"), "damaged .npy header"
    yield "key-more", npy(more="'extra': 1,"), "damaged .npy header"
    yield "shape-negative", npy(sizes="(-2, 3)"), "damaged .npy header"
    yield "shape-text", npy(sizes="('a',)"), "damaged .npy header"
    yield "shape-float", npy(sizes="(2.5, 3)"), "damaged .npy header"
    yield "shape-deep", npy(sizes="((2, 3), 1)"), "damaged .npy header"
    yield "shape-long", npy(sizes="(" + "1," * 300 + ")"), "damaged .npy header"
    yield "shape-overflows", npy(sizes="(4294967296, 4294967296)"), "too large"
    yield "shape-huge", npy(sizes="(9223372036854775807,)"), "too large"
    yield "shape-beyond", npy(sizes="(99999999999999999999999,)"), "damaged .npy header"
    yield "shape-large", npy(sizes="(1099511627776, 3)"), "the file ends early"
    yield "object", npy(descr="'|O'"), "object arrays are not supported"
    yield "unicode", npy(descr="'<U5'"), "is not supported"
    yield "structured", npy(descr="[('a', '<f4')]"), "structured dtypes are not supported"
    yield "type-unknown", npy(descr="'<q9'"), "is not supported"
    yield "type-width", npy(descr="'<f3'"), "is not supported"
    yield "type-huge", npy(descr="'<f99999999999999999999'"), "is not supported"
    yield "type-empty", npy(descr="''"), "is not supported"
    yield "type-date", npy(descr="'<M8[ns]'"), "is not supported"
    yield "strings", npy(descr="'|S4'"), "got strings"
    yield "rank", npy(sizes="(6,)"), "expected float32"
    yield "width", npy(sizes="(3, 2)"), "expected float32"
    yield "complex", npy(descr="'<c8'", content=VALUES * 2), "expected float32"


def archive(*members, method=zipfile.ZIP_STORED, **more):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, method)  # without a time
    return buffer.getvalue()


def replaced(content, at, new):
    return content[:at] + new + content[at + len(new):]


def archives():
    good = archive(("x.npy", npy()))
    central, end = good.rindex(b"PK\1\2"), good.rindex(b"PK\5\6")
    yield "cut-end", good[:-5], "cut off"
    yield "cut-most", good[:40], "cut off"
    yield "no-member", archive(), "error: "
    yield "not-array", archive(("x.npy", b"hello, this is not an array")), "not an .npy file"
    yield "nested", archive(("x.npy", good)), "not an .npy file"
    yield "crc", replaced(good, central + 16, b"\0\0\0\0"), "wrong checksum"
    yield "method", replaced(good, central + 10, b"\x0c\0"), "neither stored nor deflated"
    yield "encrypted", replaced(good, central + 8, b"\1\0"), "neither stored nor deflated"
    yield "offset", replaced(good, central + 42, b"\xf0\xff\xff\x7f"), "damaged .npz file"
    yield "packed", replaced(good, central + 20, b"\xff\xff\xff\x7f"), "damaged .npz file"
    yield "name-long", replaced(good, central + 28, b"\xff\xff"), "damaged .npz file"
    yield "directory", replaced(good, end + 16, b"\xff\xff\xff\x7f"), "damaged .npz file"
    yield "directory-size", replaced(good, end + 12, b"\xff\xff\xff\x7f"), "damaged .npz file"
    yield "zip64", good[:end] + b"PK\6\7" + b"\0" * 4 + struct.pack("<Q", 1 << 60) + b"\1\0\0\0" + good[end:], "damaged .npz file"
    packed = archive(("x.npy", npy()), method=zipfile.ZIP_DEFLATED)
    data = packed.index(b"x.npy") + 5
    yield "deflate", replaced(packed, data, b"\xff\xff\xff"), "damaged"
    yield "deflate-claims", replaced(packed, packed.rindex(b"PK\1\2") + 24, b"\0\0\0\x7f"), "damaged .npz file"
    # An array that is not what the program takes, and packs well.
    buffer, zeros = io.BytesIO(), b"\0" * (1 << 20)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, file.open("x.npy", "w", force_zip64=True) as member:
        member.write(npy(content=b"", sizes="(78643200,)"))
        for _ in range(300):
            member.write(zeros)
    yield "bomb", buffer.getvalue(), "expected float32"


def literals():
    for name, text, says in (("ragged", "[[1,2,3],[4,5]]", "error: "), ("open", "[[1,2,3],", "error: "), ("close", "1]", "error: "), ("deep", "[" * 50000, "error: "),
                             ("words", "[[a,b,c]]", "error: "), ("python", "__import__('os')", "error: "), ("empty-list", "[[]]", "error: "), ("scalar", "5", "error: "),
                             ("comma", "[[1,,2]]", "error: "), ("nothing", "", "error: "), ("number", "[[1e999e,2,3]]", "error: "), ("hex", "[[0xzz,1,2]]", "error: "),
                             ("missing-file", "gone.npy", "gone.npy"), ("text", "[['a','b','c']]", "error: ")):
        yield f"literal-{name}", ["x=" + text], says


def checkpoints():
    good = index()
    for name, content, says in (("empty", b"", "not a checkpoint, or cut off"), ("cut", good[:-9], "not a checkpoint, or cut off"), ("bit", bytes([good[0] ^ 4]) + good[1:], "checksum"),
                                ("crc", index(crc=7), "wrong checksum of a table"), ("compressed", index(kind=1), "compressed tables"), ("restarts", index(count=1 << 31), "damaged table"),
                                ("no-header", table([("v", b"")]), "without a header"), ("shards", index(header=bundle_header(0)), "impossible number of shards"),
                                ("shards-many", index(header=bundle_header(1 << 30)), "impossible number of shards"), ("entry", index(b"\xff"), "malformed message"),
                                ("order", table([("", bundle_header()), ("v", b""), ("a", b"")]), "damaged table"),
                                ("footer", good[:-48] + footer(0, 9, 1 << 60, 9), "damaged table"),
                                ("bomb", table(table_entry(0, b"", bundle_header()) + b"".join(table_entry(k, b"a", b"") for k in range(60000))), "damaged table"),
                                ("offset", index(bundle_entry(FLOAT, (2, 3), 1 << 62, 24, 0)), "is not at its place"), ("size", index(bundle_entry(FLOAT, (2, 3), 0, 23, 0)), "is not at its place"),
                                ("shard", index(bundle_entry(FLOAT, (2, 3), 0, 24, 0, shard=9)), "in a data file that there is not"),
                                ("tensor-crc", index(bundle_entry(FLOAT, (2, 3), 0, 24, 5)), "wrong checksum of a tensor"),
                                ("type", index(bundle_entry(INT32, (2, 3), 0, 24, masked(crc32c(VALUES)))), "expected float32"),
                                ("shape", index(bundle_entry(FLOAT, (3, 2), 0, 24, masked(crc32c(VALUES)))), "expected float32"),
                                ("rank", index(bundle_entry(FLOAT, (1,) * 300, 0, 24, 0)), "too many dimensions"),
                                ("missing", table([("", bundle_header())]), "lacks: v")):
        yield name, content, says


def commands(tenon, scratch):
    compiled = lambda content, name, *options: ((scratch / f"{name}.pb").write_bytes(content), subprocess.run(
        [tenon, "compile", scratch / f"{name}.pb", "-o", scratch / name, "--cpu", "native", *options], check=True))
    compiled(graph(placeholder("x", FLOAT, -1, 3), node("y", "Relu", ["x"], T=a_type(FLOAT))), "plain")
    compiled(graph(placeholder("x", FLOAT, 2, 3), node("v", "VarHandleOp", dtype=a_type(FLOAT), shape=a_shape(2, 3), shared_name=a_text("v")),
                   node("r", "ReadVariableOp", ["v"], dtype=a_type(FLOAT)), node("y", "AddV2", ["x", "r"], T=a_type(FLOAT))), "state")
    compiled(graph(placeholder("p", STRING, 1), const("n", STRING, (1,), None, strings("v")), const("s", STRING, (1,), None, strings("")),
                   node("q", "Squeeze", ["p"], T=a_type(STRING)), node("v", "VarHandleOp", dtype=a_type(FLOAT), shape=a_shape(2, 3), shared_name=a_text("v")),
                   node("load", "RestoreV2", ["q", "n", "s"], dtypes=a_list(data(6, b"\1"))), node("y", "AssignVariableOp", ["v", "load"], dtype=a_type(FLOAT))),
             "reader", "--entry", "main(p) -> ^y")
    compiled(graph(placeholder("x", STRING, 1), placeholder("p", STRING, 1), node("q", "Squeeze", ["p"], T=a_type(STRING)),
                   node("y", "RegexFullMatch", ["x", "q"])), "pattern")

    def fed(content, suffix):
        path = scratch / f"in.{suffix}"
        path.write_bytes(content)
        return path

    plain, state = scratch / "plain", scratch / "state"
    for name, content, says in arrays():
        yield f"npy-{name}", [plain, f"x={fed(content, 'npy')}"], says
    for name, content, says in archives():
        yield f"npz-{name}", [plain, fed(content, "npz")], says
    for name, words, says in literals():
        yield name, [plain, *words], says
    yield "input-missing", [plain], "error: "
    yield "input-unknown", [plain, "q=1"], "error: "
    yield "input-twice", [plain, "x=[[1,2,3]]", "x=[[1,2,3]]"], "error: "
    yield "output-unknown", [plain, "x=[[1,2,3]]", "-o", "w=out.npy"], "error: "
    yield "output-nowhere", [plain, "x=[[1,2,3]]", "-o", scratch / "no/such/folder/out.npz"], "error: "
    yield "entry-unknown", [plain, "--run", "nope", "x=[[1,2,3]]"], "error: "
    yield "shape-static", [state, "x=[[1,2,3,4]]"], "error: "
    for name, content, says in checkpoints():
        (scratch / "ck.index").write_bytes(content)
        (scratch / "ck.data-00000-of-00001").write_bytes(VALUES)
        yield f"restore-{name}", [state, "--restore", "ck", "x=[[1,2,3],[4,5,6]]"], says
        if name != "missing":
            yield f"saver-{name}", [scratch / "reader", 'p=["ck"]'], "error: node '"
    yield "restore-nothing", [state, "--restore", "gone", "x=[[1,2,3],[4,5,6]]"], "error: "
    (scratch / "folder").mkdir(exist_ok=True)
    yield "restore-folder", [state, "--restore", "folder", "x=[[1,2,3],[4,5,6]]"], "has no file 'checkpoint'"
    for name, text, says in (("empty", "", "names no checkpoint"), ("cut", 'model_checkpoint_path: "ck', "names no checkpoint"), ("self", 'model_checkpoint_path: "."', "error: "),
                             ("escapes", 'model_checkpoint_path: "\\999\\1"', "error: ")):
        (scratch / "folder/checkpoint").write_text(text)
        yield f"folder-{name}", [state, "--restore", "folder", "x=[[1,2,3],[4,5,6]]"], says
    for name, text, says in (("open", "(", "error: "), ("deep", "(" * 30000, "error: "), ("repeats", "((((a{1000}){1000}){1000}){1000})", "error: "), ("range", "[z-a]", "error: "),
                             ("star", "*", "error: "), ("class", "[[:nope:]]", "error: "), ("brace", "a{5,2}", "error: ")):
        yield f"pattern-{name}", [scratch / "pattern", 'x=["abc"]', f'p=["{text}"]'], says
