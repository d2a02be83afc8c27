#!/usr/bin/env python3
"""Makes the SavedModel `model` and data of a second task: train.npz, test.npz.

The model is a network that reads the digits 0 to 4 (as ../train_digits does all ten), whose last layer was replaced by a
new, untrained one: does a picture show one of the digits 5 to 9 that is even? Only the head is to be trained; what the
network learned of other digits stays. Made with Keras 3.15 and scikit-learn 1.9: python3 make.py, beside this script.
"""

import os
import pathlib
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).resolve().parent

data = load_digits()
images, labels = (data.images / 16).astype(np.float32)[..., np.newaxis], data.target
known = labels < 5

keras.utils.set_random_seed(1)
body = keras.Sequential([
    layers.Input((8, 8, 1), name="image"),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(32, activation="relu"),
], name="body")
first = keras.Sequential([body, layers.Dense(5, activation="softmax")])
first.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
first.fit(images[known], labels[known], epochs=30, verbose=0)

model = keras.Sequential([layers.Input((8, 8, 1), name="image"), body, layers.Dense(2, activation="softmax", name="head")])
shutil.rmtree(HERE / "model", ignore_errors=True)
model.export(HERE / "model", verbose=False)
for extra in ("fingerprint.pb", "assets"):
    path = HERE / "model" / extra
    path.unlink() if path.is_file() else path.rmdir()

images, even = images[~known], (labels[~known] % 2 == 0).astype(np.uint8)
held_out = np.arange(len(even)) % 5 == 4
for name, chosen in (("train", ~held_out), ("test", held_out)):
    np.savez_compressed(HERE / f"{name}.npz", image=images[chosen], even=even[chosen])
