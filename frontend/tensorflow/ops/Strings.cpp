//===- Strings.cpp - texts ------------------------------------------------===//

#include "frontend/tensorflow/ops/Rows.h"

#include <numeric>

using namespace mlir;

namespace tenon::tf {

namespace {
Type stringType(Binder &b) { return graph::StringType::get(b.context()); }

Value stringConstant(Binder &b, StringRef text) {
  auto type = RankedTensorType::get({}, stringType(b));
  return b.constant(DenseStringElementsAttr::get(type, {text}));
}

/// The strings of a constant.
SmallVector<std::string> constantStrings(Binder &b, Value value) {
  DenseStringElementsAttr known;
  SmallVector<std::string> strings;
  if (!value || !matchPattern(value, m_Constant(&known))) {
    b.fail("its keys must be known at compile time");
    return strings;
  }
  for (StringRef text : known.getValues<StringRef>())
    strings.push_back(text.str());
  return strings;
}

/// Attributes from those that a flag asks for.
SmallVector<NamedAttribute> flags(Binder &b,
                                  ArrayRef<std::pair<StringRef, bool>> wanted) {
  SmallVector<NamedAttribute> attributes;
  for (auto [name, present] : wanted)
    if (present)
      attributes.push_back(b.unit(name));
  return attributes;
}

bool countsCharacters(Binder &b) {
  std::string unit = b.text("unit", "BYTE");
  if (unit != "BYTE" && unit != "UTF8_CHAR")
    b.fail("unit is '" + unit + "', expected BYTE or UTF8_CHAR");
  return unit == "UTF8_CHAR";
}

bool isUtf8(Binder &b) {
  std::string encoding = b.text("encoding", "");
  if (!encoding.empty() && encoding != "utf-8")
    b.fail("encoding is '" + encoding + "', expected nothing or utf-8");
  return !encoding.empty();
}

/// Strings are compared by the runtime, all else by generated code.
void addComparison(RowTable &table, StringRef name, bool negate) {
  auto found = table.find(name);
  if (found == table.end())
    return;
  table[name] = [numeric = found->second, negate](Binder &b) {
    Value lhs = b.inputCount() ? b.input(0) : Value();
    if (!lhs || !isa<graph::StringType>(Binder::type(lhs)))
      return numeric(b);
    b.set(0, b.make("graph.string_compare", b.builder().getI1Type(),
                    {lhs, b.input(1)}, flags(b, {{"negate", negate}})));
  };
}

/// The sum of strings is one behind the other; operands broadcast.
void addConcatenation(RowTable &table, StringRef name) {
  auto found = table.find(name);
  if (found == table.end())
    return;
  table[name] = [numeric = found->second](Binder &b) {
    Value x = b.inputCount() && b.raw(0).kind == ImportedValue::Tensor
                  ? b.input(0)
                  : Value();
    if (!x || !isa<graph::StringType>(Binder::type(x)))
      return numeric(b);
    Value y = b.input(1);
    if (b.failed())
      return;
    if (b.rank(x) && b.rank(y) && b.dims(x) != b.dims(y)) {
      Type i64 = b.builder().getI64Type();
      Value shape = b.make(
          "graph.broadcast_args", i64,
          {b.make("graph.shape_of", i64, x), b.make("graph.shape_of", i64, y)});
      x = b.make("graph.broadcast_to", stringType(b), {x, shape});
      y = b.make("graph.broadcast_to", stringType(b), {y, shape});
    }
    b.set(0, b.make("graph.string_join", stringType(b), {x, y},
                    b.textAttribute("separator", "")));
  };
}

void importAsString(Binder &b) {
  SmallVector<NamedAttribute> attributes =
      flags(b, {{"scientific", b.flag("scientific", false)},
                {"shortest", b.flag("shortest", false)}});
  attributes.push_back(b.attribute("precision", b.integer("precision", -1)));
  attributes.push_back(b.attribute("width", b.integer("width", -1)));
  std::string fill = b.text("fill", "");
  if (fill.size() > 1)
    b.fail("fill is '" + fill + "', expected one character");
  attributes.push_back(b.textAttribute("fill", fill));
  b.set(0, b.make("graph.as_string", stringType(b), b.input(0), attributes));
}

void importSplit(Binder &b, bool second) {
  SmallVector<NamedAttribute> attributes =
      flags(b, {{"any_of", !second},
                {"skip_empty", !second && b.flag("skip_empty", true)}});
  attributes.push_back(
      b.attribute("max_split", second ? b.integer("maxsplit", -1) : -1));
  Type i64 = b.builder().getI64Type();
  b.setAll(b.makeAll("graph.string_split", {i64, stringType(b), i64},
                     {b.input(0), b.input(1)}, attributes));
}

void importReduceJoin(Binder &b) {
  Value input = b.input(0);
  int64_t rank = b.rank(input);
  SmallVector<int64_t> axes;
  for (int64_t axis : b.constants(1))
    axes.push_back(b.axis(axis, rank));
  SmallVector<NamedAttribute> attributes =
      flags(b, {{"keep_dims", b.flag("keep_dims", false)}});
  attributes.push_back(b.attribute("axes", ArrayRef<int64_t>(axes)));
  attributes.push_back(b.textAttribute("separator", b.text("separator", "")));
  b.set(0, b.make("graph.reduce_join", stringType(b), input, attributes));
}

void importFormat(Binder &b) {
  b.set(0, b.make("graph.string_format", stringType(b), b.inputList(0),
                  {b.textAttribute("format", b.text("template", "%s")),
                   b.textAttribute("placeholder", b.text("placeholder", "%s")),
                   b.attribute("summarize", b.integer("summarize", 3))}));
}

void importRegexReplace(Binder &b, bool constant) {
  Value pattern = constant ? stringConstant(b, b.text("pattern")) : b.input(1);
  Value rewrite = constant ? stringConstant(b, b.text("rewrite")) : b.input(2);
  b.set(0, b.make("graph.regex_replace", stringType(b),
                  {b.input(0), pattern, rewrite},
                  flags(b, {{"all", b.flag("replace_global", true)}})));
}

void importRegexMatch(Binder &b, bool constant) {
  Value pattern = constant ? stringConstant(b, b.text("pattern")) : b.input(1);
  b.set(0, b.make("graph.regex_match", b.builder().getI1Type(),
                  {b.input(0), pattern}));
}

Row hash(StringRef method) {
  return [method](Binder &b) {
    SmallVector<int64_t> key = b.integers("key", SmallVector<int64_t>());
    b.set(0, b.make("graph.string_hash", b.builder().getI64Type(), b.input(0),
                    {b.attribute("buckets", b.integer("num_buckets")),
                     b.textAttribute("method", method),
                     b.attribute("key", ArrayRef<int64_t>(key))}));
  };
}

void importNGrams(Binder &b) {
  Value values = b.input(0), splits = b.input(1);
  SmallVector<NamedAttribute> attributes =
      flags(b, {{"preserve_short", b.flag("preserve_short_sequences", false)}});
  SmallVector<int64_t> widths = b.integers("ngram_widths");
  attributes.push_back(b.attribute("widths", ArrayRef<int64_t>(widths)));
  attributes.push_back(b.textAttribute("separator", b.text("separator")));
  attributes.push_back(b.textAttribute("left_pad", b.text("left_pad")));
  attributes.push_back(b.textAttribute("right_pad", b.text("right_pad")));
  attributes.push_back(b.attribute("pad_width", b.integer("pad_width")));
  b.setAll(b.makeAll("graph.string_ngrams",
                     {stringType(b), Binder::type(splits)}, {values, splits},
                     attributes));
}

void importDecodeCsv(Binder &b) {
  SmallVector<NamedAttribute> attributes =
      flags(b, {{"quotes", b.flag("use_quote_delim", true)}});
  attributes.push_back(
      b.textAttribute("delimiter", b.text("field_delim", ",")));
  attributes.push_back(b.textAttribute("missing", b.text("na_value", "")));
  SmallVector<int64_t> columns =
      b.integers("select_cols", SmallVector<int64_t>());
  attributes.push_back(b.attribute("columns", ArrayRef<int64_t>(columns)));
  b.setAll(b.makeAll("graph.decode_csv", b.elementTypes("OUT_TYPE"),
                     b.inputList(0), attributes));
}

void importUnicodeDecode(Binder &b, bool offsets) {
  Type splits = b.has("Tsplits") ? b.elementType("Tsplits")
                                 : Type(b.builder().getI64Type());
  SmallVector<NamedAttribute> attributes = flags(
      b, {{"replace_control", b.flag("replace_control_characters", false)}});
  attributes.push_back(b.textAttribute("encoding", b.text("input_encoding")));
  attributes.push_back(b.textAttribute("errors", b.text("errors", "replace")));
  attributes.push_back(
      b.attribute("replacement", b.integer("replacement_char", 65533)));
  SmallVector<Value> all =
      b.makeAll("graph.unicode_decode",
                {splits, b.builder().getI32Type(), b.builder().getI64Type()},
                b.input(0), attributes);
  b.setAll(ArrayRef(all).take_front(offsets ? 3 : 2));
}

void importUnicodeEncode(Binder &b) {
  b.set(0,
        b.make("graph.unicode_encode", stringType(b), {b.input(0), b.input(1)},
               {b.textAttribute("encoding", b.text("output_encoding")),
                b.textAttribute("errors", b.text("errors", "replace")),
                b.attribute("replacement",
                            b.integer("replacement_char", 65533))}));
}

/// What the forms of ParseExample differ in.
struct ExampleForm {
  SmallVector<std::string> sparse, dense;
  SmallVector<Type> sparseTypes, denseTypes;
  unsigned firstDefault = 0;
};

void importExamples(Binder &b, const ExampleForm &form) {
  auto shapes = b.shapeList("dense_shapes");
  if (b.failed())
    return;
  if (form.sparse.size() != form.sparseTypes.size() ||
      form.dense.size() != form.denseTypes.size() ||
      shapes.size() != form.dense.size())
    return b.fail("its keys, types and shapes differ in number");
  SmallVector<Value> operands{b.input(0)};
  SmallVector<int64_t> ranks, sizes;
  for (auto [i, shape] : llvm::enumerate(shapes)) {
    operands.push_back(b.input(form.firstDefault + i));
    if (!shape)
      return b.fail("feature '" + form.dense[i] + "' has no rank");
    ranks.push_back(shape->size());
    llvm::append_range(sizes, *shape);
  }
  auto texts = [&](ArrayRef<std::string> keys) {
    SmallVector<StringRef> all(keys.begin(), keys.end());
    return b.builder().getStrArrayAttr(all);
  };
  Type i64 = b.builder().getI64Type();
  SmallVector<Type> types(form.sparse.size(), i64);
  llvm::append_range(types, form.sparseTypes);
  types.append(form.sparse.size(), i64);
  llvm::append_range(types, form.denseTypes);
  b.setAll(b.makeAll("graph.parse_example", types, operands,
                     {b.attribute("sparse_keys", texts(form.sparse)),
                      b.attribute("dense_keys", texts(form.dense)),
                      b.attribute("dense_ranks", ArrayRef<int64_t>(ranks)),
                      b.attribute("dense_sizes", ArrayRef<int64_t>(sizes))}));
}

void importParseExample(Binder &b) {
  ExampleForm form;
  form.sparseTypes = b.elementTypes("sparse_types");
  form.denseTypes = b.elementTypes("Tdense");
  unsigned sparse = form.sparseTypes.size(), dense = form.denseTypes.size();
  auto key = [&](unsigned i) {
    SmallVector<std::string> texts = constantStrings(b, b.input(i));
    return texts.size() == 1 ? texts[0] : std::string();
  };
  for (unsigned i = 0; i < sparse; ++i)
    form.sparse.push_back(key(2 + i));
  for (unsigned i = 0; i < dense; ++i)
    form.dense.push_back(key(2 + sparse + i));
  form.firstDefault = 2 + sparse + dense;
  importExamples(b, form);
}

void importParseExampleV2(Binder &b) {
  ExampleForm form;
  form.sparse = constantStrings(b, b.input(2));
  form.dense = constantStrings(b, b.input(3));
  if (!constantStrings(b, b.input(4)).empty())
    return b.fail("ragged features are not supported");
  form.sparseTypes = b.elementTypes("sparse_types");
  form.denseTypes = b.elementTypes("Tdense");
  form.firstDefault = 5;
  importExamples(b, form);
}

void importParseSingleExample(Binder &b) {
  ExampleForm form;
  form.sparse = b.texts("sparse_keys");
  form.dense = b.texts("dense_keys");
  form.sparseTypes = b.elementTypes("sparse_types");
  form.denseTypes = b.elementTypes("Tdense");
  form.firstDefault = 1;
  importExamples(b, form);
}
/// How many dimensions the tensor has is in the bytes, or said by what reads
/// it.
void importParseTensor(Binder &b) {
  Value bytes = b.input(0);
  Type type = b.elementType("out_type");
  if (b.failed())
    return;
  if (Operation *made = bytes.getDefiningOp();
      made && made->getName().getStringRef() == "graph.serialize_tensor" &&
      Binder::type(made->getOperand(0)) == type)
    return b.set(0, made->getOperand(0));
  if (auto shapes = b.shapeList("_output_shapes");
      !shapes.empty() && shapes.front()) {
    b.set(0, b.make("graph.parse_tensor", type, bytes,
                    b.attribute("shape", *shapes.front())));
    return;
  }
  ImportedValue value;
  value.kind = ImportedValue::Restored;
  value.tensor = bytes;
  value.elementType = type;
  b.set(0, value);
}
} // namespace

static bool isParsed(Binder &b, unsigned i) {
  return !b.failed() && b.raw(i).kind == ImportedValue::Restored &&
         b.raw(i).elementType;
}

std::optional<Value>
parsedTensor(Binder &b, unsigned i,
             const std::optional<SmallVector<int64_t>> &shape) {
  if (!isParsed(b, i) || !shape)
    return std::nullopt;
  return b.make("graph.parse_tensor", b.raw(i).elementType, b.raw(i).tensor,
                b.attribute("shape", *shape));
}

std::optional<Value> parsedElements(Binder &b, unsigned i) {
  if (!isParsed(b, i))
    return std::nullopt;
  return b.make("graph.parse_tensor", b.raw(i).elementType, b.raw(i).tensor,
                {b.attribute("shape", ArrayRef<int64_t>{-1}), b.unit("flat")});
}

void addStringsRows(RowTable &table) {
  addComparison(table, "Equal", false);
  addComparison(table, "NotEqual", true);
  addConcatenation(table, "Add");
  addConcatenation(table, "AddV2");
  table["AsString"] = importAsString;
  table["StringJoin"] = [](Binder &b) {
    b.set(0, b.make("graph.string_join", stringType(b), b.inputList(0),
                    b.textAttribute("separator", b.text("separator", ""))));
  };
  table["ReduceJoin"] = importReduceJoin;
  table["StringFormat"] = importFormat;
  table["StringSplit"] = [](Binder &b) { importSplit(b, false); };
  table["StringSplitV2"] = [](Binder &b) { importSplit(b, true); };
  table["Substr"] = [](Binder &b) {
    b.set(0, b.make("graph.substr", stringType(b), b.inputList(0, 3),
                    flags(b, {{"utf8", countsCharacters(b)}})));
  };
  table["StringToNumber"] = [](Binder &b) {
    b.set(0, b.make("graph.string_to_number", b.elementType("out_type"),
                    b.input(0)));
  };
  table["StringLength"] = [](Binder &b) {
    b.set(0, b.make("graph.string_length", b.builder().getI32Type(), b.input(0),
                    flags(b, {{"utf8", countsCharacters(b)}})));
  };
  table["StringLower"] = [](Binder &b) {
    b.set(0, b.make("graph.string_case", stringType(b), b.input(0),
                    flags(b, {{"utf8", isUtf8(b)}})));
  };
  table["StringUpper"] = [](Binder &b) {
    b.set(0, b.make("graph.string_case", stringType(b), b.input(0),
                    flags(b, {{"upper", true}, {"utf8", isUtf8(b)}})));
  };
  table["StringStrip"] = [](Binder &b) {
    b.set(0, b.make("graph.string_strip", stringType(b), b.input(0)));
  };
  table["EncodeBase64"] = [](Binder &b) {
    b.set(0, b.make("graph.encode_base64", stringType(b), b.input(0),
                    flags(b, {{"pad", b.flag("pad", false)}})));
  };
  table["DecodeBase64"] = [](Binder &b) {
    b.set(0, b.make("graph.decode_base64", stringType(b), b.input(0)));
  };
  table["RegexReplace"] = [](Binder &b) { importRegexReplace(b, false); };
  table["StaticRegexReplace"] = [](Binder &b) { importRegexReplace(b, true); };
  table["RegexFullMatch"] = [](Binder &b) { importRegexMatch(b, false); };
  table["StaticRegexFullMatch"] = [](Binder &b) { importRegexMatch(b, true); };
  table["StringToHashBucketFast"] = hash("fast");
  table["StringToHashBucketStrong"] = hash("strong");
  table["StringToHashBucket"] = hash("legacy");
  table["StringNGrams"] = importNGrams;
  table["DecodeRaw"] = [](Binder &b) {
    b.set(0,
          b.make("graph.decode_raw", b.elementType("out_type"), b.input(0),
                 flags(b, {{"big_endian", !b.flag("little_endian", true)}})));
  };
  table["DecodeCSV"] = importDecodeCsv;
  table["UnicodeDecode"] = [](Binder &b) { importUnicodeDecode(b, false); };
  table["UnicodeDecodeWithOffsets"] = [](Binder &b) {
    importUnicodeDecode(b, true);
  };
  table["UnicodeEncode"] = importUnicodeEncode;
  table["SerializeTensor"] = [](Binder &b) {
    b.set(0, b.make("graph.serialize_tensor", stringType(b), b.input(0)));
  };
  table["ParseTensor"] = importParseTensor;
  table["ParseExample"] = importParseExample;
  table["ParseExampleV2"] = importParseExampleV2;
  table["ParseSingleExample"] = importParseSingleExample;
}

} // namespace tenon::tf
