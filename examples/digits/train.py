#!/usr/bin/env python3
"""Trains the small CNN of this example and writes digits.pb and the held-out data.

The data are the 1797 handwritten 8x8 digits of UCI that come with scikit-learn;
every fifth picture is held out. Made with TensorFlow 2.21, Keras 3.15 and
scikit-learn 1.9 (needed only to train again, not to compile or run):

    python3 train.py            # about a minute; writes beside this script
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2)

HERE = pathlib.Path(__file__).resolve().parent


def load():
    data = load_digits()
    images = (data.images / 16.0).astype(np.float32)[..., np.newaxis]
    labels = data.target.astype(np.int64)
    held_out = np.arange(len(labels)) % 5 == 4
    return (images[~held_out], labels[~held_out]), (images[held_out],
                                                    labels[held_out])


def build():
    return keras.Sequential([
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, padding="same", use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])


def freeze(model, path):
    """Writes the model as one GraphDef: placeholder `image`, result `probabilities`."""

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32, "image")])
    def predict(image):
        return tf.identity(model(image, training=False), "probabilities")

    frozen = convert_variables_to_constants_v2(predict.get_concrete_function())
    graph = frozen.graph.as_graph_def()
    # convert_variables_to_constants names the result Identity; keep ours.
    nodes = [n for n in graph.node if n.op != "NoOp"]
    if nodes[-1].op == "Identity" and nodes[-1].name == "Identity":
        nodes.pop()
    kept = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in nodes:
        copy = kept.node.add()
        copy.CopyFrom(node)
        inputs = [i for i in node.input if not i.startswith("^")]
        del copy.input[:]
        copy.input.extend(inputs)
    path.write_bytes(kept.SerializeToString(deterministic=True))


def main():
    keras.utils.set_random_seed(7)
    (train_x, train_y), (test_x, test_y) = load()
    model = build()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train_x, train_y, epochs=40, batch_size=32, verbose=0)
    loss, accuracy = model.evaluate(test_x, test_y, verbose=0)
    print(f"held-out accuracy {accuracy:.4f}, loss {loss:.4f}")
    assert accuracy > 0.97
    freeze(model, HERE / "digits.pb")
    np.save(HERE / "images.npy", test_x)
    np.save(HERE / "labels.npy", test_y)
    np.savez(HERE / "reference.npz", probabilities=model.predict(test_x, verbose=0))


if __name__ == "__main__":
    main()
