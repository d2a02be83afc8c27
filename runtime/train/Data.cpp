#include "train/Data.h"
#include "io/Fail.h"
#include "io/Tensor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::train {

Bytes mapData(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file < 0 || fstat(file, &status))
    fail("%s: %s", path, strerror(errno));
  Bytes bytes = {"", size_t(status.st_size)};
  void *data = nullptr;
  if (bytes.size)
    data = mmap(nullptr, bytes.size, PROT_READ, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED)
    fail("%s: %s", path, strerror(errno));
  close(file);
  if (data)
    bytes.data = static_cast<const char *>(data);
  return bytes;
}

const char *describeField(const Field &field, char *out, size_t room) {
  return formatType(out, room, field.spec->dtype, field.spec->rank,
                    field.spec->shape);
}

bool setRowShape(Field &field, int32_t rank, const int64_t *shape) {
  const TensorSpec &spec = *field.spec;
  int32_t wanted = spec.rank - 1;
  if (!field.shape)
    field.shape = static_cast<int64_t *>(
        allocate(size_t(wanted > 0 ? wanted : 0) * sizeof(int64_t)));
  field.rank = wanted;
  for (int32_t i = 0; i < wanted; ++i) {
    int64_t size = spec.shape[i + 1];
    // A column counts as a row of one number, and the other way round.
    int64_t given = !shape ? (size < 0 ? 1 : size) : i < rank ? shape[i] : 1;
    if (size >= 0 && size != given)
      return false;
    field.shape[i] = given;
  }
  for (int32_t i = wanted; shape && i < rank; ++i)
    if (shape[i] != 1)
      return false;
  field.elements = countElements(wanted, field.shape, dtypeBytes(spec.dtype));
  field.bytes = size_t(field.elements) * size_t(dtypeBytes(spec.dtype));
  return field.elements >= 0;
}

bool canConvert(tenon_dtype from, tenon_dtype to, bool cast) {
  if (sameDtype(from, to))
    return true;
  if (from.code == TENON_STRING || to.code == TENON_STRING ||
      (from.code == TENON_COMPLEX && to.code != TENON_COMPLEX))
    return false;
  return cast || to.code != TENON_BOOL;
}

namespace {

// Converts until a value is not one of To. Rounding a float is no failure.
template <typename From, typename To>
int64_t convertLoop(const char *source, char *target, int64_t count,
                    bool cast) {
  for (int64_t i = 0; i < count; ++i) {
    From from;
    memcpy(&from, source + i * int64_t(sizeof from), sizeof from);
    To to = To(from);
    if (From(-1) < From(0) || sizeof(From) > 1)
      if (!cast && From(0.5) == From(0) && From(to) != from)
        return i;
    memcpy(target + i * int64_t(sizeof to), &to, sizeof to);
  }
  return count;
}

template <typename To>
int64_t convertTo(tenon_dtype from, const char *source, char *target,
                  int64_t count, bool cast) {
  constexpr bool floats = To(0.5) != To(0);
  switch (from.code << 8 | from.bits) {
  case TENON_UINT << 8 | 8:
    return convertLoop<uint8_t, To>(source, target, count, cast);
  case TENON_INT << 8 | 32:
    return convertLoop<int32_t, To>(source, target, count, cast);
  case TENON_INT << 8 | 64:
    return convertLoop<int64_t, To>(source, target, count, cast);
  case TENON_FLOAT << 8 | 32:
    if constexpr (floats)
      return convertLoop<float, To>(source, target, count, cast);
    return -1;
  case TENON_FLOAT << 8 | 64:
    if constexpr (floats)
      return convertLoop<double, To>(source, target, count, cast);
    return -1;
  default:
    return -1;
  }
}

} // namespace

int64_t convertElements(tenon_dtype from, const char *source, tenon_dtype to,
                        char *target, int64_t count, bool cast) {
  int64_t done = -1;
  switch (to.code << 8 | to.bits) {
  case TENON_FLOAT << 8 | 32:
    done = convertTo<float>(from, source, target, count, cast);
    break;
  case TENON_INT << 8 | 32:
    done = convertTo<int32_t>(from, source, target, count, cast);
    break;
  case TENON_INT << 8 | 64:
    done = convertTo<int64_t>(from, source, target, count, cast);
    break;
  default:
    break;
  }
  if (done >= 0)
    return done;
  // The other pairs, one element after the other.
  size_t fromBytes = size_t(dtypeBytes(from)), toBytes = size_t(dtypeBytes(to));
  alignas(16) char element[16], back[16];
  tenon_tensor view = {}, result = {};
  view.dtype = from;
  view.data = element;
  result.dtype = to;
  result.data = back;
  for (int64_t i = 0; i < count; ++i, source += fromBytes, target += toBytes) {
    memcpy(element, source, fromBytes);
    if (from.code == TENON_BOOL)
      *element = *element != 0;
    Number number = loadNumber(view, 0);
    storeNumber(to, back, number);
    Number stored = loadNumber(result, 0);
    if (!cast && (number.integer || stored.integer) &&
        stored.real != number.real)
      return i;
    memcpy(target, back, toBytes);
  }
  return count;
}

bool storeElement(const Field &field, char *row, int64_t index, double value) {
  alignas(16) char element[16];
  tenon_dtype dtype = field.spec->dtype;
  Number number = {};
  number.real = value;
  storeNumber(dtype, element, number);
  memcpy(row + index * dtypeBytes(dtype), element, size_t(dtypeBytes(dtype)));
  if (isReal(dtype) || dtype.code == TENON_COMPLEX)
    return true;
  tenon_tensor view = {};
  view.dtype = dtype;
  view.data = element;
  return loadNumber(view, 0).real == value;
}

namespace {

// Sizes that the model takes to be equal must be so.
void checkSymbols(const DataSet &data) {
  for (int32_t i = 0; i < data.fieldCount; ++i)
    for (int32_t k = 0; k < data.fields[i].rank; ++k)
      for (int32_t j = 0; j < i; ++j)
        for (int32_t l = 0; l < data.fields[j].rank; ++l) {
          const Field &a = data.fields[i], &b = data.fields[j];
          if (a.spec->shape[k + 1] < 0 &&
              a.spec->shape[k + 1] == b.spec->shape[l + 1] &&
              a.shape[k] != b.shape[l])
            fail("%s: dimension %d of array '%s' is %lld, but must be %lld as "
                 "dimension %d of array '%s'",
                 data.label, k + 1, a.spec->name, (long long)a.shape[k],
                 (long long)b.shape[l], l + 1, b.spec->name);
        }
}

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length > size && !strcmp(text + length - size, end);
}

bool isFolder(const char *path) {
  struct stat status;
  return !stat(path, &status) && S_ISDIR(status.st_mode);
}

} // namespace

DataSet openData(const DataSpec &spec, const Words &words) {
  DataSet data = {};
  const char *first = words.list[0];
  data.label = first;
  data.fieldCount = spec.fieldCount;
  data.fields =
      static_cast<Field *>(allocate(size_t(spec.fieldCount) * sizeof(Field)));
  for (int32_t i = 0; i < spec.fieldCount; ++i)
    data.fields[i] = spec.fields[i];
  if (isFolder(first)) {
    if (words.count > 1)
      fail("%s: a folder of images is the whole set, '%s' is too much", first,
           words.list[1]);
    data.source = openImages(spec, data.fields, first);
  } else if (endsWith(first, ".csv")) {
    if (words.count > 1)
      fail("%s: a table is the whole set, '%s' is too much", first,
           words.list[1]);
    data.source = openCsv(spec, data.fields, first);
  } else if (strstr(first, ".tfrecord") || strstr(first, ".tfrec")) {
    data.source = openRecords(spec, data.fields, words);
  } else {
    data.source = openArrays(spec, data.fields, words);
  }
  checkSymbols(data);
  if (!data.source->rows)
    fail("%s: there are no rows", first);
  if (data.source->rows > int64_t(UINT32_MAX))
    fail("%s: there are %lld rows, more than the %u that are supported", first,
         (long long)data.source->rows, UINT32_MAX);
  return data;
}

} // namespace tenon::train
