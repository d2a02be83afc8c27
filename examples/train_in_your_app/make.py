#!/usr/bin/env python3
"""Makes learner.keras, an untrained model of two numbers that follow from two others, with its training settings.

Made with Keras 3.15 (needed only to make it again): python3 make.py, beside this script.
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
from keras import layers

keras.utils.set_random_seed(1)
model = keras.Sequential([layers.Input((2,), name="angles"), layers.Dense(32, activation="tanh"), layers.Dense(32, activation="tanh"), layers.Dense(2, name="hand")])
model.compile(keras.optimizers.Adam(3e-3), "mean_squared_error")
model.save(pathlib.Path(__file__).resolve().parent / "learner.keras")
