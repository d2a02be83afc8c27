#!/usr/bin/env python3
"""Writes a model that reads checkpoints, and checkpoints for it: saver.py FOLDER"""

import pathlib
import sys

from hostile_models import VALUES, entry, index
from proto import *

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "reader.pb").write_bytes(graph(
    placeholder("p", STRING, 1), const("names", STRING, (1,), None, strings("v")), const("slices", STRING, (1,), None, strings("")),
    node("q", "Squeeze", ["p"], T=a_type(STRING)), node("v", "VarHandleOp", dtype=a_type(FLOAT), shape=a_shape(2, 3), shared_name=a_text("v")),
    node("load", "RestoreV2", ["q", "names", "slices"], dtypes=a_list(data(6, b"\1"))),
    node("assign", "AssignVariableOp", ["v", "load"], dtype=a_type(FLOAT)), node("r", "ReadVariableOp", ["v"], dtype=a_type(FLOAT))))
for name, content in (("good", index()), ("crc", index(crc=1)), ("cut", index()[:-9]), ("tensor", index(entry(crc=9))), ("shape", index(entry(sizes=(3, 2))))):
    (folder / f"{name}.index").write_bytes(content)
    (folder / f"{name}.data-00000-of-00001").write_bytes(VALUES)
