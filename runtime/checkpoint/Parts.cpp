#include "checkpoint/Parts.h"
#include "io/Fail.h"

#include <string.h>

namespace tenon::checkpoint {

Slice::Slice(Bytes message, int32_t shapeRank, const int64_t *shape) {
  for (Fields extent(message); extent.next();) {
    if (extent.field != 1 || extent.wire != Delimited)
      continue;
    if (rank == shapeRank)
      fail("a part has too many dimensions");
    int64_t size = shape[rank];
    begin[rank] = 0;
    all[rank] = true;
    for (Fields range(extent.bytes); range.next();)
      if (range.field == 1) {
        begin[rank] = int64_t(range.number);
      } else if (range.field == 2) {
        length[rank] = int64_t(range.number);
        all[rank] = false;
      }
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

// Adds a number so that keys sort as numbers do: as many leading ones as there
// are bytes; each byte holds 7 bits.
static void addSigned(Text &key, int64_t value) {
  uint64_t size = uint64_t(value < 0 ? ~value : value);
  int count = 1;
  while (count < 10 && size >> (7 * count - 1))
    ++count;
  uint8_t bytes[10]; // the lowest one first; written the other way round
  for (int i = 0; i < 10; ++i)
    bytes[i] = uint8_t(value >> (i < 8 ? 8 * i : 63));
  unsigned ones = 0xff00u << (8 - (count < 8 ? count : 8));
  if (count > 8)
    ones = count == 9 ? 0xff80 : 0xffc0;
  bytes[count - 1] ^= uint8_t(ones >> 8);
  if (count > 1)
    bytes[count - 2] ^= uint8_t(ones);
  while (count--)
    key.add(&bytes[count], 1);
}

Text Slice::key(const char *name) const {
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

bool Slice::isBefore(const Slice &other) const {
  for (int32_t i = 0; i < rank; ++i)
    if (begin[i] != other.begin[i])
      return begin[i] < other.begin[i];
  return false;
}

void Slice::place(char *to, const int64_t *shape, const char *from,
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

Entry::Entry(Bytes message, bool first) : partsField(first ? 4 : 7) {
  uint32_t typeField = first ? 3 : 1;
  for (Fields fields(message); fields.next();) {
    if (fields.field == partsField)
      parts = true;
    else if (fields.field == typeField)
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

void Entry::readShape(Bytes message) {
  for (Fields fields(message); fields.next();) {
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

void Entry::check(const tenon_tensor &wanted) const {
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

} // namespace tenon::checkpoint
