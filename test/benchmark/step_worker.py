#!/usr/bin/env python3
"""A peer of steps.py: step_worker.py PEER ROW FOLDER PRECISION

`export` writes FOLDER/model.keras, compiled with loss and optimizer, batch.npz,
one batch, data.npz, that batch many times, and reference.npz, the losses of the
first steps in float64. The others speak protocol.py and write the losses of
their first steps, over the same weights and batch, to FOLDER/<peer>.npz.
"""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

import models
import protocol

STEPS = 4  # that are compared
BATCHES = 20  # of data.npz
# model, optimizer; rates are Keras's defaults
ROWS = {"mlp_sgd": ("mlp", "sgd"), "mlp_adam": ("mlp", "adam"), "cnn_adam": ("cnn", "adam"),
        "lstm_adam": ("lstm", "adam"), "linreg_sgd": ("linreg", "sgd")}
ADAM = {"rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}
SGD_RATE = 0.01


def update(xp, optimizer, weights, slots, gradients, step):
    """New weights and slots, as Keras computes them. `step` counts from 1."""
    if optimizer == "sgd":
        return [w - SGD_RATE * g for w, g in zip(weights, gradients)], slots
    rate = ADAM["rate"] * xp.sqrt(1 - ADAM["beta2"]**step) / (1 - ADAM["beta1"]**step)
    next_weights, next_slots = [], []
    for w, g, (m, v) in zip(weights, gradients, slots):
        m = m + (g - m) * (1 - ADAM["beta1"])
        v = v + (g * g - v) * (1 - ADAM["beta2"])
        next_weights.append(w - rate * m / (xp.sqrt(v) + ADAM["epsilon"]))
        next_slots.append((m, v))
    return next_weights, next_slots


def zeros(xp, optimizer, weights):
    return [(xp.zeros_like(w), xp.zeros_like(w)) for w in weights] if optimizer == "adam" else []


def keras_model(name, optimizer, precision="f32"):
    import keras
    if precision == "bf16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    layers = keras.layers

    def conv(filters):
        return layers.Conv2D(filters, 3, padding="same", activation="relu")

    def last(units):
        return layers.Dense(units, dtype="float32")

    stack = {
        "mlp": lambda: [(784,), layers.Dense(512, "relu"), layers.Dense(512, "relu"), last(10)],
        "cnn": lambda: [(32, 32, 3), conv(32), conv(32), layers.MaxPool2D(), conv(64), conv(64), layers.MaxPool2D(),
                        layers.Flatten(), layers.Dense(256, "relu"), last(10)],
        "lstm": lambda: [(50, 64), layers.LSTM(128), last(10)],
        "linreg": lambda: [(1,), last(1)],
    }[name]()
    model = keras.Sequential([keras.Input(stack[0], name="x"), *stack[1:]])
    model.set_weights(models.build(name)[0])
    loss = "mse" if name == "linreg" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(SGD_RATE) if optimizer == "sgd" else
                  keras.optimizers.Adam(ADAM["rate"]), loss=loss)
    return model


def export(name, optimizer, folder):
    import tensorflow as tf
    weights, (x, y), loss = models.build(name)
    keras_model(name, optimizer).save(folder / "model.keras")
    np.savez(folder / "batch.npz", x=x, y=y)
    np.savez(folder / "data.npz", x=np.concatenate([x] * BATCHES), y=np.concatenate([y] * BATCHES))
    weights = [w.astype(np.float64) for w in weights]
    x, y = [v.astype(np.float64) if v.dtype == np.float32 else v for v in (x, y)]
    slots, losses = zeros(np, optimizer, weights), []
    for step in range(1, STEPS + 1):
        variables = [tf.constant(w) for w in weights]
        with tf.GradientTape() as tape:
            tape.watch(variables)
            value = loss(models.TensorFlowOps(tf), variables, [tf.constant(x), tf.constant(y)])
        losses.append(float(value))
        gradients = [g.numpy() for g in tape.gradient(value, variables)]
        weights, slots = update(np, optimizer, weights, slots, gradients, step)
    np.savez(folder / "reference.npz", losses=np.array(losses))


def jax(name, optimizer, folder, precision):
    import jax
    import jax.numpy as jnp
    weights, inputs, loss = models.build(name)
    ops = models.JaxOps(jax)
    narrow = jnp.bfloat16 if precision == "bf16" else jnp.float32

    def value(weights, inputs):
        if precision == "bf16":
            weights, inputs = jax.tree.map(lambda v: v.astype(narrow) if v.dtype == jnp.float32 else v,
                                           (weights, inputs))
        return loss(ops, weights, inputs).astype(jnp.float32)

    def step(weights, slots, count, inputs):
        result, gradients = jax.value_and_grad(value)(weights, inputs)
        weights, slots = update(jnp, optimizer, weights, slots, gradients, count)
        return result, weights, slots, count + 1

    weights = [jnp.asarray(w) for w in weights]
    state = [weights, zeros(jnp, optimizer, weights), jnp.float32(1)]
    inputs = [jnp.asarray(v) for v in inputs]
    compiled = jax.jit(step, donate_argnums=(0, 1, 2)).lower(*state, inputs).compile()

    def call():
        result, *state[:] = compiled(*state, inputs)
        return jax.block_until_ready(result)

    return call


def tensorflow(name, optimizer, folder, precision, jit=True):
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras_model(name, optimizer, precision)
    x, y = [tf.constant(v) for v in models.build(name)[1]]
    model.optimizer.build(model.trainable_variables)
    loss = model.loss if callable(model.loss) else tf.keras.losses.MeanSquaredError()

    @tf.function(jit_compile=jit)
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        model.optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
        return value

    return lambda: step(x, y).numpy()


def tensorflow_graph(name, optimizer, folder, precision):
    return tensorflow(name, optimizer, folder, precision, jit=False)


def keras(name, optimizer, folder, precision):
    """A call is an epoch."""
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras_model(name, optimizer, precision)
    batch, data = [np.load(folder / f"{kind}.npz") for kind in ("batch", "data")]
    x, y, rows = data["x"], data["y"], len(batch["x"])

    def first():
        model.reset_metrics()
        return model.train_on_batch(batch["x"], batch["y"])

    def epoch():
        model.fit(x, y, batch_size=rows, verbose=0, shuffle=False)

    epoch.first, epoch.steps = first, BATCHES
    return epoch


def torch(name, optimizer, folder, precision, compiles=False):
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(1)
    values, (x, y), _ = models.build(name)
    weights = [torch.nn.Parameter(torch.from_numpy(w.copy())) for w in values]
    nn = torch.nn

    def transposed(module, w, b):
        module.weight.data, module.bias.data = torch.from_numpy(np.ascontiguousarray(w.T)), torch.from_numpy(b)
        return module

    def dense(i):
        return transposed(nn.Linear(*values[i].shape), values[i], values[i + 1])

    def conv(i):
        module = nn.Conv2d(values[i].shape[2], values[i].shape[3], 3, padding=1)
        module.weight.data = torch.from_numpy(np.ascontiguousarray(values[i].transpose(3, 2, 0, 1)))
        module.bias.data = torch.from_numpy(values[i + 1])
        return module

    class Flat(nn.Module):
        """Rows of height, width, channels, as the weights behind them expect."""

        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.dense = nn.LSTM(64, 128, batch_first=True), dense(3)
            for parameter, value in ((self.cell.weight_ih_l0, values[0].T), (self.cell.weight_hh_l0, values[1].T),
                                     (self.cell.bias_ih_l0, values[2])):
                parameter.data = torch.from_numpy(np.ascontiguousarray(value))
            # Has no counterpart: fixed, so that the same weights are trained.
            self.cell.bias_hh_l0.data.zero_()
            self.cell.bias_hh_l0.requires_grad = False

        def forward(self, x):
            return self.dense(self.cell(x)[0][:, -1])

    relu, pool = nn.ReLU(), nn.MaxPool2d(2)
    module = {"mlp": lambda: nn.Sequential(dense(0), relu, dense(2), relu, dense(4)),
              "cnn": lambda: nn.Sequential(conv(0), relu, conv(2), relu, pool, conv(4), relu, conv(6), relu, pool,
                                           Flat(), dense(8), relu, dense(10)),
              "lstm": Lstm, "linreg": lambda: dense(0)}[name]()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    y = y if name == "linreg" else y.long()
    if name == "cnn":
        module = module.to(memory_format=torch.channels_last)
        x = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    parameters = [p for p in module.parameters() if p.requires_grad]
    stepper = (torch.optim.SGD(parameters, SGD_RATE, fused=not compiles) if optimizer == "sgd" else
               torch.optim.Adam(parameters, ADAM["rate"], eps=ADAM["epsilon"], fused=not compiles))

    def loss(x, y):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            result = module(x).float()
        return F.mse_loss(result, y) if name == "linreg" else F.cross_entropy(result, y)

    advance = stepper.step
    if compiles:
        import torch._inductor.config as config
        config.compile_threads = 1
        loss, advance = torch.compile(loss), torch.compile(lambda: stepper.step())

    def call():
        value = loss(x, y)
        value.backward()
        advance()
        stepper.zero_grad(set_to_none=True)
        return value.detach()

    return call


def torch_compile(name, optimizer, folder, precision):
    return torch(name, optimizer, folder, precision, compiles=True)


def main():
    peer, row, folder, precision = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4]
    if peer == "export":
        for name in row.split(","):
            (folder / name).mkdir(parents=True, exist_ok=True)
            export(*ROWS[name], folder / name)
        return

    def prepare():
        call = globals()[peer](*ROWS[row], folder, precision)
        first = getattr(call, "first", call)
        np.savez(folder / f"{peer}.npz", losses=np.array([float(first()) for _ in range(STEPS)]))
        call()
        return call, {"steps": getattr(call, "steps", 1)}

    protocol.serve(prepare)


if __name__ == "__main__":
    main()
