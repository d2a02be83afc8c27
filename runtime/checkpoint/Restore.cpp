// Reads checkpoints: TensorFlow's V2 (a table of places in data files), its V1
// (a table that holds the tensors themselves) and .npz files.
#include "checkpoint/Checkpoint.h"
#include "checkpoint/Format.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npz.h"
#include "io/Tensor.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

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
  if (bytes.size) {
    void *data = mmap(nullptr, bytes.size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED)
      fail("%s", strerror(errno));
    bytes.data = static_cast<const char *>(data);
  }
  close(file);
  return bytes;
}

// ---- parts of tensors

// A part: where it begins and how long it is, by dimension.
struct Slice {
  int32_t rank = 0;
  int64_t begin[maxRank], length[maxRank];
  bool all[maxRank]; // the whole dimension

  // Reads a TensorSliceProto of a tensor of that shape.
  Slice(Bytes message, int32_t shapeRank, const int64_t *shape) {
    for (Fields extent(message); extent.next();) {
      if (extent.field != 1 || extent.wire != Delimited)
        continue;
      if (rank == shapeRank)
        fail("a part has too many dimensions");
      begin[rank] = 0;
      all[rank] = true;
      for (Fields range(extent.bytes); range.next();)
        if (range.field == 1) {
          begin[rank] = int64_t(range.number);
        } else if (range.field == 2) {
          length[rank] = int64_t(range.number);
          all[rank] = false;
        }
      int64_t size = shape[rank];
      if (all[rank]) {
        begin[rank] = 0;
        length[rank] = size;
      }
      if (begin[rank] < 0 || length[rank] < 0 || begin[rank] > size ||
          length[rank] > size - begin[rank])
        fail("a part lies outside of its tensor");
      ++rank;
    }
    if (rank != shapeRank)
      fail("a part has too few dimensions");
  }

  // The key of the part in tables: an encoding that sorts as the values do.
  Text key(const char *name) const {
    Text key;
    key.pad(0, 1); // the number 0
    for (; *name; ++name) {
      key.add(name, 1);
      if (uint8_t(*name) == 255)
        key.pad(0, 1);
    }
    key.add("\0\1", 2);
    key.pad(rank ? 1 : 0, 1); // bytes of the rank
    if (rank)
      key.pad(char(rank), 1);
    for (int32_t i = 0; i < rank; ++i) {
      addSigned(key, all[i] ? 0 : begin[i]);
      addSigned(key, all[i] ? -1 : length[i]);
    }
    return key;
  }

  int64_t elements() const { return countElements(rank, length, 1); }

  // Puts the part's elements to their places in the tensor.
  void place(char *to, const int64_t *shape, const char *from,
             size_t bytes) const {
    if (!elements())
      return;
    int64_t index[maxRank] = {};
    size_t row = rank ? size_t(length[rank - 1]) * bytes : bytes;
    for (;;) {
      int64_t position = 0;
      for (int32_t i = 0; i < rank; ++i)
        position = position * shape[i] + begin[i] + index[i];
      memcpy(to + size_t(position) * bytes, from, row);
      from += row;
      int32_t axis = rank - 2;
      while (axis >= 0 && ++index[axis] == length[axis])
        index[axis--] = 0;
      if (axis < 0)
        return;
    }
  }

private:
  // As many leading ones as there are bytes; each byte holds 7 bits.
  static void addSigned(Text &key, int64_t value) {
    uint64_t size = uint64_t(value < 0 ? ~value : value);
    int count = 1;
    while (count < 10 && size >> (7 * count - 1))
      ++count;
    uint8_t bytes[10];
    for (int i = 0; i < 10; ++i)
      bytes[i] = uint8_t(i < 8 ? value >> (8 * i) : value >> 63);
    // `bytes` is little-endian: its element count - 1 comes first.
    unsigned ones = (0xff00u << (8 - (count < 8 ? count : 8)));
    if (count > 8)
      ones = count == 9 ? 0xff80 : 0xffc0;
    bytes[count - 1] ^= uint8_t(ones >> 8);
    if (count > 1)
      bytes[count - 2] ^= uint8_t(ones);
    while (count--)
      key.add(&bytes[count], 1);
  }
};

// ---- what a tensor is, and where

// BundleEntryProto (V2) or SavedSliceMeta (V1).
struct Entry {
  uint64_t type = 0, shard = 0, offset = 0, size = 0, crc = 0;
  int32_t rank = 0;
  int64_t shape[maxRank];
  Bytes message;
  bool parts = false;
  bool first; // V1
  static constexpr uint32_t partsField[] = {7, 4};

  Entry(Bytes from, bool first) : message(from), first(first) {
    for (Fields fields(from); fields.next();) {
      if (fields.field == partsField[first])
        parts = true;
      else if (fields.field == (first ? 3 : 1))
        type = fields.number;
      else if (fields.field == 2)
        readShape(fields.bytes);
      else if (fields.field == 3)
        shard = fields.number;
      else if (fields.field == 4)
        offset = fields.number;
      else if (fields.field == 5)
        size = fields.number;
      else if (fields.field == 6)
        crc = fields.number;
    }
  }

  void readShape(Bytes from) {
    for (Fields fields(from); fields.next();) {
      if (fields.field != 2 || fields.wire != Delimited)
        continue;
      if (rank == maxRank)
        fail("a tensor has too many dimensions");
      shape[rank] = 0; // protocol buffers leave zeros out
      for (Fields dim(fields.bytes); dim.next();)
        if (dim.field == 1)
          shape[rank] = int64_t(dim.number);
      ++rank;
    }
  }

  // Fails unless the variable has this type and shape.
  void check(const tenon_tensor &wanted) const {
    bool same = rank == wanted.ndim;
    for (int32_t i = 0; same && i < rank; ++i)
      same = shape[i] == wanted.shape[i];
    bool sameType = type == uint64_t(typeNumber(wanted.dtype));
    if (same && sameType)
      return;
    char expected[256], got[256];
    formatType(expected, sizeof expected, wanted.dtype, wanted.ndim,
               wanted.shape);
    if (sameType)
      fail("expected %s, got %s", expected,
           formatType(got, sizeof got, wanted.dtype, rank, shape));
    fail("expected %s, got TensorFlow's type number %llu", expected,
         (unsigned long long)type);
  }
};

// ---- the formats

struct Source {
  const char *path;
  Bytes file = {};
  Bytes *shards = nullptr; // V2
  uint64_t shardCount = 0;
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

  // The bytes of an entry, with its check sum compared.
  const char *bytesOf(const Entry &entry, size_t wanted) {
    if (entry.shard >= shardCount)
      fail("a tensor in a data file that there is not");
    Bytes &shard = shards[entry.shard];
    Text name;
    name.print("%s.data-%05d-of-%05d", path, int(entry.shard), int(shardCount));
    const char *index = failContext.file;
    if (!shard.data)
      shard = mapFile(name.terminated());
    failContext.file = name.terminated();
    if (!shard.data)
      fail("%s", strerror(ENOENT));
    if (entry.size != wanted || entry.offset > shard.size ||
        entry.size > shard.size - entry.offset)
      fail("a tensor of %zu bytes is not at its place", wanted);
    const char *bytes = shard.data + entry.offset;
    if (maskedCrc(bytes, wanted) != entry.crc)
      fail("wrong checksum of a tensor");
    failContext.file = index;
    return bytes;
  }

  // ---- V1

  void addTable(Bytes bytes) {
    tables = static_cast<Table *>(
        realloc(static_cast<void *>(tables), (tableCount + 1) * sizeof(Table)));
    if (!tables)
      fail("no memory");
    tables[tableCount] = {};
    tables[tableCount++].read(bytes);
  }

  // The description of a tensor in the header of V1 number `table`.
  Bytes findMeta(size_t table, const char *wanted) const {
    Bytes header = tables[table].find({"", 0});
    if (!header.data)
      fail("a table without a header");
    for (Fields saved(header); saved.next();)
      for (Fields meta(saved.field == 1 && saved.wire == Delimited
                           ? saved.bytes
                           : Bytes{nullptr, 0});
           meta.next();)
        for (Fields tensor(meta.field == 1 && meta.wire == Delimited
                               ? meta.bytes
                               : Bytes{nullptr, 0});
             tensor.next();)
          if (tensor.field == 1 && tensor.wire == Delimited &&
              tensor.bytes.size == strlen(wanted) &&
              !memcmp(tensor.bytes.data, wanted, tensor.bytes.size))
            return meta.bytes;
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
      if (saved.field == 2 && saved.wire == Delimited)
        for (Fields data(saved.bytes); data.next();)
          if (data.field == 3 && data.wire == Delimited)
            return decode(data.bytes, dtype, count);
    fail("a part of the tensor is empty");
  }

  bool readTensor(const char *name, const tenon_tensor &variable) {
    int64_t placed = 0;
    bool found = false;
    for (size_t i = 0; i < tableCount; ++i) {
      Bytes message = format == V2 ? tables[i].find({name, strlen(name)})
                                   : findMeta(i, name);
      if (!message.data)
        continue;
      found = true;
      Entry entry(message, format == V1);
      entry.check(variable);
      if (format == V2 && !entry.parts) {
        memcpy(variable.data, bytesOf(entry, byteCount(variable)),
               byteCount(variable));
        return true;
      }
      for (Fields fields(message); fields.next();) {
        if (fields.field != Entry::partsField[entry.first] ||
            fields.wire != Delimited)
          continue;
        Slice slice(fields.bytes, entry.rank, entry.shape);
        slice.place(static_cast<char *>(variable.data), entry.shape,
                    readPart(slice, name, variable.dtype),
                    size_t(dtypeBytes(variable.dtype)));
        placed += slice.elements();
      }
    }
    if (found && placed < elementCount(variable))
      fail("parts of the tensor are missing");
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
    pattern.print("%s-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]",
                  path);
    glob_t found = {};
    if (glob(pattern.terminated(), 0, nullptr, &found))
      fail("--restore %s: there is neither a checkpoint nor a file of that "
           "name",
           path);
    for (size_t i = 0; i < found.gl_pathc; ++i)
      addTable(mapFile(found.gl_pathv[i]));
    failContext.file = path;
  }
};

// The prefix that a folder's state file names as its latest checkpoint.
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

} // namespace

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
    } else {
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
