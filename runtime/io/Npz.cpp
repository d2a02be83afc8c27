// Reading zip archives, with the 64-bit extensions.
#include "io/Npz.h"
#include "io/Fail.h"
#include "io/Inflate.h"
#include "io/Npy.h"

#include <dlfcn.h>
#include <string.h>

namespace tenon {

namespace {

// Little-endian number; the caller has checked the bounds.
uint64_t number(const char *at, int bytes) {
  uint64_t value = 0;
  while (bytes--)
    value = value << 8 | uint8_t(at[bytes]);
  return value;
}

[[noreturn]] void damaged() { fail("damaged .npz file"); }

// Inflates exactly `unpacked` bytes.
void inflateRaw(const char *from, size_t packed, char *to, size_t unpacked) {
  void *library = dlopen("libz.so.1", RTLD_NOW);
  if (!library)
    fail("compressed .npz files need libz.so.1 (package zlib1g)");
  auto init = reinterpret_cast<int (*)(ZStream *, int, const char *, int)>(
      dlsym(library, "inflateInit2_"));
  auto inflate =
      reinterpret_cast<int (*)(ZStream *, int)>(dlsym(library, "inflate"));
  ZStream stream = {};
  stream.in = from;
  stream.out = to;
  // With the largest window.
  int status =
      init && inflate ? init(&stream, RawDeflate, "1", sizeof stream) : ZEnd;
  while (!status) {
    stream.inLeft = ZStream::chunk(size_t(from + packed - stream.in));
    stream.outLeft = ZStream::chunk(size_t(to + unpacked - stream.out));
    status = inflate(&stream, 0);
  }
  if (status != ZEnd || stream.out != to + unpacked)
    fail("damaged compressed data");
}

} // namespace

Npz::Npz(const char *newBytes, size_t newSize)
    : bytes(newBytes), size(newSize) {
  // The end record stands before a comment of at most 64 KB.
  const char *limit = size > 65557 ? bytes + size - 65557 : bytes;
  const char *at = bytes + size - 22;
  if (size < 22)
    fail("not an .npz file");
  while (memcmp(at, "PK\5\6", 4))
    if (at-- == limit)
      fail("not an .npz file, or cut off");
  count = number(at + 10, 2);
  uint64_t length = number(at + 12, 4), start = number(at + 16, 4);
  if (at - bytes >= 20 && !memcmp(at - 20, "PK\6\7", 4)) {
    uint64_t record = number(at - 12, 8);
    if (record > size || size - record < 56)
      damaged();
    count = number(bytes + record + 32, 8);
    length = number(bytes + record + 40, 8);
    start = number(bytes + record + 48, 8);
  }
  if (start > size || length > size - start)
    damaged();
  cursor = directory = bytes + start;
  end = cursor + length;
}

bool Npz::next() {
  if (cursor == end)
    return false;
  const char *at = cursor;
  size_t left = size_t(end - at);
  if (left < 46 || memcmp(at, "PK\1\2", 4))
    damaged();
  flags = uint16_t(number(at + 8, 2));
  method = uint16_t(number(at + 10, 2));
  crc = uint32_t(number(at + 16, 4));
  packed = number(at + 20, 4);
  unpacked = number(at + 24, 4);
  offset = number(at + 42, 4);
  nameSize = number(at + 28, 2);
  size_t extraSize = number(at + 30, 2);
  size_t whole = 46 + nameSize + extraSize + number(at + 32, 2);
  if (whole > left)
    damaged();
  cursor += whole;
  name = at + 46;
  const char *extra = name + nameSize;
  if (nameSize > 4 && !memcmp(extra - 4, ".npy", 4))
    nameSize -= 4;
  // The 64-bit field (its number is 1) holds, in this order, what did not fit
  // into 32 bits.
  while (extraSize >= 4) {
    size_t kind = number(extra, 2), step = number(extra + 2, 2) + 4, used = 4;
    if (step > extraSize)
      break;
    uint64_t *fields[] = {&unpacked, &packed, &offset};
    for (uint64_t *field : fields)
      if (kind == 1 && *field == 0xffffffff && used + 8 <= step) {
        *field = number(extra + used, 8);
        used += 8;
      }
    extra += step;
    extraSize -= step;
  }
  return true;
}

bool Npz::find(const char *wanted) {
  cursor = directory;
  while (next())
    if (nameSize == strlen(wanted) && behind(name, wanted))
      return true;
  return false;
}

const char *Npz::open(size_t &length) {
  if (offset > size || size - offset < 30)
    damaged();
  const char *data = bytes + offset;
  uint64_t skip = 30 + number(data + 26, 2) + number(data + 28, 2);
  uint64_t left = size - offset;
  if (memcmp(data, "PK\3\4", 4) || skip > left || packed > left - skip)
    damaged();
  data += skip;
  if (flags & 1 || (method && method != 8))
    fail("neither stored nor deflated");
  if (method) {
    // Deflate shrinks to a 1032nd at best: larger claims are not worth memory.
    if (unpacked / 1040 > packed + 1)
      damaged();
    char *plain = static_cast<char *>(allocate(unpacked));
    inflateRaw(data, packed, plain, unpacked);
    data = plain;
    packed = unpacked;
  }
  if (packed != unpacked)
    damaged();
  length = packed;
  return data;
}

tenon_tensor Npz::read() {
  size_t length;
  const char *data = open(length);
  if (crc32(0, data, length) != crc)
    fail("wrong checksum");
  return readNpy(data, length);
}

} // namespace tenon
