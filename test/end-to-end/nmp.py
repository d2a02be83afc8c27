#!/usr/bin/env python3
"""The notes that basic-pitch hears with its model compiled, against TensorFlow's.

    nmp.py [--tenon build/bin/tenon] [--seed N] [--seconds S] [--options '--cpu native']

Needs TensorFlow, and the PyPI package basic-pitch (its own modules and its
SavedModel; from its dependencies librosa, mir_eval, pretty_midi, resampy). Some
seconds of chords are synthesized, cut into windows, run through both and made
notes by the package's own code. Starts, ends, pitches and bends must be the
same; amplitudes, which are sums of probabilities, within 1e-4.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

import basic_pitch
from basic_pitch import inference, note_creation
from basic_pitch.constants import AUDIO_N_SAMPLES, AUDIO_SAMPLE_RATE, FFT_HOP

OVERLAPPING_FRAMES = 30  # as inference.run_inference


def synthesize(seconds, rng):
    """Overlapping tones with decaying harmonics, one with vibrato in three, over a little noise."""
    time = np.arange(int(seconds * AUDIO_SAMPLE_RATE)) / AUDIO_SAMPLE_RATE
    audio = 0.002 * rng.standard_normal(time.size)
    for number in range(int(4 * seconds)):
        start, length = rng.uniform(0, seconds - 0.3), rng.uniform(0.15, 1.0)
        pitch = 440 * 2 ** ((rng.integers(40, 90) - 69) / 12)
        local = time - start
        envelope = np.where((local >= 0) & (local < length), np.exp(-3 * local) * np.minimum(1, local / 0.01), 0)
        phase = 2 * np.pi * pitch * local
        if number % 3 == 0:
            phase += 3 * np.sin(2 * np.pi * 5 * local)
        for harmonic in range(1, 7):
            audio += rng.uniform(0.05, 0.2) / harmonic * envelope * np.sin(harmonic * phase)
    return audio.astype(np.float32)


def windows_of(audio):
    overlap = OVERLAPPING_FRAMES * FFT_HOP
    padded = np.concatenate([np.zeros(overlap // 2, np.float32), audio])
    return np.stack([w for w, _ in inference.window_audio_file(padded, AUDIO_N_SAMPLES - overlap)])


def notes_of(output, samples):
    whole = {k: inference.unwrap_output(v, samples, OVERLAPPING_FRAMES) for k, v in output.items()}
    # The package's default thresholds.
    _, notes = note_creation.model_output_to_notes(whole, onset_thresh=0.5, frame_thresh=0.3, min_note_len=11)
    return sorted(notes, key=lambda note: note[:3])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--options", default="")
    args = parser.parse_args()
    model = pathlib.Path(basic_pitch.__file__).parent / "saved_models" / "icassp_2022" / "nmp"
    audio = synthesize(args.seconds, np.random.default_rng(args.seed))
    windows = windows_of(audio)
    loaded = tf.saved_model.load(str(model))
    each = [loaded(w[None]) for w in windows]
    theirs = {k: np.concatenate([e[k].numpy() for e in each]) for k in ("note", "onset", "contour")}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([args.tenon, "compile", model, "-o", folder / "nmp", *shlex.split(args.options)], check=True)
        np.save(folder / "audio.npy", windows)
        subprocess.run([folder / "nmp", f"input_2={folder}/audio.npy", "-o", folder / "out.npz"], check=True)
        ours = dict(np.load(folder / "out.npz"))
    for name, want in theirs.items():
        print(f"{name}: largest difference {np.abs(ours[name] - want).max():.3g} of {np.abs(want).max():.3g}")
    got, want = notes_of(ours, audio.size), notes_of(theirs, audio.size)
    print(f"{len(want)} notes in {len(windows)} windows")
    same = len(got) == len(want) > 0
    for mine, other in zip(got, want):
        bends = [None if n[4] is None else list(n[4]) for n in (mine, other)]
        if tuple(mine[:3]) != tuple(other[:3]) or bends[0] != bends[1] or abs(mine[3] - other[3]) > 1e-4:
            print(f"different: {mine} for {other}")
            same = False
    print("the same notes" if same else "other notes")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
