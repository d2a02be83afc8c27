#!/usr/bin/env python3
"""SavedModels with several signatures and state, called in a row and compared with TensorFlow.

    signatures.py [--tenon build/bin/tenon] [--seed N] [--only REGEX]

Each case saves a model and lists calls; the compiled program makes them all in
one run, so that what one call leaves in variables is seen by the next.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

CASES = {}
v1 = tf.compat.v1


def case(function):
    CASES[function.__name__] = function
    return function


def spec(shape, name, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype, name)


def by_signatures(path, calls):
    """The same calls of the loaded model, which has its own variables."""
    signatures = tf.saved_model.load(str(path)).signatures
    return [(name, inputs, {k: v.numpy() for k, v in signatures[name](**{k: tf.constant(v) for k, v in inputs.items()}).items()})
            for name, inputs in calls]


@case
def several(path, rng):
    """Shared weights, a counter, one signature that only assigns."""
    module = tf.Module()
    module.w = tf.Variable(rng.standard_normal((4, 3)), dtype=tf.float32)
    module.count = tf.Variable(0, dtype=tf.int64)
    module.mean = tf.Variable(tf.zeros(3))

    @tf.function(input_signature=[spec((None, 4), "x")])
    def encode(x):
        module.count.assign_add(tf.shape(x, tf.int64)[0])
        h = tf.tanh(x @ module.w)
        module.mean.assign(0.9 * module.mean + 0.1 * tf.reduce_mean(h, 0))
        return {"code": h, "seen": module.count.read_value()}

    @tf.function(input_signature=[spec((None, 3), "code")])
    def decode(code):
        return {"x": tf.matmul(code, module.w, transpose_b=True)}

    @tf.function(input_signature=[spec((), "factor")])
    def scale(factor):
        module.w.assign(module.w * factor)
        return {"norm": tf.norm(module.w)}

    @tf.function(input_signature=[])
    def state():
        return {"count": module.count.read_value(), "mean": module.mean.read_value()}

    tf.saved_model.save(module, str(path), {"encode": encode, "decode": decode, "scale": scale, "state": state})
    x, code = rng.standard_normal((5, 4)).astype("f"), rng.standard_normal((2, 3)).astype("f")
    return by_signatures(path, [("encode", {"x": x}), ("decode", {"code": code}), ("scale", {"factor": np.float32(0.5)}), ("encode", {"x": x[:2]}),
                                ("state", {}), ("decode", {"code": code})])


@case
def stateful_lstm(path, rng):
    x = keras.Input(batch_shape=(2, 4, 3), name="x")
    h = L.LSTM(6, stateful=True, return_sequences=True)(x)
    model = keras.Model(x, L.Dense(2)(L.GRU(5, stateful=True)(h)))
    module = tf.Module()
    module.model = model
    module.held = [v.value for v in model.variables]
    step = tf.function(lambda x: {"y": model(x, training=False)}, input_signature=[spec((2, 4, 3), "x")])
    tf.saved_model.save(module, str(path), {"serving_default": step})
    x = rng.standard_normal((3, 2, 4, 3)).astype("f")
    return by_signatures(path, [("serving_default", {"x": x[i % 3]}) for i in range(4)])


@case
def keras_saved(path, rng):
    """tf.saved_model.save of a Keras model, whose call has keyword arguments, with a dictionary as input."""
    a, b = keras.Input((6,), name="a"), keras.Input((3,), dtype="int32", name="b")
    y = L.Concatenate()([L.Dense(5, "gelu")(a), L.Flatten()(L.Embedding(7, 2)(b))])
    model = keras.Model({"a": a, "b": b}, {"p": L.Dense(2, "softmax", name="p")(y), "q": L.Dense(1, name="q")(y)})
    serve = tf.function(lambda a, b: model({"a": a, "b": b}), input_signature=[spec((None, 6), "a"), spec((None, 3), "b", tf.int32)])
    tf.saved_model.save(model, str(path), signatures={"serving_default": serve})
    calls = [("serving_default", {"a": rng.standard_normal((n, 6)).astype("f"), "b": rng.integers(0, 7, (n, 3)).astype("i")}) for n in (1, 4)]
    return by_signatures(path, calls)


@case
def keras_default(path, rng):
    """The signature that Keras makes by itself when a model is saved as an object."""
    model = keras.Sequential([keras.Input((8, 3), name="x"), L.Conv1D(5, 3, activation="relu"), L.BatchNormalization(), L.LSTM(4), L.Dense(2)])
    tf.saved_model.save(model, str(path))
    name, = tf.saved_model.load(str(path)).signatures["serving_default"].structured_input_signature[1]
    return by_signatures(path, [("serving_default", {name: rng.standard_normal((n, 8, 3)).astype("f")}) for n in (1, 3)])


@case
def number_types(path, rng):
    """Bytes of an image, integers of every width, truth values, half and complex numbers."""
    module = tf.Module()

    @tf.function(input_signature=[spec((None, 4, 4, 3), "image", tf.uint8), spec((None,), "flag", tf.bool), spec((), "shift", tf.int64)])
    def serve(image, flag, shift):
        x = tf.cast(image, tf.float32) / 255.0
        return {"mean": tf.reduce_mean(x, [1, 2]), "any": tf.logical_and(flag, tf.reduce_any(image > 250, [1, 2, 3])),
                "sum64": tf.reduce_sum(tf.cast(image, tf.int64), [1, 2, 3]) + shift, "half": tf.cast(x[:, 0], tf.float16),
                "small": tf.cast(tf.reduce_max(image, [1, 2]), tf.int16), "double": tf.cast(x[:, 0, 0], tf.float64) * 3.0,
                "spectrum": tf.complex(x[:, 0, 0], -x[:, 1, 0]), "wide": tf.cast(image[:, 0, 0], tf.uint32)}

    tf.saved_model.save(module, str(path), {"serving_default": serve})
    calls = [("serving_default", {"image": rng.integers(0, 256, (n, 4, 4, 3)).astype(np.uint8), "flag": rng.random(n) > 0.5, "shift": np.int64(2**40)})
             for n in (1, 3)]
    return by_signatures(path, calls)


@case
def lists_and_loops(path, rng):
    """Decoding step by step, with a loop whose length is an input."""
    module = tf.Module()
    module.table = tf.Variable(rng.standard_normal((11, 6)), dtype=tf.float32)
    module.w = tf.Variable(rng.standard_normal((6, 6)) * 0.5, dtype=tf.float32)

    @tf.function(input_signature=[spec((None,), "first", tf.int32), spec((), "steps", tf.int32)])
    def generate(first, steps):
        state = tf.zeros((tf.shape(first)[0], 6))
        token, out = first, tf.TensorArray(tf.int32, size=steps)
        for i in tf.range(steps):
            state = tf.tanh(tf.gather(module.table, token) + state @ module.w)
            token = tf.argmax(tf.matmul(state, module.table, transpose_b=True), -1, tf.int32)
            out = out.write(i, token)
        return {"tokens": tf.transpose(out.stack()), "state": state}

    tf.saved_model.save(module, str(path), {"generate": generate})
    return by_signatures(path, [("generate", {"first": np.array([1, 5, 9], np.int32), "steps": np.int32(n)}) for n in (7, 1, 3)])


@case
def tf1_builder(path, rng):
    """TensorFlow 1's builder: two signatures over one graph, an op that initializes, a default."""
    calls = []
    with tf.Graph().as_default() as g, v1.Session(graph=g) as session:
        x = v1.placeholder(tf.float32, (None, 5), "x")
        keep = v1.placeholder_with_default(np.float32(1.0), (), "keep")
        w = v1.get_variable("w", (5, 3), initializer=v1.constant_initializer(rng.standard_normal((5, 3))))
        total = v1.get_variable("total", (), initializer=v1.zeros_initializer())
        scores = tf.nn.softmax(x @ w * keep, name="scores")
        remembered = tf.identity(v1.assign_add(total, tf.reduce_sum(x)))
        session.run(v1.global_variables_initializer())
        info = v1.saved_model.utils.build_tensor_info
        define = v1.saved_model.signature_def_utils.build_signature_def
        signatures = {"serving_default": define({"x": info(x)}, {"scores": info(scores)}, "tensorflow/serving/predict"),
                      "remember": define({"x": info(x), "keep": info(keep)}, {"total": info(remembered), "scores": info(scores)}, "tensorflow/serving/predict")}
        builder = v1.saved_model.builder.SavedModelBuilder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures, clear_devices=True, main_op=tf.group(name="init"))
        builder.save()
        for n, factor in ((2, None), (1, 0.5), (3, 2.0)):
            values = rng.standard_normal((n, 5)).astype("f")
            if factor is None:
                calls.append(("serving_default", {"x": values}, {"scores": session.run(scores, {x: values})}))
            else:
                want = session.run([remembered, scores], {x: values, keep: factor})
                calls.append(("remember", {"x": values, "keep": np.float32(factor)}, {"total": want[0], "scores": want[1]}))
    return calls


@case
def batch_norm_update(path, rng):
    """A signature that trains the moving averages, one that uses them."""
    model = keras.Sequential([keras.Input((5,)), L.Dense(4), L.BatchNormalization(momentum=0.5)])
    module = tf.Module()
    module.held = [v.value for v in model.variables]
    signatures = {name: tf.function(lambda x, t=training: {"y": model(x, training=t)}, input_signature=[spec((None, 5), "x")])
                  for name, training in (("adapt", True), ("serve", False))}
    tf.saved_model.save(module, str(path), signatures)
    x = rng.standard_normal((3, 8, 5)).astype("f") * 3
    return by_signatures(path, [("serve", {"x": x[0]}), ("adapt", {"x": x[1]}), ("serve", {"x": x[0]}), ("adapt", {"x": x[2]}), ("serve", {"x": x[0]})])


def different(got, want):
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    if want.dtype.kind not in "fc":
        return "" if np.array_equal(got, want) else "other values"
    # Sums in another order: a few units in the last place of the type.
    unit = max(np.finfo(want.dtype).eps, np.finfo(np.float32).eps)
    error = np.abs(got.astype(np.complex128) - want.astype(np.complex128))
    bound = 80 * unit * (np.abs(want).astype(np.float64) + 0.1 * np.abs(want).astype(np.float64).max(initial=0))
    return "" if np.all(error <= bound) else f"off by {error.max():.3g}"


def run(name, args, folder):
    calls = CASES[name](folder / "model", np.random.default_rng(args.seed))
    subprocess.run([args.tenon, "compile", folder / "model", "-o", folder / "program"], check=True, timeout=120)
    command = [folder / "program"]
    for i, (signature, inputs, _) in enumerate(calls):
        command += ["--run", signature]
        for key, value in inputs.items():
            np.save(folder / f"{i}.{key}.npy", value)
            command.append(f"{key}={folder}/{i}.{key}.npy")
    subprocess.run([*command, "-o", folder / "out.npz"], check=True, timeout=60)
    got = np.load(folder / "out.npz")
    problems = []
    for i, (signature, _, wanted) in enumerate(calls):
        for key, want in wanted.items():
            name = f"{i}/{key}"
            problem = different(got[name], want) if name in got.files else f"missing among {got.files}"
            if problem:
                problems.append(f"call {i} ({signature}) {key}: {problem}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    failed = 0
    for name in filter(lambda n: re.search(args.only, n), CASES):
        with tempfile.TemporaryDirectory() as folder:
            try:
                problems = run(name, args, pathlib.Path(folder))
            except (subprocess.SubprocessError, OSError) as error:
                problems = [str(error)]
        failed += bool(problems)
        print(f"{'FAIL' if problems else 'pass'} {name}", *problems, sep="\n     " if problems else "", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
