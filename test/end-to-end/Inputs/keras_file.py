"""Looks into files that were exported for Keras: keras_file.py FILE.keras FILE.weights.h5 FILE.npz

An own reader of the format's few messages, so that what the compiler's reader forgives is seen: check sums, sizes and
places of arrays, and values against the .npz file's (which has no optimizer).
"""

import struct
import sys
import zipfile

import numpy as np


def checksum(data):
    """Bob Jenkins's lookup3, of which HDF5's check sums are."""
    mask = 0xFFFFFFFF
    rotate = lambda v, k: (v << k | v >> (32 - k)) & mask
    a = b = c = (0xDEADBEEF + len(data)) & mask
    words = lambda part: struct.unpack("<3I", part.ljust(12, b"\0"))
    while len(data) > 12:
        x, y, z = words(data[:12])
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        a = (a - c) & mask ^ rotate(c, 4); c = (c + b) & mask
        b = (b - a) & mask ^ rotate(a, 6); a = (a + c) & mask
        c = (c - b) & mask ^ rotate(b, 8); b = (b + a) & mask
        a = (a - c) & mask ^ rotate(c, 16); c = (c + b) & mask
        b = (b - a) & mask ^ rotate(a, 19); a = (a + c) & mask
        c = (c - b) & mask ^ rotate(b, 4); b = (b + a) & mask
        data = data[12:]
    x, y, z = words(data)
    a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
    c = ((c ^ b) - rotate(b, 14)) & mask
    a = ((a ^ c) - rotate(c, 11)) & mask
    b = ((b ^ a) - rotate(a, 25)) & mask
    c = ((c ^ b) - rotate(b, 16)) & mask
    a = ((a ^ c) - rotate(c, 4)) & mask
    b = ((b ^ a) - rotate(a, 14)) & mask
    return ((c ^ b) - rotate(b, 24)) & mask


def read(file, address, path, arrays):
    assert file[address:address + 6] == b"OHDR\2\2", path
    size, = struct.unpack_from("<I", file, address + 6)
    end = address + 10 + size
    assert checksum(file[address:end]) == struct.unpack_from("<I", file, end)[0], path
    at, messages = address + 10, []
    while at < end:
        kind, length, flags = struct.unpack_from("<BHB", file, at)
        messages.append((kind, file[at + 4:at + 4 + length]))
        at += 4 + length
    assert at == end, path
    kinds = dict(messages)
    if 8 not in kinds:
        for kind, body in messages:
            if kind == 6:
                name = body[3:3 + body[2]].decode()
                read(file, struct.unpack_from("<Q", body, 3 + body[2])[0], f"{path}/{name}", arrays)
        return
    shape = struct.unpack_from(f"<{kinds[1][1]}Q", kinds[1], 4)
    bytes_each, = struct.unpack_from("<I", kinds[3], 4)
    dtype = np.dtype(("f" if kinds[3][0] & 15 == 1 else "i") + str(bytes_each))
    start, length = struct.unpack_from("<QQ", kinds[8], 2)
    assert length == int(np.prod(shape)) * bytes_each, path
    arrays[path[1:]] = np.frombuffer(file[start:start + length], dtype).reshape(shape)


def arrays_of(file):
    assert file[:9] == b"\x89HDF\r\n\x1a\n\2"
    end, root, check = struct.unpack_from("<QQI", file, 28)
    assert end == len(file) and checksum(file[:44]) == check
    arrays = {}
    read(file, root, "", arrays)
    return arrays


archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(*archive.namelist())
alone = open(sys.argv[2], "rb").read()
assert archive.read("model.weights.h5") == alone
arrays, weights = arrays_of(alone), np.load(sys.argv[3])
inside = sorted(a.tobytes() for name, a in arrays.items() if not name.startswith("optimizer"))
assert inside == sorted(a.tobytes() for a in weights.values())
print(len(arrays), "arrays, the weights are those of the .npz file")
