#!/usr/bin/env python3
"""A peer of backward.py: worker.py jax|tensorflow|export MODEL FOLDER SIZES

`export` writes FOLDER/MODEL.pb (weights are placeholders w0, w1, ...),
inputs.npz and reference.npz, the loss and gradients in float64. The others
compile, write their results to FOLDER/<peer>.npz, and then answer each line
`measure SECONDS` with times.
"""

import json
import os
import pathlib
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

import models



def results(loss, gradients):
    return {"loss": np.asarray(loss), **{f"d{i}": np.asarray(g) for i, g in enumerate(gradients)}}


def tensorflow_gradient(tf, loss, weights, inputs, jit):
    @tf.function(jit_compile=jit)
    def gradient(weights, inputs):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(models.TensorFlowOps(tf), weights, inputs)
        return value, tape.gradient(value, weights)

    return gradient


def export(name, folder, sizes):
    import tensorflow as tf
    weights, inputs, loss = models.build(name, **sizes)
    names = [f"w{i}" for i in range(len(weights))] + [f"x{i}" for i in range(len(inputs))]
    graph = tf.Graph()
    with graph.as_default():
        places = [tf.compat.v1.placeholder(v.dtype, v.shape, n) for n, v in zip(names, weights + inputs)]
        tf.identity(loss(models.TensorFlowOps(tf), places[:len(weights)], places[len(weights):]), "loss")
    (folder / f"{name}.pb").write_bytes(graph.as_graph_def().SerializeToString())
    np.savez(folder / "inputs.npz", **dict(zip(names, weights + inputs)))
    def wide(arrays):
        return [tf.constant(v.astype(np.float64) if v.dtype == np.float32 else v) for v in arrays]
    value, gradients = tensorflow_gradient(tf, loss, None, None, False)(wide(weights), wide(inputs))
    np.savez(folder / "reference.npz", **results(value, gradients))


def jax_call(name, sizes):
    import jax
    weights, inputs, loss = models.build(name, **sizes)
    ops = models.JaxOps(jax)
    weights, inputs = [[jax.numpy.asarray(v) for v in values] for values in (weights, inputs)]
    compiled = jax.jit(jax.value_and_grad(lambda w, x: loss(ops, w, x))).lower(weights, inputs).compile()
    memory = compiled.memory_analysis()
    extra = {"temporary_bytes": memory.temp_size_in_bytes, "result_bytes": memory.output_size_in_bytes}
    return (lambda: jax.block_until_ready(compiled(weights, inputs))), extra


def tensorflow_call(name, sizes):
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    weights, inputs, loss = models.build(name, **sizes)
    weights, inputs = [[tf.constant(v) for v in values] for values in (weights, inputs)]
    gradient = tensorflow_gradient(tf, loss, weights, inputs, True)

    def call():
        value, gradients = gradient(weights, inputs)
        return value.numpy(), gradients

    return call, {}


def measure(call, seconds):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3, statistics.median(times) * 1e3, len(times)


def main():
    peer, name, folder, sizes = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), json.loads(sys.argv[4])
    if peer == "export":
        return export(name, folder, sizes)
    # What libraries print must not mix with answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    start = time.perf_counter()
    call, extra = {"jax": jax_call, "tensorflow": tensorflow_call}[peer](name, sizes)
    np.savez(folder / f"{peer}.npz", **results(*call()))
    print(json.dumps({"ready_s": time.perf_counter() - start, **extra}), file=answers, flush=True)
    for line in sys.stdin:
        low, middle, count = measure(call, float(line.split()[1]))
        print(json.dumps({"min_ms": low, "median_ms": middle, "calls": count}), file=answers, flush=True)


if __name__ == "__main__":
    main()
