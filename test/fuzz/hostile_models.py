"""SavedModels and checkpoints that must be refused.

A case is the change of one part of a small model that is right: its message,
the index or the data of its checkpoint, or a file beside them.
"""

import os
import shutil
import struct

from proto import *

VALUES = struct.pack("<6f", *range(6))
T = dict(T=a_type(FLOAT))
CALL = dict(Tin=a_list(data(6, varint(RESOURCE))), Tout=a_list(data(6, varint(RESOURCE))))


def graph_def(*more, x=None, functions=(), restore_names=("v",), slices=("",)):
    return graph(
        x or placeholder("x"),
        node("v", "VarHandleOp", dtype=a_type(FLOAT), shape=a_shape(2, 3), shared_name=a_text("v")),
        node("read", "ReadVariableOp", ["v"], dtype=a_type(FLOAT)), node("y", "AddV2", ["x", "read"], **T),
        const("save/prefix", STRING, (), None, strings("p")), const("save/names", STRING, (len(restore_names),), None, strings(*restore_names)),
        const("save/slices", STRING, (len(slices),), None, strings(*slices)),
        node("save/restore", "RestoreV2", ["save/prefix", "save/names", "save/slices"], dtypes=a_list(data(6, b"\1"))),
        node("save/assign", "AssignVariableOp", ["v", "save/restore"], dtype=a_type(FLOAT)),
        node("save/all", "NoOp", ["^save/assign"]), *more, functions=functions)


SERVE = {"serve": signature({"x": info("x:0", FLOAT, 2, 3)}, {"y": info("y:0", FLOAT, 2, 3)})}


def model(definition=None, signatures=None, restore="save/all", more=b""):
    return saved_model(meta_graph(definition or graph_def(), SERVE if signatures is None else signatures, saver=data(3, restore), more=more))


def entry(**change):
    values = dict(dtype=FLOAT, sizes=(2, 3), offset=0, size=24, crc=masked(crc32c(VALUES)))
    return bundle_entry(**{**values, **change})


def index(value=None, header=None, **wrong):
    return table([("", bundle_header() if header is None else header), ("v", entry() if value is None else value)], **wrong)


def listed(asset):
    """As TensorFlow 1 names assets."""
    return data(4, data(1, "saved_model_assets") + data(2, data(5, data(1, data(2, asset)))))


def messages():
    good = model()
    yield "empty", b"", "error: "
    yield "truncated", good[:-10], "the message is malformed"
    yield "no-graph", number(1, 1), "holds no graph"
    yield "text", b"saved_model_schema_version: 1", "the message is malformed"
    yield "restore-nowhere", model(restore="gone"), "the saver's restore operation 'gone' is not in the graph"
    wrong = lambda tensor: {"serve": signature({"x": info("x:0", FLOAT, 2, 3)}, {"y": tensor})}
    yield "signature-nowhere", model(signatures=wrong(info("gone:0"))), "entry 'serve': the graph has no node 'gone'"
    yield "signature-number", model(signatures=wrong(info("y:9"))), "node 'y' has no output 9"
    yield "signature-name", model(signatures=wrong(info("y:0:0:0"))), "error: "
    yield "signature-empty", model(signatures=wrong(b"")), "tensor 'y' of a signature is not dense"
    yield "signature-sparse", model(signatures=wrong(data(4, data(1, "v:0")))), "is not dense"
    yield "input-nowhere", model(signatures={"serve": signature({"x": info("what:0")}, {"y": info("y:0")})}), "the graph has no node 'what'"
    recursive = function("f", [("a", RESOURCE)], [("o", RESOURCE)], [node("r", "StatefulPartitionedCall", ["a"], f=a_func("f"), **CALL)], {"o": "r:output:0"})
    yield "restore-recursion", model(graph_def(node("again", "StatefulPartitionedCall", ["v"], f=a_func("f"), **CALL), node("all2", "NoOp", ["^again"]), functions=[recursive]),
                                     restore="all2"), "calls too many functions"
    chain = [node("i0", "Identity", ["v"], T=a_type(RESOURCE))] + [node(f"i{k}", "Identity", [f"i{k - 1}"], T=a_type(RESOURCE)) for k in range(1, 3000)]
    yield "restore-deep", model(graph_def(*chain, node("assign2", "AssignVariableOp", ["i2999", "save/restore"], dtype=a_type(FLOAT)), node("all2", "NoOp", ["^assign2"])), restore="all2"), "nests too deeply"
    yield "restore-cycle", model(graph_def(node("c", "Identity", ["c"], **T), node("assign2", "AssignVariableOp", ["c", "c"]), node("all2", "NoOp", ["^assign2"])), restore="all2"), "error: "
    yield "other-tensor", model(graph_def(restore_names=("w",))), "has no tensor 'w'"
    yield "slice", model(graph_def(slices=("4 3 0,2:-",))), "error: "
    for name, file, says in (("up", "../../secret", "is not a file inside of the model"), ("absolute", "/etc/passwd", "is not a file inside of the model"),
                             ("hidden-up", "a/../../../secret", "is not a file inside of the model"), ("empty", "", "is not a file inside of the model"),
                             ("zero", "vocab\0.txt", "error: "), ("missing", "vocab.txt", "vocab.txt"), ("folder", ".", "assets/."), ("long", "n" * 5000, "error: ")):
        asset = data(1, info("save/prefix:0", STRING)) + data(2, file)
        yield f"asset-{name}", model(more=data(6, asset)), says
        yield f"asset-listed-{name}", model(more=listed(asset)), says
    yield "asset-listed-garbage", model(more=listed(b"\xff\xff")), "the collection 'saved_model_assets' is malformed"
    yield "asset-node", model(more=data(6, data(1, info("gone:0", STRING)) + data(2, "here"))), "belongs to node 'gone', which is not in the graph"
    yield "asset-name", model(more=data(6, data(1, info("a:b:c", STRING)) + data(2, "here"))), "is not of the form"


def indices():
    good = index()
    yield "empty", b"", "variables.index': offset 0: too short for a table"
    yield "short", good[-20:], "too short for a table"
    yield "cut", good[:-8], "wrong magic number"
    yield "magic", good[:-8] + b"\0" * 8, "wrong magic number"
    yield "bit", bytes([good[0] ^ 1]) + good[1:], "the check sum of a block is wrong"
    yield "crc", index(crc=12345), "the check sum of a block is wrong"
    yield "compressed", index(kind=1), "a compressed block"
    yield "restarts", index(count=1 << 30), "impossible number of restart points"
    yield "no-header", table([("v", entry())]), "no header"
    yield "header-garbage", index(header=b"\xff\xff\xff"), "no header"
    yield "shards-0", index(header=bundle_header(0)), "impossible number of shards: 0"
    yield "shards-negative", index(header=bundle_header(-5)), "impossible number of shards"
    yield "shards-many", index(header=bundle_header(100000)), "impossible number of shards: 100000"
    yield "big-endian", index(header=bundle_header(1, 1)), "big-endian"
    yield "order", table([("", bundle_header()), ("v", entry()), ("a", entry())]), "keys are out of order"
    yield "twice", table([("", bundle_header()), ("v", entry()), ("v", entry())]), "keys are out of order"
    yield "entry-garbage", index(b"\x08\x01\x12\xff"), "malformed entry of 'v'"
    yield "entry-shared", table(table_entry(0, b"", bundle_header()) + table_entry(900, b"v", entry())), "a malformed entry"
    yield "entry-long", table(table_entry(0, b"", bundle_header()) + varint(0) + varint(1 << 62) + varint(1) + b"v"), "a malformed entry"
    yield "footer-outside", good[:-48] + footer(0, 10, 1 << 50, 100), "ends outside the file"
    yield "footer-overflow", good[:-48] + footer(0, 10, (1 << 64) - 4, 100), "ends outside the file"
    yield "footer-garbage", good[:-48] + b"\xff" * 40 + good[-8:], "malformed footer"
    block = table_block([("", bundle_header()), ("v", entry())])
    for name, handle, says in (("outside", varint(1 << 40) + varint(9), "ends outside the file"), ("garbage", b"\xff", "malformed place of a block"),
                               ("self", varint(len(block)) + varint(4), "error: ")):
        where = table_block([("~", handle)])
        yield f"index-{name}", block + where + footer(0, 0, len(block), len(where) - 5), says
    where = table_block([(f"{k:06}", varint(0) + varint(len(block) - 5)) for k in range(20000)])
    yield "block-repeated", block + where + footer(0, 0, len(block), len(where) - 5), "error: "
    bomb = table_entry(0, b"", bundle_header()) + b"".join(table_entry(k, b"a", b"") for k in range(60000))
    yield "key-bomb", table(bomb), "keys that are longer than the file"
    where = lambda **change: index(entry(**change))
    yield "offset", where(offset=8), "bytes 8 to"
    yield "offset-huge", where(offset=(1 << 63) - 10), "of a file of 24"
    yield "offset-negative", where(offset=-8), "bytes -8 to"
    yield "size-negative", where(size=-24), "of a file of 24"
    yield "size-small", where(size=20), "the shape needs 24 bytes, the file has 20"
    yield "tensor-crc", where(crc=1), "the check sum is wrong"
    yield "shard", where(shard=3), "shard 3 of 1"
    yield "shard-negative", where(shard=-1), "shard -1 of 1"
    yield "type", where(dtype=INT32), "variable 'v' is float32, its value in the checkpoint is int32"
    yield "type-none", where(dtype=99), "elements of type"
    yield "shape", where(sizes=(3, 2)), "in the checkpoint has another shape"
    yield "shape-huge", where(sizes=(1 << 40, 1 << 40)), "an impossible shape"
    yield "shape-negative", where(sizes=(-2, -3)), "an impossible shape"
    yield "shape-none", index(number(1, FLOAT) + data(2, shape(None)) + number(5, 24)), "no shape"
    yield "strings", where(dtype=STRING), "error: "
    yield "parts", where(more=data(7, data(1, number(1, 0) + number(2, 1)))), "it is stored in parts"


def commands(tenon, scratch):
    directory = scratch / "saved"

    def make(message=None, index_file=None, data_file=VALUES):
        shutil.rmtree(directory, ignore_errors=True)
        (directory / "variables").mkdir(parents=True)
        (directory / "assets").mkdir()
        (scratch / "secret").write_text("secret")
        (directory / "assets/here").write_text("here")
        (directory / "saved_model.pb").write_bytes(model() if message is None else message)
        (directory / "variables/variables.index").write_bytes(index() if index_file is None else index_file)
        if data_file is not None:
            (directory / "variables/variables.data-00000-of-00001").write_bytes(data_file)
        return [tenon, "compile", directory, "-o", scratch / "out.o", "--cpu", "native"]

    for name, content, says in messages():
        yield f"model-{name}", make(content), says
    for name, content, says in indices():
        yield f"index-{name}", make(index_file=content), says
    yield "data-missing", make(data_file=None), "variables.data-00000-of-00001"
    yield "data-short", make(data_file=VALUES[:-1]), "of a file of 23"
    yield "data-empty", make(data_file=b""), "of a file of 0"
    command = make()
    (directory / "saved_model.pb").unlink()
    yield "no-message", command, "error: "
    command = make()
    (directory / "saved_model.pb").unlink()
    (directory / "saved_model.pb").mkdir()
    yield "message-is-folder", command, "error: "
    command = make()
    (directory / "saved_model.pb").unlink()
    os.symlink("saved_model.pb", directory / "saved_model.pb")
    yield "message-is-itself", command, "error: "
    command = make()
    (directory / "variables/variables.index").unlink()
    (directory / "variables/variables.index").mkdir()
    yield "index-is-folder", command, "variables.index"
    yield "no-file", [tenon, "compile", scratch / "nothing.pb"], "no such file"
    yield "out-is-folder", [*make()[:-4], "-o", scratch, "--emit=o"], "error: "
    for name, content, says in (("empty", b"", "not a model file"), ("cut", meta_graph(graph_def(), SERVE)[:-5], "malformed"), ("tags", data(1, data(4, "serve")), "error: ")):
        (scratch / "m.meta").write_bytes(content)
        yield f"meta-{name}", [tenon, "compile", scratch / "m.meta", "-o", scratch / "out.o"], says
