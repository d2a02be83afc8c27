"""Reads NumPy files and compares arrays element by element, with Python alone.

The machines that run the checked-in cases need neither NumPy nor TensorFlow.
"""

import ast
import math
import struct
import zipfile

CODES = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
         "b1": "?", "c8": "f", "c16": "d"}
# Significant bits and the smallest normal number of each floating-point type.
FLOATS = {"f2": (11, 2.0**-14), "bf16": (8, 2.0**-126), "f4": (24, 2.0**-126), "f8": (53, 2.0**-1022),
          "c8": (24, 2.0**-126), "c16": (53, 2.0**-1022)}


class Array:
    def __init__(self, kind, shape, values):
        self.kind, self.shape, self.values = kind, shape, values


def parse(data, brain):
    """The bytes of a .npy file; `brain`: 16-bit words are bfloat16."""
    major = data[6]
    size, start = struct.unpack_from("<H" if major == 1 else "<I", data, 8)[0], 10 if major == 1 else 12
    header = ast.literal_eval(data[start:start + size].decode("latin-1"))
    shape, kind, body = tuple(header["shape"]), header["descr"][1:], data[start + size:]
    count = math.prod(shape)
    if kind[0] == "S":
        width = int(kind[1:])
        values = [body[n * width:(n + 1) * width].rstrip(b"\0") for n in range(count)]
        kind = "S"
    else:
        numbers = 2 * count if kind[0] == "c" else count
        values = list(struct.unpack_from(f"<{numbers}{CODES[kind]}", body))
        if kind[0] == "c":
            values = list(zip(values[::2], values[1::2]))
        if brain:
            values, kind = [struct.unpack("<f", struct.pack("<I", v << 16))[0] for v in values], "bf16"
    if header["fortran_order"] and len(shape) > 1:
        values = [values[sum(i * math.prod(shape[:d]) for d, i in enumerate(at))] for at in (place(n, shape) for n in range(count))]
    return Array(kind, shape, values)


def place(n, shape):
    at = []
    for size in reversed(shape):
        at.append(n % size)
        n //= size
    return tuple(reversed(at))


def load(path):
    """The arrays of a .npz file by name; names of bfloat16 arrays end in __bf16 there, and here do not."""
    with zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            found[name.removesuffix("__bf16")] = parse(archive.read(member), name.endswith("__bf16"))
        return found


def close(got, want, bits, tiny, ulps, floor):
    """One number: the same, or within `ulps` units of its last place, or within `floor`."""
    if got == want:
        return True
    if math.isnan(want) or math.isnan(got):
        return math.isnan(want) and math.isnan(got)
    if math.isinf(want) or math.isinf(got):
        return False
    if 0 in (got, want) and max(abs(got), abs(want)) < tiny:
        return True
    return abs(got - want) <= max(math.ldexp(ulps, math.frexp(max(abs(want), tiny))[1] - bits), floor)


def same(got, want, tiny):
    if got != got or want != want:
        return got != got and want != want
    # TensorFlow's threads may flush subnormal numbers to 0.
    equal = got == want or (abs(got) < tiny and abs(want) < tiny and 0 in (got, want))
    return equal and math.copysign(1, got) == math.copysign(1, want)


def differ(got, want, tolerance):
    """None, or what differs.

    `tolerance` is ["exact"] (bits, but any NaN for a NaN), ["ulp", n, m] (n units of the last place of the number,
    or m of those of 1), or ["sum", n, m] (n units of the number, or m of those of the largest number of the result).
    """
    if got is None:
        return "missing"
    if got.kind != want.kind or got.shape != want.shape:
        return f"got {got.kind}{list(got.shape)}, expected {want.kind}{list(want.shape)}"
    if want.kind not in FLOATS:
        right = lambda a, b: a == b
    elif tolerance[0] == "exact":
        tiny = FLOATS[want.kind][1]
        right = lambda a, b: same(a, b, tiny)
    else:
        bits, tiny = FLOATS[want.kind]
        rule, ulps, floor = tolerance
        if bits < 24:  # where narrow numbers are rounded between steps is open
            ulps, floor = min(ulps, 4), min(floor, 2)
        numbers = [abs(x) for v in want.values for x in (v if isinstance(v, tuple) else (v,))]
        largest = max((x for x in numbers if math.isfinite(x)), default=0.0)
        floor *= math.ldexp(largest if rule == "sum" else 1.0, 1 - bits)
        right = lambda a, b: close(a, b, bits, tiny, ulps, floor)
    if want.kind[0] == "c":
        part = right
        # An error of one part is measured by the whole.
        right = lambda a, b: all(part(x, y) or (tolerance[0] != "exact" and abs(x - y) <= ulps * math.ldexp(math.hypot(*b), 1 - bits)) for x, y in zip(a, b))
    bad = [n for n, (a, b) in enumerate(zip(got.values, want.values)) if not right(a, b)]
    if not bad:
        return None
    at = bad[0]
    return f"{len(bad)} of {len(want.values)} wrong, first at {list(place(at, want.shape))}: {got.values[at]!r} for {want.values[at]!r}"
