#!/usr/bin/env python3
"""Makes text.keras, an untrained model that guesses the next character of a text, with its training settings.

Made with Keras 3.15 (needed only to make it again): python3 make.py, beside this script.
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
from keras import layers

HERE = pathlib.Path(__file__).resolve().parent

keras.utils.set_random_seed(1)
model = keras.Sequential([
    layers.Input((None,), name="text", dtype="uint8"),
    layers.Embedding(128, 24),
    layers.LSTM(96, return_sequences=True),
    layers.Dense(128, name="next"),
])
model.compile(keras.optimizers.Adam(4e-3, clipnorm=1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.save(HERE / "text.keras")
