#!/usr/bin/env python3
"""Every op of the graph dialect has a derivative that is checked, or says why it has none.

    coverage.py LIST_RULES TENON_TRANSLATE FOLDER...

LIST_RULES prints what is known of each op. An op with a rule must be in a function of one of
the folders, whose derivatives the other tests compare with TensorFlow's and with differences.
"""

import pathlib
import re
import subprocess
import sys

# They have effects and no results that could have a derivative.
EFFECTS = ("assign check print save_tensors table_insert table_read_text table_remove variable write_file yield").split()
# Their rules are checked otherwise, or cannot be.
ELSEWHERE = {
    "layer_norm": "no TensorFlow operation makes it",
    "matrix_exp": "TensorFlow writes it out",
    "source": "marks what derivatives are taken by",
    "scale_translate_grad": "the derivative of scale_translate, which is linear",
    "special_function": "test/dialects/graph/distribution has slopes of known values",
    "trunc_mod": "TensorFlow has no derivative of it; the rule is that of floor_mod",
}


def output(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout


def main():
    rules, translate, *folders = sys.argv[1:]
    known = dict(line.split(" ", 1) for line in output(rules).splitlines())
    used = set()
    for folder in map(pathlib.Path, folders):
        used.update(re.findall(r"\bgraph\.\w+", output(translate, "--import-model", folder / "graph.pb")))
    failures = 0
    for name, kind in sorted(known.items()):
        short = name.removeprefix("graph.")
        if kind == "none" and short not in EFFECTS:
            print(f"{name}: says nothing about its derivative")
        elif kind == "rule" and name not in used and short not in ELSEWHERE:
            print(f"{name}: has a derivative that no function checks")
        else:
            continue
        failures += 1
    counts = {kind: sum(k.startswith(kind) for k in known.values()) for kind in ("rule", "zero", "refused")}
    print(f"{counts['rule']} ops with a rule, {counts['zero']} with zero, {counts['refused']} that say why not")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
