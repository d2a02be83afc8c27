// Things that only the machine around the program can do: files, output,
// tables, time.
#ifndef TENON_GRAPH_HOST
#define TENON_GRAPH_HOST

include "dialects/graph/HostCall.td"

class Graph_WorldOp<string mnemonic, string text, dag operands, dag outputs, list<Trait> traits>
    : Graph_HostOp<mnemonic, traits> {
  let summary = text;
  let arguments = operands;
  let results = outputs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

// Output.

def Graph_PrintOp : Graph_WorldOp<"print", "writes a message and the elements of tensors to stderr, at most `first_n` times",
    (ins Variadic<Graph_Tensor>:$data, StrAttr:$message, I64Attr:$first_n, I64Attr:$summarize), (outs), [MemoryEffects<[MemRead, MemWrite]>]>;

def Graph_PrintTextOp : Graph_WorldOp<"print_text", "writes a text to `stream`: stdout, stderr, a log or file://PATH",
    (ins Graph_StringTensor:$text, StrAttr:$stream, StrAttr:$end), (outs), [MemoryEffects<[MemRead, MemWrite]>]>;

def Graph_ScalarSummaryOp : Graph_WorldOp<"scalar_summary", "a Summary message with a value per tag",
    (ins Graph_StringTensor:$tags, Graph_Tensor:$values), (outs Graph_StringTensor:$result), [Pure]>;

def Graph_HistogramSummaryOp : Graph_WorldOp<"histogram_summary", "a Summary message with the histogram of a tensor; fails when an element is not finite",
    (ins Graph_StringTensor:$tag, Graph_Tensor:$values), (outs Graph_StringTensor:$result), [Pure]>;

def Graph_MergeSummaryOp : Graph_WorldOp<"merge_summary", "the values of several Summary messages in one; fails when a tag repeats",
    (ins Variadic<Graph_StringTensor>:$inputs), (outs Graph_StringTensor:$result), [Pure]>;

// Files and time.

def Graph_ReadFileOp : Graph_WorldOp<"read_file", "all bytes of a file",
    (ins Graph_StringTensor:$path), (outs Graph_StringTensor:$result), [MemoryEffects<[MemRead]>]>;

def Graph_WriteFileOp : Graph_WorldOp<"write_file", "makes a file, and the folders on its path, with these bytes",
    (ins Graph_StringTensor:$path, Graph_StringTensor:$contents), (outs), [MemoryEffects<[MemRead, MemWrite]>]>;

def Graph_ShardedFilenameOp : Graph_WorldOp<"sharded_filename", "BASE-00001-of-00002; with `any` BASE-?????-of-00002, without `shard`",
    (ins Graph_StringTensor:$basename, Graph_IntTensor:$shard, Graph_IntTensor:$shards, UnitAttr:$any), (outs Graph_StringTensor:$result), [Pure]>;

def Graph_TimestampOp : Graph_WorldOp<"timestamp", "seconds since 1970",
    (ins), (outs RankedTensorOf<[F64]>:$result), [MemoryEffects<[MemRead, MemWrite]>]>;

// Savers in graphs.

def Graph_SaveTensorsOp : Graph_WorldOp<"save_tensors", "writes a checkpoint in TensorFlow's second format, or with `first` a file in its first one",
    (ins Graph_StringTensor:$prefix, Variadic<Graph_Tensor>:$tensors, StrArrayAttr:$names, StrArrayAttr:$slices, UnitAttr:$first), (outs), [MemoryEffects<[MemRead, MemWrite]>]> {
  let description = [{
    A slice is empty for a whole tensor, else the whole one's sizes and for each
    the range that the part has: "4 6 0,2:-" for the first two rows. Parts of
    one tensor have the same name.
  }];
}

def Graph_RestoreTensorOp : Graph_WorldOp<"restore_tensor", "the tensor of that name in a checkpoint; sizes of -1 in `shape` are not supported",
    (ins Graph_StringTensor:$prefix, StrAttr:$name, DenseI64ArrayAttr:$shape), (outs Graph_Tensor:$result), [MemoryEffects<[MemRead]>]>;

def Graph_MergeCheckpointsOp : Graph_WorldOp<"merge_checkpoints", "makes several checkpoints one; with `delete_old` their folders go",
    (ins Graph_StringTensor:$prefixes, Graph_StringTensor:$destination, UnitAttr:$delete_old), (outs), [MemoryEffects<[MemRead, MemWrite]>]>;

// Tables: state of the instance, by name.

def Graph_TableInsertOp : Graph_WorldOp<"table_insert", "gives keys their values",
    (ins Graph_Tensor:$keys, Graph_Tensor:$values, StrAttr:$table, StrAttr:$mode), (outs), [MemoryEffects<[MemRead, MemWrite]>]> {
  let description = [{
    `mode` is `update`; `replace`, which empties the table first; or
    `initialize`, which does nothing to a table that has its contents and fails
    when a key has two values.
  }];
}

def Graph_TableReadTextOp : Graph_WorldOp<"table_read_text", "fills a table from the lines of a file",
    (ins Graph_StringTensor:$path, StrAttr:$table, I64Attr:$key_index, I64Attr:$value_index, I64Attr:$size, I64Attr:$offset, StrAttr:$delimiter,
     TypeAttr:$key_type, TypeAttr:$value_type, StrAttr:$key_name, StrAttr:$value_name), (outs), [MemoryEffects<[MemRead, MemWrite]>]>;

def Graph_TableRemoveOp : Graph_WorldOp<"table_remove", "takes keys out of a table",
    (ins Graph_Tensor:$keys, StrAttr:$table), (outs), [MemoryEffects<[MemRead, MemWrite]>]>;

def Graph_TableFindOp : Graph_WorldOp<"table_find", "the values of keys, or a default; fails when nothing initialized a table with `fixed` contents",
    (ins Graph_Tensor:$keys, Graph_Tensor:$default_value, StrAttr:$table, UnitAttr:$fixed), (outs Graph_Tensor:$values), [MemoryEffects<[MemRead]>]>;

def Graph_TableSizeOp : Graph_WorldOp<"table_size", "number of keys",
    (ins StrAttr:$table, UnitAttr:$fixed), (outs RankedTensorOf<[I64]>:$size), [MemoryEffects<[MemRead]>]>;

def Graph_TableExportOp : Graph_WorldOp<"table_export", "all keys and their values",
    (ins StrAttr:$table, DenseI64ArrayAttr:$value_shape), (outs Graph_Tensor:$keys, Graph_Tensor:$values), [MemoryEffects<[MemRead]>]>;

#endif // TENON_GRAPH_HOST
