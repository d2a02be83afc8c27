"""Written-out cases: strings, summaries and sparse tensors: operations that the runtime does."""

import struct

import numpy as np
import tensorflow as tf

from cases import F16, F32, F64, COMPLEX, FLOATS, NUMBERS, SIGNED, SOME, UNSIGNED, Const, I, family, i, normal, special

S = np.bytes_
WORDS = ["", "a", "hello", "Hello, World", "  padded\t", "x" * 70, "gr\u00fc\u00dfe \u4f60\u597d \U0001f600", "a,b;c", "1 2  3", "tab\tline\nend"]


def texts(*values, shape=None):
    array = np.array([v.encode() if isinstance(v, str) else v for v in values], "S")
    return array if shape is None else array.reshape(shape)


def text(value):
    return Const(np.array(value.encode() if isinstance(value, str) else value))


@family
def strings_moved():
    grid = texts("a", "bb", "", "dddd", "e" * 40, "f", shape=(2, 3))
    yield "Identity", {"input": grid}
    yield "Reshape", {"tensor": grid, "shape": I(3, 2)}
    yield "Transpose", {"x": grid, "perm": I(1, 0)}
    yield "ExpandDims", {"input": grid, "axis": i(1)}
    yield "Squeeze", {"input": grid[:1], "axis": [0]}
    yield "ConcatV2", {"values": [grid, grid], "axis": i(1)}
    yield "Pack", {"values": [grid, grid], "axis": 1}
    yield "Unpack", {"value": grid, "num": 2, "axis": 0}
    yield "Split", {"axis": i(1), "value": grid, "num_split": 3}
    yield "Slice", {"input": grid, "begin": I(0, 1), "size": I(2, 2)}
    yield "StridedSlice", {"input": grid, "begin": I(0, 2), "end": I(2, 0), "strides": I(1, -1)}
    yield "Tile", {"input": grid, "multiples": I(2, 1)}
    yield "Fill", {"dims": I(2, 2), "value": texts("fill")[0]}
    yield "BroadcastTo", {"input": grid[:1], "shape": I(4, 3)}
    yield "GatherV2", {"params": grid, "indices": np.array([2, 0, 2], np.int32), "axis": i(1)}
    yield "GatherNd", {"params": grid, "indices": np.array([[1, 2], [0, 0]], np.int32)}
    yield "ReverseV2", {"tensor": grid, "axis": I(1)}
    yield "SelectV2", {"condition": np.array([[True], [False]]), "t": grid, "e": grid[:, ::-1].copy()}
    yield "Shape", {"input": grid}
    yield "Equal", {"x": grid, "y": texts("a", "", "x")}
    yield "NotEqual", {"x": grid, "y": texts("bb")[0]}
    yield "Equal", {"x": grid, "y": grid}


@family
def strings():
    words = texts(*WORDS)
    for op, name in [("StringLower", "input"), ("StringUpper", "input"), ("StringLength", "input")]:
        yield op, {name: words}
    for op in ("StringLower", "StringUpper"):
        yield op, {"input": texts("\u00c4\u00d6\u00dc \u00e9\u00c9 \u0416\u0436 \u0391\u03b1"), "encoding": "utf-8"}
    yield "StringLength", {"input": words, "unit": "UTF8_CHAR"}
    yield "StringStrip", {"input": words}
    yield "StringJoin", {"inputs": [words, text("-"), words]}
    yield "StringJoin", {"inputs": [words, words], "separator": ", "}
    yield "StringJoin", {"inputs": [text("a"), text("b")], "separator": "+"}
    for axes, keep in [((0,), False), ((1,), True), ((0, 1), False), ((1, 0), False), ((-1,), False), ((), False)]:
        yield "ReduceJoin", {"inputs": texts(*"abcdef", shape=(2, 3)), "reduction_indices": I(*axes) if axes else Const(np.zeros(0, np.int32)),
                             "keep_dims": keep, "separator": "." if keep else ""}
    for unit in ("BYTE", "UTF8_CHAR"):
        yield "Substr", {"input": words[2:], "pos": np.int32(1), "len": np.int32(2), "unit": unit}
        yield "Substr", {"input": texts("abcdef", "ghijkl"), "pos": np.array([-3, 6], np.int64), "len": np.array([2, 9], np.int64), "unit": unit}
    yield "Substr", {"input": texts(*"abcdef", shape=(2, 3)), "pos": np.array([0, 1, 0], np.int32), "len": np.array([1, 1, 0], np.int32)}
    for delimiter in (" ", "", ",;", "l"):
        for skip in (True, False):
            yield "StringSplit", {"input": words, "delimiter": text(delimiter), "skip_empty": skip}
    for sep in ("", " ", ",", "ll", "<>"):
        for most in (-1, 0, 1, 2):
            yield "StringSplitV2", {"input": words, "sep": text(sep), "maxsplit": most}
    yield "StringSplitV2", {"input": texts("<>a<>", "<><>"), "sep": text("<>")}
    for op, more in [("StringToHashBucketFast", {}), ("StringToHashBucketStrong", {"key": [123456789, 987654321]})]:
        for size in (1, 7, 1000003):
            yield op, {"input": texts(*WORDS, *["ab" * n for n in range(1, 70, 3)]), "num_buckets": size, **more}
    yield "StringToHashBucket", {"string_tensor": texts(*WORDS, *["ab" * n for n in range(1, 20)]), "num_buckets": 1000003}
    for pad in (True, False):
        yield "EncodeBase64", {"input": texts(*WORDS, b"\xff\xfe\xfd\xfc"), "pad": pad}
    yield "DecodeBase64", {"input": texts("", "YQ", "aGVsbG8", "_-8", "YQ==")}
    for out, values in [(tf.uint8, ["abcd", "efgh"]), (tf.int16, ["abcd", "efgh"]), (tf.float32, ["abcd", "1234"]), (tf.int64, ["12345678"]),
                        (tf.float64, ["abcdefgh"])]:
        for little in (True, False):
            yield "DecodeRaw", {"input_bytes": texts(*values), "out_type": out, "little_endian": little}
    for widths, pad, short in [([2], 0, False), ([1, 2, 3], -1, False), ([3], 1, False), ([4], 0, True), ([5, 2], 0, True)]:
        yield "StringNGrams", {"data": texts(*"abcdefghi"), "data_splits": np.array([0, 2, 3, 3, 9], np.int64), "separator": "|",
                               "ngram_widths": widths, "left_pad": "<", "right_pad": ">", "pad_width": pad, "preserve_short_sequences": short}


@family
def strings_numbers():
    for dtype in SIGNED + UNSIGNED:
        yield "AsString", {"input": special(dtype)}
        yield "AsString", {"input": special(dtype), "width": 6, "fill": "0"}
    for dtype in (np.int32, np.int64):
        yield "AsString", {"input": special(dtype), "width": 5, "fill": " "}
        yield "AsString", {"input": special(dtype), "width": 8, "fill": "-"}
    for dtype in FLOATS:
        x = np.concatenate([special(dtype), normal((9,), dtype)])
        yield "AsString", {"input": x}
        yield "AsString", {"input": x, "precision": 3}
        yield "AsString", {"input": x, "scientific": True}
        yield "AsString", {"input": x, "shortest": True}
        yield "AsString", {"input": x, "shortest": True, "precision": 4, "width": 12, "fill": "0"}
    for dtype in COMPLEX:
        yield "AsString", {"input": normal((4,), dtype), "precision": 2}
    yield "AsString", {"input": np.array([True, False])}
    for out in (tf.float32, tf.float64):
        yield "StringToNumber", {"string_tensor": texts("1", "-2.5", "1e10", " 3 ", "inf", "-inf", "nan", "1e-45", "3.4e39", ".5", "5.", "+7", "123456789.123"), "out_type": out}
    for out in (tf.int32, tf.int64):
        yield "StringToNumber", {"string_tensor": texts("1", "-25", " 3 ", "2147483647", "-2147483648", "007"), "out_type": out}


@family
def strings_patterns():
    words = texts(*WORDS, "aaa", "abcabc", "foo.bar", "2024-01-31", "CamelCaseWord", "line1\nline2")
    for pattern, rewrite in [("a", "b"), ("l+", "L"), (r"(\w+), (\w+)", r"\2-\1"), ("", "-"), ("x*", "_"), (r"\d+", "#"), (r"[[:space:]]+", " "),
                             (r"(?i)HELLO", "bye"), (r"[^a-z]", ""), (r"^", ">"), (r"$", "<"), (r"(?m)^", "> "), (r"a|bc|c", "[\\0]"), (r"(a*)(b?)", r"<\1\2>"),
                             (r"\b", "|"), (r".", "."), (r"(?s).", "."), (r"a{2}", "2"), (r"a{1,2}?", "y"), (r"([A-Z])", r"_\1"), (r"(?:ab|c)+", "!"),
                             (r"\.", "\\\\"), ("\u4f60", "ni"), (r"[\w.]+", "w"), (r"a??b", "q"), (r"(x)?y?", r"(\1)")]:
        for every in (True, False):
            yield "RegexReplace", {"input": words, "pattern": text(pattern), "rewrite": text(rewrite), "replace_global": every}
        if "\\" not in rewrite:
            yield "StaticRegexReplace", {"input": words, "pattern": pattern, "rewrite": rewrite}
    for pattern in ["", ".*", r"\w+", "a+", "(abc)*", r"[a-z.]+", r"\d{4}-\d{2}-\d{2}", r"(?i)hello", r"a|ab|abc", r"(?s).*", r"[^\n]*", r"(a|ab)(c|bcd)*"]:
        yield "RegexFullMatch", {"input": words, "pattern": text(pattern)}
        yield "StaticRegexFullMatch", {"input": words, "pattern": pattern}


@family
def strings_records():
    lines = texts("1,2.5,abc", '4,,"d ""q"", e"', "-7,1e3,")
    yield "DecodeCSV", {"records": lines, "record_defaults": [Const(np.zeros(0, np.int32)), Const(np.float32([9.5])), Const(np.array([b"none"]))]}
    yield "DecodeCSV", {"records": lines, "record_defaults": [Const(np.array([b"none"])), Const(np.int64([5]))], "select_cols": [2, 0]}
    yield "DecodeCSV", {"records": lines, "record_defaults": [Const(np.int64([5])), Const(np.array([b"none"]))], "select_cols": [0, 2]}
    yield "DecodeCSV", {"records": texts("1;NA;x", "NA;2;y\n"), "record_defaults": [Const(np.int32([5])), Const(np.int32([6])), Const(np.array([b"z"]))],
                        "field_delim": ";", "na_value": "NA"}
    yield "DecodeCSV", {"records": texts('a"b,c'), "record_defaults": [Const(np.array([b"z"])), Const(np.array([b"z"]))], "use_quote_delim": False}
    for errors in ("replace", "ignore"):
        for control in (False, True):
            yield "UnicodeDecode", {"input": texts(*WORDS, b"bad \xff\xc3 end", b"\xe4\xbd"), "input_encoding": "UTF-8", "errors": errors,
                                    "replace_control_characters": control}
    yield "UnicodeDecodeWithOffsets", {"input": texts(*WORDS), "input_encoding": "UTF-8"}
    yield "UnicodeDecodeWithOffsets", {"input": texts("\u4f60a\U0001f600b".encode("utf-16-be")), "input_encoding": "UTF-16-BE"}
    for encoding in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
        yield "UnicodeEncode", {"input_values": np.array([72, 0x4f60, 0x1f600, 0x20ac, 65], np.int32), "input_splits": np.array([0, 3, 3, 5], np.int64),
                                "output_encoding": encoding}
    for dtype in (F32, np.int64, np.bool_, np.complex64, np.uint16):
        yield "SerializeTensor", {"tensor": normal((2, 3), dtype)}
        yield "SerializeTensor", {"tensor": normal((), dtype)}
    yield "SerializeTensor", {"tensor": texts("a", "bcd")}


def example(**features):
    kinds = {"i": lambda v: tf.train.Feature(int64_list=tf.train.Int64List(value=v)),
             "f": lambda v: tf.train.Feature(float_list=tf.train.FloatList(value=v)),
             "b": lambda v: tf.train.Feature(bytes_list=tf.train.BytesList(value=v))}
    return tf.train.Example(features=tf.train.Features(feature={k: kinds[k[0]](v) for k, v in features.items()})).SerializeToString()


@family
def strings_examples():
    records = [example(i1=[1, -2], f1=[0.5], b1=[b"x", b"yy"], iv=[1, 2, 3]),
               example(i1=[3, 4], f1=[-1.5], b1=[b"", b"long one"], iv=[]), example(i1=[5, 1 << 40], b1=[b"q", b"r"], iv=[7])]
    serialized, names = texts(*records), Const(np.zeros(0, "S"))
    empty_i, empty_b = Const(np.zeros(0, np.int64)), Const(np.zeros(0, "S"))
    yield "ParseExampleV2", {"serialized": serialized, "names": names, "sparse_keys": Const(np.array([b"iv", b"b1"])), "dense_keys": Const(np.array([b"i1", b"f1"])),
                             "ragged_keys": names, "dense_defaults": [empty_i, Const(np.float32([7]))], "num_sparse": 2, "sparse_types": [tf.int64, tf.string],
                             "ragged_value_types": [], "ragged_split_types": [], "dense_shapes": [[2], [1]]}
    yield "ParseExampleV2", {"serialized": serialized, "names": names, "sparse_keys": Const(np.zeros(0, "S")), "dense_keys": Const(np.array([b"b1", b"iv"])),
                             "ragged_keys": names, "dense_defaults": [empty_b, Const(np.int64(-1))], "num_sparse": 0, "sparse_types": [],
                             "ragged_value_types": [], "ragged_split_types": [], "dense_shapes": [[2], [None]]}
    yield "ParseExample", {"serialized": serialized, "names": names, "sparse_keys": [text("iv")], "dense_keys": [text("i1")], "dense_defaults": [empty_i],
                           "sparse_types": [tf.int64], "dense_shapes": [[2]]}
    yield "ParseSingleExample", {"serialized": serialized[0], "dense_defaults": [empty_i, Const(np.float32([7]))], "num_sparse": 1, "sparse_keys": ["iv"],
                                 "dense_keys": ["i1", "f1"], "sparse_types": [tf.int64], "dense_shapes": [[2], [1]]}


@family
def strings_summaries():
    for dtype in (F32, F64, np.int32, np.int64, F16):
        yield "ScalarSummary", {"tags": text("loss"), "values": normal((), dtype)}
        yield "ScalarSummary", {"tags": Const(np.array([b"a", b"b"])), "values": normal((2,), dtype)}
        for shape in [(), (7,), (100, 3), (0,)]:
            yield "HistogramSummary", {"tag": text("weights"), "values": normal(shape, dtype)}
    yield "HistogramSummary", {"tag": text("w"), "values": np.array([0, 0, -0.0, 1e-13, -1e-13, 1e21, -1e21, 1e-12, 1])}
    yield "MergeSummary", {"inputs": [texts(b"\x0a\x08\x0a\x01a\x15\x00\x00\x80\x3f", shape=(1,)), texts(b"\x0a\x08\x0a\x01b\x15\x00\x00\x80\x3f", shape=(1,))]}
    yield "ShardedFilename", {"basename": texts("dir/base")[0], "shard": np.int32(3), "num_shards": np.int32(12)}
    yield "ShardedFilespec", {"basename": texts("dir/base")[0], "num_shards": np.int32(12)}
    for template, inputs in [("x={}", [normal((), F32)]), ("{} and {}", [normal((3, 4), np.int32), texts("a", 'b"c')]), ("{}", [np.arange(60).reshape(3, 20)]),
                             ("{}", [np.arange(2 * 9 * 8).reshape(2, 9, 8)]), ("{}", [np.array([1.5, 1e10, 1e-7, 0.1, np.nan, np.inf], F32)]), ("none", []),
                             ("{}", [np.array([True, False])]), ("{}", [normal((5,), np.complex64)]), ("{}", [np.array([0.1, 1 / 3, 1e300])])]:
        for summarize in (3, -1):
            yield "StringFormat", {"inputs": inputs, "template": template, "placeholder": "{}", "summarize": summarize}


@family
def sparse():
    index = np.array([[0, 1], [1, 0], [1, 2], [3, 3]], np.int64)
    yield "SparseReshape", {"input_indices": index, "input_shape": np.array([4, 6], np.int64), "new_shape": np.array([2, -1, 3], np.int64)}
    for dtype in SOME:
        yield "SparseFillEmptyRows", {"indices": index, "values": normal((4,), dtype), "dense_shape": np.array([5, 4], np.int64), "default_value": dtype(7)}
    yield "SparseFillEmptyRows", {"indices": index, "values": texts(*"abcd"), "dense_shape": np.array([5, 4], np.int64), "default_value": texts("none")[0]}
    for op in ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"):
        for dtype in (F32, F64):
            yield op, {"data": normal((6, 3), dtype), "indices": np.array([0, 5, 2, 2], np.int32), "segment_ids": np.array([0, 0, 2, 3], np.int32)}
            yield op + "WithNumSegments", {"data": normal((6, 3), dtype), "indices": np.array([0, 5, 2, 2], np.int64), "segment_ids": np.array([0, 0, 2, 3], np.int32),
                                           "num_segments": i(6)}
    for dtype in SOME:
        yield "SparseToDense", {"sparse_indices": index, "output_shape": Const(np.array([4, 5], np.int64)), "sparse_values": normal((4,), dtype), "default_value": dtype(-1)}
        yield "SparseToDense", {"sparse_indices": np.array([1, 3], np.int32), "output_shape": I(6), "sparse_values": dtype(3), "default_value": dtype(0)}
    for dtype in (F32, F64, np.int32):
        for a, b in [(False, False), (True, False), (False, True), (True, True)]:
            yield "SparseTensorDenseMatMul", {"a_indices": index, "a_values": normal((4,), dtype), "a_shape": np.array([4, 4], np.int64), "b": normal((4, 4), dtype),
                                              "adjoint_a": a, "adjoint_b": b}
        yield "SparseTensorDenseMatMul", {"a_indices": index, "a_values": normal((4,), dtype), "a_shape": np.array([5, 4], np.int64), "b": normal((4, 7), dtype)}
    for values in (normal((6,), F32), normal((6, 2), np.int32), texts(*"abcdef")):
        fill = texts("-")[0] if values.dtype.kind == "S" else values.dtype.type(9)
        splits, rows = np.array([0, 2, 2, 5, 6], np.int64), np.array([0, 0, 2, 2, 2, 3], np.int64)
        for shape in (Const(np.int64(-1)), Const(np.array([-1, 2] + [-1] * (values.ndim - 1), np.int64)), Const(np.array([6, -1] + [-1] * (values.ndim - 1), np.int64))):
            yield "RaggedTensorToTensor", {"shape": shape, "values": values, "default_value": fill, "row_partition_tensors": [splits],
                                           "row_partition_types": ["ROW_SPLITS"]}
            yield "RaggedTensorToTensor", {"shape": shape, "values": values, "default_value": fill, "row_partition_tensors": [np.int64(4), rows],
                                           "row_partition_types": ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]}
        yield "RaggedTensorToTensor", {"shape": Const(np.int64(-1)), "values": values, "default_value": fill,
                                       "row_partition_tensors": [np.array([0, 3, 4], np.int64), splits], "row_partition_types": ["ROW_SPLITS", "ROW_SPLITS"]}
    for axis in (0, 1, -1):
        yield "SparseConcat", {"indices": [index, index], "values": [normal((4,), F32), normal((4,), F32)],
                               "shapes": [np.array([4, 4], np.int64), np.array([4, 4], np.int64)], "concat_dim": axis}
