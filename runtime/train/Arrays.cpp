// Data in .npz and .npy files. Plain arrays are used where they are mapped;
// what is compressed, column-major or of the other byte order is read as a
// whole.
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npy.h"
#include "io/Npz.h"
#include "io/Strings.h"
#include "io/Tensor.h"
#include "train/Data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon::train {

namespace {

// An array of a file, before it is known what for.
struct Array {
  const char *file;
  const char *name; // in the file
  tenon_dtype dtype;
  int32_t rank;
  int64_t shape[maxRank];
  const char *data;
  int descriptor; // -1, or the file, where the elements begin at `offset`
  uint64_t offset;
  bool used;
};

// One that feeds a field.
struct Column {
  const Field *field;
  const char *file;
  const char *data;
  int descriptor; // not -1: rows are read from here
  uint64_t offset;
  tenon_dtype dtype;
  size_t bytes; // of a row
  bool converts;
};

struct ArraySource : Source {
  Column *columns; // by field; data is NULL where it has none
  int32_t count;
  bool cast;
  Text scratch; // a row that is to be converted
};

// Long rows of arrays larger than this are read when they are needed: memory
// that is mapped counts as the program's when it was touched.
enum : uint64_t { readFrom = 8 << 20, readRows = 512 };

void readBytes(const Column &column, uint64_t offset, size_t bytes, char *to) {
  while (bytes) {
    ssize_t count = pread(column.descriptor, to, bytes, off_t(offset));
    if (count <= 0)
      fail("%s: %s", column.file,
           count ? strerror(errno) : "the file has become shorter");
    to += count;
    offset += uint64_t(count);
    bytes -= size_t(count);
  }
}

// Copies rows from where the order says.
template <typename T>
void gather(const char *from, const uint32_t *order, int64_t count, char *to) {
  T value;
  for (int64_t i = 0; i < count; ++i) {
    memcpy(&value, from + uint64_t(order[i]) * sizeof value, sizeof value);
    memcpy(to + uint64_t(i) * sizeof value, &value, sizeof value);
  }
}

// More than 16 bytes, without a call; the last 16 may be copied twice.
inline void copyShort(const char *from, size_t bytes, char *to) {
  __uint128_t part;
  for (size_t at = 0; at + 16 < bytes; at += 16) {
    memcpy(&part, from + at, 16);
    memcpy(to + at, &part, 16);
  }
  memcpy(&part, from + bytes - 16, 16);
  memcpy(to + bytes - 16, &part, 16);
}

void copyRows(const Column &column, const uint32_t *order, int64_t first,
              int64_t count, char *to) {
  const char *from = column.data;
  size_t bytes = column.bytes;
  if (column.descriptor >= 0 && !order)
    readBytes(column, column.offset + uint64_t(first) * bytes,
              uint64_t(count) * bytes, to);
  else if (column.descriptor >= 0)
    for (int64_t i = 0; i < count; ++i)
      readBytes(column, column.offset + order[i] * bytes, bytes,
                to + uint64_t(i) * bytes);
  else if (!order)
    memcpy(to, from + uint64_t(first) * bytes, uint64_t(count) * bytes);
  else if (bytes == 4)
    gather<uint32_t>(from, order, count, to);
  else if (bytes == 8)
    gather<uint64_t>(from, order, count, to);
  else if (bytes == 16)
    gather<__uint128_t>(from, order, count, to);
  else if (bytes > 16 && bytes <= 256)
    for (int64_t i = 0; i < count; ++i, to += bytes)
      copyShort(from + order[i] * bytes, bytes, to);
  else
    for (int64_t i = 0; i < count; ++i)
      memcpy(to + uint64_t(i) * bytes, from + order[i] * bytes, bytes);
}

void convertRows(ArraySource &source, const Column &column,
                 const uint32_t *order, int64_t first, int64_t count,
                 char *to) {
  const Field &field = *column.field;
  for (int64_t i = 0; i < count; ++i, to += field.bytes) {
    int64_t row = order ? order[i] : first + i;
    const char *from = column.data + uint64_t(row) * column.bytes;
    if (column.descriptor >= 0) {
      char *read = source.scratch.grow(column.bytes);
      readBytes(column, column.offset + uint64_t(row) * column.bytes,
                column.bytes, read);
      from = read;
    }
    int64_t done = convertElements(column.dtype, from, field.spec->dtype, to,
                                   field.elements, source.cast);
    if (done == field.elements)
      continue;
    alignas(16) char element[16];
    tenon_tensor view = {};
    view.dtype = column.dtype;
    view.data = element;
    memcpy(element, from + done * dtypeBytes(column.dtype),
           size_t(dtypeBytes(column.dtype)));
    fail("%s: array '%s', row %lld: expected %s, got %g (--cast converts it)",
         column.file, field.spec->name, (long long)row,
         dtypeName(field.spec->dtype), loadNumber(view, 0).real);
  }
}

void fetchArrays(Source &base, const uint32_t *order, int64_t first,
                 int64_t count, char *const *buffers) {
  ArraySource &source = static_cast<ArraySource &>(base);
  for (int32_t i = 0; i < source.count; ++i) {
    const Column &column = source.columns[i];
    if (!column.data)
      continue;
    if (column.converts)
      convertRows(source, column, order, first, count, buffers[i]);
    else
      copyRows(column, order, first, count, buffers[i]);
  }
}

struct Opener {
  const DataSpec &spec;
  Field *fields;
  Text arrays; // of Array
  int32_t count = 0;
  ArraySource *source = nullptr;
  uint64_t total = 0; // bytes of all rows

  Array &array(int32_t i) { return reinterpret_cast<Array *>(arrays.data)[i]; }

  // Adds the array in the bytes of an .npy file, which may lie in a mapped one.
  void add(const char *file, const char *name, const char *bytes, size_t size,
           const Bytes &mapped) {
    NpyView view = viewNpy(bytes, size);
    Array array = {};
    array.descriptor = -1;
    if (view.isPlain() && bytes >= mapped.data &&
        bytes < mapped.data + mapped.size && size > readFrom) {
      array.descriptor = ::open(file, O_RDONLY | O_CLOEXEC);
      array.offset = uint64_t(view.data - mapped.data);
    }
    array.file = file;
    array.name = name;
    array.dtype = view.dtype;
    array.rank = view.rank;
    memcpy(array.shape, view.shape, sizeof array.shape);
    array.data = view.isPlain() ? view.data : bytesOf(readNpy(bytes, size));
    arrays.add(&array, sizeof array);
    ++count;
  }

  // Compares a check sum without keeping in memory what is mapped.
  static void checkSum(const char *file, size_t size, uint32_t wanted,
                       const Bytes &mapped) {
    uint32_t crc = 0;
    const size_t step = 4 << 20;
    for (size_t at = 0; at < size; at += step) {
      crc = crc32(crc, file + at, size - at < step ? size - at : step);
      if (mapped.size > readFrom)
        madvise(const_cast<char *>(mapped.data), mapped.size, MADV_DONTNEED);
    }
    if (crc != wanted)
      fail("wrong checksum");
  }

  // A word of the command line: FILE.npz, FILE.npy, NAME=FILE.
  void open(const char *word) {
    const char *path = word, *name = nullptr;
    size_t length = strcspn(word, "=/");
    if (word[length] == '=') {
      Text text;
      text.add(word, length);
      name = text.terminated();
      path = word + length + 1;
    }
    if (*path == '@')
      ++path;
    Bytes bytes = mapData(path);
    failContext.file = path;
    if (bytes.size > 1 && !memcmp(bytes.data, "PK", 2)) {
      Npz npz(bytes.data, bytes.size);
      // An array that is alone may have any name.
      bool isAlone = npz.count == 1;
      while (npz.next()) {
        Text text;
        if (name && isAlone)
          text.add(name);
        else
          text.add(npz.name, npz.nameSize);
        if (name && strcmp(text.terminated(), name))
          continue;
        size_t size;
        const char *file = npz.open(size);
        checkSum(file, size, npz.crc, bytes);
        add(path, text.terminated(), file, size, bytes);
      }
    } else {
      if (!name && spec.fieldCount == 1)
        name = spec.fields[0].spec->name;
      if (!name)
        fail("say what it is for, as NAME=%s", path);
      add(path, name, bytes.data, bytes.size, bytes);
    }
    failContext.file = nullptr;
  }

  Array *find(const char *name) {
    for (int32_t i = 0; i < count; ++i)
      if (!strcmp(array(i).name, name))
        return &array(i);
    return nullptr;
  }

  // Whether another field has the array for itself: by its name, or because the
  // only target may be called y.
  bool belongsElsewhere(const Array &array, const Field &field) {
    if (array.used || !strcmp(array.name, "sample_weight") ||
        (field.role == Input && spec.targets == 1 && !strcmp(array.name, "y")))
      return true;
    for (int32_t i = 0; i < spec.fieldCount; ++i)
      if (&fields[i] != &field && !strcmp(fields[i].spec->name, array.name))
        return true;
    return false;
  }

  // The only array that no other field has; null if there are several.
  Array *findOnly(const Field &field) {
    Array *found = nullptr;
    for (int32_t i = 0; i < count; ++i) {
      if (belongsElsewhere(array(i), field))
        continue;
      if (found)
        return nullptr;
      found = &array(i);
    }
    return found;
  }

  // The array of a field. The only input may be called x, and the only target
  // y, or whatever no other field is.
  Array *findFor(const Field &field) {
    Array *found = find(field.spec->name);
    if (!found && field.spec->dtype.code == TENON_BFLOAT) {
      Text name;
      name.print("%s__bf16", field.spec->name);
      found = find(name.terminated());
      if (found && found->dtype.code == TENON_UINT && found->dtype.bits == 16)
        found->dtype = field.spec->dtype;
    }
    if (found || field.role == Weight)
      return found;
    int32_t alike = 0; // fields of this role
    for (int32_t i = 0; i < spec.fieldCount; ++i)
      alike += fields[i].role == field.role;
    if (alike != 1)
      return nullptr;
    found = find(field.role == Input ? "x" : "y");
    return found && !found->used ? found : findOnly(field);
  }

  [[noreturn]] void missing(const Field &field) {
    Text names;
    for (int32_t i = 0; i < count; ++i)
      names.print(i ? ", %s" : "%s", array(i).name);
    char type[512];
    fail("%s: there is no array '%s' (%s, %s); there are: %s", array(0).file,
         field.spec->name, field.role == Input ? "an input" : "a target",
         describeField(field, type, sizeof type), names.terminated());
  }

  void use(Field &field, Column &column, Array &array) {
    char wanted[512], given[512];
    bool fits = array.rank > 0 &&
                setRowShape(field, array.rank - 1, array.shape + 1) &&
                canConvert(array.dtype, field.spec->dtype, spec.cast);
    if (!fits)
      fail("%s: array '%s': expected %s, got %s", array.file, array.name,
           describeField(field, wanted, sizeof wanted),
           formatType(given, sizeof given, array.dtype, array.rank,
                      array.shape));
    if (source->rows >= 0 && source->rows != array.shape[0])
      fail("%s: array '%s' has %lld rows, those before it have %lld",
           array.file, array.name, (long long)array.shape[0],
           (long long)source->rows);
    source->rows = array.shape[0];
    array.used = true;
    field.present = true;
    size_t bytes = size_t(field.elements) * size_t(dtypeBytes(array.dtype));
    bool isRead = array.descriptor >= 0 && bytes >= readRows;
    column = {&field,
              array.file,
              array.data,
              isRead ? array.descriptor : -1,
              array.offset,
              array.dtype,
              bytes,
              !sameDtype(array.dtype, field.spec->dtype) ||
                  array.dtype.code == TENON_BOOL};
    // Converting takes time, and so does reading what memory does not hold.
    total += uint64_t(source->rows) * column.bytes;
    source->isCostly |= isRead || (column.converts && field.elements > 256) ||
                        total > uint64_t(256) << 20;
  }

  Source *run(const Words &words) {
    source = static_cast<ArraySource *>(allocate(sizeof(ArraySource)));
    source->rows = -1;
    source->fetch = fetchArrays;
    source->cast = spec.cast;
    source->count = spec.fieldCount;
    source->columns = static_cast<Column *>(
        allocate(size_t(spec.fieldCount) * sizeof(Column)));
    for (int32_t i = 0; i < words.count; ++i)
      open(words.list[i]);
    if (!count)
      fail("%s: there are no arrays", words.list[0]);
    // Targets last: what is left over may be one.
    const Role roles[] = {Input, Weight, Target};
    for (Role role : roles)
      for (int32_t i = 0; i < spec.fieldCount; ++i) {
        if (fields[i].role != role)
          continue;
        Array *array = findFor(fields[i]);
        if (array)
          use(fields[i], source->columns[i], *array);
        else if (role != Weight)
          missing(fields[i]);
        else
          setRowShape(fields[i], 0, nullptr);
      }
    return source;
  }
};

} // namespace

Source *openArrays(const DataSpec &spec, Field *fields, const Words &words) {
  return Opener{spec, fields, {}}.run(words);
}

} // namespace tenon::train
