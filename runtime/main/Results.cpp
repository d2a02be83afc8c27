// Results to the terminal and to files.
#include "main/Results.h"
#include "io/File.h"
#include "io/Npy.h"
#include "io/Npz.h"
#include "io/Print.h"

#include <stdio.h>
#include <string.h>

namespace tenon {

namespace {

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), tail = strlen(end);
  return length > tail && !strcmp(text + length - tail, end);
}

// The parts of a word after -o: NAME=FILE.npy, FILE.npz, FILE.npy or "-".
struct Target {
  const char *file;
  size_t nameSize; // of the result's name at the word's start; 0: none
  bool all;        // an archive of all results

  explicit Target(const char *word) {
    all = !strcmp(word, "-") || endsWith(word, ".npz");
    const char *equals = all ? nullptr : strrchr(word, '=');
    nameSize = equals ? size_t(equals - word) : 0;
    file = equals ? equals + 1 : word;
  }

  bool names(const char *word, const char *result, size_t size) const {
    return nameSize == size && !memcmp(word, result, size);
  }
};

bool toFile(void *context, const void *bytes, size_t size) {
  return writeAll(static_cast<OutputFile *>(context)->descriptor, bytes, size);
}

bool writeNpy(OutputFile &file, const Array &array) {
  Text header, scratch;
  size_t bytes;
  writeNpyHeader(header, array, bytes);
  const char *data = npyData(array, bytes, scratch);
  bool good = data && !header.failed &&
              writeAll(file.descriptor, header.data, header.size) &&
              writeAll(file.descriptor, data, bytes);
  header.release();
  scratch.release();
  return good;
}

} // namespace

bool Results::add(int32_t position, const char *name,
                  const tenon_tensor &tensor, Message &message) {
  Result result = {};
  if (!copyTensor(tensor, result.array, message))
    return false;
  if (position >= 0)
    result.name.print("%d/", position);
  result.name.add(name, strlen(name) + 1);
  list.add(&result, sizeof result);
  if (!list.failed && !result.name.failed)
    return true;
  result.array.release();
  result.name.release();
  return message.fail("no memory for results");
}

bool Results::deliver(const Options &options, Text &out, Message &message) {
  for (int32_t i = 0; i < options.outputCount; ++i) {
    const char *word = options.outputs[i];
    Target target(word);
    OutputFile file{target.file};
    if (!file.open(target.file, message))
      return false;
    bool good = true;
    NpzWriter archive{toFile, &file, {}};
    for (const Result &result : *this) {
      if (target.all)
        good = good && archive.add(result.name.data, result.array);
      else if (!target.nameSize ||
               target.names(word, result.name.data, result.name.size - 1))
        good = good && writeNpy(file, result.array);
    }
    if (target.all)
      good = archive.finish() && good;
    if (!file.close(good, message))
      return false;
  }
  if (options.outputCount)
    return true;
  bool several = options.runCount > 1 || end() - begin() > 1;
  for (const Result &result : *this) {
    if (several)
      out.print(result.array.rank > 1 ? "%s:\n" : "%s: ", result.name.data);
    Text text;
    printArray(text, result.array, options.full);
    out.add(text.data, text.size);
    out.add("\n");
    text.release();
  }
  return !out.failed || message.fail("no memory for the printed results");
}

void Results::release() {
  for (Result &result : *this) {
    result.name.release();
    result.array.release();
  }
  list.release();
}

bool checkOutputs(const Options &options, const Signature &signature,
                  const int32_t *entries, Message &message, int &status) {
  for (int32_t i = 0; i < options.outputCount; ++i) {
    const char *word = options.outputs[i];
    Target target(word);
    status = 2;
    if (!target.all && !endsWith(target.file, ".npy"))
      return message.fail("-o: expected FILE.npz, NAME=FILE.npy or -, got '%s'",
                          word);
    status = 1;
    int32_t count = 0;
    bool found = target.all;
    for (int32_t run = 0; run < options.runCount; ++run) {
      const EntrySpec &entry = signature.entries[entries[run]];
      count += entry.outputCount;
      for (int32_t k = 0; !found && k < entry.outputCount; ++k) {
        Text name;
        if (options.runCount > 1)
          name.print("%d/", run);
        name.add(entry.outputs[k].name);
        found = !name.failed && target.names(word, name.data, name.size);
        name.release();
      }
    }
    if (!found && (target.nameSize || count != 1))
      return message.fail(target.nameSize
                              ? "-o %s: there is no result of that name"
                              : "-o %s: there are several results, write "
                                "NAME=FILE.npy or FILE.npz",
                          word);
  }
  return true;
}

bool checkFinite(const char *what, const char *name, const Array &array,
                 Message &message) {
  int code = array.dtype.code;
  bool complex = code == TENON_COMPLEX;
  if (code != TENON_FLOAT && code != TENON_BFLOAT && !complex)
    return true;
  for (int64_t i = 0; i < array.count << complex; ++i) {
    double value = loadFloat(array, i);
    if (value - value == 0)
      continue;
    char place[512] = "";
    int64_t left = i >> complex, size = array.count;
    for (int32_t axis = 0, used = 0; axis < array.rank && used < 480; ++axis) {
      size /= array.shape[axis];
      used += snprintf(place + used, sizeof place - size_t(used), "%s%lld",
                       axis ? ", " : "", (long long)(left / size));
      left %= size;
    }
    return message.fail("%s '%s' is %s at [%s]; a program compiled with "
                        "--check-numerics names the node that made it",
                        what, name, value != value ? "nan" : "infinite", place);
  }
  return true;
}

} // namespace tenon
