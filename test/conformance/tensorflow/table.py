#!/usr/bin/env python3
"""Writes the table of README.md from the packs in `fixtures`, or from what run.py reported.

    table.py README.md [--report FILE] [--check]

Without a report every case counts as passed: that the packs pass is what the tests beside them say.
"""

import argparse
import collections
import json
import pathlib
import sys
import zipfile

BEGIN, END = "<!-- table:begin -->\n", "<!-- table:end -->\n"
ORDER = ["float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool", "complex64",
         "complex128", "string"]
SHORT = {"float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
         "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "complex64": "c64", "complex128": "c128"}


def packed(folder):
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            yield from json.loads(archive.read("cases.json"))


def table(cases):
    families = collections.defaultdict(lambda: collections.defaultdict(list))
    for case in cases:
        families[case["family"].removeprefix("drawn_")][case["op"]].append(case)
    total = sum(len(cases) for operations in families.values() for cases in operations.values())
    passed = sum(not c.get("reason") for operations in families.values() for cases in operations.values() for c in cases)
    names = {op for operations in families.values() for op in operations}
    lines = [f"{total} cases of {len(names)} operations, {passed} passed.", "", "| family | operation | cases | passed | types |", "|---|---|---|---|---|"]
    for family, operations in sorted(families.items()):
        for op, cases in sorted(operations.items()):
            types = sorted({c["dtype"] for c in cases}, key=lambda t: ORDER.index(t) if t in ORDER else len(ORDER))
            good = sum(not c.get("reason") for c in cases)
            lines.append(f"| {family} | {op} | {len(cases)} | {good} | {' '.join(SHORT.get(t, t) for t in types)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="only compare")
    args = parser.parse_args()
    cases = map(json.loads, args.report.read_text().splitlines()) if args.report else packed(args.page.parent / "fixtures")
    text = args.page.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    made = before + BEGIN + table(cases) + END + after
    if args.check:
        sys.exit(0 if made == text else f"{args.page} is not what the packs say: run table.py {args.page}")
    args.page.write_text(made)


if __name__ == "__main__":
    main()
