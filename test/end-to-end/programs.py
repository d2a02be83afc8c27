#!/usr/bin/env python3
"""TensorFlow 1 programs, run several times in a row and compared with what a session gives.

    programs.py [--tenon build/bin/tenon] [--seed N] [--only REGEX] [--keep FOLDER] [--resource]
    programs.py --packs FOLDER

The second form writes packs for run_programs.py, which needs neither TensorFlow nor NumPy.

Each program builds a graph and lists runs: fetches by name (tensors, or ^ and an operation) and what is fed. The compiled
program makes all runs in one go, so that what one leaves in variables is seen by the next. Needs TensorFlow 2.21.
"""

import argparse
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_data_flow_ops

v1 = tf.compat.v1
PROGRAMS = {}
f32 = np.float32


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def placeholder(shape, name, dtype=tf.float32):
    return v1.placeholder(dtype, shape, name)


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(f32)


def init():
    return ("init", ["^" + v1.global_variables_initializer().name], {})


def named(**tensors):
    for name, tensor in tensors.items():
        tf.identity(tensor, name=name)
    return [name + ":0" for name in tensors]


# Loops

@program
def nested_loops(rng):
    """An array is written by an outer loop with what an inner one adds up."""
    n, x = placeholder([], "n", tf.int32), placeholder([None, 3], "x")
    array = tf.TensorArray(tf.float32, size=n, element_shape=[3])

    def outer(i, array, total):
        _, inner = tf.while_loop(lambda j, s: j <= i, lambda j, s: (j + 1, s + x[j % tf.shape(x)[0]] * tf.cast(j + 1, tf.float32)), [0, tf.zeros([3])])
        return i + 1, array.write(i, inner), total + tf.reduce_sum(inner)

    _, array, total = tf.while_loop(lambda i, *_: i < n, outer, [0, array, 0.0])
    fetches = named(rows=array.stack(), total=total)
    return [("main", fetches, {"n": np.int32(4), "x": normal(rng, 5, 3)}), ("main", fetches, {"n": np.int32(1), "x": normal(rng, 2, 3)})]


@program
def growing_array(rng):
    """An array of unknown size grows as it is written."""
    limit = placeholder([], "limit")
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[2])

    def body(i, value, array):
        return i + 1, value * 1.5, array.write(i, tf.stack([value, tf.cast(i, tf.float32)]))

    count, _, array = tf.while_loop(lambda i, v, a: v < limit, body, [0, 1.0, array])
    fetches = named(rows=array.stack(), count=count, size=array.size())
    return [("main", fetches, {"limit": f32(20)}), ("main", fetches, {"limit": f32(2)})]


@program
def split_array(rng):
    x = placeholder([6, 2], "x")
    array = tf.TensorArray(tf.float32, size=3, element_shape=[2, 2], clear_after_read=False).split(x, [2, 2, 2])
    return [("main", named(last=array.read(2), all=array.concat(), stacked=array.gather([2, 0])), {"x": normal(rng, 6, 2)})]


@program
def condition_in_loop(rng):
    """Collatz' numbers, with the sum of the odd ones."""
    n = placeholder([], "n", tf.int32)

    def body(n, steps, odd):
        even = tf.equal(n % 2, 0)
        n, odd = tf.cond(even, lambda: (n // 2, odd), lambda: (3 * n + 1, odd + n))
        return n, steps + 1, odd

    last, steps, odd = tf.while_loop(lambda n, *_: n > 1, body, [n, 0, 0])
    fetches = named(last=last, steps=steps, odd=odd)
    return [("main", fetches, {"n": np.int32(k)}) for k in (1, 6, 27)]


@program
def loop_in_condition(rng):
    x, deep = placeholder([3], "x"), placeholder([], "deep", tf.bool)

    def iterate():
        return tf.while_loop(lambda v: tf.reduce_sum(v) < 100.0, lambda v: tf.cond(tf.reduce_max(v) > 9, lambda: v + 20.0, lambda: v * 2.0), [tf.abs(x) + 1])[0]

    y = tf.cond(deep, lambda: tf.cond(x[0] > 0, iterate, lambda: -iterate()), lambda: x * 3)
    fetches = named(y=y)
    return [("main", fetches, {"x": normal(rng, 3), "deep": np.bool_(d)}) for d in (True, False, True)]


@program
def loop_variables(rng):
    """A loop that changes variables; a counter by control dependencies."""
    total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
    count = v1.get_variable("count", [], tf.int64, initializer=v1.zeros_initializer(), use_resource=True)
    n = placeholder([], "n", tf.int32)

    def body(i, seen):
        with tf.control_dependencies([v1.assign_add(total, tf.cast(i, tf.float32)), count.assign_add(1)]):
            return i + 1, seen + tf.identity(total)

    _, seen = tf.while_loop(lambda i, _: i < n, body, [0, 0.0], parallel_iterations=1)
    fetches, state = named(seen=seen), named(all=total, often=count)
    return [init(), ("step", fetches, {"n": np.int32(4)}), ("value", state, {}), ("step", fetches, {"n": np.int32(3)}), ("value", state, {})]


@program
def scans(rng):
    x = placeholder([None, 4], "x")
    run = tf.scan(lambda a, v: tf.tanh(a + v), x, tf.zeros([4]))
    mapped = tf.map_fn(lambda v: tf.reduce_sum(v) * v, x)
    folded = tf.foldl(lambda a, v: a * 0.5 + v, x)
    right = tf.foldr(lambda a, v: a * 0.5 + v, x)
    return [("main", named(run=run, mapped=mapped, folded=folded, right=right), {"x": normal(rng, n, 4)}) for n in (5, 2)]


@program
def recurrent(rng):
    """Two layers of dynamic recurrence with lengths."""
    x, lengths = placeholder([None, None, 3], "x"), placeholder([None], "lengths", tf.int32)
    w = v1.get_variable("w", [8, 5], initializer=v1.constant_initializer(normal(rng, 8, 5) * f32(0.5)))
    batch, steps = tf.shape(x)[0], tf.shape(x)[1]
    inputs = tf.TensorArray(tf.float32, steps).unstack(tf.transpose(x, [1, 0, 2]))
    outputs = tf.TensorArray(tf.float32, steps)

    def body(t, h, outputs):
        new = tf.tanh(tf.matmul(tf.concat([tf.ensure_shape(inputs.read(t), [None, 3]), h], 1), w))
        live = tf.expand_dims(t < lengths, 1)
        h = tf.where(tf.tile(live, [1, 5]), new, h)
        return t + 1, h, outputs.write(t, tf.where(tf.tile(live, [1, 5]), new, tf.zeros_like(new)))

    _, h, outputs = tf.while_loop(lambda t, *_: t < steps, body, [0, tf.zeros([batch, 5]), outputs],
                                  shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 5]), tf.TensorShape(None)])
    fetches = named(h=h, all=tf.ensure_shape(outputs.stack(), [None, None, 5]))
    return [init(), ("main", fetches, {"x": normal(rng, 2, 4, 3), "lengths": np.array([4, 2], np.int32)}),
            ("main", fetches, {"x": normal(rng, 3, 2, 3), "lengths": np.array([0, 1, 2], np.int32)})]


# State

@program
def moving_average(rng):
    """An exponential moving average with a step count, and its shadow."""
    x = placeholder([3], "x")
    v = v1.get_variable("v", [3], initializer=v1.constant_initializer([1.0, 2.0, 3.0]))
    step = v1.train.get_or_create_global_step()
    average = v1.train.ExponentialMovingAverage(0.9, num_updates=step)
    with tf.control_dependencies([v.assign(x)]):
        update = average.apply([v])
    with tf.control_dependencies([update]):
        fetches = named(tick=v1.assign_add(step, 1))
    shadow = named(shadow=average.average(v))
    return [init()] + [("step", fetches, {"x": normal(rng, 3)}) if k % 2 == 0 else ("value", shadow, {}) for k in range(6)]


@program
def schedules(rng):
    """Learning rates that follow a step."""
    step = v1.get_variable("step", [], tf.int64, initializer=v1.zeros_initializer())
    t = v1.train
    rates = named(exponential=t.exponential_decay(0.1, step, 3, 0.5), staircase=t.exponential_decay(0.1, step, 3, 0.5, staircase=True),
                  polynomial=t.polynomial_decay(0.1, step, 5, 0.01, power=2.0), cycle=t.polynomial_decay(0.1, step, 3, 0.01, cycle=True),
                  inverse=t.inverse_time_decay(0.1, step, 2, 0.3), natural=t.natural_exp_decay(0.1, step, 2, 0.3),
                  piecewise=t.piecewise_constant(step, [2, 4], [1.0, 0.5, 0.1]), cosine=t.cosine_decay(0.1, step, 6), restarts=t.cosine_decay_restarts(0.1, step, 2))
    tick = named(tick=v1.assign_add(step, 1))
    return [init()] + [("tick", tick, {}) if k % 2 else ("rates", rates, {}) for k in range(12)]


@program
def batch_norm(rng):
    """Normalization with update ops, training and not."""
    x, training = placeholder([None, 4], "x"), placeholder([], "training", tf.bool)
    gamma, beta = v1.get_variable("gamma", [4], initializer=v1.ones_initializer()), v1.get_variable("beta", [4], initializer=v1.zeros_initializer())
    mean, variance = (v1.get_variable(n, [4], initializer=i, trainable=False) for n, i in (("mean", v1.zeros_initializer()), ("variance", v1.ones_initializer())))
    m, v = tf.nn.moments(x, [0])

    def trained():
        with tf.control_dependencies([v1.assign(mean, mean * 0.9 + m * 0.1), v1.assign(variance, variance * 0.9 + v * 0.1)]):
            return tf.identity(m), tf.identity(v)

    m, v = tf.cond(training, trained, lambda: (tf.identity(mean), tf.identity(variance)))
    y = tf.nn.batch_normalization(x, m, v, beta, gamma, 1e-3)
    loss = tf.reduce_mean(tf.square(y - 0.5))
    train = v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")
    fetches, state = named(y=y, loss=loss), named(mean_=mean, variance_=variance, gamma_=gamma)
    runs = [init()]
    for k in range(5):
        feeds = {"x": normal(rng, 6, 4) * f32(2), "training": np.bool_(k % 2 == 0)}
        runs.append(("train", ["^" + train.name, *fetches], feeds) if k % 2 == 0 else ("test", fetches + state, feeds))
    return runs


@program
def dropout(rng):
    """A fed probability to keep."""
    x, keep = placeholder([None, 8], "x"), placeholder([], "keep_prob")
    v1.set_random_seed(7)
    y = tf.nn.dropout(x, rate=1 - keep, seed=3)
    z = tf.matmul(y, tf.constant(normal(rng, 8, 2)))
    fetches = named(y=y, z=z)
    return [("main", fetches, {"x": normal(rng, 3, 8), "keep_prob": f32(p)}) for p in (0.5, 1.0, 0.8, 0.5)]


@program
def reference_variables(rng):
    """What is read before and after assignments in one run."""
    v = v1.get_variable("v", [4], initializer=v1.constant_initializer([1.0, 2.0, 3.0, 4.0]), use_resource=False)
    x = placeholder([4], "x")
    before = tf.identity(v) * 1.0
    with tf.control_dependencies([before]):
        added = v1.assign_add(v, x)
        with tf.control_dependencies([added]):
            between = v + 0.0
            with tf.control_dependencies([between]):
                after = v1.assign_sub(v, x * 0.5)
    fetches = named(before=before, between=between, after=after)
    return [init()] + [("step", fetches, {"x": normal(rng, 4)}) for _ in range(3)]


@program
def scatters(rng):
    x, at = placeholder([2, 3], "x"), placeholder([2], "at", tf.int32)
    runs = [None]
    made = {}
    for name in ("update", "add", "sub", "mul", "div", "min", "max"):
        v = v1.get_variable("v_" + name, [5, 3], initializer=v1.constant_initializer(np.arange(1, 16, dtype=f32).reshape(5, 3)), use_resource=False)
        made[name] = getattr(v1, "scatter_" + name)(v, at, x)
        r = v1.get_variable("r_" + name, [5, 3], initializer=v1.constant_initializer(np.arange(1, 16, dtype=f32).reshape(5, 3)), use_resource=True)
        op = getattr(tf.raw_ops, "ResourceScatter" + name.capitalize())(resource=r.handle, indices=at, updates=x)
        with tf.control_dependencies([op]):
            made["r" + name] = r.read_value()
    for name in ("update", "add", "sub", "min", "max"):
        nd = v1.get_variable("n_" + name, [5, 3], initializer=v1.ones_initializer(), use_resource=False)
        made["n" + name] = getattr(tf.raw_ops, "ScatterNd" + name.capitalize())(ref=nd._ref(), indices=tf.expand_dims(at, 1), updates=x)  # noqa: SLF001
        nr = v1.get_variable("m_" + name, [5, 3], initializer=v1.ones_initializer(), use_resource=True)
        op = getattr(tf.raw_ops, "ResourceScatterNd" + name.capitalize())(ref=nr.handle, indices=tf.expand_dims(at, 1), updates=x)
        with tf.control_dependencies([op]):
            made["m" + name] = nr.read_value()
    fetches = named(**made)
    runs[0] = init()
    return runs + [("step", fetches, {"x": np.abs(normal(rng, 2, 3)) + f32(0.1), "at": np.array(i, np.int32)}) for i in ([0, 3], [4, 4], [2, 1])]


@program
def partial_assignment(rng):
    for resource in (False, True):
        v = v1.get_variable(f"v{int(resource)}", [4, 5], initializer=v1.zeros_initializer(), use_resource=resource)
        x, i = placeholder([2], f"x{int(resource)}"), placeholder([], f"i{int(resource)}", tf.int32)
        if resource:
            with tf.control_dependencies([v[i, 1:4:2].assign(x)]):
                tf.identity(v.read_value(), name="new1")
        else:
            tf.identity(v[i, ::3].assign(x), name="new0")
    return [init()] + [("step", ["new0:0", "new1:0"], {"x0": normal(rng, 2), "x1": normal(rng, 2), "i0": np.int32(k), "i1": np.int32(-k - 1)}) for k in (0, 2, 3)]


@program
def reference_switch(rng):
    """A variable goes through conditions by reference."""
    v = v1.get_variable("v", [3], initializer=v1.ones_initializer(), use_resource=False)
    up = placeholder([], "up", tf.bool)
    off, on = tf.raw_ops.RefSwitch(data=v._ref(), pred=up)  # noqa: SLF001
    added, halved = tf.raw_ops.AssignAdd(ref=on, value=tf.constant([1.0, 2.0, 3.0])), tf.raw_ops.AssignSub(ref=off, value=tf.constant([0.5] * 3))
    merged = tf.raw_ops.Merge(inputs=[tf.raw_ops.Identity(input=halved), tf.raw_ops.Identity(input=added)])
    fetches = named(result=merged.output, which=merged.value_index)
    return [init()] + [("step", fetches, {"up": np.bool_(u)}) for u in (True, True, False)]


@program
def cases(rng):
    x, k = placeholder([None], "x"), placeholder([], "k", tf.int32)
    picked = tf.switch_case(k, [lambda: x * 2.0, lambda: tf.reverse(x, [0]), lambda: tf.cumsum(x)], lambda: -x)
    tested = v1.case([(tf.reduce_sum(x) > 3, lambda: tf.constant(1)), (tf.reduce_min(x) < -1, lambda: tf.constant(2))], default=lambda: tf.constant(3), exclusive=False)
    fetches = named(picked=picked, tested=tested)
    return [("main", fetches, {"x": normal(rng, 4) * f32(2), "k": np.int32(i)}) for i in (-1, 0, 1, 2, 7)]


@program
def table_of_steps(rng):
    """Optimizers over several steps: trajectories of weights."""
    x, y = placeholder([None, 3], "x"), placeholder([None, 1], "y")
    runs = []
    for name, optimizer in (("momentum", v1.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True)), ("adam", v1.train.AdamOptimizer(0.05)),
                            ("adagrad", v1.train.AdagradOptimizer(0.1)), ("rms", v1.train.RMSPropOptimizer(0.01, momentum=0.5)), ("ftrl", v1.train.FtrlOptimizer(0.1))):
        w = v1.get_variable("w_" + name, [3, 1], initializer=v1.constant_initializer(normal(rng, 3, 1)))
        b = v1.get_variable("b_" + name, [1], initializer=v1.zeros_initializer())
        loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - y))
        runs.append(("^" + optimizer.minimize(loss, name="train_" + name).name, *named(**{f"loss_{name}": loss, f"last_{name}": w})))
    fetches = [n for run in runs for n in run[:2]]
    return [init()] + [step for _ in range(4) for step in (("train", fetches, {"x": normal(rng, 5, 3), "y": normal(rng, 5, 1)}), ("weights", [r[2] for r in runs], {}))]


@program
def gradient_of_loop(rng):
    """Training through a loop with an array."""
    x = placeholder([None, 3], "x")
    w = v1.get_variable("w", [3, 3], initializer=v1.constant_initializer(normal(rng, 3, 3) * f32(0.3)))

    def body(i, h, array):
        h = tf.tanh(tf.matmul(h, w))
        return i + 1, h, array.write(i, h)

    _, h, array = tf.while_loop(lambda i, *_: i < 4, body, [0, x, tf.TensorArray(tf.float32, 4)])
    loss = tf.reduce_mean(tf.square(h)) + tf.reduce_mean(array.stack())
    train = v1.train.GradientDescentOptimizer(0.5).minimize(loss, name="train")
    fetches, state = ["^" + train.name, *named(loss=loss)], named(last=w)
    return [init()] + [("train", fetches, {"x": normal(rng, 2, 3)}) for _ in range(3)] + [("state", state, {})]


@program
def lists(rng):
    """TensorList in all its operations."""
    raw, x = tf.raw_ops, placeholder([4, 2], "x")
    n = placeholder([], "n", tf.int32)
    element = tf.constant([2])
    reserved = raw.TensorListReserve(element_shape=element, num_elements=n, element_dtype=tf.float32)
    changed = raw.TensorListSetItem(input_handle=reserved, index=n - 1, item=x[0])
    pushed = raw.TensorListPushBack(input_handle=changed, tensor=x[1])
    popped = raw.TensorListPopBack(input_handle=pushed, element_shape=element, element_dtype=tf.float32)
    other = raw.TensorListFromTensor(tensor=x, element_shape=element)
    both = raw.TensorListConcatLists(input_a=pushed, input_b=other, element_dtype=tf.float32)
    resized = raw.TensorListResize(input_handle=both, size=n)
    grown = raw.TensorListResize(input_handle=other, size=n + 5)
    scattered = raw.TensorListScatterV2(tensor=x, indices=tf.constant([3, 0, 2, 1]), element_shape=element, num_elements=-1)
    into = raw.TensorListScatterIntoExistingList(input_handle=other, tensor=x[:2] * 2, indices=tf.constant([1, 3]))
    parts = raw.TensorListSplit(tensor=x, element_shape=tf.constant([-1, 2]), lengths=tf.constant([2, 2], tf.int64))
    stack = lambda handle: raw.TensorListStack(input_handle=handle, element_shape=element, element_dtype=tf.float32)
    fetches = named(pushed=stack(pushed), popped=popped.tensor, rest=stack(popped.output_handle), both=stack(both), resized=stack(resized), grown=stack(grown),
                    scattered=stack(scattered), into=stack(into), length=raw.TensorListLength(input_handle=both),
                    shape=raw.TensorListElementShape(input_handle=other, shape_type=tf.int32),
                    joined=raw.TensorListConcatV2(input_handle=parts, element_dtype=tf.float32, element_shape=tf.constant([-1, 2]), leading_dims=tf.constant([], tf.int64)).tensor,
                    gathered=raw.TensorListGather(input_handle=other, indices=tf.constant([2, 2, 0]), element_shape=element, element_dtype=tf.float32))
    return [("main", fetches, {"x": normal(rng, 4, 2), "n": np.int32(k)}) for k in (3, 1)]


@program
def unsized_list(rng):
    """A list that a loop of the second kind fills, of unknown length."""
    v1.enable_control_flow_v2()
    try:
        limit = placeholder([], "limit")
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[])
        count, _, array = tf.while_loop(lambda i, v, a: v < limit, lambda i, v, a: (i + 1, v * 1.7, a.write(i, v)), [0, 1.0, array])
        fetches = named(values=array.stack(), count=count)
    finally:
        v1.disable_control_flow_v2()
    return [("main", fetches, {"limit": f32(k)}) for k in (30, 1, 5)]


@program
def unequal_pieces(rng):
    """Elements of different sizes are joined, and a tensor is cut into some, with lengths that are fed."""
    x, lengths, n = placeholder([None, 2], "x"), placeholder([None], "lengths", tf.int32), placeholder([], "n", tf.int32)
    size = tf.size(lengths)
    pieces = tf.TensorArray(tf.float32, size, clear_after_read=False, infer_shape=False, element_shape=[None, 2]).split(x, lengths)
    growing = tf.TensorArray(tf.float32, n, infer_shape=False, element_shape=[None])
    _, growing = tf.while_loop(lambda i, a_: i < n, lambda i, a: (i + 1, a.write(i, tf.cast(tf.range(i), tf.float32) * 2)), [0, growing])
    fetches = named(first=pieces.read(0), last=pieces.read(size - 1), joined=growing.concat(), whole=pieces.concat())
    return [("main", fetches, {"x": normal(rng, sum(l), 2), "lengths": np.array(l, np.int32), "n": np.int32(n)}) for l, n in (([1, 3, 2], 4), ([2, 2], 2))]


@program
def stack_of_values(rng):
    """Pushes and pops in the order of their control inputs, outside of loops."""
    x = placeholder([2], "x")
    stack = gen_data_flow_ops.stack_v2(10, tf.float32)
    order, popped = [], []
    for step in range(5):
        with tf.control_dependencies(order):
            if step in (0, 1, 3):
                order = [gen_data_flow_ops.stack_push_v2(stack, x * (step + 1))]
            else:
                order = [gen_data_flow_ops.stack_pop_v2(stack, tf.float32)]
                popped += order
    with tf.control_dependencies(order), tf.control_dependencies([gen_data_flow_ops.stack_close_v2(stack)]):
        y = popped[0] - 3 * popped[1]
    return [("main", named(y=y, pushed=popped[1] + 1), {"x": normal(rng, 2)})] * 2


@program
def outputs_by_name(rng):
    """Functions' bodies name outputs, of which some are several tensors."""
    x = placeholder([3, 4], "x")

    @tf.function
    def body(x):
        sparse = tf.sparse.from_dense(tf.nn.relu(x))
        most = tf.sparse.maximum(sparse, sparse * 0.5)
        halves = tf.sparse.split(sparse, 2, 1)
        decoded, score = tf.nn.ctc_beam_search_decoder(tf.reshape(x, [3, 1, 4]), [3], beam_width=4, top_paths=2)
        sizes = tf.stack([tf.size(tf.sets.union(halves[0].indices, tf.reverse(halves[0].indices, [1])).values), tf.shape(halves[1].values)[0]])
        return most.values, halves[1].indices, tf.unstack(x)[2], decoded[1].values, score, sizes

    names = ("most", "indices", "row", "decoded", "score", "sizes")
    return [("main", named(**dict(zip(names, body(x)))), {"x": normal(rng, 3, 4)})] * 2


@program
def checks(rng):
    """Assertions and printing between what is computed."""
    x = placeholder([None], "x")
    with tf.control_dependencies([v1.assert_non_negative(x), v1.debugging.assert_all_finite(x, "finite")]):
        y = tf.sqrt(x)
    return [("main", named(y=v1.Print(y, [tf.shape(y)], message="shape ")), {"x": np.abs(normal(rng, 4))})]


@program
def queue_beside(rng):
    """Queues and datasets that no fetch needs."""
    v1.disable_v2_tensorshape()
    queue = v1.FIFOQueue(3, [tf.float32], shapes=[[2]])
    queue.enqueue([tf.constant([1.0, 2.0])])
    assert queue.dequeue() is not None
    data = v1.data.make_one_shot_iterator(tf.data.Dataset.range(5)).get_next()
    assert data is not None
    x = placeholder([2], "x")
    return [("main", named(y=x * 2), {"x": normal(rng, 2)})]


@program
def random_walk(rng):
    """Stateful random numbers across runs."""
    v1.set_random_seed(11)
    v = v1.get_variable("v", [3], initializer=v1.zeros_initializer())
    step = v1.assign_add(v, v1.random_normal([3], seed=5), name="walk")
    dice = v1.random_uniform([4], 1, 7, tf.int32, seed=9)
    gamma = v1.random_gamma([2], 2.5, seed=4)
    order = v1.random_shuffle(tf.range(6), seed=2)
    fetches = named(walk_=step, dice=dice, gamma=gamma, order=order)
    return [init()] + [("step", fetches, {}) for _ in range(4)]


# Longer ones

@program
def growing_tensor(rng):
    """A loop variable gets another shape in each iteration."""
    x, n = placeholder([None, 2], "x"), placeholder([], "n", tf.int32)
    _, y = tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, tf.concat([v, v[-1:] * 2 + tf.cast(i, tf.float32)], 0)), [0, x],
                         shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])])
    bounded = tf.while_loop(lambda v: tf.reduce_sum(v) < 50.0, lambda v: [v * 1.5], [tf.abs(x)], maximum_iterations=3)
    fetches = named(y=y, size_=tf.size(y), bounded=bounded)
    return [("main", fetches, {"x": normal(rng, 2, 2), "n": np.int32(k)}) for k in (0, 3, 9)]


@program
def inner_array(rng):
    """Each iteration of the outer loop has an array of its own."""
    n = placeholder([], "n", tf.int32)

    def outer(i, total, rows):
        inner = tf.TensorArray(tf.int32, size=i + 1, element_shape=[])
        _, inner = tf.while_loop(lambda j, a: j <= i, lambda j, a: (j + 1, a.write(j, i * j)), [0, inner])
        values = inner.stack()
        return i + 1, total + tf.reduce_sum(values), rows.write(i, tf.reduce_max(values))

    _, total, rows = tf.while_loop(lambda i, *_: i < n, outer, [0, 0, tf.TensorArray(tf.int32, size=n, element_shape=[])])
    fetches = named(total=total, rows=rows.stack())
    return [("main", fetches, {"n": np.int32(k)}) for k in (5, 1)]


def assigning_branches(rng, second):
    (v1.enable_control_flow_v2 if second else v1.disable_control_flow_v2)()
    try:
        up, x = placeholder([], "up", tf.bool), placeholder([2], "x")
        a = v1.get_variable("a", [2], initializer=v1.ones_initializer(), use_resource=second or None)
        b = v1.get_variable("b", [2], initializer=v1.zeros_initializer(), use_resource=second or None)

        def one():
            with tf.control_dependencies([v1.assign_add(a, x)]):
                return tf.identity(a) * 2

        def two():
            with tf.control_dependencies([v1.assign(b, a - x)]):
                with tf.control_dependencies([v1.assign_sub(a, [1.0, 1.0])]):
                    return tf.identity(b)

        y = tf.cond(up, one, two)
        with tf.control_dependencies([y]):
            after = tf.stack([tf.identity(a) + 0, tf.identity(b) + 0])
        fetches = named(y=y, after=after)
    finally:
        v1.disable_control_flow_v2()
    return [init()] + [("step", fetches, {"up": np.bool_(u), "x": normal(rng, 2)}) for u in (True, False, False, True)]


@program
def branches_that_assign(rng):
    return assigning_branches(rng, False)


@program
def functions_that_assign(rng):
    return assigning_branches(rng, True)


@program
def greedy_decoder(rng):
    """Words until the end mark: embedding, state, argmax."""
    start = placeholder([None], "start", tf.int32)
    table, w = tf.constant(normal(rng, 6, 4)), tf.constant(normal(rng, 8, 4))
    out = tf.constant(normal(rng, 4, 6))
    batch = tf.shape(start)[0]

    def body(t, word, h, done, words):
        h = tf.tanh(tf.matmul(tf.concat([tf.gather(table, word), h], 1), w))
        word = tf.where(done, tf.zeros_like(word), tf.argmax(tf.matmul(h, out), 1, tf.int32))
        return t + 1, word, h, tf.logical_or(done, tf.equal(word, 0)), words.write(t, word)

    words = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=[None])
    t, _, h, _, words = tf.while_loop(lambda t, w_, h_, done, a: tf.logical_and(t < 7, tf.logical_not(tf.reduce_all(done))), body,
                                      [0, start, tf.zeros([batch, 4]), tf.zeros([batch], tf.bool), words],
                                      shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None, 4]), tf.TensorShape([None]), tf.TensorShape(None)])
    fetches = named(steps=t, h=h, words=tf.ensure_shape(words.stack(), [None, None]))
    return [("main", fetches, {"start": np.array(s, np.int32)}) for s in ([1, 2, 3], [5], [4, 4])]


@program
def beam_search(rng):
    """The best of all continuations in each step."""
    scores, steps = placeholder([4, 4], "scores"), placeholder([], "steps", tf.int32)

    def body(t, totals, beams):
        last = beams[:, -1]
        options = tf.expand_dims(totals, 1) + tf.gather(scores, last)
        best, at = tf.nn.top_k(tf.reshape(options, [-1]), 3)
        return t + 1, best, tf.concat([tf.gather(beams, at // 4), tf.expand_dims(at % 4, 1)], 1)

    _, totals, beams = tf.while_loop(lambda t, *_: t < steps, body, [0, tf.constant([0.0, -9.0, -9.0]), tf.zeros([3, 1], tf.int32)],
                                     shape_invariants=[tf.TensorShape([]), tf.TensorShape([3]), tf.TensorShape([3, None])])
    fetches = named(totals=totals, beams=beams)
    return [("main", fetches, {"scores": normal(rng, 4, 4), "steps": np.int32(k)}) for k in (4, 1)]


@program
def trained_recurrence(rng):
    """Gradients through a loop that stops rows at their lengths, with clipped norms."""
    x, lengths, y = placeholder([None, 4, 3], "x"), placeholder([None], "lengths", tf.int32), placeholder([None, 2], "y")
    w = v1.get_variable("w", [7, 8], initializer=v1.constant_initializer(normal(rng, 7, 8) * f32(0.4)))
    b = v1.get_variable("b", [8], initializer=v1.zeros_initializer())
    out = v1.get_variable("out", [2, 2], initializer=v1.constant_initializer(normal(rng, 2, 2)))
    batch = tf.shape(x)[0]
    inputs = tf.TensorArray(tf.float32, 4).unstack(tf.transpose(x, [1, 0, 2]))

    def body(t, c, h):
        gates = tf.matmul(tf.concat([inputs.read(t), h, h], 1), w) + b
        i, j, f, o = tf.split(gates, 4, 1)
        new_c = c * tf.sigmoid(f + 1) + tf.sigmoid(i) * tf.tanh(j)
        new_h = tf.tanh(new_c) * tf.sigmoid(o)
        live = tf.tile(tf.expand_dims(t < lengths, 1), [1, 2])
        return t + 1, tf.where(live, new_c, c), tf.where(live, new_h, h)

    _, _, h = tf.while_loop(lambda t, *_: t < 4, body, [0, tf.zeros([batch, 2]), tf.zeros([batch, 2])],
                            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2]), tf.TensorShape([None, 2])])
    loss = tf.reduce_mean(v1.squared_difference(tf.matmul(h, out), y))
    variables = [w, b, out]
    gradients, norm = tf.clip_by_global_norm(tf.gradients(loss, variables), 0.5)
    train = v1.train.AdamOptimizer(0.05).apply_gradients(zip(gradients, variables), name="train")
    fetches, state = ["^" + train.name, *named(loss=loss, norm=norm)], named(w_=w, b_=b)
    feed = lambda: {"x": normal(rng, 3, 4, 3), "lengths": np.array([4, 2, 0], np.int32), "y": normal(rng, 3, 2)}  # noqa: E731
    return [init()] + [("train", fetches, feed()) for _ in range(4)] + [("state", state, {})]


@program
def update_collection(rng):
    """A small network with layers of the old kind: update ops, dropout, two optimizers' slots."""
    x, y = placeholder([None, 6, 6, 1], "x"), placeholder([None], "y", tf.int32)
    training = placeholder([], "training", tf.bool)
    kernel = v1.get_variable("kernel", [3, 3, 1, 4], initializer=v1.constant_initializer(normal(rng, 3, 3, 1, 4) * f32(0.5)))
    h = tf.nn.conv2d(x, kernel, [1, 2, 2, 1], "SAME")
    gamma, beta = v1.get_variable("gamma", [4], initializer=v1.ones_initializer()), v1.get_variable("beta", [4], initializer=v1.zeros_initializer())
    mean, variance = (v1.get_variable(n, [4], initializer=i, trainable=False) for n, i in (("mean", v1.zeros_initializer()), ("variance", v1.ones_initializer())))

    def normalized():
        out, m, v = v1.nn.fused_batch_norm(h, gamma, beta, is_training=True, epsilon=1e-3)
        with tf.control_dependencies([v1.assign_sub(mean, (mean - m) * 0.1), v1.assign_sub(variance, (variance - v) * 0.1)]):
            return tf.identity(out)

    h = tf.nn.relu(tf.cond(training, normalized, lambda: v1.nn.fused_batch_norm(h, gamma, beta, mean, variance, is_training=False, epsilon=1e-3)[0]))
    h = tf.nn.max_pool2d(h, 2, 2, "VALID")
    w = v1.get_variable("w", [4, 3], initializer=v1.constant_initializer(normal(rng, 4, 3)))
    logits = tf.matmul(tf.reshape(h, [-1, 4]), w)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)) + 1e-3 * tf.nn.l2_loss(w)
    train = v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, name="train")
    hit = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1, tf.int32), y), tf.float32))
    fetches, state = named(loss=loss, hit=hit), named(mean_=mean, kernel_=kernel, w_=w)
    runs = [init()]
    for k in range(5):
        feeds = {"x": normal(rng, 4, 6, 6, 1), "y": rng.integers(0, 3, 4).astype(np.int32), "training": np.bool_(k % 3 != 2)}
        runs.append(("train", ["^" + train.name, *fetches], feeds) if k % 3 != 2 else ("test", fetches, feeds))
    return runs + [("state", state, {})]


@program
def running_metrics(rng):
    """Metrics with totals and counts, which are local variables."""
    labels, values = placeholder([None], "labels"), placeholder([None], "values")
    mean, update = v1.metrics.mean_squared_error(labels, values)
    recall, more = v1.metrics.recall(labels > 0, values > 0)
    fetches, state = named(update=update, more=more), named(mean_=mean, recall_=recall)
    start = ("init", ["^" + v1.local_variables_initializer().name], {})
    return [start] + [step for _ in range(3) for step in (("step", fetches, {"labels": normal(rng, 5), "values": normal(rng, 5)}), ("state", state, {}))]


@program
def embeddings(rng):
    """Partitioned tables, sparse bags, sampled rows and their gradients."""
    ids = placeholder([None], "ids", tf.int64)
    tables = [v1.get_variable(f"t{i}", [4 if i < 1 else 3, 2], initializer=v1.constant_initializer(normal(rng, 4 if i < 1 else 3, 2))) for i in range(2)]
    looked = v1.nn.embedding_lookup(tables, ids, partition_strategy="mod")
    bag = v1.SparseTensor(tf.stack([tf.range(tf.size(ids, tf.int64)) // 2, tf.range(tf.size(ids, tf.int64)) % 2], 1), ids, tf.stack([(tf.size(ids, tf.int64) + 1) // 2, 2]))
    single = v1.get_variable("single", [7, 2], initializer=v1.constant_initializer(normal(rng, 7, 2)))
    summed = v1.nn.embedding_lookup_sparse(single, bag, None, combiner="sqrtn")
    loss = tf.reduce_sum(tf.square(looked)) + tf.reduce_sum(tf.square(summed))
    train = v1.train.AdagradOptimizer(0.2).minimize(loss, name="train")
    fetches, state = ["^" + train.name, *named(loss=loss)], named(t0_=tables[0], single_=single)
    return [init()] + [step for _ in range(3) for step in (("train", fetches, {"ids": rng.integers(0, 7, 5)}), ("state", state, {}))]


@program
def second_kind(rng):
    """Loops, conditions and cases as functions, nested."""
    v1.enable_control_flow_v2()
    try:
        x, k = placeholder([None, 2], "x"), placeholder([], "k", tf.int32)

        def body(i, v, total):
            v = tf.cond(i % 2 > 0, lambda: v * 0.5, lambda: tf.switch_case(k, [lambda: v + 1.0, lambda: tf.reverse(v, [0]), lambda: tf.cumsum(v)]))
            inner = tf.while_loop(lambda j, s: j < i, lambda j, s: (j + 1, s + tf.reduce_sum(v)), [0, 0.0])[1]
            return i + 1, v, total + inner

        _, v, total = tf.while_loop(lambda i, *_: i < 4, body, [0, x, 0.0])
        gradient = tf.gradients(tf.reduce_sum(v * v), x)[0]
        fetches = named(v=v, total=total, gradient=gradient)
    finally:
        v1.disable_control_flow_v2()
    return [("main", fetches, {"x": normal(rng, 3, 2), "k": np.int32(i)}) for i in (0, 1, 2)]


@program
def old_and_new_values(rng):
    """What control dependencies order, and what they leave open but data decides."""
    v = v1.get_variable("v", [], initializer=v1.constant_initializer(1.0))
    x = placeholder([], "x")
    first = v1.assign(v, tf.identity(v) * 2 + x)
    with tf.control_dependencies([first]):
        second = v1.assign(v, tf.identity(v) - 1)
        with tf.control_dependencies([second]):
            read = tf.identity(v) + 0
            with tf.control_dependencies([read]):
                third = tf.group(v1.assign_add(v, 10.0), name="third")
    with tf.control_dependencies([third]):
        last = tf.identity(v) + 0
    fetches = named(read=read, last=last)
    return [init()] + [("step", fetches, {"x": f32(k)}) for k in (1, 2, 3)] + [("third", ["^third"], {"x": f32(0)}), ("step", fetches, {"x": f32(0)})]


# Savers

def saved(rng, version, partitioned=False, sharded=False):
    """Variables are saved, changed, restored."""
    partitioner = v1.fixed_size_partitioner(2) if partitioned else None
    with v1.variable_scope("s", partitioner=partitioner, use_resource=False):
        w = v1.get_variable("w", [4, 3], initializer=v1.constant_initializer(normal(rng, 4, 3)) if not partitioned else v1.ones_initializer())
    k = v1.get_variable("k", [], tf.int64, initializer=v1.constant_initializer(7, tf.int64), use_resource=False)
    x = placeholder([], "x")
    parts = list(w) if partitioned else [w]
    changed = tf.concat([tf.reshape(v1.assign_add(p, tf.ones_like(p) * x), [-1]) for p in parts] + [tf.reshape(tf.cast(v1.assign_add(k, 1), tf.float32), [1])], 0)
    saver = v1.train.Saver(write_version=version, sharded=sharded)
    fetches, state = named(changed=changed), named(**{f"part{i}": tf.identity(p) for i, p in enumerate(parts)}, k_=tf.identity(k))
    definition = saver.saver_def
    name = definition.filename_tensor_name.removesuffix(":0")
    path = tempfile.mkdtemp(prefix="saved-") + "/model"
    save = ("save", [definition.save_tensor_name], {name: path})
    restore = ("restore", ["^" + definition.restore_op_name], {name: path})
    return [init(), ("step", fetches, {"x": f32(2)}), save, ("step", fetches, {"x": f32(-1)}), ("state", state, {}), restore, ("state", state, {})]


@program
def saver(rng):
    return saved(rng, v1.train.SaverDef.V2)


@program
def sharded_saver(rng):
    return saved(rng, v1.train.SaverDef.V2, sharded=True)


@program
def partitioned_saver(rng):
    return saved(rng, v1.train.SaverDef.V2, partitioned=True)


@program
def first_saver(rng):
    return saved(rng, v1.train.SaverDef.V1)


@program
def first_partitioned_saver(rng):
    return saved(rng, v1.train.SaverDef.V1, partitioned=True)


@program
def messages(rng):
    """Tensors that become bytes and tensors again; summaries."""
    x = placeholder([None, 3], "x")
    text = placeholder([], "text", tf.string)
    bytes_of = tf.raw_ops.SerializeTensor(tensor=x)
    again = tf.ensure_shape(tf.raw_ops.ParseTensor(serialized=bytes_of, out_type=tf.float32), [None, 3])
    parsed = tf.ensure_shape(tf.raw_ops.ParseTensor(serialized=text, out_type=tf.int32), [2, None])
    flat_ = tf.reshape(tf.raw_ops.ParseTensor(serialized=text, out_type=tf.int32), [-1])
    given = tf.io.serialize_tensor
    with tf.Graph().as_default(), v1.Session() as session:
        value = session.run(given(tf.constant([[1, 2, 300], [-4, 5, -6]], tf.int32)))
    return [("main", named(again=again, parsed=parsed, flat_=flat_, merged=v1.summary.merge([v1.summary.scalar("a", x[0, 0]), v1.summary.histogram("h", x)])),
             {"x": normal(rng, 4, 3), "text": value})]


# Comparison

def flat(name):
    return re.sub(r"[^A-Za-z0-9_]", "_", name.lstrip("^").removesuffix(":0"))


def expected(runs):
    with v1.Session() as session:
        return [[None if f.startswith("^") else np.asarray(value) for f, value in zip(fetches, session.run([f.lstrip("^") for f in fetches], {k + ":0": v for k, v in feeds.items()}))]
                for _, fetches, feeds in runs]


def differ(got, wanted):
    if got is None:
        return "missing"
    if got.shape != wanted.shape or (got.dtype != wanted.dtype and wanted.dtype.kind not in "OSU"):
        return f"{got.dtype}{list(got.shape)} for {wanted.dtype}{list(wanted.shape)}"
    if wanted.dtype.kind in "OSU":
        return None if [bytes(v) for v in got.ravel()] == [v if isinstance(v, bytes) else str(v).encode() for v in wanted.ravel()] else f"{got} for {wanted}"
    if wanted.dtype.kind != "f":
        return None if np.array_equal(got, wanted) else f"{got.tolist()} for {wanted.tolist()}"
    scale = np.max(np.abs(wanted), initial=1)
    return None if np.allclose(got, wanted, 2e-5, 4e-6 * scale, equal_nan=True) else f"off by {np.max(np.abs(got - wanted))}"


def build(name, args):
    graph = tf.Graph()
    with graph.as_default():
        runs = PROGRAMS[name](np.random.default_rng([args.seed, len(name)]))
        return graph.as_graph_def(), runs, expected(runs)


def entries_of(runs):
    entries = {}
    for entry, fetches, feeds in runs:
        entries.setdefault(entry, f"{entry}({', '.join(f'{flat(k)} = {k}:0' for k in feeds)}) -> " + ", ".join(f if f.startswith("^") else f"{flat(f)} = {f}" for f in fetches))
    return list(entries.values())


def pack(name, args):
    definition, runs, wanted = build(name, args)
    with zipfile.ZipFile(args.packs / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        def add(member, data):
            archive.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)

        def array(value):
            data = io.BytesIO()
            np.save(data, value)
            return data.getvalue()

        add("model.pb", definition.SerializeToString(deterministic=True))
        calls = []
        for n, ((entry, fetches, feeds), values) in enumerate(zip(runs, wanted)):
            for k, v in feeds.items():
                add(f"{n}-{flat(k)}.npy", array(np.asarray(v)))
            results = [flat(f) for f in fetches if not f.startswith("^")]
            calls.append({"entry": entry, "feeds": [flat(k) for k in feeds], "results": results})
            for f, v in zip(fetches, values):
                if v is not None:
                    add(f"want/{n}/{flat(f)}.npy", array(v))
        add("runs.json", json.dumps({"entries": entries_of(runs), "calls": calls}))


def check(name, args, folder):
    definition, runs, wanted = build(name, args)
    path = folder / f"{name}.pb"
    path.write_bytes(definition.SerializeToString())
    command = [args.tenon, "compile", str(path), "-o", str(folder / name), "--cpu", "native"]
    for text in entries_of(runs):
        command += ["--entry", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        return [f"compile: {done.stderr.strip()[:600]}"]
    command = [str(folder / name)]
    for n, (entry, _, feeds) in enumerate(runs):
        command += ["--run", entry]
        for k, v in feeds.items():
            file = folder / f"{name}-{n}-{flat(k)}.npy"
            np.save(file, np.array(v.encode() if isinstance(v, str) else v))
            command.append(f"{flat(k)}={file}")
    out = folder / f"{name}.npz"
    done = subprocess.run(command + ["-o", str(out)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        return [f"run: {done.stderr.strip()[:600]}"]
    got = np.load(out) if out.exists() else {}
    wrong = []
    for n, ((entry, fetches, _), values) in enumerate(zip(runs, wanted)):
        for f, value in zip(fetches, values):
            if value is None:
                continue
            key = next((k for k in (f"{n}/{flat(f)}", flat(f)) if k in got), None)
            reason = differ(got[key] if key else None, value)
            if reason:
                wrong.append(f"run {n} {entry} {f}: {reason}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--resource", action="store_true", help="variables are resources where a program does not say")
    parser.add_argument("--packs", type=pathlib.Path)
    args = parser.parse_args()
    v1.disable_eager_execution()
    v1.disable_control_flow_v2()
    if not args.resource:
        v1.disable_resource_variables()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="programs-") as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in PROGRAMS:
            if not re.search(args.only, name):
                continue
            if args.packs:
                pack(name, args)
                continue
            try:
                wrong = check(name, args, folder)
            except subprocess.TimeoutExpired as slow:
                wrong = [f"hangs: {slow.cmd[0]}"]
            except (tf.errors.OpError, ValueError, TypeError, KeyError) as error:
                wrong = [f"is no program: {error}"[:300]]
            failed += bool(wrong)
            print(f"{name}: {'ok' if not wrong else wrong[0] + (f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else '')}", flush=True)
    if failed:
        sys.exit(f"{failed} programs failed")


if __name__ == "__main__":
    main()
