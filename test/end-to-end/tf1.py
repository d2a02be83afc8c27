"""Graphs written against TensorFlow 1's API, frozen as its tools froze them."""

import json
import shutil

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
GRAPHS = {}


def graph(function):
    GRAPHS[function.__name__] = function
    return function


def _dense(x, units, name, activation=None):
    with v1.variable_scope(name):
        w = v1.get_variable("w", (int(x.shape[-1]), units), initializer=v1.truncated_normal_initializer(stddev=0.3))
        b = v1.get_variable("b", (units,), initializer=v1.random_uniform_initializer(-0.2, 0.2))
        y = v1.nn.xw_plus_b(x, w, b)
        return activation(y) if activation else y


def _conv(x, filters, size, name, strides=1, padding="SAME"):
    with v1.variable_scope(name):
        w = v1.get_variable("w", (size, size, int(x.shape[-1]), filters), initializer=v1.truncated_normal_initializer(stddev=0.2))
        b = v1.get_variable("b", (filters,), initializer=v1.random_uniform_initializer(-0.2, 0.2))
        return tf.nn.bias_add(tf.nn.conv2d(x, w, strides, padding), b)


@graph
def tf1_linear():
    x = v1.placeholder(tf.float32, (None, 3), "x")
    return [x], [tf.identity(_dense(x, 2, "fc"), "y")]


@graph
def tf1_mlp():
    x = v1.placeholder(tf.float32, (None, 20), "x")
    h = _dense(x, 30, "h1", tf.nn.relu)
    keep = v1.placeholder_with_default(1.0, (), "keep_prob")
    h = h * keep
    logits = _dense(h, 5, "out")
    return [x], [tf.nn.softmax(logits, name="probs"), tf.argmax(logits, 1, name="label")]


@graph
def tf1_lenet():
    x = v1.placeholder(tf.float32, (None, 784), "x")
    h = tf.reshape(x, (-1, 28, 28, 1))
    h = tf.nn.max_pool2d(tf.nn.relu(_conv(h, 8, 5, "c1")), 2, 2, "SAME")
    h = tf.nn.lrn(h, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75)
    h = tf.nn.max_pool2d(tf.nn.relu(_conv(h, 12, 5, "c2", padding="VALID")), 2, 2, "VALID")
    h = tf.reshape(h, (-1, 5 * 5 * 12))
    return [x], [tf.nn.softmax(_dense(_dense(h, 32, "f1", tf.nn.relu), 10, "f2"), name="probs")]


@graph
def tf1_batch_norm():
    x = v1.placeholder(tf.float32, (None, 9, 9, 4), "x")
    h = _conv(x, 6, 3, "c")
    scale = v1.get_variable("gamma", 6, initializer=v1.random_uniform_initializer(0.5, 1.5))
    shift = v1.get_variable("beta", 6, initializer=v1.random_uniform_initializer(-1, 1))
    mean = v1.get_variable("mean", 6, initializer=v1.random_uniform_initializer(-1, 1))
    variance = v1.get_variable("variance", 6, initializer=v1.random_uniform_initializer(0.5, 1.5))
    y, _, _ = v1.nn.fused_batch_norm(h, scale, shift, mean, variance, is_training=False)
    moments = tf.nn.moments(y, [1, 2])
    return [x], [tf.nn.relu6(y, name="y"), tf.identity(moments[1], "spread")]


@graph
def tf1_dynamic_rnn():
    """A while loop with TensorArrays and per-row lengths, in the Enter/Exit form."""
    x = v1.placeholder(tf.float32, (None, None, 4), "x")
    lengths = v1.placeholder(tf.int32, (None,), "lengths")
    w = v1.get_variable("w", (4 + 6, 6), initializer=v1.truncated_normal_initializer(stddev=0.4))
    steps, batch = tf.shape(x)[1], tf.shape(x)[0]
    source = tf.TensorArray(tf.float32, steps).unstack(tf.transpose(x, (1, 0, 2)))
    sink = tf.TensorArray(tf.float32, steps, element_shape=(None, 6))

    def step(t, h, sink):
        new = tf.tanh(tf.concat([source.read(t), h], 1) @ w)
        alive = tf.tile(tf.expand_dims(t < lengths, 1), (1, 6))
        new = tf.where(alive, new, h)
        return t + 1, new, sink.write(t, tf.where(alive, new, tf.zeros_like(new)))

    _, h, sink = v1.while_loop(lambda t, *_: t < steps, step, (0, tf.zeros((batch, 6)), sink))
    outputs = tf.transpose(sink.stack(), (1, 0, 2))
    return [x, lengths], [tf.identity(outputs, "outputs"), tf.identity(h, "state")]


@graph
def tf1_cond():
    x = v1.placeholder(tf.float32, (None, 5), "x")
    total = tf.reduce_sum(x)
    y = v1.cond(total > 0, lambda: x * 2.0, lambda: tf.exp(x) + v1.cond(total < -3, lambda: total, lambda: -total))
    return [x], [tf.identity(y, "y")]


@graph
def tf1_conv3d():
    x = v1.placeholder(tf.float32, (None, 6, 7, 8, 2), "x")
    w = v1.get_variable("w", (3, 3, 3, 2, 4), initializer=v1.truncated_normal_initializer(stddev=0.2))
    h = tf.nn.relu(tf.nn.conv3d(x, w, (1, 2, 2, 1, 1), "SAME"))
    return [x], [tf.nn.max_pool3d(h, 2, 2, "VALID", name="y")]


@graph
def tf1_sequence_ops():
    x = v1.placeholder(tf.float32, (None, 6), "x")
    top = tf.math.top_k(x, 3)
    y = tf.concat([tf.cumsum(x, 1), tf.reverse(x, [1]), tf.tile(x[:, 1:3], (1, 2))], 1)
    hot = tf.one_hot(tf.argmax(x, 1), 6)
    return [x], [tf.identity(top.values, "best"), tf.identity(top.indices, "where"), tf.identity(y, "y"),
                 tf.matmul(x, x, transpose_b=True, name="gram"), tf.identity(hot, "hot")]


@graph
def tf1_loop_gradients():
    """Stacks of loops: in branches of conditions, and across two loops."""
    x = v1.placeholder(tf.float32, (None, 3), "x")
    w = v1.get_variable("w", (3, 3), initializer=v1.truncated_normal_initializer(stddev=0.5))

    def inner(h):
        return v1.while_loop(lambda j, g: j < 3, lambda j, g: (j + 1, tf.sin(g @ w) + x), (0, h))[1]

    def step(i, h):
        return i + 1, v1.cond(tf.equal(i % 2, 0), lambda: h * tf.sigmoid(h), lambda: inner(h))

    h = v1.while_loop(lambda i, h: i < 4, step, (0, x))[1]
    dx, dw = tf.gradients(tf.reduce_sum(h * h), [x, w])
    return [x], [tf.identity(dx, "dx"), tf.identity(dw, "dw")]


@graph
def tf1_array_gradients():
    """Gradients of TensorArrays that loops read and write, of unknown batch and length."""
    x = v1.placeholder(tf.float32, (None, None, 4), "x")
    w = v1.get_variable("w", (4 + 3, 3), initializer=v1.truncated_normal_initializer(stddev=0.4))
    steps, batch = tf.shape(x)[1], tf.shape(x)[0]
    source = tf.TensorArray(tf.float32, steps).unstack(tf.transpose(x, (1, 0, 2)))
    sink = tf.TensorArray(tf.float32, steps, element_shape=(None, 3))

    def step(t, h, sink):
        new = tf.tanh(tf.concat([source.read(t), h], 1) @ w)
        return t + 1, new, sink.write(t, new * new)

    _, h, sink = v1.while_loop(lambda t, *_: t < steps, step, (0, tf.zeros((batch, 3)), sink))
    dx, dw = tf.gradients(tf.reduce_sum(sink.stack()) + tf.reduce_sum(h), [x, w])
    return [x], [tf.identity(dx, "dx"), tf.identity(dw, "dw")]


def _draw(placeholder, batch, rng):
    shape = [7 if d is None else d for d in placeholder.shape.as_list()]
    if placeholder.shape.rank and placeholder.shape[0] is None:
        shape[0] = batch
    if placeholder.dtype.is_integer:
        return rng.integers(1, 7, shape).astype(placeholder.dtype.as_numpy_dtype)
    return rng.standard_normal(shape).astype(placeholder.dtype.as_numpy_dtype)


def export(name, build, out, seed, batches=(1, 2, 5)):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    with tf.Graph().as_default() as g, v1.Session(graph=g) as session:
        # Names, not tensors, survive freezing; control flow stays in TensorFlow 1's form.
        v1.disable_control_flow_v2()
        v1.set_random_seed(5)
        inputs, outputs = build()
        session.run(v1.global_variables_initializer())
        names = [t.op.name for t in outputs]
        frozen = v1.graph_util.convert_variables_to_constants(session, g.as_graph_def(), names)
        (folder / "frozen_any.pb").write_bytes(frozen.SerializeToString(deterministic=True))
        (folder / "frozen_text.pbtxt").write_text(str(frozen))
        io = []
        for batch in batches:
            drawn = {t.op.name: _draw(t, batch, rng) for t in inputs}
            values = session.run([n + ":0" for n in names], {k + ":0": v for k, v in drawn.items()})
            np.savez(folder / f"b{batch}.in.npz", **drawn)
            np.savez(folder / f"b{batch}.out.npz", **{f"f32_{i}": v for i, v in enumerate(values)})
            io.append(f"b{batch}")
        saved = folder / "saved_v1"
        v1.saved_model.simple_save(session, str(saved), {t.op.name: t for t in inputs}, dict(zip(names, outputs)))
    same = {"inputs": {t.op.name: t.op.name for t in inputs}, "outputs": names, "io": io}
    artifacts = [{"form": f, "path": p, **same} for f, p in
                 [("frozen_any", "frozen_any.pb"), ("frozen_text", "frozen_text.pbtxt"), ("saved_v1", "saved_v1")]]
    (folder / "case.json").write_text(json.dumps({"kind": name, "small": True, "artifacts": artifacts}, indent=1))
