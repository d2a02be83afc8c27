"""Runs the commands with their options."""
import csv
import glob
import json
import os
import re
import shutil
import struct

import numpy as np

from harness import fails, make_data, masked_crc, run

x, y = make_data(100)
np.savez("train.npz", x=x, y=y)
np.savez("validation.npz", x=x[:30], y=y[:30])
fit = ["fit", "train.npz", "--seed", "1"]

# ---- help: commands, options, and what the model takes and measures

for command in "fit", "evaluate":
    text = run(command, "--help")
    for line in ("inputs:\n  x: float32[?x3]", "targets:\n  y: float32[?x1]",
                 "sample_weight: float32[?], may be left out", "metrics:\n  loss\n  mae"):
        assert line in text, text
assert "commands:" in run("--help") and "predict" in run("--help")
assert fails("foo", status=2) == "unknown command 'foo': expected fit, evaluate, predict or export"
assert fails("fit", status=2).startswith("fit needs data")
assert "unknown option '--bogus'" in fails(*fit, "--bogus", status=2)
assert fails(*fit, "--epochs", "x", status=2) == "--epochs: expected a whole number from 0, got 'x'"
assert fails("evaluate", "train.npz", "--epochs", "3", status=2) == (
    "--epochs does not belong to evaluate")
assert fails(*fit, "--export", "a.txt", status=2) == "--export: expected FILE.keras, FILE.weights.h5 or FILE.npz, got 'a.txt'"
assert fails(*fit, "--resume", status=2) == "--resume belongs to --checkpoint DIR"

# ---- progress: a line per epoch; the history: Keras's names, all digits

text = run(*fit, "--validation", "validation.npz", "--epochs", "3", "--history", "history.csv",
           "--export", "weights.npz")
lines = text.splitlines()
assert lines[0] == "Epoch 1/3" and len(lines) == 6, text
number = r"\d\.\d{4}(e-\d\d)?|\d+\.\d{4}"
pattern = r"4/4 - \d+s - +\d+[mu]?s/step" + "".join(
    r" - %s: (%s)" % (name, number) for name in ("loss", "mae", "val_loss", "val_mae"))
assert re.fullmatch(pattern, lines[1]), lines[1]
rows = list(csv.DictReader(open("history.csv")))
assert list(rows[0]) == ["epoch", "loss", "mae", "val_loss", "val_mae"]
assert [row["epoch"] for row in rows] == ["0", "1", "2"]
assert float(rows[2]["loss"]) < float(rows[0]["loss"])

# ---- weights come back; metrics are those of NumPy

weights = np.load("weights.npz")
assert weights.files == ["dense/kernel", "dense/bias"]
prediction = x @ weights["dense/kernel"] + weights["dense/bias"]
values = json.loads(run("evaluate", "train.npz", "--restore", "weights.npz", "--json").splitlines()[-1])
assert np.isclose(values["loss"], np.mean((prediction - y) ** 2), rtol=1e-5)
assert np.isclose(values["mae"], np.mean(np.abs(prediction - y)), rtol=1e-5)
run("evaluate", "train.npz", "--restore", "weights.npz", "--batch", "9", "-o", "values.npz")
stored = np.load("values.npz")
assert sorted(stored.files) == ["loss", "mae"] and np.isclose(stored["mae"], values["mae"])
run("predict", "x=train.npz", "--restore", "weights.npz", "-o", "predictions.npz")
assert np.allclose(np.load("predictions.npz")["y"], prediction, rtol=1e-5, atol=1e-6)
assert "there is neither" in fails("evaluate", "train.npz", "--restore", "nothing")

# ---- what watches the metrics does as Keras's callbacks do

def watch(*words, epochs=12):
    text = run(*fit, "--validation", "validation.npz", "--epochs", str(epochs), "--history",
               "watched.csv", "--export", "watched.npz", *words)
    return text, list(csv.DictReader(open("watched.csv")))


text, rows = watch("--early-stopping=monitor=loss,min_delta=1000,patience=2")
assert len(rows) == 3 and "Epoch 3: early stopping" in text, text
# Keras counts from the first epoch that is no improvement, and never stops at the first one.
text, rows = watch("--early-stopping=monitor=loss,mode=max")
assert len(rows) == 2, text
text, rows = watch("--early-stopping=monitor=loss,mode=max,patience=4,restore_best_weights")
assert len(rows) == 5 and "those of epoch 1" in text, text
best = np.load("watched.npz")["dense/kernel"]
watch(epochs=1)
assert np.load("watched.npz")["dense/kernel"].tobytes() == best.tobytes()
text, rows = watch("--early-stopping=monitor=loss,baseline=-1,patience=3")
assert len(rows) == 12  # better each time, but for the baseline
text, rows = watch("--reduce-lr-on-plateau=monitor=loss,min_delta=1000,patience=2,factor=0.5,"
                   "cooldown=1,min_lr=0.01")
rates = [float(row["learning_rate"]) for row in rows]
assert np.allclose(rates, [0.05] * 3 + [0.025] * 2 + [0.0125] * 2 + [0.01] * 5), rates
watch("--save-best=best.npz,monitor=val_loss,mode=max")
assert np.load("best.npz")["dense/kernel"].tobytes() == best.tobytes()
assert "there is no metric 'val_acc'; there are: loss, mae" in fails(*fit, "--early-stopping=monitor=val_acc")
assert "there is no argument 'foo'" in fails(*fit, "--early-stopping=foo=1")
assert "factor" in fails(*fit, "--reduce-lr-on-plateau=factor=2,monitor=loss")

# ---- checkpoints are TensorFlow's: --restore takes a folder, a prefix, what other programs save

shutil.rmtree("folder", ignore_errors=True)
run(*fit, "--checkpoint", "folder/inner/", "--epochs", "2")
assert sorted(os.listdir("folder/inner")) == sorted(
    ["checkpoint"] + ["epoch-%d.%s" % (n, end) for n in (1, 2)
                      for end in ("index", "data-00000-of-00001")])
by_folder = run("predict", "x=[[1,2,3]]", "--restore", "folder/inner")
assert by_folder == run("predict", "x=[[1,2,3]]", "--restore", "folder/inner/epoch-2")
assert by_folder != run("predict", "x=[[1,2,3]]", "--restore", "folder/inner/epoch-1")

# ---- TensorBoard's files: the tags of Keras's callback

def events(path):
    data = open(path, "rb").read()
    while data:
        size, crc = struct.unpack("<QI", data[:12])
        assert crc == masked_crc(data[:8])
        assert struct.unpack("<I", data[12 + size:16 + size])[0] == masked_crc(data[12:12 + size])
        yield data[12:12 + size]
        data = data[16 + size:]


shutil.rmtree("board", ignore_errors=True)
run(*fit, "--validation", "validation.npz", "--epochs", "2", "--logdir", "board")
(train,) = glob.glob("board/train/events.out.tfevents.*")
(validation,) = glob.glob("board/validation/events.out.tfevents.*")
train, validation = b"".join(events(train)), b"".join(events(validation))
for tag in b"epoch_loss", b"epoch_mae", b"epoch_learning_rate", b"dense/kernel/histogram":
    assert train.count(tag) == 2, tag
assert b"StatefulPartitionedCall" in train and b"targets/y" in train  # the graph
assert validation.count(b"epoch_loss") == 2 and b"epoch_learning_rate" not in validation

# ---- measuring changes nothing

text = run(*fit, "--bench=0.05", "--json", "--checkpoint", "never", "--history", "never.csv")
result = json.loads(text.splitlines()[-1])
assert result["entry"] == "train_step" and result["allocations"] == 0 and result["calls"] > 100
assert not os.path.exists("never") and not os.path.exists("never.csv")
assert "entry train_step" in run(*fit, "--profile")
