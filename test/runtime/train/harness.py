"""What the scripts here share: running a training program, and files for it."""
import os
import shutil
import struct
import subprocess
import sys

import numpy as np

program = sys.argv[1]
shutil.rmtree(sys.argv[2], ignore_errors=True)
os.makedirs(sys.argv[2])
os.chdir(sys.argv[2])


def run(*words, variant=""):
    """Runs the program and returns what it printed; it must succeed."""
    result = subprocess.run([program + variant, *words], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and not result.stderr, (words, result)
    return result.stdout


def fails(*words, status=1, variant=""):
    """Runs the program, which must end with that status and one line; returns the line."""
    result = subprocess.run([program + variant, *words], capture_output=True, text=True, timeout=300)
    lines = result.stderr.splitlines()
    assert result.returncode == status and len(lines) == 1, (words, result)
    assert ": error: " in lines[0], lines
    return lines[0].split(": error: ", 1)[1]


def make_data(rows, seed=0):
    """x and y of a linear function, float32."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3)).astype("f4")
    return x, (x @ np.array([1, -2, 0.5], "f4") + 3)[:, None]


def history(*words, variant=""):
    """The rows of --history after a run of two epochs in the order of the data."""
    if os.path.exists("history.csv"):
        os.remove("history.csv")
    run("fit", *words, "--epochs", "2", "--seed", "3", "--no-shuffle", "--history", "history.csv",
        variant=variant)
    return open("history.csv").read()


# ---- TFRecord files of tf.train.Example

_table = []
for _i in range(256):
    for _ in range(8):
        _i = _i >> 1 ^ (0x82F63B78 if _i & 1 else 0)
    _table.append(_i)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _table[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def example(**features):
    """An Example; floats, integers or bytes by the values' type."""
    entries = b""
    for name, values in features.items():
        if isinstance(values, bytes):
            kind, packed = 1, field(1, values)
        elif np.asarray(values).dtype.kind == "f":
            kind, packed = 2, field(1, np.asarray(values, "<f4").tobytes())
        else:
            kind, packed = 3, field(1, b"".join(varint(int(v) % 2**64) for v in values))
        entries += field(1, field(1, name.encode()) + field(2, field(kind, packed)))
    return field(1, entries)


def record(data):
    head = struct.pack("<Q", len(data))
    return (head + struct.pack("<I", masked_crc(head)) + data +
            struct.pack("<I", masked_crc(data)))
