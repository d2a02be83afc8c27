// Writing zip archives of stored entries, as numpy.savez does; sizes that do
// not fit into 32 bits go to the 64-bit fields.
#include "io/Npy.h"
#include "io/Npz.h"

#include <string.h>

namespace tenon {

namespace {

// Eight bytes a step; filled when first used.
uint32_t crcTable[8][256];

void makeTable() {
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    crcTable[0][i] = value;
  }
  for (int table = 1; table < 8; ++table)
    for (int i = 0; i < 256; ++i) {
      uint32_t value = crcTable[table - 1][i];
      crcTable[table][i] = value >> 8 ^ crcTable[0][value & 255];
    }
}

uint32_t crcOf(uint32_t crc, const char *bytes, size_t size) {
  if (!crcTable[0][1])
    makeTable();
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    word ^= crc;
    crc = 0;
    for (int i = 0; i < 8; ++i)
      crc ^= crcTable[7 - i][word >> (8 * i) & 255];
  }
  for (; size; --size)
    crc = crc >> 8 ^ crcTable[0][(crc ^ uint8_t(*bytes++)) & 255];
  return ~crc;
}

void put(Text &out, uint64_t value, int bytes) {
  out.add(&value, size_t(bytes));
}

const uint64_t narrowLimit = 0xffffffff;

uint64_t narrow(uint64_t value) {
  return value < narrowLimit ? value : narrowLimit;
}

// The fields that local header and directory share: version to sizes.
void putCommon(Text &out, uint32_t crc, uint64_t size, size_t nameSize,
               size_t extraSize) {
  put(out, extraSize ? 45 : 20, 2); // version needed
  put(out, 0x800, 2);               // names are UTF-8
  put(out, 0, 2);                   // stored
  put(out, 0, 2);                   // time and date: always 1980-01-01, so
  put(out, 0x21, 2);                // that the same results give the same file
  put(out, crc, 4);
  put(out, narrow(size), 4);
  put(out, narrow(size), 4);
  put(out, nameSize + 4, 2);
  put(out, extraSize, 2);
}

} // namespace

uint32_t crc32(const char *bytes, size_t size) { return crcOf(0, bytes, size); }

bool NpzWriter::add(const char *name, const Array &array) {
  Text header, file, scratch;
  size_t bytes;
  writeNpyHeader(file, array, bytes);
  const char *data = npyData(array, bytes, scratch);
  bool good = data && !file.failed;
  if (good) {
    uint32_t crc = crcOf(crc32(file.data, file.size), data, bytes);
    uint64_t size = file.size + bytes;
    bool wide = size >= narrowLimit;
    Text full;
    full.add(name);
    if (array.dtype.code == TENON_BFLOAT)
      full.add("__bf16");
    full.add(".npy");
    size_t nameSize = full.size - 4;

    put(header, 0x04034b50, 4);
    putCommon(header, crc, size, nameSize, wide ? 20 : 0);
    header.add(full.data, full.size);
    if (wide) {
      put(header, 16 << 16 | 1, 4);
      put(header, size, 8);
      put(header, size, 8);
    }

    int extraFields = (wide ? 2 : 0) + (offset >= narrowLimit);
    put(directory, 0x02014b50, 4);
    put(directory, 45, 2); // version of the writer
    putCommon(directory, crc, size, nameSize,
              extraFields ? size_t(4 + 8 * extraFields) : 0);
    put(directory, 0, 8);
    put(directory, 0, 2); // comment, disk, attributes: none
    put(directory, narrow(offset), 4);
    directory.add(full.data, full.size);
    if (extraFields)
      put(directory, uint64_t(8 * extraFields) << 16 | 1, 4);
    if (wide) {
      put(directory, size, 8);
      put(directory, size, 8);
    }
    if (offset >= narrowLimit)
      put(directory, offset, 8);

    good = !full.failed && !header.failed && !directory.failed &&
           write(context, header.data, header.size) &&
           write(context, file.data, file.size) && write(context, data, bytes);
    offset += header.size + size;
    ++count;
    full.release();
  }
  header.release();
  file.release();
  scratch.release();
  return good;
}

bool NpzWriter::finish() {
  uint64_t size = directory.size;
  bool wide = offset >= narrowLimit || size >= narrowLimit || count >= 0xffff;
  if (wide) {
    uint64_t record = offset + size;
    put(directory, 0x06064b50, 4);
    put(directory, 44, 8); // bytes that follow in this record
    put(directory, 45 << 16 | 45, 4);
    put(directory, 0, 8); // disks
    put(directory, count, 8);
    put(directory, count, 8);
    put(directory, size, 8);
    put(directory, offset, 8);
    put(directory, 0x07064b50, 4);
    put(directory, 0, 4);
    put(directory, record, 8);
    put(directory, 1, 4);
  }
  uint64_t shown = count < 0xffff ? count : 0xffff;
  put(directory, 0x06054b50, 4);
  put(directory, 0, 4);
  put(directory, shown, 2);
  put(directory, shown, 2);
  put(directory, narrow(size), 4);
  put(directory, narrow(offset), 4);
  put(directory, 0, 2);
  bool good =
      !directory.failed && write(context, directory.data, directory.size);
  directory.release();
  return good;
}

} // namespace tenon
