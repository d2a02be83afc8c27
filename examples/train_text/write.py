#!/usr/bin/env python3
"""Lets a trained program go on with a text: write.py TRAINER CHECKPOINT 'The licen' [CHARACTERS]

The program is asked for the character after each, and the most likely one is added.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

trainer, checkpoint, text = sys.argv[1:4]
with tempfile.TemporaryDirectory() as folder:
    given, result = pathlib.Path(folder) / "text.npy", pathlib.Path(folder) / "next.npy"
    for _ in range(int(sys.argv[4]) if len(sys.argv) > 4 else 40):
        np.save(given, np.frombuffer(text.encode(), np.uint8)[None])
        subprocess.run([trainer, "predict", f"text={given}", "--restore", checkpoint, "-o", f"next={result}"], check=True)
        text += chr(np.load(result)[0, -1].argmax())
print(text)
