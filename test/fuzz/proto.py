"""Writes TensorFlow's messages without TensorFlow, right or wrong as asked.

Every function gives bytes. A message is a list of fields, so that fields may be
missing, repeated, in any order, or of the wrong kind.
"""

import struct

FLOAT, DOUBLE, INT32, UINT8, STRING, INT64, BOOL = 1, 2, 3, 4, 7, 9, 10
HALF, RESOURCE, VARIANT = 19, 20, 21


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def single(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def shape(*sizes):
    """`shape(None)` has no known rank."""
    if sizes == (None,):
        return number(3, 1)
    return b"".join(data(2, number(1, size)) for size in sizes)


def tensor(dtype, sizes, content=None, *more):
    """`more`: further fields, such as lists of values."""
    out = number(1, dtype) + data(2, sizes if isinstance(sizes, bytes) else shape(*sizes))
    return out + (data(4, content) if content is not None else b"") + b"".join(more)


def floats(*values):
    return data(5, struct.pack(f"<{len(values)}f", *values))


def ints(*values):
    return data(7, b"".join(varint(value) for value in values))


def longs(*values):
    return data(10, b"".join(varint(value) for value in values))


def strings(*values):
    return b"".join(data(8, value) for value in values)


# Values of attributes.
def a_text(value):
    return data(2, value)


def a_int(value):
    return number(3, value)


def a_float(value):
    return single(4, value)


def a_bool(value):
    return number(5, value)


def a_type(value):
    return number(6, value)


def a_shape(*sizes):
    return data(7, shape(*sizes))


def a_tensor(*arguments):
    return data(8, tensor(*arguments))


def a_func(name):
    return data(10, data(1, name))


def a_list(*fields):
    return data(1, b"".join(fields))


def node(name, op, inputs=(), **attributes):
    out = data(1, name) + data(2, op) + b"".join(data(3, one) for one in inputs)
    for key, value in attributes.items():
        out += data(5, data(1, key) + data(2, value))
    return out


def graph(*nodes, functions=(), producer=1000):
    library = data(2, b"".join(data(1, one) for one in functions)) if functions else b""
    return b"".join(data(1, one) for one in nodes) + library + data(4, number(1, producer))


def function(name, inputs, outputs, nodes, returns, controls=()):
    """`inputs` and `outputs`: names with types; `returns`: output -> "node:out:0"."""
    arguments = lambda field, items: b"".join(
        data(field, data(1, key) + number(3, dtype)) for key, dtype in items)
    out = data(1, data(1, name) + arguments(2, inputs) + arguments(3, outputs))
    out += b"".join(data(3, one) for one in nodes)
    for field, pairs in ((4, returns), (6, controls)):
        for key, value in dict(pairs).items():
            out += data(field, data(1, key) + data(2, value))
    return out


def placeholder(name, dtype=FLOAT, *sizes):
    return node(name, "Placeholder", dtype=a_type(dtype), shape=a_shape(*(sizes or (2, 3))))


def const(name, dtype, sizes, content=None, *more):
    return node(name, "Const", dtype=a_type(dtype), value=a_tensor(dtype, sizes, content, *more))


def indices(name, *values):
    return const(name, INT32, (len(values),), struct.pack(f"<{len(values)}i", *values))


# SavedModels and MetaGraphDefs.
def info(tensor_name, dtype=FLOAT, *sizes):
    return data(1, tensor_name) + number(2, dtype) + data(3, shape(*sizes))


def signature(inputs, outputs):
    out = b""
    for field, items in ((1, inputs), (2, outputs)):
        for key, value in items.items():
            out += data(field, data(1, key) + data(2, value))
    return out


def meta_graph(graph_def, signatures=None, tags=("serve",), saver=b"", more=b""):
    out = data(1, b"".join(data(4, tag) for tag in tags)) + data(2, graph_def)
    if saver:
        out += data(3, saver)
    for key, value in (signatures or {}).items():
        out += data(5, data(1, key) + data(2, value))
    return out + more


def saved_model(*metas):
    return number(1, 1) + b"".join(data(2, meta) for meta in metas)


# Checkpoints: tables of LevelDB, version 2.
def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def table_entry(shared, key, value):
    return varint(shared) + varint(len(key)) + varint(len(value)) + key + value


def table_block(entries, kind=0, restarts=(0,), count=None, crc=None):
    """Contents with trailer. `entries`: pairs, or bytes as they are."""
    body = entries if isinstance(entries, bytes) else b"".join(
        table_entry(0, key.encode() if isinstance(key, str) else key, value) for key, value in entries)
    body += b"".join(struct.pack("<I", at) for at in restarts)
    body += struct.pack("<I", len(restarts) if count is None else count) + bytes([kind])
    return body + struct.pack("<I", masked(crc32c(body)) if crc is None else crc)


def table(entries, **wrong):
    """A whole file with one data block; `wrong` is for its block."""
    block = table_block(entries, **wrong)
    size = len(block) - 5
    meta = table_block([])
    index = table_block([("~", varint(0) + varint(size))])
    return block + meta + index + footer(len(block), len(meta) - 5, len(block) + len(meta), len(index) - 5)


def footer(meta_at, meta_size, index_at, index_size, magic=0xDB4775248B80FB57):
    handles = varint(meta_at) + varint(meta_size) + varint(index_at) + varint(index_size)
    return handles.ljust(40, b"\0") + struct.pack("<Q", magic)


def bundle_header(shards=1, endianness=0):
    return number(1, shards) + (number(2, endianness) if endianness else b"")


def bundle_entry(dtype, sizes, offset, size, crc, shard=0, more=b""):
    return (number(1, dtype) + data(2, shape(*sizes)) + (number(3, shard) if shard else b"") + number(4, offset) +
            number(5, size) + varint(6 << 3 | 5) + struct.pack("<I", crc) + more)
