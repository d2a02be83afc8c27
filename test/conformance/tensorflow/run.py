#!/usr/bin/env python3
"""Compiles packs of cases, runs them and compares with TensorFlow's results.

    run.py [--tenon build/bin/tenon] [--options '--cpu native'] [--report FILE] PACK.zip...

A pack holds a graph with many one-op cases, their inputs and wanted outputs (generate.py
makes them). It is one artifact with one entry; when it does not compile or run, halves are tried
until the cases that are at fault stand alone. Cases that TensorFlow ends with an error must end
with one line that names a node. Needs Python alone.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import zipfile

import values


class Failure(Exception):
    pass


def execute(what, command, limit):
    try:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failure(f"{what} hangs: stopped after {limit} s") from None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode < 0:
        reason = next((x for x in lines if "ssert" in x or "UNREACHABLE" in x), lines[0] if lines else "")
        raise Failure(f"{what} crash: signal {-done.returncode} {reason}")
    if done.returncode:
        raise Failure(f"{what} error: " + (next((x for x in lines if "error" in x), lines[0]).split('error: ', 1)[-1] if lines else f"status {done.returncode}"))


class Pack:
    def __init__(self, path, args):
        self.args, self.name = args, pathlib.Path(path).stem
        self.folder = tempfile.TemporaryDirectory(prefix="conformance-")
        self.work = pathlib.Path(self.folder.name)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(self.work)
        self.cases = json.loads((self.work / "cases.json").read_text())
        self.wanted = values.load(self.work / "want.npz")

    def feed(self, feeds):
        """A file with the inputs, if there are any."""
        if not feeds:
            return []
        part = self.work / "part.npz"
        with zipfile.ZipFile(self.work / "in.npz") as whole, zipfile.ZipFile(part, "w") as some:
            kept = {f + suffix for f in feeds for suffix in (".npy", "__bf16.npy")}
            for member in whole.namelist():
                if member in kept:
                    some.writestr(member, whole.read(member))
        return [part]

    def attempt(self, cases):
        """Reasons of the cases that give wrong results; raises Failure when there is no program."""
        feeds = [f for c in cases for f in c["feeds"]]
        results = [r for c in cases for r in c["results"]]
        program, out = self.work / "program", self.work / "out.npz"
        execute("compile", [self.args.tenon, "compile", self.work / "model.pb", "-o", program, "--entry",
                            f"main({', '.join(feeds)}) -> {', '.join(results)}", *shlex.split(self.args.options)], 60 + 2 * len(cases))
        command = [program, *self.feed(feeds), "-o", out]
        out.unlink(missing_ok=True)
        execute("run", command, 30 + len(cases))
        got, wrong = values.load(out), {}
        for case in cases:
            for name in case["results"]:
                reason = values.differ(got.get(name), self.wanted[name], case["tolerance"])
                if reason:
                    wrong[case["name"]] = f"{name} {reason}"
                    break
        return wrong

    def end(self, cases):
        """The same for runs that must end with an error: an entry point for each."""
        program = self.work / "program"
        entries = [f"--entry={c['name']}({', '.join(c['feeds'])}) -> {', '.join(c['results'])}" for c in cases]
        execute("compile", [self.args.tenon, "compile", self.work / "model.pb", "-o", program, *entries, *shlex.split(self.args.options)], 60 + 2 * len(cases))
        wrong = {}
        for case in cases:
            try:
                reason = self.ended(case, [program, "--entry", case["name"], *self.feed(case["feeds"])])
            except Failure as failure:
                reason = str(failure)
            if reason:
                wrong[case["name"]] = reason
        return wrong

    def ended(self, case, command):
        try:
            done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30)
        except subprocess.TimeoutExpired:
            return "hangs"
        lines = done.stderr.decode(errors="replace").splitlines()
        if done.returncode != 1:
            return f"status {done.returncode}, expected 1 {lines[:1]}"
        if len(lines) != 1:
            return f"{len(lines)} lines, expected one: {lines}"
        return None if any(f"'{n}'" in lines[0] for n in case["fails"]) else f"no node is named: {lines[0]}"

    def check(self, cases=None, attempt=None):
        if cases is None:
            fail = [c for c in self.cases if "fails" in c]
            run = [c for c in self.cases if "fails" not in c]
            return (self.check(run, self.attempt) if run else {}) | (self.check(fail, self.end) if fail else {})
        try:
            return attempt(cases)
        except Failure as failure:
            if len(cases) == 1:
                return {cases[0]["name"]: str(failure)}
            half = len(cases) // 2
            return self.check(cases[:half], attempt) | self.check(cases[half:], attempt)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packs", nargs="+")
    parser.add_argument("--tenon", default="build/bin/tenon")
    parser.add_argument("--options", default="--cpu native")
    parser.add_argument("--report", type=pathlib.Path, help="append each case with its outcome, one JSON object a line")
    args = parser.parse_args()
    count = failed = 0
    for path in args.packs:
        pack = Pack(path, args)
        wrong = pack.check()
        count, failed = count + len(pack.cases), failed + len(wrong)
        for case in pack.cases:
            reason = wrong.get(case["name"])
            if reason:
                print(f"FAIL {pack.name} {case['op']} {case['dtype']} {case['what']}: {reason[:400]}", flush=True)
            if args.report:
                with args.report.open("a") as report:
                    report.write(json.dumps({"pack": pack.name, **{k: case[k] for k in ("family", "op", "dtype", "what")}, "reason": reason}) + "\n")
        print(f"{pack.name}: {len(pack.cases) - len(wrong)} of {len(pack.cases)} passed", flush=True)
    if not count:
        sys.exit("no cases")
    if failed:
        sys.exit(f"{failed} of {count} cases failed")


if __name__ == "__main__":
    main()
