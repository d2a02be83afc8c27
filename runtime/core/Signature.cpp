// Reads the FlatBuffers table of a model. The format: a table is found through
// an offset, holds the distance to its vtable, and the vtable holds the
// position of each field or 0. The table stands beside the code and is trusted
// as much; the compiler aligns it, so that arrays are used where they stand.
#include "core/Signature.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

template <typename T> T load(const char *at) {
  return *reinterpret_cast<const T *>(at);
}

// What the offset at `at` leads to.
const char *follow(const char *at) { return at + load<uint32_t>(at); }

// A field of a table, NULL when it is left out.
[[gnu::noinline]] const char *findField(const char *table, unsigned index) {
  const char *vtable = table - load<int32_t>(table);
  unsigned slot = 4 + 2 * index;
  unsigned offset =
      slot < load<uint16_t>(vtable) ? load<uint16_t>(vtable + slot) : 0;
  return offset ? table + offset : nullptr;
}

uint8_t readByte(const char *table, unsigned index, uint8_t fallback) {
  const char *field = findField(table, index);
  return field ? load<uint8_t>(field) : fallback;
}

[[gnu::noinline]] uint64_t readWord(const char *table, unsigned index,
                                    uint64_t fallback = 0) {
  const char *field = findField(table, index);
  return field ? load<uint64_t>(field) : fallback;
}

// First element and number of elements of a vector (or string).
[[gnu::noinline]] char *readVector(const char *table, unsigned index,
                                   int32_t &count) {
  const char *field = findField(table, index);
  count = 0;
  if (!field)
    return nullptr;
  field = follow(field);
  count = load<int32_t>(field);
  return const_cast<char *>(field + 4);
}

// Strings end in a zero.
[[gnu::noinline]] const char *readString(const char *table, unsigned index) {
  int32_t length;
  const char *text = readVector(table, index, length);
  return text ? text : "";
}

struct Reader {
  char *room; // what is not used yet of the signature's memory

  void *take(size_t bytes) {
    char *taken = room;
    room += bytes;
    return taken;
  }

  [[gnu::noinline]] const char **strings(const char *table, unsigned index,
                                         int32_t &count) {
    const char *first = readVector(table, index, count);
    const char **list =
        static_cast<const char **>(take(size_t(count) * sizeof(char *)));
    for (int32_t i = 0; i < count; ++i)
      list[i] = follow(first + 4 * i) + 4;
    return list;
  }

  // The numbers of fields that tensors and variables share.
  enum { Name, Code, Bits, Shape };

  template <typename Spec> void readType(const char *table, Spec &spec) {
    spec.name = readString(table, Name);
    spec.dtype = {readByte(table, Code, 0), readByte(table, Bits, 0), 1};
    spec.shape =
        reinterpret_cast<int64_t *>(readVector(table, Shape, spec.rank));
  }

  void readDefault(const char *table, TensorSpec &spec) {
    int32_t rank, count;
    spec.defaultShape = reinterpret_cast<int64_t *>(readVector(table, 5, rank));
    if (rank != spec.rank) // the sizes are the input's own
      spec.defaultShape = spec.shape;
    spec.defaultData = readVector(table, 6, count);
    if (spec.dtype.code != TENON_STRING)
      return;
    const char *first = readVector(table, 7, count);
    tenon_string *list =
        static_cast<tenon_string *>(take(size_t(count) * sizeof *list));
    spec.defaultData = list;
    for (int32_t i = 0; i < count; ++i) {
      const char *string = follow(first + 4 * i);
      list[i] = {string + 4, load<uint32_t>(string)};
    }
  }

  [[gnu::noinline]] TensorSpec *tensors(const char *table, unsigned index,
                                        int32_t &count, int32_t &dims) {
    const char *first = readVector(table, index, count);
    TensorSpec *list =
        static_cast<TensorSpec *>(take(size_t(count) * sizeof *list));
    for (int32_t i = 0; i < count; ++i) {
      TensorSpec &spec = list[i];
      const char *tensor = follow(first + 4 * i);
      readType(tensor, spec);
      dims += spec.rank;
      spec.hasDefault = readByte(tensor, 4, 0);
      if (spec.hasDefault)
        readDefault(tensor, spec);
    }
    return list;
  }

  void readEntries(const char *model, Signature &out) {
    const char *first = readVector(model, 1, out.entryCount);
    out.entries = static_cast<EntrySpec *>(
        take(size_t(out.entryCount) * sizeof(EntrySpec)));
    for (int32_t i = 0; i < out.entryCount; ++i) {
      EntrySpec &entry = out.entries[i];
      const char *table = follow(first + 4 * i);
      entry.name = readString(table, 0);
      entry.inputs = tensors(table, 1, entry.inputCount, entry.dimCount);
      entry.outputs = tensors(table, 2, entry.outputCount, entry.dimCount);
    }
  }

  void readVariables(const char *model, Signature &out) {
    const char *first = readVector(model, 2, out.variableCount);
    out.variables = static_cast<VariableSpec *>(
        take(size_t(out.variableCount) * sizeof(VariableSpec)));
    for (int32_t i = 0; i < out.variableCount; ++i) {
      VariableSpec &variable = out.variables[i];
      const char *table = follow(first + 4 * i);
      readType(table, variable);
      variable.stateOffset = readWord(table, 4);
      variable.bytes = readWord(table, 5);
      variable.flagOffset = readWord(table, 6);
      variable.initial = int64_t(readWord(table, 7, uint64_t(-1)));
      variable.generator = readByte(table, 8, 0);
    }
  }
};

} // namespace

bool Signature::read(const tenon_model &model, Message &message) {
  memset(static_cast<void *>(this), 0, sizeof *this);
  if (model.abi_version != TENON_ABI_VERSION)
    return message.fail("compiled for version %u of the runtime, this is %u",
                        model.abi_version, TENON_ABI_VERSION);
  // Nothing grows to more than four times what the table needs for it: an
  // offset, a table with a field or two, a string.
  memory = calloc(4, model.signature_bytes);
  if (!memory)
    return message.fail("no memory for an instance");
  Reader reader{static_cast<char *>(memory)};
  const char *root = follow(static_cast<const char *>(model.signature));
  name = readString(root, 0);
  symbols = reader.strings(root, 3, symbolCount);
  failures = reader.strings(root, 4, failureCount);
  kernels = reader.strings(root, 5, kernelCount);
  arenaBytes = readWord(root, 6);
  stateBytes = readWord(root, 8);
  zerosBytes = readWord(root, 9);
  reader.readEntries(root, *this);
  reader.readVariables(root, *this);
  return true;
}

bool ArchiveSpec::read(const tenon_model &model) {
  const char *root = follow(static_cast<const char *>(model.signature));
  const char *table = findField(root, 12);
  if (!table)
    return false;
  table = follow(table);
  config = readVector(table, 0, configSize);
  metadata = readVector(table, 1, metadataSize);
  header = readVector(table, 2, headerSize);
  variables = reinterpret_cast<int32_t *>(readVector(table, 3, variableCount));
  return true;
}

void Signature::release() { free(memory); }

int32_t Signature::find(const char *entry) const {
  for (int32_t i = 0; i < entryCount; ++i)
    if (!strcmp(entries[i].name, entry))
      return i;
  return -1;
}

int64_t countElements(int32_t rank, const int64_t *shape, int elementBytes) {
  int64_t count = 1, bytes = elementBytes ? elementBytes : 1;
  for (int32_t i = 0; i < rank; ++i) {
    if (shape[i] < 0)
      return -1;
    count *= shape[i] != 0;
    // A size of zero elsewhere does not excuse sizes that cannot be.
    if (shape[i] && __builtin_mul_overflow(bytes, shape[i], &bytes))
      return -1;
  }
  return count ? bytes / (elementBytes ? elementBytes : 1) : 0;
}

} // namespace tenon
