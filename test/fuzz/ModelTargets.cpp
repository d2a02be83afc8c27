//===- ModelTargets.cpp - readers of model files and the import -----------===//

#include "Targets.h"

#include "dialects/graph/Graph.h"
#include "frontend/Entry.h"
#include "frontend/Frontend.h"
#include "frontend/tensorflow/CheckpointReader.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <google/protobuf/stubs/logging.h>
#pragma clang diagnostic pop

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <string>

using namespace mlir;

// What the checked and the unchecked parts of the program would disagree on.
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0:detect_container_overflow=0:"
         "detect_odr_violation=0:detect_leaks=0:allocator_may_return_null=1";
}

namespace tenon::fuzz {

namespace {

std::string inScratch(const char *name) {
  return std::string(scratchFolder()) + "/" + name;
}

/// Reads and imports the file at `path`. What fails must say why.
void import(const std::string &path, const char *format) {
  static std::unique_ptr<MLIRContext> context;
  static int uses = 0;
  // Attributes live as long as their context.
  if (!context || ++uses % 500 == 0)
    context = std::make_unique<MLIRContext>(MLIRContext::Threading::DISABLED);
  bool reported = false;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    reported |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return success();
  });
  ImportOptions options;
  options.format = format;
  OwningOpRef<ModuleOp> module = importModel(path, options, *context);
  if (!module && !reported) {
    llvm::errs() << "refused without a message\n";
    std::abort();
  }
}

void importFile(std::string_view input, const char *name, const char *format) {
  std::string path = inScratch(name);
  writeFile(path.c_str(), input);
  import(path, format);
}

/// A SavedModel of its message, the index and the data of its checkpoint, and
/// an asset called `asset`.
void importSaved(std::string_view input) {
  static const std::string folder = [] {
    std::string path = inScratch("saved");
    for (const char *inner : {"/variables", "/assets"})
      (void)llvm::sys::fs::create_directories(path + inner);
    return path;
  }();
  for (const char *name :
       {"/saved_model.pb", "/variables/variables.index",
        "/variables/variables.data-00000-of-00001", "/assets/asset"})
    writeFile((folder + name).c_str(), takePart(input));
  import(folder, "savedmodel");
}

/// An index and a data file; all tensors are read, also as parts.
void readCheckpoint(std::string_view input) {
  // The readers of models silence it, too.
  google::protobuf::SetLogHandler(nullptr);
  std::string prefix = inScratch("checkpoint");
  std::string_view index = takePart(input);
  writeFile((prefix + ".index").c_str(), index);
  writeFile((prefix + ".data-00000-of-00001").c_str(), takePart(input));
  auto table = tf::readTable({index.data(), index.size()});
  auto checkpoint = tf::Checkpoint::open(prefix);
  if (!checkpoint)
    llvm::consumeError(checkpoint.takeError());
  if (!table) {
    llvm::consumeError(table.takeError());
    return;
  }
  for (const auto &[key, value] : *table)
    for (const char *slice : {"", "4 2 0,2:-", "6 0,3"})
      if (checkpoint)
        if (auto tensor = (*checkpoint)->readSlice(key, slice); !tensor)
          llvm::consumeError(tensor.takeError());
}

} // namespace

const Target targets[] = {
    {"graphdef",
     [](std::string_view input) { importFile(input, "m.pb", "graphdef"); }},
    {"graphdef-text",
     [](std::string_view input) {
       importFile(input, "m.pbtxt", "graphdef-text");
     }},
    {"metagraph",
     [](std::string_view input) { importFile(input, "m.meta", "metagraph"); }},
    {"recognition", [](std::string_view input) { importFile(input, "m", ""); }},
    {"keras",
     [](std::string_view input) { importFile(input, "m.keras", "keras"); }},
    {"keras-h5",
     [](std::string_view input) { importFile(input, "m.h5", "keras-h5"); }},
    {"keras-json",
     [](std::string_view input) { importFile(input, "m.json", "keras-json"); }},
    {"savedmodel", importSaved},
    {"checkpoint", readCheckpoint},
    {"entry",
     [](std::string_view input) {
       if (auto entry = parseEntry({input.data(), input.size()}); !entry)
         llvm::consumeError(entry.takeError());
     }},
    {nullptr, nullptr}};

} // namespace tenon::fuzz
