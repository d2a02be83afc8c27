// Data in TFRecord files of tf.train.Example. Files are mapped; compressed ones
// are inflated to a temporary file without a name first. Where records are is
// all that is kept of them.
#include "checkpoint/Format.h"
#include "host/Proto.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Inflate.h"
#include "io/Tensor.h"
#include "train/Data.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon::train {

namespace {

struct Record {
  const char *data;
  uint64_t size;
  const char *file;
};

struct RecordSource : Source {
  Text records; // of Record
  Field *fields;
  const char **names; // of features, by field
  int32_t fieldCount;

  const Record &at(int64_t row) const {
    return reinterpret_cast<const Record *>(records.data)[row];
  }
};

enum : uint64_t { headBytes = 12, tailBytes = 4 };
enum Kind : uint32_t { BytesList = 1, FloatList = 2, Int64List = 3 };

uint32_t load32(const char *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

// Whether a record's head stands there.
bool isHead(const char *at, size_t left) {
  return left >= headBytes + tailBytes &&
         checkpoint::maskedCrc(at, 8) == load32(at + 8);
}

// A feature's list of values; kind 0 when there is none of that name.
struct Feature {
  uint32_t kind = 0;
  tenon_string list = {};
  bool bad = false;
};

// Calls visit(name, feature) for each feature. False when the bytes are no
// Example: Example { Features { map<string, Feature> feature = 1 } features = 1
// }, Feature { BytesList = 1, FloatList = 2, Int64List = 3 }.
template <typename Visit> bool eachFeature(tenon_string example, Visit visit) {
  ProtoReader outer(example);
  while (outer.next()) {
    if (outer.field != 1 || outer.wire != 2)
      continue;
    ProtoReader features(outer.bytes);
    while (features.next()) {
      if (features.field != 1 || features.wire != 2)
        continue;
      ProtoReader entry(features.bytes);
      tenon_string key = {"", 0}, value = {"", 0};
      while (entry.next())
        if (entry.wire == 2)
          (entry.field == 1 ? key : value) = entry.bytes;
      Feature feature;
      ProtoReader kinds(value);
      while (kinds.next())
        if (kinds.wire == 2 && kinds.field <= 3) {
          feature.kind = kinds.field;
          feature.list = kinds.bytes;
        }
      if (entry.bad || kinds.bad)
        return false;
      visit(key, feature);
    }
    if (features.bad)
      return false;
  }
  return !outer.bad;
}

// Calls take(bits or string) for each value; false when the bytes are no list.
template <typename Take> bool eachValue(const Feature &feature, Take take) {
  ProtoReader reader(feature.list);
  while (reader.next()) {
    if (reader.field != 1)
      continue;
    if (feature.kind == BytesList && reader.wire == 2) {
      take(uint64_t(0), reader.bytes);
    } else if (feature.kind == FloatList && reader.wire == 5) {
      take(reader.number, tenon_string{});
    } else if (feature.kind == FloatList && reader.wire == 2 &&
               reader.bytes.size % 4 == 0) {
      for (size_t i = 0; i < reader.bytes.size; i += 4)
        take(uint64_t(load32(reader.bytes.data + i)), tenon_string{});
    } else if (feature.kind == Int64List && reader.wire == 0) {
      take(reader.number, tenon_string{});
    } else if (feature.kind == Int64List && reader.wire == 2) {
      ProtoReader packed(reader.bytes);
      while (packed.at != packed.end) {
        uint64_t value = packed.varint();
        if (packed.bad)
          return false;
        take(value, tenon_string{});
      }
    } else {
      return false;
    }
  }
  return !reader.bad;
}

bool isNamed(tenon_string text, const char *name) {
  return text.size == strlen(name) && !memcmp(text.data, name, text.size);
}

// How many numbers a feature holds for a type: a text is its bytes when those
// are the elements.
int64_t countValues(const Feature &feature, tenon_dtype dtype) {
  int64_t count = 0;
  bool raw = feature.kind == BytesList && dtype.code != TENON_STRING;
  bool good = eachValue(feature, [&](uint64_t, tenon_string text) {
    count += raw ? int64_t(text.size) / dtypeBytes(dtype) : 1;
  });
  return good ? count : -1;
}

[[noreturn]] void damaged(const Record &record, int64_t row, const char *what) {
  fail("%s: record %lld: %s", record.file, (long long)row, what);
}

struct Filler {
  const Field &field;
  char *to;
  int64_t count = 0;
  bool exact = true;

  void take(uint32_t kind, uint64_t bits, tenon_string text) {
    tenon_dtype dtype = field.spec->dtype;
    int64_t width = dtypeBytes(dtype);
    if (kind == BytesList && dtype.code != TENON_STRING) {
      int64_t size = int64_t(text.size) / width;
      if (int64_t(text.size) % width == 0 && count + size <= field.elements)
        memcpy(to + count * width, text.data, text.size);
      count += size;
      return;
    }
    if (count < field.elements) {
      char *element = to + count * width;
      if (kind == BytesList) {
        memcpy(element, &text, sizeof text);
      } else if (kind == FloatList && dtype.code == TENON_FLOAT &&
                 dtype.bits == 32) {
        memcpy(element, &bits, 4);
      } else if (kind == Int64List && dtype.code == TENON_INT &&
                 dtype.bits == 64) {
        memcpy(element, &bits, 8);
      } else {
        double value = kind == FloatList
                           ? double(__builtin_bit_cast(float, uint32_t(bits)))
                           : double(int64_t(bits));
        exact &= storeElement(field, to, count, value);
      }
    }
    ++count;
  }
};

void fillField(const Record &record, int64_t row, const Field &field,
               const char *name, const Feature &feature, char *to) {
  if (!feature.kind && !(field.elements == 0))
    fail("%s: record %lld: there is no feature '%s'", record.file,
         (long long)row, name);
  bool strings = field.spec->dtype.code == TENON_STRING;
  if (strings != (feature.kind == BytesList) && strings)
    fail("%s: record %lld, feature '%s': expected bytes, got numbers",
         record.file, (long long)row, name);
  Filler filler{field, to};
  bool good = eachValue(feature, [&](uint64_t bits, tenon_string text) {
    filler.take(feature.kind, bits, text);
  });
  if (!good)
    damaged(record, row, "a damaged Example");
  if (filler.count != field.elements)
    fail("%s: record %lld, feature '%s': expected %lld values, got %lld",
         record.file, (long long)row, name, (long long)field.elements,
         (long long)filler.count);
  if (!filler.exact)
    fail("%s: record %lld, feature '%s': a value is no %s", record.file,
         (long long)row, name, dtypeName(field.spec->dtype));
}

void fetchRecords(Source &base, const uint32_t *order, int64_t first,
                  int64_t count, char *const *buffers) {
  RecordSource &source = static_cast<RecordSource &>(base);
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = order ? order[i] : first + i;
    const Record &record = source.at(row);
    if (checkpoint::maskedCrc(record.data, record.size) !=
        load32(record.data + record.size))
      damaged(record, row, "wrong checksum");
    // Of several features of one name the last one counts, as in a map.
    enum { most = 64 };
    Feature found[most];
    bool good = eachFeature(
        {record.data, record.size}, [&](tenon_string key, Feature feature) {
          for (int32_t f = 0; f < source.fieldCount; ++f)
            if (source.fields[f].present && isNamed(key, source.names[f]))
              found[f] = feature;
        });
    if (!good)
      damaged(record, row, "no tf.train.Example");
    for (int32_t f = 0; f < source.fieldCount; ++f)
      if (source.fields[f].present)
        fillField(record, row, source.fields[f], source.names[f], found[f],
                  buffers[f] + size_t(i) * source.fields[f].bytes);
  }
}

// A file of no name for what does not fit into memory.
int openTemporary(const char *path) {
  const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
  for (const char *folder : folders) {
    if (!folder)
      continue;
    int file = ::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
      return file;
    Text name;
    name.print("%s/tenon-XXXXXX", folder);
    name.terminated();
    file = mkstemp(name.data);
    if (file >= 0) {
      unlink(name.data);
      return file;
    }
  }
  fail("%s: cannot make a temporary file to inflate it: %s", path,
       strerror(errno));
}

Bytes inflateFile(const char *path, Bytes packed) {
  int file = openTemporary(path);
  void *library = dlopen("libz.so.1", RTLD_NOW);
  if (!library)
    fail("%s: compressed files need libz.so.1: install the package zlib1g",
         path);
  auto init = reinterpret_cast<int (*)(ZStream *, int, const char *, int)>(
      dlsym(library, "inflateInit2_"));
  auto inflate =
      reinterpret_cast<int (*)(ZStream *, int)>(dlsym(library, "inflate"));
  auto reset =
      reinterpret_cast<int (*)(ZStream *)>(dlsym(library, "inflateReset"));
  constexpr size_t room = 1 << 18;
  char buffer[room];
  uint64_t size = 0;
  ZStream stream = {};
  stream.in = packed.data;
  const char *end = packed.data + packed.size;
  int status = init && inflate && reset
                   ? init(&stream, ZlibOrGzip, "1", sizeof stream)
                   : ZError;
  while (status == ZGood) {
    stream.inLeft = ZStream::chunk(size_t(end - stream.in));
    stream.out = buffer;
    stream.outLeft = room;
    status = inflate(&stream, 0);
    size_t count = size_t(stream.out - buffer);
    writeAll(file, buffer, count);
    size += count;
    // Members of a gzip file follow one another.
    if (status == ZEnd && stream.in != end)
      status = reset(&stream);
  }
  if (status != ZEnd)
    fail("%s: damaged compressed data", path);
  munmap(const_cast<char *>(packed.data), packed.size);
  Bytes bytes = {"", size};
  if (bytes.size) {
    void *data = mmap(nullptr, bytes.size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED)
      fail("%s: %s", path, strerror(errno));
    bytes.data = static_cast<const char *>(data);
  }
  close(file);
  return bytes;
}

struct Opener {
  const DataSpec &spec;
  Field *fields;
  RecordSource &source;

  void open(const char *path) {
    Bytes bytes = mapData(path);
    if (!bytes.size)
      return;
    auto *head = reinterpret_cast<const uint8_t *>(bytes.data);
    bool packed = bytes.size > 2 &&
                  ((head[0] == 0x1f && head[1] == 0x8b) ||
                   (head[0] == 0x78 && (head[0] * 256 + head[1]) % 31 == 0));
    if (packed && !isHead(bytes.data, bytes.size))
      bytes = inflateFile(path, bytes);
    const char *at = bytes.data, *end = at + bytes.size;
    int64_t row = int64_t(source.records.size / sizeof(Record));
    for (; at != end; ++row) {
      size_t left = size_t(end - at);
      if (!isHead(at, left))
        fail("%s: record %lld: %s", path, (long long)row,
             left < headBytes + tailBytes ? "the file ends inside of it"
             : at == bytes.data           ? "this is no TFRecord file"
                                          : "wrong checksum of its length");
      uint64_t size;
      memcpy(&size, at, 8);
      if (size > left - headBytes - tailBytes)
        fail("%s: record %lld: the file ends inside of it", path,
             (long long)row);
      Record record = {at + headBytes, size, path};
      source.records.add(&record, sizeof record);
      at += headBytes + size + tailBytes;
    }
  }

  // Sizes come from the first record.
  void setShape(Field &field, const Record &record, const Feature &feature) {
    int64_t shape[maxRank], known = 1;
    int32_t rank = field.spec->rank - 1, open = -1;
    for (int32_t i = 0; i < rank; ++i) {
      shape[i] = field.spec->shape[i + 1];
      if (shape[i] < 0)
        shape[open = i] = 1;
      known *= shape[i];
    }
    int64_t count = countValues(feature, field.spec->dtype);
    if (count < 0)
      damaged(record, 0, "a damaged Example");
    if (open >= 0 && known)
      shape[open] = count / known;
    if (!setRowShape(field, rank, shape))
      fail("%s: '%s' is too large", record.file, field.spec->name);
    field.present = true;
  }

  Source *run(const Words &words) {
    for (int32_t i = 0; i < words.count; ++i)
      open(words.list[i]);
    source.rows = int64_t(source.records.size / sizeof(Record));
    source.fields = fields;
    source.fieldCount = spec.fieldCount;
    source.isStream = source.isCostly = true;
    source.fetch = fetchRecords;
    if (spec.fieldCount > 64)
      fail("%s: models with more than 63 arrays cannot read records",
           words.list[0]);
    source.names = static_cast<const char **>(
        allocate(size_t(spec.fieldCount) * sizeof(char *)));
    if (source.rows)
      chooseFeatures(source.at(0));
    return &source;
  }

  void chooseFeatures(const Record &first) {
    if (checkpoint::maskedCrc(first.data, first.size) !=
        load32(first.data + first.size))
      damaged(first, 0, "wrong checksum");
    Text names;
    tenon_string other = {}; // a feature that no array is called like
    int32_t others = 0;
    Feature otherFeature;
    bool good = eachFeature(
        {first.data, first.size}, [&](tenon_string key, Feature feature) {
          names.print(names.size ? ", %.*s" : "%.*s", int(key.size), key.data);
          for (int32_t f = 0; f < spec.fieldCount; ++f)
            if (isNamed(key, fields[f].spec->name)) {
              source.names[f] = fields[f].spec->name;
              setShape(fields[f], first, feature);
              return;
            }
          other = key;
          otherFeature = feature;
          ++others;
        });
    if (!good)
      damaged(first, 0, "no tf.train.Example");
    for (int32_t f = 0; f < spec.fieldCount; ++f) {
      Field &field = fields[f];
      if (field.present)
        continue;
      if (field.role == Weight) {
        setRowShape(field, 0, nullptr);
      } else if (field.role == Target && spec.targets == 1 && others == 1) {
        Text name;
        name.add(other.data, other.size);
        source.names[f] = name.terminated();
        setShape(field, first, otherFeature);
      } else {
        char type[512];
        fail("%s: there is no feature '%s' (%s); the first record has: %s",
             first.file, field.spec->name,
             describeField(field, type, sizeof type),
             names.size ? names.terminated() : "none");
      }
    }
  }
};

} // namespace

Source *openRecords(const DataSpec &spec, Field *fields, const Words &words) {
  return Opener{spec, fields,
                *static_cast<RecordSource *>(allocate(sizeof(RecordSource)))}
      .run(words);
}

} // namespace tenon::train
