// Texts: done by the runtime (runtime/host/). Strings are bytes; ops that
// count characters have `utf8`.
#ifndef TENON_GRAPH_STRINGS
#define TENON_GRAPH_STRINGS

include "dialects/graph/HostCall.td"

class Graph_StringOp<string mnemonic, string text, dag operands, dag outputs, list<Trait> traits = [Pure]>
    : Graph_HostOp<mnemonic, traits> {
  let summary = text;
  let arguments = operands;
  let results = outputs;
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

/// A string per string.
class Graph_TextOp<string mnemonic, string text, dag attributes = (ins)>
    : Graph_StringOp<mnemonic, text, !con((ins Graph_StringTensor:$input), attributes), (outs Graph_StringTensor:$result)>;

def Graph_StringCompareOp : Graph_StringOp<"string_compare", "whether strings are equal, or with `negate` different; broadcasts",
    (ins Graph_StringTensor:$lhs, Graph_StringTensor:$rhs, UnitAttr:$negate), (outs RankedTensorOf<[I1]>:$result)>;

def Graph_StringJoinOp : Graph_StringOp<"string_join", "strings one after the other; scalars are repeated",
    (ins Variadic<Graph_StringTensor>:$inputs, DefaultValuedAttr<StrAttr, "\"\"">:$separator), (outs Graph_StringTensor:$result)>;

def Graph_ReduceJoinOp : Graph_StringOp<"reduce_join", "joins the strings along `axes`, the first of which runs fastest",
    (ins Graph_StringTensor:$input, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims, StrAttr:$separator), (outs Graph_StringTensor:$result)>;

def Graph_StringFormatOp : Graph_StringOp<"string_format", "a text with tensors in the places of a placeholder",
    (ins Variadic<Graph_Tensor>:$inputs, StrAttr:$format, StrAttr:$placeholder, I64Attr:$summarize), (outs Graph_StringTensor:$result)>;

def Graph_AsStringOp : Graph_StringOp<"as_string", "numbers as C's printf writes them",
    (ins Graph_Tensor:$input, I64Attr:$precision, UnitAttr:$scientific, UnitAttr:$shortest, I64Attr:$width, StrAttr:$fill),
    (outs Graph_StringTensor:$result)>;

def Graph_StringToNumberOp : Graph_StringOp<"string_to_number", "numbers that texts stand for; fails when one is none",
    (ins Graph_StringTensor:$input), (outs Graph_Tensor:$result)>;

def Graph_StringLengthOp : Graph_StringOp<"string_length", "number of bytes, or with `utf8` characters",
    (ins Graph_StringTensor:$input, UnitAttr:$utf8), (outs RankedTensorOf<[I32]>:$result)>;

def Graph_StringCaseOp : Graph_TextOp<"string_case", "in lower case, or with `upper` in upper case", (ins UnitAttr:$upper, UnitAttr:$utf8)>;
def Graph_StringStripOp : Graph_TextOp<"string_strip", "without white space at both ends">;
def Graph_EncodeBase64Op : Graph_TextOp<"encode_base64", "in the web-safe form of base 64", (ins UnitAttr:$pad)>;
def Graph_DecodeBase64Op : Graph_TextOp<"decode_base64", "the bytes that web-safe base 64 stands for; fails when it is none">;

def Graph_SubstrOp : Graph_StringOp<"substr", "`length` bytes (characters) from `position` on; fails when that is outside; broadcasts",
    (ins Graph_StringTensor:$input, Graph_IntTensor:$position, Graph_IntTensor:$length, UnitAttr:$utf8), (outs Graph_StringTensor:$result)>;

def Graph_StringSplitOp : Graph_StringOp<"string_split", "the pieces between separators, as the indices, values and shape of a sparse matrix",
    (ins Graph_StringTensor:$input, Graph_StringTensor:$separator, I64Attr:$max_split, UnitAttr:$any_of, UnitAttr:$skip_empty),
    (outs RankedTensorOf<[I64]>:$indices, Graph_StringTensor:$values, RankedTensorOf<[I64]>:$shape)> {
  let description = [{
    With `any_of` every byte of the separator is one (and none splits into
    bytes); without it an empty separator is white space of any length. At most
    `max_split` splits when that is not negative.
  }];
}

def Graph_RegexReplaceOp : Graph_StringOp<"regex_replace", "replaces the first match, or with `all` every one; RE2's syntax",
    (ins Graph_StringTensor:$input, Graph_StringTensor:$pattern, Graph_StringTensor:$rewrite, UnitAttr:$all), (outs Graph_StringTensor:$result)>;

def Graph_RegexMatchOp : Graph_StringOp<"regex_match", "whether a pattern matches all of a string; RE2's syntax",
    (ins Graph_StringTensor:$input, Graph_StringTensor:$pattern), (outs RankedTensorOf<[I1]>:$result)>;

def Graph_StringHashOp : Graph_StringOp<"string_hash", "a hash of each string modulo `buckets`: `fast`, `strong` (with two words of `key`) or `legacy`",
    (ins Graph_StringTensor:$input, I64Attr:$buckets, StrAttr:$method, DenseI64ArrayAttr:$key), (outs RankedTensorOf<[I64]>:$result)>;

def Graph_StringNGramsOp : Graph_StringOp<"string_ngrams", "joins of neighbours in each row of a ragged matrix",
    (ins Graph_StringTensor:$values, Graph_IntTensor:$splits, StrAttr:$separator, DenseI64ArrayAttr:$widths, StrAttr:$left_pad,
     StrAttr:$right_pad, I64Attr:$pad_width, UnitAttr:$preserve_short),
    (outs Graph_StringTensor:$ngrams, Graph_IntTensor:$ngram_splits)>;

def Graph_DecodeRawOp : Graph_StringOp<"decode_raw", "the bytes of each string as numbers, `big_endian` or not",
    (ins Graph_StringTensor:$input, UnitAttr:$big_endian), (outs Graph_Tensor:$result)>;

def Graph_DecodeCsvOp : Graph_StringOp<"decode_csv", "the fields of comma-separated lines, a result per column",
    (ins Graph_StringTensor:$records, Variadic<Graph_Tensor>:$defaults, StrAttr:$delimiter, UnitAttr:$quotes, StrAttr:$missing,
     DenseI64ArrayAttr:$columns), (outs Variadic<Graph_Tensor>:$fields)>;

def Graph_UnicodeDecodeOp : Graph_StringOp<"unicode_decode", "code points of each string as a ragged matrix, and where each begins",
    (ins Graph_StringTensor:$input, StrAttr:$encoding, StrAttr:$errors, I64Attr:$replacement, UnitAttr:$replace_control),
    (outs Graph_IntTensor:$splits, RankedTensorOf<[I32]>:$values, RankedTensorOf<[I64]>:$offsets)>;

def Graph_UnicodeEncodeOp : Graph_StringOp<"unicode_encode", "a string per row of a ragged matrix of code points",
    (ins RankedTensorOf<[I32]>:$values, Graph_IntTensor:$splits, StrAttr:$encoding, StrAttr:$errors, I64Attr:$replacement),
    (outs Graph_StringTensor:$result)>;

def Graph_SerializeTensorOp : Graph_StringOp<"serialize_tensor", "a tensor as the bytes of TensorFlow's message",
    (ins Graph_Tensor:$input), (outs Graph_StringTensor:$result)>;

def Graph_ParseTensorOp : Graph_StringOp<"parse_tensor", "the tensor of TensorFlow's message, with `flat` its elements; fails unless it has the result's type and `shape`, where -1 is any size",
    (ins Graph_StringTensor:$serialized, DenseI64ArrayAttr:$shape, UnitAttr:$flat), (outs Graph_Tensor:$result)>;

def Graph_ParseExampleOp : Graph_StringOp<"parse_example", "features of TensorFlow's Example messages",
    (ins Graph_StringTensor:$serialized, Variadic<Graph_Tensor>:$defaults, StrArrayAttr:$sparse_keys, StrArrayAttr:$dense_keys,
     DenseI64ArrayAttr:$dense_ranks, DenseI64ArrayAttr:$dense_sizes), (outs Variadic<Graph_Tensor>:$features)> {
  let description = [{
    `serialized` is a vector, or a scalar for one example. Results: indices,
    values and shape of each sparse feature (all indices first), then a tensor
    per dense feature, whose sizes are in `dense_sizes` one feature after the
    other (a first one of -1 is as long as the longest example, filled up with
    the default). An empty default means that the feature must be there.
  }];
}

#endif // TENON_GRAPH_STRINGS
