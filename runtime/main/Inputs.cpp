// NAME=VALUE, FILE: what is meant, and the tensor that it stands for.
#include "main/Inputs.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Literal.h"
#include "io/Npy.h"
#include "io/Npz.h"

#include <string.h>

namespace tenon {

namespace {

const char brainSuffix[] = "__bf16";

bool looksLikeFile(const char *value) {
  size_t length = strlen(value);
  return *value == '@' || strchr(value, '/') ||
         (length > 4 && (!strcmp(value + length - 4, ".npy") ||
                         !strcmp(value + length - 4, ".npz")));
}

bool isArchive(const Text &bytes) {
  return bytes.size > 1 && bytes.data[0] == 'P' && bytes.data[1] == 'K';
}

struct Reader {
  const EntrySpec &entry;
  tenon_tensor *tensors;
  bool cast;
  const TensorSpec *only = nullptr; // the input that a bare word feeds

  void give(const TensorSpec &spec, const tenon_tensor &tensor) {
    tenon_tensor &slot = tensors[&spec - entry.inputs];
    if (slot.data)
      fail("it is given twice");
    slot = tensor;
  }

  // A tensor from a file, as the input's type. `brain`: 16-bit words are the
  // bits of bfloat16.
  void adapt(const TensorSpec &spec, tenon_tensor tensor, bool brain) {
    tenon_dtype from = tensor.dtype, to = spec.dtype;
    if (brain && to.code == TENON_BFLOAT && from.code == TENON_UINT &&
        from.bits == 16)
      tensor.dtype = from = to;
    bool strings = from.code == TENON_STRING || to.code == TENON_STRING;
    if (!sameDtype(from, to)) {
      if (strings || (!cast && !convertsExactly(from, to)))
        fail("expected %s, got %s%s", dtypeName(to), dtypeName(from),
             strings ? "" : " (--cast converts it)");
      tensor = convertTensor(tensor, to);
    }
    give(spec, tensor);
  }

  // Finds the input's array in an archive: under its name, its name for
  // bfloat16, or, for the only input, whatever is alone.
  bool takeFrom(const TensorSpec &spec, Npz &npz, bool alone) {
    Text name;
    name.print("%s%s", spec.name, brainSuffix);
    bool brain = false;
    if (!npz.find(spec.name)) {
      brain = spec.dtype.code == TENON_BFLOAT && npz.find(name.terminated());
      // Data to train on has its only input as x.
      alone = alone && ((tenon_main_model.training && npz.find("x")) ||
                        (npz.count == 1 && npz.first()));
      if (!brain && !alone)
        return false;
    }
    failContext.input = spec.name;
    adapt(spec, npz.read(), brain);
    failContext.input = nullptr;
    return true;
  }

  // A literal, a file or a string, for one input.
  void readValue(const TensorSpec &spec, const char *value) {
    failContext.input = spec.name;
    if (*value != '@' && isLiteral(value, spec.dtype)) {
      give(spec, readLiteral(value, spec.dtype, cast));
    } else if (looksLikeFile(value)) {
      Text bytes = readFile(value + (*value == '@'));
      if (isArchive(bytes)) {
        Npz npz(bytes.data, bytes.size);
        if (!takeFrom(spec, npz, true))
          fail("it has no array of that name");
      } else {
        adapt(spec, readNpy(bytes.data, bytes.size), true);
      }
      failContext.file = nullptr;
    } else if (spec.dtype.code == TENON_STRING) {
      tenon_tensor tensor = makeTensor(spec.dtype, 0, nullptr);
      *stringsOf(tensor) = {value, strlen(value)};
      give(spec, tensor);
    } else {
      fail("'%s' is neither a number, a list nor a file (.npy, .npz, @FILE)",
           value);
    }
    failContext.input = nullptr;
  }

  // No input fits the first characters of a word.
  [[noreturn]] void noInput(const char *word, size_t length) {
    Text names;
    for (int32_t i = 0; i < entry.inputCount; ++i)
      names.print(i ? ", %s" : "%s", entry.inputs[i].name);
    fail("entry '%s' has no input for '%.*s'; its inputs are: %s", entry.name,
         int(length), word, names.size ? names.terminated() : "none");
  }

  // A word without a name: an archive for all inputs, or a value for the only
  // one.
  void readBare(const char *word) {
    if (looksLikeFile(word) && (*word == '@' || !only || *word != '[')) {
      Text bytes = readFile(word + (*word == '@'));
      if (isArchive(bytes)) {
        Npz npz(bytes.data, bytes.size);
        bool any = false;
        for (int32_t i = 0; i < entry.inputCount; ++i)
          any |= takeFrom(entry.inputs[i], npz, &entry.inputs[i] == only);
        failContext.file = nullptr;
        if (!any)
          noInput(word, strlen(word));
        return;
      }
      failContext.file = nullptr;
      if (!only && entry.inputCount)
        fail("entry '%s' has %d inputs: say which one %s is for, as NAME=%s",
             entry.name, entry.inputCount, word, word);
    }
    if (!only)
      noInput(word, strlen(word));
    readValue(*only, word);
  }

  void readWord(const char *word) {
    for (int32_t i = 0; i < entry.inputCount; ++i) {
      const TensorSpec &spec = entry.inputs[i];
      const char *rest = behind(word, spec.name);
      if (!rest)
        continue;
      if (spec.dtype.code == TENON_BFLOAT)
        if (const char *more = behind(rest, brainSuffix))
          rest = more;
      if (*rest == '=') {
        readValue(spec, rest + 1);
        return;
      }
    }
    // A path may hold '=' too; what stands before it gives that away.
    size_t name = strcspn(word, "=/@[\" ");
    if (word[name] == '=')
      noInput(word, name);
    readBare(word);
  }
};

} // namespace

tenon_tensor *readInputs(const EntrySpec &entry, const Words &words,
                         bool cast) {
  size_t count = size_t(entry.inputCount);
  Reader reader{
      entry,
      static_cast<tenon_tensor *>(allocate(count * sizeof(tenon_tensor))),
      cast};
  failContext.entry = entry.name;
  int32_t needed = 0;
  for (size_t i = 0; i < count; ++i)
    if (!entry.inputs[i].hasDefault || count == 1) {
      reader.only = &entry.inputs[i];
      ++needed;
    }
  if (needed != 1)
    reader.only = nullptr;
  for (int32_t i = 0; i < words.count; ++i)
    reader.readWord(words.list[i]);
  return reader.tensors;
}

} // namespace tenon
