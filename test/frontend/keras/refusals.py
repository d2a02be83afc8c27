#!/usr/bin/env python3
"""What tenon says about Keras files that it cannot compile: refusals.py TENON. Every file must end with status 1 and its message."""

import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

INPUT = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4], "dtype": "float32", "name": "x"}}


def layer(name, config=None, module="keras.layers"):
    return {"module": module, "class_name": name, "config": {"name": name.lower(), **(config or {})}}


def sequential(*layers):
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "net", "layers": [INPUT, *layers]}}


def functional(calls, outputs, **more):
    layers = [{**INPUT, "name": "x", "inbound_nodes": []}]
    for name, kind, arguments in calls:
        layers.append({**layer(kind), "name": name, "inbound_nodes": [{"args": arguments, "kwargs": {}}]})
    return {"module": "keras", "class_name": "Functional", "config": {"name": "net", "layers": layers, "input_layers": ["x", 0, 0], "output_layers": outputs, **more}}


def tensor(name, call=0, place=0):
    return {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [name, call, place]}}


def archive(config, weights=b"", **more):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        file.writestr("model.weights.h5", weights)
        for name, text in more.items():
            file.writestr(name, text)
    return out.getvalue()


def hdf5():
    """The start of a file without anything in its root."""
    head = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    head += struct.pack("<QQQQ", 0, 2**64 - 1, 96, 2**64 - 1) + struct.pack("<QQII", 0, 96, 0, 0) + bytes(16)
    return head + struct.pack("<BBHII", 1, 0, 0, 1, 0) + bytes(16)


GOOD = archive(sequential(layer("ReLU")), hdf5())
CASES = [
    # name, bytes, text of the diagnostic
    ("lambda", archive(sequential(layer("Lambda"))), "node 'lambda' (Lambda): it holds Python code, which cannot be compiled; use layers or keras.ops instead"),
    ("custom", archive(sequential(layer("Mine", module="my.package"))), "node 'mine' (Mine): a class of your own (module 'my.package') is Python code, which the file does not hold"),
    ("unknown", archive(sequential(layer("Strange"))), "node 'strange' (Strange): the layer is not supported"),
    ("all_at_once", archive(sequential(layer("Strange"), layer("Lambda"))), "node 'lambda' (Lambda)"),
    ("activation", archive(sequential(layer("Activation", {"activation": "mine"})), hdf5()), "node 'activation' (Activation): the activation function 'mine' is not one of Keras's own"),
    ("missing_weight", archive(sequential(layer("Dense", {"units": 3})), hdf5()), "layer 'dense' (Dense): weight 'kernel' is missing at 'layers/dense/vars/0' of the weights"),
    ("option", archive(sequential(layer("ReLU", {"max_value": "much"})), hdf5()), "node 'relu' (ReLU): 'max_value' must be a number"),
    ("rank", archive(sequential(layer("MaxPooling2D", {"pool_size": [2, 2]})), hdf5()), "node 'maxpooling2d' (MaxPooling2D): expected a tensor of 4 dimensions, got ?x4"),
    ("window", archive(sequential(layer("Reshape", {"target_shape": [4, 1]}), layer("MaxPooling1D", {"pool_size": [0]})), hdf5()), "'pool_size' must be at least 1"),
    ("target_shape", archive(sequential(layer("Reshape", {"target_shape": [3]})), hdf5()), "does not fit 'target_shape'"),
    ("sparse", archive({**sequential(), "config": {"name": "net", "layers": [{**INPUT, "config": {**INPUT["config"], "sparse": True}}, layer("ReLU")]}}, hdf5()), "sparse and ragged inputs are not supported"),
    ("type", archive({**sequential(), "config": {"name": "net", "layers": [{**INPUT, "config": {**INPUT["config"], "dtype": "int3"}}, layer("ReLU")]}}, hdf5()), "an input of type 'int3' is not supported"),
    ("circle", archive(functional([("a", "ReLU", [tensor("b")]), ("b", "ReLU", [tensor("a")])], ["b", 0, 0]), hdf5()), "depends on its own result"),
    ("reference", archive(functional([("a", "ReLU", [tensor("nobody")])], ["a", 0, 0]), hdf5()), "names a tensor that is not in the model"),
    ("outputs", archive(functional([("a", "ReLU", [tensor("x")])], ["nobody", 0, 0]), hdf5()), "'output_layers' names no tensors of the model"),
    ("place", archive(functional([("a", "ReLU", [tensor("x", 0, 7)])], ["a", 0, 0]), hdf5()), "result 7 is used, it has 1"),
    ("twice", archive(functional([("a", "ReLU", [tensor("x")]), ("a", "ReLU", [tensor("x")])], ["a", 0, 0]), hdf5()), "it has two layers 'a'"),
    ("not_json", archive("{"), "the configuration is not JSON"),
    ("deep", archive("[" * 100000), "the configuration nests deeper than 200 levels"),
    ("no_model", archive(layer("ReLU"), hdf5()), "expected a Sequential or Functional model"),
    ("subclass", archive({"module": "keras", "class_name": "Functional", "config": {"name": "net"}}), "the configuration has no list of layers"),
    ("no_config", archive(sequential()).replace(b"config.json", b"konfig.json"), "the archive has no 'config.json'"),
    ("cut_off", GOOD[:-8], "zip archive: its end is missing"),
    ("checksum", GOOD.replace(b"ReLU", b"RELU"), "zip archive: entry 'config.json' is damaged"),
    ("weights", archive(sequential(layer("ReLU")), b"nothing"), "HDF5: not an HDF5 file"),
    ("no_object", archive(sequential(layer("Dense", {"units": 3})), hdf5()[:100]), "HDF5: offset 96: an object is outside the file"),
    ("only_weights", hdf5(), "the file has weights only"),
    ("json", json.dumps(sequential(layer("ReLU"))).encode(), "a configuration has no weights"),
]


def main():
    tenon = sys.argv[1]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        good = pathlib.Path(folder, "good")
        good.write_bytes(GOOD)
        run = subprocess.run([tenon, "inspect", good], capture_output=True, text=True)
        if run.returncode:
            wrong += 1
            print(f"good: {run.stderr.strip()}")
        for name, data, text in CASES:
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            run = subprocess.run([tenon, "compile", path, "-o", f"{folder}/out"], capture_output=True, text=True, errors="replace")
            if run.returncode != 1 or f"{path}: error: " not in run.stderr or text not in run.stderr:
                wrong += 1
                print(f"{name}: status {run.returncode}, expected '{text}', got: {run.stderr.strip()[:400]}")
    print(f"{len(CASES)} files, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
