"""Keras files that must be refused: archives, configurations, weights.

A case is the change of one part of a small model that is right.
"""

import copy
import io
import json
import pathlib
import struct
import warnings
import zipfile
import zlib

DIGITS = pathlib.Path(__file__).parent.parent.parent / "examples/train_digits/digits.keras"
LINEAR = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "linear", "use_bias": True}}
INPUT = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "x"}}


def sequential(*layers, entry=INPUT):
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "net", "layers": [entry, *layers]}}


def layer(kind, name="l", **config):
    return {"module": "keras.layers", "class_name": kind, "config": {"name": name, **config}}


def tensor(name, call=0, place=0):
    return {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [name, call, place]}}


def functional(nodes, outputs=("a", 0, 0), inputs=("x", 0, 0), entry=INPUT):
    layers = [{**entry, "name": "x", "inbound_nodes": []}]
    for name, kind, arguments, config in nodes:
        layers.append({**layer(kind, name, **config), "name": name, "inbound_nodes": [{"args": arguments, "kwargs": {}}]})
    return {"module": "keras", "class_name": "Functional", "config": {"name": "net", "layers": layers, "input_layers": list(inputs), "output_layers": list(outputs)}}


NOTHING = (1 << 64) - 1


def hdf5(root_header=None, version=0, sizes=(8, 8), end=None, root=96, more=b""):
    """The start of a file with one object, the root group, at byte 96."""
    if root_header is None:
        root_header = struct.pack("<BBHII", 1, 0, 0, 1, 0) + bytes(16)
    body = root_header + more
    end = 96 + len(body) if end is None else end
    head = b"\x89HDF\r\n\x1a\n" + bytes([version, 0, 0, 0, 0, *sizes, 0]) + struct.pack("<HHI", 4, 16, 0)
    head += struct.pack("<QQQQ", 0, NOTHING, end, NOTHING) + struct.pack("<QQII", 0, root, 0, 0) + bytes(16)
    return head + body


def message(kind, content):
    content += bytes(-len(content) % 8)
    return struct.pack("<HHB3x", kind, len(content), 0) + content


def header(*messages):
    body = b"".join(messages)
    return struct.pack("<BBHIIxxxx", 1, 0, len(messages), 1, len(body)) + body


def archive(config, weights=None, method=zipfile.ZIP_STORED, names=("config.json", "model.weights.h5")):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two entries of one name
        file.writestr(zipfile.ZipInfo(names[0]), config if isinstance(config, (str, bytes)) else json.dumps(config), method)
        file.writestr(zipfile.ZipInfo(names[1]), hdf5() if weights is None else weights, method)
    return out.getvalue()


RELU = sequential(layer("ReLU"))
GOOD = archive(RELU)


def replaced(content, old, new, count=-1):
    assert old in content
    return content.replace(old, new, count)


def archives():
    end = GOOD.rindex(b"PK\5\6")
    central = GOOD.index(b"PK\1\2")
    local = 0

    def at(position, new):
        return GOOD[:position] + new + GOOD[position + len(new):]

    yield "no-end", GOOD[:end], "zip archive: its end is missing"
    yield "only-end", GOOD[end:], "error: "
    yield "entries-many", at(end + 8, struct.pack("<HH", 65535, 65535)), "zip archive"
    yield "entries-none", at(end + 8, struct.pack("<HH", 0, 0)), "error: "
    yield "directory-beyond", at(end + 16, struct.pack("<I", 0xFFFFFFF0)), "zip archive"
    yield "directory-size", at(end + 12, struct.pack("<I", 0xFFFFFFF0)), "zip archive"
    yield "offset-beyond", at(central + 42, struct.pack("<I", 0x7FFFFFFF)), "zip archive"
    yield "offset-itself", at(central + 42, struct.pack("<I", central)), "zip archive"
    yield "name-long", at(central + 28, struct.pack("<H", 65535)), "zip archive"
    yield "size-beyond", at(central + 20, struct.pack("<II", 0x7FFFFFFF, 0x7FFFFFFF)), "zip archive"
    yield "size-differs", at(central + 24, struct.pack("<I", 5)), "zip archive"
    yield "encrypted", at(central + 8, struct.pack("<H", 1)), "zip archive"
    yield "method", at(central + 10, struct.pack("<H", 12)), "zip archive"
    yield "crc", at(central + 16, struct.pack("<I", 1)), "zip archive"
    yield "garbage-deflate", at(central + 10, struct.pack("<H", 8)), "zip archive"
    yield "zip64", at(central + 20, b"\xff" * 8), "zip archive"
    yield "twice", archive(RELU, names=("config.json", "config.json")), "there are two entries 'config.json'"
    yield "path", archive(RELU, names=("../config.json", "model.weights.h5")), "the archive has no 'config.json'"
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = bomb.compress(b" " * (1 << 29)) + bomb.flush()
    name = b"config.json"
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(packed), 1 << 29, len(name), 0) + name
    directory = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(packed), 1 << 29, len(name), 0, 0, 0, 0, 0, 0) + name
    yield "bomb", head + packed + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(directory), len(head) + len(packed), 0), "error: "


def configurations():
    yield "json-empty", archive(""), "the configuration is not JSON"
    yield "json-null", archive("null"), "error: "
    yield "json-number", archive("1e999999"), "error: "
    yield "json-list", archive("[]"), "error: "
    yield "json-utf8", archive(b'{"class_name": "\xff\xfe"}'), "error: "
    yield "json-cut", archive(json.dumps(RELU)[:-9]), "the configuration is not JSON"
    yield "json-zero", archive(json.dumps(RELU) + "\0" * 9), "error: "
    yield "json-two", archive(json.dumps(RELU) * 2), "the configuration is not JSON"
    yield "json-deep", archive('{"a":' * 50000), "nests deeper"
    yield "json-string", archive('{"class_name": "' + "S" * 5000000), "the configuration is not JSON"
    yield "class-number", archive({**RELU, "class_name": 7}), "error: "
    yield "class-missing", archive({"config": RELU["config"]}), "error: "
    yield "layers-number", archive({**RELU, "config": {"name": "net", "layers": 5}}), "error: "
    yield "layers-none", archive({**RELU, "config": {"name": "net", "layers": []}}), "error: "
    yield "layers-null", archive({**RELU, "config": {"name": "net", "layers": [None]}}), "error: "
    yield "layers-nested", archive({**RELU, "config": {"name": "net", "layers": [[[]]]}}), "error: "
    nested = RELU
    for i in range(60):
        nested = {"module": "keras", "class_name": "Sequential", "config": {"name": f"n{i}", "layers": [INPUT, nested]}}
    yield "models-deep", archive(nested), "error: "
    for name, shape in (("negative", [None, -4]), ("huge", [None, 1 << 40, 1 << 40]), ("text", [None, "a"]), ("number", 4), ("long", [None] + [1] * 300), ("fraction", [None, 1.5])):
        yield f"input-{name}", archive(sequential(layer("ReLU"), entry={**INPUT, "config": {**INPUT["config"], "batch_shape": shape}})), "error: "
    for name, kind, config in (("reshape-overflow", "Reshape", dict(target_shape=[1 << 40, 1 << 40])), ("reshape-two", "Reshape", dict(target_shape=[-1, -1])), ("permute", "Permute", dict(dims=[9])),
                               ("permute-twice", "Permute", dict(dims=[1, 1])), ("repeat", "RepeatVector", dict(n=-2)), ("repeat-huge", "RepeatVector", dict(n=1 << 62)),
                               ("axis", "Softmax", dict(axis=9)), ("axis-text", "Softmax", dict(axis="last")), ("normal-axis", "BatchNormalization", dict(axis=5)),
                               ("activation-object", "Activation", dict(activation={"class_name": {}})),
                               ("dropout", "Dropout", dict(rate=7)), ("embedding", "Embedding", dict(input_dim=-1, output_dim=3)), ("embedding-huge", "Embedding", dict(input_dim=1 << 40, output_dim=1 << 40))):
        yield f"layer-{name}", archive(sequential(layer(kind, **config))), f"'l' ({kind})"
    chain = [("a", "ReLU", [tensor("b")], {}), ("b", "ReLU", [tensor("c")], {}), ("c", "ReLU", [tensor("a")], {})]
    yield "circle-of-three", archive(functional(chain)), "depends on its own result"
    yield "self", archive(functional([("a", "ReLU", [tensor("a")], {})])), "depends on its own result"
    yield "call-huge", archive(functional([("a", "ReLU", [tensor("x", 1 << 40)], {})])), "error: "
    yield "call-negative", archive(functional([("a", "ReLU", [tensor("x", -1)], {})])), "error: "
    yield "place-negative", archive(functional([("a", "ReLU", [tensor("x", 0, -1)], {})])), "error: "
    yield "history-text", archive(functional([("a", "ReLU", [tensor({}, "a", [])], {})])), "error: "
    yield "arguments-none", archive(functional([("a", "Add", [[]], {})])), "error: "
    yield "inputs-nobody", archive(functional([("a", "ReLU", [tensor("x")], {})], inputs=("nobody", 0, 0))), "error: "
    yield "outputs-none", archive(functional([("a", "ReLU", [tensor("x")], {})], outputs=())), "error: "
    long = [(f"n{i}", "ReLU", [tensor(f"n{i - 1}" if i else "n4999")], {}) for i in range(5000)]
    yield "long-circle", archive(functional(long, outputs=("n4999", 0, 0))), "depends on its own result"


def changes():
    """Of a model that has weights."""
    with zipfile.ZipFile(DIGITS) as file:
        config, values = json.loads(file.read("config.json")), file.read("model.weights.h5")
    for kind, cases in (
            ("Dense", (("negative", dict(units=-3)), ("zero", dict(units=0)), ("huge", dict(units=1 << 62)), ("text", dict(units="many")), ("fraction", dict(units=2.5)),
                       ("list", dict(units=[3])), ("null", dict(units=None)), ("more", dict(units=11)), ("bias", dict(use_bias="maybe")), ("activation", dict(activation=7)))),
            ("Conv2D", (("kernel-0", dict(kernel_size=[0, 3])), ("kernel-huge", dict(kernel_size=[1 << 31, 1 << 31])), ("kernel-three", dict(kernel_size=[3, 3, 3])),
                        ("kernel-negative", dict(kernel_size=[-3, 3])), ("strides-0", dict(strides=[0, 1])), ("strides-huge", dict(strides=[1 << 62, 1])), ("strides-negative", dict(strides=[-1, -1])),
                        ("dilation-0", dict(dilation_rate=[0, 0])), ("dilation-huge", dict(padding="valid", dilation_rate=[1 << 40, 1])), ("padding", dict(padding="everywhere")),
                        ("groups", dict(groups=7)), ("groups-0", dict(groups=0)), ("filters", dict(filters=-1)), ("filters-more", dict(filters=17)), ("format", dict(data_format="upside_down")))),
            ("BatchNormalization", (("axis", dict(axis=9)), ("axis-text", dict(axis="c")), ("epsilon", dict(epsilon="small")))),
            ("Rescaling", (("scale", dict(scale="large")), ("scale-null", dict(scale=None))))):
        for name, change in cases:
            changed = copy.deepcopy(config)
            next(one for one in changed["config"]["layers"] if one["class_name"] == kind)["config"].update(change)
            yield f"{kind}-{name}", archive(changed, values), f"({kind})"
    for place in (100, 300, 1000, 5000, 40000):
        yield f"weights-cut-{place}", archive(config, values[:place]), "error: "


def weights():
    dense = lambda content: archive(sequential(LINEAR), content)
    good = hdf5()
    yield "empty", dense(b""), "HDF5: not an HDF5 file"
    yield "zeros", dense(bytes(4096)), "HDF5: not an HDF5 file"
    yield "signature-only", dense(good[:8]), "HDF5"
    yield "version", dense(hdf5(version=9)), "HDF5"
    yield "offsets-of-3", dense(hdf5(sizes=(3, 8))), "HDF5"
    yield "lengths-of-0", dense(hdf5(sizes=(8, 0))), "HDF5"
    yield "root-beyond", dense(hdf5(root=1 << 40)), "HDF5"
    yield "root-overflows", dense(hdf5(root=NOTHING - 8)), "HDF5"
    yield "root-in-signature", dense(hdf5(root=0)), "HDF5"
    yield "header-version", dense(hdf5(struct.pack("<BBHII", 7, 0, 0, 1, 0) + bytes(16))), "HDF5"
    yield "header-long", dense(hdf5(struct.pack("<BBHII", 1, 0, 9, 1, 0xFFFFFFF0) + bytes(16))), "HDF5"
    yield "messages-many", dense(hdf5(struct.pack("<BBHIIxxxx", 1, 0, 65535, 1, 0))), "weight 'kernel' is missing"
    group = lambda tree, heap: hdf5(header(message(0x11, struct.pack("<QQ", tree, heap))))
    yield "group-beyond", dense(group(1 << 50, 1 << 50)), "HDF5"
    yield "group-itself", dense(group(96, 96)), "HDF5"
    yield "group-nothing", dense(group(NOTHING, NOTHING)), "HDF5"
    again = message(0x10, struct.pack("<QQ", 96, 64))
    yield "continues-itself", dense(hdf5(header(again))), "HDF5"
    yield "continues-beyond", dense(hdf5(header(message(0x10, struct.pack("<QQ", 1 << 60, 64))))), "HDF5"
    start = 96 + len(header(message(0x11, struct.pack("<QQ", 0, 0))))
    tree = lambda level, entries, *rest: b"TREE" + struct.pack("<BBHQQ", 0, level, entries, NOTHING, NOTHING) + b"".join(struct.pack("<Q", x) for x in rest)
    heap = b"HEAP" + struct.pack("<B3xQQQ", 0, 16, NOTHING, start + 200)
    def grouped(content, heap_at=None):
        return hdf5(header(message(0x11, struct.pack("<QQ", start, start + 100 if heap_at is None else heap_at))), more=content.ljust(100, b"\0") + heap.ljust(100, b"\0") + b"\0layers\0".ljust(16, b"\0"))
    yield "tree-itself", dense(grouped(tree(1, 1, 0, start, 0))), "HDF5"
    yield "tree-deep", dense(grouped(tree(255, 1, 0, start, 0))), "HDF5"
    yield "tree-many", dense(grouped(tree(0, 65535))), "HDF5"
    yield "tree-no-leaf", dense(grouped(tree(0, 1, 0, 1 << 40, 0))), "HDF5"
    yield "tree-unsigned", dense(grouped(b"ERTE" + bytes(60))), "HDF5"
    yield "heap-beyond", dense(grouped(tree(0, 0), 1 << 40)), "HDF5"
    yield "h5-without-model", hdf5(), "the file has weights only"
    yield "h5-cut", hdf5()[:20], "error: "
    yield "user-block", dense(bytes(512) + good), "error: "


def cases():
    for family in (archives, configurations, changes, weights):
        for name, content, says in family():
            yield f"{family.__name__}-{name}", content, says


def commands(tenon, scratch):
    for name, content, says in cases():
        path = scratch / ("m.h5" if "h5-" in name else "m.keras")
        path.write_bytes(content)
        yield name, [tenon, "compile", path, "-o", scratch / "out.o", "--cpu", "native"], says
