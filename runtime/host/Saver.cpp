// The operations that savers in graphs are made of: tensors to TensorFlow's V2
// checkpoints and back, and several checkpoints to one. What the files' format
// needs is runtime/checkpoint's; a file that cannot be written or read ends the
// program, as there.
#include "checkpoint/Checkpoint.h"
#include "checkpoint/Format.h"
#include "host/FileBytes.h"
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

Text describe(const tenon_tensor &tensor, const Encoded &encoded,
              uint64_t offset) {
  Text shape, entry;
  for (int32_t i = 0; i < tensor.ndim; ++i) {
    Text size;
    checkpoint::addField(size, 1, uint64_t(tensor.shape[i]));
    checkpoint::addField(shape, 2, size);
  }
  bool strings = tensor.dtype.code == TENON_STRING;
  checkpoint::addField(
      entry, 1, uint64_t(strings ? 7 : checkpoint::typeNumber(tensor.dtype)));
  checkpoint::addField(entry, 2, shape);
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

struct Named {
  tenon_string name;
  int32_t tensor;
};

int compareText(tenon_string a, tenon_string b) {
  size_t size = a.size < b.size ? a.size : b.size;
  int order = size ? memcmp(a.data, b.data, size) : 0;
  return order ? order : a.size < b.size ? -1 : a.size > b.size;
}

int compareNamed(const void *a, const void *b) {
  return compareText(static_cast<const Named *>(a)->name,
                     static_cast<const Named *>(b)->name);
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

TENON_HOST(save_tensors) {
  const char *prefix = pathOf(call, *call.strings(0));
  int32_t count = call.inputCount - 1;
  Named *order = call.array<Named>(count);
  if (!prefix || !order)
    return false;
  for (int32_t i = 0; i < count; ++i)
    order[i] = {call.text("names", i), i + 1};
  qsort(order, size_t(count), sizeof *order, compareNamed);
  for (int32_t i = 1; i < count; ++i)
    if (equal(order[i].name, order[i - 1].name))
      return call.fail("two tensors have the name '%.*s'",
                       int(order[i].name.size), order[i].name.data);
  makeFolders(prefix);
  Text path;
  path.print("%s.data-00000-of-00001", prefix);
  int file = openOutput(path.terminated());
  TableWriter table;
  addHeader(table, 1);
  uint64_t offset = 0;
  for (int32_t i = 0; i < count; ++i) {
    const tenon_tensor &tensor = call.inputs[order[i].tensor];
    Encoded encoded = encode(call, tensor);
    table.add({order[i].name.data, order[i].name.size},
              describe(tensor, encoded, offset));
    writeAll(file, encoded.bytes, encoded.size);
    offset += encoded.size;
  }
  closeOutput(file, path.terminated());
  writeTable(prefix, table);
  return true;
}

TENON_HOST(restore_tensor) {
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

TENON_HOST(merge_checkpoints) {
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

} // namespace tenon
