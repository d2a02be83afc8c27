"""The models of backward.py and steps.py, written once for TensorFlow and JAX.

A model is a function of (ops, weights, inputs) that gives the loss; `ops` has
the few operations below for either framework, in any float type. Convolutions
are NHWC, weights are a flat list.
"""

import numpy as np


class TensorFlowOps:
    def __init__(self, tf):
        self.tf = tf
        self.relu, self.relu6, self.tanh, self.sigmoid = tf.nn.relu, tf.nn.relu6, tf.tanh, tf.sigmoid
        self.softmax, self.matmul, self.concat = tf.nn.softmax, tf.matmul, tf.concat
        self.reshape, self.split, self.transpose = tf.reshape, tf.split, tf.transpose
        self.mean, self.sum, self.square, self.rsqrt = tf.reduce_mean, tf.reduce_sum, tf.square, tf.math.rsqrt

    def zeros(self, shape, like):
        return self.tf.zeros(shape, like.dtype)

    def gelu(self, x):
        return self.tf.nn.gelu(x)

    def conv(self, x, w, stride=1, padding="SAME"):
        return self.tf.nn.conv2d(x, w, stride, padding)

    def depthwise(self, x, w, stride=1):
        return self.tf.nn.depthwise_conv2d(x, w, [1, stride, stride, 1], "SAME")

    def max_pool(self, x):
        return self.tf.nn.max_pool2d(x, 2, 2, "VALID")

    def batch_norm(self, x, scale, offset):
        if x.dtype == self.tf.float64:  # which the fused operation does not take
            mean, variance = self.tf.nn.moments(x, (0, 1, 2))
            return self.tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-3)
        return self.tf.compat.v1.nn.fused_batch_norm(x, scale, offset, epsilon=1e-3, is_training=True)[0]

    def cross_entropy(self, logits, labels):
        return self.mean(self.tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    def scan(self, cell, state, inputs):
        """The last state of cell(state, inputs[t]) over t."""
        tf = self.tf
        steps = inputs.shape[0]
        items = tf.TensorArray(inputs.dtype, size=steps).unstack(inputs)
        return tf.while_loop(lambda t, *_: t < steps, lambda t, *s: (t + 1, *cell(s, items.read(t))),
                             (tf.constant(0), *state), maximum_iterations=steps)[1:]


class JaxOps:
    def __init__(self, jax):
        from jax import lax, nn
        import jax.numpy as jnp
        self.lax, self.nn, self.jnp = lax, nn, jnp
        self.relu, self.relu6, self.tanh, self.sigmoid = nn.relu, nn.relu6, jnp.tanh, nn.sigmoid
        self.softmax, self.concat, self.reshape = nn.softmax, jnp.concatenate, jnp.reshape
        self.transpose, self.square, self.rsqrt = jnp.transpose, jnp.square, lax.rsqrt

    def matmul(self, a, b, transpose_b=False):
        return self.jnp.matmul(a, self.jnp.swapaxes(b, -1, -2) if transpose_b else b)

    def mean(self, x, axis=None, keepdims=False):
        return self.jnp.mean(x, axis=axis, keepdims=keepdims)

    def sum(self, x, axis=None, keepdims=False):
        return self.jnp.sum(x, axis=axis, keepdims=keepdims)

    def split(self, x, count, axis):
        return self.jnp.split(x, count, axis)

    def zeros(self, shape, like):
        return self.jnp.zeros(shape, like.dtype)

    def gelu(self, x):
        return self.nn.gelu(x, approximate=False)

    def conv(self, x, w, stride=1, padding="SAME", groups=1):
        return self.lax.conv_general_dilated(x, w, (stride, stride), padding, feature_group_count=groups,
                                             dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def depthwise(self, x, w, stride=1):
        return self.conv(x, w.reshape(*w.shape[:2], 1, -1), stride, groups=w.shape[2])

    def max_pool(self, x):
        return self.lax.reduce_window(x, -self.jnp.inf, self.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def batch_norm(self, x, scale, offset):
        mean = x.mean((0, 1, 2))
        variance = self.square(x - mean).mean((0, 1, 2))
        return (x - mean) * (self.rsqrt(variance + 1e-3) * scale) + offset

    def cross_entropy(self, logits, labels):
        logs = self.nn.log_softmax(logits)
        return -self.jnp.take_along_axis(logs, labels[:, None], 1).mean()

    def scan(self, cell, state, inputs):
        return self.lax.scan(lambda s, x: (cell(s, x), None), tuple(state), inputs)[0]


def normal(rng, shape, scale):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


class Weights:
    """Draws the weights of a model in the order in which it takes them."""

    def __init__(self, rng):
        self.rng, self.list = rng, []

    def matrix(self, rows, columns):
        self.list.append(normal(self.rng, (rows, columns), rows**-0.5))

    def filter(self, size, channels, columns):
        self.list.append(normal(self.rng, (size, size, channels, columns), (2 / (size * size * channels))**0.5))

    def depthwise(self, size, channels):
        self.list.append(normal(self.rng, (size, size, channels, 1), (2 / (size * size))**0.5))

    def vector(self, size, mean=0.0):
        self.list.append(mean + normal(self.rng, (size,), 0.1))

    def dense(self, rows, columns):
        self.matrix(rows, columns)
        self.vector(columns)

    def norm(self, size):
        self.vector(size, 1.0)
        self.vector(size)


def lenet(rng, batch):
    w = Weights(rng)
    w.filter(5, 1, 6), w.vector(6), w.filter(5, 6, 16), w.vector(16)
    w.dense(400, 120), w.dense(120, 84), w.dense(84, 10)
    inputs = [normal(rng, (batch, 28, 28, 1), 1), rng.integers(0, 10, batch).astype(np.int32)]

    def loss(ops, w, inputs):
        x, labels = inputs
        x = ops.max_pool(ops.relu(ops.conv(x, w[0]) + w[1]))
        x = ops.max_pool(ops.relu(ops.conv(x, w[2], padding="VALID") + w[3]))
        x = ops.reshape(x, (batch, 400))
        x = ops.relu(ops.matmul(x, w[4]) + w[5])
        x = ops.relu(ops.matmul(x, w[6]) + w[7])
        return ops.cross_entropy(ops.matmul(x, w[8]) + w[9], labels)

    return w.list, inputs, loss


BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def mobilenet_v2(rng, batch, size=224):
    """With batch norm in training mode."""
    w, strides, channels = Weights(rng), [], 32
    w.filter(3, 3, 32), w.norm(32)
    for expansion, columns, count, stride in BLOCKS:
        for i in range(count):
            inner = channels * expansion
            if expansion > 1:
                w.filter(1, channels, inner), w.norm(inner)
            w.depthwise(3, inner), w.norm(inner), w.filter(1, inner, columns), w.norm(columns)
            strides.append((expansion > 1, 1 if i else stride, i > 0))
            channels = columns
    w.filter(1, 320, 1280), w.norm(1280), w.dense(1280, 1000)
    inputs = [normal(rng, (batch, size, size, 3), 1), rng.integers(0, 1000, batch).astype(np.int32)]

    def loss(ops, weights, inputs):
        x, labels = inputs
        left = iter(weights)

        def conv(x, stride=1):
            return ops.batch_norm(ops.conv(x, next(left), stride), next(left), next(left))

        x = ops.relu6(conv(x, 2))
        for expands, stride, adds in strides:
            y = ops.relu6(conv(x)) if expands else x
            y = ops.relu6(ops.batch_norm(ops.depthwise(y, next(left), stride), next(left), next(left)))
            y = conv(y)
            x = x + y if adds else y
        x = ops.mean(ops.relu6(conv(x)), (1, 2))
        return ops.cross_entropy(ops.matmul(x, next(left)) + next(left), labels)

    return w.list, inputs, loss


def bert_block(rng, batch, length=128, width=768, heads=12, inner=3072):
    w = Weights(rng)
    for _ in range(4):
        w.dense(width, width)
    w.norm(width), w.dense(width, inner), w.dense(inner, width), w.norm(width)
    inputs = [normal(rng, (batch, length, width), 1), normal(rng, (batch, length, width), 1)]

    def loss(ops, w, inputs):
        x, target = inputs

        def dense(x, i):
            return ops.matmul(x, w[i]) + w[i + 1]

        def norm(x, i):
            centered = x - ops.mean(x, -1, keepdims=True)
            return centered * ops.rsqrt(ops.mean(ops.square(centered), -1, keepdims=True) + 1e-12) * w[i] + w[i + 1]

        def split(x):
            return ops.transpose(ops.reshape(x, (batch, length, heads, width // heads)), (0, 2, 1, 3))

        x = ops.reshape(x, (batch * length, width))
        q, k, v = (split(dense(x, i)) for i in (0, 2, 4))
        a = ops.matmul(ops.softmax(ops.matmul(q, k, transpose_b=True) * (width // heads)**-0.5, -1), v)
        a = ops.reshape(ops.transpose(a, (0, 2, 1, 3)), (batch * length, width))
        x = norm(x + dense(a, 6), 8)
        x = norm(x + dense(ops.gelu(dense(x, 10)), 12), 14)
        return ops.mean(ops.square(x - ops.reshape(target, (batch * length, width))))

    return w.list, inputs, loss


def lstm(rng, batch, steps=50, width=64, units=128, classes=10):
    w = Weights(rng)
    w.matrix(width, 4 * units), w.matrix(units, 4 * units), w.vector(4 * units), w.dense(units, classes)
    inputs = [normal(rng, (batch, steps, width), 1), rng.integers(0, classes, batch).astype(np.int32)]

    def loss(ops, w, inputs):
        x, labels = inputs

        def cell(state, x):
            h, c = state
            i, f, g, o = ops.split(ops.matmul(x, w[0]) + ops.matmul(h, w[1]) + w[2], 4, 1)
            c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
            return ops.sigmoid(o) * ops.tanh(c), c

        zero = ops.zeros((batch, units), x)
        h, _ = ops.scan(cell, (zero, zero), ops.transpose(x, (1, 0, 2)))
        return ops.cross_entropy(ops.matmul(h, w[3]) + w[4], labels)

    return w.list, inputs, loss


def mlp(rng, batch):
    w = Weights(rng)
    w.dense(784, 512), w.dense(512, 512), w.dense(512, 10)
    inputs = [normal(rng, (batch, 784), 1), rng.integers(0, 10, batch).astype(np.int32)]

    def loss(ops, w, inputs):
        x = ops.relu(ops.matmul(inputs[0], w[0]) + w[1])
        x = ops.relu(ops.matmul(x, w[2]) + w[3])
        return ops.cross_entropy(ops.matmul(x, w[4]) + w[5], inputs[1])

    return w.list, inputs, loss


def cnn(rng, batch):
    w = Weights(rng)
    for channels, columns in (3, 32), (32, 32), (32, 64), (64, 64):
        w.filter(3, channels, columns), w.vector(columns)
    w.dense(4096, 256), w.dense(256, 10)
    inputs = [normal(rng, (batch, 32, 32, 3), 1), rng.integers(0, 10, batch).astype(np.int32)]

    def loss(ops, w, inputs):
        x, labels = inputs
        for i in range(4):
            x = ops.relu(ops.conv(x, w[2 * i]) + w[2 * i + 1])
            x = ops.max_pool(x) if i % 2 else x
        x = ops.relu(ops.matmul(ops.reshape(x, (batch, 4096)), w[8]) + w[9])
        return ops.cross_entropy(ops.matmul(x, w[10]) + w[11], labels)

    return w.list, inputs, loss


def linreg(rng, batch):
    w = Weights(rng)
    w.dense(1, 1)
    x = normal(rng, (batch, 1), 1)

    def loss(ops, w, inputs):
        return ops.mean(ops.square(ops.matmul(inputs[0], w[0]) + w[1] - inputs[1]))

    return w.list, [x, 3 * x + 1], loss


# name: (model, batch)
MODELS = {
    "lenet": (lenet, 32),
    "mobilenet_v2": (mobilenet_v2, 32),
    "bert_block": (bert_block, 32),
    "lstm": (lstm, 32),
    "mlp": (mlp, 128),
    "cnn": (cnn, 128),
    "linreg": (linreg, 32),
}


def build(name, seed=1, **sizes):
    model, batch = MODELS[name]
    return model(np.random.default_rng(seed), sizes.pop("batch", batch), **sizes)
