//===- Cache.cpp - executables that tenon run and verify keep -------------===//

#include "compiler/tools/tenon/Commands.h"
#include "compiler/tools/tenon/Model.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace tenon {

namespace {

/// The key of a compilation: contents, options and version.
class Key {
public:
  void add(StringRef text) {
    uint64_t size = text.size();
    hash.update(StringRef(reinterpret_cast<const char *>(&size), sizeof size));
    hash.update(text);
  }

  Error addFile(StringRef path) {
    auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
    if (!buffer)
      return createStringError("cannot read '" + path +
                               "': " + buffer.getError().message());
    add((*buffer)->getBuffer());
    return Error::success();
  }

  /// All files of a folder, in the order of their names.
  Error addFolder(StringRef path) {
    std::error_code code;
    std::vector<std::string> files;
    for (sys::fs::recursive_directory_iterator it(path, code), end;
         it != end && !code; it.increment(code))
      if (!sys::fs::is_directory(it->path()))
        files.push_back(it->path());
    if (code)
      return createStringError("cannot read '" + path + "': " + code.message());
    llvm::sort(files);
    for (const std::string &file : files) {
      add(StringRef(file).substr(path.size()));
      if (Error error = addFile(file))
        return error;
    }
    return Error::success();
  }

  /// The state of a file of ours, without reading it.
  void addStatus(StringRef path) {
    sys::fs::file_status status;
    if (!sys::fs::status(path, status))
      add((Twine(status.getSize()) + " " +
           Twine(status.getLastModificationTime().time_since_epoch().count()))
              .str());
  }

  std::string get() { return toHex(hash.final<16>(), /*LowerCase=*/true); }

private:
  BLAKE3 hash;
};

Expected<std::string> computeKey(StringRef model, const Options &options,
                                 StringRef tool) {
  Key key;
  key.add(TENON_VERSION);
  key.addStatus(tool);
  key.addStatus(findRuntimeArchive(tool));
  key.add(options.describe());
  // "native" is another machine tomorrow.
  if (options.cpu == "native")
    key.add(sys::getHostCPUName());
  Error error =
      sys::fs::is_directory(model) ? key.addFolder(model) : key.addFile(model);
  if (error)
    return std::move(error);
  // What a file refers to lies beside it under the same name.
  for (const char *suffix : {"weights", "weights.h5"}) {
    SmallString<128> beside(model);
    sys::path::replace_extension(beside, suffix);
    if (beside != model && sys::fs::exists(beside) &&
        !sys::fs::is_directory(beside))
      if (Error error = key.addFile(beside))
        return std::move(error);
  }
  if (!options.loadWeights.empty())
    if (Error error = key.addFile(options.loadWeights))
      return std::move(error);
  return key.get();
}

Expected<std::string> getCacheFolder() {
  SmallString<128> folder;
  if (const char *cache = ::getenv("XDG_CACHE_HOME"); cache && *cache)
    folder = cache;
  else if (!sys::path::home_directory(folder))
    return createStringError("no folder for the cache: neither XDG_CACHE_HOME "
                             "nor HOME is set");
  else
    sys::path::append(folder, ".cache");
  sys::path::append(folder, "tenon");
  return folder.str().str();
}

} // namespace

std::string compileToCache(StringRef model, const Options &options,
                           StringRef tool) {
  auto fail = [&](Error error) {
    errs() << model << ": error: " << toString(std::move(error)) << '\n';
    return std::string();
  };
  if (!sys::fs::exists(model))
    return fail(createStringError("no such file or directory"));
  Expected<std::string> folder = getCacheFolder();
  if (!folder)
    return fail(folder.takeError());
  Expected<std::string> key = computeKey(model, options, tool);
  if (!key)
    return fail(key.takeError());
  // A folder for each, so that the program can have the model's name.
  SmallString<128> path(*folder);
  sys::path::append(path, *key);
  if (std::error_code code = sys::fs::create_directories(path))
    return fail(createStringError("cannot make '" + path.str() +
                                  "': " + code.message()));
  sys::path::append(path, Model::getName(model));
  if (!sys::fs::can_execute(path) &&
      compileTo(model, OutputKind::Executable, path, options, tool) != kDone)
    return {};
  return path.str().str();
}

} // namespace tenon
