#!/usr/bin/env python3
"""Gives tenon files that nobody means well with, and checks that each is refused.

    hostile.py TENON FAMILY... [--only NAME] [--keep DIR]

Families: graphs, definitions (of nodes), ops (in graphs), models (SavedModels and checkpoints), keras, programs (what compiled
programs are fed with). Every run must end with status 1 (2 for words on
the command line) and one clear message
that names the place, within a few seconds and with little memory.
"""

import argparse
import importlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

SECONDS = 10  # of the processor: machines may be busy
BYTES = 700 << 20  # resident; the compiler's own libraries are 150 MiB of it


def run(command, directory, patience=1):
    """Status, messages, seconds of the processor, and resident bytes at most."""
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=messages, cwd=directory)
        timer = None
        try:
            timer = threading.Timer(30 * SECONDS * patience, process.kill)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
        messages.seek(0)
        text = messages.read().decode(errors="replace")
    return process.returncode, text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10


def judge(status, text, seconds, memory, says, sanitized):
    errors = [line for line in text.splitlines() if "error: " in line]
    # A command line that cannot be read ends with status 2, and no "error:".
    usage = status == 2 and text.startswith("tenon: ")
    if status != 1 and not usage:
        return f"status {status}: {text[-400:]}"
    if not errors and not usage:
        return f"no message: {text[:400]}"
    if says not in text:
        return f"says: {text[:300]}, expected: {says}"
    if len(text) > 20000:
        return f"a message of {len(text)} bytes"
    if any(ord(c) < 32 and c not in "\n\t" for c in text):
        return f"control characters in the message: {text[:300]!r}"
    if seconds > SECONDS * (10 if sanitized else 1):
        return f"took {seconds:.1f} s"
    if memory > BYTES and not sanitized:
        return f"took {memory >> 20} MiB"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tenon")
    parser.add_argument("families", nargs="+", choices=["graphs", "definitions", "ops", "models", "keras", "programs"])
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    tenon = os.path.abspath(shutil.which(args.tenon) or args.tenon)
    sanitized = "ASAN_OPTIONS" in os.environ
    refused, bad = 0, []
    for family in args.families:
        module = importlib.import_module(f"hostile_{family}")
        with tempfile.TemporaryDirectory() as scratch:
            for name, command, says in module.commands(tenon, pathlib.Path(scratch)):
                if args.only not in name:
                    continue
                status, text, seconds, memory = run(command, scratch, patience=10 if sanitized else 1)
                wrong = judge(status, text, seconds, memory, says, sanitized)
                if args.verbose:
                    print(f"{name}: {seconds:.2f} s, {memory >> 20} MiB: {text.strip()[:300]}", flush=True)
                if wrong:
                    bad.append(f"{name}: {wrong}")
                    print(bad[-1], flush=True)
                    if args.keep:
                        shutil.copytree(scratch, args.keep / name, dirs_exist_ok=True)
                refused += not wrong
    print(f"{refused} refused, {len(bad)} not")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
