//===- Model.cpp - model files and diagnostics, for all subcommands -------===//

#include "compiler/tools/tenon/Model.h"

#include "compiler/pipeline/Pipeline.h"
#include "compiler/tools/tenon/ModuleFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;

namespace tenon {

/// The node that `location` holds, as "node 'name' (Op): "; empty without one.
static std::string describeNode(Location location) {
  std::string text;
  location->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    text = "node '" + named.getName().str() + "'";
    // The importer leaves the source's operation behind the name.
    if (auto op = dyn_cast<NameLoc>(named.getChildLoc()))
      text += " (" + op.getName().str() + ")";
    text += ": ";
    return WalkResult::interrupt();
  });
  return text;
}

/// A message with names from a file: one line of bounded length that cannot
/// steer a terminal.
static std::string readable(StringRef message) {
  constexpr size_t maxBytes = 2000;
  std::string text;
  llvm::raw_string_ostream os(text);
  for (char c : message.take_front(maxBytes))
    if (uint8_t(c) < 32 || c == 127)
      os << "\\x" << llvm::utohexstr(uint8_t(c), /*LowerCase=*/true, 2);
    else
      os << c;
  if (message.size() > maxBytes)
    os << "... and " << message.size() - maxBytes << " more bytes";
  return text;
}

Model::Model(llvm::StringRef path, const ImportOptions &import,
             const Options &options)
    : path(path.str()) {
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.getDiagEngine().registerHandler(
      [this](Diagnostic &diagnostic) { print(diagnostic); });
  read(import);
  if (!module || !options.train)
    return;
  llvm::Expected<training::Request> request = options.getTrainingRequest();
  if (!request) // Options::check has reported it.
    llvm::consumeError(request.takeError());
  if (!request || failed(training::buildTraining(*module, *request)))
    module = {};
}

void Model::read(const ImportOptions &options) {
  if (!llvm::sys::fs::exists(path)) {
    fail(llvm::createStringError("no such file or directory"));
    return;
  }
  if (options.format == "mlir" ||
      (options.format.empty() && isModuleFile(path))) {
    if (!options.entries.empty() || !options.shapes.empty() ||
        !options.specializations.empty() || !options.signature.empty() ||
        options.batch)
      fail(llvm::createStringError("options that change entries or shapes need "
                                   "a model file, not a module"));
    else
      module = readModuleFile(path, context);
  } else
    module = importModel(path, options, context);
}

int Model::fail(llvm::Error error) {
  llvm::errs() << path << ": ";
  llvm::WithColor::error(llvm::errs())
      << readable(llvm::toString(std::move(error))) << '\n';
  return kFault;
}

void Model::print(Diagnostic &diagnostic) {
  auto printOne = [this](Diagnostic &one) {
    llvm::errs() << path << ':';
    if (auto place = dyn_cast<FileLineColLoc>(one.getLocation()))
      llvm::errs() << place.getLine() << ':' << place.getColumn() << ':';
    llvm::errs() << ' ';
    switch (one.getSeverity()) {
    case DiagnosticSeverity::Error:
      llvm::WithColor::error(llvm::errs());
      break;
    case DiagnosticSeverity::Warning:
      llvm::WithColor::warning(llvm::errs());
      break;
    default:
      llvm::WithColor::note(llvm::errs());
    }
    std::string message = one.str();
    // Messages of the importer name their node themselves.
    if (!StringRef(message).starts_with("node '"))
      message = describeNode(one.getLocation()) + message;
    // Notes may hold operations, which take several lines.
    bool isNote = one.getSeverity() == DiagnosticSeverity::Note;
    llvm::errs() << (isNote ? message : readable(message)) << '\n';
  };
  printOne(diagnostic);
  for (Diagnostic &note : diagnostic.getNotes())
    printOne(note);
}

std::string Model::getName(llvm::StringRef path) {
  SmallString<128> real(path);
  // "." and "dir/.." have no name of their own.
  llvm::sys::fs::make_absolute(real);
  llvm::sys::path::remove_dots(real, /*remove_dot_dot=*/true);
  StringRef name = llvm::sys::fs::is_directory(real)
                       ? llvm::sys::path::filename(real)
                       : llvm::sys::path::stem(real);
  return name.empty() || name == "/" ? "model" : name.str();
}

} // namespace tenon
