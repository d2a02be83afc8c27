#!/usr/bin/env python3
"""A peer of race.py in Python: framework_worker.py PEER ROW FOLDER THREADS

`export` (TensorFlow and onnx) writes what all need into FOLDER/ROW for each of
ROW,ROW...: model.pb, model.onnx, inputs.npz and x<i>.bin (the ONNX model's
inputs), and reference.npz, the results in float64. `export_tflite` writes
model.tflite. The others speak protocol.py and write their results to
FOLDER/<peer>.npz.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

import frameworks
import inference
import protocol


def images(ops, case):
    return [ops.image(x) if case.images and x.ndim == 4 else x for x in case.inputs]


def export(case, folder):
    import tensorflow as tf
    names = [f"x{i}" for i in range(len(case.inputs))]
    with tf.Graph().as_default() as graph:
        places = [tf.compat.v1.placeholder(tf.float32, x.shape, name) for name, x in zip(names, case.inputs)]
        for i, result in enumerate(case.call(frameworks.TensorFlow(), places)):
            tf.identity(result, f"y{i}")
    (folder / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    np.savez(folder / "inputs.npz", **dict(zip(names, case.inputs)))
    wide = case.call(frameworks.TensorFlow("float64"), [tf.constant(x.astype(np.float64)) for x in case.inputs])
    wide = [y.numpy() for y in wide]
    np.savez(folder / "reference.npz", **{f"y{i}": y for i, y in enumerate(wide)})
    onnx = frameworks.Onnx()
    results = case.call(onnx, names)
    given = [np.ascontiguousarray(x) for x in images(onnx, case)]
    shapes = dict(zip(names, [x.shape for x in given]))
    for i, y in enumerate(wide):
        shapes[f"y{i}"] = onnx.image(y).shape if case.image_results else y.shape
    onnx.save(folder / "model.onnx", names, results, shapes)
    for name, x in zip(names, given):
        x.tofile(folder / f"{name}.bin")
    (folder / "shapes.json").write_text(json.dumps(
        {"inputs": {n: shapes[n] for n in names}, "results": {n: s for n, s in shapes.items() if n[0] == "y"},
         "image_results": case.image_results, "flops": case.flops, "bytes": case.bytes}))


def export_tflite(case, folder):
    import tensorflow as tf
    ops = frameworks.TensorFlow()
    function = tf.function(lambda *x: case.call(ops, x), autograph=False)
    concrete = function.get_concrete_function(*[tf.TensorSpec(x.shape, x.dtype) for x in case.inputs])
    (folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())


def jax(case, folder, threads):
    ops = frameworks.Jax()
    x = [ops.jnp.asarray(x) for x in case.inputs]
    ops.jax.eval_shape(lambda *x: case.call(ops, x), *x)
    weights, x = ops.jax.device_put((ops.weights, x))

    def call(weights, x):
        ops.given = iter(weights)
        return case.call(ops, x)

    compiled = ops.jax.jit(call).lower(weights, x).compile()
    return lambda: ops.jax.block_until_ready(compiled(weights, x))


def tensorflow(case, folder, threads):
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    x, ops = [tf.constant(x) for x in case.inputs], frameworks.TensorFlow()
    function = tf.function(lambda *x: case.call(ops, x), jit_compile=True, autograph=False)
    # Waits for the results without copying them, as numpy() does.
    return lambda: [y._numpy() for y in function(*x)]


def torch(case, folder, threads, compiles=False):
    ops = frameworks.Torch()
    ops.torch.set_num_threads(threads)
    x = [x if isinstance(x, ops.torch.Tensor) else ops.torch.from_numpy(x) for x in images(ops, case)]
    ops.torch.set_grad_enabled(False)
    case.call(ops, x)

    class Module(ops.torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = ops.torch.nn.ParameterList(ops.weights)

        def forward(self, *x):
            ops.given = iter(self.weights)
            return case.call(ops, x)

    call = Module().eval()
    if compiles:
        import torch._inductor.config as config
        config.freezing, config.compile_threads = True, 1
        call = ops.torch.compile(call)
    return lambda: call(*x)


def torch_compile(case, folder, threads):
    return torch(case, folder, threads, compiles=True)


def litert(case, folder, threads):
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=threads)
    interpreter.allocate_tensors()
    runner = interpreter
    for detail, x in zip(sorted(runner.get_input_details(), key=lambda d: d["name"]), case.inputs):
        runner.set_tensor(detail["index"], x)
    details = runner.get_output_details()

    def call():
        runner.invoke()
        return [runner.get_tensor(detail["index"]) for detail in details]

    call()
    return call


def main():
    peer, row, folder, threads = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
    if peer.startswith("export"):
        for name in row.split(","):
            (folder / name).mkdir(parents=True, exist_ok=True)
            globals()[peer](inference.make(name), folder / name)
        return
    case = inference.make(row)

    def prepare():
        call = globals()[peer](case, folder, threads)
        results = call()
        arrays = [np.asarray(y) for y in results]
        np.savez(folder / f"{peer}.npz", **{f"y{i}": y for i, y in enumerate(arrays)})
        return call, {}

    protocol.serve(prepare)


if __name__ == "__main__":
    main()
