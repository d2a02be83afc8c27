// Writing zip archives of stored entries, as numpy.savez does.
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

namespace {

// The field in which sizes have 64 bits; the 32-bit ones then hold ones. It
// always stands there, so that files beyond 4 GiB are nothing special.
struct [[gnu::packed]] Wide {
  uint16_t kind = 1, size;
  uint64_t unpacked, packed, offset; // offset: in the directory only
};

// What stands behind the directory: it by 64-bit numbers, where that is, and
// the old record, which refers to them.
struct [[gnu::packed]] End {
  char wideMark[4] = {'P', 'K', 6, 6};
  uint64_t wideSize = 44;
  uint16_t writer = 45, reader = 45;
  uint32_t disk = 0, start = 0;
  uint64_t countHere, count, size, offset;
  char placeMark[4] = {'P', 'K', 6, 7};
  uint32_t placeDisk = 0;
  uint64_t place;
  uint32_t disks = 1;
  char mark[4] = {'P', 'K', 5, 6};
  uint32_t oldDisks = 0, oldCounts = ~0u, oldSize = ~0u, oldOffset = ~0u;
  uint16_t comment = 0;
};

} // namespace

void NpzWriter::add(const char *name, const tenon_tensor &tensor) {
  NpyFile file(tensor);
  Text full;
  full.print("%s%s.npy", name,
             tensor.dtype.code == TENON_BFLOAT ? "__bf16" : "");
  begin(full,
        crc32(crc32(0, file.header.data, file.header.size), file.data,
              file.bytes),
        file.header.size + file.bytes);
  writeAll(descriptor, file.header.data, file.header.size);
  writeAll(descriptor, file.data, file.bytes);
}

void NpzWriter::begin(const Text &name, uint32_t crc, uint64_t size) {
  // The fields that the entry's header and the directory share.
  struct [[gnu::packed]] {
    uint16_t version = 45, flags = 0x800; // names are UTF-8
    uint16_t method = 0;
    // Always 1980-01-01: the same results give the same file.
    uint16_t time = 0, date = 0x21;
    uint32_t crc, packed = ~0u, unpacked = ~0u;
    uint16_t nameSize, extraSize = 20;
  } common;
  Wide wide;
  wide.size = 16;
  wide.unpacked = wide.packed = size;
  wide.offset = offset;
  common.crc = crc;
  common.nameSize = uint16_t(name.size);

  Text header;
  header.add("PK\3\4", 4);
  header.add(&common, sizeof common);
  header.add(name.data, name.size);
  header.add(&wide, common.extraSize);
  writeAll(descriptor, header.data, header.size);

  common.extraSize = sizeof wide;
  wide.size = sizeof wide - 4;
  directory.add("PK\1\2\55", 6); // and the version of the writer
  directory.add(&common, sizeof common);
  directory.pad(0, 10); // comment, disk, attributes: none
  directory.pad(-1, 4);
  directory.add(name.data, name.size);
  directory.add(&wide, sizeof wide);
  offset += header.size + size;
  ++count;
}

void NpzWriter::finish() {
  End end;
  end.countHere = end.count = count;
  end.size = directory.size;
  end.offset = offset;
  end.place = offset + directory.size;
  directory.add(&end, sizeof end);
  writeAll(descriptor, directory.data, directory.size);
}

} // namespace tenon
