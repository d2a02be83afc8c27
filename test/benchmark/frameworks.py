"""The operations of inference.py in each framework, so that a model is written
once and all run the same one with the same weights.

Each class takes weights as NumPy arrays (filters are [height, width, channels of
a group, channels out]) and picks its own layouts: images are NHWC for
TensorFlow and JAX, NCHW for ONNX and PyTorch. `image` says which it wants of an
NHWC array.
"""

import numpy as np


def gates(weights, order):
    """Columns of an LSTM's weights, input, forget, cell, output, in another order."""
    parts = np.split(weights, 4, -1)
    return np.concatenate([parts["ifco".index(gate)] for gate in order], -1)


def padding_of(filters, dilation, pads):
    """On each side, so that windows are centred on each element."""
    return (filters.shape[0] - 1) // 2 * dilation if pads else 0


class TensorFlow:
    def __init__(self, dtype="float32"):
        import tensorflow as tf
        self.tf, self.dtype = tf, dtype
        self.relu, self.relu6, self.sigmoid, self.softmax = tf.nn.relu, tf.nn.relu6, tf.sigmoid, tf.nn.softmax
        self.add, self.mul, self.reshape, self.transpose = tf.add, tf.multiply, tf.reshape, tf.transpose

    def image(self, x):
        return x

    def weight(self, w):
        return self.tf.constant(w.astype(self.dtype))

    def dense(self, x, w, b=None):
        y = self.tf.matmul(x, self.weight(w))
        return y if b is None else y + self.weight(b)

    def matmul(self, a, b, transpose_b=False):
        return self.tf.matmul(a, b, transpose_b=transpose_b)

    def conv(self, x, w, b, stride=1, groups=1, dilation=1, pads=True):
        tf, pad = self.tf, padding_of(w, dilation, pads)
        depthwise = w.shape[2] == 1 and groups == w.shape[3] and groups > 1
        if stride > 1 and pad:
            x = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        padding = "VALID" if stride > 1 or not pads else "SAME"
        if depthwise:
            w = np.transpose(w, (0, 1, 3, 2))
            y = tf.nn.depthwise_conv2d(x, self.weight(w), [1, stride, stride, 1], padding, dilations=[dilation] * 2)
        else:
            y = tf.nn.conv2d(x, self.weight(w), stride, padding, dilations=dilation)
        return tf.nn.bias_add(y, self.weight(b))

    def max_pool(self, x, size, stride, pad=0):
        if pad:  # of values that are not negative
            x = self.tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        return self.tf.nn.max_pool2d(x, size, stride, "VALID")

    def spatial_mean(self, x, keep=False):
        return self.tf.reduce_mean(x, [1, 2], keepdims=keep)

    def scale_channels(self, x, factor):
        return x * factor

    def gelu(self, x, approximate=False):
        return self.tf.nn.gelu(x, approximate=approximate)

    def layer_norm(self, x, scale, offset, epsilon):
        mean, variance = self.tf.nn.moments(x, -1, keepdims=True)
        return (x - mean) * self.tf.math.rsqrt(variance + epsilon) * self.weight(scale) + self.weight(offset)

    def attention(self, q, k, v, scale):
        return self.matmul(self.softmax(self.matmul(q, k, transpose_b=True) * scale), v)

    def split(self, x, count):
        return self.tf.split(x, count, -1)

    def concat(self, values, axis):
        return self.tf.concat(values, axis)

    def sum(self, x, axis):
        return self.tf.reduce_sum(x, axis)

    def lstm(self, x, w, u, b):
        """[batch, steps, width] to [batch, steps, units], as Keras does it."""
        tf = self.tf
        steps, units = x.shape[1], u.shape[0]
        w, u, b = self.weight(w), self.weight(u), self.weight(b)
        items = tf.TensorArray(x.dtype, size=steps).unstack(tf.transpose(x, (1, 0, 2)))
        zero = tf.zeros((x.shape[0], units), x.dtype)

        def step(t, h, c, out):
            i, f, g, o = tf.split(tf.matmul(items.read(t), w) + tf.matmul(h, u) + b, 4, 1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            return t + 1, h, c, out.write(t, h)

        out = tf.TensorArray(x.dtype, size=steps, element_shape=zero.shape)
        out = tf.while_loop(lambda t, *_: t < steps, step, (tf.constant(0), zero, zero, out))[3]
        return tf.ensure_shape(tf.transpose(out.stack(), (1, 0, 2)), (x.shape[0], steps, units))


class Jax:
    """Weights are arguments of the compiled function: `weights` collects them
    while a model is traced once, and gives them back in the same order."""

    def __init__(self):
        import jax
        import jax.numpy as jnp
        from jax import lax, nn
        self.jax, self.jnp, self.lax, self.nn = jax, jnp, lax, nn
        self.relu, self.relu6, self.sigmoid, self.softmax = nn.relu, nn.relu6, nn.sigmoid, nn.softmax
        self.add, self.mul, self.reshape, self.transpose = jnp.add, jnp.multiply, jnp.reshape, jnp.transpose
        self.weights, self.given = [], None

    def image(self, x):
        return x

    def weight(self, w):
        if self.given is not None:
            return next(self.given)
        self.weights.append(w)
        return self.jnp.asarray(w)

    def dense(self, x, w, b=None):
        y = x @ self.weight(w)
        return y if b is None else y + self.weight(b)

    def matmul(self, a, b, transpose_b=False):
        return a @ (self.jnp.swapaxes(b, -1, -2) if transpose_b else b)

    def conv(self, x, w, b, stride=1, groups=1, dilation=1, pads=True):
        pad = padding_of(w, dilation, pads)
        return self.lax.conv_general_dilated(
            x, self.weight(w), (stride, stride), [(pad, pad)] * 2, rhs_dilation=(dilation, dilation),
            feature_group_count=groups, dimension_numbers=("NHWC", "HWIO", "NHWC")) + self.weight(b)

    def max_pool(self, x, size, stride, pad=0):
        return self.lax.reduce_window(x, -self.jnp.inf, self.lax.max, (1, size, size, 1), (1, stride, stride, 1),
                                      ((0, 0), (pad, pad), (pad, pad), (0, 0)))

    def spatial_mean(self, x, keep=False):
        return x.mean((1, 2), keepdims=keep)

    def scale_channels(self, x, factor):
        return x * factor

    def gelu(self, x, approximate=False):
        return self.nn.gelu(x, approximate=approximate)

    def layer_norm(self, x, scale, offset, epsilon):
        mean = x.mean(-1, keepdims=True)
        variance = self.jnp.square(x - mean).mean(-1, keepdims=True)
        return (x - mean) * self.lax.rsqrt(variance + epsilon) * self.weight(scale) + self.weight(offset)

    def attention(self, q, k, v, scale):
        return self.softmax(self.matmul(q, k, transpose_b=True) * scale) @ v

    def split(self, x, count):
        return self.jnp.split(x, count, -1)

    def concat(self, values, axis):
        return self.jnp.concatenate(values, axis)

    def sum(self, x, axis):
        return x.sum(axis)

    def lstm(self, x, w, u, b):
        units, u_ = u.shape[0], self.weight(u)
        projected = self.jnp.swapaxes(x @ self.weight(w) + self.weight(b), 0, 1)

        def cell(state, z):
            h, c = state
            i, f, g, o = self.jnp.split(z + h @ u_, 4, -1)
            c = self.sigmoid(f) * c + self.sigmoid(i) * self.jnp.tanh(g)
            h = self.sigmoid(o) * self.jnp.tanh(c)
            return (h, c), h

        zero = self.jnp.zeros((x.shape[0], units), x.dtype)
        return self.jnp.swapaxes(self.lax.scan(cell, (zero, zero), projected)[1], 0, 1)


class Onnx:
    """Writes a model; values are names. `shape` knows their sizes where it must."""

    def __init__(self):
        import onnx
        self.onnx, self.nodes, self.constants, self.count = onnx, [], [], 0

    def image(self, x):
        return np.ascontiguousarray(np.transpose(x, (0, 3, 1, 2)))

    def node(self, kind, inputs, outputs=1, **attributes):
        names = [f"v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def weight(self, w):
        name = f"w{len(self.constants)}"
        w = np.ascontiguousarray(w, np.int64 if np.asarray(w).dtype.kind == "i" else np.float32)
        self.constants.append(self.onnx.numpy_helper.from_array(w, name))
        return name

    def scalar(self, value):
        return self.weight(np.float32(value))

    def relu(self, x):
        return self.node("Relu", [x])

    def relu6(self, x):
        return self.node("Clip", [x, self.scalar(0), self.scalar(6)])

    def sigmoid(self, x):
        return self.node("Sigmoid", [x])

    def softmax(self, x):
        return self.node("Softmax", [x], axis=-1)

    def add(self, a, b):
        return self.node("Add", [a, b])

    def mul(self, a, b):
        return self.node("Mul", [a, self.scalar(b) if isinstance(b, float) else b])

    def reshape(self, x, shape):
        return self.node("Reshape", [x, self.weight(np.array(shape))])

    def transpose(self, x, order):
        return self.node("Transpose", [x], perm=order)

    def dense(self, x, w, b=None):
        y = self.node("MatMul", [x, self.weight(w)])
        return y if b is None else self.add(y, self.weight(b))

    def matmul(self, a, b, transpose_b=False):
        return self.node("MatMul", [a, self.swap_last(b) if transpose_b else b])

    def swap_last(self, x):
        return self.transpose(x, self.attention_order)

    attention_order = (0, 2, 1)

    def conv(self, x, w, b, stride=1, groups=1, dilation=1, pads=True):
        pad = padding_of(w, dilation, pads)
        return self.node("Conv", [x, self.weight(np.transpose(w, (3, 2, 0, 1))), self.weight(b)], group=groups,
                         kernel_shape=w.shape[:2], strides=[stride] * 2, pads=[pad] * 4, dilations=[dilation] * 2)

    def max_pool(self, x, size, stride, pad=0):
        return self.node("MaxPool", [x], kernel_shape=[size] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def spatial_mean(self, x, keep=False):
        y = self.node("GlobalAveragePool", [x])
        return y if keep else self.node("Flatten", [y])

    def scale_channels(self, x, factor):
        return self.mul(x, factor)

    def gelu(self, x, approximate=False):
        if approximate:
            cube = self.mul(self.mul(x, x), x)
            inner = self.mul(self.add(x, self.mul(cube, 0.044715)), (2 / np.pi)**0.5)
            return self.mul(self.mul(x, self.add(self.node("Tanh", [inner]), self.scalar(1))), 0.5)
        inner = self.node("Erf", [self.node("Div", [x, self.scalar(2**0.5)])])
        return self.mul(self.mul(x, self.add(inner, self.scalar(1))), 0.5)

    def layer_norm(self, x, scale, offset, epsilon):
        return self.node("LayerNormalization", [x, self.weight(scale), self.weight(offset)], axis=-1, epsilon=epsilon)

    def attention(self, q, k, v, scale):
        return self.matmul(self.softmax(self.mul(self.matmul(q, k, transpose_b=True), scale)), v)

    def split(self, x, count):
        return self.node("Split", [x], count, axis=-1, num_outputs=count)

    def concat(self, values, axis):
        return self.node("Concat", values, axis=axis)

    def sum(self, x, axis):
        return self.node("ReduceSum", [x, self.weight(np.array([axis]))], keepdims=0)

    def lstm(self, x, w, u, b):
        def arranged(weights):
            return gates(weights, "iofc").T[None]

        bias = np.concatenate([gates(b, "iofc"), np.zeros_like(b)])[None]
        y = self.node("LSTM", [self.transpose(x, (1, 0, 2)), self.weight(arranged(w)), self.weight(arranged(u)),
                               self.weight(bias)], hidden_size=u.shape[0])
        return self.transpose(self.node("Squeeze", [y, self.weight(np.array([1]))]), (1, 0, 2))

    def save(self, path, inputs, outputs, shapes):
        """`outputs`: names of results; `shapes`: of inputs and results, by name."""
        helper, kind = self.onnx.helper, self.onnx.TensorProto.FLOAT
        names = [f"y{i}" for i in range(len(outputs))]
        for name, value in zip(names, outputs):
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(self.nodes, "race", *[
            [helper.make_tensor_value_info(name, kind, shapes[name]) for name in side] for side in (inputs, names)
        ], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        self.onnx.save(model, path)


class Torch:
    """Weights become parameters of `module`, in channels-last order for filters."""

    def __init__(self):
        import torch
        import torch.nn.functional as functional
        self.torch, self.f = torch, functional
        self.relu, self.relu6, self.sigmoid = functional.relu, functional.relu6, torch.sigmoid
        self.add, self.mul, self.reshape = torch.add, torch.mul, torch.reshape
        self.weights, self.given = [], None

    def image(self, x):
        return self.torch.from_numpy(np.ascontiguousarray(np.transpose(x, (0, 3, 1, 2)))).contiguous(
            memory_format=self.torch.channels_last)

    def weight(self, w):
        if self.given is not None:
            return next(self.given)
        value = self.torch.from_numpy(np.ascontiguousarray(w, np.float32))
        if w.ndim == 4:
            value = value.contiguous(memory_format=self.torch.channels_last)
        self.weights.append(self.torch.nn.Parameter(value, requires_grad=False))
        return self.weights[-1]

    def softmax(self, x):
        return self.f.softmax(x, -1)

    def transpose(self, x, order):
        return x.permute(*order).contiguous()

    def dense(self, x, w, b=None):
        return self.f.linear(x, self.weight(w.T), None if b is None else self.weight(b))

    def matmul(self, a, b, transpose_b=False):
        return a @ (b.transpose(-1, -2) if transpose_b else b)

    def conv(self, x, w, b, stride=1, groups=1, dilation=1, pads=True):
        return self.f.conv2d(x, self.weight(np.transpose(w, (3, 2, 0, 1))), self.weight(b), stride,
                             padding_of(w, dilation, pads), dilation, groups)

    def max_pool(self, x, size, stride, pad=0):
        return self.f.max_pool2d(x, size, stride, pad)

    def spatial_mean(self, x, keep=False):
        return x.mean((2, 3), keepdim=keep)

    def scale_channels(self, x, factor):
        return x * factor

    def gelu(self, x, approximate=False):
        return self.f.gelu(x, approximate="tanh" if approximate else "none")

    def layer_norm(self, x, scale, offset, epsilon):
        return self.f.layer_norm(x, scale.shape, self.weight(scale), self.weight(offset), epsilon)

    def attention(self, q, k, v, scale):
        return self.f.scaled_dot_product_attention(q[None], k[None], v[None], scale=scale)[0]

    def split(self, x, count):
        return self.torch.chunk(x, count, -1)

    def concat(self, values, axis):
        return self.torch.cat(list(values), axis)

    def sum(self, x, axis):
        return x.sum(axis)

    def lstm(self, x, w, u, b):
        # The functional form of nn.LSTM.
        weights = [self.weight(gates(w, "ifco").T), self.weight(gates(u, "ifco").T), self.weight(b),
                   self.weight(np.zeros_like(b))]
        zero = x.new_zeros(1, x.shape[0], u.shape[0])
        return self.torch._VF.lstm(x, (zero, zero), weights, True, 1, 0.0, False, False, True)[0]
