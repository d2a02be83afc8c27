"""Writes a SavedModel whose table is filled from an asset: assets.py FOLDER field|collection

TensorFlow 2 lists assets in a field, TensorFlow 1 in a collection. The path in the graph leads nowhere.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "fuzz"))
from proto import *  # noqa: E402

TABLE = dict(key_dtype=a_type(STRING), value_dtype=a_type(INT64))
TYPES = dict(Tin=a_type(STRING), Tout=a_type(INT64))
definition = graph(
    placeholder("words", STRING, -1), const("path", STRING, (), None, strings("/was/here/words.txt")), const("none", INT64, (), None, longs(-1)),
    node("table", "HashTableV2", shared_name=a_text("words"), **TABLE),
    node("fill", "InitializeTableFromTextFileV2", ["table", "path"], key_index=a_int(-2), value_index=a_int(-1)), node("main", "NoOp", ["^fill"]),
    node("found", "LookupTableFindV2", ["table", "words", "none"], **TYPES))
asset = data(1, data(1, "path:0")) + data(2, "words.txt")
main = data(4, data(1, "saved_model_main_op") + data(2, data(1, data(1, "main"))))
listed = data(4, data(1, "saved_model_assets") + data(2, data(5, data(1, data(1, "type.googleapis.com/tensorflow.AssetFileDef") + data(2, asset)))))
serve = {"serve": signature({"words": info("words:0", STRING, -1)}, {"found": info("found:0", INT64, -1)})}

folder = pathlib.Path(sys.argv[1])
(folder / "assets").mkdir(parents=True, exist_ok=True)
(folder / "assets/words.txt").write_text("apple\nbanana\ncherry\n")
(folder / "saved_model.pb").write_bytes(saved_model(meta_graph(definition, serve, more=main + (listed if sys.argv[2] == "collection" else data(6, asset)))))
