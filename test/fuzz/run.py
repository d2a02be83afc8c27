#!/usr/bin/env python3
"""Lets the fuzzers run: run.py FOLDER-OF-PROGRAMS [--seconds N] [--only TARGET]

Each target starts from its part of the corpus, as many at a time as there are
cores. What it finds is printed, and kept where --keep says; a file of that kind
belongs into the corpus under a name that begins with `found-`.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = {
    "fuzz-models": ("graphdef", "graphdef-text", "metagraph", "recognition", "savedmodel", "keras", "keras-h5", "keras-json", "checkpoint", "entry"),
    "fuzz-runtime": ("npy", "npz", "literal", "restore", "restore-file", "regex", "csv", "records", "arrays", "pictures"),
}
CORPUS = pathlib.Path(__file__).parent / "corpus"


def fuzz(program, target, seconds, scratch, dictionary=()):
    folder = scratch / target
    folder.mkdir()
    command = [program, f"-max_total_time={seconds}", "-timeout=30", "-rss_limit_mb=3000", "-verbosity=0",
               "-print_final_stats=1", f"-artifact_prefix={folder}/found-", *dictionary, folder / "grown", CORPUS / target]
    (folder / "grown").mkdir()
    done = subprocess.run(command, env={**os.environ, "TENON_FUZZ_TARGET": target}, capture_output=True, errors="replace")
    return target, done.returncode, done.stderr, sorted(folder.glob("found-*"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(fuzz, (args.programs / program).resolve(), target, args.seconds, pathlib.Path(scratch))
                for program, targets in PROGRAMS.items() for target in targets if args.only in target]
        for job in jobs:
            target, status, text, found = job.result()
            runs = next((line.split()[-1] for line in text.splitlines() if "number_of_executed_units" in line), "?")
            print(f"{target}: {runs} runs{', FAILED' if status else ''}", flush=True)
            if not status:
                continue
            failed += 1
            print(text[-6000:])
            for path in found:
                print(f"{path.name}: {path.read_bytes().hex()}")
                if args.keep:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, args.keep / f"{target}-{path.name}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
