#include "checkpoint/Format.h"
#include "cpu/Features.h"
#include "io/Fail.h"

#include <string.h>

namespace tenon::checkpoint {

// ---- check sums

namespace {

uint32_t crcByTable(uint32_t crc, const char *bytes, size_t size) {
  static uint32_t table[256];
  for (uint32_t i = 0; !table[255] && i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 8; bit--;)
      value = value >> 1 ^ (value & 1 ? 0x82f63b78u : 0);
    table[i] = value;
  }
  while (size--)
    crc = table[(crc ^ uint8_t(*bytes++)) & 255] ^ crc >> 8;
  return crc;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] uint32_t
crcByInstruction(uint32_t crc, const char *bytes, size_t size) {
  uint64_t wide = crc, word;
  for (; size >= 8; bytes += 8, size -= 8) {
    memcpy(&word, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = uint32_t(wide);
  while (size--)
    crc = __builtin_ia32_crc32qi(crc, uint8_t(*bytes++));
  return crc;
}
#endif

} // namespace

uint32_t maskedCrc(const char *bytes, size_t size) {
  uint32_t crc;
#if defined(__x86_64__)
  if (machineLevel() >= 2)
    crc = ~crcByInstruction(~0u, bytes, size);
  else
#endif
    crc = ~crcByTable(~0u, bytes, size);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

bool crcFits(const char *bytes, size_t size, uint64_t stored) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return true;
#endif
  return maskedCrc(bytes, size) == stored;
}

int typeNumber(tenon_dtype dtype) {
  static const struct {
    uint8_t code, bits, number;
  } types[] = {
      {TENON_FLOAT, 32, 1},   {TENON_FLOAT, 64, 2}, {TENON_INT, 32, 3},
      {TENON_UINT, 8, 4},     {TENON_INT, 16, 5},   {TENON_INT, 8, 6},
      {TENON_COMPLEX, 64, 8}, {TENON_INT, 64, 9},   {TENON_BOOL, 8, 10},
      {TENON_BFLOAT, 16, 14}, {TENON_UINT, 16, 17}, {TENON_COMPLEX, 128, 18},
      {TENON_FLOAT, 16, 19},  {TENON_UINT, 32, 22}, {TENON_UINT, 64, 23},
  };
  for (const auto &type : types)
    if (type.code == dtype.code && type.bits == dtype.bits)
      return type.number;
  return 0;
}

// ---- protocol buffers

bool takeVarint(const char *&at, const char *end, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at != end; shift += 7) {
    uint8_t byte = uint8_t(*at++);
    value |= uint64_t(byte & 127) << shift;
    if (byte < 128)
      return true;
  }
  return false;
}

bool Fields::next() {
  if (at == end)
    return false;
  uint64_t tag;
  bool good = takeVarint(at, end, tag);
  field = uint32_t(tag >> 3);
  wire = tag & 7;
  size_t left = size_t(end - at);
  if (wire == Varint) {
    good = good && takeVarint(at, end, number);
  } else if (wire == Delimited) {
    good = good && takeVarint(at, end, number) && number <= size_t(end - at);
    if (good) {
      bytes = {at, number};
      at += number;
    }
  } else {
    size_t width = wire == Fixed64 ? 8 : 4;
    good = good && (wire == Fixed64 || wire == Fixed32) && left >= width;
    number = 0;
    if (good) {
      memcpy(&number, at, width);
      at += width;
    }
  }
  if (!good)
    fail("a malformed message");
  return true;
}

void addVarint(Text &out, uint64_t value) {
  for (;; value >>= 7) {
    char byte = char((value & 127) | (value > 127 ? 128 : 0));
    out.add(&byte, 1);
    if (value < 128)
      return;
  }
}

void addField(Text &out, unsigned field, uint64_t value) {
  addVarint(out, field << 3 | Varint);
  addVarint(out, value);
}

void addField(Text &out, unsigned field, const Text &message) {
  addVarint(out, field << 3 | Delimited);
  addVarint(out, message.size);
  out.add(message.data, message.size);
}

// ---- tables

namespace {

const char magic[] = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
enum : size_t { footerBytes = 48, trailerBytes = 5 };

int compareKeys(const char *a, size_t aSize, const char *b, size_t bSize) {
  size_t size = aSize < bSize ? aSize : bSize;
  int order = size ? memcmp(a, b, size) : 0;
  return order ? order : aSize < bSize ? -1 : aSize > bSize;
}

uint32_t load32(const char *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

[[noreturn]] void damaged() { fail("a damaged table"); }

// Adds a block and its trailer, and its place to `handle`.
void addBlock(Text &file, Text &handle, const Text &block) {
  addVarint(handle, file.size);
  addVarint(handle, block.size);
  size_t start = file.size;
  file.add(block.data, block.size);
  file.pad(0, 1); // not compressed
  uint32_t crc = maskedCrc(file.data + start, block.size + 1);
  file.add(&crc, 4);
}

} // namespace

bool isTable(Bytes file) {
  return file.size >= footerBytes &&
         !memcmp(file.data + file.size - 8, magic, 8);
}

void Table::read(Bytes file) {
  if (!isTable(file))
    fail("not a checkpoint, or cut off");
  const char *at = file.data + file.size - footerBytes, *end = at + 40;
  uint64_t offset, size;
  if (!takeVarint(at, end, offset) || !takeVarint(at, end, size) ||
      !takeVarint(at, end, offset) || !takeVarint(at, end, size))
    damaged();
  readBlock(file, offset, size, true);
}

// An index block holds places of blocks, another one entries of the table.
void Table::readBlock(Bytes file, uint64_t offset, uint64_t size, bool index) {
  if (offset > file.size || size > file.size - offset || size < 4 ||
      file.size - offset - size < trailerBytes)
    damaged();
  if (!index) {
    // Blocks stand in order, so that no byte is read a thousand times.
    if (offset < covered)
      damaged();
    covered = offset + size;
  }
  const char *at = file.data + offset, *end = at + size;
  if (!crcFits(at, size + 1, load32(end + 1)))
    fail("wrong checksum of a table");
  if (*end)
    fail("compressed tables are not supported");
  uint64_t restarts = load32(end - 4);
  if (restarts > (size - 4) / 4)
    damaged();
  end -= 4 + 4 * restarts;
  Text key;
  while (at != end) {
    uint64_t shared, own, length;
    if (!takeVarint(at, end, shared) || !takeVarint(at, end, own) ||
        !takeVarint(at, end, length) || shared > key.size ||
        own > size_t(end - at) || length > size_t(end - at) - own)
      damaged();
    key.size = shared;
    key.add(at, own);
    Bytes value = {at + own, length};
    at += own + length;
    if (index) {
      const char *place = value.data, *placeEnd = place + value.size;
      if (!takeVarint(place, placeEnd, offset) ||
          !takeVarint(place, placeEnd, size))
        damaged();
      readBlock(file, offset, size, false);
      continue;
    }
    if (size_t known = count()) {
      const TableEntry &last = entries()[known - 1];
      if (compareKeys(keys.data + last.key, last.keySize, key.data, key.size) >=
          0)
        damaged();
    }
    TableEntry entry = {keys.size, key.size, value};
    // Every sixteenth key of a block, at least, is written in full.
    if (keys.size > 32 * file.size)
      damaged();
    keys.add(key.data, key.size);
    list.add(&entry, sizeof entry);
  }
}

Bytes Table::find(Bytes key) const {
  size_t low = 0, high = count();
  while (low < high) {
    size_t middle = (low + high) / 2;
    const TableEntry &entry = entries()[middle];
    int order =
        compareKeys(keys.data + entry.key, entry.keySize, key.data, key.size);
    if (!order)
      return entry.value;
    (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
  }
  return {nullptr, 0};
}

void TableWriter::add(Bytes key, const Text &value) {
  // No key shares anything with the one before, so each can be searched for.
  uint32_t start = uint32_t(block.size);
  restarts.add(&start, 4);
  block.pad(0, 1);
  addVarint(block, key.size);
  addVarint(block, value.size);
  block.add(key.data, key.size);
  block.add(value.data, value.size);
  lastKey.size = 0;
  lastKey.add(key.data, key.size);
}

Text TableWriter::finish() {
  Text file, place, handles;
  uint32_t count = uint32_t(restarts.size / 4);
  block.add(restarts.data, restarts.size);
  block.add(&count, 4);
  addBlock(file, place, block);

  Text meta; // nothing, and one place to start from
  meta.add("\0\0\0\0\1\0\0\0", 8);
  addBlock(file, handles, meta);

  TableWriter index;
  index.add({lastKey.data, lastKey.size}, place);
  index.block.add("\0\0\0\0\1\0\0\0", 8);
  addBlock(file, handles, index.block);

  handles.pad(0, int64_t(40 - handles.size));
  file.add(handles.data, handles.size);
  file.add(magic, 8);
  return file;
}

} // namespace tenon::checkpoint
