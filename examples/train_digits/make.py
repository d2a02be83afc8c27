#!/usr/bin/env python3
"""Makes digits.keras, an untrained model with its training settings, and the data: train.npz, test.npz.

The data are the 1797 handwritten 8x8 digits of UCI that come with scikit-learn; every fifth picture is held out.
Made with Keras 3.15 and scikit-learn 1.9 (needed only to make them again): python3 make.py, beside this script.
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).resolve().parent

data = load_digits()
images, labels = data.images.astype(np.uint8)[..., np.newaxis], data.target.astype(np.uint8)
held_out = np.arange(len(labels)) % 5 == 4
for name, chosen in (("train", ~held_out), ("test", held_out)):
    np.savez_compressed(HERE / f"{name}.npz", image=images[chosen], digit=labels[chosen])

keras.utils.set_random_seed(1)
model = keras.Sequential([
    layers.Input((8, 8, 1), name="image"),
    layers.Rescaling(1 / 16),
    layers.Conv2D(16, 3, padding="same", use_bias=False),
    layers.BatchNormalization(momentum=0.9),
    layers.ReLU(),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
    layers.Dropout(0.4),
    layers.Flatten(),
    layers.Dense(10, activation="softmax", name="digit"),
])
model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, 20 * 45)),
              "sparse_categorical_crossentropy", metrics=["accuracy"])
model.save(HERE / "digits.keras")
