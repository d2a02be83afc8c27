//===- GraphReader.cpp - GraphDef files, binary and text ------------------===//

#include "frontend/tensorflow/GraphReader.h"
#include "frontend/FileMapping.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

#include <climits>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#pragma clang diagnostic pop

namespace tenon::tf {

namespace {
namespace io = google::protobuf::io;

llvm::Error failure(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

/// Keeps protobuf's own messages off stderr: ours say the same.
struct QuietProtobuf {
  QuietProtobuf() { google::protobuf::SetLogHandler(nullptr); }
};

/// The fields of a message on the wire, one level deep.
class WireScanner {
public:
  explicit WireScanner(llvm::StringRef bytes) : rest(bytes) {}

  /// Moves to the next field; false at the end or where bytes are malformed.
  bool next() {
    uint64_t tag, size;
    if (rest.empty() || !varint(tag))
      return false;
    field = tag >> 3;
    contents = {};
    switch (tag & 7) {
    case 0:
      return varint(size);
    case 1:
      return skip(8);
    case 5:
      return skip(4);
    case 2:
      if (!varint(size) || size > rest.size())
        return false;
      contents = rest.take_front(size);
      return skip(size);
    default:
      return false;
    }
  }

  uint64_t field = 0;
  llvm::StringRef contents;
  bool atEnd() const { return rest.empty(); }

private:
  bool varint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      uint8_t byte = rest.front();
      rest = rest.drop_front();
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128)
        return true;
    }
    return false;
  }
  bool skip(uint64_t count) {
    if (count > rest.size())
      return false;
    rest = rest.drop_front(count);
    return true;
  }

  llvm::StringRef rest;
};

bool isOperationName(llvm::StringRef text) {
  return !text.empty() && llvm::all_of(text, [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '>' || c == '.' || c == '/';
  });
}

/// A NodeDef has a name and an operation.
bool looksLikeNode(llvm::StringRef bytes) {
  WireScanner scanner(bytes);
  bool name = false, op = false;
  while (scanner.next()) {
    name |= scanner.field == 1 && !scanner.contents.empty();
    op |= scanner.field == 2 && isOperationName(scanner.contents);
    if (scanner.field > 2)
      break;
  }
  return name && op;
}

FileKind recognizeBinary(llvm::StringRef bytes) {
  if (bytes.empty())
    return FileKind::Unknown;
  WireScanner scanner(bytes);
  bool any = false, version = false;
  while (scanner.next()) {
    any = true;
    switch (scanner.field) {
    case 1:
      if (scanner.contents.empty())
        version = true; // a number: SavedModel's schema
      else if (looksLikeNode(scanner.contents))
        return FileKind::GraphDef;
      else
        return FileKind::MetaGraph;
      break;
    case 2:
      if (version)
        return FileKind::SavedModel;
      break;
    case 3:
    case 4:
      break;
    default:
      return FileKind::Unknown;
    }
  }
  // A graph without nodes has at most a library and versions.
  return any && scanner.atEnd() ? FileKind::GraphDef : FileKind::Unknown;
}

bool isText(llvm::StringRef bytes) {
  return llvm::all_of(bytes.take_front(4096), [](unsigned char c) {
    return c >= 32 || c == '\n' || c == '\t' || c == '\r';
  });
}

/// Text begins with one of the message's fields.
FileKind recognizeText(llvm::StringRef bytes) {
  llvm::StringRef text = bytes.ltrim();
  while (text.starts_with("#"))
    text = text.drop_until([](char c) { return c == '\n'; }).ltrim();
  llvm::StringRef word =
      text.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; });
  llvm::StringRef after = text.drop_front(word.size()).ltrim();
  if (!after.starts_with("{") && !after.starts_with(":"))
    return FileKind::Unknown;
  bool known = word == "node" || word == "library" || word == "versions" ||
               word == "version";
  return known ? FileKind::TextGraphDef : FileKind::Unknown;
}

template <typename Message>
llvm::Error parseBinary(llvm::StringRef bytes, Message &message) {
  if (bytes.size() > INT_MAX)
    return failure("a file of " + llvm::Twine(bytes.size()) +
                   " bytes: messages end at 2 GiB");
  io::CodedInputStream stream(reinterpret_cast<const uint8_t *>(bytes.data()),
                              int(bytes.size()));
  stream.SetTotalBytesLimit(INT_MAX);
  if (!message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return failure("offset " + llvm::Twine(stream.CurrentPosition()) +
                   ": the message is malformed");
  return llvm::Error::success();
}

/// Remembers the first error of the text parser.
struct FirstError : io::ErrorCollector {
  void AddError(int line, io::ColumnNumber column,
                const std::string &message) override {
    if (text.empty())
      text = "line " + std::to_string(line + 1) + ", column " +
             std::to_string(column + 1) + ": " + message;
  }
  std::string text;
};

template <typename Message>
llvm::Error parseText(llvm::StringRef bytes, Message &message) {
  if (bytes.size() > INT_MAX)
    return failure("a text of " + llvm::Twine(bytes.size()) + " bytes");
  google::protobuf::TextFormat::Parser parser;
  FirstError errors;
  parser.RecordErrorsTo(&errors);
  parser.AllowUnknownField(true);
  parser.AllowUnknownExtension(true);
  parser.SetRecursionLimit(100);
  io::ArrayInputStream stream(bytes.data(), int(bytes.size()));
  if (!parser.Parse(&stream, &message))
    return failure(errors.text.empty() ? "the text is malformed" : errors.text);
  return llvm::Error::success();
}

llvm::Error readSavedModel(const std::string &path, GraphModel &model) {
  std::string directory = path, file = path + "/saved_model.pb";
  bool text = false;
  if (!llvm::sys::fs::is_directory(path)) {
    file = path;
    size_t slash = path.rfind('/');
    directory = slash == std::string::npos ? "." : path.substr(0, slash);
  } else if (!llvm::sys::fs::exists(file)) {
    file = path + "/saved_model.pbtxt";
    text = true;
  }
  auto mapping = mapFile(file);
  if (!mapping)
    return mapping.takeError();
  auto saved = std::make_shared<tfproto::SavedModel>();
  llvm::StringRef bytes = (*mapping)->getBuffer();
  if (llvm::Error error =
          text ? parseText(bytes, *saved) : parseBinary(bytes, *saved))
    return failure("'" + file + "': " + llvm::toString(std::move(error)));
  if (saved->meta_graphs().empty())
    return failure("'" + file + "' holds no graph");
  // One tagged "serve" if there is one: the others are for training.
  int chosen = 0;
  for (int i = saved->meta_graphs_size() - 1; i >= 0; --i)
    if (llvm::is_contained(saved->meta_graphs(i).meta_info_def().tags(),
                           "serve"))
      chosen = i;
  model.storage = saved;
  if (llvm::Error error = readMetaGraph(saved->meta_graphs(chosen), model))
    return error;
  if (llvm::Error error =
          embedAssets(saved->meta_graphs(chosen), directory, model))
    return error;
  std::string prefix = directory + "/variables/variables";
  if (!llvm::sys::fs::exists(prefix + ".index"))
    return llvm::Error::success(); // a model without variables
  return restoreVariables(prefix, saved->meta_graphs(chosen), model);
}
} // namespace

llvm::Expected<FileKind> recognize(const std::string &path) {
  if (llvm::sys::fs::is_directory(path)) {
    if (llvm::sys::fs::exists(path + "/saved_model.pb") ||
        llvm::sys::fs::exists(path + "/saved_model.pbtxt"))
      return FileKind::SavedModel;
    return FileKind::Unknown;
  }
  auto mapping = mapFile(path);
  if (!mapping)
    return mapping.takeError();
  llvm::StringRef bytes = (*mapping)->getBuffer();
  if (isText(bytes))
    if (FileKind kind = recognizeText(bytes); kind != FileKind::Unknown)
      return kind;
  return recognizeBinary(bytes);
}

llvm::Expected<std::unique_ptr<GraphModel>> readGraph(const std::string &path,
                                                      FileKind kind) {
  static QuietProtobuf quiet;
  auto model = std::make_unique<GraphModel>();
  model->path = path;
  if (kind == FileKind::SavedModel) {
    if (llvm::Error error = readSavedModel(path, *model))
      return std::move(error);
    return model;
  }
  auto mapping = mapFile(path);
  if (!mapping)
    return mapping.takeError();
  llvm::StringRef bytes = (*mapping)->getBuffer();
  if (kind == FileKind::MetaGraph) {
    auto meta = std::make_shared<tfproto::MetaGraphDef>();
    if (llvm::Error error = parseBinary(bytes, *meta))
      return std::move(error);
    model->storage = meta;
    if (llvm::Error error = readMetaGraph(*meta, *model))
      return std::move(error);
    return model;
  }
  auto graph = std::make_shared<tfproto::GraphDef>();
  if (llvm::Error error = kind == FileKind::TextGraphDef
                              ? parseText(bytes, *graph)
                              : parseBinary(bytes, *graph))
    return std::move(error);
  model->storage = graph;
  if (llvm::Error error = buildGraph(*graph, *model))
    return std::move(error);
  return model;
}

} // namespace tenon::tf
