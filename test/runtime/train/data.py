"""Trains on the same rows in files of all kinds."""
import csv
import gzip
import zlib

import numpy as np

from harness import example, fails, history, make_data, record, run

x, y = make_data(100)
np.savez("plain.npz", x=x, y=y)
expected = history("plain.npz", "--batch", "7")
# The last batch counts as its rows: another size of batches sees the same rows first.
assert "15/15" in run("fit", "plain.npz", "--batch", "7") and expected.count("\n") == 3


def same(*words):
    assert history(*words, "--batch", "7") == expected, words


np.savez_compressed("packed.npz", x=np.asfortranarray(x), y=y.astype(">f8"))
same("packed.npz")
np.savez("column.npz", x=x, anything=y[:, 0])  # the only target may have any name
same("column.npz")
np.savez("weights.npz", x=x, y=y, sample_weight=np.ones(100, "i8"))
same("weights.npz")
np.save("x.npy", x)
np.save("y.npy", y)
same("x=x.npy", "y=y.npy")
same("x=plain.npz", "y=y.npy")
np.savez("alone.npz", anything=y)
same("x=x.npy", "y=alone.npz")
for batch in ("1", "7", "100", "1000"):
    assert history("plain.npz", "--batch", batch, "--threads", "1") == history(
        "packed.npz", "--batch", batch, "--threads", "4")

# CSV: columns of an array by number, or what is left over, in any order.
for names in (["x_0", "x_1", "x_2", "y"], ["x[0]", "x[1]", "x[2]", "y"], ["x1", "x2", "x3", "y"],
              ["a", "b", "c", "y"]):
    with open("rows.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row, target in zip(x, y):
            writer.writerow([repr(float(value)) for value in (*row, *target)])
    same("rows.csv")
with open("quoted.csv", "w", newline="") as file:
    file.write('"y","x_2","x_1","x_0","note, ""quoted"""\r\n')
    for (a, b, c), (target,) in zip(x, y):
        file.write('"%r",%r, %r ,%r,"two\nlines, ""here"""\r\n' %
                   (float(target), float(c), float(b), float(a)))
same("quoted.csv")

# Records: plain, in parts, compressed; a text may be the elements' bytes.
records = [record(example(x=row, y=target)) for row, target in zip(x, y)]
open("rows.tfrecord", "wb").write(b"".join(records))
same("rows.tfrecord")
open("part-1.tfrecord", "wb").write(b"".join(records[:40]))
open("part-2.tfrecord", "wb").write(b"".join(records[40:]))
same("part-1.tfrecord", "part-2.tfrecord")
open("rows.tfrecord.gz", "wb").write(
    gzip.compress(b"".join(records[:40])) + gzip.compress(b"".join(records[40:])))
same("rows.tfrecord.gz")
open("zlib.tfrecord", "wb").write(zlib.compress(b"".join(records)))
same("zlib.tfrecord")
open("bytes.tfrecord", "wb").write(
    b"".join(record(example(x=row.tobytes(), label=target)) for row, target in zip(x, y)))
same("bytes.tfrecord")
whole = np.round(x * 10)
np.savez("whole.npz", x=whole / 10, y=np.round(y))
np.savez("integers.npz", x=(whole / 10).astype("f8"), y=np.round(y).astype("i8"))
assert history("whole.npz") == history("integers.npz")
np.savez("whole.npz", x=whole, y=y)
open("integers.tfrecord", "wb").write(
    b"".join(record(example(x=row.astype("i8"), y=target)) for row, target in zip(whole, y)))
assert history("whole.npz", "--batch", "100") == history("integers.tfrecord", "--batch", "100")

# Orders: a permutation by the seed, the same for all numbers of threads, or a buffer.
def order(*words, variant=""):
    run("fit", *words, "--epochs", "2", "--history", "order.csv", variant=variant)
    return open("order.csv").read()


one = order("plain.npz", "--seed", "1")
assert one == order("rows.tfrecord", "--seed", "1", "--threads", "3")
assert one != order("plain.npz", "--seed", "2")
assert one != order("plain.npz", "--seed", "1", "--shuffle", "10")
assert order("plain.npz", "--seed", "1", "--shuffle", "1") == order("rows.csv", "--seed", "1",
                                                                    "--no-shuffle")

# Weights of rows, and of classes, multiply.
labels = (np.arange(100) % 3).astype("f4")
weights = np.linspace(0, 2, 100).astype("f4")
np.savez("classes.npz", x=x, y=labels, sample_weight=weights)
np.savez("product.npz", x=x, y=labels, sample_weight=weights * np.array([1, 0.5, 3], "f4")[labels.astype(int)])
assert history("classes.npz", "--class-weight", "1=0.5,2=3") == history("product.npz")

# What is wrong is said in a line: where, what was expected, what came.
def says(text, *words, **options):
    message = fails("fit", *words, **options)
    assert message == text, message


says("no.npz: No such file or directory", "no.npz")
np.savez("bad.npz", x=x[:, :2], y=y)
says("bad.npz: array 'x': expected float32[?x3], got float32[100x2]", "bad.npz")
np.savez("bad.npz", x=x, y=y[:50])
says("bad.npz: array 'y' has 50 rows, those before it have 100", "bad.npz")
np.savez("bad.npz", x=x)
says("bad.npz: there is no array 'y' (a target, float32[?x1]); there are: x", "bad.npz")
np.savez("bad.npz", x=x.astype("c8"), y=y)
says("bad.npz: array 'x': expected float32[?x3], got complex64[100x3]", "bad.npz")
np.savez("bad.npz", x=x[:0], y=y[:0])
says("bad.npz: there are no rows", "bad.npz")
np.savez("bad.npz", x=np.full((5, 3), 2**24 + 1), y=y[:5])
says("bad.npz: array 'x', row 0: expected float32, got 1.67772e+07 (--cast converts it)",
     "bad.npz", "--no-shuffle")
open("bad.csv", "w").write("x_0,x_1,x_2,y\n1,2,3,4\n1,2,3\n")
says("bad.csv: row 2: expected 4 values, got fewer", "bad.csv", "--no-shuffle")
open("bad.csv", "w").write("x_0,x_1,x_2,y\n1,2,3,4\n1,2,abc,4\n")
says("bad.csv: row 2, column 'x_2': expected a number of float32, got 'abc'", "bad.csv",
     "--no-shuffle")
open("bad.csv", "w").write("x_0,x_1,x_2\n1,2,3\n")
says("bad.csv: there is no column for 'y' (float32[?x1]); there are: x_0, x_1, x_2", "bad.csv")
damaged = bytearray(b"".join(records))
damaged[3 * len(records[0]) + 20] ^= 1
open("bad.tfrecord", "wb").write(damaged)
says("bad.tfrecord: record 3: wrong checksum", "bad.tfrecord", "--no-shuffle")
open("bad.tfrecord", "wb").write(b"".join(records)[:-5])
says("bad.tfrecord: record 99: the file ends inside of it", "bad.tfrecord")
open("bad.tfrecord", "wb").write(gzip.compress(b"".join(records))[:-50])
says("bad.tfrecord: damaged compressed data", "bad.tfrecord")
open("bad.tfrecord", "wb").write(records[0] + record(example(x=x[0][:2], y=y[0])))
says("bad.tfrecord: record 1, feature 'x': expected 3 values, got 2", "bad.tfrecord",
     "--no-shuffle")
open("bad.tfrecord", "wb").write(record(example(x=x[0], a=y[0], b=y[0])))
says("bad.tfrecord: there is no feature 'y' (float32[?x1]); the first record has: x, a, b",
     "bad.tfrecord")
np.savez("bad.npz", x=np.where(np.arange(100)[:, None] == 50, np.nan, x), y=y)
says("the loss is nan at step 2 of epoch 1 (step 2 of all); a program compiled with "
     "--check-numerics names the operation", "bad.npz", "--no-shuffle")

# A model of one batch size takes no last batch of another.
np.savez("even.npz", x=x[:96], y=y[:96])
run("fit", "even.npz", variant="_8")
says("plain.npz: 100 rows leave a last batch of 4, the model was compiled for batches of 8; "
     "compile it with an unknown first dimension (--shape NAME=?x...)", "plain.npz", variant="_8")
says("--batch 16: the model was compiled for batches of 8; compile it with an unknown first "
     "dimension (--shape NAME=?x...)", "even.npz", "--batch", "16", variant="_8")

# Long rows of large arrays are read where others are mapped: the same numbers, little memory.
pixels = np.random.default_rng(1).integers(0, 100, (60000, 4, 5, 3)).astype("f8") / 100
target = pixels.mean(axis=(1, 2, 3))[:, None].astype("f4")
np.savez("double.npz", x=pixels, y=target)
np.savez("single.npz", x=pixels.astype("f4"), y=target)
np.savez_compressed("packed.npz", x=pixels.astype("f4"), y=target)
expected = history("packed.npz", "--batch", "1000", variant="_images")
for name in "double.npz", "single.npz":
    assert history(name, "--batch", "1000", variant="_images") == expected, name
    for shuffle in "60000", "10":
        assert order(name, "--seed", "1", "--shuffle", shuffle, variant="_images") == order(
            "packed.npz", "--seed", "1", "--shuffle", shuffle, variant="_images")
