#!/usr/bin/env python3
"""Cuts a text into windows for training: data.py TEXT TRAIN.npz TEST.npz

`text` has the characters of a window, `next` those that follow each of them. A tenth of the text is for the test.
"""

import sys

import numpy as np

WINDOW = 50

text = np.frombuffer(open(sys.argv[1], "rb").read(), np.uint8)
text = np.minimum(text, 127)
starts = np.arange(0, len(text) - WINDOW - 1, 10)
windows = text[starts[:, None] + np.arange(WINDOW + 1)]
test = starts // 500 % 10 == 9  # whole stretches of the text
np.savez(sys.argv[2], text=windows[~test, :-1], next=windows[~test, 1:])
np.savez(sys.argv[3], text=windows[test, :-1], next=windows[test, 1:])
