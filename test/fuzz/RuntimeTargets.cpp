//===- RuntimeTargets.cpp - what compiled programs read -------------------===//

#include "Targets.h"

#include "checkpoint/Checkpoint.h"
#include "host/Guard.h"
#include "host/Regex.h"
#include "io/Fail.h"
#include "io/Literal.h"
#include "io/Npy.h"
#include "io/Npz.h"
#include "train/Data.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" const tenon_model tenon_main_model; // test/runtime/FakeModel.cpp

namespace tenon::fuzz {

namespace {

Instance &instance() {
  static auto *made =
      static_cast<Instance *>(tenon_create(&tenon_main_model, nullptr));
  return *made;
}

std::string_view current;

/// Calls `body` with the input in `current`. What fails must say why.
void call(std::string_view input, bool (*body)(HostCall &)) {
  current = input;
  instance().begin();
  static const char attributes[] = "";
  HostCall host{instance(), "node", attributes, nullptr, nullptr, 0, 0};
  if (!guarded(host, body) && !*tenon_error(&instance())) {
    std::fprintf(stderr, "refused without a message\n");
    std::abort();
  }
  instance().releaseBlocks();
}

/// Inputs are copied: what is read behind their end is found out.
tenon_string copied(HostCall &host, std::string_view text) {
  char *memory = static_cast<char *>(allocate(text.size()));
  memcpy(memory, text.data(), text.size());
  memory[text.size()] = 0;
  return {memory, text.size()};
}

bool readAll(Npz &npz) {
  for (bool more = npz.first(); more; more = npz.next())
    npz.read();
  return true;
}

constexpr tenon_dtype kTypes[] = {
    {TENON_FLOAT, 32, 1},   {TENON_FLOAT, 64, 1}, {TENON_INT, 32, 1},
    {TENON_UINT, 8, 1},     {TENON_BOOL, 8, 1},   {TENON_FLOAT, 16, 1},
    {TENON_COMPLEX, 64, 1}, {TENON_INT, 64, 1},   {TENON_STRING, 128, 1},
};

/// The first byte chooses the type.
bool literal(HostCall &host) {
  uint8_t choice = current.empty() ? 0 : uint8_t(current.front());
  tenon_dtype dtype = kTypes[choice % std::size(kTypes)];
  tenon_string text = copied(host, current.substr(current.empty() ? 0 : 1));
  if (isLiteral(text.data, dtype))
    readLiteral(text.data, dtype, choice & 128);
  return true;
}

bool restore(HostCall &host) {
  static const std::string prefix = std::string(scratchFolder()) + "/restore";
  std::string_view input = current;
  writeFile((prefix + ".index").c_str(), takePart(input));
  writeFile((prefix + ".data-00000-of-00001").c_str(), takePart(input));
  restoreCheckpoint(instance(), prefix.c_str(), /*partial=*/true);
  return true;
}

/// V1 checkpoints and .npz files are one file.
bool restoreFile(HostCall &host) {
  static const std::string path = std::string(scratchFolder()) + "/one";
  writeFile(path.c_str(), current);
  restoreCheckpoint(instance(), path.c_str(), /*partial=*/true);
  return true;
}

bool matchPattern(HostCall &host) {
  std::string_view input = current;
  tenon_string pattern = copied(host, takePart(input)),
               text = copied(host, input);
  Regex regex(host);
  int64_t groups[2 * Regex::maxGroups];
  if (!regex.compile(pattern))
    return false;
  regex.match(text, 0, /*whole=*/true, groups);
  regex.match(text, 0, /*whole=*/false, groups);
  return true;
}

/// Reads a set of training data for inputs of these sizes and one number as the
/// target: rows as they come, and the first one twice.
void readData(int64_t *shape, int32_t rank, const std::string &path) {
  static int64_t targetShape[] = {-1, 1};
  const TensorSpec x{"x", kTypes[0], rank, false, shape, nullptr, nullptr};
  const TensorSpec y{"y", kTypes[0], 2, false, targetShape, nullptr, nullptr};
  const train::Field fields[] = {{&x, train::Input, false, 0, nullptr, 0, 0},
                                 {&y, train::Target, false, 0, nullptr, 0, 0}};
  const char *word = path.c_str();
  train::DataSet set = train::openData({fields, 2, 1, false}, Words{&word, 1});
  int64_t count = std::min<int64_t>(set.source->rows, 16);
  char *buffers[2];
  for (int i = 0; i < 2; ++i)
    buffers[i] = static_cast<char *>(
        allocate(set.fields[i].bytes * size_t(std::max<int64_t>(count, 2))));
  if (count <= 0)
    return;
  set.source->fetch(*set.source, nullptr, 0, count, buffers);
  const uint32_t order[] = {uint32_t(count - 1), 0};
  if (!set.source->isStream)
    set.source->fetch(*set.source, order, 0, 2, buffers);
}

/// A file of data, by what its name ends with.
template <const char *suffix> bool data(HostCall &host) {
  static const std::string path =
      std::string(scratchFolder()) + "/data" + suffix;
  static int64_t shape[] = {-1, 3};
  writeFile(path.c_str(), current);
  readData(shape, 2, path);
  return true;
}
constexpr char kCsv[] = ".csv", kRecords[] = ".tfrecord", kArrays[] = ".npz";

/// A folder of pictures of two classes.
bool pictures(HostCall &host) {
  static const std::string folder = [] {
    std::string path = std::string(scratchFolder()) + "/pictures";
    for (const char *part : {"", "/a", "/b"})
      mkdir((path + part).c_str(), 0700);
    return path;
  }();
  static int64_t shape[] = {-1, 4, 5, 3};
  std::string_view input = current;
  writeFile((folder + "/a/1.png").c_str(), takePart(input));
  writeFile((folder + "/b/2.jpg").c_str(), takePart(input));
  readData(shape, 4, folder);
  return true;
}

} // namespace

const Target targets[] = {
    {"npy",
     [](std::string_view input) {
       call(input, [](HostCall &host) {
         tenon_string bytes = copied(host, current);
         readNpy(bytes.data, bytes.size);
         return true;
       });
     }},
    {"npz",
     [](std::string_view input) {
       call(input, [](HostCall &host) {
         tenon_string bytes = copied(host, current);
         Npz npz(bytes.data, bytes.size);
         return readAll(npz);
       });
     }},
    {"literal", [](std::string_view input) { call(input, literal); }},
    {"restore", [](std::string_view input) { call(input, restore); }},
    {"restore-file", [](std::string_view input) { call(input, restoreFile); }},
    {"regex", [](std::string_view input) { call(input, matchPattern); }},
    {"csv", [](std::string_view input) { call(input, data<kCsv>); }},
    {"records", [](std::string_view input) { call(input, data<kRecords>); }},
    {"arrays", [](std::string_view input) { call(input, data<kArrays>); }},
    {"pictures", [](std::string_view input) { call(input, pictures); }},
    {nullptr, nullptr}};

} // namespace tenon::fuzz
