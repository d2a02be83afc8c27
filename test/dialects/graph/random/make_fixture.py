"""Writes tensorflow.npz: what TensorFlow 2.21 draws for one key and counter."""
import os

import numpy as np
import tensorflow as tf

raw = tf.raw_ops
key = np.array([0x123456789abcdef], np.uint64)
counter = np.array([0xfffffffffffffffe, 77], np.uint64)
shape = (3, 5, 7)
arrays = {"key": key, "counter": counter}
FLOATS = {"uniform": raw.StatelessRandomUniformV2, "normal": raw.StatelessRandomNormalV2,
          "truncated_normal": raw.StatelessTruncatedNormalV2}
for kind, dtype in {"f16": tf.float16, "f32": tf.float32, "f64": tf.float64}.items():
    for name, op in FLOATS.items():
        arrays[f"{name}_{kind}"] = op(shape=shape, key=key, counter=counter, alg=1, dtype=dtype).numpy()
for kind, dtype in {"i32": np.int32, "i64": np.int64}.items():
    arrays[f"uniform_int_{kind}"] = raw.StatelessRandomUniformIntV2(
        shape=shape, key=key, counter=counter, alg=1, minval=dtype(-5), maxval=dtype(1000)).numpy()
seed = np.array([12345, -7], np.int64)
scrambled = raw.StatelessRandomGetKeyCounter(seed=seed)
arrays.update(seed=seed, seed_key=scrambled.key.numpy(), seed_counter=scrambled.counter.numpy())


@tf.function
def stateful():
    return raw.RandomUniform(shape=[3, 5], dtype=tf.float32, seed=123, seed2=456)


arrays["first"], arrays["second"] = stateful().numpy(), stateful().numpy()
np.savez_compressed(os.path.join(os.path.dirname(__file__), "tensorflow.npz"), **arrays)
