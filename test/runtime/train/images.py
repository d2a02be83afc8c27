"""Compares images in folders with the arrays that they stand for."""
import base64
import ctypes
import json
import os
import shutil
import struct
import zlib

import numpy as np

from harness import fails, run


def png(pixels):
    """The bytes of a PNG file."""
    height, width, channels = pixels.shape

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def resize(pixels, height, width):
    """As tf.image.resize does it: bilinear between centers of pixels."""
    def places(size, count):
        at = np.maximum((np.arange(count) + 0.5) * size / count - 0.5, 0)
        low = at.astype(int)
        return low, np.minimum(low + 1, size - 1), at - low

    a, b, part = places(pixels.shape[0], height)
    pixels = pixels[a] + (pixels[b] - pixels[a]) * part[:, None, None]
    a, b, part = places(pixels.shape[1], width)
    return pixels[:, a] + (pixels[:, b] - pixels[:, a]) * part[None, :, None]


# 4 times 5 pixels, and what TensorFlow decodes: the rows are alike.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEBLAEsAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYn"
    "KSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo"
    "KCgoKCgoKCj/wAARCAAEAAUDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABgQAAIDAAAAAAAAAAAAAAAAAAABBzWB"
    "/8QAFAEBAAAAAAAAAAAAAAAAAAAABv/EABYRAAMAAAAAAAAAAAAAAAAAAAAFM//aAAwDAQACEQMRAD8AUf0qwFtbDl1c/9k=")
JPEG_ROW = [[195, 4, 47], [202, 37, 53], [200, 79, 48], [198, 122, 46], [202, 155, 49]]


def has(library):
    try:
        return bool(ctypes.CDLL(library))
    except OSError:
        return False


random = np.random.default_rng(0)
np.savez("weights.npz", **{
    "dense/kernel": random.normal(size=(60, 1)).astype("f4") / 100,
    "dense/bias": np.zeros(1, "f4")
})


def loss(data):
    text = run("evaluate", data, "--json", "--restore", "weights.npz", variant="_images")
    return json.loads(text.splitlines()[-1])["loss"]


shutil.rmtree("images", ignore_errors=True)
shutil.rmtree("photos", ignore_errors=True)
x, y = [], []
for label, name in enumerate(("ant", "cat", "dog")):
    os.makedirs(os.path.join("images", name))
    for i in range(3):
        size = (4, 5) if i == 0 else tuple(random.integers(2, 20, 2))
        pixels = random.integers(0, 256, (*size, 1 if i == 2 else 3)).astype("u1")
        open(os.path.join("images", name, "%d.PNG" % i), "wb").write(png(pixels))
        x.append(resize(np.broadcast_to(pixels, (*size, 3)).astype("f8"), 4, 5))
        y.append([label])
    open(os.path.join("images", name, "notes.txt"), "w").write("no image")
np.savez("images.npz", x=np.array(x, "f4"), y=np.array(y, "f4"))
if has("libpng16.so.16"):
    assert np.isclose(loss("images"), loss("images.npz"), rtol=1e-5)
    one = run("fit", "images", "--seed", "1", "--epochs", "2", "--threads", "1", variant="_images")
    two = run("fit", "images", "--seed", "1", "--epochs", "2", "--threads", "3", variant="_images")
    assert [line.split("loss")[1:] for line in one.splitlines()] == [
        line.split("loss")[1:] for line in two.splitlines()]
if has("libjpeg.so.62"):
    os.makedirs("photos/only")
    open("photos/only/a.jpg", "wb").write(JPEG)
    np.savez("photos.npz", x=np.array([[JPEG_ROW] * 4], "f4"), y=np.zeros((1, 1), "f4"))
    assert np.isclose(loss("photos"), loss("photos.npz"), rtol=1e-5)
    open("photos/only/a.jpg", "wb").write(JPEG[:150])
    assert "photos/only/a.jpg: damaged JPEG" in fails("evaluate", "photos", variant="_images")

open("images/ant/0.PNG", "wb").write(b"text")
assert fails("evaluate", "images", variant="_images") == "images/ant/0.PNG: neither PNG nor JPEG"
os.makedirs("empty/class", exist_ok=True)
assert "there are no images" in fails("evaluate", "empty", variant="_images")
assert "do not fit" in fails("evaluate", "images")
