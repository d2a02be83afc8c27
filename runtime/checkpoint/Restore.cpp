// Reads checkpoints: TensorFlow's V2 (a table of places in data files), its V1
// (a table that holds the tensors themselves) and .npz files.
#include "checkpoint/Checkpoint.h"
#include "checkpoint/Parts.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npz.h"
#include "io/Tensor.h"
#include "train/Training.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

using namespace checkpoint;

namespace {

// The bytes of a file, which stay mapped. NULL data when there is no file of
// that name.
Bytes mapFile(const char *path) {
  failContext.file = path;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) {
    failContext.file = nullptr;
    return {nullptr, 0};
  }
  struct stat status;
  if (file < 0 || fstat(file, &status))
    fail("%s", strerror(errno));
  Bytes bytes = {"", size_t(status.st_size)};
  void *data = nullptr;
  if (bytes.size)
    data = mmap(nullptr, bytes.size, PROT_READ, MAP_PRIVATE, file, 0);
  int reason = errno;
  close(file);
  if (data == MAP_FAILED)
    fail("%s", strerror(reason));
  if (data) {
    bytes.data = static_cast<const char *>(data);
    if (FailScope *scope = failContext.scope)
      scope->keepMapped(*scope, data, bytes.size);
  }
  return bytes;
}

// ---- the formats

struct Source {
  const char *path;
  Bytes file = {};
  Bytes *shards = nullptr; // V2
  uint64_t shardCount = 0;
  Bytes objects = {};      // V2: the graph of objects, once it was looked at
  Table *tables = nullptr; // one, or one per file of V1
  size_t tableCount = 0;
  enum { V2, V1, Archive } format = V2;

  Bytes find(Bytes key) const {
    Bytes value = {};
    for (size_t i = 0; i < tableCount && !value.data; ++i)
      value = tables[i].find(key);
    return value;
  }

  // ---- V2

  void openV2(Bytes index) {
    addTable(index);
    shardCount = 0;
    Bytes header = find({"", 0});
    if (!header.data)
      fail("a table without a header");
    for (Fields fields(header); fields.next();)
      if (fields.field == 1)
        shardCount = fields.number;
      else if (fields.field == 2 && fields.number)
        fail("big-endian checkpoints are not supported");
    if (!shardCount || shardCount > 99999)
      fail("a header with an impossible number of shards");
    shards = static_cast<Bytes *>(allocate(shardCount * sizeof(Bytes)));
  }

  // Where the bytes of an entry are, not compared with its check sum.
  const char *locate(const Entry &entry, size_t wanted) {
    if (entry.shard >= shardCount)
      fail("a tensor in a data file that there is not");
    Bytes &shard = shards[entry.shard];
    Text name;
    name.print("%s.data-%05d-of-%05d", path, int(entry.shard), int(shardCount));
    failContext.file = name.terminated();
    if (!shard.data)
      shard = mapFile(failContext.file);
    if (!shard.data)
      fail("%s", strerror(ENOENT));
    if (entry.size != wanted || entry.offset > shard.size ||
        entry.size > shard.size - entry.offset)
      fail("a tensor of %zu bytes is not at its place", wanted);
    return shard.data + entry.offset;
  }

  const char *bytesOf(const Entry &entry, size_t wanted) {
    const char *index = failContext.file, *bytes = locate(entry, wanted);
    if (!crcFits(bytes, wanted, entry.crc))
      fail("wrong checksum of a tensor");
    failContext.file = index;
    return bytes;
  }

  // A tensor of one string: its length, a check sum of that, and the text. The
  // entry's check sum covers the length as 32 bits.
  Bytes readText(const Entry &entry) {
    const char *index = failContext.file, *at = locate(entry, entry.size);
    const char *end = at + entry.size;
    uint64_t length;
    if (!takeVarint(at, end, length) || size_t(end - at) < 4 ||
        length != size_t(end - at) - 4)
      fail("a malformed string");
    Text covered;
    covered.add(&length, 4);
    covered.add(at, size_t(end - at));
    if (!crcFits(covered.data, covered.size, entry.crc))
      fail("wrong checksum of a tensor");
    failContext.file = index;
    return {at + 4, length};
  }

  // Checkpoints of objects name a tensor by its place among them, and say what
  // the variable is called. NULL when there is none of that name.
  const char *findObject(const char *name) {
    const char graph[] = "_CHECKPOINTABLE_OBJECT_GRAPH";
    Bytes message = find({graph, sizeof graph - 1});
    if (!message.data || format != V2)
      return nullptr;
    if (!objects.data)
      objects = readText(Entry(message, false));
    for (Fields nodes(objects); nodes.next();)
      for (Fields node(nodes.subMessage(1)); node.next();) {
        Bytes called = {}, key = {};
        for (Fields tensor(node.subMessage(2)); tensor.next();)
          if (tensor.field == 2)
            called = tensor.subMessage(2);
          else if (tensor.field == 3)
            key = tensor.subMessage(3);
        if (key.size && called.size == strlen(name) &&
            !memcmp(called.data, name, called.size)) {
          Text text;
          text.add(key.data, key.size);
          return text.terminated();
        }
      }
    return nullptr;
  }

  // ---- V1

  void addTable(Bytes bytes) {
    tables = static_cast<Table *>(
        resize(static_cast<void *>(tables), (tableCount + 1) * sizeof(Table)));
    tables[tableCount] = {};
    tables[tableCount++].read(bytes);
  }

  // The description of a tensor in the header of V1 number `table`.
  Bytes findMeta(size_t table, const char *wanted) const {
    Bytes header = tables[table].find({"", 0});
    if (!header.data)
      fail("a table without a header");
    for (Fields saved(header); saved.next();)
      for (Fields meta(saved.subMessage(1)); meta.next();)
        for (Fields tensor(meta.subMessage(1)); tensor.next();) {
          Bytes name = tensor.subMessage(1);
          if (name.size == strlen(wanted) &&
              !memcmp(name.data, wanted, name.size))
            return meta.bytes;
        }
    return {nullptr, 0};
  }

  // The elements of a TensorProto, in new memory.
  static char *decode(Bytes message, tenon_dtype dtype, int64_t count) {
    size_t width = size_t(dtypeBytes(dtype));
    Text out;
    out.grow(size_t(count) * width);
    auto add = [&](uint64_t number, size_t bytes) { out.add(&number, bytes); };
    for (Fields fields(message); fields.next();) {
      // Fields 1 to 3 are type, shape and version; numbers are packed or not.
      if (fields.field < 4)
        continue;
      size_t part = dtype.code == TENON_COMPLEX ? width / 2 : width;
      if (fields.wire == Delimited && fields.field != 8) {
        const char *at = fields.bytes.data, *end = at + fields.bytes.size;
        bool fixed = fields.field == 4 || fields.field == 5 ||
                     fields.field == 6 || fields.field == 9 ||
                     fields.field == 12;
        if (fixed)
          out.add(at, fields.bytes.size);
        uint64_t number;
        while (!fixed && at != end) {
          if (!takeVarint(at, end, number))
            fail("a malformed message");
          add(number, part);
        }
      } else if (fields.wire != Delimited) {
        add(fields.number, part);
      }
    }
    if (out.size != size_t(count) * width)
      fail("a tensor of %zu bytes has %zu", size_t(count) * width, out.size);
    return out.data;
  }

  // ---- both

  // A part's elements, dense.
  const char *readPart(const Slice &slice, const char *name,
                       tenon_dtype dtype) {
    Text key = slice.key(name);
    Bytes value = find({key.data, key.size});
    if (!value.data)
      fail("a part of the tensor is missing");
    int64_t count = slice.elements();
    if (format == V2) {
      Entry entry(value, false);
      tenon_tensor wanted = {};
      wanted.dtype = dtype;
      wanted.ndim = slice.rank;
      wanted.shape = const_cast<int64_t *>(slice.length);
      entry.check(wanted);
      return bytesOf(entry, size_t(count) * size_t(dtypeBytes(dtype)));
    }
    for (Fields saved(value); saved.next();)
      for (Fields data(saved.subMessage(2)); data.next();)
        if (data.field == 3)
          return decode(data.subMessage(3), dtype, count);
    fail("a part of the tensor is empty");
  }

  // What describes a tensor in a table.
  Bytes describe(size_t table, const char *name) const {
    return format == V2 ? tables[table].find({name, strlen(name)})
                        : findMeta(table, name);
  }

  // Calls `visit` with each part of a tensor, and what describes the whole.
  template <typename Visit> void forEachPart(const char *name, Visit visit) {
    for (size_t i = 0; i < tableCount; ++i) {
      Bytes message = describe(i, name);
      if (!message.data)
        continue;
      Entry entry(message, format == V1);
      for (Fields fields(message); fields.next();)
        if (fields.field == entry.partsField && fields.wire == Delimited)
          visit(entry, Slice(fields.bytes, entry.rank, entry.shape));
    }
  }

  bool readTensor(const char *name, const tenon_tensor &variable,
                  bool isKey = false) {
    char *to = static_cast<char *>(variable.data);
    bool found = false;
    for (size_t i = 0; i < tableCount; ++i) {
      Bytes message = describe(i, name);
      if (!message.data)
        continue;
      found = true;
      Entry entry(message, format == V1);
      entry.check(variable);
      if (format == V2 && !entry.parts) {
        memcpy(to, bytesOf(entry, byteCount(variable)), byteCount(variable));
        return true;
      }
    }
    if (!found) {
      const char *key = isKey ? nullptr : findObject(name);
      return key ? readTensor(key, variable, true)
                 : readNumberedPart(name, variable);
    }
    int64_t placed = 0;
    forEachPart(name, [&](const Entry &entry, const Slice &slice) {
      slice.place(to, entry.shape, readPart(slice, name, variable.dtype),
                  size_t(dtypeBytes(variable.dtype)));
      placed += slice.elements();
    });
    if (placed < elementCount(variable))
      fail("parts of the tensor are missing");
    return true;
  }

  // A partitioned variable is several in a graph, "w/part_0" and so on (and
  // "w/part_0/Adam"), but one tensor in parts in a checkpoint.
  bool readNumberedPart(const char *name, const tenon_tensor &variable) {
    const char *mark = nullptr, *behind = nullptr;
    uint64_t number = 0;
    for (const char *at = name; (at = strstr(at, "/part_"));) {
      char *end;
      uint64_t value = strtoull(at + 6, &end, 10);
      if (end != at + 6 && (!*end || *end == '/')) {
        mark = at;
        behind = end;
        number = value;
      }
      at += 6;
    }
    if (!mark)
      return false;
    Text text;
    text.add(name, size_t(mark - name));
    text.add(behind);
    const char *whole = text.terminated();
    bool found = false;
    int parts = 0, most = 4096; // each is compared with all others
    forEachPart(whole, [&](const Entry &, const Slice &) { ++parts; });
    if (parts > most)
      fail("%d parts of a tensor", parts);
    forEachPart(whole, [&](const Entry &entry, const Slice &slice) {
      uint64_t before = 0; // parts that begin earlier
      forEachPart(whole, [&](const Entry &, const Slice &other) {
        before += other.isBefore(slice);
      });
      if (before != number || found)
        return;
      tenon_dtype dtype = variable.dtype;
      Entry part = entry;
      part.rank = slice.rank;
      memcpy(part.shape, slice.length, sizeof part.shape);
      part.check(variable);
      memcpy(variable.data, readPart(slice, whole, dtype), byteCount(variable));
      found = true;
    });
    return found;
  }

  bool readArray(const char *name, const tenon_tensor &variable) {
    Npz npz(file.data, file.size);
    Text brain;
    brain.print("%s__bf16", name);
    bool bits = variable.dtype.code == TENON_BFLOAT;
    if (!npz.find(name) && !(bits && npz.find(brain.terminated())))
      return false;
    tenon_tensor array = npz.read();
    if (bits && array.dtype.code == TENON_UINT && array.dtype.bits == 16)
      array.dtype = variable.dtype;
    bool same = array.ndim == variable.ndim;
    for (int32_t i = 0; same && i < array.ndim; ++i)
      same = array.shape[i] == variable.shape[i];
    if (!same || array.dtype.code == TENON_STRING ||
        !convertsExactly(array.dtype, variable.dtype)) {
      char expected[256], got[256];
      fail("expected %s, got %s",
           formatType(expected, sizeof expected, variable.dtype, variable.ndim,
                      variable.shape),
           formatType(got, sizeof got, array.dtype, array.ndim, array.shape));
    }
    if (!sameDtype(array.dtype, variable.dtype))
      array = convertTensor(array, variable.dtype);
    memcpy(variable.data, array.data, byteCount(variable));
    return true;
  }

  bool read(const char *name, const tenon_tensor &variable) {
    return format == Archive ? readArray(name, variable)
                             : readTensor(name, variable);
  }

  void open() {
    Text index, pattern;
    index.print("%s.index", path);
    Bytes bytes = mapFile(index.terminated());
    if (bytes.data) {
      openV2(bytes);
      return;
    }
    file = mapFile(path);
    if (file.data && file.size > 1 && !memcmp(file.data, "PK", 2)) {
      format = Archive;
      return;
    }
    format = V1;
    if (file.data) {
      addTable(file);
      return;
    }
    // State files name the shards of V1 by a pattern.
    pattern.print(strchr(path, '?') ? "%s" : "%s-[0-9]*-of-[0-9]*", path);
    glob_t found = {};
    if (glob(pattern.terminated(), 0, nullptr, &found))
      fail("%s%s: there is neither a checkpoint nor a file of that name",
           failContext.scope ? "" : "--restore ", path);
    for (size_t i = 0; i < found.gl_pathc; ++i)
      addTable(mapFile(found.gl_pathv[i]));
    failContext.file = path;
  }
};

} // namespace

const char *findLatest(const char *folder) {
  Text path;
  path.print("%s/checkpoint", folder);
  Bytes state = mapFile(path.terminated());
  if (!state.data)
    fail("--restore %s: the folder has no file 'checkpoint' that names its "
         "latest",
         folder);
  const char key[] = "model_checkpoint_path:";
  const char *at = state.data, *end = at + state.size;
  while (size_t(end - at) > sizeof key && memcmp(at, key, sizeof key - 1)) {
    // The same word ends the other key: only lines' starts count.
    while (at != end && *at++ != '\n') {
    }
  }
  while (at != end && *at != '"')
    ++at;
  Text name;
  for (at += at != end; at != end && *at != '"'; ++at) {
    char byte = *at;
    if (byte == '\\' && end - at > 3 && at[1] >= '0' && at[1] <= '7') {
      byte = char((at[1] & 7) << 6 | (at[2] & 7) << 3 | (at[3] & 7));
      at += 3;
    } else if (byte == '\\' && at + 1 != end) {
      byte = *++at;
    }
    name.add(&byte, 1);
  }
  if (at == end || !name.size)
    fail("it names no checkpoint");
  failContext.file = nullptr;
  Text full;
  if (*name.data != '/')
    full.print("%s/", folder);
  full.add(name.data, name.size);
  return full.terminated();
}

bool readCheckpoint(const char *path, const char *name,
                    const tenon_tensor &into) {
  Source source{path};
  source.open();
  bool found = source.read(name, into);
  failContext.file = nullptr;
  return found;
}

void restoreCheckpoint(Instance &instance, const char *path, bool partial) {
  struct stat status;
  if (!stat(path, &status) && S_ISDIR(status.st_mode))
    path = findLatest(path);
  size_t length = strlen(path);
  if (length > 6 && !strcmp(path + length - 6, ".index")) {
    Text prefix;
    prefix.add(path, length - 6);
    path = prefix.terminated();
  }
  Source source{path};
  source.open();
  Text missing;
  const tenon_training_functions *training = instance.model->training;
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    if (variable.generator)
      continue;
    tenon_tensor view = viewVariable(instance, variable);
    failContext.variable = variable.name;
    if (source.read(variable.name, view)) {
      instance.state[variable.flagOffset] = 1;
      for (uint64_t k = 0;
           variable.dtype.code == TENON_BOOL && k < variable.bytes; ++k)
        bytesOf(view)[k] = bytesOf(view)[k] != 0;
    } else if (!training || !training->isAuxiliary(variable.name)) {
      missing.print(missing.size ? ", %s" : "%s", variable.name);
    }
    failContext.variable = nullptr;
  }
  failContext.file = nullptr;
  if (missing.size && !partial)
    fail("--restore %s: the checkpoint lacks: %s (--restore-partial "
         "initialises them)",
         path, missing.terminated());
}

} // namespace tenon
