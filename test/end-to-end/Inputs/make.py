#!/usr/bin/env python3
"""Writes the fixtures of this folder: small models of each kind, with inputs and results.

    python3 make.py        # TensorFlow 2.21, Keras 3.15; about a minute

Inputs/<kind>/ holds frozen.pb (or frozen_v2.pb, with TF2's While kept), saved/
where listed, in.npz (batch 3) and <form>.npz: TensorFlow's results under the
names of the form's outputs, recomputed in float64 where the model allows it.
"""

import json
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy as np  # noqa: E402

import models  # noqa: E402
import tf1  # noqa: E402
import zoo  # noqa: E402

BATCH = 3
LIMIT = 110_000  # bytes of one fixture: a repository is no place for weights
FORMS = {"frozen_any": "frozen", "frozen_v2": "frozen_v2", "saved_keras": "saved", "saved_v1": "saved"}
FIXTURES = {
    "linear": ["frozen_any", "saved_keras"],
    "mlp": ["frozen_any", "saved_keras"],
    "two_in_two_out": ["frozen_any", "saved_keras"],
    "activations": ["frozen_any"],
    "vgg_mini": ["frozen_any"],
    "mobilenet_mini": ["frozen_any"],
    "conv_options": ["frozen_any"],
    "unet_tiny": ["frozen_any"],
    "autoencoder_conv": ["frozen_any"],
    "conv1d": ["frozen_any"],
    "conv3d": ["frozen_any"],
    "embedding_pool": ["frozen_any", "saved_keras"],
    "text_cnn": ["frozen_any"],
    "lstm": ["frozen_any", "frozen_v2", "saved_keras"],
    "lstm_masked": ["frozen_any"],
    "gru": ["frozen_v2", "saved_keras"],
    "mha_encoder": ["frozen_any"],
    "mha_decoder": ["frozen_any"],
    "tf1_lenet": ["frozen_any"],
    "tf1_batch_norm": ["frozen_any", "saved_v1"],
    "tf1_dynamic_rnn": ["frozen_any", "saved_v1"],
    "tf1_sequence_ops": ["frozen_any"],
    "tf1_cond": ["frozen_any"],
    "tf1_loop_gradients": ["frozen_any"],
    "tf1_array_gradients": ["frozen_any"],
}


def size(path):
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def write(kind, forms, scratch):
    if kind in tf1.GRAPHS:
        tf1.export(kind, tf1.GRAPHS[kind], scratch, seed=3, batches=(BATCH,))
    else:
        row = models.KINDS[kind]
        row.batches = (BATCH,)
        zoo.export(kind, row, scratch, seed=3)
    made, target = scratch / kind, HERE / kind
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    case = json.loads((made / "case.json").read_text())
    shutil.copy(made / f"b{BATCH}.in.npz", target / "in.npz")
    want = np.load(made / f"b{BATCH}.out.npz")
    for artifact in case["artifacts"]:
        if artifact["form"] not in forms:
            continue
        path, name = made / artifact["path"], FORMS[artifact["form"]]
        assert all(k == v for k, v in artifact["inputs"].items()), artifact
        assert size(path) < LIMIT, (kind, artifact["form"], size(path))
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=shutil.ignore_patterns("assets", "fingerprint.pb"))
        else:
            shutil.copy(path, target / (name + path.suffix))
        arrays = {}
        for i, output in enumerate(artifact["outputs"]):
            single = want[f"f32_{i}"]
            arrays[output] = want[f"f64_{i}"].astype(single.dtype) if f"f64_{i}" in want.files else single
        np.savez(target / f"{name}.npz", **arrays)


def main():
    for kind, forms in FIXTURES.items():
        with tempfile.TemporaryDirectory() as scratch:
            write(kind, forms, pathlib.Path(scratch))
            print("made", kind, flush=True)


if __name__ == "__main__":
    main()
