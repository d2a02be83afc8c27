#!/usr/bin/env python3
"""Compiles training graphs and compares their trajectories with TensorFlow's.

    training.py [--tenon build/bin/tenon] [--only REGEX] [--keep FOLDER]

`steps`: one step operation on variables and slots of its own, in every form that
TensorFlow has (ref and resource, dense and sparse with rows named twice, element
types, flags), five times. `minimize`: small models trained by every optimizer of
TensorFlow 1, with clipping, decaying rates and moving averages, ten times.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

from conform import Failure, execute

v1 = tf.compat.v1
BF16 = tf.bfloat16.as_numpy_dtype
TOLERANCE = {"float32": (1e-5, 1e-6), "float64": (1e-11, 1e-12), "float16": (1e-2, 4e-3), "bfloat16": (6e-2, 3e-2)}

# Name, slots, names of its numbers and their values, flags. Sparse forms have the same.
STEPS = [
    ("ApplyGradientDescent", [], {"alpha": 0.1}, {}),
    ("ApplyProximalGradientDescent", [], {"alpha": 0.1, "l1": 0.5, "l2": 0.3}, {}),
    ("ApplyProximalGradientDescent", [], {"alpha": 0.1, "l1": 0.0, "l2": 0.3}, {}),
    ("ApplyMomentum", ["accum"], {"lr": 0.1, "momentum": 0.9}, {}),
    ("ApplyMomentum", ["accum"], {"lr": 0.1, "momentum": 0.9}, {"use_nesterov": True}),
    ("ApplyKerasMomentum", ["accum"], {"lr": 0.1, "momentum": 0.9}, {}),
    ("ApplyKerasMomentum", ["accum"], {"lr": 0.1, "momentum": 0.9}, {"use_nesterov": True}),
    ("ApplyAdagrad", ["accum"], {"lr": 0.1}, {}),
    ("ApplyAdagrad", ["accum"], {"lr": 0.1}, {"update_slots": False}),
    ("ApplyAdagradV2", ["accum"], {"lr": 0.1, "epsilon": 0.01}, {}),
    ("ApplyAdagradV2", ["accum"], {"lr": 0.1, "epsilon": 0.01}, {"update_slots": False}),
    ("ApplyProximalAdagrad", ["accum"], {"lr": 0.1, "l1": 0.2, "l2": 0.3}, {}),
    ("ApplyProximalAdagrad", ["accum"], {"lr": 0.1, "l1": 0.0, "l2": 0.3}, {}),
    ("ApplyAdagradDA", ["gradient_accumulator", "gradient_squared_accumulator"], {"lr": 0.1, "l1": 0.2, "l2": 0.3, "global_step": 3}, {}),
    ("ApplyAdagradDA", ["gradient_accumulator", "gradient_squared_accumulator"], {"lr": 0.1, "l1": 0.0, "l2": 0.3, "global_step": 3}, {}),
    ("ApplyAdadelta", ["accum", "accum_update"], {"lr": 0.7, "rho": 0.9, "epsilon": 0.01}, {}),
    ("ApplyAdam", ["m", "v"], {"beta1_power": 0.8, "beta2_power": 0.9, "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 0.01}, {}),
    ("ApplyAdam", ["m", "v"], {"beta1_power": 0.8, "beta2_power": 0.9, "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 0.01}, {"use_nesterov": True}),
    ("ApplyAdamWithAmsgrad", ["m", "v", "vhat"], {"beta1_power": 0.8, "beta2_power": 0.9, "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 0.01}, {}),
    ("ApplyAdaMax", ["m", "v"], {"beta1_power": 0.8, "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 0.01}, {}),
    ("ApplyFtrl", ["accum", "linear"], {"lr": 0.1, "l1": 0.2, "l2": 0.3, "lr_power": -0.5}, {}),
    ("ApplyFtrl", ["accum", "linear"], {"lr": 0.1, "l1": 0.2, "l2": 0.3, "lr_power": -0.7}, {}),
    ("ApplyFtrl", ["accum", "linear"], {"lr": 0.1, "l1": 0.2, "l2": 0.3, "lr_power": -0.5}, {"multiply_linear_by_lr": True}),
    ("ApplyFtrlV2", ["accum", "linear"], {"lr": 0.1, "l1": 0.2, "l2": 0.3, "l2_shrinkage": 0.4, "lr_power": -0.5}, {}),
    ("ApplyFtrlV2", ["accum", "linear"], {"lr": 0.1, "l1": 0.2, "l2": 0.3, "l2_shrinkage": 0.4, "lr_power": -0.6}, {"multiply_linear_by_lr": True}),
    ("ApplyRMSProp", ["ms", "mom"], {"lr": 0.1, "rho": 0.9, "momentum": 0.5, "epsilon": 0.01}, {}),
    ("ApplyCenteredRMSProp", ["mg", "ms", "mom"], {"lr": 0.1, "rho": 0.9, "momentum": 0.5, "epsilon": 0.1}, {}),
    ("ApplyAddSign", ["m"], {"lr": 0.1, "alpha": 0.7, "sign_decay": 0.9, "beta": 0.8}, {}),
    ("ApplyPowerSign", ["m"], {"lr": 0.1, "logbase": 0.7, "sign_decay": 0.9, "beta": 0.8}, {}),
]


def positive(slot):
    return slot in ("accum", "accum_update", "v", "vhat", "ms", "gradient_squared_accumulator")


class Training:
    """A graph with entries init, step and values, and what TensorFlow makes of it."""

    def __init__(self, count):
        self.count = count
        self.graph = tf.Graph()
        self.names, self.values = [], []

    def export(self, step, variables, folder):
        """Call it inside of the graph."""
        init = v1.global_variables_initializer()
        step = v1.group(step, name="the_step")
        read = [tf.identity(v.read_value() if hasattr(v, "read_value") else v, f"value{n}") for n, v in enumerate(variables)]
        with v1.Session(graph=self.graph) as session:
            session.run(init)
            for _ in range(self.count):
                session.run(step)
            self.values = session.run(read)
        self.names = [t.op.name for t in read]
        np.savez(folder / "values.npz", **{n: v for n, v in zip(self.names, self.values) if v.dtype != BF16})
        (folder / "m.pb").write_bytes(self.graph.as_graph_def().SerializeToString(deterministic=True))
        self.options = ["--entry", f"init() -> ^{init.name}", "--entry", f"step() -> ^{step.name}",
                        "--entry", "values() -> " + ", ".join(self.names)]
        (folder / "options.json").write_text(json.dumps({"steps": self.count, "options": self.options}, indent=1) + "\n")

    def check(self, tenon, folder):
        execute("compile", [tenon, "compile", folder / "m.pb", "-o", folder / "m", "--cpu", "native", *self.options], 300)
        runs = [x for _ in range(self.count) for x in ("--run", "step")]
        execute("run", [folder / "m", "--run", "init", *runs, "--run", "values", "-o", folder / "out.npz"], 60)
        out = np.load(folder / "out.npz")
        last = self.count + 1
        for name, want in zip(self.names, self.values):
            found = [k for k in out.files if k in (name, f"{name}__bf16", f"{last}/{name}", f"{last}/{name}__bf16")]
            got = out[found[0]]
            if want.dtype == BF16:
                got = got.view(BF16)
            rtol, atol = TOLERANCE[str(want.dtype)]
            a, b = got.astype(np.float64), want.astype(np.float64)
            with np.errstate(all="ignore"):
                bad = ~((np.abs(a - b) <= rtol * np.abs(b) + atol * max(1, np.abs(b).max(initial=0))) | (np.isnan(a) & np.isnan(b)))
            if bad.any():
                at = tuple(int(k[0]) for k in np.nonzero(bad))
                yield name, f"{np.count_nonzero(bad)} of {bad.size} wrong, first at {list(at)}: {got[at]} for {want[at]}"


def step_case(name, slots, numbers, flags, dtype, sparse, resource, rng):
    """One variable with its slots; (step operation, variables), or None if there is no such operation."""
    op = ("Resource" if resource else "") + ("Sparse" if sparse else "") + name
    if not hasattr(tf.raw_ops, op):
        return None
    shape = (5, 3)
    start = {"var": rng.standard_normal(shape)}
    for slot in slots:
        start[slot] = rng.standard_normal(shape) * 0.1
        if positive(slot):
            start[slot] = np.abs(start[slot]) + 0.2
    variables = {k: v1.Variable(v.astype(dtype), use_resource=resource) for k, v in start.items()}
    arguments = {k: v.handle if resource else v._ref() for k, v in variables.items()}
    for k, value in numbers.items():
        arguments[k] = tf.constant(value, tf.int64 if k == "global_step" else tf.as_dtype(dtype))
    gradient = rng.standard_normal((4, 3) if sparse else shape).astype(dtype)
    if name == "ApplyGradientDescent":
        arguments["delta"] = tf.constant(gradient)
    elif name == "ApplyProximalGradientDescent" and not sparse:
        arguments["delta"] = tf.constant(gradient)
    else:
        arguments["grad"] = tf.constant(gradient)
    if sparse:
        arguments["indices"] = tf.constant([3, 0, 3, 1], tf.int32 if resource else tf.int64)
    arguments["use_locking"] = bool(rng.integers(2))
    try:
        made = getattr(tf.raw_ops, op)(**arguments, **flags)
    except (TypeError, ValueError):
        return None
    return op, made, list(variables.values())


def check_steps(args, only, failures):
    total = 0
    for dtype in (np.float32, np.float64, np.float16, BF16):
        rng = np.random.default_rng(3)
        made = {}
        for name, slots, numbers, flags in STEPS:
            for sparse in (False, True):
                for resource in (False, True):
                    label = f"{'Resource' if resource else ''}{'Sparse' if sparse else ''}{name}/{tf.as_dtype(dtype).name}/{','.join(flags)}"
                    if not re.search(only, "steps/" + label):
                        continue
                    # A graph alone first: some types have no kernel.
                    with tf.Graph().as_default():
                        case = step_case(name, slots, numbers, flags, dtype, sparse, resource, np.random.default_rng(4))
                        try:
                            with v1.Session() as session:
                                session.run(v1.global_variables_initializer())
                                session.run(case[1])
                        except Exception:
                            continue
                    made[label + str(sorted(numbers.values()))] = (name, slots, numbers, flags, sparse, resource)
        if not made:
            continue
        training = Training(5)
        owners = {}
        with training.graph.as_default():
            steps, variables = [], []
            for label, (name, slots, numbers, flags, sparse, resource) in made.items():
                _, step, own = step_case(name, slots, numbers, flags, dtype, sparse, resource, rng)
                for n in range(len(own)):
                    owners[f"value{len(variables) + n}"] = label
                steps.append(step)
                variables += own
            folder = pathlib.Path(tempfile.mkdtemp(prefix="training-"))
            training.export(steps, variables, folder)
        bad = {}
        try:
            for name, reason in training.check(args.tenon, folder):
                bad.setdefault(owners[name], f"{name}: {reason}")
        except Failure as failure:
            bad = dict.fromkeys(made, str(failure))
        if args.keep:
            shutil.copytree(folder, pathlib.Path(args.keep) / f"steps-{tf.as_dtype(dtype).name}", dirs_exist_ok=True)
        shutil.rmtree(folder)
        total += len(made)
        for label, reason in bad.items():
            failures.append(f"steps/{label}: {reason}")
        print(f"steps/{tf.as_dtype(dtype).name}: {len(made) - len(bad)} of {len(made)}", flush=True)
    return total


def _rate(decay):
    step = v1.train.get_or_create_global_step()
    if decay == "exponential":
        return v1.train.exponential_decay(0.1, step, 3, 0.7, staircase=True)
    if decay == "polynomial":
        return v1.train.polynomial_decay(0.1, step, 6, 0.01, power=2.0)
    if decay == "cosine":
        return v1.train.cosine_decay(0.1, step, 8)
    if decay == "pieces":
        return v1.train.piecewise_constant(step, [2, 5], [0.1, 0.05, 0.02])
    if decay == "inverse":
        return v1.train.inverse_time_decay(0.1, step, 2, 0.5)
    if decay == "natural":
        return v1.train.natural_exp_decay(0.1, step, 2, 0.5)
    return 0.1


OPTIMIZERS = {
    "GradientDescent": lambda rate: v1.train.GradientDescentOptimizer(rate),
    "Momentum": lambda rate: v1.train.MomentumOptimizer(rate, 0.9),
    "Nesterov": lambda rate: v1.train.MomentumOptimizer(rate, 0.9, use_nesterov=True),
    "Adagrad": lambda rate: v1.train.AdagradOptimizer(rate),
    "AdagradDA": lambda rate: v1.train.AdagradDAOptimizer(rate, v1.train.get_or_create_global_step(), l1_regularization_strength=0.01,
                                                         l2_regularization_strength=0.02),
    "Adadelta": lambda rate: v1.train.AdadeltaOptimizer(rate, 0.9, 1e-3),
    "Adam": lambda rate: v1.train.AdamOptimizer(rate),
    "Ftrl": lambda rate: v1.train.FtrlOptimizer(rate, l1_regularization_strength=0.01, l2_regularization_strength=0.02),
    "FtrlShrinkage": lambda rate: v1.train.FtrlOptimizer(rate, learning_rate_power=-0.6, l2_shrinkage_regularization_strength=0.1),
    "RMSProp": lambda rate: v1.train.RMSPropOptimizer(rate, momentum=0.5),
    "RMSPropCentered": lambda rate: v1.train.RMSPropOptimizer(rate, centered=True, epsilon=1e-3),
    "ProximalGradientDescent": lambda rate: v1.train.ProximalGradientDescentOptimizer(rate, 0.01, 0.02),
    "ProximalAdagrad": lambda rate: v1.train.ProximalAdagradOptimizer(rate, l1_regularization_strength=0.01, l2_regularization_strength=0.02),
}


def _variable(name, shape, rng, scale=0.4):
    return v1.get_variable(name, initializer=(rng.standard_normal(shape) * scale).astype(np.float32))


def model_dense(rng):
    x, t = tf.constant(rng.standard_normal((8, 6)).astype(np.float32)), tf.constant(rng.integers(0, 4, 8))
    h = tf.nn.relu(x @ _variable("w1", (6, 10), rng) + _variable("b1", (10,), rng))
    logits = h @ _variable("w2", (10, 4), rng) + _variable("b2", (4,), rng)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=logits))


def model_conv(rng):
    x, t = tf.constant(rng.standard_normal((3, 10, 9, 2)).astype(np.float32)), tf.constant(rng.integers(0, 3, 3))
    h = tf.nn.bias_add(tf.nn.conv2d(x, _variable("w1", (3, 3, 2, 4), rng), 1, "SAME"), _variable("b1", (4,), rng))
    h = tf.nn.max_pool2d(tf.nn.elu(h), 2, 2, "SAME")
    h = tf.nn.avg_pool2d(tf.nn.conv2d(h, _variable("w2", (2, 2, 4, 5), rng), 2, "VALID"), 2, 1, "VALID")
    h = tf.nn.depthwise_conv2d(h, _variable("w3", (1, 1, 5, 2), rng), [1, 1, 1, 1], "SAME")
    logits = tf.reshape(h, (3, -1)) @ _variable("w4", (10, 3), rng)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=tf.one_hot(t, 3), logits=logits))


def model_embedding(rng):
    """Sparse gradients, with words that occur more than once."""
    words = tf.constant([[1, 4, 1], [7, 1, 0]])
    table = _variable("table", (9, 5), rng)
    h = tf.reduce_mean(tf.nn.embedding_lookup(table, words), 1)
    return tf.reduce_sum(tf.square(tf.tanh(h @ _variable("w", (5, 2), rng)) - 0.3))


MODELS = {"dense": model_dense, "conv": model_conv, "embedding": model_embedding}


def check_minimize(args, only, failures):
    total = 0
    decays = ["none", "exponential", "polynomial", "cosine", "pieces", "inverse", "natural"]
    for number, (optimizer, make) in enumerate(OPTIMIZERS.items()):
        for place, (model, build) in enumerate(MODELS.items()):
            resource = (number + place) % 2 == 0
            decay, clip = decays[(number + 2 * place) % len(decays)], ["none", "norm", "value", "global"][(number + place) % 4]
            label = f"minimize/{optimizer}/{model}/{'resource' if resource else 'ref'}/{decay}/{clip}"
            if not re.search(only, label):
                continue
            total += 1
            training = Training(10)
            folder = pathlib.Path(tempfile.mkdtemp(prefix="training-"))
            try:
                with training.graph.as_default(), v1.variable_scope("", use_resource=resource):
                    v1.set_random_seed(3)
                    v1.disable_control_flow_v2()
                    loss = build(np.random.default_rng(number))
                    step = v1.train.get_or_create_global_step()
                    rule = make(_rate(decay))
                    pairs = [(g, v) for g, v in rule.compute_gradients(loss) if g is not None]
                    if clip == "norm":
                        pairs = [(tf.clip_by_norm(g, 0.3), v) for g, v in pairs]
                    elif clip == "value":
                        pairs = [(tf.clip_by_value(tf.convert_to_tensor(g), -0.05, 0.05), v) for g, v in pairs]
                    elif clip == "global":
                        clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], 0.5)
                        pairs = list(zip(clipped, [v for _, v in pairs]))
                    apply = rule.apply_gradients(pairs, global_step=step)
                    average = v1.train.ExponentialMovingAverage(0.9, num_updates=step)
                    with v1.control_dependencies([apply]):
                        update = average.apply(v1.trainable_variables())
                    floats = [v for v in v1.global_variables() if v.dtype.base_dtype.is_floating]
                    training.export([update], floats, folder)
                for name, reason in training.check(args.tenon, folder):
                    failures.append(f"{label}: {floats[int(name[5:])].name}: {reason}")
                    break
            except Failure as failure:
                failures.append(f"{label}: {failure}")
            if args.keep:
                shutil.copytree(folder, pathlib.Path(args.keep) / label.replace("/", "-"), dirs_exist_ok=True)
            shutil.rmtree(folder)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--only", default="", help="regular expression on steps/OPERATION/TYPE/FLAGS and minimize/OPTIMIZER/MODEL/...")
    parser.add_argument("--keep", help="copy every graph and what came out into this folder")
    args = parser.parse_args()
    failures = []
    total = check_steps(args, args.only, failures) + check_minimize(args, args.only, failures)
    for line in failures:
        print(line)
    print(f"{total - len(failures)} of {total} passed")
    return 1 if failures or not total else 0


if __name__ == "__main__":
    sys.exit(main())
