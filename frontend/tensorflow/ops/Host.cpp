//===- Host.cpp - output, summaries, files, tables ------------------------===//

#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
Type stringType(Binder &b) { return graph::StringType::get(b.context()); }

//===----------------------------------------------------------------------===//
// Output and summaries
//===----------------------------------------------------------------------===//

void importPrint(Binder &b) {
  Value input = b.input(0);
  b.perform("graph.print", b.inputList(1),
            {b.textAttribute("message", b.text("message", "")),
             b.attribute("first_n", b.integer("first_n", -1)),
             b.attribute("summarize", b.integer("summarize", 3))});
  b.set(0, input);
}

void importPrintV2(Binder &b) {
  b.perform("graph.print_text", b.input(0),
            {b.textAttribute("stream", b.text("output_stream", "stderr")),
             b.textAttribute("end", b.text("end", "\n"))});
}

Row summary(StringRef op) {
  return
      [op](Binder &b) { b.set(0, b.make(op, stringType(b), b.inputList(0))); };
}

/// Inputs: tag, images.
void importImageSummary(Binder &b) {
  Type bytes = b.builder().getIntegerType(8, /*isSigned=*/false);
  ElementsAttr bad =
      b.has("bad_color")
          ? b.elements("bad_color")
          : ElementsAttr(DenseElementsAttr::get(
                RankedTensorType::get({4}, bytes),
                {APInt(8, 255), APInt(8, 0), APInt(8, 0), APInt(8, 255)}));
  if (b.failed())
    return;
  if (bad.getElementType() != bytes)
    return b.fail("bad_color is not of type uint8");
  b.set(0, b.make("graph.image_summary", stringType(b),
                  {b.input(0), b.input(1), b.constant(bad)},
                  b.attribute("most", b.integer("max_images", 3))));
}

//===----------------------------------------------------------------------===//
// Savers
//===----------------------------------------------------------------------===//

/// Input `i`, a vector of strings that are known.
SmallVector<std::string> knownTexts(Binder &b, unsigned i) {
  SmallVector<std::string> texts;
  DenseStringElementsAttr known;
  Value value = b.input(i);
  if (!value || !matchPattern(value, m_Constant(&known))) {
    b.fail("input " + llvm::Twine(i) + " must be known at compile time");
    return texts;
  }
  for (StringRef text : known.getValues<StringRef>())
    texts.push_back(text.str());
  return texts;
}

/// Names in input 1, and in input 2 of an op that has it which part of the
/// tensor each is.
struct SavedNames {
  SmallVector<std::string> names, slices;

  static SavedNames read(Binder &b, bool sliced) {
    SavedNames result{knownTexts(b, 1), {}};
    if (sliced)
      result.slices = knownTexts(b, 2);
    else
      result.slices.resize(result.names.size());
    if (!b.failed() && result.names.size() != result.slices.size())
      b.fail("there are " + llvm::Twine(result.names.size()) + " names and " +
             llvm::Twine(result.slices.size()) + " parts");
    return result;
  }
};

/// Savers of both formats. Inputs: file, names, parts, tensors.
Row save(bool first, bool sliced) {
  return [first, sliced](Binder &b) {
    SavedNames saved = SavedNames::read(b, sliced);
    SmallVector<Value> operands{b.input(0)};
    llvm::append_range(operands, b.inputList(sliced ? 3 : 2));
    if (!b.failed() && operands.size() != saved.names.size() + 1)
      b.fail("there are " + llvm::Twine(saved.names.size()) + " names of " +
             llvm::Twine(operands.size() - 1) + " tensors");
    auto texts = [&](ArrayRef<std::string> list) {
      return b.builder().getStrArrayAttr(
          SmallVector<StringRef>(list.begin(), list.end()));
    };
    SmallVector<NamedAttribute> attributes = {
        b.attribute("names", texts(saved.names)),
        b.attribute("slices", texts(saved.slices))};
    if (first)
      attributes.push_back(b.unit("first"));
    b.perform("graph.save_tensors", operands, attributes);
  };
}

/// A part of a tensor: "4 6 0,2:-" is the first two rows of 4x6 elements.
struct PartOfTensor {
  SmallVector<int64_t> shape, begin, size;

  static std::optional<PartOfTensor> parse(StringRef text) {
    PartOfTensor part;
    SmallVector<StringRef> sizes, ranges;
    text.split(sizes, ' ');
    sizes.pop_back_val().split(ranges, ':');
    if (sizes.size() != ranges.size())
      return std::nullopt;
    for (auto [size, range] : llvm::zip(sizes, ranges)) {
      int64_t whole, begin = 0, length;
      if (size.getAsInteger(10, whole) || whole < 0)
        return std::nullopt;
      auto [first, second] = range.split(',');
      length = whole;
      if (range != "-" &&
          (first.getAsInteger(10, begin) || second.getAsInteger(10, length)))
        return std::nullopt;
      if (begin < 0 || length < 0 || begin > whole || length > whole - begin)
        return std::nullopt;
      part.shape.push_back(whole);
      part.begin.push_back(begin);
      part.size.push_back(length);
    }
    return part;
  }
};

/// Inputs: file, names, parts.
Row restore(bool sliced) {
  return [sliced](Binder &b) {
    Value prefix = b.input(0);
    SavedNames saved = SavedNames::read(b, sliced);
    SmallVector<Type> types = b.elementTypes("dtypes");
    if (b.has("dt"))
      types = {b.elementType("dt")};
    if (!b.failed() && types.size() != saved.names.size())
      b.fail("there are " + llvm::Twine(saved.names.size()) + " names of " +
             llvm::Twine(types.size()) + " tensors");
    for (size_t i = 0; !b.failed() && i < types.size(); ++i) {
      if (saved.slices[i].empty()) {
        // What it is assigned to knows its shape.
        ImportedValue value;
        value.kind = ImportedValue::Restored;
        value.tensor = prefix;
        value.symbol = saved.names[i];
        b.set(i, value);
        continue;
      }
      auto part = PartOfTensor::parse(saved.slices[i]);
      if (!part)
        return b.fail("'" + saved.slices[i] + "' is no part of a tensor");
      Type i64 = b.builder().getI64Type();
      Value whole = b.make("graph.restore_tensor", types[i], prefix,
                           {b.textAttribute("name", saved.names[i]),
                            b.attribute("shape", part->shape)});
      b.set(i, b.make("graph.slice", types[i],
                      {whole, b.integersConstant(part->begin, i64),
                       b.integersConstant(part->size, i64)}));
    }
  };
}

void importMergeCheckpoints(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("delete_old_dirs", true))
    attributes.push_back(b.unit("delete_old"));
  b.perform("graph.merge_checkpoints", {b.input(0), b.input(1)}, attributes);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// The handle of a table; nodes with one shared name have one table.
Row table(bool fixed) {
  return [fixed](Binder &b) {
    ImportedValue handle;
    handle.kind = ImportedValue::Table;
    handle.symbol = b.text("shared_name", "");
    if (handle.symbol.empty())
      handle.symbol = b.name().str();
    handle.elementType = b.elementType("key_dtype");
    handle.valueType = b.elementType("value_dtype");
    handle.fixed = fixed;
    if (b.has("value_shape")) {
      auto shape = b.shape("value_shape");
      if (!shape || llvm::is_contained(*shape, -1))
        return b.fail("the shape of its values is not known");
      handle.valueShape.assign(shape->begin(), shape->end());
    }
    if (handle.elementType && isa<FloatType, ComplexType>(handle.elementType))
      return b.fail("keys cannot be floating-point numbers");
    if (!b.failed())
      b.set(0, handle);
  };
}

ImportedValue tableOf(Binder &b) {
  const ImportedValue &value = b.raw(0);
  if (!b.failed() && value.kind != ImportedValue::Table)
    b.fail("input 0 is not the handle of a table");
  return value;
}

Value typed(Binder &b, unsigned i, Type wanted) {
  Value value = b.input(i);
  if (value && Binder::type(value) != wanted)
    b.fail("input " + llvm::Twine(i) +
           " has another element type than the table");
  return value;
}

Row insertIntoTable(StringRef mode) {
  return [mode](Binder &b) {
    ImportedValue handle = tableOf(b);
    b.perform("graph.table_insert",
              {typed(b, 1, handle.elementType), typed(b, 2, handle.valueType)},
              {b.textAttribute("table", handle.symbol),
               b.textAttribute("mode", handle.fixed && mode == "replace"
                                           ? StringRef("initialize")
                                           : mode)});
  };
}

void findInTable(Binder &b) {
  ImportedValue handle = tableOf(b);
  SmallVector<NamedAttribute> attributes{
      b.textAttribute("table", handle.symbol)};
  if (handle.fixed)
    attributes.push_back(b.unit("fixed"));
  b.set(0,
        b.make("graph.table_find", handle.valueType,
               {typed(b, 1, handle.elementType), typed(b, 2, handle.valueType)},
               attributes));
}

void sizeOfTable(Binder &b) {
  ImportedValue handle = tableOf(b);
  SmallVector<NamedAttribute> attributes{
      b.textAttribute("table", handle.symbol)};
  if (handle.fixed)
    attributes.push_back(b.unit("fixed"));
  b.set(0,
        b.make("graph.table_size", b.builder().getI64Type(), {}, attributes));
}

void exportTable(Binder &b) {
  ImportedValue handle = tableOf(b);
  b.setAll(b.makeAll(
      "graph.table_export", {handle.elementType, handle.valueType}, {},
      {b.textAttribute("table", handle.symbol),
       b.attribute("value_shape", ArrayRef<int64_t>(handle.valueShape))}));
}

void removeFromTable(Binder &b) {
  ImportedValue handle = tableOf(b);
  b.perform("graph.table_remove", typed(b, 1, handle.elementType),
            b.textAttribute("table", handle.symbol));
}

void readTextIntoTable(Binder &b) {
  ImportedValue handle = tableOf(b);
  if (b.failed())
    return;
  auto name = [](Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return text;
  };
  b.perform("graph.table_read_text", b.input(1),
            {b.textAttribute("table", handle.symbol),
             b.attribute("key_index", b.integer("key_index")),
             b.attribute("value_index", b.integer("value_index")),
             b.attribute("size", b.integer("vocab_size", -1)),
             b.attribute("offset", b.integer("offset", 0)),
             b.textAttribute("delimiter", b.text("delimiter", "\t")),
             b.attribute("key_type", TypeAttr::get(handle.elementType)),
             b.attribute("value_type", TypeAttr::get(handle.valueType)),
             b.textAttribute("key_name", name(handle.elementType)),
             b.textAttribute("value_name", name(handle.valueType))});
}
} // namespace

void addHostRows(RowTable &rows) {
  rows["Print"] = importPrint;
  rows["PrintV2"] = importPrintV2;
  rows["ScalarSummary"] = summary("graph.scalar_summary");
  rows["HistogramSummary"] = summary("graph.histogram_summary");
  rows["MergeSummary"] = summary("graph.merge_summary");
  rows["ImageSummary"] = importImageSummary;
  rows["ReadFile"] = [](Binder &b) {
    b.set(0, b.make("graph.read_file", stringType(b), b.input(0)));
  };
  rows["WriteFile"] = [](Binder &b) {
    b.perform("graph.write_file", {b.input(0), b.input(1)});
  };
  rows["ShardedFilename"] = [](Binder &b) {
    b.set(0, b.make("graph.sharded_filename", stringType(b),
                    {b.input(0), b.input(1), b.input(2)}));
  };
  rows["ShardedFilespec"] = [](Binder &b) {
    b.set(0, b.make("graph.sharded_filename", stringType(b),
                    {b.input(0), b.input(1), b.input(1)}, b.unit("any")));
  };
  rows["SaveV2"] = save(/*first=*/false, /*sliced=*/true);
  rows["Save"] = save(/*first=*/true, /*sliced=*/false);
  rows["SaveSlices"] = save(/*first=*/true, /*sliced=*/true);
  rows["RestoreV2"] = rows["RestoreSlice"] = restore(/*sliced=*/true);
  rows["Restore"] = restore(/*sliced=*/false);
  rows["MergeV2Checkpoints"] = importMergeCheckpoints;
  rows["Timestamp"] = [](Binder &b) {
    b.set(0, b.make("graph.timestamp", b.builder().getF64Type(), {}));
  };
  rows["HashTableV2"] = rows["HashTable"] = table(/*fixed=*/true);
  rows["MutableHashTableV2"] = rows["MutableHashTable"] =
      rows["MutableHashTableOfTensorsV2"] = rows["MutableHashTableOfTensors"] =
          table(/*fixed=*/false);
  struct Form {
    const char *name;
    Row row;
  };
  for (const Form &form : std::initializer_list<Form>{
           {"LookupTableFind", findInTable},
           {"LookupTableSize", sizeOfTable},
           {"LookupTableExport", exportTable},
           {"LookupTableRemove", removeFromTable},
           {"LookupTableInsert", insertIntoTable("update")},
           {"LookupTableImport", insertIntoTable("replace")},
           {"InitializeTable", insertIntoTable("initialize")},
           {"InitializeTableFromTextFile", readTextIntoTable}}) {
    rows[form.name] = form.row;
    rows[std::string(form.name) + "V2"] = form.row;
  }
}

} // namespace tenon::tf
