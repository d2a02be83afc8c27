#!/usr/bin/env python3
"""Writes Definitions.def, what TensorFlow's registry says of operations: definitions.py TENON

Those that `tenon --support-table` lists, and some that graphs contain beside them. Needs TensorFlow 2.21.
"""

import pathlib
import re
import subprocess
import sys

import tensorflow as tf  # noqa: F401 (registers operations)
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

BESIDE = """
ApproxTopK AnonymousIterator BatchDataset BatchDatasetV2 BlockLSTM BlockLSTMV2 CombinedNonMaxSuppression CudnnRNN CudnnRNNV2 CudnnRNNV3 DecodeWav Eig
FIFOQueue FIFOQueueV2 FixedLengthRecordReaderV2 GRUBlockCell IteratorGetNext IteratorV2 LSTMBlockCell MakeIterator MapDataset OneShotIterator PaddingFIFOQueueV2
ParallelMapDataset QueueCloseV2 QueueDequeueManyV2 QueueDequeueUpToV2 QueueDequeueV2 QueueEnqueueManyV2 QueueEnqueueV2 QueueSizeV2 RandomShuffleQueue
RandomShuffleQueueV2 ReaderRead ReaderReadV2 RepeatDataset ShuffleDataset TFRecordDataset TFRecordReader TFRecordReaderV2 TensorDataset TensorSliceDataset
TextLineDataset TextLineReaderV2 WholeFileReaderV2
"""
KINDS = {"int": "i", "float": "f", "bool": "b", "string": "s", "type": "t", "shape": "h", "tensor": "x", "func": "F"}


def argument(arg):
    if arg.type_list_attr:
        return f"{arg.name}:{arg.type_list_attr}[]"
    of = arg.type_attr or str(arg.type)
    return f"{arg.name}:{arg.number_attr}*{of}" if arg.number_attr else f"{arg.name}:{of}"


def attribute(attr):
    kind = attr.type
    text = "*" + KINDS[kind[5:-1]] if kind.startswith("list(") else KINDS[kind]
    if attr.has_minimum:
        text += f">{attr.minimum}"
    if attr.HasField("default_value"):
        value = attr.default_value
        text += "=" + {"i": lambda: str(value.i), "t": lambda: str(value.type), "*t": lambda: ",".join(map(str, value.list.type))}.get(text.split(">")[0], str)()
    return f"{attr.name}:{text}"


table = subprocess.run([sys.argv[1], "--support-table"], capture_output=True, text=True, check=True).stdout
rows = table[table.index("TensorFlow operations"):table.index("Keras layers")]
names = sorted({*re.findall(r"\b\w+\b", "".join(line.split("|")[2] for line in rows.splitlines() if line.count("|") > 2)), *BESIDE.split()})
lines = []
for name in names:
    op = op_def_registry.get(name)
    if op:
        fields = (" ".join(map(argument, op.input_arg)), " ".join(map(argument, op.output_arg)), " ".join(map(attribute, op.attr)))
        lines.append(f'DEFINITION({name}, ' + ", ".join(f'"{f}"' for f in fields) + ")\n")
assert types_pb2.DT_FLOAT == 1
(pathlib.Path(__file__).parent / "Definitions.def").write_text(
    "// Made by definitions.py from TensorFlow 2.21; Definitions.cpp says what it means.\n\n" + "".join(lines))
print(len(lines), "operations")
