#!/usr/bin/env python3
"""Assembles the GPU code of models and prints what each kernel takes.

    assemble.py TENON PTXAS [--architectures sm_80,sm_90a] FOLDER MODEL...

A model is a file that tenon compiles, or a pack of cases (test/conformance/tensorflow), whose
cases are one entry. Ends with status 1 when a model does not compile or assemble.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import zipfile


def open_model(path, folder):
    """The model's file and the options that choose its entry."""
    if path.suffix != ".zip":
        return path, []
    with zipfile.ZipFile(path) as pack:
        pack.extract("model.pb", folder)
        cases = json.loads(pack.read("cases.json"))
    feeds = [f for c in cases for f in c["feeds"]]
    results = [r for c in cases for r in c["results"]]
    return folder / "model.pb", ["--entry", f"main({', '.join(feeds)}) -> {', '.join(results)}"]


def execute(command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{command[0]}: status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def report(text):
    """name, registers and spilled bytes of each kernel, from what ptxas -v says."""
    name, spilled = None, 0
    for line in text.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            name = found[1]
        elif found := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = int(found[1]) + int(found[2])
        elif found := re.search(r"Used (\d+) registers", line):
            yield name, int(found[1]), spilled


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon")
    parser.add_argument("ptxas")
    parser.add_argument("--architectures", default="sm_80")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    for path in args.models:
        model, options = open_model(path, args.folder)
        for architecture in args.architectures.split(","):
            code = args.folder / "code.ptx"
            execute([args.tenon, "compile", model, *options, f"--cuda={architecture}", "--emit=ptx", "-o", code])
            said = execute([args.ptxas, f"-arch={architecture}", "-v", code, "-o", args.folder / "code.cubin"])
            print(f"{path.parent.name}/{path.name}, {architecture}\n{'kernel':<64}registers  spilled")
            for name, registers, spilled in report(said):
                print(f"{name[:62]:<64}{registers:>9}" + (f"  {spilled} bytes spilled" if spilled else ""))


if __name__ == "__main__":
    main()
