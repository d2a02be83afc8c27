#!/usr/bin/env python3
"""Writes counter.pb: a running mean, as a TensorFlow 1 program builds it.

Two variables, four things to do with them, and control dependencies that say in
which order. Made with TensorFlow 2.21 (needed only to write the file again).
"""

import pathlib

import tensorflow as tf

v1 = tf.compat.v1
v1.disable_resource_variables()

with tf.Graph().as_default() as graph:
    x = v1.placeholder(tf.float32, (), "x")
    count = v1.Variable(tf.constant(0, tf.int64), name="count")
    total = v1.Variable(tf.constant(0.0), name="total")

    # step: both variables move before the mean is taken.
    with tf.control_dependencies([v1.assign_add(count, 1, name="count_up"), v1.assign_add(total, x, name="add")]):
        mean = tf.divide(total.read_value(), tf.cast(count.read_value(), tf.float32), name="mean")
    # undo: the order of the two halves matters, so an edge states it.
    with tf.control_dependencies([v1.assign_sub(total, x, name="subtract")]):
        v1.assign_sub(count, 1, name="undo")
    v1.group(v1.assign(count, 0), v1.assign(total, 0.0), name="reset")
    v1.group(count.initializer, total.initializer, name="init")

definition = v1.graph_util.extract_sub_graph(graph.as_graph_def(), ["mean", "undo", "reset", "init", "count", "total"])
path = pathlib.Path(__file__).resolve().with_name("counter.pb")
path.write_bytes(definition.SerializeToString(deterministic=True))
