"""The numbers that TensorFlow draws (tensorflow.npz, by make_fixture.py)."""
import os
import sys

import numpy as np

here = os.path.dirname(__file__)
sys.path.insert(0, os.path.join(here, "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

drawn = np.load(os.path.join(here, "tensorflow.npz"))
program = Program()
key, counter = program.input("key", drawn["key"]), program.input("counter", drawn["counter"])
program.lines.append("  %shape = graph.constant dense<[3, 5, 7]> : tensor<3xi32>")
for name in drawn.files:
    want = drawn[name]
    if want.shape != (3, 5, 7):
        continue
    kind = NAMES[want.dtype]
    result = tensor(want.shape, kind)
    operands, types = "%shape, %key, %counter", f"tensor<3xi32>, {key}, {counter}"
    if "int" in name:
        for bound, number in (("low", -5), ("high", 1000)):
            program.lines.append(f"  %{bound}_{kind} = graph.constant dense<{number}> : tensor<{kind}>")
        operands += f", %low_{kind}, %high_{kind}"
        types += f", tensor<{kind}>, tensor<{kind}>"
    op = name.rsplit("_", 1)[0]
    # Uniform numbers are bits; normal ones go through a logarithm and a sine.
    program.result(name, f"graph.random_{op} {operands} : ({types}) -> {result}", result, want.astype(np.float64)
                   if "normal" in name else want, ulps=8 if "normal" in name else 0, atol=1e-6 if name.endswith("normal_f32") else 0)
seed = program.input("seed", drawn["seed"])
program.lines.append(f"  %seed_key, %seed_counter = graph.random_key %seed : ({seed}) -> (tensor<1xui64>, tensor<2xui64>)")
program.results += [("seed_key", "tensor<1xui64>", drawn["seed_key"], 0, 0), ("seed_counter", "tensor<2xui64>", drawn["seed_counter"], 0, 0)]
# A stateful op: its generator's key and counter are its seeds.
program.input("state_key", np.array([123], np.uint64))
program.input("state", np.array([0, 456], np.uint64))
program.lines.append("  %small = graph.constant dense<[3, 5]> : tensor<2xi32>")
uniform = "(tensor<2xi32>, tensor<1xui64>, tensor<2xui64>) -> tensor<3x5xf32>"
program.result("first", f"graph.random_uniform %small, %state_key, %state : {uniform}", "tensor<3x5xf32>", drawn["first"], 0)
program.lines.append("  %next = graph.random_skip %state, %small : (tensor<2xui64>, tensor<2xi32>) -> tensor<2xui64>")
program.result("second", f"graph.random_uniform %small, %state_key, %next : {uniform}", "tensor<3x5xf32>", drawn["second"], 0)
main(program)
