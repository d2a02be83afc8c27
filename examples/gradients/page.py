#!/usr/bin/env python3
"""Writes a page about the kernels of models and of their derivatives.

    page.py TENON > README.md

For the models beside it (graphs whose weights are placeholders w0, w1, ...): which
kernels compute the loss, which ones its derivatives by all weights, and what the
first leave in memory for the second.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODELS = {
    "lenet": ("LeNet", "batch 32", 10),
    "transformer": ("A transformer block", "batch 32, 128 tokens of width 256, 4 heads", 16),
    "lstm": ("An LSTM", "batch 32, 50 steps of 64 numbers, 128 units", 5),
}
KINDS = {"kernel.contract": "product", "kernel.pack": "packing", "kernel.window": "window", "kernel.rows": "rows",
         "linalg.copy": "copy", "linalg.transpose": "transpose"}
SIZES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "i8": 1, "i1": 1}


def shape(memref):
    """[32, 10], "f32" of memref<32x10xf32, ...>."""
    *sizes, element = re.match(r"memref<([^,>]*)", memref).group(1).split("x")
    return [int(size) for size in sizes], element


def size(memref):
    sizes, element = shape(memref)
    total = SIZES[element]
    for each in sizes:
        total *= each
    return total


class Kernel:
    def __init__(self, text, roots, places, in_loop):
        head = text.split("{", 1)[0] if " ins(" not in text and " outs(" not in text else text
        self.op = head.split()[0]
        self.in_loop = in_loop
        self.reads, self.writes = [], []
        for group, values in (("ins", self.reads), ("epilogue", self.reads), ("weights", self.reads),
                              ("outs", self.writes)):
            found = re.search(rf"\b{group}\((%[^:]*): ([^)]*(?:\([^)]*\)[^)]*)*)\)", head)
            if found:
                types = re.findall(r"memref<[^>]*(?:<[^>]*>[^>]*)*>|[a-z]\d+", found.group(2))
                values += zip([roots.get(v.strip(), v.strip()) for v in found.group(1).split(",")], types)
        # Values that the body reads by index.
        self.reads += [(roots.get(v, v), t) for v, t in re.findall(r"memref\.load (%\w+)\[[^]]*\] : (memref<[^ ]*>)", text)]
        last = text.rsplit("\n", 1)[-1]
        nodes = re.findall(r'"([^"]+)"\(#', last) or [places.get(p) for p in re.findall(r"#loc\d+", last)]
        # A cross entropy's node is called after its function twice.
        self.nodes = list(dict.fromkeys(node.split("/")[-1] for node in nodes if node))
        self.is_reduction = '"reduction"' in text

    def kind(self):
        if self.op in KINDS:
            return KINDS[self.op]
        return "reduction" if self.is_reduction else "elementwise"

    def result(self):
        return "x".join(str(s) for s in shape(self.writes[0][1])[0]) or "scalar"

    def is_small(self):
        return not shape(self.writes[0][1])[0] and self.writes[0][1] != "memref<f32>"


def kernels(text):
    """The kernels of an entry after buffers have got their places, in order."""
    lines, result, roots, loops = text.splitlines(), [], {}, []
    places = dict(re.findall(r'^(#loc\d+) = "([^"]+)"', text, re.M))
    i = 0
    while i < len(lines):
        line = lines[i]
        indent = len(line) - len(line.lstrip())
        stripped = line.strip()
        while loops and indent <= loops[-1] and stripped.startswith("}") and " do {" not in line:
            loops.pop()
        if stripped.startswith("scf.while"):
            loops.append(indent)
        view = re.match(r"(%\w+) = memref\.\w+ (%\w+)", stripped)
        if view:
            roots[view.group(1)] = roots.get(view.group(2), view.group(2))
        if re.match(r"(linalg\.(?!yield|index)|kernel\.(contract|pack|window|rows))", stripped):
            whole = [stripped]
            # To the end of the op's region, if it has one.
            while whole[-1].endswith("{") or len(whole) > 1 and not (
                    len(lines[i]) - len(lines[i].lstrip()) == indent and whole[-1].startswith("}")):
                i += 1
                whole.append(lines[i].strip())
            result.append(Kernel("\n".join(whole), roots, places, bool(loops)))
        i += 1
    return [kernel for kernel in result if not kernel.is_small() and kernel.op != "linalg.fill"]


def table(rows):
    print("| kernel | what | result |\n|---|---|---|")
    for kernel in rows:
        nodes = " + ".join(f"`{node}`" for node in kernel.nodes) or "–"
        print(f"| {nodes} | {kernel.kind()}{', every step' if kernel.in_loop else ''} | {kernel.result()} |")
    print()


def page(tenon, name, title, about, weights):
    inputs = [f"w{i}" for i in range(weights)] + ["x0", "x1"]
    results = [f"d{i} = grad(loss:0, w{i}:0)" for i in range(weights)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([tenon, "compile", HERE / f"{name}.pb", "-o", f"{folder}/{name}", "--cpu", "x86-64-v3", "-g",
                        "--save-temps", folder, "--entry", f"main({', '.join(inputs)}) -> loss, {', '.join(results)}"],
                       check=True)
        report = subprocess.run([tenon, "inspect", "--json", f"{folder}/{name}"], check=True, capture_output=True,
                                text=True)
        text = next(pathlib.Path(folder).glob("*.buffers.mlir")).read_text()
    arena = json.loads(report.stdout)["arena_bytes"]
    all_kernels = kernels(text)
    last = max(i for i, kernel in enumerate(all_kernels) if kernel.writes[0][1] == "memref<f32>")
    forward, backward = all_kernels[:last + 1], all_kernels[last + 1:]
    # What the derivatives read that the loss's kernels were the last to write.
    written, kept = {}, {}
    for kernel in forward:
        for root, memref in kernel.writes:
            written[root] = kernel
    for kernel in backward:
        for root, memref in kernel.reads:
            if root in written:
                kept.setdefault(root, written[root])
        for root, _ in kernel.writes:
            written.pop(root, None)
    print(f"## {title}\n\n{about[0].upper() + about[1:]}. A call has {arena / 2**20:.1f} MiB of memory beside weights, "
          f"inputs and results.\n\n### The loss: {len(forward)} kernels\n")
    table(forward)
    print(f"### Its derivatives by {weights} weights: {len(backward)} kernels\n")
    table(backward)
    print("### What is kept in between\n\n| made by | shape | bytes |\n|---|---|---|")
    total = 0
    for root, kernel in kept.items():
        memref = definitions(text).get(root, kernel.writes[0][1])
        total += size(memref)
        nodes = " + ".join(f"`{node}`" for node in kernel.nodes)
        print(f"| {nodes} | {'x'.join(map(str, shape(memref)[0]))} | {size(memref):,} |")
    print(f"\n{total:,} bytes in all.\n")


def definitions(text):
    return dict(re.findall(r"(%\w+) = builtin\.unrealized_conversion_cast .* to (memref<\S*>)", text))


def main():
    print("""# What derivatives compute and keep

Written by `page.py`: the kernels that Tenon makes of three models' losses and of their derivatives by all weights, in
the order in which they run. A kernel is named after the nodes of the model that it computes, or whose derivative it
does; nodes behind a `+` are computed with it, before its result is stored. Sums start from zeros that are not listed.
""")
    for name, (title, about, weights) in MODELS.items():
        page(sys.argv[1], name, title, about, weights)


if __name__ == "__main__":
    main()
