#!/usr/bin/env python3
"""Draws models, losses, optimizers and options by a seed, and lets Keras train them for three epochs.

    draw.py FOLDER [--seed N] [--count N]

FOLDER/drawn-N.zip is what run.py follows: whole models with their compile settings, data, weights of samples and
classes, data to validate on; beside losses and metrics the final weights are compared. Needs TensorFlow and Keras 3.
"""

import argparse
import io
import json
import os
import pathlib
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np

L, K = keras.layers, keras
EPOCHS = 3


# Each gives the inputs (name, shape, number of words or None) and the last tensor before the head.

def mlp(r):
    x = K.Input((int(r.integers(3, 14)),), name="x")
    h = x
    for _ in range(r.integers(1, 4)):
        h = L.Dense(int(r.integers(4, 20)), activation=str(r.choice(["tanh", "relu", "elu", "gelu", "selu", "silu", "softplus", "leaky_relu", "mish"])),
                    kernel_regularizer=r.choice([None, None, "l2"]))(h)
    return [x], h


def conv1d(r):
    x = K.Input((int(r.integers(9, 16)), int(r.integers(1, 5))), name="x")
    h = L.Conv1D(int(r.integers(3, 9)), int(r.integers(2, 4)), strides=int(r.integers(1, 3)), padding=str(r.choice(["same", "valid", "causal"])), activation="relu")(x)
    h = L.Conv1D(5, 3, dilation_rate=2, padding="same", activation="tanh")(h)
    return [x], r.choice([L.GlobalAveragePooling1D, L.GlobalMaxPooling1D, L.Flatten])()(h)


def conv2d(r):
    x = K.Input((9, 8, int(r.integers(1, 4))), name="x")
    h = L.Conv2D(int(r.integers(3, 8)), 3, padding=str(r.choice(["same", "valid"])), use_bias=False)(x)
    h = L.BatchNormalization(momentum=0.8)(h)
    h = L.Activation(str(r.choice(["relu", "relu6", "hard_swish"])))(h)
    h = r.choice([L.MaxPooling2D, L.AveragePooling2D])(2)(h)
    h = L.Conv2D(6, 2, strides=2, groups=1, activation="elu")(h)
    return [x], L.Flatten()(h)


def mobile(r):
    x = K.Input((8, 8, 4), name="x")
    h = L.DepthwiseConv2D(3, padding="same", depth_multiplier=int(r.integers(1, 3)))(x)
    h = L.LayerNormalization()(h)
    h = L.SeparableConv2D(6, 3, activation="relu")(h)
    h = L.ZeroPadding2D(1)(h)
    h = L.Conv2DTranspose(4, 3, strides=2, activation="tanh")(h)
    return [x], L.GlobalAveragePooling2D()(h)


def conv3d(r):
    x = K.Input((5, 5, 5, 2), name="x")
    h = L.Conv3D(4, 2, activation="relu")(x)
    h = L.AveragePooling3D(2)(h)
    return [x], L.Flatten()(h)


def recurrent(r):
    x = K.Input((int(r.integers(3, 8)), int(r.integers(2, 6))), name="x")
    h = x
    for last in (False, True):
        kind = str(r.choice(["LSTM", "GRU", "SimpleRNN"]))
        more = {"use_cudnn": False} if kind != "SimpleRNN" else {}
        if kind == "GRU":
            more["reset_after"] = bool(r.integers(2))
        both = r.integers(2)
        if not both:
            more["go_backwards"] = bool(r.integers(2))
        layer = getattr(L, kind)(int(r.integers(3, 9)), return_sequences=not last, **more)
        h = L.Bidirectional(layer, merge_mode=str(r.choice(["concat", "sum", "mul", "ave"])))(h) if both else layer(h)
    return [x], h


def words(r):
    x = K.Input((8,), name="x", dtype="int32")
    h = L.Embedding(11, int(r.integers(3, 8)), mask_zero=bool(r.integers(2)))(x)
    kind = r.integers(3)
    if kind == 0:
        h = L.GRU(6, use_cudnn=False)(h)
    elif kind == 1:
        h = L.GlobalAveragePooling1D()(h)
    else:
        h = L.Bidirectional(L.LSTM(4, use_cudnn=False))(h)
    return [x], h


def transformer(r):
    x = K.Input((6, 8), name="x")
    h = L.LayerNormalization(epsilon=1e-5)(x)
    if r.integers(2):
        h = x + L.MultiHeadAttention(int(r.integers(1, 4)), int(r.integers(2, 6)))(h, h, use_causal_mask=bool(r.integers(2)))
    else:
        h = x + L.GroupQueryAttention(4, 4, 2)(h, h)
    g = L.RMSNormalization()(h) if r.integers(2) else L.LayerNormalization()(h)
    h = h + L.Dense(8)(L.Dense(16, activation="gelu")(g))
    return [x], L.GlobalAveragePooling1D()(h)


def attends(r):
    q, v = K.Input((4, 5), name="query"), K.Input((6, 5), name="value")
    h = r.choice([L.Attention, L.AdditiveAttention])(**({"use_scale": True} if r.integers(2) else {}))([q, L.Dense(5)(v)])
    return [q, v], L.Flatten()(h)


def two_inputs(r):
    x, z = K.Input((6,), name="x"), K.Input((4,), name="z", dtype="int32")
    e = L.Flatten()(L.Embedding(7, 3)(z))
    d = L.Dense(12, activation="tanh")(x)
    merge = r.integers(3)
    if merge == 0:
        h = L.Concatenate()([d, e])
    elif merge == 1:
        h = L.Multiply()([d, e])
    else:
        h = L.Add()([d, e])
    return [x, z], h


def nested(r):
    inner = K.Sequential([K.Input((6,)), L.Dense(8, activation="relu"), L.BatchNormalization(), L.Dense(5)], name="inner")
    deeper = K.Sequential([K.Input((6,)), inner, L.Dense(4, activation="tanh")], name="deeper")
    x = K.Input((6,), name="x")
    shared = L.Dense(6, activation="tanh", name="shared")
    h = shared(shared(x))
    return [x], L.Concatenate()([inner(h), deeper(x)])


def distributed(r):
    x = K.Input((4, 6, 6, 1), name="x")
    h = L.TimeDistributed(L.Conv2D(3, 3, activation="relu"))(x)
    h = L.TimeDistributed(L.Flatten())(h)
    return [x], L.SimpleRNN(5)(h)


def norms(r):
    x = K.Input((7, 6), name="x")
    h = L.Conv1D(8, 2, activation="tanh")(x)
    h = r.choice([lambda: L.GroupNormalization(4), lambda: L.UnitNormalization(), lambda: L.BatchNormalization(center=False), lambda: L.RMSNormalization()])()(h)
    h = L.PReLU(shared_axes=[1])(h)
    return [x], L.Flatten()(L.Permute((2, 1))(h))


def conv_lstm(r):
    x = K.Input((3, 5, 5, 2), name="x")
    return [x], L.Flatten()(L.ConvLSTM2D(3, 2)(x))


def mixture(r):
    x = K.Input((8,), name="x")
    gate = L.Dense(3, activation="softmax")(x)
    experts = [L.Dense(6, activation="relu")(x) for _ in range(3)]
    parts = [e * gate[:, i:i + 1] for i, e in enumerate(experts)]
    return [x], L.LayerNormalization()(L.Average()(parts) if r.integers(2) else L.Add()(parts))


BODIES = [mlp, mlp, conv1d, conv2d, mobile, conv3d, recurrent, recurrent, words, transformer, transformer, attends, two_inputs,
          nested, distributed, norms, conv_lstm, mixture]

LOSSES = {
    "classes": [("softmax", lambda r: "sparse_categorical_crossentropy"),
                (None, lambda r: K.losses.SparseCategoricalCrossentropy(from_logits=True))],
    "one_hot": [("softmax", lambda r: K.losses.CategoricalCrossentropy(label_smoothing=float(r.choice([0, 0.1])))),
                (None, lambda r: K.losses.CategoricalCrossentropy(from_logits=True)),
                ("softmax", lambda r: K.losses.CategoricalFocalCrossentropy(alpha=0.3, gamma=1.5)),
                ("softmax", lambda r: "kl_divergence"), ("softmax", lambda r: K.losses.CategoricalFocalCrossentropy()),
                ("linear", lambda r: "categorical_hinge"), ("softmax", lambda r: K.losses.Dice())],
    "binary": [("sigmoid", lambda r: K.losses.BinaryCrossentropy(label_smoothing=float(r.choice([0, 0.2])))),
               (None, lambda r: K.losses.BinaryCrossentropy(from_logits=True)),
               ("sigmoid", lambda r: K.losses.BinaryFocalCrossentropy(gamma=2.5)), ("tanh", lambda r: "hinge"),
               ("tanh", lambda r: "squared_hinge"), ("sigmoid", lambda r: K.losses.Tversky(alpha=0.3, beta=0.7))],
    "numbers": [(None, lambda r: "mse"), (None, lambda r: "mae"), (None, lambda r: K.losses.Huber()),
                (None, lambda r: "log_cosh"), (None, lambda r: K.losses.CosineSimilarity(axis=-1)),
                (None, lambda r: K.losses.MeanSquaredError(reduction="sum"))],
    "positive": [("softplus", lambda r: "poisson"), ("softplus", lambda r: "mean_squared_logarithmic_error"),
                 ("exponential", lambda r: "mean_absolute_percentage_error")],
}
METRICS = {
    "classes": lambda: ["accuracy", K.metrics.SparseTopKCategoricalAccuracy(k=2), "sparse_categorical_crossentropy"],
    "one_hot": lambda: ["accuracy", K.metrics.TopKCategoricalAccuracy(k=2), K.metrics.AUC(multi_label=False), K.metrics.OneHotMeanIoU(5), K.metrics.F1Score(average="macro")],
    "binary": lambda: ["accuracy", K.metrics.BinaryIoU(threshold=0.4), K.metrics.Precision(thresholds=0.3), K.metrics.Recall(), "mse"],
    "numbers": lambda: ["mae", K.metrics.RootMeanSquaredError(), K.metrics.R2Score(), K.metrics.LogCoshError()],
    "positive": lambda: ["mape", "mse"],
}


def rate(r, base):
    S = K.optimizers.schedules
    kind = r.integers(9)
    if kind == 0:
        return S.ExponentialDecay(base, 4, 0.9, staircase=bool(r.integers(2)))
    if kind == 1:
        return S.CosineDecay(base, 9, alpha=0.1)
    if kind == 2:
        return S.CosineDecay(base / 5, 7, warmup_target=base, warmup_steps=4)
    if kind == 3:
        return S.PolynomialDecay(base, 7, base / 9, power=float(r.choice([0.5, 1, 2])), cycle=bool(r.integers(2)))
    if kind == 4:
        return S.PiecewiseConstantDecay([3, 8], [base, base / 2, base / 4])
    if kind == 5:
        return r.choice([lambda: S.InverseTimeDecay(base, 3, 0.4), lambda: S.CosineDecayRestarts(base, 4, t_mul=1.5, m_mul=0.8)])()
    return float(base)


def optimizer(r):
    O = K.optimizers
    draws = [
        (0.05, lambda lr, k: O.SGD(lr, momentum=float(r.choice([0, 0.5, 0.9])), nesterov=bool(r.integers(2)), **k)),
        (0.005, lambda lr, k: O.RMSprop(lr, rho=0.85, momentum=float(r.choice([0, 0.3])), centered=bool(r.integers(2)), epsilon=1e-4, **k)),
        (0.01, lambda lr, k: O.Adam(lr, beta_1=float(r.choice([0.9, 0.7])), amsgrad=bool(r.integers(2)), epsilon=1e-5, **k)),
        (0.01, lambda lr, k: O.AdamW(lr, weight_decay=0.02, epsilon=1e-5, **{n: v for n, v in k.items() if n != "weight_decay"})),
        (0.01, lambda lr, k: O.Adamax(lr, epsilon=1e-5, **k)),
        (0.01, lambda lr, k: O.Nadam(lr, epsilon=1e-5, **k)),
        (0.05, lambda lr, k: O.Adagrad(lr, initial_accumulator_value=0.2, **k)),
        (0.8, lambda lr, k: O.Adadelta(lr, rho=0.9, epsilon=1e-4, **k)),
        (0.05, lambda lr, k: O.Ftrl(lr, l1_regularization_strength=0.001, l2_regularization_strength=0.002, beta=0.1, **{n: v for n, v in k.items() if n != "weight_decay"})),
        (0.01, lambda lr, k: O.Lamb(lr, epsilon=1e-5, **k)),
        (0.01, lambda lr, k: O.Adafactor(lr, relative_step=bool(r.integers(2)), **k)),
    ]
    base, make = draws[r.integers(len(draws))]
    more = {}
    kind = r.integers(12)
    if kind == 0:
        more["clipnorm"] = 0.3
    elif kind == 1:
        more["global_clipnorm"] = 0.5
    elif kind == 2:
        more["clipvalue"] = 0.02
    elif kind == 3:
        more["use_ema"], more["ema_momentum"] = True, 0.9
    elif kind == 4:
        more.update(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=5)
    elif kind == 5:
        more["gradient_accumulation_steps"] = int(r.integers(2, 4))
    elif kind == 6:
        more["weight_decay"] = 0.01
    elif kind == 7:
        more["loss_scale_factor"] = 16.0
    return make(rate(r, base), more)


def target_of(r, kind, rows, flat, units):
    score = flat @ r.standard_normal((flat.shape[1], units))
    if kind == "classes":
        return score.argmax(1).astype("int64")
    if kind == "one_hot":
        return np.eye(units, dtype="float32")[score.argmax(1)]
    if kind == "binary":
        return (score > 0).astype("float32")
    return (np.abs(score) + 0.1 if kind == "positive" else score).astype("float32")


def data_of(r, inputs, heads, rows):
    arrays, flats = {}, []
    for x in inputs:
        name, shape = x.name, tuple(x.shape[1:])
        if "int" in x.dtype:
            value = r.integers(0, 7, (rows, *shape)).astype("int32")
            if shape == (8,):  # words, zeros behind, one row whole
                value = r.integers(1, 11, (rows, 8)).astype("int32")
                value[1:] *= np.arange(8) < r.integers(1, 9, (rows - 1, 1))
        else:
            value = r.standard_normal((rows, *shape)).astype("float32")
        arrays[name] = value
        flats.append(value.reshape(rows, -1) / (1 if "int" not in x.dtype else 4))
    flat = np.concatenate(flats, 1)
    for name, kind, units in heads:
        arrays[name] = target_of(np.random.default_rng(5), kind, rows, flat, units)
    return arrays


def draw(seed):
    r = np.random.default_rng(seed)
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    body = BODIES[r.integers(len(BODIES))]
    inputs, last = body(r)
    heads, outputs, losses, metrics = [], {}, {}, {}
    for i in range(2 if r.integers(5) == 0 else 1):
        kind = str(r.choice(["classes", "classes", "one_hot", "binary", "numbers", "numbers", "positive"]))
        units = {"classes": 5, "one_hot": 5, "binary": 1}.get(kind, int(r.integers(1, 4)))
        activation, loss = LOSSES[kind][r.integers(len(LOSSES[kind]))]
        name = f"head_{i}"
        if isinstance(loss(r), K.losses.CosineSimilarity):
            units = max(units, 2)  # one number has no direction: its gradient is rounding
        outputs[name] = L.Dense(units, activation=activation, name=name)(last)
        losses[name], metrics[name] = loss(r), METRICS[kind]()
        metrics[name] = [m for m in metrics[name] if r.integers(3)]
        if activation in (None, "linear", "tanh"):  # values outside of [0, 1] are no probabilities
            metrics[name] = [m for m in metrics[name] if not isinstance(m, (K.metrics.AUC, K.metrics.Precision, K.metrics.Recall)) and "crossentropy" not in str(m)]
        heads.append((name, kind, units))
    single = len(heads) == 1
    model = K.Model(inputs if len(inputs) > 1 else inputs[0], outputs["head_0"] if single else outputs)
    weights = None if single else {n: float(r.uniform(0.2, 2)) for n in outputs}
    weighted = bool(r.integers(3) == 0)
    if any(isinstance(l, (K.losses.Dice, K.losses.Tversky)) for l in losses.values()) or not single:
        weighted = False
    chosen = optimizer(r)
    model.compile(chosen, losses["head_0"] if single else losses, metrics=metrics["head_0"] if single else metrics, loss_weights=weights,
                  weighted_metrics=["mse"] if single and weighted and heads[0][1] in ("numbers", "positive") else None)
    rows, batch = int(r.integers(40, 90)), int(r.integers(9, 24))
    fitted, checked = data_of(r, inputs, heads, rows), data_of(r, inputs, heads, 37)
    arguments, options = {}, ["--batch", str(batch)]
    if weighted:
        fitted["sample_weight"] = (r.random(rows) + 0.3).astype("float32")
        arguments["sample_weight"] = fitted["sample_weight"]
    elif single and heads[0][1] == "classes" and r.integers(3) == 0:
        arguments["class_weight"] = {c: float(r.uniform(0.3, 2)) for c in range(5)}
        options += ["--class-weight", ",".join(f"{c}={w!r}" for c, w in arguments["class_weight"].items())]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / ("model.h5" if r.integers(8) == 0 and body is not transformer else "model.keras")
        model.save(path)
        name, data = path.name, path.read_bytes()
    xs = lambda arrays: {x.name: arrays[x.name] for x in inputs} if len(inputs) > 1 else arrays[inputs[0].name]
    ys = lambda arrays: arrays["head_0"] if single else {n: arrays[n] for n in outputs}
    if len(inputs) > 1:
        xs = lambda arrays: [arrays[x.name] for x in inputs]
    validation = None
    if r.integers(2):
        validation = (xs(checked), ys(checked))
    history = model.fit(xs(fitted), ys(fitted), batch_size=batch, epochs=EPOCHS, shuffle=False, verbose=0, validation_data=validation, **arguments).history
    history.pop("learning_rate", None)
    if not history["loss"][-1] < 3 * abs(history["loss"][0]):
        raise ValueError("it diverges, which doubles its rounding errors")
    predicted = model.predict(xs(checked), verbose=0)
    predicted = {"head_0": predicted} if single else predicted
    record = {"model": f"{seed}/{name}", "body": body.__name__, "optimizer": f"{type(chosen).__name__} {chosen.get_config()}", "loss": str(losses), "options": [], "fit": options,
              "history": history, "validates": validation is not None, "data": f"data/{seed}.npz", "check": f"data/{seed}-check.npz"}
    return record, data, fitted, checked, {w.path: w.numpy() for w in model.weights if "seed_generator" not in w.path}, predicted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    cases = []
    with zipfile.ZipFile(args.folder / f"drawn-{args.seed}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        def save(name, arrays):
            buffer = io.BytesIO()
            np.savez(buffer, **arrays)
            archive.writestr(zipfile.ZipInfo(name), buffer.getvalue(), zipfile.ZIP_DEFLATED)
        for i in range(args.count):
            seed = args.seed * 1000 + i
            try:
                record, model, fitted, checked, weights, predicted = draw(seed)
            except Exception as error:  # a combination that this Keras refuses
                print(f"{seed}: {type(error).__name__}: {str(error)[:200]}", flush=True)
                continue
            archive.writestr(zipfile.ZipInfo("models/" + record["model"]), model, zipfile.ZIP_DEFLATED)
            save(record["data"], fitted)
            save(record["check"], checked)
            record["weights"] = f"data/{seed}-weights.npz"
            save(record["weights"], weights)
            record["predictions"] = f"data/{seed}-predictions.npz"
            save(record["predictions"], predicted)
            cases.append(record)
        archive.writestr(zipfile.ZipInfo("cases.json"), json.dumps(cases, default=str))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
