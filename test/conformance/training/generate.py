#!/usr/bin/env python3
"""Lets Keras train small models and writes down what happened: epoch by epoch, and what they predict in the end.

    generate.py FOLDER [--seed N] [--only REGEX]

FOLDER/trajectories.zip holds the models as Keras exports them, data, and cases.json, which run.py follows.
Made with TensorFlow 2.21 and Keras 3.15. Every case is written as the words that `tenon compile --train` gets;
they are Keras's own, so that Keras is asked by the same words.
"""

import argparse
import io
import json
import os
import pathlib
import re
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np

L = keras.layers
ROWS = 75  # no multiple of the batch


def dense(units, activation):
    return keras.Sequential([keras.Input((12,), name="x"), L.Dense(16, activation="tanh"), L.Dense(units, activation=activation)])


def two_outputs():
    x = keras.Input((12,), name="x")
    h = L.Dense(16, activation="elu")(x)
    return keras.Model(x, {"kind": L.Dense(5, activation="softmax", name="kind")(h), "place": L.Dense(2, name="place")(h)})


MODELS = {
    "probabilities": lambda: dense(5, "softmax"),
    "logits": lambda: dense(5, None),
    "probability": lambda: dense(1, "sigmoid"),
    "numbers": lambda: dense(2, None),
    "positive": lambda: dense(2, "softplus"),
    "two_outputs": two_outputs,
    "convolution": lambda: keras.Sequential([
        keras.Input((8, 8, 2), name="x"), L.Conv2D(4, 3, activation="relu", padding="same"), L.MaxPooling2D(),
        L.SeparableConv2D(6, 3, strides=2, activation="relu"), L.Flatten(), L.Dense(5, activation="softmax")]),
    "words": lambda: keras.Sequential([
        keras.Input((7,), name="x", dtype="int32"), L.Embedding(9, 6), L.LSTM(8, use_cudnn=False), L.Dense(5, activation="softmax")]),
    "attention": lambda: attention(),
    "steps": lambda: keras.Sequential([keras.Input((9, 6), name="x"), L.Conv1D(8, 3, padding="same", activation="tanh"), L.Dense(5)]),
}


# Of these the program gets the file that Keras saves, with loss, optimizer and metrics in it: layers that train
# otherwise than they infer, masks, what weights and outputs add to the loss, constraints.
R = keras.regularizers
WHOLE = {
    "norms": lambda: keras.Sequential([
        keras.Input((8, 8, 2), name="x"), L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(),
        L.DepthwiseConv2D(3), L.GroupNormalization(2), L.GlobalAveragePooling2D(), L.BatchNormalization(scale=False),
        L.Dense(5, activation="softmax")]),
    "masks": lambda: keras.Sequential([
        keras.Input((7,), name="x", dtype="int32"), L.Embedding(9, 6, mask_zero=True), L.GRU(5, return_sequences=True),
        L.LSTM(8), L.Dense(5, activation="softmax")]),
    "tags": lambda: keras.Sequential([
        keras.Input((7,), name="x", dtype="int32"), L.Embedding(9, 6, mask_zero=True),
        L.Bidirectional(L.LSTM(4, return_sequences=True)), L.Dense(5, activation="softmax")]),
    "penalties": lambda: keras.Sequential([
        keras.Input((12,), name="x"),
        L.Dense(16, activation="tanh", kernel_regularizer=R.L1L2(0.001, 0.01), bias_regularizer="l2", activity_regularizer=R.L2(0.01)),
        L.ActivityRegularization(l1=0.001), L.Dense(5, activation="softmax", kernel_regularizer=R.OrthogonalRegularizer(0.01))]),
    "limits": lambda: keras.Sequential([
        keras.Input((12,), name="x"), L.Dense(16, activation="tanh", kernel_constraint=keras.constraints.MaxNorm(0.8)),
        L.Dense(8, activation="relu", kernel_constraint="unit_norm", bias_constraint="non_neg"),
        L.Dense(5, activation="softmax", kernel_constraint=keras.constraints.MinMaxNorm(0.2, 0.9, rate=0.7))]),
    "frozen": lambda: frozen(),
}


def frozen():
    base = keras.Sequential([keras.Input((12,)), L.Dense(16, activation="tanh"), L.BatchNormalization()], name="base")
    base.trainable = False
    return keras.Sequential([keras.Input((12,), name="x"), base, L.Dense(5, activation="softmax")])


def attention():
    x = keras.Input((5, 8), name="x")
    h = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(x, L.Dense(5, activation="softmax")(L.GlobalAveragePooling1D()(h)))


def data_of(rng, model):
    shape = {"convolution": (8, 8, 2), "norms": (8, 8, 2), "attention": (5, 8), "steps": (9, 6)}.get(model, (12,))
    if model in ("words", "masks", "tags"):
        x = rng.integers(0, 9, (ROWS, 7)).astype("int32")
    else:
        x = rng.standard_normal((ROWS, *shape)).astype("float32")
    if model in ("masks", "tags"):  # the longest row is a whole one
        x[1:] *= np.arange(7) < rng.integers(1, 8, (ROWS - 1, 1))
    flat = x.reshape(ROWS, -1).astype("float32")
    if model == "steps":  # labels from 1, zeros behind
        return x, rng.integers(1, 5, (ROWS, 3)) * (np.arange(3) < rng.integers(1, 4, (ROWS, 1))), None, None
    if model == "tags":
        return x, ((x * 7 + 3) % 5).astype("int64"), None, (rng.random(ROWS) + 0.5).astype("float32")
    kind = (flat @ rng.standard_normal((flat.shape[1], 5))).argmax(1).astype("int64")
    place = (flat @ rng.standard_normal((flat.shape[1], 2))).astype("float32")
    return x, kind, place, (rng.random(ROWS) + 0.5).astype("float32")


# model, loss, optimizer, metrics, what else
SPARSE = "sparse_categorical_crossentropy"
CASES = [("probabilities", SPARSE, optimizer, "accuracy", {}) for optimizer in [
    "sgd(0.1)", "sgd(0.1, momentum=0.9)", "sgd(0.1, momentum=0.9, nesterov=true)", "rmsprop(0.01)",
    "rmsprop(0.01, rho=0.8, momentum=0.5, centered=true)", "adam(0.01)", "adam(0.01, beta_1=0.8, amsgrad=true)",
    "adamw(0.01, weight_decay=0.01)", "adamax(0.01)", "nadam(0.01)", "adagrad(0.1)", "adadelta(1.0)",
    "ftrl(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.001, beta=0.1)",
    "ftrl(0.1, learning_rate_power=-0.4, l2_shrinkage_regularization_strength=0.01)", "lion(0.001)", "lamb(0.01)",
    "adafactor(0.01)", "adam(0.01, clipnorm=0.1)", "sgd(0.1, global_clipnorm=0.3)",
    "sgd(0.1, clipvalue=0.01, weight_decay=0.01)", "sgd(0.1, use_ema=true, ema_momentum=0.9, ema_overwrite_frequency=4)",
    "adam(0.01, use_ema=true)", "adam(0.01, gradient_accumulation_steps=2)", "adam(0.01, loss_scale_factor=8.0)",
    "sgd(exponential_decay(0.1, 5, 0.9, staircase=true))", "adam(exponential_decay(0.02, 5, 0.9))",
    "sgd(cosine_decay(0.01, 5, alpha=0.1, warmup_target=0.1, warmup_steps=3))",
    "sgd(cosine_decay_restarts(0.1, 3, t_mul=2.0, m_mul=0.9))", "sgd(polynomial_decay(0.1, 4, 0.01, power=2.0, cycle=true))",
    "sgd(inverse_time_decay(0.1, 4, 0.5))", "sgd(piecewise_constant_decay([2, 5], [0.1, 0.05, 0.01]))"]]
CASES += [("numbers", loss, "sgd(0.01)", "mae,mse,root_mean_squared_error(),cosine_similarity(),r2_score()", {}) for loss in [
    "mse", "mean_absolute_error", "mape", "huber(delta=0.7)", "log_cosh", "cosine_similarity", "hinge",
    "mean_squared_error(reduction=sum)"]]
CASES += [("positive", loss, "adam(0.01)", "mae", {}) for loss in ["msle", "poisson"]]
CASES += [("probabilities", loss, "sgd(0.1)", "accuracy,auc(),precision(),f1_score(average=macro)", {"one_hot": True}) for loss in [
    "categorical_crossentropy", "kl_divergence", "categorical_hinge", "categorical_focal_crossentropy(gamma=1.5)", "squared_hinge",
    "dice", "tversky"]]
CASES += [("probability", loss, "sgd(0.1)", "accuracy,auc(curve='PR'),recall(),true_positives()", {"binary": True}) for loss in [
    "binary_crossentropy", "binary_crossentropy(label_smoothing=0.1)", "binary_focal_crossentropy(apply_class_balancing=true)"]]
CASES += [
    ("logits", SPARSE + "(from_logits=true)", "sgd(0.1)", "accuracy,sparse_top_k_categorical_accuracy(k=2)", {"weighted": True}),
    ("logits", SPARSE + "(from_logits=true, ignore_class=2)", "sgd(0.1)", "", {}),
    ("logits", "categorical_crossentropy(from_logits=true, label_smoothing=0.1)", "adam(0.01)",
     "accuracy,top_k_categorical_accuracy(k=3)", {"one_hot": True, "weighted": True}),
    ("probabilities", "categorical_crossentropy", "sgd(0.1)",
     "one_hot_mean_io_u(5),fbeta_score(average='weighted', beta=0.5),precision(top_k=2),recall(class_id=1, thresholds=0.3),"
     "auc(num_thresholds=50, summation_method='majoring'),false_negatives()", {"one_hot": True}),
    ("probability", "binary_crossentropy", "sgd(0.1)", "binary_io_u(threshold=0.4),auc(thresholds=[0.2, 0.5, 0.6]),f1_score(average='micro', threshold=0.5)",
     {"binary": True}),
    ("probabilities", "categorical_crossentropy", "sgd(0.1)",  # results that are vectors
     "f1_score(),one_hot_io_u(5, target_class_ids=[1, 3]),auc(multi_label=true, num_thresholds=30),precision(thresholds=[0.1, 0.2, 0.3])", {"one_hot": True}),
    ("probability", "binary_crossentropy", "sgd(0.1)",
     "sensitivity_at_specificity(0.6),specificity_at_sensitivity(0.7, num_thresholds=50),precision_at_recall(0.8),recall_at_precision(0.4),"
     "binary_io_u(target_class_ids=[1], threshold=0.45)", {"binary": True}),
    ("numbers", "mse", "sgd(0.01)", "r2_score(class_aggregation=none),pearson_correlation(),concordance_correlation()", {}),
    ("steps", "ctc", "sgd(0.1)", "", {}),
    ("convolution", SPARSE, "adam(0.01)", "accuracy", {}),
    ("convolution", SPARSE, "sgd(0.05, momentum=0.9)", "accuracy", {"trainable": "conv"}),
    ("words", SPARSE, "adam(0.02)", "accuracy", {}),
    ("words", SPARSE, "adam(0.02, clipvalue=0.002)", "accuracy", {}),  # row by row
    ("words", SPARSE, "adagrad(0.1, clipnorm=0.05)", "accuracy", {}),
    ("attention", SPARSE, "adam(0.01)", "accuracy", {}),
    ("norms", SPARSE, "sgd(0.1, momentum=0.9)", "accuracy", {}),  # Adam would blow up the noise of gradients that are 0
    ("masks", SPARSE, "sgd(0.1)", "accuracy", {}),
    ("tags", SPARSE, "rmsprop(0.01)", "accuracy", {}),
    ("penalties", SPARSE, "sgd(cosine_decay(0.1, 10))", "accuracy,sparse_top_k_categorical_accuracy(k=2)", {}),
    ("limits", SPARSE, "sgd(0.2, momentum=0.9)", "accuracy", {}),
    ("frozen", SPARSE, "adam(0.01)", "accuracy", {}),
    ("two_outputs", {"kind": SPARSE, "place": "mse"}, "adam(0.01)", "place=mae", {"loss_weights": {"kind": 1.0, "place": 0.25}}),
]


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


WORDS = {"true": True, "false": False, "none": None, "sum": "sum", "macro": "macro"}
for module in (keras.losses, keras.metrics, keras.optimizers.schedules, keras.optimizers):
    for name, value in vars(module).items():
        if isinstance(value, type):
            for key in (snake(name), name.lower()):
                WORDS.setdefault(key, value) if module is not keras.optimizers else WORDS.__setitem__(key, value)


def ask(text, module):
    """What Keras makes of the words: a text stays one, a call is made."""
    if "(" not in text:
        return text
    names = dict(WORDS)
    names.update({snake(k): v for k, v in vars(module).items() if isinstance(v, type)})
    names.update({"one_hot_mean_io_u": keras.metrics.OneHotMeanIoU, "binary_io_u": keras.metrics.BinaryIoU, "fbeta_score": keras.metrics.FBetaScore})
    names.update({"f1_score": keras.metrics.F1Score, "r2_score": keras.metrics.R2Score, "auc": keras.metrics.AUC})
    return eval(text, {}, names)


def split(text):
    """Calls that commas separate."""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "([") - (c in ")]")
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return [p for p in parts if p]


def train(case, seed):
    model_name, loss, optimizer, metrics, extra = case
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    whole = model_name in WHOLE
    model = (WHOLE if whole else MODELS)[model_name]()
    x, kind, place, weight = data_of(np.random.default_rng(seed), model_name)
    losses = loss if isinstance(loss, dict) else {"output_0": loss}
    arrays = {"x": x}
    for output, text in losses.items():
        y = place if model_name in ("numbers", "positive") or output == "place" else kind
        if model_name == "positive":
            y = np.abs(y)
        if extra.get("one_hot"):
            y = np.eye(5, dtype="float32")[kind]
        if extra.get("binary"):
            y = (kind > 1).astype("float32")[:, None]
        arrays[output] = y
    if extra.get("weighted"):
        arrays["sample_weight"] = weight
    with tempfile.TemporaryDirectory() as folder:
        if not whole:
            model.export(folder, verbose=False)
        exported = {p.relative_to(folder).as_posix(): p.read_bytes() for p in pathlib.Path(folder).rglob("*") if p.is_file()}
    if "trainable" in extra:
        for v in model.trainable_variables:
            v.trainable = re.search(extra["trainable"], v.path) is not None
    single = not isinstance(loss, dict)
    asked = {k: ask(v, keras.losses) for k, v in losses.items()}
    measured = [ask(m.split("=", 1)[1] if not single else m, keras.metrics) for m in split(metrics)]
    model.compile(ask(optimizer, keras.optimizers), asked["output_0"] if single else asked,
                  metrics=measured if single else {split(metrics)[0].split("=")[0]: measured},
                  loss_weights=extra.get("loss_weights"))
    if whole:
        with tempfile.TemporaryDirectory() as folder:
            model.save(pathlib.Path(folder) / "model.keras")
            exported["model.keras"] = (pathlib.Path(folder) / "model.keras").read_bytes()
        arrays[model.layers[-1].name] = arrays.pop("output_0")
    output = model.layers[-1].name if whole else "output_0"
    y = arrays[output] if single else {k: arrays[k] for k in losses}
    history = model.fit(x, y, sample_weight=arrays.get("sample_weight"), batch_size=16, epochs=3, shuffle=False, verbose=0).history
    history = {k: np.asarray(v).tolist() for k, v in history.items()}
    predicted = model.predict(x[:6], verbose=0)
    predicted = {output: predicted} if single else predicted
    options = [] if single else [f"--loss-weight={k}={v}" for k, v in extra.get("loss_weights", {}).items()]
    options += [f"--loss={v}" if single else f"--loss={k}={v}" for k, v in losses.items()]
    options += [f"--optimizer={optimizer}"] + ([f"--metrics={metrics}"] if metrics else [])
    options += [f"--trainable={extra['trainable']}"] if "trainable" in extra else []
    if whole:
        options = []
    return exported, arrays, {"model": model_name + "/model.keras" * whole, "options": options, "history": history,
                              "predicted": {k: np.asarray(v).tolist() for k, v in predicted.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    cases, written = [], set()
    with zipfile.ZipFile(args.folder / "trajectories.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        def write(name, data):
            if name not in written:
                written.add(name)
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        for case in CASES:
            text = " ".join(str(c) for c in case)
            if not re.search(args.only, text):
                continue
            exported, arrays, record = train(case, args.seed)
            for name, data in exported.items():
                write(f"models/{case[0]}/{name}", data)
            buffer = io.BytesIO()
            np.savez(buffer, **arrays)
            record["data"] = "data/" + "-".join([case[0], *sorted(k for k in case[4] if k in ("one_hot", "binary", "weighted"))]) + ".npz"
            write(record["data"], buffer.getvalue())
            cases.append(record)
        write("cases.json", json.dumps(cases))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
