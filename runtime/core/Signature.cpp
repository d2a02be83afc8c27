// Reads the FlatBuffers table of a model. The format: a table is found through
// an offset, holds the distance to its vtable, and the vtable holds the
// position of each field or 0. Every position is checked before it is read.
#include "core/Signature.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

struct Chunk {
  Chunk *next;
  size_t pad; // keeps what follows 16-byte aligned
};

namespace {

struct Reader {
  const char *base;
  uint64_t size;
  Signature &out;
  bool bad = false;

  // The little-endian number of `bytes` bytes at `position`.
  [[gnu::noinline]] uint64_t load(uint64_t position, unsigned bytes) {
    uint64_t value = 0;
    if (position > size || size - position < bytes)
      bad = true;
    else
      memcpy(&value, base + position, bytes);
    return value;
  }

  template <typename T> T at(uint64_t position) {
    return T(load(position, sizeof(T)));
  }

  // Position of a field inside its table, 0 when it is left out.
  [[gnu::noinline]] uint64_t field(uint64_t table, unsigned index) {
    uint64_t vtable = table - int64_t(at<int32_t>(table));
    unsigned slot = 4 + 2 * index;
    if (slot + 2 > at<uint16_t>(vtable))
      return 0;
    uint16_t offset = at<uint16_t>(vtable + slot);
    return offset ? table + offset : 0;
  }

  template <typename T> T scalar(uint64_t table, unsigned index, T fallback) {
    uint64_t position = field(table, index);
    return position ? at<T>(position) : fallback;
  }

  // First element and number of elements of a vector (or string).
  [[gnu::noinline]] uint64_t vector(uint64_t table, unsigned index,
                                    unsigned elementBytes, int32_t &count) {
    count = 0;
    uint64_t position = field(table, index);
    if (!position)
      return 0;
    position += at<uint32_t>(position);
    uint32_t length = at<uint32_t>(position);
    position += 4;
    if (bad || uint64_t(length) * elementBytes > size - position ||
        length > 0x7fffffff) {
      bad = true;
      return 0;
    }
    count = int32_t(length);
    return position;
  }

  [[gnu::noinline]] uint64_t table(uint64_t first, int32_t index) {
    uint64_t position = first + 4 * uint64_t(index);
    return position + at<uint32_t>(position);
  }

  // The bytes of the string at `position`; they end in a zero.
  [[gnu::noinline]] const char *stringAt(uint64_t position,
                                         uint32_t *length = nullptr) {
    uint32_t bytes = at<uint32_t>(position);
    if (bad || bytes >= size - position - 4 ||
        base[position + 4 + bytes] != 0) {
      bad = true;
      return "";
    }
    if (length)
      *length = bytes;
    return base + position + 4;
  }

  [[gnu::noinline]] const char *string(uint64_t table, unsigned index) {
    uint64_t position = field(table, index);
    return position ? stringAt(position + at<uint32_t>(position)) : "";
  }

  // Zeroed memory that the signature owns.
  [[gnu::noinline]] void *allocate(size_t count, size_t bytes) {
    Chunk *chunk =
        static_cast<Chunk *>(calloc(1, sizeof(Chunk) + count * bytes));
    if (!chunk) {
      bad = true;
      return nullptr;
    }
    chunk->next = out.chunks;
    out.chunks = chunk;
    return chunk + 1;
  }

  [[gnu::noinline]] const char **strings(uint64_t table, unsigned index,
                                         int32_t &count) {
    uint64_t first = vector(table, index, 4, count);
    const char **list =
        static_cast<const char **>(allocate(size_t(count) + 1, sizeof(char *)));
    for (int32_t i = 0; list && i < count; ++i)
      list[i] = stringAt(this->table(first, i));
    return list;
  }

  [[gnu::noinline]] int64_t *shape(uint64_t table, unsigned index,
                                   int32_t &rank) {
    uint64_t first = vector(table, index, 8, rank);
    if (rank > maxRank)
      bad = true;
    int64_t *sizes = static_cast<int64_t *>(allocate(size_t(rank) + 1, 8));
    for (int32_t i = 0; !bad && i < rank; ++i) {
      sizes[i] = at<int64_t>(first + 8 * uint64_t(i));
      if (sizes[i] < 0 && sizes[i] < -int64_t(out.symbolCount))
        bad = true;
    }
    return sizes;
  }

  tenon_dtype dtype(uint64_t table) {
    tenon_dtype type = {scalar<uint8_t>(table, 1, 0),
                        scalar<uint8_t>(table, 2, 0), 1};
    if (*dtypeName(type) == '?')
      bad = true;
    return type;
  }

  void readDefault(uint64_t table, TensorSpec &spec) {
    int32_t rank, count;
    spec.defaultShape = shape(table, 5, rank);
    if (!rank && spec.rank) // the sizes are the input's own
      spec.defaultShape = spec.shape, rank = spec.rank;
    int64_t elements =
        bad || rank != spec.rank
            ? -1
            : countElements(rank, spec.defaultShape, dtypeBytes(spec.dtype));
    if (elements < 0) {
      bad = true;
      return;
    }
    if (spec.dtype.code == TENON_STRING) {
      uint64_t first = vector(table, 7, 4, count);
      tenon_string *list =
          static_cast<tenon_string *>(allocate(size_t(count) + 1, 16));
      for (int32_t i = 0; !bad && i < count; ++i) {
        uint32_t length = 0;
        list[i].data = stringAt(this->table(first, i), &length);
        list[i].size = length;
      }
      spec.defaultData = list;
    } else {
      uint64_t first = vector(table, 6, 1, count);
      void *copy = allocate(size_t(count) + 1, 1);
      if (!bad)
        memcpy(copy, base + first, size_t(count));
      spec.defaultData = copy;
      elements *= dtypeBytes(spec.dtype);
    }
    if (elements != count)
      bad = true;
  }

  [[gnu::noinline]] TensorSpec *tensors(uint64_t table, unsigned index,
                                        int32_t &count, int32_t &dims) {
    uint64_t first = vector(table, index, 4, count);
    TensorSpec *list = static_cast<TensorSpec *>(
        allocate(size_t(count) + 1, sizeof(TensorSpec)));
    for (int32_t i = 0; !bad && i < count; ++i) {
      TensorSpec &spec = list[i];
      uint64_t tensor = this->table(first, i);
      spec.name = string(tensor, 0);
      spec.dtype = dtype(tensor);
      spec.shape = shape(tensor, 3, spec.rank);
      dims += spec.rank;
      spec.hasDefault = scalar<uint8_t>(tensor, 4, 0);
      if (spec.hasDefault && !bad)
        readDefault(tensor, spec);
    }
    return list;
  }

  void readEntries(uint64_t model) {
    uint64_t first = vector(model, 1, 4, out.entryCount);
    out.entries = static_cast<EntrySpec *>(
        allocate(size_t(out.entryCount) + 1, sizeof(EntrySpec)));
    for (int32_t i = 0; !bad && i < out.entryCount; ++i) {
      EntrySpec &entry = out.entries[i];
      uint64_t table = this->table(first, i);
      entry.name = string(table, 0);
      entry.inputs = tensors(table, 1, entry.inputCount, entry.dimCount);
      entry.outputs = tensors(table, 2, entry.outputCount, entry.dimCount);
    }
  }

  void readVariables(uint64_t model, uint64_t weightsBytes) {
    uint64_t first = vector(model, 2, 4, out.variableCount);
    out.variables = static_cast<VariableSpec *>(
        allocate(size_t(out.variableCount) + 1, sizeof(VariableSpec)));
    for (int32_t i = 0; !bad && i < out.variableCount; ++i) {
      VariableSpec &variable = out.variables[i];
      uint64_t table = this->table(first, i);
      variable.name = string(table, 0);
      variable.dtype = dtype(table);
      variable.shape = shape(table, 3, variable.rank);
      variable.stateOffset = scalar<uint64_t>(table, 4, 0);
      variable.bytes = scalar<uint64_t>(table, 5, 0);
      variable.flagOffset = scalar<uint64_t>(table, 6, 0);
      variable.initial = scalar<int64_t>(table, 7, -1);
      if (variable.stateOffset > out.stateBytes ||
          variable.bytes > out.stateBytes - variable.stateOffset ||
          variable.flagOffset >= out.stateBytes ||
          (variable.initial >= 0 &&
           (uint64_t(variable.initial) > weightsBytes ||
            variable.bytes > weightsBytes - uint64_t(variable.initial))))
        bad = true;
    }
  }
};

} // namespace

bool Signature::read(const tenon_model &model, Message &message) {
  memset(static_cast<void *>(this), 0, sizeof *this);
  if (model.abi_version != TENON_ABI_VERSION)
    return message.fail(
        "the model was compiled for version %u of the runtime, this is %u",
        model.abi_version, TENON_ABI_VERSION);
  Reader reader{static_cast<const char *>(model.signature),
                model.signature_bytes, *this};
  uint64_t root = reader.at<uint32_t>(0);
  if (model.signature_bytes < 8 || memcmp(reader.base + 4, "TNN1", 4))
    reader.bad = true;
  if (!reader.bad) {
    name = reader.string(root, 0);
    symbols = reader.strings(root, 3, symbolCount);
    failures = reader.strings(root, 4, failureCount);
    kernels = reader.strings(root, 5, kernelCount);
    arenaBytes = reader.scalar<uint64_t>(root, 6, 0);
    stateBytes = reader.scalar<uint64_t>(root, 8, 0);
    zerosBytes = reader.scalar<uint64_t>(root, 9, 0);
    parallel = reader.scalar<uint8_t>(root, 10, 1);
    reader.readEntries(root);
    reader.readVariables(root, model.weights_bytes);
  }
  const uint64_t limit = uint64_t(1) << 62;
  if (reader.bad || arenaBytes > limit || stateBytes > limit ||
      zerosBytes > limit)
    return message.fail("the model's signature is damaged");
  return true;
}

void Signature::release() {
  while (Chunk *chunk = chunks) {
    chunks = chunk->next;
    free(chunk);
  }
}

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
