#!/usr/bin/env python3
"""Exports the models of models.py (and some TF1 graphs) with TensorFlow, for conform.py.

    zoo.py OUT [--only REGEX] [--seed N] [--big|--all] [--list]

For each kind, OUT/<kind>/ gets the model as a frozen GraphDef with batch 1 and
with unknown batch, as a Keras export, as a tf.Module SavedModel, with random
inputs and TensorFlow's results in float32 and recomputed in float64. Weights
are random but in a trained model's ranges: batch-norm statistics come from a
calibration run and are then perturbed, and class scores are spread.
Made for TensorFlow 2.21 and Keras 3.15.
"""

import argparse
import gc
import json
import os
import pathlib
import re
import shutil
import sys
import traceback
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2)

import models
import variants  # registers more kinds

# Kinds that are also exported with every inner spatial or time dimension
# unknown, and the sizes that are tried then.
FREE = {
    "lstm": [(3, 5), (1, 1)], "gru": [(3, 20)], "lstm_masked": [(2, 9)], "bert_mini": [(2, 11)],
    "gpt_mini": [(2, 5)], "mha_encoder": [(1, 3), (3, 8)], "conv1d": [(2, 41)], "text_cnn": [(1, 9)],
    "embedding_pool": [(4, 3)], "unet_transpose": [(1, 16, 24), (2, 32, 32)],
    "resnet_mini": [(1, 45, 33)],
}


def is_float(values):
    return values.dtype.kind not in "biu"  # bfloat16 has a kind of its own


def flat(value):
    if isinstance(value, dict):
        return [value[k] for k in sorted(value)]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def build(kind, row, seed, free=False):
    keras.utils.set_random_seed((zlib.crc32(kind.encode()) + seed - 1) & 0xFFFF)
    wide = keras.config.floatx() == "float64"
    keras.config.set_dtype_policy("float64" if wide else row.policy or "float32")
    inputs = []
    for name, shape, draw in row.inputs:
        if free:
            shape = tuple(None for _ in shape) if isinstance(draw, int) else (None,) * max(1, len(shape) - 1) + shape[-1:]
        inputs.append(keras.Input(shape, name=name, dtype="int32" if isinstance(draw, int) else input_type(row)))
    return keras.Model(inputs, row.build(*inputs))


def input_type(row):
    """Inputs are wide where the model is; narrower ones are cast by the model itself."""
    return "float64" if keras.config.floatx() == "float64" or row.policy == "float64" else "float32"


def draw_inputs(row, sizes, rng):
    dtype = input_type(row)
    drawn = {}
    for name, shape, draw in row.inputs:
        shape = tuple(sizes) + tuple(shape)[len(sizes) - 1:]
        if isinstance(draw, int):
            values = rng.integers(0, draw, shape, dtype=np.int32)
            if len(shape) == 2 and shape[1] > 4:  # trailing zeros: what masks are for
                values[0, shape[1] - 2:] = 0
                values[:, 0] = np.maximum(values[:, 0], 1)
            drawn[name] = values
        else:
            values = rng.standard_normal(shape) if draw == "normal" else rng.random(shape)
            drawn[name] = (values * (255 if draw == "image" else 1)).astype(dtype)
    return drawn


def as_float(weight):
    return weight.numpy().astype(np.float64)


def layers_of(model):
    for layer in model._flatten_layers(include_self=False):
        yield layer


def trained_ranges(model, row, rng):
    """Moves random weights to where a trained model's would be."""
    for layer in layers_of(model):
        for weight in layer.weights if not list(layer._flatten_layers(include_self=False)) else []:
            leaf = weight.path.rsplit("/", 1)[-1]
            if leaf in ("bias", "beta"):
                weight.assign(as_float(weight) + 0.1 * rng.standard_normal(weight.shape))
            elif leaf in ("gamma", "scale"):
                weight.assign(as_float(weight) * (1 + 0.2 * rng.standard_normal(weight.shape)))
    norms = [x for x in layers_of(model) if isinstance(x, keras.layers.BatchNormalization)]
    # A large model's float64 twin and its training pass would not fit into memory with more.
    sample = draw_inputs(row, (1 if row.heavy else 4,), rng)
    if norms:
        momenta = [n.momentum for n in norms]
        for n in norms:
            n.momentum = 0.0
        model(flat_inputs(row, sample), training=True)
        for n, momentum in zip(norms, momenta):
            n.momentum = momentum
            shape, deviation = n.moving_mean.shape, np.sqrt(as_float(n.moving_variance) + 1e-3)
            n.moving_mean.assign(as_float(n.moving_mean) + 0.1 * deviation * rng.standard_normal(shape))
            n.moving_variance.assign(as_float(n.moving_variance) * rng.uniform(0.8, 1.25, shape) + 1e-3)
    if row.big:
        spread_scores(model, row, sample)


def spread_scores(model, row, sample):
    """Untrained class scores are all but equal; give them a standard deviation of 2."""
    last = [x for x in layers_of(model) if isinstance(x, keras.layers.Dense) and x.units == 1000]
    if not last:
        return
    values = flat(model(flat_inputs(row, sample)))[-1].numpy()
    scores = np.log(np.maximum(values, 1e-30))
    deviation = max((scores - scores.mean(0)).std(), scores.std(), 1e-3)
    last[-1].kernel.assign(last[-1].kernel.numpy() * min(2 / deviation, 1000))


def flat_inputs(row, values):
    return [tf.constant(values[name]) for name, _, _ in row.inputs]


def specs(row, model, batch):
    return [tf.TensorSpec((batch,) + tuple(t.shape[1:]), t.dtype, name)
            for (name, _, _), t in zip(row.inputs, model.inputs)]


def freeze(row, model, batch, path, lower=True):
    """Returns the artifact's description, or None when lowering control flow changes nothing."""
    function = tf.function(lambda *xs: flat(model(list(xs), training=False)), input_signature=specs(row, model, batch))
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(), lower_control_flow=lower)
    graph = frozen.graph.as_graph_def()
    if not lower and not any(n.op in ("While", "If", "StatelessWhile", "StatelessIf") for n in graph.node):
        return None
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return {"inputs": {n: n for n, _, _ in row.inputs}, "outputs": [t.name.removesuffix(":0") for t in frozen.outputs]}


def saved_keras(row, model, path):
    # The endpoint keeps the input layers' names, so that any order works.
    model.export(str(path), verbose=False)
    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    given = list(signature.structured_input_signature[1])
    names = [n for n, _, _ in row.inputs]
    inputs = dict(zip(names, names)) if set(names) == set(given) else dict(zip(names, given))
    output = model.output
    outputs = sorted(output) if isinstance(output, dict) else [f"output_{i}" for i in range(len(flat(output)))]
    assert set(outputs) == set(signature.structured_outputs), (outputs, signature.structured_outputs)
    return {"inputs": inputs, "outputs": outputs}


def saved_object(row, model, path):
    """The model itself is what is saved, with the signature that Keras gives it."""
    tf.saved_model.save(model, str(path))
    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    given, = signature.structured_input_signature[1]
    return {"inputs": {row.inputs[0][0]: given}, "outputs": [f"output_{i}" for i in range(len(flat(model.output)))]}


def saved_module(row, model, path):
    module = tf.Module()
    module.variables_ = model.variables
    count = len(flat(model.output))
    names = [f"y{i}" for i in range(count)]
    module.serve = tf.function(lambda *xs: dict(zip(names, flat(model(list(xs), training=False)))),
                               input_signature=specs(row, model, None))
    module.held = [v.value for v in model.variables]
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return {"inputs": {n: n for n, _, _ in row.inputs}, "outputs": names}


def results(row, model, values, chunk=4):
    return [t.numpy() for t in flat(model(flat_inputs(row, values), training=False))]


def double_results(kind, row, model, values):
    try:
        return {f"f64_{i}": v for i, v in enumerate(results(row, model, values))}
    except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError):  # an op without a kernel for float64
        print(f"{kind}: not in float64", flush=True)
        return {}


def export(kind, row, out, seed):
    folder = out / kind
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    model = build(kind, row, seed)
    trained_ranges(model, row, rng)
    weights = model.get_weights()
    artifacts = []

    def add(form, path, description, io):
        if description:
            artifacts.append({"form": form, "path": path.name, "io": io, **description})

    io = [f"b{b}" for b in row.batches]
    for form, batch, lower, keys in [("frozen_any", None, True, io), ("frozen_b1", 1, True, ["b1"] if 1 in row.batches else []),
                                     ("frozen_v2", None, False, io)]:
        if not keys or not row.frozen:
            continue
        path = folder / f"{form}.pb"
        add(form, path, freeze(row, model, batch, path, lower), keys)
    add("saved_keras", folder / "saved_keras", saved_keras(row, model, folder / "saved_keras"), io)
    if not row.big:
        if len(row.inputs) == 1:
            add("saved_object", folder / "saved_object", saved_object(row, model, folder / "saved_object"), io)
        add("saved_module", folder / "saved_module", saved_module(row, model, folder / "saved_module"), io)
    if kind in FREE:
        free = build(kind, row, seed, free=True)
        free.set_weights(weights)
        path = folder / "frozen_free.pb"
        sizes = {"s" + "x".join(map(str, s)): s for s in FREE[kind]}
        add("frozen_free", path, freeze(row, free, None, path), list(sizes))
    else:
        free, sizes = None, {}

    cases = {f"b{b}": ((b,), model) for b in row.batches} | {k: (s, free) for k, s in sizes.items()}
    drawn = {key: draw_inputs(row, s, rng) for key, (s, _) in cases.items()}
    single = {key: results(row, net, drawn[key]) for key, (_, net) in cases.items()}
    keras.config.set_floatx("float64")
    try:
        double = build(kind, row, seed, free=free is not None)
        double.set_weights([w.astype(np.float64) if is_float(w) else w for w in weights])
        for key in cases:
            wide = {k: v.astype(np.float64) if is_float(v) else v for k, v in drawn[key].items()}
            pairs = {f"f32_{i}": v for i, v in enumerate(single[key])}
            if not row.heavy:
                pairs |= double_results(kind, row, double, wide)
            np.savez(folder / f"{key}.in.npz", **drawn[key])
            np.savez(folder / f"{key}.out.npz", **pairs)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    (folder / "case.json").write_text(json.dumps({"kind": kind, "small": row.small, "artifacts": artifacts}, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--big", action="store_true", help="only the large models")
    parser.add_argument("--all", action="store_true", help="small and large models")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    assert variants
    import tf1  # registers the TF1 graphs
    wanted = {k: r for k, r in models.KINDS.items() if re.search(args.only, k) and (args.all or r.big == args.big)}
    tf1_wanted = {k: f for k, f in tf1.GRAPHS.items() if re.search(args.only, k) and (args.all or not args.big)}
    if args.list or not args.out:
        print("\n".join([*wanted, *tf1_wanted]))
        return
    failed = 0
    for kind, run in [*((k, lambda k=k, r=r: export(k, r, args.out, args.seed)) for k, r in wanted.items()),
                      *((k, lambda k=k, f=f: tf1.export(k, f, args.out, args.seed)) for k, f in tf1_wanted.items())]:
        try:
            run()
            print(f"exported {kind}", flush=True)
        except Exception:  # one kind that this TensorFlow cannot export must not stop the others
            failed += 1
            print(f"failed {kind}", flush=True)
            traceback.print_exc(limit=4)
        keras.backend.clear_session()
        gc.collect()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
