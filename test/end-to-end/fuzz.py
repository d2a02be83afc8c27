#!/usr/bin/env python3
"""Damages model files and checks that tenon refuses or accepts them, and never crashes.

    fuzz.py TENON MODEL [--count N] [--seed N] [--command inspect|compile]

A SavedModel directory has one of its files damaged at a time. Every run must end
with status 0 or 1 within the time limit, and status 1 must come with `error:`.
Plain Python, deterministic for a seed.
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile


def damage(data, rng):
    """One of the ways in which files go wrong."""
    data = bytearray(data)
    way = rng.randrange(6)
    if not data or way == 0:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(64)))
    if way == 1:
        return bytes(data[:rng.randrange(len(data))])
    if way == 2:  # a few flipped bits
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif way == 3:  # a run of extreme bytes: huge lengths, negative numbers
        at = rng.randrange(len(data))
        data[at:at + rng.randrange(1, 12)] = bytes([rng.choice((0x00, 0x7F, 0x80, 0xFF))]) * rng.randrange(1, 12)
    elif way == 4:  # a piece twice
        at, size = rng.randrange(len(data)), rng.randrange(1, 200)
        data[at:at] = data[at:at + size]
    else:  # a piece missing
        at = rng.randrange(len(data))
        del data[at:at + rng.randrange(1, 200)]
    return bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tenon")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--command", default="inspect")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for what crashed")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    accepted = refused = 0
    bad = []
    with tempfile.TemporaryDirectory() as scratch:
        target = pathlib.Path(scratch) / args.model.name
        for number in range(args.count):
            if args.model.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(args.model, target)
                victim = rng.choice(sorted(p for p in target.rglob("*") if p.is_file()))
                victim.write_bytes(damage(victim.read_bytes(), rng))
            else:
                target.write_bytes(damage(args.model.read_bytes(), rng))
            command = [args.tenon, args.command, str(target)]
            if args.command == "compile":
                command += ["-o", f"{scratch}/out.o", "--cpu", "native"]
            try:
                done = subprocess.run(command, capture_output=True, timeout=60)
                status, text = done.returncode, done.stderr.decode(errors="replace")
            except subprocess.TimeoutExpired:
                status, text = "timeout", ""
            if status == 0:
                accepted += 1
            elif status == 1 and "error:" in text:
                refused += 1
            else:
                first = next((line for line in text.splitlines() if "ssert" in line or "UNREACH" in line or "error" in line), text[:200])
                bad.append(f"damage {number}: status {status}: {first[:300]}")
                if args.keep:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    kept = args.keep / f"{args.model.parent.name}-{args.model.name}-{number}"
                    (shutil.copytree if target.is_dir() else shutil.copy)(target, kept)
    print("\n".join([*bad, f"{accepted} accepted, {refused} refused, {len(bad)} crashed"]))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
