// Writing zip archives of stored entries, as numpy.savez does.
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npy.h"
#include "io/Npz.h"

namespace tenon {

// Eight tables of 256, for eight bytes a step; filled when first used.
static uint32_t crcTable[8 * 256];

uint32_t crc32(uint32_t crc, const char *bytes, size_t size) {
  for (uint32_t i = 0; !crcTable[8 * 256 - 1] && i < 8 * 256; ++i) {
    // Table 0 holds the checksums of single bytes, each further table those
    // with one more zero byte behind them.
    uint32_t value = i;
    if (i >= 256)
      value = crcTable[i - 256] >> 8 ^ crcTable[crcTable[i - 256] & 255];
    for (int bit = i < 256 ? 8 : 0; bit--;)
      value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    crcTable[i] = value;
  }
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    __builtin_memcpy(&word, bytes, 8);
    word ^= crc;
    crc = 0;
    for (unsigned table = 8 * 256; table; word >>= 8)
      crc ^= crcTable[(table -= 256) + (word & 255)];
  }
  while (size--)
    crc = crc >> 8 ^ crcTable[(crc ^ uint8_t(*bytes++)) & 255];
  return ~crc;
}

void NpzWriter::add(const char *name, const tenon_tensor &tensor) {
  NpyFile file(tensor);
  uint64_t size = file.header.size + file.bytes;
  if (offset + size > 0xf0000000)
    fail("the results are too large for one .npz file: write each to its own "
         ".npy file");
  Text full;
  full.print("%s%s.npy", name,
             tensor.dtype.code == TENON_BFLOAT ? "__bf16" : "");
  // The fields that the entry's header and the directory share.
  struct [[gnu::packed]] {
    uint16_t version = 20, flags = 0x800; // names are UTF-8
    uint16_t method = 0;
    // Always 1980-01-01: the same results give the same file.
    uint16_t time = 0, date = 0x21;
    uint32_t crc, packed, unpacked;
    uint16_t nameSize, extraSize = 0;
  } common;
  common.crc = crc32(crc32(0, file.header.data, file.header.size), file.data,
                     file.bytes);
  common.packed = common.unpacked = uint32_t(size);
  common.nameSize = uint16_t(full.size);

  Text header;
  header.add("PK\3\4", 4);
  header.add(&common, sizeof common);
  header.add(full.data, full.size);
  writeAll(descriptor, header.data, header.size);
  writeAll(descriptor, file.header.data, file.header.size);
  writeAll(descriptor, file.data, file.bytes);

  directory.add("PK\1\2\24", 6); // and the version of the writer
  directory.add(&common, sizeof common);
  directory.pad(0, 10); // comment, disk, attributes: none
  directory.add(&offset, 4);
  directory.add(full.data, full.size);
  offset += header.size + size;
  ++count;
}

void NpzWriter::finish() {
  size_t size = directory.size;
  directory.add("PK\5\6\0\0\0\0", 8);
  directory.add(&count, 2);
  directory.add(&count, 2);
  directory.add(&size, 4);
  directory.add(&offset, 4);
  directory.pad(0, 2);
  writeAll(descriptor, directory.data, directory.size);
}

} // namespace tenon
