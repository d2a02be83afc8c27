// The operations that savers in graphs are made of: tensors to TensorFlow's V2
// checkpoints and back, and several checkpoints to one. What the files' format
// needs is runtime/checkpoint's.
#include "checkpoint/Checkpoint.h"
#include "checkpoint/Format.h"
#include "checkpoint/Parts.h"
#include "host/FileBytes.h"
#include "host/Guard.h"
#include "io/Fail.h"
#include "io/File.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

using checkpoint::Table;
using checkpoint::TableEntry;
using checkpoint::TableWriter;

namespace {

// A tensor's bytes as data files have them. Strings: all lengths, a check sum
// of those, then all texts; the entry's check sum covers lengths of 32 bits.
struct Encoded {
  const char *bytes;
  size_t size;
  uint32_t crc;
};

Encoded encode(HostCall &call, const tenon_tensor &tensor) {
  size_t size = size_t(call.count(tensor)) * size_t(dtypeBytes(tensor.dtype));
  if (tensor.dtype.code != TENON_STRING) {
    auto *bytes = static_cast<const char *>(tensor.data);
    return {bytes, size, checkpoint::maskedCrc(bytes, size)};
  }
  auto *texts = static_cast<const tenon_string *>(tensor.data);
  Text out, covered;
  for (int64_t i = 0; i < call.count(tensor); ++i) {
    uint32_t length = uint32_t(texts[i].size);
    checkpoint::addVarint(out, texts[i].size);
    covered.add(&length, 4);
  }
  uint32_t lengths = checkpoint::maskedCrc(covered.data, covered.size);
  out.add(&lengths, 4);
  covered.add(&lengths, 4);
  for (int64_t i = 0; i < call.count(tensor); ++i) {
    out.add(texts[i].data, texts[i].size);
    covered.add(texts[i].data, texts[i].size);
  }
  return {out.data, out.size,
          checkpoint::maskedCrc(covered.data, covered.size)};
}

// A tensor of the graph and the part that it is of the one that is saved.
struct Part {
  tenon_string name;
  const tenon_tensor *tensor;
  bool whole;
  int32_t rank;
  int64_t shape[maxRank], begin[maxRank];
  bool all[maxRank];

  // From "sizes... ranges", sizes by spaces and ranges by colons.
  bool read(HostCall &call, tenon_string spec) {
    whole = !spec.size;
    rank = tensor->ndim;
    const char *at = spec.data, *end = at + spec.size;
    auto number = [&] {
      int64_t value = 0;
      while (at != end && *at >= '0' && *at <= '9')
        value = value * 10 + (*at++ - '0');
      return value;
    };
    auto skip = [&](char wanted) { return at != end && *at == wanted && at++; };
    bool good = rank <= maxRank;
    for (int32_t d = 0; good && d < rank; ++d) {
      shape[d] = whole ? tensor->shape[d] : number();
      begin[d] = 0;
      all[d] = true;
      good = whole || skip(' ');
    }
    for (int32_t d = 0; good && !whole && d < rank; ++d) {
      good = !d || skip(':');
      if (good && !skip('-')) {
        all[d] = false;
        begin[d] = number();
        good = skip(',') && number() == tensor->shape[d];
      } else {
        good = good && shape[d] == tensor->shape[d];
      }
    }
    return (good && (whole || at == end)) ||
           call.fail("'%.*s' is not the part of a tensor that is saved as it",
                     int(spec.size), spec.data);
  }

  // TensorSliceProto { repeated Extent { start = 1, length = 2 } extent = 1 }.
  Text slice() const {
    Text message;
    for (int32_t d = 0; d < rank; ++d) {
      Text extent;
      if (!all[d] && begin[d])
        checkpoint::addField(extent, 1, uint64_t(begin[d]));
      if (!all[d])
        checkpoint::addField(extent, 2, uint64_t(tensor->shape[d]));
      checkpoint::addField(message, 1, extent);
    }
    return message;
  }
  Text key() const {
    Text message = slice();
    Text text;
    text.add(name.data, name.size);
    return checkpoint::Slice({message.data, message.size}, rank, shape)
        .key(text.terminated());
  }
};

uint64_t typeOf(const tenon_tensor &tensor) {
  return tensor.dtype.code == TENON_STRING
             ? 7
             : uint64_t(checkpoint::typeNumber(tensor.dtype));
}

Text shapeMessage(int32_t rank, const int64_t *sizes) {
  Text shape;
  for (int32_t i = 0; i < rank; ++i) {
    Text size;
    checkpoint::addField(size, 1, uint64_t(sizes[i]));
    checkpoint::addField(shape, 2, size);
  }
  return shape;
}

Text describe(const tenon_tensor &tensor, const Encoded &encoded,
              uint64_t offset) {
  Text entry;
  checkpoint::addField(entry, 1, typeOf(tensor));
  checkpoint::addField(entry, 2, shapeMessage(tensor.ndim, tensor.shape));
  if (offset)
    checkpoint::addField(entry, 4, offset);
  checkpoint::addField(entry, 5, encoded.size);
  checkpoint::addVarint(entry, 6 << 3 | checkpoint::Fixed32);
  entry.add(&encoded.crc, 4);
  return entry;
}

// The folders on the way to a file.
void makeFolders(const char *path) {
  char folder[4096];
  for (const char *at = path; *at; ++at)
    if (*at == '/' && at != path && size_t(at - path) < sizeof folder) {
      memcpy(folder, path, size_t(at - path));
      folder[at - path] = 0;
      mkdir(folder, 0777); // a folder that cannot be made fails with its file
    }
}

void writeTable(const char *prefix, TableWriter &table) {
  Text path;
  path.print("%s.index", prefix);
  Text bytes = table.finish();
  int file = openOutput(path.terminated());
  writeAll(file, bytes.data, bytes.size);
  closeOutput(file, path.terminated());
}

void addHeader(TableWriter &table, uint64_t shards) {
  Text header;
  checkpoint::addField(header, 1, shards);
  header.add("\x1a\2\x08\1", 4); // version 1
  table.add({"", 0}, header);
}

int compareText(tenon_string a, tenon_string b) {
  size_t size = a.size < b.size ? a.size : b.size;
  int order = size ? memcmp(a.data, b.data, size) : 0;
  return order ? order : a.size < b.size ? -1 : a.size > b.size;
}

int compareParts(const void *a, const void *b) {
  auto *x = static_cast<const Part *>(a), *y = static_cast<const Part *>(b);
  if (int order = compareText(x->name, y->name))
    return order;
  for (int32_t d = 0; d < x->rank && d < y->rank; ++d)
    if (x->begin[d] != y->begin[d])
      return x->begin[d] < y->begin[d] ? -1 : 1;
  return 0;
}

// An entry of a table in the making.
struct Pending {
  Text key, value;
};

int comparePending(const void *a, const void *b) {
  auto *x = static_cast<const Pending *>(a),
       *y = static_cast<const Pending *>(b);
  return compareText({x->key.data, x->key.size}, {y->key.data, y->key.size});
}

// An entry of one of several tables.
struct Merged {
  tenon_string key;
  checkpoint::Bytes value;
  uint64_t shard;
};

int compareMerged(const void *a, const void *b) {
  return compareText(static_cast<const Merged *>(a)->key,
                     static_cast<const Merged *>(b)->key);
}

} // namespace

namespace {

// The parts in order, those of one tensor one after the other. NULL after a
// failure.
Part *readParts(HostCall &call, int32_t count) {
  Part *parts = call.array<Part>(count);
  for (int32_t i = 0; parts && i < count; ++i) {
    parts[i].name = call.text("names", i);
    parts[i].tensor = &call.inputs[i + 1];
    if (!parts[i].read(call, call.text("slices", i)))
      return nullptr;
  }
  if (!parts)
    return nullptr;
  qsort(parts, size_t(count), sizeof *parts, compareParts);
  for (int32_t i = 1; i < count; ++i) {
    const Part &part = parts[i], &former = parts[i - 1];
    if (!equal(part.name, former.name))
      continue;
    bool fits = !part.whole && !former.whole && part.rank == former.rank;
    for (int32_t d = 0; fits && d < part.rank; ++d)
      fits = part.shape[d] == former.shape[d];
    if (!fits || !compareParts(&part, &former)) {
      call.fail("two tensors have the name '%.*s'", int(part.name.size),
                part.name.data);
      return nullptr;
    }
  }
  return parts;
}

// How many parts from part i on are of one tensor.
int32_t partsOfOne(const Part *parts, int32_t i, int32_t count) {
  int32_t end = i + 1;
  while (end < count && equal(parts[end].name, parts[i].name))
    ++end;
  return end - i;
}

void saveSecond(HostCall &call, const char *prefix, const Part *parts,
                int32_t count) {
  Text path;
  path.print("%s.data-00000-of-00001", prefix);
  int file = openOutput(path.terminated());
  Text list; // of Pending
  auto add = [&](Text key, Text value) {
    Pending entry = {key, value};
    list.add(&entry, sizeof entry);
  };
  uint64_t offset = 0;
  for (int32_t i = 0; i < count;) {
    int32_t same = partsOfOne(parts, i, count);
    if (!parts[i].whole) { // the whole tensor, which only has parts
      Text entry, name;
      name.add(parts[i].name.data, parts[i].name.size);
      checkpoint::addField(entry, 1, typeOf(*parts[i].tensor));
      checkpoint::addField(entry, 2,
                           shapeMessage(parts[i].rank, parts[i].shape));
      for (int32_t j = i; j < i + same; ++j)
        checkpoint::addField(entry, 7, parts[j].slice());
      add(name, entry);
    }
    for (int32_t j = i; j < i + same; ++j) {
      Encoded encoded = encode(call, *parts[j].tensor);
      Text key;
      if (parts[j].whole)
        key.add(parts[j].name.data, parts[j].name.size);
      else
        key = parts[j].key();
      add(key, describe(*parts[j].tensor, encoded, offset));
      writeAll(file, encoded.bytes, encoded.size);
      offset += encoded.size;
    }
    i += same;
  }
  closeOutput(file, path.terminated());
  size_t entries = list.size / sizeof(Pending);
  qsort(list.data, entries, sizeof(Pending), comparePending);
  TableWriter table;
  addHeader(table, 1);
  for (size_t i = 0; i < entries; ++i) {
    const Pending &entry = reinterpret_cast<const Pending *>(list.data)[i];
    table.add({entry.key.data, entry.key.size}, entry.value);
  }
  writeTable(prefix, table);
}

// A TensorProto with the elements alone.
Text elementsMessage(HostCall &call, const tenon_tensor &tensor) {
  Text message, packed;
  int64_t count = call.count(tensor);
  auto *bytes = static_cast<const char *>(tensor.data);
  int32_t width = tensor.dtype.bits / 8;
  uint64_t type = typeOf(tensor);
  if (type == 7) {
    for (int64_t i = 0; i < count; ++i) {
      Text text;
      tenon_string from = static_cast<const tenon_string *>(tensor.data)[i];
      text.add(from.data, from.size);
      checkpoint::addField(message, 8, text);
    }
    return message;
  }
  struct Known {
    uint8_t type, field;
  };
  // Those that are stored as they are, and those as numbers of varying length.
  static const Known fixed[] = {{1, 5}, {2, 6}, {8, 9}, {18, 12}};
  static const Known known[] = {{9, 10},  {10, 11}, {14, 13},
                                {19, 13}, {22, 16}, {23, 17}};
  for (const Known &kind : fixed)
    if (kind.type == type) {
      packed.add(bytes, size_t(count) * size_t(width));
      checkpoint::addField(message, kind.field, packed);
      return message;
    }
  unsigned field = 7;
  for (const Known &kind : known)
    if (kind.type == type)
      field = kind.field;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t value = 0;
    memcpy(&value, bytes + i * width, size_t(width));
    int unused = 64 - 8 * width;
    if (tensor.dtype.code == TENON_INT)
      value = uint64_t(int64_t(value << unused) >> unused);
    checkpoint::addVarint(packed, value);
  }
  checkpoint::addField(message, field, packed);
  return message;
}

// SavedTensorSlices { SavedTensorSliceMeta { repeated SavedSliceMeta { name =
// 1, shape = 2, type = 3, repeated slice = 4 } tensor = 1, versions = 2 } meta
// = 1, SavedSlice { name = 1, slice = 2, data = 3 } data = 2 }.
void saveFirst(HostCall &call, const char *path, const Part *parts,
               int32_t count) {
  Text list, meta; // of Pending
  for (int32_t i = 0; i < count;) {
    int32_t same = partsOfOne(parts, i, count);
    Text tensor, name;
    name.add(parts[i].name.data, parts[i].name.size);
    checkpoint::addField(tensor, 1, name);
    checkpoint::addField(tensor, 2,
                         shapeMessage(parts[i].rank, parts[i].shape));
    checkpoint::addField(tensor, 3, typeOf(*parts[i].tensor));
    for (int32_t j = i; j < i + same; ++j) {
      checkpoint::addField(tensor, 4, parts[j].slice());
      Text part, saved;
      checkpoint::addField(part, 1, name);
      checkpoint::addField(part, 2, parts[j].slice());
      checkpoint::addField(part, 3, elementsMessage(call, *parts[j].tensor));
      checkpoint::addField(saved, 2, part);
      Pending entry = {parts[j].key(), saved};
      list.add(&entry, sizeof entry);
    }
    checkpoint::addField(meta, 1, tensor);
    i += same;
  }
  meta.add("\x12\2\x08\1", 4); // version 1
  Text header;
  checkpoint::addField(header, 1, meta);
  size_t entries = list.size / sizeof(Pending);
  qsort(list.data, entries, sizeof(Pending), comparePending);
  TableWriter table;
  table.add({"", 0}, header);
  for (size_t i = 0; i < entries; ++i) {
    const Pending &entry = reinterpret_cast<const Pending *>(list.data)[i];
    table.add({entry.key.data, entry.key.size}, entry.value);
  }
  Text bytes = table.finish();
  int file = openOutput(path);
  writeAll(file, bytes.data, bytes.size);
  closeOutput(file, path);
}

} // namespace

static bool saveTensors(HostCall &call) {
  const char *prefix = pathOf(call, *call.strings(0));
  int32_t count = call.inputCount - 1;
  Part *parts = prefix ? readParts(call, count) : nullptr;
  if (!parts)
    return false;
  makeFolders(prefix);
  if (call.flag("first"))
    saveFirst(call, prefix, parts, count);
  else
    saveSecond(call, prefix, parts, count);
  return true;
}

static bool restoreTensor(HostCall &call) {
  const char *prefix = pathOf(call, *call.strings(0));
  tenon_string text = call.text("name");
  char *name = call.memory(int64_t(text.size) + 1);
  if (!prefix || !name || !call.allocate(0))
    return false;
  memcpy(name, text.data, text.size);
  name[text.size] = 0;
  return readCheckpoint(prefix, name, call.outputs[0]) ||
         call.fail("checkpoint %s has no tensor '%s'", prefix, name);
}

static bool mergeCheckpoints(HostCall &call) {
  const char *to = pathOf(call, *call.strings(1));
  int64_t count = call.inSize(0);
  Table *tables = call.array<Table>(count);
  if (!to || !tables)
    return false;
  makeFolders(to);
  size_t total = 0;
  for (int64_t i = 0; i < count; ++i) {
    const char *prefix = pathOf(call, call.strings(0)[i]);
    if (!prefix)
      return false;
    Text from, data;
    from.print("%s.index", prefix);
    Text bytes = readFile(from.terminated());
    const Table none;
    memcpy(static_cast<void *>(tables + i), &none, sizeof none);
    tables[i].read({bytes.data, bytes.size});
    total += tables[i].count();
    from.size = 0;
    from.print("%s.data-00000-of-00001", prefix);
    data.print("%s.data-%05d-of-%05d", to, int(i), int(count));
    if (rename(from.terminated(), data.terminated()))
      return call.fail("%s: cannot be renamed to %s", from.terminated(),
                       data.terminated());
  }
  Merged *all = call.array<Merged>(int64_t(total));
  if (!all)
    return false;
  size_t entries = 0;
  for (int64_t i = 0; i < count; ++i)
    for (size_t k = 0; k < tables[i].count(); ++k) {
      const TableEntry &entry = tables[i].entries()[k];
      if (entry.keySize) // else it is the header
        all[entries++] = {{tables[i].keys.data + entry.key, entry.keySize},
                          entry.value,
                          uint64_t(i)};
    }
  qsort(all, entries, sizeof *all, compareMerged);
  TableWriter table;
  addHeader(table, uint64_t(count));
  for (size_t i = 0; i < entries; ++i) {
    Text value;
    value.add(all[i].value.data, all[i].value.size);
    if (all[i].shard)
      checkpoint::addField(value, 3, all[i].shard);
    // A tensor whose parts are in several: parts are added to parts.
    for (; i + 1 < entries && equal(all[i].key, all[i + 1].key); ++i)
      value.add(all[i + 1].value.data, all[i + 1].value.size);
    table.add({all[i].key.data, all[i].key.size}, value);
  }
  writeTable(to, table);
  for (int64_t i = 0; i < count; ++i) {
    const char *prefix = pathOf(call, call.strings(0)[i]);
    Text path;
    path.print("%s.index", prefix);
    if (strcmp(prefix, to))
      unlink(path.terminated());
    char *slash = strrchr(const_cast<char *>(prefix), '/');
    if (slash && call.flag("delete_old")) {
      *slash = 0;
      rmdir(prefix); // stays when it holds more
    }
  }
  return true;
}

TENON_HOST(save_tensors) { return guarded(call, saveTensors); }
TENON_HOST(restore_tensor) { return guarded(call, restoreTensor); }
TENON_HOST(merge_checkpoints) { return guarded(call, mergeCheckpoints); }

} // namespace tenon
