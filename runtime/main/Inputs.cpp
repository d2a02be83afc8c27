// NAME=VALUE, FILE: what is meant, and the array that it stands for.
#include "main/Inputs.h"
#include "io/File.h"
#include "io/Literal.h"
#include "io/Npy.h"
#include "io/Npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

const char brainSuffix[] = "__bf16";

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), tail = strlen(end);
  return length >= tail && !strcmp(text + length - tail, end);
}

bool looksLikeFile(const char *value) {
  return *value == '@' || endsWith(value, ".npy") || endsWith(value, ".npz") ||
         strchr(value, '/');
}

struct Reader {
  const EntrySpec &entry;
  Inputs &inputs;
  bool cast;
  Message &message;

  // Puts what happened behind the input's name.
  bool failAt(const TensorSpec &spec) {
    Message what = message;
    return message.fail("entry '%s', input '%s': %s", entry.name, spec.name,
                        what.text);
  }

  // Brings an array from a file to the input's type. `brain`: 16-bit words
  // are the bits of bfloat16.
  bool adapt(Array &array, const TensorSpec &spec, const char *file,
             bool brain) {
    const tenon_dtype words = {TENON_UINT, 16, 1};
    if (brain && spec.dtype.code == TENON_BFLOAT &&
        sameDtype(array.dtype, words))
      array.dtype = spec.dtype;
    if (sameDtype(array.dtype, spec.dtype))
      return true;
    bool strings =
        array.dtype.code == TENON_STRING || spec.dtype.code == TENON_STRING;
    if (strings || (!cast && !convertsExactly(array.dtype, spec.dtype)))
      return message.fail("expected %s, got %s in %s%s", dtypeName(spec.dtype),
                          dtypeName(array.dtype), file,
                          strings ? "" : " (--cast converts it)");
    Array converted;
    if (!convertArray(array, spec.dtype, converted, message))
      return false;
    array.release();
    array = converted;
    return true;
  }

  // Puts an array in its place.
  bool give(const TensorSpec &spec, const Array &array) {
    Array &slot = inputs.arrays[&spec - entry.inputs];
    if (slot.data)
      return message.fail("it is given twice");
    slot = array;
    return true;
  }

  // Finds the array of an archive for an input: its name, its name for
  // bfloat16, or, with `only`, whatever is alone in the archive.
  bool findArray(const Npz &npz, const TensorSpec &spec, bool only,
                 Npz::Entry &found, bool &brain) {
    brain = false;
    if (npz.find(spec.name, found))
      return true;
    char name[512];
    brain = spec.dtype.code == TENON_BFLOAT;
    if (brain &&
        snprintf(name, sizeof name, "%s%s", spec.name, brainSuffix) <
            int(sizeof name) &&
        npz.find(name, found))
      return true;
    uint64_t cursor = 0;
    Message unused;
    return only && npz.count == 1 && npz.next(cursor, found, unused);
  }

  bool readNpzArray(const Npz &npz, const Npz::Entry &found,
                    const TensorSpec &spec, const char *path, bool brain) {
    Array array = {};
    if (!npz.read(found, array, message)) {
      Message what = message;
      return message.fail("%s: %s", path, what.text);
    }
    if (adapt(array, spec, path, brain) && give(spec, array))
      return true;
    array.release();
    return false;
  }

  // An input from a file: .npy, or its array of an .npz.
  bool readInput(const TensorSpec &spec, const Text &bytes, const char *path,
                 bool only) {
    if (bytes.size >= 4 && !memcmp(bytes.data, "PK", 2)) {
      Npz npz;
      Npz::Entry found;
      bool brain;
      if (!npz.open(bytes.data, bytes.size, message)) {
        Message what = message;
        return message.fail("%s: %s", path, what.text);
      }
      if (!findArray(npz, spec, only, found, brain))
        return message.fail("%s has no array of that name", path);
      return readNpzArray(npz, found, spec, path, brain);
    }
    Array array = {};
    if (!readNpy(bytes.data, bytes.size, array, message)) {
      Message what = message;
      return message.fail("%s: %s", path, what.text);
    }
    if (adapt(array, spec, path, true) && give(spec, array))
      return true;
    array.release();
    return false;
  }

  // A literal, a file or a string, for one input.
  bool readValue(const TensorSpec &spec, const char *value) {
    Array array = {};
    if (*value != '@' && isLiteral(value, spec.dtype)) {
      if (!readLiteral(value, spec.dtype, cast, array, message))
        return false;
    } else if (looksLikeFile(value)) {
      Text bytes;
      const char *path = value + (*value == '@');
      bool good =
          readFile(path, bytes, message) && readInput(spec, bytes, path, true);
      bytes.release();
      return good;
    } else if (spec.dtype.code == TENON_STRING) {
      if (!makeString(value, array, message))
        return false;
    } else {
      return message.fail("'%s' is neither a number, a list nor a file (.npy, "
                          ".npz, @FILE)",
                          value);
    }
    if (give(spec, array))
      return true;
    array.release();
    return false;
  }

  // The input that a word without a name feeds, or NULL.
  const TensorSpec *onlyInput() {
    const TensorSpec *only = nullptr;
    int32_t needed = 0;
    for (int32_t i = 0; i < entry.inputCount; ++i)
      if (!entry.inputs[i].hasDefault || entry.inputCount == 1) {
        only = &entry.inputs[i];
        ++needed;
      }
    return needed == 1 ? only : nullptr;
  }

  // Feeds all inputs that an archive has arrays for.
  bool readAll(const Text &bytes, const char *path) {
    Npz npz;
    if (!npz.open(bytes.data, bytes.size, message)) {
      Message what = message;
      return message.fail("%s: %s", path, what.text);
    }
    bool any = false;
    for (int32_t i = 0; i < entry.inputCount; ++i) {
      Npz::Entry found;
      bool brain;
      const TensorSpec &spec = entry.inputs[i];
      if (!findArray(npz, spec, &spec == onlyInput(), found, brain))
        continue;
      any = true;
      if (!readNpzArray(npz, found, spec, path, brain))
        return failAt(spec);
    }
    return any || noInput(path);
  }

  // No input fits what `word` names or holds.
  bool noInput(const char *word) {
    Text names;
    for (int32_t i = 0; i < entry.inputCount; ++i)
      names.print(i ? ", %s" : "%s", entry.inputs[i].name);
    message.fail("entry '%s' has no input for '%s'; its inputs are: %s",
                 entry.name, word, names.size ? names.data : "none");
    names.release();
    return false;
  }

  // A word without a name.
  bool readBare(const char *word) {
    const TensorSpec *only = onlyInput();
    if (!looksLikeFile(word)) {
      if (!only)
        return noInput(word);
      return readValue(*only, word) || failAt(*only);
    }
    Text bytes;
    const char *path = word + (*word == '@');
    bool good = readFile(path, bytes, message);
    if (good && bytes.size >= 4 && !memcmp(bytes.data, "PK", 2))
      good = readAll(bytes, path);
    else if (good && only)
      good = readInput(*only, bytes, path, true) || failAt(*only);
    else if (good)
      good = message.fail("entry '%s' has %d inputs: say which one %s is for, "
                          "as NAME=%s",
                          entry.name, entry.inputCount, path, path);
    bytes.release();
    return good;
  }

  bool readWord(const char *word) {
    if (*word == '@')
      return readBare(word);
    for (int32_t i = 0; i < entry.inputCount; ++i) {
      const TensorSpec &spec = entry.inputs[i];
      size_t length = strlen(spec.name);
      if (strncmp(word, spec.name, length))
        continue;
      const char *rest = word + length;
      size_t suffix = sizeof brainSuffix - 1;
      if (spec.dtype.code == TENON_BFLOAT &&
          !strncmp(rest, brainSuffix, suffix))
        rest += suffix;
      if (*rest == '=')
        return readValue(spec, rest + 1) || failAt(spec);
    }
    // A path may hold '=' too; a folder before it gives that away.
    const char *equals = strchr(word, '=');
    const char *slash = strchr(word, '/');
    return equals && !(slash && slash < equals) ? noName(word, equals)
                                                : readBare(word);
  }

  bool noName(const char *word, const char *equals) {
    Text name;
    name.add(word, size_t(equals - word));
    name.add("", 1);
    noInput(name.failed ? word : name.data);
    name.release();
    return false;
  }
};

} // namespace

bool Inputs::read(const EntrySpec &entry, const RunRequest &run, bool cast,
                  Message &message) {
  count = entry.inputCount;
  arrays = static_cast<Array *>(calloc(size_t(count) + 1, sizeof(Array)));
  if (!arrays)
    return message.fail("no memory for inputs");
  Reader reader{entry, *this, cast, message};
  for (int32_t i = 0; i < run.argumentCount; ++i)
    if (!reader.readWord(run.arguments[i]))
      return false;
  return true;
}

void Inputs::release() {
  for (int32_t i = 0; arrays && i < count; ++i)
    arrays[i].release();
  free(arrays);
  arrays = nullptr;
}

} // namespace tenon
