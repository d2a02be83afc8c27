#!/usr/bin/env python3
"""Draws small Keras models of every layer with its options and records what Keras computes.

generate.py OUT [--seed N] [--only REGEX]

OUT is a folder, or a .zip that is written of it. Each case is a folder OUT/NAME: the model (`model.keras`, `model.h5`, or `model.json` with `model.weights.h5`), `in.npz`
with the inputs by name and `out.npz` with the results by name. Needs Keras 3 on TensorFlow.
"""

import argparse
import os
import pathlib
import re
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

import cases
import keras


def names_of(model, results):
    """Names of results as the driver gives them."""
    if isinstance(results, dict):
        return sorted(results), [results[k] for k in sorted(results)]
    many = results if isinstance(results, (list, tuple)) else [results]
    flat = keras.tree.flatten(list(many))
    names = [model.layers[-1].name] if isinstance(model, keras.Sequential) else [t._keras_history[0].name for t in model.outputs]
    if len(set(names)) != len(flat):
        names = [f"output_{i}" for i in range(len(flat))]
    return names, flat


def randomize(model, rng):
    """Weights as after training: biases and statistics are not the initial ones."""
    for w in model.weights:
        value = w.numpy()
        if not np.issubdtype(np.asarray(value).dtype, np.floating) and "bfloat16" not in str(w.dtype):
            continue
        drawn = rng.normal(size=value.shape) * 0.4
        if "variance" in w.path or "stddev" in w.path:
            drawn = np.abs(drawn) + 0.3
        w.assign(drawn)


def write(folder, case, rng):
    keras.backend.clear_session()
    keras.utils.set_random_seed(int(rng.integers(1 << 31)))
    model, feeds = case.build(rng)
    if not case.keep_weights:
        randomize(model, rng)
    os.makedirs(folder, exist_ok=True)
    if case.container == "h5":
        model.save(f"{folder}/model.h5")
    elif case.container == "json":
        open(f"{folder}/model.json", "w").write(model.to_json())
        model.save_weights(f"{folder}/model.weights.h5")
    else:
        model.save(f"{folder}/model.keras")
    inputs = [t.name for t in model.inputs]
    values = feeds if isinstance(feeds, (list, tuple)) else [feeds]
    call = dict(zip(inputs, values)) if isinstance(getattr(model, "_inputs_struct", None), dict) else (list(values) if len(values) > 1 else values[0])
    names, flat = names_of(model, model(call, training=False))
    np.savez(f"{folder}/in.npz", **dict(zip(inputs, values)))
    np.savez(f"{folder}/out.npz", **{n: np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(t, "float32") if "16" in str(t.dtype) and "float" in str(t.dtype) else t)) for n, t in zip(names, flat)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        packed = args.out.endswith(".zip")
        generate(args, scratch if packed else args.out)
        if packed:
            with zipfile.ZipFile(args.out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for path in sorted(pathlib.Path(scratch).rglob("*")):
                    if path.is_file():  # the same bytes whenever it is written
                        archive.writestr(zipfile.ZipInfo(str(path.relative_to(scratch)), (1980, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED)


def generate(args, out):
    for case in cases.all_cases():
        if args.only and not re.search(args.only, case.name):
            continue
        rng = np.random.default_rng([args.seed, sum(map(ord, case.name))])
        try:
            write(f"{out}/{case.name}", case, rng)
        except Exception as error:  # a case that this Keras refuses
            print(f"{case.name}: {type(error).__name__}: {str(error)[:300]}", flush=True)


if __name__ == "__main__":
    main()
