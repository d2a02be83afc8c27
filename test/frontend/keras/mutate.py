#!/usr/bin/env python3
"""Changes Keras models in ways that still parse and checks that tenon refuses or accepts them, and never crashes.

    mutate.py TENON MODEL.keras... [--count N] [--seed N] [--keep DIR]     a .zip stands for all `model.keras` inside

A value of the configuration becomes another one, or goes, or bytes of the weights change; the archive is written anew, so that
its checksums hold. Every run must end with status 0 or 1 within the time limit, and status 1 must come with `error:`.
"""

import argparse
import copy
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import zipfile

STRANGE = [None, True, False, 0, -1, 1, 2, 7, 1 << 31, (1 << 63) - 1, -(1 << 63), 1e300, -0.5, "", "x", "valid", "channels_first", "Dense", [], [0], [-1, -1], [1, 2, 3, 4, 5],
           [[1, 2], [3, 4]], {}, {"class_name": "Dense", "config": {}}, float("nan"), float("inf")]


def places(value, found, path=()):
    """All places of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.append(path + (key,))
        places(inner, found, path + (key,))
    return found


def change(config, rng):
    config = copy.deepcopy(config)
    for _ in range(rng.randrange(1, 3)):
        path = rng.choice(places(config, []))
        holder = config
        for key in path[:-1]:
            holder = holder[key]
        way = rng.randrange(4)
        if way == 0:
            del holder[path[-1]]
        elif way == 1:
            other = config
            for key in rng.choice(places(config, [])):
                other = other[key]
            holder[path[-1]] = copy.deepcopy(other)
        else:
            holder[path[-1]] = copy.deepcopy(rng.choice(STRANGE))
    return config


def damage(data, rng):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data)) if rng.random() < 0.3 else rng.randrange(min(len(data), 6000))
        data[at:at + rng.choice((1, 1, 2, 8))] = bytes([rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF, rng.randrange(256)))]) * rng.choice((1, 1, 2, 8))
    return bytes(data[:rng.randrange(len(data))] if rng.random() < 0.1 else data)


def read(models):
    """Names, configurations and weights."""
    for model in models:
        with zipfile.ZipFile(model) as archive:
            inside = [name for name in archive.namelist() if name.endswith(".keras")] if model.suffix == ".zip" else []
            files = [(name, io.BytesIO(archive.read(name))) for name in inside] or [(str(model), model)]
        for name, file in files:
            with zipfile.ZipFile(file) as archive:
                yield name, json.loads(archive.read("config.json")), archive.read("model.weights.h5")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tenon")
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=30, help="changes of each model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--command", default="inspect")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for what crashed")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    accepted = refused = crashed = 0
    with tempfile.TemporaryDirectory() as scratch:
        target = pathlib.Path(scratch) / "model.keras"
        for model, config, weights in read(args.models):
            for number in range(args.count):
                text, bytes_ = (json.dumps(change(config, rng)), weights) if rng.random() < 0.7 else (json.dumps(config), damage(weights, rng))
                with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if rng.random() < 0.2 else zipfile.ZIP_STORED) as archive:
                    archive.writestr("config.json", text)
                    archive.writestr("model.weights.h5", bytes_)
                output = ["-o", f"{scratch}/out.o"] if args.command == "compile" else []
                try:
                    run = subprocess.run([args.tenon, args.command, target, *output], capture_output=True, text=True, errors="replace", timeout=60)
                    good = run.returncode == 0 or (run.returncode == 1 and "error:" in run.stderr)
                    status = run.returncode
                except subprocess.TimeoutExpired:
                    good, status = False, "timeout"
                if good:
                    accepted, refused = accepted + (status == 0), refused + (status == 1)
                    continue
                crashed += 1
                print(f"{model} change {number}: status {status}")
                if args.keep:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    (args.keep / f"{pathlib.Path(model).parent.name}.{number}.keras").write_bytes(target.read_bytes())
    print(f"{accepted} accepted, {refused} refused, {crashed} crashed")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
