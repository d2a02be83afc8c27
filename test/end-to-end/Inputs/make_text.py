#!/usr/bin/env python3
"""Writes the fixture text_table: texts to numbers by a vocabulary, a file of the model.

    python3 make_text.py        # TensorFlow 2.21
"""

import os
import pathlib
import shutil
import tempfile

import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).resolve().parent / "text_table"


class Words(tf.Module):
    """Cleans texts, splits them, looks words up (two buckets for others) and averages their vectors."""

    def __init__(self, vocabulary):
        reader = tf.lookup.TextFileInitializer(vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
                                               tf.lookup.TextFileIndex.LINE_NUMBER)
        self.table = tf.lookup.StaticVocabularyTable(reader, 2)
        self.vectors = tf.Variable(np.random.default_rng(5).standard_normal((5, 3)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(self, text):
        words = tf.strings.split(tf.strings.regex_replace(tf.strings.lower(text), "[^a-z ]", ""))
        ids = self.table.lookup(words.to_tensor("pad"))
        return {"ids": ids, "mean": tf.reduce_mean(tf.nn.embedding_lookup(self.vectors, ids), 1), "count": words.row_lengths(),
                "joined": tf.strings.reduce_join(words.to_tensor("_"), 1, separator="-")}


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)  # the table's name has the path in it
        pathlib.Path("vocab.txt").write_text("hello\nworld\nfoo\n")
        module = Words("vocab.txt")
        tf.saved_model.save(module, str(HERE / "saved"), signatures=module.classify)
        text = np.array([b"Hello, World!", b"foo bar baz hello", b"x"])
        np.savez(HERE / "in.npz", text=text)
        results = {k: v.numpy() for k, v in module.classify(tf.constant(text)).items()}
        np.savez(HERE / "saved.npz", **{k: v.astype("S") if v.dtype == object else v for k, v in results.items()})
    (HERE / "saved" / "fingerprint.pb").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
